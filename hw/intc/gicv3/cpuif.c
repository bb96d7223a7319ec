/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv3: the CPU interface as system registers, ICC_*_EL1 (IHI 0069, "AArch64 System register
 * descriptions"). At EL1 under HCR_EL2.IMO or FMO the same encodings are the virtual interface,
 * ICV_*_EL1, and what ICH_HCR_EL2 asks for traps to EL2.
 */
#include "hw/intc/gicv3/gicv3.h"

#define SYSREG(op0, op1, crn, crm, op2)                                                            \
    ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

enum { HCR_FMO = 1 << 3, HCR_IMO = 1 << 4, EL1 = 1, EL2 = 2, NEVER = 0xff };
/* Fixed fields of ICC_CTLR_EL1: five bits of priority, 16 of INTID, Aff3 valid. */
enum {
    CTLR_FIXED = (5 - 1) << 8 | 1 << 15,
    CTLR_WMASK = ICC_CTLR_CBPR | ICC_CTLR_EOIMODE | ICC_CTLR_PMHE
};
enum { SRE_ON = 7 }; /* SRE, DFB, DIB: system registers, no bypass */

/* ---- interrupts */

static uint32_t acknowledge(GicV3Cpu *c, unsigned group)
{
    GicV3 *s = c->gic;
    GicV3Pending p = gicv3_highest(s, c->index);

    if (!gicv3_can_signal(c, &p) || p.group != group) {
        return GIC_SPURIOUS;
    }
    if (p.intid >= GICV3_FIRST_LPI) {
        gicv3_lpi_set(s, c->index, p.intid, false);
    } else {
        GicWord *w = gicv3_word(s, c->index, p.intid / 32);
        w->latch &= ~(1u << p.intid % 32);
        w->active |= 1u << p.intid % 32;
    }
    c->apr[group] |= gic_apr_bit(p.prio & gicv3_group_mask(c, group));
    gicv3_update_cpu(s, c->index);
    return p.intid;
}

static uint32_t pending_intid(GicV3Cpu *c, unsigned group)
{
    GicV3Pending p = gicv3_highest(c->gic, c->index);

    return p.intid != GIC_SPURIOUS && p.group == group ? p.intid : GIC_SPURIOUS;
}

static bool is_special(uint32_t intid)
{
    return intid >= GIC_MAX_INTID && intid <= GIC_SPURIOUS;
}

static void deactivate(GicV3Cpu *c, uint32_t intid)
{
    GicV3 *s = c->gic;

    gicv3_deactivate(s, c->index, intid);
    if (intid >= GIC_PRIVATE && intid < GIC_MAX_INTID && s->target[intid] != c->index &&
        s->target[intid] != GICV3_NO_CPU) {
        gicv3_update_cpu(s, s->target[intid]); /* it was moved meanwhile */
    }
    gicv3_update_cpu(s, c->index);
}

static void end_of_interrupt(GicV3Cpu *c, unsigned group, uint32_t intid)
{
    if (is_special(intid)) {
        return;
    }
    unsigned running = gic_running(c->apr[1]) < gic_running(c->apr[0]);
    if (!(c->apr[0] | c->apr[1]) || running != group) {
        return;
    }
    c->apr[group] = gic_drop(c->apr[group]);
    if (c->icc_ctlr & ICC_CTLR_EOIMODE) {
        gicv3_update_cpu(c->gic, c->index);
    } else {
        deactivate(c, intid);
    }
}

/* ---- SGIs */

static void send_to(GicV3 *s, unsigned cpu, unsigned sgi, unsigned group)
{
    GicWord *w = &s->cpu[cpu].word;

    if ((w->group >> sgi & 1) == group) {
        w->latch |= 1u << sgi;
        gicv3_update_cpu(s, cpu);
    }
}

/* ICC_SGI1R_EL1 and its like: INTID [27:24], Aff3 [55:48], Aff2 [39:32], Aff1 [23:16], 16 values of
 * Aff0 from RS * 16 on [15:0]; or all but the sender (IRM, bit 40). */
static void send_sgi(GicV3Cpu *c, unsigned group, uint64_t v)
{
    GicV3 *s = c->gic;
    unsigned sgi = v >> 24 & 0xf;
    uint32_t upper = (uint32_t)(v >> 48 & 0xff) << 24 | (uint32_t)(v >> 32 & 0xff) << 16 |
                     (uint32_t)(v >> 16 & 0xff) << 8;

    if (v >> 40 & 1) {
        for (unsigned i = 0; i < s->n_cpus; i++) {
            if (i != c->index) {
                send_to(s, i, sgi, group);
            }
        }
        return;
    }
    uint32_t first = (uint32_t)(v >> 44 & 0xf) * 16;
    for (uint32_t list = v & 0xffff; list; list &= list - 1) {
        unsigned cpu = gicv3_cpu_of(s, upper | (first + ctz32(list)));
        if (cpu != GICV3_NO_CPU) {
            send_to(s, cpu, sgi, group);
        }
    }
}

/* ---- registers of the physical interface */

static uint64_t phys_read(GicV3Cpu *c, unsigned reg)
{
    switch (reg) {
    case ICC_PMR: return c->pmr;
    case ICC_IAR0:
    case ICC_IAR1: return acknowledge(c, reg == ICC_IAR1);
    case ICC_HPPIR0:
    case ICC_HPPIR1: return pending_intid(c, reg == ICC_HPPIR1);
    case ICC_BPR0: return c->bpr[0];
    case ICC_BPR1: /* CBPR: that of Group 0, plus one, at most 7 */
        return !(c->icc_ctlr & ICC_CTLR_CBPR) ? c->bpr[1] : c->bpr[0] < 7 ? c->bpr[0] + 1 : 7;
    case ICC_AP0R0:
    case ICC_AP1R0: return c->apr[reg == ICC_AP1R0];
    case ICC_RPR: return gic_running(c->apr[0] | c->apr[1]);
    case ICC_CTLR: return c->icc_ctlr | CTLR_FIXED;
    case ICC_SRE: return SRE_ON;
    case ICC_IGRPEN0:
    case ICC_IGRPEN1: return c->igrpen >> (reg == ICC_IGRPEN1) & 1;
    default: return 0;
    }
}

static void set_bpr(GicV3Cpu *c, unsigned group, uint64_t v)
{
    uint32_t min = GIC_MIN_BPR + group;

    c->bpr[group] = (v & 7) < min ? min : (uint32_t)v & 7;
}

/* Registers that only change state of this interface; outputs follow afterwards. */
static void phys_set(GicV3Cpu *c, unsigned reg, uint64_t v)
{
    switch (reg) {
    case ICC_PMR: c->pmr = (uint32_t)v & GIC_PRIO_MASK; break;
    case ICC_BPR0: set_bpr(c, 0, v); break;
    case ICC_BPR1:
        if (!(c->icc_ctlr & ICC_CTLR_CBPR)) {
            set_bpr(c, 1, v);
        }
        break;
    case ICC_AP0R0:
    case ICC_AP1R0: c->apr[reg == ICC_AP1R0] = (uint32_t)v; break;
    case ICC_CTLR: c->icc_ctlr = (uint32_t)v & CTLR_WMASK; break;
    case ICC_IGRPEN0:
    case ICC_IGRPEN1: c->igrpen = deposit32(c->igrpen, reg == ICC_IGRPEN1, 1, v & 1); break;
    default: break;
    }
    gicv3_update_cpu(c->gic, c->index);
}

static void phys_write(GicV3Cpu *c, unsigned reg, uint64_t v)
{
    switch (reg) {
    case ICC_EOIR0:
    case ICC_EOIR1: end_of_interrupt(c, reg == ICC_EOIR1, (uint32_t)v & 0xffffff); break;
    case ICC_DIR:
        if (c->icc_ctlr & ICC_CTLR_EOIMODE && !is_special((uint32_t)v & 0xffffff)) {
            deactivate(c, (uint32_t)v & 0xffffff);
        }
        break;
    case ICC_SGI1R:
    case ICC_ASGI1R: send_sgi(c, 1, v); break;
    case ICC_SGI0R: send_sgi(c, 0, v); break;
    default: phys_set(c, reg, v); break;
    }
}

/* ---- which interface, and traps */

/* What a register belongs to decides who virtualizes and traps it. */
typedef enum RegClass {
    CLASS_COMMON,
    CLASS_GROUP0,
    CLASS_GROUP1,
    CLASS_SGI,
    CLASS_DIR,
    CLASS_SRE
} RegClass;

static RegClass class_of(unsigned reg)
{
    switch (reg) {
    case ICC_IAR0:
    case ICC_EOIR0:
    case ICC_HPPIR0:
    case ICC_BPR0:
    case ICC_AP0R0:
    case ICC_IGRPEN0: return CLASS_GROUP0;
    case ICC_IAR1:
    case ICC_EOIR1:
    case ICC_HPPIR1:
    case ICC_BPR1:
    case ICC_AP1R0:
    case ICC_IGRPEN1: return CLASS_GROUP1;
    case ICC_SGI0R:
    case ICC_SGI1R:
    case ICC_ASGI1R: return CLASS_SGI;
    case ICC_DIR: return CLASS_DIR;
    case ICC_SRE: return CLASS_SRE;
    default: return CLASS_COMMON;
    }
}

/* HCR_EL2 bits that make EL1's accesses virtual, and ICH_HCR_EL2 bits that trap them. */
static const struct {
    uint32_t virtual_by, trapped_by;
} classes[] = {
    [CLASS_COMMON] = {HCR_IMO | HCR_FMO, GICH_HCR_TC},
    [CLASS_GROUP0] = {HCR_FMO, GICH_HCR_TALL0},
    [CLASS_GROUP1] = {HCR_IMO, GICH_HCR_TALL1},
    [CLASS_SGI] = {HCR_IMO | HCR_FMO, GICH_HCR_TC},
    [CLASS_DIR] = {HCR_IMO | HCR_FMO, GICH_HCR_TC | GICH_HCR_TDIR},
    [CLASS_SRE] = {0, 0},
};

/* false: the access traps to EL2. *is_virtual: it is for the virtual interface. */
static bool direct(const GicV3Cpu *c, const CpuAccess *a, RegClass k, bool *is_virtual)
{
    bool el1 = a->level == EL1 && c->gic->virt;

    *is_virtual = el1 && a->route & classes[k].virtual_by;
    if (el1 && ((*is_virtual && k == CLASS_SGI) || c->virt.hcr & classes[k].trapped_by)) {
        if (a->trap) {
            *a->trap = EL2;
        }
        return false;
    }
    return true;
}

static bool icc_read(void *opaque, const CpuSysReg *reg, const CpuAccess *a, uint64_t *value)
{
    GicV3Cpu *c = opaque;
    bool is_virtual;

    if (!direct(c, a, class_of(reg->arg), &is_virtual)) {
        return false;
    }
    g_mutex_lock(&c->gic->lock);
    *value = is_virtual ? gicv3_virt_read(c, reg->arg) : phys_read(c, reg->arg);
    g_mutex_unlock(&c->gic->lock);
    return true;
}

static bool icc_write(void *opaque, const CpuSysReg *reg, const CpuAccess *a, uint64_t value)
{
    GicV3Cpu *c = opaque;
    bool is_virtual;

    if (!direct(c, a, class_of(reg->arg), &is_virtual)) {
        return false;
    }
    g_mutex_lock(&c->gic->lock);
    if (!is_virtual) {
        phys_write(c, reg->arg, value);
    } else {
        int intid = gicv3_virt_write(c, reg->arg, value);
        if (intid >= 0) {
            deactivate(c, (uint32_t)intid);
        } else {
            gicv3_update_cpu(c->gic, c->index);
        }
    }
    g_mutex_unlock(&c->gic->lock);
    return true;
}

#define RW(enc, n, r)                                                                              \
    {                                                                                              \
        .encoding = enc, .name = n, .min_level_read = EL1, .min_level_write = EL1,                 \
        .read = icc_read, .write = icc_write, .arg = r                                             \
    }
#define RO(enc, n, r)                                                                              \
    {                                                                                              \
        .encoding = enc, .name = n, .min_level_read = EL1, .min_level_write = NEVER,               \
        .read = icc_read, .arg = r                                                                 \
    }
#define WO(enc, n, r)                                                                              \
    {                                                                                              \
        .encoding = enc, .name = n, .min_level_read = NEVER, .min_level_write = EL1,               \
        .write = icc_write, .arg = r                                                               \
    }

static const CpuSysReg icc_regs[] = {
    RW(SYSREG(3, 0, 4, 6, 0), "ICC_PMR_EL1", ICC_PMR),
    RO(SYSREG(3, 0, 12, 8, 0), "ICC_IAR0_EL1", ICC_IAR0),
    WO(SYSREG(3, 0, 12, 8, 1), "ICC_EOIR0_EL1", ICC_EOIR0),
    RO(SYSREG(3, 0, 12, 8, 2), "ICC_HPPIR0_EL1", ICC_HPPIR0),
    RW(SYSREG(3, 0, 12, 8, 3), "ICC_BPR0_EL1", ICC_BPR0),
    RW(SYSREG(3, 0, 12, 8, 4), "ICC_AP0R0_EL1", ICC_AP0R0),
    RW(SYSREG(3, 0, 12, 9, 0), "ICC_AP1R0_EL1", ICC_AP1R0),
    WO(SYSREG(3, 0, 12, 11, 1), "ICC_DIR_EL1", ICC_DIR),
    RO(SYSREG(3, 0, 12, 11, 3), "ICC_RPR_EL1", ICC_RPR),
    WO(SYSREG(3, 0, 12, 11, 5), "ICC_SGI1R_EL1", ICC_SGI1R),
    WO(SYSREG(3, 0, 12, 11, 6), "ICC_ASGI1R_EL1", ICC_ASGI1R),
    WO(SYSREG(3, 0, 12, 11, 7), "ICC_SGI0R_EL1", ICC_SGI0R),
    RO(SYSREG(3, 0, 12, 12, 0), "ICC_IAR1_EL1", ICC_IAR1),
    WO(SYSREG(3, 0, 12, 12, 1), "ICC_EOIR1_EL1", ICC_EOIR1),
    RO(SYSREG(3, 0, 12, 12, 2), "ICC_HPPIR1_EL1", ICC_HPPIR1),
    RW(SYSREG(3, 0, 12, 12, 3), "ICC_BPR1_EL1", ICC_BPR1),
    RW(SYSREG(3, 0, 12, 12, 4), "ICC_CTLR_EL1", ICC_CTLR),
    RW(SYSREG(3, 0, 12, 12, 5), "ICC_SRE_EL1", ICC_SRE),
    RW(SYSREG(3, 0, 12, 12, 6), "ICC_IGRPEN0_EL1", ICC_IGRPEN0),
    RW(SYSREG(3, 0, 12, 12, 7), "ICC_IGRPEN1_EL1", ICC_IGRPEN1),
};

void gicv3_cpuif_attach(GicV3Cpu *c, CpuPort *port)
{
    c->bank = (CpuSysRegBank){
        .regs = icc_regs,
        .n_regs = sizeof icc_regs / sizeof icc_regs[0],
        .opaque = c,
    };
    cpu_sysreg_bank_attach(port, &c->bank);
}
