/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine for device tests: 64 MiB of RAM, a PCI Express host, virtio-mmio slots, a frame that logs
 * MSI writes. Physical memory is used by rig_alloc() from the bottom.
 */
#ifndef GEMEL_TESTS_HW_RIG_H
#define GEMEL_TESTS_HW_RIG_H

#include <glib.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "core/machine.h"
#include "hw/devices.h"
#include "hw/pci.h"
#include "hw/virtio.h"
#include "util/bits.h"

enum {
    RIG_RAM_BYTES = 64 << 20,
    RIG_N_SLOTS = 4,
    RIG_MAX_MSI = 256,
};
#define RIG_RAM   0x40000000ull
#define RIG_ECAM  0x3f000000ull
#define RIG_MMIO  0x10000000ull
#define RIG_MMIO64 0x8000000000ull
#define RIG_PIO   0x3eff0000ull
#define RIG_MSI   0x08020000ull
#define RIG_SLOT(n) (0x0a000000ull + 0x200 * (n))

typedef struct HwRig {
    Machine  *m;
    MemRegion ram, msi;
    Device   *host;
    Device   *slots[RIG_N_SLOTS];
    bool      slot_irq[RIG_N_SLOTS];
    bool      intx[4];
    struct { uint64_t offset; uint32_t data, requester; } msis[RIG_MAX_MSI];
    unsigned  n_msis;
    uint64_t  next;
    uint32_t  next_bar;
} HwRig;

static inline MemResult rig_msi_write(void *opaque, uint64_t offset, unsigned bytes, uint64_t value,
                                      MemAttrs attrs)
{
    HwRig *r = opaque;

    g_assert_cmpuint(bytes, ==, 4);
    if (r->n_msis < RIG_MAX_MSI) {
        r->msis[r->n_msis].offset = offset;
        r->msis[r->n_msis].data = (uint32_t)value;
        r->msis[r->n_msis++].requester = attrs.requester;
    }
    return MEM_OK;
}

static inline MemResult rig_msi_read(void *opaque, uint64_t offset, unsigned bytes, uint64_t *value,
                                     MemAttrs attrs)
{
    (void)opaque, (void)offset, (void)bytes, (void)attrs;
    *value = 0;
    return MEM_OK;
}

static inline void rig_level(void *opaque, unsigned n, bool level)
{
    ((bool *)opaque)[n] = level;
}

static inline HwRig *rig_new(void)
{
    static const MemIo msi_io = {.read = rig_msi_read, .write = rig_msi_write, .max_bytes = 4};
    static const PcieHostConfig config = {
        .ecam = {RIG_ECAM, 16 << 20},
        .mem32 = {RIG_MMIO, 0x2eff0000},
        .mem64 = {RIG_MMIO64, 0x8000000000},
        .io = {RIG_PIO, 0x10000},
        .spi = {3, 4, 5, 6},
        .gic = "gic",
        .gic_address_cells = 2,
        .msi = "its",
    };
    HwRig *r = g_new0(HwRig, 1);
    Error err = {0};

    r->m = machine_new("rig", &err);
    g_assert_nonnull(r->m);
    r->next = RIG_RAM + 0x1000;
    r->next_bar = RIG_MMIO;
    machine_lock(r->m);
    mem_begin(r->m);
    g_assert_true(mem_region_init_ram(&r->ram, r->m, "ram", RIG_RAM_BYTES, &err));
    mem_add(&r->m->system, RIG_RAM, &r->ram, 0);
    mem_region_init_io(&r->msi, "msi", 0x1000, &msi_io, r);
    mem_add(&r->m->system, RIG_MSI, &r->msi, 0);
    mem_commit(r->m);
    r->host = device_new(r->m, &pcie_host_class, "pcie");
    pcie_host_configure(r->host, &config);
    if (!device_realize(r->host, &err)) {
        g_error("%s", err.text);
    }
    for (unsigned i = 0; i < 4; i++) {
        device_connect(r->host, "intx", i, (PinIn){rig_level, r->intx, i});
    }
    for (unsigned i = 0; i < RIG_N_SLOTS; i++) {
        r->slots[i] = device_new(r->m, &virtio_mmio_class, NULL);
        g_assert_true(device_realize(r->slots[i], &err));
        device_map(r->slots[i], 0, RIG_SLOT(i));
        device_connect(r->slots[i], "irq", 0, (PinIn){rig_level, r->slot_irq, i});
    }
    return r;
}

static inline void rig_free(HwRig *r)
{
    machine_unlock(r->m);
    machine_free(r->m);
    g_free(r);
}

