/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI: configuration space, BARs, bridges, hot-plug, MSI-X, INTx, the host's device tree. */
#include "hw_rig.h"

#include "core/fdt.h"
#include "core/state.h"

static unsigned devfn_of(const Device *d)
{
    return ((const PciDevice *)d)->devfn;
}

static void test_host(void)
{
    HwRig *r = rig_new();

    rig_reset(r);
    g_assert_cmphex(rig_read(r, rig_cfg(0, 0, 0), 4), ==, 0x00081b36);
    g_assert_cmphex(rig_read(r, rig_cfg(0, 0, PCI_CLASS_REVISION), 4) >> 16, ==, 0x0600);
    g_assert_cmphex(rig_read(r, rig_cfg(0, 8, 0), 4), ==, 0xffffffff);
    g_assert_cmphex(rig_read(r, rig_cfg(5, 0, 0), 2), ==, 0xffff);
    rig_write(r, rig_cfg(5, 0, 4), 2, 7); /* nobody there */
    /* windows without a function answer with all ones */
    g_assert_cmphex(rig_read(r, RIG_MMIO + 0x1234, 4), ==, 0xffffffff);
    g_assert_cmphex(rig_read(r, RIG_MMIO64, 8), ==, UINT64_MAX);
    g_assert_cmphex(rig_read(r, RIG_PIO + 0x10, 1), ==, 0xff);
    rig_free(r);
}

static void test_config(void)
{
    HwRig *r = rig_new();
    unsigned fn = devfn_of(rig_add(r, "virtio-rng-pci", "addr=4.0"));

    rig_reset(r);
    g_assert_cmpuint(fn, ==, 0x20);
    g_assert_cmphex(rig_read(r, rig_cfg(0, fn, 0), 4), ==, 0x10441af4);
    rig_write(r, rig_cfg(0, fn, 0), 4, 0);
    g_assert_cmphex(rig_read(r, rig_cfg(0, fn, 0), 4), ==, 0x10441af4);
    rig_write(r, rig_cfg(0, fn, PCI_COMMAND), 2, 0xffff);
    g_assert_cmphex(rig_read(r, rig_cfg(0, fn, PCI_COMMAND), 2), ==, 0x0547);
    rig_write(r, rig_cfg(0, fn, PCI_INTERRUPT_LINE), 1, 0x5a);
    g_assert_cmphex(rig_read(r, rig_cfg(0, fn, PCI_INTERRUPT_LINE), 2), ==, 0x015a);
    /* byte writes keep their neighbours */
    rig_write(r, rig_cfg(0, fn, PCI_BASE_ADDRESS_1 + 3), 1, 0x20);
    g_assert_cmphex(rig_read(r, rig_cfg(0, fn, PCI_BASE_ADDRESS_1), 4), ==, 0x20000000);
    g_assert_cmpuint(rig_find_cap(r, 0, fn, PCI_CAP_ID_PM), !=, 0);
    unsigned exp = rig_find_cap(r, 0, fn, PCI_CAP_ID_EXP);
    g_assert_cmphex(rig_read(r, rig_cfg(0, fn, exp + PCI_EXP_FLAGS), 2) >> 4 & 0xf, ==,
                    PCI_EXP_TYPE_RC_END);
    /* function level reset clears the command register */
    uint64_t ctl = rig_read(r, rig_cfg(0, fn, exp + PCI_EXP_DEVCTL), 2);
    rig_write(r, rig_cfg(0, fn, exp + PCI_EXP_DEVCTL), 2, ctl | PCI_EXP_DEVCTL_BCR_FLR);
    g_assert_cmphex(rig_read(r, rig_cfg(0, fn, PCI_COMMAND), 2), ==, 0);
    rig_free(r);
}

