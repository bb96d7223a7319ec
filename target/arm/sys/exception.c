/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions of A64: entry, return, routing, interrupts, and the instructions that may trap.
 *
 * Source: Arm ARM (DDI 0487), D1.3 "Exceptions", D19.2.40 ESR_ELx; pseudo-code
 * AArch64.TakeException, AArch64.ExceptionReturn, IllegalExceptionReturn, AArch64.DataAbort.
 * Not modelled: AArch32 at any level (a return to it is illegal), implicit error synchronization,
 * syndromes of SError beyond 0.
 */
#include "target/arm/sys/sys.h"

#include <sched.h>

#include "target/arm/decode/a64_decode.h"

/* ---- where we are ---- */

bool a64_is_secure(const A64Cpu *cpu)
{
    if (!a64_has(cpu, A64_FEAT_EL3)) {
        return false;
    }
    return a64_cur_el(cpu) == 3 || !(cpu->sys.scr & SCR_NS);
}

bool a64_el2_on(const A64Cpu *cpu)
{
    return a64_has(cpu, A64_FEAT_EL2) &&
           (!a64_has(cpu, A64_FEAT_EL3) || (cpu->sys.scr & SCR_NS) != 0);
}

uint64_t a64_hcr(const A64Cpu *cpu)
{
    return a64_el2_on(cpu) ? cpu->sys.hcr : 0;
}

bool a64_in_host(const A64Cpu *cpu)
{
    return (a64_hcr(cpu) & (HCR_E2H | HCR_TGE)) == (HCR_E2H | HCR_TGE);
}

unsigned a64_regime_el(const A64Cpu *cpu)
{
    unsigned el = a64_cur_el(cpu);
    return el ? el : a64_in_host(cpu) ? 2 : 1;
}

/* Where a synchronous exception of the current level goes that nothing routes. */
static unsigned default_target(const A64Cpu *cpu)
{
    unsigned el = a64_cur_el(cpu);
    return el ? el : a64_hcr(cpu) & HCR_TGE ? 2 : 1;
}

/* ---- PSTATE ---- */

uint32_t a64_spsr_get(const A64Cpu *cpu)
{
    return a64_nzcv_get(cpu) | cpu->daif | cpu->ssbs | cpu->btype << 10 | cpu->sys.pstate;
}

static uint64_t *sp_bank(A64Cpu *cpu)
{
    return &cpu->sys.sp_el[cpu->sys.pstate & A64_PS_SP ? a64_cur_el(cpu) : 0];
}

void a64_set_el(A64Cpu *cpu, unsigned el, unsigned spsel)
{
    *sp_bank(cpu) = cpu->sp;
    cpu->sys.pstate = (cpu->sys.pstate & ~(uint32_t)(A64_PS_EL | A64_PS_SP)) | el << 2 | spsel;
    cpu->sp = *sp_bank(cpu);
}

void a64_poll_interrupts(A64Cpu *cpu)
{
    __atomic_fetch_or(&cpu->tcg.request, (uint32_t)TCG_REQ_IRQ, __ATOMIC_ACQ_REL);
}

/* ---- entry ---- */

enum { VECTOR_SYNC = 0, VECTOR_IRQ = 0x80, VECTOR_FIQ = 0x100, VECTOR_SERROR = 0x180 };

/* PSTATE.PAN is set on entry unless SCTLR.SPAN says no. */
static bool entry_sets_pan(const A64Cpu *cpu, unsigned target)
{
    bool applies = target == 1 || (target == 2 && a64_in_host(cpu));
    return applies && a64_has(cpu, A64_FEAT_PAN) && !(cpu->sys.sctlr[target] & SCTLR_SPAN);
}

