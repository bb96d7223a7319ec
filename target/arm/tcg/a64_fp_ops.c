/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every IR FP op in software, exactly as the A64 instruction that uses it: NaNs, default NaN,
 * flushing to zero and flags as FPCR says.
 *
 * Source: Arm ARM (DDI 0487), "Shared Pseudocode" functions FPxxx, through fpu/.
 */
#include "target/arm/tcg/a64_fp_ops.h"

enum {
    FPCR_FZ16 = 1u << 19,
    FPCR_RMODE_SHIFT = 22,
    FPCR_FZ = 1u << 24,
    FPCR_DN = 1u << 25,
    FPCR_AHP = 1u << 26
};

FpuState a64_fp_state(const struct TcgCpu *cpu)
{
    uint32_t fpcr = ((const A64Cpu *)cpu)->fpcr;
    bool flush = (fpcr & FPCR_FZ) != 0;
    return (FpuState){
        .rules = FPU_ARM,
        .round = (fpcr >> FPCR_RMODE_SHIFT) & 3,
        .default_nan = (fpcr & FPCR_DN) != 0,
        .flush_in = flush,
        .flush_out = flush,
        .flush_f16 = (fpcr & FPCR_FZ16) != 0,
        .ahp = (fpcr & FPCR_AHP) != 0,
    };
}

bool a64_fp_native(uint64_t mode)
{
    return !(mode & A64_MODE_FPSLOW);
}

/* One op taken apart. */
typedef struct FpOp {
    unsigned op, esz, sub, flags;
    unsigned fbits;
    FpuRound round;
} FpOp;

static uint64_t fp_fma(FpuState *s, const FpOp *o, uint64_t a, uint64_t b, uint64_t c)
{
    unsigned neg =
        (o->flags & IRF_NEGA ? FPU_NEG_PRODUCT : 0) | (o->flags & IRF_NEGC ? FPU_NEG_ADDEND : 0);
    return fpu_muladd(s, o->esz, a, b, c, neg);
}

/* Ops whose operands and result are elements of the same format. */
static uint64_t fp_arith(FpuState *s, const FpOp *o, uint64_t a, uint64_t b, uint64_t c)
{
    FpuFormat f = o->esz;
    uint64_t sign = 1ull << ((8u << o->esz) - 1);
    switch (o->op) {
    case IR_FADD: return fpu_add(s, f, a, b);
    case IR_FSUB: return fpu_sub(s, f, a, b);
    case IR_FMUL: return fpu_mul(s, f, a, b);
    case IR_FDIV: return fpu_div(s, f, a, b);
    case IR_FMA: return fp_fma(s, o, a, b, c);
    case IR_FSQRT: return fpu_sqrt(s, f, a);
    case IR_FMIN: return fpu_min(s, f, a, b);
    case IR_FMAX: return fpu_max(s, f, a, b);
    case IR_FMINNM: return fpu_minnum(s, f, a, b);
    case IR_FMAXNM: return fpu_maxnum(s, f, a, b);
    case IR_FABS: return a & ~sign;
    case IR_FNEG: return a ^ sign;
    case IR_FRINT: return fpu_round_int(s, f, a, o->round, (o->flags & IRF_EXACT) != 0);
    default: __builtin_unreachable();
    }
}

static bool fp_holds(FpuOrder order, unsigned cmp)
{
    static const uint8_t sets[6] = {
        /* bit 0 less, 1 equal, 2 greater, 3 unordered */
        [IR_F_EQ / 2] = 2, [IR_F_LT / 2] = 1, [IR_F_LE / 2] = 3,
        [IR_F_GT / 2] = 4, [IR_F_GE / 2] = 6, [IR_F_UN / 2] = 8,
    };
    return (sets[cmp / 2] >> (order + 1) & 1) != (cmp & 1);
}

static bool fp_compare(FpuState *s, const FpOp *o, uint64_t a, uint64_t b)
{
    FpuOrder order = fpu_compare(s, o->esz, a, b, (o->sub & IR_F_S) != 0);
    return fp_holds(order, o->sub & ~(unsigned)IR_F_S);
}

static uint64_t fp_compare_flags(FpuState *s, const FpOp *o, uint64_t a, uint64_t b)
{
    enum { N = 1 << 15, Z = 1 << 14, C = 1 << 8, V = 1 };
    switch (fpu_compare(s, o->esz, a, b, (o->sub & IR_F_S) != 0)) {
    case FPU_LESS: return N;
    case FPU_EQUAL: return Z | C;
    case FPU_GREATER: return C;
    default: return C | V;
    }
}

