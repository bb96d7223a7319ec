/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv2, GICv2m, GICv3 and ITS: pins go in, acknowledged interrupts come out.
 */
#include <string.h>

#include "hw/arm.h"
#include "tests/core/harness.h"
#include "tests/hw/board.h"
#include "util/bits.h"

enum {
    DIST = 0x08000000,
    CPUIF = 0x08010000,
    V2M = 0x08020000,
    HYP = 0x08030000,
    VCPU = 0x08040000,
    ITS = 0x08080000,
    REDIST = 0x080a0000,
    REDIST_STRIDE = 0x20000,
    SGI_FRAME = 0x10000,
    ISENABLER = 0x100,
    ISPENDR = 0x200,
    ICPENDR = 0x280,
    ISACTIVER = 0x300,
    PRIORITY = 0x400,
    TARGETS = 0x800,
    CFGR = 0xc00,
    SPURIOUS = 1023
};

static TestBoard *rig(const char *gic, unsigned cpus, bool virt)
{
    TestBoard *t = test_board_new("virt");

    t->config.n_cpus = cpus;
    test_board_option(t, "gic-version", gic);
    test_board_option(t, "virtualization", virt ? "on" : "off");
    test_board_build(t);
    machine_reset(t->m, CAUSE_NONE);
    return t;
}

static Device *gic_of(TestBoard *t)
{
    return machine_device(t->m, "gic");
}

/* Pins of the GIC belong to devices of the board; tests drive them from here. */
static void set_spi(TestBoard *t, unsigned spi, bool level)
{
    PinIn in = device_pin_in(gic_of(t), "spi", spi);

    in.set(in.opaque, in.n, level);
}

static void set_ppi(TestBoard *t, unsigned cpu, unsigned ppi, bool level)
{
    PinIn in = device_pin_in(gic_of(t), "ppi", cpu * 16 + ppi);

    in.set(in.opaque, in.n, level);
}

static bool irq(TestBoard *t, unsigned cpu)
{
    return cpu_line(&t->cpus[cpu], CPU_LINE_IRQ);
}

/* ---- GICv2 */

static TestBoard *v2_rig(unsigned cpus, bool virt)
{
    TestBoard *t = rig("2", cpus, virt);

    test_write32(t->m, DIST, 1);
    for (unsigned i = 0; i < cpus; i++) {
        test_write(t->m, i, CPUIF, 4, 1);
        test_write(t->m, i, CPUIF + 4, 4, 0xff);
    }
    return t;
}

static uint32_t v2_iar(TestBoard *t, unsigned cpu)
{
    return (uint32_t)test_read(t->m, cpu, CPUIF + 0xc, 4);
}

static void v2_eoi(TestBoard *t, unsigned cpu, uint32_t v)
{
    test_write(t->m, cpu, CPUIF + 0x10, 4, v);
}

static void test_v2_level(void)
{
    TestBoard *t = v2_rig(2, false);

    test_write(t->m, 0, DIST + TARGETS + 40, 1, 2);
    set_spi(t, 8, true);
    g_assert_false(irq(t, 1));
    test_write32(t->m, DIST + ISENABLER + 4, 1u << 8);
    g_assert_true(irq(t, 1));
    g_assert_false(irq(t, 0));
    g_assert_cmpuint(v2_iar(t, 0), ==, SPURIOUS);
    g_assert_cmpuint(v2_iar(t, 1), ==, 40);
    g_assert_false(irq(t, 1));
    g_assert_cmpuint(v2_iar(t, 1), ==, SPURIOUS);
    g_assert_cmphex(test_read32(t->m, DIST + ISACTIVER + 4), ==, 1u << 8);
    v2_eoi(t, 1, 40);
    g_assert_true(irq(t, 1)); /* still high */
    g_assert_cmpuint(v2_iar(t, 1), ==, 40);
    set_spi(t, 8, false);
    v2_eoi(t, 1, 40);
    g_assert_false(irq(t, 1));
    test_board_free(t);
}

