/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vector rows of shifts by constants and by vectors.
 *
 * Bytes: x86 has no byte shifts.  GFNI multiplies each byte with an 8x8 bit matrix, which is any
 * shift in one instruction; without it words are shifted and what came from the neighbour masked.
 */
#include "tcg/x86_64/vec.h"

static void end_half(X64Ctx *c, const IrOp *op, unsigned d)
{
    if (op->flags & IRF_HALF && !x64_is_low64(c, op->arg[0])) {
        x64_low64(c, d, d);
    }
}

/* The matrix of GF2P8AFFINEQB: row for result bit i stands in byte 7 - i. */
static uint64_t byte_matrix(unsigned op, unsigned n)
{
    uint64_t m = 0;

    for (unsigned i = 0; i < 8; i++) {
        int from = op == IR_VSHLI ? (int)i - (int)n : (int)i + (int)n;

        if (op == IR_VSARI && from > 7) {
            from = 7;
        }
        if (from >= 0 && from <= 7) {
            m |= 1ull << from << 8 * (7 - i);
        }
    }
    return m;
}

static void shift_bytes(X64Ctx *c, const IrOp *op, unsigned d, unsigned a)
{
    unsigned n = (unsigned)op->imm;

    if (x64_has(c, TCG_HOST_GFNI)) {
        x64_evex_rm(&c->as, XI_Q(3, 0xce), 0, d, a, x64_const_both(c, byte_matrix(op->op, n)), 0);
        return;
    }
    if (op->op == IR_VSHLI) {
        x64_vsh(c, SH_SLL, d, a, 1 | n << 2);
        x64_v3m(&c->as, XV_PAND, d, d, x64_const_both(c, 0x0101010101010101 * (0xff << n & 0xff)));
        return;
    }
    if (op->op == IR_VSARI && n > 7) {
        n = 7;
    }
    x64_vsh(c, SH_SRL, d, a, 1 | n << 2);
    x64_v3m(&c->as, XV_PAND, d, d, x64_const_both(c, 0x0101010101010101 * (0xff >> n)));
    if (op->op == IR_VSARI) { /* (x ^ sign) - sign */
        X64Mem sign = x64_const_both(c, 0x0101010101010101 * (0x80 >> n));

        x64_v3m(&c->as, XV_PXOR, d, d, sign);
        x64_v3m(&c->as, XI(1, 0xf8), d, d, sign);
    }
}

/* 64-bit arithmetic shift without AVX-512: logical, with the sign's ones or-ed in. */
static void sar_q(X64Ctx *c, unsigned d, unsigned a, unsigned n)
{
    x64_zero(c, V15);
    x64_v3(&c->as, XI(2, 0x37), V15, V15, a); /* PCMPGTQ: 0 > a */
    if (n >= 64) {
        x64_movaps(&c->as, d, V15);
        return;
    }
    x64_vsh(c, SH_SLL, V15, V15, 3 | (64 - n) << 2);
    x64_vsh(c, SH_SRL, d, a, 3 | n << 2);
    x64_v3(&c->as, XV_POR, d, d, V15);
}

static void emit_shift_imm(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned kind = op->op == IR_VSHLI ? SH_SLL : op->op == IR_VSHRI ? SH_SRL : SH_SRA;
    unsigned d = r->dst, a = r->arg[0].reg, n = (unsigned)op->imm;

    if (op->esz == 0) {
        shift_bytes(c, op, d, a);
    } else if (kind == SH_SRA && op->esz == 3 && !x64_has(c, TCG_HOST_AVX512VL)) {
        sar_q(c, d, a, n);
    } else {
        x64_vsh(c, kind, d, a, op->esz | n << 2);
    }
    end_half(c, op, d);
}

/* ---- by a vector: AVX2 (32, 64 bits), AVX-512 (16 too). Counts of the width and more give 0. ----
 */

static uint64_t count_mask(unsigned esz)
{
    return esz == 1 ? 0x00ff00ff00ff00ff : esz == 2 ? 0x000000ff000000ff : 0xff;
}

