/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The block graph: opening chains, following maps, the gate; see block/node.h. */
#include "private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/bits.h"
#include "util/str_nearest.h"

BlockNode *block_node_new(const BlockDriver *driver, const char *name, uint64_t size_bytes)
{
    BlockNode *n = g_new0(BlockNode, 1);

    n->driver = driver;
    n->name = g_strdup(name);
    n->size_bytes = size_bytes;
    n->align_bytes = 1;
    n->host_fd = -1;
    g_mutex_init(&n->gate_lock);
    g_cond_init(&n->gate_cond);
    return n;
}

bool block_node_close(BlockNode *n, Error *err)
{
    bool ok;
    int e;

    if (!n) {
        return true;
    }
    e = 0;
    if (!n->read_only && n->driver && n->impl) {
        /* The second writes the counts of what the first let go. */
        e = block_node_flush(n);
        e = e ? e : block_node_flush(n);
    }
    errno = e;
    ok = e ? error_set_errno(err, "%s: flushing failed", n->name) : true;
    if (n->driver && n->impl) {
        n->driver->close(n);
    }
    ok = block_node_close(n->file, ok ? err : NULL) && ok;
    ok = block_node_close(n->backing, ok ? err : NULL) && ok;
    g_free(n->backing_name);
    g_free(n->backing_format);
    g_free(n->backing_path);
    g_free(n->name);
    g_mutex_clear(&n->gate_lock);
    g_cond_clear(&n->gate_cond);
    g_free(n);
    return ok;
}

/* ---- formats */

typedef struct Signature {
    const char *format;
    unsigned at, bytes;
    const char *magic;
} Signature;

/* Formats we read come with a driver; the others are known so that they are refused by name
 * instead of being taken for raw. */
static const Signature signatures[] = {
    {"qcow", 0, 8, "QFI\xfb\0\0\0\1"},
    {"qcow2", 0, 4, "QFI\xfb"},
    {"qed", 0, 4, "QED\0"},
    {"vmdk", 0, 4, "KDMV"},
    {"vmdk", 0, 4, "COWD"},
    {"vmdk", 0, 21, "# Disk DescriptorFile"},
    {"vhdx", 0, 8, "vhdxfile"},
    {"vpc", 0, 8, "conectix"},
    {"vdi", 64, 4, "\x7f\x10\xda\xbe"},
    {"luks", 0, 6, "LUKS\xba\xbe"},
    {"parallels", 0, 16, "WithoutFreeSpace"},
    {"parallels", 0, 16, "WithouFreSpacExt"},
    {"bochs", 0, 19, "Bochs Virtual HD Im"},
};

typedef struct Format {
    const char *name;
    bool (*open)(BlockNode *n, const BlockNodeOptions *o, Error *err);
} Format;

static const Format formats[] = {{"raw", raw_open}, {"qcow2", qcow2_open}};

const char *block_probe_format(const uint8_t *head, size_t bytes)
{
    for (size_t i = 0; i < G_N_ELEMENTS(signatures); i++) {
        const Signature *s = &signatures[i];
        if (bytes >= s->at + s->bytes && !memcmp(head + s->at, s->magic, s->bytes)) {
            return s->format;
        }
    }
    return "raw";
}

static const char *format_name(size_t i, const void *opaque)
{
    (void)opaque;
    return i < G_N_ELEMENTS(formats) ? formats[i].name : NULL;
}

static const Format *find_format(BlockNode *file, const BlockNodeOptions *o, Error *err)
{
    uint8_t head[512];
    const char *name = o->format;
    const char *near;
    int e;

    if (!name) {
        e = block_node_pread(file, 0, head, sizeof head);
        if (e) {
            errno = e;
            error_set_errno(err, "%s: cannot read its first bytes", file->name);
            return NULL;
        }
        name = block_probe_format(head, sizeof head);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (!strcmp(formats[i].name, name)) {
            return &formats[i];
        }
    }
    near = str_nearest(name, format_name, NULL);
    if (!o->format) {
        error_set(err,
                  "%s: holds an image of format '%s', which is not supported (raw and qcow2 are; "
                  "name format=raw to use its bytes as they are)",
                  file->name, name);
    } else if (near) {
        error_set(err, "%s: unknown format '%s'; did you mean '%s'?", file->name, name, near);
    } else {
        error_set(err, "%s: unknown format '%s' (there are: raw, qcow2)", file->name, name);
    }
    return NULL;
}

