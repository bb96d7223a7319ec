/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compiling a region: block order, terminators, out-of-line parts, and the tables that go with it.
 */
#include <stdlib.h>
#include <string.h>

#include "tcg/x86_64/core.h"

static void order_blocks(X64Core *k)
{
    const IrRegion *r = k->r;
    k->order = arena_alloc(k->arena, (r->n_rpo + 1) * sizeof(IrBlk));
    bool *placed = arena_alloc(k->arena, r->n_blocks);
    for (unsigned pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < r->n_rpo; i++) {
            IrBlk b = r->rpo[i];
            bool reached = i == 0;
            for (unsigned j = 0; j < r->blocks[b].n_preds; j++) {
                reached |= placed[r->preds[r->blocks[b].preds + j]];
            }
            if (placed[b] || !reached || (pass == 0 && r->blocks[b].cold)) {
                continue;
            }
            placed[b] = true;
            k->blk[b].order = k->n_order;
            k->order[k->n_order++] = b;
        }
    }
}

static X64Cond negate(X64Cond c)
{
    static const uint8_t par[] = {
        [X64_PAR_NONE] = X64_PAR_NONE, [X64_PAR_AND] = X64_PAR_OR, [X64_PAR_OR] = X64_PAR_AND};
    return (X64Cond){c.cc ^ 1, par[c.parity]};
}

static void jump_to(X64Core *k, IrBlk to, IrBlk next)
{
    if (to != next) {
        x64_jmp(&k->ctx.as, &k->blk[to].label);
    }
}

static X64Stub *new_stub(X64Core *k, IrBlk to, const X64Move *m, unsigned n)
{
    X64Stub *s = arena_alloc(k->arena, sizeof(*s));
    s->to = to;
    s->n = n;
    s->moves = arena_alloc(k->arena, n * sizeof(*m));
    memcpy(s->moves, m, n * sizeof(*m));
    *k->stub_last = s;
    k->stub_last = &s->next;
    return s;
}

static void emit_brc(X64Core *k, IrRef v, IrBlk next)
{
    const IrRegion *r = k->r;
    const IrBlock *b = &r->blocks[k->cur];
    IrRef c = x64_canon(k, r->ops[v].arg[0]);
    X64Move mt[X64_MAX_MOVES], mf[X64_MAX_MOVES];
    IrBlk t = b->succ[0], f = b->succ[1];
    X64Arg args[4];
    x64_cond_operands(k, c, args);
    unsigned nt = x64_edge(k, k->cur, 0, mt), nf = x64_edge(k, k->cur, 1, mf);
    X64Cond cond = x64_condition(k, c, args);
    X64Move *inl = mf;
    for (unsigned i = 0; i < 2; i++) {
        /* moves leave EFLAGS alone: a block with this one way in still finds the comparison */
        if (r->blocks[b->succ[i]].n_preds == 1) {
            k->blk[b->succ[i]].fl = k->fl;
        }
    }
    /* t: the side that is jumped to; f: the side whose moves stand inline */
    bool swap = nt && nf ? r->blocks[f].cold && !r->blocks[t].cold
                : nt     ? !r->blocks[t].cold
                : nf     ? false
                         : t == next;
    if (swap) {
        IrBlk x = t;
        unsigned n = nt;
        t = f;
        f = x;
        nt = nf;
        nf = n;
        inl = mt;
        cond = negate(cond);
    }
    if (nt) {
        X64Stub *s = new_stub(k, t, inl == mf ? mt : mf, nt);
        x64_jump_cond(k, cond, &s->label);
    } else {
        x64_jump_cond(k, cond, &k->blk[t].label);
    }
    x64_emit_moves(k, inl, nf);
    jump_to(k, f, next);
}

static void emit_br(X64Core *k, IrBlk next)
{
    X64Move m[X64_MAX_MOVES];
    unsigned n = x64_edge(k, k->cur, 0, m);
    x64_emit_moves(k, m, n);
    jump_to(k, k->r->blocks[k->cur].succ[0], next);
}

static void emit_block(X64Core *k, IrBlk b, IrBlk next)
{
    const IrRegion *r = k->r;
    X64Blk *blk = &k->blk[b];
    x64_begin_block(k, b);
    if (r->blocks[b].loop_head && r->tier > 1) {
        x64_nop(&k->ctx.as, -(uint32_t)(uintptr_t)x64_rx(&k->ctx.as) & 15);
    }
    x64_bind(&k->ctx.as, &blk->label);
    blk->emitted = true;
    for (IrRef v = r->blocks[b].first; v; v = r->ops[v].next) {
        k->pos++;
        k->pinned = 0;
        k->op_regs = ~X64_VEC_HIGH;
        switch (r->ops[v].op) {
        case IR_BR: emit_br(k, next); break;
        case IR_BRC: emit_brc(k, v, next); break;
        default: x64_emit_op(k, v);
        }
        if (k->ctx.as.overflow || k->out_of_spills || k->data_full) {
            return;
        }
    }
}

static void emit_graph(X64Core *k)
{
    x64_analyze(k);
    order_blocks(k);
    k->blk[k->r->rpo[0]].entry_known = true;
    for (uint32_t i = 0; i < k->n_order; i++) {
        emit_block(k, k->order[i], i + 1 < k->n_order ? k->order[i + 1] : IR_NO_BLK);
        if (k->ctx.as.overflow || k->out_of_spills || k->data_full) {
            return;
        }
    }
}

