/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio GPU, 2D. Source: VIRTIO 1.2, section 5.7.
 *
 * The driver makes resources (pictures on the host), names guest pages as their backing, transfers
 * rectangles from backing to resource, shows resources on scanouts and flushes what changed; a
 * scanout is a console. The cursor has a queue of its own.
 * Not modelled: 3D contexts, blobs, UUIDs (their feature bits are not offered).
 */
#include <linux/virtio_gpu.h>
#include <string.h>

#include "core/machine.h"
#include "hw/classes.h"
#include "hw/display/edid.h"
#include "hw/display/gpu_resource.h"
#include "hw/virtio.h"
#include "util/bits.h"

enum {
    QUEUE_CONTROL,
    QUEUE_CURSOR,
    N_QUEUES,
    CONTROL_SIZE = 256,
    CURSOR_SIZE = 16,
    CURSOR_SIDE = 64 /* the driver's cursors are that large (section 5.7.6.10) */
};

typedef struct VirtioGpu VirtioGpu;

typedef struct Scanout {
    /* wiring */
    VirtioGpu *gpu;
    Console *console;
    uint32_t want_width, want_height; /* of the window; 0: not connected */
    /* state */
    uint32_t resource_id; /* 0: off */
    GpuRect rect;         /* of the resource */
    uint32_t cursor_id, cursor_x, cursor_y, hot_x, hot_y;
} Scanout;

struct VirtioGpu {
    VirtioDevice v; /* must be first */
    /* wiring */
    uint32_t n_scanouts, xres, yres; /* properties */
    bool edid;
    GpuStore store;
    Scanout scanouts[VIRTIO_GPU_MAX_SCANOUTS];
    /* state */
    uint32_t events;
};

typedef union Request {
    struct virtio_gpu_ctrl_hdr hdr;
    struct virtio_gpu_resource_create_2d create;
    struct virtio_gpu_resource_unref unref;
    struct virtio_gpu_set_scanout scanout;
    struct virtio_gpu_resource_flush flush;
    struct virtio_gpu_transfer_to_host_2d transfer;
    struct virtio_gpu_resource_attach_backing attach;
    struct virtio_gpu_resource_detach_backing detach;
    struct virtio_gpu_cmd_get_edid edid;
    struct virtio_gpu_update_cursor cursor;
} Request;

typedef struct Reply {
    union {
        struct virtio_gpu_ctrl_hdr hdr;
        struct virtio_gpu_resp_display_info info;
        struct virtio_gpu_resp_edid edid;
    };
    size_t bytes;
} Reply;

/* Hosts are little-endian (util/bits.h), so the fields of linux/virtio_gpu.h are plain words. */
static GpuRect rect_of(const struct virtio_gpu_rect *r)
{
    return (GpuRect){r->x, r->y, r->width, r->height};
}

/* ---- scanouts */

static void show(Scanout *o)
{
    GpuResource *r = o->resource_id ? gpu_resource(&o->gpu->store, o->resource_id) : NULL;

    if (!r) {
        console_set_surface(o->console, NULL);
        return;
    }
    Surface s = r->surface;
    s.pixels += (size_t)o->rect.y * s.stride_bytes + (size_t)o->rect.x * pixel_bytes(s.format);
    s.width = o->rect.width;
    s.height = o->rect.height;
    console_set_surface(o->console, &s);
    console_update(o->console, 0, 0, s.width, s.height);
}

static void hide(Scanout *o)
{
    o->resource_id = 0;
    o->rect = (GpuRect){0};
    show(o);
}

/* Alpha and colours of a cursor, whose format is nearly always B8G8R8A8 already. */
static uint32_t argb(uint32_t v, PixelFormat f)
{
    switch (f) {
    case PIXEL_A8B8G8R8: return (v & 0xff00ff00) | (v & 0xff) << 16 | (v >> 16 & 0xff);
    case PIXEL_B8G8R8A8: return __builtin_bswap32(v);
    case PIXEL_R8G8B8A8: return v >> 8 | v << 24;
    case PIXEL_X8R8G8B8: return v | 0xff000000;
    default: return v;
    }
}

