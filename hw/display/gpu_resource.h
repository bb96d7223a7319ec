/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pictures of virtio-gpu: pixels on the host, and the pages of the guest they are filled from.
 * Everything here is bounded by the memory a device may take (hostmem).
 */
#ifndef GEMEL_HW_DISPLAY_GPU_RESOURCE_H
#define GEMEL_HW_DISPLAY_GPU_RESOURCE_H

#include <glib.h>

#include "core/display.h"
#include "core/state.h"

enum { GPU_MAX_ENTRIES = 16384 };

typedef struct GpuEntry {
    uint64_t gpa;
    uint32_t bytes;
} GpuEntry;

typedef struct GpuResource {
    uint32_t id, format; /* as the guest gave them */
    Surface  surface;    /* pixels owned */
    uint32_t n_entries;
    GpuEntry *entries;   /* backing; NULL: none */
} GpuResource;

typedef struct GpuStore {
    GHashTable *resources; /* id to GpuResource */
    uint64_t    bytes, max_bytes;
} GpuStore;

typedef struct GpuRect {
    uint32_t x, y, width, height;
} GpuRect;

void gpu_store_init(GpuStore *s);
void gpu_store_free(GpuStore *s);
void gpu_store_clear(GpuStore *s);

/* Pixel format by VIRTIO_GPU_FORMAT_*; false: not known. */
bool gpu_format(uint32_t format, PixelFormat *f);
GpuResource *gpu_resource(const GpuStore *s, uint32_t id);
/* NULL: the id is in use or 0, a side is 0 or too long, or there is no memory left for it. */
GpuResource *gpu_resource_new(GpuStore *s, uint32_t id, uint32_t format, uint32_t width, uint32_t height);
void gpu_resource_free(GpuStore *s, GpuResource *r);
/* Takes entries (g_malloc) over; false: no memory left, they are freed. */
bool gpu_resource_attach(GpuStore *s, GpuResource *r, GpuEntry *entries, uint32_t n);
void gpu_resource_detach(GpuStore *s, GpuResource *r);
/* Is rect within the resource, and not empty? */
bool gpu_rect_fits(const GpuResource *r, const GpuRect *rect);
/* Fills rect, which must fit, from the backing, whose byte `offset` is the first pixel of rect and whose
 * rows are as long as the resource's. Bytes beyond the backing or outside RAM stay as they were. */
void gpu_resource_transfer(GpuResource *r, const GpuRect *rect, uint64_t offset, AddressSpace *as,
                           MemAttrs attrs);

bool gpu_store_save(const GpuStore *s, StateStream *to);
bool gpu_store_load(GpuStore *s, StateStream *from, Error *err);

#endif
