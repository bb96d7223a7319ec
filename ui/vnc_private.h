/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VNC server: what its files share. Everything with the machine lock held; all but the listener's
 * callbacks on the main loop thread. */
#ifndef GEMEL_UI_VNC_PRIVATE_H
#define GEMEL_UI_VNC_PRIVATE_H

#include <linux/input-event-codes.h>
#include <zlib.h>

#include "ui/private.h"

enum {
    VNC_TILE = 16,              /* side of the squares in which changes are kept, pixels */
    VNC_PEER_BYTES = 64,
    VNC_KEY_BYTES = KEY_CNT / 8 + 1,
    VNC_CHALLENGE_BYTES = 16,
    VNC_PASSWORD_BYTES = 8,
    VNC_N_STREAMS = 6
};

/* Encodings and pseudo-encodings: RFC 6143 section 7.7 and the IANA registry of RFB. */
enum {
    VNC_RAW = 0, VNC_HEXTILE = 5, VNC_ZLIB = 6, VNC_TIGHT = 7, VNC_ZRLE = 16,
    VNC_CURSOR = -239, VNC_DESKTOP_SIZE = -223, VNC_POINTER_MOTION = -257, VNC_EXT_KEY = -258,
    VNC_EXT_DESKTOP_SIZE = -308, VNC_ALPHA_CURSOR = -314,
    VNC_COMPRESS_0 = -256, VNC_COMPRESS_9 = -247
};

typedef struct VncServer VncServer;
typedef struct VncClient VncClient;

typedef struct VncRect {
    uint32_t x, y, w, h;
} VncRect;

/* How a client wants its pixels (section 7.4), as tables: value = r[red] | g[green] | b[blue]. */
typedef struct VncFormat {
    uint8_t  bits, depth; /* bits: 8, 16, 32 */
    bool     big_endian, mapped;
    uint16_t max[3];      /* red, green, blue */
    uint8_t  shift[3];
    uint32_t table[3][256];
    /* Pixels of ZRLE and Tight may be three bytes: which of the four they are. */
    bool     three_bytes;      /* ZRLE: CPIXEL, at skip */
    uint8_t  skip;
    bool     tight_three_bytes; /* Tight: TPIXEL, red green blue */
} VncFormat;

/* Eats what it needs of the n bytes at p and returns how much that was; 0: needs more. */
typedef size_t VncHandler(VncClient *c, const uint8_t *p, size_t n);

struct VncClient {
    VncServer  *server;
    VncClient  *next;
    int         fd;
    unsigned    read_watch, write_watch; /* handles; 0: none */
    bool        gone;          /* to be freed at the next chance */
    char        peer[VNC_PEER_BYTES];
    GByteArray *in, *out;      /* bytes of the RFB protocol: not yet read, not yet on the wire */
    GByteArray *wire;          /* not yet taken by the socket */
    size_t      wire_at;       /* sent of it */
    size_t      update_bytes;  /* of the last update that was put there */
    size_t      skip;          /* bytes of a message that are thrown away as they come */
    VncHandler *handler;
    /* WebSocket */
    bool        web, web_open;
    GByteArray *web_in;        /* frames not yet read */
    uint64_t    web_left;      /* payload of the frame being read */
    uint8_t     web_mask[4];
    unsigned    web_at;
    bool        web_control;
    /* handshake */
    unsigned    minor;         /* 3, 7, 8 */
    bool        shared, running;
    uint8_t     challenge[VNC_CHALLENGE_BYTES];
    /* what it wants */
    VncFormat   format;
    int32_t     encoding;
    int         level;         /* zlib */
    bool        takes_size, takes_ext_size, takes_cursor, takes_alpha_cursor, takes_ext_key,
                takes_motion;
    bool        requested, incremental;
    VncRect     request;
    /* what it knows */
    uint32_t    width, height; /* of its frame buffer */
    uint8_t    *dirty;         /* a byte a tile of the server's */
    bool        any_dirty, send_size, send_cursor, send_ext_key, send_motion;
    uint16_t    size_reason, size_status; /* of the next ExtendedDesktopSize */
    bool        told_absolute;
    /* input */
    uint8_t     keys[VNC_KEY_BYTES];
    uint8_t     buttons;
    int32_t     x, y;
    z_stream    streams[VNC_N_STREAMS];
    bool        stream_on[VNC_N_STREAMS];
    GByteArray *scratch, *packed;
};

