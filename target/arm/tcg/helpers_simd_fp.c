/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * C helpers for A64 FP instructions that have no IR op. They raise into cpu->fp_flags.
 *
 * Source: Arm ARM (DDI 0487), "Shared Pseudocode" functions FPxxx, BFxxx, through fpu/.
 * What `sub` means stands in the row table a64_simd_ops.c. Argument order: n, m, d.
 */
#include "target/arm/tcg/a64_fp_ops.h"
#include "target/arm/tcg/a64_simd.h"
#include "target/arm/tcg/helpers_host.h"

typedef struct FpCall {
    FpuState s;
    unsigned esz, sub, n; /* n: elements */
} FpCall;

static FpCall fp_begin(const struct TcgCpu *cpu, IrVec *r, uint64_t info)
{
    FpCall c = {.s = a64_fp_state(cpu), .esz = info_esz(info), .sub = info_sub(info)};
    unsigned flags = info_flags(info);
    c.n = flags & A64_VF_SCALAR ? 1 : (flags & IRF_HALF ? 8u : 16u) >> c.esz;
    vec_clear(r);
    return c;
}

void a64_h_fmulx(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)imm;
    FpCall c = fp_begin(cpu, r, info);
    for (unsigned k = 0; k < c.n; k++) {
        vec_set(r, c.esz, k,
                fpu_mulx(&c.s, c.esz, vec_get(&a[0], c.esz, k), vec_get(&a[1], c.esz, k)));
    }
    a64_fp_done(cpu, &c.s);
}

/*
 * Newton steps on the host's FMA. Only Inexact can happen between operands of middling exponents;
 * when it is sticky already nothing of the flags changes. FPCR is 0, as is the host's rounding.
 */
static bool step_on_host(const struct TcgCpu *cpu, const FpCall *c, IrVec *r, const IrVec a[4])
{
    if (!((const A64Cpu *)(const void *)cpu)->host_fma || c->esz < 2 ||
        ((const A64Cpu *)(const void *)cpu)->fpcr || !(cpu->fp_flags & FPU_INEXACT)) {
        return false;
    }
    unsigned frac = c->esz == 2 ? 23 : 52, bias = c->esz == 2 ? 127 : 1023;
    for (unsigned k = 0; k < c->n; k++) {
        unsigned e = (unsigned)(vec_get(&a[0], c->esz, k) >> frac) & (2 * bias + 1);
        unsigned f = (unsigned)(vec_get(&a[1], c->esz, k) >> frac) & (2 * bias + 1);
        if (e - (bias - 60) > 120 || f - (bias - 60) > 120) {
            return false;
        }
    }
    host_step(r, a, c->esz, c->n << c->esz, c->sub != 0);
    return true;
}

void a64_h_fstep(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)imm;
    FpCall c = fp_begin(cpu, r, info);
    if (step_on_host(cpu, &c, r, a)) {
        return;
    }
    for (unsigned k = 0; k < c.n; k++) {
        uint64_t x = vec_get(&a[0], c.esz, k), y = vec_get(&a[1], c.esz, k);
        vec_set(r, c.esz, k,
                c.sub ? fpu_rsqrt_step(&c.s, c.esz, x, y) : fpu_recip_step(&c.s, c.esz, x, y));
    }
    a64_fp_done(cpu, &c.s);
}

