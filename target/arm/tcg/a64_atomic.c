/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 exclusives, acquire and release, and the atomics of FEAT_LSE, FEAT_LRCPC(2).
 *
 * Source: Arm ARM (DDI 0487), C6.2 and B2.9 "Synchronization and semaphores".
 *
 * The exclusive monitor is {address, value read}: a store-exclusive is a compare-and-swap against
 * what the load-exclusive read. DEVIATION: a location that was changed and changed back in between
 * is not noticed (ABA), nor is a store-exclusive of another size than the load.
 * Misaligned accesses raise an alignment fault; with FEAT_LSE2 only those across 16 bytes.
 */
#include "target/arm/tcg/a64_ctx.h"

static unsigned align_flag(const A64Ctx *c)
{
    return a64_feat(c, A64_FEAT_LSE2) ? IRF_ALIGN16 : IRF_ALIGN;
}

static IrType type_of_size(unsigned esz)
{
    return esz == 3 ? IR_I64 : IR_I32;
}

/* The address of [Xn|SP] as one value. */
static IrRef plain_address(A64Ctx *c, unsigned rn)
{
    return a64_addr_strip(c, a64_addr(c, rn, 0)).base;
}

/* A vector of two 64-bit integers. */
static IrRef join64(A64Ctx *c, IrRef lo, IrRef hi)
{
    IrRef v = ir_emit(c->b, IR_VDUP, IR_V128, 3, 0, 0, lo, 0, 0, 0, 0);
    return ir_emit(c->b, IR_VINS, IR_V128, 3, 0, 0, v, hi, 0, 0, 1);
}

static IrRef half64(A64Ctx *c, IrRef v, unsigned n)
{
    return ir_emit(c->b, IR_VEXTR, IR_I64, 3, 0, 0, v, 0, 0, 0, n);
}

/* lo + (hi << 32) of two W registers. */
static IrRef join32(A64Ctx *c, IrRef lo, IrRef hi)
{
    return ir_emit(c->b, IR_BFI, IR_I64, 0, 0, 0, ir_ext(c->b, IR_I64, 2, false, lo), hi, 0, 0,
                   32 | 32u << 8);
}

/* ---- acquire, release ---- */

bool gen_LDAR(A64Ctx *c, const A64Insn *i)
{
    IrRef v = a64_ld(c, type_of_size(i->sz), i->sz, IRF_ACQ | align_flag(c), a64_addr(c, i->rn, 0));
    a64_put_x(c, i->rt, v);
    return true;
}

bool gen_LDAPR(A64Ctx *c, const A64Insn *i)
{
    return gen_LDAR(c, i);
}

bool gen_STLR(A64Ctx *c, const A64Insn *i)
{
    a64_st(c, i->sz, IRF_REL | align_flag(c), a64_addr(c, i->rn, 0), a64_x(c, i->rt));
    return true;
}

bool gen_LDAPUR(A64Ctx *c, const A64Insn *i)
{
    A64Addr a = a64_addr(c, i->rn, a64_sext(i->imm, 9));
    if (i->opc == 0) {
        a64_st(c, i->sz, IRF_REL | align_flag(c), a, a64_x(c, i->rt));
        return true;
    }
    if ((i->sz == 3 && i->opc >= 2) || (i->sz == 2 && i->opc == 3)) {
        return false;
    }
    IrType t = i->sz == 3 || i->opc == 2 ? IR_I64 : IR_I32;
    IrRef v = a64_ld(c, t, i->sz, IRF_ACQ | align_flag(c) | (i->opc >= 2 ? IRF_SEXT : 0u), a);
    a64_put_x(c, i->rt, v);
    return true;
}

/* ---- exclusives ---- */

bool gen_LDXR(A64Ctx *c, const A64Insn *i)
{
    IrRef a = plain_address(c, i->rn);
    IrRef v = ir_ld(c->b, type_of_size(i->sz), i->sz, (i->acq ? IRF_ACQ : 0u) | align_flag(c), a,
                    IR_NONE, 0, 0);
    ir_put(c->b, A64_S_EXCL_ADDR, a);
    ir_put(c->b, A64_S_EXCL_VAL0, v);
    a64_put_x(c, i->rt, v);
    return true;
}

