/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disk a device sees: bytes, requests, a few facts. What stands behind it (files, formats,
 * caches) is block/'s; a test gives a RAM-backed one (tests/block/ram_disk.h).
 *
 * Requests. The device embeds a BlockReq in its own request, fills in the upper part and starts it
 * with block_read() and friends; these never block and never call `done` themselves. When the
 * request is over, done(req, 0 or a positive errno) runs once, on the event loop the disk was
 * opened with and under the lock that loop takes around device code. Until then the request, its
 * vector and the memory it points to must stay; from inside `done` the request may be started
 * again or freed.
 *
 * Order. Requests in flight at the same time may end in any order, and overlapping ones may mix. A
 * flush covers the writes that were done (their callback ran) when it was started.
 *
 * Limits. Offset and length of reads and writes are multiples of request_align (1 when the disk
 * takes any); a request beyond the end fails with EIO, a write to a read-only disk with EROFS,
 * without touching the image. So a guest can do nothing worse than get an error.
 *
 * Threads. A request may be started on any thread; a device does so under its machine lock.
 * block_drain() and the synchronous block_pread() and block_pwrite() block, the former runs
 * callbacks: only where no request of another thread is being started (reset, save, realize).
 */
#ifndef GEMEL_CORE_BLOCK_H
#define GEMEL_CORE_BLOCK_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

typedef struct BlockDev BlockDev;
typedef struct BlockReq BlockReq;
typedef struct BlockNotifier BlockNotifier;

/* err: 0, or a positive errno: EIO, ENOSPC, EROFS, ENOMEDIUM, EINVAL, ENOTSUP. */
typedef void BlockDone(BlockReq *req, int err);

typedef enum BlockOp {
    BLOCK_OP_READ,
    BLOCK_OP_WRITE,
    BLOCK_OP_FLUSH,
    BLOCK_OP_DISCARD,      /* contents become undefined; may do nothing */
    BLOCK_OP_WRITE_ZEROES, /* contents become zero */
    BLOCK_OP_COUNT
} BlockOp;

enum {
    BLOCK_REQ_FUA   = 1u << 0, /* write, write_zeroes: on stable storage when done */
    BLOCK_REQ_UNMAP = 1u << 1, /* write_zeroes: may give the space back */
};

struct BlockReq {
    /* ---- the device's */
    uint64_t            offset_bytes; /* not for flush */
    uint64_t            bytes;        /* discard, write_zeroes; read and write take the vector's */
    const struct iovec *iov;          /* read, write */
    unsigned            iov_count;
    uint32_t            flags;        /* BLOCK_REQ_* */
    BlockDone          *done;
    void               *opaque;       /* the device's, for `done` */
    /* ---- the disk's, from start to done */
    BlockOp             op;
    int                 error;
    BlockReq           *next;
    void               *backend[4];
};

/* What a device tells its guest about the disk. Constant while nothing is notified. */
typedef struct BlockLimits {
    uint64_t size_bytes;           /* a multiple of logical_block_bytes */
    uint32_t logical_block_bytes;  /* 512 or 4096 */
    uint32_t physical_block_bytes; /* power of two, at least the logical block */
    uint32_t request_align_bytes;  /* alignment of reads and writes; 1 or 512..4096 */
    uint32_t discard_align_bytes;  /* best granularity of discards; 0: discard does nothing */
    uint64_t discard_max_bytes;    /* most for one discard or write_zeroes */
    bool     read_only;
    bool     write_cache;          /* writes need a flush to be stable */
    bool     present;              /* a medium is in; false: all requests fail with ENOMEDIUM */
} BlockLimits;

/* Runs on the event loop like `done`, after the disk's limits changed (resize, medium changed or
 * ejected). */
struct BlockNotifier {
    void         (*changed)(BlockNotifier *n, BlockDev *dev);
    void          *opaque;
    BlockNotifier *next; /* the disk's */
};

typedef struct BlockOps {
    /* Starts a checked request. Must not call done before it returns. */
    void (*start)(BlockDev *dev, BlockReq *req);
    /* Returns when nothing is in flight any more; runs the callbacks on the calling thread. */
    void (*drain)(BlockDev *dev);
    /* Blocking, at realize time or drained: 0 or a positive errno. */
    int  (*pread)(BlockDev *dev, uint64_t offset_bytes, void *buf, size_t bytes);
    int  (*pwrite)(BlockDev *dev, uint64_t offset_bytes, const void *buf, size_t bytes);
    int  (*flush)(BlockDev *dev);
} BlockOps;

