/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86 integer instructions: arithmetic, logic, moves, bits, atomics.
 *
 * Source: SDM volume 2, the instructions' pages. Flags the manual leaves undefined are what falls
 * out of the nearest IR recipe (column `undef` of the table names them).
 */
#include "target/x86/tcg/x86_ctx.h"

/* ---- arithmetic and logic ---- */

static IrRef carry_now(X86Ctx *c)
{
    return x86_cond_now(c, IR_C_CS);
}

static IrRef alu_result(X86Ctx *c, unsigned kind, unsigned esz, IrRef a, IrRef b, IrRef cin)
{
    IrBuilder *k = c->b;
    IrType t = x86_type(esz);
    switch (kind) {
    case X86_ALU_ADD: return ir_bin(k, IR_ADD, t, a, b);
    case X86_ALU_ADC: return ir_emit(k, IR_ADDC, t, 0, 0, 0, a, b, cin, 0, 0);
    case X86_ALU_SBB: return ir_bin(k, IR_SUB, t, ir_bin(k, IR_SUB, t, a, b), cin);
    case X86_ALU_OR: return ir_bin(k, IR_OR, t, a, b);
    case X86_ALU_XOR: return ir_bin(k, IR_XOR, t, a, b);
    case X86_ALU_AND:
    case X86_ALU_TEST: return ir_bin(k, IR_AND, t, a, b);
    default: return ir_bin(k, IR_SUB, t, a, b);
    }
}

static IrRef alu_flags(X86Ctx *c, unsigned kind, unsigned esz, IrRef a, IrRef b, IrRef cin, IrRef r)
{
    switch (kind) {
    case X86_ALU_ADD: return x86_fl(c, IR_FL_ADD, esz, a, b, 0, 0);
    case X86_ALU_ADC: return x86_fl(c, IR_FL_ADC, esz, a, b, cin, 0);
    case X86_ALU_SBB: return x86_fl(c, IR_FL_SBB, esz, a, b, cin, 0);
    case X86_ALU_SUB:
    case X86_ALU_CMP: return x86_fl(c, IR_FL_SUBB, esz, a, b, 0, 0);
    default: return x86_fl(c, IR_FL_LOGIC, esz, r, 0, 0, 0);
    }
}

/* Old value of the memory operand, which an atomic operation with v replaced. */
static IrRef locked_rmw(X86Ctx *c, const X86Insn *i, IrRmw kind, IrRef v)
{
    unsigned esz = i->op[0].esz;
    IrRef at = x86_addr_value(c, x86_addr(c, i));
    return ir_emit(c->b, IR_AT_RMW, x86_type(esz), esz, kind, 0, at, v, 0, 0, 0);
}

/* LOCK ALU; the flags follow from the old value. */
static bool alu_locked(X86Ctx *c, const X86Insn *i)
{
    static const uint8_t rmw[] = {
        [X86_ALU_ADD] = IR_RMW_ADD, [X86_ALU_OR] = IR_RMW_OR,   [X86_ALU_AND] = IR_RMW_AND,
        [X86_ALU_SUB] = IR_RMW_ADD, [X86_ALU_XOR] = IR_RMW_XOR,
    };
    unsigned esz = i->op[0].esz;
    if (c->arg == X86_ALU_ADC || c->arg == X86_ALU_SBB) {
        return false; /* not implemented */
    }
    IrRef b = x86_read(c, i, 1);
    IrRef v = c->arg == X86_ALU_SUB ? ir_un(c->b, IR_NEG, x86_type(esz), b) : b;
    IrRef a = locked_rmw(c, i, rmw[c->arg], v);
    IrRef r = alu_result(c, c->arg, esz, a, b, 0);
    x86_put_flags(c, alu_flags(c, c->arg, esz, a, b, 0, r));
    return true;
}

bool x86_gen_alu(X86Ctx *c, const X86Insn *i)
{
    unsigned esz = i->op[0].esz;
    if (i->lock) {
        return alu_locked(c, i);
    }
    bool carry = c->arg == X86_ALU_ADC || c->arg == X86_ALU_SBB;
    IrRef a = x86_read(c, i, 0), b = x86_read(c, i, 1);
    IrRef cin = carry ? carry_now(c) : IR_NONE;
    IrRef r = IR_NONE;
    if (c->arg != X86_ALU_CMP) {
        r = alu_result(c, c->arg, esz, a, b, cin);
    }
    IrRef fl = alu_flags(c, c->arg, esz, a, b, cin, r);
    if (c->arg < X86_ALU_CMP) {
        x86_write(c, i, 0, r);
    }
    x86_put_flags(c, fl);
    return true;
}

