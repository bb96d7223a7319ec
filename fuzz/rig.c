/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz/rig.h"

#include <glib.h>
#include <inttypes.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "hw/arm.h"
#include "hw/devices.h"
#include "hw/virtio.h"
#include "util/bits.h"

#define RIG_SINK 0x08020000ull
#define RIG_BANKS 0x20000000ull /* banks of system devices, 16 MiB apart */
#define RIG_BARS 0x10000000ull
#define RIG_SLOT 0x0a000000ull

enum { BANK_PITCH = 16 << 20, BAR_PITCH = 1 << 20 };

/* ---- back ends ---- */

static size_t chardev_take(Chardev *c, const uint8_t *buf, size_t bytes)
{
    Rig *r = (Rig *)((char *)c - offsetof(Rig, chardev));

    (void)buf;
    return rng_one_in(&r->rng, 4) ? bytes / 2 : bytes;
}

static const ChardevOps chardev_ops = {.write = chardev_take};

static bool net_take(NetPort *p, const struct iovec *iov, int n)
{
    Rig *r = p->opaque;
    volatile uint8_t sum = 0; /* touch every byte: the sanitizer looks */

    for (int i = 0; i < n; i++) {
        for (size_t k = 0; k < iov[i].iov_len; k++) {
            sum += ((uint8_t *)iov[i].iov_base)[k];
        }
    }
    return !rng_one_in(&r->rng, 8);
}

static const NetPortOps net_ops = {.receive = net_take};

void rig_send_frame(Rig *r)
{
    uint8_t frame[9000];
    size_t bytes = rng_below(&r->rng, rng_one_in(&r->rng, 4) ? sizeof frame : 200) + 1;

    for (size_t i = 0; i < bytes; i++) {
        frame[i] = (uint8_t)rng_next(&r->rng);
    }
    if (rng_one_in(&r->rng, 2)) {
        memset(frame, 0xff, MIN(bytes, 6));
    }
    net_send_buf(&r->net, frame, bytes);
    net_ready(&r->net);
}

void rig_send_bytes(Rig *r)
{
    uint8_t buf[64];

    for (size_t i = 0; i < sizeof buf; i++) {
        buf[i] = (uint8_t)rng_next(&r->rng);
    }
    chardev_deliver(&r->chardev, buf, rng_below(&r->rng, sizeof buf) + 1);
    if (rng_one_in(&r->rng, 8)) {
        chardev_event(&r->chardev, (ChardevEvent)rng_below(&r->rng, CHARDEV_BREAK + 1));
    }
    if (r->chardev.in_use && r->chardev.front.writable) {
        r->chardev.front.writable(r->chardev.front.opaque);
    }
}

static void window_update(DisplayListener *l, uint32_t x, uint32_t y, uint32_t w, uint32_t h)
{
    const Surface *s = console_surface(l->opaque);
    volatile uint8_t sum = 0; /* touch what is to be shown: the sanitizer looks */

    for (uint32_t row = y; s && row < y + h; row++) {
        const uint8_t *p = s->pixels + (size_t)row * s->stride_bytes;

        sum += p[x * pixel_bytes(s->format)] + p[(x + w) * pixel_bytes(s->format) - 1];
    }
}

void rig_send_input(Rig *r)
{
    Console *c = console_by_index(r->m, 0);

    if (c && !r->watching) {
        r->window = (DisplayListener){.update = window_update, .refresh_ms = 30, .opaque = c};
        console_listen(c, &r->window);
        r->watching = true;
    }
    if (c) {
        console_request_size(c, (uint32_t)rng_below(&r->rng, 2000),
                             (uint32_t)rng_below(&r->rng, 2000));
        console_refresh(c);
    }
    for (unsigned i = 0; i < 4; i++) {
        input_send_key(r->m, (uint16_t)rng_below(&r->rng, 768), rng_one_in(&r->rng, 2));
        input_send_button(r->m, (uint16_t)(0x110 + rng_below(&r->rng, 8)), rng_one_in(&r->rng, 2));
        input_send_rel(r->m, (InputAxis)rng_below(&r->rng, 4), (int32_t)rng_next(&r->rng));
        input_send_abs(r->m, (InputAxis)rng_below(&r->rng, 2), (int32_t)rng_next(&r->rng));
    }
    input_sync(r->m);
}

/* ---- the machine ---- */

static MemResult sink_read(void *opaque, uint64_t offset, unsigned bytes, uint64_t *value,
                           MemAttrs attrs)
{
    (void)opaque, (void)offset, (void)bytes, (void)attrs;
    *value = 0;
    return MEM_OK;
}

static MemResult sink_write(void *opaque, uint64_t offset, unsigned bytes, uint64_t value,
                            MemAttrs attrs)
{
    (void)opaque, (void)offset, (void)bytes, (void)value, (void)attrs;
    return MEM_OK;
}

