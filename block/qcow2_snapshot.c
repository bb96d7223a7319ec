/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2: internal snapshots, and a machine's state kept behind the end of the disk.
 *
 * A snapshot is a copy of the L1 table; everything below it is shared and counted once more. Each
 * change of the set of snapshots, or of the L1 table in use, is one write of the header's fixed
 * part; all that it refers to is stable before. Counts move both ways around it, so the dirty bit
 * is set meanwhile: whoever opens the image after a power cut counts anew. (Version 2 has no such
 * bit; there a cut can leave leaks.)
 *
 * The state of a machine is written like disk contents at the first L2 table's span behind the end
 * of the disk, becomes part of the snapshot with the rest, and is then dropped from the active
 * tables.
 */
#include "qcow2_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/bits.h"

enum { ENTRY_BYTES = 40, EXTRA_BYTES = 24, STATE_BUFFER_BYTES = 1 << 20 };

/* ---- the table of snapshots */

static void free_snapshot(Qcow2Snapshot *s)
{
    g_free(s->id);
    g_free(s->name);
    g_free(s->extra);
}

void qcow2_free_snapshots(Qcow2 *q)
{
    for (unsigned i = 0; i < q->snapshots->len; i++) {
        free_snapshot(&g_array_index(q->snapshots, Qcow2Snapshot, i));
    }
    g_array_set_size(q->snapshots, 0);
}

static void parse_entry(Qcow2 *q, const uint8_t *p, Qcow2Snapshot *s)
{
    s->l1_offset = load_be64(p);
    s->l1_count = load_be32(p + 8);
    s->info.date_s = load_be32(p + 16);
    s->info.date_ns = load_be32(p + 20);
    s->info.vm_clock_ns = load_be64(p + 24);
    s->info.state_bytes = load_be32(p + 32);
    s->info.disk_bytes = q->node->size_bytes;
    s->info.icount = UINT64_MAX;
    if (s->extra_bytes >= 8) {
        s->info.state_bytes = load_be64(s->extra);
    }
    if (s->extra_bytes >= 16) {
        s->info.disk_bytes = load_be64(s->extra + 8);
    }
    if (s->extra_bytes >= 24) {
        s->info.icount = load_be64(s->extra + 16);
    }
    g_strlcpy(s->info.id, s->id, sizeof s->info.id);
    g_strlcpy(s->info.name, s->name, sizeof s->info.name);
}

static bool check_entry(Qcow2 *q, const Qcow2Snapshot *s, Error *err)
{
    if (s->l1_offset & (q->cluster_bytes - 1)) {
        return error_set(err, "%s: snapshot '%s' has an L1 table that is not aligned",
                         q->node->name, s->name);
    }
    if ((uint64_t)s->l1_count * 8 > QCOW2_MAX_L1_BYTES) {
        return error_set(err, "%s: snapshot '%s' has an L1 table of %u entries", q->node->name,
                         s->name, s->l1_count);
    }
    if (s->info.disk_bytes > INT64_MAX || s->info.state_bytes > INT64_MAX / 2) {
        return error_set(err, "%s: snapshot '%s' has an impossible size", q->node->name, s->name);
    }
    return true;
}

/* One entry at *at; false with an errno. */
static int read_entry(Qcow2 *q, uint64_t *at, Qcow2Snapshot *s)
{
    uint8_t p[ENTRY_BYTES];
    uint32_t id_bytes, name_bytes;
    int err = block_node_pread(q->file, *at, p, sizeof p);

    if (err) {
        return err;
    }
    id_bytes = load_be16(p + 12);
    name_bytes = load_be16(p + 14);
    s->extra_bytes = load_be32(p + 36);
    if (s->extra_bytes > 1024) {
        return EINVAL;
    }
    s->extra = g_malloc0(MAX(s->extra_bytes, EXTRA_BYTES));
    s->id = g_malloc0(id_bytes + 1u);
    s->name = g_malloc0(name_bytes + 1u);
    *at += sizeof p;
    err = block_node_pread(q->file, *at, s->extra, s->extra_bytes);
    *at += s->extra_bytes;
    err = err ? err : block_node_pread(q->file, *at, s->id, id_bytes);
    *at += id_bytes;
    err = err ? err : block_node_pread(q->file, *at, s->name, name_bytes);
    *at = align_up(*at + name_bytes, 8);
    parse_entry(q, p, s);
    return err;
}

