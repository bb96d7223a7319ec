/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arm's own rules, by vectors worked out by hand from the pseudocode of the manual (DDI 0487):
 * NaNs, flushing, saturation, estimates, alternative half precision.
 */
#include <glib.h>

#include "fpu/fpu.h"

enum {
    I = FPU_INVALID,
    Z = FPU_DIVBYZERO,
    O = FPU_OVERFLOW,
    U = FPU_UNDERFLOW,
    X = FPU_INEXACT,
    D = FPU_INPUT_DENORMAL
};

static const FpuState plain = {.rules = FPU_ARM};
static const FpuState dn = {.rules = FPU_ARM, .default_nan = true};
static const FpuState fz = {.rules = FPU_ARM, .flush_in = true, .flush_out = true};
static const FpuState fz16 = {.rules = FPU_ARM, .flush_f16 = true};
static const FpuState ahp = {.rules = FPU_ARM, .ahp = true};
static const FpuState up = {.rules = FPU_ARM, .round = FPU_UP};
static const FpuState down = {.rules = FPU_ARM, .round = FPU_DOWN};
static const FpuState bfdot = {.rules = FPU_ARM,
                               .round = FPU_ODD,
                               .default_nan = true,
                               .flush_in = true,
                               .flush_out = true,
                               .odd_to_inf = true};

typedef uint64_t (*Fn2)(FpuState *s, FpuFormat f, uint64_t a, uint64_t b);
typedef uint64_t (*Fn1)(FpuState *s, FpuFormat f, uint64_t a);

typedef struct Binary {
    Fn2 fn;
    const FpuState *s;
    FpuFormat f;
    uint64_t a, b, r;
    uint32_t flags;
} Binary;