/* ---- opening */

char *block_backing_path(const char *image, const char *backing)
{
    char *folder, *path;

    if (g_path_is_absolute(backing) || g_str_has_prefix(backing, "file:") ||
        !strchr(image, G_DIR_SEPARATOR)) {
        return g_strdup(backing);
    }
    folder = g_path_get_dirname(image);
    path = g_build_filename(folder, backing, NULL);
    g_free(folder);
    return path;
}

/* Names of network protocols and descriptions in JSON are not ours. */
static bool check_name(const char *name, Error *err)
{
    const char *colon = strchr(name, ':');
    const char *slash = strchr(name, '/');

    if (g_str_has_prefix(name, "json:")) {
        return error_set(err, "'%.60s': JSON names of images are not supported; give a path", name);
    }
    if (colon && colon[1] == '/' && colon[2] == '/' && (!slash || slash > colon)) {
        return error_set(err, "'%s': protocol '%.*s' is not supported; only files are", name,
                         (int)(colon - name), name);
    }
    return true;
}

static BlockNode *open_one(const BlockNodeOptions *o, Error *err)
{
    BlockNode *file = o->protocol;
    const Format *format;
    BlockNode *n;

    if (!file && (!check_name(o->file, err) || !(file = block_file_open(o, false, err)))) {
        return NULL;
    }
    format = find_format(file, o, err);
    if (!format) {
        block_node_close(o->protocol ? NULL : file, NULL);
        return NULL;
    }
    n = block_node_new(NULL, file->name, 0);
    n->file = file;
    n->cache = o->cache;
    n->read_only = !o->write;
    n->probed = !o->format;
    n->align_bytes = 1;
    if (!format->open(n, o, err)) {
        n->read_only = true;
        n->file = o->protocol ? NULL : file;
        block_node_close(n, NULL);
        return NULL;
    }
    return n;
}