/* AArch64.TakeException() but for ESR and FAR. */
static void enter(A64Cpu *cpu, unsigned target, unsigned vector)
{
    A64Sys *s = &cpu->sys;
    unsigned from = a64_cur_el(cpu);
    vector += target > from ? 0x400 : s->pstate & A64_PS_SP ? 0x200 : 0;
    s->spsr[target] = a64_spsr_get(cpu);
    s->elr[target] = cpu->pc;
    bool pan = entry_sets_pan(cpu, target);
    a64_set_el(cpu, target, 1);
    s->pstate &= ~(uint32_t)(A64_PS_IL | A64_PS_SS | A64_PS_UAO);
    if (pan) {
        s->pstate |= A64_PS_PAN;
    }
    cpu->daif = A64_PS_DAIF;
    cpu->btype = 0;
    if (a64_has(cpu, A64_FEAT_SSBS)) {
        cpu->ssbs = s->sctlr[target] & SCTLR_DSSBS ? A64_PS_SSBS : 0;
    }
    cpu->pc = (s->vbar[target] & ~0x7ffull) + vector;
}

void a64_take_sync(A64Cpu *cpu, unsigned target, uint32_t esr, const uint64_t *far)
{
    if (!target) {
        target = default_target(cpu);
    }
    enter(cpu, target, VECTOR_SYNC);
    cpu->sys.esr[target] = esr;
    if (far) {
        cpu->sys.far[target] = *far;
    }
}

void a64_raise(A64Cpu *cpu, unsigned target, uint32_t esr)
{
    tcg_raise(&cpu->tcg, TCG_EXIT_SYSTEM, a64_exc_info(A64_EXC_ESR, target, esr));
}

void a64_raise_undef(A64Cpu *cpu)
{
    tcg_raise(&cpu->tcg, TCG_EXIT_UNDEF, 0);
}

/* ---- return ---- */

static bool el_exists(const A64Cpu *cpu, unsigned el)
{
    return el <= 1 || (el == 2 && a64_has(cpu, A64_FEAT_EL2)) ||
           (el == 3 && a64_has(cpu, A64_FEAT_EL3));
}

/* IllegalExceptionReturn() */
static bool illegal_return(const A64Cpu *cpu, uint64_t spsr)
{
    unsigned to = spsr >> 2 & 3, from = a64_cur_el(cpu);
    bool el2_there = !a64_has(cpu, A64_FEAT_EL3) || (cpu->sys.scr & SCR_NS);
    if ((spsr & A64_PS_NRW) || (spsr & 2) || to > from || !el_exists(cpu, to)) {
        return true;
    }
    if ((to == 0 && (spsr & A64_PS_SP)) || (to == 2 && !el2_there)) {
        return true;
    }
    bool tge = a64_has(cpu, A64_FEAT_EL2) && el2_there && (cpu->sys.hcr & HCR_TGE);
    return to == 1 && tge;
}

/* The address a branch to EL `el` ends up at: BranchAddr(). */
static uint64_t branch_address(const A64Cpu *cpu, uint64_t pc)
{
    unsigned el = a64_regime_el(cpu);
    bool two = el == 1 || (el == 2 && (a64_hcr(cpu) & HCR_E2H)), top = pc >> 55 & 1;
    uint64_t tcr = cpu->sys.tcr[el];
    bool tbi = two ? tcr >> (top ? 38 : 37) & 1 : tcr >> 20 & 1;
    if (!tbi) {
        return pc;
    }
    return two && top ? pc | 0xffull << 56 : pc & ~0ull >> 8;
}

/* PSTATE from an SPSR, all but NZCV and the stack pointer's choice. */
static void set_pstate(A64Cpu *cpu, uint64_t spsr)
{
    uint32_t keep = 0;
    keep |= a64_has(cpu, A64_FEAT_PAN) ? A64_PS_PAN : 0;
    keep |= a64_has(cpu, A64_FEAT_UAO) ? A64_PS_UAO : 0;
    keep |= a64_has(cpu, A64_FEAT_DIT) ? A64_PS_DIT : 0;
    cpu->sys.pstate =
        (cpu->sys.pstate & (A64_PS_EL | A64_PS_SP | A64_PS_IL)) | ((uint32_t)spsr & keep);
    cpu->daif = (uint32_t)spsr & A64_PS_DAIF;
    cpu->ssbs = a64_has(cpu, A64_FEAT_SSBS) ? (uint32_t)spsr & A64_PS_SSBS : 0;
    cpu->btype = a64_has(cpu, A64_FEAT_BTI) ? (uint32_t)spsr >> 10 & 3 : 0;
    a64_nzcv_set(cpu, (uint32_t)spsr);
}

