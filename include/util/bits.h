/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory in a given byte order, bit fields, and counting bits.
 *
 * Loads and stores take any alignment. Bit positions count from 0 at the least significant end;
 * `start + len` must not exceed the width and `len` must not be 0, unless said otherwise.
 */
#ifndef GEMEL_UTIL_BITS_H
#define GEMEL_UTIL_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "util/debug.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "hosts are little-endian");

/* ---- memory */

static inline uint16_t load_le16(const void *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t load_le32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t load_le64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint16_t load_be16(const void *p)
{
    return __builtin_bswap16(load_le16(p));
}

static inline uint32_t load_be32(const void *p)
{
    return __builtin_bswap32(load_le32(p));
}

static inline uint64_t load_be64(const void *p)
{
    return __builtin_bswap64(load_le64(p));
}

static inline void store_le16(void *p, uint16_t v)
{
    memcpy(p, &v, sizeof v);
}

static inline void store_le32(void *p, uint32_t v)
{
    memcpy(p, &v, sizeof v);
}

static inline void store_le64(void *p, uint64_t v)
{
    memcpy(p, &v, sizeof v);
}

static inline void store_be16(void *p, uint16_t v)
{
    store_le16(p, __builtin_bswap16(v));
}

static inline void store_be32(void *p, uint32_t v)
{
    store_le32(p, __builtin_bswap32(v));
}

static inline void store_be64(void *p, uint64_t v)
{
    store_le64(p, __builtin_bswap64(v));
}

/* ---- fields */

/* len ones at the low end; len 0..64 */
static inline uint64_t mask64(unsigned len)
{
    hot_assert(len <= 64);
    return len < 64 ? ((uint64_t)1 << len) - 1 : UINT64_MAX;
}

static inline uint64_t extract64(uint64_t v, unsigned start, unsigned len)
{
    hot_assert(len > 0 && start + len <= 64);
    return (v >> start) & mask64(len);
}

static inline int64_t sextract64(uint64_t v, unsigned start, unsigned len)
{
    hot_assert(len > 0 && start + len <= 64);
    return (int64_t)(v << (64 - start - len)) >> (64 - len);
}

static inline uint32_t extract32(uint32_t v, unsigned start, unsigned len)
{
    hot_assert(len > 0 && start + len <= 32);
    return (v >> start) & (uint32_t)mask64(len);
}

static inline int32_t sextract32(uint32_t v, unsigned start, unsigned len)
{
    hot_assert(len > 0 && start + len <= 32);
    return (int32_t)(v << (32 - start - len)) >> (32 - len);
}

/* v with the field replaced by the low bits of field */
static inline uint64_t deposit64(uint64_t v, unsigned start, unsigned len, uint64_t field)
{
    hot_assert(len > 0 && start + len <= 64);
    uint64_t m = mask64(len) << start;
    return (v & ~m) | ((field << start) & m);
}

static inline uint32_t deposit32(uint32_t v, unsigned start, unsigned len, uint32_t field)
{
    hot_assert(start + len <= 32);
    return (uint32_t)deposit64(v, start, len, field);
}

/* Sign-extends the low len bits; len 1..64 */
static inline int64_t sign_extend64(uint64_t v, unsigned len)
{
    return sextract64(v, 0, len);
}

/* ---- rotation by any count */

static inline uint32_t ror32(uint32_t v, unsigned n)
{
    return (v >> (n & 31)) | (v << (-n & 31));
}

static inline uint64_t ror64(uint64_t v, unsigned n)
{
    return (v >> (n & 63)) | (v << (-n & 63));
}

/* The low `bits` bits of v rotated right by n < bits; what is above must be 0 */
static inline uint64_t ror_bits(uint64_t v, unsigned bits, unsigned n)
{
    hot_assert(n < bits && bits <= 64);
    return n ? ((v >> n) | (v << (bits - n))) & mask64(bits) : v;
}

/* ---- counting: unlike the compiler's builtins, defined at 0 (the width) */

static inline unsigned clz32(uint32_t v)
{
    return v ? (unsigned)__builtin_clz(v) : 32;
}

static inline unsigned clz64(uint64_t v)
{
    return v ? (unsigned)__builtin_clzll(v) : 64;
}

static inline unsigned ctz32(uint32_t v)
{
    return v ? (unsigned)__builtin_ctz(v) : 32;
}

static inline unsigned ctz64(uint64_t v)
{
    return v ? (unsigned)__builtin_ctzll(v) : 64;
}

static inline unsigned popcount64(uint64_t v)
{
    return (unsigned)__builtin_popcountll(v);
}

/* Bits in reverse order */
static inline uint64_t bit_reverse64(uint64_t v)
{
    v = ((v >> 1) & 0x5555555555555555u) | ((v & 0x5555555555555555u) << 1);
    v = ((v >> 2) & 0x3333333333333333u) | ((v & 0x3333333333333333u) << 2);
    v = ((v >> 4) & 0x0f0f0f0f0f0f0f0fu) | ((v & 0x0f0f0f0f0f0f0f0fu) << 4);
    return __builtin_bswap64(v);
}

static inline uint32_t bit_reverse32(uint32_t v)
{
    return (uint32_t)(bit_reverse64(v) >> 32);
}

/* ---- sizes */

static inline bool is_pow2(uint64_t v)
{
    return v && !(v & (v - 1));
}

/* align must be a power of two; align_up wraps to 0 at the top of the range */
static inline uint64_t align_down(uint64_t v, uint64_t align)
{
    return v & ~(align - 1);
}

static inline uint64_t align_up(uint64_t v, uint64_t align)
{
    return (v + align - 1) & ~(align - 1);
}

#endif
