/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core of the x86-64 back end: what analysis, register allocation and emission share.
 * Rows (vec*.c, fp*.c) see only x64.h.
 *
 * Register ids: 0-15 are the GPRs, 16-47 the vector registers 0-31.
 */
#ifndef GEMEL_TCG_X64_CORE_H
#define GEMEL_TCG_X64_CORE_H

#include "tcg/x86_64/x64.h"

#define X64_VEC_LOW  (0xffffull << 16)
#define X64_VEC_HIGH (0xffffull << 32)
enum { X64_N_REGS = 48, X64_VEC0 = 16, X64_NONE = 0xff };
#define X64_INF      0x7fffffffu /* no strong use */
#define X64_FAR      100000u     /* a use behind a loop exit counts as this much farther */
#define X64_COLD_FAR 2000u       /* a use behind an edge into cold code */

enum { X64_CLS_NONE, X64_CLS_GPR, X64_CLS_VEC };
enum { X64_NEED_NO, X64_NEED_LAZY, X64_NEED_EMIT };
enum { X64_HOME_SPILL, X64_HOME_SLOT, X64_HOME_CONST };

/* What is known of one IR value. */
typedef struct X64Val {
    IrRef    canon;      /* the value it is another name of (VLO, COPY, FL_UNPACK), or itself */
    uint8_t  cls;        /* X64_CLS_ */
    uint8_t  type;       /* IrType its home holds: V128 when a VZEXT is another name of it */
    bool     zero_up;    /* scalar whose register is zero above it */
    uint8_t  need;       /* X64_NEED_ */
    uint8_t  home;       /* X64_HOME_: where it is when not in a register */
    uint8_t  hint;       /* register id it would like, or X64_NONE */
    bool     fused;      /* a condition computed by its consumers */
    bool     mat;        /* FLAGS: packed form wanted */
    bool     strong_phi; /* PHI with a use that is not a snapshot's */
    bool     no_fuse;
    uint8_t  weak;       /* straight.c: a snapshot wants it, 1 + depth of the recipe it is in */
    uint16_t n_uses;     /* by emitted ops */
    uint16_t spill;      /* first 8-byte spill slot + 1 */
    uint32_t global;     /* index among values that cross blocks, + 1 */
    const X64Row *row;
    /* state while a block is emitted */
    uint8_t  reg;        /* register id or X64_NONE */
    bool     in_mem;     /* its home holds the value */
    uint32_t uses;       /* strong uses still to come in this block: index into X64Core.uses */
    uint32_t last_weak;  /* position of the last snapshot use in this block; X64_INF: live out */
    uint32_t out_pos;    /* position of the first strong use after this block, or X64_INF */
} X64Val;

typedef struct X64Use {
    uint32_t pos, next;  /* next: a later one of the same value */
    IrRef    v;
} X64Use;

/* A value live at a block's entry: where the block expects it. */
typedef struct X64In {
    IrRef   v;
    uint8_t reg;         /* register id, or X64_NONE: in memory only */
    bool    in_mem;      /* its home holds it as well */
} X64In;

/* What EFLAGS hold now: the comparison of two values (or of one with 0), or nothing. */
typedef struct X64Eflags {
    uint8_t kind;        /* IR op: CMP for a - b, FL_ADD, FL_LOGIC ...; 0 = unknown */
    uint8_t esz;
    IrRef   a, b;
} X64Eflags;

typedef struct X64Blk {
    uint32_t len;        /* positions in the block; position len - 1 is its edges */
    uint32_t order;      /* place in the emission order */
    bool     entry_known;
    bool     emitted;
    X64In   *in;
    uint32_t n_in;
    X64Label label;
    X64Eflags fl;        /* at entry, when there is a single predecessor */
} X64Blk;

/* A list of state locations under construction (faults, polls, exits). */
typedef struct X64Locs {
    uint32_t first, n;
} X64Locs;

/* An edge whose moves stand out of line. */
typedef struct X64Stub {
    X64Label label;
    IrBlk    to;
    struct X64Move *moves;
    uint32_t n;
    struct X64Stub *next;
} X64Stub;