static void test_v2_edge(void)
{
    TestBoard *t = v2_rig(1, false);

    test_write32(t->m, DIST + CFGR + 8, 2u << 16); /* 40 */
    test_write32(t->m, DIST + ISENABLER + 4, 1u << 8);
    set_spi(t, 8, true);
    set_spi(t, 8, false);
    g_assert_true(irq(t, 0));
    g_assert_cmpuint(v2_iar(t, 0), ==, 40);
    set_spi(t, 8, true); /* again, while active */
    g_assert_false(irq(t, 0));
    v2_eoi(t, 0, 40);
    g_assert_cmpuint(v2_iar(t, 0), ==, 40);
    v2_eoi(t, 0, 40);
    g_assert_false(irq(t, 0));
    /* by software, and taken back */
    test_write32(t->m, DIST + ISPENDR + 4, 1u << 8);
    g_assert_true(irq(t, 0));
    test_write32(t->m, DIST + ICPENDR + 4, 1u << 8);
    g_assert_false(irq(t, 0));
    test_board_free(t);
}

static void test_v2_sgi(void)
{
    TestBoard *t = v2_rig(3, false);

    test_write(t->m, 0, DIST + 0xf00, 4, 4u << 16 | 5); /* CPU 0 to 2 */
    test_write(t->m, 1, DIST + 0xf00, 4, 1u << 24 | 5); /* CPU 1 to all others */
    g_assert_true(irq(t, 0));
    g_assert_false(irq(t, 1));
    g_assert_cmphex(v2_iar(t, 2), ==, 5);
    v2_eoi(t, 2, 5);
    g_assert_cmphex(v2_iar(t, 2), ==, 5 | 1u << 10);
    v2_eoi(t, 2, 5 | 1u << 10);
    g_assert_cmphex(v2_iar(t, 2), ==, SPURIOUS);
    g_assert_cmphex(v2_iar(t, 0), ==, 5 | 1u << 10);
    test_board_free(t);
}

static void test_v2_priorities(void)
{
    TestBoard *t = v2_rig(1, false);

    test_write32(t->m, DIST + ISENABLER + 4, 7);
    test_write(t->m, 0, DIST + PRIORITY + 32, 1, 0xa7); /* low bits are not there */
    test_write(t->m, 0, DIST + PRIORITY + 33, 1, 0x60);
    test_write(t->m, 0, DIST + PRIORITY + 34, 1, 0x20);
    g_assert_cmphex(test_read32(t->m, DIST + PRIORITY + 32), ==, 0x002060a0);
    set_spi(t, 0, true);
    g_assert_cmpuint(v2_iar(t, 0), ==, 32);
    set_spi(t, 1, true); /* preempts */
    g_assert_true(irq(t, 0));
    g_assert_cmpuint(v2_iar(t, 0), ==, 33);
    g_assert_cmphex(test_read32(t->m, CPUIF + 0x14), ==, 0x60);
    test_write32(t->m, CPUIF + 8, 6); /* one bit of group priority left: no preemption */
    set_spi(t, 2, true);
    g_assert_false(irq(t, 0));
    v2_eoi(t, 0, 33);
    g_assert_cmphex(test_read32(t->m, CPUIF + 0x14), ==, 0xa0);
    g_assert_cmpuint(v2_iar(t, 0), ==, 34);
    v2_eoi(t, 0, 34);
    test_write32(t->m, CPUIF + 4, 0x20); /* mask: not more urgent than 0x20 */
    v2_eoi(t, 0, 32);
    g_assert_false(irq(t, 0));
    test_board_free(t);
}

static void test_v2_split_eoi(void)
{
    TestBoard *t = v2_rig(1, false);

    test_write32(t->m, CPUIF, 0x201);
    test_write32(t->m, DIST + ISENABLER + 4, 1);
    set_spi(t, 0, true);
    g_assert_cmpuint(v2_iar(t, 0), ==, 32);
    v2_eoi(t, 0, 32);
    g_assert_cmphex(test_read32(t->m, CPUIF + 0x14), ==, 0xff);
    g_assert_false(irq(t, 0)); /* still active */
    test_write32(t->m, CPUIF + 0x1000, 32);
    g_assert_true(irq(t, 0));
    test_board_free(t);
}

