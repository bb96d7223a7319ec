/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A generic event device for ACPI guests (ACPI 6.4, 5.6.9 "Interrupt-signaled ACPI events"): one
 * register tells which event happened. Its method, in our DSDT, reads the register, which clears it
 * and lowers the interrupt, and notifies the power button.
 */
#include "hw/aml.h"
#include "hw/arm.h"
#include "hw/ged.h"

typedef struct Ged {
    Device dev;
    PinOut irq;      /* wiring: level, high while an event waits */
    uint32_t events; /* state */
} Ged;

static void ged_sync(Device *d)
{
    Ged *s = (Ged *)d;

    pin_set(&s->irq, s->events != 0);
}

void ged_raise(Device *d, uint32_t events)
{
    ((Ged *)d)->events |= events;
    ged_sync(d);
}

static uint64_t select_read(Device *d, unsigned index)
{
    Ged *s = (Ged *)d;
    uint32_t v = s->events;

    (void)index;
    s->events = 0;
    ged_sync(d);
    return v;
}

static const RegDesc ged_regs[] = {{0x0, "EVENTS", REG_RO, .read = select_read}, {0}};

static const MmioDesc ged_mmio[] = {
    {.name = "ged", .bytes = 4, .regs = ged_regs, .reg_bytes = 4, .min_bytes = 4, .max_bytes = 4},
    {0}};

static const StateDesc ged_state[] = {{STATE_FIELD(STATE_U32, Ged, events)}, {0}};

static const PinDesc ged_pins[] = {{"irq", .out = true, .offset = offsetof(Ged, irq)}, {0}};

/* Device (GED) { _HID ACPI0013; the interrupt; _EVT: If (EVT & 1) Notify (PWRB, 0x80) }, and PWRB.
 */
static void ged_acpi(Device *d, Aml *a)
{
    uint32_t gsi = AML_GSI_SPI_FIRST + d->spi[0];

    aml_device(a, "PWRB");
    aml_name_string(a, "_HID", "PNP0C0C");
    aml_name_int(a, "_UID", 0);
    aml_end(a);

    aml_device(a, "GED");
    aml_name_string(a, "_HID", "ACPI0013");
    aml_name_int(a, "_UID", 0);
    aml_name(a, "_CRS");
    aml_template(a);
    aml_interrupt(a, gsi, false);
    aml_end(a);
    aml_operation_region(a, "REGS", d->base[0], 4);
    aml_field32(a, "REGS", "EVTS");
    aml_method(a, "_EVT", 1, true);
    aml_store(a);
    aml_path(a, "EVTS");
    aml_local(a, 0);
    aml_if(a);
    aml_and(a);
    aml_local(a, 0);
    aml_int(a, GED_POWER_BUTTON);
    aml_no_target(a);
    aml_notify(a, "PWRB");
    aml_int(a, 0x80);
    aml_end(a);
    aml_end(a);
    aml_end(a);
}

const DeviceClass ged_class = {
    .name = "acpi-ged",
    .title = "ACPI generic event device",
    .category = "misc",
    .bytes = sizeof(Ged),
    .bus = BUS_SYSTEM,
    .internal = true,
    .mmio = ged_mmio,
    .state = ged_state,
    .pins = ged_pins,
    .sync = ged_sync,
    .acpi = ged_acpi,
};
