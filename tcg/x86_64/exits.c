/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leaving a region: where the stale slots' values are, storing them, links, indirect jumps, the
 * return ring, polls; and calls of helpers.
 */
#include <assert.h>
#include <string.h>

#include "tcg/x86_64/core.h"

/* ---- locations ---- */

static TcgLoc value_loc(X64Core *k, unsigned slot, IrRef v);

/* A recipe or constant that stands in the tables already is used again if it is one of the last. */
enum { LOOK_BACK = 4 };

static uint32_t add_recipe(X64Core *k, IrRef v)
{
    const IrOp *op = &k->r->ops[v];
    TcgRecipe rec = {.info = x64_info(op), .imm = op->imm};
    for (unsigned i = 0; i < ir_op_info[op->op].nargs; i++) {
        rec.arg[i] = value_loc(k, 0xffff, x64_canon(k, op->arg[i]));
    }
    for (uint32_t i = k->n_recipes; i > 0 && i + LOOK_BACK > k->n_recipes; i--) {
        if (k->recipe_ops[i - 1] == v && memcmp(&k->recipes[i - 1], &rec, sizeof(rec)) == 0) {
            return i - 1;
        }
    }
    uint32_t n = k->n_recipes;
    *X64_PUSH(k, k->recipe_ops, n, k->cap_recipe_ops) = v;
    *X64_PUSH(k, k->recipes, k->n_recipes, k->cap_recipes) = rec;
    return k->n_recipes - 1;
}

static uint32_t add_const(X64Core *k, uint64_t c)
{
    for (uint32_t i = k->n_consts; i > 0 && i + LOOK_BACK > k->n_consts; i--) {
        if (k->consts[i - 1] == c) {
            return i - 1;
        }
    }
    *X64_PUSH(k, k->consts, k->n_consts, k->cap_consts) = c;
    return k->n_consts - 1;
}

static TcgLoc value_loc(X64Core *k, unsigned slot, IrRef v)
{
    const IrOp *op = &k->r->ops[v];
    const X64Val *w = &k->val[v];
    TcgLoc l = {.slot = (uint16_t)slot};
    if (op->op == IR_CONST) {
        l.kind = TCG_LOC_CONST;
        l.imm = add_const(k, op->imm);
    } else if (op->op == IR_VCONST || w->need == X64_NEED_LAZY) {
        l.kind = TCG_LOC_RECIPE;
        l.imm = add_recipe(k, v);
    } else if (w->reg != X64_NONE) {
        l.kind = w->reg >= X64_VEC0 ? TCG_LOC_VEC : TCG_LOC_GPR;
        l.reg = (uint8_t)(w->reg >= X64_VEC0 ? w->reg - X64_VEC0 : w->reg);
    } else if (op->op == IR_GET) {
        l.kind = TCG_LOC_SLOT;
        l.imm = op->slot;
    } else {
        assert(w->in_mem);
        l.kind = TCG_LOC_SPILL;
        l.imm = x64_spill_slot(k, v) - 1u;
    }
    return l;
}

static bool same_locs(const TcgLoc *a, const TcgLoc *b, uint32_t n)
{
    while (n && a->slot == b->slot && a->kind == b->kind && a->reg == b->reg && a->imm == b->imm) {
        a++, b++, n--;
    }
    return !n;
}

X64Locs x64_capture(X64Core *k, uint32_t snap)
{
    X64Locs l = {k->n_locs, 0};
    const IrSnap *s = &k->r->snaps[snap];
    const IrSnapEntry *e = &k->r->snap_entries[s->first], *end = e + (snap ? s->n : 0);
    if (k->n_locs + s->n > k->cap_locs) {
        k->locs = arena_grow(k->arena, k->locs, &k->cap_locs, k->n_locs + s->n, sizeof(*k->locs));
    }
    for (; e < end; e++) {
        IrRef v = x64_canon(k, e->val);
        unsigned reg = k->val[v].reg;
        if (k->r->ops[v].op == IR_GET && k->r->ops[v].slot == e->slot) {
            continue;
        }
        TcgLoc *out = &k->locs[k->n_locs++];
        if (reg == X64_NONE) {
            *out = value_loc(k, e->slot, v);
        } else if (reg < X64_VEC0) {
            *out = (TcgLoc){.slot = e->slot, .kind = TCG_LOC_GPR, .reg = (uint8_t)reg};
        } else {
            *out = (TcgLoc){.slot = e->slot, .kind = TCG_LOC_VEC, .reg = (uint8_t)(reg - X64_VEC0)};
        }
    }
    l.n = k->n_locs - l.first;
    X64Locs *last = &k->last_capture;
    if (last->n == l.n && last->first + l.n <= l.first &&
        same_locs(&k->locs[last->first], &k->locs[l.first], l.n)) {
        k->n_locs = l.first; /* nothing moved since the last one */
        return *last;
    }
    *last = l;
    return l;
}

void x64_fault_point(X64Core *k, const IrOp *op, X64Locs l)
{
    *X64_PUSH(k, k->faults, k->n_faults, k->cap_faults) =
        (TcgFaultPoint){.host_off = x64_offset(&k->ctx.as),
                        .loc = l.first,
                        .n_loc = l.n,
                        .pc = op->snap ? k->r->snaps[op->snap].pc : 0};
}

/* ---- storing state ---- */

