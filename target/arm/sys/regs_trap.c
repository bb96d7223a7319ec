/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which controls trap an access to a system register, by the trap class of its row.
 *
 * Source: Arm ARM (DDI 0487), D1.3.6 "Configurable instruction controls", D19 (accessibility of
 * each register). Not modelled: fine-grained traps (FEAT_FGT).
 */
#include "target/arm/sys/regs.h"

/* The level an EL0 access traps to that EL1 (or the host's EL2) forbids. */
static unsigned to_el1(const A64Cpu *cpu)
{
    return a64_hcr(cpu) & HCR_TGE ? 2 : 1;
}

static bool el2_traps(const A64Cpu *cpu, unsigned el, uint64_t hcr_bits)
{
    return el < 2 && !a64_in_host(cpu) && (a64_hcr(cpu) & hcr_bits);
}

static bool mdcr_traps(const A64Cpu *cpu, unsigned el, uint64_t bits)
{
    return el < 2 && a64_el2_on(cpu) && (cpu->sys.mdcr_el2 & bits);
}

static unsigned mdcr3(const A64Cpu *cpu, unsigned el, uint64_t bits)
{
    return el < 3 && a64_has(cpu, A64_FEAT_EL3) && (cpu->sys.mdcr_el3 & bits) ? 3 : 0;
}

/* CNTKCTL_EL1 as it governs EL0: CNTHCTL_EL2 for the host's. */
static uint64_t el0_timer_control(const A64Cpu *cpu)
{
    return a64_in_host(cpu) ? cpu->sys.cnthctl : cpu->sys.cntkctl;
}

/* EL1PCTEN or EL1PCEN of CNTHCTL_EL2 forbids; `bit` 0 or 1, ten further up under E2H. */
static bool cnthctl_traps(const A64Cpu *cpu, unsigned el, unsigned bit)
{
    if (el > 1 || !a64_el2_on(cpu) || a64_in_host(cpu)) {
        return false;
    }
    return !(cpu->sys.cnthctl >> (a64_hcr(cpu) & HCR_E2H ? bit + 10 : bit) & 1);
}

static unsigned timer_trap(const A64Cpu *cpu, A64Trap trap, unsigned el)
{
    uint64_t el0 = el0_timer_control(cpu);
    bool host = a64_in_host(cpu);
    switch (trap) {
    case TRAP_CNTFRQ: return el == 0 && !(el0 & 3) ? to_el1(cpu) : 0;
    case TRAP_CNTVCT: return el == 0 && !(el0 & 2) ? to_el1(cpu) : 0;
    case TRAP_CNTV: return el == 0 && !(el0 & BIT(8)) ? to_el1(cpu) : 0;
    case TRAP_CNTPCT:
        if (el == 0 && !(el0 & 1)) {
            return to_el1(cpu);
        }
        return !host && cnthctl_traps(cpu, el, 0) ? 2 : 0;
    case TRAP_CNTP:
        if (el == 0 && !(el0 & BIT(9))) {
            return to_el1(cpu);
        }
        return !host && cnthctl_traps(cpu, el, 1) ? 2 : 0;
    default: /* CNTPS: Secure EL1, if SCR_EL3.ST lets it */
        if (el == 1) {
            return !a64_is_secure(cpu) ? A64_TRAP_UNDEF : cpu->sys.scr & SCR_ST ? 0 : 3;
        }
        return el == 2 ? A64_TRAP_UNDEF : 0;
    }
}

/* PMUSERENR_EL0: EN 0, SW 1, CR 2 (cycle counter read), ER 3. */
static unsigned pmu_trap(const A64Cpu *cpu, A64Trap trap, bool write, unsigned el)
{
    uint64_t user = cpu->sys.pmuserenr;
    bool allowed = (user & 1) || (trap == TRAP_PMCC && !write && (user & 4)) ||
                   (trap == TRAP_PMUSER && !write);
    if (el == 0 && !allowed) {
        return to_el1(cpu);
    }
    if (mdcr_traps(cpu, el, trap == TRAP_PMCR ? MDCR_TPM | MDCR_TPMCR : MDCR_TPM)) {
        return 2;
    }
    return mdcr3(cpu, el, MDCR_TPM);
}

static unsigned debug_trap(const A64Cpu *cpu, A64Trap trap, unsigned el)
{
    uint64_t bit = trap == TRAP_DEBUG_OS    ? MDCR_TDOSA
                   : trap == TRAP_DEBUG_ROM ? MDCR_TDRA
                                            : MDCR_TDA;
    if (el == 0 && (cpu->sys.mdscr & BIT(12))) {
        return to_el1(cpu); /* MDSCR_EL1.TDCC */
    }
    if (mdcr_traps(cpu, el, bit | MDCR_TDE)) {
        return 2;
    }
    return mdcr3(cpu, el, trap == TRAP_DEBUG_OS ? MDCR_TDOSA : MDCR_TDA);
}

static bool sctlr_allows(const A64Cpu *cpu, uint64_t bit)
{
    return (cpu->sys.sctlr[a64_in_host(cpu) ? 2 : 1] & bit) != 0;
}

/* Cache maintenance and the registers about it: an SCTLR bit for EL0, an HCR bit below EL2. */
static unsigned cache_trap(const A64Cpu *cpu, unsigned el, uint64_t el0_bit, uint64_t hcr_bits)
{
    if (el == 0 && el0_bit && !sctlr_allows(cpu, el0_bit)) {
        return to_el1(cpu);
    }
    return el2_traps(cpu, el, hcr_bits) ? 2 : 0;
}

