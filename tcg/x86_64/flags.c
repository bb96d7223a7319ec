/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conditions and flags: comparisons fused with what consumes them, packed flags (tcg/ir.h) made
 * with LAHF and SETO, conditions read back from them.
 *
 * Packed form is what LAHF leaves in AH (SF ZF AF PF CF at bits 15 14 12 10 8 of AX) with OF in
 * bit 0; Arm's C after a subtraction is the inverted CF, so those need CMC first.
 */
#include "tcg/x86_64/core.h"

/* ---- operands ---- */

static unsigned log2_bytes(unsigned bytes)
{
    return (unsigned)__builtin_ctz(bytes);
}

/* Bytes moved to work on the low `bytes`: narrow moves would merge. */
static unsigned move_size(unsigned bytes)
{
    return bytes == 8 ? 3 : 2;
}

void x64_mov_arg(X64Core *k, unsigned bytes, unsigned reg, const X64Arg *a)
{
    X64Asm *as = &k->ctx.as;
    if (a->kind == X64_ARG_IMM) {
        x64_mov_ri(as, reg, bytes <= 4 ? (uint32_t)a->imm : a->imm);
    } else if (a->kind == X64_ARG_MEM) {
        x64_mov_rm(as, move_size(bytes), reg, a->mem);
    } else if (a->reg != reg) {
        x64_mov_rr(as, move_size(bytes), reg, a->reg);
    }
}

void x64_alu_arg(X64Core *k, unsigned bytes, unsigned alu, unsigned reg, const X64Arg *a)
{
    X64Asm *as = &k->ctx.as;
    if (a->kind == X64_ARG_IMM) {
        x64_alu_ri(as, log2_bytes(bytes), alu, reg, (int32_t)a->imm);
    } else if (a->kind == X64_ARG_MEM) {
        x64_alu_rm(as, log2_bytes(bytes), alu, reg, a->mem);
    } else {
        x64_alu_rr(as, log2_bytes(bytes), alu, reg, a->reg);
    }
}

/* CF = the I1 carry. */
static void set_carry(X64Core *k, const X64Arg *c)
{
    X64Asm *as = &k->ctx.as;
    if (c->kind == X64_ARG_IMM) {
        if (c->imm & 1) {
            x64_stc(as);
        } else {
            x64_clc(as);
        }
    } else if (c->kind == X64_ARG_MEM) {
        x64_bt_mi(as, 2, X64_BT, c->mem, 0);
    } else {
        x64_bt_ri(as, 2, X64_BT, c->reg, 0);
    }
}

static void compare(X64Core *k, unsigned bytes, const X64Arg *a, const X64Arg *b)
{
    X64Asm *as = &k->ctx.as;
    unsigned sz = log2_bytes(bytes);
    if (b->kind == X64_ARG_IMM && b->imm == 0 && a->kind == X64_ARG_REG) {
        x64_test_rr(as, sz, a->reg, a->reg);
    } else if (a->kind == X64_ARG_MEM && b->kind == X64_ARG_IMM) {
        x64_alu_mi(as, sz, X64_ALU_CMP, a->mem, (int32_t)b->imm);
    } else if (a->kind == X64_ARG_MEM && b->kind == X64_ARG_REG) {
        x64_alu_mr(as, sz, X64_ALU_CMP, a->mem, b->reg);
    } else if (a->kind == X64_ARG_REG) {
        x64_alu_arg(k, bytes, X64_ALU_CMP, a->reg, b);
    } else {
        x64_mov_arg(k, bytes, X64_TMP, a);
        x64_alu_arg(k, bytes, X64_ALU_CMP, X64_TMP, b);
    }
}