static void emit_out_of_line(X64Core *k)
{
    X64Stub *s = k->stub_first;
    X64Cold *c = k->cold_first;
    while (s || c) {
        if (s) {
            x64_bind(&k->ctx.as, &s->label);
            x64_emit_moves(k, s->moves, s->n);
            x64_jmp(&k->ctx.as, &k->blk[s->to].label);
            s = s->next;
            continue;
        }
        x64_bind(&k->ctx.as, &c->entry);
        k->fl.kind = 0;
        c->fn(&k->ctx, c);
        c = c->next;
    }
}

static uint32_t count_links(const IrRegion *r)
{
    uint32_t n = 0;
    for (uint32_t v = 1; v < r->n_ops; v++) {
        n += r->ops[v].op == IR_EXIT_LINK || r->ops[v].op == IR_PUSH_RET;
    }
    return n;
}

static void *copy_out(char **at, const void *p, size_t bytes)
{
    char *q = *at;
    if (bytes) {
        memcpy(q, p, bytes);
    }
    *at = q + bytes;
    return q;
}

static void finish(X64Core *k, Arena *tables, TcgCompiled *out)
{
    size_t faults = k->n_faults * sizeof(*k->faults), consts = k->n_consts * sizeof(*k->consts);
    size_t recipes = k->n_recipes * sizeof(*k->recipes), locs = k->n_locs * sizeof(*k->locs);
    size_t bytes = faults + consts + recipes + locs;
    out->code_bytes = x64_offset(&k->ctx.as);
    out->links = k->links;
    out->n_links = k->n_links;
    out->counter = k->counter;
    if (!bytes) {
        return;
    }
    if (!tables && !(out->heap = malloc(bytes))) {
        abort();
    }
    char *at = tables ? arena_alloc(tables, bytes) : out->heap;
    out->n_faults = k->n_faults;
    out->n_locs = k->n_locs;
    out->n_recipes = k->n_recipes;
    out->n_consts = k->n_consts;
    out->faults = copy_out(&at, k->faults, faults);
    out->consts = copy_out(&at, k->consts, consts);
    out->recipes = copy_out(&at, k->recipes, recipes);
    out->locs = copy_out(&at, k->locs, locs);
}

static void init_core(X64Core *k, const IrRegion *r, TcgCodeBuf *buf)
{
    uint32_t host = x64_fixed(buf)->host;
    k->r = r;
    k->guest = r->guest;
    k->buf = buf;
    k->arena = r->arena;
    k->cold_last = &k->cold_first;
    k->stub_last = &k->stub_first;
    k->data_used = buf->data_used;
    k->allocatable[X64_CLS_GPR] = 0xffff & ~(1u << X64_RAX | 1u << X64_RSP | 1u << X64_RBP);
    k->allocatable[X64_CLS_VEC] = 0x7fffull << X64_VEC0;
    if (host & TCG_HOST_AVX512VL) {
        k->allocatable[X64_CLS_VEC] |= X64_VEC_HIGH;
    }
    k->free = k->allocatable[X64_CLS_GPR] | k->allocatable[X64_CLS_VEC];
    k->call_save = 1u << X64_RCX | 1u << X64_RDX | 1u << X64_RSI | 1u << X64_RDI | 0xf00 |
                   0xffffffffull << X64_VEC0;
    k->ctx.r = r;
    k->ctx.core = k;
    k->ctx.host = host;
    k->ctx.fp_native = r->guest->fp_native && r->guest->fp_native(r->mode);
    k->ctx.strict_ufc = true;
    k->ctx.fp_flush = k->ctx.fp_native && r->guest->fp_flush && r->guest->fp_flush(r->mode);
}

static bool compile_in(X64Core *k, uint32_t heat, Arena *tables, TcgCompiled *out)
{
    const IrRegion *r = k->r;
    TcgCodeBuf *buf = k->buf;
    size_t used = (buf->code_used + X64_ENTRY_STUB + 15) & ~(size_t)15;
    if (used + 64 > buf->code_bytes) {
        return false;
    }
    x64_asm_init(&k->ctx.as, buf->rw + used, buf->code_bytes - used, buf->rx + used,
                 k->ctx.host & TCG_HOST_AVX);
    uint32_t n_links = count_links(r);
    size_t off = x64_data_alloc(k, n_links * sizeof(TcgLink), 16);
    if (k->data_full) {
        return false;
    }
    k->links = (TcgLink *)(void *)(buf->data + off);
    memset(k->links, 0, n_links * sizeof(TcgLink));
    x64_emit_entry(k, heat);
    out->body_off = x64_offset(&k->ctx.as);
    if (r->straight) {
        x64_straight(k);
    } else {
        emit_graph(k);
    }
    if (!k->ctx.as.overflow && !k->out_of_spills && !k->data_full) {
        emit_out_of_line(k);
        x64_link_stubs(k);
    }
    if (k->out_of_spills) {
        out->code_bytes = 0xffffffff;
        return false;
    }
    if (k->ctx.as.overflow || k->data_full) {
        return false;
    }
    out->code = buf->rx + used;
    finish(k, tables, out);
    buf->code_used = used + out->code_bytes;
    buf->data_used = k->data_used;
    buf->counter_bytes += k->counter ? sizeof(*k->counter) : 0;
    return true;
}

static bool x64_compile(const IrRegion *r, TcgCodeBuf *buf, uint32_t heat, Arena *tables,
                        TcgCompiled *out)
{
    X64Core *k = arena_alloc(r->arena, sizeof(*k));
    memset(out, 0, sizeof(*out));
    init_core(k, r, buf);
    return compile_in(k, heat, tables, out);
}

const TcgBackend tcg_backend_x86_64 = {
    .name = "x86_64",
    .host_features = x64_host_features,
    .emit_prologue = x64_emit_prologue,
    .compile = x64_compile,
    .enter = x64_enter,
    .exit_address = x64_exit_address,
    .restore = x64_restore,
    .disas = x64_disas,
};
