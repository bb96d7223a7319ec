/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block borders: where each block expects its live-in values, and the moves that bring them there.
 *
 * The first edge that reaches a block fixes its entry state; later edges, back-edges among them,
 * shuffle into it.  A loop head takes what the loop uses next into registers and has all else in
 * memory before the loop begins; phis sit in the register of their guest slot, where the value of
 * the next iteration wants to be as well, so that back-edges are empty.
 */
#include <string.h>

#include "tcg/x86_64/core.h"

typedef struct Cand {
    IrRef v, src;  /* value and, for phis, what it gets on this edge */
    uint32_t dist; /* X64_INF: only snapshots want it */
    uint32_t n;    /* index in blk->in */
} Cand;

static unsigned pred_index(const X64Core *k, IrBlk from, unsigned idx, IrBlk to)
{
    const IrRegion *r = k->r;
    const IrBlock *t = &r->blocks[to];
    bool twice = idx == 1 && r->blocks[from].succ[0] == to;
    for (unsigned i = 0; i < t->n_preds; i++) {
        if (r->preds[t->preds + i] == from) {
            if (!twice) {
                return i;
            }
            twice = false;
        }
    }
    return 0;
}

static IrRef edge_source(const X64Core *k, IrRef v, IrBlk to, unsigned pred)
{
    const IrOp *op = &k->r->ops[v];
    if (op->op == IR_PHI && op->blk == to) {
        return x64_canon(k, k->r->phi_args[op->imm + pred]);
    }
    return v;
}

static unsigned live_ins(X64Core *k, IrBlk to, unsigned pred, Cand *c)
{
    uint32_t ng = k->n_globals, nw = k->n_words;
    unsigned n = 0;
    for (uint32_t g = 0; g < ng; g++) {
        uint32_t d = k->in_dist[to * ng + g];
        bool weak = (k->in_weak[to * nw + g / 64] >> (g % 64)) & 1;
        if (d == X64_INF && !weak) {
            continue;
        }
        IrRef v = k->globals[g];
        c[n] = (Cand){v, edge_source(k, v, to, pred), d, n};
        n++;
    }
    return n;
}

static bool is_phi_of(const X64Core *k, IrRef v, IrBlk b)
{
    return k->r->ops[v].op == IR_PHI && k->r->ops[v].blk == b;
}

static void sort_by_dist(Cand *c, unsigned n)
{
    for (unsigned gap = n / 2; gap; gap /= 2) {
        for (unsigned i = gap; i < n; i++) {
            Cand t = c[i];
            unsigned j = i;
            while (j >= gap && c[j - gap].dist > t.dist) {
                c[j] = c[j - gap];
                j -= gap;
            }
            c[j] = t;
        }
    }
}

static uint64_t class_set(const X64Core *k, IrRef v)
{
    return k->allocatable[k->val[v].cls];
}

static bool take(X64In *in, uint64_t *left, uint64_t set, unsigned reg)
{
    if (reg == X64_NONE || !((*left & set) >> reg & 1)) {
        return false;
    }
    in->reg = (uint8_t)reg;
    *left &= ~(1ull << reg);
    return true;
}

static unsigned lowest(const X64Core *k, uint64_t set)
{
    uint64_t plain = set & ~k->hinted;
    return set ? (unsigned)__builtin_ctzll(plain ? plain : set) : X64_NONE;
}

/* Which live-ins of a loop head get a register, by class: the nearest uses in the loop first. */
static void enter_loop(X64Core *k, IrBlk to, Cand *c, unsigned n, X64In *in)
{
    uint64_t left = k->allocatable[X64_CLS_GPR] | k->allocatable[X64_CLS_VEC];
    unsigned room[3] = {0}, chosen = 0;
    room[X64_CLS_GPR] = (unsigned)__builtin_popcountll(k->allocatable[X64_CLS_GPR]) - 2;
    room[X64_CLS_VEC] = (unsigned)__builtin_popcountll(k->allocatable[X64_CLS_VEC]) - 2;
    sort_by_dist(c, n);
    for (unsigned i = 0; i < n; i++) {
        Cand t = c[i];
        X64Val *w = &k->val[t.v];
        bool far = t.dist >= X64_FAR;
        bool phi = is_phi_of(k, t.v, to);
        /* what the loop does not read keeps a register only while many are free */
        unsigned spare = !far ? 0 : phi ? 1 : 4;
        if ((far && !phi && w->in_mem) || room[w->cls] <= spare) {
            continue;
        }
        room[w->cls]--;
        c[i] = c[chosen];
        c[chosen++] = t;
    }
    for (unsigned pass = 0; pass < 4; pass++) {
        for (unsigned i = 0; i < chosen; i++) {
            X64In *e = &in[c[i].n];
            bool phi = is_phi_of(k, c[i].v, to);
            if (e->reg != X64_NONE || (pass == 0 && !phi)) {
                continue;
            }
            unsigned want = pass == 0 || pass == 2 ? k->val[c[i].v].hint
                            : pass == 1            ? k->val[c[i].src].reg
                                                   : lowest(k, left & class_set(k, c[i].v));
            take(e, &left, class_set(k, c[i].v), want);
        }
    }
    for (unsigned i = 0; i < n; i++) {
        X64In *e = &in[c[i].n];
        bool phi = is_phi_of(k, c[i].v, to);
        e->in_mem = e->reg == X64_NONE || (!phi && k->val[c[i].v].in_mem);
    }
}

