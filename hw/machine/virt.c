/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The `virt` board: an Arm machine of no maker, made for guests that take their hardware from a
 * device tree or ACPI. Addresses and interrupt numbers are those that firmware for QEMU's board of
 * the same name has built in (edk2 ArmVirtQemu, U-Boot qemu_arm64, TF-A qemu).
 *
 * Not modelled: SMMUv3 (iommu=none), the platform bus, MTE tags, RAS error injection.
 */
#include <stdlib.h>
#include <string.h>

#include "core/block.h"
#include "core/chardev.h"
#include "hw/arm.h"
#include "hw/fw_cfg.h"
#include "hw/ged.h"
#include "hw/machine/boot_order.h"
#include "hw/machine/virt.h"
#include "hw/virtio.h"
#include "util/bits.h"

#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

enum { VIRTIO_STRIDE = 0x200, GICV2_CPUS = 8 };

static const VirtRange low_map[VIRT_N_PLACES] = {
    [VIRT_FLASH0] = {0x00000000, 64 * MIB},
    [VIRT_FLASH1] = {0x04000000, 64 * MIB},
    [VIRT_GIC_DIST] = {0x08000000, 64 * KIB},
    [VIRT_GIC_CPU] = {0x08010000, 64 * KIB},
    [VIRT_GIC_V2M] = {0x08020000, 4 * KIB},
    [VIRT_GIC_HYP] = {0x08030000, 64 * KIB},
    [VIRT_GIC_VCPU] = {0x08040000, 64 * KIB},
    [VIRT_GIC_ITS] = {0x08080000, 128 * KIB},
    [VIRT_GIC_REDIST] = {0x080a0000, 0x00f60000},
    [VIRT_UART] = {0x09000000, 4 * KIB},
    [VIRT_RTC] = {0x09010000, 4 * KIB},
    [VIRT_FW_CFG] = {0x09020000, 0x18},
    [VIRT_GPIO] = {0x09030000, 4 * KIB},
    [VIRT_UART_SECURE] = {0x09040000, 4 * KIB},
    [VIRT_SMMU] = {0x09050000, 128 * KIB},
    [VIRT_GED] = {0x09080000, 4},
    [VIRT_VIRTIO] = {0x0a000000, VIRTIO_STRIDE *VIRT_N_VIRTIO},
    [VIRT_PLATFORM] = {0x0c000000, 32 * MIB},
    [VIRT_RAM_SECURE] = {0x0e000000, 16 * MIB},
    [VIRT_PCIE_MMIO] = {0x10000000, 0x2eff0000},
    [VIRT_PCIE_PIO] = {0x3eff0000, 64 * KIB},
    [VIRT_PCIE_ECAM] = {0x3f000000, 16 * MIB},
    [VIRT_RAM] = {0x40000000, 0},
    [VIRT_HIGH_REDIST] = {0, 64 * MIB},
    [VIRT_HIGH_ECAM] = {0, 256 * MIB},
    [VIRT_HIGH_MMIO] = {0, 512 * GIB},
};

static const MachineOption virt_options[] = {
    {"gic-version", MACHINE_OPTION_ENUM, NULL, "2|3|max|host",
     "interrupt controller; 2, with more than 8 CPUs 3"},
    {"virtualization", MACHINE_OPTION_BOOL, "off", NULL, "EL2 for guests that are hypervisors"},
    {"secure", MACHINE_OPTION_BOOL, "off", NULL, "EL3 and Secure state"},
    {"highmem", MACHINE_OPTION_BOOL, "on", NULL, "ECAM and PCI memory above 4 GiB"},
    {"its", MACHINE_OPTION_BOOL, "on", NULL, "ITS for MSIs (GICv3)"},
    {"acpi", MACHINE_OPTION_ENUM, "on", "on|off|auto", "ACPI tables for UEFI firmware"},
    {"iommu", MACHINE_OPTION_ENUM, "none", "none", "none"},
    {"dtb-randomness", MACHINE_OPTION_BOOL, "on", NULL, "seeds for the kernel in the device tree"},
    {"dtb-kaslr-seed", MACHINE_OPTION_BOOL, "on", NULL, "older name of dtb-randomness"},
    {"dumpdtb", MACHINE_OPTION_TEXT, NULL, NULL, "write the device tree to this file and end"},
    {"ras", MACHINE_OPTION_ENUM, "off", "off", "off"},
    {"mte", MACHINE_OPTION_ENUM, "off", "off", "off"},
    {"usb", MACHINE_OPTION_ENUM, "off", "off", "off; -device qemu-xhci gives a USB controller"},
    {"graphics", MACHINE_OPTION_BOOL, "on", NULL, "taken, without effect"},
    {NULL}};

