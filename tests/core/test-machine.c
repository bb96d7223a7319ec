/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clocks, timers, requests, the event loop, CPU ports, disks by id. */
#include <glib.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "core/block.h"
#include "core/machine.h"

static Machine *new_machine(void)
{
    Error err = {""};
    Machine *m = machine_new(NULL, &err);

    g_assert_nonnull(m);
    return m;
}

/* ---- time ---- */

enum { N_TIMERS = 200 };
typedef struct Fired {
    Timer t;
    int64_t at_ns;
    unsigned count;
    bool again, wanted_lock, had_lock;
} Fired;

static void fired(void *opaque)
{
    Fired *f = opaque;

    f->at_ns = clock_ns(f->t.machine, f->t.clock);
    f->had_lock = machine_locked_by_me(f->t.machine);
    __atomic_fetch_add(&f->count, 1, __ATOMIC_RELEASE);
    if (f->again) {
        timer_set(&f->t, f->t.deadline_ns + 1000);
    }
}

static void test_clock_stands(void)
{
    Machine *m = new_machine();
    int64_t a, b;

    g_assert_cmpint(clock_ns(m, CLOCK_VM), ==, 0);
    machine_lock(m);
    machine_set_state(m, RUN_RUNNING);
    machine_unlock(m);
    g_usleep(2000);
    a = clock_ns(m, CLOCK_VM);
    g_assert_cmpint(a, >=, 2000000);
    g_assert_cmpuint(clock_ticks(m, 1000000000), >=, (uint64_t)a);
    machine_lock(m);
    machine_set_state(m, RUN_PAUSED);
    machine_unlock(m);
    a = clock_ns(m, CLOCK_VM);
    g_usleep(2000);
    b = clock_ns(m, CLOCK_VM);
    g_assert_cmpint(a, ==, b);
    clock_set_wall_offset(m, 86400 * (int64_t)1000000000);
    g_assert_cmpint(clock_ns(m, CLOCK_WALL) / 1000000000, >=, g_get_real_time() / 1000000 + 86399);
    machine_free(m);
}

static void test_ticks(void)
{
    Machine *m = new_machine();

    clock_set_manual(m);
    clock_advance(m, 3000000001, 1);
    g_assert_cmpuint(clock_ticks(m, 62500000), ==, 187500000);
    g_assert_cmpuint(clock_ticks(m, 1000000000), ==, 3000000001);
    g_assert_cmpuint(clock_ticks(m, 14318180), ==, 42954540);
    machine_free(m);
}

static void test_order(void)
{
    Machine *m = new_machine();
    Fired *f = g_new0(Fired, N_TIMERS);

    clock_set_manual(m);
    for (unsigned i = 0; i < N_TIMERS; i++) {
        if (i & 1) {
            timer_init_unlocked(&f[i].t, m, CLOCK_VM, fired, &f[i]);
        } else {
            timer_init(&f[i].t, m, CLOCK_VM, fired, &f[i]);
        }
        timer_set(&f[i].t, g_test_rand_int_range(1, 100000));
        if (i % 5 == 0) {
            timer_set(&f[i].t, g_test_rand_int_range(1, 100000)); /* moved */
        }
        if (i % 7 == 0) {
            timer_cancel(&f[i].t);
        }
    }
    clock_advance(m, 50000, UINT32_MAX);
    for (unsigned i = 0; i < N_TIMERS; i++) {
        bool due = i % 7 && f[i].t.deadline_ns <= 50000;

        g_assert_cmpuint(f[i].count, ==, due);
        if (due) {
            g_assert_cmpint(f[i].at_ns, ==, f[i].t.deadline_ns);
            g_assert_true(f[i].had_lock == !(i & 1));
        }
        g_assert_true(f[i].t.pending == (i % 7 && !due));
    }
    f[1].again = true;
    timer_set(&f[1].t, 60000);
    f[1].count = 0;
    clock_advance(m, 20000, UINT32_MAX); /* to 70000: 60000, 61000, ... 70000 */
    g_assert_cmpuint(f[1].count, ==, 11);
    for (unsigned i = 0; i < N_TIMERS; i++) {
        timer_cancel(&f[i].t);
    }
    machine_free(m);
    g_free(f);
}

