/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI-to-PCI bridges and the PCI Express root port with its hot-plug slot.
 *
 * Sources: PCI-to-PCI Bridge Architecture Specification 1.2, chapter 3; PCI Express Base
 * Specification 4.0, sections 7.5.1.3 (type 1 header), 7.5.3.9-12 (slot and root registers), 6.7
 * (hot-plug).
 *
 * The slot has an attention button, a power controller and a power indicator, no latch and no
 * command completion. device_add behind the port sets presence and link and reports the change;
 * device_del presses the button: the guest waits five seconds, lets the driver go and cuts the
 * power, and then the device is gone. Not modelled: ISA mode, VGA forwarding, secondary bus reset
 * timing.
 */
#include "pci_internal.h"

#include <stdlib.h>
#include <string.h>

enum { WINDOW_IO, WINDOW_MEM, WINDOW_PREFETCH };

typedef struct RootPort {
    PciBridge bridge;             /* must be first */
    uint32_t chassis, slot, port; /* properties */
    bool hotplug;
    bool hp_asserted; /* state: a hot-plug interrupt is pending */
} RootPort;

/* ---- bridge: the windows */

static void window_range(const uint8_t *config, unsigned w, uint64_t *base, uint64_t *limit)
{
    switch (w) {
    case WINDOW_IO:
        *base = (uint64_t)(config[PCI_IO_BASE] & 0xf0) << 8 |
                (uint64_t)load_le16(config + PCI_IO_BASE_UPPER16) << 16;
        *limit = (uint64_t)(config[PCI_IO_LIMIT] & 0xf0) << 8 |
                 (uint64_t)load_le16(config + PCI_IO_LIMIT_UPPER16) << 16 | 0xfff;
        break;
    case WINDOW_MEM:
        *base = (uint64_t)(load_le16(config + PCI_MEMORY_BASE) & 0xfff0) << 16;
        *limit = (uint64_t)(load_le16(config + PCI_MEMORY_LIMIT) & 0xfff0) << 16 | 0xfffff;
        break;
    default:
        *base = (uint64_t)(load_le16(config + PCI_PREF_MEMORY_BASE) & 0xfff0) << 16 |
                (uint64_t)load_le32(config + PCI_PREF_BASE_UPPER32) << 32;
        *limit = (uint64_t)(load_le16(config + PCI_PREF_MEMORY_LIMIT) & 0xfff0) << 16 |
                 (uint64_t)load_le32(config + PCI_PREF_LIMIT_UPPER32) << 32 | 0xfffff;
        break;
    }
}

static void window_update(PciBridge *b, unsigned w)
{
    static const char *const names[3] = {"pci-window-io", "pci-window-mem", "pci-window-pref"};
    uint16_t command = load_le16(b->pci.config + PCI_COMMAND);
    uint64_t base, limit, bytes = 0;
    bool io = w == WINDOW_IO;

    window_range(b->pci.config, w, &base, &limit);
    if (command & (io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY) && base <= limit &&
        (!io || limit < 0x10000)) {
        bytes = limit - base + 1;
    }
    if (bytes == b->window_bytes[w] && (!bytes || base == b->window_base[w])) {
        return;
    }
    if (b->window_bytes[w]) {
        mem_remove(&b->windows[w]);
    }
    b->window_base[w] = base;
    b->window_bytes[w] = bytes;
    if (bytes) {
        mem_region_init_alias(&b->windows[w], names[w], io ? &b->bus.io : &b->bus.mem, base, bytes);
        mem_add(io ? &b->pci.bus->io : &b->pci.bus->mem, base, &b->windows[w], 1);
    }
}

void pci_bridge_update(PciBridge *b)
{
    mem_begin(b->pci.dev.machine);
    for (unsigned w = 0; w < 3; w++) {
        window_update(b, w);
    }
    mem_commit(b->pci.dev.machine);
}

