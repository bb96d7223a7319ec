/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FramebufferUpdate messages. Source: RFC 6143, section 7.6.1 and 7.8; the registry's
 * ExtendedDesktopSize, Cursor With Alpha, QEMU pseudo-encodings. */
#include <string.h>

#include "core/input.h"
#include "ui/vnc_private.h"
#include "util/bits.h"

enum { MAX_RECTS = 4000, RECTS_AT = 2 };

void vnc_mark(VncClient *c, const VncRect *r)
{
    const VncServer *s = c->server;
    uint32_t x1 = MIN((r->x + r->w + VNC_TILE - 1) / VNC_TILE, s->tiles_x);
    uint32_t y1 = MIN((r->y + r->h + VNC_TILE - 1) / VNC_TILE, s->tiles_y);

    for (uint32_t y = r->y / VNC_TILE; y < y1; y++) {
        for (uint32_t x = r->x / VNC_TILE; x < x1; x++) {
            c->dirty[y * s->tiles_x + x] = 1;
            c->any_dirty = true;
        }
    }
}

/* ---- pseudo-encodings */

static unsigned put_size(VncClient *c)
{
    VncRect r = {0, 0, c->server->width, c->server->height};

    c->send_size = false;
    c->width = r.w;
    c->height = r.h;
    if (!c->takes_ext_size) {
        vnc_put_rect(c->out, &r, VNC_DESKTOP_SIZE);
        return 1;
    }
    r.x = c->size_reason;
    r.y = c->size_status;
    vnc_put_rect(c->out, &r, VNC_EXT_DESKTOP_SIZE);
    vnc_put32(c->out, 1u << 24); /* one screen, padding */
    vnc_put32(c->out, 0);        /* its id */
    vnc_put32(c->out, 0);        /* where */
    vnc_put16(c->out, r.w);
    vnc_put16(c->out, r.h);
    vnc_put32(c->out, 0); /* flags */
    c->size_reason = c->size_status = 0;
    return 1;
}

/* Colours and a mask of one bit a pixel. */
static void put_masked_cursor(VncClient *c, const CursorImage *image, const uint32_t *argb)
{
    for (uint32_t i = 0; i < image->width * image->height; i++) {
        uint32_t rgb = argb[i] & 0xffffff;
        vnc_put_pixels(c->out, &c->format, &rgb, 1);
    }
    for (uint32_t y = 0; y < image->height; y++) {
        for (uint32_t x = 0; x < image->width; x += 8) {
            unsigned byte = 0;
            for (uint32_t i = 0; i < 8 && x + i < image->width; i++) {
                byte |= (argb[y * image->width + x + i] >> 31 ? 0x80u : 0) >> i;
            }
            vnc_put8(c->out, byte);
        }
    }
}

/* Raw, as R, G, B, A with colours multiplied by alpha. */
static void put_alpha_cursor(VncClient *c, const CursorImage *image, const uint32_t *argb)
{
    vnc_put32(c->out, VNC_RAW);
    for (uint32_t i = 0; i < image->width * image->height; i++) {
        uint32_t a = argb[i] >> 24;
        vnc_put8(c->out, ((argb[i] >> 16 & 0xff) * a + 127) / 255);
        vnc_put8(c->out, ((argb[i] >> 8 & 0xff) * a + 127) / 255);
        vnc_put8(c->out, ((argb[i] & 0xff) * a + 127) / 255);
        vnc_put8(c->out, a);
    }
}

static unsigned put_cursor(VncClient *c)
{
    const VncServer *s = c->server;
    static const uint32_t clear = 0;
    static const CursorImage none = {.width = 1, .height = 1};
    const CursorImage *image = s->argb ? &s->cursor : &none;
    const uint32_t *argb = s->argb ? s->argb : &clear;
    VncRect r = {image->hot_x, image->hot_y, image->width, image->height};

    c->send_cursor = false;
    vnc_put_rect(c->out, &r, c->takes_alpha_cursor ? VNC_ALPHA_CURSOR : VNC_CURSOR);
    if (c->takes_alpha_cursor) {
        put_alpha_cursor(c, image, argb);
    } else {
        put_masked_cursor(c, image, argb);
    }
    return 1;
}

static unsigned put_mark(VncClient *c, bool *flag, bool x, int32_t encoding)
{
    VncRect r = {x, 0, c->width, c->height};

    *flag = false;
    vnc_put_rect(c->out, &r, encoding);
    return 1;
}

