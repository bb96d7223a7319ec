/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the FP and Advanced SIMD translate functions share: the shape of an instruction and the
 * table that says for each decode row which IR op or helper does it.
 *
 * Source: Arm ARM (DDI 0487), C7 "A64 Advanced SIMD and Floating-point Instruction Descriptions".
 */
#ifndef GEMEL_TARGET_ARM_A64_SIMD_H
#define GEMEL_TARGET_ARM_A64_SIMD_H

#include "target/arm/tcg/a64_ctx.h"

/* VCALL flag of our helpers: only element 0 counts, the rest of the result is 0. */
enum { A64_VF_SCALAR = IRF_ALIGN };

/* Sizes a row allows: bit n for elements of 1 << n bytes. */
enum { SZ_B = 1, SZ_H = 2, SZ_S = 4, SZ_D = 8, SZ_BHS = 7, SZ_HS = 6, SZ_ALL = 15 };

typedef struct A64SimdOp {
    uint8_t op;      /* IR_ op; accumulating rows: the op before the accumulation */
    uint8_t sub;     /* IrOp.sub; helper rows: their sub */
    uint8_t sizes;   /* SZ_ */
    uint8_t acc;     /* IR_VADD or IR_VSUB into Vd, or the wrapping op of a saturating row */
    uint16_t flags;  /* IRF_ */
    uint16_t helper; /* A64_H_ */
} A64SimdOp;

extern const A64SimdOp a64_simd_ops[A64_N_ROWS];

typedef struct SimdShape {
    const A64SimdOp *op;
    unsigned esz; /* log2 bytes of an element */
    bool half;    /* 64-bit vector or a scalar */
    bool scalar;
} SimdShape;

/* Bit 28 tells the scalar classes of Advanced SIMD from the vector ones. */
static inline bool simd_is_scalar(const A64Insn *i)
{
    return (i->word >> 28 & 1) != 0;
}

/* Element size from the field sz; false: reserved. */
static inline bool simd_shape(const A64Insn *i, SimdShape *s)
{
    *s = (SimdShape){.op = &a64_simd_ops[i->row], .esz = i->sz, .scalar = simd_is_scalar(i)};
    s->half = s->scalar || !i->q;
    return (s->op->sizes >> s->esz & 1) && (s->scalar || s->esz < 3 || i->q);
}

/* FP rows: half precision when the row needs FEAT_FP16, else bit s. false: reserved. */
static inline bool simd_fp_shape(const A64Insn *i, SimdShape *s)
{
    bool half_precision = a64_rows[i->row].feature == A64_FEAT_FP16;
    *s = (SimdShape){.op = &a64_simd_ops[i->row],
                     .esz = half_precision ? 1 : 2 + i->s,
                     .scalar = simd_is_scalar(i)};
    s->half = s->scalar || !i->q;
    return s->scalar || s->esz < 3 || i->q;
}

static inline IrType simd_fp_type(unsigned esz)
{
    return esz == 1 ? IR_F16 : esz == 2 ? IR_F32 : IR_F64;
}

/* The field ft of scalar FP; false: reserved or not there. */
static inline bool simd_ftype(const A64Ctx *c, unsigned ft, unsigned *esz)
{
    static const uint8_t esz_of[4] = {2, 3, 0, 1};
    *esz = esz_of[ft];
    return *esz > 1 || (*esz == 1 && a64_feat(c, A64_FEAT_FP16));
}

static inline unsigned simd_bits(unsigned esz)
{
    return 8u << esz;
}

/* v in each element of a 64-bit constant. */
static inline uint64_t simd_rep(unsigned esz, uint64_t v)
{
    return esz == 3 ? v
                    : (v & (~0ull >> (64 - simd_bits(esz)))) *
                          (~0ull / (~0ull >> (64 - simd_bits(esz))));
}

static inline IrRef simd_const(A64Ctx *c, unsigned esz, bool half, uint64_t v)
{
    return ir_vconst(c->b, simd_rep(esz, v), half);
}

static inline IrRef simd_op(A64Ctx *c, const SimdShape *s, IrOpcode op, IrRef a, IrRef b)
{
    return ir_vbin(c->b, op, s->esz, s->half, a, b);
}

