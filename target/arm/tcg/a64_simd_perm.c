/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 Advanced SIMD copy, extract, table lookup, modified immediate. (ZIP, UZP, TRN are plain
 * two-operand rows.)
 *
 * Source: Arm ARM (DDI 0487), C4.1 "Advanced SIMD copy" .. "Advanced SIMD modified immediate",
 * pseudo-code AdvSIMDExpandImm().
 */
#include "target/arm/tcg/a64_simd.h"

/* imm5 of the copy class: the lowest set bit is the size, the index above it. */
static bool copy_lane(const A64Insn *i, unsigned *esz, unsigned *idx)
{
    if (!(i->imm & 15)) {
        return false;
    }
    *esz = (unsigned)__builtin_ctz(i->imm);
    *idx = i->imm >> (*esz + 1);
    return true;
}

bool gen_dup_e(A64Ctx *c, const A64Insn *i)
{
    unsigned esz, idx;
    if (!copy_lane(i, &esz, &idx) || (esz == 3 && !i->q)) {
        return false;
    }
    a64_put_v(c, i->rd, ir_vun(c->b, IR_VDUPL, esz, !i->q, a64_v(c, i->rn), idx));
    return true;
}

bool gen_dup_r(A64Ctx *c, const A64Insn *i)
{
    unsigned esz, idx;
    if (!copy_lane(i, &esz, &idx) || (esz == 3 && !i->q)) {
        return false;
    }
    a64_put_v(c, i->rd, ir_vun(c->b, IR_VDUP, esz, !i->q, a64_x(c, i->rn), 0));
    return true;
}

/* DUP (element, scalar): the element alone. */
bool gen_dup_s(A64Ctx *c, const A64Insn *i)
{
    unsigned esz, idx;
    if (!copy_lane(i, &esz, &idx)) {
        return false;
    }
    IrRef v = a64_v(c, i->rn);
    if (idx) {
        v = ir_vun(c->b, IR_VDUPL, esz, false, v, idx);
    }
    if (esz == 0) {
        v = ir_vbin(c->b, IR_VAND, 3, true, v, ir_vconst(c->b, 0xff, true));
        a64_put_v(c, i->rd, v);
    } else {
        a64_put_v(c, i->rd, simd_zext(c, esz, ir_un(c->b, IR_VLO, simd_fp_type(esz), v)));
    }
    return true;
}

bool gen_umov(A64Ctx *c, const A64Insn *i)
{
    bool sign = i->row == A64_R_SMOV;
    unsigned esz, idx;
    if (!copy_lane(i, &esz, &idx) || (sign ? esz >= 2u + i->q : (esz == 3) != i->q)) {
        return false;
    }
    a64_put_x(c, i->rd,
              ir_emit(c->b, IR_VEXTR, a64_type(i->q), esz, 0, sign ? IRF_SEXT : 0, a64_v(c, i->rn),
                      0, 0, 0, idx));
    return true;
}

bool gen_ins_r(A64Ctx *c, const A64Insn *i)
{
    unsigned esz, idx;
    if (!copy_lane(i, &esz, &idx)) {
        return false;
    }
    a64_put_v(
        c, i->rd,
        ir_emit(c->b, IR_VINS, IR_V128, esz, 0, 0, a64_v(c, i->rd), a64_x(c, i->rn), 0, 0, idx));
    return true;
}

bool gen_ins_e(A64Ctx *c, const A64Insn *i)
{
    unsigned esz, idx;
    if (!copy_lane(i, &esz, &idx)) {
        return false;
    }
    a64_put_v(c, i->rd,
              ir_emit(c->b, IR_VINSL, IR_V128, esz, 0, 0, a64_v(c, i->rd), a64_v(c, i->rn), 0, 0,
                      idx | i->imm4 >> esz << 8));
    return true;
}

bool gen_vext(A64Ctx *c, const A64Insn *i)
{
    if (!i->q && i->imm4 >= 8) {
        return false;
    }
    a64_put_v(c, i->rd,
              ir_emit(c->b, IR_VEXT, IR_V128, 0, 0, i->q ? 0 : IRF_HALF, a64_v(c, i->rn),
                      a64_v(c, i->rm), 0, 0, i->imm4));
    return true;
}

/* TBL, TBX of 1 to 4 registers: index - 16 k is below 16 just for bytes of register k. */
bool gen_tbl(A64Ctx *c, const A64Insn *i)
{
    IrBuilder *b = c->b;
    IrRef idx = a64_v(c, i->rm), v = IR_NONE;
    for (unsigned k = 0; k <= i->len; k++) {
        IrRef at = k ? ir_vbin(b, IR_VSUB, 0, false, idx, simd_const(c, 0, false, 16 * k)) : idx;
        IrRef t = ir_vbin(b, IR_VTBL, 0, false, a64_v(c, (i->rn + k) & 31), at);
        v = k ? ir_vbin(b, IR_VOR, 3, false, v, t) : t;
    }
    if (i->op) {
        IrRef in = ir_emit(b, IR_VCMP, IR_V128, 0, IR_ULT, 0, idx,
                           simd_const(c, 0, false, 16 * (i->len + 1)), 0, 0, 0);
        v = ir_emit(b, IR_VBSL, IR_V128, 3, 0, 0, in, v, a64_v(c, i->rd), 0, 0);
    }
    a64_put_v(c, i->rd, i->q ? v : ir_un(b, IR_VLOW64, IR_V128, v));
    return true;
}

/* ---- modified immediate ---- */

static uint64_t modimm_expand(unsigned cmode, unsigned op, unsigned imm8)
{
    switch (cmode >> 1) {
    case 0:
    case 1:
    case 2:
    case 3: return simd_rep(2, (uint64_t)imm8 << 8 * (cmode >> 1));
    case 4:
    case 5: return simd_rep(1, (uint64_t)imm8 << 8 * (cmode >> 1 & 1));
    case 6: /* shifting ones in */
        return simd_rep(2, cmode & 1 ? (uint64_t)imm8 << 16 | 0xffff : (uint64_t)imm8 << 8 | 0xff);
    default: break;
    }
    if (cmode == 15) {
        return op ? a64_fp_imm(3, imm8) : simd_rep(2, a64_fp_imm(2, imm8));
    }
    if (!op) {
        return simd_rep(0, imm8);
    }
    uint64_t v = 0;
    for (unsigned bit = 0; bit < 8; bit++) {
        v |= imm8 >> bit & 1 ? 0xffull << 8 * bit : 0;
    }
    return v;
}

bool gen_modimm(A64Ctx *c, const A64Insn *i)
{
    unsigned imm8 = i->abc << 5 | i->defgh;
    uint64_t v;
    if (i->o2) { /* FMOV half precision */
        if (i->cmode != 15 || i->op || !a64_feat(c, A64_FEAT_FP16)) {
            return false;
        }
        v = simd_rep(1, a64_fp_imm(1, imm8));
    } else if (i->cmode == 15 && i->op && !i->q) {
        return false;
    } else {
        v = modimm_expand(i->cmode, i->op, imm8);
    }
    bool combine = i->cmode < 12 && (i->cmode & 1), invert = i->cmode < 14 && i->op;
    if (combine) { /* ORR, BIC */
        a64_put_v(c, i->rd,
                  ir_vbin(c->b, invert ? IR_VANDN : IR_VOR, 3, !i->q, a64_v(c, i->rd),
                          ir_vconst(c->b, v, !i->q)));
    } else {
        a64_put_v(c, i->rd, ir_vconst(c->b, invert ? ~v : v, !i->q));
    }
    return true;
}