/* One move of an edge. Places: a register id, or X64_PLACE_MEM + spill slot, or X64_PLACE_HOME. */
enum { X64_PLACE_MEM = 64, X64_PLACE_HOME = 0xfffe };
typedef struct X64Move {
    IrRef    v;          /* the value moved */
    uint16_t dst, src;
    uint8_t  cls, type;
} X64Move;

typedef struct X64Pool {
    uint64_t lo, hi;
    uint32_t off;        /* in the data area */
} X64Pool;

typedef struct X64Core {
    X64Ctx        ctx;          /* ctx.core points back */
    const IrRegion *r;
    const struct TcgGuest *guest;
    TcgCodeBuf   *buf;
    Arena        *arena;
    X64Val       *val;          /* one per IrRef */
    X64Blk       *blk;
    IrBlk        *order;        /* emission order */
    uint32_t      n_order;
    IrRef        *globals;      /* values that cross blocks */
    uint32_t      n_globals, n_words;
    uint32_t     *in_dist;      /* n_blocks * n_globals: first strong use from the block's start */
    uint64_t     *in_weak;      /* n_blocks * n_words bits: a snapshot may use it later */
    X64Use       *uses;         /* of the current block, the last position first */
    uint32_t      n_uses, cap_uses; /* those behind n_uses were popped */
    uint8_t      *weak_ends;    /* straight.c, by position: some value's last snapshot use is there.
                                   NULL: may be anywhere */
    IrRef        *stack;        /* worklist */
    uint32_t      n_stack, cap_stack;

    /* allocation state */
    IrRef         regval[X64_N_REGS];
    uint64_t      free;         /* registers holding nothing */
    uint64_t      pinned;       /* not to be evicted by the current op */
    uint64_t      allocatable[3]; /* by class */
    uint64_t      op_regs;      /* registers the current op may use: without AVX-512's 16-31,
                                   which hold values that wait, unless its row has X64R_HI */
    uint64_t      hinted;       /* registers that are some slot's */
    uint8_t       slot_reg[IR_MAX_SLOTS];
    uint32_t      pos;          /* of the current op in its block */
    IrBlk         cur;
    uint64_t      spill_used[TCG_SPILLS / 64];
    bool          out_of_spills;
    X64Eflags     fl;
    uint64_t      call_save;    /* registers a C call destroys */

    /* output */
    X64Cold      *cold_first, **cold_last;
    X64Stub      *stub_first, **stub_last;
    TcgFaultPoint *faults;
    uint32_t      n_faults, cap_faults;
    TcgLoc       *locs;
    uint32_t      n_locs, cap_locs;
    TcgRecipe    *recipes;
    IrRef        *recipe_ops;   /* what recipe i computes */
    uint32_t      n_recipes, cap_recipes, cap_recipe_ops;
    X64Locs       last_capture;
    uint64_t     *consts;
    uint32_t      n_consts, cap_consts;
    TcgLink      *links;        /* in the data area */
    uint32_t      n_links, cap_links;
    size_t        data_used;    /* becomes buf->data_used on success */
    X64Pool      *pool;         /* 16-byte constants of this region */
    uint32_t      n_pool, cap_pool;
    int32_t      *counter;      /* in the data area */
    bool          data_full;
} X64Core;

static inline IrRef x64_canon(const X64Core *k, IrRef v) { return k->val[v].canon; }
static inline bool x64_is_const(const X64Core *k, IrRef v)
{
    return k->r->ops[v].op == IR_CONST;
}
static inline bool x64_fits_i32(uint64_t v) { return (uint64_t)(int64_t)(int32_t)v == v; }

/*
 * The constant as an immediate of an op working in `bytes` (4 or 8) bytes: sign-extended imm32 in
 * *imm, false when it does not fit.
 */
bool x64_imm_fits(const X64Core *k, IrRef v, unsigned bytes, uint64_t *imm);