/* ---- the map */

/* Above RAM, but not below 256 GiB; each aligned to its size. */
static void place_high(Board *b)
{
    VirtRange *p = b->place;
    uint64_t at = align_up(p[VIRT_RAM].base + p[VIRT_RAM].bytes, GIB);

    at = at < 256 * GIB ? 256 * GIB : at;
    for (VirtPlace i = VIRT_HIGH_REDIST; i <= VIRT_HIGH_MMIO; i++) {
        p[i].base = align_up(at, p[i].bytes);
        at = p[i].base + p[i].bytes;
    }
}

static bool choose(Board *b, Error *err)
{
    const MachineConfig *c = b->config;
    const char *gic = machine_option(c, "gic-version");
    const char *acpi = machine_option(c, "acpi");

    b->gic_version = gic ? (gic[0] == '2' ? 2 : 3) : c->n_cpus > GICV2_CPUS ? 3 : 2;
    b->has_el2 = machine_option_on(c, "virtualization");
    b->has_el3 = machine_option_on(c, "secure");
    b->highmem = machine_option_on(c, "highmem");
    b->has_its = b->gic_version == 3 && machine_option_on(c, "its");
    b->has_v2m = b->gic_version == 2;
    b->acpi = strcmp(acpi, "off") && !c->no_acpi;
    b->psci = b->has_el3 && virt_has_firmware(b) ? PSCI_NONE : b->has_el2 ? PSCI_SMC : PSCI_HVC;
    memcpy(b->place, low_map, sizeof low_map);
    b->place[VIRT_RAM].bytes = c->ram_bytes;
    place_high(b);
    if (b->gic_version == 2 && c->n_cpus > GICV2_CPUS) {
        return error_set(err, "-M virt,gic-version=2: at most %d CPUs; use gic-version=3 for %u",
                         GICV2_CPUS, c->n_cpus);
    }
    if (!b->highmem && c->ram_bytes > 3 * GIB) {
        return error_set(err, "-M virt,highmem=off: RAM ends at 4 GiB, so -m takes 3 GiB at most");
    }
    if (c->ram_bytes == 0) {
        return error_set(err, "-m 0: virt needs RAM");
    }
    if (b->has_el3) {
        return error_set(err, "-M virt,secure=on: EL3 is not there yet; use secure=off");
    }
    return true;
}

bool virt_has_firmware(const Board *b)
{
    return b->config->bios || b->config->flash[0];
}

/* ---- parts */

/* Creates, realizes and maps a device with one bank and one interrupt. */
static Device *place(Board *b, const DeviceClass *cls, const char *id, uint64_t base, uint32_t spi)
{
    Device *d = device_new(b->machine, cls, id);

    d->spi[0] = spi;
    d->base[0] = base;
    return d;
}

static bool finish_device(Board *b, Device *d, Error *err)
{
    uint64_t base = d->base[0];
    uint32_t spi = d->spi[0];

    if (!device_realize(d, err)) {
        return false;
    }
    device_map(d, 0, base);
    if (spi) {
        device_connect(d, "irq", 0, device_pin_in(b->gic, "spi", spi));
    }
    return true;
}

static bool add_ram(Board *b, Error *err)
{
    Machine *m = b->machine;

    if (!mem_region_init_ram(&b->ram, m, "mach-virt.ram", b->config->ram_bytes, err)) {
        return false;
    }
    mem_begin(m);
    mem_add(&m->system, b->place[VIRT_RAM].base, &b->ram, 0);
    mem_commit(m);
    return true;
}

