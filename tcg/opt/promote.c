/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Promotion: block-local slot maps become SSA values over the whole graph.
 *
 * Before, a block knows of a slot only what it (or the single-predecessor chain above it) did.
 * After, every GET stands in block 0, joins and loop heads have phis, and every snapshot lists all
 * slots whose memory is stale at that point: guest registers live in host registers across blocks
 * and around loops, and are stored where the region is left.
 *
 * 1. Forward over the graph: which slots may be stale at a block's entry (a bit set).
 * 2. In order: a block's entry values. One predecessor: its values at the end. A join: the common
 *    value, or a phi; an edge not yet seen (loop) always gets a phi. A slot that is stale nowhere
 *    has its value at region entry, a GET.
 * 3. Phi arguments; phis whose arguments are one value, or the phi itself, go, until none does.
 * 4. Snapshots are completed; all names are replaced.
 * Every step is linear in ops plus blocks times slots; step 3 repeats once per loop depth or so.
 *
 * DEVIATION: flags that no path reads before it writes them are not kept across a join. A signal
 * frame made at a poll or fault between such a join and the next write shows NZCV of an earlier
 * time. Nothing that goes on running can tell; keeping them would cost a flags-to-register
 * transfer in every iteration of every loop.
 */
#include <string.h>

#include "tcg/guest.h"
#include "tcg/region.h"

enum { IR_WORDS = IR_MAX_SLOTS / 64 };

typedef struct IrSlotSet {
    uint64_t w[IR_WORDS];
} IrSlotSet;

typedef struct IrPromote {
    IrRegion *r;
    unsigned n_slots;
    IrSlotSet *in, *out; /* maybe stale, by block */
    IrRef *entry, *end;  /* [block * n_slots + slot]; IR_NONE: as at region entry */
    uint8_t *done;       /* block has its entry and end values */
    uint8_t *flags_live; /* flags at the block's entry may still be read */
    IrRef *rep;          /* op -> value that replaces it; IR_NONE: itself */
    uint32_t cap_rep;
    IrRef gets[IR_MAX_SLOTS]; /* GETs of block 0 */
    IrRef *phis;              /* all phis made, in order */
    uint32_t n_phis;
} IrPromote;

static IrRef promote_find(IrPromote *p, IrRef v)
{
    IrRef root = v;

    while (p->rep[root] != IR_NONE) {
        root = p->rep[root];
    }
    while (p->rep[v] != IR_NONE) {
        IrRef up = p->rep[v];

        p->rep[v] = root;
        v = up;
    }
    return root;
}

/* The slot's value at region entry. */
static IrRef promote_entry_get(IrPromote *p, unsigned slot)
{
    IrRegion *r = p->r;

    if (p->gets[slot] == IR_NONE) {
        IrRef v = ir_region_new_op(
            r, &(IrOp){.op = IR_GET, .type = r->guest->slots[slot].type, .slot = (uint16_t)slot});

        ir_region_insert_before(r, r->blocks[0].last, v);
        p->gets[slot] = v;
    }
    return p->gets[slot];
}

static IrRef promote_value(IrPromote *p, IrRef v, unsigned slot)
{
    return v == IR_NONE ? promote_entry_get(p, slot) : promote_find(p, v);
}

/* ---- 1: what may be stale, and are flags live ---- */

static void promote_stale(IrPromote *p)
{
    IrRegion *r = p->r;
    bool changed = true;

    for (uint32_t i = 0; i < r->n_rpo; i++) {
        const IrBlock *b = &r->blocks[r->rpo[i]];

        for (uint32_t k = 0; k < b->n_out; k++) {
            unsigned slot = b->out[k].slot;

            p->out[r->rpo[i]].w[slot / 64] |= UINT64_C(1) << (slot % 64);
        }
    }
    while (changed) {
        changed = false;
        for (uint32_t i = 0; i < r->n_rpo; i++) {
            const IrBlock *b = &r->blocks[r->rpo[i]];
            IrSlotSet *in = &p->in[r->rpo[i]], *out = &p->out[r->rpo[i]];

            for (unsigned k = 0; k < b->n_preds; k++) {
                for (unsigned w = 0; w < IR_WORDS; w++) {
                    in->w[w] |= p->out[r->preds[b->preds + k]].w[w];
                }
            }
            for (unsigned w = 0; w < IR_WORDS; w++) {
                changed |= (in->w[w] & ~out->w[w]) != 0;
                out->w[w] |= in->w[w];
            }
        }
    }
}