bool x86_gen_incdec(X86Ctx *c, const X86Insn *i)
{
    unsigned esz = i->op[0].esz;
    IrRef one = x86_const(c, esz, 1);
    IrOpcode op = c->arg ? IR_SUB : IR_ADD;
    IrRef a = i->lock ? locked_rmw(c, i, IR_RMW_ADD, c->arg ? x86_const(c, esz, ~0ull) : one)
                      : x86_read(c, i, 0);
    IrRef fl = x86_fl(c, c->arg ? IR_FL_SUBB : IR_FL_ADD, esz, a, one, 0, 0);
    fl = x86_fl_mix(c, fl, x86_flags(c), X86_PF_ALL & ~X86_PF_C);
    if (!i->lock) {
        x86_write(c, i, 0, ir_bin(c->b, op, x86_type(esz), a, one));
    }
    x86_put_flags(c, fl);
    return true;
}

bool x86_gen_not(X86Ctx *c, const X86Insn *i)
{
    unsigned esz = i->op[0].esz;
    if (i->lock) {
        locked_rmw(c, i, IR_RMW_XOR, x86_const(c, esz, ~0ull));
        return true;
    }
    x86_write(c, i, 0, ir_un(c->b, IR_NOT, x86_type(esz), x86_read(c, i, 0)));
    return true;
}

bool x86_gen_neg(X86Ctx *c, const X86Insn *i)
{
    unsigned esz = i->op[0].esz;
    IrRef a = x86_read(c, i, 0);
    IrRef fl = x86_fl(c, IR_FL_SUBB, esz, x86_const(c, esz, 0), a, 0, 0);
    x86_write(c, i, 0, ir_un(c->b, IR_NEG, x86_type(esz), a));
    x86_put_flags(c, fl);
    return true;
}

bool x86_gen_carry(X86Ctx *c, const X86Insn *i)
{
    (void)i;
    IrRef bit = c->arg == X86_CY_NOT
                    ? ir_bin(c->b, IR_XOR, IR_I1, carry_now(c), ir_const(c->b, IR_I1, 1))
                    : ir_const(c->b, IR_I1, c->arg == X86_CY_SET);
    IrRef fl = x86_fl_unpack(c, x86_carry_bit(c, bit));
    x86_put_flags(c, x86_fl_mix(c, fl, x86_flags(c), X86_PF_C));
    return true;
}

bool x86_gen_direction(X86Ctx *c, const X86Insn *i)
{
    (void)i;
    ir_put(c->b, X86_S_DF, ir_const(c->b, IR_I64, c->arg ? ~0ull : 1));
    return true;
}

/* ---- moves ---- */

bool x86_gen_mov(X86Ctx *c, const X86Insn *i)
{
    x86_write(c, i, 0, x86_read(c, i, 1));
    return true;
}

bool x86_gen_movzx(X86Ctx *c, const X86Insn *i)
{
    x86_write(c, i, 0, x86_read_zx(c, i, 1));
    return true;
}

bool x86_gen_movsx(X86Ctx *c, const X86Insn *i)
{
    unsigned from = i->op[1].esz, to = i->op[0].esz;
    IrRef v;
    if (i->op[1].kind == X86_K_MEM && from < to) {
        v = x86_ld(c, x86_type(to), from, IRF_SEXT, x86_addr(c, i));
    } else {
        v = x86_read(c, i, 1);
        if (from < to) {
            v = ir_ext(c->b, x86_type(to), from, true, v);
        }
    }
    x86_write(c, i, 0, v);
    return true;
}

bool x86_gen_lea(X86Ctx *c, const X86Insn *i)
{
    X86Insn flat = *i;
    flat.seg = 0;
    x86_put_reg(c, i->op[0].esz, i->op[0].reg, x86_addr_value(c, x86_addr(c, &flat)));
    return true;
}

