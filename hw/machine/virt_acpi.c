/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virt board's ACPI tables. Sources: ACPI 6.4; Arm SBBR; IORT, DBG2, SPCR documents named at
 * their functions; PCI Firmware Specification 3.2. Devices describe themselves in the DSDT; what
 * belongs to the whole machine stands here.
 */
#include "hw/acpi.h"
#include "hw/aml.h"
#include "hw/intc/gic_common.h"
#include "hw/machine/virt.h"
#include "hw/pci.h"

enum { GSI_SPI_FIRST = 32, GSI_PPI_FIRST = 16, PCI_SLOTS = 32, PCI_PINS = 4, NO_ADDRESS = 0 };

/* ---- DSDT */

static void dsdt_cpus(Board *b, Aml *a)
{
    char name[8];

    for (unsigned i = 0; i < b->machine->n_cpus; i++) {
        g_snprintf(name, sizeof name, "C%03X", i);
        aml_device(a, name);
        aml_name_string(a, "_HID", "ACPI0007");
        aml_name_int(a, "_UID", i);
        aml_end(a);
    }
}

static void dsdt_virtio(Board *b, Aml *a)
{
    for (unsigned i = 0; i < VIRT_N_VIRTIO; i++) {
        aml_device_mmio_irq(a, b->virtio[i],
                            &(AmlMmioDevice){.name = "VR%X", .hid = "LNRO0005", .coherent = true});
    }
}

/* Interrupt links: a routing table may name global interrupts itself, but then their polarity is
 * left to the guest's default. */
static void dsdt_links(const PcieHostConfig *c, Aml *a)
{
    char name[8];

    for (unsigned i = 0; i < PCI_PINS; i++) {
        g_snprintf(name, sizeof name, "GSI%u", i);
        aml_device(a, name);
        aml_name_string(a, "_HID", "PNP0C0F");
        aml_name_int(a, "_UID", i);
        for (unsigned k = 0; k < 2; k++) {
            aml_name(a, k ? "_CRS" : "_PRS");
            aml_template(a);
            aml_interrupt(a, GSI_SPI_FIRST + c->spi[i], false);
            aml_end(a);
        }
        aml_method(a, "_SRS", 1, false);
        aml_end(a);
        aml_end(a);
    }
}

/* Pin p of slot s goes to interrupt (s + p) mod 4, as the host swizzles. */
static void dsdt_routes(Aml *a)
{
    char name[8];

    aml_name(a, "_PRT");
    aml_package(a, PCI_SLOTS * PCI_PINS);
    for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
        for (unsigned pin = 0; pin < PCI_PINS; pin++) {
            g_snprintf(name, sizeof name, "GSI%u", (slot + pin) % PCI_PINS);
            aml_package(a, 4);
            aml_int(a, slot << 16 | 0xffff);
            aml_int(a, pin);
            aml_path(a, name);
            aml_int(a, 0);
            aml_end(a);
        }
    }
    aml_end(a);
}

/* _OSC of a PCI Express root: grants hot-plug, SHPC, PME, AER and capability control (PCI Firmware
 * Specification 3.2, 4.5.1 "_OSC Interface for PCI Host Bridge Devices"). */
static void dsdt_osc(Aml *a)
{
    static const struct {
        const char *name;
        uint8_t offset;
    } fields[] = {{"CDW1", 0}, {"CDW2", 4}, {"CDW3", 8}};

    aml_method(a, "_OSC", 4, true);
    for (unsigned i = 0; i < 3; i++) {
        aml_create_dword_field(a);
        aml_arg(a, 3);
        aml_int(a, fields[i].offset);
        aml_path(a, fields[i].name);
    }
    aml_if(a); /* Arg0 is the UUID of PCI host bridges */
    aml_lequal(a);
    aml_arg(a, 0);
    aml_uuid(a, "33db4d5b-1ff7-401c-9657-7441c03dd766");
    aml_and(a);
    aml_path(a, "CDW3");
    aml_int(a, 0x1f);
    aml_local(a, 0);
    aml_if(a); /* unknown revision */
    aml_lnot(a);
    aml_lequal(a);
    aml_arg(a, 1);
    aml_int(a, 1);
    aml_or(a);
    aml_path(a, "CDW1");
    aml_int(a, 8);
    aml_path(a, "CDW1");
    aml_end(a);
    aml_if(a); /* something was masked */
    aml_lnot(a);
    aml_lequal(a);
    aml_path(a, "CDW3");
    aml_local(a, 0);
    aml_or(a);
    aml_path(a, "CDW1");
    aml_int(a, 0x10);
    aml_path(a, "CDW1");
    aml_end(a);
    aml_store(a);
    aml_local(a, 0);
    aml_path(a, "CDW3");
    aml_end(a);
    aml_else(a);
    aml_or(a);
    aml_path(a, "CDW1");
    aml_int(a, 4);
    aml_path(a, "CDW1");
    aml_end(a);
    aml_return(a);
    aml_arg(a, 3);
    aml_end(a);
}

