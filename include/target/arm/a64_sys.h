/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System level of A64: PSTATE, the registers of EL1 to EL3, and how the translator reaches them.
 *
 * Source: Arm Architecture Reference Manual for A-profile (DDI 0487), part D: D1 (exceptions), D8
 * (VMSA), D11 (generic timer), D19 (system registers). AArch64 at every level; Secure state is a
 * second address space and a bit of the context key (no FEAT_SEL2, no FEAT_RME).
 *
 * Arrays [4] are indexed by exception level; what a level lacks stays 0.
 */
#ifndef GEMEL_TARGET_ARM_A64_SYS_H
#define GEMEL_TARGET_ARM_A64_SYS_H

#include <stdbool.h>
#include <stdint.h>

struct A64Cpu;
struct A64Timers;
struct CpuPort;

/* PSTATE as SPSR_ELx holds it. */
enum {
    A64_PS_SP = 1 << 0,
    A64_PS_EL = 3 << 2,
    A64_PS_NRW = 1 << 4,
    A64_PS_F = 1 << 6,
    A64_PS_I = 1 << 7,
    A64_PS_A = 1 << 8,
    A64_PS_D = 1 << 9,
    A64_PS_DAIF = 15 << 6,
    A64_PS_BTYPE = 3 << 10,
    A64_PS_SSBS = 1 << 12,
    A64_PS_IL = 1 << 20,
    A64_PS_SS = 1 << 21,
    A64_PS_PAN = 1 << 22,
    A64_PS_UAO = 1 << 23,
    A64_PS_DIT = 1 << 24,
    A64_PS_TCO = 1 << 25,
};

/* Generic timers, in the order of CPU_OUT_* (core/cpu.h). */
typedef enum A64TimerId {
    A64_CNTP, A64_CNTV, A64_CNTHP, A64_CNTPS, A64_CNTHV, A64_N_TIMERS
} A64TimerId;

/* How PSCI is called: not at all (firmware at EL3 answers), by HVC, by SMC. */
typedef enum A64Conduit { A64_CONDUIT_NONE, A64_CONDUIT_HVC, A64_CONDUIT_SMC } A64Conduit;

enum { A64_N_BREAKPOINTS = 6, A64_N_WATCHPOINTS = 4, A64_N_LOR = 4 };

/* Why the last walk failed: what the abort reports. */
typedef struct A64Fault {
    uint8_t  fsc;        /* fault status code, ISS bits 5:0 */
    bool     stage2;     /* taken to EL2 with HPFAR_EL2 */
    bool     s1ptw;      /* stage 2 of a stage 1 table walk */
    bool     watch;      /* not a walk: a watchpoint */
    uint64_t ipa;        /* stage 2: the intermediate address that faulted; watch: FAR */
} A64Fault;

/* Mode word and context keys of a level, while the registers they follow from stay as they are. */
typedef struct A64View {
    bool     valid;
    uint32_t pstate;
    uint64_t mode;       /* but for what FPCR and SP say */
    uint64_t context[2]; /* by TcgMmuIndex */
    uint64_t pac_mask[2][2]; /* bits of authentication codes: [data key][upper half] */
} A64View;

typedef struct A64Sys {
    uint32_t pstate;     /* SP, EL, IL, SS, PAN, UAO, DIT, TCO; the rest stands in A64Cpu */
    uint32_t event;      /* event register of WFE */
    uint64_t sp_el[4], elr[4], spsr[4], esr[4], far[4], vbar[4];
    uint64_t sctlr[4], actlr[4], ttbr0[4], ttbr1[4], tcr[4], mair[4], amair[4];
    uint64_t afsr0[4], afsr1[4], contextidr[4], tpidr[4];
    uint64_t cpacr, cptr_el2, cptr_el3, hcr, hcrx, hstr, hacr, hpfar, vttbr, vtcr, vpidr, vmpidr;
    uint64_t scr, mdcr_el2, mdcr_el3, rmr, par, csselr, disr, vdisr, vsesr;
    uint64_t lorsa, lorea, lorn, lorc;
    uint64_t mdscr, osdtr_rx, osdtr_tx, oseccr, oslsr, osdlr, dbgclaim, mdccint, dbgvcr;
    uint64_t dbgbvr[A64_N_BREAKPOINTS], dbgbcr[A64_N_BREAKPOINTS];
    uint64_t dbgwvr[A64_N_WATCHPOINTS], dbgwcr[A64_N_WATCHPOINTS];
    uint64_t cntkctl, cnthctl, cntvoff;
    uint64_t cnt_ctl[A64_N_TIMERS], cnt_cval[A64_N_TIMERS];
    uint64_t pmcr, pmcnten, pmovs, pmuserenr, pminten, pmccfiltr, pmselr;
    uint64_t pmccnt;     /* PMCCNTR_EL0, less CLOCK_VM in ns while it counts */

    /* constant while the machine runs */
    uint64_t mpidr, clidr, rvbar;
    uint32_t counter_hz;
    uint8_t  conduit;    /* A64Conduit */
    uint8_t  top_el;     /* highest level there is */
    uint8_t  pa_bits;    /* physical address size */
    bool     semihosting;
    struct CpuPort *port;
    struct A64Timers *timers;
    uint16_t *reg_index; /* rows of the register table by encoding */

    A64Fault fault;      /* between walk() and fault() */
    A64View  view[4];    /* by level; dropped by writes to registers that are REG_SYNC */
} A64Sys;

