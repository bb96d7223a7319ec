/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vector rows of integer arithmetic that take more than one instruction.
 *
 * Emit functions write dst last (or the row says X64R_EARLY), as dst may be an argument's register.
 */
#include "tcg/x86_64/vec.h"

static const X64Desc4 padd = {XI_C(1, 0xfc), XI_C(1, 0xfd), XI_C(1, 0xfe), XV_PADDQ};
static const X64Desc4 psub = {XI(1, 0xf8), XI(1, 0xf9), XI(1, 0xfa), XI_Q(1, 0xfb)};
static const X64Desc4 pcmpeq = {XV_PCMPEQB, XI_C(1, 0x75), XV_PCMPEQD, XI_C(2, 0x29)};
static const X64Desc4 pcmpgt = {XI(1, 0x64), XI(1, 0x65), XI(1, 0x66), XI(2, 0x37)};
static const X64Desc4 psmin = {XI_C(2, 0x38), XI_C(1, 0xea), XI_C(2, 0x39), 0};
static const X64Desc4 psmax = {XI_C(2, 0x3c), XI_C(1, 0xee), XI_C(2, 0x3d), 0};
static const X64Desc4 pumin = {XI_C(1, 0xda), XI_C(2, 0x3a), XI_C(2, 0x3b), 0};
static const X64Desc4 pumax = {XI_C(1, 0xde), XI_C(2, 0x3e), XI_C(2, 0x3f), 0};

static void end_half(X64Ctx *c, const IrOp *op, unsigned d)
{
    if (op->flags & IRF_HALF) {
        x64_low64(c, d, d);
    }
}

/* d = ~d */
static void invert(X64Ctx *c, unsigned d, unsigned tmp)
{
    if (x64_has(c, TCG_HOST_AVX512VL)) {
        x64_evex_rr(&c->as, XV_TERNLOG, 0, d, d, d, 0x55);
    } else {
        x64_ones(c, tmp);
        x64_v3(&c->as, XV_PXOR, d, d, tmp);
    }
}

static void emit_neg(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    x64_zero(c, V15);
    x64_v3(&c->as, psub[op->esz], r->dst, V15, r->arg[0].reg);
    end_half(c, op, r->dst);
}

static void emit_abs(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned d = r->dst, a = r->arg[0].reg, t = r->vtmp[0];

    if (op->esz < 3) {
        x64_v2(&c->as, XI(2, 0x1c + op->esz), d, a);
    } else if (x64_has(c, TCG_HOST_AVX512VL)) {
        x64_evex_rr(&c->as, XI_Q(2, 0x1f), 0, d, 0, a, -1);
    } else {
        x64_zero(c, V15);
        x64_v3(&c->as, pcmpgt[3], V15, V15, a);
        x64_v3(&c->as, XV_PXOR, t, a, V15);
        x64_v3(&c->as, psub[3], d, t, V15);
    }
    end_half(c, op, d);
}

/* Bytes: products of the even and the odd bytes as words. */
static void mul_b(X64Ctx *c, const X64Regs *r)
{
    unsigned a = r->arg[0].reg, b = r->arg[1].reg, t = r->vtmp[0];

    x64_vsh(c, SH_SRL, V15, a, 1 | 8 << 2);
    x64_vsh(c, SH_SRL, t, b, 1 | 8 << 2);
    x64_v3(&c->as, XV_PMULLW, V15, V15, t);
    x64_vsh(c, SH_SLL, V15, V15, 1 | 8 << 2);
    x64_v3(&c->as, XV_PMULLW, t, a, b);
    x64_v3m(&c->as, XV_PAND, t, t, x64_const_both(c, 0x00ff00ff00ff00ff));
    x64_v3(&c->as, XV_POR, r->dst, V15, t);
}

