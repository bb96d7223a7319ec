/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio: transports, ring formats, hostile rings; entropy, disk, console. */
#include <linux/virtio_balloon.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_console.h>
#include <linux/virtio_net.h>

#include "../block/ram_disk.h"
#include "core/chardev.h"
#include "core/input.h"
#include "core/state.h"
#include "hw/balloon.h"
#include "hw/net/offload.h"
#include "virtio_driver.h"

static const unsigned all_flags[] = {
    VDRV_MMIO,
    VDRV_PCI,
    VDRV_MMIO | VDRV_PACKED,
    VDRV_PCI | VDRV_PACKED | VDRV_EVENT_IDX,
    VDRV_PCI | VDRV_INDIRECT,
    VDRV_PCI | VDRV_INDIRECT | VDRV_EVENT_IDX,
    VDRV_MMIO | VDRV_PACKED | VDRV_INDIRECT,
    VDRV_MMIO | VDRV_EVENT_IDX,
};

static void test_empty_slot(void)
{
    HwRig *r = rig_new();

    rig_reset(r);
    g_assert_cmphex(rig_read(r, RIG_SLOT(0), 4), ==, 0x74726976);
    g_assert_cmphex(rig_read(r, RIG_SLOT(0) + 4, 4), ==, 2);
    g_assert_cmphex(rig_read(r, RIG_SLOT(0) + 8, 4), ==, 0);
    rig_write(r, RIG_SLOT(0) + VIRTIO_MMIO_STATUS, 4, 1);
    rig_free(r);
}

static void test_rng(void)
{
    for (unsigned f = 0; f < G_N_ELEMENTS(all_flags); f++) {
        HwRig *r = rig_new();
        VDrv *d = vdrv_new(r, "virtio-rng", NULL, all_flags[f]);
        uint64_t buf = rig_alloc(r, 8192, 64);
        uint32_t len = 0;

        vdrv_start(d, 0, 1);
        for (unsigned i = 0; i < 100; i++) { /* goes round the ring many times */
            VBuf b[3] = {{buf, 100, true}, {buf + 4000, 200, true}, {buf + 300, 1, true}};
            memset(rig_host(r, buf), 0, 8192);
            vdrv_add(d, 0, b, 1 + i % 3);
            vdrv_kick(d, 0);
            g_assert_true(vdrv_used(d, 0, &len));
            g_assert_cmpuint(len, ==, i % 3 == 0 ? 100 : i % 3 == 1 ? 300 : 301);
            g_assert_false(vdrv_used(d, 0, &len));
            g_assert_cmphex(load_le64(rig_host(r, buf)) | load_le64(rig_host(r, buf) + 8), !=, 0);
            if (!(all_flags[f] & VDRV_EVENT_IDX)) {
                g_assert_cmpuint(vdrv_interrupts(d, 0), ==, 1);
            }
        }
        g_assert_cmphex(vdrv_status(d) & VIRTIO_STATUS_NEEDS_RESET, ==, 0);
        g_free(d);
        rig_free(r);
    }
}

static void test_event_idx(void)
{
    HwRig *r = rig_new();
    VDrv *d = vdrv_new(r, "virtio-rng", NULL, VDRV_PCI | VDRV_EVENT_IDX);
    uint64_t buf = rig_alloc(r, 64, 64);
    VBuf b = {buf, 64, true};

    vdrv_start(d, 0, 1);
    VDrvQueue *q = &d->q[0];
    rig_write(r, q->driver + 4 + 2 * VDRV_SIZE, 2, 1); /* at the second */
    vdrv_add(d, 0, &b, 1);
    vdrv_kick(d, 0);
    g_assert_cmpuint(vdrv_interrupts(d, 0), ==, 0);
    /* it went idle: wants a kick for the next */
    g_assert_cmpuint(rig_read(r, q->device + 4 + 8 * VDRV_SIZE, 2), ==, 1);
    vdrv_add(d, 0, &b, 1);
    vdrv_add(d, 0, &b, 1);
    vdrv_kick(d, 0);
    g_assert_cmpuint(vdrv_interrupts(d, 0), ==, 1);
    g_free(d);
    rig_free(r);
}

static void test_features(void)
{
    HwRig *r = rig_new();
    VDrv *d = vdrv_new(r, "virtio-rng", NULL, VDRV_MMIO);

    g_assert_false(vdrv_features(d) & VIRTIO_BIT(VIRTIO_F_RING_PACKED));
    vdrv_set_status(d, 3);
    vdrv_set_features(d, 0); /* no VERSION_1 */
    vdrv_set_status(d, 11);
    g_assert_cmphex(vdrv_status(d), ==, 3);
    vdrv_set_features(d, VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(VIRTIO_F_RING_PACKED));
    vdrv_set_status(d, 11);
    g_assert_cmphex(vdrv_status(d), ==, 3);
    vdrv_set_features(d, VIRTIO_BIT(VIRTIO_F_VERSION_1));
    vdrv_set_status(d, 11);
    g_assert_cmphex(vdrv_status(d), ==, 11);
    vdrv_set_status(d, 0);
    g_assert_cmphex(vdrv_status(d), ==, 0);
    g_free(d);
    rig_free(r);
}

/* ---- hostile rings: an error, never more */

typedef void Attack(VDrv *d, uint64_t buf);

