/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 Advanced SIMD floating point: vectors and the scalar forms, by element, pairwise, across
 * lanes, conversions.
 *
 * Source: Arm ARM (DDI 0487), C4.1 "Data Processing -- Scalar Floating-Point and Advanced SIMD".
 *
 * An element that is no part of the operation must not raise a flag: 64-bit forms are IRF_HALF,
 * scalar forms work on scalar values or on vectors whose other elements were cleared.
 */
#include "target/arm/tcg/a64_simd.h"

static IrRef fp_op(A64Ctx *c, const SimdShape *s, IrRef n, IrRef m, uint64_t imm)
{
    return ir_emit(c->b, s->op->op, IR_V128, s->esz, s->op->sub,
                   s->op->flags | (s->half ? IRF_HALF : 0), n, m, 0, 0, imm);
}

/* Vn of a scalar form with everything but element 0 cleared. */
static IrRef fp_scalar_in(A64Ctx *c, const SimdShape *s, unsigned n)
{
    return simd_zext(c, s->esz, simd_lane(c, s->esz, a64_v(c, n), 0));
}

/* Two operands; acc FABS: of the result (FABD). */
bool gen_vf2(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    if (!simd_fp_shape(i, &s)) {
        return false;
    }
    IrRef v = fp_op(c, &s, a64_v(c, i->rn), a64_v(c, i->rm), 0);
    a64_put_v(c, i->rd, s.op->acc ? simd_op1(c, &s, s.op->acc, v, 0) : v);
    return true;
}

bool gen_fabd_s(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    simd_fp_shape(i, &s);
    IrType t = simd_fp_type(s.esz);
    IrRef v = simd_fop(c, IR_FSUB, s.esz, a64_f(c, t, i->rn), a64_f(c, t, i->rm));
    a64_put_f(c, t, i->rd, simd_fop(c, IR_FABS, s.esz, v, 0));
    return true;
}

bool gen_vf1(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    if (!simd_fp_shape(i, &s)) {
        return false;
    }
    a64_put_v(c, i->rd, fp_op(c, &s, a64_v(c, i->rn), 0, 0));
    return true;
}

/* Scalar forms of the conversions to and from integers. */
bool gen_sf1(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    simd_fp_shape(i, &s);
    a64_put_v(c, i->rd, fp_op(c, &s, fp_scalar_in(c, &s, i->rn), 0, 0));
    return true;
}

/* FMLA, FMLS: the sign of n is flipped for FMLS (flags of the row). */
static IrRef fp_mla(A64Ctx *c, const A64Insn *i, const SimdShape *s, IrRef m)
{
    return ir_emit(c->b, IR_FMA, IR_V128, s->esz, 0, s->op->flags | (s->half ? IRF_HALF : 0),
                   a64_v(c, i->rn), m, a64_v(c, i->rd), 0, 0);
}

bool gen_vfma(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    if (!simd_fp_shape(i, &s)) {
        return false;
    }
    a64_put_v(c, i->rd, fp_mla(c, i, &s, a64_v(c, i->rm)));
    return true;
}

/* The indexed element in every element; false: reserved. */
static bool fp_elem(A64Ctx *c, const A64Insn *i, SimdShape *s, IrRef *m)
{
    SimdElem e;
    if (!simd_fp_shape(i, s) || !simd_elem(i, s->esz, &e)) {
        return false;
    }
    *m = ir_vun(c->b, IR_VDUPL, s->esz, s->half && !s->scalar, a64_v(c, e.rm), e.idx);
    return true;
}

bool gen_vfma_e(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    IrRef m;
    if (!fp_elem(c, i, &s, &m)) {
        return false;
    }
    a64_put_v(c, i->rd, fp_mla(c, i, &s, m));
    return true;
}

bool gen_vfmul_e(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    IrRef m;
    if (!fp_elem(c, i, &s, &m)) {
        return false;
    }
    IrRef n = a64_v(c, i->rn);
    a64_put_v(c, i->rd,
              s.op->op ? fp_op(c, &s, n, m, 0)
                       : simd_call(c, false, &s, s.op->sub, (IrRef[4]){n, m}));
    return true;
}