/* First member of every implementation. `limits` is written only by the implementation, on the
 * event loop under its lock. */
struct BlockDev {
    const BlockOps *ops;
    const char     *name; /* the drive's id, for messages and serial numbers */
    BlockLimits     limits;
    BlockNotifier  *notifiers;
};

static inline const BlockLimits *block_limits(const BlockDev *dev)
{
    return &dev->limits;
}

static inline uint64_t block_size_bytes(const BlockDev *dev)
{
    return dev->limits.size_bytes;
}

/* A device adds its notifier once and removes it in unrealize; under the machine lock. */
static inline void block_add_notifier(BlockDev *dev, BlockNotifier *n)
{
    n->next = dev->notifiers;
    dev->notifiers = n;
}

static inline void block_remove_notifier(BlockDev *dev, BlockNotifier *n)
{
    for (BlockNotifier **p = &dev->notifiers; *p; p = &(*p)->next) {
        if (*p == n) {
            *p = n->next;
            return;
        }
    }
}

/* ---- requests: see the head of this file */

static inline void block_start(BlockDev *dev, BlockReq *req, BlockOp op)
{
    req->op = op;
    req->error = 0;
    dev->ops->start(dev, req);
}

/* Reads iov's length at offset_bytes into iov. */
static inline void block_read(BlockDev *dev, BlockReq *req)
{
    block_start(dev, req, BLOCK_OP_READ);
}

/* Writes iov's length at offset_bytes from iov; iov's memory may change meanwhile, the disk then
 * has either. */
static inline void block_write(BlockDev *dev, BlockReq *req)
{
    block_start(dev, req, BLOCK_OP_WRITE);
}

/* Makes all writes that are done stable. */
static inline void block_flush(BlockDev *dev, BlockReq *req)
{
    block_start(dev, req, BLOCK_OP_FLUSH);
}

/* `bytes` at offset_bytes are no longer needed. */
static inline void block_discard(BlockDev *dev, BlockReq *req)
{
    block_start(dev, req, BLOCK_OP_DISCARD);
}

/* `bytes` at offset_bytes read as zero from then on. */
static inline void block_write_zeroes(BlockDev *dev, BlockReq *req)
{
    block_start(dev, req, BLOCK_OP_WRITE_ZEROES);
}

/* Waits until nothing is in flight; runs the callbacks here. */
static inline void block_drain(BlockDev *dev)
{
    dev->ops->drain(dev);
}

/* ---- blocking, for firmware and flash: 0 or a positive errno */

static inline int block_pread(BlockDev *dev, uint64_t offset_bytes, void *buf, size_t bytes)
{
    return dev->ops->pread(dev, offset_bytes, buf, bytes);
}

static inline int block_pwrite(BlockDev *dev, uint64_t offset_bytes, const void *buf, size_t bytes)
{
    return dev->ops->pwrite(dev, offset_bytes, buf, bytes);
}

static inline int block_flush_sync(BlockDev *dev)
{
    return dev->ops->flush(dev);
}

/* The errno a request deserves before it touches anything; 0 when it is in order. For
 * implementations; bytes is the length of the vector or req->bytes. */
static inline int block_check_request(const BlockDev *dev, const BlockReq *req, uint64_t bytes)
{
    const BlockLimits *l = &dev->limits;

    if (!l->present) {
        return ENOMEDIUM;
    }
    if (req->op == BLOCK_OP_FLUSH) {
        return 0;
    }
    if (req->op != BLOCK_OP_READ && l->read_only) {
        return EROFS;
    }
    if (req->offset_bytes > l->size_bytes || bytes > l->size_bytes - req->offset_bytes) {
        return EIO;
    }
    if (req->op <= BLOCK_OP_WRITE && ((req->offset_bytes | bytes) & (l->request_align_bytes - 1))) {
        return EINVAL;
    }
    return 0;
}

static inline uint64_t block_iov_bytes(const struct iovec *iov, unsigned count)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < count; i++) {
        bytes += iov[i].iov_len;
    }
    return bytes;
}

#endif
