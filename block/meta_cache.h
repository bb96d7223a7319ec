/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks of metadata of one file in memory, all of one size, found by offset.
 *
 * Only clean blocks make room; so nothing is written behind the back of who orders the writes, and
 * while too many are dirty the cache grows beyond its bound until meta_cache_write() was called.
 * A block stays valid while fewer than META_CACHE_KEEP others were asked for.
 * Not locked: the owner's lock guards it.
 */
#ifndef GEMEL_BLOCK_META_CACHE_H
#define GEMEL_BLOCK_META_CACHE_H

#include "block/node.h"

enum { META_CACHE_KEEP = 8 };

typedef struct MetaBlock MetaBlock;
struct MetaBlock {
    uint64_t   offset; /* in the file */
    uint8_t   *data;
    bool       dirty;
    MetaBlock *newer, *older;
};

typedef struct MetaCache {
    BlockNode  *file;
    GHashTable *blocks; /* &MetaBlock.offset → MetaBlock */
    MetaBlock  *newest, *oldest;
    uint32_t    block_bytes;
    unsigned    max, count, dirty;
} MetaCache;

MetaCache *meta_cache_new(BlockNode *file, uint32_t block_bytes, uint64_t max_bytes);
/* Forgets what is dirty. */
void       meta_cache_free(MetaCache *c);

/* The block at offset (a multiple of block_bytes). nowait: EAGAIN when it would have to be read. */
int        meta_cache_get(MetaCache *c, uint64_t offset, bool nowait, MetaBlock **out);
/* A block of zeroes that need not be read; dirty. */
MetaBlock *meta_cache_fresh(MetaCache *c, uint64_t offset);
void       meta_cache_dirty(MetaCache *c, MetaBlock *b);
/* Writes all that is dirty, by rising offset; on failure the rest stays dirty. */
int        meta_cache_write(MetaCache *c);
/* Forgets the blocks of that range: the space is something else now. */
void       meta_cache_drop(MetaCache *c, uint64_t offset, uint64_t bytes);

static inline bool meta_cache_is_full(const MetaCache *c)
{
    return c->dirty > c->max / 2;
}

#endif
