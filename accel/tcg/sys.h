/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to accel/tcg: the system side of the engine. What a vCPU knows of its guest's mappings,
 * and what vCPUs ask of each other.
 *
 * A *context* is what an address means: the target's key (TcgSystem.context). A vCPU keeps the
 * translations and jump caches of the SYS_SETS contexts it used last; switching is a few stores.
 *
 * The ways a translation goes: TLB operations of the guest (sys_tlb.c), a changed memory map
 * (sys_engine.c), code found on a page that a TLB entry lets generated code write (sys_protect()).
 * Another vCPU is asked by an operation in its queue and TCG_REQ_TLB; it serves the queue before it
 * enters generated code, so one that is outside (in_code false) counts as having done so.
 */
#ifndef GEMEL_ACCEL_TCG_SYS_H
#define GEMEL_ACCEL_TCG_SYS_H

#include "accel/tcg/engine.h"
#include "core/cpu.h"

enum {
    SYS_SETS = 16,
    SYS_QUEUE = 32,
    SYS_PAGES = 1 << TCG_TLB_BITS,
    SYS_JUMPS = 1 << TCG_SYS_JC_BITS,
    SYS_MAX_VCPUS = 512,
    SYS_PAGE_BYTES = 1 << TCG_PAGE_BITS,
};

/* Beside TcgTlbEntry i: what C knows of the page. */
typedef struct SysPage {
    uint64_t va;       /* as accessed, top byte and all */
    uint8_t *host;     /* the page in host memory; NULL: MMIO, or RAM of less than a page */
    RamBlock *ram;
    uint64_t gpa;
    uint32_t gen;      /* valid when it is the set's */
    uint8_t  page_bits;
    bool     read : 1, write : 1, exec : 1, global : 1, device : 1, guarded : 1, secure : 1, watch : 1;
    bool     rom : 1;  /* host memory that stores do not go to */
} SysPage;

/* Code by address, under one mode word. */
typedef struct SysJumps {
    TcgJumpEntry entry[SYS_JUMPS];
    uint64_t     code_pages[16];  /* hashed: pages that there may be entries of */
    uint64_t     mode;
    bool         any;
} SysJumps;

/* One context: translations, and code by address for the last two mode words under it. */
typedef struct SysSet {
    TcgTlbEntry  entry[SYS_PAGES];
    SysPage      page[SYS_PAGES];
    SysJumps     jumps[2];
    unsigned     which;           /* of `jumps`, is current */
    uint64_t     key;
    uint64_t     used;            /* when last: for LRU */
    uint32_t     gen;
    bool         valid, any_page;
    /* Mappings larger than a page that entries were made of: bit n of sizes: some of 2^n bytes;
     * blocks: which, hashed. */
    uint64_t     sizes, blocks[8];
} SysSet;

typedef enum SysOpKind {
    SYS_OP_TLB,      /* op */
    SYS_OP_PROTECT,  /* code was found on host page `host`: writes there must be seen */
    SYS_OP_ALL       /* the memory map changed */
} SysOpKind;
typedef struct SysOp {
    SysOpKind      kind;
    TcgTlbOp       op;
    const uint8_t *host;
} SysOp;

/* Why an access was not done; in SysVcpu.why for sys_deliver(). */
typedef enum SysWhy { SYS_DONE, SYS_FAULT, SYS_ALIGN, SYS_BUS } SysWhy;

typedef struct SysVcpu {
    TcgVcpu *v;
    CpuPort *port;
    pthread_t thread;            /* that runs it */
    struct SysMachine *machine;
    SysSet  *sets;               /* SYS_SETS */
    SysSet  *current, *user;
    uint64_t clock;
    /* the last access that failed */
    SysWhy   why;
    uint64_t fault_va;
    TcgAccess fault_access;
    TcgMmuIndex fault_mmu;
    /* operations asked for by others */
    pthread_mutex_t lock;
    SysOp    queue[SYS_QUEUE];
    unsigned n_queue;
    bool     flush_all;          /* more than the queue holds */
    _Atomic(uint64_t) posted, done;
    _Atomic(bool) in_code;
    uint64_t n_walks, n_slow, n_mmio, n_switches, n_evictions, n_tlb_ops;
} SysVcpu;

