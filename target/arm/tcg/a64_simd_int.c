/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 Advanced SIMD integer arithmetic and logic: three same, three different, two-register
 * miscellaneous, across lanes, by element.
 *
 * Source: Arm ARM (DDI 0487), C4.1 "Data Processing -- Scalar Floating-Point and Advanced SIMD".
 */
#include "target/arm/tcg/a64_simd.h"

static IrRef int_op(A64Ctx *c, const SimdShape *s, IrRef n, IrRef m)
{
    return ir_emit(c->b, s->op->op, IR_V128, s->esz, s->op->sub,
                   s->op->flags | (s->half ? IRF_HALF : 0), n, m, 0, 0, 0);
}

bool gen_v2(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    if (!simd_shape(i, &s)) {
        return false;
    }
    a64_put_v(c, i->rd, int_op(c, &s, a64_v(c, i->rn), a64_v(c, i->rm)));
    return true;
}

bool gen_v1(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    if (!simd_shape(i, &s)) {
        return false;
    }
    a64_put_v(c, i->rd, int_op(c, &s, a64_v(c, i->rn), 0));
    return true;
}

/* MLA, MLS, SABA, UABA. */
bool gen_v2acc(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    if (!simd_shape(i, &s)) {
        return false;
    }
    IrRef v = int_op(c, &s, a64_v(c, i->rn), a64_v(c, i->rm));
    a64_put_v(c, i->rd, simd_op(c, &s, s.op->acc, a64_v(c, i->rd), v));
    return true;
}

bool gen_vmul_e(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    SimdElem e;
    if (!simd_shape(i, &s) || !simd_elem(i, s.esz, &e)) {
        return false;
    }
    IrRef m = simd_op1(c, &s, IR_VDUPL, a64_v(c, e.rm), e.idx);
    IrRef v = int_op(c, &s, a64_v(c, i->rn), m);
    if (s.op->acc) {
        v = simd_op(c, &s, s.op->acc, a64_v(c, i->rd), v);
    }
    a64_put_v(c, i->rd, v);
    return true;
}

/* (S|U)H(ADD|SUB), (S|U)RHADD without a wider sum: a + b = (a ^ b) + 2 (a & b) and so on. */
bool gen_hadd(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    if (!simd_shape(i, &s)) {
        return false;
    }
    IrRef n = a64_v(c, i->rn), m = a64_v(c, i->rm), v;
    if (s.op->op == IR_VURHADD) {
        v = int_op(c, &s, n, m);
    } else {
        bool uns = i->word >> 29 & 1;
        IrRef x = simd_op1(c, &s, uns ? IR_VSHRI : IR_VSARI, simd_op(c, &s, IR_VXOR, n, m), 1);
        if (s.op->op == IR_VADD) {
            v = simd_op(c, &s, IR_VADD, simd_op(c, &s, IR_VAND, n, m), x);
        } else if (s.op->op == IR_VSUB) {
            v = simd_op(c, &s, IR_VSUB, x, simd_op(c, &s, IR_VANDN, m, n));
        } else { /* SRHADD */
            v = simd_op(c, &s, IR_VSUB, simd_op(c, &s, IR_VOR, n, m), x);
        }
    }
    a64_put_v(c, i->rd, v);
    return true;
}

bool gen_vlogic(A64Ctx *c, const A64Insn *i)
{
    IrOpcode op = a64_simd_ops[i->row].op;
    IrRef n = a64_v(c, i->rn), v;
    if (op == IR_VOR && i->rn == i->rm) { /* MOV */
        v = i->q ? n : ir_un(c->b, IR_VLOW64, IR_V128, n);
    } else {
        v = ir_vbin(c->b, op, 3, !i->q, n, a64_v(c, i->rm));
    }
    a64_put_v(c, i->rd, v);
    return true;
}

/* BSL: d selects n else m. BIT: m selects n else d. BIF: m selects d else n. */
bool gen_vbsl(A64Ctx *c, const A64Insn *i)
{
    IrRef d = a64_v(c, i->rd), n = a64_v(c, i->rn), m = a64_v(c, i->rm);
    IrRef sel = m, yes = n, no = d;
    if (i->row == A64_R_BSL_v) {
        sel = d;
        no = m;
    } else if (i->row == A64_R_BIF_v) {
        yes = d;
        no = n;
    }
    a64_put_v(c, i->rd,
              ir_emit(c->b, IR_VBSL, IR_V128, 3, 0, i->q ? 0 : IRF_HALF, sel, yes, no, 0, 0));
    return true;
}

