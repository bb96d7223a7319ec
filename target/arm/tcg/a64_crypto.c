/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 cryptographic extensions: AES and SHA3 in IR ops, the others through pure helpers.
 *
 * Source: Arm ARM (DDI 0487), C4.1 "Cryptographic AES" .. "Cryptographic two-register SHA 512".
 */
#include "target/arm/tcg/a64_simd.h"

bool gen_aes(A64Ctx *c, const A64Insn *i)
{
    IrOpcode op = a64_simd_ops[i->row].op;
    IrRef n = a64_v(c, i->rn);
    bool two = op == IR_AESE || op == IR_AESD;
    a64_put_v(c, i->rd, ir_vbin(c->b, op, 0, false, two ? a64_v(c, i->rd) : n, two ? n : IR_NONE));
    return true;
}

/* Helper of (d, n, m). */
bool gen_crypto3(A64Ctx *c, const A64Insn *i)
{
    const A64SimdOp *op = &a64_simd_ops[i->row];
    a64_put_v(c, i->rd,
              ir_emit(c->b, IR_VCALLP, IR_V128, 2, op->sub, 0, a64_v(c, i->rd), a64_v(c, i->rn),
                      a64_v(c, i->rm), 0, op->helper));
    return true;
}

/* Helper of (d, n). */
bool gen_crypto2(A64Ctx *c, const A64Insn *i)
{
    const A64SimdOp *op = &a64_simd_ops[i->row];
    a64_put_v(c, i->rd,
              ir_emit(c->b, IR_VCALLP, IR_V128, 2, op->sub, 0, a64_v(c, i->rd), a64_v(c, i->rn), 0,
                      0, op->helper));
    return true;
}

/* SM3TT1A .. SM3TT2B: sub is the index of Vm's element and, above, which of the four. */
bool gen_sm3tt(A64Ctx *c, const A64Insn *i)
{
    const A64SimdOp *op = &a64_simd_ops[i->row];
    a64_put_v(c, i->rd,
              ir_emit(c->b, IR_VCALLP, IR_V128, 2, op->sub << 2 | i->imm, 0, a64_v(c, i->rd),
                      a64_v(c, i->rn), a64_v(c, i->rm), 0, op->helper));
    return true;
}

bool gen_sm3ss1(A64Ctx *c, const A64Insn *i)
{
    a64_put_v(c, i->rd,
              ir_emit(c->b, IR_VCALLP, IR_V128, 2, 0, 0, a64_v(c, i->rn), a64_v(c, i->rm),
                      a64_v(c, i->ra), 0, A64_H_sm3ss1));
    return true;
}

/* EOR3 n ^ m ^ a, BCAX n ^ (m & ~a). */
bool gen_eor3(A64Ctx *c, const A64Insn *i)
{
    IrOpcode op = a64_simd_ops[i->row].op;
    IrRef v = ir_vbin(c->b, op, 3, false, a64_v(c, i->rm), a64_v(c, i->ra));
    a64_put_v(c, i->rd, ir_vbin(c->b, IR_VXOR, 3, false, a64_v(c, i->rn), v));
    return true;
}

static IrRef ror64(A64Ctx *c, IrRef v, unsigned n)
{
    if (n == 0) {
        return v;
    }
    return ir_vbin(c->b, IR_VOR, 3, false, ir_vun(c->b, IR_VSHRI, 3, false, v, n),
                   ir_vun(c->b, IR_VSHLI, 3, false, v, 64 - n));
}

bool gen_rax1(A64Ctx *c, const A64Insn *i)
{
    IrRef m = ror64(c, a64_v(c, i->rm), 63);
    a64_put_v(c, i->rd, ir_vbin(c->b, IR_VXOR, 3, false, a64_v(c, i->rn), m));
    return true;
}

bool gen_xar(A64Ctx *c, const A64Insn *i)
{
    IrRef x = ir_vbin(c->b, IR_VXOR, 3, false, a64_v(c, i->rn), a64_v(c, i->rm));
    a64_put_v(c, i->rd, ror64(c, x, i->imm));
    return true;
}
