/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rewriting walk: algebra, copies, common subexpressions, constant branches.
 *
 * Blocks are taken in order, so an op's arguments (loop phis apart) have been rewritten before it.
 * `rep` says which value replaces an op that went. Value numbering: a hash table of pure ops;
 * a hit counts if the earlier op's block dominates this one.
 */
#include <string.h>

#include "tcg/guest.h"
#include "tcg/opt/opt.h"
#include "tcg/simplify.h"

typedef struct IrFold {
    IrSimp simp; /* must be first */
    IrRegion *r;
    IrRef *rep;
    unsigned cap_rep;
    IrRef *hash;
    uint32_t hash_mask;
    IrBlk *idom;
    uint32_t *num;
    IrRef at;    /* op being rewritten: helpers go before it */
    bool packed; /* FL_COND on packed flags becomes bit tests */
    bool edges;  /* a branch became constant: the graph changed */
} IrFold;

static IrRef fold_find(IrFold *f, IrRef v)
{
    while (v < f->cap_rep && f->rep[v] != IR_NONE) {
        v = f->rep[v];
    }
    return v;
}

static void fold_replace(IrFold *f, IrRef v, IrRef by)
{
    if (v >= f->cap_rep) {
        f->rep = arena_grow(f->r->arena, f->rep, &f->cap_rep, v + 1, sizeof *f->rep);
    }
    f->rep[v] = by;
}

static bool fold_dominates(const IrFold *f, IrBlk a, IrBlk b)
{
    while (f->num[b] > f->num[a]) {
        b = f->idom[b];
    }
    return a == b;
}

static uint32_t fold_hash(const IrOp *o)
{
    uint64_t h = o->op | (uint64_t)o->type << 8 | (uint64_t)o->esz << 16 | (uint64_t)o->sub << 24 |
                 (uint64_t)o->flags << 32;

    if (o->op == IR_GET) {
        h ^= (uint64_t)o->slot << 48;
    }
    h = (h ^ o->imm) * UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ (o->arg[0] | (uint64_t)o->arg[1] << 32)) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ (h >> 29) ^ (o->arg[2] | (uint64_t)o->arg[3] << 32)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(h >> 32);
}

static bool fold_same(const IrOp *a, const IrOp *b)
{
    return a->op == b->op && a->type == b->type && a->esz == b->esz && a->sub == b->sub &&
           a->flags == b->flags && a->imm == b->imm && (a->op != IR_GET || a->slot == b->slot) &&
           memcmp(a->arg, b->arg, sizeof a->arg) == 0;
}

/* An earlier op equal to *o that is there in block blk; else v (if any) is entered. */
static IrRef fold_cse(IrFold *f, const IrOp *o, IrBlk blk, IrRef v)
{
    uint32_t i = fold_hash(o) & f->hash_mask;

    if (!(ir_op_info[o->op].attrs & IRA_PURE) || o->op == IR_NOP ||
        (o->op == IR_GET && (o->flags & IRF_LATE))) {
        return IR_NONE;
    }
    for (unsigned probe = 0; probe < 4; probe++, i = (i + 1) & f->hash_mask) {
        IrRef e = f->hash[i];

        if (e == IR_NONE) {
            f->hash[i] = v;
            return IR_NONE;
        }
        if (e == v) {
            return IR_NONE;
        }
        if (fold_same(&f->r->ops[e], o)) {
            if (fold_dominates(f, f->r->ops[e].blk, blk)) {
                return e;
            }
            f->hash[i] = v ? v : e;
            return IR_NONE;
        }
    }
    f->hash[i] = v ? v : f->hash[i];
    return IR_NONE;
}

