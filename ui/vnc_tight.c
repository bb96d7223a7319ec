/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Tight encoding. Source: the RFB registry's "Tight Encoding" (community RFB specification).
 * Fill, copy and palette; not made: gradients, JPEG (nothing is ever lossy here).
 */
#include "ui/vnc_private.h"

enum {
    MAX_WIDTH = 2048,
    MAX_PIXELS = 65536,
    MAX_COLOURS = 64,
    MIN_TO_COMPRESS = 12,
    FILL = 0x80,
    EXPLICIT_FILTER = 0x40,
    FILTER_PALETTE = 1,
    STREAM_COPY = 0,
    STREAM_MONO = 1,
    STREAM_PALETTE = 2
};

/* One to three bytes of seven bits, the last of eight. */
static void put_length(GByteArray *out, uint32_t n)
{
    vnc_put8(out, (n & 0x7f) | (n > 0x7f ? 0x80 : 0));
    if (n > 0x7f) {
        vnc_put8(out, (n >> 7 & 0x7f) | (n > 0x3fff ? 0x80 : 0));
    }
    if (n > 0x3fff) {
        vnc_put8(out, n >> 14);
    }
}

static void put_data(VncClient *c, unsigned stream)
{
    if (c->scratch->len < MIN_TO_COMPRESS) {
        g_byte_array_append(c->out, c->scratch->data, c->scratch->len);
        return;
    }
    vnc_deflate(c, stream, c->scratch);
    put_length(c->out, c->packed->len);
    g_byte_array_append(c->out, c->packed->data, c->packed->len);
}

/* One bit a pixel, rows padded to bytes. */
static void mono(VncClient *c, const VncRect *r, const uint32_t *colours)
{
    for (uint32_t y = 0; y < r->h; y++) {
        const uint32_t *row = vnc_row(c->server, r->x, r->y + y);
        for (uint32_t x = 0; x < r->w; x += 8) {
            unsigned byte = 0;
            for (uint32_t i = 0; i < 8 && x + i < r->w; i++) {
                byte |= (row[x + i] == colours[1] ? 0x80u : 0) >> i;
            }
            vnc_put8(c->scratch, byte);
        }
    }
}

static void indexed(VncClient *c, const VncRect *r, const uint32_t *colours, unsigned n)
{
    for (uint32_t y = 0; y < r->h; y++) {
        const uint32_t *row = vnc_row(c->server, r->x, r->y + y);
        unsigned last = 0;
        for (uint32_t x = 0; x < r->w; x++) {
            if (colours[last] != row[x]) {
                for (last = 0; last + 1 < n && colours[last] != row[x]; last++) {
                }
            }
            vnc_put8(c->scratch, last);
        }
    }
}

static void encode_one(VncClient *c, const VncRect *r)
{
    uint32_t colours[MAX_COLOURS];
    unsigned n = vnc_palette(c->server, r, colours, MAX_COLOURS);

    vnc_put_rect(c->out, r, VNC_TIGHT);
    g_byte_array_set_size(c->scratch, 0);
    if (n == 1) {
        vnc_put8(c->out, FILL);
        vnc_put_tpixels(c->out, &c->format, colours, 1);
    } else if (n <= MAX_COLOURS) {
        unsigned stream = n == 2 ? STREAM_MONO : STREAM_PALETTE;
        vnc_put8(c->out, EXPLICIT_FILTER | stream << 4);
        vnc_put8(c->out, FILTER_PALETTE);
        vnc_put8(c->out, n - 1);
        vnc_put_tpixels(c->out, &c->format, colours, n);
        if (n == 2) {
            mono(c, r, colours);
        } else {
            indexed(c, r, colours, n);
        }
        put_data(c, stream);
    } else {
        vnc_put8(c->out, STREAM_COPY << 4);
        for (uint32_t y = 0; y < r->h; y++) {
            vnc_put_tpixels(c->scratch, &c->format, vnc_row(c->server, r->x, r->y + y), r->w);
        }
        put_data(c, STREAM_COPY);
    }
}

unsigned vnc_encode_tight(VncClient *c, const VncRect *r)
{
    unsigned n = 0;

    for (uint32_t x = 0; x < r->w; x += MAX_WIDTH) {
        uint32_t w = MIN(r->w - x, MAX_WIDTH), rows = MAX_PIXELS / w;
        for (uint32_t y = 0; y < r->h; y += rows, n++) {
            VncRect part = {r->x + x, r->y + y, w, MIN(r->h - y, rows)};
            encode_one(c, &part);
        }
    }
    return n;
}
