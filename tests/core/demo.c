/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/core/demo.h"

#include <glib.h>
#include <string.h>

#include "core/machine.h"
#include "core/state.h"

static Demo *demo_of(Device *d)
{
    return (Demo *)d;
}

static uint64_t id_read(Device *d, unsigned index)
{
    (void)d;
    (void)index;
    return 0xde300001;
}

static uint64_t fifo_read(Device *d, unsigned index)
{
    Demo *x = demo_of(d);
    uint8_t v = x->fifo_len ? x->fifo[0] : 0;

    (void)index;
    if (x->fifo_len) {
        memmove(x->fifo, x->fifo + 1, --x->fifo_len);
    }
    return v;
}

static void fifo_write(Device *d, unsigned index, uint64_t v)
{
    Demo *x = demo_of(d);

    (void)index;
    if (x->fifo_len < DEMO_LOG_BYTES) {
        x->fifo[x->fifo_len++] = (uint8_t)v;
    }
}

static void ctrl_wrote(Device *d, unsigned index, uint64_t old)
{
    Demo *x = demo_of(d);

    (void)index;
    if (x->ctrl & ~old & 1) {
        timer_set(&x->tick, clock_ns(d->machine, CLOCK_VM) + 1000 * (int64_t)x->period_us);
    }
}

static uint64_t count_read(Device *d, unsigned index)
{
    (void)index;
    return clock_ticks(d->machine, 1000000) & UINT32_MAX;
}

static void demo_tick(void *opaque)
{
    Demo *x = opaque;

    x->status |= 1;
    x->dev.cls->sync(&x->dev);
}

static void channel_done(void *opaque)
{
    DemoChannel *c = opaque;

    c->busy = false;
}

static void demo_sync(Device *d)
{
    Demo *x = demo_of(d);

    x->syncs++;
    pin_set(&x->irq, (x->status & x->mask) != 0 || x->in);
}

static void demo_in(Device *d, unsigned n, bool level)
{
    demo_of(d)->in = level && n == 1;
    demo_sync(d);
}

static bool demo_realize(Device *d, Error *err)
{
    Demo *x = demo_of(d);

    if (x->period_us > 1000000) {
        return error_set(err, "property period_us: at most 1000000");
    }
    timer_init(&x->tick, d->machine, CLOCK_VM, demo_tick, x);
    for (unsigned i = 0; i < 2; i++) {
        timer_init(&x->channels[i].done, d->machine, CLOCK_VM, channel_done, &x->channels[i]);
    }
    x->blob = g_byte_array_new();
    return true;
}

static void demo_unrealize(Device *d)
{
    g_byte_array_free(demo_of(d)->blob, TRUE);
}

static void demo_reset(Device *d, ResetPhase phase)
{
    Demo *x = demo_of(d);

    x->resets += phase == RESET_ENTER;
    if (phase == RESET_ENTER) {
        g_byte_array_set_size(x->blob, 0);
    }
}

static bool demo_validate(Device *d, Error *err)
{
    Demo *x = demo_of(d);

    return x->fifo_len <= DEMO_LOG_BYTES || error_set(err, "fifo_len %u is too large", x->fifo_len);
}

static bool blob_save(Device *d, StateStream *s)
{
    GByteArray *b = demo_of(d)->blob;

    return state_put_u32(s, b->len) && state_put_bytes(s, b->data, b->len);
}

static bool blob_load(Device *d, StateStream *s, Error *err)
{
    GByteArray *b = demo_of(d)->blob;
    uint32_t n;

    if (!state_get_u32(s, &n) || n > 4096) {
        return error_set(err, "blob of %u bytes", n);
    }
    g_byte_array_set_size(b, n);
    return state_get_bytes(s, b->data, n) || error_set(err, "blob ends too early");
}

static const RegDesc demo_regs[] = {
    {DEMO_ID, "ID", REG_RO, .read = id_read},
    {DEMO_CTRL, "CTRL", REG_RW, FIELD(Demo, ctrl), .wmask = 0xff, .wrote = ctrl_wrote},
    {DEMO_STATUS, "STATUS", REG_W1C, FIELD(Demo, status), .wmask = 0xf},
    {DEMO_SET, "SET", REG_W1S, FIELD(Demo, mask), .reset = 0x2},
    {DEMO_CLR, "CLR", REG_W1C, FIELD(Demo, mask)},
    {DEMO_COUNT, "COUNT", REG_RO, .read = count_read},
    {DEMO_WIDE, "WIDE", REG_RW, .bytes = 8, FIELD(Demo, wide), .reset = 0x1122334455667788},
    {DEMO_FIFO, "FIFO", REG_RW, .read = fifo_read, .write = fifo_write},
    {DEMO_SECRET, "SECRET", REG_WO, FIELD(Demo, secret)},
    {DEMO_CHAN, "CHAN", REG_RW, .stride = 8, FIELD_ARRAY(Demo, chan)},
    {DEMO_BYTES, "BYTE", REG_RW, .bytes = 1, FIELD_ARRAY(Demo, bytes)},
    {0}};

static const StateDesc demo_channel_state[] = {{STATE_FIELD(STATE_U32, DemoChannel, length)},
                                               {STATE_FIELD(STATE_BOOL, DemoChannel, busy)},
                                               {STATE_FIELD(STATE_TIMER, DemoChannel, done)},
                                               {0}};

static const StateDesc demo_state[] = {
    {STATE_FIELD(STATE_BYTES, Demo, fifo)},
    {STATE_FIELD(STATE_U32, Demo, fifo_len)},
    {STATE_FIELD(STATE_BOOL, Demo, in), .keep = true},
    {STATE_ARRAY(STATE_STRUCT, Demo, channels), .sub = demo_channel_state},
    {STATE_FIELD(STATE_TIMER, Demo, tick)},
    {.name = "blob", .kind = STATE_CUSTOM, .since = 2, .save = blob_save, .load = blob_load},
    {0}};

static const char *const demo_modes[] = {"slow", "normal", "turbo", NULL};
static const PropDesc demo_props[] = {
    {"period_us", PROP_U32, PROP(Demo, period_us), "100", "ticks"},
    {"label", PROP_STRING, PROP(Demo, label), "none", "a name"},
    {"fast", PROP_BOOL, PROP(Demo, fast)},
    {"mode", PROP_ENUM, PROP(Demo, mode), "normal", .names = demo_modes},
    {"room", PROP_SIZE, PROP(Demo, room), "64k"},
    {"mac", PROP_MAC, PROP(Demo, mac)},
    {"chardev", PROP_CHARDEV, PROP(Demo, chardev)},
    {"buddy", PROP_LINK, PROP(Demo, buddy)},
    {0}};

static const MmioDesc demo_mmio[] = {
    {.name = "regs", .bytes = 0x100, .regs = demo_regs, .reg_bytes = 4, .max_bytes = 8}, {0}};

static const PinDesc demo_pins[] = {
    {"irq", .out = true, .offset = offsetof(Demo, irq)}, {"in", .count = 2, .set = demo_in}, {0}};

const DeviceClass demo_class = {
    .name = "demo",
    .title = "device of the tests",
    .category = "misc",
    .bytes = sizeof(Demo),
    .version = 2,
    .bus = BUS_SYSTEM,
    .mmio = demo_mmio,
    .state = demo_state,
    .props = demo_props,
    .pins = demo_pins,
    .realize = demo_realize,
    .unrealize = demo_unrealize,
    .reset = demo_reset,
    .sync = demo_sync,
    .validate = demo_validate,
};