static void test_v2_virtual(void)
{
    TestBoard *t = v2_rig(1, true);

    test_write32(t->m, DIST + ISENABLER, 1u << 25);
    test_write32(t->m, DIST + ISENABLER + 4, 1);
    test_write32(t->m, HYP + 0x08, 0xf8000001); /* all priorities, Group 0 on */
    test_write32(t->m, HYP + 0x00, 1);
    g_assert_cmphex(test_read32(t->m, HYP + 0x30), ==, 0xf);
    /* virtual 50 for physical 32, which is active */
    test_write32(t->m, CPUIF, 0x201);
    set_spi(t, 0, true);
    g_assert_cmpuint(v2_iar(t, 0), ==, 32);
    v2_eoi(t, 0, 32);
    test_write32(t->m, HYP + 0x100, 1u << 31 | 1u << 28 | 0x10u << 23 | 32u << 10 | 50);
    g_assert_true(cpu_line(&t->cpus[0], CPU_LINE_VIRQ));
    g_assert_cmpuint(test_read32(t->m, VCPU + 0xc), ==, 50);
    g_assert_false(cpu_line(&t->cpus[0], CPU_LINE_VIRQ));
    g_assert_cmphex(test_read32(t->m, HYP + 0x100) >> 28 & 3, ==, 2);
    set_spi(t, 0, false);
    test_write32(t->m, VCPU + 0x10, 50);
    g_assert_cmphex(test_read32(t->m, DIST + ISACTIVER + 4), ==, 0);
    g_assert_cmphex(test_read32(t->m, HYP + 0x30), ==, 0xf);
    /* maintenance: an EOI that asks for it */
    test_write32(t->m, HYP + 0x104, 1u << 28 | 1u << 19 | 51);
    g_assert_cmpuint(test_read32(t->m, VCPU + 0xc), ==, 51);
    g_assert_false(irq(t, 0));
    test_write32(t->m, VCPU + 0x10, 51);
    g_assert_cmphex(test_read32(t->m, HYP + 0x20), ==, 2);
    g_assert_true(irq(t, 0));
    g_assert_cmpuint(v2_iar(t, 0), ==, 25);
    test_write32(t->m, HYP + 0x104, 0);
    v2_eoi(t, 0, 25);
    test_write32(t->m, CPUIF + 0x1000, 25);
    g_assert_false(irq(t, 0));
    test_board_free(t);
}

static void test_v2m(void)
{
    TestBoard *t = v2_rig(1, false);

    g_assert_cmphex(test_read32(t->m, V2M + 8), ==, 80u << 16 | 64);
    test_write32(t->m, DIST + CFGR + 4 * 5, 0xaaaaaaaa); /* 80 .. 95 edge */
    test_write32(t->m, DIST + ISENABLER + 8, 1u << 18);
    test_write32(t->m, V2M + 0x40, 82);
    g_assert_cmpuint(v2_iar(t, 0), ==, 82);
    test_write32(t->m, V2M + 0x40, 500); /* not its own: ignored */
    test_board_free(t);
}

/* ---- GICv3 */

#define ICC(op1, crm, op2) (3u << 14 | (op1) << 11 | 12u << 7 | (crm) << 3 | (op2))
enum { ICC_PMR = 3 << 14 | 4 << 7 | 6 << 3, EL1 = 1, EL2 = 2, HCR_IMO = 1 << 4 };

static CpuAccess at_level(TestBoard *t, unsigned cpu, unsigned level, uint64_t hcr, uint8_t *trap)
{
    *trap = 0;
    return (CpuAccess){.cpu = &t->cpus[cpu], .level = (uint8_t)level, .route = hcr, .trap = trap};
}

