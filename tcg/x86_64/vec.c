/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vector rows: the operations that are one host instruction, and bitwise logic.
 *
 * IRF_HALF operations work on whole registers and then clear the upper half, unless the arguments
 * make it 0 anyway.
 */
#include "tcg/x86_64/vec.h"

bool x64_is_low64(const X64Ctx *c, IrRef v)
{
    const IrOp *op = ir_op(c->r, v);

    switch (op->op) {
    case IR_VLOW64:
    case IR_VZEXT:
    case IR_VXTN:
    case IR_VFCVTN:
    case IR_VADDV:
    case IR_VUMAXV:
    case IR_VUMINV:
    case IR_VSMAXV:
    case IR_VSMINV: return true;
    case IR_LD: return op->type == IR_V128 && op->esz <= 3;
    case IR_GET:
    case IR_PHI:
    case IR_SELECT:
    case IR_VCALL:
    case IR_VCALLP: return false;
    default: return op->type == IR_V128 && op->flags & IRF_HALF;
    }
}

/* ---- one instruction: d = a op b ---- */

enum { B_SWAP = 1, B_ZERO = 2 /* of zeros is zero */ };

typedef struct BinOp {
    uint8_t op; /* IrOpcode */
    uint8_t flags;
    X64Desc4 desc; /* VEX or SSE; by element size */
    X64Desc4 evex; /* AVX-512 only (registers 0-31, always EVEX) */
} BinOp;

#define ALL4(d)                                                                                    \
    {                                                                                              \
        d, d, d, d                                                                                 \
    }
#define EVEX_Q(d)                                                                                  \
    {                                                                                              \
        [3] = (d) | XD_EW                                                                          \
    }

static const BinOp bin_ops[] = {
    {IR_VAND, B_ZERO, ALL4(XV_PAND), {0}},
    {IR_VOR, B_ZERO, ALL4(XV_POR), {0}},
    {IR_VXOR, B_ZERO, ALL4(XV_PXOR), {0}},
    {IR_VANDN, B_ZERO | B_SWAP, ALL4(XV_PANDN), {0}},
    {IR_VADD, B_ZERO, {XI_C(1, 0xfc), XI_C(1, 0xfd), XI_C(1, 0xfe), XV_PADDQ}, {0}},
    {IR_VSUB, B_ZERO, {XI(1, 0xf8), XI(1, 0xf9), XI(1, 0xfa), XI_Q(1, 0xfb)}, {0}},
    {IR_VMUL, B_ZERO, {0, XV_PMULLW, XI_C(2, 0x40), 0}, EVEX_Q(XI(2, 0x40))},
    {IR_VSMIN, B_ZERO, {XI_C(2, 0x38), XI_C(1, 0xea), XI_C(2, 0x39), 0}, EVEX_Q(XI(2, 0x39))},
    {IR_VSMAX, B_ZERO, {XI_C(2, 0x3c), XI_C(1, 0xee), XI_C(2, 0x3d), 0}, EVEX_Q(XI(2, 0x3d))},
    {IR_VUMIN, B_ZERO, {XI_C(1, 0xda), XI_C(2, 0x3a), XI_C(2, 0x3b), 0}, EVEX_Q(XI(2, 0x3b))},
    {IR_VUMAX, B_ZERO, {XI_C(1, 0xde), XI_C(2, 0x3e), XI_C(2, 0x3f), 0}, EVEX_Q(XI(2, 0x3f))},
    {IR_VSQADD, B_ZERO, {XI_C(1, 0xec), XI_C(1, 0xed), 0, 0}, {0}},
    {IR_VUQADD, B_ZERO, {XI_C(1, 0xdc), XI_C(1, 0xdd), 0, 0}, {0}},
    {IR_VSQSUB, B_ZERO, {XI(1, 0xe8), XI(1, 0xe9), 0, 0}, {0}},
    {IR_VUQSUB, B_ZERO, {XI(1, 0xd8), XI(1, 0xd9), 0, 0}, {0}},
    {IR_VURHADD, B_ZERO, {XI_C(1, 0xe0), XI_C(1, 0xe3), 0, 0}, {0}},
    {IR_VZIP1, 0, {XI(1, 0x60), XV_PUNPCKLWD, XI(1, 0x62), XV_PUNPCKLQDQ}, {0}},
    {IR_VCAT, 0, ALL4(XV_PUNPCKLQDQ), {0}},
};

static const BinOp *bin_find(unsigned op)
{
    for (size_t i = 0; i < sizeof(bin_ops) / sizeof(bin_ops[0]); i++) {
        if (bin_ops[i].op == op) {
            return &bin_ops[i];
        }
    }
    return NULL;
}