bool qcow2_read_snapshots(Qcow2 *q, uint32_t count, Error *err)
{
    uint8_t raw[8];
    uint64_t at;
    int e = block_node_pread(q->file, 64, raw, sizeof raw);

    q->snapshots_offset = at = load_be64(raw);
    if (count > QCOW2_MAX_SNAPSHOTS) {
        return error_set(err, "%s: %u snapshots; at most %d", q->node->name, count,
                         QCOW2_MAX_SNAPSHOTS);
    }
    if (count && ((at & (q->cluster_bytes - 1)) || at > INT64_MAX / 2)) {
        return error_set(err, "%s: the table of snapshots is misplaced", q->node->name);
    }
    for (uint32_t i = 0; i < count && !e; i++) {
        Qcow2Snapshot s = {0};
        e = read_entry(q, &at, &s);
        g_array_append_val(q->snapshots, s);
        if (e == EINVAL || at - q->snapshots_offset > QCOW2_MAX_SNAPSHOT_TABLE_BYTES ||
            at > align_up(q->file->size_bytes, q->cluster_bytes)) {
            return error_set(err, "%s: snapshot %u of %u cannot be read: bad table of snapshots",
                             q->node->name, i + 1, count);
        }
        if (!e && !check_entry(q, &s, err)) {
            return false;
        }
    }
    q->snapshots_bytes = at - q->snapshots_offset;
    errno = e;
    return e ? error_set_errno(err, "%s: cannot read the snapshots", q->node->name) : true;
}

static void append_entry(GByteArray *table, const Qcow2Snapshot *s)
{
    uint8_t p[ENTRY_BYTES] = {0}, zero[8] = {0};
    uint32_t extra_bytes = MAX(s->extra_bytes, EXTRA_BYTES);

    store_be64(p, s->l1_offset);
    store_be32(p + 8, s->l1_count);
    store_be16(p + 12, (uint16_t)strlen(s->id));
    store_be16(p + 14, (uint16_t)strlen(s->name));
    store_be32(p + 16, s->info.date_s);
    store_be32(p + 20, s->info.date_ns);
    store_be64(p + 24, s->info.vm_clock_ns);
    store_be32(p + 32, s->info.state_bytes <= UINT32_MAX ? (uint32_t)s->info.state_bytes : 0);
    store_be32(p + 36, extra_bytes);
    store_be64(s->extra, s->info.state_bytes);
    store_be64(s->extra + 8, s->info.disk_bytes);
    store_be64(s->extra + 16, s->info.icount);
    g_byte_array_append(table, p, sizeof p);
    g_byte_array_append(table, s->extra, extra_bytes);
    g_byte_array_append(table, (const uint8_t *)s->id, (unsigned)strlen(s->id));
    g_byte_array_append(table, (const uint8_t *)s->name, (unsigned)strlen(s->name));
    g_byte_array_append(table, zero, -table->len & 7);
}

/* The header is the switch: all before it stable, then it. */
static int turn_header(Qcow2 *q)
{
    int err = qcow2_commit(q);

    err = err ? err : block_node_flush(q->file);
    err = err ? err : qcow2_write_fixed_header(q);
    return err ? err : block_node_flush(q->file);
}

/* The table in a new place, and the header turned to it; only then the old place is given back. */
static int write_table(Qcow2 *q)
{
    GByteArray *table = g_byte_array_new();
    uint64_t old = q->snapshots_offset, old_bytes = q->snapshots_bytes, offset = 0;
    int err = 0;

    for (unsigned i = 0; i < q->snapshots->len; i++) {
        append_entry(table, &g_array_index(q->snapshots, Qcow2Snapshot, i));
    }
    if (table->len) {
        err = qcow2_alloc_exact(q, table->len, &offset);
        err = err ? err : block_node_pwrite(q->file, offset, table->data, table->len);
    }
    if (!err) {
        q->snapshots_offset = offset;
        q->snapshots_bytes = table->len;
        err = turn_header(q);
    }
    if (!err && old_bytes) {
        qcow2_free_later(q, old, old_bytes);
    }
    g_byte_array_free(table, TRUE);
    return err;
}

/* ---- trees */

