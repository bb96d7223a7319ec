/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clone in its four shapes, and exit.
 *
 * A thread (CLONE_VM | CLONE_THREAD) is a host thread with a stack of its own for the translator.
 * fork copies the emulator with the guest. vfork shares memory for real: the child runs on a host
 * stack of its own with the parent's thread-local storage, while the kernel holds the parent.
 * CLONE_VM without either would need thread-local storage that no one made: EINVAL.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/guest_abi.h"
#include "user/sig.h"
#include "user/thread.h"
#include "user/user.h"

enum { HOST_STACK = 1 << 20, ROBUST_LIMIT = 2048 };

extern long user_host_vfork(uint64_t flags, void *stack, void (*fn)(void *), void *arg, int *ptid,
                            int *ctid);

/* ---- a new thread's state ---- */

static UserThread *child_of(UserThread *t, const UserCloneArgs *k)
{
    UserThread *c = user_thread_new(t->proc);
    if (c) {
        t->proc->abi->child(c, t, k);
        c->action = t->action;
        c->sigmask = t->sigmask;
        c->clear_tid = k->flags & CLONE_CHILD_CLEARTID ? k->ctid : 0;
    }
    return c;
}

static void put_tid(uint64_t at, int tid)
{
    (void)user_put(at, &tid, sizeof tid); /* the kernel ignores failure too */
}

/* ---- threads ---- */

typedef struct Start {
    UserThread *t;
    UserCloneArgs k;
    sem_t ready;
    int tid;
} Start;

static void *thread_main(void *arg)
{
    Start *s = arg;
    UserThread *t = s->t;
    jmp_buf out;
    user_thread_enter(t);
    tcg_cpu_attach(t->proc->engine, &t->cpu.tcg);
    if (~s->k.flags & (CLONE_FILES | CLONE_FS)) {
        syscall(SYS_unshare, ~s->k.flags & (CLONE_FILES | CLONE_FS));
    }
    if (s->k.flags & CLONE_PARENT_SETTID) {
        put_tid(s->k.ptid, t->tid);
    }
    if (s->k.flags & CLONE_CHILD_SETTID) {
        put_tid(s->k.ctid, t->tid);
    }
    t->exit_jump = &out;
    if (!_setjmp(out)) {
        s->tid = t->tid;
        sem_post(&s->ready); /* s is gone after this */
        user_signals_host_mask(t->sigmask);
        user_cpu_loop(t);
    }
    user_thread_free(t);
    return NULL;
}

static int64_t clone_thread(UserThread *t, const UserCloneArgs *k)
{
    UserProcess *p = t->proc;
    pthread_attr_t attr;
    pthread_t id;
    Start s = {.k = *k, .t = child_of(t, k)};
    if (!s.t) {
        return -ENOMEM;
    }
    sem_init(&s.ready, 0, 0);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, HOST_STACK);
    user_signals_block_all();
    pthread_mutex_lock(&p->lock);
    s.t->next = p->threads;
    p->threads = s.t;
    p->n_threads++;
    pthread_mutex_unlock(&p->lock);
    int e = pthread_create(&id, &attr, thread_main, &s);
    if (e) {
        user_thread_unlist(s.t);
        user_thread_free(s.t);
    } else {
        while (sem_wait(&s.ready)) {
        }
    }
    user_signals_sync(t);
    pthread_attr_destroy(&attr);
    sem_destroy(&s.ready);
    return e ? -EAGAIN : s.tid;
}

/* Takes t off the list; returns how many are left. */
unsigned user_thread_unlist(UserThread *t)
{
    UserProcess *p = t->proc;
    pthread_mutex_lock(&p->lock);
    for (UserThread **q = &p->threads; *q; q = &(*q)->next) {
        if (*q == t) {
            *q = t->next;
            break;
        }
    }
    unsigned left = --p->n_threads;
    pthread_mutex_unlock(&p->lock);
    return left;
}

/* ---- fork ---- */

