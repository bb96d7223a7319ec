/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The block graph: nodes that hold bytes by holding other nodes.
 *
 *     qcow2 ── file ──► file (the host's)
 *       └──── backing ► raw ── file ──► file
 *
 * A format maps ranges to ranges of its file (map), and only stores what it cannot say that way
 * (compressed clusters) through read. So a reader, `gemel-img map` and the asynchronous path all
 * follow the same map.
 *
 * All calls here block. They return 0 or a positive errno, or false with an Error where a user
 * named what failed. Any thread may call them at the same time, except those marked "exclusive":
 * these wait for the others by the node's gate, and so must not be called by a thread that is
 * inside one (between block_node_enter() and block_node_leave()).
 */
#ifndef GEMEL_BLOCK_NODE_H
#define GEMEL_BLOCK_NODE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "block/block.h"
#include "util/error.h"

/* A window of a vector: `bytes` of it after `skip`. */
typedef struct BlockVec {
    const struct iovec *iov;
    unsigned            count;
    uint64_t            skip, bytes;
} BlockVec;

enum {
    BLOCK_MAP_DATA       = 1u << 0, /* bytes are stored */
    BLOCK_MAP_ZERO       = 1u << 1, /* reads as zero */
    BLOCK_MAP_ALLOCATED  = 1u << 2, /* this node answers; else its backing does */
    BLOCK_MAP_OFFSET     = 1u << 3, /* file and file_offset are valid: space of this node, which
                                     * holds the data when DATA is set without ZERO */
    BLOCK_MAP_COMPRESSED = 1u << 4,
    BLOCK_MAP_RECURSE    = 1u << 5, /* the file may know of holes here */
    BLOCK_MAP_EOF        = 1u << 6, /* beyond the end of that node */
};

typedef struct BlockMap {
    uint32_t   flags;
    uint64_t   bytes; /* of this kind from the asked offset; not 0 */
    BlockNode *file;
    uint64_t   file_offset;
} BlockMap;

enum {
    BLOCK_MAP_NOWAIT = 1u << 0, /* EAGAIN rather than I/O or waiting */
    BLOCK_MAP_WRITE  = 1u << 1, /* only what may be overwritten in place; with NOWAIT */
    BLOCK_MAP_HOLES  = 1u << 2, /* a file says where its holes are (system calls) */
};

typedef enum BlockPreallocation {
    BLOCK_PREALLOC_OFF,
    BLOCK_PREALLOC_METADATA,
    BLOCK_PREALLOC_FALLOC,
    BLOCK_PREALLOC_FULL,
} BlockPreallocation;

typedef struct BlockDriver {
    const char *name;
    bool        protocol;    /* holds the bytes itself: read is called without map */
    bool        gated;       /* space moves: discards and the like must be alone */
    void (*close)(BlockNode *n);
    int  (*map)(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned how, BlockMap *out);
    int  (*read)(BlockNode *n, uint64_t offset, BlockVec v);
    int  (*write)(BlockNode *n, uint64_t offset, BlockVec v);
    int  (*write_zeroes)(BlockNode *n, uint64_t offset, uint64_t bytes, bool may_unmap);
    int  (*discard)(BlockNode *n, uint64_t offset, uint64_t bytes);
    int  (*flush)(BlockNode *n);
    bool (*truncate)(BlockNode *n, uint64_t bytes, BlockPreallocation how, Error *err);
    /* One whole cluster, or what is left of the last. EINVAL when it does not shrink. */
    int  (*write_compressed)(BlockNode *n, uint64_t offset, const void *buf, size_t bytes);
} BlockDriver;
/* Absent functions: map is always there except in a protocol's wrapper; a missing one of the others
 * answers ENOTSUP, discard does nothing. */

struct BlockNode {
    const BlockDriver *driver;
    void              *impl;         /* the driver's */
    char              *name;         /* path as given */
    BlockNode         *file;         /* owned; NULL for a protocol */
    BlockNode         *backing;      /* owned; NULL: none */
    char              *backing_name; /* as the image says, also when not opened; NULL: none */
    char              *backing_format;
    char              *backing_path; /* backing_name seen from here */
    uint64_t           size_bytes;
    uint32_t           cluster_bytes; /* of the format; 0: none */
    uint32_t           align_bytes;   /* of direct I/O on a protocol; 1: any */
    int                host_fd;       /* a file's, for asynchronous I/O; else -1 */
    bool               read_only;
    bool               probed;        /* raw, and nobody said so */
    BlockCache         cache;
    /* The gate: shared users, or one exclusive one. gate_lock guards the two. */
    GMutex             gate_lock;
    GCond              gate_cond;
    unsigned           gate_users;
    bool               gate_closed;
};

typedef struct BlockNodeOptions {
    const char *file;
    const char *format;        /* NULL: look */
    BlockNode  *protocol;      /* instead of a file: taken over when that succeeds */
    bool        write;
    bool        no_backing;    /* leave the chain below alone */
    bool        force_share;
    bool        no_lock;
    bool        for_check;     /* open what is marked dirty or corrupt, change nothing */
    BlockCache  cache;
    uint64_t    raw_offset_bytes, raw_size_bytes;
    uint64_t    cache_bytes;
} BlockNodeOptions;

/* Opens an image and its chain. */
BlockNode *block_node_open(const BlockNodeOptions *options, Error *err);

/* Flushes and frees node and what it holds. NULL is allowed. False when the flush failed: what was
 * written last may be lost. */
bool block_node_close(BlockNode *n, Error *err);

/* Opens the backing image of n where no_backing left it out. Exclusive. */
bool block_node_open_backing(BlockNode *n, const BlockNodeOptions *options, Error *err);

/* Where a backing name stands as seen from the image `image`; g_free() it. */
char *block_backing_path(const char *image, const char *backing);

/* Finds the format of a file by its first bytes: "raw", or a format's name, known or not. */
const char *block_probe_format(const uint8_t *head, size_t bytes);

/* ---- bytes */

int  block_node_read(BlockNode *n, uint64_t offset, BlockVec v);
int  block_node_write(BlockNode *n, uint64_t offset, BlockVec v);
int  block_node_pread(BlockNode *n, uint64_t offset, void *buf, size_t bytes);
int  block_node_pwrite(BlockNode *n, uint64_t offset, const void *buf, size_t bytes);
int  block_node_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, bool may_unmap);
/* Exclusive. */
int  block_node_discard(BlockNode *n, uint64_t offset, uint64_t bytes);
int  block_node_flush(BlockNode *n);
int  block_node_write_compressed(BlockNode *n, uint64_t offset, const void *buf, size_t bytes);
/* Exclusive. */
bool block_node_truncate(BlockNode *n, uint64_t bytes, BlockPreallocation how, Error *err);

