/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vector rows that move elements: duplicate, insert, extract, zip, unzip, transpose, reverse,
 * table.
 */
#include "tcg/x86_64/vec.h"

static void end_half(X64Ctx *c, const IrOp *op, unsigned d)
{
    if (op->flags & IRF_HALF) {
        x64_low64(c, d, d);
    }
}

/* ---- between general and vector registers ---- */

static const uint32_t pinsr[4] = {XD(1, 3, 0x20), XD(1, 1, 0xc4), XD(1, 3, 0x22),
                                  XD(1, 3, 0x22) | XD_W | XD_EW};
static const uint32_t pextr[4] = {XD(1, 3, 0x14), XD(1, 3, 0x15), XD(1, 3, 0x16),
                                  XD(1, 3, 0x16) | XD_W | XD_EW};

/* d = s with element i replaced by general register g. */
static void put_elem(X64Ctx *c, unsigned esz, unsigned d, unsigned s, unsigned g_i)
{
    unsigned g = g_i & 15, i = g_i >> 4;

    if (c->as.avx) {
        x64_v3i(&c->as, pinsr[esz], d, s, g, i);
    } else {
        x64_movaps(&c->as, d, s);
        x64_op_rri(&c->as, pinsr[esz], d, g, 1, i);
    }
}

/* general register g = element i of s, zero-extended */
static void get_elem(X64Ctx *c, unsigned esz, unsigned g, unsigned s, unsigned i)
{
    if (i == 0 && esz >= 2) {
        x64_v2(&c->as, esz == 3 ? XV_MOVQ_S : XV_MOVD_S, s, g);
    } else {
        x64_v2i(&c->as, pextr[esz], s, g, i);
    }
}

static void emit_dup_512(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    static const uint32_t t[4] = {XD(1, 2, 0x7a), XD(1, 2, 0x7b), XD(1, 2, 0x7c),
                                  XD(1, 2, 0x7c) | XD_EW};

    x64_evex_rr(&c->as, t[op->esz], 0, r->dst, 0, r->arg[0].reg, -1);
    end_half(c, op, r->dst);
}

/* Spread the lowest element of V128 register d. */
static void spread(X64Ctx *c, unsigned esz, unsigned d)
{
    switch (esz) {
    case 0:
        x64_zero(c, V15);
        x64_v3(&c->as, XV_PSHUFB, d, d, V15);
        break;
    case 1:
        x64_v2i(&c->as, XV_PSHUFLW, d, d, 0);
        x64_v3(&c->as, XV_PUNPCKLQDQ, d, d, d);
        break;
    case 2: x64_v2i(&c->as, XV_PSHUFD, d, d, 0); break;
    default: x64_v3(&c->as, XV_PUNPCKLQDQ, d, d, d);
    }
}

static void emit_dup(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    x64_v2(&c->as, op->esz == 3 ? XV_MOVQ_L : XV_MOVD_L, r->dst, r->arg[0].reg);
    spread(c, op->esz, r->dst);
    end_half(c, op, r->dst);
}

static void emit_dupl(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    static const uint32_t bcast[4] = {XD(1, 2, 0x78), XD(1, 2, 0x79), XD(1, 2, 0x58),
                                      XD(1, 2, 0x59)};
    unsigned d = r->dst, a = r->arg[0].reg, i = (unsigned)op->imm;

    if (op->esz == 3) {
        x64_v3(&c->as, i ? XV_PUNPCKHQDQ : XV_PUNPCKLQDQ, d, a, a);
    } else if (op->esz == 2) {
        x64_v2i(&c->as, XV_PSHUFD, d, a, i * 0x55);
    } else if (i == 0 && x64_has(c, TCG_HOST_AVX2)) {
        x64_v2(&c->as, bcast[op->esz], d, a);
    } else if (op->esz == 0) {
        x64_v3m(&c->as, XV_PSHUFB, d, a, x64_const_both(c, i * 0x0101010101010101u));
    } else {
        x64_v2i(&c->as, i < 4 ? XV_PSHUFLW : XV_PSHUFHW, d, a, (i & 3) * 0x55);
        x64_v2i(&c->as, XV_PSHUFD, d, d, i < 4 ? 0 : 0xaa);
    }
    end_half(c, op, d);
}

static void emit_ins(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    put_elem(c, op->esz, r->dst, r->arg[0].reg, r->arg[1].reg | (unsigned)op->imm << 4);
    end_half(c, op, r->dst);
}

