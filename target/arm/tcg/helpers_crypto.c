/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pure C helpers of the A64 cryptographic instructions.
 *
 * Source: Arm ARM (DDI 0487), C7.2 SHA1C .. SM4EKEY and the pseudo-code they call; FIPS 180-4;
 * GB/T 32905 (SM3) and GB/T 32907 (SM4).
 * Arguments of three-operand rows: d, n, m; of two-operand rows: d, n.
 *
 * Results are stored as one vector: generated code loads them as one, and a load that spans several
 * stores must wait for the cache.
 */
#include "target/arm/tcg/a64_fp_ops.h"
#include "target/arm/tcg/helpers_host.h"

typedef uint32_t Words __attribute__((vector_size(16)));
typedef uint64_t Longs __attribute__((vector_size(16)));

static inline void put_words(IrVec *r, Words v)
{
    *(Words __attribute__((may_alias)) *)r = v;
}

static inline void put_longs(IrVec *r, uint64_t low, uint64_t high)
{
    *(Longs __attribute__((may_alias)) *)r = (Longs){low, high};
}

static uint32_t rol32(uint32_t v, unsigned n)
{
    n &= 31;
    return n ? v << n | v >> (32 - n) : v;
}

static uint32_t ror32(uint32_t v, unsigned n)
{
    return rol32(v, 32 - n);
}

static uint64_t ror64(uint64_t v, unsigned n)
{
    return v >> n | v << (64 - n);
}

static void put128(IrVec *r, const uint32_t v[4])
{
    put_words(r, (Words){v[0], v[1], v[2], v[3]});
}

static uint32_t choose(uint32_t x, uint32_t y, uint32_t z)
{
    return ((y ^ z) & x) ^ z;
}

static uint32_t majority(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & y) | ((x | y) & z);
}

/* ---- SHA-1. sub: 0 choose, 1 parity, 2 majority ---- */

void a64_h_sha1_round(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)imm;
    uint32_t x[4], y = a[1].u32[0];
    unsigned sub = info_sub(info);
    if (((const A64Cpu *)(const void *)cpu)->host_sha) {
        host_sha1_rounds(r, a, sub);
        return;
    }
    for (unsigned k = 0; k < 4; k++) {
        x[k] = a[0].u32[k];
    }
    for (unsigned k = 0; k < 4; k++) {
        uint32_t t = sub == 0   ? choose(x[1], x[2], x[3])
                     : sub == 1 ? x[1] ^ x[2] ^ x[3]
                                : majority(x[1], x[2], x[3]);
        y += rol32(x[0], 5) + t + a[2].u32[k];
        x[1] = rol32(x[1], 30);
        uint32_t top = x[3]; /* Y:X rotated left by 32 bits */
        x[3] = x[2];
        x[2] = x[1];
        x[1] = x[0];
        x[0] = y;
        y = top;
    }
    put128(r, x);
}

/* ---- SHA-256 ---- */

static __attribute__((noinline)) void sha256_rounds(IrVec *r, const IrVec a[4], bool part1)
{
    uint32_t x[4], y[4];
    for (unsigned k = 0; k < 4; k++) {
        x[k] = part1 ? a[0].u32[k] : a[1].u32[k];
        y[k] = part1 ? a[1].u32[k] : a[0].u32[k];
    }
    for (unsigned k = 0; k < 4; k++) {
        uint32_t sigma1 = ror32(y[0], 6) ^ ror32(y[0], 11) ^ ror32(y[0], 25);
        uint32_t sigma0 = ror32(x[0], 2) ^ ror32(x[0], 13) ^ ror32(x[0], 22);
        uint32_t t = y[3] + sigma1 + choose(y[0], y[1], y[2]) + a[2].u32[k];
        uint32_t e = t + x[3], top = t + sigma0 + majority(x[0], x[1], x[2]);
        y[3] = y[2];
        y[2] = y[1];
        y[1] = y[0];
        y[0] = e;
        x[3] = x[2];
        x[2] = x[1];
        x[1] = x[0];
        x[0] = top;
    }
    put128(r, part1 ? x : y);
}

/* sub 0: SHA256H (d = abcd, n = efgh), 1: SHA256H2 (d = efgh, n = abcd). */
void a64_h_sha256h(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)imm;
    bool part1 = info_sub(info) == 0;
    if (((const A64Cpu *)(const void *)cpu)->host_sha) {
        host_sha256_rounds(r, a, part1);
    } else {
        sha256_rounds(r, a, part1);
    }
}

/* ---- SHA-512 ---- */