bool x86_gen_xchg(X86Ctx *c, const X86Insn *i)
{
    if (i->opcode == 0x90 && i->op[0].reg == 0) {
        return true; /* NOP: does not clear the upper half of RAX */
    }
    if (i->op[0].kind == X86_K_MEM) {
        x86_write(c, i, 1, locked_rmw(c, i, IR_RMW_SWAP, x86_read(c, i, 1)));
        return true;
    }
    IrRef a = x86_read(c, i, 0), b = x86_read(c, i, 1);
    x86_write(c, i, 0, b);
    x86_write(c, i, 1, a);
    return true;
}

bool x86_gen_cbw(X86Ctx *c, const X86Insn *i)
{
    unsigned esz = i->esz;
    IrRef v = ir_ext(c->b, x86_type(esz), esz - 1, true, x86_reg(c, X86_RAX));
    x86_put_reg(c, esz, X86_RAX, v);
    return true;
}

bool x86_gen_cwd(X86Ctx *c, const X86Insn *i)
{
    unsigned esz = i->esz;
    IrRef v = x86_sx(c, esz, x86_reg(c, X86_RAX));
    x86_put_reg(c, esz, X86_RDX, ir_bini(c->b, IR_SAR, x86_type(esz), v, esz == 3 ? 63 : 31));
    return true;
}

bool x86_gen_cmov(X86Ctx *c, const X86Insn *i)
{
    unsigned esz = i->op[0].esz;
    IrRef yes = x86_read(c, i, 1), no = x86_read(c, i, 0);
    x86_write(c, i, 0, ir_select(c->b, x86_type(esz), x86_cond(c, i->opcode), yes, no));
    return true;
}

bool x86_gen_setcc(X86Ctx *c, const X86Insn *i)
{
    x86_write(c, i, 0, x86_cond(c, i->opcode));
    return true;
}

/* ---- stack ---- */

static unsigned stack_esz(const X86Insn *i)
{
    return i->opsize && !(i->rex & 8) ? 1 : 3;
}

bool x86_gen_push(X86Ctx *c, const X86Insn *i)
{
    unsigned esz = stack_esz(i), bytes = 1u << esz;
    IrRef v = i->op[0].kind == X86_K_IMM ? ir_const(c->b, IR_I64, i->imm) : x86_read(c, i, 0);
    IrRef sp = x86_reg(c, X86_RSP);
    ir_st(c->b, esz, 0, sp, 0, 0, -(int64_t)bytes, v);
    ir_put(c->b, X86_S_RAX + X86_RSP,
           ir_bini(c->b, IR_ADD, IR_I64, sp, (uint64_t) - (int64_t)bytes));
    return true;
}

bool x86_gen_pop(X86Ctx *c, const X86Insn *i)
{
    unsigned esz = stack_esz(i), bytes = 1u << esz;
    IrRef sp = x86_reg(c, X86_RSP);
    IrRef v = ir_ld(c->b, x86_type(esz), esz, 0, sp, 0, 0, 0);
    IrRef new_sp = ir_bini(c->b, IR_ADD, IR_I64, sp, bytes);
    if (i->op[0].kind == X86_K_MEM) {
        X86Addr a = x86_addr(c, i);
        if (i->base == X86_RSP) { /* the address is computed after the increment */
            a.disp += bytes;
        }
        x86_st(c, esz, 0, a, v);
        ir_put(c->b, X86_S_RAX + X86_RSP, new_sp);
        return true;
    }
    ir_put(c->b, X86_S_RAX + X86_RSP, new_sp);
    x86_put_reg(c, esz, i->op[0].reg, v);
    return true;
}

bool x86_gen_leave(X86Ctx *c, const X86Insn *i)
{
    if (i->opsize) {
        return false; /* 16-bit frames: not implemented */
    }
    IrRef bp = x86_reg(c, X86_RBP);
    IrRef v = ir_ld(c->b, IR_I64, 3, 0, bp, 0, 0, 0);
    ir_put(c->b, X86_S_RAX + X86_RSP, ir_bini(c->b, IR_ADD, IR_I64, bp, 8));
    ir_put(c->b, X86_S_RAX + X86_RBP, v);
    return true;
}

static IrRef packed_now(X86Ctx *c)
{
    return ir_un(c->b, IR_FL_PACK, IR_I32, x86_flags(c));
}