static void dsdt_pci(Board *b, Aml *a)
{
    const PcieHostConfig *c = pcie_host_config(b->pcie);
    uint16_t buses = (uint16_t)(c->ecam.bytes >> 20);

    dsdt_links(c, a);
    aml_device(a, "PCI0");
    aml_name_string(a, "_HID", "PNP0A08");
    aml_name_string(a, "_CID", "PNP0A03");
    aml_name_int(a, "_SEG", 0);
    aml_name_int(a, "_BBN", 0);
    aml_name_int(a, "_UID", 0);
    aml_name_int(a, "_CCA", 1);
    dsdt_routes(a);
    aml_name(a, "_CRS");
    aml_template(a);
    aml_bus_numbers(a, 0, buses);
    aml_window(a, AML_RANGE_MEMORY, c->mem32.base, c->mem32.bytes, 0, false);
    aml_window(a, AML_RANGE_IO, 0, c->io.bytes, c->io.base, false);
    if (c->mem64.bytes) {
        aml_window(a, AML_RANGE_MEMORY, c->mem64.base, c->mem64.bytes, 0, false);
    }
    aml_end(a);
    dsdt_osc(a);
    aml_device(a, "RES0"); /* configuration space is taken */
    aml_name_string(a, "_HID", "PNP0C02");
    aml_name(a, "_CRS");
    aml_template(a);
    aml_memory64(a, c->ecam.base, c->ecam.bytes);
    aml_end(a);
    aml_end(a);
    aml_end(a);
}

static uint32_t write_dsdt(Board *b, AcpiTables *t)
{
    Aml *a = aml_new();
    size_t bytes;

    aml_scope(a, "\\_SB");
    dsdt_cpus(b, a);
    for (Device *d = b->machine->devices; d; d = d->next) {
        if (d->cls->acpi) {
            d->cls->acpi(d, a);
        }
    }
    dsdt_virtio(b, a);
    dsdt_pci(b, a);
    aml_end(a);
    uint32_t offset = acpi_begin(t, "DSDT", 2);
    const uint8_t *data = aml_data(a, &bytes);
    acpi_put(t, data, bytes);
    acpi_hide(t);
    acpi_end(t);
    aml_free(a);
    return offset;
}

/* ---- fixed tables */

static void zero_to(AcpiTables *t, uint32_t length)
{
    acpi_zero(t, length - acpi_length(t));
}

/* 5.2.9 "Fixed ACPI Description Table": hardware-reduced, PSCI. */
static void write_fadt(Board *b, AcpiTables *t, uint32_t dsdt)
{
    acpi_begin(t, "FACP", 6);
    zero_to(t, 112);
    acpi_put32(t, 1u << 20); /* HW_REDUCED_ACPI */
    zero_to(t, 129);
    acpi_put16(t, b->psci == PSCI_NONE ? 0 : b->psci == PSCI_HVC ? 3 : 1);
    acpi_put8(t, 0); /* minor version */
    zero_to(t, 140);
    acpi_put_pointer(t, dsdt);
    zero_to(t, 268);
    acpi_put(t, "GEMEL\0\0\0", 8); /* hypervisor vendor */
    acpi_end(t);
}

static void madt_cpu(Board *b, AcpiTables *t, unsigned i)
{
    const VirtRange *p = b->place;
    bool v2 = b->gic_version == 2;

    acpi_put8(t, 0x0b); /* 5.2.12.14 "GIC CPU Interface (GICC) Structure" */
    acpi_put8(t, 80);
    acpi_put16(t, 0);
    acpi_put32(t, i); /* CPU interface */
    acpi_put32(t, i); /* _UID */
    acpi_put32(t, 1); /* enabled */
    acpi_put32(t, 0); /* parking protocol: none */
    acpi_put32(t, GSI_PPI_FIRST + VIRT_PPI_PMU);
    acpi_put64(t, 0);
    acpi_put64(t, v2 ? p[VIRT_GIC_CPU].base : NO_ADDRESS);
    acpi_put64(t, v2 && b->has_el2 ? p[VIRT_GIC_VCPU].base : NO_ADDRESS);
    acpi_put64(t, v2 && b->has_el2 ? p[VIRT_GIC_HYP].base : NO_ADDRESS);
    acpi_put32(t, b->has_el2 ? GIC_MAINTENANCE_INTID : 0);
    acpi_put64(t, NO_ADDRESS); /* redistributors: in ranges */
    acpi_put64(t, b->machine->cpus[i]->mpidr & 0xff00ffffffull);
    acpi_put32(t, 0);
}