static void mul_q(X64Ctx *c, const X64Regs *r)
{
    unsigned a = r->arg[0].reg, b = r->arg[1].reg, t = r->vtmp[0];

    x64_vsh(c, SH_SRL, V15, a, 3 | 32 << 2);
    x64_v3(&c->as, XV_PMULUDQ, V15, V15, b);
    x64_vsh(c, SH_SRL, t, b, 3 | 32 << 2);
    x64_v3(&c->as, XV_PMULUDQ, t, t, a);
    x64_v3(&c->as, XV_PADDQ, V15, V15, t);
    x64_vsh(c, SH_SLL, V15, V15, 3 | 32 << 2);
    x64_v3(&c->as, XV_PMULUDQ, t, a, b);
    x64_v3(&c->as, XV_PADDQ, r->dst, V15, t);
}

static void emit_mul(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    if (op->esz == 0) {
        mul_b(c, r);
    } else {
        mul_q(c, r);
    }
    end_half(c, op, r->dst);
}

/* ---- comparisons ---- */

/* Into xmm15; returns true when the result must be inverted. */
static bool compare(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned a = r->arg[0].reg, b = r->arg[1].reg, e = op->esz;
    bool inv = op->sub == IR_NE || op->sub == IR_ULT || op->sub == IR_UGT;

    switch (op->sub) {
    case IR_EQ:
    case IR_NE: x64_v3(&c->as, pcmpeq[e], V15, a, b); return inv;
    case IR_SGT: x64_v3(&c->as, pcmpgt[e], V15, a, b); return false;
    case IR_SLT: x64_v3(&c->as, pcmpgt[e], V15, b, a); return false;
    case IR_SGE: /* max(a, b) == a */
    case IR_UGE:
    case IR_ULT:
        if (e == 3) {
            break;
        }
        x64_v3(&c->as, op->sub == IR_SGE ? psmax[e] : pumax[e], V15, a, b);
        x64_v3(&c->as, pcmpeq[e], V15, V15, a);
        return inv;
    default: /* SLE, ULE, UGT: min(a, b) == a */
        if (e == 3) {
            break;
        }
        x64_v3(&c->as, op->sub == IR_SLE ? psmin[e] : pumin[e], V15, a, b);
        x64_v3(&c->as, pcmpeq[e], V15, V15, a);
        return inv;
    }
    /* 64 bits: signed greater-than, unsigned after flipping the sign bits */
    if (op->sub == IR_SGE || op->sub == IR_SLE) {
        x64_v3(&c->as, pcmpgt[3], V15, op->sub == IR_SGE ? b : a, op->sub == IR_SGE ? a : b);
        return true;
    }
    bool swap = op->sub == IR_UGE || op->sub == IR_ULT; /* b > a */
    X64Mem sign = x64_const_both(c, 1ull << 63);

    x64_v3m(&c->as, XV_PXOR, V15, swap ? b : a, sign);
    x64_v3m(&c->as, XV_PXOR, r->vtmp[0], swap ? a : b, sign);
    x64_v3(&c->as, pcmpgt[3], V15, V15, r->vtmp[0]);
    return op->sub == IR_UGE || op->sub == IR_ULE;
}

static void emit_cmp(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    bool inv = compare(c, op, r);

    if (inv) {
        invert(c, V15, r->vtmp[0]);
    }
    if (op->flags & IRF_HALF) {
        x64_low64(c, r->dst, V15);
    } else {
        x64_movaps(&c->as, r->dst, V15);
    }
}

static void emit_cmp_simple(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned a = r->arg[0].reg, b = r->arg[1].reg;

    if (op->sub == IR_EQ) {
        x64_v3(&c->as, pcmpeq[op->esz], r->dst, a, b);
    } else {
        x64_v3(&c->as, pcmpgt[op->esz], r->dst, op->sub == IR_SGT ? a : b,
               op->sub == IR_SGT ? b : a);
    }
    end_half(c, op, r->dst);
}

/* k1 to a vector of masks */
static void mask_to_vec(X64Ctx *c, unsigned esz, unsigned d)
{
    x64_evex_rr(&c->as, XD(2, 2, esz < 2 ? 0x28 : 0x38) | (esz & 1 ? XD_EW : 0), 0, d, 0, 1, -1);
}

