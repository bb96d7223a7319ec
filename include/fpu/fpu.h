/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IEEE 754 arithmetic in integers, under the rules of the guest's architecture.
 *
 * Values are raw bits in the low end of a uint64_t: what lies above the format's width is ignored
 * in operands and 0 in results. All functions take an FpuState: its upper part says by which
 * rules, its `flags` collects exceptions and is never cleared here. No function touches anything
 * else, so they may run on any thread, each with its own FpuState.
 *
 * Source: IEEE 754-2008; Arm Architecture Reference Manual for A-profile (DDI 0487), "Shared
 * Pseudocode", functions FPxxx; Intel SDM volume 1, chapters 4 and 11, for FPU_X86.
 * Not modelled: traps, FPCR.AH (FEAT_AFP), FPCR.EBF (FEAT_EBF16), 80-bit and 128-bit formats.
 */
#ifndef GEMEL_FPU_FPU_H
#define GEMEL_FPU_FPU_H

#include <stdbool.h>
#include <stdint.h>

/* F16, F32, F64 are log2 of their bytes, as element sizes are elsewhere. */
typedef enum FpuFormat { FPU_BF16, FPU_F16, FPU_F32, FPU_F64, FPU_N_FORMATS } FpuFormat;

/* In the order of Arm's FPCR.RMode and of IrRound. */
typedef enum FpuRound {
    FPU_NEAREST, FPU_UP, FPU_DOWN, FPU_ZERO,
    FPU_AWAY,   /* to nearest, ties away from zero */
    FPU_ODD     /* toward zero, then bit 0 set when inexact */
} FpuRound;

/* Exceptions, in the bit positions of Arm's FPSR. */
enum {
    FPU_INVALID = 1 << 0, FPU_DIVBYZERO = 1 << 1, FPU_OVERFLOW = 1 << 2, FPU_UNDERFLOW = 1 << 3,
    FPU_INEXACT = 1 << 4,
    FPU_INPUT_DENORMAL = 1 << 7 /* Arm: operand flushed; x86: operand is denormal (DE) */
};

/*
 * Where the architectures differ:
 *                     Arm                                       x86 (SSE, AVX, FMA)
 *   NaN chosen        first signaling operand, then first NaN   first NaN operand, made quiet
 *   muladd order      addend, a, b                              a, b, addend
 *   negated operands  before NaNs are looked at                 NaNs keep their sign
 *   inf * 0 + QNaN    default NaN, invalid                      the QNaN, no flag
 *   default NaN       positive                                  negative
 *   tiny              before rounding                           after rounding
 *   flushed operand   INPUT_DENORMAL (not F16)                  no flag
 *   denormal operand  no flag                                   INPUT_DENORMAL
 *   flushed result    UNDERFLOW alone                           UNDERFLOW and INEXACT
 *   int out of range  nearest integer (NaN: 0)                  0x80.. or (unsigned) all ones
 */
typedef enum FpuRules { FPU_ARM, FPU_X86 } FpuRules;

typedef struct FpuState {
    uint8_t  rules;       /* FpuRules */
    uint8_t  round;       /* FpuRound: what operations without an own rounding argument use */
    bool     default_nan; /* every NaN result is the default one (Arm FPCR.DN) */
    bool     flush_in;    /* denormal operands become 0 (Arm FPCR.FZ, x86 DAZ); not F16 */
    bool     flush_out;   /* tiny results become 0 (Arm FPCR.FZ, x86 FTZ); not F16 */
    bool     flush_f16;   /* both, for F16 arithmetic but not precision changes (Arm FPCR.FZ16) */
    bool     ahp;         /* F16 of precision changes has no infinity or NaN (Arm FPCR.AHP) */
    bool     odd_to_inf;  /* FPU_ODD overflows to infinity (BFDOT, BFMMLA) */
    uint32_t flags;       /* FPU_INVALID ..; sticky */
} FpuState;

/* fpu_muladd: what is negated first */
enum {
    FPU_NEG_PRODUCT = 1 << 0, FPU_NEG_ADDEND = 1 << 1, FPU_NEG_RESULT = 1 << 2 /* not NaNs */
};

typedef enum FpuOrder { FPU_LESS = -1, FPU_EQUAL = 0, FPU_GREATER = 1, FPU_UNORDERED = 2 } FpuOrder;

/* ---- arithmetic */

