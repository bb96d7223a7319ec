/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86-64 Linux as a UserAbi, on a host that has the same system calls.
 *
 * Sources: System V ABI for x86-64, appendix A.2 (Linux conventions); the kernel's uapi headers
 * asm/sigcontext.h, asm/ucontext.h, asm/prctl.h (layout of signal frames, numbers).
 * Not modelled: x87 state in signal frames (empty), XSAVE areas, ptrace.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/abi.h"
#include "user/guest_abi.h"
#include "user/mm.h"

/* ---- registers ---- */

static bool reset(UserThread *t, const char *model)
{
    return x86_cpu_reset(&t->x86, model);
}

static void start(UserThread *t, uint64_t pc, uint64_t sp)
{
    t->x86.rip = pc;
    t->x86.r[X86_RSP] = sp;
}

static uint64_t get_pc(const UserThread *t)
{
    return t->x86.rip;
}

static uint64_t get_sp(const UserThread *t)
{
    return t->x86.r[X86_RSP];
}

/* AT_HWCAP is EDX of CPUID leaf 1. */
static uint64_t hwcap(const UserThread *t, unsigned word)
{
    uint32_t out[4];
    x86_cpuid(&t->x86, 1, 0, out);
    return word ? 0 : out[3];
}

static void child(UserThread *c, const UserThread *t, const UserCloneArgs *k)
{
    if (c != t) {
        memcpy(&c->x86.r, &t->x86.r, sizeof c->x86 - offsetof(X86Cpu, r));
    }
    c->x86.r[X86_RAX] = 0;
    if (k->stack) {
        c->x86.r[X86_RSP] = k->stack;
    }
    if (k->flags & CLONE_SETTLS) {
        c->x86.fs_base = k->tls;
    }
}

static unsigned call(const UserThread *t, uint64_t a[6])
{
    static const uint8_t regs[6] = {X86_RDI, X86_RSI, X86_RDX, X86_R10, X86_R8, X86_R9};
    for (unsigned i = 0; i < 6; i++) {
        a[i] = t->x86.r[regs[i]];
    }
    return t->x86.r[X86_RAX] < USER_N_SYSCALLS ? (unsigned)t->x86.r[X86_RAX] : USER_N_SYSCALLS - 1;
}

static void result(UserThread *t, int64_t r)
{
    t->x86.r[X86_RAX] = (uint64_t)r;
}

static void again(UserThread *t)
{
    t->x86.rip -= 2; /* RAX still has the number */
}

/* ---- system calls ---- */

#define SYS_X86_DEF(name)                                                                          \
    int64_t sys_x86_##name(UserThread *t, const uint64_t a[6]);                                    \
    int64_t sys_x86_##name(UserThread *t, const uint64_t a[6])

#define SYS_HOST(nr, name, args)
#define SYS_SAME(nr, name, args) int64_t sys_##name(UserThread *t, const uint64_t a[6]);
#define SYS_X86(nr, name, args) int64_t sys_x86_##name(UserThread *t, const uint64_t a[6]);
#define SYS_NONE(nr, name, args)
#include "user/syscalls_x86_64.def"
#undef SYS_HOST
#undef SYS_SAME
#undef SYS_X86
#undef SYS_NONE
int64_t sys_openat(UserThread *t, const uint64_t a[6]); /* arm64's flags */

static const UserSyscall syscalls[USER_N_SYSCALLS] = {
#define SYS_HOST(nr, name, args) [nr] = {#name, NULL, nr, USER_SYS_PASS, args},
#define SYS_SAME(nr, name, args) [nr] = {#name, sys_##name, -1, USER_SYS_IMPL, args},
#define SYS_X86(nr, name, args) [nr] = {#name, sys_x86_##name, -1, USER_SYS_IMPL, args},
#define SYS_NONE(nr, name, args) [nr] = {#name, NULL, -1, USER_SYS_ENOSYS, args},
#include "user/syscalls_x86_64.def"
#undef SYS_HOST
#undef SYS_SAME
#undef SYS_X86
#undef SYS_NONE
};

enum { AT_CWD = -100 };

static int64_t open_at(UserThread *t, uint64_t dirfd, uint64_t path, uint64_t flags, uint64_t mode)
{
    return sys_openat(t, (const uint64_t[6]){dirfd, path, user_open_flags_to_guest(flags), mode});
}

SYS_X86_DEF(open)
{
    return open_at(t, (uint64_t)AT_CWD, a[0], a[1], a[2]);
}

SYS_X86_DEF(creat)
{
    return open_at(t, (uint64_t)AT_CWD, a[0], O_CREAT | O_WRONLY | O_TRUNC, a[1]);
}

SYS_X86_DEF(openat)
{
    return open_at(t, a[0], a[1], a[2], a[3]);
}

