/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small VNC client for tests: handshake, updates, decoders of every encoding the server makes. */
#ifndef GEMEL_TESTS_UI_VNC_CLIENT_H
#define GEMEL_TESTS_UI_VNC_CLIENT_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <zlib.h>

#include "screen.h"
#include "util/bits.h"

enum { VIEW_STREAMS = 6, VIEW_WAIT_MS = 5000 };

/* Pixels as the view asks for them; little-endian unless said. */
typedef struct ViewFormat {
    uint8_t raw[16]; /* PIXEL_FORMAT */
} ViewFormat;

typedef struct View {
    Screen *s;
    int fd;
    ViewFormat f;
    uint32_t width, height;
    uint32_t *pixels; /* values as sent, not RGB */
    unsigned rects, sizes, cursors, ext_keys;
    uint32_t cursor_corner;
    z_stream z[VIEW_STREAMS];
    bool z_on[VIEW_STREAMS];
} View;

/* n bytes, turning the machine's loop while waiting; false: closed. */
static inline bool view_try_read(View *v, void *buf, size_t n)
{
    uint8_t *p = buf;
    gint64 end = g_get_monotonic_time() + VIEW_WAIT_MS * 1000;

    machine_unlock(v->s->m);
    while (n) {
        ssize_t got = recv(v->fd, p, n, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN)) {
            break;
        }
        if (got > 0) {
            p += got;
            n -= (size_t)got;
            continue;
        }
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        machine_iterate(v->s->m, false);
        g_usleep(200);
    }
    machine_lock(v->s->m);
    return !n;
}

static inline void view_read(View *v, void *buf, size_t n)
{
    g_assert_true(view_try_read(v, buf, n));
}

static inline uint32_t view_get(View *v, unsigned n)
{
    uint8_t b[4] = {0};

    view_read(v, b + 4 - n, n);
    return load_be32(b);
}

static inline void view_write(View *v, const void *buf, size_t n)
{
    g_assert_cmpint(send(v->fd, buf, n, MSG_NOSIGNAL), ==, n);
}

/* ---- pixels */

static inline uint32_t view_value(const uint8_t *p, unsigned bytes, bool big)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < bytes; i++) {
        v |= (uint32_t)p[i] << 8 * (big ? bytes - 1 - i : i);
    }
    return v;
}

static inline unsigned view_bytes(const View *v)
{
    return v->f.raw[0] / 8;
}

/* What an RGB colour must look like to the client. */
static inline uint32_t view_expected(const View *v, uint32_t rgb)
{
    uint32_t out = 0;

    for (unsigned i = 0; i < 3; i++) {
        uint32_t max = load_be16(v->f.raw + 4 + 2 * i), c = rgb >> (16 - 8 * i) & 0xff;
        out |= (c * max + 127) / 255 << v->f.raw[10 + i];
    }
    return out;
}

typedef struct ViewRect {
    uint32_t x, y, w, h;
} ViewRect;

static inline void view_set(View *v, const ViewRect *r, uint32_t x, uint32_t y, uint32_t value)
{
    g_assert_cmpuint(x, <, r->w);
    g_assert_cmpuint(y, <, r->h);
    v->pixels[(r->y + y) * v->width + r->x + x] = value;
}

/* Inflates what stream i says; returns the bytes (free them). */
static inline GByteArray *view_inflate(View *v, unsigned i, uint32_t n)
{
    uint8_t *in = g_malloc(n);
    GByteArray *out = g_byte_array_new();
    uint8_t part[4096];

    view_read(v, in, n);
    if (!v->z_on[i]) {
        g_assert_cmpint(inflateInit(&v->z[i]), ==, Z_OK);
        v->z_on[i] = true;
    }
    v->z[i].next_in = in;
    v->z[i].avail_in = n;
    do {
        v->z[i].next_out = part;
        v->z[i].avail_out = sizeof part;
        int ret = inflate(&v->z[i], Z_SYNC_FLUSH);
        g_assert_true(ret == Z_OK || ret == Z_BUF_ERROR);
        g_byte_array_append(out, part, sizeof part - v->z[i].avail_out);
    } while (!v->z[i].avail_out || v->z[i].avail_in);
    g_free(in);
    return out;
}

