/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of all device classes. One line a class, sorted by folder.
 */
#include "hw/devices.h"

#include <string.h>

#include "hw/arm.h"
#include "hw/classes.h"
#include "hw/fw_cfg.h"
#include "hw/gates.h"
#include "hw/ged.h"
#include "hw/loader.h"
#include "hw/pci.h"
#include "hw/usb.h"
#include "hw/virtio.h"

const DeviceClass *const hw_devices[] = {
    &virtio_blk_pci_class,
    &virtio_blk_device_class,
    &ged_class,
    &pl011_class,
    &ramfb_class,
    &virtio_gpu_pci_class,
    &virtio_gpu_device_class,
    &fw_cfg_class,
    &cfi01_class,
    &pl061_class,
    &gpio_key_class,
    &gicv2_class,
    &gicv2m_class,
    &gicv3_class,
    &gicv3_its_class,
    &pcie_host_class,
    &pcie_host_bridge_class,
    &pcie_root_port_class,
    &loader_class,
    &guest_loader_class,
    &pvpanic_class,
    &pl031_class,
    &virtio_mmio_class,
    &virtio_rng_pci_class,
    &virtio_rng_device_class,
    &virtio_serial_pci_class,
    &virtio_serial_device_class,
    &virtconsole_class,
    &virtserialport_class,
    &virtio_net_pci_class,
    &virtio_net_device_class,
    &virtio_balloon_pci_class,
    &virtio_balloon_device_class,
    &virtio_9p_pci_class,
    &virtio_9p_device_class,
    &virtio_keyboard_pci_class,
    &virtio_keyboard_device_class,
    &virtio_mouse_pci_class,
    &virtio_mouse_device_class,
    &virtio_tablet_pci_class,
    &virtio_tablet_device_class,
    &e1000e_class,
    &nvme_class,
    &xhci_class,
    &usb_kbd_class,
    &usb_mouse_class,
    &usb_tablet_class,
    &usb_storage_class,
    &usb_hub_class,
    &i6300esb_class,
    &or_irq_class,
    &split_irq_class,
    NULL,
};

const DeviceClass *hw_device_find(const char *name)
{
    for (const DeviceClass *const *c = hw_devices; *c; c++) {
        if (!strcmp((*c)->name, name) || ((*c)->alias && !strcmp((*c)->alias, name))) {
            return *c;
        }
    }
    return NULL;
}

bool hw_device_unplug(Device *d, Error *err)
{
    if (d->cls->bus == BUS_PCI) {
        return pci_unplug_request((PciDevice *)d, err);
    }
    if (d->cls->bus == BUS_USB || d->cls == &virtconsole_class || d->cls == &virtserialport_class) {
        device_unrealize(d);
        return true;
    }
    return error_set(err, "device_del %s: it cannot be taken out while the machine runs", d->id);
}
