/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xHCI: the command ring. Source: xHCI 1.1, sections 4.6 (commands), 6.2 (contexts), 6.4.3 (TRBs).
 *
 * A context in guest memory is what the driver reads; what the controller works with is kept in
 * XhciSlot and XhciEndpoint, so that a driver scribbling over a context harms itself only.
 */
#include "xhci.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_COMMANDS = 256, CTX = XHCI_CONTEXT_BYTES };

static uint64_t context_gpa(const XhciSlot *s, unsigned dci)
{
    return s->context + (uint64_t)CTX * dci;
}

static void slot_set_state(Xhci *x, unsigned slot, SlotState state, unsigned address)
{
    XhciSlot *s = &x->slots[slot];
    uint8_t dw[4];

    s->state = (uint8_t)state;
    store_le32(dw, (uint32_t)state << 27 | (address & 0xff));
    xhci_write(x, context_gpa(s, 0) + 12, dw, 4);
}

void xhci_slot_disable(Xhci *x, unsigned slot)
{
    XhciSlot *s = &x->slots[slot];

    for (unsigned i = 1; i < XHCI_ENDPOINTS; i++) {
        XhciTd *td = s->ep[i].td;
        xhci_endpoint_cancel(x, &s->ep[i]);
        s->ep[i] = (XhciEndpoint){.td = td};
    }
    s->enabled = false;
    s->state = SLOT_DISABLED;
    s->port = 0;
    s->route = 0;
    s->interrupter = 0;
    s->context = 0;
}

static TrbCode enable_slot(Xhci *x, unsigned *slot)
{
    unsigned max = x->config < XHCI_SLOTS ? x->config : XHCI_SLOTS;

    for (unsigned i = 1; i <= max; i++) {
        if (!x->slots[i].enabled) {
            x->slots[i].enabled = true;
            *slot = i;
            return CODE_SUCCESS;
        }
    }
    return CODE_NO_SLOTS;
}

/* Endpoint dci from its context in the input context at `in`. */
static TrbCode endpoint_load(Xhci *x, unsigned slot, unsigned dci, uint64_t in)
{
    XhciSlot *s = &x->slots[slot];
    XhciEndpoint *e = &s->ep[dci];
    uint8_t c[CTX];

    if (!xhci_read(x, in + (uint64_t)CTX * (dci + 1), c, CTX)) {
        return CODE_TRB;
    }
    uint8_t type = load_le32(c + 4) >> 3 & 7;
    if (!type || (dci == 1) != (type == 4)) {
        return CODE_PARAMETER;
    }
    xhci_endpoint_cancel(x, e);
    e->type = type;
    e->ring = (XhciRing){load_le64(c + 8) & ~(uint64_t)15, c[8] & 1};
    e->have_setup = e->control_done = false;
    e->state = EP_RUNNING;
    store_le32(c, (load_le32(c) & ~7u) | EP_RUNNING);
    xhci_write(x, context_gpa(s, dci), c, CTX);
    return CODE_SUCCESS;
}

static TrbCode address_device(Xhci *x, const Trb *t, unsigned slot)
{
    XhciSlot *s = &x->slots[slot];
    uint64_t in = t->parameter & ~(uint64_t)15;
    uint8_t control[8], c[CTX], entry[8];

    if (!xhci_read(x, in, control, 8) || !xhci_read(x, in + CTX, c, CTX) ||
        !xhci_read(x, x->dcbaap + 8ull * slot, entry, 8)) {
        return CODE_TRB;
    }
    if (load_le32(control + 4) != 3) {
        return CODE_PARAMETER;
    }
    s->context = load_le64(entry) & ~(uint64_t)63;
    s->route = load_le32(c) & 0xfffff;
    s->port = c[6];
    s->interrupter = (uint8_t)(load_le32(c + 8) >> 22) % XHCI_INTERRUPTERS;
    UsbDevice *u = xhci_device(x, s);
    if (!u) {
        return CODE_TRANSACTION;
    }
    bool bsr = t->control & TRB_BSR;
    xhci_write(x, context_gpa(s, 0), c, CTX);
    if (!bsr) {
        /* The request goes to the device too: it may keep track of being addressed. */
        const uint8_t setup[USB_SETUP_BYTES] = {0, USB_REQ_SET_ADDRESS, (uint8_t)slot};
        usb_control(u, setup, NULL, 0);
    }
    TrbCode code = endpoint_load(x, slot, 1, in);
    if (code == CODE_SUCCESS) {
        slot_set_state(x, slot, bsr ? SLOT_DEFAULT : SLOT_ADDRESSED, bsr ? 0 : slot);
    }
    return code;
}

