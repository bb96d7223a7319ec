/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How drivers bring devices to life: the steps of the manuals with work that is half sensible. Each
 * may be done again at any time, in the middle of anything.
 */
#include "fuzz/drivers.h"

#include <glib.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "fuzz/shapes.h"
#include "util/bits.h"

/* ---- recipes: how a driver brings such a device to life; values in RAM are random ---- */

typedef enum StepKind { STEP_END, STEP_VALUE, STEP_RAM_PAGE, STEP_SMALL } StepKind;
typedef struct Step {
    uint8_t kind, bytes;
    uint16_t offset;
    uint64_t value; /* STEP_SMALL: below it */
} Step;
typedef struct Recipe {
    const char *cls; /* beginning of the class's name */
    const Step *steps;
} Recipe;

static const Step nvme_steps[] = {
    {STEP_VALUE, 4, 0x14, 0},          {STEP_VALUE, 4, 0x24, 0x001f001f},
    {STEP_RAM_PAGE, 8, 0x28, 0},       {STEP_RAM_PAGE, 8, 0x30, 0},
    {STEP_VALUE, 4, 0x14, 0x00460001}, {STEP_SMALL, 4, 0x1000, 32},
    {STEP_SMALL, 4, 0x1000, 32},       {STEP_END, 0, 0, 0}};
static const Step e1000e_steps[] = {{STEP_VALUE, 4, 0x0000, 1 << 6},
                                    {STEP_RAM_PAGE, 8, 0x2800, 0},
                                    {STEP_VALUE, 4, 0x2808, 4096},
                                    {STEP_VALUE, 4, 0x2810, 0},
                                    {STEP_SMALL, 4, 0x2818, 256},
                                    {STEP_VALUE, 4, 0x0100, 0x0000801e},
                                    {STEP_RAM_PAGE, 8, 0x3800, 0},
                                    {STEP_VALUE, 4, 0x3808, 4096},
                                    {STEP_VALUE, 4, 0x3810, 0},
                                    {STEP_VALUE, 4, 0x0400, 0x0003f0fa},
                                    {STEP_VALUE, 4, 0x00d0, 0xffffff},
                                    {STEP_SMALL, 4, 0x3818, 256},
                                    {STEP_END, 0, 0, 0}};
static const Step its_steps[] = {{STEP_VALUE, 4, 0x0000, 0},
                                 {STEP_RAM_PAGE, 8, 0x0080, 0},
                                 {STEP_RAM_PAGE, 8, 0x0100, 0},
                                 {STEP_RAM_PAGE, 8, 0x0108, 0},
                                 {STEP_VALUE, 4, 0x0000, 1},
                                 {STEP_SMALL, 8, 0x0088, 4096},
                                 {STEP_END, 0, 0, 0}};
static const Recipe recipes[] = {
    {"nvme", nvme_steps}, {"e1000e", e1000e_steps}, {"arm-gicv3-its", its_steps}};

static void cook(Rig *r, const RigWindow *w, const Step *s)
{
    for (; s->kind != STEP_END; s++) {
        uint64_t v = s->value;

        if (s->kind == STEP_RAM_PAGE) {
            v = shape_page(r);
            v |= (uint64_t)!rng_one_in(&r->rng, 4) << 63; /* valid bit of many table registers */
        } else if (s->kind == STEP_SMALL) {
            v = rng_below(&r->rng, s->value);
        }
        if (!rng_one_in(&r->rng, 50)) {
            mem_write(r->m->as, w->gpa + s->offset, &v, s->bytes, (MemAttrs){.cpu = 1});
        }
    }
}

static bool by_recipe(Rig *r)
{
    for (size_t i = 0; i < G_N_ELEMENTS(recipes); i++) {
        if (g_str_has_prefix(r->host->cls->name, recipes[i].cls) && r->n_windows) {
            cook(r, &r->windows[0], recipes[i].steps);
            return true;
        }
    }
    return false;
}

/* ---- virtio: the dance of the specification, section 3.1.1, through either transport ---- */