static void shift_v(X64Ctx *c, unsigned kind, unsigned d, unsigned s, unsigned n_esz)
{
    unsigned n = n_esz >> 2, esz = n_esz & 3;
    unsigned op = kind == SH_SLL ? 0x47 : kind == SH_SRL ? 0x45 : 0x46;

    if (esz == 1 || (esz == 3 && kind == SH_SRA)) { /* AVX-512 only */
        if (esz == 1) {
            op = kind == SH_SLL ? 0x12 : kind == SH_SRL ? 0x10 : 0x11;
        }
        x64_evex_rr(&c->as, XI_Q(2, op), 0, d, s, n, -1);
    } else if (esz == 3) {
        x64_v3(&c->as, XI_Q(2, op) | XD_W, d, s, n);
    } else {
        x64_v3(&c->as, XI(2, op), d, s, n);
    }
}

/*
 * The count is the low byte, signed: left by b & 255 (0 when negative, as that is >= 128), right by
 * -b & 255 (0 when positive); both give a for 0.
 */
static void emit_shlv(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    static const X64Desc4 psub = {0, XI(1, 0xf9), XI(1, 0xfa), XI_Q(1, 0xfb)};
    X64Mem mask = x64_const_both(c, count_mask(op->esz));
    unsigned a = r->arg[0].reg, b = r->arg[1].reg, t = r->vtmp[0], e = op->esz;

    x64_zero(c, V15);
    x64_v3(&c->as, psub[e], V15, V15, b);
    x64_v3m(&c->as, XV_PAND, V15, V15, mask);
    x64_v3m(&c->as, XV_PAND, t, b, mask);
    shift_v(c, SH_SLL, t, a, t << 2 | e);
    shift_v(c, SH_SRL, V15, a, V15 << 2 | e);
    x64_v3(&c->as, XV_POR, r->dst, V15, t);
    if (op->flags & IRF_HALF) {
        x64_low64(c, r->dst, r->dst);
    }
}

/* The same with an arithmetic right shift, chosen by the count's sign. */
static void emit_sshlv(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    static const X64Desc4 psub = {0, XI(1, 0xf9), XI(1, 0xfa), XI_Q(1, 0xfb)};
    X64Mem mask = x64_const_both(c, count_mask(op->esz));
    unsigned a = r->arg[0].reg, b = r->arg[1].reg, t = r->vtmp[0], u = r->vtmp[1], e = op->esz;

    x64_zero(c, V15);
    x64_v3(&c->as, psub[e], V15, V15, b);
    x64_v3m(&c->as, XV_PAND, V15, V15, mask);
    x64_v3m(&c->as, XV_PAND, t, b, mask);
    shift_v(c, SH_SLL, t, a, t << 2 | e);
    x64_vsh(c, SH_SLL, u, b, e | ((8u << e) - 8) << 2);
    if (x64_has(c, TCG_HOST_AVX512VL)) {
        shift_v(c, SH_SRA, V15, a, V15 << 2 | e);
        /* k1 = signs; t{k1} = xmm15 */
        x64_evex_rr(&c->as, XD(2, 2, e < 2 ? 0x29 : 0x39) | (e & 1 ? XD_EW : 0), 0, 1, 0, u, -1);
        x64_evex_rr(&c->as,
                    e == 1   ? XI_Q(2, 0x66)
                    : e == 2 ? XI(2, 0x64)
                             : XI_Q(2, 0x64),
                    1, r->dst, t, V15, -1);
    } else {
        shift_v(c, SH_SRA, V15, a, V15 << 2 | e);
        x64_vex_rr(&c->as, XI(3, 0x4a), r->dst, t, V15, (int)(u << 4)); /* VBLENDVPS */
    }
    if (op->flags & IRF_HALF) {
        x64_low64(c, r->dst, r->dst);
    }
}

static const X64Row row_shift_imm = {emit_shift_imm, X64R_HI, 0, 0};
static const X64Row row_shlv = {emit_shlv, X64R_HI, 0, 1};
static const X64Row row_sshlv = {emit_sshlv, X64R_HI, 0, 2};

const X64Row *x64_vec_shift_row(const X64Ctx *c, const IrOp *op)
{
    bool v512 = x64_has(c, TCG_HOST_AVX512VL), avx2 = x64_has(c, TCG_HOST_AVX2);

    switch (op->op) {
    case IR_VSHLI:
    case IR_VSHRI:
    case IR_VSARI: return op->esz <= 3 ? &row_shift_imm : NULL;
    case IR_VSHLV: return op->esz >= 1 && (v512 || (avx2 && op->esz >= 2)) ? &row_shlv : NULL;
    case IR_VSSHLV: return op->esz >= 1 && (v512 || (avx2 && op->esz == 2)) ? &row_sshlv : NULL;
    default: return NULL;
    }
}
