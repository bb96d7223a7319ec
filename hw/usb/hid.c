/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USB keyboard, mouse and tablet. Sources: Device Class Definition for HID 1.11 (boot protocol:
 * appendix B), HID Usage Tables 1.12 section 10.
 *
 * A keyboard reports the set of keys that are down, so bursts (a pasted text, sendkey) would
 * collapse: key events wait in a queue and each report shows one more of them. A mouse adds up
 * movement until the host asks; button changes are queued like keys. A tablet reports positions of
 * 0..32767. Not modelled: idle rate (a report is sent when something changes), report protocol
 * changes.
 */
#include <linux/input-event-codes.h>
#include <string.h>

#include "core/input.h"
#include "core/machine.h"
#include "hw/iov.h"
#include "hw/usb.h"
#include "util/bits.h"

enum {
    HID_GET_REPORT = 1,
    HID_GET_IDLE,
    HID_GET_PROTOCOL,
    HID_SET_REPORT = 9,
    HID_SET_IDLE,
    HID_SET_PROTOCOL
};
enum { DT_HID = 0x21, DT_REPORT = 0x22, MAX_EVENTS = 64, MAX_KEYS = 6, KEYBOARD_BYTES = 8 };
enum { USAGE_ERROR_ROLLOVER = 1, USAGE_LEFT_CTRL = 0xe0 };

typedef enum HidKind { HID_KEYBOARD, HID_MOUSE, HID_TABLET } HidKind;

typedef struct UsbHid {
    UsbDevice u; /* must be first */
    InputSink sink;
    /* state */
    uint8_t idle, protocol, leds;
    bool changed;               /* there is something to report */
    uint8_t events[MAX_EVENTS]; /* keyboard: usage, queued; bit 7 of `down` array says pressed */
    uint8_t down[MAX_EVENTS];
    uint32_t first, count;
    uint8_t keys[32];        /* usages that are down as reported: bit map */
    uint8_t order[MAX_KEYS]; /* in the order they were pressed */
    uint8_t buttons;
    int32_t dx, dy, wheel, x, y;
} UsbHid;

static HidKind kind_of(const UsbHid *h)
{
    return h->u.dev.cls == &usb_kbd_class     ? HID_KEYBOARD
           : h->u.dev.cls == &usb_mouse_class ? HID_MOUSE
                                              : HID_TABLET;
}

/* ---- HID usages (page 7) of Linux key codes */