static const Binary binary[] = {
    /* NaNs: the first signaling one, else the first; made quiet */
    {fpu_add, &plain, FPU_F32, 0x7fc00001, 0x7f800002, 0x7fc00002, I},
    {fpu_add, &plain, FPU_F32, 0xff800001, 0x7f800002, 0xffc00001, I},
    {fpu_add, &plain, FPU_F32, 0x7fc00001, 0xffc00002, 0x7fc00001, 0},
    {fpu_add, &plain, FPU_F32, 0x3f800000, 0xffc00002, 0xffc00002, 0},
    {fpu_add, &dn, FPU_F32, 0x3f800000, 0xffc00002, 0x7fc00000, 0},
    {fpu_sub, &plain, FPU_F32, 0x7f800000, 0x7f800000, 0x7fc00000, I},
    {fpu_sub, &plain, FPU_F32, 0x3f800000, 0x3f800000, 0, 0},
    {fpu_sub, &down, FPU_F32, 0x3f800000, 0x3f800000, 0x80000000, 0},
    {fpu_mul, &plain, FPU_F64, 0x7ff0000000000000, 0, 0x7ff8000000000000, I},
    {fpu_div, &plain, FPU_F64, 0, 0, 0x7ff8000000000000, I},
    {fpu_div, &plain, FPU_F64, 0x3ff0000000000000, 0x8000000000000000, 0xfff0000000000000, Z},
    /* flushing */
    {fpu_add, &fz, FPU_F32, 0x00000001, 0x80000001, 0x00000000, D},
    {fpu_add, &fz, FPU_F32, 0x00000001, 0x3f800000, 0x3f800000, D},
    {fpu_mul, &fz, FPU_F32, 0x00800000, 0x3f000000, 0x00000000, U},
    {fpu_mul, &fz, FPU_F32, 0x80800000, 0x3f7fffff, 0x80000000, U},
    {fpu_mul, &plain, FPU_F32, 0x00800000, 0x3f000000, 0x00400000, 0},
    {fpu_mul, &plain, FPU_F32, 0x00800001, 0x3f7fffff, 0x00800000, X},
    {fpu_mul, &plain, FPU_F32, 0x00800000, 0x3f7fffff, 0x00800000, U | X},
    {fpu_add, &fz, FPU_F16, 0x0001, 0x0001, 0x0002, 0},
    {fpu_add, &fz16, FPU_F16, 0x0001, 0x3c00, 0x3c00, 0},
    {fpu_mul, &fz16, FPU_F16, 0x0400, 0x3800, 0x0000, U},
    {fpu_add, &fz16, FPU_F32, 0x00000001, 0x00000001, 0x00000002, 0},
    /* FMULX */
    {fpu_mulx, &plain, FPU_F32, 0xff800000, 0x00000000, 0xc0000000, 0},
    {fpu_mulx, &plain, FPU_F16, 0x0000, 0x7c00, 0x4000, 0},
    {fpu_mulx, &plain, FPU_F32, 0x40400000, 0x40000000, 0x40c00000, 0},
    /* minimum and maximum */
    {fpu_min, &plain, FPU_F32, 0x00000000, 0x80000000, 0x80000000, 0},
    {fpu_max, &plain, FPU_F32, 0x80000000, 0x00000000, 0x00000000, 0},
    {fpu_min, &plain, FPU_F32, 0x3f800000, 0x7fc00005, 0x7fc00005, 0},
    {fpu_minnum, &plain, FPU_F32, 0x3f800000, 0x7fc00005, 0x3f800000, 0},
    {fpu_maxnum, &plain, FPU_F32, 0xffc00005, 0xff800000, 0xff800000, 0},
    {fpu_maxnum, &plain, FPU_F32, 0x3f800000, 0x7f800005, 0x7fc00005, I},
    {fpu_maxnum, &plain, FPU_F32, 0x7fc00001, 0x7f800005, 0x7fc00005, I},
    {fpu_maxnum, &plain, FPU_F32, 0x7fc00001, 0xffc00005, 0x7fc00001, 0},
    {fpu_max, &fz, FPU_F32, 0x00000005, 0x80000005, 0x00000000, D},
    {fpu_max, &plain, FPU_F32, 0x00000005, 0x80000005, 0x00000005, 0},
    {fpu_min, &plain, FPU_F64, 0xfff0000000000000, 0xffefffffffffffff, 0xfff0000000000000, 0},
    /* steps: infinity * 0 is 0; NaN operand 1 is negated */
    {fpu_recip_step, &plain, FPU_F32, 0x7f800000, 0x80000000, 0x40000000, 0},
    {fpu_rsqrt_step, &plain, FPU_F32, 0x00000000, 0x7f800000, 0x3fc00000, 0},
    {fpu_recip_step, &plain, FPU_F32, 0x3f800000, 0x3f800000, 0x3f800000, 0},
    {fpu_recip_step, &plain, FPU_F32, 0x40000000, 0x3f800000, 0x00000000, 0},
    {fpu_recip_step, &down, FPU_F32, 0x40000000, 0x3f800000, 0x80000000, 0},
    {fpu_rsqrt_step, &plain, FPU_F32, 0x3f800000, 0x3f800000, 0x3f800000, 0},
    {fpu_recip_step, &plain, FPU_F32, 0x7f800000, 0x3f800000, 0xff800000, 0},
    {fpu_recip_step, &plain, FPU_F32, 0x7fc00001, 0x3f800000, 0xffc00001, 0},
    {fpu_recip_step, &plain, FPU_F32, 0x3f800000, 0x7fc00001, 0x7fc00001, 0},
    /* BFDOT's sums: odd, but overflow is infinity */
    {fpu_add, &bfdot, FPU_F32, 0x7f7fffff, 0x7f7fffff, 0x7f800000, O | X},
    {fpu_add, &bfdot, FPU_F32, 0x3f800000, 0x33000000, 0x3f800001, X},
};

typedef struct Unary {
    Fn1 fn;
    const FpuState *s;
    FpuFormat f;
    uint64_t a, r;
    uint32_t flags;
} Unary;

