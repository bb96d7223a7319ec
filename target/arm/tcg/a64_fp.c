/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 scalar floating point: data processing, compare, select, immediate, conversions and moves
 * between FP and general registers.
 *
 * Source: Arm ARM (DDI 0487), C4.1 "Data Processing -- Scalar Floating-Point".
 * Operand order is never changed: NaN propagation depends on it.
 */
#include "target/arm/tcg/a64_simd.h"

uint64_t a64_fp_imm(unsigned esz, unsigned imm8)
{
    /* exponent: NOT(b6), copies of b6, b5:b4; fraction b3:b0 on top */
    static const struct {
        uint8_t exp_bits, frac_bits;
    } fmt[4] = {[1] = {5, 10}, {8, 23}, {11, 52}};
    unsigned e = fmt[esz].exp_bits, f = fmt[esz].frac_bits;
    uint64_t b6 = imm8 >> 6 & 1;
    uint64_t exp = (b6 ^ 1) << (e - 1) | (b6 ? ((1ull << (e - 3)) - 1) << 2 : 0) | (imm8 >> 4 & 3);
    return (uint64_t)(imm8 >> 7) << (e + f) | exp << f | (uint64_t)(imm8 & 15) << (f - 4);
}

bool gen_fmov_f(A64Ctx *c, const A64Insn *i)
{
    unsigned esz;
    if (!simd_ftype(c, i->ft, &esz)) {
        return false;
    }
    IrType t = simd_fp_type(esz);
    a64_put_f(c, t, i->rd, a64_f(c, t, i->rn));
    return true;
}

/* One operand: op, rounding and flags from the table. */
bool gen_fp1(A64Ctx *c, const A64Insn *i)
{
    const A64SimdOp *op = &a64_simd_ops[i->row];
    unsigned esz;
    if (!simd_ftype(c, i->ft, &esz)) {
        return false;
    }
    IrType t = simd_fp_type(esz);
    IrRef v = ir_emit(c->b, op->op, t, esz, op->sub, op->flags, a64_f(c, t, i->rn), 0, 0, 0, 0);
    a64_put_f(c, t, i->rd, v);
    return true;
}

bool gen_fcvt_f(A64Ctx *c, const A64Insn *i)
{
    static const uint8_t esz_of[4] = {2, 3, 0, 1};
    unsigned from = esz_of[i->ft], to = esz_of[i->opc];
    if (i->ft == 1 && i->opc == 2) { /* BFCVT */
        if (!a64_feat(c, A64_FEAT_BF16)) {
            return false;
        }
        IrRef in = simd_zext(c, 2, a64_f(c, IR_F32, i->rn));
        a64_put_v(c, i->rd,
                  ir_emit(c->b, IR_VCALL, IR_V128, 1, 0, A64_VF_SCALAR, in, 0, 0, 0, A64_H_bfcvt));
        return true;
    }
    if (from == 0 || to == 0 || from == to) {
        return false;
    }
    IrRef v = ir_emit(c->b, IR_FCVT, simd_fp_type(to), from, IR_R_DYNAMIC, 0,
                      a64_f(c, simd_fp_type(from), i->rn), 0, 0, 0, 0);
    a64_put_f(c, simd_fp_type(to), i->rd, v);
    return true;
}

/* FRINT32Z, FRINT32X, FRINT64Z, FRINT64X. */
bool gen_frintts_f(A64Ctx *c, const A64Insn *i)
{
    SimdShape s = {.op = &a64_simd_ops[i->row], .esz = 2 + i->s, .half = true, .scalar = true};
    a64_put_v(c, i->rd, simd_call(c, false, &s, s.op->sub, (IrRef[4]){a64_v(c, i->rn)}));
    return true;
}

bool gen_fp2(A64Ctx *c, const A64Insn *i)
{
    unsigned esz;
    if (!simd_ftype(c, i->ft, &esz)) {
        return false;
    }
    IrType t = simd_fp_type(esz);
    IrRef n = a64_f(c, t, i->rn), m = a64_f(c, t, i->rm);
    a64_put_f(c, t, i->rd, simd_fop(c, a64_simd_ops[i->row].op, esz, n, m));
    return true;
}

