/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol "file": a regular file or block device of the host.
 *
 * With direct I/O (cache none, directsync) offsets, lengths and memory must be aligned for the
 * device; what is not goes through an aligned buffer, a write by reading the borders first, one
 * such write at a time (`edge_lock`).
 * Beyond the end of the file everything reads as zero; writes grow it.
 */
#include "config.h"
#include "private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/bits.h"

typedef struct HostFile {
    int fd;
    bool block_device;
    bool no_punch, no_zero_range; /* the file system said so; set once, read by any thread */
    GMutex edge_lock;             /* an unaligned direct write is in its read-change-write */
} HostFile;

enum { FILE_IOV_MAX = 64, DIRECT_ALIGN = 4096, BOUNCE_BYTES = 1 << 20 };

void *block_buffer_alloc(size_t bytes)
{
    void *p = NULL;

    if (posix_memalign(&p, DIRECT_ALIGN, bytes ? bytes : 1)) {
        g_error("out of memory: %zu bytes for disk I/O", bytes);
    }
    return p;
}

static void file_close(BlockNode *n)
{
    HostFile *f = n->impl;

    close(f->fd);
    g_mutex_clear(&f->edge_lock);
    g_free(f);
}

/* ---- reading and writing */

static int file_read_plain(HostFile *f, uint64_t offset, BlockVec v)
{
    while (v.bytes) {
        struct iovec iov[FILE_IOV_MAX];
        uint64_t bytes;
        unsigned count = block_vec_iov(v, iov, FILE_IOV_MAX, &bytes);
        ssize_t got = preadv(f->fd, iov, (int)count, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return errno;
        }
        if (got == 0) {
            block_vec_zero(v);
            return 0;
        }
        v = block_vec_slice(v, (uint64_t)got, v.bytes - (uint64_t)got);
        offset += (uint64_t)got;
    }
    return 0;
}

static int file_write_plain(HostFile *f, uint64_t offset, BlockVec v)
{
    while (v.bytes) {
        struct iovec iov[FILE_IOV_MAX];
        uint64_t bytes;
        unsigned count = block_vec_iov(v, iov, FILE_IOV_MAX, &bytes);
        ssize_t got = pwritev(f->fd, iov, (int)count, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? errno : EIO;
        }
        v = block_vec_slice(v, (uint64_t)got, v.bytes - (uint64_t)got);
        offset += (uint64_t)got;
    }
    return 0;
}

static bool file_is_aligned(const BlockNode *n, uint64_t offset, BlockVec v)
{
    uint64_t mask = n->align_bytes - 1;
    uint64_t all = offset | v.bytes;

    if (!mask) {
        return true;
    }
    for (unsigned i = 0; i < v.count && !(all & mask); i++) {
        all |= (uintptr_t)v.iov[i].iov_base | v.iov[i].iov_len;
    }
    return !((all | v.skip) & mask);
}

/* By way of an aligned buffer, some at a time. */
static int file_bounce(BlockNode *n, uint64_t offset, BlockVec v, bool write)
{
    HostFile *f = n->impl;
    uint8_t *buf = block_buffer_alloc(BOUNCE_BYTES);
    int err = 0;

    while (v.bytes && !err) {
        uint64_t start = align_down(offset, n->align_bytes), pad = offset - start;
        uint64_t bytes = MIN(v.bytes, BOUNCE_BYTES - pad);
        uint64_t all = align_up(pad + bytes, n->align_bytes);
        struct iovec iov = {buf, all};
        if (!write || pad || all != pad + bytes) {
            err = file_read_plain(f, start, block_vec(&iov));
        }
        if (!err && write) {
            block_vec_to_buf(block_vec_slice(v, 0, bytes), buf + pad);
            err = file_write_plain(f, start, block_vec(&iov));
        } else if (!err) {
            block_vec_from_buf(block_vec_slice(v, 0, bytes), buf + pad);
        }
        v = block_vec_slice(v, bytes, v.bytes - bytes);
        offset += bytes;
    }
    free(buf);
    return err;
}

static int file_read(BlockNode *n, uint64_t offset, BlockVec v)
{
    if (!file_is_aligned(n, offset, v)) {
        return file_bounce(n, offset, v, false);
    }
    return file_read_plain(n->impl, offset, v);
}