static void show_cursor(Scanout *o)
{
    const GpuResource *r = o->cursor_id ? gpu_resource(&o->gpu->store, o->cursor_id) : NULL;
    uint32_t image[CURSOR_SIDE * CURSOR_SIDE];
    CursorImage cursor = {CURSOR_SIDE, CURSOR_SIDE, MIN(o->hot_x, CURSOR_SIDE - 1),
                          MIN(o->hot_y, CURSOR_SIDE - 1), image};

    if (r && r->surface.width == CURSOR_SIDE && r->surface.height == CURSOR_SIDE) {
        for (uint32_t i = 0; i < CURSOR_SIDE * CURSOR_SIDE; i++) {
            image[i] = argb(load_le32(r->surface.pixels + 4 * i), r->surface.format);
        }
        console_set_cursor(o->console, &cursor);
    } else {
        console_set_cursor(o->console, NULL);
    }
}

static void move_cursor(Scanout *o)
{
    console_move_cursor(o->console, (int32_t)o->cursor_x, (int32_t)o->cursor_y, o->cursor_id != 0);
}

/* ---- commands; each returns the type of its reply */

typedef uint32_t Command(VirtioGpu *s, const Request *req, VirtElement *e, Reply *reply);

static uint32_t get_display_info(VirtioGpu *s, const Request *req, VirtElement *e, Reply *reply)
{
    (void)req, (void)e;
    for (uint32_t i = 0; i < s->n_scanouts; i++) {
        reply->info.pmodes[i].r.width = s->scanouts[i].want_width;
        reply->info.pmodes[i].r.height = s->scanouts[i].want_height;
        reply->info.pmodes[i].enabled = s->scanouts[i].want_width != 0;
    }
    reply->bytes = sizeof reply->info;
    return VIRTIO_GPU_RESP_OK_DISPLAY_INFO;
}

static uint32_t get_edid(VirtioGpu *s, const Request *req, VirtElement *e, Reply *reply)
{
    (void)e;
    if (req->edid.scanout >= s->n_scanouts) {
        return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
    }
    const Scanout *o = &s->scanouts[req->edid.scanout];
    edid_make(reply->edid.edid, o->want_width ? o->want_width : s->xres,
              o->want_height ? o->want_height : s->yres);
    reply->edid.size = EDID_BYTES;
    reply->bytes = sizeof reply->edid;
    return VIRTIO_GPU_RESP_OK_EDID;
}

static uint32_t create_2d(VirtioGpu *s, const Request *req, VirtElement *e, Reply *reply)
{
    PixelFormat f;

    (void)e, (void)reply;
    if (!req->create.resource_id || gpu_resource(&s->store, req->create.resource_id)) {
        return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
    }
    if (!gpu_format(req->create.format, &f) || !req->create.width || !req->create.height ||
        req->create.width > DISPLAY_MAX_SIDE || req->create.height > DISPLAY_MAX_SIDE) {
        return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
    }
    return gpu_resource_new(&s->store, req->create.resource_id, req->create.format,
                            req->create.width, req->create.height)
               ? VIRTIO_GPU_RESP_OK_NODATA
               : VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
}

static uint32_t unref(VirtioGpu *s, const Request *req, VirtElement *e, Reply *reply)
{
    GpuResource *r = gpu_resource(&s->store, req->unref.resource_id);

    (void)e, (void)reply;
    if (!r) {
        return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
    }
    for (uint32_t i = 0; i < s->n_scanouts; i++) {
        if (s->scanouts[i].resource_id == r->id) {
            hide(&s->scanouts[i]);
        }
    }
    gpu_resource_free(&s->store, r);
    return VIRTIO_GPU_RESP_OK_NODATA;
}

static uint32_t set_scanout(VirtioGpu *s, const Request *req, VirtElement *e, Reply *reply)
{
    GpuRect rect = rect_of(&req->scanout.r);

    (void)e, (void)reply;
    if (req->scanout.scanout_id >= s->n_scanouts) {
        return VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
    }
    Scanout *o = &s->scanouts[req->scanout.scanout_id];
    if (!req->scanout.resource_id) {
        hide(o);
        return VIRTIO_GPU_RESP_OK_NODATA;
    }
    GpuResource *r = gpu_resource(&s->store, req->scanout.resource_id);
    if (!r) {
        return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
    }
    if (!gpu_rect_fits(r, &rect)) {
        return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
    }
    o->resource_id = r->id;
    o->rect = rect;
    show(o);
    return VIRTIO_GPU_RESP_OK_NODATA;
}

