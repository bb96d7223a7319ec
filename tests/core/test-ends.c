/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The seams to the host: packets, byte streams, input, displays, device trees. */
#include <glib.h>
#include <libfdt.h>
#include <linux/input-event-codes.h>
#include <string.h>

#include "core/chardev.h"
#include "core/display.h"
#include "core/fdt.h"
#include "core/input.h"
#include "core/machine.h"
#include "core/net.h"

static Machine *begin(void)
{
    Machine *m = machine_new(NULL, NULL);

    clock_set_manual(m);
    machine_lock(m);
    return m;
}

static void end(Machine *m)
{
    machine_unlock(m);
    machine_free(m);
}

/* ---- packets ---- */

typedef struct Nic {
    NetPort port;
    bool ready, echo;
    unsigned frames, taps;
    uint8_t last[64];
    size_t bytes;
} Nic;

static bool nic_can(NetPort *p)
{
    return ((Nic *)p->opaque)->ready;
}

static bool nic_receive(NetPort *p, const struct iovec *iov, int n)
{
    Nic *x = p->opaque;

    x->bytes = 0;
    for (int i = 0; i < n; i++) {
        memcpy(x->last + x->bytes, iov[i].iov_base, iov[i].iov_len);
        x->bytes += iov[i].iov_len;
    }
    x->frames++;
    if (x->echo) {
        net_send_buf(p, "echo", 4);
    }
    return true;
}

static const NetPortOps nic_ops = {.can_receive = nic_can, .receive = nic_receive};

static void tap_frame(NetTap *t, bool sent, const struct iovec *iov, int n)
{
    (void)sent;
    (void)iov;
    (void)n;
    ((Nic *)t->opaque)->taps++;
}

static void test_net(void)
{
    Machine *m = begin();
    Nic a = {.ready = true}, b = {.ready = false}, c = {0};
    NetTap tap = {tap_frame, &a, NULL};
    struct iovec iov[2] = {{"he", 2}, {"llo", 3}};
    uint8_t mac[6];

    net_port_init(&a.port, m, "a", &nic_ops, &a);
    net_port_init(&b.port, m, "b", &nic_ops, &b);
    net_port_init(&c.port, m, "c", &nic_ops, &c);
    net_send(&a.port, iov, 2); /* to nobody */
    g_assert_true(net_connect(&a.port, &b.port));
    g_assert_false(net_connect(&a.port, &c.port));
    g_assert_true(net_by_id(m, "b") == &b.port);
    net_tap_add(&a.port, &tap);
    net_send(&a.port, iov, 2);
    net_send_buf(&a.port, "second", 6);
    g_assert_cmpuint(b.frames, ==, 0);
    g_assert_false(net_can_send(&a.port));
    b.ready = true;
    b.echo = true; /* answers from within */
    net_ready(&b.port);
    g_assert_cmpuint(b.frames, ==, 2);
    g_assert_cmpmem(b.last, b.bytes, "second", 6);
    g_assert_cmpuint(a.frames, ==, 2);
    g_assert_cmpuint(a.taps, ==, 4);
    net_set_link(&b.port, false);
    net_send_buf(&a.port, "lost", 4);
    g_assert_cmpuint(b.frames, ==, 2);
    net_set_link(&b.port, true);
    b.ready = false;
    for (unsigned i = 0; i < 5000; i++) {
        net_send_buf(&a.port, "flood", 5);
    }
    b.ready = true;
    b.echo = false;
    net_ready(&b.port);
    g_assert_cmpuint(b.frames, ==, 2 + 1024); /* bounded */
    net_tap_remove(&a.port, &tap);
    net_new_mac(m, mac);
    g_assert_cmpmem(mac, 6, "\x52\x54\0\x12\x34\x56", 6);
    net_port_destroy(&b.port);
    g_assert_null(a.port.peer);
    net_port_destroy(&a.port);
    net_port_destroy(&c.port);
    end(m);
}

/* ---- byte streams ---- */

typedef struct Uart {
    size_t room;
    GString *got;
    unsigned events;
} Uart;

static size_t uart_room(void *opaque)
{
    return ((Uart *)opaque)->room;
}

static void uart_receive(void *opaque, const uint8_t *buf, size_t bytes)
{
    Uart *u = opaque;

    g_assert_cmpuint(bytes, <=, u->room);
    u->room -= bytes;
    g_string_append_len(u->got, (const char *)buf, (gssize)bytes);
}