static void endpoint_disable(Xhci *x, unsigned slot, unsigned dci)
{
    XhciEndpoint *e = &x->slots[slot].ep[dci];

    xhci_endpoint_cancel(x, e);
    *e = (XhciEndpoint){.td = e->td};
    xhci_endpoint_set_state(x, slot, dci, EP_DISABLED);
}

static TrbCode configure_endpoint(Xhci *x, const Trb *t, unsigned slot)
{
    XhciSlot *s = &x->slots[slot];
    uint64_t in = t->parameter & ~(uint64_t)15;
    uint8_t control[8];

    if (s->state < SLOT_ADDRESSED) {
        return CODE_CONTEXT_STATE;
    }
    if (t->control & TRB_DC) {
        for (unsigned dci = 2; dci < XHCI_ENDPOINTS; dci++) {
            endpoint_disable(x, slot, dci);
        }
        slot_set_state(x, slot, SLOT_ADDRESSED, slot);
        return CODE_SUCCESS;
    }
    if (!xhci_read(x, in, control, sizeof control)) {
        return CODE_TRB;
    }
    uint32_t drop = load_le32(control), add = load_le32(control + 4);
    if (drop & 3 || (add & 3) != 1) {
        return CODE_PARAMETER;
    }
    for (unsigned dci = 2; dci < XHCI_ENDPOINTS; dci++) {
        if (drop >> dci & 1) {
            endpoint_disable(x, slot, dci);
        }
        if (add >> dci & 1) {
            TrbCode code = endpoint_load(x, slot, dci, in);
            if (code != CODE_SUCCESS) {
                return code;
            }
        }
    }
    uint8_t dw[4], old[4];
    if (xhci_read(x, in + CTX, dw, 4) && xhci_read(x, context_gpa(s, 0), old, 4)) {
        /* Context Entries, and what a hub's driver found out */
        store_le32(old, (load_le32(old) & 0x01ffffff) | (load_le32(dw) & 0xfe000000));
        xhci_write(x, context_gpa(s, 0), old, 4);
    }
    slot_set_state(x, slot, SLOT_CONFIGURED, slot);
    return CODE_SUCCESS;
}

static TrbCode evaluate_context(Xhci *x, const Trb *t, unsigned slot)
{
    XhciSlot *s = &x->slots[slot];
    uint64_t in = t->parameter & ~(uint64_t)15;
    uint8_t control[8], new[CTX], old[CTX];

    if (!xhci_read(x, in, control, sizeof control)) {
        return CODE_TRB;
    }
    uint32_t add = load_le32(control + 4);
    if (add & 1 && xhci_read(x, in + CTX, new, CTX) && xhci_read(x, context_gpa(s, 0), old, CTX)) {
        store_le16(old + 4, load_le16(new + 4)); /* Max Exit Latency */
        store_le32(old + 8, (load_le32(old + 8) & 0x003fffff) | (load_le32(new + 8) & 0xffc00000));
        s->interrupter = (uint8_t)(load_le32(new + 8) >> 22) % XHCI_INTERRUPTERS;
        xhci_write(x, context_gpa(s, 0), old, CTX);
    }
    if (add & 2 && xhci_read(x, in + 2 * CTX, new, CTX) &&
        xhci_read(x, context_gpa(s, 1), old, CTX)) {
        store_le16(old + 6, load_le16(new + 6)); /* Max Packet Size of endpoint 0 */
        xhci_write(x, context_gpa(s, 1), old, CTX);
    }
    return CODE_SUCCESS;
}