bool pci_bridge_init(PciBridge *b, Error *err)
{
    uint8_t *c = b->pci.config, *w = b->pci.wmask;

    (void)err;
    pci_bus_init(&b->bus, b->pci.dev.machine, b->pci.dev.id, &b->pci);
    w[PCI_PRIMARY_BUS] = w[PCI_SECONDARY_BUS] = w[PCI_SUBORDINATE_BUS] = 0xff;
    w[PCI_SEC_LATENCY_TIMER] = 0xff;
    c[PCI_IO_BASE] = c[PCI_IO_LIMIT] = PCI_IO_RANGE_TYPE_16;
    w[PCI_IO_BASE] = w[PCI_IO_LIMIT] = 0xf0;
    store_le16(b->pci.w1c + PCI_SEC_STATUS, 0xf900);
    store_le16(w + PCI_MEMORY_BASE, 0xfff0);
    store_le16(w + PCI_MEMORY_LIMIT, 0xfff0);
    store_le16(c + PCI_PREF_MEMORY_BASE, PCI_PREF_RANGE_TYPE_64);
    store_le16(c + PCI_PREF_MEMORY_LIMIT, PCI_PREF_RANGE_TYPE_64);
    store_le16(w + PCI_PREF_MEMORY_BASE, 0xfff0);
    store_le16(w + PCI_PREF_MEMORY_LIMIT, 0xfff0);
    store_le32(w + PCI_PREF_BASE_UPPER32, UINT32_MAX);
    store_le32(w + PCI_PREF_LIMIT_UPPER32, UINT32_MAX);
    store_le16(w + PCI_BRIDGE_CONTROL,
               PCI_BRIDGE_CTL_PARITY | PCI_BRIDGE_CTL_SERR | PCI_BRIDGE_CTL_BUS_RESET);
    return true;
}

/* The window registers reset to closed: base above limit. */
static void bridge_reset(PciBridge *b)
{
    uint8_t *c = b->pci.config;

    c[PCI_IO_BASE] = 0xf0 | PCI_IO_RANGE_TYPE_16;
    store_le16(c + PCI_MEMORY_BASE, 0xfff0);
    store_le16(c + PCI_PREF_MEMORY_BASE, 0xfff0 | PCI_PREF_RANGE_TYPE_64);
}

void pci_bridge_free(PciBridge *b)
{
    mem_begin(b->pci.dev.machine);
    for (unsigned w = 0; w < 3; w++) {
        if (b->window_bytes[w]) {
            mem_remove(&b->windows[w]);
            b->window_bytes[w] = 0;
        }
    }
    mem_commit(b->pci.dev.machine);
}

static void secondary_reset(PciBridge *b)
{
    for (unsigned phase = RESET_ENTER; phase <= RESET_EXIT; phase++) {
        for (unsigned i = 0; i < 256; i++) {
            if (b->bus.slots[i]) {
                device_reset(&b->bus.slots[i]->dev, phase);
            }
        }
    }
}

/* ---- slot */

static uint8_t *slot_reg(PciDevice *p, unsigned reg)
{
    return p->config + p->pcie_cap + reg;
}

/* The hot-plug interrupt: a level on INTA#, a message at each rise with MSI. */
static void slot_sync(RootPort *rp)
{
    PciDevice *p = &rp->bridge.pci;
    uint16_t ctl = load_le16(slot_reg(p, PCI_EXP_SLTCTL));
    uint16_t sta = load_le16(slot_reg(p, PCI_EXP_SLTSTA));
    uint16_t events = PCI_EXP_SLTSTA_ABP | PCI_EXP_SLTSTA_PDC;
    bool pending =
        (sta & ctl & events) || ((sta & PCI_EXP_SLTSTA_DLLSC) && (ctl & PCI_EXP_SLTCTL_DLLSCE));
    bool now = pending && (ctl & PCI_EXP_SLTCTL_HPIE);

    if (now && !rp->hp_asserted) {
        pci_msi_notify(p, 0);
    }
    rp->hp_asserted = now;
    pci_intx_set(p, now);
}

static bool slot_has_device(const RootPort *rp)
{
    return rp->bridge.bus.slots[0] != NULL;
}

static void slot_set_link(RootPort *rp, bool up)
{
    PciDevice *p = &rp->bridge.pci;
    uint8_t *reg = slot_reg(p, PCI_EXP_LNKSTA);
    uint16_t old = load_le16(reg);
    uint16_t now = (uint16_t)(up ? old | PCI_EXP_LNKSTA_DLLLA : old & ~PCI_EXP_LNKSTA_DLLLA);

    store_le16(reg, now);
    rp->bridge.bus.off = !up;
    if (now != old) {
        uint8_t *sta = slot_reg(p, PCI_EXP_SLTSTA);
        store_le16(sta, load_le16(sta) | PCI_EXP_SLTSTA_DLLSC);
    }
}

