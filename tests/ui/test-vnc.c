/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VNC server by a client of its own: encodings, formats, sizes, cursor, input, passwords,
 * WebSocket, nonsense. */
#include <linux/input-event-codes.h>
#include <stdlib.h>

#include "vnc_client.h"

static const uint8_t rgb32[16] = {32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0};
static const uint8_t rgb32_big[16] = {32, 24, 1, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0};
static const uint8_t bgr32[16] = {32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16};
static const uint8_t rgb565[16] = {16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0};
static const uint8_t rgb565_big[16] = {16, 16, 1, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0};
static const uint8_t rgb332[16] = {8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 5, 2, 0};
static const uint8_t *const formats[] = {rgb32, rgb32_big, bgr32, rgb565, rgb565_big, rgb332};
static const int32_t encodings[] = {0, 5, 6, 7, 16};

static char *socket_path(void)
{
    return g_strdup_printf("%s/gemel-vnc-%d", g_get_tmp_dir(), (int)getpid());
}

static Screen *serve(const char *options, uint32_t kinds)
{
    Screen *s = screen_new(kinds);
    char *path = socket_path(), *spec = g_strdup_printf("unix:%s%s", path, options);
    Error err = {""};

    if (!ui_vnc_start(s->m, spec, &err)) {
        g_error("%s", err.text);
    }
    g_free(path);
    g_free(spec);
    return s;
}

static View *open_view(Screen *s)
{
    char *path = socket_path();
    View *v = view_open(s, path);

    g_free(path);
    return v;
}

static void test_encoding(const void *which)
{
    int32_t encoding = GPOINTER_TO_INT(which);
    Screen *s = serve("", 0);

    screen_set(s, 333, 277);
    for (size_t f = 0; f < G_N_ELEMENTS(formats); f++) {
        View *v = open_view(s);
        view_format(v, formats[f]);
        view_encodings(v, &encoding, 1);
        view_request(v, false);
        view_update(v);
        view_check(v);
        screen_fill(s, 100, 50, 31, 17);
        screen_fill(s, 320, 270, 13, 7);
        view_request(v, true);
        view_update(v);
        view_check(v);
        view_close(v);
        screen_set(s, 333, 277);
    }
    screen_free(s);
}

static void test_sizes(void)
{
    Screen *s = serve("", 0);
    const int32_t takes[] = {16, -223};

    View *v = open_view(s); /* the message */
    g_assert_cmpuint(v->width, ==, 640);
    view_encodings(v, takes, 2);
    view_request(v, false);
    view_update(v);
    screen_set(s, 1000, 700);
    view_request(v, true);
    while (!v->sizes) {
        view_update(v);
    }
    view_request(v, false);
    view_update(v);
    view_check(v);
    screen_set(s, 16, 17);
    view_request(v, true);
    view_update(v);
    view_request(v, false);
    view_update(v);
    view_check(v);
    /* A client that cannot change its size sees a part. */
    View *fixed = open_view(s);
    screen_set(s, 400, 300);
    view_request(fixed, false);
    view_update(fixed);
    g_assert_cmpuint(fixed->width, ==, 16);
    g_assert_cmphex(fixed->pixels[16 * 16 + 15], ==, s->pixels[16 * 400 + 15]);
    view_close(fixed);
    view_close(v);
    screen_free(s);
}

static void test_cursor(void)
{
    Screen *s = serve("", 0);
    const int32_t takes[] = {0, -239, -258};
    uint32_t image[12];

    for (unsigned i = 0; i < 12; i++) {
        image[i] = 0xff000000 + 0x10203 * (i + 1);
    }
    screen_set(s, 64, 64);
    View *v = open_view(s);
    view_encodings(v, takes, 3);
    view_request(v, false);
    view_update(v);
    g_assert_cmpuint(v->ext_keys, ==, 1);
    console_set_cursor(s->console, &(CursorImage){3, 4, 1, 1, image});
    view_request(v, true);
    view_update(v);
    g_assert_cmpuint(v->cursors, ==, 1);
    g_assert_cmphex(v->cursor_corner, ==, 0x10203);
    view_close(v);
    screen_free(s);
}

