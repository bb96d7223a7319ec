/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FP rows: conversions between widths, to and from integers, rounding to integral.
 *
 * Flags: out of range or NaN, x86 gives the "integer indefinite" and raises IE and nothing else,
 * which is Arm's IOC; the cold path then saturates.  Where a native step could raise PE for a
 * value that turns out to be invalid it runs with PE suppressed, and PE is raised by a second
 * ROUNDSx once the result is known to be good.
 *
 * Conversions between FP widths treat NaNs as Arm does (quieted, top of the payload kept).
 */
#include "tcg/x86_64/vec.h"

enum { NO_PE = 8 }; /* ROUNDSx: do not raise Inexact */

/* The immediate of ROUNDSx for an IrRound; AWAY and ODD have none. */
static int round_imm(unsigned sub)
{
    static const int8_t t[] = {
        [IR_R_NEAREST] = 0, [IR_R_UP] = 2,   [IR_R_DOWN] = 1,   [IR_R_ZERO] = 3,
        [IR_R_AWAY] = -1,   [IR_R_ODD] = -1, [IR_R_DYNAMIC] = 4};

    return sub <= IR_R_DYNAMIC ? t[sub] : -1;
}

static uint32_t round_scalar(unsigned esz)
{
    return XD(1, 3, esz == 3 ? 0x0b : 0x0a) | (esz == 3 ? XD_EW : 0) | XD_N(esz);
}
static uint32_t round_packed(unsigned esz)
{
    return XI(3, esz == 3 ? 0x09 : 0x08) | (esz == 3 ? XD_EW : 0);
}

/* 2^n as a number of every element */
static uint64_t pow2(unsigned esz, int n)
{
    return x64_fp_all(esz, esz == 3 ? (uint64_t)(1023 + n) << 52 : (uint64_t)(127 + n) << 23);
}
static uint64_t sign_bits(unsigned esz)
{
    return x64_fp_all(esz, 1ull << ((8u << esz) - 1));
}

static inline unsigned result(const X64Regs *r)
{
    return r->dst == X64_NOREG ? V15 : r->dst;
}

/*
 * xmm15 = s rounded to integral, ties away from zero: trunc(s +- 0.5), the sum towards zero.
 * AVX-512: static rounding suppresses all flags.  t: temporary.
 */
static void round_away(X64Ctx *c, unsigned esz, unsigned s, unsigned t)
{
    X64Asm *a = &c->as;

    x64_v3m(a, XV_ANDPS, t, s, x64_const_both(c, sign_bits(esz)));
    x64_v3m(a, XV_ORPS, t, t, x64_const_both(c, pow2(esz, -1)));
    x64_evex_rr(a, x64_fp_scalar(esz, 0x58), XE_RZ, V15, s, t, -1);
    x64_v3i(a, round_scalar(esz), V15, V15, V15, 3 | NO_PE);
}

/* ---- FP to integer ---- */

/* CVTTSx2SI, CVTSx2SI, or their unsigned AVX-512 forms. */
static void cvt_to_int(X64Ctx *c, const IrOp *op, unsigned d, unsigned s_trunc)
{
    unsigned s = s_trunc & 31, esz = op->esz;
    bool trunc = s_trunc >> 8, u = op->flags & IRF_UNSIGNED, wide = op->type == IR_I64;
    uint32_t desc = XD(esz == 3 ? 3 : 2, 1, 0) | XD_N(esz);

    if (u && x64_has(c, TCG_HOST_AVX512VL)) {
        x64_evex_rr(&c->as, desc | (trunc ? 0x78 : 0x79) | (wide ? XD_EW : 0), 0, d, 0, s, -1);
    } else {
        x64_v2(&c->as, desc | (trunc ? 0x2c : 0x2d) | (wide || u ? XD_W | XD_EW : 0), d, s);
    }
}

/* Without AVX-512: s must be in (-1, 2^32) or (-1, 2^63) for an unsigned result. */
static void check_unsigned_range(X64Ctx *c, const IrOp *op, unsigned s, X64Cold *cold)
{
    uint32_t comis = x64_fp_comis(op->esz, 0x2e);
    uint64_t minus_one = pow2(op->esz, 0) | sign_bits(op->esz);

    x64_v2m(&c->as, comis, s, x64_const_both(c, pow2(op->esz, op->type == IR_I64 ? 63 : 32)));
    x64_jcc(&c->as, X64_AE, &cold->entry);
    x64_v2m(&c->as, comis, s, x64_const_both(c, minus_one));
    x64_jcc(&c->as, X64_BE, &cold->entry);
}

