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

bool a64_host_has_sha(void)
{
    const char *hide = getenv("GEMEL_HOST_CPU");
    unsigned a, b, c, d;
    if (hide && strcmp(hide, "sse4.2") == 0) {
        return false;
    }
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1);
}

#else

bool a64_host_has_sha(void)
{
    return false;
}

#endif
