/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pixels of a surface as 0x00RRGGBB words, by pixman. */
#include "ui/pixels.h"

#include <pixman.h>
#include <stdlib.h>
#include <string.h>

/* Formats with alpha are read without it: a screen is opaque. */
static const pixman_format_code_t formats[PIXEL_N] = {
    [PIXEL_X8R8G8B8] = PIXMAN_x8r8g8b8, [PIXEL_A8R8G8B8] = PIXMAN_x8r8g8b8,
    [PIXEL_X8B8G8R8] = PIXMAN_x8b8g8r8, [PIXEL_A8B8G8R8] = PIXMAN_x8b8g8r8,
    [PIXEL_B8G8R8X8] = PIXMAN_b8g8r8x8, [PIXEL_B8G8R8A8] = PIXMAN_b8g8r8x8,
    [PIXEL_R8G8B8X8] = PIXMAN_r8g8b8x8, [PIXEL_R8G8B8A8] = PIXMAN_r8g8b8x8,
    [PIXEL_R5G6B5] = PIXMAN_r5g6b5,     [PIXEL_R8G8B8] = PIXMAN_r8g8b8,
};

void pixels_to_rgb(uint32_t *dst, const uint8_t *src, PixelFormat f, uint32_t n)
{
    size_t bytes = (size_t)n * pixel_bytes(f), stride = (bytes + 3) & ~(size_t)3;
    uint8_t *copy = NULL;
    if ((uintptr_t)src & 3 || stride != bytes) { /* pixman wants rows of whole words */
        copy = malloc(stride);
        if (!copy) {
            abort();
        }
        memcpy(copy, src, bytes);
        src = copy;
    }
    pixman_image_t *from = pixman_image_create_bits_no_clear(
        formats[f], (int)n, 1, (uint32_t *)(uintptr_t)src, (int)stride);
    pixman_image_t *to =
        pixman_image_create_bits_no_clear(PIXMAN_x8r8g8b8, (int)n, 1, dst, (int)n * 4);
    if (!from || !to) {
        abort();
    }
    pixman_image_composite32(PIXMAN_OP_SRC, from, NULL, to, 0, 0, 0, 0, 0, 0, (int)n, 1);
    pixman_image_unref(from);
    pixman_image_unref(to);
    free(copy);
    for (uint32_t i = 0; i < n; i++) {
        dst[i] &= 0xffffff; /* pixman leaves what x8 holds open */
    }
}
