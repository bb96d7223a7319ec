/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest ISA tells the translator of itself: its state slots, helpers, FP rules, and the
 * function that turns guest code into IR. One constant TcgGuest per ISA, in target/<isa>/tcg/.
 *
 * One guest instruction, walked through (A64 `ldr x1, [x0, #8]!`):
 *   translate() decodes the row LDR_pre and calls its function, which builds
 *     v0 = ir_get(b, X0); v1 = ir_ld(b, IR_I64, 3, v0, 8) [snapshot taken: state before the insn];
 *     ir_put(b, X1, v1); ir_put(b, X0, ir_add(b, IR_I64, v0, const 8))   -- puts after the fault
 *   at the block's end the builder emits EXIT_LINK with a snapshot {X0, X1}; the back end emits
 *     mov r, [rbp+X0]; mov s, [r+8]; add r, 8; mov [rbp+X1], s; mov [rbp+X0], r; jmp [rip+link]
 *   and lists (PC of the mov) -> (guest PC, nothing stale).  If it faults, the host signal handler
 *   finds that entry, stores what is stale, sets the PC, and the guest gets its SIGSEGV.
 */
#ifndef GEMEL_TCG_GUEST_H
#define GEMEL_TCG_GUEST_H

#include "tcg/exits.h"
#include "tcg/ir.h"

struct TcgCpu;
struct IrBuilder;
struct CpuPort;
struct Error;
struct StateStream;

/* A register of the guest: always read and written whole. */
typedef struct TcgSlot {
    const char *name;
    uint32_t    offset;  /* bytes from the start of the guest's CPU struct (struct TcgCpu at 0) */
    uint8_t     type;    /* IR_I32, IR_I64, IR_V128, IR_FLAGS (packed, 32 bits in memory) ... */
    uint8_t     prefer;  /* 1: worth a host register first (hint for the allocator) */
} TcgSlot;