void x64_set_eflags(X64Core *k, const IrOp *op, const X64Arg *a)
{
    X64Asm *as = &k->ctx.as;
    unsigned bytes = 1u << op->esz;
    IrRef va = op->arg[0] ? x64_canon(k, op->arg[0]) : 0;
    IrRef vb = op->arg[1] ? x64_canon(k, op->arg[1]) : 0;
    bool sub = op->op == IR_CMP || op->op == IR_FL_SUB || op->op == IR_FL_SUBB;
    uint8_t kind = sub ? IR_CMP : op->op;
    if (sub && k->fl.kind == kind && k->fl.esz == op->esz && k->fl.a == va && k->fl.b == vb) {
        return;
    }
    k->fl = (X64Eflags){kind, op->esz, va, vb};
    switch (op->op) {
    case IR_CMP:
    case IR_FL_SUB:
    case IR_FL_SUBB: compare(k, bytes, &a[0], &a[1]); break;
    case IR_FL_ADD:
        x64_mov_arg(k, bytes, X64_TMP, &a[0]);
        x64_alu_arg(k, bytes, X64_ALU_ADD, X64_TMP, &a[1]);
        break;
    case IR_FL_ADC:
        x64_mov_arg(k, bytes, X64_TMP, &a[0]);
        set_carry(k, &a[2]);
        x64_alu_arg(k, bytes, X64_ALU_ADC, X64_TMP, &a[1]);
        break;
    case IR_FL_SBC:
        x64_mov_arg(k, bytes, X64_TMP, &a[0]);
        set_carry(k, &a[2]);
        x64_cmc(as);
        x64_alu_arg(k, bytes, X64_ALU_SBB, X64_TMP, &a[1]);
        break;
    case IR_FL_SBB:
        x64_mov_arg(k, bytes, X64_TMP, &a[0]);
        set_carry(k, &a[2]);
        x64_alu_arg(k, bytes, X64_ALU_SBB, X64_TMP, &a[1]);
        break;
    case IR_FL_MULS:
        x64_mov_arg(k, bytes, X64_TMP, &a[0]);
        if (a[1].kind == X64_ARG_IMM) {
            x64_imul_rri(as, op->esz, X64_TMP, X64_TMP, (int32_t)a[1].imm);
        } else if (a[1].kind == X64_ARG_MEM) {
            x64_imul_rm(as, op->esz, X64_TMP, a[1].mem);
        } else {
            x64_imul_rr(as, op->esz, X64_TMP, a[1].reg);
        }
        break;
    case IR_FL_SHL:
    case IR_FL_SHR:
    case IR_FL_SAR:
        k->fl.kind = 0; /* the count is not among the operands */
        x64_mov_arg(k, bytes, X64_TMP, &a[0]);
        x64_shift_ri(as, op->esz,
                     op->op == IR_FL_SHL   ? X64_SH_SHL
                     : op->op == IR_FL_SHR ? X64_SH_SHR
                                           : X64_SH_SAR,
                     X64_TMP, (unsigned)op->imm);
        break;
    case IR_FL_LOGIC:
        if (a[0].kind == X64_ARG_REG) {
            x64_test_rr(as, op->esz, a[0].reg, a[0].reg);
        } else {
            x64_mov_arg(k, bytes, X64_TMP, &a[0]);
            x64_test_rr(as, op->esz, X64_TMP, X64_TMP);
        }
        break;
    case IR_FL_FCMP:
        x64_fcmp_emit(&k->ctx, op->esz, IR_F_GT | (op->sub & IR_F_S), a[0].reg, a[1].reg);
        break;
    default: break;
    }
}

/* ---- packed form ---- */

/* C of the flags op is the inverted CF. */
static bool inverted_carry(const IrOp *op)
{
    return op->op == IR_CMP || op->op == IR_FL_SUB || op->op == IR_FL_SBC;
}

/* Arm's flags of an FP compare, from (u)comis a, b: a choice of four constants. */
static void pack_fcmp(X64Core *k)
{
    X64Asm *as = &k->ctx.as;
    X64Ctx *c = &k->ctx;
    x64_mov_ri(as, X64_TMP, 0x0100);
    x64_cmov_rm(as, 2, X64_B, X64_TMP, x64_const16(c, 0x8000, 0));
    x64_cmov_rm(as, 2, X64_E, X64_TMP, x64_const16(c, 0x4100, 0));
    x64_cmov_rm(as, 2, X64_P, X64_TMP, x64_const16(c, 0x0101, 0));
}

void x64_pack_eflags(X64Core *k, const IrOp *op)
{
    X64Asm *as = &k->ctx.as;
    if (op->op == IR_FL_FCMP) {
        pack_fcmp(k);
        return;
    }
    if (inverted_carry(op)) {
        x64_cmc(as);
        k->fl.kind = 0;
    }
    x64_lahf(as);
    x64_setcc(as, X64_O, X64_TMP);
}

