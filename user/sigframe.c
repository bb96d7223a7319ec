/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The arm64 signal frame. Source: Linux uapi asm/sigcontext.h, asm/ucontext.h and
 * asm-generic/siginfo.h (layouts), Documentation/arch/arm64/ (contents).
 *
 * Upwards from the handler's sp: siginfo (128 bytes), ucontext, frame record {x29, x30}.
 */
#include <string.h>

#include "user/user.h"

enum {
    SA_A64_ONSTACK = 0x08000000,
    SA_A64_RESTORER = 0x04000000,
    SA_A64_SIGINFO = 4,
    SS_A64_ONSTACK = 1,
    SS_A64_DISABLE = 2,
    SS_A64_AUTODISARM = (int)0x80000000,
    FPSIMD_MAGIC = 0x46508001,
    ESR_MAGIC = 0x45535201,
    EXTRA_MAGIC = 0x45585401,
    RESERVED_BYTES = 4096,
};
#define NZCV_MASK 0xf0000000u

typedef struct FrameHead {
    uint32_t magic, size;
} FrameHead;

typedef struct FpsimdContext {
    FrameHead head;
    uint32_t fpsr, fpcr;
    uint64_t v[32][2];
} FpsimdContext;

typedef struct EsrContext {
    FrameHead head;
    uint64_t esr;
} EsrContext;

typedef struct A64Frame {
    uint8_t info[128];
    uint64_t uc_flags, uc_link;
    UserStack uc_stack;
    uint64_t uc_sigmask;
    uint8_t unused[120];
    uint8_t pad[8];
    uint64_t fault_address, regs[31], sp, pc, pstate;
    uint8_t pad2[8];
    uint8_t reserved[RESERVED_BYTES];
} A64Frame;
_Static_assert(offsetof(A64Frame, fault_address) == 128 + 176, "ucontext.uc_mcontext");
_Static_assert(offsetof(A64Frame, reserved) == 128 + 176 + 288, "sigcontext.__reserved");
_Static_assert(sizeof(A64Frame) == 128 + 176 + 288 + 4096, "rt_sigframe");
_Static_assert(sizeof(FpsimdContext) == 528, "fpsimd_context");

bool user_on_altstack(const UserThread *t, uint64_t sp)
{
    return !(t->altstack.flags & SS_A64_AUTODISARM) && t->altstack.size && sp > t->altstack.sp &&
           sp - t->altstack.sp <= t->altstack.size;
}

static uint64_t frame_sp(const UserThread *t, const UserSigaction *act)
{
    uint64_t sp = t->cpu.sp;
    if ((act->flags & SA_A64_ONSTACK) && t->altstack.size &&
        !(t->altstack.flags & SS_A64_DISABLE) && !user_on_altstack(t, sp)) {
        sp = t->altstack.sp + t->altstack.size;
    }
    return sp;
}

static void fill_reserved(UserThread *t, A64Frame *f, const UserFault *fault)
{
    FpsimdContext *fp = (FpsimdContext *)f->reserved;
    fp->head = (FrameHead){FPSIMD_MAGIC, sizeof *fp};
    fp->fpsr = a64_fpsr_get(&t->cpu);
    fp->fpcr = t->cpu.fpcr;
    for (int i = 0; i < 32; i++) {
        memcpy(fp->v[i], &t->cpu.v[i], 16);
    }
    if (fault && fault->esr) {
        EsrContext *e = (EsrContext *)(fp + 1);
        *e = (EsrContext){{ESR_MAGIC, sizeof *e}, fault->esr};
        f->fault_address = fault->addr;
    }
}

