/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USB hub with eight ports. Source: Universal Serial Bus Specification 2.0, chapter 11.
 *
 * A full-speed hub: the devices below run at full speed (so a usb-storage, which is a high-speed
 * one, wants a root port). Changes are reported as a bit map on the interrupt endpoint. Not
 * modelled: power switching beyond the bit, over-current, transaction translators.
 */
#include <stdio.h>

#include "core/machine.h"
#include "hw/iov.h"
#include "hw/usb.h"
#include "usb_internal.h"
#include "util/bits.h"

enum { N_PORTS = 8, DT_HUB = 0x29, EP_STATUS = 0x81 };
enum { PORT_CONNECTION, PORT_ENABLE, PORT_SUSPEND, PORT_RESET = 4, PORT_POWER = 8, C_PORT = 16 };
enum {
    C_PORT_CONNECTION = 1 << 0,
    C_PORT_ENABLE = 1 << 1,
    C_PORT_SUSPEND = 1 << 2,
    C_PORT_RESET = 1 << 4
};

typedef struct UsbHub {
    UsbDevice u; /* must be first */
    UsbBus bus;
    char bus_name[64];
    UsbPort ports[N_PORTS];
    /* state */
    uint16_t status[N_PORTS], change[N_PORTS];
} UsbHub;

static void report(UsbHub *h)
{
    if (h->u.configuration) {
        usb_wakeup(&h->u, EP_STATUS);
    }
}

static void port_detect(UsbHub *h, unsigned n)
{
    h->status[n] = (uint16_t)(h->ports[n].device ? (h->status[n] & 1 << PORT_POWER) | 1
                                                 : h->status[n] & 1 << PORT_POWER);
}

static void hub_port_changed(UsbPort *p)
{
    UsbHub *h = (UsbHub *)p->owner;

    port_detect(h, p->number - 1);
    h->change[p->number - 1] |= C_PORT_CONNECTION;
    report(h);
}

/* What happens below is known to the host controller at the root. */
static void hub_port_wakeup(UsbPort *p, UsbDevice *u, uint8_t endpoint)
{
    UsbPort *up = ((UsbHub *)p->owner)->u.port;

    if (up) {
        up->wakeup(up, u, endpoint);
    }
}

static void hub_port_detach(UsbPort *p, UsbDevice *u)
{
    UsbPort *up = ((UsbHub *)p->owner)->u.port;

    if (up) {
        up->detach(up, u);
    }
}

UsbBus *usb_hub_bus(Device *d)
{
    return &((UsbHub *)d)->bus;
}

static int hub_descriptor(uint8_t *data, unsigned bytes)
{
    const uint8_t d[] = {9, DT_HUB, N_PORTS, 0x0a, 0, 1, 0, 0, 0xff};
    unsigned n = bytes < sizeof d ? bytes : (unsigned)sizeof d;

    for (unsigned i = 0; i < n; i++) {
        data[i] = d[i];
    }
    return (int)n;
}

static int set_port_feature(UsbHub *h, unsigned n, unsigned feature)
{
    UsbDevice *u = h->ports[n].device;

    switch (feature) {
    case PORT_POWER: h->status[n] |= 1 << PORT_POWER; return 0;
    case PORT_SUSPEND: h->status[n] |= 1 << PORT_SUSPEND; return 0;
    case PORT_RESET:
        if (u) {
            usb_reset(u);
            h->status[n] |= 1 << PORT_ENABLE;
            h->change[n] |= C_PORT_RESET;
            report(h);
        }
        return 0;
    default: return USB_STALL;
    }
}

static int clear_port_feature(UsbHub *h, unsigned n, unsigned feature)
{
    if (feature >= C_PORT && feature <= C_PORT + 4) {
        h->change[n] = (uint16_t)(h->change[n] & ~(1u << (feature - C_PORT)));
        return 0;
    }
    if (feature == PORT_ENABLE || feature == PORT_POWER || feature == PORT_SUSPEND) {
        h->status[n] = (uint16_t)(h->status[n] & ~(1u << feature));
        h->change[n] |= feature == PORT_SUSPEND ? C_PORT_SUSPEND : 0;
        return 0;
    }
    return USB_STALL;
}

