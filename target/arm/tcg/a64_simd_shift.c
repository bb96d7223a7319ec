/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 Advanced SIMD shifts by immediate, and the saturating rows whose QC is computed in registers.
 *
 * Source: Arm ARM (DDI 0487), C4.1 "Advanced SIMD shift by immediate" and the scalar class.
 *
 * QC: the saturating result and the wrapped one are both computed; where they differ the element
 * saturated. Operands of narrow scalars are cut to element 0 first, so that the other elements
 * are 0 and never saturate.
 */
#include "target/arm/tcg/a64_simd.h"

/* The size from immh; `right`: 1..bits, else 0..bits-1. false: reserved. */
static bool shift_shape(const A64Insn *i, bool right, SimdShape *s, unsigned *shift)
{
    if (i->immh == 0) {
        return false;
    }
    unsigned imm = i->immh << 3 | i->immb;
    *s = (SimdShape){.op = &a64_simd_ops[i->row], .scalar = simd_is_scalar(i)};
    s->esz = 31 - (unsigned)__builtin_clz(i->immh);
    s->half = s->scalar || !i->q;
    *shift = right ? 2 * simd_bits(s->esz) - imm : imm - simd_bits(s->esz);
    return (s->op->sizes >> s->esz & 1) && (s->scalar || s->esz < 3 || i->q);
}

/* v >> shift, rounded to nearest: the last bit shifted out is added, which can't overflow. */
static IrRef shift_right(A64Ctx *c, const SimdShape *s, IrRef v, unsigned shift, bool uns,
                         bool round)
{
    IrRef r = simd_op1(c, s, uns ? IR_VSHRI : IR_VSARI, v, shift);
    if (round) {
        IrRef last = simd_op1(c, s, IR_VSHRI, v, shift - 1);
        last = simd_op(c, s, IR_VAND, last, simd_const(c, s->esz, s->half, 1));
        r = simd_op(c, s, IR_VADD, r, last);
    }
    return r;
}

/* (S|U)(R)SHR, (S|U)(R)SRA: bit 29 unsigned, bit 13 rounds, bit 12 accumulates. */
bool gen_shri(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    unsigned shift;
    if (!shift_shape(i, true, &s, &shift)) {
        return false;
    }
    IrRef v = shift_right(c, &s, a64_v(c, i->rn), shift, i->word >> 29 & 1, i->word >> 13 & 1);
    if (i->word >> 12 & 1) {
        v = simd_op(c, &s, IR_VADD, a64_v(c, i->rd), v);
    }
    a64_put_v(c, i->rd, v);
    return true;
}

bool gen_shl(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    unsigned shift;
    if (!shift_shape(i, false, &s, &shift)) {
        return false;
    }
    a64_put_v(c, i->rd, simd_op1(c, &s, IR_VSHLI, a64_v(c, i->rn), shift));
    return true;
}

/* Bits of `mask` from v, the others from Vd. */
static void shift_insert(A64Ctx *c, const A64Insn *i, const SimdShape *s, uint64_t mask, IrRef v)
{
    IrRef m = simd_const(c, s->esz, s->half, mask);
    a64_put_v(
        c, i->rd,
        ir_emit(c->b, IR_VBSL, IR_V128, 3, 0, s->half ? IRF_HALF : 0, m, v, a64_v(c, i->rd), 0, 0));
}

bool gen_sli(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    unsigned shift;
    if (!shift_shape(i, false, &s, &shift)) {
        return false;
    }
    shift_insert(c, i, &s, ~0ull << shift, simd_op1(c, &s, IR_VSHLI, a64_v(c, i->rn), shift));
    return true;
}

bool gen_sri(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    unsigned shift;
    if (!shift_shape(i, true, &s, &shift)) {
        return false;
    }
    uint64_t ones = ~0ull >> (64 - simd_bits(s.esz));
    uint64_t mask = shift == simd_bits(s.esz) ? 0 : ones >> shift;
    shift_insert(c, i, &s, mask, simd_op1(c, &s, IR_VSHRI, a64_v(c, i->rn), shift));
    return true;
}

/* SSHLL, USHLL (SXTL, UXTL). */
bool gen_shlli(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    unsigned shift;
    if (!shift_shape(i, false, &s, &shift)) {
        return false;
    }
    IrRef v = ir_emit(c->b, i->word >> 29 & 1 ? IR_VUXTL : IR_VSXTL, IR_V128, s.esz, 0,
                      i->q ? IRF_HI : 0, a64_v(c, i->rn), 0, 0, 0, 0);
    if (shift) {
        v = ir_vun(c->b, IR_VSHLI, s.esz + 1, false, v, shift);
    }
    a64_put_v(c, i->rd, v);
    return true;
}

