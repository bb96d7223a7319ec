/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interpreter back end: walks a region op by op.
 *
 * It is the oracle of the passes and of the JIT, so it is plain: every value has 64 bytes of its
 * own, ops are evaluated by ir_eval(), the guest state is written only where the region leaves.
 *
 * With TcgInterpMem atomics are load, then store, and not atomic for other threads; with plain
 * host accesses (mem NULL) they are host atomics.
 */
#include <stdlib.h>
#include <string.h>

#include "tcg/interp/mem.h"

enum { IR_STACK_OPS = 4096 }; /* up to here values are on the stack */

typedef struct IrInterp {
    IrMem mem; /* must be first */
    const IrRegion *r;
    TcgCpu *cpu;
    IrVec *val;
    uint64_t ops_left;
} IrInterp;

static void *interp_slot(const IrInterp *in, unsigned slot)
{
    return (char *)in->cpu + in->r->guest->slots[slot].offset;
}

static unsigned interp_slot_bytes(unsigned type)
{
    switch (type) {
    case IR_F16: return 2;
    case IR_I64:
    case IR_F64: return 8;
    case IR_F80:
    case IR_V128: return 16;
    case IR_V256: return 32;
    case IR_V512: return 64;
    default: return 4; /* I1, I32, F32, FLAGS */
    }
}

static void interp_get(IrInterp *in, IrVec *v, unsigned slot)
{
    memset(v, 0, sizeof *v);
    memcpy(v, interp_slot(in, slot), interp_slot_bytes(in->r->guest->slots[slot].type));
}

/* Brings memory up to date with a snapshot, PC included. */
static void interp_write_back(IrInterp *in, uint32_t snap, uint64_t pc)
{
    const IrSnap *s = &in->r->snaps[snap];

    for (uint32_t i = 0; i < s->n; i++) {
        const IrSnapEntry *e = &in->r->snap_entries[s->first + i];
        IrVec *v = &in->val[e->val];
        unsigned bytes = interp_slot_bytes(in->r->guest->slots[e->slot].type);

        memcpy(interp_slot(in, e->slot), v, bytes);
    }
    memcpy(interp_slot(in, in->r->guest->pc_slot), &pc, sizeof pc);
}

static TcgExit interp_leave(IrInterp *in, uint32_t snap, uint64_t pc, TcgExit reason)
{
    interp_write_back(in, snap, pc);
    in->cpu->exit_reason = reason;
    return reason;
}

static void interp_args(const IrInterp *in, const IrOp *o, IrVec a[4])
{
    for (unsigned i = 0; i < 4; i++) {
        if (o->arg[i] != IR_NONE) {
            a[i] = in->val[o->arg[i]];
        } else {
            memset(&a[i], 0, sizeof a[i]);
        }
    }
}

static uint64_t interp_info(const IrOp *o)
{
    return o->op | (uint64_t)o->type << 8 | (uint64_t)o->esz << 16 | (uint64_t)o->sub << 24 |
           (uint64_t)o->flags << 32;
}

static void interp_call(IrInterp *in, const IrOp *o, IrVec *res)
{
    const TcgHelper *h = &in->r->guest->helpers[o->imm];
    IrVec a[4];

    interp_args(in, o, a);
    memset(res, 0, sizeof *res);
    if (h->kind == TCG_H_VEC) {
        h->v(in->cpu, res, a, o->imm, interp_info(o));
        return;
    }
    res->u64[0] = h->i(in->cpu, a[0].u64[0], a[1].u64[0], a[2].u64[0], a[3].u64[0]);
    if (ir_type_is_int(o->type)) {
        res->u64[0] &= ir_type_mask(o->type);
    }
}

/* Memory ops; false: it faulted, and the exit is prepared. */
static bool interp_mem(IrInterp *in, const IrOp *o, IrVec *res)
{
    uint64_t addr = in->val[o->arg[0]].u64[0] + o->imm;
    bool indexed = o->op == IR_LD || o->op == IR_ST;
    TcgExit why;

    if (indexed && o->arg[1] != IR_NONE) {
        addr += in->val[o->arg[1]].u64[0] << o->sub;
    }
    why = ir_mem_access(&in->mem, o, addr, in->val, res);
    if (why == TCG_EXIT_NONE) {
        return true;
    }
    if (why == TCG_EXIT_FAULT && in->mem.user && in->mem.user->access) {
        addr = in->cpu->fault_addr; /* what access() said */
    } else if (why == TCG_EXIT_FAULT) {
        in->cpu->fault_addr = addr;
        in->cpu->fault_write = o->op != IR_LD;
    }
    in->cpu->exit_info = addr;
    interp_leave(in, o->snap, in->r->snaps[o->snap].pc, why);
    return false;
}

/* PHIs read their arguments together, before any of them is written. */
static IrRef interp_phis(IrInterp *in, IrBlk blk, IrBlk from)
{
    const IrBlock *b = &in->r->blocks[blk];
    unsigned edge = 0;
    IrRef v;

    while (in->r->preds[b->preds + edge] != from) {
        edge++;
    }
    for (v = b->first; in->r->ops[v].op == IR_PHI; v = in->r->ops[v].next) {
        const IrOp *o = &in->r->ops[v];

        in->val[in->r->n_ops + v] = in->val[in->r->phi_args[o->imm + edge]];
    }
    for (IrRef p = b->first; p != v; p = in->r->ops[p].next) {
        IrVec *x = &in->val[in->r->n_ops + p];

        if (ir_type_is_int(in->r->ops[p].type)) {
            x->u64[0] &= ir_type_mask(in->r->ops[p].type);
        }
        in->val[p] = *x;
    }
    return v;
}