static uint64_t reg_read(TestBoard *t, unsigned cpu, unsigned level, uint64_t hcr, uint32_t enc)
{
    void *opaque;
    uint8_t trap;
    uint64_t v;
    CpuAccess a = at_level(t, cpu, level, hcr, &trap);
    const CpuSysReg *r = cpu_sysreg_find(&t->cpus[cpu], enc, &opaque);

    g_assert_nonnull(r);
    g_assert_true(r->read(opaque, r, &a, &v));
    return v;
}

/* Returns the level it trapped to. */
static unsigned reg_write(TestBoard *t, unsigned cpu, unsigned level, uint64_t hcr, uint32_t enc,
                          uint64_t v)
{
    void *opaque;
    uint8_t trap;
    CpuAccess a = at_level(t, cpu, level, hcr, &trap);
    const CpuSysReg *r = cpu_sysreg_find(&t->cpus[cpu], enc, &opaque);

    g_assert_nonnull(r);
    g_assert_true(r->write(opaque, r, &a, v) == (trap == 0));
    return trap;
}

static uint32_t v3_iar(TestBoard *t, unsigned cpu)
{
    return (uint32_t)reg_read(t, cpu, EL1, 0, ICC(0, 12, 0));
}

static void v3_eoi(TestBoard *t, unsigned cpu, uint32_t intid)
{
    reg_write(t, cpu, EL1, 0, ICC(0, 12, 1), intid);
}

static uint64_t redist(unsigned cpu)
{
    return REDIST + (uint64_t)cpu * REDIST_STRIDE;
}

/* As Linux sets it up: Group 1, all priorities. */
static TestBoard *v3_rig(unsigned cpus, bool virt)
{
    TestBoard *t = rig("3", cpus, virt);

    test_write32(t->m, DIST, 0x12);
    for (unsigned w = 1; w < 9; w++) {
        test_write32(t->m, DIST + 0x80 + 4 * w, ~0u);
    }
    for (unsigned i = 0; i < cpus; i++) {
        test_write32(t->m, redist(i) + 0x14, 0);
        g_assert_cmphex(test_read32(t->m, redist(i) + 0x14), ==, 0);
        test_write32(t->m, redist(i) + SGI_FRAME + 0x80, ~0u);
        test_write32(t->m, redist(i) + SGI_FRAME + ISENABLER, 0xffff);
        reg_write(t, i, EL1, 0, ICC_PMR, 0xf0);
        reg_write(t, i, EL1, 0, ICC(0, 12, 7), 1);
    }
    return t;
}

static void test_v3_basics(void)
{
    TestBoard *t = v3_rig(2, false);

    g_assert_cmphex(test_read32(t->m, DIST + 0xffe8) & 0xf0, ==, 0x30);
    g_assert_cmphex(test_read32(t->m, DIST) & 0x50, ==, 0x50);
    g_assert_cmphex(test_read(t->m, 0, redist(0) + 8, 8), ==, 1);
    g_assert_cmphex(test_read(t->m, 0, redist(1) + 8, 8), ==, 0x100000111); /* last; number 1 */
    g_assert_cmphex(reg_read(t, 0, EL1, 0, ICC(0, 12, 5)), ==, 7);
    /* SPI to CPU 1 */
    test_write(t->m, 0, DIST + 0x6100 + 8 * 8, 8, 1);
    test_write32(t->m, DIST + ISENABLER + 4, 1u << 8);
    set_spi(t, 8, true);
    g_assert_true(irq(t, 1));
    g_assert_false(irq(t, 0));
    g_assert_cmpuint(v3_iar(t, 1), ==, 40);
    set_spi(t, 8, false);
    v3_eoi(t, 1, 40);
    g_assert_cmpuint(v3_iar(t, 1), ==, SPURIOUS);
    /* PPI */
    test_write32(t->m, redist(0) + SGI_FRAME + ISENABLER, 1u << 27);
    set_ppi(t, 0, 11, true);
    g_assert_cmpuint(v3_iar(t, 0), ==, 27);
    g_assert_false(irq(t, 1));
    g_assert_cmphex(reg_read(t, 0, EL1, 0, ICC(0, 11, 3)), ==, 0);
    v3_eoi(t, 0, 27);
    g_assert_true(irq(t, 0));
    set_ppi(t, 0, 11, false);
    g_assert_false(irq(t, 0));
    /* Group 0 is an FIQ, and not for ICC_IAR1 */
    test_write32(t->m, DIST, 0x13);
    test_write32(t->m, redist(0) + SGI_FRAME + 0x80, ~(1u << 27));
    reg_write(t, 0, EL1, 0, ICC(0, 12, 6), 1);
    set_ppi(t, 0, 11, true);
    g_assert_true(cpu_line(&t->cpus[0], CPU_LINE_FIQ));
    g_assert_false(irq(t, 0));
    g_assert_cmpuint(v3_iar(t, 0), ==, SPURIOUS);
    g_assert_cmpuint(reg_read(t, 0, EL1, 0, ICC(0, 8, 0)), ==, 27);
    test_board_free(t);
}

