/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PL011, PL031, PL061, power key, fw_cfg, NOR flash.
 */
#include <string.h>

#include "core/block.h"
#include "core/chardev.h"
#include "hw/arm.h"
#include "hw/fw_cfg.h"
#include "tests/core/harness.h"
#include "util/bits.h"

static bool out(Device *d, const char *name, unsigned n)
{
    return device_pin_out(d, name, n)->level;
}

/* ---- PL011 */

enum {
    DR = 0x00,
    FR = 0x18,
    LCR = 0x2c,
    CR = 0x30,
    IFLS = 0x34,
    IMSC = 0x38,
    RIS = 0x3c,
    MIS = 0x40,
    ICR = 0x44,
    INT_RX = 0x10,
    INT_TX = 0x20,
    INT_RT = 0x40,
    CR_ON = 0x301
};

/* A chardev that keeps what it gets and takes `room` bytes. */
typedef struct Tube {
    Chardev c;
    char got[256];
    size_t n, room;
} Tube;

static size_t tube_write(Chardev *c, const uint8_t *buf, size_t bytes)
{
    Tube *t = (Tube *)c;
    size_t n = bytes < t->room ? bytes : t->room;

    memcpy(t->got + t->n, buf, n);
    t->n += n;
    t->room -= n;
    return n;
}

static void tube_front(Chardev *c, const ChardevFront *f)
{
    (void)c;
    (void)f;
}

static void tube_accept(Chardev *c)
{
    (void)c;
}

static const ChardevOps tube_ops = {
    .write = tube_write, .set_front = tube_front, .accept_input = tube_accept};

static Device *uart(Machine *m, Tube *t)
{
    *t = (Tube){.c = {.ops = &tube_ops, .machine = m, .id = "tube", .open = true}, .room = 200};
    g_assert_true(chardev_add(m, &t->c));
    Device *d = harness_realize(m, &pl011_class, "chardev", "tube", NULL);
    device_reset(d, RESET_ENTER);
    device_reset(d, RESET_EXIT);
    return d;
}

static void uart_done(Machine *m, Device *d, Tube *t)
{
    device_unrealize(d);
    chardev_remove(m, &t->c);
    harness_machine_free(m);
}

static void send(Tube *t, const char *s)
{
    chardev_deliver(&t->c, (const uint8_t *)s, strlen(s));
}

static void test_uart_out(void)
{
    Machine *m = harness_machine();
    Tube t;
    Device *d = uart(m, &t);

    harness_write32(d, DR, 'A'); /* before any set-up: early consoles do it */
    harness_write32(d, CR, CR_ON);
    harness_write32(d, LCR, 0x70);
    harness_write32(d, DR, 'B');
    g_assert_cmpint((int)t.n, ==, 2);
    g_assert_true(!memcmp(t.got, "AB", 2));
    g_assert_cmphex(harness_read32(d, FR) & 0xb8, ==, 0x90);
    harness_write32(d, IMSC, INT_TX);
    g_assert_true(out(d, "irq", 0));
    harness_write32(d, ICR, INT_TX);
    g_assert_false(out(d, "irq", 0));
    /* the far end is slow: the FIFO fills, empties when there is room, and says so */
    t.room = 0;
    for (unsigned i = 0; i < 16; i++) {
        harness_write32(d, DR, 'a' + i);
    }
    g_assert_cmphex(harness_read32(d, FR) & 0xa8, ==, 0x28);
    g_assert_false(out(d, "irq", 0));
    t.room = 100;
    t.c.front.writable(t.c.front.opaque);
    g_assert_true(!memcmp(t.got, "ABabcdefghijklmnop", 18));
    g_assert_true(out(d, "irq", 0));
    uart_done(m, d, &t);
}

