/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host fault in generated code becomes a guest fault: the fault point of that host PC says where
 * each stale guest register is. Under the interpreter it ends the access. What the handler calls is
 * async-signal-safe.
 */
#include <cpuid.h>
#include <string.h>
#include <ucontext.h>

#include "accel/tcg/engine.h"

/* Intel SDM vol. 1, 13.4: layout of the XSAVE area; state component 6 is Hi16_ZMM. */
enum { XSAVE_HI16_ZMM = 6, FPX_MAGIC = 0x46505853, FPX_SW_BYTES = 464 };

static void read_high_vectors(TcgHostRegs *regs, const uint8_t *fx)
{
    uint32_t magic, a, b, c, d;
    uint64_t mask;
    memcpy(&magic, fx + FPX_SW_BYTES, sizeof magic);
    memcpy(&mask, fx + FPX_SW_BYTES + 8, sizeof mask);
    if (magic != FPX_MAGIC || !(mask >> XSAVE_HI16_ZMM & 1)) {
        return;
    }
    __cpuid_count(0xd, XSAVE_HI16_ZMM, a, b, c, d);
    for (int i = 0; i < 16; i++) {
        memcpy(&regs->vec[16 + i], fx + b + 64 * i, 64);
    }
    (void)a;
    (void)c;
    (void)d;
}

static void read_regs(TcgHostRegs *regs, const ucontext_t *uc)
{
    static const uint8_t order[16] = {
        REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
        REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
    };
    for (int i = 0; i < 16; i++) {
        regs->gpr[i] = (uint64_t)uc->uc_mcontext.gregs[order[i]];
    }
    const uint8_t *fx = (const uint8_t *)uc->uc_mcontext.fpregs;
    for (int i = 0; i < 16; i++) {
        memcpy(&regs->vec[i], fx + 160 + 16 * i, 16);
    }
    read_high_vectors(regs, fx);
}

/*
 * Without locks, while other threads flush and reclaim. What is current now is freed after this
 * vCPU passed a later generation, not before; of what was retired, the same holds for entries newer
 * than the vCPU's generation, and only those are looked at.
 */
static TcgRegion *find_region(const TcgVcpu *v, const void *pc, TcgBuffer **buffer)
{
    TcgEngine *e = v->engine;
    uint64_t seen = atomic_load(&v->gen);
    for (int i = 0; i < 2; i++) {
        for (TcgBuffer *b = atomic_load_explicit(&e->buffers[i], memory_order_acquire); b;
             b = b->next) {
            TcgRegion *r = buffer_find(b, pc);
            if (r) {
                *buffer = b;
                return r;
            }
        }
    }
    if (atomic_load(&e->retired_gen) <= seen) {
        return NULL;
    }
    TcgRetired *ret = __atomic_load_n(&e->retired, __ATOMIC_ACQUIRE);
    for (; ret; ret = ret->gen > seen + 1 ? ret->next : NULL) {
        for (TcgBuffer *b = __atomic_load_n(&ret->buffers, __ATOMIC_ACQUIRE); b; b = b->next) {
            TcgRegion *r = buffer_find(b, pc);
            if (r) {
                *buffer = b;
                return r;
            }
        }
    }
    return NULL;
}

TcgRegion *engine_region_at(const TcgVcpu *v, const void *host)
{
    TcgBuffer *buffer;
    return find_region(v, host, &buffer);
}

/* ---- the interpreter's accesses ---- */

static _Noreturn void leave_access(TcgVcpu *v)
{
    _longjmp(v->access_exit, 1);
}

/* The faulting code goes on in leave_access(v) instead: below its red zone, stack as at a call. */
static void redirect_access(TcgVcpu *v, ucontext_t *uc)
{
    greg_t *g = uc->uc_mcontext.gregs;
    g[REG_RSP] = ((g[REG_RSP] - 128) & ~(greg_t)15) - 8;
    g[REG_RDI] = (greg_t)v;
    g[REG_RIP] = (greg_t)leave_access;
}

TcgExit engine_interp_access(void *opaque, const IrOp *o, uint64_t addr, const IrVec *b,
                             const IrVec *c, IrVec *res)
{
    TcgVcpu *v = opaque;
    uint64_t bytes = 1u << o->esz;
    if (((o->flags & IRF_ALIGN) && (addr & (bytes - 1))) ||
        ((o->flags & IRF_ALIGN16) && (addr & 15) + bytes > 16)) {
        return TCG_EXIT_ALIGN;
    }
    if (_setjmp(v->access_exit)) {
        atomic_store_explicit(&v->in_access, false, memory_order_relaxed);
        return TCG_EXIT_FAULT;
    }
    atomic_store_explicit(&v->in_access, true, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    ir_host_access(o, (void *)(uintptr_t)addr, b, c, res);
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&v->in_access, false, memory_order_relaxed);
    return TCG_EXIT_NONE;
}

/* ---- the host's handler ---- */

static void note_fault(TcgCpu *cpu, const siginfo_t *si, const ucontext_t *uc)
{
    cpu->exit_reason = TCG_EXIT_FAULT;
    cpu->fault_addr = (uint64_t)si->si_addr;
    cpu->exit_info = cpu->fault_addr;
    cpu->fault_write = (uc->uc_mcontext.gregs[REG_ERR] >> 1) & 1;
    cpu->fault_code = (uint32_t)si->si_code;
}

bool tcg_host_fault(TcgCpu *cpu, int sig, siginfo_t *si, void *ucontext)
{
    (void)sig;
    ucontext_t *uc = ucontext;
    if (cpu->vcpu && atomic_load_explicit(&cpu->vcpu->in_access, memory_order_relaxed)) {
        note_fault(cpu, si, uc);
        redirect_access(cpu->vcpu, uc);
        return true;
    }
    if (!cpu->host_sp) {
        return false;
    }
    TcgEngine *e = cpu->vcpu->engine;
    const void *pc = (const void *)uc->uc_mcontext.gregs[REG_RIP];
    TcgBuffer *buffer;
    TcgRegion *r = find_region(cpu->vcpu, pc, &buffer);
    const TcgFaultPoint *fp = r ? tcg_compiled_fault(&r->c, pc) : NULL;
    if (!fp) {
        return false;
    }
    TcgHostRegs regs;
    memset(&regs, 0, sizeof regs);
    read_regs(&regs, uc);
    e->backend->restore(&r->c, fp, &regs, cpu);
    engine_set_pc(e, cpu, fp->pc);
    note_fault(cpu, si, uc);
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)e->backend->exit_address(&buffer->buf);
    uc->uc_mcontext.gregs[REG_RBP] = (greg_t)((char *)cpu + TCG_CPU_BIAS);
    return true;
}