static void test_v3_sgi(void)
{
    TestBoard *t = v3_rig(20, false);

    /* INTID 3 to affinity 1.2 and 1.3, then to all others */
    reg_write(t, 0, EL1, 0, ICC(0, 11, 5), 3ull << 24 | 1ull << 16 | 0xc);
    g_assert_true(irq(t, 18));
    g_assert_true(irq(t, 19));
    g_assert_false(irq(t, 2));
    g_assert_cmpuint(v3_iar(t, 19), ==, 3);
    reg_write(t, 5, EL1, 0, ICC(0, 11, 5), 1ull << 40 | 4ull << 24);
    for (unsigned i = 0; i < 20; i++) {
        g_assert_true(irq(t, i) == (i != 5 && i != 19)); /* 19: same priority is active */
    }
    v3_eoi(t, 19, 3);
    g_assert_true(irq(t, 19));
    test_board_free(t);
}

static void test_v3_virtual(void)
{
    TestBoard *t = v3_rig(1, true);
    uint32_t lr0 = ICC(4, 12, 0), hcr = ICC(4, 11, 0), vmcr = ICC(4, 11, 7);

    reg_write(t, 0, EL2, 0, hcr, 1);
    reg_write(t, 0, EL2, 0, vmcr, 0xf0000002);
    reg_write(t, 0, EL2, 0, lr0, 1ull << 62 | 1ull << 60 | 0x80ull << 48 | 27);
    g_assert_true(cpu_line(&t->cpus[0], CPU_LINE_VIRQ));
    g_assert_cmpuint(reg_read(t, 0, EL1, HCR_IMO, ICC(0, 12, 0)), ==, 27);
    g_assert_cmphex(reg_read(t, 0, EL2, 0, lr0) >> 62, ==, 2);
    g_assert_cmphex(reg_read(t, 0, EL1, HCR_IMO, ICC(0, 11, 3)), ==, 0x80);
    reg_write(t, 0, EL1, HCR_IMO, ICC(0, 12, 1), 27);
    g_assert_cmphex(reg_read(t, 0, EL2, 0, lr0) >> 62, ==, 0);
    /* an SGI is for the hypervisor; TALL1 traps the rest */
    g_assert_cmpuint(reg_write(t, 0, EL1, HCR_IMO, ICC(0, 11, 5), 1), ==, EL2);
    g_assert_cmpuint(reg_write(t, 0, EL1, 0, ICC(0, 11, 5), 1), ==, 0);
    reg_write(t, 0, EL2, 0, hcr, 1 | 1u << 12);
    g_assert_cmpuint(reg_write(t, 0, EL1, HCR_IMO, ICC(0, 12, 7), 1), ==, EL2);
    test_board_free(t);
}

/* ---- ITS */

