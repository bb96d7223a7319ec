/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks the rules of include/tcg/ir.h.
 *
 * Allocates nothing from the region's arena that stays: scratch comes from an arena of its own.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tcg/guest.h"
#include "tcg/region.h"

typedef struct IrVerify {
    const IrRegion *r;
    char *why;
    size_t why_bytes;
    Arena arena;
    IrBlk *idom;
    uint32_t *num;   /* block -> place in rpo */
    uint32_t *order; /* op -> place in its block, from 1; 0 = in no block */
} IrVerify;

__attribute__((format(printf, 2, 3))) static bool ir_bad(IrVerify *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(c->why, c->why_bytes, fmt, ap);
    va_end(ap);
    return false;
}

static bool ir_dominates(const IrVerify *c, IrBlk a, IrBlk b)
{
    while (c->num[b] > c->num[a]) {
        b = c->idom[b];
    }
    return a == b;
}

/* Is value v there when op `at` (place `pos` of block blk) runs? */
static bool ir_available(const IrVerify *c, IrRef v, IrBlk blk, uint32_t pos)
{
    const IrOp *o = &c->r->ops[v];

    if (c->order[v] == 0) {
        return false;
    }
    return o->blk == blk ? c->order[v] < pos : ir_dominates(c, o->blk, blk);
}

enum { IR_K_NONE, IR_K_INT, IR_K_VEC, IR_K_FLAGS, IR_K_ANY };

static unsigned ir_kind(unsigned type)
{
    return ir_type_is_int(type)   ? IR_K_INT
           : ir_type_is_vec(type) ? IR_K_VEC
           : type == IR_FLAGS     ? IR_K_FLAGS
           : type == IR_VOID      ? IR_K_NONE
                                  : IR_K_ANY;
}

/* The kind argument i of an op must have. */
static unsigned ir_want_kind(const IrOp *o, unsigned i)
{
    switch (o->op) {
    case IR_COPY:
    case IR_PHI: return ir_kind(o->type);
    case IR_SELECT: return i ? ir_kind(o->type) : IR_K_INT;
    case IR_FL_SEL: return i ? IR_K_FLAGS : IR_K_INT;
    case IR_FL_PACK:
    case IR_FL_COND:
    case IR_FL_MIX: return IR_K_FLAGS;
    case IR_FL_FCMP:
    case IR_FCMP:
    case IR_FTOI:
    case IR_FBITS: return IR_K_VEC;
    case IR_VEXTR:
    case IR_VZEXT:
    case IR_VLO:
    case IR_VMSB: return IR_K_VEC;
    case IR_BITSF:
    case IR_VDUP:
    case IR_ITOF: return IR_K_INT;
    case IR_VINS: return i ? IR_K_INT : IR_K_VEC;
    case IR_CALL:
    case IR_CALLP:
    case IR_CALLS: return IR_K_INT;
    case IR_VCALL:
    case IR_VCALLP: return IR_K_ANY;
    case IR_ST: return i == 2 ? IR_K_ANY : IR_K_INT;
    case IR_LD:
    case IR_PREFETCH:
    case IR_AT_RMW: return IR_K_INT;
    case IR_AT_CAS: return i ? ir_kind(o->type) : IR_K_INT;
    case IR_BRC:
    case IR_EXIT_IND: return IR_K_INT;
    default: return o->op >= IR_VAND && o->op <= IR_VFCVTN ? IR_K_VEC : IR_K_INT;
    }
}

static bool ir_optional_arg(const IrOp *o, unsigned i)
{
    return (o->op >= IR_CALL && o->op <= IR_CALLS) ||
           (i == 1 && (o->op == IR_LD || o->op == IR_ST || o->op == IR_PREFETCH));
}

static bool ir_check_phi(IrVerify *c, IrRef v, const IrOp *o)
{
    const IrBlock *b = &c->r->blocks[o->blk];

    if (o->nargs != b->n_preds) {
        return ir_bad(c, "v%u: phi with %u arguments in b%u with %u predecessors", v, o->nargs,
                      o->blk, b->n_preds);
    }
    for (unsigned i = 0; i < o->nargs; i++) {
        IrRef a = c->r->phi_args[o->imm + i];

        if (a == IR_NONE || a >= c->r->n_ops ||
            !ir_available(c, a, c->r->preds[b->preds + i], UINT32_MAX)) {
            return ir_bad(c, "v%u: phi argument %u (v%u) not there at the end of b%u", v, i, a,
                          c->r->preds[b->preds + i]);
        }
        if (ir_kind(c->r->ops[a].type) != ir_kind(o->type)) {
            return ir_bad(c, "v%u: phi argument v%u has another kind of type", v, a);
        }
    }
    return true;
}

static bool ir_check_snap(IrVerify *c, IrRef v, const IrOp *o)
{
    const IrRegion *r = c->r;
    bool needs = ir_op_info[o->op].attrs & (IRA_FAULT | IRA_SNAP);
    const IrSnap *s;

    if (needs != (o->snap != 0)) {
        return ir_bad(c, "v%u: %s has %s snapshot", v, ir_op_info[o->op].name,
                      o->snap ? "a" : "no");
    }
    if (o->snap >= r->n_snaps) {
        return ir_bad(c, "v%u: snapshot %u does not exist", v, o->snap);
    }
    s = &r->snaps[o->snap];
    for (uint32_t i = 0; o->snap && i < s->n; i++) {
        const IrSnapEntry *e = &r->snap_entries[s->first + i];

        if (e->slot >= r->guest->n_slots || e->val == IR_NONE || e->val >= r->n_ops ||
            !ir_available(c, e->val, o->blk, c->order[v])) {
            return ir_bad(c, "v%u: snapshot value v%u for slot %u is not there", v, e->val,
                          e->slot);
        }
        if (ir_kind(r->ops[e->val].type) != ir_kind(r->guest->slots[e->slot].type)) {
            return ir_bad(c, "v%u: snapshot value v%u has another kind of type than slot %s", v,
                          e->val, r->guest->slots[e->slot].name);
        }
    }
    return true;
}

