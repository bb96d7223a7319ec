/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arm Generic Interrupt Controller, architecture version 3: the class, and which interrupt goes
 * where.
 *
 * Source: Arm Generic Interrupt Controller Architecture Specification, GIC architecture version 3,
 * IHI 0069. One security state (GICD_CTLR.DS is 1), affinity routing and system registers only
 * (ICC_SRE_EL1.SRE is 1), 32 priority levels, 16 bits of INTID, LPIs and ITS optional, 4 list
 * registers with the Virtualization Extensions.
 * Not modelled: two security states, extended SPIs and PPIs, one-of-N routing (GICD_TYPER.No1N),
 * NMIs, GICv4. An SPI routed to an affinity that no CPU has stays pending.
 */
#include "hw/intc/gicv3/gicv3.h"

#include <string.h>

#include "core/fdt.h"
#include "hw/arm.h"
#include "hw/machine/arm_fdt.h"

/* ---- from state to outputs */

GicV3Pending gicv3_highest(GicV3 *s, unsigned cpu)
{
    const GicV3Cpu *c = &s->cpu[cpu];
    uint32_t groups = s->ctlr & c->igrpen & 3;
    GicV3Pending best = {GIC_SPURIOUS, GIC_IDLE_PRIO, 0};

    for (unsigned w = 0; w < s->n_words; w++) {
        const GicWord *g = gicv3_word(s, cpu, w);
        uint32_t bits = gic_word_pending(g) & g->enabled & ~g->active;
        bits &= (groups & 1 ? ~g->group : 0) | (groups & 2 ? g->group : 0);
        for (; bits; bits &= bits - 1) {
            unsigned n = ctz32(bits), intid = w * 32 + n;
            uint32_t prio = w == 0 ? c->prio[n] : s->prio[intid];
            if (prio < best.prio && (w == 0 || s->target[intid] == cpu)) {
                best = (GicV3Pending){intid, prio, g->group >> n & 1};
            }
        }
    }
    if (groups & 2 && s->has_lpis) {
        gicv3_lpi_highest(s, c, &best);
    }
    return best;
}

uint32_t gicv3_group_mask(const GicV3Cpu *c, unsigned group)
{
    if (group == 1 && !(c->icc_ctlr & ICC_CTLR_CBPR)) {
        return gic_group_mask(c->bpr[1], true);
    }
    return gic_group_mask(c->bpr[0], false);
}

bool gicv3_can_signal(const GicV3Cpu *c, const GicV3Pending *p)
{
    return p->intid != GIC_SPURIOUS && p->prio < c->pmr &&
           gic_preempts(p->prio, c->apr[0] | c->apr[1], gicv3_group_mask(c, p->group));
}

void gicv3_update_cpu(GicV3 *s, unsigned cpu)
{
    GicV3Cpu *c = &s->cpu[cpu];

    if (s->virt) {
        GicVirtOut out = gic_virt_out(&c->virt);
        pin_set(&s->virq[cpu], out.irq);
        pin_set(&s->vfiq[cpu], out.fiq);
        gic_word_input(&c->word, 1u << GIC_MAINTENANCE_INTID, out.maintenance);
    }
    GicV3Pending p = gicv3_highest(s, cpu);
    bool any = gicv3_can_signal(c, &p);
    pin_set(&s->irq[cpu], any && p.group == 1);
    pin_set(&s->fiq[cpu], any && p.group == 0);
}

void gicv3_update(GicV3 *s)
{
    for (unsigned i = 0; i < s->n_cpus; i++) {
        gicv3_update_cpu(s, i);
    }
}

void gicv3_deactivate(GicV3 *s, unsigned cpu, uint32_t intid)
{
    if (intid < s->n_words * 32) {
        gicv3_word(s, cpu, intid / 32)->active &= ~(1u << intid % 32);
    }
}

/* Boards number CPUs in clusters of 16; any other numbering is found by looking. */
unsigned gicv3_cpu_of(const GicV3 *s, uint32_t affinity)
{
    unsigned guess = (affinity >> 8) * 16 + (affinity & 0xff);

    if (guess < s->n_cpus && s->cpu[guess].affinity == affinity) {
        return guess;
    }
    for (unsigned i = 0; i < s->n_cpus; i++) {
        if (s->cpu[i].affinity == affinity) {
            return i;
        }
    }
    return GICV3_NO_CPU;
}

