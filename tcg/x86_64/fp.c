/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FP rows: arithmetic with Arm's results and flags on SSE, AVX, AVX-512 instructions.
 *
 * Generated code runs under the guest's MXCSR, so rounding and the sticky flags IE ZE OE UE PE are
 * the guest's (IOC DZC OFC UFC IXC).  What differs between Arm and x86, and what is done:
 *   - NaN results: default NaN +QNaN instead of -QNaN; which operand propagates.  Every NaN result
 *     goes to a cold path that computes the whole operation in C.  The native instruction has then
 *     raised IE only where Arm raises IOC.
 *   - Underflow: Arm detects tininess before rounding, x86 after.  The two differ only when the
 *     rounded result is the smallest normal number: such results are cold too (strict_ufc), for
 *     operations that can be tiny and inexact at once (not addition: tiny sums are exact).
 * The tests hang off the result, so they are not on the dependency chain.  One compare does both:
 * UCOMIS |r|, min sets ZF for equal and for unordered.  Nothing here compares a signalling NaN
 * that is not an operand: results are quiet.
 *
 * dst must not alias an argument where the cold path may need it (X64R_EARLY).
 *
 * Source: Arm ARM (DDI 0487) A1.5 "Floating-point exceptions and exception traps"; Intel SDM
 * volume 1, 4.9 and 11.5.
 */
#include "tcg/x86_64/vec.h"

uint64_t x64_fp_all(unsigned esz, uint64_t element)
{
    return esz == 3   ? element
           : esz == 2 ? element * 0x0000000100000001u
                      : element * 0x0001000100010001u;
}

uint64_t x64_fp_min_normal(unsigned esz)
{
    return x64_fp_all(esz, esz == 3 ? 1ull << 52 : esz == 2 ? 1u << 23 : 1u << 10);
}

static uint64_t abs_mask(unsigned esz)
{
    return x64_fp_all(esz, (1ull << ((8u << esz) - 1)) - 1);
}

static uint64_t fp_one(unsigned esz)
{
    return x64_fp_all(esz, esz == 3 ? 0x3ff0000000000000 : esz == 2 ? 0x3f800000 : 0x3c00);
}

/* ---- tests of results ---- */

void x64_fp_check(X64Ctx *c, unsigned esz_ufc, unsigned res, X64Cold *cold)
{
    unsigned esz = esz_ufc & 3;

    if (esz_ufc & X64_FP_UFC && c->strict_ufc) {
        x64_v3m(&c->as, XV_ANDPS, V15, res, x64_const_both(c, abs_mask(esz)));
        x64_v2m(&c->as, x64_fp_comis(esz, 0x2e), V15, x64_const_both(c, x64_fp_min_normal(esz)));
        x64_jcc(&c->as, X64_E, &cold->entry);
    } else {
        x64_v2(&c->as, x64_fp_comis(esz, 0x2e), res, res);
        x64_jcc(&c->as, X64_P, &cold->entry);
    }
}

void x64_fp_test_vec(X64Ctx *c, unsigned m, X64Cold *cold)
{
    x64_v2(&c->as, XV_PTEST, m, m);
    x64_jcc(&c->as, X64_NE, &cold->entry);
}

enum { CMP_EQ = 0, CMP_LT, CMP_LE, CMP_UNORD, CMP_EQ_UQ = 8, CMP_GE_OQ = 0x1d, CMP_GT_OQ = 0x1e };

uint32_t x64_fp_cmpk(unsigned esz)
{
    return esz == 1 ? XD(0, 3, 0xc2) | XD_N(4) : x64_fp_packed(esz, 0xc2);
}

void x64_fp_test_k1(X64Ctx *c, X64Cold *cold)
{
    x64_vex_rr(&c->as, XD(1, 1, 0x98), 1, 0, 1, -1); /* KORTESTB k1, k1 */
    x64_jcc(&c->as, X64_NE, &cold->entry);
}

static void check_vec_512(X64Ctx *c, unsigned esz, unsigned res, bool ufc)
{
    uint32_t cmp = x64_fp_cmpk(esz);

    if (ufc) {
        x64_v3m(&c->as, XV_ANDPS, V15, res, x64_const_both(c, abs_mask(esz)));
        x64_evex_rm(&c->as, cmp, 0, 1, V15, x64_const_both(c, x64_fp_min_normal(esz)), CMP_EQ_UQ);
    } else {
        x64_evex_rr(&c->as, cmp, 0, 1, res, res, CMP_UNORD);
    }
}

