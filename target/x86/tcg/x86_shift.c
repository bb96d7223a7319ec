/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86 shifts, rotates, multiplies and divides.
 *
 * Source: SDM volume 2: SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR, SHLD, SHRD, MUL, IMUL, DIV, IDIV.
 *
 * A shift by a constant has its flags as one recipe (FL_SHL ..). By CL the count may be 0, which
 * leaves the flags alone: they are put together from their bits and selected.
 */
#include "target/x86/tcg/x86_ctx.h"

/* Bit `at` of v as an I32 of 0 or 1. */
static IrRef bit_of(X86Ctx *c, unsigned esz, IrRef v, unsigned at)
{
    return ir_emit(c->b, IR_UBFX, x86_type(esz), 0, 0, 0, v, 0, 0, 0, at | 1u << 8);
}

static IrRef top_bit(X86Ctx *c, unsigned esz, IrRef v)
{
    return bit_of(c, esz, v, x86_bits(esz) - 1);
}

/* The flags made of result r, carry and overflow bits. */
static IrRef flags_of(X86Ctx *c, unsigned esz, IrRef r, IrRef carry, IrRef over)
{
    IrRef p = ir_bin(c->b, IR_OR, IR_I32, x86_carry_bit(c, carry), over);
    return x86_fl_mix(c, x86_fl_unpack(c, p), x86_fl(c, IR_FL_LOGIC, esz, r, 0, 0, 0),
                      X86_PF_C | X86_PF_O);
}

/* The count: true and its value when it is known. Masked to 5 or 6 bits. */
static bool known_count(X86Ctx *c, const X86Insn *i, unsigned n, unsigned esz, unsigned *count)
{
    unsigned mask = esz == 3 ? 63 : 31;
    uint64_t v = i->imm;
    if (i->op[n].kind == X86_K_REG && !ir_is_const(c->b, x86_reg(c, X86_RCX), &v)) {
        return false;
    }
    *count = v & mask;
    return true;
}

/* CL masked, as I32. */
static IrRef cl_count(X86Ctx *c, unsigned esz)
{
    return ir_bini(c->b, IR_AND, IR_I32, x86_reg(c, X86_RCX), esz == 3 ? 63 : 31);
}

/* The operand extended as the shift reads it. */
static IrRef shift_source(X86Ctx *c, const X86Insn *i)
{
    unsigned esz = i->op[0].esz;
    IrRef a = x86_read(c, i, 0);
    return c->arg == X86_SH_SAR ? x86_sx(c, esz, a) : x86_zx(c, esz, a);
}

static IrOpcode shift_op(const X86Ctx *c)
{
    return c->arg == X86_SH_SAR ? IR_SAR : c->arg == X86_SH_SHR ? IR_SHR : IR_SHL;
}

static IrRef shift_const_flags(X86Ctx *c, unsigned esz, IrRef a, IrRef r, unsigned n)
{
    if (n >= x86_bits(esz)) { /* 8 and 16 bits only */
        IrRef out = c->arg == X86_SH_SAR ? bit_of(c, esz, r, 0) : ir_const(c->b, IR_I32, 0);
        return flags_of(c, esz, r, out, ir_const(c->b, IR_I32, 0));
    }
    if (c->arg == X86_SH_SAR) {
        return x86_fl(c, IR_FL_SAR, esz, a, 0, 0, n);
    }
    if (c->arg == X86_SH_SHR) {
        return x86_fl(c, IR_FL_SHR, esz, a, 0, 0, n);
    }
    return n == 1 ? x86_fl(c, IR_FL_ADD, esz, a, a, 0, 0) : x86_fl(c, IR_FL_SHL, esz, a, 0, 0, n);
}

static bool shift_const(X86Ctx *c, const X86Insn *i, unsigned n)
{
    unsigned esz = i->op[0].esz;
    IrType t = x86_type(esz);
    IrRef a = shift_source(c, i);
    IrRef r = ir_bini(c->b, shift_op(c), t, a, n);
    IrRef fl = n ? shift_const_flags(c, esz, a, r, n) : IR_NONE;
    x86_write(c, i, 0, r);
    if (n) {
        x86_put_flags(c, fl);
    }
    return true;
}

