/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What VNC clients say. Source: RFC 6143, sections 7.1 to 7.5; the registry's SetDesktopSize and
 * QEMU client messages.
 *
 * A handler takes what is there and says how much it used; 0 asks for more. Messages have a longest
 * form, clipboard texts (which nobody here wants) are skipped as they come.
 */
#include <string.h>
#include <unistd.h>

#include "core/input.h"
#include "ui/vnc_private.h"
#include "util/bits.h"

enum { SECURITY_NONE = 1, SECURITY_VNC = 2, VERSION_BYTES = 12, RESULT_BAD = 1 };
enum { SIZE_BY_CLIENT = 1, SIZE_OK = 0, SIZE_PROHIBITED = 1, SIZE_INVALID = 3 };

/* ---- handshake */

static VncHandler take_message;

static void refuse(VncClient *c, const char *why)
{
    if (c->minor >= 8) {
        vnc_put32(c->out, (uint32_t)strlen(why));
        g_byte_array_append(c->out, (const uint8_t *)why, (guint)strlen(why));
    }
    vnc_send(c);
    vnc_close(c);
}

static size_t take_init(VncClient *c, const uint8_t *p, size_t n)
{
    VncServer *s = c->server;
    const char *name = s->m->name;

    if (!n) {
        return 0;
    }
    c->shared = p[0] != 0;
    if (s->share == VNC_SHARE_FORCE && !c->shared) {
        vnc_close(c);
        return 1;
    }
    if (s->share == VNC_SHARE_EXCLUSIVE && !c->shared) {
        vnc_disconnect_others(c);
    }
    c->width = s->width;
    c->height = s->height;
    vnc_put16(c->out, c->width);
    vnc_put16(c->out, c->height);
    vnc_format_put(c->out, &c->format);
    vnc_put32(c->out, (uint32_t)strlen(name));
    g_byte_array_append(c->out, (const uint8_t *)name, (guint)strlen(name));
    vnc_send(c);
    c->running = true;
    c->handler = take_message;
    return 1;
}

static void accepted(VncClient *c, bool tell)
{
    if (tell) {
        vnc_put32(c->out, 0);
        vnc_send(c);
    }
    c->handler = take_init;
}

static size_t take_answer(VncClient *c, const uint8_t *p, size_t n)
{
    VncServer *s = c->server;
    uint8_t right[VNC_CHALLENGE_BYTES], differ = 0;

    if (n < VNC_CHALLENGE_BYTES) {
        return 0;
    }
    vnc_auth_answer(s->password_text, c->challenge, right);
    for (unsigned i = 0; i < VNC_CHALLENGE_BYTES; i++) {
        differ |= right[i] ^ p[i];
    }
    if (differ || !s->has_password) {
        vnc_put32(c->out, RESULT_BAD);
        refuse(c, "wrong password");
    } else {
        accepted(c, true);
    }
    return VNC_CHALLENGE_BYTES;
}

static void challenge(VncClient *c)
{
    /* The host's secret, not one of the guest's random numbers: no replay brings it back. */
    if (getentropy(c->challenge, VNC_CHALLENGE_BYTES)) {
        vnc_close(c);
        return;
    }
    g_byte_array_append(c->out, c->challenge, VNC_CHALLENGE_BYTES);
    vnc_send(c);
    c->handler = take_answer;
}

static size_t take_security(VncClient *c, const uint8_t *p, size_t n)
{
    unsigned offered = c->server->password ? SECURITY_VNC : SECURITY_NONE;

    if (!n) {
        return 0;
    }
    if (p[0] != offered) {
        vnc_put32(c->out, RESULT_BAD);
        refuse(c, "security type was not offered");
    } else if (offered == SECURITY_VNC) {
        challenge(c);
    } else {
        accepted(c, c->minor >= 8);
    }
    return 1;
}

static size_t take_version(VncClient *c, const uint8_t *p, size_t n)
{
    unsigned security = c->server->password ? SECURITY_VNC : SECURITY_NONE;

    if (n < VERSION_BYTES) {
        return 0;
    }
    if (memcmp(p, "RFB 003.", 8) || p[11] != '\n') {
        vnc_close(c);
        return VERSION_BYTES;
    }
    unsigned minor = (unsigned)((p[8] - '0') * 100 + (p[9] - '0') * 10 + (p[10] - '0'));
    c->minor = minor == 7 ? 7 : minor >= 8 && minor < 1000 ? 8 : 3; /* 3.5 is 3.3 (7.1.1) */
    if (c->minor > 3) {
        vnc_put8(c->out, 1);
        vnc_put8(c->out, security);
        vnc_send(c);
        c->handler = take_security;
        return VERSION_BYTES;
    }
    vnc_put32(c->out, security);
    if (security == SECURITY_VNC) {
        challenge(c);
    } else {
        vnc_send(c);
        accepted(c, false);
    }
    return VERSION_BYTES;
}