/* Condition cc on packed flags in a register or memory. */
static X64Cond packed_condition(X64Core *k, unsigned cond, const X64Arg *a)
{
    static const struct {
        uint16_t bit;
        uint8_t cc;
    } direct[] = {
        [IR_C_EQ] = {0x4000, X64_NE}, [IR_C_NE] = {0x4000, X64_E},  [IR_C_CS] = {0x0100, X64_NE},
        [IR_C_CC] = {0x0100, X64_E},  [IR_C_MI] = {0x8000, X64_NE}, [IR_C_PL] = {0x8000, X64_E},
        [IR_C_VS] = {0x0001, X64_NE}, [IR_C_VC] = {0x0001, X64_E},
    };
    X64Asm *as = &k->ctx.as;
    k->fl.kind = 0;
    if (cond <= IR_C_VC) {
        if (a->kind == X64_ARG_MEM) {
            x64_test_mi(as, 2, a->mem, direct[cond].bit);
        } else {
            x64_mov_arg(k, 4, X64_TMP, a);
            x64_test_ri(as, 2, X64_TMP, direct[cond].bit);
        }
        return (X64Cond){direct[cond].cc, X64_PAR_NONE};
    }
    x64_mov_arg(k, 4, X64_TMP, a);
    x64_alu_ri(as, 2, X64_ALU_AND, X64_TMP, 0xff01);
    x64_alu_ri(as, 0, X64_ALU_ADD, X64_TMP, 0x7f);
    x64_sahf(as);
    switch (cond) {
    case IR_C_HI: x64_cmc(as); return (X64Cond){X64_A, 0};
    case IR_C_LS: x64_cmc(as); return (X64Cond){X64_BE, 0};
    case IR_C_GE: return (X64Cond){X64_GE, 0};
    case IR_C_LT: return (X64Cond){X64_L, 0};
    case IR_C_GT: return (X64Cond){X64_G, 0};
    case IR_C_LE: return (X64Cond){X64_LE, 0};
    case IR_C_PE: return (X64Cond){X64_P, 0};
    case IR_C_PO: return (X64Cond){X64_NP, 0};
    case IR_C_BE: return (X64Cond){X64_BE, 0};
    case IR_C_A: return (X64Cond){X64_A, 0};
    default:
        x64_alu_rr(as, 2, X64_ALU_CMP, X64_TMP, X64_TMP); /* AL, NV: always */
        return (X64Cond){X64_E, 0};
    }
}

/* ---- conditions from operands ---- */

static X64Cond flags_condition(X64Core *k, unsigned cond, const IrOp *f, const X64Arg *a)
{
    /* by IrCond: after a subtraction whose C is the inverted CF; C is CF */
    static const uint8_t inv[] = {X64_E,  X64_NE, X64_AE, X64_B,  X64_S,  X64_NS, X64_O,
                                  X64_NO, X64_A,  X64_BE, X64_GE, X64_L,  X64_G,  X64_LE,
                                  0,      0,      X64_P,  X64_NP, X64_BE, X64_A};
    static const uint8_t dir[] = {X64_E,  X64_NE, X64_B,  X64_AE, X64_S,  X64_NS, X64_O,
                                  X64_NO, X64_A,  X64_BE, X64_GE, X64_L,  X64_G,  X64_LE,
                                  0,      0,      X64_P,  X64_NP, X64_BE, X64_A};
    X64Asm *as = &k->ctx.as;
    if (cond == IR_C_AL || cond == IR_C_NV) {
        k->fl.kind = 0;
        x64_alu_rr(as, 2, X64_ALU_CMP, X64_TMP, X64_TMP);
        return (X64Cond){X64_E, 0};
    }
    x64_set_eflags(k, f, a);
    bool flip = inverted_carry(f) ? cond >= IR_C_BE : cond == IR_C_HI || cond == IR_C_LS;
    if (flip) {
        x64_cmc(as);
        k->fl.kind = 0;
    }
    return (X64Cond){inverted_carry(f) ? inv[cond] : dir[cond], 0};
}

