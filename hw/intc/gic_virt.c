/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual CPU interface: see gic_virt.h. Sources: IHI 0069 (GICv3), "Virtual interrupt handling
 * and prioritization"; IHI 0048 (GICv2), "GIC Support for Virtualization".
 */
#include "hw/intc/gic_virt.h"

#include "hw/intc/gic_common.h"

const StateDesc gic_word_state[] = {{STATE_FIELD(STATE_U32, GicWord, enabled)},
                                       {STATE_FIELD(STATE_U32, GicWord, active)},
                                       {STATE_FIELD(STATE_U32, GicWord, latch)},
                                       {STATE_FIELD(STATE_U32, GicWord, level)},
                                       {STATE_FIELD(STATE_U32, GicWord, edge)},
                                       {STATE_FIELD(STATE_U32, GicWord, group)},
                                       {0}};

const StateDesc gic_virt_state[] = {{STATE_FIELD(STATE_U32, GicVirt, hcr)},
                                    {STATE_FIELD(STATE_U32, GicVirt, vmcr)},
                                    {STATE_ARRAY(STATE_U32, GicVirt, apr)},
                                    {STATE_ARRAY(STATE_U64, GicVirt, lr)},
                                    {0}};

static uint32_t lr_prio(uint64_t lr)
{
    return lr >> GICH_LR_PRIO_SHIFT & GIC_PRIO_MASK;
}

static uint32_t lr_intid(uint64_t lr)
{
    return (uint32_t)lr;
}

static unsigned lr_group(uint64_t lr)
{
    return (lr & GICH_LR_GROUP1) != 0;
}

static uint32_t pmr(const GicVirt *v)
{
    return v->vmcr >> GICH_VMCR_PMR_SHIFT & GIC_PRIO_MASK;
}

uint32_t gic_virt_bpr(const GicVirt *v, unsigned group)
{
    uint32_t b0 = v->vmcr >> GICH_VMCR_BPR0_SHIFT & 7, b1 = v->vmcr >> GICH_VMCR_BPR1_SHIFT & 7;

    return group == 0 ? b0 : b1;
}

void gic_virt_set_bpr(GicVirt *v, unsigned group, uint32_t bpr)
{
    uint32_t min = GIC_MIN_BPR + group;
    unsigned shift = group == 0 ? GICH_VMCR_BPR0_SHIFT : GICH_VMCR_BPR1_SHIFT;

    bpr = (bpr & 7) < min ? min : bpr & 7;
    v->vmcr = deposit32(v->vmcr, shift, 3, bpr);
}

void gic_virt_set_vmcr(GicVirt *v, uint32_t vmcr)
{
    v->vmcr = vmcr & (0xf8fc0000u | 0x21fu);
    gic_virt_set_bpr(v, 0, vmcr >> GICH_VMCR_BPR0_SHIFT);
    gic_virt_set_bpr(v, 1, vmcr >> GICH_VMCR_BPR1_SHIFT);
}

void gic_virt_reset(GicVirt *v)
{
    *v = (GicVirt){0};
    gic_virt_set_vmcr(v, 0);
}

static uint32_t group_mask(const GicVirt *v, unsigned group)
{
    if (group == 1 && !(v->vmcr & GICH_VMCR_CBPR)) {
        return gic_group_mask(gic_virt_bpr(v, 1), true);
    }
    return gic_group_mask(gic_virt_bpr(v, 0), false);
}

uint32_t gic_virt_rpr(const GicVirt *v)
{
    return gic_running(v->apr[0] | v->apr[1]);
}

int gic_virt_highest(const GicVirt *v)
{
    uint32_t best_prio = GIC_IDLE_PRIO;
    int best = -1;

    if (!(v->hcr & GICH_HCR_EN)) {
        return -1;
    }
    for (int i = 0; i < GICH_N_LRS; i++) {
        uint64_t lr = v->lr[i];
        if ((lr & GICH_LR_STATE) == GICH_LR_PENDING && v->vmcr >> lr_group(lr) & 1 &&
            lr_prio(lr) < best_prio) {
            best = i;
            best_prio = lr_prio(lr);
        }
    }
    return best;
}

/* The highest one, if it is more urgent than mask and running priority. */
static int signalled(const GicVirt *v)
{
    int i = gic_virt_highest(v);

    if (i < 0 || lr_prio(v->lr[i]) >= pmr(v)) {
        return -1;
    }
    uint64_t lr = v->lr[i];
    return gic_preempts(lr_prio(lr), v->apr[0] | v->apr[1], group_mask(v, lr_group(lr))) ? i : -1;
}

static uint32_t iar_value(uint64_t lr)
{
    uint32_t source = lr & GICH_LR_HW ? 0 : lr >> GICH_LR_PINTID_SHIFT & 7;

    return lr_intid(lr) | (lr_intid(lr) < GIC_SGIS ? source << 10 : 0);
}