static const MemIo sink_io = {.read = sink_read, .write = sink_write};

static void cpu_kick(CpuPort *p)
{
    (void)p;
}

static void must(bool ok, const Error *err)
{
    if (!ok) {
        g_error("%s", err->text);
    }
}

static void open_buses(Rig *r)
{
    static const PcieHostConfig config = {
        .ecam = {0x3f000000, 16 << 20},
        .mem32 = {RIG_BARS, 0x2eff0000},
        .mem64 = {0x8000000000, 0x8000000000},
        .io = {0x3eff0000, 0x10000},
        .spi = {3, 4, 5, 6},
        .gic = "gic",
        .gic_address_cells = 2,
        .msi = "its",
    };
    Error err = {""};

    r->pcie = device_new(r->m, &pcie_host_class, "pcie");
    pcie_host_configure(r->pcie, &config);
    must(device_realize(r->pcie, &err), &err);
    for (unsigned i = 0; i < RIG_SLOTS; i++) {
        r->slots[i] = device_new(r->m, &virtio_mmio_class, NULL);
        must(device_realize(r->slots[i], &err), &err);
        device_map(r->slots[i], 0, RIG_SLOT + 0x200 * i);
    }
}

void rig_open(Rig *r, uint64_t seed)
{
    Error err = {""};

    memset(r, 0, sizeof *r);
    r->rng.state = seed;
    r->m = machine_new("fuzz", &err);
    must(r->m != NULL, &err);
    clock_set_manual(r->m);
    machine_lock(r->m);
    must(mem_region_init_ram(&r->ram, r->m, "ram", RIG_RAM_BYTES, &err), &err);
    mem_region_init_io(&r->sink, "msi sink", 0x1000, &sink_io, r);
    mem_begin(r->m);
    mem_add(&r->m->system, RIG_RAM, &r->ram, 0);
    mem_add(&r->m->system, RIG_SINK, &r->sink, -1);
    mem_commit(r->m);
    for (unsigned i = 0; i < RIG_CPUS; i++) {
        r->cpus[i] = (CpuPort){.machine = r->m,
                               .index = i,
                               .mpidr = i,
                               .as = r->m->as,
                               .as_secure = r->m->as,
                               .kick = cpu_kick};
        r->m->cpus[r->m->n_cpus++] = &r->cpus[i];
    }
    r->disk = ram_disk_new(RIG_DISK_BYTES);
    must(machine_block_add(r->m, "disk", &r->disk->dev, &err), &err);
    r->chardev = (Chardev){.ops = &chardev_ops, .id = "chr"};
    chardev_add(r->m, &r->chardev);
    net_port_init(&r->net, r->m, "net", &net_ops, r);
    open_buses(r);
}

/* What a class may be told of one of its properties; NULL: leave it. */
static char *random_value(Rig *r, const PropDesc *p)
{
    static const uint64_t sizes[] = {0, 1, 512, 4096, 65536, 1 << 20, 64 << 20};
    unsigned n = 0;

    switch ((PropKind)p->kind) {
    case PROP_BLOCK: return g_strdup("disk");
    case PROP_CHARDEV: return g_strdup("chr");
    case PROP_NETDEV: return g_strdup("net");
    case PROP_BOOL: return g_strdup(rng_one_in(&r->rng, 2) ? "on" : "off");
    case PROP_ENUM:
        while (p->names[n]) {
            n++;
        }
        return g_strdup(p->names[rng_below(&r->rng, n)]);
    case PROP_U32: return g_strdup_printf("%u", (unsigned)rng_below(&r->rng, 9));
    case PROP_U64:
    case PROP_SIZE:
        return g_strdup_printf("%" PRIu64, sizes[rng_below(&r->rng, G_N_ELEMENTS(sizes))]);
    case PROP_LINK: return g_strdup(p->name); /* a companion has it as id */
    default: return NULL;
    }
}

/* What some classes need beside them. */
static void make_companion(Rig *r, const DeviceClass *cls)
{
    Error err = {""};

    if (cls == &gicv3_its_class) {
        Device *gic = device_new(r->m, &gicv3_class, "gic");
        must(device_set(gic, "lpis", "on", &err) && device_realize(gic, &err), &err);
    }
}

static bool is_back_end(const PropDesc *p)
{
    return p->kind == PROP_BLOCK || p->kind == PROP_CHARDEV || p->kind == PROP_NETDEV;
}

static void set_properties(Rig *r, Device *d, bool random)
{
    for (const PropDesc *p = d->cls->props; p && p->name; p++) {
        if (is_back_end(p) || p->required || (random && rng_one_in(&r->rng, 3))) {
            char *value = random_value(r, p);
            Error err = {""};

            if (value) {
                (void)device_set(d, p->name, value, &err); /* it may refuse */
            }
            g_free(value);
        }
    }
}