/* What stands at offset in this node alone. out->bytes is at most `bytes`. */
int  block_node_map(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned how, BlockMap *out);

/* What a reader gets at offset, through the chain down to (not including) base; NULL: all of it.
 * Holes of files count as zero. *depth (or NULL): how many images down it was found. */
int  block_chain_map(BlockNode *n, BlockNode *base, uint64_t offset, uint64_t bytes, BlockMap *out,
                     unsigned *depth);

/* ---- the gate */

/* Shared use; false (nowait only) when an exclusive user is in or waits. */
bool block_node_enter(BlockNode *n, bool nowait);
void block_node_leave(BlockNode *n);
void block_node_enter_exclusive(BlockNode *n);
void block_node_leave_exclusive(BlockNode *n);

/* ---- vectors */

static inline BlockVec block_vec(const struct iovec *iov)
{
    return (BlockVec){iov, 1, 0, iov->iov_len};
}

BlockVec block_vec_slice(BlockVec v, uint64_t at, uint64_t bytes);
void     block_vec_zero(BlockVec v);
void     block_vec_to_buf(BlockVec v, void *buf);
void     block_vec_from_buf(BlockVec v, const void *buf);
/* Up to max entries of the window; how many. *bytes is what they hold. */
unsigned block_vec_iov(BlockVec v, struct iovec *out, unsigned max, uint64_t *bytes);
bool     block_vec_is_zero(BlockVec v);
bool     block_buf_is_zero(const void *buf, size_t bytes);

/* ---- protocols */

/* A host file or block device. `create`: make it, empty it, when it is not in use by others. */
BlockNode *block_file_open(const BlockNodeOptions *options, bool create, Error *err);

/* Bytes in memory; the size given, growing as needed. data (or NULL) is copied. */
BlockNode *block_memory_new(const void *data, uint64_t bytes);
const uint8_t *block_memory_data(BlockNode *n);

/* Allocated bytes of the host file below n; 0 when unknown. */
uint64_t block_node_host_bytes(BlockNode *n);

/* A node without file of a driver; for drivers and tests. */
BlockNode *block_node_new(const BlockDriver *driver, const char *name, uint64_t size_bytes);

#endif
