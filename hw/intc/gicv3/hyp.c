/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv3: what a hypervisor uses, ICH_*_EL2, and the virtual CPU interface that its guests see,
 * ICV_*_EL1 (IHI 0069, "AArch64 virtualization control System registers", "AArch64 System registers
 * for the virtual CPU interface").
 */
#include "hw/intc/gicv3/gicv3.h"

#define SYSREG(op0, op1, crn, crm, op2)                                                            \
    ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

enum { EL2 = 2, NEVER = 0xff };

typedef enum IchReg {
    ICH_SRE,
    ICH_AP0R0,
    ICH_AP1R0,
    ICH_HCR,
    ICH_VTR,
    ICH_MISR,
    ICH_EISR,
    ICH_ELRSR,
    ICH_VMCR,
    ICH_LR0
} IchReg;

/* ---- ICV_ */

/* ICV_CTLR_EL1: five bits of priority, 16 of INTID, Aff3 valid. */
enum { CTLR_FIXED = (5 - 1) << 8 | 1 << 15 };

uint64_t gicv3_virt_read(GicV3Cpu *c, unsigned reg)
{
    GicVirt *v = &c->virt;

    switch (reg) {
    case ICC_PMR: return v->vmcr >> GICH_VMCR_PMR_SHIFT;
    case ICC_IAR0:
    case ICC_IAR1: {
        uint32_t intid = gic_virt_iar(v, reg == ICC_IAR1 ? GICV_GROUP1 : GICV_GROUP0, false);
        gicv3_update_cpu(c->gic, c->index);
        return intid;
    }
    case ICC_HPPIR0:
    case ICC_HPPIR1: return gic_virt_iar(v, reg == ICC_HPPIR1 ? GICV_GROUP1 : GICV_GROUP0, true);
    case ICC_BPR0: return gic_virt_bpr(v, 0);
    case ICC_BPR1:
        if (v->vmcr & GICH_VMCR_CBPR) {
            return gic_virt_bpr(v, 0) < 7 ? gic_virt_bpr(v, 0) + 1 : 7;
        }
        return gic_virt_bpr(v, 1);
    case ICC_AP0R0:
    case ICC_AP1R0: return v->apr[reg == ICC_AP1R0];
    case ICC_RPR: return gic_virt_rpr(v);
    case ICC_CTLR:
        return CTLR_FIXED | (v->vmcr & GICH_VMCR_CBPR ? ICC_CTLR_CBPR : 0) |
               (v->vmcr & GICH_VMCR_EOIM ? ICC_CTLR_EOIMODE : 0);
    case ICC_IGRPEN0:
    case ICC_IGRPEN1: return v->vmcr >> (reg == ICC_IGRPEN1) & 1;
    default: return 0;
    }
}

static void set_bits(GicVirt *v, uint32_t bits, bool on)
{
    v->vmcr = on ? v->vmcr | bits : v->vmcr & ~bits;
}

int gicv3_virt_write(GicV3Cpu *c, unsigned reg, uint64_t value)
{
    GicVirt *v = &c->virt;

    switch (reg) {
    case ICC_EOIR0:
    case ICC_EOIR1:
        return gic_virt_eoir(v, reg == ICC_EOIR1 ? GICV_GROUP1 : GICV_GROUP0,
                             (uint32_t)value & 0xffffff);
    case ICC_DIR: return gic_virt_dir(v, (uint32_t)value & 0xffffff);
    case ICC_PMR:
        v->vmcr = deposit32(v->vmcr, GICH_VMCR_PMR_SHIFT, 8, value & GIC_PRIO_MASK);
        break;
    case ICC_BPR0: gic_virt_set_bpr(v, 0, (uint32_t)value); break;
    case ICC_BPR1:
        if (!(v->vmcr & GICH_VMCR_CBPR)) {
            gic_virt_set_bpr(v, 1, (uint32_t)value);
        }
        break;
    case ICC_AP0R0:
    case ICC_AP1R0: v->apr[reg == ICC_AP1R0] = (uint32_t)value; break;
    case ICC_CTLR:
        set_bits(v, GICH_VMCR_CBPR, value & ICC_CTLR_CBPR);
        set_bits(v, GICH_VMCR_EOIM, value & ICC_CTLR_EOIMODE);
        break;
    case ICC_IGRPEN0:
    case ICC_IGRPEN1:
        set_bits(v, reg == ICC_IGRPEN1 ? GICH_VMCR_ENG1 : GICH_VMCR_ENG0, value & 1);
        break;
    default: break;
    }
    return -1;
}

/* ---- ICH_ */

static uint64_t hyp_value(const GicV3Cpu *c, uint32_t reg)
{
    const GicVirt *v = &c->virt;

    switch (reg) {
    case ICH_SRE: return 0xf; /* SRE, DFB, DIB, Enable */
    case ICH_AP0R0:
    case ICH_AP1R0: return v->apr[reg == ICH_AP1R0];
    case ICH_HCR: return v->hcr;
    case ICH_VTR: /* list registers, bits of preemption and priority less one; nV4, A3V, TDS */
        return (GICH_N_LRS - 1) | 4u << 26 | 4u << 29 | 1u << 20 | 1u << 21 | 1u << 19;
    case ICH_MISR: return gic_virt_misr(v);
    case ICH_EISR: return gic_virt_eisr(v);
    case ICH_ELRSR: return gic_virt_elrsr(v);
    case ICH_VMCR: return v->vmcr;
    default: return v->lr[reg - ICH_LR0];
    }
}

/* State, HW, Group; Priority (five bits); pINTID; vINTID. */
#define LR_WMASK 0xf0f81fffffffffffull

static void hyp_set(GicV3Cpu *c, uint32_t reg, uint64_t value)
{
    GicVirt *v = &c->virt;

    switch (reg) {
    case ICH_SRE: break;
    case ICH_AP0R0:
    case ICH_AP1R0: v->apr[reg == ICH_AP1R0] = (uint32_t)value; break;
    case ICH_HCR: v->hcr = (uint32_t)value & 0xf8007cffu; break;
    case ICH_VMCR:
        gic_virt_set_vmcr(v, (uint32_t)value | GICH_VMCR_FIQEN);
        v->vmcr &= ~(uint32_t)GICH_VMCR_ACKCTL;
        break;
    default: v->lr[reg - ICH_LR0] = value & LR_WMASK; break;
    }
}

static bool ich_read(void *opaque, const CpuSysReg *reg, const CpuAccess *a, uint64_t *value)
{
    GicV3Cpu *c = opaque;

    (void)a;
    g_mutex_lock(&c->gic->lock);
    *value = hyp_value(c, reg->arg);
    g_mutex_unlock(&c->gic->lock);
    return true;
}

static bool ich_write(void *opaque, const CpuSysReg *reg, const CpuAccess *a, uint64_t value)
{
    GicV3Cpu *c = opaque;

    (void)a;
    g_mutex_lock(&c->gic->lock);
    hyp_set(c, reg->arg, value);
    gicv3_update_cpu(c->gic, c->index);
    g_mutex_unlock(&c->gic->lock);
    return true;
}

#define RW(enc, n, r)                                                                              \
    {                                                                                              \
        .encoding = enc, .name = n, .min_level_read = EL2, .min_level_write = EL2,                 \
        .read = ich_read, .write = ich_write, .arg = r                                             \
    }
#define RO(enc, n, r)                                                                              \
    {                                                                                              \
        .encoding = enc, .name = n, .min_level_read = EL2, .min_level_write = NEVER,               \
        .read = ich_read, .arg = r                                                                 \
    }

static const CpuSysReg ich_regs[] = {
    RW(SYSREG(3, 4, 12, 9, 5), "ICC_SRE_EL2", ICH_SRE),
    RW(SYSREG(3, 4, 12, 8, 0), "ICH_AP0R0_EL2", ICH_AP0R0),
    RW(SYSREG(3, 4, 12, 9, 0), "ICH_AP1R0_EL2", ICH_AP1R0),
    RW(SYSREG(3, 4, 12, 11, 0), "ICH_HCR_EL2", ICH_HCR),
    RO(SYSREG(3, 4, 12, 11, 1), "ICH_VTR_EL2", ICH_VTR),
    RO(SYSREG(3, 4, 12, 11, 2), "ICH_MISR_EL2", ICH_MISR),
    RO(SYSREG(3, 4, 12, 11, 3), "ICH_EISR_EL2", ICH_EISR),
    RO(SYSREG(3, 4, 12, 11, 5), "ICH_ELRSR_EL2", ICH_ELRSR),
    RW(SYSREG(3, 4, 12, 11, 7), "ICH_VMCR_EL2", ICH_VMCR),
    RW(SYSREG(3, 4, 12, 12, 0), "ICH_LR0_EL2", ICH_LR0),
    RW(SYSREG(3, 4, 12, 12, 1), "ICH_LR1_EL2", ICH_LR0 + 1),
    RW(SYSREG(3, 4, 12, 12, 2), "ICH_LR2_EL2", ICH_LR0 + 2),
    RW(SYSREG(3, 4, 12, 12, 3), "ICH_LR3_EL2", ICH_LR0 + 3),
};
_Static_assert(GICH_N_LRS == 4, "a row for each list register");

void gicv3_hyp_attach(GicV3Cpu *c, CpuPort *port)
{
    c->hyp_bank = (CpuSysRegBank){
        .regs = ich_regs,
        .n_regs = sizeof ich_regs / sizeof ich_regs[0],
        .opaque = c,
    };
    cpu_sysreg_bank_attach(port, &c->hyp_bank);
}
