/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xHCI by a tiny driver: keyboard, tablet behind a hub, disk; hostile rings. */
#include <linux/input-event-codes.h>

#include "../block/ram_disk.h"
#include "core/input.h"
#include "hw/usb.h"
#include "hw_rig.h"

enum { RING_TRBS = 64, OP = 0x40, RUN = 0x1000, DOORBELL = 0x2000 };
enum { NORMAL = 1, SETUP, DATA, STATUS, ENABLE = 9, DISABLE, ADDRESS, CONFIGURE, STOP = 15 };

typedef struct Ring {
    uint64_t gpa;
    unsigned at;
    bool cycle;
} Ring;

typedef struct Hc {
    HwRig *r;
    uint64_t bar, dcbaa;
    Ring command, events;
    Ring ep[4][32];        /* by slot, DCI */
    uint64_t in;           /* input context */
    uint32_t code, length; /* of the last event */
    uint32_t port_events;
} Hc;

static uint32_t reg(Hc *h, unsigned at)
{
    return (uint32_t)rig_read(h->r, h->bar + at, 4);
}

static void set(Hc *h, unsigned at, uint32_t v)
{
    rig_write(h->r, h->bar + at, 4, v);
}

static void set64(Hc *h, unsigned at, uint64_t v)
{
    set(h, at, (uint32_t)v);
    set(h, at + 4, (uint32_t)(v >> 32));
}

static void put(Hc *h, Ring *q, uint64_t parameter, uint32_t status, uint32_t control)
{
    uint64_t at = q->gpa + 16 * q->at;

    rig_write(h->r, at, 8, parameter);
    rig_write(h->r, at + 8, 4, status);
    rig_write(h->r, at + 12, 4, control | q->cycle);
    if (++q->at == RING_TRBS - 1) { /* link back, toggle */
        rig_write(h->r, q->gpa + 16 * q->at, 8, q->gpa);
        rig_write(h->r, q->gpa + 16 * q->at + 12, 4, 6 << 10 | 2 | q->cycle);
        q->at = 0;
        q->cycle = !q->cycle;
    }
}

static Ring ring_new(Hc *h)
{
    Ring q = {rig_alloc(h->r, 16 * RING_TRBS, 4096), 0, true};

    memset(rig_host(h->r, q.gpa), 0, 16 * RING_TRBS);
    return q;
}

/* The next event's type, 0: none; port events are counted and skipped. */
static unsigned next_event(Hc *h, uint64_t *parameter, uint32_t *control)
{
    for (;;) {
        uint64_t at = h->events.gpa + 16 * h->events.at;
        uint32_t c = (uint32_t)rig_read(h->r, at + 12, 4);
        if ((c & 1) != h->events.cycle) {
            return 0;
        }
        *parameter = rig_read(h->r, at, 8);
        uint32_t status = (uint32_t)rig_read(h->r, at + 8, 4);
        h->code = status >> 24;
        h->length = status & 0xffffff;
        *control = c;
        if (++h->events.at == RING_TRBS) {
            h->events.at = 0;
            h->events.cycle = !h->events.cycle;
        }
        set64(h, RUN + 0x38, (h->events.gpa + 16 * h->events.at) | 8);
        if ((c >> 10 & 0x3f) != 34) {
            return c >> 10 & 0x3f;
        }
        h->port_events++;
    }
}

static unsigned command(Hc *h, uint64_t parameter, uint32_t control)
{
    uint64_t p;
    uint32_t c;

    put(h, &h->command, parameter, 0, control);
    set(h, DOORBELL, 0);
    g_assert_cmpuint(next_event(h, &p, &c), ==, 33);
    return c >> 24;
}

