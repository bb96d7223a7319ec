/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vCPU header every guest CPU struct starts with, and why generated code returns.
 *
 * This header cuts the circle between target/<isa>/tcg, which needs to raise and to read FP flags,
 * and accel/tcg, which runs what they build: declared here, implemented by accel/tcg.
 *
 * Generated code keeps rbp = (char *)cpu + TCG_CPU_BIAS. The guest's registers follow the header,
 * the hottest first, so that one-byte displacements reach them.
 */
#ifndef GEMEL_TCG_RUNTIME_H
#define GEMEL_TCG_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#include "tcg/exits.h"
#include "tcg/guest.h"

/* Bits of the request word. Set from any thread or signal handler; read at polls. */
enum {
    TCG_REQ_SIGNAL = 1 << 0,  /* user mode: a guest signal is pending */
    TCG_REQ_EXIT   = 1 << 1,  /* return from tcg_run() with TCG_EXIT_REQUEST */
    TCG_REQ_FLUSH  = 1 << 2,  /* all code went: drop jump cache and return ring */
    TCG_REQ_STOP   = 1 << 3,  /* stop the world: park in tcg_run() until it is over */
    TCG_REQ_UPDATE = 1 << 4,  /* code of some addresses changed: look those up again */
    TCG_REQ_IRQ    = 1 << 5,  /* system: lines of the CPU's port changed, or masks: ask interrupt() */
    TCG_REQ_TLB    = 1 << 6,  /* system: another vCPU broadcast TLB operations */
    TCG_REQ_WORK   = 1 << 7,  /* system: run queued work (CpuPort.run_on), map changed */
};

typedef struct TcgJumpEntry { uint64_t pc; const void *host; } TcgJumpEntry;
enum { TCG_JC_BITS = 14, TCG_RING = 32, TCG_SPILLS = 512 };

/*
 * System mode: one guest page as generated code sees it. A tag is the address of the page when that
 * kind of access may go to host memory at address + addend, else an address that has its place in
 * another entry, so that it never matches. Where entry i of a set stands and what a probe looks
 * like: tcg/x86_64/softmmu.c.
 */
typedef struct TcgTlbEntry { uint64_t read, write, exec, addend; } TcgTlbEntry;
enum { TCG_TLB_BITS = 11, TCG_SYS_JC_BITS = 13 };

/* A direct link out of a region; data beside immutable code. dest first: `jmp [link]`. */
typedef struct TcgLink {
    const void *volatile dest; /* host address; the region's own cold stub while unresolved */
    uint64_t    pc;            /* guest target */
    const void *stub;          /* the cold stub: `lea rax, [this]; jmp link_miss` */
    struct TcgLink *next_in;   /* list of links into the same target; guarded by the code lock */
} TcgLink;

/* Where a region begins; data beside immutable code. */
typedef struct TcgEntry { uint64_t pc; } TcgEntry;

/*
 * The header. Owner: the vCPU's thread; only `request` may be written by others (atomically).
 */
