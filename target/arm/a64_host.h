/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the A64 guest asks of the host's CPU; GEMEL_HOST_CPU hides it as in the back end. */
#ifndef GEMEL_TARGET_ARM_A64_HOST_H
#define GEMEL_TARGET_ARM_A64_HOST_H

#include <stdbool.h>

/* SHA-1 and SHA-256 instructions (and SSE4.1); FMA3. False under GEMEL_HOST_CPU=sse4.2. */
bool a64_host_has_sha(void);
bool a64_host_has_fma(void);

#endif