static Hc *hc_new(HwRig *r, Device *d)
{
    Hc *h = g_new0(Hc, 1);
    unsigned fn = ((PciDevice *)d)->devfn;

    h->r = r;
    rig_reset(r);
    h->bar = rig_map_bar(r, 0, fn, 0);
    rig_enable_msix(r, 0, fn);
    g_assert_cmphex(reg(h, 0), ==, 0x01000040);
    set(h, OP, 2);
    g_assert_cmphex(reg(h, OP + 4) & 1, ==, 1);
    h->dcbaa = rig_alloc(r, 4096, 4096);
    h->in = rig_alloc(r, 4096, 4096);
    h->command = ring_new(h);
    h->events = ring_new(h);
    uint64_t erst = rig_alloc(r, 16, 64);
    rig_write(r, erst, 8, h->events.gpa);
    rig_write(r, erst + 8, 8, RING_TRBS);
    set64(h, OP + 0x30, h->dcbaa);
    set64(h, OP + 0x18, h->command.gpa | 1);
    set(h, OP + 0x38, 8);
    set(h, RUN + 0x28, 1);
    set64(h, RUN + 0x38, h->events.gpa);
    set64(h, RUN + 0x30, erst);
    set(h, RUN + 0x20, 2);
    set(h, OP, 5);
    return h;
}

/* Endpoint dci of the input context: type 4 control, 2 / 6 bulk, 7 interrupt in. */
static void in_endpoint(Hc *h, unsigned slot, unsigned dci, unsigned type)
{
    h->ep[slot][dci] = ring_new(h);
    rig_write(h->r, h->in + 32 * (dci + 1) + 4, 4, type << 3 | 64 << 16);
    rig_write(h->r, h->in + 32 * (dci + 1) + 8, 8, h->ep[slot][dci].gpa | 1);
}

static unsigned attach(Hc *h, unsigned port, uint32_t route)
{
    uint64_t context = rig_alloc(h->r, 2048, 4096);

    if (!route) {
        unsigned portsc = OP + 0x400 + 16 * (port - 1);
        g_assert_cmphex(reg(h, portsc) & 1, ==, 1);
        set(h, portsc, reg(h, portsc) | 1 << 4);
        g_assert_cmphex(reg(h, portsc) & (1 << 21 | 2), ==, 1 << 21 | 2);
        set(h, portsc, (reg(h, portsc) & ~2u));
    }
    unsigned slot = command(h, 0, ENABLE << 10);
    g_assert_cmpuint(slot, !=, 0);
    rig_write(h->r, h->dcbaa + 8 * slot, 8, context);
    memset(rig_host(h->r, h->in), 0, 4096);
    rig_write(h->r, h->in + 4, 4, 3);
    rig_write(h->r, h->in + 32, 4, 1 << 27 | route);
    rig_write(h->r, h->in + 36, 4, port << 16);
    in_endpoint(h, slot, 1, 4);
    g_assert_cmpuint(command(h, h->in, ADDRESS << 10 | slot << 24), ==, slot);
    g_assert_cmpuint(h->code, ==, 1);
    g_assert_cmphex(rig_read(h->r, context + 12, 4), ==, 2 << 27 | slot);
    return slot;
}

static void configure(Hc *h, unsigned slot, uint32_t add)
{
    rig_write(h->r, h->in, 4, 0);
    rig_write(h->r, h->in + 4, 4, add | 1);
    command(h, h->in, CONFIGURE << 10 | slot << 24);
    g_assert_cmpuint(h->code, ==, 1);
}

/* A control transfer; the completion code. Bytes not moved in h->length. */
static uint32_t control(Hc *h, unsigned slot, uint64_t setup, uint64_t buf)
{
    Ring *q = &h->ep[slot][1];
    unsigned bytes = (unsigned)(setup >> 48);
    bool in = setup & 0x80;
    uint64_t p;
    uint32_t c, left = 0;

    put(h, q, setup, 8, SETUP << 10 | 1 << 6 | (bytes ? in ? 3 << 16 : 2 << 16 : 0));
    if (bytes) {
        put(h, q, buf, bytes, DATA << 10 | (uint32_t)in << 16 | 1 << 2);
    }
    put(h, q, 0, 0, STATUS << 10 | (uint32_t)!in << 16 | 1 << 5);
    set(h, DOORBELL + 4 * slot, 1);
    while (next_event(h, &p, &c) == 32) {
        if (h->code == 13) {
            left = h->length;
            continue;
        }
        break;
    }
    h->length = left;
    return h->code;
}

static void normal(Hc *h, unsigned slot, unsigned dci, uint64_t buf, unsigned bytes)
{
    put(h, &h->ep[slot][dci], buf, bytes, NORMAL << 10 | 1 << 5 | 1 << 2);
    set(h, DOORBELL + 4 * slot, dci);
}