static const uint8_t usage_of_key[256] = {
    [KEY_A] = 0x04,
    [KEY_B] = 0x05,
    [KEY_C] = 0x06,
    [KEY_D] = 0x07,
    [KEY_E] = 0x08,
    [KEY_F] = 0x09,
    [KEY_G] = 0x0a,
    [KEY_H] = 0x0b,
    [KEY_I] = 0x0c,
    [KEY_J] = 0x0d,
    [KEY_K] = 0x0e,
    [KEY_L] = 0x0f,
    [KEY_M] = 0x10,
    [KEY_N] = 0x11,
    [KEY_O] = 0x12,
    [KEY_P] = 0x13,
    [KEY_Q] = 0x14,
    [KEY_R] = 0x15,
    [KEY_S] = 0x16,
    [KEY_T] = 0x17,
    [KEY_U] = 0x18,
    [KEY_V] = 0x19,
    [KEY_W] = 0x1a,
    [KEY_X] = 0x1b,
    [KEY_Y] = 0x1c,
    [KEY_Z] = 0x1d,
    [KEY_1] = 0x1e,
    [KEY_2] = 0x1f,
    [KEY_3] = 0x20,
    [KEY_4] = 0x21,
    [KEY_5] = 0x22,
    [KEY_6] = 0x23,
    [KEY_7] = 0x24,
    [KEY_8] = 0x25,
    [KEY_9] = 0x26,
    [KEY_0] = 0x27,
    [KEY_ENTER] = 0x28,
    [KEY_ESC] = 0x29,
    [KEY_BACKSPACE] = 0x2a,
    [KEY_TAB] = 0x2b,
    [KEY_SPACE] = 0x2c,
    [KEY_MINUS] = 0x2d,
    [KEY_EQUAL] = 0x2e,
    [KEY_LEFTBRACE] = 0x2f,
    [KEY_RIGHTBRACE] = 0x30,
    [KEY_BACKSLASH] = 0x31,
    [KEY_SEMICOLON] = 0x33,
    [KEY_APOSTROPHE] = 0x34,
    [KEY_GRAVE] = 0x35,
    [KEY_COMMA] = 0x36,
    [KEY_DOT] = 0x37,
    [KEY_SLASH] = 0x38,
    [KEY_CAPSLOCK] = 0x39,
    [KEY_F1] = 0x3a,
    [KEY_F2] = 0x3b,
    [KEY_F3] = 0x3c,
    [KEY_F4] = 0x3d,
    [KEY_F5] = 0x3e,
    [KEY_F6] = 0x3f,
    [KEY_F7] = 0x40,
    [KEY_F8] = 0x41,
    [KEY_F9] = 0x42,
    [KEY_F10] = 0x43,
    [KEY_F11] = 0x44,
    [KEY_F12] = 0x45,
    [KEY_SYSRQ] = 0x46,
    [KEY_SCROLLLOCK] = 0x47,
    [KEY_PAUSE] = 0x48,
    [KEY_INSERT] = 0x49,
    [KEY_HOME] = 0x4a,
    [KEY_PAGEUP] = 0x4b,
    [KEY_DELETE] = 0x4c,
    [KEY_END] = 0x4d,
    [KEY_PAGEDOWN] = 0x4e,
    [KEY_RIGHT] = 0x4f,
    [KEY_LEFT] = 0x50,
    [KEY_DOWN] = 0x51,
    [KEY_UP] = 0x52,
    [KEY_NUMLOCK] = 0x53,
    [KEY_KPSLASH] = 0x54,
    [KEY_KPASTERISK] = 0x55,
    [KEY_KPMINUS] = 0x56,
    [KEY_KPPLUS] = 0x57,
    [KEY_KPENTER] = 0x58,
    [KEY_KP1] = 0x59,
    [KEY_KP2] = 0x5a,
    [KEY_KP3] = 0x5b,
    [KEY_KP4] = 0x5c,
    [KEY_KP5] = 0x5d,
    [KEY_KP6] = 0x5e,
    [KEY_KP7] = 0x5f,
    [KEY_KP8] = 0x60,
    [KEY_KP9] = 0x61,
    [KEY_KP0] = 0x62,
    [KEY_KPDOT] = 0x63,
    [KEY_102ND] = 0x64,
    [KEY_COMPOSE] = 0x65,
    [KEY_POWER] = 0x66,
    [KEY_KPEQUAL] = 0x67,
    [KEY_RO] = 0x87,
    [KEY_KATAKANAHIRAGANA] = 0x88,
    [KEY_YEN] = 0x89,
    [KEY_HENKAN] = 0x8a,
    [KEY_MUHENKAN] = 0x8b,
    [KEY_HANGEUL] = 0x90,
    [KEY_HANJA] = 0x91,
    [KEY_LEFTCTRL] = 0xe0,
    [KEY_LEFTSHIFT] = 0xe1,
    [KEY_LEFTALT] = 0xe2,
    [KEY_LEFTMETA] = 0xe3,
    [KEY_RIGHTCTRL] = 0xe4,
    [KEY_RIGHTSHIFT] = 0xe5,
    [KEY_RIGHTALT] = 0xe6,
    [KEY_RIGHTMETA] = 0xe7,
};

/* ---- events from the user */

static void queue_event(UsbHid *h, uint8_t what, bool down)
{
    if (h->count < MAX_EVENTS) {
        unsigned at = (h->first + h->count++) % MAX_EVENTS;
        h->events[at] = what;
        h->down[at] = down;
    }
    h->changed = true;
}

