/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * measure COUNT SECONDS OUT COMMAND...: runs a command COUNT times, each for at most SECONDS, with
 * standard output and error in the files OUT.1 and OUT.2 (of the last run), and prints for each
 *   WALL_S CPU_S PEAK_KIB STATUS
 * STATUS: exit status, 128 + signal, or 124 when it took too long. Static and small, because it is
 * run inside a guest's root, and because the peak memory of a child is never below its parent's.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t child, late;

static void on_alarm(int sig)
{
    (void)sig;
    late = 1;
    kill(-child, SIGKILL);
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void redirect(const char *out, const char *suffix, int to)
{
    char path[4096];
    int fd;

    snprintf(path, sizeof path, "%s.%s", out, suffix);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || dup2(fd, to) < 0) {
        perror(path);
        _exit(126);
    }
    close(fd);
}

static void start(char **command, const char *out)
{
    int null = open("/dev/null", O_RDONLY);

    setpgid(0, 0);
    if (null >= 0) {
        dup2(null, 0);
    }
    redirect(out, "1", 1);
    redirect(out, "2", 2);
    execv(command[0], command);
    fprintf(stderr, "measure: %s: %s\n", command[0], strerror(errno));
    _exit(127);
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

static void run_once(char **command, const char *out, unsigned limit_s)
{
    struct rusage ru;
    double begin = now_s();
    pid_t pid = fork();
    int status, code;

    if (pid < 0) {
        perror("measure: fork");
        exit(126);
    }
    if (pid == 0) {
        start(command, out);
    }
    late = 0;
    child = pid;
    setpgid(pid, pid);
    alarm(limit_s);
    while (wait4(pid, &status, 0, &ru) < 0 && errno == EINTR) {
    }
    alarm(0);
    code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    printf("%.6f %.6f %ld %d\n", now_s() - begin, seconds(ru.ru_utime) + seconds(ru.ru_stime),
           ru.ru_maxrss, late ? 124 : code);
}

int main(int argc, char **argv)
{
    struct sigaction sa = {.sa_handler = on_alarm};

    if (argc < 5) {
        fputs("usage: measure COUNT SECONDS OUT COMMAND...\n", stderr);
        return 2;
    }
    sigaction(SIGALRM, &sa, NULL);
    for (int n = atoi(argv[1]); n > 0; n--) {
        run_once(argv + 4, argv[3], (unsigned)atoi(argv[2]));
    }
    return 0;
}
