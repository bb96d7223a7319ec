/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 with EL1 and up, the translate functions: system registers and system instructions by
 * A64SysOps, PSTATE, exception calls and return, what the mode word traps.
 *
 * Source: Arm ARM (DDI 0487), C5, C6.2 (ERET, HVC, SMC, HLT, MSR), D1.4 (SP alignment), J1.1
 * (CheckSPAlignment, CheckFPAdvSIMDEnabled64).
 *
 * SP alignment costs nothing while SP is aligned: an instruction that may misalign it checks what
 * it puts and leaves for another mode word (A64_MODE_SPBAD), under which accesses by SP raise.
 */
#include "target/arm/tcg/a64_pauth.h"

#define ENC(op0, op1, crn, crm, op2) ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
enum {
    ENC_DAIF = ENC(3, 3, 4, 2, 1),
    ENC_CURRENT_EL = ENC(3, 0, 4, 2, 2),
    ENC_SPSEL = ENC(3, 0, 4, 2, 0),
    ENC_FPCR = ENC(3, 3, 4, 4, 0),
    ENC_FPSR = ENC(3, 3, 4, 4, 1),
};

static void raise_system(A64Ctx *c, uint64_t info, uint64_t pc)
{
    ir_raise(c->b, TCG_EXIT_SYSTEM, info, pc);
    c->done = true;
}

/* Behind CALLS: on at the next instruction. */
static void goto_next(A64Ctx *c)
{
    c->done = true;
    if (c->mode & A64_MODE_STEP) { /* the helper took the step */
        ir_raise(c->b, TCG_EXIT_ISB, 0, c->pc + 4);
        return;
    }
    c->blk->target[0] = c->pc + 4;
    c->blk->n_targets = 1;
    ir_goto(c->b, c->pc + 4);
}

void a64_step_to(A64Ctx *c, IrRef v)
{
    ir_insn(c->b, c->pc); /* what was put is part of the state that the helper sees */
    ir_emit(c->b, IR_CALLS, IR_VOID, 0, 0, 0, ir_const(c->b, IR_I64, A64_CALL_STEP), v, 0, 0,
            A64_H_sys_call);
    ir_raise(c->b, TCG_EXIT_ISB, 0, c->pc); /* not reached */
    c->blk->n_targets = 0;
    c->done = true;
}

/* ---- what the mode word traps ---- */

bool a64_block_refused(A64Ctx *c)
{
    uint64_t pc = c->pc, low = pc & ~0ull >> 8, canonical = pc >> 55 & 1 ? pc | 0xffull << 56 : low;
    bool tbi = c->mode & (pc >> 55 & 1 ? A64_MODE_TBI1 : A64_MODE_TBI0);
    c->blk->n_bytes = 4;
    ir_insn(c->b, pc);
    if (c->mode & A64_MODE_STEPPED) {
        raise_system(c, a64_exc_info(A64_EXC_STEP, 0, 0), pc);
    } else if (c->mode & A64_MODE_IL) {
        raise_system(c, a64_exc_info(A64_EXC_ILLEGAL, 0, 0), pc);
    } else if (tbi && pc != canonical) {
        ir_goto(c->b, canonical);
    } else {
        c->blk->n_bytes = 0;
        return false;
    }
    return true;
}

static bool is_fp(A64Feature f)
{
    static const uint64_t integer =
        1ull << A64_FEAT_BASE | 1ull << A64_FEAT_CRC32 | 1ull << A64_FEAT_LSE |
        1ull << A64_FEAT_LSE2 | 1ull << A64_FEAT_LRCPC | 1ull << A64_FEAT_LRCPC2 |
        1ull << A64_FEAT_FlagM | 1ull << A64_FEAT_FlagM2 | 1ull << A64_FEAT_DPB |
        1ull << A64_FEAT_DPB2 | 1ull << A64_FEAT_SB | 1ull << A64_FEAT_PAuth |
        1ull << A64_FEAT_FPAC | 1ull << A64_FEAT_BTI | 1ull << A64_FEAT_RNG | 1ull << A64_FEAT_SSBS;
    return !(integer >> f & 1);
}

