/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Analysis before allocation: which values are emitted, which are recipes computed only where a
 * snapshot is really needed, which conditions are fused into their consumers, and how far each
 * value's next use is from every block's start.
 *
 * Distances follow Braun and Hack, "Register Spilling and Live-Range Splitting for SSA-Form
 * Programs" (CC 2009): a use behind a loop exit is far, so what a loop does not use leaves the
 * registers before it.
 */
#include <string.h>

#include "tcg/x86_64/core.h"

static unsigned class_of(const IrOp *op)
{
    if (op->type == IR_VOID) {
        return X64_CLS_NONE;
    }
    return ir_type_is_vec(op->type) ? X64_CLS_VEC : X64_CLS_GPR;
}

/* Another name of its argument; VZEXT when the register is zero above the scalar anyway. */
static bool is_alias(const X64Core *k, const IrOp *op)
{
    switch (op->op) {
    case IR_COPY:
    case IR_VLO:
    case IR_FL_UNPACK: return true;
    case IR_VZEXT:
        return k->val[op->arg[0]].zero_up && op->esz >= 2 &&
               k->r->ops[op->arg[0]].type == (op->esz == 3 ? IR_F64 : IR_F32);
    default: return false;
    }
}

static IrRef find_canon(const X64Core *k, IrRef v)
{
    while (is_alias(k, &k->r->ops[v])) {
        v = k->r->ops[v].arg[0];
    }
    return v;
}

/* Scalar operations keep the bits above from argument 0 (FMA: 2), scalar loads clear them. */
static bool zero_above(const X64Core *k, const IrOp *op)
{
    IrRef from = op->arg[0];
    if (op->op == IR_VZEXT || (op->op == IR_LD && op->type == IR_V128)) {
        return op->esz == 2 || op->esz == 3; /* zero above 1 << esz bytes */
    }
    if (op->type != IR_F32 && op->type != IR_F64) {
        return false;
    }
    switch (op->op) {
    case IR_VLO: {
        const IrOp *z = &k->r->ops[k->val[from].canon];
        return k->val[from].zero_up &&
               (z->type == IR_V128 ? z->esz == (op->type == IR_F64 ? 3 : 2) : z->type == op->type);
    }
    case IR_LD:
    case IR_BITSF:
    case IR_ITOF: return true;
    case IR_FMA: from = op->arg[2]; break;
    case IR_FCVT:
        if (op->type != IR_F64 || op->esz != 2) {
            return false;
        }
        break;
    case IR_FADD:
    case IR_FSUB:
    case IR_FMUL:
    case IR_FDIV:
    case IR_FSQRT:
    case IR_FABS:
    case IR_COPY: break;
    default: return false;
    }
    return k->val[from].zero_up;
}

bool x64_operand_form(const X64Core *k, IrRef f)
{
    const IrOp *op = &k->r->ops[f];
    switch (op->op) {
    case IR_FL_ADD:
    case IR_FL_SUB:
    case IR_FL_SUBB:
    case IR_FL_LOGIC:
    case IR_FL_ADC:
    case IR_FL_SBC:
    case IR_FL_SBB:
    case IR_FL_MULS:
    case IR_FL_SHL:
    case IR_FL_SHR:
    case IR_FL_SAR: return true;
    case IR_FL_FCMP: return x64_fcmp_native(&k->ctx, op);
    default: return false;
    }
}

bool x64_imm_fits(const X64Core *k, IrRef v, unsigned bytes, uint64_t *imm)
{
    const IrOp *op = &k->r->ops[v];
    if (op->op != IR_CONST) {
        return false;
    }
    unsigned drop = 64 - 8 * bytes;
    uint64_t x = (uint64_t)((int64_t)(op->imm << drop) >> drop);
    *imm = x;
    return x64_fits_i32(x);
}

IrRef x64_tested(const X64Core *k, IrRef cmp)
{
    const IrOp *op = &k->r->ops[cmp];
    if (op->op == IR_AND && k->val[cmp].fused) {
        return cmp; /* a branch on the AND itself */
    }
    if (op->op != IR_CMP) {
        return IR_NONE;
    }
    IrRef a = x64_canon(k, op->arg[0]);
    return k->val[a].fused && k->r->ops[a].op == IR_AND ? a : IR_NONE;
}