bool user_frame_push(UserThread *t, const siginfo_t *si, const UserSigaction *act,
                     uint64_t frame_mask, const UserFault *fault)
{
    A64Cpu *c = &t->cpu;
    A64Frame f;
    memset(&f, 0, sizeof f);
    memcpy(f.info, si, sizeof f.info);
    f.uc_stack = t->altstack;
    f.uc_stack.flags = !t->altstack.size ? SS_A64_DISABLE
                                         : (t->altstack.flags & SS_A64_AUTODISARM) |
                                               (user_on_altstack(t, c->sp) ? SS_A64_ONSTACK : 0);
    f.uc_sigmask = frame_mask;
    memcpy(f.regs, c->x, sizeof f.regs);
    f.sp = c->sp;
    f.pc = c->pc;
    f.pstate = a64_nzcv_get(c) | (uint64_t)(c->btype & 3) << 10;
    fill_reserved(t, &f, fault);

    uint64_t record = (frame_sp(t, act) - 16) & ~(uint64_t)15;
    uint64_t at = record - sizeof f;
    uint64_t link[2] = {c->x[29], c->x[30]};
    if (user_put(record, link, sizeof link) || user_put(at, &f, sizeof f)) {
        return false;
    }
    if (t->altstack.flags & SS_A64_AUTODISARM) {
        t->altstack = (UserStack){0};
    }
    c->x[0] = (uint64_t)si->si_signo;
    if (act->flags & SA_A64_SIGINFO) {
        c->x[1] = at;
        c->x[2] = at + offsetof(A64Frame, uc_flags);
    }
    c->x[29] = record;
    c->x[30] = act->flags & SA_A64_RESTORER ? act->restorer : t->proc->sigreturn;
    c->sp = at;
    c->pc = act->handler;
    c->btype = c->mode_bits & A64_MODE_BTI ? 2 : 0; /* as after a call: it may begin with BTI C */
    return true;
}

/* Applies the records of __reserved; false: not a chain of valid ones. */
static bool take_reserved(UserThread *t, const A64Frame *f)
{
    bool have_fp = false;
    size_t at = 0;
    while (at + sizeof(FrameHead) <= RESERVED_BYTES) {
        FrameHead h;
        memcpy(&h, f->reserved + at, sizeof h);
        if (!h.magic) {
            return !h.size && have_fp;
        }
        if (h.size < sizeof h || h.size % 16 || h.size > RESERVED_BYTES - at) {
            return false;
        }
        if (h.magic == FPSIMD_MAGIC) {
            FpsimdContext fp;
            if (have_fp || h.size != sizeof fp) {
                return false;
            }
            have_fp = true;
            memcpy(&fp, f->reserved + at, sizeof fp);
            for (int i = 0; i < 32; i++) {
                memset(&t->cpu.v[i], 0, sizeof t->cpu.v[i]);
                memcpy(&t->cpu.v[i], fp.v[i], 16);
            }
            a64_fpcr_set(&t->cpu, fp.fpcr);
            a64_fpsr_set(&t->cpu, fp.fpsr);
        } else if (h.magic != ESR_MAGIC && h.magic != EXTRA_MAGIC) {
            return false;
        }
        at += h.size;
    }
    return have_fp;
}

bool user_frame_pop(UserThread *t, uint64_t *mask)
{
    A64Cpu *c = &t->cpu;
    A64Frame f;
    if (c->sp % 16 || user_get(&f, c->sp, sizeof f)) {
        return false;
    }
    if ((f.pstate & 0x1f) || !take_reserved(t, &f)) { /* not EL0t of AArch64 */
        return false;
    }
    memcpy(c->x, f.regs, sizeof f.regs);
    c->sp = f.sp;
    c->pc = f.pc;
    a64_nzcv_set(c, (uint32_t)f.pstate & NZCV_MASK);
    c->btype = c->mode_bits & A64_MODE_BTI ? f.pstate >> 10 & 3 : 0;
    c->excl_addr = ~(uint64_t)0;
    if (!user_on_altstack(t, c->sp) || !t->altstack.size) {
        t->altstack = f.uc_stack;
        t->altstack.flags &= SS_A64_AUTODISARM;
        if (f.uc_stack.flags & SS_A64_DISABLE) {
            t->altstack = (UserStack){0};
        }
    }
    *mask = f.uc_sigmask;
    return true;
}
