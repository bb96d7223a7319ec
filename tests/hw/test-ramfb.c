/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ramfb by its fw_cfg file: what is shown, what is refused, state. */
#include <string.h>

#include "core/display.h"
#include "hw/devices.h"
#include "hw/fw_cfg.h"
#include "tests/core/harness.h"
#include "util/bits.h"

enum { FRAME = 0x4000, WIDTH = 40, HEIGHT = 30, DMA_AT = 0x100, CONFIG_AT = 0x200 };

static const uint32_t XR24 = 0x34325258, RG16 = 0x36314752;

typedef struct Fixture {
    Machine *m;
    Device *fw_cfg, *ramfb;
} Fixture;

typedef struct Seen {
    DisplayListener l;
    unsigned surfaces, updates;
    uint32_t first, rows;
    const Surface *surface;
} Seen;

static void on_surface(DisplayListener *l, const Surface *s)
{
    Seen *seen = l->opaque;

    seen->surfaces++;
    seen->surface = s;
}

static void on_update(DisplayListener *l, uint32_t x, uint32_t y, uint32_t w, uint32_t h)
{
    Seen *seen = l->opaque;

    g_assert_cmpuint(x, ==, 0);
    g_assert_cmpuint(w, ==, seen->surface->width);
    seen->updates++;
    seen->first = y;
    seen->rows = h;
}

static Fixture make(void)
{
    Fixture f = {.m = harness_machine()};

    f.fw_cfg = harness_realize(f.m, &fw_cfg_class, NULL);
    f.ramfb = harness_realize(f.m, hw_device_find("ramfb"), NULL);
    machine_reset(f.m, CAUSE_NONE);
    return f;
}

static unsigned file_key(Fixture *f, const char *name)
{
    uint8_t dir[4 + 64 * 8];
    uint64_t v = 0;

    device_mmio_write(f->fw_cfg, 0, 8, 2, __builtin_bswap16(FW_CFG_FILE_DIR));
    for (size_t i = 0; i < sizeof dir; i++) {
        device_mmio_read(f->fw_cfg, 0, 0, 1, &v);
        dir[i] = (uint8_t)v;
    }
    for (uint32_t i = 0; i < load_be32(dir); i++) {
        if (!strcmp((char *)dir + 4 + 64 * i + 8, name)) {
            return load_be16(dir + 4 + 64 * i + 4);
        }
    }
    g_error("no file %s", name);
}

/* As a guest does it: by DMA into the file. */
static void set_mode(Fixture *f, uint64_t address, uint32_t fourcc, const uint32_t size[3])
{
    uint8_t config[28] = {0}, dma[16];

    store_be64(config, address);
    store_be32(config + 8, fourcc);
    store_be32(config + 16, size[0]);
    store_be32(config + 20, size[1]);
    store_be32(config + 24, size[2]);
    mem_write(f->m->as, CONFIG_AT, config, sizeof config, MEM_ATTRS_NONE);
    store_be32(dma, file_key(f, "etc/ramfb") << 16 | 8 | 16);
    store_be32(dma + 4, sizeof config);
    store_be64(dma + 8, CONFIG_AT);
    mem_write(f->m->as, DMA_AT, dma, sizeof dma, MEM_ATTRS_NONE);
    device_mmio_write(f->fw_cfg, 0, 0x10, 8, __builtin_bswap64(DMA_AT));
}