static void emit_insl(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned d = r->dst, a = r->arg[0].reg, b = r->arg[1].reg;
    unsigned i = op->imm & 255, j = (unsigned)(op->imm >> 8) & 255;

    if (op->esz == 3 && i == 0) {
        if (j == 0) {
            x64_v3(&c->as, XV_MOVSD_L, d, a, b);
        } else {
            x64_v3i(&c->as, XV_SHUFPD, d, b, a, 3);
        }
    } else if (op->esz == 3) {
        if (j == 0) {
            x64_v3(&c->as, XV_PUNPCKLQDQ, d, a, b);
        } else {
            x64_v3i(&c->as, XV_SHUFPD, d, a, b, 2);
        }
    } else if (op->esz == 2) {
        x64_v3i(&c->as, XV_INSERTPS, d, a, b, j << 6 | i << 4);
    } else if (op->esz == 1 && i == j && ((d | a | b) & 16) == 0) {
        x64_v3i(&c->as, XV_PBLENDW, d, a, b, 1u << i);
    } else {
        get_elem(c, op->esz, X64_TMP, b, j);
        put_elem(c, op->esz, d, a, X64_TMP | i << 4);
    }
    end_half(c, op, d);
}

static void emit_extr(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    get_elem(c, op->esz, r->dst, r->arg[0].reg, (unsigned)op->imm);
    if (op->flags & IRF_SEXT) {
        x64_movsx_rr(&c->as, op->type == IR_I64 ? 3 : 2, op->esz, r->dst, r->dst);
    }
}

/* ---- fixed permutations ---- */

static void emit_ext(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned d = r->dst, a = r->arg[0].reg, b = r->arg[1].reg;

    if (op->flags & IRF_HALF) {
        x64_v3(&c->as, XV_PUNPCKLQDQ, V15, a, b);
        x64_psrldq(c, V15, V15, (unsigned)op->imm);
        x64_low64(c, d, V15);
    } else {
        x64_v3i(&c->as, XV_PALIGNR, d, b, a, (unsigned)op->imm);
    }
}

static void emit_rev(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned flip = ((1u << op->sub) - 1) ^ ((1u << op->esz) - 1);
    uint8_t m[16];

    for (unsigned i = 0; i < 16; i++) {
        m[i] = (uint8_t)(op->flags & IRF_HALF && i >= 8 ? 0x80 : i ^ flip);
    }
    x64_v3m(&c->as, XV_PSHUFB, r->dst, r->arg[0].reg, x64_const_bytes(c, m));
}

static void emit_zip2(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    static const X64Desc4 lo = {XI(1, 0x60), XV_PUNPCKLWD, XI(1, 0x62), XV_PUNPCKLQDQ};
    static const X64Desc4 hi = {XV_PUNPCKHBW, XV_PUNPCKHWD, XI(1, 0x6a), XV_PUNPCKHQDQ};

    if (op->flags & IRF_HALF) {
        x64_v3(&c->as, lo[op->esz], r->dst, r->arg[0].reg, r->arg[1].reg);
        x64_psrldq(c, r->dst, r->dst, 8);
    } else {
        x64_v3(&c->as, hi[op->esz], r->dst, r->arg[0].reg, r->arg[1].reg);
    }
}

/* pshufb mask that gathers the elements of one parity into the low half, zero above */
static X64Mem gather_mask(X64Ctx *c, unsigned esz, unsigned odd)
{
    uint8_t m[16];

    for (unsigned i = 0; i < 16; i++) {
        unsigned el = (i >> esz) * 2 + odd;

        m[i] = (uint8_t)(i < 8 ? (el << esz) + (i & ((1u << esz) - 1)) : 0x80);
    }
    return x64_const_bytes(c, m);
}

/* Makes packs of the wanted halves: d = the even (odd) elements of s, zero-extended in place. */
static void isolate(X64Ctx *c, unsigned esz, unsigned d, unsigned s, bool odd)
{
    if (odd) {
        x64_vsh(c, SH_SRL, d, s, (esz + 1) | (8u << esz) << 2);
    } else {
        x64_v3m(&c->as, XV_PAND, d, s,
                x64_const_both(c, esz == 0 ? 0x00ff00ff00ff00ff : 0x0000ffff0000ffff));
    }
}

static void emit_uzp(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    bool odd = op->op == IR_VUZP2;
    unsigned d = r->dst, a = r->arg[0].reg, b = r->arg[1].reg, t = r->vtmp[0];

    if (op->flags & IRF_HALF) {
        x64_v3(&c->as, XV_PUNPCKLQDQ, V15, a, b);
        x64_v3m(&c->as, XV_PSHUFB, d, V15, gather_mask(c, op->esz, odd));
    } else if (op->esz == 3) {
        x64_v3(&c->as, odd ? XV_PUNPCKHQDQ : XV_PUNPCKLQDQ, d, a, b);
    } else if (op->esz == 2) {
        x64_v3i(&c->as, XV_SHUFPS, d, a, b, odd ? 0xdd : 0x88);
    } else {
        isolate(c, op->esz, V15, a, odd);
        isolate(c, op->esz, t, b, odd);
        x64_v3(&c->as, op->esz == 0 ? XV_PACKUSWB : XV_PACKUSDW, d, V15, t);
    }
}

