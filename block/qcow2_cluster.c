/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2: from disk offsets to clusters: L1 and L2 tables, subclusters, writing, zeroing, dropping.
 *
 * With extended L2 entries a cluster has 32 subclusters and an entry two words: the old one and a
 * bitmap (low half: has data, high half: reads as zero). Without, a cluster is one subcluster. So
 * all here counts in subclusters, and only qcow2_entry_kind() and the few places that make
 * entries know which.
 */
#include "qcow2_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/bits.h"

/* ---- entries */

Qcow2Entry qcow2_entry_load(const Qcow2 *q, const uint8_t *slice, unsigned i)
{
    const uint8_t *p = slice + (size_t)i * q->l2_entry_bytes;

    return (Qcow2Entry){load_be64(p), q->extended ? load_be64(p + 8) : 0};
}

void qcow2_entry_store(const Qcow2 *q, uint8_t *slice, unsigned i, Qcow2Entry e)
{
    uint8_t *p = slice + (size_t)i * q->l2_entry_bytes;

    store_be64(p, e.desc);
    if (q->extended) {
        store_be64(p + 8, e.bitmap);
    }
}

static uint64_t entry_host(Qcow2Entry e)
{
    return e.desc & QCOW2_OFFSET_MASK;
}

Qcow2Kind qcow2_entry_kind(const Qcow2 *q, Qcow2Entry e, unsigned sub)
{
    bool has = entry_host(e) != 0, data, zero;

    if (e.desc & QCOW2_COMPRESSED) {
        return QCOW2_PACKED;
    }
    if (has && (entry_host(e) & (q->cluster_bytes - 1))) {
        return QCOW2_INVALID;
    }
    if (!q->extended) {
        if (q->version >= 3 && (e.desc & QCOW2_ZERO)) {
            return has ? QCOW2_ZERO_ALLOCATED : QCOW2_ZERO_PLAIN;
        }
        return has ? QCOW2_NORMAL : QCOW2_UNALLOCATED;
    }
    data = e.bitmap >> sub & 1;
    zero = e.bitmap >> (32 + sub) & 1;
    if (data && (zero || !has)) {
        return QCOW2_INVALID;
    }
    if (zero) {
        return has ? QCOW2_ZERO_ALLOCATED : QCOW2_ZERO_PLAIN;
    }
    return data ? QCOW2_NORMAL : QCOW2_UNALLOCATED;
}

void qcow2_packed_place(const Qcow2 *q, uint64_t desc, uint64_t *offset, uint64_t *bytes)
{
    unsigned size_bits = q->cluster_bits - 8, offset_bits = 62 - size_bits;

    *offset = desc & mask64(offset_bits);
    *bytes = (extract64(desc, offset_bits, size_bits) + 1) * 512 - (*offset & 511);
}

/* The space is this entry's alone. */
static bool entry_owns_host(Qcow2Entry e)
{
    return !(e.desc & QCOW2_COMPRESSED) && (e.desc & QCOW2_COPIED) && entry_host(e);
}

/* ---- tables */

static unsigned slice_entries(const Qcow2 *q)
{
    return q->slice_bytes / q->l2_entry_bytes;
}

/* The slice of a table at table_offset that holds a disk offset */
static int l2_slice(Qcow2 *q, uint64_t table_offset, uint64_t offset, bool nowait,
                    MetaBlock **slice, unsigned *index)
{
    uint64_t i = extract64(offset, q->cluster_bits, q->l2_bits);

    *index = i % slice_entries(q);
    return meta_cache_get(q->l2, table_offset + i / slice_entries(q) * q->slice_bytes, nowait,
                          slice);
}

static int l1_entry(Qcow2 *q, const Qcow2L1 *l1, uint64_t offset, uint64_t *entry)
{
    uint64_t i = offset >> (q->l2_bits + q->cluster_bits);

    *entry = i < l1->count ? l1->entries[i] : 0;
    if ((*entry & QCOW2_OFFSET_MASK) & (q->cluster_bytes - 1)) {
        return qcow2_damaged(q, "an L2 table that is not aligned", *entry & QCOW2_OFFSET_MASK);
    }
    return 0;
}

