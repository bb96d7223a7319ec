/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Undoes gzip (RFC 1952) of a kernel image, by zlib.
 */
#include "hw/loader/gunzip.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

bool gunzip_is(const uint8_t *data, size_t bytes)
{
    return bytes > 18 && data[0] == 0x1f && data[1] == 0x8b && data[2] == 8;
}

/* Doubles the buffer up to `max`. */
static bool grow(uint8_t **out, size_t *room, size_t max)
{
    size_t now = *room < max / 2 ? *room * 2 : max;
    uint8_t *p = now > *room ? realloc(*out, now) : NULL;

    if (p) {
        *out = p;
        *room = now;
    }
    return p != NULL;
}

uint8_t *gunzip(const uint8_t *data, size_t bytes, size_t max_bytes, size_t *out_bytes)
{
    z_stream z = {.next_in = (Bytef *)data,
                  .avail_in = (uInt)(bytes < UINT_MAX ? bytes : UINT_MAX)};
    size_t room = bytes * 4 < max_bytes ? bytes * 4 : max_bytes;
    uint8_t *out = malloc(room);
    int result = Z_MEM_ERROR;

    if (!out || inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) {
        free(out);
        return NULL;
    }
    do {
        if (z.total_out == room && !grow(&out, &room, max_bytes)) {
            result = Z_BUF_ERROR;
            break;
        }
        size_t left = room - z.total_out;
        z.next_out = out + z.total_out;
        z.avail_out = (uInt)(left < UINT_MAX ? left : UINT_MAX);
        result = inflate(&z, Z_NO_FLUSH);
    } while (result == Z_OK || (result == Z_BUF_ERROR && z.avail_out == 0));
    *out_bytes = z.total_out;
    inflateEnd(&z);
    if (result != Z_STREAM_END) {
        free(out);
        return NULL;
    }
    return out;
}
