/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fan-in and fan-out of pins, for boards: pins "in" [0..63] and "out" of or-irq, "in" and "out" [0..63]
 * of split-irq. */
#ifndef GEMEL_HW_GATES_H
#define GEMEL_HW_GATES_H

#include "core/device.h"

extern const DeviceClass or_irq_class, split_irq_class;

#endif
