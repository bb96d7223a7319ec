/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names for perf: one line a region in /tmp/perf-PID.map, as perf's JIT interface asks. */
#include <inttypes.h>

#include "accel/tcg/engine.h"

void perf_region(TcgEngine *e, const TcgRegion *r)
{
    if (e->perf_map) {
        fprintf(e->perf_map, "%" PRIxPTR " %x t%u:%s:%#" PRIx64 "\n", (uintptr_t)r->c.code,
                r->c.code_bytes, r->tier, e->guest->name, r->pc);
        fflush(e->perf_map);
    }
}
