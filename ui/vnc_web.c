/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VNC through WebSocket frames, for browsers. Source: RFC 6455, sections 1.3, 4.2, 5. */
#include <string.h>

#include "ui/vnc_private.h"
#include "util/bits.h"

enum { MAX_REQUEST_BYTES = 8192, HEAD_BYTES = 2, MASK_BYTES = 4, MAX_CONTROL_BYTES = 125 };
enum { OP_CONTINUE = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

static void put_frame(GByteArray *wire, unsigned op, const uint8_t *data, size_t n)
{
    vnc_put8(wire, 0x80 | op);
    if (n < 126) {
        vnc_put8(wire, (unsigned)n);
    } else if (n <= UINT16_MAX) {
        vnc_put8(wire, 126);
        vnc_put16(wire, (unsigned)n);
    } else {
        vnc_put8(wire, 127);
        vnc_put32(wire, (uint32_t)((uint64_t)n >> 32));
        vnc_put32(wire, (uint32_t)n);
    }
    g_byte_array_append(wire, data, (guint)n);
}

void vnc_web_output(VncClient *c)
{
    put_frame(c->wire, OP_BINARY, c->out->data, c->out->len);
    g_byte_array_set_size(c->out, 0);
}

/* The value of a header line, whose name may be in any case. */
static char *header(char **lines, const char *name)
{
    size_t n = strlen(name);

    for (char **l = lines; *l; l++) {
        if (!g_ascii_strncasecmp(*l, name, n) && (*l)[n] == ':') {
            return g_strstrip(*l + n + 1);
        }
    }
    return NULL;
}

static void accept_key(const char *key, char out[32])
{
    GChecksum *sha1 = g_checksum_new(G_CHECKSUM_SHA1);
    uint8_t digest[20];
    gsize n = sizeof digest;

    g_checksum_update(sha1, (const guchar *)key, -1);
    g_checksum_update(sha1, (const guchar *)"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", -1);
    g_checksum_get_digest(sha1, digest, &n);
    g_checksum_free(sha1);
    char *text = g_base64_encode(digest, n);
    g_strlcpy(out, text, 32);
    g_free(text);
}

static bool answer(VncClient *c, char *request)
{
    char **lines = g_strsplit(request, "\r\n", 64);
    const char *key = header(lines, "Sec-WebSocket-Key");
    const char *protocol = header(lines, "Sec-WebSocket-Protocol");
    char accept[32];
    bool ok = g_str_has_prefix(request, "GET ") && key && strlen(key) < 64;

    if (ok) {
        accept_key(key, accept);
        bool binary = protocol && strstr(protocol, "binary");
        char *reply = g_strdup_printf("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                      "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
                                      accept, binary ? "Sec-WebSocket-Protocol: binary\r\n" : "");
        g_byte_array_append(c->wire, (uint8_t *)reply, (guint)strlen(reply));
        g_free(reply);
    }
    g_strfreev(lines);
    return ok;
}

static bool handshake(VncClient *c)
{
    const uint8_t *end = memmem(c->web_in->data, c->web_in->len, "\r\n\r\n", 4);

    if (!end) {
        return c->web_in->len < MAX_REQUEST_BYTES;
    }
    size_t n = (size_t)(end - c->web_in->data);
    char *request = g_strndup((char *)c->web_in->data, n);
    bool ok = n < MAX_REQUEST_BYTES && answer(c, request);
    g_free(request);
    g_byte_array_remove_range(c->web_in, 0, (guint)n + 4);
    if (ok) {
        c->web_open = true;
        vnc_client_begin(c);
    }
    return ok;
}

/* Pings and closings, which come whole. false: close. */
static bool control(VncClient *c, unsigned op, const uint8_t *masked, size_t n, const uint8_t *mask)
{
    uint8_t data[MAX_CONTROL_BYTES];

    for (size_t i = 0; i < n; i++) {
        data[i] = masked[i] ^ mask[i % MASK_BYTES];
    }
    if (op == OP_PING) {
        put_frame(c->wire, OP_PONG, data, n);
    }
    return op != OP_CLOSE;
}

/* The head of a frame at c->web_in; how long it is, 0: not all there, -1: not valid. */
static int head(const GByteArray *in, uint64_t *payload, unsigned *op)
{
    const uint8_t *p = in->data;
    unsigned n = HEAD_BYTES;

    if (in->len < HEAD_BYTES) {
        return 0;
    }
    *op = p[0] & 0x0f;
    *payload = p[1] & 0x7f;
    if (!(p[1] & 0x80) || p[0] & 0x70) {
        return -1; /* clients mask; no extension was agreed */
    }
    n += *payload == 126 ? 2 : *payload == 127 ? 8 : 0;
    if (in->len < n + MASK_BYTES) {
        return 0;
    }
    *payload = *payload == 126 ? load_be16(p + 2) : *payload == 127 ? load_be64(p + 2) : *payload;
    return (int)(n + MASK_BYTES);
}

static void take_payload(VncClient *c)
{
    guint n = (guint)MIN(c->web_left, c->web_in->len), at = c->in->len;

    g_byte_array_append(c->in, c->web_in->data, n);
    for (guint i = 0; i < n; i++) {
        c->in->data[at + i] ^= c->web_mask[c->web_at++ % MASK_BYTES];
    }
    g_byte_array_remove_range(c->web_in, 0, n);
    c->web_left -= n;
}

/* One frame's head, or a whole control frame. 1: went on, 0: more bytes, -1: close. */
static int next_frame(VncClient *c)
{
    uint64_t payload = 0;
    unsigned op = 0;
    int n = head(c->web_in, &payload, &op);

    if (n <= 0) {
        return n;
    }
    const uint8_t *mask = c->web_in->data + n - MASK_BYTES;
    if (op >= OP_CLOSE) {
        if (payload > MAX_CONTROL_BYTES) {
            return -1;
        }
        if (c->web_in->len < (uint64_t)n + payload) {
            return 0;
        }
        bool ok = control(c, op, c->web_in->data + n, (size_t)payload, mask);
        g_byte_array_remove_range(c->web_in, 0, (guint)n + (guint)payload);
        return ok ? 1 : -1;
    }
    if (op != OP_CONTINUE && op != OP_BINARY && op != OP_TEXT) {
        return -1;
    }
    memcpy(c->web_mask, mask, MASK_BYTES);
    c->web_at = 0;
    c->web_left = payload;
    g_byte_array_remove_range(c->web_in, 0, (guint)n);
    return 1;
}

bool vnc_web_input(VncClient *c)
{
    if (!c->web_open && !handshake(c)) {
        return false;
    }
    while (c->web_open && c->web_in->len) {
        if (c->web_left) {
            take_payload(c);
            continue;
        }
        int went = next_frame(c);
        if (went <= 0) {
            return went == 0;
        }
    }
    return true;
}
