/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest: delivery, masks, alternate stack, restart, faults with exact siginfo and context. */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "check.h"

static volatile int count, last_sig, last_code, nested;
static void *volatile last_addr;
static volatile uint64_t last_pc, last_fault, last_esr;
static sigjmp_buf jump;

static void on_count(int sig)
{
    last_sig = sig;
    count++;
}

static void on_info(int sig, siginfo_t *si, void *ctx)
{
    ucontext_t *uc = ctx;
    last_sig = sig;
    last_code = si->si_code;
    last_addr = si->si_addr;
    last_pc = uc->uc_mcontext.pc;
    last_fault = uc->uc_mcontext.fault_address;
    uint32_t *rec = (uint32_t *)uc->uc_mcontext.__reserved;
    last_esr = 0;
    while (rec[0]) {
        if (rec[0] == 0x45535201) {
            last_esr = *(uint64_t *)(rec + 2);
        }
        rec = (uint32_t *)((char *)rec + rec[1]);
    }
    siglongjmp(jump, 1);
}

static void handler(int sig, void (*f)(int), int flags)
{
    struct sigaction sa = {.sa_handler = f, .sa_flags = flags};
    check(sigaction(sig, &sa, NULL) == 0);
}

static void info(int sig)
{
    struct sigaction sa = {.sa_sigaction = on_info, .sa_flags = SA_SIGINFO | SA_NODEFER};
    check(sigaction(sig, &sa, NULL) == 0);
}

static void faults(void)
{
    info(SIGSEGV);
    info(SIGBUS);
    info(SIGILL);
    info(SIGTRAP);
    char *ro = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!sigsetjmp(jump, 1)) {
        *(volatile char *)(ro + 5) = 1;
        check(0);
    }
    check(last_sig == SIGSEGV && last_code == SEGV_ACCERR && last_addr == ro + 5);
    check(last_fault == (uint64_t)ro + 5 && (last_esr >> 26) == 0x24 && (last_esr & 64));
    if (!sigsetjmp(jump, 1)) {
        (void)*(volatile char *)0x123;
        check(0);
    }
    check(last_sig == SIGSEGV && last_code == SEGV_MAPERR && last_addr == (void *)0x123);
    check(!(last_esr & 64) && (last_esr >> 26) == 0x24);
    if (!sigsetjmp(jump, 1)) {
        ((void (*)(void))(ro + 4))();
        check(0);
    }
    check(last_sig == SIGSEGV && last_code == SEGV_ACCERR && last_pc == (uint64_t)ro + 4);
    if (!sigsetjmp(jump, 1)) {
        __asm__ volatile("udf #0");
        check(0);
    }
    check(last_sig == SIGILL && last_code == ILL_ILLOPC && (uint64_t)last_addr == last_pc);
    if (!sigsetjmp(jump, 1)) {
        __asm__ volatile("brk #1000");
        check(0);
    }
    check(last_sig == SIGTRAP && last_code == TRAP_BRKPT && (uint64_t)last_addr == last_pc);
    FILE *f = tmpfile();
    char *past = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fileno(f), 0);
    if (!sigsetjmp(jump, 1)) {
        (void)*(volatile char *)(past + 4096);
        check(0);
    }
    check(last_sig == SIGBUS && last_code == BUS_ADRERR && last_addr == past + 4096);
    munmap(ro, 8192);
}

static void masks(void)
{
    sigset_t s, old, pend;
    handler(SIGUSR1, on_count, 0);
    sigemptyset(&s);
    sigaddset(&s, SIGUSR1);
    count = 0;
    sigprocmask(SIG_BLOCK, &s, &old);
    raise(SIGUSR1);
    raise(SIGUSR1);
    check(count == 0);
    sigpending(&pend);
    check(sigismember(&pend, SIGUSR1));
    sigprocmask(SIG_SETMASK, &old, NULL);
    check(count == 1);
    /* real-time signals queue, in order, with their values */
    struct sigaction sa = {.sa_handler = on_count};
    sigaction(SIGRTMIN + 3, &sa, NULL);
    sigemptyset(&s);
    sigaddset(&s, SIGRTMIN + 3);
    sigprocmask(SIG_BLOCK, &s, NULL);
    count = 0;
    for (int i = 0; i < 5; i++) {
        check(sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = i}) == 0);
    }
    siginfo_t si;
    check(sigwaitinfo(&s, &si) == SIGRTMIN + 3 && si.si_value.sival_int == 0 &&
          si.si_code == SI_QUEUE);
    sigprocmask(SIG_UNBLOCK, &s, NULL);
    check(count == 4);
    struct timespec none = {0, 1000};
    check_errno(sigtimedwait(&s, &si, &none), EAGAIN);
    check_errno(sigaction(SIGKILL, &sa, NULL), EINVAL);
    check_errno(syscall(SYS_rt_sigprocmask, 9, &s, NULL, 8), EINVAL);
    check_errno(syscall(SYS_rt_sigprocmask, 0, &s, NULL, 16), EINVAL);
    /* a SIGSEGV that someone sends while it is blocked stays pending */
    sigemptyset(&s);
    sigaddset(&s, SIGSEGV);
    sigprocmask(SIG_BLOCK, &s, NULL);
    handler(SIGSEGV, on_count, 0);
    count = 0;
    kill(getpid(), SIGSEGV);
    check(count == 0);
    sigpending(&pend);
    check(sigismember(&pend, SIGSEGV));
    sigprocmask(SIG_UNBLOCK, &s, NULL);
    check(count == 1);
}