static X64Cond fcmp_condition(X64Core *k, unsigned cond, const IrOp *f, const X64Arg *a)
{
    /* Arm's conditions after FCMP as comparisons: unordered is C and V */
    static const uint8_t sub[] = {IR_F_EQ,   IR_F_NE_U, IR_F_GE_U, IR_F_LT,   IR_F_LT,
                                  IR_F_GE_U, IR_F_UN,   IR_F_OR,   IR_F_GT_U, IR_F_LE,
                                  IR_F_GE,   IR_F_LT_U, IR_F_GT,   IR_F_LE_U};
    k->fl.kind = 0;
    if (cond >= sizeof(sub)) {
        x64_alu_rr(&k->ctx.as, 2, X64_ALU_CMP, X64_TMP, X64_TMP);
        return (X64Cond){X64_E, 0};
    }
    return x64_fcmp_emit(&k->ctx, f->esz, sub[cond] | (f->sub & IR_F_S), a[0].reg, a[1].reg);
}

static const uint8_t cmp_cc[] = {
    [IR_EQ] = X64_E,  [IR_NE] = X64_NE, [IR_ULT] = X64_B,  [IR_UGE] = X64_AE, [IR_ULE] = X64_BE,
    [IR_UGT] = X64_A, [IR_SLT] = X64_L, [IR_SGE] = X64_GE, [IR_SLE] = X64_LE, [IR_SGT] = X64_G};

static bool is_condition(const X64Core *k, IrRef a)
{
    return k->val[a].fused;
}

/* What the condition compares: the CMP, FCMP, FL_ op, or 0 for packed flags. */
static IrRef compared(const X64Core *k, IrRef a)
{
    if (k->r->ops[a].op == IR_FL_COND) {
        IrRef f = x64_canon(k, k->r->ops[a].arg[0]);
        return x64_operand_form(k, f) ? f : IR_NONE;
    }
    return a;
}

/* Brings the operands of a compare, CMP's own or those of FL_COND's flags. */
static unsigned compare_operands(X64Core *k, IrRef a, X64Arg *args)
{
    IrRef f = compared(k, a);
    if (!f) {
        args[0] = x64_operand(k, x64_canon(k, k->r->ops[a].arg[0]), false, 4);
        return 1;
    }
    const IrOp *op = &k->r->ops[f];
    if (x64_tested(k, f)) {
        op = &k->r->ops[x64_tested(k, f)];
        unsigned width = op->type == IR_I64 ? 8 : 4;
        IrRef b = x64_canon(k, op->arg[1]);
        uint64_t i;
        args[0] = x64_operand(k, x64_canon(k, op->arg[0]), false, width);
        args[1] =
            x64_imm_fits(k, b, width, &i) ? x64_operand(k, b, true, width) : x64_reg_operand(k, b);
        return 2;
    }
    unsigned bytes = 1u << op->esz, n = ir_op_info[op->op].nargs;
    bool fp = op->op == IR_FCMP || op->op == IR_FL_FCMP;
    for (unsigned i = 0; i < n; i++) {
        IrRef v = x64_canon(k, op->arg[i]);
        uint64_t imm;
        bool imm_ok =
            !fp && ((i == 1 && x64_imm_fits(k, v, bytes, &imm)) || (i == 2 && x64_is_const(k, v)));
        bool two_mem = i == 1 && args[0].kind == X64_ARG_MEM;
        args[i] = fp || two_mem ? (imm_ok ? x64_operand(k, v, true, bytes) : x64_reg_operand(k, v))
                                : x64_operand(k, v, imm_ok, i == 2 ? 4 : bytes);
    }
    return n;
}

unsigned x64_cond_operands(X64Core *k, IrRef a, X64Arg *args)
{
    if (is_condition(k, a)) {
        return compare_operands(k, a, args);
    }
    args[0] = x64_operand(k, a, false, 4);
    return 1;
}

