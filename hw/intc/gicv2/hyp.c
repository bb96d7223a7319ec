/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv2: the virtual interface control (GICH_) and the virtual CPU interface (GICV_) frames
 * (IHI 0048B, "GIC virtual interface control registers", "GIC virtual CPU interface registers").
 * Each CPU sees its own.
 */
#include "hw/intc/gicv2/gicv2.h"

enum {
    GICH_HCR = 0x00,
    GICH_VTR = 0x04,
    GICH_VMCR = 0x08,
    GICH_MISR = 0x10,
    GICH_EISR0 = 0x20,
    GICH_ELRSR0 = 0x30,
    GICH_APR = 0xf0,
    GICH_LR0 = 0x100
};
enum {
    GICV_CTLR = 0x00,
    GICV_PMR = 0x04,
    GICV_BPR = 0x08,
    GICV_IAR = 0x0c,
    GICV_EOIR = 0x10,
    GICV_RPR = 0x14,
    GICV_HPPIR = 0x18,
    GICV_ABPR = 0x1c,
    GICV_AIAR = 0x20,
    GICV_AEOIR = 0x24,
    GICV_AHPPIR = 0x28,
    GICV_APR0 = 0xd0,
    GICV_IIDR = 0xfc,
    GICV_DIR = 0x1000,
    IIDR_GIC400 = 0x0202143b,
    VMCR_CTLR_MASK = 0x21f /* the bits of GICV_CTLR in GICH_VMCR, at the same places */
};

/* GICH_LR<n>: VirtualID [9:0], PhysicalID [19:10] (else EOI bit 19, source CPU [12:10]),
 * priority [27:23], state [29:28], Group 1 bit 30, HW bit 31. */
static uint32_t lr_to_v2(uint64_t lr)
{
    uint32_t v = (uint32_t)lr & 0x3ff;

    v |= lr & GICH_LR_HW
             ? (uint32_t)(lr >> GICH_LR_PINTID_SHIFT & 0x3ff) << 10
             : (uint32_t)(lr >> GICH_LR_PINTID_SHIFT & 7) << 10 | (lr & GICH_LR_EOI ? 1u << 19 : 0);
    v |= (uint32_t)(lr >> (GICH_LR_PRIO_SHIFT + GIC_PRIO_SHIFT) & 0x1f) << 23;
    v |= (uint32_t)(lr >> 62) << 28;
    v |= lr & GICH_LR_GROUP1 ? 1u << 30 : 0;
    v |= lr & GICH_LR_HW ? 1u << 31 : 0;
    return v;
}

static uint64_t lr_from_v2(uint32_t v)
{
    uint64_t lr = v & 0x3ff;

    lr |= v >> 31
              ? (uint64_t)(v >> 10 & 0x3ff) << GICH_LR_PINTID_SHIFT | GICH_LR_HW
              : (uint64_t)(v >> 10 & 7) << GICH_LR_PINTID_SHIFT | (v >> 19 & 1 ? GICH_LR_EOI : 0);
    lr |= (uint64_t)(v >> 23 & 0x1f) << (GICH_LR_PRIO_SHIFT + GIC_PRIO_SHIFT);
    lr |= (uint64_t)(v >> 28 & 3) << 62;
    lr |= v >> 30 & 1 ? GICH_LR_GROUP1 : 0;
    return lr;
}

static uint32_t hyp_read(const GicVirt *g, uint64_t offset)
{
    switch (offset) {
    case GICH_HCR: return g->hcr;
    case GICH_VTR: /* list registers, bits of preemption and priority: each less one */
        return (GICH_N_LRS - 1) | 4u << 26 | 4u << 29;
    case GICH_VMCR: return g->vmcr;
    case GICH_MISR: return gic_virt_misr(g);
    case GICH_EISR0: return gic_virt_eisr(g);
    case GICH_ELRSR0: return gic_virt_elrsr(g);
    case GICH_APR: return g->apr[0] | g->apr[1];
    default:
        if (offset >= GICH_LR0 && offset < GICH_LR0 + 4 * GICH_N_LRS) {
            return lr_to_v2(g->lr[(offset - GICH_LR0) / 4]);
        }
        return 0;
    }
}

static void hyp_write(GicVirt *g, uint64_t offset, uint32_t v)
{
    if (offset == GICH_HCR) {
        g->hcr = v & 0xf80000ffu;
    } else if (offset == GICH_VMCR) {
        gic_virt_set_vmcr(g, v);
    } else if (offset == GICH_APR) {
        /* one word for both groups: it is all the virtual interface compares with */
        g->apr[0] = v;
        g->apr[1] = 0;
    } else if (offset >= GICH_LR0 && offset < GICH_LR0 + 4 * GICH_N_LRS) {
        g->lr[(offset - GICH_LR0) / 4] = lr_from_v2(v);
    }
}