/* TRN1: a's even elements, b's even ones moved up; TRN2: a's odd ones moved down, b's odd ones. */
static void emit_trn(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    bool odd = op->op == IR_VTRN2;
    unsigned d = r->dst, a = r->arg[0].reg, b = r->arg[1].reg, e = op->esz, t = r->vtmp[0];
    unsigned shift = (e + 1) | (8u << e) << 2;

    if (e == 3) {
        x64_v3(&c->as, odd ? XV_PUNPCKHQDQ : XV_PUNPCKLQDQ, d, a, b);
    } else if (e >= 1) {
        unsigned blend = e == 2 ? 0xcc : 0xaa;

        if (odd) {
            x64_vsh(c, SH_SRL, V15, a, shift);
            x64_v3i(&c->as, XV_PBLENDW, d, V15, b, blend);
        } else {
            x64_vsh(c, SH_SLL, V15, b, shift);
            x64_v3i(&c->as, XV_PBLENDW, d, a, V15, blend);
        }
    } else if (odd) {
        x64_vsh(c, SH_SRL, V15, a, shift);
        x64_v3m(&c->as, XV_PAND, t, b, x64_const_both(c, 0xff00ff00ff00ff00));
        x64_v3(&c->as, XV_POR, d, V15, t);
    } else {
        x64_vsh(c, SH_SLL, V15, b, shift);
        x64_v3m(&c->as, XV_PAND, t, a, x64_const_both(c, 0x00ff00ff00ff00ff));
        x64_v3(&c->as, XV_POR, d, V15, t);
    }
    end_half(c, op, d);
}

/* PSHUFB gives 0 where bit 7 of the index is set: 16 and more get it by a saturating + 0x70. */
static void emit_tbl(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    x64_v3m(&c->as, XV_PADDUSB, V15, r->arg[1].reg, x64_const_both(c, 0x7070707070707070));
    x64_v3(&c->as, XV_PSHUFB, r->dst, r->arg[0].reg, V15);
    end_half(c, op, r->dst);
}

/* PMOVMSKB, MOVMSKPS, MOVMSKPD; half-words saturate to bytes first. */
static void emit_msb(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned a = r->arg[0].reg;

    if (op->esz == 1) {
        x64_zero(c, V15);
        x64_v3(&c->as, XI(1, 0x63), V15, V15, a); /* PACKSSWB: a's bytes in the high half */
        x64_v2(&c->as, XI(1, 0xd7), r->dst, V15);
        x64_shift_ri(&c->as, 2, X64_SH_SHR, r->dst, 8);
        return;
    }
    x64_v2(&c->as,
           op->esz == 0   ? XI(1, 0xd7)
           : op->esz == 2 ? XD(0, 1, 0x50)
                          : XI(1, 0x50),
           r->dst, a);
}

static const X64Row row_msb = {emit_msb, X64R_EFLAGS, 0, 0};
static const X64Row row_dup = {emit_dup, X64R_HI, 0, 0};
static const X64Row row_dup_512 = {emit_dup_512, X64R_HI, 0, 0};
static const X64Row row_dupl = {emit_dupl, X64R_HI, 0, 0};
static const X64Row row_ins = {emit_ins, X64R_HI, 0, 0};
static const X64Row row_insl = {emit_insl, X64R_HI, 0, 0};
static const X64Row row_extr = {emit_extr, X64R_HI, 0, 0};
static const X64Row row_ext = {emit_ext, X64R_HI, 0, 0};
static const X64Row row_rev = {emit_rev, X64R_HI, 0, 0};
static const X64Row row_zip2 = {emit_zip2, X64R_HI, 0, 0};
static const X64Row row_uzp = {emit_uzp, X64R_HI, 0, 1};
static const X64Row row_trn = {emit_trn, 0, 0, 1};
static const X64Row row_tbl = {emit_tbl, X64R_HI, 0, 0};

const X64Row *x64_vec_perm_row(const X64Ctx *c, const IrOp *op)
{
    if (op->esz > 3) {
        return NULL;
    }
    switch (op->op) {
    case IR_VDUP: return x64_has(c, TCG_HOST_AVX512VL) ? &row_dup_512 : &row_dup;
    case IR_VDUPL: return &row_dupl;
    case IR_VINS: return &row_ins;
    case IR_VINSL: return &row_insl;
    case IR_VEXTR: return &row_extr;
    case IR_VEXT: return &row_ext;
    case IR_VREV: return op->sub <= 4 && op->sub > op->esz ? &row_rev : NULL;
    case IR_VZIP2: return &row_zip2;
    case IR_VUZP1:
    case IR_VUZP2: return &row_uzp;
    case IR_VTRN1:
    case IR_VTRN2: return &row_trn;
    case IR_VTBL: return &row_tbl;
    case IR_VMSB: return op->flags & IRF_HALF ? NULL : &row_msb;
    default: return NULL;
    }
}
