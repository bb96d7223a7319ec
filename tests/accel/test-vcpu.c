/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPU threads: starting, stopping, resetting a machine's CPUs, work on their threads, waiting for
 * interrupts, power. The guest is a few A64 instructions at EL1 with the MMU off.
 */
#include <glib.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "accel/accel.h"
#include "accel/vcpu.h"
#include "core/machine.h"
#include "target/arm/a64.h"

enum { RAM_BASE = 0x40000000, RAM_BYTES = 2 << 20, COUNT = RAM_BASE, WAIT = RAM_BASE + 0x100 };

static const uint32_t count_code[] = {
    0x91000400, /* 1: add x0, x0, #1 */
    0x17ffffff, /* b 1b */
};
static const uint32_t wait_code[] = {
    0xd503207f, /* 1: wfi */
    0x91000400, /* add x0, x0, #1 */
    0x17fffffe, /* b 1b */
};

typedef struct Fixture {
    Machine *m;
    Accel *a;
    MemRegion ram;
} Fixture;

static void setup(Fixture *f, gconstpointer options)
{
    Error err = {""};
    AccelConfig config = {.cpu_model = "cortex-a76", .options = options};
    f->m = machine_new("test", &err);
    machine_lock(f->m);
    g_assert_true(mem_region_init_ram(&f->ram, f->m, "ram", RAM_BYTES, &err));
    mem_begin(f->m);
    mem_add(&f->m->system, RAM_BASE, &f->ram, 0);
    mem_commit(f->m);
    f->a = accel_new(f->m, "tcg", "aarch64", &config, &err);
    g_assert_cmpstr(err.text, ==, "");
    g_assert_true(accel_add_cpu(f->a, 0, false, &err));
    g_assert_true(accel_add_cpu(f->a, 1, true, &err));
    mem_write(f->m->as, COUNT, count_code, sizeof count_code, MEM_ATTRS_DEBUG);
    mem_write(f->m->as, WAIT, wait_code, sizeof wait_code, MEM_ATTRS_DEBUG);
    accel_set_entry(f->a, 0, COUNT, 5, true);
    machine_reset(f->m, CAUSE_NONE);
    machine_set_state(f->m, RUN_RUNNING);
    machine_unlock(f->m);
}

static void teardown(Fixture *f, gconstpointer options)
{
    (void)options;
    machine_stop_cpus(f->m);
    accel_free(f->a);
    machine_lock(f->m);
    mem_region_destroy(f->m, &f->ram);
    machine_unlock(f->m);
    machine_free(f->m);
}

static A64Cpu *cpu_of(Fixture *f, unsigned i)
{
    return accel_vcpu(f->a, i)->state;
}

/* Runs the machine until CPU i counted past `last` (a loaded host may not get to it at once); its
 * count when stopped. */
static uint64_t run_past(Fixture *f, unsigned i, uint64_t last)
{
    uint64_t now = last;
    for (unsigned ms = 1; now <= last && ms < 2000; ms *= 2) {
        machine_start_cpus(f->m);
        g_usleep(ms * 1000);
        machine_stop_cpus(f->m);
        now = cpu_of(f, i)->x[0];
    }
    return now;
}

/* Counts while the machine runs, stands still while it does not, starts anew after a reset. */
static void test_start_stop(Fixture *f, gconstpointer options)
{
    (void)options;
    uint64_t last = cpu_of(f, 0)->x[0];
    g_assert_cmpuint(last, ==, 5); /* the argument */
    for (int i = 0; i < 20; i++) {
        uint64_t now = run_past(f, 0, last);
        g_assert_cmpuint(now, >, last);
        g_usleep(1000);
        g_assert_cmpuint(cpu_of(f, 0)->x[0], ==, now);
        last = now;
    }
    machine_lock(f->m);
    machine_reset(f->m, CAUSE_HOST_RESET);
    machine_unlock(f->m);
    g_assert_cmpuint(cpu_of(f, 0)->x[0], ==, 5);
    g_assert_cmphex(accel_vcpu(f->a, 0)->accel->ops->pc(accel_vcpu(f->a, 0)), ==, COUNT);
}

static void note_thread(CpuPort *p, void *arg)
{
    (void)p;
    *(pthread_t *)arg = pthread_self();
}