IrRef x64_scaled(const X64Core *k, IrRef add)
{
    const IrOp *op = &k->r->ops[add];
    if (op->op != IR_ADD) {
        return IR_NONE;
    }
    IrRef b = x64_canon(k, op->arg[1]);
    return k->val[b].fused && k->r->ops[b].op == IR_SHL ? b : IR_NONE;
}

static unsigned op_bytes(const X64Core *k, const IrOp *op)
{
    if (ir_op_info[op->op].attrs & IRA_CMP) {
        return 1u << op->esz;
    }
    if (op->op == IR_ST) {
        return op->esz == 3 ? 8 : 4;
    }
    (void)k;
    return op->type == IR_I64 ? 8 : 4;
}

/* Appends the operands of condition a (a fused compare or a plain I1). */
static unsigned cond_args(const X64Core *k, IrRef a, IrRef *out, unsigned n, unsigned *imm_ok)
{
    const IrOp *op = &k->r->ops[a];
    IrRef f = a;
    if (op->op == IR_FL_COND) {
        f = x64_canon(k, op->arg[0]);
        if (!x64_operand_form(k, f)) {
            out[n++] = f;
            return n;
        }
    }
    op = &k->r->ops[f];
    unsigned na = ir_op_info[op->op].nargs;
    IrRef t = x64_tested(k, f);
    if (t) {
        const IrOp *and = &k->r->ops[t];
        uint64_t imm;
        out[n] = x64_canon(k, and->arg[0]);
        out[n + 1] = x64_canon(k, and->arg[1]);
        if (x64_imm_fits(k, out[n + 1], and->type == IR_I64 ? 8 : 4, &imm)) {
            *imm_ok |= 2u << n;
        }
        return n + 2;
    }
    for (unsigned i = 0; i < na; i++) {
        uint64_t imm;
        out[n] = x64_canon(k, op->arg[i]);
        if (i == 1 && x64_imm_fits(k, out[n], op_bytes(k, op), &imm)) {
            *imm_ok |= 1u << n;
        }
        if (i == 2 && x64_is_const(k, out[n])) {
            *imm_ok |= 1u << n; /* carry in */
        }
        n++;
    }
    return n;
}

bool x64_takes_imm(const X64Core *k, IrRef v, unsigned i, IrRef a)
{
    const IrOp *op = &k->r->ops[v];
    const X64Row *row = k->val[v].row;
    uint64_t imm;
    if (op->op == IR_ST && i == 2) {
        return x64_imm_fits(k, a, op->esz == 3 ? 8 : 4, &imm);
    }
    if ((op->op == IR_LD || op->op == IR_ST) && x64_is_const(k, a)) {
        return k->r->ops[a].imm < 0x40000000; /* part of the displacement */
    }
    if (!row || i > 2 || !(row->flags & (X64R_IMM0 << i)) || !x64_is_const(k, a)) {
        return false;
    }
    return (row->flags & X64R_IMM64) || x64_imm_fits(k, a, op_bytes(k, op), &imm);
}

unsigned x64_args(const X64Core *k, IrRef v, IrRef out[X64_MAX_ARGS], unsigned *imm_ok)
{
    const IrOp *op = &k->r->ops[v];
    unsigned n = 0, i = 0, na = ir_op_info[op->op].nargs;
    *imm_ok = 0;
    if (op->op == IR_FL_COND || (op->op == IR_CMP && x64_tested(k, v))) {
        return cond_args(k, v, out, 0, imm_ok);
    }
    if (x64_scaled(k, v)) {
        out[0] = x64_canon(k, op->arg[0]);
        out[1] = x64_canon(k, k->r->ops[x64_scaled(k, v)].arg[0]);
        return 2;
    }
    if ((op->op == IR_BRC || op->op == IR_SELECT || op->op == IR_FL_SEL)) {
        IrRef a = x64_canon(k, op->arg[0]);
        if (k->val[a].fused) {
            n = cond_args(k, a, out, n, imm_ok);
        } else {
            out[n++] = a;
        }
        i = 1;
    }
    for (; i < na; i++) {
        if (op->arg[i] == IR_NONE) {
            continue;
        }
        IrRef a = x64_canon(k, op->arg[i]);
        if (x64_takes_imm(k, v, i, a)) {
            *imm_ok |= 1u << n;
        }
        out[n++] = a;
    }
    return n;
}

