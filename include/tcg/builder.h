/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds IR: what front ends call. Light folding happens here (constants, x+0, known slot values),
 * so that tier 1, which runs no passes, still gets decent code.
 *
 * A builder works on one region, in one current block. Slot values are known within a block and
 * along edges to a block whose only predecessor (so far and for good: ir_new_block(sealed)) was
 * already built; elsewhere ir_get emits IR_GET, and promotion joins them.
 *
 * Order within a guest instruction: ir_insn(), then gets, computation and faulting ops, then puts.
 * The snapshot of a faulting op is the state at ir_insn(); debug builds assert that no put came
 * between (ir_put after ir_insn and then a faulting op in the same instruction is a bug).
 *
 * Threads: one builder belongs to one thread.
 */
#ifndef GEMEL_TCG_BUILDER_H
#define GEMEL_TCG_BUILDER_H

#include "tcg/ir.h"

typedef struct IrBuilder {
    IrRegion *r;
    IrBlk     cur;                 /* current block, IR_NO_BLK after a terminator */
    uint64_t  insn_pc;             /* from ir_insn() */
    bool      put_seen;            /* a put since ir_insn() (debug check) */
    IrRef     val[IR_MAX_SLOTS];   /* value of each slot now, IR_NONE = not read or written here */
    uint64_t  dirty[IR_MAX_SLOTS / 64];  /* slots put in this block or inherited dirty */
    uint32_t  cur_snap;            /* snapshot of this instruction, made on first need */
    bool      must_exit;           /* after IR_CALLS: ir_goto and ir_branch make exits */
    /* Where does a guest address continue? Block index inside the region, or IR_NO_BLK: an exit.
     * Called by ir_goto/ir_branch with the direct target; may be NULL (always exits, but a jump
     * to the region's own entry is a back-edge). */
    IrBlk   (*resolve)(void *opaque, uint64_t pc);
    /*
     * Inlining of guest calls (tier 2); both NULL: none. resolve_call: where a direct call to
     * `callee` that returns to `ret` continues inside the region, or IR_NO_BLK; then nothing is
     * pushed on the return ring. resolve_ret: inside an inlined callee, the block behind the call
     * and its address; the return is checked against that address and leaves when it differs.
     */
    IrBlk   (*resolve_call)(void *opaque, uint64_t callee, uint64_t ret);
    IrBlk   (*resolve_ret)(void *opaque, uint64_t *ret);
    void     *opaque;
    bool      call_open;           /* between ir_call_push() and the jump */
    uint64_t  call_ret;
    void     *state;               /* private to builder.c: per-block saved maps */
} IrBuilder;

/*
 * A region with two blocks: 0, the entry, which only branches to block 1 and never has a
 * predecessor (promotion puts GETs there), and 1, for guest address pc, current and empty.
 * Freed with the arena. With resolve == NULL a jump to the region's own pc is a back-edge to
 * block 1, every other one an exit. POLLs at loop heads are inserted by ir_opt_promote(); the back
 * end polls at region entry by itself.
 */
void ir_builder_init(IrBuilder *b, Arena *arena, const struct TcgGuest *guest, uint64_t pc,
                     uint64_t mode, unsigned tier);
/* Ends building: closes open maps. The region is b->r; then ir_optimize() it. */
IrRegion *ir_builder_finish(IrBuilder *b);

/* A new empty block for guest address pc. single_pred: exactly one edge will ever lead to it, and
 * that edge is built before it becomes current; it then inherits the predecessor's slot values. */
IrBlk ir_new_block(IrBuilder *b, uint64_t pc, bool single_pred);
void  ir_set_block(IrBuilder *b, IrBlk blk);

void  ir_insn(IrBuilder *b, uint64_t pc);      /* a guest instruction begins */
IrRef ir_get(IrBuilder *b, unsigned slot);
void  ir_put(IrBuilder *b, unsigned slot, IrRef v);

/* ---- values. `t` is IR_I32 or IR_I64; results fold when the arguments are constants. ---- */
IrRef ir_const(IrBuilder *b, IrType t, uint64_t v);      /* I1, I32, I64 */
IrRef ir_const_pc(IrBuilder *b, uint64_t guest_address); /* I64, IRF_GPC */
IrRef ir_vconst(IrBuilder *b, uint64_t both_halves, bool half);
bool  ir_is_const(const IrBuilder *b, IrRef v, uint64_t *out);

