/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine's disk: requests of a device on their way to the block graph and back.
 *
 * Fast: when the map of all of a request is in memory, its pieces go to io_uring from the thread
 * that started it. Slow: everything else (tables to read or change, flushes, discards, direct I/O
 * that is not aligned) runs, blocking, on a thread of the pool. What a fast request did not finish
 * (a short transfer, the end of the file) is done again the slow way.
 *
 * Both ends meet on one eventfd: io_uring signals it, and so does who puts a request on the `done`
 * list. The source on the machine's context reads it and calls back.
 *
 * A fast request holds the gate of the top image until it is reaped, so that its clusters stay
 * where they are. Images below are read-only and keep theirs.
 */
#include "block/block.h"

#include <assert.h>
#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "block/qcow2.h"
#include "private.h"
#include "uring.h"
#include "util/bits.h"
#include "util/str_nearest.h"

enum { POOL_THREADS = 16, FAST_PARTS = 8, FAST_IOV = 512, DRAIN_POLL_MS = 20 };

/* From this size on the kernel copies on a thread of its own, not on the guest CPU's. */
enum { ASIDE_BYTES = 64 << 10 };

typedef struct Disk {
    BlockDev dev; /* must be first */
    BlockNode *node;
    GThreadPool *pool;
    Uring *uring;
    int event_fd;
    GSource *source;
    void (*enter)(void *opaque), (*leave)(void *opaque);
    void *lock_opaque;
    char *id;
    BlockCache cache;
    bool no_discard;
    GMutex lock; /* the list and the count */
    BlockReq *done_first, **done_last;
    unsigned in_flight; /* started, and not yet called back */
} Disk;

/* A request in pieces of one host file each */
typedef struct FastPart {
    struct FastOp *op;
    int fd;
    uint64_t offset, bytes;
    unsigned iov_at, iov_count;
} FastPart;

typedef struct FastOp {
    BlockReq *req;
    BlockNode *node; /* whose gate is held */
    unsigned parts, left, iovs;
    bool again; /* to be done the slow way */
    FastPart part[FAST_PARTS];
    struct iovec iov[];
} FastOp;

/* ---- completion */

static void disk_signal(Disk *d)
{
    uint64_t one = 1;
    ssize_t n = write(d->event_fd, &one, sizeof one);

    (void)n; /* a full counter is a signal, too */
}

static void disk_finish(Disk *d, BlockReq *req, int err)
{
    bool first;

    req->error = err;
    req->next = NULL;
    g_mutex_lock(&d->lock);
    first = !d->done_first;
    *d->done_last = req;
    d->done_last = &req->next;
    g_mutex_unlock(&d->lock);
    if (first) {
        disk_signal(d);
    }
}

static void fast_done(Disk *d, FastPart *part, int result)
{
    FastOp *op = part->op;

    if (result < 0 || (uint64_t)result != part->bytes) {
        op->again = true;
    }
    if (--op->left) {
        return;
    }
    block_node_leave(op->node);
    if (op->again) {
        g_thread_pool_push(d->pool, op->req, NULL);
    } else {
        disk_finish(d, op->req, 0);
    }
    g_free(op);
}

static void disk_reap(Disk *d)
{
    void *part;
    int result;

    if (d->uring) {
        while (uring_reap(d->uring, &part, &result)) {
            fast_done(d, part, result);
        }
        uring_kick(d->uring);
    }
}

/* Calls back for what is done by now; true when there was something. A callback may drain: so one
 * is taken off the list at a time, and what comes in meanwhile waits for the next round. */
static bool disk_run(Disk *d)
{
    unsigned count = 0, done = 0;
    BlockReq *req;

    disk_reap(d);
    g_mutex_lock(&d->lock);
    for (req = d->done_first; req; req = req->next) {
        count++;
    }
    while (done < count && (req = d->done_first)) {
        d->done_first = req->next;
        if (!d->done_first) {
            d->done_last = &d->done_first;
        }
        d->in_flight--;
        done++;
        g_mutex_unlock(&d->lock);
        req->done(req, req->error);
        g_mutex_lock(&d->lock);
    }
    if (d->done_first) {
        disk_signal(d);
    }
    g_mutex_unlock(&d->lock);
    return done != 0;
}

