/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SSE and SSE2: moves, integers, bitwise operations, permutations.
 *
 * Source: SDM volume 2, the instructions' pages. Operands named Wx with attribute ALIGN raise an
 * alignment fault (#GP on hardware) when the address is no multiple of 16.
 * Floating point: x86_fp.c.
 */
#include "target/x86/tcg/x86_ctx.h"

static IrRef xmm(X86Ctx *c, unsigned n)
{
    return ir_get(c->b, X86_S_XMM0 + n);
}

static void put_xmm(X86Ctx *c, unsigned n, IrRef v)
{
    ir_put(c->b, X86_S_XMM0 + n, v);
}

static unsigned align_flag(const X86Insn *i)
{
    return x86_rows[i->row].attrs & X86_A_ALIGN ? IRF_ALIGN : 0;
}

IrRef x86_read_xmm(X86Ctx *c, const X86Insn *i, unsigned n)
{
    if (i->op[n].kind == X86_K_XMM) {
        return xmm(c, i->op[n].reg);
    }
    return x86_ld(c, IR_V128, i->op[n].esz, align_flag(i), x86_addr(c, i));
}

static IrRef element(X86Ctx *c, IrRef v, unsigned esz, unsigned n)
{
    return ir_emit(c->b, IR_VEXTR, x86_type(esz), esz, 0, 0, v, 0, 0, 0, n);
}

/* An integer of 1 << esz bytes as a vector, zero above. */
static IrRef widen(X86Ctx *c, unsigned esz, IrRef v)
{
    v = ir_emit(c->b, IR_BITSF, esz == 3 ? IR_F64 : IR_F32, esz, 0, 0, v, 0, 0, 0, 0);
    return ir_emit(c->b, IR_VZEXT, IR_V128, esz, 0, 0, v, 0, 0, 0, 0);
}

/* ---- moves ---- */

bool x86_gen_vmov(X86Ctx *c, const X86Insn *i)
{
    IrRef v = x86_read_xmm(c, i, 1);
    if (i->op[0].kind == X86_K_MEM) {
        x86_st(c, 4, align_flag(i), x86_addr(c, i), v);
    } else {
        put_xmm(c, i->op[0].reg, v);
    }
    return true;
}

/* MOVSS, MOVSD: loads clear what is above, register moves keep it. */
bool x86_gen_vmov_scalar(X86Ctx *c, const X86Insn *i)
{
    unsigned esz = i->op[0].esz;
    if (i->op[1].kind == X86_K_MEM) {
        put_xmm(c, i->op[0].reg, x86_ld(c, IR_V128, esz, 0, x86_addr(c, i)));
    } else if (i->op[0].kind == X86_K_MEM) {
        x86_st(c, esz, 0, x86_addr(c, i), xmm(c, i->op[1].reg));
    } else {
        put_xmm(c, i->op[0].reg,
                ir_emit(c->b, IR_VINSL, IR_V128, esz, 0, 0, xmm(c, i->op[0].reg),
                        xmm(c, i->op[1].reg), 0, 0, 0));
    }
    return true;
}

/* 64-bit halves: MOVLPS, MOVHPS, MOVHLPS, MOVLHPS. */
bool x86_gen_vmov_half(X86Ctx *c, const X86Insn *i)
{
    static const uint16_t to_from[] = {
        /* destination half | source half << 8 */
        [X86_HALF_LOW] = 0,
        [X86_HALF_HIGH] = 1,
        [X86_HALF_HL] = 1 << 8,
        [X86_HALF_LH] = 1,
    };
    unsigned half = to_from[c->arg];
    IrRef src;
    if (i->op[0].kind == X86_K_MEM) {
        x86_st(c, 3, 0, x86_addr(c, i), element(c, xmm(c, i->op[1].reg), 3, half));
        return true;
    }
    if (i->op[1].kind == X86_K_MEM) {
        src = x86_ld(c, IR_V128, 3, 0, x86_addr(c, i));
    } else {
        src = xmm(c, i->op[1].reg);
    }
    put_xmm(c, i->op[0].reg,
            ir_emit(c->b, IR_VINSL, IR_V128, 3, 0, 0, xmm(c, i->op[0].reg), src, 0, 0, half));
    return true;
}

bool x86_gen_movd(X86Ctx *c, const X86Insn *i)
{
    if (i->op[0].kind == X86_K_XMM) {
        unsigned esz = i->op[1].esz;
        IrRef v = i->op[1].kind == X86_K_MEM ? x86_ld(c, IR_V128, esz, 0, x86_addr(c, i))
                                             : widen(c, esz, x86_reg(c, i->op[1].reg));
        put_xmm(c, i->op[0].reg, v);
    } else {
        x86_write(c, i, 0, element(c, xmm(c, i->op[1].reg), i->op[0].esz, 0));
    }
    return true;
}

bool x86_gen_movq(X86Ctx *c, const X86Insn *i)
{
    if (i->op[1].kind == X86_K_MEM) {
        put_xmm(c, i->op[0].reg, x86_ld(c, IR_V128, 3, 0, x86_addr(c, i)));
    } else if (i->op[0].kind == X86_K_MEM) {
        x86_st(c, 3, 0, x86_addr(c, i), xmm(c, i->op[1].reg));
    } else {
        put_xmm(c, i->op[0].reg, ir_vun(c->b, IR_VLOW64, 3, false, xmm(c, i->op[1].reg), 0));
    }
    return true;
}

bool x86_gen_pinsrw(X86Ctx *c, const X86Insn *i)
{
    IrRef v = i->op[1].kind == X86_K_MEM ? x86_ld(c, IR_I32, 1, 0, x86_addr(c, i))
                                         : x86_reg(c, i->op[1].reg);
    put_xmm(c, i->op[0].reg,
            ir_emit(c->b, IR_VINS, IR_V128, 1, 0, 0, xmm(c, i->op[0].reg), v, 0, 0, i->imm & 7));
    return true;
}

bool x86_gen_pextrw(X86Ctx *c, const X86Insn *i)
{
    x86_put_reg(c, 2, i->op[0].reg, element(c, xmm(c, i->op[1].reg), 1, i->imm & 7));
    return true;
}

/* PMOVMSKB, MOVMSKPS, MOVMSKPD */
bool x86_gen_vmask(X86Ctx *c, const X86Insn *i)
{
    IrRef v = ir_emit(c->b, IR_VMSB, IR_I32, c->arg, 0, 0, xmm(c, i->op[1].reg), 0, 0, 0, 0);
    ir_put(c->b, X86_S_RAX + i->op[0].reg, v);
    return true;
}

/* ---- two operands ---- */

static IrRef vcall(X86Ctx *c, X86HelperId h, unsigned esz, unsigned sub, IrRef a, IrRef b)
{
    return ir_emit(c->b, IR_VCALLP, IR_V128, esz, sub, 0, a, b, 0, 0, h);
}

bool x86_gen_vbin(X86Ctx *c, const X86Insn *i)
{
    unsigned op = c->arg >> 8, esz = c->arg & 255, d = i->op[0].reg;
    IrRef b = x86_read_xmm(c, i, 1), a = xmm(c, d), r;
    switch (op) {
    case X86_VCMPEQ:
    case X86_VCMPGT:
        r = ir_emit(c->b, IR_VCMP, IR_V128, esz, op == X86_VCMPEQ ? IR_EQ : IR_SGT, 0, a, b, 0, 0,
                    0);
        break;
    case X86_VSHL:
    case X86_VSHR:
    case X86_VSAR: r = vcall(c, X86_H_vshift, esz, op, a, b); break;
    case X86_VMULUDQ: /* the even elements, widened */
        a = ir_vun(c->b, IR_VXTN, 2, false, a, 0);
        r = ir_emit(c->b, IR_VUMULL, IR_V128, 2, 0, 0, a, ir_vun(c->b, IR_VXTN, 2, false, b, 0), 0,
                    0, 0);
        break;
    case IR_VANDN: /* PANDN: not the first, and the second */
        r = ir_vbin(c->b, IR_VANDN, esz, false, b, a);
        break;
    default: r = ir_vbin(c->b, (IrOpcode)op, esz, false, a, b); break;
    }
    put_xmm(c, d, r);
    return true;
}

/* Signed elements of a and b, clamped, in half the width: narrowed (esz) a below b. */
static IrRef pack(X86Ctx *c, unsigned esz, IrRef a, IrRef b, uint64_t least, uint64_t most)
{
    IrRef lo = ir_vconst(c->b, least, false), hi = ir_vconst(c->b, most, false);
    a = ir_vbin(c->b, IR_VSMAX, esz + 1, false, a, lo);
    b = ir_vbin(c->b, IR_VSMAX, esz + 1, false, b, lo);
    a = ir_vbin(c->b, IR_VSMIN, esz + 1, false, a, hi);
    b = ir_vbin(c->b, IR_VSMIN, esz + 1, false, b, hi);
    return ir_vbin(c->b, IR_VUZP1, esz, false, a, b); /* the low halves */
}

/* The 32-bit products of 16-bit elements: all low halves' ones, then the high halves'. */
static IrRef products(X86Ctx *c, IrOpcode mul, IrOpcode join, unsigned esz, IrRef a, IrRef b)
{
    IrRef lo = ir_emit(c->b, mul, IR_V128, 1, 0, 0, a, b, 0, 0, 0);
    IrRef hi = ir_emit(c->b, mul, IR_V128, 1, 0, IRF_HI, a, b, 0, 0, 0);
    return ir_vbin(c->b, join, esz, false, lo, hi);
}

/* Neighbours of 1 << esz bytes added into elements twice as wide, until these have 64 bits. */
static IrRef sum_bytes(X86Ctx *c, IrRef v)
{
    static const uint64_t low[] = {0x00ff00ff00ff00ff, 0x0000ffff0000ffff, 0x00000000ffffffff};
    for (unsigned esz = 0; esz < 3; esz++) {
        IrRef even = ir_vbin(c->b, IR_VAND, 3, false, v, ir_vconst(c->b, low[esz], false));
        IrRef odd = ir_vun(c->b, IR_VSHRI, esz + 1, false, v, 8u << esz);
        v = ir_vbin(c->b, IR_VADD, esz + 1, false, even, odd);
    }
    return v;
}

bool x86_gen_vmix(X86Ctx *c, const X86Insn *i)
{
    IrRef b = x86_read_xmm(c, i, 1), a = xmm(c, i->op[0].reg), r;
    switch (c->arg) {
    case X86_MIX_PACKSSWB: r = pack(c, 0, a, b, 0xff80ff80ff80ff80, 0x007f007f007f007f); break;
    case X86_MIX_PACKUSWB: r = pack(c, 0, a, b, 0, 0x00ff00ff00ff00ff); break;
    case X86_MIX_PACKSSDW: r = pack(c, 1, a, b, 0xffff8000ffff8000, 0x00007fff00007fff); break;
    case X86_MIX_PMULHUW: r = products(c, IR_VUMULL, IR_VUZP2, 1, a, b); break;
    case X86_MIX_PMULHW: r = products(c, IR_VSMULL, IR_VUZP2, 1, a, b); break;
    case X86_MIX_PMADDWD: r = products(c, IR_VSMULL, IR_VADDP, 2, a, b); break;
    default: r = sum_bytes(c, ir_vbin(c->b, IR_VUABD, 0, false, a, b)); break;
    }
    put_xmm(c, i->op[0].reg, r);
    return true;
}

/* Shifts by a constant: more than the element's bits leave 0 or the sign. */
bool x86_gen_vshift_imm(X86Ctx *c, const X86Insn *i)
{
    unsigned op = c->arg >> 8, esz = c->arg & 255, reg = i->op[0].reg;
    uint64_t n = i->imm, bits = x86_bits(esz);
    IrRef v = xmm(c, reg);
    if (op == IR_VSARI) {
        v = ir_vun(c->b, IR_VSARI, esz, false, v, n > bits ? bits : n);
    } else if (n >= bits) {
        v = ir_vconst(c->b, 0, false);
    } else {
        v = ir_vun(c->b, (IrOpcode)op, esz, false, v, n);
    }
    put_xmm(c, reg, v);
    return true;
}

bool x86_gen_vshift_bytes(X86Ctx *c, const X86Insn *i)
{
    unsigned reg = i->op[0].reg;
    uint64_t n = i->imm;
    IrRef zero = ir_vconst(c->b, 0, false), v = xmm(c, reg);
    if (n >= 16) {
        put_xmm(c, reg, zero);
    } else if (n) { /* VEXT takes 16 bytes out of second:first */
        IrRef r = c->arg ? ir_emit(c->b, IR_VEXT, IR_V128, 0, 0, 0, zero, v, 0, 0, 16 - n)
                         : ir_emit(c->b, IR_VEXT, IR_V128, 0, 0, 0, v, zero, 0, 0, n);
        put_xmm(c, reg, r);
    }
    return true;
}

/* ---- permutations by an immediate: bytes looked up with a constant index ---- */

/* v with 32-bit element k taken from element sel[k] of it. */
static IrRef shuffle_bytes(X86Ctx *c, IrRef v, const uint8_t index[16])
{
    uint64_t lo = 0, hi = 0;
    for (unsigned k = 0; k < 8; k++) {
        lo |= (uint64_t)index[k] << (8 * k);
        hi |= (uint64_t)index[k + 8] << (8 * k);
    }
    IrRef t = ir_vconst(c->b, lo, false);
    if (hi != lo) {
        t = ir_emit(c->b, IR_VINS, IR_V128, 3, 0, 0, t, ir_const(c->b, IR_I64, hi), 0, 0, 1);
    }
    return ir_vbin(c->b, IR_VTBL, 0, false, v, t);
}

/* Index bytes for elements of 1 << esz bytes: element k of the result is element from. */
static void index_element(uint8_t index[16], unsigned esz, unsigned k, unsigned from)
{
    for (unsigned n = 0; n < 1u << esz; n++) {
        index[(k << esz) + n] = (uint8_t)((from << esz) + n);
    }
}

bool x86_gen_vshuf(X86Ctx *c, const X86Insn *i)
{
    uint8_t index[16];
    unsigned imm = (unsigned)i->imm;
    IrRef v = x86_read_xmm(c, i, 1), r;
    for (unsigned k = 0; k < 8; k++) {
        index_element(index, 1, k, k);
    }
    for (unsigned k = 0; k < 4; k++) {
        unsigned from = imm >> (2 * k) & 3;
        if (c->arg == X86_SHUF_D) {
            index_element(index, 2, k, from);
        } else {
            unsigned up = c->arg == X86_SHUF_HW ? 4 : 0;
            index_element(index, 1, up + k, up + from);
        }
    }
    if (c->arg == X86_SHUF_D && imm % 0x55 == 0) { /* one element everywhere */
        r = ir_vun(c->b, IR_VDUPL, 2, false, v, imm & 3);
    } else {
        r = shuffle_bytes(c, v, index);
    }
    put_xmm(c, i->op[0].reg, r);
    return true;
}

/* SHUFPS, SHUFPD: the low half from the first operand, the high half from the second. */
bool x86_gen_vshuf2(X86Ctx *c, const X86Insn *i)
{
    unsigned esz = c->arg, imm = (unsigned)i->imm, half = 8u >> esz, bits = esz == 2 ? 2 : 1;
    IrRef b = x86_read_xmm(c, i, 1), a = xmm(c, i->op[0].reg), r = a;
    for (unsigned k = 0; k < 2 * half; k++) {
        uint64_t from = imm >> (bits * k) & ((1u << bits) - 1);
        r = ir_emit(c->b, IR_VINSL, IR_V128, esz, 0, 0, r, k < half ? a : b, 0, 0, k | from << 8);
    }
    put_xmm(c, i->op[0].reg, r);
    return true;
}

/* ---- FXSAVE, FXRSTOR: XMM, MXCSR, the x87 control word; x87 empty ---- */

enum { FX_FCW = 0, FX_MXCSR = 24, FX_ST = 32, FX_XMM = 160, FX_MXCSR_MASK = 0xffff };

static X86Addr field(X86Addr a, int64_t at)
{
    a.disp += at;
    return a;
}

bool x86_gen_fxsave(X86Ctx *c, const X86Insn *i)
{
    X86Addr a = x86_addr(c, i);
    IrRef zero = ir_vconst(c->b, 0, false);
    x86_st(c, 4, IRF_ALIGN, a, zero);
    x86_st(c, 1, 0, field(a, FX_FCW), ir_get(c->b, X86_S_FCW));
    x86_st(c, 3, 0, field(a, FX_MXCSR - 8), ir_const(c->b, IR_I64, 0));
    IrRef csr = ir_emit(c->b, IR_CALL, IR_I64, 0, 0, 0, 0, 0, 0, 0, X86_H_get_mxcsr);
    x86_st(c, 2, 0, field(a, FX_MXCSR), csr);
    x86_st(c, 2, 0, field(a, FX_MXCSR + 4), ir_const(c->b, IR_I32, FX_MXCSR_MASK));
    for (unsigned n = 0; n < 8; n++) {
        x86_st(c, 4, 0, field(a, FX_ST + 16 * n), zero);
    }
    for (unsigned n = 0; n < 16; n++) {
        x86_st(c, 4, 0, field(a, FX_XMM + 16 * n), xmm(c, n));
    }
    return true;
}

bool x86_gen_fxrstor(X86Ctx *c, const X86Insn *i)
{
    X86Addr a = x86_addr(c, i);
    IrRef v[16];
    for (unsigned n = 0; n < 16; n++) {
        v[n] = x86_ld(c, IR_V128, 4, IRF_ALIGN, field(a, FX_XMM + 16 * n));
    }
    IrRef csr = x86_ld(c, IR_I32, 2, 0, field(a, FX_MXCSR));
    IrRef fcw = x86_ld(c, IR_I32, 1, 0, field(a, FX_FCW));
    ir_put(c->b, X86_S_FCW, fcw);
    ir_emit(c->b, IR_CALL, IR_VOID, 0, 0, 0, csr, 0, 0, 0, X86_H_set_mxcsr);
    for (unsigned n = 0; n < 16; n++) {
        put_xmm(c, n, v[n]);
    }
    return true;
}

bool x86_gen_fnstcw(X86Ctx *c, const X86Insn *i)
{
    x86_st(c, 1, 0, x86_addr(c, i), ir_get(c->b, X86_S_FCW));
    return true;
}

bool x86_gen_fldcw(X86Ctx *c, const X86Insn *i)
{
    ir_put(c->b, X86_S_FCW, x86_ld(c, IR_I32, 1, 0, x86_addr(c, i)));
    return true;
}
