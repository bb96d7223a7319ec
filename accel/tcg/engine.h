/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to accel/tcg: the engine, its regions and vCPUs.
 *
 * Locks, by rank (take in this order):
 *   compile_lock  held by the tier-2 thread while it compiles into buffer 1; fork waits for it
 *   lock          the code lock: regions, tables, links, buffer 0, the vCPU list
 * The look-up table is read without a lock: a writer publishes a region with a release store after
 * all of it is written (pairs with the acquire load in engine_find()).
 *
 * Reclaiming. Nothing a vCPU might still execute or read is freed when it is dropped: a flush
 * retires the whole generation (buffers, regions, table); it is freed once every vCPU was seen
 * outside generated code since (TcgVcpu.gen, in_run).
 */
#ifndef GEMEL_ACCEL_TCG_ENGINE_H
#define GEMEL_ACCEL_TCG_ENGINE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <time.h>

#include "accel/tcg.h"

enum {
    TCG_PAGE_BITS = 12,
    TCG_PAGE_HASH = 1 << 16,   /* counters that say quickly "no code on this page" */
    TCG_BLOCK_INSNS = 64,      /* at most so many guest instructions in a tier-1 block */
    TCG_BLOCK_BYTES = 512,     /* and bytes */
};

/* A piece of guest code a region was made of. User: guest addresses; system: host addresses of the
 * guest's RAM, so that it does not matter where that is mapped. */
typedef struct TcgRange { uint64_t start, end; } TcgRange;

typedef struct TcgRegion TcgRegion;
struct TcgRegion {
    uint64_t    pc, mode;
    const uint8_t *page;       /* system: host address of the RAM page that pc is on; user: NULL */
    unsigned    tier;
    bool        dead;          /* invalidated: no look-up or link may reach it any more */
    bool        hot_queued;    /* tier 1: waits for or had its tier-2 compilation */
    _Atomic(uint64_t) loaded;  /* tier 1: sum of what the counter was set to; executions so far are
                                  loaded - *counter */
    TcgCompiled c;
    TcgLink    *in_links;      /* links whose dest is this region's code */
    TcgRange    own_range;
    TcgRange   *ranges;        /* tier 1: own_range, tier 2: one per block */
    uint32_t    n_ranges;
    uint32_t    n_insns;
    /* tier 1: what region forming needs */
    uint8_t    *code_copy;     /* the guest bytes translated; ranges[0] long */
    uint64_t    target[2];
    uint64_t    page_mode;     /* TcgHostOps.page_mode */
    uint8_t     n_targets;
    bool        ends_in_call;
    TcgRegion  *tier1;         /* tier 2: the block it replaced in the table */
    IrRegion   *ir;            /* interpreter mode: kept with its arena */
    Arena       arena;
    TcgRegion  *next_all;      /* every region of this generation */
};

/*
 * pc -> region, open addressing, power of two. A slot is the region's address with 16 bits of the
 * hash above it, so that a probe seldom reads another region; 0: free, TCG_TOMB: removed.
 */
typedef struct TcgTable {
    uint32_t            bits, used;  /* used: filled or tombstone */
    _Atomic(uint64_t)   slot[];
} TcgTable;
enum { TCG_TOMB = 1, TCG_TAG_SHIFT = 48 };

enum { TCG_CHANGES = 512 };

/* The regions on one guest page, for invalidation. */
typedef struct TcgPageNode {
    uint64_t            page;
    TcgRegion          *region;
    struct TcgPageNode *next;
} TcgPageNode;

/* One buffer and the regions in it by host address, append-only: fault handlers search it. */
typedef struct TcgBuffer {
    TcgCodeBuf          buf;
    void               *map;         /* the whole reservation: data, then code */
    size_t              map_bytes;
    _Atomic(uint32_t)   n_by_host;
    uint32_t            cap_by_host;
    _Atomic(TcgRegion **) by_host;   /* sorted: code is handed out upwards */
    struct TcgBuffer   *next;        /* older buffers that may still be executing */
} TcgBuffer;

/* What a flush took out of use and when. */
typedef struct TcgRetired {
    uint64_t           gen;
    Arena              mem;
    TcgBuffer         *buffers;
    TcgRegion         *regions;
    TcgTable          *table;
    struct TcgRetired *next;
} TcgRetired;

/*
 * The system side of an engine, in files of their own (sys_*.c) that user mode does not link: what
 * the functions of tcg/runtime.h and tcg_run() do in a machine.
 */
