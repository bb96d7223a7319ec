/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the A64 translate functions (`bool gen_NAME(A64Ctx *c, const A64Insn *i)`) share.
 *
 * A gen function builds the IR of one instruction. The loop in a64_guest.c has called ir_insn()
 * and checked the row's feature. It returns false when the instruction is UNDEFINED; then it must
 * not have put anything nor ended the block. A function that ends the block sets c->done.
 * Order inside: gets, computation, everything that can fault; then puts (tcg/builder.h).
 *
 * An I32 value is its own zero extension: W registers are put as they are.
 */
#ifndef GEMEL_TARGET_ARM_A64_CTX_H
#define GEMEL_TARGET_ARM_A64_CTX_H

#include "target/arm/a64.h"
#include "target/arm/decode/a64_decode.h"
#include "target/arm/tcg/a64_helpers.h"
#include "tcg/builder.h"

typedef struct A64Ctx {
    IrBuilder    *b;
    TcgBlockCtx  *blk;
    const A64Cpu *cpu;   /* constant parts only */
    uint64_t      pc;    /* of this instruction */
    uint64_t      mode;  /* A64_MODE_ */
    bool          done;  /* the block has its terminator */
    IrRef         sp_put; /* what the instruction put into SP (system level: is it aligned?) */
} A64Ctx;

/* A data address: base + (index << scale) + disp; index may be IR_NONE. */
typedef struct A64Addr {
    IrRef    base, index;
    unsigned scale;
    int64_t  disp;
} A64Addr;

static inline bool a64_feat(const A64Ctx *c, A64Feature f)
{
    return a64_has(c->cpu, f);
}

static inline IrType a64_type(unsigned sf)
{
    return sf ? IR_I64 : IR_I32;
}

/* ---- registers ---- */

/* Xn or Wn, 31 is zero. */
static inline IrRef a64_x(A64Ctx *c, unsigned n)
{
    return n == 31 ? ir_const(c->b, IR_I64, 0) : ir_get(c->b, A64_S_X0 + n);
}

/* Xn, 31 is SP. */
static inline IrRef a64_xsp(A64Ctx *c, unsigned n)
{
    return ir_get(c->b, A64_S_X0 + n); /* A64_S_SP is 31 */
}

static inline void a64_put_x(A64Ctx *c, unsigned n, IrRef v)
{
    if (n != 31) {
        ir_put(c->b, A64_S_X0 + n, v);
    }
}

static inline void a64_put_xsp(A64Ctx *c, unsigned n, IrRef v)
{
    ir_put(c->b, A64_S_X0 + n, v);
    if (n == 31) {
        c->sp_put = v;
    }
}

/* The whole V register as IR_V128. */
static inline IrRef a64_v(A64Ctx *c, unsigned n)
{
    return ir_get(c->b, A64_S_V0 + n);
}

static inline void a64_put_v(A64Ctx *c, unsigned n, IrRef v)
{
    ir_put(c->b, A64_S_V0 + n, v);
}

/* Scalar view of Vn: t is IR_F16, IR_F32 or IR_F64. */
static inline IrRef a64_f(A64Ctx *c, IrType t, unsigned n)
{
    return ir_un(c->b, IR_VLO, t, a64_v(c, n));
}

/* Scalar into Vn, the rest of the register becomes 0. */
static inline void a64_put_f(A64Ctx *c, IrType t, unsigned n, IrRef v)
{
    unsigned esz = t == IR_F16 ? 1 : t == IR_F32 ? 2 : 3;
    a64_put_v(c, n, ir_emit(c->b, IR_VZEXT, IR_V128, esz, 0, 0, v, 0, 0, 0, 0));
}

/* PSTATE.NZCV as a FLAGS value. */
static inline IrRef a64_flags(A64Ctx *c)
{
    return ir_get(c->b, A64_S_NZCV);
}

static inline void a64_put_flags(A64Ctx *c, IrRef fl)
{
    ir_put(c->b, A64_S_NZCV, fl);
}

/* I1: the condition of a `cond` field holds; 14 and 15 are always. */
static inline IrRef a64_cond(A64Ctx *c, unsigned cond)
{
    if (cond >= 14) {
        return ir_const(c->b, IR_I1, 1);
    }
    return ir_emit(c->b, IR_FL_COND, IR_I1, 0, cond, 0, a64_flags(c), 0, 0, 0, 0);
}

/* Flags from an nzcv field (N is bit 3): a constant in packed form. */
static inline IrRef a64_flags_const(A64Ctx *c, unsigned nzcv)
{
    uint32_t packed = (nzcv >> 3 & 1) << 15 | (nzcv >> 2 & 1) << 14 | (nzcv >> 1 & 1) << 8 | (nzcv & 1);
    return ir_un(c->b, IR_FL_UNPACK, IR_FLAGS, ir_const(c->b, IR_I32, packed));
}

/* ---- small values ---- */

static inline IrRef a64_imm(A64Ctx *c, unsigned sf, uint64_t v)
{
    return ir_const(c->b, a64_type(sf), sf ? v : (uint32_t)v);
}

static inline int64_t a64_sext(uint64_t v, unsigned bits)
{
    return (int64_t)(v << (64 - bits)) >> (64 - bits);
}

/* UBFX/SBFX of `len` bits from bit `lsb`. */
static inline IrRef a64_bits(A64Ctx *c, IrType t, bool sign, IrRef v, unsigned lsb, unsigned len)
{
    return ir_emit(c->b, sign ? IR_SBFX : IR_UBFX, t, 0, 0, 0, v, 0, 0, 0, lsb | len << 8);
}

