/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What reading and writing system registers does beyond storage.
 *
 * Source: Arm ARM (DDI 0487), D19.
 */
#include <string.h>

#include "target/arm/a64_id.h"
#include "target/arm/sys/regs.h"

static uint64_t field(A64Cpu *cpu, const A64Reg *r)
{
    return *a64_reg_field(cpu, r);
}

A64_REG_READ(zero)
{
    (void)cpu;
    (void)r;
    return 0;
}

A64_REG_WRITE(ignore)
{
    (void)cpu;
    (void)r;
    (void)v;
}

/* ---- identification ---- */

A64_REG_READ(id)
{
    return cpu->id_aa64[r->arg];
}

/* ID_AA64PFR0_EL1.GIC: the CPU interface is there as system registers (ICC_SRE_EL1). */
A64_REG_READ(pfr0)
{
    void *opaque;
    bool gic =
        cpu->sys.port && cpu_sysreg_find(cpu->sys.port, A64_ENC(3, 0, 12, 12, 5), &opaque) != NULL;
    return cpu->id_aa64[r->arg] | (gic ? 1u << 24 : 0);
}

A64_REG_READ(midr)
{
    (void)r;
    return a64_cur_el(cpu) == 1 && a64_el2_on(cpu) ? cpu->sys.vpidr : cpu->midr;
}

A64_REG_READ(mpidr)
{
    (void)r;
    return a64_cur_el(cpu) == 1 && a64_el2_on(cpu) ? cpu->sys.vmpidr : cpu->sys.mpidr;
}

A64_REG_READ(ctr)
{
    (void)r;
    return cpu->ctr_el0;
}

/* DZP says whether DC ZVA is prohibited at this level. */
A64_REG_READ(dczid)
{
    unsigned el = a64_cur_el(cpu);
    bool no = el == 0 && !(cpu->sys.sctlr[a64_regime_el(cpu)] & SCTLR_DZE);
    (void)r;
    no |= el < 2 && !a64_in_host(cpu) && (a64_hcr(cpu) & HCR_TDZ);
    return cpu->dczid_el0 | (no ? 1u << 4 : 0);
}

/* Two levels: separate L1 of 32 KiB, unified L2 of 1 MiB. */
A64_REG_READ(clidr)
{
    (void)cpu;
    (void)r;
    return 3 | 4 << 3 | 1u << 21 | 1u << 24 | 1u << 27;
}

A64_REG_READ(ccsidr)
{
    /* line size log2 - 4, associativity - 1, sets - 1 */
    static const struct {
        uint32_t ways, sets;
    } level[2] = {{4, 128}, {16, 1024}};
    (void)r;
    unsigned n = cpu->sys.csselr >> 1 & 7;
    bool there = n == 0 || (n == 1 && !(cpu->sys.csselr & 1));
    return there ? 2 | (level[n].ways - 1) << 3 | (level[n].sets - 1) << 13 : 0;
}

A64_REG_READ(rvbar)
{
    if (r->arg != cpu->sys.top_el) {
        a64_raise_undef(cpu);
    }
    return cpu->sys.rvbar;
}

/* ---- PSTATE ---- */

A64_REG_READ(daif)
{
    (void)r;
    return cpu->daif;
}

A64_REG_WRITE(daif)
{
    (void)r;
    cpu->daif = (uint32_t)v & A64_PS_DAIF;
    a64_poll_interrupts(cpu);
}

A64_REG_READ(pstate)
{
    return cpu->sys.pstate & (r->arg == 2 ? A64_PS_EL : 1u << r->arg);
}

A64_REG_WRITE(pstate)
{
    uint32_t bit = 1u << r->arg;
    if (r->arg == 0) {
        a64_set_el(cpu, a64_cur_el(cpu), v & 1);
        return;
    }
    cpu->sys.pstate = (cpu->sys.pstate & ~bit) | ((uint32_t)v & bit);
}

/* With SPSel 0, SP_EL0 is SP and not accessible by name. */
A64_REG_READ(sp_el0)
{
    if (!(cpu->sys.pstate & A64_PS_SP)) {
        a64_raise_undef(cpu);
    }
    return field(cpu, r);
}

A64_REG_WRITE(sp_el0)
{
    if (!(cpu->sys.pstate & A64_PS_SP)) {
        a64_raise_undef(cpu);
    }
    *a64_reg_field(cpu, r) = v;
}

/* Pending interrupts of the current level, in CPSR's positions. */
A64_REG_READ(isr)
{
    uint32_t lines = atomic_load_explicit(&cpu->sys.port->lines, memory_order_acquire);
    uint64_t hcr = a64_hcr(cpu), out = 0;
    bool el1 = a64_cur_el(cpu) == 1;
    (void)r;
    bool irq = lines >> CPU_LINE_IRQ & 1, fiq = lines >> CPU_LINE_FIQ & 1;
    if (el1 && (hcr & HCR_IMO)) {
        irq = (lines >> CPU_LINE_VIRQ & 1) || (hcr & HCR_VI);
    }
    if (el1 && (hcr & HCR_FMO)) {
        fiq = (lines >> CPU_LINE_VFIQ & 1) || (hcr & HCR_VF);
    }
    out |= irq ? A64_PS_I : 0;
    out |= fiq ? A64_PS_F : 0;
    return out | (lines >> CPU_LINE_SERROR & 1 ? A64_PS_A : 0);
}

