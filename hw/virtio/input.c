/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio input devices: keyboard, mouse, tablet. Source: VIRTIO 1.2, section 5.8; event codes are
 * those of Linux evdev, as in core/input.h.
 *
 * A variant is a table: which kinds of events it takes and which codes it says it has. Events wait
 * in a bounded queue until the driver posts buffers; a report is complete with its EV_SYN. Not
 * modelled: multi-touch, passing host devices through.
 */
#include <linux/input-event-codes.h>
#include <linux/virtio_input.h>
#include <string.h>

#include "core/input.h"
#include "core/machine.h"
#include "hw/classes.h"
#include "hw/virtio.h"
#include "util/bits.h"

enum {
    QUEUE_EVENTS,
    QUEUE_STATUS,
    QUEUE_SIZE = 64,
    EVENT_BYTES = 8,
    MAX_EVENTS = 256,
    CONFIG_HEAD = 8,
    CONFIG_DATA = 128,
    BUS_VIRTUAL_ID = 6
};

/* Codes of one event type: a range; the table ends with type EV_SYN. */
typedef struct CodeRange {
    uint8_t type;
    uint16_t first, last;
} CodeRange;

typedef struct InputVariant {
    VirtioClass virtio; /* must be first */
    const char *name;
    uint16_t product;
    uint32_t kinds; /* 1 << InputKind */
    const CodeRange *codes;
} InputVariant;

typedef struct VirtioInput {
    VirtioDevice v; /* must be first */
    InputSink sink;
    /* state */
    uint8_t select, subsel;
    uint32_t leds;
    uint8_t events[MAX_EVENTS][EVENT_BYTES];
    uint32_t first, count;
} VirtioInput;

static const InputVariant *variant(const VirtioInput *s)
{
    return (const InputVariant *)s->v.vclass;
}

/* ---- events to the driver */

static void flush(VirtioInput *s)
{
    VirtQueue *q = &s->v.queues[QUEUE_EVENTS];
    VirtElement *e;

    while (s->count && (e = virtq_pop(q, sizeof *e))) {
        size_t n = iov_from_buf(e->in, e->n_in, 0, s->events[s->first], EVENT_BYTES);
        virtq_push(q, e, n);
        s->first = (s->first + 1) % MAX_EVENTS;
        s->count--;
    }
    virtq_notify(q);
}

static void put(VirtioInput *s, uint16_t type, uint16_t code, int32_t value)
{
    if (s->count == MAX_EVENTS) {
        return; /* nobody reads */
    }
    uint8_t *e = s->events[(s->first + s->count++) % MAX_EVENTS];
    store_le16(e, type);
    store_le16(e + 2, code);
    store_le32(e + 4, (uint32_t)value);
}

static void input_event(void *opaque, const InputEvent *e)
{
    static const uint16_t rel[] = {REL_X, REL_Y, REL_WHEEL, REL_HWHEEL};
    VirtioInput *s = opaque;

    if (!virtio_is_running(&s->v)) {
        return;
    }
    switch (e->kind) {
    case INPUT_KEY:
    case INPUT_BUTTON: put(s, EV_KEY, e->code, e->value); break;
    case INPUT_REL:
        if (e->code < sizeof rel / sizeof rel[0]) {
            put(s, EV_REL, rel[e->code], e->value);
        }
        break;
    case INPUT_ABS: put(s, EV_ABS, e->code == INPUT_X ? ABS_X : ABS_Y, e->value); break;
    default:
        put(s, EV_SYN, SYN_REPORT, 0);
        flush(s);
        break;
    }
}

/* ---- status from the driver: keyboard lights */

static void read_status(VirtioInput *s, VirtQueue *q)
{
    uint8_t raw[EVENT_BYTES];
    VirtElement *e;

    while ((e = virtq_pop(q, sizeof *e))) {
        size_t n = iov_to_buf(e->out, e->n_out, 0, raw, sizeof raw);
        uint16_t code = load_le16(raw + 2);
        virtq_push(q, e, 0);
        if (n == sizeof raw && load_le16(raw) == EV_LED && code <= LED_SCROLLL) {
            s->leds = deposit32(s->leds, code, 1, load_le32(raw + 4) & 1);
            input_set_leds(s->v.pci.dev.machine, s->leds);
        }
    }
    virtq_notify(q);
}

static void input_kick(VirtioDevice *v, VirtQueue *q)
{
    VirtioInput *s = (VirtioInput *)v;

    if (q->index == QUEUE_EVENTS) {
        flush(s);
    } else {
        read_status(s, q);
    }
}

