/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flags: conditions become compares of what the flags were made from.
 *
 * After `subs x0, x1, x2` the front end has a SUB (the register's new value), and an FL_SUB (the
 * recipe for the flags). A condition on the latter becomes CMP on x1, x2; for equality and sign
 * on the SUB itself when there is one, because the host's subtraction sets those flags for free
 * and x1 need not live on.
 *
 * What has no compare form stays FL_COND on an arithmetic recipe: overflow, and signed order after
 * additions and carry chains. The back end does the addition again into a scratch register.
 */
#include "tcg/simplify.h"

enum { IR_NEAR_OPS = 4 }; /* how far around a recipe its result's op is looked for */

static unsigned ir_esz_type(unsigned esz)
{
    return esz == 3 ? IR_I64 : IR_I32;
}

/* Does op o compute a - b (sub) or a + b at the type? (a - constant is written a + -constant.) */
static bool ir_is_result(const IrRegion *r, const IrOp *o, unsigned type, const IrOp *fl, bool sub)
{
    uint64_t c, c1;

    if (o->type != type || o->arg[0] != fl->arg[0]) {
        return false;
    }
    if (o->op == (sub ? IR_SUB : IR_ADD) && o->arg[1] == fl->arg[1]) {
        return true;
    }
    return o->op == IR_ADD && ir_konst(r, o->arg[1], &c) && ir_konst(r, fl->arg[1], &c1) &&
           ((sub ? c + c1 : c - c1) & ir_type_mask(type)) == 0;
}

/* The op next to the recipe that computes its result, or IR_NONE. */
static IrRef ir_near_result(const IrRegion *r, IrRef recipe, bool sub)
{
    const IrOp *fl = &r->ops[recipe];
    unsigned type = ir_esz_type(fl->esz);
    IrRef up = fl->prev, down = fl->next;

    for (unsigned i = 0; i < IR_NEAR_OPS; i++) {
        if (up != IR_NONE) {
            if (ir_is_result(r, &r->ops[up], type, fl, sub)) {
                return up;
            }
            up = r->ops[up].prev;
        }
        if (down != IR_NONE) {
            if (ir_is_result(r, &r->ops[down], type, fl, sub)) {
                return down;
            }
            down = r->ops[down].next;
        }
    }
    return IR_NONE;
}

static IrRef ir_cond_zero(IrSimp *s, unsigned cc, unsigned esz, IrRef v)
{
    return ir_simp_cmp(s, cc, esz, v, ir_simp_const(s, ir_esz_type(esz), 0));
}

static IrRef ir_cond_bool(IrSimp *s, bool v)
{
    return ir_simp_const(s, IR_I1, v);
}

/* Arm conditions that depend on N and Z alone, for a value: IrCmp with 0; -1 none. */
static int ir_cond_sign(unsigned cond)
{
    switch (cond) {
    case IR_C_EQ: return IR_EQ;
    case IR_C_NE: return IR_NE;
    case IR_C_MI: return IR_SLT;
    case IR_C_PL: return IR_SGE;
    default: return -1;
    }
}

/* Conditions after a - b as compares of a and b; borrow: C has x86 polarity. -1: none. */
static int ir_cond_sub(unsigned cond, bool borrow)
{
    static const int8_t arm[] = {
        [IR_C_EQ] = IR_EQ,  [IR_C_NE] = IR_NE,  [IR_C_CS] = IR_UGE, [IR_C_CC] = IR_ULT,
        [IR_C_MI] = -1,     [IR_C_PL] = -1,     [IR_C_VS] = -1,     [IR_C_VC] = -1,
        [IR_C_HI] = IR_UGT, [IR_C_LS] = IR_ULE, [IR_C_GE] = IR_SGE, [IR_C_LT] = IR_SLT,
        [IR_C_GT] = IR_SGT, [IR_C_LE] = IR_SLE, [IR_C_AL] = -1,     [IR_C_NV] = -1,
        [IR_C_PE] = -1,     [IR_C_PO] = -1,     [IR_C_BE] = IR_UGE, [IR_C_A] = IR_ULT,
    };

    if (borrow) { /* C = a < b: HI is then "less and not equal", BE "less or equal" */
        switch (cond) {
        case IR_C_CS:
        case IR_C_HI: return IR_ULT;
        case IR_C_CC:
        case IR_C_LS: return IR_UGE;
        case IR_C_BE: return IR_ULE;
        case IR_C_A: return IR_UGT;
        default: break;
        }
    }
    return arm[cond];
}