/* A helper op before the one being rewritten. */
static IrRef fold_emit(IrSimp *s, const IrOp *op)
{
    IrFold *f = (IrFold *)(void *)s;
    IrOp o = *op;
    IrBlk blk = f->r->ops[f->at].blk;
    IrRef v = ir_simplify(s, &o);

    if (v == IR_NONE && f->packed && o.op == IR_FL_COND &&
        (f->r->ops[o.arg[0]].op == IR_GET || f->r->ops[o.arg[0]].op == IR_PHI)) {
        v = ir_simplify_packed(s, &o);
    }
    if (v == IR_NONE) {
        v = fold_cse(f, &o, blk, IR_NONE);
    }
    if (v == IR_NONE) {
        o.slot = 0;
        v = ir_region_new_op(f->r, &o);
        ir_region_insert_before(f->r, f->at, v);
        fold_cse(f, &o, blk, v);
    }
    return v;
}

static IrRef fold_emit_after(IrSimp *s, IrRef where, const IrOp *op)
{
    IrRegion *r = s->r;
    IrRef next = r->ops[where].next, v;

    for (unsigned i = 0; i < 4 && next != IR_NONE; i++) {
        const IrOp *o = &r->ops[next];

        if (o->op == op->op && o->sub == op->sub && o->esz == op->esz &&
            memcmp(o->arg, op->arg, sizeof o->arg) == 0) {
            return next;
        }
        next = o->next;
    }
    v = ir_region_new_op(r, op);
    ir_region_insert_after(r, where, v);
    return v;
}

static void fold_args(IrFold *f, IrRef v)
{
    IrOp *o = &f->r->ops[v];

    for (unsigned k = 0; k < ir_n_args(o); k++) {
        IrRef *a = ir_arg(f->r, o, k);

        *a = fold_find(f, *a);
    }
}

static void fold_op(IrFold *f, IrRef v)
{
    IrRegion *r = f->r;
    IrOp o = r->ops[v];
    IrRef by;

    f->at = v;
    by = ir_simplify(&f->simp, &o);
    if (by == IR_NONE && f->packed && o.op == IR_FL_COND &&
        (r->ops[o.arg[0]].op == IR_GET || r->ops[o.arg[0]].op == IR_PHI)) {
        by = ir_simplify_packed(&f->simp, &o);
    }
    if (by == IR_NONE) {
        o.blk = r->ops[v].blk; /* helpers may have come in before it */
        o.prev = r->ops[v].prev;
        o.next = r->ops[v].next;
        r->ops[v] = o;
        by = fold_cse(f, &o, o.blk, v);
    }
    if (by != IR_NONE && by != v) {
        IrOp *to = &r->ops[by];

        if (to->slot == 0 && to->op != IR_GET && to->op != IR_PHI && o.op != IR_GET) {
            to->slot = r->ops[v].slot;
        }
        fold_replace(f, v, by);
        ir_region_unlink(r, v);
    }
}

/* Constant and negated branch conditions. */
static void fold_branch(IrFold *f, IrBlk blk)
{
    IrRegion *r = f->r;
    IrBlock *b = &r->blocks[blk];
    IrOp *o = &r->ops[b->last];
    const IrOp *c = &r->ops[o->arg[0]];
    uint64_t k;

    if (o->op != IR_BRC) {
        return;
    }
    if (c->op == IR_XOR && c->type == IR_I1 && ir_konst(r, c->arg[1], &k) && k == 1) {
        IrBlk t = b->succ[0];

        o->arg[0] = c->arg[0];
        b->succ[0] = b->succ[1];
        b->succ[1] = t;
        f->edges = true;
    } else if (ir_konst(r, o->arg[0], &k)) {
        o->op = IR_BR;
        o->arg[0] = IR_NONE;
        b->succ[0] = b->succ[k & 1 ? 0 : 1];
        b->succ[1] = IR_NO_BLK;
        f->edges = true;
    }
}

static void fold_snaps(IrFold *f)
{
    for (uint32_t i = 0; i < f->r->n_snap_entries; i++) {
        IrSnapEntry *e = &f->r->snap_entries[i];

        e->val = fold_find(f, e->val);
    }
}