/* NAME with properties, "key=value,key=value" or NULL; fails the test when it cannot be. */
static inline Device *rig_add(HwRig *r, const char *name, const char *props)
{
    const DeviceClass *cls = hw_device_find(name);
    Error err = {0};

    g_assert_nonnull(cls);
    Device *d = device_new(r->m, cls, NULL);
    char **parts = g_strsplit(props ? props : "", ",", 0);
    for (char **p = parts; *p && **p; p++) {
        char *eq = strchr(*p, '=');
        *eq = 0;
        if (!device_set(d, *p, eq + 1, &err)) {
            g_error("%s", err.text);
        }
    }
    g_strfreev(parts);
    if (!device_realize(d, &err)) {
        g_error("%s", err.text);
    }
    return d;
}

static inline void rig_reset(HwRig *r)
{
    machine_reset(r->m, CAUSE_NONE);
}

/* ---- memory */

static inline uint64_t rig_alloc(HwRig *r, uint64_t bytes, uint64_t align)
{
    uint64_t at = align_up(r->next, align);

    r->next = at + bytes;
    g_assert_cmpuint(r->next, <=, RIG_RAM + RIG_RAM_BYTES);
    return at;
}

static inline uint8_t *rig_host(HwRig *r, uint64_t gpa)
{
    return r->ram.ram->host + (gpa - RIG_RAM);
}

static inline uint64_t rig_read(HwRig *r, uint64_t gpa, unsigned bytes)
{
    uint64_t v = 0;

    g_assert_cmpint(mem_read(r->m->as, gpa, &v, bytes, MEM_ATTRS_NONE), ==, MEM_OK);
    return v;
}

static inline void rig_write(HwRig *r, uint64_t gpa, unsigned bytes, uint64_t v)
{
    g_assert_cmpint(mem_write(r->m->as, gpa, &v, bytes, MEM_ATTRS_NONE), ==, MEM_OK);
}

/* ---- PCI as firmware does it */

static inline uint64_t rig_cfg(unsigned bus, unsigned devfn, unsigned reg)
{
    return RIG_ECAM + ((uint64_t)bus << 20) + ((uint64_t)devfn << 12) + reg;
}

/* Sizes and places BAR `bar` of bus:devfn; returns where. */
static inline uint64_t rig_map_bar(HwRig *r, unsigned bus, unsigned devfn, unsigned bar)
{
    uint64_t reg = rig_cfg(bus, devfn, PCI_BASE_ADDRESS_0 + 4 * bar);
    uint32_t type = (uint32_t)rig_read(r, reg, 4) & 0xf;

    rig_write(r, reg, 4, UINT32_MAX);
    uint32_t bytes = ~((uint32_t)rig_read(r, reg, 4) & ~0xfu) + 1;
    g_assert_true(is_pow2(bytes));
    uint32_t at = (uint32_t)align_up(r->next_bar, bytes);
    r->next_bar = at + bytes;
    rig_write(r, reg, 4, at);
    if (type & PCI_BASE_ADDRESS_MEM_TYPE_64) {
        rig_write(r, reg + 4, 4, 0);
    }
    return at;
}

static inline void rig_enable(HwRig *r, unsigned bus, unsigned devfn)
{
    rig_write(r, rig_cfg(bus, devfn, PCI_COMMAND), 2,
              PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static inline unsigned rig_find_cap(HwRig *r, unsigned bus, unsigned devfn, unsigned id)
{
    unsigned at = (unsigned)rig_read(r, rig_cfg(bus, devfn, PCI_CAPABILITY_LIST), 1);

    for (unsigned n = 0; at && n < 48; n++) {
        if (rig_read(r, rig_cfg(bus, devfn, at), 1) == id) {
            return at;
        }
        at = (unsigned)rig_read(r, rig_cfg(bus, devfn, at + 1), 1);
    }
    return 0;
}

/* MSI-X on; vector n writes data 0x100 + n to the frame's doorbell 0x40. Returns the table's gpa. */
static inline uint64_t rig_enable_msix(HwRig *r, unsigned bus, unsigned devfn)
{
    unsigned cap = rig_find_cap(r, bus, devfn, PCI_CAP_ID_MSIX);
    g_assert_cmpuint(cap, !=, 0);
    unsigned flags = (unsigned)rig_read(r, rig_cfg(bus, devfn, cap + PCI_MSIX_FLAGS), 2);
    unsigned bir = (unsigned)rig_read(r, rig_cfg(bus, devfn, cap + PCI_MSIX_TABLE), 4);
    uint64_t table = rig_map_bar(r, bus, devfn, bir & 7) + (bir & ~7u);

    rig_enable(r, bus, devfn);
    for (unsigned i = 0; i <= (flags & PCI_MSIX_FLAGS_QSIZE); i++) {
        rig_write(r, table + 16 * i, 8, RIG_MSI + 0x40);
        rig_write(r, table + 16 * i + 8, 4, 0x100 + i);
        rig_write(r, table + 16 * i + 12, 4, 0);
    }
    rig_write(r, rig_cfg(bus, devfn, cap + PCI_MSIX_FLAGS), 2, PCI_MSIX_FLAGS_ENABLE);
    return table;
}

#endif
