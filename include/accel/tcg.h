/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The translating accelerator: finds, translates, links and runs guest code.
 *
 * Threads: an engine is shared by all vCPUs of one machine or process; every vCPU belongs to the
 * thread that calls tcg_run() on it.
 */
#ifndef GEMEL_ACCEL_TCG_H
#define GEMEL_ACCEL_TCG_H

#include <signal.h>

#include "tcg/backend.h"

typedef struct TcgEngine TcgEngine;

/* What the engine asks of user mode or of the machine. */
typedef struct TcgHostOps {
    /* Copies up to `bytes` bytes of executable guest memory at pc; returns how many (0 = fetch
     * fault). Never crosses into memory that is not executable. Any thread. */
    size_t (*fetch)(void *opaque, uint64_t pc, uint8_t *buf, size_t bytes);
    /* Or-ed into TcgBlockCtx.mode for the block at pc, beside the vCPU's mode word: what depends on
     * the page alone. Memory that a fetch returns in one piece has one answer. A change of it is
     * told by tcg_invalidate(). May be NULL. Code lock held. */
    uint64_t (*page_mode)(void *opaque, uint64_t pc);
    /* Code now exists on these guest pages (for write protection); may be NULL. Code lock held. */
    void   (*code_on)(void *opaque, uint64_t start, uint64_t end);
    /* A name for guest address pc ("main+0x10"), for perf; false: none known. May be NULL. Code
     * lock held. */
    bool   (*symbol)(void *opaque, uint64_t pc, char *out, size_t bytes);
} TcgHostOps;

typedef struct TcgConfig {
    uint32_t tier2_heat;     /* executions of a region before tier 2; 0 = no tier 2 */
    bool     background;     /* tier 2 on its own thread */
    bool     one_insn;       /* tier-1 blocks of one guest instruction, no tier 2 */
    bool     interp;         /* no JIT: the IR interpreter runs everything (oracle) */
    bool     perf_map;       /* /tmp/perf-PID.map */
    bool     jitdump;        /* jit-PID.dump in the working folder, for perf inject --jit */
    uint32_t log;            /* TCG_LOG_ */
    const char *log_file;    /* NULL: stderr */
    size_t   code_bytes;     /* reservation of the code cache; 0 = default */
} TcgConfig;
enum { TCG_LOG_IN = 1, TCG_LOG_IR = 2, TCG_LOG_OPT = 4, TCG_LOG_OUT = 8, TCG_LOG_EXEC = 16 };

typedef struct TcgStats {
    /* by tier, [0] unused */
    uint64_t regions[3], guest_insns[3], code_bytes[3], translate_ns[3];
    uint64_t exits[TCG_N_EXITS]; /* of the vCPUs that have detached, and of the caller's */
    uint64_t flushes, invalidated, rejected;
} TcgStats;

/* NULL when no code memory can be had (err says why). ops and opaque must outlive it. */
TcgEngine *tcg_engine_new(const TcgGuest *guest, const TcgHostOps *ops, void *opaque,
                          const TcgConfig *config, char *err, size_t err_bytes);
/* Every vCPU has detached. */
void tcg_engine_free(TcgEngine *e);
void tcg_engine_stats(TcgEngine *e, TcgStats *out);
/* What was translated, how long that took, and why generated code left, as a few lines of text. */
void tcg_engine_report(TcgEngine *e, FILE *f);

/* Makes cpu runnable on the calling thread. Its header is zero; the target has reset the rest. */
void tcg_cpu_attach(TcgEngine *e, TcgCpu *cpu);
void tcg_cpu_detach(TcgCpu *cpu);

/* Runs until something the caller must handle happens; the state is then canonical. */
TcgExit tcg_run(TcgCpu *cpu);

/* Sets request bits; the vCPU leaves generated code at its next poll. Any thread, any handler. */
void tcg_request(TcgCpu *cpu, uint32_t bits);

/*
 * For the host's SIGSEGV/SIGBUS/SIGFPE/SIGILL handler on a vCPU's thread. If the context is in
 * generated code at a fault point: the guest state is restored, the context is changed so that on
 * return tcg_run() returns TCG_EXIT_FAULT (fault_addr, fault_write, fault_code set), and the
 * result is true. false: not ours (a helper or the emulator itself). Async-signal-safe.
 */
bool tcg_host_fault(TcgCpu *cpu, int sig, siginfo_t *si, void *ucontext);

/* Guest code bytes [start, end) changed, went or may have: drop what was made of them. */
void tcg_invalidate(TcgEngine *e, uint64_t start, uint64_t end);

/* Ends the background compiler, for system calls that want a process of one thread (unshare of a
 * user namespace); the next hot block starts it again. Waits for a compilation under way. To be
 * called on the thread of the only vCPU. */
void tcg_worker_stop(TcgEngine *e);

/* Around fork(): prepare takes the engine's locks in rank order, the others release; the child
 * gets a fresh code buffer and only `self` survives. */
void tcg_fork_prepare(TcgEngine *e);
void tcg_fork_parent(TcgEngine *e);
void tcg_fork_child(TcgEngine *e, TcgCpu *self);

#endif