int qcow2_load_l1(Qcow2 *q, uint64_t offset, uint32_t count, Qcow2L1 *l1)
{
    int err;

    *l1 = (Qcow2L1){g_new0(uint64_t, count + 1), count, offset};
    err = block_node_pread(q->file, offset, l1->entries, (uint64_t)count * 8);
    for (uint32_t i = 0; i < count; i++) {
        l1->entries[i] = load_be64(&l1->entries[i]);
    }
    return err;
}

static int add_ref(Qcow2 *q, uint64_t offset, uint64_t bytes, int add)
{
    uint64_t count;
    int err = qcow2_ref_add(q, offset, bytes, add);

    for (uint64_t at = align_down(offset, q->cluster_bytes); add < 0 && at < offset + bytes && !err;
         at += q->cluster_bytes) {
        err = qcow2_ref_get(q, at >> q->cluster_bits, &count);
        if (!err && !count) {
            meta_cache_drop(q->l2, at, q->cluster_bytes);
            block_node_discard(q->file, at, q->cluster_bytes);
        }
    }
    return err;
}

/* All clusters that the entries of an L2 table show, once more or once less */
static int add_refs_of_l2(Qcow2 *q, uint64_t table, int add)
{
    unsigned per_slice = q->slice_bytes / q->l2_entry_bytes;
    int err = 0;

    for (uint64_t at = 0; at < q->cluster_bytes && !err; at += q->slice_bytes) {
        for (unsigned i = 0; i < per_slice && !err; i++) {
            MetaBlock *slice;
            uint64_t offset, bytes = q->cluster_bytes;
            /* Asked for each time: counting may push it out. */
            err = meta_cache_get(q->l2, table + at, false, &slice);
            if (err) {
                break;
            }
            uint64_t desc = qcow2_entry_load(q, slice->data, i).desc;
            offset = desc & QCOW2_OFFSET_MASK;
            if (desc & QCOW2_COMPRESSED) {
                qcow2_packed_place(q, desc, &offset, &bytes);
            }
            if (offset) {
                err = add_ref(q, offset, bytes, add);
            }
        }
        if (!err && meta_cache_is_full(q->refs)) {
            err = meta_cache_write(q->refs);
        }
    }
    return err;
}

static int add_refs_of_tree(Qcow2 *q, const Qcow2L1 *l1, int add)
{
    int err = 0;

    for (uint32_t i = 0; i < l1->count && !err; i++) {
        uint64_t table = l1->entries[i] & QCOW2_OFFSET_MASK;
        if (table & (q->cluster_bytes - 1)) {
            return qcow2_damaged(q, "an L2 table that is not aligned", table);
        }
        if (table) {
            err = add_refs_of_l2(q, table, add);
            err = err ? err : add_ref(q, table, q->cluster_bytes, add);
        }
    }
    return err;
}

static int fix_copied_l2(Qcow2 *q, uint64_t table)
{
    unsigned per_slice = q->slice_bytes / q->l2_entry_bytes;

    for (uint64_t at = 0; at < q->cluster_bytes; at += q->slice_bytes) {
        MetaBlock *slice;
        int err = meta_cache_get(q->l2, table + at, false, &slice);
        for (unsigned i = 0; i < per_slice && !err; i++) {
            Qcow2Entry e = qcow2_entry_load(q, slice->data, i);
            uint64_t count, host = e.desc & QCOW2_OFFSET_MASK, want;
            if ((e.desc & QCOW2_COMPRESSED) || !host) {
                continue;
            }
            err = qcow2_ref_get(q, host >> q->cluster_bits, &count);
            want = (e.desc & ~QCOW2_COPIED) | (count == 1 ? QCOW2_COPIED : 0);
            if (!err && want != e.desc) {
                e.desc = want;
                qcow2_entry_store(q, slice->data, i, e);
                meta_cache_dirty(q->l2, slice);
            }
        }
        if (err) {
            return err;
        }
    }
    return 0;
}

/* The "mine alone" flags of the active tables, from the counts. */
int qcow2_fix_copied(Qcow2 *q)
{
    int err = 0;

    for (uint32_t i = 0; i < q->l1.count && !err; i++) {
        uint64_t table = q->l1.entries[i] & QCOW2_OFFSET_MASK, count;
        if (!table || (table & (q->cluster_bytes - 1))) {
            continue;
        }
        err = qcow2_ref_get(q, table >> q->cluster_bits, &count);
        if (!err) {
            q->l1.entries[i] = table | (count == 1 ? QCOW2_COPIED : 0);
            q->l1_dirty = true;
            err = fix_copied_l2(q, table);
        }
        err = err ? err : qcow2_trim(q);
    }
    return err;
}

