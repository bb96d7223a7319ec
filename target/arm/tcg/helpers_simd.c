/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pure C helpers for A64 Advanced SIMD integer instructions that have no IR op.
 *
 * Source: Arm ARM (DDI 0487), C7.2, operation of each instruction.
 * What `sub` means stands in the row table a64_simd_ops.c. Bit 7 of it asks for the mask of the
 * elements that saturated instead of the result. Argument order: n, m, d.
 */
#include "target/arm/tcg/a64_fp_ops.h"
#include "target/arm/tcg/a64_simd.h"

enum { SUB_QC = 0x80 };

typedef struct IntCall {
    unsigned esz, bits, sub, n;
    bool want_qc;
} IntCall;

static IntCall int_begin(IrVec *r, uint64_t info)
{
    unsigned flags = info_flags(info), sub = info_sub(info);
    IntCall c = {.esz = info_esz(info), .sub = sub & 0x7f, .want_qc = (sub & SUB_QC) != 0};
    c.bits = 8u << c.esz;
    c.n = flags & A64_VF_SCALAR ? 1 : (flags & IRF_HALF ? 8u : 16u) >> c.esz;
    vec_clear(r);
    return c;
}

/* Element k of 1 << esz bytes: the value, or the mask of its saturation. */
static void int_put(const IntCall *c, IrVec *r, unsigned esz, unsigned k, uint64_t v, bool sat)
{
    vec_set(r, esz, k, !c->want_qc ? v : sat ? ~0ull : 0);
}

static __int128 int_clamp_signed(__int128 v, unsigned bits, bool *sat)
{
    __int128 max = ((__int128)1 << (bits - 1)) - 1, min = -max - 1;
    *sat = v > max || v < min;
    return v > max ? max : v < min ? min : v;
}

static __int128 int_clamp_unsigned(__int128 v, unsigned bits, bool *sat)
{
    __int128 max = ((__int128)1 << bits) - 1;
    *sat = v > max || v < 0;
    return v > max ? max : v < 0 ? 0 : v;
}

/* SQRDMLAH, SQRDMLSH (sub 1): d + or - the doubled product, rounded, the high half. */
void a64_h_sqrdmlah(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)cpu;
    (void)imm;
    IntCall c = int_begin(r, info);
    for (unsigned k = 0; k < c.n; k++) {
        __int128 v = (__int128)vec_gets(&a[0], c.esz, k) * vec_gets(&a[1], c.esz, k) * 2;
        __int128 acc = (__int128)vec_gets(&a[2], c.esz, k) * ((__int128)1 << c.bits);
        bool sat;
        v = (c.sub ? acc - v : acc + v) + ((__int128)1 << (c.bits - 1));
        v = int_clamp_signed(v >> c.bits, c.bits, &sat);
        int_put(&c, r, c.esz, k, (uint64_t)v, sat);
    }
}

/* SUQADD: signed d + unsigned n; USQADD (sub 1): unsigned d + signed n. a[1] is d. */
void a64_h_suqadd(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)cpu;
    (void)imm;
    IntCall c = int_begin(r, info);
    for (unsigned k = 0; k < c.n; k++) {
        bool sat;
        __int128 v;
        if (c.sub) {
            v = (__int128)vec_gets(&a[0], c.esz, k) + vec_get(&a[1], c.esz, k);
            v = int_clamp_unsigned(v, c.bits, &sat);
        } else {
            v = (__int128)vec_get(&a[0], c.esz, k) + vec_gets(&a[1], c.esz, k);
            v = int_clamp_signed(v, c.bits, &sat);
        }
        int_put(&c, r, c.esz, k, (uint64_t)v, sat);
    }
}

/* ---- polynomials over GF(2) ---- */

static uint16_t pmul8(uint8_t x, uint8_t y)
{
    unsigned v = 0;
    for (unsigned bit = 0; bit < 8; bit++) {
        v ^= x >> bit & 1 ? (unsigned)y << bit : 0;
    }
    return (uint16_t)v;
}

void a64_h_pmul8(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)cpu;
    (void)imm;
    IntCall c = int_begin(r, info);
    for (unsigned k = 0; k < c.n; k++) {
        r->u8[k] = (uint8_t)pmul8(a[0].u8[k], a[1].u8[k]);
    }
}

void a64_h_pmull8(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)cpu;
    (void)imm;
    unsigned first = info_flags(info) & IRF_HI ? 8 : 0;
    vec_clear(r);
    for (unsigned k = 0; k < 8; k++) {
        r->u16[k] = pmul8(a[0].u8[first + k], a[1].u8[first + k]);
    }
}

/* URECPE, URSQRTE. */
void a64_h_urecpe(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)cpu;
    (void)imm;
    IntCall c = int_begin(r, info);
    for (unsigned k = 0; k < c.n; k++) {
        r->u32[k] = c.sub ? fpu_ursqrt_estimate(a[0].u32[k]) : fpu_urecip_estimate(a[0].u32[k]);
    }
}