/* Phis all of whose arguments are one value, or themselves. */
static void fold_phis(IrFold *f)
{
    IrRegion *r = f->r;
    bool changed = true;

    while (changed) {
        changed = false;
        for (uint32_t i = 0; i < r->n_rpo; i++) {
            for (IrRef v = r->blocks[r->rpo[i]].first, next; r->ops[v].op == IR_PHI; v = next) {
                const IrOp *o = &r->ops[v];
                IrRef same = IR_NONE;
                bool trivial = true;

                next = o->next;
                for (unsigned k = 0; k < o->nargs; k++) {
                    IrRef a = fold_find(f, r->phi_args[o->imm + k]);

                    r->phi_args[o->imm + k] = a;
                    trivial &= a == v || same == IR_NONE || a == same;
                    same = a == v ? same : a;
                }
                if (trivial && same != IR_NONE) {
                    fold_replace(f, v, same);
                    ir_region_unlink(r, v);
                    changed = true;
                }
            }
        }
    }
}

void ir_region_reanalyze(IrRegion *r)
{
    struct {
        uint32_t preds;
        uint16_t n;
    } *old = arena_alloc(r->arena, r->n_blocks * sizeof *old);
    const IrBlk *old_preds = r->preds;

    for (uint32_t i = 0; i < r->n_blocks; i++) {
        old[i].preds = r->blocks[i].preds;
        old[i].n = r->blocks[i].n_preds;
    }
    ir_region_analyze(r);
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        IrBlk blk = r->rpo[i];
        const IrBlock *b = &r->blocks[blk];

        for (IrRef v = b->first; r->ops[v].op == IR_PHI; v = r->ops[v].next) {
            uint32_t was = (uint32_t)r->ops[v].imm, is = ir_region_phi_args(r, b->n_preds);

            for (unsigned k = 0; k < b->n_preds; k++) {
                unsigned from = 0;

                while (from < old[blk].n - 1u &&
                       old_preds[old[blk].preds + from] != r->preds[b->preds + k]) {
                    from++;
                }
                r->phi_args[is + k] = r->phi_args[was + from];
            }
            r->ops[v].imm = is;
            r->ops[v].nargs = b->n_preds;
        }
    }
}

void ir_rewrite(IrRegion *r, bool packed)
{
    IrFold f = {.simp = {.r = r, .emit = fold_emit, .emit_after = fold_emit_after},
                .r = r,
                .packed = packed};

    f.rep = arena_grow(r->arena, NULL, &f.cap_rep, r->n_ops + 64, sizeof *f.rep);
    f.hash_mask = 63;
    while (f.hash_mask < r->n_ops) {
        f.hash_mask = f.hash_mask * 2 + 1;
    }
    f.hash = arena_alloc(r->arena, (f.hash_mask + 1) * sizeof *f.hash);
    f.idom = arena_alloc(r->arena, r->n_blocks * sizeof *f.idom);
    f.num = arena_alloc(r->arena, r->n_blocks * sizeof *f.num);
    ir_region_dominators(r, f.idom, f.num);
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        for (IrRef v = r->blocks[r->rpo[i]].first, next; v != IR_NONE; v = next) {
            fold_args(&f, v);
            next = r->ops[v].next; /* nothing comes in between: helpers stand before v */
            if (r->ops[v].op != IR_PHI) {
                fold_op(&f, v);
            }
        }
        fold_branch(&f, r->rpo[i]);
    }
    fold_phis(&f);
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        for (IrRef v = r->blocks[r->rpo[i]].first; v != IR_NONE; v = r->ops[v].next) {
            fold_args(&f, v);
        }
    }
    fold_snaps(&f);
    if (f.edges) {
        ir_region_reanalyze(r);
    }
}

void ir_opt_fold(IrRegion *r)
{
    ir_rewrite(r, false);
}
