/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls on signals. Masks and siginfo have the same layout on arm64 and x86-64. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/abi.h"
#include "user/sig.h"
#include "user/guest_abi.h"

#define BIT(sig) ((uint64_t)1 << ((sig)-1))
#define NEVER (BIT(SIGKILL) | BIT(SIGSTOP))

enum { SIGSET_BYTES = 8, MINSTACK_A64 = 5120 };

SYS_DEF(rt_sigaction)
{
    UserProcess *p = t->proc;
    UserSigaction act, old;
    int sig = (int)a[0];
    if (a[3] != SIGSET_BYTES) {
        return -EINVAL;
    }
    if (a[1] && user_get(&act, a[1], sizeof act)) {
        return -EFAULT;
    }
    if (sig < 1 || sig > USER_NSIG || (a[1] && (BIT(sig) & NEVER))) {
        return -EINVAL;
    }
    pthread_mutex_lock(&p->lock);
    old = t->action[sig];
    if (a[1]) {
        act.mask &= ~NEVER;
        t->action[sig] = act;
        user_signal_install(t, sig);
    }
    pthread_mutex_unlock(&p->lock);
    return a[2] && user_put(a[2], &old, sizeof old) ? -EFAULT : 0;
}

SYS_DEF(rt_sigprocmask)
{
    uint64_t set, old = t->sigmask;
    if (a[3] != SIGSET_BYTES) {
        return -EINVAL;
    }
    if (a[1]) {
        if (user_get(&set, a[1], sizeof set)) {
            return -EFAULT;
        }
        set &= ~NEVER;
        switch ((int)a[0]) {
        case SIG_BLOCK: t->sigmask |= set; break;
        case SIG_UNBLOCK: t->sigmask &= ~set; break;
        case SIG_SETMASK: t->sigmask = set; break;
        default: return -EINVAL;
        }
        user_signals_sync(t);
        if (t->has_held[0] || t->has_held[1]) {
            tcg_request(&t->cpu.tcg, TCG_REQ_SIGNAL);
        }
    }
    return a[2] && user_put(a[2], &old, sizeof old) ? -EFAULT : 0;
}

SYS_DEF(rt_sigpending)
{
    uint64_t set = 0;
    if (a[1] > SIGSET_BYTES) {
        return -EINVAL;
    }
    int64_t r = USER_CALL(t, SYS_rt_sigpending, (uint64_t)&set, SIGSET_BYTES);
    if (r) {
        return r;
    }
    set |= t->has_held[0] ? BIT(SIGSEGV) : 0;
    set |= t->has_held[1] ? BIT(SIGBUS) : 0;
    return user_put(a[0], &set, a[1]);
}

SYS_DEF(rt_sigsuspend)
{
    uint64_t mask;
    if (a[1] != SIGSET_BYTES) {
        return -EINVAL;
    }
    if (user_get(&mask, a[0], sizeof mask)) {
        return -EFAULT;
    }
    uint64_t host = mask & ~(BIT(SIGSEGV) | BIT(SIGBUS));
    int64_t r = user_masked_call(t, SYS_rt_sigsuspend,
                                 (const uint64_t[6]){(uint64_t)&host, SIGSET_BYTES}, mask);
    return r == -EINTR ? -USER_ERESTARTNOHAND : r;
}

SYS_DEF(rt_sigtimedwait)
{
    uint64_t set;
    siginfo_t si;
    if (a[3] != SIGSET_BYTES) {
        return -EINVAL;
    }
    if (user_get(&set, a[0], sizeof set)) {
        return -EFAULT;
    }
    for (int i = 0; i < 2; i++) {
        int sig = i ? SIGBUS : SIGSEGV;
        if ((set & BIT(sig)) && t->has_held[i]) {
            si = t->held[i];
            t->has_held[i] = 0;
            return a[1] && user_put(a[1], &si, sizeof si) ? -EFAULT : sig;
        }
    }
    return USER_CALL(t, SYS_rt_sigtimedwait, a[0], a[1], a[2], a[3]);
}

SYS_DEF(rt_sigreturn)
{
    (void)a;
    uint64_t mask;
    if (!t->proc->abi->frame_pop(t, &mask)) {
        UserFault f = {.sig = SIGSEGV, .code = 128 /* SI_KERNEL */};
        user_signal_fault(t, &f);
        return -USER_ENORET;
    }
    t->sigmask = mask & ~NEVER;
    user_signals_sync(t);
    if (t->has_held[0] || t->has_held[1]) {
        tcg_request(&t->cpu.tcg, TCG_REQ_SIGNAL);
    }
    return -USER_ENORET;
}

SYS_DEF(sigaltstack)
{
    UserStack n, old = t->altstack;
    bool on = user_on_altstack(t, t->proc->abi->sp(t));
    if (a[0] && user_get(&n, a[0], sizeof n)) {
        return -EFAULT;
    }
    old.flags = !old.size ? SS_DISABLE : (old.flags & (int)0x80000000) | (on ? SS_ONSTACK : 0);
    if (a[0]) {
        int mode = n.flags & ~(int)0x80000000;
        if (on) {
            return -EPERM;
        }
        if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0) {
            return -EINVAL;
        }
        if (mode == SS_DISABLE) {
            n = (UserStack){0};
        } else if (n.size < MINSTACK_A64) {
            return -ENOMEM;
        }
        t->altstack = n;
        t->altstack.flags &= (int)0x80000000;
    }
    old.pad = 0;
    return a[1] && user_put(a[1], &old, sizeof old) ? -EFAULT : 0;
}

SYS_DEF(restart_syscall)
{
    (void)t;
    (void)a;
    return -EINTR;
}
