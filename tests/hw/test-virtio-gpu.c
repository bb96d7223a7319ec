/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-gpu as a driver sees it: pictures, scanouts, flushes, cursor, EDID, state, hostile
 * requests. */
#include <linux/virtio_gpu.h>

#include "core/display.h"
#include "core/state.h"
#include "virtio_driver.h"

enum { W = 64, H = 48, CONTROL = 0, CURSOR = 1 };

typedef struct Gpu {
    HwRig *r;
    VDrv *d;
    uint64_t req, resp, pages; /* guest memory */
} Gpu;

typedef struct Seen {
    DisplayListener l;
    Surface surface;
    bool shown;
    uint32_t x, y, w, h;
    unsigned updates;
    bool cursor, visible;
    uint32_t corner; /* of the cursor */
    int32_t cx, cy;
} Seen;

static void on_surface(DisplayListener *l, const Surface *s)
{
    Seen *seen = l->opaque;

    seen->shown = s != NULL;
    if (s) {
        seen->surface = *s;
    }
}

static void on_update(DisplayListener *l, uint32_t x, uint32_t y, uint32_t w, uint32_t h)
{
    Seen *seen = l->opaque;

    seen->x = x, seen->y = y, seen->w = w, seen->h = h;
    seen->updates++;
}

static void on_cursor(DisplayListener *l, const CursorImage *image)
{
    Seen *seen = l->opaque;

    seen->cursor = image != NULL;
    seen->corner = image ? image->argb[0] : 0;
}

static void on_move(DisplayListener *l, int32_t x, int32_t y, bool visible)
{
    Seen *seen = l->opaque;

    seen->cx = x, seen->cy = y, seen->visible = visible;
}

static void listen(Gpu *g, Seen *seen)
{
    *seen = (Seen){.l = {.surface = on_surface,
                         .update = on_update,
                         .cursor = on_cursor,
                         .cursor_move = on_move,
                         .opaque = seen}};
    console_listen(console_by_index(g->r->m, 0), &seen->l);
}

static void turn(Gpu *g)
{
    machine_unlock(g->r->m);
    machine_iterate(g->r->m, false);
    machine_lock(g->r->m);
}

/* Sends a request; returns the type of the reply, which is at g->resp. */
static uint32_t send(Gpu *g, unsigned queue, const void *req, uint32_t bytes)
{
    VBuf b[2] = {{g->req, bytes, false}, {g->resp, 4096, true}};
    uint32_t len = 0;

    memcpy(rig_host(g->r, g->req), req, bytes);
    memset(rig_host(g->r, g->resp), 0, 4096);
    vdrv_add(g->d, queue, b, 2);
    vdrv_kick(g->d, queue);
    for (unsigned i = 0; i < 10 && !vdrv_used(g->d, queue, &len); i++) {
        turn(g);
    }
    g_assert_cmpuint(len, >=, sizeof(struct virtio_gpu_ctrl_hdr));
    return load_le32(rig_host(g->r, g->resp));
}
#define SEND(g, type, ...) send(g, CONTROL, &(type){__VA_ARGS__}, sizeof(type))

static Gpu gpu_new(unsigned flags, const char *props)
{
    Gpu g = {.r = rig_new()};

    g.d = vdrv_new(g.r, "virtio-gpu", props, flags);
    vdrv_start(g.d, VIRTIO_BIT(VIRTIO_GPU_F_EDID), 2);
    g.req = rig_alloc(g.r, 65536, 4096);
    g.resp = rig_alloc(g.r, 4096, 4096);
    g.pages = rig_alloc(g.r, W * H * 4, 4096);
    return g;
}

static void gpu_free(Gpu *g)
{
    g_free(g->d);
    rig_free(g->r);
}

static uint32_t create(Gpu *g, uint32_t id, uint32_t format, uint32_t width, uint32_t height)
{
    return SEND(g, struct virtio_gpu_resource_create_2d,
                .hdr.type = VIRTIO_GPU_CMD_RESOURCE_CREATE_2D, .resource_id = id, .format = format,
                .width = width, .height = height);
}

/* The backing in three pieces whose order in memory is not that of the list. */
static uint32_t attach(Gpu *g, uint32_t id)
{
    struct {
        struct virtio_gpu_resource_attach_backing head;
        struct virtio_gpu_mem_entry e[3];
    } req = {
        {.hdr.type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING, .resource_id = id, .nr_entries = 3},
        {{.addr = g->pages + 8192, .length = 4096},
         {.addr = g->pages, .length = 1000},
         {.addr = g->pages + 1000, .length = W * H * 4 - 4096 - 1000}}};

    return send(g, CONTROL, &req, sizeof req);
}