/* A new size comes last, and no pixels behind it (section 7.8.2). */
static unsigned put_pseudo(VncClient *c)
{
    unsigned n = 0;

    if (c->send_cursor) {
        n += put_cursor(c);
    }
    if (c->send_ext_key) {
        n += put_mark(c, &c->send_ext_key, false, VNC_EXT_KEY);
    }
    if (c->send_motion) {
        c->told_absolute = input_is_absolute(c->server->m);
        n += put_mark(c, &c->send_motion, c->told_absolute, VNC_POINTER_MOTION);
    }
    return n;
}

/* ---- pixels */

/* Tiles of the request, of what both sides have: [x, x1) and [y, y1). */
typedef struct Tiles {
    uint32_t x, y, x1, y1;
} Tiles;

static Tiles asked(const VncClient *c)
{
    const VncServer *s = c->server;
    uint64_t right = MIN((uint64_t)c->request.x + c->request.w, MIN(c->width, s->width));
    uint64_t bottom = MIN((uint64_t)c->request.y + c->request.h, MIN(c->height, s->height));

    return (Tiles){c->request.x / VNC_TILE, c->request.y / VNC_TILE,
                   (uint32_t)((right + VNC_TILE - 1) / VNC_TILE),
                   (uint32_t)((bottom + VNC_TILE - 1) / VNC_TILE)};
}

/* Is all of row y from x to x1 dirty? */
static bool run_dirty(const VncClient *c, uint32_t y, uint32_t x, uint32_t x1)
{
    return !memchr(c->dirty + y * c->server->tiles_x + x, 0, x1 - x);
}

/* The rectangle of dirty tiles that begins at (x, y), as wide and then as high as it goes; clean
 * afterwards. In pixels, within what both sides have. */
static VncRect take_rect(VncClient *c, const Tiles *t, uint32_t x, uint32_t y)
{
    uint32_t w = c->server->tiles_x, x1 = x + 1, y1 = y + 1;
    uint32_t width = MIN(c->width, c->server->width), height = MIN(c->height, c->server->height);

    while (x1 < t->x1 && c->dirty[y * w + x1]) {
        x1++;
    }
    while (y1 < t->y1 && run_dirty(c, y1, x, x1)) {
        y1++;
    }
    for (uint32_t row = y; row < y1; row++) {
        memset(c->dirty + row * w + x, 0, x1 - x);
    }
    VncRect r = {x * VNC_TILE, y * VNC_TILE, 0, 0};
    r.w = MIN(x1 * VNC_TILE, width) - r.x;
    r.h = MIN(y1 * VNC_TILE, height) - r.y;
    return r;
}

static unsigned put_pixels(VncClient *c)
{
    Tiles t = asked(c);
    unsigned n = 0;

    for (uint32_t y = t.y; y < t.y1; y++) {
        for (uint32_t x = t.x; x < t.x1; x++) {
            if (c->dirty[y * c->server->tiles_x + x] && n < MAX_RECTS) {
                VncRect r = take_rect(c, &t, x, y);
                n += vnc_encode(c, &r);
            }
        }
    }
    c->any_dirty = memchr(c->dirty, 1, (size_t)c->server->tiles_x * c->server->tiles_y) != NULL;
    return n;
}

void vnc_update(VncClient *c)
{
    guint start = c->out->len;

    /* A client that does not read gets no more until it did. */
    if (!c->running || !c->requested || c->wire->len > c->wire_at) {
        return;
    }
    vnc_take_changes(c->server);
    if (!c->send_size && !c->send_cursor && !c->send_ext_key && !c->send_motion && !c->any_dirty) {
        return;
    }
    vnc_put8(c->out, 0); /* FramebufferUpdate */
    vnc_put8(c->out, 0);
    vnc_put16(c->out, 0);
    unsigned n = put_pseudo(c);
    if (c->send_size) {
        n += put_size(c);
    } else if (c->any_dirty) {
        n += put_pixels(c);
    }
    if (!n) {
        g_byte_array_set_size(c->out, start);
        return;
    }
    store_be16(c->out->data + start + RECTS_AT, (uint16_t)n);
    c->requested = false;
    c->update_bytes = c->out->len;
    vnc_send(c);
}
