/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pointer chasing through a random cycle larger than the first caches. */
#include "kernel.h"

enum { N = 1 << 18 };
typedef struct Node {
    struct Node *next;
    uint64_t value;
} Node;
static Node nodes[N];
static uint32_t order[N];

int main(int argc, char **argv)
{
    unsigned n = kernel_scale(argc, argv, 60);
    uint32_t seed = 3;
    for (uint32_t i = 0; i < N; i++) {
        order[i] = i;
    }
    for (uint32_t i = N - 1; i > 0; i--) {
        uint32_t j = kernel_random(&seed) % (i + 1), t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
    for (uint32_t i = 0; i < N; i++) {
        nodes[order[i]] = (Node){&nodes[order[(i + 1) % N]], i};
    }
    uint64_t sum = 0;
    const Node *p = nodes;
    for (uint64_t i = 0; i < (uint64_t)n * N; i++) {
        sum += p->value ^ i;
        p = p->next;
    }
    return kernel_done(sum);
}
