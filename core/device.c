/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices: life, reset from the tables, pins, wiring, printing. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/device_private.h"
#include "util/bits.h"

enum { GUEST_ERRORS_LOGGED = 16, GUEST_ERRORS_EVERY = 65536 };

/* ---- life ---- */

static char *made_id(Machine *m, const DeviceClass *cls)
{
    gpointer n = g_hash_table_lookup(m->p->made_ids, cls->name);
    char *id;

    do {
        id = g_strdup_printf("%s.%u", cls->name, GPOINTER_TO_UINT(n));
        n = GUINT_TO_POINTER(GPOINTER_TO_UINT(n) + 1);
    } while (machine_device(m, id) && (g_free(id), true));
    g_hash_table_insert(m->p->made_ids, g_strdup(cls->name), n);
    return id;
}

Device *device_new(Machine *m, const DeviceClass *cls, const char *id)
{
    Device *d;

    assert(machine_locked_by_me(m) && cls->bytes >= sizeof *d);
    d = g_malloc0(cls->bytes);
    d->cls = cls;
    d->machine = m;
    d->id = id ? g_strdup(id) : made_id(m, cls);
    for (unsigned i = 0; i < DEVICE_MAX_MMIO; i++) {
        d->base[i] = UINT64_MAX;
    }
    device_props_init(d);
    return d;
}

void device_free(Device *d)
{
    for (unsigned i = 0; i < DEVICE_MAX_MMIO; i++) {
        if (d->reg_index[i]) {
            g_free((char *)d->mmio[i].name);
            reg_index_free(d->reg_index[i]);
        }
    }
    g_free(d->pin_binds);
    machine_block_release(d->machine, d);
    device_props_free(d);
    g_free((char *)d->id);
    g_free(d);
}

static void make_banks(Device *d)
{
    const MmioDesc *bank = d->cls->mmio;

    for (unsigned i = 0; bank && bank[i].name; i++) {
        assert(i < DEVICE_MAX_MMIO);
        d->reg_index[i] = reg_index_new(d, &bank[i]);
        mem_region_init_io(&d->mmio[i], g_strdup_printf("%s %s", d->id, bank[i].name),
                           bank[i].bytes, &d->reg_index[i]->io, d->reg_index[i]);
        d->mmio[i].busy = &d->in_io;
    }
}

static void destroy_banks(Device *d)
{
    mem_begin(d->machine);
    for (unsigned i = 0; i < DEVICE_MAX_MMIO; i++) {
        if (d->reg_index[i]) {
            mem_region_destroy(d->machine, &d->mmio[i]);
        }
    }
    mem_commit(d->machine);
}

static bool realize_checked(Device *d, Error *err)
{
    const DeviceClass *cls = d->cls;

    if (machine_device(d->machine, d->id)) {
        return error_set(err, "id '%s' is taken by another device", d->id);
    }
    if (!device_props_check(d, err)) {
        return false;
    }
    make_banks(d);
    if (cls->realize && !cls->realize(d, err)) {
        destroy_banks(d);
        return false;
    }
    return true;
}

/* After a failure the device is still the caller's, to unrealize (which then only frees). */
bool device_realize(Device *d, Error *err)
{
    Device **tail = &d->machine->devices;

    assert(machine_locked_by_me(d->machine) && !d->realized);
    if (!realize_checked(d, err)) {
        return error_prepend(err, "-device %s", d->cls->name);
    }
    while (*tail) {
        tail = &(*tail)->next;
    }
    *tail = d;
    d->realized = true;
    if (d->machine->p->was_reset) {
        device_reset(d, RESET_ENTER);
        device_reset(d, RESET_EXIT);
    }
    return true;
}

static void unlist(Device *d)
{
    Device **at = &d->machine->devices;

    while (*at != d) {
        at = &(*at)->next;
    }
    *at = d->next;
    d->next = NULL;
}

static void cancel_timers(void *base, const StateDesc *table)
{
    for (const StateDesc *s = table; s && s->name; s++) {
        for (uint32_t i = 0; i < MAX(s->count, 1); i++) {
            uint8_t *p = (uint8_t *)base + s->offset + (size_t)i * s->size;

            if (s->kind == STATE_TIMER) {
                timer_cancel((Timer *)(void *)p);
            } else if (s->kind == STATE_STRUCT) {
                cancel_timers(p, s->sub);
            }
        }
    }
}

/*
 * A vCPU or an I/O thread may still stand before the door of one of its regions, so the memory of a
 * device that was visible stays until the machine goes: hot-unplug is rare.
 */
void device_unrealize(Device *d)
{
    assert(machine_locked_by_me(d->machine));
    if (!d->realized) {
        device_free(d);
        return;
    }
    unlist(d);
    destroy_banks(d);
    if (d->cls->unrealize) {
        d->cls->unrealize(d);
    }
    cancel_timers(d, d->cls->state);
    machine_block_release(d->machine, d);
    d->realized = false;
    d->next = d->machine->p->unplugged;
    d->machine->p->unplugged = d;
}

Device *machine_device(Machine *m, const char *id)
{
    for (Device *d = m->devices; d; d = d->next) {
        if (!strcmp(d->id, id)) {
            return d;
        }
    }
    return NULL;
}

/* ---- reset ---- */

static unsigned state_int_bytes(const StateDesc *s)
{
    return s->kind == STATE_BOOL ? sizeof(bool) : 1u << (s->kind - STATE_U8);
}