/* The thread: on time, not while stopped, not after a cancel under the lock. */
static void test_thread(void)
{
    Machine *m = new_machine();
    Fired a = {.at_ns = 0}, b = {.at_ns = 0};

    timer_init(&a.t, m, CLOCK_VM, fired, &a);
    timer_init_unlocked(&b.t, m, CLOCK_HOST, fired, &b);
    timer_set(&a.t, 1000);
    timer_set(&b.t, clock_ns(m, CLOCK_HOST) + 1000000);
    while (!__atomic_load_n(&b.count, __ATOMIC_ACQUIRE)) {
        g_usleep(100);
    }
    g_assert_cmpuint(a.count, ==, 0); /* stopped */
    machine_lock(m);
    machine_set_state(m, RUN_RUNNING);
    machine_unlock(m);
    while (!__atomic_load_n(&a.count, __ATOMIC_ACQUIRE)) {
        g_usleep(100);
    }
    g_assert_true(a.had_lock && !b.had_lock);
    for (unsigned i = 0; i < 50; i++) {
        unsigned count;

        timer_set(&a.t, clock_ns(m, CLOCK_VM) + 100000);
        g_usleep((gulong)g_test_rand_int_range(50, 150));
        machine_lock(m);
        timer_cancel(&a.t);
        count = a.count;
        g_usleep(100);
        g_assert_cmpuint(a.count, ==, count);
        machine_unlock(m);
        timer_set(&b.t, clock_ns(m, CLOCK_HOST) + 20000);
        g_usleep(20);
        timer_drain(&b.t);
        count = b.count;
        g_usleep(100);
        g_assert_cmpuint(b.count, ==, count);
    }
    machine_free(m);
}

/* ---- requests ---- */

typedef struct Watch {
    MachineNotify n;
    unsigned starts, stops, cpu_resets, resets, shutdowns, powerdowns, states;
    Machine *m;
    ShutdownCause cause;
} Watch;

static Watch *watch_of(Machine *m)
{
    return *(Watch **)m->cpus[0]->vcpu;
}

static void cpu_start(Machine *m)
{
    g_assert_false(machine_locked_by_me(m));
    watch_of(m)->starts++;
}

static void cpu_stop(Machine *m)
{
    g_assert_false(machine_locked_by_me(m));
    watch_of(m)->stops++;
}

static void cpu_reset(Machine *m)
{
    g_assert_true(machine_locked_by_me(m));
    watch_of(m)->cpu_resets++;
}

static const MachineCpuOps cpu_ops = {cpu_start, cpu_stop, cpu_reset};

static void on_state(MachineNotify *n, RunState old, RunState now)
{
    g_assert_cmpint(old, !=, now);
    ((Watch *)n)->states++;
}

static void on_reset(MachineNotify *n, ShutdownCause cause)
{
    Watch *w = (Watch *)n;

    w->resets++;
    w->cause = cause;
}

static void on_powerdown(MachineNotify *n)
{
    Watch *w = (Watch *)n;

    w->powerdowns++;
    machine_request_shutdown(w->m, CAUSE_GUEST_SHUTDOWN); /* a guest that obeys */
}

static void on_shutdown(MachineNotify *n, ShutdownCause cause)
{
    ((Watch *)n)->shutdowns++;
    ((Watch *)n)->cause = cause;
}

static void then_powerdown(void *opaque)
{
    Watch *w = opaque;

    g_assert_true(machine_locked_by_me(w->m));
    machine_set_exit_status(w->m, 7);
    machine_request_powerdown(w->m);
}

static void then_reset(void *opaque)
{
    Watch *w = opaque;

    machine_request_reset(w->m, CAUSE_GUEST_RESET);
    machine_defer(w->m, then_powerdown, w);
}

static void test_requests(void)
{
    Machine *m = new_machine();
    Watch w = {.n = {.run_state = on_state,
                     .reset = on_reset,
                     .powerdown = on_powerdown,
                     .shutdown = on_shutdown},
               .m = m};
    Watch *pw = &w;
    CpuPort port = {.machine = m, .vcpu = &pw};

    m->cpus[m->n_cpus++] = &port;
    machine_set_cpu_ops(m, &cpu_ops);
    machine_notify_add(m, &w.n);
    machine_request_cont(m);
    machine_defer(m, then_reset, &w);
    g_assert_cmpint(machine_run(m), ==, 7);
    g_assert_cmpuint(w.starts, ==, 2);
    g_assert_cmpuint(w.stops, ==, 2);
    g_assert_cmpuint(w.resets, ==, 1);
    g_assert_cmpuint(w.cpu_resets, ==, 1);
    g_assert_cmpuint(w.powerdowns, ==, 1);
    g_assert_cmpuint(w.shutdowns, ==, 1);
    g_assert_cmpint(w.cause, ==, CAUSE_GUEST_SHUTDOWN);
    /* -no-reboot: the same guest reset ends it. */
    machine_set_policy(m, (MachinePolicy){.no_reboot = true});
    machine_request_reset(m, CAUSE_GUEST_RESET);
    machine_run(m);
    g_assert_cmpuint(w.resets, ==, 1);
    g_assert_cmpint(w.cause, ==, CAUSE_GUEST_RESET);
    /* -no-shutdown: it stays, until the host says so. */
    machine_set_policy(m, (MachinePolicy){.no_shutdown = true});
    machine_request_shutdown(m, CAUSE_GUEST_SHUTDOWN);
    machine_defer(m, then_powerdown, &w); /* no use: the guest is off already */
    machine_iterate(m, false);
    machine_request_shutdown(m, CAUSE_HOST_QUIT);
    machine_run(m);
    g_assert_cmpint(w.cause, ==, CAUSE_HOST_QUIT);
    machine_notify_remove(m, &w.n);
    machine_free(m);
}

