/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fpu/ under FPU_ARM against MPFR, for finite operands: every format, every rounding mode MPFR
 * has and round to odd; overflow, underflow (tiny before rounding) and inexact.
 */
#include <glib.h>
#include <math.h>
#include <mpfr.h>

#include "fpu/fpu.h"
#include "tests/fpu/fpu-random.h"

enum { ROUNDS = 4000, WIDE_EXP = 100000 };

typedef enum Op { ADD, SUB, MUL, DIV, SQRT, FMA, RSTEP, QSTEP, CONVERT, N_OPS } Op;

static const char *const op_names[N_OPS] = {"add", "sub",        "mul",        "div",    "sqrt",
                                            "fma", "recip-step", "rsqrt-step", "convert"};

static double to_double(FpuFormat f, uint64_t v)
{
    unsigned m = layouts[f].frac_bits, e = layouts[f].exp_bits;
    int exp = (int)(v >> m & ((1u << e) - 1)), bias = (1 << (e - 1)) - 1;
    uint64_t frac = v & ((UINT64_C(1) << m) - 1);
    double d;

    if (exp != 0) {
        frac |= UINT64_C(1) << m;
    }
    d = ldexp((double)frac, (exp ? exp : 1) - bias - (int)m);
    return v >> (m + e) & 1 ? -d : d;
}

/* d is representable in f, or infinite. */
static uint64_t from_double(FpuFormat f, double d)
{
    unsigned m = layouts[f].frac_bits, e = layouts[f].exp_bits;
    int bias = (1 << (e - 1)) - 1, exp;
    uint64_t sign = (uint64_t)(signbit(d) != 0) << (m + e), frac;

    d = fabs(d);
    if (isinf(d)) {
        return sign | ((UINT64_C(1) << e) - 1) << m;
    }
    if (d == 0) {
        return sign;
    }
    frexp(d, &exp);
    exp = exp - 1 + bias;
    if (exp < 1) {
        return sign | (uint64_t)ldexp(d, bias - 1 + (int)m);
    }
    frac = (uint64_t)ldexp(d, (int)m - (exp - bias));
    return sign | (((uint64_t)(exp - 1) << m) + frac);
}

/* r = the operation with r's precision; the ternary value */
static int evaluate(mpfr_t r, Op op, mpfr_t *v, mpfr_rnd_t rnd)
{
    switch (op) {
    case ADD: return mpfr_add(r, v[0], v[1], rnd);
    case SUB: return mpfr_sub(r, v[0], v[1], rnd);
    case MUL: return mpfr_mul(r, v[0], v[1], rnd);
    case DIV: return mpfr_div(r, v[0], v[1], rnd);
    case SQRT: return mpfr_sqrt(r, v[0], rnd);
    case FMA:
    case RSTEP:
    case QSTEP: return mpfr_fma(r, v[0], v[1], v[2], rnd);
    case CONVERT: return mpfr_set(r, v[0], rnd);
    case N_OPS: break;
    }
    g_assert_not_reached();
}

static uint64_t reference(Op op, FpuFormat f, mpfr_t *v, FpuRound round, uint32_t *flags)
{
    static const mpfr_rnd_t rnds[] = {
        [FPU_NEAREST] = MPFR_RNDN, [FPU_UP] = MPFR_RNDU,  [FPU_DOWN] = MPFR_RNDD,
        [FPU_ZERO] = MPFR_RNDZ,    [FPU_ODD] = MPFR_RNDZ,
    };
    int bias = (1 << (layouts[f].exp_bits - 1)) - 1, m = (int)layouts[f].frac_bits, inex;
    mpfr_t r;
    bool tiny;
    uint64_t bits;

    /* MPFR's significands are in [1/2, 1). */
    mpfr_init2(r, m + 1);
    evaluate(r, op, v, MPFR_RNDZ);
    tiny = !mpfr_zero_p(r) && mpfr_get_exp(r) < 2 - bias;
    inex = evaluate(r, op, v, rnds[round]);
    mpfr_set_emin(2 - bias - m);
    mpfr_set_emax(bias + 1);
    mpfr_clear_flags();
    inex = mpfr_check_range(r, inex, rnds[round]);
    *flags = mpfr_overflow_p() ? FPU_OVERFLOW : 0;
    inex = mpfr_subnormalize(r, inex, rnds[round]);
    *flags |= inex ? FPU_INEXACT : 0;
    *flags |= inex && tiny ? FPU_UNDERFLOW : 0;
    mpfr_set_emin(-WIDE_EXP);
    mpfr_set_emax(WIDE_EXP);
    bits = from_double(f, mpfr_get_d(r, MPFR_RNDN));
    mpfr_clear(r);
    return round == FPU_ODD && inex ? bits | 1 : bits;
}