static void put32(Rig *r, uint64_t gpa, uint32_t v)
{
    mem_store_le32(r->m->as, gpa, v, (MemAttrs){.cpu = 1});
}

static void put16(Rig *r, uint64_t gpa, uint16_t v)
{
    mem_store_le16(r->m->as, gpa, v, (MemAttrs){.cpu = 1});
}

static void put8(Rig *r, uint64_t gpa, uint8_t v)
{
    mem_write(r->m->as, gpa, &v, 1, (MemAttrs){.cpu = 1});
}

static uint32_t get32(Rig *r, uint64_t gpa)
{
    uint32_t v = 0;

    mem_load_le32(r->m->as, gpa, &v, (MemAttrs){.cpu = 1});
    return v;
}

/* A ring with n entries at `at`: descriptors, and an available ring that offers some. */
static uint64_t make_ring(Rig *r, unsigned n)
{
    uint64_t at = RIG_RAM + (rng_below(&r->rng, (RIG_RAM_BYTES >> 16) - 1) << 16);
    unsigned offered = (unsigned)rng_below(&r->rng, n + 1);

    for (unsigned i = 0; i < n; i++) {
        uint8_t d[16];

        store_le64(d, rng_one_in(&r->rng, 16) ? shape_value(r) : shape_address(r));
        store_le32(d + 8, rng_one_in(&r->rng, 16) ? (uint32_t)shape_value(r)
                                                  : (uint32_t)rng_below(&r->rng, 4096));
        store_le16(d + 12,
                   (uint16_t)(rng_one_in(&r->rng, 16) ? rng_next(&r->rng) : rng_below(&r->rng, 4)));
        store_le16(d + 14, (uint16_t)(rng_one_in(&r->rng, 8) ? rng_below(&r->rng, n + 2) : i + 1));
        if (i % 4 == 0) { /* where requests begin */
            uint64_t head_at = RIG_RAM + RIG_RAM_BYTES / 2 + 64 * i;
            uint8_t head[64] = {0};

            shape_head(r, r->host->cls->name, head);
            mem_write(r->m->as, head_at, head, sizeof head, (MemAttrs){0});
            store_le64(d, head_at);
            store_le32(d + 8, rng_one_in(&r->rng, 2) ? 16 : 64);
            store_le16(d + 12, 1);
        }
        mem_write(r->m->as, at + 16 * i, d, sizeof d, (MemAttrs){0});
        mem_store_le16(r->m->as, at + 0x4004 + 2 * i,
                       (uint16_t)rng_below(&r->rng, rng_one_in(&r->rng, 16) ? n + 4 : n),
                       (MemAttrs){0});
    }
    mem_store_le16(r->m->as, at + 0x4000, 0, (MemAttrs){0});
    mem_store_le16(r->m->as, at + 0x4002, (uint16_t)offered, (MemAttrs){0});
    mem_fill(r->m->as, at + 0x8000, 0, 0x1000, (MemAttrs){0});
    return at;
}

static void virtio_mmio_up(Rig *r, uint64_t base)
{
    unsigned queues = (unsigned)rng_below(&r->rng, 6) + 1;

    put32(r, base + 0x70, 0);
    put32(r, base + 0x70, 3);
    for (unsigned i = 0; i < 2; i++) {
        put32(r, base + 0x14, i);
        put32(r, base + 0x24, i);
        put32(r, base + 0x20,
              get32(r, base + 0x10) &
                  ((uint32_t)(rng_one_in(&r->rng, 2) ? UINT64_MAX : rng_next(&r->rng)) | i));
    }
    put32(r, base + 0x70, 11);
    for (unsigned q = 0; q < queues; q++) {
        unsigned n = 1u << rng_below(&r->rng, 8);
        uint64_t at = make_ring(r, n);

        put32(r, base + 0x30, q);
        put32(r, base + 0x38, n);
        put32(r, base + 0x80, (uint32_t)at);
        put32(r, base + 0x84, 0);
        put32(r, base + 0x90, (uint32_t)at + 0x4000);
        put32(r, base + 0x94, 0);
        put32(r, base + 0xa0, (uint32_t)at + 0x8000);
        put32(r, base + 0xa4, 0);
        put32(r, base + 0x44, 1);
    }
    put32(r, base + 0x70, 15);
    for (unsigned q = 0; q < queues; q++) {
        put32(r, base + 0x50, q);
    }
}

