/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dead code: pure ops and phis that neither an effect nor a snapshot needs, phis that only feed
 * each other included.
 */
#include "tcg/opt/opt.h"

typedef struct IrDce {
    IrRegion *r;
    uint8_t *live; /* by op */
    uint8_t *snap; /* snapshot seen */
    IrRef *work;
    uint32_t n_work;
} IrDce;

static void dce_mark(IrDce *d, IrRef v)
{
    if (v != IR_NONE && !d->live[v]) {
        d->live[v] = 1;
        d->work[d->n_work++] = v;
    }
}

static bool dce_is_root(const IrOp *o)
{
    return !ir_has_attr(o, IRA_PURE) && o->op != IR_PHI &&
           !(o->op == IR_FL_FCMP && (o->flags & IRF_QUIET));
}

static void dce_uses(IrDce *d, IrRef v)
{
    IrOp *o = &d->r->ops[v];

    for (unsigned k = 0; k < ir_n_args(o); k++) {
        dce_mark(d, *ir_arg(d->r, o, k));
    }
    if (o->snap && !d->snap[o->snap]) {
        const IrSnap *s = &d->r->snaps[o->snap];

        d->snap[o->snap] = 1;
        for (uint32_t k = 0; k < s->n; k++) {
            dce_mark(d, d->r->snap_entries[s->first + k].val);
        }
    }
}

void ir_opt_dce(IrRegion *r)
{
    IrDce d = {.r = r};

    d.live = arena_alloc(r->arena, r->n_ops);
    d.snap = arena_alloc(r->arena, r->n_snaps);
    d.work = arena_alloc(r->arena, r->n_ops * sizeof *d.work);
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        for (IrRef v = r->blocks[r->rpo[i]].first; v != IR_NONE; v = r->ops[v].next) {
            if (dce_is_root(&r->ops[v])) {
                dce_mark(&d, v);
            }
        }
    }
    while (d.n_work) {
        dce_uses(&d, d.work[--d.n_work]);
    }
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        for (IrRef v = r->blocks[r->rpo[i]].first, next; v != IR_NONE; v = next) {
            next = r->ops[v].next;
            if (!d.live[v]) {
                ir_region_unlink(r, v);
            }
        }
    }
}
