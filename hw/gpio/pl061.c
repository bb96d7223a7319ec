/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arm PrimeCell general-purpose I/O (PL061): eight lines, each input or output, with an interrupt.
 *
 * Source: PrimeCell General Purpose Input/Output (PL061) Technical Reference Manual, r1p0, DDI
 * 0190. Not modelled: hardware control of lines (GPIOAFSEL keeps its value).
 */
#include "core/fdt.h"
#include "hw/arm.h"
#include "hw/aml.h"

enum { LINES = 8 };

typedef struct Pl061 {
    Device dev;
    /* wiring */
    PinOut irq; /* GPIOINTR, level */
    PinOut out[LINES];
    /* state */
    uint8_t in;    /* levels at the inputs */
    uint8_t last;  /* levels that edges are seen against */
    uint32_t data; /* what the guest wrote for outputs */
    uint32_t dir, is, ibe, iev, ie, edges, afsel;
} Pl061;

/* Levels of the lines: outputs as written, inputs as they come. */
static uint32_t levels(const Pl061 *s)
{
    return (s->data & s->dir) | (s->in & ~s->dir);
}

/* Edge-triggered lines latch in `edges`; level-triggered ones follow the line. */
static uint32_t raw(const Pl061 *s)
{
    return ((s->edges & ~s->is) | (~(levels(s) ^ s->iev) & s->is)) & 0xff;
}

static void pl061_sync(Device *d)
{
    Pl061 *s = (Pl061 *)d;
    uint32_t now = levels(s), changed = now ^ s->last;

    s->last = (uint8_t)now;
    s->edges |= changed & ~s->is & (s->ibe | ~(now ^ s->iev)) & 0xff;
    for (unsigned i = 0; i < LINES; i++) {
        pin_set(&s->out[i], s->data & s->dir & 1u << i);
    }
    pin_set(&s->irq, (raw(s) & s->ie) != 0);
}

static void pl061_set(Device *d, unsigned n, bool level)
{
    Pl061 *s = (Pl061 *)d;

    s->in = (uint8_t)((s->in & ~(1u << n)) | (unsigned)level << n);
    pl061_sync(d);
}

/* Address bits 9:2 mask the data bits. */
static uint64_t data_read(Device *d, unsigned index)
{
    return levels((Pl061 *)d) & index;
}

static void data_write(Device *d, unsigned index, uint64_t value)
{
    Pl061 *s = (Pl061 *)d;
    uint32_t mask = index & s->dir;

    s->data = (s->data & ~mask) | ((uint32_t)value & mask);
}

static uint64_t ris_read(Device *d, unsigned index)
{
    (void)index;
    return raw((Pl061 *)d);
}

static uint64_t mis_read(Device *d, unsigned index)
{
    (void)index;
    return raw((Pl061 *)d) & ((Pl061 *)d)->ie;
}

static void ic_write(Device *d, unsigned index, uint64_t value)
{
    (void)index;
    ((Pl061 *)d)->edges &= ~(uint32_t)value;
}

static uint64_t id_read(Device *d, unsigned index)
{
    (void)d;
    return primecell_id(0x061, 0, index);
}

static const RegDesc pl061_regs[] = {
    {0x000, "GPIODATA", REG_RW, .count = 256, .read = data_read, .write = data_write},
    {0x400, "GPIODIR", REG_RW, FIELD(Pl061, dir), .wmask = 0xff},
    {0x404, "GPIOIS", REG_RW, FIELD(Pl061, is), .wmask = 0xff},
    {0x408, "GPIOIBE", REG_RW, FIELD(Pl061, ibe), .wmask = 0xff},
    {0x40c, "GPIOIEV", REG_RW, FIELD(Pl061, iev), .wmask = 0xff},
    {0x410, "GPIOIE", REG_RW, FIELD(Pl061, ie), .wmask = 0xff},
    {0x414, "GPIORIS", REG_RO, .read = ris_read},
    {0x418, "GPIOMIS", REG_RO, .read = mis_read},
    {0x41c, "GPIOIC", REG_WO, .write = ic_write},
    {0x420, "GPIOAFSEL", REG_RW, FIELD(Pl061, afsel), .wmask = 0xff},
    {0xfe0, "GPIOPeriphID", REG_RO, .count = 8, .read = id_read},
    {0}};

static const MmioDesc pl061_mmio[] = {
    {.name = "pl061", .bytes = 0x1000, .regs = pl061_regs, .reg_bytes = 4}, {0}};

static const StateDesc pl061_state[] = {{STATE_FIELD(STATE_U8, Pl061, in), .keep = true},
                                        {STATE_FIELD(STATE_U8, Pl061, last), .keep = true},
                                        {STATE_FIELD(STATE_U32, Pl061, data)},
                                        {STATE_FIELD(STATE_U32, Pl061, edges)},
                                        {0}};

static const PinDesc pl061_pins[] = {
    {"irq", .out = true, .offset = offsetof(Pl061, irq)},
    {"out", .out = true, .offset = offsetof(Pl061, out), .count = LINES},
    {"in", .count = LINES, .set = pl061_set},
    {0}};

static void pl061_fdt(Device *d, Fdt *fdt)
{
    primecell_fdt(d, fdt, &(PrimecellFdt){"pl061", "arm,pl061\0arm,primecell\0", "apb_pclk\0"});
    fdt_flag(fdt, "gpio-controller");
    fdt_u32(fdt, "#gpio-cells", 2);
    fdt_label(fdt, d->id);
}

static void pl061_acpi(Device *d, Aml *aml)
{
    aml_device_mmio_irq(aml, d, &(AmlMmioDevice){.name = "GPO%u", .hid = "ARMH0061"});
}

const DeviceClass pl061_class = {
    .name = "pl061",
    .title = "Arm PL061 GPIO",
    .category = "misc",
    .bytes = sizeof(Pl061),
    .bus = BUS_SYSTEM,
    .internal = true,
    .mmio = pl061_mmio,
    .state = pl061_state,
    .pins = pl061_pins,
    .sync = pl061_sync,
    .fdt = pl061_fdt,
    .acpi = pl061_acpi,
};
