/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv2m: an MSI frame that turns writes into SPIs.
 *
 * Source: Server Base System Architecture (DEN0029), appendix "GICv2m Architecture". A write of an
 * interrupt number of the frame's range to MSI_SETSPI pulses that SPI.
 */
#include "core/fdt.h"
#include "hw/arm.h"

enum { MAX_SPIS = 128, FIRST_SPI_INTID = 32 };

typedef struct GicV2m {
    Device dev;
    /* wiring */
    PinOut spi[MAX_SPIS];
    uint32_t first_spi, n_spis;
} GicV2m;

static uint64_t typer_read(Device *d, unsigned index)
{
    const GicV2m *s = (GicV2m *)d;

    (void)index;
    return (s->first_spi + FIRST_SPI_INTID) << 16 | s->n_spis;
}

static void setspi_write(Device *d, unsigned index, uint64_t value)
{
    GicV2m *s = (GicV2m *)d;
    uint64_t n = (value & 0x3ff) - (s->first_spi + FIRST_SPI_INTID);

    (void)index;
    if (n < s->n_spis) {
        pin_pulse(&s->spi[n]);
    } else {
        device_guest_error(d, "MSI for interrupt %u, not of this frame", (unsigned)(value & 0x3ff));
    }
}

static uint64_t iidr_read(Device *d, unsigned index)
{
    (void)d;
    (void)index;
    return 0x43b; /* Arm */
}

static const RegDesc gicv2m_regs[] = {{0x008, "MSI_TYPER", REG_RO, .read = typer_read},
                                      {0x040, "MSI_SETSPI_NS", REG_WO, .write = setspi_write},
                                      {0xfcc, "MSI_IIDR", REG_RO, .read = iidr_read},
                                      {0}};

/* Devices send 16-bit data in 32-bit writes; some bridges narrow them. */
static const MmioDesc gicv2m_mmio[] = {
    {.name = "v2m", .bytes = 0x1000, .regs = gicv2m_regs, .reg_bytes = 4}, {0}};

static const PropDesc gicv2m_props[] = {
    {"first-spi", PROP_U32, PROP(GicV2m, first_spi), .initial = "48", .help = "first SPI"},
    {"spis", PROP_U32, PROP(GicV2m, n_spis), .initial = "64", .help = "how many, 1 to 128"},
    {0}};

static const PinDesc gicv2m_pins[] = {
    {"spi", .out = true, .offset = offsetof(GicV2m, spi), .count = MAX_SPIS}, {0}};

static bool gicv2m_realize(Device *d, Error *err)
{
    const GicV2m *s = (GicV2m *)d;

    if (s->n_spis < 1 || s->n_spis > MAX_SPIS || s->first_spi > 987 - s->n_spis) {
        return error_set(err, "gicv2m: first-spi=%u,spis=%u: out of range", s->first_spi,
                         s->n_spis);
    }
    return true;
}

static void gicv2m_fdt(Device *d, Fdt *fdt)
{
    /* child of the controller's node, which is at gicv2m's base rounded to its frame */
    fdt_node_unit(fdt, "/intc@8000000", "v2m", d->base[0]);
    fdt_string(fdt, "compatible", "arm,gic-v2m-frame");
    fdt_flag(fdt, "msi-controller");
    fdt_cells64(fdt, "reg", (uint64_t[]){d->base[0], d->mmio[0].bytes}, 2);
    fdt_label(fdt, d->id);
}

const DeviceClass gicv2m_class = {
    .name = "arm-gicv2m",
    .title = "Arm GICv2m MSI frame",
    .category = "misc",
    .bytes = sizeof(GicV2m),
    .bus = BUS_SYSTEM,
    .internal = true,
    .mmio = gicv2m_mmio,
    .props = gicv2m_props,
    .pins = gicv2m_pins,
    .realize = gicv2m_realize,
    .fdt = gicv2m_fdt,
};
