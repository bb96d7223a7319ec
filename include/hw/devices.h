/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every device class there is, as one table (hw/devices.c): for -device, the fuzzer, `-device help`.
 * A new device is one line there.
 */
#ifndef GEMEL_HW_DEVICES_H
#define GEMEL_HW_DEVICES_H

#include "core/device.h"

/* Ended by NULL. */
extern const DeviceClass *const hw_devices[];

/* By name or alias; NULL: none. */
const DeviceClass *hw_device_find(const char *name);

/* device_del: asks the guest where the bus has a protocol for that (a PCIe slot), else takes the device
 * out at once (USB, ports of virtio-serial). false: its bus has no hot-plug. Machine lock held. */
bool hw_device_unplug(Device *d, Error *err);

#endif
