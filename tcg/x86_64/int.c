/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Integer rows: one function an op family, constant rows chosen by x64_int_row().
 */
#include "tcg/x86_64/core.h"

static unsigned size_of(const IrOp *op)
{
    return op->type == IR_I64 ? 3 : 2;
}

static unsigned width_of(const IrOp *op)
{
    return op->type == IR_I64 ? 64 : 32;
}

/* Register move, left out when it would do nothing (32-bit moves clear the upper half). */
static void mov(X64Ctx *c, unsigned sz, unsigned d, unsigned s)
{
    if (d != s || sz != 3) {
        x64_mov_rr(&c->as, sz, d, s);
    }
}

static void alu(X64Ctx *c, const IrOp *op, const X64Regs *r, unsigned alu_op)
{
    unsigned sz = size_of(op);
    const X64Arg *b = &r->arg[1];
    if (b->kind == X64_ARG_IMM) {
        if (alu_op == X64_ALU_AND && (int32_t)b->imm >= 0) {
            sz = 2; /* clears the upper half either way */
        }
        x64_alu_ri(&c->as, sz, alu_op, r->dst, (int32_t)b->imm);
    } else if (b->kind == X64_ARG_MEM) {
        x64_alu_rm(&c->as, sz, alu_op, r->dst, b->mem);
    } else {
        x64_alu_rr(&c->as, sz, alu_op, r->dst, b->reg);
    }
}

/* a + b: in place, or by lea into another register. */
static void emit_add(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    X64Asm *as = &c->as;
    unsigned sz = size_of(op), a = r->arg[0].reg;
    const X64Arg *b = &r->arg[1];
    if (b->kind == X64_ARG_IMM) {
        if (r->dst != a) {
            x64_lea(as, sz, r->dst, x64_mem(a, (int32_t)b->imm));
        } else if (b->imm == 128) {
            x64_alu_ri(as, sz, X64_ALU_SUB, r->dst, -128);
        } else {
            x64_alu_ri(as, sz, X64_ALU_ADD, r->dst, (int32_t)b->imm);
        }
    } else if (b->kind == X64_ARG_MEM) {
        if (r->dst != a) {
            x64_mov_rr(as, sz, r->dst, a);
        }
        x64_alu_rm(as, sz, X64_ALU_ADD, r->dst, b->mem);
    } else if (r->dst == a) {
        x64_alu_rr(as, sz, X64_ALU_ADD, r->dst, b->reg);
    } else if (r->dst == b->reg) {
        x64_alu_rr(as, sz, X64_ALU_ADD, r->dst, a);
    } else {
        x64_lea(as, sz, r->dst, x64_mem_idx(a, b->reg, 0, 0));
    }
}

static void emit_sub(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    alu(c, op, r, X64_ALU_SUB);
}
/* a - const as lea */
static void emit_sub_imm(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned sz = size_of(op), a = r->arg[0].reg;
    int32_t imm = (int32_t)r->arg[1].imm;
    if (r->dst == a || imm == INT32_MIN) {
        mov(c, 3, r->dst, a);
        x64_alu_ri(&c->as, sz, X64_ALU_SUB, r->dst, imm);
    } else {
        x64_lea(&c->as, sz, r->dst, x64_mem(a, -imm));
    }
}
static void emit_and(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    alu(c, op, r, X64_ALU_AND);
}
/* a & 0xff, 0xffff, 0xffffffff */
static void emit_and_ext(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    uint64_t m = c->r->ops[x64_canon(c->core, op->arg[1])].imm;
    unsigned sz = m == 0xff ? 0 : m == 0xffff ? 1 : 2;
    if (r->arg[0].kind == X64_ARG_MEM) {
        x64_movzx_rm(&c->as, sz, r->dst, r->arg[0].mem);
    } else {
        x64_movzx_rr(&c->as, sz, r->dst, r->arg[0].reg);
    }
}
static void emit_or(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    alu(c, op, r, X64_ALU_OR);
}
static void emit_xor(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    alu(c, op, r, X64_ALU_XOR);
}

