/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the vector and FP rows (vec*.c, fp*.c): instruction descriptors and short forms.
 *
 * Source: Intel SDM volume 2, the opcode pages.
 */
#ifndef GEMEL_TCG_X64_VEC_H
#define GEMEL_TCG_X64_VEC_H

#include "tcg/x86_64/x64.h"

/*
 * Rows with X64R_HI: all their instructions on arguments, dst and temporaries exist as EVEX forms
 * (PCMPEQx, PTEST, PBLENDW, PHADDx, CMPPx to a vector, AES do not: on xmm15 only).
 */
enum { V15 = X64_VTMP };

/* 66-prefixed packed instructions in map m; XI_C commutative; XI_Q with EVEX.W. */
#define XI(m, op)   (XD(1, m, op) | XD_N(4))
#define XI_C(m, op) (XI(m, op) | XD_COMM)
#define XI_Q(m, op) (XI(m, op) | XD_EW)

#define XV_PAND       XI_C(1, 0xdb)
#define XV_PANDN      XI(1, 0xdf) /* ~first & second */
#define XV_POR        XI_C(1, 0xeb)
#define XV_PXOR       XI_C(1, 0xef)
#define XV_PCMPEQB    XI_C(1, 0x74)
#define XV_PCMPEQD    XI_C(1, 0x76)
#define XV_PSHUFD     XI(1, 0x70)
#define XV_PSHUFLW    (XD(3, 1, 0x70) | XD_N(4))
#define XV_PSHUFHW    (XD(2, 1, 0x70) | XD_N(4))
#define XV_PSHUFB     XI(2, 0x00)
#define XV_PALIGNR    XI(3, 0x0f)
#define XV_PBLENDW    XI(3, 0x0e)
#define XV_SHUFPS     (XD(0, 1, 0xc6) | XD_N(4))
#define XV_SHUFPD     XI_Q(1, 0xc6)
#define XV_INSERTPS   (XD(1, 3, 0x21) | XD_N(2))
#define XV_PUNPCKLQDQ XI_Q(1, 0x6c)
#define XV_PUNPCKHQDQ XI_Q(1, 0x6d)
#define XV_PUNPCKLWD  XI(1, 0x61)
#define XV_PUNPCKHBW  XI(1, 0x68)
#define XV_PUNPCKHWD  XI(1, 0x69)
#define XV_PACKUSWB   XI(1, 0x67)
#define XV_PACKUSDW   XI(2, 0x2b)
#define XV_PADDUSB    XI_C(1, 0xdc)
#define XV_PMULLW     XI_C(1, 0xd5)
#define XV_PMULHW     XI_C(1, 0xe5)
#define XV_PMULHUW    XI_C(1, 0xe4)
#define XV_PMULUDQ    (XI_Q(1, 0xf4) | XD_COMM)
#define XV_PMULDQ     (XI_Q(2, 0x28) | XD_COMM)
#define XV_PMADDWD    XI_C(1, 0xf5)
#define XV_PSADBW     XI_C(1, 0xf6)
#define XV_PADDQ      (XI_Q(1, 0xd4) | XD_COMM)
#define XV_PTEST      XI(2, 0x17)
#define XV_TERNLOG    XI(3, 0x25)

enum { SH_SRL = 2, SH_SRA = 4, SH_SLL = 6 };

static inline bool x64_has(const X64Ctx *c, uint32_t features)
{
    return (c->host & features) == features;
}

/* The table of one operation for element sizes 0-3; 0: no such instruction. */
typedef uint32_t X64Desc4[4];

/* d = s shifted by n; esz 1-3, SH_SRA with esz 3 only with AVX512VL. */
static inline void x64_vsh(X64Ctx *c, unsigned kind, unsigned d, unsigned s, unsigned esz_n)
{
    unsigned esz = esz_n & 3, n = esz_n >> 2;

    if (kind == SH_SRA && esz == 3) {
        x64_evex_rr(&c->as, XI_Q(1, 0x72), 0, kind, d, s, (int)n);
    } else {
        x64_vshift(&c->as, XI(1, 0x70 + esz) | (esz == 3 ? XD_EW : 0), kind, d, s, n);
    }
}
static inline void x64_psrldq(X64Ctx *c, unsigned d, unsigned s, unsigned bytes)
{
    x64_vshift(&c->as, XI(1, 0x73), 3, d, s, bytes);
}

/* d = s1 op argument (register or memory). */
static inline void x64_v3a(X64Ctx *c, uint32_t desc, unsigned d, unsigned s1, const X64Arg *a)
{
    if (a->kind == X64_ARG_MEM) {
        x64_v3m(&c->as, desc, d, s1, a->mem);
    } else {
        x64_v3(&c->as, desc, d, s1, a->reg);
    }
}

