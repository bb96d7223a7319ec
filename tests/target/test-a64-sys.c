/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system level of A64 without running code: register rows and rights, table walks against a
 * small walker of its own, exceptions and what they report, routing of interrupts, timers on time
 * moved by hand, saving and loading. Programs that run: tests/bare/.
 */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/machine.h"
#include "target/arm/a64_id.h"
#include "target/arm/sys/regs.h"

enum { RAM_BYTES = 16 << 20 };
static const uint64_t ram_base = 0x40000000;

typedef struct Fixture {
    Machine *m;
    MemRegion ram;
    CpuPort port;
    A64Cpu *cpu;
    bool out[A64_N_TIMERS];
    unsigned kicks;
} Fixture;

static void kick(CpuPort *p)
{
    ((Fixture *)p->vcpu)->kicks++;
}

static void out_set(void *opaque, unsigned n, bool level)
{
    ((Fixture *)opaque)->out[n] = level;
}

static void fixture_init(Fixture *f, const char *model, bool el2, bool el3)
{
    Error err = {0};
    memset(f, 0, sizeof(*f));
    f->m = machine_new("test", &err);
    g_assert_nonnull(f->m);
    clock_set_manual(f->m);
    machine_lock(f->m);
    g_assert_true(mem_region_init_ram(&f->ram, f->m, "ram", RAM_BYTES, &err));
    mem_begin(f->m);
    mem_add(&f->m->system, ram_base, &f->ram, 0);
    mem_commit(f->m);
    machine_unlock(f->m);
    f->port = (CpuPort){.machine = f->m, .as = f->m->as, .as_secure = f->m->as, .vcpu = f};
    f->port.kick = kick;
    for (unsigned t = 0; t < A64_N_TIMERS; t++) {
        pin_connect(&f->port.out[t], (PinIn){.set = out_set, .opaque = f, .n = t});
    }
    f->cpu = aligned_alloc(64, (sizeof(A64Cpu) + 63) & ~(size_t)63);
    memset(f->cpu, 0, sizeof(*f->cpu));
    TcgSystemConfig config = {.cpu_model = model, .el2 = el2, .el3 = el3, .host_avx = true};
    g_assert_true(a64_system_guest.system->init(&f->cpu->tcg, &f->port, &config, &err));
}

static void fixture_free(Fixture *f)
{
    a64_system_guest.system->fini(&f->cpu->tcg);
    free(f->cpu);
    machine_lock(f->m);
    mem_region_destroy(f->m, &f->ram);
    machine_unlock(f->m);
    machine_free(f->m);
}

static void at_level(A64Cpu *cpu, unsigned el)
{
    a64_set_el(cpu, el, el != 0);
    a64_views_drop(cpu);
}

/* ---- register rows ---- */

static void test_rows(void)
{
    unsigned n;
    const A64Reg *r = a64_regs(&n);
    for (unsigned i = 0; i < n; i++) {
        for (unsigned k = 0; k < i; k++) {
            g_assert_cmphex(r[i].enc, !=, r[k].enc);
        }
        g_assert_true(r[i].rd == 4 || r[i].read || r[i].offset);
        g_assert_true(r[i].wr == 4 || r[i].write || r[i].offset);
        if (r[i].slot && r[i].offset) {
            g_assert_cmpuint(a64_system_guest.slots[r[i].slot].offset, ==, r[i].offset);
        }
    }
}

/* Who may touch what follows from rd and wr, whatever the mode word. */
static void test_rights(void)
{
    Fixture f;
    unsigned n;
    const A64Reg *r = a64_regs(&n);
    fixture_init(&f, "max", true, true);
    for (unsigned i = 0; i < n; i++) {
        for (unsigned el = 0; el < 4; el++) {
            for (int write = 0; write < 2; write++) {
                uint64_t mode = A64_MODE_SYSTEM | (uint64_t)el << A64_MODE_EL_SHIFT;
                A64SysUse u = a64_reg_use(f.cpu, r[i].enc, write, mode);
                bool id_trap = el == 0 && !write && r[i].trap == TRAP_TID3;
                bool may = el >= (write ? r[i].wr : r[i].rd) || id_trap;
                g_assert_cmpint(u.how != A64_SYS_UNDEF, ==, may);
                u = a64_reg_use(f.cpu, r[i].enc, write, mode | A64_MODE_TRAPS);
                g_assert_true(!may || r[i].trap == TRAP_NONE || u.how == A64_SYS_CALL ||
                              u.how == A64_SYS_SYNC);
            }
        }
    }
    fixture_free(&f);
}

