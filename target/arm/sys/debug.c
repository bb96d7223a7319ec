/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hardware breakpoints and watchpoints.
 *
 * Source: Arm ARM (DDI 0487), D2.8 to D2.10; pseudo-code AArch64.BreakpointMatch,
 * AArch64.WatchpointMatch. Software step: exception.c.
 *
 * Breakpoints cost nothing until one is enabled: then a mode bit makes every instruction ask.
 * Watchpoints make the translations of their pages take the slow path, which asks.
 * Not modelled: linked and context-matching kinds (BT other than 0, WT): they never match.
 */
#include "target/arm/sys/regs.h"

enum { MDSCR_MDE = 1 << 15, CR_E = 1 };

/* PMC or PAC, HMC, SSC: is it for this level? */
static bool for_level(uint64_t cr, unsigned el)
{
    unsigned pmc = cr >> 1 & 3, hmc = cr >> 13 & 1, ssc = cr >> 14 & 3;
    switch (el) {
    case 0: return pmc & 2;
    case 1: return pmc & 1;
    case 2: return hmc && (pmc || ssc == 3);
    default: return false;
    }
}

static bool debug_on(const A64Cpu *cpu)
{
    return (cpu->sys.mdscr & MDSCR_MDE) &&
           a64_debug_enabled(cpu, a64_cur_el(cpu), (cpu->daif & A64_PS_D) != 0);
}

bool a64_breakpoints_on(const A64Cpu *cpu)
{
    uint64_t any = 0;
    for (unsigned n = 0; n < A64_N_BREAKPOINTS; n++) {
        any |= cpu->sys.dbgbcr[n] & CR_E;
    }
    return any && debug_on(cpu);
}

bool a64_breakpoint_hit(const A64Cpu *cpu, uint64_t pc)
{
    unsigned el = a64_cur_el(cpu);
    for (unsigned n = 0; n < A64_N_BREAKPOINTS; n++) {
        uint64_t cr = cpu->sys.dbgbcr[n], vr = cpu->sys.dbgbvr[n];
        bool plain = (cr >> 20 & 15) == 0, same = ((pc ^ vr) & mask64(49) & ~3ull) == 0;
        if ((cr & CR_E) && plain && same && (cr >> 5 & 15) == 15 && for_level(cr, el)) {
            return true;
        }
    }
    return false;
}

/* First byte and size of what watchpoint n covers; 0: nothing. */
static uint64_t watched_bytes(const A64Cpu *cpu, unsigned n, uint64_t *at)
{
    uint64_t cr = cpu->sys.dbgwcr[n], mask = cr >> 24 & 31, bas = cr >> 5 & 0xff;
    if (!(cr & CR_E) || (cr >> 20 & 1)) {
        return 0;
    }
    if (mask > 2) {
        *at = cpu->sys.dbgwvr[n] & ~mask64((unsigned)mask);
        return 1ull << mask;
    }
    if (!bas) {
        return 0;
    }
    unsigned first = (unsigned)__builtin_ctzll(bas), last = 63 - (unsigned)__builtin_clzll(bas);
    *at = (cpu->sys.dbgwvr[n] & ~3ull) + first;
    return last - first + 1;
}

static bool overlaps(uint64_t at, uint64_t bytes, uint64_t va, uint64_t n)
{
    uint64_t low = mask64(56); /* tags do not count */
    return (at & low) < (va & low) + n && (va & low) < (at & low) + bytes;
}

bool a64_page_watched(const A64Cpu *cpu, uint64_t va)
{
    for (unsigned n = 0; n < A64_N_WATCHPOINTS; n++) {
        uint64_t at = 0, bytes = watched_bytes(cpu, n, &at);
        if (bytes && overlaps(at, bytes, va & ~0xfffull, 4096)) {
            return true;
        }
    }
    return false;
}

bool a64_sys_watch(struct TcgCpu *tc, uint64_t va, unsigned bytes, TcgAccess access,
                   TcgMmuIndex mmu)
{
    A64Cpu *cpu = a64_of(tc);
    unsigned el = mmu == TCG_MMU_USER ? 0 : a64_cur_el(cpu), kind = access == TCG_WRITE ? 2 : 1;
    if (!debug_on(cpu)) {
        return false;
    }
    for (unsigned n = 0; n < A64_N_WATCHPOINTS; n++) {
        uint64_t at = 0, size = watched_bytes(cpu, n, &at), cr = cpu->sys.dbgwcr[n];
        if (size && (cr >> 3 & kind) && for_level(cr, el) && overlaps(at, size, va, bytes)) {
            cpu->sys.fault = (A64Fault){.watch = true, .ipa = at > va ? at : va};
            return true;
        }
    }
    return false;
}

/* A watchpoint moved or went: pages are entered anew, watched or not. */
A64_REG_WRITE(watch)
{
    *a64_reg_field(cpu, r) = a64_reg_masked(r, v);
    if (cpu->tcg.vcpu) {
        tcg_tlb_invalidate(&cpu->tcg, &(TcgTlbOp){0});
    }
}