/* ---- control ---- */

A64_REG_WRITE(hcr)
{
    uint64_t res0 = 0;
    if (!a64_has(cpu, A64_FEAT_VHE)) {
        res0 |= HCR_E2H;
    }
    if (!a64_has(cpu, A64_FEAT_S2FWB)) {
        res0 |= HCR_FWB;
    }
    *a64_reg_field(cpu, r) = (v & ~res0) | HCR_RW; /* EL1 is AArch64 */
    a64_poll_interrupts(cpu);
}

A64_REG_WRITE(scr)
{
    /* RW: RES1 without AArch32; no EEL2, no NSE */
    *a64_reg_field(cpu, r) = (v & 0x1ffff & ~BIT(6)) | BIT(4) | BIT(5) | BIT(10);
    a64_poll_interrupts(cpu);
}

/* ---- debug ---- */

A64_REG_WRITE(oslar)
{
    (void)r;
    cpu->sys.oslsr = (cpu->sys.oslsr & ~2ull) | (v & 1) << 1;
}

A64_REG_READ(claim)
{
    (void)cpu;
    (void)r;
    return 0xff;
}

/* ---- set and clear pairs ---- */

A64_REG_WRITE(set)
{
    uint64_t *f = a64_reg_field(cpu, r), bits = v & ~r->res0 & 0xffffffff;
    *f = r->arg ? *f | bits : *f & ~bits;
}

/* ---- generic timers ---- */

A64_REG_READ(cntfrq)
{
    (void)r;
    return cpu->cntfrq;
}

A64_REG_WRITE(cntfrq)
{
    (void)r;
    if (a64_cur_el(cpu) != cpu->sys.top_el) {
        a64_raise_undef(cpu);
    }
    cpu->cntfrq = v & 0xffffffff; /* says; the counter's rate stays */
}

A64_REG_READ(cntpct)
{
    (void)r;
    return a64_counter(cpu);
}

A64_REG_READ(cntvct)
{
    (void)r;
    return a64_counter_virtual(cpu);
}

A64_REG_READ(timer)
{
    return a64_timer_read(cpu, (A64TimerId)(r->arg >> 4), r->arg & 15);
}

A64_REG_WRITE(timer)
{
    a64_timer_write(cpu, (A64TimerId)(r->arg >> 4), r->arg & 15, v);
}

A64_REG_WRITE(cntvoff)
{
    *a64_reg_field(cpu, r) = v;
    a64_timers_sync(cpu);
}

A64_REG_WRITE(cntctl)
{
    *a64_reg_field(cpu, r) = a64_reg_masked(r, v);
}

/* ---- performance monitors ---- */

A64_REG_READ(pmccntr)
{
    (void)r;
    return a64_pmu_cycles(cpu);
}

A64_REG_WRITE(pmccntr)
{
    (void)r;
    a64_pmu_write(cpu, cpu->sys.pmcr, cpu->sys.pmcnten, v);
}

/* IMP, IDCODE 0: N = 0 event counters. */
A64_REG_READ(pmcr)
{
    return field(cpu, r) | 0x41ull << 24;
}

A64_REG_WRITE(pmcr)
{
    (void)r; /* C resets the cycle counter */
    a64_pmu_write(cpu, v & 0x79, cpu->sys.pmcnten, v & 4 ? 0 : a64_pmu_cycles(cpu));
}

A64_REG_WRITE(pmcnten)
{
    uint64_t old = cpu->sys.pmcnten, bit = v & BIT(31);
    a64_pmu_write(cpu, cpu->sys.pmcr, r->arg ? old | bit : old & ~bit, a64_pmu_cycles(cpu));
}

/* PMOVS and PMINTEN: only the cycle counter's bit is there. */
A64_REG_WRITE(pmu_set)
{
    a64_pmu_set(cpu, a64_reg_field(cpu, r), v & BIT(31), r->arg);
}

/* ---- system instructions ---- */

A64_REG_WRITE(at)
{
    a64_at(cpu, r->enc, v);
}

/* The slow ways of DC: the same accesses that translation makes inline. */
A64_REG_WRITE(dc)
{
    uint8_t byte;
    (void)r;
    tcg_mem_load(&cpu->tcg, v, &byte, 1, TCG_MMU_CURRENT);
}

A64_REG_WRITE(dc_zva)
{
    static const uint8_t zero[16];
    (void)r;
    for (unsigned n = 0; n < 64; n += sizeof(zero)) {
        tcg_mem_store(&cpu->tcg, (v & ~63ull) + n, zero, sizeof(zero), TCG_MMU_CURRENT);
    }
}