static uint64_t backing_gpa(Gpu *g, uint32_t offset)
{
    return offset < 4096 ? g->pages + 8192 + offset : g->pages + offset - 4096;
}

static uint32_t scanout(Gpu *g, uint32_t id, uint32_t x, uint32_t y, uint32_t w, uint32_t h)
{
    return SEND(g, struct virtio_gpu_set_scanout, .hdr.type = VIRTIO_GPU_CMD_SET_SCANOUT,
                .resource_id = id, .r = {x, y, w, h});
}

static uint32_t transfer(Gpu *g, uint32_t id, struct virtio_gpu_rect r)
{
    return SEND(g, struct virtio_gpu_transfer_to_host_2d,
                .hdr.type = VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, .resource_id = id, .r = r,
                .offset = (r.y * W + r.x) * 4);
}

static uint32_t flush(Gpu *g, uint32_t id, struct virtio_gpu_rect r)
{
    return SEND(g, struct virtio_gpu_resource_flush, .hdr.type = VIRTIO_GPU_CMD_RESOURCE_FLUSH,
                .resource_id = id, .r = r);
}

static void paint(Gpu *g)
{
    for (uint32_t i = 0; i < W * H; i++) {
        store_le32(rig_host(g->r, backing_gpa(g, 4 * i)), 0x01000000 * (i & 1) + i * 77);
    }
}

static uint32_t pixel(const Seen *seen, uint32_t x, uint32_t y)
{
    return load_le32(seen->surface.pixels + y * seen->surface.stride_bytes + 4 * x);
}

static void test_picture(const void *flags)
{
    Gpu g = gpu_new(GPOINTER_TO_UINT(flags), NULL);
    Seen seen;

    listen(&g, &seen);
    g_assert_false(seen.shown);
    g_assert_cmphex(create(&g, 5, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, W, H), ==,
                    VIRTIO_GPU_RESP_OK_NODATA);
    g_assert_cmphex(attach(&g, 5), ==, VIRTIO_GPU_RESP_OK_NODATA);
    paint(&g);
    g_assert_cmphex(scanout(&g, 5, 4, 2, 40, 30), ==, VIRTIO_GPU_RESP_OK_NODATA);
    g_assert_true(seen.shown);
    g_assert_cmpuint(seen.surface.width, ==, 40);
    g_assert_cmpuint(seen.surface.height, ==, 30);
    g_assert_cmphex(pixel(&seen, 0, 0), ==, 0);
    g_assert_cmphex(transfer(&g, 5, (struct virtio_gpu_rect){10, 5, 20, 10}), ==,
                    VIRTIO_GPU_RESP_OK_NODATA);
    g_assert_cmphex(pixel(&seen, 6, 3) & 0xffffff, ==, (5 * W + 10) * 77);
    g_assert_cmphex(pixel(&seen, 25, 12) & 0xffffff, ==, (14 * W + 29) * 77);
    g_assert_cmphex(pixel(&seen, 26, 12), ==, 0);
    g_assert_cmphex(transfer(&g, 5, (struct virtio_gpu_rect){0, 0, W, H}), ==,
                    VIRTIO_GPU_RESP_OK_NODATA);
    for (uint32_t y = 0; y < 30; y++) {
        for (uint32_t x = 0; x < 40; x++) {
            g_assert_cmphex(pixel(&seen, x, y) & 0xffffff, ==, ((y + 2) * W + x + 4) * 77);
        }
    }
    seen.updates = 0;
    g_assert_cmphex(flush(&g, 5, (struct virtio_gpu_rect){0, 0, 10, 10}), ==,
                    VIRTIO_GPU_RESP_OK_NODATA);
    g_assert_cmpuint(seen.updates, ==, 1);
    g_assert_cmpuint(seen.x + seen.y, ==, 0);
    g_assert_cmpuint(seen.w, ==, 6);
    g_assert_cmpuint(seen.h, ==, 8);
    g_assert_cmphex(flush(&g, 5, (struct virtio_gpu_rect){50, 40, 5, 5}), ==,
                    VIRTIO_GPU_RESP_OK_NODATA);
    g_assert_cmpuint(seen.updates, ==, 1);
    g_assert_cmphex(SEND(&g, struct virtio_gpu_resource_unref,
                         .hdr.type = VIRTIO_GPU_CMD_RESOURCE_UNREF, .resource_id = 5),
                    ==, VIRTIO_GPU_RESP_OK_NODATA);
    g_assert_false(seen.shown);
    console_unlisten(console_by_index(g.r->m, 0), &seen.l);
    gpu_free(&g);
}

