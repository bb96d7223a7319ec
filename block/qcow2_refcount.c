/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2: reference counts, taking and giving back clusters, and the commit that orders what is
 * written (qcow2_impl.h tells why).
 *
 * Every count lives in a refcount block found by the refcount table. A block that does not exist
 * yet is put at the first cluster of the range it covers, and counts itself; all counts of the
 * range were 0, so that cluster is free. A table that became too short moves to a new range at the
 * end, together with the block that covers it.
 */
#include "qcow2_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/bits.h"

static uint64_t counts_per_block(const Qcow2 *q)
{
    return (uint64_t)q->cluster_bytes * 8 >> q->refcount_order;
}

uint64_t qcow2_ref_max(const Qcow2 *q)
{
    return q->refcount_order == 6 ? UINT64_MAX : (1ull << (1u << q->refcount_order)) - 1;
}

int qcow2_damaged(Qcow2 *q, const char *what, uint64_t offset)
{
    if (!q->broken) {
        q->broken = true;
        fprintf(stderr,
                "gemel: %s: %s at 0x%" G_GINT64_MODIFIER "x: the image is damaged; no more writes "
                "(gemel-img check -r all repairs it)\n",
                q->node->name, what, offset);
        if (!q->node->read_only && q->version >= 3) {
            qcow2_set_incompatible(q, QCOW2_INCOMPATIBLE_CORRUPT, 0);
        }
    }
    return EIO;
}

/* ---- counts in a block, most significant byte first */

uint64_t qcow2_ref_load(const Qcow2 *q, const uint8_t *block, uint64_t i)
{
    unsigned bits = 1u << q->refcount_order;

    switch (q->refcount_order) {
    case 3: return block[i];
    case 4: return load_be16(block + 2 * i);
    case 5: return load_be32(block + 4 * i);
    case 6: return load_be64(block + 8 * i);
    default: return block[i * bits / 8] >> (i * bits % 8) & ((1u << bits) - 1);
    }
}

void qcow2_ref_store(const Qcow2 *q, uint8_t *block, uint64_t i, uint64_t count)
{
    unsigned bits = 1u << q->refcount_order, shift;
    uint8_t *p;

    switch (q->refcount_order) {
    case 3: block[i] = (uint8_t)count; break;
    case 4: store_be16(block + 2 * i, (uint16_t)count); break;
    case 5: store_be32(block + 4 * i, (uint32_t)count); break;
    case 6: store_be64(block + 8 * i, count); break;
    default:
        p = block + i * bits / 8;
        shift = i * bits % 8;
        *p = (uint8_t)((*p & ~(((1u << bits) - 1) << shift)) | count << shift);
    }
}

/* The slice with the count of a cluster; *slice NULL when there is no block. *index in it. */
static int ref_slice(Qcow2 *q, uint64_t cluster, MetaBlock **slice, uint64_t *index)
{
    uint64_t per_block = counts_per_block(q), region = cluster / per_block;
    uint64_t per_slice = (uint64_t)q->slice_bytes * 8 >> q->refcount_order;
    uint64_t in_block = cluster % per_block, block;

    *slice = NULL;
    *index = in_block % per_slice;
    block = region < q->reftable_count ? q->reftable[region] & ~0x1ffull : 0;
    if (!block) {
        return 0;
    }
    if (block & (q->cluster_bytes - 1)) {
        return qcow2_damaged(q, "a refcount block that is not aligned", block);
    }
    return meta_cache_get(q->refs, block + in_block / per_slice * q->slice_bytes, false, slice);
}

int qcow2_ref_get(Qcow2 *q, uint64_t cluster, uint64_t *count)
{
    MetaBlock *slice;
    uint64_t i;
    int err = ref_slice(q, cluster, &slice, &i);

    *count = !err && slice ? qcow2_ref_load(q, slice->data, i) : 0;
    return err;
}

/* ---- blocks and table */

/* An empty block, in memory; its own cluster is counted by the caller. The table goes out with the
 * next commit, or by move_reftable(). */
static void make_ref_block(Qcow2 *q, uint64_t region, uint64_t offset)
{
    for (uint64_t at = 0; at < q->cluster_bytes; at += q->slice_bytes) {
        meta_cache_fresh(q->refs, offset + at);
    }
    q->reftable[region] = offset;
    q->reftable_dirty = true;
    q->fresh_from = MAX(q->fresh_from, offset + q->cluster_bytes);
}

/* Regions from `region` on that are needed to count `clusters` and the blocks of these regions. */
static uint64_t regions_for(const Qcow2 *q, uint64_t clusters)
{
    uint64_t per_block = counts_per_block(q), regions = 1;

    while (regions * per_block < regions + clusters) {
        regions++;
    }
    return regions;
}

