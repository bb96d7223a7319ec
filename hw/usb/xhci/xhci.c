/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xHCI USB host controller: registers, ports, event rings.
 *
 * Source: eXtensible Host Controller Interface for USB 1.1, chapters 4 and 5. Eight USB 2 ports,
 * four USB 3 ports (for which there are no devices yet), 64 slots, eight interrupters, 32-byte
 * contexts. Not modelled: isochronous transfers, streams, scratchpads, save and restore of the
 * controller (CSS, CRS), bandwidth, interrupt moderation, event rings of more than one segment. All
 * transfers run when the doorbell rings or the device has data: intervals are not kept.
 */
#include "xhci.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../usb_internal.h"

enum {
    CAP_BYTES = 0x40,
    OP = CAP_BYTES,
    PORTS = OP + 0x400,
    RUNTIME = 0x1000,
    INTERRUPTERS = RUNTIME + 0x20,
    DOORBELLS = 0x2000,
    BAR_BYTES = 0x4000,
    XECP = 0x20
};
enum { /* operational registers */
       USBCMD = OP + 0x00,
       USBSTS = OP + 0x04,
       PAGESIZE = OP + 0x08,
       DNCTRL = OP + 0x14,
       CRCR = OP + 0x18,
       DCBAAP = OP + 0x30,
       CONFIG = OP + 0x38
};
enum { CMD_RS = 1, CMD_HCRST = 2, CMD_INTE = 4, CMD_HSEE = 8, CMD_LHCRST = 0x80, CMD_EWE = 0x400 };
enum { STS_HCH = 1, STS_HSE = 4, STS_EINT = 8, STS_PCD = 0x10, STS_W1C = 0x41c };
enum { IMAN_IP = 1, IMAN_IE = 2, ERDP_EHB = 8 };
enum { CRCR_RCS = 1, CRCR_CS = 2, CRCR_CA = 4, CRCR_CRR = 8 };
enum { /* PORTSC */
       PORT_CCS = 1 << 0,
       PORT_PED = 1 << 1,
       PORT_PR = 1 << 4,
       PORT_PLS = 0xf << 5,
       PORT_PP = 1 << 9,
       PORT_SPEED = 0xf << 10,
       PORT_LWS = 1 << 16,
       PORT_CSC = 1 << 17,
       PORT_PRC = 1 << 21,
       PORT_CHANGES = 0x7f << 17,
       PORT_WAKES = 7 << 25
};
#define PORT_WPR (1u << 31)
enum { PLS_U0 = 0, PLS_U3 = 3, PLS_RX_DETECT = 5, PLS_POLLING = 7, PLS_RESUME = 15 };

/* ---- guest memory */

bool xhci_read(Xhci *x, uint64_t gpa, void *buf, size_t bytes)
{
    return mem_read(x->pci.as, gpa, buf, bytes, pci_attrs(&x->pci)) == MEM_OK;
}

bool xhci_write(Xhci *x, uint64_t gpa, const void *buf, size_t bytes)
{
    return mem_write(x->pci.as, gpa, buf, bytes, pci_attrs(&x->pci)) == MEM_OK;
}

bool xhci_fetch(Xhci *x, XhciRing *r, Trb *t)
{
    uint8_t raw[XHCI_TRB_BYTES];

    for (unsigned links = 0; links < 16; links++) {
        if (!xhci_read(x, r->gpa, raw, sizeof raw)) {
            return false;
        }
        *t = (Trb){load_le64(raw), load_le32(raw + 8), load_le32(raw + 12), r->gpa};
        if ((t->control & TRB_CYCLE) != r->cycle) {
            return false;
        }
        if (trb_type(t) != TRB_LINK) {
            r->gpa += XHCI_TRB_BYTES;
            return true;
        }
        r->gpa = t->parameter & ~(uint64_t)15;
        r->cycle ^= (t->control & TRB_TOGGLE) != 0;
    }
    device_guest_error(&x->pci.dev, "ring of nothing but links");
    return false;
}

/* ---- interrupts and event rings (4.9.4, 4.17) */

