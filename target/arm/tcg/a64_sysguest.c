/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The A64 guest of machines: the same slots, helpers and translate functions as a64_guest, with a
 * mode word of EL1 and up and a TcgSystem.
 *
 * The mode word holds what translation looks at, and nothing else: PAN or ASIDs are of the context
 * key (sys/tlb.c), interrupt masks of nothing.
 */
#include "target/arm/sys/sys.h"
#include "target/arm/tcg/a64_disas.h"
#include "target/arm/tcg/a64_guest.h"

/* SCTLR_ELx.SA, or SA0 for EL0: SP is checked. */
static uint64_t sp_mode(const A64Cpu *cpu, uint64_t sctlr)
{
    return sctlr & (a64_cur_el(cpu) ? SCTLR_SA : SCTLR_SA0) ? A64_MODE_SPCHECK : 0;
}

static uint64_t tbi_mode(const A64Cpu *cpu, unsigned level)
{
    uint64_t tcr = cpu->sys.tcr[level];
    bool two = level == 1 || (level == 2 && (a64_hcr(cpu) & HCR_E2H));
    if (!two) {
        return tcr >> 20 & 1 ? A64_MODE_TBI0 : 0;
    }
    return (tcr >> 37 & 1 ? A64_MODE_TBI0 : 0) | (tcr >> 38 & 1 ? A64_MODE_TBI1 : 0);
}

/* LDTR and STTR act for EL0. */
static bool unprivileged(const A64Cpu *cpu, unsigned el)
{
    bool from = el == 1 || (el == 2 && a64_in_host(cpu));
    return from && !(cpu->sys.pstate & A64_PS_UAO);
}

/* Keys that are off; traps; another layout than the one checked inline. */
static uint64_t pauth_mode(const A64Cpu *cpu, uint64_t sctlr, uint64_t mask[2][2])
{
    static const uint8_t enable[4] = {31, 30, 27, 13}; /* SCTLR_ELx.EnIA, EnIB, EnDA, EnDB */
    static const uint64_t lower = 0x7full << 48, upper = 0xff7full << 48;
    uint64_t mode = 0;
    for (unsigned k = 0; k < 4; k++) {
        mode |= sctlr >> enable[k] & 1 ? 0 : (uint64_t)A64_MODE_NO_IA << k;
    }
    for (unsigned data = 0; data < 2; data++) {
        mask[data][0] = a64_pac_mask(cpu, !data, false);
        mask[data][1] = a64_pac_mask(cpu, !data, true);
        if (mask[data][0] != lower || mask[data][1] != upper) {
            mode |= data ? A64_MODE_PACODD_DATA : A64_MODE_PACODD;
        }
    }
    bool any = (mode & 15ull * A64_MODE_NO_IA) != 15ull * A64_MODE_NO_IA;
    return mode | (any && a64_pauth_trap_level(cpu) ? A64_MODE_PACTRAP : 0);
}

static uint64_t compute_mode(const A64Cpu *cpu, uint64_t pac_mask[2][2])
{
    unsigned el = a64_cur_el(cpu), level = a64_regime_el(cpu);
    uint32_t ps = cpu->sys.pstate;
    uint64_t mode = A64_MODE_SYSTEM | (uint64_t)el << A64_MODE_EL_SHIFT;
    mode |= sp_mode(cpu, cpu->sys.sctlr[level]) | tbi_mode(cpu, level);
    mode |= a64_fp_trap_level(cpu) ? A64_MODE_FPTRAP : 0;
    mode |= a64_hcr(cpu) & HCR_E2H ? A64_MODE_E2H : 0;
    mode |= a64_regs_trapped(cpu) ? A64_MODE_TRAPS : 0;
    mode |= unprivileged(cpu, el) ? A64_MODE_UNPRIV : 0;
    mode |= ps & A64_PS_IL ? A64_MODE_IL : 0;
    mode |= ps & A64_PS_SP ? A64_MODE_SPSEL : 0;
    if (a64_has(cpu, A64_FEAT_PAuth)) {
        mode |= pauth_mode(cpu, cpu->sys.sctlr[level], pac_mask);
    }
    if (a64_has(cpu, A64_FEAT_BTI)) {
        mode |= A64_MODE_BTI;
    }
    return mode;
}

/* The view of the current level, made anew when it is stale. Mode and context are asked for at
 * every exception and return: this makes them two loads. */
static const A64View *current_view(const struct TcgCpu *tc)
{
    A64Cpu *cpu = (A64Cpu *)(uintptr_t)a64_of_const(tc); /* a cache: no state of the guest */
    A64View *v = &cpu->sys.view[a64_cur_el(cpu)];
    if (!v->valid || v->pstate != cpu->sys.pstate) {
        *v = (A64View){
            .valid = true,
            .pstate = cpu->sys.pstate,
            .context = {a64_sys_context(tc, TCG_MMU_CURRENT), a64_sys_context(tc, TCG_MMU_USER)}};
        v->mode = compute_mode(cpu, v->pac_mask);
    }
    return v;
}

static uint64_t a64_sys_mode(const struct TcgCpu *tc)
{
    const A64Cpu *cpu = a64_of_const(tc);
    uint64_t mode = current_view(tc)->mode | a64_fp_mode(cpu);
    if ((cpu->sys.mdscr & 1) && a64_stepping(cpu)) {
        mode |= cpu->sys.pstate & A64_PS_SS ? A64_MODE_STEP : A64_MODE_STEPPED;
    }
    if ((cpu->sys.mdscr & 1 << 15) && a64_breakpoints_on(cpu)) {
        mode |= A64_MODE_BREAK;
    }
    return (mode & A64_MODE_SPCHECK) && (cpu->sp & 15) ? mode | A64_MODE_SPBAD : mode;
}

static uint64_t a64_view_context(const struct TcgCpu *tc, TcgMmuIndex mmu)
{
    return current_view(tc)->context[mmu];
}

static const TcgSystem a64_system = {
    .init = a64_sys_init,
    .fini = a64_sys_fini,
    .context = a64_view_context,
    .walk = a64_sys_walk,
    .fault = a64_sys_fault,
    .watch = a64_sys_watch,
    .bus_error = a64_sys_bus_error,
    .exception = a64_sys_exception,
    .interrupt = a64_sys_interrupt,
    .wake = a64_sys_wake,
    .reset = a64_sys_reset,
    .start = a64_sys_start,
    .guarded_mode = A64_MODE_GUARDED,
    .print_regs = a64_sys_print,
    .debug_translate = a64_sys_debug_translate,
    .save = a64_sys_save,
    .load = a64_sys_load,
};

const A64SysOps a64_sysops = {
    .use = a64_reg_use,
    .read = a64_reg_read,
    .write = a64_reg_write,
    .eret = a64_op_eret,
    .call = a64_op_call,
    .break_hit = a64_breakpoint_hit,
};

const TcgGuest a64_system_guest = {
    .name = "aarch64",
    .cpu_bytes = sizeof(A64Cpu),
    .slots = a64_slots,
    .n_slots = A64_N_SLOTS,
    .pc_slot = A64_S_PC,
    .flags_slot = A64_S_NZCV,
    .helpers = a64_helper_table,
    .n_helpers = A64_N_HELPERS,
    .fp = a64_fp_eval,
    .fp_native = a64_fp_native,
    .fp_flush = a64_fp_flush,
    .mode = a64_sys_mode,
    .mxcsr = a64_mxcsr,
    .translate = a64_translate,
    .disas = a64_disas,
    .system = &a64_system,
};
