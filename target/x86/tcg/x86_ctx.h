/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the x86 translate functions (`bool x86_gen_NAME(X86Ctx *c, const X86Insn *i)`) share.
 *
 * A function builds the IR of one instruction; c->arg is its row's argument. The loop in
 * x86_guest.c has called ir_insn(). It returns false when the instruction is UNDEFINED (#UD); then
 * it must not have put anything nor ended the block. A function that ends the block sets c->done.
 * Order inside: gets, computation, everything that can fault; then puts (tcg/builder.h).
 *
 * Widths: a value of 8 or 16 bits is an IR value whose low bits count; what stands above them is
 * unspecified, and x86_zx(), x86_sx() make it so where an op would read it. 32-bit results are I32
 * values and so zero-extended into their 64-bit register, as the architecture has it; 8- and
 * 16-bit results are inserted into the register (BFI): a partial register costs one op.
 */
#ifndef GEMEL_TARGET_X86_CTX_H
#define GEMEL_TARGET_X86_CTX_H

#include "target/x86/decode/x86_decode.h"
#include "target/x86/tcg/x86_helpers.h"
#include "target/x86/x86.h"
#include "tcg/builder.h"

typedef struct X86Ctx {
    IrBuilder    *b;
    TcgBlockCtx  *blk;
    uint64_t      pc, next;  /* of this instruction and of the one behind it */
    unsigned      arg;       /* column `arg` of the row */
    bool          done;      /* the block has its terminator */
} X86Ctx;

typedef bool (*X86GenFn)(X86Ctx *c, const X86Insn *i);

/* Column `arg` of x86_insns.def, by translate function. */
enum { X86_ALU_ADD, X86_ALU_OR, X86_ALU_ADC, X86_ALU_SBB, X86_ALU_AND, X86_ALU_SUB, X86_ALU_XOR,
       X86_ALU_CMP, X86_ALU_TEST };
enum { X86_SH_ROL, X86_SH_ROR, X86_SH_RCL, X86_SH_RCR, X86_SH_SHL, X86_SH_SHR, X86_SH_SHL2,
       X86_SH_SAR };
enum { X86_STR_MOVS, X86_STR_CMPS, X86_STR_STOS, X86_STR_LODS, X86_STR_SCAS };
enum { X86_CY_CLEAR, X86_CY_SET, X86_CY_NOT };
enum { X86_BT, X86_BTS, X86_BTR, X86_BTC };
enum { X86_TRAP_BREAK, X86_TRAP_PRIVILEGED };
enum { X86_HALF_LOW, X86_HALF_HIGH, X86_HALF_HL, X86_HALF_LH };
enum { X86_MIX_PACKSSWB, X86_MIX_PACKUSWB, X86_MIX_PACKSSDW, X86_MIX_PMULHUW, X86_MIX_PMULHW,
       X86_MIX_PMADDWD, X86_MIX_PSADBW };
enum { X86_SHUF_D, X86_SHUF_HW, X86_SHUF_LW };
/* vbin: an IrOpcode << 8, or one of these, with the element size in the low bits. */
enum { X86_VCMPEQ = 240, X86_VCMPGT, X86_VSHL, X86_VSHR, X86_VSAR, X86_VMULUDQ };

/* FP rows: what is computed in which format. Packed formats have an even number. */
enum { X86_FP_PS, X86_FP_SS, X86_FP_PD, X86_FP_SD };
enum { X86_FP_ADD, X86_FP_SUB, X86_FP_MUL, X86_FP_DIV, X86_FP_MIN, X86_FP_MAX, X86_FP_SQRT,
       X86_FP_CMP, X86_FP_UCOMIS, X86_FP_COMIS, X86_FP_TRUNC, X86_FP_ROUND, X86_FP_FROM_INT,
       X86_FP_CVTPS2PD, X86_FP_CVTPD2PS, X86_FP_CVTSS2SD, X86_FP_CVTSD2SS, X86_FP_CVTDQ2PS,
       X86_FP_CVTPS2DQ, X86_FP_CVTTPS2DQ, X86_FP_CVTTPD2DQ, X86_FP_CVTDQ2PD, X86_FP_CVTPD2DQ };

/* Bits of packed flags (tcg/ir.h). */
enum {
    X86_PF_O = 1 << 0, X86_PF_C = 1 << 8, X86_PF_P = 1 << 10, X86_PF_A = 1 << 12, X86_PF_Z = 1 << 14,
    X86_PF_S = 1 << 15,
    X86_PF_ALL = X86_PF_O | X86_PF_C | X86_PF_P | X86_PF_A | X86_PF_Z | X86_PF_S
};

/* A data address: base + (index << scale) + disp. */
typedef struct X86Addr {
    IrRef    base, index;
    unsigned scale;
    int64_t  disp;
} X86Addr;

static inline IrType x86_type(unsigned esz)
{
    return esz == 3 ? IR_I64 : IR_I32;
}

static inline unsigned x86_bits(unsigned esz)
{
    return 8u << esz;
}

static inline IrRef x86_reg(X86Ctx *c, unsigned n)
{
    return ir_get(c->b, X86_S_RAX + n);
}

static inline IrRef x86_const(X86Ctx *c, unsigned esz, uint64_t v)
{
    return ir_const(c->b, x86_type(esz), v);
}

static inline IrRef x86_zx(X86Ctx *c, unsigned esz, IrRef v)
{
    return esz == 3 ? v : ir_ext(c->b, IR_I32, esz, false, v);
}

static inline IrRef x86_sx(X86Ctx *c, unsigned esz, IrRef v)
{
    return esz >= 2 ? v : ir_ext(c->b, IR_I32, esz, true, v);
}

/* Register n, its low 1 << esz bytes := v. */
void  x86_put_reg(X86Ctx *c, unsigned esz, unsigned n, IrRef v);

/* ---- operands ---- */

/* A whole 128-bit operand (x86_sse.c); memory of a smaller one is zero-extended. */
IrRef x86_read_xmm(X86Ctx *c, const X86Insn *i, unsigned n);

/* Address of the memory operand; the same values may be used several times. */
X86Addr x86_addr(X86Ctx *c, const X86Insn *i);
/* The address as one value (atomics, LEA); without the segment base when `lea`. */
IrRef x86_addr_value(X86Ctx *c, X86Addr a);

static inline IrRef x86_ld(X86Ctx *c, IrType t, unsigned esz, unsigned flags, X86Addr a)
{
    return ir_ld(c->b, t, esz, flags, a.base, a.index, a.scale, a.disp);
}
static inline void x86_st(X86Ctx *c, unsigned esz, unsigned flags, X86Addr a, IrRef v)
{
    ir_st(c->b, esz, flags, a.base, a.index, a.scale, a.disp, v);
}

/* Integer operand n: register (bits above its size unspecified), memory, immediate. */
IrRef x86_read(X86Ctx *c, const X86Insn *i, unsigned n);
/* The same as 32 or 64 bits with nothing unspecified. */
static inline IrRef x86_read_zx(X86Ctx *c, const X86Insn *i, unsigned n)
{
    return x86_zx(c, i->op[n].esz, x86_read(c, i, n));
}
/* Stores to operand n: a memory store faults, so puts come after it. */
void  x86_write(X86Ctx *c, const X86Insn *i, unsigned n, IrRef v);

/* ---- flags ---- */

static inline IrRef x86_flags(X86Ctx *c)
{
    return ir_get(c->b, X86_S_FLAGS);
}

static inline void x86_put_flags(X86Ctx *c, IrRef fl)
{
    ir_put(c->b, X86_S_FLAGS, fl);
}

/* FL_ op of up to three arguments at a width. */
static inline IrRef x86_fl(X86Ctx *c, IrOpcode op, unsigned esz, IrRef a, IrRef b, IrRef d,
                           unsigned imm)
{
    return ir_emit(c->b, op, IR_FLAGS, esz, 0, 0, a, b, d, 0, imm);
}

/* Flags `a` in the packed bits of mask, flags `b` elsewhere. */
static inline IrRef x86_fl_mix(X86Ctx *c, IrRef a, IrRef b, unsigned mask)
{
    return ir_emit(c->b, IR_FL_MIX, IR_FLAGS, 0, 0, 0, a, b, 0, 0, mask);
}

/* An I32 in packed form as flags. */
static inline IrRef x86_fl_unpack(X86Ctx *c, IrRef packed)
{
    return ir_un(c->b, IR_FL_UNPACK, IR_FLAGS, packed);
}

/* I1: IrCond on the flags now. */
static inline IrRef x86_cond_now(X86Ctx *c, unsigned cond)
{
    return ir_emit(c->b, IR_FL_COND, IR_I1, 0, cond, 0, x86_flags(c), 0, 0, 0, 0);
}

/* I1: condition of Jcc, SETcc, CMOVcc, low four bits of the opcode. */
IrRef x86_cond(X86Ctx *c, unsigned cc);
/* An I1 or 0/1 value as the C of packed flags (an I32). */
IrRef x86_carry_bit(X86Ctx *c, IrRef bit);

/* ---- translation functions, by row ---- */
#define X86_GEN_DECL(name) bool x86_gen_##name(X86Ctx *c, const X86Insn *i);
X86_GEN_DECL(alu) X86_GEN_DECL(mov) X86_GEN_DECL(movzx) X86_GEN_DECL(movsx) X86_GEN_DECL(lea)
X86_GEN_DECL(xchg) X86_GEN_DECL(push) X86_GEN_DECL(pop) X86_GEN_DECL(leave) X86_GEN_DECL(pushf)
X86_GEN_DECL(popf) X86_GEN_DECL(sahf) X86_GEN_DECL(lahf) X86_GEN_DECL(cbw) X86_GEN_DECL(cwd)
X86_GEN_DECL(incdec) X86_GEN_DECL(not) X86_GEN_DECL(neg) X86_GEN_DECL(carry)
X86_GEN_DECL(direction) X86_GEN_DECL(cmov) X86_GEN_DECL(setcc) X86_GEN_DECL(cmpxchg)
X86_GEN_DECL(cmpxchg16b) X86_GEN_DECL(xadd) X86_GEN_DECL(bt) X86_GEN_DECL(bsf)
X86_GEN_DECL(popcnt) X86_GEN_DECL(bswap) X86_GEN_DECL(shift) X86_GEN_DECL(shld)
X86_GEN_DECL(imul) X86_GEN_DECL(mul) X86_GEN_DECL(div)
X86_GEN_DECL(jcc) X86_GEN_DECL(jmp) X86_GEN_DECL(jmp_ind) X86_GEN_DECL(jrcxz) X86_GEN_DECL(call)
X86_GEN_DECL(call_ind) X86_GEN_DECL(ret) X86_GEN_DECL(syscall) X86_GEN_DECL(trap) X86_GEN_DECL(ud)
X86_GEN_DECL(string) X86_GEN_DECL(nop) X86_GEN_DECL(prefetch) X86_GEN_DECL(fence)
X86_GEN_DECL(cpuid) X86_GEN_DECL(rdtsc) X86_GEN_DECL(ldmxcsr) X86_GEN_DECL(stmxcsr)
X86_GEN_DECL(vmov) X86_GEN_DECL(vmov_scalar) X86_GEN_DECL(vmov_half) X86_GEN_DECL(vbin)
X86_GEN_DECL(vmix) X86_GEN_DECL(vmask) X86_GEN_DECL(vshuf) X86_GEN_DECL(vshuf2)
X86_GEN_DECL(vshift_imm) X86_GEN_DECL(vshift_bytes) X86_GEN_DECL(movd) X86_GEN_DECL(movq)
X86_GEN_DECL(pinsrw) X86_GEN_DECL(pextrw) X86_GEN_DECL(fxsave) X86_GEN_DECL(fxrstor)
X86_GEN_DECL(fp_bin) X86_GEN_DECL(fp_cvt) X86_GEN_DECL(fp_from_int) X86_GEN_DECL(fp_to_int)
X86_GEN_DECL(fp_comis) X86_GEN_DECL(fldcw) X86_GEN_DECL(fnstcw)
#undef X86_GEN_DECL

#endif
