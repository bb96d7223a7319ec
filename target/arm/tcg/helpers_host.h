/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host instructions that do what a helper needs, where the host has them.
 *
 * Source: Intel SDM volume 2, SHA1RNDS4, SHA256RNDS2, VFNMADD; they are exact, so a helper may use
 * either this or its own C. Only for a CPU whose host_sha or host_fma is set.
 */
#ifndef GEMEL_TARGET_ARM_HELPERS_HOST_H
#define GEMEL_TARGET_ARM_HELPERS_HOST_H

#include <stdbool.h>

#include "tcg/ir.h"

#if defined(__x86_64__)
#include <immintrin.h>

/*
 * SHA256H (part1) and SHA256H2. The host keeps A B E F and C D G H, the first letter in the top
 * word; four rounds are two instructions.
 */
static inline __attribute__((target("sha,sse4.1"))) void
host_sha256_rounds(IrVec *r, const IrVec *a, bool part1)
{
    __m128 abcd = _mm_load_ps((const float *)(part1 ? &a[0] : &a[1]));
    __m128 efgh = _mm_load_ps((const float *)(part1 ? &a[1] : &a[0]));
    __m128i wk = _mm_load_si128((const __m128i *)&a[2]);
    __m128i abef = _mm_castps_si128(_mm_shuffle_ps(efgh, abcd, _MM_SHUFFLE(0, 1, 0, 1)));
    __m128i cdgh = _mm_castps_si128(_mm_shuffle_ps(efgh, abcd, _MM_SHUFFLE(2, 3, 2, 3)));
    __m128i two = _mm_sha256rnds2_epu32(cdgh, abef, wk);
    __m128i four = _mm_sha256rnds2_epu32(abef, two, _mm_unpackhi_epi64(wk, wk));
    __m128 x = _mm_castsi128_ps(four), y = _mm_castsi128_ps(two);
    __m128 out = part1 ? _mm_shuffle_ps(x, y, _MM_SHUFFLE(2, 3, 2, 3))
                       : _mm_shuffle_ps(x, y, _MM_SHUFFLE(0, 1, 0, 1));
    _mm_store_ps((float *)r, out);
}

/*
 * SHA1C (kind 0), SHA1P, SHA1M. The host has A in the top word, adds the round constant by itself
 * (the guest did that already: it is taken off) and wants E in the sum of the first round.
 */
static inline __attribute__((target("sha,sse4.1"))) void host_sha1_rounds(IrVec *r, const IrVec *a,
                                                                          unsigned kind)
{
    static const uint32_t k[3] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc};
    __m128i abcd = _mm_shuffle_epi32(_mm_load_si128((const __m128i *)&a[0]), 0x1b);
    __m128i e = _mm_set_epi32((int)a[1].u32[0], 0, 0, 0);
    __m128i w = _mm_sub_epi32(_mm_load_si128((const __m128i *)&a[2]), _mm_set1_epi32((int)k[kind]));
    w = _mm_add_epi32(_mm_shuffle_epi32(w, 0x1b), e);
    __m128i out = kind == 0   ? _mm_sha1rnds4_epu32(abcd, w, 0)
                  : kind == 1 ? _mm_sha1rnds4_epu32(abcd, w, 1)
                              : _mm_sha1rnds4_epu32(abcd, w, 2);
    _mm_store_si128((__m128i *)r, _mm_shuffle_epi32(out, 0x1b));
}

/*
 * FRECPS 2 - a * b, FRSQRTS (3 - a * b) / 2 of the low `bytes` (4, 8, 16); the rest of the result
 * is 0. What is beyond raises nothing: it is cleared first.
 */
static inline __attribute__((target("fma,avx"))) void
host_step(IrVec *r, const IrVec *a, unsigned esz, unsigned bytes, bool rsqrt)
{
    __m128i ones = _mm_set1_epi32(-1);
    __m128i mask = bytes == 16  ? ones
                   : bytes == 8 ? _mm_srli_si128(ones, 8)
                                : _mm_srli_si128(ones, 12);
    __m128i n = _mm_and_si128(_mm_load_si128((const __m128i *)&a[0]), mask);
    __m128i m = _mm_and_si128(_mm_load_si128((const __m128i *)&a[1]), mask);
    __m128i v;
    if (esz == 2) {
        __m128 x =
            _mm_fnmadd_ps(_mm_castsi128_ps(n), _mm_castsi128_ps(m), _mm_set1_ps(rsqrt ? 3 : 2));
        v = _mm_castps_si128(rsqrt ? _mm_mul_ps(x, _mm_set1_ps(0.5f)) : x);
    } else {
        __m128d x =
            _mm_fnmadd_pd(_mm_castsi128_pd(n), _mm_castsi128_pd(m), _mm_set1_pd(rsqrt ? 3 : 2));
        v = _mm_castpd_si128(rsqrt ? _mm_mul_pd(x, _mm_set1_pd(0.5)) : x);
    }
    _mm_store_si128((__m128i *)r, _mm_and_si128(v, mask));
}

#else

static inline void host_step(IrVec *r, const IrVec *a, unsigned esz, unsigned bytes, bool rsqrt)
{
    (void)r;
    (void)a;
    (void)esz;
    (void)bytes;
    (void)rsqrt;
}

static inline void host_sha256_rounds(IrVec *r, const IrVec *a, bool part1)
{
    (void)r;
    (void)a;
    (void)part1;
}

static inline void host_sha1_rounds(IrVec *r, const IrVec *a, unsigned kind)
{
    (void)r;
    (void)a;
    (void)kind;
}

#endif
#endif