bool gen_fnmul_f(A64Ctx *c, const A64Insn *i)
{
    unsigned esz;
    if (!simd_ftype(c, i->ft, &esz)) {
        return false;
    }
    IrType t = simd_fp_type(esz);
    IrRef v = simd_fop(c, IR_FMUL, esz, a64_f(c, t, i->rn), a64_f(c, t, i->rm));
    a64_put_f(c, t, i->rd, simd_fop(c, IR_FNEG, esz, v, 0));
    return true;
}

/* FMADD, FMSUB (o0), FNMADD (o1), FNMSUB (both): n is negated when o0 != o1, a when o1. */
bool gen_fp3(A64Ctx *c, const A64Insn *i)
{
    unsigned esz;
    if (!simd_ftype(c, i->ft, &esz)) {
        return false;
    }
    IrType t = simd_fp_type(esz);
    unsigned flags = (i->o0 != i->o1 ? IRF_NEGA : 0) | (i->o1 ? IRF_NEGC : 0);
    IrRef v = ir_emit(c->b, IR_FMA, t, esz, 0, flags, a64_f(c, t, i->rn), a64_f(c, t, i->rm),
                      a64_f(c, t, i->ra), 0, 0);
    a64_put_f(c, t, i->rd, v);
    return true;
}

static IrRef fp_zero(A64Ctx *c, IrType t)
{
    return ir_un(c->b, IR_VLO, t, ir_vconst(c->b, 0, false));
}

static IrRef fp_compare(A64Ctx *c, unsigned esz, bool signaling, IrRef a, IrRef b)
{
    return ir_emit(c->b, IR_FL_FCMP, IR_FLAGS, esz, signaling ? IR_F_S : 0, 0, a, b, 0, 0, 0);
}

bool gen_fcmp_f(A64Ctx *c, const A64Insn *i)
{
    unsigned esz;
    if (!simd_ftype(c, i->ft, &esz)) {
        return false;
    }
    IrType t = simd_fp_type(esz);
    IrRef b = i->z ? fp_zero(c, t) : a64_f(c, t, i->rm);
    a64_put_flags(c, fp_compare(c, esz, i->e, a64_f(c, t, i->rn), b));
    return true;
}

/*
 * When the condition fails nothing may be raised: zeros are compared then. (A branch inside the
 * instruction would cost more.)
 */
bool gen_fccmp_f(A64Ctx *c, const A64Insn *i)
{
    unsigned esz;
    if (!simd_ftype(c, i->ft, &esz)) {
        return false;
    }
    IrType t = simd_fp_type(esz);
    IrRef cond = a64_cond(c, i->cond), zero = fp_zero(c, t);
    IrRef a = ir_select(c->b, t, cond, a64_f(c, t, i->rn), zero);
    IrRef b = ir_select(c->b, t, cond, a64_f(c, t, i->rm), zero);
    IrRef fl = fp_compare(c, esz, i->e, a, b);
    a64_put_flags(c, ir_emit(c->b, IR_FL_SEL, IR_FLAGS, 0, 0, 0, cond, fl,
                             a64_flags_const(c, i->nzcv), 0, 0));
    return true;
}

bool gen_fcsel_f(A64Ctx *c, const A64Insn *i)
{
    unsigned esz;
    if (!simd_ftype(c, i->ft, &esz)) {
        return false;
    }
    IrType t = simd_fp_type(esz);
    IrRef n = a64_f(c, t, i->rn), m = a64_f(c, t, i->rm);
    a64_put_f(c, t, i->rd, ir_select(c->b, t, a64_cond(c, i->cond), n, m));
    return true;
}

bool gen_fmov_fi(A64Ctx *c, const A64Insn *i)
{
    unsigned esz;
    if (!simd_ftype(c, i->ft, &esz)) {
        return false;
    }
    a64_put_v(c, i->rd, ir_vconst(c->b, a64_fp_imm(esz, i->imm), true));
    return true;
}

/* ---- conversions ---- */

static void fp_to_int(A64Ctx *c, const A64Insn *i, unsigned esz, unsigned round, unsigned fbits)
{
    IrRef v = ir_emit(c->b, IR_FTOI, a64_type(i->sf), esz, round, i->u ? IRF_UNSIGNED : 0,
                      a64_f(c, simd_fp_type(esz), i->rn), 0, 0, 0, fbits);
    a64_put_x(c, i->rd, v);
}

