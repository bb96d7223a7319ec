/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all USB devices share: places on a bus, standard requests from descriptors.
 * Source: Universal Serial Bus Specification 2.0, section 9.4.
 */
#include <stdlib.h>
#include <string.h>

#include "core/machine.h"
#include "hw/usb.h"
#include "usb_internal.h"
#include "util/bits.h"

/* ---- places */

UsbBus *usb_bus_of(Device *d)
{
    if (d->cls == &xhci_class) {
        return xhci_bus(d);
    }
    return d->cls == &usb_hub_class ? usb_hub_bus(d) : NULL;
}

static UsbPort *free_port(UsbBus *b, unsigned speed)
{
    for (unsigned i = 0; i < b->n_ports; i++) {
        if (!b->ports[i].device && b->ports[i].speeds & 1u << speed) {
            return &b->ports[i];
        }
    }
    return NULL;
}

/* "2" or "2.1.3": ports from the host down. */
static UsbPort *port_by_path(UsbBus *b, const char *path)
{
    char *end;
    unsigned long n = strtoul(path, &end, 10);

    if (end == path || !n || n > b->n_ports) {
        return NULL;
    }
    UsbPort *p = &b->ports[n - 1];
    if (*end == '.') {
        UsbBus *below = p->device ? usb_bus_of(&p->device->dev) : NULL;
        return below ? port_by_path(below, end + 1) : NULL;
    }
    return *end ? NULL : p;
}

static UsbBus *find_bus(UsbDevice *u)
{
    const char *want = u->bus_name && *u->bus_name ? u->bus_name : NULL;

    for (Device *d = u->dev.machine->devices; d; d = d->next) {
        UsbBus *b = usb_bus_of(d);
        if (!b || (!want && d->cls == &usb_hub_class)) {
            continue;
        }
        size_t n = strlen(d->id);
        if (!want || (!strncmp(want, d->id, n) && (!want[n] || !strcmp(want + n, ".0"))) ||
            !strcmp(want, b->name)) {
            return b;
        }
    }
    return NULL;
}

static UsbPort *find_port(UsbDevice *u, Error *err)
{
    UsbBus *b = find_bus(u);
    unsigned speed = usb_class(u)->speed;

    if (!b) {
        error_set(err, "no USB bus '%s'; put -device qemu-xhci before it",
                  u->bus_name ? u->bus_name : "");
        return NULL;
    }
    if (u->port_name && *u->port_name) {
        UsbPort *p = port_by_path(b, u->port_name);
        if (!p || p->device || !(p->speeds & 1u << speed)) {
            error_set(err, "port=%s: %s", u->port_name,
                      !p          ? "no such port"
                      : p->device ? "taken"
                                  : "is not for devices of this speed");
            return NULL;
        }
        return p;
    }
    UsbPort *p = free_port(b, speed);
    if (!p) {
        error_set(err, "all ports of USB bus '%s' are taken; add -device usb-hub", b->name);
    }
    return p;
}

bool usb_device_realize(Device *d, Error *err)
{
    UsbDevice *u = (UsbDevice *)d;
    UsbPort *p = find_port(u, err);

    if (!p || (usb_class(u)->realize && !usb_class(u)->realize(u, err))) {
        return false;
    }
    u->port = p;
    p->device = u;
    d->bus_owner = p->owner;
    p->changed(p);
    return true;
}

void usb_device_unrealize(Device *d)
{
    UsbDevice *u = (UsbDevice *)d;
    UsbPort *p = u->port;

    p->detach(p, u);
    p->device = NULL;
    p->changed(p);
    if (usb_class(u)->unrealize) {
        usb_class(u)->unrealize(u);
    }
    u->port = NULL;
}

void usb_device_machine_reset(Device *d, ResetPhase phase)
{
    if (phase == RESET_ENTER) {
        usb_reset((UsbDevice *)d);
    }
}

/* ---- standard requests */

static int give(uint8_t *data, unsigned bytes, const void *from, unsigned from_bytes)
{
    unsigned n = bytes < from_bytes ? bytes : from_bytes;

    memcpy(data, from, n);
    return (int)n;
}

static int string_descriptor(const UsbClass *c, unsigned index, uint8_t *data, unsigned bytes)
{
    uint8_t d[2 + 2 * 126] = {4, USB_DT_STRING, 0x09, 0x04}; /* index 0: English */

    for (unsigned i = 1; index && i <= index; i++) {
        if (!c->strings || !c->strings[i] || i > USB_MAX_STRINGS) {
            return USB_STALL;
        }
    }
    if (index) {
        size_t n = strnlen(c->strings[index], 126);
        d[0] = (uint8_t)(2 + 2 * n);
        for (size_t i = 0; i < n; i++) {
            store_le16(d + 2 + 2 * i, (uint8_t)c->strings[index][i]);
        }
    }
    return give(data, bytes, d, d[0]);
}