/* Work runs on the CPU's own thread, whether it runs the guest, is stopped or off. */
static void test_run_on(Fixture *f, gconstpointer options)
{
    (void)options;
    for (int i = 0; i < 200; i++) {
        if (i % 50 == 25) {
            machine_start_cpus(f->m);
        } else if (i % 50 == 0) {
            machine_stop_cpus(f->m);
        }
        Vcpu *v = accel_vcpu(f->a, (unsigned)i % 2);
        pthread_t ran = pthread_self();
        v->port.run_on(&v->port, note_thread, &ran);
        g_assert_true(pthread_equal(ran, v->thread));
    }
}

static uint64_t count_after(Fixture *f, unsigned cpu, unsigned ms)
{
    g_usleep(ms * 1000);
    machine_stop_cpus(f->m);
    uint64_t n = cpu_of(f, cpu)->x[0];
    machine_start_cpus(f->m);
    return n;
}

/* WFI sleeps until a line is high, masked or not. */
static void test_wait(Fixture *f, gconstpointer options)
{
    (void)options;
    accel_set_entry(f->a, 0, WAIT, 0, true);
    machine_lock(f->m);
    machine_reset(f->m, CAUSE_HOST_RESET);
    machine_unlock(f->m);
    machine_start_cpus(f->m);
    g_assert_cmpuint(count_after(f, 0, 20), ==, 0);
    PinIn irq = cpu_pin(f->m->cpus[0], CPU_LINE_IRQ);
    irq.set(irq.opaque, irq.n, true);
    machine_stop_cpus(f->m);
    g_assert_cmpuint(run_past(f, 0, 0), >, 0);
    machine_start_cpus(f->m);
    irq.set(irq.opaque, irq.n, false);
    uint64_t n = count_after(f, 0, 20);
    g_assert_cmpuint(count_after(f, 0, 20), ==, n);
}

/* A CPU that is off stays off until somebody says where it starts. */
static void test_power(Fixture *f, gconstpointer options)
{
    (void)options;
    CpuPort *p = f->m->cpus[1];
    machine_start_cpus(f->m);
    g_usleep(5000);
    g_assert_cmpuint(atomic_load(&p->power), ==, CPU_OFF);
    p->start_pc = COUNT;
    p->start_arg = 7;
    p->start_level = 1;
    atomic_store(&p->power, CPU_ON_PENDING);
    p->kick(p);
    machine_stop_cpus(f->m);
    g_assert_cmpuint(run_past(f, 1, 7), >, 7);
    g_assert_cmpuint(atomic_load(&p->power), ==, CPU_ON);
    g_assert_cmpuint(run_past(f, 0, 5), >, 5);
}

static void test_options(void)
{
    static const struct {
        const char *options, *says;
    } bad[] = {
        {"thread=dual", "thread"},
        {"threads=multi", "thread"},
        {"interp=perhaps", "interp"},
    };
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        Error err = {""};
        AccelConfig config = {.cpu_model = "max", .options = bad[i].options};
        Machine *m = machine_new("test", &err);
        machine_lock(m);
        g_assert_null(accel_new(m, "tcg", "aarch64", &config, &err));
        g_assert_nonnull(strstr(err.text, bad[i].says));
        g_assert_null(accel_new(m, "kvmm", "aarch64", &config, &err));
        g_assert_nonnull(strstr(err.text, "tcg"));
        machine_unlock(m);
        machine_free(m);
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name, *options;
    } how[] = {{"jit", ""}, {"interp", "interp=on"}, {"turns", "thread=single"}};
    static const struct {
        const char *name;
        void (*fn)(Fixture *f, gconstpointer options);
    } tests[] = {{"start-stop", test_start_stop},
                 {"run-on", test_run_on},
                 {"wait", test_wait},
                 {"power", test_power}};
    g_test_init(&argc, &argv, NULL);
    for (unsigned h = 0; h < sizeof how / sizeof how[0]; h++) {
        for (unsigned t = 0; t < sizeof tests / sizeof tests[0]; t++) {
            char *path = g_strdup_printf("/vcpu/%s/%s", how[h].name, tests[t].name);
            g_test_add(path, Fixture, how[h].options, setup, tests[t].fn, teardown);
            g_free(path);
        }
    }
    g_test_add_func("/vcpu/options", test_options);
    return g_test_run();
}