bool gen_sfma_e(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    IrRef m;
    if (!fp_elem(c, i, &s, &m)) {
        return false;
    }
    IrType t = simd_fp_type(s.esz);
    IrRef v = ir_emit(c->b, IR_FMA, t, s.esz, 0, s.op->flags, a64_f(c, t, i->rn),
                      simd_lane(c, s.esz, m, 0), a64_f(c, t, i->rd), 0, 0);
    a64_put_f(c, t, i->rd, v);
    return true;
}

bool gen_sfmul_e(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    IrRef m;
    if (!fp_elem(c, i, &s, &m)) {
        return false;
    }
    IrType t = simd_fp_type(s.esz);
    if (s.op->op) {
        IrRef v = simd_fop(c, s.op->op, s.esz, a64_f(c, t, i->rn), simd_lane(c, s.esz, m, 0));
        a64_put_f(c, t, i->rd, v);
    } else {
        IrRef v = simd_call(c, false, &s, s.op->sub, (IrRef[4]){a64_v(c, i->rn), m});
        a64_put_v(c, i->rd, v);
    }
    return true;
}

/* ---- compares ---- */

/* acc FABS: of both operands (FACGE, FACGT). */
bool gen_vfcmp(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    if (!simd_fp_shape(i, &s)) {
        return false;
    }
    IrRef n = a64_v(c, i->rn), m = a64_v(c, i->rm);
    if (s.op->acc) {
        n = simd_op1(c, &s, IR_FABS, n, 0);
        m = simd_op1(c, &s, IR_FABS, m, 0);
    }
    a64_put_v(c, i->rd, fp_op(c, &s, n, m, 0));
    return true;
}

/* With zero; acc set: zero stands on the left (LE, LT). */
bool gen_vfcmp0(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    if (!simd_fp_shape(i, &s)) {
        return false;
    }
    IrRef n = a64_v(c, i->rn), zero = ir_vconst(c->b, 0, false);
    a64_put_v(c, i->rd, s.op->acc ? fp_op(c, &s, zero, n, 0) : fp_op(c, &s, n, zero, 0));
    return true;
}

static void fp_scalar_mask(A64Ctx *c, const A64Insn *i, const SimdShape *s, IrRef a, IrRef b)
{
    IrRef cond = ir_emit(c->b, IR_FCMP, IR_I1, s->esz, s->op->sub, 0, a, b, 0, 0, 0);
    IrRef bits =
        ir_select(c->b, IR_I64, cond, ir_const(c->b, IR_I64, ~0ull), ir_const(c->b, IR_I64, 0));
    IrType t = simd_fp_type(s->esz);
    a64_put_f(c, t, i->rd, ir_emit(c->b, IR_BITSF, t, s->esz, 0, 0, bits, 0, 0, 0, 0));
}

bool gen_sfcmp(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    simd_fp_shape(i, &s);
    IrType t = simd_fp_type(s.esz);
    IrRef n = a64_f(c, t, i->rn), m = a64_f(c, t, i->rm);
    if (s.op->acc) {
        n = simd_fop(c, IR_FABS, s.esz, n, 0);
        m = simd_fop(c, IR_FABS, s.esz, m, 0);
    }
    fp_scalar_mask(c, i, &s, n, m);
    return true;
}

bool gen_sfcmp0(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    simd_fp_shape(i, &s);
    IrType t = simd_fp_type(s.esz);
    IrRef n = a64_f(c, t, i->rn), zero = simd_lane(c, s.esz, ir_vconst(c->b, 0, false), 0);
    fp_scalar_mask(c, i, &s, s.op->acc ? zero : n, s.op->acc ? n : zero);
    return true;
}

/* ---- pairwise and across lanes ---- */

bool gen_vfpair(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    if (!simd_fp_shape(i, &s)) {
        return false;
    }
    IrRef n = a64_v(c, i->rn), m = a64_v(c, i->rm);
    IrRef even = simd_op(c, &s, IR_VUZP1, n, m), odd = simd_op(c, &s, IR_VUZP2, n, m);
    a64_put_v(c, i->rd, fp_op(c, &s, even, odd, 0));
    return true;
}

