/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI and PCI Express as devices and boards see them: configuration space, BARs, interrupts, DMA.
 * Sources: PCI Local Bus 3.0, PCI-to-PCI Bridge 1.2, PCI Express Base 4.0, PCI Firmware 3.2 (ECAM).
 *
 * A PCI device is a DeviceClass whose struct begins with PciDevice, whose .bus_class is a PciClass and
 * whose hooks are PCI_DEVICE_HOOKS; the device's own hooks stand in the PciClass:
 *
 *   static const PciClass nic_pci = {
 *       .vendor_id = 0x8086, .device_id = 0x10d3, .class_code = 0x020000, .intx = true,
 *       .bars = (const PciBarDesc[]){ { 0, PCI_BAR_MEM32, 0 }, { 0 } }, .msix_bar = 3, .msix_vectors = 5,
 *       .realize = nic_realize, .reset = nic_reset, .sync = nic_sync,
 *   };
 *   const DeviceClass nic_class = { .name = "nic", .bytes = sizeof(Nic), PCI_DEVICE_HOOKS, .mmio = nic_mmio,
 *       .bus_class = &nic_pci, .props = nic_props (with PCI_PROPS), .state = nic_state (with PCI_STATE) };
 *
 * One interrupt, walked through: the device calls pci_msix_notify(p, 3). MSI-X is enabled and vector 3
 * not masked, so its message is a 32-bit write of the vector's data to the vector's address through the
 * device's own DMA space, with the requester id bus:dev.fn in MemAttrs: whatever claims that address
 * (GICv2m frame, ITS, local APIC) turns it into an interrupt. With bus mastering off it goes nowhere.
 *
 * Not modelled: PCI-X, VC, SR-IOV, ATS, link training delays, power states beyond the register, error
 * reporting (AER registers exist and stay quiet).
 * Threads: everything with the machine lock held.
 */
#ifndef GEMEL_HW_PCI_H
#define GEMEL_HW_PCI_H

#include "core/device.h"

typedef struct PciDevice PciDevice;
typedef struct PciBus PciBus;

enum {
    PCI_CONFIG_BYTES = 256,
    PCIE_CONFIG_BYTES = 4096,
    PCI_N_BARS = 7, /* 0..5, 6 is the option ROM */
    PCI_ROM_BAR = 6,
    PCI_MAX_MSIX = 2048
};

typedef enum PciBarKind {
    PCI_BAR_NONE, /* ends a table */
    PCI_BAR_IO,
    PCI_BAR_MEM32,
    PCI_BAR_MEM64,         /* takes BAR n and n + 1 */
    PCI_BAR_MEM64_PREFETCH,
    PCI_BAR_ROM            /* pci_bar_add() of the option ROM only */
} PciBarKind;

/* BAR `bar` shows bank `mmio` of the DeviceClass; its size must be a power of two. */
typedef struct PciBarDesc {
    uint8_t bar;
    uint8_t kind; /* PciBarKind */
    uint8_t mmio;
} PciBarDesc;

typedef struct PciClass {
    uint16_t vendor_id, device_id;
    uint16_t subsystem_vendor_id, subsystem_id; /* 0: 1af4:1100 */
    uint32_t class_code;  /* 24 bits: base class, subclass, interface */
    uint8_t  revision;
    bool     conventional; /* no PCI Express capability (host bridge) */
    bool     bridge;       /* struct begins with PciBridge, header type 1 */
    bool     intx;         /* drives INTA# */
    const PciBarDesc *bars; /* NULL: none */
    uint16_t msix_vectors;  /* 0: no MSI-X; a property may choose another number in realize */
    uint8_t  msix_bar;      /* MSI-X table and PBA have this BAR to themselves */
    uint8_t  msi_vectors;   /* 0: no MSI; else 1, 2, 4 .. 32 */
    bool   (*realize)(PciDevice *p, Error *err); /* config space and bus are there; BARs of the table too */
    void   (*unrealize)(PciDevice *p);
    void   (*reset)(PciDevice *p, ResetPhase phase);
    void   (*sync)(PciDevice *p);               /* outputs from state; after restore and reset */
    bool   (*validate)(PciDevice *p, Error *err);
    /* After the guest wrote config space [offset, offset + bytes). */
    void   (*config_written)(PciDevice *p, unsigned offset, unsigned bytes);
    /* Reads of registers that are computed; NULL or false: the plain bytes. */
    bool   (*config_read)(PciDevice *p, unsigned offset, unsigned bytes, uint32_t *value);
} PciClass;

