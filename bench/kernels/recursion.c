/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recursion: calls and returns, with little else. */
#include "kernel.h"

static __attribute__((noinline)) uint64_t fib(unsigned n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

int main(int argc, char **argv)
{
    return kernel_done(fib(kernel_scale(argc, argv, 40)));
}
