/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arm Generic Interrupt Controller, architecture version 2: the class, and which interrupt goes
 * where.
 *
 * Source: ARM Generic Interrupt Controller Architecture Specification, version 2.0, IHI 0048B. As
 * Arm's GIC-400: up to 8 CPUs and 988 SPIs, 32 priority levels, optional Security and
 * Virtualization Extensions, 4 list registers. Without Security Extensions both groups exist and
 * every access is like a Secure one. Not modelled: bypass of the CPU interface, wake-up signals.
 */
#include "hw/intc/gicv2/gicv2.h"

#include "core/fdt.h"
#include "hw/arm.h"
#include "hw/machine/arm_fdt.h"

/* ---- from state to outputs */

unsigned gicv2_highest(GicV2 *s, unsigned cpu)
{
    unsigned best = GIC_SPURIOUS;
    uint32_t best_prio = GIC_IDLE_PRIO;

    for (unsigned w = 0; w < s->n_words; w++) {
        const GicWord *g = gicv2_word(s, cpu, w);
        uint32_t forwarded = (s->ctlr & 1 ? ~g->group : 0) | (s->ctlr & 2 ? g->group : 0);
        uint32_t bits = gic_word_pending(g) & g->enabled & ~g->active & forwarded;
        if (w > 0) {
            bits &= s->target[cpu][w];
        }
        for (; bits; bits &= bits - 1) {
            unsigned intid = w * 32 + ctz32(bits);
            uint32_t prio = *gicv2_prio(s, cpu, intid);
            if (prio < best_prio) {
                best = intid;
                best_prio = prio;
            }
        }
    }
    return best;
}

uint32_t gicv2_group_mask(const GicV2Cpu *c, unsigned group)
{
    if (group == 1 && !(c->ctlr & GICC_CBPR)) {
        return gic_group_mask(c->bpr[1], true);
    }
    return gic_group_mask(c->bpr[0], false);
}

bool gicv2_can_signal(GicV2 *s, unsigned cpu, unsigned intid)
{
    const GicV2Cpu *c = &s->cpu[cpu];
    unsigned group = gicv2_word(s, cpu, intid / 32)->group >> intid % 32 & 1;
    uint32_t prio = *gicv2_prio(s, cpu, intid);

    return c->ctlr >> group & 1 && prio < c->pmr &&
           gic_preempts(prio, c->apr[0] | c->apr[1], gicv2_group_mask(c, group));
}

static void update_virtual(GicV2 *s, unsigned cpu)
{
    GicVirtOut out = gic_virt_out(&s->cpu[cpu].virt);

    pin_set(&s->virq[cpu], out.irq);
    pin_set(&s->vfiq[cpu], out.fiq);
    gic_word_input(&s->cpu[cpu].word, 1u << GIC_MAINTENANCE_INTID, out.maintenance);
}

void gicv2_update_cpu(GicV2 *s, unsigned cpu)
{
    if (s->virt) {
        update_virtual(s, cpu);
    }
    unsigned intid = gicv2_highest(s, cpu);
    bool any = intid != GIC_SPURIOUS && gicv2_can_signal(s, cpu, intid);
    bool fiq = any && s->cpu[cpu].ctlr & GICC_FIQEN &&
               !(gicv2_word(s, cpu, intid / 32)->group >> intid % 32 & 1);

    pin_set(&s->irq[cpu], any && !fiq);
    pin_set(&s->fiq[cpu], fiq);
}

void gicv2_update(GicV2 *s)
{
    for (unsigned i = 0; i < s->n_cpus; i++) {
        gicv2_update_cpu(s, i);
    }
}

void gicv2_deactivate(GicV2 *s, unsigned cpu, unsigned intid)
{
    if (intid < s->n_words * 32) {
        gicv2_word(s, cpu, intid / 32)->active &= ~(1u << intid % 32);
    }
}

/* ---- inputs */

static void spi_input(Device *d, unsigned n, bool level)
{
    GicV2 *s = (GicV2 *)d;
    unsigned intid = GIC_PRIVATE + n, w = intid / 32;

    if (intid >= s->n_words * 32) {
        return;
    }
    g_mutex_lock(&s->lock);
    gic_word_input(&s->spi[w], 1u << intid % 32, level);
    for (unsigned i = 0; i < s->n_cpus; i++) {
        if (s->target[i][w] >> intid % 32 & 1) {
            gicv2_update_cpu(s, i);
        }
    }
    g_mutex_unlock(&s->lock);
}

