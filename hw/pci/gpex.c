/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The generic PCI Express host: configuration space in memory (ECAM), windows, four interrupts.
 *
 * Sources: PCI Express Base Specification 4.0, section 7.2.2 (ECAM); PCI Firmware
 * Specification 3.2; Linux Documentation/devicetree/bindings/pci/host-generic-pci.yaml and
 * pci-msi.txt. Bus addresses equal CPU addresses in both memory windows; I/O ports start at 0. What
 * no function claims reads as all ones.
 */
#include "pci_internal.h"

#include "core/fdt.h"

typedef struct PcieHost {
    Device dev; /* must be first */
    PcieHostConfig config;
    PciBus bus;
    MemRegion ecam, mem32, mem64, io;
    PinOut intx[4];
    bool mapped;
} PcieHost;

/* ---- ECAM: bus << 20 | devfn << 12 | register */

static MemResult ecam_read(void *opaque, uint64_t offset, unsigned bytes, uint64_t *value,
                           MemAttrs attrs)
{
    PcieHost *h = opaque;

    (void)attrs;
    *value = pci_config_read(&h->bus, (unsigned)(offset >> 20), offset >> 12 & 0xff, offset & 0xfff,
                             bytes);
    return MEM_OK;
}

static MemResult ecam_write(void *opaque, uint64_t offset, unsigned bytes, uint64_t value,
                            MemAttrs attrs)
{
    PcieHost *h = opaque;

    (void)attrs;
    pci_config_write(&h->bus, (unsigned)(offset >> 20), offset >> 12 & 0xff, offset & 0xfff, bytes,
                     (uint32_t)value);
    return MEM_OK;
}

static const MemIo ecam_ops = {
    .read = ecam_read, .write = ecam_write, .min_bytes = 1, .max_bytes = 4, .split = true};

/* ---- the host */

bool pcie_host_is(const Device *d)
{
    return d->cls == &pcie_host_class;
}

void pcie_host_configure(Device *d, const PcieHostConfig *c)
{
    ((PcieHost *)d)->config = *c;
}

const PcieHostConfig *pcie_host_config(const Device *d)
{
    return &((const PcieHost *)d)->config;
}

PciBus *pcie_host_bus(Device *d)
{
    return &((PcieHost *)d)->bus;
}

static void map_window(PcieHost *h, MemRegion *alias, MemRegion *bus, const PcieWindow *w,
                       uint64_t bus_address)
{
    if (w->bytes) {
        mem_region_init_alias(alias, bus->name, bus, bus_address, w->bytes);
        mem_add(&h->dev.machine->system, w->base, alias, 0);
    }
}

static bool host_realize(Device *d, Error *err)
{
    PcieHost *h = (PcieHost *)d;
    Machine *m = d->machine;
    const PcieHostConfig *c = &h->config;

    pci_bus_init(&h->bus, m, "pcie.0", NULL);
    h->bus.intx = h->intx;
    mem_begin(m);
    if (c->ecam.bytes) {
        mem_region_init_io(&h->ecam, "pcie-ecam", c->ecam.bytes, &ecam_ops, h);
        mem_add(&m->system, c->ecam.base, &h->ecam, 0);
    }
    map_window(h, &h->mem32, &h->bus.mem, &c->mem32, c->mem32.base);
    map_window(h, &h->mem64, &h->bus.mem, &c->mem64, c->mem64.base);
    map_window(h, &h->io, &h->bus.io, &c->io, 0);
    h->mapped = true;
    mem_commit(m);

    Device *root = device_new(m, &pcie_host_bridge_class, NULL);
    ((PciDevice *)root)->bus = &h->bus;
    return device_realize(root, err);
}

static void host_unrealize(Device *d)
{
    PcieHost *h = (PcieHost *)d;
    MemRegion *parts[] = {&h->ecam, &h->mem32, &h->mem64, &h->io};

    for (unsigned i = 256; i-- > 0;) {
        if (h->bus.slots[i]) {
            device_unrealize(&h->bus.slots[i]->dev);
        }
    }
    mem_begin(d->machine);
    for (unsigned i = 0; i < 4; i++) {
        if (parts[i]->parent) {
            mem_remove(parts[i]);
        }
    }
    mem_remove(&h->bus.mem_nobody);
    mem_remove(&h->bus.io_nobody);
    mem_commit(d->machine);
}

/* ---- device tree */

static unsigned put64(uint32_t *cells, uint64_t v)
{
    cells[0] = (uint32_t)(v >> 32);
    cells[1] = (uint32_t)v;
    return 2;
}