int qcow2_l2_find(Qcow2 *q, const Qcow2L1 *l1, uint64_t offset, bool nowait, MetaBlock **slice,
                  unsigned *index)
{
    uint64_t entry;
    int err = l1_entry(q, l1, offset, &entry);

    *slice = NULL;
    *index = 0;
    if (err || !(entry & QCOW2_OFFSET_MASK)) {
        return err;
    }
    return l2_slice(q, entry & QCOW2_OFFSET_MASK, offset, nowait, slice, index);
}

/* A table of the active tree that nobody else refers to, at table_offset. */
static int make_l2(Qcow2 *q, uint64_t l1_index, uint64_t old, uint64_t *table_offset)
{
    int err = qcow2_alloc_exact(q, q->cluster_bytes, table_offset);

    for (uint64_t at = 0; at < q->cluster_bytes && !err; at += q->slice_bytes) {
        MetaBlock *from = NULL, *to;
        if (old) {
            err = meta_cache_get(q->l2, old + at, false, &from);
        }
        if (!err) {
            to = meta_cache_fresh(q->l2, *table_offset + at);
            if (from) {
                memcpy(to->data, from->data, q->slice_bytes);
            }
        }
    }
    if (err) {
        return err;
    }
    q->l1.entries[l1_index] = *table_offset | QCOW2_COPIED;
    q->l1_dirty = true;
    if (old) {
        qcow2_free_later(q, old, q->cluster_bytes);
    }
    return 0;
}

int qcow2_l2_for_write(Qcow2 *q, uint64_t offset, MetaBlock **slice, unsigned *index)
{
    uint64_t i = offset >> (q->l2_bits + q->cluster_bits), entry, table;
    int err = 0;

    if (i >= q->l1.count) {
        err = qcow2_grow_l1(q, i + 1);
    }
    err = err ? err : l1_entry(q, &q->l1, offset, &entry);
    if (err) {
        return err;
    }
    table = entry & QCOW2_OFFSET_MASK;
    if (!table || !(entry & QCOW2_COPIED)) {
        err = make_l2(q, i, table, &table);
    }
    return err ? err : l2_slice(q, table, offset, false, slice, index);
}

int qcow2_grow_l1(Qcow2 *q, uint64_t count)
{
    uint64_t old_offset = q->l1.offset, old_bytes = (uint64_t)q->l1.count * 8, offset;
    int err;

    if (count <= q->l1.count) {
        return 0;
    }
    if (count * 8 > QCOW2_MAX_L1_BYTES) {
        return EFBIG;
    }
    err = qcow2_alloc_exact(q, count * 8, &offset);
    /* The new table is written as a whole, then the header turns to it. */
    err = err ? err : qcow2_commit(q);
    if (err) {
        return err;
    }
    q->l1.entries = g_renew(uint64_t, q->l1.entries, count);
    memset(q->l1.entries + q->l1.count, 0, (count - q->l1.count) * 8);
    q->l1.count = (uint32_t)count;
    q->l1.offset = offset;
    q->l1_dirty = true;
    err = qcow2_commit(q);
    err = err ? err : qcow2_write_fixed_header(q);
    err = err ? err : block_node_flush(q->file);
    if (err) {
        q->broken = true;
    } else if (old_bytes) {
        qcow2_free_later(q, old_offset, old_bytes);
    }
    return err;
}

/* ---- reading */