static X64Mem slot_mem(const X64Core *k, unsigned slot)
{
    return x64_cpu_mem(k->guest->slots[slot].offset);
}

static uint32_t temp_spill(X64Core *k)
{
    for (unsigned i = TCG_SPILLS - 2; i > 0; i -= 2) {
        if (!(k->spill_used[i / 64] >> (i % 64) & 3)) {
            k->spill_used[i / 64] |= 3ull << (i % 64);
            return i;
        }
    }
    k->out_of_spills = true;
    return 0;
}

static X64Arg loc_arg(X64Core *k, const TcgLoc *l)
{
    switch (l->kind) {
    case TCG_LOC_GPR:
    case TCG_LOC_VEC: return (X64Arg){.kind = X64_ARG_REG, .reg = l->reg};
    case TCG_LOC_SPILL: return (X64Arg){.kind = X64_ARG_MEM, .mem = x64_spill_mem(l->imm + 1)};
    case TCG_LOC_CONST: return (X64Arg){.kind = X64_ARG_IMM, .imm = k->consts[l->imm]};
    default: return (X64Arg){.kind = X64_ARG_MEM, .mem = slot_mem(k, l->imm)};
    }
}

/* A big constant as an operand of an instruction: from the pool. */
static void tame_imm(X64Core *k, X64Arg *a, unsigned bytes)
{
    if (a->kind != X64_ARG_IMM) {
        return;
    }
    a->imm = (uint64_t)((int64_t)(a->imm << (64 - 8 * bytes)) >> (64 - 8 * bytes));
    if (!x64_fits_i32(a->imm)) {
        *a = (X64Arg){.kind = X64_ARG_MEM, .mem = x64_const16(&k->ctx, a->imm, 0)};
    }
}

static unsigned vec_in_reg(X64Core *k, const X64Arg *a, unsigned type)
{
    if (a->kind == X64_ARG_REG) {
        return a->reg;
    }
    x64_ld_vec(&k->ctx, type, X64_VTMP, a->mem);
    return X64_VTMP;
}

static bool flags_recipe(X64Core *k, const IrOp *op, X64Arg *a)
{
    X64Asm *as = &k->ctx.as;
    switch (op->op) {
    case IR_FL_MIX:
        tame_imm(k, &a[0], 4);
        tame_imm(k, &a[1], 4);
        x64_mix_flags(k, op, a);
        return true;
    case IR_FL_SEL:
        x64_mov_arg(k, 4, X64_TMP, &a[2]);
        if (a[1].kind == X64_ARG_IMM) {
            a[1] = (X64Arg){.kind = X64_ARG_MEM, .mem = x64_const16(&k->ctx, a[1].imm, 0)};
        }
        if (a[0].kind == X64_ARG_IMM) {
            x64_alu_rr(as, 2, X64_ALU_CMP, X64_TMP, X64_TMP);
            if (a[0].imm & 1) {
                x64_mov_arg(k, 4, X64_TMP, &a[1]);
            }
            return true;
        }
        if (a[0].kind == X64_ARG_MEM) {
            x64_test_mi(as, 2, a[0].mem, 1);
        } else {
            x64_test_ri(as, 2, a[0].reg, 1);
        }
        if (a[1].kind == X64_ARG_MEM) {
            x64_cmov_rm(as, 2, X64_NE, X64_TMP, a[1].mem);
        } else {
            x64_cmov_rr(as, 2, X64_NE, X64_TMP, a[1].reg);
        }
        return true;
    case IR_FL_FCMP: {
        /* a in its register or xmm15; b likewise: when both are in memory one goes through rax */
        unsigned t = op->esz == 3 ? IR_F64 : op->esz == 2 ? IR_F32 : IR_F16;
        for (unsigned i = 0; i < 2; i++) {
            if (a[i].kind == X64_ARG_REG && a[i].reg >= 16) {
                size_t off = offsetof(TcgCpu, call_arg) + (i + 1) * sizeof(IrVec);
                X64Mem m = x64_cpu_mem((uint32_t)off);
                x64_st_vec(&k->ctx, IR_V128, a[i].reg, m);
                a[i] = (X64Arg){.kind = X64_ARG_MEM, .mem = m};
            }
        }
        if (a[0].kind == X64_ARG_MEM && a[1].kind == X64_ARG_MEM) {
            X64Arg home = a[1];
            unsigned r1 = 14; /* borrowed: saved around the compare */
            x64_st_vec(&k->ctx, IR_V128, r1, x64_cpu_mem(offsetof(TcgCpu, call_arg[3])));
            x64_ld_vec(&k->ctx, t, r1, home.mem);
            unsigned r0 = vec_in_reg(k, &a[0], t);
            x64_fcmp_emit(&k->ctx, op->esz, IR_F_GT | (op->sub & IR_F_S), r0, r1);
            x64_ld_vec(&k->ctx, IR_V128, r1, x64_cpu_mem(offsetof(TcgCpu, call_arg[3])));
        } else {
            unsigned r0 = vec_in_reg(k, &a[0], t), r1 = vec_in_reg(k, &a[1], t);
            x64_fcmp_emit(&k->ctx, op->esz, IR_F_GT | (op->sub & IR_F_S), r0, r1);
        }
        x64_pack_eflags(k, op);
        return true;
    }
    case IR_FL_ADD:
    case IR_FL_SUB:
    case IR_FL_SUBB:
    case IR_FL_ADC:
    case IR_FL_SBC:
    case IR_FL_LOGIC:
    case IR_FL_SBB:
    case IR_FL_MULS:
    case IR_FL_SHL:
    case IR_FL_SHR:
    case IR_FL_SAR:
        for (unsigned i = 0; i < 2; i++) {
            if (i || a[0].kind != X64_ARG_IMM) {
                tame_imm(k, &a[i], 1u << op->esz);
            }
        }
        x64_set_eflags(k, op, a);
        x64_pack_eflags(k, op);
        return true;
    default: return false;
    }
}

