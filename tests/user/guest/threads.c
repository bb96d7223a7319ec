/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest: threads, futexes, robust mutexes, fork, vfork, exec, wait. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { N = 8, ROUNDS = 20000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static long counter, turns;
static atomic_long atomic_counter;
static __thread int own = 5;
extern char **environ;

static void *work(void *arg)
{
    own += (int)(long)arg;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&lock);
        counter++;
        pthread_mutex_unlock(&lock);
        atomic_fetch_add(&atomic_counter, 1);
    }
    return (void *)(long)own;
}

static void *ping(void *arg)
{
    long me = (long)arg;
    for (int i = 0; i < 500; i++) {
        pthread_mutex_lock(&lock);
        while (turns % 2 != me) {
            pthread_cond_wait(&cond, &lock);
        }
        turns++;
        pthread_cond_broadcast(&cond);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static pthread_mutex_t robust;
static void *dies_with_lock(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&robust);
    return NULL;
}

static volatile int got[N];
static void on_thread_signal(int sig)
{
    (void)sig;
    got[own]++;
}

static pthread_barrier_t barrier;
static void *waits(void *arg)
{
    own = (int)(long)arg;
    pthread_barrier_wait(&barrier);
    while (!got[own]) {
        usleep(1000);
    }
    return NULL;
}

static void thread_tests(void)
{
    pthread_t t[N];
    void *r;
    for (long i = 0; i < N; i++) {
        check(pthread_create(&t[i], NULL, work, (void *)i) == 0);
    }
    for (long i = 0; i < N; i++) {
        check(pthread_join(t[i], &r) == 0 && (long)r == 5 + i);
    }
    check(counter == N * ROUNDS && atomic_counter == N * ROUNDS);
    for (long i = 0; i < 2; i++) {
        pthread_create(&t[i], NULL, ping, (void *)i);
    }
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
    check(turns == 1000);
    for (int i = 0; i < 200; i++) { /* creation and join, many times */
        pthread_create(&t[0], NULL, dies_with_lock, NULL);
        pthread_join(t[0], NULL);
        if (i == 0) {
            check(pthread_mutex_lock(&robust) == EOWNERDEAD);
            pthread_mutex_consistent(&robust);
        } else if (pthread_mutex_lock(&robust) == EOWNERDEAD) {
            pthread_mutex_consistent(&robust);
        } else {
            check(0);
        }
        pthread_mutex_unlock(&robust);
    }
    struct sigaction sa = {.sa_handler = on_thread_signal};
    sigaction(SIGUSR1, &sa, NULL);
    pthread_barrier_init(&barrier, NULL, N + 1);
    for (long i = 0; i < N; i++) {
        pthread_create(&t[i], NULL, waits, (void *)i);
    }
    pthread_barrier_wait(&barrier);
    for (long i = 0; i < N; i++) {
        check(pthread_kill(t[i], SIGUSR1) == 0);
    }
    for (long i = 0; i < N; i++) {
        pthread_join(t[i], NULL);
        check(got[i] == 1);
    }
    pthread_t c;
    pthread_create(&c, NULL, (void *(*)(void *))pause, NULL);
    usleep(10000);
    check(pthread_cancel(c) == 0 && pthread_join(c, &r) == 0 && r == PTHREAD_CANCELED);
}

static void process_tests(char *self)
{
    int st, p[2];
    char buf[64] = {0};
    pid_t pid = fork();
    if (!pid) {
        counter = 1;
        _exit(42);
    }
    check(waitpid(pid, &st, 0) == pid && WIFEXITED(st) && WEXITSTATUS(st) == 42);
    check(counter == N * ROUNDS);
    /* vfork shares memory */
    static volatile int shared;
    pid = vfork();
    if (!pid) {
        shared = 77;
        _exit(3);
    }
    check(shared == 77 && waitpid(pid, &st, 0) == pid && WEXITSTATUS(st) == 3);
    /* a missing program: reported by posix_spawn itself */
    char *argv[] = {"x", NULL};
    check(posix_spawn(&pid, "/no/such/program", NULL, NULL, argv, environ) == ENOENT);
    /* exec of ourselves, output through a pipe */
    check(pipe(p) == 0);
    posix_spawn_file_actions_t fa;
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, p[1], 1);
    char *argv2[] = {"other-name", "child", "two words", NULL};
    char *env2[] = {"A=b", NULL};
    check(posix_spawn(&pid, self, &fa, NULL, argv2, env2) == 0);
    check(waitpid(pid, &st, 0) == pid && WIFEXITED(st) && WEXITSTATUS(st) == 9);
    check(read(p[0], buf, sizeof buf) > 0 && !strcmp(buf, "other-name|two words|b"));
    check_errno(execl("/etc/passwd", "x", NULL), EACCES);
    check_errno(execl("/no/such", "x", NULL), ENOENT);
    check_errno(syscall(SYS_clone, 0x10000 /* THREAD alone */, 0, 0, 0, 0), EINVAL);
    check_errno(waitpid(-1, &st, 0), ECHILD);
}

static void *tid_address(void *arg)
{
    void *at = NULL;
    (void)arg;
    check(prctl(PR_GET_TID_ADDRESS, &at, 0, 0, 0) == 0 && *(int *)at == gettid());
    check(syscall(SYS_set_tid_address, at) == gettid());
    return NULL;
}

static void *exits_last(void *arg)
{
    (void)arg;
    usleep(50000);
    exit(21);
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "child")) {
        printf("%s|%s|%s", argv[0], argv[2], getenv("A"));
        fflush(stdout);
        _exit(9);
    }
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &a);
    thread_tests();
    pthread_t other;
    check(pthread_create(&other, NULL, tid_address, NULL) == 0 && pthread_join(other, NULL) == 0);
    process_tests("/proc/self/exe");
    pid_t pid = fork();
    int st;
    if (!pid) {
        pthread_t t;
        pthread_create(&t, NULL, exits_last, NULL);
        pthread_exit(NULL);
    }
    check(waitpid(pid, &st, 0) == pid && WIFEXITED(st) && WEXITSTATUS(st) == 21);
    return done("threads");
}