/* A load or store by SP, of any kind but literals and prefetches. */
static bool uses_sp_base(uint32_t word)
{
    bool ldst = (word & 0x0a000000) == 0x08000000, literal = (word & 0x3b000000) == 0x18000000;
    bool prefetch = (word & 0xffc00000) == 0xf9800000 || (word & 0xffe00000) == 0xf8a00000 ||
                    (word & 0xffe00c00) == 0xf8800000;
    return ldst && !literal && !prefetch && (word >> 5 & 31) == 31;
}

bool a64_insn_trapped(A64Ctx *c, A64Feature feature, uint32_t word)
{
    if ((c->mode & A64_MODE_FPTRAP) && is_fp(feature)) {
        raise_system(c, a64_exc_info(A64_EXC_FP, 0, 0), c->pc);
        return true;
    }
    bool strip = (word & 0xfffffbe0) == 0xdac143e0; /* XPACI, XPACD never trap */
    if ((c->mode & A64_MODE_PACTRAP) && feature == A64_FEAT_PAuth && !strip) {
        raise_system(c, a64_exc_info(A64_EXC_PAUTH, 0, 0), c->pc);
        return true;
    }
    if ((c->mode & A64_MODE_SPBAD) && uses_sp_base(word)) {
        raise_system(c, a64_exc_info(A64_EXC_SPALIGN, 0, 0), c->pc);
        return true;
    }
    return false;
}

void a64_check_breakpoint(A64Ctx *c)
{
    IrBuilder *b = c->b;
    IrRef hit =
        ir_emit(b, IR_CALL, IR_I64, 0, 0, 0, ir_const_pc(b, c->pc), 0, 0, 0, A64_H_break_hit);
    IrBlk on = ir_new_block(b, c->pc, true), stop = ir_new_block(b, c->pc, true);
    ir_brc(b, ir_cmp(b, IR_EQ, 3, hit, ir_const(b, IR_I64, 0)), on, stop);
    ir_set_block(b, stop);
    ir_raise(b, TCG_EXIT_SYSTEM, a64_exc_info(A64_EXC_BREAK, 0, 0), c->pc);
    ir_set_block(b, on);
    ir_insn(b, c->pc);
}

/* v is a multiple of 16 if SP was one before. */
static bool stays_aligned(const IrBuilder *b, IrRef v, unsigned depth)
{
    const IrOp *o = ir_op(b->r, v);
    uint64_t k;
    if (ir_is_const(b, v, &k)) {
        return (k & 15) == 0;
    }
    if (depth == 0) {
        return false;
    }
    switch (o->op) {
    case IR_GET: return o->slot == A64_S_SP && !(o->flags & IRF_LATE);
    case IR_AND: return ir_is_const(b, o->arg[1], &k) && (k & 15) == 0;
    case IR_ADD:
    case IR_SUB: return stays_aligned(b, o->arg[0], depth - 1) && stays_aligned(b, o->arg[1], 0);
    default: return false;
    }
}

void a64_check_sp(A64Ctx *c)
{
    IrBuilder *b = c->b;
    IrRef v = c->sp_put;
    c->sp_put = IR_NONE;
    if (!(c->mode & A64_MODE_SPCHECK) || (c->mode & A64_MODE_STEP) || c->done) {
        return;
    }
    if (c->mode & A64_MODE_SPBAD) {
        a64_end_with_sync(c);
        return;
    }
    if (stays_aligned(b, v, 4)) {
        return;
    }
    IrRef low = ir_bini(b, IR_AND, IR_I64, v, 15);
    IrBlk on = ir_new_block(b, c->pc + 4, true), bad = ir_new_block(b, c->pc + 4, true);
    ir_brc(b, ir_cmp(b, IR_EQ, 3, low, ir_const(b, IR_I64, 0)), on, bad);
    ir_set_block(b, bad);
    ir_raise(b, TCG_EXIT_ISB, 0, c->pc + 4);
    ir_set_block(b, on);
}

/* ---- PSTATE.DAIF ---- */

/* Behind a put of DAIF that may have cleared bits: an interrupt that was held is taken now. */
static void check_held(A64Ctx *c)
{
    IrBuilder *b = c->b;
    IrRef held = ir_get(b, A64_S_IRQ_HELD);
    IrBlk on = ir_new_block(b, c->pc + 4, true), take = ir_new_block(b, c->pc + 4, true);
    ir_brc(b, ir_cmp(b, IR_EQ, 2, held, ir_const(b, IR_I32, 0)), on, take);
    ir_set_block(b, take);
    ir_raise(b, TCG_EXIT_SYSTEM, a64_exc_info(A64_EXC_UNMASK, 0, 0), c->pc + 4);
    ir_set_block(b, on);
}

