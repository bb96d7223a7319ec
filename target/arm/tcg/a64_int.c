/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 integer data processing: immediate and register forms.
 *
 * Source: Arm ARM (DDI 0487), C6.2, the instructions' pages; shared pseudo-code: DecodeBitMasks,
 * ExtendReg, ShiftReg.
 */
#include "target/arm/tcg/a64_ctx.h"

/* v as the 32-bit value of a W register, where no typed op follows that would do it. */
static IrRef a64_w(A64Ctx *c, unsigned sf, IrRef v)
{
    if (sf || ir_op(c->b->r, v)->type == IR_I32) {
        return v;
    }
    return ir_ext(c->b, IR_I32, 2, false, v);
}

static unsigned esz_of(unsigned sf)
{
    return sf ? 3 : 2;
}

bool a64_bitmask(unsigned n, unsigned imms, unsigned immr, unsigned sf, uint64_t *out)
{
    unsigned len_bits = n << 6 | (~imms & 0x3f);
    if ((!sf && n) || len_bits < 2) {
        return false;
    }
    unsigned len = 31 - (unsigned)__builtin_clz(len_bits);
    unsigned size = 1u << len;
    unsigned s = imms & (size - 1), r = immr & (size - 1);
    if (s == size - 1) {
        return false;
    }
    uint64_t all = size == 64 ? ~0ull : (1ull << size) - 1;
    uint64_t elem = (1ull << (s + 1)) - 1;
    if (r) {
        elem = (elem >> r | elem << (size - r)) & all;
    }
    for (unsigned w = size; w < 64; w *= 2) {
        elem |= elem << w;
    }
    *out = sf ? elem : (uint32_t)elem;
    return true;
}

IrRef a64_extend(A64Ctx *c, IrRef v, unsigned option)
{
    unsigned esz = option & 3;
    return esz == 3 ? v : ir_ext(c->b, IR_I64, esz, option & 4, v);
}

/* ShiftReg() by a constant. */
static IrRef shift_imm(A64Ctx *c, unsigned sf, IrRef v, unsigned kind, unsigned amount)
{
    static const IrOpcode ops[] = {IR_SHL, IR_SHR, IR_SAR, IR_ROR};
    return amount ? ir_bini(c->b, ops[kind], a64_type(sf), v, amount) : v;
}

/* ---- add, subtract ---- */

/* a +- b into Rd; sp: register 31 is SP. */
static void add_sub(A64Ctx *c, const A64Insn *i, IrRef a, IrRef b, bool sp)
{
    IrRef r = IR_NONE;
    if (!i->s || i->rd != 31) { /* not cmp, cmn */
        r = ir_bin(c->b, i->op ? IR_SUB : IR_ADD, a64_type(i->sf), a, b);
    }
    if (i->s) {
        a64_put_x(c, i->rd, r);
        a64_put_flags(c, ir_emit(c->b, i->op ? IR_FL_SUB : IR_FL_ADD, IR_FLAGS, esz_of(i->sf), 0, 0,
                                 a, b, 0, 0, 0));
    } else if (sp) {
        a64_put_xsp(c, i->rd, r);
    } else {
        a64_put_x(c, i->rd, r);
    }
}

bool gen_ADDS_i(A64Ctx *c, const A64Insn *i)
{
    IrRef a = a64_xsp(c, i->rn);
    if (!i->op && !i->s && !i->imm) { /* mov to or from SP */
        a64_put_xsp(c, i->rd, a64_w(c, i->sf, a));
        return true;
    }
    add_sub(c, i, a, a64_imm(c, i->sf, (uint64_t)i->imm << (i->sh ? 12 : 0)), true);
    return true;
}

bool gen_ADDS_r(A64Ctx *c, const A64Insn *i)
{
    if (i->shift == 3 || (!i->sf && i->imm >= 32)) {
        return false;
    }
    IrRef a = a64_x(c, i->rn), b = a64_x(c, i->rm);
    add_sub(c, i, a, shift_imm(c, i->sf, b, i->shift, i->imm), false);
    return true;
}

bool gen_ADDS_x(A64Ctx *c, const A64Insn *i)
{
    if (i->imm > 4) {
        return false;
    }
    IrRef b = a64_extend(c, a64_x(c, i->rm), i->option);
    b = shift_imm(c, i->sf, b, 0, i->imm);
    add_sub(c, i, a64_xsp(c, i->rn), b, true);
    return true;
}