typedef struct SysMachine {
    TcgEngine  *engine;
    Machine    *machine;
    MemListener listener;
    bool        map_changed;     /* since the last commit; machine lock held */
    SysVcpu    *vcpus[SYS_MAX_VCPUS];
    _Atomic(unsigned) n_vcpus;
} SysMachine;

static inline const TcgSystem *sys_target(const SysVcpu *s)
{
    return s->v->engine->guest->system;
}
static inline unsigned sys_index(uint64_t va)
{
    return va >> TCG_PAGE_BITS & (SYS_PAGES - 1);
}
/* Tag of entry i that no address with place i has. */
static inline uint64_t sys_no_tag(unsigned i)
{
    return (uint64_t)(i ^ 1) << TCG_PAGE_BITS;
}
static inline uint64_t sys_page_of(uint64_t va)
{
    return va & ~(uint64_t)(SYS_PAGE_BYTES - 1);
}

/* ---- sys_engine.c ---- */
extern const TcgSysOps sys_ops;
/* An engine for the CPUs of m, which tcg_sys_cpu_attach() adds. NULL: no code memory (err). */
TcgEngine *sys_engine_new(Machine *m, const TcgGuest *guest, const TcgConfig *config, Error *err);
void       sys_engine_free(TcgEngine *e); /* machine lock not held */
/* As tcg_cpu_attach() for the CPU of a port; before the machine runs. */
void       sys_cpu_attach(TcgEngine *e, TcgCpu *cpu, CpuPort *port);
void       sys_engine_report(TcgEngine *e, FILE *f);

/* ---- sys_tlb.c; on the vCPU's thread but for sys_post() ---- */
void     sys_sets_init(SysVcpu *s);
/* Takes the contexts and the jump cache of the CPU's state now. */
void     sys_context(SysVcpu *s);
/* The page of va for this access, walked to when need be. NULL: s->why and fault_ say why not. */
SysPage *sys_find_page(SysVcpu *s, uint64_t va, TcgAccess access, TcgMmuIndex mmu);
void     sys_jump_set(SysVcpu *s, uint64_t pc, const void *code);
void     sys_jump_drop(SysVcpu *s, uint64_t pc);
void     sys_jumps_clear(SysVcpu *s);           /* of all contexts, and the ring */
/* Generated code may no longer write host page `host`; could it? */
bool     sys_protect(SysVcpu *s, const uint8_t *host);
/* Stores to the page of p may go without C again. */
void     sys_unprotect(SysVcpu *s, SysPage *p);
void     sys_post(SysVcpu *s, const SysOp *op); /* any thread: asks s */
void     sys_serve_queue(SysVcpu *s);
void     sys_wait_all(SysMachine *m, SysVcpu *self); /* until all did what was asked so far */
/* Around what may wait for others while no guest memory is accessed. */
void     sys_quiet_begin(SysVcpu *s);
void     sys_quiet_end(SysVcpu *s);
void     sys_tlb_invalidate(TcgCpu *cpu, const TcgTlbOp *op);
void     sys_tlb_sync(TcgCpu *cpu);

/* ---- sys_mem.c ---- */
bool     sys_mem_slow(TcgCpu *cpu, uint64_t va, const void *ret);
void     sys_load(TcgCpu *cpu, uint64_t va, void *dst, unsigned bytes, TcgMmuIndex mmu);
void     sys_store(TcgCpu *cpu, uint64_t va, const void *src, unsigned bytes, TcgMmuIndex mmu);
TcgExit  sys_interp_access(void *opaque, const IrOp *o, uint64_t va, const IrVec *b, const IrVec *c,
                           IrVec *res);
/* Takes the exception of the access that failed; the state is that before the instruction. false:
 * there is none, reads give ones. */
bool     sys_deliver(SysVcpu *s);

/* ---- sys_run.c ---- */
TcgExit  sys_run(TcgCpu *cpu);

#endif