/* Contiguous clusters in ranges without blocks: the blocks of all these ranges, then the clusters.
 * The table is long enough. */
static int claim_regions(Qcow2 *q, uint64_t region, uint64_t clusters, uint64_t *offset)
{
    uint64_t regions = regions_for(q, clusters);
    uint64_t start = region * counts_per_block(q) << q->cluster_bits;

    for (uint64_t i = 0; i < regions; i++) {
        make_ref_block(q, region + i, start + (i << q->cluster_bits));
    }
    *offset = start + (regions << q->cluster_bits);
    q->fresh_from = MAX(q->fresh_from, *offset + (clusters << q->cluster_bits));
    return qcow2_ref_add(q, start, (regions + clusters) << q->cluster_bits, 1);
}

static int write_reftable(Qcow2 *q, uint64_t offset)
{
    uint64_t bytes = (uint64_t)q->reftable_count * 8;
    uint8_t *raw = block_buffer_alloc(bytes);
    int err;

    for (uint32_t i = 0; i < q->reftable_count; i++) {
        store_be64(raw + 8 * (uint64_t)i, q->reftable[i]);
    }
    err = block_node_pwrite(q->file, offset, raw, bytes);
    free(raw);
    return err;
}

/* A longer table, so that `regions` have entries, and itself besides. */
static int move_reftable(Qcow2 *q, uint64_t regions)
{
    uint64_t per_cluster = q->cluster_bytes / 8, old_count = q->reftable_count;
    uint64_t old_offset = q->reftable_offset, old_clusters = q->reftable_clusters;
    uint64_t count = align_up(regions + regions / 2 + 1, per_cluster), clusters, offset;
    int err;

    while (count < regions + regions_for(q, count / per_cluster)) {
        count += per_cluster;
    }
    if (count * 8 > QCOW2_MAX_REFTABLE_BYTES) {
        return EFBIG;
    }
    clusters = count / per_cluster;
    q->reftable = g_renew(uint64_t, q->reftable, count);
    memset(q->reftable + old_count, 0, (count - old_count) * 8);
    q->reftable_count = (uint32_t)count;
    err = claim_regions(q, old_count, clusters, &offset);
    err = err ? err : meta_cache_write(q->refs);
    err = err ? err : write_reftable(q, offset);
    err = err ? err : block_node_flush(q->file);
    if (err) {
        q->broken = true; /* memory and file differ from here on */
        return err;
    }
    q->reftable_offset = offset;
    q->reftable_clusters = (uint32_t)clusters;
    err = qcow2_write_fixed_header(q);
    err = err ? err : block_node_flush(q->file);
    if (!err) {
        q->reftable_dirty = false;
        qcow2_free_later(q, old_offset, old_clusters << q->cluster_bits);
    }
    return err;
}

/* The cluster is metadata whatever its count says: a damaged image must not lose its tables. */
static bool holds_tables(const Qcow2 *q, uint64_t cluster)
{
    uint64_t at = cluster << q->cluster_bits;
    uint64_t l1_end = q->l1.offset + (uint64_t)q->l1.count * 8;
    uint64_t reftable_end = q->reftable_offset + (uint64_t)q->reftable_count * 8;

    return at == 0 || (at + q->cluster_bytes > q->l1.offset && at < l1_end) ||
           (at + q->cluster_bytes > q->reftable_offset && at < reftable_end) ||
           (q->snapshots_bytes && at + q->cluster_bytes > q->snapshots_offset &&
            at < q->snapshots_offset + q->snapshots_bytes);
}

/* A block for a range without one stands at the first cluster of the range, which is free, as the
 * whole range is. */
static int need_ref_block(Qcow2 *q, uint64_t region)
{
    uint64_t offset = region * counts_per_block(q) << q->cluster_bits;

    if (region >= q->reftable_count) {
        int err = move_reftable(q, region + 1);
        if (err) {
            return err;
        }
    }
    if (q->reftable[region] & ~0x1ffull) {
        return 0;
    }
    if (holds_tables(q, offset >> q->cluster_bits)) {
        return qcow2_damaged(q, "a table that counts as free", offset);
    }
    make_ref_block(q, region, offset);
    return qcow2_ref_add(q, offset, 1, 1);
}

int qcow2_ref_set(Qcow2 *q, uint64_t cluster, uint64_t count)
{
    MetaBlock *slice;
    uint64_t i;
    int err = need_ref_block(q, cluster / counts_per_block(q));

    err = err ? err : ref_slice(q, cluster, &slice, &i);
    if (err) {
        return err;
    }
    qcow2_ref_store(q, slice->data, i, count);
    meta_cache_dirty(q->refs, slice);
    if (!count && cluster < q->free_hint) {
        q->free_hint = cluster;
    }
    if (!count && cluster == q->packed_at >> q->cluster_bits) {
        q->packed_at = 0;
    }
    return 0;
}