static inline void x64_zero(X64Ctx *c, unsigned d)
{
    x64_v3(&c->as, XV_PXOR, d, d, d);
}
static inline void x64_ones(X64Ctx *c, unsigned d)
{
    x64_v3(&c->as, XV_PCMPEQD, d, d, d);
}
/* d = low 64 bits of s, zero above. */
static inline void x64_low64(X64Ctx *c, unsigned d, unsigned s)
{
    x64_v2(&c->as, XV_MOVQX, d, s);
}

/* d = low 16 bits of s, zero above. */
static inline void x64_low16(X64Ctx *c, unsigned d, unsigned s)
{
    x64_vshift(&c->as, XI(1, 0x73), 7, d, s, 14);
    x64_psrldq(c, d, d, 14);
}

/* True when bits 127:64 of v are known to be 0. */
bool x64_is_low64(const X64Ctx *c, IrRef v);

/* ---- floating point (fp*.c) ---- */

#define XV_ANDPS (XD(0, 1, 0x54) | XD_N(4) | XD_COMM)
#define XV_ORPS  (XD(0, 1, 0x56) | XD_N(4) | XD_COMM)
#define XV_XORPS (XD(0, 1, 0x57) | XD_N(4) | XD_COMM)

/* The instruction of an arithmetic opcode for elements of esz 1 (AVX512-FP16), 2, 3. */
static inline uint32_t x64_fp_scalar(unsigned esz, unsigned op)
{
    return esz == 3   ? XD(3, 1, op) | XD_EW | XD_N(3)
           : esz == 2 ? XD(2, 1, op) | XD_N(2)
                      : XD(2, 5, op) | XD_N(1);
}
static inline uint32_t x64_fp_packed(unsigned esz, unsigned op)
{
    return esz == 3   ? XD(1, 1, op) | XD_EW | XD_N(4)
           : esz == 2 ? XD(0, 1, op) | XD_N(4)
                      : XD(0, 5, op) | XD_N(4);
}
/* (U)COMISx: op 0x2e quiet, 0x2f signals on quiet NaNs. */
static inline uint32_t x64_fp_comis(unsigned esz, unsigned op)
{
    return esz == 3   ? XD(1, 1, op) | XD_EW | XD_N(3)
           : esz == 2 ? XD(0, 1, op) | XD_N(2)
                      : XD(0, 5, op) | XD_N(1);
}

/* Element size of an arithmetic op: the scalar's type or, for V128, esz. */
static inline unsigned x64_fp_esz(const IrOp *op)
{
    return op->type == IR_V128 ? op->esz : op->type == IR_F64 ? 3 : op->type == IR_F32 ? 2 : 1;
}

/* The smallest normal number, 1.0 and the sign bit in every element. */
uint64_t x64_fp_all(unsigned esz, uint64_t element);
uint64_t x64_fp_min_normal(unsigned esz);

/*
 * Goes to cold when scalar (vector) res is a NaN or, with ufc, when its magnitude is the smallest
 * normal number: it may have been tiny before rounding, which is when Arm raises Underflow.
 * res may be xmm15, and is lost then.
 */
void x64_fp_check(X64Ctx *c, unsigned esz_ufc, unsigned res, X64Cold *cold);
void x64_fp_check_vec(X64Ctx *c, unsigned esz_ufc, unsigned res, X64Cold *cold);
enum { X64_FP_UFC = 0x100 };

/* Goes to cold when V128 m has a bit set. */
void x64_fp_test_vec(X64Ctx *c, unsigned m, X64Cold *cold);
/* AVX-512: VCMPPx to a mask register, and go to cold when k1 is not 0. */
uint32_t x64_fp_cmpk(unsigned esz);
void x64_fp_test_k1(X64Ctx *c, X64Cold *cold);

/*
 * A register with argument n of a vector FP op: as it is, or, for IRF_HALF, in `tmp` with the upper
 * half zero, so that stray upper elements raise no flags.
 */
unsigned x64_fp_half_arg(X64Ctx *c, const IrOp *op, const X64Regs *r, unsigned n, unsigned tmp);

/*
 * With fp_flush: sets IDC in cpu->fp_flags when an operand is denormal (out of line).  Every FP row
 * calls it first; nothing otherwise.
 */
void x64_fp_operands(X64Ctx *c, const IrOp *op, const X64Regs *r);
void x64_fp_flag_denormal(X64Ctx *c, unsigned esz, unsigned reg); /* one scalar */

/* The parts of x64_vec_row(). */
const X64Row *x64_vec_perm_row(const X64Ctx *c, const IrOp *op);  /* vec_perm.c */
const X64Row *x64_vec_int_row(const X64Ctx *c, const IrOp *op);   /* vec_int.c */
const X64Row *x64_vec_shift_row(const X64Ctx *c, const IrOp *op); /* vec_shift.c */
const X64Row *x64_fp_row(const X64Ctx *c, const IrOp *op);        /* fp.c */
const X64Row *x64_fp_minmax_row(const X64Ctx *c, const IrOp *op); /* fp_minmax.c */
const X64Row *x64_fp_conv_row(const X64Ctx *c, const IrOp *op);   /* fp_conv.c */

#endif