/* What nobody fetches adds up to a limit. */
static void add_motion(int32_t *sum, int32_t delta)
{
    int64_t v = (int64_t)*sum + delta;

    *sum = (int32_t)(v > INT16_MAX ? INT16_MAX : v < -INT16_MAX ? -INT16_MAX : v);
}

static void hid_event(void *opaque, const InputEvent *e)
{
    UsbHid *h = opaque;

    switch (e->kind) {
    case INPUT_KEY:
        if (e->code < 256 && usage_of_key[e->code]) {
            queue_event(h, usage_of_key[e->code], e->value);
        }
        break;
    case INPUT_BUTTON:
        if (e->code >= BTN_LEFT && e->code <= BTN_EXTRA) {
            queue_event(h, (uint8_t)(e->code - BTN_LEFT), e->value);
        }
        break;
    case INPUT_REL:
        add_motion(e->code == INPUT_X   ? &h->dx
                   : e->code == INPUT_Y ? &h->dy
                                        : &h->wheel,
                   e->code == INPUT_HWHEEL ? 0 : e->value);
        h->changed = true;
        break;
    case INPUT_ABS:
        *(e->code == INPUT_X ? &h->x : &h->y) = e->value;
        h->changed = true;
        break;
    default:
        if (h->changed && h->u.configuration) {
            usb_wakeup(&h->u, 0x81);
        }
        break;
    }
}

/* ---- reports */

static void key_change(UsbHid *h, uint8_t usage, bool down)
{
    unsigned n = 0;

    h->keys[usage / 8] = (uint8_t)(down ? h->keys[usage / 8] | 1u << usage % 8
                                        : h->keys[usage / 8] & ~(1u << usage % 8));
    if (usage >= USAGE_LEFT_CTRL) {
        return;
    }
    for (unsigned i = 0; i < MAX_KEYS; i++) { /* out, and close the gap */
        if (h->order[i] && h->order[i] != usage) {
            h->order[n++] = h->order[i];
        }
    }
    memset(h->order + n, 0, MAX_KEYS - n);
    if (down && n < MAX_KEYS) {
        h->order[n] = usage;
    }
}

static unsigned keyboard_report(UsbHid *h, uint8_t *r)
{
    if (h->count) {
        key_change(h, h->events[h->first], h->down[h->first]);
        h->first = (h->first + 1) % MAX_EVENTS;
        h->count--;
    }
    r[0] = h->keys[USAGE_LEFT_CTRL / 8];
    memcpy(r + 2, h->order, MAX_KEYS);
    h->changed = h->count != 0;
    return KEYBOARD_BYTES;
}

static int32_t take(int32_t *from, int32_t limit)
{
    int32_t v = *from > limit ? limit : *from < -limit ? -limit : *from;

    *from -= v;
    return v;
}

static unsigned pointer_report(UsbHid *h, uint8_t *r)
{
    unsigned n;

    if (h->count) {
        uint8_t bit = (uint8_t)(1u << h->events[h->first]);
        h->buttons = (uint8_t)(h->down[h->first] ? h->buttons | bit : h->buttons & ~bit);
        h->first = (h->first + 1) % MAX_EVENTS;
        h->count--;
    }
    r[0] = h->buttons;
    if (kind_of(h) == HID_TABLET) {
        store_le16(r + 1, (uint16_t)h->x);
        store_le16(r + 3, (uint16_t)h->y);
        n = 5;
    } else {
        r[1] = (uint8_t)take(&h->dx, 127);
        r[2] = (uint8_t)take(&h->dy, 127);
        n = 3;
    }
    r[n] = (uint8_t)take(&h->wheel, 127);
    h->changed = h->count || h->dx || h->dy || h->wheel;
    return n + 1;
}

static unsigned make_report(UsbHid *h, uint8_t *r)
{
    memset(r, 0, KEYBOARD_BYTES);
    return kind_of(h) == HID_KEYBOARD ? keyboard_report(h, r) : pointer_report(h, r);
}