static uint64_t fp_to_int(FpuState *s, const FpOp *o, uint64_t a, unsigned bits)
{
    if (o->flags & IRF_UNSIGNED) {
        return fpu_to_uint(s, o->esz, a, o->round, bits, o->fbits);
    }
    return (uint64_t)fpu_to_int(s, o->esz, a, o->round, bits, o->fbits);
}

/* v: element of 1 << from bytes. */
static uint64_t fp_from_int(FpuState *s, const FpOp *o, unsigned from, FpuFormat to, uint64_t v)
{
    unsigned up = 64 - (8u << from);
    if (o->flags & IRF_UNSIGNED) {
        return fpu_from_uint(s, to, v << up >> up, s->round, o->fbits);
    }
    return fpu_from_int(s, to, (int64_t)(v << up) >> up, s->round, o->fbits);
}

static unsigned fp_type_esz(unsigned type)
{
    return type == IR_F16 ? 1 : type == IR_F32 ? 2 : 3;
}

static uint64_t fp_scalar(FpuState *s, FpOp *o, unsigned type, const IrVec a[4])
{
    uint64_t x = a[0].u64[0], y = a[1].u64[0];
    switch (o->op) {
    case IR_FL_FCMP: return fp_compare_flags(s, o, x, y);
    case IR_FCMP: return fp_compare(s, o, x, y);
    case IR_FCVT: return fpu_convert(s, fp_type_esz(type), o->esz, x, o->round);
    case IR_FTOI:
        x = fp_to_int(s, o, x, type == IR_I64 ? 64 : 32);
        return type == IR_I64 ? x : (uint32_t)x;
    case IR_ITOF: return fp_from_int(s, o, o->esz, fp_type_esz(type), x);
    default: o->esz = fp_type_esz(type); return fp_arith(s, o, x, y, a[2].u64[0]);
    }
}

static void fp_vector(FpuState *s, const FpOp *o, IrVec *r, const IrVec a[4])
{
    unsigned esz = o->esz, n = (o->flags & IRF_HALF ? 8u : 16u) >> esz;
    for (unsigned k = 0; k < n; k++) {
        uint64_t x = vec_get(&a[0], esz, k), y = vec_get(&a[1], esz, k), v;
        switch (o->op) {
        case IR_VFCMP: v = fp_compare(s, o, x, y) ? ~0ull : 0; break;
        case IR_VFTOI: v = fp_to_int(s, o, x, 8u << esz); break;
        case IR_VITOF: v = fp_from_int(s, o, esz, esz, x); break;
        default: v = fp_arith(s, o, x, y, vec_get(&a[2], esz, k)); break;
        }
        vec_set(r, esz, k, v);
    }
}

static void fp_vector_convert(FpuState *s, const FpOp *o, IrVec *r, const IrVec *a)
{
    bool widen = o->op == IR_VFCVTL;
    unsigned from = widen ? o->esz : o->esz + 1, to = widen ? o->esz + 1 : o->esz;
    unsigned n = 8u >> o->esz, first = o->flags & IRF_HI ? n : 0;
    for (unsigned k = 0; k < n; k++) {
        vec_set(r, to, k, fpu_convert(s, to, from, vec_get(a, from, first + k), o->round));
    }
}

void a64_fp_eval(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    FpuState s = a64_fp_state(cpu);
    FpOp o = {.op = info_op(info),
              .esz = info_esz(info),
              .sub = info_sub(info),
              .flags = info_flags(info),
              .fbits = (unsigned)imm};
    o.round = o.sub < IR_R_DYNAMIC ? o.sub : s.round;
    unsigned type = info_type(info);
    IrVec out;
    vec_clear(&out);
    if (type != IR_V128) {
        out.u64[0] = fp_scalar(&s, &o, type, a);
    } else if (o.op == IR_VFCVTL || o.op == IR_VFCVTN) {
        fp_vector_convert(&s, &o, &out, a);
    } else {
        fp_vector(&s, &o, &out, a);
    }
    r->u64[0] = out.u64[0];
    r->u64[1] = out.u64[1];
    a64_fp_done(cpu, &s);
}
