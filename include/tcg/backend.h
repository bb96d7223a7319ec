/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a host back end offers: compile a region to position-independent host code, and bring
 * guest state back from host registers when that code faults.
 *
 * Code and data. `jmp [rip + link]`, counters and constants live in a data area at a fixed distance
 * from the code area (both inside one 2 GiB reservation), so code has no absolute address and is
 * never patched. Code is written through `rw` and runs at `rx` (two mappings of the same pages).
 *
 * Threads: compile calls on one TcgCodeBuf are serialised by the caller (two threads compile into
 * two buffers); everything published is read-only but TcgLink.dest and counters.
 */
#ifndef GEMEL_TCG_BACKEND_H
#define GEMEL_TCG_BACKEND_H

#include "tcg/runtime.h"

typedef struct TcgCodeBuf {
    uint8_t *rw;             /* where code is written */
    uint8_t *rx;             /* where the same bytes run */
    size_t   code_bytes, code_used;
    uint8_t *data;           /* links, constants; read-write, private, near rx */
    size_t   data_bytes, data_used;
    size_t   counter_bytes;  /* of tier-1 counters, from the end of data: what every execution writes
                                is close together, for a forked child that has to copy it */
} TcgCodeBuf;

/* Where a stale slot's value is when the host PC is at a fault point. */
typedef enum TcgLocKind {
    TCG_LOC_GPR,    /* host integer register `reg` */
    TCG_LOC_VEC,    /* host vector register `reg` */
    TCG_LOC_SPILL,  /* cpu->spill[imm] */
    TCG_LOC_CONST,  /* constant imm (index into TcgCompiled.consts) */
    TCG_LOC_RECIPE, /* recipe imm (index into TcgCompiled.recipes) */
    TCG_LOC_SLOT    /* memory of another slot, unchanged since entry: imm = slot */
} TcgLocKind;
typedef struct TcgLoc { uint16_t slot; uint8_t kind, reg; uint32_t imm; } TcgLoc;

/* An IRA_RECIPE op evaluated at restore time: `info` and `imm` as ir_eval() takes them. */
typedef struct TcgRecipe { uint64_t info, imm; TcgLoc arg[3]; } TcgRecipe;

typedef struct TcgFaultPoint {
    uint32_t host_off;       /* of the faulting host instruction, from the region's code start */
    uint32_t loc, n_loc;     /* stale slots: entries in TcgCompiled.locs */
    uint64_t pc;             /* guest PC to set */
} TcgFaultPoint;

/* A compiled region. Its tables are one piece of memory. */
typedef struct TcgCompiled {
    const uint8_t *code;     /* rx address; also the entry */
    uint32_t       code_bytes;
    uint32_t       body_off; /* where the body starts, after poll and counter: for listings */
    TcgLink       *links;    /* in the data area */
    uint32_t       n_links;
    int32_t       *counter;  /* executions left until TCG_EXIT_HOT, in the data area; NULL: none */
    TcgFaultPoint *faults;   /* sorted by host_off */
    uint32_t       n_faults;
    TcgLoc        *locs;
    TcgRecipe     *recipes;
    uint64_t      *consts;
    uint32_t       n_locs, n_recipes, n_consts;
    void          *heap;     /* the tables when they are malloc'd: for tcg_compiled_free() */
} TcgCompiled;

/* Host registers at a signal, in encoding order (rax rcx rdx rbx rsp rbp rsi rdi r8..r15). */
typedef struct TcgHostRegs {
    uint64_t gpr[16];
    IrVec    vec[32];
} TcgHostRegs;

/* Host CPU features the back end uses; masked by GEMEL_HOST_CPU=sse4.2|avx2|avx512. */
enum {
    TCG_HOST_AVX = 1 << 0, TCG_HOST_AVX2 = 1 << 1, TCG_HOST_BMI1 = 1 << 2, TCG_HOST_BMI2 = 1 << 3,
    TCG_HOST_FMA = 1 << 4, TCG_HOST_LZCNT = 1 << 5, TCG_HOST_F16C = 1 << 6, TCG_HOST_AES = 1 << 7,
    TCG_HOST_PCLMUL = 1 << 8, TCG_HOST_AVX512VL = 1 << 9 /* F, VL, BW, DQ */,
    TCG_HOST_GFNI = 1 << 10, TCG_HOST_POPCNT = 1 << 11, TCG_HOST_MOVBE = 1 << 12,
    TCG_HOST_AVX512FP16 = 1 << 13, TCG_HOST_VBMI = 1 << 14, TCG_HOST_BITALG = 1 << 15,
};

