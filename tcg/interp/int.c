/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Integer and flags ops of the IR, evaluated as include/tcg/ops.def defines them.
 *
 * Also what the builder and tcg/opt fold constants with, so that an op has one meaning.
 */
#include "tcg/interp/interp.h"

static int64_t ir_sext(uint64_t v, unsigned bits)
{
    return bits >= 64 ? (int64_t)v : (int64_t)(v << (64 - bits)) >> (64 - bits);
}

static uint64_t ir_low(uint64_t v, unsigned bits)
{
    return bits >= 64 ? v : v & ((UINT64_C(1) << bits) - 1);
}

bool ir_eval_cmp(unsigned cc, unsigned esz, uint64_t a, uint64_t b)
{
    unsigned bits = 8u << esz;
    uint64_t ua = ir_low(a, bits), ub = ir_low(b, bits);
    int64_t sa = ir_sext(a, bits), sb = ir_sext(b, bits);
    bool res;

    switch (cc & ~1u) {
    case IR_EQ: res = ua == ub; break;
    case IR_ULT: res = ua < ub; break;
    case IR_ULE: res = ua <= ub; break;
    case IR_SLT: res = sa < sb; break;
    default: res = sa <= sb; break;
    }
    return res ^ (cc & 1);
}

bool ir_eval_cond(unsigned cond, uint32_t p)
{
    bool n = p & IR_PF_N, z = p & IR_PF_Z, c = p & IR_PF_C, v = p & IR_PF_V, res;

    switch (cond & ~1u) {
    case IR_C_EQ: res = z; break;
    case IR_C_CS: res = c; break;
    case IR_C_MI: res = n; break;
    case IR_C_VS: res = v; break;
    case IR_C_HI: res = c && !z; break;
    case IR_C_GE: res = n == v; break;
    case IR_C_GT: res = !z && n == v; break;
    case IR_C_AL: return true; /* NV too, as in A64 */
    case IR_C_PE: res = p & IR_PF_P; break;
    default: res = c || z; break;
    }
    return res ^ (cond & 1);
}

static uint32_t ir_pack(uint64_t res, unsigned bits, bool c, bool v)
{
    uint32_t p = 0;

    p |= (res >> (bits - 1)) & 1 ? IR_PF_N : 0;
    p |= ir_low(res, bits) == 0 ? IR_PF_Z : 0;
    p |= c ? IR_PF_C : 0;
    p |= v ? IR_PF_V : 0;
    p |= __builtin_parity((unsigned)res & 0xff) ? 0 : IR_PF_P;
    return p;
}

/* Flags of a + b + cin at the given width. */
static uint32_t ir_flags_add(uint64_t a, uint64_t b, bool cin, unsigned bits)
{
    uint64_t ua = ir_low(a, bits), ub = ir_low(b, bits);
    uint64_t res = ir_low(ua + ub + cin, bits);
    bool c = cin ? res <= ua : res < ua;
    bool v = ((~(ua ^ ub) & (ua ^ res)) >> (bits - 1)) & 1;

    return ir_pack(res, bits, c, v) | ((ua ^ ub ^ res) & 0x10 ? IR_PF_A : 0);
}

/* C = V: the signed product does not fit. */
static uint32_t ir_flags_muls(uint64_t a, uint64_t b, unsigned bits)
{
    __int128 full = (__int128)ir_sext(a, bits) * ir_sext(b, bits);
    bool over = full != (__int128)ir_sext((uint64_t)full, bits);

    return ir_pack((uint64_t)full, bits, over, over);
}

static uint32_t ir_flags_shift(const IrOp *o, uint64_t a, unsigned bits)
{
    unsigned n = (unsigned)o->imm;
    int64_t sa = ir_sext(a, bits);
    uint64_t ua = ir_low(a, bits), top = ua >> (bits - 1), res;
    bool c;

    switch (o->op) {
    case IR_FL_SHL:
        res = ua << n;
        c = (ua >> (bits - n)) & 1;
        return ir_pack(res, bits, c, n == 1 && (c ^ ((res >> (bits - 1)) & 1)));
    case IR_FL_SHR: return ir_pack(ua >> n, bits, (ua >> (n - 1)) & 1, n == 1 && top);
    default: return ir_pack((uint64_t)(sa >> n), bits, (sa >> (n - 1)) & 1, false);
    }
}

