/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NVMe by a tiny driver: queues, PRP and SGL data, errors, requests in flight, hostile commands. */
#include "../block/ram_disk.h"
#include "hw_rig.h"

enum { DEPTH = 8, DISK_BYTES = 4 << 20 };

typedef struct Queue {
    uint64_t sq, cq;
    unsigned tail, head;
    bool phase;
} Queue;

typedef struct Drv {
    HwRig *r;
    RamDisk *disk;
    Device *dev;
    uint64_t bar, buf;
    Queue q[2];
    uint32_t result;
} Drv;

static void queue_init(Drv *d, unsigned n)
{
    d->q[n] = (Queue){rig_alloc(d->r, 4096, 4096), rig_alloc(d->r, 4096, 4096), 0, 0, true};
    memset(rig_host(d->r, d->q[n].sq), 0, 8192);
}

static void submit(Drv *d, unsigned n, const uint32_t *cmd)
{
    Queue *q = &d->q[n];

    memcpy(rig_host(d->r, q->sq + 64 * q->tail), cmd, 64);
    q->tail = (q->tail + 1) % DEPTH;
    rig_write(d->r, d->bar + 0x1000 + 8 * n, 4, q->tail);
}

/* The next completion's status, or -1: none. */
static int reap(Drv *d, unsigned n)
{
    Queue *q = &d->q[n];
    uint64_t at = q->cq + 16 * q->head;
    uint32_t dw3 = (uint32_t)rig_read(d->r, at + 12, 4);

    if ((dw3 >> 16 & 1) != q->phase) {
        return -1;
    }
    d->result = (uint32_t)rig_read(d->r, at, 4);
    if (++q->head == DEPTH) {
        q->head = 0;
        q->phase = !q->phase;
    }
    rig_write(d->r, d->bar + 0x1004 + 8 * n, 4, q->head);
    return (int)(dw3 >> 17 & 0x7ff);
}

static int run(Drv *d, unsigned n, const uint32_t *cmd)
{
    submit(d, n, cmd);
    ram_disk_run(d->disk);
    return reap(d, n);
}

static void enable(Drv *d)
{
    rig_write(d->r, d->bar + 0x14, 4, 0);
    g_assert_cmphex(rig_read(d->r, d->bar + 0x1c, 4), ==, 0);
    queue_init(d, 0);
    rig_write(d->r, d->bar + 0x24, 4, (DEPTH - 1) * 0x10001);
    rig_write(d->r, d->bar + 0x28, 8, d->q[0].sq);
    rig_write(d->r, d->bar + 0x30, 8, d->q[0].cq);
    rig_write(d->r, d->bar + 0x14, 4, 1 | 6 << 16 | 4 << 20);
    g_assert_cmphex(rig_read(d->r, d->bar + 0x1c, 4), ==, 1);
    queue_init(d, 1);
    g_assert_cmphex(run(d, 0,
                        (uint32_t[16]){5, 0, 0, 0, 0, 0, (uint32_t)d->q[1].cq, 0, 0, 0,
                                       1 | (DEPTH - 1) << 16, 3 | 1 << 16}),
                    ==, 0);
    g_assert_cmphex(run(d, 0,
                        (uint32_t[16]){1, 0, 0, 0, 0, 0, (uint32_t)d->q[1].sq, 0, 0, 0,
                                       1 | (DEPTH - 1) << 16, 1 | 1 << 16}),
                    ==, 0);
}

static Drv *drv_new(void)
{
    Drv *d = g_new0(Drv, 1);
    Error err = {0};

    d->r = rig_new();
    d->disk = ram_disk_new(DISK_BYTES);
    g_assert_true(machine_block_add(d->r->m, "d0", &d->disk->dev, &err));
    d->dev = rig_add(d->r, "nvme", "drive=d0,serial=xyz");
    unsigned fn = ((PciDevice *)d->dev)->devfn;
    rig_reset(d->r);
    d->bar = rig_map_bar(d->r, 0, fn, 0);
    rig_enable_msix(d->r, 0, fn);
    d->buf = rig_alloc(d->r, 1 << 20, 4096);
    enable(d);
    return d;
}