bool x86_gen_pushf(X86Ctx *c, const X86Insn *i)
{
    IrBuilder *b = c->b;
    unsigned esz = stack_esz(i), bytes = 1u << esz;
    IrRef p = packed_now(c);
    IrRef v = ir_bini(b, IR_AND, IR_I32, ir_bini(b, IR_SHR, IR_I32, p, 8), 0xd5);
    IrRef of = ir_bini(b, IR_SHL, IR_I32, ir_bini(b, IR_AND, IR_I32, p, 1), 11);
    IrRef df = ir_bini(b, IR_AND, IR_I32, ir_get(b, X86_S_DF), X86_FL_DF); /* all ones or 1 */
    v = ir_bin(b, IR_OR, IR_I32, v, of);
    v = ir_bin(b, IR_OR, IR_I32, v, df);
    v = ir_bin(b, IR_OR, IR_I32, v, ir_get(b, X86_S_FLAGS_OTHER));
    v = ir_bini(b, IR_OR, IR_I32, v, X86_FL_IF | 2);
    IrRef sp = x86_reg(c, X86_RSP);
    ir_st(b, esz, 0, sp, 0, 0, -(int64_t)bytes, v);
    ir_put(b, X86_S_RAX + X86_RSP, ir_bini(b, IR_ADD, IR_I64, sp, (uint64_t) - (int64_t)bytes));
    return true;
}

bool x86_gen_popf(X86Ctx *c, const X86Insn *i)
{
    IrBuilder *b = c->b;
    unsigned esz = stack_esz(i);
    IrRef sp = x86_reg(c, X86_RSP);
    IrRef v = ir_ld(b, IR_I32, esz == 3 ? 2 : 1, 0, sp, 0, 0, 0);
    IrRef p = ir_bini(b, IR_SHL, IR_I32, ir_bini(b, IR_AND, IR_I32, v, 0xd5), 8);
    IrRef of = ir_bini(b, IR_AND, IR_I32, ir_bini(b, IR_SHR, IR_I32, v, 11), 1);
    IrRef df = ir_emit(b, IR_SBFX, IR_I64, 0, 0, 0, v, 0, 0, 0, 10 | 1 << 8);
    x86_put_flags(c, x86_fl_unpack(c, ir_bin(b, IR_OR, IR_I32, p, of)));
    ir_put(b, X86_S_DF, ir_bini(b, IR_OR, IR_I64, df, 1));
    if (esz == 3) {
        ir_put(b, X86_S_FLAGS_OTHER, ir_bini(b, IR_AND, IR_I32, v, X86_FL_OTHER));
    }
    ir_put(b, X86_S_RAX + X86_RSP, ir_bini(b, IR_ADD, IR_I64, sp, 1u << esz));
    return true;
}

bool x86_gen_lahf(X86Ctx *c, const X86Insn *i)
{
    IrBuilder *b = c->b;
    (void)i;
    IrRef v = ir_bini(b, IR_OR, IR_I32, ir_bini(b, IR_SHR, IR_I32, packed_now(c), 8), 2);
    ir_put(b, X86_S_RAX,
           ir_emit(b, IR_BFI, IR_I64, 0, 0, 0, x86_reg(c, X86_RAX), v, 0, 0, 8 | 8 << 8));
    return true;
}

/* AH lies in RAX where packed flags want it. */
bool x86_gen_sahf(X86Ctx *c, const X86Insn *i)
{
    (void)i;
    IrRef v = ir_bini(c->b, IR_AND, IR_I32, x86_reg(c, X86_RAX), X86_PF_ALL & ~X86_PF_O);
    x86_put_flags(c, x86_fl_mix(c, x86_fl_unpack(c, v), x86_flags(c), X86_PF_ALL & ~X86_PF_O));
    return true;
}

/* ---- compare and exchange ---- */

static IrRef equal(X86Ctx *c, unsigned esz, IrRef a, IrRef b)
{
    return ir_cmp(c->b, IR_EQ, esz == 3 ? 3 : 2, x86_zx(c, esz, a), x86_zx(c, esz, b));
}

