/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vector ops of the IR that are neither FP nor crypto, element by element, as
 * include/tcg/ops.def defines them. The result comes in cleared.
 */
#include <string.h>

#include "tcg/interp/interp.h"

/* Element i of width 1 << esz bytes. */
static uint64_t get_u(const IrVec *v, unsigned esz, unsigned i)
{
    switch (esz) {
    case 0: return v->u8[i];
    case 1: return v->u16[i];
    case 2: return v->u32[i];
    default: return v->u64[i];
    }
}

static int64_t get_s(const IrVec *v, unsigned esz, unsigned i)
{
    switch (esz) {
    case 0: return v->s8[i];
    case 1: return v->s16[i];
    case 2: return v->s32[i];
    default: return v->s64[i];
    }
}

static void set(IrVec *v, unsigned esz, unsigned i, uint64_t x)
{
    switch (esz) {
    case 0: v->u8[i] = (uint8_t)x; break;
    case 1: v->u16[i] = (uint16_t)x; break;
    case 2: v->u32[i] = (uint32_t)x; break;
    default: v->u64[i] = x; break;
    }
}

static unsigned vec_bytes(const IrOp *o)
{
    switch (o->type) {
    case IR_F16: return 2;
    case IR_F32: return 4;
    case IR_F64: return 8;
    case IR_V256: return 32;
    case IR_V512: return 64;
    default: return o->flags & IRF_HALF ? 8 : 16;
    }
}

static uint64_t mask_of(unsigned esz)
{
    return esz >= 3 ? ~UINT64_C(0) : (UINT64_C(1) << (8u << esz)) - 1;
}

static void eval_bitwise(const IrOp *o, IrVec *r, const IrVec a[4])
{
    unsigned n = vec_bytes(o) / 8;

    for (unsigned i = 0; i < n; i++) {
        uint64_t x = a[0].u64[i], y = a[1].u64[i], z = a[2].u64[i], v;

        switch (o->op) {
        case IR_VAND: v = x & y; break;
        case IR_VOR: v = x | y; break;
        case IR_VXOR: v = x ^ y; break;
        case IR_VANDN: v = x & ~y; break;
        case IR_VORN: v = x | ~y; break;
        case IR_VNOT: v = ~x; break;
        default: v = (y & x) | (z & ~x); break; /* IR_VBSL */
        }
        r->u64[i] = v;
    }
}

/* Between scalars, integers and vectors. */
static void eval_move(const IrOp *o, IrVec *r, const IrVec a[4])
{
    unsigned esz = o->esz, n = vec_bytes(o) >> esz, i;

    switch (o->op) {
    case IR_VCONST:
        r->u64[0] = o->imm;
        r->u64[1] = o->flags & IRF_HALF ? 0 : o->imm;
        break;
    case IR_VLOW64: r->u64[0] = a[0].u64[0]; break;
    case IR_VLO: memcpy(r, &a[0], vec_bytes(o)); break;
    case IR_VZEXT:
    case IR_FBITS:
    case IR_BITSF: r->u64[0] = a[0].u64[0] & mask_of(esz); break;
    case IR_VDUP:
    case IR_VDUPL:
        for (i = 0; i < n; i++) {
            set(r, esz, i, get_u(&a[0], esz, o->op == IR_VDUP ? 0 : (unsigned)o->imm));
        }
        break;
    case IR_VINS:
    case IR_VINSL:
        memcpy(r, &a[0], vec_bytes(o));
        set(r, esz, o->imm & 255,
            get_u(&a[1], esz, o->op == IR_VINS ? 0 : (unsigned)(o->imm >> 8)));
        break;
    default: /* IR_VEXTR */
        r->u64[0] = o->flags & IRF_SEXT ? (uint64_t)get_s(&a[0], esz, (unsigned)o->imm)
                                        : get_u(&a[0], esz, (unsigned)o->imm);
        r->u64[0] &= ir_type_mask(o->type);
        break;
    }
}

static void eval_permute(const IrOp *o, IrVec *r, const IrVec a[4])
{
    unsigned esz = o->op == IR_VEXT ? 0 : o->esz, n = vec_bytes(o) >> esz;

    for (unsigned i = 0; i < n; i++) {
        unsigned from = 0, src = 0; /* element, 0 = a, 1 = b */

        switch (o->op) {
        case IR_VEXT:
            from = i + (unsigned)o->imm;
            src = from >= n;
            from -= src ? n : 0;
            break;
        case IR_VREV: from = i ^ ((1u << (o->sub - esz)) - 1); break;
        case IR_VZIP1:
            from = i / 2;
            src = i & 1;
            break;
        case IR_VZIP2:
            from = n / 2 + i / 2;
            src = i & 1;
            break;
        case IR_VUZP1:
        case IR_VUZP2:
            src = i >= n / 2;
            from = 2 * (i - (src ? n / 2 : 0)) + (o->op == IR_VUZP2);
            break;
        default: /* IR_VTRN1, IR_VTRN2 */
            src = i & 1;
            from = (i & ~1u) + (o->op == IR_VTRN2);
            break;
        }
        set(r, esz, i, get_u(&a[src], esz, from));
    }
}