/* What was written is read, but for the bits that are fixed. */
static void test_storage(void)
{
    static const uint64_t values[] = {0, ~0ull, 0x5555555555555555, 0x123456789abcdef0};
    Fixture f;
    unsigned n;
    const A64Reg *r = a64_regs(&n);
    fixture_init(&f, "max", true, true);
    at_level(f.cpu, 3);
    for (unsigned i = 0; i < n; i++) {
        if (!r[i].offset || r[i].read || r[i].write || r[i].rd > 3 || r[i].wr > 3 ||
            a64_reg_trap(f.cpu, &r[i], true, 3)) {
            continue;
        }
        for (unsigned k = 0; k < G_N_ELEMENTS(values); k++) {
            a64_reg_write(f.cpu, r[i].enc, values[k]);
            g_assert_cmphex(a64_reg_read(f.cpu, r[i].enc), ==, a64_reg_masked(&r[i], values[k]));
        }
    }
    fixture_free(&f);
}

/* EL1 names at EL2 with E2H, and the EL12 names back. */
static void test_vhe(void)
{
    Fixture f;
    fixture_init(&f, "max", true, false);
    at_level(f.cpu, 2);
    f.cpu->sys.hcr = HCR_E2H | HCR_RW;
    a64_reg_write(f.cpu, A64_ENC(3, 0, 12, 0, 0), 0x2000); /* VBAR_EL1 */
    a64_reg_write(f.cpu, A64_ENC(3, 5, 12, 0, 0), 0x1000); /* VBAR_EL12 */
    g_assert_cmphex(f.cpu->sys.vbar[2], ==, 0x2000);
    g_assert_cmphex(f.cpu->sys.vbar[1], ==, 0x1000);
    a64_reg_write(f.cpu, A64_ENC(3, 3, 14, 3, 2), 77); /* CNTV_CVAL_EL0 is CNTHV's */
    a64_reg_write(f.cpu, A64_ENC(3, 5, 14, 3, 2), 55); /* CNTV_CVAL_EL02 */
    g_assert_cmphex(f.cpu->sys.cnt_cval[A64_CNTHV], ==, 77);
    g_assert_cmphex(f.cpu->sys.cnt_cval[A64_CNTV], ==, 55);
    a64_reg_write(f.cpu, A64_ENC(3, 0, 1, 0, 2), 3ull << 20); /* CPACR_EL1 is CPTR_EL2 */
    g_assert_cmphex(f.cpu->sys.cptr_el2 >> 20 & 3, ==, 3);
    fixture_free(&f);
}

/* -cpu: models, switches, and what is wrong said by name. */
static void test_models(void)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"max,-lse,+sha3", NULL},
        {"max,sve=off,pauth=off", NULL},
        {"cortex-a72,pmu=false", NULL},
        {"cortex-a67", "cortex-a67"},
        {"max,sve=on", "'sve' is not there"},
        {"max,lze=on", "'lze'"},
        {"max,lse", "'lse' is not understood"},
        {"max,lse=maybe", "'lse=maybe'"},
        {"max,", "''"},
    };
    A64Cpu *cpu = g_malloc0(sizeof(*cpu) + 64);
    A64Cpu *at = (A64Cpu *)(((uintptr_t)cpu + 63) & ~(uintptr_t)63);
    for (unsigned n = 0; n < G_N_ELEMENTS(cases); n++) {
        Error err = {0};
        TcgSystemConfig config = {.cpu_model = cases[n].text, .host_avx = true};
        bool ok = a64_cpu_init_system(at, &config, &err);
        g_assert_cmpint(ok, ==, cases[n].error == NULL);
        g_assert_true(ok || strstr(err.text, cases[n].error));
    }
    TcgSystemConfig config = {.cpu_model = "max,-lse,pauth=off", .host_avx = true};
    g_assert_true(a64_cpu_init_system(at, &config, NULL));
    g_assert_false(a64_has(at, A64_FEAT_LSE) || a64_has(at, A64_FEAT_PAuth));
    g_assert_cmphex(at->id_aa64[A64_ID_ISAR0] >> 20 & 15, ==, 0);
    g_assert_cmphex(at->id_aa64[A64_ID_ISAR1] & 0xff0, ==, 0);
    g_free(cpu);
}

