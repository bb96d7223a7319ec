/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Algebra of integer ops: constants, identities, chains, extensions.
 *
 * Types: an I32 value is its own zero extension, so "x + 0 is x" holds for type I32 only when x is
 * no wider; else the op becomes a ZEXT from 32 bits (ir_simp_copy).
 */
#include "tcg/simplify.h"

/* May v stand for a result of type t as it is? */
static bool ir_fits(const IrRegion *r, IrRef v, unsigned t)
{
    unsigned vt = r->ops[v].type;

    return t == IR_I64 ? ir_type_is_int(vt) : t == IR_I32 ? vt == IR_I1 || vt == IR_I32 : vt == t;
}

/* The op's result is v. */
static IrRef ir_simp_copy(IrSimp *s, IrOp *o, IrRef v)
{
    if (ir_fits(s->r, v, o->type)) {
        return v;
    }
    if (o->type == IR_I32) {
        ir_simp_to(o, IR_ZEXT, v, IR_NONE);
        o->esz = 2;
    } else {
        ir_simp_to(o, IR_AND, v, ir_simp_const(s, IR_I1, 1));
    }
    return IR_NONE;
}

static unsigned ir_width(const IrOp *o)
{
    return o->type == IR_I64 ? 64 : 32;
}

/* How many low bits of v can be other than 0? */
static unsigned ir_known_bits(const IrRegion *r, IrRef v)
{
    const IrOp *o = &r->ops[v];
    unsigned width = o->type == IR_I1 ? 1 : o->type == IR_I64 ? 64 : 32, n = width;

    switch (o->op) {
    case IR_ZEXT: n = 8u << o->esz; break;
    case IR_UBFX: n = (unsigned)(o->imm >> 8) & 0xff; break;
    case IR_LD: n = o->flags & IRF_SEXT ? width : 8u << o->esz; break;
    case IR_VEXTR: n = o->flags & IRF_SEXT ? width : 8u << o->esz; break;
    case IR_AND: n = r->ops[o->arg[1]].op == IR_CONST ? ir_known_bits(r, o->arg[1]) : width; break;
    case IR_SHR:
        n = r->ops[o->arg[1]].op == IR_CONST
                ? width - (unsigned)(r->ops[o->arg[1]].imm & (width - 1))
                : width;
        break;
    case IR_CLZ:
    case IR_CTZ:
    case IR_POPCNT: n = 7; break;
    case IR_CONST: n = o->imm ? 64 - (unsigned)__builtin_clzll(o->imm) : 0; break;
    default: break;
    }
    return n < width ? n : width;
}

/* x op c1, then op c2: becomes x op (c1 . c2). Inner must work at least as wide as outer. */
static bool ir_inner_const(IrSimp *s, const IrOp *o, unsigned op, IrRef *x, uint64_t *c1)
{
    const IrOp *in = &s->r->ops[o->arg[0]];

    if (in->op != op || in->type < o->type || !ir_konst(s->r, in->arg[1], c1)) {
        return false;
    }
    *x = in->arg[0];
    return true;
}

static IrRef ir_simp_addsub(IrSimp *s, IrOp *o)
{
    uint64_t c, c1;
    IrRef x;

    if (!ir_konst(s->r, o->arg[1], &c)) {
        if (o->op == IR_SUB && o->arg[0] == o->arg[1]) {
            return ir_simp_to_const(o, 0);
        }
        if (o->op == IR_SUB && ir_konst(s->r, o->arg[0], &c) && (c & ir_type_mask(o->type)) == 0) {
            return ir_simp_to(o, IR_NEG, o->arg[1], IR_NONE);
        }
        return IR_NONE;
    }
    c = (o->op == IR_SUB ? -c : c) & ir_type_mask(o->type);
    if (c == 0) {
        return ir_simp_copy(s, o, o->arg[0]);
    }
    if (ir_inner_const(s, o, IR_ADD, &x, &c1)) {
        c = (c + c1) & ir_type_mask(o->type);
        if (c == 0) {
            return ir_simp_copy(s, o, x);
        }
        return ir_simp_to(o, IR_ADD, x, ir_simp_const(s, o->type, c));
    }
    if (o->op == IR_SUB) {
        return ir_simp_to(o, IR_ADD, o->arg[0], ir_simp_const(s, o->type, c));
    }
    return IR_NONE;
}

