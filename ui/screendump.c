/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures of a surface in a file: PNG, or PPM (P6). */
#include <glib.h>
#include <stdio.h>
#include <unistd.h>

#include "ui/pixels.h"
#include "ui/private.h"

/* The picture as bytes R, G, B; free with g_free(). NULL: no memory. */
static uint8_t *rgb_bytes(const Surface *s)
{
    uint8_t *out = g_try_malloc_n((size_t)s->width * s->height, 3), *at = out;
    uint32_t *row = g_try_malloc_n(s->width, sizeof *row);

    if (!out || !row) {
        g_free(out);
        g_free(row);
        return NULL;
    }
    for (uint32_t y = 0; y < s->height; y++) {
        surface_row(row, s, 0, y, s->width);
        for (uint32_t x = 0; x < s->width; x++, at += 3) {
            at[0] = (uint8_t)(row[x] >> 16);
            at[1] = (uint8_t)(row[x] >> 8);
            at[2] = (uint8_t)row[x];
        }
    }
    g_free(row);
    return out;
}

static bool write_ppm(FILE *f, const Surface *s, const uint8_t *rgb, Error *err)
{
    size_t bytes = (size_t)s->width * s->height * 3;

    if (fprintf(f, "P6\n%u %u\n255\n", s->width, s->height) < 0 ||
        fwrite(rgb, 1, bytes, f) != bytes) {
        return error_set_errno(err, "writing");
    }
    return true;
}

bool ui_screendump(const Surface *s, const char *path, Error *err)
{
    bool png = g_str_has_suffix(path, ".png");

    if (!s) {
        return error_set(err, "screendump %s: nothing is shown", path);
    }
    uint8_t *rgb = rgb_bytes(s);
    if (!rgb) {
        return error_set(err, "screendump %s: no memory for %ux%u pixels", path, s->width,
                         s->height);
    }
    FILE *f = fopen(path, "wb");
    if (!f) {
        g_free(rgb);
        return error_set_errno(err, "screendump %s", path);
    }
    bool ok = png ? ui_png_write(f, s->width, s->height, rgb, err) : write_ppm(f, s, rgb, err);
    if (fclose(f) && ok) {
        ok = error_set_errno(err, "writing");
    }
    g_free(rgb);
    return ok || error_prepend(err, "screendump %s", path);
}