enum {
    RAM = 0x40000000,
    PROP = RAM + 0x10000,
    PEND = RAM + 0x20000,
    QUEUE = RAM + 0x40000,
    DEVICES = RAM + 0x50000,
    COLLECTIONS = RAM + 0x60000,
    ITT = RAM + 0x70000,
    DEVID = 0x10,
    LPI = 8200
};

static void its_command(TestBoard *t, uint64_t w0, uint64_t w1, uint64_t w2)
{
    uint64_t at = test_read(t->m, 0, ITS + 0x88, 8);
    const uint64_t w[4] = {w0, w1, w2, 0};

    for (unsigned i = 0; i < 4; i++) {
        test_write(t->m, 0, QUEUE + at + 8 * i, 8, w[i]);
    }
    test_write(t->m, 0, ITS + 0x88, 8, (at + 32) % 4096);
    g_assert_cmphex(test_read(t->m, 0, ITS + 0x90, 8), ==, (at + 32) % 4096);
}

static TestBoard *its_rig(void)
{
    TestBoard *t = v3_rig(2, false);

    for (unsigned i = 0; i < 2; i++) {
        test_write(t->m, 0, redist(i) + 0x70, 8, PROP | 15);
        test_write(t->m, 0, redist(i) + 0x78, 8, PEND + i * 0x10000);
        test_write32(t->m, redist(i), 1);
    }
    test_write(t->m, 0, ITS + 0x80, 8, 1ull << 63 | QUEUE);
    test_write(t->m, 0, ITS + 0x100, 8, 1ull << 63 | DEVICES);
    test_write(t->m, 0, ITS + 0x108, 8, 1ull << 63 | COLLECTIONS);
    test_write32(t->m, ITS, 1);
    test_write(t->m, 0, PROP + LPI - 8192, 1, 0xa1);
    its_command(t, 0x08 | (uint64_t)DEVID << 32, 4, 1ull << 63 | ITT);        /* MAPD, 5 bits */
    its_command(t, 0x09, 0, 1ull << 63 | 1ull << 16 | 7);                     /* MAPC 7 to CPU 1 */
    its_command(t, 0x09, 0, 1ull << 63 | 0ull << 16 | 8);                     /* MAPC 8 to CPU 0 */
    its_command(t, 0x0a | (uint64_t)DEVID << 32, (uint64_t)LPI << 32 | 3, 7); /* MAPTI */
    return t;
}

static void msi(TestBoard *t, uint32_t device, uint32_t event)
{
    uint8_t b[4];
    MemAttrs attrs = {.requester = device};

    store_le32(b, event);
    g_assert_cmpint(mem_write(t->m->as, ITS + 0x10040, b, sizeof b, attrs), ==, MEM_OK);
}

static void test_its(void)
{
    TestBoard *t = its_rig();

    msi(t, DEVID, 3);
    g_assert_true(irq(t, 1));
    g_assert_cmpuint(v3_iar(t, 1), ==, LPI);
    g_assert_false(irq(t, 1));
    msi(t, DEVID, 3); /* again, before the end of the first: same priority, so later */
    g_assert_false(irq(t, 1));
    v3_eoi(t, 1, LPI);
    g_assert_true(irq(t, 1));
    /* moved while pending */
    its_command(t, 0x01 | (uint64_t)DEVID << 32, 3, 8);
    g_assert_false(irq(t, 1));
    g_assert_true(irq(t, 0));
    /* disabled: pending, but not signalled, once the ITS is told */
    test_write(t->m, 0, PROP + LPI - 8192, 1, 0xa0);
    its_command(t, 0x0c | (uint64_t)DEVID << 32, 3, 0);
    g_assert_false(irq(t, 0));
    test_write(t->m, 0, PROP + LPI - 8192, 1, 0xa1);
    its_command(t, 0x0d, 0, 8);
    g_assert_cmpuint(v3_iar(t, 0), ==, LPI);
    v3_eoi(t, 0, LPI);
    /* unknown device, event, discarded event: nothing */
    msi(t, DEVID + 1, 3);
    msi(t, DEVID, 4);
    msi(t, DEVID, 0xffffffff);
    its_command(t, 0x0f | (uint64_t)DEVID << 32, 3, 0);
    msi(t, DEVID, 3);
    g_assert_false(irq(t, 0) || irq(t, 1));
    test_board_free(t);
}