bool gen_LDXP(A64Ctx *c, const A64Insn *i)
{
    unsigned acq = i->acq ? IRF_ACQ : 0;
    IrRef a = plain_address(c, i->rn);
    if (!i->sz) {
        IrRef v = ir_ld(c->b, IR_I64, 3, acq | align_flag(c), a, IR_NONE, 0, 0);
        ir_put(c->b, A64_S_EXCL_ADDR, a);
        ir_put(c->b, A64_S_EXCL_VAL0, v);
        a64_put_x(c, i->rt, ir_ext(c->b, IR_I64, 2, false, v));
        a64_put_x(c, i->rt2, ir_bini(c->b, IR_SHR, IR_I64, v, 32));
        return true;
    }
    IrRef v = ir_ld(c->b, IR_V128, 4, acq | IRF_ALIGN | IRF_ATOMIC, a, IR_NONE, 0, 0);
    IrRef lo = half64(c, v, 0), hi = half64(c, v, 1);
    ir_put(c->b, A64_S_EXCL_ADDR, a);
    ir_put(c->b, A64_S_EXCL_VAL0, lo);
    ir_put(c->b, A64_S_EXCL_VAL1, hi);
    a64_put_x(c, i->rt, lo);
    a64_put_x(c, i->rt2, hi);
    return true;
}

/* Rs = status, the monitor is clear, on to the next instruction. */
static void stx_end(A64Ctx *c, const A64Insn *i, IrRef failed)
{
    IrRef one = ir_const(c->b, IR_I32, 1);
    IrRef status = failed ? ir_select(c->b, IR_I32, failed, one, ir_const(c->b, IR_I32, 0)) : one;
    ir_put(c->b, A64_S_EXCL_ADDR, ir_const(c->b, IR_I64, ~0ull));
    a64_put_x(c, i->rs, status);
    a64_goto(c, c->pc + 4);
}

/* Branches to a block for the attempt, which is then current; returns the failure block. */
static IrBlk stx_begin(A64Ctx *c, IrRef address)
{
    IrRef match = ir_cmp(c->b, IR_EQ, 3, address, ir_get(c->b, A64_S_EXCL_ADDR));
    IrBlk attempt = ir_new_block(c->b, c->pc, true), failed = ir_new_block(c->b, c->pc, true);
    ir_brc(c->b, match, attempt, failed);
    ir_set_block(c->b, attempt);
    return failed;
}

static void stx_finish(A64Ctx *c, const A64Insn *i, IrBlk failed)
{
    ir_set_block(c->b, failed);
    stx_end(c, i, IR_NONE);
    c->blk->target[0] = c->pc + 4;
    c->blk->n_targets = 1;
    c->done = true;
}

bool gen_STXR(A64Ctx *c, const A64Insn *i)
{
    IrRef a = plain_address(c, i->rn), v = a64_x(c, i->rt);
    IrBlk failed = stx_begin(c, a);
    IrRef want = ir_get(c->b, A64_S_EXCL_VAL0);
    if (i->sz < 2) { /* the load may have been wider */
        want = ir_ext(c->b, IR_I32, i->sz, false, want);
    }
    IrRef old =
        ir_emit(c->b, IR_AT_CAS, type_of_size(i->sz), i->sz, 0, align_flag(c), a, want, v, 0, 0);
    stx_end(c, i, ir_cmp(c->b, IR_NE, i->sz == 3 ? 3 : 2, old, want));
    stx_finish(c, i, failed);
    return true;
}