static void emit_mov_not(X64Ctx *c, const IrOp *op, unsigned reg, const X64Arg *b)
{
    unsigned sz = size_of(op);
    if (b->kind == X64_ARG_IMM) {
        x64_mov_ri(&c->as, reg, sz == 3 ? ~b->imm : (uint32_t)~b->imm);
        return;
    }
    if (b->kind == X64_ARG_MEM) {
        x64_mov_rm(&c->as, sz, reg, b->mem);
    } else {
        x64_mov_rr(&c->as, sz, reg, b->reg);
    }
    x64_un_r(&c->as, sz, X64_UN_NOT, reg);
}

static void emit_andn(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    if (r->arg[1].kind == X64_ARG_REG && (c->host & TCG_HOST_BMI1)) {
        x64_andn(&c->as, size_of(op), r->dst, r->arg[1].reg, r->dst);
        return;
    }
    emit_mov_not(c, op, X64_TMP, &r->arg[1]);
    x64_alu_rr(&c->as, size_of(op), X64_ALU_AND, r->dst, X64_TMP);
}

static void emit_orn(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    emit_mov_not(c, op, X64_TMP, &r->arg[1]);
    x64_alu_rr(&c->as, size_of(op), X64_ALU_OR, r->dst, X64_TMP);
}

static void emit_not(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    x64_un_r(&c->as, size_of(op), X64_UN_NOT, r->dst);
}

static void emit_neg(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    x64_un_r(&c->as, size_of(op), X64_UN_NEG, r->dst);
}

/* a + b + carry, a + ~b + carry */
static void emit_addc(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    X64Asm *as = &c->as;
    const X64Arg *cin = &r->arg[2];
    if (cin->kind == X64_ARG_IMM) {
        if (cin->imm & 1) {
            x64_stc(as);
        } else {
            x64_clc(as);
        }
    } else {
        x64_bt_ri(as, 2, X64_BT, cin->reg, 0);
    }
    if (op->op == IR_SUBC) {
        x64_cmc(as);
        alu(c, op, r, X64_ALU_SBB);
    } else {
        alu(c, op, r, X64_ALU_ADC);
    }
}

static void emit_mul(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned sz = size_of(op);
    const X64Arg *b = &r->arg[1];
    if (b->kind == X64_ARG_IMM) {
        x64_imul_rri(&c->as, sz, r->dst, r->arg[0].reg, (int32_t)b->imm);
    } else if (b->kind == X64_ARG_MEM) {
        x64_imul_rm(&c->as, sz, r->dst, b->mem);
    } else {
        x64_imul_rr(&c->as, sz, r->dst, b->reg);
    }
}

static void emit_mulh(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    const X64Arg *b = &r->arg[1];
    unsigned un = op->op == IR_MULHU ? X64_UN_MUL : X64_UN_IMUL;
    x64_mov_rr(&c->as, 3, X64_TMP, r->arg[0].reg);
    if (b->kind == X64_ARG_MEM) {
        x64_un_m(&c->as, 3, un, b->mem);
    } else {
        x64_un_r(&c->as, 3, un, b->reg);
    }
    x64_mov_rr(&c->as, 3, r->dst, X64_RDX);
}

static void emit_udiv(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    X64Asm *as = &c->as;
    unsigned sz = size_of(op), b = r->arg[1].reg;
    x64_alu_rr(as, 2, X64_ALU_XOR, X64_TMP, X64_TMP);
    x64_test_rr(as, sz, b, b);
    uint8_t *zero = x64_jcc8(as, X64_E);
    x64_mov_rr(as, sz, X64_TMP, r->arg[0].reg);
    x64_alu_rr(as, 2, X64_ALU_XOR, X64_RDX, X64_RDX);
    x64_un_r(as, sz, X64_UN_DIV, b);
    x64_here8(as, zero);
    x64_mov_rr(as, sz, r->dst, X64_TMP);
}

static void emit_sdiv(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    X64Asm *as = &c->as;
    unsigned sz = size_of(op), b = r->arg[1].reg;
    x64_alu_rr(as, 2, X64_ALU_XOR, X64_TMP, X64_TMP);
    x64_test_rr(as, sz, b, b);
    uint8_t *zero = x64_jcc8(as, X64_E);
    x64_mov_rr(as, sz, X64_TMP, r->arg[0].reg);
    x64_alu_ri(as, sz, X64_ALU_CMP, b, -1);
    uint8_t *minus = x64_jcc8(as, X64_E);
    x64_cdq(as, sz);
    x64_un_r(as, sz, X64_UN_IDIV, b);
    uint8_t *done = x64_jmp8(as);
    x64_here8(as, minus);
    x64_un_r(as, sz, X64_UN_NEG, X64_TMP); /* a / -1; MIN stays */
    x64_here8(as, done);
    x64_here8(as, zero);
    x64_mov_rr(as, sz, r->dst, X64_TMP);
}

