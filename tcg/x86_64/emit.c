/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moves, constants, and the frame around a row: arguments in, temporaries, result, cold stubs.
 */
#include <assert.h>
#include <string.h>

#include "tcg/x86_64/core.h"

/* ---- moves ---- */

X64Mem x64_cpu_mem(uint32_t off)
{
    return x64_mem(X64_RBP, (int32_t)off - TCG_CPU_BIAS);
}

void x64_mov_vec(X64Ctx *c, unsigned dst, unsigned src)
{
    x64_movaps(&c->as, dst, src);
}

void x64_ld_vec(X64Ctx *c, unsigned type, unsigned dst, X64Mem m)
{
    switch (type) {
    case IR_F16:
        x64_movzx_rm(&c->as, 1, X64_TMP, m);
        x64_v2(&c->as, XV_MOVD_L, dst, X64_TMP);
        break;
    case IR_F32: x64_v2m(&c->as, XV_MOVSS_L, dst, m); break;
    case IR_F64: x64_v2m(&c->as, XV_MOVSD_L, dst, m); break;
    default: x64_v2m(&c->as, XV_MOVAPS_L, dst, m);
    }
}

void x64_st_vec(X64Ctx *c, unsigned type, unsigned src, X64Mem m)
{
    switch (type) {
    case IR_F16:
        x64_v2(&c->as, XV_MOVD_S, src, X64_TMP);
        x64_mov_mr(&c->as, 1, m, X64_TMP);
        break;
    case IR_F32: x64_v2m(&c->as, XV_MOVSS_S, src, m); break;
    case IR_F64: x64_v2m(&c->as, XV_MOVSD_S, src, m); break;
    default: x64_v2m(&c->as, XV_MOVAPS_S, src, m);
    }
}

#define XV_PXOR XD(1, 1, 0xef)
#define XV_PCMPEQD XD(1, 1, 0x76)

void x64_vconst(X64Ctx *c, unsigned dst, uint64_t lo, uint64_t hi)
{
    if (lo == 0 && hi == 0 && dst < 16) {
        x64_v3(&c->as, XV_PXOR, dst, dst, dst);
    } else if (lo == ~0ull && hi == ~0ull && dst < 16) {
        x64_v3(&c->as, XV_PCMPEQD, dst, dst, dst);
    } else {
        x64_v2m(&c->as, XV_MOVAPS_L, dst, x64_const16(c, lo, hi));
    }
}

void x64_move(X64Core *k, unsigned dst, unsigned src)
{
    if (dst == src) {
        return;
    }
    if (dst >= X64_VEC0) {
        x64_mov_vec(&k->ctx, dst - X64_VEC0, src - X64_VEC0);
    } else {
        x64_mov_rr(&k->ctx.as, 3, dst, src);
    }
}

void x64_load_home(X64Core *k, unsigned reg, unsigned type, X64Mem m)
{
    if (reg >= X64_VEC0) {
        x64_ld_vec(&k->ctx, type, reg - X64_VEC0, m);
    } else {
        x64_mov_rm(&k->ctx.as, 3, reg, m);
    }
}

void x64_store_home(X64Core *k, unsigned reg, unsigned type, X64Mem m)
{
    if (reg >= X64_VEC0) {
        x64_st_vec(&k->ctx, type, reg - X64_VEC0, m);
    } else {
        x64_mov_mr(&k->ctx.as, 3, m, reg);
    }
}

void x64_load(X64Core *k, IrRef v, unsigned reg)
{
    const IrOp *op = &k->r->ops[v];
    switch (op->op) {
    case IR_CONST: x64_mov_ri(&k->ctx.as, reg, op->imm); break;
    case IR_VCONST:
        x64_vconst(&k->ctx, reg - X64_VEC0, op->imm, op->flags & IRF_HALF ? 0 : op->imm);
        break;
    case IR_GET: {
        unsigned t = k->guest->slots[op->slot].type;
        if (reg < X64_VEC0 && t != IR_I64) {
            x64_mov_rm(&k->ctx.as, 2, reg, x64_home(k, v));
            break;
        }
        x64_load_home(k, reg, t, x64_home(k, v));
        break;
    }
    default: x64_load_home(k, reg, k->val[v].type, x64_home(k, v));
    }
}

