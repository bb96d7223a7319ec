/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of core/ share of a machine. */
#ifndef GEMEL_CORE_PRIVATE_H
#define GEMEL_CORE_PRIVATE_H

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

#include "core/block.h"
#include "core/chardev.h"
#include "core/display.h"
#include "core/input.h"
#include "core/machine.h"
#include "core/net.h"
#include "core/state.h"
#include "util/log.h"

/* ---- views of address spaces: core/mem_view.c ---- */

/* Immutable once published. */
typedef struct MemView {
    uint64_t        id;           /* never given twice in a machine */
    uint64_t        retire_epoch;
    struct MemView *next_retired;
    unsigned        n, cap;
    MemRange       *ranges;       /* sorted by start */
} MemView;

struct AddressSpace {
    Machine          *machine;
    char             *name;
    MemRegion        *root;
    _Atomic(MemView *) view;
    unsigned          index;      /* slot of the readers' caches */
    AddressSpace     *next;
};

enum { MEM_CACHE_SLOTS = 8 };

/* A thread that reads views. Written by its thread only; `epoch` is read by whoever reclaims. */
typedef struct MemReader {
    _Atomic(uint64_t) epoch;      /* 0: not inside */
    _Atomic(bool)     gone;       /* its thread has ended */
    unsigned          depth;
    struct {
        uint64_t        view_id;  /* 0: empty */
        const MemRange *range;
    } cache[MEM_CACHE_SLOTS];
    struct MemReader *next;
} MemReader;

typedef struct RamPrivate {
    RamBlock pub;                 /* must be first */
    _Atomic(uint32_t) maps;       /* lent by dma_map() */
    bool     dead;                /* its region is gone: freed when nobody looks any more */
    uint64_t retire_epoch;
    size_t   map_bytes;           /* of the mapping */
} RamPrivate;

/* ---- timers: core/clock.c ---- */

enum { N_CLOCKS = CLOCK_WALL + 1 };

typedef struct TimerHeap {
    Timer  **t;
    uint32_t n, cap;
} TimerHeap;

typedef struct ClockState {
    /* Seqlock: odd while being written. Writers hold the machine lock. */
    _Atomic(uint32_t) seq;
    _Atomic(bool)     running;
    _Atomic(bool)     manual;        /* CLOCK_VM moves by clock_advance() only */
    _Atomic(int64_t)  vm_offset_ns;  /* running: CLOCK_VM = monotonic - this */
    _Atomic(int64_t)  vm_stopped_ns; /* stopped or manual: CLOCK_VM */
    _Atomic(int64_t)  wall_offset_ns;
    pthread_mutex_t   lock;          /* heaps, Timer.pending and deadlines; innermost */
    pthread_cond_t    wake;          /* the timer thread */
    pthread_cond_t    idle;          /* a callback ended */
    pthread_t         thread;
    bool              started, quit;
    Timer            *firing;        /* callback of which runs */
    int64_t           sleep_until_ns; /* monotonic; what the thread sleeps for */
    TimerHeap         heap[N_CLOCKS][2]; /* [clock][TIMER_UNLOCKED] */
} ClockState;

/* ---- the machine ---- */

typedef struct MachineDisk {
    char               *id;
    struct BlockDev    *dev;
    Device             *user;
    struct MachineDisk *next;
} MachineDisk;

enum { REQ_RESET = 1, REQ_SHUTDOWN = 2, REQ_POWERDOWN = 4, REQ_STOP = 8, REQ_CONT = 16 };

struct MachinePrivate {
    pthread_mutex_t    lock;
    _Atomic(uintptr_t) owner;     /* pthread_self() of the holder, 0: free */

    /* requests: their own small lock, any thread */
    pthread_mutex_t request_lock;
    unsigned        requests;     /* REQ_* */
    ShutdownCause   reset_cause, shutdown_cause;
    RunState        stop_why;
    bool            quit, was_reset;
    int             exit_status;
    MachinePolicy   policy;
    const MachineCpuOps *cpu_ops;
    bool            cpus_running;
    MachineNotify  *notifiers;

    GSList         *sources;      /* FdSource, by handle */
    unsigned        next_handle;
    Log            *log;
    Log             quiet;        /* when nobody gave one */

    /* memory */
    unsigned         mem_depth;
    uint64_t         next_view_id;
    AddressSpace    *spaces;
    unsigned         n_spaces;
    MemView         *retired;
    _Atomic(uint64_t) epoch;
    bool             no_membarrier;
    pthread_key_t    reader_key;
    pthread_mutex_t  reader_lock;
    MemReader       *readers;
    _Atomic(MemListener *) listeners;
    _Atomic(RamBlock *) ram;
    uint32_t         n_ram;
    bool             ram_dead;     /* blocks wait to be freed */

    ClockState       clock;

    Device          *unplugged;   /* freed with the machine: a vCPU may still look at them */
    GHashTable      *made_ids;    /* class name -> next number */
    MachineDisk     *disks;
    Chardev         *chardevs;
    GPtrArray       *ports;       /* NetPort */
    unsigned         next_mac;
    GPtrArray       *consoles;
    StateSection    *sections;
};

struct InputHub {
    InputSink *sinks;             /* newest first */
    uint32_t   leds;
};

void clock_state_init(Machine *m);
void clock_state_stop(Machine *m); /* ends the thread; nothing fires any more */
void clock_state_free(Machine *m);
/* CLOCK_VM runs or stands. Machine lock held. */
void clock_run(Machine *m, bool run);

bool mem_state_init(Machine *m, Error *err);
void mem_state_free(Machine *m);
/* Builds the views again and tells the listeners. */
void mem_views_update(Machine *m);
/* Frees what no reader can hold any more. */
void mem_reclaim(Machine *m);
/* Has every reader that may hold what was retired in that epoch left? After a membarrier. */
bool mem_epoch_over(Machine *m, uint64_t retire_epoch);
RamBlock *ram_block_new(Machine *m, const char *name, uint64_t bytes, Error *err);
void ram_block_release(Machine *m, RamBlock *ram);
/* Frees dead blocks nobody maps or reads. */
void ram_reclaim(Machine *m);
void ram_state_free(Machine *m);
MemView *mem_view_build(Machine *m, MemRegion *root);
void mem_view_free(MemView *v);

void device_free(Device *d);

/* Locks unless this thread holds it already; true: machine_unlock() is due. */
static inline bool machine_lock_nested(Machine *m)
{
    if (machine_locked_by_me(m)) {
        return false;
    }
    machine_lock(m);
    return true;
}

/* ---- lines for the monitor: core/loop.c ---- */

typedef struct Printer {
    void (*print)(void *opaque, const char *line);
    void *opaque;
} Printer;
void printer_line(const Printer *p, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

#endif