static void eval_table(const IrOp *o, IrVec *r, const IrVec a[4])
{
    if (o->op == IR_VCAT) {
        r->u64[0] = a[0].u64[0];
        r->u64[1] = a[1].u64[0];
        return;
    }
    for (unsigned i = 0; i < vec_bytes(o); i++) {
        r->u8[i] = a[1].u8[i] < 16 ? a[0].u8[a[1].u8[i]] : 0;
    }
}

static uint64_t sat_s(__int128 v, unsigned esz)
{
    __int128 max = ((__int128)1 << ((8u << esz) - 1)) - 1, min = -max - 1;

    return (uint64_t)(v > max ? max : v < min ? min : v);
}

static uint64_t sat_u(__int128 v, unsigned esz)
{
    __int128 max = ((__int128)1 << (8u << esz)) - 1;

    return (uint64_t)(v > max ? max : v < 0 ? 0 : v);
}

/* x shifted by the signed low byte of y; sign: arithmetic. */
static uint64_t shift_by(uint64_t ux, int64_t sx, uint64_t y, unsigned esz, bool sign)
{
    int n = (int8_t)y, bits = 8 << esz;

    if (n >= 0) {
        return n >= bits ? 0 : ux << n;
    }
    if (n <= -bits) {
        return sign && sx < 0 ? ~UINT64_C(0) : 0;
    }
    return sign ? (uint64_t)(sx >> -n) : ux >> -n;
}

/* Ops of two elements of the same place (one-operand ops read only the first). */
static uint64_t element_op(const IrOp *o, uint64_t ux, uint64_t uy, int64_t sx, int64_t sy)
{
    unsigned esz = o->esz, bits = 8u << esz;

    switch (o->op) {
    case IR_VADD: return ux + uy;
    case IR_VSUB: return ux - uy;
    case IR_VNEG: return -ux;
    case IR_VABS: return sx < 0 ? -ux : ux;
    case IR_VMUL: return ux * uy;
    case IR_VSMIN: return (uint64_t)(sx < sy ? sx : sy);
    case IR_VSMAX: return (uint64_t)(sx > sy ? sx : sy);
    case IR_VUMIN: return ux < uy ? ux : uy;
    case IR_VUMAX: return ux > uy ? ux : uy;
    case IR_VCMP: return ir_eval_cmp(o->sub, esz, ux, uy) ? ~UINT64_C(0) : 0;
    case IR_VTST: return ux & uy ? ~UINT64_C(0) : 0;
    case IR_VSHLI: return ux << (o->imm & 63);
    case IR_VSHRI: return o->imm >= bits ? 0 : ux >> o->imm;
    case IR_VSARI: return (uint64_t)(sx >> (o->imm >= bits ? bits - 1 : (unsigned)o->imm));
    case IR_VSHLV: return shift_by(ux, sx, uy, esz, false);
    case IR_VSSHLV: return shift_by(ux, sx, uy, esz, true);
    case IR_VSQADD: return sat_s((__int128)sx + sy, esz);
    case IR_VUQADD: return sat_u((__int128)ux + uy, esz);
    case IR_VSQSUB: return sat_s((__int128)sx - sy, esz);
    case IR_VUQSUB: return sat_u((__int128)ux - uy, esz);
    case IR_VURHADD: return (uint64_t)(((unsigned __int128)ux + uy + 1) >> 1);
    case IR_VUABD: return ux > uy ? ux - uy : uy - ux;
    case IR_VSABD: return sx > sy ? (uint64_t)sx - (uint64_t)sy : (uint64_t)sy - (uint64_t)sx;
    case IR_VCNT: return (unsigned)__builtin_popcountll(ux);
    case IR_FABS: return ux & ~(UINT64_C(1) << (bits - 1));
    default: return ux ^ UINT64_C(1) << (bits - 1); /* IR_FNEG */
    }
}

static void eval_elements(const IrOp *o, IrVec *r, const IrVec a[4])
{
    IrOp op = *o;

    if (o->type >= IR_F16 && o->type <= IR_F64) {
        op.esz = (uint8_t)(o->type - IR_F16 + 1);
    }
    for (unsigned i = 0; i < vec_bytes(o) >> op.esz; i++) {
        set(r, op.esz, i,
            element_op(&op, get_u(&a[0], op.esz, i), get_u(&a[1], op.esz, i),
                       get_s(&a[0], op.esz, i), get_s(&a[1], op.esz, i)));
    }
}