/* tmp = s * 2^imm; what would be 2^64 and more is cold, so that the product does not overflow. */
static unsigned scale_up(X64Ctx *c, const IrOp *op, const X64Regs *r, X64Cold *cold)
{
    unsigned s = r->arg[0].reg, t = r->vtmp[0], esz = op->esz;

    if (!op->imm) {
        return s;
    }
    x64_v3m(&c->as, XV_ANDPS, V15, s, x64_const_both(c, ~sign_bits(esz)));
    x64_v2m(&c->as, x64_fp_comis(esz, 0x2e), V15, x64_const_both(c, pow2(esz, 64 - (int)op->imm)));
    x64_jcc(&c->as, X64_AE, &cold->entry);
    x64_v3m(&c->as, x64_fp_scalar(esz, 0x59), t, s, x64_const_both(c, pow2(esz, (int)op->imm)));
    return t;
}

static void emit_ftoi(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    X64Cold *cold = x64_cold_eval(c, op, r);
    unsigned d = r->dst == X64_NOREG ? X64_TMP : r->dst, sz = op->type == IR_I64 ? 3 : 2;
    unsigned s, from, esz = op->esz;
    bool u = op->flags & IRF_UNSIGNED, v512 = x64_has(c, TCG_HOST_AVX512VL);
    bool direct = op->sub == IR_R_ZERO || (op->sub == IR_R_DYNAMIC && !(u && !v512));
    int imm = round_imm(op->sub);
    /* out of range is always integral: PE cannot be wrong */
    bool safe = !u && !(esz == 3 && sz == 2) && imm >= 0;

    x64_fp_operands(c, op, r);
    s = from = scale_up(c, op, r, cold);
    if (op->sub == IR_R_AWAY) {
        round_away(c, esz, s, r->vtmp[1]);
        from = V15;
    } else if (!direct) {
        x64_v3i(&c->as, round_scalar(esz), V15, s, s, (unsigned)imm | (safe ? 0 : NO_PE));
        from = V15;
    }
    if (u && !v512) {
        check_unsigned_range(c, op, from, cold);
    }
    cvt_to_int(c, op, d, from | (op->sub == IR_R_DYNAMIC && direct ? 0 : 1) << 8);
    if (!u) {
        x64_alu_ri(&c->as, sz, X64_ALU_CMP, d, 1); /* overflows for the most negative only */
        x64_jcc(&c->as, X64_O, &cold->entry);
    } else if (v512) {
        x64_alu_ri(&c->as, sz, X64_ALU_CMP, d, -1);
        x64_jcc(&c->as, X64_E, &cold->entry);
    }
    if (!direct && !safe) {
        x64_v3i(&c->as, round_scalar(esz), V15, s, s, imm < 0 ? 3 : (unsigned)imm);
    }
}

/* ---- integer to FP ---- */

static void emit_itof(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned d = result(r), g = r->arg[0].reg, esz = x64_fp_esz(op);
    bool u = op->flags & IRF_UNSIGNED, wide = op->esz == 3;
    uint32_t desc = XD(esz == 3 ? 3 : 2, 1, 0x2a) | XD_N(3);

    x64_zero(c, d);
    if (u && x64_has(c, TCG_HOST_AVX512VL)) {
        x64_evex_rr(&c->as, XD(esz == 3 ? 3 : 2, 1, 0x7b) | (wide ? XD_EW : 0), 0, d, d, g, -1);
    } else if (u && !wide) {
        x64_mov_rr(&c->as, 2, X64_TMP, g);
        x64_v3(&c->as, desc | XD_W | XD_EW, d, d, X64_TMP);
    } else {
        if (u) {
            X64Cold *cold = x64_cold_eval(c, op, r);

            x64_test_rr(&c->as, 3, g, g);
            x64_jcc(&c->as, X64_S, &cold->entry);
        }
        if (c->as.avx) {
            x64_v3(&c->as, desc | (wide ? XD_W | XD_EW : 0), d, d, g);
        } else {
            x64_op_rr(&c->as, desc | (wide ? XD_W : 0), d, g);
        }
    }
    if (op->imm) {
        x64_v3m(&c->as, x64_fp_scalar(esz, 0x59), d, d,
                x64_const_both(c, pow2(esz, -(int)op->imm)));
    }
}