/* ---- walks ---- */

static void poke(Fixture *f, uint64_t gpa, uint64_t v)
{
    g_assert_cmpint(mem_store_le64(f->m->as, gpa, v, MEM_ATTRS_NONE), ==, MEM_OK);
}

static uint64_t peek(Fixture *f, uint64_t gpa)
{
    uint64_t v = 0;
    mem_load_le64(f->m->as, gpa, &v, MEM_ATTRS_NONE);
    return v;
}

/*
 * The other walker: 48-bit, EL1 reads and writes only, no updates. Returns a fault status or the
 * address. Written from the manual's figures, not from mmu.c.
 */
static unsigned tiny_walk(Fixture *f, uint64_t table, unsigned gran, unsigned tsz, uint64_t va,
                          bool write, uint64_t *pa)
{
    unsigned bits = 64 - tsz, per = gran - 3, levels = (bits - gran + per - 1) / per;
    if (va >> bits) {
        return 0x04;
    }
    for (unsigned left = levels; left > 0; left--) {
        unsigned level = 4 - left, shift = gran + per * (left - 1);
        unsigned top = left == levels ? bits : shift + per;
        uint64_t entry = peek(f, table + (va % (1ull << top) >> shift) * 8);
        bool last = left == 1, block = !last && (entry & 3) == 1;
        bool block_ok = level == 2 || (level == 1 && gran == 12);
        if ((last && (entry & 3) != 3) || (!last && !(entry & 1)) || (block && !block_ok)) {
            return 0x04 + level;
        }
        uint64_t out = entry & 0xfffffffff000;
        if (last || block) {
            if (!(entry >> 10 & 1)) {
                return 0x08 + level;
            }
            if (write && (entry >> 7 & 1)) {
                return 0x0c + level;
            }
            *pa = out / (1ull << shift) * (1ull << shift) + va % (1ull << shift);
            return 0;
        }
        table = out >> gran << gran;
    }
    g_assert_not_reached();
}

static uint32_t seed = 1;
static uint32_t rnd(void)
{
    seed = seed * 1664525 + 1013904223;
    return seed >> 8;
}

/* A random entry: mostly a table while that is possible. */
static uint64_t random_entry(unsigned gran, bool last)
{
    uint64_t next = ram_base + ((uint64_t)rnd() << gran) % RAM_BYTES, kind = rnd() % 8;
    uint64_t attrs =
        (uint64_t)(rnd() % 4 != 0) << 10 | (uint64_t)(rnd() & 1) << 7 | (uint64_t)(rnd() & 1) << 11;
    if (kind == 0) {
        return rnd() & ~3u;
    }
    if (kind == 1 && !last) {
        return ((uint64_t)rnd() << 30 & 0xffffc0000000) | attrs | 1;
    }
    return next | 3 | (last ? attrs : 0);
}

