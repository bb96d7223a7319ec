/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FP rows: minimum and maximum.
 *
 * MINSS, MAXSS return their second operand when one is a NaN or both are zeros, and raise Invalid
 * for quiet NaNs too, so the operands are compared first.  NaNs go to C.  For equal operands the
 * sign of a zero is right with OR (minimum) or AND (maximum) of both.
 */
#include "tcg/x86_64/vec.h"

static bool is_min(const IrOp *op)
{
    return op->op == IR_FMIN || op->op == IR_FMINNM;
}

/* cold->arg: the cold path of unordered operands */
static void cold_equal(X64Ctx *c, X64Cold *cold)
{
    const X64Regs *r = &cold->regs;
    X64Cold *nan = (X64Cold *)(uintptr_t)cold->arg;

    x64_jcc(&c->as, X64_P, &nan->entry);
    if (r->dst != X64_NOREG) {
        unsigned a = r->arg[0].reg, b = r->arg[1].reg;

        if (c->fp_flush) { /* denormals of any sign and zeros are equal: let DAZ make them zeros */
            uint32_t desc = x64_fp_scalar(x64_fp_esz(cold->op), is_min(cold->op) ? 0x5d : 0x5f);

            x64_v3(&c->as, desc, V15, a, b);
            x64_v3(&c->as, desc, r->dst, b, a);
            a = V15;
            b = r->dst;
        }
        x64_v3(&c->as, is_min(cold->op) ? XV_ORPS : XV_ANDPS, r->dst, a, b);
    }
    x64_jmp(&c->as, &cold->back);
}

static void emit_minmax(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned a = r->arg[0].reg, b = r->arg[1].reg;
    X64Cold *cold = x64_cold(c, op, r, cold_equal);

    x64_fp_operands(c, op, r);
    cold->arg = (uintptr_t)x64_cold_eval(c, op, r);
    x64_v2(&c->as, x64_fp_comis(x64_fp_esz(op), 0x2e), a, b);
    x64_jcc(&c->as, X64_E, &cold->entry);
    if (r->dst != X64_NOREG) {
        x64_v3(&c->as, x64_fp_scalar(x64_fp_esz(op), is_min(op) ? 0x5d : 0x5f), r->dst, a, b);
    }
}

static void emit_minmax_vec(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    X64Cold *cold = x64_cold_eval(c, op, r);
    uint32_t desc = x64_fp_packed(x64_fp_esz(op), is_min(op) ? 0x5d : 0x5f);
    unsigned a, b, t = r->vtmp[2];

    x64_fp_operands(c, op, r);
    a = x64_fp_half_arg(c, op, r, 0, r->vtmp[0]);
    b = x64_fp_half_arg(c, op, r, 1, r->vtmp[1]);
    if (x64_has(c, TCG_HOST_AVX512VL)) {
        x64_evex_rr(&c->as, x64_fp_cmpk(x64_fp_esz(op)), 0, 1, a, b, 3);
        x64_fp_test_k1(c, cold);
    } else {
        x64_v3i(&c->as, x64_fp_packed(x64_fp_esz(op), 0xc2), V15, a, b, 3);
        x64_fp_test_vec(c, V15, cold);
    }
    if (r->dst != X64_NOREG) {
        x64_v3(&c->as, desc, V15, a, b);
        x64_v3(&c->as, desc, t, b, a);
        x64_v3(&c->as, is_min(op) ? XV_ORPS : XV_ANDPS, r->dst, V15, t);
    }
}

enum { FP = X64R_EARLY | X64R_EFLAGS | X64R_HI };
static const X64Row row_minmax = {emit_minmax, FP, 0, 0};
static const X64Row row_minmax_vec = {emit_minmax_vec, FP, 0, 3};

const X64Row *x64_fp_minmax_row(const X64Ctx *c, const IrOp *op)
{
    unsigned e = x64_fp_esz(op);
    bool width = e == 2 || e == 3 || (e == 1 && x64_has(c, TCG_HOST_AVX512FP16));

    if (!c->fp_native || !width) {
        return NULL;
    }
    switch (op->op) {
    case IR_FMIN:
    case IR_FMAX:
    case IR_FMINNM:
    case IR_FMAXNM: return op->type == IR_V128 ? &row_minmax_vec : &row_minmax;
    default: return NULL;
    }
}