static inline void view_raw(View *v, const ViewRect *r, const uint8_t *p)
{
    for (uint32_t i = 0; i < r->w * r->h; i++, p += view_bytes(v)) {
        view_set(v, r, i % r->w, i / r->w, view_value(p, view_bytes(v), v->f.raw[2]));
    }
}

static inline void view_hextile(View *v, const ViewRect *r)
{
    unsigned px = view_bytes(v);
    uint32_t bg = 0, fg = 0;
    uint8_t b[4];

    for (uint32_t ty = 0; ty < r->h; ty += 16) {
        for (uint32_t tx = 0; tx < r->w; tx += 16) {
            ViewRect t = {r->x + tx, r->y + ty, MIN(16, r->w - tx), MIN(16, r->h - ty)};
            unsigned flags = view_get(v, 1);
            if (flags & 1) {
                uint8_t raw[16 * 16 * 4];
                view_read(v, raw, t.w * t.h * px);
                view_raw(v, &t, raw);
                continue;
            }
            if (flags & 2) {
                view_read(v, b, px);
                bg = view_value(b, px, v->f.raw[2]);
            }
            if (flags & 4) {
                view_read(v, b, px);
                fg = view_value(b, px, v->f.raw[2]);
            }
            for (uint32_t i = 0; i < t.w * t.h; i++) {
                view_set(v, &t, i % t.w, i / t.w, bg);
            }
            unsigned n = flags & 8 ? view_get(v, 1) : 0;
            while (n--) {
                uint32_t colour = fg;
                if (flags & 16) {
                    view_read(v, b, px);
                    colour = view_value(b, px, v->f.raw[2]);
                }
                unsigned xy = view_get(v, 1), wh = view_get(v, 1);
                for (uint32_t i = 0; i < ((wh >> 4) + 1) * ((wh & 15) + 1); i++) {
                    view_set(v, &t, (xy >> 4) + i % ((wh >> 4) + 1),
                             (xy & 15) + i / ((wh >> 4) + 1), colour);
                }
            }
        }
    }
}

/* Three bytes where all colours fit in them: here only the low three are used by the tests' formats. */
static inline unsigned view_cbytes(const View *v)
{
    return v->f.raw[0] == 32 ? 3 : view_bytes(v);
}

static inline const uint8_t *view_zrle_tile(View *v, const ViewRect *t, const uint8_t *p)
{
    unsigned px = view_cbytes(v), n = *p++;
    uint32_t colours[16];

    if (n == 0) {
        for (uint32_t i = 0; i < t->w * t->h; i++, p += px) {
            view_set(v, t, i % t->w, i / t->w, view_value(p, px, v->f.raw[2]));
        }
        return p;
    }
    g_assert_cmpuint(n, <=, 16); /* run lengths are not made */
    for (unsigned i = 0; i < n; i++, p += px) {
        colours[i] = view_value(p, px, v->f.raw[2]);
    }
    unsigned bits = n == 1 ? 0 : n == 2 ? 1 : n <= 4 ? 2 : 4;
    for (uint32_t y = 0; y < t->h; y++) {
        for (uint32_t x = 0; x < t->w; x++) {
            unsigned at = x * bits;
            unsigned i = bits ? p[at / 8] >> (8 - bits - at % 8) & ((1u << bits) - 1) : 0;
            g_assert_cmpuint(i, <, n);
            view_set(v, t, x, y, colours[i]);
        }
        p += (t->w * bits + 7) / 8;
    }
    return p;
}

static inline void view_zrle(View *v, const ViewRect *r)
{
    GByteArray *bytes = view_inflate(v, 5, view_get(v, 4));
    const uint8_t *p = bytes->data;

    for (uint32_t ty = 0; ty < r->h; ty += 64) {
        for (uint32_t tx = 0; tx < r->w; tx += 64) {
            ViewRect t = {r->x + tx, r->y + ty, MIN(64, r->w - tx), MIN(64, r->h - ty)};
            p = view_zrle_tile(v, &t, p);
        }
    }
    g_assert_true(p == bytes->data + bytes->len);
    g_byte_array_unref(bytes);
}

