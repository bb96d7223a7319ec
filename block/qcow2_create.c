/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2: new images. In the first clusters: header, refcount table, its blocks, L1 table. With
 * preallocation the image is then opened and filled by the same code that a guest's writes take.
 */
#include "qcow2_impl.h"

#include <errno.h>
#include <string.h>

#include "util/bits.h"

static bool check_options(const Qcow2Create *c, Error *err)
{
    if (!is_pow2(c->cluster_bytes) || c->cluster_bytes < 512 || c->cluster_bytes > 2 << 20) {
        return error_set(err, "cluster_size=%u: must be a power of two between 512 and 2M",
                         c->cluster_bytes);
    }
    if (!is_pow2(c->refcount_bits) || c->refcount_bits > 64) {
        return error_set(err, "refcount_bits=%u: must be a power of two between 1 and 64",
                         c->refcount_bits);
    }
    if (c->version != 2 && c->version != 3) {
        return error_set(err, "compat: must be 0.10 or 1.1");
    }
    if (c->version == 2 &&
        (c->refcount_bits != 16 || c->lazy_refcounts || c->extended_l2 || c->zstd)) {
        return error_set(err, "%s needs compat=1.1 or later",
                         c->refcount_bits != 16 ? "refcount_bits other than 16"
                         : c->lazy_refcounts    ? "lazy_refcounts"
                         : c->extended_l2       ? "extended_l2"
                                                : "compression_type=zstd");
    }
    if (c->extended_l2 && c->cluster_bytes < 16384) {
        return error_set(err, "extended_l2 needs a cluster_size of 16k or more");
    }
    if (c->zstd && !qcow2_compression_known(1)) {
        return error_set(err, "compression_type=zstd: this build has no zstd (libzstd-dev)");
    }
    if (c->backing && c->preallocation != BLOCK_PREALLOC_OFF && !c->extended_l2) {
        return error_set(err, "preallocation hides the backing file; use it without, or with "
                              "extended_l2=on");
    }
    return true;
}

/* Sizes in clusters of what an empty image starts with */
typedef struct Layout {
    uint64_t reftable, blocks, l1, l1_count;
} Layout;

static Layout plan(const Qcow2Create *c)
{
    uint64_t cluster = c->cluster_bytes, entry = c->extended_l2 ? 16 : 8;
    uint64_t span = cluster / entry * cluster, per_block = cluster * 8 / c->refcount_bits;
    Layout l = {.reftable = 1, .blocks = 1};

    l.l1_count = c->size_bytes / span + !!(c->size_bytes % span);
    l.l1 = MAX((l.l1_count * 8 + cluster - 1) / cluster, 1);
    while (l.blocks * per_block < 1 + l.reftable + l.blocks + l.l1) {
        l.blocks++;
        l.reftable = (l.blocks * 8 + cluster - 1) / cluster;
    }
    return l;
}

/* The fields that the header needs of an image that is not open yet */
static void fill_header(Qcow2 *q, const Qcow2Create *c, const Layout *l)
{
    q->version = c->version;
    q->cluster_bytes = c->cluster_bytes;
    q->cluster_bits = ctz32(c->cluster_bytes);
    q->refcount_order = ctz32(c->refcount_bits);
    q->header_bytes = c->version >= 3 ? QCOW2_FULL_HEADER : QCOW2_V2_HEADER;
    q->compression = c->zstd;
    q->incompatible = (c->zstd ? QCOW2_INCOMPATIBLE_COMPRESSION : 0) |
                      (c->extended_l2 ? QCOW2_INCOMPATIBLE_EXTENDED_L2 : 0);
    q->compatible = c->lazy_refcounts ? QCOW2_COMPATIBLE_LAZY : 0;
    q->reftable_offset = c->cluster_bytes;
    q->reftable_clusters = (uint32_t)l->reftable;
    q->l1.count = (uint32_t)l->l1_count;
    q->l1.offset = (1 + l->reftable + l->blocks) * c->cluster_bytes;
}

static int write_tables(Qcow2 *q, const Layout *l)
{
    uint64_t total = 1 + l->reftable + l->blocks + l->l1, cluster = q->cluster_bytes;
    uint64_t per_block = cluster * 8 >> q->refcount_order;
    uint8_t *table = g_malloc0(l->reftable * cluster), *block = g_malloc(cluster);
    int err = 0;

    for (uint64_t b = 0; b < l->blocks && !err; b++) {
        uint64_t offset = (1 + l->reftable + b) * cluster;
        store_be64(table + 8 * b, offset);
        memset(block, 0, cluster);
        for (uint64_t i = b * per_block; i < MIN(total, (b + 1) * per_block); i++) {
            qcow2_ref_store(q, block, i - b * per_block, 1);
        }
        err = block_node_pwrite(q->file, offset, block, cluster);
    }
    err = err ? err : block_node_pwrite(q->file, cluster, table, l->reftable * cluster);
    err = err ? err : block_node_write_zeroes(q->file, q->l1.offset, l->l1 * cluster, true);
    g_free(table);
    g_free(block);
    return err;
}