/* Where a vendor capability of that type points; 0: nowhere. */
static uint64_t virtio_pci_part(Rig *r, unsigned type, uint32_t *multiplier)
{
    unsigned at = pci_device_config_read(r->pci, PCI_CAPABILITY_LIST, 1);

    for (unsigned i = 0; at >= 0x40 && i < 48; i++) {
        if (pci_device_config_read(r->pci, at, 1) == PCI_CAP_ID_VNDR &&
            pci_device_config_read(r->pci, at + 3, 1) == type) {
            unsigned bar = pci_device_config_read(r->pci, at + 4, 1);

            *multiplier = pci_device_config_read(r->pci, at + 16, 4);
            if (bar >= PCI_N_BARS || r->pci->bars[bar].mapped_at == PCI_BAR_UNMAPPED) {
                return 0;
            }
            return r->pci->bars[bar].mapped_at + pci_device_config_read(r->pci, at + 8, 4);
        }
        at = pci_device_config_read(r->pci, at + 1, 1);
    }
    return 0;
}

static void virtio_pci_up(Rig *r)
{
    uint32_t multiplier = 0, none;
    uint64_t c = virtio_pci_part(r, 1, &none), notify = virtio_pci_part(r, 2, &multiplier);
    unsigned queues = (unsigned)rng_below(&r->rng, 6) + 1;

    if (!c || !notify) {
        return;
    }
    put8(r, c + 0x14, 0);
    put8(r, c + 0x14, 3);
    for (unsigned i = 0; i < 2; i++) {
        put32(r, c, i);
        put32(r, c + 8, i);
        put32(r, c + 12,
              get32(r, c + 4) &
                  ((uint32_t)(rng_one_in(&r->rng, 2) ? UINT64_MAX : rng_next(&r->rng)) | i));
    }
    put8(r, c + 0x14, 11);
    for (unsigned q = 0; q < queues; q++) {
        unsigned n = 1u << rng_below(&r->rng, 8);
        uint64_t at = make_ring(r, n);

        put16(r, c + 0x16, (uint16_t)q);
        put16(r, c + 0x18, (uint16_t)n);
        put32(r, c + 0x20, (uint32_t)at);
        put32(r, c + 0x24, 0);
        put32(r, c + 0x28, (uint32_t)at + 0x4000);
        put32(r, c + 0x2c, 0);
        put32(r, c + 0x30, (uint32_t)at + 0x8000);
        put32(r, c + 0x34, 0);
        put16(r, c + 0x1c, 1);
    }
    put8(r, c + 0x14, 15);
    for (unsigned q = 0; q < queues; q++) {
        put16(r, notify + (uint64_t)multiplier * q, (uint16_t)q);
    }
}

/* ---- xHCI: rings, a command each of the useful kinds, transfers with control requests ---- */

enum {
    XHCI_DCBAA = 0,
    XHCI_COMMANDS,
    XHCI_ERST,
    XHCI_EVENTS,
    XHCI_INPUT,
    XHCI_RING,
    XHCI_DEVICE = XHCI_RING + 4
};

/* The pages of the bring-up are the first of RAM, which everything else may overwrite. */
static uint64_t xhci_page(unsigned n)
{
    return RIG_RAM + 4096 * (uint64_t)n;
}

static void put_trb(Rig *r, uint64_t at, uint64_t parameter, uint32_t status, uint32_t control)
{
    uint8_t d[16];

    store_le64(d, parameter);
    store_le32(d + 8, status);
    store_le32(d + 12, control);
    mem_write(r->m->as, at, d, sizeof d, (MemAttrs){0});
}