static int get_descriptor(UsbDevice *u, uint16_t value, uint8_t *data, unsigned bytes)
{
    const UsbClass *c = usb_class(u);

    switch (value >> 8) {
    case USB_DT_DEVICE: return give(data, bytes, c->device, USB_DT_DEVICE_SIZE);
    case USB_DT_CONFIG:
        return value & 0xff ? USB_STALL : give(data, bytes, c->config, c->config_bytes);
    case USB_DT_STRING: return string_descriptor(c, value & 0xff, data, bytes);
    case USB_DT_DEVICE_QUALIFIER:
        if (c->speed == USB_SPEED_HIGH) {
            uint8_t q[10] = {10, USB_DT_DEVICE_QUALIFIER};
            memcpy(q + 2, c->device + 2, 6);
            q[8] = c->device[17];
            return give(data, bytes, q, sizeof q);
        }
        return USB_STALL;
    default: return USB_STALL;
    }
}

static uint32_t halt_bit(uint16_t index)
{
    return 1u << ((index & 15) + (index & USB_DIR_IN ? 16 : 0));
}

static int endpoint_request(UsbDevice *u, const uint8_t *setup, uint8_t *data, unsigned bytes)
{
    uint16_t value = load_le16(setup + 2), index = load_le16(setup + 4);
    uint8_t status[2] = {(u->halted & halt_bit(index)) != 0, 0};

    switch (setup[1]) {
    case USB_REQ_GET_STATUS: return give(data, bytes, status, 2);
    case USB_REQ_CLEAR_FEATURE:
    case USB_REQ_SET_FEATURE:
        if (value != USB_ENDPOINT_HALT) {
            return USB_STALL;
        }
        u->halted = setup[1] == USB_REQ_SET_FEATURE ? u->halted | halt_bit(index)
                                                    : u->halted & ~halt_bit(index);
        return 0;
    default: return USB_STALL;
    }
}

static int device_request(UsbDevice *u, const uint8_t *setup, uint8_t *data, unsigned bytes)
{
    uint16_t value = load_le16(setup + 2);
    uint8_t status[2] = {(uint8_t)(1 | u->remote_wakeup << 1), 0};

    switch (setup[1]) {
    case USB_REQ_GET_STATUS: return give(data, bytes, status, 2);
    case USB_REQ_CLEAR_FEATURE:
    case USB_REQ_SET_FEATURE:
        if (value != USB_DEVICE_REMOTE_WAKEUP) {
            return USB_STALL;
        }
        u->remote_wakeup = setup[1] == USB_REQ_SET_FEATURE;
        return 0;
    case USB_REQ_SET_ADDRESS: return 0; /* the host controller's: xHCI addresses by slot */
    case USB_REQ_GET_DESCRIPTOR: return get_descriptor(u, value, data, bytes);
    case USB_REQ_GET_CONFIGURATION: return give(data, bytes, &u->configuration, 1);
    case USB_REQ_SET_CONFIGURATION:
        if (value > 1) {
            return USB_STALL;
        }
        u->configuration = (uint8_t)value;
        u->halted = 0;
        return 0;
    default: return USB_STALL;
    }
}

static int interface_request(UsbDevice *u, const uint8_t *setup, uint8_t *data, unsigned bytes)
{
    const UsbClass *c = usb_class(u);
    uint8_t zero[2] = {0};
    int r = c->control ? c->control(u, setup, data, bytes) : USB_STALL;

    if (r != USB_STALL) {
        return r;
    }
    switch (setup[1]) {
    case USB_REQ_GET_STATUS: return give(data, bytes, zero, 2);
    case USB_REQ_GET_INTERFACE: return give(data, bytes, zero, 1);
    case USB_REQ_SET_INTERFACE: return load_le16(setup + 2) ? USB_STALL : 0;
    default: return USB_STALL;
    }
}

int usb_control(UsbDevice *u, const uint8_t *setup, uint8_t *data, unsigned bytes)
{
    const UsbClass *c = usb_class(u);

    if ((setup[0] & USB_TYPE_MASK) != USB_TYPE_STANDARD) {
        return c->control ? c->control(u, setup, data, bytes) : USB_STALL;
    }
    switch (setup[0] & USB_RECIP_MASK) {
    case USB_RECIP_DEVICE: return device_request(u, setup, data, bytes);
    case USB_RECIP_INTERFACE: return interface_request(u, setup, data, bytes);
    case USB_RECIP_ENDPOINT: return endpoint_request(u, setup, data, bytes);
    default: return USB_STALL;
    }
}

/* ---- data */

int usb_transfer(UsbDevice *u, UsbTransfer *t)
{
    if (!u->configuration || u->halted & halt_bit(t->endpoint) || !usb_class(u)->transfer) {
        return USB_STALL;
    }
    int r = usb_class(u)->transfer(u, t);
    if (r == USB_STALL) {
        u->halted |= halt_bit(t->endpoint);
    }
    return r;
}

void usb_cancel(UsbDevice *u, UsbTransfer *t)
{
    t->cancelled = true;
    if (usb_class(u)->cancel) {
        usb_class(u)->cancel(u, t);
    }
}

void usb_complete(UsbTransfer *t, int result)
{
    t->done(t, result);
}

void usb_wakeup(UsbDevice *u, uint8_t endpoint)
{
    if (u->port) {
        u->port->wakeup(u->port, u, endpoint);
    }
}

void usb_reset(UsbDevice *u)
{
    u->configuration = 0;
    u->remote_wakeup = false;
    u->halted = 0;
    if (usb_class(u)->reset) {
        usb_class(u)->reset(u);
    }
}