static IrRef ir_cond_of_sub(IrSimp *s, IrRef recipe, unsigned cond, bool borrow)
{
    IrOp fl = s->r->ops[recipe];
    int cc = ir_cond_sub(cond, borrow), sign = ir_cond_sign(cond);
    IrRef v;

    if (sign >= 0) {
        v = ir_near_result(s->r, recipe, true);
        if (v != IR_NONE) {
            return ir_cond_zero(s, (unsigned)sign, fl.esz, v);
        }
        if (cc < 0) { /* MI, PL */
            v = ir_simp_bin(s, IR_SUB, ir_esz_type(fl.esz), fl.arg[0], fl.arg[1]);
            return ir_cond_zero(s, (unsigned)sign, fl.esz, v);
        }
    }
    return cc < 0 ? IR_NONE : ir_simp_cmp(s, (unsigned)cc, fl.esz, fl.arg[0], fl.arg[1]);
}

static IrRef ir_cond_of_add(IrSimp *s, IrRef recipe, unsigned cond)
{
    IrOp fl = s->r->ops[recipe];
    unsigned type = ir_esz_type(fl.esz);
    int sign = ir_cond_sign(cond), cc;
    uint64_t c, min = UINT64_C(1) << ((8u << fl.esz) - 1);
    IrRef v;

    if (sign < 0 && ir_konst(s->r, fl.arg[1], &c)) {
        c &= ir_type_mask(type);
        cc = ir_cond_sub(cond, false);
        if (c != 0 && c != min && cc >= 0) { /* a + c has the flags of a - -c then */
            return ir_simp_cmp(s, (unsigned)cc, fl.esz, fl.arg[0], ir_simp_const(s, type, -c));
        }
    }
    if (sign < 0 && cond != IR_C_CS && cond != IR_C_CC) {
        return IR_NONE;
    }
    v = ir_near_result(s->r, recipe, false);
    if (v == IR_NONE) {
        v = ir_simp_bin(s, IR_ADD, type, fl.arg[0], fl.arg[1]);
    }
    return sign >= 0 ? ir_cond_zero(s, (unsigned)sign, fl.esz, v)
                     : ir_simp_cmp(s, cond == IR_C_CS ? IR_ULT : IR_UGE, fl.esz, v, fl.arg[0]);
}

/* Result sign and zero of carry chains; the rest stays. */
static IrRef ir_cond_of_carry(IrSimp *s, IrRef recipe, unsigned cond)
{
    IrOp fl = s->r->ops[recipe];
    int sign = ir_cond_sign(cond);
    IrRef v;

    if (sign < 0) {
        return IR_NONE;
    }
    v = s->emit(s, &(IrOp){.op = fl.op == IR_FL_ADC ? IR_ADDC : IR_SUBC,
                           .type = (uint8_t)ir_esz_type(fl.esz),
                           .arg = {fl.arg[0], fl.arg[1], fl.arg[2]}});
    return ir_cond_zero(s, (unsigned)sign, fl.esz, v);
}

static IrRef ir_cond_of_logic(IrSimp *s, const IrOp *fl, unsigned cond)
{
    IrRef a = fl->arg[0];
    unsigned esz = fl->esz;

    switch (cond) {
    case IR_C_EQ:
    case IR_C_BE: return ir_cond_zero(s, IR_EQ, esz, a);
    case IR_C_NE:
    case IR_C_A: return ir_cond_zero(s, IR_NE, esz, a);
    case IR_C_MI:
    case IR_C_LT: return ir_cond_zero(s, IR_SLT, esz, a);
    case IR_C_PL:
    case IR_C_GE: return ir_cond_zero(s, IR_SGE, esz, a);
    case IR_C_GT: return ir_cond_zero(s, IR_SGT, esz, a);
    case IR_C_LE: return ir_cond_zero(s, IR_SLE, esz, a);
    case IR_C_CS:
    case IR_C_VS:
    case IR_C_HI: return ir_cond_bool(s, false);
    case IR_C_CC:
    case IR_C_VC:
    case IR_C_LS: return ir_cond_bool(s, true);
    default: return IR_NONE;
    }
}

/*
 * FCMP stands right behind the FL_FCMP, not at its reader: between the two the guest may read its
 * sticky flags. It raises what FL_FCMP would, which so becomes a mere recipe (IRF_QUIET).
 */