/* ---- shifts ---- */

static unsigned shift_op(unsigned op)
{
    return op == IR_SHL   ? X64_SH_SHL
           : op == IR_SHR ? X64_SH_SHR
           : op == IR_SAR ? X64_SH_SAR
                          : X64_SH_ROR;
}

static void emit_shift_imm(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned n = (unsigned)r->arg[1].imm & (width_of(op) - 1);
    if (n) {
        x64_shift_ri(&c->as, size_of(op), shift_op(op->op), r->dst, n);
    } else if (op->type != IR_I64) {
        x64_mov_rr(&c->as, 2, r->dst, r->dst);
    }
}

static void emit_ror_imm(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned n = (unsigned)r->arg[1].imm & (width_of(op) - 1);
    x64_rorx(&c->as, size_of(op), r->dst, r->arg[0].reg, n);
}

static void emit_shift_cl(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    x64_shift_rcl(&c->as, size_of(op), shift_op(op->op), r->dst);
}

static void emit_shift_bmi(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned sz = size_of(op), a = r->arg[0].reg, b = r->arg[1].reg;
    switch (op->op) {
    case IR_SHL: x64_shlx(&c->as, sz, r->dst, a, b); break;
    case IR_SHR: x64_shrx(&c->as, sz, r->dst, a, b); break;
    default: x64_sarx(&c->as, sz, r->dst, a, b);
    }
}

static void emit_extr(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    /* dst is the low part b, the high part a comes in; imm 0 keeps b: rows tie arg 0, so move */
    X64Asm *as = &c->as;
    unsigned sz = size_of(op);
    x64_mov_rr(as, sz, X64_TMP, r->arg[1].reg);
    if (op->imm) {
        x64_shrd_ri(as, sz, X64_TMP, r->arg[0].reg, (unsigned)op->imm);
    }
    x64_mov_rr(as, sz, r->dst, X64_TMP);
}

/* ---- extensions, bit fields ---- */

static void emit_ext(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    const X64Arg *a = &r->arg[0];
    X64Asm *as = &c->as;
    if (op->op == IR_ZEXT) {
        if (a->kind == X64_ARG_MEM) {
            x64_movzx_rm(as, op->esz, r->dst, a->mem);
        } else {
            x64_movzx_rr(as, op->esz, r->dst, a->reg);
        }
    } else if (a->kind == X64_ARG_MEM) {
        x64_movsx_rm(as, size_of(op), op->esz, r->dst, a->mem);
    } else {
        x64_movsx_rr(as, size_of(op), op->esz, r->dst, a->reg);
    }
}

static void emit_ubfx(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    X64Asm *as = &c->as;
    unsigned sz = size_of(op), lsb = op->imm & 63, len = (op->imm >> 8) & 0xff;
    unsigned a = r->arg[0].reg, d = r->dst;
    unsigned width = width_of(op);
    if (lsb + len >= width) {
        mov(c, sz, d, a);
        if (lsb) {
            x64_shift_ri(as, sz, X64_SH_SHR, d, lsb);
        }
        return;
    }
    if (lsb == 0) {
        if (len == 8 || len == 16 || len == 32) {
            x64_movzx_rr(as, len == 8 ? 0 : len == 16 ? 1 : 2, d, a);
        } else if (len < 32) {
            x64_mov_rr(as, 2, d, a);
            x64_alu_ri(as, 2, X64_ALU_AND, d, (int32_t)((1u << len) - 1));
        } else {
            mov(c, 3, d, a);
            x64_shift_ri(as, 3, X64_SH_SHL, d, 64 - len);
            x64_shift_ri(as, 3, X64_SH_SHR, d, 64 - len);
        }
        return;
    }
    mov(c, sz, d, a);
    if (len < 32) {
        x64_shift_ri(as, sz, X64_SH_SHR, d, lsb);
        if (len == 8 || len == 16) {
            x64_movzx_rr(as, len == 16, d, d);
        } else {
            x64_alu_ri(as, 2, X64_ALU_AND, d, (int32_t)((1u << len) - 1));
        }
    } else {
        x64_shift_ri(as, sz, X64_SH_SHL, d, width - lsb - len);
        x64_shift_ri(as, sz, X64_SH_SHR, d, width - len);
    }
}

