/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ramfb: a frame buffer anywhere in guest RAM, for firmware and simple systems. The guest writes
 * where it is and how it looks into the fw_cfg file "etc/ramfb".
 *
 * Source: EDK2 OvmfPkg/QemuRamfbDxe's view of the interface (RAMFB_CONFIG: big-endian address 64,
 * fourcc 32, flags 32, width 32, height 32, stride 32) and Linux drm_fourcc.h.
 *
 * What is shown is a copy, compared row by row with guest memory when a listener asks: telling
 * which pages of RAM were written would make every store of the guest slower, all over its RAM. Not
 * modelled: flags (reserved), formats beyond those in the table below.
 */
#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "core/display.h"
#include "core/machine.h"
#include "hw/classes.h"
#include "hw/fw_cfg.h"
#include "util/bits.h"

enum { CONFIG_BYTES = 28 };

typedef struct Ramfb {
    Device dev;
    /* wiring */
    Console *console;
    struct iovec frame; /* guest memory of the frame; iov_base NULL: none */
    Surface shown;      /* the copy; pixels owned */
    bool primed;        /* the copy was filled once */
    /* state: the file's words */
    uint64_t address;
    uint32_t fourcc, width, height, stride;
} Ramfb;

#define FOURCC(a, b, c, d)                                                                         \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

static const struct {
    uint32_t fourcc; /* DRM_FORMAT_* */
    PixelFormat format;
} formats[] = {
    {FOURCC('X', 'R', '2', '4'), PIXEL_X8R8G8B8}, {FOURCC('A', 'R', '2', '4'), PIXEL_A8R8G8B8},
    {FOURCC('X', 'B', '2', '4'), PIXEL_X8B8G8R8}, {FOURCC('A', 'B', '2', '4'), PIXEL_A8B8G8R8},
    {FOURCC('B', 'X', '2', '4'), PIXEL_B8G8R8X8}, {FOURCC('B', 'A', '2', '4'), PIXEL_B8G8R8A8},
    {FOURCC('R', 'X', '2', '4'), PIXEL_R8G8B8X8}, {FOURCC('R', 'A', '2', '4'), PIXEL_R8G8B8A8},
    {FOURCC('R', 'G', '2', '4'), PIXEL_R8G8B8},   {FOURCC('R', 'G', '1', '6'), PIXEL_R5G6B5},
};

static void hide(Ramfb *s)
{
    console_set_surface(s->console, NULL);
    if (s->frame.iov_base) {
        dma_unmap(s->dev.machine->as, &s->frame, 1, false, 0);
    }
    g_free(s->shown.pixels);
    s->frame = (struct iovec){0};
    s->shown = (Surface){0};
    s->primed = false;
}

static bool find_format(uint32_t fourcc, PixelFormat *f)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (formats[i].fourcc == fourcc) {
            *f = formats[i].format;
            return true;
        }
    }
    return false;
}

/* One piece of RAM: a frame across two banks of RAM cannot be shown. */
static bool map_frame(Ramfb *s, size_t bytes)
{
    int n = 0;

    if (s->address + bytes < s->address) {
        return false;
    }
    size_t got = dma_map(s->dev.machine->as, s->address, bytes, false, &s->frame, 1, &n);
    if (got < bytes) {
        dma_unmap(s->dev.machine->as, &s->frame, n, false, 0);
        s->frame = (struct iovec){0};
        return false;
    }
    return true;
}

static void show(Ramfb *s)
{
    PixelFormat format = PIXEL_X8R8G8B8;

    hide(s);
    if (!s->width && !s->height) {
        return; /* the guest takes it away */
    }
    if (!find_format(s->fourcc, &format)) {
        device_guest_error(&s->dev, "pixel format 0x%08x is not known", s->fourcc);
        return;
    }
    uint64_t row = (uint64_t)s->width * pixel_bytes(format);
    uint64_t stride = s->stride ? s->stride : row;
    if (!s->width || s->width > DISPLAY_MAX_SIDE || !s->height || s->height > DISPLAY_MAX_SIDE ||
        stride < row) {
        device_guest_error(&s->dev, "no such screen: %ux%u, %u bytes a row", s->width, s->height,
                           s->stride);
        return;
    }
    if (!map_frame(s, stride * (s->height - 1) + row)) {
        device_guest_error(&s->dev, "0x%" PRIx64 " is not in RAM", s->address);
        return;
    }
    s->shown =
        (Surface){s->width, s->height, (uint32_t)row, format, g_try_malloc0(row * s->height)};
    if (!s->shown.pixels) {
        hide(s);
        return;
    }
    s->stride = (uint32_t)stride;
    console_set_surface(s->console, &s->shown);
}

