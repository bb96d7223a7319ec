/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -chardev pty: a pseudo terminal for screen, minicom, virsh console.
 *
 * A master whose slave nobody has open reports a hang-up for ever, so it is not watched then but
 * looked at a few times a second.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "chardev/backends.h"

enum { PTY_LOOK_NS = 200 * 1000 * 1000 };

typedef struct CharPty {
    CharFd fd;
    int master;
    char *link; /* path=: a symbolic link to the slave */
    Timer look;
} CharPty;

const ChardevOption char_pty_options[] = {
    COPT(COPT_STRING, "path", path, NULL, "symbolic link to be made to the terminal"),
    {0},
};

static void pty_look(void *opaque)
{
    CharPty *p = opaque;
    struct pollfd poll_fd = {.fd = p->master, .events = POLLIN | POLLOUT};

    if (poll(&poll_fd, 1, 0) > 0 && !(poll_fd.revents & POLLHUP)) {
        char_fd_open(&p->fd, p->master, p->master);
        return;
    }
    timer_set(&p->look, clock_ns(p->fd.base.dev.machine, CLOCK_HOST) + PTY_LOOK_NS);
}

static void pty_hangup(CharFd *c)
{
    CharPty *p = (CharPty *)c;

    c->in_fd = c->out_fd = -1;
    timer_set(&p->look, clock_ns(c->base.dev.machine, CLOCK_HOST) + PTY_LOOK_NS);
}

static void pty_close(Chardev *dev)
{
    CharPty *p = (CharPty *)dev;

    timer_cancel(&p->look);
    char_fd_shut(&p->fd);
    close(p->master);
    if (p->link) {
        unlink(p->link);
        g_free(p->link);
        p->link = NULL;
    }
    char_base_fini(&p->fd.base);
}

static const ChardevOps pty_ops = {
    .write = char_fd_write,
    .set_front = char_fd_set_front,
    .accept_input = char_fd_accept_input,
    .close = pty_close,
};

/* The master, its slave in raw mode and named in `name`; -1: errno says why. */
static int pty_master(char *name, size_t bytes)
{
    struct termios t;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (master < 0) {
        return -1;
    }
    if (grantpt(master) < 0 || unlockpt(master) < 0 || ptsname_r(master, name, bytes) != 0) {
        close(master);
        return -1;
    }
    int slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave >= 0) {
        if (tcgetattr(slave, &t) == 0) {
            cfmakeraw(&t);
            tcsetattr(slave, TCSANOW, &t);
        }
        close(slave);
    }
    char_set_nonblock(master);
    return master;
}

Chardev *char_pty_open(Machine *m, const ChardevOptions *o, Error *err)
{
    char name[64];
    int master = pty_master(name, sizeof name);

    if (master < 0) {
        error_set_errno(err, "cannot make a pseudo terminal");
        return NULL;
    }
    CharPty *p = g_new0(CharPty, 1);
    if (o->path && symlink(name, o->path) < 0) {
        error_set_errno(err, "path=%s: cannot link it to %s", o->path, name);
        close(master);
        g_free(p);
        return NULL;
    }
    if (!char_base_init(&p->fd.base, m, o, &pty_ops, err)) {
        close(master);
        g_free(p);
        return NULL;
    }
    p->master = master;
    p->link = g_strdup(o->path);
    snprintf(p->fd.base.label, sizeof p->fd.base.label, "pty:%s", name);
    fprintf(stderr, "char device redirected to %s (label %s)\n", name, o->id);
    char_fd_init(&p->fd);
    p->fd.hangup = pty_hangup;
    timer_init(&p->look, m, CLOCK_HOST, pty_look, p);
    timer_set(&p->look, clock_ns(m, CLOCK_HOST));
    return &p->fd.base.dev;
}
