/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The intermediate representation: typed SSA values in a small control-flow graph, the *region*.
 *
 * One region is what is translated, optimised, allocated and emitted together: one guest basic
 * block (tier 1) or a hot loop nest of some hundred (tier 2).  It is entered at block 0 only.
 *
 * Values
 *   An op's index is the name of its result (IrRef); IR_NONE is "no value".
 *   - Integers (IR_I1, IR_I32, IR_I64) live in a 64-bit container.  An op of type I32 reads the low
 *     32 bits of its integer operands, whatever their type, and its result is zero-extended into
 *     the container; an op of type I64 reads whole containers.  So an I32 value *is* its own zero
 *     extension and I64 values need no truncation: both conversions are free and have no op.
 *     I1 is 0 or 1.  8- and 16-bit values are I32 with explicit IR_ZEXT/IR_SEXT.
 *   - F16, F32, F64 are scalars in a vector register; the bits above are unspecified.
 *   - V128, V256, V512: element size is an attribute of the op (`esz`, log2 bytes), not of the
 *     value.
 *   - FLAGS: N Z C V (and P A for x86).  A value of type FLAGS is a *recipe*: "the flags of a-b".
 *     tcg/opt/flags.c turns its consumers into compares; it takes a register (in packed form,
 *     below) only where it feeds a phi or IR_FL_PACK.  Nobody pays for flags nobody reads.
 *   Packed flags: N bit 15, Z bit 14, A bit 12, P bit 10, C bit 8, V bit 0; other bits are
 *   unspecified and every reader masks them.  (What LAHF and SETO leave in AX.)  The flags slot of
 *   the guest state holds this form.  C has the polarity of the op that made it: IR_FL_SUB/SBC
 *   follow Arm (C = no borrow), IR_FL_SUBB follows x86 (C = borrow).
 *
 * Guest state
 *   The guest's registers are *slots* (struct TcgSlot in tcg/guest.h), each read and written
 *   whole, with one type.  IR_GET reads a slot's memory, which inside a region always still holds
 *   the value at region entry: writes (ir_put) emit nothing, the builder only remembers
 *   slot -> value.  Memory is brought up to date where the region is left.
 *   After building, maps are per block; tcg/opt/promote.c joins them over the graph with phis.
 *
 * Snapshots
 *   An op that can leave the region (a fault, a poll, an exit) names a snapshot: the guest PC and
 *   the slots whose memory is stale, with the values they have at the *start* of that guest
 *   instruction (for exits: at their end).  A front end must therefore put nothing before the last
 *   op of its instruction that can fault.  Use by a snapshot is a weak use: the value may sit in a
 *   register, a spill slot, be a constant, or a cheap recipe (IRA_RECIPE) computed in the cold stub.
 *
 * What passes must not do: remove, duplicate, merge or reorder guest loads and stores, polls,
 * barriers, calls with effects; remove FP ops (they raise sticky flags) or commute their operands.
 *
 * Threads: a region belongs to the thread that builds it.
 */
#ifndef GEMEL_TCG_IR_H
#define GEMEL_TCG_IR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "util/arena.h"

struct TcgGuest;

typedef uint32_t IrRef;   /* index into IrRegion.ops; 0 is IR_NONE */
typedef uint16_t IrBlk;   /* index into IrRegion.blocks */
#define IR_NONE    ((IrRef)0)
#define IR_NO_BLK  ((IrBlk)0xffff)
#define IR_MAX_SLOTS 128  /* slots a guest may declare */

typedef enum IrType {
    IR_VOID, IR_I1, IR_I32, IR_I64, IR_F16, IR_F32, IR_F64, IR_F80,
    IR_V128, IR_V256, IR_V512, IR_FLAGS, IR_N_TYPES
} IrType;

/* The value of one vector register or scalar, as helpers and the interpreter see it. */
typedef union IrVec {
    uint8_t  u8[64];
    uint16_t u16[32];
    uint32_t u32[16];
    uint64_t u64[8];
    int8_t   s8[64];
    int16_t  s16[32];
    int32_t  s32[16];
    int64_t  s64[8];
} IrVec __attribute__((aligned(64)));

