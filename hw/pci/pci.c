/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PCI function: configuration space, BARs, life cycle.
 *
 * Source: PCI Local Bus Specification 3.0, chapter 6.
 * Configuration space is three byte arrays: values, bits that a write reaches, bits that writing 1
 * clears. Everything a write causes beyond that (BARs move, bus mastering, interrupts) is derived
 * from the new values afterwards, by the same functions that run after reset and restore.
 * Not modelled: BIST, latency timers, VGA palette snooping.
 */
#include "pci_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/state.h"

enum { ROM_MAX_BYTES = 16 << 20 };

/* ---- BARs */

static unsigned bar_offset(const PciDevice *p, unsigned bar)
{
    if (bar == PCI_ROM_BAR) {
        return pci_class(p)->bridge ? PCI_ROM_ADDRESS1 : PCI_ROM_ADDRESS;
    }
    return PCI_BASE_ADDRESS_0 + 4 * bar;
}

static bool bar_is_64(uint8_t kind)
{
    return kind == PCI_BAR_MEM64 || kind == PCI_BAR_MEM64_PREFETCH;
}

static uint32_t bar_type_bits(uint8_t kind)
{
    switch (kind) {
    case PCI_BAR_IO: return PCI_BASE_ADDRESS_SPACE_IO;
    case PCI_BAR_MEM64: return PCI_BASE_ADDRESS_MEM_TYPE_64;
    case PCI_BAR_MEM64_PREFETCH:
        return PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH;
    default: return 0;
    }
}

void pci_bar_add(PciDevice *p, unsigned bar, PciBarKind kind, MemRegion *region)
{
    uint64_t bytes = region->bytes;
    unsigned off = bar_offset(p, bar);

    assert(bar < PCI_N_BARS && !p->bars[bar].region && is_pow2(bytes) && bytes >= 16);
    assert(!bar_is_64(kind) || bar < 5);
    p->bars[bar] = (PciBar){
        .region = region, .bytes = bytes, .mapped_at = PCI_BAR_UNMAPPED, .kind = (uint8_t)kind};
    store_le32(p->config + off, bar_type_bits((uint8_t)kind));
    if (kind == PCI_BAR_ROM) {
        store_le32(p->wmask + off, (uint32_t)(~(bytes - 1) & PCI_ROM_ADDRESS_MASK) | 1);
    } else if (bar_is_64((uint8_t)kind)) {
        store_le64(p->wmask + off, ~(bytes - 1));
    } else {
        store_le32(p->wmask + off, (uint32_t) ~(bytes - 1));
    }
}

/* Where the BAR's registers put it, or PCI_BAR_UNMAPPED. */
static uint64_t bar_address(const PciDevice *p, unsigned bar)
{
    const PciBar *b = &p->bars[bar];
    const uint8_t *reg = p->config + bar_offset(p, bar);
    uint16_t command = load_le16(p->config + PCI_COMMAND);
    uint64_t base = bar_is_64(b->kind) ? load_le64(reg) : load_le32(reg);
    uint64_t top = bar_is_64(b->kind) ? UINT64_MAX : UINT32_MAX;

    if (!(command & (b->kind == PCI_BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY))) {
        return PCI_BAR_UNMAPPED;
    }
    if (b->kind == PCI_BAR_ROM && !(base & PCI_ROM_ADDRESS_ENABLE)) {
        return PCI_BAR_UNMAPPED;
    }
    base &= ~(b->bytes - 1);
    /* All ones is a BAR being sized. */
    if (base == 0 || base + (b->bytes - 1) >= top) {
        return PCI_BAR_UNMAPPED;
    }
    if (b->kind == PCI_BAR_IO && base + b->bytes > 0x10000) {
        return PCI_BAR_UNMAPPED;
    }
    return base;
}

static void bar_move(PciDevice *p, PciBar *b, uint64_t to)
{
    MemRegion *parent = b->kind == PCI_BAR_IO ? &p->bus->io : &p->bus->mem;

    if (b->mapped_at == to) {
        return;
    }
    mem_begin(p->dev.machine);
    if (b->mapped_at != PCI_BAR_UNMAPPED) {
        mem_remove(b->region);
    }
    if (to != PCI_BAR_UNMAPPED) {
        mem_add(parent, to, b->region, 1);
    }
    b->mapped_at = to;
    mem_commit(p->dev.machine);
}

void pci_update_mappings(PciDevice *p)
{
    if (!p->bus) {
        return;
    }
    mem_begin(p->dev.machine);
    for (unsigned i = 0; i < PCI_N_BARS; i++) {
        if (p->bars[i].region) {
            bar_move(p, &p->bars[i], bar_address(p, i));
        }
    }
    if (pci_class(p)->bridge) {
        pci_bridge_update((PciBridge *)p);
    }
    if (p->dma_alias.enabled != pci_bus_master(p)) {
        mem_set_enabled(p->dev.machine, &p->dma_alias, pci_bus_master(p));
    }
    mem_commit(p->dev.machine);
}