/* ---- needs ---- */

static void push(X64Core *k, IrRef v)
{
    if (k->n_stack == k->cap_stack) {
        k->stack = arena_grow(k->arena, k->stack, &k->cap_stack, k->n_stack + 1, sizeof(IrRef));
    }
    k->stack[k->n_stack++] = v;
}

static void need_emit(X64Core *k, IrRef v)
{
    v = x64_canon(k, v);
    if (v != IR_NONE && k->val[v].need != X64_NEED_EMIT) {
        k->val[v].need = X64_NEED_EMIT;
        push(k, v);
    }
}

static void need_packed(X64Core *k, IrRef v)
{
    v = x64_canon(k, v);
    k->val[v].mat = true;
    need_emit(k, v);
}

void x64_need_args(X64Core *k, const IrOp *op)
{
    unsigned n = ir_op_info[op->op].nargs;
    switch (op->op) {
    case IR_PHI:
        for (unsigned i = 0; i < op->nargs; i++) {
            IrRef a = k->r->phi_args[op->imm + i];
            if (op->type == IR_FLAGS) {
                need_packed(k, a);
            } else {
                need_emit(k, a);
            }
        }
        return;
    case IR_FL_COND: {
        IrRef f = x64_canon(k, op->arg[0]);
        if (x64_operand_form(k, f)) {
            x64_need_args(k, &k->r->ops[f]);
        } else {
            need_packed(k, f);
        }
        return;
    }
    case IR_FL_PACK: need_packed(k, op->arg[0]); return;
    case IR_FL_MIX:
        need_packed(k, op->arg[0]);
        need_packed(k, op->arg[1]);
        return;
    case IR_FL_SEL:
        need_emit(k, op->arg[0]);
        need_packed(k, op->arg[1]);
        need_packed(k, op->arg[2]);
        return;
    default:
        for (unsigned i = 0; i < n; i++) {
            if (op->arg[i] != IR_NONE) {
                need_emit(k, op->arg[i]);
            }
        }
    }
}

static void drain(X64Core *k)
{
    while (k->n_stack) {
        x64_need_args(k, &k->r->ops[k->stack[--k->n_stack]]);
    }
}

/* Recipes of flags nest this deep at most; deeper ones, and others, are computed in place. */
enum { RECIPE_DEPTH = 3 };

bool x64_is_recipe(const X64Core *k, IrRef v, unsigned depth)
{
    const IrOp *op = &k->r->ops[v];
    return ir_has_attr(op, IRA_RECIPE) && depth < RECIPE_DEPTH &&
           (!depth || op->type == IR_FLAGS) && (op->op != IR_FL_FCMP || x64_operand_form(k, v));
}

static void need_weak(X64Core *k, IrRef v, unsigned depth)
{
    v = x64_canon(k, v);
    X64Val *w = &k->val[v];
    const IrOp *op = &k->r->ops[v];
    if (w->need == X64_NEED_EMIT) {
        return;
    }
    if (!x64_is_recipe(k, v, depth)) {
        if (op->type == IR_FLAGS) {
            w->mat = true;
        }
        need_emit(k, v);
        drain(k);
        return;
    }
    w->need = X64_NEED_LAZY;
    for (unsigned i = 0; i < ir_op_info[op->op].nargs; i++) {
        if (op->arg[i] != IR_NONE) {
            need_weak(k, op->arg[i], depth + 1);
        }
    }
}

