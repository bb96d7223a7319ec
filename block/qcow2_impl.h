/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2 inside block/. Source: "Qcow2 Image File Format" (the specification of versions 2 and 3).
 *
 * Order of metadata, so that an image is consistent after a power cut at any moment, whatever part
 * of the writes since the last flush reached the medium:
 *
 *   taking space     refcount > 0 is stable before anything refers to the cluster, and so are the
 *                    data in it, before the L2 entry that shows them
 *   giving it back   the reference is gone from the medium before the refcount goes down, so a freed
 *                    cluster is never reused while an old table on the medium still shows it
 *
 * Tables change in memory only (`l2`, `refs`, `l1`, `reftable`); qcow2_commit() writes them in five
 * steps with a flush of the file between: refcount blocks and table (counts that only went up, or
 * down for references long gone) | L2 tables | L1 | then what waits in `frees` is counted down in
 * memory, for the next commit. A guest's flush is a commit. After a cut clusters may be leaked; a
 * count is never too low.
 * Snapshots change counts both ways at once: they set the dirty bit around it (version 3), and
 * opening a dirty image counts anew.
 *
 * All of Qcow2 is guarded by its lock, which ranks below the node's gate. What is mapped is copied
 * out under the lock and used after it: data clusters lose their place only in exclusive calls.
 */
#ifndef GEMEL_BLOCK_QCOW2_IMPL_H
#define GEMEL_BLOCK_QCOW2_IMPL_H

#include "block/qcow2.h"
#include "block/snapshot.h"
#include "meta_cache.h"
#include "private.h"

enum {
    QCOW2_MAGIC = 0x514649fb,
    QCOW2_INCOMPATIBLE_DIRTY = 1 << 0,
    QCOW2_INCOMPATIBLE_CORRUPT = 1 << 1,
    QCOW2_INCOMPATIBLE_DATA_FILE = 1 << 2,
    QCOW2_INCOMPATIBLE_COMPRESSION = 1 << 3,
    QCOW2_INCOMPATIBLE_EXTENDED_L2 = 1 << 4,
    QCOW2_COMPATIBLE_LAZY = 1 << 0,
    QCOW2_AUTOCLEAR_BITMAPS = 1 << 0,
    QCOW2_V2_HEADER = 72,
    QCOW2_V3_HEADER = 104,
    QCOW2_FULL_HEADER = 112,
    QCOW2_MIN_CLUSTER_BITS = 9,
    QCOW2_MAX_CLUSTER_BITS = 21,
    QCOW2_MAX_L1_BYTES = 32 << 20,
    QCOW2_MAX_REFTABLE_BYTES = 8 << 20,
    QCOW2_MAX_SNAPSHOTS = 65536,
    QCOW2_MAX_SNAPSHOT_TABLE_BYTES = 64 << 20,
    QCOW2_MAX_BITMAPS = 65535,
    QCOW2_SLICE_BYTES = 64 << 10, /* tables are read and written in pieces of at most this */
};

#define QCOW2_OFFSET_MASK 0x00fffffffffffe00ull
#define QCOW2_COPIED (1ull << 63)
#define QCOW2_COMPRESSED (1ull << 62)
#define QCOW2_ZERO 1ull

/* Header extensions */
#define QCOW2_EXT_END 0u
#define QCOW2_EXT_BACKING_FORMAT 0xe2792acau
#define QCOW2_EXT_FEATURES 0x6803f857u
#define QCOW2_EXT_CRYPTO 0x0537be77u
#define QCOW2_EXT_BITMAPS 0x23852875u
#define QCOW2_EXT_DATA_FILE 0x44415441u

typedef struct Qcow2Ext {
    uint32_t type;
    uint32_t bytes;
    uint8_t *data;
} Qcow2Ext;

/* A tree of tables: the active one, or a snapshot's for reading. */
typedef struct Qcow2L1 {
    uint64_t *entries;
    uint32_t  count;
    uint64_t  offset;
} Qcow2L1;

typedef struct Qcow2Snapshot {
    BlockSnapshot info;
    char         *id, *name;   /* as stored, any length */
    uint64_t      l1_offset;
    uint32_t      l1_count;
    uint8_t      *extra;       /* all extra data as stored */
    uint32_t      extra_bytes;
} Qcow2Snapshot;

typedef struct Qcow2Free {
    uint64_t offset, bytes;
} Qcow2Free;

