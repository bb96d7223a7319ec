/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arm's reciprocal and reciprocal square root estimates, to 8 bits, exactly as specified.
 *
 * Source: Arm ARM (DDI 0487), shared pseudocode FPRecipEstimate, RecipEstimate, FPRSqrtEstimate,
 * RecipSqrtEstimate, FPRecpX, UnsignedRecipEstimate, UnsignedRSqrtEstimate.
 */
#include "fpu/unpacked.h"

/* a / 512 in [0.5, 1) to 256 / a in [256, 511]. */
static uint32_t recip_9bit(uint32_t a)
{
    uint32_t b = (1u << 19) / (2 * a + 1);

    return (b + 1) / 2;
}

/* a / 512 in [0.25, 1) to [256, 511]. */
static uint32_t rsqrt_9bit(uint32_t a)
{
    uint32_t b = 512;

    a = a < 256 ? 2 * a + 1 : ((a >> 1 << 1) + 1) * 2;
    while (a * (b + 1) * (b + 1) < 1u << 28) {
        b++;
    }
    return (b + 1) / 2;
}

static uint64_t recip_overflow(FpuState *s, const FpuDesc *d, bool sign)
{
    bool to_inf = s->round == FPU_NEAREST || s->round == FPU_AWAY ||
                  (s->round == FPU_UP && !sign) || (s->round == FPU_DOWN && sign);

    fpu_raise(s, FPU_OVERFLOW | FPU_INEXACT);
    return to_inf ? fpu_inf(d, sign) : fpu_max_normal(d, sign);
}

static bool flushes_out(const FpuState *s, const FpuDesc *d)
{
    return d->flush == FPF_FZ16 ? s->flush_f16 : s->flush_out;
}

static uint64_t recip_finite(FpuState *s, const FpuDesc *d, FpuNum a)
{
    int bias = fpu_bias(d);
    int exp = 2 * bias - 1 - (a.exp + bias);
    uint64_t sig;

    if (a.exp < -bias - 1) {
        return recip_overflow(s, d, a.sign);
    }
    if (a.exp >= bias - 1 && flushes_out(s, d)) {
        fpu_raise(s, FPU_UNDERFLOW);
        return fpu_zero(d, a.sign);
    }
    /* With its leading one; denormal results have it inside the fraction. */
    sig = (uint64_t)recip_9bit((uint32_t)(a.sig >> 55)) << (d->frac_bits - 8);
    if (exp <= 0) {
        return fpu_zero(d, a.sign) | sig >> (1 - exp);
    }
    return fpu_zero(d, a.sign) | (((uint64_t)(exp - 1) << d->frac_bits) + sig);
}

uint64_t fpu_recip_estimate(FpuState *s, FpuFormat f, uint64_t x)
{
    const FpuDesc *d = fpu_desc(f);
    FpuNum a = fpu_unpack(s, d, x);

    if (fpu_is_nan(a)) {
        return fpu_nan(s, d, a);
    }
    if (a.cls == FPC_INF) {
        return fpu_zero(d, a.sign);
    }
    if (a.cls == FPC_ZERO) {
        fpu_raise(s, FPU_DIVBYZERO);
        return fpu_inf(d, a.sign);
    }
    return recip_finite(s, d, a);
}

uint64_t fpu_rsqrt_estimate(FpuState *s, FpuFormat f, uint64_t x)
{
    const FpuDesc *d = fpu_desc(f);
    FpuNum a = fpu_unpack(s, d, x);
    int bias = fpu_bias(d), biased;
    uint64_t exp, sig;

    if (fpu_is_nan(a)) {
        return fpu_nan(s, d, a);
    }
    if (a.cls == FPC_ZERO) {
        fpu_raise(s, FPU_DIVBYZERO);
        return fpu_inf(d, a.sign);
    }
    if (a.sign) {
        return fpu_invalid(s, d);
    }
    if (a.cls == FPC_INF) {
        return fpu_zero(d, false);
    }
    biased = a.exp + bias;
    exp = (uint64_t)(3 * bias - 1 - biased) / 2;
    sig = rsqrt_9bit((uint32_t)(a.sig >> (biased & 1 ? 56 : 55)));
    return (exp << d->frac_bits) | (sig & 0xff) << (d->frac_bits - 8);
}

uint64_t fpu_recip_exponent(FpuState *s, FpuFormat f, uint64_t x)
{
    const FpuDesc *d = fpu_desc(f);
    FpuNum a = fpu_unpack(s, d, x);
    uint64_t ones = fpu_inf(d, false);
    uint64_t exp = x & ones;

    if (fpu_is_nan(a)) {
        return fpu_nan(s, d, a);
    }
    exp = exp == 0 ? ones - (UINT64_C(1) << d->frac_bits) : exp ^ ones;
    return fpu_zero(d, a.sign) | exp;
}

uint32_t fpu_urecip_estimate(uint32_t a)
{
    return a >> 31 ? recip_9bit(a >> 23) << 23 : UINT32_MAX;
}

uint32_t fpu_ursqrt_estimate(uint32_t a)
{
    return a >> 30 ? rsqrt_9bit(a >> 23) << 23 : UINT32_MAX;
}