static void ppi_input(Device *d, unsigned n, bool level)
{
    GicV2 *s = (GicV2 *)d;

    if (n / GICV2_PPIS >= s->n_cpus) {
        return;
    }
    g_mutex_lock(&s->lock);
    gic_word_input(&s->cpu[n / GICV2_PPIS].word, 1u << (GIC_SGIS + n % GICV2_PPIS), level);
    gicv2_update_cpu(s, n / GICV2_PPIS);
    g_mutex_unlock(&s->lock);
}

/* ---- the class */

static void gicv2_reset(Device *d, ResetPhase phase)
{
    GicV2 *s = (GicV2 *)d;

    if (phase != RESET_ENTER) {
        return;
    }
    g_mutex_lock(&s->lock);
    for (unsigned i = 0; i < GICV2_MAX_CPUS; i++) {
        GicV2Cpu *c = &s->cpu[i];
        uint32_t level = c->word.level;
        *c = (GicV2Cpu){.word = {.level = level, .enabled = 0xffff, .edge = 0xffff},
                        .bpr = {GIC_MIN_BPR, GIC_MIN_BPR + 1}};
        gic_virt_reset(&c->virt);
        /* the only CPU there is gets everything */
        memset(s->target[i], s->n_cpus == 1 && i == 0 ? 0xff : 0, sizeof s->target[i]);
    }
    for (unsigned w = 1; w < GIC_WORDS; w++) {
        s->spi[w] = (GicWord){.level = s->spi[w].level};
    }
    memset(s->prio, 0, sizeof s->prio);
    memset(s->nsacr, 0, sizeof s->nsacr);
    s->ctlr = 0;
    g_mutex_unlock(&s->lock);
}

static void gicv2_sync(Device *d)
{
    GicV2 *s = (GicV2 *)d;

    g_mutex_lock(&s->lock);
    gicv2_update(s);
    g_mutex_unlock(&s->lock);
}

static bool gicv2_realize(Device *d, Error *err)
{
    GicV2 *s = (GicV2 *)d;

    if (s->n_cpus < 1 || s->n_cpus > GICV2_MAX_CPUS) {
        return error_set(err, "gicv2: %u CPUs: serves 1 to %u; use gic-version=3 for more",
                         s->n_cpus, GICV2_MAX_CPUS);
    }
    if (s->n_spis < 1 || s->n_spis > GIC_MAX_SPIS) {
        return error_set(err, "gicv2: spis=%u: takes 1 to %u", s->n_spis, GIC_MAX_SPIS);
    }
    g_mutex_init(&s->lock);
    s->n_words = 1 + (s->n_spis + 31) / 32;
    s->all_cpus = (uint8_t)((1u << s->n_cpus) - 1);
    return true;
}

static void gicv2_unrealize(Device *d)
{
    g_mutex_clear(&((GicV2 *)d)->lock);
}

static bool gicv2_validate(Device *d, Error *err)
{
    GicV2 *s = (GicV2 *)d;

    (void)err;
    for (unsigned i = 0; i < GICV2_MAX_CPUS; i++) {
        GicV2Cpu *c = &s->cpu[i];
        c->pmr &= GIC_PRIO_MASK;
        c->bpr[0] = c->bpr[0] < GIC_MIN_BPR || c->bpr[0] > 7 ? GIC_MIN_BPR : c->bpr[0];
        c->bpr[1] = c->bpr[1] <= GIC_MIN_BPR || c->bpr[1] > 7 ? GIC_MIN_BPR + 1 : c->bpr[1];
        gic_virt_set_vmcr(&c->virt, c->virt.vmcr);
    }
    return true;
}

static const MmioDesc gicv2_mmio[] = {{.name = "gicd",
                                       .bytes = 0x1000,
                                       .min_bytes = 1,
                                       .max_bytes = 4,
                                       .read = gicv2_dist_read,
                                       .write = gicv2_dist_write},
                                      {.name = "gicc",
                                       .bytes = 0x2000,
                                       .min_bytes = 1,
                                       .max_bytes = 4,
                                       .read = gicv2_cpu_read,
                                       .write = gicv2_cpu_write},
                                      {.name = "gich",
                                       .bytes = 0x1000,
                                       .min_bytes = 4,
                                       .max_bytes = 4,
                                       .read = gicv2_hyp_read,
                                       .write = gicv2_hyp_write},
                                      {.name = "gicv",
                                       .bytes = 0x2000,
                                       .min_bytes = 4,
                                       .max_bytes = 4,
                                       .read = gicv2_vcpu_read,
                                       .write = gicv2_vcpu_write},
                                      {0}};