SYS_X86_DEF(readlink)
{
    return sys_readlinkat(t, (const uint64_t[6]){(uint64_t)AT_CWD, a[0], a[1], a[2]});
}

SYS_X86_DEF(access)
{
    return sys_faccessat(t, (const uint64_t[6]){(uint64_t)AT_CWD, a[0], a[1]});
}

static int64_t stat_at(UserThread *t, uint64_t dirfd, uint64_t path, uint64_t at, uint64_t flags)
{
    char name[4096], buf[4096];
    int64_t n = path ? user_get_string(name, path, sizeof name) : 0;
    if (n < 0) {
        return n;
    }
    if (n > 0) {
        const char *link = flags & AT_SYMLINK_NOFOLLOW ? NULL : user_proc_link(t, name);
        path = (uint64_t)(link ? link : user_path(t->proc->opt, name, buf));
    }
    return USER_CALL(t, SYS_newfstatat, dirfd, path, at, flags);
}

SYS_X86_DEF(stat)
{
    return stat_at(t, (uint64_t)AT_CWD, a[0], a[1], 0);
}

SYS_X86_DEF(lstat)
{
    return stat_at(t, (uint64_t)AT_CWD, a[0], a[1], AT_SYMLINK_NOFOLLOW);
}

SYS_X86_DEF(newfstatat)
{
    return stat_at(t, a[0], a[1], a[2], a[3]);
}

SYS_X86_DEF(dup2)
{
    if (a[0] == a[1]) {
        int64_t r = USER_CALL(t, SYS_fcntl, a[0], F_GETFD);
        return r < 0 ? r : (int64_t)a[1];
    }
    return sys_dup3(t, (const uint64_t[6]){a[0], a[1], 0});
}

SYS_X86_DEF(epoll_pwait)
{
    uint64_t mask;
    if (!a[4]) {
        return user_host_call(t, SYS_epoll_wait, a);
    }
    if (a[5] != 8) {
        return -EINVAL;
    }
    return user_get(&mask, a[4], sizeof mask) ? -EFAULT
                                              : user_masked_call(t, SYS_epoll_pwait, a, mask);
}

/* x86 has the thread pointer last. */
SYS_X86_DEF(clone)
{
    UserCloneArgs k = {
        .flags = a[0] & 0xffffff00u,
        .exit_signal = a[0] & 0xff,
        .stack = a[1],
        .ptid = a[2],
        .ctid = a[3],
        .tls = a[4],
        .pidfd = a[2],
    };
    if ((k.flags & CLONE_PIDFD) && (k.flags & CLONE_PARENT_SETTID)) {
        return -EINVAL;
    }
    return user_clone(t, &k);
}

SYS_X86_DEF(fork)
{
    (void)a;
    return user_clone(t, &(UserCloneArgs){.exit_signal = SIGCHLD});
}

SYS_X86_DEF(vfork)
{
    (void)a;
    UserCloneArgs k = {.flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD};
    return user_clone(t, &k);
}

SYS_X86_DEF(arch_prctl)
{
    enum { SET_GS = 0x1001, SET_FS, GET_FS, GET_GS };
    X86Cpu *c = &t->x86;
    switch ((int)a[0]) {
    case SET_GS:
    case SET_FS:
        if (a[1] >= USER_TASK_SIZE) {
            return -EPERM;
        }
        *((int)a[0] == SET_FS ? &c->fs_base : &c->gs_base) = a[1];
        return 0;
    case GET_FS: return user_put(a[1], &c->fs_base, 8);
    case GET_GS: return user_put(a[1], &c->gs_base, 8);
    default: return -EINVAL;
    }
}

/* ---- exceptions ---- */

enum {
    TRAP_UD = 6,
    TRAP_DE = 0,
    TRAP_BP = 3,
    TRAP_GP = 13,
    TRAP_PF = 14,
    PF_PRESENT = 1,
    PF_WRITE = 2,
    PF_USER = 4,
    CODE_KERNEL = 0x80,
    CODE_MAPERR = 1,
    CODE_ACCERR = 2,
    CODE_ILLOPN = 2,
    CODE_INTDIV = 1,
};

/* UserFault.esr carries trap number << 32 | error code here. */
static void fault(UserThread *t, int sig, int code, uint64_t addr, uint64_t trap, uint64_t error)
{
    UserFault f = {sig, code, addr, trap << 32 | error};
    user_signal_fault(t, &f);
}

