/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scalar double precision with branches: the Mandelbrot set. Compiled without contraction. */
#include "kernel.h"

int main(int argc, char **argv)
{
    int n = (int)kernel_scale(argc, argv, 800);
    uint64_t sum = 0;
    for (int y = 0; y < n; y++) {
        for (int x = 0; x < n; x++) {
            double cr = 3.0 * x / n - 2.0, ci = 2.4 * y / n - 1.2, r = 0, i = 0;
            int k = 0;
            while (k < 256 && r * r + i * i < 4.0) {
                double t = r * r - i * i + cr;
                i = 2 * r * i + ci;
                r = t;
                k++;
            }
            sum = sum * 3 + (uint64_t)k;
        }
    }
    return kernel_done(sum);
}