typedef struct TcgSysOps {
    TcgExit (*run)(TcgCpu *cpu);
    void    (*attach)(TcgCpu *cpu);
    void    (*detach)(TcgCpu *cpu);
    void    (*tlb_invalidate)(TcgCpu *cpu, const TcgTlbOp *op);
    void    (*tlb_sync)(TcgCpu *cpu);
    void    (*context_changed)(TcgCpu *cpu);
    void    (*load)(TcgCpu *cpu, uint64_t va, void *dst, unsigned bytes, TcgMmuIndex mmu);
    void    (*store)(TcgCpu *cpu, uint64_t va, const void *src, unsigned bytes, TcgMmuIndex mmu);
    struct CpuPort *(*port)(const TcgCpu *cpu);
} TcgSysOps;

#define TCG_NO_MODE (~(uint64_t)0) /* TcgVcpu.mode of one that never ran */
typedef struct TcgVcpu {
    TcgEngine      *engine;
    TcgCpu         *cpu;
    uint64_t        mode;      /* mode word its jump cache and ring are valid for */
    _Atomic(uint64_t) gen;     /* engine generation seen outside generated code */
    _Atomic(bool)   in_run;
    uint64_t        exits[TCG_N_EXITS];
    uint64_t        n_changes; /* of TcgEngine.changes already seen */
    jmp_buf         interp_exit; /* tcg_raise() under the interpreter */
    jmp_buf         access_exit; /* a fault of the interpreter's access, while in_access */
    _Atomic(bool)   in_access;
    struct SysVcpu *sys;       /* system mode: sys.h */
    struct TcgVcpu *next;
} TcgVcpu;

struct TcgEngine {
    const TcgGuest   *guest;
    const TcgSysOps  *sys;         /* NULL: user mode */
    const TcgBackend *backend;
    uint32_t          host;        /* TcgBackend.host_features() */
    const TcgHostOps *ops;
    void             *opaque;
    TcgConfig         config;
    FILE             *log;
    FILE             *perf_map, *jitdump;
    uint64_t          jitdump_index;

    pthread_mutex_t   compile_lock, lock;
    _Atomic(TcgTable *) table;
    _Atomic(TcgBuffer *) buffers[2]; /* tier 1 and tier 2 (NULL until used): the current
                                      one, then older ones */
    bool              inherited[2]; /* after fork: the current buffer is shared with the parent;
                                      run from it, but compile into a fresh one */
    TcgRegion        *regions;
    Arena             mem;         /* of this generation, under lock: tier-1 regions with their
                                      tables, page nodes */
    TcgPageNode      *pages[1 << 14], *free_nodes;
    _Atomic(uint16_t) page_count[TCG_PAGE_HASH];
    TcgVcpu          *vcpus;
    TcgCpu           *model;       /* copy of the first vCPU: constant features for tier 2 */
    _Atomic(uint64_t) gen;
    /* Regions made known so far. What generated code meets by links and jump caches was written
     * before; leaving it, one acquire load orders that for C code too (engine_seen()). */
    _Atomic(uint64_t) published;
    /* Addresses whose region was replaced or dropped, the last TCG_CHANGES of n_changes: vCPUs look
     * them up again instead of forgetting all they know. Under lock. */
    uint64_t          changes[TCG_CHANGES];
    uint64_t          n_changes;
    TcgRetired       *retired;     /* newest first; fault handlers read it without a lock */
    _Atomic(uint64_t) retired_gen; /* gen of the newest */
    TcgVcpu          *fetching;    /* on whose behalf TcgHostOps.fetch is called; under lock */
    /* The address (as in TcgRange) being translated, or all ones: its bytes were or will be read, but no list knows
     * the region yet. Written under lock, read by tcg_invalidate() without. */
    _Atomic(uint64_t) translating;
    Arena             arena;       /* tier-1 IR, under lock */
    TcgStats          stats;

    /* tier 2 */
    pthread_t         worker;
    bool              worker_running, worker_quit;
    pthread_cond_t    work;
    struct { uint64_t pc, mode; const uint8_t *page; } queue[256];
    uint32_t          q_head, q_tail;
    Arena             arena2;
};

/* ---- codebuf.c ---- */
TcgBuffer *buffer_new(const TcgEngine *e, char *err, size_t err_bytes);
void       buffer_free(TcgBuffer *b);
void       buffer_add(TcgBuffer *b, TcgRegion *r);          /* after r->c is filled */
TcgRegion *buffer_find(const TcgBuffer *b, const void *host); /* async-signal-safe */

