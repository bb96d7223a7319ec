/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86 branches, calls, string instructions, system instructions.
 *
 * Source: SDM volume 2, the instructions' pages; volume 1, 7.3.9 (string operations).
 *
 * REP: one iteration is one turn of a block that jumps to its own address, so that every
 * iteration is a point where a fault or signal finds exact registers, as the manual asks.
 */
#include "target/x86/tcg/x86_ctx.h"

static void set_targets(X86Ctx *c, unsigned n, uint64_t first, uint64_t second)
{
    c->blk->target[0] = first;
    c->blk->target[1] = second;
    c->blk->n_targets = n;
    c->done = true;
}

static uint64_t relative(const X86Ctx *c, const X86Insn *i)
{
    return c->next + i->imm;
}

/* ---- branches ---- */

static bool branch_if(X86Ctx *c, IrRef cond, uint64_t taken)
{
    set_targets(c, 2, taken, c->next);
    ir_branch(c->b, cond, taken, c->next);
    return true;
}

bool x86_gen_jcc(X86Ctx *c, const X86Insn *i)
{
    return branch_if(c, x86_cond(c, i->opcode), relative(c, i));
}

bool x86_gen_jrcxz(X86Ctx *c, const X86Insn *i)
{
    unsigned esz = i->aesz;
    IrRef cond = ir_cmp(c->b, IR_EQ, esz, x86_reg(c, X86_RCX), x86_const(c, esz, 0));
    return branch_if(c, cond, relative(c, i));
}

bool x86_gen_jmp(X86Ctx *c, const X86Insn *i)
{
    set_targets(c, 1, relative(c, i), 0);
    ir_goto(c->b, relative(c, i));
    return true;
}

bool x86_gen_jmp_ind(X86Ctx *c, const X86Insn *i)
{
    if (i->op[0].esz != 3) {
        return false;
    }
    ir_jump(c->b, x86_read(c, i, 0), IR_J_JUMP);
    c->done = true;
    return true;
}

static void push_return(X86Ctx *c)
{
    IrRef sp = x86_reg(c, X86_RSP);
    ir_st(c->b, 3, 0, sp, 0, 0, -8, ir_const_pc(c->b, c->next));
    ir_put(c->b, X86_S_RAX + X86_RSP, ir_bini(c->b, IR_ADD, IR_I64, sp, (uint64_t)-8));
    ir_call_push(c->b, c->next);
}

bool x86_gen_call(X86Ctx *c, const X86Insn *i)
{
    push_return(c);
    set_targets(c, 2, relative(c, i), c->next);
    c->blk->ends_in_call = true;
    ir_goto(c->b, relative(c, i));
    return true;
}

bool x86_gen_call_ind(X86Ctx *c, const X86Insn *i)
{
    if (i->op[0].esz != 3) {
        return false;
    }
    IrRef to = x86_read(c, i, 0);
    push_return(c);
    ir_jump(c->b, to, IR_J_CALL);
    c->done = true;
    return true;
}

bool x86_gen_ret(X86Ctx *c, const X86Insn *i)
{
    IrRef sp = x86_reg(c, X86_RSP);
    IrRef to = ir_ld(c->b, IR_I64, 3, 0, sp, 0, 0, 0);
    ir_put(c->b, X86_S_RAX + X86_RSP, ir_bini(c->b, IR_ADD, IR_I64, sp, 8 + i->imm));
    ir_jump(c->b, to, IR_J_RET);
    c->done = true;
    return true;
}

/* ---- to the system ---- */

/* RCX and R11 take RIP and RFLAGS; user mode's R11 has the fixed bits and no more. */
bool x86_gen_syscall(X86Ctx *c, const X86Insn *i)
{
    (void)i;
    ir_put(c->b, X86_S_RAX + X86_RCX, ir_const_pc(c->b, c->next));
    ir_put(c->b, X86_S_RAX + X86_R11, ir_const(c->b, IR_I64, X86_FL_IF | 2));
    ir_raise(c->b, TCG_EXIT_SYSCALL, 0, c->next);
    c->done = true;
    return true;
}

bool x86_gen_trap(X86Ctx *c, const X86Insn *i)
{
    (void)i;
    if (c->arg == X86_TRAP_BREAK) {
        ir_raise(c->b, TCG_EXIT_BREAK, 3, c->next);
        c->done = true;
        return true;
    }
    return false; /* privileged: #GP(0); reported as an invalid instruction for now */
}

bool x86_gen_ud(X86Ctx *c, const X86Insn *i)
{
    (void)c, (void)i;
    return false;
}

bool x86_gen_nop(X86Ctx *c, const X86Insn *i)
{
    (void)c, (void)i;
    return true;
}

bool x86_gen_prefetch(X86Ctx *c, const X86Insn *i)
{
    X86Addr a = x86_addr(c, i);
    ir_emit(c->b, IR_PREFETCH, IR_VOID, 0, a.scale, 0, a.base, a.index, 0, 0, (uint64_t)a.disp);
    return true;
}

bool x86_gen_fence(X86Ctx *c, const X86Insn *i)
{
    (void)i;
    ir_emit(c->b, IR_FENCE, IR_VOID, 0, c->arg, 0, 0, 0, 0, 0, 0);
    return true;
}

/* A helper that writes slots ends the block. */
static bool call_and_go_on(X86Ctx *c, X86HelperId h)
{
    ir_emit(c->b, IR_CALLS, IR_VOID, 0, 0, 0, 0, 0, 0, 0, h);
    set_targets(c, 1, c->next, 0);
    ir_goto(c->b, c->next);
    return true;
}