static const StateDesc cpu_state[] = {
    {STATE_FIELD(STATE_STRUCT, GicV2Cpu, word), .sub = gic_word_state},
    {STATE_ARRAY(STATE_U8, GicV2Cpu, prio)},
    {STATE_ARRAY(STATE_U8, GicV2Cpu, sgi_source)},
    {STATE_ARRAY(STATE_U32, GicV2Cpu, nsacr)},
    {STATE_FIELD(STATE_U32, GicV2Cpu, ctlr)},
    {STATE_FIELD(STATE_U32, GicV2Cpu, pmr)},
    {STATE_ARRAY(STATE_U32, GicV2Cpu, bpr)},
    {STATE_ARRAY(STATE_U32, GicV2Cpu, apr)},
    {STATE_FIELD(STATE_STRUCT, GicV2Cpu, virt), .sub = gic_virt_state},
    {0}};

/* Reset is gicv2_reset()'s: input levels survive it. */
static const StateDesc gicv2_state[] = {
    {STATE_FIELD(STATE_U32, GicV2, ctlr), .keep = true},
    {STATE_ARRAY(STATE_STRUCT, GicV2, spi), .sub = gic_word_state, .keep = true},
    {STATE_ARRAY(STATE_U8, GicV2, prio), .keep = true},
    {.name = "target",
     .kind = STATE_U32,
     .offset = offsetof(GicV2, target),
     .size = 4,
     .count = GICV2_MAX_CPUS * GIC_WORDS,
     .keep = true},
    {STATE_ARRAY(STATE_U32, GicV2, nsacr), .keep = true},
    {STATE_ARRAY(STATE_STRUCT, GicV2, cpu), .sub = cpu_state, .keep = true},
    {0}};

static const PropDesc gicv2_props[] = {
    {"cpus", PROP_U32, PROP(GicV2, n_cpus), .initial = "1", .help = "CPUs, 1 to 8"},
    {"spis", PROP_U32, PROP(GicV2, n_spis), .initial = "256", .help = "shared interrupts"},
    {"security", PROP_BOOL, PROP(GicV2, security), .help = "Security Extensions"},
    {"virtualization", PROP_BOOL, PROP(GicV2, virt), .help = "Virtualization Extensions"},
    {0}};

static const PinDesc gicv2_pins[] = {
    {"irq", .out = true, .offset = offsetof(GicV2, irq), .count = GICV2_MAX_CPUS},
    {"fiq", .out = true, .offset = offsetof(GicV2, fiq), .count = GICV2_MAX_CPUS},
    {"virq", .out = true, .offset = offsetof(GicV2, virq), .count = GICV2_MAX_CPUS},
    {"vfiq", .out = true, .offset = offsetof(GicV2, vfiq), .count = GICV2_MAX_CPUS},
    {"spi", .count = GIC_MAX_SPIS, .set = spi_input},
    {"ppi", .count = GICV2_MAX_CPUS * GICV2_PPIS, .set = ppi_input},
    {0}};

static void gicv2_fdt(Device *d, Fdt *fdt)
{
    GicV2 *s = (GicV2 *)d;
    const uint64_t reg[8] = {d->base[0], 0x10000, d->base[1], 0x10000,
                             d->base[2], 0x10000, d->base[3], 0x10000};

    fdt_node_unit(fdt, "/", "intc", d->base[0]);
    fdt_string(fdt, "compatible", s->virt ? "arm,gic-400" : "arm,cortex-a15-gic");
    fdt_flag(fdt, "interrupt-controller");
    fdt_u32(fdt, "#interrupt-cells", 3);
    fdt_u32(fdt, "#address-cells", 2);
    fdt_u32(fdt, "#size-cells", 2);
    fdt_flag(fdt, "ranges");
    fdt_cells64(fdt, "reg", reg, s->virt ? 8 : 4);
    if (s->virt) {
        fdt_cells(fdt, "interrupts",
                  (uint32_t[]){ARM_IRQ_PPI, GIC_MAINTENANCE_INTID - GIC_SGIS, ARM_IRQ_LEVEL_HIGH},
                  3);
    }
    fdt_label(fdt, "gic");
}

const DeviceClass gicv2_class = {
    .name = "arm-gicv2",
    .title = "Arm GICv2 interrupt controller",
    .category = "misc",
    .bytes = sizeof(GicV2),
    .bus = BUS_SYSTEM,
    .own_lock = true,
    .internal = true,
    .mmio = gicv2_mmio,
    .state = gicv2_state,
    .props = gicv2_props,
    .pins = gicv2_pins,
    .realize = gicv2_realize,
    .unrealize = gicv2_unrealize,
    .reset = gicv2_reset,
    .sync = gicv2_sync,
    .validate = gicv2_validate,
    .fdt = gicv2_fdt,
};
