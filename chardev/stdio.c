/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -chardev stdio: this process's standard input and output, a terminal among them in raw mode.
 *
 * The open file behind descriptor 0 or 1 is shared with the shell, so it must not become
 * non-blocking; terminals and pipes are opened once more by /proc, what cannot be is used as it is
 * (input is read only when it is there; output may then wait).
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chardev/backends.h"

typedef struct CharStdio {
    CharFd fd;
    TtyGuard *guard;
} CharStdio;

const ChardevOption char_stdio_options[] = {
    COPT(COPT_BOOL, "signal", signal, "on", "Ctrl-C and Ctrl-Z are signals to us, not input"),
    {0},
};

static int own_fd(int fd, int flags)
{
    char path[32];
    struct stat st;
    int own = -1;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (fstat(fd, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode))) {
        own = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    }
    return own >= 0 ? own : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static void stdio_close(Chardev *dev)
{
    CharStdio *s = (CharStdio *)dev;

    char_fd_shut(&s->fd);
    tty_restore(s->guard);
    if (s->fd.in_fd >= 0) {
        close(s->fd.in_fd);
    }
    if (s->fd.out_fd >= 0) {
        close(s->fd.out_fd);
    }
    char_base_fini(&s->fd.base);
}

static const ChardevOps stdio_ops = {
    .write = char_fd_write,
    .set_front = char_fd_set_front,
    .accept_input = char_fd_accept_input,
    .close = stdio_close,
};

/* Input ended; output goes on. */
static void stdio_eof(CharFd *c)
{
    if (c->in_fd >= 0) {
        close(c->in_fd);
    }
    c->in_fd = -1;
    c->base.dev.open = true;
}

Chardev *char_stdio_open(Machine *m, const ChardevOptions *o, Error *err)
{
    CharStdio *s = g_new0(CharStdio, 1);

    if (!char_base_init(&s->fd.base, m, o, &stdio_ops, err)) {
        g_free(s);
        return NULL;
    }
    snprintf(s->fd.base.label, sizeof s->fd.base.label, "stdio");
    char_fd_init(&s->fd);
    s->fd.hangup = stdio_eof;
    int in = own_fd(0, O_RDONLY), out = own_fd(1, O_WRONLY);
    s->guard = tty_raw(0, o->signal);
    char_fd_open(&s->fd, in, out);
    return &s->fd.base.dev;
}