static bool ir_check_op(IrVerify *c, IrRef v, const IrOp *o)
{
    unsigned n = ir_op_info[o->op].nargs;

    if (o->op >= IR_N_OPS || o->op == IR_NOP || o->type >= IR_N_TYPES) {
        return ir_bad(c, "v%u: bad op %u or type %u", v, o->op, o->type);
    }
    if (o->op == IR_PHI) {
        return ir_check_phi(c, v, o);
    }
    for (unsigned i = 0; i < n; i++) {
        IrRef a = o->arg[i];
        unsigned want = ir_want_kind(o, i), kind;

        if (a == IR_NONE && ir_optional_arg(o, i)) {
            continue;
        }
        if (a == IR_NONE || a >= c->r->n_ops || !ir_available(c, a, o->blk, c->order[v])) {
            return ir_bad(c, "v%u: %s argument %u (v%u) is not defined before", v,
                          ir_op_info[o->op].name, i, a);
        }
        kind = ir_kind(c->r->ops[a].type);
        if (kind == IR_K_NONE || (want != IR_K_ANY && kind != want)) {
            return ir_bad(c, "v%u: %s argument %u (v%u) has type %s", v, ir_op_info[o->op].name, i,
                          a, ir_type_names[c->r->ops[a].type]);
        }
    }
    if ((o->op == IR_BRC || o->op == IR_SELECT || o->op == IR_FL_SEL) &&
        c->r->ops[o->arg[0]].type != IR_I1) {
        return ir_bad(c, "v%u: condition v%u is no i1", v, o->arg[0]);
    }
    if ((o->op == IR_GET || o->op == IR_PHI) && o->slot >= c->r->guest->n_slots) {
        return ir_bad(c, "v%u: no slot %u", v, o->slot);
    }
    if (o->op == IR_CMP && (o->esz < 2 || o->esz > 3)) {
        return ir_bad(c, "v%u: cmp of width %u", v, o->esz);
    }
    return ir_check_snap(c, v, o);
}

static unsigned ir_want_succ(const IrOp *o)
{
    return o->op == IR_BR ? 1 : o->op == IR_BRC ? 2 : 0;
}

static bool ir_check_block(IrVerify *c, IrBlk blk)
{
    const IrRegion *r = c->r;
    const IrBlock *b = &r->blocks[blk];
    bool phis = true;
    IrRef prev = IR_NONE;
    unsigned n;

    if (b->first == IR_NONE || !ir_has_attr(&r->ops[b->last], IRA_TERM)) {
        return ir_bad(c, "b%u: no terminator", blk);
    }
    for (IrRef v = b->first; v != IR_NONE; prev = v, v = r->ops[v].next) {
        const IrOp *o = &r->ops[v];

        if (o->blk != blk || o->prev != prev) {
            return ir_bad(c, "v%u: broken list in b%u", v, blk);
        }
        if (o->op == IR_PHI && !phis) {
            return ir_bad(c, "v%u: phi behind other ops", v);
        }
        phis = o->op == IR_PHI;
        if (v != b->last && ir_has_attr(o, IRA_TERM)) {
            return ir_bad(c, "v%u: terminator inside b%u", v, blk);
        }
        if (!ir_check_op(c, v, o)) {
            return false;
        }
    }
    if (prev != b->last) {
        return ir_bad(c, "b%u: last op is not v%u", blk, b->last);
    }
    n = (b->succ[0] != IR_NO_BLK) + (b->succ[1] != IR_NO_BLK);
    if (n != ir_want_succ(&r->ops[b->last]) || (n == 1 && b->succ[0] == IR_NO_BLK)) {
        return ir_bad(c, "b%u: %u successors do not fit %s", blk, n,
                      ir_op_info[r->ops[b->last].op].name);
    }
    for (unsigned i = 0; i < n; i++) {
        if (b->succ[i] == 0 || b->succ[i] >= r->n_blocks) {
            return ir_bad(c, "b%u: edge to b%u", blk, b->succ[i]);
        }
    }
    return true;
}

static bool ir_verify_all(IrVerify *c)
{
    const IrRegion *r = c->r;

    if (r->n_rpo == 0 || r->rpo[0] != 0) {
        return ir_bad(c, "not analysed, or entry not first");
    }
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        uint32_t n = 0;

        for (IrRef v = r->blocks[r->rpo[i]].first; v != IR_NONE; v = r->ops[v].next) {
            if (v >= r->n_ops || c->order[v]) {
                return ir_bad(c, "v%u: twice in lists or out of range", v);
            }
            c->order[v] = ++n;
        }
    }
    ir_region_dominators(r, c->idom, c->num);
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        if (!ir_check_block(c, r->rpo[i])) {
            return false;
        }
    }
    return true;
}

bool ir_verify(const IrRegion *r, char *why, size_t why_bytes)
{
    IrVerify c = {.r = r, .why = why, .why_bytes = why_bytes};
    bool ok;

    arena_init(&c.arena);
    c.idom = arena_alloc(&c.arena, r->n_blocks * sizeof *c.idom);
    c.num = arena_alloc(&c.arena, r->n_blocks * sizeof *c.num);
    c.order = arena_alloc(&c.arena, r->n_ops * sizeof *c.order);
    ok = ir_verify_all(&c);
    arena_free(&c.arena);
    return ok;
}