static void intr_sync(Xhci *x)
{
    bool level = false;

    for (unsigned i = 0; i < XHCI_INTERRUPTERS; i++) {
        level |= (x->intr[i].iman & (IMAN_IP | IMAN_IE)) == (IMAN_IP | IMAN_IE);
    }
    pci_intx_set(&x->pci, level && x->usbcmd & CMD_INTE);
}

static void intr_raise(Xhci *x, unsigned n)
{
    XhciInterrupter *in = &x->intr[n];

    x->usbsts |= STS_EINT;
    in->iman |= IMAN_IP;
    if (in->iman & IMAN_IE && x->usbcmd & CMD_INTE &&
        (pci_msix_enabled(&x->pci) || pci_msi_enabled(&x->pci))) {
        in->iman &= ~(uint32_t)IMAN_IP; /* a message clears it */
        pci_msix_notify(&x->pci, n);
        pci_msi_notify(&x->pci, n);
    }
    intr_sync(x);
}

static void intr_load_segment(Xhci *x, XhciInterrupter *in)
{
    uint8_t entry[16];

    in->n_trbs = in->index = 0;
    in->cycle = true;
    if (in->erstsz && xhci_read(x, in->erstba, entry, sizeof entry)) {
        uint32_t n = load_le32(entry + 8) & 0xffff;
        in->base = load_le64(entry) & ~(uint64_t)63;
        in->n_trbs = n >= 16 && n <= 4096 ? n : 0;
    }
    if (in->erstsz && !in->n_trbs) {
        device_guest_error(&x->pci.dev, "event ring segment without memory or of bad size");
    }
}

void xhci_event(Xhci *x, unsigned n, uint64_t parameter, uint32_t status, uint32_t control)
{
    XhciInterrupter *in = &x->intr[n < XHCI_INTERRUPTERS ? n : 0];
    uint8_t raw[XHCI_TRB_BYTES];

    if (!in->n_trbs) {
        return;
    }
    uint32_t next = in->index + 1 == in->n_trbs ? 0 : in->index + 1;
    if (in->base + (uint64_t)next * XHCI_TRB_BYTES == (in->erdp & ~(uint64_t)15)) {
        device_guest_error(&x->pci.dev, "event ring is full; an event is lost");
        return;
    }
    store_le64(raw, parameter);
    store_le32(raw + 8, status);
    store_le32(raw + 12, control | in->cycle);
    /* The control word with the cycle bit last. */
    xhci_write(x, in->base + (uint64_t)in->index * XHCI_TRB_BYTES, raw, 12);
    mem_store_le32(x->pci.as, in->base + (uint64_t)in->index * XHCI_TRB_BYTES + 12,
                   load_le32(raw + 12), pci_attrs(&x->pci));
    in->index = next;
    in->cycle ^= next == 0;
    if (!(in->erdp & ERDP_EHB)) {
        in->erdp |= ERDP_EHB;
        intr_raise(x, (unsigned)(in - x->intr));
    }
}

/* value: the new register, with EHB still set unless the driver cleared it. */
static void erdp_write(Xhci *x, unsigned n, uint64_t value)
{
    XhciInterrupter *in = &x->intr[n];

    in->erdp = value;
    if (!(value & ERDP_EHB) && in->n_trbs &&
        in->base + (uint64_t)in->index * XHCI_TRB_BYTES != (value & ~(uint64_t)15)) {
        in->erdp |= ERDP_EHB; /* more came meanwhile */
        intr_raise(x, n);
    }
}

/* ---- ports (4.19, 5.4.8) */

bool xhci_running(const Xhci *x)
{
    return !(x->usbsts & STS_HCH);
}

static void port_change(Xhci *x, unsigned n, uint32_t bits)
{
    bool fresh = bits & ~x->portsc[n];

    x->portsc[n] |= bits;
    if (fresh && xhci_running(x)) {
        x->usbsts |= STS_PCD;
        xhci_event(x, 0, (uint64_t)(n + 1) << 24, CODE_SUCCESS << 24, TRB_PORT_EVENT << 10);
    }
}

static void port_set_link(Xhci *x, unsigned n, unsigned state)
{
    x->portsc[n] = (x->portsc[n] & ~(uint32_t)PORT_PLS) | state << 5;
}

