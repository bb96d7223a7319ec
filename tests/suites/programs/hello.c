/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For the guest's own compiler: threads, libm, argv. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>

static void *sum(void *arg)
{
    long *v = arg;
    for (long i = 0; i < 100; i++) {
        *v += i;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    long v = 0;
    pthread_t t;
    pthread_create(&t, NULL, sum, &v);
    pthread_join(t, NULL);
    printf("%ld %.12f %s\n", v, 4 * atan(1), argc > 1 ? argv[1] : "");
    return 0;
}