static IrRef ir_simp_and(IrSimp *s, IrOp *o)
{
    uint64_t mask = ir_type_mask(o->type), c, c1;
    IrRef x;

    if (o->arg[0] == o->arg[1]) {
        return ir_simp_copy(s, o, o->arg[0]);
    }
    if (!ir_konst(s->r, o->arg[1], &c)) {
        return IR_NONE;
    }
    c &= mask;
    if (c == 0) {
        return ir_simp_to_const(o, 0);
    }
    if (c == mask) {
        return ir_simp_copy(s, o, o->arg[0]);
    }
    if (ir_inner_const(s, o, IR_AND, &x, &c1)) {
        return ir_simp_to(o, IR_AND, x, ir_simp_const(s, o->type, c & c1));
    }
    if ((c & (c + 1)) == 0) { /* low bits: nothing to clear? */
        if (ir_known_bits(s->r, o->arg[0]) <= (unsigned)__builtin_ctzll(~c)) {
            return ir_simp_copy(s, o, o->arg[0]);
        }
    }
    if (c == 0xffffffff) { /* no 32-bit immediate does this; a 32-bit move does */
        ir_simp_to(o, IR_ZEXT, o->arg[0], IR_NONE);
        o->esz = 2;
    }
    return IR_NONE;
}

/* !cmp as a compare; else IR_NONE. */
static IrRef ir_simp_invert(IrSimp *s, IrRef v)
{
    const IrOp *in = &s->r->ops[v];

    return in->op == IR_CMP ? ir_simp_cmp(s, in->sub ^ 1u, in->esz, in->arg[0], in->arg[1])
                            : IR_NONE;
}

static IrRef ir_simp_orxor(IrSimp *s, IrOp *o)
{
    uint64_t mask = ir_type_mask(o->type), c, c1;
    IrRef x;

    if (o->arg[0] == o->arg[1]) {
        return o->op == IR_OR ? ir_simp_copy(s, o, o->arg[0]) : ir_simp_to_const(o, 0);
    }
    if (!ir_konst(s->r, o->arg[1], &c)) {
        return IR_NONE;
    }
    c &= mask;
    if (c == 0) {
        return ir_simp_copy(s, o, o->arg[0]);
    }
    if (c == mask && o->op == IR_OR) {
        return ir_simp_to_const(o, mask);
    }
    if (ir_inner_const(s, o, o->op, &x, &c1)) {
        c = o->op == IR_OR ? c | c1 : (c ^ c1) & mask;
        return c ? ir_simp_to(o, (IrOpcode)o->op, x, ir_simp_const(s, o->type, c))
                 : ir_simp_copy(s, o, x);
    }
    if (c == mask && o->type != IR_I1) {
        return ir_simp_to(o, IR_NOT, o->arg[0], IR_NONE);
    }
    if (c == mask && (x = ir_simp_invert(s, o->arg[0])) != IR_NONE) {
        return x;
    }
    return IR_NONE;
}

