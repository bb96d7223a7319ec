/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds IR (include/tcg/builder.h).
 *
 * Cost: tier 1 builds every block the guest ever runs, so an op must cost some ten ns: op templates
 * on the stack, one bump allocation, rules that look at an op's opcode first, maps of slots
 * copied only along edges into single-predecessor blocks.
 *
 * Snapshots: the stale slots at the start of an instruction are listed on the first op that needs
 * them. Two instructions with no put between them share the list. An instruction that spans blocks
 * gets its snapshot before its first block ends, for the list is known only there.
 */
#include "tcg/builder.h"

#include <assert.h>
#include <string.h>

#include "tcg/region.h"
#include "tcg/runtime.h"
#include "tcg/simplify.h"

enum {
    IR_CONST_CACHE = 16, /* direct-mapped, per block */
    IR_FIRST_OPS = 128,
    IR_FIRST_BLOCKS = 8,
    IR_FIRST_SNAPS = IR_FIRST_OPS / 4,
    IR_DIRTY_WORDS = IR_MAX_SLOTS / 64
};

/* Slot values at the end of a block, for the single-predecessor blocks behind it. */
typedef struct IrSavedMap {
    IrRef val[IR_MAX_SLOTS];
    uint64_t dirty[IR_DIRTY_WORDS];
    bool after_calls;
} IrSavedMap;

typedef struct IrBuildBlock {
    IrSavedMap *map; /* NULL: not closed yet */
    IrBlk pred;      /* the one predecessor, for single_pred blocks */
    bool single_pred, begun;
} IrBuildBlock;

typedef struct IrBuildState {
    IrSimp simp; /* must be first */
    IrBuilder *b;
    IrBuildBlock *blocks;
    unsigned cap_blocks;
    uint32_t snap_first, snap_n; /* entries of the last snapshot made */
    bool snap_same;              /* no put since: they still hold */
    bool insn_open;              /* in an instruction, snapshot still possible */
    bool after_calls;            /* the state was written back in this path */
    IrRef consts[IR_CONST_CACHE];
} IrBuildState;

/* What a block of usual size needs, in one piece, not zeroed; arrays that are too small move. */
typedef struct IrFirst {
    IrRegion region;
    IrBuildState state;
    IrBlock blocks[IR_FIRST_BLOCKS];
    IrBuildBlock build[IR_FIRST_BLOCKS];
    IrSnap snaps[IR_FIRST_SNAPS];
    IrSnapEntry entries[IR_FIRST_OPS];
    IrOp ops[IR_FIRST_OPS];
} IrFirst;

static IrBuildState *ir_state(const IrBuilder *b)
{
    return b->state;
}

static const TcgGuest *ir_guest(const IrBuilder *b)
{
    return b->r->guest;
}

/* ---- appending ---- */

static IrRef ir_append(IrBuilder *b, const IrOp *op)
{
    IrRef v;

    assert(b->cur != IR_NO_BLK);
    v = ir_region_new_op(b->r, op);
    ir_region_append(b->r, b->cur, v);
    return v;
}

static IrRef ir_make_const(IrBuilder *b, const IrOp *op)
{
    IrBuildState *st = ir_state(b);
    unsigned h =
        (unsigned)((op->imm * UINT64_C(0x9e3779b97f4a7c15) >> 58) + op->type) % IR_CONST_CACHE;
    IrOp *old = &b->r->ops[st->consts[h]];

    if (st->consts[h] != IR_NONE && old->imm == op->imm && old->type == op->type &&
        old->flags == op->flags) {
        return st->consts[h];
    }
    return st->consts[h] = ir_append(b, op);
}

/* Simplifies and appends a pure op. */
static IrRef ir_make(IrBuilder *b, IrOp *op)
{
    IrRef v = IR_NONE;

    if (op->op != IR_CONST) {
        v = ir_simplify(&ir_state(b)->simp, op);
    }
    if (v != IR_NONE) {
        return v;
    }
    return op->op == IR_CONST ? ir_make_const(b, op) : ir_append(b, op);
}