static void test_uart_in(void)
{
    Machine *m = harness_machine();
    Tube t;
    Device *d = uart(m, &t);

    harness_write32(d, LCR, 0x70);
    harness_write32(d, CR, CR_ON);
    harness_write32(d, IMSC, INT_RX | INT_RT);
    g_assert_cmpint((int)chardev_room(&t.c), ==, 16);
    send(&t, "x"); /* below the trigger: the timeout tells */
    g_assert_false(out(d, "irq", 0));
    harness_advance(m, 10 * 1000 * 1000);
    g_assert_true(out(d, "irq", 0));
    g_assert_cmphex(harness_read32(d, MIS), ==, INT_RT);
    g_assert_cmphex(harness_read32(d, DR), ==, 'x');
    g_assert_false(out(d, "irq", 0));
    g_assert_cmphex(harness_read32(d, FR) & 0x10, ==, 0x10);
    send(&t, "12345678"); /* half full: at once */
    g_assert_cmphex(harness_read32(d, MIS), ==, INT_RX);
    g_assert_cmphex(harness_read32(d, DR), ==, '1');
    g_assert_false(out(d, "irq", 0));
    send(&t, "9abcdefghijk");
    g_assert_cmpint((int)chardev_room(&t.c), ==, 0);
    g_assert_cmphex(harness_read32(d, FR) & 0x40, ==, 0x40);
    harness_write32(d, LCR, 0x60); /* FIFOs off: empty, one character deep */
    g_assert_cmpint((int)chardev_room(&t.c), ==, 1);
    chardev_event(&t.c, CHARDEV_BREAK);
    g_assert_cmphex(harness_read32(d, DR), ==, 0x500);
    /* loopback */
    harness_write32(d, CR, CR_ON | 0x80);
    harness_write32(d, DR, 'L');
    g_assert_cmphex(harness_read32(d, DR), ==, 'L');
    uart_done(m, d, &t);
}

/* ---- PL031 */

static void test_rtc(void)
{
    Machine *m = harness_machine();
    Device *d = harness_realize(m, &pl031_class, NULL);
    uint32_t start = harness_read32(d, 0);

    g_assert_cmpuint(start, ==, (uint32_t)(clock_ns(m, CLOCK_WALL) / 1000000000));
    harness_write32(d, 0x08, 1000);
    g_assert_cmpuint(harness_read32(d, 0), ==, 1000);
    harness_write32(d, 0x10, 1);
    harness_write32(d, 0x04, 1003);
    harness_advance(m, 1900000000);
    g_assert_false(out(d, "irq", 0));
    harness_advance(m, 1200000000);
    g_assert_true(out(d, "irq", 0));
    g_assert_cmpuint(harness_read32(d, 0), ==, 1003);
    g_assert_cmpuint(harness_read32(d, 0x18), ==, 1);
    harness_write32(d, 0x1c, 1);
    g_assert_false(out(d, "irq", 0));
    device_reset(d, RESET_ENTER);
    device_reset(d, RESET_EXIT);
    g_assert_cmpuint(harness_read32(d, 0), ==, 1003); /* time goes on over a reset */
    device_unrealize(d);
    harness_machine_free(m);
}

/* ---- PL061 and the key */

static void test_gpio(void)
{
    Machine *m = harness_machine();
    Device *d = harness_realize(m, &pl061_class, NULL);
    Device *key = harness_realize(m, &gpio_key_class, "line", "3", NULL);

    device_connect(key, "out", 0, device_pin_in(d, "in", 3));
    harness_write32(d, 0x40c, 0x08); /* rising edge of line 3 */
    harness_write32(d, 0x410, 0x08);
    gpio_key_press(key);
    g_assert_true(out(d, "irq", 0));
    g_assert_cmphex(harness_read32(d, 0x020), ==, 0x08);
    g_assert_cmphex(harness_read32(d, 0x010), ==, 0);
    harness_write32(d, 0x41c, 0x08);
    g_assert_false(out(d, "irq", 0));
    harness_advance(m, 150000000);
    g_assert_cmphex(harness_read32(d, 0x3fc), ==, 0);
    g_assert_false(out(d, "irq", 0)); /* falling: not asked for */
    /* outputs: only those of the address mask change */
    harness_write32(d, 0x400, 0x03);
    harness_write32(d, 0x004, 0xff);
    g_assert_true(out(d, "out", 0));
    g_assert_false(out(d, "out", 1));
    device_unrealize(key);
    device_unrealize(d);
    harness_machine_free(m);
}

/* ---- fw_cfg */

static void select_key(Device *d, uint16_t key)
{
    device_mmio_write(d, 0, 8, 2, __builtin_bswap16(key));
}

static void read_bytes(Device *d, uint8_t *buf, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint64_t v;
        device_mmio_read(d, 0, 0, 1, &v);
        buf[i] = (uint8_t)v;
    }
}

