/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fixed code at the start of every code buffer: entering and leaving generated code, the miss
 * paths, and the thunk that calls C with every register preserved.
 *
 * C calling convention: System V AMD64 ABI.
 */
#include <string.h>

#include "tcg/x86_64/core.h"

/* Data area: the table of offsets, then pointers the fixed code calls through. */
typedef struct Head {
    X64Fixed fixed;
    uint64_t eval;
} Head;

static X64Mem field(size_t off)
{
    return x64_cpu_mem((uint32_t)off);
}

static const uint8_t callee_saved[] = {X64_RBX, X64_RBP, 12, 13, 14, 15};
static const uint8_t volatiles[] = {X64_RCX, X64_RDX, X64_RSI, X64_RDI, 8, 9, 10, 11};

/* void enter(TcgCpu *cpu, const void *code) */
static void emit_enter(X64Asm *as)
{
    for (unsigned i = 0; i < sizeof(callee_saved); i++) {
        x64_push(as, callee_saved[i]);
    }
    x64_alu_ri(as, 3, X64_ALU_SUB, X64_RSP, 8);
    x64_lea(as, 3, X64_RBP, x64_mem(X64_RDI, TCG_CPU_BIAS));
    x64_mov_mr(as, 3, field(offsetof(TcgCpu, host_sp)), X64_RSP);
    x64_stmxcsr(as, field(offsetof(TcgCpu, mxcsr_host)));
    x64_ldmxcsr(as, field(offsetof(TcgCpu, mxcsr)));
    x64_jmp_r(as, X64_RSI);
}

/* Sticky flags IE ZE OE UE PE of MXCSR become bits 0 1 2 3 4 of fp_flags. */
static void emit_leave(X64Asm *as)
{
    x64_stmxcsr(as, field(offsetof(TcgCpu, mxcsr_scratch)));
    x64_ldmxcsr(as, field(offsetof(TcgCpu, mxcsr_host)));
    x64_mov_rm(as, 2, X64_RAX, field(offsetof(TcgCpu, mxcsr_scratch)));
    x64_mov_rr(as, 2, X64_RCX, X64_RAX);
    x64_alu_ri(as, 2, X64_ALU_AND, X64_RAX, 0x3c);
    x64_shift_ri(as, 2, X64_SH_SHR, X64_RAX, 1);
    x64_alu_ri(as, 2, X64_ALU_AND, X64_RCX, 1);
    x64_alu_rr(as, 2, X64_ALU_OR, X64_RAX, X64_RCX);
    x64_alu_mr(as, 2, X64_ALU_OR, field(offsetof(TcgCpu, fp_flags)), X64_RAX);
    x64_mov_rm(as, 3, X64_RSP, field(offsetof(TcgCpu, host_sp)));
    x64_mov_mi(as, 3, field(offsetof(TcgCpu, host_sp)), 0);
    x64_alu_ri(as, 3, X64_ALU_ADD, X64_RSP, 8);
    for (unsigned i = sizeof(callee_saved); i-- > 0;) {
        x64_pop(as, callee_saved[i]);
    }
    x64_ret(as);
}

static X64Mem save_gpr(unsigned i)
{
    return field(offsetof(TcgCpu, save_area) + i * 8);
}

static X64Mem save_vec(unsigned i)
{
    return field(offsetof(TcgCpu, save_area) + 128 + i * 64);
}

/* rax: X64EvalDesc. helper: through cpu->helpers, else ir_eval. */
static void emit_call_thunk(X64Asm *as, unsigned n_vec, const Head *head, bool helper)
{
    x64_alu_ri(as, 3, X64_ALU_SUB, X64_RSP, 8);
    for (unsigned i = 0; i < sizeof(volatiles); i++) {
        x64_mov_mr(as, 3, save_gpr(i), volatiles[i]);
    }
    for (unsigned i = 0; i < n_vec; i++) {
        if (i != X64_VTMP) {
            x64_v2m(as, XV_MOVAPS_S, i, save_vec(i));
        }
    }
    x64_lea(as, 3, X64_RDI, x64_mem(X64_RBP, -TCG_CPU_BIAS));
    x64_lea(as, 3, X64_RSI, field(offsetof(TcgCpu, call_ret)));
    x64_lea(as, 3, X64_RDX, field(offsetof(TcgCpu, call_arg)));
    x64_mov_rm(as, 3, X64_RCX, x64_mem(X64_RAX, offsetof(X64EvalDesc, imm)));
    x64_mov_rm(as, 3, 8, x64_mem(X64_RAX, offsetof(X64EvalDesc, info)));
    if (helper) {
        x64_mov_rm(as, 3, 9, x64_mem(X64_RAX, offsetof(X64EvalDesc, helper)));
        x64_mov_rm(as, 3, X64_RAX, field(offsetof(TcgCpu, helpers)));
        x64_call_m(as, x64_mem_idx(X64_RAX, 9, 0, -8));
    } else {
        x64_call_m(as, x64_mem_rip(&head->eval));
    }
    for (unsigned i = 0; i < sizeof(volatiles); i++) {
        x64_mov_rm(as, 3, volatiles[i], save_gpr(i));
    }
    for (unsigned i = 0; i < n_vec; i++) {
        if (i != X64_VTMP) {
            x64_v2m(as, XV_MOVAPS_L, i, save_vec(i));
        }
    }
    x64_alu_ri(as, 3, X64_ALU_ADD, X64_RSP, 8);
    x64_ret(as);
}