/* RecipEstimate() of 256..511 and RecipSqrtEstimate() of 128..511, minus 256. */
static const uint8_t recip_table[256] = {
    255, 253, 251, 249, 247, 245, 243, 241, 240, 238, 236, 234, 232, 230, 229, 227, 225, 223, 221,
    220, 218, 216, 215, 213, 211, 210, 208, 206, 205, 203, 201, 200, 198, 197, 195, 194, 192, 191,
    189, 188, 186, 185, 183, 182, 180, 179, 177, 176, 174, 173, 172, 170, 169, 167, 166, 165, 163,
    162, 161, 159, 158, 157, 156, 154, 153, 152, 150, 149, 148, 147, 145, 144, 143, 142, 141, 139,
    138, 137, 136, 135, 134, 132, 131, 130, 129, 128, 127, 126, 124, 123, 122, 121, 120, 119, 118,
    117, 116, 115, 114, 113, 112, 111, 110, 109, 108, 107, 106, 105, 104, 103, 102, 101, 100, 99,
    98,  97,  96,  95,  94,  93,  92,  91,  90,  89,  88,  88,  87,  86,  85,  84,  83,  82,  81,
    81,  80,  79,  78,  77,  76,  75,  75,  74,  73,  72,  71,  70,  70,  69,  68,  67,  66,  66,
    65,  64,  63,  63,  62,  61,  60,  59,  59,  58,  57,  56,  56,  55,  54,  53,  53,  52,  51,
    51,  50,  49,  48,  48,  47,  46,  46,  45,  44,  44,  43,  42,  42,  41,  40,  40,  39,  38,
    38,  37,  36,  36,  35,  34,  34,  33,  32,  32,  31,  30,  30,  29,  29,  28,  27,  27,  26,
    26,  25,  24,  24,  23,  23,  22,  21,  21,  20,  20,  19,  18,  18,  17,  17,  16,  16,  15,
    15,  14,  13,  13,  12,  12,  11,  11,  10,  10,  9,   9,   8,   7,   7,   6,   6,   5,   5,
    4,   4,   3,   3,   2,   2,   1,   1,   0,
};
static const uint8_t rsqrt_table[384] = {
    255, 253, 251, 249, 247, 245, 243, 242, 240, 238, 236, 234, 233, 231, 229, 228, 226, 224, 223,
    221, 219, 218, 216, 215, 213, 212, 210, 209, 207, 206, 204, 203, 201, 200, 198, 197, 196, 194,
    193, 192, 190, 189, 188, 186, 185, 184, 183, 181, 180, 179, 178, 176, 175, 174, 173, 172, 170,
    169, 168, 167, 166, 165, 164, 163, 162, 160, 159, 158, 157, 156, 155, 154, 153, 152, 151, 150,
    149, 148, 147, 146, 145, 144, 143, 142, 141, 140, 140, 139, 138, 137, 136, 135, 134, 133, 132,
    131, 131, 130, 129, 128, 127, 126, 126, 125, 124, 123, 122, 121, 121, 120, 119, 118, 118, 117,
    116, 115, 114, 114, 113, 112, 111, 111, 110, 109, 109, 108, 107, 106, 105, 105, 104, 104, 103,
    103, 101, 101, 100, 100, 99,  99,  97,  97,  96,  96,  95,  95,  93,  93,  92,  92,  91,  91,
    90,  90,  88,  88,  87,  87,  86,  86,  85,  85,  84,  84,  82,  82,  81,  81,  80,  80,  79,
    79,  78,  78,  77,  77,  76,  76,  75,  75,  74,  74,  72,  72,  71,  71,  70,  70,  69,  69,
    68,  68,  67,  67,  66,  66,  65,  65,  64,  64,  63,  63,  62,  62,  61,  61,  60,  60,  60,
    60,  59,  59,  58,  58,  57,  57,  56,  56,  55,  55,  54,  54,  53,  53,  52,  52,  51,  51,
    51,  51,  50,  50,  49,  49,  48,  48,  47,  47,  46,  46,  46,  46,  45,  45,  44,  44,  43,
    43,  42,  42,  42,  42,  41,  41,  40,  40,  39,  39,  38,  38,  38,  38,  37,  37,  36,  36,
    35,  35,  35,  35,  34,  34,  33,  33,  33,  33,  32,  32,  31,  31,  30,  30,  30,  30,  29,
    29,  28,  28,  28,  28,  27,  27,  26,  26,  26,  26,  25,  25,  24,  24,  24,  24,  23,  23,
    22,  22,  22,  22,  21,  21,  20,  20,  20,  20,  19,  19,  19,  19,  18,  18,  17,  17,  17,
    17,  16,  16,  16,  16,  15,  15,  14,  14,  14,  14,  13,  13,  13,  13,  12,  12,  11,  11,
    11,  11,  10,  10,  10,  10,  9,   9,   9,   9,   8,   8,   8,   8,   7,   7,   6,   6,   6,
    6,   5,   5,   5,   5,   4,   4,   4,   4,   3,   3,   3,   3,   2,   2,   2,   2,   1,   1,
    1,   1,   0,   0,
};

/* Estimates of normal numbers whose result is normal; they raise nothing under any FPCR. */
static bool estimate_plain(unsigned esz, unsigned sub, uint64_t x, uint64_t *out)
{
    if (esz < 2 || sub > 1) {
        return false;
    }
    unsigned frac = esz == 2 ? 23 : 52, max = esz == 2 ? 255 : 2047;
    unsigned exp = (unsigned)(x >> frac) & max, top = (unsigned)(x >> (frac - 8)) & 255;
    uint64_t sign = x >> ((8u << esz) - 1) & 1;
    if (exp == 0 || exp == max) {
        return false;
    }
    if (sub == 0) {
        *out = sign << ((8u << esz) - 1) | (uint64_t)(max - 2 - exp) << frac |
               (uint64_t)recip_table[top] << (frac - 8);
        return exp + 2 < max;
    }
    unsigned index = exp & 1 ? top >> 1 : 128 + top; /* a is 128 + top / 2, or 256 + top */
    *out = (uint64_t)((3 * (max / 2) - 1 - exp) / 2) << frac | (uint64_t)rsqrt_table[index]
                                                                   << (frac - 8);
    return !sign;
}

