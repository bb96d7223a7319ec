/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware configuration device: named items that firmware reads (and a few that it writes)
 * through a selector, a data and a DMA register.
 */
#ifndef GEMEL_HW_FW_CFG_H
#define GEMEL_HW_FW_CFG_H

#include "core/device.h"

extern const DeviceClass fw_cfg_class;

enum {
    FW_CFG_SIGNATURE = 0x00, FW_CFG_ID = 0x01, FW_CFG_UUID = 0x02, FW_CFG_RAM_SIZE = 0x03,
    FW_CFG_NOGRAPHIC = 0x04, FW_CFG_NB_CPUS = 0x05, FW_CFG_KERNEL_ADDR = 0x07,
    FW_CFG_KERNEL_SIZE = 0x08, FW_CFG_INITRD_ADDR = 0x0a, FW_CFG_INITRD_SIZE = 0x0b,
    FW_CFG_BOOT_MENU = 0x0e, FW_CFG_MAX_CPUS = 0x0f, FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12, FW_CFG_CMDLINE_ADDR = 0x13, FW_CFG_CMDLINE_SIZE = 0x14,
    FW_CFG_CMDLINE_DATA = 0x15, FW_CFG_FILE_DIR = 0x19, FW_CFG_FILE_FIRST = 0x20,
    FW_CFG_FILE_NAME_BYTES = 56, FW_CFG_MAX_FILES = 96
};

/* All before the machine starts; the bytes are copied. A second call with the same key or name
 * replaces the item. */
void fw_cfg_add(Device *d, uint16_t key, const void *data, size_t bytes);
void fw_cfg_add_u16(Device *d, uint16_t key, uint16_t v);
void fw_cfg_add_u32(Device *d, uint16_t key, uint32_t v);
/* A file of the directory: "etc/..." or "opt/...". false: directory full or name too long. */
bool fw_cfg_add_file(Device *d, const char *name, const void *data, size_t bytes, Error *err);
/* A file that the guest may write (ramfb, vmgenid): `written` runs after each DMA write into it,
 * machine lock held; data is the whole file. */
typedef void FwCfgWritten(void *opaque, const uint8_t *data, size_t bytes);
bool fw_cfg_add_writable(Device *d, const char *name, const void *data, size_t bytes,
                         FwCfgWritten *written, void *opaque, Error *err);
/* The machine's fw_cfg device; NULL: the board has none. */
Device *fw_cfg_of(Machine *m);

#endif
