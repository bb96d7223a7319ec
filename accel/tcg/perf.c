/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names for perf, two ways: a line a region in /tmp/perf-PID.map, and a jitdump with the code
 * itself
 * (`perf record -k mono`, `perf inject --jit`). Regions are called by the guest's function.
 *
 * Source: Linux tools/perf/Documentation, jit-interface.txt and jitdump-specification.txt.
 * All under the code lock. A forked child has files of its own: perf knows them by process.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "accel/tcg/engine.h"

enum { JITDUMP_MAGIC = 0x4a695444, JITDUMP_VERSION = 1, JIT_CODE_LOAD = 0, EM_X86_64_ = 62 };

typedef struct JitHeader {
    uint32_t magic, version, bytes, machine, pad, pid;
    uint64_t timestamp, flags;
} JitHeader;

typedef struct JitCodeLoad {
    uint32_t id, bytes;
    uint64_t timestamp;
    uint32_t pid, tid;
    uint64_t vma, address, code_bytes, index;
} JitCodeLoad;

_Static_assert(sizeof(JitHeader) == 40 && sizeof(JitCodeLoad) == 56, "jitdump layout");

static void open_jitdump(TcgEngine *e)
{
    char name[64];
    snprintf(name, sizeof name, "jit-%d.dump", (int)getpid());
    e->jitdump = fopen(name, "w+e");
    if (!e->jitdump) {
        return;
    }
    JitHeader h = {JITDUMP_MAGIC,
                   JITDUMP_VERSION,
                   sizeof h,
                   EM_X86_64_,
                   0,
                   (uint32_t)getpid(),
                   engine_clock_ns(CLOCK_MONOTONIC),
                   0};
    fwrite(&h, sizeof h, 1, e->jitdump);
    fflush(e->jitdump);
    /* perf record finds the dump by this executable mapping of it. */
    void *marker = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fileno(e->jitdump), 0);
    (void)marker;
}

void perf_open(TcgEngine *e)
{
    if (e->config.perf_map) {
        char name[64];
        snprintf(name, sizeof name, "/tmp/perf-%d.map", (int)getpid());
        e->perf_map = fopen(name, "we");
    }
    if (e->config.jitdump) {
        open_jitdump(e);
    }
}

void perf_fork_child(TcgEngine *e)
{
    FILE *const old[] = {e->perf_map, e->jitdump};
    for (int i = 0; i < 2; i++) {
        if (old[i]) {
            fclose(old[i]); /* every record was flushed */
        }
    }
    e->perf_map = e->jitdump = NULL;
    perf_open(e);
}

static void dump_region(TcgEngine *e, const TcgRegion *r, const char *name)
{
    JitCodeLoad l = {.id = JIT_CODE_LOAD,
                     .timestamp = engine_clock_ns(CLOCK_MONOTONIC),
                     .pid = (uint32_t)getpid(),
                     .tid = (uint32_t)gettid(),
                     .vma = (uintptr_t)r->c.code,
                     .address = (uintptr_t)r->c.code,
                     .code_bytes = r->c.code_bytes,
                     .index = e->jitdump_index++};
    size_t name_bytes = strlen(name) + 1;
    l.bytes = (uint32_t)(sizeof l + name_bytes + r->c.code_bytes);
    fwrite(&l, sizeof l, 1, e->jitdump);
    fwrite(name, name_bytes, 1, e->jitdump);
    fwrite(r->c.code, r->c.code_bytes, 1, e->jitdump);
    fflush(e->jitdump);
}

void perf_region(TcgEngine *e, const TcgRegion *r)
{
    if (!e->perf_map && !e->jitdump) {
        return;
    }
    char symbol[256], name[320];
    if (!e->ops->symbol || !e->ops->symbol(e->opaque, r->pc, symbol, sizeof symbol)) {
        snprintf(symbol, sizeof symbol, "%#" PRIx64, r->pc);
    }
    snprintf(name, sizeof name, "t%u:%s:%s", r->tier, e->guest->name, symbol);
    if (e->perf_map) {
        fprintf(e->perf_map, "%" PRIxPTR " %x %s\n", (uintptr_t)r->c.code, r->c.code_bytes, name);
        fflush(e->perf_map);
    }
    if (e->jitdump) {
        dump_region(e, r, name);
    }
}
