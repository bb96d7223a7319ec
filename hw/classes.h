/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The classes that only the table in devices.c and their own files know. */
#ifndef GEMEL_HW_CLASSES_H
#define GEMEL_HW_CLASSES_H

#include "core/device.h"

extern const DeviceClass virtio_blk_pci_class, virtio_blk_device_class;
extern const DeviceClass ramfb_class;
extern const DeviceClass virtio_gpu_pci_class, virtio_gpu_device_class;
extern const DeviceClass virtio_rng_pci_class, virtio_rng_device_class;
extern const DeviceClass virtio_serial_pci_class, virtio_serial_device_class;
extern const DeviceClass virtconsole_class, virtserialport_class;
extern const DeviceClass virtio_net_pci_class, virtio_net_device_class;
extern const DeviceClass virtio_9p_pci_class, virtio_9p_device_class;
extern const DeviceClass virtio_balloon_pci_class, virtio_balloon_device_class;
extern const DeviceClass virtio_keyboard_pci_class, virtio_keyboard_device_class;
extern const DeviceClass virtio_mouse_pci_class, virtio_mouse_device_class;
extern const DeviceClass virtio_tablet_pci_class, virtio_tablet_device_class;
extern const DeviceClass pvpanic_class, i6300esb_class;
extern const DeviceClass nvme_class, e1000e_class;

#endif