void pci_unmap_bars(PciDevice *p)
{
    for (unsigned i = 0; i < PCI_N_BARS; i++) {
        if (p->bars[i].region) {
            bar_move(p, &p->bars[i], PCI_BAR_UNMAPPED);
        }
    }
}

/* ---- capabilities */

unsigned pci_add_cap(PciDevice *p, uint8_t id, unsigned bytes)
{
    unsigned off = p->next_cap;

    assert(off + bytes <= PCI_CONFIG_BYTES);
    p->config[off] = id;
    p->config[off + 1] = p->config[PCI_CAPABILITY_LIST];
    p->config[PCI_CAPABILITY_LIST] = (uint8_t)off;
    p->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
    p->next_cap = (uint16_t)align_up(off + bytes, 4);
    return off;
}

unsigned pci_add_ext_cap(PciDevice *p, uint16_t id, uint8_t version, unsigned bytes)
{
    unsigned off = p->next_ext_cap;

    assert(off + bytes <= PCIE_CONFIG_BYTES);
    store_le32(p->config + off, id | (uint32_t)version << 16);
    if (p->last_ext_cap) {
        uint32_t head = load_le32(p->config + p->last_ext_cap);
        store_le32(p->config + p->last_ext_cap, head | (uint32_t)off << 20);
    }
    p->last_ext_cap = (uint16_t)off;
    p->next_ext_cap = (uint16_t)align_up(off + bytes, 4);
    return off;
}

/* ---- accesses */

uint32_t pci_device_config_read(PciDevice *p, unsigned offset, unsigned bytes)
{
    uint32_t value = 0;

    if (offset + bytes > PCIE_CONFIG_BYTES) {
        return UINT32_MAX;
    }
    if (pci_class(p)->config_read && pci_class(p)->config_read(p, offset, bytes, &value)) {
        return value;
    }
    memcpy(&value, p->config + offset, bytes);
    return value;
}

void pci_device_config_write(PciDevice *p, unsigned offset, unsigned bytes, uint32_t value)
{
    if (offset + bytes > PCIE_CONFIG_BYTES) {
        return;
    }
    for (unsigned i = 0; i < bytes; i++) {
        uint8_t b = (uint8_t)(value >> 8 * i), m = p->wmask[offset + i];
        uint8_t *reg = &p->config[offset + i];

        *reg = (uint8_t)((*reg & ~m) | (b & m));
        *reg = (uint8_t)(*reg & ~(b & p->w1c[offset + i]));
    }
    if (offset < 0x40) {
        pci_update_mappings(p);
        pci_intx_update(p);
    }
    pci_msi_config_written(p, offset, bytes);
    if (p->pcie_cap && pci_range_touches(offset, bytes, p->pcie_cap + PCI_EXP_DEVCTL, 2)) {
        uint8_t *devctl = p->config + p->pcie_cap + PCI_EXP_DEVCTL;
        bool flr = load_le16(devctl) & PCI_EXP_DEVCTL_BCR_FLR;

        store_le16(devctl, (uint16_t)(load_le16(devctl) & ~PCI_EXP_DEVCTL_BCR_FLR));
        if (flr) {
            device_reset(&p->dev, RESET_ENTER);
            device_reset(&p->dev, RESET_EXIT);
            return;
        }
    }
    if (pci_class(p)->config_written) {
        pci_class(p)->config_written(p, offset, bytes);
    }
}

MemAttrs pci_attrs(const PciDevice *p)
{
    return (MemAttrs){.requester = pci_bus_number(p->bus) << 8 | p->devfn};
}

/* ---- life */

static void config_init_header(PciDevice *p)
{
    const PciClass *c = pci_class(p);
    uint8_t *config = p->config;

    store_le16(config + PCI_VENDOR_ID, c->vendor_id);
    store_le16(config + PCI_DEVICE_ID, c->device_id);
    store_le32(config + PCI_CLASS_REVISION, c->class_code << 8 | c->revision);
    config[PCI_HEADER_TYPE] = c->bridge ? PCI_HEADER_TYPE_BRIDGE : PCI_HEADER_TYPE_NORMAL;
    store_le16(p->wmask + PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
                                           PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
                                           PCI_COMMAND_INTX_DISABLE);
    store_le16(p->w1c + PCI_STATUS, 0xf900);
    p->wmask[PCI_CACHE_LINE_SIZE] = 0xff;
    p->wmask[PCI_INTERRUPT_LINE] = 0xff;
    config[PCI_INTERRUPT_PIN] = c->intx;
    if (p->multifunction) {
        config[PCI_HEADER_TYPE] |= 0x80;
    }
    if (!c->bridge) {
        bool own = c->subsystem_vendor_id;
        store_le16(config + PCI_SUBSYSTEM_VENDOR_ID, own ? c->subsystem_vendor_id : 0x1af4);
        store_le16(config + PCI_SUBSYSTEM_ID, own ? c->subsystem_id : 0x1100);
    }
}

