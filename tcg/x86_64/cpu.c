/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which features of the host CPU the back end uses.
 *
 * Source: Intel SDM volume 2 "CPUID", volume 1 chapter 14 (detection of AVX) and 15 (AVX-512).
 * GEMEL_HOST_CPU=sse4.2|avx2|avx512 hides what is above that level, so that one machine tests all
 * code paths.  The floor is SSE4.2 with POPCNT (x86-64-v2).
 */
#include <cpuid.h>
#include <stdlib.h>
#include <string.h>

#include "tcg/x86_64/x64.h"

enum { L1C, L7B, L7C, L7D, E1C, N_WORDS }; /* CPUID leaf and register */

typedef struct Feature {
    uint32_t host; /* TCG_HOST_ */
    uint8_t word, bit;
    uint8_t level; /* 0: any, 1: hidden by sse4.2, 2: hidden by avx2 too */
    uint8_t xcr0;  /* state components the OS must have enabled */
} Feature;

enum { XCR_AVX = 0x06, XCR_AVX512 = 0xe6 };
#define ZMM_VL (1u << 31 | 1u << 30 | 1u << 17 | 1u << 16) /* leaf 7 EBX: VL BW DQ F */

static const Feature features[] = {
    {TCG_HOST_POPCNT, L1C, 23, 0, 0},
    {TCG_HOST_AES, L1C, 25, 0, 0},
    {TCG_HOST_PCLMUL, L1C, 1, 0, 0},
    {TCG_HOST_MOVBE, L1C, 22, 1, 0},
    {TCG_HOST_AVX, L1C, 28, 1, XCR_AVX},
    {TCG_HOST_FMA, L1C, 12, 1, XCR_AVX},
    {TCG_HOST_F16C, L1C, 29, 1, XCR_AVX},
    {TCG_HOST_AVX2, L7B, 5, 1, XCR_AVX},
    {TCG_HOST_BMI1, L7B, 3, 1, 0},
    {TCG_HOST_BMI2, L7B, 8, 1, 0},
    {TCG_HOST_LZCNT, E1C, 5, 1, 0},
    {TCG_HOST_AVX512VL, L7B, 31, 2, XCR_AVX512},
    {TCG_HOST_GFNI, L7C, 8, 2, XCR_AVX512},
    {TCG_HOST_VBMI, L7C, 1, 2, XCR_AVX512},
    {TCG_HOST_BITALG, L7C, 12, 2, XCR_AVX512},
    {TCG_HOST_AVX512FP16, L7D, 23, 2, XCR_AVX512},
};

static unsigned mask_level(void)
{
    const char *s = getenv("GEMEL_HOST_CPU");

    if (s && strcmp(s, "sse4.2") == 0) {
        return 0;
    }
    return s && strcmp(s, "avx2") == 0 ? 1 : 2;
}

static uint32_t read_xcr0(void)
{
    uint32_t lo, hi;

    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return lo;
}

uint32_t x64_host_features(void)
{
    uint32_t w[N_WORDS] = {0}, a, b, c, d, xcr0 = 0, f = 0;
    unsigned level = mask_level();

    if (__get_cpuid(1, &a, &b, &c, &d)) {
        w[L1C] = c;
        xcr0 = c & bit_OSXSAVE ? read_xcr0() : 0;
    }
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        w[L7B] = b;
        w[L7C] = c;
        w[L7D] = d;
    }
    if (__get_cpuid(0x80000001, &a, &b, &c, &d)) {
        w[E1C] = c;
    }
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        const Feature *t = &features[i];

        if (t->level <= level && w[t->word] >> t->bit & 1 && (xcr0 & t->xcr0) == t->xcr0) {
            f |= t->host;
        }
    }
    if ((w[L7B] & ZMM_VL) != ZMM_VL) {
        f &= ~(uint32_t)(TCG_HOST_AVX512VL | TCG_HOST_GFNI | TCG_HOST_VBMI | TCG_HOST_BITALG |
                         TCG_HOST_AVX512FP16);
    }
    if (!(f & TCG_HOST_AVX)) {
        f &= ~(uint32_t)(TCG_HOST_FMA | TCG_HOST_F16C | TCG_HOST_AVX2);
    }
    return f;
}
