/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What only qcow2 images have: how one is made, what it says of itself, checking it.
 * All of this blocks; errors name the file.
 */
#ifndef GEMEL_BLOCK_QCOW2_H
#define GEMEL_BLOCK_QCOW2_H

#include <stdbool.h>
#include <stdint.h>

#include "block/node.h"

typedef struct Qcow2Create {
    uint64_t           size_bytes;
    uint32_t           version;       /* 2 or 3; 0: 3 */
    uint32_t           cluster_bytes; /* 512..2 MiB; 0: 64 KiB */
    uint32_t           refcount_bits; /* 1..64; 0: 16 */
    bool               lazy_refcounts;
    bool               extended_l2;
    bool               zstd;          /* for compressed clusters; else zlib */
    BlockPreallocation preallocation;
    const char        *backing;       /* or NULL */
    const char        *backing_format;
} Qcow2Create;

/* Writes an empty image into a protocol node (emptied before), which stays the caller's. */
bool qcow2_create(BlockNode *file, const Qcow2Create *how, Error *err);

/* Bytes that an image of these options takes when `data_bytes` of it hold data; fully: all of it */
uint64_t qcow2_measure(const Qcow2Create *how, uint64_t data_bytes, uint64_t *fully);

typedef struct Qcow2Info {
    uint32_t version, cluster_bytes, refcount_bits;
    uint64_t host_bytes;
    bool     dirty, corrupt, lazy_refcounts, extended_l2;
    const char *compression; /* "zlib", "zstd" */
} Qcow2Info;

bool qcow2_is(const BlockNode *n);
void qcow2_info(BlockNode *n, Qcow2Info *out);

typedef struct Qcow2Bitmap {
    char    *name;
    uint32_t granularity_bytes;
    bool     in_use, automatic;
} Qcow2Bitmap;

/* An array of *count, with names, to give to qcow2_bitmaps_free(). */
Qcow2Bitmap *qcow2_bitmaps(BlockNode *n, unsigned *count, Error *err);
void         qcow2_bitmaps_free(Qcow2Bitmap *b, unsigned count);

/* Other backing file (NULL: none) and format in the header; the chain that is open stays. */
bool qcow2_set_backing(BlockNode *n, const char *backing, const char *format, Error *err);

/* Changes what can change in place: lazy_refcounts (-1: leave), version (0: leave; 2 to 3 only). */
bool qcow2_amend(BlockNode *n, int lazy_refcounts, uint32_t version, Error *err);

enum { BLOCK_REPAIR_LEAKS = 1, BLOCK_REPAIR_ERRORS = 2 };

typedef struct BlockCheck {
    uint64_t corruptions, leaks, check_errors;
    uint64_t corruptions_fixed, leaks_fixed;
    uint64_t clusters_total, clusters_allocated, clusters_fragmented, clusters_compressed;
    uint64_t image_end_bytes;
    void   (*report)(void *opaque, const char *line); /* each finding; or NULL */
    void    *opaque;
} BlockCheck;

/* Counts all references anew and compares. repair: BLOCK_REPAIR_* or 0. False when the check
 * itself failed. Exclusive. */
bool qcow2_check(BlockNode *n, unsigned repair, BlockCheck *result, Error *err);

/* A read-only view of a snapshot's disk, on top of n, which must stay; close it first. */
BlockNode *qcow2_open_snapshot(BlockNode *n, const char *which, Error *err);

/* Gives all of the image's own clusters back: the backing file shows again. Exclusive. */
int qcow2_make_empty(BlockNode *n);

#endif