static void attack_loop(VDrv *d, uint64_t buf)
{
    VBuf b = {buf, 16, true};

    for (unsigned i = 0; i < VDRV_SIZE; i++) {
        uint16_t wrap = d->flags & VDRV_PACKED ? 1 << 7 : 0;
        vdrv_put_desc(d, d->q[0].desc + 16 * i, &b,
                      (uint16_t)(VRING_DESC_F_NEXT | VRING_DESC_F_WRITE | wrap),
                      (uint16_t)((i + 1) % VDRV_SIZE));
    }
    rig_write(d->r, d->q[0].driver + 2, 2, 1);
}

static void attack_outside(VDrv *d, uint64_t buf)
{
    (void)buf;
    vdrv_add(d, 0, &(VBuf){0x12345678000, 4096, true}, 1);
}

static void attack_mmio(VDrv *d, uint64_t buf)
{
    (void)buf;
    vdrv_add(d, 0, &(VBuf){RIG_SLOT(0), 64, true}, 1);
}

static void attack_huge(VDrv *d, uint64_t buf)
{
    vdrv_add(d, 0, &(VBuf){buf, UINT32_MAX, true}, 1);
}

static void attack_wrap(VDrv *d, uint64_t buf)
{
    (void)buf;
    vdrv_add(d, 0, &(VBuf){UINT64_MAX - 8, 64, true}, 1);
}

static void attack_order(VDrv *d, uint64_t buf)
{
    vdrv_add(d, 0, (VBuf[]){{buf, 16, true}, {buf, 16, false}}, 2);
}

static void attack_indirect_length(VDrv *d, uint64_t buf)
{
    unsigned flags = d->flags;

    d->flags &= ~(unsigned)VDRV_INDIRECT;
    VBuf b = {buf, 24, false};
    if (flags & VDRV_PACKED) {
        vdrv_add_packed(d, &d->q[0], &b, 1, VRING_DESC_F_INDIRECT);
    } else {
        vdrv_add_split(d, &d->q[0], &b, 1, VRING_DESC_F_INDIRECT);
    }
    d->flags = flags;
}

static void attack_many(VDrv *d, uint64_t buf)
{
    (void)buf;
    if (d->flags & VDRV_PACKED) {
        attack_outside(d, buf);
        return;
    }
    rig_write(d->r, d->q[0].driver + 2, 2, 0x8000);
}

static void attack_head(VDrv *d, uint64_t buf)
{
    if (d->flags & VDRV_PACKED) {
        attack_outside(d, buf);
        return;
    }
    rig_write(d->r, d->q[0].driver + 4, 2, VDRV_SIZE);
    rig_write(d->r, d->q[0].driver + 2, 2, 1);
}

static void test_hostile(void)
{
    static Attack *const attacks[] = {attack_loop, attack_outside, attack_mmio,
                                      attack_huge, attack_wrap,    attack_order,
                                      attack_many, attack_head,    attack_indirect_length};

    for (unsigned f = 0; f < G_N_ELEMENTS(all_flags); f++) {
        for (unsigned a = 0; a < G_N_ELEMENTS(attacks); a++) {
            HwRig *r = rig_new();
            VDrv *d = vdrv_new(r, "virtio-rng", NULL, all_flags[f]);
            uint64_t buf = rig_alloc(r, 4096, 64);
            uint32_t len = 0;

            vdrv_start(d, 0, 1);
            attacks[a](d, buf);
            vdrv_kick(d, 0);
            if (!(vdrv_status(d) & VIRTIO_STATUS_NEEDS_RESET)) {
                g_error("attack %u with flags %u went through", a, all_flags[f]);
            }
            vdrv_kick(d, 0);
            g_assert_false(vdrv_used(d, 0, &len));
            /* a reset heals it */
            vdrv_start(d, 0, 1);
            vdrv_add(d, 0, &(VBuf){buf, 64, true}, 1);
            vdrv_kick(d, 0);
            g_assert_true(vdrv_used(d, 0, &len));
            g_free(d);
            rig_free(r);
        }
    }
}

/* Random bytes as rings and registers: no crash, no endless loop. */
static void test_random(void)
{
    for (unsigned f = 0; f < G_N_ELEMENTS(all_flags); f++) {
        HwRig *r = rig_new();
        VDrv *d = vdrv_new(r, "virtio-rng", NULL, all_flags[f]);

        for (unsigned i = 0; i < 300; i++) {
            r->next = RIG_RAM + 0x1000;
            vdrv_start(d, 0, 1);
            uint8_t *ram = rig_host(r, d->q[0].desc);
            for (unsigned k = 0; k < 600; k++) {
                ram[k] = (uint8_t)g_test_rand_int();
                if (k % 16 >= 3 && k % 16 < 8) { /* addresses near RAM */
                    ram[k] = k % 16 == 3 ? 0x40 : 0;
                }
            }
            vdrv_kick(d, 0);
            uint64_t base = d->bar ? d->bar : d->slot;
            unsigned bytes = d->bar ? 1u << g_test_rand_int_range(0, 4) : 4;
            uint64_t at = (uint64_t)g_test_rand_int_range(0, d->bar ? 0x4000 : 0x200);
            rig_write(r, base + align_down(at, bytes), bytes, (uint32_t)g_test_rand_int());
            rig_read(r, base + align_down(at, bytes), bytes);
            vdrv_kick(d, 0);
        }
        g_free(d);
        rig_free(r);
    }
}