/* (a & b) compared with 0. A mask within the low 32 bits needs no REX.W. */
static void test_bits(X64Core *k, IrRef and, const X64Arg *a)
{
    X64Asm *as = &k->ctx.as;
    unsigned sz = k->r->ops[and].type == IR_I64 ? 3 : 2;
    k->fl.kind = 0;
    if (a[1].kind == X64_ARG_IMM) {
        int32_t imm = (int32_t)a[1].imm;
        sz = imm >= 0 ? 2 : sz;
        if (a[0].kind == X64_ARG_MEM) {
            x64_test_mi(as, sz, a[0].mem, imm);
        } else if (imm >= 0 && imm < 0x80) {
            x64_test_ri(as, 0, a[0].reg, imm);
        } else {
            x64_test_ri(as, sz, a[0].reg, imm);
        }
    } else if (a[0].kind == X64_ARG_MEM) {
        x64_test_mr(as, sz, a[0].mem, a[1].reg);
    } else {
        x64_test_rr(as, sz, a[0].reg, a[1].reg);
    }
}

static X64Cond compare_condition(X64Core *k, IrRef a, const X64Arg *args)
{
    const IrOp *op = &k->r->ops[a];
    if (x64_tested(k, a)) {
        test_bits(k, x64_tested(k, a), args);
        return (X64Cond){op->op == IR_CMP ? cmp_cc[op->sub] : (uint8_t)X64_NE, 0};
    }
    if (op->op == IR_CMP) {
        x64_set_eflags(k, op, args);
        return (X64Cond){cmp_cc[op->sub], 0};
    }
    if (op->op == IR_FCMP) {
        k->fl.kind = 0;
        return x64_fcmp_emit(&k->ctx, op->esz, op->sub, args[0].reg, args[1].reg);
    }
    IrRef f = compared(k, a);
    if (!f) {
        return packed_condition(k, op->sub, &args[0]);
    }
    const IrOp *fop = &k->r->ops[f];
    return fop->op == IR_FL_FCMP ? fcmp_condition(k, op->sub, fop, args)
                                 : flags_condition(k, op->sub, fop, args);
}

X64Cond x64_condition(X64Core *k, IrRef a, const X64Arg *args)
{
    if (is_condition(k, a)) {
        return compare_condition(k, a, args);
    }
    k->fl.kind = 0;
    if (args[0].kind == X64_ARG_REG) {
        x64_test_rr(&k->ctx.as, 2, args[0].reg, args[0].reg);
    } else if (args[0].kind == X64_ARG_MEM) {
        x64_alu_mi(&k->ctx.as, 2, X64_ALU_CMP, args[0].mem, 0);
    }
    return (X64Cond){X64_NE, 0};
}

void x64_jump_cond(X64Core *k, X64Cond c, X64Label *yes)
{
    X64Asm *as = &k->ctx.as;
    if (c.parity == X64_PAR_AND) {
        X64Label no = {0, 0};
        x64_jcc(as, X64_P, &no);
        x64_jcc(as, c.cc, yes);
        x64_bind(as, &no);
        return;
    }
    if (c.parity == X64_PAR_OR) {
        x64_jcc(as, X64_P, yes);
    }
    x64_jcc(as, c.cc, yes);
}

/* ---- results in registers ---- */

static void set_bool(X64Core *k, X64Cond c, unsigned dst)
{
    X64Asm *as = &k->ctx.as;
    x64_setcc(as, c.cc, X64_TMP);
    if (c.parity) {
        x64_setcc(as, c.parity == X64_PAR_AND ? X64_NP : X64_P, dst);
        x64_alu_rr(as, 0, c.parity == X64_PAR_AND ? X64_ALU_AND : X64_ALU_OR, X64_TMP, dst);
        k->fl.kind = 0;
    }
    x64_movzx_rr(as, 0, dst, X64_TMP);
}

static uint64_t dying_args(const X64Core *k, IrRef v)
{
    IrRef a[X64_MAX_ARGS];
    unsigned imm, n = x64_args(k, v, a, &imm);
    uint64_t m = 0;
    for (unsigned i = 0; i < n; i++) {
        if (!(imm & (1u << i)) && k->val[a[i]].reg != X64_NONE && x64_dies(k, a[i])) {
            m |= 1ull << k->val[a[i]].reg;
        }
    }
    return m;
}

void x64_emit_cond(X64Core *k, IrRef v)
{
    X64Arg args[4];
    compare_operands(k, v, args);
    unsigned dst = x64_pick_dst(k, v, dying_args(k, v));
    set_bool(k, compare_condition(k, v, args), dst);
    x64_finish_op(k, v, dst);
}