void x64_leaves(X64Core *k, IrRef v, uint32_t pos, void (*fn)(X64Core *, IrRef, uint32_t))
{
    v = x64_canon(k, v);
    if (k->val[v].need != X64_NEED_LAZY) {
        fn(k, v, pos);
        return;
    }
    const IrOp *op = &k->r->ops[v];
    for (unsigned i = 0; i < ir_op_info[op->op].nargs; i++) {
        if (op->arg[i] != IR_NONE) {
            x64_leaves(k, op->arg[i], pos, fn);
        }
    }
}

static void mark_needs(X64Core *k)
{
    const IrRegion *r = k->r;
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        for (IrRef v = r->blocks[r->rpo[i]].first; v; v = r->ops[v].next) {
            const IrOp *op = &r->ops[v];
            unsigned at = ir_op_info[op->op].attrs;
            if (op->op == IR_FL_FCMP && x64_operand_form(k, v)) {
                x64_need_args(k, op); /* runs for its flags; the result stays a recipe */
            } else if (at & (IRA_EFFECT | IRA_TERM | IRA_FP | IRA_FAULT)) {
                k->val[v].mat = op->type == IR_FLAGS;
                need_emit(k, v);
            }
            drain(k);
        }
    }
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        for (IrRef v = r->blocks[r->rpo[i]].first; v; v = r->ops[v].next) {
            if (!r->ops[v].snap) {
                continue;
            }
            const IrSnap *s = &r->snaps[r->ops[v].snap];
            for (uint32_t j = 0; j < s->n; j++) {
                need_weak(k, r->snap_entries[s->first + j].val, 0);
            }
        }
    }
}

/* ---- fusing conditions ---- */

static bool is_cond_use(const IrOp *user, unsigned arg)
{
    return arg == 0 && (user->op == IR_BRC || user->op == IR_SELECT || user->op == IR_FL_SEL);
}

/* Only pure ops between an FCMP and its consumer: its flags may rise there as well. */
static bool fcmp_adjacent(const IrRegion *r, IrRef def, IrRef user)
{
    unsigned n = 0;
    for (IrRef v = r->ops[user].prev; v != def; v = r->ops[v].prev) {
        if (!v || ++n > 6 || !(ir_has_attr(&r->ops[v], IRA_PURE) || r->ops[v].op == IR_INSN)) {
            return false;
        }
    }
    return true;
}

/*
 * AND and SHL that are part of their only consumer: (a & b) == 0 is a TEST, a + (b << 1..3) a LEA.
 */
static void pattern_use(X64Core *k, const IrOp *user, unsigned i, IrRef a)
{
    const IrOp *op = &k->r->ops[a];
    X64Val *w = &k->val[a];
    bool ok = w->n_uses == 1 && user->blk == op->blk;
    if (op->op == IR_AND) {
        IrRef zero = x64_canon(k, user->arg[1]);
        ok &= is_cond_use(user, i) ||
              (user->op == IR_CMP && i == 0 && user->sub <= IR_NE && x64_is_const(k, zero) &&
               k->r->ops[zero].imm == 0 && (user->esz == 3) == (op->type == IR_I64));
    } else {
        IrRef n = x64_canon(k, op->arg[1]);
        ok &= user->op == IR_ADD && i == 1 && x64_is_const(k, n) && user->type == op->type &&
              k->r->ops[n].imm >= 1 && k->r->ops[n].imm <= 3 &&
              !x64_is_const(k, x64_canon(k, user->arg[0]));
    }
    w->no_fuse |= !ok;
}

void x64_count_use(X64Core *k, IrRef user, unsigned i, IrRef a)
{
    const IrOp *uop = &k->r->ops[user], *op;
    X64Val *w = &k->val[a];
    op = &k->r->ops[a];
    w->n_uses++;
    if (op->op == IR_AND || op->op == IR_SHL) {
        pattern_use(k, uop, i, a);
        return;
    }
    if (!x64_is_cond_op(op->op)) {
        return;
    }
    if (!is_cond_use(uop, i) || uop->blk != op->blk || w->n_uses > 3) {
        w->no_fuse = true;
    }
    if (op->op == IR_FCMP && !fcmp_adjacent(k->r, a, user)) {
        w->no_fuse = true;
    }
}