/* ANDN, ORN, NOT, NEG, MUL, UDIV, ADDC, SUBC. */
static IrRef ir_simp_misc(IrSimp *s, IrOp *o)
{
    uint64_t mask = ir_type_mask(o->type), c;
    bool k1 = ir_konst(s->r, o->arg[1], &c);
    const IrOp *in = &s->r->ops[o->arg[0]];

    c &= mask;
    switch (o->op) {
    case IR_ANDN:
    case IR_ORN:
        if (k1) {
            ir_simp_to(o, o->op == IR_ANDN ? IR_AND : IR_OR, o->arg[0],
                       ir_simp_const(s, o->type, ~c));
            return o->op == IR_AND ? ir_simp_and(s, o) : ir_simp_orxor(s, o);
        }
        if (ir_konst(s->r, o->arg[0], &c) && o->op == IR_ORN && (c & mask) == 0) {
            return ir_simp_to(o, IR_NOT, o->arg[1], IR_NONE);
        }
        return IR_NONE;
    case IR_NOT:
    case IR_NEG:
        return in->op == o->op && in->type >= o->type ? ir_simp_copy(s, o, in->arg[0]) : IR_NONE;
    case IR_MUL:
    case IR_UDIV:
        if (!k1 || c == 0) {
            return k1 ? ir_simp_to_const(o, 0) : IR_NONE;
        }
        if (c == 1) {
            return ir_simp_copy(s, o, o->arg[0]);
        }
        if ((c & (c - 1)) == 0) {
            return ir_simp_to(o, o->op == IR_MUL ? IR_SHL : IR_SHR, o->arg[0],
                              ir_simp_const(s, o->type, (unsigned)__builtin_ctzll(c)));
        }
        return IR_NONE;
    default: /* ADDC, SUBC */
        if (!ir_konst(s->r, o->arg[2], &c)) {
            return IR_NONE;
        }
        if (o->op == IR_SUBC && c == 1) {
            ir_simp_to(o, IR_SUB, o->arg[0], o->arg[1]);
            return ir_simp_addsub(s, o);
        }
        if (o->op == IR_ADDC && c == 0) {
            ir_simp_to(o, IR_ADD, o->arg[0], o->arg[1]);
            return ir_simp_addsub(s, o);
        }
        return IR_NONE;
    }
}

static IrRef ir_simp_shift(IrSimp *s, IrOp *o)
{
    uint64_t c, c1;
    unsigned bits = ir_width(o);
    const IrOp *in;
    IrRef x;

    if (!ir_konst(s->r, o->arg[1], &c)) {
        in = &s->r->ops[o->arg[1]];
        if (in->op == IR_AND && ir_konst(s->r, in->arg[1], &c) && (c & (bits - 1)) == bits - 1) {
            o->arg[1] = in->arg[0]; /* the shift itself takes the count modulo the width */
        }
        return IR_NONE;
    }
    c &= bits - 1;
    if (c == 0) {
        return ir_simp_copy(s, o, o->arg[0]);
    }
    in = &s->r->ops[o->arg[0]];
    if (in->op == o->op && in->type == o->type && ir_inner_const(s, o, o->op, &x, &c1)) {
        c1 = (c1 & (bits - 1)) + c;
        if (c1 < bits) {
            return ir_simp_to(o, (IrOpcode)o->op, x, ir_simp_const(s, o->type, c1));
        }
        if (o->op == IR_SHL || o->op == IR_SHR) {
            return ir_simp_to_const(o, 0);
        }
    }
    return IR_NONE;
}

static IrRef ir_simp_ext(IrSimp *s, IrOp *o)
{
    const IrOp *in = &s->r->ops[o->arg[0]];
    unsigned known = ir_known_bits(s->r, o->arg[0]);

    if (8u << o->esz >= ir_width(o)) {
        return ir_simp_copy(s, o, o->arg[0]);
    }
    if (known < 8u << o->esz || (o->op == IR_ZEXT && known == 8u << o->esz)) {
        return ir_simp_copy(s, o, o->arg[0]); /* bits above are 0 already, the sign bit too */
    }
    if ((in->op == IR_ZEXT || in->op == IR_SEXT) && in->esz >= o->esz) {
        o->arg[0] = in->arg[0]; /* only bits below the inner width are read */
    } else if (in->op == IR_SEXT && o->op == IR_SEXT && in->type == o->type) {
        return o->arg[0];
    }
    return IR_NONE;
}