void vnc_client_begin(VncClient *c)
{
    vnc_format_default(&c->format);
    c->encoding = VNC_RAW;
    c->level = 2;
    c->handler = take_version;
    g_byte_array_append(c->out, (const uint8_t *)"RFB 003.008\n", VERSION_BYTES);
    vnc_send(c);
}

/* ---- input */

static void key(VncClient *c, uint16_t code, bool down)
{
    uint8_t bit = (uint8_t)(1u << code % 8), *held = &c->keys[code / 8];

    if (!code || (down && *held & bit) || (!down && !(*held & bit))) {
        return; /* guests repeat by themselves */
    }
    *held = (uint8_t)(down ? *held | bit : *held & ~bit);
    input_send_key(c->server->m, code, down);
    input_sync(c->server->m);
}

static void send_buttons(VncClient *c, uint8_t buttons)
{
    static const uint16_t codes[] = {BTN_LEFT, BTN_MIDDLE, BTN_RIGHT};
    uint8_t changed = buttons ^ c->buttons, pressed = changed & buttons;
    Machine *m = c->server->m;

    for (unsigned i = 0; i < G_N_ELEMENTS(codes); i++) {
        if (changed >> i & 1) {
            input_send_button(m, codes[i], buttons >> i & 1);
        }
    }
    if (pressed & 0x18) {
        input_send_rel(m, INPUT_WHEEL, pressed & 0x08 ? 1 : -1);
    }
    if (pressed & 0x60) {
        input_send_rel(m, INPUT_HWHEEL, pressed & 0x20 ? -1 : 1);
    }
    c->buttons = buttons;
}

static int32_t scaled(int32_t at, uint32_t size)
{
    return size > 1 ? (int32_t)MIN((int64_t)at * INPUT_ABS_MAX / (size - 1), INPUT_ABS_MAX) : 0;
}

static void pointer(VncClient *c, uint8_t buttons, int32_t x, int32_t y)
{
    Machine *m = c->server->m;
    bool absolute = input_is_absolute(m);

    if (absolute) {
        input_send_abs(m, INPUT_X, scaled(x, c->width));
        input_send_abs(m, INPUT_Y, scaled(y, c->height));
    } else if (c->takes_motion && !c->told_absolute) {
        input_send_rel(m, INPUT_X, x - 0x7fff);
        input_send_rel(m, INPUT_Y, y - 0x7fff);
    } else {
        input_send_rel(m, INPUT_X, x - c->x);
        input_send_rel(m, INPUT_Y, y - c->y);
    }
    c->x = x;
    c->y = y;
    send_buttons(c, buttons);
    input_sync(m);
    c->send_motion |= c->takes_motion && absolute != c->told_absolute;
}

void vnc_release_all(VncClient *c)
{
    for (uint16_t code = 1; code < KEY_CNT; code++) {
        key(c, code, false);
    }
    if (c->buttons) {
        send_buttons(c, 0);
        input_sync(c->server->m);
    }
}

/* ---- messages */

static size_t set_pixel_format(VncClient *c, const uint8_t *p, size_t n)
{
    static const VncRect all = {0, 0, DISPLAY_MAX_SIDE, DISPLAY_MAX_SIDE};

    (void)n;
    if (!vnc_format_parse(&c->format, p + 4)) {
        vnc_close(c);
        return 20;
    }
    if (c->format.mapped) {
        vnc_format_put_map(c->out);
        vnc_send(c);
    }
    vnc_mark(c, &all);
    return 20;
}

static bool is_pixel_encoding(int32_t e)
{
    return e == VNC_RAW || e == VNC_HEXTILE || e == VNC_ZLIB || e == VNC_TIGHT || e == VNC_ZRLE;
}

static void take_pseudo(VncClient *c, int32_t e)
{
    switch (e) {
    case VNC_DESKTOP_SIZE: c->takes_size = true; break;
    case VNC_EXT_DESKTOP_SIZE: c->takes_ext_size = true; break;
    case VNC_CURSOR: c->takes_cursor = true; break;
    case VNC_ALPHA_CURSOR: c->takes_alpha_cursor = true; break;
    case VNC_EXT_KEY: c->takes_ext_key = true; break;
    case VNC_POINTER_MOTION: c->takes_motion = true; break;
    default:
        if (e >= VNC_COMPRESS_0 && e <= VNC_COMPRESS_9) {
            c->level = e - VNC_COMPRESS_0;
        }
        break;
    }
}

