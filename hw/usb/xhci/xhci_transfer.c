/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xHCI: transfer rings. Source: xHCI 1.1, sections 4.10 (short packets, events), 4.11 (TDs), 6.4.1.
 *
 * A TD is collected whole (TRBs joined by the chain bit), its buffers mapped, and handed to the
 * device as one transfer. The ring moves behind it only when it is over: a device that answers NAK
 * leaves everything as it is until it wakes the endpoint up. A control transfer is three TDs; the
 * request runs with its data stage, or with its status stage when it has no data.
 */
#include "xhci.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TDS = 512 }; /* of one run: a ring that loops for ever is left */

static bool is_control(const XhciEndpoint *e)
{
    return e->type == 4;
}

void xhci_endpoint_set_state(Xhci *x, unsigned slot, unsigned dci, EpState state)
{
    XhciSlot *s = &x->slots[slot];
    XhciEndpoint *e = &s->ep[dci];
    uint64_t gpa = s->context + (uint64_t)XHCI_CONTEXT_BYTES * dci;
    uint8_t dw[8];

    e->state = (uint8_t)state;
    if (!s->context || !xhci_read(x, gpa, dw, 4)) {
        return;
    }
    store_le32(dw, (load_le32(dw) & ~7u) | state);
    xhci_write(x, gpa, dw, 4);
    if (state == EP_STOPPED || state == EP_HALTED || state == EP_ERROR) {
        store_le64(dw, e->ring.gpa | e->ring.cycle);
        xhci_write(x, gpa + 8, dw, 8);
    }
}

/* ---- collecting a TD */

static uint32_t trb_bytes(const Trb *t)
{
    return t->status & 0x1ffff;
}

static bool carries_data(const Trb *t)
{
    unsigned type = trb_type(t);

    return type == TRB_NORMAL || type == TRB_DATA;
}

static bool td_map(XhciTd *td, const Trb *t)
{
    size_t bytes = trb_bytes(t);
    int n = 0;

    if (!carries_data(t) || !bytes) {
        return true;
    }
    if (t->control & TRB_IDT) {
        return false; /* immediate data: no driver of ours has it outside setup */
    }
    size_t got = dma_map(td->x->pci.as, t->parameter, bytes, td->in, td->iov + td->n_iov,
                         XHCI_TD_IOVS - td->n_iov, &n);
    td->n_iov += n;
    td->t.bytes += got;
    return got == bytes;
}

static void td_unmap(XhciTd *td, size_t written)
{
    dma_unmap(td->x->pci.as, td->iov, td->n_iov, td->in, written);
    td->n_iov = 0;
}

typedef enum Collected { TD_NONE, TD_OK, TD_BAD } Collected;

static Collected td_collect(Xhci *x, XhciEndpoint *e, XhciTd *td)
{
    XhciRing r = e->ring;

    td->n = 0;
    td->n_iov = 0;
    td->t.bytes = 0;
    do {
        if (td->n == XHCI_TD_TRBS) {
            td->after = r;
            return TD_BAD;
        }
        if (!xhci_fetch(x, &r, &td->trb[td->n])) {
            return TD_NONE;
        }
    } while (td->trb[td->n++].control & TRB_CHAIN);
    td->after = r;
    const Trb *first = &td->trb[0];
    td->in = trb_type(first) == TRB_DATA ? (first->control & TRB_DIR_IN) != 0
                                         : !is_control(e) && td->dci & 1;
    for (unsigned i = 0; i < td->n; i++) {
        if (!td_map(td, &td->trb[i])) {
            return TD_BAD;
        }
    }
    return TD_OK;
}

/* ---- finishing one */

static void td_event(XhciTd *td, const Trb *t, uint32_t length, TrbCode code)
{
    Xhci *x = td->x;
    bool ed = trb_type(t) == TRB_EVENT_DATA;

    xhci_event(x, t->status >> 22, ed ? t->parameter : t->gpa,
               (length & 0xffffff) | (uint32_t)code << 24,
               TRB_TRANSFER_EVENT << 10 | (uint32_t)td->dci << 16 | (uint32_t)td->slot << 24 |
                   (ed ? TRB_ED : 0));
}

/* Events of a TD that moved `actual` bytes: one for each TRB that asks; after a short packet one.
 */
static void td_events(XhciTd *td, size_t actual)
{
    size_t left = actual, moved = 0;
    bool shorter = false, reported = false;

    for (unsigned i = 0; i < td->n; i++) {
        const Trb *t = &td->trb[i];
        uint32_t bytes = carries_data(t) ? trb_bytes(t) : 0;
        uint32_t here = left < bytes ? (uint32_t)left : bytes;

        left -= here;
        moved += here;
        shorter |= here < bytes;
        if (trb_type(t) == TRB_EVENT_DATA) {
            if (t->control & TRB_IOC) {
                td_event(td, t, (uint32_t)moved, shorter ? CODE_SHORT_PACKET : CODE_SUCCESS);
            }
            continue;
        }
        bool asks = t->control & TRB_IOC || (shorter && t->control & TRB_ISP);
        if (asks && !reported) {
            td_event(td, t, bytes - here, shorter ? CODE_SHORT_PACKET : CODE_SUCCESS);
            reported = shorter;
        }
    }
}

/* An error: one event, at the TRB where it happened, and the endpoint stands. */
static void td_fail(XhciTd *td, TrbCode code, EpState state)
{
    Xhci *x = td->x;
    unsigned slot = td->slot, dci = td->dci;

    td_unmap(td, 0);
    td_event(td, &td->trb[0], trb_bytes(&td->trb[0]), code);
    xhci_endpoint_set_state(x, slot, dci, state);
}

