/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The classes of Arm platform devices that boards place, and what boards call on them. */
#ifndef GEMEL_HW_ARM_H
#define GEMEL_HW_ARM_H

#include "core/device.h"

extern const DeviceClass pl011_class;
extern const DeviceClass pl031_class;
extern const DeviceClass pl061_class;
extern const DeviceClass gpio_key_class;
extern const DeviceClass cfi01_class;
extern const DeviceClass gicv2_class;
extern const DeviceClass gicv2m_class;
extern const DeviceClass gicv3_class;
extern const DeviceClass gicv3_its_class;

/* The identification registers of an Arm PrimeCell at 0xfe0 .. 0xffc, one byte a word: part number
 * (12 bits), designer 0x41, revision. For RegDesc.read. */
uint64_t primecell_id(uint32_t part, unsigned revision, unsigned index);

/* Names of a PrimeCell node as "arm,<part>\0arm,primecell\0", clocks and registers: the properties
 * all of them share. `clocks`: names of its clocks, all fed by the "apb_clk" phandle. */
struct Fdt;
typedef struct PrimecellFdt {
    const char *node;       /* "pl011" */
    const char *compatible; /* "arm,pl011\0arm,primecell\0" */
    const char *clocks;     /* "uartclk\0apb_pclk\0" */
} PrimecellFdt;
void primecell_fdt(Device *d, struct Fdt *fdt, const PrimecellFdt *p);

/* A gpio-key: its output goes high and after 100 ms low again. Machine lock held. */
void gpio_key_press(Device *d);

#endif
