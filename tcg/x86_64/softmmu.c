/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory behind a soft TLB (IrRegion.soft_tlb): the inline probe, and the cold path that
 * calls TcgCpu.mem_slow.
 *
 * A page with number n = va >> 12 has its place at entry n mod 2^TCG_TLB_BITS of the set. The
 * probe:
 *
 *     lea   rax, [va]
 *     rorx  t, rax, 7            t = byte offset of the entry
 *     and   t, mask
 *     add   t, [rbp + set]
 *     xor   rax, [t + tag]       same page: the offset in the page; else something larger
 *     cmp   rax, 4096 - bytes    crossing into the next page misses, too
 *     ja    cold
 *     mov   t, [t + addend]
 *     mov   dst, [t + va]
 *
 * Where the access must be aligned, rax is rotated right first, so that low bits count as high
 * ones. What the TLB does not hold (a walk to make, MMIO, pages with code, crossing, misaligned) is
 * done by C: nothing is retried. State for a fault is listed at the return address of that call.
 */
#include "tcg/x86_64/core.h"

enum { PAGE_BITS = 12, ENTRY_BITS = 5 };
_Static_assert(sizeof(TcgTlbEntry) == 1 << ENTRY_BITS, "shift of the probe");

static X64Mem cpu_field(size_t off)
{
    return x64_cpu_mem((uint32_t)off);
}

void x64_soft_begin(X64Core *k, X64Mem va, X64Soft *s)
{
    s->va = va;
    s->t = (uint8_t)x64_alloc(k, X64_CLS_GPR, ~0ull, X64_NONE);
    if (va.base >= X64_MEM_RIP || va.base == X64_TMP || va.index != X64_MEM_NONE) {
        unsigned u = x64_alloc(k, X64_CLS_GPR, ~0ull, X64_NONE);
        x64_lea(&k->ctx.as, 3, u, va);
        s->va = x64_mem(u, 0);
    }
}

/* One argument of the access, where the C side expects it. */
static void store_arg(X64Core *k, unsigned i, const X64Arg *a, unsigned type)
{
    X64Asm *as = &k->ctx.as;
    X64Mem m = cpu_field(offsetof(TcgCpu, call_arg) + i * sizeof(IrVec));
    if (a->kind == X64_ARG_IMM) {
        x64_mov_mi(as, 3, m, (int32_t)a->imm);
    } else if (a->kind == X64_ARG_REG && ir_type_is_vec(type)) {
        x64_v2m(as, XV_MOVAPS_S, a->reg, m);
    } else if (a->kind == X64_ARG_REG) {
        x64_mov_mr(as, 3, m, a->reg);
    }
}

static void slow_stub(X64Ctx *c, X64Cold *cold)
{
    X64Core *k = c->core;
    X64Asm *as = &c->as;
    const IrOp *op = cold->op;
    for (unsigned i = 1; i < 3; i++) {
        if (op->arg[i]) {
            store_arg(k, i - 1, &cold->regs.arg[i], k->r->ops[op->arg[i]].type);
        }
    }
    x64_lea(as, 3, X64_TMP, cold->regs.arg[0].mem);
    x64_mov_mi(as, 2, cpu_field(offsetof(TcgCpu, slow_info)), (int32_t)tcg_slow_info(op));
    x64_call_abs(as, k->buf->rx + x64_fixed(k->buf)->mem_slow);
    x64_fault_point(k, op, (X64Locs){cold->locs.first, cold->locs.n});
    if (cold->regs.dst != X64_NOREG) {
        X64Mem ret = cpu_field(offsetof(TcgCpu, call_ret));
        if (ir_type_is_vec(op->type)) {
            x64_ld_vec(c, op->type, cold->regs.dst, ret);
        } else {
            x64_mov_rm(as, 3, cold->regs.dst, ret);
        }
    }
    x64_jmp(as, &cold->back);
}

static bool must_align(const IrOp *op)
{
    return op->esz && (op->op == IR_AT_RMW || op->op == IR_AT_CAS ||
                       (op->flags & (IRF_ALIGN | IRF_ALIGN16 | IRF_ATOMIC)));
}

X64Mem x64_soft_probe(X64Core *k, const IrOp *op, X64Soft *s, const X64Regs *r, X64Locs l)
{
    X64Asm *as = &k->ctx.as;
    X64Cold *cold = s->cold = x64_core_cold(k, op, slow_stub, l, 0);
    unsigned va = s->va.base, mmu = op->flags & IRF_USER ? TCG_MMU_USER : TCG_MMU_CURRENT;
    size_t tag = op->op == IR_LD ? offsetof(TcgTlbEntry, read) : offsetof(TcgTlbEntry, write);
    cold->regs = *r;
    cold->regs.arg[0] = (X64Arg){.kind = X64_ARG_MEM, .mem = s->va};
    if (s->va.disp) {
        x64_lea(as, 3, X64_TMP, s->va);
        va = X64_TMP;
    } else {
        x64_mov_rr(as, 3, X64_TMP, va);
    }
    if (k->ctx.host & TCG_HOST_BMI2) {
        x64_rorx(as, 3, s->t, va, PAGE_BITS - ENTRY_BITS);
    } else {
        x64_mov_rr(as, 3, s->t, va);
        x64_shift_ri(as, 3, X64_SH_SHR, s->t, PAGE_BITS - ENTRY_BITS);
    }
    x64_alu_ri(as, 2, X64_ALU_AND, s->t, ((1 << TCG_TLB_BITS) - 1) << ENTRY_BITS);
    x64_alu_rm(as, 3, X64_ALU_ADD, s->t, cpu_field(offsetof(TcgCpu, tlb) + mmu * sizeof(void *)));
    x64_alu_rm(as, 3, X64_ALU_XOR, X64_TMP, x64_mem(s->t, (int32_t)tag));
    if (must_align(op)) {
        x64_shift_ri(as, 3, X64_SH_ROR, X64_TMP, op->esz);
        x64_alu_ri(as, 3, X64_ALU_CMP, X64_TMP, (1 << PAGE_BITS >> op->esz) - 1);
    } else {
        x64_alu_ri(as, 3, X64_ALU_CMP, X64_TMP, (1 << PAGE_BITS) - (1 << op->esz));
    }
    x64_jcc(as, X64_A, &cold->entry);
    x64_mov_rm(as, 3, s->t, x64_mem(s->t, offsetof(TcgTlbEntry, addend)));
    return x64_mem_idx(s->t, s->va.base, 0, s->va.disp);
}

void x64_soft_end(X64Core *k, X64Soft *s)
{
    x64_bind(&k->ctx.as, &s->cold->back);
    k->fl.kind = 0;
}
