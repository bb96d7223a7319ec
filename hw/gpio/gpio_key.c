/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A push button on a GPIO line: high while held. A press lasts 100 ms, longer than drivers
 * debounce.
 */
#include "core/fdt.h"
#include "core/input.h"
#include "hw/arm.h"

enum { HELD_NS = 100000000, LINUX_KEY_POWER = 116 };

typedef struct GpioKey {
    Device dev;
    /* wiring */
    PinOut out;
    Device *gpio; /* the controller it is wired to, for the tree */
    uint32_t line;
    /* state */
    Timer release;
    bool held;
} GpioKey;

static void gpio_key_sync(Device *d)
{
    GpioKey *s = (GpioKey *)d;

    pin_set(&s->out, s->held);
}

static void gpio_key_release(void *opaque)
{
    GpioKey *s = opaque;

    s->held = false;
    gpio_key_sync(&s->dev);
}

void gpio_key_press(Device *d)
{
    GpioKey *s = (GpioKey *)d;

    s->held = true;
    timer_set(&s->release, clock_ns(d->machine, CLOCK_VM) + HELD_NS);
    gpio_key_sync(d);
}

static bool gpio_key_realize(Device *d, Error *err)
{
    GpioKey *s = (GpioKey *)d;

    (void)err;
    timer_init(&s->release, d->machine, CLOCK_VM, gpio_key_release, s);
    return true;
}

static void gpio_key_unrealize(Device *d)
{
    timer_cancel(&((GpioKey *)d)->release);
}

static void gpio_key_fdt(Device *d, Fdt *fdt)
{
    GpioKey *s = (GpioKey *)d;

    if (!s->gpio) {
        return;
    }
    fdt_node(fdt, "/gpio-keys");
    fdt_string(fdt, "compatible", "gpio-keys");
    fdt_node(fdt, "/gpio-keys/poweroff");
    fdt_string(fdt, "label", "GPIO Key Poweroff");
    fdt_u32(fdt, "linux,code", LINUX_KEY_POWER);
    fdt_cells(fdt, "gpios", (uint32_t[]){fdt_phandle(fdt, s->gpio->id), s->line, 0}, 3);
}

static const StateDesc gpio_key_state[] = {
    {STATE_FIELD(STATE_BOOL, GpioKey, held)}, {STATE_FIELD(STATE_TIMER, GpioKey, release)}, {0}};

static const PropDesc gpio_key_props[] = {
    {"gpio", PROP_LINK, PROP(GpioKey, gpio), .help = "controller of the line"},
    {"line", PROP_U32, PROP(GpioKey, line), .help = "number of the line there"},
    {0}};

static const PinDesc gpio_key_pins[] = {{"out", .out = true, .offset = offsetof(GpioKey, out)},
                                        {0}};

const DeviceClass gpio_key_class = {
    .name = "gpio-key",
    .title = "Push button on a GPIO line",
    .category = "input",
    .bytes = sizeof(GpioKey),
    .bus = BUS_SYSTEM,
    .internal = true,
    .state = gpio_key_state,
    .props = gpio_key_props,
    .pins = gpio_key_pins,
    .realize = gpio_key_realize,
    .unrealize = gpio_key_unrealize,
    .sync = gpio_key_sync,
    .fdt = gpio_key_fdt,
};
