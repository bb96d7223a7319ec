/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bump allocator: everything allocated from an arena goes at once. Not thread-safe. */
#ifndef GEMEL_UTIL_ARENA_H
#define GEMEL_UTIL_ARENA_H

#include <stddef.h>

typedef struct ArenaChunk ArenaChunk;
typedef struct Arena {
    ArenaChunk *chunk;      /* newest first */
    char       *next, *end; /* free part of the newest chunk */
} Arena;

void  arena_init(Arena *a);
void  arena_reset(Arena *a);  /* frees all but one chunk for reuse */
void  arena_free(Arena *a);
/* 16-byte aligned, zeroed memory. Aborts when the host has none. */
void *arena_alloc(Arena *a, size_t bytes);
/* The same, but not zeroed. */
void *arena_take(Arena *a, size_t bytes);
/* Grows an array of `cap` elements to at least `want`; returns the new array, *cap updated. */
void *arena_grow(Arena *a, void *old, unsigned *cap, unsigned want, size_t elem_bytes);

#endif