static gboolean disk_event(gint fd, GIOCondition condition, gpointer opaque)
{
    Disk *d = opaque;
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof count);

    (void)n, (void)condition;
    if (d->enter) {
        d->enter(d->lock_opaque);
    }
    disk_run(d);
    if (d->leave) {
        d->leave(d->lock_opaque);
    }
    return G_SOURCE_CONTINUE;
}

static void disk_drain(BlockDev *dev)
{
    Disk *d = (Disk *)dev;
    bool busy = true;

    while (busy) {
        if (!disk_run(d)) {
            struct pollfd p = {.fd = d->event_fd, .events = POLLIN};
            g_mutex_lock(&d->lock);
            busy = d->in_flight != 0;
            g_mutex_unlock(&d->lock);
            if (busy && poll(&p, 1, DRAIN_POLL_MS) > 0) {
                uint64_t count;
                ssize_t n = read(d->event_fd, &count, sizeof count);
                (void)n;
            }
        }
    }
}

/* ---- the slow way */

static int slow_request(Disk *d, BlockReq *req)
{
    BlockVec v = {req->iov, req->iov_count, 0, 0};
    bool unmap = (req->flags & BLOCK_REQ_UNMAP) && !d->no_discard;
    bool stable = (req->flags & BLOCK_REQ_FUA) || d->cache == BLOCK_CACHE_WRITETHROUGH ||
                  d->cache == BLOCK_CACHE_DIRECTSYNC;
    int err = 0;

    if (req->op == BLOCK_OP_READ || req->op == BLOCK_OP_WRITE) {
        v.bytes = block_iov_bytes(req->iov, req->iov_count);
    }
    switch (req->op) {
    case BLOCK_OP_READ: return block_node_read(d->node, req->offset_bytes, v);
    case BLOCK_OP_WRITE: err = block_node_write(d->node, req->offset_bytes, v); break;
    case BLOCK_OP_DISCARD:
        return d->no_discard ? 0 : block_node_discard(d->node, req->offset_bytes, req->bytes);
    case BLOCK_OP_WRITE_ZEROES:
        err = block_node_write_zeroes(d->node, req->offset_bytes, req->bytes, unmap);
        break;
    default: stable = true; break;
    }
    if (!err && stable && d->cache != BLOCK_CACHE_UNSAFE) {
        err = block_node_flush(d->node);
    }
    return err;
}

static void pool_run(gpointer data, gpointer opaque)
{
    BlockReq *req = data;
    Disk *d = opaque;

    disk_finish(d, req, slow_request(d, req));
}

/* ---- the fast way */

static bool part_is_aligned(const BlockNode *file, const FastOp *op, const FastPart *p)
{
    uint64_t mask = file->align_bytes - 1, all = p->offset | p->bytes;

    for (unsigned i = 0; mask && i < p->iov_count; i++) {
        const struct iovec *v = &op->iov[p->iov_at + i];
        all |= (uintptr_t)v->iov_base | v->iov_len;
    }
    return !(all & mask);
}

/* One extent becomes a part. False: not this way. */
static bool fast_part(FastOp *op, const BlockMap *m, BlockVec v)
{
    FastPart *p = &op->part[op->parts];
    uint64_t bytes;

    if (!(m->flags & BLOCK_MAP_OFFSET) || m->file->host_fd < 0 || op->parts == FAST_PARTS ||
        m->file_offset + m->bytes > __atomic_load_n(&m->file->size_bytes, __ATOMIC_RELAXED)) {
        return false;
    }
    *p = (FastPart){op, m->file->host_fd, m->file_offset, m->bytes, op->iovs, 0};
    p->iov_count = block_vec_iov(v, op->iov + op->iovs, FAST_IOV, &bytes);
    op->iovs += p->iov_count;
    op->parts++;
    return bytes == m->bytes && part_is_aligned(m->file, op, p);
}

/* Follows the maps of the chain for one extent; m is of the image that answers. */
static int fast_map(BlockNode *n, uint64_t offset, uint64_t bytes, bool write, BlockMap *m)
{
    unsigned how = BLOCK_MAP_NOWAIT | (write ? BLOCK_MAP_WRITE : 0);
    int err;

    for (;; n = n->backing) {
        uint64_t have = offset < n->size_bytes ? MIN(bytes, n->size_bytes - offset) : 0;
        if (!have) {
            *m = (BlockMap){BLOCK_MAP_ZERO, bytes, NULL, 0};
            return 0;
        }
        err = n->driver->map(n, offset, have, how, m);
        if (err || (m->flags & BLOCK_MAP_ALLOCATED)) {
            return err;
        }
        bytes = m->bytes;
        if (!n->backing) {
            m->flags |= BLOCK_MAP_ZERO;
            return 0;
        }
    }
}