static IrRef ir_build_emit(IrSimp *s, const IrOp *op)
{
    IrOp copy = *op;

    return ir_make(((IrBuildState *)(void *)s)->b, &copy);
}

static IrRef ir_build_emit_after(IrSimp *s, IrRef where, const IrOp *op)
{
    IrRef next = s->r->ops[where].next, v;

    for (unsigned i = 0; i < 4 && next != IR_NONE; i++) { /* asked before? */
        const IrOp *o = &s->r->ops[next];

        if (o->op == op->op && o->sub == op->sub && o->arg[0] == op->arg[0] &&
            o->arg[1] == op->arg[1] && o->esz == op->esz) {
            return next;
        }
        next = o->next;
    }
    v = ir_region_new_op(s->r, op);
    ir_region_insert_after(s->r, where, v);
    return v;
}

/* ---- snapshots ---- */

/* The slots that are dirty now, as entries; shared with the last list if nothing was put. */
static void ir_list_dirty(IrBuilder *b)
{
    IrBuildState *st = ir_state(b);
    IrRegion *r = b->r;
    unsigned n = 0;
    IrSnapEntry *e;

    if (st->snap_same) {
        return;
    }
    for (unsigned w = 0; w < IR_DIRTY_WORDS; w++) {
        n += (unsigned)__builtin_popcountll(b->dirty[w]);
    }
    st->snap_first = ir_region_snap_entries(r, n);
    st->snap_n = n;
    st->snap_same = true;
    e = &r->snap_entries[st->snap_first];
    for (unsigned w = 0; w < IR_DIRTY_WORDS; w++) {
        for (uint64_t m = b->dirty[w]; m; m &= m - 1) {
            uint16_t slot = (uint16_t)(w * 64 + (unsigned)__builtin_ctzll(m));

            *e++ = (IrSnapEntry){.slot = slot, .val = b->val[slot]};
        }
    }
}

static uint32_t ir_snap_now(IrBuilder *b, uint64_t pc)
{
    IrBuildState *st = ir_state(b);

    ir_list_dirty(b);
    return ir_region_new_snap(b->r, &(IrSnap){.pc = pc,
                                              .first = st->snap_first,
                                              .n = st->snap_n,
                                              .blk = b->cur,
                                              .full = st->after_calls});
}

/* The snapshot of the current instruction. */
static uint32_t ir_snap_insn(IrBuilder *b)
{
    if (b->cur_snap == 0) {
        assert(!b->put_seen && "ir_put before an op of the same instruction that can fault");
        b->cur_snap = ir_snap_now(b, b->insn_pc);
    }
    return b->cur_snap;
}

/* ---- blocks and slots ---- */

static IrBuildBlock *ir_build_block(IrBuilder *b, IrBlk blk)
{
    IrBuildState *st = ir_state(b);

    if (blk >= st->cap_blocks) {
        st->blocks =
            arena_grow(b->r->arena, st->blocks, &st->cap_blocks, blk + 1u, sizeof *st->blocks);
    }
    return &st->blocks[blk];
}

IrBlk ir_new_block(IrBuilder *b, uint64_t pc, bool single_pred)
{
    IrBlk blk = ir_region_new_block(b->r, pc);

    *ir_build_block(b, blk) = (IrBuildBlock){.single_pred = single_pred, .pred = IR_NO_BLK};
    return blk;
}

