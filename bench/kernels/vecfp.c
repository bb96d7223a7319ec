/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIMD single precision: loops that compilers turn into vectors. Compiled without contraction. */
#include <string.h>

#include "kernel.h"

enum { N = 1 << 13 };
static float a[N], b[N], c[N];

static __attribute__((noinline, optimize("O3"))) void saxpy(float k)
{
    for (int i = 0; i < N; i++) {
        c[i] = a[i] * k + b[i];
    }
}

static __attribute__((noinline, optimize("O3"))) void relax(void)
{
    for (int i = 1; i < N - 1; i++) {
        a[i] = (c[i - 1] + c[i] + c[i + 1]) * 0.333f;
    }
}

static __attribute__((noinline, optimize("O3"))) void divide(void)
{
    for (int i = 0; i < N; i++) {
        b[i] = (a[i] + 1.5f) / (c[i] * c[i] + 2.0f);
    }
}

int main(int argc, char **argv)
{
    unsigned n = kernel_scale(argc, argv, 60000);
    uint32_t seed = 13;
    for (int i = 0; i < N; i++) {
        a[i] = (float)(kernel_random(&seed) % 1000) / 250.0f;
        b[i] = (float)(kernel_random(&seed) % 1000) / 125.0f;
    }
    for (unsigned r = 0; r < n; r++) {
        saxpy(0.5f + (float)(r & 3) * 0.125f);
        relax();
        divide();
    }
    uint64_t sum = 0;
    for (int i = 0; i < N; i++) {
        uint32_t bits;
        memcpy(&bits, &b[i], sizeof bits);
        sum = sum * 5 + bits;
    }
    return kernel_done(sum);
}
