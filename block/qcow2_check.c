/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2: counting all references anew, comparing them with what the image says, repairing.
 *
 * The counts found live in pages made on demand, so a sparse or hostile image costs memory only
 * for what it refers to. Repair of leaks lowers counts; repair of errors sets them, and where the
 * blocks that hold the counts are themselves damaged, builds new ones behind the end of the file.
 */
#include "qcow2_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "util/bits.h"

enum { PAGE_COUNTS = 4096, REBUILD_MAX_BYTES = 1 << 30, REPORTS_MAX = 1000 };

typedef struct Check {
    Qcow2 *q;
    GHashTable *pages; /* cluster / PAGE_COUNTS → uint32_t[PAGE_COUNTS] */
    uint64_t end;      /* behind the last cluster referred to */
    uint64_t file_clusters;
    bool rebuild; /* counts cannot be put right where they are */
    unsigned repair, reports;
    int err;
    BlockCheck *r;
    uint64_t last_host;
} Check;

static void report(Check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void report(Check *c, const char *fmt, ...)
{
    va_list ap;
    char *line;

    if (!c->r->report || c->reports++ >= REPORTS_MAX) {
        return;
    }
    va_start(ap, fmt);
    line = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    c->r->report(c->r->opaque, line);
    g_free(line);
}

static uint32_t *count_of(Check *c, uint64_t cluster, bool make)
{
    uint64_t page = cluster / PAGE_COUNTS;
    uint32_t *counts = g_hash_table_lookup(c->pages, &page);

    if (!counts && make) {
        counts = g_new0(uint32_t, PAGE_COUNTS);
        g_hash_table_insert(c->pages, g_memdup2(&page, sizeof page), counts);
    }
    return counts ? counts + cluster % PAGE_COUNTS : NULL;
}

static void refer(Check *c, uint64_t offset, uint64_t bytes, const char *what)
{
    Qcow2 *q = c->q;
    uint64_t first = offset >> q->cluster_bits, last;

    if (!bytes) {
        return;
    }
    if (offset > INT64_MAX || bytes > INT64_MAX - offset) {
        last = UINT64_MAX;
    } else {
        last = (offset + bytes - 1) >> q->cluster_bits;
    }
    if (last > c->file_clusters) {
        report(c, "ERROR: %s at 0x%" PRIx64 " lies beyond the end of the file", what, offset);
        c->r->corruptions++;
        return;
    }
    for (uint64_t i = first; i <= last; i++) {
        uint32_t *n = count_of(c, i, true);
        *n += *n < UINT32_MAX;
        c->end = MAX(c->end, i + 1);
    }
}

/* ---- what refers to clusters */

static void walk_entry(Check *c, Qcow2Entry e, bool active)
{
    Qcow2 *q = c->q;
    uint64_t host = e.desc & QCOW2_OFFSET_MASK, bytes = q->cluster_bytes;

    if (e.desc & QCOW2_COMPRESSED) {
        qcow2_packed_place(q, e.desc, &host, &bytes);
        if (e.desc & QCOW2_COPIED) {
            report(c, "ERROR: compressed cluster at 0x%" PRIx64 " has the copied flag", host);
            c->r->corruptions++;
        }
        refer(c, host, bytes, "compressed data");
        c->r->clusters_compressed += active;
        c->r->clusters_allocated += active;
        c->r->clusters_fragmented += active;
        return;
    }
    for (unsigned sub = 0; sub < q->subclusters; sub++) {
        if (qcow2_entry_kind(q, e, sub) == QCOW2_INVALID) {
            report(c, "ERROR: invalid L2 entry 0x%" PRIx64 " (bitmap 0x%" PRIx64 ")", e.desc,
                   e.bitmap);
            c->r->corruptions++;
            return;
        }
    }
    if (host) {
        refer(c, host, bytes, "data");
        if (active) {
            c->r->clusters_allocated++;
            c->r->clusters_fragmented += c->last_host && host != c->last_host + bytes;
            c->last_host = host;
        }
    }
}

static void walk_tree(Check *c, const Qcow2L1 *l1, bool active)
{
    Qcow2 *q = c->q;
    unsigned per_slice = q->slice_bytes / q->l2_entry_bytes;

    for (uint32_t i = 0; i < l1->count && !c->err; i++) {
        uint64_t table = l1->entries[i] & QCOW2_OFFSET_MASK;
        if (!table) {
            continue;
        }
        if (table & (q->cluster_bytes - 1)) {
            report(c, "ERROR: L2 table at 0x%" PRIx64 " is not aligned", table);
            c->r->corruptions++;
            continue;
        }
        refer(c, table, q->cluster_bytes, "L2 table");
        c->last_host = 0;
        for (uint64_t at = 0; at < q->cluster_bytes && table < q->file->size_bytes;
             at += q->slice_bytes) {
            MetaBlock *slice;
            c->err = meta_cache_get(q->l2, table + at, false, &slice);
            for (unsigned k = 0; k < per_slice && !c->err; k++) {
                walk_entry(c, qcow2_entry_load(q, slice->data, k), active);
            }
        }
    }
}

static void walk_snapshots(Check *c)
{
    Qcow2 *q = c->q;

    for (unsigned i = 0; i < q->snapshots->len && !c->err; i++) {
        const Qcow2Snapshot *s = &g_array_index(q->snapshots, Qcow2Snapshot, i);
        Qcow2L1 l1;
        c->err = qcow2_load_l1(q, s->l1_offset, s->l1_count, &l1);
        refer(c, s->l1_offset, (uint64_t)s->l1_count * 8, "L1 table of a snapshot");
        if (!c->err) {
            walk_tree(c, &l1, false);
        }
        g_free(l1.entries);
    }
    refer(c, q->snapshots_offset, q->snapshots_bytes, "table of snapshots");
}

static void walk_refcounts(Check *c)
{
    Qcow2 *q = c->q;

    for (uint32_t i = 0; i < q->reftable_count; i++) {
        uint64_t block = q->reftable[i] & ~0x1ffull;
        if (!block) {
            continue;
        }
        if ((block & (q->cluster_bytes - 1)) || block >> q->cluster_bits >= c->file_clusters) {
            report(c, "ERROR: refcount block %u at 0x%" PRIx64 " is misplaced", i, block);
            c->r->corruptions++;
            c->rebuild = true;
            continue;
        }
        refer(c, block, q->cluster_bytes, "refcount block");
        if (*count_of(c, block >> q->cluster_bits, true) != 1) {
            report(c, "ERROR: refcount block %u at 0x%" PRIx64 " is used for something else, too",
                   i, block);
            c->r->corruptions++;
            c->rebuild = true;
        }
    }
    refer(c, q->reftable_offset, (uint64_t)q->reftable_clusters << q->cluster_bits,
          "refcount table");
}

static void bitmap_refers(void *opaque, uint64_t offset, uint64_t bytes)
{
    refer(opaque, offset, bytes, "bitmap");
}

static void walk_all(Check *c)
{
    Qcow2 *q = c->q;
    uint64_t last = q->file->size_bytes;

    c->file_clusters = (last >> q->cluster_bits) + !!(last & (q->cluster_bytes - 1));
    refer(c, 0, q->cluster_bytes, "header");
    refer(c, q->l1.offset, (uint64_t)q->l1.count * 8, "L1 table");
    walk_tree(c, &q->l1, true);
    walk_snapshots(c);
    c->err = c->err ? c->err : qcow2_bitmaps_walk(q, bitmap_refers, c);
    if (!c->err) {
        walk_refcounts(c);
    }
}

/* ---- comparing */

static void compare_cluster(Check *c, uint64_t cluster)
{
    Qcow2 *q = c->q;
    const uint32_t *found = count_of(c, cluster, false);
    uint64_t want = found ? *found : 0, have;
    bool leak, fix;

    c->err = qcow2_ref_get(q, cluster, &have);
    if (c->err || have == want) {
        return;
    }
    leak = have > want;
    fix = !c->rebuild && (c->repair & (leak ? BLOCK_REPAIR_LEAKS : BLOCK_REPAIR_ERRORS));
    report(c, "%s cluster %" PRIu64 " refcount=%" PRIu64 " reference=%" PRIu64,
           fix    ? "Repairing"
           : leak ? "Leaked"
                  : "ERROR",
           cluster, have, want);
    *(leak ? &c->r->leaks : &c->r->corruptions) += 1;
    if (fix) {
        c->err = want > qcow2_ref_max(q) ? EOVERFLOW : qcow2_ref_set(q, cluster, want);
        if (!c->err && meta_cache_is_full(q->refs)) {
            c->err = meta_cache_write(q->refs);
        }
        *(leak ? &c->r->leaks_fixed : &c->r->corruptions_fixed) += !c->err;
    }
}

static void compare_all(Check *c)
{
    Qcow2 *q = c->q;
    uint64_t per_block = (uint64_t)q->cluster_bytes * 8 >> q->refcount_order;
    uint32_t regions = q->reftable_count;
    uint64_t needed = (c->end + per_block - 1) / per_block;

    for (uint64_t r = 0; r < MAX(regions, needed) && !c->err; r++) {
        uint64_t block = r < regions ? q->reftable[r] & ~0x1ffull : 0;
        if (!block && r >= needed) {
            continue;
        }
        /* A block that stands where something else does says nothing of its range. */
        if (block &&
            ((block & (q->cluster_bytes - 1)) || block >> q->cluster_bits >= c->file_clusters ||
             *count_of(c, block >> q->cluster_bits, true) != 1)) {
            continue;
        }
        for (uint64_t i = 0; i < per_block && !c->err; i++) {
            compare_cluster(c, r * per_block + i);
        }
    }
}

/* The flag "mine alone" must say what the count says. */
static void compare_flag(Check *c, uint64_t entry, const char *what)
{
    uint64_t at = entry & QCOW2_OFFSET_MASK;
    const uint32_t *n = count_of(c, at >> c->q->cluster_bits, false);

    if (at && n && (*n == 1) != ((entry & QCOW2_COPIED) != 0)) {
        bool fix = (c->repair & BLOCK_REPAIR_ERRORS) != 0;
        report(c, "%s OFLAG_COPIED %s: entry=%" PRIx64 " refcount=%u", fix ? "Repairing" : "ERROR",
               what, entry, *n);
        c->r->corruptions++;
        c->r->corruptions_fixed += fix;
    }
}

static void compare_flags(Check *c)
{
    Qcow2 *q = c->q;
    unsigned per_slice = q->slice_bytes / q->l2_entry_bytes;

    for (uint32_t i = 0; i < q->l1.count && !c->err; i++) {
        uint64_t table = q->l1.entries[i] & QCOW2_OFFSET_MASK;
        if (!table || (table & (q->cluster_bytes - 1)) || table >= q->file->size_bytes) {
            continue;
        }
        compare_flag(c, q->l1.entries[i], "L2 table");
        for (uint64_t at = 0; at < q->cluster_bytes && !c->err; at += q->slice_bytes) {
            MetaBlock *slice;
            c->err = meta_cache_get(q->l2, table + at, false, &slice);
            for (unsigned k = 0; k < per_slice && !c->err; k++) {
                Qcow2Entry e = qcow2_entry_load(q, slice->data, k);
                if (!(e.desc & QCOW2_COMPRESSED)) {
                    compare_flag(c, e.desc, "data cluster");
                }
            }
        }
    }
}

/* ---- new blocks and table for all counts */

static int rebuild(Check *c)
{
    GHashTableIter iter;
    gpointer key, value;
    int err;

    err = qcow2_ref_restart(c->q, MAX(c->end, c->file_clusters), REBUILD_MAX_BYTES);
    g_hash_table_iter_init(&iter, c->pages);
    while (!err && g_hash_table_iter_next(&iter, &key, &value)) {
        uint64_t first = *(uint64_t *)key * PAGE_COUNTS;
        const uint32_t *counts = value;
        for (unsigned i = 0; i < PAGE_COUNTS && !err; i++) {
            if (counts[i] > qcow2_ref_max(c->q)) {
                err = EOVERFLOW;
            } else if (counts[i]) {
                err = qcow2_ref_set(c->q, first + i, counts[i]);
            }
        }
    }
    return err ? err : qcow2_ref_restarted(c->q);
}

/* The old blocks and table are nobody's any more. */
static void forget_refcounts(Check *c)
{
    g_hash_table_remove_all(c->pages);
    c->end = 0;
    c->r->report = NULL;
}

static int repair(Check *c)
{
    Qcow2 *q = c->q;
    BlockCheck saved = *c->r;
    int err = 0;

    if (c->rebuild && (c->repair & BLOCK_REPAIR_ERRORS)) {
        uint32_t count = q->reftable_count, clusters = q->reftable_clusters;
        /* Count again, without the old structures. */
        forget_refcounts(c);
        q->reftable_count = 0;
        q->reftable_clusters = 0;
        walk_all(c);
        q->reftable_count = count;
        q->reftable_clusters = clusters;
        err = c->err ? c->err : rebuild(c);
        *c->r = saved;
        c->r->corruptions_fixed = err ? 0 : c->r->corruptions;
        c->r->leaks_fixed = err ? 0 : c->r->leaks;
    }
    if (!err && (c->repair & BLOCK_REPAIR_ERRORS)) {
        err = qcow2_fix_copied(q);
    }
    err = err ? err : qcow2_commit(q);
    if (!err && (c->repair & BLOCK_REPAIR_ERRORS)) {
        q->broken = false;
        err = qcow2_set_incompatible(q, 0, QCOW2_INCOMPATIBLE_DIRTY | QCOW2_INCOMPATIBLE_CORRUPT);
    }
    return err;
}

bool qcow2_check_locked(Qcow2 *q, unsigned how, BlockCheck *result, Error *err)
{
    Check c = {.q = q, .repair = how, .r = result};

    c.pages = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    result->clusters_total = qcow2_clusters(q, q->node->size_bytes);
    c.err = q->node->read_only ? 0 : qcow2_commit(q);
    if (!c.err) {
        walk_all(&c);
        result->image_end_bytes = c.end << q->cluster_bits;
    }
    if (!c.err) {
        compare_all(&c);
    }
    if (!c.err) {
        compare_flags(&c);
    }
    if (!c.err && how) {
        c.err = repair(&c);
    }
    g_hash_table_destroy(c.pages);
    if (c.reports > REPORTS_MAX && result->report) {
        result->report(result->opaque, "(and more)");
    }
    if (c.err) {
        result->check_errors++;
        errno = c.err;
        return error_set_errno(err, "%s: the check could not be completed", q->node->name);
    }
    return true;
}

bool qcow2_check(BlockNode *n, unsigned how, BlockCheck *result, Error *err)
{
    Qcow2 *q = n->impl;
    bool ok;

    block_node_enter_exclusive(n);
    g_mutex_lock(&q->lock);
    ok = qcow2_check_locked(q, how, result, err);
    g_mutex_unlock(&q->lock);
    block_node_leave_exclusive(n);
    return ok;
}