/* ---- configuration: the driver selects a question and reads size and answer */

static unsigned bitmap(const InputVariant *var, unsigned type, uint8_t *data)
{
    unsigned bytes = 0;

    for (const CodeRange *c = var->codes; c->type != EV_SYN; c++) {
        for (unsigned code = c->first; c->type == type && code <= c->last; code++) {
            data[code / 8] |= (uint8_t)(1u << code % 8);
            bytes = code / 8 + 1 > bytes ? code / 8 + 1 : bytes;
        }
    }
    return bytes;
}

static unsigned answer(const VirtioInput *s, uint8_t *data)
{
    const InputVariant *var = variant(s);

    switch (s->select) {
    case VIRTIO_INPUT_CFG_ID_NAME:
        memcpy(data, var->name, strlen(var->name));
        return (unsigned)strlen(var->name);
    case VIRTIO_INPUT_CFG_ID_DEVIDS:
        store_le16(data, BUS_VIRTUAL_ID);
        store_le16(data + 2, 0x0627);
        store_le16(data + 4, var->product);
        store_le16(data + 6, 1);
        return 8;
    case VIRTIO_INPUT_CFG_EV_BITS: return bitmap(var, s->subsel, data);
    case VIRTIO_INPUT_CFG_ABS_INFO:
        if (!(var->kinds & 1 << INPUT_ABS) || s->subsel > ABS_Y) {
            return 0;
        }
        store_le32(data + 4, INPUT_ABS_MAX);
        return 20;
    default: return 0;
    }
}

static void input_config(VirtioDevice *v, uint8_t *buf)
{
    VirtioInput *s = (VirtioInput *)v;

    buf[0] = s->select;
    buf[1] = s->subsel;
    buf[2] = (uint8_t)answer(s, buf + CONFIG_HEAD);
}

static void input_config_write(VirtioDevice *v, const uint8_t *buf, unsigned offset, unsigned bytes)
{
    VirtioInput *s = (VirtioInput *)v;

    (void)bytes;
    if (offset <= 1) {
        s->select = buf[0];
        s->subsel = buf[1];
    }
}

/* ---- life */

static bool input_realize(VirtioDevice *v, Error *err)
{
    VirtioInput *s = (VirtioInput *)v;

    (void)err;
    s->sink = (InputSink){
        .name = v->pci.dev.id, .kinds = variant(s)->kinds, .event = input_event, .opaque = s};
    input_sink_add(v->pci.dev.machine, &s->sink);
    return true;
}

static void input_unrealize(VirtioDevice *v)
{
    input_sink_remove(v->pci.dev.machine, &((VirtioInput *)v)->sink);
}

static void input_reset(VirtioDevice *v)
{
    VirtioInput *s = (VirtioInput *)v;

    s->select = s->subsel = 0;
    s->first = s->count = 0;
    s->leds = 0;
}

static bool input_validate(Device *d, Error *err)
{
    VirtioInput *s = (VirtioInput *)d;

    if (s->first >= MAX_EVENTS || s->count > MAX_EVENTS) {
        s->first = s->count = 0;
        return error_set(err, "%s: saved events are not valid", d->id);
    }
    return true;
}

static bool input_pci_validate(PciDevice *p, Error *err)
{
    return input_validate(&p->dev, err);
}

#define INPUT_VIRTIO                                                                               \
    {                                                                                              \
        .id = VIRTIO_ID_INPUT, .config_bytes = CONFIG_HEAD + CONFIG_DATA, .n_queues = 2,           \
        .queue_size = QUEUE_SIZE, .realize = input_realize, .unrealize = input_unrealize,          \
        .reset = input_reset, .kick = input_kick, .config_read = input_config,                     \
        .config_write = input_config_write                                                         \
    }

static const CodeRange keyboard_codes[] = {{EV_KEY, KEY_ESC, KEY_MICMUTE},
                                           {EV_REP, REP_DELAY, REP_PERIOD},
                                           {EV_LED, LED_NUML, LED_SCROLLL},
                                           {0}};
static const CodeRange mouse_codes[] = {{EV_KEY, BTN_LEFT, BTN_EXTRA},
                                        {EV_REL, REL_X, REL_Y},
                                        {EV_REL, REL_HWHEEL, REL_HWHEEL},
                                        {EV_REL, REL_WHEEL, REL_WHEEL},
                                        {0}};