static void dma(Device *d, uint32_t control, uint32_t bytes, uint64_t gpa)
{
    uint8_t a[16];

    store_be32(a, control);
    store_be32(a + 4, bytes);
    store_be64(a + 8, gpa);
    mem_write(d->machine->as, 0x100, a, sizeof a, MEM_ATTRS_NONE);
    device_mmio_write(d, 0, 0x10, 4, 0);
    device_mmio_write(d, 0, 0x14, 4, __builtin_bswap32(0x100));
}

static uint32_t dma_result(Device *d)
{
    uint32_t v;

    mem_load_le32(d->machine->as, 0x100, &v, MEM_ATTRS_NONE);
    return __builtin_bswap32(v);
}

static void on_written(void *opaque, const uint8_t *data, size_t bytes)
{
    *(uint64_t *)opaque = bytes == 8 ? load_le64(data) : 0;
}

static void test_fw_cfg(void)
{
    Machine *m = harness_machine();
    Device *d = harness_realize(m, &fw_cfg_class, NULL);
    uint64_t seen = 0, v;
    uint8_t buf[128];
    Error err = {0};

    fw_cfg_add_u32(d, FW_CFG_KERNEL_SIZE, 0x1234);
    g_assert_true(fw_cfg_add_file(d, "etc/a", "hello", 5, &err));
    g_assert_true(fw_cfg_add_writable(d, "etc/w", "\0\0\0\0\0\0\0", 8, on_written, &seen, &err));
    char name[80];
    memset(name, 'n', sizeof name);
    name[60] = '\0';
    g_assert_false(fw_cfg_add_file(d, name, "", 0, &err));
    device_mmio_read(d, 0, 0x10, 8, &v);
    g_assert_cmphex(__builtin_bswap64(v), ==, 0x51454d5520434647);
    select_key(d, FW_CFG_SIGNATURE);
    device_mmio_read(d, 0, 0, 4, &v);
    g_assert_cmphex(v, ==, 0x554d4551);
    select_key(d, FW_CFG_FILE_DIR);
    read_bytes(d, buf, 4 + 64);
    g_assert_cmpuint(load_be32(buf), ==, 2);
    g_assert_cmpuint(load_be32(buf + 4), ==, 5);
    g_assert_cmpstr((char *)buf + 12, ==, "etc/a");
    uint16_t key = load_be16(buf + 8);
    /* by DMA, past the end: zeros follow */
    dma(d, (uint32_t)key << 16 | 8 | 2, 8, 0x200);
    g_assert_cmphex(dma_result(d), ==, 0);
    mem_read(m->as, 0x200, buf, 8, MEM_ATTRS_NONE);
    g_assert_true(!memcmp(buf, "hello\0\0\0", 8));
    dma(d, (uint32_t)key << 16 | 8 | 16, 4, 0x200); /* not writable */
    g_assert_cmphex(dma_result(d), ==, 1);
    mem_write(m->as, 0x200, "\1\2\3\4\5\6\7\10", 8, MEM_ATTRS_NONE);
    dma(d, (uint32_t)(key + 1) << 16 | 8 | 16, 8, 0x200);
    g_assert_cmphex(seen, ==, 0x0807060504030201);
    dma(d, (uint32_t)(key + 1) << 16 | 8 | 16, 9, 0x200); /* longer than the item */
    g_assert_cmphex(dma_result(d), ==, 1);
    dma(d, (uint32_t)key << 16 | 8 | 2, 0xffffffff, 0xffffffff00000000); /* nowhere */
    g_assert_cmphex(dma_result(d), ==, 1);
    select_key(d, 0x3ff0);
    device_mmio_read(d, 0, 0, 8, &v);
    g_assert_cmphex(v, ==, 0);
    device_unrealize(d);
    harness_machine_free(m);
}

/* ---- flash */

static uint64_t flash_gpa = 0x10000000;

static uint32_t flash_read(Machine *m, uint64_t at)
{
    uint32_t v;

    g_assert_cmpint(mem_load_le32(m->as, flash_gpa + at, &v, MEM_ATTRS_NONE), ==, MEM_OK);
    return v;
}

static void flash_write(Machine *m, uint64_t at, uint32_t v)
{
    g_assert_cmpint(mem_store_le32(m->as, flash_gpa + at, v, MEM_ATTRS_NONE), ==, MEM_OK);
}