/* ---- rounding to integral ---- */

static void emit_frint(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned esz = x64_fp_esz(op), d = result(r);
    unsigned imm = (unsigned)round_imm(op->sub) | (op->flags & IRF_EXACT ? 0 : NO_PE);

    x64_fp_operands(c, op, r);
    if (op->type == IR_V128) {
        unsigned a = x64_fp_half_arg(c, op, r, 0, V15);

        x64_v2i(&c->as, round_packed(esz), d, a, imm);
    } else {
        x64_v3i(&c->as, round_scalar(esz), d, r->arg[0].reg, r->arg[0].reg, imm);
    }
}

static void emit_frint_away(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned esz = x64_fp_esz(op), s = r->arg[0].reg;

    x64_fp_operands(c, op, r);
    x64_v2(&c->as, x64_fp_comis(esz, 0x2e), s, s); /* IE for a signalling NaN */
    round_away(c, esz, s, r->vtmp[0]);
    if (op->flags & IRF_EXACT) {
        x64_v3i(&c->as, round_scalar(esz), r->vtmp[0], s, s, 3);
    }
    if (r->dst != X64_NOREG) {
        x64_movaps(&c->as, r->dst, V15);
    }
}

/* ---- between FP widths ---- */

#define XV_CVTPH2PS (XD(1, 2, 0x13) | XD_N(3))
#define XV_CVTPS2PH (XD(1, 3, 0x1d) | XD_N(3))
enum { PH_MXCSR = 4 }; /* CVTPS2PH: round as MXCSR says */

static void emit_fcvt_widen(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned d = result(r), s = r->arg[0].reg;

    x64_fp_operands(c, op, r);
    if (op->esz == 1) {
        x64_low16(c, V15, s); /* F16C converts four at once */
        x64_v2(&c->as, XV_CVTPH2PS, op->type == IR_F64 ? V15 : d, V15);
        s = V15;
    }
    if (op->type == IR_F64) {
        x64_v3(&c->as, x64_fp_scalar(2, 0x5a), d, s, s);
    }
}

static void emit_fcvt_sd2ss(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    X64Cold *cold = c->strict_ufc ? x64_cold_eval(c, op, r) : NULL;
    unsigned d = result(r), s = r->arg[0].reg;

    x64_fp_operands(c, op, r);
    x64_v3(&c->as, x64_fp_scalar(3, 0x5a), d, s, s);
    if (cold) {
        x64_fp_check(c, 2 | X64_FP_UFC, d, cold);
    }
}

static void emit_fcvt_ss2sh(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned d = result(r), s = r->arg[0].reg;

    x64_fp_operands(c, op, r);
    x64_v3i(&c->as, XV_INSERTPS, V15, s, s, 0x0e);
    x64_v2i(&c->as, XV_CVTPS2PH, V15, d, PH_MXCSR);
    if (c->strict_ufc) {
        X64Cold *cold = x64_cold_eval(c, op, r);

        x64_v2(&c->as, XV_MOVD_S, d, X64_TMP);
        x64_alu_ri(&c->as, 2, X64_ALU_AND, X64_TMP, 0x7fff);
        x64_alu_ri(&c->as, 2, X64_ALU_CMP, X64_TMP, 0x0400);
        x64_jcc(&c->as, X64_E, &cold->entry);
    }
}

static void emit_vfcvtl(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned d = result(r), s = r->arg[0].reg;

    x64_fp_operands(c, op, r);
    if (op->flags & IRF_HI) {
        x64_v2i(&c->as, XV_PSHUFD, V15, s, 0xee);
        s = V15;
    }
    x64_v2(&c->as, op->esz == 1 ? XV_CVTPH2PS : XD(0, 1, 0x5a) | XD_N(3), d, s);
}

