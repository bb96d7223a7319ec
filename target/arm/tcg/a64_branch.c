/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 branches and exception-generating instructions.
 *
 * Source: Arm ARM (DDI 0487), C6.2; BranchTo and BTypeCompatible pseudo-code.
 * Direct successors are reported in TcgBlockCtx.target, the likelier one first where we know.
 */
#include "target/arm/tcg/a64_pauth.h"

static void set_targets(A64Ctx *c, unsigned n, uint64_t first, uint64_t second)
{
    c->blk->target[0] = first;
    c->blk->target[1] = second;
    c->blk->n_targets = n;
    c->done = true;
}

/* ---- direct ---- */

static bool branch_if(A64Ctx *c, IrRef cond, uint64_t offset)
{
    uint64_t taken = c->pc + offset, next = c->pc + 4;
    set_targets(c, 2, taken, next);
    if (c->mode & A64_MODE_STEP) {
        a64_step_to(
            c, ir_select(c->b, IR_I64, cond, ir_const_pc(c->b, taken), ir_const_pc(c->b, next)));
    } else {
        ir_branch(c->b, cond, taken, next);
    }
    return true;
}

bool gen_B(A64Ctx *c, const A64Insn *i)
{
    uint64_t to = c->pc + (uint64_t)(a64_sext(i->imm, 26) * 4);
    set_targets(c, 1, to, 0);
    a64_goto(c, to);
    return true;
}

bool gen_BL(A64Ctx *c, const A64Insn *i)
{
    uint64_t to = c->pc + (uint64_t)(a64_sext(i->imm, 26) * 4), next = c->pc + 4;
    a64_put_x(c, 30, ir_const_pc(c->b, next));
    set_targets(c, 2, to, next);
    c->blk->ends_in_call = true;
    if (c->mode & A64_MODE_STEP) {
        a64_step_to(c, ir_const_pc(c->b, to));
        return true;
    }
    ir_call_push(c->b, next);
    ir_goto(c->b, to);
    return true;
}

bool gen_B_cond(A64Ctx *c, const A64Insn *i)
{
    uint64_t off = (uint64_t)(a64_sext(i->imm, 19) * 4);
    if (i->cond >= 14) {
        set_targets(c, 1, c->pc + off, 0);
        a64_goto(c, c->pc + off);
        return true;
    }
    return branch_if(c, a64_cond(c, i->cond), off);
}

bool gen_CBZ(A64Ctx *c, const A64Insn *i)
{
    IrRef cond =
        ir_cmp(c->b, i->op ? IR_NE : IR_EQ, i->sf ? 3 : 2, a64_x(c, i->rt), a64_imm(c, i->sf, 0));
    return branch_if(c, cond, (uint64_t)(a64_sext(i->imm, 19) * 4));
}

bool gen_TBZ(A64Ctx *c, const A64Insn *i)
{
    uint64_t bit = 1ull << (i->b5 << 5 | i->b40);
    IrRef v = ir_bini(c->b, IR_AND, a64_type(i->b5), a64_x(c, i->rt), bit);
    IrRef cond = ir_cmp(c->b, i->op ? IR_NE : IR_EQ, i->b5 ? 3 : 2, v, a64_imm(c, i->b5, 0));
    return branch_if(c, cond, (uint64_t)(a64_sext(i->imm, 14) * 4));
}

/* ---- indirect ---- */

/* PSTATE.BTYPE that BR leaves behind. */
static unsigned br_btype(const A64Ctx *c, unsigned rn)
{
    return rn == 16 || rn == 17 || !(c->mode & A64_MODE_GUARDED) ? 1 : 3;
}

/* BTypeCompatible: set of BTYPE values, as bits, that may enter a guarded page at this word. */
static unsigned btypes_accepted(uint32_t word)
{
    if ((word & 0xffe0001f) == 0xd4200000 || (word & 0xffe0001f) == 0xd4400000) {
        return 0xf; /* BRK, HLT */
    }
    switch (word) {
    case 0xd503245f: /* BTI c */
    case 0xd503233f: /* PACIASP, PACIBSP; Linux sets SCTLR_EL1.BT0 */
    case 0xd503237f: return 1 << 0 | 1 << 1 | 1 << 2;
    case 0xd503249f: /* BTI j */ return 1 << 0 | 1 << 1 | 1 << 3;
    case 0xd50324df: /* BTI jc */ return 0xf;
    default: return 1 << 0;
    }
}

