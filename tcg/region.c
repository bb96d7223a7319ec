/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Editing a region: adding, moving and removing ops, blocks, snapshots. */
#include "tcg/region.h"

void ir_region_more_ops(IrRegion *r)
{
    r->ops = arena_grow(r->arena, r->ops, &r->cap_ops, r->n_ops + 1, sizeof *r->ops);
}

void ir_region_insert_before(IrRegion *r, IrRef where, IrRef v)
{
    IrOp *w = &r->ops[where], *o = &r->ops[v];

    o->blk = w->blk;
    o->prev = w->prev;
    o->next = where;
    if (w->prev != IR_NONE) {
        r->ops[w->prev].next = v;
    } else {
        r->blocks[w->blk].first = v;
    }
    w->prev = v;
}

void ir_region_insert_after(IrRegion *r, IrRef where, IrRef v)
{
    IrOp *w = &r->ops[where];

    if (w->next != IR_NONE) {
        ir_region_insert_before(r, w->next, v);
    } else {
        ir_region_append(r, w->blk, v);
    }
}

void ir_region_unlink(IrRegion *r, IrRef v)
{
    IrOp *o = &r->ops[v];
    IrBlock *b = &r->blocks[o->blk];

    if (o->prev != IR_NONE) {
        r->ops[o->prev].next = o->next;
    } else {
        b->first = o->next;
    }
    if (o->next != IR_NONE) {
        r->ops[o->next].prev = o->prev;
    } else {
        b->last = o->prev;
    }
    *o = (IrOp){.op = IR_NOP, .blk = IR_NO_BLK};
}

IrBlk ir_region_new_block(IrRegion *r, uint64_t pc)
{
    IrBlk blk = (IrBlk)r->n_blocks++;

    if (r->n_blocks > r->cap_blocks) {
        r->blocks = arena_grow(r->arena, r->blocks, &r->cap_blocks, r->n_blocks, sizeof *r->blocks);
    }
    r->blocks[blk] = (IrBlock){.pc = pc, .succ = {IR_NO_BLK, IR_NO_BLK}};
    return blk;
}

uint32_t ir_region_snap_entries(IrRegion *r, unsigned n)
{
    uint32_t first = r->n_snap_entries;

    r->n_snap_entries += n;
    if (r->n_snap_entries > r->cap_snap_entries) {
        r->snap_entries = arena_grow(r->arena, r->snap_entries, &r->cap_snap_entries,
                                     r->n_snap_entries, sizeof *r->snap_entries);
    }
    return first;
}

uint32_t ir_region_new_snap(IrRegion *r, const IrSnap *snap)
{
    uint32_t i = r->n_snaps++;

    if (r->n_snaps > r->cap_snaps) {
        r->snaps = arena_grow(r->arena, r->snaps, &r->cap_snaps, r->n_snaps, sizeof *r->snaps);
    }
    r->snaps[i] = *snap;
    return i;
}

uint32_t ir_region_phi_args(IrRegion *r, unsigned n)
{
    uint32_t first = r->n_phi_args;

    r->n_phi_args += n;
    if (r->n_phi_args > r->cap_phi_args) {
        r->phi_args =
            arena_grow(r->arena, r->phi_args, &r->cap_phi_args, r->n_phi_args, sizeof *r->phi_args);
    }
    return first;
}
