/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening a disk for a machine: an image in any format becomes a core/block.h BlockDev.
 *
 * Behind it stands a small graph of nodes (block/node.h): the host file, the format, the images
 * it is based on. A request whose mapping is in memory goes straight to the kernel (io_uring, or
 * a pool of threads where that is refused); one that must read or change metadata runs on a thread
 * of the pool. Callbacks run on the context given here.
 */
#ifndef GEMEL_BLOCK_BLOCK_H
#define GEMEL_BLOCK_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/block.h"
#include "util/error.h"

typedef struct BlockNode BlockNode;
struct _GMainContext;

/* -drive cache=: what the host may keep in memory.
 *                 host page cache   each write stable   flushes ignored */
typedef enum BlockCache {
    BLOCK_CACHE_WRITEBACK,    /* yes      no     no */
    BLOCK_CACHE_NONE,         /* no       no     no */
    BLOCK_CACHE_WRITETHROUGH, /* yes      yes    no */
    BLOCK_CACHE_DIRECTSYNC,   /* no       yes    no */
    BLOCK_CACHE_UNSAFE,       /* yes      no     yes */
} BlockCache;

/* "writeback", "none", ...; false with an Error that names the nearest. */
bool block_parse_cache(const char *name, BlockCache *cache, Error *err);

/* All zero is a good default: detect the format, read and write, writeback. Strings are copied. */
typedef struct BlockOpenOptions {
    const char *id;          /* names the disk in messages; NULL: the file */
    const char *file;        /* path of the image */
    const char *format;      /* "raw", "qcow2"; NULL: look (see below) */
    bool        read_only;
    bool        snapshot;    /* changes go to a temporary overlay that is gone after close */
    bool        force_share; /* open what another process has locked; needs read_only */
    bool        no_lock;     /* take no lock at all */
    bool        no_discard;  /* discards do nothing (-drive discard=ignore) */
    bool        no_uring;    /* the thread pool only */
    BlockCache  cache;
    uint64_t    raw_offset_bytes, raw_size_bytes; /* format raw: a part of the file; size 0: all */
    uint64_t    cache_bytes; /* most memory for metadata of one image; 0: 32 MiB */
    uint32_t    logical_block_bytes; /* 0: 512 */
    /* The event loop: callbacks run there between lock(opaque) and unlock(opaque), both may be
     * NULL. context NULL: the disk completes in block_drain() only (tests, tools). */
    struct _GMainContext *context;
    void      (*lock)(void *opaque);
    void      (*unlock)(void *opaque);
    void       *lock_opaque;
} BlockOpenOptions;

/*
 * Opens the image and what it is based on. A format that was not named is found by the image's
 * first bytes; a file that starts like none is raw, and because a guest could then write another
 * format's header into it, writes to the first 512 bytes that would make it look like one fail
 * with EPERM. NULL with an Error that names the file.
 */
BlockDev *block_open(const BlockOpenOptions *options, Error *err);

/* Drains, flushes, unlocks, frees. NULL is allowed. */
void block_close(BlockDev *dev);

/* Changes the size, drained; notifies the device. */
bool block_resize(BlockDev *dev, uint64_t size_bytes, Error *err);

/* Another medium into a drive (monitor `change`), or none (`eject`: options NULL): drained,
 * notifies the device. What the device holds stays valid. On failure the old medium stays. */
bool block_change_medium(BlockDev *dev, const BlockOpenOptions *options, Error *err);

/* The graph below, for snapshots and `info block`; belongs to dev. NULL without a medium. */
BlockNode *block_dev_node(BlockDev *dev);

/* "io_uring" or "threads": how requests of this disk travel. */
const char *block_dev_aio(const BlockDev *dev);

#endif
