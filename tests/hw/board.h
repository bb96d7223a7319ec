/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine for device tests: no accelerator; CPUs are ports that only keep their lines.
 */
#ifndef GEMEL_TESTS_HW_BOARD_H
#define GEMEL_TESTS_HW_BOARD_H

#include <glib.h>

#include "core/machine.h"
#include "hw/machine.h"

typedef struct TestCpuEntry {
    uint64_t pc, arg;
    bool     kernel;
} TestCpuEntry;

typedef struct TestBoard {
    Machine      *m;
    MachineConfig config;
    Board        *board;
    CpuPort       cpus[MACHINE_MAX_CPUS];
    TestCpuEntry  entry[MACHINE_MAX_CPUS];
    PsciConduit   psci;
} TestBoard;

static inline void test_kick(CpuPort *p)
{
    (void)p;
}

/* Adds CPU number m->n_cpus; a port that nothing runs. */
static inline CpuPort *test_cpu_add(Machine *m, CpuPort *port, uint64_t mpidr)
{
    *port = (CpuPort){.machine = m, .index = m->n_cpus, .mpidr = mpidr, .as = m->as,
                      .as_secure = m->as, .kick = test_kick};
    m->cpus[m->n_cpus++] = port;
    return port;
}

static inline bool test_add_cpu(void *opaque, uint64_t mpidr, bool off, Error *err)
{
    TestBoard *t = opaque;

    (void)off;
    (void)err;
    test_cpu_add(t->m, &t->cpus[t->m->n_cpus], mpidr);
    return true;
}

static inline void test_set_entry(void *opaque, unsigned cpu, uint64_t pc, uint64_t arg,
                                  bool kernel)
{
    ((TestBoard *)opaque)->entry[cpu] = (TestCpuEntry){pc, arg, kernel};
}

static inline void test_set_psci(void *opaque, PsciConduit conduit)
{
    ((TestBoard *)opaque)->psci = conduit;
}

/* An empty machine and a configuration for board `name`; the lock is held from here on. */
static inline TestBoard *test_board_new(const char *name)
{
    TestBoard *t = g_new0(TestBoard, 1);
    Error err = {0};

    t->m = machine_new("test", &err);
    g_assert_nonnull(t->m);
    machine_lock(t->m);
    t->config.desc = machine_desc_find(name, NULL, &err);
    g_assert_nonnull(t->config.desc);
    t->config.ram_bytes = 256ull << 20;
    t->config.n_cpus = 1;
    t->config.add_cpu = test_add_cpu;
    t->config.set_entry = test_set_entry;
    t->config.set_psci = test_set_psci;
    t->config.opaque = t;
    return t;
}

static inline void test_board_option(TestBoard *t, const char *name, const char *value)
{
    Error err = {0};
    bool ok = machine_option_set(&t->config, name, value, &err);

    g_assert_true(ok);
}

static inline void test_board_build(TestBoard *t)
{
    Error err = {0};
    bool ok = t->config.desc->build(t->m, &t->config, &t->board, &err);

    g_assert_cmpstr(err.text, ==, "");
    g_assert_true(ok);
}

static inline void test_board_finish(TestBoard *t)
{
    Error err = {0};
    bool ok = t->config.desc->finish(t->board, &err);

    g_assert_cmpstr(err.text, ==, "");
    g_assert_true(ok);
    machine_reset(t->m, CAUSE_NONE);
}

static inline void test_board_free(TestBoard *t)
{
    machine_unrealize_devices(t->m);
    if (t->board) {
        t->config.desc->free(t->board);
    }
    machine_unlock(t->m);
    machine_free(t->m);
    g_free(t);
}

/* ---- accesses as CPU `cpu` makes them */

static inline uint64_t test_read(Machine *m, unsigned cpu, uint64_t gpa, unsigned bytes)
{
    uint8_t b[8] = {0};
    MemAttrs attrs = {.cpu = (uint8_t)(cpu + 1)};
    uint64_t v = 0;

    g_assert_cmpint(mem_read(m->as, gpa, b, bytes, attrs), ==, MEM_OK);
    for (unsigned i = 0; i < bytes; i++) {
        v |= (uint64_t)b[i] << 8 * i;
    }
    return v;
}

static inline void test_write(Machine *m, unsigned cpu, uint64_t gpa, unsigned bytes, uint64_t v)
{
    uint8_t b[8];
    MemAttrs attrs = {.cpu = (uint8_t)(cpu + 1)};

    for (unsigned i = 0; i < bytes; i++) {
        b[i] = (uint8_t)(v >> 8 * i);
    }
    g_assert_cmpint(mem_write(m->as, gpa, b, bytes, attrs), ==, MEM_OK);
}

static inline uint32_t test_read32(Machine *m, uint64_t gpa)
{
    return (uint32_t)test_read(m, 0, gpa, 4);
}

static inline void test_write32(Machine *m, uint64_t gpa, uint32_t v)
{
    test_write(m, 0, gpa, 4, v);
}

#endif