/* ---- data area ---- */

size_t x64_data_alloc(X64Core *k, size_t bytes, size_t align)
{
    size_t at = (k->data_used + align - 1) & ~(align - 1);
    if (at + bytes + sizeof(*k->counter) > k->buf->data_bytes - k->buf->counter_bytes) {
        k->data_full = true;
        return k->buf->data_used & ~(align - 1);
    }
    k->data_used = at + bytes;
    return at;
}

X64Mem x64_const16(X64Ctx *c, uint64_t lo, uint64_t hi)
{
    X64Core *k = c->core;
    for (uint32_t i = 0; i < k->n_pool; i++) {
        if (k->pool[i].lo == lo && k->pool[i].hi == hi) {
            return x64_mem_rip(k->buf->data + k->pool[i].off);
        }
    }
    size_t off = x64_data_alloc(k, 16, 16);
    if (!k->data_full) {
        memcpy(k->buf->data + off, &lo, 8);
        memcpy(k->buf->data + off + 8, &hi, 8);
    }
    *X64_PUSH(k, k->pool, k->n_pool, k->cap_pool) = (X64Pool){lo, hi, (uint32_t)off};
    return x64_mem_rip(k->buf->data + off);
}

X64Mem x64_const_bytes(X64Ctx *c, const uint8_t bytes[16])
{
    uint64_t w[2];
    memcpy(w, bytes, 16);
    return x64_const16(c, w[0], w[1]);
}

/* ---- cold stubs ---- */

X64Cold *x64_cold(X64Ctx *c, const IrOp *op, const X64Regs *r, X64ColdFn fn)
{
    X64Core *k = c->core;
    X64Cold *cold = arena_alloc(k->arena, sizeof(*cold));
    cold->fn = fn;
    cold->op = op;
    if (r) {
        cold->regs = *r;
    }
    *k->cold_last = cold;
    k->cold_last = &cold->next;
    return cold;
}

void x64_cold_back(X64Ctx *c, X64Cold *cold)
{
    x64_bind(&c->as, &cold->back);
}

/* Binds the return labels of stubs made since `first`. */
static void bind_backs(X64Core *k, X64Cold *first)
{
    for (X64Cold *c = first; c; c = c->next) {
        if (!c->back.pos) {
            x64_bind(&k->ctx.as, &c->back);
        }
    }
}

static X64Mem call_arg(unsigned i, unsigned half)
{
    return x64_cpu_mem((uint32_t)(offsetof(TcgCpu, call_arg) + i * sizeof(IrVec) + half * 8));
}

static void store_call_arg(X64Core *k, unsigned i, const X64Arg *a, bool vec)
{
    X64Asm *as = &k->ctx.as;
    switch (a->kind) {
    case X64_ARG_REG:
        if (vec) {
            x64_v2m(as, XV_MOVAPS_S, a->reg, call_arg(i, 0));
        } else {
            x64_mov_mr(as, 3, call_arg(i, 0), a->reg);
        }
        break;
    case X64_ARG_IMM:
        if (x64_fits_i32(a->imm)) {
            x64_mov_mi(as, 3, call_arg(i, 0), (int32_t)a->imm);
        } else {
            x64_mov_ri(as, X64_TMP, a->imm);
            x64_mov_mr(as, 3, call_arg(i, 0), X64_TMP);
        }
        break;
    case X64_ARG_MEM: {
        X64Mem m = a->mem;
        for (unsigned h = 0; h < (vec ? 2u : 1u); h++, m.disp += 8) {
            x64_mov_rm(as, 3, X64_TMP, m);
            x64_mov_mr(as, 3, call_arg(i, h), X64_TMP);
        }
        break;
    }
    default: break;
    }
}

