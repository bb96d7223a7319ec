/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virt board's device tree: what belongs to no device. Devices write their own nodes.
 * Source: Devicetree Specification v0.4; Linux Documentation/devicetree/bindings.
 */
#include <stdlib.h>
#include <string.h>

#include "hw/machine/arm_fdt.h"
#include "hw/machine/virt.h"

enum { APB_CLOCK_HZ = 24000000, MAX_DTB_BYTES = 1 << 20 };
enum { PSCI_CPU_SUSPEND = 0xc4000001u, PSCI_CPU_OFF = 0x84000002u, PSCI_CPU_ON = 0xc4000003u };

static void write_root(Board *b, Fdt *f)
{
    (void)b;
    fdt_node(f, "/");
    fdt_string(f, "compatible", "linux,dummy-virt");
    fdt_string(f, "model", "linux,dummy-virt");
    fdt_u32(f, "#address-cells", 2);
    fdt_u32(f, "#size-cells", 2);
    fdt_u32(f, "interrupt-parent", fdt_phandle(f, "gic"));

    fdt_node(f, "/apb-pclk");
    fdt_string(f, "compatible", "fixed-clock");
    fdt_u32(f, "#clock-cells", 0);
    fdt_u32(f, "clock-frequency", APB_CLOCK_HZ);
    fdt_string(f, "clock-output-names", "clk24mhz");
    fdt_label(f, "apb_clk");
}

static void write_psci(Board *b, Fdt *f)
{
    if (b->psci == PSCI_NONE) {
        return;
    }
    fdt_node(f, "/psci");
    fdt_strings(f, "compatible", "arm,psci-1.0\0arm,psci-0.2\0arm,psci\0");
    fdt_string(f, "method", b->psci == PSCI_HVC ? "hvc" : "smc");
    fdt_u32(f, "cpu_suspend", PSCI_CPU_SUSPEND);
    fdt_u32(f, "cpu_off", PSCI_CPU_OFF);
    fdt_u32(f, "cpu_on", PSCI_CPU_ON);
}

static void cpu_name(char name[16], unsigned i)
{
    g_snprintf(name, 16, "cpu.%u", i);
}

static void write_cpus(Board *b, Fdt *f)
{
    const char *model = b->config->cpu_model ? b->config->cpu_model : b->config->desc->default_cpu;
    char compatible[64], path[64], label[16];

    g_snprintf(compatible, sizeof compatible, "arm,%s",
               strcmp(model, "max") && strcmp(model, "host") ? model : "armv8");
    fdt_node(f, "/cpus");
    fdt_u32(f, "#address-cells", 1);
    fdt_u32(f, "#size-cells", 0);
    for (unsigned i = 0; i < b->machine->n_cpus; i++) {
        uint64_t mpidr = b->machine->cpus[i]->mpidr;
        fdt_node_unit(f, "/cpus", "cpu", mpidr);
        fdt_string(f, "device_type", "cpu");
        fdt_string(f, "compatible", compatible);
        fdt_u32(f, "reg", (uint32_t)mpidr & 0xffffff);
        if (b->machine->n_cpus > 1 && b->psci != PSCI_NONE) {
            fdt_string(f, "enable-method", "psci");
        }
        cpu_name(label, i);
        fdt_label(f, label);
    }
    for (unsigned i = 0; i < b->machine->n_cpus; i++) {
        g_snprintf(path, sizeof path, "/cpus/cpu-map/socket0/cluster0/core%u", i);
        fdt_node(f, path);
        cpu_name(label, i);
        fdt_u32(f, "cpu", fdt_phandle(f, label));
    }
}

/* Flags of a PPI: level high, and for GICv2 the CPUs it goes to. */
static uint32_t ppi_flags(const Board *b)
{
    unsigned n = b->machine->n_cpus < 8 ? b->machine->n_cpus : 8;

    return ARM_IRQ_LEVEL_HIGH | (b->gic_version == 2 ? ((1u << n) - 1) << 8 : 0);
}