bool x86_gen_cmpxchg(X86Ctx *c, const X86Insn *i)
{
    IrBuilder *b = c->b;
    unsigned esz = i->op[0].esz;
    IrRef rax = x86_reg(c, X86_RAX), src = x86_read(c, i, 1), old, eq;
    if (i->lock) {
        IrRef at = x86_addr_value(c, x86_addr(c, i));
        old = ir_emit(b, IR_AT_CAS, x86_type(esz), esz, 0, 0, at, x86_zx(c, esz, rax),
                      x86_zx(c, esz, src), 0, 0);
        eq = equal(c, esz, rax, old);
    } else {
        old = x86_read(c, i, 0);
        eq = equal(c, esz, rax, old);
        if (i->op[0].kind == X86_K_REG && esz == 2) { /* unequal: the upper half stays, too */
            ir_put(b, X86_S_RAX + i->op[0].reg, ir_select(b, IR_I64, eq, x86_zx(c, 2, src), old));
        } else {
            x86_write(c, i, 0, ir_select(b, x86_type(esz), eq, src, old));
        }
    }
    IrRef fl = x86_fl(c, IR_FL_SUBB, esz, rax, old, 0, 0);
    IrRef now = x86_reg(c, X86_RAX); /* as the write above left it */
    IrRef loaded = esz >= 2 ? x86_zx(c, esz, old)
                            : ir_emit(b, IR_BFI, IR_I64, 0, 0, 0, now, old, 0, 0,
                                      (uint64_t)x86_bits(esz) << 8);
    ir_put(b, X86_S_RAX, ir_select(b, IR_I64, eq, now, loaded));
    x86_put_flags(c, fl);
    return true;
}

static IrRef pair(X86Ctx *c, IrRef lo, IrRef hi)
{
    IrRef v = ir_emit(c->b, IR_BITSF, IR_F64, 3, 0, 0, lo, 0, 0, 0, 0);
    v = ir_emit(c->b, IR_VZEXT, IR_V128, 3, 0, 0, v, 0, 0, 0, 0);
    return ir_emit(c->b, IR_VINS, IR_V128, 3, 0, 0, v, hi, 0, 0, 1);
}

bool x86_gen_cmpxchg16b(X86Ctx *c, const X86Insn *i)
{
    IrBuilder *b = c->b;
    if (!(i->rex & 8)) {
        return false; /* CMPXCHG8B: not implemented */
    }
    IrRef rax = x86_reg(c, X86_RAX), rdx = x86_reg(c, X86_RDX);
    IrRef at = x86_addr_value(c, x86_addr(c, i));
    IrRef new_pair = pair(c, x86_reg(c, X86_RBX), x86_reg(c, X86_RCX));
    IrRef old =
        ir_emit(b, IR_AT_CAS, IR_V128, 4, 0, IRF_ALIGN, at, pair(c, rax, rdx), new_pair, 0, 0);
    IrRef lo = ir_emit(b, IR_VEXTR, IR_I64, 3, 0, 0, old, 0, 0, 0, 0);
    IrRef hi = ir_emit(b, IR_VEXTR, IR_I64, 3, 0, 0, old, 0, 0, 0, 1);
    IrRef diff = ir_bin(b, IR_OR, IR_I64, ir_bin(b, IR_XOR, IR_I64, lo, rax),
                        ir_bin(b, IR_XOR, IR_I64, hi, rdx));
    IrRef fl = x86_fl(c, IR_FL_LOGIC, 3, diff, 0, 0, 0);
    ir_put(b, X86_S_RAX, lo); /* equal: they hold that already */
    ir_put(b, X86_S_RAX + X86_RDX, hi);
    x86_put_flags(c, x86_fl_mix(c, fl, x86_flags(c), X86_PF_Z));
    return true;
}

bool x86_gen_xadd(X86Ctx *c, const X86Insn *i)
{
    unsigned esz = i->op[0].esz;
    IrRef b = x86_read(c, i, 1);
    IrRef a = i->lock ? locked_rmw(c, i, IR_RMW_ADD, b) : x86_read(c, i, 0);
    IrRef sum = ir_bin(c->b, IR_ADD, x86_type(esz), a, b);
    IrRef fl = x86_fl(c, IR_FL_ADD, esz, a, b, 0, 0);
    bool mem = i->op[0].kind == X86_K_MEM;
    if (mem && !i->lock) {
        x86_write(c, i, 0, sum);
    }
    x86_write(c, i, 1, a);
    if (!mem) {
        x86_write(c, i, 0, sum); /* last: it wins when both are one register */
    }
    x86_put_flags(c, fl);
    return true;
}

/* ---- bits ---- */

/* A bit string in memory: the word that holds bit `off` (signed) of it. */
static X86Addr bit_word(X86Ctx *c, const X86Insn *i, unsigned esz, IrRef off)
{
    IrBuilder *b = c->b;
    X86Addr a = x86_addr(c, i);
    if (esz < 3) {
        off = ir_ext(b, IR_I64, esz, true, off);
    }
    IrRef word = ir_bini(b, IR_SAR, IR_I64, off, 3 + esz);
    return (X86Addr){.base = x86_addr_value(c, a), .index = word, .scale = esz};
}

