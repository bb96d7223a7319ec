/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The xHCI controller's private header. Names and numbers: xHCI 1.1 (eXtensible Host Controller Interface
 * for USB). */
#ifndef GEMEL_HW_USB_XHCI_H
#define GEMEL_HW_USB_XHCI_H

#include "core/machine.h"
#include "hw/iov.h"
#include "hw/pci.h"
#include "hw/usb.h"
#include "util/bits.h"

enum {
    XHCI_USB2_PORTS = 8,
    XHCI_USB3_PORTS = 4,
    XHCI_PORTS = XHCI_USB2_PORTS + XHCI_USB3_PORTS,
    XHCI_SLOTS = 64,
    XHCI_ENDPOINTS = 32, /* by DCI; 0 unused */
    XHCI_INTERRUPTERS = 8,
    XHCI_TD_TRBS = 128,  /* most of one TD */
    XHCI_TD_IOVS = 256,
    XHCI_TRB_BYTES = 16,
    XHCI_CONTEXT_BYTES = 32
};

typedef enum TrbType {
    TRB_NORMAL = 1, TRB_SETUP, TRB_DATA, TRB_STATUS, TRB_ISOCH, TRB_LINK, TRB_EVENT_DATA, TRB_NOOP,
    TRB_ENABLE_SLOT = 9, TRB_DISABLE_SLOT, TRB_ADDRESS_DEVICE, TRB_CONFIGURE_ENDPOINT,
    TRB_EVALUATE_CONTEXT, TRB_RESET_ENDPOINT, TRB_STOP_ENDPOINT, TRB_SET_TR_DEQUEUE,
    TRB_RESET_DEVICE, TRB_NOOP_COMMAND = 23,
    TRB_TRANSFER_EVENT = 32, TRB_COMMAND_EVENT = 33, TRB_PORT_EVENT = 34
} TrbType;

typedef enum TrbCode {
    CODE_SUCCESS = 1, CODE_DATA_BUFFER = 2, CODE_TRANSACTION = 4, CODE_TRB = 5, CODE_STALL = 6,
    CODE_NO_SLOTS = 9, CODE_SLOT_NOT_ENABLED = 11, CODE_ENDPOINT_NOT_ENABLED = 12,
    CODE_SHORT_PACKET = 13, CODE_PARAMETER = 17, CODE_CONTEXT_STATE = 19,
    CODE_COMMAND_RING_STOPPED = 24, CODE_STOPPED = 26, CODE_STOPPED_LENGTH_INVALID = 27
} TrbCode;

enum { /* TRB control word */
    TRB_CYCLE = 1 << 0, TRB_TOGGLE = 1 << 1, TRB_ED = 1 << 2, TRB_ISP = 1 << 2, TRB_CHAIN = 1 << 4,
    TRB_IOC = 1 << 5, TRB_IDT = 1 << 6, TRB_BSR = 1 << 9, TRB_DC = 1 << 9, TRB_DIR_IN = 1 << 16
};

typedef enum EpState { EP_DISABLED, EP_RUNNING, EP_HALTED, EP_STOPPED, EP_ERROR } EpState;
typedef enum SlotState { SLOT_DISABLED, SLOT_DEFAULT, SLOT_ADDRESSED, SLOT_CONFIGURED } SlotState;

typedef struct Trb {
    uint64_t parameter;
    uint32_t status, control;
    uint64_t gpa;
} Trb;

static inline unsigned trb_type(const Trb *t)
{
    return t->control >> 10 & 0x3f;
}

typedef struct XhciRing {
    uint64_t gpa;
    bool     cycle;
} XhciRing;

typedef struct Xhci Xhci;

/* A TD on its way: its TRBs and the guest memory they point to. */
typedef struct XhciTd {
    UsbTransfer  t;
    Xhci        *x;
    uint8_t      slot, dci;
    bool         busy;    /* the device has it (USB_ASYNC) */
    bool         in;
    UsbDevice   *device;
    XhciRing     after;   /* the ring behind it */
    unsigned     n;
    Trb          trb[XHCI_TD_TRBS];
    int          n_iov;
    struct iovec iov[XHCI_TD_IOVS];
} XhciTd;

typedef struct XhciEndpoint {
    XhciTd  *td;      /* made at the first transfer */
    /* state */
    uint8_t  state;   /* EpState */
    uint8_t  type;    /* as in the context */
    bool     control_done, have_setup;
    XhciRing ring;
    uint8_t  setup[USB_SETUP_BYTES];
} XhciEndpoint;

typedef struct XhciSlot {
    bool     enabled;
    uint8_t  state;   /* SlotState */
    uint8_t  port;    /* root port, from 1 */
    uint32_t route;   /* hub ports below it, 4 bits each */
    uint8_t  interrupter;
    uint64_t context; /* gpa of the output device context */
    XhciEndpoint ep[XHCI_ENDPOINTS];
} XhciSlot;

typedef struct XhciInterrupter {
    uint32_t iman, imod, erstsz;
    uint64_t erstba, erdp;
    uint64_t base;    /* of the segment */
    uint32_t n_trbs, index;
    bool     cycle;
} XhciInterrupter;

struct Xhci {
    PciDevice pci; /* must be first */
    UsbBus    bus;
    char      bus_name[64];
    UsbPort   ports[XHCI_PORTS];
    /* state */
    uint32_t  usbcmd, usbsts, dnctrl, config;
    uint64_t  dcbaap, crcr_write;
    XhciRing  command;
    bool      command_running;
    uint32_t  portsc[XHCI_PORTS], portpmsc[XHCI_PORTS];
    XhciInterrupter intr[XHCI_INTERRUPTERS];
    XhciSlot  slots[XHCI_SLOTS + 1]; /* by slot id */
};

/* xhci.c */
bool xhci_running(const Xhci *x);
void xhci_event(Xhci *x, unsigned interrupter, uint64_t parameter, uint32_t status, uint32_t control);
bool xhci_read(Xhci *x, uint64_t gpa, void *buf, size_t bytes);
bool xhci_write(Xhci *x, uint64_t gpa, const void *buf, size_t bytes);
/* The next TRB that is not a link; false: none yet. The ring moves behind it. */
bool xhci_fetch(Xhci *x, XhciRing *r, Trb *t);
UsbDevice *xhci_device(Xhci *x, const XhciSlot *s);

/* xhci_command.c */
void xhci_run_commands(Xhci *x);
void xhci_slot_disable(Xhci *x, unsigned slot);

/* xhci_transfer.c */
void xhci_run_endpoint(Xhci *x, unsigned slot, unsigned dci);
/* Gives an unfinished transfer up. */
void xhci_endpoint_cancel(Xhci *x, XhciEndpoint *e);
void xhci_endpoint_set_state(Xhci *x, unsigned slot, unsigned dci, EpState state);

#endif