static void refresh(void *opaque)
{
    Ramfb *s = opaque;
    uint32_t first = 0, n = 0; /* the run of changed rows */

    for (uint32_t y = 0; y < s->shown.height; y++) {
        const uint8_t *from = (const uint8_t *)s->frame.iov_base + (size_t)y * s->stride;
        uint8_t *to = s->shown.pixels + (size_t)y * s->shown.stride_bytes;

        if (!s->primed || memcmp(to, from, s->shown.stride_bytes)) {
            memcpy(to, from, s->shown.stride_bytes);
            first = n ? first : y;
            n++;
        } else if (n) {
            console_update(s->console, 0, first, s->shown.width, n);
            n = 0;
        }
    }
    if (n) {
        console_update(s->console, 0, first, s->shown.width, n);
    }
    s->primed = true;
}

static void written(void *opaque, const uint8_t *data, size_t bytes)
{
    Ramfb *s = opaque;

    if (bytes < CONFIG_BYTES) {
        return;
    }
    s->address = load_be64(data);
    s->fourcc = load_be32(data + 8);
    s->width = load_be32(data + 16);
    s->height = load_be32(data + 20);
    s->stride = load_be32(data + 24);
    show(s);
}

static bool only_one(const Device *d)
{
    for (const Device *o = d->machine->devices; o; o = o->next) {
        if (o != d && o->cls == d->cls) {
            return false;
        }
    }
    return true;
}

static bool ramfb_realize(Device *d, Error *err)
{
    static const ConsoleOps ops = {.refresh = refresh};
    static const uint8_t none[CONFIG_BYTES];
    Ramfb *s = (Ramfb *)d;
    Device *fw_cfg = fw_cfg_of(d->machine);

    if (!fw_cfg) {
        return error_set(err, "-device ramfb: this machine has no fw_cfg device; use -M virt");
    }
    if (!only_one(d)) {
        return error_set(err, "-device ramfb: there is one already; a machine can have only one");
    }
    s->console = console_new(d->machine, d->id, &ops, s);
    if (!fw_cfg_add_writable(fw_cfg, "etc/ramfb", none, sizeof none, written, s, err)) {
        return false;
    }
    return true;
}

static void ramfb_unrealize(Device *d)
{
    static const uint8_t none[CONFIG_BYTES];
    Ramfb *s = (Ramfb *)d;
    Device *fw_cfg = fw_cfg_of(d->machine);
    Error err;

    if (!s->console) {
        return;
    }
    hide(s);
    console_free(s->console);
    if (fw_cfg) {
        fw_cfg_add_file(fw_cfg, "etc/ramfb", none, sizeof none, &err);
    }
}

static const StateDesc ramfb_state[] = {
    {STATE_FIELD(STATE_U64, Ramfb, address)}, {STATE_FIELD(STATE_U32, Ramfb, fourcc)},
    {STATE_FIELD(STATE_U32, Ramfb, width)},   {STATE_FIELD(STATE_U32, Ramfb, height)},
    {STATE_FIELD(STATE_U32, Ramfb, stride)},  {0},
};

static void ramfb_sync(Device *d)
{
    show((Ramfb *)d);
}

const DeviceClass ramfb_class = {
    .name = "ramfb",
    .title = "frame buffer in RAM, for firmware and simple systems",
    .category = "display",
    .bytes = sizeof(Ramfb),
    .bus = BUS_SYSTEM,
    .state = ramfb_state,
    .realize = ramfb_realize,
    .unrealize = ramfb_unrealize,
    .sync = ramfb_sync,
};
