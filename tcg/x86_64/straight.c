/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Regions of one straight block, IrRegion.straight: nearly all that tier 1 compiles, once and for
 * few executions. They need no graph: one pass forward names the values, one backward says what is
 * needed and fused (when it comes to an op it has seen all that uses it), one lists the uses; then
 * code is emitted. What a value's needs mean stands in analyze.c.
 *
 * The two links behind a branch see the same state, that at the branch: they count as uses by the
 * branch itself.
 */
#include <string.h>

#include "tcg/x86_64/core.h"

/* A snapshot at pos, or a recipe one wants there, names v. */
static void weak_use(X64Core *k, IrRef v, unsigned depth, uint32_t pos)
{
    X64Val *w = &k->val[x64_canon(k, v)];
    w->no_fuse = true;
    w->weak = w->weak > depth + 1 ? w->weak : (uint8_t)(depth + 1);
    w->last_weak = w->last_weak > pos ? w->last_weak : pos;
}

static void weak_uses(X64Core *k, uint32_t snap, uint32_t pos)
{
    const IrSnap *s = &k->r->snaps[snap];
    const IrSnapEntry *e = &k->r->snap_entries[s->first];
    for (uint32_t i = 0; i < s->n; i++) {
        weak_use(k, e[i].val, 0, pos);
    }
}

static const IrOp *link_of(const X64Core *k, unsigned i)
{
    const IrRegion *r = k->r;
    return &r->ops[r->blocks[r->blocks[1].succ[i]].first];
}

static bool same_state(const X64Core *k)
{
    const IrSnap *a = &k->r->snaps[link_of(k, 0)->snap], *b = &k->r->snaps[link_of(k, 1)->snap];
    return a->first == b->first && a->n == b->n;
}

static bool is_flag_op(unsigned op)
{
    return op >= IR_FL_ADD && op <= IR_FL_COND;
}

/* v is emitted: its arguments are needed, and one use richer. */
static void use_args(X64Core *k, IrRef v)
{
    const IrOp *op = &k->r->ops[v];
    if (is_flag_op(op->op)) {
        x64_need_args(k, op);
        x64_count_uses(k, v);
        return;
    }
    for (unsigned i = 0; i < ir_op_info[op->op].nargs; i++) {
        if (op->arg[i] != IR_NONE) {
            IrRef a = x64_canon(k, op->arg[i]);
            k->val[a].need = X64_NEED_EMIT;
            x64_count_use(k, v, i, a);
        }
    }
}

/* v is needed, or only by snapshots, or not at all: all its users are known. */
static void need(X64Core *k, IrRef v)
{
    const IrOp *op = &k->r->ops[v];
    X64Val *w = &k->val[v];
    if (op->op == IR_FL_FCMP && x64_operand_form(k, v)) {
        x64_need_args(k, op);
    } else if (ir_has_attr(op, IRA_EFFECT | IRA_TERM | IRA_FP | IRA_FAULT)) {
        w->mat = op->type == IR_FLAGS;
        w->need = X64_NEED_EMIT;
    }
    if (w->weak && w->need == X64_NEED_NO) {
        if (x64_is_recipe(k, v, w->weak - 1u)) {
            w->need = X64_NEED_LAZY;
            for (unsigned i = 0; i < ir_op_info[op->op].nargs; i++) {
                if (op->arg[i] != IR_NONE) {
                    weak_use(k, op->arg[i], w->weak, w->last_weak);
                }
            }
            return;
        }
        w->mat |= op->type == IR_FLAGS;
        w->need = X64_NEED_EMIT;
    }
    if (w->need == X64_NEED_EMIT) {
        use_args(k, v);
        w->fused = x64_can_fuse(k, v);
        w->row = x64_row(&k->ctx, op);
    }
}

/* x64_args() of this op may be other values than its arguments. */
static bool reads_others(unsigned op)
{
    return is_flag_op(op) || op == IR_CMP || op == IR_SELECT || op == IR_BRC;
}

static void list_plain_uses(X64Core *k, IrRef v, uint32_t pos)
{
    const IrOp *op = &k->r->ops[v];
    for (unsigned i = 0; i < ir_op_info[op->op].nargs; i++) {
        IrRef a = op->arg[i] ? x64_canon(k, op->arg[i]) : IR_NONE;
        if (a && !(x64_is_const(k, a) && x64_takes_imm(k, v, i, a))) {
            x64_add_use(k, a, pos);
        }
    }
}

