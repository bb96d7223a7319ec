/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pvpanic: one byte by which a guest says that it crashed.
 *
 * Source: the interface description "PVPANIC device" (PCI variant) and Linux
 * include/uapi/misc/pvpanic.h: reading gives the events that are understood, writing reports one.
 */
#include "core/machine.h"
#include "hw/classes.h"
#include "hw/pci.h"

enum { EVENT_PANICKED = 1, EVENT_CRASH_LOADED = 2, EVENTS = EVENT_PANICKED | EVENT_CRASH_LOADED };

typedef struct Pvpanic {
    PciDevice pci;
} Pvpanic;

static uint64_t event_read(Device *d, unsigned index)
{
    (void)d;
    (void)index;
    return EVENTS;
}

/* A crash that is handled by a kernel for crashes is the guest's own affair. */
static void event_write(Device *d, unsigned index, uint64_t value)
{
    (void)index;
    if (value & EVENT_PANICKED) {
        device_guest_error(d, "the guest panicked");
        machine_request_shutdown(d->machine, CAUSE_GUEST_PANIC);
    } else if (value & EVENT_CRASH_LOADED) {
        device_guest_error(d, "the guest panicked and starts its crash kernel");
    }
}

static const RegDesc pvpanic_regs[] = {
    {.offset = 0, .name = "EVENTS", .access = REG_RW, .read = event_read, .write = event_write},
    {0},
};

static const MmioDesc pvpanic_mmio[] = {
    {.name = "pvpanic", .bytes = 16, .regs = pvpanic_regs, .reg_bytes = 1},
    {0},
};

static const PropDesc pvpanic_props[] = {PCI_PROPS, {0}};
static const StateDesc pvpanic_state[] = {PCI_STATE, {0}};

static const PciClass pvpanic_pci = {
    .vendor_id = 0x1b36,
    .device_id = 0x0011,
    .revision = 1,
    .class_code = 0x088000,
    .bars = (const PciBarDesc[]){{.bar = 0, .kind = PCI_BAR_MEM32, .mmio = 0}, {0}},
};

const DeviceClass pvpanic_class = {
    .name = "pvpanic-pci",
    .title = "Tells the machine that the guest crashed",
    .category = "misc",
    .bytes = sizeof(Pvpanic),
    PCI_DEVICE_HOOKS,
    .mmio = pvpanic_mmio,
    .state = pvpanic_state,
    .props = pvpanic_props,
    .bus_class = &pvpanic_pci,
};