static void test_input(void)
{
    Screen *s = serve("", 1 << INPUT_KEY | 1 << INPUT_BUTTON | 1 << INPUT_ABS | 1 << INPUT_REL);
    static const uint8_t a_down[] = {4, 1, 0, 0, 0, 0, 0, 'A'};
    static const uint8_t right_down[] = {255, 0, 0, 1, 0, 0, 0xff, 0x53, 0, 0, 0, 0x80 | 0x4d};
    static const uint8_t click[] = {5, 4, 0, 50, 0, 99}, wheel[] = {5, 8, 0, 50, 0, 99};

    screen_set(s, 101, 100);
    View *v = open_view(s);
    view_write(v, a_down, sizeof a_down);
    view_write(v, right_down, sizeof right_down);
    view_write(v, click, sizeof click);
    view_write(v, wheel, sizeof wheel);
    screen_run(s, 100);
    g_assert_true(screen_saw(s, INPUT_KEY, KEY_A, 1));
    g_assert_true(screen_saw(s, INPUT_KEY, KEY_RIGHT, 1));
    g_assert_true(screen_saw(s, INPUT_BUTTON, BTN_RIGHT, 1));
    g_assert_true(screen_saw(s, INPUT_BUTTON, BTN_RIGHT, 0));
    g_assert_true(screen_saw(s, INPUT_REL, INPUT_WHEEL, 1));
    g_assert_true(screen_saw(s, INPUT_ABS, INPUT_X, INPUT_ABS_MAX / 2));
    g_assert_true(screen_saw(s, INPUT_ABS, INPUT_Y, INPUT_ABS_MAX));
    g_assert_false(screen_saw(s, INPUT_KEY, KEY_A, 0));
    view_close(v); /* keys do not stay down behind a client that went */
    screen_run(s, 100);
    g_assert_true(screen_saw(s, INPUT_KEY, KEY_A, 0));
    g_assert_true(screen_saw(s, INPUT_KEY, KEY_RIGHT, 0));
    screen_free(s);
}

/* Answers by the published example of the algorithm: DES is nettle's, its use is ours. */
static bool log_in(Screen *s, const char *password)
{
    char *path = socket_path();
    View *v = view_connect(s, path);
    char version[12];
    uint8_t challenge[16], answer[16] = {0};

    view_read(v, version, sizeof version);
    view_write(v, "RFB 003.008\n", 12);
    g_assert_cmpuint(view_get(v, 2), ==, 0x0102);
    view_write(v, "\2", 1);
    view_read(v, challenge, sizeof challenge);
    /* openssl speaks DES, too; its answer is the right one. */
    char key[17] = {0};
    for (unsigned i = 0; i < 8; i++) {
        uint8_t c = i < strlen(password) ? (uint8_t)password[i] : 0, m = 0;
        for (unsigned b = 0; b < 8; b++) {
            m = (uint8_t)(m | (c >> b & 1) << (7 - b));
        }
        g_snprintf(key + 2 * i, 3, "%02x", m);
    }
    char *plain = g_strconcat(path, ".plain", NULL), *coded = g_strconcat(path, ".coded", NULL);
    g_assert_true(g_file_set_contents(plain, (char *)challenge, 16, NULL));
    char *command = g_strdup_printf("openssl enc -des-ecb -provider legacy -provider default "
                                    "-nopad -K %s -in %s -out %s",
                                    key, plain, coded);
    char *bytes = NULL;
    size_t n = 0;
    g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL);
    if (g_file_get_contents(coded, &bytes, &n, NULL) && n == 16) {
        memcpy(answer, bytes, 16);
    }
    view_write(v, answer, sizeof answer);
    bool ok = view_get(v, 4) == 0;
    if (ok) {
        view_init(v, true);
    }
    unlink(plain), unlink(coded);
    g_free(bytes), g_free(command), g_free(plain), g_free(coded), g_free(path);
    view_close(v);
    return ok;
}

