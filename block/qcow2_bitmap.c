/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2: persistent dirty bitmaps. They are kept and listed. Nothing is recorded in them: before
 * the first write those that should record are marked in use, which is what the specification has
 * for "not to be trusted any more". Not modelled: making, merging, clearing bitmaps.
 */
#include "qcow2_impl.h"

#include <errno.h>
#include <string.h>

#include "util/bits.h"

enum { DIR_ENTRY_BYTES = 24, MAX_DIR_BYTES = 64 << 20, BITMAP_IN_USE = 1, BITMAP_AUTO = 2 };

typedef struct Directory {
    uint8_t *data;
    uint64_t offset, bytes;
    uint32_t count;
} Directory;

typedef struct DirEntry {
    uint8_t *raw;
    uint64_t table_offset;
    uint32_t table_count, flags, extra_bytes, name_bytes;
    uint8_t type, granularity_bits;
} DirEntry;

/* EINVAL: damaged. A directory of nothing when there is none. */
static int load_directory(Qcow2 *q, Directory *d)
{
    const Qcow2Ext *ext = qcow2_find_ext(q, QCOW2_EXT_BITMAPS);
    int err;

    *d = (Directory){0};
    if (!ext || !(q->autoclear & QCOW2_AUTOCLEAR_BITMAPS)) {
        return 0;
    }
    if (ext->bytes != 24) {
        return EINVAL;
    }
    d->count = load_be32(ext->data);
    d->bytes = load_be64(ext->data + 8);
    d->offset = load_be64(ext->data + 16);
    if (d->count > QCOW2_MAX_BITMAPS || d->bytes > MAX_DIR_BYTES || d->offset > INT64_MAX ||
        (d->offset & (q->cluster_bytes - 1)) || d->bytes > q->file->size_bytes) {
        return EINVAL;
    }
    d->data = g_malloc(d->bytes + 1);
    err = block_node_pread(q->file, d->offset, d->data, d->bytes);
    if (err) {
        g_free(d->data);
        d->data = NULL;
    }
    return err;
}

/* The entry at *at, which moves on; false at the end or when it does not fit. */
static bool next_entry(const Directory *d, uint64_t *at, DirEntry *e)
{
    uint8_t *p = d->data + *at;
    uint64_t bytes;

    if (!d->data || *at + DIR_ENTRY_BYTES > d->bytes) {
        return false;
    }
    *e = (DirEntry){.raw = p,
                    .table_offset = load_be64(p),
                    .table_count = load_be32(p + 8),
                    .flags = load_be32(p + 12),
                    .type = p[16],
                    .granularity_bits = p[17],
                    .name_bytes = load_be16(p + 18),
                    .extra_bytes = load_be32(p + 20)};
    bytes = align_up(DIR_ENTRY_BYTES + (uint64_t)e->extra_bytes + e->name_bytes, 8);
    if (bytes > d->bytes - *at || e->granularity_bits > 31) {
        return false;
    }
    *at += bytes;
    return true;
}

int qcow2_bitmaps_touch(Qcow2 *q)
{
    Directory d;
    DirEntry e;
    uint64_t at = 0;
    bool changed = false;
    int err;

    if (q->bitmaps_touched) {
        return 0;
    }
    q->bitmaps_touched = true;
    err = load_directory(q, &d);
    if (err == EINVAL) {
        /* Damaged: says so by dropping the claim that they are right. */
        q->autoclear &= ~(uint64_t)QCOW2_AUTOCLEAR_BITMAPS;
        return qcow2_write_fixed_header(q);
    }
    while (!err && next_entry(&d, &at, &e)) {
        if ((e.flags & (BITMAP_AUTO | BITMAP_IN_USE)) == BITMAP_AUTO) {
            store_be32(e.raw + 12, e.flags | BITMAP_IN_USE);
            changed = true;
        }
    }
    if (!err && changed) {
        err = block_node_pwrite(q->file, d.offset, d.data, d.bytes);
        err = err ? err : block_node_flush(q->file);
    }
    g_free(d.data);
    return err;
}

static int walk_table(Qcow2 *q, const DirEntry *e,
                      void (*refers)(void *opaque, uint64_t offset, uint64_t bytes), void *opaque)
{
    uint64_t *table;
    int err;

    if ((uint64_t)e->table_count * 8 > MAX_DIR_BYTES) {
        return EINVAL;
    }
    table = g_new(uint64_t, e->table_count + 1);
    err = block_node_pread(q->file, e->table_offset, table, (uint64_t)e->table_count * 8);
    for (uint32_t i = 0; i < e->table_count && !err; i++) {
        uint64_t offset = load_be64(&table[i]) & QCOW2_OFFSET_MASK;
        if (offset) {
            refers(opaque, offset, q->cluster_bytes);
        }
    }
    refers(opaque, e->table_offset, (uint64_t)e->table_count * 8);
    g_free(table);
    return err;
}

int qcow2_bitmaps_walk(Qcow2 *q, void (*refers)(void *opaque, uint64_t offset, uint64_t bytes),
                       void *opaque)
{
    Directory d;
    DirEntry e;
    uint64_t at = 0;
    int err = load_directory(q, &d);

    if (!err && d.data) {
        refers(opaque, d.offset, d.bytes);
    }
    while (!err && next_entry(&d, &at, &e)) {
        err = walk_table(q, &e, refers, opaque);
    }
    g_free(d.data);
    return err;
}

Qcow2Bitmap *qcow2_bitmaps(BlockNode *n, unsigned *count, Error *err)
{
    Qcow2 *q = n->impl;
    GArray *list = g_array_new(FALSE, FALSE, sizeof(Qcow2Bitmap));
    Directory d;
    DirEntry e;
    uint64_t at = 0;
    int r;

    g_mutex_lock(&q->lock);
    r = load_directory(q, &d);
    while (!r && next_entry(&d, &at, &e)) {
        Qcow2Bitmap b = {.granularity_bytes = 1u << e.granularity_bits,
                         .in_use = (e.flags & BITMAP_IN_USE) != 0,
                         .automatic = (e.flags & BITMAP_AUTO) != 0};
        b.name = g_strndup((char *)e.raw + DIR_ENTRY_BYTES + e.extra_bytes, e.name_bytes);
        g_array_append_val(list, b);
    }
    g_mutex_unlock(&q->lock);
    g_free(d.data);
    if (r) {
        error_set(err, "%s: the bitmaps cannot be read", n->name);
    }
    *count = list->len;
    return (Qcow2Bitmap *)(void *)g_array_free(list, FALSE);
}

void qcow2_bitmaps_free(Qcow2Bitmap *b, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        g_free(b[i].name);
    }
    g_free(b);
}