static unsigned speed_id(const UsbDevice *u)
{
    unsigned speed = usb_class(u)->speed;

    return speed == USB_SPEED_HIGH ? 3 : speed == USB_SPEED_LOW ? 2 : 1;
}

/* What is plugged in, from the port's device; connect change is the caller's. */
static void port_detect(Xhci *x, unsigned n)
{
    const UsbDevice *u = x->ports[n].device;
    uint32_t keep = x->portsc[n] & (PORT_CHANGES | PORT_WAKES | PORT_PP);

    x->portsc[n] = keep | (u ? PORT_CCS | speed_id(u) << 10 : 0);
    port_set_link(x, n, u ? PLS_POLLING : PLS_RX_DETECT);
}

static void port_changed(UsbPort *p)
{
    Xhci *x = (Xhci *)p->owner;
    unsigned n = p->number - 1;

    port_detect(x, n);
    port_change(x, n, PORT_CSC);
}

static void port_reset(Xhci *x, unsigned n)
{
    UsbDevice *u = x->ports[n].device;

    if (u) {
        usb_reset(u);
        x->portsc[n] |= PORT_PED;
        port_set_link(x, n, PLS_U0);
        port_change(x, n, PORT_PRC);
    }
}

static void portsc_write(Xhci *x, unsigned n, uint32_t v)
{
    x->portsc[n] &= ~(v & PORT_CHANGES);
    x->portsc[n] =
        (x->portsc[n] & ~(uint32_t)(PORT_WAKES | PORT_PP)) | (v & (PORT_WAKES | PORT_PP));
    if (v & PORT_PED) {
        x->portsc[n] &= ~(uint32_t)PORT_PED;
    }
    if (v & PORT_LWS && x->portsc[n] & PORT_PED) {
        unsigned state = v >> 5 & 0xf;
        if (state == PLS_U0 || state == PLS_U3 || state == PLS_RESUME) {
            port_set_link(x, n, state);
        }
    }
    if (v & PORT_PR || (v & PORT_WPR && n >= XHCI_USB2_PORTS)) {
        port_reset(x, n);
    }
}

UsbDevice *xhci_device(Xhci *x, const XhciSlot *s)
{
    if (!s->port || s->port > XHCI_PORTS) {
        return NULL;
    }
    UsbDevice *u = x->ports[s->port - 1].device;
    for (uint32_t route = s->route & 0xfffff; u && route; route >>= 4) {
        UsbBus *b = usb_bus_of(&u->dev);
        unsigned n = route & 15;
        u = b && n && n <= b->n_ports ? b->ports[n - 1].device : NULL;
    }
    return u;
}

/* Calls fn for the endpoints that device u has. */
static void port_wakeup(UsbPort *p, UsbDevice *u, uint8_t endpoint)
{
    Xhci *x = (Xhci *)p->owner;
    unsigned dci = 2u * (endpoint & 15) + (endpoint >> 7);

    for (unsigned i = 1; i <= XHCI_SLOTS; i++) {
        if (x->slots[i].enabled && x->slots[i].ep[dci].state == EP_RUNNING &&
            xhci_device(x, &x->slots[i]) == u) {
            xhci_run_endpoint(x, i, dci);
        }
    }
}

static void port_detach(UsbPort *p, UsbDevice *u)
{
    Xhci *x = (Xhci *)p->owner;

    for (unsigned i = 1; i <= XHCI_SLOTS; i++) {
        for (unsigned k = 1; k < XHCI_ENDPOINTS; k++) {
            XhciEndpoint *e = &x->slots[i].ep[k];
            if (e->td && e->td->busy && e->td->device == u) {
                xhci_endpoint_cancel(x, e);
            }
        }
    }
}

/* ---- reset */

static void controller_reset(Xhci *x)
{
    for (unsigned i = 1; i <= XHCI_SLOTS; i++) {
        xhci_slot_disable(x, i);
    }
    x->usbcmd = 0;
    x->usbsts = STS_HCH;
    x->dnctrl = x->config = 0;
    x->dcbaap = x->crcr_write = 0;
    x->command = (XhciRing){0};
    x->command_running = false;
    memset(x->intr, 0, sizeof x->intr);
    for (unsigned n = 0; n < XHCI_PORTS; n++) {
        x->portsc[n] = PORT_PP;
        x->portpmsc[n] = 0;
        port_detect(x, n);
        x->portsc[n] |= x->ports[n].device ? PORT_CSC : 0;
    }
    intr_sync(x);
}