static bool slot_powered(RootPort *rp)
{
    return !rp->hotplug ||
           !(load_le16(slot_reg(&rp->bridge.pci, PCI_EXP_SLTCTL)) & PCI_EXP_SLTCTL_PCC);
}

void pcie_slot_changed(PciBus *bus, bool present)
{
    RootPort *rp = (RootPort *)bus->bridge;
    PciDevice *p = bus->bridge;

    if (!pci_is_root_port(p)) {
        return;
    }
    uint8_t *reg = slot_reg(p, PCI_EXP_SLTSTA);
    uint16_t sta = load_le16(reg);

    sta = (uint16_t)(present ? sta | PCI_EXP_SLTSTA_PDS : sta & ~PCI_EXP_SLTSTA_PDS);
    /* Drivers listen to the button, not to presence, where there is one: adding a device presses
     * it. */
    store_le16(reg, sta | PCI_EXP_SLTSTA_PDC | (present && rp->hotplug ? PCI_EXP_SLTSTA_ABP : 0));
    slot_set_link(rp, present && slot_powered(rp));
    slot_sync(rp);
}

bool pcie_slot_unplug_request(PciBus *bus, PciDevice *p, Error *err)
{
    RootPort *rp = (RootPort *)bus->bridge;
    uint8_t *sta = slot_reg(bus->bridge, PCI_EXP_SLTSTA);

    if (!rp->hotplug) {
        return error_set(err, "device_del %s: slot '%s' has hotplug=off", p->dev.id, bus->name);
    }
    if (p->devfn != 0) {
        return error_set(err, "device_del %s: only function 0 of a slot can be taken out",
                         p->dev.id);
    }
    p->unplugging = true;
    store_le16(sta, load_le16(sta) | PCI_EXP_SLTSTA_ABP);
    slot_sync(rp);
    return true;
}

/* The guest cut the power of a slot whose device was asked out: all its functions go. */
static void slot_power_cut(RootPort *rp)
{
    PciBus *bus = &rp->bridge.bus;

    if (!bus->slots[0] || !bus->slots[0]->unplugging) {
        return;
    }
    for (unsigned i = 256; i-- > 0;) {
        if (bus->slots[i]) {
            device_unrealize(&bus->slots[i]->dev);
        }
    }
}

/* ---- root port */

bool pci_is_root_port(const PciDevice *p)
{
    return p->dev.cls == &pcie_root_port_class;
}

static bool root_port_realize(PciDevice *p, Error *err)
{
    RootPort *rp = (RootPort *)p;

    pci_bridge_init(&rp->bridge, err);
    rp->bridge.bus.one_slot = true;
    rp->bridge.bus.off = true;
    pcie_cap_add(p, PCI_EXP_TYPE_ROOT_PORT);

    uint8_t *c = p->config + p->pcie_cap, *w = p->wmask + p->pcie_cap;
    store_le16(c + PCI_EXP_FLAGS, load_le16(c + PCI_EXP_FLAGS) | PCI_EXP_FLAGS_SLOT);
    store_le32(c + PCI_EXP_LNKCAP,
               load_le32(c + PCI_EXP_LNKCAP) | PCI_EXP_LNKCAP_DLLLARC | (rp->port & 0xff) << 24);
    store_le32(c + PCI_EXP_SLTCAP, (rp->slot & 0x1fff) << 19 | PCI_EXP_SLTCAP_NCCS |
                                       (rp->hotplug ? PCI_EXP_SLTCAP_ABP | PCI_EXP_SLTCAP_PCP |
                                                          PCI_EXP_SLTCAP_PIP | PCI_EXP_SLTCAP_HPC
                                                    : 0));
    store_le16(w + PCI_EXP_SLTCTL, PCI_EXP_SLTCTL_ABPE | PCI_EXP_SLTCTL_PDCE | PCI_EXP_SLTCTL_HPIE |
                                       PCI_EXP_SLTCTL_PIC | PCI_EXP_SLTCTL_PCC |
                                       PCI_EXP_SLTCTL_DLLSCE);
    store_le16(p->w1c + p->pcie_cap + PCI_EXP_SLTSTA,
               PCI_EXP_SLTSTA_ABP | PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC);
    store_le16(w + PCI_EXP_RTCTL, 0x000f);
    pcie_aer_add(p);

    unsigned acs = pci_add_ext_cap(p, PCI_EXT_CAP_ID_ACS, 1, 8);
    uint16_t acs_bits = PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF;
    store_le16(p->config + acs + PCI_ACS_CAP, acs_bits);
    store_le16(p->wmask + acs + PCI_ACS_CTRL, acs_bits);
    return true;
}