static void xhci_commands(Rig *r)
{
    enum { ENABLE_SLOT = 9, ADDRESS = 11, CONFIGURE = 12, EVALUATE = 13, LAST = 24 };
    uint64_t at = xhci_page(XHCI_COMMANDS);

    put_trb(r, at, 0, 0, ENABLE_SLOT << 10 | 1);
    put_trb(r, at + 16, xhci_page(XHCI_INPUT), 0, 1 << 24 | ADDRESS << 10 | 1);
    put_trb(r, at + 32, xhci_page(XHCI_INPUT), 0, 1 << 24 | CONFIGURE << 10 | 1);
    for (unsigned i = 3; i < 16; i++) {
        put_trb(r, at + 16 * i, rng_one_in(&r->rng, 2) ? xhci_page(XHCI_INPUT) : shape_address(r),
                (uint32_t)rng_below(&r->rng, 4),
                (uint32_t)(rng_below(&r->rng, 3) << 24 | rng_below(&r->rng, 5) << 16 |
                           (ENABLE_SLOT + rng_below(&r->rng, LAST - ENABLE_SLOT)) << 10 |
                           !rng_one_in(&r->rng, 16)));
    }
}

/* Slot context, then endpoints: control, and four of any kind. */
static void xhci_contexts(Rig *r, unsigned context_bytes)
{
    uint64_t at = xhci_page(XHCI_INPUT);

    mem_fill(r->m->as, at, 0, 4096, (MemAttrs){0});
    put32(r, at + 4, rng_one_in(&r->rng, 4) ? (uint32_t)shape_value(r) : 0x3f);
    put32(r, at + context_bytes, (uint32_t)(5u << 27 | (rng_below(&r->rng, 4) + 1) << 20));
    put32(r, at + context_bytes + 4, (uint32_t)(rng_below(&r->rng, 9) << 16));
    for (unsigned i = 0; i < 5; i++) {
        uint64_t ep = at + (2 + i) * context_bytes;
        unsigned type = i ? (unsigned)rng_below(&r->rng, 8) : 4;

        put32(r, ep, (uint32_t)rng_below(&r->rng, 16) << 16);
        put32(r, ep + 4, 512u << 16 | type << 3 | 3 << 1);
        put32(r, ep + 8, (uint32_t)xhci_page(XHCI_RING + i % 4) | 1);
        put32(r, ep + 12, 0);
        put32(r, ep + 16, 512);
    }
}

/* Control requests on the first ring, mass-storage commands and plain buffers on the others. */
static void xhci_transfers(Rig *r)
{
    for (unsigned ring = 0; ring < 4; ring++) {
        uint64_t at = xhci_page(XHCI_RING + ring);

        for (unsigned i = 0; i < 30; i += 3) {
            uint64_t setup =
                (ring || rng_one_in(&r->rng, 8))
                    ? shape_value(r)
                    : 0x80 | 6 << 8 | rng_below(&r->rng, 64) << 24 | rng_below(&r->rng, 256) << 48;
            uint32_t kind = ring ? 1 : 2;

            if (!ring && rng_one_in(&r->rng, 2)) { /* any standard or class request */
                setup = rng_below(&r->rng, 256) | rng_below(&r->rng, 13) << 8 |
                        rng_below(&r->rng, 4) << 16 | rng_below(&r->rng, 64) << 48;
            }
            put_trb(r, at + 16 * i, ring ? shape_address(r) : setup,
                    ring ? (uint32_t)rng_below(&r->rng, 1024) : 8,
                    kind << 10 | 1 | (ring ? 0x20 : 0x30040));
            put_trb(r, at + 16 * i + 16, shape_address(r), (uint32_t)rng_below(&r->rng, 4096),
                    (ring ? 1 : 3) << 10 | 1 | (uint32_t)rng_below(&r->rng, 2) << 16);
            put_trb(r, at + 16 * i + 32, 0, 0, (ring ? 1 : 4) << 10 | 0x21);
        }
    }
}