static const Unary unary[] = {
    {fpu_sqrt, &plain, FPU_F32, 0x80000000, 0x80000000, 0},
    {fpu_sqrt, &plain, FPU_F32, 0xbf800000, 0x7fc00000, I},
    {fpu_sqrt, &plain, FPU_F32, 0x40800000, 0x40000000, 0},
    {fpu_recip_estimate, &plain, FPU_F32, 0x3f800000, 0x3f7f8000, 0},
    {fpu_recip_estimate, &plain, FPU_F64, 0x4000000000000000, 0x3fdff00000000000, 0},
    {fpu_recip_estimate, &plain, FPU_F16, 0x3c00, 0x3bfc, 0},
    {fpu_recip_estimate, &plain, FPU_F32, 0x80000000, 0xff800000, Z},
    {fpu_recip_estimate, &plain, FPU_F32, 0xff800000, 0x80000000, 0},
    {fpu_recip_estimate, &plain, FPU_F32, 0x00000001, 0x7f800000, O | X},
    {fpu_recip_estimate, &up, FPU_F32, 0x80000001, 0xff7fffff, O | X},
    {fpu_recip_estimate, &down, FPU_F32, 0x80000001, 0xff800000, O | X},
    /* 2^-128 is the smallest that does not overflow, 2^127 gives a denormal */
    {fpu_recip_estimate, &plain, FPU_F32, 0x00200000, 0x7f7f8000, 0},
    {fpu_recip_estimate, &plain, FPU_F32, 0x001fffff, 0x7f800000, O | X},
    {fpu_recip_estimate, &plain, FPU_F32, 0x7f000000, 0x003fe000, 0},
    {fpu_recip_estimate, &plain, FPU_F32, 0x7e800000, 0x007fc000, 0},
    {fpu_recip_estimate, &fz, FPU_F32, 0x7e800000, 0x00000000, U},
    {fpu_recip_estimate, &fz, FPU_F32, 0x00400000, 0x7f800000, Z | D},
    {fpu_recip_estimate, &plain, FPU_F32, 0x7f800001, 0x7fc00001, I},
    {fpu_rsqrt_estimate, &plain, FPU_F32, 0x3f800000, 0x3f7f8000, 0},
    {fpu_rsqrt_estimate, &plain, FPU_F32, 0x40800000, 0x3eff8000, 0},
    {fpu_rsqrt_estimate, &plain, FPU_F64, 0x4000000000000000, 0x3fe6900000000000, 0},
    {fpu_rsqrt_estimate, &plain, FPU_F32, 0x80000000, 0xff800000, Z},
    {fpu_rsqrt_estimate, &plain, FPU_F32, 0xbf800000, 0x7fc00000, I},
    {fpu_rsqrt_estimate, &plain, FPU_F32, 0x7f800000, 0x00000000, 0},
    {fpu_recip_exponent, &plain, FPU_F32, 0x3f800000, 0x40000000, 0},
    {fpu_recip_exponent, &plain, FPU_F32, 0x80000001, 0xff000000, 0},
    {fpu_recip_exponent, &plain, FPU_F32, 0x7f800000, 0x00000000, 0},
    {fpu_recip_exponent, &plain, FPU_F16, 0x3c00, 0x4000, 0},
};

static void test_binary(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(binary); i++) {
        const Binary *t = &binary[i];
        FpuState s = *t->s;

        g_test_message("row %zu: %" G_GINT64_MODIFIER "x %" G_GINT64_MODIFIER "x", i, t->a, t->b);
        g_assert_cmphex(t->fn(&s, t->f, t->a, t->b), ==, t->r);
        g_assert_cmphex(s.flags, ==, t->flags);
    }
}

static void test_unary(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(unary); i++) {
        const Unary *t = &unary[i];
        FpuState s = *t->s;

        g_test_message("row %zu: %" G_GINT64_MODIFIER "x", i, t->a);
        g_assert_cmphex(t->fn(&s, t->f, t->a), ==, t->r);
        g_assert_cmphex(s.flags, ==, t->flags);
    }
}

