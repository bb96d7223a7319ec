/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Raw mode of a terminal that is put back however the process ends.
 *
 * exit() handlers and signal handlers would be process-wide state and do not run at SIGKILL. So a
 * guard process is left behind that holds the terminal, the old mode and the read end of a pipe:
 * when the pipe's write end goes away without a word, it puts the mode back. It is forked twice, so
 * that nobody has to wait for it, and calls nothing between fork and _exit() that is not safe
 * there.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "chardev/backends.h"

struct TtyGuard {
    int fd, pipe_fd;
    struct termios old;
};

static void close_all_but(int a, int b)
{
    int low = MIN(a, b), high = MAX(a, b);

    /* 0..2 go, too: who waits for the end of our output must not wait for the guard. */
    if (low > 0) {
        close_range(0, (unsigned)low - 1, 0);
    }
    if (high > low + 1) {
        close_range((unsigned)low + 1, (unsigned)high - 1, 0);
    }
    close_range((unsigned)high + 1, ~0u, 0);
}

/* The guard's life. */
static void guard_run(int tty_fd, int pipe_fd, const struct termios *old)
{
    sigset_t all;
    char word;
    ssize_t n;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL); /* SIGTTOU: it may be in the background */
    close_all_but(tty_fd, pipe_fd);
    do {
        n = read(pipe_fd, &word, 1);
    } while (n < 0 && errno == EINTR);
    if (n == 0) {
        tcsetattr(tty_fd, TCSANOW, old);
    }
    _exit(0);
}

static void guard_start(TtyGuard *g)
{
    int fds[2];

    g->pipe_fd = -1;
    if (pipe2(fds, O_CLOEXEC) < 0) {
        return;
    }
    pid_t child = fork();
    if (child == 0) {
        if (fork() == 0) {
            guard_run(g->fd, fds[0], &g->old);
        }
        _exit(0);
    }
    close(fds[0]);
    if (child < 0) {
        close(fds[1]);
        return;
    }
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
    g->pipe_fd = fds[1];
}

TtyGuard *tty_raw(int fd, bool signals)
{
    struct termios raw;
    TtyGuard *g = g_new0(TtyGuard, 1);

    if (tcgetattr(fd, &g->old) < 0) {
        g_free(g);
        return NULL;
    }
    g->fd = fd;
    guard_start(g);
    raw = g->old;
    raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    raw.c_oflag |= OPOST; /* what we print ourselves ends its lines by \n alone */
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
    if (!signals) {
        raw.c_lflag &= ~(tcflag_t)ISIG;
    }
    raw.c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
    raw.c_cflag |= CS8;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(fd, TCSANOW, &raw);
    return g;
}

void tty_restore(TtyGuard *g)
{
    if (!g) {
        return;
    }
    tcsetattr(g->fd, TCSANOW, &g->old);
    if (g->pipe_fd >= 0) {
        ssize_t n = write(g->pipe_fd, "q", 1);

        (void)n; /* a guard that is gone needs no word */
        close(g->pipe_fd);
    }
    g_free(g);
}
