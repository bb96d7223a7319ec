/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Algebra of addresses (base + (index << scale) + disp) and of vector moves. */
#include "tcg/simplify.h"

static bool ir_disp_fits(int64_t d)
{
    return d >= INT32_MIN && d <= INT32_MAX;
}

/* v = x + constant, in 64 bits? */
static bool ir_split_add(const IrRegion *r, IrRef v, IrRef *x, int64_t *c)
{
    const IrOp *o = &r->ops[v];
    uint64_t k;

    if (o->op != IR_ADD || o->type != IR_I64 || !ir_konst(r, o->arg[1], &k)) {
        return false;
    }
    *x = o->arg[0];
    *c = (int64_t)k;
    return true;
}

static void ir_addr_index(const IrRegion *r, IrOp *o)
{
    const IrOp *ix = &r->ops[o->arg[1]];
    uint64_t k;

    if (ix->op == IR_SHL && ix->type == IR_I64 && ir_konst(r, ix->arg[1], &k) &&
        (k & 63) + o->sub <= 3) {
        o->sub += k & 63;
        o->arg[1] = ix->arg[0];
    }
}

/* base + index where the base is itself a sum of two registers. */
static void ir_addr_sum(const IrRegion *r, IrOp *o)
{
    const IrOp *sum = &r->ops[o->arg[0]];
    IrRef base, index;
    uint64_t k;

    if (sum->op != IR_ADD || sum->type != IR_I64 || ir_konst(r, sum->arg[1], &k)) {
        return;
    }
    base = sum->arg[0];
    index = sum->arg[1];
    if (r->ops[base].op == IR_SHL && r->ops[index].op != IR_SHL) {
        index = base;
        base = sum->arg[1];
    }
    o->arg[0] = base;
    o->arg[1] = index;
    o->sub = 0;
    ir_addr_index(r, o);
}

/* A store takes the low bytes of its value: what only changes the others is not needed. */
static void ir_store_value(const IrRegion *r, IrOp *o)
{
    const IrOp *v = &r->ops[o->arg[2]];
    bool extends = v->op == IR_ZEXT || v->op == IR_SEXT || v->op == IR_VZEXT;

    if ((extends && v->esz >= o->esz) || (v->op == IR_VLOW64 && o->esz <= 3)) {
        o->arg[2] = v->arg[0];
    }
}

void ir_simplify_addr(IrSimp *s, IrOp *o)
{
    const IrRegion *r = s->r;
    bool indexed = o->op == IR_LD || o->op == IR_ST || o->op == IR_PREFETCH;
    int64_t c;
    uint64_t k;
    IrRef x;

    if (ir_split_add(r, o->arg[0], &x, &c) && ir_disp_fits((int64_t)o->imm + c)) {
        o->arg[0] = x;
        o->imm = (uint64_t)((int64_t)o->imm + c);
    }
    if (!indexed) {
        return;
    }
    if (o->op == IR_ST) {
        ir_store_value(r, o);
    }
    if (o->arg[1] == IR_NONE) {
        ir_addr_sum(r, o);
    }
    if (o->arg[1] == IR_NONE) {
        return;
    }
    if (ir_konst(r, o->arg[1], &k)) {
        c = (int64_t)(k << o->sub);
        if (ir_disp_fits(c) && ir_disp_fits((int64_t)o->imm + c)) {
            o->imm = (uint64_t)((int64_t)o->imm + c);
            o->arg[1] = IR_NONE;
            o->sub = 0;
            return;
        }
    }
    if (o->sub < 3) {
        ir_addr_index(r, o);
    }
    if (ir_split_add(r, o->arg[0], &x, &c) && ir_disp_fits((int64_t)o->imm + c)) {
        o->arg[0] = x;
        o->imm = (uint64_t)((int64_t)o->imm + c);
    }
    if (ir_split_add(r, o->arg[1], &x, &c) && ir_disp_fits(c) &&
        ir_disp_fits((int64_t)o->imm + c * (INT64_C(1) << o->sub))) {
        o->arg[1] = x;
        o->imm = (uint64_t)((int64_t)o->imm + c * (INT64_C(1) << o->sub));
    }
}

/* Are bits 127:64 of v 0 already? */
static bool ir_high_clear(const IrRegion *r, IrRef v)
{
    const IrOp *o = &r->ops[v];

    return o->op == IR_VZEXT || o->op == IR_VLOW64 || (o->flags & IRF_HALF) ||
           (o->op == IR_LD && o->esz <= 3);
}

static IrRef ir_vcopy(const IrRegion *r, IrOp *o, IrRef v)
{
    if (!(o->flags & IRF_HALF) || ir_high_clear(r, v)) {
        return v;
    }
    return ir_simp_to(o, IR_VLOW64, v, IR_NONE);
}

IrRef ir_simplify_vec(IrSimp *s, IrOp *o)
{
    const IrRegion *r = s->r;
    const IrOp *a = &r->ops[o->arg[0]];

    switch (o->op) {
    case IR_VAND:
    case IR_VOR: return o->arg[0] == o->arg[1] ? ir_vcopy(r, o, o->arg[0]) : IR_NONE;
    case IR_VXOR:
        if (o->arg[0] == o->arg[1]) {
            uint8_t type = o->type;

            ir_simp_to(o, IR_VCONST, IR_NONE, IR_NONE);
            o->type = type;
        }
        return IR_NONE;
    case IR_VLOW64: return ir_high_clear(r, o->arg[0]) ? o->arg[0] : IR_NONE;
    case IR_VZEXT:
        if (a->op == IR_VLO && a->type == IR_F64) { /* d register moved to itself */
            ir_simp_to(o, IR_VLOW64, a->arg[0], IR_NONE);
            return ir_high_clear(r, o->arg[0]) ? o->arg[0] : IR_NONE;
        }
        return IR_NONE;
    case IR_VLO:
        if (a->op == IR_VZEXT && r->ops[a->arg[0]].type == o->type) {
            return a->arg[0];
        }
        if (a->op == IR_VLOW64) {
            o->arg[0] = a->arg[0];
        }
        return IR_NONE;
    case IR_FBITS:
        return a->op == IR_BITSF && a->esz == o->esz && a->esz >= 2 &&
                       (a->esz == 3 || r->ops[a->arg[0]].type != IR_I64)
                   ? a->arg[0]
                   : IR_NONE;
    case IR_BITSF:
        return a->op == IR_FBITS && a->esz == o->esz && r->ops[a->arg[0]].type == o->type
                   ? a->arg[0]
                   : IR_NONE;
    default: return IR_NONE;
    }
}