/* TPIXEL: red, green, blue when all are of eight bits. */
static inline unsigned view_tbytes(const View *v)
{
    return v->f.raw[0] == 32 && v->f.raw[1] == 24 ? 3 : view_bytes(v);
}

static inline uint32_t view_tpixel(const View *v, const uint8_t *p)
{
    if (view_tbytes(v) == 3) {
        return view_expected(v, (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2]);
    }
    return view_value(p, view_bytes(v), v->f.raw[2]);
}

static inline GByteArray *view_tight_data(View *v, unsigned stream, uint32_t n)
{
    uint32_t packed = 0;

    if (n < 12) {
        uint8_t raw[12];
        view_read(v, raw, n);
        GByteArray *a = g_byte_array_new();
        return g_byte_array_append(a, raw, n);
    }
    for (unsigned shift = 0; shift < 21; shift += 7) {
        uint32_t b = view_get(v, 1);
        packed |= (shift < 14 ? b & 0x7f : b) << shift;
        if (shift < 14 && !(b & 0x80)) {
            break;
        }
    }
    GByteArray *a = view_inflate(v, stream, packed);
    g_assert_cmpuint(a->len, ==, n);
    return a;
}

static inline void view_tight(View *v, const ViewRect *r)
{
    unsigned control = view_get(v, 1), px = view_tbytes(v), n = 0;
    uint32_t colours[256];
    uint8_t b[4];

    if (control >> 4 == 8) {
        view_read(v, b, px);
        for (uint32_t i = 0; i < r->w * r->h; i++) {
            view_set(v, r, i % r->w, i / r->w, view_tpixel(v, b));
        }
        return;
    }
    g_assert_cmpuint(control >> 7, ==, 0);
    if (control & 0x40 && view_get(v, 1) == 1) {
        n = view_get(v, 1) + 1;
        for (unsigned i = 0; i < n; i++) {
            view_read(v, b, px);
            colours[i] = view_tpixel(v, b);
        }
    }
    uint32_t row = n == 2 ? (r->w + 7) / 8 : n ? r->w : r->w * px;
    GByteArray *a = view_tight_data(v, control >> 4 & 3, row * r->h);
    for (uint32_t y = 0; y < r->h; y++) {
        const uint8_t *p = a->data + y * row;
        for (uint32_t x = 0; x < r->w; x++) {
            uint32_t value = n == 2 ? colours[p[x / 8] >> (7 - x % 8) & 1]
                             : n    ? colours[p[x]]
                                    : view_tpixel(v, p + x * px);
            view_set(v, r, x, y, value);
        }
    }
    g_byte_array_unref(a);
}

static inline void view_resize(View *v, uint32_t w, uint32_t h)
{
    v->width = w;
    v->height = h;
    v->pixels = g_realloc(v->pixels, (size_t)w * h * 4);
    memset(v->pixels, 0x55, (size_t)w * h * 4);
}

static inline void view_cursor(View *v, const ViewRect *r)
{
    uint8_t *p = g_malloc0(r->w * r->h * view_bytes(v) + (r->w + 7) / 8 * r->h);

    view_read(v, p, r->w * r->h * view_bytes(v) + (r->w + 7) / 8 * r->h);
    v->cursor_corner = view_value(p, view_bytes(v), v->f.raw[2]);
    v->cursors++;
    g_free(p);
}