static void test_bar(void)
{
    HwRig *r = rig_new();
    unsigned fn = devfn_of(rig_add(r, "virtio-rng-pci", NULL));

    rig_reset(r);
    uint64_t bar = rig_map_bar(r, 0, fn, 4);
    g_assert_cmphex(rig_read(r, bar + 20, 1), ==, 0xff); /* decode is off */
    rig_enable(r, 0, fn);
    g_assert_cmphex(rig_read(r, bar + 20, 1), ==, 0); /* device status */
    rig_write(r, bar + 20, 1, 1);
    g_assert_cmphex(rig_read(r, bar + 20, 1), ==, 1);
    /* moves above 4 GiB */
    rig_write(r, rig_cfg(0, fn, PCI_BASE_ADDRESS_5), 4, RIG_MMIO64 >> 32);
    rig_write(r, rig_cfg(0, fn, PCI_BASE_ADDRESS_4), 4, 0x4000);
    g_assert_cmphex(rig_read(r, bar + 20, 1), ==, 0xff);
    g_assert_cmphex(rig_read(r, RIG_MMIO64 + 0x4000 + 20, 1), ==, 1);
    rig_free(r);
}

static void test_msix(void)
{
    HwRig *r = rig_new();
    PciDevice *p = (PciDevice *)rig_add(r, "virtio-rng-pci", "addr=7");
    unsigned cap;

    rig_reset(r);
    pci_msix_notify(p, 0);
    g_assert_cmpuint(r->n_msis, ==, 0);
    uint64_t table = rig_enable_msix(r, 0, p->devfn);
    cap = rig_find_cap(r, 0, p->devfn, PCI_CAP_ID_MSIX);
    pci_msix_notify(p, 1);
    g_assert_cmpuint(r->n_msis, ==, 1);
    g_assert_cmphex(r->msis[0].data, ==, 0x101);
    g_assert_cmphex(r->msis[0].offset, ==, 0x40);
    g_assert_cmphex(r->msis[0].requester, ==, 7 << 3);
    /* masked: pends, and is sent when unmasked */
    rig_write(r, table + 12, 4, 1);
    pci_msix_notify(p, 0);
    g_assert_cmpuint(r->n_msis, ==, 1);
    g_assert_cmphex(rig_read(r, table + 0x800, 8), ==, 1);
    rig_write(r, table + 12, 4, 0);
    g_assert_cmpuint(r->n_msis, ==, 2);
    g_assert_cmphex(rig_read(r, table + 0x800, 8), ==, 0);
    /* function mask */
    rig_write(r, rig_cfg(0, p->devfn, cap + 2), 2, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
    pci_msix_notify(p, 1);
    g_assert_cmpuint(r->n_msis, ==, 2);
    rig_write(r, rig_cfg(0, p->devfn, cap + 2), 2, PCI_MSIX_FLAGS_ENABLE);
    g_assert_cmpuint(r->n_msis, ==, 3);
    /* no such vector; no bus master */
    pci_msix_notify(p, 99);
    rig_write(r, rig_cfg(0, p->devfn, PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
    pci_msix_notify(p, 1);
    g_assert_cmpuint(r->n_msis, ==, 3);
    rig_free(r);
}

static void test_intx(void)
{
    HwRig *r = rig_new();
    PciDevice *a = (PciDevice *)rig_add(r, "virtio-rng-pci", "addr=1");
    PciDevice *b = (PciDevice *)rig_add(r, "virtio-rng-pci", "addr=5");

    rig_reset(r);
    pci_intx_set(a, true);
    pci_intx_set(b, true);
    g_assert_true(r->intx[1] && !r->intx[0] && !r->intx[2]);
    pci_intx_set(a, false);
    g_assert_true(r->intx[1]);
    g_assert_true(rig_read(r, rig_cfg(0, b->devfn, PCI_STATUS), 2) & PCI_STATUS_INTERRUPT);
    rig_write(r, rig_cfg(0, b->devfn, PCI_COMMAND), 2, PCI_COMMAND_INTX_DISABLE);
    g_assert_false(r->intx[1]);
    rig_write(r, rig_cfg(0, b->devfn, PCI_COMMAND), 2, 0);
    g_assert_true(r->intx[1]);
    rig_reset(r);
    g_assert_false(r->intx[1]);
    rig_free(r);
}

static void bridge_setup(HwRig *r, unsigned fn, unsigned bus)
{
    rig_write(r, rig_cfg(0, fn, PCI_PRIMARY_BUS), 4, bus << 16 | bus << 8);
    rig_write(r, rig_cfg(0, fn, PCI_MEMORY_BASE), 4, 0x11f01100 | 0); /* 0x11000000..0x11ffffff */
    rig_enable(r, 0, fn);
}

static void test_bridge(void)
{
    HwRig *r = rig_new();
    Device *port = rig_add(r, "pcie-root-port", "addr=2,slot=3");
    g_autofree char *props = g_strdup_printf("bus=%s", port->id);
    PciDevice *p = (PciDevice *)rig_add(r, "virtio-rng-pci", props);

    rig_reset(r);
    g_assert_cmpuint(p->devfn, ==, 0);
    g_assert_cmphex(rig_read(r, rig_cfg(1, 0, 0), 4), ==, 0xffffffff);
    bridge_setup(r, 0x10, 1);
    g_assert_cmphex(rig_read(r, rig_cfg(1, 0, 0), 4), ==, 0x10441af4);
    g_assert_cmphex(rig_read(r, rig_cfg(1, 8, 0), 4), ==, 0xffffffff);
    unsigned exp = rig_find_cap(r, 1, 0, PCI_CAP_ID_EXP);
    g_assert_cmphex(rig_read(r, rig_cfg(1, 0, exp + PCI_EXP_FLAGS), 2) >> 4 & 0xf, ==,
                    PCI_EXP_TYPE_ENDPOINT);
    r->next_bar = 0x11000000;
    uint64_t bar = rig_map_bar(r, 1, 0, 4);
    rig_enable(r, 1, 0);
    rig_write(r, bar + 20, 1, 1);
    g_assert_cmphex(rig_read(r, bar + 20, 1), ==, 1);
    rig_enable_msix(r, 1, 0);
    pci_msix_notify(p, 0);
    g_assert_cmphex(r->msis[0].requester, ==, 0x100);
    /* outside the window: not forwarded */
    rig_write(r, rig_cfg(0, 0x10, PCI_MEMORY_BASE), 4, 0x12f01200);
    g_assert_cmphex(rig_read(r, bar + 20, 1), ==, 0xff);
    /* swizzle: slot 0 behind slot 2: INTA becomes INTC */
    rig_write(r, rig_cfg(1, 0, rig_find_cap(r, 1, 0, PCI_CAP_ID_MSIX) + 2), 2, 0);
    pci_intx_set(p, true);
    g_assert_true(r->intx[2]);
    rig_free(r);
}

static void test_hotplug(void)
{
    HwRig *r = rig_new();
    Device *port = rig_add(r, "pcie-root-port", "addr=2");
    PciDevice *pp = (PciDevice *)port;
    Error err = {0};

    rig_reset(r);
    unsigned exp = rig_find_cap(r, 0, 0x10, PCI_CAP_ID_EXP);
    uint64_t ctl = rig_cfg(0, 0x10, exp + PCI_EXP_SLTCTL), sta = ctl + 2;
    bridge_setup(r, 0x10, 1);
    g_assert_cmphex(rig_read(r, sta, 2), ==, 0);
    rig_write(r, ctl, 2,
              PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_PDCE | PCI_EXP_SLTCTL_ABPE | PCI_EXP_SLTCTL_PCC);
    g_autofree char *props = g_strdup_printf("bus=%s", port->id);
    Device *d = rig_add(r, "virtio-rng-pci", props);
    g_assert_cmphex(rig_read(r, sta, 2), ==,
                    PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_PDS | PCI_EXP_SLTSTA_ABP);
    g_assert_true(r->intx[2]);
    g_assert_cmphex(rig_read(r, rig_cfg(1, 0, 0), 4), ==, 0xffffffff); /* no power yet */
    rig_write(r, sta, 2, PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_ABP);
    g_assert_false(r->intx[2]);
    rig_write(r, ctl, 2, PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_PDCE | PCI_EXP_SLTCTL_ABPE);
    g_assert_true(rig_read(r, sta, 2) & PCI_EXP_SLTSTA_DLLSC);
    g_assert_cmphex(rig_read(r, rig_cfg(1, 0, 0), 4), ==, 0x10441af4);
    /* out again */
    g_assert_true(pci_unplug_request((PciDevice *)d, &err));
    g_assert_true(rig_read(r, sta, 2) & PCI_EXP_SLTSTA_ABP);
    g_assert_true(r->intx[2]);
    rig_write(r, ctl, 2, PCI_EXP_SLTCTL_PCC);
    g_assert_null(((PciBridge *)pp)->bus.slots[0]);
    g_assert_false(rig_read(r, sta, 2) & PCI_EXP_SLTSTA_PDS);
    rig_free(r);
}

static void test_places(void)
{
    HwRig *r = rig_new();
    const DeviceClass *rng = hw_device_find("virtio-rng-pci");
    const char *const bad[] = {"addr=20", "addr=1.8", "addr=x", "addr=0", "bus=nope", "addr=3.1"};

    rig_add(r, "virtio-rng-pci", "addr=3");
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        Error err = {0};
        Device *d = device_new(r->m, rng, NULL);
        g_auto(GStrv) kv = g_strsplit(bad[i], "=", 2);
        g_assert_true(device_set(d, kv[0], kv[1], &err));
        g_assert_false(device_realize(d, &err));
        g_assert_true(error_is_set(&err));
        device_unrealize(d);
    }
    for (unsigned i = 0; i < 30; i++) {
        rig_add(r, "virtio-rng-pci", NULL);
    }
    Device *d = device_new(r->m, rng, NULL);
    Error err = {0};
    g_assert_false(device_realize(d, &err)); /* full */
    device_unrealize(d);
    rig_reset(r);
    rig_free(r);
}

static void test_fdt(void)
{
    HwRig *r = rig_new();
    Fdt *f = fdt_new();
    const void *blob;
    size_t bytes;
    Error err = {0};

    fdt_node(f, "/intc");
    fdt_label(f, "gic");
    fdt_node(f, "/intc/its");
    fdt_label(f, "its");
    pcie_host_class.fdt(r->host, f);
    virtio_mmio_class.fdt(r->slots[0], f);
    g_assert_true(fdt_finish(f, &blob, &bytes, &err));
    g_assert_nonnull(memmem(blob, bytes, "pci-host-ecam-generic", 21));
    g_assert_nonnull(memmem(blob, bytes, "virtio_mmio@a000000", 19));
    fdt_free(f);
    rig_free(r);
}

static bool buf_write(void *opaque, const void *buf, size_t bytes)
{
    g_byte_array_append(opaque, buf, (guint)bytes);
    return true;
}

static bool buf_read(void *opaque, void *buf, size_t bytes)
{
    GByteArray *a = opaque;

    if (bytes > a->len) {
        return false;
    }
    memcpy(buf, a->data, bytes);
    g_byte_array_remove_range(a, 0, (guint)bytes);
    return true;
}

static void test_state(void)
{
    HwRig *r = rig_new();
    PciDevice *p = (PciDevice *)rig_add(r, "virtio-rng-pci", "addr=7");
    GByteArray *a = g_byte_array_new();
    StateStream s = {.write = buf_write, .read = buf_read, .opaque = a};
    Error err = {0};

    rig_reset(r);
    uint64_t bar = rig_map_bar(r, 0, p->devfn, 4);
    rig_enable_msix(r, 0, p->devfn);
    rig_write(r, bar + 20, 1, 3);
    g_assert_true(state_save_device(&p->dev, &s));
    rig_reset(r);
    g_assert_cmphex(rig_read(r, bar + 20, 1), ==, 0xff);
    if (!state_load_device(&p->dev, &s, &err)) {
        g_error("%s", err.text);
    }
    g_assert_cmphex(rig_read(r, bar + 20, 1), ==, 3);
    pci_msix_notify(p, 1);
    g_assert_cmphex(r->msis[r->n_msis - 1].data, ==, 0x101);
    g_byte_array_free(a, TRUE);
    rig_free(r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pci/host", test_host);
    g_test_add_func("/pci/config", test_config);
    g_test_add_func("/pci/bar", test_bar);
    g_test_add_func("/pci/msix", test_msix);
    g_test_add_func("/pci/intx", test_intx);
    g_test_add_func("/pci/bridge", test_bridge);
    g_test_add_func("/pci/hotplug", test_hotplug);
    g_test_add_func("/pci/places", test_places);
    g_test_add_func("/pci/fdt", test_fdt);
    g_test_add_func("/pci/state", test_state);
    return g_test_run();
}