static void forked(UserThread *t, const UserCloneArgs *k)
{
    UserProcess *p = t->proc;
    pthread_mutex_unlock(&p->map.lock);
    tcg_fork_child(p->engine, &t->cpu.tcg);
    p->threads = t;
    p->n_threads = 1;
    p->leader_status = 0;
    t->next = NULL;
    pthread_mutex_unlock(&p->lock);
    t->tid = (int)syscall(SYS_gettid);
    t->has_pending = t->has_held[0] = t->has_held[1] = 0;
    t->robust_list = 0;
    t->exit_jump = NULL;
    t->clear_tid = k->flags & CLONE_CHILD_CLEARTID ? k->ctid : 0;
    if (k->flags & CLONE_CHILD_SETTID) {
        put_tid(k->ctid, t->tid);
    }
    p->abi->child(t, t, k);
    if (k->flags & CLONE_CLEAR_SIGHAND) {
        user_actions_clear(t);
    }
    user_signals_sync(t);
}

static int64_t clone_fork(UserThread *t, const UserCloneArgs *k)
{
    UserProcess *p = t->proc;
    uint64_t low =
        (k->flags & ~(uint64_t)(CLONE_SETTLS | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID |
                                CLONE_PARENT_SETTID | CLONE_DETACHED | CLONE_CLEAR_SIGHAND)) |
        k->exit_signal;
    int pidfd = -1;
    user_signals_block_all();
    pthread_mutex_lock(&p->lock);
    tcg_fork_prepare(p->engine);
    pthread_mutex_lock(&p->map.lock);
    long pid = low == SIGCHLD ? fork() : syscall(SYS_clone, low, 0, &pidfd, NULL, NULL);
    int e = errno;
    if (!pid) {
        forked(t, k);
        return 0;
    }
    pthread_mutex_unlock(&p->map.lock);
    tcg_fork_parent(p->engine);
    pthread_mutex_unlock(&p->lock);
    if (pid > 0 && (k->flags & CLONE_PARENT_SETTID)) {
        put_tid(k->ptid, (int)pid);
    }
    if (pid > 0 && (k->flags & CLONE_PIDFD)) {
        put_tid(k->pidfd, pidfd);
    }
    user_signals_sync(t);
    return pid < 0 ? -e : pid;
}

/* ---- vfork ---- */

typedef struct VforkStart {
    UserThread *t;
    const UserCloneArgs *k;
} VforkStart;

static void vfork_main(void *arg)
{
    VforkStart *s = arg;
    UserThread *t = s->t;
    user_thread_enter(t);
    if (s->k->flags & CLONE_CHILD_SETTID) {
        put_tid(s->k->ctid, t->tid);
    }
    if (s->k->flags & CLONE_CLEAR_SIGHAND) {
        user_actions_clear(t);
    }
    tcg_cpu_attach(t->proc->engine, &t->cpu.tcg);
    user_signals_sync(t);
    user_cpu_loop(t);
}