bool gen_ADCS(A64Ctx *c, const A64Insn *i)
{
    IrRef a = a64_x(c, i->rn), b = a64_x(c, i->rm), cin = a64_cond(c, IR_C_CS);
    IrRef r = ir_emit(c->b, i->op ? IR_SUBC : IR_ADDC, a64_type(i->sf), 0, 0, 0, a, b, cin, 0, 0);
    a64_put_x(c, i->rd, r);
    if (i->s) {
        a64_put_flags(c, ir_emit(c->b, i->op ? IR_FL_SBC : IR_FL_ADC, IR_FLAGS, esz_of(i->sf), 0, 0,
                                 a, b, cin, 0, 0));
    }
    return true;
}

/* ---- logical ---- */

static void logical(A64Ctx *c, const A64Insn *i, IrRef a, IrRef b, unsigned invert, bool sp)
{
    static const IrOpcode ops[4][2] = {
        {IR_AND, IR_ANDN},
        {IR_OR, IR_ORN},
        {IR_XOR, IR_XOR},
        {IR_AND, IR_ANDN},
    };
    IrType t = a64_type(i->sf);
    if (i->opc == 2 && invert) {
        b = ir_un(c->b, IR_NOT, t, b);
    }
    IrRef r = ir_bin(c->b, ops[i->opc][invert], t, a, b);
    if (i->opc == 3) {
        IrRef fl = ir_emit(c->b, IR_FL_LOGIC, IR_FLAGS, esz_of(i->sf), 0, 0, r, 0, 0, 0, 0);
        a64_put_x(c, i->rd, r);
        a64_put_flags(c, fl);
    } else if (sp) {
        a64_put_xsp(c, i->rd, r);
    } else {
        a64_put_x(c, i->rd, r);
    }
}

bool gen_AND_i(A64Ctx *c, const A64Insn *i)
{
    uint64_t imm;
    if (!a64_bitmask(i->n, i->imms, i->immr, i->sf, &imm)) {
        return false;
    }
    if (i->opc == 1 && i->rn == 31) { /* mov bitmask */
        a64_put_xsp(c, i->rd, a64_imm(c, i->sf, imm));
        return true;
    }
    logical(c, i, a64_x(c, i->rn), a64_imm(c, i->sf, imm), 0, true);
    return true;
}

bool gen_AND_r(A64Ctx *c, const A64Insn *i)
{
    if (!i->sf && i->imm >= 32) {
        return false;
    }
    IrRef b = shift_imm(c, i->sf, a64_x(c, i->rm), i->shift, i->imm);
    if (i->opc == 1 && i->rn == 31) { /* mov, mvn */
        IrRef r = i->n ? ir_un(c->b, IR_NOT, a64_type(i->sf), b) : a64_w(c, i->sf, b);
        a64_put_x(c, i->rd, r);
        return true;
    }
    logical(c, i, a64_x(c, i->rn), b, i->n, false);
    return true;
}

/* ---- moves, bit fields ---- */

bool gen_ADR(A64Ctx *c, const A64Insn *i)
{
    int64_t off = a64_sext((uint64_t)i->immhi << 2 | i->immlo, 21);
    uint64_t base = i->op ? c->pc & ~0xfffull : c->pc;
    a64_put_x(c, i->rd, ir_const_pc(c->b, base + (uint64_t)(i->op ? off * 4096 : off)));
    return true;
}

static bool move_wide(A64Ctx *c, const A64Insn *i, uint64_t flip)
{
    if (!i->sf && i->hw >= 2) {
        return false;
    }
    a64_put_x(c, i->rd, a64_imm(c, i->sf, ((uint64_t)i->imm << (16 * i->hw)) ^ flip));
    return true;
}

bool gen_MOVZ(A64Ctx *c, const A64Insn *i)
{
    return move_wide(c, i, 0);
}

bool gen_MOVN(A64Ctx *c, const A64Insn *i)
{
    return move_wide(c, i, ~0ull);
}

