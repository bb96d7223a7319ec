/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Double precision matrix multiplication, fused where the machine fuses: rounding cannot show in
 * the checksum, all values are small integers. */
#include "kernel.h"

enum { N = 192 };
static double a[N][N], b[N][N], c[N][N];

static __attribute__((noinline)) void multiply(void)
{
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < N; k++) {
            double x = a[i][k];
            for (int j = 0; j < N; j++) {
                c[i][j] += x * b[k][j];
            }
        }
    }
}

int main(int argc, char **argv)
{
    unsigned n = kernel_scale(argc, argv, 100);
    uint32_t seed = 11;
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            a[i][j] = kernel_random(&seed) % 16;
            b[i][j] = kernel_random(&seed) % 16;
        }
    }
    for (unsigned r = 0; r < n; r++) {
        multiply();
    }
    uint64_t sum = 0;
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            sum = sum * 7 + (uint64_t)c[i][j];
        }
    }
    return kernel_done(sum);
}