static int hid_transfer(UsbDevice *u, UsbTransfer *t)
{
    UsbHid *h = (UsbHid *)u;
    uint8_t r[KEYBOARD_BYTES];

    if (t->endpoint != 0x81) {
        return USB_STALL;
    }
    if (!h->changed) {
        return USB_NAK;
    }
    return (int)iov_from_buf(t->iov, t->n_iov, 0, r, make_report(h, r));
}

/* ---- descriptors */

static const uint8_t keyboard_map[] = {
    0x05, 0x01, 0x09, 0x06, 0xa1, 0x01,             /* Generic Desktop, Keyboard, Application */
    0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, /* modifiers: eight bits */
    0x25, 0x01, 0x75, 0x01, 0x95, 0x08, 0x81, 0x02, /* */
    0x95, 0x01, 0x75, 0x08, 0x81, 0x01,             /* one reserved byte */
    0x95, 0x05, 0x75, 0x01, 0x05, 0x08, 0x19, 0x01, /* five lights, out */
    0x29, 0x05, 0x91, 0x02, 0x95, 0x01, 0x75, 0x03, /* */
    0x91, 0x01,                                     /* padding */
    0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x26, 0xff, /* six keys */
    0x00, 0x05, 0x07, 0x19, 0x00, 0x2a, 0xff, 0x00, /* */
    0x81, 0x00, 0xc0,
};
static const uint8_t mouse_map[] = {
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x01, 0xa1, 0x00,             /* Mouse, Pointer */
    0x05, 0x09, 0x19, 0x01, 0x29, 0x05, 0x15, 0x00, 0x25, 0x01,             /* five buttons */
    0x95, 0x05, 0x75, 0x01, 0x81, 0x02, 0x95, 0x01, 0x75, 0x03, 0x81, 0x01, /* padding */
    0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x09, 0x38,                         /* X, Y, wheel */
    0x15, 0x81, 0x25, 0x7f, 0x75, 0x08, 0x95, 0x03, 0x81, 0x06, 0xc0, 0xc0,
};
static const uint8_t tablet_map[] = {
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x01, 0xa1, 0x00,             /* Mouse, Pointer */
    0x05, 0x09, 0x19, 0x01, 0x29, 0x05, 0x15, 0x00, 0x25, 0x01,             /* five buttons */
    0x95, 0x05, 0x75, 0x01, 0x81, 0x02, 0x95, 0x01, 0x75, 0x03, 0x81, 0x01, /* padding */
    0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x15, 0x00, 0x26, 0xff, 0x7f,       /* X, Y: 0..32767 */
    0x35, 0x00, 0x46, 0xff, 0x7f, 0x75, 0x10, 0x95, 0x02, 0x81, 0x02,       /* */
    0x05, 0x01, 0x09, 0x38, 0x15, 0x81, 0x25, 0x7f, 0x35, 0x00, 0x45, 0x00, /* wheel */
    0x75, 0x08, 0x95, 0x01, 0x81, 0x06, 0xc0, 0xc0,
};

static const uint8_t *report_map(HidKind kind, unsigned *bytes)
{
    *bytes = kind == HID_KEYBOARD ? sizeof keyboard_map
             : kind == HID_MOUSE  ? sizeof mouse_map
                                  : sizeof tablet_map;
    return kind == HID_KEYBOARD ? keyboard_map : kind == HID_MOUSE ? mouse_map : tablet_map;
}

#define DEVICE_DESCRIPTOR(product)                                                                 \
    {                                                                                              \
        18, USB_DT_DEVICE, 0x00, 0x02, 0, 0, 0, 64, 0x27, 0x06, (product), 0, 0, 1, 1, 2, 0, 1     \
    }