static void test_flash(void)
{
    Machine *m = harness_machine();
    Device *d = harness_realize(m, &cfi01_class, NULL);

    device_map(d, 0, flash_gpa);
    flash_write(m, 0x154, 0x00980098);
    g_assert_cmphex(flash_read(m, 0x40), ==, 'Q' | 'Q' << 16);
    g_assert_cmphex(flash_read(m, 0x44), ==, 'R' | 'R' << 16);
    g_assert_cmphex(flash_read(m, 0x27 * 4) & 0xff, ==, 25);
    flash_write(m, 0, 0x00900090);
    g_assert_cmphex(flash_read(m, 0), ==, 0x00890089);
    flash_write(m, 0, 0x00ff00ff);
    g_assert_cmphex(flash_read(m, 0x40000), ==, 0); /* blank: as zeros, nobody wrote it yet */
    flash_write(m, 0x40000, 0x00200020);
    flash_write(m, 0x40000, 0x00d000d0);
    g_assert_cmphex(flash_read(m, 0), ==, 0x00800080);
    flash_write(m, 0, 0x00ff00ff);
    g_assert_cmphex(flash_read(m, 0x40000), ==, ~0u);
    g_assert_cmphex(flash_read(m, 0x7fffc), ==, ~0u);
    g_assert_cmphex(flash_read(m, 0x80000), ==, 0);
    /* a word; bits only go down */
    flash_write(m, 0x40010, 0x00400040);
    flash_write(m, 0x40010, 0x12345678);
    flash_write(m, 0x40010, 0x00400040);
    flash_write(m, 0x40010, 0xff0000ff);
    flash_write(m, 0, 0x00ff00ff);
    g_assert_cmphex(flash_read(m, 0x40010), ==, 0x12000078);
    /* the buffer: four words */
    flash_write(m, 0x40100, 0x00e800e8);
    g_assert_cmphex(flash_read(m, 0x40100), ==, 0x00800080);
    flash_write(m, 0x40100, 0x00030003);
    for (unsigned i = 0; i < 4; i++) {
        flash_write(m, 0x40100 + 4 * i, 0x01010101 * (i + 1));
    }
    flash_write(m, 0x40100, 0x00d000d0);
    flash_write(m, 0, 0x00ff00ff);
    g_assert_cmphex(flash_read(m, 0x4010c), ==, 0x04040404);
    g_assert_cmphex(flash_read(m, 0x40110), ==, ~0u);
    /* an erase that is not confirmed, then a locked block */
    flash_write(m, 0x40000, 0x00200020);
    flash_write(m, 0x40000, 0x00ff00ff);
    g_assert_cmphex(flash_read(m, 0), ==, 0x00b000b0);
    flash_write(m, 0, 0x00500050);
    flash_write(m, 0x40000, 0x00600060);
    flash_write(m, 0x40000, 0x00010001);
    flash_write(m, 0x40000, 0x00200020);
    flash_write(m, 0x40000, 0x00d000d0);
    g_assert_cmphex(flash_read(m, 0), ==, 0x00a200a2);
    device_unrealize(d);
    harness_machine_free(m);
}

/* ---- the generic tests */

static Device *make_uart(Machine *m)
{
    return harness_realize(m, &pl011_class, NULL);
}

static Device *make_rtc(Machine *m)
{
    return harness_realize(m, &pl031_class, NULL);
}

static Device *make_gpio(Machine *m)
{
    return harness_realize(m, &pl061_class, NULL);
}

static Device *make_fw_cfg(Machine *m)
{
    return harness_realize(m, &fw_cfg_class, NULL);
}

int main(int argc, char **argv)
{
    static const char *const uart_skip[] = {"UARTDR", NULL};

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pl011/out", test_uart_out);
    g_test_add_func("/pl011/in", test_uart_in);
    g_test_add_func("/pl031/time", test_rtc);
    g_test_add_func("/pl061/key", test_gpio);
    g_test_add_func("/fw_cfg/items", test_fw_cfg);
    g_test_add_func("/cfi01/commands", test_flash);
    harness_add("pl011", make_uart, uart_skip);
    harness_add("pl031", make_rtc, NULL);
    harness_add("pl061", make_gpio, NULL);
    harness_add("fw_cfg", make_fw_cfg, NULL);
    return g_test_run();
}