static uint64_t setup(unsigned type, unsigned request, unsigned value, unsigned index,
                      unsigned bytes)
{
    return type | request << 8 | (uint64_t)value << 16 | (uint64_t)index << 32 |
           (uint64_t)bytes << 48;
}

static void test_keyboard(void)
{
    HwRig *r = rig_new();
    Device *d = rig_add(r, "qemu-xhci", NULL);
    rig_add(r, "usb-kbd", NULL);
    Hc *h = hc_new(r, d);
    uint64_t buf = rig_alloc(r, 4096, 64), p;
    uint32_t c;
    unsigned slot = attach(h, 1, 0);

    g_assert_cmpuint(control(h, slot, setup(0x80, 6, 0x100, 0, 18), buf), ==, 1);
    g_assert_cmphex(rig_read(r, buf, 2), ==, 0x0112);
    g_assert_cmpuint(control(h, slot, setup(0x80, 6, 0x200, 0, 255), buf), ==, 1);
    g_assert_cmpuint(255 - h->length, ==, 34);
    g_assert_cmpuint(control(h, slot, setup(0x80, 6, 0x302, 0, 255), buf), ==, 1);
    g_assert_cmpuint(rig_read(r, buf + 2, 1), ==, 'U');
    g_assert_cmpuint(control(h, slot, setup(0x81, 6, 0x2200, 0, 255), buf), ==, 1);
    g_assert_cmphex(rig_read(r, buf, 4), ==, 0x06090105);
    g_assert_cmpuint(control(h, slot, setup(0, 9, 1, 0, 0), 0), ==, 1);
    in_endpoint(h, slot, 3, 7);
    configure(h, slot, 8);
    normal(h, slot, 3, buf, 8);
    normal(h, slot, 3, buf + 8, 8);
    g_assert_cmpuint(next_event(h, &p, &c), ==, 0);
    r->n_msis = 0;
    input_send_key(r->m, KEY_LEFTSHIFT, true);
    input_sync(r->m);
    g_assert_cmpuint(r->n_msis, ==, 1);
    g_assert_cmpuint(next_event(h, &p, &c), ==, 32);
    g_assert_cmphex(c >> 16, ==, slot << 8 | 3);
    g_assert_cmphex(rig_read(r, buf, 8), ==, 2);
    input_send_key(r->m, KEY_A, true);
    input_send_key(r->m, KEY_A, false);
    input_sync(r->m);
    g_assert_cmpuint(next_event(h, &p, &c), ==, 32);
    g_assert_cmphex(rig_read(r, buf + 8, 8), ==, 2 | 4 << 16);
    normal(h, slot, 3, buf, 8); /* the release waited */
    g_assert_cmpuint(next_event(h, &p, &c), ==, 32);
    g_assert_cmphex(rig_read(r, buf, 8), ==, 2);
    /* lights; a request nobody knows stalls and the endpoint stands */
    rig_write(r, buf, 1, 2);
    g_assert_cmpuint(control(h, slot, setup(0x21, 9, 0x200, 0, 1), buf), ==, 1);
    g_assert_cmphex(input_leds(r->m), ==, 2);
    g_assert_cmpuint(control(h, slot, setup(0xc0, 99, 0, 0, 4), buf), ==, 6);
    /* unplugged: the port tells */
    h->port_events = 0;
    device_unrealize(machine_device(r->m, "usb-kbd.0") ?: r->m->devices);
    next_event(h, &p, &c);
    g_assert_cmpuint(h->port_events, ==, 1);
    g_free(h);
    rig_free(r);
}