/* A terminator that leaves. */
static TcgExit interp_exit(IrInterp *in, const IrOp *o)
{
    switch (o->op) {
    case IR_EXIT_LINK: return interp_leave(in, o->snap, o->imm, TCG_EXIT_LOOKUP);
    case IR_EXIT_IND: return interp_leave(in, o->snap, in->val[o->arg[0]].u64[0], TCG_EXIT_LOOKUP);
    default: /* IR_EXIT_RAISE */
        in->cpu->exit_info = o->imm;
        return interp_leave(in, o->snap, in->r->snaps[o->snap].pc, (TcgExit)o->sub);
    }
}

/* Ops that are not evaluated by ir_eval(). NONE: go on. */
static TcgExit interp_effect(IrInterp *in, const IrOp *o, IrVec *res)
{
    uint64_t pc = in->r->snaps[o->snap].pc;

    switch (o->op) {
    case IR_LD:
    case IR_ST:
    case IR_AT_RMW:
    case IR_AT_CAS: return interp_mem(in, o, res) ? TCG_EXIT_NONE : (TcgExit)in->cpu->exit_reason;
    case IR_CALL:
    case IR_CALLP:
    case IR_VCALL:
    case IR_VCALLP: interp_call(in, o, res); return TCG_EXIT_NONE;
    case IR_CALLS:
        interp_write_back(in, o->snap, pc);
        interp_call(in, o, res);
        return TCG_EXIT_NONE;
    case IR_FENCE: __atomic_thread_fence(__ATOMIC_SEQ_CST); return TCG_EXIT_NONE;
    case IR_POLL:
        if (__atomic_load_n(&in->cpu->request, __ATOMIC_RELAXED)) {
            return interp_leave(in, o->snap, pc, TCG_EXIT_POLL);
        }
        return in->ops_left ? TCG_EXIT_NONE : interp_leave(in, o->snap, pc, TCG_EXIT_REQUEST);
    default: /* INSN, NOP, PREFETCH, PUSH_RET: nothing to see */ return TCG_EXIT_NONE;
    }
}

static bool interp_is_effect(unsigned op)
{
    return op == IR_NOP || op == IR_INSN || (op >= IR_LD && op <= IR_PREFETCH) ||
           (op >= IR_CALL && op <= IR_PUSH_RET);
}

/* Runs one block from op v up to its end; *why: NONE when it goes on at the result. */
static IrBlk interp_block(IrInterp *in, IrRef v, TcgExit *why)
{
    const IrRegion *r = in->r;
    IrVec a[4];

    for (;; v = r->ops[v].next) {
        const IrOp *o = &r->ops[v];
        const IrBlock *b = &r->blocks[o->blk];

        in->ops_left -= in->ops_left != 0;
        if (o->op == IR_BR) {
            return b->succ[0];
        }
        if (o->op == IR_BRC) {
            return b->succ[in->val[o->arg[0]].u64[0] & 1 ? 0 : 1];
        }
        if (ir_op_info[o->op].attrs & IRA_TERM) {
            *why = interp_exit(in, o);
            return IR_NO_BLK;
        }
        if (o->op == IR_GET) {
            interp_get(in, &in->val[v], o->slot);
        } else if (interp_is_effect(o->op)) {
            *why = interp_effect(in, o, &in->val[v]);
            if (*why != TCG_EXIT_NONE) {
                return IR_NO_BLK;
            }
        } else {
            interp_args(in, o, a);
            ir_eval(in->cpu, &in->val[v], a, o->imm, interp_info(o));
        }
    }
}

static TcgExit interp_run(IrInterp *in)
{
    TcgExit why = TCG_EXIT_NONE;
    IrBlk blk = 0, from = IR_NO_BLK, next;
    IrRef v;

    for (;;) {
        v = in->r->blocks[blk].first;
        if (from != IR_NO_BLK && in->r->ops[v].op == IR_PHI) {
            v = interp_phis(in, blk, from);
        }
        next = interp_block(in, v, &why);
        if (why != TCG_EXIT_NONE) {
            return why;
        }
        from = blk;
        blk = next;
    }
}

/* Large regions: values on the heap. Not inlined: the small case must not pay its stack. */
static TcgExit interp_on_heap(IrInterp *in)
{
    TcgExit why;

    in->val = aligned_alloc(64, 2 * (size_t)in->r->n_ops * sizeof *in->val);
    if (!in->val) {
        return TCG_EXIT_INTERP;
    }
    why = interp_run(in);
    free(in->val);
    return why;
}

TcgExit ir_interp(const IrRegion *r, TcgCpu *cpu, const TcgInterpMem *mem, uint64_t max_ops)
{
    IrInterp in = {
        .mem = {.user = mem}, .r = r, .cpu = cpu, .ops_left = max_ops ? max_ops : UINT64_MAX};

    if (r->n_ops > IR_STACK_OPS) {
        return interp_on_heap(&in);
    }
    in.val = __builtin_alloca_with_align(2 * (size_t)r->n_ops * sizeof *in.val, 64 * 8);
    return interp_run(&in);
}
