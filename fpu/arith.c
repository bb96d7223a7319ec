/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arithmetic: add, multiply, fused multiply-add, divide, square root, scale, minimum, maximum,
 * comparison.
 *
 * Sums and products are formed in 128 bits with the leading one at bit 126 or 127: a product of
 * two 53-bit numbers is exact there, and when one operand of a sum is so small that its bits are
 * jammed, the result cannot cancel more than one bit, so the jam stays below the rounding place.
 *
 * Source: Arm ARM (DDI 0487), shared pseudocode of the functions' names (FPAdd, FPMulAdd, ..).
 */
#include "fpu/unpacked.h"

/* A finite number v * 2^(exp - 126); v is not 0. */
typedef struct Wide {
    bool sign;
    int32_t exp;
    FpuU128 v;
} Wide;

static FpuNum narrow(Wide w)
{
    uint64_t hi = (uint64_t)(w.v >> 64);
    int zeros = hi != 0 ? __builtin_clzll(hi) : 64 + __builtin_clzll((uint64_t)w.v);
    FpuU128 v = w.v << zeros;

    return (FpuNum){.cls = FPC_FINITE,
                    .sign = w.sign,
                    .exp = w.exp + 1 - zeros,
                    .sig = (uint64_t)(v >> 64) | ((uint64_t)v != 0)};
}

static Wide widen(FpuNum n)
{
    return (Wide){.sign = n.sign, .exp = n.exp, .v = (FpuU128)n.sig << 63};
}

static Wide multiply(FpuNum a, FpuNum b)
{
    return (Wide){.sign = a.sign != b.sign, .exp = a.exp + b.exp, .v = (FpuU128)a.sig * b.sig};
}

/* The leading one to bit 126, which leaves room for a carry. */
static Wide lead126(Wide w)
{
    if (w.v >> 127) {
        w.v = fpu_shift_jam128(w.v, 1);
        w.exp++;
    }
    return w;
}

/* x + y for both led by bit 126; an exact 0 has the sign IEEE gives it. */
static FpuNum add_wide(Wide x, Wide y, FpuRound round)
{
    if (x.exp < y.exp || (x.exp == y.exp && x.v < y.v)) {
        Wide t = x;
        x = y;
        y = t;
    }
    y.v = fpu_shift_jam128(y.v, (unsigned)(x.exp - y.exp));
    x.v = x.sign == y.sign ? x.v + y.v : x.v - y.v;
    if (x.v == 0) {
        return (FpuNum){.cls = FPC_ZERO, .sign = round == FPU_DOWN};
    }
    return narrow(x);
}

/* ---- add, subtract */

static FpuNum add_nums(FpuNum a, FpuNum b, FpuRound round)
{
    if (a.cls == FPC_ZERO && b.cls == FPC_ZERO) {
        a.sign = a.sign == b.sign ? a.sign : round == FPU_DOWN;
        return a;
    }
    if (a.cls == FPC_INF || b.cls == FPC_ZERO) {
        return a;
    }
    if (b.cls == FPC_INF || a.cls == FPC_ZERO) {
        return b;
    }
    return add_wide(widen(a), widen(b), round);
}

static uint64_t add_sub(FpuState *s, FpuFormat f, uint64_t x, uint64_t y, bool sub)
{
    const FpuDesc *d = fpu_desc(f);
    FpuNum v[2] = {fpu_unpack(s, d, x), fpu_unpack(s, d, y)};

    if (fpu_is_nan(v[0]) || fpu_is_nan(v[1])) {
        return fpu_choose_nan(s, d, v, 2);
    }
    v[1].sign ^= sub;
    if (v[0].cls == FPC_INF && v[1].cls == FPC_INF && v[0].sign != v[1].sign) {
        return fpu_invalid(s, d);
    }
    fpu_note_denormal(s, v[0].denormal | v[1].denormal);
    return fpu_pack(s, d, add_nums(v[0], v[1], s->round), s->round);
}

uint64_t fpu_add(FpuState *s, FpuFormat f, uint64_t a, uint64_t b)
{
    return add_sub(s, f, a, b, false);
}

uint64_t fpu_sub(FpuState *s, FpuFormat f, uint64_t a, uint64_t b)
{
    return add_sub(s, f, a, b, true);
}

/* ---- multiply */

static bool is_inf_times_zero(FpuNum a, FpuNum b)
{
    return (a.cls == FPC_INF && b.cls == FPC_ZERO) || (a.cls == FPC_ZERO && b.cls == FPC_INF);
}

static FpuNum mul_nums(FpuNum a, FpuNum b)
{
    FpuNum n = {.sign = a.sign != b.sign};

    if (a.cls == FPC_FINITE && b.cls == FPC_FINITE) {
        return narrow(multiply(a, b));
    }
    n.cls = a.cls == FPC_INF || b.cls == FPC_INF ? FPC_INF : FPC_ZERO;
    return n;
}

