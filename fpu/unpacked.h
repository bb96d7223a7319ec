/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The soft-float's inner form: a number taken out of its format, and the way back. There is one
 * implementation of each operation, on this form; formats are rows of a table.
 *
 * Invariants: a finite number is sig * 2^(exp - 63) with bit 63 of sig set, so all formats up to
 * 53 bits of precision leave at least 11 bits for guard and sticky ("jam": bits lost to the right
 * are or-ed into bit 0, which rounds as the exact value would).
 */
#ifndef GEMEL_FPU_UNPACKED_H
#define GEMEL_FPU_UNPACKED_H

#include "fpu/fpu.h"

typedef unsigned __int128 FpuU128;

typedef enum FpuClass { FPC_ZERO, FPC_FINITE, FPC_INF, FPC_QNAN, FPC_SNAN } FpuClass;

/* What decides whether denormals of a format are flushed. */
typedef enum FpuFlush { FPF_FZ, FPF_FZ16, FPF_NEVER } FpuFlush;

typedef struct FpuDesc {
    uint8_t exp_bits, frac_bits;
    uint8_t flush;         /* FpuFlush */
    bool    alt;           /* Arm's alternative half precision: no infinity, no NaN */
} FpuDesc;

typedef struct FpuNum {
    uint8_t  cls;          /* FpuClass */
    bool     sign;
    bool     denormal;     /* came from a denormal operand that was not flushed */
    int32_t  exp;
    uint64_t sig;          /* NaN: fraction with the quiet bit at 63 */
} FpuNum;

/* For arithmetic, and for precision changes (where F16 obeys other rules). */
const FpuDesc *fpu_desc(FpuFormat f);
const FpuDesc *fpu_desc_convert(const FpuState *s, FpuFormat f);

/* Takes `a` apart; flushes it when the state says so. */
FpuNum   fpu_unpack(FpuState *s, const FpuDesc *d, uint64_t a);
/* Rounds a finite number into the format, raising what that raises. */
uint64_t fpu_round_pack(FpuState *s, const FpuDesc *d, FpuNum n, FpuRound round);
/* Any class; finite numbers are rounded, NaNs go through fpu_nan(). */
uint64_t fpu_pack(FpuState *s, const FpuDesc *d, FpuNum n, FpuRound round);

uint64_t fpu_zero(const FpuDesc *d, bool sign);
uint64_t fpu_inf(const FpuDesc *d, bool sign);
uint64_t fpu_max_normal(const FpuDesc *d, bool sign);
/* Default NaN and INVALID: the result of an operation without one. */
uint64_t fpu_invalid(FpuState *s, const FpuDesc *d);
/* A NaN operand as result: made quiet, or the default NaN. */
uint64_t fpu_nan(FpuState *s, const FpuDesc *d, FpuNum n);
/* The NaN that wins among n operands in the guest's order, one of which is a NaN. */
uint64_t fpu_choose_nan(FpuState *s, const FpuDesc *d, const FpuNum *v, unsigned n);

/* One more in the last place? `frac` is what is cut off, 1 << 63 being half. */
bool fpu_rounds_up(FpuRound round, bool sign, bool odd, uint64_t frac);
/* |n| as integer, exp < 64; *frac is what the rounding cut off (0: exact). A carry out of 64 bits
 * cannot happen: formats have at most 53 bits. */
uint64_t fpu_integral(FpuNum n, FpuRound round, uint64_t *frac);
/* The number mag * 2^scale; zero has the sign given. */
FpuNum fpu_num_from_uint(bool sign, uint64_t mag, int scale);

static inline bool fpu_is_nan(FpuNum n)
{
    return n.cls >= FPC_QNAN;
}

static inline int fpu_bias(const FpuDesc *d)
{
    return (1 << (d->exp_bits - 1)) - 1;
}

static inline uint64_t fpu_sign_bit(const FpuDesc *d)
{
    return UINT64_C(1) << (d->exp_bits + d->frac_bits);
}

static inline void fpu_raise(FpuState *s, uint32_t flags)
{
    s->flags |= flags;
}

/* x86 reports denormal operands of an operation that is not already invalid. */
static inline void fpu_note_denormal(FpuState *s, bool denormal)
{
    if (denormal && s->rules == FPU_X86) {
        fpu_raise(s, FPU_INPUT_DENORMAL);
    }
}

static inline uint64_t fpu_shift_jam64(uint64_t v, unsigned n)
{
    if (n == 0) {
        return v;
    }
    return n > 63 ? v != 0 : v >> n | (v << (64 - n) != 0);
}

static inline FpuU128 fpu_shift_jam128(FpuU128 v, unsigned n)
{
    if (n == 0) {
        return v;
    }
    return n > 127 ? v != 0 : v >> n | (v << (128 - n) != 0);
}

#endif