static uint64_t ir_eval_flags(const IrOp *o, const uint64_t a[3])
{
    unsigned bits = 8u << o->esz;

    switch (o->op) {
    case IR_FL_ADD: return ir_flags_add(a[0], a[1], false, bits);
    case IR_FL_SUB: return ir_flags_add(a[0], ~a[1], true, bits) ^ IR_PF_A;
    case IR_FL_SUBB: return ir_flags_add(a[0], ~a[1], true, bits) ^ (IR_PF_C | IR_PF_A);
    case IR_FL_ADC: return ir_flags_add(a[0], a[1], a[2] & 1, bits);
    case IR_FL_SBC: return ir_flags_add(a[0], ~a[1], a[2] & 1, bits) ^ IR_PF_A;
    case IR_FL_SBB: return ir_flags_add(a[0], ~a[1], !(a[2] & 1), bits) ^ (IR_PF_C | IR_PF_A);
    case IR_FL_MULS: return ir_flags_muls(a[0], a[1], bits);
    case IR_FL_SHL:
    case IR_FL_SHR:
    case IR_FL_SAR: return ir_flags_shift(o, a[0], bits);
    case IR_FL_MIX: return ((a[0] & o->imm) | (a[1] & ~o->imm)) & IR_PF_ALL;
    case IR_FL_LOGIC: return ir_pack(a[0], bits, false, false);
    case IR_FL_SEL: return a[0] & 1 ? a[1] : a[2];
    case IR_FL_UNPACK:
    case IR_FL_PACK: return a[0] & IR_PF_ALL;
    default: return ir_eval_cond(o->sub, (uint32_t)a[0]);
    }
}

static uint64_t ir_eval_div(const IrOp *o, uint64_t a, uint64_t b)
{
    unsigned bits = o->type == IR_I64 ? 64 : 32;
    int64_t sa = ir_sext(a, bits), sb = ir_sext(b, bits);

    if (ir_low(b, bits) == 0) {
        return 0;
    }
    if (o->op == IR_UDIV) {
        return ir_low(a, bits) / ir_low(b, bits);
    }
    return sb == -1 ? -(uint64_t)sa : (uint64_t)(sa / sb);
}

static uint64_t ir_eval_shift(const IrOp *o, uint64_t a, uint64_t b)
{
    unsigned bits = o->type == IR_I64 ? 64 : 32;
    unsigned n = b & (bits - 1);

    a = ir_low(a, bits);
    switch (o->op) {
    case IR_SHL: return a << n;
    case IR_SHR: return a >> n;
    case IR_SAR: return (uint64_t)(ir_sext(a, bits) >> n);
    default: return n ? a >> n | a << (bits - n) : a;
    }
}

static uint64_t ir_eval_bits(const IrOp *o, uint64_t a, uint64_t b)
{
    unsigned bits = o->type == IR_I64 ? 64 : 32;
    unsigned lsb = o->imm & 63, len = (unsigned)(o->imm >> 8) & 0xff;
    uint64_t res = 0, mask = ir_low(~UINT64_C(0), len);

    switch (o->op) {
    case IR_EXTR:
        a = ir_low(a, bits);
        b = ir_low(b, bits);
        return lsb ? b >> lsb | a << (bits - lsb) : b;
    case IR_SEXT: return (uint64_t)ir_sext(a, 8u << o->esz);
    case IR_ZEXT: return ir_low(a, 8u << o->esz);
    case IR_UBFX: return (ir_low(a, bits) >> lsb) & mask;
    case IR_SBFX: return (uint64_t)ir_sext(ir_low(a, bits) >> lsb, len);
    case IR_BFI: return (a & ~(mask << lsb)) | (b & mask) << lsb;
    case IR_BSWAP:
        for (unsigned i = 0; i < bits / 8; i++) {
            res |= ((a >> (i * 8)) & 0xff) << ((i ^ ((1u << o->esz) - 1)) * 8);
        }
        return res;
    default: /* IR_RBIT */
        for (unsigned i = 0; i < bits; i++) {
            res |= ((a >> i) & 1) << (bits - 1 - i);
        }
        return res;
    }
}

