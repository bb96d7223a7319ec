/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "util/bits.h"

enum { FRAMES_A_TURN = 64, MAX_PIECES = 64, RETRY_NS = 500000 };

static bool wire_ready(int fd, GIOCondition condition, void *opaque);

static void retry(void *opaque)
{
    net_ready(((Wire *)opaque)->port);
}

void wire_init(Wire *w, NetPort *port, bool stream)
{
    timer_init(&w->retry, port->machine, CLOCK_HOST, retry, w);
    w->port = port;
    w->stream = stream;
    w->fd = -1;
    w->out = g_byte_array_new();
}

/* What the loop waits for follows what there is to write. */
static void watch(Wire *w)
{
    GIOCondition c = G_IO_IN | G_IO_HUP | G_IO_ERR | (w->out->len ? G_IO_OUT : 0);

    if (w->watch) {
        machine_fd_remove(w->port->machine, w->watch);
    }
    w->watch = machine_fd_add(w->port->machine, w->fd, c, wire_ready, w);
}

void wire_open(Wire *w, int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    w->fd = fd;
    w->in_bytes = 0;
    g_byte_array_set_size(w->out, 0);
    watch(w);
}

static void hang_up(Wire *w)
{
    if (w->watch) {
        machine_fd_remove(w->port->machine, w->watch);
        w->watch = 0;
    }
    if (w->fd >= 0) {
        close(w->fd);
        w->fd = -1;
    }
    if (w->gone) {
        w->gone(w);
    }
}

void wire_close(Wire *w)
{
    w->gone = NULL;
    timer_cancel(&w->retry);
    hang_up(w);
    g_byte_array_free(w->out, TRUE);
}

/* ---- sending ---- */

static bool would_block(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == EINTR;
}

/* Whether a full queue can be waited for: poll() does not say when another socket has room, so the
 * wait is for a short time. Other failures lose the frame, which is what networks do. */
static bool send_datagram(Wire *w, const struct iovec *iov, int n)
{
    struct msghdr m = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)n};
    ssize_t sent;

    if (w->to_bytes) {
        m.msg_name = &w->to;
        m.msg_namelen = w->to_bytes;
    }
    sent = sendmsg(w->fd, &m, MSG_NOSIGNAL);
    if (sent < 0 && errno == ENOTSOCK) {
        sent = writev(w->fd, iov, n); /* a tap device */
    }
    if (sent < 0 && would_block()) {
        timer_set(&w->retry, clock_ns(w->port->machine, CLOCK_HOST) + RETRY_NS);
        return false;
    }
    return true;
}

static bool write_out(Wire *w)
{
    while (w->out->len) {
        ssize_t n = send(w->fd, w->out->data, w->out->len, MSG_NOSIGNAL);

        if (n < 0) {
            return would_block();
        }
        g_byte_array_remove_range(w->out, 0, (guint)n);
    }
    return true;
}

static void send_stream(Wire *w, const struct iovec *iov, int n, size_t bytes)
{
    bool waited = w->out->len != 0;
    uint8_t head[4];

    if (w->out->len + bytes > WIRE_QUEUE_BYTES) {
        return; /* the other side does not read: a full queue drops */
    }
    store_be32(head, (uint32_t)bytes);
    g_byte_array_append(w->out, head, sizeof head);
    for (int i = 0; i < n; i++) {
        g_byte_array_append(w->out, iov[i].iov_base, (guint)iov[i].iov_len);
    }
    if (waited) {
        return;
    }
    if (!write_out(w)) {
        hang_up(w);
    } else if (w->out->len) {
        watch(w);
    }
}

bool wire_send(Wire *w, const struct iovec *iov, int n)
{
    size_t bytes = 0;

    for (int i = 0; i < n; i++) {
        bytes += iov[i].iov_len;
    }
    if (w->fd < 0 || bytes > WIRE_FRAME_BYTES || n > MAX_PIECES) {
        return true;
    }
    if (w->stream) {
        send_stream(w, iov, n, bytes);
        return true;
    }
    return send_datagram(w, iov, n);
}

/* ---- receiving ---- */

/* One datagram; false: no more. */
static bool take_datagram(Wire *w)
{
    ssize_t n = recv(w->fd, w->in, sizeof w->in, 0);

    if (n < 0 && errno == ENOTSOCK) {
        n = read(w->fd, w->in, sizeof w->in);
    }
    if (n <= 0) {
        return false;
    }
    net_send_buf(w->port, w->in, (size_t)n);
    return true;
}

/* How many bytes `in` must hold before it can go on; 0: nonsense. */
static size_t stream_wants(const Wire *w)
{
    uint32_t n;

    if (w->in_bytes < 4) {
        return 4;
    }
    n = load_be32(w->in);
    return n && n <= WIRE_FRAME_BYTES ? 4 + n : 0;
}

/* A piece of the stream; false: no more now or for ever. */
static bool take_stream(Wire *w)
{
    size_t want = stream_wants(w);
    ssize_t n;

    if (!want) {
        hang_up(w); /* whoever is there does not speak this */
        return false;
    }
    n = recv(w->fd, w->in + w->in_bytes, want - w->in_bytes, 0);
    if (n <= 0) {
        if (n == 0 || !would_block()) {
            hang_up(w);
        }
        return false;
    }
    w->in_bytes += (size_t)n;
    if (w->in_bytes == want && want > 4) {
        w->in_bytes = 0;
        net_send_buf(w->port, w->in + 4, want - 4);
    }
    return w->fd >= 0;
}

static bool wire_ready(int fd, GIOCondition condition, void *opaque)
{
    Wire *w = opaque;

    (void)fd;
    if (condition & G_IO_OUT) {
        if (!write_out(w)) {
            hang_up(w);
            return true;
        }
        if (!w->out->len) {
            watch(w);
        }
    }
    if (condition & (G_IO_IN | G_IO_HUP | G_IO_ERR)) {
        for (unsigned i = 0; i < FRAMES_A_TURN; i++) {
            if (!(w->stream ? take_stream(w) : take_datagram(w))) {
                break;
            }
        }
    }
    return true; /* hang_up() has removed the watch itself */
}