/* The recipe's value into rax or xmm15. */
static void emit_recipe(X64Core *k, uint32_t idx)
{
    X64Asm *as = &k->ctx.as;
    TcgRecipe rec = k->recipes[idx];
    const IrOp *op = &k->r->ops[k->recipe_ops[idx]];
    X64Arg a[4];
    unsigned n = ir_op_info[op->op].nargs;
    for (unsigned i = 0; i < n; i++) {
        TcgLoc *l = &rec.arg[i];
        if (l->kind == TCG_LOC_RECIPE) {
            const IrOp *sub = &k->r->ops[k->recipe_ops[l->imm]];
            uint32_t s = temp_spill(k);
            emit_recipe(k, l->imm);
            bool vec = ir_type_is_vec(sub->type);
            x64_store_home(k, vec ? X64_VEC0 + (unsigned)X64_VTMP : (unsigned)X64_TMP,
                           vec ? IR_V128 : IR_I64, x64_spill_mem(s + 1));
            *l = (TcgLoc){.kind = TCG_LOC_SPILL, .imm = s};
        }
        a[i] = loc_arg(k, l);
    }
    if (flags_recipe(k, op, a)) {
        k->fl.kind = 0;
        return;
    }
    k->fl.kind = op->op == IR_ADD ? 0 : k->fl.kind;
    switch (op->op) {
    case IR_VCONST:
        x64_vconst(&k->ctx, X64_VTMP, op->imm, op->flags & IRF_HALF ? 0 : op->imm);
        break;
    case IR_ADD: {
        unsigned bytes = op->type == IR_I64 ? 8 : 4;
        tame_imm(k, &a[1], bytes);
        if (a[0].kind == X64_ARG_REG && a[1].kind != X64_ARG_MEM) {
            x64_lea(as, bytes == 8 ? 3 : 2, X64_TMP,
                    a[1].kind == X64_ARG_IMM ? x64_mem(a[0].reg, (int32_t)a[1].imm)
                                             : x64_mem_idx(a[0].reg, a[1].reg, 0, 0));
            break;
        }
        x64_mov_arg(k, bytes, X64_TMP, &a[0]);
        x64_alu_arg(k, bytes, X64_ALU_ADD, X64_TMP, &a[1]);
        break;
    }
    case IR_ZEXT:
        if (a[0].kind == X64_ARG_REG) {
            x64_movzx_rr(as, op->esz, X64_TMP, a[0].reg);
        } else if (a[0].kind == X64_ARG_MEM) {
            x64_movzx_rm(as, op->esz, X64_TMP, a[0].mem);
        } else {
            uint64_t mask = ~0ull >> (64 - (8u << op->esz));
            x64_mov_ri(as, X64_TMP, a[0].imm & mask);
        }
        break;
    default: { /* VZEXT, VLOW64 */
        unsigned esz = op->op == IR_VLOW64 ? 3 : op->esz;
        if (a[0].kind == X64_ARG_MEM) {
            x64_ld_vec(&k->ctx, esz == 3 ? IR_F64 : esz == 2 ? IR_F32 : IR_F16, X64_VTMP, a[0].mem);
        } else if (esz == 3) {
            x64_v2(as, XV_MOVQX, X64_VTMP, a[0].reg);
        } else {
            x64_v2(as, XV_MOVD_S, a[0].reg, X64_TMP);
            if (esz == 1) {
                x64_movzx_rr(as, 1, X64_TMP, X64_TMP);
            }
            x64_v2(as, XV_MOVD_L, X64_VTMP, X64_TMP);
        }
        break;
    }
    }
}

static void store_slot(X64Core *k, const TcgLoc *l)
{
    X64Asm *as = &k->ctx.as;
    unsigned type = k->guest->slots[l->slot].type;
    X64Mem m = slot_mem(k, l->slot);
    unsigned sz = type == IR_I64 ? 3 : 2;
    bool vec = ir_type_is_vec(type);
    X64Arg a = {.kind = X64_ARG_REG, .reg = vec ? X64_VTMP : X64_TMP};
    if (l->kind == TCG_LOC_RECIPE) {
        emit_recipe(k, l->imm);
    } else {
        a = loc_arg(k, l);
    }
    if (vec) {
        x64_st_vec(&k->ctx, type, vec_in_reg(k, &a, type), m);
        return;
    }
    if (a.kind == X64_ARG_IMM && (sz == 2 || x64_fits_i32(a.imm))) {
        x64_mov_mi(as, sz, m, (int32_t)a.imm);
        return;
    }
    if (a.kind != X64_ARG_REG) {
        x64_mov_arg(k, 1u << sz, X64_TMP, &a);
        a.reg = X64_TMP;
    }
    x64_mov_mr(as, sz, m, a.reg);
}

enum { ANY_SLOT = 0xffff };

