/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operands that find mistakes: exponents at the edges, fractions with few bits, relatives. */
#ifndef GEMEL_TESTS_FPU_RANDOM_H
#define GEMEL_TESTS_FPU_RANDOM_H

#include <stdint.h>

#include "fpu/fpu.h"

static const struct { unsigned exp_bits, frac_bits; } layouts[FPU_N_FORMATS] = {
    [FPU_BF16] = { 8, 7 }, [FPU_F16] = { 5, 10 }, [FPU_F32] = { 8, 23 }, [FPU_F64] = { 11, 52 },
};

/* splitmix64 */
static inline uint64_t random_u64(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline uint64_t random_fraction(uint64_t *seed, unsigned bits)
{
    uint64_t mask = (UINT64_C(1) << bits) - 1;
    uint64_t one = UINT64_C(1) << random_u64(seed) % bits;

    switch (random_u64(seed) % 8) {
    case 0: return 0;
    case 1: return mask;
    case 2: return one;
    case 3: return mask & ~one;
    case 4: return (0 - one) & mask;
    case 5: return one - 1;
    default: return random_u64(seed) & mask;
    }
}

static inline uint64_t random_exponent(uint64_t *seed, unsigned bits)
{
    uint64_t max = (UINT64_C(1) << bits) - 1, bias = max / 2;
    uint64_t near = random_u64(seed) % 4;

    switch (random_u64(seed) % 12) {
    case 0: return 0;
    case 1: return near;
    case 2: return max;
    case 3: return max - near;
    case 4: case 5: case 6: return (bias + random_u64(seed) % 16 - 8) & max;
    case 7: return (bias + random_u64(seed) % 140 - 70) & max;
    default: return random_u64(seed) & max;
    }
}

static inline uint64_t random_float(uint64_t *seed, FpuFormat f)
{
    unsigned e = layouts[f].exp_bits, m = layouts[f].frac_bits;

    return (random_u64(seed) & 1) << (e + m) | random_exponent(seed, e) << m |
           random_fraction(seed, m);
}

/* Of n operands some are made alike, so that sums cancel. */
static inline void random_operands(uint64_t *seed, FpuFormat f, uint64_t *v, unsigned n)
{
    uint64_t all = (UINT64_C(2) << (layouts[f].exp_bits + layouts[f].frac_bits)) - 1;

    if (f == FPU_F64) {
        all = UINT64_MAX;
    }
    for (unsigned i = 0; i < n; i++) {
        v[i] = random_float(seed, f);
        if (i > 0 && random_u64(seed) % 8 == 0) {
            uint64_t step = UINT64_C(1) << random_u64(seed) % (layouts[f].frac_bits + 2);
            v[i] = (v[0] + step - random_u64(seed) % 3) & all;
        }
    }
}

#endif