typedef struct PciBar {
    MemRegion *region; /* NULL: no such BAR */
    uint64_t   bytes;
    uint64_t   mapped_at; /* PCI_BAR_UNMAPPED: nowhere */
    uint8_t    kind;
} PciBar;
#define PCI_BAR_UNMAPPED UINT64_MAX

typedef struct PciMsix {
    uint16_t  n_vectors, cap;
    uint8_t  *table;  /* 16 bytes a vector */
    uint64_t *pba;
    MemRegion bar, table_io, pba_io;
} PciMsix;

struct PciDevice {
    Device        dev; /* must be first */
    /* wiring */
    PciBus       *bus;
    uint8_t       devfn;
    uint8_t      *config, *wmask, *w1c; /* PCIE_CONFIG_BYTES each, one allocation */
    uint16_t      next_cap;   /* free byte in 0x40..0xff */
    uint16_t      next_ext_cap, last_ext_cap;
    uint16_t      pm_cap, msi_cap, pcie_cap; /* 0: none */
    PciBar        bars[PCI_N_BARS];
    PciMsix       msix;
    MemRegion     rom;
    MemRegion     dma_root, dma_alias;  /* dma_alias is enabled by Bus Master Enable */
    AddressSpace *as;                   /* the device's DMA: use with pci_attrs() */
    /* properties */
    char         *bus_name, *addr, *romfile;
    bool          multifunction, rombar;
    uint32_t      bootindex; /* place in the firmware's boot order; all ones: none */
    /* state */
    bool          intx_level;  /* what the device wants */
    bool          intx_driven; /* what the bus sees (Interrupt Disable) */
    bool          unplugging;  /* device_del asked the guest */
};

/* A bus: of a host or behind a bridge. */
struct PciBus {
    char       name[32]; /* "pcie.0", a bridge's id */
    Machine   *machine;
    PciDevice *bridge;   /* the bridge above; NULL: root */
    PciDevice *slots[256]; /* by devfn */
    MemRegion  mem, io;  /* bus addresses */
    MemRegion  mem_nobody, io_nobody; /* root: all ones where no function answers */
    PinOut    *intx;     /* root: 4 outputs */
    unsigned   intx_count[4]; /* root: how many drive it */
    bool       one_slot; /* behind a root port: device 0 only */
    bool       off;      /* the slot has no power */
};

/* A PCI-to-PCI bridge (root port). First in the struct of its class. */
typedef struct PciBridge {
    PciDevice pci; /* must be first */
    PciBus    bus;
    MemRegion windows[3]; /* I/O, memory, prefetchable memory */
    uint64_t  window_base[3], window_bytes[3]; /* as mapped now; 0 bytes: closed */
} PciBridge;

#define PCI_DEVICE_HOOKS \
    .bus = BUS_PCI, .realize = pci_device_realize, .unrealize = pci_device_unrealize, \
    .reset = pci_device_reset, .sync = pci_device_sync, .validate = pci_device_validate
/* Rows of every PCI device's property and state tables. */
#define PCI_PROPS \
    {.name = "bus", .kind = PROP_STRING, PROP(PciDevice, bus_name), .help = "PCI bus, e.g. pcie.0"}, \
    {.name = "addr", .kind = PROP_STRING, PROP(PciDevice, addr), \
     .help = "slot[.function], hexadecimal; the first free one"}, \
    {.name = "multifunction", .kind = PROP_BOOL, PROP(PciDevice, multifunction), \
     .help = "more functions share this slot"}, \
    {.name = "romfile", .kind = PROP_STRING, PROP(PciDevice, romfile), \
     .help = "file shown as option ROM"}, \
    {.name = "rombar", .kind = PROP_BOOL, PROP(PciDevice, rombar), .initial = "on", \
     .help = "show the option ROM"}, \
    {.name = "bootindex", .kind = PROP_U32, PROP(PciDevice, bootindex), .initial = "0xffffffff", \
     .help = "place in the firmware's boot order"}
#define PCI_STATE \
    {.name = "pci", .kind = STATE_CUSTOM, .save = pci_state_save, .load = pci_state_load}

/* ---- hooks of DeviceClass for PCI_DEVICE_HOOKS */
bool pci_device_realize(Device *d, Error *err);
void pci_device_unrealize(Device *d);
void pci_device_reset(Device *d, ResetPhase phase);
void pci_device_sync(Device *d);
bool pci_device_validate(Device *d, Error *err);
bool pci_state_save(Device *d, StateStream *s);
bool pci_state_load(Device *d, StateStream *s, Error *err);

/* ---- for devices, from PciClass.realize on */