/* The last bit shifted out by CL, an I32; right only when the count is not 0. */
static IrRef shift_var_carry(X86Ctx *c, unsigned esz, IrRef a, IrRef n)
{
    IrBuilder *b = c->b;
    IrType t = x86_type(esz);
    if (c->arg == X86_SH_SAR || c->arg == X86_SH_SHR) {
        return bit_of(c, esz, ir_bin(b, shift_op(c), t, a, ir_bini(b, IR_SUB, IR_I32, n, 1)), 0);
    }
    if (esz >= 2) {
        return bit_of(c, esz, ir_bin(b, IR_SHR, t, a, ir_un(b, IR_NEG, IR_I32, n)), 0);
    }
    return bit_of(c, 3, ir_bin(b, IR_SHL, IR_I64, a, n), x86_bits(esz));
}

static bool shift_var(X86Ctx *c, const X86Insn *i)
{
    IrBuilder *b = c->b;
    unsigned esz = i->op[0].esz;
    IrType t = x86_type(esz);
    IrRef n = cl_count(c, esz), a = shift_source(c, i);
    IrRef r = ir_bin(b, shift_op(c), t, a, n);
    IrRef carry = shift_var_carry(c, esz, a, n), over = ir_const(b, IR_I32, 0);
    if (c->arg == X86_SH_SHR) {
        over = top_bit(c, esz, a);
    } else if (c->arg != X86_SH_SAR) {
        over = ir_bin(b, IR_XOR, IR_I32, top_bit(c, esz, r), carry);
    }
    IrRef zero = ir_cmp(b, IR_EQ, 2, n, ir_const(b, IR_I32, 0));
    IrRef fl = ir_emit(b, IR_FL_SEL, IR_FLAGS, 0, 0, 0, zero, x86_flags(c),
                       flags_of(c, esz, r, carry, over), 0, 0);
    x86_write(c, i, 0, r);
    x86_put_flags(c, fl);
    return true;
}

/* ---- rotates ---- */

/* 8 and 16 bits: copies side by side, so that a 32-bit rotation does it. */
static IrRef spread(X86Ctx *c, unsigned esz, IrRef v)
{
    if (esz >= 2) {
        return v;
    }
    v = x86_zx(c, esz, v);
    return ir_bini(c->b, IR_MUL, IR_I32, v, esz ? 0x10001 : 0x1010101);
}

/* C and O after a rotation with result r: the others stay. */
static IrRef rotate_flags(X86Ctx *c, unsigned esz, IrRef r)
{
    IrBuilder *b = c->b;
    unsigned bits = x86_bits(esz);
    bool left = c->arg == X86_SH_ROL;
    IrRef carry = bit_of(c, esz, r, left ? 0 : bits - 1);
    IrRef other = bit_of(c, esz, r, left ? bits - 1 : bits - 2);
    IrRef p =
        ir_bin(b, IR_OR, IR_I32, x86_carry_bit(c, carry), ir_bin(b, IR_XOR, IR_I32, carry, other));
    return x86_fl_mix(c, x86_fl_unpack(c, p), x86_flags(c), X86_PF_C | X86_PF_O);
}

static bool rotate(X86Ctx *c, const X86Insn *i)
{
    IrBuilder *b = c->b;
    unsigned esz = i->op[0].esz, n = 0;
    IrType t = x86_type(esz);
    bool known = known_count(c, i, 1, esz, &n);
    IrRef a = spread(c, esz, x86_read(c, i, 0));
    IrRef count = known ? ir_const(b, IR_I32, n) : cl_count(c, esz), right = count;
    if (c->arg == X86_SH_ROL) {
        right = ir_un(b, IR_NEG, IR_I32, count);
    }
    IrRef r = ir_bin(b, IR_ROR, t, a, right);
    IrRef fl = rotate_flags(c, esz, r);
    if (!known) {
        IrRef zero = ir_cmp(b, IR_EQ, 2, count, ir_const(b, IR_I32, 0));
        fl = ir_emit(b, IR_FL_SEL, IR_FLAGS, 0, 0, 0, zero, x86_flags(c), fl, 0, 0);
    }
    x86_write(c, i, 0, r);
    if (!known || n) {
        x86_put_flags(c, fl);
    }
    return true;
}

/* RCL, RCR by any count: a helper turns the operand with the carry beside it. */
static IrRef rotate_carry_call(X86Ctx *c, unsigned esz, IrRef a, IrRef cin, IrRef n, bool carry)
{
    IrRef how = ir_const(c->b, IR_I32, esz | (c->arg == X86_SH_RCR) << 2 | carry << 3);
    return ir_emit(c->b, IR_CALLP, IR_I64, 0, 0, 0, a, cin, n, how, X86_H_rotate_carry);
}

