/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all chardevs share, and streams on descriptors.
 *
 * Flow control. Input is watched only while the front end has room; chardev_accept_input() starts
 * it again. Output that the descriptor does not take is kept, up to CHAR_PENDING_MAX, and written
 * when it can be; beyond that the writer sees a short write and is told later. Without a peer
 * output is dropped, as a serial line with nobody at its end does.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "chardev/backends.h"

bool char_base_init(CharBase *b, Machine *m, const ChardevOptions *o, const ChardevOps *ops,
                    Error *err)
{
    b->dev.ops = ops;
    b->dev.machine = m;
    b->id = g_strdup(o->id);
    b->dev.id = b->id;
    b->dev.label = b->label;
    b->log_fd = -1;
    if (o->logfile) {
        int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (o->logappend ? O_APPEND : O_TRUNC);

        b->log_fd = open(o->logfile, flags, 0666);
        if (b->log_fd < 0) {
            error_set_errno(err, "logfile=%s", o->logfile);
            g_clear_pointer(&b->id, g_free);
            return false;
        }
    }
    return true;
}

static void base_free(CharBase *b)
{
    if (b->destroy) {
        b->destroy(b);
    }
    if (b->log_fd >= 0) {
        close(b->log_fd);
    }
    g_free(b->id);
    g_free(b);
}

void char_base_fini(CharBase *b)
{
    b->closed = true;
    if (!b->busy) {
        base_free(b);
    }
}

void char_base_enter(CharBase *b)
{
    b->busy++;
}

void char_base_leave(CharBase *b)
{
    if (--b->busy == 0 && b->closed) {
        base_free(b);
    }
}

void char_base_log(CharBase *b, const uint8_t *buf, size_t bytes)
{
    while (b->log_fd >= 0 && bytes) {
        ssize_t n = write(b->log_fd, buf, bytes);

        if (n <= 0) {
            return; /* a full disk must not stop the guest's console */
        }
        buf += n;
        bytes -= (size_t)n;
    }
}