/* Narrowing shifts: immh counts the narrow elements; *s is the wide shape of the source. */
static bool narrow_shape(const A64Insn *i, SimdShape *s, unsigned *shift)
{
    if (i->immh == 0 || i->immh >= 8) {
        return false;
    }
    unsigned narrow = 31 - (unsigned)__builtin_clz(i->immh);
    *s = (SimdShape){.op = &a64_simd_ops[i->row], .esz = narrow + 1, .scalar = simd_is_scalar(i)};
    s->half = s->scalar;
    *shift = 2 * simd_bits(narrow) - (i->immh << 3 | i->immb);
    return true;
}

/* SHRN, RSHRN. */
bool gen_shrn(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    unsigned shift;
    if (!narrow_shape(i, &s, &shift)) {
        return false;
    }
    IrRef v = shift_right(c, &s, a64_v(c, i->rn), shift, true, i->word >> 11 & 1);
    simd_put_narrow(c, i, false, ir_vun(c->b, IR_VXTN, s.esz - 1, false, v, 0));
    return true;
}

/* ---- saturating ---- */

typedef enum NarrowKind { NARROW_SS, NARROW_UU, NARROW_SU /* signed to unsigned */ } NarrowKind;

/* Elements of shape s saturated to half their width, result and QC put. */
static void narrow_sat(A64Ctx *c, const A64Insn *i, const SimdShape *s, IrRef v)
{
    unsigned narrow = s->esz - 1;
    uint64_t umax = ~0ull >> (64 - simd_bits(narrow)), smax = umax >> 1;
    IrRef clamped;
    if (s->op->sub == NARROW_UU) {
        clamped = simd_op(c, s, IR_VUMIN, v, simd_const(c, s->esz, s->half, umax));
    } else {
        bool su = s->op->sub == NARROW_SU;
        clamped = simd_op(c, s, IR_VSMAX, v, simd_const(c, s->esz, s->half, su ? 0 : ~smax));
        clamped =
            simd_op(c, s, IR_VSMIN, clamped, simd_const(c, s->esz, s->half, su ? umax : smax));
    }
    simd_put_narrow(c, i, s->scalar, ir_vun(c->b, IR_VXTN, narrow, false, clamped, 0));
    simd_or_qc(c, simd_op(c, s, IR_VXOR, clamped, v));
}

bool gen_qxtn(A64Ctx *c, const A64Insn *i)
{
    if (i->sz == 3) {
        return false;
    }
    SimdShape s = {.op = &a64_simd_ops[i->row], .esz = i->sz + 1, .scalar = simd_is_scalar(i)};
    s.half = s.scalar;
    narrow_sat(c, i, &s, simd_in(c, &s, i->rn));
    return true;
}

/* SQ(R)SHRN, UQ(R)SHRN, SQ(R)SHRUN. */
bool gen_qshrn(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    unsigned shift;
    if (!narrow_shape(i, &s, &shift)) {
        return false;
    }
    IrRef v = simd_in(c, &s, i->rn);
    v = shift_right(c, &s, v, shift, s.op->sub == NARROW_UU, i->word >> 11 & 1);
    narrow_sat(c, i, &s, v);
    return true;
}

/* SQADD, UQADD, SQSUB, UQSUB; acc is the wrapping op. */
bool gen_qadd(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    if (!simd_shape(i, &s)) {
        return false;
    }
    IrRef n = simd_in(c, &s, i->rn), m = simd_in(c, &s, i->rm);
    IrRef v = simd_op(c, &s, s.op->op, n, m);
    a64_put_v(c, i->rd, v);
    simd_or_qc(c, simd_op(c, &s, IR_VXOR, v, simd_op(c, &s, s.op->acc, n, m)));
    return true;
}

/* SQABS, SQNEG: only MIN saturates; it stays MIN, and MIN with all bits flipped is MAX. */
bool gen_qabs(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    if (!simd_shape(i, &s)) {
        return false;
    }
    IrRef n = simd_in(c, &s, i->rn);
    IrRef min = simd_const(c, s.esz, s.half, 1ull << (simd_bits(s.esz) - 1));
    IrRef over = simd_cmp(c, &s, IR_EQ, n, min);
    a64_put_v(c, i->rd, simd_op(c, &s, IR_VXOR, simd_op1(c, &s, s.op->op, n, 0), over));
    simd_or_qc(c, over);
    return true;
}