/* Affinities: clusters as large as an SGI can address at once. */
static bool add_cpus(Board *b, Error *err)
{
    const MachineConfig *c = b->config;
    unsigned cluster = b->gic_version == 2 ? GICV2_CPUS : 16;

    for (unsigned i = 0; i < c->n_cpus; i++) {
        uint64_t mpidr = i / cluster << 8 | i % cluster;
        if (!c->add_cpu(c->opaque, mpidr, i > 0 && b->psci != PSCI_NONE, err)) {
            return false;
        }
    }
    if (c->set_psci) {
        c->set_psci(c->opaque, b->psci);
    }
    return true;
}

static void set_number(Device *d, const char *key, uint64_t value)
{
    char text[24];

    g_snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    bool ok = device_set(d, key, text, NULL);
    g_assert(ok);
}

static void set_flag(Device *d, const char *key, bool value)
{
    bool ok = device_set(d, key, value ? "on" : "off", NULL);
    g_assert(ok);
}

static void connect_cpu(Board *b, unsigned i)
{
    static const struct {
        uint8_t out, ppi;
    } timers[] = {
        {CPU_OUT_CNTP, VIRT_PPI_CNTP},   {CPU_OUT_CNTV, VIRT_PPI_CNTV},
        {CPU_OUT_CNTHP, VIRT_PPI_CNTHP}, {CPU_OUT_CNTPS, VIRT_PPI_CNTPS},
        {CPU_OUT_CNTHV, VIRT_PPI_CNTHV}, {CPU_OUT_PMU, VIRT_PPI_PMU},
    };
    CpuPort *cpu = b->machine->cpus[i];

    device_connect(b->gic, "irq", i, cpu_pin(cpu, CPU_LINE_IRQ));
    device_connect(b->gic, "fiq", i, cpu_pin(cpu, CPU_LINE_FIQ));
    device_connect(b->gic, "virq", i, cpu_pin(cpu, CPU_LINE_VIRQ));
    device_connect(b->gic, "vfiq", i, cpu_pin(cpu, CPU_LINE_VFIQ));
    for (size_t t = 0; t < sizeof timers / sizeof timers[0]; t++) {
        pin_connect(&cpu->out[timers[t].out], device_pin_in(b->gic, "ppi", i * 16 + timers[t].ppi));
    }
}

static bool add_gicv2(Board *b, Error *err)
{
    const VirtRange *p = b->place;

    b->gic = device_new(b->machine, &gicv2_class, "gic");
    set_number(b->gic, "cpus", b->config->n_cpus);
    set_number(b->gic, "spis", VIRT_N_SPIS);
    set_flag(b->gic, "security", b->has_el3);
    set_flag(b->gic, "virtualization", b->has_el2);
    if (!device_realize(b->gic, err)) {
        return false;
    }
    device_map(b->gic, 0, p[VIRT_GIC_DIST].base);
    device_map(b->gic, 1, p[VIRT_GIC_CPU].base);
    if (b->has_el2) {
        device_map(b->gic, 2, p[VIRT_GIC_HYP].base);
        device_map(b->gic, 3, p[VIRT_GIC_VCPU].base);
    }
    b->v2m = device_new(b->machine, &gicv2m_class, "v2m");
    set_number(b->v2m, "first-spi", VIRT_SPI_V2M);
    set_number(b->v2m, "spis", VIRT_N_V2M);
    if (!device_realize(b->v2m, err)) {
        return false;
    }
    device_map(b->v2m, 0, p[VIRT_GIC_V2M].base);
    for (unsigned i = 0; i < VIRT_N_V2M; i++) {
        device_connect(b->v2m, "spi", i, device_pin_in(b->gic, "spi", VIRT_SPI_V2M + i));
    }
    return true;
}