static void test_muladd(void)
{
    static const struct {
        uint64_t a, b, c, r;
        unsigned neg;
        uint32_t flags;
    } t[] = {
        /* the addend comes first */
        {0x7fc00001, 0x7fc00002, 0x7fc00003, 0x7fc00003, 0, 0},
        {0x7fc00001, 0x7f800002, 0x7fc00003, 0x7fc00002, 0, I},
        {0x7f800001, 0x7f800002, 0x7fc00003, 0x7fc00001, 0, I},
        /* infinity * 0 + QNaN is the default NaN, + SNaN the SNaN */
        {0x7f800000, 0x00000000, 0xffc00003, 0x7fc00000, 0, I},
        {0x7f800000, 0x00000000, 0xff800003, 0xffc00003, 0, I},
        {0x7f800000, 0x3f800000, 0xff800000, 0x7fc00000, 0, I},
        /* NaNs are negated like numbers */
        {0x3f800000, 0x3f800000, 0x7fc00003, 0xffc00003, FPU_NEG_ADDEND, 0},
        {0x7fc00001, 0x3f800000, 0x3f800000, 0xffc00001, FPU_NEG_PRODUCT, 0},
        {0x40000000, 0x40400000, 0x3f800000, 0xc0a00000, FPU_NEG_PRODUCT, 0},
        {0x40000000, 0x40400000, 0x3f800000, 0x40a00000, FPU_NEG_ADDEND, 0},
        /* one rounding: (1 + 2^-23)^2 - (1 + 2^-22) = 2^-46 */
        {0x3f800001, 0x3f800001, 0xbf800002, 0x28800000, 0, 0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(t); i++) {
        FpuState s = plain;
        g_test_message("row %zu", i);
        g_assert_cmphex(fpu_muladd(&s, FPU_F32, t[i].a, t[i].b, t[i].c, t[i].neg), ==, t[i].r);
        g_assert_cmphex(s.flags, ==, t[i].flags);
    }
}

static void test_muladd_half(void)
{
    FpuState s = plain;

    g_assert_cmphex(fpu_muladd_f16_f32(&s, 0x4000, 0x4200, 0x3f800000, 0), ==, 0x40e00000);
    g_assert_cmphex(fpu_muladd_f16_f32(&s, 0x4000, 0x4200, 0x3f800000, FPU_NEG_PRODUCT), ==,
                    0xc0a00000);
    g_assert_cmphex(fpu_muladd_f16_f32(&s, 0x7e01, 0x4200, 0x3f800000, 0), ==, 0x7fc02000);
    g_assert_cmphex(s.flags, ==, 0);
    /* the smallest denormal squared is exact: 2^-48 */
    g_assert_cmphex(fpu_muladd_f16_f32(&s, 0x0001, 0x0001, 0, 0), ==, 0x27800000);
    s = fz16;
    g_assert_cmphex(fpu_muladd_f16_f32(&s, 0x0001, 0x0001, 0, 0), ==, 0);
    g_assert_cmphex(s.flags, ==, 0);
}

static void test_to_int(void)
{
    static const struct {
        const FpuState *s;
        FpuFormat f;
        uint64_t a;
        FpuRound round;
        unsigned bits, fbits;
        uint64_t r_signed, r_unsigned;
        uint32_t flags_signed, flags_unsigned;
    } t[] = {
        {&plain, FPU_F64, 0x7ff8000000000000, FPU_ZERO, 32, 0, 0, 0, I, I},
        {&plain, FPU_F64, 0x7ff0000000000000, FPU_ZERO, 32, 0, INT32_MAX, UINT32_MAX, I, I},
        {&plain, FPU_F64, 0xfff0000000000000, FPU_ZERO, 32, 0, (uint64_t)INT32_MIN, 0, I, I},
        {&plain, FPU_F64, 0x43e0000000000000, FPU_ZERO, 64, 0, INT64_MAX, UINT64_C(1) << 63, I, 0},
        {&plain, FPU_F64, 0xc3e0000000000000, FPU_ZERO, 64, 0, (uint64_t)INT64_MIN, 0, 0, I},
        {&plain, FPU_F64, 0xbfe0000000000000, FPU_ZERO, 32, 0, 0, 0, X, X},
        {&plain, FPU_F64, 0xbfe0000000000000, FPU_AWAY, 32, 0, (uint64_t)-1, 0, X, I},
        {&plain, FPU_F64, 0x4004000000000000, FPU_NEAREST, 32, 0, 2, 2, X, X},
        {&plain, FPU_F64, 0x4004000000000000, FPU_AWAY, 32, 0, 3, 3, X, X},
        {&plain, FPU_F64, 0x4004000000000000, FPU_ZERO, 32, 1, 5, 5, 0, 0},
        {&plain, FPU_F32, 0x3f800000, FPU_ZERO, 32, 31, INT32_MAX, 0x80000000, I, 0},
        {&plain, FPU_F16, 0x7bff, FPU_ZERO, 16, 0, INT16_MAX, 65504, I, 0},
        {&plain, FPU_F32, 0x00000001, FPU_UP, 32, 0, 1, 1, X, X},
        {&fz, FPU_F32, 0x00000001, FPU_UP, 32, 0, 0, 0, D, D},
        {&fz16, FPU_F16, 0x0001, FPU_UP, 32, 0, 0, 0, 0, 0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(t); i++) {
        FpuState s = *t[i].s;
        g_test_message("row %zu", i);
        g_assert_cmphex((uint64_t)fpu_to_int(&s, t[i].f, t[i].a, t[i].round, t[i].bits, t[i].fbits),
                        ==, t[i].r_signed);
        g_assert_cmphex(s.flags, ==, t[i].flags_signed);
        s = *t[i].s;
        g_assert_cmphex(fpu_to_uint(&s, t[i].f, t[i].a, t[i].round, t[i].bits, t[i].fbits), ==,
                        t[i].r_unsigned);
        g_assert_cmphex(s.flags, ==, t[i].flags_unsigned);
    }
}

static void test_from_int(void)
{
    FpuState s = plain;

    g_assert_cmphex(fpu_from_int(&s, FPU_F32, -3, FPU_NEAREST, 1), ==, 0xbfc00000);
    g_assert_cmphex(fpu_from_uint(&s, FPU_F16, 1, FPU_NEAREST, 24), ==, 0x0001);
    g_assert_cmphex(fpu_from_int(&s, FPU_F64, 0, FPU_DOWN, 5), ==, 0);
    g_assert_cmphex(s.flags, ==, 0);
    g_assert_cmphex(fpu_from_uint(&s, FPU_F64, UINT64_MAX, FPU_NEAREST, 0), ==, 0x43f0000000000000);
    g_assert_cmphex(s.flags, ==, X);
    s = fz16;
    g_assert_cmphex(fpu_from_uint(&s, FPU_F16, 1, FPU_NEAREST, 24), ==, 0);
    g_assert_cmphex(s.flags, ==, U);
    s = plain;
    g_assert_cmphex(fpu_from_uint(&s, FPU_F16, 65520, FPU_NEAREST, 0), ==, 0x7c00);
    g_assert_cmphex(s.flags, ==, O | X);
}

static void test_convert(void)
{
    static const struct {
        const FpuState *s;
        FpuFormat to, from;
        uint64_t a, r;
        FpuRound round;
        uint32_t flags;
    } t[] = {
        {&plain, FPU_F64, FPU_F32, 0xff800001, 0xfff8000020000000, FPU_NEAREST, I},
        {&plain, FPU_F32, FPU_F64, 0x7ff8000020000001, 0x7fc00001, FPU_NEAREST, 0},
        {&dn, FPU_F32, FPU_F64, 0xfff8000020000001, 0x7fc00000, FPU_NEAREST, 0},
        {&plain, FPU_F32, FPU_F64, 0x3ff0000000000001, 0x3f800001, FPU_ODD, X},
        {&plain, FPU_F32, FPU_F64, 0x7fe0000000000000, 0x7f7fffff, FPU_ODD, O | X},
        /* alternative half: no infinity, no NaN, one more exponent */
        {&ahp, FPU_F16, FPU_F32, 0x7fc00000, 0x0000, FPU_NEAREST, I},
        {&ahp, FPU_F16, FPU_F32, 0xff800000, 0xffff, FPU_NEAREST, I},
        {&ahp, FPU_F16, FPU_F32, 0x47800000, 0x7c00, FPU_NEAREST, 0},
        {&ahp, FPU_F16, FPU_F32, 0x48000000, 0x7fff, FPU_NEAREST, I},
        {&ahp, FPU_F32, FPU_F16, 0x7c00, 0x47800000, FPU_NEAREST, 0},
        {&ahp, FPU_F32, FPU_F16, 0xffff, 0xc7ffe000, FPU_NEAREST, 0},
        /* FZ16 leaves precision changes alone, FZ flushes F32 but not F16 */
        {&fz16, FPU_F32, FPU_F16, 0x0001, 0x33800000, FPU_NEAREST, 0},
        {&fz, FPU_F16, FPU_F32, 0x33800000, 0x0001, FPU_NEAREST, 0},
        {&fz, FPU_F64, FPU_F32, 0x80000001, 0x8000000000000000, FPU_NEAREST, D},
        {&plain, FPU_BF16, FPU_F32, 0x3f808000, 0x3f80, FPU_NEAREST, X},
        {&plain, FPU_BF16, FPU_F32, 0x3f818000, 0x3f82, FPU_NEAREST, X},
        {&plain, FPU_BF16, FPU_F32, 0x7f800001, 0x7fc0, FPU_NEAREST, I},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(t); i++) {
        FpuState s = *t[i].s;
        g_test_message("row %zu", i);
        g_assert_cmphex(fpu_convert(&s, t[i].to, t[i].from, t[i].a, t[i].round), ==, t[i].r);
        g_assert_cmphex(s.flags, ==, t[i].flags);
    }
}

static void test_js(void)
{
    static const struct {
        uint64_t a;
        uint32_t r, flags;
        bool exact;
    } t[] = {
        {0x0000000000000000, 0, 0, true},           {0x8000000000000000, 0, 0, false},
        {0x4045000000000000, 42, 0, true},          {0xc045400000000000, (uint32_t)-42, X, false},
        {0x41e0000000000000, 0x80000000, I, false}, {0xc1e0000000000000, 0x80000000, 0, true},
        {0x41f0000000200000, 2, I, false},          /* 2^32 + 2 */
        {0x4340000000000001, 2, I, false},          /* 2^53 + 2 */
        {0x4440000000000003, 0x00060000, I, false}, /* 2^69 + 3 * 2^17 */
        {0x7ff0000000000000, 0, I, false},          {0x7ff8000000000000, 0, I, false},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(t); i++) {
        FpuState s = plain;
        bool exact;
        g_test_message("row %zu", i);
        g_assert_cmphex(fpu_to_int32_js(&s, t[i].a, &exact), ==, t[i].r);
        g_assert_cmphex(s.flags, ==, t[i].flags);
        g_assert_cmpint(exact, ==, t[i].exact);
    }
}

static void test_round_int(void)
{
    static const struct {
        uint64_t a, r, r32; /* r32: FRINT32X */
        FpuRound round;
        uint32_t flags, flags32;
    } t[] = {
        {0x3fc00000, 0x40000000, 0x40000000, FPU_NEAREST, X, X},
        {0x40200000, 0x40000000, 0x40000000, FPU_NEAREST, X, X},
        {0x40200000, 0x40400000, 0x40400000, FPU_AWAY, X, X},
        {0xbe800000, 0x80000000, 0x80000000, FPU_NEAREST, X, X},
        {0xbe800000, 0xbf800000, 0xbf800000, FPU_DOWN, X, X},
        {0x80000000, 0x80000000, 0x80000000, FPU_UP, 0, 0},
        {0x4f000000, 0x4f000000, 0xcf000000, FPU_ZERO, 0, I},
        {0xcf000000, 0xcf000000, 0xcf000000, FPU_ZERO, 0, 0},
        {0x7f800000, 0x7f800000, 0xcf000000, FPU_ZERO, 0, I},
        {0x7f800001, 0x7fc00001, 0xcf000000, FPU_ZERO, I, I},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(t); i++) {
        FpuState s = plain;
        g_test_message("row %zu", i);
        g_assert_cmphex(fpu_round_int(&s, FPU_F32, t[i].a, t[i].round, true), ==, t[i].r);
        g_assert_cmphex(s.flags, ==, t[i].flags);
        s = plain;
        g_assert_cmphex(fpu_round_int(&s, FPU_F32, t[i].a, t[i].round, false), ==, t[i].r);
        g_assert_cmphex(s.flags, ==, t[i].flags & ~(uint32_t)X);
        s = plain;
        g_assert_cmphex(fpu_round_int_n(&s, FPU_F32, t[i].a, t[i].round, 32), ==, t[i].r32);
        g_assert_cmphex(s.flags, ==, t[i].flags32);
    }
}

static void test_order(void)
{
    FpuState s = plain;

    g_assert_cmpint(fpu_compare(&s, FPU_F32, 0x80000000, 0, true), ==, FPU_EQUAL);
    g_assert_cmpint(fpu_compare(&s, FPU_F32, 0x7fc00000, 0, false), ==, FPU_UNORDERED);
    g_assert_cmphex(s.flags, ==, 0);
    g_assert_cmpint(fpu_compare(&s, FPU_F32, 0x7fc00000, 0, true), ==, FPU_UNORDERED);
    g_assert_cmphex(s.flags, ==, I);
    s = fz;
    g_assert_cmpint(fpu_compare(&s, FPU_F32, 0x00000001, 0, false), ==, FPU_EQUAL);
    g_assert_cmphex(s.flags, ==, D);
}

static void test_fixed_estimates(void)
{
    g_assert_cmphex(fpu_urecip_estimate(0x7fffffff), ==, UINT32_MAX);
    g_assert_cmphex(fpu_urecip_estimate(0x80000000), ==, 0xff800000);
    g_assert_cmphex(fpu_urecip_estimate(0xffffffff), ==, 0x80000000);
    g_assert_cmphex(fpu_ursqrt_estimate(0x3fffffff), ==, UINT32_MAX);
    g_assert_cmphex(fpu_ursqrt_estimate(0x40000000), ==, 0xff800000);
    g_assert_cmphex(fpu_ursqrt_estimate(0xffffffff), ==, 0x80000000);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fpu/arm/binary", test_binary);
    g_test_add_func("/fpu/arm/unary", test_unary);
    g_test_add_func("/fpu/arm/muladd", test_muladd);
    g_test_add_func("/fpu/arm/muladd-half", test_muladd_half);
    g_test_add_func("/fpu/arm/to-int", test_to_int);
    g_test_add_func("/fpu/arm/from-int", test_from_int);
    g_test_add_func("/fpu/arm/convert", test_convert);
    g_test_add_func("/fpu/arm/js", test_js);
    g_test_add_func("/fpu/arm/round-int", test_round_int);
    g_test_add_func("/fpu/arm/order", test_order);
    g_test_add_func("/fpu/arm/fixed-estimates", test_fixed_estimates);
    return g_test_run();
}