static const CodeRange tablet_codes[] = {{EV_KEY, BTN_LEFT, BTN_EXTRA},
                                         {EV_ABS, ABS_X, ABS_Y},
                                         {EV_REL, REL_HWHEEL, REL_HWHEEL},
                                         {EV_REL, REL_WHEEL, REL_WHEEL},
                                         {0}};

static const InputVariant keyboard = {.virtio = INPUT_VIRTIO,
                                      .name = "Gemel Virtio Keyboard",
                                      .product = 1,
                                      .kinds = 1 << INPUT_KEY,
                                      .codes = keyboard_codes};
static const InputVariant mouse = {.virtio = INPUT_VIRTIO,
                                   .name = "Gemel Virtio Mouse",
                                   .product = 2,
                                   .kinds = 1 << INPUT_BUTTON | 1 << INPUT_REL,
                                   .codes = mouse_codes};
static const InputVariant tablet = {.virtio = INPUT_VIRTIO,
                                    .name = "Gemel Virtio Tablet",
                                    .product = 3,
                                    .kinds = 1 << INPUT_BUTTON | 1 << INPUT_ABS | 1 << INPUT_REL,
                                    .codes = tablet_codes};

#define INPUT_STATE                                                                                \
    VIRTIO_STATE, {STATE_FIELD(STATE_U8, VirtioInput, select)},                                    \
        {STATE_FIELD(STATE_U8, VirtioInput, subsel)}, {STATE_FIELD(STATE_U32, VirtioInput, leds)}, \
        {STATE_FIELD(STATE_BYTES, VirtioInput, events)},                                           \
        {STATE_FIELD(STATE_U32, VirtioInput, first)},                                              \
    {                                                                                              \
        STATE_FIELD(STATE_U32, VirtioInput, count)                                                 \
    }

static const PropDesc input_pci_props[] = {VIRTIO_PCI_PROPS, {0}};
static const PropDesc input_mmio_props[] = {VIRTIO_MMIO_PROPS, {0}};
static const StateDesc input_pci_state[] = {PCI_STATE, INPUT_STATE, {0}};
static const StateDesc input_mmio_state[] = {INPUT_STATE, {0}};

#define INPUT_PCI(var, code)                                                                       \
    {                                                                                              \
        .pci = VIRTIO_PCI_PART(VIRTIO_ID_INPUT, code, .validate = input_pci_validate),             \
        .virtio = &(var).virtio                                                                    \
    }
static const VirtioPciClass keyboard_pci = INPUT_PCI(keyboard, 0x090000);
static const VirtioPciClass mouse_pci = INPUT_PCI(mouse, 0x090200);
static const VirtioPciClass tablet_pci = INPUT_PCI(tablet, 0x090200);

#define INPUT_PCI_CLASS(class_name, class_alias, class_title, pci)                                 \
    {                                                                                              \
        .name = class_name, .alias = class_alias, .title = class_title, .category = "input",       \
        .bytes = sizeof(VirtioInput), VIRTIO_PCI_HOOKS, .bus_class = &(pci),                       \
        .props = input_pci_props, .state = input_pci_state                                         \
    }
#define INPUT_MMIO_CLASS(class_name, class_title, var)                                             \
    {                                                                                              \
        .name = class_name, .title = class_title, .category = "input",                             \
        .bytes = sizeof(VirtioInput), VIRTIO_MMIO_HOOKS, .validate = input_validate,               \
        .bus_class = &(var).virtio, .props = input_mmio_props, .state = input_mmio_state           \
    }

const DeviceClass virtio_keyboard_pci_class =
    INPUT_PCI_CLASS("virtio-keyboard-pci", "virtio-keyboard", "virtio keyboard", keyboard_pci);
const DeviceClass virtio_mouse_pci_class =
    INPUT_PCI_CLASS("virtio-mouse-pci", "virtio-mouse", "virtio mouse", mouse_pci);
const DeviceClass virtio_tablet_pci_class =
    INPUT_PCI_CLASS("virtio-tablet-pci", "virtio-tablet", "virtio tablet", tablet_pci);
const DeviceClass virtio_keyboard_device_class =
    INPUT_MMIO_CLASS("virtio-keyboard-device", "virtio keyboard on a virtio-mmio slot", keyboard);
const DeviceClass virtio_mouse_device_class =
    INPUT_MMIO_CLASS("virtio-mouse-device", "virtio mouse on a virtio-mmio slot", mouse);
const DeviceClass virtio_tablet_device_class =
    INPUT_MMIO_CLASS("virtio-tablet-device", "virtio tablet on a virtio-mmio slot", tablet);