static void test_show(void)
{
    Fixture f = make();
    Console *c = console_by_index(f.m, 0);
    Seen seen = {.l = {.surface = on_surface, .update = on_update, .opaque = &seen}};
    uint32_t red = 0xff0000;

    g_assert_nonnull(c);
    console_listen(c, &seen.l);
    g_assert_null(console_surface(c));
    set_mode(&f, FRAME, XR24, (uint32_t[]){WIDTH, HEIGHT, WIDTH * 4 + 32});
    g_assert_nonnull(seen.surface);
    g_assert_cmpuint(seen.surface->width, ==, WIDTH);
    g_assert_cmpuint(seen.surface->height, ==, HEIGHT);
    g_assert_cmpuint(seen.surface->format, ==, PIXEL_X8R8G8B8);
    console_refresh(c);
    g_assert_cmpuint(seen.updates, ==, 1);
    g_assert_cmpuint(seen.rows, ==, HEIGHT);
    console_refresh(c);
    g_assert_cmpuint(seen.updates, ==, 1);
    mem_write(f.m->as, FRAME + 7 * (WIDTH * 4 + 32) + 12, &red, 4, MEM_ATTRS_NONE);
    console_refresh(c);
    g_assert_cmpuint(seen.updates, ==, 2);
    g_assert_cmpuint(seen.first, ==, 7);
    g_assert_cmpuint(seen.rows, ==, 1);
    g_assert_cmphex(load_le32(seen.surface->pixels + 7 * seen.surface->stride_bytes + 12), ==, red);
    /* Taken away, and by a reset. */
    set_mode(&f, 0, 0, (uint32_t[]){0, 0, 0});
    g_assert_null(seen.surface);
    set_mode(&f, FRAME, RG16, (uint32_t[]){WIDTH, HEIGHT, 0});
    g_assert_cmpuint(seen.surface->stride_bytes, ==, WIDTH * 2);
    machine_reset(f.m, CAUSE_GUEST_RESET);
    g_assert_null(seen.surface);
    console_unlisten(c, &seen.l);
    harness_machine_free(f.m);
}

static void test_refused(void)
{
    Fixture f = make();
    Console *c = console_by_index(f.m, 0);
    static const struct {
        uint64_t address;
        uint32_t fourcc, size[3];
    } bad[] = {
        {FRAME, 0x20202020, {WIDTH, HEIGHT, 0}},
        {FRAME, XR24, {0, HEIGHT, 0}},
        {FRAME, XR24, {WIDTH, 0, 0}},
        {FRAME, XR24, {WIDTH, HEIGHT, 4}},
        {FRAME, XR24, {UINT32_MAX, UINT32_MAX, 0}},
        {FRAME, XR24, {16384, 16384, UINT32_MAX}},
        {1 << 20, XR24, {WIDTH, HEIGHT, 0}},
        {(1 << 20) - 4096, XR24, {WIDTH, HEIGHT, 0}},
        {UINT64_MAX - 4095, XR24, {WIDTH, HEIGHT, 0}},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        set_mode(&f, bad[i].address, bad[i].fourcc, bad[i].size);
        g_assert_null(console_surface(c));
        console_refresh(c);
    }
    harness_machine_free(f.m);
}

static void test_state(void)
{
    Fixture f = make();
    Console *c = console_by_index(f.m, 0);
    Error err = {""};

    set_mode(&f, FRAME, XR24, (uint32_t[]){WIDTH, HEIGHT, 0});
    GByteArray *saved = harness_save(f.ramfb);
    machine_reset(f.m, CAUSE_GUEST_RESET);
    g_assert_null(console_surface(c));
    g_assert_true(harness_load(f.ramfb, saved, &err));
    g_assert_cmpuint(console_surface(c)->width, ==, WIDTH);
    g_byte_array_unref(saved);
    harness_machine_free(f.m);
}

static void test_one(void)
{
    Fixture f = make();
    Error err = {""};
    Device *second = device_new(f.m, hw_device_find("ramfb"), NULL);

    g_assert_false(device_realize(second, &err));
    g_assert_nonnull(strstr(err.text, "already"));
    device_unrealize(second);
    set_mode(&f, FRAME, XR24, (uint32_t[]){WIDTH, HEIGHT, 0});
    g_assert_nonnull(console_surface(console_by_index(f.m, 0)));
    harness_machine_free(f.m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ramfb/show", test_show);
    g_test_add_func("/ramfb/refused", test_refused);
    g_test_add_func("/ramfb/state", test_state);
    g_test_add_func("/ramfb/one", test_one);
    return g_test_run();
}
