/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The picture shown while there is none, in letters of its own: only those the two lines need. */
#include "ui/message.h"

#include <glib.h>
#include <string.h>

enum { WIDTH = 640, HEIGHT = 480, GLYPH_W = 5, GLYPH_H = 9, CELL_W = 6, SCALE = 2 };

static const uint32_t INK = 0xc8c8c8, PAPER = 0x101010;

/* Rows from the top, bit 4 leftmost; the base line is below row 6. */
typedef struct Glyph {
    char c;
    uint8_t rows[GLYPH_H];
} Glyph;

static const Glyph glyphs[] = {
    {'(', {0x02, 0x04, 0x08, 0x08, 0x08, 0x04, 0x02}},
    {')', {0x08, 0x04, 0x02, 0x02, 0x02, 0x04, 0x08}},
    {'.', {0, 0, 0, 0, 0, 0x0c, 0x0c}},
    {'G', {0x0e, 0x11, 0x10, 0x17, 0x11, 0x11, 0x0e}},
    {'T', {0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04}},
    {'a', {0, 0, 0x0e, 0x01, 0x0f, 0x11, 0x0f}},
    {'c', {0, 0, 0x0e, 0x11, 0x10, 0x11, 0x0e}},
    {'d', {0x01, 0x01, 0x0f, 0x11, 0x11, 0x11, 0x0f}},
    {'e', {0, 0, 0x0e, 0x11, 0x1f, 0x10, 0x0e}},
    {'h', {0x10, 0x10, 0x1e, 0x11, 0x11, 0x11, 0x11}},
    {'i', {0x04, 0, 0x0c, 0x04, 0x04, 0x04, 0x0e}},
    {'l', {0x0c, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e}},
    {'m', {0, 0, 0x1a, 0x15, 0x15, 0x15, 0x15}},
    {'n', {0, 0, 0x1e, 0x11, 0x11, 0x11, 0x11}},
    {'o', {0, 0, 0x0e, 0x11, 0x11, 0x11, 0x0e}},
    {'p', {0, 0, 0x1e, 0x11, 0x11, 0x11, 0x1e, 0x10, 0x10}},
    {'s', {0, 0, 0x0f, 0x10, 0x0e, 0x01, 0x1e}},
    {'t', {0x08, 0x08, 0x1e, 0x08, 0x08, 0x09, 0x06}},
    {'u', {0, 0, 0x11, 0x11, 0x11, 0x11, 0x0f}},
    {'v', {0, 0, 0x11, 0x11, 0x11, 0x0a, 0x04}},
    {'y', {0, 0, 0x11, 0x11, 0x11, 0x11, 0x0f, 0x01, 0x0e}},
    {'z', {0, 0, 0x1f, 0x02, 0x04, 0x08, 0x1f}},
};

static void draw_glyph(uint32_t *at, char c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(glyphs); i++) {
        for (unsigned y = 0; glyphs[i].c == c && y < GLYPH_H * SCALE; y++) {
            for (unsigned x = 0; x < GLYPH_W * SCALE; x++) {
                if (glyphs[i].rows[y / SCALE] >> (GLYPH_W - 1 - x / SCALE) & 1) {
                    at[y * WIDTH + x] = INK;
                }
            }
        }
    }
}

Surface message_surface(bool console)
{
    const char *text = console ? "Guest has not initialized the display (yet)."
                               : "This machine has no display device.";
    uint32_t *pixels = g_new(uint32_t, WIDTH * HEIGHT);
    unsigned length = (unsigned)strlen(text);
    uint32_t *at = pixels + (HEIGHT / 2 - GLYPH_H) * WIDTH + (WIDTH - length * CELL_W * SCALE) / 2;

    for (unsigned i = 0; i < WIDTH * HEIGHT; i++) {
        pixels[i] = PAPER;
    }
    for (unsigned i = 0; i < length; i++) {
        draw_glyph(at + i * CELL_W * SCALE, text[i]);
    }
    return (Surface){WIDTH, HEIGHT, WIDTH * 4, PIXEL_X8R8G8B8, (uint8_t *)pixels};
}

void message_free(Surface *s)
{
    g_free(s->pixels);
    s->pixels = NULL;
}