static int hub_control(UsbDevice *u, const uint8_t *setup, uint8_t *data, unsigned bytes)
{
    UsbHub *h = (UsbHub *)u;
    unsigned value = load_le16(setup + 2), n = (load_le16(setup + 4) & 0xff) - 1u;
    bool port = (setup[0] & USB_RECIP_MASK) == USB_RECIP_OTHER;

    if ((setup[0] & USB_TYPE_MASK) != USB_TYPE_CLASS || (port && n >= N_PORTS)) {
        return USB_STALL;
    }
    switch (setup[1]) {
    case USB_REQ_GET_DESCRIPTOR: return hub_descriptor(data, bytes);
    case USB_REQ_GET_STATUS:
        if (bytes < 4) {
            return USB_STALL;
        }
        store_le16(data, port ? h->status[n] : 0);
        store_le16(data + 2, port ? h->change[n] : 0);
        return 4;
    case USB_REQ_SET_FEATURE: return port ? set_port_feature(h, n, value) : USB_STALL;
    case USB_REQ_CLEAR_FEATURE: return port ? clear_port_feature(h, n, value) : 0;
    default: return USB_STALL;
    }
}

static int hub_transfer(UsbDevice *u, UsbTransfer *t)
{
    UsbHub *h = (UsbHub *)u;
    uint8_t map[2] = {0};

    if (t->endpoint != EP_STATUS) {
        return USB_STALL;
    }
    for (unsigned n = 0; n < N_PORTS; n++) {
        if (h->change[n]) {
            map[(n + 1) / 8] |= (uint8_t)(1u << (n + 1) % 8);
        }
    }
    return map[0] || map[1] ? (int)iov_from_buf(t->iov, t->n_iov, 0, map, 2) : USB_NAK;
}

static void hub_reset(UsbDevice *u)
{
    UsbHub *h = (UsbHub *)u;

    for (unsigned n = 0; n < N_PORTS; n++) {
        h->status[n] = 1 << PORT_POWER;
        port_detect(h, n);
        h->change[n] = h->ports[n].device ? C_PORT_CONNECTION : 0;
    }
}

static bool hub_realize(UsbDevice *u, Error *err)
{
    UsbHub *h = (UsbHub *)u;

    (void)err;
    snprintf(h->bus_name, sizeof h->bus_name, "%s.0", u->dev.id);
    h->bus = (UsbBus){h->bus_name, h->ports, N_PORTS};
    for (unsigned n = 0; n < N_PORTS; n++) {
        h->ports[n] = (UsbPort){.owner = &u->dev,
                                .number = n + 1,
                                .changed = hub_port_changed,
                                .wakeup = hub_port_wakeup,
                                .detach = hub_port_detach,
                                .speeds = 1 << USB_SPEED_LOW | 1 << USB_SPEED_FULL};
    }
    hub_reset(u);
    return true;
}

static void hub_unrealize(UsbDevice *u)
{
    UsbHub *h = (UsbHub *)u;

    for (unsigned n = 0; n < N_PORTS; n++) {
        if (h->ports[n].device) {
            device_unrealize(&h->ports[n].device->dev);
        }
    }
}

static const uint8_t hub_device[] = {
    18, USB_DT_DEVICE, 0x10, 0x01, USB_CLASS_HUB, 0, 0, 64, 0x09, 0x04, 0xaa, 0x55, 1, 1, 1, 2, 0,
    1};
static const uint8_t hub_config[] = {9,
                                     USB_DT_CONFIG,
                                     25,
                                     0,
                                     1,
                                     1,
                                     0,
                                     0xe0,
                                     0,
                                     9,
                                     USB_DT_INTERFACE,
                                     0,
                                     0,
                                     1,
                                     USB_CLASS_HUB,
                                     0,
                                     0,
                                     0,
                                     7,
                                     USB_DT_ENDPOINT,
                                     EP_STATUS,
                                     USB_ENDPOINT_XFER_INT,
                                     2,
                                     0,
                                     255};
static const char *const hub_strings[] = {"", "Gemel", "USB Hub", NULL};

static const UsbClass hub_usb = {
    .speed = USB_SPEED_FULL,
    .device = hub_device,
    .config = hub_config,
    .config_bytes = sizeof hub_config,
    .strings = hub_strings,
    .realize = hub_realize,
    .unrealize = hub_unrealize,
    .reset = hub_reset,
    .control = hub_control,
    .transfer = hub_transfer,
};
static const PropDesc hub_props[] = {USB_PROPS, {0}};
static const StateDesc hub_state[] = {USB_STATE,
                                      {STATE_ARRAY(STATE_U16, UsbHub, status), .keep = true},
                                      {STATE_ARRAY(STATE_U16, UsbHub, change), .keep = true},
                                      {0}};

const DeviceClass usb_hub_class = {
    .name = "usb-hub",
    .title = "USB hub with eight ports",
    .category = "bridge",
    .bytes = sizeof(UsbHub),
    USB_DEVICE_HOOKS,
    .bus_class = &hub_usb,
    .props = hub_props,
    .state = hub_state,
};