/* Does location l (or a recipe's argument) read the memory of slot s? */
static bool reads_slot(const X64Core *k, const TcgLoc *l, unsigned s)
{
    if (l->kind == TCG_LOC_SLOT) {
        return l->imm == s || s == ANY_SLOT;
    }
    if (l->kind == TCG_LOC_RECIPE) {
        const TcgRecipe *rec = &k->recipes[l->imm];
        for (unsigned i = 0; i < ir_op_info[x64_info_op(rec->info)].nargs; i++) {
            if (reads_slot(k, &rec->arg[i], s)) {
                return true;
            }
        }
    }
    return false;
}

/* Computes what depends on slot memory into a spill slot, to break a cycle of slots. */
static void detach(X64Core *k, TcgLoc *l)
{
    unsigned type = k->guest->slots[l->slot].type;
    bool vec = ir_type_is_vec(type);
    uint32_t s = temp_spill(k);
    X64Mem m = x64_spill_mem(s + 1);
    if (l->kind == TCG_LOC_RECIPE) {
        emit_recipe(k, l->imm);
    } else {
        X64Mem src = slot_mem(k, l->imm);
        if (vec) {
            x64_ld_vec(&k->ctx, type, X64_VTMP, src);
        } else {
            x64_mov_rm(&k->ctx.as, type == IR_I64 ? 3 : 2, X64_TMP, src);
        }
    }
    x64_store_home(k, vec ? X64_VEC0 + (unsigned)X64_VTMP : (unsigned)X64_TMP,
                   vec ? IR_V128 : IR_I64, m);
    l->kind = TCG_LOC_SPILL;
    l->imm = s;
}

/* Slot i may not be written yet: another location still reads it. */
static bool store_blocked(const X64Core *k, const TcgLoc *todo, unsigned n, unsigned i)
{
    for (unsigned j = 0; j < n; j++) {
        if (j != i && reads_slot(k, &todo[j], todo[i].slot)) {
            return true;
        }
    }
    return false;
}

/* The recipe just computed, in rax or xmm15, to another slot. */
static void store_computed(X64Core *k, unsigned slot)
{
    unsigned type = k->guest->slots[slot].type;
    if (ir_type_is_vec(type)) {
        x64_st_vec(&k->ctx, type, X64_VTMP, slot_mem(k, slot));
    } else {
        x64_mov_mr(&k->ctx.as, type == IR_I64 ? 3 : 2, slot_mem(k, slot), X64_TMP);
    }
}

/* One value in several slots is one recipe: computed once, the others copy the register. */
static void share_recipes(X64Core *k, TcgLoc *l, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        for (unsigned j = 0; l[i].kind == TCG_LOC_RECIPE && j < i; j++) {
            if (l[j].kind == TCG_LOC_RECIPE && k->recipe_ops[l[j].imm] == k->recipe_ops[l[i].imm]) {
                l[i].imm = l[j].imm;
                break;
            }
        }
    }
}

/* The flags of op are those EFLAGS hold, or those of a comparison with 0 that TEST makes again. */
static bool flags_at_hand(const X64Core *k, const IrOp *op)
{
    const X64Eflags *fl = &k->fl;
    if (fl->kind != IR_CMP || fl->esz != op->esz || fl->a != x64_canon(k, op->arg[0])) {
        return false;
    }
    if (op->op == IR_FL_LOGIC) {
        return x64_is_const(k, fl->b) && k->r->ops[fl->b].imm == 0 && k->val[fl->a].reg != X64_NONE;
    }
    return (op->op == IR_FL_SUB || op->op == IR_FL_SUBB) && fl->b == x64_canon(k, op->arg[1]);
}

static bool recipe_keeps_eflags(const X64Core *k, uint32_t idx, bool *carry)
{
    const TcgRecipe *rec = &k->recipes[idx];
    const IrOp *op = &k->r->ops[k->recipe_ops[idx]];
    switch (op->op) {
    case IR_ADD: /* LEA */
        return rec->arg[0].kind == TCG_LOC_GPR &&
               (rec->arg[1].kind == TCG_LOC_GPR ||
                (rec->arg[1].kind == TCG_LOC_CONST && x64_fits_i32(k->consts[rec->arg[1].imm])));
    case IR_FL_SUB: *carry = true; return flags_at_hand(k, op);
    case IR_FL_SUBB:
    case IR_FL_LOGIC: return flags_at_hand(k, op);
    default: return false;
    }
}

bool x64_store_before_jump(X64Core *k, X64Locs locs, unsigned cc)
{
    X64Eflags fl = k->fl;
    bool carry = false;
    for (uint32_t i = 0; i < locs.n; i++) {
        const TcgLoc *l = &k->locs[locs.first + i];
        if (l->kind == TCG_LOC_RECIPE && !recipe_keeps_eflags(k, l->imm, &carry)) {
            return false;
        }
    }
    x64_store_locs(k, locs);
    if (carry && (cc == X64_B || cc == X64_AE || cc == X64_BE || cc == X64_A)) {
        x64_cmc(&k->ctx.as); /* packing inverted it */
    }
    k->fl = fl;
    return true;
}