/* Level whose debug exceptions software step makes. */
static unsigned debug_level(const A64Cpu *cpu)
{
    return a64_el2_on(cpu) && ((cpu->sys.mdcr_el2 & MDCR_TDE) || (a64_hcr(cpu) & HCR_TGE)) ? 2 : 1;
}

bool a64_debug_enabled(const A64Cpu *cpu, unsigned el, bool masked)
{
    unsigned to = debug_level(cpu);
    if (cpu->sys.oslsr & 2 || el > to || el == 3) { /* OS Lock */
        return false;
    }
    return el < to || ((cpu->sys.mdscr & BIT(13)) && !masked);
}

/* DebugExceptionReturnSS(): the step bit is taken over where stepping goes from off to on. */
static uint32_t step_after_return(const A64Cpu *cpu, uint64_t spsr, bool was_on)
{
    bool on = a64_debug_enabled(cpu, a64_cur_el(cpu), (spsr & A64_PS_D) != 0);
    return (cpu->sys.mdscr & 1) && !was_on && on ? (uint32_t)spsr & A64_PS_SS : 0;
}

void a64_op_eret(A64Cpu *cpu, uint64_t target, bool authenticated)
{
    A64Sys *s = &cpu->sys;
    unsigned from = a64_cur_el(cpu);
    bool stepping = a64_debug_enabled(cpu, from, (cpu->daif & A64_PS_D) != 0);
    uint64_t spsr = s->spsr[from], pc = authenticated ? target : s->elr[from];
    cpu->excl_addr = ~0ull;
    s->event = 1;
    if (illegal_return(cpu, spsr)) {
        /* EL, SP stay; NZCV, DAIF come; IL is set: the next instruction raises */
        set_pstate(cpu, (spsr & ~(uint64_t)(A64_PS_PAN | A64_PS_UAO | A64_PS_DIT)) |
                            (s->pstate & (A64_PS_PAN | A64_PS_UAO | A64_PS_DIT)));
        s->pstate |= A64_PS_IL;
        cpu->pc = pc;
    } else {
        a64_set_el(cpu, spsr >> 2 & 3, spsr & A64_PS_SP);
        set_pstate(cpu, spsr);
        s->pstate = (s->pstate & ~(uint32_t)A64_PS_IL) | ((uint32_t)spsr & A64_PS_IL);
        s->pstate |= step_after_return(cpu, spsr, stepping);
        cpu->pc = branch_address(cpu, pc);
    }
    if (cpu->irq_held) {
        a64_poll_interrupts(cpu);
    }
    tcg_raise(&cpu->tcg, TCG_EXIT_ISB, 0);
}

/* ---- interrupts ---- */

typedef struct Interrupt {
    uint8_t line, vector;
    uint32_t mask;     /* PSTATE bit */
    uint64_t scr, hcr; /* physical: routed to EL3, EL2 by these */
    uint64_t virt;     /* virtual: HCR bit that makes it pending, beside the line */
} Interrupt;

/* In order of priority. */
static const Interrupt interrupts[] = {
    {CPU_LINE_SERROR, 3, A64_PS_A, SCR_EA, HCR_AMO, 0},
    {CPU_LINE_FIQ, 2, A64_PS_F, SCR_FIQ, HCR_FMO, 0},
    {CPU_LINE_IRQ, 1, A64_PS_I, SCR_IRQ, HCR_IMO, 0},
    {CPU_N_LINES, 3, A64_PS_A, 0, HCR_AMO, HCR_VSE},
    {CPU_LINE_VFIQ, 2, A64_PS_F, 0, HCR_FMO, HCR_VF},
    {CPU_LINE_VIRQ, 1, A64_PS_I, 0, HCR_IMO, HCR_VI},
};
enum { N_INTERRUPTS = sizeof(interrupts) / sizeof(interrupts[0]) };

