/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bounded cache of metadata blocks; see the header. */
#include "meta_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

MetaCache *meta_cache_new(BlockNode *file, uint32_t block_bytes, uint64_t max_bytes)
{
    MetaCache *c = g_new0(MetaCache, 1);

    c->file = file;
    c->block_bytes = block_bytes;
    c->max = (unsigned)MAX(max_bytes / block_bytes, 2 * META_CACHE_KEEP);
    c->blocks = g_hash_table_new(g_int64_hash, g_int64_equal);
    return c;
}

static void cache_unlink(MetaCache *c, MetaBlock *b)
{
    *(b->newer ? &b->newer->older : &c->newest) = b->older;
    *(b->older ? &b->older->newer : &c->oldest) = b->newer;
}

static void cache_push(MetaCache *c, MetaBlock *b)
{
    b->newer = NULL;
    b->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = b;
    c->newest = b;
}

static void cache_remove(MetaCache *c, MetaBlock *b)
{
    c->dirty -= b->dirty;
    c->count--;
    cache_unlink(c, b);
    g_hash_table_remove(c->blocks, &b->offset);
    free(b->data);
    g_free(b);
}

void meta_cache_free(MetaCache *c)
{
    if (c) {
        while (c->newest) {
            cache_remove(c, c->newest);
        }
        g_hash_table_destroy(c->blocks);
        g_free(c);
    }
}

/* Makes room for one more, at the cost of the oldest clean block. */
static void cache_make_room(MetaCache *c)
{
    MetaBlock *b = c->oldest;
    unsigned looked = 0;

    while (c->count >= c->max && b && looked++ < c->count - META_CACHE_KEEP) {
        MetaBlock *newer = b->newer;
        if (!b->dirty) {
            cache_remove(c, b);
        }
        b = newer;
    }
}

static MetaBlock *cache_add(MetaCache *c, uint64_t offset, uint8_t *data)
{
    MetaBlock *b = g_new0(MetaBlock, 1);

    cache_make_room(c);
    b->offset = offset;
    b->data = data;
    g_hash_table_insert(c->blocks, &b->offset, b);
    cache_push(c, b);
    c->count++;
    return b;
}

int meta_cache_get(MetaCache *c, uint64_t offset, bool nowait, MetaBlock **out)
{
    MetaBlock *b = c->newest && c->newest->offset == offset
                       ? c->newest
                       : g_hash_table_lookup(c->blocks, &offset);
    uint8_t *data;
    int err;

    if (b) {
        if (b != c->newest) {
            cache_unlink(c, b);
            cache_push(c, b);
        }
        *out = b;
        return 0;
    }
    if (nowait) {
        return EAGAIN;
    }
    data = block_buffer_alloc(c->block_bytes);
    err = block_node_pread(c->file, offset, data, c->block_bytes);
    if (err) {
        free(data);
        return err;
    }
    *out = cache_add(c, offset, data);
    return 0;
}

MetaBlock *meta_cache_fresh(MetaCache *c, uint64_t offset)
{
    MetaBlock *b = g_hash_table_lookup(c->blocks, &offset);

    if (!b) {
        b = cache_add(c, offset, block_buffer_alloc(c->block_bytes));
    }
    memset(b->data, 0, c->block_bytes);
    meta_cache_dirty(c, b);
    return b;
}

void meta_cache_dirty(MetaCache *c, MetaBlock *b)
{
    c->dirty += !b->dirty;
    b->dirty = true;
}

static int compare_offsets(gconstpointer a, gconstpointer b)
{
    const MetaBlock *x = *(MetaBlock *const *)a, *y = *(MetaBlock *const *)b;

    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

int meta_cache_write(MetaCache *c)
{
    GPtrArray *list;
    int err = 0;

    if (!c->dirty) {
        return 0;
    }
    list = g_ptr_array_sized_new(c->dirty);
    for (MetaBlock *b = c->newest; b; b = b->older) {
        if (b->dirty) {
            g_ptr_array_add(list, b);
        }
    }
    g_ptr_array_sort(list, compare_offsets);
    for (unsigned i = 0; i < list->len && !err; i++) {
        MetaBlock *b = list->pdata[i];
        err = block_node_pwrite(c->file, b->offset, b->data, c->block_bytes);
        if (!err) {
            b->dirty = false;
            c->dirty--;
        }
    }
    g_ptr_array_free(list, TRUE);
    return err;
}

void meta_cache_drop(MetaCache *c, uint64_t offset, uint64_t bytes)
{
    if (bytes / c->block_bytes > c->count) {
        for (MetaBlock *b = c->newest, *older; b; b = older) {
            older = b->older;
            if (b->offset - offset < bytes) {
                cache_remove(c, b);
            }
        }
        return;
    }
    for (uint64_t end = offset + bytes; offset < end; offset += c->block_bytes) {
        MetaBlock *b = g_hash_table_lookup(c->blocks, &offset);
        if (b) {
            cache_remove(c, b);
        }
    }
}
