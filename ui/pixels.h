/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pixels of a surface as 0x00RRGGBB words. */
#ifndef GEMEL_UI_PIXELS_H
#define GEMEL_UI_PIXELS_H

#include <stddef.h>

#include "core/display.h"

/* n pixels of format f at src to dst; the upper eight bits of each are 0. */
void pixels_to_rgb(uint32_t *dst, const uint8_t *src, PixelFormat f, uint32_t n);

/* n pixels from (x, y) of s on, which must lie in it. */
static inline void surface_row(uint32_t *dst, const Surface *s, uint32_t x, uint32_t y, uint32_t n)
{
    pixels_to_rgb(dst, s->pixels + (size_t)y * s->stride_bytes + (size_t)x * pixel_bytes(s->format),
                  s->format, n);
}

#endif