bool gen_MOVK(A64Ctx *c, const A64Insn *i)
{
    if (!i->sf && i->hw >= 2) {
        return false;
    }
    IrType t = a64_type(i->sf);
    unsigned pos = 16 * i->hw;
    IrRef old = a64_x(c, i->rd);
    uint64_t known;
    if (ir_is_const(c->b, old, &known)) {
        known = (known & ~(0xffffull << pos)) | (uint64_t)i->imm << pos;
        a64_put_x(c, i->rd, a64_imm(c, i->sf, known));
        return true;
    }
    a64_put_x(
        c, i->rd,
        ir_emit(c->b, IR_BFI, t, 0, 0, 0, old, ir_const(c->b, t, i->imm), 0, 0, pos | 16u << 8));
    return true;
}

static bool bitfield_ok(const A64Insn *i)
{
    return i->sf == i->n && (i->sf || (i->immr < 32 && i->imms < 32));
}

bool gen_SBFM(A64Ctx *c, const A64Insn *i)
{
    if (!bitfield_ok(i)) {
        return false;
    }
    IrType t = a64_type(i->sf);
    unsigned bits = i->sf ? 64 : 32;
    IrRef v = a64_x(c, i->rn), r;
    if (i->imms == bits - 1) {
        r = i->immr ? ir_bini(c->b, IR_SAR, t, v, i->immr) : a64_w(c, i->sf, v);
    } else if (i->imms >= i->immr) {
        unsigned len = i->imms - i->immr + 1;
        if (!i->immr && (len == 8 || len == 16 || len == 32)) {
            r = ir_ext(c->b, t, len == 8 ? 0 : len == 16 ? 1 : 2, true, v);
        } else {
            r = a64_bits(c, t, true, v, i->immr, len);
        }
    } else {
        r = a64_bits(c, t, true, v, 0, i->imms + 1);
        r = ir_bini(c->b, IR_SHL, t, r, bits - i->immr);
    }
    a64_put_x(c, i->rd, r);
    return true;
}

bool gen_UBFM(A64Ctx *c, const A64Insn *i)
{
    if (!bitfield_ok(i)) {
        return false;
    }
    IrType t = a64_type(i->sf);
    unsigned bits = i->sf ? 64 : 32;
    IrRef v = a64_x(c, i->rn), r;
    if (i->imms == bits - 1) {
        r = i->immr ? ir_bini(c->b, IR_SHR, t, v, i->immr) : a64_w(c, i->sf, v);
    } else if (i->imms + 1 == i->immr) {
        r = ir_bini(c->b, IR_SHL, t, v, bits - i->immr);
    } else if (i->imms >= i->immr) {
        unsigned len = i->imms - i->immr + 1;
        if (!i->immr && (len == 8 || len == 16 || len == 32)) {
            r = ir_ext(c->b, t, len == 8 ? 0 : len == 16 ? 1 : 2, false, v);
        } else {
            r = a64_bits(c, t, false, v, i->immr, len);
        }
    } else {
        r = a64_bits(c, t, false, v, 0, i->imms + 1);
        r = ir_bini(c->b, IR_SHL, t, r, bits - i->immr);
    }
    a64_put_x(c, i->rd, r);
    return true;
}

bool gen_BFM(A64Ctx *c, const A64Insn *i)
{
    if (!bitfield_ok(i)) {
        return false;
    }
    IrType t = a64_type(i->sf);
    unsigned bits = i->sf ? 64 : 32, pos = 0, len;
    IrRef v = a64_x(c, i->rn);
    if (i->imms >= i->immr) {
        len = i->imms - i->immr + 1;
        v = shift_imm(c, i->sf, v, 1, i->immr);
    } else {
        len = i->imms + 1;
        pos = bits - i->immr;
    }
    IrRef r;
    if (len == bits) {
        r = a64_w(c, i->sf, v);
    } else {
        r = ir_emit(c->b, IR_BFI, t, 0, 0, 0, a64_x(c, i->rd), v, 0, 0, pos | len << 8);
    }
    a64_put_x(c, i->rd, r);
    return true;
}

bool gen_EXTR(A64Ctx *c, const A64Insn *i)
{
    if (i->sf != i->n || (!i->sf && i->imms >= 32)) {
        return false;
    }
    IrType t = a64_type(i->sf);
    IrRef lo = a64_x(c, i->rm), r;
    if (!i->imms) {
        r = a64_w(c, i->sf, lo);
    } else if (i->rn == i->rm) {
        r = ir_bini(c->b, IR_ROR, t, lo, i->imms);
    } else {
        r = ir_emit(c->b, IR_EXTR, t, 0, 0, 0, a64_x(c, i->rn), lo, 0, 0, i->imms);
    }
    a64_put_x(c, i->rd, r);
    return true;
}