static uint64_t mul(FpuState *s, FpuFormat f, uint64_t x, uint64_t y, bool extended)
{
    const FpuDesc *d = fpu_desc(f);
    FpuNum v[2] = {fpu_unpack(s, d, x), fpu_unpack(s, d, y)};

    if (fpu_is_nan(v[0]) || fpu_is_nan(v[1])) {
        return fpu_choose_nan(s, d, v, 2);
    }
    if (is_inf_times_zero(v[0], v[1])) {
        if (extended) {
            return fpu_pack(s, d, fpu_num_from_uint(v[0].sign != v[1].sign, 2, 0), s->round);
        }
        return fpu_invalid(s, d);
    }
    fpu_note_denormal(s, v[0].denormal | v[1].denormal);
    return fpu_pack(s, d, mul_nums(v[0], v[1]), s->round);
}

uint64_t fpu_mul(FpuState *s, FpuFormat f, uint64_t a, uint64_t b)
{
    return mul(s, f, a, b, false);
}

uint64_t fpu_mulx(FpuState *s, FpuFormat f, uint64_t a, uint64_t b)
{
    return mul(s, f, a, b, true);
}

/* ---- fused multiply-add */

/* (a * b + c) * 2^scale, none a NaN, a * b defined. */
static uint64_t muladd_nums(FpuState *s, const FpuDesc *d, const FpuNum v[3], int scale)
{
    FpuNum a = v[0], b = v[1], c = v[2];
    bool sign = a.sign != b.sign;
    FpuNum r;

    if ((a.cls == FPC_INF || b.cls == FPC_INF) && c.cls == FPC_INF && c.sign != sign) {
        return fpu_invalid(s, d);
    }
    fpu_note_denormal(s, a.denormal | b.denormal | c.denormal);
    if (a.cls == FPC_FINITE && b.cls == FPC_FINITE && c.cls == FPC_FINITE) {
        r = add_wide(lead126(multiply(a, b)), widen(c), s->round);
    } else {
        r = add_nums(mul_nums(a, b), c, s->round);
    }
    r.exp += scale;
    return fpu_pack(s, d, r, s->round);
}

/* v is {a, b, c}; some operand is a NaN. */
static uint64_t muladd_nan(FpuState *s, const FpuDesc *d, const FpuNum v[3])
{
    const FpuNum arm_order[3] = {v[2], v[0], v[1]};

    if (s->rules == FPU_X86) {
        return fpu_choose_nan(s, d, v, 3);
    }
    if (v[2].cls == FPC_QNAN && is_inf_times_zero(v[0], v[1])) {
        return fpu_invalid(s, d);
    }
    return fpu_choose_nan(s, d, arm_order, 3);
}

static uint64_t muladd(FpuState *s, const FpuDesc *d, const FpuNum v[3])
{
    if (fpu_is_nan(v[0]) || fpu_is_nan(v[1]) || fpu_is_nan(v[2])) {
        return muladd_nan(s, d, v);
    }
    if (is_inf_times_zero(v[0], v[1])) {
        return fpu_invalid(s, d);
    }
    return muladd_nums(s, d, v, 0);
}

static void negate(const FpuState *s, FpuNum *n, bool neg)
{
    if (neg && (s->rules == FPU_ARM || !fpu_is_nan(*n))) {
        n->sign = !n->sign;
    }
}

static uint64_t muladd_formats(FpuState *s, const FpuDesc *d, FpuNum v[3], unsigned neg)
{
    uint64_t r;
    bool nan = fpu_is_nan(v[0]) || fpu_is_nan(v[1]) || fpu_is_nan(v[2]);

    negate(s, &v[0], neg & FPU_NEG_PRODUCT);
    negate(s, &v[2], neg & FPU_NEG_ADDEND);
    r = muladd(s, d, v);
    /* A NaN made here (inf - inf) is not negated either. */
    if ((neg & FPU_NEG_RESULT) && !nan && (r & (fpu_sign_bit(d) - 1)) <= fpu_inf(d, false)) {
        r ^= fpu_sign_bit(d);
    }
    return r;
}

uint64_t fpu_muladd(FpuState *s, FpuFormat f, uint64_t a, uint64_t b, uint64_t c, unsigned neg)
{
    const FpuDesc *d = fpu_desc(f);
    FpuNum v[3] = {fpu_unpack(s, d, a), fpu_unpack(s, d, b), fpu_unpack(s, d, c)};

    return muladd_formats(s, d, v, neg);
}

