/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The graph of a region: predecessors, order, dominators, loops.
 *
 * Order (IrRegion.rpo): reverse post-order, then blocks that run rarely behind the others. Every
 * block still has one predecessor before it, and its dominators, because a block moves back only
 * if all the others can be reached without it.
 */
#include <string.h>

#include "tcg/region.h"

typedef struct IrWalk {
    IrRegion *r;
    IrBlk *post; /* blocks in post-order */
    uint32_t n_post;
    uint8_t *state; /* 0 new, 1 on the stack, 2 done */
    IrBlk *stack;
    uint8_t *next; /* edges of the block already followed */
} IrWalk;

static unsigned ir_n_succ(const IrBlock *b)
{
    return (b->succ[0] != IR_NO_BLK) + (b->succ[1] != IR_NO_BLK);
}

/* Which edge to follow i-th: the last one followed comes right behind the block in the order. */
static IrBlk ir_walk_edge(const IrRegion *r, const IrBlock *b, unsigned i)
{
    bool swap = ir_n_succ(b) == 2 && r->blocks[b->succ[0]].weight > r->blocks[b->succ[1]].weight;

    return b->succ[swap ? i ^ 1 : i];
}

static void ir_walk(IrWalk *w)
{
    unsigned depth = 1;

    w->stack[0] = 0;
    w->state[0] = 1;
    while (depth) {
        IrBlk blk = w->stack[depth - 1];
        IrBlock *b = &w->r->blocks[blk];

        if (w->next[blk] < ir_n_succ(b)) {
            IrBlk to = ir_walk_edge(w->r, b, w->next[blk]++);

            if (w->state[to] == 0) {
                w->state[to] = 1;
                w->stack[depth++] = to;
            } else if (w->state[to] == 1) {
                w->r->blocks[to].loop_head = true;
            }
        } else {
            w->state[blk] = 2;
            w->post[w->n_post++] = blk;
            depth--;
        }
    }
}

static void ir_find_preds(IrRegion *r)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < r->n_rpo; i++) {
        const IrBlock *b = &r->blocks[r->rpo[i]];

        for (unsigned s = 0; s < ir_n_succ(b); s++) {
            r->blocks[b->succ[s]].n_preds++;
            n++;
        }
    }
    r->preds = arena_alloc(r->arena, (n + 1) * sizeof *r->preds);
    n = 0;
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        IrBlock *b = &r->blocks[r->rpo[i]];

        b->preds = n;
        n += b->n_preds;
        b->n_preds = 0;
    }
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        const IrBlock *b = &r->blocks[r->rpo[i]];

        for (unsigned s = 0; s < ir_n_succ(b); s++) {
            IrBlock *to = &r->blocks[b->succ[s]];

            r->preds[to->preds + to->n_preds++] = r->rpo[i];
        }
    }
}

/* Cold: marked so, or (tier 2) leaving the region. */
static bool ir_is_cold(const IrRegion *r, const IrBlock *b)
{
    return b->cold || (r->tier >= 2 && ir_n_succ(b) == 0);
}

/* Moves cold blocks to the end; num[] is the position in reverse post-order. */
static void ir_order_cold(IrRegion *r, const uint32_t *num)
{
    uint8_t *hot = arena_alloc(r->arena, r->n_blocks);
    IrBlk *order = arena_alloc(r->arena, r->n_rpo * sizeof *order);
    uint32_t n = 0, n_hot = 0;

    for (uint32_t i = 0; i < r->n_rpo; i++) {
        hot[r->rpo[i]] = i == 0 || !ir_is_cold(r, &r->blocks[r->rpo[i]]);
        n_hot += hot[r->rpo[i]];
    }
    if (n_hot == r->n_rpo) {
        return;
    }
    for (uint32_t i = r->n_rpo - 1; i > 0; i--) { /* a hot block needs a hot way to it */
        const IrBlock *b = &r->blocks[r->rpo[i]];
        bool reached = false;
        IrBlk way = IR_NO_BLK;

        for (unsigned p = 0; hot[r->rpo[i]] && p < b->n_preds; p++) {
            IrBlk pred = r->preds[b->preds + p];

            if (num[pred] < i) {
                reached |= hot[pred];
                way = pred;
            }
        }
        if (hot[r->rpo[i]] && !reached && way != IR_NO_BLK) {
            hot[way] = 1;
        }
    }
    for (unsigned pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < r->n_rpo; i++) {
            if (hot[r->rpo[i]] == !pass) {
                order[n++] = r->rpo[i];
            }
        }
    }
    memcpy(r->rpo, order, n * sizeof *order);
}

/* Depth of the blocks of the loop with this head: those that reach it backwards from its latches.
 */