static IrRef ir_simp_field(IrSimp *s, IrOp *o)
{
    unsigned bits = ir_width(o), lsb = o->imm & 63, len = (unsigned)(o->imm >> 8) & 0xff;
    bool sign = o->op == IR_SBFX;

    if (lsb == 0 && len == bits) {
        return ir_simp_copy(s, o, o->arg[0]);
    }
    if (lsb + len == bits) {
        return ir_simp_to(o, sign ? IR_SAR : IR_SHR, o->arg[0], ir_simp_const(s, o->type, lsb));
    }
    if (lsb == 0 && (len == 8 || len == 16 || len == 32)) {
        ir_simp_to(o, sign ? IR_SEXT : IR_ZEXT, o->arg[0], IR_NONE);
        o->esz = (uint8_t)(__builtin_ctz(len) - 3);
        return ir_simp_ext(s, o);
    }
    return IR_NONE;
}

static IrRef ir_simp_select(IrSimp *s, IrOp *o)
{
    uint64_t c, x, y;
    const IrOp *in = &s->r->ops[o->arg[0]];
    bool integer = ir_type_is_int(o->type), kx, ky;
    IrRef inv;

    if (ir_konst(s->r, o->arg[0], &c) || o->arg[1] == o->arg[2]) {
        IrRef v = o->arg[1] == o->arg[2] || (c & 1) ? o->arg[1] : o->arg[2];

        return integer ? ir_simp_copy(s, o, v) : v;
    }
    if (in->op == IR_XOR && in->type == IR_I1 && ir_konst(s->r, in->arg[1], &c) && c == 1) {
        IrRef t = o->arg[1];

        o->arg[0] = in->arg[0];
        o->arg[1] = o->arg[2];
        o->arg[2] = t;
    }
    if (!integer) {
        return IR_NONE;
    }
    kx = ir_konst(s->r, o->arg[1], &x);
    ky = ir_konst(s->r, o->arg[2], &y);
    x &= ir_type_mask(o->type);
    y &= ir_type_mask(o->type);
    if (kx && ky && x == 1 && y == 0) {
        return o->arg[0];
    }
    if (kx && ky && x == 0 && y == 1) {
        return ir_simp_not(s, o->arg[0]);
    }
    if (o->type != IR_I1) {
        return IR_NONE;
    }
    if (ky) { /* c ? x : 0 = c & x; c ? x : 1 = !c | x */
        inv = y ? ir_simp_not(s, o->arg[0]) : o->arg[0];
        return ir_simp_to(o, y ? IR_OR : IR_AND, inv, o->arg[1]);
    }
    if (kx) { /* c ? 1 : y = c | y; c ? 0 : y = !c & y */
        inv = x ? o->arg[0] : ir_simp_not(s, o->arg[0]);
        return ir_simp_to(o, x ? IR_OR : IR_AND, inv, o->arg[2]);
    }
    return IR_NONE;
}

/* The compare with arguments swapped. */
static unsigned ir_cmp_swap(unsigned cc)
{
    static const uint8_t swapped[] = {
        [IR_EQ] = IR_EQ,   [IR_NE] = IR_NE,   [IR_ULT] = IR_UGT, [IR_UGE] = IR_ULE,
        [IR_ULE] = IR_UGE, [IR_UGT] = IR_ULT, [IR_SLT] = IR_SGT, [IR_SGE] = IR_SLE,
        [IR_SLE] = IR_SGE, [IR_SGT] = IR_SLT,
    };
    return swapped[cc];
}

static IrRef ir_simp_compare(IrSimp *s, IrOp *o)
{
    const IrOp *in;
    uint64_t c;

    if (o->arg[0] == o->arg[1]) {
        return ir_simp_to_const(o, ir_eval_cmp(o->sub, o->esz, 0, 0));
    }
    if (ir_konst(s->r, o->arg[0], &c)) {
        IrRef t = o->arg[0];

        o->arg[0] = o->arg[1];
        o->arg[1] = t;
        o->sub = (uint8_t)ir_cmp_swap(o->sub);
    }
    if (!ir_konst(s->r, o->arg[1], &c)) {
        return IR_NONE;
    }
    if (o->esz < 3) {
        c &= (UINT64_C(1) << (8u << o->esz)) - 1;
    }
    if (c == 0 && (o->sub == IR_ULT || o->sub == IR_UGE)) {
        return ir_simp_to_const(o, o->sub == IR_UGE);
    }
    if ((c == 1 && (o->sub == IR_ULT || o->sub == IR_UGE)) ||
        (c == 0 && (o->sub == IR_ULE || o->sub == IR_UGT))) {
        o->arg[1] = ir_simp_const(s, o->esz == 3 ? IR_I64 : IR_I32, 0);
        o->sub = o->sub == IR_ULT || o->sub == IR_ULE ? IR_EQ : IR_NE;
        c = 0;
    }
    in = &s->r->ops[o->arg[0]];
    if (in->type == IR_I1 && c <= 1 && o->sub <= IR_NE) {
        return (o->sub == IR_EQ) == (c == 1) ? o->arg[0] : ir_simp_not(s, o->arg[0]);
    }
    if (o->esz == 3 && c <= 0x7fffffff && o->sub < IR_SLT && in->type == IR_I32) {
        o->esz = 2; /* both zero-extended: the shorter compare says the same */
    }
    return IR_NONE;
}

