/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Windows of I/O vectors: slicing, copying, looking for zeroes. */
#include "block/node.h"

#include <assert.h>
#include <string.h>

#include "util/bits.h"

BlockVec block_vec_slice(BlockVec v, uint64_t at, uint64_t bytes)
{
    assert(at <= v.bytes && bytes <= v.bytes - at);
    v.skip += at;
    v.bytes = bytes;
    while (v.count > 1 && v.skip >= v.iov->iov_len) {
        v.skip -= v.iov->iov_len;
        v.iov++;
        v.count--;
    }
    return v;
}

unsigned block_vec_iov(BlockVec v, struct iovec *out, unsigned max, uint64_t *bytes)
{
    uint64_t skip = v.skip, left = v.bytes;
    unsigned n = 0;

    for (unsigned i = 0; i < v.count && n < max && left; i++) {
        size_t len = v.iov[i].iov_len;
        if (skip >= len) {
            skip -= len;
            continue;
        }
        len -= skip;
        len = len < left ? len : left;
        out[n++] = (struct iovec){(char *)v.iov[i].iov_base + skip, len};
        left -= len;
        skip = 0;
    }
    *bytes = v.bytes - left;
    return n;
}

/* The next piece of the window that lies in one entry; v moves on. NULL at the end. */
static uint8_t *vec_piece(BlockVec *v, size_t *len)
{
    struct iovec one;
    uint64_t bytes;

    if (!v->bytes || !block_vec_iov(*v, &one, 1, &bytes)) {
        return NULL;
    }
    *v = block_vec_slice(*v, bytes, v->bytes - bytes);
    *len = bytes;
    return one.iov_base;
}

void block_vec_zero(BlockVec v)
{
    uint8_t *p;
    size_t len;

    while ((p = vec_piece(&v, &len))) {
        memset(p, 0, len);
    }
}

void block_vec_to_buf(BlockVec v, void *buf)
{
    uint8_t *p, *to = buf;
    size_t len;

    while ((p = vec_piece(&v, &len))) {
        memcpy(to, p, len);
        to += len;
    }
}

void block_vec_from_buf(BlockVec v, const void *buf)
{
    const uint8_t *from = buf;
    uint8_t *p;
    size_t len;

    while ((p = vec_piece(&v, &len))) {
        memcpy(p, from, len);
        from += len;
    }
}

bool block_buf_is_zero(const void *buf, size_t bytes)
{
    const uint8_t *p = buf;

    /* A few bytes decide most cases; then memory compared with itself, shifted. */
    for (size_t i = 0; i < bytes && i < 16; i++) {
        if (p[i]) {
            return false;
        }
    }
    return bytes <= 16 || memcmp(p, p + 16, bytes - 16) == 0;
}

bool block_vec_is_zero(BlockVec v)
{
    uint8_t *p;
    size_t len;

    while ((p = vec_piece(&v, &len))) {
        if (!block_buf_is_zero(p, len)) {
            return false;
        }
    }
    return true;
}
