/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pictures of virtio-gpu. Source: VIRTIO 1.2, section 5.7.6.8. */
#include "hw/display/gpu_resource.h"

#include <linux/virtio_gpu.h>

#include "util/bits.h"

enum { OVERHEAD_BYTES = 1024, MAX_SAVED = 1 << 20 };

/* The formats name bytes in memory order, ours bits of a little-endian word from the top. */
bool gpu_format(uint32_t format, PixelFormat *f)
{
    static const struct {
        uint32_t theirs;
        PixelFormat ours;
    } table[] = {
        {VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, PIXEL_A8R8G8B8},
        {VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, PIXEL_X8R8G8B8},
        {VIRTIO_GPU_FORMAT_A8R8G8B8_UNORM, PIXEL_B8G8R8A8},
        {VIRTIO_GPU_FORMAT_X8R8G8B8_UNORM, PIXEL_B8G8R8X8},
        {VIRTIO_GPU_FORMAT_R8G8B8A8_UNORM, PIXEL_A8B8G8R8},
        {VIRTIO_GPU_FORMAT_X8B8G8R8_UNORM, PIXEL_R8G8B8X8},
        {VIRTIO_GPU_FORMAT_A8B8G8R8_UNORM, PIXEL_R8G8B8A8},
        {VIRTIO_GPU_FORMAT_R8G8B8X8_UNORM, PIXEL_X8B8G8R8},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        if (table[i].theirs == format) {
            *f = table[i].ours;
            return true;
        }
    }
    return false;
}

static uint64_t pixel_cost(const GpuResource *r)
{
    return (uint64_t)r->surface.stride_bytes * r->surface.height + OVERHEAD_BYTES;
}

static bool charge(GpuStore *s, uint64_t bytes)
{
    if (bytes > s->max_bytes || s->bytes > s->max_bytes - bytes) {
        return false;
    }
    s->bytes += bytes;
    return true;
}

static void drop_resource(void *opaque)
{
    GpuResource *r = opaque;

    g_free(r->surface.pixels);
    g_free(r->entries);
    g_free(r);
}

void gpu_store_init(GpuStore *s)
{
    s->resources = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, drop_resource);
}

void gpu_store_free(GpuStore *s)
{
    if (s->resources) {
        g_hash_table_destroy(s->resources);
    }
    s->resources = NULL;
}

void gpu_store_clear(GpuStore *s)
{
    g_hash_table_remove_all(s->resources);
    s->bytes = 0;
}

GpuResource *gpu_resource(const GpuStore *s, uint32_t id)
{
    return g_hash_table_lookup(s->resources, GUINT_TO_POINTER(id));
}

GpuResource *gpu_resource_new(GpuStore *s, uint32_t id, uint32_t format, uint32_t width,
                              uint32_t height)
{
    PixelFormat f = PIXEL_X8R8G8B8;

    if (!id || gpu_resource(s, id) || !gpu_format(format, &f) || !width || !height ||
        width > DISPLAY_MAX_SIDE || height > DISPLAY_MAX_SIDE) {
        return NULL;
    }
    GpuResource *r = g_new0(GpuResource, 1);
    r->id = id;
    r->format = format;
    r->surface = (Surface){width, height, width * pixel_bytes(f), f, NULL};
    if (charge(s, pixel_cost(r))) {
        r->surface.pixels = g_try_malloc0_n(r->surface.stride_bytes, height);
        s->bytes -= r->surface.pixels ? 0 : pixel_cost(r);
    }
    if (!r->surface.pixels) {
        g_free(r);
        return NULL;
    }
    g_hash_table_insert(s->resources, GUINT_TO_POINTER(id), r);
    return r;
}

void gpu_resource_free(GpuStore *s, GpuResource *r)
{
    gpu_resource_detach(s, r);
    s->bytes -= pixel_cost(r);
    g_hash_table_remove(s->resources, GUINT_TO_POINTER(r->id));
}

bool gpu_resource_attach(GpuStore *s, GpuResource *r, GpuEntry *entries, uint32_t n)
{
    if (!charge(s, (uint64_t)n * sizeof *entries)) {
        g_free(entries);
        return false;
    }
    r->entries = entries;
    r->n_entries = n;
    return true;
}

void gpu_resource_detach(GpuStore *s, GpuResource *r)
{
    s->bytes -= (uint64_t)r->n_entries * sizeof *r->entries;
    g_free(r->entries);
    r->entries = NULL;
    r->n_entries = 0;
}

