/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Internal snapshots of an image, and the state of a machine kept in one (savevm, loadvm).
 *
 * Only qcow2 keeps snapshots. A snapshot has an id (a small number as text) and a name; where a
 * function takes `which`, a name is looked for first, then an id.
 * All of this blocks, and is called with the disk drained (block_drain()) and the guest stopped.
 *
 * Saving a machine:
 *     BlockState *s = block_state_create(node, &err);
 *     ... block_state_write(s, buf, n, &err) ...
 *     block_state_commit(s, &info, &err);       -- makes the snapshot; or block_state_cancel(s)
 *     ... block_snapshot_create() on the other disks ...
 * Loading:
 *     BlockState *s = block_state_open(node, "name", &err);
 *     ... block_state_read() ..., block_state_close(s)
 *     block_snapshot_apply() on every disk
 */
#ifndef GEMEL_BLOCK_SNAPSHOT_H
#define GEMEL_BLOCK_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "block/block.h"
#include "util/error.h"

typedef struct BlockSnapshot {
    char     id[64];
    char     name[256];
    uint64_t state_bytes;   /* of the machine's state; 0: disk only */
    uint64_t disk_bytes;    /* size of the disk then */
    uint32_t date_s;        /* since 1970 */
    uint32_t date_ns;       /* 0..999999999 */
    uint64_t vm_clock_ns;   /* how long the guest had run */
    uint64_t icount;        /* instructions; UINT64_MAX: not counted */
} BlockSnapshot;

/* False (with an Error if err) when the image's format keeps none, or it is read-only. */
bool block_snapshot_supported(BlockNode *node, Error *err);

/* Returns an array to g_free(), *count long; NULL and count 0 when there are none. */
BlockSnapshot *block_snapshot_list(BlockNode *node, unsigned *count);

/* Finds by name, then by id. */
bool block_snapshot_find(BlockNode *node, const char *which, BlockSnapshot *out);

/* Keeps the disk as it is now. Of info, name, date and clock are used (date_s 0: now); id and
 * disk_bytes are filled in. */
bool block_snapshot_create(BlockNode *node, BlockSnapshot *info, Error *err);

/* The disk becomes what it was then, also in size. */
bool block_snapshot_apply(BlockNode *node, const char *which, Error *err);

bool block_snapshot_delete(BlockNode *node, const char *which, Error *err);

/* ---- a machine's state */

typedef struct BlockState BlockState;

BlockState *block_state_create(BlockNode *node, Error *err);
bool        block_state_write(BlockState *s, const void *buf, size_t bytes, Error *err);
/* Makes the snapshot as block_snapshot_create() does and frees s; also on failure. */
bool        block_state_commit(BlockState *s, BlockSnapshot *info, Error *err);
/* Frees s and the space. */
void        block_state_cancel(BlockState *s);

BlockState *block_state_open(BlockNode *node, const char *which, Error *err);
uint64_t    block_state_bytes(const BlockState *s);
/* Reads exactly `bytes` at an offset; false beyond the end. */
bool        block_state_read(BlockState *s, uint64_t offset, void *buf, size_t bytes, Error *err);
void        block_state_close(BlockState *s);

#endif