static bool rotate_carry(X86Ctx *c, const X86Insn *i)
{
    IrBuilder *b = c->b;
    unsigned esz = i->op[0].esz, n, bits = x86_bits(esz);
    IrType t = x86_type(esz);
    bool known = known_count(c, i, 1, esz, &n);
    IrRef a = x86_read_zx(c, i, 0), cin = x86_cond_now(c, IR_C_CS), r, carry, other;
    IrRef count = known ? ir_const(b, IR_I32, n) : cl_count(c, esz);
    if (known && n == 1 && c->arg == X86_SH_RCL) {
        r = ir_bin(b, IR_OR, t, ir_bini(b, IR_SHL, t, a, 1), cin);
        carry = top_bit(c, esz, a);
    } else if (known && n == 1) {
        r = ir_bin(b, IR_OR, t, ir_bini(b, IR_SHR, t, a, 1), ir_bini(b, IR_SHL, t, cin, bits - 1));
        carry = bit_of(c, esz, a, 0);
    } else {
        r = rotate_carry_call(c, esz, a, cin, count, false);
        carry = rotate_carry_call(c, esz, a, cin, count, true);
    }
    other = c->arg == X86_SH_RCL ? carry : bit_of(c, esz, r, bits - 2);
    IrRef over = ir_bin(b, IR_XOR, IR_I32, top_bit(c, esz, r), other);
    IrRef p = ir_bin(b, IR_OR, IR_I32, x86_carry_bit(c, carry), over);
    IrRef fl = x86_fl_mix(c, x86_fl_unpack(c, p), x86_flags(c), X86_PF_C | X86_PF_O);
    if (!known) {
        IrRef zero = ir_cmp(b, IR_EQ, 2, count, ir_const(b, IR_I32, 0));
        fl = ir_emit(b, IR_FL_SEL, IR_FLAGS, 0, 0, 0, zero, x86_flags(c), fl, 0, 0);
    }
    x86_write(c, i, 0, r);
    if (!known || n) {
        x86_put_flags(c, fl);
    }
    return true;
}

bool x86_gen_shift(X86Ctx *c, const X86Insn *i)
{
    unsigned n;
    if (c->arg == X86_SH_RCL || c->arg == X86_SH_RCR) {
        return rotate_carry(c, i);
    }
    if (c->arg <= X86_SH_ROR) {
        return rotate(c, i);
    }
    return known_count(c, i, 1, i->op[0].esz, &n) ? shift_const(c, i, n) : shift_var(c, i);
}

/* ---- SHLD, SHRD ---- */

/* 16 bits: both words in 32 bits (counts above 16 are undefined). */
static IrRef double_16(X86Ctx *c, IrRef a, IrRef d, IrRef n)
{
    IrBuilder *b = c->b;
    IrRef hi = c->arg ? d : a, lo = c->arg ? a : d;
    IrRef v = ir_bin(b, IR_OR, IR_I64, ir_bini(b, IR_SHL, IR_I64, x86_zx(c, 1, hi), 16),
                     x86_zx(c, 1, lo));
    if (c->arg) {
        return ir_bin(b, IR_SHR, IR_I64, v, n);
    }
    return ir_bini(b, IR_SHR, IR_I64, ir_bin(b, IR_SHL, IR_I64, v, n), 16);
}

static IrRef double_shift(X86Ctx *c, unsigned esz, IrRef a, IrRef d, IrRef n)
{
    IrBuilder *b = c->b;
    IrType t = x86_type(esz);
    uint64_t k;
    if (esz == 1) {
        return double_16(c, a, d, n);
    }
    if (ir_is_const(b, n, &k)) { /* 0 < k < width */
        return c->arg ? ir_emit(b, IR_EXTR, t, 0, 0, 0, d, a, 0, 0, k)
                      : ir_emit(b, IR_EXTR, t, 0, 0, 0, a, d, 0, 0, x86_bits(esz) - k);
    }
    IrRef back = ir_un(b, IR_NEG, IR_I32, n);
    return c->arg ? ir_bin(b, IR_OR, t, ir_bin(b, IR_SHR, t, a, n), ir_bin(b, IR_SHL, t, d, back))
                  : ir_bin(b, IR_OR, t, ir_bin(b, IR_SHL, t, a, n), ir_bin(b, IR_SHR, t, d, back));
}