/* Element widths change: esz is the narrow one. */
static void eval_widen(const IrOp *o, IrVec *r, const IrVec a[4])
{
    unsigned esz = o->esz, n = vec_bytes(&(IrOp){.type = o->type}) >> (esz + 1);
    unsigned at = o->flags & IRF_HI ? n : 0;

    for (unsigned i = 0; i < n; i++) {
        int64_t sx = get_s(&a[0], esz, at + i), sy = get_s(&a[1], esz, at + i);
        uint64_t ux = get_u(&a[0], esz, at + i), uy = get_u(&a[1], esz, at + i);

        switch (o->op) {
        case IR_VSXTL: set(r, esz + 1, i, (uint64_t)sx); break;
        case IR_VUXTL: set(r, esz + 1, i, ux); break;
        case IR_VSMULL: set(r, esz + 1, i, (uint64_t)sx * (uint64_t)sy); break;
        case IR_VUMULL: set(r, esz + 1, i, ux * uy); break;
        default: set(r, esz, i, get_u(&a[0], esz + 1, i)); break; /* IR_VXTN */
        }
    }
}

static void eval_pairwise(const IrOp *o, IrVec *r, const IrVec a[4])
{
    unsigned esz = o->esz, n = vec_bytes(o) >> esz;

    for (unsigned i = 0; i < n / 2; i++) {
        set(r, esz, i, get_u(&a[0], esz, 2 * i) + get_u(&a[0], esz, 2 * i + 1));
        set(r, esz, n / 2 + i, get_u(&a[1], esz, 2 * i) + get_u(&a[1], esz, 2 * i + 1));
    }
}

static void eval_msb(const IrOp *o, IrVec *r, const IrVec a[4])
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < 16u >> o->esz; i++) {
        bits |= (uint64_t)(get_s(&a[0], o->esz, i) < 0) << i;
    }
    r->u64[0] = bits;
}

static void eval_across(const IrOp *o, IrVec *r, const IrVec a[4])
{
    static const uint8_t step[] = {
        [IR_VADDV - IR_VADDV] = IR_VADD,   [IR_VUMAXV - IR_VADDV] = IR_VUMAX,
        [IR_VUMINV - IR_VADDV] = IR_VUMIN, [IR_VSMAXV - IR_VADDV] = IR_VSMAX,
        [IR_VSMINV - IR_VADDV] = IR_VSMIN,
    };
    IrOp op = {.op = step[o->op - IR_VADDV], .esz = o->esz, .type = o->type};
    IrVec acc[2] = {0};

    set(&acc[0], o->esz, 0, get_u(&a[0], o->esz, 0));
    for (unsigned i = 1; i < vec_bytes(o) >> o->esz; i++) {
        set(&acc[1], o->esz, 0, get_u(&a[0], o->esz, i));
        set(&acc[0], o->esz, 0,
            element_op(&op, get_u(&acc[0], o->esz, 0), get_u(&acc[1], o->esz, 0),
                       get_s(&acc[0], o->esz, 0), get_s(&acc[1], o->esz, 0)));
    }
    set(r, o->esz, 0, get_u(&acc[0], o->esz, 0));
}

bool ir_eval_vec(const IrOp *o, IrVec *r, const IrVec a[4])
{
    switch (o->op) {
    case IR_VAND:
    case IR_VOR:
    case IR_VXOR:
    case IR_VANDN:
    case IR_VORN:
    case IR_VNOT:
    case IR_VBSL: eval_bitwise(o, r, a); return true;
    case IR_VCONST:
    case IR_VLOW64:
    case IR_VLO:
    case IR_VZEXT:
    case IR_FBITS:
    case IR_BITSF:
    case IR_VDUP:
    case IR_VDUPL:
    case IR_VINS:
    case IR_VINSL:
    case IR_VEXTR: eval_move(o, r, a); return true;
    case IR_VEXT:
    case IR_VREV:
    case IR_VZIP1:
    case IR_VZIP2:
    case IR_VUZP1:
    case IR_VUZP2:
    case IR_VTRN1:
    case IR_VTRN2: eval_permute(o, r, a); return true;
    case IR_VTBL:
    case IR_VCAT: eval_table(o, r, a); return true;
    case IR_VSXTL:
    case IR_VUXTL:
    case IR_VSMULL:
    case IR_VUMULL:
    case IR_VXTN: eval_widen(o, r, a); return true;
    case IR_VMSB: eval_msb(o, r, a); return true;
    case IR_VADDP: eval_pairwise(o, r, a); return true;
    case IR_VADDV:
    case IR_VUMAXV:
    case IR_VUMINV:
    case IR_VSMAXV:
    case IR_VSMINV: eval_across(o, r, a); return true;
    default: break;
    }
    if ((o->op >= IR_VADD && o->op <= IR_VSABD) || o->op == IR_VCNT || o->op == IR_FABS ||
        o->op == IR_FNEG) {
        eval_elements(o, r, a);
        return true;
    }
    return false;
}
