/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Register state while code is emitted, block by block, forward.
 *
 * Allocation and emission are one pass: an op's arguments are brought into registers when it is
 * emitted, evicting the value whose next use is farthest.  A value is stored to its spill slot at
 * most once on a path, when it is first evicted; a GET or a constant never is, its home is the
 * guest's state or the code.  After Braun and Hack (CC 2009).
 *
 * Invariant: X64Val.reg == r if and only if X64Core.regval[r] == v; `free` has the others.
 */
#include <assert.h>
#include <string.h>

#include "tcg/x86_64/core.h"

/* ---- uses in the current block ---- */

void x64_add_use(X64Core *k, IrRef v, uint32_t pos)
{
    X64Val *w = &k->val[v];
    if (w->uses && k->uses[w->uses].pos == pos) {
        return;
    }
    if (k->n_uses == k->cap_uses) {
        k->uses = arena_grow(k->arena, k->uses, &k->cap_uses, k->n_uses + 1, sizeof(X64Use));
    }
    k->uses[k->n_uses] = (X64Use){pos, w->uses, v};
    w->uses = k->n_uses++;
}

static void weak_use(X64Core *k, IrRef v, uint32_t pos)
{
    X64Val *w = &k->val[v];
    if (w->last_weak < pos) {
        w->last_weak = pos;
    }
}

uint32_t x64_next_use(const X64Core *k, IrRef v)
{
    const X64Val *w = &k->val[v];
    for (uint32_t u = w->uses; u; u = k->uses[u].next) {
        if (k->uses[u].pos >= k->pos) {
            return k->uses[u].pos;
        }
    }
    return w->out_pos;
}

bool x64_dies(const X64Core *k, IrRef v)
{
    const X64Val *w = &k->val[v];
    for (uint32_t u = w->uses; u; u = k->uses[u].next) {
        if (k->uses[u].pos > k->pos) {
            return false;
        }
    }
    return w->out_pos == X64_INF && w->last_weak <= k->pos;
}

static void out_uses(X64Core *k, IrBlk b)
{
    const IrRegion *r = k->r;
    uint32_t ng = k->n_globals, nw = k->n_words, len = k->blk[b].len;
    for (uint32_t g = 0; g < ng; g++) {
        X64Val *w = &k->val[k->globals[g]];
        w->uses = 0;
        w->last_weak = 0;
        w->out_pos = X64_INF;
        w->reg = X64_NONE;
        w->in_mem = w->home != X64_HOME_SPILL;
    }
    for (unsigned i = 0; i < 2; i++) {
        IrBlk s = r->blocks[b].succ[i];
        if (s == IR_NO_BLK) {
            continue;
        }
        const IrBlock *f = &r->blocks[b], *t = &r->blocks[s];
        uint32_t cost = len + (t->loop_depth < f->loop_depth ? X64_FAR : 0) +
                        (t->cold && !f->cold ? X64_COLD_FAR : 0);
        for (uint32_t g = 0; g < ng; g++) {
            X64Val *w = &k->val[k->globals[g]];
            const IrOp *op = &r->ops[k->globals[g]];
            uint32_t d = k->in_dist[s * ng + g];
            if (op->op == IR_PHI && op->blk == s) {
                continue;
            }
            if (d != X64_INF && d + cost < w->out_pos) {
                w->out_pos = d + cost;
            }
            if ((k->in_weak[s * nw + g / 64] >> (g % 64)) & 1) {
                w->last_weak = X64_INF;
            }
        }
    }
}

static void edge_uses(X64Core *k, IrBlk b, IrBlk succ, uint32_t pos)
{
    const IrRegion *r = k->r;
    const IrBlock *s = &r->blocks[succ];
    for (unsigned i = 0; i < s->n_preds; i++) {
        if (r->preds[s->preds + i] != b) {
            continue;
        }
        for (IrRef p = s->first; p && r->ops[p].op == IR_PHI; p = r->ops[p].next) {
            IrRef a = x64_canon(k, r->phi_args[r->ops[p].imm + i]);
            if (k->val[p].need != X64_NEED_EMIT) {
                continue;
            }
            if (k->val[p].strong_phi) {
                x64_add_use(k, a, pos);
            } else {
                weak_use(k, a, pos);
            }
        }
    }
}

