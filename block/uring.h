/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One io_uring: vectors to and from files. Absent (uring_new() gives NULL) where liburing was not
 * there at build time or the kernel refuses it (seccomp, sysctl, rlimit); then threads do the work.
 * Any thread may submit and reap.
 */
#ifndef GEMEL_BLOCK_URING_H
#define GEMEL_BLOCK_URING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

typedef struct Uring Uring;

/* Completions are signalled on event_fd (an eventfd of the caller's). */
Uring *uring_new(int event_fd);
/* Nothing may be in flight. */
void   uring_free(Uring *u);

typedef struct UringTransfer {
    int                 fd;
    uint64_t            offset;
    const struct iovec *iov; /* must stay until the transfer is reaped */
    unsigned            count;
    void               *data;
    bool                aside; /* never on the caller's thread, even if all is in the page cache */
} UringTransfer;

/* Starts all of them; false when there is no room, then none is started. */
bool   uring_start(Uring *u, bool write, const UringTransfer *t, unsigned count);
/* Starts what the kernel had no room for before. */
void   uring_kick(Uring *u);
/* One finished transfer: its data, and bytes or a negative errno; false when there is none. */
bool   uring_reap(Uring *u, void **data, int *result);

#endif