/* Pairwise maxima and minima: op of the even and the odd elements of m:n. */
bool gen_vpair(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    if (!simd_shape(i, &s)) {
        return false;
    }
    IrRef n = a64_v(c, i->rn), m = a64_v(c, i->rm);
    IrRef even = simd_op(c, &s, IR_VUZP1, n, m), odd = simd_op(c, &s, IR_VUZP2, n, m);
    a64_put_v(c, i->rd, int_op(c, &s, even, odd));
    return true;
}

bool gen_addp_s(A64Ctx *c, const A64Insn *i)
{
    IrRef n = a64_v(c, i->rn);
    a64_put_v(c, i->rd, ir_vun(c->b, IR_VADDV, 3, false, n, 0));
    return true;
}

/* ---- widening and narrowing ---- */

static IrRef widen(A64Ctx *c, const A64Insn *i, unsigned esz, bool uns, IrRef v)
{
    return ir_emit(c->b, uns ? IR_VUXTL : IR_VSXTL, IR_V128, esz, 0, i->q ? IRF_HI : 0, v, 0, 0, 0,
                   0);
}

/* Both operands widened (L), one (W), or the absolute difference; the op and acc are the row's. */
bool gen_vwide(A64Ctx *c, const A64Insn *i)
{
    const A64SimdOp *op = &a64_simd_ops[i->row];
    bool uns = i->word >> 29 & 1, wide_n = i->word >> 12 & 1;
    unsigned esz = i->sz;
    if (esz == 3) {
        return false;
    }
    IrRef n = a64_v(c, i->rn), m = a64_v(c, i->rm), v;
    if (op->op == IR_VSABD || op->op == IR_VUABD) { /* the difference fits unsigned */
        v = widen(c, i, esz, true, ir_vbin(c->b, op->op, esz, false, n, m));
    } else {
        n = wide_n ? n : widen(c, i, esz, uns, n);
        v = ir_vbin(c->b, op->op, esz + 1, false, n, widen(c, i, esz, uns, m));
    }
    if (op->acc) {
        v = ir_vbin(c->b, op->acc, esz + 1, false, a64_v(c, i->rd), v);
    }
    a64_put_v(c, i->rd, v);
    return true;
}

/* (R)ADDHN, (R)SUBHN: the high halves of sums. */
bool gen_vhn(A64Ctx *c, const A64Insn *i)
{
    unsigned esz = i->sz;
    if (esz == 3) {
        return false;
    }
    IrRef v =
        ir_vbin(c->b, a64_simd_ops[i->row].op, esz + 1, false, a64_v(c, i->rn), a64_v(c, i->rm));
    if (i->word >> 29 & 1) {
        uint64_t half_ulp = 1ull << (simd_bits(esz) - 1);
        v = ir_vbin(c->b, IR_VADD, esz + 1, false, v, simd_const(c, esz + 1, false, half_ulp));
    }
    v = ir_vun(c->b, IR_VSHRI, esz + 1, false, v, simd_bits(esz));
    simd_put_narrow(c, i, false, ir_vun(c->b, IR_VXTN, esz, false, v, 0));
    return true;
}

/* (S|U)MULL, MLAL, MLSL, by vector and by element. */
bool gen_vmull(A64Ctx *c, const A64Insn *i)
{
    const A64SimdOp *op = &a64_simd_ops[i->row];
    unsigned esz = i->sz;
    SimdElem e;
    IrRef m;
    if (esz == 3) {
        return false;
    }
    if (simd_is_by_elem(i)) {
        if (!simd_elem(i, esz, &e)) {
            return false;
        }
        m = ir_vun(c->b, IR_VDUPL, esz, false, a64_v(c, e.rm), e.idx);
    } else {
        m = a64_v(c, i->rm);
    }
    IrRef v =
        ir_emit(c->b, op->op, IR_V128, esz, 0, i->q ? IRF_HI : 0, a64_v(c, i->rn), m, 0, 0, 0);
    if (op->acc) {
        v = ir_vbin(c->b, op->acc, esz + 1, false, a64_v(c, i->rd), v);
    }
    a64_put_v(c, i->rd, v);
    return true;
}