/* The part of rect (of the resource) that o shows. */
static void update(Scanout *o, const GpuRect *rect)
{
    uint32_t x0 = MAX(rect->x, o->rect.x), y0 = MAX(rect->y, o->rect.y);
    uint32_t x1 = MIN(rect->x + rect->width, o->rect.x + o->rect.width);
    uint32_t y1 = MIN(rect->y + rect->height, o->rect.y + o->rect.height);

    if (x0 < x1 && y0 < y1) {
        console_update(o->console, x0 - o->rect.x, y0 - o->rect.y, x1 - x0, y1 - y0);
    }
}

static uint32_t flush(VirtioGpu *s, const Request *req, VirtElement *e, Reply *reply)
{
    GpuResource *r = gpu_resource(&s->store, req->flush.resource_id);
    GpuRect rect = rect_of(&req->flush.r);

    (void)e, (void)reply;
    if (!r) {
        return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
    }
    if (!gpu_rect_fits(r, &rect)) {
        return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
    }
    for (uint32_t i = 0; i < s->n_scanouts; i++) {
        if (s->scanouts[i].resource_id == r->id) {
            update(&s->scanouts[i], &rect);
        }
    }
    return VIRTIO_GPU_RESP_OK_NODATA;
}

static uint32_t transfer(VirtioGpu *s, const Request *req, VirtElement *e, Reply *reply)
{
    GpuResource *r = gpu_resource(&s->store, req->transfer.resource_id);
    GpuRect rect = rect_of(&req->transfer.r);

    (void)e, (void)reply;
    if (!r) {
        return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
    }
    if (!gpu_rect_fits(r, &rect)) {
        return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
    }
    if (!r->entries) {
        return VIRTIO_GPU_RESP_ERR_UNSPEC;
    }
    gpu_resource_transfer(r, &rect, req->transfer.offset, s->v.as, virtio_attrs(&s->v));
    return VIRTIO_GPU_RESP_OK_NODATA;
}

static uint32_t attach(VirtioGpu *s, const Request *req, VirtElement *e, Reply *reply)
{
    GpuResource *r = gpu_resource(&s->store, req->attach.resource_id);
    uint32_t n = req->attach.nr_entries;
    size_t at = sizeof req->attach;

    (void)reply;
    if (!r) {
        return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
    }
    if (r->entries || !n || n > GPU_MAX_ENTRIES ||
        e->out_bytes < at + n * sizeof(struct virtio_gpu_mem_entry)) {
        return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
    }
    struct virtio_gpu_mem_entry *raw = g_new(struct virtio_gpu_mem_entry, n);
    GpuEntry *entries = g_new(GpuEntry, n);
    iov_to_buf(e->out, e->n_out, at, raw, n * sizeof *raw);
    for (uint32_t i = 0; i < n; i++) {
        entries[i] = (GpuEntry){raw[i].addr, raw[i].length};
    }
    g_free(raw);
    return gpu_resource_attach(&s->store, r, entries, n) ? VIRTIO_GPU_RESP_OK_NODATA
                                                         : VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
}

static uint32_t detach(VirtioGpu *s, const Request *req, VirtElement *e, Reply *reply)
{
    GpuResource *r = gpu_resource(&s->store, req->detach.resource_id);

    (void)e, (void)reply;
    if (!r || !r->entries) {
        return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
    }
    gpu_resource_detach(&s->store, r);
    return VIRTIO_GPU_RESP_OK_NODATA;
}

static uint32_t cursor(VirtioGpu *s, const Request *req, VirtElement *e, Reply *reply)
{
    (void)e, (void)reply;
    if (req->cursor.pos.scanout_id >= s->n_scanouts) {
        return VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
    }
    Scanout *o = &s->scanouts[req->cursor.pos.scanout_id];
    o->cursor_x = req->cursor.pos.x;
    o->cursor_y = req->cursor.pos.y;
    if (req->hdr.type == VIRTIO_GPU_CMD_UPDATE_CURSOR) {
        o->cursor_id = req->cursor.resource_id;
        o->hot_x = req->cursor.hot_x;
        o->hot_y = req->cursor.hot_y;
        show_cursor(o);
    }
    move_cursor(o);
    return VIRTIO_GPU_RESP_OK_NODATA;
}