static void weak_no_fuse(X64Core *k, IrRef v, uint32_t pos)
{
    (void)pos;
    k->val[v].no_fuse = true;
}

/* A condition reads the operands of the flags it stands on, which are not emitted themselves. */
static void condition_no_fuse(X64Core *k, const IrOp *cond)
{
    IrRef f = x64_canon(k, cond->arg[0]);
    if (!x64_operand_form(k, f)) {
        return;
    }
    const IrOp *op = &k->r->ops[f];
    for (unsigned j = 0; j < ir_op_info[op->op].nargs; j++) {
        weak_no_fuse(k, x64_canon(k, op->arg[j]), 0);
    }
}

void x64_count_uses(X64Core *k, IrRef v)
{
    const IrRegion *r = k->r;
    const IrOp *op = &r->ops[v];
    if (op->op == IR_FL_COND) {
        condition_no_fuse(k, op);
    }
    if (op->op == IR_PHI) {
        for (unsigned j = 0; j < op->nargs; j++) {
            weak_no_fuse(k, x64_canon(k, r->phi_args[op->imm + j]), 0);
        }
        return;
    }
    for (unsigned j = 0; j < ir_op_info[op->op].nargs; j++) {
        if (op->arg[j]) {
            x64_count_use(k, v, j, x64_canon(k, op->arg[j]));
        }
    }
}

bool x64_can_fuse(const X64Core *k, IrRef v)
{
    const X64Val *w = &k->val[v];
    const IrOp *op = &k->r->ops[v];
    bool can = x64_is_cond_op(op->op) || op->op == IR_AND || op->op == IR_SHL;
    return can && w->need == X64_NEED_EMIT && !w->no_fuse && w->n_uses &&
           (op->op != IR_FCMP || x64_fcmp_native(&k->ctx, op));
}

static void fuse(X64Core *k)
{
    const IrRegion *r = k->r;
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        for (IrRef v = r->blocks[r->rpo[i]].first; v; v = r->ops[v].next) {
            const IrOp *op = &r->ops[v];
            X64Val *w = &k->val[v];
            if (op->snap) {
                const IrSnap *s = &r->snaps[op->snap];
                for (uint32_t j = 0; j < s->n; j++) {
                    x64_leaves(k, r->snap_entries[s->first + j].val, 0, weak_no_fuse);
                }
            }
            if (w->need == X64_NEED_EMIT) {
                x64_count_uses(k, v);
            }
        }
    }
    for (uint32_t i = 1; i < r->n_ops; i++) {
        k->val[i].fused = x64_can_fuse(k, i);
    }
}

/* ---- phis with real uses ---- */

static void strong_phis(X64Core *k)
{
    const IrRegion *r = k->r;
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        for (IrRef v = r->blocks[r->rpo[i]].first; v; v = r->ops[v].next) {
            IrRef a[X64_MAX_ARGS];
            unsigned imm;
            if (r->ops[v].op == IR_PHI || k->val[v].fused ||
                (k->val[v].need != X64_NEED_EMIT && r->ops[v].op != IR_FL_FCMP)) {
                continue;
            }
            unsigned n = x64_args(k, v, a, &imm);
            for (unsigned j = 0; j < n; j++) {
                if (r->ops[a[j]].op == IR_PHI && !k->val[a[j]].strong_phi) {
                    k->val[a[j]].strong_phi = true;
                    push(k, a[j]);
                }
            }
        }
    }
    while (k->n_stack) {
        const IrOp *op = &r->ops[k->stack[--k->n_stack]];
        for (unsigned j = 0; j < op->nargs; j++) {
            IrRef a = x64_canon(k, r->phi_args[op->imm + j]);
            if (r->ops[a].op == IR_PHI && !k->val[a].strong_phi) {
                k->val[a].strong_phi = true;
                push(k, a);
            }
        }
    }
}

/* ---- liveness ---- */

static void make_global(X64Core *k, IrRef v, uint32_t blk)
{
    X64Val *w = &k->val[v];
    const IrOp *op = &k->r->ops[v];
    if (w->global || (op->blk == blk && op->op != IR_PHI) || w->cls == X64_CLS_NONE) {
        return;
    }
    if (k->n_globals == 0xfffffff) {
        return;
    }
    k->globals[k->n_globals++] = v;
    w->global = k->n_globals;
}