static void emit_sbfx(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    X64Asm *as = &c->as;
    unsigned sz = size_of(op), lsb = op->imm & 63, len = (op->imm >> 8) & 0xff;
    unsigned width = width_of(op);
    if (lsb == 0 && (len == 8 || len == 16 || len == 32)) {
        x64_movsx_rr(as, sz, len == 8 ? 0 : len == 16 ? 1 : 2, r->dst, r->arg[0].reg);
        return;
    }
    mov(c, sz, r->dst, r->arg[0].reg);
    if (lsb + len < width) {
        x64_shift_ri(as, sz, X64_SH_SHL, r->dst, width - lsb - len);
    }
    if (len < width) {
        x64_shift_ri(as, sz, X64_SH_SAR, r->dst, width - len);
    }
}

/* dst = a with a field replaced by low bits of b; rax holds the field */
static void emit_bfi(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    X64Asm *as = &c->as;
    unsigned sz = size_of(op), lsb = op->imm & 63, len = (op->imm >> 8) & 0xff;
    unsigned width = width_of(op);
    uint64_t mask = len >= 64 ? ~0ull : (1ull << len) - 1;
    uint64_t keep = ~(mask << lsb);
    if (len >= width) {
        mov(c, sz, r->dst, r->arg[1].reg);
        return;
    }
    x64_mov_rr(as, sz, X64_TMP, r->arg[1].reg);
    if (lsb + len >= width) {
        x64_shift_ri(as, sz, X64_SH_SHL, X64_TMP, lsb);
    } else if (len < 32) {
        x64_alu_ri(as, 2, X64_ALU_AND, X64_TMP, (int32_t)mask);
        if (lsb) {
            x64_shift_ri(as, sz, X64_SH_SHL, X64_TMP, lsb);
        }
    } else {
        x64_shift_ri(as, sz, X64_SH_SHL, X64_TMP, width - len);
        if (width - len > lsb) {
            x64_shift_ri(as, sz, X64_SH_SHR, X64_TMP, width - len - lsb);
        }
    }
    if (sz == 2 || x64_fits_i32(keep)) {
        x64_alu_ri(as, sz, X64_ALU_AND, r->dst, (int32_t)keep);
    } else {
        x64_alu_rm(as, 3, X64_ALU_AND, r->dst, x64_const16(c, keep, 0));
    }
    x64_alu_rr(as, sz, X64_ALU_OR, r->dst, X64_TMP);
}

static void emit_bswap(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    X64Asm *as = &c->as;
    unsigned sz = size_of(op), d = r->dst;
    if (op->esz == sz) {
        x64_bswap(as, sz, d);
        return;
    }
    if (op->esz == 2) { /* both 32-bit halves */
        x64_bswap(as, 3, d);
        x64_shift_ri(as, 3, X64_SH_ROL, d, 32);
        return;
    }
    uint64_t m = sz == 3 ? 0x00ff00ff00ff00ffull : 0x00ff00ffu;
    X64Mem mask = x64_const16(c, m, 0);
    x64_mov_rr(as, sz, X64_TMP, d);
    x64_shift_ri(as, sz, X64_SH_SHR, d, 8);
    x64_alu_rm(as, sz, X64_ALU_AND, d, mask);
    x64_alu_rm(as, sz, X64_ALU_AND, X64_TMP, mask);
    x64_shift_ri(as, sz, X64_SH_SHL, X64_TMP, 8);
    x64_alu_rr(as, sz, X64_ALU_OR, d, X64_TMP);
}

static void emit_rbit(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    static const struct {
        uint64_t mask;
        unsigned n;
    } step[3] = {
        {0x0f0f0f0f0f0f0f0full, 4}, {0x3333333333333333ull, 2}, {0x5555555555555555ull, 1}};
    X64Asm *as = &c->as;
    unsigned sz = size_of(op), d = r->dst;
    x64_bswap(as, sz, d);
    for (unsigned i = 0; i < 3; i++) {
        X64Mem mask = x64_const16(c, step[i].mask, 0);
        x64_mov_rr(as, sz, X64_TMP, d);
        x64_shift_ri(as, sz, X64_SH_SHR, d, step[i].n);
        x64_alu_rm(as, sz, X64_ALU_AND, d, mask);
        x64_alu_rm(as, sz, X64_ALU_AND, X64_TMP, mask);
        x64_shift_ri(as, sz, X64_SH_SHL, X64_TMP, step[i].n);
        x64_alu_rr(as, sz, X64_ALU_OR, d, X64_TMP);
    }
}