uint32_t gic_virt_iar(GicVirt *v, GicVirtGroups g, bool peek)
{
    int i = peek ? gic_virt_highest(v) : signalled(v);

    if (i < 0) {
        return GIC_SPURIOUS;
    }
    unsigned group = lr_group(v->lr[i]);
    if (g == GICV_BOTH) {
        if (group == 1 && !(v->vmcr & GICH_VMCR_ACKCTL)) {
            return GIC_OTHER_GROUP;
        }
    } else if (group != (unsigned)g) {
        return GIC_SPURIOUS;
    }
    uint32_t value = iar_value(v->lr[i]);
    if (!peek) {
        v->apr[group] |= gic_apr_bit(lr_prio(v->lr[i]) & group_mask(v, group));
        v->lr[i] = (v->lr[i] & ~GICH_LR_STATE) | GICH_LR_ACTIVE;
    }
    return value;
}

static void count_eoi(GicVirt *v)
{
    v->hcr += 1u << GICH_HCR_EOICOUNT_SHIFT; /* five bits at the top: wraps by itself */
}

/* Takes the active state from the list register of intid. */
static int deactivate(GicVirt *v, uint32_t intid)
{
    for (int i = 0; i < GICH_N_LRS; i++) {
        uint64_t lr = v->lr[i];
        if (lr & GICH_LR_ACTIVE && lr_intid(lr) == intid) {
            v->lr[i] = lr & ~GICH_LR_ACTIVE;
            return lr & GICH_LR_HW ? (int)(lr >> GICH_LR_PINTID_SHIFT & 0x1fff) : -1;
        }
    }
    count_eoi(v);
    return -1;
}

int gic_virt_eoir(GicVirt *v, GicVirtGroups g, uint32_t intid)
{
    if (intid >= GIC_MAX_INTID && intid <= GIC_SPURIOUS) {
        return -1;
    }
    unsigned group = gic_running(v->apr[1]) < gic_running(v->apr[0]);
    if (!(v->apr[0] | v->apr[1]) || (g != GICV_BOTH && group != (unsigned)g)) {
        return -1;
    }
    v->apr[group] = gic_drop(v->apr[group]);
    return v->vmcr & GICH_VMCR_EOIM ? -1 : deactivate(v, intid);
}

int gic_virt_dir(GicVirt *v, uint32_t intid)
{
    if (!(v->vmcr & GICH_VMCR_EOIM) || (intid >= GIC_MAX_INTID && intid <= GIC_SPURIOUS)) {
        return -1;
    }
    return deactivate(v, intid);
}

uint32_t gic_virt_eisr(const GicVirt *v)
{
    uint32_t bits = 0;

    for (unsigned i = 0; i < GICH_N_LRS; i++) {
        if ((v->lr[i] & (GICH_LR_STATE | GICH_LR_HW | GICH_LR_EOI)) == GICH_LR_EOI) {
            bits |= 1u << i;
        }
    }
    return bits;
}

uint32_t gic_virt_elrsr(const GicVirt *v)
{
    uint32_t bits = 0;

    for (unsigned i = 0; i < GICH_N_LRS; i++) {
        uint64_t lr = v->lr[i];
        if (!(lr & GICH_LR_STATE) && (lr & GICH_LR_HW || !(lr & GICH_LR_EOI))) {
            bits |= 1u << i;
        }
    }
    return bits;
}

uint32_t gic_virt_misr(const GicVirt *v)
{
    unsigned valid = 0, pending = 0;
    uint32_t m = 0;

    for (unsigned i = 0; i < GICH_N_LRS; i++) {
        valid += (v->lr[i] & GICH_LR_STATE) != 0;
        pending += (v->lr[i] & GICH_LR_STATE) == GICH_LR_PENDING;
    }
    m |= gic_virt_eisr(v) ? 1u << 0 : 0;
    m |= v->hcr & GICH_HCR_UIE && valid <= 1 ? 1u << 1 : 0;
    m |= v->hcr & GICH_HCR_LRENPIE && v->hcr >> GICH_HCR_EOICOUNT_SHIFT ? 1u << 2 : 0;
    m |= v->hcr & GICH_HCR_NPIE && pending == 0 ? 1u << 3 : 0;
    m |= v->hcr & GICH_HCR_VGRP0EIE && v->vmcr & GICH_VMCR_ENG0 ? 1u << 4 : 0;
    m |= v->hcr & GICH_HCR_VGRP0DIE && !(v->vmcr & GICH_VMCR_ENG0) ? 1u << 5 : 0;
    m |= v->hcr & GICH_HCR_VGRP1EIE && v->vmcr & GICH_VMCR_ENG1 ? 1u << 6 : 0;
    m |= v->hcr & GICH_HCR_VGRP1DIE && !(v->vmcr & GICH_VMCR_ENG1) ? 1u << 7 : 0;
    return m;
}

GicVirtOut gic_virt_out(const GicVirt *v)
{
    int i = signalled(v);
    bool fiq = i >= 0 && lr_group(v->lr[i]) == 0 && v->vmcr & GICH_VMCR_FIQEN;

    return (GicVirtOut){
        .fiq = fiq,
        .irq = i >= 0 && !fiq,
        .maintenance = v->hcr & GICH_HCR_EN && gic_virt_misr(v) != 0,
    };
}