int qcow2_ref_add(Qcow2 *q, uint64_t offset, uint64_t bytes, int add)
{
    uint64_t first = offset >> q->cluster_bits, last = (offset + bytes - 1) >> q->cluster_bits;

    for (uint64_t c = first; c <= last; c++) {
        uint64_t count;
        int err = qcow2_ref_get(q, c, &count);
        if (err) {
            return err;
        }
        if (add < 0 && count == 0) {
            return qcow2_damaged(q, "a cluster in use that counts as free", c << q->cluster_bits);
        }
        if (add > 0 && count == qcow2_ref_max(q)) {
            return EOVERFLOW;
        }
        err = qcow2_ref_set(q, c, add < 0 ? count - 1 : count + 1);
        if (err) {
            return err;
        }
    }
    return 0;
}

/* ---- taking clusters */

static int is_free(Qcow2 *q, uint64_t cluster, bool *free)
{
    uint64_t count;
    int err = need_ref_block(q, cluster / counts_per_block(q));

    err = err ? err : qcow2_ref_get(q, cluster, &count);
    *free = !err && count == 0;
    if (*free && holds_tables(q, cluster)) {
        return qcow2_damaged(q, "a table that counts as free", cluster << q->cluster_bits);
    }
    return err;
}

int qcow2_alloc(Qcow2 *q, uint64_t *count, uint64_t *offset, bool *fresh)
{
    uint64_t c = q->free_hint, n = 0, want = *count;
    bool free = false;
    int err;

    if (q->broken) {
        return EIO;
    }
    while (!(err = is_free(q, c, &free)) && !free) {
        c++;
    }
    while (!err && free && ++n < want) {
        err = is_free(q, c + n, &free);
    }
    if (err) {
        return err;
    }
    if (c + n > UINT64_C(0x00fffffffffffe00) >> q->cluster_bits) {
        return EFBIG;
    }
    err = qcow2_ref_add(q, c << q->cluster_bits, n << q->cluster_bits, 1);
    if (err) {
        return err;
    }
    q->free_hint = c + n;
    *count = n;
    *offset = c << q->cluster_bits;
    if (fresh) {
        *fresh = *offset >= q->fresh_from;
    }
    q->fresh_from = MAX(q->fresh_from, (c + n) << q->cluster_bits);
    return 0;
}

/* All ranges from this one on have no block. */
static uint64_t unused_region(const Qcow2 *q)
{
    uint64_t region = q->reftable_count;

    while (region && !(q->reftable[region - 1] & ~0x1ffull)) {
        region--;
    }
    return region;
}

int qcow2_alloc_exact(Qcow2 *q, uint64_t bytes, uint64_t *offset)
{
    uint64_t want = MAX(qcow2_clusters(q, bytes), 1), c = q->free_hint, n = 0;
    uint64_t regions = regions_for(q, want);
    int err = q->broken ? EIO : 0;

    /* What is long does not fit between the blocks of ranges: to the end, behind their blocks. */
    if (!err && want > counts_per_block(q) / 2) {
        if (unused_region(q) + regions > q->reftable_count) {
            err = move_reftable(q, q->reftable_count + regions);
        }
        return err ? err : claim_regions(q, unused_region(q), want, offset);
    }
    while (!err && n < want) {
        bool free;
        err = is_free(q, c + n, &free);
        if (free) {
            n++;
        } else {
            c += n + 1;
            n = 0;
        }
    }
    err = err ? err : qcow2_ref_add(q, c << q->cluster_bits, want << q->cluster_bits, 1);
    *offset = c << q->cluster_bits;
    q->fresh_from = MAX(q->fresh_from, (c + want) << q->cluster_bits);
    return err;
}

int qcow2_alloc_packed(Qcow2 *q, uint32_t bytes, uint64_t *offset)
{
    uint64_t used = q->packed_at & (q->cluster_bytes - 1), count;
    int err;

    /* Behind the one before in the same cluster, if the count can take it. */
    if (used && used + bytes <= q->cluster_bytes) {
        err = qcow2_ref_get(q, q->packed_at >> q->cluster_bits, &count);
        if (err) {
            return err;
        }
        if (count && count < qcow2_ref_max(q)) {
            *offset = q->packed_at;
            q->packed_at += bytes;
            return qcow2_ref_add(q, *offset, bytes, 1);
        }
    }
    count = 1;
    err = qcow2_alloc(q, &count, offset, NULL);
    q->packed_at = err ? 0 : *offset + bytes;
    return err;
}