static void describe(Qcow2 *q, Qcow2Kind kind, Qcow2Entry e, uint64_t in_cluster, BlockMap *out)
{
    static const uint32_t flags[] = {
        [QCOW2_UNALLOCATED] = 0,
        [QCOW2_ZERO_PLAIN] = BLOCK_MAP_ALLOCATED | BLOCK_MAP_ZERO,
        [QCOW2_ZERO_ALLOCATED] = BLOCK_MAP_ALLOCATED | BLOCK_MAP_ZERO,
        [QCOW2_NORMAL] = BLOCK_MAP_ALLOCATED | BLOCK_MAP_DATA,
        [QCOW2_PACKED] = BLOCK_MAP_ALLOCATED | BLOCK_MAP_DATA | BLOCK_MAP_COMPRESSED,
    };

    *out = (BlockMap){.flags = flags[kind]};
    if (kind != QCOW2_PACKED && entry_host(e)) {
        out->flags |= BLOCK_MAP_OFFSET;
        out->file = q->file;
        out->file_offset = entry_host(e) + in_cluster;
    }
    /* In a sparse file, and beyond its end, data may be holes. */
    if (kind == QCOW2_NORMAL &&
        (q->sparse || entry_host(e) >= align_up(q->file->size_bytes, q->cluster_bytes))) {
        out->flags |= BLOCK_MAP_RECURSE;
    }
}

/* How far from entry i, subcluster `sub` on everything is like the first; at most `max` bytes. */
static uint64_t same_bytes(Qcow2 *q, const uint8_t *slice, unsigned i, unsigned sub, uint64_t max,
                           bool copied)
{
    Qcow2Entry first = qcow2_entry_load(q, slice, i);
    Qcow2Kind kind = qcow2_entry_kind(q, first, sub);
    uint64_t bytes = 0, host = entry_host(first);
    unsigned start = i;

    for (; i < slice_entries(q) && bytes < max; i++, sub = 0) {
        Qcow2Entry e = qcow2_entry_load(q, slice, i);
        if (i > start && (kind == QCOW2_PACKED || (copied && !(e.desc & QCOW2_COPIED)) ||
                          entry_host(e) != host)) {
            break;
        }
        for (; sub < q->subclusters && qcow2_entry_kind(q, e, sub) == kind; sub++) {
            bytes += qcow2_sub_bytes(q);
        }
        if (sub < q->subclusters) {
            break;
        }
        host += host ? q->cluster_bytes : 0;
    }
    return bytes;
}

int qcow2_map_in(Qcow2 *q, const Qcow2L1 *l1, uint64_t offset, uint64_t bytes, unsigned how,
                 BlockMap *out)
{
    uint64_t in_cluster = offset & (q->cluster_bytes - 1), in_sub, span = qcow2_l2_span(q), n;
    unsigned i, sub = (unsigned)(in_cluster / qcow2_sub_bytes(q));
    bool write = (how & BLOCK_MAP_WRITE) != 0;
    MetaBlock *slice;
    Qcow2Entry e;
    Qcow2Kind kind;
    int err = qcow2_l2_find(q, l1, offset, (how & BLOCK_MAP_NOWAIT) != 0, &slice, &i);

    if (err) {
        return err;
    }
    if (!slice) {
        *out = (BlockMap){.bytes = MIN(bytes, span - (offset & (span - 1)))};
        return write ? EAGAIN : 0;
    }
    e = qcow2_entry_load(q, slice->data, i);
    kind = qcow2_entry_kind(q, e, sub);
    if (kind == QCOW2_INVALID) {
        return how & BLOCK_MAP_NOWAIT ? EAGAIN : qcow2_damaged(q, "an invalid L2 entry", e.desc);
    }
    if (write && (kind != QCOW2_NORMAL || !(e.desc & QCOW2_COPIED) || q->broken)) {
        return EAGAIN;
    }
    describe(q, kind, e, in_cluster, out);
    in_sub = in_cluster & (qcow2_sub_bytes(q) - 1);
    n = bytes > UINT64_MAX - in_sub ? bytes : bytes + in_sub;
    out->bytes = MIN(bytes, same_bytes(q, slice->data, i, sub, n, write) - in_sub);
    return 0;
}