/* ---- inputs */

static void spi_input(Device *d, unsigned n, bool level)
{
    GicV3 *s = (GicV3 *)d;
    unsigned intid = GIC_PRIVATE + n;

    if (intid >= s->n_words * 32) {
        return;
    }
    g_mutex_lock(&s->lock);
    gic_word_input(&s->spi[intid / 32], 1u << intid % 32, level);
    if (s->target[intid] != GICV3_NO_CPU) {
        gicv3_update_cpu(s, s->target[intid]);
    }
    g_mutex_unlock(&s->lock);
}

static void ppi_input(Device *d, unsigned n, bool level)
{
    GicV3 *s = (GicV3 *)d;
    unsigned cpu = n / GICV3_PPIS;

    if (cpu >= s->n_cpus) {
        return;
    }
    g_mutex_lock(&s->lock);
    gic_word_input(&s->cpu[cpu].word, 1u << (GIC_SGIS + n % GICV3_PPIS), level);
    gicv3_update_cpu(s, cpu);
    g_mutex_unlock(&s->lock);
}

/* ---- the class */

static void reset_cpu(GicV3Cpu *c)
{
    uint32_t level = c->word.level;

    c->word = (GicWord){.level = level, .edge = 0xffff};
    memset(c->prio, 0, sizeof c->prio);
    c->waker = GICR_WAKER_SLEEP | GICR_WAKER_CHILDREN_ASLEEP;
    c->ctlr = 0;
    c->propbaser = c->pendbaser = 0;
    c->icc_ctlr = c->pmr = c->igrpen = 0;
    c->bpr[0] = GIC_MIN_BPR;
    c->bpr[1] = GIC_MIN_BPR + 1;
    c->apr[0] = c->apr[1] = 0;
    gic_virt_reset(&c->virt);
    c->virt.vmcr |= GICH_VMCR_FIQEN; /* Group 0 is always an FIQ */
    gicv3_lpi_forget(c);
}

static void gicv3_reset(Device *d, ResetPhase phase)
{
    GicV3 *s = (GicV3 *)d;

    if (phase != RESET_ENTER) {
        return;
    }
    g_mutex_lock(&s->lock);
    s->ctlr = 0;
    for (unsigned i = 0; i < s->n_cpus; i++) {
        reset_cpu(&s->cpu[i]);
    }
    for (unsigned w = 1; w < GIC_WORDS; w++) {
        s->spi[w] = (GicWord){.level = s->spi[w].level};
    }
    memset(s->prio, 0, sizeof s->prio);
    memset(s->router, 0, sizeof s->router);
    g_mutex_unlock(&s->lock);
}

/* What is derived from state, too: routes after a restore. */
static void gicv3_sync(Device *d)
{
    GicV3 *s = (GicV3 *)d;

    g_mutex_lock(&s->lock);
    for (unsigned i = GIC_PRIVATE; i < GIC_MAX_INTID; i++) {
        gicv3_route(s, i);
    }
    gicv3_update(s);
    g_mutex_unlock(&s->lock);
}

static void init_cpu(GicV3 *s, unsigned i)
{
    Machine *m = s->dev.machine;
    CpuPort *port = i < m->n_cpus ? m->cpus[i] : NULL;
    GicV3Cpu *c = &s->cpu[i];
    uint64_t mpidr = port ? port->mpidr : i / 16 << 8 | i % 16;

    c->gic = s;
    c->index = i;
    c->affinity = (uint32_t)(mpidr & 0xffffff) | (uint32_t)(mpidr >> 32 & 0xff) << 24;
    if (port) {
        gicv3_cpuif_attach(c, port);
        if (s->virt) {
            gicv3_hyp_attach(c, port);
        }
    }
}