bool gen_STXP(A64Ctx *c, const A64Insn *i)
{
    IrRef a = plain_address(c, i->rn), v1 = a64_x(c, i->rt), v2 = a64_x(c, i->rt2);
    IrBlk failed = stx_begin(c, a);
    IrRef want = ir_get(c->b, A64_S_EXCL_VAL0), diff;
    if (i->sz) {
        IrRef want1 = ir_get(c->b, A64_S_EXCL_VAL1);
        IrRef old = ir_emit(c->b, IR_AT_CAS, IR_V128, 4, 0, IRF_ALIGN, a, join64(c, want, want1),
                            join64(c, v1, v2), 0, 0);
        diff = ir_bin(c->b, IR_OR, IR_I64, ir_bin(c->b, IR_XOR, IR_I64, half64(c, old, 0), want),
                      ir_bin(c->b, IR_XOR, IR_I64, half64(c, old, 1), want1));
    } else {
        IrRef old =
            ir_emit(c->b, IR_AT_CAS, IR_I64, 3, 0, align_flag(c), a, want, join32(c, v1, v2), 0, 0);
        diff = ir_bin(c->b, IR_XOR, IR_I64, old, want);
    }
    stx_end(c, i, ir_cmp(c->b, IR_NE, 3, diff, ir_const(c->b, IR_I64, 0)));
    stx_finish(c, i, failed);
    return true;
}

bool gen_CLREX(A64Ctx *c, const A64Insn *i)
{
    (void)i;
    ir_put(c->b, A64_S_EXCL_ADDR, ir_const(c->b, IR_I64, ~0ull));
    return true;
}

/* ---- FEAT_LSE; every one is sequentially consistent here ---- */

static IrRef rmw(A64Ctx *c, const A64Insn *i, IrRmw op)
{
    return ir_emit(c->b, IR_AT_RMW, type_of_size(i->sz), i->sz, op, align_flag(c),
                   plain_address(c, i->rn), a64_x(c, i->rs), 0, 0, 0);
}

bool gen_LDOP(A64Ctx *c, const A64Insn *i)
{
    static const IrRmw ops[8] = {
        IR_RMW_ADD,  IR_RMW_CLR,  IR_RMW_XOR,  IR_RMW_OR,
        IR_RMW_SMAX, IR_RMW_SMIN, IR_RMW_UMAX, IR_RMW_UMIN,
    };
    a64_put_x(c, i->rt, rmw(c, i, ops[i->opc]));
    return true;
}

bool gen_SWP(A64Ctx *c, const A64Insn *i)
{
    a64_put_x(c, i->rt, rmw(c, i, IR_RMW_SWAP));
    return true;
}

bool gen_CAS(A64Ctx *c, const A64Insn *i)
{
    IrRef want = a64_x(c, i->rs);
    if (i->sz < 2) {
        want = ir_ext(c->b, IR_I32, i->sz, false, want);
    }
    IrRef old = ir_emit(c->b, IR_AT_CAS, type_of_size(i->sz), i->sz, 0, align_flag(c),
                        plain_address(c, i->rn), want, a64_x(c, i->rt), 0, 0);
    a64_put_x(c, i->rs, old);
    return true;
}

bool gen_CASP(A64Ctx *c, const A64Insn *i)
{
    if ((i->rs | i->rt) & 1) {
        return false;
    }
    IrRef w0 = a64_x(c, i->rs), w1 = a64_x(c, i->rs + 1);
    IrRef n0 = a64_x(c, i->rt), n1 = a64_x(c, i->rt + 1);
    IrRef a = plain_address(c, i->rn);
    if (i->sz) {
        IrRef old = ir_emit(c->b, IR_AT_CAS, IR_V128, 4, 0, IRF_ALIGN, a, join64(c, w0, w1),
                            join64(c, n0, n1), 0, 0);
        a64_put_x(c, i->rs, half64(c, old, 0));
        a64_put_x(c, i->rs + 1, half64(c, old, 1));
    } else {
        IrRef old = ir_emit(c->b, IR_AT_CAS, IR_I64, 3, 0, align_flag(c), a, join32(c, w0, w1),
                            join32(c, n0, n1), 0, 0);
        a64_put_x(c, i->rs, ir_ext(c->b, IR_I64, 2, false, old));
        a64_put_x(c, i->rs + 1, ir_bini(c->b, IR_SHR, IR_I64, old, 32));
    }
    return true;
}
