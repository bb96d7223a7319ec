/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -chardev ringbuf: keeps the last bytes written, for the monitor and for tests to read. */
#include <stdio.h>
#include <string.h>

#include "chardev/backends.h"
#include "util/bits.h"

typedef struct Ringbuf {
    CharBase base;
    uint8_t *data;
    size_t size_bytes; /* power of two */
    size_t head, tail; /* written, read; count on, masked when used */
} Ringbuf;

const ChardevOption char_ringbuf_options[] = {
    COPT(COPT_SIZE, "size", size_bytes, "64k", "bytes kept; a power of two"),
    {0},
};

static size_t ringbuf_write(Chardev *dev, const uint8_t *buf, size_t bytes)
{
    Ringbuf *r = (Ringbuf *)dev;

    char_base_log(&r->base, buf, bytes);
    for (size_t i = 0; i < bytes; i++) {
        r->data[r->head++ & (r->size_bytes - 1)] = buf[i];
    }
    if (r->head - r->tail > r->size_bytes) {
        r->tail = r->head - r->size_bytes;
    }
    return bytes;
}

static void ringbuf_destroy(CharBase *b)
{
    g_free(((Ringbuf *)b)->data);
}

static void ringbuf_close(Chardev *dev)
{
    char_base_fini((CharBase *)dev);
}

static const ChardevOps ringbuf_ops = {.write = ringbuf_write, .close = ringbuf_close};

Chardev *char_ringbuf_open(Machine *m, const ChardevOptions *o, Error *err)
{
    if (!is_pow2(o->size_bytes) || o->size_bytes > 256u << 20) {
        error_set(err, "size= must be a power of two, at most 256M");
        return NULL;
    }
    Ringbuf *r = g_new0(Ringbuf, 1);
    if (!char_base_init(&r->base, m, o, &ringbuf_ops, err)) {
        g_free(r);
        return NULL;
    }
    r->size_bytes = o->size_bytes;
    r->data = g_malloc(r->size_bytes);
    r->base.destroy = ringbuf_destroy;
    r->base.dev.open = true;
    snprintf(r->base.label, sizeof r->base.label, "ringbuf:%zu", r->size_bytes);
    return &r->base.dev;
}

bool chardev_is_ringbuf(const Chardev *c)
{
    return c && c->ops == &ringbuf_ops;
}

size_t chardev_ringbuf_read(Chardev *c, uint8_t *buf, size_t bytes)
{
    Ringbuf *r = (Ringbuf *)c;
    size_t n = 0;

    if (!chardev_is_ringbuf(c)) {
        return 0;
    }
    while (n < bytes && r->tail != r->head) {
        buf[n++] = r->data[r->tail++ & (r->size_bytes - 1)];
    }
    return n;
}

size_t chardev_ringbuf_inject(Chardev *c, const uint8_t *buf, size_t bytes)
{
    if (!chardev_is_ringbuf(c)) {
        return 0;
    }
    CharBase *b = (CharBase *)c;
    char_base_enter(b);
    size_t n = chardev_deliver(c, buf, MIN(bytes, chardev_room(c)));
    char_base_leave(b);
    return n;
}
