/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ITS, private to this folder. Guarded by the lock of its GIC.
 */
#ifndef GEMEL_HW_INTC_GICV3_ITS_H
#define GEMEL_HW_INTC_GICV3_ITS_H

#include "hw/intc/gicv3/gicv3.h"

enum {
    ITS_DEVICE_BITS = 16, ITS_EVENT_BITS = 16, ITS_COLLECTION_BITS = 16,
    ITS_DTE_BYTES = 8, ITS_CTE_BYTES = 8, ITS_ITE_BYTES = 8,
    ITS_COMMAND_BYTES = 32
};

typedef enum ItsTable { ITS_DEVICES, ITS_COLLECTIONS, ITS_N_TABLES } ItsTable;

typedef struct Its {
    Device   dev;
    /* wiring */
    Device  *gic_device;
    GicV3   *gic;
    /* state */
    uint32_t ctlr;
    uint64_t cbaser, cwriter, creadr;
    uint64_t baser[ITS_N_TABLES];
} Its;

/* Runs commands from GITS_CREADR up to GITS_CWRITER. */
void its_run(Its *s);
/* An MSI: event `event` of device `device`. */
void its_translate(Its *s, uint32_t device, uint32_t event);

#endif