static bool add_gicv3(Board *b, Error *err)
{
    const VirtRange *p = b->place;
    unsigned low = (unsigned)(p[VIRT_GIC_REDIST].bytes / VIRT_REDIST_BYTES);

    b->gic = device_new(b->machine, &gicv3_class, "gic");
    set_number(b->gic, "cpus", b->config->n_cpus);
    set_number(b->gic, "spis", VIRT_N_SPIS);
    set_number(b->gic, "first-region-cpus", low);
    set_flag(b->gic, "virtualization", b->has_el2);
    set_flag(b->gic, "lpis", b->has_its);
    if (!device_realize(b->gic, err)) {
        return false;
    }
    device_map(b->gic, 0, p[VIRT_GIC_DIST].base);
    device_map(b->gic, 1, p[VIRT_GIC_REDIST].base);
    if (b->config->n_cpus > low) {
        device_map(b->gic, 2, p[VIRT_HIGH_REDIST].base);
    }
    if (!b->has_its) {
        return true;
    }
    b->its = device_new(b->machine, &gicv3_its_class, "its");
    if (!device_set(b->its, "gic", "gic", err) || !device_realize(b->its, err)) {
        return false;
    }
    device_map(b->its, 0, p[VIRT_GIC_ITS].base);
    return true;
}

static bool add_gic(Board *b, Error *err)
{
    if (!(b->gic_version == 2 ? add_gicv2(b, err) : add_gicv3(b, err))) {
        return false;
    }
    for (unsigned i = 0; i < b->machine->n_cpus; i++) {
        connect_cpu(b, i);
    }
    return true;
}

static bool add_platform(Board *b, Error *err)
{
    const VirtRange *p = b->place;
    Chardev *serial = b->config->serial[0];

    b->uart = place(b, &pl011_class, "uart0", p[VIRT_UART].base, VIRT_SPI_UART);
    if (serial && !device_set(b->uart, "chardev", serial->id, err)) {
        return false;
    }
    b->rtc = place(b, &pl031_class, "rtc", p[VIRT_RTC].base, VIRT_SPI_RTC);
    b->gpio = place(b, &pl061_class, "gpio", p[VIRT_GPIO].base, VIRT_SPI_GPIO);
    b->ged = place(b, &ged_class, "ged", p[VIRT_GED].base, VIRT_SPI_GED);
    if (!finish_device(b, b->uart, err) || !finish_device(b, b->rtc, err) ||
        !finish_device(b, b->gpio, err) || !finish_device(b, b->ged, err)) {
        return false;
    }
    b->power_key = device_new(b->machine, &gpio_key_class, "power-key");
    set_number(b->power_key, "line", VIRT_POWER_LINE);
    if (!device_set(b->power_key, "gpio", "gpio", err) || !device_realize(b->power_key, err)) {
        return false;
    }
    device_connect(b->power_key, "out", 0, device_pin_in(b->gpio, "in", VIRT_POWER_LINE));
    return true;
}

static bool add_virtio_slots(Board *b, Error *err)
{
    for (unsigned i = 0; i < VIRT_N_VIRTIO; i++) {
        char id[32];
        g_snprintf(id, sizeof id, "virtio-mmio-bus.%u", i);
        b->virtio[i] = place(b, &virtio_mmio_class, id,
                             b->place[VIRT_VIRTIO].base + i * VIRTIO_STRIDE, VIRT_SPI_VIRTIO + i);
        if (!finish_device(b, b->virtio[i], err)) {
            return false;
        }
    }
    return true;
}

static bool add_pcie(Board *b, Error *err)
{
    const VirtRange *p = b->place;
    VirtRange ecam = p[b->highmem ? VIRT_HIGH_ECAM : VIRT_PCIE_ECAM];
    PcieHostConfig config = {
        .ecam = {ecam.base, ecam.bytes},
        .mem32 = {p[VIRT_PCIE_MMIO].base, p[VIRT_PCIE_MMIO].bytes},
        .io = {p[VIRT_PCIE_PIO].base, p[VIRT_PCIE_PIO].bytes},
        .gic = "gic",
        .gic_address_cells = 2,
        .msi = b->has_its   ? "its"
               : b->has_v2m ? "v2m"
                            : NULL,
    };

    if (b->highmem) {
        config.mem64 = (PcieWindow){p[VIRT_HIGH_MMIO].base, p[VIRT_HIGH_MMIO].bytes};
    }
    for (unsigned i = 0; i < 4; i++) {
        config.spi[i] = VIRT_SPI_PCIE + i;
    }
    b->pcie = device_new(b->machine, &pcie_host_class, "pcie");
    pcie_host_configure(b->pcie, &config);
    if (!device_realize(b->pcie, err)) {
        return false;
    }
    for (unsigned i = 0; i < 4; i++) {
        device_connect(b->pcie, "intx", i, device_pin_in(b->gic, "spi", VIRT_SPI_PCIE + i));
    }
    return true;
}