static uint64_t soft(FpuState *s, Op op, FpuFormat f, FpuFormat from, const uint64_t v[3])
{
    switch (op) {
    case ADD: return fpu_add(s, f, v[0], v[1]);
    case SUB: return fpu_sub(s, f, v[0], v[1]);
    case MUL: return fpu_mul(s, f, v[0], v[1]);
    case DIV: return fpu_div(s, f, v[0], v[1]);
    case SQRT: return fpu_sqrt(s, f, v[0]);
    case FMA: return fpu_muladd(s, f, v[0], v[1], v[2], 0);
    case RSTEP: return fpu_recip_step(s, f, v[0], v[1]);
    case QSTEP: return fpu_rsqrt_step(s, f, v[0], v[1]);
    case CONVERT: return fpu_convert(s, f, from, v[0], s->round);
    case N_OPS: break;
    }
    g_assert_not_reached();
}

static bool is_defined(Op op, FpuFormat from, const uint64_t v[3])
{
    for (unsigned i = 0; i < 3; i++) {
        uint64_t ones = (UINT64_C(1) << layouts[from].exp_bits) - 1;
        if ((v[i] >> layouts[from].frac_bits & ones) == ones) {
            return false;
        }
    }
    return !(op == SQRT && to_double(from, v[0]) < 0) && !(op == DIV && to_double(from, v[1]) == 0);
}

/* Steps as sums of products: 2 - a * b, 1.5 - a / 2 * b. */
static void set_step(Op op, mpfr_t *v)
{
    mpfr_neg(v[0], v[0], MPFR_RNDN);
    mpfr_div_2ui(v[0], v[0], op == QSTEP, MPFR_RNDN);
    mpfr_set_d(v[2], op == QSTEP ? 1.5 : 2.0, MPFR_RNDN);
}

static bool check(Op op, FpuFormat f, FpuRound round, uint64_t *seed, mpfr_t *m)
{
    FpuState s = {.rules = FPU_ARM, .round = (uint8_t)round};
    FpuFormat from = op == CONVERT ? random_u64(seed) % FPU_N_FORMATS : f;
    uint64_t v[3], want, got;
    uint32_t flags;

    do {
        random_operands(seed, from, v, 3);
    } while (!is_defined(op, from, v));
    for (unsigned i = 0; i < 3; i++) {
        mpfr_set_d(m[i], to_double(from, v[i]), MPFR_RNDN);
    }
    if (op == RSTEP || op == QSTEP) {
        set_step(op, m);
    }
    want = reference(op, f, m, round, &flags);
    got = soft(&s, op, f, from, v);
    if (got == want && s.flags == flags) {
        return true;
    }
    g_test_message("%s format %d from %d round %d: %" G_GINT64_MODIFIER "x %" G_GINT64_MODIFIER
                   "x %" G_GINT64_MODIFIER "x: got %" G_GINT64_MODIFIER
                   "x flags %x, MPFR %" G_GINT64_MODIFIER "x flags %x",
                   op_names[op], f, from, round, v[0], v[1], v[2], got, s.flags, want, flags);
    return false;
}

static void test_op(gconstpointer data)
{
    static const FpuRound rounds[] = {FPU_NEAREST, FPU_UP, FPU_DOWN, FPU_ZERO, FPU_ODD};
    Op op = (Op)GPOINTER_TO_INT(data);
    uint64_t seed = (uint64_t)g_test_rand_int();
    unsigned bad = 0;
    mpfr_t m[3];

    mpfr_set_emin(-WIDE_EXP);
    mpfr_set_emax(WIDE_EXP);
    mpfr_inits2(53, m[0], m[1], m[2], (mpfr_ptr)NULL);
    for (unsigned i = 0; i < ROUNDS * G_N_ELEMENTS(rounds) && bad < 10; i++) {
        for (unsigned f = 0; f < FPU_N_FORMATS; f++) {
            bad += !check(op, (FpuFormat)f, rounds[i % G_N_ELEMENTS(rounds)], &seed, m);
        }
    }
    mpfr_clears(m[0], m[1], m[2], (mpfr_ptr)NULL);
    g_assert_cmpuint(bad, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (int op = 0; op < N_OPS; op++) {
        g_autofree char *path = g_strdup_printf("/fpu/mpfr/%s", op_names[op]);
        g_test_add_data_func(path, GINT_TO_POINTER(op), test_op);
    }
    return g_test_run();
}