static IrRef ir_cond_of_fcmp(IrSimp *s, IrRef recipe, unsigned cond)
{
    static const uint8_t table[] = {
        [IR_C_EQ] = IR_F_EQ,   [IR_C_NE] = IR_F_NE_U, [IR_C_CS] = IR_F_GE_U, [IR_C_CC] = IR_F_LT,
        [IR_C_MI] = IR_F_LT,   [IR_C_PL] = IR_F_GE_U, [IR_C_VS] = IR_F_UN,   [IR_C_VC] = IR_F_OR,
        [IR_C_HI] = IR_F_GT_U, [IR_C_LS] = IR_F_LE,   [IR_C_GE] = IR_F_GE,   [IR_C_LT] = IR_F_LT_U,
        [IR_C_GT] = IR_F_GT,   [IR_C_LE] = IR_F_LE_U,
    };
    IrOp fl = s->r->ops[recipe];
    IrRef v;

    if (cond >= sizeof table || fl.blk == IR_NO_BLK) {
        return IR_NONE;
    }
    v = s->emit_after(s, recipe,
                      &(IrOp){.op = IR_FCMP,
                              .type = IR_I1,
                              .esz = fl.esz,
                              .sub = table[cond] | (fl.sub & IR_F_S),
                              .arg = {fl.arg[0], fl.arg[1]}});
    if (v != IR_NONE) {
        s->r->ops[recipe].flags |= IRF_QUIET;
    }
    return v;
}

/* (p & mask) cc value, as I1 */
static IrRef ir_bits_cmp(IrSimp *s, IrRef p, uint32_t mask, unsigned cc, uint32_t value)
{
    IrRef v = ir_simp_bin(s, IR_AND, IR_I32, p, ir_simp_const(s, IR_I32, mask));

    return ir_simp_cmp(s, cc, 2, v, ir_simp_const(s, IR_I32, value));
}

/* Conditions on packed flags p, by integer ops. */
static IrRef ir_cond_of_packed(IrSimp *s, IrRef p, unsigned cond)
{
    unsigned neg = cond & 1;
    IrRef t;

    switch (cond & ~1u) {
    case IR_C_EQ: return ir_bits_cmp(s, p, IR_PF_Z, IR_NE ^ neg, 0);
    case IR_C_CS: return ir_bits_cmp(s, p, IR_PF_C, IR_NE ^ neg, 0);
    case IR_C_MI: return ir_bits_cmp(s, p, IR_PF_N, IR_NE ^ neg, 0);
    case IR_C_VS: return ir_bits_cmp(s, p, IR_PF_V, IR_NE ^ neg, 0);
    case IR_C_PE: return ir_bits_cmp(s, p, IR_PF_P, IR_NE ^ neg, 0);
    case IR_C_HI: return ir_bits_cmp(s, p, IR_PF_C | IR_PF_Z, IR_EQ ^ neg, IR_PF_C);
    case IR_C_BE: return ir_bits_cmp(s, p, IR_PF_C | IR_PF_Z, IR_NE ^ neg, 0);
    default: /* GE, GT: bit 0 of t is N != V */
        t = ir_simp_bin(s, IR_SHR, IR_I32, p, ir_simp_const(s, IR_I32, 15));
        t = ir_simp_bin(s, IR_XOR, IR_I32, t, p);
        t = ir_simp_bin(s, IR_AND, IR_I32, t, ir_simp_const(s, IR_I32, 1));
        if ((cond & ~1u) == IR_C_GT) {
            IrRef z = ir_simp_bin(s, IR_AND, IR_I32, p, ir_simp_const(s, IR_I32, IR_PF_Z));

            t = ir_simp_bin(s, IR_OR, IR_I32, t, z);
        }
        return ir_simp_cmp(s, IR_EQ ^ neg, 2, t, ir_simp_const(s, IR_I32, 0));
    }
}

static IrRef ir_cond_lower(IrSimp *s, IrRef flags, unsigned cond);