static void test_walk_random(void)
{
    static const struct {
        uint8_t gran, tg0;
    } granules[] = {{12, 0}, {14, 2}, {16, 1}};
    Fixture f;
    fixture_init(&f, "neoverse-n1", false, false);
    at_level(f.cpu, 1);
    for (unsigned round = 0; round < 60; round++) {
        unsigned g = round % 3, tsz = 16 + rnd() % 24, gran = granules[g].gran;
        for (uint64_t at = 0; at < 1 << 20; at += 8) {
            poke(&f, ram_base + at, random_entry(gran, rnd() % 3 == 0));
        }
        f.cpu->sys.tcr[1] = tsz | (uint64_t)granules[g].tg0 << 14 | 5ull << 32 | 1ull << 23;
        f.cpu->sys.ttbr0[1] = ram_base;
        for (unsigned k = 0; k < 3000; k++) {
            A64Walk w = {.stage1 = true, .access = rnd() & 1 ? TCG_WRITE : TCG_READ};
            A64Found found;
            A64Fault fault = {0};
            uint64_t pa = 0,
                     va = ((uint64_t)rnd() << 32 | rnd()) & mask64(64 - tsz + (k % 16 == 0));
            if (va >> 55 & 1) {
                continue;
            }
            unsigned want = tiny_walk(&f, ram_base, gran, tsz, va, w.access == TCG_WRITE, &pa);
            bool ok = a64_mmu_walk(f.cpu, &w, va, &found, &fault);
            if (fault.fsc >= 0x14 && fault.fsc < 0x18) {
                continue; /* a table outside RAM: the small walker reads 0 there */
            }
            g_assert_cmphex(ok ? 0 : fault.fsc, ==, want);
            if (ok) {
                g_assert_cmphex(found.pa, ==, pa);
            }
        }
    }
    fixture_free(&f);
}

/* Hardware update of access flag and dirty state. */
static void test_walk_update(void)
{
    Fixture f;
    fixture_init(&f, "max", false, false);
    at_level(f.cpu, 1);
    uint64_t l3 = ram_base + 0x1000, page = ram_base + 0x5000;
    poke(&f, ram_base, l3 | 3);
    poke(&f, l3, page | 3 | BIT(51) | BIT(7));               /* no AF, clean and writable */
    f.cpu->sys.tcr[1] = 43 | 5ull << 32 | BIT(39) | BIT(40); /* 21 bits: starts at level 3 */
    f.cpu->sys.ttbr0[1] = l3;
    A64Walk w = {.stage1 = true, .access = TCG_READ};
    A64Found found;
    A64Fault fault;
    g_assert_true(a64_mmu_walk(f.cpu, &w, 0x10, &found, &fault));
    g_assert_cmphex(found.pa, ==, page + 0x10);
    g_assert_false(found.fill.write); /* the first write must be seen */
    g_assert_cmphex(peek(&f, l3), ==, (page | 3 | BIT(51) | BIT(7) | BIT(10)));
    w.access = TCG_WRITE;
    g_assert_true(a64_mmu_walk(f.cpu, &w, 0x10, &found, &fault));
    g_assert_true(found.fill.write);
    g_assert_cmphex(peek(&f, l3), ==, (page | 3 | BIT(51) | BIT(10)));
    fixture_free(&f);
}

/* ---- exceptions ---- */

static const struct Raised {
    TcgExit reason;
    uint64_t info;
    unsigned from, tge;
    unsigned to;
    uint32_t esr;
    unsigned vector;
} raised[] = {
    {TCG_EXIT_SYSCALL, 0x1234, 0, 0, 1, 0x56001234, 0x400},
    {TCG_EXIT_SYSCALL, 7, 1, 0, 1, 0x56000007, 0x200},
    {TCG_EXIT_SYSCALL, 7, 0, 1, 2, 0x56000007, 0x400},
    {TCG_EXIT_UNDEF, 0, 1, 0, 1, 0x02000000, 0x200},
    {TCG_EXIT_BREAK, 0x800, 1, 0, 1, 0xf2000800, 0x200},
    {TCG_EXIT_PC_ALIGN, 0, 0, 0, 1, 0x8a000000, 0x400},
    {TCG_EXIT_BTI, 0, 1, 0, 1, 0x36000000, 0x200},
    {TCG_EXIT_PAC, 3, 0, 0, 1, 0x72000003, 0x400},
    {TCG_EXIT_SYSTEM, (uint64_t)A64_EXC_SPALIGN << 56, 2, 0, 2, 0x9a000000, 0x200},
    {TCG_EXIT_SYSTEM, (uint64_t)A64_EXC_ILLEGAL << 56, 1, 0, 1, 0x3a000000, 0x200},
    {TCG_EXIT_SYSTEM, (uint64_t)A64_EXC_FP << 56, 0, 0, 1, 0x1fe00000, 0x400},
};

