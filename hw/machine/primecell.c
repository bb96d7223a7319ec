/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all Arm PrimeCells share: identification registers and the shape of their node.
 */
#include <string.h>

#include "core/fdt.h"
#include "hw/arm.h"
#include "hw/machine/arm_fdt.h"

uint64_t primecell_id(uint32_t part, unsigned revision, unsigned index)
{
    static const uint8_t cell_id[4] = {0x0d, 0xf0, 0x05, 0xb1};
    const uint8_t id[8] = {
        (uint8_t)part, /* PeriphID0 .. 3: part, designer 0x41 (Arm), revision, configuration */
        (uint8_t)((part >> 8 & 0xf) | 0x10),
        (uint8_t)(0x04 | revision << 4),
        0,
        cell_id[0],
        cell_id[1],
        cell_id[2],
        cell_id[3],
    };

    return id[index & 7];
}

void primecell_fdt(Device *d, Fdt *fdt, const PrimecellFdt *p)
{
    uint32_t clocks[4];
    size_t n = 0;

    for (const char *c = p->clocks; *c && n < 4; c += strlen(c) + 1) {
        clocks[n++] = fdt_phandle(fdt, "apb_clk");
    }
    fdt_node_unit(fdt, "/", p->node, d->base[0]);
    fdt_strings(fdt, "compatible", p->compatible);
    fdt_cells64(fdt, "reg", (uint64_t[]){d->base[0], d->mmio[0].bytes}, 2);
    arm_fdt_spi(fdt, d->spi[0], ARM_IRQ_LEVEL_HIGH);
    fdt_cells(fdt, "clocks", clocks, n);
    fdt_strings(fdt, "clock-names", p->clocks);
}