static void write_daif(A64Ctx *c, IrRef x)
{
    IrRef held = ir_get(c->b, A64_S_IRQ_HELD); /* before the put: gets come first */
    (void)held;
    ir_put(c->b, A64_S_DAIF, ir_bini(c->b, IR_AND, IR_I32, x, A64_PS_DAIF));
    check_held(c);
}

static bool msr_daif_imm(A64Ctx *c, bool set, unsigned imm)
{
    IrRef old = ir_get(c->b, A64_S_DAIF);
    if (set) {
        ir_put(c->b, A64_S_DAIF, ir_bini(c->b, IR_OR, IR_I32, old, imm << 6));
    } else {
        write_daif(c, ir_bini(c->b, IR_AND, IR_I32, old, A64_PS_DAIF & ~(imm << 6)));
    }
    return true;
}

bool gen_MSR_imm(A64Ctx *c, const A64Insn *i)
{
    unsigned field = i->op1 << 3 | i->op2;
    if (!a64_is_system(c)) {
        return false;
    }
    if ((field == 036 || field == 037) && a64_el(c) > 0) {
        return msr_daif_imm(c, field == 036, i->crm);
    }
    bool el0_ok = field == 032 || field == 036 || field == 037; /* DIT, DAIFSet, DAIFClr */
    bool known = (field == 005 && a64_el(c) > 0) || (field == 004 && a64_feat(c, A64_FEAT_PAN)) ||
                 (field == 003 && a64_feat(c, A64_FEAT_UAO)) ||
                 (field == 032 && a64_feat(c, A64_FEAT_DIT)) || field == 036 || field == 037;
    if (!known || (a64_el(c) == 0 && !el0_ok)) {
        return false;
    }
    ir_emit(c->b, IR_CALLS, IR_VOID, 0, 0, 0, ir_const(c->b, IR_I64, A64_CALL_PSTATE),
            ir_const(c->b, IR_I64, field << 4 | i->crm), 0, 0, A64_H_sys_call);
    a64_end_with_sync(c);
    return true;
}

/* ---- system registers ---- */

static IrRef number(A64Ctx *c, uint64_t v)
{
    return ir_const(c->b, IR_I64, v);
}

/* DAIF, CurrentEL, SPSel: PSTATE by name. */
static bool mrs_pstate(A64Ctx *c, unsigned enc, unsigned rt)
{
    if (a64_el(c) == 0) {
        return false; /* DAIF by the slow way: SCTLR_EL1.UMA */
    }
    switch (enc) {
    case ENC_DAIF: a64_put_x(c, rt, ir_get(c->b, A64_S_DAIF)); return true;
    case ENC_CURRENT_EL: a64_put_x(c, rt, number(c, a64_el(c) << 2)); return true;
    case ENC_SPSEL: a64_put_x(c, rt, number(c, (c->mode & A64_MODE_SPSEL) != 0)); return true;
    default: return false;
    }
}

static bool fp_register_trapped(A64Ctx *c, unsigned enc)
{
    if ((enc != ENC_FPCR && enc != ENC_FPSR) || !(c->mode & A64_MODE_FPTRAP)) {
        return false;
    }
    raise_system(c, a64_exc_info(A64_EXC_FP, 0, 0), c->pc);
    return true;
}

bool a64_sys_mrs(A64Ctx *c, unsigned enc, unsigned rt)
{
    if (fp_register_trapped(c, enc) || a64_plain_mrs(c, enc, rt) || mrs_pstate(c, enc, rt)) {
        return true;
    }
    A64SysUse u = c->cpu->sysops->use(c->cpu, enc, false, c->mode);
    IrRef arg = number(c, enc | rt << 16);
    switch (u.how) {
    case A64_SYS_SLOT: a64_put_x(c, rt, ir_get(c->b, u.slot)); return true;
    case A64_SYS_CONST: a64_put_x(c, rt, number(c, u.value)); return true;
    case A64_SYS_READ:
        a64_put_x(c, rt, ir_emit(c->b, IR_CALL, IR_I64, 0, 0, 0, arg, 0, 0, 0, A64_H_sys_peek));
        return true;
    case A64_SYS_CALL:
    case A64_SYS_SYNC:
        a64_put_x(c, rt, ir_emit(c->b, IR_CALLS, IR_I64, 0, 0, 0, arg, 0, 0, 0, A64_H_sys_read));
        goto_next(c);
        return true;
    default: return false;
    }
}

