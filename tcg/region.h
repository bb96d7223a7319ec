/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Editing a region: what the builder and the passes share.
 *
 * Ops live in one array and never move; a block's order is the list prev/next. Anything that adds
 * an op may move the array: take IrOp pointers afresh afterwards.
 */
#ifndef GEMEL_TCG_REGION_H
#define GEMEL_TCG_REGION_H

#include "tcg/ir.h"

/* IRF_ bits by name, from bit 0, for print and parse. */
enum { IR_N_FLAG_NAMES = 14 };
extern const char *const ir_flag_names[IR_N_FLAG_NAMES];

void  ir_region_more_ops(IrRegion *r);
/* A copy of *op in no block yet. */
static inline IrRef ir_region_new_op(IrRegion *r, const IrOp *op)
{
    if (r->n_ops == r->cap_ops) {
        ir_region_more_ops(r);
    }
    r->ops[r->n_ops] = *op;
    r->ops[r->n_ops].blk = IR_NO_BLK;
    return r->n_ops++;
}

static inline void ir_region_append(IrRegion *r, IrBlk blk, IrRef v)
{
    IrBlock *b = &r->blocks[blk];
    IrOp *o = &r->ops[v];

    o->blk = blk;
    o->prev = b->last;
    o->next = IR_NONE;
    if (b->last != IR_NONE) {
        r->ops[b->last].next = v;
    } else {
        b->first = v;
    }
    b->last = v;
}
void  ir_region_insert_before(IrRegion *r, IrRef where, IrRef v);
void  ir_region_insert_after(IrRegion *r, IrRef where, IrRef v);
/* Out of its block; becomes a NOP. */
void  ir_region_unlink(IrRegion *r, IrRef v);
IrBlk ir_region_new_block(IrRegion *r, uint64_t pc);
/* Room for n snapshot entries; returns the index of the first. */
uint32_t ir_region_snap_entries(IrRegion *r, unsigned n);
uint32_t ir_region_new_snap(IrRegion *r, const IrSnap *snap);
uint32_t ir_region_phi_args(IrRegion *r, unsigned n);
/*
 * Immediate dominators by block (the entry's is itself), and each block's place in r->rpo. Both
 * arrays have n_blocks elements; unreachable blocks' are not set. After ir_region_analyze().
 */
void ir_region_dominators(const IrRegion *r, IrBlk *idom, uint32_t *num);

/* The i-th value argument of an op, phi or not. */
static inline IrRef *ir_arg(IrRegion *r, IrOp *o, unsigned i)
{
    return o->op == IR_PHI ? &r->phi_args[o->imm + i] : &o->arg[i];
}

static inline unsigned ir_n_args(const IrOp *o)
{
    return o->op == IR_PHI ? o->nargs : ir_op_info[o->op].nargs;
}

static inline bool ir_has_side_effect(const IrOp *o)
{
    return !ir_has_attr(o, IRA_PURE) && o->op != IR_PHI;
}

#endif