static TrbCode stop_endpoint(Xhci *x, unsigned slot, unsigned dci)
{
    XhciEndpoint *e = &x->slots[slot].ep[dci];

    if (e->state != EP_RUNNING) {
        return CODE_CONTEXT_STATE;
    }
    xhci_endpoint_cancel(x, e);
    xhci_endpoint_set_state(x, slot, dci, EP_STOPPED);
    return CODE_SUCCESS;
}

static TrbCode reset_endpoint(Xhci *x, unsigned slot, unsigned dci)
{
    XhciEndpoint *e = &x->slots[slot].ep[dci];

    if (e->state != EP_HALTED) {
        return CODE_CONTEXT_STATE;
    }
    e->have_setup = e->control_done = false;
    xhci_endpoint_set_state(x, slot, dci, EP_STOPPED);
    return CODE_SUCCESS;
}

static TrbCode set_dequeue(Xhci *x, const Trb *t, unsigned slot, unsigned dci)
{
    XhciEndpoint *e = &x->slots[slot].ep[dci];

    if (e->state != EP_STOPPED && e->state != EP_ERROR) {
        return CODE_CONTEXT_STATE;
    }
    e->ring = (XhciRing){t->parameter & ~(uint64_t)15, t->parameter & 1};
    e->have_setup = e->control_done = false;
    xhci_endpoint_set_state(x, slot, dci, EP_STOPPED);
    return CODE_SUCCESS;
}

static TrbCode reset_device(Xhci *x, unsigned slot)
{
    if (x->slots[slot].state < SLOT_ADDRESSED) {
        return CODE_CONTEXT_STATE;
    }
    for (unsigned dci = 2; dci < XHCI_ENDPOINTS; dci++) {
        endpoint_disable(x, slot, dci);
    }
    slot_set_state(x, slot, SLOT_DEFAULT, 0);
    return CODE_SUCCESS;
}

static TrbCode endpoint_command(Xhci *x, const Trb *t, unsigned slot)
{
    unsigned dci = t->control >> 16 & 0x1f;

    if (!dci || x->slots[slot].ep[dci].state == EP_DISABLED) {
        return CODE_ENDPOINT_NOT_ENABLED;
    }
    switch (trb_type(t)) {
    case TRB_STOP_ENDPOINT: return stop_endpoint(x, slot, dci);
    case TRB_RESET_ENDPOINT: return reset_endpoint(x, slot, dci);
    default: return set_dequeue(x, t, slot, dci);
    }
}

static TrbCode run_command(Xhci *x, const Trb *t, unsigned *slot)
{
    unsigned type = trb_type(t);

    *slot = 0;
    if (type == TRB_NOOP_COMMAND) {
        return CODE_SUCCESS;
    }
    if (type == TRB_ENABLE_SLOT) {
        return enable_slot(x, slot);
    }
    if (type < TRB_DISABLE_SLOT || type > TRB_RESET_DEVICE) {
        return CODE_TRB;
    }
    *slot = t->control >> 24;
    if (!*slot || *slot > XHCI_SLOTS || !x->slots[*slot].enabled) {
        return CODE_SLOT_NOT_ENABLED;
    }
    switch (type) {
    case TRB_DISABLE_SLOT: xhci_slot_disable(x, *slot); return CODE_SUCCESS;
    case TRB_ADDRESS_DEVICE: return address_device(x, t, *slot);
    case TRB_CONFIGURE_ENDPOINT: return configure_endpoint(x, t, *slot);
    case TRB_EVALUATE_CONTEXT: return evaluate_context(x, t, *slot);
    case TRB_RESET_DEVICE: return reset_device(x, *slot);
    default: return endpoint_command(x, t, *slot);
    }
}

void xhci_run_commands(Xhci *x)
{
    Trb t;

    for (unsigned n = 0; n < MAX_COMMANDS && x->command_running && xhci_fetch(x, &x->command, &t);
         n++) {
        unsigned slot;
        TrbCode code = run_command(x, &t, &slot);
        xhci_event(x, 0, t.gpa, (uint32_t)code << 24, TRB_COMMAND_EVENT << 10 | slot << 24);
    }
}
