/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why generated code, and tcg_run(), return. */
#ifndef GEMEL_TCG_EXITS_H
#define GEMEL_TCG_EXITS_H

typedef enum TcgExit {
    TCG_EXIT_NONE,
    /* handled inside tcg_run() */
    TCG_EXIT_LINK,      /* unresolved direct link: exit_info = TcgLink * */
    TCG_EXIT_LOOKUP,    /* indirect target not in the jump cache: PC is stored */
    TCG_EXIT_HOT,       /* tier-1 counter ran out: exit_info = TcgEntry * */
    TCG_EXIT_POLL,      /* request word not 0: exit_info = TcgEntry *, or 0 and PC is stored */
    TCG_EXIT_INTERP,    /* leave this block to the interpreter */
    /* returned to the caller */
    TCG_EXIT_REQUEST,   /* TCG_REQ_EXIT or TCG_REQ_SIGNAL */
    TCG_EXIT_SYSCALL,   /* exit_info = immediate of SVC; PC is after it */
    TCG_EXIT_BREAK,     /* BRK, INT3: exit_info = immediate */
    TCG_EXIT_UNDEF,     /* no such instruction */
    TCG_EXIT_ALIGN,     /* alignment fault: exit_info = address */
    TCG_EXIT_PC_ALIGN,  /* misaligned PC */
    TCG_EXIT_FETCH,     /* PC not mapped or not executable: exit_info = address */
    TCG_EXIT_FAULT,     /* data access faulted: exit_info = address, fault_* in the CPU */
    TCG_EXIT_BTI,       /* branch target exception */
    TCG_EXIT_PAC,       /* pointer authentication failure (FEAT_FPAC) */
    TCG_EXIT_ISB,       /* context synchronisation: code or mode may have changed; go on at PC */
    TCG_EXIT_DIVIDE,    /* x86 #DE */
    /* system mode */
    TCG_EXIT_SYSTEM,    /* an exception with its full syndrome in exit_info (A64: HVC, SMC, traps of
                           system registers; ESR.EC and ISS as the target packs them) */
    TCG_EXIT_WFI,       /* wait for interrupt: PC is after it */
    TCG_EXIT_HALT,      /* the CPU powered itself off (PSCI CPU_OFF) or the machine stops */
    TCG_N_EXITS
} TcgExit;

#endif