static int write_l1_at(Qcow2 *q, const Qcow2L1 *l1, uint64_t offset)
{
    uint64_t *raw = g_new(uint64_t, l1->count + 1);
    int err;

    for (uint32_t i = 0; i < l1->count; i++) {
        store_be64(&raw[i], l1->entries[i] & ~QCOW2_COPIED);
    }
    err = block_node_pwrite(q->file, offset, raw, (uint64_t)l1->count * 8);
    g_free(raw);
    return err;
}

/* ---- operations; the lock is held */

static int find(Qcow2 *q, const char *which)
{
    for (unsigned i = 0; i < q->snapshots->len; i++) {
        if (!strcmp(g_array_index(q->snapshots, Qcow2Snapshot, i).name, which)) {
            return (int)i;
        }
    }
    for (unsigned i = 0; i < q->snapshots->len; i++) {
        if (!strcmp(g_array_index(q->snapshots, Qcow2Snapshot, i).id, which)) {
            return (int)i;
        }
    }
    return -1;
}

static void next_id(Qcow2 *q, char *id, size_t bytes)
{
    unsigned long max = 0;

    for (unsigned i = 0; i < q->snapshots->len; i++) {
        unsigned long n = strtoul(g_array_index(q->snapshots, Qcow2Snapshot, i).id, NULL, 10);
        max = n < ULONG_MAX ? MAX(max, n) : max;
    }
    g_snprintf(id, bytes, "%lu", max + 1);
}

static int create(Qcow2 *q, BlockSnapshot *info)
{
    Qcow2Snapshot s = {.info = *info};
    uint64_t l1_bytes = (uint64_t)q->l1.count * 8;
    int err;

    if (qcow2_ref_max(q) < 2) {
        return EOVERFLOW;
    }
    if (q->snapshots->len >= QCOW2_MAX_SNAPSHOTS) {
        return ENOSPC;
    }
    err = qcow2_commit(q);
    err = err ? err : qcow2_set_incompatible(q, QCOW2_INCOMPATIBLE_DIRTY, 0);
    err = err ? err : qcow2_alloc_exact(q, l1_bytes, &s.l1_offset);
    err = err ? err : write_l1_at(q, &q->l1, s.l1_offset);
    err = err ? err : add_refs_of_tree(q, &q->l1, 1);
    err = err ? err : qcow2_fix_copied(q);
    err = err ? err : qcow2_commit(q);
    if (err) {
        return err;
    }
    s.l1_count = q->l1.count;
    s.id = g_strdup(s.info.id);
    s.name = g_strdup(s.info.name);
    s.extra_bytes = EXTRA_BYTES;
    s.extra = g_malloc0(EXTRA_BYTES);
    g_array_append_val(q->snapshots, s);
    return write_table(q);
}

static int delete (Qcow2 *q, unsigned i)
{
    Qcow2Snapshot s = g_array_index(q->snapshots, Qcow2Snapshot, i);
    Qcow2L1 l1 = {0};
    int err = qcow2_load_l1(q, s.l1_offset, s.l1_count, &l1);

    err = err ? err : qcow2_set_incompatible(q, QCOW2_INCOMPATIBLE_DIRTY, 0);
    if (!err) {
        g_array_remove_index(q->snapshots, i);
        err = write_table(q);
        err = err ? err : add_refs_of_tree(q, &l1, -1);
        if (!err && s.l1_count) {
            err = add_ref(q, s.l1_offset, (uint64_t)s.l1_count * 8, -1);
        }
        err = err ? err : qcow2_fix_copied(q);
        free_snapshot(&s);
    }
    g_free(l1.entries);
    return err;
}