/* ---- analyze.c ---- */
void x64_analyze(X64Core *k);
/* FLAGS value f is read by re-doing its comparison from its operands, not from packed form. */
bool x64_operand_form(const X64Core *k, IrRef f);
/*
 * The values op v really reads when emitted, fused conditions expanded: up to X64_MAX_ARGS, with
 * `imm_ok` bits for those that may be immediates. Returns how many.
 */
enum { X64_MAX_ARGS = 6 };
unsigned x64_args(const X64Core *k, IrRef v, IrRef out[X64_MAX_ARGS], unsigned *imm_ok);
/* The AND that is part of compare-with-zero `cmp`, the SHL that is part of `add`; or IR_NONE. */
IrRef    x64_tested(const X64Core *k, IrRef cmp);
IrRef    x64_scaled(const X64Core *k, IrRef add);
/* Calls fn for every value a snapshot's use of v really needs (recipes expanded). */
void x64_leaves(X64Core *k, IrRef v, uint32_t pos, void (*fn)(X64Core *, IrRef, uint32_t));
/* The steps of x64_analyze() that straight.c takes in its own order. */
void     x64_init_val(X64Core *k, IrRef v);            /* arguments' first */
void     x64_need_args(X64Core *k, const IrOp *op);    /* op is emitted: so are these */
bool     x64_is_recipe(const X64Core *k, IrRef v, unsigned depth); /* may stay X64_NEED_LAZY */
void     x64_count_uses(X64Core *k, IrRef v);          /* of an emitted op, for fusing */
void     x64_count_use(X64Core *k, IrRef user, unsigned i, IrRef a); /* one: argument i, canonical */
bool     x64_takes_imm(const X64Core *k, IrRef v, unsigned i, IrRef a); /* constant argument i of v */
bool     x64_can_fuse(const X64Core *k, IrRef v);      /* all uses counted */
static inline bool x64_is_cond_op(unsigned op)
{
    return op == IR_CMP || op == IR_FL_COND || op == IR_FCMP;
}

/* ---- regalloc.c ---- */
uint32_t x64_next_use(const X64Core *k, IrRef v);
void     x64_begin_block(X64Core *k, IrBlk b);
void     x64_add_use(X64Core *k, IrRef v, uint32_t pos); /* last position first */
/* Picks a register of a class from `allowed`, evicting when needed; pins it. */
unsigned x64_alloc(X64Core *k, unsigned cls, uint64_t allowed, unsigned hint);
/* Puts v into a register in `allowed` and pins it; returns the register id. */
unsigned x64_use(X64Core *k, IrRef v, uint64_t allowed);
void     x64_evict(X64Core *k, unsigned reg);
void     x64_spill(X64Core *k, IrRef v);            /* make its home hold it */
void     x64_bind_val(X64Core *k, IrRef v, unsigned reg); /* v is defined in reg now */
void     x64_unbind_val(X64Core *k, IrRef v);
bool     x64_dies(const X64Core *k, IrRef v);       /* no use after the current position */
void     x64_end_op(X64Core *k, IrRef v);           /* pops uses, frees what died */
X64Mem   x64_home(X64Core *k, IrRef v);             /* memory operand of its home */
void     x64_load(X64Core *k, IrRef v, unsigned reg); /* emits: reg = v from its home */
void     x64_move(X64Core *k, unsigned dst, unsigned src); /* emits: register to register */
void     x64_store_home(X64Core *k, unsigned reg, unsigned type, X64Mem m);
/* Frees one certain register, keeping its value elsewhere (not in `forbid`); pins it. */
void     x64_vacate(X64Core *k, unsigned reg, uint64_t forbid);
uint16_t x64_spill_slot(X64Core *k, IrRef v);       /* its spill slot + 1, made when needed */
X64Mem   x64_spill_mem(unsigned spill);

/* ---- edges.c ---- */
/* Fixes the target's entry state if nobody did, and lists the moves edge `idx` of block from needs
 * into m (room for X64_MAX_MOVES). Returns how many. */
