/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The boot order for firmware. */
#ifndef GEMEL_HW_MACHINE_BOOT_ORDER_H
#define GEMEL_HW_MACHINE_BOOT_ORDER_H

#include "core/device.h"

/* Gives fw_cfg the order that properties bootindex ask for. root_gpa: address in the name of the PCI
 * root's node. false: two devices want the same place. */
bool boot_order_write(Machine *m, Device *fw_cfg, uint64_t root_gpa, Error *err);

/* What -boot says of the firmware's menu: menu=on, splash-time=MILLISECONDS. boot may be NULL. */
bool boot_menu_write(Device *fw_cfg, const char *boot, Error *err);

#endif
