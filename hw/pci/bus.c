/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI buses: who sits where, configuration cycles, INTx wiring.
 *
 * Sources: PCI Local Bus Specification 3.0 section 2.2.6 (INTx), PCI-to-PCI Bridge 1.2 sections 3.1
 * (configuration cycles) and 9.1 (interrupt swizzle).
 * A bus belongs to the host or bridge that made it; the list of buses is the machine's device list.
 */
#include "pci_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static MemResult nobody_read(void *opaque, uint64_t offset, unsigned bytes, uint64_t *value,
                             MemAttrs attrs)
{
    (void)opaque, (void)offset, (void)attrs;
    *value = mask64(8 * bytes);
    return MEM_OK;
}

static MemResult nobody_write(void *opaque, uint64_t offset, unsigned bytes, uint64_t value,
                              MemAttrs attrs)
{
    (void)opaque, (void)offset, (void)bytes, (void)value, (void)attrs;
    return MEM_OK;
}

/* What no function claims: a host bridge completes it with all ones. */
static const MemIo nobody_ops = {.read = nobody_read,
                                 .write = nobody_write,
                                 .min_bytes = 1,
                                 .max_bytes = 8,
                                 .unaligned = true,
                                 .own_lock = true};

void pci_bus_init(PciBus *b, Machine *m, const char *name, PciDevice *bridge)
{
    snprintf(b->name, sizeof b->name, "%s", name);
    b->machine = m;
    b->bridge = bridge;
    mem_region_init_container(&b->mem, "pci-mem", 0);
    mem_region_init_container(&b->io, "pci-io", 0x10000);
    if (!bridge) {
        mem_region_init_io(&b->mem_nobody, "pci-mem-nobody", 0, &nobody_ops, b);
        mem_region_init_io(&b->io_nobody, "pci-io-nobody", 0x10000, &nobody_ops, b);
        mem_begin(m);
        mem_add(&b->mem, 0, &b->mem_nobody, -1);
        mem_add(&b->io, 0, &b->io_nobody, -1);
        mem_commit(m);
    }
}

unsigned pci_bus_number(const PciBus *b)
{
    return b->bridge ? b->bridge->config[PCI_SECONDARY_BUS] : 0;
}

static PciBus *bus_of(Device *d)
{
    if (pcie_host_is(d)) {
        return pcie_host_bus(d);
    }
    if (d->cls->bus == BUS_PCI && pci_class((PciDevice *)d)->bridge) {
        return &((PciBridge *)d)->bus;
    }
    return NULL;
}

PciBus *pci_bus_find(Machine *m, const char *name)
{
    for (Device *d = m->devices; d; d = d->next) {
        PciBus *b = bus_of(d);
        if (b && (name ? !strcmp(b->name, name) : !b->bridge)) {
            return b;
        }
    }
    return NULL;
}

/* ---- places */

static bool place_is_free(const PciBus *b, unsigned devfn)
{
    unsigned slot = devfn & ~7u;

    if (b->slots[devfn]) {
        return false;
    }
    /* Function 0 says whether there are others. */
    return !(devfn & 7) || !b->slots[slot] || b->slots[slot]->config[PCI_HEADER_TYPE] & 0x80;
}

static bool parse_addr(PciDevice *p, unsigned *devfn, Error *err)
{
    char *end;
    unsigned long slot = strtoul(p->addr, &end, 16), fn = 0;
    bool ok = end != p->addr;

    if (ok && *end == '.') {
        const char *start = end + 1;
        fn = strtoul(start, &end, 16);
        ok = end != start;
    }
    if (!ok || *end || slot > 31 || fn > 7) {
        return error_set(err, "addr=%s: wants slot 0..1f and function 0..7, e.g. addr=5.0",
                         p->addr);
    }
    *devfn = (unsigned)(slot << 3 | fn);
    return true;
}

static bool choose_addr(PciDevice *p, unsigned *devfn, Error *err)
{
    unsigned slots = p->bus->one_slot ? 1 : 32;

    for (unsigned slot = 0; slot < slots; slot++) {
        if (!p->bus->slots[slot << 3]) {
            *devfn = slot << 3;
            return true;
        }
    }
    return error_set(
        err,
        "no free slot on bus %s; add one with -device pcie-root-port,id=ID and put the "
        "device there with bus=ID",
        p->bus->name);
}

bool pci_bus_attach(PciDevice *p, Error *err)
{
    unsigned devfn = 0;

    if (p->addr && *p->addr ? !parse_addr(p, &devfn, err) : !choose_addr(p, &devfn, err)) {
        return false;
    }
    if (p->bus->one_slot && devfn > 7) {
        return error_set(err, "addr=%s: bus %s has slot 0 only", p->addr, p->bus->name);
    }
    if (!place_is_free(p->bus, devfn)) {
        return error_set(err, "addr=%x.%x on bus %s is taken by '%s'%s", devfn >> 3, devfn & 7,
                         p->bus->name, (p->bus->slots[devfn] ?: p->bus->slots[devfn & ~7u])->dev.id,
                         p->bus->slots[devfn] ? "" : ", which lacks multifunction=on");
    }
    p->devfn = (uint8_t)devfn;
    p->bus->slots[devfn] = p;
    return true;
}

