/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pixels as a VNC client wants them. Source: RFC 6143, sections 7.4, 7.6.2, 7.7.6. */
#include <string.h>

#include "ui/vnc_private.h"
#include "util/bits.h"

enum { MAP_SIZE = 256 };

static void make_tables(VncFormat *f)
{
    uint32_t mask = 0;

    for (unsigned i = 0; i < 3; i++) {
        for (uint32_t v = 0; v < 256; v++) {
            f->table[i][v] = (v * f->max[i] + 127) / 255 << f->shift[i];
        }
        mask |= (uint32_t)f->max[i] << f->shift[i];
    }
    bool true32 = f->bits == 32 && !f->mapped && f->depth <= 24;
    f->three_bytes = true32 && (!(mask & 0xff000000) || !(mask & 0xff));
    f->skip = (mask & 0xff000000) != 0; /* the unused byte is the lowest */
    f->tight_three_bytes =
        true32 && f->depth == 24 && f->max[0] == 255 && f->max[1] == 255 && f->max[2] == 255;
}

/* The 256 colours of a map: three bits of red and green, two of blue. */
static void set_map(VncFormat *f)
{
    static const uint16_t max[] = {7, 7, 3};
    static const uint8_t shift[] = {0, 3, 6};

    memcpy(f->max, max, sizeof max);
    memcpy(f->shift, shift, sizeof shift);
}

bool vnc_format_parse(VncFormat *f, const uint8_t p[16])
{
    *f = (VncFormat){.bits = p[0], .depth = p[1], .big_endian = p[2] != 0, .mapped = p[3] == 0};
    if (f->bits != 8 && f->bits != 16 && f->bits != 32) {
        return false;
    }
    if (f->mapped) {
        if (f->bits != 8) {
            return false;
        }
        set_map(f);
    }
    for (unsigned i = 0; i < 3 && !f->mapped; i++) {
        f->max[i] = load_be16(p + 4 + 2 * i);
        f->shift[i] = p[10 + i];
        if (!f->max[i] || f->shift[i] >= f->bits || (uint64_t)f->max[i] << f->shift[i] >> f->bits) {
            return false;
        }
    }
    make_tables(f);
    return true;
}

void vnc_format_default(VncFormat *f)
{
    static const uint8_t xrgb[16] = {32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0};

    vnc_format_parse(f, xrgb);
}

void vnc_format_put(GByteArray *out, const VncFormat *f)
{
    static const uint8_t padding[3];

    vnc_put8(out, f->bits);
    vnc_put8(out, f->depth);
    vnc_put8(out, f->big_endian);
    vnc_put8(out, !f->mapped);
    for (unsigned i = 0; i < 3; i++) {
        vnc_put16(out, f->max[i]);
    }
    for (unsigned i = 0; i < 3; i++) {
        vnc_put8(out, f->shift[i]);
    }
    g_byte_array_append(out, padding, sizeof padding);
}

void vnc_format_put_map(GByteArray *out)
{
    vnc_put8(out, 1); /* SetColourMapEntries */
    vnc_put8(out, 0);
    vnc_put16(out, 0);
    vnc_put16(out, MAP_SIZE);
    for (unsigned i = 0; i < MAP_SIZE; i++) {
        vnc_put16(out, (i & 7) * 65535 / 7);
        vnc_put16(out, (i >> 3 & 7) * 65535 / 7);
        vnc_put16(out, (i >> 6) * 65535 / 3);
    }
}

/* Room for n bytes at the end of out. */
static uint8_t *room(GByteArray *out, size_t n)
{
    guint at = out->len;

    g_byte_array_set_size(out, (guint)(at + n));
    return out->data + at;
}

void vnc_put_pixels(GByteArray *out, const VncFormat *f, const uint32_t *rgb, size_t n)
{
    uint8_t *p = room(out, n * f->bits / 8);

    for (size_t i = 0; i < n; i++) {
        uint32_t v = vnc_pixel(f, rgb[i]);
        if (f->bits == 32) {
            store_le32(p + 4 * i, f->big_endian ? __builtin_bswap32(v) : v);
        } else if (f->bits == 16) {
            store_le16(p + 2 * i, f->big_endian ? __builtin_bswap16((uint16_t)v) : (uint16_t)v);
        } else {
            p[i] = (uint8_t)v;
        }
    }
}

void vnc_put_cpixels(GByteArray *out, const VncFormat *f, const uint32_t *rgb, size_t n)
{
    if (!f->three_bytes) {
        vnc_put_pixels(out, f, rgb, n);
        return;
    }
    uint8_t *p = room(out, n * 3);
    for (size_t i = 0; i < n; i++, p += 3) {
        uint32_t v = vnc_pixel(f, rgb[i]) >> 8 * f->skip;
        p[0] = (uint8_t)(f->big_endian ? v >> 16 : v);
        p[1] = (uint8_t)(v >> 8);
        p[2] = (uint8_t)(f->big_endian ? v : v >> 16);
    }
}

void vnc_put_tpixels(GByteArray *out, const VncFormat *f, const uint32_t *rgb, size_t n)
{
    if (!f->tight_three_bytes) {
        vnc_put_pixels(out, f, rgb, n);
        return;
    }
    uint8_t *p = room(out, n * 3);
    for (size_t i = 0; i < n; i++, p += 3) {
        p[0] = (uint8_t)(rgb[i] >> 16);
        p[1] = (uint8_t)(rgb[i] >> 8);
        p[2] = (uint8_t)rgb[i];
    }
}
