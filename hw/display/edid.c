/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EDID base block. Source: VESA Enhanced EDID Standard, release A revision 2 (EDID 1.4), section 3.
 * Not modelled: extension blocks, so no mode above 4095 pixels a side.
 */
#include "hw/display/edid.h"

#include <string.h>

#include "util/bits.h"

enum {
    MAX_SIDE = 4095,
    REFRESH_HZ = 60,
    DPI = 96,
    H_BLANK = 160, /* reduced blanking, CVT 1.1 section 5.2.1 */
    H_FRONT = 48,
    H_SYNC = 32,
    V_FRONT = 3,
    V_SYNC = 5,
    V_BLANK_MIN_US = 460,
    CLOCK_UNIT_HZ = 10000,
    DESCRIPTOR_BYTES = 18,
    DETAILED = 54
};

static uint32_t at_most(uint32_t v, uint32_t max)
{
    return v < max ? v : max;
}

static uint32_t millimetres(uint32_t pixels)
{
    return at_most((pixels * 254 + DPI * 5) / (DPI * 10), MAX_SIDE);
}

/* Lines of vertical blanking: at least 460 us of a frame. */
static uint32_t v_blank(uint32_t height)
{
    uint32_t frame_us = 1000000 / REFRESH_HZ;
    uint32_t lines = height * V_BLANK_MIN_US / (frame_us - V_BLANK_MIN_US) + 1;

    return lines < V_FRONT + V_SYNC + 6 ? V_FRONT + V_SYNC + 6 : lines;
}

/* Detailed timing descriptor, section 3.10.2. */
static void put_timing(uint8_t *d, uint32_t width, uint32_t height)
{
    uint32_t vb = v_blank(height);
    uint64_t clock = (uint64_t)(width + H_BLANK) * (height + vb) * REFRESH_HZ / CLOCK_UNIT_HZ;
    uint32_t mm_x = millimetres(width), mm_y = millimetres(height);

    store_le16(d, (uint16_t)(clock < UINT16_MAX ? clock : UINT16_MAX));
    d[2] = (uint8_t)width;
    d[3] = H_BLANK;
    d[4] = (uint8_t)(width >> 8 << 4);
    d[5] = (uint8_t)height;
    d[6] = (uint8_t)vb;
    d[7] = (uint8_t)(height >> 8 << 4 | vb >> 8);
    d[8] = H_FRONT;
    d[9] = H_SYNC;
    d[10] = V_FRONT << 4 | V_SYNC;
    d[12] = (uint8_t)mm_x;
    d[13] = (uint8_t)mm_y;
    d[14] = (uint8_t)(mm_x >> 8 << 4 | mm_y >> 8);
    d[17] = 0x1a; /* digital separate sync, horizontal positive */
}

static void put_text(uint8_t *d, uint8_t tag, const char *text)
{
    size_t n = strlen(text);

    d[3] = tag;
    memset(d + 5, ' ', 13);
    memcpy(d + 5, text, n);
    d[5 + n] = '\n';
}

void edid_make(uint8_t edid[EDID_BYTES], uint32_t width, uint32_t height)
{
    static const uint8_t head[] = {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};
    static const uint8_t srgb[] = {0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54};
    uint8_t *d = edid + DETAILED, sum = 0;

    width = at_most(width, MAX_SIDE);
    height = at_most(height, MAX_SIDE);
    memset(edid, 0, EDID_BYTES);
    memcpy(edid, head, sizeof head);
    store_be16(edid + 8, ('G' - 64) << 10 | ('M' - 64) << 5 | ('L' - 64));
    store_le16(edid + 10, 1);
    edid[17] = 2026 - 1990;
    edid[18] = 1;
    edid[19] = 4;
    edid[20] = 0xa0; /* digital, 8 bits a colour, interface not defined */
    edid[21] = (uint8_t)at_most(millimetres(width) / 10, 255);
    edid[22] = (uint8_t)at_most(millimetres(height) / 10, 255);
    edid[23] = 120;  /* gamma 2.20 */
    edid[24] = 0x06; /* sRGB; the first timing is preferred and native */
    memcpy(edid + 25, srgb, sizeof srgb);
    edid[35] = 0x21; /* 640x480, 800x600 at 60 Hz */
    edid[36] = 0x08; /* 1024x768 at 60 Hz */
    for (unsigned i = 38; i < DETAILED; i++) {
        edid[i] = 1; /* standard timing not used */
    }
    put_timing(d, width, height);
    put_text(d + DESCRIPTOR_BYTES, 0xfc, "Gemel");
    put_text(d + 2 * DESCRIPTOR_BYTES, 0xff, "1");
    d[3 * DESCRIPTOR_BYTES + 3] = 0x10; /* dummy descriptor */
    for (unsigned i = 0; i < EDID_BYTES - 1; i++) {
        sum = (uint8_t)(sum + edid[i]);
    }
    edid[EDID_BYTES - 1] = (uint8_t)-sum;
}