static void test_cursor(void)
{
    Gpu g = gpu_new(VDRV_PCI, NULL);
    Seen seen;
    struct virtio_gpu_update_cursor c = {.hdr.type = VIRTIO_GPU_CMD_UPDATE_CURSOR,
                                         .pos = {.x = 11, .y = 12},
                                         .resource_id = 9,
                                         .hot_x = 3};

    listen(&g, &seen);
    create(&g, 9, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, 64, 64);
    g.pages = rig_alloc(g.r, 64 * 64 * 4, 4096);
    attach(&g, 9);
    store_le32(rig_host(g.r, backing_gpa(&g, 0)), 0x80112233);
    transfer(&g, 9, (struct virtio_gpu_rect){0, 0, 64, 48});
    g_assert_cmphex(send(&g, CURSOR, &c, sizeof c), ==, VIRTIO_GPU_RESP_OK_NODATA);
    g_assert_true(seen.cursor && seen.visible);
    g_assert_cmphex(seen.corner, ==, 0x80112233);
    g_assert_cmpint(seen.cx, ==, 11);
    c.hdr.type = VIRTIO_GPU_CMD_MOVE_CURSOR;
    c.pos.y = 20;
    send(&g, CURSOR, &c, sizeof c);
    g_assert_cmpint(seen.cy, ==, 20);
    c.hdr.type = VIRTIO_GPU_CMD_UPDATE_CURSOR;
    c.resource_id = 0;
    send(&g, CURSOR, &c, sizeof c);
    g_assert_false(seen.cursor || seen.visible);
    console_unlisten(console_by_index(g.r->m, 0), &seen.l);
    gpu_free(&g);
}