/* ---- how translate functions reach system registers (NULL in user mode) ---- */

/* What an access to a system register under a mode word becomes. */
typedef enum A64SysHow {
    A64_SYS_UNDEF,   /* UNDEFINED at this level */
    A64_SYS_SLOT,    /* the slot holds it */
    A64_SYS_CONST,   /* reads as `value` */
    A64_SYS_READ,    /* a helper without other effects: IR_CALL */
    A64_SYS_CALL,    /* a helper that may trap: IR_CALLS */
    A64_SYS_SYNC,    /* the same, and mode word or context may change */
    A64_SYS_DC_ZVA, A64_SYS_DC_CLEAN, A64_SYS_NOP
} A64SysHow;

typedef struct A64SysUse {
    uint8_t  how;    /* A64SysHow */
    uint16_t slot;
    uint64_t value;
} A64SysUse;

typedef struct A64SysOps {
    /* encoding: op0 << 14 | op1 << 11 | CRn << 7 | CRm << 3 | op2; constant parts of cpu only. */
    A64SysUse (*use)(const struct A64Cpu *cpu, uint32_t encoding, bool write, uint64_t mode);
    /* On the vCPU's thread, state canonical, PC at the instruction; they may raise. */
    uint64_t  (*read)(struct A64Cpu *cpu, uint32_t encoding);
    void      (*write)(struct A64Cpu *cpu, uint32_t encoding, uint64_t value);
    /* The target is ELR of the level, or `target` when authenticated. Does not return. */
    void      (*eret)(struct A64Cpu *cpu, uint64_t target, bool authenticated);
    void      (*call)(struct A64Cpu *cpu, unsigned op, uint64_t imm); /* A64_CALL_ */
    bool      (*break_hit)(const struct A64Cpu *cpu, uint64_t pc); /* under A64_MODE_BREAK */
} A64SysOps;

/* A64SysOps.call: instructions that may be trapped. */
enum {
    A64_CALL_HVC, A64_CALL_SMC, A64_CALL_HLT, A64_CALL_WFI, A64_CALL_WFE, A64_CALL_SEV, A64_CALL_SEVL,
    A64_CALL_PSTATE /* imm: op1:op2:CRm of MSR (immediate) */, A64_CALL_ESB,
    A64_CALL_DSB, A64_CALL_STEP /* imm: where the instruction that is stepped goes */
};

/*
 * exit_info of TCG_EXIT_SYSTEM: ESR_ELx in bits 31:0, target level in bits 33:32 (0: by routing), and
 * a kind in bits 63:56 for what only run time can tell.
 */
typedef enum A64ExcKind {
    A64_EXC_ESR,     /* as given */
    A64_EXC_FP,      /* FP access trap: level by CPACR, CPTR */
    A64_EXC_SPALIGN, /* SP alignment fault */
    A64_EXC_ILLEGAL, /* PSTATE.IL */
    A64_EXC_STEP,    /* software step */
    A64_EXC_BREAK,   /* hardware breakpoint */
    A64_EXC_PAUTH,   /* pointer authentication trap: HCR_EL2.API, SCR_EL3.API */
    A64_EXC_UNMASK,  /* none: DAIF was cleared while an interrupt was held; go on at PC */
} A64ExcKind;
static inline uint64_t a64_exc_info(A64ExcKind kind, unsigned el, uint32_t esr)
{
    return (uint64_t)kind << 56 | (uint64_t)el << 32 | esr;
}

#endif