static bool gicv3_realize(Device *d, Error *err)
{
    GicV3 *s = (GicV3 *)d;

    if (s->n_cpus < 1 || s->n_cpus > MACHINE_MAX_CPUS) {
        return error_set(err, "gicv3: %u CPUs: serves 1 to %u", s->n_cpus, MACHINE_MAX_CPUS);
    }
    if (s->n_spis < 1 || s->n_spis > GIC_MAX_SPIS) {
        return error_set(err, "gicv3: spis=%u: takes 1 to %u", s->n_spis, GIC_MAX_SPIS);
    }
    g_mutex_init(&s->lock);
    s->n_words = 1 + (s->n_spis + 31) / 32;
    s->lpi_config = g_new0(uint8_t, GICV3_N_INTIDS);
    for (unsigned i = 0; i < s->n_cpus; i++) {
        init_cpu(s, i);
    }
    return true;
}

static void gicv3_unrealize(Device *d)
{
    GicV3 *s = (GicV3 *)d;

    for (unsigned i = 0; i < s->n_cpus; i++) {
        g_free(s->cpu[i].lpis.pending);
    }
    g_free(s->lpi_config);
    g_mutex_clear(&s->lock);
}

static void validate_cpu(GicV3Cpu *c)
{
    for (unsigned g = 0; g < 2; g++) {
        uint32_t min = GIC_MIN_BPR + g;
        c->bpr[g] = c->bpr[g] < min || c->bpr[g] > 7 ? min : c->bpr[g];
    }
    c->pmr &= GIC_PRIO_MASK;
    gic_virt_set_vmcr(&c->virt, c->virt.vmcr | GICH_VMCR_FIQEN);
    if (c->ctlr & GICR_CTLR_ENABLE_LPIS && !c->lpis.pending) {
        c->lpis.pending = g_new0(uint64_t, GICV3_LPI_WORDS);
    }
}

static bool gicv3_validate(Device *d, Error *err)
{
    GicV3 *s = (GicV3 *)d;

    (void)err;
    for (unsigned i = 0; i < s->n_cpus; i++) {
        if (!s->has_lpis) {
            s->cpu[i].ctlr &= ~(uint32_t)GICR_CTLR_ENABLE_LPIS;
        }
        validate_cpu(&s->cpu[i]);
    }
    return true;
}

/* Narrow accesses reach priorities; IROUTER, TYPER, PROPBASER, PENDBASER are 64 bits wide. */
static const MmioDesc gicv3_mmio[] = {{.name = "gicd",
                                       .bytes = GICV3_FRAME_BYTES,
                                       .min_bytes = 1,
                                       .max_bytes = 8,
                                       .read = gicv3_dist_read,
                                       .write = gicv3_dist_write},
                                      {.name = "gicr",
                                       .bytes = 123 * GICV3_REDIST_BYTES,
                                       .min_bytes = 1,
                                       .max_bytes = 8,
                                       .read = gicv3_redist_low_read,
                                       .write = gicv3_redist_low_write},
                                      {.name = "gicr2",
                                       .bytes = 512 * GICV3_REDIST_BYTES,
                                       .min_bytes = 1,
                                       .max_bytes = 8,
                                       .read = gicv3_redist_high_read,
                                       .write = gicv3_redist_high_write},
                                      {0}};

static const StateDesc cpu_state[] = {
    {STATE_FIELD(STATE_STRUCT, GicV3Cpu, word), .sub = gic_word_state},
    {STATE_ARRAY(STATE_U8, GicV3Cpu, prio)},
    {STATE_FIELD(STATE_U32, GicV3Cpu, waker)},
    {STATE_FIELD(STATE_U32, GicV3Cpu, ctlr)},
    {STATE_FIELD(STATE_U64, GicV3Cpu, propbaser)},
    {STATE_FIELD(STATE_U64, GicV3Cpu, pendbaser)},
    {STATE_FIELD(STATE_U32, GicV3Cpu, icc_ctlr)},
    {STATE_FIELD(STATE_U32, GicV3Cpu, pmr)},
    {STATE_FIELD(STATE_U32, GicV3Cpu, igrpen)},
    {STATE_ARRAY(STATE_U32, GicV3Cpu, bpr)},
    {STATE_ARRAY(STATE_U32, GicV3Cpu, apr)},
    {STATE_FIELD(STATE_STRUCT, GicV3Cpu, virt), .sub = gic_virt_state},
    {0}};