void ir_set_block(IrBuilder *b, IrBlk blk)
{
    IrBuildState *st = ir_state(b);
    IrBuildBlock *bb = ir_build_block(b, blk);
    const IrSavedMap *map = NULL;

    assert(b->cur == IR_NO_BLK && !bb->begun);
    bb->begun = true;
    b->cur = blk;
    st->snap_same = false;
    memset(st->consts, 0, sizeof st->consts);
    if (bb->single_pred && bb->pred != IR_NO_BLK) {
        map = ir_build_block(b, bb->pred)->map;
    }
    if (map) {
        b->r->blocks[blk].inherits = true;
        memcpy(b->val, map->val, ir_guest(b)->n_slots * sizeof *b->val);
        memcpy(b->dirty, map->dirty, sizeof b->dirty);
        st->after_calls = map->after_calls;
    } else {
        memset(b->val, 0, ir_guest(b)->n_slots * sizeof *b->val);
        memset(b->dirty, 0, sizeof b->dirty);
        st->after_calls = false;
    }
    b->must_exit = st->after_calls;
}

/* The current block is complete: its slot map becomes IrBlock.out. */
static void ir_close_block(IrBuilder *b)
{
    IrBuildState *st = ir_state(b);
    IrRegion *r = b->r;
    IrBlock *blk = &r->blocks[b->cur];
    IrBuildBlock *bb = ir_build_block(b, b->cur);
    bool inherit = false;

    for (unsigned i = 0; i < 2; i++) {
        if (blk->succ[i] != IR_NO_BLK) {
            IrBuildBlock *to = ir_build_block(b, blk->succ[i]);

            to->pred = b->cur;
            inherit |= to->single_pred && !to->begun;
        }
    }
    if (blk->succ[0] != IR_NO_BLK) {
        ir_list_dirty(b);
        blk->n_out = st->snap_n;
        blk->out = arena_alloc(r->arena, st->snap_n * sizeof *blk->out);
        if (st->snap_n) {
            memcpy(blk->out, &r->snap_entries[st->snap_first], st->snap_n * sizeof *blk->out);
        }
    }
    if (inherit) {
        bb->map = arena_alloc(r->arena, sizeof *bb->map);
        memcpy(bb->map->val, b->val, ir_guest(b)->n_slots * sizeof *b->val);
        memcpy(bb->map->dirty, b->dirty, sizeof b->dirty);
        bb->map->after_calls = st->after_calls;
    }
    b->cur = IR_NO_BLK;
}

void ir_builder_init(IrBuilder *b, Arena *arena, const TcgGuest *guest, uint64_t pc, uint64_t mode,
                     unsigned tier)
{
    IrFirst *first = arena_take(arena, sizeof *first);
    IrRegion *r = &first->region;
    IrBuildState *st = &first->state;

    assert(guest->n_slots <= IR_MAX_SLOTS);
    *r = (IrRegion){.arena = arena, .guest = guest, .mode = mode, .pc = pc, .tier = tier};
    b->r = r;
    b->cur = IR_NO_BLK;
    b->insn_pc = pc;
    b->put_seen = b->must_exit = false;
    b->cur_snap = 0;
    b->resolve = NULL;
    b->resolve_call = NULL;
    b->resolve_ret = NULL;
    b->call_open = false;
    b->opaque = NULL;
    b->state = st;
    *st = (IrBuildState){.simp = {.r = r, .emit = ir_build_emit, .emit_after = ir_build_emit_after},
                         .b = b};
    r->cap_ops = r->cap_snap_entries = IR_FIRST_OPS;
    r->cap_blocks = st->cap_blocks = IR_FIRST_BLOCKS;
    r->cap_snaps = IR_FIRST_SNAPS;
    r->ops = first->ops;
    r->blocks = first->blocks;
    r->snaps = first->snaps;
    r->snap_entries = first->entries;
    st->blocks = first->build;
    r->n_ops = r->n_snaps = 1; /* op 0 and snapshot 0 mean "none" */
    r->ops[0] = (IrOp){.blk = IR_NO_BLK};
    r->snaps[0] = (IrSnap){0};
    ir_new_block(b, pc, false);
    ir_new_block(b, pc, false);
    st->blocks[0].begun = true; /* block 0: a branch to block 1, nothing to be known of it */
    st->blocks[1].pred = 0;
    r->blocks[0].succ[0] = 1;
    ir_region_append(r, 0, ir_region_new_op(r, &(IrOp){.op = IR_BR}));
    ir_set_block(b, 1);
}

