/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIMD integer: loops over bytes, halfwords and words that compilers turn into vectors. */
#include "kernel.h"

enum { N = 1 << 14 };
static uint8_t a[N], b[N], c[N];
static int16_t s[N], t[N];
static uint32_t u[N], v[N];

static __attribute__((noinline, optimize("O3"))) void blend(void)
{
    for (int i = 0; i < N; i++) {
        unsigned x = a[i], y = b[i];
        c[i] = (uint8_t)((x + y + 1) >> 1);
    }
}

static __attribute__((noinline, optimize("O3"))) void maximum(void)
{
    for (int i = 0; i < N; i++) {
        a[i] = a[i] > c[i] ? a[i] : (uint8_t)(c[i] ^ 0x5a);
    }
}

static __attribute__((noinline, optimize("O3"))) void scale(void)
{
    for (int i = 0; i < N; i++) {
        s[i] = (int16_t)((s[i] * 3 + t[i]) >> 1);
    }
}

static __attribute__((noinline, optimize("O3"))) uint32_t mix(void)
{
    uint32_t sum = 0;
    for (int i = 0; i < N; i++) {
        u[i] = u[i] * 2654435761u + (v[i] >> 3);
        v[i] ^= u[i] << 5;
        sum += u[i] & v[i];
    }
    return sum;
}

int main(int argc, char **argv)
{
    unsigned n = kernel_scale(argc, argv, 40000);
    uint32_t seed = 5;
    for (int i = 0; i < N; i++) {
        a[i] = (uint8_t)kernel_random(&seed);
        b[i] = (uint8_t)kernel_random(&seed);
        s[i] = (int16_t)kernel_random(&seed);
        t[i] = (int16_t)kernel_random(&seed);
        u[i] = kernel_random(&seed);
        v[i] = kernel_random(&seed);
    }
    uint64_t sum = 0;
    for (unsigned r = 0; r < n; r++) {
        blend();
        maximum();
        scale();
        sum = sum * 3 + mix() + c[r % N] + (uint16_t)s[r % N];
    }
    return kernel_done(sum);
}
