/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The format "raw": the bytes of a file, or a part of them.
 *
 * When nobody said that the image is raw, a guest could write a qcow2 header with a backing file
 * into its first sector and read that file after the next start; so such writes fail (EPERM).
 */
#include "private.h"

#include <errno.h>
#include <string.h>

#include "util/bits.h"

typedef struct Raw {
    uint64_t offset;
    bool part; /* of a file: its size is fixed */
} Raw;

enum { RAW_GUARD_BYTES = 512 };

static void raw_close(BlockNode *n)
{
    g_free(n->impl);
}

static int raw_map(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned how, BlockMap *out)
{
    Raw *r = n->impl;

    if ((how & BLOCK_MAP_WRITE) && n->probed && offset < RAW_GUARD_BYTES) {
        return EAGAIN;
    }
    *out = (BlockMap){BLOCK_MAP_DATA | BLOCK_MAP_ALLOCATED | BLOCK_MAP_OFFSET | BLOCK_MAP_RECURSE,
                      bytes, n->file, offset + r->offset};
    return 0;
}

static int raw_check_head(BlockNode *n, uint64_t offset, BlockVec v)
{
    uint8_t head[RAW_GUARD_BYTES];
    uint64_t part;
    int err;

    if (!n->probed || offset >= sizeof head) {
        return 0;
    }
    err = block_node_pread(n, 0, head, sizeof head);
    part = MIN(v.bytes, sizeof head - offset);
    block_vec_to_buf(block_vec_slice(v, 0, part), head + offset);
    if (!err && strcmp(block_probe_format(head, sizeof head), "raw")) {
        err = EPERM;
    }
    return err;
}

static int raw_write(BlockNode *n, uint64_t offset, BlockVec v)
{
    Raw *r = n->impl;
    int err = raw_check_head(n, offset, v);

    return err ? err : block_node_write(n->file, offset + r->offset, v);
}

static int raw_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, bool may_unmap)
{
    Raw *r = n->impl;

    return block_node_write_zeroes(n->file, offset + r->offset, bytes, may_unmap);
}

static int raw_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    Raw *r = n->impl;

    return block_node_discard(n->file, offset + r->offset, bytes);
}

static int raw_flush(BlockNode *n)
{
    return block_node_flush(n->file);
}

static bool raw_truncate(BlockNode *n, uint64_t bytes, BlockPreallocation how, Error *err)
{
    Raw *r = n->impl;

    if (r->part) {
        return error_set(err, "%s: a part of a file (offset=, size=) cannot change its size",
                         n->name);
    }
    if (!block_node_truncate(n->file, bytes, how, err)) {
        return false;
    }
    n->size_bytes = bytes;
    return true;
}

static const BlockDriver raw_driver = {
    .name = "raw",
    .close = raw_close,
    .map = raw_map,
    .write = raw_write,
    .write_zeroes = raw_write_zeroes,
    .discard = raw_discard,
    .flush = raw_flush,
    .truncate = raw_truncate,
};

bool raw_open(BlockNode *n, const BlockNodeOptions *o, Error *err)
{
    Raw *r = g_new0(Raw, 1);
    uint64_t file_bytes = n->file->size_bytes;

    n->driver = &raw_driver;
    n->impl = r;
    r->offset = o->raw_offset_bytes;
    r->part = o->raw_offset_bytes || o->raw_size_bytes;
    if (r->offset > file_bytes || o->raw_size_bytes > file_bytes - r->offset) {
        return error_set(err,
                         "%s: offset and size reach beyond the file's %" G_GUINT64_FORMAT " bytes",
                         n->name, file_bytes);
    }
    /* Disks have whole sectors; behind the end of the file it reads as zero. */
    n->size_bytes = align_up(o->raw_size_bytes ? o->raw_size_bytes : file_bytes - r->offset, 512);
    return true;
}