static const struct {
    uint32_t type;
    uint8_t queue;
    size_t bytes; /* of the request, at least */
    Command *run;
} commands[] = {
    {VIRTIO_GPU_CMD_GET_DISPLAY_INFO, QUEUE_CONTROL, sizeof(struct virtio_gpu_ctrl_hdr),
     get_display_info},
    {VIRTIO_GPU_CMD_GET_EDID, QUEUE_CONTROL, sizeof(struct virtio_gpu_cmd_get_edid), get_edid},
    {VIRTIO_GPU_CMD_RESOURCE_CREATE_2D, QUEUE_CONTROL, sizeof(struct virtio_gpu_resource_create_2d),
     create_2d},
    {VIRTIO_GPU_CMD_RESOURCE_UNREF, QUEUE_CONTROL, sizeof(struct virtio_gpu_resource_unref), unref},
    {VIRTIO_GPU_CMD_SET_SCANOUT, QUEUE_CONTROL, sizeof(struct virtio_gpu_set_scanout), set_scanout},
    {VIRTIO_GPU_CMD_RESOURCE_FLUSH, QUEUE_CONTROL, sizeof(struct virtio_gpu_resource_flush), flush},
    {VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, QUEUE_CONTROL,
     sizeof(struct virtio_gpu_transfer_to_host_2d), transfer},
    {VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING, QUEUE_CONTROL,
     sizeof(struct virtio_gpu_resource_attach_backing), attach},
    {VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING, QUEUE_CONTROL,
     sizeof(struct virtio_gpu_resource_detach_backing), detach},
    {VIRTIO_GPU_CMD_UPDATE_CURSOR, QUEUE_CURSOR, sizeof(struct virtio_gpu_update_cursor), cursor},
    {VIRTIO_GPU_CMD_MOVE_CURSOR, QUEUE_CURSOR, sizeof(struct virtio_gpu_update_cursor), cursor},
};

static uint32_t run(VirtioGpu *s, VirtQueue *q, VirtElement *e, const Request *req, Reply *reply)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (commands[i].type == req->hdr.type && commands[i].queue == q->index) {
            return e->out_bytes < commands[i].bytes ? VIRTIO_GPU_RESP_ERR_UNSPEC
                                                    : commands[i].run(s, req, e, reply);
        }
    }
    device_guest_error(&s->v.pci.dev, "no command 0x%x on queue %u", req->hdr.type, q->index);
    return VIRTIO_GPU_RESP_ERR_UNSPEC;
}

static void gpu_kick(VirtioDevice *v, VirtQueue *q)
{
    VirtioGpu *s = (VirtioGpu *)v;
    VirtElement *e;

    while ((e = virtq_pop(q, sizeof *e))) {
        Request req = {0};
        Reply reply = {.bytes = sizeof reply.hdr};

        iov_to_buf(e->out, e->n_out, 0, &req, sizeof req);
        reply.hdr.type = run(s, q, e, &req, &reply);
        if (req.hdr.flags & VIRTIO_GPU_FLAG_FENCE) {
            reply.hdr.flags = VIRTIO_GPU_FLAG_FENCE;
            reply.hdr.fence_id = req.hdr.fence_id;
            reply.hdr.ctx_id = req.hdr.ctx_id;
        }
        virtq_push(q, e, iov_from_buf(e->in, e->n_in, 0, &reply, reply.bytes));
    }
    virtq_notify(q);
}

/* ---- configuration space */

static void gpu_config(VirtioDevice *v, uint8_t *buf)
{
    VirtioGpu *s = (VirtioGpu *)v;
    struct virtio_gpu_config c = {.events_read = s->events, .num_scanouts = s->n_scanouts};

    memcpy(buf, &c, sizeof c);
}

static void gpu_config_write(VirtioDevice *v, const uint8_t *buf, unsigned offset, unsigned bytes)
{
    VirtioGpu *s = (VirtioGpu *)v;

    (void)bytes;
    if (offset / 4 == offsetof(struct virtio_gpu_config, events_clear) / 4) {
        s->events &= ~load_le32(buf + offsetof(struct virtio_gpu_config, events_clear));
    }
}