/* configuration, interface, HID, endpoint 1 IN */
#define CONFIG_DESCRIPTOR(boot, protocol, map_bytes, packet)                                       \
    {                                                                                              \
        9, USB_DT_CONFIG, 34, 0, 1, 1, 0, 0xa0, 50, 9, USB_DT_INTERFACE, 0, 0, 1, USB_CLASS_HID,   \
            (boot), (protocol), 0, 9, DT_HID, 0x11, 0x01, 0, 1, DT_REPORT, (map_bytes), 0, 7,      \
            USB_DT_ENDPOINT, 0x81, USB_ENDPOINT_XFER_INT, (packet), 0, 10                          \
    }

static const uint8_t keyboard_device[] = DEVICE_DESCRIPTOR(1);
static const uint8_t mouse_device[] = DEVICE_DESCRIPTOR(2);
static const uint8_t tablet_device[] = DEVICE_DESCRIPTOR(3);
static const uint8_t keyboard_config[] = CONFIG_DESCRIPTOR(1, 1, sizeof keyboard_map, 8);
static const uint8_t mouse_config[] = CONFIG_DESCRIPTOR(1, 2, sizeof mouse_map, 4);
static const uint8_t tablet_config[] = CONFIG_DESCRIPTOR(0, 0, sizeof tablet_map, 8);
static const char *const keyboard_strings[] = {"", "Gemel", "USB Keyboard", NULL};
static const char *const mouse_strings[] = {"", "Gemel", "USB Mouse", NULL};
static const char *const tablet_strings[] = {"", "Gemel", "USB Tablet", NULL};

/* ---- class requests */

static int hid_descriptor(UsbHid *h, uint16_t value, uint8_t *data, unsigned bytes)
{
    unsigned n;
    const uint8_t *from = report_map(kind_of(h), &n);

    if (value >> 8 == DT_HID) {
        from = usb_class(&h->u)->config + 18;
        n = 9;
    } else if (value >> 8 != DT_REPORT) {
        return USB_STALL;
    }
    n = n < bytes ? n : bytes;
    memcpy(data, from, n);
    return (int)n;
}

static int hid_control(UsbDevice *u, const uint8_t *setup, uint8_t *data, unsigned bytes)
{
    UsbHid *h = (UsbHid *)u;
    uint16_t value = load_le16(setup + 2);
    uint8_t r[KEYBOARD_BYTES];

    if ((setup[0] & USB_TYPE_MASK) == USB_TYPE_STANDARD) {
        return setup[1] == USB_REQ_GET_DESCRIPTOR ? hid_descriptor(h, value, data, bytes)
                                                  : USB_STALL;
    }
    if ((setup[0] & (USB_TYPE_MASK | USB_RECIP_MASK)) != (USB_TYPE_CLASS | USB_RECIP_INTERFACE)) {
        return USB_STALL;
    }
    switch (setup[1]) {
    case HID_GET_REPORT: {
        unsigned n = make_report(h, r);
        n = n < bytes ? n : bytes;
        memcpy(data, r, n);
        return (int)n;
    }
    case HID_GET_IDLE:
    case HID_GET_PROTOCOL:
        if (!bytes) {
            return 0;
        }
        data[0] = setup[1] == HID_GET_IDLE ? h->idle : h->protocol;
        return 1;
    case HID_SET_REPORT:
        if (kind_of(h) == HID_KEYBOARD && bytes) {
            h->leds = data[0] & 7;
            input_set_leds(u->dev.machine, h->leds);
        }
        return (int)bytes;
    case HID_SET_IDLE: h->idle = (uint8_t)(value >> 8); return 0;
    case HID_SET_PROTOCOL: h->protocol = value & 1; return 0;
    default: return USB_STALL;
    }
}

/* ---- life */