static void emit_bin(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    const BinOp *b = bin_find(op->op);
    unsigned e = op->esz & 3;
    bool low = (b->flags & B_ZERO) && x64_is_low64(c, op->arg[0]) && x64_is_low64(c, op->arg[1]);

    if (!b->desc[e]) {
        x64_evex_rr(&c->as, b->evex[e], 0, r->dst, r->arg[0].reg, r->arg[1].reg, -1);
    } else if (b->flags & B_SWAP) {
        x64_v3a(c, b->desc[e], r->dst, r->arg[1].reg, &r->arg[0]);
    } else {
        x64_v3a(c, b->desc[e], r->dst, r->arg[0].reg, &r->arg[1]);
    }
    if (op->flags & IRF_HALF && !low) {
        x64_low64(c, r->dst, r->dst);
    }
}

static const X64Row row_bin = {emit_bin, X64R_MEM1 | X64R_HI, 0, 0};
static const X64Row row_bin_swap = {emit_bin, X64R_MEM0 | X64R_HI, 0, 0};
static const X64Row row_bin_evex = {emit_bin, X64R_HI, 0, 0};

static const X64Row *bin_row(const X64Ctx *c, const IrOp *op)
{
    const BinOp *b = bin_find(op->op);

    if (!b || op->esz > 3) {
        return NULL;
    }
    if (!b->desc[op->esz]) {
        return b->evex[op->esz] && x64_has(c, TCG_HOST_AVX512VL) ? &row_bin_evex : NULL;
    }
    return b->flags & B_SWAP ? &row_bin_swap : &row_bin;
}

/* ---- bitwise logic that is more than one instruction ---- */

static void end_half(X64Ctx *c, const IrOp *op, unsigned d)
{
    if (op->flags & IRF_HALF) {
        x64_low64(c, d, d);
    }
}

static void emit_not(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    x64_ones(c, V15);
    x64_v3(&c->as, XV_PXOR, r->dst, r->arg[0].reg, V15);
    end_half(c, op, r->dst);
}

/* TIED, so that there is no dependency on an old value of dst. */
static void emit_not_512(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    x64_evex_rr(&c->as, XV_TERNLOG, 0, r->dst, r->dst, r->dst, 0x55);
    end_half(c, op, r->dst);
}

static void emit_orn(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned d = r->dst, a = r->arg[0].reg, b = r->arg[1].reg;

    x64_ones(c, V15);
    x64_v3(&c->as, XV_PXOR, V15, V15, b);
    x64_v3(&c->as, XV_POR, d, V15, a);
    end_half(c, op, d);
}

/* TIED: dst holds a. */
static void emit_orn_512(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    x64_evex_rr(&c->as, XV_TERNLOG, 0, r->dst, r->arg[1].reg, r->arg[1].reg, 0xf3);
    end_half(c, op, r->dst);
}

/* c ^ ((b ^ c) & a) */
static void emit_bsl(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    x64_v3(&c->as, XV_PXOR, V15, r->arg[1].reg, r->arg[2].reg);
    x64_v3(&c->as, XV_PAND, V15, V15, r->arg[0].reg);
    x64_v3(&c->as, XV_PXOR, r->dst, V15, r->arg[2].reg);
    end_half(c, op, r->dst);
}

static void emit_bsl_512(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    if (r->arg[2].kind == X64_ARG_MEM) {
        x64_evex_rm(&c->as, XV_TERNLOG, 0, r->dst, r->arg[1].reg, r->arg[2].mem, 0xca);
    } else {
        x64_evex_rr(&c->as, XV_TERNLOG, 0, r->dst, r->arg[1].reg, r->arg[2].reg, 0xca);
    }
    end_half(c, op, r->dst);
}

static void emit_low64(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    (void)op;
    if (r->arg[0].kind == X64_ARG_MEM) {
        x64_v2m(&c->as, XV_MOVQX, r->dst, r->arg[0].mem);
    } else {
        x64_low64(c, r->dst, r->arg[0].reg);
    }
}

static void emit_zext(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned d = r->dst, a = r->arg[0].reg;

    if (op->esz == 3) {
        x64_low64(c, d, a);
    } else if (op->esz == 2) {
        x64_v3i(&c->as, XV_INSERTPS, d, a, a, 0x0e);
    } else {
        x64_low16(c, d, a);
    }
}

static void emit_fbits(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    x64_v2(&c->as, op->esz == 3 ? XV_MOVQ_S : XV_MOVD_S, r->arg[0].reg, r->dst);
    if (op->esz < 2) {
        x64_movzx_rr(&c->as, op->esz, r->dst, r->dst);
    }
}