typedef enum IrOpcode {
#define IR_OP(name, text, nargs, attrs, doc) IR_##name,
#include "tcg/ops.def"
#undef IR_OP
    IR_N_OPS
} IrOpcode;

/* Attributes of an opcode (column `attrs` of ops.def). */
enum {
    IRA_PURE   = 1 << 0,  /* no effect: may be removed, merged, hoisted */
    IRA_FAULT  = 1 << 1,  /* may fault: carries a snapshot */
    IRA_EFFECT = 1 << 2,  /* has an effect: never removed or moved */
    IRA_FP     = 1 << 3,  /* raises sticky FP flags, reads the rounding mode: not removed */
    IRA_TERM   = 1 << 4,  /* ends a block */
    IRA_COMM   = 1 << 5,  /* arg 0 and arg 1 may be swapped */
    IRA_RECIPE = 1 << 6,  /* cheap: computed in the cold stub when only snapshots use it */
    IRA_FLAGS  = 1 << 7,  /* produces a FLAGS value */
    IRA_SNAP   = 1 << 8,  /* carries a snapshot although it cannot fault (polls, exits) */
    IRA_CMP    = 1 << 9,  /* the operand width is in esz, the type is that of the result */
};

/* Integer comparison (IrOp.sub of IR_CMP). Pairs differ in bit 0: cc ^ 1 is the negation. */
typedef enum IrCmp {
    IR_EQ, IR_NE, IR_ULT, IR_UGE, IR_ULE, IR_UGT, IR_SLT, IR_SGE, IR_SLE, IR_SGT
} IrCmp;

/*
 * Condition on a FLAGS value (IrOp.sub of IR_FL_COND). Numbered as in the Arm manual (condition
 * field), bit 0 negates; parity after them. HI/LS are "C and not Z" in the flags' own polarity.
 */
typedef enum IrCond {
    IR_C_EQ, IR_C_NE, IR_C_CS, IR_C_CC, IR_C_MI, IR_C_PL, IR_C_VS, IR_C_VC,
    IR_C_HI, IR_C_LS, IR_C_GE, IR_C_LT, IR_C_GT, IR_C_LE, IR_C_AL, IR_C_NV,
    IR_C_PE, IR_C_PO, IR_C_BE, IR_C_A /* BE = C or Z, A = neither (x86 borrow polarity) */
} IrCond;

/*
 * FP comparison (IrOp.sub of IR_FCMP, IR_VFCMP); false on unordered but for the U forms.
 * IR_F_S (or-ed in) makes quiet NaNs raise Invalid Operation too (FCMPE, FCMGE, FCMGT, CMPLTPS).
 */
typedef enum IrFCmp {
    IR_F_EQ, IR_F_NE_U, IR_F_LT, IR_F_GE_U, IR_F_LE, IR_F_GT_U, IR_F_GT, IR_F_LE_U,
    IR_F_GE, IR_F_LT_U, IR_F_UN, IR_F_OR,
    IR_F_S = 0x10
} IrFCmp; /* bit 0 negates */

/* Rounding (IrOp.sub of IR_FTOI, IR_FRINT, IR_FCVT). */
typedef enum IrRound {
    IR_R_NEAREST, IR_R_UP, IR_R_DOWN, IR_R_ZERO, /* Arm FPCR.RMode order */
    IR_R_AWAY,     /* to nearest, ties away from zero */
    IR_R_ODD,      /* FCVTXN */
    IR_R_DYNAMIC   /* the guest's current mode, which is in MXCSR while JIT code runs */
} IrRound;

/* Atomic read-modify-write (IrOp.sub of IR_AT_RMW). Result: the old value, zero-extended. */
typedef enum IrRmw {
    IR_RMW_ADD, IR_RMW_CLR /* old & ~v */, IR_RMW_XOR, IR_RMW_OR,
    IR_RMW_SMAX, IR_RMW_SMIN, IR_RMW_UMAX, IR_RMW_UMIN, IR_RMW_SWAP, IR_RMW_AND
} IrRmw;

typedef enum IrFence { IR_FENCE_FULL, IR_FENCE_LOAD, IR_FENCE_STORE, IR_FENCE_ISB } IrFence;

