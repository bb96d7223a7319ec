/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The boards of this folder. */
#ifndef GEMEL_HW_MACHINE_BOARDS_H
#define GEMEL_HW_MACHINE_BOARDS_H

#include "hw/machine.h"

extern const MachineDesc virt_machine;
extern const MachineDesc none_machine;

#endif