int qcow2_read_locked(Qcow2 *q, const Qcow2L1 *l1, uint64_t offset, void *buf, uint64_t bytes)
{
    uint8_t *to = buf;
    const uint8_t *plain;
    BlockMap m;
    int err = 0;

    while (bytes && !err) {
        MetaBlock *slice;
        unsigned i;
        err = qcow2_map_in(q, l1, offset, bytes, 0, &m);
        if (err) {
            break;
        }
        if (m.flags & BLOCK_MAP_ZERO) {
            memset(to, 0, m.bytes);
        } else if ((m.flags & BLOCK_MAP_ALLOCATED) && (m.flags & BLOCK_MAP_OFFSET)) {
            err = block_node_pread(m.file, m.file_offset, to, m.bytes);
        } else if (m.flags & BLOCK_MAP_ALLOCATED) {
            err = qcow2_l2_find(q, l1, offset, false, &slice, &i);
            err = err ? err : qcow2_unpack(q, qcow2_entry_load(q, slice->data, i).desc, &plain);
            if (!err) {
                memcpy(to, plain + (offset & (q->cluster_bytes - 1)), m.bytes);
            }
        } else if (q->node->backing && l1 == &q->l1) {
            err = block_node_pread(q->node->backing, offset, to, m.bytes);
        } else {
            memset(to, 0, m.bytes);
        }
        offset += m.bytes;
        to += m.bytes;
        bytes -= m.bytes;
    }
    return err;
}

/* ---- writing */

/* A run of clusters about to be written: [offset, offset + bytes) of the disk */
typedef struct WriteRun {
    uint64_t offset, bytes;
    uint64_t host; /* of the first cluster's start */
    unsigned clusters;
    bool fresh; /* the space reads as zero */
    bool whole; /* old clusters go away: all their subclusters must be there */
} WriteRun;

/* Copies what the disk shows at [from, to), in the run's first or last cluster, into its place. */
static int fill_border(Qcow2 *q, const WriteRun *r, uint64_t from, uint64_t to)
{
    uint64_t start = align_down(r->offset, q->cluster_bytes);
    uint8_t *buf;
    int err;

    if (from == to) {
        return 0;
    }
    buf = block_buffer_alloc(to - from);
    err = qcow2_read_locked(q, &q->l1, from, buf, to - from);
    if (!err && !(r->fresh && block_buf_is_zero(buf, to - from))) {
        err = block_node_pwrite(q->file, r->host + (from - start), buf, to - from);
    }
    free(buf);
    return err;
}

/* Where the copied part of the run begins and ends: at borders of subclusters, or of clusters */
static void run_borders(const Qcow2 *q, const WriteRun *r, uint64_t *begin, uint64_t *end)
{
    uint64_t unit = r->whole ? q->cluster_bytes : qcow2_sub_bytes(q);

    *begin = align_down(r->offset, unit);
    *end = align_up(r->offset + r->bytes, unit);
}

static int write_run_data(Qcow2 *q, const WriteRun *r, BlockVec v)
{
    uint64_t begin, end, start = align_down(r->offset, q->cluster_bytes);
    int err;

    run_borders(q, r, &begin, &end);
    err = fill_border(q, r, begin, r->offset);
    err = err ? err : fill_border(q, r, r->offset + r->bytes, end);
    return err ? err : block_node_write(q->file, r->host + (r->offset - start), v);
}

/* Subclusters [from, to) of an entry have data. */
static Qcow2Entry entry_with_data(const Qcow2 *q, Qcow2Entry old, uint64_t host, unsigned from,
                                  unsigned to, bool whole)
{
    Qcow2Entry e = {host | QCOW2_COPIED, 0};
    uint64_t bits = mask64(to - from) << from;

    if (q->extended) {
        e.bitmap = whole || (old.desc & QCOW2_COMPRESSED) ? 0 : old.bitmap;
        e.bitmap = (e.bitmap & ~(bits << 32)) | bits;
    }
    return e;
}

static void drop_host(Qcow2 *q, Qcow2Entry e)
{
    uint64_t offset, bytes;

    if (e.desc & QCOW2_COMPRESSED) {
        qcow2_packed_place(q, e.desc, &offset, &bytes);
        qcow2_free_later(q, offset, bytes);
    } else if (entry_host(e)) {
        qcow2_free_later(q, entry_host(e), q->cluster_bytes);
    }
}