typedef struct Gen {
    X64Core *k;
    IrBlk blk;
    bool record; /* second pass: positions; first: which values are global */
} Gen;

static void gen_strong(Gen *g, IrRef v, uint32_t pos)
{
    X64Core *k = g->k;
    if (!g->record) {
        make_global(k, v, g->blk);
    } else if (k->val[v].global && (k->r->ops[v].blk != g->blk || k->r->ops[v].op == IR_PHI)) {
        uint32_t *d = &k->in_dist[g->blk * k->n_globals + k->val[v].global - 1];
        *d = pos < *d ? pos : *d;
    }
}

static void gen_weak_global(X64Core *k, IrRef v, uint32_t blk)
{
    make_global(k, v, blk);
}

static void gen_weak_bit(X64Core *k, IrRef v, uint32_t blk)
{
    uint32_t g = k->val[v].global;
    if (g && !(k->r->ops[v].blk == blk && k->r->ops[v].op != IR_PHI)) {
        k->in_weak[blk * k->n_words + (g - 1) / 64] |= 1ull << ((g - 1) % 64);
    }
}

static void gen_edge(Gen *g, IrBlk succ, uint32_t pos)
{
    X64Core *k = g->k;
    const IrRegion *r = k->r;
    const IrBlock *s = &r->blocks[succ];
    for (unsigned i = 0; i < s->n_preds; i++) {
        if (r->preds[s->preds + i] != g->blk) {
            continue;
        }
        for (IrRef p = s->first; p && r->ops[p].op == IR_PHI; p = r->ops[p].next) {
            if (k->val[p].need != X64_NEED_EMIT) {
                continue;
            }
            IrRef a = x64_canon(k, r->phi_args[r->ops[p].imm + i]);
            if (k->val[p].strong_phi) {
                gen_strong(g, a, pos);
            } else if (g->record) {
                gen_weak_bit(k, a, g->blk);
            } else {
                make_global(k, a, g->blk);
            }
        }
    }
}

static void gen_block(Gen *g)
{
    X64Core *k = g->k;
    const IrRegion *r = k->r;
    uint32_t pos = 0;
    for (IrRef v = r->blocks[g->blk].first; v; v = r->ops[v].next) {
        const IrOp *op = &r->ops[v];
        IrRef a[X64_MAX_ARGS];
        unsigned imm;
        pos++;
        if (op->op == IR_PHI) {
            if (!g->record && k->val[v].need == X64_NEED_EMIT) {
                make_global(k, v, g->blk);
            }
            continue;
        }
        if (op->snap) {
            const IrSnap *s = &r->snaps[op->snap];
            for (uint32_t j = 0; j < s->n; j++) {
                x64_leaves(k, r->snap_entries[s->first + j].val, g->blk,
                           g->record ? gen_weak_bit : gen_weak_global);
            }
        }
        if (k->val[v].fused || (k->val[v].need != X64_NEED_EMIT && op->op != IR_FL_FCMP)) {
            continue;
        }
        unsigned n = x64_args(k, v, a, &imm);
        for (unsigned j = 0; j < n; j++) {
            if (!(imm & (1u << j))) {
                gen_strong(g, a[j], pos);
            }
        }
    }
    k->blk[g->blk].len = pos + 2;
    for (unsigned i = 0; i < 2; i++) {
        IrBlk s = r->blocks[g->blk].succ[i];
        if (s != IR_NO_BLK) {
            gen_edge(g, s, pos + 1);
        }
    }
}

static uint32_t edge_cost(const X64Core *k, IrBlk from, IrBlk to)
{
    const IrBlock *f = &k->r->blocks[from], *t = &k->r->blocks[to];
    return (t->loop_depth < f->loop_depth ? X64_FAR : 0) + (t->cold && !f->cold ? X64_COLD_FAR : 0);
}