void x64_fp_check_vec(X64Ctx *c, unsigned esz_ufc, unsigned res, X64Cold *cold)
{
    unsigned esz = esz_ufc & 3;
    bool ufc = esz_ufc & X64_FP_UFC && c->strict_ufc;

    if (x64_has(c, TCG_HOST_AVX512VL)) {
        check_vec_512(c, esz, res, ufc);
        x64_fp_test_k1(c, cold);
        return;
    }
    if (ufc && c->as.avx) {
        x64_v3m(&c->as, XV_ANDPS, V15, res, x64_const_both(c, abs_mask(esz)));
        x64_v3mi(&c->as, x64_fp_packed(esz, 0xc2), V15, V15,
                 x64_const_both(c, x64_fp_min_normal(esz)), CMP_EQ_UQ);
        x64_fp_test_vec(c, V15, cold);
        return;
    }
    if (ufc) {
        x64_v3m(&c->as, XV_ANDPS, V15, res, x64_const_both(c, abs_mask(esz)));
        x64_v3m(&c->as, esz == 3 ? XI(2, 0x29) : XV_PCMPEQD, V15, V15,
                x64_const_both(c, x64_fp_min_normal(esz)));
        x64_fp_test_vec(c, V15, cold);
    }
    x64_v3i(&c->as, x64_fp_packed(esz, 0xc2), V15, res, res, CMP_UNORD);
    x64_fp_test_vec(c, V15, cold);
}

unsigned x64_fp_half_arg(X64Ctx *c, const IrOp *op, const X64Regs *r, unsigned n, unsigned tmp)
{
    const X64Arg *a = &r->arg[n];

    if (!(op->flags & IRF_HALF) || (a->kind == X64_ARG_REG && x64_is_low64(c, op->arg[n]))) {
        return a->reg;
    }
    if (a->kind == X64_ARG_MEM) {
        x64_v2m(&c->as, XV_MOVQX, tmp, a->mem);
    } else {
        x64_low64(c, tmp, a->reg);
    }
    return tmp;
}

/* ---- add, subtract, multiply, divide, square root ---- */

static unsigned arith_opcode(unsigned op)
{
    return op == IR_FADD   ? 0x58
           : op == IR_FMUL ? 0x59
           : op == IR_FSUB ? 0x5c
           : op == IR_FDIV ? 0x5e
                           : 0x51;
}

static inline unsigned ufc_if(unsigned op)
{
    return op == IR_FMUL || op == IR_FDIV || op == IR_FMA ? X64_FP_UFC : 0;
}

static inline unsigned result(const X64Regs *r)
{
    return r->dst == X64_NOREG ? V15 : r->dst;
}

static void emit_arith(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    X64Cold *cold = x64_cold_eval(c, op, r);
    uint32_t desc = x64_fp_scalar(x64_fp_esz(op), arith_opcode(op->op));
    unsigned d = result(r);

    x64_fp_operands(c, op, r);
    if (op->op == IR_FSQRT) {
        x64_v3(&c->as, desc, d, r->arg[0].reg, r->arg[0].reg);
    } else {
        x64_v3a(c, desc, d, r->arg[0].reg, &r->arg[1]);
    }
    x64_fp_check(c, x64_fp_esz(op) | ufc_if(op->op), d, cold);
}

/* Unused upper elements: 0 op 0, but 1 as the divisor. */
static void emit_arith_half(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    X64Cold *cold = x64_cold_eval(c, op, r);
    uint32_t desc = x64_fp_packed(x64_fp_esz(op), arith_opcode(op->op));
    unsigned d = result(r), a, b;

    x64_fp_operands(c, op, r);
    a = x64_fp_half_arg(c, op, r, 0, V15);
    if (op->op == IR_FSQRT) {
        x64_v2(&c->as, desc, d, a);
    } else {
        if (op->op == IR_FDIV) {
            b = r->vtmp[0];
            x64_v3m(&c->as, XV_MOVHPS_L, b, r->arg[1].reg,
                    x64_const_both(c, fp_one(x64_fp_esz(op))));
        } else {
            b = x64_fp_half_arg(c, op, r, 1, r->vtmp[0]);
        }
        x64_v3(&c->as, desc, d, a, b);
    }
    if (op->op == IR_FSUB) { /* 0 - 0 is -0 when rounding down */
        x64_low64(c, d, d);
    }
    x64_fp_check_vec(c, x64_fp_esz(op) | ufc_if(op->op), d, cold);
}