/* ---- disk */

enum { HEADER = 16, BLK_FEATURES = 0 };
#define BLK_ALL                                                                                    \
    (VIRTIO_BIT(VIRTIO_BLK_F_FLUSH) | VIRTIO_BIT(VIRTIO_BLK_F_DISCARD) |                           \
     VIRTIO_BIT(VIRTIO_BLK_F_WRITE_ZEROES))

typedef struct BlkRig {
    HwRig *r;
    RamDisk *disk;
    VDrv *d;
    uint64_t header, data, status;
} BlkRig;

static BlkRig blk_new(unsigned flags, const char *more)
{
    BlkRig b = {.r = rig_new(), .disk = ram_disk_new(1 << 20)};
    Error err = {0};
    g_autofree char *props = g_strdup_printf("drive=d0,serial=abc123%s", more);

    g_assert_true(machine_block_add(b.r->m, "d0", &b.disk->dev, &err));
    b.d = vdrv_new(b.r, "virtio-blk", props, flags);
    b.header = rig_alloc(b.r, HEADER, 16);
    b.status = rig_alloc(b.r, 1, 16);
    b.data = rig_alloc(b.r, 65536, 4096);
    return b;
}

static void blk_free(BlkRig *b)
{
    g_free(b->d);
    rig_free(b->r);
    ram_disk_free(b->disk);
}

/* One request with `bytes` of data in one buffer; its status. */
static unsigned blk_request(BlkRig *b, uint32_t type, uint64_t sector, uint32_t bytes)
{
    bool in = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID;
    VBuf v[3] = {{b->header, HEADER, false}, {b->data, bytes, in}, {b->status, 1, true}};
    uint32_t len = 0;

    rig_write(b->r, b->header, 4, type);
    rig_write(b->r, b->header + 8, 8, sector);
    rig_write(b->r, b->status, 1, 0xee);
    if (bytes) {
        vdrv_add(b->d, 0, v, 3);
    } else {
        v[1] = v[2];
        vdrv_add(b->d, 0, v, 2);
    }
    vdrv_kick(b->d, 0);
    ram_disk_run(b->disk);
    g_assert_true(vdrv_used(b->d, 0, &len));
    g_assert_cmpuint(len, ==, in ? bytes + 1 : 1);
    return (unsigned)rig_read(b->r, b->status, 1);
}

static void test_blk(void)
{
    for (unsigned f = 0; f < G_N_ELEMENTS(all_flags); f++) {
        BlkRig b = blk_new(all_flags[f], "");

        vdrv_start(b.d, BLK_ALL, 1);
        g_assert_cmpuint(vdrv_config(b.d, 0, 4), ==, 2048);
        memset(rig_host(b.r, b.data), 0xa5, 8192);
        g_assert_cmpuint(blk_request(&b, VIRTIO_BLK_T_OUT, 3, 4096), ==, VIRTIO_BLK_S_OK);
        g_assert_cmphex(b.disk->data[3 * 512], ==, 0xa5);
        g_assert_cmphex(b.disk->data[3 * 512 + 4096], ==, 0);
        memset(rig_host(b.r, b.data), 0, 8192);
        g_assert_cmpuint(blk_request(&b, VIRTIO_BLK_T_IN, 4, 4096), ==, VIRTIO_BLK_S_OK);
        g_assert_cmphex(rig_host(b.r, b.data)[3583], ==, 0xa5);
        g_assert_cmphex(rig_host(b.r, b.data)[3584], ==, 0);
        g_assert_cmpuint(blk_request(&b, VIRTIO_BLK_T_FLUSH, 0, 0), ==, VIRTIO_BLK_S_OK);
        g_assert_cmpuint(b.disk->count[BLOCK_OP_FLUSH], ==, 1);
        g_assert_cmpuint(blk_request(&b, VIRTIO_BLK_T_GET_ID, 0, 20), ==, VIRTIO_BLK_S_OK);
        g_assert_cmpstr((char *)rig_host(b.r, b.data), ==, "abc123");
        /* write zeroes of two segments, then one too many flags */
        rig_write(b.r, b.data, 8, 3);
        rig_write(b.r, b.data + 8, 8, 1);
        rig_write(b.r, b.data + 16, 8, 5);
        rig_write(b.r, b.data + 24, 8, 2 | 1ull << 32);
        g_assert_cmpuint(blk_request(&b, VIRTIO_BLK_T_WRITE_ZEROES, 0, 32), ==, VIRTIO_BLK_S_OK);
        g_assert_cmphex(b.disk->data[3 * 512], ==, 0);
        g_assert_cmphex(b.disk->data[4 * 512], ==, 0xa5);
        g_assert_cmphex(b.disk->data[6 * 512], ==, 0);
        rig_write(b.r, b.data + 8, 8, 1 | 2ull << 32);
        g_assert_cmpuint(blk_request(&b, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16), ==,
                         VIRTIO_BLK_S_UNSUPP);
        rig_write(b.r, b.data + 8, 8, 1);
        g_assert_cmpuint(blk_request(&b, VIRTIO_BLK_T_DISCARD, 0, 16), ==, VIRTIO_BLK_S_OK);
        blk_free(&b);
    }
}