static void emit_clz(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    X64Asm *as = &c->as;
    unsigned sz = size_of(op), w = width_of(op);
    if (c->host & TCG_HOST_LZCNT) {
        x64_lzcnt_rr(as, sz, r->dst, r->arg[0].reg);
        return;
    }
    x64_mov_ri(as, X64_TMP, 2 * w - 1);
    x64_bsr_rr(as, sz, r->dst, r->arg[0].reg);
    x64_cmov_rr(as, 2, X64_E, r->dst, X64_TMP);
    x64_alu_ri(as, 2, X64_ALU_XOR, r->dst, (int32_t)w - 1);
}

static void emit_ctz(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    X64Asm *as = &c->as;
    unsigned sz = size_of(op);
    if (c->host & TCG_HOST_BMI1) {
        x64_tzcnt_rr(as, sz, r->dst, r->arg[0].reg);
        return;
    }
    x64_mov_ri(as, X64_TMP, width_of(op));
    x64_bsf_rr(as, sz, r->dst, r->arg[0].reg);
    x64_cmov_rr(as, 2, X64_E, r->dst, X64_TMP);
}

static void emit_popcnt(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    x64_popcnt_rr(&c->as, size_of(op), r->dst, r->arg[0].reg);
}

static void emit_crc32c(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    x64_crc32_rr(&c->as, op->esz, r->dst, r->arg[1].reg);
}

/* ---- the rows ---- */

enum { TC = X64R_TIED | X64R_COMM | X64R_EFLAGS, TE = X64R_TIED | X64R_EFLAGS };

static const X64Row row_add = {emit_add, X64R_IMM1 | X64R_MEM1 | X64R_EFLAGS, 0, 0};
static const X64Row row_sub = {emit_sub, TE | X64R_IMM1 | X64R_MEM1, 0, 0};
static const X64Row row_sub_imm = {emit_sub_imm, X64R_IMM1 | X64R_EFLAGS, 0, 0};
static const X64Row row_and = {emit_and, TC | X64R_IMM1 | X64R_MEM1, 0, 0};
static const X64Row row_and_ext = {emit_and_ext, X64R_MEM0 | X64R_IMM1 | X64R_IMM64, 0, 0};
static const X64Row row_or = {emit_or, TC | X64R_IMM1 | X64R_MEM1, 0, 0};
static const X64Row row_xor = {emit_xor, TC | X64R_IMM1 | X64R_MEM1, 0, 0};
static const X64Row row_andn = {emit_andn, TE | X64R_IMM1 | X64R_MEM1, 0, 0};
static const X64Row row_orn = {emit_orn, TE | X64R_IMM1 | X64R_MEM1, 0, 0};
static const X64Row row_not = {emit_not, X64R_TIED, 0, 0};
static const X64Row row_neg = {emit_neg, TE, 0, 0};
static const X64Row row_addc = {emit_addc, TE | X64R_IMM1 | X64R_MEM1 | X64R_IMM2, 0, 0};
static const X64Row row_mul = {emit_mul, TC | X64R_MEM1, 0, 0};
static const X64Row row_mul_imm = {emit_mul, X64R_IMM1 | X64R_EFLAGS, 0, 0};
static const X64Row row_mulh = {emit_mulh, X64R_RDX | X64R_MEM1 | X64R_EFLAGS, 0, 0};
static const X64Row row_udiv = {emit_udiv, X64R_RDX | X64R_EFLAGS, 0, 0};
static const X64Row row_sdiv = {emit_sdiv, X64R_RDX | X64R_EFLAGS, 0, 0};
static const X64Row row_shift_imm = {emit_shift_imm, TE | X64R_IMM1 | X64R_IMM64, 0, 0};
static const X64Row row_ror_imm = {emit_ror_imm, X64R_IMM1 | X64R_IMM64, 0, 0};
static const X64Row row_shift_cl = {emit_shift_cl, TE | X64R_RCX1, 0, 0};
static const X64Row row_shift_bmi = {emit_shift_bmi, 0, 0, 0};
static const X64Row row_extr = {emit_extr, X64R_EFLAGS, 0, 0};
static const X64Row row_ext = {emit_ext, X64R_MEM0, 0, 0};
static const X64Row row_ubfx = {emit_ubfx, X64R_EFLAGS, 0, 0};
static const X64Row row_sbfx = {emit_sbfx, X64R_EFLAGS, 0, 0};
static const X64Row row_bfi = {emit_bfi, TE, 0, 0};
static const X64Row row_bswap = {emit_bswap, TE, 0, 0};
static const X64Row row_rbit = {emit_rbit, TE, 0, 0};
static const X64Row row_clz = {emit_clz, X64R_EFLAGS, 0, 0};
static const X64Row row_popcnt = {emit_popcnt, X64R_EFLAGS, 0, 0};
static const X64Row row_ctz = {emit_ctz, X64R_EFLAGS, 0, 0};
static const X64Row row_crc32c = {emit_crc32c, X64R_TIED, 0, 0};