static void madt_redistributors(AcpiTables *t, VirtRange r)
{
    acpi_put8(t, 0x0e); /* 5.2.12.17 "GIC Redistributor (GICR) Structure" */
    acpi_put8(t, 16);
    acpi_put16(t, 0);
    acpi_put64(t, r.base);
    acpi_put32(t, (uint32_t)r.bytes);
}

static void madt_msi(Board *b, AcpiTables *t)
{
    if (b->has_its) {
        acpi_put8(t, 0x0f); /* 5.2.12.18 "GIC Interrupt Translation Service (ITS) Structure" */
        acpi_put8(t, 20);
        acpi_put16(t, 0);
        acpi_put32(t, 0);
        acpi_put64(t, b->place[VIRT_GIC_ITS].base);
        acpi_put32(t, 0);
    } else if (b->has_v2m) {
        acpi_put8(t, 0x0d); /* 5.2.12.16 "GIC MSI Frame Structure" */
        acpi_put8(t, 24);
        acpi_put16(t, 0);
        acpi_put32(t, 0);
        acpi_put64(t, b->place[VIRT_GIC_V2M].base);
        acpi_put32(t, 1); /* count and base are those that follow */
        acpi_put16(t, VIRT_N_V2M);
        acpi_put16(t, GSI_SPI_FIRST + VIRT_SPI_V2M);
    }
}

static void write_madt(Board *b, AcpiTables *t)
{
    VirtRange low = b->place[VIRT_GIC_REDIST];

    acpi_begin(t, "APIC", 4);
    acpi_put32(t, 0);
    acpi_put32(t, 0);
    acpi_put8(t, 0x0c); /* 5.2.12.15 "GIC Distributor (GICD) Structure" */
    acpi_put8(t, 24);
    acpi_put16(t, 0);
    acpi_put32(t, 0);
    acpi_put64(t, b->place[VIRT_GIC_DIST].base);
    acpi_put32(t, 0);
    acpi_put32(t, b->gic_version);
    for (unsigned i = 0; i < b->machine->n_cpus; i++) {
        madt_cpu(b, t, i);
    }
    if (b->gic_version == 3) {
        madt_redistributors(t, low);
        if (b->machine->n_cpus > low.bytes / VIRT_REDIST_BYTES) {
            madt_redistributors(t, b->place[VIRT_HIGH_REDIST]);
        }
    }
    madt_msi(b, t);
    acpi_end(t);
}

/* 5.2.25 "Generic Timer Description Table": level-sensitive, active high, always on. */
static void write_gtdt(Board *b, AcpiTables *t)
{
    static const uint8_t ppis[] = {VIRT_PPI_CNTPS, VIRT_PPI_CNTP, VIRT_PPI_CNTV, VIRT_PPI_CNTHP};
    enum { ALWAYS_ON = 4 };

    acpi_begin(t, "GTDT", 3);
    acpi_put64(t, UINT64_MAX); /* no memory-mapped counter */
    acpi_put32(t, 0);
    for (unsigned i = 0; i < sizeof ppis; i++) {
        acpi_put32(t, GSI_PPI_FIRST + ppis[i]);
        acpi_put32(t, ALWAYS_ON);
    }
    acpi_put64(t, UINT64_MAX);
    acpi_put32(t, 0); /* platform timers */
    acpi_put32(t, 0);
    acpi_put32(t, b->has_el2 ? GSI_PPI_FIRST + VIRT_PPI_CNTHV : 0);
    acpi_put32(t, b->has_el2 ? ALWAYS_ON : 0);
    acpi_end(t);
}

/* PCI Firmware Specification 3.2, 4.1.2 "MCFG Table Description" */
static void write_mcfg(Board *b, AcpiTables *t)
{
    const PcieHostConfig *c = pcie_host_config(b->pcie);

    acpi_begin(t, "MCFG", 1);
    acpi_zero(t, 8);
    acpi_put64(t, c->ecam.base);
    acpi_put16(t, 0);
    acpi_put8(t, 0);
    acpi_put8(t, (uint8_t)((c->ecam.bytes >> 20) - 1));
    acpi_put32(t, 0);
    acpi_end(t);
}

/* Microsoft's "Serial Port Console Redirection Table", revision 2: a PL011. */
static void write_spcr(Board *b, AcpiTables *t)
{
    acpi_begin(t, "SPCR", 2);
    acpi_put32(t, 3); /* Arm PL011; three reserved bytes */
    acpi_put_gas(t, 32, b->place[VIRT_UART].base);
    acpi_put8(t, 8); /* through the GIC */
    acpi_put8(t, 0);
    acpi_put32(t, GSI_SPI_FIRST + VIRT_SPI_UART);
    acpi_put8(t, 7); /* 115200 baud */
    acpi_put8(t, 0);
    acpi_put8(t, 1); /* stop bit */
    acpi_put8(t, 2); /* RTS/CTS */
    acpi_put8(t, 0); /* VT100 */
    acpi_put8(t, 0);
    acpi_put32(t, 0xffffffff); /* no PCI device */
    zero_to(t, 80);
    acpi_end(t);
}