static void test_blk_errors(void)
{
    BlkRig b = blk_new(VDRV_PCI, "");
    uint32_t len = 0;

    vdrv_start(b.d, BLK_ALL, 1);
    g_assert_cmpuint(blk_request(&b, VIRTIO_BLK_T_IN, 2048, 512), ==, VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(blk_request(&b, VIRTIO_BLK_T_IN, UINT64_MAX, 512), ==, VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(blk_request(&b, VIRTIO_BLK_T_IN, 0, 511), ==, VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(blk_request(&b, 77, 0, 512), ==, VIRTIO_BLK_S_UNSUPP);
    g_assert_cmpuint(blk_request(&b, VIRTIO_BLK_T_DISCARD, 0, 17), ==, VIRTIO_BLK_S_UNSUPP);
    b.disk->fail = EIO;
    g_assert_cmpuint(blk_request(&b, VIRTIO_BLK_T_OUT, 0, 512), ==, VIRTIO_BLK_S_IOERR);
    b.disk->fail = 0;
    b.disk->dev.limits.read_only = true;
    g_assert_cmpuint(blk_request(&b, VIRTIO_BLK_T_OUT, 0, 512), ==, VIRTIO_BLK_S_IOERR);
    b.disk->dev.limits.read_only = false;
    /* header and data in one piece, data and status in one piece */
    rig_write(b.r, b.header, 4, VIRTIO_BLK_T_OUT);
    memset(rig_host(b.r, b.data), 0, 1024);
    rig_write(b.r, b.data + 8, 8, 7);
    rig_write(b.r, b.data, 4, VIRTIO_BLK_T_OUT);
    rig_write(b.r, b.data + 16, 4, 0x11223344);
    vdrv_add(b.d, 0, (VBuf[]){{b.data, 16 + 512, false}, {b.status, 1, true}}, 2);
    vdrv_kick(b.d, 0);
    ram_disk_run(b.disk);
    g_assert_true(vdrv_used(b.d, 0, &len));
    g_assert_cmphex(load_le32(b.disk->data + 7 * 512), ==, 0x11223344);
    rig_write(b.r, b.data, 4, VIRTIO_BLK_T_IN);
    vdrv_add(b.d, 0, (VBuf[]){{b.data, 16, false}, {b.data + 1024, 513, true}}, 2);
    vdrv_kick(b.d, 0);
    ram_disk_run(b.disk);
    g_assert_true(vdrv_used(b.d, 0, &len));
    g_assert_cmphex(rig_read(b.r, b.data + 1024, 4), ==, 0x11223344);
    g_assert_cmphex(rig_read(b.r, b.data + 1024 + 512, 1), ==, 0);
    /* no status byte: broken */
    vdrv_add(b.d, 0, (VBuf[]){{b.data, 16, false}}, 1);
    vdrv_kick(b.d, 0);
    g_assert_true(vdrv_status(b.d) & VIRTIO_STATUS_NEEDS_RESET);
    blk_free(&b);
}

/* Reset and unplugging with requests in flight; a queue full of them. */
static void test_blk_flight(void)
{
    BlkRig b = blk_new(VDRV_PCI | VDRV_INDIRECT, ",num-queues=2");
    uint32_t len = 0;

    g_assert_cmpuint(vdrv_config(b.d, offsetof(struct virtio_blk_config, num_queues), 2), ==, 2);
    vdrv_start(b.d, BLK_ALL | VIRTIO_BIT(VIRTIO_BLK_F_MQ), 2);
    rig_write(b.r, b.header, 4, VIRTIO_BLK_T_IN);
    rig_write(b.r, b.header + 8, 8, 0);
    VBuf v[3] = {{b.header, HEADER, false}, {b.data, 512, true}, {b.status, 1, true}};
    for (unsigned i = 0; i < VDRV_SIZE; i++) {
        vdrv_add(b.d, i & 1, v, 3);
    }
    vdrv_kick(b.d, 0);
    vdrv_kick(b.d, 1);
    g_assert_false(vdrv_used(b.d, 0, &len));
    g_assert_cmpuint(ram_disk_run(b.disk), ==, VDRV_SIZE);
    for (unsigned i = 0; i < VDRV_SIZE / 2; i++) {
        g_assert_true(vdrv_used(b.d, 0, &len) && vdrv_used(b.d, 1, &len));
    }
    vdrv_add(b.d, 0, v, 3);
    vdrv_kick(b.d, 0);
    vdrv_set_status(b.d, 0);
    g_assert_cmpuint(ram_disk_run(b.disk), ==, 0);
    vdrv_start(b.d, BLK_ALL, 1);
    vdrv_add(b.d, 0, v, 3);
    vdrv_kick(b.d, 0);
    device_unrealize(b.d->dev);
    g_assert_cmpuint(ram_disk_run(b.disk), ==, 0);
    blk_free(&b);
}

/* ---- console */

typedef struct Sink {
    Chardev c;
    GString *text;
    size_t room;
} Sink;

static size_t sink_write(Chardev *c, const uint8_t *buf, size_t bytes)
{
    Sink *s = (Sink *)c;
    size_t n = MIN(bytes, s->room);

    g_string_append_len(s->text, (const char *)buf, (gssize)n);
    s->room -= n;
    return n;
}

static void sink_set_front(Chardev *c, const ChardevFront *f)
{
    (void)c, (void)f;
}

static void sink_accept(Chardev *c)
{
    (void)c;
}

static const ChardevOps sink_ops = {
    .write = sink_write, .set_front = sink_set_front, .accept_input = sink_accept};

static void control(VDrv *d, uint64_t buf, uint32_t port, uint16_t event, uint16_t value)
{
    uint32_t len = 0;

    rig_write(d->r, buf, 4, port);
    rig_write(d->r, buf + 4, 2, event);
    rig_write(d->r, buf + 6, 2, value);
    vdrv_add(d, 3, &(VBuf){buf, 8, false}, 1);
    vdrv_kick(d, 3);
    g_assert_true(vdrv_used(d, 3, &len));
}

static void expect_control(VDrv *d, uint64_t buf, uint32_t port, uint16_t event, uint16_t value)
{
    uint32_t len = 0;

    vdrv_add(d, 2, &(VBuf){buf, 64, true}, 1);
    vdrv_kick(d, 2);
    g_assert_true(vdrv_used(d, 2, &len));
    g_assert_cmpuint(len, >=, 8);
    g_assert_cmpuint(rig_read(d->r, buf, 4), ==, port);
    g_assert_cmpuint(rig_read(d->r, buf + 4, 2), ==, event);
    g_assert_cmpuint(rig_read(d->r, buf + 6, 2), ==, value);
}

static void test_console(void)
{
    HwRig *r = rig_new();
    Sink s = {
        .c = {.ops = &sink_ops, .id = "c0", .open = true}, .text = g_string_new(""), .room = 5};
    VDrv *d = vdrv_new(r, "virtio-serial", NULL, VDRV_PCI);
    uint32_t len = 0;

    s.c.machine = r->m;
    g_assert_true(chardev_add(r->m, &s.c));
    rig_add(r, "virtconsole", "chardev=c0");
    rig_add(r, "virtserialport", "name=org.x");
    vdrv_start(d, VIRTIO_BIT(VIRTIO_CONSOLE_F_MULTIPORT), 6);
    g_assert_cmpuint(vdrv_config(d, 4, 4), ==, 31);
    uint64_t buf = rig_alloc(r, 256, 64), in = rig_alloc(r, 256, 64);
    control(d, buf, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
    expect_control(d, in, 0, VIRTIO_CONSOLE_PORT_ADD, 1);
    expect_control(d, in, 1, VIRTIO_CONSOLE_PORT_ADD, 1);
    control(d, buf, 0, VIRTIO_CONSOLE_PORT_READY, 1);
    expect_control(d, in, 0, VIRTIO_CONSOLE_CONSOLE_PORT, 1);
    expect_control(d, in, 0, VIRTIO_CONSOLE_PORT_OPEN, 1);
    control(d, buf, 1, VIRTIO_CONSOLE_PORT_READY, 1);
    expect_control(d, in, 1, VIRTIO_CONSOLE_PORT_NAME, 1);
    g_assert_cmpint(memcmp(rig_host(r, in) + 8, "org.x", 5), ==, 0);
    control(d, buf, 99, VIRTIO_CONSOLE_PORT_READY, 1);
    /* output: the chardev takes five bytes, the rest when it is writable */
    memcpy(rig_host(r, buf), "hello world", 11);
    vdrv_add(d, 1, (VBuf[]){{buf, 3, false}, {buf + 3, 8, false}}, 2);
    vdrv_kick(d, 1);
    g_assert_cmpstr(s.text->str, ==, "hello");
    g_assert_false(vdrv_used(d, 1, &len));
    s.room = 100;
    s.c.front.writable(s.c.front.opaque);
    g_assert_cmpstr(s.text->str, ==, "hello world");
    g_assert_true(vdrv_used(d, 1, &len));
    /* input: only once the guest opened the port and posted a buffer */
    g_assert_cmpuint(chardev_room(&s.c), ==, 0);
    control(d, buf, 0, VIRTIO_CONSOLE_PORT_OPEN, 1);
    vdrv_add(d, 0, &(VBuf){in, 16, true}, 1);
    vdrv_kick(d, 0);
    g_assert_cmpuint(chardev_room(&s.c), ==, 16);
    g_assert_cmpuint(chardev_deliver(&s.c, (const uint8_t *)"abc", 3), ==, 3);
    g_assert_true(vdrv_used(d, 0, &len));
    g_assert_cmpuint(len, ==, 3);
    g_assert_cmpint(memcmp(rig_host(r, in), "abc", 3), ==, 0);
    vdrv_set_status(d, 0);
    g_assert_cmpuint(chardev_room(&s.c), ==, 0);
    g_free(d);
    chardev_remove(r->m, &s.c);
    rig_free(r);
    g_string_free(s.text, TRUE);
}

/* ---- network */

typedef struct Wire {
    NetPort port;
    GPtrArray *frames; /* of GBytes */
} Wire;

static bool wire_receive(NetPort *p, const struct iovec *iov, int n)
{
    Wire *w = p->opaque;
    uint8_t buf[NET_MAX_BYTES];
    size_t bytes = iov_to_buf(iov, (unsigned)n, 0, buf, sizeof buf);

    g_ptr_array_add(w->frames, g_bytes_new(buf, bytes));
    return true;
}

static const NetPortOps wire_ops = {.receive = wire_receive};

static void run_loop(HwRig *r)
{
    machine_unlock(r->m);
    while (g_main_context_iteration(r->m->loop, FALSE)) {
    }
    machine_lock(r->m);
}

static const uint8_t *frame_at(const Wire *w, unsigned i, size_t *bytes)
{
    g_assert_cmpuint(i, <, w->frames->len);
    return g_bytes_get_data(g_ptr_array_index(w->frames, i), bytes);
}

/* An IPv4 TCP frame with `payload` bytes; returns its length. */
static size_t make_tcp(uint8_t *f, size_t payload)
{
    memset(f, 0, 54);
    memset(f, 0x52, 12);
    f[0] = 0x54; /* unicast */
    store_be16(f + 12, 0x0800);
    f[14] = 0x45;
    store_be16(f + 16, (uint16_t)(40 + payload));
    f[22] = 64;
    f[23] = 6;
    store_be32(f + 26, 0x0a000001);
    store_be32(f + 30, 0x0a000002);
    store_be16(f + 24, net_sum_finish(net_sum(f + 14, 20, 0)));
    store_be32(f + 38, 1000);
    f[46] = 0x50;
    f[47] = 0x19; /* FIN PSH ACK */
    for (size_t i = 0; i < payload; i++) {
        f[54 + i] = (uint8_t)(i * 7);
    }
    return 54 + payload;
}

static void net_nonsense(HwRig *r, VDrv *d, uint64_t tx)
{
    uint8_t *h = rig_host(r, tx);
    uint32_t len = 0;

    /* nonsense headers */
    for (unsigned i = 0; i < 200; i++) {
        for (unsigned k = 0; k < 70; k++) {
            h[k] = (uint8_t)g_test_rand_int();
        }
        h[24] = 0x08, h[25] = 0, h[26] = 0x45, h[35] = 6;
        h[1] = i & 1;
        vdrv_add(d, 1, (VBuf[]){{tx, 40 + 16 * i, false}}, 1);
        vdrv_kick(d, 1);
        run_loop(r);
        g_assert_true(vdrv_used(d, 1, &len));
    }
}

static void test_net(void)
{
    for (unsigned f = 0; f < G_N_ELEMENTS(all_flags); f++) {
        HwRig *r = rig_new();
        Wire w = {.frames = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref)};
        uint32_t len = 0;
        size_t bytes;
        NetFrameInfo info;

        net_port_init(&w.port, r->m, "n0", &wire_ops, &w);
        VDrv *d = vdrv_new(r, "virtio-net", "netdev=n0,mac=52:54:00:01:02:03", all_flags[f]);
        vdrv_start(d,
                   VIRTIO_BIT(VIRTIO_NET_F_CSUM) | VIRTIO_BIT(VIRTIO_NET_F_HOST_TSO4) |
                       VIRTIO_BIT(VIRTIO_NET_F_GUEST_CSUM) | VIRTIO_BIT(VIRTIO_NET_F_MRG_RXBUF) |
                       VIRTIO_BIT(VIRTIO_NET_F_CTRL_VQ) | VIRTIO_BIT(VIRTIO_NET_F_CTRL_RX),
                   3);
        g_assert_cmphex(vdrv_config(d, 0, 4), ==, 0x01005452);
        uint64_t tx = rig_alloc(r, 8192, 64), rx = rig_alloc(r, 16384, 64);
        /* a plain frame */
        uint8_t *h = rig_host(r, tx);
        bytes = make_tcp(h + 12, 3000);
        vdrv_add(d, 1, (VBuf[]){{tx, 12, false}, {tx + 12, 100, false}}, 2);
        vdrv_kick(d, 1);
        run_loop(r);
        g_assert_true(vdrv_used(d, 1, &len));
        g_assert_cmpuint(w.frames->len, ==, 1);
        frame_at(&w, 0, &bytes);
        g_assert_cmpuint(bytes, ==, 100);
        /* three segments of 1000 bytes */
        h[0] = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        h[1] = VIRTIO_NET_HDR_GSO_TCPV4;
        store_le16(h + 4, 1000);
        store_le16(h + 6, 34);
        store_le16(h + 8, 16);
        vdrv_add(d, 1, (VBuf[]){{tx, 12 + 54 + 3000, false}}, 1);
        vdrv_kick(d, 1);
        run_loop(r);
        g_assert_cmpuint(w.frames->len, ==, 4);
        for (unsigned i = 1; i < 4; i++) {
            const uint8_t *p = frame_at(&w, i, &bytes);
            g_assert_cmpuint(bytes, ==, 1054);
            g_assert_cmpuint(load_be32(p + 38), ==, 1000 + 1000 * (i - 1));
            g_assert_cmphex(p[47], ==, i == 3 ? 0x19 : 0x10);
            net_frame_look(p, bytes, true, &info);
            g_assert_true(info.tcp && info.ip_ok && info.l4_ok);
        }
        g_assert_true(vdrv_used(d, 1, &len));
        /* back in, over three merged buffers; marked as right */
        for (unsigned i = 0; i < 3; i++) {
            vdrv_add(d, 0, (VBuf[]){{rx + 512 * i, 512, true}}, 1);
        }
        vdrv_kick(d, 0);
        const uint8_t *p = frame_at(&w, 2, &bytes);
        net_send_buf(&w.port, p, bytes);
        run_loop(r);
        g_assert_true(vdrv_used(d, 0, &len));
        g_assert_cmpuint(len, ==, 512);
        g_assert_true(vdrv_used(d, 0, &len));
        g_assert_true(vdrv_used(d, 0, &len));
        g_assert_cmpuint(len, ==, 12 + 1054 - 1024);
        g_assert_cmphex(rig_read(r, rx, 1), ==, VIRTIO_NET_HDR_F_DATA_VALID);
        g_assert_cmpuint(rig_read(r, rx + 10, 2), ==, 3);
        g_assert_cmpint(memcmp(rig_host(r, rx) + 12, p, bytes), ==, 0);
        /* no buffer: it waits; a wrong checksum is not marked */
        uint8_t bad[1054];
        memcpy(bad, p, sizeof bad);
        bad[1000] ^= 1;
        net_send_buf(&w.port, bad, sizeof bad);
        vdrv_add(d, 0, (VBuf[]){{rx, 4096, true}}, 1);
        vdrv_kick(d, 0);
        run_loop(r);
        g_assert_true(vdrv_used(d, 0, &len));
        g_assert_cmpuint(len, ==, 1066);
        g_assert_cmphex(rig_read(r, rx, 1), ==, 0);
        /* promiscuous off: only what is for us */
        memcpy(h, "\0\0\0", 3);
        vdrv_add(d, 2, (VBuf[]){{tx, 2, false}, {tx + 2, 1, false}, {rx, 1, true}}, 3);
        vdrv_kick(d, 2);
        run_loop(r);
        g_assert_true(vdrv_used(d, 2, &len));
        g_assert_cmpuint(rig_read(r, rx, 1), ==, VIRTIO_NET_OK);
        vdrv_add(d, 0, (VBuf[]){{rx, 4096, true}}, 1);
        net_send_buf(&w.port, bad, sizeof bad);
        g_assert_false(vdrv_used(d, 0, &len));
        memcpy(bad, "\x52\x54\x00\x01\x02\x03", 6);
        net_send_buf(&w.port, bad, sizeof bad);
        g_assert_true(vdrv_used(d, 0, &len));
        net_nonsense(r, d, tx);
        net_port_destroy(&w.port);
        g_ptr_array_free(w.frames, TRUE);
        g_free(d);
        rig_free(r);
    }
}

/* ---- input, balloon */

static void test_input(void)
{
    HwRig *r = rig_new();
    VDrv *d = vdrv_new(r, "virtio-tablet", NULL, VDRV_PCI);
    uint64_t buf = rig_alloc(r, 256, 64), base = d->bar + 0x2000;
    uint32_t len = 0;

    vdrv_start(d, 0, 2);
    rig_write(r, base, 1, 1);
    g_assert_cmpuint(vdrv_config(d, 2, 1), ==, strlen("Gemel Virtio Tablet"));
    rig_write(r, base, 1, 0x11);
    rig_write(r, base + 1, 1, 3); /* EV_ABS */
    g_assert_cmpuint(vdrv_config(d, 2, 1), ==, 1);
    g_assert_cmphex(vdrv_config(d, 8, 1), ==, 3);
    rig_write(r, base, 2, 0x0012);
    g_assert_cmphex(vdrv_config(d, 12, 4), ==, INPUT_ABS_MAX);
    for (unsigned i = 0; i < 3; i++) {
        vdrv_add(d, 0, (VBuf[]){{buf + 8 * i, 8, true}}, 1);
    }
    vdrv_kick(d, 0);
    input_send_abs(r->m, INPUT_X, 100);
    input_send_abs(r->m, INPUT_Y, 200);
    g_assert_false(vdrv_used(d, 0, &len));
    input_sync(r->m);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_true(vdrv_used(d, 0, &len));
    }
    g_assert_cmphex(rig_read(r, buf, 8), ==, 3 | 100ull << 32);
    g_assert_cmphex(rig_read(r, buf + 8, 8), ==, 3 | 1 << 16 | 200ull << 32);
    g_assert_cmphex(rig_read(r, buf + 16, 8), ==, 0);
    /* nobody reads: bounded, and in order when somebody does */
    for (unsigned i = 0; i < 1000; i++) {
        input_send_button(r->m, 0x110, i & 1);
        input_sync(r->m);
    }
    vdrv_add(d, 0, (VBuf[]){{buf, 8, true}}, 1);
    vdrv_kick(d, 0);
    g_assert_true(vdrv_used(d, 0, &len));
    g_assert_cmphex(rig_read(r, buf, 4), ==, 1 | 0x110 << 16);
    g_free(d);
    rig_free(r);
}

static void test_balloon(void)
{
    HwRig *r = rig_new();
    VDrv *d = vdrv_new(r, "virtio-balloon", "free-page-reporting=on", VDRV_PCI);
    uint64_t buf = rig_alloc(r, 4096, 4096), page = rig_alloc(r, 8192, 4096);
    uint32_t len = 0;
    BalloonInfo info;
    Error err = {0};

    vdrv_start(d, VIRTIO_BIT(VIRTIO_BALLOON_F_STATS_VQ) | VIRTIO_BIT(VIRTIO_BALLOON_F_REPORTING),
               4);
    g_assert_true(balloon_set_target(r->m, RIG_RAM_BYTES - 8192, &err));
    g_assert_cmpuint(vdrv_config(d, 0, 4), ==, 2);
    g_assert_false(balloon_set_target(r->m, RIG_RAM_BYTES + 1, &err));
    memset(rig_host(r, page), 0x77, 8192);
    rig_write(r, buf, 4, page >> 12);
    rig_write(r, buf + 4, 4, 0xffffffff); /* nowhere */
    vdrv_add(d, 0, (VBuf[]){{buf, 8, false}}, 1);
    vdrv_kick(d, 0);
    g_assert_true(vdrv_used(d, 0, &len));
    g_assert_cmphex(rig_read(r, page, 8), ==, 0);
    g_assert_cmphex(rig_read(r, page + 4096, 1), ==, 0x77);
    rig_write(r, d->bar + 0x2000 + 4, 4, 1);
    vdrv_add(d, 3, (VBuf[]){{page + 4096, 4096, true}}, 1);
    vdrv_kick(d, 3);
    g_assert_cmphex(rig_read(r, page + 4096, 1), ==, 0);
    rig_write(r, buf, 2, VIRTIO_BALLOON_S_MEMFREE);
    rig_write(r, buf + 2, 8, 123456);
    vdrv_add(d, 2, (VBuf[]){{buf, 10, false}}, 1);
    vdrv_kick(d, 2);
    g_assert_false(vdrv_used(d, 2, &len));
    g_assert_true(balloon_info(r->m, &info, &err));
    g_assert_cmpuint(info.free_bytes, ==, 123456);
    g_assert_cmpuint(info.actual_bytes, ==, RIG_RAM_BYTES - 4096);
    g_assert_true(vdrv_used(d, 2, &len));
    g_free(d);
    rig_free(r);
}

/* ---- saving: half-way through a ring, into a machine of the same shape */

static bool buf_write(void *opaque, const void *buf, size_t bytes)
{
    g_byte_array_append(opaque, buf, (guint)bytes);
    return true;
}

typedef struct Reader {
    GByteArray *a;
    size_t at;
} Reader;

static bool buf_read(void *opaque, void *buf, size_t bytes)
{
    Reader *r = opaque;

    if (bytes > r->a->len - r->at) {
        return false;
    }
    memcpy(buf, r->a->data + r->at, bytes);
    r->at += bytes;
    return true;
}

static void test_state(void)
{
    HwRig *r = rig_new();
    VDrv *d = vdrv_new(r, "virtio-rng", NULL, VDRV_PCI | VDRV_PACKED);
    uint64_t buf = rig_alloc(r, 64, 64);
    GByteArray *a = g_byte_array_new();
    Reader reader = {a, 0};
    StateStream s = {.write = buf_write, .opaque = a};
    Error err = {0};
    uint32_t len = 0;

    vdrv_start(d, 0, 1);
    for (unsigned i = 0; i < 5; i++) {
        vdrv_add(d, 0, &(VBuf){buf, 64, true}, 1);
        vdrv_kick(d, 0);
        g_assert_true(vdrv_used(d, 0, &len));
    }
    g_assert_true(state_save_device(d->dev, &s));
    vdrv_set_status(d, 0);
    s = (StateStream){.read = buf_read, .opaque = &reader};
    g_assert_true(state_load_device(d->dev, &s, &err));
    vdrv_add(d, 0, &(VBuf){buf, 64, true}, 1);
    vdrv_kick(d, 0);
    g_assert_true(vdrv_used(d, 0, &len));
    /* flipped bits: refused or harmless */
    for (unsigned i = 0; i < 400; i++) {
        unsigned at = (unsigned)g_test_rand_int_range(0, (int)a->len);
        uint8_t old = a->data[at];
        a->data[at] ^= (uint8_t)(1u << g_test_rand_int_range(0, 8));
        reader.at = 0;
        s = (StateStream){.read = buf_read, .opaque = &reader};
        if (state_load_device(d->dev, &s, &err)) {
            virtio_kick((VirtioDevice *)d->dev, 0);
        }
        a->data[at] = old;
        device_reset(d->dev, RESET_ENTER);
        device_reset(d->dev, RESET_EXIT);
    }
    g_byte_array_free(a, TRUE);
    g_free(d);
    rig_free(r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio/empty-slot", test_empty_slot);
    g_test_add_func("/virtio/rng", test_rng);
    g_test_add_func("/virtio/event-idx", test_event_idx);
    g_test_add_func("/virtio/features", test_features);
    g_test_add_func("/virtio/hostile", test_hostile);
    g_test_add_func("/virtio/random", test_random);
    g_test_add_func("/virtio/blk", test_blk);
    g_test_add_func("/virtio/blk-errors", test_blk_errors);
    g_test_add_func("/virtio/blk-flight", test_blk_flight);
    g_test_add_func("/virtio/console", test_console);
    g_test_add_func("/virtio/net", test_net);
    g_test_add_func("/virtio/input", test_input);
    g_test_add_func("/virtio/balloon", test_balloon);
    g_test_add_func("/virtio/state", test_state);
    return g_test_run();
}