static IrRef ir_cond_of_sel(IrSimp *s, const IrOp *fl, unsigned cond)
{
    IrRef x, y;

    if (s->r->ops[fl->arg[1]].op == IR_FL_SEL && s->r->ops[fl->arg[2]].op == IR_FL_SEL) {
        return IR_NONE; /* a tree: would double at each level */
    }
    x = ir_cond_lower(s, fl->arg[1], cond);
    y = ir_cond_lower(s, fl->arg[2], cond);
    return s->emit(s, &(IrOp){.op = IR_SELECT, .type = IR_I1, .arg = {fl->arg[0], x, y}});
}

/* A value for the condition on flags; an FL_COND op where there is no better form. */
static IrRef ir_cond_lower(IrSimp *s, IrRef flags, unsigned cond)
{
    return s->emit(s,
                   &(IrOp){.op = IR_FL_COND, .type = IR_I1, .sub = (uint8_t)cond, .arg = {flags}});
}

/* Bits of packed flags that a condition reads. */
static uint32_t ir_cond_reads(unsigned cond)
{
    switch (cond & ~1u) {
    case IR_C_EQ: return IR_PF_Z;
    case IR_C_CS: return IR_PF_C;
    case IR_C_MI: return IR_PF_N;
    case IR_C_VS: return IR_PF_V;
    case IR_C_PE: return IR_PF_P;
    case IR_C_GE: return IR_PF_N | IR_PF_V;
    case IR_C_GT: return IR_PF_N | IR_PF_V | IR_PF_Z;
    default: return IR_PF_C | IR_PF_Z; /* HI, BE */
    }
}

static IrRef ir_bool_bin(IrSimp *s, IrOpcode op, IrRef a, IrRef b)
{
    return ir_simp_bin(s, op, IR_I1, a, b);
}

/* A condition that reads both sides of a mixture, as a formula of conditions on single flags. */
static IrRef ir_cond_split(IrSimp *s, IrRef mix, unsigned cond)
{
    IrRef x, z;
    IrRef v = IR_NONE;

    switch (cond & ~1u) {
    case IR_C_HI: /* C and not Z */
    case IR_C_BE: /* C or Z */
        x = ir_cond_lower(s, mix, IR_C_CS);
        z = ir_cond_lower(s, mix, (cond & ~1u) == IR_C_HI ? IR_C_NE : IR_C_EQ);
        v = ir_bool_bin(s, (cond & ~1u) == IR_C_HI ? IR_AND : IR_OR, x, z);
        break;
    case IR_C_GE:
    case IR_C_GT: /* N == V (and not Z) */
        x = ir_cond_lower(s, mix, IR_C_MI);
        v = ir_bool_bin(s, IR_XOR, x, ir_cond_lower(s, mix, IR_C_VC));
        if ((cond & ~1u) == IR_C_GT) {
            v = ir_bool_bin(s, IR_AND, v, ir_cond_lower(s, mix, IR_C_NE));
        }
        break;
    default: return IR_NONE;
    }
    return cond & 1 ? ir_simp_not(s, v) : v;
}

static IrRef ir_cond_of_mix(IrSimp *s, IrRef recipe, unsigned cond)
{
    IrOp fl = s->r->ops[recipe];
    uint32_t reads = ir_cond_reads(cond);

    if (!(reads & ~fl.imm)) {
        return ir_cond_lower(s, fl.arg[0], cond);
    }
    if (!(reads & fl.imm)) {
        return ir_cond_lower(s, fl.arg[1], cond);
    }
    return ir_cond_split(s, recipe, cond);
}

/* The shifted value of a shift's recipe, 8 and 16 bits extended. */
static IrRef ir_shifted(IrSimp *s, const IrOp *fl)
{
    static const uint8_t ops[] = {IR_SHL, IR_SHR, IR_SAR};
    unsigned type = ir_esz_type(fl->esz);
    IrRef a = fl->arg[0];

    if (fl->esz < 2 && fl->op != IR_FL_SHL) {
        a = s->emit(s, &(IrOp){.op = fl->op == IR_FL_SHR ? IR_ZEXT : IR_SEXT,
                               .type = IR_I32,
                               .esz = fl->esz,
                               .arg = {a}});
    }
    return ir_simp_bin(s, ops[fl->op - IR_FL_SHL], type, a, ir_simp_const(s, IR_I32, fl->imm));
}