typedef struct TcgCpu {
    /* spill area of generated code and argument area of vector calls */
    uint64_t      spill[TCG_SPILLS];
    IrVec         call_ret, call_arg[4];
    uint8_t       save_area[16 * 8 + 32 * 64]; /* registers around cold calls */
    TcgJumpEntry  jump_cache[1 << TCG_JC_BITS]; /* index: (pc >> 2) & mask */
    TcgJumpEntry  ring[TCG_RING];               /* return prediction */
    const struct TcgGuest *guest;
    void         *owner;        /* user thread or machine vCPU */
    const void *const *helpers; /* function pointers: guest->helpers, then the back end's own */
    void         *host_sp;      /* stack pointer of tcg_enter while generated code runs, else NULL */
    const void   *exit_stub;    /* host address that leaves to tcg_enter: for signal handlers */
    struct TcgVcpu *vcpu;       /* accel/tcg's private part */
    uint64_t      fault_addr;
    uint32_t      fault_write, fault_code; /* host si_code */
    uint32_t      mxcsr_host, mxcsr_scratch;
    uint64_t      scratch[4];
    uint32_t      fp_mode;      /* guest's: rounding IrRound 0..3 in bits 1:0, then guest's own bits */
    uint32_t      fp_flags;     /* sticky, as in Arm's FPSR: IOC 0, DZC 1, OFC 2, UFC 3, IXC 4, IDC 7 */
    /* System mode: TLB sets of the views (TcgMmuIndex), the jump cache of the context, and what the
     * cold path of a guest access calls; x64_slow_info() of it is in slow_info. */
    TcgTlbEntry  *tlb[TCG_N_MMU];
    TcgJumpEntry *sys_jump_cache; /* index: (pc >> 2) & mask of TCG_SYS_JC_BITS */
    bool        (*mem_slow)(struct TcgCpu *cpu, uint64_t va, const void *ret);
    uint32_t      slow_info;
    uint64_t      exit_info;
    uint32_t      exit_reason;  /* TcgExit */
    uint32_t      ring_top;     /* byte offset into ring: 0, 16, .. */
    uint32_t      mxcsr;        /* guest's, loaded while generated code runs */
    uint32_t      request;      /* TCG_REQ_; last, next to the registers */
} __attribute__((aligned(64))) TcgCpu;

/* Guest registers start here; generated code's base register points 128 bytes further. */
#define TCG_CPU_BIAS ((int)sizeof(TcgCpu) + 128)

/* ---- implemented by accel/tcg; for helpers, called on the vCPU's thread ---- */

/* Sticky FP flags of the guest now: cpu->fp_flags plus what MXCSR holds if JIT code is running. */
uint32_t tcg_fp_flags(TcgCpu *cpu);
void     tcg_set_fp_flags(TcgCpu *cpu, uint32_t flags);
/* Leave generated code from inside a CALLS helper; the state was written back. Does not return. */
void     tcg_raise(TcgCpu *cpu, TcgExit reason, uint64_t info) __attribute__((noreturn));
/* Guest code at [addr, addr + len) may have changed: drop what was made of it (IC IVAU). */
void     tcg_guest_icache_invalidate(TcgCpu *cpu, uint64_t addr, uint64_t len);

/* ---- system mode ---- */

/*
 * Invalidates cached translations whose context key k (TcgSystem.context) has
 * (k & key_mask) == key, of `bytes` from va on (0: all addresses), on this vCPU or, with broadcast,
 * on all. Addresses are compared in bits 55:0 only: a tagged address (A64 top byte ignored) has TLB
 * entries of its own, which go with the others. Takes effect on this vCPU at once; on others at their next safe point, and
 * tcg_tlb_sync() waits for that (DSB).
 */
typedef struct TcgTlbOp {
    uint64_t key, key_mask;
    uint64_t va, bytes;
    bool     broadcast;
    bool     keep_global; /* only entries tagged with an ASID */
} TcgTlbOp;
void tcg_tlb_invalidate(TcgCpu *cpu, const TcgTlbOp *op);
void tcg_tlb_sync(TcgCpu *cpu);
/* The context key may have changed (TTBR, ASID, EL, SCTLR.M, PAN ...): take the current one. Cheap when
 * it was seen lately. Whoever changes mode word or context from a helper ends the block with
 * TCG_EXIT_ISB, after which the run loop does this by itself; exceptions likewise. */
void tcg_context_changed(TcgCpu *cpu);
/* One access as an ordinary load or store of the guest would make it, from a CALLS helper: probes,
 * walks, faults (does not return then). bytes 1..16, any alignment. For DC ZVA, x86 string ops. */
void tcg_mem_load(TcgCpu *cpu, uint64_t va, void *dst, unsigned bytes, TcgMmuIndex mmu);
void tcg_mem_store(TcgCpu *cpu, uint64_t va, const void *src, unsigned bytes, TcgMmuIndex mmu);
/* The CPU's port (core/cpu.h); NULL in user mode. */
struct CpuPort *tcg_port(const TcgCpu *cpu);

#endif