enum { X64_MAX_MOVES = 256 };
unsigned x64_edge(X64Core *k, IrBlk from, unsigned idx, X64Move *m);
void     x64_emit_moves(X64Core *k, X64Move *m, unsigned n);

/* ---- emit.c: moves, constants, rows ---- */
void     x64_load_home(X64Core *k, unsigned reg, unsigned type, X64Mem m);
void     x64_emit_op(X64Core *k, IrRef v);
/* An operand for a comparison and the like: immediate, memory or register, as comes cheapest. */
X64Arg   x64_operand(X64Core *k, IrRef v, bool imm_ok, unsigned bytes);
X64Arg   x64_reg_operand(X64Core *k, IrRef v);
/* Picks and pins the result's register; `dying` arguments' registers may be reused. */
unsigned x64_pick_dst(X64Core *k, IrRef v, uint64_t dying);
/* After the op's code: pops uses and defines v in dst (X64_NONE: no result). */
void     x64_finish_op(X64Core *k, IrRef v, unsigned dst);
bool     x64_no_use(const X64Core *k, IrRef v);
/* Calls a vector helper (index + 1; 0: ir_eval) on the operands, every register preserved. */
void     x64_call_vec(X64Core *k, const IrOp *op, const X64Regs *r, uint32_t helper);

/* ---- flags.c ---- */
/* reg (GPR number) = operand, or op reg with operand. */
void     x64_mov_arg(X64Core *k, unsigned bytes, unsigned reg, const X64Arg *a);
void     x64_alu_arg(X64Core *k, unsigned bytes, unsigned alu, unsigned reg, const X64Arg *a);
/* Sets EFLAGS as the FL_ or CMP op says from its operands; uses rax. */
void     x64_set_eflags(X64Core *k, const IrOp *op, const X64Arg *a);
/* Packed flags in ax from EFLAGS just set for `op`. */
void     x64_pack_eflags(X64Core *k, const IrOp *op);
/* The condition of I1 value a (fused, or FL_COND itself), operands in `args`; emits the compare. */
X64Cond  x64_condition(X64Core *k, IrRef a, const X64Arg *args);
unsigned x64_cond_operands(X64Core *k, IrRef a, X64Arg *args); /* brings them in place; how many */
void     x64_emit_select(X64Core *k, IrRef v);
void     x64_emit_cond(X64Core *k, IrRef v);   /* CMP, FL_COND, FCMP into a register */
void     x64_mix_flags(X64Core *k, const IrOp *op, const X64Arg *a);
void     x64_emit_flags(X64Core *k, IrRef v);  /* FL_x packed into a register; FL_PACK, FL_SEL */
void     x64_jump_cond(X64Core *k, X64Cond c, X64Label *yes); /* falls through when false */

/* ---- mem.c ---- */
bool     x64_emit_mem(X64Core *k, IrRef v);    /* LD, ST, AT_, FENCE, PREFETCH */

/* ---- softmmu.c: accesses of regions with IrRegion.soft_tlb ---- */
typedef struct X64Soft {
    X64Mem   va;         /* [register + displacement] */
    uint8_t  t;          /* temporary */
    X64Cold *cold;
} X64Soft;
/* Temporaries for a probe of the address: before state is captured. */
void     x64_soft_begin(X64Core *k, X64Mem va, X64Soft *s);
/* Emits the probe. r: dst (X64_NOREG: result not wanted) and arguments 1 and 2, as the cold path
 * needs them. Returns where the access goes. */
X64Mem   x64_soft_probe(X64Core *k, const IrOp *op, X64Soft *s, const X64Regs *r, X64Locs l);
/* The access is done, the cold path joins. */
void     x64_soft_end(X64Core *k, X64Soft *s);

/* ---- straight.c ---- */
void     x64_straight(X64Core *k);             /* analysis and body of IrRegion.straight */

