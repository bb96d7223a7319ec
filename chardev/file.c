/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -chardev null, file, pipe, tty: nothing, a file, FIFOs, a serial port of the host.
 * pipe opens PATH.in and PATH.out when both exist, else PATH for both directions.
 * Not modelled: modem lines of a host port.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "chardev/backends.h"

static void fd_pair_close(Chardev *dev)
{
    CharFd *c = (CharFd *)dev;

    char_fd_shut(c);
    if (c->in_fd >= 0 && c->in_fd != c->out_fd) {
        close(c->in_fd);
    }
    if (c->out_fd >= 0) {
        close(c->out_fd);
    }
    char_base_fini(&c->base);
}

static const ChardevOps fd_pair_ops = {
    .write = char_fd_write,
    .set_front = char_fd_set_front,
    .accept_input = char_fd_accept_input,
    .close = fd_pair_close,
};

/* Takes the descriptors over in any case. */
static Chardev *fd_pair_new(Machine *m, const ChardevOptions *o, int fds[2], const ChardevOps *ops,
                            Error *err)
{
    CharFd *c = g_new0(CharFd, 1);

    if (!char_base_init(&c->base, m, o, ops, err)) {
        if (fds[0] >= 0 && fds[0] != fds[1]) {
            close(fds[0]);
        }
        if (fds[1] >= 0) {
            close(fds[1]);
        }
        g_free(c);
        return NULL;
    }
    char_fd_init(c);
    char_fd_open(c, fds[0], fds[1]);
    return &c->base.dev;
}

/* ---- null */

const ChardevOption char_null_options[] = {{0}};

Chardev *char_null_open(Machine *m, const ChardevOptions *o, Error *err)
{
    Chardev *dev = fd_pair_new(m, o, (int[2]){-1, -1}, &fd_pair_ops, err);

    if (dev) {
        snprintf(((CharBase *)dev)->label, sizeof((CharBase *)dev)->label, "null");
    }
    return dev;
}

/* ---- file */

const ChardevOption char_file_options[] = {
    COPT(COPT_STRING, "path", path, NULL, "file that takes the output (required)"),
    COPT(COPT_STRING, "input-path", input_path, NULL, "file that is read as input"),
    COPT(COPT_BOOL, "append", append, "off", "keep what the file has"),
    {0},
};

Chardev *char_file_open(Machine *m, const ChardevOptions *o, Error *err)
{
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (o->append ? O_APPEND : O_TRUNC);
    int fds[2] = {-1, -1};

    if (!o->path) {
        error_set(err, "path= is missing");
        return NULL;
    }
    fds[1] = open(o->path, flags, 0666);
    if (fds[1] < 0) {
        error_set_errno(err, "path=%s", o->path);
        return NULL;
    }
    if (o->input_path) {
        fds[0] = open(o->input_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (fds[0] < 0) {
            error_set_errno(err, "input-path=%s", o->input_path);
            close(fds[1]);
            return NULL;
        }
    }
    Chardev *dev = fd_pair_new(m, o, fds, &fd_pair_ops, err);
    if (dev) {
        snprintf(((CharBase *)dev)->label, sizeof((CharBase *)dev)->label, "file:%s", o->path);
    }
    return dev;
}

/* ---- pipe */

const ChardevOption char_pipe_options[] = {
    COPT(COPT_STRING, "path", path, NULL, "FIFO, or PATH.in and PATH.out (required)"),
    {0},
};

static int open_fifo(const char *path)
{
    return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

Chardev *char_pipe_open(Machine *m, const ChardevOptions *o, Error *err)
{
    int fds[2];

    if (!o->path) {
        error_set(err, "path= is missing");
        return NULL;
    }
    /* Read-write, so that neither side needs the other to be there first. */
    g_autofree char *in = g_strconcat(o->path, ".in", NULL);
    g_autofree char *out = g_strconcat(o->path, ".out", NULL);
    fds[0] = open_fifo(in);
    fds[1] = open_fifo(out);
    if (fds[0] < 0 || fds[1] < 0) {
        for (int i = 0; i < 2; i++) {
            if (fds[i] >= 0) {
                close(fds[i]);
            }
        }
        fds[0] = fds[1] = open_fifo(o->path);
    }
    if (fds[0] < 0) {
        error_set_errno(err, "path=%s (make it by: mkfifo %s.in %s.out)", o->path, o->path,
                        o->path);
        return NULL;
    }
    Chardev *dev = fd_pair_new(m, o, fds, &fd_pair_ops, err);
    if (dev) {
        snprintf(((CharBase *)dev)->label, sizeof((CharBase *)dev)->label, "pipe:%s", o->path);
    }
    return dev;
}

/* ---- a serial port of the host */

const ChardevOption char_tty_options[] = {
    COPT(COPT_STRING, "path", path, NULL, "serial port, such as /dev/ttyS0 (required)"),
    {0},
};

static const struct {
    unsigned baud;
    speed_t code;
} tty_speeds[] = {
    {300, B300},     {1200, B1200},   {2400, B2400},   {4800, B4800},     {9600, B9600},
    {19200, B19200}, {38400, B38400}, {57600, B57600}, {115200, B115200}, {230400, B230400},
};

static void tty_set_params(Chardev *dev, unsigned baud, unsigned bits, char parity, unsigned stop)
{
    static const tcflag_t sizes[] = {CS5, CS6, CS7, CS8};
    CharFd *c = (CharFd *)dev;
    struct termios t;

    if (tcgetattr(c->in_fd, &t) < 0) {
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(tty_speeds); i++) {
        if (tty_speeds[i].baud >= baud || i + 1 == G_N_ELEMENTS(tty_speeds)) {
            cfsetspeed(&t, tty_speeds[i].code);
            break;
        }
    }
    t.c_cflag &= ~(tcflag_t)(CSIZE | PARENB | PARODD | CSTOPB);
    t.c_cflag |= sizes[CLAMP(bits, 5, 8) - 5];
    t.c_cflag |= parity == 'N' ? 0 : parity == 'O' ? PARENB | PARODD : PARENB;
    t.c_cflag |= stop > 1 ? CSTOPB : 0;
    tcsetattr(c->in_fd, TCSANOW, &t);
}

static const ChardevOps tty_ops = {
    .write = char_fd_write,
    .set_front = char_fd_set_front,
    .accept_input = char_fd_accept_input,
    .set_params = tty_set_params,
    .close = fd_pair_close,
};

Chardev *char_tty_open(Machine *m, const ChardevOptions *o, Error *err)
{
    struct termios t;

    if (!o->path) {
        error_set(err, "path= is missing");
        return NULL;
    }
    int fd = open(o->path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        error_set_errno(err, "path=%s", o->path);
        return NULL;
    }
    if (tcgetattr(fd, &t) < 0) {
        error_set_errno(err, "path=%s is no terminal", o->path);
        close(fd);
        return NULL;
    }
    cfmakeraw(&t);
    t.c_cflag |= CLOCAL | CREAD;
    tcsetattr(fd, TCSANOW, &t);
    Chardev *dev = fd_pair_new(m, o, (int[2]){fd, fd}, &tty_ops, err);
    if (dev) {
        snprintf(((CharBase *)dev)->label, sizeof((CharBase *)dev)->label, "tty:%s", o->path);
    }
    return dev;
}