/* ---- conditional ---- */

bool gen_CCMP(A64Ctx *c, const A64Insn *i)
{
    IrRef a = a64_x(c, i->rn);
    IrRef b = i->i ? a64_imm(c, i->sf, i->rm) : a64_x(c, i->rm);
    IrRef fl =
        ir_emit(c->b, i->op ? IR_FL_SUB : IR_FL_ADD, IR_FLAGS, esz_of(i->sf), 0, 0, a, b, 0, 0, 0);
    if (i->cond < 14) {
        fl = ir_emit(c->b, IR_FL_SEL, IR_FLAGS, 0, 0, 0, a64_cond(c, i->cond), fl,
                     a64_flags_const(c, i->nzcv), 0, 0);
    }
    a64_put_flags(c, fl);
    return true;
}

bool gen_CSEL(A64Ctx *c, const A64Insn *i)
{
    IrType t = a64_type(i->sf);
    IrRef a = a64_x(c, i->rn), b = a64_x(c, i->rm);
    if (i->cond >= 14) {
        a64_put_x(c, i->rd, a64_w(c, i->sf, a));
        return true;
    }
    IrRef cond = a64_cond(c, i->cond);
    if (i->op && i->o2) {
        b = ir_un(c->b, IR_NEG, t, b);
    } else if (i->op) {
        b = ir_un(c->b, IR_NOT, t, b);
    } else if (i->o2) {
        b = ir_bini(c->b, IR_ADD, t, b, 1);
    }
    a64_put_x(c, i->rd, ir_select(c->b, t, cond, a, b));
    return true;
}

/* ---- two sources ---- */

bool gen_UDIV(A64Ctx *c, const A64Insn *i)
{
    a64_put_x(c, i->rd, ir_bin(c->b, IR_UDIV, a64_type(i->sf), a64_x(c, i->rn), a64_x(c, i->rm)));
    return true;
}

bool gen_SDIV(A64Ctx *c, const A64Insn *i)
{
    a64_put_x(c, i->rd, ir_bin(c->b, IR_SDIV, a64_type(i->sf), a64_x(c, i->rn), a64_x(c, i->rm)));
    return true;
}

bool gen_SHIFTV(A64Ctx *c, const A64Insn *i)
{
    static const IrOpcode ops[] = {IR_SHL, IR_SHR, IR_SAR, IR_ROR};
    a64_put_x(c, i->rd,
              ir_bin(c->b, ops[i->op2], a64_type(i->sf), a64_x(c, i->rn), a64_x(c, i->rm)));
    return true;
}

/*
 * CRC-32 (0x04c11db7) of 32 bits in the reflected domain, by Barrett reduction: hosts have a
 * carry-less product but no instruction for this polynomial.
 */
static IrRef crc32_step(A64Ctx *c, IrRef x)
{
    const uint64_t mu = 0x1f7011641, poly = 0x1db710641; /* x^64 / P and P, 33 bits, reflected */
    IrRef v = ir_emit(c->b, IR_VDUP, IR_V128, 3, 0, 0, x, 0, 0, 0, 0);
    v = ir_vbin(c->b, IR_PMULL64, 3, false, v, ir_vconst(c->b, mu, false));
    v = ir_vbin(c->b, IR_VAND, 3, false, v, ir_vconst(c->b, 0xffffffff, false));
    v = ir_vbin(c->b, IR_PMULL64, 3, false, v, ir_vconst(c->b, poly, false));
    return ir_emit(c->b, IR_VEXTR, IR_I32, 2, 0, 0, v, 0, 0, 0, 1);
}

static IrRef crc32_ieee(A64Ctx *c, unsigned sz, IrRef acc, IrRef val)
{
    IrRef x = ir_bin(c->b, IR_XOR, IR_I32, acc, val);
    if (sz == 3) {
        IrRef high = ir_bini(c->b, IR_SHR, IR_I64, val, 32);
        return crc32_step(c, ir_bin(c->b, IR_XOR, IR_I32, crc32_step(c, x), high));
    }
    if (sz == 2) {
        return crc32_step(c, x);
    }
    unsigned bits = 8u << sz;
    IrRef r = crc32_step(c, ir_bini(c->b, IR_SHL, IR_I32, x, 32 - bits));
    return ir_bin(c->b, IR_XOR, IR_I32, r, ir_bini(c->b, IR_SHR, IR_I32, acc, bits));
}