static inline IrRef simd_op1(A64Ctx *c, const SimdShape *s, IrOpcode op, IrRef a, uint64_t imm)
{
    return ir_vun(c->b, op, s->esz, s->half, a, imm);
}

static inline IrRef simd_cmp(A64Ctx *c, const SimdShape *s, IrCmp cc, IrRef a, IrRef b)
{
    return ir_emit(c->b, IR_VCMP, IR_V128, s->esz, cc, s->half ? IRF_HALF : 0, a, b, 0, 0, 0);
}

/* Vn as operand: of scalars narrower than 64 bits only element 0 (the rest is 0). */
static inline IrRef simd_in(A64Ctx *c, const SimdShape *s, unsigned n)
{
    IrRef v = a64_v(c, n);
    if (s->scalar && s->esz < 3) {
        uint64_t mask = ~0ull >> (64 - simd_bits(s->esz));
        v = ir_vbin(c->b, IR_VAND, 3, true, v, ir_vconst(c->b, mask, true));
    }
    return v;
}

/* Element 0 of a vector as FP scalar, and element n. */
static inline IrRef simd_lane(A64Ctx *c, unsigned esz, IrRef v, unsigned n)
{
    if (n) {
        v = ir_vun(c->b, IR_VDUPL, esz, false, v, n);
    }
    return ir_un(c->b, IR_VLO, simd_fp_type(esz), v);
}

/* FP scalar to V128, rest 0. */
static inline IrRef simd_zext(A64Ctx *c, unsigned esz, IrRef scalar)
{
    return ir_emit(c->b, IR_VZEXT, IR_V128, esz, 0, 0, scalar, 0, 0, 0, 0);
}

/* FP op on scalars of one type. */
static inline IrRef simd_fop(A64Ctx *c, IrOpcode op, unsigned esz, IrRef a, IrRef b)
{
    return ir_emit(c->b, op, simd_fp_type(esz), esz, 0, 0, a, b, 0, 0, 0);
}

/* Helper call; pure ones have no effect at all, the others raise FP flags. */
static inline IrRef simd_call(A64Ctx *c, bool pure, const SimdShape *s, unsigned sub,
                              const IrRef arg[4])
{
    unsigned flags =
        (unsigned)s->op->flags | (s->half ? IRF_HALF : 0) | (s->scalar ? A64_VF_SCALAR : 0);
    return ir_emit(c->b, pure ? IR_VCALLP : IR_VCALL, IR_V128, s->esz, sub, flags, arg[0], arg[1],
                   arg[2], arg[3], s->op->helper);
}

/* FPSR.QC becomes sticky 1 where a bit of `mask` is set. A put: after everything that faults. */
static inline void simd_or_qc(A64Ctx *c, IrRef mask)
{
    ir_put(c->b, A64_S_QC, ir_vbin(c->b, IR_VOR, 3, false, ir_get(c->b, A64_S_QC), mask));
}

/* The lower half of a narrowing result into Vd, or (q) above Vd's lower half. */
static inline void simd_put_narrow(A64Ctx *c, const A64Insn *i, bool scalar, IrRef v)
{
    if (i->q && !scalar) {
        v = ir_vbin(c->b, IR_VCAT, 3, false, a64_v(c, i->rd), v);
    }
    a64_put_v(c, i->rd, v);
}

/* By-element forms: the register and index that l, m, h and rm say for elements of esz. */
typedef struct SimdElem {
    unsigned rm, idx;
} SimdElem;

static inline bool simd_elem(const A64Insn *i, unsigned esz, SimdElem *e)
{
    switch (esz) {
    case 1: *e = (SimdElem){i->rm, i->h << 2 | i->l << 1 | i->m}; return true;
    case 2: *e = (SimdElem){i->m << 4 | i->rm, i->h << 1 | i->l}; return true;
    case 3: *e = (SimdElem){i->m << 4 | i->rm, i->h}; return i->l == 0;
    default: return false;
    }
}

/* Rows of by-element classes: bit 24 set, bit 10 clear. */
static inline bool simd_is_by_elem(const A64Insn *i)
{
    return (i->word >> 24 & 1) && !(i->word >> 10 & 1);
}

/* VFPExpandImm(): the bits of an 8-bit FP immediate in a format of 1 << esz bytes. */
uint64_t a64_fp_imm(unsigned esz, unsigned imm8);

#endif