/* rax = description of the call; the thunk keeps every register. */
void x64_call_vec(X64Core *k, const IrOp *op, const X64Regs *r, uint32_t helper)
{
    X64Asm *as = &k->ctx.as;
    for (unsigned i = 0; i < ir_op_info[op->op].nargs; i++) {
        if (op->arg[i]) {
            store_call_arg(k, i, &r->arg[i], ir_type_is_vec(k->r->ops[op->arg[i]].type));
        }
    }
    size_t off = x64_data_alloc(k, sizeof(X64EvalDesc), 8);
    if (!k->data_full) {
        X64EvalDesc d = {op->imm, x64_info(op), helper * 8ull};
        memcpy(k->buf->data + off, &d, sizeof(d));
    }
    x64_lea(as, 3, X64_TMP, x64_mem_rip(k->buf->data + off));
    const X64Fixed *f = x64_fixed(k->buf);
    x64_call_abs(as, k->buf->rx + (helper ? f->call_vec : f->eval));
    if (r->dst == X64_NOREG) {
        return;
    }
    X64Mem ret = x64_cpu_mem(offsetof(TcgCpu, call_ret));
    if (ir_type_is_vec(op->type)) {
        x64_ld_vec(&k->ctx, op->type, r->dst, ret);
    } else {
        x64_mov_rm(as, op->type == IR_I64 ? 3 : 2, r->dst, ret);
    }
}

void x64_call_eval(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    x64_call_vec(c->core, op, r, 0);
}

static void cold_eval_fn(X64Ctx *c, X64Cold *cold)
{
    x64_call_eval(c, cold->op, &cold->regs);
    x64_jmp(&c->as, &cold->back);
}

X64Cold *x64_cold_eval(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    return x64_cold(c, op, r, cold_eval_fn);
}

/* ---- operands ---- */

static uint8_t number(unsigned id)
{
    return (uint8_t)(id >= X64_VEC0 ? id - X64_VEC0 : id);
}

static bool reads_whole(const X64Core *k, IrRef v, unsigned bytes)
{
    const IrOp *op = &k->r->ops[v];
    if (op->op != IR_GET || k->val[v].cls == X64_CLS_VEC) {
        return true;
    }
    return k->guest->slots[op->slot].type == IR_I64 || bytes <= 4;
}

/* Better read from memory than loaded: no use soon after this one, or no register to spare. */
static bool better_in_memory(const X64Core *k, IrRef v, unsigned bytes)
{
    const X64Val *w = &k->val[v];
    if (w->reg != X64_NONE || !w->in_mem || !reads_whole(k, v, bytes)) {
        return false;
    }
    if (k->r->ops[v].op == IR_CONST) {
        return false;
    }
    bool more = w->out_pos < X64_FAR;
    for (uint32_t u = w->uses; u && !more; u = k->uses[u].next) {
        more = k->uses[u].pos > k->pos;
    }
    return !more || !(k->free & k->allocatable[w->cls] & k->op_regs & ~k->pinned);
}

X64Arg x64_reg_operand(X64Core *k, IrRef v)
{
    return (X64Arg){.kind = X64_ARG_REG, .reg = number(x64_use(k, v, ~0ull))};
}

X64Arg x64_operand(X64Core *k, IrRef v, bool imm_ok, unsigned bytes)
{
    if (imm_ok) {
        unsigned drop = 64 - 8 * bytes;
        return (X64Arg){.kind = X64_ARG_IMM,
                        .imm = (uint64_t)((int64_t)(k->r->ops[v].imm << drop) >> drop)};
    }
    if (better_in_memory(k, v, bytes)) {
        return (X64Arg){.kind = X64_ARG_MEM, .mem = x64_home(k, v)};
    }
    return x64_reg_operand(k, v);
}

bool x64_no_use(const X64Core *k, IrRef v)
{
    return x64_dies(k, v);
}

unsigned x64_pick_dst(X64Core *k, IrRef v, uint64_t dying)
{
    const X64Val *w = &k->val[v];
    uint64_t cls = k->allocatable[w->cls] & k->op_regs;
    dying &= cls;
    if (w->hint != X64_NONE && (dying >> w->hint & 1)) {
        return w->hint;
    }
    uint64_t avail = k->free & cls & ~k->pinned;
    if (w->hint != X64_NONE && (avail >> w->hint & 1)) {
        k->pinned |= 1ull << w->hint;
        return w->hint;
    }
    if (dying) {
        uint64_t plain = dying & ~k->hinted;
        return (unsigned)__builtin_ctzll(plain ? plain : dying);
    }
    return x64_alloc(k, w->cls, ~0ull, w->hint);
}

