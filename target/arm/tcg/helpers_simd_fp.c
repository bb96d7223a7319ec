/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * C helpers for A64 FP instructions that have no IR op. They raise into cpu->fp_flags.
 *
 * Source: Arm ARM (DDI 0487), "Shared Pseudocode" functions FPxxx, BFxxx, through fpu/.
 * What `sub` means stands in the row table a64_simd_ops.c. Argument order: n, m, d.
 */
#include "target/arm/tcg/a64_fp_ops.h"
#include "target/arm/tcg/a64_simd.h"

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

void a64_h_fstep(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)imm;
    FpCall c = fp_begin(cpu, r, info);
    for (unsigned k = 0; k < c.n; k++) {
        uint64_t x = vec_get(&a[0], c.esz, k), y = vec_get(&a[1], c.esz, k);
        vec_set(r, c.esz, k,
                c.sub ? fpu_rsqrt_step(&c.s, c.esz, x, y) : fpu_recip_step(&c.s, c.esz, x, y));
    }
    a64_fp_done(cpu, &c.s);
}

void a64_h_festimate(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)imm;
    FpCall c = fp_begin(cpu, r, info);
    for (unsigned k = 0; k < c.n; k++) {
        uint64_t x = vec_get(&a[0], c.esz, k);
        vec_set(r, c.esz, k,
                c.sub == 0   ? fpu_recip_estimate(&c.s, c.esz, x)
                : c.sub == 1 ? fpu_rsqrt_estimate(&c.s, c.esz, x)
                             : fpu_recip_exponent(&c.s, c.esz, x));
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