static void emit_arith_vec(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    X64Cold *cold = x64_cold_eval(c, op, r);
    uint32_t desc = x64_fp_packed(x64_fp_esz(op), arith_opcode(op->op));
    unsigned d = result(r);

    x64_fp_operands(c, op, r);
    if (op->op == IR_FSQRT) {
        x64_v2(&c->as, desc, d, r->arg[0].reg);
    } else {
        x64_v3a(c, desc, d, r->arg[0].reg, &r->arg[1]);
    }
    x64_fp_check_vec(c, x64_fp_esz(op) | ufc_if(op->op), d, cold);
}

/* ---- fused multiply-add ---- */

/* VFMADD231 and its relatives: d = +-(a * b) +- d */
static uint32_t fma_desc(const IrOp *op, bool scalar)
{
    static const uint8_t opcode[4] = {0xb8, 0xbc, 0xba, 0xbe}; /* -, NEGA, NEGC, both */
    unsigned i = (op->flags & IRF_NEGA ? 1u : 0) | (op->flags & IRF_NEGC ? 2u : 0);
    unsigned map = x64_fp_esz(op) == 1 ? 6 : 2;

    return XD(1, map, opcode[i] | scalar) | (x64_fp_esz(op) == 3 ? XD_W | XD_EW : 0) |
           XD_N(scalar ? x64_fp_esz(op) : 4u);
}

static void emit_fma(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    X64Cold *cold = x64_cold_eval(c, op, r);
    unsigned d = result(r);

    x64_fp_operands(c, op, r);
    x64_movaps(&c->as, d, r->arg[2].reg);
    x64_v3a(c, fma_desc(op, true), d, r->arg[0].reg, &r->arg[1]);
    x64_fp_check(c, x64_fp_esz(op) | X64_FP_UFC, d, cold);
}

static void emit_fma_vec(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    X64Cold *cold = x64_cold_eval(c, op, r);
    unsigned d = result(r);

    x64_fp_operands(c, op, r);
    if (op->flags & IRF_HALF) {
        unsigned a, b;

        x64_low64(c, d, r->arg[2].reg);
        a = x64_fp_half_arg(c, op, r, 0, r->vtmp[1]);
        b = x64_fp_half_arg(c, op, r, 1, r->vtmp[0]);
        x64_v3(&c->as, fma_desc(op, false), d, a, b);
        if (op->flags & (IRF_NEGA | IRF_NEGC)) {
            x64_low64(c, d, d);
        }
    } else {
        x64_movaps(&c->as, d, r->arg[2].reg);
        x64_v3a(c, fma_desc(op, false), d, r->arg[0].reg, &r->arg[1]);
    }
    x64_fp_check_vec(c, x64_fp_esz(op) | X64_FP_UFC, d, cold);
}

/* ---- signs ---- */

static void emit_sign(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    bool neg = op->op == IR_FNEG, half = op->flags & IRF_HALF;
    uint64_t m = neg ? ~abs_mask(x64_fp_esz(op)) : abs_mask(x64_fp_esz(op));

    x64_v3m(&c->as, neg ? XV_XORPS : XV_ANDPS, r->dst, r->arg[0].reg,
            x64_const16(c, m, half ? 0 : m));
    if (half && neg && !x64_is_low64(c, op->arg[0])) {
        x64_low64(c, r->dst, r->dst);
    }
}

/* ---- comparisons ---- */

bool x64_fcmp_native(const X64Ctx *c, const IrOp *op)
{
    return c->fp_native &&
           (op->esz == 2 || op->esz == 3 || (op->esz == 1 && x64_has(c, TCG_HOST_AVX512FP16)));
}