static void set_size(void *opaque, uint32_t width, uint32_t height)
{
    Scanout *o = opaque;

    if (o->want_width != width || o->want_height != height) {
        o->want_width = width;
        o->want_height = height;
        o->gpu->events |= VIRTIO_GPU_EVENT_DISPLAY;
        virtio_config_changed(&o->gpu->v);
    }
}

/* ---- life */

static bool gpu_realize(VirtioDevice *v, Error *err)
{
    static const ConsoleOps ops = {.set_size = set_size};
    VirtioGpu *s = (VirtioGpu *)v;
    const char *id = v->pci.dev.id;

    if (!s->n_scanouts || s->n_scanouts > VIRTIO_GPU_MAX_SCANOUTS) {
        return error_set(err, "max_outputs=%u: not 1 to %u", s->n_scanouts,
                         VIRTIO_GPU_MAX_SCANOUTS);
    }
    if (!s->xres || s->xres > DISPLAY_MAX_SIDE || !s->yres || s->yres > DISPLAY_MAX_SIDE) {
        return error_set(err, "xres=%u,yres=%u: not 1 to %u", s->xres, s->yres, DISPLAY_MAX_SIDE);
    }
    v->host_features |= s->edid ? VIRTIO_BIT(VIRTIO_GPU_F_EDID) : 0;
    v->queues[QUEUE_CURSOR].max_size = CURSOR_SIZE;
    gpu_store_init(&s->store);
    for (uint32_t i = 0; i < s->n_scanouts; i++) {
        Scanout *o = &s->scanouts[i];
        char *name = i ? g_strdup_printf("%s.%u", id, i) : g_strdup(id);
        *o = (Scanout){.gpu = s};
        o->console = console_new(v->pci.dev.machine, name, &ops, o);
        g_free(name);
    }
    s->scanouts[0].want_width = s->xres;
    s->scanouts[0].want_height = s->yres;
    return true;
}

static void gpu_unrealize(VirtioDevice *v)
{
    VirtioGpu *s = (VirtioGpu *)v;

    for (uint32_t i = 0; i < VIRTIO_GPU_MAX_SCANOUTS; i++) {
        console_free(s->scanouts[i].console);
        s->scanouts[i].console = NULL;
    }
    gpu_store_free(&s->store);
}

static void gpu_reset(VirtioDevice *v)
{
    VirtioGpu *s = (VirtioGpu *)v;

    for (uint32_t i = 0; i < s->n_scanouts; i++) {
        Scanout *o = &s->scanouts[i];
        hide(o);
        o->cursor_id = o->cursor_x = o->cursor_y = o->hot_x = o->hot_y = 0;
        show_cursor(o);
        move_cursor(o);
    }
    gpu_store_clear(&s->store);
    s->events = 0;
}

/* ---- state */

static bool scanout_save(const Scanout *o, StateStream *to)
{
    const uint32_t words[] = {o->resource_id, o->rect.x,    o->rect.y,   o->rect.width,
                              o->rect.height, o->cursor_id, o->cursor_x, o->cursor_y,
                              o->hot_x,       o->hot_y};
    bool ok = true;

    for (size_t i = 0; ok && i < G_N_ELEMENTS(words); i++) {
        ok = state_put_u32(to, words[i]);
    }
    return ok;
}

static bool scanout_load(Scanout *o, StateStream *from)
{
    uint32_t *const words[] = {&o->resource_id, &o->rect.x,    &o->rect.y,   &o->rect.width,
                               &o->rect.height, &o->cursor_id, &o->cursor_x, &o->cursor_y,
                               &o->hot_x,       &o->hot_y};

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (!state_get_u32(from, words[i])) {
            return false;
        }
    }
    const GpuResource *r = gpu_resource(&o->gpu->store, o->resource_id);
    return !o->resource_id || (r && gpu_rect_fits(r, &o->rect));
}

static bool gpu_save(Device *d, StateStream *to)
{
    const VirtioGpu *s = (VirtioGpu *)d;
    bool ok = state_put_u32(to, s->n_scanouts) && gpu_store_save(&s->store, to);

    for (uint32_t i = 0; ok && i < s->n_scanouts; i++) {
        ok = scanout_save(&s->scanouts[i], to);
    }
    return ok;
}