static bool hid_realize(UsbDevice *u, Error *err)
{
    static const uint32_t kinds[] = {
        [HID_KEYBOARD] = 1 << INPUT_KEY,
        [HID_MOUSE] = 1 << INPUT_BUTTON | 1 << INPUT_REL,
        [HID_TABLET] = 1 << INPUT_BUTTON | 1 << INPUT_ABS | 1 << INPUT_REL,
    };
    UsbHid *h = (UsbHid *)u;

    (void)err;
    h->sink =
        (InputSink){.name = u->dev.id, .kinds = kinds[kind_of(h)], .event = hid_event, .opaque = h};
    input_sink_add(u->dev.machine, &h->sink);
    return true;
}

static void hid_unrealize(UsbDevice *u)
{
    input_sink_remove(u->dev.machine, &((UsbHid *)u)->sink);
}

static void hid_reset(UsbDevice *u)
{
    UsbHid *h = (UsbHid *)u;

    h->idle = 0;
    h->protocol = 1;
    h->leds = 0;
    h->changed = false;
    h->first = h->count = 0;
    memset(h->keys, 0, sizeof h->keys);
    memset(h->order, 0, sizeof h->order);
    h->buttons = 0;
    h->dx = h->dy = h->wheel = 0;
}

static bool hid_validate(Device *d, Error *err)
{
    UsbHid *h = (UsbHid *)d;

    if (h->first >= MAX_EVENTS || h->count > MAX_EVENTS) {
        h->first = h->count = 0;
        return error_set(err, "%s: saved events are not valid", d->id);
    }
    return true;
}

#define HID_USB(which)                                                                             \
    {                                                                                              \
        .speed = USB_SPEED_FULL, .device = which##_device, .config = which##_config,               \
        .config_bytes = sizeof which##_config, .strings = which##_strings, .realize = hid_realize, \
        .unrealize = hid_unrealize, .reset = hid_reset, .control = hid_control,                    \
        .transfer = hid_transfer                                                                   \
    }

static const UsbClass keyboard_usb = HID_USB(keyboard);
static const UsbClass mouse_usb = HID_USB(mouse);
static const UsbClass tablet_usb = HID_USB(tablet);
static const PropDesc hid_props[] = {USB_PROPS, {0}};
static const StateDesc hid_state[] = {
    USB_STATE,
    {STATE_FIELD(STATE_U8, UsbHid, idle)},
    {STATE_FIELD(STATE_U8, UsbHid, protocol)},
    {STATE_FIELD(STATE_U8, UsbHid, leds)},
    {STATE_FIELD(STATE_BOOL, UsbHid, changed)},
    {STATE_FIELD(STATE_BYTES, UsbHid, events)},
    {STATE_FIELD(STATE_BYTES, UsbHid, down)},
    {STATE_FIELD(STATE_U32, UsbHid, first)},
    {STATE_FIELD(STATE_U32, UsbHid, count)},
    {STATE_FIELD(STATE_BYTES, UsbHid, keys)},
    {STATE_FIELD(STATE_BYTES, UsbHid, order)},
    {STATE_FIELD(STATE_U8, UsbHid, buttons)},
    {STATE_FIELD(STATE_U32, UsbHid, dx)},
    {STATE_FIELD(STATE_U32, UsbHid, dy)},
    {STATE_FIELD(STATE_U32, UsbHid, wheel)},
    {STATE_FIELD(STATE_U32, UsbHid, x)},
    {STATE_FIELD(STATE_U32, UsbHid, y)},
    {0},
};

#define HID_CLASS(class_name, class_title, usb)                                                    \
    {                                                                                              \
        .name = class_name, .title = class_title, .category = "input", .bytes = sizeof(UsbHid),    \
        USB_DEVICE_HOOKS, .validate = hid_validate, .bus_class = &(usb), .props = hid_props,       \
        .state = hid_state                                                                         \
    }

const DeviceClass usb_kbd_class = HID_CLASS("usb-kbd", "USB keyboard", keyboard_usb);
const DeviceClass usb_mouse_class = HID_CLASS("usb-mouse", "USB mouse", mouse_usb);
const DeviceClass usb_tablet_class = HID_CLASS("usb-tablet", "USB tablet", tablet_usb);