static int64_t clone_vfork(UserThread *t, const UserCloneArgs *k)
{
    UserThread *c = child_of(t, k);
    UserSigaction *actions = malloc((USER_NSIG + 1) * sizeof *actions);
    uint8_t *stack = mmap(NULL, HOST_STACK, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    int64_t r = -ENOMEM;
    if (c && actions && stack != MAP_FAILED) {
        memcpy(actions, t->action, (USER_NSIG + 1) * sizeof *actions);
        c->action = actions;
        c->altstack = t->altstack;
        c->vfork_child = true;
        VforkStart s = {c, k};
        int pidfd = -1, ptid = 0;
        uint64_t low =
            (k->flags & ~(uint64_t)(CLONE_SETTLS | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID |
                                    CLONE_PARENT_SETTID | CLONE_DETACHED | CLONE_CLEAR_SIGHAND)) |
            k->exit_signal;
        user_signals_block_all();
        r = user_host_vfork(low, stack + HOST_STACK, vfork_main, &s,
                            k->flags & CLONE_PIDFD ? &pidfd : &ptid, NULL);
        user_current = t;
        if (c->cpu.tcg.vcpu) {
            tcg_cpu_detach(&c->cpu.tcg);
        }
        if (c->host_altstack) {
            user_thread_unmap_altstack(c);
        }
        if (c->scratch) {
            munmap(c->scratch, c->scratch_bytes);
        }
        if (r > 0 && (k->flags & CLONE_PARENT_SETTID)) {
            put_tid(k->ptid, (int)r);
        }
        if (r > 0 && (k->flags & CLONE_PIDFD)) {
            put_tid(k->pidfd, pidfd);
        }
        user_signals_sync(t);
    }
    if (stack != MAP_FAILED) {
        munmap(stack, HOST_STACK);
    }
    free(actions);
    if (c) {
        user_thread_free(c);
    }
    return r;
}

int64_t user_clone(UserThread *t, const UserCloneArgs *k)
{
    uint64_t f = k->flags;
    if ((f & CLONE_THREAD && !(f & CLONE_SIGHAND)) || (f & CLONE_SIGHAND && !(f & CLONE_VM)) ||
        (f & CLONE_SIGHAND && f & CLONE_CLEAR_SIGHAND)) {
        return -EINVAL;
    }
    if (f & CLONE_THREAD) {
        uint64_t odd = CLONE_PIDFD | CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |
                       CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_VFORK;
        return f & odd ? -EINVAL : clone_thread(t, k);
    }
    if (f & CLONE_VM) {
        return (f & CLONE_VFORK) && !(f & CLONE_SIGHAND) ? clone_vfork(t, k) : -EINVAL;
    }
    return clone_fork(t, k);
}

/* ---- exit ---- */

static void robust_one(uint64_t entry, int64_t offset, int tid)
{
    uint64_t at = (entry & ~(uint64_t)1) + (uint64_t)offset;
    uint32_t v;
    if (at % 4 || user_get(&v, at, 4) || (v & FUTEX_TID_MASK) != (uint32_t)tid) {
        return;
    }
    _Atomic(uint32_t) *word = (_Atomic(uint32_t) *)at;
    uint32_t want;
    do {
        want = (v & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
    } while (!atomic_compare_exchange_weak(word, &v, want) &&
             (v & FUTEX_TID_MASK) == (uint32_t)tid);
    if ((v & FUTEX_WAITERS) && !(entry & 1)) {
        syscall(SYS_futex, at, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
}

/* As the kernel does at a thread's end (Documentation/locking/robust-futex-ABI): here, because
 * the guest may free the list as soon as its thread looks gone, before the host's really is. */
static void walk_robust_list(UserThread *t)
{
    uint64_t head[3], entry, next;
    if (!t->robust_list || user_get(head, t->robust_list, sizeof head)) {
        return;
    }
    syscall(SYS_set_robust_list, NULL, sizeof(struct robust_list_head));
    entry = head[0];
    for (int n = 0; n < ROBUST_LIMIT && (entry & ~(uint64_t)1) != t->robust_list; n++) {
        bool readable = !user_get(&next, entry & ~(uint64_t)1, 8);
        if (entry != head[2]) {
            robust_one(entry, (int64_t)head[1], t->tid);
        }
        if (!readable) {
            break;
        }
        entry = next;
    }
    if (head[2]) {
        robust_one(head[2], (int64_t)head[1], t->tid);
    }
}

void user_thread_exit(UserThread *t, int status)
{
    UserProcess *p = t->proc;
    bool leader = t->tid == getpid();
    if (t->vfork_child) {
        syscall(SYS_exit_group, status);
    }
    user_signals_block_all();
    walk_robust_list(t);
    if (leader) {
        p->leader_status = status;
    }
    if (!user_thread_unlist(t)) {
        syscall(SYS_exit_group, p->leader_status);
    }
    tcg_cpu_detach(&t->cpu.tcg);
    user_thread_leave(t);
    if (t->clear_tid) {
        put_tid(t->clear_tid, 0);
        syscall(SYS_futex, t->clear_tid, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
    if (!t->exit_jump) { /* the process's first host thread: its stack must stay */
        for (;;) {
            syscall(SYS_exit, status);
        }
    }
    _longjmp(*(jmp_buf *)t->exit_jump, 1);
}
