/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stores: the sieve of Eratosthenes. */
#include <string.h>

#include "kernel.h"

enum { N = 1 << 20 };
static uint8_t composite[N];

int main(int argc, char **argv)
{
    unsigned n = kernel_scale(argc, argv, 150);
    uint64_t sum = 0;
    for (unsigned r = 0; r < n; r++) {
        memset(composite, 0, sizeof composite);
        for (unsigned i = 2; i * i < N; i++) {
            if (!composite[i]) {
                for (unsigned j = i * i; j < N; j += i) {
                    composite[j] = 1;
                }
            }
        }
        for (unsigned i = 2; i < N; i++) {
            sum += composite[i] ? 0 : i;
        }
    }
    return kernel_done(sum);
}
