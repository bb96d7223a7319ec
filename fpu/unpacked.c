/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Formats: taking numbers apart, rounding them, putting them together, choosing NaNs.
 *
 * Source: Arm ARM (DDI 0487), shared pseudocode FPUnpackBase, FPRoundBase, FPProcessNaN(s), with
 * the names of its FPCR fields; Intel SDM volume 1, 4.9.1 and 11.5, for FPU_X86.
 */
#include <stddef.h>

#include "fpu/unpacked.h"

static const FpuDesc formats[FPU_N_FORMATS] = {
    [FPU_BF16] = {.exp_bits = 8, .frac_bits = 7, .flush = FPF_FZ},
    [FPU_F16] = {.exp_bits = 5, .frac_bits = 10, .flush = FPF_FZ16},
    [FPU_F32] = {.exp_bits = 8, .frac_bits = 23, .flush = FPF_FZ},
    [FPU_F64] = {.exp_bits = 11, .frac_bits = 52, .flush = FPF_FZ},
};
static const FpuDesc f16_convert = {.exp_bits = 5, .frac_bits = 10, .flush = FPF_NEVER};
static const FpuDesc f16_alt = {.exp_bits = 5, .frac_bits = 10, .flush = FPF_NEVER, .alt = true};

const FpuDesc *fpu_desc(FpuFormat f)
{
    return &formats[f];
}

const FpuDesc *fpu_desc_convert(const FpuState *s, FpuFormat f)
{
    if (f != FPU_F16) {
        return &formats[f];
    }
    return s->ahp ? &f16_alt : &f16_convert;
}

static uint64_t exp_field(const FpuDesc *d, uint64_t exp)
{
    return exp << d->frac_bits;
}

static uint64_t exp_ones(const FpuDesc *d)
{
    return (UINT64_C(1) << d->exp_bits) - 1;
}

uint64_t fpu_zero(const FpuDesc *d, bool sign)
{
    return sign ? fpu_sign_bit(d) : 0;
}

uint64_t fpu_inf(const FpuDesc *d, bool sign)
{
    return fpu_zero(d, sign) | exp_field(d, exp_ones(d));
}

uint64_t fpu_max_normal(const FpuDesc *d, bool sign)
{
    return fpu_inf(d, sign) - 1;
}

/* ---- NaNs */

static uint64_t quiet_bit(const FpuDesc *d)
{
    return UINT64_C(1) << (d->frac_bits - 1);
}

static uint64_t default_nan(const FpuState *s, const FpuDesc *d)
{
    return fpu_inf(d, s->rules == FPU_X86) | quiet_bit(d);
}

uint64_t fpu_invalid(FpuState *s, const FpuDesc *d)
{
    fpu_raise(s, FPU_INVALID);
    return default_nan(s, d);
}

uint64_t fpu_nan(FpuState *s, const FpuDesc *d, FpuNum n)
{
    if (n.cls == FPC_SNAN) {
        fpu_raise(s, FPU_INVALID);
    }
    if (s->default_nan) {
        return default_nan(s, d);
    }
    return fpu_inf(d, n.sign) | quiet_bit(d) | n.sig >> (64 - d->frac_bits);
}

uint64_t fpu_choose_nan(FpuState *s, const FpuDesc *d, const FpuNum *v, unsigned n)
{
    const FpuNum *first = NULL, *signaling = NULL;

    for (unsigned i = n; i-- > 0;) {
        if (fpu_is_nan(v[i])) {
            first = &v[i];
        }
        if (v[i].cls == FPC_SNAN) {
            signaling = &v[i];
        }
    }
    if (signaling) {
        fpu_raise(s, FPU_INVALID);
        if (s->rules == FPU_ARM) {
            first = signaling;
        }
    }
    return fpu_nan(s, d, *first);
}

/* ---- apart */

static bool flushes(const FpuState *s, const FpuDesc *d, bool fz)
{
    return d->flush == FPF_FZ ? fz : d->flush == FPF_FZ16 && s->flush_f16;
}

static FpuNum unpack_denormal(FpuState *s, const FpuDesc *d, bool sign, uint64_t frac)
{
    FpuNum n = {.cls = FPC_ZERO, .sign = sign};

    if (frac == 0) {
        return n;
    }
    if (flushes(s, d, s->flush_in)) {
        if (d->flush == FPF_FZ && s->rules == FPU_ARM) {
            fpu_raise(s, FPU_INPUT_DENORMAL);
        }
        return n;
    }
    n = fpu_num_from_uint(sign, frac, 1 - fpu_bias(d) - d->frac_bits);
    n.denormal = d->flush != FPF_NEVER;
    return n;
}

FpuNum fpu_unpack(FpuState *s, const FpuDesc *d, uint64_t a)
{
    uint64_t frac = a & ((UINT64_C(1) << d->frac_bits) - 1);
    uint64_t exp = a >> d->frac_bits & exp_ones(d);
    FpuNum n = {.sign = (a & fpu_sign_bit(d)) != 0};

    if (exp == 0) {
        return unpack_denormal(s, d, n.sign, frac);
    }
    n.sig = frac << (64 - d->frac_bits);
    if (exp == exp_ones(d) && !d->alt) {
        n.cls = frac == 0 ? FPC_INF : frac & quiet_bit(d) ? FPC_QNAN : FPC_SNAN;
        return n;
    }
    n.cls = FPC_FINITE;
    n.exp = (int32_t)exp - fpu_bias(d);
    n.sig = n.sig >> 1 | UINT64_C(1) << 63;
    return n;
}