/* Why a region is left to C (IrOp.sub of IR_EXIT_RAISE; also seen in TcgCpu.exit_reason). */
typedef enum IrJumpKind { IR_J_JUMP, IR_J_CALL, IR_J_RET } IrJumpKind; /* sub of IR_EXIT_IND */

/* IrOp.flags */
enum {
    IRF_SEXT    = 1 << 0,  /* LD, VEXTR: sign-extend to the result type */
    IRF_ACQ     = 1 << 1,  /* LD: acquire */
    IRF_REL     = 1 << 2,  /* ST: release, sequentially consistent with acquire loads */
    IRF_ALIGN   = 1 << 3,  /* LD, ST, AT: misaligned address raises TCG_EXIT_ALIGN */
    IRF_ATOMIC  = 1 << 4,  /* 16-byte LD, ST: single-copy atomic when aligned */
    IRF_HALF    = 1 << 5,  /* V128 op on the low 64 bits; result bits 127:64 are 0 */
    IRF_HI      = 1 << 6,  /* VxXTL, VxMULL: source is the upper half */
    IRF_UNSIGNED= 1 << 7,  /* FTOI, ITOF: the integer is unsigned */
    IRF_NEGA    = 1 << 8,  /* FMA: arg 0 is negated first */
    IRF_NEGC    = 1 << 9,  /* FMA: arg 2 is negated first */
    IRF_EXACT   = 1 << 10, /* FRINT: raise Inexact */
    IRF_GPC     = 1 << 11, /* CONST: a guest code address (listed as relocation) */
    IRF_ALIGN16 = 1 << 12, /* LD, ST, AT (FEAT_LSE2): must not cross a 16-byte boundary */
    IRF_QUIET   = 1 << 13, /* FL_FCMP: an FCMP beside it raises; this one is a pure recipe */
    IRF_USER    = 1 << 14, /* LD, ST, AT: through TCG_MMU_USER, not TCG_MMU_CURRENT (system mode) */
    IRF_LATE    = 1 << 13, /* GET: behind CALLS; reads what the helper left, stays where it is */
};

/* One op; 48 bytes. Fields an op does not use are 0. See ops.def for their meaning per op. */
typedef struct IrOp {
    uint8_t  op;       /* IrOpcode; IR_NOP when removed */
    uint8_t  type;     /* IrType of the result */
    uint8_t  esz;      /* log2 bytes: element (vector), access (memory), operand width (compare) */
    uint8_t  sub;      /* condition, comparison, rounding, scale, kind */
    uint16_t flags;    /* IRF_ */
    uint16_t slot;     /* GET, PHI: the slot; else a hint: the slot this value was put into + 1 */
    IrRef    arg[4];
    uint64_t imm;
    uint32_t snap;     /* index into IrRegion.snaps, 0 = none */
    IrBlk    blk;      /* the block it stands in */
    uint16_t nargs;    /* PHI: number of arguments, which stand in IrRegion.phi_args at imm */
    IrRef    prev, next; /* order in the block; IR_NONE at the ends */
} IrOp;
_Static_assert(sizeof(IrOp) == 48, "IrOp");

typedef struct IrSnapEntry {
    uint16_t slot;
    uint16_t pad;
    IrRef    val;
} IrSnapEntry;

/* The guest state at one point: `pc`, and the slots whose memory is stale. */
typedef struct IrSnap {
    uint64_t pc;       /* guest PC of the instruction (faults, polls) or of the next (exits) */
    uint32_t first, n; /* entries in IrRegion.snap_entries */
    IrBlk    blk;      /* the block in which that state holds (where the instruction begins) */
    bool     full;     /* lists every stale slot: promotion adds none (behind CALLS) */
} IrSnap;

typedef struct IrBlock {
    uint64_t pc;           /* guest address of its first instruction */
    IrRef    first, last;  /* ops in order; PHIs first, one IRA_TERM op last */
    IrBlk    succ[2];      /* BR: [0]; BRC: [0] taken, [1] not taken; else IR_NO_BLK */
    uint16_t n_preds;
    uint16_t loop_depth;   /* filled by ir_region_analyze() */
    uint32_t preds;        /* first predecessor in IrRegion.preds, n_preds of them in edge order */
    uint32_t weight;       /* profile count, 0 = unknown; cold exits get 0 */
    bool     cold;         /* emit out of line */
    bool     loop_head;
    bool     inherits;     /* built on the slot map of its only predecessor */
    IrSnapEntry *out;      /* before promotion: slots this block wrote, with the last value */
    uint32_t n_out;
} IrBlock;