static bool add_flash(Board *b, Error *err)
{
    static const char *const ids[BOARD_MAX_FLASH] = {"flash0", "flash1"};

    for (unsigned i = 0; i < BOARD_MAX_FLASH; i++) {
        VirtRange r = b->place[VIRT_FLASH0 + i];
        Device *d = b->flash[i] = device_new(b->machine, &cfi01_class, ids[i]);
        set_number(d, "size", r.bytes);
        if (b->config->flash[i] && !device_set(d, "drive", b->config->flash[i]->name, err)) {
            return false;
        }
        if (i == 0 && b->config->bios && !device_set(d, "file", b->config->bios, err)) {
            return false;
        }
        if (!device_realize(d, err)) {
            return false;
        }
        device_map(d, 0, r.base);
    }
    return true;
}

static bool add_fw_cfg(Board *b, Error *err)
{
    b->fw_cfg = place(b, &fw_cfg_class, "fw_cfg", b->place[VIRT_FW_CFG].base, 0);
    if (!finish_device(b, b->fw_cfg, err)) {
        return false;
    }
    fw_cfg_add_u16(b->fw_cfg, FW_CFG_NB_CPUS, (uint16_t)b->config->n_cpus);
    fw_cfg_add_u16(b->fw_cfg, FW_CFG_MAX_CPUS, (uint16_t)b->config->n_cpus);
    fw_cfg_add(b->fw_cfg, FW_CFG_UUID, b->config->uuid, sizeof b->config->uuid);
    return true;
}

/* ---- events of the machine */

static void on_powerdown(MachineNotify *n)
{
    Board *b = n->opaque;

    gpio_key_press(b->power_key); /* what a guest of the tree hears */
    ged_raise(b->ged, GED_POWER_BUTTON);
}

static void on_reset(MachineNotify *n, ShutdownCause cause)
{
    (void)cause;
    loader_reset(((Board *)n->opaque)->loader);
}

/* ---- the board */

static void virt_free(Board *b)
{
    if (b) {
        machine_notify_remove(b->machine, &b->notify);
        if (b->ram.ram) {
            mem_region_destroy(b->machine, &b->ram);
        }
        fdt_free(b->fdt);
        loader_free(b->loader);
        free(b);
    }
}

static bool virt_build(Machine *m, const MachineConfig *config, Board **board, Error *err)
{
    Board *b = calloc(1, sizeof *b);

    *board = b;
    if (!b) {
        return error_set_errno(err, "-M virt");
    }
    b->machine = m;
    b->config = config;
    b->loader = loader_new(m);
    b->notify = (MachineNotify){.powerdown = on_powerdown, .reset = on_reset, .opaque = b};
    machine_notify_add(m, &b->notify);
    if (choose(b, err) && add_ram(b, err) && add_cpus(b, err) && add_gic(b, err) &&
        add_platform(b, err) && add_flash(b, err) && add_fw_cfg(b, err) &&
        add_virtio_slots(b, err) && add_pcie(b, err)) {
        return true;
    }
    virt_free(b);
    *board = NULL;
    return false;
}

static bool write_file(const char *path, const void *data, size_t bytes, Error *err)
{
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(data, 1, bytes, f) == bytes;

    ok = f && fclose(f) == 0 && ok;
    return ok || error_set_errno(err, "-M virt,dumpdtb=%s", path);
}