static int apply(Qcow2 *q, unsigned i)
{
    const Qcow2Snapshot *s = &g_array_index(q->snapshots, Qcow2Snapshot, i);
    Qcow2L1 old, l1 = {0};
    uint64_t old_size = q->node->size_bytes, offset = 0;
    int err = qcow2_commit(q);

    err = err ? err : qcow2_set_incompatible(q, QCOW2_INCOMPATIBLE_DIRTY, 0);
    err = err ? err : qcow2_load_l1(q, s->l1_offset, s->l1_count, &l1);
    err = err ? err : qcow2_alloc_exact(q, (uint64_t)s->l1_count * 8, &offset);
    err = err ? err : write_l1_at(q, &l1, offset);
    err = err ? err : add_refs_of_tree(q, &l1, 1);
    err = err ? err : qcow2_commit(q);
    if (err) {
        g_free(l1.entries);
        return err;
    }
    old = q->l1;
    q->l1 = l1;
    q->l1.offset = offset;
    q->node->size_bytes = s->info.disk_bytes;
    err = turn_header(q);
    if (err) {
        g_free(q->l1.entries);
        q->l1 = old;
        q->node->size_bytes = old_size;
        return err;
    }
    err = add_refs_of_tree(q, &old, -1);
    if (!err && old.count) {
        err = add_ref(q, old.offset, (uint64_t)old.count * 8, -1);
    }
    err = err ? err : qcow2_fix_copied(q);
    g_free(old.entries);
    return err;
}

/* Ends an operation: what went wrong half-way is put right by counting anew. */
static bool finish(Qcow2 *q, int e, const char *what, const char *name, Error *err)
{
    BlockCheck check = {0};
    int close_error;

    if (e && (q->incompatible & QCOW2_INCOMPATIBLE_DIRTY) && !q->broken) {
        qcow2_check_locked(q, BLOCK_REPAIR_LEAKS | BLOCK_REPAIR_ERRORS, &check, NULL);
    }
    close_error = qcow2_commit(q);
    close_error = close_error ? close_error : qcow2_commit(q);
    if (!close_error && (q->incompatible & QCOW2_INCOMPATIBLE_DIRTY)) {
        close_error = qcow2_set_incompatible(q, 0, QCOW2_INCOMPATIBLE_DIRTY);
    }
    e = e ? e : close_error;
    if (e == EOVERFLOW) {
        return error_set(err,
                         "%s: cannot %s snapshot '%s': reference counts of %u bits are too "
                         "small",
                         q->node->name, what, name, 1u << q->refcount_order);
    }
    errno = e;
    return e ? error_set_errno(err, "%s: cannot %s snapshot '%s'", q->node->name, what, name)
             : true;
}

/* ---- public */

static Qcow2 *snapshot_image(BlockNode *n)
{
    return n && qcow2_is(n) ? n->impl : NULL;
}

bool block_snapshot_supported(BlockNode *n, Error *err)
{
    if (!n) {
        return error_set(err, "no medium in the drive: nowhere to keep a snapshot");
    }
    if (!qcow2_is(n)) {
        return error_set(err, "%s: format %s keeps no snapshots; qcow2 does", n->name,
                         n->driver->name);
    }
    return n->read_only ? error_set(err, "%s: is read-only", n->name) : true;
}

BlockSnapshot *block_snapshot_list(BlockNode *n, unsigned *count)
{
    Qcow2 *q = snapshot_image(n);
    BlockSnapshot *list;

    *count = 0;
    if (!q || !q->snapshots->len) {
        return NULL;
    }
    g_mutex_lock(&q->lock);
    *count = q->snapshots->len;
    list = g_new(BlockSnapshot, *count);
    for (unsigned i = 0; i < *count; i++) {
        list[i] = g_array_index(q->snapshots, Qcow2Snapshot, i).info;
    }
    g_mutex_unlock(&q->lock);
    return list;
}

bool block_snapshot_find(BlockNode *n, const char *which, BlockSnapshot *out)
{
    Qcow2 *q = snapshot_image(n);
    int i = q ? find(q, which) : -1;

    if (i >= 0) {
        *out = g_array_index(q->snapshots, Qcow2Snapshot, (unsigned)i).info;
    }
    return i >= 0;
}

static bool create_with_state(BlockNode *n, BlockSnapshot *info, uint64_t state_bytes, Error *err)
{
    Qcow2 *q = n->impl;
    struct timespec now;
    bool ok;

    g_mutex_lock(&q->lock);
    if (!info->date_s) {
        clock_gettime(CLOCK_REALTIME, &now);
        info->date_s = (uint32_t)now.tv_sec;
        info->date_ns = (uint32_t)now.tv_nsec;
    }
    next_id(q, info->id, sizeof info->id);
    info->disk_bytes = n->size_bytes;
    info->state_bytes = state_bytes;
    ok = finish(q, create(q, info), "create", info->name, err);
    g_mutex_unlock(&q->lock);
    return ok;
}