static void root_port_unrealize(PciDevice *p)
{
    RootPort *rp = (RootPort *)p;

    for (unsigned i = 256; i-- > 0;) {
        if (rp->bridge.bus.slots[i]) {
            device_unrealize(&rp->bridge.bus.slots[i]->dev);
        }
    }
    pci_bridge_free(&rp->bridge);
}

static void root_port_reset(PciDevice *p, ResetPhase phase)
{
    RootPort *rp = (RootPort *)p;

    if (phase == RESET_ENTER) {
        bool present = slot_has_device(rp);
        bridge_reset(&rp->bridge);
        rp->hp_asserted = false;
        store_le16(slot_reg(p, PCI_EXP_SLTCTL),
                   present || !rp->hotplug ? PCI_EXP_SLTCTL_PWR_IND_ON
                                           : PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PCC);
        store_le16(slot_reg(p, PCI_EXP_SLTSTA), present ? PCI_EXP_SLTSTA_PDS : 0);
        slot_set_link(rp, present);
        store_le16(slot_reg(p, PCI_EXP_SLTSTA), present ? PCI_EXP_SLTSTA_PDS : 0);
    }
}

static void root_port_config_written(PciDevice *p, unsigned offset, unsigned bytes)
{
    RootPort *rp = (RootPort *)p;

    if (offset < 0x40) {
        if (pci_range_touches(offset, bytes, PCI_BRIDGE_CONTROL, 2) &&
            load_le16(p->config + PCI_BRIDGE_CONTROL) & PCI_BRIDGE_CTL_BUS_RESET) {
            secondary_reset(&rp->bridge);
        }
        return;
    }
    if (pci_range_touches(offset, bytes, p->pcie_cap + PCI_EXP_SLTCTL, 4)) {
        bool powered = slot_powered(rp);
        slot_set_link(rp, powered && slot_has_device(rp));
        if (!powered) {
            slot_power_cut(rp);
        }
        slot_sync(rp);
    }
}

static void root_port_sync(PciDevice *p)
{
    RootPort *rp = (RootPort *)p;

    rp->bridge.bus.off = !(slot_powered(rp) && slot_has_device(rp));
    slot_sync(rp);
}

static const PciClass root_port_pci = {
    .vendor_id = 0x1b36,
    .device_id = 0x000c,
    .class_code = 0x060400,
    .bridge = true,
    .intx = true,
    .msi_vectors = 1,
    .realize = root_port_realize,
    .unrealize = root_port_unrealize,
    .reset = root_port_reset,
    .sync = root_port_sync,
    .config_written = root_port_config_written,
};

static const PropDesc root_port_props[] = {
    PCI_PROPS,
    {.name = "chassis", .kind = PROP_U32, PROP(RootPort, chassis), .help = "chassis number"},
    {.name = "slot", .kind = PROP_U32, PROP(RootPort, slot), .help = "slot number"},
    {.name = "port", .kind = PROP_U32, PROP(RootPort, port), .help = "port number of the link"},
    {.name = "hotplug",
     .kind = PROP_BOOL,
     PROP(RootPort, hotplug),
     .initial = "on",
     .help = "devices come and go while the guest runs"},
    {0},
};

static const StateDesc root_port_state[] = {
    PCI_STATE,
    {STATE_FIELD(STATE_BOOL, RootPort, hp_asserted)},
    {0},
};

const DeviceClass pcie_root_port_class = {
    .name = "pcie-root-port",
    .title = "PCI Express root port: a slot for one device, with hot-plug",
    .category = "bridge",
    .bytes = sizeof(RootPort),
    PCI_DEVICE_HOOKS,
    .bus_class = &root_port_pci,
    .props = root_port_props,
    .state = root_port_state,
};