/* One step backward over block b; returns whether anything changed. */
static bool flow(X64Core *k, IrBlk b)
{
    const IrRegion *r = k->r;
    uint32_t ng = k->n_globals, nw = k->n_words, len = k->blk[b].len;
    uint32_t *in = &k->in_dist[b * ng];
    uint64_t *iw = &k->in_weak[b * nw];
    bool changed = false;
    for (unsigned i = 0; i < 2; i++) {
        IrBlk s = r->blocks[b].succ[i];
        if (s == IR_NO_BLK || (i == 1 && s == r->blocks[b].succ[0])) {
            continue;
        }
        uint32_t cost = edge_cost(k, b, s) + len;
        const uint32_t *sd = &k->in_dist[s * ng];
        const uint64_t *sw = &k->in_weak[s * nw];
        for (uint32_t g = 0; g < ng; g++) {
            bool weak = (sw[g / 64] >> (g % 64)) & 1;
            if (sd[g] == X64_INF && !weak) {
                continue;
            }
            const IrOp *op = &r->ops[k->globals[g]];
            if (op->op == IR_PHI ? op->blk == s : op->blk == b) {
                continue;
            }
            if (weak && !((iw[g / 64] >> (g % 64)) & 1)) {
                iw[g / 64] |= 1ull << (g % 64);
                changed = true;
            }
            uint32_t d = sd[g] == X64_INF ? X64_INF : sd[g] + cost;
            if (d < in[g]) {
                in[g] = d;
                changed = true;
            }
        }
    }
    return changed;
}

/* An edge to a block that comes no later in rpo. */
static bool has_back_edge(X64Core *k)
{
    const IrRegion *r = k->r;
    bool *seen = arena_alloc(k->arena, r->n_blocks);
    for (uint32_t i = r->n_rpo; i-- > 0;) {
        const IrBlock *b = &r->blocks[r->rpo[i]];
        for (unsigned j = 0; j < 2; j++) {
            if (b->succ[j] != IR_NO_BLK && !seen[b->succ[j]]) {
                return true;
            }
        }
        seen[r->rpo[i]] = true;
    }
    return false;
}

static void liveness(X64Core *k)
{
    const IrRegion *r = k->r;
    k->globals = arena_alloc(k->arena, r->n_ops * sizeof(IrRef));
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        gen_block(&(Gen){k, r->rpo[i], false});
    }
    uint32_t ng = k->n_globals;
    k->n_words = (ng + 63) / 64;
    k->in_dist = arena_alloc(k->arena, (size_t)r->n_blocks * ng * 4 + 4);
    k->in_weak = arena_alloc(k->arena, (size_t)r->n_blocks * k->n_words * 8 + 8);
    for (size_t i = 0; i < (size_t)r->n_blocks * ng; i++) {
        k->in_dist[i] = X64_INF;
    }
    if (!ng) {
        return;
    }
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        gen_block(&(Gen){k, r->rpo[i], true});
    }
    bool loops = has_back_edge(k);
    for (unsigned round = 0, changed = 1; changed && round < 40; round++) {
        changed = 0;
        for (uint32_t i = r->n_rpo; i-- > 0;) {
            changed |= flow(k, r->rpo[i]);
        }
        changed &= loops; /* against the flow, one round reaches all */
    }
}

/* ---- hints: each guest slot gets a host register of its own while there are some ---- */