static void emit_bitsf(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    if (r->arg[0].kind == X64_ARG_MEM) {
        x64_v2m(&c->as, op->esz == 3 ? XV_MOVQX : XV_MOVD_L, r->dst, r->arg[0].mem);
    } else {
        x64_v2(&c->as, op->esz == 3 ? XV_MOVQ_L : XV_MOVD_L, r->dst, r->arg[0].reg);
    }
}

/* ---- crypto ---- */

static void emit_aes(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned last = op->op == IR_AESE ? 0xdd : 0xdf; /* AESENCLAST, AESDECLAST */

    x64_v3(&c->as, XV_PXOR, V15, r->arg[0].reg, r->arg[1].reg);
    x64_zero(c, r->vtmp[0]);
    x64_v3(&c->as, XI(2, last), r->dst, V15, r->vtmp[0]);
}

/* AESDECLAST undoes what AESENC does before MixColumns. */
static void emit_aesmc(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    (void)op;
    x64_zero(c, V15);
    x64_v3(&c->as, XI(2, 0xdf), r->dst, r->arg[0].reg, V15);
    x64_v3(&c->as, XI(2, 0xdc), r->dst, r->dst, V15);
}

static void emit_aesimc(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    (void)op;
    x64_v2(&c->as, XI(2, 0xdb), r->dst, r->arg[0].reg);
}

static void emit_pmull(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    x64_v3i(&c->as, XI_C(3, 0x44), r->dst, r->arg[0].reg, r->arg[1].reg,
            op->flags & IRF_HI ? 0x11 : 0x00);
}

static const X64Row row_not = {emit_not, 0, 0, 0};
static const X64Row row_not_512 = {emit_not_512, X64R_TIED | X64R_HI, 0, 0};
static const X64Row row_orn = {emit_orn, 0, 0, 0};
static const X64Row row_orn_512 = {emit_orn_512, X64R_TIED | X64R_HI, 0, 0};
static const X64Row row_bsl = {emit_bsl, 0, 0, 0};
static const X64Row row_bsl_512 = {emit_bsl_512, X64R_TIED | X64R_MEM2 | X64R_HI, 0, 0};
static const X64Row row_low64 = {emit_low64, X64R_MEM0 | X64R_HI, 0, 0};
static const X64Row row_zext = {emit_zext, X64R_HI, 0, 0};
static const X64Row row_fbits = {emit_fbits, X64R_HI, 0, 0};
static const X64Row row_bitsf = {emit_bitsf, X64R_HI, 0, 0};
static const X64Row row_aes = {emit_aes, 0, 0, 1};
static const X64Row row_aesmc = {emit_aesmc, 0, 0, 0};
static const X64Row row_aesimc = {emit_aesimc, 0, 0, 0};
static const X64Row row_pmull = {emit_pmull, 0, 0, 0};

static const X64Row *bit_row(const X64Ctx *c, const IrOp *op)
{
    bool v512 = x64_has(c, TCG_HOST_AVX512VL), aes = x64_has(c, TCG_HOST_AES);

    switch (op->op) {
    case IR_VNOT: return v512 ? &row_not_512 : &row_not;
    case IR_VORN: return v512 ? &row_orn_512 : &row_orn;
    case IR_VBSL: return v512 ? &row_bsl_512 : &row_bsl;
    case IR_VLOW64: return &row_low64;
    case IR_VZEXT: return &row_zext;
    case IR_FBITS: return &row_fbits;
    case IR_BITSF: return &row_bitsf;
    case IR_AESE:
    case IR_AESD: return aes ? &row_aes : NULL;
    case IR_AESMC: return aes ? &row_aesmc : NULL;
    case IR_AESIMC: return aes ? &row_aesimc : NULL;
    case IR_PMULL64: return x64_has(c, TCG_HOST_PCLMUL) ? &row_pmull : NULL;
    default: return NULL;
    }
}

const X64Row *x64_vec_row(const X64Ctx *c, const IrOp *op)
{
    const X64Row *row;

    if (op->type == IR_V256 || op->type == IR_V512 || op->type == IR_F80) {
        return NULL;
    }
    if (ir_has_attr(op, IRA_FP) || op->op == IR_FABS || op->op == IR_FNEG) {
        bool flag = ir_has_attr(op, IRA_FP) && op->op != IR_VITOF && op->type == IR_V128;

        if (c->fp_flush && flag && op->esz != 1 && !x64_has(c, TCG_HOST_AVX512VL)) {
            return NULL; /* no test for denormal operands */
        }
        row = x64_fp_row(c, op);
        row = row ? row : x64_fp_minmax_row(c, op);
        return row ? row : x64_fp_conv_row(c, op);
    }
    row = bin_row(c, op);
    row = row ? row : bit_row(c, op);
    row = row ? row : x64_vec_perm_row(c, op);
    row = row ? row : x64_vec_int_row(c, op);
    return row ? row : x64_vec_shift_row(c, op);
}