FpuNum fpu_num_from_uint(bool sign, uint64_t mag, int scale)
{
    FpuNum n = {.cls = FPC_ZERO, .sign = sign};

    if (mag != 0) {
        int zeros = __builtin_clzll(mag);
        n.cls = FPC_FINITE;
        n.exp = 63 - zeros + scale;
        n.sig = mag << zeros;
    }
    return n;
}

/* ---- rounding */

bool fpu_rounds_up(FpuRound round, bool sign, bool odd, uint64_t frac)
{
    const uint64_t half = UINT64_C(1) << 63;

    switch (round) {
    case FPU_NEAREST: return frac > half || (frac == half && odd);
    case FPU_AWAY: return frac >= half;
    case FPU_UP: return frac != 0 && !sign;
    case FPU_DOWN: return frac != 0 && sign;
    case FPU_ODD: return frac != 0 && !odd;
    case FPU_ZERO: break;
    }
    return false;
}

uint64_t fpu_integral(FpuNum n, FpuRound round, uint64_t *frac)
{
    uint64_t mag = 0;

    *frac = 0;
    if (n.cls != FPC_FINITE) {
        return 0;
    }
    if (n.exp < 0) {
        *frac = fpu_shift_jam64(n.sig, (unsigned)(-1 - n.exp));
    } else {
        mag = n.sig >> (63 - n.exp);
        *frac = n.exp == 63 ? 0 : n.sig << (n.exp + 1);
    }
    return mag + fpu_rounds_up(round, n.sign, mag & 1, *frac);
}

static uint64_t overflow(FpuState *s, const FpuDesc *d, bool sign, FpuRound round)
{
    bool to_inf = round == FPU_NEAREST || round == FPU_AWAY || (round == FPU_UP && !sign) ||
                  (round == FPU_DOWN && sign) || (round == FPU_ODD && s->odd_to_inf);

    if (d->alt) {
        fpu_raise(s, FPU_INVALID);
        return fpu_inf(d, sign) | (fpu_sign_bit(d) - 1);
    }
    fpu_raise(s, FPU_OVERFLOW | FPU_INEXACT);
    return to_inf ? fpu_inf(d, sign) : fpu_max_normal(d, sign);
}

/* Below the normal range? x86 asks after rounding to full precision with an unbounded exponent. */
static bool is_tiny(const FpuState *s, const FpuDesc *d, FpuNum n, FpuRound round)
{
    int emin = 1 - fpu_bias(d);
    unsigned keep = d->frac_bits + 1u;
    uint64_t sig = n.sig >> (64 - keep);

    if (n.exp >= emin) {
        return false;
    }
    if (s->rules == FPU_ARM || n.exp < emin - 1) {
        return true;
    }
    sig += fpu_rounds_up(round, n.sign, sig & 1, n.sig << keep);
    return sig >> keep == 0;
}

uint64_t fpu_round_pack(FpuState *s, const FpuDesc *d, FpuNum n, FpuRound round)
{
    unsigned keep = d->frac_bits + 1u;
    int biased = n.exp + fpu_bias(d);
    bool tiny = is_tiny(s, d, n, round);
    uint64_t frac, sig, r;

    if (tiny && flushes(s, d, s->flush_out)) {
        fpu_raise(s, s->rules == FPU_X86 ? FPU_UNDERFLOW | FPU_INEXACT : FPU_UNDERFLOW);
        return fpu_zero(d, n.sign);
    }
    if (biased > (int)exp_ones(d)) {
        return overflow(s, d, n.sign, round);
    }
    if (biased < 1) {
        n.sig = fpu_shift_jam64(n.sig, (unsigned)(1 - biased));
        biased = 1;
    }
    sig = n.sig >> (64 - keep);
    frac = n.sig << keep;
    sig += fpu_rounds_up(round, n.sign, sig & 1, frac);
    /* The leading one, and a carry, add themselves to the exponent field. */
    r = exp_field(d, (uint64_t)(biased - 1)) + sig;
    if (r >> d->frac_bits >= exp_ones(d) + d->alt) {
        return overflow(s, d, n.sign, round);
    }
    if (frac != 0) {
        fpu_raise(s, tiny ? FPU_INEXACT | FPU_UNDERFLOW : FPU_INEXACT);
    }
    return fpu_zero(d, n.sign) | r;
}

uint64_t fpu_pack(FpuState *s, const FpuDesc *d, FpuNum n, FpuRound round)
{
    switch ((FpuClass)n.cls) {
    case FPC_ZERO: return fpu_zero(d, n.sign);
    case FPC_INF: return fpu_inf(d, n.sign);
    case FPC_FINITE: return fpu_round_pack(s, d, n, round);
    case FPC_QNAN:
    case FPC_SNAN: break;
    }
    return fpu_nan(s, d, n);
}