static IrRef promote_out(const IrBlock *b, unsigned slot)
{
    for (uint32_t k = 0; k < b->n_out; k++) {
        if (b->out[k].slot == slot) {
            return b->out[k].val;
        }
    }
    return IR_NONE;
}

/* Is the value of the flags at this block's entry read in it? */
static bool promote_reads_flags(const IrPromote *p, IrBlk blk)
{
    const IrRegion *r = p->r;

    for (IrRef v = r->blocks[blk].first; v != IR_NONE; v = r->ops[v].next) {
        const IrOp *o = &r->ops[v];

        if ((o->op == IR_GET && o->slot == r->guest->flags_slot) || o->op == IR_CALLS) {
            return true;
        }
    }
    return false;
}

static bool promote_writes_flags(const IrPromote *p, IrBlk blk)
{
    const IrRegion *r = p->r;
    const IrBlock *b = &r->blocks[blk];
    unsigned slot = r->guest->flags_slot;
    IrRef v = promote_out(b, slot);

    if (b->succ[0] == IR_NO_BLK) { /* keeps no map; its snapshot says what was put */
        const IrOp *last = &r->ops[b->last];
        const IrSnap *s = &r->snaps[last->snap];

        for (uint32_t k = 0; last->snap && k < s->n; k++) {
            v = r->snap_entries[s->first + k].slot == slot ? r->snap_entries[s->first + k].val : v;
        }
    }
    return v != IR_NONE && !(b->inherits && promote_out(&r->blocks[r->preds[b->preds]], slot) == v);
}

static void promote_flags_live(IrPromote *p)
{
    IrRegion *r = p->r;
    uint8_t *reads = arena_alloc(r->arena, r->n_blocks),
            *kills = arena_alloc(r->arena, r->n_blocks);
    bool changed = true;

    for (uint32_t i = 0; i < r->n_rpo; i++) {
        reads[r->rpo[i]] = promote_reads_flags(p, r->rpo[i]);
        kills[r->rpo[i]] = promote_writes_flags(p, r->rpo[i]);
    }
    while (changed) {
        changed = false;
        for (uint32_t i = r->n_rpo; i-- > 0;) {
            IrBlk blk = r->rpo[i];
            const IrBlock *b = &r->blocks[blk];
            bool live = b->succ[0] == IR_NO_BLK || p->flags_live[b->succ[0]] ||
                        (b->succ[1] != IR_NO_BLK && p->flags_live[b->succ[1]]);

            live = reads[blk] || (live && !kills[blk]);
            changed |= live != p->flags_live[blk];
            p->flags_live[blk] = live;
        }
    }
}

/* ---- 2: values ---- */

static IrRef promote_new_phi(IrPromote *p, IrBlk blk, unsigned slot)
{
    IrRegion *r = p->r;
    const IrBlock *b = &r->blocks[blk];
    uint32_t args = ir_region_phi_args(r, b->n_preds);
    IrRef v = ir_region_new_op(r, &(IrOp){.op = IR_PHI,
                                          .type = r->guest->slots[slot].type,
                                          .slot = (uint16_t)slot,
                                          .nargs = b->n_preds,
                                          .imm = args});

    ir_region_insert_before(r, r->blocks[blk].first, v);
    p->phis[p->n_phis++] = v;
    return v;
}

static IrRef promote_join(IrPromote *p, IrBlk blk, unsigned slot)
{
    const IrRegion *r = p->r;
    const IrBlock *b = &r->blocks[blk];
    IrRef same = IR_NONE;

    for (unsigned k = 0; k < b->n_preds; k++) {
        IrBlk pred = r->preds[b->preds + k];
        IrRef v;

        if (!p->done[pred]) {
            return promote_new_phi(p, blk, slot);
        }
        v = p->end[pred * p->n_slots + slot];
        v = v == IR_NONE ? v : promote_find(p, v);
        if (k && v != same) {
            return promote_new_phi(p, blk, slot);
        }
        same = v;
    }
    return same;
}