struct VncServer {
    UiPart      part; /* must be first */
    Machine    *m;
    VncServer  *next_server;
    char       *id, *address, *web_address, *unix_path, *display;
    int         fd, web_fd;    /* listening; -1: not */
    unsigned    watch, web_watch;
    bool        password;      /* asked for */
    bool        has_password;
    char        password_text[VNC_PASSWORD_BYTES + 1];
    int         share;         /* VncShare */
    uint64_t    max_clients;
    VncClient  *clients;
    unsigned    n_clients;
    GSource    *tick;
    /* what is shown */
    Console    *console;
    DisplayListener listener;
    Surface     message;
    uint32_t    width, height, tiles_x, tiles_y;
    uint32_t   *shadow;        /* 0x00RRGGBB, what clients are told of */
    uint8_t    *changed;       /* a byte a tile: the guest drew there since the last tick */
    bool        any_changed;
    CursorImage cursor;
    uint32_t   *argb;          /* NULL: none */
};

enum { VNC_SHARE_EXCLUSIVE, VNC_SHARE_FORCE, VNC_SHARE_IGNORE };

/* ---- vnc.c */
/* Sets the client free at the end of the callback; nothing more is sent. */
void vnc_close(VncClient *c);
void vnc_disconnect_others(VncClient *c);
/* What the guest drew since the last time, to the shadow and the clients' tiles. */
void vnc_take_changes(VncServer *s);
/* What was put into c->out goes on its way. */
void vnc_send(VncClient *c);

/* ---- putting bytes */
static inline void vnc_put8(GByteArray *a, unsigned v)
{
    uint8_t b = (uint8_t)v;
    g_byte_array_append(a, &b, 1);
}
static inline void vnc_put16(GByteArray *a, unsigned v)
{
    vnc_put8(a, v >> 8);
    vnc_put8(a, v);
}
static inline void vnc_put32(GByteArray *a, uint32_t v)
{
    vnc_put16(a, v >> 16);
    vnc_put16(a, v);
}

/* ---- vnc_protocol.c */
void vnc_client_begin(VncClient *c); /* says hello */
void vnc_client_input(VncClient *c); /* eats c->in */
void vnc_release_all(VncClient *c);  /* keys and buttons that are held down */

/* ---- vnc_keys.c: Linux codes; 0: not known */
uint16_t vnc_key_of_keysym(uint32_t keysym);
uint16_t vnc_key_of_scancode(uint32_t xt); /* set 1; 0xe0 as bit 7 */

/* ---- vnc_format.c */
/* The 16 bytes of PIXEL_FORMAT; false: not possible. */
bool vnc_format_parse(VncFormat *f, const uint8_t p[16]);
void vnc_format_default(VncFormat *f);
void vnc_format_put(GByteArray *out, const VncFormat *f);
/* SetColourMapEntries for a client that wants one. */
void vnc_format_put_map(GByteArray *out);
static inline uint32_t vnc_pixel(const VncFormat *f, uint32_t rgb)
{
    return f->table[0][rgb >> 16 & 0xff] | f->table[1][rgb >> 8 & 0xff] | f->table[2][rgb & 0xff];
}
/* Pixels as the client has them; as ZRLE and as Tight have them. */
void vnc_put_pixels(GByteArray *out, const VncFormat *f, const uint32_t *rgb, size_t n);
void vnc_put_cpixels(GByteArray *out, const VncFormat *f, const uint32_t *rgb, size_t n);
void vnc_put_tpixels(GByteArray *out, const VncFormat *f, const uint32_t *rgb, size_t n);

/* ---- vnc_encode.c, vnc_tight.c */
/* Appends the rectangle of the server's shadow, with its header or headers; how many those are. */
unsigned vnc_encode(VncClient *c, const VncRect *r);
unsigned vnc_encode_tight(VncClient *c, const VncRect *r);
void     vnc_put_rect(GByteArray *out, const VncRect *r, int32_t encoding);
/* bytes through zlib stream i of the client, to c->packed. */
void     vnc_deflate(VncClient *c, unsigned i, const GByteArray *bytes);
/* Up to max different colours of the rectangle; their number, max + 1 when there are more. */
unsigned vnc_palette(const VncServer *s, const VncRect *r, uint32_t *colours, unsigned max);
static inline const uint32_t *vnc_row(const VncServer *s, uint32_t x, uint32_t y)
{
    return s->shadow + (size_t)y * s->width + x;
}

/* ---- vnc_update.c */
void vnc_update(VncClient *c); /* if it asked and there is something to tell */
void vnc_mark(VncClient *c, const VncRect *r);

/* ---- vnc_web.c */
bool vnc_web_input(VncClient *c);  /* c->web_in to c->in; false: close */
void vnc_web_output(VncClient *c); /* c->out to c->wire, as one frame */

/* ---- vnc_auth.c */
bool vnc_auth_possible(void);
/* What a client that knows the password answers to the challenge. */
void vnc_auth_answer(const char password[VNC_PASSWORD_BYTES],
                     const uint8_t challenge[VNC_CHALLENGE_BYTES],
                     uint8_t answer[VNC_CHALLENGE_BYTES]);

#endif