MemResult gicv2_hyp_read(Device *d, uint64_t offset, unsigned bytes, uint64_t *value,
                         MemAttrs attrs)
{
    GicV2 *s = (GicV2 *)d;

    (void)bytes;
    g_mutex_lock(&s->lock);
    *value = s->virt ? hyp_read(&s->cpu[gicv2_access(s, attrs).cpu].virt, offset) : 0;
    g_mutex_unlock(&s->lock);
    return MEM_OK;
}

MemResult gicv2_hyp_write(Device *d, uint64_t offset, unsigned bytes, uint64_t value,
                          MemAttrs attrs)
{
    GicV2 *s = (GicV2 *)d;
    unsigned cpu = gicv2_access(s, attrs).cpu;

    (void)bytes;
    if (s->virt) {
        g_mutex_lock(&s->lock);
        hyp_write(&s->cpu[cpu].virt, offset, (uint32_t)value);
        gicv2_update_cpu(s, cpu);
        g_mutex_unlock(&s->lock);
    }
    return MEM_OK;
}

static uint32_t vcpu_read(GicVirt *g, uint64_t offset)
{
    switch (offset) {
    case GICV_CTLR: return g->vmcr & VMCR_CTLR_MASK;
    case GICV_PMR: return g->vmcr >> GICH_VMCR_PMR_SHIFT;
    case GICV_BPR: return gic_virt_bpr(g, 0);
    case GICV_ABPR: return gic_virt_bpr(g, 1);
    case GICV_IAR: return gic_virt_iar(g, GICV_BOTH, false);
    case GICV_AIAR: return gic_virt_iar(g, GICV_GROUP1, false);
    case GICV_RPR: return gic_virt_rpr(g);
    case GICV_HPPIR: return gic_virt_iar(g, GICV_BOTH, true);
    case GICV_AHPPIR: return gic_virt_iar(g, GICV_GROUP1, true);
    case GICV_APR0: return g->apr[0] | g->apr[1];
    case GICV_IIDR: return IIDR_GIC400;
    default: return 0;
    }
}

/* Returns the physical interrupt to deactivate, or -1. */
static int vcpu_write(GicVirt *g, uint64_t offset, uint32_t v)
{
    switch (offset) {
    case GICV_CTLR:
        gic_virt_set_vmcr(g, (g->vmcr & ~(uint32_t)VMCR_CTLR_MASK) | (v & VMCR_CTLR_MASK));
        break;
    case GICV_PMR:
        gic_virt_set_vmcr(g, deposit32(g->vmcr, GICH_VMCR_PMR_SHIFT, 8, v & GIC_PRIO_MASK));
        break;
    case GICV_BPR:
    case GICV_ABPR: gic_virt_set_bpr(g, offset == GICV_ABPR, v); break;
    case GICV_EOIR: return gic_virt_eoir(g, GICV_BOTH, v & 0x3ff);
    case GICV_AEOIR: return gic_virt_eoir(g, GICV_BOTH, v & 0x3ff);
    case GICV_DIR: return gic_virt_dir(g, v & 0x3ff);
    case GICV_APR0:
        g->apr[0] = v;
        g->apr[1] = 0;
        break;
    default: break;
    }
    return -1;
}

MemResult gicv2_vcpu_read(Device *d, uint64_t offset, unsigned bytes, uint64_t *value,
                          MemAttrs attrs)
{
    GicV2 *s = (GicV2 *)d;
    unsigned cpu = gicv2_access(s, attrs).cpu;

    (void)bytes;
    *value = 0;
    if (s->virt) {
        g_mutex_lock(&s->lock);
        *value = vcpu_read(&s->cpu[cpu].virt, offset);
        gicv2_update_cpu(s, cpu);
        g_mutex_unlock(&s->lock);
    }
    return MEM_OK;
}

MemResult gicv2_vcpu_write(Device *d, uint64_t offset, unsigned bytes, uint64_t value,
                           MemAttrs attrs)
{
    GicV2 *s = (GicV2 *)d;
    unsigned cpu = gicv2_access(s, attrs).cpu;

    (void)bytes;
    if (s->virt) {
        g_mutex_lock(&s->lock);
        int intid = vcpu_write(&s->cpu[cpu].virt, offset, (uint32_t)value);
        if (intid >= 0) {
            gicv2_deactivate(s, cpu, (unsigned)intid);
            gicv2_update(s);
        } else {
            gicv2_update_cpu(s, cpu);
        }
        g_mutex_unlock(&s->lock);
    }
    return MEM_OK;
}