static void promote_block(IrPromote *p, IrBlk blk)
{
    IrRegion *r = p->r;
    IrRef *entry = &p->entry[blk * p->n_slots], *end = &p->end[blk * p->n_slots];
    unsigned n_preds = r->blocks[blk].n_preds, flags = r->guest->flags_slot;

    if (n_preds == 1) {
        memcpy(entry, &p->end[r->preds[r->blocks[blk].preds] * p->n_slots],
               p->n_slots * sizeof *entry);
    }
    for (unsigned w = 0; n_preds > 1 && w < IR_WORDS; w++) {
        for (uint64_t m = p->in[blk].w[w]; m; m &= m - 1) {
            unsigned slot = w * 64 + (unsigned)__builtin_ctzll(m);

            if (slot != flags || p->flags_live[blk]) {
                entry[slot] = promote_join(p, blk, slot);
            }
        }
    }
    for (IrRef v = r->blocks[blk].first, next; v != IR_NONE && blk; v = next) {
        const IrOp *o = &r->ops[v];

        next = o->next;
        if (o->op == IR_GET && !(o->flags & IRF_LATE)) {
            unsigned slot = o->slot;
            IrRef to = promote_value(p, entry[slot], slot);

            ir_region_unlink(r, v);
            p->rep[v] = to;
        }
    }
    memcpy(end, entry, p->n_slots * sizeof *end);
    for (uint32_t k = 0; k < r->blocks[blk].n_out; k++) {
        end[r->blocks[blk].out[k].slot] = promote_find(p, r->blocks[blk].out[k].val);
    }
    p->done[blk] = 1;
}

/* ---- 3: phis ---- */

static void promote_fill_phis(IrPromote *p)
{
    IrRegion *r = p->r;

    for (uint32_t i = 0; i < p->n_phis; i++) {
        const IrOp *o = &r->ops[p->phis[i]];
        unsigned slot = o->slot;
        IrBlk blk = o->blk;
        uint64_t args = o->imm;

        for (unsigned k = 0; k < r->blocks[blk].n_preds; k++) {
            IrBlk pred = r->preds[r->blocks[blk].preds + k];

            r->phi_args[args + k] = promote_value(p, p->end[pred * p->n_slots + slot], slot);
        }
    }
}

static void promote_prune_phis(IrPromote *p)
{
    IrRegion *r = p->r;
    bool changed = true;

    while (changed) {
        changed = false;
        for (uint32_t i = 0; i < p->n_phis; i++) {
            IrRef v = p->phis[i], same = IR_NONE;
            const IrOp *o = &r->ops[v];
            bool trivial = o->op == IR_PHI;

            for (unsigned k = 0; trivial && k < o->nargs; k++) {
                IrRef a = promote_find(p, r->phi_args[o->imm + k]);

                trivial = a == v || same == IR_NONE || a == same;
                same = a == v ? same : a;
            }
            if (trivial && same != IR_NONE) {
                ir_region_unlink(r, v);
                p->rep[v] = same;
                changed = true;
            }
        }
    }
}

/* ---- 4: snapshots, polls, names ---- */

/* A poll at a loop head, unless the loop is inside one guest instruction (whose state in the
 * middle is nobody's). */
static void promote_poll(IrPromote *p, IrBlk blk)
{
    IrRegion *r = p->r;
    IrRef v = r->blocks[blk].first;
    IrOp poll = {.op = IR_POLL};

    while (r->ops[v].op == IR_PHI || r->ops[v].op == IR_CONST || r->ops[v].op == IR_VCONST) {
        v = r->ops[v].next;
    }
    if (r->ops[v].op != IR_INSN) {
        return;
    }
    poll.snap = ir_region_new_snap(r, &(IrSnap){.pc = r->ops[v].imm, .blk = blk});
    ir_region_insert_before(r, v, ir_region_new_op(r, &poll));
}