static uint32_t port_lines(const A64Cpu *cpu)
{
    return atomic_load_explicit(&cpu->sys.port->lines, memory_order_acquire);
}

static bool pending(const A64Cpu *cpu, const Interrupt *i, uint32_t lines)
{
    return (lines >> i->line & 1) || (i->virt && (a64_hcr(cpu) & i->virt));
}

/* The level a pending interrupt is taken to now, 0: not now. */
static unsigned interrupt_target(const A64Cpu *cpu, const Interrupt *i)
{
    unsigned el = a64_cur_el(cpu), target = 1;
    uint64_t hcr = a64_hcr(cpu);
    bool masked = (cpu->daif & i->mask) != 0;
    if (!i->scr) { /* virtual */
        bool on = (hcr & i->hcr) && !(hcr & HCR_TGE);
        return on && el < 2 && !masked ? 1 : 0;
    }
    if (a64_has(cpu, A64_FEAT_EL3) && (cpu->sys.scr & i->scr)) {
        target = 3;
    } else if (hcr & (i->hcr | HCR_TGE)) {
        target = 2;
    }
    if (target < el) {
        return 0;
    }
    bool mask_counts = target == el || target == 1 || (target == 2 && el == 0 && a64_in_host(cpu));
    return masked && mask_counts ? 0 : target;
}

bool a64_sys_interrupt(struct TcgCpu *tc)
{
    A64Cpu *cpu = a64_of(tc);
    uint32_t lines = port_lines(cpu);
    cpu->irq_held = 0;
    if (!lines && !(cpu->sys.hcr & (HCR_VI | HCR_VF | HCR_VSE))) {
        return false;
    }
    for (const Interrupt *i = interrupts; i < interrupts + N_INTERRUPTS; i++) {
        if (!pending(cpu, i, lines)) {
            continue;
        }
        cpu->irq_held = 1; /* also when it is taken: the line stays high until it is acknowledged */
        unsigned target = interrupt_target(cpu, i);
        if (target) {
            if (i->virt == HCR_VSE) {
                cpu->sys.hcr &= ~HCR_VSE;
            }
            enter(cpu, target, i->vector * 0x80u);
            if (i->vector == 3) {
                uint32_t iss = i->virt ? (uint32_t)cpu->sys.vsesr & 0x1ffffff : 0;
                cpu->sys.esr[target] = a64_esr(EC_SERROR, iss);
            }
            return true;
        }
    }
    return false;
}

bool a64_sys_wake(const struct TcgCpu *tc)
{
    const A64Cpu *cpu = a64_of_const(tc);
    uint32_t lines = port_lines(cpu);
    uint64_t hcr = a64_hcr(cpu);
    for (const Interrupt *i = interrupts; i < interrupts + N_INTERRUPTS; i++) {
        /* masked or not, but a virtual one only where it could be taken */
        bool counts = i->scr || ((hcr & i->hcr) && !(hcr & HCR_TGE) && a64_cur_el(cpu) < 2);
        if (counts && pending(cpu, i, lines)) {
            return true;
        }
    }
    return false;
}

/* ---- aborts ---- */

static bool fetch_word(A64Cpu *cpu, uint32_t *word)
{
    uint64_t gpa;
    uint32_t w;
    if (!a64_sys_debug_translate(&cpu->tcg, cpu->pc, &gpa)) {
        return false;
    }
    AddressSpace *as = a64_is_secure(cpu) ? cpu->sys.port->as_secure : cpu->sys.port->as;
    MemAttrs attrs = {.debug = true, .secure = a64_is_secure(cpu)};
    if (mem_load_le32(as, gpa, &w, attrs) != MEM_OK) {
        return false;
    }
    *word = w;
    return true;
}

/* SYS of the cache maintenance by address: the abort says CM and, as for a write, WnR. */
static bool is_cache_op(uint32_t word)
{
    return (word & 0xfff80000) == 0xd5080000 && (word >> 12 & 15) == 7 && (word >> 8 & 15) != 8 &&
           (word & 0xffffffe0) != 0xd50b7420; /* DC ZVA writes like a store */
}