bool x86_gen_shld(X86Ctx *c, const X86Insn *i)
{
    IrBuilder *b = c->b;
    unsigned esz = i->op[0].esz, k = 0;
    IrType t = x86_type(esz);
    bool known = known_count(c, i, 2, esz, &k);
    IrRef a = x86_read(c, i, 0), d = x86_read(c, i, 1);
    if (known && !k) {
        x86_write(c, i, 0, a);
        return true;
    }
    IrRef n = known ? ir_const(b, IR_I32, k) : cl_count(c, esz);
    IrRef r = double_shift(c, esz, a, d, n);
    IrRef at = c->arg ? ir_bini(b, IR_SUB, IR_I32, n, 1)
                      : ir_bin(b, IR_SUB, IR_I32, ir_const(b, IR_I32, x86_bits(esz)), n);
    IrRef carry = bit_of(c, esz, ir_bin(b, IR_SHR, t, x86_zx(c, esz, a), at), 0);
    IrRef over = ir_bin(b, IR_XOR, IR_I32, top_bit(c, esz, r), top_bit(c, esz, a));
    IrRef fl = flags_of(c, esz, r, carry, over);
    if (!known) {
        IrRef zero = ir_cmp(b, IR_EQ, 2, n, ir_const(b, IR_I32, 0));
        fl = ir_emit(b, IR_FL_SEL, IR_FLAGS, 0, 0, 0, zero, x86_flags(c), fl, 0, 0);
        r = ir_select(b, t, zero, a, r);
    }
    x86_write(c, i, 0, r);
    x86_put_flags(c, fl);
    return true;
}

/* ---- multiplication ---- */

/* Two or three operands: the last one with the one before it. */
bool x86_gen_imul(X86Ctx *c, const X86Insn *i)
{
    unsigned esz = i->op[0].esz, n = i->op[2].kind ? 1 : 0;
    IrRef a = x86_read(c, i, n), b = x86_read(c, i, n + 1);
    IrRef fl = x86_fl(c, IR_FL_MULS, esz, a, b, 0, 0);
    x86_write(c, i, 0, ir_bin(c->b, IR_MUL, x86_type(esz), a, b));
    x86_put_flags(c, fl);
    return true;
}

/* RDX:RAX := low and high part; 8 bits: AX. */
static void put_product(X86Ctx *c, unsigned esz, IrRef lo, IrRef hi)
{
    if (esz == 0) {
        x86_put_reg(c, 1, X86_RAX, lo);
        return;
    }
    x86_put_reg(c, esz, X86_RAX, lo);
    x86_put_reg(c, esz, X86_RDX, hi);
}

bool x86_gen_mul(X86Ctx *c, const X86Insn *i)
{
    IrBuilder *b = c->b;
    unsigned esz = i->op[0].esz;
    bool sign = c->arg;
    IrRef a = x86_reg(c, X86_RAX), d = x86_read(c, i, 0), lo, hi;
    if (esz == 3) {
        lo = ir_bin(b, IR_MUL, IR_I64, a, d);
        hi = ir_bin(b, sign ? IR_MULHS : IR_MULHU, IR_I64, a, d);
    } else {
        lo = ir_bin(b, IR_MUL, IR_I64, ir_ext(b, IR_I64, esz, sign, a),
                    ir_ext(b, IR_I64, esz, sign, d));
        hi = ir_bini(b, IR_SHR, IR_I64, lo, x86_bits(esz));
    }
    IrRef fl;
    if (sign && esz) {
        fl = x86_fl(c, IR_FL_MULS, esz, a, d, 0, 0);
    } else {
        IrRef fits = sign ? ir_bin(b, IR_SUB, IR_I32, lo, ir_ext(b, IR_I32, 0, true, lo)) : hi;
        IrRef over = ir_cmp(b, IR_NE, esz == 3 ? 3 : 2, fits, x86_const(c, esz, 0));
        fl = x86_fl_unpack(c, ir_select(b, IR_I32, over, ir_const(b, IR_I32, X86_PF_C | X86_PF_O),
                                        ir_const(b, IR_I32, 0)));
    }
    put_product(c, esz, lo, hi);
    x86_put_flags(c, fl);
    return true;
}

/* ---- division ---- */

/* #DE when bad. The instruction goes on in a block of its own. */
static void divide_error(X86Ctx *c, IrRef bad)
{
    uint64_t known;
    if (ir_is_const(c->b, bad, &known) && !(known & 1)) {
        return;
    }
    IrBlk trap = ir_new_block(c->b, c->pc, true), fine = ir_new_block(c->b, c->pc, true);
    ir_brc(c->b, bad, trap, fine);
    ir_set_block(c->b, trap);
    ir_raise(c->b, TCG_EXIT_DIVIDE, 0, c->pc);
    ir_set_block(c->b, fine);
}

static void put_quotient(X86Ctx *c, unsigned esz, IrRef q, IrRef r)
{
    if (esz == 0) {
        IrRef ah = ir_bini(c->b, IR_SHL, IR_I32, r, 8);
        x86_put_reg(c, 1, X86_RAX, ir_bin(c->b, IR_OR, IR_I32, x86_zx(c, 0, q), ah));
        return;
    }
    x86_put_reg(c, esz, X86_RAX, q);
    x86_put_reg(c, esz, X86_RDX, r);
}