bool gen_pmull(A64Ctx *c, const A64Insn *i)
{
    IrRef n = a64_v(c, i->rn), m = a64_v(c, i->rm);
    unsigned flags = i->q ? IRF_HI : 0;
    if (i->sz == 3 && a64_feat(c, A64_FEAT_PMULL)) {
        a64_put_v(c, i->rd, ir_emit(c->b, IR_PMULL64, IR_V128, 3, 0, flags, n, m, 0, 0, 0));
    } else if (i->sz == 0) {
        a64_put_v(c, i->rd,
                  ir_emit(c->b, IR_VCALLP, IR_V128, 0, 0, flags, n, m, 0, 0, A64_H_pmull8));
    } else {
        return false;
    }
    return true;
}

/* (S|U)ADDLP, ADALP: each pair inside its wide element. */
bool gen_addlp(A64Ctx *c, const A64Insn *i)
{
    bool uns = i->word >> 29 & 1, half = !i->q;
    unsigned wide = i->sz + 1, bits = simd_bits(i->sz);
    if (i->sz == 3) {
        return false;
    }
    IrOpcode shift = uns ? IR_VSHRI : IR_VSARI;
    IrRef n = a64_v(c, i->rn);
    IrRef low = ir_vun(c->b, shift, wide, half, ir_vun(c->b, IR_VSHLI, wide, half, n, bits), bits);
    IrRef v = ir_vbin(c->b, IR_VADD, wide, half, low, ir_vun(c->b, shift, wide, half, n, bits));
    if (a64_simd_ops[i->row].acc) {
        v = ir_vbin(c->b, IR_VADD, wide, half, a64_v(c, i->rd), v);
    }
    a64_put_v(c, i->rd, v);
    return true;
}

/* ADDV, SMAXV .. UMINV: 4S needs Q. */
static bool across_ok(const A64Insn *i)
{
    return i->sz < 2 || (i->sz == 2 && i->q);
}

bool gen_vacross(A64Ctx *c, const A64Insn *i)
{
    if (!across_ok(i)) {
        return false;
    }
    a64_put_v(c, i->rd, ir_vun(c->b, a64_simd_ops[i->row].op, i->sz, !i->q, a64_v(c, i->rn), 0));
    return true;
}

bool gen_addlv(A64Ctx *c, const A64Insn *i)
{
    if (!across_ok(i)) {
        return false;
    }
    IrOpcode ext = i->word >> 29 & 1 ? IR_VUXTL : IR_VSXTL;
    IrRef n = a64_v(c, i->rn);
    IrRef v = ir_emit(c->b, ext, IR_V128, i->sz, 0, 0, n, 0, 0, 0, 0);
    if (i->q) {
        IrRef hi = ir_emit(c->b, ext, IR_V128, i->sz, 0, IRF_HI, n, 0, 0, 0, 0);
        v = ir_vbin(c->b, IR_VADD, i->sz + 1, false, v, hi);
    }
    a64_put_v(c, i->rd, ir_vun(c->b, IR_VADDV, i->sz + 1, false, v, 0));
    return true;
}

bool gen_xtn(A64Ctx *c, const A64Insn *i)
{
    if (i->sz == 3) {
        return false;
    }
    simd_put_narrow(c, i, false, ir_vun(c->b, IR_VXTN, i->sz, false, a64_v(c, i->rn), 0));
    return true;
}

bool gen_shll(A64Ctx *c, const A64Insn *i)
{
    if (i->sz == 3) {
        return false;
    }
    IrRef v = widen(c, i, i->sz, true, a64_v(c, i->rn));
    a64_put_v(c, i->rd, ir_vun(c->b, IR_VSHLI, i->sz + 1, false, v, simd_bits(i->sz)));
    return true;
}

/* ---- two-register miscellaneous ---- */

/* REV64, REV32, REV16: sub is the container. */
bool gen_vrev(A64Ctx *c, const A64Insn *i)
{
    unsigned container = a64_simd_ops[i->row].sub;
    if (i->sz >= container) {
        return false;
    }
    a64_put_v(c, i->rd,
              ir_emit(c->b, IR_VREV, IR_V128, i->sz, container, i->q ? 0 : IRF_HALF,
                      a64_v(c, i->rn), 0, 0, 0, 0));
    return true;
}