X64Cond x64_fcmp_emit(X64Ctx *c, unsigned esz, unsigned sub, unsigned a, unsigned b)
{
    static const struct {
        uint8_t cc, parity, swap;
    } t[] = {
        [IR_F_EQ] = {X64_E, X64_PAR_AND, 0},   [IR_F_NE_U] = {X64_NE, X64_PAR_OR, 0},
        [IR_F_LT] = {X64_A, X64_PAR_NONE, 1},  [IR_F_GE_U] = {X64_BE, X64_PAR_NONE, 1},
        [IR_F_LE] = {X64_AE, X64_PAR_NONE, 1}, [IR_F_GT_U] = {X64_B, X64_PAR_NONE, 1},
        [IR_F_GT] = {X64_A, X64_PAR_NONE, 0},  [IR_F_LE_U] = {X64_BE, X64_PAR_NONE, 0},
        [IR_F_GE] = {X64_AE, X64_PAR_NONE, 0}, [IR_F_LT_U] = {X64_B, X64_PAR_NONE, 0},
        [IR_F_UN] = {X64_P, X64_PAR_NONE, 0},  [IR_F_OR] = {X64_NP, X64_PAR_NONE, 0},
    };
    unsigned k = sub & (unsigned)~IR_F_S;
    uint32_t desc = x64_fp_comis(esz, sub & IR_F_S ? 0x2f : 0x2e);

    if (c->fp_flush && esz >= 2) {
        x64_fp_flag_denormal(c, esz, a);
        x64_fp_flag_denormal(c, esz, b);
    }
    x64_v2(&c->as, desc, t[k].swap ? b : a, t[k].swap ? a : b);
    return (X64Cond){t[k].cc, t[k].parity};
}

/* Predicate and operand order of a vector comparison; -1: none without AVX. */
static int vfcmp_predicate(const X64Ctx *c, unsigned sub, bool *swap)
{
    *swap = true;
    switch (sub) {
    case IR_F_EQ: *swap = false; return CMP_EQ;
    case IR_F_GE | IR_F_S: return CMP_LE;
    case IR_F_GT | IR_F_S: return CMP_LT;
    case IR_F_GE: *swap = false; return c->as.avx ? CMP_GE_OQ : -1;
    case IR_F_GT: *swap = false; return c->as.avx ? CMP_GT_OQ : -1;
    default: return -1;
    }
}

static void emit_vfcmp(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    bool swap;
    int pred = vfcmp_predicate(c, op->sub, &swap);
    unsigned d = result(r), a, b;

    x64_fp_operands(c, op, r);
    a = x64_fp_half_arg(c, op, r, 0, V15);
    b = x64_fp_half_arg(c, op, r, 1, r->vtmp[0]);
    x64_v3i(&c->as, x64_fp_packed(op->esz, 0xc2), d, swap ? b : a, swap ? a : b, (unsigned)pred);
    if (op->flags & IRF_HALF) {
        x64_low64(c, d, d);
    }
}

enum { FP = X64R_EARLY | X64R_EFLAGS | X64R_HI };
static const X64Row row_arith = {emit_arith, FP | X64R_MEM1, 0, 0};
static const X64Row row_sqrt = {emit_arith, FP, 0, 0};
static const X64Row row_arith_vec = {emit_arith_vec, FP | X64R_MEM1, 0, 0};
static const X64Row row_sqrt_vec = {emit_arith_vec, FP, 0, 0};
static const X64Row row_arith_half = {emit_arith_half, FP, 0, 1};
static const X64Row row_fma = {emit_fma, FP | X64R_MEM1, 0, 0};
static const X64Row row_fma_vec = {emit_fma_vec, FP | X64R_MEM1, 0, 0};
static const X64Row row_fma_half = {emit_fma_vec, FP, 0, 2};
static const X64Row row_sign = {emit_sign, X64R_HI, 0, 0};
static const X64Row row_vfcmp = {emit_vfcmp, X64R_EFLAGS, 0, 1};

const X64Row *x64_fp_row(const X64Ctx *c, const IrOp *op)
{
    bool vec = op->type == IR_V128, half = vec && op->flags & IRF_HALF, swap;
    unsigned e = x64_fp_esz(op);
    bool width = e == 2 || e == 3 || (e == 1 && x64_has(c, TCG_HOST_AVX512FP16));

    if (op->op == IR_FABS || op->op == IR_FNEG) {
        return e >= 1 && e <= 3 ? &row_sign : NULL;
    }
    if (!c->fp_native || !width) {
        return NULL;
    }
    switch (op->op) {
    case IR_FADD:
    case IR_FSUB:
    case IR_FMUL:
    case IR_FDIV: return half ? &row_arith_half : vec ? &row_arith_vec : &row_arith;
    case IR_FSQRT: return half ? &row_arith_half : vec ? &row_sqrt_vec : &row_sqrt;
    case IR_FMA:
        if (!x64_has(c, TCG_HOST_FMA)) {
            return NULL;
        }
        return half ? &row_fma_half : vec ? &row_fma_vec : &row_fma;
    case IR_VFCMP: return e != 1 && vfcmp_predicate(c, op->sub, &swap) >= 0 ? &row_vfcmp : NULL;
    default: return NULL;
    }
}