/*
 * A region. Everything it points to lives in `arena`. Op 0 is a dummy so that IR_NONE is 0.
 */
typedef struct IrRegion {
    Arena       *arena;
    const struct TcgGuest *guest;
    uint64_t     mode;      /* the guest mode word it was translated under */
    uint64_t     pc;        /* guest entry */
    IrOp        *ops;
    uint32_t     n_ops, cap_ops;
    IrBlock     *blocks;
    uint32_t     n_blocks, cap_blocks;
    IrBlk       *preds;     /* made by ir_region_analyze() */
    IrBlk       *rpo;       /* blocks in reverse post-order, hot ones first; n_rpo of them */
    uint32_t     n_rpo;
    IrSnap      *snaps;
    uint32_t     n_snaps, cap_snaps;
    IrSnapEntry *snap_entries;
    uint32_t     n_snap_entries, cap_snap_entries;
    IrRef       *phi_args;  /* arguments in the order of the block's preds */
    uint32_t     n_phi_args, cap_phi_args;
    unsigned     tier;      /* 1 or 2 */
    uint32_t     n_insns;   /* guest instructions translated */
    bool         soft_tlb;  /* system mode: guest accesses go through TcgCpu.tlb; links stay on the
                               page of `pc` */
    bool         straight;  /* tier 1: block 0 leads to block 1, which leaves or branches to two
                               blocks that are a link each; by ir_region_analyze() */
} IrRegion;

typedef struct IrOpInfo {
    const char *name;
    uint8_t     nargs;
    uint16_t    attrs;
} IrOpInfo;
extern const IrOpInfo ir_op_info[IR_N_OPS];
extern const char *const ir_type_names[IR_N_TYPES];

static inline IrOp *ir_op(const IrRegion *r, IrRef v) { return &r->ops[v]; }
static inline bool ir_has_attr(const IrOp *op, unsigned attr)
{
    return (ir_op_info[op->op].attrs & attr) != 0;
}
static inline bool ir_type_is_int(unsigned t) { return t >= IR_I1 && t <= IR_I64; }
static inline bool ir_type_is_vec(unsigned t) { return t >= IR_F16 && t <= IR_V512 && t != IR_F80; }

/* Predecessors, reverse post-order, loop heads and depths. Call after the graph changed. */
void ir_region_analyze(IrRegion *r);

/*
 * Checks every rule of this header: arguments defined before use and dominating, types, attributes,
 * snapshots where needed, one terminator, edges and phi counts.
 * Returns true, or false with a one-line reason in `why` (`why_bytes` long).
 */
bool ir_verify(const IrRegion *r, char *why, size_t why_bytes);

/* Prints the region as text, one op a line, with snapshots; guest PCs as comments. */
void ir_print(const IrRegion *r, FILE *f);

/* Parses what ir_print wrote (tests). Returns NULL and a reason on error. */
IrRegion *ir_parse(Arena *arena, const struct TcgGuest *guest, const char *text, char *why,
                   size_t why_bytes);

/* ---- passes, one file each under tcg/opt/. All keep the region verifiable. ---- */
void ir_opt_promote(IrRegion *r);  /* block-local slot maps -> SSA over the graph, full snapshots */
void ir_opt_fold(IrRegion *r);     /* constants, copies, algebra, address folding, local CSE */
void ir_opt_flags(IrRegion *r);    /* FL_COND and SELECT/BRC on flags -> CMP, FCMP, integer ops */
void ir_opt_phis(IrRegion *r);     /* phis in the type their values really have */
void ir_opt_dce(IrRegion *r);      /* pure ops nobody uses (snapshots count as uses) */
void ir_opt_licm(IrRegion *r);     /* pure ops out of loops, when cheap to keep live */

/* The pipeline for a tier: 1 or 2. With `dump` not NULL prints the region after each pass. */
void ir_optimize(IrRegion *r, unsigned tier, FILE *dump);

#endif
