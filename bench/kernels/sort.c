/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sorting through function pointers: quicksort with a comparison the compiler cannot see. */
#include "kernel.h"

enum { N = 1 << 17 };
typedef int (*Compare)(const uint32_t *a, const uint32_t *b);

static uint32_t values[N];

static int upward(const uint32_t *a, const uint32_t *b)
{
    return *a < *b ? -1 : *a > *b;
}

static int downward(const uint32_t *a, const uint32_t *b)
{
    return *a > *b ? -1 : *a < *b;
}

static __attribute__((noinline)) void sort(uint32_t *v, long lo, long hi, Compare compare)
{
    while (lo < hi) {
        uint32_t pivot = v[lo + (hi - lo) / 2];
        long i = lo, j = hi;
        while (i <= j) {
            while (compare(&v[i], &pivot) < 0) {
                i++;
            }
            while (compare(&v[j], &pivot) > 0) {
                j--;
            }
            if (i <= j) {
                uint32_t t = v[i];
                v[i++] = v[j];
                v[j--] = t;
            }
        }
        if (j - lo < hi - i) {
            sort(v, lo, j, compare);
            lo = i;
        } else {
            sort(v, i, hi, compare);
            hi = j;
        }
    }
}

int main(int argc, char **argv)
{
    unsigned n = kernel_scale(argc, argv, 30);
    volatile Compare order[2] = {upward, downward};
    uint32_t seed = 7;
    uint64_t sum = 0;
    for (unsigned r = 0; r < n; r++) {
        for (unsigned i = 0; i < N; i++) {
            values[i] = kernel_random(&seed);
        }
        sort(values, 0, N - 1, order[r & 1]);
        sum = sum * 31 + values[r * 1000 % N];
    }
    return kernel_done(sum);
}
