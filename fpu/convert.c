/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conversions: between formats, to and from integers and fixed point, to integral values.
 *
 * Source: Arm ARM (DDI 0487), shared pseudocode FPConvert, FPToFixed, FixedToFP, FPRoundInt,
 * FPRoundIntN, FPToFixedJS.
 */
#include "fpu/unpacked.h"

uint64_t fpu_convert(FpuState *s, FpuFormat to, FpuFormat from, uint64_t x, FpuRound round)
{
    const FpuDesc *d = fpu_desc_convert(s, to);
    FpuNum a = fpu_unpack(s, fpu_desc_convert(s, from), x);

    if (d->alt && (fpu_is_nan(a) || a.cls == FPC_INF)) {
        fpu_raise(s, FPU_INVALID);
        return fpu_zero(d, a.sign) | (a.cls == FPC_INF ? fpu_sign_bit(d) - 1 : 0);
    }
    fpu_note_denormal(s, a.denormal);
    return fpu_pack(s, d, a, round);
}

/* |a * 2^fbits| rounded; false when it is no number below 2^64. */
static bool magnitude(FpuNum a, FpuRound round, uint64_t *mag, uint64_t *frac)
{
    if (fpu_is_nan(a) || a.cls == FPC_INF || (a.cls == FPC_FINITE && a.exp >= 64)) {
        return false;
    }
    *mag = fpu_integral(a, round, frac);
    return true;
}

int64_t fpu_to_int(FpuState *s, FpuFormat f, uint64_t x, FpuRound round, unsigned bits,
                   unsigned fbits)
{
    FpuNum a = fpu_unpack(s, fpu_desc(f), x);
    uint64_t limit = UINT64_C(1) << (bits - 1);
    int64_t min = (int64_t)(-limit);
    uint64_t mag, frac;

    a.exp += (int32_t)fbits;
    if (!magnitude(a, round, &mag, &frac) || mag > limit - !a.sign) {
        fpu_raise(s, FPU_INVALID);
        if (s->rules == FPU_X86) {
            return min;
        }
        return fpu_is_nan(a) ? 0 : a.sign ? min : (int64_t)(limit - 1);
    }
    if (frac != 0) {
        fpu_raise(s, FPU_INEXACT);
    }
    return (int64_t)(a.sign ? -mag : mag);
}

uint64_t fpu_to_uint(FpuState *s, FpuFormat f, uint64_t x, FpuRound round, unsigned bits,
                     unsigned fbits)
{
    FpuNum a = fpu_unpack(s, fpu_desc(f), x);
    uint64_t max = UINT64_MAX >> (64 - bits);
    uint64_t mag, frac;

    a.exp += (int32_t)fbits;
    if (!magnitude(a, round, &mag, &frac) || mag > max || (a.sign && mag != 0)) {
        fpu_raise(s, FPU_INVALID);
        if (s->rules == FPU_X86) {
            return max;
        }
        return fpu_is_nan(a) || a.sign ? 0 : max;
    }
    if (frac != 0) {
        fpu_raise(s, FPU_INEXACT);
    }
    return mag;
}

static uint64_t from_magnitude(FpuState *s, FpuFormat f, FpuNum n, FpuRound round)
{
    return fpu_pack(s, fpu_desc(f), n, round);
}

uint64_t fpu_from_int(FpuState *s, FpuFormat f, int64_t v, FpuRound round, unsigned fbits)
{
    uint64_t mag = v < 0 ? -(uint64_t)v : (uint64_t)v;

    return from_magnitude(s, f, fpu_num_from_uint(v < 0, mag, -(int)fbits), round);
}

uint64_t fpu_from_uint(FpuState *s, FpuFormat f, uint64_t v, FpuRound round, unsigned fbits)
{
    return from_magnitude(s, f, fpu_num_from_uint(false, v, -(int)fbits), round);
}

uint32_t fpu_to_int32_js(FpuState *s, uint64_t x, bool *exact)
{
    const FpuDesc *d = fpu_desc(FPU_F64);
    FpuNum a = fpu_unpack(s, d, x);
    uint64_t mag = 0, frac = 0;
    bool fits;

    if (a.cls == FPC_FINITE && a.exp >= 64) {
        /* Only bits 31:0 of the integer count, and none of the 53 is lower than exp - 52. */
        mag = a.exp < 84 ? a.sig >> 11 << (a.exp - 52) : 0;
        fits = false;
    } else {
        fits = magnitude(a, FPU_ZERO, &mag, &frac) && mag <= UINT64_C(0x80000000) - !a.sign;
    }
    if (!fits) {
        fpu_raise(s, FPU_INVALID);
    } else if (frac != 0) {
        fpu_raise(s, FPU_INEXACT);
    }
    /* -0 and flushed denormals are not exact, though they raise nothing for it. */
    *exact = fits && frac == 0 && !(a.cls == FPC_ZERO && x != 0);
    return (uint32_t)(a.sign ? -mag : mag);
}

/* The integral value mag in a's format and with its sign. */
static uint64_t pack_integral(FpuState *s, const FpuDesc *d, bool sign, uint64_t mag)
{
    return fpu_pack(s, d, fpu_num_from_uint(sign, mag, 0), FPU_ZERO);
}

uint64_t fpu_round_int(FpuState *s, FpuFormat f, uint64_t x, FpuRound round, bool exact)
{
    const FpuDesc *d = fpu_desc(f);
    FpuNum a = fpu_unpack(s, d, x);
    uint64_t mag, frac;

    if (a.cls != FPC_FINITE || a.exp >= 63) {
        return fpu_pack(s, d, a, round);
    }
    mag = fpu_integral(a, round, &frac);
    if (exact && frac != 0) {
        fpu_raise(s, FPU_INEXACT);
    }
    return pack_integral(s, d, a.sign, mag);
}

uint64_t fpu_round_int_n(FpuState *s, FpuFormat f, uint64_t x, FpuRound round, unsigned bits)
{
    const FpuDesc *d = fpu_desc(f);
    FpuNum a = fpu_unpack(s, d, x);
    uint64_t limit = UINT64_C(1) << (bits - 1);
    uint64_t mag, frac;

    if (!magnitude(a, round, &mag, &frac) || mag > limit - !a.sign) {
        fpu_raise(s, FPU_INVALID);
        return pack_integral(s, d, true, limit);
    }
    if (frac != 0) {
        fpu_raise(s, FPU_INEXACT);
    }
    return pack_integral(s, d, a.sign, mag);
}