static bool fast_plan(Disk *d, FastOp *op, BlockVec v)
{
    uint64_t offset = op->req->offset_bytes;
    bool write = op->req->op == BLOCK_OP_WRITE;

    while (v.bytes) {
        BlockMap m;
        if (fast_map(d->node, offset, v.bytes, write, &m)) {
            return false;
        }
        BlockVec part = block_vec_slice(v, 0, m.bytes);
        if (m.flags & BLOCK_MAP_ZERO) {
            block_vec_zero(part);
        } else if (!fast_part(op, &m, part)) {
            return false;
        }
        v = block_vec_slice(v, m.bytes, v.bytes - m.bytes);
        offset += m.bytes;
    }
    return true;
}

static bool fast_start(Disk *d, BlockReq *req, uint64_t bytes)
{
    BlockVec v = {req->iov, req->iov_count, 0, bytes};
    UringTransfer transfers[FAST_PARTS];
    FastOp *op;

    /* Copies out of the page cache are done sooner by the pool than by the kernel's workers. */
    if (req->op == BLOCK_OP_READ && bytes >= ASIDE_BYTES && d->node->file->align_bytes == 1) {
        return false;
    }
    if (!d->uring || req->iov_count > FAST_IOV / 2 || !bytes ||
        (req->op == BLOCK_OP_WRITE &&
         ((req->flags & BLOCK_REQ_FUA) || d->cache == BLOCK_CACHE_WRITETHROUGH ||
          d->cache == BLOCK_CACHE_DIRECTSYNC)) ||
        !block_node_enter(d->node, true)) {
        return false;
    }
    /* An entry may be split between two parts. */
    op = g_malloc0(sizeof *op + (req->iov_count + FAST_PARTS) * sizeof(struct iovec));
    op->req = req;
    op->node = d->node;
    if (!fast_plan(d, op, v)) {
        block_node_leave(d->node);
        g_free(op);
        return false;
    }
    if (!op->parts) {
        block_node_leave(d->node);
        g_free(op);
        disk_finish(d, req, 0);
        return true;
    }
    op->left = op->parts;
    for (unsigned i = 0; i < op->parts; i++) {
        const FastPart *p = &op->part[i];
        transfers[i] = (UringTransfer){.fd = p->fd,
                                       .offset = p->offset,
                                       .iov = op->iov + p->iov_at,
                                       .count = p->iov_count,
                                       .data = &op->part[i],
                                       .aside = p->bytes >= ASIDE_BYTES};
    }
    if (!uring_start(d->uring, req->op == BLOCK_OP_WRITE, transfers, op->parts)) {
        block_node_leave(d->node);
        g_free(op);
        return false;
    }
    return true; /* op may be gone by now */
}

/* ---- the interface to devices */

static void disk_start(BlockDev *dev, BlockReq *req)
{
    Disk *d = (Disk *)dev;
    bool vector = req->op == BLOCK_OP_READ || req->op == BLOCK_OP_WRITE;
    uint64_t bytes = vector ? block_iov_bytes(req->iov, req->iov_count) : req->bytes;
    int err = block_check_request(dev, req, bytes);

    g_mutex_lock(&d->lock);
    d->in_flight++;
    g_mutex_unlock(&d->lock);
    if (err || (req->op == BLOCK_OP_FLUSH && d->cache == BLOCK_CACHE_UNSAFE) ||
        (req->op == BLOCK_OP_FLUSH && d->node->read_only)) {
        disk_finish(d, req, err);
    } else if (!vector || !fast_start(d, req, bytes)) {
        g_thread_pool_push(d->pool, req, NULL);
    }
}

static int disk_pread(BlockDev *dev, uint64_t offset, void *buf, size_t bytes)
{
    BlockReq req = {.op = BLOCK_OP_READ, .offset_bytes = offset};
    int err = block_check_request(dev, &req, bytes);

    return err && err != EINVAL ? err : block_node_pread(((Disk *)dev)->node, offset, buf, bytes);
}

