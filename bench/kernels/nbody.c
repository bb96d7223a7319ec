/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scalar double precision: five bodies under gravity. Compiled without contraction, so that every
 * machine rounds alike. */
#include <math.h>
#include <string.h>

#include "kernel.h"

enum { BODIES = 5 };
typedef struct Body {
    double x, y, z, vx, vy, vz, mass;
} Body;

static Body body[BODIES] = {
    {0, 0, 0, 0, 0, 0, 39.5},
    {4.84, -1.16, -0.10, 0.606, 2.81, -0.02, 0.0377},
    {8.34, 4.12, -0.40, -1.01, 1.82, 0.008, 0.0113},
    {12.89, -15.11, -0.22, 1.08, 0.868, -0.01, 0.0017},
    {15.37, -25.9, 0.179, 0.979, 0.594, -0.034, 0.002},
};

static __attribute__((noinline)) void advance(double dt)
{
    for (int i = 0; i < BODIES; i++) {
        Body *p = &body[i];
        for (int j = i + 1; j < BODIES; j++) {
            Body *q = &body[j];
            double dx = p->x - q->x, dy = p->y - q->y, dz = p->z - q->z;
            double d2 = dx * dx + dy * dy + dz * dz;
            double mag = dt / (d2 * sqrt(d2));
            p->vx -= dx * q->mass * mag;
            p->vy -= dy * q->mass * mag;
            p->vz -= dz * q->mass * mag;
            q->vx += dx * p->mass * mag;
            q->vy += dy * p->mass * mag;
            q->vz += dz * p->mass * mag;
        }
    }
    for (int i = 0; i < BODIES; i++) {
        body[i].x += dt * body[i].vx;
        body[i].y += dt * body[i].vy;
        body[i].z += dt * body[i].vz;
    }
}

int main(int argc, char **argv)
{
    unsigned n = kernel_scale(argc, argv, 4000000);
    for (unsigned i = 0; i < n; i++) {
        advance(0.001);
    }
    uint64_t sum = 0;
    for (int i = 0; i < BODIES; i++) {
        uint64_t bits;
        memcpy(&bits, &body[i].x, sizeof bits);
        sum = sum * 5 + bits;
    }
    return kernel_done(sum);
}