bool gpu_rect_fits(const GpuResource *r, const GpuRect *rect)
{
    return rect->width && rect->height && rect->x < r->surface.width &&
           rect->y < r->surface.height && rect->width <= r->surface.width - rect->x &&
           rect->height <= r->surface.height - rect->y;
}

/* ---- transfer */

/* A place in the backing; moves forward only, so that a transfer walks the list once. */
typedef struct Walk {
    const GpuResource *r;
    uint32_t entry;
    uint64_t start; /* offset of that entry's first byte */
    AddressSpace *as;
    MemAttrs attrs;
} Walk;

static void read_backing(Walk *w, uint64_t offset, uint8_t *to, size_t bytes)
{
    while (bytes && w->entry < w->r->n_entries) {
        const GpuEntry *e = &w->r->entries[w->entry];
        uint64_t skip = offset - w->start;
        if (skip >= e->bytes) {
            w->start += e->bytes;
            w->entry++;
            continue;
        }
        size_t n = MIN(e->bytes - skip, bytes);
        mem_read(w->as, e->gpa + skip, to, n, w->attrs);
        to += n;
        offset += n;
        bytes -= n;
    }
}

void gpu_resource_transfer(GpuResource *r, const GpuRect *rect, uint64_t offset, AddressSpace *as,
                           MemAttrs attrs)
{
    Walk w = {.r = r, .as = as, .attrs = attrs};
    size_t stride = r->surface.stride_bytes, px = pixel_bytes(r->surface.format);
    uint8_t *to = r->surface.pixels + rect->y * stride + rect->x * px;

    if (offset > UINT64_MAX / 2) {
        return;
    }
    if (rect->width == r->surface.width) {
        read_backing(&w, offset, to, stride * rect->height);
        return;
    }
    for (uint32_t y = 0; y < rect->height; y++) {
        read_backing(&w, offset + y * stride, to + y * stride, rect->width * px);
    }
}

/* ---- state */

static bool save_resource(const GpuResource *r, StateStream *to)
{
    bool ok = state_put_u32(to, r->id) && state_put_u32(to, r->format) &&
              state_put_u32(to, r->surface.width) && state_put_u32(to, r->surface.height) &&
              state_put_u32(to, r->n_entries);

    for (uint32_t i = 0; ok && i < r->n_entries; i++) {
        ok = state_put_u64(to, r->entries[i].gpa) && state_put_u32(to, r->entries[i].bytes);
    }
    return ok && state_put_bytes(to, r->surface.pixels,
                                 (size_t)r->surface.stride_bytes * r->surface.height);
}

static int by_id(const void *a, const void *b)
{
    const GpuResource *x = a, *y = b;

    return x->id < y->id ? -1 : x->id > y->id;
}

bool gpu_store_save(const GpuStore *s, StateStream *to)
{
    GList *all = g_list_sort(g_hash_table_get_values(s->resources), by_id);
    bool ok = state_put_u32(to, g_hash_table_size(s->resources));

    for (GList *l = all; ok && l; l = l->next) {
        ok = save_resource(l->data, to);
    }
    g_list_free(all);
    return ok;
}

static bool load_entries(GpuStore *s, GpuResource *r, uint32_t n, StateStream *from)
{
    GpuEntry *entries = g_new0(GpuEntry, n);

    for (uint32_t i = 0; i < n; i++) {
        if (!state_get_u64(from, &entries[i].gpa) || !state_get_u32(from, &entries[i].bytes)) {
            g_free(entries);
            return false;
        }
    }
    return gpu_resource_attach(s, r, entries, n);
}

static bool load_resource(GpuStore *s, StateStream *from)
{
    uint32_t id, format, width, height, n;

    if (!state_get_u32(from, &id) || !state_get_u32(from, &format) ||
        !state_get_u32(from, &width) || !state_get_u32(from, &height) || !state_get_u32(from, &n) ||
        n > GPU_MAX_ENTRIES) {
        return false;
    }
    GpuResource *r = gpu_resource_new(s, id, format, width, height);
    return r && (!n || load_entries(s, r, n, from)) &&
           state_get_bytes(from, r->surface.pixels,
                           (size_t)r->surface.stride_bytes * r->surface.height);
}

bool gpu_store_load(GpuStore *s, StateStream *from, Error *err)
{
    uint32_t n;

    gpu_store_clear(s);
    if (!state_get_u32(from, &n) || n > MAX_SAVED) {
        return error_set(err, "number of pictures");
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!load_resource(s, from)) {
            return error_set(err, "picture %u of %u", i + 1, n);
        }
    }
    return true;
}