/* ---- exits.c ---- */
X64Locs  x64_capture(X64Core *k, uint32_t snap);
/* Captures made since x64_mark() serve no fault and no stub: they leave the tables. */
typedef struct X64Mark { uint32_t n_locs, n_recipes, n_consts; } X64Mark;
static inline X64Mark x64_mark(const X64Core *k)
{
    return (X64Mark){k->n_locs, k->n_recipes, k->n_consts};
}
static inline void x64_forget(X64Core *k, X64Mark m)
{
    k->n_locs = m.n_locs;
    k->n_recipes = m.n_recipes;
    k->n_consts = m.n_consts;
}
void     x64_store_locs(X64Core *k, X64Locs l);
void     x64_store_pc(X64Core *k, uint64_t pc);
void     x64_fault_point(X64Core *k, const IrOp *op, X64Locs l);
bool     x64_emit_exit(X64Core *k, IrRef v);   /* POLL, PUSH_RET, EXIT_ */
bool     x64_emit_call(X64Core *k, IrRef v);   /* CALL, CALLP, VCALL, VCALLP, CALLS */
/* The same between a comparison and the jump on cc: EFLAGS stay as they are. false: that cannot be,
 * nothing was emitted. */
bool     x64_store_before_jump(X64Core *k, X64Locs l, unsigned cc);
void     x64_exit_link(X64Core *k, const IrOp *op, X64Locs l); /* EXIT_LINK with the state at l */
/* Poll and counter. Their way out stands in X64_ENTRY_STUB bytes before the region's code. */
enum { X64_ENTRY_STUB = 12 };
void     x64_emit_entry(X64Core *k, uint32_t heat);
void     x64_leave(X64Core *k, unsigned reason, uint64_t info);
TcgLink *x64_new_link(X64Core *k, uint64_t pc);
void     x64_link_stubs(X64Core *k);           /* behind the code: where unset links lead */
/* A cold stub of the core's own. */
X64Cold *x64_core_cold(X64Core *k, const IrOp *op, X64ColdFn fn, X64Locs l, uint64_t arg);

/* ---- prologue.c: fixed code at the start of every buffer ---- */
typedef struct X64Fixed {
    uint32_t enter, leave, link_miss, lookup_miss, entry_miss; /* offsets from buf->rx */
    uint32_t eval, call_vec, mem_slow;
    uint32_t host; /* TCG_HOST_ features: CPUID is slow in virtual machines */
} X64Fixed;
/* Kept at the start of the data area. */
static inline X64Fixed *x64_fixed(const TcgCodeBuf *buf) { return (X64Fixed *)buf->data; }
/* A call description in the data area, for the eval thunk: rax points at it. */
typedef struct X64EvalDesc {
    uint64_t imm, info;
    uint64_t helper;     /* call_vec: byte offset into cpu->helpers, + 8 */
} X64EvalDesc;
static inline uint64_t x64_info(const IrOp *op)
{
    return op->op | (uint64_t)op->type << 8 | (uint64_t)op->esz << 16 | (uint64_t)op->sub << 24 |
           (uint64_t)op->flags << 32;
}
static inline unsigned x64_info_op(uint64_t info) { return info & 0xff; }
static inline unsigned x64_info_flags(uint64_t info) { return info >> 32 & 0xffff; }

void     x64_emit_prologue(TcgCodeBuf *buf, uint32_t host);
void     x64_enter(const TcgCodeBuf *buf, TcgCpu *cpu, const void *code);
const void *x64_exit_address(const TcgCodeBuf *buf);
/* restore.c, disas.c */
void     x64_restore(const TcgCompiled *c, const TcgFaultPoint *fp, const TcgHostRegs *regs,
                     TcgCpu *cpu);
void     x64_disas(const TcgCompiled *c, FILE *f);

/* Space in the data area; offset from buf->data. Sets data_full when there is none. */
size_t   x64_data_alloc(X64Core *k, size_t bytes, size_t align);

/* A growing array, doubled in the arena. */
#define X64_PUSH(k, arr, n, cap) \
    ((n) == (cap) ? (void)((arr) = arena_grow((k)->arena, (arr), &(cap), (n) + 1, sizeof(*(arr)))) \
                  : (void)0, &(arr)[(n)++])

#endif