static bool rom_load(PciDevice *p, Error *err)
{
    struct stat st;
    FILE *f = fopen(p->romfile, "rb");

    if (!f) {
        return error_set_errno(err, "romfile=%s", p->romfile);
    }
    if (fstat(fileno(f), &st) || st.st_size <= 0 || st.st_size > ROM_MAX_BYTES) {
        fclose(f);
        return error_set(err, "romfile=%s: not a file of 1 byte to 16 MiB", p->romfile);
    }
    uint64_t bytes = 2048;
    while (bytes < (uint64_t)st.st_size) {
        bytes *= 2;
    }
    bool ok = mem_region_init_rom(&p->rom, p->dev.machine, p->dev.id, bytes, err);
    if (ok && fread(p->rom.ram->host, 1, (size_t)st.st_size, f) != (size_t)st.st_size) {
        mem_region_destroy(p->dev.machine, &p->rom);
        ok = error_set(err, "romfile=%s: cannot read it", p->romfile);
    }
    fclose(f);
    if (ok) {
        pci_bar_add(p, PCI_ROM_BAR, PCI_BAR_ROM, &p->rom);
    }
    return ok;
}

static bool bars_init(PciDevice *p, Error *err)
{
    const PciClass *c = pci_class(p);

    for (const PciBarDesc *b = c->bars; b && b->kind != PCI_BAR_NONE; b++) {
        pci_bar_add(p, b->bar, b->kind, &p->dev.mmio[b->mmio]);
    }
    if (p->romfile && *p->romfile && p->rombar && !rom_load(p, err)) {
        return false;
    }
    return !c->msix_vectors || pci_msix_init(p, c->msix_bar, c->msix_vectors, err);
}

static void caps_init(PciDevice *p)
{
    const PciClass *c = pci_class(p);

    if (c->conventional) {
        return;
    }
    pci_pm_cap_add(p);
    if (c->msi_vectors) {
        pci_msi_add(p, c->msi_vectors);
    }
    if (!c->bridge) {
        pcie_cap_add(p, p->bus->bridge ? PCI_EXP_TYPE_ENDPOINT : PCI_EXP_TYPE_RC_END);
    }
}

static void free_parts(PciDevice *p)
{
    Machine *m = p->dev.machine;

    mem_begin(m);
    pci_unmap_bars(p);
    pci_msix_free(p);
    if (p->rom.ram) {
        mem_region_destroy(m, &p->rom);
    }
    mem_commit(m);
    if (p->bus) {
        pci_bus_detach(p);
    }
    if (p->as) {
        address_space_free(p->as);
        p->as = NULL;
    }
    mem_remove(&p->dma_alias);
    free(p->config);
    p->config = p->wmask = p->w1c = NULL;
}

static void dma_init(PciDevice *p)
{
    Machine *m = p->dev.machine;

    mem_region_init_container(&p->dma_root, "pci-dma", 0);
    mem_region_init_alias(&p->dma_alias, "pci-bus-master", &m->system, 0, 0);
    p->dma_alias.enabled = false;
    mem_begin(m);
    mem_add(&p->dma_root, 0, &p->dma_alias, 0);
    mem_commit(m);
    p->as = address_space_new(m, p->dev.id, &p->dma_root);
}

bool pci_device_realize(Device *d, Error *err)
{
    PciDevice *p = (PciDevice *)d;
    const PciClass *c = pci_class(p);

    if (!p->bus) {
        p->bus = pci_bus_find(d->machine, p->bus_name && *p->bus_name ? p->bus_name : NULL);
    }
    if (!p->bus) {
        return error_set(err, "no PCI bus '%s' (info pci lists them)",
                         p->bus_name ? p->bus_name : "");
    }
    p->config = calloc(3, PCIE_CONFIG_BYTES);
    if (!p->config) {
        p->bus = NULL;
        return error_set(err, "no memory");
    }
    p->wmask = p->config + PCIE_CONFIG_BYTES;
    p->w1c = p->wmask + PCIE_CONFIG_BYTES;
    p->next_cap = 0x40;
    p->next_ext_cap = 0x100;
    for (unsigned i = 0; i < PCI_N_BARS; i++) {
        p->bars[i].mapped_at = PCI_BAR_UNMAPPED;
    }
    config_init_header(p);
    dma_init(p);
    if (!pci_bus_attach(p, err)) {
        p->bus = NULL;
        free_parts(p);
        return false;
    }
    caps_init(p);
    if (!bars_init(p, err) || (c->realize && !c->realize(p, err))) {
        free_parts(p);
        return false;
    }
    d->bus_owner = p->bus->bridge ? &p->bus->bridge->dev : NULL;
    if (p->bus->bridge && p->devfn == 0) {
        pcie_slot_changed(p->bus, true);
    }
    return true;
}