static void list_uses(X64Core *k, uint32_t pos)
{
    const IrRegion *r = k->r;
    k->n_uses = 1;
    k->cap_uses = 4 * r->n_ops;
    k->uses = arena_take(k->arena, k->cap_uses * sizeof(X64Use));
    for (IrRef v = r->blocks[1].last; v; v = r->ops[v].prev, pos--) {
        X64Val *w = &k->val[v];
        const IrOp *op = &r->ops[v];
        IrRef a[X64_MAX_ARGS];
        unsigned imm;
        if (op->op <= IR_INSN || w->fused || (w->need != X64_NEED_EMIT && op->op != IR_FL_FCMP)) {
            continue;
        }
        if (op->op == IR_ADD && x64_scaled(k, v)) {
            w->row = NULL; /* emitted by the core */
        } else if (!reads_others(op->op)) {
            list_plain_uses(k, v, pos);
            continue;
        }
        unsigned n = x64_args(k, v, a, &imm);
        for (unsigned j = 0; j < n; j++) {
            if (!(imm & (1u << j))) {
                x64_add_use(k, a[j], pos);
            }
        }
    }
}

static void analyze(X64Core *k)
{
    const IrRegion *r = k->r;
    const IrBlock *b = &r->blocks[1];
    uint32_t len = 0, pos;
    k->val = arena_alloc(k->arena, (r->n_ops + 1) * sizeof(X64Val));
    for (IrRef v = b->first; v; v = r->ops[v].next) {
        if (r->ops[v].op != IR_INSN) {
            x64_init_val(k, v);
        }
        len++;
    }
    if (b->succ[0] != IR_NO_BLK) {
        weak_uses(k, link_of(k, 0)->snap, len);
        if (!same_state(k)) {
            weak_uses(k, link_of(k, 1)->snap, len);
        }
    }
    pos = len;
    k->weak_ends = arena_alloc(k->arena, len + 1);
    for (IrRef v = b->last; v; v = r->ops[v].prev, pos--) {
        if (r->ops[v].snap) {
            weak_uses(k, r->ops[v].snap, pos);
        }
        if (k->val[v].canon != v) {
            continue;
        }
        if (r->ops[v].op > IR_INSN) {
            need(k, v);
        }
        k->weak_ends[k->val[v].last_weak] = 1;
    }
    list_uses(k, len);
}

/* The branch at the end: a jump over the link that is not taken to the one that is. */
static void emit_branch(X64Core *k, IrRef v)
{
    IrRef c = x64_canon(k, k->r->ops[v].arg[0]);
    X64Arg args[4];
    X64Label taken = {0, 0};
    x64_cond_operands(k, c, args);
    X64Cond cond = x64_condition(k, c, args);
    X64Mark mark = x64_mark(k);
    X64Locs l = x64_capture(k, link_of(k, 1)->snap);
    X64Locs lt = same_state(k) ? l : x64_capture(k, link_of(k, 0)->snap);
    if (same_state(k) && cond.parity == X64_PAR_NONE && x64_store_before_jump(k, l, cond.cc)) {
        l.n = lt.n = 0; /* stored once for both */
    }
    x64_jump_cond(k, cond, &taken);
    X64Eflags fl = k->fl;
    x64_exit_link(k, link_of(k, 1), l);
    x64_bind(&k->ctx.as, &taken);
    k->fl = fl;
    x64_exit_link(k, link_of(k, 0), lt);
    x64_forget(k, mark);
}

void x64_straight(X64Core *k)
{
    const IrRegion *r = k->r;
    analyze(k);
    for (IrRef v = r->blocks[1].first; v; v = r->ops[v].next) {
        const X64Val *w = &k->val[v];
        k->pos++;
        if ((w->need != X64_NEED_EMIT || w->fused) && r->ops[v].op != IR_FL_FCMP &&
            v != r->blocks[1].last) {
            continue;
        }
        k->pinned = 0;
        k->op_regs = ~X64_VEC_HIGH;
        if (r->ops[v].op == IR_BRC) {
            emit_branch(k, v);
        } else {
            x64_emit_op(k, v);
        }
        if (k->ctx.as.overflow || k->out_of_spills || k->data_full) {
            return;
        }
    }
}