bool gen_sfpair(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    simd_fp_shape(i, &s);
    IrRef n = a64_v(c, i->rn);
    IrRef v = simd_fop(c, s.op->op, s.esz, simd_lane(c, s.esz, n, 0), simd_lane(c, s.esz, n, 1));
    a64_put_f(c, simd_fp_type(s.esz), i->rd, v);
    return true;
}

/*
 * FMAXV and its like reduce as a tree of neighbours. A level that has fewer elements than the
 * vector repeats its own, which raises nothing new.
 */
bool gen_vfacross(A64Ctx *c, const A64Insn *i)
{
    bool single = (i->word >> 29 & 1) != 0;
    SimdShape s = {.op = &a64_simd_ops[i->row], .esz = single ? 2 : 1, .half = true};
    bool full = single || i->q;
    IrRef v = a64_v(c, i->rn);
    for (unsigned n = (full ? 16 : 8) >> s.esz; n > 2; n /= 2) {
        IrRef even = ir_vbin(c->b, IR_VUZP1, s.esz, !full, v, v);
        IrRef odd = ir_vbin(c->b, IR_VUZP2, s.esz, !full, v, v);
        v = fp_op(c, &s, even, odd, 0);
        full = false;
    }
    v = simd_fop(c, s.op->op, s.esz, simd_lane(c, s.esz, v, 0), simd_lane(c, s.esz, v, 1));
    a64_put_f(c, simd_fp_type(s.esz), i->rd, v);
    return true;
}

/* ---- conversions ---- */

/* Fixed point: immh:immb; the op and IRF_UNSIGNED are the row's. */
static bool cvtx_shape(A64Ctx *c, const A64Insn *i, SimdShape *s, unsigned *fbits)
{
    if (i->immh < 2) {
        return false;
    }
    *s = (SimdShape){.op = &a64_simd_ops[i->row], .scalar = simd_is_scalar(i)};
    s->esz = 31 - (unsigned)__builtin_clz(i->immh);
    s->half = s->scalar || !i->q;
    *fbits = 2 * simd_bits(s->esz) - (i->immh << 3 | i->immb);
    return (s->scalar || s->esz < 3 || i->q) && (s->esz > 1 || a64_feat(c, A64_FEAT_FP16));
}

bool gen_vcvtx(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    unsigned fbits;
    if (!cvtx_shape(c, i, &s, &fbits)) {
        return false;
    }
    a64_put_v(c, i->rd, fp_op(c, &s, a64_v(c, i->rn), 0, fbits));
    return true;
}

bool gen_scvtx(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    unsigned fbits;
    if (!cvtx_shape(c, i, &s, &fbits)) {
        return false;
    }
    a64_put_v(c, i->rd, fp_op(c, &s, fp_scalar_in(c, &s, i->rn), 0, fbits));
    return true;
}

bool gen_fcvtl(A64Ctx *c, const A64Insn *i)
{
    a64_put_v(c, i->rd,
              ir_emit(c->b, IR_VFCVTL, IR_V128, 1 + i->s, 0, i->q ? IRF_HI : 0, a64_v(c, i->rn), 0,
                      0, 0, 0));
    return true;
}

bool gen_fcvtn(A64Ctx *c, const A64Insn *i)
{
    simd_put_narrow(
        c, i, false,
        ir_emit(c->b, IR_VFCVTN, IR_V128, 1 + i->s, IR_R_DYNAMIC, 0, a64_v(c, i->rn), 0, 0, 0, 0));
    return true;
}

bool gen_fcvtxn(A64Ctx *c, const A64Insn *i)
{
    simd_put_narrow(c, i, false,
                    ir_emit(c->b, IR_VFCVTN, IR_V128, 2, IR_R_ODD, 0, a64_v(c, i->rn), 0, 0, 0, 0));
    return true;
}