/* ---- the loop ---- */

typedef struct Pipe {
    Machine *m;
    int fds[2];
    unsigned handle, calls;
    bool keep;
} Pipe;

static bool readable(int fd, GIOCondition condition, void *opaque)
{
    Pipe *p = opaque;
    char c;

    g_assert_true(machine_locked_by_me(p->m) && (condition & G_IO_IN));
    g_assert_cmpint(read(fd, &c, 1), ==, 1);
    p->calls++;
    if (c == 'x') {
        machine_fd_remove(p->m, p->handle); /* from inside */
        return true;
    }
    return p->keep;
}

static void *writer(void *opaque)
{
    Pipe *p = opaque;

    g_usleep(1000);
    g_assert_cmpint(write(p->fds[1], "a", 1), ==, 1);
    return NULL;
}

static void test_fd(void)
{
    Pipe p = {.m = new_machine(), .keep = true};
    pthread_t t;

    g_assert_cmpint(pipe(p.fds), ==, 0);
    machine_lock(p.m);
    p.handle = machine_fd_add(p.m, p.fds[0], G_IO_IN, readable, &p);
    machine_unlock(p.m);
    machine_iterate(p.m, false);
    g_assert_cmpuint(p.calls, ==, 0);
    pthread_create(&t, NULL, writer, &p);
    while (!p.calls) {
        machine_iterate(p.m, true);
    }
    pthread_join(t, NULL);
    p.keep = false;
    g_assert_cmpint(write(p.fds[1], "bb", 2), ==, 2);
    machine_iterate(p.m, true);
    machine_iterate(p.m, false);
    g_assert_cmpuint(p.calls, ==, 2); /* removed by its result */
    p.keep = true;
    machine_lock(p.m);
    p.handle = machine_fd_add(p.m, p.fds[0], G_IO_IN, readable, &p);
    machine_unlock(p.m);
    g_assert_cmpint(write(p.fds[1], "x", 1), ==, 1);
    machine_iterate(p.m, true);
    machine_iterate(p.m, true);
    machine_iterate(p.m, false);
    g_assert_cmpuint(p.calls, ==, 4);
    machine_free(p.m);
    close(p.fds[0]);
    close(p.fds[1]);
}

/* ---- CPU ports ---- */

static unsigned kicks;

static void kick(CpuPort *p)
{
    (void)p;
    kicks++;
}

static void test_cpu_port(void)
{
    static const CpuSysReg regs[] = {{.encoding = 5, .name = "FIVE"},
                                     {.encoding = 9, .name = "NINE"}};
    int device = 0;
    CpuSysRegBank bank = {regs, 2, &device, NULL};
    CpuPort p = {.kick = kick};
    PinIn irq = cpu_pin(&p, CPU_LINE_IRQ), fiq = cpu_pin(&p, CPU_LINE_FIQ);
    void *opaque = NULL;

    irq.set(irq.opaque, irq.n, true);
    irq.set(irq.opaque, irq.n, true);
    fiq.set(fiq.opaque, fiq.n, true);
    g_assert_true(cpu_line(&p, CPU_LINE_IRQ) && cpu_line(&p, CPU_LINE_FIQ));
    g_assert_cmpuint(kicks, ==, 2);
    irq.set(irq.opaque, irq.n, false);
    g_assert_false(cpu_line(&p, CPU_LINE_IRQ));
    cpu_sysreg_bank_attach(&p, &bank);
    g_assert_cmpstr(cpu_sysreg_find(&p, 9, &opaque)->name, ==, "NINE");
    g_assert_true(opaque == &device);
    g_assert_null(cpu_sysreg_find(&p, 6, &opaque));
}

static void test_disks(void)
{
    Machine *m = new_machine();
    BlockDev disk = {.name = "hd0"};
    Device one = {.id = "one"}, two = {.id = "two"};
    Error err = {""};

    g_assert_true(machine_block_add(m, "hd0", &disk, &err));
    g_assert_false(machine_block_add(m, "hd0", &disk, &err));
    g_assert_null(machine_block_claim(m, "hd1", &one, &err));
    g_assert_nonnull(strstr(err.text, "hd0"));
    g_assert_true(machine_block_claim(m, "hd0", &one, &err) == &disk);
    g_assert_null(machine_block_claim(m, "hd0", &two, &err));
    g_assert_nonnull(strstr(err.text, "'one'"));
    machine_block_release(m, &one);
    g_assert_true(machine_block_claim(m, "hd0", &two, &err) == &disk);
    machine_free(m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/core/clock/stands", test_clock_stands);
    g_test_add_func("/core/clock/ticks", test_ticks);
    g_test_add_func("/core/timer/order", test_order);
    g_test_add_func("/core/timer/thread", test_thread);
    g_test_add_func("/core/machine/requests", test_requests);
    g_test_add_func("/core/machine/fd", test_fd);
    g_test_add_func("/core/cpu-port", test_cpu_port);
    g_test_add_func("/core/disks", test_disks);
    return g_test_run();
}