static uint64_t sha512_sigma1(uint64_t v)
{
    return ror64(v, 14) ^ ror64(v, 18) ^ ror64(v, 41);
}

static uint64_t sha512_sigma0(uint64_t v)
{
    return ror64(v, 28) ^ ror64(v, 34) ^ ror64(v, 39);
}

void a64_h_sha512h(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)cpu;
    (void)imm;
    (void)info;
    uint64_t w0 = a[0].u64[0], w1 = a[0].u64[1], x0 = a[1].u64[0], x1 = a[1].u64[1];
    uint64_t y0 = a[2].u64[0], y1 = a[2].u64[1];
    uint64_t hi = ((y1 & x0) ^ (~y1 & x1)) + sha512_sigma1(y1) + w1;
    uint64_t t = hi + y0;
    put_longs(r, ((t & y1) ^ (~t & x0)) + sha512_sigma1(t) + w0, hi);
}

void a64_h_sha512h2(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)cpu;
    (void)imm;
    (void)info;
    uint64_t w0 = a[0].u64[0], w1 = a[0].u64[1], x0 = a[1].u64[0];
    uint64_t y0 = a[2].u64[0], y1 = a[2].u64[1];
    uint64_t hi = ((x0 & y1) ^ (x0 & y0) ^ (y1 & y0)) + sha512_sigma0(y0) + w1;
    put_longs(r, ((hi & y0) ^ (hi & y1) ^ (y1 & y0)) + sha512_sigma0(hi) + w0, hi);
}

/* ---- SM3 ---- */

static uint32_t sm3_p1(uint32_t v)
{
    return v ^ rol32(v, 15) ^ rol32(v, 23);
}

void a64_h_sm3partw1(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)cpu;
    (void)imm;
    (void)info;
    uint32_t v[4];
    for (unsigned k = 0; k < 4; k++) {
        uint32_t m = k < 3 ? a[2].u32[k + 1] : v[0];
        v[k] = sm3_p1(a[0].u32[k] ^ a[1].u32[k] ^ rol32(m, 15));
    }
    put128(r, v);
}

void a64_h_sm3partw2(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)cpu;
    (void)imm;
    (void)info;
    uint32_t t[4], v[4];
    for (unsigned k = 0; k < 4; k++) {
        t[k] = a[1].u32[k] ^ rol32(a[2].u32[k], 7);
        v[k] = a[0].u32[k] ^ t[k];
    }
    v[3] ^= sm3_p1(rol32(t[0], 15));
    put128(r, v);
}

/* Arguments n, m, a. */
void a64_h_sm3ss1(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)cpu;
    (void)imm;
    (void)info;
    uint32_t v = rol32(rol32(a[0].u32[3], 12) + a[1].u32[3] + a[2].u32[3], 7);
    put128(r, (uint32_t[4]){0, 0, 0, v});
}

/* sub: index of m's element, above it 0 TT1A, 1 TT1B, 2 TT2A, 3 TT2B. */
void a64_h_sm3tt(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)cpu;
    (void)imm;
    unsigned kind = info_sub(info) >> 2, idx = info_sub(info) & 3;
    const uint32_t *d = a[0].u32;
    uint32_t w = a[2].u32[idx], ss = a[1].u32[3], t, v[4];
    if (kind < 2) {
        uint32_t ss2 = ss ^ rol32(d[3], 12);
        t = kind == 0 ? d[3] ^ d[2] ^ d[1] : majority(d[3], d[2], d[1]);
        t += d[0] + ss2 + w;
        v[1] = rol32(d[2], 9);
    } else {
        t = kind == 2 ? d[3] ^ d[2] ^ d[1] : choose(d[3], d[2], d[1]);
        t += d[0] + ss + w;
        t ^= rol32(t, 9) ^ rol32(t, 17);
        v[1] = rol32(d[2], 19);
    }
    v[0] = d[1];
    v[2] = d[3];
    v[3] = t;
    put128(r, v);
}

/* ---- SM4 ---- */