static bool same_file(BlockNode *a, BlockNode *b)
{
    struct stat sa, sb;

    return a->file && b->file && a->file->host_fd >= 0 && b->file->host_fd >= 0 &&
           fstat(a->file->host_fd, &sa) == 0 && fstat(b->file->host_fd, &sb) == 0 &&
           sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* Opens the images below n, one after the other. */
static bool open_chain(BlockNode *top, const BlockNodeOptions *o, Error *err)
{
    unsigned depth = 0;

    for (BlockNode *n = top; n->backing_path; n = n->backing) {
        BlockNodeOptions below = {
            .file = n->backing_path,
            .format = n->backing_format,
            .force_share = o->force_share,
            .no_lock = o->no_lock,
            .cache = o->cache,
            .cache_bytes = o->cache_bytes,
        };
        if (++depth > BLOCK_CHAIN_MAX) {
            return error_set(err, "%s: more than %d backing files", top->name, BLOCK_CHAIN_MAX);
        }
        n->backing = open_one(&below, err);
        if (!n->backing) {
            return error_prepend(err, "%s: backing file", n->name);
        }
        for (BlockNode *up = top; up != n->backing; up = up->backing) {
            if (same_file(up, n->backing)) {
                return error_set(err, "%s: is its own backing file, by way of '%s'", up->name,
                                 n->name);
            }
        }
    }
    return true;
}

bool block_node_open_backing(BlockNode *n, const BlockNodeOptions *o, Error *err)
{
    return n->backing || open_chain(n, o, err);
}

BlockNode *block_node_open(const BlockNodeOptions *o, Error *err)
{
    BlockNode *n = open_one(o, err);

    if (n && !o->no_backing && !open_chain(n, o, err)) {
        n->read_only = true;
        n->file = o->protocol ? NULL : n->file;
        block_node_close(n, NULL);
        return NULL;
    }
    return n;
}

/* ---- the gate */

bool block_node_enter(BlockNode *n, bool nowait)
{
    if (!n->driver->gated) {
        return true;
    }
    g_mutex_lock(&n->gate_lock);
    while (n->gate_closed && !nowait) {
        g_cond_wait(&n->gate_cond, &n->gate_lock);
    }
    bool in = !n->gate_closed;
    n->gate_users += in;
    g_mutex_unlock(&n->gate_lock);
    return in;
}

void block_node_leave(BlockNode *n)
{
    if (!n->driver->gated) {
        return;
    }
    g_mutex_lock(&n->gate_lock);
    if (--n->gate_users == 0 && n->gate_closed) {
        g_cond_broadcast(&n->gate_cond);
    }
    g_mutex_unlock(&n->gate_lock);
}

void block_node_enter_exclusive(BlockNode *n)
{
    if (!n->driver->gated) {
        return;
    }
    g_mutex_lock(&n->gate_lock);
    while (n->gate_closed) {
        g_cond_wait(&n->gate_cond, &n->gate_lock);
    }
    n->gate_closed = true;
    while (n->gate_users) {
        g_cond_wait(&n->gate_cond, &n->gate_lock);
    }
    g_mutex_unlock(&n->gate_lock);
}

void block_node_leave_exclusive(BlockNode *n)
{
    if (!n->driver->gated) {
        return;
    }
    g_mutex_lock(&n->gate_lock);
    n->gate_closed = false;
    g_cond_broadcast(&n->gate_cond);
    g_mutex_unlock(&n->gate_lock);
}

/* ---- bytes */

int block_node_map(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned how, BlockMap *out)
{
    return n->driver->map(n, offset, bytes, how, out);
}

/* One extent of a read; v covers just that. */
static int read_extent(BlockNode *n, uint64_t offset, const BlockMap *m, BlockVec v)
{
    if (m->flags & BLOCK_MAP_ZERO) {
        block_vec_zero(v);
        return 0;
    }
    if (m->flags & BLOCK_MAP_ALLOCATED) {
        return m->flags & BLOCK_MAP_OFFSET ? block_node_read(m->file, m->file_offset, v)
                                           : n->driver->read(n, offset, v);
    }
    if (n->backing) {
        return block_node_read(n->backing, offset, v);
    }
    block_vec_zero(v);
    return 0;
}

int block_node_read(BlockNode *n, uint64_t offset, BlockVec v)
{
    uint64_t have;
    int err = 0;

    if (n->driver->protocol) {
        return n->driver->read(n, offset, v);
    }
    have = offset < n->size_bytes ? MIN(v.bytes, n->size_bytes - offset) : 0;
    if (have < v.bytes) {
        block_vec_zero(block_vec_slice(v, have, v.bytes - have));
        v = block_vec_slice(v, 0, have);
    }
    block_node_enter(n, false);
    while (v.bytes && !err) {
        BlockMap m;
        err = n->driver->map(n, offset, v.bytes, 0, &m);
        if (!err) {
            err = read_extent(n, offset, &m, block_vec_slice(v, 0, m.bytes));
            if (err == EAGAIN) {
                err = 0; /* a compressed cluster was replaced meanwhile */
                continue;
            }
            v = block_vec_slice(v, m.bytes, v.bytes - m.bytes);
            offset += m.bytes;
        }
    }
    block_node_leave(n);
    return err;
}

static int check_write(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    if (n->read_only) {
        return EROFS;
    }
    if (n->driver->protocol) {
        return bytes > INT64_MAX || offset > INT64_MAX - bytes ? EFBIG : 0;
    }
    return offset > n->size_bytes || bytes > n->size_bytes - offset ? EIO : 0;
}

int block_node_write(BlockNode *n, uint64_t offset, BlockVec v)
{
    int err = check_write(n, offset, v.bytes);

    if (err || !v.bytes) {
        return err;
    }
    block_node_enter(n, false);
    err = n->driver->write(n, offset, v);
    block_node_leave(n);
    return err;
}

int block_node_pread(BlockNode *n, uint64_t offset, void *buf, size_t bytes)
{
    struct iovec iov = {buf, bytes};

    return bytes ? block_node_read(n, offset, block_vec(&iov)) : 0;
}

int block_node_pwrite(BlockNode *n, uint64_t offset, const void *buf, size_t bytes)
{
    struct iovec iov = {(void *)buf, bytes};

    return bytes ? block_node_write(n, offset, block_vec(&iov)) : 0;
}

int block_node_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, bool may_unmap)
{
    int err = check_write(n, offset, bytes);

    if (err || !bytes) {
        return err;
    }
    if (may_unmap) {
        block_node_enter_exclusive(n);
        err = n->driver->write_zeroes(n, offset, bytes, true);
        block_node_leave_exclusive(n);
    } else {
        block_node_enter(n, false);
        err = n->driver->write_zeroes(n, offset, bytes, false);
        block_node_leave(n);
    }
    return err;
}