static void test_password(void)
{
    Screen *s = serve(",password=on", 0);
    Error err = {""};
    char *openssl = g_find_program_in_path("openssl");

    if (openssl) {
        g_assert_false(log_in(s, ""));
        g_assert_true(ui_vnc_set_password(s->m, NULL, "sesame12345", &err));
        g_assert_true(log_in(s, "sesame12"));
        g_assert_false(log_in(s, "sesame"));
        g_assert_true(ui_vnc_set_password(s->m, NULL, NULL, &err));
        g_assert_false(log_in(s, "sesame12"));
    } else {
        g_test_skip("no openssl");
    }
    g_assert_false(ui_vnc_set_password(s->m, "other", "x", &err));
    g_free(openssl);
    screen_free(s);
}

/* ---- WebSocket (RFC 6455; key and answer are those of its section 1.3) */

static void find_web_port(void *opaque, const char *line)
{
    const char *web = strstr(line, "WebSocket 127.0.0.1:");

    if (web) { /* the other lines are clients */
        *(unsigned *)opaque = (unsigned)atoi(web + strlen("WebSocket 127.0.0.1:"));
    }
}

static View *web_connect(Screen *s)
{
    View *v = g_new0(View, 1);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    unsigned port = 0;

    ui_vnc_print(s->m, find_web_port, &port);
    a.sin_port = htons((uint16_t)port);
    v->s = s;
    v->fd = socket(AF_INET, SOCK_STREAM, 0);
    g_assert_cmpint(connect(v->fd, (struct sockaddr *)&a, sizeof a), ==, 0);
    return v;
}

static void web_send(View *v, uint8_t head, const void *data, uint8_t n)
{
    uint8_t frame[6 + 125] = {head, 0x80 | n, 0x11, 0x22, 0x33, 0x44};

    for (unsigned i = 0; i < n; i++) {
        frame[6 + i] = ((const uint8_t *)data)[i] ^ frame[2 + i % 4];
    }
    for (unsigned i = 0; i < 6u + n; i++) { /* byte by byte, as networks may */
        view_write(v, frame + i, 1);
        screen_run(v->s, 1);
    }
}

static void web_expect(View *v, uint8_t head, const void *data, uint8_t n)
{
    uint8_t got[127];

    g_assert_cmphex(view_get(v, 1), ==, head);
    g_assert_cmpuint(view_get(v, 1), ==, n);
    view_read(v, got, n);
    g_assert_cmpmem(got, n, data, n);
}

static void test_web(void)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                                  "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                  "Sec-WebSocket-Protocol: binary, base64\r\n\r\n";
    static const char reply[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\n"
                                "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                                "Sec-WebSocket-Protocol: binary\r\n\r\n";
    Screen *s = screen_new(0);
    Error err = {""};
    char got[sizeof reply] = {0};

    if (!ui_vnc_start(s->m, ":571,to=599,websocket=on", &err)) {
        g_error("%s", err.text);
    }
    View *v = web_connect(s);
    view_write(v, request, sizeof request - 1);
    view_read(v, got, sizeof reply - 1);
    g_assert_cmpstr(got, ==, reply);
    web_expect(v, 0x82, "RFB 003.008\n", 12);
    web_send(v, 0x02, "RFB 003", 7); /* in two parts, with a ping between */
    web_send(v, 0x89, "hey", 3);
    web_expect(v, 0x8a, "hey", 3);
    web_send(v, 0x80, ".008\n", 5);
    web_expect(v, 0x82, "\1\1", 2);
    web_send(v, 0x82, "\1", 1);
    web_expect(v, 0x82, "\0\0\0\0", 4);
    web_send(v, 0x88, "", 0); /* closes */
    g_assert_false(view_try_read(v, got, 1));
    view_close(v);
    /* What is no WebSocket is not let in. */
    v = web_connect(s);
    view_write(v, "RFB 003.008\r\n\r\n", 15);
    g_assert_false(view_try_read(v, got, 1));
    view_close(v);
    screen_free(s);
}