static const uint8_t sm4_sbox[256] = {
    0xd6, 0x90, 0xe9, 0xfe, 0xcc, 0xe1, 0x3d, 0xb7, 0x16, 0xb6, 0x14, 0xc2, 0x28, 0xfb, 0x2c, 0x05,
    0x2b, 0x67, 0x9a, 0x76, 0x2a, 0xbe, 0x04, 0xc3, 0xaa, 0x44, 0x13, 0x26, 0x49, 0x86, 0x06, 0x99,
    0x9c, 0x42, 0x50, 0xf4, 0x91, 0xef, 0x98, 0x7a, 0x33, 0x54, 0x0b, 0x43, 0xed, 0xcf, 0xac, 0x62,
    0xe4, 0xb3, 0x1c, 0xa9, 0xc9, 0x08, 0xe8, 0x95, 0x80, 0xdf, 0x94, 0xfa, 0x75, 0x8f, 0x3f, 0xa6,
    0x47, 0x07, 0xa7, 0xfc, 0xf3, 0x73, 0x17, 0xba, 0x83, 0x59, 0x3c, 0x19, 0xe6, 0x85, 0x4f, 0xa8,
    0x68, 0x6b, 0x81, 0xb2, 0x71, 0x64, 0xda, 0x8b, 0xf8, 0xeb, 0x0f, 0x4b, 0x70, 0x56, 0x9d, 0x35,
    0x1e, 0x24, 0x0e, 0x5e, 0x63, 0x58, 0xd1, 0xa2, 0x25, 0x22, 0x7c, 0x3b, 0x01, 0x21, 0x78, 0x87,
    0xd4, 0x00, 0x46, 0x57, 0x9f, 0xd3, 0x27, 0x52, 0x4c, 0x36, 0x02, 0xe7, 0xa0, 0xc4, 0xc8, 0x9e,
    0xea, 0xbf, 0x8a, 0xd2, 0x40, 0xc7, 0x38, 0xb5, 0xa3, 0xf7, 0xf2, 0xce, 0xf9, 0x61, 0x15, 0xa1,
    0xe0, 0xae, 0x5d, 0xa4, 0x9b, 0x34, 0x1a, 0x55, 0xad, 0x93, 0x32, 0x30, 0xf5, 0x8c, 0xb1, 0xe3,
    0x1d, 0xf6, 0xe2, 0x2e, 0x82, 0x66, 0xca, 0x60, 0xc0, 0x29, 0x23, 0xab, 0x0d, 0x53, 0x4e, 0x6f,
    0xd5, 0xdb, 0x37, 0x45, 0xde, 0xfd, 0x8e, 0x2f, 0x03, 0xff, 0x6a, 0x72, 0x6d, 0x6c, 0x5b, 0x51,
    0x8d, 0x1b, 0xaf, 0x92, 0xbb, 0xdd, 0xbc, 0x7f, 0x11, 0xd9, 0x5c, 0x41, 0x1f, 0x10, 0x5a, 0xd8,
    0x0a, 0xc1, 0x31, 0x88, 0xa5, 0xcd, 0x7b, 0xbd, 0x2d, 0x74, 0xd0, 0x12, 0xb8, 0xe5, 0xb4, 0xb0,
    0x89, 0x69, 0x97, 0x4a, 0x0c, 0x96, 0x77, 0x7e, 0x65, 0xb9, 0xf1, 0x09, 0xc5, 0x6e, 0xc6, 0x84,
    0x18, 0xf0, 0x7d, 0xec, 0x3a, 0xdc, 0x4d, 0x20, 0x79, 0xee, 0x5f, 0x3e, 0xd7, 0xcb, 0x39, 0x48,
};

static uint32_t sm4_sub(uint32_t v)
{
    return (uint32_t)sm4_sbox[v >> 24] << 24 | (uint32_t)sm4_sbox[v >> 16 & 255] << 16 |
           (uint32_t)sm4_sbox[v >> 8 & 255] << 8 | sm4_sbox[v & 255];
}

/* Four rounds over `state` with four keys. */
static void sm4_rounds(IrVec *r, const uint32_t state[4], const uint32_t key[4], bool key_schedule)
{
    uint32_t x[4] = {state[0], state[1], state[2], state[3]};
    for (unsigned k = 0; k < 4; k++) {
        uint32_t t = sm4_sub(x[1] ^ x[2] ^ x[3] ^ key[k]);
        t ^= key_schedule ? rol32(t, 13) ^ rol32(t, 23)
                          : rol32(t, 2) ^ rol32(t, 10) ^ rol32(t, 18) ^ rol32(t, 24);
        t ^= x[0];
        x[0] = x[1];
        x[1] = x[2];
        x[2] = x[3];
        x[3] = t;
    }
    put128(r, x);
}

void a64_h_sm4e(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)cpu;
    (void)imm;
    (void)info;
    sm4_rounds(r, a[0].u32, a[1].u32, false);
}

/* d is only written: n holds the key, m the constants. */
void a64_h_sm4ekey(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)cpu;
    (void)imm;
    (void)info;
    sm4_rounds(r, a[1].u32, a[2].u32, true);
}