/* The list of a snapshot plus what was stale at its block's entry, minus what memory holds. */
static void promote_snap(IrPromote *p, IrSnap *s)
{
    IrRegion *r = p->r;
    IrSlotSet seen = {{0}};
    uint32_t old = s->first, n_old = s->n, n = 0;
    const IrRef *entry = &p->entry[s->blk * p->n_slots];
    uint32_t first = ir_region_snap_entries(r, n_old + p->n_slots);

    for (uint32_t k = 0; k < n_old; k++) {
        IrSnapEntry e = r->snap_entries[old + k];

        seen.w[e.slot / 64] |= UINT64_C(1) << (e.slot % 64);
        e.val = promote_find(p, e.val);
        if (e.val != p->gets[e.slot] || s->full) {
            r->snap_entries[first + n++] = e;
        }
    }
    for (unsigned w = 0; w < IR_WORDS && !s->full; w++) {
        for (uint64_t m = p->in [s->blk].w[w] & ~seen.w[w]; m; m &= m - 1) {
            unsigned slot = w * 64 + (unsigned)__builtin_ctzll(m);
            IrRef v = entry[slot] == IR_NONE ? IR_NONE : promote_find(p, entry[slot]);

            if (v != IR_NONE && v != p->gets[slot]) {
                r->snap_entries[first + n++] = (IrSnapEntry){.slot = (uint16_t)slot, .val = v};
            }
        }
    }
    r->n_snap_entries = first + n;
    s->first = first;
    s->n = n;
}

static void promote_snaps(IrPromote *p)
{
    IrRegion *r = p->r;
    IrSnap was = {0}, is = {0};

    for (uint32_t i = 1; i < r->n_snaps; i++) {
        IrSnap *s = &r->snaps[i];

        if (i > 1 && s->first == was.first && s->n == was.n && s->blk == was.blk &&
            s->full == was.full) {
            s->first = is.first;
            s->n = is.n;
            continue;
        }
        was = *s;
        promote_snap(p, s);
        is = *s;
    }
}

static void promote_rename(IrPromote *p)
{
    IrRegion *r = p->r;

    for (uint32_t i = 0; i < r->n_rpo; i++) {
        for (IrRef v = r->blocks[r->rpo[i]].first; v != IR_NONE; v = r->ops[v].next) {
            IrOp *o = &r->ops[v];

            for (unsigned k = 0; k < ir_n_args(o); k++) {
                IrRef *a = ir_arg(r, o, k);

                *a = *a == IR_NONE ? IR_NONE : promote_find(p, *a);
            }
        }
        r->blocks[r->rpo[i]].out = NULL;
        r->blocks[r->rpo[i]].n_out = 0;
    }
}

static bool promote_needed(const IrRegion *r)
{
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        const IrBlock *b = &r->blocks[r->rpo[i]];

        if (b->n_preds > 1 || (r->rpo[i] > 1 && !b->inherits)) {
            return true;
        }
    }
    return false;
}

static void promote_init(IrPromote *p)
{
    IrRegion *r = p->r;
    uint32_t n = r->n_blocks, phis = 0;

    p->in = arena_alloc(r->arena, n * sizeof *p->in);
    p->out = arena_alloc(r->arena, n * sizeof *p->out);
    p->entry = arena_alloc(r->arena, (size_t)n * p->n_slots * sizeof *p->entry);
    p->end = arena_alloc(r->arena, (size_t)n * p->n_slots * sizeof *p->end);
    p->done = arena_alloc(r->arena, n);
    p->flags_live = arena_alloc(r->arena, n);
    promote_stale(p);
    promote_flags_live(p);
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        if (r->blocks[r->rpo[i]].n_preds > 1) {
            for (unsigned w = 0; w < IR_WORDS; w++) {
                phis += (unsigned)__builtin_popcountll(p->in[r->rpo[i]].w[w]);
            }
        }
    }
    p->phis = arena_alloc(r->arena, phis * sizeof *p->phis);
    /* polls and other ops made after the phis are never looked up here */
    p->rep = arena_alloc(r->arena, (r->n_ops + phis + p->n_slots) * sizeof *p->rep);
}

void ir_opt_promote(IrRegion *r)
{
    IrPromote p = {.r = r, .n_slots = r->guest->n_slots};

    if (!promote_needed(r)) {
        return;
    }
    promote_init(&p);
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        promote_block(&p, r->rpo[i]);
    }
    promote_fill_phis(&p);
    promote_prune_phis(&p);
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        if (r->blocks[r->rpo[i]].loop_head) {
            promote_poll(&p, r->rpo[i]);
        }
    }
    promote_snaps(&p);
    promote_rename(&p);
}