static void enter_join(X64Core *k, IrBlk to, Cand *c, unsigned n, X64In *in, bool single)
{
    uint64_t left = k->allocatable[X64_CLS_GPR] | k->allocatable[X64_CLS_VEC];
    for (unsigned i = 0; i < n; i++) {
        X64Val *w = &k->val[c[i].v];
        if (is_phi_of(k, c[i].v, to) || w->reg == X64_NONE) {
            continue;
        }
        if (!single && w->in_mem && c[i].dist >= X64_COLD_FAR) {
            continue;
        }
        take(&in[c[i].n], &left, ~0ull, w->reg);
    }
    for (unsigned pass = 0; pass < 3; pass++) {
        for (unsigned i = 0; i < n; i++) {
            X64In *e = &in[c[i].n];
            if (!is_phi_of(k, c[i].v, to) || e->reg != X64_NONE) {
                continue;
            }
            uint64_t set = class_set(k, c[i].v);
            if (pass == 2 && c[i].dist == X64_INF && __builtin_popcountll(left & set) < 4) {
                continue;
            }
            take(e, &left, set,
                 pass == 0   ? k->val[c[i].v].hint
                 : pass == 1 ? k->val[c[i].src].reg
                             : lowest(k, left & set));
        }
    }
    for (unsigned i = 0; i < n; i++) {
        X64In *e = &in[c[i].n];
        e->in_mem = e->reg == X64_NONE || (!is_phi_of(k, c[i].v, to) && k->val[c[i].v].in_mem);
    }
}

static void fix_entry(X64Core *k, IrBlk to, unsigned pred)
{
    X64Blk *b = &k->blk[to];
    Cand *c = arena_alloc(k->arena, (k->n_globals + 1) * sizeof(Cand));
    unsigned n = live_ins(k, to, pred, c);
    b->in = arena_alloc(k->arena, (n + 1) * sizeof(X64In));
    b->n_in = n;
    b->entry_known = true;
    for (unsigned i = 0; i < n; i++) {
        b->in[i] = (X64In){c[i].v, X64_NONE, true};
    }
    if (k->r->blocks[to].loop_head) {
        enter_loop(k, to, c, n, b->in);
    } else {
        enter_join(k, to, c, n, b->in, k->r->blocks[to].n_preds == 1);
    }
}

static unsigned source_place(X64Core *k, IrRef v)
{
    X64Val *w = &k->val[v];
    if (w->reg != X64_NONE) {
        return w->reg;
    }
    return w->home == X64_HOME_SPILL ? X64_PLACE_MEM + x64_spill_slot(k, v) : X64_PLACE_HOME;
}

unsigned x64_edge(X64Core *k, IrBlk from, unsigned idx, X64Move *m)
{
    IrBlk to = k->r->blocks[from].succ[idx];
    unsigned pred = pred_index(k, from, idx, to), n = 0;
    X64Blk *b = &k->blk[to];
    if (!b->entry_known) {
        fix_entry(k, to, pred);
    }
    for (uint32_t i = 0; i < b->n_in; i++) {
        const X64In *e = &b->in[i];
        IrRef s = edge_source(k, e->v, to, pred);
        X64Val *w = &k->val[e->v], *sw = &k->val[s];
        X64Move mv = {s, 0, (uint16_t)source_place(k, s), w->cls, w->type};
        if (e->reg != X64_NONE && sw->reg != e->reg) {
            mv.dst = e->reg;
            m[n++] = mv;
        }
        bool same = s == e->v && sw->in_mem;
        if (e->in_mem && w->home == X64_HOME_SPILL && !same) {
            mv.dst = (uint16_t)(X64_PLACE_MEM + x64_spill_slot(k, e->v));
            m[n++] = mv;
        }
        if (n + 2 > X64_MAX_MOVES) {
            k->out_of_spills = true; /* gives the region up */
            return 0;
        }
    }
    return n;
}

