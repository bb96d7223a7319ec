/* SPDX-License-Identifier: GPL-2.0-or-later */
/* C helpers of the x86 front end (x86_helpers.def). */
#include "target/x86/tcg/x86_helpers.h"

#include <string.h>
#include <time.h>

#include "target/x86/tcg/x86_ctx.h"

/* ---- division of 128 by 64 bits: a is the high, b the low half, c the divisor ---- */

uint64_t x86_h_udiv128(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)cpu, (void)d;
    if (a >= c) {
        return 0; /* #DE: nobody looks */
    }
    return (uint64_t)(((unsigned __int128)a << 64 | b) / c);
}

static bool idiv_fits(uint64_t a, uint64_t b, uint64_t c, int64_t *q)
{
    __int128 n = (__int128)((unsigned __int128)a << 64 | b), full;
    if (c == 0 || (c == ~0ull && a == 1ull << 63 && b == 0)) {
        return false;
    }
    full = n / (int64_t)c;
    *q = (int64_t)full;
    return full == *q;
}

uint64_t x86_h_idiv128(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    int64_t q = 0;
    (void)cpu, (void)d;
    return idiv_fits(a, b, c, &q) ? (uint64_t)q : 0;
}

uint64_t x86_h_idiv128_bad(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    int64_t q;
    (void)cpu, (void)d;
    return !idiv_fits(a, b, c, &q);
}

/*
 * RCL, RCR: a turned c times through the carry b. d: log2 bytes, 4: to the right, 8: the carry is
 * wanted, not the value.
 */
uint64_t x86_h_rotate_carry(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    unsigned bits = 8u << (d & 3);
    uint64_t top = 1ull << (bits - 1), all = top | (top - 1);
    (void)cpu;
    b &= 1;
    for (; c; c--) {
        uint64_t out = d & 4 ? a & 1 : a >> (bits - 1) & 1;
        a = d & 4 ? a >> 1 | b << (bits - 1) : (a << 1 | b) & all;
        b = out;
    }
    return d & 8 ? b : a;
}

/* ---- system ---- */

uint64_t x86_h_cpuid(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    X86Cpu *x = (X86Cpu *)(void *)cpu;
    uint32_t out[4];
    (void)a, (void)b, (void)c, (void)d;
    x86_cpuid(x, (uint32_t)x->r[X86_RAX], (uint32_t)x->r[X86_RCX], out);
    x->r[X86_RAX] = out[0];
    x->r[X86_RBX] = out[1];
    x->r[X86_RCX] = out[2];
    x->r[X86_RDX] = out[3];
    return 0;
}

/* The counter runs at 1 GHz: nanoseconds of the monotonic clock. */
uint64_t x86_h_rdtsc(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    X86Cpu *x = (X86Cpu *)(void *)cpu;
    struct timespec ts;
    (void)a, (void)b, (void)c, (void)d;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    uint64_t t = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
    x->r[X86_RAX] = (uint32_t)t;
    x->r[X86_RDX] = t >> 32;
    return 0;
}

/* ---- vectors ---- */

#define VEC_HELPER(name)                                                                           \
    void x86_h_##name(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)

static uint64_t get_element(const IrVec *v, unsigned esz, unsigned k)
{
    return esz == 1 ? v->u16[k] : esz == 2 ? v->u32[k] : v->u64[k];
}

/* Every element shifted by the low 64 bits of the second operand; info names esz and direction. */
VEC_HELPER(vshift)
{
    unsigned esz = info >> 16 & 255, kind = info >> 24 & 255, bits = 8u << esz;
    uint64_t n = a[1].u64[0];
    (void)cpu, (void)imm;
    for (unsigned k = 0; k < 16u >> esz; k++) {
        uint64_t v = get_element(&a[0], esz, k);
        if (kind == X86_VSAR) {
            int64_t s = (int64_t)(v << (64 - bits)) >> (64 - bits);
            v = (uint64_t)(s >> (n >= bits ? bits - 1 : n));
        } else if (n >= bits) {
            v = 0;
        } else {
            v = kind == X86_VSHL ? v << n : v >> n;
        }
        memcpy(&r->u8[k << esz], &v, 1u << esz);
    }
}