void x64_finish_op(X64Core *k, IrRef v, unsigned dst)
{
    x64_end_op(k, v);
    if (dst != X64_NONE) {
        x64_bind_val(k, v, dst);
        k->val[v].in_mem = false;
        if (x64_dies(k, v)) {
            x64_unbind_val(k, v);
        }
    }
}

/* ---- rows ---- */

typedef struct RowState {
    IrRef a[4];        /* canonical arguments */
    uint64_t arg_regs; /* register ids of arguments */
    uint64_t dying;    /* of those that die here */
    unsigned n;
    bool tie_loaded; /* argument 0 goes straight into dst */
} RowState;

static void fixed_registers(X64Core *k, const IrOp *op, const X64Row *row, RowState *s, X64Regs *r)
{
    if (row->flags & (X64R_RDX | X64R_RCXRBX)) {
        x64_vacate(k, X64_RDX, 0);
    }
    if (row->flags & X64R_RCXRBX) {
        x64_vacate(k, X64_RCX, 0);
        x64_vacate(k, X64_RBX, 0);
    }
    if ((row->flags & X64R_RCX1) && s->n > 1 && !x64_is_const(k, s->a[1])) {
        X64Val *w = &k->val[s->a[1]];
        if (w->reg != X64_RCX) {
            x64_vacate(k, X64_RCX, 0);
            if (w->reg != X64_NONE) {
                x64_mov_rr(&k->ctx.as, 3, X64_RCX, w->reg);
            } else {
                x64_load(k, s->a[1], X64_RCX);
            }
        }
        k->pinned |= 1ull << X64_RCX;
        r->arg[1] = (X64Arg){.kind = X64_ARG_REG, .reg = X64_RCX};
    }
    (void)op;
}

static void row_args(X64Core *k, IrRef v, const X64Row *row, RowState *s, X64Regs *r)
{
    const IrOp *op = &k->r->ops[v];
    unsigned bytes = op->type == IR_I64 || op->esz == 3 ? 8 : 4;
    for (unsigned i = 0; i < s->n; i++) {
        IrRef a = s->a[i];
        uint64_t imm;
        if (!a || r->arg[i].kind) {
            continue;
        }
        if (i < 3 && (row->flags & (X64R_IMM0 << i)) && x64_is_const(k, a)) {
            unsigned b = op->type == IR_I64 ? 8 : 4;
            if ((row->flags & X64R_IMM64) || x64_imm_fits(k, a, b, &imm)) {
                r->arg[i] = x64_operand(k, a, true, b);
                continue;
            }
        }
        if (i == 0 && (row->flags & X64R_TIED) && k->val[a].reg == X64_NONE &&
            (k->r->ops[a].op == IR_CONST || better_in_memory(k, a, 8))) {
            s->tie_loaded = true;
            continue;
        }
        if (i < 3 && (row->flags & (X64R_MEM0 << i))) {
            r->arg[i] = x64_operand(k, a, false, bytes);
        } else {
            r->arg[i] = x64_reg_operand(k, a);
        }
    }
    for (unsigned i = 0; i < s->n; i++) {
        uint8_t reg = s->a[i] ? k->val[s->a[i]].reg : X64_NONE;
        if (r->arg[i].kind == X64_ARG_REG && reg != X64_NONE) {
            s->arg_regs |= 1ull << reg;
            if (x64_dies(k, s->a[i])) {
                s->dying |= 1ull << reg;
            }
        }
    }
}