/* The dividend of 8-, 16- and 32-bit division as an I64. */
static IrRef dividend(X86Ctx *c, unsigned esz, bool sign)
{
    IrBuilder *b = c->b;
    IrRef rax = x86_reg(c, X86_RAX), rdx = x86_reg(c, X86_RDX);
    if (esz == 0) {
        return ir_ext(b, IR_I64, 1, sign, rax);
    }
    IrRef hi = ir_bini(b, IR_SHL, IR_I64, ir_ext(b, IR_I64, esz, sign, rdx), x86_bits(esz));
    return ir_bin(b, IR_OR, IR_I64, hi, x86_zx(c, esz, rax));
}

/* 8, 16, 32 bits in 64: the quotient tells whether it fits. */
static void divide_narrow(X86Ctx *c, unsigned esz, bool sign, IrRef d)
{
    IrBuilder *b = c->b;
    d = ir_ext(b, IR_I64, esz, sign, d);
    IrRef n = dividend(c, esz, sign);
    IrRef q = ir_bin(b, sign ? IR_SDIV : IR_UDIV, IR_I64, n, d);
    IrRef bad = ir_cmp(b, IR_NE, 3, q, ir_ext(b, IR_I64, esz, sign, q));
    IrRef zero = ir_cmp(b, IR_EQ, 3, d, ir_const(b, IR_I64, 0));
    divide_error(c, ir_bin(b, IR_OR, IR_I1, bad, zero));
    IrRef r = ir_bin(b, IR_SUB, IR_I64, n, ir_bin(b, IR_MUL, IR_I64, q, d));
    put_quotient(c, esz, q, r);
}

/* RDX known to be the zero or sign extension of RAX: a 64-bit division. */
static bool dividend_is_64(X86Ctx *c, bool sign)
{
    const IrRegion *r = c->b->r;
    IrRef rdx = x86_reg(c, X86_RDX);
    const IrOp *o = ir_op(r, rdx);
    uint64_t k;
    if (!sign) {
        return ir_is_const(c->b, rdx, &k) && k == 0;
    }
    return o->op == IR_SAR && o->type == IR_I64 && o->arg[0] == x86_reg(c, X86_RAX) &&
           ir_is_const(c->b, o->arg[1], &k) && k == 63;
}

static void divide_64(X86Ctx *c, bool sign, IrRef d)
{
    IrBuilder *b = c->b;
    IrRef rax = x86_reg(c, X86_RAX), rdx = x86_reg(c, X86_RDX), q, bad;
    if (dividend_is_64(c, sign)) {
        bad = ir_cmp(b, IR_EQ, 3, d, ir_const(b, IR_I64, 0));
        if (sign) { /* MIN / -1 */
            IrRef m = ir_cmp(b, IR_EQ, 3, d, ir_const(b, IR_I64, ~0ull));
            IrRef n = ir_cmp(b, IR_EQ, 3, rax, ir_const(b, IR_I64, 1ull << 63));
            bad = ir_bin(b, IR_OR, IR_I1, bad, ir_bin(b, IR_AND, IR_I1, m, n));
        }
        q = ir_bin(b, sign ? IR_SDIV : IR_UDIV, IR_I64, rax, d);
    } else if (sign) {
        IrRef over = ir_emit(b, IR_CALLP, IR_I64, 0, 0, 0, rdx, rax, d, 0, X86_H_idiv128_bad);
        bad = ir_cmp(b, IR_NE, 3, over, ir_const(b, IR_I64, 0));
        q = ir_emit(b, IR_CALLP, IR_I64, 0, 0, 0, rdx, rax, d, 0, X86_H_idiv128);
    } else {
        bad = ir_cmp(b, IR_ULE, 3, d, rdx);
        q = ir_emit(b, IR_CALLP, IR_I64, 0, 0, 0, rdx, rax, d, 0, X86_H_udiv128);
    }
    divide_error(c, bad);
    put_quotient(c, 3, q, ir_bin(b, IR_SUB, IR_I64, rax, ir_bin(b, IR_MUL, IR_I64, q, d)));
}

bool x86_gen_div(X86Ctx *c, const X86Insn *i)
{
    unsigned esz = i->op[0].esz;
    IrRef d = x86_read(c, i, 0);
    if (esz == 3) {
        divide_64(c, c->arg, d);
    } else {
        divide_narrow(c, esz, c->arg, d);
    }
    return true;
}