void a64_check_btype(A64Ctx *c, uint32_t word)
{
    IrBuilder *b = c->b;
    unsigned ok = btypes_accepted(word);
    uint64_t known;
    IrRef btype = ir_get(b, A64_S_BTYPE);
    if (ir_is_const(b, btype, &known) && known == 0) {
        return;
    }
    if ((c->mode & A64_MODE_GUARDED) && ok != 0xf) {
        IrRef bit = ir_bin(b, IR_SHR, IR_I32, ir_const(b, IR_I32, ok), btype);
        IrRef good = ir_bini(b, IR_AND, IR_I32, bit, 1);
        IrBlk on = ir_new_block(b, c->pc, true), fault = ir_new_block(b, c->pc, true);
        ir_brc(b, ir_cmp(b, IR_NE, 2, good, ir_const(b, IR_I32, 0)), on, fault);
        ir_set_block(b, fault);
        ir_raise(b, TCG_EXIT_BTI, 0, c->pc);
        ir_set_block(b, on);
    }
    ir_put(b, A64_S_BTYPE, ir_const(b, IR_I32, 0));
    ir_insn(b, c->pc); /* the instruction itself begins after the check */
}

/* To the address in v; btype as the manual sets it for the instruction. */
static void jump_to(A64Ctx *c, IrRef v, IrJumpKind kind, unsigned btype)
{
    if (c->mode & A64_MODE_TAGGED) {
        v = a64_bits(c, IR_I64, true, v, 0, 56);
    }
    if (btype && (c->mode & A64_MODE_BTI)) {
        ir_put(c->b, A64_S_BTYPE, ir_const(c->b, IR_I32, btype));
    }
    if (kind == IR_J_CALL) {
        a64_put_x(c, 30, ir_const_pc(c->b, c->pc + 4));
    }
    c->done = true;
    if (c->mode & A64_MODE_STEP) {
        a64_step_to(c, v);
        return;
    }
    if (kind == IR_J_CALL) {
        ir_call_push(c->b, c->pc + 4);
    }
    ir_jump(c->b, v, kind);
}

bool gen_BR(A64Ctx *c, const A64Insn *i)
{
    jump_to(c, a64_x(c, i->rn), IR_J_JUMP, br_btype(c, i->rn));
    return true;
}

bool gen_BLR(A64Ctx *c, const A64Insn *i)
{
    jump_to(c, a64_x(c, i->rn), IR_J_CALL, 2);
    return true;
}

bool gen_RET(A64Ctx *c, const A64Insn *i)
{
    jump_to(c, a64_x(c, i->rn), IR_J_RET, 0);
    return true;
}

bool gen_BRA(A64Ctx *c, const A64Insn *i)
{
    bool zero = !(i->word >> 24 & 1);
    IrRef mod = zero ? ir_const(c->b, IR_I64, 0) : a64_xsp(c, i->rm);
    IrRef v = a64_pac_auth(c, i->m ? A64_KEY_IB : A64_KEY_IA, a64_x(c, i->rn), mod);
    jump_to(c, v, IR_J_JUMP, br_btype(c, i->rn));
    return true;
}

bool gen_BLRA(A64Ctx *c, const A64Insn *i)
{
    bool zero = !(i->word >> 24 & 1);
    IrRef mod = zero ? ir_const(c->b, IR_I64, 0) : a64_xsp(c, i->rm);
    IrRef v = a64_pac_auth(c, i->m ? A64_KEY_IB : A64_KEY_IA, a64_x(c, i->rn), mod);
    jump_to(c, v, IR_J_CALL, 2);
    return true;
}

bool gen_RETA(A64Ctx *c, const A64Insn *i)
{
    IrRef v = a64_pac_auth(c, i->m ? A64_KEY_IB : A64_KEY_IA, a64_x(c, 30), a64_xsp(c, 31));
    jump_to(c, v, IR_J_RET, 0);
    return true;
}

/* ---- exceptions ---- */

bool gen_SVC(A64Ctx *c, const A64Insn *i)
{
    ir_raise(c->b, TCG_EXIT_SYSCALL, i->imm, c->pc + 4);
    c->done = true;
    return true;
}

bool gen_BRK(A64Ctx *c, const A64Insn *i)
{
    ir_raise(c->b, TCG_EXIT_BREAK, i->imm, c->pc);
    c->done = true;
    return true;
}
