/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of all device classes. One line a class, sorted by folder.
 */
#include "hw/devices.h"

#include <string.h>

const DeviceClass *const hw_devices[] = {
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
