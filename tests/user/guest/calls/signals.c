/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls on signals, clocks, timers and futexes. */
#include "calls.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/time.h>
#include <sys/timex.h>

typedef struct KernelAction { void (*handler)(int); unsigned long flags; void (*restorer)(void);
                              uint64_t mask; } KernelAction;

static volatile sig_atomic_t seen, value;

static void note(int sig, siginfo_t *si, void *context)
{
    seen = sig;
    value = si->si_value.sival_int;
}

static void actions(void)
{
    KernelAction act = {SIG_IGN, 0, 0, 0}, old = {0};
    uint64_t set = 1 << (SIGUSR1 - 1), was = 0;
    stack_t ss = {.ss_sp = malloc(65536), .ss_size = 65536}, now;
    VAL(rt_sigaction, 0, SIGWINCH, &act, &old, 8);
    VAL(rt_sigaction, 0, SIGWINCH, 0, &old, 8);
    DID(rt_sigaction, old.handler == SIG_IGN);
    ERR(rt_sigaction, EINVAL, SIGKILL, &act, 0, 8);
    ERR(rt_sigaction, EINVAL, 99, &act, 0, 8);
    ERR(rt_sigaction, EINVAL, SIGWINCH, &act, 0, 7);
    VAL(rt_sigprocmask, 0, SIG_BLOCK, &set, &was, 8);
    ERR(rt_sigprocmask, EINVAL, 99, &set, 0, 8);
    VAL(kill, 0, getpid(), SIGUSR1);
    ERR(kill, ESRCH, 99999999, 0);
    ERR(kill, EINVAL, getpid(), 99);
    VAL(rt_sigpending, 0, &was, 8);
    DID(rt_sigpending, was == set);
    ERR(rt_sigpending, EINVAL, &was, 9);
    VAL(rt_sigtimedwait, SIGUSR1, &set, 0, 0, 8);
    struct timespec none = {0, 0}, wrong = {0, -1};
    ERR(rt_sigtimedwait, EAGAIN, &set, 0, &none, 8);
    ERR(rt_sigtimedwait, EINVAL, &set, 0, &wrong, 8);
    VAL(sigaltstack, 0, &ss, 0);
    VAL(sigaltstack, 0, 0, &now);
    DID(sigaltstack, now.ss_sp == ss.ss_sp && now.ss_size == 65536 && !now.ss_flags);
    ss.ss_size = 16;
    ERR(sigaltstack, ENOMEM, &ss, 0);
    ss.ss_flags = 99;
    ERR(sigaltstack, EINVAL, &ss, 0);
}

static void sending(void)
{
    struct sigaction act = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    siginfo_t si = {.si_code = SI_QUEUE, .si_signo = SIGUSR2};
    uint64_t none = 0, usr2 = 1 << (SIGUSR2 - 1);
    sigaction(SIGUSR2, &act, NULL);
    VAL(tkill, 0, getpid(), SIGUSR2);
    DID(tkill, seen == SIGUSR2);
    ERR(tkill, EINVAL, -1, SIGUSR2);
    seen = 0;
    VAL(tgkill, 0, getpid(), getpid(), SIGUSR2);
    DID(tgkill, seen == SIGUSR2);
    DID(rt_sigreturn, seen == SIGUSR2);
    NOERR(rt_sigreturn);
    ERR(tgkill, ESRCH, getpid(), 99999999, SIGUSR2);
    si.si_value.sival_int = 1234;
    si.si_pid = getpid();
    VAL(rt_sigqueueinfo, 0, getpid(), SIGUSR2, &si);
    DID(rt_sigqueueinfo, value == 1234);
    ERR(rt_sigqueueinfo, ESRCH, 99999999, SIGUSR2, &si);
    si.si_value.sival_int = 4321;
    VAL(rt_tgsigqueueinfo, 0, getpid(), getpid(), SIGUSR2, &si);
    DID(rt_tgsigqueueinfo, value == 4321);
    ERR(rt_tgsigqueueinfo, EINVAL, -1, getpid(), SIGUSR2, &si);
    S(rt_sigprocmask, SIG_BLOCK, &usr2, 0, 8);
    seen = 0;
    raise(SIGUSR2);
    ERR(rt_sigsuspend, EINTR, &none, 8);
    DID(rt_sigsuspend, seen == SIGUSR2);
    ERR(rt_sigsuspend, EINVAL, &none, 7);
    ERR(restart_syscall, EINTR, 0);
    DID(restart_syscall, seen == SIGUSR2);
}