/* SQSHL, UQSHL, SQSHLU by immediate: saturated where shifting back does not give the operand. */
bool gen_qshli(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    unsigned shift;
    if (!shift_shape(i, false, &s, &shift)) {
        return false;
    }
    unsigned top = simd_bits(s.esz) - 1;
    bool uns = s.op->sub != NARROW_SS;
    IrRef n = simd_in(c, &s, i->rn);
    IrRef v = simd_op1(c, &s, IR_VSHLI, n, shift);
    IrRef back = simd_op1(c, &s, uns ? IR_VSHRI : IR_VSARI, v, shift);
    IrRef over = simd_cmp(c, &s, IR_NE, back, n);
    if (uns) {
        v = simd_op(c, &s, IR_VOR, v, over);
    } else {
        IrRef limit = simd_op(c, &s, IR_VXOR, simd_op1(c, &s, IR_VSARI, n, top),
                              simd_const(c, s.esz, s.half, (1ull << top) - 1));
        v = ir_emit(c->b, IR_VBSL, IR_V128, 3, 0, s.half ? IRF_HALF : 0, over, limit, v, 0, 0);
    }
    if (s.op->sub == NARROW_SU) { /* negative: 0 */
        IrRef negative = simd_op1(c, &s, IR_VSARI, n, top);
        v = simd_op(c, &s, IR_VANDN, v, negative);
        over = simd_op(c, &s, IR_VOR, over, negative);
    }
    a64_put_v(c, i->rd, v);
    simd_or_qc(c, over);
    return true;
}

/* ---- shifts by register: sub bit 0 rounds, bit 1 saturates, bit 2 unsigned ---- */

enum { RSHL_ROUND = 1, RSHL_SAT = 2, RSHL_UNSIGNED = 4 };

/* All ones where the low byte of an element (the shift) is negative. */
static IrRef shift_negative(A64Ctx *c, const SimdShape *s, IrRef by)
{
    unsigned bits = simd_bits(s->esz);
    IrRef top = bits == 8 ? by : simd_op1(c, s, IR_VSHLI, by, bits - 8);
    return simd_op1(c, s, IR_VSARI, top, bits - 1);
}

/*
 * (S|U)(Q)(R)SHL. Rounding: the last bit shifted out is that of a shift by one less. Saturation:
 * where a left shift does not come back; right shifts, rounded or not, never saturate.
 */
bool gen_vrshl(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    if (!simd_shape(i, &s)) {
        return false;
    }
    bool uns = s.op->sub & RSHL_UNSIGNED;
    IrOpcode shl = uns ? IR_VSHLV : IR_VSSHLV;
    IrRef n = simd_in(c, &s, i->rn), by = simd_in(c, &s, i->rm);
    IrRef one = simd_const(c, s.esz, s.half, 1), negative = shift_negative(c, &s, by);
    IrRef v = simd_op(c, &s, shl, n, by), over = IR_NONE;
    if (s.op->sub & RSHL_SAT) {
        IrRef back = simd_op(c, &s, shl, v, simd_op1(c, &s, IR_VNEG, by, 0));
        over = simd_op(c, &s, IR_VANDN, simd_cmp(c, &s, IR_NE, back, n), negative);
        if (uns) {
            v = simd_op(c, &s, IR_VOR, v, over);
        } else {
            unsigned top = simd_bits(s.esz) - 1;
            IrRef limit = simd_op(c, &s, IR_VXOR, simd_op1(c, &s, IR_VSARI, n, top),
                                  simd_const(c, s.esz, s.half, (1ull << top) - 1));
            v = ir_emit(c->b, IR_VBSL, IR_V128, 3, 0, s.half ? IRF_HALF : 0, over, limit, v, 0, 0);
        }
    }
    if (s.op->sub & RSHL_ROUND) {
        IrRef last = simd_op(c, &s, shl, n, simd_op(c, &s, IR_VADD, by, one));
        last = simd_op(c, &s, IR_VAND, last, simd_op(c, &s, IR_VAND, negative, one));
        v = simd_op(c, &s, IR_VADD, v, last);
    }
    a64_put_v(c, i->rd, v);
    if (over != IR_NONE) {
        simd_or_qc(c, over);
    }
    return true;
}

/* ---- saturating through helpers: called once for the result, once for the QC mask ---- */

enum { SUB_QC = 0x80 }; /* bit of sub: give the mask */

static void helper_qc(A64Ctx *c, unsigned rd, const SimdShape *s, const IrRef arg[4])
{
    IrRef v = simd_call(c, true, s, s->op->sub, arg);
    IrRef qc = simd_call(c, true, s, s->op->sub | SUB_QC, arg);
    a64_put_v(c, rd, v);
    simd_or_qc(c, qc);
}