/* ISS.ISV and what goes with it: one general register, no write-back (else 0). */
static uint32_t access_syndrome(uint32_t word)
{
    bool immediate = (word & 0x3b000000) == 0x39000000; /* unsigned offset */
    bool unscaled = (word & 0x3b200400) == 0x38000000;  /* LDUR, LDTR */
    bool regoffset = (word & 0x3b200c00) == 0x38200800;
    bool acquire = (word & 0x3f808000) == 0x08808000 && (word & 0x200000) == 0; /* LDAR, STLR */
    unsigned size = word >> 30, opc = word >> 22 & 3, rt = word & 31;
    if (acquire) {
        return 1u << 24 | size << 22 | rt << 16 | (size == 3) << 15 | 1u << 14;
    }
    if (!(immediate || unscaled || regoffset) || (size == 3 && opc >= 2)) {
        return 0;
    }
    bool sf = opc == 2 || (opc < 2 && size == 3);
    return 1u << 24 | size << 22 | (uint32_t)(opc >= 2) << 21 | rt << 16 | (uint32_t)sf << 15;
}

/* LSE read-modify-write, CAS, CASP: both a read and a write. */
static bool is_atomic(uint32_t word)
{
    return (word & 0x3b200c00) == 0x38200000 || (word & 0x3fa07c00) == 0x08a07c00 ||
           (word & 0xbfa07c00) == 0x08207c00;
}

/* An atomic's abort is a read's if a read would fault, too. */
static bool read_faults(A64Cpu *cpu, uint64_t va, TcgMmuIndex mmu)
{
    A64Walk w = a64_walk_of(cpu, TCG_READ, mmu);
    A64Found found;
    A64Fault fault;
    w.debug = true;
    return !a64_mmu_walk(cpu, &w, va, &found, &fault);
}

static uint32_t data_iss(A64Cpu *cpu, const A64Fault *f, uint64_t va, TcgAccess access)
{
    uint32_t iss = f->fsc | (uint32_t)f->s1ptw << 7 | (uint32_t)(access == TCG_WRITE) << 6, word;
    if (!fetch_word(cpu, &word)) {
        return iss;
    }
    bool external = f->fsc == 0x10;
    if (is_atomic(word) && (external || read_faults(cpu, va, TCG_MMU_CURRENT))) {
        iss &= ~(1u << 6);
    }
    if (is_cache_op(word)) {
        return iss | 1u << 8 | 1u << 6;
    }
    return f->stage2 && !f->s1ptw ? iss | access_syndrome(word) : iss;
}

static unsigned abort_target(const A64Cpu *cpu, const A64Fault *f)
{
    bool external = (f->fsc & 0x3c) == 0x14 || f->fsc == 0x10 || f->fsc == 0x13;
    if (external && a64_has(cpu, A64_FEAT_EL3) && (cpu->sys.scr & SCR_EA)) {
        return 3;
    }
    bool to_el2 = f->stage2 || (external && (a64_hcr(cpu) & HCR_TEA));
    return to_el2 && a64_cur_el(cpu) < 2 ? 2 : 0;
}

static void take_abort(A64Cpu *cpu, uint64_t va, TcgAccess access, A64Fault f)
{
    unsigned target = abort_target(cpu, &f), from = a64_cur_el(cpu);
    uint32_t iss = f.fsc | (uint32_t)f.s1ptw << 7;
    unsigned ec = EC_IABT;
    if (access != TCG_FETCH) {
        ec = EC_DABT;
        iss = data_iss(cpu, &f, va, access);
    } else {
        cpu->pc = branch_address(cpu, cpu->pc);
        va = branch_address(cpu, va);
    }
    target = target ? target : default_target(cpu);
    if (f.stage2) {
        cpu->sys.hpfar = f.ipa >> 12 << 4;
    }
    a64_take_sync(cpu, target, a64_esr(ec + (target == from), iss), &va);
}