static void clocks(void)
{
    struct timespec t, bad = {0, 2000000000}, tick = {0, 1000};
    struct timeval v;
    struct timezone z;
    struct timex x = {0};
    VAL(clock_gettime, 0, CLOCK_REALTIME, &t);
    DID(clock_gettime, t.tv_sec > 1600000000 && t.tv_nsec < 1000000000);
    ERR(clock_gettime, EINVAL, 99, &t);
    VAL(clock_getres, 0, CLOCK_MONOTONIC, &t);
    DID(clock_getres, t.tv_sec == 0 && t.tv_nsec > 0);
    ERR(clock_getres, EINVAL, 99, &t);
    VAL(clock_nanosleep, 0, CLOCK_MONOTONIC, 0, &tick, 0);
    ERR(clock_nanosleep, EINVAL, CLOCK_MONOTONIC, 0, &bad, 0);
    VAL(nanosleep, 0, &tick, 0);
    ERR(nanosleep, EINVAL, &bad, 0);
    VAL(gettimeofday, 0, &v, &z);
    DID(gettimeofday, v.tv_sec > 1600000000 && v.tv_usec < 1000000);
    ERR(gettimeofday, EFAULT, BAD, 0);
    VAL(settimeofday, 0, 0, 0);
    v.tv_usec = -1;
    ERR(settimeofday, EINVAL, &v, 0);
    REFUSED(clock_settime);
    ERR(clock_settime, EINVAL, CLOCK_REALTIME, &bad);
    ERR(clock_settime, EINVAL, CLOCK_MONOTONIC, &t);
    DID(adjtimex, S(adjtimex, &x) >= 0 && x.tick >= 9000 && x.tick <= 11000);
    ERR(adjtimex, EFAULT, BAD);
    DID(clock_adjtime, S(clock_adjtime, CLOCK_REALTIME, &x) >= 0);
    ERR(clock_adjtime, EINVAL, 99, &x);
    ERR(clock_adjtime, EOPNOTSUPP, CLOCK_MONOTONIC, &x);
}

static void timers(void)
{
    struct itimerval it = {{0, 0}, {100, 0}}, old = {0};
    struct itimerspec ts = {{0, 0}, {100, 0}}, was = {0};
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
    int id = -1;
    VAL(setitimer, 0, ITIMER_REAL, &it, 0);
    VAL(getitimer, 0, ITIMER_REAL, &old);
    DID(getitimer, old.it_value.tv_sec >= 98);
    ERR(getitimer, EINVAL, 99, &old);
    ERR(setitimer, EINVAL, 99, &it, 0);
    it.it_value.tv_sec = 0;
    VAL(setitimer, 0, ITIMER_REAL, &it, 0);
    VAL(timer_create, 0, CLOCK_MONOTONIC, &ev, &id);
    ERR(timer_create, EINVAL, 99, &ev, &id);
    VAL(timer_settime, 0, id, 0, &ts, 0);
    ERR(timer_settime, EINVAL, 9999, 0, &ts, 0);
    VAL(timer_gettime, 0, id, &was);
    DID(timer_gettime, was.it_value.tv_sec >= 98);
    ERR(timer_gettime, EINVAL, 9999, &was);
    VAL(timer_getoverrun, 0, id);
    ERR(timer_getoverrun, EINVAL, 9999);
    VAL(timer_delete, 0, id);
    ERR(timer_delete, EINVAL, id);
    long fd = RES(timerfd_create, CLOCK_MONOTONIC, O_NONBLOCK);
    ERR(timerfd_create, EINVAL, 99, 0);
    ERR(timerfd_create, EINVAL, CLOCK_MONOTONIC, 1);
    VAL(timerfd_settime, 0, fd, 0, &ts, 0);
    ERR(timerfd_settime, EBADF, NOFD, 0, &ts, 0);
    VAL(timerfd_gettime, 0, fd, &was);
    DID(timerfd_gettime, was.it_value.tv_sec >= 98);
    ERR(timerfd_gettime, EINVAL, 1, &was);
    close(fd);
}

static uint32_t word;

static void *waiter(void *x)
{
    S(futex, &word, FUTEX_WAIT, 0, 0, 0, 0);
    return x;
}

static void futexes(void)
{
    struct timespec soon = {0, 1000000};
    struct { uint64_t val, uaddr; uint32_t flags, pad; } v[2] = {
        {1, (uintptr_t)&word, 2, 0}, {1, (uintptr_t)&word, 2, 0}};
    pthread_t thread;
    ERR(futex, EAGAIN, &word, FUTEX_WAIT, 1, 0, 0, 0);
    ERR(futex, ETIMEDOUT, &word, FUTEX_WAIT, 0, &soon, 0, 0);
    ERR(futex, ENOSYS, &word, 99, 0, 0, 0, 0);
    VAL(futex, 0, &word, FUTEX_WAKE, 1, 0, 0, 0);
    pthread_create(&thread, NULL, waiter, NULL);
    while (S(futex, &word, FUTEX_WAKE, 1, 0, 0, 0) == 0) {
        sched_yield();
    }
    word = 1;
    DID(futex, !pthread_join(thread, NULL));
    word = 0;
    REFUSED(futex_waitv);
    ERR(futex_waitv, EAGAIN, v, 2, 0, 0, 0);
    ERR(futex_waitv, EINVAL, v, 0, 0, 0, 0);
    VAL(futex_wake, 0, &word, ~0u, 1, 2);
    ERR(futex_wake, EINVAL, &word, ~0u, 1, 0x1000);
    REFUSED(futex_wait);
    ERR(futex_wait, EAGAIN, &word, 1, ~0u, 2, 0, 0);
    ERR(futex_wait, EINVAL, &word, 1, ~0u, 0x1000, 0, 0);
    v[0].val = 0;
    VAL(futex_requeue, 0, v, 0, 1, 1);
    ERR(futex_requeue, EINVAL, v, 1, 1, 1);
    v[0].val = 5;
    ERR(futex_requeue, EAGAIN, v, 0, 1, 1);
}

int main(void)
{
    actions();
    sending();
    clocks();
    timers();
    futexes();
    return 0;
}