static IrRef ir_cond_of_shift(IrSimp *s, IrRef recipe, unsigned cond)
{
    IrOp fl = s->r->ops[recipe];
    unsigned type = ir_esz_type(fl.esz), at;
    int sign = ir_cond_sign(cond);
    IrRef v;

    if (sign >= 0) {
        v = ir_shifted(s, &fl);
        if (fl.esz < 2) {
            v = s->emit(s, &(IrOp){.op = IR_SEXT, .type = IR_I32, .esz = fl.esz, .arg = {v}});
        }
        return ir_cond_zero(s, (unsigned)sign, fl.esz < 2 ? 2 : fl.esz, v);
    }
    if (cond != IR_C_CS && cond != IR_C_CC) {
        return IR_NONE;
    }
    at = (unsigned)(fl.op == IR_FL_SHL ? (8u << fl.esz) - fl.imm : fl.imm - 1);
    v = ir_simp_bin(s, IR_SHR, type, fl.arg[0], ir_simp_const(s, IR_I32, at));
    v = ir_simp_bin(s, IR_AND, type, v, ir_simp_const(s, type, 1));
    return ir_simp_cmp(s, cond == IR_C_CS ? IR_NE : IR_EQ, ir_esz_type(fl.esz) == IR_I64 ? 3 : 2, v,
                       ir_simp_const(s, type, 0));
}

/* Flags of 8 and 16 bits: CMP knows none, so its operands are extended. */
static IrRef ir_cond_narrow(IrSimp *s, const IrOp *fl, unsigned cond)
{
    bool signed_order = (cond >= IR_C_GE && cond <= IR_C_LE) || cond == IR_C_MI || cond == IR_C_PL;
    IrOp ext = {.op = signed_order ? IR_SEXT : IR_ZEXT, .type = IR_I32, .esz = fl->esz};
    IrRef a, b;
    int cc;

    switch (fl->op) {
    case IR_FL_LOGIC: /* N Z of a; C = V = 0 */
        ext.arg[0] = fl->arg[0];
        a = s->emit(s, &ext);
        return ir_cond_of_logic(s, &(IrOp){.op = IR_FL_LOGIC, .esz = 2, .arg = {a}}, cond);
    case IR_FL_SUB:
    case IR_FL_SUBB:
        cc = ir_cond_sub(cond, fl->op == IR_FL_SUBB);
        if (cc < 0) {
            break;
        }
        ext.arg[0] = fl->arg[0];
        a = s->emit(s, &ext);
        ext.arg[0] = fl->arg[1];
        b = s->emit(s, &ext);
        return ir_simp_cmp(s, (unsigned)cc, 2, a, b);
    default: break;
    }
    if (ir_cond_sign(cond) < 0 ||
        (fl->op != IR_FL_ADD && fl->op != IR_FL_SUB && fl->op != IR_FL_SUBB)) {
        return IR_NONE;
    }
    ext.arg[0] =
        ir_simp_bin(s, fl->op == IR_FL_ADD ? IR_ADD : IR_SUB, IR_I32, fl->arg[0], fl->arg[1]);
    return ir_cond_zero(s, (unsigned)ir_cond_sign(cond), 2, s->emit(s, &ext));
}

static IrRef ir_simp_fl_cond(IrSimp *s, const IrOp *o)
{
    IrRef recipe = o->arg[0];
    IrOp fl = s->r->ops[recipe];
    uint64_t c;

    if (o->sub == IR_C_AL || o->sub == IR_C_NV) {
        return ir_cond_bool(s, true);
    }
    if ((ir_op_info[fl.op].attrs & IRA_CMP) && fl.esz < 2 && fl.op != IR_FL_SHL &&
        fl.op != IR_FL_SHR && fl.op != IR_FL_SAR) {
        return ir_cond_narrow(s, &fl, o->sub);
    }
    switch (fl.op) {
    case IR_FL_SUB: return ir_cond_of_sub(s, recipe, o->sub, false);
    case IR_FL_SUBB: return ir_cond_of_sub(s, recipe, o->sub, true);
    case IR_FL_ADD: return ir_cond_of_add(s, recipe, o->sub);
    case IR_FL_ADC:
    case IR_FL_SBC: return ir_cond_of_carry(s, recipe, o->sub);
    case IR_FL_LOGIC: return ir_cond_of_logic(s, &fl, o->sub);
    case IR_FL_FCMP: return ir_cond_of_fcmp(s, recipe, o->sub);
    case IR_FL_SHL:
    case IR_FL_SHR:
    case IR_FL_SAR: return ir_cond_of_shift(s, recipe, o->sub);
    case IR_FL_SEL: return ir_cond_of_sel(s, &fl, o->sub);
    case IR_FL_MIX: return ir_cond_of_mix(s, recipe, o->sub);
    case IR_FL_UNPACK:
        if (ir_konst(s->r, fl.arg[0], &c)) {
            return ir_cond_bool(s, ir_eval_cond(o->sub, (uint32_t)c));
        }
        return ir_cond_of_packed(s, fl.arg[0], o->sub);
    default: /* GET, PHI, SELECT, COPY */ return IR_NONE;
    }
}