static bool const_arg1(const X64Ctx *c, const IrOp *op)
{
    return x64_is_const(c->core, x64_canon(c->core, op->arg[1]));
}

/* A constant second argument that fits an immediate of the op's width. */
static bool imm_arg1(const X64Ctx *c, const IrOp *op)
{
    uint64_t imm;
    return x64_imm_fits(c->core, x64_canon(c->core, op->arg[1]), op->type == IR_I64 ? 8 : 4, &imm);
}

static bool is_ext_mask(const X64Ctx *c, const IrOp *op)
{
    const IrOp *m = &c->r->ops[x64_canon(c->core, op->arg[1])];
    return m->op == IR_CONST && (m->imm == 0xff || m->imm == 0xffff || m->imm == 0xffffffff);
}

static const X64Row *shift_row(const X64Ctx *c, const IrOp *op)
{
    bool bmi = c->host & TCG_HOST_BMI2;
    if (const_arg1(c, op)) {
        return op->op == IR_ROR && bmi ? &row_ror_imm : &row_shift_imm;
    }
    return bmi && op->op != IR_ROR ? &row_shift_bmi : &row_shift_cl;
}

const X64Row *x64_int_row(const X64Ctx *c, const IrOp *op)
{
    switch (op->op) {
    case IR_ADD: return &row_add;
    case IR_SUB: return imm_arg1(c, op) ? &row_sub_imm : &row_sub;
    case IR_ADDC:
    case IR_SUBC: return &row_addc;
    case IR_AND: return is_ext_mask(c, op) ? &row_and_ext : &row_and;
    case IR_OR: return &row_or;
    case IR_XOR: return &row_xor;
    case IR_ANDN: return &row_andn;
    case IR_ORN: return &row_orn;
    case IR_NOT: return &row_not;
    case IR_NEG: return &row_neg;
    case IR_MUL: return imm_arg1(c, op) ? &row_mul_imm : &row_mul;
    case IR_MULHU:
    case IR_MULHS: return &row_mulh;
    case IR_UDIV: return &row_udiv;
    case IR_SDIV: return &row_sdiv;
    case IR_SHL:
    case IR_SHR:
    case IR_SAR:
    case IR_ROR: return shift_row(c, op);
    case IR_EXTR: return &row_extr;
    case IR_SEXT:
    case IR_ZEXT: return &row_ext;
    case IR_UBFX: return &row_ubfx;
    case IR_SBFX: return &row_sbfx;
    case IR_BFI: return &row_bfi;
    case IR_BSWAP: return &row_bswap;
    case IR_RBIT: return &row_rbit;
    case IR_CLZ: return &row_clz;
    case IR_CTZ: return &row_ctz;
    case IR_POPCNT: return c->host & TCG_HOST_POPCNT ? &row_popcnt : NULL;
    case IR_CRC32: return op->sub == 1 ? &row_crc32c : NULL;
    default: return NULL;
    }
}

const X64Row *x64_row(const X64Ctx *c, const IrOp *op)
{
    if (op->op >= IR_ADD && op->op <= IR_CRC32) {
        return x64_int_row(c, op);
    }
    return op->op >= IR_VAND && op->op <= IR_VFCVTN ? x64_vec_row(c, op) : NULL;
}