/* Reset is gicv3_reset()'s: input levels survive it. */
static const StateDesc gicv3_state[] = {
    {STATE_FIELD(STATE_U32, GicV3, ctlr), .keep = true},
    {STATE_ARRAY(STATE_STRUCT, GicV3, spi), .sub = gic_word_state, .keep = true},
    {STATE_ARRAY(STATE_U8, GicV3, prio), .keep = true},
    {STATE_ARRAY(STATE_U64, GicV3, router), .keep = true},
    {STATE_ARRAY(STATE_STRUCT, GicV3, cpu), .sub = cpu_state, .keep = true},
    {.name = "lpis", .kind = STATE_CUSTOM, .save = gicv3_lpi_save, .load = gicv3_lpi_load},
    {0}};

static const PropDesc gicv3_props[] = {
    {"cpus", PROP_U32, PROP(GicV3, n_cpus), .initial = "1", .help = "CPUs, 1 to 512"},
    {"spis", PROP_U32, PROP(GicV3, n_spis), .initial = "256", .help = "shared interrupts"},
    {"first-region-cpus", PROP_U32, PROP(GicV3, first_region_cpus), .initial = "123",
     .help = "redistributors in the first region"},
    {"lpis", PROP_BOOL, PROP(GicV3, has_lpis), .help = "LPIs, for an ITS"},
    {"virtualization", PROP_BOOL, PROP(GicV3, virt), .help = "Virtualization Extensions"},
    {0}};

static const PinDesc gicv3_pins[] = {
    {"irq", .out = true, .offset = offsetof(GicV3, irq), .count = MACHINE_MAX_CPUS},
    {"fiq", .out = true, .offset = offsetof(GicV3, fiq), .count = MACHINE_MAX_CPUS},
    {"virq", .out = true, .offset = offsetof(GicV3, virq), .count = MACHINE_MAX_CPUS},
    {"vfiq", .out = true, .offset = offsetof(GicV3, vfiq), .count = MACHINE_MAX_CPUS},
    {"spi", .count = GIC_MAX_SPIS, .set = spi_input},
    {"ppi", .count = MACHINE_MAX_CPUS * GICV3_PPIS, .set = ppi_input},
    {0}};

static void gicv3_fdt(Device *d, Fdt *fdt)
{
    GicV3 *s = (GicV3 *)d;
    bool two = s->n_cpus > s->first_region_cpus;
    uint64_t reg[6] = {d->base[0], GICV3_FRAME_BYTES,
                       d->base[1], (uint64_t)s->first_region_cpus * GICV3_REDIST_BYTES,
                       d->base[2], (uint64_t)MACHINE_MAX_CPUS * GICV3_REDIST_BYTES};

    fdt_node_unit(fdt, "/", "intc", d->base[0]);
    fdt_string(fdt, "compatible", "arm,gic-v3");
    fdt_flag(fdt, "interrupt-controller");
    fdt_u32(fdt, "#interrupt-cells", 3);
    fdt_u32(fdt, "#address-cells", 2);
    fdt_u32(fdt, "#size-cells", 2);
    fdt_flag(fdt, "ranges");
    fdt_u32(fdt, "#redistributor-regions", two ? 2 : 1);
    fdt_cells64(fdt, "reg", reg, two ? 6 : 4);
    if (s->virt) {
        fdt_cells(fdt, "interrupts",
                  (uint32_t[]){ARM_IRQ_PPI, GIC_MAINTENANCE_INTID - GIC_SGIS, ARM_IRQ_LEVEL_HIGH},
                  3);
    }
    fdt_label(fdt, "gic");
}

const DeviceClass gicv3_class = {
    .name = "arm-gicv3",
    .title = "Arm GICv3 interrupt controller",
    .category = "misc",
    .bytes = sizeof(GicV3),
    .bus = BUS_SYSTEM,
    .own_lock = true,
    .internal = true,
    .mmio = gicv3_mmio,
    .state = gicv3_state,
    .props = gicv3_props,
    .pins = gicv3_pins,
    .realize = gicv3_realize,
    .unrealize = gicv3_unrealize,
    .reset = gicv3_reset,
    .sync = gicv3_sync,
    .validate = gicv3_validate,
    .fdt = gicv3_fdt,
};