void a64_h_festimate(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)imm;
    FpCall c = fp_begin(cpu, r, info);
    for (unsigned k = 0; k < c.n; k++) {
        uint64_t x = vec_get(&a[0], c.esz, k), v;
        if (!estimate_plain(c.esz, c.sub, x, &v)) {
            v = c.sub == 0   ? fpu_recip_estimate(&c.s, c.esz, x)
                : c.sub == 1 ? fpu_rsqrt_estimate(&c.s, c.esz, x)
                             : fpu_recip_exponent(&c.s, c.esz, x);
        }
        vec_set(r, c.esz, k, v);
    }
    a64_fp_done(cpu, &c.s);
}

/* sub bit 0: current rounding (X) instead of toward zero; bit 1: 64 bits. */
void a64_h_frintts(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)imm;
    FpCall c = fp_begin(cpu, r, info);
    FpuRound round = c.sub & 1 ? c.s.round : FPU_ZERO;
    for (unsigned k = 0; k < c.n; k++) {
        vec_set(r, c.esz, k,
                fpu_round_int_n(&c.s, c.esz, vec_get(&a[0], c.esz, k), round, c.sub & 2 ? 64 : 32));
    }
    a64_fp_done(cpu, &c.s);
}

void a64_h_fjcvtzs(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)imm;
    FpCall c = fp_begin(cpu, r, info);
    bool exact;
    r->u32[0] = fpu_to_int32_js(&c.s, a[0].u64[0], &exact);
    r->u32[1] = exact;
    a64_fp_done(cpu, &c.s);
}

/* sub bit 0: FMLSL, bit 1: the upper half of the sources. */
void a64_h_fmlal(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)imm;
    FpCall c = fp_begin(cpu, r, info);
    unsigned n = c.n / 2, first = c.sub & 2 ? n : 0;
    for (unsigned k = 0; k < n; k++) {
        r->u32[k] = (uint32_t)fpu_muladd_f16_f32(&c.s, a[0].u16[first + k], a[1].u16[first + k],
                                                 a[2].u32[k], c.sub & 1 ? FPU_NEG_PRODUCT : 0);
    }
    a64_fp_done(cpu, &c.s);
}

/* ---- BF16 ---- */

/* BFCVT, BFCVTN: F32 elements to BF16. */
void a64_h_bfcvt(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)imm;
    FpCall c = fp_begin(cpu, r, info);
    unsigned n = c.n == 1 ? 1 : 4;
    for (unsigned k = 0; k < n; k++) {
        r->u16[k] = (uint16_t)fpu_convert(&c.s, FPU_BF16, FPU_F32, a[0].u32[k], c.s.round);
    }
    a64_fp_done(cpu, &c.s);
}

/*
 * The dot products ignore FPCR: round to odd, flush denormals both ways, default NaN; no flags
 * (BFDotAdd() without FEAT_EBF16).
 */
static FpuState bf_state(void)
{
    return (FpuState){.rules = FPU_ARM,
                      .round = FPU_ODD,
                      .default_nan = true,
                      .flush_in = true,
                      .flush_out = true,
                      .odd_to_inf = true};
}

static uint32_t bf_dot_add(FpuState *s, uint32_t acc, const uint16_t *n, const uint16_t *m)
{
    uint64_t p = fpu_mul(s, FPU_F32, (uint32_t)n[0] << 16, (uint32_t)m[0] << 16);
    uint64_t q = fpu_mul(s, FPU_F32, (uint32_t)n[1] << 16, (uint32_t)m[1] << 16);
    return (uint32_t)fpu_add(s, FPU_F32, acc, fpu_add(s, FPU_F32, p, q));
}

void a64_h_bfdot(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)imm;
    FpCall c = fp_begin(cpu, r, info);
    FpuState s = bf_state();
    for (unsigned k = 0; k < c.n / 2; k++) {
        r->u32[k] = bf_dot_add(&s, a[2].u32[k], &a[0].u16[2 * k], &a[1].u16[2 * k]);
    }
}

/* 2 x 4 by 4 x 2, into 2 x 2. */
void a64_h_bfmmla(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)cpu;
    (void)imm;
    (void)info;
    FpuState s = bf_state();
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned j = 0; j < 2; j++) {
            uint32_t acc = a[2].u32[2 * i + j];
            acc = bf_dot_add(&s, acc, &a[0].u16[4 * i], &a[1].u16[4 * j]);
            r->u32[2 * i + j] = bf_dot_add(&s, acc, &a[0].u16[4 * i + 2], &a[1].u16[4 * j + 2]);
        }
    }
}

/* BFMLALB, BFMLALT (sub 1): fused, under FPCR, with flags. */
void a64_h_bfmlal(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)imm;
    FpCall c = fp_begin(cpu, r, info);
    for (unsigned k = 0; k < 4; k++) {
        uint32_t x = (uint32_t)a[0].u16[2 * k + c.sub] << 16,
                 y = (uint32_t)a[1].u16[2 * k + c.sub] << 16;
        r->u32[k] = (uint32_t)fpu_muladd(&c.s, FPU_F32, x, y, a[2].u32[k], 0);
    }
    a64_fp_done(cpu, &c.s);
}
