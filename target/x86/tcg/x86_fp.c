/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SSE and SSE2 floating point.
 *
 * Source: SDM volume 1, chapter 11 and appendix E; volume 2, the instructions' pages.
 * Everything goes to one helper on soft-float with x86's rules (fpu/): exact, and slow. The IR's
 * own FP ops have Arm's NaNs and conversions; an x86 flavour of them is what makes this fast.
 * Not modelled: unmasked exceptions.
 */
#include "target/x86/tcg/x86_ctx.h"

static IrRef xmm(X86Ctx *c, unsigned n)
{
    return ir_get(c->b, X86_S_XMM0 + n);
}

static unsigned format_esz(unsigned format)
{
    return format >= X86_FP_PD ? 3 : 2;
}

static bool is_scalar(unsigned format)
{
    return format & 1;
}

/* Operation `op` of the helper: operands a and b, an integer, in one format. */
static IrRef fp_call(X86Ctx *c, unsigned op, unsigned format, IrRef a, IrRef b, IrRef n)
{
    return ir_emit(c->b, IR_VCALL, IR_V128, format_esz(format), op, is_scalar(format), a, b, n, 0,
                   X86_H_fp);
}

bool x86_gen_fp_bin(X86Ctx *c, const X86Insn *i)
{
    IrRef b = x86_read_xmm(c, i, 1), a = xmm(c, i->op[0].reg);
    IrRef n = ir_const(c->b, IR_I64, i->imm & 7); /* the predicate of CMP: processors mask it */
    IrRef r = fp_call(c, c->arg >> 8, c->arg & 255, a, b, n);
    ir_put(c->b, X86_S_XMM0 + i->op[0].reg, r);
    return true;
}

bool x86_gen_fp_cvt(X86Ctx *c, const X86Insn *i)
{
    IrRef b = x86_read_xmm(c, i, 1), a = xmm(c, i->op[0].reg);
    IrRef r = fp_call(c, c->arg, X86_FP_PS, a, b, ir_const(c->b, IR_I64, 0));
    ir_put(c->b, X86_S_XMM0 + i->op[0].reg, r);
    return true;
}

bool x86_gen_fp_from_int(X86Ctx *c, const X86Insn *i)
{
    IrRef v = x86_read(c, i, 1), a = xmm(c, i->op[0].reg);
    if (i->op[1].esz == 2) {
        v = ir_ext(c->b, IR_I64, 2, true, v);
    }
    ir_put(c->b, X86_S_XMM0 + i->op[0].reg, fp_call(c, X86_FP_FROM_INT, c->arg, a, a, v));
    return true;
}

bool x86_gen_fp_to_int(X86Ctx *c, const X86Insn *i)
{
    unsigned esz = i->op[0].esz;
    IrRef b = x86_read_xmm(c, i, 1);
    IrRef r = fp_call(c, c->arg >> 8, c->arg & 255, b, b, ir_const(c->b, IR_I64, 8u << esz));
    r = ir_emit(c->b, IR_VEXTR, x86_type(esz), esz, 0, 0, r, 0, 0, 0, 0);
    ir_put(c->b, X86_S_RAX + i->op[0].reg, r);
    return true;
}

bool x86_gen_fp_comis(X86Ctx *c, const X86Insn *i)
{
    IrRef b = x86_read_xmm(c, i, 1), a = xmm(c, i->op[0].reg);
    IrRef r = fp_call(c, c->arg >> 8, c->arg & 255, a, b, ir_const(c->b, IR_I64, 0));
    r = ir_emit(c->b, IR_VEXTR, IR_I32, 2, 0, 0, r, 0, 0, 0, 0);
    x86_put_flags(c, x86_fl_unpack(c, r));
    return true;
}