void x64_store_locs(X64Core *k, X64Locs locs)
{
    TcgLoc todo[IR_MAX_SLOTS];
    uint64_t spills[TCG_SPILLS / 64];
    unsigned n = locs.n;
    memcpy(spills, k->spill_used, sizeof(spills));
    if (n) {
        memcpy(todo, &k->locs[locs.first], n * sizeof(TcgLoc));
    }
    bool slots = false;
    unsigned recipes = 0;
    for (unsigned i = 0; i < n; i++) {
        slots |= todo[i].kind >= TCG_LOC_RECIPE && reads_slot(k, &todo[i], ANY_SLOT);
        if (todo[i].kind != TCG_LOC_RECIPE) {
            continue;
        }
        recipes++;
        if (i && k->guest->slots[todo[i].slot].type == IR_FLAGS) {
            TcgLoc t = todo[0]; /* flags first: EFLAGS may still hold the comparison */
            todo[0] = todo[i];
            todo[i] = t;
        }
    }
    if (recipes > 1) {
        share_recipes(k, todo, n);
    }
    while (n) {
        bool any = false;
        for (unsigned i = 0; i < n; i++) {
            if (slots && store_blocked(k, todo, n, i)) {
                continue;
            }
            TcgLoc l = todo[i];
            store_slot(k, &l);
            todo[i--] = todo[--n];
            any = true;
            for (unsigned j = 0; l.kind == TCG_LOC_RECIPE && j < n; j++) {
                if (todo[j].kind == TCG_LOC_RECIPE && todo[j].imm == l.imm &&
                    !store_blocked(k, todo, n, j)) {
                    store_computed(k, todo[j].slot);
                    todo[j--] = todo[--n];
                    i = ~0u; /* the list changed: look through it again */
                }
            }
        }
        for (unsigned i = 0; !any && i < n; i++) {
            if (todo[i].kind == TCG_LOC_SLOT || todo[i].kind == TCG_LOC_RECIPE) {
                detach(k, &todo[i]);
                any = true;
            }
        }
        assert(any);
    }
    memcpy(k->spill_used, spills, sizeof(spills));
}

static void mov_mi64(X64Core *k, X64Mem m, uint64_t v)
{
    if (x64_fits_i32(v)) {
        x64_mov_mi(&k->ctx.as, 3, m, (int32_t)v);
    } else {
        x64_mov_ri(&k->ctx.as, X64_TMP, v);
        x64_mov_mr(&k->ctx.as, 3, m, X64_TMP);
    }
}

void x64_store_pc(X64Core *k, uint64_t pc)
{
    mov_mi64(k, slot_mem(k, k->guest->pc_slot), pc);
}

/* exit_reason and exit_info, and out. */
void x64_leave(X64Core *k, unsigned reason, uint64_t info)
{
    X64Asm *as = &k->ctx.as;
    x64_mov_mi(as, 2, x64_cpu_mem(offsetof(TcgCpu, exit_reason)), (int32_t)reason);
    mov_mi64(k, x64_cpu_mem(offsetof(TcgCpu, exit_info)), info);
    x64_jmp_abs(as, k->buf->rx + x64_fixed(k->buf)->leave);
}

X64Cold *x64_core_cold(X64Core *k, const IrOp *op, X64ColdFn fn, X64Locs l, uint64_t arg)
{
    X64Cold *c = x64_cold(&k->ctx, op, NULL, fn);
    c->locs.first = l.first;
    c->locs.n = l.n;
    c->arg = arg;
    return c;
}

static void poll_stub(X64Ctx *c, X64Cold *cold)
{
    X64Core *k = c->core;
    x64_store_locs(k, (X64Locs){cold->locs.first, cold->locs.n});
    x64_store_pc(k, k->r->snaps[cold->op->snap].pc);
    x64_leave(k, TCG_EXIT_POLL, 0);
}

static X64Mem cpu_field(size_t off)
{
    return x64_cpu_mem((uint32_t)off);
}

static void poll(X64Core *k, const IrOp *op)
{
    X64Cold *cold = x64_core_cold(k, op, poll_stub, x64_capture(k, op->snap), 0);
    x64_alu_mi(&k->ctx.as, 2, X64_ALU_CMP, cpu_field(offsetof(TcgCpu, request)), 0);
    x64_jcc(&k->ctx.as, X64_NE, &cold->entry);
    k->fl.kind = 0;
}

/* The first block that does something polls by itself: a loop head. */
static bool polls_at_once(const IrRegion *r)
{
    IrBlk b = r->rpo[0];
    for (unsigned n = 0; n < 3; n++) {
        for (IrRef v = r->blocks[b].first; v; v = r->ops[v].next) {
            unsigned op = r->ops[v].op;
            if (op == IR_POLL) {
                return true;
            }
            if (op == IR_BR) {
                b = r->blocks[b].succ[0];
                break;
            }
            if (op != IR_PHI && op != IR_GET && op != IR_CONST && op != IR_VCONST) {
                return false;
            }
        }
    }
    return false;
}

/* lea rax, [data]; jmp code. Each region has some: written as bytes, for speed. */
static void load_and_jump(X64Asm *as, const void *data, const uint8_t *code)
{
    uint8_t b[X64_ENTRY_STUB] = {0x48, 0x8d, 0x05, [7] = 0xe9};
    const uint8_t *rx = x64_rx(as);
    uint32_t to_data = (uint32_t)((const uint8_t *)data - (rx + 7));
    uint32_t to_code = (uint32_t)(code - (rx + 12));
    memcpy(b + 3, &to_data, 4);
    memcpy(b + 8, &to_code, 4);
    x64_bytes(as, b, sizeof(b));
}

