/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals: the host kernel queues, masks and picks threads; we only carry them over to the guest.
 *
 * The guest's mask is the host thread's mask (but SIGSEGV and SIGBUS, which the translator needs,
 * stay open), the guest's IGN and DFL are the host's. A handler of the guest makes host_handler()
 * the host's: it keeps the one siginfo, sets TCG_REQ_SIGNAL, and returns with everything blocked,
 * so that all further signals stay in the kernel's queues, in its order, until the guest is at a
 * safe point and user_signals_deliver() has pushed the frame and opened the mask again.
 *
 * System calls enter the kernel at one instruction (host_x86_64.S): a signal before it means the
 * call has not begun; at it with rcx set, that the kernel wants it restarted; after it, that it
 * has its result. So no signal is lost before a blocking call, and SA_RESTART is the kernel's own.
 *
 * Host libc is not asked: raw system calls, so that signals 32 and 33 are the guest's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "user/guest_abi.h"
#include "user/sig.h"
#include "user/thread.h"

_Thread_local UserThread *user_current;

extern const char user_host_stub_check[], user_host_stub_insn[], user_host_stub_done[];
extern const char user_host_stub_abort[], user_copy_insn[], user_copy_end[];
extern void user_host_restorer(void);
extern int64_t user_host_stub(const uint32_t *request, uint32_t bits, long nr, const uint64_t a[6]);

enum { ALTSTACK_BYTES = 128 << 10, SA_HOST_RESTORER = 0x04000000 };

#define BIT(sig) ((uint64_t)1 << ((sig)-1))
/* What the translator needs open on the host. */
#define SYNC_OPEN (BIT(SIGSEGV) | BIT(SIGBUS))
/* UserThread.host_mask: equal to no mask that is ever wanted. */
#define UNKNOWN_MASK SYNC_OPEN

static long raw_mask(int how, const uint64_t *set, uint64_t *old)
{
    return syscall(SYS_rt_sigprocmask, how, set, old, 8);
}

static void set_host_mask(uint64_t m)
{
    if (user_current) {
        user_current->host_mask = m; /* before the call, as in user_signals_sync() */
    }
    raw_mask(SIG_SETMASK, &m, NULL);
}

void user_signals_host_mask(uint64_t guest_mask)
{
    set_host_mask(guest_mask & ~SYNC_OPEN);
}

void user_signals_block_all(void)
{
    set_host_mask(~SYNC_OPEN);
}

/*
 * Through the stub, so that a signal which comes first keeps the mask as its handler left it:
 * closed, until it is delivered.
 */
void user_signals_sync(UserThread *t)
{
    uint64_t m = t->sigmask & ~SYNC_OPEN;
    if (m == t->host_mask) {
        return;
    }
    t->host_mask = m; /* before the call: a handler right after it closes the mask and says so */
    if (!USER_CALL(t, SYS_rt_sigprocmask, SIG_SETMASK, (uint64_t)&m, 0, 8)) {
        return;
    }
    t->host_mask = UNKNOWN_MASK;
    if (!t->has_pending) { /* the request is another's */
        user_signals_block_all();
        if (!t->has_pending) {
            user_signals_host_mask(t->sigmask);
        }
    }
}

/* ---- the host's handler ---- */

static void leave_stub(ucontext_t *uc)
{
    greg_t *g = uc->uc_mcontext.gregs;
    const char *ip = (const char *)g[REG_RIP];
    if (ip < user_host_stub_check || ip > user_host_stub_insn) {
        return;
    }
    if (ip == user_host_stub_insn && (const char *)g[REG_RCX] == user_host_stub_done) {
        g[REG_RAX] = -USER_ERESTARTSYS;
        g[REG_RIP] = (greg_t)user_host_stub_done;
    } else {
        g[REG_RIP] = (greg_t)user_host_stub_abort;
    }
}

static void put_text(const char *s)
{
    ssize_t ignored = write(2, s, strlen(s));
    (void)ignored;
}

static void put_hex(uint64_t v)
{
    char s[17];
    for (int i = 15; i >= 0; i--, v >>= 4) {
        s[i] = "0123456789abcdef"[v & 15];
    }
    s[16] = 0;
    put_text(s);
}

static void report_own_crash(int sig, const siginfo_t *si, const ucontext_t *uc)
{
    extern const char __ehdr_start[] __attribute__((visibility("hidden")));
    UserThread *t = user_current;
    put_text("gemel: the emulator itself crashed: signal ");
    put_text((char[3]){(char)('0' + sig / 10), (char)('0' + sig % 10), 0});
    put_text(" at host pc ");
    put_hex((uint64_t)uc->uc_mcontext.gregs[REG_RIP]);
    put_text(" (image offset ");
    put_hex((uint64_t)uc->uc_mcontext.gregs[REG_RIP] - (uint64_t)__ehdr_start);
    put_text("), address ");
    put_hex((uint64_t)si->si_addr);
    put_text(", last guest pc ");
    put_hex(t && t->proc->abi ? t->proc->abi->pc(t) : 0);
    put_text(", system call ");
    put_hex(t ? t->syscall_nr : 0);
    put_text("\n");
}

