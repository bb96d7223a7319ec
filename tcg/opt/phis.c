/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Phis in the type their values really have.
 *
 * A guest register is 64 or 128 bits wide, what a loop keeps in it often less. Promotion makes phis
 * of the slot's type, so that a 32-bit counter would be zero-extended, and a double zeroed above
 * its 64 bits, on every iteration.
 *
 * - An I64 phi all of whose values are 32 bits (other such phis included) becomes I32.
 * - A V128 phi that is read as a scalar and gets one on some edge is doubled by a phi of the
 * scalar, which the loop's arithmetic then goes through. The V128 phi is left with the snapshots.
 * If every edge brings a zero-extended scalar it goes: it is VZEXT of the new phi, a recipe.
 */
#include "tcg/guest.h"
#include "tcg/opt/opt.h"

typedef struct IrPhis {
    IrRegion *r;
    uint32_t n_ops; /* when the pass began */
    uint8_t *mark;  /* narrow pass: may be I32; scalar pass: IrType of the scalar */
    uint8_t *pure;  /* scalar pass: nothing above the scalar on any edge */
    IrRef *scalar;  /* V128 phi -> its scalar phi */
    IrRef *rep;     /* V128 phi -> what replaces it */
} IrPhis;

/* ---- I64 to I32 ---- */

static bool phis_is_narrow(const IrPhis *p, IrRef v)
{
    const IrOp *o = &p->r->ops[v];

    switch (o->op) {
    case IR_PHI: return o->type != IR_I64 || p->mark[v];
    case IR_CONST: return o->imm <= 0xffffffff;
    case IR_ZEXT: return o->esz <= 2 || o->type != IR_I64;
    case IR_UBFX: return (o->imm >> 8 & 0xff) <= 32;
    case IR_LD: return o->type != IR_I64 || (o->esz <= 2 && !(o->flags & IRF_SEXT));
    default: return o->type == IR_I32 || o->type == IR_I1;
    }
}

static void phis_narrow(IrPhis *p)
{
    IrRegion *r = p->r;
    bool changed = true;

    for (uint32_t v = 1; v < p->n_ops; v++) {
        p->mark[v] = r->ops[v].op == IR_PHI && r->ops[v].type == IR_I64;
    }
    while (changed) {
        changed = false;
        for (uint32_t i = 0; i < r->n_rpo; i++) {
            for (IrRef v = r->blocks[r->rpo[i]].first; r->ops[v].op == IR_PHI; v = r->ops[v].next) {
                const IrOp *o = &r->ops[v];

                for (unsigned k = 0; p->mark[v] && k < o->nargs; k++) {
                    if (!phis_is_narrow(p, r->phi_args[o->imm + k])) {
                        p->mark[v] = 0;
                        changed = true;
                    }
                }
            }
        }
    }
    for (uint32_t v = 1; v < p->n_ops; v++) {
        if (p->mark[v]) {
            r->ops[v].type = IR_I32;
            p->mark[v] = 0;
        }
    }
}

/* ---- V128 to scalar ---- */

static bool phis_is_zext(const IrPhis *p, IrRef v, unsigned type)
{
    const IrOp *o = &p->r->ops[v];

    return o->op == IR_VZEXT && p->r->ops[o->arg[0]].type == type;
}

/* mark[phi]: the scalar type it is read as and gets on some edge. */
static void phis_find_scalars(IrPhis *p)
{
    IrRegion *r = p->r;
    bool changed = true;

    for (uint32_t i = 0; i < r->n_rpo; i++) {
        for (IrRef v = r->blocks[r->rpo[i]].first; v != IR_NONE; v = r->ops[v].next) {
            const IrOp *o = &r->ops[v], *a = &r->ops[o->arg[0]];

            for (unsigned k = 0; o->op == IR_VLO && a->op == IR_PHI && k < a->nargs; k++) {
                if (phis_is_zext(p, r->phi_args[a->imm + k], o->type)) {
                    p->mark[o->arg[0]] = o->type;
                }
            }
        }
    }
    while (changed) { /* phis that such phis get their value from are read as scalars too */
        changed = false;
        for (uint32_t v = 1; v < p->n_ops; v++) {
            const IrOp *o = &r->ops[v];

            for (unsigned k = 0; p->mark[v] && k < o->nargs; k++) {
                IrRef a = r->phi_args[o->imm + k];

                if (r->ops[a].op == IR_PHI && !p->mark[a]) {
                    p->mark[a] = p->mark[v];
                    changed = true;
                }
            }
        }
    }
}

/* pure[phi]: every edge brings a zero-extended scalar. */
static void phis_find_pure(IrPhis *p)
{
    const IrRegion *r = p->r;
    bool changed = true;

    for (uint32_t v = 1; v < p->n_ops; v++) {
        p->pure[v] = p->mark[v] != 0;
    }
    while (changed) {
        changed = false;
        for (uint32_t v = 1; v < p->n_ops; v++) {
            const IrOp *o = &r->ops[v];

            for (unsigned k = 0; p->pure[v] && k < o->nargs; k++) {
                IrRef a = r->phi_args[o->imm + k];

                if (!phis_is_zext(p, a, p->mark[v]) && !(p->pure[a] && p->mark[a] == p->mark[v])) {
                    p->pure[v] = 0;
                    changed = true;
                }
            }
        }
    }
}