/* ranges: PCI address (flags, two cells), CPU address (2), size (2). */
static void fdt_ranges(Fdt *fdt, const PcieHostConfig *c)
{
    static const uint32_t flags[3] = {0x01000000, 0x02000000, 0x03000000};
    const PcieWindow *windows[3] = {&c->io, &c->mem32, &c->mem64};
    uint32_t cells[21];
    unsigned n = 0;

    for (unsigned i = 0; i < 3; i++) {
        if (windows[i]->bytes) {
            cells[n++] = flags[i];
            n += put64(cells + n, i ? windows[i]->base : 0);
            n += put64(cells + n, windows[i]->base);
            n += put64(cells + n, windows[i]->bytes);
        }
    }
    fdt_cells(fdt, "ranges", cells, n);
}

/* Slots 0..3 stand for all by the mask; INTx of slot s goes to pin (s + x) mod 4. */
static void fdt_interrupts(Fdt *fdt, const PcieHostConfig *c)
{
    enum { GIC_SPI = 0, LEVEL_HIGH = 4 };
    uint32_t cells[16 * 12], gic = fdt_phandle(fdt, c->gic);
    unsigned n = 0;

    for (unsigned slot = 0; slot < 4; slot++) {
        for (unsigned pin = 0; pin < 4; pin++) {
            cells[n++] = slot << 11;
            cells[n++] = 0;
            cells[n++] = 0;
            cells[n++] = pin + 1;
            cells[n++] = gic;
            for (unsigned i = 0; i < c->gic_address_cells; i++) {
                cells[n++] = 0;
            }
            cells[n++] = GIC_SPI;
            cells[n++] = c->spi[(slot + pin) & 3];
            cells[n++] = LEVEL_HIGH;
        }
    }
    fdt_u32(fdt, "#interrupt-cells", 1);
    fdt_cells(fdt, "interrupt-map", cells, n);
    fdt_cells(fdt, "interrupt-map-mask", (const uint32_t[]){3 << 11, 0, 0, 7}, 4);
}

static void host_fdt(Device *d, Fdt *fdt)
{
    const PcieHostConfig *c = pcie_host_config(d);
    uint32_t last_bus = (uint32_t)(c->ecam.bytes >> 20) - 1;

    assert(c->gic_address_cells <= 4);
    fdt_node_unit(fdt, "", "pcie", c->mem32.base);
    fdt_string(fdt, "compatible", "pci-host-ecam-generic");
    fdt_string(fdt, "device_type", "pci");
    fdt_u32(fdt, "#address-cells", 3);
    fdt_u32(fdt, "#size-cells", 2);
    fdt_u32(fdt, "linux,pci-domain", 0);
    fdt_cells(fdt, "bus-range", (const uint32_t[]){0, last_bus}, 2);
    fdt_flag(fdt, "dma-coherent");
    fdt_cells64(fdt, "reg", (const uint64_t[]){c->ecam.base, c->ecam.bytes}, 2);
    fdt_ranges(fdt, c);
    if (c->gic) {
        fdt_interrupts(fdt, c);
    }
    if (c->msi) {
        fdt_cells(fdt, "msi-map", (const uint32_t[]){0, fdt_phandle(fdt, c->msi), 0, 0x10000}, 4);
    }
}

static const PinDesc host_pins[] = {
    {.name = "intx", .out = true, .offset = offsetof(PcieHost, intx), .count = 4},
    {0},
};

const DeviceClass pcie_host_class = {
    .name = "gpex-pcihost",
    .title = "Generic PCI Express host",
    .category = "bridge",
    .bytes = sizeof(PcieHost),
    .bus = BUS_SYSTEM,
    .internal = true,
    .pins = host_pins,
    .realize = host_realize,
    .unrealize = host_unrealize,
    .fdt = host_fdt,
};

/* ---- function 00.0: the bridge itself, which only says that it is there */

static const PciClass host_bridge_pci = {
    .vendor_id = 0x1b36, .device_id = 0x0008, .class_code = 0x060000, .conventional = true};
static const PropDesc host_bridge_props[] = {PCI_PROPS, {0}};
static const StateDesc host_bridge_state[] = {PCI_STATE, {0}};

const DeviceClass pcie_host_bridge_class = {
    .name = "gpex-root",
    .title = "Host bridge function of the generic PCI Express host",
    .category = "bridge",
    .bytes = sizeof(PciDevice),
    .internal = true,
    PCI_DEVICE_HOOKS,
    .bus_class = &host_bridge_pci,
    .props = host_bridge_props,
    .state = host_bridge_state,
};
