/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 loads and stores of general registers: addressing, all plain forms, pairs, literals.
 *
 * Source: Arm ARM (DDI 0487), C4 "Loads and stores", C6.2. Exclusives and atomics: a64_atomic.c.
 * Write-back where the base is also transferred is CONSTRAINED UNPREDICTABLE; here the transfer
 * uses the old base, and the base register ends up with the address. DEVIATION: in user mode
 * a misaligned SP as base raises nothing (SCTLR_EL1.SA0 is taken as 0).
 */
#include "target/arm/tcg/a64_ctx.h"

A64Addr a64_addr_strip(A64Ctx *c, A64Addr a)
{
    if (!(c->mode & A64_MODE_TAGGED)) {
        return a;
    }
    IrRef v = a.base;
    if (a.index) {
        IrRef ix = a.scale ? ir_bini(c->b, IR_SHL, IR_I64, a.index, a.scale) : a.index;
        v = ir_bin(c->b, IR_ADD, IR_I64, v, ix);
    }
    if (a.disp) {
        v = ir_bini(c->b, IR_ADD, IR_I64, v, (uint64_t)a.disp);
    }
    return a64_addr_of(a64_bits(c, IR_I64, true, v, 0, 56));
}

A64Addr a64_addr_reg(A64Ctx *c, unsigned rn, unsigned rm, unsigned option, unsigned shift)
{
    A64Addr a = a64_addr(c, rn, 0);
    a.index = a64_extend(c, a64_x(c, rm), option);
    a.scale = shift;
    if (shift > 3) {
        a.index = ir_bini(c->b, IR_SHL, IR_I64, a.index, shift);
        a.scale = 0;
    }
    return a;
}

/* ---- one register ---- */

typedef enum LdstKind { K_STORE, K_LOAD, K_PREFETCH, K_UNDEF } LdstKind;

/* What size and opc stand for; prefetch: the form has PRFM. */
static LdstKind ldst_kind(const A64Insn *i, bool prefetch)
{
    if (i->opc == 0) {
        return K_STORE;
    }
    if (i->opc == 1) {
        return K_LOAD;
    }
    if (i->sz == 3) {
        return i->opc == 2 && prefetch ? K_PREFETCH : K_UNDEF;
    }
    return i->opc == 3 && i->sz == 2 ? K_UNDEF : K_LOAD;
}

/* Result type of a load: opc 1 zero-extends, 2 sign-extends to X, 3 to W. */
static IrType load_type(const A64Insn *i)
{
    return i->opc == 2 || i->sz == 3 ? IR_I64 : IR_I32;
}

/* Performs the access; the loaded value, IR_NONE for a store. */
static IrRef access_mem(A64Ctx *c, const A64Insn *i, LdstKind kind, unsigned flags, A64Addr a)
{
    if (kind == K_LOAD) {
        return a64_ld(c, load_type(i), i->sz, flags | (i->opc >= 2 ? IRF_SEXT : 0u), a);
    }
    if (kind == K_STORE) {
        a64_st(c, i->sz, flags, a, a64_x(c, i->rt));
    } else {
        a = a64_addr_strip(c, a);
        ir_emit(c->b, IR_PREFETCH, IR_VOID, 0, a.scale, 0, a.base, a.index, 0, 0, (uint64_t)a.disp);
    }
    return IR_NONE;
}

static bool ldst_flags(A64Ctx *c, const A64Insn *i, bool prefetch, unsigned flags, A64Addr a)
{
    LdstKind kind = ldst_kind(i, prefetch);
    if (kind == K_UNDEF) {
        return false;
    }
    IrRef v = access_mem(c, i, kind, flags, a);
    if (v) {
        a64_put_x(c, i->rt, v);
    }
    return true;
}

static bool ldst(A64Ctx *c, const A64Insn *i, bool prefetch, A64Addr a)
{
    return ldst_flags(c, i, prefetch, 0, a);
}

static bool ldst_writeback(A64Ctx *c, const A64Insn *i, bool pre)
{
    LdstKind kind = ldst_kind(i, false);
    if (kind == K_UNDEF) {
        return false;
    }
    int64_t imm = a64_sext(i->imm, 9);
    IrRef base = a64_xsp(c, i->rn);
    IrRef v = access_mem(c, i, kind, 0, (A64Addr){.base = base, .disp = pre ? imm : 0});
    if (v) {
        a64_put_x(c, i->rt, v);
    }
    a64_put_xsp(c, i->rn, ir_bini(c->b, IR_ADD, IR_I64, base, (uint64_t)imm));
    return true;
}

