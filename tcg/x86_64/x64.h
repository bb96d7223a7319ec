/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private interface of the x86-64 back end: the emission context, rows (how one IR op becomes host
 * code), cold paths.  Between the allocator (regalloc.c, compile.c), the integer and memory rows
 * (int.c, mem.c, flags.c, exits.c) and the vector and FP rows (vec*.c, fp*.c).
 *
 * How one op is emitted
 *   The allocator asks x64_row() for the op's row, brings the arguments where the row wants them,
 *   picks dst and temporaries and calls row->emit(c, op, regs), which only encodes.  An op whose
 *   row is NULL becomes a call of ir_eval() (all registers preserved), so every op works.
 *
 * Registers
 *   rbp = cpu + TCG_CPU_BIAS, rsp = host stack (16-byte aligned, nothing below it is ours).
 *   rax and xmm15 are never allocated: any emit function may use them freely, and every emit
 *   function must expect them destroyed by others.  All others hold values: use regs->gtmp/vtmp.
 *   GPR values: I1, I32, I64 (always zero-extended to 64 bits), packed FLAGS.
 *   Vector values: F16/F32/F64 (bits above the scalar unspecified), V128.
 *   A V128 may be handed to a scalar op as it is: IR_VLO is no code.  Scalar FADD FSUB FMUL FDIV
 *   FSQRT FABS and FCVT from F32 to F64 leave the bits above the result as argument 0 has them
 *   (FMA: argument 2), ITOF and BITSF clear them; analyze.c relies on it to make IR_VZEXT no code.
 *   Vector registers are 0-14; 16-31 appear only in rows with X64R_HI when the host has AVX512VL.
 */
#ifndef GEMEL_TCG_X64_H
#define GEMEL_TCG_X64_H

#include "tcg/backend.h"
#include "tcg/x86_64/asm.h" /* X64Asm, X64Mem, encoder; by x64b */

enum { X64_RAX, X64_RCX, X64_RDX, X64_RBX, X64_RSP, X64_RBP, X64_RSI, X64_RDI };
enum { X64_TMP = X64_RAX, X64_CPU = X64_RBP, X64_VTMP = 15, X64_NOREG = 0xff };

/* Condition codes as encoded in jcc/setcc/cmovcc; bit 0 negates. */
enum {
    X64_O, X64_NO, X64_B, X64_AE, X64_E, X64_NE, X64_BE, X64_A,
    X64_S, X64_NS, X64_P, X64_NP, X64_L, X64_GE, X64_LE, X64_G
};

typedef struct X64Ctx X64Ctx;

/* Where an argument is. MEM only when the row allows it (X64R_MEMn). */
typedef enum X64ArgKind {
    X64_ARG_NONE,  /* absent */
    X64_ARG_REG,   /* reg, class by the value's type */
    X64_ARG_IMM,   /* constant imm (X64R_IMMn); fits a sign-extended imm32 unless X64R_IMM64 */
    X64_ARG_MEM    /* mem: state slot, spill slot or constant pool; 16-byte aligned for V128 */
} X64ArgKind;

typedef struct X64Arg {
    uint8_t  kind;
    uint8_t  reg;
    uint64_t imm;
    X64Mem   mem;
} X64Arg;

typedef struct X64Regs {
    uint8_t dst;      /* X64_NOREG: no result, or nobody uses it (only ops with effects) */
    uint8_t gtmp[3];
    uint8_t vtmp[3];
    X64Arg  arg[4];
} X64Regs;

/* Row flags. */
enum {
    X64R_TIED    = 1 << 0,  /* dst is arg 0's register (the allocator copied when needed) */
    X64R_COMM    = 1 << 1,  /* with TIED: arg 0 and 1 may be swapped by the allocator (integer and
                               bitwise ops only, never FP) */
    X64R_EARLY   = 1 << 2,  /* dst differs from all argument registers (cold path re-reads them;
                               or dst is written before the last source is read) */
    X64R_MEM0    = 1 << 3,  /* argument n may be in memory */
    X64R_MEM1    = 1 << 4,
    X64R_MEM2    = 1 << 5,
    X64R_IMM0    = 1 << 6,  /* argument n may be a constant that fits a sign-extended imm32 */
    X64R_IMM1    = 1 << 7,
    X64R_IMM2    = 1 << 8,
    X64R_IMM64   = 1 << 9,  /* ... or any constant */
    X64R_EFLAGS  = 1 << 10, /* clobbers EFLAGS (say so even if only a cold path or mem form does) */
    X64R_HI      = 1 << 11, /* vector registers 16-31 are fine for every vector operand and temp */
    X64R_RCX1    = 1 << 12, /* argument 1 must be in rcx, or a constant (IMM1) */
    X64R_NOTMP1  = 1 << 13, /* with TIED: dst may not be arg 1's or later's register even if equal
                               values were wanted (default for TIED: guaranteed anyway) */
    X64R_RDX     = 1 << 14, /* clobbers rdx: kept free (mul, div, cmpxchg16b) */
    X64R_RCXRBX  = 1 << 15, /* clobbers rcx and rbx too */
};