static void test_exceptions(void)
{
    Fixture f;
    fixture_init(&f, "max", true, false);
    for (unsigned n = 0; n < G_N_ELEMENTS(raised); n++) {
        const struct Raised *r = &raised[n];
        a64_system_guest.system->reset(&f.cpu->tcg);
        at_level(f.cpu, r->from);
        f.cpu->sys.vbar[1] = 0x10000;
        f.cpu->sys.vbar[2] = 0x20000;
        f.cpu->sys.hcr = HCR_RW | (r->tge ? HCR_TGE : 0);
        f.cpu->daif = A64_PS_D;
        a64_nzcv_set(f.cpu, 0x60000000);
        f.cpu->pc = 0x4000;
        uint32_t spsr = a64_spsr_get(f.cpu);
        a64_system_guest.system->exception(&f.cpu->tcg, r->reason, r->info);
        g_assert_cmpuint(a64_cur_el(f.cpu), ==, r->to);
        g_assert_cmphex(f.cpu->sys.esr[r->to], ==, r->esr);
        g_assert_cmphex(f.cpu->sys.elr[r->to], ==, 0x4000);
        g_assert_cmphex(f.cpu->sys.spsr[r->to], ==, spsr);
        g_assert_cmphex(f.cpu->pc, ==, r->to * 0x10000 + r->vector);
        g_assert_cmphex(f.cpu->daif, ==, A64_PS_DAIF);
    }
    fixture_free(&f);
}

/* Line IRQ: from a level, with HCR_EL2, SCR_EL3 and PSTATE.I, to a level or nowhere. */
static const struct Routed {
    uint8_t from, masked;
    uint64_t hcr, scr;
    uint8_t to;
} routed[] = {
    {0, 0, 0, SCR_NS, 1},
    {0, 1, 0, SCR_NS, 0},
    {1, 0, 0, SCR_NS, 1},
    {1, 1, 0, SCR_NS, 0},
    {2, 0, 0, SCR_NS, 0},
    {1, 1, HCR_IMO, SCR_NS, 2},
    {2, 0, HCR_IMO, SCR_NS, 2},
    {2, 1, HCR_IMO, SCR_NS, 0},
    {0, 1, HCR_TGE, SCR_NS, 2},
    {0, 1, HCR_TGE | HCR_E2H, SCR_NS, 0},
    {0, 0, HCR_TGE | HCR_E2H, SCR_NS, 2},
    {1, 1, HCR_IMO, SCR_NS | SCR_IRQ, 3},
    {2, 1, 0, SCR_NS | SCR_IRQ, 3},
    {3, 0, 0, SCR_NS | SCR_IRQ, 3},
    {3, 1, 0, SCR_NS | SCR_IRQ, 0},
    {3, 0, HCR_IMO, SCR_NS, 0},
    {1, 0, HCR_IMO, 0, 1}, /* Secure: EL2 is off */
};

static void test_routing(void)
{
    Fixture f;
    fixture_init(&f, "max", true, true);
    for (unsigned n = 0; n < G_N_ELEMENTS(routed); n++) {
        const struct Routed *r = &routed[n];
        a64_system_guest.system->reset(&f.cpu->tcg);
        f.cpu->sys.scr = r->scr;
        f.cpu->sys.hcr = r->hcr | HCR_RW;
        at_level(f.cpu, r->from);
        f.cpu->daif = r->masked ? A64_PS_I : 0;
        atomic_store(&f.port.lines, 1u << CPU_LINE_IRQ);
        bool taken = a64_system_guest.system->interrupt(&f.cpu->tcg);
        g_assert_cmpint(taken, ==, r->to != 0);
        g_assert_cmpuint(a64_cur_el(f.cpu), ==, r->to ? r->to : r->from);
        g_assert_cmpuint(f.cpu->irq_held, !=, 0);
        g_assert_true(a64_system_guest.system->wake(&f.cpu->tcg));
        atomic_store(&f.port.lines, 0);
        g_assert_false(a64_system_guest.system->interrupt(&f.cpu->tcg));
        g_assert_cmpuint(f.cpu->irq_held, ==, 0);
    }
    fixture_free(&f);
}