/* cmp dword [rbp + request], 0; jne out. `out`: as bytes before this, at most 127. */
static void entry_poll(X64Asm *as, int out)
{
    uint8_t b[9] = {0x83, 0xbd, [7] = 0x75};
    int32_t disp = (int32_t)offsetof(TcgCpu, request) - TCG_CPU_BIAS;
    memcpy(b + 2, &disp, 4);
    b[8] = (uint8_t)(-out - (int)sizeof(b));
    x64_bytes(as, b, sizeof(b));
}

/* sub dword [counter], 1; js out */
static void entry_count(X64Asm *as, const int32_t *counter, int out)
{
    uint8_t b[9] = {0x83, 0x2d, [6] = 1, [7] = 0x78};
    uint32_t to = (uint32_t)((const uint8_t *)counter - (x64_rx(as) + 7));
    memcpy(b + 2, &to, 4);
    b[8] = (uint8_t)(-out - (int)sizeof(b));
    x64_bytes(as, b, sizeof(b));
}

void x64_emit_entry(X64Core *k, uint32_t heat)
{
    X64Asm *as = &k->ctx.as, stub;
    if (!heat && polls_at_once(k->r)) {
        return;
    }
    size_t off = x64_data_alloc(k, sizeof(TcgEntry), 8);
    if (k->data_full) {
        return;
    }
    TcgEntry *entry = (TcgEntry *)(void *)(k->buf->data + off);
    entry->pc = k->r->pc;
    uint8_t *out = as->start - X64_ENTRY_STUB;
    x64_asm_init(&stub, out, 2 * X64_ENTRY_STUB, out + as->delta, false);
    load_and_jump(&stub, entry, k->buf->rx + x64_fixed(k->buf)->entry_miss);
    entry_poll(as, X64_ENTRY_STUB);
    if (heat) {
        uint8_t *end = k->buf->data + k->buf->data_bytes - k->buf->counter_bytes;
        k->counter = (int32_t *)(void *)end - 1;
        *k->counter = (int32_t)heat;
        entry_count(as, k->counter, X64_ENTRY_STUB + 9);
    }
}

/* ---- links ---- */

TcgLink *x64_new_link(X64Core *k, uint64_t pc)
{
    TcgLink *l = &k->links[k->n_links++];
    l->pc = pc;
    return l;
}

void x64_link_stubs(X64Core *k)
{
    X64Asm *as = &k->ctx.as;
    for (uint32_t i = 0; i < k->n_links; i++) {
        TcgLink *l = &k->links[i];
        l->stub = x64_rx(as);
        l->dest = l->stub;
        load_and_jump(as, l, k->buf->rx + x64_fixed(k->buf)->link_miss);
    }
}

/* System mode: a direct link stays on the page of the region's entry, whose mapping is known. */
static bool leaves_page(const X64Core *k, uint64_t pc)
{
    return k->r->soft_tlb && (pc ^ k->r->pc) >> 12;
}

static void push_ret(X64Core *k, IrRef v)
{
    X64Asm *as = &k->ctx.as;
    const IrOp *op = &k->r->ops[v];
    if (leaves_page(k, op->imm)) { /* nothing to push: the return looks in the jump cache */
        x64_finish_op(k, v, X64_NONE);
        return;
    }
    TcgLink *l = x64_new_link(k, op->imm);
    unsigned t = x64_alloc(k, X64_CLS_GPR, ~0ull, X64_NONE);
    int32_t ring = (int32_t)offsetof(TcgCpu, ring) - TCG_CPU_BIAS;
    x64_mov_rm(as, 2, X64_TMP, cpu_field(offsetof(TcgCpu, ring_top)));
    x64_alu_ri(as, 2, X64_ALU_ADD, X64_TMP, sizeof(TcgJumpEntry));
    x64_alu_ri(as, 2, X64_ALU_AND, X64_TMP, (TCG_RING - 1) * (int)sizeof(TcgJumpEntry));
    x64_mov_mr(as, 2, cpu_field(offsetof(TcgCpu, ring_top)), X64_TMP);
    X64Mem e = x64_mem_idx(X64_RBP, X64_TMP, 0, ring);
    if (x64_fits_i32(op->imm)) {
        x64_mov_mi(as, 3, e, (int32_t)op->imm);
    } else {
        x64_mov_ri(as, t, op->imm);
        x64_mov_mr(as, 3, e, t);
    }
    x64_mov_rm(as, 3, t, x64_mem_rip(l));
    e.disp += 8;
    x64_mov_mr(as, 3, e, t);
    k->fl.kind = 0;
    x64_finish_op(k, v, X64_NONE);
}

/* ---- exits ---- */