/* Everything off before the pictures go that consoles point into. */
static void all_off(VirtioGpu *s)
{
    for (uint32_t i = 0; i < s->n_scanouts; i++) {
        hide(&s->scanouts[i]);
    }
}

static bool gpu_load(Device *d, StateStream *from, Error *err)
{
    VirtioGpu *s = (VirtioGpu *)d;
    uint32_t n;

    all_off(s);
    if (!state_get_u32(from, &n) || n != s->n_scanouts) {
        return error_set(err, "max_outputs differs");
    }
    if (!gpu_store_load(&s->store, from, err)) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!scanout_load(&s->scanouts[i], from)) {
            all_off(s);
            return error_set(err, "output %u", i);
        }
        show(&s->scanouts[i]);
        show_cursor(&s->scanouts[i]);
        move_cursor(&s->scanouts[i]);
    }
    return true;
}

/* ---- the classes */

static const VirtioClass gpu_virtio = {
    .id = VIRTIO_ID_GPU,
    .config_bytes = sizeof(struct virtio_gpu_config),
    .n_queues = N_QUEUES,
    .queue_size = CONTROL_SIZE,
    .defer_kicks = true,
    .realize = gpu_realize,
    .unrealize = gpu_unrealize,
    .reset = gpu_reset,
    .kick = gpu_kick,
    .config_read = gpu_config,
    .config_write = gpu_config_write,
};

#define GPU_PROPS                                                                                  \
    {.name = "max_outputs",                                                                        \
     .kind = PROP_U32,                                                                             \
     PROP(VirtioGpu, n_scanouts),                                                                  \
     .initial = "1",                                                                               \
     .help = "monitors that can be connected"},                                                    \
        {.name = "xres",                                                                           \
         .kind = PROP_U32,                                                                         \
         PROP(VirtioGpu, xres),                                                                    \
         .initial = "1280",                                                                        \
         .help = "width of the first monitor, pixels"},                                            \
        {.name = "yres",                                                                           \
         .kind = PROP_U32,                                                                         \
         PROP(VirtioGpu, yres),                                                                    \
         .initial = "800",                                                                         \
         .help = "height of the first monitor, pixels"},                                           \
        {.name = "edid",                                                                           \
         .kind = PROP_BOOL,                                                                        \
         PROP(VirtioGpu, edid),                                                                    \
         .initial = "on",                                                                          \
         .help = "monitors describe themselves"},                                                  \
    {                                                                                              \
        .name = "max_hostmem", .kind = PROP_SIZE, PROP(VirtioGpu, store.max_bytes),                \
        .initial = "256M", .help = "memory for pictures"                                           \
    }
#define GPU_STATE                                                                                  \
    VIRTIO_STATE, {STATE_FIELD(STATE_U32, VirtioGpu, events)},                                     \
    {                                                                                              \
        .name = "pictures", .kind = STATE_CUSTOM, .save = gpu_save, .load = gpu_load               \
    }

static const PropDesc gpu_pci_props[] = {VIRTIO_PCI_PROPS, GPU_PROPS, {0}};
static const PropDesc gpu_mmio_props[] = {VIRTIO_MMIO_PROPS, GPU_PROPS, {0}};
static const StateDesc gpu_pci_state[] = {PCI_STATE, GPU_STATE, {0}};
static const StateDesc gpu_mmio_state[] = {GPU_STATE, {0}};
static const VirtioPciClass gpu_pci = VIRTIO_PCI_CLASS(&gpu_virtio, VIRTIO_ID_GPU, 0x038000);

const DeviceClass virtio_gpu_pci_class = {
    .name = "virtio-gpu-pci",
    .alias = "virtio-gpu",
    .title = "virtio graphics, 2D",
    .category = "display",
    .bytes = sizeof(VirtioGpu),
    VIRTIO_PCI_HOOKS,
    .bus_class = &gpu_pci,
    .props = gpu_pci_props,
    .state = gpu_pci_state,
};

const DeviceClass virtio_gpu_device_class = {
    .name = "virtio-gpu-device",
    .title = "virtio graphics, 2D, on a virtio-mmio slot",
    .category = "display",
    .bytes = sizeof(VirtioGpu),
    VIRTIO_MMIO_HOOKS,
    .bus_class = &gpu_virtio,
    .props = gpu_mmio_props,
    .state = gpu_mmio_state,
};