/* The entries of a written run. */
static int link_run(Qcow2 *q, const WriteRun *r)
{
    uint64_t begin, end, at = align_down(r->offset, q->cluster_bytes);
    MetaBlock *slice;
    unsigned i;
    int err = qcow2_l2_for_write(q, r->offset, &slice, &i);

    if (err) {
        return err;
    }
    run_borders(q, r, &begin, &end);
    for (unsigned c = 0; c < r->clusters; c++, at += q->cluster_bytes) {
        Qcow2Entry old = qcow2_entry_load(q, slice->data, i + c);
        uint64_t host = r->host + ((uint64_t)c << q->cluster_bits);
        uint64_t from = MAX(begin, at) - at, to = MIN(end, at + q->cluster_bytes) - at;
        if ((old.desc & QCOW2_COMPRESSED) || entry_host(old) != host) {
            drop_host(q, old);
        }
        qcow2_entry_store(q, slice->data, i + c,
                          entry_with_data(q, old, host, (unsigned)(from / qcow2_sub_bytes(q)),
                                          (unsigned)(to / qcow2_sub_bytes(q)), r->whole));
    }
    meta_cache_dirty(q->l2, slice);
    return 0;
}

/* The old cluster holds something that must move along to a new one. */
static bool must_copy_whole(const Qcow2 *q, Qcow2Entry e)
{
    return (e.desc & QCOW2_COMPRESSED) || (q->extended && (uint32_t)e.bitmap != 0);
}

/* Fills in how many clusters the run takes and where; the bytes get fewer when space is in
 * pieces. */
static int place_run(Qcow2 *q, WriteRun *r, const uint8_t *slice, unsigned i)
{
    Qcow2Entry first = qcow2_entry_load(q, slice, i);
    uint64_t in_cluster = r->offset & (q->cluster_bytes - 1);
    uint64_t count = qcow2_clusters(q, in_cluster + r->bytes), n;
    int err;

    if (entry_owns_host(first)) {
        r->host = entry_host(first);
        r->clusters = 1;
        r->bytes = MIN(r->bytes, q->cluster_bytes - in_cluster);
        return 0;
    }
    for (n = 0; n < count; n++) {
        Qcow2Entry e = qcow2_entry_load(q, slice, i + (unsigned)n);
        if (entry_owns_host(e) || (n && must_copy_whole(q, e) != r->whole)) {
            break;
        }
        r->whole = must_copy_whole(q, e);
    }
    err = qcow2_alloc(q, &n, &r->host, &r->fresh);
    r->clusters = (unsigned)n;
    r->bytes = MIN(r->bytes, (n << q->cluster_bits) - in_cluster);
    return err;
}

/* One piece: *bytes is how much of v was written. */
static int write_piece(Qcow2 *q, uint64_t offset, BlockVec v, uint64_t *bytes)
{
    uint64_t slice_span = (uint64_t)slice_entries(q) << q->cluster_bits;
    WriteRun r = {.offset = offset};
    MetaBlock *slice;
    BlockMap m;
    unsigned i;
    int err;

    r.bytes = MIN(v.bytes, slice_span - (offset & (slice_span - 1)));
    err = qcow2_map_in(q, &q->l1, offset, r.bytes, BLOCK_MAP_WRITE, &m);
    if (err != EAGAIN) {
        *bytes = err ? 0 : m.bytes;
        return err ? err : block_node_write(q->file, m.file_offset, block_vec_slice(v, 0, m.bytes));
    }
    err = qcow2_l2_for_write(q, offset, &slice, &i);
    err = err ? err : place_run(q, &r, slice->data, i);
    if (err) {
        return err;
    }
    err = write_run_data(q, &r, block_vec_slice(v, 0, r.bytes));
    if (err) {
        MetaBlock *again;
        if (!qcow2_l2_find(q, &q->l1, offset, false, &again, &i) && again &&
            entry_host(qcow2_entry_load(q, again->data, i)) != r.host) {
            qcow2_ref_add(q, r.host, (uint64_t)r.clusters << q->cluster_bits, -1);
        }
        return err;
    }
    *bytes = r.bytes;
    return link_run(q, &r);
}