static void emit_tst_512(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    uint32_t desc = XD(1, 2, op->esz < 2 ? 0x26 : 0x27) | (op->esz & 1 ? XD_EW : 0);

    x64_evex_rr(&c->as, desc, 0, 1, r->arg[0].reg, r->arg[1].reg, -1);
    mask_to_vec(c, op->esz, r->dst);
    end_half(c, op, r->dst);
}

static void emit_tst(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned t = r->vtmp[0];

    x64_v3(&c->as, XV_PAND, V15, r->arg[0].reg, r->arg[1].reg);
    x64_zero(c, t);
    x64_v3(&c->as, pcmpeq[op->esz], t, t, V15);
    invert(c, t, V15);
    if (op->flags & IRF_HALF) {
        x64_low64(c, r->dst, t);
    } else {
        x64_movaps(&c->as, r->dst, t);
    }
}

/* ---- differences, means, saturation of wide elements ---- */

static void emit_abd(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    bool u = op->op == IR_VUABD;
    unsigned a = r->arg[0].reg, b = r->arg[1].reg, t = r->vtmp[0];

    x64_v3(&c->as, u ? pumax[op->esz] : psmax[op->esz], V15, a, b);
    x64_v3(&c->as, u ? pumin[op->esz] : psmin[op->esz], t, a, b);
    x64_v3(&c->as, psub[op->esz], r->dst, V15, t);
    end_half(c, op, r->dst);
}

/* (a | b) - ((a ^ b) >> 1) */
static void emit_rhadd_d(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned a = r->arg[0].reg, b = r->arg[1].reg, t = r->vtmp[0];

    x64_v3(&c->as, XV_PXOR, V15, a, b);
    x64_vsh(c, SH_SRL, V15, V15, 2 | 1 << 2);
    x64_v3(&c->as, XV_POR, t, a, b);
    x64_v3(&c->as, psub[2], r->dst, t, V15);
    end_half(c, op, r->dst);
}

/* a + b: min(a, ~b) + b; a - b: max(a, b) - b */
static void emit_uqadd(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned a = r->arg[0].reg, b = r->arg[1].reg, e = op->esz;
    bool add = op->op == IR_VUQADD;

    if (add) {
        x64_ones(c, V15);
        x64_v3(&c->as, XV_PXOR, V15, V15, b);
    }
    if (e == 3) { /* VPMINUQ, VPMAXUQ */
        x64_evex_rr(&c->as, XI_Q(2, add ? 0x3b : 0x3f), 0, V15, add ? V15 : b, a, -1);
    } else {
        x64_v3(&c->as, add ? pumin[e] : pumax[e], V15, add ? V15 : b, a);
    }
    x64_v3(&c->as, add ? padd[e] : psub[e], r->dst, V15, b);
    end_half(c, op, r->dst);
}

/*
 * Signed: overflow when the sum's sign differs from both operands' (the difference's from a's, and
 * theirs differ); then the limit on a's side. 32 bits, with AVX-512 64.
 */
static void emit_sqadd(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned a = r->arg[0].reg, b = r->arg[1].reg, t = r->vtmp[0], u = r->vtmp[1], e = op->esz;
    unsigned all = e | ((8u << e) - 1) << 2;
    bool add = op->op == IR_VSQADD;

    x64_v3(&c->as, add ? padd[e] : psub[e], V15, a, b);
    x64_v3(&c->as, XV_PXOR, u, a, b);
    x64_v3(&c->as, XV_PXOR, t, a, V15);
    x64_v3(&c->as, add ? XV_PANDN : XV_PAND, u, u, t);
    x64_vsh(c, SH_SRA, u, u, all); /* ones where it overflows */
    x64_vsh(c, SH_SRA, t, a, all);
    x64_v3m(&c->as, XV_PXOR, t, t, x64_const_both(c, e == 3 ? INT64_MAX : 0x7fffffff7fffffff));
    x64_v3(&c->as, XV_PXOR, t, t, V15);
    x64_v3(&c->as, XV_PAND, t, t, u);
    x64_v3(&c->as, XV_PXOR, r->dst, V15, t);
    end_half(c, op, r->dst);
}

