/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The protocol "memory": bytes of this process, for tests and for images built from logs. */
#include "private.h"

#include <errno.h>
#include <string.h>

typedef struct MemoryDisk {
    GMutex lock; /* all below */
    uint8_t *data;
    uint64_t bytes, room;
} MemoryDisk;

enum { MEMORY_DISK_MAX = 128 << 20 };

static void memory_close(BlockNode *n)
{
    MemoryDisk *m = n->impl;

    g_free(m->data);
    g_mutex_clear(&m->lock);
    g_free(m);
}

static int memory_reserve(BlockNode *n, uint64_t end)
{
    MemoryDisk *m = n->impl;

    if (end > MEMORY_DISK_MAX) {
        return ENOSPC;
    }
    if (end > m->room) {
        m->room = MIN(MEMORY_DISK_MAX, end + end / 2 + 4096);
        m->data = g_realloc(m->data, m->room);
    }
    if (end > m->bytes) {
        memset(m->data + m->bytes, 0, end - m->bytes);
        m->bytes = end;
        n->size_bytes = end;
    }
    return 0;
}

static int memory_map(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned how, BlockMap *out)
{
    (void)how;
    *out = (BlockMap){BLOCK_MAP_DATA | BLOCK_MAP_ALLOCATED | BLOCK_MAP_OFFSET, bytes, n, offset};
    return 0;
}

static int memory_read(BlockNode *n, uint64_t offset, BlockVec v)
{
    MemoryDisk *m = n->impl;

    g_mutex_lock(&m->lock);
    uint64_t have = offset < m->bytes ? MIN(v.bytes, m->bytes - offset) : 0;
    if (have) {
        block_vec_from_buf(block_vec_slice(v, 0, have), m->data + offset);
    }
    g_mutex_unlock(&m->lock);
    block_vec_zero(block_vec_slice(v, have, v.bytes - have));
    return 0;
}

static int memory_write(BlockNode *n, uint64_t offset, BlockVec v)
{
    MemoryDisk *m = n->impl;

    g_mutex_lock(&m->lock);
    int err = memory_reserve(n, offset + v.bytes);
    if (!err) {
        block_vec_to_buf(v, m->data + offset);
    }
    g_mutex_unlock(&m->lock);
    return err;
}

static int memory_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, bool may_unmap)
{
    MemoryDisk *m = n->impl;

    (void)may_unmap;
    g_mutex_lock(&m->lock);
    int err = memory_reserve(n, offset + bytes);
    if (!err) {
        memset(m->data + offset, 0, bytes);
    }
    g_mutex_unlock(&m->lock);
    return err;
}

/* Fills with a pattern: nobody may count on what was discarded. */
static int memory_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    MemoryDisk *m = n->impl;

    g_mutex_lock(&m->lock);
    if (offset < m->bytes) {
        memset(m->data + offset, 0xd5, MIN(bytes, m->bytes - offset));
    }
    g_mutex_unlock(&m->lock);
    return 0;
}

static int memory_flush(BlockNode *n)
{
    (void)n;
    return 0;
}

static bool memory_truncate(BlockNode *n, uint64_t bytes, BlockPreallocation how, Error *err)
{
    MemoryDisk *m = n->impl;

    (void)how;
    g_mutex_lock(&m->lock);
    int e = memory_reserve(n, bytes);
    if (!e) {
        m->bytes = bytes;
        n->size_bytes = bytes;
    }
    g_mutex_unlock(&m->lock);
    return e ? error_set(err, "memory disk: more than 128 MiB") : true;
}

static const BlockDriver memory_driver = {
    .name = "memory",
    .protocol = true,
    .close = memory_close,
    .map = memory_map,
    .read = memory_read,
    .write = memory_write,
    .write_zeroes = memory_write_zeroes,
    .discard = memory_discard,
    .flush = memory_flush,
    .truncate = memory_truncate,
};

BlockNode *block_memory_new(const void *data, uint64_t bytes)
{
    BlockNode *n = block_node_new(&memory_driver, "memory", 0);
    MemoryDisk *m = g_new0(MemoryDisk, 1);

    g_mutex_init(&m->lock);
    n->impl = m;
    if (memory_reserve(n, bytes) == 0 && data && bytes) {
        memcpy(m->data, data, bytes);
    }
    return n;
}

const uint8_t *block_memory_data(BlockNode *n)
{
    return ((MemoryDisk *)n->impl)->data;
}