static void usbcmd_write(Xhci *x, uint32_t v)
{
    if (v & CMD_HCRST) {
        controller_reset(x);
        return;
    }
    bool start = v & CMD_RS && !(x->usbcmd & CMD_RS);

    x->usbcmd = v & (CMD_RS | CMD_INTE | CMD_HSEE | CMD_EWE);
    if (!(v & CMD_RS)) {
        x->usbsts |= STS_HCH;
        x->command_running = false;
    } else if (start) {
        x->usbsts &= ~(uint32_t)STS_HCH;
        for (unsigned n = 0; n < XHCI_PORTS; n++) {
            if (x->portsc[n] & PORT_CHANGES) {
                x->usbsts |= STS_PCD;
                xhci_event(x, 0, (uint64_t)(n + 1) << 24, CODE_SUCCESS << 24, TRB_PORT_EVENT << 10);
            }
        }
    }
    intr_sync(x);
}

static void crcr_write(Xhci *x, bool high, uint32_t v)
{
    if (x->command_running) {
        if (!high && v & (CRCR_CS | CRCR_CA)) {
            x->command_running = false;
            xhci_event(x, 0, x->command.gpa, CODE_COMMAND_RING_STOPPED << 24,
                       TRB_COMMAND_EVENT << 10);
        }
        return;
    }
    x->crcr_write = deposit64(x->crcr_write, high ? 32 : 0, 32, v);
    x->command = (XhciRing){x->crcr_write & ~(uint64_t)63, x->crcr_write & CRCR_RCS};
}

/* ---- registers */

/* Protocol capabilities: name "USB ", revision, first port and number of them (7.2). */
static uint32_t capability_read(unsigned offset)
{
    static const uint32_t words[CAP_BYTES / 4] = {
        [0x00 / 4] = 0x01000000 | CAP_BYTES,
        [0x04 / 4] = XHCI_SLOTS | XHCI_INTERRUPTERS << 8 | (uint32_t)XHCI_PORTS << 24,
        [0x08 / 4] = 0x00000000,                    /* one event ring segment, no scratchpads */
        [0x10 / 4] = 0x00000001 | (XECP / 4) << 16, /* 64-bit addresses */
        [0x14 / 4] = DOORBELLS,
        [0x18 / 4] = RUNTIME,
        [XECP / 4 + 0] = 0x02000002 | 4 << 8,
        [XECP / 4 + 1] = 0x20425355,
        [XECP / 4 + 2] = 1 | XHCI_USB2_PORTS << 8,
        [XECP / 4 + 4] = 0x03000002,
        [XECP / 4 + 5] = 0x20425355,
        [XECP / 4 + 6] = (XHCI_USB2_PORTS + 1) | XHCI_USB3_PORTS << 8,
    };
    return words[offset / 4];
}

static uint32_t intr_read(const XhciInterrupter *in, unsigned reg)
{
    switch (reg) {
    case 0x00: return in->iman;
    case 0x04: return in->imod;
    case 0x08: return in->erstsz;
    case 0x10: return (uint32_t)in->erstba;
    case 0x14: return (uint32_t)(in->erstba >> 32);
    case 0x18: return (uint32_t)in->erdp;
    case 0x1c: return (uint32_t)(in->erdp >> 32);
    default: return 0;
    }
}

static uint32_t op_read(const Xhci *x, unsigned offset)
{
    switch (offset) {
    case USBCMD: return x->usbcmd;
    case USBSTS: return x->usbsts;
    case PAGESIZE: return 1;
    case DNCTRL: return x->dnctrl;
    case CRCR: return x->command_running ? CRCR_CRR : 0;
    case DCBAAP: return (uint32_t)x->dcbaap;
    case DCBAAP + 4: return (uint32_t)(x->dcbaap >> 32);
    case CONFIG: return x->config;
    default: return 0;
    }
}