static uint64_t ir_eval_count(const IrOp *o, uint64_t a)
{
    unsigned bits = o->type == IR_I64 ? 64 : 32;

    a = ir_low(a, bits);
    switch (o->op) {
    case IR_CLZ: return a ? (unsigned)__builtin_clzll(a) - (64 - bits) : bits;
    case IR_CTZ: return a ? (unsigned)__builtin_ctzll(a) : bits;
    default: return (unsigned)__builtin_popcountll(a);
    }
}

static uint64_t ir_eval_crc32(const IrOp *o, uint64_t a, uint64_t b)
{
    uint32_t crc = (uint32_t)a, poly = o->sub ? 0x82f63b78 : 0xedb88320; /* reflected */

    for (unsigned i = 0; i < 8u << o->esz; i++) {
        unsigned bit = (crc ^ (uint32_t)(b >> i)) & 1;

        crc = crc >> 1 ^ (bit ? poly : 0);
    }
    return crc;
}

static uint64_t ir_eval_arith(const IrOp *o, const uint64_t a[3])
{
    uint64_t x = a[0], y = a[1];

    switch (o->op) {
    case IR_ADD: return x + y;
    case IR_SUB: return x - y;
    case IR_ADDC: return x + y + (a[2] & 1);
    case IR_SUBC: return x + ~y + (a[2] & 1);
    case IR_AND: return x & y;
    case IR_OR: return x | y;
    case IR_XOR: return x ^ y;
    case IR_ANDN: return x & ~y;
    case IR_ORN: return x | ~y;
    case IR_NOT: return ~x;
    case IR_NEG: return -x;
    case IR_MUL: return x * y;
    case IR_MULHU: return (uint64_t)(((unsigned __int128)x * y) >> 64);
    case IR_MULHS: return (uint64_t)(((__int128)(int64_t)x * (int64_t)y) >> 64);
    case IR_COPY: return x;
    default: return o->imm; /* IR_CONST */
    }
}

bool ir_is_int_op(unsigned op)
{
    return op == IR_CONST || op == IR_COPY ||
           (op >= IR_ADD && op <= IR_FL_COND && op != IR_FL_FCMP);
}

uint64_t ir_eval_int(const IrOp *o, const uint64_t a[3])
{
    uint64_t res;

    switch (o->op) {
    case IR_UDIV:
    case IR_SDIV: res = ir_eval_div(o, a[0], a[1]); break;
    case IR_SHL:
    case IR_SHR:
    case IR_SAR:
    case IR_ROR: res = ir_eval_shift(o, a[0], a[1]); break;
    case IR_EXTR:
    case IR_SEXT:
    case IR_ZEXT:
    case IR_UBFX:
    case IR_SBFX:
    case IR_BFI:
    case IR_BSWAP:
    case IR_RBIT: res = ir_eval_bits(o, a[0], a[1]); break;
    case IR_CLZ:
    case IR_CTZ:
    case IR_POPCNT: res = ir_eval_count(o, a[0]); break;
    case IR_CRC32: res = ir_eval_crc32(o, a[0], a[1]); break;
    case IR_CMP: res = ir_eval_cmp(o->sub, o->esz, a[0], a[1]); break;
    case IR_SELECT: res = a[0] & 1 ? a[1] : a[2]; break;
    case IR_FL_ADD:
    case IR_FL_SUB:
    case IR_FL_SUBB:
    case IR_FL_ADC:
    case IR_FL_SBC:
    case IR_FL_SBB:
    case IR_FL_MULS:
    case IR_FL_SHL:
    case IR_FL_SHR:
    case IR_FL_SAR:
    case IR_FL_LOGIC:
    case IR_FL_SEL:
    case IR_FL_MIX:
    case IR_FL_UNPACK:
    case IR_FL_PACK:
    case IR_FL_COND: res = ir_eval_flags(o, a); break;
    default: res = ir_eval_arith(o, a); break;
    }
    return res & ir_type_mask(o->type);
}
