/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory: loads, stores, atomics, fences.  User mode at base 0: a guest address is a host
 * address, an access is one host instruction, and a fault is found by the host PC.  System mode:
 * softmmu.c turns the guest address into a host address first.
 *
 * Order: x86 is TSO, so acquire loads are plain; release stores are followed by MFENCE (or are an
 * XCHG) so that a later acquire load does not pass them (Arm's RCsc STLR/LDAR).
 */
#include <assert.h>

#include "tcg/x86_64/core.h"

/* v is a constant; its value. */
static bool valid_const(const X64Core *k, IrRef v, uint64_t *out)
{
    if (x64_is_const(k, v)) {
        *out = k->r->ops[v].imm;
        return true;
    }
    return false;
}

/* The address of a memory op as an operand; may leave part of it in rax. */
static X64Mem address(X64Core *k, const IrOp *op)
{
    X64Asm *as = &k->ctx.as;
    IrRef a = x64_canon(k, op->arg[0]);
    bool indexed = (op->op == IR_LD || op->op == IR_ST || op->op == IR_PREFETCH) && op->arg[1];
    IrRef b = indexed ? x64_canon(k, op->arg[1]) : IR_NONE;
    uint64_t disp = op->imm, c;
    if (b && valid_const(k, b, &c)) {
        disp += c << op->sub;
        b = IR_NONE;
    }
    if (valid_const(k, a, &c) && k->val[a].reg == X64_NONE) {
        disp += c;
        if (disp < 0x7fffffff) {
            return b ? x64_mem_idx(X64_MEM_NONE, x64_reg_operand(k, b).reg, op->sub, (int32_t)disp)
                     : x64_mem(X64_MEM_NONE, (int32_t)disp);
        }
        x64_mov_ri(as, X64_TMP, disp);
        return b ? x64_mem_idx(X64_TMP, x64_reg_operand(k, b).reg, op->sub, 0)
                 : x64_mem(X64_TMP, 0);
    }
    unsigned ra = x64_reg_operand(k, a).reg;
    unsigned rb = b ? x64_reg_operand(k, b).reg : X64_MEM_NONE;
    if (x64_fits_i32(disp) && op->sub <= 3) {
        return x64_mem_idx(ra, rb, op->sub, (int32_t)disp);
    }
    if (b && op->sub > 3) {
        x64_mov_rr(as, 3, X64_TMP, rb);
        x64_shift_ri(as, 3, X64_SH_SHL, X64_TMP, op->sub);
        x64_alu_rr(as, 3, X64_ALU_ADD, X64_TMP, ra);
        k->fl.kind = 0;
        if (!x64_fits_i32(disp)) {
            x64_vacate(k, X64_RCX, 0);
            x64_mov_ri(as, X64_RCX, disp);
            return x64_mem_idx(X64_TMP, X64_RCX, 0, 0);
        }
        return x64_mem(X64_TMP, (int32_t)disp);
    }
    x64_mov_ri(as, X64_TMP, disp);
    if (!b) {
        return x64_mem_idx(X64_TMP, ra, 0, 0);
    }
    x64_lea(as, 3, X64_TMP, x64_mem_idx(X64_TMP, ra, 0, 0));
    return x64_mem_idx(X64_TMP, rb, op->sub, 0);
}

/* The stub of a failed alignment check: rax is the address. */
static void align_stub(X64Ctx *c, X64Cold *cold)
{
    X64Core *k = c->core;
    X64Asm *as = &c->as;
    x64_mov_mr(as, 3, x64_cpu_mem(offsetof(TcgCpu, exit_info)), X64_TMP);
    x64_store_locs(k, (X64Locs){cold->locs.first, cold->locs.n});
    x64_store_pc(k, k->r->snaps[cold->op->snap].pc);
    x64_mov_mi(as, 2, x64_cpu_mem(offsetof(TcgCpu, exit_reason)), TCG_EXIT_ALIGN);
    x64_jmp_abs(as, k->buf->rx + x64_fixed(k->buf)->leave);
}

static void check_alignment(X64Core *k, const IrOp *op, X64Mem *m, X64Locs l)
{
    X64Asm *as = &k->ctx.as;
    unsigned bytes = 1u << op->esz;
    if (!(op->flags & (IRF_ALIGN | IRF_ALIGN16)) || bytes == 1) {
        return;
    }
    if (m->base != X64_TMP || m->index != X64_MEM_NONE || m->disp) {
        x64_lea(as, 3, X64_TMP, *m);
        *m = x64_mem(X64_TMP, 0);
    }
    X64Cold *cold = x64_core_cold(k, op, align_stub, l, 0);
    k->fl.kind = 0;
    if (op->flags & IRF_ALIGN || bytes == 16) {
        x64_test_ri(as, 0, X64_TMP, (int32_t)bytes - 1);
        x64_jcc(as, X64_NE, &cold->entry);
        return;
    }
    /* ALIGN16: (address & 15) + bytes must not exceed 16; ecx is borrowed through the stack */
    X64Label ok = {0, 0};
    x64_test_ri(as, 0, X64_TMP, (int32_t)bytes - 1);
    x64_jcc(as, X64_E, &ok);
    x64_push(as, X64_TMP);
    x64_alu_ri(as, 2, X64_ALU_AND, X64_TMP, 15);
    x64_alu_ri(as, 2, X64_ALU_CMP, X64_TMP, 16 - (int32_t)bytes);
    x64_pop(as, X64_TMP);
    x64_jcc(as, X64_A, &cold->entry);
    x64_bind(as, &ok);
}

/* ---- the way to host memory, in both modes ---- */

/* One access between its address and its end. */
typedef struct Access {
    X64Core *k;
    const IrOp *op;
    X64Mem m; /* the guest's address, then the host's */
    X64Soft soft;
    X64Regs r;
    X64Locs l;
} Access;

/* Before dst is picked: may take temporaries. */
static Access access_begin(X64Core *k, const IrOp *op)
{
    Access a = {.k = k, .op = op, .m = address(k, op), .r = {.dst = X64_NOREG}};
    if (k->r->soft_tlb) {
        x64_soft_begin(k, a.m, &a.soft);
    }
    return a;
}

/* All registers are picked. Behind it, a->m may be accessed. */
static void access_locate(Access *a, unsigned dst)
{
    X64Core *k = a->k;
    a->l = x64_capture(k, a->op->snap);
    if (!k->r->soft_tlb) {
        check_alignment(k, a->op, &a->m, a->l);
        return;
    }
    if (dst != X64_NONE) {
        a->r.dst = (uint8_t)(dst >= X64_VEC0 ? dst - X64_VEC0 : dst);
    }
    a->m = x64_soft_probe(k, a->op, &a->soft, &a->r, a->l);
}

/* The next host instruction accesses a->m. */
static void access_point(const Access *a)
{
    if (!a->k->r->soft_tlb) {
        x64_fault_point(a->k, a->op, a->l);
    }
}

static void access_end(Access *a)
{
    if (a->k->r->soft_tlb) {
        x64_soft_end(a->k, &a->soft);
    }
}

static X64Arg reg_arg(unsigned reg)
{
    return (X64Arg){.kind = X64_ARG_REG, .reg = (uint8_t)reg};
}

static unsigned dst_of(X64Core *k, IrRef v, const IrOp *op, uint64_t arg_regs)
{
    uint64_t dying = 0;
    unsigned hint = k->val[v].hint;
    if (hint != X64_NONE && k->regval[hint] && x64_dies(k, k->regval[hint])) {
        return hint; /* the slot's old value, wanted by this op's snapshot at most */
    }
    for (unsigned i = 0; i < ir_op_info[op->op].nargs; i++) {
        IrRef a = op->arg[i] ? x64_canon(k, op->arg[i]) : IR_NONE;
        if (a && k->val[a].reg != X64_NONE && x64_dies(k, a)) {
            dying |= 1ull << k->val[a].reg;
        }
    }
    return x64_pick_dst(k, v, dying & ~arg_regs);
}

static void load_vec(X64Core *k, const IrOp *op, unsigned dst, X64Mem m)
{
    X64Asm *as = &k->ctx.as;
    switch (op->esz) {
    case 0:
    case 1:
        x64_movzx_rm(as, op->esz, X64_TMP, m);
        x64_v2(as, XV_MOVD_L, dst, X64_TMP);
        break;
    case 2: x64_v2m(as, XV_MOVSS_L, dst, m); break;
    case 3: x64_v2m(as, XV_MOVSD_L, dst, m); break;
    default: x64_v2m(as, XV_MOVUPS_L, dst, m);
    }
}

static void emit_ld(X64Core *k, IrRef v)
{
    X64Asm *as = &k->ctx.as;
    const IrOp *op = &k->r->ops[v];
    Access a = access_begin(k, op);
    k->op_regs = ~0ull;
    unsigned dst = dst_of(k, v, op, 0);
    access_locate(&a, dst);
    access_point(&a);
    if (dst >= X64_VEC0) {
        load_vec(k, op, dst - X64_VEC0, a.m);
    } else if (op->flags & IRF_SEXT) {
        x64_movsx_rm(as, op->type == IR_I64 ? 3 : 2, op->esz, dst, a.m);
    } else {
        x64_movzx_rm(as, op->esz, dst, a.m);
    }
    access_end(&a);
    x64_finish_op(k, v, dst);
}

static void store_vec(X64Core *k, const IrOp *op, unsigned src, X64Mem m)
{
    X64Asm *as = &k->ctx.as;
    switch (op->esz) {
    case 0:
        x64_v2mi(as, XD(1, 3, 0x14), src, m, 0); /* pextrb */
        break;
    case 1:
        x64_v2mi(as, XD(1, 3, 0x15) | XD_N(1), src, m, 0); /* pextrw */
        break;
    case 2: x64_v2m(as, XV_MOVSS_S, src, m); break;
    case 3: x64_v2m(as, XV_MOVSD_S, src, m); break;
    default: x64_v2m(as, XV_MOVUPS_S, src, m);
    }
}

static void emit_st(X64Core *k, IrRef v)
{
    X64Asm *as = &k->ctx.as;
    const IrOp *op = &k->r->ops[v];
    IrRef c = x64_canon(k, op->arg[2]);
    uint64_t imm = 0;
    bool is_imm = x64_imm_fits(k, c, op->esz == 3 ? 8 : 4, &imm) && op->esz <= 3;
    k->op_regs = op->esz >= 2 ? ~0ull : k->op_regs;
    unsigned rc = is_imm ? 0 : x64_reg_operand(k, c).reg;
    Access a = access_begin(k, op);
    a.r.arg[2] = is_imm ? (X64Arg){.kind = X64_ARG_IMM, .imm = imm} : reg_arg(rc);
    access_locate(&a, X64_NONE);
    access_point(&a);
    if (is_imm) {
        x64_mov_mi(as, op->esz, a.m, (int32_t)imm);
    } else if (k->val[c].cls == X64_CLS_VEC) {
        store_vec(k, op, rc, a.m);
    } else {
        x64_mov_mr(as, op->esz, a.m, rc);
    }
    access_end(&a);
    if (op->flags & IRF_REL) {
        x64_mfence(as);
    }
    x64_finish_op(k, v, X64_NONE);
}

/* ---- atomics ---- */

/* Old value is in rax or dst, of 1 << esz bytes: zero-extend it. */
static void zero_extend(X64Core *k, unsigned esz, unsigned dst, unsigned src)
{
    if (esz < 2 || dst != src) {
        x64_movzx_rr(&k->ctx.as, esz, dst, src);
    } else if (esz == 2) {
        x64_mov_rr(&k->ctx.as, 2, dst, src);
    }
}

/* lock op without a result. */
static bool rmw_plain(X64Core *k, const IrOp *op, X64Mem m, unsigned rb)
{
    X64Asm *as = &k->ctx.as;
    static const int alu[] = {
        [IR_RMW_ADD] = X64_ALU_ADD, [IR_RMW_CLR] = -1,  [IR_RMW_XOR] = X64_ALU_XOR,
        [IR_RMW_OR] = X64_ALU_OR,   [IR_RMW_SMAX] = -1, [IR_RMW_SMIN] = -1,
        [IR_RMW_UMAX] = -1,         [IR_RMW_UMIN] = -1, [IR_RMW_SWAP] = -1,
        [IR_RMW_AND] = X64_ALU_AND};
    if (alu[op->sub] < 0) {
        return false;
    }
    x64_lock_alu_mr(as, op->esz, (unsigned)alu[op->sub], m, rb);
    return true;
}

/* new value in t from old (rax) and operand b */
static void rmw_compute(X64Core *k, const IrOp *op, unsigned t, unsigned b)
{
    X64Asm *as = &k->ctx.as;
    unsigned sz = op->esz == 3 ? 3 : 2;
    bool sign = op->sub == IR_RMW_SMAX || op->sub == IR_RMW_SMIN;
    static const uint8_t keep_old[] = {[IR_RMW_SMAX] = X64_GE,
                                       [IR_RMW_SMIN] = X64_LE,
                                       [IR_RMW_UMAX] = X64_AE,
                                       [IR_RMW_UMIN] = X64_BE};
    switch (op->sub) {
    case IR_RMW_CLR:
        x64_mov_rr(as, 3, t, b);
        x64_un_r(as, 3, X64_UN_NOT, t);
        x64_alu_rr(as, 3, X64_ALU_AND, t, X64_TMP);
        return;
    case IR_RMW_XOR:
    case IR_RMW_OR:
    case IR_RMW_AND:
        x64_mov_rr(as, 3, t, X64_TMP);
        x64_alu_rr(as, 3,
                   op->sub == IR_RMW_XOR  ? X64_ALU_XOR
                   : op->sub == IR_RMW_OR ? X64_ALU_OR
                                          : X64_ALU_AND,
                   t, b);
        return;
    default:
        /* compare at the access's width: 8 and 16 bits by the narrow compare */
        (void)sign;
        x64_mov_rr(as, 3, t, b);
        x64_alu_rr(as, op->esz, X64_ALU_CMP, X64_TMP, b);
        x64_cmov_rr(as, sz, keep_old[op->sub], t, X64_TMP);
    }
}

/* A register for the address where it or its check uses rax, which the operation needs. */
static unsigned spare_register(const Access *a)
{
    bool uses_rax =
        a->m.base == X64_TMP || a->m.index == X64_TMP || (a->op->flags & (IRF_ALIGN | IRF_ALIGN16));
    return uses_rax && !a->k->r->soft_tlb ? x64_alloc(a->k, X64_CLS_GPR, ~0ull, X64_NONE)
                                          : X64_NONE;
}

static X64Mem out_of_rax(const Access *a, unsigned spare)
{
    if (spare == X64_NONE) {
        return a->m;
    }
    x64_lea(&a->k->ctx.as, 3, spare, a->m);
    return x64_mem(spare, 0);
}

static void emit_rmw(X64Core *k, IrRef v)
{
    X64Asm *as = &k->ctx.as;
    const IrOp *op = &k->r->ops[v];
    unsigned rb = x64_reg_operand(k, x64_canon(k, op->arg[1])).reg;
    Access a = access_begin(k, op);
    bool unused = x64_no_use(k, v);
    k->fl.kind = 0;
    a.r.arg[1] = reg_arg(rb);
    unsigned spare = spare_register(&a);
    unsigned t = x64_alloc(k, X64_CLS_GPR, ~0ull, X64_NONE);
    unsigned dst = unused ? X64_NONE : x64_pick_dst(k, v, 0);
    access_locate(&a, dst);
    X64Mem m = out_of_rax(&a, spare);
    if (op->sub == IR_RMW_ADD && !unused) {
        x64_mov_rr(as, 3, t, rb);
        access_point(&a);
        x64_lock_xadd_mr(as, op->esz, m, t);
        zero_extend(k, op->esz, dst, t);
    } else if (op->sub == IR_RMW_SWAP) {
        x64_mov_rr(as, 3, t, rb);
        access_point(&a);
        x64_xchg_mr(as, op->esz, m, t);
        if (!unused) {
            zero_extend(k, op->esz, dst, t);
        }
    } else {
        access_point(&a);
        if (!unused || !rmw_plain(k, op, m, rb)) {
            X64Label again = {0, 0};
            x64_movzx_rm(as, op->esz, X64_TMP, m);
            x64_bind(as, &again);
            rmw_compute(k, op, t, rb);
            access_point(&a);
            x64_lock_cmpxchg_mr(as, op->esz, m, t);
            x64_jcc(as, X64_NE, &again);
            if (!unused) {
                zero_extend(k, op->esz, dst, X64_TMP);
            }
        }
    }
    access_end(&a);
    x64_finish_op(k, v, dst);
}

/* 16 bytes: rdx:rax expected, rcx:rbx new. */
static void emit_cas16(X64Core *k, IrRef v)
{
    X64Asm *as = &k->ctx.as;
    const IrOp *op = &k->r->ops[v];
    x64_vacate(k, X64_RDX, 1u << X64_RBX | 1u << X64_RCX);
    x64_vacate(k, X64_RCX, 1u << X64_RBX);
    x64_vacate(k, X64_RBX, 0);
    unsigned b = x64_reg_operand(k, x64_canon(k, op->arg[1])).reg;
    unsigned c = x64_reg_operand(k, x64_canon(k, op->arg[2])).reg;
    Access a = access_begin(k, op);
    a.r.arg[1] = reg_arg(b);
    a.r.arg[2] = reg_arg(c);
    unsigned t = x64_alloc(k, X64_CLS_GPR, ~0ull, X64_NONE);
    unsigned dst = x64_pick_dst(k, v, 0);
    access_locate(&a, dst);
    x64_lea(as, 3, t, a.m);
    X64Mem m = x64_mem(t, 0);
    x64_v2(as, XV_MOVQ_S, b, X64_RAX);
    x64_v2i(as, XD(1, 3, 0x16) | XD_W | XD_EW, b, X64_RDX, 1); /* pextrq */
    x64_v2(as, XV_MOVQ_S, c, X64_RBX);
    x64_v2i(as, XD(1, 3, 0x16) | XD_W | XD_EW, c, X64_RCX, 1);
    access_point(&a);
    x64_lock_cmpxchg_pair(as, 3, m);
    k->fl.kind = 0;
    x64_v2(as, XV_MOVQ_L, dst - X64_VEC0, X64_RAX);
    x64_v2(as, XV_MOVQ_L, X64_VTMP, X64_RDX);
    x64_v3(as, XD(1, 1, 0x6c), dst - X64_VEC0, dst - X64_VEC0, X64_VTMP); /* punpcklqdq */
    access_end(&a);
    x64_finish_op(k, v, dst);
}

static void emit_cas(X64Core *k, IrRef v)
{
    X64Asm *as = &k->ctx.as;
    const IrOp *op = &k->r->ops[v];
    if (op->esz == 4) {
        emit_cas16(k, v);
        return;
    }
    unsigned b = x64_reg_operand(k, x64_canon(k, op->arg[1])).reg;
    unsigned c = x64_reg_operand(k, x64_canon(k, op->arg[2])).reg;
    Access a = access_begin(k, op);
    bool unused = x64_no_use(k, v);
    k->fl.kind = 0;
    a.r.arg[1] = reg_arg(b);
    a.r.arg[2] = reg_arg(c);
    unsigned spare = spare_register(&a);
    unsigned dst = unused ? X64_NONE : x64_pick_dst(k, v, 0);
    access_locate(&a, dst);
    X64Mem m = out_of_rax(&a, spare);
    x64_mov_rr(as, 3, X64_TMP, b);
    access_point(&a);
    x64_lock_cmpxchg_mr(as, op->esz, m, c);
    if (!unused) {
        zero_extend(k, op->esz, dst, X64_TMP);
    }
    access_end(&a);
    x64_finish_op(k, v, dst);
}

static void emit_fence(X64Core *k, IrRef v)
{
    const IrOp *op = &k->r->ops[v];
    if (op->sub == IR_FENCE_FULL) {
        x64_lock_alu_mi(&k->ctx.as, 2, X64_ALU_OR, x64_mem(X64_RSP, 0), 0);
        k->fl.kind = 0;
    }
    x64_finish_op(k, v, X64_NONE);
}

bool x64_emit_mem(X64Core *k, IrRef v)
{
    const IrOp *op = &k->r->ops[v];
    switch (op->op) {
    case IR_LD: emit_ld(k, v); return true;
    case IR_ST: emit_st(k, v); return true;
    case IR_AT_RMW: emit_rmw(k, v); return true;
    case IR_AT_CAS: emit_cas(k, v); return true;
    case IR_FENCE: emit_fence(k, v); return true;
    case IR_PREFETCH:
        if (!k->r->soft_tlb) {
            x64_prefetcht0(&k->ctx.as, address(k, op));
        }
        x64_finish_op(k, v, X64_NONE);
        return true;
    default: return false;
    }
}
