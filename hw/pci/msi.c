/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Message-signalled interrupts: MSI and MSI-X of a function.
 *
 * Source: PCI Local Bus Specification 3.0, section 6.8.
 * A message is a 32-bit write through the function's own DMA space, with its requester id.
 * MSI is 64-bit with per-vector masking. The MSI-X table and its pending bits have a BAR to
 * themselves: table at 0, pending bits in the upper half.
 */
#include "pci_internal.h"

#include <stdlib.h>
#include <string.h>

static void send(PciDevice *p, uint64_t address, uint32_t data)
{
    if (pci_bus_master(p)) {
        mem_store_le32(p->as, address, data, pci_attrs(p));
    }
}

/* ---- MSI */

enum { MSI_64_MASK_BYTES = 24 };

void pci_msi_add(PciDevice *p, unsigned vectors)
{
    unsigned off = pci_add_cap(p, PCI_CAP_ID_MSI, MSI_64_MASK_BYTES);

    assert(is_pow2(vectors) && vectors <= 32);
    p->msi_cap = (uint16_t)off;
    store_le16(p->config + off + PCI_MSI_FLAGS,
               (uint16_t)(PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT | ctz32(vectors) << 1));
    store_le16(p->wmask + off + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
    store_le64(p->wmask + off + PCI_MSI_ADDRESS_LO, ~(uint64_t)3);
    store_le16(p->wmask + off + PCI_MSI_DATA_64, 0xffff);
    store_le32(p->wmask + off + PCI_MSI_MASK_64, (uint32_t)mask64(vectors));
}

bool pci_msi_enabled(const PciDevice *p)
{
    return p->msi_cap && p->config[p->msi_cap + PCI_MSI_FLAGS] & PCI_MSI_FLAGS_ENABLE;
}

void pci_msi_notify(PciDevice *p, unsigned n)
{
    if (!pci_msi_enabled(p)) {
        return;
    }
    uint8_t *cap = p->config + p->msi_cap;
    uint16_t flags = load_le16(cap + PCI_MSI_FLAGS);
    unsigned offered = flags >> 1 & 7, granted = flags >> 4 & 7;
    unsigned vectors = 1u << (granted < offered ? granted : offered);

    n %= vectors;
    if (load_le32(cap + PCI_MSI_MASK_64) >> n & 1) {
        store_le32(cap + PCI_MSI_PENDING_64, load_le32(cap + PCI_MSI_PENDING_64) | 1u << n);
        return;
    }
    uint32_t data = load_le16(cap + PCI_MSI_DATA_64);
    send(p, load_le64(cap + PCI_MSI_ADDRESS_LO), (data & ~(vectors - 1)) | n);
}

static void msi_flush(PciDevice *p)
{
    uint8_t *cap = p->config + p->msi_cap;
    uint32_t ready = load_le32(cap + PCI_MSI_PENDING_64) & ~load_le32(cap + PCI_MSI_MASK_64);

    store_le32(cap + PCI_MSI_PENDING_64, load_le32(cap + PCI_MSI_PENDING_64) & ~ready);
    for (; ready; ready &= ready - 1) {
        pci_msi_notify(p, ctz32(ready));
    }
}

/* ---- MSI-X */

bool pci_msix_enabled(const PciDevice *p)
{
    return p->msix.cap &&
           load_le16(p->config + p->msix.cap + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_ENABLE;
}

static bool msix_masked(const PciDevice *p, unsigned n)
{
    return load_le16(p->config + p->msix.cap + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_MASKALL ||
           load_le32(p->msix.table + 16 * n + PCI_MSIX_ENTRY_VECTOR_CTRL) & 1;
}

void pci_msix_notify(PciDevice *p, unsigned n)
{
    if (!pci_msix_enabled(p) || n >= p->msix.n_vectors) {
        return;
    }
    if (msix_masked(p, n)) {
        p->msix.pba[n / 64] |= (uint64_t)1 << n % 64;
        return;
    }
    const uint8_t *e = p->msix.table + 16 * n;
    send(p, load_le64(e) & ~(uint64_t)3, load_le32(e + PCI_MSIX_ENTRY_DATA));
}

void pci_msix_flush(PciDevice *p)
{
    if (!pci_msix_enabled(p)) {
        return;
    }
    for (unsigned w = 0; w < (p->msix.n_vectors + 63u) / 64; w++) {
        for (uint64_t left = p->msix.pba[w]; left; left &= left - 1) {
            unsigned bit = ctz64(left);
            if (!msix_masked(p, 64 * w + bit)) {
                p->msix.pba[w] &= ~((uint64_t)1 << bit);
                pci_msix_notify(p, 64 * w + bit);
            }
        }
    }
}

static MemResult table_read(void *opaque, uint64_t offset, unsigned bytes, uint64_t *value,
                            MemAttrs attrs)
{
    PciDevice *p = opaque;

    (void)attrs;
    *value = 0;
    memcpy(value, p->msix.table + offset, bytes);
    return MEM_OK;
}

static MemResult table_write(void *opaque, uint64_t offset, unsigned bytes, uint64_t value,
                             MemAttrs attrs)
{
    PciDevice *p = opaque;
    uint8_t *e = p->msix.table + align_down(offset, 16);

    (void)attrs;
    memcpy(p->msix.table + offset, &value, bytes);
    store_le32(e + PCI_MSIX_ENTRY_VECTOR_CTRL, load_le32(e + PCI_MSIX_ENTRY_VECTOR_CTRL) & 1);
    pci_msix_flush(p);
    return MEM_OK;
}

static MemResult pba_read(void *opaque, uint64_t offset, unsigned bytes, uint64_t *value,
                          MemAttrs attrs)
{
    PciDevice *p = opaque;

    (void)attrs;
    *value = 0;
    memcpy(value, (uint8_t *)p->msix.pba + offset, bytes);
    return MEM_OK;
}

static MemResult pba_write(void *opaque, uint64_t offset, unsigned bytes, uint64_t value,
                           MemAttrs attrs)
{
    (void)opaque, (void)offset, (void)bytes, (void)value, (void)attrs;
    return MEM_OK; /* read-only */
}

static const MemIo table_ops = {
    .read = table_read, .write = table_write, .min_bytes = 4, .max_bytes = 8};
static const MemIo pba_ops = {.read = pba_read, .write = pba_write, .min_bytes = 4, .max_bytes = 8};

bool pci_msix_init(PciDevice *p, unsigned bar, unsigned n, Error *err)
{
    uint64_t half = 2048;
    unsigned pba_bytes = 8 * ((n + 63) / 64);

    assert(n && !p->msix.cap);
    if (n > PCI_MAX_MSIX) {
        return error_set(err, "%s: %u MSI-X vectors; at most %u", p->dev.id, n, PCI_MAX_MSIX);
    }
    while (half < 16 * n) {
        half *= 2;
    }
    p->msix.table = calloc(n, 16);
    p->msix.pba = calloc(1, pba_bytes);
    if (!p->msix.table || !p->msix.pba) {
        free(p->msix.table);
        free(p->msix.pba);
        p->msix.table = NULL;
        p->msix.pba = NULL;
        return error_set(err, "%s: no memory for %u MSI-X vectors", p->dev.id, n);
    }
    p->msix.n_vectors = (uint16_t)n;
    mem_region_init_container(&p->msix.bar, "msix", 2 * half);
    mem_region_init_io(&p->msix.table_io, "msix-table", 16 * n, &table_ops, p);
    mem_region_init_io(&p->msix.pba_io, "msix-pba", pba_bytes, &pba_ops, p);
    mem_begin(p->dev.machine);
    mem_add(&p->msix.bar, 0, &p->msix.table_io, 0);
    mem_add(&p->msix.bar, half, &p->msix.pba_io, 0);
    mem_commit(p->dev.machine);

    unsigned off = pci_add_cap(p, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF);
    p->msix.cap = (uint16_t)off;
    store_le16(p->config + off + PCI_MSIX_FLAGS, (uint16_t)(n - 1));
    store_le16(p->wmask + off + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
    store_le32(p->config + off + PCI_MSIX_TABLE, bar);
    store_le32(p->config + off + PCI_MSIX_PBA, (uint32_t)half | bar);
    pci_bar_add(p, bar, PCI_BAR_MEM32, &p->msix.bar);
    pci_msi_reset(p);
    return true;
}

void pci_msix_free(PciDevice *p)
{
    if (p->msix.n_vectors) {
        mem_remove(&p->msix.table_io);
        mem_remove(&p->msix.pba_io);
        free(p->msix.table);
        free(p->msix.pba);
        p->msix = (PciMsix){0};
    }
}

/* ---- both */

void pci_msi_config_written(PciDevice *p, unsigned offset, unsigned bytes)
{
    if (p->msi_cap && pci_range_touches(offset, bytes, p->msi_cap, MSI_64_MASK_BYTES)) {
        msi_flush(p);
        pci_intx_update(p);
    }
    if (p->msix.cap && pci_range_touches(offset, bytes, p->msix.cap, PCI_CAP_MSIX_SIZEOF)) {
        pci_msix_flush(p);
        pci_intx_update(p);
    }
}

void pci_msi_reset(PciDevice *p)
{
    if (p->msi_cap) {
        store_le32(p->config + p->msi_cap + PCI_MSI_PENDING_64, 0);
    }
    for (unsigned i = 0; i < p->msix.n_vectors; i++) {
        memset(p->msix.table + 16 * i, 0, 12);
        store_le32(p->msix.table + 16 * i + PCI_MSIX_ENTRY_VECTOR_CTRL, 1); /* masked */
    }
    if (p->msix.n_vectors) {
        memset(p->msix.pba, 0, 8 * ((p->msix.n_vectors + 63u) / 64));
    }
}