bool gen_LDST_imm(A64Ctx *c, const A64Insn *i)
{
    return ldst(c, i, true, a64_addr(c, i->rn, (int64_t)i->imm << i->sz));
}

bool gen_LDST_unscaled(A64Ctx *c, const A64Insn *i)
{
    return ldst(c, i, true, a64_addr(c, i->rn, a64_sext(i->imm, 9)));
}

bool gen_LDST_unpriv(A64Ctx *c, const A64Insn *i)
{
    unsigned flags = c->mode & A64_MODE_UNPRIV ? IRF_USER : 0;
    return ldst_flags(c, i, false, flags, a64_addr(c, i->rn, a64_sext(i->imm, 9)));
}

bool gen_LDST_reg(A64Ctx *c, const A64Insn *i)
{
    if (!(i->option & 2)) {
        return false;
    }
    return ldst(c, i, true, a64_addr_reg(c, i->rn, i->rm, i->option, i->s ? i->sz : 0));
}

bool gen_LDST_post(A64Ctx *c, const A64Insn *i)
{
    return ldst_writeback(c, i, false);
}

bool gen_LDST_pre(A64Ctx *c, const A64Insn *i)
{
    return ldst_writeback(c, i, true);
}

bool gen_LDR_lit(A64Ctx *c, const A64Insn *i)
{
    uint64_t at = c->pc + (uint64_t)(a64_sext(i->imm, 19) * 4);
    if (i->opc == 3) {
        return true; /* PRFM: not worth an op */
    }
    unsigned esz = i->opc == 1 ? 3 : 2;
    IrRef v = a64_ld(c, i->opc ? IR_I64 : IR_I32, esz, i->opc == 2 ? IRF_SEXT : 0,
                     a64_addr_of(ir_const_pc(c->b, at)));
    a64_put_x(c, i->rt, v);
    return true;
}

/* ---- pairs ---- */

static bool ldst_pair(A64Ctx *c, const A64Insn *i, bool post, bool writeback)
{
    bool sext = i->opc == 1;
    if (i->opc == 3 || (sext && !i->l)) {
        return false;
    }
    unsigned esz = i->opc == 2 ? 3 : 2;
    int64_t imm = a64_sext(i->imm, 7) * (1 << esz);
    IrRef base = a64_xsp(c, i->rn);
    A64Addr a = {.base = base, .disp = post ? 0 : imm};
    if (i->l) {
        IrType t = sext || esz == 3 ? IR_I64 : IR_I32;
        a = a64_addr_strip(c, a);
        IrRef v1 = ir_ld(c->b, t, esz, sext ? IRF_SEXT : 0, a.base, IR_NONE, 0, a.disp);
        IrRef v2 =
            ir_ld(c->b, t, esz, sext ? IRF_SEXT : 0, a.base, IR_NONE, 0, a.disp + (1 << esz));
        a64_put_x(c, i->rt, v1);
        a64_put_x(c, i->rt2, v2);
    } else {
        IrRef v1 = a64_x(c, i->rt), v2 = a64_x(c, i->rt2);
        a = a64_addr_strip(c, a);
        ir_st(c->b, esz, 0, a.base, IR_NONE, 0, a.disp, v1);
        ir_st(c->b, esz, 0, a.base, IR_NONE, 0, a.disp + (1 << esz), v2);
    }
    if (writeback) {
        a64_put_xsp(c, i->rn, ir_bini(c->b, IR_ADD, IR_I64, base, (uint64_t)imm));
    }
    return true;
}

bool gen_LDP_off(A64Ctx *c, const A64Insn *i)
{
    if (i->opc == 1 && !(i->word >> 24 & 1)) {
        return false; /* the no-allocate form has no LDPSW */
    }
    return ldst_pair(c, i, false, false);
}

bool gen_LDP_post(A64Ctx *c, const A64Insn *i)
{
    return ldst_pair(c, i, true, true);
}

bool gen_LDP_pre(A64Ctx *c, const A64Insn *i)
{
    return ldst_pair(c, i, false, true);
}