static uint32_t reg_read(Xhci *x, unsigned offset)
{
    if (offset < CAP_BYTES) {
        return capability_read(offset);
    }
    if (offset < PORTS) {
        return op_read(x, offset);
    }
    if (offset < PORTS + 16 * XHCI_PORTS) {
        unsigned n = (offset - PORTS) / 16, reg = offset & 15;
        return reg == 0 ? x->portsc[n] : reg == 4 ? x->portpmsc[n] : 0;
    }
    if (offset == RUNTIME) { /* MFINDEX: 125 us */
        return (uint32_t)(clock_ns(x->pci.dev.machine, CLOCK_VM) / 125000) & 0x3fff;
    }
    if (offset >= INTERRUPTERS && offset < INTERRUPTERS + 32 * XHCI_INTERRUPTERS) {
        return intr_read(&x->intr[(offset - INTERRUPTERS) / 32], offset & 31);
    }
    return 0;
}

static void intr_write(Xhci *x, unsigned n, unsigned reg, uint32_t v)
{
    XhciInterrupter *in = &x->intr[n];

    switch (reg) {
    case 0x00: in->iman = (in->iman & ~(v & IMAN_IP) & ~(uint32_t)IMAN_IE) | (v & IMAN_IE); break;
    case 0x04: in->imod = v; break;
    case 0x08: in->erstsz = v & 0xffff; break;
    case 0x10:
        in->erstba = deposit64(in->erstba, 0, 32, v & ~63u);
        intr_load_segment(x, in);
        break;
    case 0x14:
        in->erstba = deposit64(in->erstba, 32, 32, v);
        intr_load_segment(x, in);
        break;
    case 0x18:
        erdp_write(x, n,
                   deposit64(in->erdp, 0, 32, v & ~(uint32_t)ERDP_EHB) |
                       (v & ERDP_EHB ? 0 : in->erdp & ERDP_EHB));
        break;
    case 0x1c: in->erdp = deposit64(in->erdp, 32, 32, v); break;
    default: break;
    }
    intr_sync(x);
}

static void op_write(Xhci *x, unsigned offset, uint32_t v)
{
    switch (offset) {
    case USBCMD: usbcmd_write(x, v); break;
    case USBSTS: x->usbsts &= ~(v & STS_W1C); break;
    case DNCTRL: x->dnctrl = v & 0xffff; break;
    case CRCR:
    case CRCR + 4: crcr_write(x, offset != CRCR, v); break;
    case DCBAAP: x->dcbaap = deposit64(x->dcbaap, 0, 32, v & ~63u); break;
    case DCBAAP + 4: x->dcbaap = deposit64(x->dcbaap, 32, 32, v); break;
    case CONFIG: x->config = v & 0xff; break;
    default: break;
    }
}

static void doorbell_write(Xhci *x, unsigned n, uint32_t v)
{
    if (!xhci_running(x)) {
        return;
    }
    if (n == 0) {
        if ((v & 0xff) == 0) {
            x->command_running = true;
            xhci_run_commands(x);
        }
    } else if (n <= XHCI_SLOTS && x->slots[n].enabled) {
        unsigned dci = v & 0xff;
        if (dci < XHCI_ENDPOINTS && x->slots[n].ep[dci].state == EP_STOPPED) {
            xhci_endpoint_set_state(x, n, dci, EP_RUNNING);
        }
        xhci_run_endpoint(x, n, dci);
    }
}

static void reg_write(Xhci *x, unsigned offset, uint32_t v)
{
    if (offset < CAP_BYTES) {
        return;
    }
    if (offset < PORTS) {
        op_write(x, offset, v);
    } else if (offset < PORTS + 16 * XHCI_PORTS) {
        unsigned n = (offset - PORTS) / 16;
        if ((offset & 15) == 0) {
            portsc_write(x, n, v);
        } else if ((offset & 15) == 4) {
            x->portpmsc[n] = v;
        }
    } else if (offset >= INTERRUPTERS && offset < INTERRUPTERS + 32 * XHCI_INTERRUPTERS) {
        intr_write(x, (offset - INTERRUPTERS) / 32, offset & 31, v);
    } else if (offset >= DOORBELLS && offset < DOORBELLS + 4 * (XHCI_SLOTS + 1)) {
        doorbell_write(x, (offset - DOORBELLS) / 4, v);
    }
}