static void exit_ind(X64Core *k, IrRef v)
{
    X64Asm *as = &k->ctx.as;
    const IrOp *op = &k->r->ops[v];
    unsigned ra = x64_reg_operand(k, x64_canon(k, op->arg[0])).reg;
    X64Locs l = x64_capture(k, op->snap);
    x64_store_locs(k, l);
    unsigned t = ra == X64_RCX ? X64_RDX : X64_RCX;
    if (op->sub == IR_J_RET) {
        int32_t ring = (int32_t)offsetof(TcgCpu, ring) - TCG_CPU_BIAS;
        X64Label miss = {0, 0};
        x64_mov_rm(as, 2, t, cpu_field(offsetof(TcgCpu, ring_top)));
        x64_alu_rm(as, 3, X64_ALU_CMP, ra, x64_mem_idx(X64_RBP, t, 0, ring));
        x64_jcc(as, X64_NE, &miss);
        x64_lea(as, 2, X64_TMP, x64_mem(t, -(int32_t)sizeof(TcgJumpEntry)));
        x64_alu_ri(as, 2, X64_ALU_AND, X64_TMP, (TCG_RING - 1) * (int)sizeof(TcgJumpEntry));
        x64_mov_mr(as, 2, cpu_field(offsetof(TcgCpu, ring_top)), X64_TMP);
        x64_jmp_m(as, x64_mem_idx(X64_RBP, t, 0, ring + 8));
        x64_bind(as, &miss);
    }
    int32_t jc = (int32_t)offsetof(TcgCpu, jump_cache) - TCG_CPU_BIAS;
    unsigned base = X64_RBP, bits = TCG_JC_BITS;
    if (k->r->soft_tlb) {
        base = X64_TMP;
        bits = TCG_SYS_JC_BITS;
        jc = 0;
        x64_mov_rm(as, 3, base, cpu_field(offsetof(TcgCpu, sys_jump_cache)));
    }
    X64Label miss = {0, 0};
    x64_mov_rr(as, 2, t, ra);
    x64_alu_ri(as, 2, X64_ALU_AND, t, (int32_t)((1u << bits) - 1) << 2);
    x64_alu_rm(as, 3, X64_ALU_CMP, ra, x64_mem_idx(base, t, 2, jc));
    x64_jcc(as, X64_NE, &miss);
    x64_jmp_m(as, x64_mem_idx(base, t, 2, jc + 8));
    x64_bind(as, &miss);
    x64_mov_mr(as, 3, slot_mem(k, k->guest->pc_slot), ra);
    x64_jmp_abs(as, k->buf->rx + x64_fixed(k->buf)->lookup_miss);
}

/*
 * To another guest page: through the context's jump cache, which forgets what a changed mapping
 * made wrong. State is stored.
 */
static void jump_across(X64Core *k, uint64_t pc)
{
    X64Asm *as = &k->ctx.as;
    int32_t at = (int32_t)(pc >> 2 & ((1u << TCG_SYS_JC_BITS) - 1)) * (int)sizeof(TcgJumpEntry);
    x64_mov_rm(as, 3, X64_RCX, cpu_field(offsetof(TcgCpu, sys_jump_cache)));
    x64_mov_ri(as, X64_TMP, pc);
    x64_alu_rm(as, 3, X64_ALU_CMP, X64_TMP, x64_mem(X64_RCX, at));
    uint8_t *miss = x64_jcc8(as, X64_NE);
    x64_jmp_m(as, x64_mem(X64_RCX, at + 8));
    x64_here8(as, miss);
    x64_mov_mr(as, 3, slot_mem(k, k->guest->pc_slot), X64_TMP);
    x64_jmp_abs(as, k->buf->rx + x64_fixed(k->buf)->lookup_miss);
}

void x64_exit_link(X64Core *k, const IrOp *op, X64Locs l)
{
    x64_store_locs(k, l);
    if (leaves_page(k, op->imm)) {
        jump_across(k, op->imm);
        return;
    }
    x64_jmp_m(&k->ctx.as, x64_mem_rip(x64_new_link(k, op->imm)));
}

static void exit_raise(X64Core *k, const IrOp *op)
{
    x64_store_locs(k, x64_capture(k, op->snap));
    x64_store_pc(k, k->r->snaps[op->snap].pc);
    x64_leave(k, op->sub, op->imm);
}

bool x64_emit_exit(X64Core *k, IrRef v)
{
    const IrOp *op = &k->r->ops[v];
    X64Mark mark = x64_mark(k);
    switch (op->op) {
    case IR_POLL:
        poll(k, op);
        x64_finish_op(k, v, X64_NONE);
        return true;
    case IR_PUSH_RET: push_ret(k, v); return true;
    case IR_EXIT_LINK: x64_exit_link(k, op, x64_capture(k, op->snap)); break;
    case IR_EXIT_IND: exit_ind(k, v); break;
    case IR_EXIT_RAISE: exit_raise(k, op); break;
    default: return false;
    }
    x64_forget(k, mark);
    return true;
}

/* ---- calls ---- */

static void evict_caller_saved(X64Core *k)
{
    for (uint64_t m = k->call_save & ~k->free; m; m &= m - 1) {
        unsigned reg = (unsigned)__builtin_ctzll(m);
        IrRef v = k->regval[reg];
        if (!v) {
            continue;
        }
        if (x64_dies(k, v)) {
            x64_unbind_val(k, v);
        } else if (reg < X64_VEC0) {
            x64_vacate(k, reg, k->call_save);
        } else {
            x64_spill(k, v);
            x64_unbind_val(k, v);
        }
    }
}

static void keep_get(X64Core *k, IrRef v, uint32_t pos)
{
    X64Val *w = &k->val[v];
    (void)pos;
    if (k->r->ops[v].op == IR_GET && w->home == X64_HOME_SLOT) {
        x64_use(k, v, ~0ull);
        w->home = X64_HOME_SPILL;
        w->in_mem = false;
        x64_spill(k, v);
        k->pinned = 0;
    }
}

