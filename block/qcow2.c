/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The format qcow2: the driver's functions, opening and closing; qcow2_impl.h says how it works. */
#include "qcow2_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/bits.h"

enum { DEFAULT_CACHE_BYTES = 32 << 20 };

static void qcow2_close(BlockNode *n)
{
    Qcow2 *q = n->impl;

    meta_cache_free(q->l2);
    meta_cache_free(q->refs);
    qcow2_free_snapshots(q);
    for (unsigned i = 0; i < q->exts->len; i++) {
        g_free(g_array_index(q->exts, Qcow2Ext, i).data);
    }
    g_array_free(q->exts, TRUE);
    g_array_free(q->snapshots, TRUE);
    g_array_free(q->frees, TRUE);
    g_free(q->l1.entries);
    g_free(q->reftable);
    g_free(q->plain);
    g_mutex_clear(&q->lock);
    g_free(q);
}

static int qcow2_map(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned how, BlockMap *out)
{
    Qcow2 *q = n->impl;
    int err;

    if (!(how & BLOCK_MAP_NOWAIT)) {
        g_mutex_lock(&q->lock);
    } else if (!g_mutex_trylock(&q->lock)) {
        return EAGAIN;
    }
    /* The first write of all must be seen by begin_change(). */
    err = (how & BLOCK_MAP_WRITE) && !q->bitmaps_touched
              ? EAGAIN
              : qcow2_map_in(q, &q->l1, offset, bytes, how, out);
    g_mutex_unlock(&q->lock);
    return err;
}

/* Only compressed clusters come here. */
static int qcow2_read(BlockNode *n, uint64_t offset, BlockVec v)
{
    Qcow2 *q = n->impl;
    int err = 0;

    g_mutex_lock(&q->lock);
    while (v.bytes && !err) {
        uint64_t in = offset & (q->cluster_bytes - 1), bytes = MIN(v.bytes, q->cluster_bytes - in);
        const uint8_t *plain;
        MetaBlock *slice;
        uint64_t desc = 0;
        unsigned i;
        err = qcow2_l2_find(q, &q->l1, offset, false, &slice, &i);
        if (!err && slice) {
            desc = qcow2_entry_load(q, slice->data, i).desc;
        }
        if (!err && !(desc & QCOW2_COMPRESSED)) {
            err = EAGAIN; /* written since it was mapped: the caller maps again */
        }
        err = err ? err : qcow2_unpack(q, desc, &plain);
        if (!err) {
            block_vec_from_buf(block_vec_slice(v, 0, bytes), plain + in);
        }
        v = block_vec_slice(v, bytes, v.bytes - bytes);
        offset += bytes;
    }
    g_mutex_unlock(&q->lock);
    return err;
}

/* The lock for a change; the caller unlocks also on failure. */
static int begin_change(Qcow2 *q)
{
    g_mutex_lock(&q->lock);
    return q->broken ? EIO : qcow2_bitmaps_touch(q);
}

static int qcow2_write(BlockNode *n, uint64_t offset, BlockVec v)
{
    Qcow2 *q = n->impl;
    int err = begin_change(q);

    err = err ? err : qcow2_write_locked(q, offset, v);
    g_mutex_unlock(&q->lock);
    return err;
}

static int qcow2_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, bool may_unmap)
{
    Qcow2 *q = n->impl;
    int err = begin_change(q);

    err = err ? err : qcow2_zero_locked(q, offset, bytes, may_unmap);
    g_mutex_unlock(&q->lock);
    return err;
}

static int qcow2_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    Qcow2 *q = n->impl;
    int err = begin_change(q);

    err = err ? err : qcow2_discard_locked(q, offset, bytes, false);
    g_mutex_unlock(&q->lock);
    return err;
}

static int qcow2_write_compressed(BlockNode *n, uint64_t offset, const void *buf, size_t bytes)
{
    Qcow2 *q = n->impl;
    uint8_t *packed = g_malloc(q->cluster_bytes);
    struct iovec iov = {(void *)buf, bytes};
    size_t packed_bytes;
    int err = qcow2_pack(q, offset, buf, bytes, packed, &packed_bytes);

    if (!err) {
        err = begin_change(q);
        err = err ? err : qcow2_trim(q);
        if (!err && packed_bytes) {
            err = qcow2_write_packed(q, offset, packed, packed_bytes);
        } else if (!err) {
            err = qcow2_write_locked(q, offset, block_vec(&iov));
        }
        g_mutex_unlock(&q->lock);
    }
    g_free(packed);
    return err;
}

static bool tables_dirty(const Qcow2 *q)
{
    return q->l2->dirty || q->refs->dirty || q->l1_dirty || q->reftable_dirty || q->frees->len;
}

/* With clean tables only the file's own flush remains, and that without the lock. */
static int qcow2_flush(BlockNode *n)
{
    Qcow2 *q = n->impl;
    bool dirty;
    int err = 0;

    g_mutex_lock(&q->lock);
    dirty = !n->read_only && tables_dirty(q);
    if (dirty) {
        err = qcow2_commit(q);
    }
    g_mutex_unlock(&q->lock);
    return dirty || err ? err : block_node_flush(n->file);
}