bool char_set_nonblock(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

/* ---- CharFd */

static CharFd *fd_of(Chardev *dev)
{
    return (CharFd *)dev;
}

static size_t pending_bytes(const CharFd *c)
{
    return c->pending->len - c->pending_start;
}

static void fd_lost(CharFd *c)
{
    char_fd_shut(c);
    if (c->hangup && !c->base.closed) {
        c->hangup(c);
    }
}

static bool take_input(CharFd *c, int fd)
{
    uint8_t buf[4096];
    size_t room = chardev_room(&c->base.dev);

    if (!room) {
        c->in_watch = 0;
        return false;
    }
    ssize_t n = read(fd, buf, MIN(room, sizeof buf));
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    if (n <= 0) {
        c->in_watch = 0;
        fd_lost(c);
        return false;
    }
    size_t bytes = c->decode ? c->decode(c, buf, (size_t)n) : (size_t)n;
    unsigned watch = c->in_watch;
    if (bytes) {
        chardev_deliver(&c->base.dev, buf, bytes);
    }
    return c->in_watch == watch;
}

static bool fd_readable(int fd, GIOCondition condition, void *opaque)
{
    CharFd *c = opaque;

    (void)condition;
    char_base_enter(&c->base);
    bool more = take_input(c, fd);
    char_base_leave(&c->base);
    return more;
}

static void update_input(CharFd *c)
{
    Chardev *dev = &c->base.dev;

    if (c->in_fd >= 0 && dev->open && !c->in_watch && chardev_room(dev)) {
        c->in_watch =
            machine_fd_add(dev->machine, c->in_fd, G_IO_IN | G_IO_HUP | G_IO_ERR, fd_readable, c);
    }
}

/* As write(), but a reader that went away is EPIPE alone: the signal would end the process, and its
 * disposition is not ours to change. */
static ssize_t write_quietly(int fd, const uint8_t *buf, size_t bytes)
{
    ssize_t n = send(fd, buf, bytes, MSG_NOSIGNAL);

    if (n >= 0 || errno != ENOTSOCK) {
        return n;
    }
    sigset_t pipe_only, old, pending;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &old);
    n = write(fd, buf, bytes);
    int saved = errno;
    if (n < 0 && saved == EPIPE && !sigismember(&pending, SIGPIPE)) {
        sigtimedwait(&pipe_only, NULL, &(struct timespec){0}); /* takes it back */
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    errno = saved;
    return n;
}

/* Writes what it can of buf; -1: the peer is gone. */
static ssize_t fd_write_some(CharFd *c, const uint8_t *buf, size_t bytes)
{
    size_t done = 0;

    while (done < bytes) {
        ssize_t n = write_quietly(c->out_fd, buf + done, bytes - done);

        if (n > 0) {
            done += (size_t)n;
        } else if (n < 0 && errno == EINTR) {
            continue;
        } else if (n < 0 && (errno == EAGAIN || errno == ECONNREFUSED)) {
            break; /* ECONNREFUSED: a datagram that nobody took */
        } else {
            return -1;
        }
    }
    return (ssize_t)done;
}

static bool send_pending(CharFd *c)
{
    ssize_t n = fd_write_some(c, c->pending->data + c->pending_start, pending_bytes(c));

    if (n < 0) {
        c->out_watch = 0;
        fd_lost(c);
        return false;
    }
    c->pending_start += (size_t)n;
    if (pending_bytes(c)) {
        return true;
    }
    g_byte_array_set_size(c->pending, 0);
    c->pending_start = 0;
    c->out_watch = 0;
    if (c->writer_waits) {
        c->writer_waits = false;
        if (c->base.dev.front.writable) {
            c->base.dev.front.writable(c->base.dev.front.opaque);
        }
    }
    return false;
}

static bool fd_writable(int fd, GIOCondition condition, void *opaque)
{
    CharFd *c = opaque;

    (void)fd;
    (void)condition;
    char_base_enter(&c->base);
    bool more = send_pending(c);
    char_base_leave(&c->base);
    return more;
}

void char_fd_send_raw(CharFd *c, const uint8_t *buf, size_t bytes)
{
    ssize_t n = 0;

    if (c->out_fd < 0) {
        return;
    }
    if (!pending_bytes(c)) {
        n = fd_write_some(c, buf, bytes);
    }
    if (n < 0) {
        n = (ssize_t)bytes; /* the reader side sees the hang-up */
    }
    if ((size_t)n < bytes && !c->message) {
        g_byte_array_append(c->pending, buf + n, (guint)(bytes - (size_t)n));
        if (!c->out_watch) {
            c->out_watch =
                machine_fd_add(c->base.dev.machine, c->out_fd, G_IO_OUT | G_IO_ERR, fd_writable, c);
        }
    }
}

size_t char_fd_write(Chardev *dev, const uint8_t *buf, size_t bytes)
{
    CharFd *c = fd_of(dev);
    uint8_t coded[512 * CHAR_ENCODE_GROWTH];
    size_t done = 0;

    if (!dev->open || c->out_fd < 0) {
        char_base_log(&c->base, buf, bytes);
        return bytes;
    }
    while (done < bytes && pending_bytes(c) < CHAR_PENDING_MAX) {
        size_t step = MIN(bytes - done, CHAR_PENDING_MAX - pending_bytes(c));

        if (c->encode) {
            step = MIN(step, 512);
            char_fd_send_raw(c, coded, c->encode(c, buf + done, step, coded));
        } else {
            char_fd_send_raw(c, buf + done, step);
        }
        done += step;
    }
    char_base_log(&c->base, buf, done);
    c->writer_waits = done < bytes;
    return done;
}

void char_fd_set_front(Chardev *dev, const ChardevFront *f)
{
    if (f) {
        update_input(fd_of(dev));
    }
}

void char_fd_accept_input(Chardev *dev)
{
    update_input(fd_of(dev));
}

void char_fd_init(CharFd *c)
{
    c->in_fd = c->out_fd = -1;
    c->pending = g_byte_array_new();
    c->base.destroy = char_fd_destroy;
}

void char_fd_destroy(CharBase *b)
{
    g_byte_array_free(((CharFd *)b)->pending, TRUE);
}

void char_fd_open(CharFd *c, int in_fd, int out_fd)
{
    c->in_fd = in_fd;
    c->out_fd = out_fd;
    c->base.dev.open = true;
    update_input(c);
    chardev_event(&c->base.dev, CHARDEV_OPENED);
}

void char_fd_shut(CharFd *c)
{
    Machine *m = c->base.dev.machine;
    bool was_open = c->base.dev.open;

    if (c->in_watch) {
        machine_fd_remove(m, c->in_watch);
    }
    if (c->out_watch) {
        machine_fd_remove(m, c->out_watch);
    }
    c->in_watch = c->out_watch = 0;
    c->writer_waits = false;
    c->base.dev.open = false;
    g_byte_array_set_size(c->pending, 0);
    c->pending_start = 0;
    if (was_open) {
        chardev_event(&c->base.dev, CHARDEV_CLOSED);
    }
}