static void ir_mark_loop(IrRegion *r, IrBlk head, const uint32_t *num, uint32_t *mark, IrBlk *stack)
{
    const IrBlock *h = &r->blocks[head];
    unsigned n = 0;

    mark[head] = head + 1u;
    r->blocks[head].loop_depth++;
    for (unsigned p = 0; p < h->n_preds; p++) {
        IrBlk latch = r->preds[h->preds + p];

        if (num[latch] >= num[head] && mark[latch] != head + 1u) {
            mark[latch] = head + 1u;
            stack[n++] = latch;
        }
    }
    while (n) {
        IrBlock *b = &r->blocks[stack[--n]];

        b->loop_depth++;
        for (unsigned p = 0; p < b->n_preds; p++) {
            IrBlk pred = r->preds[b->preds + p];

            if (mark[pred] != head + 1u) {
                mark[pred] = head + 1u;
                stack[n++] = pred;
            }
        }
    }
}

/* Block i does nothing but leave by a link. */
static bool ir_only_links(const IrRegion *r, IrBlk i)
{
    const IrBlock *b = &r->blocks[i];

    return b->first != IR_NONE && b->first == b->last && r->ops[b->first].op == IR_EXIT_LINK;
}

/* Block 1 ends the region, or branches to two blocks that only link; see IrRegion.straight. */
static bool ir_is_straight(const IrRegion *r)
{
    const IrBlock *b = r->blocks;

    if (r->tier != 1 || r->n_blocks < 2 || b[0].first != b[0].last || b[0].succ[0] != 1 ||
        b[1].last == IR_NONE) {
        return false;
    }
    if (b[1].succ[0] == IR_NO_BLK) {
        return r->n_blocks == 2;
    }
    return r->n_blocks == 4 && b[1].succ[1] != IR_NO_BLK && b[1].succ[0] != b[1].succ[1] &&
           b[1].succ[0] > 1 && b[1].succ[1] > 1 && ir_only_links(r, 2) && ir_only_links(r, 3);
}

/* What the walk would find, without walking. */
static void ir_analyze_straight(IrRegion *r)
{
    r->n_rpo = r->n_blocks;
    r->rpo = arena_alloc(r->arena, r->n_blocks * sizeof *r->rpo);
    r->preds = arena_alloc(r->arena, r->n_blocks * sizeof *r->preds);
    for (uint32_t i = 0; i < r->n_blocks; i++) {
        IrBlock *b = &r->blocks[i];

        r->rpo[i] = (IrBlk)(i < 2 ? i : r->blocks[1].succ[3 - i]);
        b->n_preds = i > 0;
        b->preds = i;
        r->preds[i] = i > 1;
        b->loop_depth = 0;
        b->loop_head = false;
    }
}

void ir_region_analyze(IrRegion *r)
{
    IrWalk w = {.r = r};

    r->straight = ir_is_straight(r);
    if (r->straight) {
        ir_analyze_straight(r);
        return;
    }
    uint32_t *num = arena_alloc(r->arena, 2 * r->n_blocks * sizeof *num);
    bool loops = false;

    w.post = arena_alloc(r->arena, r->n_blocks * sizeof *w.post);
    w.stack = arena_alloc(r->arena, (r->n_blocks + 1) * sizeof *w.stack);
    w.state = arena_alloc(r->arena, r->n_blocks);
    w.next = arena_alloc(r->arena, r->n_blocks);
    for (uint32_t i = 0; i < r->n_blocks; i++) {
        r->blocks[i].n_preds = r->blocks[i].loop_depth = 0;
        r->blocks[i].loop_head = false;
    }
    ir_walk(&w);
    r->n_rpo = w.n_post;
    r->rpo = arena_alloc(r->arena, r->n_rpo * sizeof *r->rpo);
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        r->rpo[i] = w.post[r->n_rpo - 1 - i];
        num[r->rpo[i]] = i;
        loops |= r->blocks[r->rpo[i]].loop_head;
    }
    ir_find_preds(r);
    for (uint32_t i = 0; loops && i < r->n_rpo; i++) {
        if (r->blocks[r->rpo[i]].loop_head) {
            ir_mark_loop(r, r->rpo[i], num, num + r->n_blocks, w.stack);
        }
    }
    ir_order_cold(r, num);
}

void ir_region_dominators(const IrRegion *r, IrBlk *idom, uint32_t *num)
{
    bool changed = true;

    for (uint32_t i = 0; i < r->n_rpo; i++) {
        idom[r->rpo[i]] = IR_NO_BLK;
        num[r->rpo[i]] = i;
    }
    idom[r->rpo[0]] = r->rpo[0];
    while (changed) {
        changed = false;
        for (uint32_t i = 1; i < r->n_rpo; i++) {
            const IrBlock *b = &r->blocks[r->rpo[i]];
            IrBlk dom = IR_NO_BLK;

            for (unsigned p = 0; p < b->n_preds; p++) {
                IrBlk x = r->preds[b->preds + p];

                if (idom[x] == IR_NO_BLK) {
                    continue;
                }
                while (dom != IR_NO_BLK && x != dom) { /* walk the later one up */
                    if (num[x] > num[dom]) {
                        x = idom[x];
                    } else {
                        dom = idom[dom];
                    }
                }
                dom = x;
            }
            if (dom != idom[r->rpo[i]]) {
                idom[r->rpo[i]] = dom;
                changed = true;
            }
        }
    }
}