uint64_t fpu_add(FpuState *s, FpuFormat f, uint64_t a, uint64_t b);
uint64_t fpu_sub(FpuState *s, FpuFormat f, uint64_t a, uint64_t b);
uint64_t fpu_mul(FpuState *s, FpuFormat f, uint64_t a, uint64_t b);
/* Arm FMULX: infinity * 0 is 2.0 with the product's sign, no flag. */
uint64_t fpu_mulx(FpuState *s, FpuFormat f, uint64_t a, uint64_t b);
uint64_t fpu_div(FpuState *s, FpuFormat f, uint64_t a, uint64_t b);
uint64_t fpu_sqrt(FpuState *s, FpuFormat f, uint64_t a);
/* a * b + c with one rounding; `neg` of FPU_NEG_x. NEG_PRODUCT flips the sign of a. */
uint64_t fpu_muladd(FpuState *s, FpuFormat f, uint64_t a, uint64_t b, uint64_t c, unsigned neg);
/* Arm FMLAL, FMLSL: F16 a * b + F32 c, exact product. */
uint64_t fpu_muladd_f16_f32(FpuState *s, uint64_t a, uint64_t b, uint64_t c, unsigned neg);
/* a * 2^n (Arm FSCALE, C scalbn). */
uint64_t fpu_scale(FpuState *s, FpuFormat f, uint64_t a, int64_t n);

/* Arm FMIN, FMAX: NaNs propagate, -0 < +0. Under FPU_X86: MINPS, MAXPS (b if either is NaN or
 * both are 0). */
uint64_t fpu_min(FpuState *s, FpuFormat f, uint64_t a, uint64_t b);
uint64_t fpu_max(FpuState *s, FpuFormat f, uint64_t a, uint64_t b);
/* Arm FMINNM, FMAXNM (IEEE 754-2008 minNum, maxNum): a single quiet NaN loses. */
uint64_t fpu_minnum(FpuState *s, FpuFormat f, uint64_t a, uint64_t b);
uint64_t fpu_maxnum(FpuState *s, FpuFormat f, uint64_t a, uint64_t b);

/* Signaling NaNs raise INVALID; with `signaling` quiet ones too. */
FpuOrder fpu_compare(FpuState *s, FpuFormat f, uint64_t a, uint64_t b, bool signaling);

/* ---- conversions; `round` is an FpuRound, s->round when the caller wants the current one */

/* Precision change; all pairs of formats. */
uint64_t fpu_convert(FpuState *s, FpuFormat to, FpuFormat from, uint64_t a, FpuRound round);
/* a * 2^fbits to an integer of `bits` (8 .. 64), saturating; the result is sign-extended or
 * zero-extended to 64 bits. */
int64_t  fpu_to_int(FpuState *s, FpuFormat f, uint64_t a, FpuRound round, unsigned bits,
                    unsigned fbits);
uint64_t fpu_to_uint(FpuState *s, FpuFormat f, uint64_t a, FpuRound round, unsigned bits,
                     unsigned fbits);
/* v / 2^fbits; the caller extends v to 64 bits. */
uint64_t fpu_from_int(FpuState *s, FpuFormat f, int64_t v, FpuRound round, unsigned fbits);
uint64_t fpu_from_uint(FpuState *s, FpuFormat f, uint64_t v, FpuRound round, unsigned fbits);
/* Arm FJCVTZS: F64 toward zero modulo 2^32; *exact is the Z flag. */
uint32_t fpu_to_int32_js(FpuState *s, uint64_t a, bool *exact);
/* To integral in the same format; INEXACT only when `exact` (FRINTX). */
uint64_t fpu_round_int(FpuState *s, FpuFormat f, uint64_t a, FpuRound round, bool exact);
/* Arm FRINT32x, FRINT64x (bits 32, 64; F32 and F64): out of range is -2^(bits-1), INVALID. */
uint64_t fpu_round_int_n(FpuState *s, FpuFormat f, uint64_t a, FpuRound round, unsigned bits);

/* ---- Arm's estimates and steps */

uint64_t fpu_recip_estimate(FpuState *s, FpuFormat f, uint64_t a);  /* FRECPE */
uint64_t fpu_rsqrt_estimate(FpuState *s, FpuFormat f, uint64_t a);  /* FRSQRTE */
uint64_t fpu_recip_step(FpuState *s, FpuFormat f, uint64_t a, uint64_t b);  /* 2 - a * b */
uint64_t fpu_rsqrt_step(FpuState *s, FpuFormat f, uint64_t a, uint64_t b);  /* (3 - a * b) / 2 */
uint64_t fpu_recip_exponent(FpuState *s, FpuFormat f, uint64_t a);  /* FRECPX */
/* URECPE, URSQRTE: unsigned fixed point; no FpuState. */
uint32_t fpu_urecip_estimate(uint32_t a);
uint32_t fpu_ursqrt_estimate(uint32_t a);

#endif
