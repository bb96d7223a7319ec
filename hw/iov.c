/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copying between vectors of guest memory and buffers. */
#include "hw/iov.h"

#include <stdint.h>
#include <string.h>

size_t iov_from_buf(const struct iovec *iov, unsigned n, size_t offset, const void *buf,
                    size_t bytes)
{
    size_t done = 0;

    for (unsigned i = 0; i < n && done < bytes; i++) {
        if (offset >= iov[i].iov_len) {
            offset -= iov[i].iov_len;
            continue;
        }
        size_t len = iov[i].iov_len - offset;
        len = len < bytes - done ? len : bytes - done;
        memcpy((uint8_t *)iov[i].iov_base + offset, (const uint8_t *)buf + done, len);
        done += len;
        offset = 0;
    }
    return done;
}

size_t iov_to_buf(const struct iovec *iov, unsigned n, size_t offset, void *buf, size_t bytes)
{
    size_t done = 0;

    for (unsigned i = 0; i < n && done < bytes; i++) {
        if (offset >= iov[i].iov_len) {
            offset -= iov[i].iov_len;
            continue;
        }
        size_t len = iov[i].iov_len - offset;
        len = len < bytes - done ? len : bytes - done;
        memcpy((uint8_t *)buf + done, (const uint8_t *)iov[i].iov_base + offset, len);
        done += len;
        offset = 0;
    }
    return done;
}

unsigned iov_slice(struct iovec *dst, unsigned max, const struct iovec *iov, unsigned n,
                   size_t offset, size_t bytes)
{
    unsigned out = 0;

    for (unsigned i = 0; i < n && bytes && out < max; i++) {
        if (offset >= iov[i].iov_len) {
            offset -= iov[i].iov_len;
            continue;
        }
        size_t len = iov[i].iov_len - offset;
        len = len < bytes ? len : bytes;
        dst[out++] = (struct iovec){(uint8_t *)iov[i].iov_base + offset, len};
        bytes -= len;
        offset = 0;
    }
    return out;
}