static void memory_fault(UserThread *t)
{
    TcgCpu *c = &t->x86.tcg;
    UserRegion r;
    if (c->fault_code == CODE_KERNEL) { /* not canonical: #GP, on the host as here */
        fault(t, SIGSEGV, CODE_KERNEL, 0, TRAP_GP, 0);
        return;
    }
    int code = (int)c->fault_code;
    bool mapped = user_map_find(&t->proc->map, c->fault_addr, &r);
    if (t->fault_sig == SIGSEGV) {
        code = mapped ? CODE_ACCERR : CODE_MAPERR;
    }
    /* PROT_NONE is not present; whether another page was, only the kernel knows */
    fault(t, t->fault_sig, code, c->fault_addr, TRAP_PF,
          PF_USER | (c->fault_write ? PF_WRITE : 0) |
              (code == CODE_ACCERR && r.prot ? PF_PRESENT : 0));
}

static void fetch_fault(UserThread *t)
{
    UserRegion r;
    uint8_t byte;
    uint64_t at = t->x86.tcg.exit_info;
    bool mapped = user_map_find(&t->proc->map, at, &r);
    if (mapped && (r.prot & PROT_EXEC)) {
        if (user_get(&byte, at, 1)) {
            fault(t, SIGBUS, 2, at, TRAP_PF, PF_USER);
        }
        return; /* else mapped by now: again */
    }
    fault(t, SIGSEGV, mapped ? CODE_ACCERR : CODE_MAPERR, at, TRAP_PF, PF_USER | 16);
}

static void handle(UserThread *t, TcgExit why)
{
    uint64_t pc = t->x86.rip;
    switch (why) {
    case TCG_EXIT_SYSCALL: user_syscall(t); break;
    case TCG_EXIT_REQUEST: break;
    case TCG_EXIT_FAULT: memory_fault(t); break;
    case TCG_EXIT_FETCH: fetch_fault(t); break;
    case TCG_EXIT_UNDEF: fault(t, SIGILL, CODE_ILLOPN, pc, TRAP_UD, 0); break;
    case TCG_EXIT_BREAK: fault(t, SIGTRAP, CODE_KERNEL, 0, TRAP_BP, 0); break;
    case TCG_EXIT_ALIGN: fault(t, SIGSEGV, CODE_KERNEL, 0, TRAP_GP, 0); break;
    case TCG_EXIT_DIVIDE: fault(t, SIGFPE, CODE_INTDIV, pc, TRAP_DE, 0); break;
    default:
        fprintf(stderr, "gemel: the translator left with reason %d, which no one handles\n", why);
        abort();
    }
}

/* ---- signal frames ---- */

typedef struct X86SigContext {
    uint64_t r8_15[8], rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
    uint16_t cs, gs, fs, ss;
    uint64_t err, trapno, oldmask, cr2, fpstate, reserved[8];
} X86SigContext;

typedef struct X86Frame {
    uint64_t restorer; /* the handler's return address */
    uint64_t uc_flags, uc_link;
    UserStack uc_stack;
    X86SigContext mc;
    uint64_t uc_sigmask;
    uint8_t info[128];
} X86Frame;
_Static_assert(sizeof(X86SigContext) == 256, "sigcontext");
_Static_assert(offsetof(X86Frame, uc_sigmask) == 8 + 296, "ucontext");

typedef struct X86FpState { /* FXSAVE64 */
    uint16_t cwd, swd, twd, fop;
    uint64_t rip, rdp;
    uint32_t mxcsr, mxcsr_mask;
    uint8_t st[8][16], xmm[16][16], pad[96];
} X86FpState;
_Static_assert(sizeof(X86FpState) == 512, "fpstate");

enum {
    UC_SS = 2,
    UC_STRICT_SS = 4,
    USER_CS = 0x33,
    USER_SS = 0x2b,
    RED_ZONE = 128,
    SA_X86_ONSTACK = 0x08000000,
    SA_X86_RESTORER = 0x04000000,
    SS_X86_DISABLE = 2,
    SS_X86_ONSTACK = 1,
    MXCSR_BITS = 0xffff
};
#define SS_X86_AUTODISARM ((int)(1u << 31))

static bool on_altstack(const UserThread *t, uint64_t sp)
{
    return !(t->altstack.flags & SS_X86_AUTODISARM) && t->altstack.size && sp > t->altstack.sp &&
           sp - t->altstack.sp <= t->altstack.size;
}

static void fill_context(const UserThread *t, X86SigContext *m, const UserFault *f)
{
    const X86Cpu *c = &t->x86;
    memcpy(m->r8_15, &c->r[X86_R8], sizeof m->r8_15);
    m->rdi = c->r[X86_RDI];
    m->rsi = c->r[X86_RSI];
    m->rbp = c->r[X86_RBP];
    m->rbx = c->r[X86_RBX];
    m->rdx = c->r[X86_RDX];
    m->rax = c->r[X86_RAX];
    m->rcx = c->r[X86_RCX];
    m->rsp = c->r[X86_RSP];
    m->rip = c->rip;
    m->eflags = x86_rflags_get(c);
    m->cs = USER_CS;
    m->ss = USER_SS;
    if (f) {
        m->trapno = f->esr >> 32;
        m->err = (uint32_t)f->esr;
        m->cr2 = m->trapno == TRAP_PF ? f->addr : 0;
    }
}

