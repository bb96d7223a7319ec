/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The algebra of the IR, shared by the builder (light folding while building, all that tier 1
 * gets) and by the passes of tcg/opt. A rule is written once, here.
 *
 * A rule looks at one op and at the ops that make its arguments. It may rewrite the op in place,
 * make helper ops before it (through `emit`), or find that an existing value is equal.
 */
#ifndef GEMEL_TCG_SIMPLIFY_H
#define GEMEL_TCG_SIMPLIFY_H

#include "tcg/interp/interp.h"

typedef struct IrSimp IrSimp;
struct IrSimp {
    IrRegion *r;
    /* Makes a pure op before the op being simplified (simplified itself); may grow r->ops. */
    IrRef (*emit)(IrSimp *s, const IrOp *op);
    /* Makes an op right behind op `where`, wherever that stands. */
    IrRef (*emit_after)(IrSimp *s, IrRef where, const IrOp *op);
};

/* An existing value equal to *o; or IR_NONE: *o, perhaps rewritten, is to be made. */
IrRef ir_simplify(IrSimp *s, IrOp *o);

/* Parts of it, by kind of op. */
IrRef ir_simplify_int(IrSimp *s, IrOp *o);
IrRef ir_simplify_cond(IrSimp *s, IrOp *o);  /* FL_ ops */
IrRef ir_simplify_vec(IrSimp *s, IrOp *o);
IrRef ir_simplify_packed(IrSimp *s, IrOp *o); /* FL_COND on flags that sit packed in a register */
void  ir_simplify_addr(IrSimp *s, IrOp *o);  /* LD, ST, PREFETCH, AT_ */

/* ---- small tools for rules ---- */

static inline bool ir_konst(const IrRegion *r, IrRef v, uint64_t *c)
{
    const IrOp *o = &r->ops[v];

    *c = o->imm;
    return v != IR_NONE && o->op == IR_CONST;
}

static inline IrRef ir_simp_const(IrSimp *s, unsigned type, uint64_t c)
{
    return s->emit(s, &(IrOp){ .op = IR_CONST, .type = (uint8_t)type,
                               .imm = c & ir_type_mask(type) });
}

static inline IrRef ir_simp_bin(IrSimp *s, IrOpcode op, unsigned type, IrRef a, IrRef b)
{
    return s->emit(s, &(IrOp){ .op = (uint8_t)op, .type = (uint8_t)type, .arg = { a, b } });
}

static inline IrRef ir_simp_cmp(IrSimp *s, unsigned cc, unsigned esz, IrRef a, IrRef b)
{
    return s->emit(s, &(IrOp){ .op = IR_CMP, .type = IR_I1, .esz = (uint8_t)esz,
                               .sub = (uint8_t)cc, .arg = { a, b } });
}

/* Negation of an I1. */
static inline IrRef ir_simp_not(IrSimp *s, IrRef a)
{
    return ir_simp_bin(s, IR_XOR, IR_I1, a, ir_simp_const(s, IR_I1, 1));
}

/* Becomes a constant. */
static inline IrRef ir_simp_to_const(IrOp *o, uint64_t c)
{
    *o = (IrOp){ .op = IR_CONST, .type = o->type, .imm = c & ir_type_mask(o->type),
                 .blk = o->blk, .prev = o->prev, .next = o->next };
    return IR_NONE;
}

/* Becomes another op of the same type and place, with up to two arguments. */
static inline IrRef ir_simp_to(IrOp *o, IrOpcode op, IrRef a, IrRef b)
{
    o->op = (uint8_t)op;
    o->esz = o->sub = 0;
    o->flags = 0;
    o->imm = 0;
    o->arg[0] = a;
    o->arg[1] = b;
    o->arg[2] = o->arg[3] = IR_NONE;
    return IR_NONE;
}

#endif