int qcow2_write_locked(Qcow2 *q, uint64_t offset, BlockVec v)
{
    int err = 0;

    while (v.bytes && !err) {
        uint64_t bytes = 0;
        err = q->broken ? EIO : qcow2_trim(q);
        err = err ? err : write_piece(q, offset, v, &bytes);
        v = block_vec_slice(v, bytes, v.bytes - bytes);
        offset += bytes;
    }
    return err;
}

int qcow2_preallocate(Qcow2 *q, uint64_t offset, uint64_t bytes)
{
    int err = 0;

    while (bytes && !err) {
        uint64_t slice_span = (uint64_t)slice_entries(q) << q->cluster_bits;
        WriteRun r = {.offset = offset};
        MetaBlock *slice;
        unsigned i;
        r.bytes = MIN(bytes, slice_span - (offset & (slice_span - 1)));
        err = qcow2_trim(q);
        err = err ? err : qcow2_l2_for_write(q, offset, &slice, &i);
        err = err ? err : place_run(q, &r, slice->data, i);
        err = err ? err : link_run(q, &r);
        bytes -= r.bytes;
        offset += r.bytes;
    }
    return err;
}

/* ---- zeroing */

static int zero_by_writing(Qcow2 *q, uint64_t offset, uint64_t bytes)
{
    uint64_t chunk = MIN(bytes, MAX(q->cluster_bytes, 1u << 18));
    uint8_t *zeroes = g_malloc0(chunk);
    int err = 0;

    while (bytes && !err) {
        struct iovec iov = {zeroes, MIN(bytes, chunk)};
        err = qcow2_write_locked(q, offset, block_vec(&iov));
        offset += iov.iov_len;
        bytes -= iov.iov_len;
    }
    g_free(zeroes);
    return err;
}

/* Parts of subclusters: nothing to do where zeroes are shown already. */
static int zero_part(Qcow2 *q, uint64_t offset, uint64_t bytes)
{
    int err = 0;

    while (bytes && !err) {
        BlockMap m;
        err = qcow2_map_in(q, &q->l1, offset, bytes, 0, &m);
        if (!err && !(m.flags & BLOCK_MAP_ZERO) &&
            ((m.flags & BLOCK_MAP_ALLOCATED) || q->node->backing)) {
            err = zero_by_writing(q, offset, m.bytes);
        }
        offset += m.bytes;
        bytes -= err ? 0 : m.bytes;
    }
    return err;
}

/* Subclusters [from, to) of one entry become zero. */
static Qcow2Entry entry_with_zeroes(Qcow2 *q, Qcow2Entry old, unsigned from, unsigned to,
                                    bool may_unmap)
{
    bool all = to - from == q->subclusters;
    bool keep = entry_owns_host(old) && !(all && may_unmap);
    uint64_t bits = mask64(to - from) << from;
    Qcow2Entry e = {keep ? old.desc : 0, 0};

    if (!keep) {
        drop_host(q, old);
    }
    if (!q->extended) {
        e.desc |= QCOW2_ZERO;
        return e;
    }
    e.bitmap = (old.desc & QCOW2_COMPRESSED) ? 0 : old.bitmap;
    e.bitmap = (e.bitmap & ~bits) | bits << 32;
    return e;
}

