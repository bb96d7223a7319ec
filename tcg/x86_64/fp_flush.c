/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FP under FPCR.FZ.
 *
 * MXCSR has DAZ and FTZ, which flush what Arm flushes.  The flags:
 *   - A flushed operand sets IDC, which DAZ does not report: operands are tested, and a cold stub
 *     sets the bit in cpu->fp_flags.  Results of arithmetic under FTZ are never denormal.
 *   - A flushed result sets UFC and not IXC; FTZ sets UE and PE.  Regions with fp_flush run only
 *     while IXC is set already, so the extra PE says nothing new.
 *   - A result that rounds up to the smallest normal number is tiny on Arm: x64_fp_check() sends
 *     it to C.
 * F16 is not flushed (FZ16 is another bit, which makes FP slow).
 *
 * Source: Arm ARM (DDI 0487), FPUnpackBase, FPRoundBase; Intel SDM volume 1, 10.2.3.
 */
#include <stddef.h>

#include "tcg/x86_64/vec.h"

enum { IDC = 1 << 7 };

static void cold_idc(X64Ctx *c, X64Cold *cold)
{
    x64_alu_mi(&c->as, 2, X64_ALU_OR, x64_cpu_mem(offsetof(TcgCpu, fp_flags)), IDC);
    x64_jmp(&c->as, &cold->back);
}

/* Can value v have a denormal element of size esz? */
static bool may_be_denormal(const X64Ctx *c, IrRef v, unsigned esz)
{
    const IrOp *op = ir_op(c->r, v);

    /* through moves that keep whole elements */
    while (
        op->op == IR_VLOW64 || (op->op == IR_VZEXT && op->esz == esz) ||
        ((op->op == IR_VLO || op->op == IR_FNEG || op->op == IR_FABS) && x64_fp_esz(op) == esz)) {
        op = ir_op(c->r, op->arg[0]);
    }
    switch (op->op) {
    case IR_FADD:
    case IR_FSUB:
    case IR_FMUL:
    case IR_FDIV:
    case IR_FMA:
    case IR_FSQRT:
    case IR_FCVT:
    case IR_ITOF: return x64_fp_esz(op) != esz;
    default: return true;
    }
}

/* EFLAGS below: rax = 2|x| - 1 is less than 2 min - 1 for denormals (and not for 0). */
static void flag_scalar(X64Ctx *c, unsigned esz, const X64Arg *a)
{
    X64Cold *cold = x64_cold(c, NULL, NULL, cold_idc);
    uint64_t bound = 2 * (x64_fp_min_normal(esz) & (esz == 3 ? ~0ull : 0xffffffff)) - 1;

    if (a->kind == X64_ARG_MEM) {
        x64_mov_rm(&c->as, esz, X64_TMP, a->mem);
    } else {
        x64_v2(&c->as, esz == 3 ? XV_MOVQ_S : XV_MOVD_S, a->reg, X64_TMP);
    }
    x64_alu_rr(&c->as, esz, X64_ALU_ADD, X64_TMP, X64_TMP);
    x64_alu_ri(&c->as, esz, X64_ALU_SUB, X64_TMP, 1);
    if (esz == 3) {
        x64_alu_rm(&c->as, 3, X64_ALU_CMP, X64_TMP, x64_const_both(c, bound));
    } else {
        x64_alu_ri(&c->as, 2, X64_ALU_CMP, X64_TMP, (int32_t)bound);
    }
    x64_jcc(&c->as, X64_B, &cold->entry);
    x64_cold_back(c, cold);
}

void x64_fp_flag_denormal(X64Ctx *c, unsigned esz, unsigned reg)
{
    flag_scalar(c, esz, &(X64Arg){.kind = X64_ARG_REG, .reg = (uint8_t)reg});
}

/* The elements that the op reads of argument n are brought to xmm15; AVX-512. */
static void flag_vector(X64Ctx *c, const IrOp *op, const X64Arg *a, unsigned esz)
{
    static const X64Desc4 padd = {0, 0, XI_C(1, 0xfe), XV_PADDQ};
    X64Cold *cold = x64_cold(c, NULL, NULL, cold_idc);
    uint64_t two_min = 2 * (x64_fp_min_normal(esz) & (esz == 3 ? ~0ull : 0xffffffff));
    bool low = op->flags & IRF_HALF && op->op != IR_VFCVTN;
    unsigned s = a->reg;

    if (a->kind == X64_ARG_MEM) {
        x64_v2m(&c->as, XV_MOVAPS_L, V15, a->mem);
        s = V15;
    }
    if (op->op == IR_VFCVTL && op->flags & IRF_HI) {
        x64_v2i(&c->as, XV_PSHUFD, V15, s, 0xee);
        s = V15;
    }
    if (low || op->op == IR_VFCVTL) {
        x64_low64(c, V15, s);
        s = V15;
    }
    x64_v3(&c->as, padd[esz], V15, s, s);
    x64_v3m(&c->as, padd[esz], V15, V15, x64_const_both(c, UINT64_MAX));
    /* VPCMPUD, VPCMPUQ less than */
    x64_evex_rm(&c->as, (esz == 3 ? XI_Q(3, 0x1e) : XI(3, 0x1e)), 0, 1, V15,
                x64_const_both(c, x64_fp_all(esz, two_min - 1)), 1);
    x64_fp_test_k1(c, cold);
    x64_cold_back(c, cold);
}

/* Element size of the operands. */
static unsigned operand_esz(const IrOp *op)
{
    switch (op->op) {
    case IR_FCVT:
    case IR_FTOI:
    case IR_VFTOI:
    case IR_VFCMP:
    case IR_VFCVTL: return op->esz;
    case IR_VFCVTN: return op->esz + 1u;
    default: return x64_fp_esz(op);
    }
}

void x64_fp_operands(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned esz = operand_esz(op);
    IrRef seen = IR_NONE;

    if (!c->fp_flush || esz < 2) {
        return;
    }
    for (unsigned n = 0; n < ir_op_info[op->op].nargs; n++) {
        if (op->arg[n] == seen || !may_be_denormal(c, op->arg[n], esz)) {
            continue;
        }
        seen = op->arg[n];
        if (ir_op(c->r, op->arg[n])->type == IR_V128 &&
            (op->type == IR_V128 || op->op == IR_VFCMP)) {
            flag_vector(c, op, &r->arg[n], esz);
        } else {
            flag_scalar(c, esz, &r->arg[n]);
        }
    }
}