static inline void view_rect(View *v)
{
    ViewRect r;

    r.x = view_get(v, 2), r.y = view_get(v, 2), r.w = view_get(v, 2), r.h = view_get(v, 2);
    int32_t encoding = (int32_t)view_get(v, 4);
    if (encoding >= 0) {
        g_assert_cmpuint(r.x + r.w, <=, v->width);
        g_assert_cmpuint(r.y + r.h, <=, v->height);
    }
    v->rects++;
    switch (encoding) {
    case 0: {
        uint8_t *raw = g_malloc(r.w * r.h * view_bytes(v));
        view_read(v, raw, r.w * r.h * view_bytes(v));
        view_raw(v, &r, raw);
        g_free(raw);
        break;
    }
    case 5: view_hextile(v, &r); break;
    case 6: {
        GByteArray *a = view_inflate(v, 4, view_get(v, 4));
        g_assert_cmpuint(a->len, ==, r.w * r.h * view_bytes(v));
        view_raw(v, &r, a->data);
        g_byte_array_unref(a);
        break;
    }
    case 7: view_tight(v, &r); break;
    case 16: view_zrle(v, &r); break;
    case -223:
        view_resize(v, r.w, r.h);
        v->sizes++;
        break;
    case -239: view_cursor(v, &r); break;
    case -258: v->ext_keys++; break;
    default: g_error("encoding %d", encoding);
    }
}

/* ---- messages */

static inline void view_request(View *v, bool incremental)
{
    uint8_t m[10] = {3, incremental};

    store_be16(m + 6, (uint16_t)v->width);
    store_be16(m + 8, (uint16_t)v->height);
    view_write(v, m, sizeof m);
}

static inline void view_update(View *v)
{
    g_assert_cmpuint(view_get(v, 1), ==, 0);
    view_get(v, 1);
    for (unsigned n = view_get(v, 2); n; n--) {
        view_rect(v);
    }
}

static inline void view_encodings(View *v, const int32_t *e, unsigned n)
{
    uint8_t m[64] = {2};

    store_be16(m + 2, (uint16_t)n);
    for (unsigned i = 0; i < n; i++) {
        store_be32(m + 4 + 4 * i, (uint32_t)e[i]);
    }
    view_write(v, m, 4 + 4 * n);
}

static inline void view_format(View *v, const uint8_t raw[16])
{
    uint8_t m[20] = {0};

    memcpy(v->f.raw, raw, 16);
    memcpy(m + 4, raw, 16);
    view_write(v, m, sizeof m);
}

static inline View *view_connect(Screen *s, const char *path)
{
    View *v = g_new0(View, 1);
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    v->s = s;
    v->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    g_strlcpy(a.sun_path, path, sizeof a.sun_path);
    g_assert_cmpint(connect(v->fd, (struct sockaddr *)&a, sizeof a), ==, 0);
    return v;
}

/* After security: ClientInit and ServerInit. */
static inline void view_init(View *v, bool shared)
{
    char name[64];
    uint8_t flag = shared;

    view_write(v, &flag, 1);
    uint32_t w = view_get(v, 2), h = view_get(v, 2);
    view_resize(v, w, h);
    view_read(v, v->f.raw, 16);
    uint32_t n = view_get(v, 4);
    g_assert_cmpuint(n, <, sizeof name);
    view_read(v, name, n);
}

/* RFB 3.8 without password. */
static inline View *view_open(Screen *s, const char *path)
{
    View *v = view_connect(s, path);
    char version[12];

    view_read(v, version, sizeof version);
    g_assert_cmpmem(version, 12, "RFB 003.008\n", 12);
    view_write(v, version, sizeof version);
    g_assert_cmpuint(view_get(v, 1), ==, 1);
    g_assert_cmpuint(view_get(v, 1), ==, 1);
    view_write(v, "\1", 1);
    g_assert_cmpuint(view_get(v, 4), ==, 0);
    view_init(v, true);
    return v;
}

static inline void view_close(View *v)
{
    for (unsigned i = 0; i < VIEW_STREAMS; i++) {
        if (v->z_on[i]) {
            inflateEnd(&v->z[i]);
        }
    }
    close(v->fd);
    g_free(v->pixels);
    g_free(v);
}

static inline void view_check(const View *v)
{
    g_assert_cmpuint(v->width, ==, v->s->s.width);
    g_assert_cmpuint(v->height, ==, v->s->s.height);
    for (uint32_t i = 0; i < v->width * v->height; i++) {
        if (v->pixels[i] != view_expected(v, v->s->pixels[i])) {
            g_error("pixel %u,%u: 0x%x, not 0x%x", i % v->width, i / v->width, v->pixels[i],
                    view_expected(v, v->s->pixels[i]));
        }
    }
}

#endif