static bool frame_push(UserThread *t, const siginfo_t *si, const UserSigaction *act,
                       uint64_t frame_mask, const UserFault *flt)
{
    X86Cpu *c = &t->x86;
    X86Frame f = {.restorer = act->restorer, .uc_flags = UC_SS | UC_STRICT_SS};
    X86FpState fp = {.cwd = (uint16_t)c->fcw, .mxcsr = c->mxcsr, .mxcsr_mask = MXCSR_BITS};
    uint64_t sp = c->r[X86_RSP] - RED_ZONE;
    if (!(act->flags & SA_X86_RESTORER)) {
        return false; /* x86-64 has no other way back */
    }
    if ((act->flags & SA_X86_ONSTACK) && t->altstack.size && !on_altstack(t, c->r[X86_RSP])) {
        sp = t->altstack.sp + t->altstack.size;
    }
    f.uc_stack = t->altstack;
    f.uc_stack.flags = !t->altstack.size ? SS_X86_DISABLE
                                         : (t->altstack.flags & SS_X86_AUTODISARM) |
                                               (on_altstack(t, c->r[X86_RSP]) ? SS_X86_ONSTACK : 0);
    fill_context(t, &f.mc, flt);
    f.uc_sigmask = f.mc.oldmask = frame_mask;
    memcpy(f.info, si, sizeof f.info);
    for (unsigned i = 0; i < 16; i++) {
        memcpy(fp.xmm[i], &c->xmm[i], 16);
    }
    f.mc.fpstate = (sp - sizeof fp) & ~(uint64_t)63;
    uint64_t at = ((f.mc.fpstate - sizeof f) & ~(uint64_t)15) - 8;
    if (user_put(f.mc.fpstate, &fp, sizeof fp) || user_put(at, &f, sizeof f)) {
        return false;
    }
    if (t->altstack.flags & SS_X86_AUTODISARM) {
        t->altstack = (UserStack){0};
    }
    c->r[X86_RAX] = 0;
    c->r[X86_RDI] = (uint64_t)si->si_signo;
    c->r[X86_RSI] = at + offsetof(X86Frame, info);
    c->r[X86_RDX] = at + offsetof(X86Frame, uc_flags);
    c->r[X86_RSP] = at;
    c->rip = act->handler;
    c->df = 1;
    return true;
}

static void take_context(X86Cpu *c, const X86SigContext *m)
{
    memcpy(&c->r[X86_R8], m->r8_15, sizeof m->r8_15);
    c->r[X86_RDI] = m->rdi;
    c->r[X86_RSI] = m->rsi;
    c->r[X86_RBP] = m->rbp;
    c->r[X86_RBX] = m->rbx;
    c->r[X86_RDX] = m->rdx;
    c->r[X86_RAX] = m->rax;
    c->r[X86_RCX] = m->rcx;
    c->r[X86_RSP] = m->rsp;
    c->rip = m->rip;
    x86_rflags_set(c, m->eflags);
}

static bool frame_pop(UserThread *t, uint64_t *mask)
{
    X86Cpu *c = &t->x86;
    X86Frame f;
    X86FpState fp;
    if (user_get(&f, c->r[X86_RSP] - 8, sizeof f)) { /* RET took the restorer */
        return false;
    }
    if (f.mc.fpstate) {
        if (f.mc.fpstate % 16 || user_get(&fp, f.mc.fpstate, sizeof fp) ||
            (fp.mxcsr & ~(uint32_t)MXCSR_BITS)) {
            return false;
        }
        c->mxcsr = fp.mxcsr;
        c->fcw = fp.cwd;
        for (unsigned i = 0; i < 16; i++) {
            memcpy(&c->xmm[i], fp.xmm[i], 16);
        }
    }
    take_context(c, &f.mc);
    if (!on_altstack(t, c->r[X86_RSP]) || !t->altstack.size) {
        t->altstack = f.uc_stack;
        t->altstack.flags &= SS_X86_AUTODISARM;
        if (f.uc_stack.flags & SS_X86_DISABLE) {
            t->altstack = (UserStack){0};
        }
    }
    *mask = f.uc_sigmask;
    return true;
}

const UserAbi user_abi_x86_64 = {
    .name = "x86_64",
    .machine = EM_X86_64,
    .native = true,
    .min_sigstack = 2048,
    .guest = &x86_guest,
    .cpu_models = x86_cpu_models,
    .syscalls = syscalls,
    .reset = reset,
    .start = start,
    .pc = get_pc,
    .sp = get_sp,
    .hwcap = hwcap,
    .child = child,
    .call = call,
    .result = result,
    .again = again,
    .handle = handle,
    .frame_push = frame_push,
    .frame_pop = frame_pop,
};