static void emit_vfcvtn(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    X64Cold *cold = c->strict_ufc ? x64_cold_eval(c, op, r) : NULL;
    unsigned d = result(r), s = r->arg[0].reg;

    x64_fp_operands(c, op, r);
    if (op->esz == 2) {
        x64_v2(&c->as, XI_Q(1, 0x5a), d, s);
        if (cold) {
            x64_fp_check_vec(c, 2 | X64_FP_UFC, d, cold);
        }
        return;
    }
    x64_v2i(&c->as, XV_CVTPS2PH, s, d, PH_MXCSR);
    if (cold) {
        x64_v3m(&c->as, XV_PAND, V15, d, x64_const_both(c, 0x7fff7fff7fff7fff));
        x64_v3m(&c->as, XI_C(1, 0x75), V15, V15, x64_const_both(c, 0x0400040004000400));
        x64_fp_test_vec(c, V15, cold);
    }
}

static const X64Row *convert_row(const X64Ctx *c, const IrOp *op)
{
    enum { FP = X64R_EARLY | X64R_EFLAGS | X64R_HI };
    static const X64Row row_widen = {emit_fcvt_widen, X64R_EFLAGS | X64R_HI, 0, 0};
    static const X64Row row_sd2ss = {emit_fcvt_sd2ss, FP, 0, 0};
    static const X64Row row_ss2sh = {emit_fcvt_ss2sh, FP, 0, 0};
    static const X64Row row_vfcvtl = {emit_vfcvtl, X64R_EFLAGS | X64R_HI, 0, 0};
    static const X64Row row_vfcvtn = {emit_vfcvtn, FP, 0, 0};
    bool f16c = x64_has(c, TCG_HOST_F16C), dynamic = op->sub == IR_R_DYNAMIC;
    unsigned to = x64_fp_esz(op);

    if (op->op == IR_VFCVTL) {
        return op->esz == 2 || (op->esz == 1 && f16c) ? &row_vfcvtl : NULL;
    }
    if (op->op == IR_VFCVTN) {
        return dynamic && (op->esz == 2 || (op->esz == 1 && f16c)) ? &row_vfcvtn : NULL;
    }
    if (to > op->esz) {
        return op->esz == 1 && !f16c ? NULL : &row_widen;
    }
    if (!dynamic) {
        return NULL;
    }
    if (to == 2 && op->esz == 3) {
        return &row_sd2ss;
    }
    return to == 1 && op->esz == 2 && f16c ? &row_ss2sh : NULL;
}

/* ---- vectors to and from integers ---- */

static void emit_vftoi(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    X64Cold *cold = x64_cold_eval(c, op, r);
    unsigned esz = op->esz, d = result(r), s, from;
    bool u = op->flags & IRF_UNSIGNED, trunc = op->sub != IR_R_DYNAMIC;
    unsigned imm = (unsigned)round_imm(op->sub);
    X64Mem bad;

    x64_fp_operands(c, op, r);
    s = x64_fp_half_arg(c, op, r, 0, r->vtmp[0]);
    if (op->imm) { /* magnitudes compare like integers */
        x64_v3m(&c->as, XV_ANDPS, V15, s, x64_const_both(c, ~sign_bits(esz)));
        x64_v3m(&c->as, esz == 3 ? XI(2, 0x37) : XI(1, 0x66), V15, V15,
                x64_const_both(c, pow2(esz, 64 - (int)op->imm) - x64_fp_all(esz, 1)));
        x64_fp_test_vec(c, V15, cold);
        x64_v3m(&c->as, x64_fp_packed(esz, 0x59), r->vtmp[0], s,
                x64_const_both(c, pow2(esz, (int)op->imm)));
        s = r->vtmp[0];
    }
    from = s;
    if (trunc && op->sub != IR_R_ZERO) {
        x64_v2i(&c->as, round_packed(esz), V15, s, imm | (u ? NO_PE : 0));
        from = V15;
    }
    if (u) {
        x64_evex_rr(&c->as, x64_fp_packed(esz, trunc ? 0x78 : 0x79), 0, d, 0, from, -1);
    } else if (esz == 3) {
        x64_evex_rr(&c->as, XI_Q(1, trunc ? 0x7a : 0x7b), 0, d, 0, from, -1);
    } else {
        x64_v2(&c->as, trunc ? XD(2, 1, 0x5b) | XD_N(4) : XI(1, 0x5b), d, from);
    }
    bad = x64_const_both(c, u ? UINT64_MAX : sign_bits(esz));
    if (x64_has(c, TCG_HOST_AVX512VL)) {
        x64_evex_rm(&c->as, esz == 3 ? XI_Q(2, 0x29) : XV_PCMPEQD, 0, 1, d, bad, -1);
        x64_fp_test_k1(c, cold);
    } else {
        x64_v3m(&c->as, XV_PCMPEQD, V15, d, bad);
        x64_fp_test_vec(c, V15, cold);
    }
    if (u && from != s) {
        x64_v2i(&c->as, round_packed(esz), V15, s, imm);
    }
}