static void write_timer(Board *b, Fdt *f)
{
    static const uint32_t ppis[] = {VIRT_PPI_CNTPS, VIRT_PPI_CNTP, VIRT_PPI_CNTV, VIRT_PPI_CNTHP,
                                    VIRT_PPI_CNTHV};
    uint32_t cells[3 * 5];
    unsigned n = b->has_el2 ? 5 : 4; /* the fifth comes with VHE */

    for (unsigned i = 0; i < n; i++) {
        cells[3 * i] = ARM_IRQ_PPI;
        cells[3 * i + 1] = ppis[i];
        cells[3 * i + 2] = ppi_flags(b);
    }
    fdt_node(f, "/timer");
    fdt_strings(f, "compatible", "arm,armv8-timer\0arm,armv7-timer\0");
    fdt_flag(f, "always-on");
    fdt_cells(f, "interrupts", cells, 3u * n);

    fdt_node(f, "/pmu");
    fdt_string(f, "compatible", "arm,armv8-pmuv3");
    fdt_cells(f, "interrupts", (uint32_t[]){ARM_IRQ_PPI, VIRT_PPI_PMU, ppi_flags(b)}, 3);
}

static void write_memory(Board *b, Fdt *f)
{
    fdt_node_unit(f, "/", "memory", b->place[VIRT_RAM].base);
    fdt_string(f, "device_type", "memory");
    fdt_cells64(f, "reg", (uint64_t[]){b->place[VIRT_RAM].base, b->config->ram_bytes}, 2);
}

/* One node for both banks, as firmware expects. */
static void write_flash(Board *b, Fdt *f)
{
    const VirtRange *p = b->place;

    if (!b->flash[0]) {
        return;
    }
    fdt_node_unit(f, "/", "flash", p[VIRT_FLASH0].base);
    fdt_string(f, "compatible", "cfi-flash");
    fdt_cells64(f, "reg",
                (uint64_t[]){p[VIRT_FLASH0].base, p[VIRT_FLASH0].bytes, p[VIRT_FLASH1].base,
                             p[VIRT_FLASH1].bytes},
                4);
    fdt_u32(f, "bank-width", 4);
}

static void write_chosen(Board *b, Fdt *f, const LoadedKernel *k)
{
    char path[64];

    fdt_node(f, "/chosen");
    if (b->uart) {
        g_snprintf(path, sizeof path, "/pl011@%llx", (unsigned long long)b->uart->base[0]);
        fdt_string(f, "stdout-path", path);
    }
    if (b->config->append) {
        fdt_string(f, "bootargs", b->config->append);
    }
    if (k && k->initrd_bytes) {
        fdt_u64(f, "linux,initrd-start", k->initrd);
        fdt_u64(f, "linux,initrd-end", k->initrd + k->initrd_bytes);
    }
    if (machine_option_on(b->config, "dtb-randomness")) {
        uint8_t seed[32];
        machine_random(b->machine, seed, sizeof seed);
        fdt_bytes(f, "rng-seed", seed, sizeof seed);
        machine_random(b->machine, seed, 8);
        fdt_bytes(f, "kaslr-seed", seed, 8);
    }
    loader_describe_devices(b->machine, f);
}

static Fdt *given_tree(const char *path, Error *err)
{
    uint8_t *data;
    size_t bytes;

    if (!loader_read_file("-dtb", path, MAX_DTB_BYTES, &data, &bytes, err)) {
        return NULL;
    }
    Fdt *f = fdt_load(data, bytes, err);
    free(data);
    if (!f) {
        error_prepend(err, "-dtb %s", path);
    }
    return f;
}

bool virt_write_fdt(Board *b, const LoadedKernel *kernel, const void **blob, size_t *bytes,
                    Error *err)
{
    Fdt *f = b->config->dtb ? given_tree(b->config->dtb, err) : fdt_new();

    b->fdt = f;
    if (!f) {
        return false;
    }
    if (!b->config->dtb) {
        write_root(b, f);
        write_psci(b, f);
        write_memory(b, f);
        write_cpus(b, f);
        write_timer(b, f);
        write_flash(b, f);
        for (Device *d = b->machine->devices; d; d = d->next) {
            if (d->cls->fdt) {
                d->cls->fdt(d, f);
            }
        }
    }
    write_chosen(b, f, kernel);
    return fdt_finish(f, blob, bytes, err);
}