/* Operands n and m, or (SUQADD, USQADD) n and d. */
bool gen_h2q(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    if (!simd_shape(i, &s)) {
        return false;
    }
    bool acc = s.op->helper == A64_H_suqadd;
    IrRef n = simd_in(c, &s, i->rn), m = simd_in(c, &s, acc ? i->rd : i->rm);
    helper_qc(c, i->rd, &s, (IrRef[4]){n, m});
    return true;
}

/* Vm of three-register and by-element forms: the element in every place; false: reserved. */
static bool mul_operand(A64Ctx *c, const A64Insn *i, const SimdShape *s, IrRef *m)
{
    SimdElem e;
    if (!simd_is_by_elem(i)) {
        *m = simd_in(c, s, i->rm);
        return true;
    }
    if (!simd_elem(i, s->esz, &e)) {
        return false;
    }
    *m = ir_vun(c->b, IR_VDUPL, s->esz, false, a64_v(c, e.rm), e.idx);
    return true;
}

/* SQRDMLAH, SQRDMLSH. */
bool gen_h3q(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    IrRef m;
    if (!simd_shape(i, &s) || !mul_operand(c, i, &s, &m)) {
        return false;
    }
    helper_qc(c, i->rd, &s, (IrRef[4]){simd_in(c, &s, i->rn), m, simd_in(c, &s, i->rd)});
    return true;
}

/* ---- saturating doubling multiplies: only MIN * MIN saturates ---- */

/* (2 p + rounding) >> bits as (p + rounding / 2) >> (bits - 1), of one half of the elements. */
static IrRef dmulh_half(A64Ctx *c, const SimdShape *s, IrRef n, IrRef m, bool high)
{
    unsigned wide = s->esz + 1, shift = simd_bits(s->esz) - 1;
    IrRef p = ir_emit(c->b, IR_VSMULL, IR_V128, s->esz, 0, high ? IRF_HI : 0, n, m, 0, 0, 0);
    if (s->op->sub & 1) {
        p = ir_vbin(c->b, IR_VADD, wide, false, p, simd_const(c, wide, false, 1ull << (shift - 1)));
    }
    return ir_vun(c->b, IR_VXTN, s->esz, false, ir_vun(c->b, IR_VSARI, wide, false, p, shift), 0);
}

/* SQDMULH, SQRDMULH (sub 1): MIN * MIN wraps to MIN; all bits flipped that is MAX. */
bool gen_qdmulh(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    IrRef m;
    if (!simd_shape(i, &s) || !mul_operand(c, i, &s, &m)) {
        return false;
    }
    IrRef n = simd_in(c, &s, i->rn);
    IrRef min = simd_const(c, s.esz, s.half, 1ull << (simd_bits(s.esz) - 1));
    IrRef over =
        simd_op(c, &s, IR_VAND, simd_cmp(c, &s, IR_EQ, n, min), simd_cmp(c, &s, IR_EQ, m, min));
    IrRef v = dmulh_half(c, &s, n, m, false);
    if (!s.half) {
        v = ir_vbin(c->b, IR_VCAT, 3, false, v, dmulh_half(c, &s, n, m, true));
    }
    a64_put_v(c, i->rd, simd_op(c, &s, IR_VXOR, v, over));
    simd_or_qc(c, over);
    return true;
}

/* SQDMULL, SQDMLAL, SQDMLSL; op is the saturating accumulation, acc the wrapping one. */
bool gen_qdmull(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    IrRef m;
    if (!simd_shape(i, &s) || !mul_operand(c, i, &s, &m)) {
        return false;
    }
    SimdShape w = {.op = s.op, .esz = s.esz + 1, .half = s.scalar, .scalar = s.scalar};
    IrRef p = ir_emit(c->b, IR_VSMULL, IR_V128, s.esz, 0, !s.scalar && i->q ? IRF_HI : 0,
                      simd_in(c, &s, i->rn), m, 0, 0, 0);
    p = simd_op1(c, &w, IR_VSHLI, p, 1);
    IrRef over =
        simd_cmp(c, &w, IR_EQ, p, simd_const(c, w.esz, w.half, 1ull << (simd_bits(w.esz) - 1)));
    p = simd_op(c, &w, IR_VXOR, p, over);
    if (s.op->op) {
        IrRef d = simd_in(c, &w, i->rd), sum = simd_op(c, &w, s.op->op, d, p);
        over = simd_op(c, &w, IR_VOR, over,
                       simd_op(c, &w, IR_VXOR, sum, simd_op(c, &w, s.op->acc, d, p)));
        p = sum;
    }
    a64_put_v(c, i->rd, p);
    simd_or_qc(c, over);
    return true;
}