typedef struct TcgBackend {
    const char *name;        /* "x86_64" */
    /* Features found, after masking. */
    uint32_t (*host_features)(void);
    /*
     * Emits the fixed code (enter, exit, link miss, lookup, save-all call) at the start of a
     * buffer; must precede any compile into it. Every buffer has its own copy. host: features as
     * host_features() found them (which is slow in virtual machines).
     */
    void (*emit_prologue)(TcgCodeBuf *buf, uint32_t host);
    /*
     * Compiles. heat: executions the tier-1 counter starts at (0: no counter). The tables go into
     * `tables`; NULL: malloc'd.
     * Returns false when the buffer is full (nothing is used up then) or the region needs more
     * spill slots than there are (out->code_bytes = 0xffffffff): the caller interprets it.
     */
    bool (*compile)(const IrRegion *r, TcgCodeBuf *buf, uint32_t heat, Arena *tables,
                    TcgCompiled *out);
    /* Run generated code at `code` until it leaves; exit_reason and exit_info are set. */
    void (*enter)(const TcgCodeBuf *buf, TcgCpu *cpu, const void *code);
    /* Address to continue a signal context at, so that enter() returns (regs lost, rbp kept). */
    const void *(*exit_address)(const TcgCodeBuf *buf);
    /* Stores the state as of fault point fp into cpu; async-signal-safe. */
    void (*restore)(const TcgCompiled *c, const TcgFaultPoint *fp, const TcgHostRegs *regs,
                    TcgCpu *cpu);
    /* Disassembles host code of c to f (capstone when built in, else hex). */
    void (*disas)(const TcgCompiled *c, FILE *f);
} TcgBackend;

extern const TcgBackend tcg_backend_x86_64;

void tcg_compiled_free(TcgCompiled *c);

/*
 * A guest access as TcgCpu.slow_info tells it to TcgCpu.mem_slow, whose arguments 1 and 2 stand in
 * call_arg[0] and [1], whose result goes to call_ret (integers extended to 64 bits). It returns true
 * to leave generated code: the state is canonical then.
 */
static inline uint32_t tcg_slow_info(const IrOp *o)
{
    return (uint32_t)(o->op - IR_LD) | (uint32_t)o->esz << 2 | (uint32_t)o->sub << 5 |
           (uint32_t)o->type << 9 | (uint32_t)o->flags << 13;
}
static inline IrOp tcg_slow_op(uint32_t info)
{
    return (IrOp){.op = (uint8_t)(IR_LD + (info & 3)),
                  .esz = info >> 2 & 7,
                  .sub = info >> 5 & 15,
                  .type = info >> 9 & 15,
                  .flags = (uint16_t)(info >> 13)};
}
/* Fault point at host address, or NULL. Async-signal-safe. */
const TcgFaultPoint *tcg_compiled_fault(const TcgCompiled *c, const void *host_pc);

/* ---- the interpreter back end (tcg/interp) ---- */

/* How the interpreter reaches guest memory; the default is host memory at address + base. */
typedef struct TcgInterpMem {
    void *opaque;
    /* Return false on a fault: the interpreter leaves with the op's snapshot and TCG_EXIT_FAULT. */
    bool (*load)(void *opaque, uint64_t addr, void *dst, unsigned bytes);
    bool (*store)(void *opaque, uint64_t addr, const void *src, unsigned bytes);
    /* LD, ST, AT_RMW, AT_CAS whole, b and c being arguments 1 and 2; alignment is checked here.
     * TCG_EXIT_NONE, or why the interpreter leaves with the op's snapshot; for TCG_EXIT_FAULT it says
     * itself where (in the CPU's fault_ fields, or its own). NULL: load and store. */
    TcgExit (*access)(void *opaque, const IrOp *o, uint64_t addr, const IrVec *b, const IrVec *c,
                      IrVec *res);
} TcgInterpMem;

/*
 * LD, ST, AT_RMW or AT_CAS *o on host memory; only op, type, esz, sub and flags are read. b, c:
 * arguments 1 and 2. Any alignment; atomic as the op says, for atomics within 16 aligned bytes.
 */
void ir_host_access(const IrOp *o, void *host, const IrVec *b, const IrVec *c, IrVec *res);

/*
 * Interprets a region from block 0 until it leaves. State is read from and written to cpu (slots),
 * PC included; the result is the exit reason with cpu->exit_info set as the JIT would
 * (EXIT_LINK: TCG_EXIT_LOOKUP with the PC stored). mem NULL: plain host accesses.
 * max_ops bounds endless loops: TCG_EXIT_REQUEST when it runs out at a poll.
 */
TcgExit ir_interp(const IrRegion *r, TcgCpu *cpu, const TcgInterpMem *mem, uint64_t max_ops);

/*
 * One pure or FP op on given argument values: the definition of every op that is neither memory
 * nor control. Integers in u64[0], FLAGS packed in u64[0]. FP ops go to cpu->guest->fp.
 * The x86-64 back end calls it for ops it has no code for, and in restore() for recipes.
 * `info` as TcgVecFn. Async-signal-safe.
 */
void ir_eval(TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info);

#endif