static void test_hub(void)
{
    HwRig *r = rig_new();
    Device *d = rig_add(r, "qemu-xhci", NULL);
    rig_add(r, "usb-hub", "port=2");
    rig_add(r, "usb-tablet", "port=2.3");
    Hc *h = hc_new(r, d);
    uint64_t buf = rig_alloc(r, 4096, 64), p;
    uint32_t c;
    unsigned hub = attach(h, 2, 0);

    g_assert_cmpuint(control(h, hub, setup(0, 9, 1, 0, 0), 0), ==, 1);
    g_assert_cmpuint(control(h, hub, setup(0xa3, 0, 0, 3, 4), buf), ==, 1);
    g_assert_cmphex(rig_read(r, buf, 4), ==, 0x00010101);
    g_assert_cmpuint(control(h, hub, setup(0x23, 3, 4, 3, 0), 0), ==, 1);
    unsigned slot = attach(h, 2, 3);
    g_assert_cmpuint(control(h, slot, setup(0, 9, 1, 0, 0), 0), ==, 1);
    in_endpoint(h, slot, 3, 7);
    configure(h, slot, 8);
    normal(h, slot, 3, buf, 8);
    input_send_abs(r->m, INPUT_X, 0x1234);
    input_send_abs(r->m, INPUT_Y, 0x4321);
    input_send_button(r->m, BTN_RIGHT, true);
    input_sync(r->m);
    g_assert_cmpuint(next_event(h, &p, &c), ==, 32);
    g_assert_cmphex(h->code, ==, 13); /* six of eight bytes */
    g_assert_cmphex(rig_read(r, buf, 4), ==, 0x21123402);
    g_free(h);
    rig_free(r);
}

/* One SCSI command by bulk-only transport; the status of the CSW. */
static unsigned scsi(Hc *h, unsigned slot, RamDisk *disk, const uint8_t *cb, uint64_t buf,
                     unsigned bytes, bool in)
{
    uint64_t cbw = rig_alloc(h->r, 64, 64), csw = cbw + 32, p;
    uint32_t c;

    rig_write(h->r, cbw, 4, 0x43425355);
    rig_write(h->r, cbw + 4, 4, 77);
    rig_write(h->r, cbw + 8, 4, bytes);
    rig_write(h->r, cbw + 12, 4, (in ? 0x80 : 0) | 16 << 16);
    memcpy(rig_host(h->r, cbw) + 15, cb, 16);
    normal(h, slot, 4, cbw, 31);
    g_assert_cmpuint(next_event(h, &p, &c), ==, 32);
    g_assert_cmpuint(h->code, ==, 1);
    if (bytes) {
        normal(h, slot, in ? 3 : 4, buf, bytes);
        ram_disk_run(disk);
        g_assert_cmpuint(next_event(h, &p, &c), ==, 32);
        g_assert_cmpuint(h->code, !=, 6);
    }
    normal(h, slot, 3, csw, 13);
    ram_disk_run(disk);
    g_assert_cmpuint(next_event(h, &p, &c), ==, 32);
    g_assert_cmphex(rig_read(h->r, csw, 8), ==, 0x53425355 | 77ull << 32);
    return (unsigned)rig_read(h->r, csw + 12, 1);
}

static void test_storage(void)
{
    HwRig *r = rig_new();
    RamDisk *disk = ram_disk_new(1 << 20);
    Error err = {0};

    g_assert_true(machine_block_add(r->m, "d0", &disk->dev, &err));
    Device *d = rig_add(r, "qemu-xhci", NULL);
    Device *u = rig_add(r, "usb-storage", "drive=d0");
    Hc *h = hc_new(r, d);
    uint64_t buf = rig_alloc(r, 8192, 64);
    unsigned slot = attach(h, 1, 0);

    g_assert_cmpuint(control(h, slot, setup(0, 9, 1, 0, 0), 0), ==, 1);
    g_assert_cmpuint(control(h, slot, setup(0xa1, 0xfe, 0, 0, 1), buf), ==, 1);
    in_endpoint(h, slot, 3, 6);
    in_endpoint(h, slot, 4, 2);
    configure(h, slot, 0x18);
    g_assert_cmpuint(scsi(h, slot, disk, (uint8_t[16]){0x12, 0, 0, 0, 36}, buf, 36, true), ==, 0);
    g_assert_cmpint(memcmp(rig_host(r, buf) + 8, "GEMEL", 5), ==, 0);
    g_assert_cmpuint(scsi(h, slot, disk, (uint8_t[16]){0x25}, buf, 8, true), ==, 0);
    g_assert_cmphex(load_be32(rig_host(r, buf)), ==, 2047);
    memset(rig_host(r, buf), 0x3c, 8192);
    g_assert_cmpuint(
        scsi(h, slot, disk, (uint8_t[16]){0x2a, 0, 0, 0, 0, 5, 0, 0, 8}, buf, 4096, false), ==, 0);
    g_assert_cmphex(disk->data[5 * 512 + 4095], ==, 0x3c);
    g_assert_cmphex(disk->data[5 * 512 + 4096], ==, 0);
    memset(rig_host(r, buf), 0, 8192);
    g_assert_cmpuint(
        scsi(h, slot, disk, (uint8_t[16]){0x28, 0, 0, 0, 0, 6, 0, 0, 2}, buf, 1024, true), ==, 0);
    g_assert_cmphex(rig_read(r, buf + 1016, 8), ==, 0x3c3c3c3c3c3c3c3c);
    g_assert_cmpuint(scsi(h, slot, disk, (uint8_t[16]){0x35}, 0, 0, false), ==, 0);
    g_assert_cmpuint(disk->count[BLOCK_OP_FLUSH], ==, 1);
    g_assert_cmpuint(scsi(h, slot, disk, (uint8_t[16]){0xff}, 0, 0, false), ==, 1);
    g_assert_cmpuint(scsi(h, slot, disk, (uint8_t[16]){3, 0, 0, 0, 18}, buf, 18, true), ==, 0);
    g_assert_cmphex(rig_read(r, buf + 2, 1), ==, 5);
    g_assert_cmphex(rig_read(r, buf + 12, 1), ==, 0x20);
    /* out in the middle of a read */
    uint64_t cbw = rig_alloc(r, 64, 64);
    rig_write(r, cbw, 4, 0x43425355);
    rig_write(r, cbw + 8, 4, 512);
    rig_write(r, cbw + 12, 4, 0x80 | 10 << 16 | 0x28 << 24);
    rig_write(r, cbw + 22, 1, 1);
    rig_write(r, cbw + 23, 1, 1);
    normal(h, slot, 4, cbw, 31);
    normal(h, slot, 3, buf, 512);
    device_unrealize(u);
    g_assert_cmpuint(ram_disk_run(disk), ==, 0);
    g_free(h);
    rig_free(r);
    ram_disk_free(disk);
}

