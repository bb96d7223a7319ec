/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generic event device of ACPI machines. */
#ifndef GEMEL_HW_GED_H
#define GEMEL_HW_GED_H

#include "core/device.h"

extern const DeviceClass ged_class;

enum { GED_POWER_BUTTON = 1 };

/* Tells the guest of events (GED_*). Machine lock held. */
void ged_raise(Device *d, uint32_t events);

#endif