IrRegion *ir_builder_finish(IrBuilder *b)
{
    IrRegion *r = b->r;

    if (b->cur != IR_NO_BLK) { /* ran off its end: go on at the next instruction */
        ir_goto(b, b->insn_pc);
    }
    for (IrBlk i = 0; i < r->n_blocks; i++) { /* blocks asked for and never built: exits */
        if (r->blocks[i].last == IR_NONE && ir_build_block(b, i)->pred != IR_NO_BLK) {
            ir_set_block(b, i);
            b->must_exit = true;
            ir_goto(b, r->blocks[i].pc);
        }
    }
    ir_region_analyze(r);
    return r;
}

void ir_insn(IrBuilder *b, uint64_t pc)
{
    b->insn_pc = pc;
    b->put_seen = false;
    b->cur_snap = 0;
    ir_state(b)->insn_open = true;
    b->r->n_insns++;
    ir_append(b, &(IrOp){.op = IR_INSN, .imm = pc});
}

IrRef ir_get(IrBuilder *b, unsigned slot)
{
    assert(slot < ir_guest(b)->n_slots);
    if (b->val[slot] == IR_NONE) {
        b->val[slot] = ir_append(b, &(IrOp){.op = IR_GET,
                                            .type = ir_guest(b)->slots[slot].type,
                                            .flags = ir_state(b)->after_calls ? IRF_LATE : 0,
                                            .slot = (uint16_t)slot});
    }
    return b->val[slot];
}

void ir_put(IrBuilder *b, unsigned slot, IrRef v)
{
    IrBuildState *st = ir_state(b);
    IrOp *o = &b->r->ops[v];

    assert(slot < ir_guest(b)->n_slots && v != IR_NONE);
    if (ir_guest(b)->slots[slot].type == IR_I32 && o->type == IR_I64) {
        v = ir_ext(b, IR_I32, 2, false, v);
        o = &b->r->ops[v];
    }
    if (b->val[slot] == v) {
        return;
    }
    b->put_seen = true;
    if (o->slot == 0 && o->op != IR_GET && o->op != IR_PHI) {
        o->slot = (uint16_t)(slot + 1);
    }
    b->val[slot] = v;
    b->dirty[slot / 64] |= UINT64_C(1) << (slot % 64);
    st->snap_same = false;
}

/* ---- values ---- */

IrRef ir_const(IrBuilder *b, IrType t, uint64_t v)
{
    return ir_make_const(b,
                         &(IrOp){.op = IR_CONST, .type = (uint8_t)t, .imm = v & ir_type_mask(t)});
}

IrRef ir_const_pc(IrBuilder *b, uint64_t guest_address)
{
    return ir_make_const(
        b, &(IrOp){.op = IR_CONST, .type = IR_I64, .flags = IRF_GPC, .imm = guest_address});
}

IrRef ir_vconst(IrBuilder *b, uint64_t both_halves, bool half)
{
    return ir_make_const(
        b, &(IrOp){
               .op = IR_VCONST, .type = IR_V128, .flags = half ? IRF_HALF : 0, .imm = both_halves});
}

bool ir_is_const(const IrBuilder *b, IrRef v, uint64_t *out)
{
    uint64_t c;
    bool yes = ir_konst(b->r, v, &c);

    if (yes && out) {
        *out = c;
    }
    return yes;
}

/* After CALLS memory is current, and what the helper wrote is unknown. */
static void ir_after_calls(IrBuilder *b, uint64_t helper)
{
    const TcgGuest *g = ir_guest(b);
    const uint16_t *clobbers = helper < g->n_helpers ? g->helpers[helper].clobbers : NULL;

    for (; clobbers && *clobbers != 0xffff; clobbers++) {
        b->val[*clobbers] = IR_NONE;
    }
    memset(b->dirty, 0, sizeof b->dirty);
    ir_state(b)->snap_same = false;
    ir_state(b)->after_calls = true;
    b->must_exit = true;
}