void pci_bus_detach(PciDevice *p)
{
    if (p->bus->slots[p->devfn] == p) {
        p->bus->slots[p->devfn] = NULL;
    }
    p->bus = NULL;
}

/* ---- configuration cycles */

static PciBus *bus_below(PciBus *b, unsigned number)
{
    for (unsigned i = 0; i < 256; i++) {
        PciDevice *p = b->slots[i];
        if (p && pci_class(p)->bridge && p->config[PCI_SECONDARY_BUS] &&
            p->config[PCI_SECONDARY_BUS] <= number && number <= p->config[PCI_SUBORDINATE_BUS]) {
            PciBus *below = &((PciBridge *)p)->bus;
            return p->config[PCI_SECONDARY_BUS] == number ? below : bus_below(below, number);
        }
    }
    return NULL;
}

PciDevice *pci_find(PciBus *root, unsigned bus, unsigned devfn)
{
    PciBus *b = bus == pci_bus_number(root) ? root : bus_below(root, bus);

    return b && !b->off ? b->slots[devfn & 0xff] : NULL;
}

uint32_t pci_config_read(PciBus *root, unsigned bus, unsigned devfn, unsigned offset,
                         unsigned bytes)
{
    PciDevice *p = pci_find(root, bus, devfn);

    return p ? pci_device_config_read(p, offset, bytes) : (uint32_t)mask64(8 * bytes);
}

void pci_config_write(PciBus *root, unsigned bus, unsigned devfn, unsigned offset, unsigned bytes,
                      uint32_t value)
{
    PciDevice *p = pci_find(root, bus, devfn);

    if (p) {
        pci_device_config_write(p, offset, bytes, value);
    }
}

/* ---- INTx */

static void intx_drive(PciDevice *p, bool level)
{
    PciBus *b = p->bus;
    unsigned pin = 0, devfn = p->devfn;

    for (;; devfn = b->bridge->devfn, b = b->bridge->bus) {
        pin = (pin + (devfn >> 3)) & 3;
        if (!b->bridge) {
            break;
        }
    }
    b->intx_count[pin] += level ? 1u : -1u;
    if (b->intx) {
        pin_set(&b->intx[pin], b->intx_count[pin] != 0);
    }
}

void pci_intx_update(PciDevice *p)
{
    bool disabled = load_le16(p->config + PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE;
    bool level = p->intx_level && !disabled && !pci_msi_enabled(p) && !pci_msix_enabled(p);

    p->config[PCI_STATUS] = (uint8_t)((p->config[PCI_STATUS] & ~PCI_STATUS_INTERRUPT) |
                                      (p->intx_level ? PCI_STATUS_INTERRUPT : 0));
    if (level != p->intx_driven && p->bus) {
        p->intx_driven = level;
        intx_drive(p, level);
    }
}

void pci_intx_set(PciDevice *p, bool level)
{
    p->intx_level = level;
    pci_intx_update(p);
}

/* ---- unplugging, printing */

bool pci_unplug_request(PciDevice *p, Error *err)
{
    if (!p->bus->bridge || !pci_is_root_port(p->bus->bridge)) {
        return error_set(err,
                         "device_del %s: bus %s has no hot-plug; devices behind a "
                         "pcie-root-port can be taken out",
                         p->dev.id, p->bus->name);
    }
    return pcie_slot_unplug_request(p->bus, p, err);
}

static void print_bars(const PciDevice *p, void (*print)(void *opaque, const char *line),
                       void *opaque)
{
    static const char *const kinds[] = {
        "", "I/O", "32-bit memory", "64-bit memory", "64-bit prefetchable memory", "ROM"};
    char line[160];

    for (unsigned i = 0; i < PCI_N_BARS; i++) {
        const PciBar *b = &p->bars[i];
        if (!b->region) {
            continue;
        }
        int n = snprintf(line, sizeof line, "      BAR%u: %s, 0x%" PRIx64 " bytes", i,
                         kinds[b->kind], b->bytes);
        if (b->mapped_at != PCI_BAR_UNMAPPED) {
            snprintf(line + n, sizeof line - (size_t)n, " at 0x%" PRIx64, b->mapped_at);
        }
        print(opaque, line);
    }
}

static void print_bus(const PciBus *b, void (*print)(void *opaque, const char *line), void *opaque)
{
    char line[200];

    for (unsigned i = 0; i < 256; i++) {
        const PciDevice *p = b->slots[i];
        if (!p) {
            continue;
        }
        snprintf(line, sizeof line, "  %s %02x:%02x.%x  %04x:%04x class %06x  %s \"%s\"", b->name,
                 pci_bus_number(b), i >> 3, i & 7, load_le16(p->config), load_le16(p->config + 2),
                 load_le32(p->config + PCI_CLASS_REVISION) >> 8, p->dev.cls->name, p->dev.id);
        print(opaque, line);
        print_bars(p, print, opaque);
        if (pci_class(p)->bridge) {
            print_bus(&((const PciBridge *)p)->bus, print, opaque);
        }
    }
}

void pci_print(Machine *m, void (*print)(void *opaque, const char *line), void *opaque)
{
    for (Device *d = m->devices; d; d = d->next) {
        if (pcie_host_is(d)) {
            print_bus(pcie_host_bus(d), print, opaque);
        }
    }
}