uint64_t fpu_muladd_f16_f32(FpuState *s, uint64_t a, uint64_t b, uint64_t c, unsigned neg)
{
    const FpuDesc *half = fpu_desc(FPU_F16), *d = fpu_desc(FPU_F32);
    FpuNum v[3] = {fpu_unpack(s, half, a), fpu_unpack(s, half, b), fpu_unpack(s, d, c)};

    return muladd_formats(s, d, v, neg);
}

/* (k - a * b) * 2^scale; infinity * 0 counts as 0. */
static uint64_t step(FpuState *s, FpuFormat f, const uint64_t ab[2], unsigned k, int scale)
{
    const FpuDesc *d = fpu_desc(f);
    FpuNum v[3] = {fpu_unpack(s, d, ab[0]), fpu_unpack(s, d, ab[1]),
                   fpu_num_from_uint(false, k, 0)};

    v[0].sign = !v[0].sign;
    if (fpu_is_nan(v[0]) || fpu_is_nan(v[1])) {
        return fpu_choose_nan(s, d, v, 2);
    }
    if (is_inf_times_zero(v[0], v[1])) {
        v[2].exp += scale;
        return fpu_pack(s, d, v[2], s->round);
    }
    return muladd_nums(s, d, v, scale);
}

uint64_t fpu_recip_step(FpuState *s, FpuFormat f, uint64_t a, uint64_t b)
{
    return step(s, f, (const uint64_t[2]){a, b}, 2, 0);
}

uint64_t fpu_rsqrt_step(FpuState *s, FpuFormat f, uint64_t a, uint64_t b)
{
    return step(s, f, (const uint64_t[2]){a, b}, 3, -1);
}

/* ---- divide, square root, scale */

static FpuNum div_finite(FpuNum a, FpuNum b)
{
    FpuU128 num = (FpuU128)a.sig << 63;
    uint64_t q = (uint64_t)(num / b.sig);
    bool rest = (FpuU128)q * b.sig != num;
    FpuNum n = {.cls = FPC_FINITE, .sign = a.sign != b.sign, .exp = a.exp - b.exp};

    if (!(q >> 63)) {
        q <<= 1;
        n.exp--;
    }
    n.sig = q | rest;
    return n;
}

uint64_t fpu_div(FpuState *s, FpuFormat f, uint64_t x, uint64_t y)
{
    const FpuDesc *d = fpu_desc(f);
    FpuNum v[2] = {fpu_unpack(s, d, x), fpu_unpack(s, d, y)};
    FpuNum a = v[0], b = v[1];
    bool sign = a.sign != b.sign;

    if (fpu_is_nan(a) || fpu_is_nan(b)) {
        return fpu_choose_nan(s, d, v, 2);
    }
    if (a.cls == b.cls && a.cls != FPC_FINITE) {
        return fpu_invalid(s, d);
    }
    if (a.cls == FPC_FINITE && b.cls == FPC_ZERO) {
        fpu_raise(s, FPU_DIVBYZERO);
        return fpu_inf(d, sign);
    }
    fpu_note_denormal(s, a.denormal | b.denormal);
    if (a.cls == FPC_FINITE && b.cls == FPC_FINITE) {
        return fpu_round_pack(s, d, div_finite(a, b), s->round);
    }
    return a.cls == FPC_INF || b.cls == FPC_ZERO ? fpu_inf(d, sign) : fpu_zero(d, sign);
}

/* floor(sqrt(v)), v >= 2^126: one bit of the root at a time. */
static uint64_t root(FpuU128 v)
{
    uint64_t r = UINT64_C(1) << 63;

    for (uint64_t bit = r >> 1; bit != 0; bit >>= 1) {
        uint64_t t = r | bit;
        if ((FpuU128)t * t <= v) {
            r = t;
        }
    }
    return r;
}

uint64_t fpu_sqrt(FpuState *s, FpuFormat f, uint64_t x)
{
    const FpuDesc *d = fpu_desc(f);
    FpuNum a = fpu_unpack(s, d, x);
    FpuU128 v;

    if (fpu_is_nan(a)) {
        return fpu_nan(s, d, a);
    }
    if (a.cls == FPC_ZERO) {
        return fpu_zero(d, a.sign);
    }
    if (a.sign) {
        return fpu_invalid(s, d);
    }
    if (a.cls == FPC_INF) {
        return fpu_inf(d, false);
    }
    fpu_note_denormal(s, a.denormal);
    /* An even exponent, halved; v in [2^126, 2^128) */
    v = (FpuU128)a.sig << (a.exp & 1 ? 64 : 63);
    a.exp = (a.exp - (a.exp & 1)) / 2;
    a.sig = root(v);
    a.sig |= (FpuU128)a.sig * a.sig != v;
    return fpu_round_pack(s, d, a, s->round);
}