static bool write_image(BlockNode *file, const Qcow2Create *c, Error *err)
{
    Layout l = plan(c);
    BlockNode *n = block_node_new(NULL, file->name, c->size_bytes);
    Qcow2 *q = g_new0(Qcow2, 1);
    int e;

    q->node = n;
    q->file = file;
    q->exts = g_array_new(FALSE, FALSE, sizeof(Qcow2Ext));
    q->snapshots = g_array_new(FALSE, TRUE, sizeof(Qcow2Snapshot));
    n->backing_name = g_strdup(c->backing);
    fill_header(q, c, &l);
    if (c->backing && c->backing_format) {
        qcow2_set_ext(q, QCOW2_EXT_BACKING_FORMAT, c->backing_format,
                      (uint32_t)strlen(c->backing_format));
    }
    e = write_tables(q, &l);
    e = e ? e : block_node_flush(file);
    e = e ? e : qcow2_write_header(q);
    e = e ? e : block_node_flush(file);
    for (unsigned i = 0; i < q->exts->len; i++) {
        g_free(g_array_index(q->exts, Qcow2Ext, i).data);
    }
    g_array_free(q->exts, TRUE);
    g_array_free(q->snapshots, TRUE);
    g_free(q);
    block_node_close(n, NULL);
    errno = e;
    return e ? error_set_errno(err, "%s: cannot write the new image", file->name) : true;
}

static bool preallocate(BlockNode *file, const Qcow2Create *c, Error *err)
{
    BlockNodeOptions o = {.protocol = file, .format = "qcow2", .write = true, .no_backing = true};
    BlockNode *n = block_node_open(&o, err);
    BlockPreallocation how = c->preallocation;
    bool ok = true;
    Qcow2 *q;
    int e;

    if (!n) {
        return false;
    }
    q = n->impl;
    g_mutex_lock(&q->lock);
    e = qcow2_preallocate(q, 0, c->size_bytes);
    e = e ? e : qcow2_commit(q);
    g_mutex_unlock(&q->lock);
    if (!e && q->fresh_from > file->size_bytes) {
        ok = block_node_truncate(file, q->fresh_from,
                                 how == BLOCK_PREALLOC_METADATA ? BLOCK_PREALLOC_OFF : how, err);
    }
    n->file = NULL; /* the caller's */
    n->read_only = true;
    block_node_close(n, NULL);
    errno = e;
    return e ? error_set_errno(err, "%s: preallocation failed", file->name) : ok;
}

bool qcow2_create(BlockNode *file, const Qcow2Create *how, Error *err)
{
    Qcow2Create c = *how;

    c.version = c.version ? c.version : 3;
    c.cluster_bytes = c.cluster_bytes ? c.cluster_bytes : 65536;
    c.refcount_bits = c.refcount_bits ? c.refcount_bits : 16;
    c.size_bytes = align_up(c.size_bytes, 512);
    if (!check_options(&c, err)) {
        return error_prepend(err, "%s", file->name);
    }
    if (c.size_bytes > INT64_MAX || plan(&c).l1_count * 8 > QCOW2_MAX_L1_BYTES) {
        return error_set(err,
                         "%s: %" G_GUINT64_FORMAT " bytes are too many for clusters of %u; "
                         "try a larger cluster_size",
                         file->name, c.size_bytes, c.cluster_bytes);
    }
    return write_image(file, &c, err) &&
           (c.preallocation == BLOCK_PREALLOC_OFF || preallocate(file, &c, err));
}

uint64_t qcow2_measure(const Qcow2Create *how, uint64_t data_bytes, uint64_t *fully)
{
    Qcow2Create c = *how;
    uint64_t cluster, entry, per_block, size, fixed, blocks = 0, reftable = 0, l2, data;

    c.cluster_bytes = c.cluster_bytes ? c.cluster_bytes : 65536;
    c.refcount_bits = c.refcount_bits ? c.refcount_bits : 16;
    cluster = c.cluster_bytes;
    entry = c.extended_l2 ? 16 : 8;
    size = align_up(c.size_bytes, cluster);
    l2 = (size / cluster * entry + cluster - 1) / cluster;
    fixed = 1 + l2 + (l2 * 8 + cluster - 1) / cluster;
    data = size / cluster;
    per_block = cluster * 8 / c.refcount_bits;
    for (uint64_t old = 1; old != blocks + reftable;) {
        old = blocks + reftable;
        blocks = (fixed + data + blocks + reftable + per_block - 1) / per_block;
        reftable = (blocks * 8 + cluster - 1) / cluster;
    }
    *fully = (fixed + data + blocks + reftable) * cluster;
    return *fully - (size - MIN(align_up(data_bytes, cluster), size));
}