bool gen_fcvtxn_s(A64Ctx *c, const A64Insn *i)
{
    a64_put_f(c, IR_F32, i->rd,
              ir_emit(c->b, IR_FCVT, IR_F32, 3, IR_R_ODD, 0, a64_f(c, IR_F64, i->rn), 0, 0, 0, 0));
    return true;
}

bool gen_bfcvtn(A64Ctx *c, const A64Insn *i)
{
    IrRef v = ir_emit(c->b, IR_VCALL, IR_V128, 1, 0, 0, a64_v(c, i->rn), 0, 0, 0, A64_H_bfcvt);
    simd_put_narrow(c, i, false, v);
    return true;
}

/* URECPE, URSQRTE: unsigned fixed point, no flags. */
bool gen_urecpe(A64Ctx *c, const A64Insn *i)
{
    SimdShape s = {.op = &a64_simd_ops[i->row], .esz = 2, .half = !i->q};
    a64_put_v(c, i->rd, simd_call(c, true, &s, s.op->sub, (IrRef[4]){a64_v(c, i->rn)}));
    return true;
}

/* ---- through helpers that raise FP flags ---- */

bool gen_vf1h(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    if (!simd_fp_shape(i, &s)) {
        return false;
    }
    a64_put_v(c, i->rd, simd_call(c, false, &s, s.op->sub, (IrRef[4]){a64_v(c, i->rn)}));
    return true;
}

bool gen_vf2h(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    if (!simd_fp_shape(i, &s)) {
        return false;
    }
    IrRef n = a64_v(c, i->rn), m = a64_v(c, i->rm);
    a64_put_v(c, i->rd, simd_call(c, false, &s, s.op->sub, (IrRef[4]){n, m}));
    return true;
}

bool gen_sf1h(A64Ctx *c, const A64Insn *i)
{
    return gen_vf1h(c, i);
}

bool gen_sf2h(A64Ctx *c, const A64Insn *i)
{
    return gen_vf2h(c, i);
}

/* ---- complex numbers: pairs (re, im) ---- */

/* The sign bit in even (part 0) or odd elements. */
static IrRef complex_signs(A64Ctx *c, const SimdShape *s, unsigned part)
{
    unsigned bits = simd_bits(s->esz);
    uint64_t sign = 1ull << (bits - 1);
    if (s->esz == 3) {
        return ir_vbin(c->b, IR_VCAT, 3, false, ir_vconst(c->b, part ? 0 : sign, true),
                       ir_vconst(c->b, part ? sign : 0, true));
    }
    return ir_vconst(c->b, simd_rep(s->esz + 1, part ? sign << bits : sign), s->half);
}

/* re and im of each pair exchanged. */
static IrRef complex_swap(A64Ctx *c, const SimdShape *s, IrRef v)
{
    if (s->esz == 3) {
        return ir_emit(c->b, IR_VEXT, IR_V128, 0, 0, 0, v, v, 0, 0, 8);
    }
    return ir_emit(c->b, IR_VREV, IR_V128, s->esz, s->esz + 1, s->half ? IRF_HALF : 0, v, 0, 0, 0,
                   0);
}

static bool complex_ok(const A64Ctx *c, const A64Insn *i, const SimdShape *s)
{
    return s->esz != 0 && (s->esz < 3 || i->q) && (s->esz > 1 || a64_feat(c, A64_FEAT_FP16));
}

/*
 * FCMLA: m rotated by 90 degrees times rot, and only the part of n (re or im) that goes with it:
 *   0: n.re * (m.re, m.im)      1: n.im * (-m.im, m.re)
 *   2: n.re * (-m.re, -m.im)    3: n.im * (m.im, -m.re)
 */