/* A debug exception; ec + 1 from its own level. */
static void take_debug(A64Cpu *cpu, unsigned ec, uint32_t iss, const uint64_t *far)
{
    unsigned el = a64_cur_el(cpu), to = debug_level(cpu);
    to = to > el ? to : default_target(cpu);
    a64_take_sync(cpu, to, a64_esr(ec + (to == el), iss), far);
}

void a64_sys_fault(struct TcgCpu *tc, uint64_t va, TcgAccess access, TcgMmuIndex mmu)
{
    A64Cpu *cpu = a64_of(tc);
    (void)mmu;
    if (cpu->sys.fault.watch) {
        uint64_t at = cpu->sys.fault.ipa; /* the first byte that is watched */
        take_debug(cpu, EC_WATCHPOINT, 0x22 | (uint32_t)(access == TCG_WRITE) << 6, &at);
        return;
    }
    take_abort(cpu, va, access, cpu->sys.fault);
}

bool a64_sys_bus_error(struct TcgCpu *tc, uint64_t va, TcgAccess access, TcgMmuIndex mmu)
{
    (void)mmu;
    take_abort(a64_of(tc), va, access, (A64Fault){.fsc = 0x10});
    return true;
}

/* ---- what generated code leaves with ---- */

/* CPTR_EL2 traps FP at level el. */
static bool cptr_el2_traps(const A64Cpu *cpu, unsigned el)
{
    if (!(a64_hcr(cpu) & HCR_E2H)) {
        return (cpu->sys.cptr_el2 & BIT(10)) != 0;
    }
    unsigned fpen = cpu->sys.cptr_el2 >> 20 & 3;
    return !(fpen & 1) || (fpen == 1 && el == 0 && (a64_hcr(cpu) & HCR_TGE));
}

unsigned a64_fp_trap_level(const A64Cpu *cpu)
{
    unsigned el = a64_cur_el(cpu), fpen = cpu->sys.cpacr >> 20 & 3;
    if (el < 2 && !a64_in_host(cpu) && (!(fpen & 1) || (fpen == 1 && el == 0))) {
        return 1;
    }
    if (el < 3 && a64_el2_on(cpu) && cptr_el2_traps(cpu, el)) {
        return 2;
    }
    return a64_has(cpu, A64_FEAT_EL3) && (cpu->sys.cptr_el3 & BIT(10)) ? 3 : 0;
}

unsigned a64_pauth_trap_level(const A64Cpu *cpu)
{
    unsigned el = a64_cur_el(cpu);
    if (el < 2 && a64_el2_on(cpu) && !a64_in_host(cpu) && !(cpu->sys.hcr & HCR_API)) {
        return 2;
    }
    return el < 3 && a64_has(cpu, A64_FEAT_EL3) && !(cpu->sys.scr & SCR_API) ? 3 : 0;
}

static unsigned debug_target(const A64Cpu *cpu)
{
    unsigned el = a64_cur_el(cpu), to = debug_level(cpu);
    return to > el ? to : 0;
}

static void take_system(A64Cpu *cpu, uint64_t info)
{
    unsigned target = info >> 32 & 3, level;
    switch (info >> 56) {
    case A64_EXC_ESR: a64_take_sync(cpu, target, (uint32_t)info, NULL); break;
    case A64_EXC_FP:
        level = a64_fp_trap_level(cpu);
        if (level == 1 && (a64_hcr(cpu) & HCR_TGE)) {
            a64_take_sync(cpu, 2, a64_esr(EC_UNKNOWN, 0), NULL);
        } else {
            a64_take_sync(cpu, level, a64_esr(EC_FP, 1u << 24 | 0xe << 20), NULL);
        }
        break;
    case A64_EXC_SPALIGN: a64_take_sync(cpu, 0, a64_esr(EC_SP_ALIGN, 0), NULL); break;
    case A64_EXC_ILLEGAL: a64_take_sync(cpu, 0, a64_esr(EC_ILLEGAL, 0), NULL); break;
    case A64_EXC_STEP: take_debug(cpu, EC_STEP, 1u << 24 | 0x22, NULL); break;
    case A64_EXC_BREAK: take_debug(cpu, EC_BREAKPOINT, 0x22, NULL); break;
    case A64_EXC_PAUTH:
        a64_take_sync(cpu, a64_pauth_trap_level(cpu), a64_esr(EC_PAUTH, 0), NULL);
        break;
    default: /* A64_EXC_UNMASK */
        a64_step_advance(cpu);
        a64_poll_interrupts(cpu);
        break;
    }
}