void pci_device_unrealize(Device *d)
{
    PciDevice *p = (PciDevice *)d;

    pci_intx_set(p, false);
    if (p->bus->bridge && p->devfn == 0) {
        pcie_slot_changed(p->bus, false);
    }
    mem_begin(d->machine);
    pci_unmap_bars(p);
    mem_commit(d->machine);
    if (pci_class(p)->unrealize) {
        pci_class(p)->unrealize(p);
    }
    free_parts(p);
}

/* Writable and write-1-to-clear bits to 0, which is the reset value of nearly all; a class sets
 * what differs in its reset. */
static void config_reset(PciDevice *p)
{
    uint8_t pin_line = 0;

    for (unsigned i = 0; i < PCIE_CONFIG_BYTES; i++) {
        p->config[i] = (uint8_t)(p->config[i] & ~(p->wmask[i] | p->w1c[i]));
    }
    p->config[PCI_INTERRUPT_LINE] = pin_line;
    p->config[PCI_STATUS] = (uint8_t)(p->config[PCI_STATUS] & ~PCI_STATUS_INTERRUPT);
    if (p->pcie_cap) {
        store_le16(p->config + p->pcie_cap + PCI_EXP_DEVCTL,
                   PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN);
    }
}

void pci_device_reset(Device *d, ResetPhase phase)
{
    PciDevice *p = (PciDevice *)d;

    if (phase == RESET_ENTER) {
        config_reset(p);
        pci_msi_reset(p);
        p->intx_level = false;
    }
    if (pci_class(p)->reset) {
        pci_class(p)->reset(p, phase);
    }
}

void pci_device_sync(Device *d)
{
    PciDevice *p = (PciDevice *)d;

    pci_update_mappings(p);
    if (pci_class(p)->sync) {
        pci_class(p)->sync(p);
    }
    pci_intx_update(p);
}

bool pci_device_validate(Device *d, Error *err)
{
    PciDevice *p = (PciDevice *)d;

    return !pci_class(p)->validate || pci_class(p)->validate(p, err);
}

/* ---- state: the writable part of configuration space, MSI-X table, pending bits, INTA# */

bool pci_state_save(Device *d, StateStream *s)
{
    PciDevice *p = (PciDevice *)d;
    unsigned n = p->msix.n_vectors;

    return state_put_bytes(s, p->config, PCIE_CONFIG_BYTES) && state_put_u32(s, p->intx_level) &&
           state_put_u32(s, n) &&
           (!n || (state_put_bytes(s, p->msix.table, 16 * n) &&
                   state_put_bytes(s, p->msix.pba, 8 * ((n + 63) / 64))));
}

bool pci_state_load(Device *d, StateStream *s, Error *err)
{
    PciDevice *p = (PciDevice *)d;
    uint8_t config[PCIE_CONFIG_BYTES];
    uint32_t intx, n;

    if (!state_get_bytes(s, config, sizeof config) || !state_get_u32(s, &intx) ||
        !state_get_u32(s, &n)) {
        return error_set(err, "%s: saved PCI state is cut short", d->id);
    }
    if (memcmp(config, p->config, 4) || n != p->msix.n_vectors) {
        return error_set(err, "%s: saved state is of another device (%04x:%04x, %u vectors)", d->id,
                         load_le16(config), load_le16(config + 2), n);
    }
    for (unsigned i = 0; i < PCIE_CONFIG_BYTES; i++) {
        uint8_t m = p->wmask[i] | p->w1c[i];
        p->config[i] = (uint8_t)((p->config[i] & ~m) | (config[i] & m));
    }
    p->intx_level = intx & 1;
    if (n && (!state_get_bytes(s, p->msix.table, 16 * n) ||
              !state_get_bytes(s, p->msix.pba, 8 * ((n + 63) / 64)))) {
        return error_set(err, "%s: saved MSI-X table is cut short", d->id);
    }
    for (unsigned i = 0; i < n; i++) {
        store_le32(p->msix.table + 16 * i, load_le32(p->msix.table + 16 * i) & ~3u);
        store_le32(p->msix.table + 16 * i + 12, load_le32(p->msix.table + 16 * i + 12) & 1);
    }
    return true;
}
