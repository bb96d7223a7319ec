/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A static program's usual ways: start-up, heap, string functions, printf, files, fork, signals. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile sig_atomic_t got_sig, got_code;
static void *volatile got_addr;

static void on_fault(int sig, siginfo_t *si, void *uc)
{
    (void)uc;
    got_sig = sig;
    got_code = si->si_code;
    got_addr = si->si_addr;
    siglongjmp(back, 1);
}

static void on_usr1(int sig)
{
    got_sig = sig;
}

static int text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void strings(void)
{
    char *v[] = {strdup("pear"), strdup("apple"), strdup("fig"), strdup("quince")};
    char big[5000];
    qsort(v, 4, sizeof *v, text);
    memset(big, 'q', sizeof big);
    big[sizeof big - 1] = 0;
    memmove(big + 17, big, 4000);
    printf("%s %s %s %s %zu %d %s\n", v[0], v[1], v[2], v[3], strlen(big),
           memcmp(big, big + 1, 100), strchr("find x here", 'x'));
    printf("%5d|%-8s|%08lx|%llu|%c\n", -42, "left", 0xbeeful, 18446744073709551615ull, 'z');
}

static void faults(void)
{
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    volatile int zero = 0;
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGFPE, &sa, NULL);
    sigaction(SIGILL, &sa, NULL);
    if (!sigsetjmp(back, 1)) {
        *(volatile int *)0x123 = 1;
    }
    printf("store: signal %d code %d address %p\n", got_sig, got_code, got_addr);
    if (!sigsetjmp(back, 1)) {
        zero = 77 / zero;
    }
    printf("divide: signal %d code %d\n", got_sig, got_code);
    if (!sigsetjmp(back, 1)) {
        __asm__ volatile("ud2");
    }
    printf("ud2: signal %d code %d\n", got_sig, got_code);
    if (!sigsetjmp(back, 1)) {
        __asm__ volatile("movaps %%xmm0, 1(%0)" ::"r"(&sa) : "memory");
    }
    printf("movaps: signal %d code %d address %p\n", got_sig, got_code, got_addr);
    signal(SIGUSR1, on_usr1);
    raise(SIGUSR1);
    printf("raise: %d\n", got_sig);
}

static void *thread(void *arg)
{
    long sum = 0;
    for (int i = 0; i < 100000; i++) {
        sum += __atomic_add_fetch((long *)arg, 1, __ATOMIC_SEQ_CST) & 1;
    }
    return (void *)sum;
}

static void processes(void)
{
    pthread_t th[4];
    static long count;
    int status, fd[2];
    char buf[16] = "";
    for (int i = 0; i < 4; i++) {
        pthread_create(&th[i], NULL, thread, &count);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(th[i], NULL);
    }
    if (pipe(fd)) {
        exit(1);
    }
    pid_t pid = fork();
    if (!pid) {
        _exit(write(fd[1], "child", 5) == 5 ? 7 : 1);
    }
    waitpid(pid, &status, 0);
    printf("count %ld, child %d %zd %s\n", count, WEXITSTATUS(status), read(fd[0], buf, 15), buf);
}

int main(int argc, char **argv)
{
    struct stat st;
    struct utsname u;
    printf("hello %d %s\n", argc, argc > 1 ? argv[1] : "-");
    strings();
    faults();
    processes();
    uname(&u);
    int found = stat("/", &st);
    int missing = open("/nowhere", O_RDONLY) < 0 ? errno : 0;
    printf("%s %d %d %d\n", u.machine, found, S_ISDIR(st.st_mode), missing);
    return 3;
}