static void emit_fl_sel(X64Core *k, IrRef v)
{
    X64Asm *as = &k->ctx.as;
    const IrOp *op = &k->r->ops[v];
    IrRef c = x64_canon(k, op->arg[0]);
    IrRef b0 = x64_canon(k, op->arg[1]), b1 = x64_canon(k, op->arg[2]);
    X64Arg args[4];
    x64_cond_operands(k, c, args);
    X64Arg yes = x64_reg_operand(k, b0);
    X64Arg no = x64_operand(k, b1, x64_is_const(k, b1), 4);
    unsigned dst = x64_pick_dst(k, v, 0);
    X64Cond cond = x64_condition(k, c, args);
    x64_mov_arg(k, 4, dst, cond.parity == X64_PAR_AND ? &yes : &no);
    if (cond.parity == X64_PAR_AND) {
        X64Arg t = no;
        if (t.kind != X64_ARG_REG) {
            x64_mov_arg(k, 4, X64_TMP, &no);
            t.reg = X64_TMP;
        }
        x64_cmov_rr(as, 2, cond.cc ^ 1, dst, t.reg);
        x64_cmov_rr(as, 2, X64_P, dst, t.reg);
    } else {
        x64_cmov_rr(as, 2, cond.cc, dst, yes.reg);
        if (cond.parity == X64_PAR_OR) {
            x64_cmov_rr(as, 2, X64_P, dst, yes.reg);
        }
    }
    x64_finish_op(k, v, dst);
}

/* eax = packed a where the mask has a bit, b elsewhere. */
void x64_mix_flags(X64Core *k, const IrOp *op, const X64Arg *a)
{
    x64_mov_arg(k, 4, X64_TMP, &a[1]);
    x64_alu_arg(k, 4, X64_ALU_XOR, X64_TMP, &a[0]);
    x64_alu_ri(&k->ctx.as, 2, X64_ALU_AND, X64_TMP, (int32_t) ~(uint32_t)op->imm);
    x64_alu_arg(k, 4, X64_ALU_XOR, X64_TMP, &a[0]);
    k->fl.kind = 0;
}

void x64_emit_flags(X64Core *k, IrRef v)
{
    X64Asm *as = &k->ctx.as;
    const IrOp *op = &k->r->ops[v];
    X64Arg a[4];
    if (op->op == IR_FL_SEL) {
        emit_fl_sel(k, v);
        return;
    }
    if (op->op == IR_FL_MIX) {
        a[0] = x64_reg_operand(k, x64_canon(k, op->arg[0]));
        a[1] = x64_operand(k, x64_canon(k, op->arg[1]), false, 4);
        unsigned dst = x64_pick_dst(k, v, dying_args(k, v));
        x64_mix_flags(k, op, a);
        x64_mov_rr(as, 2, dst, X64_TMP);
        x64_finish_op(k, v, dst);
        return;
    }
    if (op->op == IR_FL_PACK) {
        a[0] = x64_operand(k, x64_canon(k, op->arg[0]), false, 4);
        unsigned dst = x64_pick_dst(k, v, dying_args(k, v));
        x64_mov_arg(k, 4, dst, &a[0]);
        x64_alu_ri(as, 2, X64_ALU_AND, dst, 0xd501);
        k->fl.kind = 0;
        x64_finish_op(k, v, dst);
        return;
    }
    unsigned n = ir_op_info[op->op].nargs;
    for (unsigned i = 0; i < n; i++) {
        IrRef x = x64_canon(k, op->arg[i]);
        uint64_t imm;
        bool imm_ok =
            i && x64_is_const(k, x) && (i == 2 || x64_imm_fits(k, x, 1u << op->esz, &imm));
        a[i] = imm_ok ? x64_operand(k, x, true, 1u << op->esz) : x64_reg_operand(k, x);
    }
    unsigned dst = x64_pick_dst(k, v, dying_args(k, v));
    x64_set_eflags(k, op, a);
    x64_pack_eflags(k, op);
    x64_mov_rr(as, 2, dst, X64_TMP);
    x64_finish_op(k, v, dst);
}

/* ---- select ---- */

static bool const_is(const X64Core *k, IrRef v, uint64_t c)
{
    return x64_is_const(k, v) && k->r->ops[v].imm == c;
}