IrRef ir_emit(IrBuilder *b, IrOpcode op, IrType t, unsigned esz, unsigned sub, unsigned flags,
              IrRef a, IrRef c1, IrRef c2, IrRef c3, uint64_t imm)
{
    IrOp o = {.op = (uint8_t)op,
              .type = (uint8_t)t,
              .esz = (uint8_t)esz,
              .sub = (uint8_t)sub,
              .flags = (uint16_t)flags,
              .arg = {a, c1, c2, c3},
              .imm = imm};
    unsigned attrs = ir_op_info[op].attrs;
    IrRef v;

    assert(!(attrs & IRA_TERM));
    if (attrs & IRA_PURE) {
        return ir_make(b, &o);
    }
    if (attrs & (IRA_FAULT | IRA_SNAP)) {
        o.snap = ir_snap_insn(b);
        ir_simplify(&ir_state(b)->simp, &o);
    }
    v = ir_append(b, &o);
    if (op == IR_CALLS) {
        ir_after_calls(b, imm);
    }
    return v;
}

/* ---- terminators ---- */

/* Ends the current block with *op. */
static void ir_terminate(IrBuilder *b, const IrOp *op, IrBlk s0, IrBlk s1)
{
    IrBlock *blk;

    ir_append(b, op);
    blk = &b->r->blocks[b->cur];
    blk->succ[0] = s0;
    blk->succ[1] = s1;
    ir_close_block(b);
}

void ir_br(IrBuilder *b, IrBlk to)
{
    if (ir_state(b)->insn_open && !b->put_seen) {
        ir_snap_insn(b);
    }
    ir_terminate(b, &(IrOp){.op = IR_BR}, to, IR_NO_BLK);
}

void ir_brc(IrBuilder *b, IrRef cond, IrBlk taken, IrBlk not_taken)
{
    uint64_t c;

    if (taken == not_taken || ir_is_const(b, cond, &c)) {
        ir_br(b, taken == not_taken || (c & 1) ? taken : not_taken);
        return;
    }
    if (ir_state(b)->insn_open && !b->put_seen) {
        ir_snap_insn(b);
    }
    ir_terminate(b, &(IrOp){.op = IR_BRC, .arg = {cond}}, taken, not_taken);
}

static IrBlk ir_resolve(IrBuilder *b, uint64_t pc)
{
    if (b->must_exit) {
        return IR_NO_BLK;
    }
    if (b->resolve) {
        return b->resolve(b->opaque, pc);
    }
    return pc == b->r->pc ? 1 : IR_NO_BLK;
}

/* The guest instruction ends here. */
static void ir_insn_done(IrBuilder *b)
{
    ir_state(b)->insn_open = false;
}

static void ir_push_ret(IrBuilder *b)
{
    if (b->call_open) {
        b->call_open = false;
        ir_append(b, &(IrOp){.op = IR_PUSH_RET, .imm = b->call_ret});
    }
}

/* Where a direct jump goes on inside the region, as an inlined call or as a plain edge. */
static IrBlk ir_resolve_jump(IrBuilder *b, uint64_t pc)
{
    IrBlk to = IR_NO_BLK;

    if (b->call_open && b->resolve_call && !b->must_exit) {
        to = b->resolve_call(b->opaque, pc, b->call_ret);
        b->call_open = to == IR_NO_BLK;
    }
    ir_push_ret(b);
    return to == IR_NO_BLK ? ir_resolve(b, pc) : to;
}

void ir_goto(IrBuilder *b, uint64_t pc)
{
    IrBlk to = ir_resolve_jump(b, pc);

    ir_insn_done(b);
    if (to != IR_NO_BLK) {
        ir_br(b, to);
        return;
    }
    ir_terminate(b, &(IrOp){.op = IR_EXIT_LINK, .imm = pc, .snap = ir_snap_now(b, pc)}, IR_NO_BLK,
                 IR_NO_BLK);
}