typedef struct Qcow2 {
    BlockNode    *node;
    BlockNode    *file;
    GMutex        lock;
    /* ---- header */
    uint32_t      version, cluster_bits, refcount_order, header_bytes, crypt;
    uint32_t      cluster_bytes, reftable_clusters, compression;
    uint64_t      incompatible, compatible, autoclear;
    uint64_t      backing_offset;
    uint32_t      backing_bytes;
    GArray       *exts;        /* Qcow2Ext, as found */
    bool          extended;    /* L2 entries of 16 bytes, 32 subclusters */
    unsigned      l2_entry_bytes, l2_bits, subclusters;
    uint32_t      slice_bytes;
    /* ---- tables */
    Qcow2L1       l1;
    bool          l1_dirty;
    uint64_t     *reftable;
    uint64_t      reftable_offset;
    uint32_t      reftable_count;
    bool          reftable_dirty;
    MetaCache    *l2, *refs;
    GArray       *frees;       /* Qcow2Free: references gone in memory, not yet on the medium */
    GArray       *snapshots;   /* Qcow2Snapshot */
    uint64_t      snapshots_offset;
    uint64_t      snapshots_bytes;
    /* ---- allocation */
    uint64_t      free_hint;   /* no free cluster below this index */
    uint64_t      fresh_from;  /* bytes of the file from here on were never written */
    uint64_t      packed_at;   /* where the next compressed cluster may go; 0: in a new one */
    bool          broken;      /* damage was found: no more writes */
    bool          bitmaps_touched;
    bool          sparse;      /* the host file had holes when it was opened */
    /* ---- compressed clusters */
    uint8_t      *plain;       /* the last one read */
    uint64_t      plain_entry; /* its L2 entry; 0: none */
} Qcow2;

/* One L2 entry, taken apart. */
typedef struct Qcow2Entry {
    uint64_t desc, bitmap;
} Qcow2Entry;

typedef enum Qcow2Kind {
    QCOW2_UNALLOCATED,
    QCOW2_ZERO_PLAIN,     /* zero without space */
    QCOW2_ZERO_ALLOCATED, /* zero with space of its own */
    QCOW2_NORMAL,
    QCOW2_PACKED,         /* compressed */
    QCOW2_INVALID,
} Qcow2Kind;

static inline uint64_t qcow2_clusters(const Qcow2 *q, uint64_t bytes)
{
    return (bytes >> q->cluster_bits) + !!(bytes & (q->cluster_bytes - 1));
}

static inline uint32_t qcow2_sub_bytes(const Qcow2 *q)
{
    return q->cluster_bytes / q->subclusters;
}

/* Bytes of the disk one L2 table covers */
static inline uint64_t qcow2_l2_span(const Qcow2 *q)
{
    return 1ull << (q->l2_bits + q->cluster_bits);
}

/* ---- qcow2_header.c */
bool qcow2_read_header(Qcow2 *q, const BlockNodeOptions *o, Error *err);
/* The fixed part, at once: what is in it changes together. */
int  qcow2_write_fixed_header(Qcow2 *q);
/* All of it, extensions and backing name included. */
int  qcow2_write_header(Qcow2 *q);
int  qcow2_set_incompatible(Qcow2 *q, uint64_t set, uint64_t clear);
Qcow2Ext *qcow2_find_ext(Qcow2 *q, uint32_t type);
void qcow2_set_ext(Qcow2 *q, uint32_t type, const void *data, uint32_t bytes);

/* ---- qcow2_refcount.c */
int  qcow2_ref_get(Qcow2 *q, uint64_t cluster, uint64_t *count);
int  qcow2_ref_set(Qcow2 *q, uint64_t cluster, uint64_t count);
/* Adds +1 or -1 to all clusters that the bytes touch. */
int  qcow2_ref_add(Qcow2 *q, uint64_t offset, uint64_t bytes, int add);
/* Contiguous clusters with a count of 1; at least 1, at most *count. fresh: reads as zero. */
int  qcow2_alloc(Qcow2 *q, uint64_t *count, uint64_t *offset, bool *fresh);
/* Exactly `bytes`, contiguous. */
int  qcow2_alloc_exact(Qcow2 *q, uint64_t bytes, uint64_t *offset);
int  qcow2_alloc_packed(Qcow2 *q, uint32_t bytes, uint64_t *offset);
/* The last reference to these went from memory. */
void qcow2_free_later(Qcow2 *q, uint64_t offset, uint64_t bytes);
int  qcow2_commit(Qcow2 *q);
/* Commits when many tables are dirty. */
int  qcow2_trim(Qcow2 *q);
/* Damage: says so in the header, lets nothing more be written. Returns EIO. */
int  qcow2_damaged(Qcow2 *q, const char *what, uint64_t offset);
uint64_t qcow2_ref_max(const Qcow2 *q);
/* Repair: empty blocks and table behind cluster `end`, in memory; counts are then set one by one,
 * and qcow2_ref_restarted() writes all and turns the header to it. */
