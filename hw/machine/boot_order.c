/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The boot order for firmware: fw_cfg file "bootorder", one OpenFirmware path a line, the first to
 * boot first. Sources: IEEE 1275 (path syntax), PCI Bus Binding to IEEE 1275; which node names
 * firmware knows: edk2 OvmfPkg/Include/Library/QemuBootOrderLib.h.
 *
 * PCI devices with a bootindex are named; a disk is its first and only unit.
 */
#include "hw/fw_cfg.h"
#include "hw/machine/boot_order.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "core/machine.h"
#include "hw/pci.h"
#include "util/bits.h"

#define NO_INDEX UINT32_MAX

/* name@slot[,function] */
static void append_node(GString *s, const char *name, uint8_t devfn)
{
    g_string_append_printf(s, "/%s@%x", name, devfn >> 3);
    if (devfn & 7) {
        g_string_append_printf(s, ",%x", devfn & 7);
    }
}

static void append_bridges(GString *s, const PciBus *bus)
{
    if (bus->bridge) {
        append_bridges(s, bus->bridge->bus);
        append_node(s, "pci-bridge", bus->bridge->devfn);
    }
}

/* Names of nodes that firmware matches a device with; what is not here it does not boot from. */
static const struct Names {
    uint32_t class_code, mask;
    const char *node, *unit;
} names[] = {
    {0x010802, 0xffffff, "pci8086,5845", "namespace@1,0"}, /* NVMe */
    {0x010000, 0xff0000, "scsi", "disk@0,0"},
    {0x020000, 0xff0000, "ethernet", "ethernet-phy@0"},
};

static void append_device(GString *s, const PciDevice *p, uint64_t root_gpa)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((pci_class(p)->class_code & names[i].mask) == names[i].class_code) {
            g_string_append_printf(s, "/pci@%llx", (unsigned long long)root_gpa);
            append_bridges(s, p->bus);
            append_node(s, names[i].node, p->devfn);
            g_string_append_printf(s, "/%s\n", names[i].unit);
            return;
        }
    }
}

static int by_index(const void *a, const void *b)
{
    const PciDevice *x = *(PciDevice *const *)a, *y = *(PciDevice *const *)b;

    return x->bootindex < y->bootindex ? -1 : x->bootindex > y->bootindex;
}

bool boot_order_write(Machine *m, Device *fw_cfg, uint64_t root_gpa, Error *err)
{
    GPtrArray *found = g_ptr_array_new();
    GString *s = g_string_new(NULL);
    bool ok = true;

    for (Device *d = m->devices; d; d = d->next) {
        if (d->cls->bus == BUS_PCI && ((PciDevice *)d)->bootindex != NO_INDEX) {
            g_ptr_array_add(found, d);
        }
    }
    if (found->len) {
        qsort(found->pdata, found->len, sizeof found->pdata[0], by_index);
    }
    for (guint i = 0; i < found->len && ok; i++) {
        const PciDevice *p = found->pdata[i];
        if (i && ((PciDevice *)found->pdata[i - 1])->bootindex == p->bootindex) {
            ok = error_set(err, "-device %s,bootindex=%u: another device has this place",
                           p->dev.cls->name, p->bootindex);
        }
        append_device(s, p, root_gpa);
    }
    if (ok && s->len) {
        ok = fw_cfg_add_file(fw_cfg, "bootorder", s->str, s->len + 1, err);
    }
    g_string_free(s, TRUE);
    g_ptr_array_unref(found);
    return ok;
}

/* The value of key in "key=value,key=value", to its comma; NULL: not there. */
static const char *value_of(const char *list, const char *key)
{
    size_t n = strlen(key);

    for (const char *p = list; p; p = strchr(p, ',')) {
        p += *p == ',';
        if (!strncmp(p, key, n) && p[n] == '=') {
            return p + n + 1;
        }
    }
    return NULL;
}

bool boot_menu_write(Device *fw_cfg, const char *boot, Error *err)
{
    const char *menu = boot ? value_of(boot, "menu") : NULL;
    const char *wait = boot ? value_of(boot, "splash-time") : NULL;
    uint8_t wait_ms[2];

    fw_cfg_add_u16(fw_cfg, FW_CFG_BOOT_MENU, menu && !strncmp(menu, "on", 2));
    if (!wait) {
        return true;
    }
    unsigned long ms = strtoul(wait, NULL, 10);
    store_le16(wait_ms, ms < UINT16_MAX ? (uint16_t)ms : UINT16_MAX);
    return fw_cfg_add_file(fw_cfg, "etc/boot-menu-wait", wait_ms, sizeof wait_ms, err);
}