typedef uint64_t (*TcgIntFn)(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
/* `info`: op | type << 8 | esz << 16 | sub << 24 | (uint64_t)flags << 32. r may not alias a. */
typedef void (*TcgVecFn)(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info);

typedef enum TcgHelperKind { TCG_H_INT, TCG_H_VEC } TcgHelperKind;
typedef enum TcgHelperFp {
    TCG_FP_NONE,   /* touches no host FP state; soft-float on cpu->fp_flags is fine */
    TCG_FP_GUEST,  /* reads or writes the guest's MXCSR, which is loaded while it runs */
    TCG_FP_HOST    /* uses host FP: the caller switches MXCSR */
} TcgHelperFp;

typedef struct TcgHelper {
    const char *name;
    uint8_t     kind;      /* TcgHelperKind */
    uint8_t     fp;        /* TcgHelperFp */
    union { TcgIntFn i; TcgVecFn v; };
    const uint16_t *clobbers; /* CALLS: slots it may write, ended by 0xffff; NULL = none */
} TcgHelper;

/* The front end's view of one guest block while it is translated. */
typedef struct TcgBlockCtx {
    struct IrBuilder *b;
    uint64_t       pc;         /* guest address of the block */
    const uint8_t *code;       /* a copy of the guest's bytes at pc */
    uint32_t       code_bytes; /* how many are executable and were copied; >= 1 */
    uint32_t       max_insns;  /* stop after this many (goto the next PC) */
    uint64_t       mode;       /* mode word: everything else translation may depend on */
    const struct TcgCpu *cpu;  /* constant features only (CPU model), never register values */
    uint32_t       n_insns;    /* out: instructions translated */
    uint32_t       n_bytes;    /* out: bytes of `code` consumed */
    uint64_t       target[2];  /* out: direct successors (taken, fall-through) for region forming */
    uint32_t       n_targets;  /* out: 0, 1, 2 */
    bool           ends_in_call; /* out: terminator was a direct call; target[0] callee,
                                    target[1] the return address, not a direct successor */
} TcgBlockCtx;

/* ---- system mode: the guest has an MMU, exceptions and interrupts ---- */

typedef enum TcgAccess { TCG_READ, TCG_WRITE, TCG_FETCH } TcgAccess;

/*
 * Which view of memory an access uses. CURRENT is what ordinary loads and stores see; USER is what
 * unprivileged accesses of a privileged level see (A64 LDTR, STTR): ops marked IRF_USER.
 */
typedef enum TcgMmuIndex { TCG_MMU_CURRENT, TCG_MMU_USER, TCG_N_MMU } TcgMmuIndex;

/* What a table walk found for the 4 KiB page of an address. */
typedef struct TcgTlbFill {
    uint64_t gpa_page;   /* guest-physical address of that page */
    uint8_t  page_bits;  /* log2 of the mapping's size, 12 .. 48: how much an invalidation covers */
    bool     read, write, exec; /* allowed in this view; write false where the first write must be
                                   seen (dirty state) */
    bool     global;     /* not tagged with an ASID */
    bool     device;     /* Arm Device memory: unaligned accesses fault */
    bool     guarded;    /* BTI: fetches see TcgBlockCtx.mode | guarded bit */
    bool     secure;     /* MemAttrs.secure of accesses through it */
    bool     watch;      /* loads and stores ask TcgSystem.watch() first */
} TcgTlbFill;

/*
 * The system side of a guest ISA. All functions run on the vCPU's thread with canonical state.
 *
 * One load, walked through: generated code probes the TLB set of the current context; on a miss the
 * engine calls walk() with the address; it fills in TcgTlbFill, the engine finds the page's RAM by
 * CpuPort.as and enters it; MMIO stays on the slow path. When walk() says no, the engine restores the
 * state before the instruction and calls fault(), which takes the exception (ELR, ESR, FAR, PC to the
 * vector) by what walk() left in the CPU; the run loop goes on at the new PC.
 */
/* How a machine wants its CPUs; init()'s argument. */
typedef struct TcgSystemConfig {
    const char *cpu_model;   /* as typed after -cpu: "max", "cortex-a76,+feature,-feature" */
    bool        el2, el3;    /* Arm: these exception levels are there */
    bool        semihosting; /* Arm: HLT #0xf000 calls the host */
    bool        host_avx;    /* 16-byte loads of the host are single-copy atomic */
    uint64_t    counter_hz;  /* Arm: CNTFRQ_EL0; 0: the model's */
} TcgSystemConfig;

typedef struct TcgSystem {
    /* Once, after the CPU struct was zeroed, before tcg_cpu_attach(): model, features, port, timers;
     * then reset(). false: err names what is wrong with the model or the config. */
    bool     (*init)(struct TcgCpu *cpu, struct CpuPort *port, const TcgSystemConfig *config,
                     struct Error *err);
    void     (*fini)(struct TcgCpu *cpu);
    /* The tag of what an address means now under `mmu`: regime, level, ASID, VMID, PAN, stage 1 on,
     * security state ... Equal keys must mean equal translations, permissions included, until the
     * guest invalidates. The key's layout is the target's; invalidations match on parts of it. */
    uint64_t (*context)(const struct TcgCpu *cpu, TcgMmuIndex mmu);
    /* Translates va. false: it faults; fault() will be called with the same arguments. */
    bool     (*walk)(struct TcgCpu *cpu, uint64_t va, TcgAccess access, TcgMmuIndex mmu, TcgTlbFill *out);
    void     (*fault)(struct TcgCpu *cpu, uint64_t va, TcgAccess access, TcgMmuIndex mmu);
    /* A load or store of a page with TcgTlbFill.watch. true: it does not happen, fault() follows (a
     * watchpoint). May be NULL. */
    bool     (*watch)(struct TcgCpu *cpu, uint64_t va, unsigned bytes, TcgAccess access,
                      TcgMmuIndex mmu);
    /* Memory said MEM_NOTHING or MEM_ERROR: a synchronous external abort, or nothing on x86. Returns
     * true if an exception was taken (state before the instruction was restored), false: reads give
     * all ones, go on. */
    bool     (*bus_error)(struct TcgCpu *cpu, uint64_t va, TcgAccess access, TcgMmuIndex mmu);
    /* Generated code left for a reason that is an exception of the guest (SYSCALL, BREAK, UNDEF,
     * ALIGN, PC_ALIGN, BTI, PAC, DIVIDE, SYSTEM): takes it. PC is where the reason's comment says. */
    void     (*exception)(struct TcgCpu *cpu, TcgExit reason, uint64_t info);
    /* A line of the CPU's port is high or masks changed: takes an interrupt if one may be taken now.
     * true: it was taken, PC is its vector. */
    bool     (*interrupt)(struct TcgCpu *cpu);
    /* Would it end WFI (or HLT): a line is high, masked or not as the ISA says? */
    bool     (*wake)(const struct TcgCpu *cpu);
    /* The CPU as after power-on: PC at the reset vector. */
    void     (*reset)(struct TcgCpu *cpu);
    /* After reset(): start at pc with arg in the first argument register. kernel: at the level a
     * directly booted kernel expects; else (PSCI CPU_ON, SIPI) at CpuPort.start_level. */
    void     (*start)(struct TcgCpu *cpu, uint64_t pc, uint64_t arg, bool kernel);
    /* Or-ed into TcgBlockCtx.mode for code on a page with TcgTlbFill.guarded. */
    uint64_t   guarded_mode;
    /* For debugger and monitor; the vCPU is stopped, any thread. */
    void     (*print_regs)(const struct TcgCpu *cpu, void (*print)(void *opaque, const char *line),
                           void *opaque);
    bool     (*debug_translate)(struct TcgCpu *cpu, uint64_t va, uint64_t *gpa);
    bool     (*save)(struct TcgCpu *cpu, struct StateStream *s);
    bool     (*load)(struct TcgCpu *cpu, struct StateStream *s, struct Error *err);
} TcgSystem;

typedef struct TcgGuest {
    const char      *name;         /* "aarch64" */
    uint32_t         cpu_bytes;    /* size of its CPU struct, which starts with TcgCpu */
    const TcgSlot   *slots;
    uint16_t         n_slots;
    uint16_t         pc_slot;      /* where exits store the guest PC (I64); never ir_put by front ends */
    uint16_t         flags_slot;
    const TcgHelper *helpers;
    uint32_t         n_helpers;
    /*
     * The guest's floating point: evaluates one IR FP op (IRA_FP, scalar or vector) exactly, by
     * soft-float, raising into cpu->fp_flags, rounding by cpu->fp_mode. The interpreter's only FP,
     * and the cold path of the JIT's.
     */
    TcgVecFn         fp;
    /* true: under this mode word FP ops may run on host instructions with NaN etc. checks;
     * false: the JIT calls `fp` for each (default NaN, flush to zero: for now). */
    bool           (*fp_native)(uint64_t mode);
    /* Mode word of the state now: all that translation depends on. */
    uint64_t       (*mode)(const struct TcgCpu *cpu);
    /* MXCSR value for the state now (rounding; sticky bits clear, all masked). */
    uint32_t       (*mxcsr)(const struct TcgCpu *cpu);
    /* Builds the block at ctx->pc up to and including its terminator. Never fails: what can't be
     * executed becomes EXIT_RAISE. */
    void           (*translate)(TcgBlockCtx *ctx);
    /* One instruction as text; returns its length in bytes (>= 1). For logs; capstone may do it. */
    unsigned       (*disas)(const uint8_t *code, uint32_t bytes, uint64_t pc, char *out, size_t out_bytes);
    /* Under this mode word (with fp_native) operands and results are flushed to zero, by DAZ and FTZ
     * in mxcsr, and Inexact is known to be sticky already. NULL: never. */
    bool           (*fp_flush)(uint64_t mode);
    const TcgSystem *system;       /* NULL: user programs only */
} TcgGuest;

#endif