/* CPACR_EL1, CPTR_EL2: CPTR_EL2.TCPAC, CPTR_EL3.TCPAC. */
static unsigned cpacr_trap(const A64Cpu *cpu, A64Trap trap, unsigned el)
{
    if (trap == TRAP_CPACR && el == 1 && a64_el2_on(cpu) && (cpu->sys.cptr_el2 & BIT(31))) {
        return 2;
    }
    return el < 3 && a64_has(cpu, A64_FEAT_EL3) && (cpu->sys.cptr_el3 & BIT(31)) ? 3 : 0;
}

/* A bit of HCR_EL2 and one of SCR_EL3. */
static unsigned both_trap(const A64Cpu *cpu, unsigned el, bool el2, bool el3)
{
    return el < 2 && el2 ? 2 : el < 3 && a64_has(cpu, A64_FEAT_EL3) && el3 ? 3 : 0;
}

unsigned a64_reg_trap(const A64Cpu *cpu, const A64Reg *r, bool write, unsigned el)
{
    uint64_t scr = cpu->sys.scr;
    switch ((A64Trap)r->trap) {
    case TRAP_NONE: return 0;
    case TRAP_TVM: return el == 1 && el2_traps(cpu, el, write ? HCR_TVM : HCR_TRVM) ? 2 : 0;
    case TRAP_TID1: return el2_traps(cpu, el, HCR_TID1) ? 2 : 0;
    case TRAP_TID2: return el2_traps(cpu, el, HCR_TID2) ? 2 : 0;
    case TRAP_TID3: return el2_traps(cpu, el, HCR_TID3) ? 2 : 0;
    case TRAP_TID4: return el2_traps(cpu, el, HCR_TID2 | HCR_TID4) ? 2 : 0;
    case TRAP_CTR: return cache_trap(cpu, el, SCTLR_UCT, HCR_TID2);
    case TRAP_TACR: return el2_traps(cpu, el, HCR_TACR) ? 2 : 0;
    case TRAP_CPACR:
    case TRAP_CPTR2: return cpacr_trap(cpu, (A64Trap)r->trap, el);
    case TRAP_DAIF: return el == 0 && !sctlr_allows(cpu, SCTLR_UMA) ? to_el1(cpu) : 0;
    case TRAP_CNTFRQ:
    case TRAP_CNTVCT:
    case TRAP_CNTPCT:
    case TRAP_CNTV:
    case TRAP_CNTP:
    case TRAP_CNTPS: return timer_trap(cpu, (A64Trap)r->trap, el);
    case TRAP_PMU:
    case TRAP_PMCR:
    case TRAP_PMUSER:
    case TRAP_PMCC: return pmu_trap(cpu, (A64Trap)r->trap, write, el);
    case TRAP_DEBUG:
    case TRAP_DEBUG_OS:
    case TRAP_DEBUG_ROM: return debug_trap(cpu, (A64Trap)r->trap, el);
    case TRAP_DC_VA: return cache_trap(cpu, el, SCTLR_UCI, HCR_TPC);
    case TRAP_DC_SW: return el2_traps(cpu, el, HCR_TSW) ? 2 : 0;
    case TRAP_DC_ZVA: return cache_trap(cpu, el, SCTLR_DZE, HCR_TDZ);
    case TRAP_IC: return cache_trap(cpu, el, SCTLR_UCI, HCR_TPU);
    case TRAP_DCZID: return 0;
    case TRAP_PAUTH:
        return both_trap(cpu, el, a64_el2_on(cpu) && !(a64_hcr(cpu) & HCR_APK), !(scr & SCR_APK));
    case TRAP_ERR: return both_trap(cpu, el, el2_traps(cpu, el, HCR_TERR), (scr & SCR_TERR) != 0);
    case TRAP_LOR:
        return a64_is_secure(cpu)
                   ? A64_TRAP_UNDEF
                   : both_trap(cpu, el, el2_traps(cpu, el, HCR_TLOR), (scr & SCR_TLOR) != 0);
    default: return 0;
    }
}

bool a64_regs_trapped(const A64Cpu *cpu)
{
    static const uint64_t rare = HCR_TVM | HCR_TRVM | HCR_TID1 | HCR_TID2 | HCR_TID3 | HCR_TID4 |
                                 HCR_TACR | HCR_TSW | HCR_TPC | HCR_TPU | HCR_TDZ | HCR_TERR |
                                 HCR_TLOR | HCR_TIDCP;
    unsigned el = a64_cur_el(cpu);
    if (el < 2 && (a64_hcr(cpu) & rare)) {
        return true;
    }
    if (el < 2 && a64_el2_on(cpu) && !a64_in_host(cpu) &&
        ((cpu->sys.mdcr_el2 & 0xfff) || cnthctl_traps(cpu, el, 0) || cnthctl_traps(cpu, el, 1) ||
         !(cpu->sys.hcr & HCR_APK) || (cpu->sys.cptr_el2 & BIT(31)))) {
        return true;
    }
    if (a64_has(cpu, A64_FEAT_EL3) && el < 3 &&
        ((cpu->sys.mdcr_el3 & (MDCR_TPM | MDCR_TDA | MDCR_TDOSA)) ||
         (cpu->sys.cptr_el3 & BIT(31)))) {
        return true;
    }
    static const uint64_t el0_needs = SCTLR_UCT | SCTLR_UCI | SCTLR_DZE;
    return el == 0 && ((cpu->sys.sctlr[a64_in_host(cpu) ? 2 : 1] & el0_needs) != el0_needs ||
                       !(el0_timer_control(cpu) & 2));
}