/* Pairwise sums: HALF sums pairs of b:a's low halves put together. */
static void emit_addp(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned d = r->dst, a = r->arg[0].reg, b = r->arg[1].reg, t = r->vtmp[0], e = op->esz;
    bool half = op->flags & IRF_HALF;

    if (half) {
        x64_v3(&c->as, XV_PUNPCKLQDQ, V15, a, b);
        a = b = V15;
    }
    if (e == 3) {
        x64_v3(&c->as, XV_PUNPCKLQDQ, t, a, b);
        x64_v3(&c->as, XV_PUNPCKHQDQ, V15, a, b);
        x64_v3(&c->as, XV_PADDQ, d, V15, t);
    } else if (e >= 1) {
        x64_v3(&c->as, XI(2, e), d, a, b); /* PHADDW, PHADDD */
    } else {
        X64Mem low = x64_const_both(c, 0x00ff00ff00ff00ff);

        x64_vsh(c, SH_SRL, t, b, 1 | 8 << 2);
        x64_v3(&c->as, padd[1], t, t, b);
        x64_v3m(&c->as, XV_PAND, t, t, low);
        if (!half) {
            x64_vsh(c, SH_SRL, V15, a, 1 | 8 << 2);
            x64_v3(&c->as, padd[1], V15, V15, a);
            x64_v3m(&c->as, XV_PAND, V15, V15, low);
        }
        x64_v3(&c->as, XV_PACKUSWB, d, half ? t : V15, t);
    }
    end_half(c, op, d);
}

/* ---- widening, narrowing ---- */

static void emit_xtl(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    static const X64Desc4 sx = {XD(1, 2, 0x20) | XD_N(3), XD(1, 2, 0x23) | XD_N(3),
                                XD(1, 2, 0x25) | XD_N(3), 0};
    static const X64Desc4 zx = {XD(1, 2, 0x30) | XD_N(3), XD(1, 2, 0x33) | XD_N(3),
                                XD(1, 2, 0x35) | XD_N(3), 0};
    unsigned d = r->dst, a = r->arg[0].reg;

    if (op->flags & IRF_HI) {
        x64_v2i(&c->as, XV_PSHUFD, d, a, 0xee);
        a = d;
    }
    x64_v2(&c->as, op->op == IR_VSXTL ? sx[op->esz] : zx[op->esz], d, a);
}

static void emit_xtn(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned n = 1u << op->esz;
    uint8_t m[16];

    for (unsigned i = 0; i < 16; i++) {
        m[i] = (uint8_t)(i < 8 ? i / n * 2 * n + i % n : 0x80);
    }
    x64_v3m(&c->as, XV_PSHUFB, r->dst, r->arg[0].reg, x64_const_bytes(c, m));
}

static void emit_mull(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    bool s = op->op == IR_VSMULL, hi = op->flags & IRF_HI;
    unsigned a = r->arg[0].reg, b = r->arg[1].reg, t = r->vtmp[0];

    if (op->esz == 1) {
        x64_v3(&c->as, XV_PMULLW, V15, a, b);
        x64_v3(&c->as, s ? XV_PMULHW : XV_PMULHUW, t, a, b);
        x64_v3(&c->as, hi ? XV_PUNPCKHWD : XV_PUNPCKLWD, r->dst, V15, t);
        return;
    }
    if (op->esz == 2) {
        x64_v2i(&c->as, XV_PSHUFD, V15, a, hi ? 0xfa : 0x50);
        x64_v2i(&c->as, XV_PSHUFD, t, b, hi ? 0xfa : 0x50);
        x64_v3(&c->as, s ? XV_PMULDQ : XV_PMULUDQ, r->dst, V15, t);
        return;
    }
    if (hi) {
        x64_v2i(&c->as, XV_PSHUFD, V15, a, 0xee);
        x64_v2i(&c->as, XV_PSHUFD, t, b, 0xee);
        a = V15;
        b = t;
    }
    x64_v2(&c->as, XD(1, 2, s ? 0x20 : 0x30) | XD_N(3), V15, a);
    x64_v2(&c->as, XD(1, 2, s ? 0x20 : 0x30) | XD_N(3), t, b);
    x64_v3(&c->as, XV_PMULLW, r->dst, V15, t);
}