bool block_snapshot_create(BlockNode *n, BlockSnapshot *info, Error *err)
{
    bool ok;

    if (!block_snapshot_supported(n, err)) {
        return false;
    }
    block_node_enter_exclusive(n);
    ok = create_with_state(n, info, 0, err);
    block_node_leave_exclusive(n);
    return ok;
}

/* delete and apply: by name, exclusive, locked */
static bool change(BlockNode *n, const char *which, const char *what,
                   int (*op)(Qcow2 *q, unsigned i), Error *err)
{
    Qcow2 *q;
    bool ok;
    int i;

    if (!block_snapshot_supported(n, err)) {
        return false;
    }
    q = n->impl;
    block_node_enter_exclusive(n);
    g_mutex_lock(&q->lock);
    i = find(q, which);
    if (i < 0) {
        ok = error_set(err, "%s: cannot %s snapshot '%s': there is none of that name or id",
                       n->name, what, which);
    } else {
        ok = finish(q, op(q, (unsigned)i), what, which, err);
    }
    g_mutex_unlock(&q->lock);
    block_node_leave_exclusive(n);
    return ok;
}

bool block_snapshot_apply(BlockNode *n, const char *which, Error *err)
{
    return change(n, which, "apply", apply, err);
}

bool block_snapshot_delete(BlockNode *n, const char *which, Error *err)
{
    return change(n, which, "delete", delete, err);
}

/* ---- a machine's state */

struct BlockState {
    BlockNode *node;
    uint64_t start, bytes; /* in the tables; written or there so far */
    uint8_t *buf;          /* writing: what is not yet out */
    size_t used;
    Qcow2L1 l1; /* reading: the snapshot's */
};

static uint64_t state_start(const Qcow2 *q, uint64_t disk_bytes)
{
    uint64_t span = qcow2_l2_span(q);

    return (disk_bytes + span - 1) / span * span;
}

BlockState *block_state_create(BlockNode *n, Error *err)
{
    BlockState *s;

    if (!block_snapshot_supported(n, err)) {
        return NULL;
    }
    s = g_new0(BlockState, 1);
    s->node = n;
    s->start = state_start(n->impl, n->size_bytes);
    s->buf = g_malloc(STATE_BUFFER_BYTES);
    return s;
}

static bool state_flush(BlockState *s, Error *err)
{
    Qcow2 *q = s->node->impl;
    struct iovec iov = {s->buf, s->used};
    int e = 0;

    if (s->used) {
        g_mutex_lock(&q->lock);
        e = qcow2_write_locked(q, s->start + s->bytes, block_vec(&iov));
        g_mutex_unlock(&q->lock);
    }
    s->bytes += s->used;
    s->used = 0;
    errno = e;
    return e ? error_set_errno(err, "%s: cannot write the machine's state", s->node->name) : true;
}

bool block_state_write(BlockState *s, const void *buf, size_t bytes, Error *err)
{
    const uint8_t *p = buf;

    while (bytes) {
        size_t n = MIN(bytes, STATE_BUFFER_BYTES - s->used);
        memcpy(s->buf + s->used, p, n);
        s->used += n;
        p += n;
        bytes -= n;
        if (s->used == STATE_BUFFER_BYTES && !state_flush(s, err)) {
            return false;
        }
    }
    return true;
}

void block_state_cancel(BlockState *s)
{
    Qcow2 *q = s->node->impl;

    block_node_enter_exclusive(s->node);
    g_mutex_lock(&q->lock);
    qcow2_discard_locked(q, s->start, align_up(s->bytes + s->used, q->cluster_bytes), true);
    qcow2_commit(q);
    qcow2_commit(q);
    g_mutex_unlock(&q->lock);
    block_node_leave_exclusive(s->node);
    g_free(s->buf);
    g_free(s);
}

bool block_state_commit(BlockState *s, BlockSnapshot *info, Error *err)
{
    bool ok = state_flush(s, err);

    if (ok) {
        block_node_enter_exclusive(s->node);
        ok = create_with_state(s->node, info, s->bytes, err);
        block_node_leave_exclusive(s->node);
    }
    block_state_cancel(s);
    return ok;
}