bool gen_vcmp0(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    if (!simd_shape(i, &s)) {
        return false;
    }
    a64_put_v(c, i->rd, int_op(c, &s, a64_v(c, i->rn), ir_vconst(c->b, 0, false)));
    return true;
}

/* A table of 16 bytes looked up by the low four bits of each byte. */
static IrRef nibble_table(A64Ctx *c, const SimdShape *s, uint64_t low, uint64_t high, IrRef nibbles)
{
    IrRef table =
        ir_vbin(c->b, IR_VCAT, 3, false, ir_vconst(c->b, low, true), ir_vconst(c->b, high, true));
    IrRef v = ir_vbin(c->b, IR_VTBL, 0, false, table, nibbles);
    return s->half ? ir_un(c->b, IR_VLOW64, IR_V128, v) : v;
}

static void split_nibbles(A64Ctx *c, const SimdShape *s, IrRef v, IrRef *low, IrRef *high)
{
    *low = ir_vbin(c->b, IR_VAND, 3, s->half, v, simd_const(c, 0, s->half, 15));
    *high = ir_vun(c->b, IR_VSHRI, 0, s->half, v, 4);
}

bool gen_vrbit(A64Ctx *c, const A64Insn *i)
{
    SimdShape s = {.half = !i->q};
    IrRef low, high;
    split_nibbles(c, &s, a64_v(c, i->rn), &low, &high);
    low = nibble_table(c, &s, 0xe060a020c0408000, 0xf070b030d0509010, low);
    high = nibble_table(c, &s, 0x0e060a020c040800, 0x0f070b030d050901, high);
    a64_put_v(c, i->rd, ir_vbin(c->b, IR_VOR, 3, s.half, low, high));
    return true;
}

/* Leading zeros of elements of 1 << esz bytes, `zeros` being those of the two halves of each. */
static IrRef clz_join(A64Ctx *c, const SimdShape *s, unsigned esz, IrRef zeros)
{
    unsigned half_bits = simd_bits(esz) / 2;
    IrRef high = ir_vun(c->b, IR_VSHRI, esz, s->half, zeros, half_bits);
    IrRef all = simd_const(c, esz, s->half, half_bits);
    IrRef none =
        ir_emit(c->b, IR_VCMP, IR_V128, esz, IR_EQ, s->half ? IRF_HALF : 0, high, all, 0, 0, 0);
    IrRef low = ir_vbin(c->b, IR_VAND, esz, s->half, zeros,
                        simd_const(c, esz, s->half, (1ull << half_bits) - 1));
    return ir_vbin(c->b, IR_VADD, esz, s->half, high,
                   ir_vbin(c->b, IR_VAND, esz, s->half, low, none));
}

/* CLZ; CLS (sub 1): leading zeros of n ^ sign, but one. */
bool gen_vclz(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    IrRef low, high;
    if (!simd_shape(i, &s)) {
        return false;
    }
    IrRef v = a64_v(c, i->rn);
    if (s.op->sub) {
        v = simd_op(c, &s, IR_VXOR, v, simd_op1(c, &s, IR_VSARI, v, simd_bits(s.esz) - 1));
    }
    split_nibbles(c, &s, v, &low, &high);
    low = nibble_table(c, &s, 0x0101010102020304, 0, low);
    high = nibble_table(c, &s, 0x0101010102020304, 0, high);
    IrRef none = ir_emit(c->b, IR_VCMP, IR_V128, 0, IR_EQ, s.half ? IRF_HALF : 0, high,
                         simd_const(c, 0, s.half, 4), 0, 0, 0);
    v = ir_vbin(c->b, IR_VADD, 0, s.half, high, ir_vbin(c->b, IR_VAND, 0, s.half, low, none));
    for (unsigned esz = 1; esz <= s.esz; esz++) {
        v = clz_join(c, &s, esz, v);
    }
    a64_put_v(c, i->rd,
              s.op->sub ? simd_op(c, &s, IR_VSUB, v, simd_const(c, s.esz, s.half, 1)) : v);
    return true;
}