/* size_bytes only grows by writes; a racing reader sees the old or the new size. */
static void file_grown(BlockNode *n, uint64_t end)
{
    uint64_t old = __atomic_load_n(&n->size_bytes, __ATOMIC_RELAXED);

    while (end > old && !__atomic_compare_exchange_n(&n->size_bytes, &old, end, true,
                                                     __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

static int file_write(BlockNode *n, uint64_t offset, BlockVec v)
{
    HostFile *f = n->impl;
    int err;

    if (file_is_aligned(n, offset, v)) {
        err = file_write_plain(f, offset, v);
    } else {
        g_mutex_lock(&f->edge_lock);
        err = file_bounce(n, offset, v, true);
        g_mutex_unlock(&f->edge_lock);
    }
    if (!err) {
        file_grown(n, offset + v.bytes);
    }
    return err;
}

static int file_flush(BlockNode *n)
{
    HostFile *f = n->impl;

    if (n->cache == BLOCK_CACHE_UNSAFE || n->read_only) {
        return 0;
    }
    return fdatasync(f->fd) < 0 ? errno : 0;
}

/* ---- holes */

static int file_map(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned how, BlockMap *out)
{
    HostFile *f = n->impl;
    off_t data, hole;

    *out = (BlockMap){BLOCK_MAP_DATA | BLOCK_MAP_ALLOCATED | BLOCK_MAP_OFFSET, bytes, n, offset};
    if (!(how & BLOCK_MAP_HOLES) || f->block_device) {
        return 0;
    }
    data = lseek(f->fd, (off_t)offset, SEEK_DATA);
    if (data < 0 && errno != ENXIO) {
        return 0;
    }
    if (data < 0 || (uint64_t)data > offset) {
        out->flags = BLOCK_MAP_ZERO | BLOCK_MAP_ALLOCATED | BLOCK_MAP_OFFSET;
        out->bytes = data < 0 ? bytes : MIN(bytes, (uint64_t)data - offset);
        return 0;
    }
    hole = lseek(f->fd, (off_t)offset, SEEK_HOLE);
    if (hole > (off_t)offset) {
        out->bytes = MIN(bytes, (uint64_t)hole - offset);
    }
    return 0;
}

static int file_fallocate(HostFile *f, int mode, uint64_t offset, uint64_t bytes)
{
    int r;

    do {
        r = fallocate(f->fd, mode, (off_t)offset, (off_t)bytes);
    } while (r < 0 && errno == EINTR);
    return r < 0 ? errno : 0;
}

static bool file_unsupported(int err)
{
    return err == ENOTSUP || err == ENOSYS || err == EINVAL || err == ENOTTY || err == ENODEV;
}

static int file_punch(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    HostFile *f = n->impl;
    uint64_t end = __atomic_load_n(&n->size_bytes, __ATOMIC_RELAXED);
    int err;

    if (offset >= end && !f->block_device) {
        return 0;
    }
    if (f->no_punch) {
        return ENOTSUP;
    }
    err = file_fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, bytes);
    if (file_unsupported(err)) {
        f->no_punch = true;
        return ENOTSUP;
    }
    return err;
}

static int file_write_zero_bytes(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    size_t chunk = MIN(bytes, BOUNCE_BYTES);
    void *buf = block_buffer_alloc(chunk);
    int err = 0;

    memset(buf, 0, chunk);
    while (bytes && !err) {
        struct iovec iov = {buf, MIN(bytes, chunk)};
        err = file_write(n, offset, block_vec(&iov));
        offset += iov.iov_len;
        bytes -= iov.iov_len;
    }
    free(buf);
    return err;
}

static int file_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, bool may_unmap)
{
    HostFile *f = n->impl;
    uint64_t end = offset + bytes;
    int err;

    if (may_unmap) {
        err = file_punch(n, offset, bytes);
        if (!err && end > n->size_bytes && !f->block_device) {
            err = ftruncate(f->fd, (off_t)end) < 0 ? errno : 0;
            file_grown(n, end);
        }
        if (err != ENOTSUP) {
            return err;
        }
    }
    if (!f->no_zero_range) {
        err = file_fallocate(f, FALLOC_FL_ZERO_RANGE, offset, bytes);
        if (!err) {
            file_grown(n, end);
        }
        if (!file_unsupported(err)) {
            return err;
        }
        f->no_zero_range = true;
    }
    return file_write_zero_bytes(n, offset, bytes);
}

static int file_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    int err = file_punch(n, offset, bytes);

    return err == ENOTSUP ? 0 : err;
}

