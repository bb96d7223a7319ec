/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the benchmark kernels share. Each kernel is one program: `kernel [SCALE]` does SCALE units of
 * work (the default takes a few tenths of a second natively) and prints a checksum that is the same
 * on every machine.
 */
#ifndef GEMEL_BENCH_KERNEL_H
#define GEMEL_BENCH_KERNEL_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static inline unsigned kernel_scale(int argc, char **argv, unsigned usual)
{
    return argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : usual;
}

static inline uint32_t kernel_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static inline int kernel_done(uint64_t checksum)
{
    printf("%016llx\n", (unsigned long long)checksum);
    return 0;
}

#endif
