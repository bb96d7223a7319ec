/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupts in device trees of Arm boards, as the GIC's binding writes them. */
#ifndef GEMEL_HW_MACHINE_ARM_FDT_H
#define GEMEL_HW_MACHINE_ARM_FDT_H

#include "core/fdt.h"

enum { ARM_IRQ_SPI = 0, ARM_IRQ_PPI = 1 };
enum { ARM_IRQ_EDGE_RISING = 1, ARM_IRQ_LEVEL_HIGH = 4 };

/* "interrupts" of one shared peripheral interrupt. */
static inline void arm_fdt_spi(Fdt *fdt, uint32_t spi, uint32_t flags)
{
    fdt_cells(fdt, "interrupts", (uint32_t[]){ARM_IRQ_SPI, spi, flags}, 3);
}

#endif
