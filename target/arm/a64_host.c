/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host CPU features the A64 helpers use.
 *
 * Source: Intel SDM volume 2, CPUID leaf 7, EBX bit 29 (SHA).
 */
#include "target/arm/a64_host.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

static bool hidden(void)
{
    const char *hide = getenv("GEMEL_HOST_CPU");
    return hide && strcmp(hide, "sse4.2") == 0;
}

bool a64_host_has_fma(void)
{
    return !hidden() && __builtin_cpu_supports("fma");
}

bool a64_host_has_sha(void)
{
    unsigned a, b, c, d;
    return !hidden() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1);
}

#else

bool a64_host_has_fma(void)
{
    return false;
}

bool a64_host_has_sha(void)
{
    return false;
}

#endif