/* Kernel, initial RAM disk and command line, for firmware that boots them itself. */
static bool offer_kernel(Board *b, Error *err)
{
    const MachineConfig *c = b->config;
    uint8_t *data;
    size_t bytes;

    if (!c->kernel) {
        return true;
    }
    if (!loader_read_kernel(c->kernel, &data, &bytes, err)) {
        return false;
    }
    fw_cfg_add_u32(b->fw_cfg, FW_CFG_KERNEL_SIZE, (uint32_t)bytes);
    fw_cfg_add(b->fw_cfg, FW_CFG_KERNEL_DATA, data, bytes);
    free(data);
    if (c->initrd) {
        if (!loader_read_file("-initrd", c->initrd, UINT32_MAX, &data, &bytes, err)) {
            return false;
        }
        fw_cfg_add_u32(b->fw_cfg, FW_CFG_INITRD_SIZE, (uint32_t)bytes);
        fw_cfg_add(b->fw_cfg, FW_CFG_INITRD_DATA, data, bytes);
        free(data);
    }
    if (c->append) {
        fw_cfg_add_u32(b->fw_cfg, FW_CFG_CMDLINE_SIZE, (uint32_t)strlen(c->append) + 1);
        fw_cfg_add(b->fw_cfg, FW_CFG_CMDLINE_DATA, c->append, strlen(c->append) + 1);
    }
    return true;
}

/* Firmware at 0 with the tree at the start of RAM. */
static bool finish_firmware(Board *b, Error *err)
{
    return offer_kernel(b, err) && virt_write_smbios(b, err) &&
           boot_menu_write(b->fw_cfg, b->config->boot, err) &&
           boot_order_write(b->machine, b->fw_cfg, pcie_host_config(b->pcie)->ecam.base, err) &&
           (!b->acpi || virt_write_acpi(b, err));
}

static bool virt_finish(Board *b, Error *err)
{
    const MachineConfig *c = b->config;
    const char *dump = machine_option(c, "dumpdtb");
    bool firmware = virt_has_firmware(b);
    LoadedKernel kernel = {.entry = b->place[VIRT_FLASH0].base, .dtb = b->place[VIRT_RAM].base};
    KernelRequest request = {c->kernel, c->initrd, b->place[VIRT_RAM].base, c->ram_bytes};
    const void *blob;
    size_t bytes;

    if (firmware) {
        if (!finish_firmware(b, err)) {
            return false;
        }
    } else if (c->kernel && !loader_add_arm64_kernel(b->loader, &request, &kernel, err)) {
        return false;
    }
    if (!loader_add_devices(b->loader, c, err)) {
        return false;
    }
    if (!virt_write_fdt(b, firmware ? NULL : &kernel, &blob, &bytes, err)) {
        return false;
    }
    if (dump) {
        return write_file(dump, blob, bytes, err);
    }
    if (!loader_add(b->loader, "device tree", kernel.dtb, blob, bytes, err)) {
        return false;
    }
    for (unsigned i = 0; i < b->machine->n_cpus && c->set_entry; i++) {
        c->set_entry(c->opaque, i, kernel.entry, firmware ? 0 : kernel.dtb, !firmware);
    }
    loader_enter_devices(b->machine, c);
    return true;
}

const MachineDesc virt_machine = {
    .name = "virt",
    .aliases = "virt-2.12\0virt-3.0\0virt-3.1\0virt-4.0\0virt-4.1\0virt-4.2\0virt-5.0\0virt-5.1\0"
               "virt-5.2\0virt-6.0\0virt-6.1\0virt-6.2\0virt-7.0\0virt-7.1\0virt-7.2\0virt-8.0\0"
               "virt-8.1\0virt-8.2\0virt-9.0\0virt-9.1\0virt-9.2\0virt-10.0\0",
    .title = "Arm machine for virtual use",
    .isa = "aarch64",
    .default_cpu = "max",
    .default_ram_bytes = 512 * MIB,
    .max_cpus = MACHINE_MAX_CPUS,
    .default_nic = "virtio-net-pci",
    .default_disk = "virtio-blk-pci",
    .options = virt_options,
    .build = virt_build,
    .finish = virt_finish,
    .free = virt_free,
};
