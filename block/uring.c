/* SPDX-License-Identifier: GPL-2.0-or-later */
/* io_uring by liburing; see the header. */
#include "uring.h"

#include <stddef.h>

#include "config.h"

#ifdef HAVE_LIBURING
#include <errno.h>
#include <glib.h>
#include <liburing.h>

struct Uring {
    struct io_uring ring;
    GMutex lock; /* both ends of the ring */
};

enum { RING_ENTRIES = 256 };

Uring *uring_new(int event_fd)
{
    Uring *u = g_new0(Uring, 1);

    if (io_uring_queue_init(RING_ENTRIES, &u->ring, 0) < 0) {
        g_free(u);
        return NULL;
    }
    if (io_uring_register_eventfd(&u->ring, event_fd) < 0) {
        io_uring_queue_exit(&u->ring);
        g_free(u);
        return NULL;
    }
    g_mutex_init(&u->lock);
    return u;
}

void uring_free(Uring *u)
{
    if (u) {
        io_uring_queue_exit(&u->ring);
        g_mutex_clear(&u->lock);
        g_free(u);
    }
}

static void submit_locked(Uring *u)
{
    while (io_uring_submit(&u->ring) == -EINTR) {
    }
}

bool uring_start(Uring *u, bool write, const UringTransfer *t, unsigned count)
{
    bool room;

    g_mutex_lock(&u->lock);
    room = io_uring_sq_space_left(&u->ring) >= count;
    for (unsigned i = 0; room && i < count; i++) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);
        if (write) {
            io_uring_prep_writev(sqe, t[i].fd, t[i].iov, t[i].count, t[i].offset);
        } else {
            io_uring_prep_readv(sqe, t[i].fd, t[i].iov, t[i].count, t[i].offset);
        }
        io_uring_sqe_set_data(sqe, t[i].data);
        io_uring_sqe_set_flags(sqe, t[i].aside ? IOSQE_ASYNC : 0);
    }
    submit_locked(u);
    g_mutex_unlock(&u->lock);
    return room;
}

void uring_kick(Uring *u)
{
    g_mutex_lock(&u->lock);
    if (io_uring_sq_ready(&u->ring)) {
        submit_locked(u);
    }
    g_mutex_unlock(&u->lock);
}

bool uring_reap(Uring *u, void **data, int *result)
{
    struct io_uring_cqe *cqe;
    bool got;

    g_mutex_lock(&u->lock);
    got = io_uring_peek_cqe(&u->ring, &cqe) == 0;
    if (got) {
        *data = io_uring_cqe_get_data(cqe);
        *result = cqe->res;
        io_uring_cqe_seen(&u->ring, cqe);
    }
    g_mutex_unlock(&u->lock);
    return got;
}
#else
Uring *uring_new(int event_fd)
{
    (void)event_fd;
    return NULL;
}

void uring_free(Uring *u)
{
    (void)u;
}

bool uring_start(Uring *u, bool write, const UringTransfer *t, unsigned count)
{
    (void)u, (void)write, (void)t, (void)count;
    return false;
}

void uring_kick(Uring *u)
{
    (void)u;
}

bool uring_reap(Uring *u, void **data, int *result)
{
    (void)u, (void)data, (void)result;
    return false;
}
#endif