/* Two operands through a pure helper. */
bool gen_h2(A64Ctx *c, const A64Insn *i)
{
    SimdShape s;
    if (!simd_shape(i, &s)) {
        return false;
    }
    IrRef n = simd_in(c, &s, i->rn), m = simd_in(c, &s, i->rm);
    a64_put_v(c, i->rd, simd_call(c, true, &s, s.op->sub, (IrRef[4]){n, m}));
    return true;
}

/* Products of 8 bytes in 16 bits, which holds them all, then sums of pairs in 32 bits. */
static IrRef dot_half(A64Ctx *c, unsigned sub, IrRef n, IrRef m, bool high)
{
    unsigned flags = high ? IRF_HI : 0;
    IrOpcode shift = sub == 3 ? IR_VSHRI : IR_VSARI; /* only u8 * u8 needs the 16th bit */
    n = ir_emit(c->b, sub & 1 ? IR_VUXTL : IR_VSXTL, IR_V128, 0, 0, flags, n, 0, 0, 0, 0);
    m = ir_emit(c->b, sub & 2 ? IR_VUXTL : IR_VSXTL, IR_V128, 0, 0, flags, m, 0, 0, 0, 0);
    IrRef p = ir_vbin(c->b, IR_VMUL, 1, false, n, m);
    IrRef even = ir_vun(c->b, shift, 2, false, ir_vun(c->b, IR_VSHLI, 2, false, p, 16), 16);
    return ir_vbin(c->b, IR_VADD, 2, false, even, ir_vun(c->b, shift, 2, false, p, 16));
}

/* SDOT, UDOT, SUDOT, USDOT: by vector, and by element (a group of four bytes, m:rm and h:l). */
bool gen_dot(A64Ctx *c, const A64Insn *i)
{
    unsigned sub = a64_simd_ops[i->row].sub;
    IrRef n = a64_v(c, i->rn), m;
    if (simd_is_by_elem(i)) {
        SimdElem e;
        simd_elem(i, 2, &e);
        m = ir_vun(c->b, IR_VDUPL, 2, false, a64_v(c, e.rm), e.idx);
    } else {
        m = a64_v(c, i->rm);
    }
    IrRef lo = dot_half(c, sub, n, m, false);
    IrRef hi = i->q ? dot_half(c, sub, n, m, true) : lo;
    IrRef sums = ir_vbin(c->b, IR_VADDP, 2, false, lo, hi);
    a64_put_v(c, i->rd, ir_vbin(c->b, IR_VADD, 2, !i->q, a64_v(c, i->rd), sums));
    return true;
}

/*
 * SMMLA, UMMLA, USMMLA: rows n0 n1 and columns m0 m1 of 8 bytes each. The sums of four products
 * come as n0m0 n1m1 and, with the columns swapped, n0m1 n1m0; they are put in the order 00 01
 * 10 11.
 */
bool gen_mmla(A64Ctx *c, const A64Insn *i)
{
    IrBuilder *b = c->b;
    unsigned sub = a64_simd_ops[i->row].sub;
    IrRef n = a64_v(c, i->rn), m = a64_v(c, i->rm);
    IrRef swapped = ir_emit(b, IR_VEXT, IR_V128, 0, 0, 0, m, m, 0, 0, 8);
    IrRef same = ir_vbin(b, IR_VADDP, 2, false, dot_half(c, sub, n, m, false),
                         dot_half(c, sub, n, m, true)); /* 00 00 11 11 */
    IrRef cross = ir_vbin(b, IR_VADDP, 2, false, dot_half(c, sub, n, swapped, false),
                          dot_half(c, sub, n, swapped, true)); /* 01 01 10 10 */
    IrRef top = ir_vbin(b, IR_VADDP, 2, false, same, cross);   /* 00 11 01 10 */
    IrRef order = ir_vbin(b, IR_VCAT, 3, false, ir_vconst(b, 0x0b0a090803020100, true),
                          ir_vconst(b, 0x070605040f0e0d0c, true));
    IrRef v = ir_vbin(b, IR_VTBL, 0, false, top, order);
    a64_put_v(c, i->rd, ir_vbin(b, IR_VADD, 2, false, a64_v(c, i->rd), v));
    return true;
}
