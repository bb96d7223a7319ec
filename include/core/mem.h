/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest-physical memory: regions, address spaces made of them, RAM, and the checked accessors that
 * are the only way from a device or a table walk to guest memory.
 *
 * A tree of regions (containers, RAM, ROM, MMIO, aliases; overlaps decided by priority) is flattened
 * into an immutable view, a sorted list of ranges. Look-ups read the current view without a lock;
 * a change of the tree is a transaction that builds a new view and swaps it in.
 *
 * One byte's way: a device DMAs a byte to gpa G: mem_write() takes the view, finds the range by
 * binary search (or in the thread's cache of last hits), copies into RAM and sets the page's dirty bits (and drops code made of it, through
 * MemListener.ram_written); had the range been MMIO, the write would have gone to MemIo.write under
 * the machine lock, or failed with MEM_BUSY had that device been in its own callback (re-entry).
 *
 * Threads. Accessors: any thread. mem_read() and mem_write() take the machine lock by themselves
 * where they meet MMIO; a thread that holds it may call them too. Changes of the tree: machine lock
 * held, between mem_begin() and mem_commit(). The commit returns when every vCPU has taken the new
 * view (MemListener.commit sees to that) or, on a vCPU's thread, will have before its next guest
 * instruction; old views are freed when nobody can be reading them.
 */
#ifndef GEMEL_CORE_MEM_H
#define GEMEL_CORE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "util/error.h"

typedef struct Machine Machine;
typedef struct MemRegion MemRegion;
typedef struct AddressSpace AddressSpace;
typedef struct RamBlock RamBlock;

enum { MEM_PAGE_BITS = 12, MEM_PAGE_BYTES = 1 << MEM_PAGE_BITS };

/* Who asks, and how: travels with every access. */
typedef struct MemAttrs {
    uint32_t requester; /* PCI requester id (bus << 8 | devfn) or GICv3 ITS DeviceID of a DMA master */
    uint8_t  cpu;       /* index of the CPU + 1; 0: not a CPU */
    bool     secure;    /* Arm: Secure; else false */
    bool     user;      /* unprivileged */
    bool     debug;     /* debugger, monitor, loader: may write ROM; has no side effect on MMIO */
} MemAttrs;
#define MEM_ATTRS_NONE ((MemAttrs){0})
#define MEM_ATTRS_DEBUG ((MemAttrs){.debug = true})

typedef enum MemResult {
    MEM_OK,
    MEM_NOTHING,  /* no region there: external abort, all ones on PCI */
    MEM_ERROR,    /* the device refused (size, alignment, no such register) */
    MEM_BUSY      /* a device would have re-entered itself by DMA */
} MemResult;

/* MMIO of a region; called with the machine lock unless `own_lock`. */
typedef struct MemIo {
    /* bytes is 1, 2, 4 or 8, within [min_bytes, max_bytes]; other accesses were split or widened if
     * `split`, else refused. Value little-endian in the low bytes. */
    MemResult (*read)(void *opaque, uint64_t offset, unsigned bytes, uint64_t *value, MemAttrs attrs);
    MemResult (*write)(void *opaque, uint64_t offset, unsigned bytes, uint64_t value, MemAttrs attrs);
    uint8_t min_bytes, max_bytes; /* 0: 1 and 8 */
    bool    unaligned;            /* offset need not be a multiple of bytes */
    bool    split;                /* split wider and unaligned accesses into pieces, low address first;
                                   * widen narrower ones: the other bytes of a write are 0 */
    bool    own_lock;             /* the callbacks lock for themselves */
    bool    debug;                /* the callbacks honour attrs.debug; else such accesses fail */
} MemIo;

typedef enum MemKind {
    MEM_CONTAINER, /* nothing itself: holds subregions */
    MEM_RAM,
    MEM_ROM,       /* RAM that only debug accesses write; guest writes are ignored */
    MEM_ROMD,      /* reads from RAM while region->romd, else MMIO; writes always MMIO (flash) */
    MEM_IO,
    MEM_ALIAS      /* a window into another region */
} MemKind;

/*
 * A region. Embedded in whoever owns it; the fields are set by the mem_region_init_* functions and
 * read by core only.
 */
struct MemRegion {
    const char  *name;      /* static or owned by the device */
    MemKind      kind;
    bool         enabled, romd, mapped;
    uint64_t     bytes;     /* size; 0 stands for 2^64 */
    uint64_t     offset;    /* in the parent */
    int          priority;  /* among overlapping siblings, higher wins; default 0 */
    MemRegion   *parent, *first_child, *next_sibling;
    RamBlock    *ram;       /* RAM, ROM, ROMD */
    MemRegion   *target;    /* ALIAS */
    uint64_t     target_offset;
    const MemIo *io;
    void        *opaque;    /* for io */
    uint32_t     in_io;     /* depth of callbacks running: the guard against re-entry */
    uint32_t    *busy;      /* the guard of the whole device; NULL: in_io */
};

/* ---- regions ---- */

void mem_region_init_container(MemRegion *r, const char *name, uint64_t bytes);
void mem_region_init_io(MemRegion *r, const char *name, uint64_t bytes, const MemIo *io, void *opaque);
/* These allocate a RamBlock: anonymous memory, which the host backs by huge pages where it can, or a
 * memfd if Machine.ram_shared. false: no memory (err names region and size). */
bool mem_region_init_ram(MemRegion *r, Machine *m, const char *name, uint64_t bytes, Error *err);
bool mem_region_init_rom(MemRegion *r, Machine *m, const char *name, uint64_t bytes, Error *err);
bool mem_region_init_romd(MemRegion *r, Machine *m, const char *name, uint64_t bytes, const MemIo *io,
                          void *opaque, Error *err);
void mem_region_init_alias(MemRegion *r, const char *name, MemRegion *target, uint64_t target_offset,
                           uint64_t bytes);
/* Takes it out of its parent and frees its RamBlock. Machine lock held. */
void mem_region_destroy(Machine *m, MemRegion *r);

/* Changes; between mem_begin() and mem_commit(), which nest. Machine lock held. A region's memory must
 * stay until the commit that took it out (the outermost one) is over. */
void mem_begin(Machine *m);
void mem_commit(Machine *m);
void mem_add(MemRegion *parent, uint64_t offset, MemRegion *child, int priority);
void mem_remove(MemRegion *child);
void mem_set_enabled(Machine *m, MemRegion *r, bool enabled); /* its own transaction */
void mem_set_offset(Machine *m, MemRegion *r, uint64_t offset); /* its own transaction */
void mem_set_romd(Machine *m, MemRegion *r, bool romd);       /* its own transaction */

/* ---- RAM ---- */

/* Who wants to know of written pages; each has a bitmap of its own. */
typedef enum DirtyClient { DIRTY_DISPLAY, DIRTY_MIGRATION, N_DIRTY_CLIENTS } DirtyClient;

struct RamBlock {
    const char *name;
    uint8_t    *host;       /* its bytes in this process; page-aligned */
    uint64_t    bytes;
    int         fd;         /* memfd if Machine.ram_shared, else -1 */
    uint32_t    index;      /* in the machine's list */
    uint64_t   *dirty[N_DIRTY_CLIENTS]; /* a bit a page, set atomically; NULL: nobody listens */
    uint64_t   *code;       /* a bit a page: the translator holds code made of it (accel sets it) */
    RamBlock   *next;
};

/* Bytes written by the host side into [host, host + bytes) of RAM without an accessor (dma_map):
 * sets dirty bits and drops code. Any thread. */
void ram_written(Machine *m, RamBlock *ram, uint64_t offset, uint64_t bytes);
void ram_dirty_start(Machine *m, RamBlock *ram, DirtyClient c); /* every page dirty at first */
void ram_dirty_stop(Machine *m, RamBlock *ram, DirtyClient c);
/* Was any page of the range written since the last call? Clears its bits. */
bool ram_dirty_test_clear(RamBlock *ram, DirtyClient c, uint64_t offset, uint64_t bytes);
/* The block that holds host address p, or NULL. Lock-free; any thread. */
RamBlock *ram_of_host(Machine *m, const void *p);
/* The blocks one after another; after NULL: the first. Machine lock held. */
RamBlock *ram_each(Machine *m, RamBlock *after);

/* ---- address spaces ---- */

AddressSpace *address_space_new(Machine *m, const char *name, MemRegion *root);
void          address_space_free(AddressSpace *as);

MemResult mem_read(AddressSpace *as, uint64_t gpa, void *buf, size_t bytes, MemAttrs attrs);
MemResult mem_write(AddressSpace *as, uint64_t gpa, const void *buf, size_t bytes, MemAttrs attrs);
MemResult mem_fill(AddressSpace *as, uint64_t gpa, uint8_t byte, uint64_t bytes, MemAttrs attrs);

/* Little-endian values, single-copy atomic when naturally aligned in RAM (table walks, rings). */
MemResult mem_load_le16(AddressSpace *as, uint64_t gpa, uint16_t *v, MemAttrs attrs);
MemResult mem_load_le32(AddressSpace *as, uint64_t gpa, uint32_t *v, MemAttrs attrs);
MemResult mem_load_le64(AddressSpace *as, uint64_t gpa, uint64_t *v, MemAttrs attrs);
MemResult mem_store_le16(AddressSpace *as, uint64_t gpa, uint16_t v, MemAttrs attrs);
MemResult mem_store_le32(AddressSpace *as, uint64_t gpa, uint32_t v, MemAttrs attrs);
MemResult mem_store_le64(AddressSpace *as, uint64_t gpa, uint64_t v, MemAttrs attrs);
/* RAM only: *expected is replaced by what is there when it differs (then *swapped is false). For
 * hardware-managed access and dirty bits. */
MemResult mem_cas_le64(AddressSpace *as, uint64_t gpa, uint64_t *expected, uint64_t desired, bool *swapped,
                       MemAttrs attrs);

/*
 * Guest memory lent to the host for asynchronous I/O: fills iov[0 .. *n_iov) (at most max_iov) with
 * RAM of [gpa, gpa + bytes). Returns the bytes covered: fewer than asked for when RAM ends or iov is
 * full, 0 for MMIO. The RAM stays until dma_unmap(), which for `write` marks `written_bytes` of it
 * dirty and drops code.
 */
size_t dma_map(AddressSpace *as, uint64_t gpa, size_t bytes, bool write, struct iovec *iov, int max_iov,
               int *n_iov);
void   dma_unmap(AddressSpace *as, const struct iovec *iov, int n_iov, bool write, size_t written_bytes);

/* ---- for accelerators ---- */

/* One range of a view. */
typedef struct MemRange {
    uint64_t   start, last;    /* gpa, inclusive */
    MemRegion *region;         /* leaf */
    uint64_t   region_offset;  /* of start, in region */
    uint8_t   *host;           /* RAM, ROM, ROMD with romd: host address of start; else NULL */
    RamBlock  *ram;
    bool       writable;       /* stores may go to host directly */
} MemRange;

/* The range at gpa in the current view; false: nothing there. The copy stays meaningful until the
 * next commit. */
bool mem_find(AddressSpace *as, uint64_t gpa, MemRange *out);
/* MMIO through a range found before; takes the machine lock unless own_lock. bytes 1, 2, 4, 8. */
MemResult mem_io_read(Machine *m, MemRegion *r, uint64_t offset, unsigned bytes, uint64_t *value,
                      MemAttrs attrs);
MemResult mem_io_write(Machine *m, MemRegion *r, uint64_t offset, unsigned bytes, uint64_t value,
                       MemAttrs attrs);

/* Told of changes. All callbacks but ram_written: machine lock held. NULL: not interested. */
typedef struct MemListener {
    AddressSpace *as;                                         /* NULL: all */
    void (*range_add)(struct MemListener *l, const MemRange *r);
    void (*range_del)(struct MemListener *l, const MemRange *r);
    void (*commit)(struct MemListener *l);                    /* after adds and dels */
    /* RAM bytes were written by a device or the host (any thread): drop code made of them. Called
     * only for pages whose `code` bit is set. */
    void (*ram_written)(struct MemListener *l, RamBlock *ram, uint64_t offset, uint64_t bytes);
    /* ram->dirty[] became non-NULL: from now on stores must go where they set its bits. Machine lock
     * held. */
    void (*dirty_log)(struct MemListener *l, RamBlock *ram);
    struct MemListener *next;
} MemListener;
/* Adds it and replays the present ranges as range_add, then commit. */
void mem_listener_add(Machine *m, MemListener *l);
void mem_listener_remove(Machine *m, MemListener *l);

/* The tree and the views as text, for `info mtree`. */
void mem_print(Machine *m, bool flat, void (*print)(void *opaque, const char *line), void *opaque);

#endif