static MemResult bar_read(Device *d, uint64_t offset, unsigned bytes, uint64_t *value,
                          MemAttrs attrs)
{
    Xhci *x = (Xhci *)d;
    unsigned at = (unsigned)offset;

    (void)attrs;
    *value = reg_read(x, at & ~3u) >> 8 * (at & 3);
    if (bytes == 8) {
        *value |= (uint64_t)reg_read(x, at + 4) << 32;
    }
    *value &= mask64(8 * bytes);
    return MEM_OK;
}

static MemResult bar_write(Device *d, uint64_t offset, unsigned bytes, uint64_t value,
                           MemAttrs attrs)
{
    (void)attrs;
    reg_write((Xhci *)d, (unsigned)offset, (uint32_t)value);
    if (bytes == 8) {
        reg_write((Xhci *)d, (unsigned)offset + 4, (uint32_t)(value >> 32));
    } else if (bytes != 4) {
        device_guest_error(d, "write of %u bytes at 0x%x", bytes, (unsigned)offset);
    }
    return MEM_OK;
}

/* ---- life */

UsbBus *xhci_bus(Device *d)
{
    return &((Xhci *)d)->bus;
}

static bool xhci_realize(PciDevice *p, Error *err)
{
    Xhci *x = (Xhci *)p;

    (void)err;
    snprintf(x->bus_name, sizeof x->bus_name, "%s.0", p->dev.id);
    x->bus = (UsbBus){x->bus_name, x->ports, XHCI_PORTS};
    for (unsigned n = 0; n < XHCI_PORTS; n++) {
        x->ports[n] =
            (UsbPort){.owner = &p->dev,
                      .number = n + 1,
                      .changed = port_changed,
                      .wakeup = port_wakeup,
                      .detach = port_detach,
                      .speeds = n < XHCI_USB2_PORTS
                                    ? 1 << USB_SPEED_LOW | 1 << USB_SPEED_FULL | 1 << USB_SPEED_HIGH
                                    : 0};
    }
    p->config[0x60] = 0x30; /* SBRN: USB 3.0 */
    controller_reset(x);
    return true;
}

static void xhci_unrealize(PciDevice *p)
{
    Xhci *x = (Xhci *)p;

    for (unsigned i = 1; i <= XHCI_SLOTS; i++) {
        xhci_slot_disable(x, i);
        for (unsigned k = 0; k < XHCI_ENDPOINTS; k++) {
            free(x->slots[i].ep[k].td);
        }
    }
    for (unsigned n = 0; n < XHCI_PORTS; n++) {
        if (x->ports[n].device) {
            device_unrealize(&x->ports[n].device->dev);
        }
    }
}

static void xhci_reset(PciDevice *p, ResetPhase phase)
{
    if (phase == RESET_ENTER) {
        controller_reset((Xhci *)p);
    }
}

static void xhci_sync(PciDevice *p)
{
    intr_sync((Xhci *)p);
}

static bool xhci_validate(PciDevice *p, Error *err)
{
    Xhci *x = (Xhci *)p;

    for (unsigned i = 0; i < XHCI_INTERRUPTERS; i++) {
        if (x->intr[i].n_trbs > 4096 ||
            (x->intr[i].n_trbs && x->intr[i].index >= x->intr[i].n_trbs)) {
            x->intr[i].n_trbs = 0;
            return error_set(err, "%s: saved event ring %u is not valid", p->dev.id, i);
        }
    }
    return true;
}