static void drv_free(Drv *d)
{
    rig_free(d->r);
    ram_disk_free(d->disk);
    g_free(d);
}

/* Read (2) or write (1) of n blocks at lba with these PRPs. */
static int io(Drv *d, unsigned op, uint64_t lba, unsigned n, uint64_t prp1, uint64_t prp2)
{
    return run(d, 1,
               (uint32_t[16]){op, 1, 0, 0, 0, 0, (uint32_t)prp1, (uint32_t)(prp1 >> 32),
                              (uint32_t)prp2, (uint32_t)(prp2 >> 32), (uint32_t)lba,
                              (uint32_t)(lba >> 32), n - 1});
}

static void test_admin(void)
{
    Drv *d = drv_new();
    uint32_t b = (uint32_t)d->buf;
    uint8_t *p = rig_host(d->r, d->buf);

    g_assert_cmphex(run(d, 0, (uint32_t[16]){6, 0, 0, 0, 0, 0, b, 0, 0, 0, 1}), ==, 0);
    g_assert_cmpint(memcmp(p + 4, "xyz  ", 5), ==, 0);
    g_assert_cmphex(run(d, 0, (uint32_t[16]){6, 1, 0, 0, 0, 0, b, 0, 0, 0, 0}), ==, 0);
    g_assert_cmpuint(load_le64(p), ==, DISK_BYTES / 512);
    g_assert_cmphex(run(d, 0, (uint32_t[16]){6, 7, 0, 0, 0, 0, b, 0, 0, 0, 0}), ==, 0x0b);
    g_assert_cmphex(run(d, 0, (uint32_t[16]){6, 0, 0, 0, 0, 0, b, 0, 0, 0, 2}), ==, 0);
    g_assert_cmpuint(load_le32(p), ==, 1);
    g_assert_cmphex(run(d, 0, (uint32_t[16]){6, 1, 0, 0, 0, 0, b, 0, 0, 0, 3}), ==, 0);
    g_assert_cmpuint(p[0], ==, 3);
    g_assert_cmphex(run(d, 0, (uint32_t[16]){9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0xffff}), ==, 0);
    g_assert_cmphex(d->result, ==, 0x3f003f);
    g_assert_cmphex(run(d, 0, (uint32_t[16]){2, 0, 0, 0, 0, 0, b, 0, 0, 0, 2 | 127 << 16}), ==, 0);
    g_assert_cmphex(run(d, 0, (uint32_t[16]){2, 0, 0, 0, 0, 0, b, 0, 0, 0, 99}), ==, 0x109);
    g_assert_cmphex(run(d, 0, (uint32_t[16]){0x7f}), ==, 1);
    g_assert_cmphex(run(d, 0, (uint32_t[16]){5, 0, 0, 0, 0, 0, b, 0, 0, 0, 1 | 7 << 16, 1}), ==,
                    0x101);
    g_assert_cmphex(run(d, 0, (uint32_t[16]){5, 0, 0, 0, 0, 0, b, 0, 0, 0, 2 | 0xffffu << 16, 1}),
                    ==, 0x102);
    g_assert_cmphex(run(d, 0, (uint32_t[16]){4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}), ==, 0x10c);
    /* events: asked for, told when the disk changes */
    g_assert_cmpint(run(d, 0, (uint32_t[16]){0x0c}), ==, -1);
    g_assert_cmphex(run(d, 0, (uint32_t[16]){9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0b, 1 << 8}), ==, 0);
    d->disk->dev.notifiers->changed(d->disk->dev.notifiers, &d->disk->dev);
    g_assert_cmphex(reap(d, 0), ==, 0);
    g_assert_cmphex(d->result, ==, 0x040002);
    drv_free(d);
}