static void block_uses(X64Core *k, IrBlk b)
{
    const IrRegion *r = k->r;
    uint32_t pos = k->blk[b].len - 1;
    k->n_uses = 1;
    for (unsigned i = 0; i < 2; i++) {
        if (r->blocks[b].succ[i] != IR_NO_BLK) {
            edge_uses(k, b, r->blocks[b].succ[i], pos);
        }
    }
    for (IrRef v = r->blocks[b].last; v; v = r->ops[v].prev) {
        const IrOp *op = &r->ops[v];
        IrRef a[X64_MAX_ARGS];
        unsigned imm;
        pos--;
        if (op->op == IR_PHI) {
            continue;
        }
        if (op->snap) {
            const IrSnap *s = &r->snaps[op->snap];
            for (uint32_t j = 0; j < s->n; j++) {
                x64_leaves(k, r->snap_entries[s->first + j].val, pos, weak_use);
            }
        }
        if (k->val[v].fused || (k->val[v].need != X64_NEED_EMIT && op->op != IR_FL_FCMP)) {
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

void x64_begin_block(X64Core *k, IrBlk b)
{
    uint64_t all = k->allocatable[X64_CLS_GPR] | k->allocatable[X64_CLS_VEC];
    for (uint64_t m = all & ~k->free; m; m &= m - 1) {
        IrRef *held = &k->regval[__builtin_ctzll(m)];
        k->val[*held].reg = X64_NONE;
        *held = IR_NONE;
    }
    k->free = all;
    k->pinned = 0;
    k->cur = b;
    k->pos = 0;
    k->fl = k->blk[b].fl;
    if (!k->uses) {
        k->uses = arena_grow(k->arena, NULL, &k->cap_uses, 32, sizeof(X64Use));
    }
    out_uses(k, b);
    block_uses(k, b);
    const X64Blk *blk = &k->blk[b];
    for (uint32_t i = 0; i < blk->n_in; i++) {
        const X64In *in = &blk->in[i];
        k->val[in->v].in_mem = in->in_mem || k->val[in->v].home != X64_HOME_SPILL;
        if (in->reg != X64_NONE) {
            x64_bind_val(k, in->v, in->reg);
            k->val[in->v].in_mem = in->in_mem || k->val[in->v].home != X64_HOME_SPILL;
        }
    }
}

/* ---- spill slots ---- */

uint16_t x64_spill_slot(X64Core *k, IrRef v)
{
    X64Val *w = &k->val[v];
    if (w->spill) {
        return w->spill;
    }
    unsigned step = w->cls == X64_CLS_VEC ? 2 : 1;
    uint64_t mask = step == 2 ? 3 : 1;
    for (unsigned i = 0; i < TCG_SPILLS - 32; i += step) {
        if (!(k->spill_used[i / 64] & (mask << (i % 64)))) {
            k->spill_used[i / 64] |= mask << (i % 64);
            w->spill = (uint16_t)(i + 1);
            return w->spill;
        }
    }
    k->out_of_spills = true;
    return 1;
}

static void free_spill_slot(X64Core *k, IrRef v)
{
    X64Val *w = &k->val[v];
    if (w->spill && !w->global) {
        unsigned i = w->spill - 1u;
        k->spill_used[i / 64] &= ~((w->cls == X64_CLS_VEC ? 3ull : 1ull) << (i % 64));
        w->spill = 0;
    }
}

X64Mem x64_spill_mem(unsigned spill)
{
    return x64_cpu_mem((uint32_t)(offsetof(TcgCpu, spill) + (spill - 1) * 8));
}

X64Mem x64_home(X64Core *k, IrRef v)
{
    X64Val *w = &k->val[v];
    const IrOp *op = &k->r->ops[v];
    if (w->home == X64_HOME_SLOT) {
        return x64_cpu_mem(k->guest->slots[op->slot].offset);
    }
    if (w->home == X64_HOME_CONST) {
        bool half = op->op == IR_CONST || (op->flags & IRF_HALF);
        return x64_const16(&k->ctx, op->imm, half ? 0 : op->imm);
    }
    return x64_spill_mem(x64_spill_slot(k, v));
}

void x64_spill(X64Core *k, IrRef v)
{
    X64Val *w = &k->val[v];
    if (w->in_mem) {
        return;
    }
    x64_store_home(k, w->reg, w->type, x64_home(k, v));
    w->in_mem = true;
}

/* ---- registers ---- */

void x64_bind_val(X64Core *k, IrRef v, unsigned reg)
{
    X64Val *w = &k->val[v];
    w->reg = (uint8_t)reg;
    w->in_mem = w->home != X64_HOME_SPILL;
    k->regval[reg] = v;
    k->free &= ~(1ull << reg);
}

void x64_unbind_val(X64Core *k, IrRef v)
{
    X64Val *w = &k->val[v];
    if (w->reg != X64_NONE) {
        k->regval[w->reg] = IR_NONE;
        k->free |= 1ull << w->reg;
        w->reg = X64_NONE;
    }
}

static void rebind(X64Core *k, IrRef v, unsigned reg)
{
    bool in_mem = k->val[v].in_mem;
    x64_unbind_val(k, v);
    x64_bind_val(k, v, reg);
    k->val[v].in_mem = in_mem;
}

static unsigned pick_free(X64Core *k, uint64_t set, unsigned hint)
{
    if (hint != X64_NONE && ((set >> hint) & 1)) {
        return hint;
    }
    uint64_t plain = set & ~k->hinted;
    return (unsigned)__builtin_ctzll(plain ? plain : set);
}

void x64_evict(X64Core *k, unsigned reg)
{
    IrRef v = k->regval[reg];
    uint64_t high = k->free & k->allocatable[X64_CLS_VEC] & X64_VEC_HIGH & ~k->pinned;
    if (((X64_VEC_LOW >> reg) & 1) && high && !k->val[v].in_mem) {
        unsigned to = pick_free(k, high, k->val[v].hint);
        x64_move(k, to, reg);
        rebind(k, v, to);
        return;
    }
    x64_spill(k, v);
    x64_unbind_val(k, v);
}

/* How little it costs to take v's register: larger is better. */
static uint64_t evict_score(const X64Core *k, IrRef v)
{
    uint64_t d = x64_next_use(k, v);
    return k->val[v].in_mem ? d * 2 + 1 : d;
}

static unsigned pick_victim(X64Core *k, uint64_t set)
{
    unsigned best = X64_NONE;
    uint64_t best_score = 0;
    for (uint64_t m = set; m; m &= m - 1) {
        unsigned reg = (unsigned)__builtin_ctzll(m);
        uint64_t s = evict_score(k, k->regval[reg]) + 1;
        if (s > best_score) {
            best = reg;
            best_score = s;
        }
    }
    return best;
}

unsigned x64_alloc(X64Core *k, unsigned cls, uint64_t allowed, unsigned hint)
{
    uint64_t set = k->allocatable[cls] & allowed & k->op_regs & ~k->pinned;
    unsigned reg;
    if (set & k->free) {
        reg = pick_free(k, set & k->free, hint);
    } else {
        reg = pick_victim(k, set);
        assert(reg != X64_NONE);
        x64_evict(k, reg);
    }
    k->pinned |= 1ull << reg;
    return reg;
}

void x64_vacate(X64Core *k, unsigned reg, uint64_t forbid)
{
    IrRef v = k->regval[reg];
    if (v) {
        unsigned cls = reg < X64_VEC0 ? X64_CLS_GPR : X64_CLS_VEC;
        uint64_t set = k->free & k->allocatable[cls] & ~k->pinned & ~forbid & ~(1ull << reg);
        if (set) {
            unsigned to = pick_free(k, set, k->val[v].hint);
            x64_move(k, to, reg);
            rebind(k, v, to);
        } else {
            x64_evict(k, reg);
        }
    }
    k->pinned |= 1ull << reg;
}

unsigned x64_use(X64Core *k, IrRef v, uint64_t allowed)
{
    X64Val *w = &k->val[v];
    allowed &= k->op_regs;
    if (w->reg != X64_NONE && ((allowed >> w->reg) & 1)) {
        k->pinned |= 1ull << w->reg;
        return w->reg;
    }
    unsigned old = w->reg;
    if (old != X64_NONE) {
        k->pinned |= 1ull << old;
    }
    unsigned reg = x64_alloc(k, w->cls, allowed, w->hint);
    if (old != X64_NONE) {
        x64_move(k, reg, old);
        k->pinned &= ~(1ull << old);
        rebind(k, v, reg);
    } else {
        x64_load(k, v, reg);
        bool in_mem = w->in_mem;
        x64_bind_val(k, v, reg);
        w->in_mem = in_mem;
    }
    return reg;
}

/* The last use may have been here. */
static void pop_weak(X64Core *k, IrRef v, uint32_t pos)
{
    (void)pos;
    if (x64_dies(k, v)) {
        x64_unbind_val(k, v);
        free_spill_slot(k, v);
    }
}

void x64_end_op(X64Core *k, IrRef v)
{
    const IrRegion *r = k->r;
    const IrOp *op = &r->ops[v];
    while (k->n_uses > 1 && k->uses[k->n_uses - 1].pos <= k->pos) {
        const X64Use *u = &k->uses[--k->n_uses];
        k->val[u->v].uses = u->next;
        pop_weak(k, u->v, 0);
    }
    if (op->snap && (!k->weak_ends || k->weak_ends[k->pos])) {
        const IrSnap *s = &r->snaps[op->snap];
        for (uint32_t j = 0; j < s->n; j++) {
            x64_leaves(k, r->snap_entries[s->first + j].val, 0, pop_weak);
        }
    }
    k->pinned = 0;
}