static void reset_state(void *base, const StateDesc *table)
{
    for (const StateDesc *s = table; s && s->name; s++) {
        for (uint32_t i = 0; !s->keep && i < MAX(s->count, 1); i++) {
            uint8_t *p = (uint8_t *)base + s->offset + (size_t)i * s->size;

            switch ((StateKind)s->kind) {
            case STATE_U8:
            case STATE_U16:
            case STATE_U32:
            case STATE_U64:
            case STATE_BOOL: field_set(p, state_int_bytes(s), s->initial); break;
            case STATE_BYTES: memset(p, (int)s->initial, s->size); break;
            case STATE_TIMER: timer_cancel((Timer *)(void *)p); break;
            case STATE_STRUCT: reset_state(p, s->sub); break;
            case STATE_CUSTOM: break;
            }
        }
    }
}

static void reset_regs(Device *d, const MmioDesc *bank)
{
    for (const RegDesc *r = bank->regs; r && r->name; r++) {
        for (unsigned i = 0; r->field && i < reg_count(r) && reg_is_canonical(bank, r); i++) {
            field_set(reg_field(d, r, i), r->field_bytes, r->reset);
        }
    }
}

void device_reset(Device *d, ResetPhase phase)
{
    const DeviceClass *cls = d->cls;

    if (phase == RESET_ENTER) {
        reset_state(d, cls->state);
        for (const MmioDesc *bank = cls->mmio; bank && bank->name; bank++) {
            reset_regs(d, bank);
        }
    }
    if (cls->reset) {
        cls->reset(d, phase);
    }
    if (phase == RESET_EXIT && cls->sync) {
        cls->sync(d);
    }
}

/* ---- pins and wiring ---- */

static const PinDesc *find_pin(const Device *d, const char *name, bool out, unsigned n)
{
    for (const PinDesc *p = d->cls->pins; p && p->name; p++) {
        if (p->out == out && !strcmp(p->name, name)) {
            assert(n < MAX(p->count, 1));
            return p;
        }
    }
    assert(!"a pin that the class does not have");
    return NULL;
}

/* What a PinIn of a device points to. */
struct PinBind {
    Device *device;
    void (*set)(Device *d, unsigned n, bool level);
};

static void set_bound(void *opaque, unsigned n, bool level)
{
    const struct PinBind *b = opaque;

    b->set(b->device, n, level);
}

static void make_binds(Device *d)
{
    const PinDesc *pins = d->cls->pins;
    unsigned n = 0;

    while (pins[n].name) {
        n++;
    }
    d->pin_binds = g_new(struct PinBind, n);
    for (unsigned i = 0; i < n; i++) {
        d->pin_binds[i] = (struct PinBind){d, pins[i].set};
    }
}

PinIn device_pin_in(Device *d, const char *name, unsigned n)
{
    const PinDesc *p = find_pin(d, name, false, n);

    if (!d->pin_binds) {
        make_binds(d);
    }
    return (PinIn){set_bound, &d->pin_binds[p - d->cls->pins], n};
}

PinOut *device_pin_out(Device *d, const char *name, unsigned n)
{
    const PinDesc *p = find_pin(d, name, true, n);

    return (PinOut *)(void *)((uint8_t *)d + p->offset) + n;
}

void device_connect(Device *d, const char *name, unsigned n, PinIn sink)
{
    pin_connect(device_pin_out(d, name, n), sink);
}

void device_map(Device *d, unsigned i, uint64_t gpa)
{
    assert(i < DEVICE_MAX_MMIO && d->reg_index[i]);
    mem_begin(d->machine);
    mem_remove(&d->mmio[i]);
    mem_add(&d->machine->system, gpa, &d->mmio[i], 0);
    mem_commit(d->machine);
    d->base[i] = gpa;
}

/* ---- for people ---- */

void device_guest_error(Device *d, const char *fmt, ...)
{
    uint64_t n = __atomic_fetch_add(&d->guest_errors, 1, __ATOMIC_RELAXED);
    char text[256];
    va_list ap;

    if (!log_is_on(machine_log(d->machine), MLOG_GUEST_ERROR) ||
        (n >= GUEST_ERRORS_LOGGED && n % GUEST_ERRORS_EVERY)) {
        return;
    }
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    log_printf(machine_log(d->machine), MLOG_GUEST_ERROR, "%s: %s%s\n", d->id, text,
               n + 1 == GUEST_ERRORS_LOGGED ? " (more are counted, few shown)" : "");
}

static void print_bank(Device *d, unsigned i, const Printer *p)
{
    const MmioDesc *bank = &d->cls->mmio[i];

    if (d->base[i] != UINT64_MAX) {
        printer_line(p, "  %s at 0x%" PRIx64 ", 0x%" PRIx64 " bytes", bank->name, d->base[i],
                   bank->bytes);
    }
    for (const RegDesc *r = bank->regs; r && r->name; r++) {
        for (unsigned k = 0; k < reg_count(r); k++) {
            uint64_t v;

            if (!reg_peek(d, r, k, &v) || (k && !v)) {
                continue; /* of arrays: the first, and what is not zero */
            }
            if (reg_count(r) > 1) {
                printer_line(p, "    %s[%u] = 0x%" PRIx64, r->name, k, v);
            } else {
                printer_line(p, "    %s = 0x%" PRIx64, r->name, v);
            }
        }
    }
}

void device_print(Device *d, void (*print)(void *opaque, const char *line), void *opaque)
{
    Printer p = {print, opaque};

    printer_line(&p, "%s, id \"%s\"", d->cls->name, d->id);
    for (const PropDesc *row = d->cls->props; row && row->name; row++) {
        char *text = device_prop_text(d, row);

        printer_line(&p, "  %s=%s", row->name, text);
        g_free(text);
    }
    for (unsigned i = 0; d->cls->mmio && d->cls->mmio[i].name; i++) {
        print_bank(d, i, &p);
    }
    if (d->guest_errors) {
        printer_line(&p, "  guest errors: %" PRIu64, d->guest_errors);
    }
}