static int grow(Qcow2 *q, uint64_t old, uint64_t bytes, BlockPreallocation how)
{
    uint64_t span = qcow2_l2_span(q);
    int err = qcow2_grow_l1(q, (bytes + span - 1) / span);

    /* What the last cluster held behind the old end must not show. */
    if (!err && (old & (q->cluster_bytes - 1))) {
        uint64_t end = MIN(align_up(old, q->cluster_bytes), bytes);
        q->node->size_bytes = bytes;
        err = qcow2_zero_locked(q, old, end - old, false);
    }
    if (!err && how != BLOCK_PREALLOC_OFF) {
        q->node->size_bytes = bytes;
        err = qcow2_preallocate(q, old, bytes - old);
    }
    return err;
}

static bool qcow2_truncate(BlockNode *n, uint64_t bytes, BlockPreallocation how, Error *err)
{
    Qcow2 *q = n->impl;
    uint64_t old = n->size_bytes, data_end;
    int e = 0;

    if (bytes & 511) {
        return error_set(err, "%s: a size must be a multiple of 512 bytes", n->name);
    }
    if (q->version < 3 && q->snapshots->len) {
        return error_set(err, "%s: a version 2 image with snapshots cannot change its size",
                         n->name);
    }
    e = begin_change(q);
    if (!e && bytes < old) {
        e = qcow2_discard_locked(q, align_up(bytes, q->cluster_bytes),
                                 old - MIN(old, align_up(bytes, q->cluster_bytes)), true);
    } else if (!e && bytes > old) {
        e = grow(q, old, bytes, how);
    }
    e = e ? e : qcow2_commit(q);
    if (!e) {
        n->size_bytes = bytes;
        e = qcow2_write_fixed_header(q);
        e = e ? e : block_node_flush(q->file);
    } else {
        n->size_bytes = old;
    }
    data_end = q->fresh_from;
    e = e ? e : qcow2_commit(q);
    g_mutex_unlock(&q->lock);
    if (!e && how != BLOCK_PREALLOC_OFF && bytes > old && data_end > q->file->size_bytes &&
        !block_node_truncate(q->file, data_end,
                             how == BLOCK_PREALLOC_METADATA ? BLOCK_PREALLOC_OFF : how, err)) {
        return error_prepend(err, "preallocation");
    }
    errno = e;
    return e ? error_set_errno(err, "%s: cannot change the size", n->name) : true;
}

static const BlockDriver qcow2_driver = {
    .name = "qcow2",
    .gated = true,
    .close = qcow2_close,
    .map = qcow2_map,
    .read = qcow2_read,
    .write = qcow2_write,
    .write_zeroes = qcow2_write_zeroes,
    .discard = qcow2_discard,
    .flush = qcow2_flush,
    .truncate = qcow2_truncate,
    .write_compressed = qcow2_write_compressed,
};

bool qcow2_is(const BlockNode *n)
{
    return n->driver == &qcow2_driver;
}

/* ---- opening */

static void set_geometry(Qcow2 *q)
{
    q->l2_entry_bytes = q->extended ? 16 : 8;
    q->l2_bits = q->cluster_bits - (q->extended ? 4 : 3);
    q->subclusters = q->extended ? 32 : 1;
    q->slice_bytes = MIN(q->cluster_bytes, QCOW2_SLICE_BYTES);
    q->node->cluster_bytes = q->cluster_bytes;
}

static bool load_tables(Qcow2 *q, uint64_t cache_bytes, Error *err)
{
    uint64_t span = qcow2_l2_span(q), size = q->node->size_bytes, bytes;
    uint32_t count = q->l1.count;
    Qcow2L1 l1;
    int e;

    if (count < size / span + !!(size % span)) {
        return error_set(err, "%s: an L1 table of %u entries is too small for the disk's size",
                         q->node->name, count);
    }
    e = qcow2_load_l1(q, q->l1.offset, count, &l1);
    q->l1 = l1;
    bytes = (uint64_t)q->reftable_clusters << q->cluster_bits;
    q->reftable_count = (uint32_t)(bytes / 8);
    q->reftable = g_new0(uint64_t, q->reftable_count);
    e = e ? e : block_node_pread(q->file, q->reftable_offset, q->reftable, bytes);
    for (uint32_t i = 0; i < q->reftable_count; i++) {
        q->reftable[i] = load_be64(&q->reftable[i]);
    }
    q->l2 = meta_cache_new(q->file, q->slice_bytes, cache_bytes / 4 * 3);
    q->refs = meta_cache_new(q->file, q->slice_bytes, cache_bytes / 4);
    q->fresh_from = align_up(q->file->size_bytes, q->cluster_bytes);
    q->sparse = q->file->host_fd >= 0 &&
                block_node_host_bytes(q->file) < q->file->size_bytes - q->file->size_bytes / 10;
    errno = e;
    return e ? error_set_errno(err, "%s: cannot read its tables", q->node->name) : true;
}

