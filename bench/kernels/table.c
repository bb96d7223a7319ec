/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Table look-ups: CRC-32 by bytes over a buffer. */
#include "kernel.h"

static uint32_t table[256];
static uint8_t buffer[1 << 16];

int main(int argc, char **argv)
{
    unsigned n = kernel_scale(argc, argv, 3000);
    uint32_t seed = 1, crc = 0xffffffff;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int j = 0; j < 8; j++) {
            c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
        }
        table[i] = c;
    }
    for (unsigned i = 0; i < sizeof buffer; i++) {
        buffer[i] = (uint8_t)kernel_random(&seed);
    }
    for (unsigned r = 0; r < n; r++) {
        for (unsigned i = 0; i < sizeof buffer; i++) {
            crc = table[(crc ^ buffer[i]) & 255] ^ crc >> 8;
        }
    }
    return kernel_done(~crc);
}