/* A fault of the host CPU: the guest's, user_copy()'s, or our own bug. true: dealt with. */
static bool host_fault(UserThread *t, int sig, siginfo_t *si, ucontext_t *uc)
{
    greg_t *g = uc->uc_mcontext.gregs;
    if ((const char *)g[REG_RIP] == user_copy_insn) {
        g[REG_RIP] = (greg_t)user_copy_end;
        return true;
    }
    if (t && tcg_host_fault(&t->cpu.tcg, sig, si, uc)) {
        t->fault_sig = sig;
        return true;
    }
    return false;
}

static void kernel_default(int sig)
{
    uint64_t act[4] = {0}, m = BIT(sig);
    syscall(SYS_rt_sigaction, sig, act, NULL, 8);
    raw_mask(SIG_UNBLOCK, &m, NULL);
}

static void host_handler(int sig, siginfo_t *si, void *ctx)
{
    ucontext_t *uc = ctx;
    UserThread *t = user_current;
    bool fault_kind = sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL;
    if (fault_kind && si->si_code > 0) {
        if (!host_fault(t, sig, si, uc)) {
            report_own_crash(sig, si, uc);
            kernel_default(sig);
            syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), sig);
        }
        return;
    }
    if (!t) {
        /* A thread of the engine: hand it to the main thread. */
        syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), sig, si);
        return;
    }
    if (BIT(sig) & SYNC_OPEN) {
        int i = sig == SIGBUS;
        t->held[i] = *si;
        t->has_held[i] = 1;
    } else {
        t->pending = *si;
        t->has_pending = 1;
        uint64_t all = ~SYNC_OPEN;
        t->host_mask = UNKNOWN_MASK;
        memcpy(&uc->uc_sigmask, &all, sizeof all);
    }
    tcg_request(&t->cpu.tcg, TCG_REQ_SIGNAL);
    leave_stub(uc);
}

/* ---- dispositions ---- */

/* Tells the host what the guest wants of sig. Process lock held, or before threads. */
void user_signal_install(const UserThread *t, int sig)
{
    const UserSigaction *g = &t->action[sig];
    UserSigaction host = {.handler = (uint64_t)host_handler,
                          .mask = ~(uint64_t)0,
                          .restorer = (uint64_t)user_host_restorer};
    host.flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_HOST_RESTORER |
                 (g->flags & (SA_NOCLDSTOP | SA_NOCLDWAIT));
    if (g->handler <= 1 && !(BIT(sig) & SYNC_OPEN)) {
        host.handler = g->handler;
    }
    syscall(SYS_rt_sigaction, sig, &host, NULL, 8);
}

void user_signals_init(UserThread *t)
{
    t->action = calloc(USER_NSIG + 1, sizeof *t->action);
    if (!t->action) {
        abort();
    }
    for (int sig = 1; sig <= USER_NSIG; sig++) {
        UserSigaction old = {0};
        syscall(SYS_rt_sigaction, sig, NULL, &old, 8);
        t->action[sig].handler = old.handler == 1;
        if (BIT(sig) & SYNC_OPEN) {
            user_signal_install(t, sig);
        }
    }
    raw_mask(SIG_BLOCK, NULL, &t->sigmask);
    user_signals_host_mask(t->sigmask);
}

static bool ignored_by_default(int sig)
{
    return sig == SIGCHLD || sig == SIGURG || sig == SIGWINCH || sig == SIGCONT;
}

void user_die_by_signal(UserThread *t, int sig)
{
    user_signals_block_all();
    kernel_default(sig);
    syscall(SYS_tgkill, getpid(), t->tid, sig);
    for (;;) {
        /* only a process that ignores fatal signals for good (init of a namespace) gets here */
        syscall(SYS_exit_group, 128 + sig);
    }
}

/* ---- system calls that signals may interrupt ---- */

int64_t user_host_call(UserThread *t, long nr, const uint64_t a[6])
{
    return user_host_stub(&t->cpu.tcg.request, TCG_REQ_SIGNAL, nr, a);
}

int64_t user_masked_call(UserThread *t, long nr, const uint64_t a[6], uint64_t mask)
{
    int64_t r = user_host_call(t, nr, a);
    if (t->has_pending && r == -EINTR) {
        /* Taken under the call's mask: the handler runs with it, the frame restores ours. */
        t->saved_mask = t->sigmask;
        t->has_saved_mask = true;
        t->sigmask = mask & ~(BIT(SIGKILL) | BIT(SIGSTOP));
    }
    return r;
}

/* ---- delivery ---- */