/* ---- table.c ---- all but engine_find() under the code lock */
TcgRegion *engine_find(TcgEngine *e, uint64_t pc, uint64_t mode, const uint8_t *page);
void       engine_publish(TcgEngine *e, TcgRegion *r);      /* replaces one of the same pc, mode */
void       engine_drop(TcgEngine *e, TcgRegion *r);
void       engine_tell_vcpus(TcgEngine *e, uint32_t bits);  /* tcg_request() to all */
void       engine_link(TcgEngine *e, TcgLink *link, TcgRegion *to);
void       engine_flush(TcgEngine *e);                      /* everything; fresh buffers */
TcgBuffer *engine_buffer(TcgEngine *e, unsigned tier);      /* to compile into */
void       engine_reclaim(TcgEngine *e);
bool       engine_has_code(TcgEngine *e, uint64_t start, uint64_t end);
TcgTable  *table_new(uint32_t bits);

/* ---- run.c ---- */
void       engine_no_predictions(TcgCpu *cpu);              /* cpu's memory is zero otherwise */

/* ---- translate.c ---- */
/* The region at pc, made if need be. NULL: nothing executable there. */
TcgRegion *engine_translate(TcgEngine *e, TcgCpu *cpu, uint64_t pc, uint64_t mode,
                            const uint8_t *page);
/* The same for the target of a link that was just missed, which is set when that is safe. */
TcgRegion *engine_follow(TcgEngine *e, TcgVcpu *v, TcgLink *link, uint64_t mode,
                         const uint8_t *page);
void       engine_log_region(TcgEngine *e, const TcgRegion *r, const char *what);
void       region_free(TcgRegion *r);                       /* what is not in TcgEngine.mem */
uint64_t   engine_clock_ns(clockid_t clock);

/* ---- fault.c ---- */
/* The region whose code holds that host address; NULL: none. On v's thread; async-signal-safe. */
TcgRegion *engine_region_at(const TcgVcpu *v, const void *host);
/* TcgInterpMem.access on host memory; opaque: the TcgVcpu. After TCG_EXIT_FAULT the CPU's fault_
 * fields are as the host reported. */
TcgExit    engine_interp_access(void *opaque, const IrOp *o, uint64_t addr, const IrVec *b,
                                const IrVec *c, IrVec *res);

/* ---- run.c ---- */
/* Runs r->ir; mem NULL: user mode, the guest's memory is the host's and may fault. */
TcgExit    engine_interp(TcgVcpu *v, TcgRegion *r, const TcgInterpMem *mem);

/* ---- tier2.c ---- */
/* The tier-1 counter of the block at pc ran out. vCPU's thread, no lock held. */
void engine_hot(TcgEngine *e, uint64_t pc, uint64_t mode, const uint8_t *page);

/* ---- perf.c ---- */
void perf_open(TcgEngine *e);
void perf_fork_child(TcgEngine *e);
void perf_region(TcgEngine *e, const TcgRegion *r);

/* Where a region's bytes are, as TcgRange names them. */
static inline uint64_t region_at(const uint8_t *page, uint64_t pc)
{
    return page ? (uint64_t)page + (pc & ((1 << TCG_PAGE_BITS) - 1)) : pc;
}
static inline uint64_t region_bytes(const TcgRegion *tier1)
{
    return tier1->own_range.end - tier1->own_range.start;
}
static inline uint64_t engine_pc(const TcgEngine *e, const TcgCpu *cpu)
{
    return *(const uint64_t *)((const char *)cpu + e->guest->slots[e->guest->pc_slot].offset);
}
static inline void engine_set_pc(const TcgEngine *e, TcgCpu *cpu, uint64_t pc)
{
    *(uint64_t *)((char *)cpu + e->guest->slots[e->guest->pc_slot].offset) = pc;
}
/* After generated code was left, before what its exit names (links, entries) is read. */
static inline void engine_seen(TcgEngine *e)
{
    (void)atomic_load_explicit(&e->published, memory_order_acquire);
}
static inline TcgJumpEntry *engine_jump_entry(TcgCpu *cpu, uint64_t pc)
{
    return &cpu->jump_cache[(pc >> 2) & ((1u << TCG_JC_BITS) - 1)];
}

#endif