bool x86_gen_bt(X86Ctx *c, const X86Insn *i)
{
    static const uint8_t rmw[] = {0, IR_RMW_OR, IR_RMW_CLR, IR_RMW_XOR};
    static const uint8_t ops[] = {0, IR_OR, IR_ANDN, IR_XOR};
    IrBuilder *b = c->b;
    unsigned esz = i->op[0].esz;
    IrType t = x86_type(esz);
    bool mem = i->op[0].kind == X86_K_MEM, reg_off = i->op[1].kind == X86_K_REG;
    IrRef off = reg_off ? x86_reg(c, i->op[1].reg) : ir_const(b, IR_I32, i->imm);
    X86Addr at = {0};
    IrRef a;
    if (mem) {
        at = reg_off ? bit_word(c, i, esz, off) : x86_addr(c, i);
    }
    IrRef pos = ir_bini(b, IR_AND, IR_I32, off, x86_bits(esz) - 1);
    IrRef mask = ir_bin(b, IR_SHL, t, x86_const(c, esz, 1), pos);
    if (i->lock) {
        a = ir_emit(b, IR_AT_RMW, t, esz, rmw[c->arg], 0, x86_addr_value(c, at), mask, 0, 0, 0);
    } else {
        a = mem ? x86_ld(c, t, esz, 0, at) : x86_reg(c, i->op[0].reg);
    }
    IrRef bit = ir_bini(b, IR_AND, t, ir_bin(b, IR_SHR, t, a, pos), 1);
    if (c->arg != X86_BT && !i->lock) {
        IrRef r = ir_bin(b, ops[c->arg], t, a, mask);
        if (mem) {
            x86_st(c, esz, 0, at, r);
        } else {
            x86_put_reg(c, esz, i->op[0].reg, r);
        }
    }
    IrRef fl = x86_fl_unpack(c, x86_carry_bit(c, bit));
    x86_put_flags(c, x86_fl_mix(c, fl, x86_flags(c), X86_PF_C));
    return true;
}

/* BSF, BSR: a source of 0 leaves the whole destination alone (as all processors do). */
bool x86_gen_bsf(X86Ctx *c, const X86Insn *i)
{
    IrBuilder *b = c->b;
    unsigned esz = i->op[0].esz;
    IrType t = x86_type(esz);
    IrRef src = x86_read_zx(c, i, 1);
    IrRef none = ir_cmp(b, IR_EQ, esz == 3 ? 3 : 2, src, x86_const(c, esz, 0));
    IrRef v = c->arg ? ir_bini(b, IR_XOR, t, ir_un(b, IR_CLZ, t, src), esz == 3 ? 63 : 31)
                     : ir_un(b, IR_CTZ, t, src);
    IrRef old = x86_reg(c, i->op[0].reg);
    if (esz == 1) {
        v = ir_emit(b, IR_BFI, IR_I64, 0, 0, 0, old, v, 0, 0, 16 << 8);
    }
    ir_put(b, X86_S_RAX + i->op[0].reg, ir_select(b, IR_I64, none, old, v));
    x86_put_flags(c, x86_fl(c, IR_FL_LOGIC, esz, src, 0, 0, 0));
    return true;
}

bool x86_gen_popcnt(X86Ctx *c, const X86Insn *i)
{
    unsigned esz = i->op[0].esz;
    IrRef src = x86_read_zx(c, i, 1);
    IrRef zero = x86_fl_unpack(c, ir_const(c->b, IR_I32, 0));
    x86_write(c, i, 0, ir_un(c->b, IR_POPCNT, x86_type(esz), src));
    x86_put_flags(c, x86_fl_mix(c, x86_fl(c, IR_FL_LOGIC, esz, src, 0, 0, 0), zero, X86_PF_Z));
    return true;
}

bool x86_gen_bswap(X86Ctx *c, const X86Insn *i)
{
    unsigned esz = i->op[0].esz;
    IrRef v =
        ir_emit(c->b, IR_BSWAP, x86_type(esz), esz, 0, 0, x86_reg(c, i->op[0].reg), 0, 0, 0, 0);
    x86_put_reg(c, esz, i->op[0].reg, v);
    return true;
}
