/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bump allocator.
 *
 * Chunks form a list, newest first; only the newest has free space. A reset keeps the largest
 * chunk, so that an arena used over and over settles on one chunk that fits.
 */
#include "util/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_ALIGN = 16, ARENA_FIRST_BYTES = 64 * 1024, ARENA_MAX_STEP_BYTES = 8 * 1024 * 1024 };

struct ArenaChunk {
    _Alignas(ARENA_ALIGN) ArenaChunk *older;
    size_t bytes; /* usable bytes in data */
    _Alignas(ARENA_ALIGN) char data[];
};

void arena_init(Arena *a)
{
    *a = (Arena){0};
}

static void arena_use(Arena *a, ArenaChunk *chunk)
{
    a->chunk = chunk;
    a->next = chunk->data;
    a->end = chunk->data + chunk->bytes;
}

static void arena_add_chunk(Arena *a, size_t want)
{
    size_t bytes = a->chunk ? a->chunk->bytes * 2 : ARENA_FIRST_BYTES;
    ArenaChunk *chunk;

    if (bytes > ARENA_MAX_STEP_BYTES) {
        bytes = ARENA_MAX_STEP_BYTES;
    }
    if (bytes < want) {
        bytes = want;
    }
    chunk = bytes < SIZE_MAX - sizeof *chunk ? malloc(sizeof *chunk + bytes) : NULL;
    if (!chunk) {
        fprintf(stderr, "gemel: out of memory: no %zu bytes for the translator\n", bytes);
        abort();
    }
    chunk->older = a->chunk;
    chunk->bytes = bytes;
    arena_use(a, chunk);
}

void arena_reset(Arena *a)
{
    ArenaChunk *keep = a->chunk;

    if (!keep) {
        return;
    }
    for (ArenaChunk *c = keep->older, *older; c; c = older) {
        older = c->older;
        if (c->bytes > keep->bytes) {
            free(keep);
            keep = c;
        } else {
            free(c);
        }
    }
    keep->older = NULL;
    arena_use(a, keep);
}

void arena_free(Arena *a)
{
    for (ArenaChunk *c = a->chunk, *older; c; c = older) {
        older = c->older;
        free(c);
    }
    arena_init(a);
}

void *arena_take(Arena *a, size_t bytes)
{
    size_t rounded = (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    void *p;

    if (rounded < bytes) {
        rounded = SIZE_MAX & ~(size_t)(ARENA_ALIGN - 1); /* cannot be had: aborts below */
    }
    if (!a->chunk || rounded > (size_t)(a->end - a->next)) {
        arena_add_chunk(a, rounded);
    }
    p = a->next;
    a->next += rounded;
    return p;
}

void *arena_alloc(Arena *a, size_t bytes)
{
    return memset(arena_take(a, bytes), 0, bytes);
}

void *arena_grow(Arena *a, void *old, unsigned *cap, unsigned want, size_t elem_bytes)
{
    unsigned n = *cap ? *cap : 8;
    void *p;

    if (want <= *cap) {
        return old;
    }
    while (n < want) {
        n = n > UINT32_MAX / 2 ? want : n * 2;
    }
    p = arena_alloc(a, n * elem_bytes);
    if (*cap) {
        memcpy(p, old, *cap * elem_bytes);
    }
    *cap = n;
    return p;
}