/* ---- population count, sums and extremes over the vector ---- */

static void emit_cnt_512(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    x64_evex_rr(&c->as, XD(1, 2, 0x54), 0, r->dst, 0, r->arg[0].reg, -1);
    end_half(c, op, r->dst);
}

static void emit_cnt(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    X64Mem nibble = x64_const_both(c, 0x0f0f0f0f0f0f0f0f);
    X64Mem table = x64_const16(c, 0x0302020102010100, 0x0403030203020201);
    unsigned a = r->arg[0].reg, t = r->vtmp[0], u = r->vtmp[1];

    x64_vsh(c, SH_SRL, V15, a, 1 | 4 << 2);
    x64_v3m(&c->as, XV_PAND, V15, V15, nibble);
    x64_v3m(&c->as, XV_PAND, t, a, nibble);
    x64_v2m(&c->as, XV_MOVAPS_L, u, table);
    x64_v3(&c->as, XV_PSHUFB, u, u, t);
    x64_v2m(&c->as, XV_MOVAPS_L, t, table);
    x64_v3(&c->as, XV_PSHUFB, t, t, V15);
    x64_v3(&c->as, padd[0], r->dst, u, t);
    end_half(c, op, r->dst);
}

static X64Mem elem_mask(X64Ctx *c, unsigned esz)
{
    return x64_const16(c, esz == 3 ? UINT64_MAX : (1ull << (8u << esz)) - 1, 0);
}

static void emit_addv(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned d = r->dst, a = r->arg[0].reg, t = r->vtmp[0], s = a;
    bool half = op->flags & IRF_HALF;

    if (op->esz == 0) {
        x64_zero(c, V15);
        x64_v3(&c->as, XV_PSADBW, t, a, V15);
        s = t;
    } else if (op->esz == 1) {
        x64_v3m(&c->as, XV_PMADDWD, t, a, x64_const_both(c, 0x0001000100010001));
        s = t;
    }
    if (!half) {
        x64_v2i(&c->as, XV_PSHUFD, V15, s, 0xee);
        x64_v3(&c->as, op->esz == 3 ? XV_PADDQ : padd[2], t, V15, s);
        s = t;
    }
    if (op->esz == 1 || op->esz == 2) {
        x64_v2i(&c->as, XV_PSHUFD, V15, s, 0x55);
        x64_v3(&c->as, padd[2], t, V15, s);
        s = t;
    }
    if (op->esz == 3) {
        x64_low64(c, d, s);
    } else {
        x64_v3m(&c->as, XV_PAND, d, s, elem_mask(c, op->esz));
    }
}

static void emit_minmaxv(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    const uint32_t *t4 = op->op == IR_VUMAXV   ? pumax
                         : op->op == IR_VUMINV ? pumin
                         : op->op == IR_VSMAXV ? psmax
                                               : psmin;
    uint32_t desc = t4[op->esz];
    unsigned t = r->vtmp[0], s = r->arg[0].reg;

    if (!(op->flags & IRF_HALF)) {
        x64_v2i(&c->as, XV_PSHUFD, V15, s, 0xee);
        x64_v3(&c->as, desc, t, V15, s);
        s = t;
    }
    x64_v2i(&c->as, XV_PSHUFD, V15, s, 0x55);
    x64_v3(&c->as, desc, t, V15, s);
    if (op->esz < 2) {
        x64_vsh(c, SH_SRL, V15, t, 2 | 16 << 2);
        x64_v3(&c->as, desc, t, t, V15);
    }
    if (op->esz == 0) {
        x64_vsh(c, SH_SRL, V15, t, 1 | 8 << 2);
        x64_v3(&c->as, desc, t, t, V15);
    }
    x64_v3m(&c->as, XV_PAND, r->dst, t, elem_mask(c, op->esz));
}