static void uart_event(void *opaque, ChardevEvent e)
{
    (void)e;
    ((Uart *)opaque)->events++;
}

static void test_chardev(void)
{
    static const ChardevOps ops = {0};
    Machine *m = begin();
    Chardev c = {.ops = &ops, .id = "serial0"}, twin = {.ops = &ops, .id = "serial0"};
    Uart u = {.room = 3, .got = g_string_new("")};
    ChardevFront f = {uart_room, uart_receive, uart_event, NULL, &u};
    Error err = {""};

    g_assert_true(chardev_add(m, &c));
    g_assert_false(chardev_add(m, &twin));
    g_assert_true(chardev_by_id(m, "serial0") == &c);
    g_assert_cmpuint(chardev_deliver(&c, (const uint8_t *)"ab", 2), ==, 0); /* nobody there */
    g_assert_true(chardev_attach(&c, &f, &err));
    g_assert_false(chardev_attach(&c, &f, &err));
    g_assert_cmpuint(chardev_deliver(&c, (const uint8_t *)"abcdef", 6), ==, 3);
    g_assert_cmpstr(u.got->str, ==, "abc");
    chardev_event(&c, CHARDEV_OPENED);
    g_assert_true(c.open && u.events == 1);
    g_assert_cmpuint(chardev_write(&c, "xyz", 3), ==, 3);
    g_assert_cmpuint(chardev_write(NULL, "xyz", 3), ==, 3);
    chardev_detach(&c);
    chardev_detach(NULL);
    g_assert_cmpuint(chardev_room(&c), ==, 0);
    chardev_remove(m, &c);
    g_assert_null(chardev_by_id(m, "serial0"));
    g_string_free(u.got, TRUE);
    end(m);
}

/* ---- input ---- */

static void on_event(void *opaque, const InputEvent *e)
{
    g_string_append_printf(opaque, "%d:%d:%d ", e->kind, e->code, e->value);
}

static void test_input(void)
{
    Machine *m = begin();
    GString *kbd = g_string_new(""), *tablet = g_string_new("");
    InputSink k = {
        "kbd", 1u << INPUT_KEY | 1u << INPUT_REL | 1u << INPUT_BUTTON, on_event, NULL, kbd, NULL};
    InputSink t = {"tablet", 1u << INPUT_ABS | 1u << INPUT_BUTTON, on_event, NULL, tablet, NULL};

    input_send_key(m, KEY_A, true); /* nobody */
    input_sink_add(m, &t);
    input_sink_add(m, &k);
    g_assert_true(input_is_absolute(m));
    input_send_key(m, KEY_A, true);
    input_send_abs(m, INPUT_X, 1 << 20); /* clamped */
    input_send_button(m, BTN_LEFT, true);
    input_sync(m);
    g_assert_cmpstr(kbd->str, ==, "0:30:1 4:0:0 ");
    g_assert_cmpstr(tablet->str, ==, "3:0:32767 1:272:1 4:0:0 ");
    input_sink_remove(m, &t);
    g_assert_false(input_is_absolute(m));
    input_set_leds(m, 2);
    g_assert_cmpuint(input_leds(m), ==, 2);
    g_assert_cmpuint(input_key_by_name("ret"), ==, KEY_ENTER);
    g_assert_cmpuint(input_key_by_name("nosuchkey"), ==, 0);
    g_assert_cmpstr(input_key_name(KEY_ENTER), ==, "ret");
    g_assert_null(input_key_name(0x2ff));
    input_sink_remove(m, &k);
    g_string_free(kbd, TRUE);
    g_string_free(tablet, TRUE);
    end(m);
}

/* ---- displays ---- */

typedef struct Window {
    DisplayListener l;
    unsigned surfaces, updates, cursors, x, y, w, h;
    unsigned *refreshes;
} Window;

static void win_surface(DisplayListener *l, const Surface *s)
{
    (void)s;
    ((Window *)l)->surfaces++;
}

static void win_update(DisplayListener *l, uint32_t x, uint32_t y, uint32_t w, uint32_t h)
{
    Window *win = (Window *)l;

    win->updates++;
    win->x = x;
    win->y = y;
    win->w = w;
    win->h = h;
}

static void win_cursor(DisplayListener *l, const CursorImage *image)
{
    ((Window *)l)->cursors += image != NULL;
}