bool x86_gen_cpuid(X86Ctx *c, const X86Insn *i)
{
    (void)i;
    return call_and_go_on(c, X86_H_cpuid);
}

bool x86_gen_rdtsc(X86Ctx *c, const X86Insn *i)
{
    (void)i;
    return call_and_go_on(c, X86_H_rdtsc);
}

/* MXCSR is no slot: the FP helpers write its sticky flags. */
bool x86_gen_ldmxcsr(X86Ctx *c, const X86Insn *i)
{
    IrRef v = x86_ld(c, IR_I32, 2, 0, x86_addr(c, i));
    ir_emit(c->b, IR_CALL, IR_VOID, 0, 0, 0, v, 0, 0, 0, X86_H_set_mxcsr);
    return true;
}

bool x86_gen_stmxcsr(X86Ctx *c, const X86Insn *i)
{
    IrRef v = ir_emit(c->b, IR_CALL, IR_I64, 0, 0, 0, 0, 0, 0, 0, X86_H_get_mxcsr);
    x86_st(c, 2, 0, x86_addr(c, i), v);
    return true;
}

/* ---- string instructions ---- */

/* One iteration as values: what to put once nothing can fault any more. */
typedef struct X86Step {
    IrRef rsi, rdi, rax, flags; /* IR_NONE: unchanged */
} X86Step;

static IrRef advance(X86Ctx *c, const X86Insn *i, unsigned reg)
{
    IrRef step = ir_bini(c->b, IR_SHL, IR_I64, ir_get(c->b, X86_S_DF), i->op[0].esz);
    IrRef v = ir_bin(c->b, IR_ADD, IR_I64, x86_reg(c, reg), step);
    return i->aesz == 2 ? ir_ext(c->b, IR_I32, 2, false, v) : v;
}

static X86Addr source(X86Ctx *c, const X86Insn *i)
{
    X86Insn at = *i;
    at.base = X86_RSI;
    return x86_addr(c, &at);
}

static X86Addr destination(X86Ctx *c, const X86Insn *i)
{
    X86Insn at = *i;
    at.base = X86_RDI;
    at.seg = 0; /* always ES */
    return x86_addr(c, &at);
}

static X86Step string_step(X86Ctx *c, const X86Insn *i)
{
    unsigned esz = i->op[0].esz;
    IrType t = x86_type(esz);
    X86Step s = {0};
    IrRef a, b;
    switch (c->arg) {
    case X86_STR_MOVS:
        a = x86_ld(c, t, esz, 0, source(c, i));
        x86_st(c, esz, 0, destination(c, i), a);
        break;
    case X86_STR_STOS: x86_st(c, esz, 0, destination(c, i), x86_reg(c, X86_RAX)); break;
    case X86_STR_LODS: s.rax = x86_ld(c, t, esz, 0, source(c, i)); break;
    case X86_STR_CMPS:
        a = x86_ld(c, t, esz, 0, source(c, i));
        b = x86_ld(c, t, esz, 0, destination(c, i));
        s.flags = x86_fl(c, IR_FL_SUBB, esz, a, b, 0, 0);
        break;
    default: /* SCAS */
        b = x86_ld(c, t, esz, 0, destination(c, i));
        s.flags = x86_fl(c, IR_FL_SUBB, esz, x86_reg(c, X86_RAX), b, 0, 0);
        break;
    }
    if (c->arg != X86_STR_STOS && c->arg != X86_STR_SCAS) {
        s.rsi = advance(c, i, X86_RSI);
    }
    if (c->arg != X86_STR_LODS) {
        s.rdi = advance(c, i, X86_RDI);
    }
    return s;
}

static void put_step(X86Ctx *c, const X86Insn *i, const X86Step *s)
{
    if (s->rsi) {
        ir_put(c->b, X86_S_RAX + X86_RSI, s->rsi);
    }
    if (s->rdi) {
        ir_put(c->b, X86_S_RAX + X86_RDI, s->rdi);
    }
    if (s->rax) {
        x86_put_reg(c, i->op[0].esz, X86_RAX, s->rax);
    }
    if (s->flags) {
        x86_put_flags(c, s->flags);
    }
}

bool x86_gen_string(X86Ctx *c, const X86Insn *i)
{
    IrBuilder *b = c->b;
    if (!i->rep) {
        X86Step s = string_step(c, i);
        put_step(c, i, &s);
        return true;
    }
    /* RCX 0: done; else one step and again, unless REPE or REPNE has seen enough */
    unsigned cesz = i->aesz;
    IrRef rcx = x86_reg(c, X86_RCX);
    IrRef zero = ir_cmp(b, IR_EQ, cesz, rcx, x86_const(c, cesz, 0));
    uint64_t known;
    set_targets(c, 2, c->pc, c->next);
    if (ir_is_const(b, zero, &known)) {
        if (known) {
            ir_goto(b, c->next);
            return true;
        }
    } else {
        IrBlk none = ir_new_block(b, c->next, true), step = ir_new_block(b, c->pc, true);
        ir_brc(b, zero, none, step);
        ir_set_block(b, none);
        ir_goto(b, c->next);
        ir_set_block(b, step);
    }
    X86Step s = string_step(c, i);
    put_step(c, i, &s);
    IrRef left = ir_bini(b, IR_SUB, x86_type(cesz), rcx, 1);
    x86_put_reg(c, cesz, X86_RCX, left);
    IrRef more = ir_cmp(b, IR_NE, cesz, left, x86_const(c, cesz, 0));
    if (s.flags) {
        more = ir_bin(b, IR_AND, IR_I1, more, x86_cond_now(c, i->rep == 0xf3 ? IR_C_EQ : IR_C_NE));
    }
    ir_branch(b, more, c->pc, c->next);
    return true;
}