static void slot_hints(X64Core *k)
{
    const IrRegion *r = k->r;
    uint32_t weight[IR_MAX_SLOTS] = {0};
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        const IrBlock *b = &r->blocks[r->rpo[i]];
        uint32_t w = b->cold ? 1 : 4u << (b->loop_depth > 6 ? 12 : 2 * b->loop_depth);
        for (IrRef v = b->first; v; v = r->ops[v].next) {
            const IrOp *op = &r->ops[v];
            bool own = op->op == IR_GET || op->op == IR_PHI;
            if (k->val[v].need == X64_NEED_EMIT && (own || op->slot)) {
                weight[own ? op->slot : op->slot - 1] += w;
            }
        }
    }
    memset(k->slot_reg, X64_NONE, sizeof(k->slot_reg));
    for (unsigned cls = X64_CLS_GPR; cls <= X64_CLS_VEC; cls++) {
        uint64_t left = k->allocatable[cls] & ~X64_VEC_HIGH;
        uint64_t high = k->allocatable[cls] & X64_VEC_HIGH;
        while (left || high) {
            if (!left) {
                left = high;
                high = 0;
            }
            unsigned best = IR_MAX_SLOTS;
            for (unsigned s = 0; s < k->guest->n_slots; s++) {
                bool vec = ir_type_is_vec(k->guest->slots[s].type);
                if (vec == (cls == X64_CLS_VEC) && weight[s] &&
                    (best == IR_MAX_SLOTS || weight[s] > weight[best])) {
                    best = s;
                }
            }
            if (best == IR_MAX_SLOTS) {
                break;
            }
            weight[best] = 0;
            unsigned reg = 63 - (unsigned)__builtin_clzll(left); /* from the top: rcx, rdx last */
            left &= ~(1ull << reg);
            k->slot_reg[best] = (uint8_t)reg;
            k->hinted |= 1ull << reg;
        }
    }
}

/*
 * The value that leaves a block in a slot wants the slot's register; one that is overwritten in
 * the same block does not, or it would push the last one out of its place.
 */
static void value_hints(X64Core *k)
{
    const IrRegion *r = k->r;
    for (uint32_t v = 1; v < r->n_ops; v++) {
        const IrOp *op = &r->ops[v];
        X64Val *w = &k->val[k->val[v].canon];
        bool own = op->op == IR_GET || op->op == IR_PHI;
        if (own || (op->slot && w->global)) {
            unsigned h = k->slot_reg[own ? op->slot : op->slot - 1];
            if (own || w->hint == X64_NONE) {
                w->hint = (uint8_t)h;
            }
        }
        for (unsigned i = 0; op->op == IR_PHI && i < op->nargs; i++) {
            X64Val *a = &k->val[x64_canon(k, r->phi_args[op->imm + i])];
            if (a->hint == X64_NONE) {
                a->hint = k->slot_reg[op->slot];
            }
        }
    }
}

void x64_init_val(X64Core *k, IrRef v)
{
    X64Val *w = &k->val[v];
    const IrOp *op = &k->r->ops[v];
    w->canon = find_canon(k, v);
    w->zero_up = zero_above(k, op);
    w->type = op->type;
    if (op->op == IR_VZEXT && w->canon != v) {
        k->val[w->canon].type = IR_V128;
    }
    w->cls = (uint8_t)class_of(op);
    w->reg = w->hint = X64_NONE;
    w->out_pos = X64_INF;
    w->home = op->op == IR_GET                            ? X64_HOME_SLOT
              : op->op == IR_CONST || op->op == IR_VCONST ? X64_HOME_CONST
                                                          : X64_HOME_SPILL;
    w->in_mem = w->home != X64_HOME_SPILL;
}

void x64_analyze(X64Core *k)
{
    const IrRegion *r = k->r;
    k->val = arena_alloc(k->arena, (r->n_ops + 1) * sizeof(X64Val));
    k->blk = arena_alloc(k->arena, r->n_blocks * sizeof(X64Blk));
    bool phis = false;
    for (uint32_t v = 0; v < r->n_ops; v++) {
        phis |= r->ops[v].op == IR_PHI;
        x64_init_val(k, v);
    }
    mark_needs(k);
    for (uint32_t v = 1; v < r->n_ops; v++) {
        if (k->val[v].need == X64_NEED_EMIT) {
            k->val[v].row = x64_row(&k->ctx, &r->ops[v]);
        }
    }
    fuse(k);
    for (uint32_t v = 1; v < r->n_ops; v++) {
        if (x64_scaled(k, v)) {
            k->val[v].row = NULL; /* emitted by the core */
        }
    }
    if (phis) {
        strong_phis(k);
    }
    liveness(k);
    if (r->tier > 1) {
        slot_hints(k);
        value_hints(k);
    } else {
        memset(k->slot_reg, X64_NONE, sizeof(k->slot_reg));
    }
}