/* FCVTN/P/M/Z and FCVTA to a general register; the field mode is in the order of IrRound. */
bool gen_fcvti_f(A64Ctx *c, const A64Insn *i)
{
    unsigned esz;
    if (!simd_ftype(c, i->ft, &esz)) {
        return false;
    }
    fp_to_int(c, i, esz, i->row == A64_R_FCVTA_f ? IR_R_AWAY : i->mode, 0);
    return true;
}

bool gen_fcvtzx_f(A64Ctx *c, const A64Insn *i)
{
    unsigned esz;
    if (!simd_ftype(c, i->ft, &esz) || (!i->sf && i->scale < 32)) {
        return false;
    }
    fp_to_int(c, i, esz, IR_R_ZERO, 64 - i->scale);
    return true;
}

/* SCVTF, UCVTF from integer and from fixed point. */
bool gen_scvtf_f(A64Ctx *c, const A64Insn *i)
{
    bool fixed = i->row == A64_R_SCVTFX_f;
    unsigned esz;
    if (!simd_ftype(c, i->ft, &esz) || (fixed && !i->sf && i->scale < 32)) {
        return false;
    }
    IrRef v = ir_emit(c->b, IR_ITOF, simd_fp_type(esz), i->sf ? 3 : 2, 0, i->u ? IRF_UNSIGNED : 0,
                      a64_x(c, i->rn), 0, 0, 0, fixed ? 64 - i->scale : 0);
    a64_put_f(c, simd_fp_type(esz), i->rd, v);
    return true;
}

/* Which FMOV between general and FP exists: esz of the FP side, 4 for the upper half; 0: none. */
static unsigned fmov_size(const A64Ctx *c, const A64Insn *i)
{
    if (i->r) {
        return i->sf && i->ft == 2 ? 4 : 0;
    }
    switch (i->ft) {
    case 0: return i->sf ? 0 : 2;
    case 1: return i->sf ? 3 : 0;
    case 3: return a64_feat(c, A64_FEAT_FP16) ? 1 : 0;
    default: return 0;
    }
}

/* FMOV general <- FP. */
bool gen_fmov_rf(A64Ctx *c, const A64Insn *i)
{
    unsigned esz = fmov_size(c, i);
    if (esz == 0) {
        return false;
    }
    IrRef v = a64_v(c, i->rn);
    if (esz == 4) {
        v = ir_emit(c->b, IR_VEXTR, IR_I64, 3, 0, 0, v, 0, 0, 0, 1);
    } else {
        v = ir_emit(c->b, IR_FBITS, esz == 3 ? IR_I64 : IR_I32, esz, 0, 0,
                    ir_un(c->b, IR_VLO, simd_fp_type(esz), v), 0, 0, 0, 0);
    }
    a64_put_x(c, i->rd, v);
    return true;
}

/* FMOV FP <- general. */
bool gen_fmov_fr(A64Ctx *c, const A64Insn *i)
{
    unsigned esz = fmov_size(c, i);
    if (esz == 0) {
        return false;
    }
    IrRef x = a64_x(c, i->rn);
    if (esz == 4) {
        a64_put_v(c, i->rd, ir_emit(c->b, IR_VINS, IR_V128, 3, 0, 0, a64_v(c, i->rd), x, 0, 0, 1));
    } else {
        IrType t = simd_fp_type(esz);
        a64_put_f(c, t, i->rd, ir_emit(c->b, IR_BITSF, t, esz, 0, 0, x, 0, 0, 0, 0));
    }
    return true;
}

/* The helper's element 0 is the integer, element 1 (32 bits each) is Z. */
bool gen_fjcvtzs(A64Ctx *c, const A64Insn *i)
{
    IrRef r = ir_emit(c->b, IR_VCALL, IR_V128, 3, 0, A64_VF_SCALAR, a64_v(c, i->rn), 0, 0, 0,
                      A64_H_fjcvtzs);
    IrRef z = ir_emit(c->b, IR_VEXTR, IR_I32, 2, 0, 0, r, 0, 0, 0, 1);
    IrRef packed = ir_bini(c->b, IR_SHL, IR_I32, z, 14);
    a64_put_x(c, i->rd, ir_emit(c->b, IR_VEXTR, IR_I32, 2, 0, 0, r, 0, 0, 0, 0));
    a64_put_flags(c, ir_un(c->b, IR_FL_UNPACK, IR_FLAGS, packed));
    return true;
}