/* Many fast clients that say what comes to their mind; the server stays. */
static void test_nonsense(void)
{
    Screen *s = serve("", 1 << INPUT_KEY | 1 << INPUT_BUTTON | 1 << INPUT_REL);
    char *path = socket_path();
    static const uint8_t types[] = {0, 2, 3, 4, 5, 6, 251, 255};
    gint64 end = g_get_monotonic_time() + 3 * G_USEC_PER_SEC;

    screen_set(s, 200, 100);
    while (g_get_monotonic_time() < end) {
        View *v = g_test_rand_bit() ? view_open(s, path) : view_connect(s, path);
        for (int i = g_test_rand_int_range(1, 60); i; i--) {
            uint8_t m[64];
            int n = g_test_rand_int_range(1, sizeof m);
            for (int k = 0; k < n; k++) {
                m[k] = (uint8_t)(g_test_rand_bit() ? g_test_rand_int() : 0);
            }
            m[0] = g_test_rand_int_range(0, 8) ? types[g_test_rand_int_range(0, 8)] : m[0];
            if (send(v->fd, m, (size_t)n, MSG_NOSIGNAL) < 0) {
                break;
            }
            screen_fill(s, (uint32_t)g_test_rand_int_range(0, 100), 10, 30, 30);
            s->n_events = 0;
            machine_unlock(s->m);
            machine_iterate(s->m, false);
            machine_lock(s->m);
        }
        view_close(v);
        screen_run(s, 1);
    }
    screen_run(s, 50);
    View *v = view_open(s, path);
    view_request(v, false);
    view_update(v);
    view_check(v);
    view_close(v);
    g_free(path);
    screen_free(s);
}

static void count_line(void *opaque, const char *line)
{
    g_assert_nonnull(strstr(line, "listens on"));
    ++*(unsigned *)opaque;
}

static void test_options(void)
{
    Screen *s = screen_new(0);
    Error err = {""};
    unsigned lines = 0;

    g_assert_true(ui_vnc_start(s->m, "none", &err));
    g_assert_false(ui_vnc_start(s->m, "localhost", &err));
    g_assert_nonnull(strstr(err.text, "HOST:DISPLAY"));
    g_assert_false(ui_vnc_start(s->m, ":1,passwrd=on", &err));
    g_assert_nonnull(strstr(err.text, "password"));
    g_assert_false(ui_vnc_start(s->m, ":1,websocket=70000", &err));
    g_assert_true(ui_vnc_start(s->m, ":571,to=599,websocket=on,id=web", &err));
    g_assert_true(ui_display_start(s->m, "vnc=[::1]:571,to=599", NULL, &err));
    ui_vnc_print(s->m, count_line, &lines);
    g_assert_cmpuint(lines, ==, 2);
    screen_free(s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(encodings); i++) {
        char *name = g_strdup_printf("/vnc/encoding/%d", encodings[i]);
        g_test_add_data_func(name, GINT_TO_POINTER(encodings[i]), test_encoding);
        g_free(name);
    }
    g_test_add_func("/vnc/sizes", test_sizes);
    g_test_add_func("/vnc/cursor", test_cursor);
    g_test_add_func("/vnc/input", test_input);
    g_test_add_func("/vnc/password", test_password);
    g_test_add_func("/vnc/options", test_options);
    g_test_add_func("/vnc/web", test_web);
    g_test_add_func("/vnc/nonsense", test_nonsense);
    return g_test_run();
}