int  qcow2_ref_restart(Qcow2 *q, uint64_t end, uint64_t max_bytes);
int  qcow2_ref_restarted(Qcow2 *q);
uint64_t qcow2_ref_load(const Qcow2 *q, const uint8_t *block, uint64_t i);
void qcow2_ref_store(const Qcow2 *q, uint8_t *block, uint64_t i, uint64_t count);

/* ---- qcow2_cluster.c */
Qcow2Entry qcow2_entry_load(const Qcow2 *q, const uint8_t *slice, unsigned i);
void qcow2_entry_store(const Qcow2 *q, uint8_t *slice, unsigned i, Qcow2Entry e);
Qcow2Kind qcow2_entry_kind(const Qcow2 *q, Qcow2Entry e, unsigned sub);
void qcow2_packed_place(const Qcow2 *q, uint64_t desc, uint64_t *offset, uint64_t *bytes);
/* The slice with the entry of a disk offset; *slice NULL: no table there. */
int  qcow2_l2_find(Qcow2 *q, const Qcow2L1 *l1, uint64_t offset, bool nowait, MetaBlock **slice,
                   unsigned *index);
/* The same, in a table that may be changed: made or copied when needed. */
int  qcow2_l2_for_write(Qcow2 *q, uint64_t offset, MetaBlock **slice, unsigned *index);
int  qcow2_map_in(Qcow2 *q, const Qcow2L1 *l1, uint64_t offset, uint64_t bytes, unsigned how,
                  BlockMap *out);
int  qcow2_read_locked(Qcow2 *q, const Qcow2L1 *l1, uint64_t offset, void *buf, uint64_t bytes);
int  qcow2_write_locked(Qcow2 *q, uint64_t offset, BlockVec v);
int  qcow2_zero_locked(Qcow2 *q, uint64_t offset, uint64_t bytes, bool may_unmap);
/* full: what is dropped shows the backing file again, also beyond the disk's end. */
int  qcow2_discard_locked(Qcow2 *q, uint64_t offset, uint64_t bytes, bool full);
int  qcow2_grow_l1(Qcow2 *q, uint64_t count);
/* Space for all of a range, zeroed or of unknown content. */
int  qcow2_preallocate(Qcow2 *q, uint64_t offset, uint64_t bytes);

/* ---- qcow2_compress.c */
int  qcow2_unpack(Qcow2 *q, uint64_t desc, const uint8_t **plain);
/* Packs a cluster, or the last part of one; needs no lock. *out_bytes 0: does not shrink. */
int  qcow2_pack(const Qcow2 *q, uint64_t offset, const void *buf, size_t bytes, uint8_t *out,
                size_t *out_bytes);
int  qcow2_write_packed(Qcow2 *q, uint64_t offset, const uint8_t *packed, size_t bytes);
bool qcow2_compression_known(uint32_t type);

/* ---- qcow2_snapshot.c */
bool qcow2_read_snapshots(Qcow2 *q, uint32_t count, Error *err);
void qcow2_free_snapshots(Qcow2 *q);
/* "Mine alone" flags of the active tables, from the counts. */
int  qcow2_fix_copied(Qcow2 *q);
int  qcow2_load_l1(Qcow2 *q, uint64_t offset, uint32_t count, Qcow2L1 *l1);

/* ---- qcow2_bitmap.c */
/* Before the first write: bitmaps that should record it say that they do not. */
int  qcow2_bitmaps_touch(Qcow2 *q);
/* Calls refers() for all space of bitmaps. */
int  qcow2_bitmaps_walk(Qcow2 *q, void (*refers)(void *opaque, uint64_t offset, uint64_t bytes),
                        void *opaque);

/* ---- qcow2_check.c */
bool qcow2_check_locked(Qcow2 *q, unsigned repair, BlockCheck *result, Error *err);

#endif