bool a64_sys_msr(A64Ctx *c, unsigned enc, unsigned rt)
{
    if (fp_register_trapped(c, enc) || a64_plain_msr(c, enc, rt)) {
        return true;
    }
    if (enc == ENC_DAIF && a64_el(c) > 0) {
        write_daif(c, a64_x(c, rt));
        return true;
    }
    A64SysUse u = c->cpu->sysops->use(c->cpu, enc, true, c->mode);
    switch (u.how) {
    case A64_SYS_NOP: return true;
    case A64_SYS_SLOT: ir_put(c->b, u.slot, a64_x(c, rt)); return true;
    case A64_SYS_DC_ZVA: return a64_dc_zva(c, a64_x(c, rt));
    case A64_SYS_DC_CLEAN: return a64_dc_clean(c, a64_x(c, rt));
    case A64_SYS_CALL:
    case A64_SYS_SYNC:
        ir_emit(c->b, IR_CALLS, IR_VOID, 0, 0, 0, number(c, enc | rt << 16), a64_x(c, rt), 0, 0,
                A64_H_sys_write);
        if (u.how == A64_SYS_SYNC) {
            a64_end_with_sync(c);
        } else {
            goto_next(c);
        }
        return true;
    default: return false;
    }
}

/* ---- calls, returns, waiting ---- */

bool a64_sys_call(A64Ctx *c, unsigned op, uint64_t imm)
{
    ir_emit(c->b, IR_CALLS, IR_VOID, 0, 0, 0, number(c, op), number(c, imm), 0, 0, A64_H_sys_call);
    goto_next(c);
    return true;
}

bool gen_HVC(A64Ctx *c, const A64Insn *i)
{
    return a64_is_system(c) && a64_el(c) > 0 && a64_sys_call(c, A64_CALL_HVC, i->imm);
}

bool gen_SMC(A64Ctx *c, const A64Insn *i)
{
    return a64_is_system(c) && a64_el(c) > 0 && a64_sys_call(c, A64_CALL_SMC, i->imm);
}

/* Halting debug is not there; what is left is semihosting, at 0xf000. */
bool gen_HLT(A64Ctx *c, const A64Insn *i)
{
    return a64_is_system(c) && i->imm == 0xf000 && c->cpu->sys.semihosting &&
           a64_sys_call(c, A64_CALL_HLT, i->imm);
}

static bool eret(A64Ctx *c, IrRef target, bool authenticated)
{
    ir_emit(c->b, IR_CALLS, IR_VOID, 0, 0, 0, target, number(c, authenticated), 0, 0,
            A64_H_sys_eret);
    goto_next(c); /* not reached: the helper leaves */
    c->blk->n_targets = 0;
    return true;
}

bool gen_ERET(A64Ctx *c, const A64Insn *i)
{
    (void)i;
    return a64_is_system(c) && a64_el(c) > 0 && eret(c, number(c, 0), false);
}

bool gen_ERETA(A64Ctx *c, const A64Insn *i)
{
    if (!a64_is_system(c) || a64_el(c) == 0) {
        return false;
    }
    unsigned slot = a64_el(c) == 1 ? A64_S_ELR_EL1 : A64_S_ELR_EL2;
    if (a64_el(c) == 3) {
        return eret(c, number(c, 0), false); /* no key is used at EL3 by what we run */
    }
    IrRef elr = ir_get(c->b, slot);
    return eret(c, a64_pac_auth(c, i->m ? A64_KEY_IB : A64_KEY_IA, elr, a64_xsp(c, 31)), true);
}

bool a64_sys_hint(A64Ctx *c, unsigned hint)
{
    switch (hint) {
    case 2: return a64_sys_call(c, A64_CALL_WFE, 0);
    case 3: return a64_sys_call(c, A64_CALL_WFI, 0);
    case 4: return a64_sys_call(c, A64_CALL_SEV, 0);
    case 5: return a64_sys_call(c, A64_CALL_SEVL, 0);
    case 16: return a64_feat(c, A64_FEAT_RAS) && a64_sys_call(c, A64_CALL_ESB, 0);
    default: return false;
    }
}