static void dev_refresh(void *opaque)
{
    ++*(unsigned *)opaque;
}

static void test_display(void)
{
    static const ConsoleOps ops = {.refresh = dev_refresh};
    Machine *m = begin();
    unsigned refreshes = 0;
    Console *c = console_new(m, "vga.0", &ops, &refreshes);
    Window win = {.l = {win_surface, win_update, win_cursor, NULL, 10, NULL, NULL}};
    uint8_t pixels[64 * 4 * 4];
    uint32_t dot = 0xff00ff00;
    CursorImage image = {1, 1, 0, 0, &dot};

    console_listen(c, &win.l);
    g_assert_cmpuint(win.surfaces, ==, 1);
    g_assert_null(console_surface(c));
    console_update(c, 0, 0, 10, 10); /* nothing to show */
    console_set_surface(c, &(Surface){64, 4, 256, PIXEL_X8R8G8B8, pixels});
    g_assert_cmpuint(win.surfaces, ==, 2);
    console_update(c, 60, 2, UINT32_MAX, UINT32_MAX); /* clipped */
    g_assert_true(win.x == 60 && win.y == 2 && win.w == 4 && win.h == 2);
    console_update(c, 64, 0, 1, 1);
    g_assert_cmpuint(win.updates, ==, 1);
    console_set_cursor(c, &image);
    g_assert_cmpuint(win.cursors, ==, 1);
    machine_unlock(m);
    clock_advance(m, 35 * 1000000, 100);
    machine_lock(m);
    g_assert_cmpuint(refreshes, ==, 3);
    g_assert_true(console_by_index(m, 0) == c && console_by_name(m, "vga.0") == c);
    g_assert_null(console_by_index(m, 1));
    console_unlisten(c, &win.l);
    console_free(c);
    end(m);
}

/* ---- device trees ---- */

static void test_fdt(void)
{
    Fdt *f = fdt_new(), *again;
    const void *blob;
    size_t bytes;
    Error err = {""};
    int node, len;
    uint32_t gic;
    const uint32_t cells[] = {0, 1, 4};
    uint8_t bad[64] = {0};

    fdt_put_string(f, "model", "test");
    fdt_node_unit(f, "/", "uart", 0x9000000);
    fdt_put_string(f, "compatible", "arm,pl011");
    fdt_strings(f, "names", "a\0bc\0");
    fdt_u64(f, "reg", 0x9000000);
    fdt_cells(f, "interrupts", cells, 3);
    gic = fdt_phandle(f, "gic"); /* before the node is there */
    fdt_u32(f, "interrupt-parent", gic);
    fdt_node(f, "/soc/intc");
    fdt_label(f, "gic");
    fdt_flag(f, "interrupt-controller");
    for (unsigned i = 0; i < 2000; i++) { /* it grows */
        fdt_node_unit(f, "/many", "node", i);
        fdt_u32(f, "n", i);
    }
    g_assert_true(fdt_flatten(f, &blob, &bytes, &err));
    node = fdt_path_offset(blob, "/uart@9000000");
    g_assert_cmpint(node, >, 0);
    g_assert_cmpmem(fdt_getprop(blob, node, "names", &len), 5, "a\0bc\0", 5);
    g_assert_cmpmem(fdt_getprop(blob, node, "reg", &len), 8, "\0\0\0\0\x09\0\0\0", 8);
    g_assert_cmpint(fdt_node_offset_by_phandle(blob, gic), ==, fdt_path_offset(blob, "/soc/intc"));
    g_assert_cmpint(fdt_path_offset(blob, "/many/node@7cf"), >, 0);
    again = fdt_load(blob, bytes, &err);
    g_assert_nonnull(again);
    g_assert_cmpuint(fdt_phandle(again, "new"), !=, gic);
    fdt_put_string(again, "model", "other");
    fdt_free(f);
    g_assert_true(fdt_flatten(again, &blob, &bytes, &err));
    g_assert_cmpstr(fdt_getprop(blob, 0, "model", &len), ==, "other");
    fdt_free(again);
    g_assert_null(fdt_load(bad, sizeof bad, &err));
    g_assert_nonnull(strstr(err.text, "not a device tree"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/core/net", test_net);
    g_test_add_func("/core/chardev", test_chardev);
    g_test_add_func("/core/input", test_input);
    g_test_add_func("/core/display", test_display);
    g_test_add_func("/core/fdt", test_fdt);
    return g_test_run();
}