static void test_lpi_tables(void)
{
    TestBoard *t = its_rig();
    Device *gic = gic_of(t);
    Error err = {0};

    its_command(t, 0x03 | (uint64_t)DEVID << 32, 3, 0); /* INT */
    GByteArray *state = harness_save(gic);
    g_assert_true(irq(t, 1));
    /* turned off: pending goes to the table; turned on: comes back */
    test_write32(t->m, redist(1), 0);
    g_assert_false(irq(t, 1));
    g_assert_cmphex(test_read(t->m, 0, PEND + 0x10000 + LPI / 8, 1), ==, 1u << LPI % 8);
    test_write32(t->m, redist(1), 1);
    g_assert_cmpuint(v3_iar(t, 1), ==, LPI);
    g_assert_true(harness_load(gic, state, &err));
    g_assert_true(irq(t, 1));
    g_byte_array_unref(state);
    test_board_free(t);
}

/* A queue and tables that are not where RAM is, entries of garbage: nothing happens, nothing
 * breaks. */
static void test_its_hostile(void)
{
    TestBoard *t = its_rig();

    for (unsigned i = 0; i < 64; i++) {
        uint64_t w0 = g_test_rand_int() | (uint64_t)g_test_rand_int() << 32;
        uint64_t w1 = g_test_rand_int() | (uint64_t)g_test_rand_int() << 32;
        uint64_t w2 = g_test_rand_int() | (uint64_t)g_test_rand_int() << 32;
        its_command(t, (w0 & ~0xffull) | (w0 & 0xf), w1, w2);
    }
    test_write32(t->m, ITS, 0);
    test_write(t->m, 0, ITS + 0x80, 8, 1ull << 63 | 0x9000000 | 0xff);
    test_write(t->m, 0, ITS + 0x100, 8, 3ull << 62 | 0x9000000);
    test_write32(t->m, ITS, 1);
    test_write(t->m, 0, ITS + 0x88, 8, 0xfffe0);
    msi(t, DEVID, 3);
    test_board_free(t);
}

/* ---- the generic tests */

static Device *make_v2(Machine *m)
{
    return harness_realize(m, &gicv2_class, "cpus", "2", "virtualization", "on", NULL);
}

static Device *make_v3(Machine *m)
{
    return harness_realize(m, &gicv3_class, "cpus", "2", "lpis", "on", NULL);
}

static Device *make_v2m(Machine *m)
{
    return harness_realize(m, &gicv2m_class, NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gicv2/level", test_v2_level);
    g_test_add_func("/gicv2/edge", test_v2_edge);
    g_test_add_func("/gicv2/sgi", test_v2_sgi);
    g_test_add_func("/gicv2/priorities", test_v2_priorities);
    g_test_add_func("/gicv2/split-eoi", test_v2_split_eoi);
    g_test_add_func("/gicv2/virtual", test_v2_virtual);
    g_test_add_func("/gicv2/v2m", test_v2m);
    g_test_add_func("/gicv3/basics", test_v3_basics);
    g_test_add_func("/gicv3/sgi", test_v3_sgi);
    g_test_add_func("/gicv3/virtual", test_v3_virtual);
    g_test_add_func("/gicv3/its", test_its);
    g_test_add_func("/gicv3/lpi-tables", test_lpi_tables);
    g_test_add_func("/gicv3/its-hostile", test_its_hostile);
    harness_add("gicv2", make_v2, NULL);
    harness_add("gicv2m", make_v2m, NULL);
    harness_add("gicv3", make_v3, NULL);
    return g_test_run();
}