/*
 * The cold path of a guest access: rax is its address. Registers are saved as a TcgHostRegs, from
 * which C rebuilds the guest's state when the access faults; then we leave.
 */
static void emit_mem_slow(X64Asm *as, unsigned n_vec, uint32_t leave)
{
    _Static_assert(sizeof(((TcgCpu *)0)->save_area) == sizeof(TcgHostRegs), "save_gpr, save_vec");
    X64Label out = {0, 0};
    for (unsigned i = X64_RCX; i < 16; i++) {
        x64_mov_mr(as, 3, save_gpr(i), i);
    }
    for (unsigned i = 0; i < n_vec; i++) {
        if (i != X64_VTMP) {
            x64_v2m(as, XV_MOVAPS_S, i, save_vec(i));
        }
    }
    x64_lea(as, 3, X64_RDI, x64_mem(X64_RBP, -TCG_CPU_BIAS));
    x64_mov_rr(as, 3, X64_RSI, X64_RAX);
    x64_mov_rm(as, 3, X64_RDX, x64_mem(X64_RSP, 0));
    x64_alu_ri(as, 3, X64_ALU_SUB, X64_RSP, 8);
    x64_call_m(as, field(offsetof(TcgCpu, mem_slow)));
    x64_alu_ri(as, 3, X64_ALU_ADD, X64_RSP, 8);
    x64_test_rr(as, 0, X64_RAX, X64_RAX);
    x64_jcc(as, X64_NE, &out);
    for (unsigned i = 0; i < sizeof(volatiles); i++) {
        x64_mov_rm(as, 3, volatiles[i], save_gpr(volatiles[i]));
    }
    for (unsigned i = 0; i < n_vec; i++) {
        if (i != X64_VTMP) {
            x64_v2m(as, XV_MOVAPS_L, i, save_vec(i));
        }
    }
    x64_ret(as);
    x64_bind(as, &out);
    x64_jmp_abs(as, as->start + as->delta + leave);
}

static void align16(X64Asm *as)
{
    x64_nop(as, -x64_offset(as) & 15);
}

void x64_emit_prologue(TcgCodeBuf *buf, uint32_t host)
{
    X64Asm as;
    Head *head = (Head *)(void *)buf->data;
    X64Fixed *f = &head->fixed;
    unsigned n_vec = host & TCG_HOST_AVX512VL ? 32 : 15;
    x64_asm_init(&as, buf->rw, buf->code_bytes, buf->rx, host & TCG_HOST_AVX);
    memset(head, 0, sizeof(*head));
    f->host = host;
    head->eval = (uint64_t)(uintptr_t)ir_eval;
    f->enter = x64_offset(&as);
    emit_enter(&as);
    align16(&as);
    f->link_miss = x64_offset(&as);
    x64_mov_mr(&as, 3, field(offsetof(TcgCpu, exit_info)), X64_RAX);
    x64_mov_mi(&as, 2, field(offsetof(TcgCpu, exit_reason)), TCG_EXIT_LINK);
    uint8_t *out = x64_jmp8(&as);
    align16(&as);
    f->entry_miss = x64_offset(&as);
    x64_mov_mr(&as, 3, field(offsetof(TcgCpu, exit_info)), X64_RAX);
    x64_alu_mi(&as, 2, X64_ALU_CMP, field(offsetof(TcgCpu, request)), 0);
    x64_mov_mi(&as, 2, field(offsetof(TcgCpu, exit_reason)), TCG_EXIT_HOT);
    uint8_t *hot = x64_jcc8(&as, X64_E);
    x64_mov_mi(&as, 2, field(offsetof(TcgCpu, exit_reason)), TCG_EXIT_POLL);
    uint8_t *poll = x64_jmp8(&as);
    align16(&as);
    f->lookup_miss = x64_offset(&as);
    x64_mov_mi(&as, 2, field(offsetof(TcgCpu, exit_reason)), TCG_EXIT_LOOKUP);
    x64_here8(&as, out);
    x64_here8(&as, hot);
    x64_here8(&as, poll);
    f->leave = x64_offset(&as);
    emit_leave(&as);
    align16(&as);
    f->eval = x64_offset(&as);
    emit_call_thunk(&as, n_vec, head, false);
    align16(&as);
    f->call_vec = x64_offset(&as);
    emit_call_thunk(&as, n_vec, head, true);
    align16(&as);
    f->mem_slow = x64_offset(&as);
    emit_mem_slow(&as, n_vec, f->leave);
    align16(&as);
    buf->code_used = x64_offset(&as);
    buf->data_used = (sizeof(*head) + 63) & ~(size_t)63;
}

void x64_enter(const TcgCodeBuf *buf, TcgCpu *cpu, const void *code)
{
    void (*enter)(TcgCpu *, const void *);
    const void *p = buf->rx + x64_fixed(buf)->enter;
    memcpy(&enter, &p, sizeof(enter));
    enter(cpu, code);
}

const void *x64_exit_address(const TcgCodeBuf *buf)
{
    return buf->rx + x64_fixed(buf)->leave;
}