/* A block that only leaves by `op`, to or at pc, with the state of now. */
static IrBlk ir_leave_block(IrBuilder *b, uint64_t pc, IrOp op)
{
    IrBlk blk = ir_new_block(b, pc, true);

    op.snap = ir_snap_now(b, pc);
    b->r->snaps[op.snap].blk = blk;
    b->r->blocks[blk].inherits = true;
    ir_build_block(b, blk)->begun = true;
    ir_region_append(b->r, blk, ir_region_new_op(b->r, &op));
    return blk;
}

static IrBlk ir_exit_block(IrBuilder *b, uint64_t pc)
{
    return ir_leave_block(b, pc, (IrOp){.op = IR_EXIT_LINK, .imm = pc});
}

void ir_branch(IrBuilder *b, IrRef cond, uint64_t taken, uint64_t not_taken)
{
    uint64_t c;
    IrBlk t, n;

    if (taken == not_taken || ir_is_const(b, cond, &c)) {
        ir_goto(b, taken == not_taken || (c & 1) ? taken : not_taken);
        return;
    }
    ir_insn_done(b);
    t = ir_resolve(b, taken);
    n = ir_resolve(b, not_taken);
    if (t == IR_NO_BLK) {
        t = ir_exit_block(b, taken);
    }
    if (n == IR_NO_BLK) {
        n = ir_exit_block(b, not_taken);
    }
    ir_terminate(b, &(IrOp){.op = IR_BRC, .arg = {cond}}, t, n);
}

/* A return inside an inlined callee: on behind the call when the address is the expected one. */
static bool ir_inlined_return(IrBuilder *b, IrRef address)
{
    uint64_t ret;
    IrBlk to = b->resolve_ret && !b->must_exit ? b->resolve_ret(b->opaque, &ret) : IR_NO_BLK;
    IrRef same;
    IrBlk other;

    if (to == IR_NO_BLK) {
        return false;
    }
    same = ir_cmp(b, IR_EQ, 3, address, ir_const_pc(b, ret));
    ir_insn_done(b);
    other =
        ir_leave_block(b, b->insn_pc, (IrOp){.op = IR_EXIT_IND, .sub = IR_J_RET, .arg = {address}});
    b->r->blocks[other].cold = true;
    ir_terminate(b, &(IrOp){.op = IR_BRC, .arg = {same}}, to, other);
    return true;
}

void ir_jump(IrBuilder *b, IrRef address, IrJumpKind kind)
{
    uint64_t pc;

    if (kind == IR_J_RET && ir_inlined_return(b, address)) {
        return;
    }
    ir_push_ret(b);
    if (ir_is_const(b, address, &pc)) {
        ir_goto(b, pc);
        return;
    }
    ir_insn_done(b);
    ir_terminate(b,
                 &(IrOp){.op = IR_EXIT_IND,
                         .sub = (uint8_t)kind,
                         .arg = {address},
                         .snap = ir_snap_now(b, b->insn_pc)},
                 IR_NO_BLK, IR_NO_BLK);
}

void ir_call_push(IrBuilder *b, uint64_t return_pc)
{
    b->call_open = true;
    b->call_ret = return_pc;
}

void ir_raise(IrBuilder *b, unsigned reason, uint64_t info, uint64_t pc)
{
    ir_insn_done(b);
    ir_terminate(
        b,
        &(IrOp){
            .op = IR_EXIT_RAISE, .sub = (uint8_t)reason, .imm = info, .snap = ir_snap_now(b, pc)},
        IR_NO_BLK, IR_NO_BLK);
}

void ir_poll(IrBuilder *b)
{
    ir_append(b, &(IrOp){.op = IR_POLL, .snap = ir_snap_insn(b)});
}