static int disk_pwrite(BlockDev *dev, uint64_t offset, const void *buf, size_t bytes)
{
    BlockReq req = {.op = BLOCK_OP_WRITE, .offset_bytes = offset};
    int err = block_check_request(dev, &req, bytes);

    return err && err != EINVAL ? err : block_node_pwrite(((Disk *)dev)->node, offset, buf, bytes);
}

static int disk_flush(BlockDev *dev)
{
    Disk *d = (Disk *)dev;

    return !d->node ? ENOMEDIUM : d->cache == BLOCK_CACHE_UNSAFE ? 0 : block_node_flush(d->node);
}

static const BlockOps disk_ops = {
    .start = disk_start,
    .drain = disk_drain,
    .pread = disk_pread,
    .pwrite = disk_pwrite,
    .flush = disk_flush,
};

/* ---- opening */

static const char *const cache_names[] = {"writeback",  "none",   "writethrough",
                                          "directsync", "unsafe", NULL};

bool block_parse_cache(const char *name, BlockCache *cache, Error *err)
{
    const char *near;

    for (unsigned i = 0; cache_names[i]; i++) {
        if (!strcmp(cache_names[i], name)) {
            *cache = (BlockCache)i;
            return true;
        }
    }
    near = str_nearest_in(name, cache_names);
    return near ? error_set(err, "cache mode '%s' is unknown; did you mean '%s'?", name, near)
                : error_set(err,
                            "cache mode '%s' is unknown (there are: writeback, none, "
                            "writethrough, directsync, unsafe)",
                            name);
}

static BlockNode *open_node(const BlockOpenOptions *o, bool write, Error *err)
{
    BlockNodeOptions n = {
        .file = o->file,
        .format = o->format,
        .write = write,
        .force_share = o->force_share,
        .no_lock = o->no_lock,
        .cache = o->cache,
        .raw_offset_bytes = o->raw_offset_bytes,
        .raw_size_bytes = o->raw_size_bytes,
        .cache_bytes = o->cache_bytes,
    };
    BlockNode *node;

    if (!o->file || !*o->file) {
        error_set(err, "drive '%s': no image file named (file=)", o->id ? o->id : "");
        return NULL;
    }
    node = block_node_open(&n, err);
    if (node && node->probed && !strcmp(node->driver->name, "raw") && write) {
        fprintf(stderr,
                "gemel: %s: no format was named and it looks like none, so it is taken as raw; "
                "writes of another format's header to it will fail (format=raw allows them)\n",
                o->file);
    }
    return node;
}

/* A qcow2 on top that takes the changes, in a file without a name. */
static BlockNode *open_overlay(const BlockOpenOptions *o, Error *err)
{
    char *path = g_build_filename(g_getenv("TMPDIR") ? g_getenv("TMPDIR") : "/var/tmp",
                                  "gemel-overlay-XXXXXX", NULL);
    int fd = g_mkstemp(path);
    BlockNodeOptions options = {
        .file = path, .write = true, .no_lock = true, .cache = BLOCK_CACHE_UNSAFE};
    Qcow2Create create = {0};
    BlockNode *base = NULL, *file = NULL, *top = NULL;

    if (fd < 0) {
        error_set_errno(err, "snapshot=on: cannot make %s", path);
        g_free(path);
        return NULL;
    }
    base = open_node(o, false, err);
    file = base ? block_file_open(&options, true, err) : NULL;
    unlink(path);
    close(fd);
    if (file) {
        create.size_bytes = base->size_bytes;
        options.protocol = file;
        options.format = "qcow2";
        options.no_backing = true;
        top = qcow2_create(file, &create, err) ? block_node_open(&options, err) : NULL;
    }
    if (top) {
        top->backing = base;
    } else {
        block_node_close(file, NULL);
        block_node_close(base, NULL);
    }
    g_free(path);
    return top;
}

static void set_limits(Disk *d, const BlockOpenOptions *o)
{
    BlockLimits *l = &d->dev.limits;
    BlockNode *n = d->node;

    *l = (BlockLimits){
        .logical_block_bytes = 512, .physical_block_bytes = 512, .request_align_bytes = 1};
    if (!n) {
        return;
    }
    if (o && o->logical_block_bytes) {
        l->logical_block_bytes = o->logical_block_bytes;
    }
    l->physical_block_bytes = MAX(l->logical_block_bytes, MIN(n->file->align_bytes, 4096));
    l->size_bytes = align_down(n->size_bytes, l->logical_block_bytes);
    l->discard_align_bytes = d->no_discard || n->read_only ? 0 : MAX(n->cluster_bytes, 4096);
    l->discard_max_bytes = 1u << 30;
    l->read_only = n->read_only;
    l->write_cache = d->cache != BLOCK_CACHE_WRITETHROUGH && d->cache != BLOCK_CACHE_DIRECTSYNC;
    l->present = true;
}