static void td_done(XhciTd *td, int result)
{
    XhciEndpoint *e = &td->x->slots[td->slot].ep[td->dci];

    if (result < 0) {
        td_fail(td, CODE_STALL, EP_HALTED);
        return;
    }
    size_t actual = (size_t)result < td->t.bytes ? (size_t)result : td->t.bytes;
    td_unmap(td, td->in ? actual : 0);
    e->ring = td->after;
    td_events(td, actual);
}

static void transfer_done(UsbTransfer *t, int result)
{
    XhciTd *td = t->opaque;

    if (!td->busy) {
        return;
    }
    td->busy = false;
    if (t->cancelled) {
        td_unmap(td, td->in && result > 0 ? (size_t)result : 0);
        return;
    }
    td_done(td, result);
    xhci_run_endpoint(td->x, td->slot, td->dci);
}

void xhci_endpoint_cancel(Xhci *x, XhciEndpoint *e)
{
    (void)x;
    if (e->td && e->td->busy) {
        usb_cancel(e->td->device, &e->td->t);
        if (e->td->busy) { /* the device kept it: it must not, but its memory goes back */
            e->td->busy = false;
            td_unmap(e->td, 0);
        }
    }
}

/* ---- control */

static int control_request(XhciEndpoint *e, XhciTd *td, UsbDevice *u)
{
    uint8_t data[USB_CONTROL_MAX_BYTES];
    unsigned want = load_le16(e->setup + 6),
             bytes = (unsigned)(td->t.bytes < want ? td->t.bytes : want);
    bool in = e->setup[0] & USB_DIR_IN;

    if (bytes > sizeof data || (td->n_iov && in != td->in)) {
        return USB_STALL;
    }
    if (!in) {
        iov_to_buf(td->iov, (unsigned)td->n_iov, 0, data, bytes);
    }
    e->control_done = true;
    int r = usb_control(u, e->setup, data, bytes);
    if (r > 0 && in) {
        iov_from_buf(td->iov, (unsigned)td->n_iov, 0, data, (size_t)r);
    }
    return r < 0 ? r : in ? r : (int)bytes;
}

/* One stage; the bytes it moved, or USB_STALL. */
static int control_stage(XhciEndpoint *e, XhciTd *td, UsbDevice *u)
{
    const Trb *t = &td->trb[0];

    switch (trb_type(t)) {
    case TRB_SETUP:
        store_le64(e->setup, t->parameter);
        e->have_setup = true;
        e->control_done = false;
        return 0;
    case TRB_DATA: return e->have_setup && !e->control_done ? control_request(e, td, u) : USB_STALL;
    case TRB_STATUS: {
        int r = !e->have_setup ? USB_STALL : e->control_done ? 0 : control_request(e, td, u);
        e->have_setup = false;
        return r < 0 ? r : 0;
    }
    default: return trb_type(t) == TRB_NOOP ? 0 : USB_STALL;
    }
}

/* ---- running */

static int td_start(XhciEndpoint *e, XhciTd *td, UsbDevice *u)
{
    if (is_control(e)) {
        return control_stage(e, td, u);
    }
    if (trb_type(&td->trb[0]) == TRB_NOOP) {
        return 0;
    }
    td->device = u;
    td->t.endpoint = (uint8_t)(td->dci / 2 | (td->in ? USB_DIR_IN : 0));
    td->t.iov = td->iov;
    td->t.n_iov = (unsigned)td->n_iov;
    td->t.done = transfer_done;
    td->t.opaque = td;
    td->t.cancelled = false;
    td->busy = true;
    int r = usb_transfer(u, &td->t);
    td->busy = r == USB_ASYNC;
    return r;
}

/* Runs the next TD; false: nothing more to do now. */
static bool run_one(Xhci *x, unsigned slot, unsigned dci, XhciEndpoint *e)
{
    XhciTd *td = e->td;

    td->x = x;
    td->slot = (uint8_t)slot;
    td->dci = (uint8_t)dci;
    Collected c = td_collect(x, e, td);
    if (c == TD_NONE) {
        return false;
    }
    UsbDevice *u = xhci_device(x, &x->slots[slot]);
    if (c == TD_BAD || e->type == 1 || e->type == 5) { /* isochronous */
        td_fail(td, CODE_TRB, EP_ERROR);
        return false;
    }
    if (!u) {
        td_fail(td, CODE_TRANSACTION, EP_HALTED);
        return false;
    }
    int r = td_start(e, td, u);
    if (r == USB_ASYNC) {
        return false;
    }
    if (r == USB_NAK) {
        td_unmap(td, 0);
        return false;
    }
    td_done(td, r);
    return r >= 0;
}

void xhci_run_endpoint(Xhci *x, unsigned slot, unsigned dci)
{
    if (!dci || dci >= XHCI_ENDPOINTS || !xhci_running(x)) {
        return;
    }
    XhciEndpoint *e = &x->slots[slot].ep[dci];
    if (e->state != EP_RUNNING || (e->td && e->td->busy)) {
        return;
    }
    if (!e->td) {
        e->td = calloc(1, sizeof *e->td);
    }
    for (unsigned n = 0; e->td && n < MAX_TDS && e->state == EP_RUNNING; n++) {
        if (!run_one(x, slot, dci, e)) {
            break;
        }
    }
}