/* The scalar of a at the end of block `pred`. */
static IrRef phis_scalar_arg(IrPhis *p, IrRef a, unsigned type, IrBlk pred)
{
    IrRegion *r = p->r;
    IrRef v;

    if (phis_is_zext(p, a, type)) {
        return r->ops[a].arg[0];
    }
    if (a < p->n_ops && p->scalar[a] != IR_NONE && p->mark[a] == type) {
        return p->scalar[a];
    }
    v = ir_region_new_op(r, &(IrOp){.op = IR_VLO,
                                    .type = (uint8_t)type,
                                    .esz = (uint8_t)(type - IR_F16 + 1),
                                    .arg = {a}});
    ir_region_insert_before(r, r->blocks[pred].last, v);
    return v;
}

static void phis_make_scalar(IrPhis *p, IrRef v)
{
    IrRegion *r = p->r;
    IrOp o = r->ops[v];
    uint32_t args = ir_region_phi_args(r, o.nargs);

    p->scalar[v] = ir_region_new_op(
        r,
        &(IrOp){.op = IR_PHI, .type = p->mark[v], .slot = o.slot, .nargs = o.nargs, .imm = args});
    ir_region_insert_after(r, v, p->scalar[v]);
}

static void phis_fill_scalar(IrPhis *p, IrRef v)
{
    IrRegion *r = p->r;
    IrOp o = r->ops[v];
    uint64_t args = r->ops[p->scalar[v]].imm;

    for (unsigned k = 0; k < o.nargs; k++) {
        IrRef a = phis_scalar_arg(p, r->phi_args[o.imm + k], p->mark[v],
                                  r->preds[r->blocks[o.blk].preds + k]);

        r->phi_args[args + k] = a;
    }
    if (p->pure[v]) {
        IrRef at = p->scalar[v], z;

        while (r->ops[r->ops[at].next].op == IR_PHI) {
            at = r->ops[at].next;
        }
        z = ir_region_new_op(r, &(IrOp){.op = IR_VZEXT,
                                        .type = IR_V128,
                                        .esz = (uint8_t)(p->mark[v] - IR_F16 + 1),
                                        .slot = (uint16_t)(o.slot + 1),
                                        .arg = {p->scalar[v]}});
        ir_region_insert_after(r, at, z);
        p->rep[v] = z;
    }
}

/* Scalar reads of doubled phis become the scalar phi; phis that are pure become their VZEXT. */
static void phis_rename(IrPhis *p)
{
    IrRegion *r = p->r;

    for (uint32_t i = 0; i < r->n_rpo; i++) {
        for (IrRef v = r->blocks[r->rpo[i]].first; v != IR_NONE; v = r->ops[v].next) {
            IrOp *o = &r->ops[v];
            IrRef a = o->arg[0];

            if (o->op == IR_VLO && a < p->n_ops && p->scalar[a] != IR_NONE &&
                p->mark[a] == o->type) {
                o->op = IR_COPY; /* the next rewriting walk propagates it */
                o->esz = 0;
                o->arg[0] = p->scalar[a];
                continue;
            }
            for (unsigned k = 0; k < ir_n_args(o); k++) {
                IrRef *x = ir_arg(r, o, k);

                *x = *x < p->n_ops && p->rep[*x] != IR_NONE ? p->rep[*x] : *x;
            }
        }
    }
    for (uint32_t i = 0; i < r->n_snap_entries; i++) {
        IrSnapEntry *e = &r->snap_entries[i];

        e->val = e->val < p->n_ops && p->rep[e->val] != IR_NONE ? p->rep[e->val] : e->val;
    }
    for (uint32_t v = 1; v < p->n_ops; v++) {
        if (p->rep[v] != IR_NONE) {
            ir_region_unlink(r, v);
        }
    }
}

void ir_opt_phis(IrRegion *r)
{
    IrPhis p = {.r = r, .n_ops = r->n_ops};
    bool any = false;

    if (r->n_phi_args == 0) {
        return;
    }
    p.mark = arena_alloc(r->arena, r->n_ops);
    phis_narrow(&p);
    phis_find_scalars(&p);
    for (uint32_t v = 1; v < p.n_ops && !any; v++) {
        any = p.mark[v] != 0;
    }
    if (!any) {
        return;
    }
    p.pure = arena_alloc(r->arena, r->n_ops);
    p.scalar = arena_alloc(r->arena, r->n_ops * sizeof *p.scalar);
    p.rep = arena_alloc(r->arena, r->n_ops * sizeof *p.rep);
    phis_find_pure(&p);
    for (uint32_t v = 1; v < p.n_ops; v++) {
        if (p.mark[v]) {
            phis_make_scalar(&p, v);
        }
    }
    for (uint32_t v = 1; v < p.n_ops; v++) {
        if (p.mark[v]) {
            phis_fill_scalar(&p, v);
        }
    }
    phis_rename(&p);
}