static size_t set_encodings(VncClient *c, const uint8_t *p, size_t n)
{
    size_t count = n >= 4 ? load_be16(p + 2) : 0, bytes = 4 + 4 * count;
    bool found = false;

    if (n < 4 || n < bytes) {
        return 0;
    }
    c->takes_size = c->takes_ext_size = c->takes_cursor = c->takes_alpha_cursor = false;
    c->takes_ext_key = c->takes_motion = false;
    c->encoding = VNC_RAW;
    for (size_t i = 0; i < count; i++) {
        int32_t e = (int32_t)load_be32(p + 4 + 4 * i);
        if (!found && is_pixel_encoding(e)) { /* the first is the one it likes most */
            c->encoding = e;
            found = true;
        }
        take_pseudo(c, e);
    }
    c->send_size |= c->takes_ext_size; /* tells the client that it is known here */
    c->send_cursor |= (c->takes_cursor || c->takes_alpha_cursor) && c->server->argb;
    c->send_ext_key |= c->takes_ext_key;
    c->send_motion |= c->takes_motion;
    return bytes;
}

static size_t request_update(VncClient *c, const uint8_t *p, size_t n)
{
    (void)n;
    c->requested = true;
    c->request = (VncRect){load_be16(p + 2), load_be16(p + 4), load_be16(p + 6), load_be16(p + 8)};
    if (!p[1]) {
        vnc_mark(c, &c->request);
    }
    vnc_update(c);
    return 10;
}

static size_t key_event(VncClient *c, const uint8_t *p, size_t n)
{
    (void)n;
    key(c, vnc_key_of_keysym(load_be32(p + 4)), p[1] != 0);
    return 8;
}

static size_t pointer_event(VncClient *c, const uint8_t *p, size_t n)
{
    (void)n;
    pointer(c, p[1], load_be16(p + 2), load_be16(p + 4));
    return 6;
}

static size_t cut_text(VncClient *c, const uint8_t *p, size_t n)
{
    int32_t bytes = (int32_t)load_be32(p + 4);

    (void)n;
    c->skip = bytes < 0 ? 0u - (uint32_t)bytes : (uint32_t)bytes; /* negative: extended clipboard */
    return 8;
}

static size_t set_desktop_size(VncClient *c, const uint8_t *p, size_t n)
{
    size_t bytes = 8 + 16 * (size_t)p[6];
    uint32_t width = load_be16(p + 2), height = load_be16(p + 4);

    if (n < bytes) {
        return 0;
    }
    bool valid = width && height && width <= DISPLAY_MAX_SIDE && height <= DISPLAY_MAX_SIDE;
    if (valid && c->server->console) {
        console_request_size(c->server->console, width, height);
    }
    /* When the guest follows, its new size tells; a wish is not refused. */
    c->size_reason = SIZE_BY_CLIENT;
    c->size_status = !valid ? SIZE_INVALID : c->server->console ? SIZE_OK : SIZE_PROHIBITED;
    c->send_size |= c->takes_ext_size;
    return bytes;
}

static size_t qemu_message(VncClient *c, const uint8_t *p, size_t n)
{
    if (p[1] != 0) { /* audio and what may come: was not offered */
        vnc_close(c);
        return n;
    }
    if (n < 12) {
        return 0;
    }
    uint16_t code = vnc_key_of_scancode(load_be32(p + 8));
    key(c, code ? code : vnc_key_of_keysym(load_be32(p + 4)), load_be16(p + 2) != 0);
    return 12;
}

static const struct {
    uint8_t type, bytes; /* at least */
    VncHandler *run;
} messages[] = {
    {0, 20, set_pixel_format},  {2, 4, set_encodings},  {3, 10, request_update},
    {4, 8, key_event},          {5, 6, pointer_event},  {6, 8, cut_text},
    {251, 8, set_desktop_size}, {255, 4, qemu_message},
};

static size_t take_message(VncClient *c, const uint8_t *p, size_t n)
{
    for (size_t i = 0; n && i < G_N_ELEMENTS(messages); i++) {
        if (messages[i].type == p[0]) {
            return n < messages[i].bytes ? 0 : messages[i].run(c, p, n);
        }
    }
    if (n) {
        vnc_close(c);
    }
    return n;
}

void vnc_client_input(VncClient *c)
{
    size_t at = 0;

    while (!c->gone && at < c->in->len) {
        size_t n = MIN(c->skip, c->in->len - at);
        if (n) {
            c->skip -= n;
            at += n;
            continue;
        }
        n = c->handler(c, c->in->data + at, c->in->len - at);
        if (!n) {
            break;
        }
        at += n;
    }
    if (!c->gone) {
        g_byte_array_remove_range(c->in, 0, (guint)at);
    }
}