IrRef ir_simplify_int(IrSimp *s, IrOp *o)
{
    uint64_t k[3] = {0};
    unsigned n = ir_op_info[o->op].nargs, i;

    for (i = 0; i < n && ir_konst(s->r, o->arg[i], &k[i]); i++) {
    }
    if (i == n && n && o->op != IR_COPY) {
        bool gpc = o->op == IR_ADD &&
                   ((s->r->ops[o->arg[0]].flags | s->r->ops[o->arg[1]].flags) & IRF_GPC);

        ir_simp_to_const(o, ir_eval_int(o, k));
        o->flags = gpc ? IRF_GPC : 0;
        return IR_NONE;
    }
    if (i == 1 && (ir_op_info[o->op].attrs & IRA_COMM)) {
        IrRef t = o->arg[0];

        o->arg[0] = o->arg[1];
        o->arg[1] = t;
    }
    switch (o->op) {
    case IR_COPY: return ir_type_is_int(o->type) ? ir_simp_copy(s, o, o->arg[0]) : o->arg[0];
    case IR_ADD:
    case IR_SUB: return ir_simp_addsub(s, o);
    case IR_AND: return ir_simp_and(s, o);
    case IR_OR:
    case IR_XOR: return ir_simp_orxor(s, o);
    case IR_ANDN:
    case IR_ORN:
    case IR_NOT:
    case IR_NEG:
    case IR_MUL:
    case IR_UDIV:
    case IR_ADDC:
    case IR_SUBC: return ir_simp_misc(s, o);
    case IR_SHL:
    case IR_SHR:
    case IR_SAR:
    case IR_ROR: return ir_simp_shift(s, o);
    case IR_EXTR:
        if (o->imm == 0) {
            return ir_simp_copy(s, o, o->arg[1]);
        }
        return o->arg[0] == o->arg[1]
                   ? ir_simp_to(o, IR_ROR, o->arg[0], ir_simp_const(s, o->type, o->imm))
                   : IR_NONE;
    case IR_SEXT:
    case IR_ZEXT: return ir_simp_ext(s, o);
    case IR_UBFX:
    case IR_SBFX: return ir_simp_field(s, o);
    case IR_BFI:
        return (o->imm >> 8 & 0xff) == ir_width(o) ? ir_simp_copy(s, o, o->arg[1]) : IR_NONE;
    case IR_CMP: return ir_simp_compare(s, o);
    case IR_SELECT: return ir_simp_select(s, o);
    default: return IR_NONE;
    }
}

IrRef ir_simplify(IrSimp *s, IrOp *o)
{
    if (o->op >= IR_FL_ADD && o->op <= IR_FL_COND) {
        return ir_simplify_cond(s, o);
    }
    if (o->op == IR_COPY || (o->op >= IR_ADD && o->op <= IR_SELECT)) {
        return ir_simplify_int(s, o);
    }
    if (o->op >= IR_LD && o->op <= IR_PREFETCH && o->op != IR_FENCE) {
        ir_simplify_addr(s, o);
        return IR_NONE;
    }
    return o->op >= IR_VAND && o->op <= IR_VCAT ? ir_simplify_vec(s, o) : IR_NONE;
}