void qcow2_free_later(Qcow2 *q, uint64_t offset, uint64_t bytes)
{
    Qcow2Free *last = q->frees->len ? &g_array_index(q->frees, Qcow2Free, q->frees->len - 1) : NULL;
    Qcow2Free f = {offset, bytes};
    uint64_t mask = q->cluster_bytes - 1;

    if (last && last->offset + last->bytes == offset && !((offset | bytes | last->bytes) & mask)) {
        last->bytes += bytes;
        return;
    }
    g_array_append_val(q->frees, f);
}

/* ---- the commit */

static int apply_frees(Qcow2 *q)
{
    int err = 0;

    for (unsigned i = 0; i < q->frees->len && !err; i++) {
        Qcow2Free f = g_array_index(q->frees, Qcow2Free, i);
        uint64_t last = (f.offset + f.bytes - 1) >> q->cluster_bits;
        err = qcow2_ref_add(q, f.offset, f.bytes, -1);
        for (uint64_t c = f.offset >> q->cluster_bits; c <= last && !err; c++) {
            uint64_t count;
            err = qcow2_ref_get(q, c, &count);
            if (!err && !count) {
                meta_cache_drop(q->l2, c << q->cluster_bits, q->cluster_bytes);
                meta_cache_drop(q->refs, c << q->cluster_bits, q->cluster_bytes);
                /* Only the host's space: failing does no harm. */
                block_node_discard(q->file, c << q->cluster_bits, q->cluster_bytes);
            }
        }
    }
    g_array_set_size(q->frees, 0);
    return err;
}

static int write_l1(Qcow2 *q)
{
    uint64_t bytes = (uint64_t)q->l1.count * 8;
    uint8_t *raw = block_buffer_alloc(bytes);
    int err;

    for (uint32_t i = 0; i < q->l1.count; i++) {
        store_be64(raw + 8 * (uint64_t)i, q->l1.entries[i]);
    }
    err = block_node_pwrite(q->file, q->l1.offset, raw, bytes);
    free(raw);
    return err;
}

int qcow2_commit(Qcow2 *q)
{
    bool tables = q->l2->dirty || q->l1_dirty;
    int err = meta_cache_write(q->refs);

    if (!err && q->reftable_dirty) {
        err = block_node_flush(q->file);
        err = err ? err : write_reftable(q, q->reftable_offset);
        q->reftable_dirty = err != 0;
    }
    /* Data and counts before the tables that refer to them. */
    err = err ? err : block_node_flush(q->file);
    if (!err && q->l2->dirty) {
        err = meta_cache_write(q->l2);
        if (!err && q->l1_dirty) {
            err = block_node_flush(q->file);
        }
    }
    if (!err && q->l1_dirty) {
        err = write_l1(q);
        q->l1_dirty = err != 0;
    }
    if (!err && tables) {
        err = block_node_flush(q->file);
    }
    return err ? err : apply_frees(q);
}

int qcow2_trim(Qcow2 *q)
{
    if (meta_cache_is_full(q->l2) || meta_cache_is_full(q->refs) || q->frees->len > 4096) {
        return qcow2_commit(q);
    }
    return 0;
}

/* ---- repair */

int qcow2_ref_restart(Qcow2 *q, uint64_t end, uint64_t max_bytes)
{
    uint64_t per_block = counts_per_block(q), per_cluster = q->cluster_bytes / 8;
    uint64_t regions = 1, table = 1;

    while (regions * per_block < end + regions + table) {
        regions++;
        table = (regions + per_cluster - 1) / per_cluster;
        if (regions * q->cluster_bytes > max_bytes) {
            return EFBIG;
        }
    }
    meta_cache_drop(q->refs, 0, UINT64_MAX);
    g_array_set_size(q->frees, 0);
    g_free(q->reftable);
    q->reftable_count = (uint32_t)(table * per_cluster);
    q->reftable = g_new0(uint64_t, q->reftable_count);
    for (uint64_t i = 0; i < regions; i++) {
        make_ref_block(q, i, (end + i) << q->cluster_bits);
    }
    q->reftable_offset = (end + regions) << q->cluster_bits;
    q->reftable_clusters = (uint32_t)table;
    q->free_hint = 0;
    q->fresh_from = MAX(q->fresh_from, (end + regions + table) << q->cluster_bits);
    return qcow2_ref_add(q, end << q->cluster_bits, (regions + table) << q->cluster_bits, 1);
}

int qcow2_ref_restarted(Qcow2 *q)
{
    int err = meta_cache_write(q->refs);

    err = err ? err : write_reftable(q, q->reftable_offset);
    err = err ? err : block_node_flush(q->file);
    err = err ? err : qcow2_write_fixed_header(q);
    q->reftable_dirty = false;
    return err ? err : block_node_flush(q->file);
}
