/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which classes offer a USB bus. */
#ifndef GEMEL_HW_USB_INTERNAL_H
#define GEMEL_HW_USB_INTERNAL_H

#include "hw/usb.h"

UsbBus *xhci_bus(Device *d);
UsbBus *usb_hub_bus(Device *d);

#endif