/*
 * DecodeBitMasks() of the manual for logical immediates. false: reserved value (UNDEFINED).
 */
bool a64_bitmask(unsigned n, unsigned imms, unsigned immr, unsigned sf, uint64_t *out);

/* Rm extended (option: UXTB..SXTX) as I64 value, not yet shifted. */
IrRef a64_extend(A64Ctx *c, IrRef v, unsigned option);

/* ---- memory ---- */

/* Xn|SP + disp. */
static inline A64Addr a64_addr(A64Ctx *c, unsigned rn, int64_t disp)
{
    return (A64Addr){ .base = a64_xsp(c, rn), .disp = disp };
}

/* A 64-bit value as an address. */
static inline A64Addr a64_addr_of(IrRef v)
{
    return (A64Addr){ .base = v };
}

/*
 * The register-offset form: Xn|SP + extend(Rm, option) << shift. option: bit 1 must be set (the
 * caller returns false otherwise).
 */
A64Addr a64_addr_reg(A64Ctx *c, unsigned rn, unsigned rm, unsigned option, unsigned shift);

/* What the access uses: tags are stripped when the mode says that there are some. */
A64Addr a64_addr_strip(A64Ctx *c, A64Addr a);

/* Load and store. Type and esz as of IR_LD/IR_ST; the address may be used several times. */
static inline IrRef a64_ld(A64Ctx *c, IrType t, unsigned esz, unsigned flags, A64Addr a)
{
    a = a64_addr_strip(c, a);
    return ir_ld(c->b, t, esz, flags, a.base, a.index, a.scale, a.disp);
}

static inline void a64_st(A64Ctx *c, unsigned esz, unsigned flags, A64Addr a, IrRef v)
{
    a = a64_addr_strip(c, a);
    ir_st(c->b, esz, flags, a.base, a.index, a.scale, a.disp, v);
}

/* The address further on. */
static inline A64Addr a64_addr_add(A64Addr a, int64_t bytes)
{
    a.disp += bytes;
    return a;
}

/*
 * At the first instruction of a block, when PSTATE.BTYPE is tracked: raises TCG_EXIT_BTI if it may
 * not be entered so, then clears BTYPE. Only there can BTYPE be other than 0.
 */
void a64_check_btype(A64Ctx *c, uint32_t word);

/* ---- system level (a64_sysinsn.c) ---- */

static inline bool a64_is_system(const A64Ctx *c)
{
    return (c->mode & A64_MODE_SYSTEM) != 0;
}

static inline unsigned a64_el(const A64Ctx *c)
{
    return c->mode >> A64_MODE_EL_SHIFT & 3;
}

/* PSTATE.IL, a software step that is due, a tagged PC: the block is one exit, already built. */
bool a64_block_refused(A64Ctx *c);
/* Before an instruction when the mode word traps some (A64_MODE_FPTRAP, _SPBAD): true: it raises. */
bool a64_insn_trapped(A64Ctx *c, A64Feature feature, uint32_t word);
/* Before an instruction under A64_MODE_BREAK: raises when a hardware breakpoint is on it. */
void a64_check_breakpoint(A64Ctx *c);
/* Behind an instruction: leaves when SP became misaligned, or aligned again. */
void a64_check_sp(A64Ctx *c);
/* Software step (A64_MODE_STEP): the instruction is over, go on at v. Ends the current block. */
void a64_step_to(A64Ctx *c, IrRef v);
/* A direct jump, stepped or not. */
static inline void a64_goto(A64Ctx *c, uint64_t pc)
{
    if (c->mode & A64_MODE_STEP) {
        a64_step_to(c, ir_const_pc(c->b, pc));
    } else {
        ir_goto(c->b, pc);
    }
}
/* Leaves to C, which comes back at the next instruction with fresh code and a fresh mode word. */
void a64_end_with_sync(A64Ctx *c);
bool a64_sys_mrs(A64Ctx *c, unsigned encoding, unsigned rt);
bool a64_sys_msr(A64Ctx *c, unsigned encoding, unsigned rt);
bool a64_sys_hint(A64Ctx *c, unsigned hint);
/* NZCV, SSBS, FPCR, FPSR, RNDR, RNDRRS: the same code in both modes. false: none of them. */
bool a64_plain_mrs(A64Ctx *c, unsigned encoding, unsigned rt);
bool a64_plain_msr(A64Ctx *c, unsigned encoding, unsigned rt);
/* Helper A64SysOps.call, then on at the next instruction. */
bool a64_sys_call(A64Ctx *c, unsigned op, uint64_t imm);
/* DC ZVA, DC C* of the 64-byte line at v. */
bool a64_dc_zva(A64Ctx *c, IrRef v);
bool a64_dc_clean(A64Ctx *c, IrRef v);

/* ---- helpers ---- */

/* Pure or effectful vector helper; info carries esz, sub, flags. Result V128. */
static inline IrRef a64_vcall(A64Ctx *c, bool pure, A64HelperId h, unsigned esz, unsigned sub,
                              const IrRef arg[4])
{
    return ir_emit(c->b, pure ? IR_VCALLP : IR_VCALL, IR_V128, esz, sub, 0, arg[0], arg[1], arg[2],
                   arg[3], h);
}

#endif