/* Conditions on flags that are packed in a register (GET, PHI): opt/flags.c, once these are
 * known to stay. */
IrRef ir_simplify_packed(IrSimp *s, IrOp *o)
{
    IrRef p = s->emit(s, &(IrOp){.op = IR_FL_PACK, .type = IR_I32, .arg = {o->arg[0]}});

    return ir_cond_of_packed(s, p, o->sub);
}

/* FL_ recipes with all arguments constant. */
static IrRef ir_simp_recipe(IrSimp *s, IrOp *o)
{
    uint64_t k[3] = {0}, packed;
    unsigned n = ir_op_info[o->op].nargs;

    for (unsigned i = 0; i < n; i++) {
        if (!ir_konst(s->r, o->arg[i], &k[i])) {
            return IR_NONE;
        }
    }
    packed = ir_eval_int(&(IrOp){.op = o->op, .esz = o->esz, .type = IR_I32, .imm = o->imm}, k);
    return ir_simp_to(o, IR_FL_UNPACK, ir_simp_const(s, IR_I32, packed), IR_NONE);
}

/* Chains (INC after INC) do not grow: what a mixture hides is not looked at. */
static IrRef ir_simp_mix(IrSimp *s, IrOp *o)
{
    const IrOp *a = &s->r->ops[o->arg[0]], *b = &s->r->ops[o->arg[1]];

    if (b->op == IR_FL_MIX && !(b->imm & ~o->imm)) {
        o->arg[1] = b->arg[1];
    } else if (b->op == IR_FL_MIX && !(~b->imm & ~o->imm & IR_PF_ALL)) {
        o->arg[1] = b->arg[0];
    }
    if (a->op == IR_FL_MIX && !(o->imm & ~a->imm)) {
        o->arg[0] = a->arg[0];
    }
    return o->arg[0] == o->arg[1] ? o->arg[0] : IR_NONE;
}

IrRef ir_simplify_cond(IrSimp *s, IrOp *o)
{
    const IrOp *a = &s->r->ops[o->arg[0]];
    uint64_t c;

    switch (o->op) {
    case IR_FL_COND: return ir_simp_fl_cond(s, o);
    case IR_FL_SEL:
        if (ir_konst(s->r, o->arg[0], &c)) {
            return c & 1 ? o->arg[1] : o->arg[2];
        }
        return o->arg[1] == o->arg[2] ? o->arg[1] : IR_NONE;
    case IR_FL_UNPACK: return a->op == IR_FL_PACK ? a->arg[0] : IR_NONE;
    case IR_FL_PACK:
        if (a->op == IR_FL_UNPACK) {
            ir_simp_to(o, IR_AND, a->arg[0], ir_simp_const(s, IR_I32, IR_PF_ALL));
            return ir_simplify_int(s, o);
        }
        return IR_NONE;
    case IR_FL_ADC:
    case IR_FL_SBC:
        if (ir_konst(s->r, o->arg[2], &c) && (c & 1) == (o->op == IR_FL_SBC)) {
            o->op = o->op == IR_FL_SBC ? IR_FL_SUB : IR_FL_ADD;
            o->arg[2] = IR_NONE;
        }
        return ir_simp_recipe(s, o);
    case IR_FL_SBB:
        if (ir_konst(s->r, o->arg[2], &c) && !(c & 1)) {
            o->op = IR_FL_SUBB;
            o->arg[2] = IR_NONE;
        }
        return ir_simp_recipe(s, o);
    case IR_FL_MIX: return ir_simp_mix(s, o);
    case IR_FL_ADD:
    case IR_FL_SUB:
    case IR_FL_SUBB:
    case IR_FL_LOGIC:
    case IR_FL_MULS:
    case IR_FL_SHL:
    case IR_FL_SHR:
    case IR_FL_SAR: return ir_simp_recipe(s, o);
    default: return IR_NONE;
    }
}
