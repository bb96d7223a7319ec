/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of hw/pci. Register numbers: linux/pci_regs.h, which follows the specifications. */
#ifndef GEMEL_HW_PCI_INTERNAL_H
#define GEMEL_HW_PCI_INTERNAL_H

#include <linux/pci_regs.h>

#include "core/machine.h"
#include "hw/pci.h"
#include "util/bits.h"

/* pci.c */
void pci_update_mappings(PciDevice *p);
void pci_unmap_bars(PciDevice *p);

/* bus.c: puts p at its addr (or the first free one) on p->bus; takes it off. */
bool pci_bus_attach(PciDevice *p, Error *err);
void pci_bus_detach(PciDevice *p);
/* Recomputes what p drives onto INTA# of its bus. */
void pci_intx_update(PciDevice *p);

/* msi.c */
void pci_msi_add(PciDevice *p, unsigned vectors);
void pci_msi_config_written(PciDevice *p, unsigned offset, unsigned bytes);
void pci_msi_reset(PciDevice *p);
void pci_msix_free(PciDevice *p);
/* Sends pending vectors that are no longer masked. */
void pci_msix_flush(PciDevice *p);

/* bridge.c */
bool pci_bridge_init(PciBridge *b, Error *err);
void pci_bridge_free(PciBridge *b);
void pci_bridge_update(PciBridge *b);
/* Function 0 appeared in or left the slot behind a root port. */
void pcie_slot_changed(PciBus *bus, bool present);
bool pcie_slot_unplug_request(PciBus *bus, PciDevice *p, Error *err);
bool pci_is_root_port(const PciDevice *p);
bool pcie_host_is(const Device *d);

/* express.c: PCI Express capability of the type that fits the place of the device. */
void pcie_cap_add(PciDevice *p, unsigned type);
void pci_pm_cap_add(PciDevice *p);
void pcie_aer_add(PciDevice *p);

static inline bool pci_range_touches(unsigned offset, unsigned bytes, unsigned reg, unsigned reg_bytes)
{
    return offset < reg + reg_bytes && reg < offset + bytes;
}

#endif
