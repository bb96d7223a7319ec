/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loop-invariant code motion, of what is worth a register: vector constants and broadcasts,
 * products, scalar moves between register files. Not of integer constants and additions: hosts
 * have immediates and address modes for them, and a register held through a loop costs more.
 *
 * A loop with one way in from outside is treated: invariants go to the end of that predecessor,
 * if it dominates the loop and leads nowhere else. Inner loops come first, so that what leaves an
 * inner loop may leave the outer one too.
 */
#include "tcg/guest.h"
#include "tcg/opt/opt.h"

enum { IR_HOIST_MAX = 6 }; /* per loop: registers are few */

typedef struct IrLicm {
    IrRegion *r;
    uint32_t *num;
    IrBlk *idom;
    uint32_t *mark; /* block -> head + 1 of the loop being treated, if in it */
    IrBlk *stack;
} IrLicm;

static bool licm_worth(const IrOp *o)
{
    switch (o->op) {
    case IR_VCONST:
    case IR_VDUP:
    case IR_VDUPL:
    case IR_BITSF:
    case IR_VZEXT:
    case IR_MUL:
    case IR_UDIV:
    case IR_SDIV:
    case IR_MULHU:
    case IR_MULHS:
    case IR_CLZ:
    case IR_RBIT: return true;
    default: return false;
    }
}

/* Marks the loop's blocks; returns its one predecessor outside, or IR_NO_BLK. */
static IrBlk licm_enter(IrLicm *l, IrBlk head)
{
    const IrRegion *r = l->r;
    const IrBlock *h = &r->blocks[head];
    IrBlk outside = IR_NO_BLK;
    unsigned n = 0, n_out = 0;

    l->mark[head] = head + 1u;
    for (unsigned k = 0; k < h->n_preds; k++) {
        IrBlk p = r->preds[h->preds + k];
        IrBlk d = p;

        while (l->num[d] > l->num[head]) {
            d = l->idom[d];
        }
        if (d != head) {
            outside = p;
            n_out++;
        } else if (l->mark[p] != head + 1u) {
            l->mark[p] = head + 1u;
            l->stack[n++] = p;
        }
    }
    while (n) {
        const IrBlock *b = &r->blocks[l->stack[--n]];

        for (unsigned k = 0; k < b->n_preds; k++) {
            IrBlk p = r->preds[b->preds + k];

            if (l->mark[p] != head + 1u) {
                l->mark[p] = head + 1u;
                l->stack[n++] = p;
            }
        }
    }
    if (n_out != 1 || r->blocks[outside].succ[1] != IR_NO_BLK) {
        return IR_NO_BLK;
    }
    return outside;
}

static bool licm_invariant(const IrLicm *l, const IrOp *o, IrBlk head)
{
    for (unsigned k = 0; k < ir_op_info[o->op].nargs; k++) {
        const IrOp *a = &l->r->ops[o->arg[k]];

        if (l->mark[a->blk] == head + 1u && a->op != IR_CONST) {
            return false;
        }
    }
    return true;
}

static void licm_move(IrLicm *l, IrRef v, IrBlk to)
{
    IrRegion *r = l->r;
    IrOp o = r->ops[v];
    IrRef last = r->blocks[to].last;

    for (unsigned k = 0; k < ir_op_info[o.op].nargs; k++) { /* constants move along as copies */
        IrOp a = r->ops[o.arg[k]];

        if (a.op == IR_CONST) {
            IrRef c = ir_region_new_op(r, &a);

            ir_region_insert_before(r, last, c);
            o.arg[k] = c;
        }
    }
    ir_region_unlink(r, v);
    o.slot = 0;
    r->ops[v] = o;
    ir_region_insert_before(r, last, v);
}

static void licm_loop(IrLicm *l, IrBlk head)
{
    IrRegion *r = l->r;
    IrBlk to = licm_enter(l, head);
    unsigned moved = 0;

    if (to == IR_NO_BLK) {
        return;
    }
    for (uint32_t i = l->num[head]; i < r->n_rpo; i++) {
        if (l->mark[r->rpo[i]] != head + 1u || r->blocks[r->rpo[i]].cold) {
            continue;
        }
        for (IrRef v = r->blocks[r->rpo[i]].first, next; v != IR_NONE; v = next) {
            next = r->ops[v].next;
            if (moved < IR_HOIST_MAX && licm_worth(&r->ops[v]) &&
                licm_invariant(l, &r->ops[v], head)) {
                licm_move(l, v, to);
                moved++;
            }
        }
    }
}

void ir_opt_licm(IrRegion *r)
{
    IrLicm l = {.r = r};

    l.num = arena_alloc(r->arena, r->n_blocks * sizeof *l.num);
    l.idom = arena_alloc(r->arena, r->n_blocks * sizeof *l.idom);
    l.mark = arena_alloc(r->arena, r->n_blocks * sizeof *l.mark);
    l.stack = arena_alloc(r->arena, r->n_blocks * sizeof *l.stack);
    ir_region_dominators(r, l.idom, l.num);
    for (uint32_t i = r->n_rpo; i-- > 0;) {
        if (r->blocks[r->rpo[i]].loop_head) {
            licm_loop(&l, r->rpo[i]);
        }
    }
}