/* Random bytes in rings, contexts and registers: no crash, no endless loop. */
static void test_random(void)
{
    HwRig *r = rig_new();
    RamDisk *disk = ram_disk_new(1 << 20);
    Error err = {0};

    g_assert_true(machine_block_add(r->m, "d0", &disk->dev, &err));
    Device *d = rig_add(r, "qemu-xhci", NULL);
    rig_add(r, "usb-storage", "drive=d0");
    rig_add(r, "usb-mouse", NULL);
    for (unsigned i = 0; i < 60; i++) {
        r->next = RIG_RAM + 0x1000;
        r->next_bar = RIG_MMIO;
        Hc *h = hc_new(r, d);
        unsigned slot = attach(h, 1 + i % 2, 0);
        control(h, slot, setup(0, 9, 1, 0, 0), 0);
        in_endpoint(h, slot, 3, 6);
        in_endpoint(h, slot, 4, 2);
        configure(h, slot, 0x18);
        for (unsigned k = 0; k < 200; k++) {
            Ring *q = k & 1 ? &h->command : &h->ep[slot][1 + k % 4];
            unsigned type = (unsigned)g_test_rand_int_range(0, 26);
            uint64_t at = q->gpa ? q->gpa + 16 * (uint64_t)q->at : h->in;
            if (q->gpa && type != 6) {
                put(h, q, RIG_RAM + (uint64_t)g_test_rand_int_range(0, 0x40000),
                    (uint32_t)g_test_rand_int(),
                    (uint32_t)g_test_rand_int() << 16 | type << 10 | (g_test_rand_int() & 0x230u));
            } else {
                rig_write(r, at, 8, q->gpa);
            }
            rig_write(r, h->bar + DOORBELL + 4 * (k % 3 ? slot : 0), 4, k & 1 ? 0 : 1 + k % 5);
            unsigned where = (unsigned)g_test_rand_int_range(0x44, 0x2100) & ~3u;
            if (where > 0x58 && (where < 0x1020 || where > 0x1060)) {
                set(h, where, (uint32_t)g_test_rand_int());
            }
            reg(h, where);
            ram_disk_run(disk);
        }
        g_free(h);
    }
    rig_free(r);
    ram_disk_free(disk);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xhci/keyboard", test_keyboard);
    g_test_add_func("/xhci/hub", test_hub);
    g_test_add_func("/xhci/storage", test_storage);
    g_test_add_func("/xhci/random", test_random);
    return g_test_run();
}