/* Alignment faults are aborts of stage 1 whose direction only the instruction knows. */
static bool is_store(A64Cpu *cpu)
{
    uint32_t word;
    if (!fetch_word(cpu, &word)) {
        return false;
    }
    if ((word & 0x3b200c00) == 0x38200000) {
        return true; /* LSE read-modify-write */
    }
    if ((word & 0x3f000000) == 0x08000000) {
        return !(word >> 22 & 1); /* exclusives, acquire, release, CAS */
    }
    bool pair = (word & 0x3a000000) == 0x28000000;
    return pair ? !(word >> 22 & 1) : (word >> 22 & 3) == 0;
}

void a64_sys_exception(struct TcgCpu *tc, TcgExit reason, uint64_t info)
{
    A64Cpu *cpu = a64_of(tc);
    switch (reason) {
    case TCG_EXIT_SYSTEM: take_system(cpu, info); break;
    case TCG_EXIT_SYSCALL:
        a64_step_advance(cpu);
        a64_take_sync(cpu, 0, a64_esr(EC_SVC, info & 0xffff), NULL);
        break;
    case TCG_EXIT_BREAK:
        a64_take_sync(cpu, debug_target(cpu), a64_esr(EC_BRK, info & 0xffff), NULL);
        break;
    case TCG_EXIT_ALIGN:
        take_abort(cpu, info, is_store(cpu) ? TCG_WRITE : TCG_READ, (A64Fault){.fsc = 0x21});
        break;
    case TCG_EXIT_PC_ALIGN: a64_take_sync(cpu, 0, a64_esr(EC_PC_ALIGN, 0), &cpu->pc); break;
    case TCG_EXIT_BTI: a64_take_sync(cpu, 0, a64_esr(EC_BTI, cpu->btype), NULL); break;
    case TCG_EXIT_PAC:
        /* ISS: bit 1 data key, bit 0 key B */
        a64_take_sync(cpu, 0, a64_esr(EC_PAC_FAIL, (info & 2) | (info & 1)), NULL);
        break;
    default: a64_take_sync(cpu, 0, a64_esr(EC_UNKNOWN, 0), NULL); break;
    }
}

/* ---- instructions that may trap ---- */

static void wait_for(A64Cpu *cpu, bool event)
{
    unsigned el = a64_cur_el(cpu), target = 0;
    uint64_t hcr = a64_hcr(cpu), not_trapped = event ? SCTLR_NTWE : SCTLR_NTWI;
    if (event && cpu->sys.event) {
        cpu->sys.event = 0;
        return;
    }
    if (!event && a64_sys_wake(&cpu->tcg)) {
        return; /* nothing to wait for: no trap either */
    }
    if (el == 0 && !(cpu->sys.sctlr[a64_regime_el(cpu)] & not_trapped)) {
        target = default_target(cpu);
    } else if (el < 2 && (hcr & (event ? HCR_TWE : HCR_TWI)) && !a64_in_host(cpu)) {
        target = 2;
    } else if (el < 3 && a64_has(cpu, A64_FEAT_EL3) &&
               (cpu->sys.scr & (event ? SCR_TWE : SCR_TWI))) {
        target = 3;
    }
    if (target) {
        a64_raise(cpu, target, a64_esr(EC_WFX, 1u << 24 | 0xe << 20 | event));
    }
    if (event) {
        sched_yield(); /* an event may come from a store of another CPU: no sleep */
        return;
    }
    cpu->pc += 4;
    tcg_raise(&cpu->tcg, TCG_EXIT_WFI, 0);
}

