/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Code memory. One reservation holds the data area (links, counters, constants) followed by the
 * code, so that code reaches data rip-relative. The code's pages are anonymous shared memory mapped
 * twice: read-write for the compiler, read-execute for the vCPUs; no mapping is both.
 * (perf resolves symbols in anonymous memory; a memfd's it ignores.)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "accel/tcg/engine.h"

enum { DATA_SHARE = 4 }; /* data area: code bytes / DATA_SHARE */

static void *map_or_null(void *p)
{
    return p == MAP_FAILED ? NULL : p;
}

TcgBuffer *buffer_new(const TcgEngine *e, char *err, size_t err_bytes)
{
    size_t code_bytes = e->config.code_bytes;
    size_t data_bytes = code_bytes / DATA_SHARE;
    TcgBuffer *b = calloc(1, sizeof *b);
    if (!b) {
        snprintf(err, err_bytes, "no memory for a code buffer");
        return NULL;
    }
    b->map_bytes = data_bytes + code_bytes;
    b->map = map_or_null(mmap(NULL, b->map_bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    uint8_t *rw = map_or_null(mmap(NULL, code_bytes, PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    void *rx = NULL;
    if (b->map && rw) {
        rx = map_or_null(
            mremap(rw, 0, code_bytes, MREMAP_MAYMOVE | MREMAP_FIXED, (char *)b->map + data_bytes));
    }
    if (!rx || mprotect(rx, code_bytes, PROT_READ | PROT_EXEC) < 0) {
        snprintf(err, err_bytes,
                 "cannot map %zu MiB of code memory: %s (is executable anonymous "
                 "memory forbidden here?)",
                 code_bytes >> 20, strerror(errno));
        if (rw) {
            munmap(rw, code_bytes);
        }
        if (b->map) {
            munmap(b->map, b->map_bytes);
        }
        free(b);
        return NULL;
    }
    b->buf = (TcgCodeBuf){
        .rw = rw, .rx = rx, .code_bytes = code_bytes, .data = b->map, .data_bytes = data_bytes};
    e->backend->emit_prologue(&b->buf, e->host);
    return b;
}

void buffer_free(TcgBuffer *b)
{
    munmap(b->buf.rw, b->buf.code_bytes);
    munmap(b->map, b->map_bytes);
    free(b->by_host);
    free(b);
}

/*
 * The array is replaced when it grows; readers in signal handlers load the pointer after the count
 * (acquire), and an old array is never freed while its buffer lives: a reader may be anywhere.
 */
void buffer_add(TcgBuffer *b, TcgRegion *r)
{
    uint32_t n = atomic_load_explicit(&b->n_by_host, memory_order_relaxed);
    TcgRegion **arr = atomic_load_explicit(&b->by_host, memory_order_relaxed);
    if (n == b->cap_by_host) {
        uint32_t cap = n ? 4 * n : 1024;
        TcgRegion **bigger = malloc(cap * sizeof *bigger);
        if (!bigger) {
            abort();
        }
        if (n) {
            memcpy(bigger, arr, n * sizeof *arr);
        }
        arr = bigger;
        b->cap_by_host = cap;
        atomic_store_explicit(&b->by_host, arr, memory_order_release);
    }
    arr[n] = r;
    atomic_store_explicit(&b->n_by_host, n + 1, memory_order_release);
}

TcgRegion *buffer_find(const TcgBuffer *b, const void *host)
{
    const uint8_t *p = host;
    if (p < b->buf.rx || p >= b->buf.rx + b->buf.code_bytes) {
        return NULL;
    }
    uint32_t hi = atomic_load_explicit(&b->n_by_host, memory_order_acquire);
    TcgRegion **arr = atomic_load_explicit(&b->by_host, memory_order_acquire);
    uint32_t lo = 0;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        const TcgCompiled *c = &arr[mid]->c;
        if (p < c->code) {
            hi = mid;
        } else if (p >= c->code + c->code_bytes) {
            lo = mid + 1;
        } else {
            return arr[mid];
        }
    }
    return NULL;
}