/* CALLS may write slots: what was read from them before and is used after moves to a spill slot. */
static void keep_gets(X64Core *k, IrRef v)
{
    const IrRegion *r = k->r;
    k->pinned = 0;
    for (IrRef u = r->ops[v].next; u; u = r->ops[u].next) {
        const IrOp *op = &r->ops[u];
        for (unsigned i = 0; i < ir_op_info[op->op].nargs; i++) {
            IrRef a = op->arg[i] ? x64_canon(k, op->arg[i]) : IR_NONE;
            bool after = false;
            for (IrRef d = r->ops[v].next; d && !after; d = r->ops[d].next) {
                after = d == a;
            }
            if (a && !after) {
                keep_get(k, a, 0);
            }
        }
    }
}

static void switch_mxcsr(X64Core *k, bool to_host)
{
    X64Asm *as = &k->ctx.as;
    if (to_host) {
        x64_stmxcsr(as, cpu_field(offsetof(TcgCpu, mxcsr_scratch)));
        x64_ldmxcsr(as, cpu_field(offsetof(TcgCpu, mxcsr_host)));
    } else {
        x64_ldmxcsr(as, cpu_field(offsetof(TcgCpu, mxcsr_scratch)));
    }
}

static const uint8_t int_args[5] = {X64_RDI, X64_RSI, X64_RDX, X64_RCX, 8};

/* CALL: arguments into the C registers. Moves are from registers that still hold the values. */
static void call_int(X64Core *k, IrRef v)
{
    X64Asm *as = &k->ctx.as;
    const IrOp *op = &k->r->ops[v];
    unsigned n = ir_op_info[op->op].nargs, dst = X64_NONE;
    const TcgHelper *h = &k->guest->helpers[op->imm];
    /* through memory: simple and free of conflicts */
    for (unsigned i = 0; i < n; i++) {
        IrRef a = op->arg[i] ? x64_canon(k, op->arg[i]) : IR_NONE;
        X64Mem m = x64_cpu_mem((uint32_t)(offsetof(TcgCpu, call_arg) + i * 8));
        if (!a) {
            continue;
        }
        if (k->r->ops[a].op == IR_CONST) {
            mov_mi64(k, m, k->r->ops[a].imm);
        } else {
            x64_mov_mr(as, 3, m, x64_reg_operand(k, a).reg);
        }
    }
    if (op->op == IR_CALLS) {
        keep_gets(k, v);
        X64Mark mark = x64_mark(k);
        x64_store_locs(k, x64_capture(k, op->snap));
        x64_store_pc(k, k->r->snaps[op->snap].pc);
        x64_forget(k, mark);
    }
    k->pinned = 0;
    evict_caller_saved(k);
    for (unsigned i = 0; i < n; i++) {
        if (op->arg[i]) {
            x64_mov_rm(as, 3, int_args[i + 1],
                       x64_cpu_mem((uint32_t)(offsetof(TcgCpu, call_arg) + i * 8)));
        }
    }
    x64_lea(as, 3, X64_RDI, x64_mem(X64_RBP, -TCG_CPU_BIAS));
    if (h->fp == TCG_FP_HOST) {
        switch_mxcsr(k, true);
    }
    x64_mov_rm(as, 3, X64_TMP, cpu_field(offsetof(TcgCpu, helpers)));
    x64_call_m(as, x64_mem(X64_TMP, (int32_t)op->imm * 8));
    if (h->fp == TCG_FP_HOST) {
        switch_mxcsr(k, false);
    }
    k->fl.kind = 0;
    if (op->type != IR_VOID) {
        dst = x64_pick_dst(k, v, 0);
        x64_mov_rr(as, op->type == IR_I64 ? 3 : 2, dst, X64_TMP);
    }
    x64_finish_op(k, v, dst);
}

static void call_vec(X64Core *k, IrRef v)
{
    const IrOp *op = &k->r->ops[v];
    X64Regs r = {.dst = X64_NOREG};
    unsigned dst = X64_NONE;
    for (unsigned i = 0; i < ir_op_info[op->op].nargs; i++) {
        IrRef a = op->arg[i] ? x64_canon(k, op->arg[i]) : IR_NONE;
        if (a && k->r->ops[a].op == IR_CONST) {
            r.arg[i] = (X64Arg){.kind = X64_ARG_IMM, .imm = k->r->ops[a].imm};
        } else if (a) {
            r.arg[i] = x64_reg_operand(k, a);
        }
    }
    if (op->type != IR_VOID) {
        dst = x64_pick_dst(k, v, 0);
        r.dst = (uint8_t)(dst >= X64_VEC0 ? dst - X64_VEC0 : dst);
    }
    const TcgHelper *h = &k->guest->helpers[op->imm];
    if (h->fp == TCG_FP_HOST) {
        switch_mxcsr(k, true);
    }
    x64_call_vec(k, op, &r, (uint32_t)op->imm + 1);
    if (h->fp == TCG_FP_HOST) {
        switch_mxcsr(k, false);
    }
    k->fl.kind = 0;
    x64_finish_op(k, v, dst);
}

bool x64_emit_call(X64Core *k, IrRef v)
{
    switch (k->r->ops[v].op) {
    case IR_CALL:
    case IR_CALLP:
    case IR_CALLS: call_int(k, v); return true;
    case IR_VCALL:
    case IR_VCALLP: call_vec(k, v); return true;
    default: return false;
    }
}