static const StateDesc ep_state[] = {
    {STATE_FIELD(STATE_U8, XhciEndpoint, state)},
    {STATE_FIELD(STATE_U8, XhciEndpoint, type)},
    {STATE_FIELD(STATE_BOOL, XhciEndpoint, control_done)},
    {STATE_FIELD(STATE_BOOL, XhciEndpoint, have_setup)},
    {STATE_FIELD(STATE_U64, XhciEndpoint, ring.gpa)},
    {STATE_FIELD(STATE_BOOL, XhciEndpoint, ring.cycle)},
    {STATE_FIELD(STATE_BYTES, XhciEndpoint, setup)},
    {0},
};
static const StateDesc slot_state[] = {
    {STATE_FIELD(STATE_BOOL, XhciSlot, enabled)},
    {STATE_FIELD(STATE_U8, XhciSlot, state)},
    {STATE_FIELD(STATE_U8, XhciSlot, port)},
    {STATE_FIELD(STATE_U32, XhciSlot, route)},
    {STATE_FIELD(STATE_U8, XhciSlot, interrupter)},
    {STATE_FIELD(STATE_U64, XhciSlot, context)},
    {STATE_ARRAY(STATE_STRUCT, XhciSlot, ep), .sub = ep_state},
    {0},
};
static const StateDesc intr_state[] = {
    {STATE_FIELD(STATE_U32, XhciInterrupter, iman)},
    {STATE_FIELD(STATE_U32, XhciInterrupter, imod)},
    {STATE_FIELD(STATE_U32, XhciInterrupter, erstsz)},
    {STATE_FIELD(STATE_U64, XhciInterrupter, erstba)},
    {STATE_FIELD(STATE_U64, XhciInterrupter, erdp)},
    {STATE_FIELD(STATE_U64, XhciInterrupter, base)},
    {STATE_FIELD(STATE_U32, XhciInterrupter, n_trbs)},
    {STATE_FIELD(STATE_U32, XhciInterrupter, index)},
    {STATE_FIELD(STATE_BOOL, XhciInterrupter, cycle)},
    {0},
};
/* `keep`: reset goes through controller_reset(), which lets transfers go first. */
static const StateDesc xhci_state[] = {
    PCI_STATE,
    {STATE_FIELD(STATE_U32, Xhci, usbcmd), .keep = true},
    {STATE_FIELD(STATE_U32, Xhci, usbsts), .keep = true},
    {STATE_FIELD(STATE_U32, Xhci, dnctrl), .keep = true},
    {STATE_FIELD(STATE_U32, Xhci, config), .keep = true},
    {STATE_FIELD(STATE_U64, Xhci, dcbaap), .keep = true},
    {STATE_FIELD(STATE_U64, Xhci, crcr_write), .keep = true},
    {STATE_FIELD(STATE_U64, Xhci, command.gpa), .keep = true},
    {STATE_FIELD(STATE_BOOL, Xhci, command.cycle), .keep = true},
    {STATE_FIELD(STATE_BOOL, Xhci, command_running), .keep = true},
    {STATE_ARRAY(STATE_U32, Xhci, portsc), .keep = true},
    {STATE_ARRAY(STATE_U32, Xhci, portpmsc), .keep = true},
    {STATE_ARRAY(STATE_STRUCT, Xhci, intr), .sub = intr_state, .keep = true},
    {STATE_ARRAY(STATE_STRUCT, Xhci, slots), .sub = slot_state, .keep = true},
    {0},
};

static const MmioDesc xhci_mmio[] = {
    {.name = "xhci",
     .bytes = BAR_BYTES,
     .min_bytes = 1,
     .max_bytes = 8,
     .read = bar_read,
     .write = bar_write},
    {0},
};
static const PciBarDesc xhci_bars[] = {{.bar = 0, .kind = PCI_BAR_MEM64, .mmio = 0}, {0}};
static const PropDesc xhci_props[] = {PCI_PROPS, {0}};

static const PciClass xhci_pci = {
    .vendor_id = 0x1b36,
    .device_id = 0x000d,
    .class_code = 0x0c0330,
    .revision = 1,
    .intx = true,
    .bars = xhci_bars,
    .msix_vectors = XHCI_INTERRUPTERS,
    .msix_bar = 2,
    .realize = xhci_realize,
    .unrealize = xhci_unrealize,
    .reset = xhci_reset,
    .sync = xhci_sync,
    .validate = xhci_validate,
};

const DeviceClass xhci_class = {
    .name = "qemu-xhci",
    .alias = "xhci",
    .title = "USB 3 host controller (xHCI)",
    .category = "usb",
    .bytes = sizeof(Xhci),
    PCI_DEVICE_HOOKS,
    .mmio = xhci_mmio,
    .bus_class = &xhci_pci,
    .props = xhci_props,
    .state = xhci_state,
};