/* What a writer must put right before it writes. */
static bool prepare_writing(Qcow2 *q, Error *err)
{
    uint64_t known = QCOW2_AUTOCLEAR_BITMAPS;
    BlockCheck check = {0};
    int e = 0;

    if (q->incompatible & QCOW2_INCOMPATIBLE_DIRTY) {
        if (!qcow2_check_locked(q, BLOCK_REPAIR_LEAKS | BLOCK_REPAIR_ERRORS, &check, err)) {
            return error_prepend(err,
                                 "%s: was not closed, and repairing its reference counts "
                                 "failed",
                                 q->node->name);
        }
    }
    if (q->autoclear & ~known) {
        q->autoclear &= known;
        e = qcow2_write_fixed_header(q);
        e = e ? e : block_node_flush(q->file);
    }
    errno = e;
    return e ? error_set_errno(err, "%s: cannot write its header", q->node->name) : true;
}

bool qcow2_open(BlockNode *n, const BlockNodeOptions *o, Error *err)
{
    Qcow2 *q = g_new0(Qcow2, 1);

    q->node = n;
    q->file = n->file;
    g_mutex_init(&q->lock);
    q->exts = g_array_new(FALSE, FALSE, sizeof(Qcow2Ext));
    q->snapshots = g_array_new(FALSE, TRUE, sizeof(Qcow2Snapshot));
    q->frees = g_array_new(FALSE, FALSE, sizeof(Qcow2Free));
    n->driver = &qcow2_driver;
    n->impl = q;
    if (!qcow2_read_header(q, o, err)) {
        return false;
    }
    set_geometry(q);
    if (!load_tables(q, o->cache_bytes ? o->cache_bytes : DEFAULT_CACHE_BYTES, err)) {
        return false;
    }
    return !o->write || o->for_check || prepare_writing(q, err);
}

/* ---- what else one can ask */

void qcow2_info(BlockNode *n, Qcow2Info *out)
{
    Qcow2 *q = n->impl;

    *out = (Qcow2Info){
        .version = q->version,
        .cluster_bytes = q->cluster_bytes,
        .refcount_bits = 1u << q->refcount_order,
        .host_bytes = block_node_host_bytes(n),
        .dirty = (q->incompatible & QCOW2_INCOMPATIBLE_DIRTY) != 0,
        .corrupt = (q->incompatible & QCOW2_INCOMPATIBLE_CORRUPT) != 0,
        .lazy_refcounts = (q->compatible & QCOW2_COMPATIBLE_LAZY) != 0,
        .extended_l2 = q->extended,
        .compression = q->compression ? "zstd" : "zlib",
    };
}

static bool write_whole_header(Qcow2 *q, Error *err)
{
    int e = qcow2_commit(q);

    e = e ? e : qcow2_write_header(q);
    e = e ? e : block_node_flush(q->file);
    errno = e;
    return e ? error_set_errno(err, "%s: cannot write its header", q->node->name) : true;
}

bool qcow2_set_backing(BlockNode *n, const char *backing, const char *format, Error *err)
{
    Qcow2 *q = n->impl;
    bool ok;

    if (backing && strlen(backing) > 1023) {
        return error_set(err, "%s: a backing file name of more than 1023 bytes", n->name);
    }
    g_mutex_lock(&q->lock);
    g_free(n->backing_name);
    g_free(n->backing_format);
    g_free(n->backing_path);
    n->backing_name = g_strdup(backing);
    n->backing_format = g_strdup(backing ? format : NULL);
    n->backing_path = backing ? block_backing_path(n->name, backing) : NULL;
    qcow2_set_ext(q, QCOW2_EXT_BACKING_FORMAT, n->backing_format,
                  n->backing_format ? (uint32_t)strlen(n->backing_format) : 0);
    ok = write_whole_header(q, err);
    g_mutex_unlock(&q->lock);
    return ok;
}

bool qcow2_amend(BlockNode *n, int lazy_refcounts, uint32_t version, Error *err)
{
    Qcow2 *q = n->impl;
    bool ok;

    if (version == 2 && q->version == 3) {
        return error_set(err, "%s: going back to version 2 (compat=0.10) is not supported",
                         n->name);
    }
    g_mutex_lock(&q->lock);
    if (version == 3) {
        q->version = 3;
    }
    if (lazy_refcounts >= 0) {
        q->compatible = (q->compatible & ~(uint64_t)QCOW2_COMPATIBLE_LAZY) |
                        (lazy_refcounts ? QCOW2_COMPATIBLE_LAZY : 0);
    }
    ok = lazy_refcounts == 1 && q->version < 3
             ? error_set(err, "%s: lazy_refcounts needs version 3 (compat=1.1)", n->name)
             : write_whole_header(q, err);
    g_mutex_unlock(&q->lock);
    return ok;
}

int qcow2_make_empty(BlockNode *n)
{
    Qcow2 *q = n->impl;
    int err;

    block_node_enter_exclusive(n);
    err = begin_change(q);
    err = err ? err : qcow2_discard_locked(q, 0, align_up(n->size_bytes, q->cluster_bytes), true);
    err = err ? err : qcow2_commit(q);
    err = err ? err : qcow2_commit(q);
    g_mutex_unlock(&q->lock);
    block_node_leave_exclusive(n);
    return err;
}