static void hvc(A64Cpu *cpu, uint32_t imm)
{
    unsigned el = a64_cur_el(cpu);
    if (cpu->sys.conduit == A64_CONDUIT_HVC && a64_psci_call(cpu)) {
        return;
    }
    bool el3 = a64_has(cpu, A64_FEAT_EL3);
    bool enabled = el3 ? (cpu->sys.scr & SCR_HCE) != 0 : !(cpu->sys.hcr & HCR_HCD);
    if (!a64_has(cpu, A64_FEAT_EL2) || !enabled || (el == 1 && !a64_el2_on(cpu))) {
        a64_raise_undef(cpu);
    }
    cpu->pc += 4;
    a64_raise(cpu, el == 3 ? 3 : 2, a64_esr(EC_HVC, imm));
}

static void smc(A64Cpu *cpu, uint32_t imm)
{
    if (a64_cur_el(cpu) == 1 && (a64_hcr(cpu) & HCR_TSC)) {
        a64_raise(cpu, 2, a64_esr(EC_SMC, imm)); /* PC is that of the SMC */
    }
    if (cpu->sys.conduit == A64_CONDUIT_SMC && a64_psci_call(cpu)) {
        return;
    }
    if (!a64_has(cpu, A64_FEAT_EL3) || (cpu->sys.scr & SCR_SMD)) {
        a64_raise_undef(cpu);
    }
    cpu->pc += 4;
    a64_raise(cpu, 3, a64_esr(EC_SMC, imm));
}

/* MSR (immediate): op1:op2:CRm. */
static void msr_pstate(A64Cpu *cpu, unsigned field, unsigned imm)
{
    uint32_t bit = 0;
    switch (field) {
    case 005: a64_set_el(cpu, a64_cur_el(cpu), imm & 1); return;
    case 004: bit = A64_PS_PAN; break;
    case 003: bit = A64_PS_UAO; break;
    case 032: bit = A64_PS_DIT; break;
    default: /* DAIFSet, DAIFClr at EL0 */
        if (!(cpu->sys.sctlr[a64_regime_el(cpu)] & SCTLR_UMA)) {
            uint32_t iss = (uint32_t)(field & 7) << 17 | 3u << 14 | 4u << 10 | 31u << 5 | imm << 1;
            a64_raise(cpu, 0, a64_esr(EC_SYSREG, iss));
        }
        cpu->daif = field == 036 ? cpu->daif | imm << 6 : cpu->daif & ~(imm << 6);
        a64_poll_interrupts(cpu);
        return;
    }
    cpu->sys.pstate = imm & 1 ? cpu->sys.pstate | bit : cpu->sys.pstate & ~bit;
}

bool a64_stepping(const A64Cpu *cpu)
{
    return (cpu->sys.mdscr & 1) &&
           a64_debug_enabled(cpu, a64_cur_el(cpu), (cpu->daif & A64_PS_D) != 0);
}

void a64_step_advance(A64Cpu *cpu)
{
    if ((cpu->sys.pstate & A64_PS_SS) && a64_stepping(cpu)) {
        cpu->sys.pstate &= ~(uint32_t)A64_PS_SS;
    }
}

void a64_op_call(A64Cpu *cpu, unsigned op, uint64_t imm)
{
    a64_step_advance(cpu);
    switch (op) {
    case A64_CALL_HVC: hvc(cpu, (uint32_t)imm); break;
    case A64_CALL_SMC: smc(cpu, (uint32_t)imm); break;
    case A64_CALL_HLT: a64_semihost_call(cpu); break;
    case A64_CALL_WFI: wait_for(cpu, false); break;
    case A64_CALL_WFE: wait_for(cpu, true); break;
    case A64_CALL_SEV: /* the others find theirs by coming back from WFE anyway */
    case A64_CALL_SEVL: cpu->sys.event = 1; break;
    case A64_CALL_PSTATE: msr_pstate(cpu, (unsigned)imm >> 4, imm & 15); break;
    case A64_CALL_STEP: cpu->pc = imm; tcg_raise(&cpu->tcg, TCG_EXIT_ISB, 0);
    case A64_CALL_DSB:
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        tcg_tlb_sync(&cpu->tcg);
        break;
    default: break; /* ESB: errors are reported at once */
    }
}