static void test_io(void)
{
    Drv *d = drv_new();
    uint8_t *p = rig_host(d->r, d->buf);
    uint64_t list = rig_alloc(d->r, 4096, 4096);

    for (unsigned i = 0; i < 1 << 20; i++) {
        p[i] = (uint8_t)(i * 13 + (i >> 12));
    }
    d->r->n_msis = 0;
    /* one page with an offset, two, a list of backwards pages */
    g_assert_cmphex(io(d, 1, 2, 1, d->buf + 512, 0), ==, 0);
    g_assert_cmphex(d->r->msis[0].data, ==, 0x101);
    g_assert_cmpint(memcmp(d->disk->data + 1024, p + 512, 512), ==, 0);
    g_assert_cmphex(io(d, 1, 16, 8, d->buf + 2048, d->buf + 8192), ==, 0);
    g_assert_cmpint(memcmp(d->disk->data + 8192, p + 2048, 2048), ==, 0);
    g_assert_cmpint(memcmp(d->disk->data + 8192 + 2048, p + 8192, 2048), ==, 0);
    for (unsigned i = 0; i < 127; i++) {
        rig_write(d->r, list + 8 * i, 8, d->buf + 4096 * (200 - i));
    }
    g_assert_cmphex(io(d, 1, 1024, 1024, d->buf, list), ==, 0);
    g_assert_cmpint(memcmp(d->disk->data + 1024 * 512 + 4096 * 127, p + 4096 * (200 - 126), 4096),
                    ==, 0);
    /* a list that goes on in another page */
    uint64_t tail = list + 4096 - 16;
    rig_alloc(d->r, 4096, 4096);
    uint64_t more = rig_alloc(d->r, 4096, 4096);
    rig_write(d->r, tail, 8, d->buf + 4096);
    rig_write(d->r, tail + 8, 8, more);
    rig_write(d->r, more, 8, d->buf + 8192);
    rig_write(d->r, more + 8, 8, d->buf + 12288);
    memset(p, 0, 65536);
    g_assert_cmphex(io(d, 2, 1024, 32, d->buf, tail), ==, 0);
    g_assert_cmpint(memcmp(d->disk->data + 1024 * 512, p, 4 * 4096), ==, 0);
    /* scatter-gather: two pieces through a segment */
    rig_write(d->r, list, 8, d->buf + 100);
    rig_write(d->r, list + 8, 8, 300);
    rig_write(d->r, list + 16, 8, d->buf + 9000);
    rig_write(d->r, list + 24, 8, 212);
    memset(p, 0, 16384);
    uint32_t sgl[16] = {2 | 1 << 14, 1, 0, 0, 0, 0, (uint32_t)list, 0, 32, 3u << 28, 2};
    g_assert_cmphex(run(d, 1, sgl), ==, 0);
    g_assert_cmpint(memcmp(d->disk->data + 1024, p + 100, 300), ==, 0);
    g_assert_cmpint(memcmp(d->disk->data + 1024 + 300, p + 9000, 212), ==, 0);
    /* flush, write zeroes, discard */
    g_assert_cmphex(run(d, 1, (uint32_t[16]){0, 1}), ==, 0);
    g_assert_cmphex(run(d, 1, (uint32_t[16]){8, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0}), ==, 0);
    g_assert_cmphex(d->disk->data[1024], ==, 0);
    rig_write(d->r, d->buf, 8, 8ull << 32);
    rig_write(d->r, d->buf + 8, 8, 16);
    rig_write(d->r, d->buf + 16, 8, 0);
    g_assert_cmphex(run(d, 1, (uint32_t[16]){9, 1, 0, 0, 0, 0, (uint32_t)d->buf, 0, 0, 0, 1, 4}),
                    ==, 0);
    g_assert_cmpuint(d->disk->count[BLOCK_OP_DISCARD], ==, 1);
    drv_free(d);
}

