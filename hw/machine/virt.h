/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virt board, private to hw/machine. */
#ifndef GEMEL_HW_MACHINE_VIRT_H
#define GEMEL_HW_MACHINE_VIRT_H

#include "core/fdt.h"
#include "hw/loader.h"
#include "hw/machine/boards.h"

/* Places of the memory map that firmware knows by heart. */
typedef enum VirtPlace {
    VIRT_FLASH0, VIRT_FLASH1, VIRT_GIC_DIST, VIRT_GIC_CPU, VIRT_GIC_V2M, VIRT_GIC_HYP,
    VIRT_GIC_VCPU, VIRT_GIC_ITS, VIRT_GIC_REDIST, VIRT_UART, VIRT_RTC, VIRT_FW_CFG, VIRT_GPIO,
    VIRT_UART_SECURE, VIRT_SMMU, VIRT_GED, VIRT_VIRTIO, VIRT_PLATFORM, VIRT_RAM_SECURE, VIRT_PCIE_MMIO,
    VIRT_PCIE_PIO, VIRT_PCIE_ECAM, VIRT_RAM, VIRT_HIGH_REDIST, VIRT_HIGH_ECAM, VIRT_HIGH_MMIO,
    VIRT_N_PLACES
} VirtPlace;

/* SPI numbers. */
enum {
    VIRT_SPI_UART = 1, VIRT_SPI_RTC = 2, VIRT_SPI_PCIE = 3, VIRT_SPI_GPIO = 7,
    VIRT_SPI_UART_SECURE = 8, VIRT_SPI_GED = 9, VIRT_SPI_VIRTIO = 16, VIRT_SPI_V2M = 48, VIRT_N_V2M = 64,
    VIRT_N_SPIS = 256, VIRT_N_VIRTIO = 32, VIRT_POWER_LINE = 3,
    VIRT_REDIST_BYTES = 0x20000
};

/* PPI numbers (INTID less 16). */
enum {
    VIRT_PPI_PMU = 7, VIRT_PPI_CNTHP = 10, VIRT_PPI_CNTV = 11, VIRT_PPI_CNTHV = 12,
    VIRT_PPI_CNTPS = 13, VIRT_PPI_CNTP = 14
};

typedef struct VirtRange {
    uint64_t base, bytes;
} VirtRange;

struct Board {
    Machine             *machine;
    const MachineConfig *config;
    VirtRange            place[VIRT_N_PLACES];
    unsigned             gic_version;
    bool                 has_its, has_v2m, has_el2, has_el3, highmem, acpi;
    PsciConduit          psci;
    MemRegion            ram;
    Device              *gic, *its, *v2m, *uart, *rtc, *gpio, *power_key, *ged, *fw_cfg, *pcie;
    Device              *flash[BOARD_MAX_FLASH];
    Device              *virtio[VIRT_N_VIRTIO];
    Fdt                 *fdt;
    Loader              *loader;  /* what each reset puts into RAM */
    MachineNotify        notify;
};

/* Does a firmware image run first? */
bool virt_has_firmware(const Board *b);

/* The whole tree, as blob owned by b->fdt; kernel's chosen node included. */
bool virt_write_fdt(Board *b, const LoadedKernel *kernel, const void **blob, size_t *bytes,
                    Error *err);

/* ACPI tables and SMBIOS as fw_cfg files. */
bool virt_write_acpi(Board *b, Error *err);
bool virt_write_smbios(Board *b, Error *err);

#endif
