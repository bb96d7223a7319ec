/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rectangles as raw, hextile, zlib, ZRLE. Source: RFC 6143, section 7.7; zlib: the registry's
 * "Zlib Encoding". CopyRect is never sent: nobody tells the server what moved.
 */
#include <string.h>

#include "ui/vnc_private.h"
#include "util/bits.h"

enum { STREAM_ZLIB = 4, STREAM_ZRLE = 5, HEXTILE_SIDE = 16, ZRLE_SIDE = 64, ZRLE_COLOURS = 16 };
enum { HEX_RAW = 1, HEX_BACKGROUND = 2, HEX_FOREGROUND = 4, HEX_SUBRECTS = 8, HEX_COLOURED = 16 };

void vnc_put_rect(GByteArray *out, const VncRect *r, int32_t encoding)
{
    vnc_put16(out, r->x);
    vnc_put16(out, r->y);
    vnc_put16(out, r->w);
    vnc_put16(out, r->h);
    vnc_put32(out, (uint32_t)encoding);
}

unsigned vnc_palette(const VncServer *s, const VncRect *r, uint32_t *colours, unsigned max)
{
    unsigned n = 0, last = 0;

    for (uint32_t y = 0; y < r->h; y++) {
        const uint32_t *row = vnc_row(s, r->x, r->y + y);
        for (uint32_t x = 0; x < r->w; x++) {
            unsigned i = 0;
            if (n && colours[last] == row[x]) {
                continue;
            }
            while (i < n && colours[i] != row[x]) {
                i++;
            }
            if (i == n) {
                if (n == max) {
                    return max + 1;
                }
                colours[n++] = row[x];
            }
            last = i;
        }
    }
    return n;
}

static unsigned colour_index(const uint32_t *colours, unsigned n, uint32_t v)
{
    unsigned i = 0;

    while (i + 1 < n && colours[i] != v) {
        i++;
    }
    return i;
}

void vnc_deflate(VncClient *c, unsigned i, const GByteArray *bytes)
{
    z_stream *z = &c->streams[i];

    if (!c->stream_on[i]) {
        memset(z, 0, sizeof *z);
        if (deflateInit(z, c->level) != Z_OK) {
            g_error("zlib: no memory");
        }
        c->stream_on[i] = true;
    }
    g_byte_array_set_size(c->packed, (guint)deflateBound(z, bytes->len) + 64);
    z->next_in = bytes->data;
    z->avail_in = bytes->len;
    z->next_out = c->packed->data;
    z->avail_out = c->packed->len;
    deflate(z, Z_SYNC_FLUSH);
    g_byte_array_set_size(c->packed, c->packed->len - z->avail_out);
}

static void put_area(VncClient *c, GByteArray *out, const VncRect *r)
{
    for (uint32_t y = 0; y < r->h; y++) {
        vnc_put_pixels(out, &c->format, vnc_row(c->server, r->x, r->y + y), r->w);
    }
}

static void encode_raw(VncClient *c, const VncRect *r)
{
    vnc_put_rect(c->out, r, VNC_RAW);
    put_area(c, c->out, r);
}

static void encode_zlib(VncClient *c, const VncRect *r)
{
    vnc_put_rect(c->out, r, VNC_ZLIB);
    g_byte_array_set_size(c->scratch, 0);
    put_area(c, c->scratch, r);
    vnc_deflate(c, STREAM_ZLIB, c->scratch);
    vnc_put32(c->out, c->packed->len);
    g_byte_array_append(c->out, c->packed->data, c->packed->len);
}

/* ---- hextile: tiles of 16 by 16 with a background and rectangles on it */

/* The rectangles that are not background; their number, or 256 when raw is shorter. */
static unsigned subrects(VncClient *c, const VncRect *t, uint32_t background, bool coloured)
{
    const VncServer *s = c->server;
    bool done[HEXTILE_SIDE][HEXTILE_SIDE] = {{false}};
    unsigned n = 0;

    g_byte_array_set_size(c->scratch, 0);
    for (uint32_t y = 0; y < t->h; y++) {
        for (uint32_t x = 0; x < t->w; x++) {
            uint32_t v = *vnc_row(s, t->x + x, t->y + y), w = 1, h = 1;
            if (done[y][x] || v == background) {
                continue;
            }
            while (x + w < t->w && !done[y][x + w] && *vnc_row(s, t->x + x + w, t->y + y) == v) {
                w++;
            }
            for (bool same = true; same && y + h < t->h; h += same) {
                for (uint32_t i = 0; i < w && same; i++) {
                    same = !done[y + h][x + i] && *vnc_row(s, t->x + x + i, t->y + y + h) == v;
                }
            }
            for (uint32_t i = 0; i < w * h; i++) {
                done[y + i / w][x + i % w] = true;
            }
            if (coloured) {
                vnc_put_pixels(c->scratch, &c->format, &v, 1);
            }
            vnc_put8(c->scratch, x << 4 | y);
            vnc_put8(c->scratch, (w - 1) << 4 | (h - 1));
            n++;
            if (n > 255 || c->scratch->len >= t->w * t->h * c->format.bits / 8) {
                return 256;
            }
        }
    }
    return n;
}