static inline const PciClass *pci_class(const PciDevice *p)
{
    return p->dev.cls->bus_class;
}

/* A capability of `bytes` (with its two-byte head) in 0x40..0xff; returns its offset. Its bytes are
 * zero and read-only: the caller sets config[] and wmask[]. */
unsigned pci_add_cap(PciDevice *p, uint8_t id, unsigned bytes);
/* An extended capability at 0x100 and up. */
unsigned pci_add_ext_cap(PciDevice *p, uint16_t id, uint8_t version, unsigned bytes);
/* Shows `region` (its size a power of two, at least 16, ROM 2048) in BAR `bar`. */
void pci_bar_add(PciDevice *p, unsigned bar, PciBarKind kind, MemRegion *region);
/* n vectors, table and PBA alone in 32-bit BAR `bar`; called by the core when PciClass says so. */
bool pci_msix_init(PciDevice *p, unsigned bar, unsigned n, Error *err);

/* ---- interrupts */

bool pci_msix_enabled(const PciDevice *p);
bool pci_msi_enabled(const PciDevice *p);
/* Sends vector n; pends it while masked. Out of range or disabled: nothing. */
void pci_msix_notify(PciDevice *p, unsigned n);
void pci_msi_notify(PciDevice *p, unsigned n);
/* Level of INTA#. Does nothing on the wire while MSI or MSI-X is on or Interrupt Disable is set. */
void pci_intx_set(PciDevice *p, bool level);

/* ---- DMA: mem_*(), dma_*() on p->as with these attributes */

MemAttrs pci_attrs(const PciDevice *p);
static inline bool pci_bus_master(const PciDevice *p)
{
    return p->config[4] & 4;
}

/* ---- for hosts, bridges, boards, the monitor */

/* Bus number as the guest set it. */
unsigned pci_bus_number(const PciBus *b);
/* By name ("pcie.0", id of a root port); NULL name: the first. NULL: none. */
PciBus  *pci_bus_find(Machine *m, const char *name);
PciDevice *pci_find(PciBus *root, unsigned bus, unsigned devfn);
void     pci_bus_init(PciBus *b, Machine *m, const char *name, PciDevice *bridge);
/* Configuration cycles from a host: 1, 2 or 4 bytes, aligned. No device: all ones, ignored. */
uint32_t pci_config_read(PciBus *root, unsigned bus, unsigned devfn, unsigned offset, unsigned bytes);
void     pci_config_write(PciBus *root, unsigned bus, unsigned devfn, unsigned offset, unsigned bytes,
                          uint32_t value);
/* The same for one device, its reads and writes as the guest makes them. */
uint32_t pci_device_config_read(PciDevice *p, unsigned offset, unsigned bytes);
void     pci_device_config_write(PciDevice *p, unsigned offset, unsigned bytes, uint32_t value);
/* device_del: presses the slot's button, or takes a device without a hot-plug slot out at once when
 * the machine has not started. false: not possible. */
bool     pci_unplug_request(PciDevice *p, Error *err);
/* `info pci`. */
void     pci_print(Machine *m, void (*print)(void *opaque, const char *line), void *opaque);

/* ---- the generic ECAM host, class "gpex-pcihost", internal: made by boards
 *
 *   Device *h = device_new(m, &pcie_host_class, "pcie");
 *   pcie_host_configure(h, &(PcieHostConfig){ ... });
 *   device_realize(h, err);            // maps ECAM and windows, makes bus "pcie.0" with its host bridge
 *   device_connect(h, "intx", n, ...); // n = 0..3
 * class->fdt writes the pci-host-ecam-generic node. */
typedef struct PcieWindow {
    uint64_t base, bytes; /* bytes 0: none; bus address = base */
} PcieWindow;
typedef struct PcieHostConfig {
    PcieWindow  ecam;    /* 1 MiB a bus, power of two up to 256 MiB */
    PcieWindow  mem32, mem64;
    PcieWindow  io;      /* bus addresses from 0 */
    uint32_t    spi[4];  /* GIC SPI numbers of INTA..INTD */
    const char *gic;     /* fdt label of the interrupt controller, e.g. "gic" */
    uint32_t    gic_address_cells;
    const char *msi;     /* fdt label of ITS or v2m frame; NULL: no MSI */
} PcieHostConfig;
extern const DeviceClass pcie_host_class, pcie_host_bridge_class;
extern const DeviceClass pcie_root_port_class; /* "pcie-root-port" */
void    pcie_host_configure(Device *d, const PcieHostConfig *c);
const PcieHostConfig *pcie_host_config(const Device *d);
PciBus *pcie_host_bus(Device *d);

#endif