/* ---- parallel moves ---- */

static void emit_move(X64Core *k, const X64Move *m)
{
    X64Asm *a = &k->ctx.as;
    if (m->dst < X64_PLACE_MEM && m->src < X64_PLACE_MEM) {
        x64_move(k, m->dst, m->src);
    } else if (m->dst < X64_PLACE_MEM) {
        const IrOp *op = &k->r->ops[m->v];
        if (m->src == X64_PLACE_HOME && op->op == IR_CONST && op->imm == 0) {
            x64_alu_rr(a, 2, X64_ALU_XOR, m->dst, m->dst); /* EFLAGS are dead on edges */
        } else if (m->src == X64_PLACE_HOME) {
            x64_load(k, m->v, m->dst);
        } else {
            x64_load_home(k, m->dst, m->type, x64_spill_mem(m->src - X64_PLACE_MEM));
        }
    } else if (m->src < X64_PLACE_MEM) {
        x64_store_home(k, m->src, m->type, x64_spill_mem(m->dst - X64_PLACE_MEM));
    } else {
        X64Mem d = x64_spill_mem(m->dst - X64_PLACE_MEM);
        X64Mem s =
            m->src == X64_PLACE_HOME ? x64_home(k, m->v) : x64_spill_mem(m->src - X64_PLACE_MEM);
        const IrOp *op = &k->r->ops[m->v];
        if (m->cls == X64_CLS_GPR && op->op == IR_CONST && x64_fits_i32(op->imm)) {
            x64_mov_mi(a, 3, d, (int32_t)op->imm);
            return;
        }
        bool narrow = m->src == X64_PLACE_HOME && op->op == IR_GET && m->cls == X64_CLS_GPR &&
                      k->guest->slots[op->slot].type != IR_I64;
        /* memory to memory without a register: the class whose scratch is free of cycles */
        if (m->cls == X64_CLS_GPR) {
            x64_v2m(a, narrow ? XV_MOVD_L : XV_MOVQX, X64_VTMP, s);
            x64_v2m(a, XV_MOVQX_S, X64_VTMP, d);
        } else {
            for (int i = 0; i < 2; i++, s.disp += 8, d.disp += 8) {
                x64_mov_rm(a, 3, X64_TMP, s);
                x64_mov_mr(a, 3, d, X64_TMP);
            }
        }
    }
}

static void emit_class(X64Core *k, X64Move *m, unsigned n, unsigned cls)
{
    unsigned left = 0;
    for (unsigned i = 0; i < n; i++) {
        if (m[i].cls == cls) {
            m[left++] = m[i];
        }
    }
    while (left) {
        bool moved = false;
        for (unsigned i = 0; i < left; i++) {
            bool blocked = false;
            for (unsigned j = 0; j < left && !blocked; j++) {
                blocked = j != i && m[j].src == m[i].dst;
            }
            if (blocked) {
                continue;
            }
            emit_move(k, &m[i]);
            m[i--] = m[--left];
            moved = true;
        }
        if (!moved) {
            /* a cycle: its first target moves to the scratch register */
            unsigned tmp = cls == X64_CLS_GPR ? (unsigned)X64_TMP : X64_VEC0 + (unsigned)X64_VTMP;
            X64Move s = {m[0].v, (uint16_t)tmp, m[0].dst, (uint8_t)cls, m[0].type};
            emit_move(k, &s);
            for (unsigned j = 0; j < left; j++) {
                if (m[j].src == m[0].dst) {
                    m[j].src = (uint16_t)tmp;
                }
            }
        }
    }
}

void x64_emit_moves(X64Core *k, X64Move *m, unsigned n)
{
    X64Move part[X64_MAX_MOVES];
    for (unsigned cls = X64_CLS_GPR; cls <= X64_CLS_VEC; cls++) {
        memcpy(part, m, n * sizeof(*m));
        emit_class(k, part, n, cls);
    }
}