/* ---- timers ---- */

static void test_timers(void)
{
    Fixture f;
    fixture_init(&f, "cortex-a72", true, false);
    machine_lock(f.m);
    machine_set_state(f.m, RUN_RUNNING);
    machine_unlock(f.m);
    g_assert_cmpuint(f.cpu->cntfrq, ==, 62500000);
    clock_advance(f.m, 1000, 100);
    g_assert_cmpuint(a64_counter(f.cpu), ==, 62);
    f.cpu->sys.cntvoff = 10;
    at_level(f.cpu, 1);
    g_assert_cmpuint(a64_counter_virtual(f.cpu), ==, 52);
    a64_timer_write(f.cpu, A64_CNTV, A64_TIMER_TVAL, 100);
    g_assert_cmpuint(f.cpu->sys.cnt_cval[A64_CNTV], ==, 152);
    a64_timer_write(f.cpu, A64_CNTV, A64_TIMER_CTL, 1);
    g_assert_false(f.out[A64_CNTV]);
    clock_advance(f.m, 1500, 100); /* CNTVCT 146 */
    g_assert_false(f.out[A64_CNTV]);
    g_assert_cmpuint(a64_timer_read(f.cpu, A64_CNTV, A64_TIMER_TVAL), ==, 6);
    clock_advance(f.m, 200, 100);
    g_assert_true(f.out[A64_CNTV]);
    g_assert_cmphex(a64_timer_read(f.cpu, A64_CNTV, A64_TIMER_CTL), ==, 5);
    a64_timer_write(f.cpu, A64_CNTV, A64_TIMER_CTL, 3); /* IMASK */
    g_assert_false(f.out[A64_CNTV]);
    a64_timer_write(f.cpu, A64_CNTV, A64_TIMER_CTL, 1);
    g_assert_true(f.out[A64_CNTV]);
    a64_timer_write(f.cpu, A64_CNTV, A64_TIMER_CVAL, ~0ull); /* in the past by sign */
    g_assert_true(f.out[A64_CNTV]);
    a64_timer_write(f.cpu, A64_CNTV, A64_TIMER_CVAL, INT64_MAX);
    g_assert_false(f.out[A64_CNTV]);
    fixture_free(&f);
}

/* The cycle counter wraps: flag and interrupt, 32 or 64 bits. */
static void test_pmu(void)
{
    Fixture f;
    fixture_init(&f, "max", false, false);
    f.port.out[CPU_OUT_PMU].to = (PinIn){.set = out_set, .opaque = &f, .n = 0};
    machine_lock(f.m);
    machine_set_state(f.m, RUN_RUNNING);
    machine_unlock(f.m);
    at_level(f.cpu, 1);
    a64_reg_write(f.cpu, A64_ENC(3, 3, 9, 13, 0), 0xfffffc18); /* PMCCNTR: 1000 before 2^32 */
    a64_reg_write(f.cpu, A64_ENC(3, 0, 9, 14, 1), BIT(31));    /* PMINTENSET */
    a64_reg_write(f.cpu, A64_ENC(3, 3, 9, 12, 1), BIT(31));    /* PMCNTENSET */
    a64_reg_write(f.cpu, A64_ENC(3, 3, 9, 12, 0), 1);          /* PMCR.E, 32-bit overflow */
    clock_advance(f.m, 900, 10);
    g_assert_cmphex(a64_reg_read(f.cpu, A64_ENC(3, 3, 9, 13, 0)), ==, 0xffffff9c);
    g_assert_false(f.out[0]);
    clock_advance(f.m, 200, 10);
    g_assert_true(f.out[0]);
    g_assert_cmphex(a64_reg_read(f.cpu, A64_ENC(3, 3, 9, 12, 3)), ==, BIT(31)); /* PMOVSCLR */
    a64_reg_write(f.cpu, A64_ENC(3, 3, 9, 12, 3), BIT(31));
    g_assert_false(f.out[0]);
    a64_reg_write(f.cpu, A64_ENC(3, 3, 9, 12, 0), 0x41); /* LC: 64 bits; no wrap in sight */
    a64_reg_write(f.cpu, A64_ENC(3, 3, 9, 13, 0), 0xffffff00);
    clock_advance(f.m, 1000, 10);
    g_assert_false(f.out[0]);
    a64_reg_write(f.cpu, A64_ENC(3, 3, 9, 13, 0), -50ull);
    clock_advance(f.m, 60, 10);
    g_assert_true(f.out[0]);
    fixture_free(&f);
}