static void select_vec(X64Core *k, IrRef v, IrRef c, IrRef yes, IrRef no)
{
    X64Arg args[4];
    x64_cond_operands(k, c, args);
    X64Arg y = x64_reg_operand(k, yes), n = x64_reg_operand(k, no);
    unsigned dst = x64_pick_dst(k, v, 0) - X64_VEC0;
    X64Label done = {0, 0};
    X64Cond cond = x64_condition(k, c, args);
    x64_mov_vec(&k->ctx, dst, y.reg);
    x64_jump_cond(k, cond, &done);
    x64_mov_vec(&k->ctx, dst, n.reg);
    x64_bind(&k->ctx.as, &done);
    x64_finish_op(k, v, dst + X64_VEC0);
}

/* dst = cond ? yes : no by conditional moves. */
static void cmov(X64Core *k, unsigned sz, X64Cond c, unsigned dst, const X64Arg *yes)
{
    X64Asm *as = &k->ctx.as;
    if (yes->kind == X64_ARG_MEM) {
        x64_cmov_rm(as, sz, c.cc, dst, yes->mem);
    } else {
        x64_cmov_rr(as, sz, c.cc, dst, yes->reg);
    }
    if (c.parity == X64_PAR_OR) {
        X64Cond p = {X64_P, 0};
        cmov(k, sz, p, dst, yes);
    }
}

void x64_emit_select(X64Core *k, IrRef v)
{
    X64Asm *as = &k->ctx.as;
    const IrOp *op = &k->r->ops[v];
    IrRef c = x64_canon(k, op->arg[0]);
    IrRef yes = x64_canon(k, op->arg[1]), no = x64_canon(k, op->arg[2]);
    unsigned sz = op->type == IR_I64 ? 3 : 2, bytes = 1u << sz;
    X64Arg args[4];
    if (k->val[v].cls == X64_CLS_VEC) {
        select_vec(k, v, c, yes, no);
        return;
    }
    x64_cond_operands(k, c, args);
    if (const_is(k, yes, 1) && const_is(k, no, 0)) {
        unsigned dst = x64_pick_dst(k, v, 0);
        set_bool(k, x64_condition(k, c, args), dst);
        x64_finish_op(k, v, dst);
        return;
    }
    X64Arg y = x64_reg_operand(k, yes), n = x64_reg_operand(k, no);
    unsigned ry = k->val[yes].reg, rn = k->val[no].reg;
    bool y_dies = x64_dies(k, yes), n_dies = x64_dies(k, no);
    for (unsigned i = 0; i < 4; i++) {
        /* a dying choice that is compared as well is read before the moves: fine to reuse */
    }
    X64Cond cond = {0, 0};
    unsigned dst;
    if (n_dies) {
        dst = rn;
    } else if (y_dies) {
        dst = ry;
    } else {
        dst = x64_pick_dst(k, v, 0);
    }
    cond = x64_condition(k, c, args);
    if (cond.parity == X64_PAR_AND || (dst == ry && dst != rn)) {
        /* the other way round: start from yes, take no when the condition fails */
        x64_mov_arg(k, bytes, dst == rn && dst != ry ? X64_TMP : dst, &y);
        unsigned at = dst == rn && dst != ry ? X64_TMP : dst;
        if (cond.parity == X64_PAR_AND) {
            x64_cmov_rr(as, sz, cond.cc ^ 1, at, n.reg);
            x64_cmov_rr(as, sz, X64_P, at, n.reg);
        } else if (cond.parity == X64_PAR_OR) {
            /* false only if neither: keep yes, else no by way of rax */
            x64_mov_rr(as, 3, X64_TMP, n.reg);
            x64_cmov_rr(as, sz, cond.cc, X64_TMP, at);
            x64_cmov_rr(as, sz, X64_P, X64_TMP, at);
            at = X64_TMP;
        } else {
            x64_cmov_rr(as, sz, cond.cc ^ 1, at, n.reg);
        }
        if (at != dst) {
            x64_mov_rr(as, sz, dst, at);
        }
    } else {
        x64_mov_arg(k, bytes, dst, &n);
        cmov(k, sz, cond, dst, &y);
    }
    x64_finish_op(k, v, dst);
}