static void test_errors(void)
{
    Drv *d = drv_new();

    g_assert_cmphex(io(d, 2, DISK_BYTES / 512, 1, d->buf, 0), ==, 0x80);
    g_assert_cmphex(io(d, 2, UINT64_MAX, 1, d->buf, 0), ==, 0x80);
    g_assert_cmphex(io(d, 2, 0, 2048, d->buf, d->buf), ==, 0x02);
    g_assert_cmphex(io(d, 2, 0, 1, 0x123456789000, 0), ==, 0x04);
    g_assert_cmphex(io(d, 2, 0, 16, d->buf, d->buf + 8), ==, 0x02);
    g_assert_cmphex(io(d, 2, 0, 64, d->buf, 0x100000000000), ==, 0x04);
    g_assert_cmphex(run(d, 1, (uint32_t[16]){2, 2}), ==, 0x0b);
    g_assert_cmphex(run(d, 1, (uint32_t[16]){0x55, 1}), ==, 0x01);
    d->disk->fail = EIO;
    g_assert_cmphex(io(d, 2, 0, 1, d->buf, 0), ==, 0x281);
    g_assert_cmphex(io(d, 1, 0, 1, d->buf, 0), ==, 0x280);
    d->disk->fail = 0;
    /* no room for completions: the rest waits */
    for (unsigned i = 0; i < 5; i++) {
        submit(d, 1, (uint32_t[16]){2, 1, 0, 0, 0, 0, (uint32_t)d->buf});
    }
    g_assert_cmpuint(ram_disk_run(d->disk), ==, 5);
    for (unsigned i = 0; i < 5; i++) {
        submit(d, 1, (uint32_t[16]){2, 1, 0, 0, 0, 0, (uint32_t)d->buf});
    }
    g_assert_cmpuint(ram_disk_run(d->disk), ==, 2);
    for (unsigned i = 0; i < 10; i++) {
        g_assert_cmphex(reap(d, 1), ==, 0);
        ram_disk_run(d->disk);
    }
    /* reset, then unplug, with requests in flight */
    submit(d, 1, (uint32_t[16]){2, 1, 0, 0, 0, 0, (uint32_t)d->buf});
    enable(d);
    submit(d, 1, (uint32_t[16]){2, 1, 0, 0, 0, 0, (uint32_t)d->buf});
    rig_write(d->r, d->bar + 0x1000 + 8, 4, 99);
    rig_write(d->r, d->bar + 0x1000 + 8 * 64, 4, 1);
    device_unrealize(d->dev);
    g_assert_cmpuint(ram_disk_run(d->disk), ==, 0);
    drv_free(d);
}

static void test_random(void)
{
    Drv *d = drv_new();

    for (unsigned i = 0; i < 3000; i++) {
        uint32_t cmd[16];
        unsigned n = (unsigned)g_test_rand_int_range(0, 2);
        for (unsigned k = 0; k < 16; k++) {
            cmd[k] = (uint32_t)g_test_rand_int() >> g_test_rand_int_range(0, 32);
        }
        static const uint8_t ops[] = {0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 2, 1, 2, 9, 0, 255};
        cmd[0] = (cmd[0] & ~0x3ffu) | ops[g_test_rand_int_range(0, sizeof ops)];
        cmd[1] = 1;
        cmd[6] = (uint32_t)d->buf + (cmd[6] & 0xfffff);
        cmd[7] = 0;
        cmd[8] = (uint32_t)d->buf + (cmd[8] & 0xffff8);
        cmd[9] = cmd[9] & 0xf0000000;
        submit(d, n, cmd);
        ram_disk_run(d->disk);
        while (reap(d, n) >= 0) {
        }
        if (i % 50 == 0) {
            rig_write(d->r, d->bar + ((uint32_t)g_test_rand_int() & 0x2ffc), 4,
                      (uint32_t)g_test_rand_int());
            d->r->next = d->buf + (1 << 20);
            enable(d);
        }
    }
    drv_free(d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/nvme/admin", test_admin);
    g_test_add_func("/nvme/io", test_io);
    g_test_add_func("/nvme/errors", test_errors);
    g_test_add_func("/nvme/random", test_random);
    return g_test_run();
}