/* ---- save, load ---- */

static void test_state(void)
{
    Fixture f, g;
    Error err = {0};
    fixture_init(&f, "max", true, false);
    fixture_init(&g, "max", true, false);
    at_level(f.cpu, 1);
    f.cpu->x[5] = 42;
    f.cpu->sp = 0x1230;
    f.cpu->sys.ttbr0[1] = 0xabc000;
    f.cpu->v[31].u64[1] = 9;
    f.cpu->daif = A64_PS_I;
    a64_fpcr_set(f.cpu, 1u << 24);
    GByteArray *bytes = g_byte_array_new();
    StateStream out = state_to_memory(bytes);
    g_assert_true(a64_system_guest.system->save(&f.cpu->tcg, &out));
    StateMemory mem = {.data = bytes->data, .bytes = bytes->len};
    StateStream in = state_from_memory(&mem);
    g_assert_true(a64_system_guest.system->load(&g.cpu->tcg, &in, &err));
    g_assert_cmpuint(g.cpu->x[5], ==, 42);
    g_assert_cmphex(g.cpu->sp, ==, 0x1230);
    g_assert_cmphex(g.cpu->sys.ttbr0[1], ==, 0xabc000);
    g_assert_cmphex(g.cpu->v[31].u64[1], ==, 9);
    g_assert_cmphex(a64_spsr_get(g.cpu), ==, a64_spsr_get(f.cpu));
    g_assert_cmphex(g.cpu->fpcr, ==, 1u << 24);
    for (unsigned n = 0; n < 300; n++) { /* cut anywhere: an error, no crash */
        mem = (StateMemory){.data = bytes->data, .bytes = rnd() % bytes->len};
        in = state_from_memory(&mem);
        error_clear(&err);
        g_assert_false(a64_system_guest.system->load(&g.cpu->tcg, &in, &err));
        g_assert_true(error_is_set(&err));
    }
    for (unsigned n = 0; n < 300; n++) { /* a bit wrong anywhere: loads or says why */
        unsigned at = rnd() % bytes->len, bit = 1u << rnd() % 8;
        bytes->data[at] ^= bit;
        mem = (StateMemory){.data = bytes->data, .bytes = bytes->len};
        in = state_from_memory(&mem);
        error_clear(&err);
        bool ok = a64_system_guest.system->load(&g.cpu->tcg, &in, &err);
        g_assert_cmpint(ok, ==, !error_is_set(&err));
        bytes->data[at] ^= bit;
    }
    g_byte_array_free(bytes, TRUE);
    fixture_free(&f);
    fixture_free(&g);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/a64/sys/rows", test_rows);
    g_test_add_func("/a64/sys/rights", test_rights);
    g_test_add_func("/a64/sys/storage", test_storage);
    g_test_add_func("/a64/sys/vhe", test_vhe);
    g_test_add_func("/a64/sys/models", test_models);
    g_test_add_func("/a64/sys/walk", test_walk_random);
    g_test_add_func("/a64/sys/update", test_walk_update);
    g_test_add_func("/a64/sys/exceptions", test_exceptions);
    g_test_add_func("/a64/sys/routing", test_routing);
    g_test_add_func("/a64/sys/timers", test_timers);
    g_test_add_func("/a64/sys/pmu", test_pmu);
    g_test_add_func("/a64/sys/state", test_state);
    return g_test_run();
}