bool gen_CRC32(A64Ctx *c, const A64Insn *i)
{
    if (i->sf != (i->sz == 3)) {
        return false;
    }
    IrRef acc = a64_x(c, i->rn), val = a64_x(c, i->rm);
    a64_put_x(c, i->rd,
              i->c ? ir_emit(c->b, IR_CRC32, IR_I32, i->sz, 1, 0, acc, val, 0, 0, 0)
                   : crc32_ieee(c, i->sz, acc, val));
    return true;
}

/* ---- one source ---- */

bool gen_RBIT(A64Ctx *c, const A64Insn *i)
{
    a64_put_x(c, i->rd, ir_un(c->b, IR_RBIT, a64_type(i->sf), a64_x(c, i->rn)));
    return true;
}

bool gen_REV16(A64Ctx *c, const A64Insn *i)
{
    a64_put_x(c, i->rd,
              ir_emit(c->b, IR_BSWAP, a64_type(i->sf), 1, 0, 0, a64_x(c, i->rn), 0, 0, 0, 0));
    return true;
}

bool gen_REV(A64Ctx *c, const A64Insn *i)
{
    if (i->opc && !i->sf) {
        return false;
    }
    a64_put_x(c, i->rd,
              ir_emit(c->b, IR_BSWAP, a64_type(i->sf), i->opc ? 3 : 2, 0, 0, a64_x(c, i->rn), 0, 0,
                      0, 0));
    return true;
}

bool gen_CLZ(A64Ctx *c, const A64Insn *i)
{
    a64_put_x(c, i->rd, ir_un(c->b, IR_CLZ, a64_type(i->sf), a64_x(c, i->rn)));
    return true;
}

/* Leading sign bits behind the first: clz(x ^ (x >> 1 arithmetic)) - 1, where the top bit is 0. */
bool gen_CLS(A64Ctx *c, const A64Insn *i)
{
    IrType t = a64_type(i->sf);
    IrRef v = a64_x(c, i->rn);
    IrRef x = ir_bin(c->b, IR_XOR, t, v, ir_bini(c->b, IR_SAR, t, v, 1));
    a64_put_x(c, i->rd, ir_bini(c->b, IR_SUB, t, ir_un(c->b, IR_CLZ, t, x), 1));
    return true;
}

/* ---- multiply ---- */

static IrRef add_product(A64Ctx *c, const A64Insn *i, IrType t, IrRef product)
{
    if (i->ra == 31) {
        return i->o0 ? ir_un(c->b, IR_NEG, t, product) : product;
    }
    return ir_bin(c->b, i->o0 ? IR_SUB : IR_ADD, t, a64_x(c, i->ra), product);
}

bool gen_MADD(A64Ctx *c, const A64Insn *i)
{
    IrType t = a64_type(i->sf);
    IrRef p = ir_bin(c->b, IR_MUL, t, a64_x(c, i->rn), a64_x(c, i->rm));
    a64_put_x(c, i->rd, add_product(c, i, t, p));
    return true;
}

bool gen_MADDL(A64Ctx *c, const A64Insn *i)
{
    IrRef a = ir_ext(c->b, IR_I64, 2, !i->u, a64_x(c, i->rn));
    IrRef b = ir_ext(c->b, IR_I64, 2, !i->u, a64_x(c, i->rm));
    a64_put_x(c, i->rd, add_product(c, i, IR_I64, ir_bin(c->b, IR_MUL, IR_I64, a, b)));
    return true;
}

bool gen_MULH(A64Ctx *c, const A64Insn *i)
{
    a64_put_x(c, i->rd,
              ir_bin(c->b, i->u ? IR_MULHU : IR_MULHS, IR_I64, a64_x(c, i->rn), a64_x(c, i->rm)));
    return true;
}

/* ---- flag manipulation (FEAT_FlagM, FEAT_FlagM2). Packed form: N 15, Z 14, C 8, V 0 ---- */

enum { PK_N = 15, PK_Z = 14, PK_C = 8, PK_V = 0 };

static IrRef packed_flags(A64Ctx *c)
{
    return ir_un(c->b, IR_FL_PACK, IR_I32, a64_flags(c));
}