BlockState *block_state_open(BlockNode *n, const char *which, Error *err)
{
    Qcow2 *q = snapshot_image(n);
    BlockState *s = NULL;
    int i, e;

    if (!q) {
        error_set(err, "no image with snapshots: '%s' cannot be loaded", which);
        return NULL;
    }
    g_mutex_lock(&q->lock);
    i = find(q, which);
    if (i < 0) {
        error_set(err, "%s: there is no snapshot '%s'", n->name, which);
    } else if (!g_array_index(q->snapshots, Qcow2Snapshot, (unsigned)i).info.state_bytes) {
        error_set(err, "%s: snapshot '%s' holds no machine state, only the disk", n->name, which);
    } else {
        const Qcow2Snapshot *from = &g_array_index(q->snapshots, Qcow2Snapshot, (unsigned)i);
        s = g_new0(BlockState, 1);
        s->node = n;
        s->bytes = from->info.state_bytes;
        s->start = state_start(q, from->info.disk_bytes);
        e = qcow2_load_l1(q, from->l1_offset, from->l1_count, &s->l1);
        if (e) {
            errno = e;
            error_set_errno(err, "%s: cannot read snapshot '%s'", n->name, which);
            g_free(s->l1.entries);
            g_clear_pointer(&s, g_free);
        }
    }
    g_mutex_unlock(&q->lock);
    return s;
}

uint64_t block_state_bytes(const BlockState *s)
{
    return s->bytes;
}

bool block_state_read(BlockState *s, uint64_t offset, void *buf, size_t bytes, Error *err)
{
    Qcow2 *q = s->node->impl;
    int e;

    if (offset > s->bytes || bytes > s->bytes - offset) {
        return error_set(err, "%s: the machine's state ends too early", s->node->name);
    }
    g_mutex_lock(&q->lock);
    e = qcow2_read_locked(q, &s->l1, s->start + offset, buf, bytes);
    g_mutex_unlock(&q->lock);
    errno = e;
    return e ? error_set_errno(err, "%s: cannot read the machine's state", s->node->name) : true;
}

void block_state_close(BlockState *s)
{
    g_free(s->l1.entries);
    g_free(s);
}

/* ---- a snapshot's disk, to read */

typedef struct View {
    Qcow2 *q;
    Qcow2L1 l1;
} View;

static void view_close(BlockNode *n)
{
    View *v = n->impl;

    n->backing = NULL; /* the image's */
    g_free(v->l1.entries);
    g_free(v);
}

static int view_map(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned how, BlockMap *out)
{
    View *v = n->impl;
    int err;

    if (how & BLOCK_MAP_NOWAIT) {
        return EAGAIN;
    }
    g_mutex_lock(&v->q->lock);
    err = qcow2_map_in(v->q, &v->l1, offset, bytes, how, out);
    g_mutex_unlock(&v->q->lock);
    return err;
}

/* Compressed clusters come here. */
static int view_read(BlockNode *n, uint64_t offset, BlockVec vec)
{
    View *v = n->impl;
    uint8_t *buf = g_malloc(vec.bytes);
    int err;

    g_mutex_lock(&v->q->lock);
    err = qcow2_read_locked(v->q, &v->l1, offset, buf, vec.bytes);
    g_mutex_unlock(&v->q->lock);
    if (!err) {
        block_vec_from_buf(vec, buf);
    }
    g_free(buf);
    return err;
}

static const BlockDriver view_driver = {
    .name = "qcow2-snapshot", .close = view_close, .map = view_map, .read = view_read};

BlockNode *qcow2_open_snapshot(BlockNode *n, const char *which, Error *err)
{
    Qcow2 *q = snapshot_image(n);
    const Qcow2Snapshot *s;
    BlockNode *node;
    View *v;
    int i, e;

    i = q ? find(q, which) : -1;
    if (i < 0) {
        error_set(err, "%s: there is no snapshot '%s'", n->name, which);
        return NULL;
    }
    s = &g_array_index(q->snapshots, Qcow2Snapshot, (unsigned)i);
    node = block_node_new(&view_driver, n->name, s->info.disk_bytes);
    node->read_only = true;
    node->backing = n->backing;
    node->cluster_bytes = n->cluster_bytes;
    node->impl = v = g_new0(View, 1);
    v->q = q;
    e = qcow2_load_l1(q, s->l1_offset, s->l1_count, &v->l1);
    if (e) {
        errno = e;
        error_set_errno(err, "%s: cannot read snapshot '%s'", n->name, which);
        block_node_close(node, NULL);
        return NULL;
    }
    return node;
}
