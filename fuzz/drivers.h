/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GEMEL_FUZZ_DRIVERS_H
#define GEMEL_FUZZ_DRIVERS_H

#include "fuzz/rig.h"

/* Sets the device up and gives it work; false: nothing is known about such a device. */
bool driver_start(Rig *r);

#endif