static const X64Row row_neg = {emit_neg, X64R_HI, 0, 0};
static const X64Row row_abs = {emit_abs, X64R_HI, 0, 1};
static const X64Row row_mul = {emit_mul, X64R_HI, 0, 1};
static const X64Row row_cmp = {emit_cmp, 0, 0, 1};
static const X64Row row_cmp_simple = {emit_cmp_simple, 0, 0, 0};
static const X64Row row_tst = {emit_tst, 0, 0, 1};
static const X64Row row_tst_512 = {emit_tst_512, X64R_HI, 0, 0};
static const X64Row row_abd = {emit_abd, X64R_HI, 0, 1};
static const X64Row row_rhadd_d = {emit_rhadd_d, X64R_HI, 0, 1};
static const X64Row row_uqadd = {emit_uqadd, X64R_HI, 0, 0};
static const X64Row row_sqadd = {emit_sqadd, X64R_HI, 0, 2};
static const X64Row row_addp = {emit_addp, 0, 0, 1};
static const X64Row row_xtl = {emit_xtl, X64R_HI, 0, 0};
static const X64Row row_xtn = {emit_xtn, X64R_HI, 0, 0};
static const X64Row row_mull = {emit_mull, X64R_HI, 0, 1};
static const X64Row row_cnt = {emit_cnt, X64R_HI, 0, 2};
static const X64Row row_cnt_512 = {emit_cnt_512, X64R_HI, 0, 0};
static const X64Row row_addv = {emit_addv, X64R_HI, 0, 1};
static const X64Row row_minmaxv = {emit_minmaxv, X64R_HI, 0, 1};

const X64Row *x64_vec_int_row(const X64Ctx *c, const IrOp *op)
{
    unsigned e = op->esz;
    bool v512 = x64_has(c, TCG_HOST_AVX512VL);

    if (e > 3) {
        return NULL;
    }
    switch (op->op) {
    case IR_VNEG: return &row_neg;
    case IR_VABS: return &row_abs;
    case IR_VMUL: return e == 0 || e == 3 ? &row_mul : NULL;
    case IR_VCMP:
        return op->sub == IR_EQ || op->sub == IR_SGT || op->sub == IR_SLT ? &row_cmp_simple
                                                                          : &row_cmp;
    case IR_VTST: return v512 ? &row_tst_512 : &row_tst;
    case IR_VUABD:
    case IR_VSABD: return e < 3 ? &row_abd : NULL;
    case IR_VURHADD: return e == 2 ? &row_rhadd_d : NULL;
    case IR_VUQADD:
    case IR_VUQSUB: return e == 2 || v512 ? &row_uqadd : NULL;
    case IR_VSQADD:
    case IR_VSQSUB: return e == 2 || v512 ? &row_sqadd : NULL;
    case IR_VADDP: return &row_addp;
    case IR_VSXTL:
    case IR_VUXTL: return e < 3 ? &row_xtl : NULL;
    case IR_VXTN: return e < 3 ? &row_xtn : NULL;
    case IR_VSMULL:
    case IR_VUMULL: return e < 3 ? &row_mull : NULL;
    case IR_VCNT: return x64_has(c, TCG_HOST_BITALG) ? &row_cnt_512 : &row_cnt;
    case IR_VADDV: return &row_addv;
    case IR_VUMAXV:
    case IR_VUMINV:
    case IR_VSMAXV:
    case IR_VSMINV: return e < 3 ? &row_minmaxv : NULL;
    default: return NULL;
    }
}