bool gen_fcmla(A64Ctx *c, const A64Insn *i)
{
    bool by_elem = simd_is_by_elem(i);
    SimdShape s = {.esz = by_elem ? (i->word >> 22 & 3) : i->sz, .half = !i->q};
    if (!complex_ok(c, i, &s)) {
        return false;
    }
    IrRef n = a64_v(c, i->rn), m;
    if (by_elem) { /* an index of pairs: h:l (half), h (single) */
        unsigned idx = s.esz == 1 ? i->h << 1 | i->l : i->h;
        if ((s.esz == 1 && !i->q && i->h) || (s.esz == 2 && (i->l || !i->q))) {
            return false;
        }
        m = ir_vun(c->b, IR_VDUPL, s.esz + 1, s.half, a64_v(c, i->m << 4 | i->rm), idx);
    } else {
        m = a64_v(c, i->rm);
    }
    n = simd_op(c, &s, i->rot & 1 ? IR_VTRN2 : IR_VTRN1, n, n);
    if (i->rot & 1) {
        m = simd_op(c, &s, IR_VXOR, complex_swap(c, &s, m), complex_signs(c, &s, i->rot == 3));
    } else if (i->rot == 2) {
        m = simd_op1(c, &s, IR_FNEG, m, 0);
    }
    IrRef v = ir_emit(c->b, IR_FMA, IR_V128, s.esz, 0, s.half ? IRF_HALF : 0, n, m, a64_v(c, i->rd),
                      0, 0);
    a64_put_v(c, i->rd, v);
    return true;
}

/* FCADD: m rotated by 90 (rot 0: (-im, re)) or 270 degrees. */
bool gen_fcadd(A64Ctx *c, const A64Insn *i)
{
    SimdShape s = {.esz = i->sz, .half = !i->q};
    if (!complex_ok(c, i, &s)) {
        return false;
    }
    IrRef m = complex_swap(c, &s, a64_v(c, i->rm));
    m = simd_op(c, &s, IR_VXOR, m, complex_signs(c, &s, i->rot));
    a64_put_v(c, i->rd, simd_op(c, &s, IR_FADD, a64_v(c, i->rn), m));
    return true;
}

/* ---- widening and BF16 ---- */

/* FMLAL, FMLSL (a), and the 2 forms (upper half of the source): f16 products into f32. */
bool gen_fmlal(A64Ctx *c, const A64Insn *i)
{
    bool upper = i->word >> 29 & 1;
    SimdShape s = {.op = &a64_simd_ops[i->row], .esz = 1, .half = !i->q};
    IrRef n = a64_v(c, i->rn), m;
    if (simd_is_by_elem(i)) { /* V0..V15 */
        m = ir_vun(c->b, IR_VDUPL, 1, false, a64_v(c, i->rm), i->h << 2 | i->l << 1 | i->m);
    } else {
        m = a64_v(c, i->rm);
    }
    a64_put_v(
        c, i->rd,
        simd_call(c, false, &s, (unsigned)upper << 1 | i->a, (IrRef[4]){n, m, a64_v(c, i->rd)}));
    return true;
}

/* BFDOT, BFMMLA, BFMLALB/T (sub bit 0: T, from q; always 128 bits). */
static bool gen_bf16_with(A64Ctx *c, const A64Insn *i, IrRef m)
{
    SimdShape s = {.op = &a64_simd_ops[i->row], .esz = 1, .half = !i->q};
    unsigned sub = s.op->sub;
    if (s.op->helper == A64_H_bfmlal) {
        sub = i->q;
        s.half = false;
    } else if (s.op->helper == A64_H_bfmmla) {
        s.half = false;
    }
    a64_put_v(c, i->rd,
              simd_call(c, false, &s, sub, (IrRef[4]){a64_v(c, i->rn), m, a64_v(c, i->rd)}));
    return true;
}

bool gen_bf16(A64Ctx *c, const A64Insn *i)
{
    return gen_bf16_with(c, i, a64_v(c, i->rm));
}

bool gen_bf16_e(A64Ctx *c, const A64Insn *i)
{
    SimdElem e;
    bool pairs = a64_simd_ops[i->row].helper == A64_H_bfdot;
    simd_elem(i, pairs ? 2 : 1, &e);
    return gen_bf16_with(c, i, ir_vun(c->b, IR_VDUPL, pairs ? 2 : 1, false, a64_v(c, e.rm), e.idx));
}
