/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USB devices and the ports they sit on. Source: Universal Serial Bus Specification 2.0, chapter 9.
 *
 * A USB device is a DeviceClass whose struct begins with UsbDevice, whose .bus_class is a UsbClass and
 * whose hooks are USB_DEVICE_HOOKS. It answers transfers: control requests beyond the standard ones
 * (which are answered here from its descriptors), and data of its other endpoints.
 *
 * A transfer is given to UsbClass.transfer, which fills or reads t->iov and returns the bytes moved, or
 * USB_NAK (nothing now: the host asks again after usb_wakeup()), USB_STALL, or USB_ASYNC (the device
 * calls usb_complete() later, on the main loop). The vector is guest memory, valid until then.
 * Threads: machine lock held.
 */
#ifndef GEMEL_HW_USB_H
#define GEMEL_HW_USB_H

#include <linux/usb/ch9.h> /* USB_SPEED_* and all numbers of chapter 9 */
#include <sys/uio.h>

#include "core/device.h"

typedef struct UsbDevice UsbDevice;
typedef struct UsbPort UsbPort;
typedef struct UsbTransfer UsbTransfer;

enum { USB_NAK = -1, USB_STALL = -2, USB_ASYNC = -3 };
enum { USB_SETUP_BYTES = 8, USB_CONTROL_MAX_BYTES = 4096, USB_MAX_STRINGS = 8 };

struct UsbTransfer {
    uint8_t             endpoint; /* number, bit 7: to the host */
    const struct iovec *iov;
    unsigned            n_iov;
    size_t              bytes;
    void              (*done)(UsbTransfer *t, int result); /* the host's */
    void               *opaque;
    bool                cancelled; /* by the host: usb_complete() must still come, then is ignored */
};

typedef struct UsbClass {
    uint8_t        speed;       /* USB_SPEED_FULL or USB_SPEED_HIGH */
    const uint8_t *device;      /* device descriptor, 18 bytes */
    const uint8_t *config;      /* configuration descriptor with all below it */
    uint16_t       config_bytes;
    const char *const *strings; /* by index, from 1; [0] unused; NULL ends */
    bool (*realize)(UsbDevice *u, Error *err);
    void (*unrealize)(UsbDevice *u);
    void (*reset)(UsbDevice *u); /* bus reset */
    /* A request that is not standard, or a standard one to an interface. setup: 8 bytes; data: length
     * wLength, to fill (IN) or filled (OUT). Bytes, or USB_STALL. NULL: all stall. */
    int  (*control)(UsbDevice *u, const uint8_t *setup, uint8_t *data, unsigned bytes);
    int  (*transfer)(UsbDevice *u, UsbTransfer *t);
    /* The host gave a transfer up; the device must call usb_complete() before it returns. NULL: the
     * device never returns USB_ASYNC. */
    void (*cancel)(UsbDevice *u, UsbTransfer *t);
} UsbClass;

/* Where a device sits; part of a host controller or hub. */
struct UsbPort {
    UsbDevice *device; /* NULL: empty */
    Device    *owner;
    unsigned   number; /* from 1 */
    /* The owner's: something came or went; the device has data on its IN endpoint. */
    void     (*changed)(UsbPort *p);
    void     (*wakeup)(UsbPort *p, UsbDevice *u, uint8_t endpoint);
    void     (*detach)(UsbPort *p, UsbDevice *u); /* before u goes: give its transfers up */
    uint32_t   speeds; /* 1 << USB_SPEED_* it takes */
};

/* A bus: what a host controller or hub offers. */
typedef struct UsbBus {
    const char *name; /* "usb-bus.0", id.0 */
    UsbPort    *ports;
    unsigned    n_ports;
} UsbBus;

struct UsbDevice {
    Device   dev; /* must be first */
    UsbPort *port;
    char    *bus_name, *port_name; /* properties */
    /* state */
    uint8_t  configuration;
    bool     remote_wakeup;
    uint32_t halted; /* bit by endpoint number, IN: 16 + number */
};

#define USB_DEVICE_HOOKS \
    .bus = BUS_USB, .realize = usb_device_realize, .unrealize = usb_device_unrealize, \
    .reset = usb_device_machine_reset
#define USB_PROPS \
    {.name = "bus", .kind = PROP_STRING, PROP(UsbDevice, bus_name), \
     .help = "id of the host controller; the first one"}, \
    {.name = "port", .kind = PROP_STRING, PROP(UsbDevice, port_name), \
     .help = "port, e.g. 2, or 2.1 behind a hub; the first free one"}
#define USB_STATE \
    {STATE_FIELD(STATE_U8, UsbDevice, configuration)}, \
    {STATE_FIELD(STATE_BOOL, UsbDevice, remote_wakeup)}, \
    {STATE_FIELD(STATE_U32, UsbDevice, halted)}

bool usb_device_realize(Device *d, Error *err);
void usb_device_unrealize(Device *d);
void usb_device_machine_reset(Device *d, ResetPhase phase);

/* ---- for hosts and hubs */
/* The bus that d offers, for bus=; NULL: none. */
UsbBus *usb_bus_of(Device *d);
void    usb_reset(UsbDevice *u);
int     usb_control(UsbDevice *u, const uint8_t *setup, uint8_t *data, unsigned bytes);
int     usb_transfer(UsbDevice *u, UsbTransfer *t);
void    usb_cancel(UsbDevice *u, UsbTransfer *t);

/* ---- for devices */
static inline const UsbClass *usb_class(const UsbDevice *u)
{
    return u->dev.cls->bus_class;
}
void usb_wakeup(UsbDevice *u, uint8_t endpoint);
void usb_complete(UsbTransfer *t, int result);

/* ---- classes */
extern const DeviceClass xhci_class, usb_kbd_class, usb_mouse_class, usb_tablet_class;
extern const DeviceClass usb_storage_class, usb_hub_class;

#endif