/* Unsigned words without AVX-512: both half-words convert exactly, the sum rounds once. */
static void vitof_u32(X64Ctx *c, unsigned d, unsigned s, unsigned t)
{
    x64_v3m(&c->as, XV_PAND, t, s, x64_const_both(c, 0x0000ffff0000ffff));
    x64_vsh(c, SH_SRL, V15, s, 2 | 16 << 2); /* s may be xmm15 */
    x64_v2(&c->as, XD(0, 1, 0x5b) | XD_N(4), V15, V15);
    x64_v2(&c->as, XD(0, 1, 0x5b) | XD_N(4), t, t);
    x64_v3m(&c->as, x64_fp_packed(2, 0x59), V15, V15, x64_const_both(c, pow2(2, 16)));
    x64_v3(&c->as, x64_fp_packed(2, 0x58), d, V15, t);
}

static void emit_vitof(X64Ctx *c, const IrOp *op, const X64Regs *r)
{
    unsigned esz = op->esz, d = result(r), s = x64_fp_half_arg(c, op, r, 0, V15);
    bool u = op->flags & IRF_UNSIGNED, v512 = x64_has(c, TCG_HOST_AVX512VL);

    if (esz == 3) {
        x64_evex_rr(&c->as, XD(2, 1, u ? 0x7a : 0xe6) | XD_EW, 0, d, 0, s, -1);
    } else if (u && v512) {
        x64_evex_rr(&c->as, XD(3, 1, 0x7a), 0, d, 0, s, -1);
    } else if (u) {
        vitof_u32(c, d, s, r->vtmp[0]);
    } else {
        x64_v2(&c->as, XD(0, 1, 0x5b) | XD_N(4), d, s);
    }
    if (op->imm) {
        x64_v3m(&c->as, x64_fp_packed(esz, 0x59), d, d,
                x64_const_both(c, pow2(esz, -(int)op->imm)));
    }
}

const X64Row *x64_fp_conv_row(const X64Ctx *c, const IrOp *op)
{
    enum { FP = X64R_EARLY | X64R_EFLAGS | X64R_HI };
    static const X64Row row_ftoi = {emit_ftoi, FP, 0, 1};
    static const X64Row row_ftoi_away = {emit_ftoi, FP, 0, 2};
    static const X64Row row_itof = {emit_itof, FP, 0, 0};
    static const X64Row row_frint = {emit_frint, X64R_EFLAGS | X64R_HI, 0, 0};
    static const X64Row row_frint_away = {emit_frint_away, FP, 0, 1};
    static const X64Row row_vftoi = {emit_vftoi, FP, 0, 1};
    static const X64Row row_vitof = {emit_vitof, X64R_HI, 0, 1};
    bool v512 = x64_has(c, TCG_HOST_AVX512VL), u = op->flags & IRF_UNSIGNED;
    unsigned e = x64_fp_esz(op);

    if (!c->fp_native) {
        return NULL;
    }
    switch (op->op) {
    case IR_FCVT:
    case IR_VFCVTL:
    case IR_VFCVTN: return convert_row(c, op);
    case IR_FTOI:
        if ((op->esz != 2 && op->esz != 3) || op->imm > 63) {
            return NULL;
        }
        return round_imm(op->sub) >= 0        ? &row_ftoi
               : v512 && op->sub == IR_R_AWAY ? &row_ftoi_away
                                              : NULL;
    case IR_ITOF: return e != 1 ? &row_itof : NULL;
    case IR_FRINT:
        if (e == 1) {
            return NULL;
        }
        return round_imm(op->sub) >= 0                               ? &row_frint
               : v512 && op->sub == IR_R_AWAY && op->type != IR_V128 ? &row_frint_away
                                                                     : NULL;
    case IR_VFTOI:
        return op->esz >= 2 && (v512 || (op->esz == 2 && !u)) && round_imm(op->sub) >= 0
                   ? &row_vftoi
                   : NULL;
    case IR_VITOF: return op->esz == 2 || (op->esz == 3 && v512) ? &row_vitof : NULL;
    default: return NULL;
    }
}
