/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small PCI devices on the virt board: watchdog and panic notifier, as their drivers use them.
 */
#include "hw/classes.h"
#include "hw/pci.h"
#include "tests/hw/board.h"

enum { BAR = 0x10000000, WDT = 0x60, LOCK = 0x68, RELOAD = 0x0c };

static TestBoard *rig(const DeviceClass *cls, PciDevice **pci)
{
    TestBoard *t = test_board_new("virt");
    Error err = {0};

    clock_set_manual(t->m);
    test_board_build(t);
    Device *d = device_new(t->m, cls, "dut");
    g_assert_true(device_realize(d, &err));
    machine_reset(t->m, CAUSE_NONE);
    *pci = (PciDevice *)d;
    pci_device_config_write(*pci, 0x10, 4, BAR);
    pci_device_config_write(*pci, 4, 2, 6);
    return t;
}

static void unlocked(TestBoard *t, unsigned offset, unsigned bytes, uint32_t v)
{
    test_write(t->m, 0, BAR + RELOAD, 2, 0x80);
    test_write(t->m, 0, BAR + RELOAD, 2, 0x86);
    test_write(t->m, 0, BAR + offset, bytes, v);
}

static void advance_ms(TestBoard *t, unsigned ms)
{
    machine_unlock(t->m);
    clock_advance(t->m, (int64_t)ms * 1000000, 100);
    machine_lock(t->m);
}

static void test_watchdog(void)
{
    PciDevice *p;
    TestBoard *t = rig(&i6300esb_class, &p);

    g_assert_cmphex(test_read32(t->m, BAR), ==, 0xfffff);
    test_write32(t->m, BAR, 100); /* locked: ignored */
    g_assert_cmphex(test_read32(t->m, BAR), ==, 0xfffff);
    unlocked(t, 0, 4, 100);
    unlocked(t, 4, 4, 200);
    g_assert_cmphex(test_read32(t->m, BAR), ==, 100);
    pci_device_config_write(p, LOCK, 1, 2);
    advance_ms(t, 250); /* first stage over, second not */
    g_assert_cmphex(test_read(t->m, 0, BAR + RELOAD, 2), ==, 0);
    unlocked(t, RELOAD, 2, 0x100); /* kept alive */
    advance_ms(t, 250);
    g_assert_cmphex(test_read(t->m, 0, BAR + RELOAD, 2), ==, 0);
    advance_ms(t, 60);
    g_assert_cmphex(test_read(t->m, 0, BAR + RELOAD, 2), ==, 0x200);
    /* the reset leaves the reason, and nothing else */
    machine_reset(t->m, CAUSE_GUEST_RESET);
    pci_device_config_write(p, 0x10, 4, BAR);
    pci_device_config_write(p, 4, 2, 6);
    g_assert_cmphex(test_read(t->m, 0, BAR + RELOAD, 2), ==, 0x200);
    g_assert_cmphex(pci_device_config_read(p, LOCK, 1), ==, 0);
    unlocked(t, RELOAD, 2, 0x200);
    g_assert_cmphex(test_read(t->m, 0, BAR + RELOAD, 2), ==, 0);
    /* locked on: cannot be turned off */
    pci_device_config_write(p, LOCK, 1, 3);
    pci_device_config_write(p, LOCK, 1, 0);
    g_assert_cmphex(pci_device_config_read(p, LOCK, 1), ==, 3);
    test_board_free(t);
}

static void test_pvpanic(void)
{
    PciDevice *p;
    TestBoard *t = rig(&pvpanic_class, &p);

    g_assert_cmphex(test_read(t->m, 0, BAR, 1), ==, 3);
    test_write(t->m, 0, BAR, 1, 2);
    test_write(t->m, 0, BAR, 1, 1);
    test_board_free(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/i6300esb", test_watchdog);
    g_test_add_func("/pvpanic", test_pvpanic);
    return g_test_run();
}