int block_node_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    int err = check_write(n, offset, bytes);

    if (err || !bytes || !n->driver->discard) {
        return err;
    }
    block_node_enter_exclusive(n);
    err = n->driver->discard(n, offset, bytes);
    block_node_leave_exclusive(n);
    return err;
}

int block_node_flush(BlockNode *n)
{
    return n->driver->flush ? n->driver->flush(n) : 0;
}

int block_node_write_compressed(BlockNode *n, uint64_t offset, const void *buf, size_t bytes)
{
    int err = check_write(n, offset, bytes);

    if (err || !n->driver->write_compressed) {
        return err ? err : ENOTSUP;
    }
    block_node_enter(n, false);
    err = n->driver->write_compressed(n, offset, buf, bytes);
    block_node_leave(n);
    return err;
}

bool block_node_truncate(BlockNode *n, uint64_t bytes, BlockPreallocation how, Error *err)
{
    bool ok;

    if (n->read_only) {
        return error_set(err, "%s: is open read-only", n->name);
    }
    if (!n->driver->truncate) {
        return error_set(err, "%s: format %s cannot change its size", n->name, n->driver->name);
    }
    block_node_enter_exclusive(n);
    ok = n->driver->truncate(n, bytes, how, err);
    block_node_leave_exclusive(n);
    return ok;
}

/* ---- what a reader gets */

static int map_through(BlockNode *n, uint64_t offset, uint64_t bytes, BlockMap *out)
{
    BlockMap below;
    int err;

    if (offset >= n->size_bytes) {
        *out = (BlockMap){BLOCK_MAP_ZERO | BLOCK_MAP_EOF, bytes, NULL, 0};
        return 0;
    }
    err = n->driver->map(n, offset, MIN(bytes, n->size_bytes - offset), 0, out);
    if (err || !(out->flags & BLOCK_MAP_RECURSE) || !(out->flags & BLOCK_MAP_DATA)) {
        return err;
    }
    err = out->file->driver->map(out->file, out->file_offset, out->bytes, BLOCK_MAP_HOLES, &below);
    if (!err) {
        out->bytes = below.bytes;
        if (below.flags & BLOCK_MAP_ZERO) {
            out->flags |= BLOCK_MAP_ZERO;
            /* A format keeps its claim that there is space of its own. */
            out->flags &= n->cluster_bytes ? UINT32_MAX : ~(uint32_t)BLOCK_MAP_DATA;
        }
    }
    return err;
}

int block_chain_map(BlockNode *n, BlockNode *base, uint64_t offset, uint64_t bytes, BlockMap *out,
                    unsigned *depth)
{
    unsigned down = 0;
    int err = 0;

    for (; n && n != base; n = n->backing, down++) {
        err = map_through(n, offset, bytes, out);
        if (err || (out->flags & (BLOCK_MAP_ALLOCATED | BLOCK_MAP_EOF))) {
            /* Behind the end of an image, the one above it shows zeroes. */
            down -= down && !err && (out->flags & BLOCK_MAP_EOF);
            break;
        }
        bytes = out->bytes;
        if (!n->backing) {
            out->flags |= BLOCK_MAP_ZERO;
            break;
        }
    }
    if (depth) {
        *depth = down;
    }
    return err;
}