static bool file_truncate(BlockNode *n, uint64_t bytes, BlockPreallocation how, Error *err)
{
    HostFile *f = n->impl;
    uint64_t old = n->size_bytes;
    int e = 0;

    if (f->block_device) {
        if (bytes > n->size_bytes) {
            return error_set(err, "%s: a block device of %" G_GUINT64_FORMAT " bytes cannot grow",
                             n->name, n->size_bytes);
        }
        return true;
    }
    if (how == BLOCK_PREALLOC_METADATA) {
        return error_set(err,
                         "%s: preallocation 'metadata' needs a format with metadata (off, "
                         "falloc or full)",
                         n->name);
    }
    if (ftruncate(f->fd, (off_t)bytes) < 0) {
        return error_set_errno(err, "%s: cannot resize to %" G_GUINT64_FORMAT " bytes", n->name,
                               bytes);
    }
    __atomic_store_n(&n->size_bytes, bytes, __ATOMIC_RELAXED);
    if (bytes > old && how == BLOCK_PREALLOC_FALLOC) {
        e = posix_fallocate(f->fd, (off_t)old, (off_t)(bytes - old));
    } else if (bytes > old && how == BLOCK_PREALLOC_FULL) {
        e = file_write_zero_bytes(n, old, bytes - old);
    }
    errno = e;
    return e ? error_set_errno(err, "%s: cannot preallocate", n->name) : true;
}

static const BlockDriver file_driver = {
    .name = "file",
    .protocol = true,
    .close = file_close,
    .map = file_map,
    .read = file_read,
    .write = file_write,
    .write_zeroes = file_write_zeroes,
    .discard = file_discard,
    .flush = file_flush,
    .truncate = file_truncate,
};

uint64_t block_node_host_bytes(BlockNode *n)
{
    struct stat st;

    while (n->file) {
        n = n->file;
    }
    return n->host_fd >= 0 && fstat(n->host_fd, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

/* ---- opening */

static bool file_stat(BlockNode *n, int fd, bool *block_device, Error *err)
{
    struct stat st;
    off_t end;

    if (fstat(fd, &st) < 0) {
        return error_set_errno(err, "%s", n->name);
    }
    *block_device = S_ISBLK(st.st_mode);
    if (!*block_device && !S_ISREG(st.st_mode)) {
        return error_set(err, "%s: is not a regular file or block device", n->name);
    }
    end = lseek(fd, 0, SEEK_END);
    if (end < 0) {
        return error_set_errno(err, "%s: cannot tell the size", n->name);
    }
    n->size_bytes = (uint64_t)end;
    return true;
}

/* The alignment direct I/O needs here, by trying; 4096 always works where anything does. */
static uint32_t file_direct_align(int fd)
{
    uint8_t *buf = block_buffer_alloc(DIRECT_ALIGN);
    uint32_t align = 512;

    while (align < DIRECT_ALIGN && pread(fd, buf, align, 0) < 0) {
        align *= 2;
    }
    free(buf);
    return align;
}

static int file_open_flags(const BlockNodeOptions *o)
{
    int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (o->write ? O_RDWR : O_RDONLY);

    if (o->cache == BLOCK_CACHE_NONE || o->cache == BLOCK_CACHE_DIRECTSYNC) {
        flags |= O_DIRECT;
    }
    return flags;
}

BlockNode *block_file_open(const BlockNodeOptions *o, bool create, Error *err)
{
    bool direct = (file_open_flags(o) & O_DIRECT) != 0;
    const char *path = g_str_has_prefix(o->file, "file:") ? o->file + 5 : o->file;
    int fd = open(path, file_open_flags(o) | (create ? O_CREAT : 0), 0644);
    BlockNode *n;
    HostFile *f;

    if (fd < 0 && errno == EINVAL && direct) {
        error_set(err, "%s: the file system has no direct I/O; use cache=writeback or unsafe",
                  o->file);
        return NULL;
    }
    if (fd < 0) {
        error_set_errno(err, "%s: cannot open%s", o->file, o->write ? " for writing" : "");
        return NULL;
    }
    n = block_node_new(&file_driver, o->file, 0);
    f = g_new0(HostFile, 1);
    f->fd = fd;
    g_mutex_init(&f->edge_lock);
    n->impl = f;
    n->host_fd = fd;
    n->read_only = !o->write;
    n->cache = o->cache;
    if (!file_stat(n, fd, &f->block_device, err) ||
        (!o->no_lock && !o->force_share && !block_lock_file(fd, o->file, o->write, err))) {
        block_node_close(n, NULL);
        return NULL;
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    if (direct) {
        n->align_bytes = file_direct_align(fd);
    }
    if (create && !f->block_device && ftruncate(fd, 0) < 0) {
        error_set_errno(err, "%s: cannot empty it", o->file);
        block_node_close(n, NULL);
        return NULL;
    }
    if (create && !f->block_device) {
        n->size_bytes = 0;
    }
    return n;
}