uint64_t fpu_scale(FpuState *s, FpuFormat f, uint64_t x, int64_t n)
{
    const int64_t limit = 100000; /* beyond any format's range */
    const FpuDesc *d = fpu_desc(f);
    FpuNum a = fpu_unpack(s, d, x);

    fpu_note_denormal(s, a.denormal);
    a.exp += (int32_t)(n > limit ? limit : n < -limit ? -limit : n);
    return fpu_pack(s, d, a, s->round);
}

/* ---- order */

/* Neither is a NaN. */
static FpuOrder order(FpuNum a, FpuNum b)
{
    bool greater;

    if (a.cls == FPC_ZERO && b.cls == FPC_ZERO) {
        return FPU_EQUAL;
    }
    if (a.cls == FPC_ZERO || b.cls == FPC_ZERO || a.sign != b.sign) {
        return (a.cls == FPC_ZERO ? b.sign : !a.sign) ? FPU_GREATER : FPU_LESS;
    }
    if (a.cls != b.cls) {
        greater = a.cls == FPC_INF;
    } else if (a.cls == FPC_INF || (a.exp == b.exp && a.sig == b.sig)) {
        return FPU_EQUAL;
    } else {
        greater = a.exp != b.exp ? a.exp > b.exp : a.sig > b.sig;
    }
    return greater != a.sign ? FPU_GREATER : FPU_LESS;
}

FpuOrder fpu_compare(FpuState *s, FpuFormat f, uint64_t x, uint64_t y, bool signaling)
{
    const FpuDesc *d = fpu_desc(f);
    FpuNum a = fpu_unpack(s, d, x), b = fpu_unpack(s, d, y);

    if (fpu_is_nan(a) || fpu_is_nan(b)) {
        if (signaling || a.cls == FPC_SNAN || b.cls == FPC_SNAN) {
            fpu_raise(s, FPU_INVALID);
        }
        return FPU_UNORDERED;
    }
    fpu_note_denormal(s, a.denormal | b.denormal);
    return order(a, b);
}

/* One of the operands as result: as it came, unless it was flushed. */
static uint64_t operand(const FpuDesc *d, FpuNum n, uint64_t bits)
{
    return n.cls == FPC_ZERO ? fpu_zero(d, n.sign) : bits & (2 * fpu_sign_bit(d) - 1);
}

static uint64_t minmax_x86(FpuState *s, const FpuDesc *d, const FpuNum v[2], const uint64_t bits[2],
                           FpuOrder want)
{
    if (fpu_is_nan(v[0]) || fpu_is_nan(v[1])) {
        fpu_raise(s, FPU_INVALID);
        return operand(d, v[1], bits[1]);
    }
    fpu_note_denormal(s, v[0].denormal | v[1].denormal);
    return order(v[0], v[1]) == want ? operand(d, v[0], bits[0]) : operand(d, v[1], bits[1]);
}

/* want: FPU_LESS for the minimum, FPU_GREATER for the maximum */
static uint64_t minmax(FpuState *s, FpuFormat f, const uint64_t bits[2], FpuOrder want, bool num)
{
    const FpuDesc *d = fpu_desc(f);
    FpuNum v[2] = {fpu_unpack(s, d, bits[0]), fpu_unpack(s, d, bits[1])};

    for (unsigned i = 0; num && i < 2; i++) {
        if (v[i].cls == FPC_QNAN && !fpu_is_nan(v[1 - i])) {
            return operand(d, v[1 - i], bits[1 - i]);
        }
    }
    if (s->rules == FPU_X86 && !num) {
        return minmax_x86(s, d, v, bits, want);
    }
    if (fpu_is_nan(v[0]) || fpu_is_nan(v[1])) {
        return fpu_choose_nan(s, d, v, 2);
    }
    if (v[0].cls == FPC_ZERO && v[1].cls == FPC_ZERO) {
        bool sign = want == FPU_LESS ? v[0].sign || v[1].sign : v[0].sign && v[1].sign;
        return fpu_zero(d, sign);
    }
    return order(v[0], v[1]) == want ? operand(d, v[0], bits[0]) : operand(d, v[1], bits[1]);
}

uint64_t fpu_min(FpuState *s, FpuFormat f, uint64_t a, uint64_t b)
{
    return minmax(s, f, (const uint64_t[2]){a, b}, FPU_LESS, false);
}

uint64_t fpu_max(FpuState *s, FpuFormat f, uint64_t a, uint64_t b)
{
    return minmax(s, f, (const uint64_t[2]){a, b}, FPU_GREATER, false);
}

uint64_t fpu_minnum(FpuState *s, FpuFormat f, uint64_t a, uint64_t b)
{
    return minmax(s, f, (const uint64_t[2]){a, b}, FPU_LESS, true);
}

uint64_t fpu_maxnum(FpuState *s, FpuFormat f, uint64_t a, uint64_t b)
{
    return minmax(s, f, (const uint64_t[2]){a, b}, FPU_GREATER, true);
}