/* dst of a two-address op: argument 0's register when it dies, else a copy. */
static unsigned tied_dst(X64Core *k, IrRef v, const X64Row *row, RowState *s, X64Regs *r)
{
    uint64_t bit0 = r->arg[0].kind == X64_ARG_REG ? 1ull << k->val[s->a[0]].reg : 0;
    bool two = s->n > 1 && r->arg[1].kind == X64_ARG_REG && s->a[1] && s->a[1] != s->a[0];
    uint64_t bit1 = two && k->val[s->a[1]].reg != X64_NONE ? 1ull << k->val[s->a[1]].reg : 0;
    bool rcx1 = (row->flags & X64R_RCX1) && s->n > 1 && s->a[0] == s->a[1];
    if ((row->flags & X64R_COMM) && two && bit1 && !(s->dying & bit0) && (s->dying & bit1) &&
        !s->tie_loaded) {
        X64Arg t = r->arg[0];
        r->arg[0] = r->arg[1];
        r->arg[1] = t;
        IrRef x = s->a[0];
        s->a[0] = s->a[1];
        s->a[1] = x;
        bit0 = bit1;
    }
    bool shared = false;
    for (unsigned i = 1; i < s->n; i++) {
        shared |= s->a[i] == s->a[0] && r->arg[i].kind == X64_ARG_REG && !rcx1 &&
                  !(row->flags & X64R_COMM);
    }
    if ((s->dying & bit0) && !shared && !(rcx1 && k->val[s->a[0]].reg == X64_RCX)) {
        return k->val[s->a[0]].reg;
    }
    unsigned dst = x64_pick_dst(k, v, 0);
    if (s->tie_loaded) {
        x64_load(k, s->a[0], dst);
    } else {
        x64_move(k, dst, k->val[s->a[0]].reg);
    }
    r->arg[0] = (X64Arg){.kind = X64_ARG_REG, .reg = number(dst)};
    return dst;
}

static void emit_row(X64Core *k, IrRef v, const X64Row *row)
{
    const IrOp *op = &k->r->ops[v];
    X64Regs r = {.dst = X64_NOREG};
    RowState s = {.n = ir_op_info[op->op].nargs};
    X64Cold **mark = k->cold_last;
    unsigned dst = X64_NONE;
    for (unsigned i = 0; i < s.n; i++) {
        s.a[i] = op->arg[i] ? x64_canon(k, op->arg[i]) : IR_NONE;
    }
    if (row->flags & X64R_HI) {
        k->op_regs = ~0ull;
    }
    fixed_registers(k, op, row, &s, &r);
    row_args(k, v, row, &s, &r);
    for (unsigned i = 0; i < row->n_gtmp; i++) {
        r.gtmp[i] = (uint8_t)x64_alloc(k, X64_CLS_GPR, ~0ull, X64_NONE);
    }
    for (unsigned i = 0; i < row->n_vtmp; i++) {
        r.vtmp[i] = number(x64_alloc(k, X64_CLS_VEC, ~0ull, X64_NONE));
    }
    if (op->type != IR_VOID) {
        if (row->flags & X64R_TIED) {
            dst = tied_dst(k, v, row, &s, &r);
        } else {
            dst = x64_pick_dst(k, v, row->flags & X64R_EARLY ? 0 : s.dying);
        }
        r.dst = number(dst);
    }
    row->emit(&k->ctx, op, &r);
    bind_backs(k, *mark);
    if (row->flags & X64R_EFLAGS) {
        k->fl.kind = 0;
    }
    x64_finish_op(k, v, dst);
}

/* No native code: the definition of the op is called, arguments from wherever they are. */
static void emit_eval(X64Core *k, IrRef v)
{
    const IrOp *op = &k->r->ops[v];
    X64Regs r = {.dst = X64_NOREG};
    unsigned dst = X64_NONE;
    k->op_regs = ~0ull;
    for (unsigned i = 0; i < ir_op_info[op->op].nargs; i++) {
        IrRef a = op->arg[i] ? x64_canon(k, op->arg[i]) : IR_NONE;
        if (!a) {
            continue;
        }
        if (k->r->ops[a].op == IR_CONST) {
            r.arg[i] = (X64Arg){.kind = X64_ARG_IMM, .imm = k->r->ops[a].imm};
        } else if (k->val[a].reg == X64_NONE && k->val[a].in_mem && reads_whole(k, a, 8)) {
            r.arg[i] = (X64Arg){.kind = X64_ARG_MEM, .mem = x64_home(k, a)};
        } else {
            r.arg[i] = x64_reg_operand(k, a);
        }
    }
    if (op->type != IR_VOID) {
        dst = x64_pick_dst(k, v, 0);
        r.dst = number(dst);
    }
    x64_call_eval(&k->ctx, op, &r);
    k->fl.kind = 0;
    x64_finish_op(k, v, dst);
}