typedef struct X64Row {
    void   (*emit)(X64Ctx *c, const IrOp *op, const X64Regs *r);
    uint16_t flags;
    uint8_t  n_gtmp, n_vtmp;  /* temporaries, all different from dst and the arguments */
} X64Row;

/* The row of an op under this host and mode. NULL: no native code. Rows are constant data. */
const X64Row *x64_row(const X64Ctx *c, const IrOp *op);
const X64Row *x64_int_row(const X64Ctx *c, const IrOp *op);  /* int.c */
const X64Row *x64_vec_row(const X64Ctx *c, const IrOp *op);  /* vec.c, fp.c: all V*, F* (but FCMP),
                                                AES*, PMULL64, ITOF, FTOI, FBITS, BITSF */

/* ---- what emit functions may read and call ---- */

typedef struct X64Cold X64Cold;
typedef void (*X64ColdFn)(X64Ctx *c, X64Cold *cold);
struct X64Cold {
    X64ColdFn   fn;
    X64Label    entry;   /* bound by the core before fn is called */
    X64Label    back;    /* bound where x64_cold_back() was called, else right after the op */
    const IrOp *op;
    X64Regs     regs;
    uint64_t    arg;     /* free for the caller */
    X64Cold    *next;
    struct { uint32_t first, n; } locs; /* private to the core */
};

/* Head of the context: what rows need. The rest is private to the core (core.h). */
struct X64Ctx {
    X64Asm          as;          /* the encoder; emit with x64_...(&c->as, ...) */
    const IrRegion *r;
    uint32_t        host;        /* TCG_HOST_ features */
    bool            fp_native;   /* FP ops may use host instructions */
    bool            strict_ufc;  /* underflow flag exact when |result| is the smallest normal */
    bool        fp_flush;    /* FPCR.FZ: MXCSR has DAZ and FTZ, IXC was set at region entry */
    struct X64Core *core;
};

/*
 * A cold stub: fn emits it after the region's body, at cold->entry; jump there with
 * x64_jcc(&c->as, cc, &cold->entry).  fn ends with a jump to cold->back.
 */
X64Cold *x64_cold(X64Ctx *c, const IrOp *op, const X64Regs *r, X64ColdFn fn);
/* Binds cold->back here instead of at the end of the op's code. */
void x64_cold_back(X64Ctx *c, X64Cold *cold);
/*
 * The stub that computes the whole op exactly in C: stores the argument registers to call_arg,
 * calls ir_eval (FP ops: the guest's fp) with every register preserved, loads dst, jumps back.
 * So arguments must still be intact when it is reached: rows that use it have X64R_EARLY.
 */
X64Cold *x64_cold_eval(X64Ctx *c, const IrOp *op, const X64Regs *r);
/* The same inline, right here. */
void x64_call_eval(X64Ctx *c, const IrOp *op, const X64Regs *r);

/* Constants in the data area (16-byte aligned, shared within the region), as memory operands. */
X64Mem x64_const16(X64Ctx *c, uint64_t lo, uint64_t hi);
static inline X64Mem x64_const_both(X64Ctx *c, uint64_t v) { return x64_const16(c, v, v); }
/* Any 16 bytes. */
X64Mem x64_const_bytes(X64Ctx *c, const uint8_t bytes[16]);

/* A field of TcgCpu or of the guest's CPU at byte offset `off` from the CPU's start. */
X64Mem x64_cpu_mem(uint32_t off);

/* ---- FP compare, fused with its consumer: fp.c emits, the core jumps, sets or moves ---- */
/* Truth after the compare: cc; with parity X64_PAR_AND: cc and NP; X64_PAR_OR: cc or P. */
enum { X64_PAR_NONE, X64_PAR_AND, X64_PAR_OR };
typedef struct X64Cond { uint8_t cc, parity; } X64Cond;
/* IR_FCMP op (args in vector registers; arg 1 may be MEM only if *swap says no): does this host
 * compare natively (esz 2, 3, maybe 1)? */
bool x64_fcmp_native(const X64Ctx *c, const IrOp *op);
/* Emits (u)comis for the op's sub (IrFCmp), operands swapped when that gives one condition;
 * a and b are vector registers. */
X64Cond x64_fcmp_emit(X64Ctx *c, unsigned esz, unsigned sub, unsigned a, unsigned b);

/* ---- moves, by the core, also handy for rows ---- */
void x64_mov_vec(X64Ctx *c, unsigned dst, unsigned src);            /* whole register (movaps) */
void x64_ld_vec(X64Ctx *c, unsigned type, unsigned dst, X64Mem m);  /* by IrType; zero above */
void x64_st_vec(X64Ctx *c, unsigned type, unsigned src, X64Mem m);
void x64_vconst(X64Ctx *c, unsigned dst, uint64_t lo, uint64_t hi); /* xor, pcmpeq, pool */

/* cpu.c (x64b): host features after masking. */
uint32_t x64_host_features(void);

#endif