/* A command block wrapper where the bulk ring may point: SCSI through usb-storage. */
static void xhci_wrapper(Rig *r)
{
    static const uint8_t commands[] = {0x00, 0x03, 0x12, 0x1a, 0x1b, 0x1e, 0x25, 0x28,
                                       0x2a, 0x35, 0x5a, 0x88, 0x8a, 0x9e, 0xa0};
    uint64_t at = RIG_RAM + RIG_RAM_BYTES / 4;
    uint8_t d[31] = {'U', 'S', 'B', 'C'};

    store_le32(d + 8,
               (uint32_t)(rng_one_in(&r->rng, 4) ? shape_value(r) : 512 * rng_below(&r->rng, 9)));
    d[12] = rng_one_in(&r->rng, 2) ? 0x80 : 0;
    d[14] = 16;
    d[15] = commands[rng_below(&r->rng, G_N_ELEMENTS(commands))];
    d[16] = rng_one_in(&r->rng, 4) ? 0x10 : 0;
    d[20] = (uint8_t)rng_below(&r->rng, 256);
    d[23] = (uint8_t)rng_below(&r->rng, 9);
    mem_write(r->m->as, at, d, sizeof d, (MemAttrs){0});
    put_trb(r, xhci_page(XHCI_RING + 1), at, sizeof d, 1 << 10 | 0x21);
    put_trb(r, xhci_page(XHCI_RING + 2), at + 4096, 4096, 1 << 10 | 0x25);
    put_trb(r, xhci_page(XHCI_RING + 2) + 16, at + 8192, 13, 1 << 10 | 0x21);
}

static void xhci_up(Rig *r)
{
    uint64_t base = r->windows[0].gpa, op = base + (get32(r, base) & 0xff);
    uint64_t run = base + (get32(r, base + 0x18) & ~31u),
             bell = base + (get32(r, base + 0x14) & ~3u);
    unsigned context_bytes = get32(r, base + 0x10) & 4 ? 64 : 32;

    if (!rng_one_in(&r->rng, 3)) { /* else it is up and gets new work */
        put32(r, op, 2);
        put32(r, op + 0x38, 8);
        put32(r, op + 0x30, (uint32_t)xhci_page(XHCI_DCBAA));
        put32(r, op + 0x34, 0);
        put32(r, op + 0x18, (uint32_t)xhci_page(XHCI_COMMANDS) | 1);
        put32(r, op + 0x1c, 0);
        put_trb(r, xhci_page(XHCI_ERST), xhci_page(XHCI_EVENTS), 256, 0);
        for (unsigned i = 1; i < 8; i++) {
            put32(r, xhci_page(XHCI_DCBAA) + 8 * i, (uint32_t)xhci_page(XHCI_DEVICE + i % 3));
            put32(r, xhci_page(XHCI_DCBAA) + 8 * i + 4, 0);
        }
        put32(r, run + 0x28, 1);
        put32(r, run + 0x38, (uint32_t)xhci_page(XHCI_EVENTS));
        put32(r, run + 0x3c, 0);
        put32(r, run + 0x30, (uint32_t)xhci_page(XHCI_ERST));
        put32(r, run + 0x34, 0);
        put32(r, run + 0x20, 2);
        put32(r, op, 5);
        for (unsigned port = 0; port < 8; port++) {
            put32(r, op + 0x400 + 16 * port, 0x210); /* power, reset */
        }
    }
    xhci_commands(r);
    xhci_contexts(r, context_bytes);
    xhci_transfers(r);
    xhci_wrapper(r);
    put32(r, bell, 0);
    for (unsigned i = 1; i < 6; i++) {
        put32(r, bell + 4, i);
    }
}

bool driver_start(Rig *r)
{
    const char *host = r->host->cls->name;

    if (!r->n_windows) {
        return false;
    }
    if (r->pci && !r->pci->bus) {
        return false; /* unplugged */
    }
    if (strstr(host, "xhci")) {
        rig_find_windows(r);
        if (r->n_windows) {
            xhci_up(r);
        }
        return true;
    }
    if (r->pci && g_str_has_prefix(host, "virtio-")) {
        rig_find_windows(r);
        virtio_pci_up(r);
        return true;
    }
    if (r->host->cls->bus == BUS_VIRTIO) {
        virtio_mmio_up(r, r->windows[0].gpa);
        virtio_mmio_up(r, r->windows[RIG_SLOTS - 1].gpa);
        return true;
    }
    return by_recipe(r);
}
