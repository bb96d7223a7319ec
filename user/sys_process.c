/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls on processes and threads. */
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "user/abi.h"
#include "user/guest_abi.h"
#include "user/user.h"

SYS_DEF(clone)
{
    UserCloneArgs k = {
        .flags = a[0] & 0xffffff00u,
        .exit_signal = a[0] & 0xff,
        .stack = a[1],
        .ptid = a[2],
        .tls = a[3],
        .ctid = a[4],
        .pidfd = a[2],
    };
    if ((k.flags & CLONE_PIDFD) && (k.flags & CLONE_PARENT_SETTID)) {
        return -EINVAL;
    }
    return user_clone(t, &k);
}

SYS_DEF(clone3)
{
    struct clone_args c = {0};
    uint8_t extra[256] = {0}, zero[256] = {0};
    if (a[1] < CLONE_ARGS_SIZE_VER0) {
        return -EINVAL;
    }
    if (a[1] > sizeof c + sizeof extra) {
        return -E2BIG;
    }
    size_t known = a[1] < sizeof c ? a[1] : sizeof c;
    if (user_get(&c, a[0], known) || user_get(extra, a[0] + known, a[1] - known)) {
        return -EFAULT;
    }
    if (memcmp(extra, zero, sizeof zero)) {
        return -E2BIG;
    }
    if (c.set_tid || c.set_tid_size || (c.flags & (CLONE_INTO_CGROUP | CLONE_DETACHED | 0xff)) ||
        c.exit_signal > USER_NSIG || !c.stack != !c.stack_size) {
        return -EINVAL;
    }
    UserCloneArgs k = {
        .flags = c.flags,
        .exit_signal = c.exit_signal,
        .stack = c.stack ? c.stack + c.stack_size : 0,
        .tls = c.tls,
        .ptid = c.parent_tid,
        .ctid = c.child_tid,
        .pidfd = c.pidfd,
    };
    return user_clone(t, &k);
}

SYS_DEF(execve)
{
    return user_execve(t, AT_FDCWD, a[0], (const uint64_t[3]){a[1], a[2], 0});
}

SYS_DEF(execveat)
{
    if (a[4] & ~(uint64_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) {
        return -EINVAL;
    }
    return user_execve(t, (int)a[0], a[1], (const uint64_t[3]){a[2], a[3], a[4]});
}

SYS_DEF(exit)
{
    user_thread_exit(t, (int)a[0]);
}

SYS_DEF(exit_group)
{
    if (getenv("GEMEL_STATS")) {
        tcg_engine_report(t->proc->engine, stderr);
    }
    return USER_CALL(t, SYS_exit_group, a[0]);
}

SYS_DEF(set_tid_address)
{
    t->clear_tid = a[0];
    return t->tid;
}

SYS_DEF(set_robust_list)
{
    int64_t r = USER_CALL(t, SYS_set_robust_list, a[0], a[1]);
    if (!r) {
        t->robust_list = a[0];
    }
    return r;
}

SYS_DEF(get_robust_list)
{
    uint64_t bytes = 24;
    if (a[0] && (int)a[0] != t->tid) {
        return USER_CALL(t, SYS_get_robust_list, a[0], a[1], a[2]);
    }
    /* Before the guest set one, the kernel knows the host libc's. */
    return user_put(a[2], &bytes, 8) ? -EFAULT : user_put(a[1], &t->robust_list, 8);
}

SYS_DEF(uname)
{
    struct utsname u;
    int64_t r = USER_CALL(t, SYS_uname, (uint64_t)&u);
    memset(u.machine, 0, sizeof u.machine);
    strcpy(u.machine, t->proc->abi->name);
    return r ? r : user_put(a[0], &u, sizeof u);
}

SYS_DEF(personality)
{
    enum { PERSONA_QUERY = -1, READ_IMPLIES = 0x0400000 };
    if ((uint32_t)a[0] != (uint32_t)PERSONA_QUERY && (a[0] & READ_IMPLIES)) {
        return -EINVAL; /* would need PROT_EXEC for every mapping */
    }
    return USER_CALL(t, SYS_personality, a[0]);
}

/*
 * A user namespace of its own is for processes of one thread, and the background compiler is one
 * more. The kernel forgets an ended thread a moment after its join.
 */
static void one_thread(UserThread *t)
{
    if (t->proc->n_threads == 1) {
        tcg_worker_stop(t->proc->engine);
    }
}

static int64_t single_threaded_call(UserThread *t, long nr, uint64_t a, uint64_t b)
{
    int64_t r = USER_CALL(t, nr, a, b);
    for (int tries = 0; r == -EINVAL && t->proc->n_threads == 1 && tries < 20; tries++) {
        struct timespec ts = {.tv_nsec = 200000};
        nanosleep(&ts, NULL);
        r = USER_CALL(t, nr, a, b);
    }
    return r;
}

SYS_DEF(unshare)
{
    if (!(a[0] & (CLONE_NEWUSER | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM))) {
        return USER_CALL(t, SYS_unshare, a[0]);
    }
    user_self_fd_keep(t->proc);
    one_thread(t);
    return single_threaded_call(t, SYS_unshare, a[0], 0);
}

SYS_DEF(setns)
{
    user_self_fd_keep(t->proc);
    if (!a[1] || (a[1] & CLONE_NEWUSER)) {
        one_thread(t);
        return single_threaded_call(t, SYS_setns, a[0], a[1]);
    }
    return USER_CALL(t, SYS_setns, a[0], a[1]);
}

/* The filter would see the host's numbers: as a kernel without CONFIG_SECCOMP_FILTER. */
SYS_DEF(seccomp)
{
    (void)t;
    (void)a;
    return -EINVAL;
}

/* Limits on the address space would hit the translator as well: taken, not enforced. */
static bool own_limit(unsigned resource)
{
    return resource == RLIMIT_AS || resource == RLIMIT_DATA;
}

SYS_DEF(prlimit64)
{
    bool drop = a[2] && own_limit((unsigned)a[1]);
    return USER_CALL(t, SYS_prlimit64, a[0], a[1], drop ? 0 : a[2], a[3]);
}

SYS_DEF(setrlimit)
{
    struct rlimit l;
    if (own_limit((unsigned)a[0])) {
        return user_get(&l, a[1], sizeof l);
    }
    return USER_CALL(t, SYS_setrlimit, a[0], a[1]);
}

SYS_DEF(prctl)
{
    const UserAbi *abi = t->proc->abi;
    int64_t r = abi->prctl ? abi->prctl(t, a) : -USER_ENOTYET;
    if (r != -USER_ENOTYET) {
        return r;
    }
    switch ((int)a[0]) {
    case PR_GET_TID_ADDRESS: /* the host kernel would tell the host libc's */
        return user_put(a[1], &t->clear_tid, sizeof t->clear_tid);
    case PR_GET_TSC:
    case PR_SET_TSC:
    case PR_SET_SECCOMP:
    case PR_SET_MM:
    case PR_GET_UNALIGN:
    case PR_SET_UNALIGN:
    case PR_SVE_SET_VL:
    case PR_SVE_GET_VL:
    case PR_PAC_RESET_KEYS:
    case PR_SET_TAGGED_ADDR_CTRL:
    case PR_GET_TAGGED_ADDR_CTRL:
    case PR_PAC_SET_ENABLED_KEYS:
    case PR_PAC_GET_ENABLED_KEYS: return -EINVAL;
    default: return USER_CALL(t, SYS_prctl, a[0], a[1], a[2], a[3], a[4]);
    }
}