static IrRef flag_bit(A64Ctx *c, IrRef packed, unsigned pos)
{
    return a64_bits(c, IR_I32, false, packed, pos, 1);
}

static IrRef flag_at(A64Ctx *c, IrRef bit, unsigned pos)
{
    return pos ? ir_bini(c->b, IR_SHL, IR_I32, bit, pos) : bit;
}

static IrRef or32(A64Ctx *c, IrRef a, IrRef b)
{
    return ir_bin(c->b, IR_OR, IR_I32, a, b);
}

static void put_packed(A64Ctx *c, IrRef packed)
{
    a64_put_flags(c, ir_un(c->b, IR_FL_UNPACK, IR_FLAGS, packed));
}

bool gen_CFINV(A64Ctx *c, const A64Insn *i)
{
    (void)i;
    put_packed(c, ir_bini(c->b, IR_XOR, IR_I32, packed_flags(c), 1u << PK_C));
    return true;
}

bool gen_XAFLAG(A64Ctx *c, const A64Insn *i)
{
    (void)i;
    IrRef p = packed_flags(c), z = flag_bit(c, p, PK_Z), cy = flag_bit(c, p, PK_C);
    IrRef not_cz = ir_bini(c->b, IR_XOR, IR_I32, or32(c, cy, z), 1);
    IrRef r = flag_at(c, not_cz, PK_N);
    r = or32(c, r, flag_at(c, ir_bin(c->b, IR_AND, IR_I32, z, cy), PK_Z));
    r = or32(c, r, flag_at(c, or32(c, cy, z), PK_C));
    r = or32(c, r, flag_at(c, ir_bin(c->b, IR_ANDN, IR_I32, z, cy), PK_V));
    put_packed(c, r);
    return true;
}

bool gen_AXFLAG(A64Ctx *c, const A64Insn *i)
{
    (void)i;
    IrRef p = packed_flags(c), z = flag_bit(c, p, PK_Z), cy = flag_bit(c, p, PK_C);
    IrRef v = flag_bit(c, p, PK_V);
    IrRef r = flag_at(c, or32(c, z, v), PK_Z);
    put_packed(c, or32(c, r, flag_at(c, ir_bin(c->b, IR_ANDN, IR_I32, cy, v), PK_C)));
    return true;
}

bool gen_RMIF(A64Ctx *c, const A64Insn *i)
{
    static const uint8_t pos[4] = {PK_V, PK_C, PK_Z, PK_N};
    IrRef v = a64_x(c, i->rn), p = packed_flags(c);
    uint32_t keep = 1u << PK_N | 1u << PK_Z | 1u << PK_C | 1u << PK_V;
    for (unsigned n = 0; n < 4; n++) {
        keep &= i->mask >> n & 1 ? ~(1u << pos[n]) : ~0u;
    }
    IrRef r = ir_bini(c->b, IR_AND, IR_I32, p, keep);
    for (unsigned n = 0; n < 4; n++) {
        if (i->mask >> n & 1) {
            IrRef bit = a64_bits(c, IR_I64, false, v, (i->imm + n) & 63, 1);
            r = or32(c, r, flag_at(c, bit, pos[n]));
        }
    }
    put_packed(c, r);
    return true;
}

bool gen_SETF(A64Ctx *c, const A64Insn *i)
{
    unsigned bits = i->sz ? 16 : 8;
    IrRef v = a64_x(c, i->rn);
    IrRef zero =
        ir_cmp(c->b, IR_EQ, 2, ir_ext(c->b, IR_I32, i->sz, false, v), ir_const(c->b, IR_I32, 0));
    IrRef n = a64_bits(c, IR_I32, false, v, bits - 1, 1),
          above = a64_bits(c, IR_I32, false, v, bits, 1);
    IrRef r = ir_bini(c->b, IR_AND, IR_I32, packed_flags(c), 1u << PK_C);
    r = or32(c, r, flag_at(c, n, PK_N));
    r = or32(c, r,
             ir_select(c->b, IR_I32, zero, ir_const(c->b, IR_I32, 1u << PK_Z),
                       ir_const(c->b, IR_I32, 0)));
    put_packed(c, or32(c, r, ir_bin(c->b, IR_XOR, IR_I32, n, above)));
    return true;
}
