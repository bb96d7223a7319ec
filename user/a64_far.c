/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The address of a load or store, from the instruction and the registers before it. The host says
 * nothing of it when it is not canonical there (#GP), yet the guest's kernel would.
 * Source: DDI 0487, C4.1 "Loads and Stores".
 */
#include "user/user.h"

static int64_t field_signed(uint32_t w, unsigned lsb, unsigned width)
{
    return (int64_t)((uint64_t)w << (64 - lsb - width)) >> (64 - width);
}

static uint64_t base_register(const A64Cpu *c, unsigned n)
{
    return n == 31 ? c->sp : c->x[n];
}

/* log2 of the bytes of a single-register form: SIMD forms have one more bit in opc<1>. */
static unsigned scale_of(uint32_t w)
{
    unsigned size = w >> 30;
    return (w >> 26 & 1) && (w >> 23 & 1) ? 4 : size;
}

static uint64_t extended(const A64Cpu *c, uint32_t w)
{
    unsigned m = w >> 16 & 31, option = w >> 13 & 7, shift = w >> 12 & 1 ? scale_of(w) : 0;
    uint64_t v = m == 31 ? 0 : c->x[m];
    v = option == 2 ? (uint32_t)v : option == 6 ? (uint64_t)(int64_t)(int32_t)v : v;
    return v << shift;
}

/* One register, bits 29:27 = 111. */
static uint64_t single(const A64Cpu *c, uint32_t w, uint64_t base)
{
    if (w >> 24 & 1) {
        return base + ((uint64_t)(w >> 10 & 0xfff) << scale_of(w));
    }
    unsigned form = w >> 10 & 3;
    if (w >> 21 & 1) {
        return form == 2 ? base + extended(c, w) : base; /* else atomics, LDRAA */
    }
    return form == 1 ? base : base + (uint64_t)field_signed(w, 12, 9);
}

/* Pairs, bits 29:27 = 101. */
static uint64_t pair(uint32_t w, uint64_t base)
{
    unsigned opc = w >> 30, scale = w >> 26 & 1 ? opc + 2 : opc == 2 ? 3 : 2;
    bool post = (w >> 23 & 3) == 1;
    return post ? base : base + ((uint64_t)field_signed(w, 15, 7) << scale);
}

uint64_t user_a64_fault_address(const A64Cpu *c, uint32_t w)
{
    uint64_t base = base_register(c, w >> 5 & 31);
    switch (w >> 27 & 7) {
    case 7: return single(c, w, base);
    case 5: return pair(w, base);
    case 3:
        if (!(w >> 24 & 1)) { /* literal */
            return c->pc + ((uint64_t)field_signed(w, 5, 19) << 2);
        }
        return base + (uint64_t)field_signed(w, 12, 9); /* LDAPUR, STLUR */
    default: return base;                               /* exclusive, ordered, SIMD structures */
    }
}