/* Whole subclusters [offset, offset + bytes) within one cluster. */
static int zero_subclusters(Qcow2 *q, uint64_t offset, uint64_t bytes, bool may_unmap)
{
    unsigned from = (unsigned)((offset & (q->cluster_bytes - 1)) / qcow2_sub_bytes(q));
    unsigned to = from + (unsigned)(bytes / qcow2_sub_bytes(q)), i;
    bool all = to - from == q->subclusters, shown = q->node->backing != NULL;
    MetaBlock *slice;
    Qcow2Entry e;
    int err = qcow2_l2_find(q, &q->l1, offset, false, &slice, &i);

    if (err || (!slice && !shown)) {
        return err;
    }
    if (slice) {
        e = qcow2_entry_load(q, slice->data, i);
        if (!shown && !e.desc && !e.bitmap) {
            return 0;
        }
        /* Part of a cluster that is not ours alone: like any write. */
        if (!all && ((e.desc & QCOW2_COMPRESSED) || (entry_host(e) && !entry_owns_host(e)))) {
            return zero_by_writing(q, offset, bytes);
        }
    }
    err = qcow2_l2_for_write(q, offset, &slice, &i);
    if (err) {
        return err;
    }
    e = qcow2_entry_load(q, slice->data, i);
    qcow2_entry_store(q, slice->data, i, entry_with_zeroes(q, e, from, to, may_unmap));
    meta_cache_dirty(q->l2, slice);
    return 0;
}

int qcow2_zero_locked(Qcow2 *q, uint64_t offset, uint64_t bytes, bool may_unmap)
{
    uint64_t sub = qcow2_sub_bytes(q), end = offset + bytes, disk_end = q->node->size_bytes;
    uint64_t from = align_up(offset, sub), to = align_down(end, sub);
    int err;

    if (q->version < 3) {
        if (may_unmap && !q->node->backing) {
            from = align_up(offset, q->cluster_bytes);
            to = end == disk_end ? end : align_down(end, q->cluster_bytes);
            if (from < to) {
                err = zero_part(q, offset, from - offset);
                err = err ? err : qcow2_discard_locked(q, from, to - from, true);
                return err ? err : zero_part(q, to, end - to);
            }
        }
        return zero_by_writing(q, offset, bytes);
    }
    if (end == disk_end) {
        to = align_up(end, sub); /* nothing of the disk is behind */
    }
    if (from >= to) {
        return zero_part(q, offset, bytes);
    }
    err = zero_part(q, offset, from - offset);
    while (from < to && !err) {
        uint64_t n = MIN(to, align_down(from, q->cluster_bytes) + q->cluster_bytes) - from;
        err = q->broken ? EIO : qcow2_trim(q);
        err = err ? err : zero_subclusters(q, from, n, may_unmap);
        from += n;
    }
    return err || to >= end ? err : zero_part(q, to, end - to);
}

/* ---- dropping */

static int discard_cluster(Qcow2 *q, uint64_t offset, bool full)
{
    bool shown = q->node->backing != NULL && !full;
    Qcow2Entry e, empty = {0, 0};
    MetaBlock *slice;
    unsigned i;
    int err = qcow2_l2_find(q, &q->l1, offset, false, &slice, &i);

    if (err || !slice) {
        return err; /* what the backing file shows may stay */
    }
    e = qcow2_entry_load(q, slice->data, i);
    if ((!e.desc && !e.bitmap) || (shown && q->version < 3)) {
        return 0;
    }
    if (shown) {
        empty = (Qcow2Entry){q->extended ? 0 : QCOW2_ZERO, q->extended ? UINT64_MAX << 32 : 0};
    }
    err = qcow2_l2_for_write(q, offset, &slice, &i);
    if (!err) {
        drop_host(q, e);
        qcow2_entry_store(q, slice->data, i, empty);
        meta_cache_dirty(q->l2, slice);
    }
    return err;
}

int qcow2_discard_locked(Qcow2 *q, uint64_t offset, uint64_t bytes, bool full)
{
    uint64_t end = offset + bytes, span = qcow2_l2_span(q);
    int err = 0;

    if (end != q->node->size_bytes) {
        end = align_down(end, q->cluster_bytes);
    }
    offset = align_up(offset, q->cluster_bytes);
    while (offset < end && !err) {
        uint64_t i = offset / span;
        if (i >= q->l1.count) {
            break;
        }
        if (!(q->l1.entries[i] & QCOW2_OFFSET_MASK)) {
            offset = (i + 1) * span;
            continue;
        }
        err = q->broken ? EIO : qcow2_trim(q);
        err = err ? err : discard_cluster(q, offset, full);
        offset += q->cluster_bytes;
    }
    return err;
}