/* Microsoft's "Debug Port Table 2", one PL011. */
static void write_dbg2(Board *b, AcpiTables *t)
{
    enum { INFO_BYTES = 22, GAS_BYTES = 12, NAME_BYTES = 5 };

    acpi_begin(t, "DBG2", 0);
    acpi_put32(t, 44);
    acpi_put32(t, 1);
    acpi_put8(t, 0);
    acpi_put16(t, INFO_BYTES + GAS_BYTES + 4 + NAME_BYTES);
    acpi_put8(t, 1);
    acpi_put16(t, NAME_BYTES);
    acpi_put16(t, INFO_BYTES + GAS_BYTES + 4);
    acpi_put16(t, 0);
    acpi_put16(t, 0);
    acpi_put16(t, 0x8000); /* serial */
    acpi_put16(t, 3);      /* PL011 */
    acpi_put16(t, 0);
    acpi_put16(t, INFO_BYTES);
    acpi_put16(t, INFO_BYTES + GAS_BYTES);
    acpi_put_gas(t, 32, b->place[VIRT_UART].base);
    acpi_put32(t, (uint32_t)b->place[VIRT_UART].bytes);
    acpi_put(t, "COM0", NAME_BYTES);
    acpi_end(t);
}

/* DEN0049 "IO Remapping Table": requester ids of the root complex are DeviceIDs of the ITS. */
static void write_iort(Board *b, AcpiTables *t)
{
    enum { HEAD = 48, ITS_NODE = 24, ROOT_NODE = 36 };

    if (!b->has_its) {
        return;
    }
    acpi_begin(t, "IORT", 3);
    acpi_put32(t, 2);
    acpi_put32(t, HEAD);
    acpi_put32(t, 0);
    acpi_put8(t, 0); /* ITS group */
    acpi_put16(t, ITS_NODE);
    acpi_put8(t, 1);
    acpi_put32(t, 0);
    acpi_put32(t, 0);
    acpi_put32(t, 0);
    acpi_put32(t, 1);
    acpi_put32(t, 0);
    acpi_put8(t, 2); /* root complex */
    acpi_put16(t, ROOT_NODE + 20);
    acpi_put8(t, 3);
    acpi_put32(t, 1);
    acpi_put32(t, 1);
    acpi_put32(t, ROOT_NODE);
    acpi_put32(t, 1);        /* fully coherent */
    acpi_put32(t, 3u << 24); /* CPM, DACS */
    acpi_put32(t, 0);        /* no ATS */
    acpi_put32(t, 0);        /* segment */
    acpi_put32(t, 64);       /* memory address size */
    acpi_put32(t, 0);        /* mapping: input base, count - 1, output base, node */
    acpi_put32(t, 0xffff);
    acpi_put32(t, 0);
    acpi_put32(t, HEAD);
    acpi_put32(t, 0);
    acpi_end(t);
}

/* 5.2.30 "Processor Properties Topology Table": one package, a core for each CPU. */
static void write_pptt(Board *b, AcpiTables *t)
{
    enum { NODE_BYTES = 20, PACKAGE = 1, ID_VALID = 2, LEAF = 8 };

    acpi_begin(t, "PPTT", 2);
    uint32_t package = acpi_length(t);
    for (unsigned i = 0; i <= b->machine->n_cpus; i++) {
        acpi_put8(t, 0); /* processor hierarchy node */
        acpi_put8(t, NODE_BYTES);
        acpi_put16(t, 0);
        acpi_put32(t, i == 0 ? PACKAGE : ID_VALID | LEAF);
        acpi_put32(t, i == 0 ? 0 : package);
        acpi_put32(t, i == 0 ? 0 : i - 1);
        acpi_put32(t, 0); /* no caches told */
    }
    acpi_end(t);
}

bool virt_write_acpi(Board *b, Error *err)
{
    AcpiTables *t = acpi_new();

    uint32_t dsdt = write_dsdt(b, t);
    write_fadt(b, t, dsdt);
    write_madt(b, t);
    write_pptt(b, t);
    write_gtdt(b, t);
    write_mcfg(b, t);
    write_spcr(b, t);
    write_dbg2(b, t);
    write_iort(b, t);
    bool ok = acpi_finish(t, b->fw_cfg, err);
    acpi_free(t);
    return ok;
}