/* With random properties first, then with plain ones; NULL: it refuses. */
static Device *plug(Rig *r, const DeviceClass *cls)
{
    for (unsigned attempt = 0; attempt < 2; attempt++) {
        Device *d = device_new(r->m, cls, NULL);
        Error err = {""};

        set_properties(r, d, attempt == 0 && rng_one_in(&r->rng, 2));
        if (device_realize(d, &err)) {
            return d;
        }
        device_unrealize(d);
    }
    return NULL;
}

/* The controller that a class of another bus hangs on; NULL: none is known. */
static const DeviceClass *controller_of(const DeviceClass *cls)
{
    if (cls->bus == BUS_USB) {
        return hw_device_find("qemu-xhci");
    }
    return g_str_has_prefix(cls->name, "virt") ? hw_device_find("virtio-serial-device") : NULL;
}

bool rig_plug(Rig *r, const DeviceClass *cls)
{
    const DeviceClass *host = controller_of(cls);

    make_companion(r, cls);
    r->host = r->device = plug(r, cls);
    if (!r->device && host) {
        r->host = plug(r, host);
        r->device = r->host ? plug(r, cls) : NULL;
    }
    if (!r->device) {
        return false;
    }
    if (r->host->cls->bus == BUS_PCI) {
        r->pci = (PciDevice *)r->host;
    }
    for (unsigned i = 0; cls->bus == BUS_SYSTEM && cls->mmio && cls->mmio[i].name; i++) {
        if (r->device->base[i] == UINT64_MAX) {
            device_map(r->device, i, RIG_BANKS + (uint64_t)BANK_PITCH * i);
        }
    }
    machine_reset(r->m, CAUSE_NONE);
    rig_find_windows(r);
    return true;
}

static void add_window(Rig *r, uint64_t gpa, uint64_t bytes, const MmioDesc *bank)
{
    if (bytes && r->n_windows < RIG_MAX_WINDOWS) {
        r->windows[r->n_windows++] = (RigWindow){gpa, bytes, bank};
    }
}

/* Puts the BARs somewhere and switches decoding and bus mastering on, as firmware does. */
static void place_bars(Rig *r)
{
    PciDevice *p = r->pci;

    if (!p->bus) {
        return;
    }
    for (unsigned i = 0; i < 6; i++) {
        bool wide = p->bars[i].kind == PCI_BAR_MEM64 || p->bars[i].kind == PCI_BAR_MEM64_PREFETCH;
        uint32_t at =
            p->bars[i].kind == PCI_BAR_IO ? 0x1000 * (i + 1) : (uint32_t)RIG_BARS + BAR_PITCH * i;

        if (p->bars[i].region) {
            pci_device_config_write(p, PCI_BASE_ADDRESS_0 + 4 * i, 4, at);
            if (wide) {
                pci_device_config_write(p, PCI_BASE_ADDRESS_0 + 4 * i + 4, 4, 0);
            }
        }
    }
    pci_device_config_write(p, PCI_COMMAND, 2,
                            PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

void rig_find_windows(Rig *r)
{
    const MmioDesc *banks = r->host->cls->mmio;

    r->n_windows = 0;
    if (r->pci) {
        place_bars(r);
        for (unsigned i = 0; i < PCI_N_BARS; i++) {
            if (r->pci->bars[i].region && r->pci->bars[i].mapped_at != PCI_BAR_UNMAPPED) {
                add_window(r, r->pci->bars[i].mapped_at, r->pci->bars[i].bytes, NULL);
            }
        }
        return;
    }
    for (unsigned i = 0; banks && banks[i].name; i++) {
        if (r->host->base[i] != UINT64_MAX) {
            add_window(r, r->host->base[i], banks[i].bytes, &banks[i]);
        }
    }
    for (unsigned i = 0; r->host->cls->bus == BUS_VIRTIO && i < RIG_SLOTS; i++) {
        add_window(r, RIG_SLOT + 0x200 * i, 0x200, NULL);
    }
}

void rig_close(Rig *r)
{
    while (r->m->devices) {
        Device *last = r->m->devices;

        while (last->next) {
            last = last->next;
        }
        device_unrealize(last);
    }
    ram_disk_run(r->disk);
    net_port_destroy(&r->net);
    chardev_remove(r->m, &r->chardev);
    machine_block_remove(r->m, "disk");
    mem_region_destroy(r->m, &r->ram);
    mem_region_destroy(r->m, &r->sink);
    machine_unlock(r->m);
    machine_free(r->m);
    ram_disk_free(r->disk);
}