static char stack_area[65536];
static volatile int on_stack;

static void on_alt(int sig)
{
    char here;
    stack_t ss;
    (void)sig;
    sigaltstack(NULL, &ss);
    on_stack = &here >= stack_area && &here < stack_area + sizeof stack_area &&
               (ss.ss_flags & SS_ONSTACK);
}

static void alt_stack(void)
{
    stack_t ss = {.ss_sp = stack_area, .ss_size = sizeof stack_area}, off = {.ss_flags = SS_DISABLE};
    check(sigaltstack(&ss, NULL) == 0);
    handler(SIGUSR2, on_alt, SA_ONSTACK);
    raise(SIGUSR2);
    check(on_stack);
    check(sigaltstack(&off, &ss) == 0 && ss.ss_sp == stack_area && ss.ss_flags == 0);
    ss.ss_size = 100;
    ss.ss_flags = 0;
    check_errno(sigaltstack(&ss, NULL), ENOMEM);
}

static void timer(int usec)
{
    struct itimerval it = {.it_value = {0, usec}};
    setitimer(ITIMER_REAL, &it, NULL);
}

static void restarts(void)
{
    int p[2];
    char c;
    check(pipe(p) == 0);
    handler(SIGALRM, on_count, 0);
    count = 0;
    timer(20000);
    check_errno(read(p[0], &c, 1), EINTR);
    check(count == 1);
    handler(SIGALRM, on_count, SA_RESTART);
    pid_t child = fork();
    if (!child) {
        usleep(100000);
        _exit(write(p[1], "x", 1) != 1);
    }
    timer(20000);
    check(read(p[0], &c, 1) == 1 && c == 'x' && count == 2);
    check(waitpid(child, NULL, 0) == child);
    struct pollfd pf = {.fd = p[0], .events = POLLIN};
    timer(20000);
    check_errno(poll(&pf, 1, 5000), EINTR); /* never restarted */
    struct timespec ts = {5, 0}, rem = {0, 0};
    timer(20000);
    check_errno(nanosleep(&ts, &rem), EINTR);
    check(rem.tv_sec == 4);
    /* sigsuspend: the mask is swapped at once, and back */
    sigset_t s, none, now;
    sigemptyset(&none);
    sigemptyset(&s);
    sigaddset(&s, SIGALRM);
    sigprocmask(SIG_BLOCK, &s, NULL);
    count = 0;
    timer(20000);
    check_errno(sigsuspend(&none), EINTR);
    check(count == 1);
    sigprocmask(SIG_SETMASK, NULL, &now);
    check(sigismember(&now, SIGALRM));
    count = 0;
    timer(20000);
    check_errno(ppoll(&pf, 1, &ts, &none), EINTR);
    check(count == 1);
    sigprocmask(SIG_UNBLOCK, &s, NULL);
    close(p[0]);
    close(p[1]);
}

/* None lost, none double, at any instruction: a counting loop under a fast timer. */
static volatile int ticks;
static void on_tick(int sig)
{
    (void)sig;
    ticks++;
}

static void storm(void)
{
    handler(SIGALRM, on_tick, SA_RESTART);
    struct itimerval it = {{0, 500}, {0, 500}}, off = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &it, NULL);
    uint64_t h = 1;
    double d = 1.0;
    for (uint64_t i = 0; i < 3000000; i++) {
        h = h * 6364136223846793005u + i;
        d = d * 0.999 + (double)(h >> 60);
    }
    setitimer(ITIMER_REAL, &off, NULL);
    uint64_t h2 = 1;
    double d2 = 1.0;
    for (uint64_t i = 0; i < 3000000; i++) {
        h2 = h2 * 6364136223846793005u + i;
        d2 = d2 * 0.999 + (double)(h2 >> 60);
    }
    check(h == h2 && d == d2);
    check(ticks > 3);
}

static void deaths(void)
{
    const int sigs[] = {SIGSEGV, SIGABRT, SIGKILL, SIGTERM, SIGUSR1, SIGRTMIN + 5};
    for (unsigned i = 0; i < sizeof sigs / sizeof *sigs; i++) {
        int st;
        pid_t pid = fork();
        if (!pid) {
            signal(sigs[i], SIG_DFL);
            if (sigs[i] == SIGSEGV) {
                *(volatile int *)8 = 0;
            }
            raise(sigs[i]);
            _exit(0);
        }
        check(waitpid(pid, &st, 0) == pid && WIFSIGNALED(st) && WTERMSIG(st) == sigs[i]);
    }
}

static void on_nested(int sig)
{
    if (nested++ < 3) {
        raise(sig);
    }
}

int main(void)
{
    faults();
    masks();
    alt_stack();
    restarts();
    storm();
    deaths();
    handler(SIGUSR1, on_nested, SA_NODEFER);
    raise(SIGUSR1);
    check(nested == 4);
    handler(SIGUSR1, on_count, SA_RESETHAND);
    count = 0;
    raise(SIGUSR1);
    struct sigaction now;
    sigaction(SIGUSR1, NULL, &now);
    check(count == 1 && now.sa_handler == SIG_DFL);
    return done("signals");
}