static void hextile(VncClient *c, const VncRect *t)
{
    uint32_t colours[2] = {0, 0};
    unsigned n = vnc_palette(c->server, t, colours, 2);
    unsigned rects = n == 1 ? 0 : subrects(c, t, colours[0], n > 2);
    unsigned flags = HEX_BACKGROUND | (n > 1 ? HEX_SUBRECTS : 0) |
                     (n == 2  ? HEX_FOREGROUND
                      : n > 2 ? HEX_COLOURED
                              : 0);

    if (rects == 256) {
        vnc_put8(c->out, HEX_RAW);
        put_area(c, c->out, t);
        return;
    }
    vnc_put8(c->out, flags);
    vnc_put_pixels(c->out, &c->format, &colours[0], 1);
    if (flags & HEX_FOREGROUND) {
        vnc_put_pixels(c->out, &c->format, &colours[1], 1);
    }
    if (flags & HEX_SUBRECTS) {
        vnc_put8(c->out, rects);
        g_byte_array_append(c->out, c->scratch->data, c->scratch->len);
    }
}

static void encode_hextile(VncClient *c, const VncRect *r)
{
    vnc_put_rect(c->out, r, VNC_HEXTILE);
    for (uint32_t y = 0; y < r->h; y += HEXTILE_SIDE) {
        for (uint32_t x = 0; x < r->w; x += HEXTILE_SIDE) {
            VncRect t = {r->x + x, r->y + y, MIN(r->w - x, HEXTILE_SIDE),
                         MIN(r->h - y, HEXTILE_SIDE)};
            hextile(c, &t);
        }
    }
}

/* ---- ZRLE: tiles of 64 by 64, all through one zlib stream */

static void zrle_packed(VncClient *c, const VncRect *t, const uint32_t *colours, unsigned n)
{
    unsigned bits = n == 2 ? 1 : n <= 4 ? 2 : 4;

    vnc_put8(c->scratch, n);
    vnc_put_cpixels(c->scratch, &c->format, colours, n);
    for (uint32_t y = 0; y < t->h; y++) {
        const uint32_t *row = vnc_row(c->server, t->x, t->y + y);
        unsigned byte = 0, filled = 0;
        for (uint32_t x = 0; x < t->w; x++) {
            byte = byte << bits | colour_index(colours, n, row[x]);
            filled += bits;
            if (filled == 8) {
                vnc_put8(c->scratch, byte);
                byte = filled = 0;
            }
        }
        if (filled) {
            vnc_put8(c->scratch, byte << (8 - filled));
        }
    }
}

static void zrle_tile(VncClient *c, const VncRect *t)
{
    uint32_t colours[ZRLE_COLOURS];
    unsigned n = vnc_palette(c->server, t, colours, ZRLE_COLOURS);

    if (n == 1) {
        vnc_put8(c->scratch, 1);
        vnc_put_cpixels(c->scratch, &c->format, colours, 1);
    } else if (n <= ZRLE_COLOURS) {
        zrle_packed(c, t, colours, n);
    } else {
        vnc_put8(c->scratch, 0);
        for (uint32_t y = 0; y < t->h; y++) {
            vnc_put_cpixels(c->scratch, &c->format, vnc_row(c->server, t->x, t->y + y), t->w);
        }
    }
}

static void encode_zrle(VncClient *c, const VncRect *r)
{
    vnc_put_rect(c->out, r, VNC_ZRLE);
    g_byte_array_set_size(c->scratch, 0);
    for (uint32_t y = 0; y < r->h; y += ZRLE_SIDE) {
        for (uint32_t x = 0; x < r->w; x += ZRLE_SIDE) {
            VncRect t = {r->x + x, r->y + y, MIN(r->w - x, ZRLE_SIDE), MIN(r->h - y, ZRLE_SIDE)};
            zrle_tile(c, &t);
        }
    }
    vnc_deflate(c, STREAM_ZRLE, c->scratch);
    vnc_put32(c->out, c->packed->len);
    g_byte_array_append(c->out, c->packed->data, c->packed->len);
}

unsigned vnc_encode(VncClient *c, const VncRect *r)
{
    switch (c->encoding) {
    case VNC_HEXTILE: encode_hextile(c, r); return 1;
    case VNC_ZLIB: encode_zlib(c, r); return 1;
    case VNC_ZRLE: encode_zrle(c, r); return 1;
    case VNC_TIGHT: return vnc_encode_tight(c, r);
    default: encode_raw(c, r); return 1;
    }
}