static bool take_next(UserThread *t, siginfo_t *si)
{
    if (t->has_pending) {
        *si = t->pending;
        t->has_pending = 0;
        return true;
    }
    for (int i = 0; i < 2; i++) {
        int sig = i ? SIGBUS : SIGSEGV;
        if (t->has_held[i] && !(t->sigmask & BIT(sig))) {
            *si = t->held[i];
            t->has_held[i] = 0;
            return true;
        }
    }
    return false;
}

/* What the interrupted system call becomes, now that it is known whether a handler runs. */
static void settle_restart(UserThread *t, const UserSigaction *act)
{
    int r = t->restart;
    t->restart = 0;
    if (!r) {
        return;
    }
    bool eintr =
        r == USER_ERESTARTNOHAND || (r == USER_ERESTARTSYS && act && !(act->flags & SA_RESTART));
    if (act && eintr) {
        t->proc->abi->result(t, -EINTR);
    } else {
        t->proc->abi->again(t);
    }
}

/* One signal to the guest. fault: it is synchronous. */
static void deliver_one(UserThread *t, const siginfo_t *si, const UserFault *fault)
{
    UserProcess *p = t->proc;
    int sig = si->si_signo;
    pthread_mutex_lock(&p->lock);
    UserSigaction act = t->action[sig];
    if (act.handler > 1 && (act.flags & SA_RESETHAND)) {
        t->action[sig].handler = 0;
        user_signal_install(t, sig);
    }
    pthread_mutex_unlock(&p->lock);
    if (p->opt->strace) {
        user_strace_signal(t, sig, si);
    }
    if (act.handler == 1 || (act.handler == 0 && ignored_by_default(sig))) {
        return;
    }
    if (act.handler == 0) {
        user_die_by_signal(t, sig);
    }
    settle_restart(t, &act);
    uint64_t frame_mask = t->has_saved_mask ? t->saved_mask : t->sigmask;
    t->has_saved_mask = false;
    if (!p->abi->frame_push(t, si, &act, frame_mask, fault)) {
        user_die_by_signal(t, SIGSEGV);
    }
    t->sigmask |= act.mask | (act.flags & SA_NODEFER ? 0 : BIT(sig));
    t->sigmask &= ~(BIT(SIGKILL) | BIT(SIGSTOP));
}

void user_signals_deliver(UserThread *t)
{
    siginfo_t si;
    do {
        __atomic_fetch_and(&t->cpu.tcg.request, ~(uint32_t)TCG_REQ_SIGNAL, __ATOMIC_SEQ_CST);
        while (take_next(t, &si)) {
            deliver_one(t, &si, NULL);
        }
        if (t->has_saved_mask) { /* no handler ran */
            t->sigmask = t->saved_mask;
            t->has_saved_mask = false;
        }
        settle_restart(t, NULL);
        user_signals_sync(t); /* here the next one may come in */
    } while (t->has_pending);
}

void user_signal_fault(UserThread *t, const UserFault *f)
{
    siginfo_t si;
    memset(&si, 0, sizeof si);
    si.si_signo = f->sig;
    si.si_code = f->code;
    si.si_addr = (void *)f->addr;
    uint64_t handler = t->action[f->sig].handler;
    if (handler <= 1 || (t->sigmask & BIT(f->sig))) {
        if (t->proc->opt->strace) {
            user_strace_signal(t, f->sig, &si);
        }
        user_die_by_signal(t, f->sig);
    }
    deliver_one(t, &si, f);
    user_signals_sync(t);
}

/* ---- a thread's host side ---- */

void user_thread_enter(UserThread *t)
{
    if (!t->host_altstack) {
        t->host_altstack =
            mmap(NULL, ALTSTACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (t->host_altstack == MAP_FAILED) {
            abort();
        }
    }
    stack_t ss = {.ss_sp = t->host_altstack, .ss_size = ALTSTACK_BYTES};
    syscall(SYS_sigaltstack, &ss, NULL);
    t->tid = (int)syscall(SYS_gettid);
    t->host_mask = UNKNOWN_MASK;
    user_current = t;
}

void user_thread_leave(UserThread *t)
{
    stack_t off = {.ss_flags = SS_DISABLE};
    syscall(SYS_sigaltstack, &off, NULL);
    user_current = NULL;
    user_thread_unmap_altstack(t);
}

void user_thread_unmap_altstack(UserThread *t)
{
    munmap(t->host_altstack, ALTSTACK_BYTES);
    t->host_altstack = NULL;
}

void user_actions_clear(UserThread *t)
{
    pthread_mutex_lock(&t->proc->lock);
    for (int sig = 1; sig <= USER_NSIG; sig++) {
        if (t->action[sig].handler > 1) {
            t->action[sig] = (UserSigaction){0};
            user_signal_install(t, sig);
        }
    }
    pthread_mutex_unlock(&t->proc->lock);
}