static bool insert(Disk *d, const BlockOpenOptions *o, Error *err)
{
    BlockNode *n;

    if (o->force_share && !o->read_only && !o->snapshot) {
        return error_set(err, "%s: force-share needs readonly=on", o->file);
    }
    n = o->snapshot ? open_overlay(o, err) : open_node(o, !o->read_only, err);
    if (!n) {
        return false;
    }
    block_node_close(d->node, NULL);
    d->node = n;
    d->cache = o->snapshot ? BLOCK_CACHE_UNSAFE : o->cache;
    d->no_discard = o->no_discard;
    set_limits(d, o);
    return true;
}

BlockDev *block_open(const BlockOpenOptions *o, Error *err)
{
    Disk *d = g_new0(Disk, 1);

    d->event_fd = -1;
    if (!insert(d, o, err)) {
        g_free(d);
        return NULL;
    }
    d->id = g_strdup(o->id ? o->id : o->file);
    d->dev.ops = &disk_ops;
    d->dev.name = d->id;
    d->done_last = &d->done_first;
    d->enter = o->lock;
    d->leave = o->unlock;
    d->lock_opaque = o->lock_opaque;
    g_mutex_init(&d->lock);
    d->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    d->pool = g_thread_pool_new(pool_run, d, POOL_THREADS, FALSE, NULL);
    d->uring = o->no_uring ? NULL : uring_new(d->event_fd);
    if (d->event_fd < 0) {
        error_set_errno(err, "%s: cannot make an eventfd", d->id);
        block_close(&d->dev);
        return NULL;
    }
    if (o->context) {
        d->source = g_unix_fd_source_new(d->event_fd, G_IO_IN);
        g_source_set_callback(d->source, G_SOURCE_FUNC(disk_event), d, NULL);
        g_source_attach(d->source, o->context);
    }
    return &d->dev;
}

void block_close(BlockDev *dev)
{
    Disk *d = (Disk *)dev;
    Error err = {""};

    if (!d) {
        return;
    }
    if (d->event_fd >= 0) {
        disk_drain(dev);
    }
    if (d->source) {
        g_source_destroy(d->source);
        g_source_unref(d->source);
    }
    g_thread_pool_free(d->pool, FALSE, TRUE);
    uring_free(d->uring);
    if (!block_node_close(d->node, &err)) {
        error_report(&err, "gemel", stderr);
    }
    if (d->event_fd >= 0) {
        close(d->event_fd);
    }
    g_mutex_clear(&d->lock);
    g_free(d->id);
    g_free(d);
}

static void notify(Disk *d)
{
    for (BlockNotifier *n = d->dev.notifiers, *next; n; n = next) {
        next = n->next;
        n->changed(n, &d->dev);
    }
}

bool block_resize(BlockDev *dev, uint64_t size_bytes, Error *err)
{
    Disk *d = (Disk *)dev;
    uint32_t logical = dev->limits.logical_block_bytes;

    if (!d->node) {
        return error_set(err, "%s: no medium", d->id);
    }
    if (size_bytes % logical) {
        return error_set(err, "%s: a size must be a multiple of %u bytes", d->id, logical);
    }
    disk_drain(dev);
    if (!block_node_truncate(d->node, size_bytes, BLOCK_PREALLOC_OFF, err)) {
        return false;
    }
    dev->limits.size_bytes = size_bytes;
    notify(d);
    return true;
}

bool block_change_medium(BlockDev *dev, const BlockOpenOptions *o, Error *err)
{
    Disk *d = (Disk *)dev;

    disk_drain(dev);
    if (o) {
        if (!insert(d, o, err)) {
            return false;
        }
    } else {
        block_node_close(d->node, NULL);
        d->node = NULL;
        set_limits(d, NULL);
    }
    notify(d);
    return true;
}

BlockNode *block_dev_node(BlockDev *dev)
{
    return ((Disk *)dev)->node;
}

const char *block_dev_aio(const BlockDev *dev)
{
    return ((const Disk *)dev)->uring ? "io_uring" : "threads";
}
