/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pixels of a surface as 0x00RRGGBB words: where each format keeps its colours. */
#include "ui/pixels.h"

#include <string.h>

#include "util/bits.h"

/* Positions of the lowest bit of red, green and blue in formats of eight bits a colour. */
typedef struct Layout {
    uint8_t r, g, b;
} Layout;

static const Layout layouts[PIXEL_N] = {
    [PIXEL_X8R8G8B8] = {16, 8, 0},  [PIXEL_A8R8G8B8] = {16, 8, 0},  [PIXEL_X8B8G8R8] = {0, 8, 16},
    [PIXEL_A8B8G8R8] = {0, 8, 16},  [PIXEL_B8G8R8X8] = {8, 16, 24}, [PIXEL_B8G8R8A8] = {8, 16, 24},
    [PIXEL_R8G8B8X8] = {24, 16, 8}, [PIXEL_R8G8B8A8] = {24, 16, 8}, [PIXEL_R8G8B8] = {16, 8, 0},
};

static uint32_t rgb(uint32_t r, uint32_t g, uint32_t b)
{
    return r << 16 | g << 8 | b;
}

/* The upper bits are repeated below, so that full intensity stays full. */
static uint32_t from_565(uint16_t v)
{
    uint32_t r = v >> 11, g = v >> 5 & 0x3f, b = v & 0x1f;

    return rgb(r << 3 | r >> 2, g << 2 | g >> 4, b << 3 | b >> 2);
}

void pixels_to_rgb(uint32_t *dst, const uint8_t *src, PixelFormat f, uint32_t n)
{
    Layout at = layouts[f];

    if (f == PIXEL_R5G6B5) {
        for (uint32_t i = 0; i < n; i++) {
            dst[i] = from_565(load_le16(src + 2 * (size_t)i));
        }
    } else if (f == PIXEL_R8G8B8) {
        for (uint32_t i = 0; i < n; i++, src += 3) {
            dst[i] = rgb(src[2], src[1], src[0]);
        }
    } else if (f == PIXEL_X8R8G8B8 || f == PIXEL_A8R8G8B8) {
        for (uint32_t i = 0; i < n; i++) {
            dst[i] = load_le32(src + 4 * (size_t)i) & 0xffffff;
        }
    } else {
        for (uint32_t i = 0; i < n; i++) {
            uint32_t v = load_le32(src + 4 * (size_t)i);
            dst[i] = rgb(v >> at.r & 0xff, v >> at.g & 0xff, v >> at.b & 0xff);
        }
    }
}