static void test_display_info(void)
{
    Gpu g = gpu_new(VDRV_PCI, "xres=1024,yres=768,max_outputs=2");
    const struct virtio_gpu_resp_display_info *info = (void *)rig_host(g.r, g.resp);
    const struct virtio_gpu_resp_edid *edid = (void *)rig_host(g.r, g.resp);
    uint8_t sum = 0;

    g_assert_cmpuint(vdrv_config(g.d, 8, 4), ==, 2);
    g_assert_cmphex(SEND(&g, struct virtio_gpu_ctrl_hdr, .type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO,
                         .flags = VIRTIO_GPU_FLAG_FENCE, .fence_id = 0x1234567890, .ctx_id = 7),
                    ==, VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
    g_assert_cmphex(info->hdr.fence_id, ==, 0x1234567890);
    g_assert_cmphex(info->hdr.flags, ==, VIRTIO_GPU_FLAG_FENCE);
    g_assert_cmpuint(info->pmodes[0].r.width, ==, 1024);
    g_assert_cmpuint(info->pmodes[0].enabled, ==, 1);
    g_assert_cmpuint(info->pmodes[1].enabled, ==, 0);
    /* The window changes its size. */
    console_request_size(console_by_index(g.r->m, 0), 800, 600);
    g_assert_cmpuint(vdrv_config(g.d, 0, 4), ==, VIRTIO_GPU_EVENT_DISPLAY);
    rig_write(g.r, g.d->bar + 0x2004, 4, VIRTIO_GPU_EVENT_DISPLAY);
    g_assert_cmpuint(vdrv_config(g.d, 0, 4), ==, 0);
    g_assert_cmphex(SEND(&g, struct virtio_gpu_cmd_get_edid, .hdr.type = VIRTIO_GPU_CMD_GET_EDID),
                    ==, VIRTIO_GPU_RESP_OK_EDID);
    g_assert_cmpuint(edid->size, ==, 128);
    g_assert_cmphex(load_be64(edid->edid), ==, 0x00ffffffffffff00);
    for (unsigned i = 0; i < 128; i++) {
        sum = (uint8_t)(sum + edid->edid[i]);
    }
    g_assert_cmpuint(sum, ==, 0);
    g_assert_cmpuint(edid->edid[56] | edid->edid[58] >> 4 << 8, ==, 800);
    g_assert_cmpuint(edid->edid[59] | edid->edid[61] >> 4 << 8, ==, 600);
    g_assert_cmphex(
        SEND(&g, struct virtio_gpu_cmd_get_edid, .hdr.type = VIRTIO_GPU_CMD_GET_EDID, .scanout = 2),
        ==, VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER);
    gpu_free(&g);
}

static void test_refused(void)
{
    Gpu g = gpu_new(VDRV_PCI, "max_hostmem=1M");
    uint32_t f = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM;

    g_assert_cmphex(create(&g, 0, f, W, H), ==, VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
    g_assert_cmphex(create(&g, 1, 99, W, H), ==, VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER);
    g_assert_cmphex(create(&g, 1, f, 0, H), ==, VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER);
    g_assert_cmphex(create(&g, 1, f, W, UINT32_MAX), ==, VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER);
    g_assert_cmphex(create(&g, 1, f, 1024, 1024), ==, VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY);
    for (unsigned i = 0; i < 100; i++) { /* what is freed can be had again */
        g_assert_cmphex(create(&g, 1, f, 400, 400), ==, VIRTIO_GPU_RESP_OK_NODATA);
        g_assert_cmphex(attach(&g, 1), ==, VIRTIO_GPU_RESP_OK_NODATA);
        SEND(&g, struct virtio_gpu_resource_unref, .hdr.type = VIRTIO_GPU_CMD_RESOURCE_UNREF,
             .resource_id = 1);
    }
    g_assert_cmphex(create(&g, 1, f, W, H), ==, VIRTIO_GPU_RESP_OK_NODATA);
    g_assert_cmphex(create(&g, 1, f, W, H), ==, VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
    g_assert_cmphex(transfer(&g, 1, (struct virtio_gpu_rect){0, 0, W, H}), ==,
                    VIRTIO_GPU_RESP_ERR_UNSPEC);
    g_assert_cmphex(attach(&g, 2), ==, VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
    g_assert_cmphex(attach(&g, 1), ==, VIRTIO_GPU_RESP_OK_NODATA);
    g_assert_cmphex(attach(&g, 1), ==, VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER);
    g_assert_cmphex(transfer(&g, 1, (struct virtio_gpu_rect){1, 0, W, H}), ==,
                    VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER);
    g_assert_cmphex(transfer(&g, 1, (struct virtio_gpu_rect){1, 0, UINT32_MAX, H}), ==,
                    VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER);
    g_assert_cmphex(scanout(&g, 1, 0, 0, W, H + 1), ==, VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER);
    g_assert_cmphex(scanout(&g, 3, 0, 0, W, H), ==, VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
    g_assert_cmphex(flush(&g, 3, (struct virtio_gpu_rect){0, 0, 1, 1}), ==,
                    VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
    g_assert_cmphex(SEND(&g, struct virtio_gpu_ctrl_hdr, .type = VIRTIO_GPU_CMD_CTX_CREATE), ==,
                    VIRTIO_GPU_RESP_ERR_UNSPEC);
    g_assert_cmphex(
        send(&g, CONTROL, &(struct virtio_gpu_ctrl_hdr){.type = VIRTIO_GPU_CMD_GET_EDID}, 12), ==,
        VIRTIO_GPU_RESP_ERR_UNSPEC);
    gpu_free(&g);
}

static void test_state(void)
{
    Gpu g = gpu_new(VDRV_PCI, NULL);
    Seen seen;
    GByteArray *bytes = g_byte_array_new();
    Error err = {""};

    listen(&g, &seen);
    create(&g, 5, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, W, H);
    attach(&g, 5);
    paint(&g);
    scanout(&g, 5, 4, 2, 40, 30);
    transfer(&g, 5, (struct virtio_gpu_rect){0, 0, W, H});
    StateStream to = state_to_memory(bytes);
    g_assert_true(state_save_device(g.d->dev, &to));
    rig_reset(g.r);
    g_assert_false(seen.shown);
    for (guint cut = 0; cut < bytes->len;
         cut += 7 + cut / 8) { /* cut streams are refused, no more */
        StateMemory part = {bytes->data, cut, 0};
        StateStream s = state_from_memory(&part);
        g_assert_false(state_load_device(g.d->dev, &s, &err));
        g_assert_false(seen.shown);
    }
    StateMemory whole = {bytes->data, bytes->len, 0};
    StateStream from = state_from_memory(&whole);
    g_assert_true(state_load_device(g.d->dev, &from, &err));
    g_assert_true(seen.shown);
    g_assert_cmphex(pixel(&seen, 7, 8) & 0xffffff, ==, (10 * W + 11) * 77);
    g_byte_array_unref(bytes);
    console_unlisten(console_by_index(g.r->m, 0), &seen.l);
    gpu_free(&g);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/virtio-gpu/picture/pci", GUINT_TO_POINTER(VDRV_PCI), test_picture);
    g_test_add_data_func("/virtio-gpu/picture/mmio", GUINT_TO_POINTER(VDRV_MMIO | VDRV_PACKED),
                         test_picture);
    g_test_add_func("/virtio-gpu/cursor", test_cursor);
    g_test_add_func("/virtio-gpu/display-info", test_display_info);
    g_test_add_func("/virtio-gpu/refused", test_refused);
    g_test_add_func("/virtio-gpu/state", test_state);
    return g_test_run();
}
