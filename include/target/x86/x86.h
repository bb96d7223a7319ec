/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86-64 CPU state (64-bit mode, user programs). Canonical between exits of generated code.
 *
 * Source: Intel 64 and IA-32 Architectures Software Developer's Manual (SDM), volume 1, chapter 3.
 * Not modelled yet: x87 but for its control word and MMX (CPUID names both, for x86-64-v1 asks
 * for them), AVX state, segment registers but for the FS and GS bases.
 */
#ifndef GEMEL_TARGET_X86_X86_H
#define GEMEL_TARGET_X86_X86_H

#include "tcg/runtime.h"

/* Number of a general register as instructions encode it. */
typedef enum X86Reg {
    X86_RAX, X86_RCX, X86_RDX, X86_RBX, X86_RSP, X86_RBP, X86_RSI, X86_RDI,
    X86_R8, X86_R9, X86_R10, X86_R11, X86_R12, X86_R13, X86_R14, X86_R15
} X86Reg;

/* Bits of RFLAGS. */
enum {
    X86_FL_CF = 1 << 0, X86_FL_PF = 1 << 2, X86_FL_AF = 1 << 4, X86_FL_ZF = 1 << 6,
    X86_FL_SF = 1 << 7, X86_FL_TF = 1 << 8, X86_FL_IF = 1 << 9, X86_FL_DF = 1 << 10,
    X86_FL_OF = 1 << 11, X86_FL_AC = 1 << 18, X86_FL_ID = 1 << 21,
    X86_FL_ARITH = X86_FL_CF | X86_FL_PF | X86_FL_AF | X86_FL_ZF | X86_FL_SF | X86_FL_OF,
    X86_FL_OTHER = X86_FL_AC | X86_FL_ID  /* what POPF may change besides, DF apart */
};

typedef struct X86Cpu {
    TcgCpu   tcg;            /* must be first */

    uint64_t r[16];          /* by X86Reg */
    uint32_t flags;          /* packed arithmetic flags (tcg/ir.h); mask when reading */
    uint32_t flags_other;    /* AC and ID, at their RFLAGS bits */
    uint64_t df;             /* step of string instructions: 1, or all ones when DF is set */
    uint64_t rip;
    uint64_t fs_base, gs_base;
    uint32_t mxcsr;          /* control bits and sticky flags as STMXCSR stores them; no slot */
    uint32_t fcw;            /* x87 control word: kept for FNSTCW and FLDCW, there is no x87 */
    IrVec    xmm[16];        /* low 128 bits; the rest is for YMM and ZMM */

    const char *model;
} X86Cpu;

/* Slots of the IR (table in target/x86/tcg/x86_guest.c). */
typedef enum X86Slot {
    X86_S_RAX = 0,           /* .. R15 = 15 */
    X86_S_FLAGS = 16, X86_S_FLAGS_OTHER, X86_S_DF, X86_S_RIP, X86_S_FS_BASE, X86_S_GS_BASE,
    X86_S_FCW,
    X86_S_XMM0,              /* .. XMM15 */
    X86_N_SLOTS = X86_S_XMM0 + 16
} X86Slot;

extern const TcgGuest x86_guest;

/*
 * Registers as at the start of a process (all 0, MXCSR 0x1f80) and the CPU model: qemu64 or max,
 * for now the same: x86-64-v1 with CMPXCHG16B, LAHF, POPCNT.
 * Returns false, with nothing changed, when there is no such model.
 */
bool x86_cpu_reset(X86Cpu *cpu, const char *model);
const char *const *x86_cpu_models(void);

/* RFLAGS from/to the state's parts; bit 1 and IF read as 1. */
uint64_t x86_rflags_get(const X86Cpu *cpu);
void     x86_rflags_set(X86Cpu *cpu, uint64_t rflags);

/* CPUID: EAX EBX ECX EDX for a leaf and subleaf. */
void x86_cpuid(const X86Cpu *cpu, uint32_t leaf, uint32_t sub, uint32_t out[4]);

#endif