/* Appends any op; the others are shorthands for it. `snap` is attached when the op needs one. */
IrRef ir_emit(IrBuilder *b, IrOpcode op, IrType t, unsigned esz, unsigned sub, unsigned flags,
              IrRef a, IrRef c1, IrRef c2, IrRef c3, uint64_t imm);

static inline IrRef ir_un(IrBuilder *b, IrOpcode op, IrType t, IrRef a)
{
    return ir_emit(b, op, t, 0, 0, 0, a, 0, 0, 0, 0);
}
static inline IrRef ir_bin(IrBuilder *b, IrOpcode op, IrType t, IrRef a, IrRef c)
{
    return ir_emit(b, op, t, 0, 0, 0, a, c, 0, 0, 0);
}
static inline IrRef ir_bini(IrBuilder *b, IrOpcode op, IrType t, IrRef a, uint64_t imm)
{
    return ir_emit(b, op, t, 0, 0, 0, a, ir_const(b, t, imm), 0, 0, 0);
}
static inline IrRef ir_cmp(IrBuilder *b, IrCmp cc, unsigned esz, IrRef a, IrRef c)
{
    return ir_emit(b, IR_CMP, IR_I1, esz, cc, 0, a, c, 0, 0, 0);
}
static inline IrRef ir_select(IrBuilder *b, IrType t, IrRef cond, IrRef a, IrRef c)
{
    return ir_emit(b, IR_SELECT, t, 0, 0, 0, cond, a, c, 0, 0);
}
static inline IrRef ir_ext(IrBuilder *b, IrType t, unsigned esz, bool sign, IrRef a)
{
    return ir_emit(b, sign ? IR_SEXT : IR_ZEXT, t, esz, 0, 0, a, 0, 0, 0, 0);
}
/* Vector op on V128: elements of 1 << esz bytes; half: 64-bit form. */
static inline IrRef ir_vun(IrBuilder *b, IrOpcode op, unsigned esz, bool half, IrRef a, uint64_t imm)
{
    return ir_emit(b, op, IR_V128, esz, 0, half ? IRF_HALF : 0, a, 0, 0, 0, imm);
}
static inline IrRef ir_vbin(IrBuilder *b, IrOpcode op, unsigned esz, bool half, IrRef a, IrRef c)
{
    return ir_emit(b, op, IR_V128, esz, 0, half ? IRF_HALF : 0, a, c, 0, 0, 0);
}
/* Memory: address = base + (index << scale) + disp; index may be IR_NONE. */
static inline IrRef ir_ld(IrBuilder *b, IrType t, unsigned esz, unsigned flags, IrRef base,
                          IrRef index, unsigned scale, int64_t disp)
{
    return ir_emit(b, IR_LD, t, esz, scale, flags, base, index, 0, 0, (uint64_t)disp);
}
static inline void ir_st(IrBuilder *b, unsigned esz, unsigned flags, IrRef base, IrRef index,
                         unsigned scale, int64_t disp, IrRef value)
{
    ir_emit(b, IR_ST, IR_VOID, esz, scale, flags, base, index, value, 0, (uint64_t)disp);
}

/* ---- terminators: the current block ends ---- */
void ir_br(IrBuilder *b, IrBlk to);                      /* inside one guest instruction */
void ir_brc(IrBuilder *b, IrRef cond, IrBlk taken, IrBlk not_taken);
void ir_goto(IrBuilder *b, uint64_t pc);                 /* direct jump or fall-through */
void ir_branch(IrBuilder *b, IrRef cond, uint64_t taken, uint64_t not_taken);
void ir_jump(IrBuilder *b, IrRef address, IrJumpKind kind); /* constant address: as ir_goto */
void ir_call_push(IrBuilder *b, uint64_t return_pc);     /* before ir_goto/ir_jump of a call */
/* Leave to C. pc: what the guest's PC shall be (the faulting insn, or the next for SVC). */
void ir_raise(IrBuilder *b, unsigned reason, uint64_t info, uint64_t pc);
void ir_poll(IrBuilder *b);

#endif