/* a + (b << n) */
static void emit_scaled_add(X64Core *k, IrRef v)
{
    const IrOp *op = &k->r->ops[v], *shl = &k->r->ops[x64_scaled(k, v)];
    IrRef a = x64_canon(k, op->arg[0]), b = x64_canon(k, shl->arg[0]);
    unsigned ra = x64_reg_operand(k, a).reg, rb = x64_reg_operand(k, b).reg;
    unsigned n = (unsigned)k->r->ops[x64_canon(k, shl->arg[1])].imm;
    uint64_t dying = (x64_dies(k, a) ? 1ull << ra : 0) | (x64_dies(k, b) ? 1ull << rb : 0);
    unsigned dst = x64_pick_dst(k, v, dying);
    x64_lea(&k->ctx.as, op->type == IR_I64 ? 3 : 2, dst, x64_mem_idx(ra, rb, n, 0));
    x64_finish_op(k, v, dst);
}

static void emit_fcmp_flags(X64Core *k, IrRef v);

void x64_emit_op(X64Core *k, IrRef v)
{
    const IrOp *op = &k->r->ops[v];
    const X64Val *w = &k->val[v];
    switch (op->op) {
    case IR_NOP:
    case IR_INSN:
    case IR_PHI:
    case IR_GET:
    case IR_CONST:
    case IR_VCONST:
    case IR_COPY:
    case IR_VLO:
    case IR_FL_UNPACK: return;
    case IR_VZEXT:
        if (w->need != X64_NEED_EMIT || w->canon != v) {
            return;
        }
        break;
    case IR_FL_FCMP:
        if (w->need != X64_NEED_EMIT) {
            emit_fcmp_flags(k, v);
            return;
        }
        break;
    default:
        if (w->need != X64_NEED_EMIT || w->fused) {
            return;
        }
    }
    switch (op->op) {
    case IR_CMP:
    case IR_FL_COND: x64_emit_cond(k, v); return;
    case IR_FCMP:
        if (x64_fcmp_native(&k->ctx, op)) {
            x64_emit_cond(k, v);
            return;
        }
        break;
    case IR_SELECT: x64_emit_select(k, v); return;
    case IR_FL_FCMP:
        if (!x64_operand_form(k, v)) {
            break;
        }
        x64_emit_flags(k, v);
        return;
    case IR_FL_ADD:
    case IR_FL_SUB:
    case IR_FL_SUBB:
    case IR_FL_ADC:
    case IR_FL_SBC:
    case IR_FL_LOGIC:
    case IR_FL_PACK:
    case IR_FL_SEL:
    case IR_FL_SBB:
    case IR_FL_MULS:
    case IR_FL_SHL:
    case IR_FL_SHR:
    case IR_FL_SAR:
    case IR_FL_MIX: x64_emit_flags(k, v); return;
    default:
        if ((op->op >= IR_LD && op->op <= IR_PREFETCH && x64_emit_mem(k, v)) ||
            (op->op >= IR_POLL && x64_emit_exit(k, v)) ||
            (op->op >= IR_CALL && op->op <= IR_CALLS && x64_emit_call(k, v))) {
            return;
        }
    }
    if (x64_scaled(k, v)) {
        emit_scaled_add(k, v);
    } else if (w->row) {
        emit_row(k, v, w->row);
    } else {
        emit_eval(k, v);
    }
}

/* An FCMP whose flags are recipes: it still has to raise, unless its consumer right behind does. */
static void emit_fcmp_flags(X64Core *k, IrRef v)
{
    const IrOp *op = &k->r->ops[v];
    for (IrRef u = op->next; u; u = k->r->ops[u].next) {
        const IrOp *o = &k->r->ops[u];
        if (o->op == IR_BRC || o->op == IR_SELECT) {
            IrRef c = x64_canon(k, o->arg[0]);
            if (k->val[c].fused && k->val[u].need == X64_NEED_EMIT &&
                k->r->ops[c].op == IR_FL_COND && x64_canon(k, k->r->ops[c].arg[0]) == v) {
                x64_end_op(k, v);
                return;
            }
        }
        if (o->op != IR_INSN && !ir_has_attr(o, IRA_PURE)) {
            break;
        }
    }
    X64Arg a[2] = {x64_reg_operand(k, x64_canon(k, op->arg[0])),
                   x64_reg_operand(k, x64_canon(k, op->arg[1]))};
    x64_set_eflags(k, op, a);
    x64_end_op(k, v);
}
