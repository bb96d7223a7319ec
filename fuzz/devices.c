/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz-devices: does to every class of hw_devices[] what a hostile guest, host and saved state can
 * do.
 *
 *   fuzz/fuzz-devices [--seconds N] [--seed S] [--device NAME] [--episodes N] [--verbose]
 *
 * An episode is one seed: a new machine, one device with random properties, then some hundred
 * random acts: accesses in and around the register tables, set-up sequences that bring drivers'
 * devices to life (recipes below), RAM full of plausible and hostile descriptors, pins, time,
 * packets, bytes, completed disk requests, saves, loads of mutated states, resets, and removal in
 * the middle. Prints TAP; without options it runs 5 s, 120 s with GEMEL_LONG set (./check --long).
 * It finds crashes, assertions, endless loops and what sanitizers see (build with
 * --enable-sanitizers); the seed of the episode is printed when one of them strikes, and
 * `--seed S --episodes 1 --device NAME` does it again.
 */
#include <getopt.h>
#include <glib.h>
#include <inttypes.h>
#include <linux/pci_regs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/state.h"
#include "fuzz/rig.h"
#include "hw/devices.h"
#include "util/bits.h"

enum { ACTS = 400, EPISODE_TIMEOUT_S = 60, MAX_TIMERS = 2000 };

static struct {
    char line[160];
    unsigned length;
} current; /* what the crash handler prints */

/* ---- values ---- */

/* Few, so that what points somewhere meets what stands there. */
static uint64_t ram_page(Rig *r)
{
    uint64_t pages = rng_one_in(&r->rng, 8) ? RIG_RAM_BYTES >> 12 : 24;

    return RIG_RAM + (rng_below(&r->rng, pages) << 12);
}

static uint64_t ram_address(Rig *r)
{
    uint64_t at = rng_below(&r->rng, RIG_RAM_BYTES);

    switch (rng_below(&r->rng, 6)) {
    case 0: return RIG_RAM + at;
    case 1: return RIG_RAM + RIG_RAM_BYTES - rng_below(&r->rng, 64);                /* its end */
    case 2: return r->n_windows ? r->windows[0].gpa + rng_below(&r->rng, 256) : at; /* itself */
    default: return ram_page(r);
    }
}

static uint64_t random_value(Rig *r)
{
    static const uint64_t corners[] = {
        0, 1, 2, 3, 7, 0x80, 0xff, 0x7fff, 0xffff, 0x80000000, 0x7fffffff, 0xffffffff, UINT64_MAX};

    switch (rng_below(&r->rng, 6)) {
    case 0: return corners[rng_below(&r->rng, G_N_ELEMENTS(corners))];
    case 1: return (uint64_t)1 << rng_below(&r->rng, 64);
    case 2: return ram_address(r);
    case 3: return ram_address(r) >> 32 | ram_address(r) << 32;
    case 4: return rng_below(&r->rng, 64);
    default: return rng_next(&r->rng);
    }
}

/* ---- accesses ---- */

static uint64_t random_offset(Rig *r, const RigWindow *w)
{
    const RegDesc *regs = w->bank ? w->bank->regs : NULL;
    unsigned n = 0;

    if (regs && !rng_one_in(&r->rng, 4)) {
        const RegDesc *reg;

        while (regs[n].name) {
            n++;
        }
        reg = &regs[rng_below(&r->rng, n)];
        return reg->offset + rng_below(&r->rng, MAX(reg->count, 1)) *
                                 (reg->stride ? reg->stride : MAX(reg->bytes, 4));
    }
    switch (rng_below(&r->rng, 4)) {
    case 0: return rng_below(&r->rng, w->bytes);
    case 1: return rng_below(&r->rng, MIN(w->bytes, 0x40)) & ~3u;
    default: return rng_below(&r->rng, MIN(w->bytes, 0x2000)) & ~3u;
    }
}

static void act_access(Rig *r)
{
    const MemAttrs attrs = {.cpu = (uint8_t)(1 + rng_below(&r->rng, RIG_CPUS)),
                            .secure = rng_one_in(&r->rng, 4)};
    const RigWindow *w;
    uint64_t gpa, v = random_value(r);
    unsigned bytes = rng_one_in(&r->rng, 4) ? 1u << rng_below(&r->rng, 4) : 4;

    if (!r->n_windows) {
        return;
    }
    w = &r->windows[rng_below(&r->rng, r->n_windows)];
    gpa = w->gpa + random_offset(r, w);
    if (rng_one_in(&r->rng, 3)) {
        mem_read(r->m->as, gpa, &v, bytes, attrs);
    } else {
        mem_write(r->m->as, gpa, &v, bytes, attrs);
    }
}

static void act_config(Rig *r)
{
    unsigned offset = (unsigned)rng_below(&r->rng, rng_one_in(&r->rng, 4) ? 4096 : 256);
    unsigned bytes = 1u << rng_below(&r->rng, 3);

    if (!r->pci || !r->pci->bus) {
        act_access(r);
        return;
    }
    offset &= ~(bytes - 1);
    if (rng_one_in(&r->rng, 3)) {
        pci_device_config_read(r->pci, offset, bytes);
    } else {
        pci_device_config_write(r->pci, offset, bytes, (uint32_t)random_value(r));
    }
    if (rng_one_in(&r->rng, 4)) {
        rig_find_windows(r);
    }
}

/* ---- memory ---- */

/* Address, length, flags, next: virtio and many more. */
static void make_descriptor(Rig *r, uint8_t d[64], unsigned n)
{
    store_le64(d, rng_one_in(&r->rng, 8) ? random_value(r) : ram_address(r));
    store_le32(d + 8, rng_one_in(&r->rng, 8) ? (uint32_t)random_value(r)
                                             : (uint32_t)rng_below(&r->rng, 8192));
    store_le16(d + 12, (uint16_t)rng_below(&r->rng, rng_one_in(&r->rng, 8) ? 65536 : 8));
    store_le16(d + 14, (uint16_t)rng_below(&r->rng, n + 1));
}

/* xHCI: pointer, length, type and flags with the cycle bit mostly set. */
static void make_trb(Rig *r, uint8_t d[64], unsigned n)
{
    (void)n;
    store_le64(d, rng_one_in(&r->rng, 4) ? random_value(r) : ram_address(r));
    store_le32(d + 8, rng_one_in(&r->rng, 4) ? (uint32_t)random_value(r)
                                             : (uint32_t)rng_below(&r->rng, 1024));
    store_le32(d + 12, (uint32_t)(rng_below(&r->rng, 64) << 10 | rng_below(&r->rng, 32) << 16 |
                                  rng_below(&r->rng, 128) << 1 | !rng_one_in(&r->rng, 8) |
                                  (uint64_t)rng_below(&r->rng, 3) << 24));
}

/* NVMe: opcode, namespace 1, two pointers, block and length. */
static void make_command(Rig *r, uint8_t d[64], unsigned n)
{
    (void)n;
    store_le32(d, (uint32_t)(rng_below(&r->rng, 14) | rng_below(&r->rng, 65536) << 16));
    store_le32(d + 4, rng_one_in(&r->rng, 8) ? (uint32_t)random_value(r) : 1);
    store_le64(d + 24, ram_address(r));
    store_le64(d + 32, rng_one_in(&r->rng, 2) ? ram_page(r) : ram_address(r));
    for (unsigned at = 40; at < 64; at += 4) {
        store_le32(d + at, rng_one_in(&r->rng, 4) ? (uint32_t)random_value(r)
                                                  : (uint32_t)rng_below(&r->rng, 16));
    }
}

/* The head of a virtio-blk request, or any few small words. */
static void make_header(Rig *r, uint8_t d[64], unsigned n)
{
    (void)n;
    store_le32(d, (uint32_t)rng_below(&r->rng, 16));
    store_le32(d + 4, 0);
    store_le64(d + 8, rng_below(&r->rng, 2 * RIG_DISK_BYTES / 512));
}

typedef struct Element {
    unsigned bytes;
    void (*make)(Rig *r, uint8_t d[64], unsigned n);
} Element;

/* A page, or more, of what one kind of device looks for there. */
static void act_descriptors(Rig *r)
{
    static const Element kinds[] = {
        {16, make_descriptor}, {16, make_trb}, {64, make_command}, {16, make_header}};
    const Element *e = &kinds[rng_below(&r->rng, G_N_ELEMENTS(kinds))];
    uint64_t at = ram_page(r);
    unsigned n = (unsigned)rng_below(&r->rng, 4096 / e->bytes) + 1;

    for (unsigned i = 0; i < n; i++) {
        uint8_t d[64] = {0};

        e->make(r, d, n);
        mem_write(r->m->as, at + (uint64_t)e->bytes * i, d, e->bytes, (MemAttrs){0});
    }
}

static void act_scribble(Rig *r)
{
    uint64_t at = ram_page(r);
    unsigned n = (unsigned)rng_below(&r->rng, 128);

    for (unsigned i = 0; i < n; i++) {
        mem_store_le32(r->m->as, at + 4 * i, (uint32_t)random_value(r), (MemAttrs){0});
    }
}

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
static const Step xhci_steps[] = {
    {STEP_VALUE, 4, 0x40, 2},      {STEP_VALUE, 4, 0x78, 8},    {STEP_RAM_PAGE, 8, 0x70, 0},
    {STEP_RAM_PAGE, 8, 0x58, 0},   {STEP_VALUE, 4, 0x1028, 1},  {STEP_RAM_PAGE, 8, 0x1030, 0},
    {STEP_RAM_PAGE, 8, 0x1038, 0}, {STEP_VALUE, 4, 0x1020, 2},  {STEP_VALUE, 4, 0x40, 5},
    {STEP_SMALL, 4, 0x2000, 2},    {STEP_SMALL, 4, 0x2004, 32}, {STEP_END, 0, 0, 0}};
static const Step its_steps[] = {{STEP_VALUE, 4, 0x0000, 0},
                                 {STEP_RAM_PAGE, 8, 0x0080, 0},
                                 {STEP_RAM_PAGE, 8, 0x0100, 0},
                                 {STEP_RAM_PAGE, 8, 0x0108, 0},
                                 {STEP_VALUE, 4, 0x0000, 1},
                                 {STEP_SMALL, 8, 0x0088, 4096},
                                 {STEP_END, 0, 0, 0}};
static const Recipe recipes[] = {{"nvme", nvme_steps},
                                 {"e1000e", e1000e_steps},
                                 {"xhci", xhci_steps},
                                 {"qemu-xhci", xhci_steps},
                                 {"gicv3-its", its_steps}};

static void cook(Rig *r, const RigWindow *w, const Step *s)
{
    for (; s->kind != STEP_END; s++) {
        uint64_t v = s->value;

        if (s->kind == STEP_RAM_PAGE) {
            v = ram_page(r);
            v |= (uint64_t)rng_one_in(&r->rng, 2) << 63; /* valid bit of many table registers */
        } else if (s->kind == STEP_SMALL) {
            v = rng_below(&r->rng, s->value);
        }
        if (!rng_one_in(&r->rng, 50)) {
            mem_write(r->m->as, w->gpa + s->offset, &v, s->bytes, (MemAttrs){.cpu = 1});
        }
    }
}

static void act_recipe(Rig *r)
{
    for (size_t i = 0; i < G_N_ELEMENTS(recipes); i++) {
        if (g_str_has_prefix(r->host->cls->name, recipes[i].cls) && r->n_windows) {
            cook(r, &r->windows[0], recipes[i].steps);
            return;
        }
    }
    act_access(r);
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

        store_le64(d, rng_one_in(&r->rng, 16) ? random_value(r) : ram_address(r));
        store_le32(d + 8, rng_one_in(&r->rng, 16) ? (uint32_t)random_value(r)
                                                  : (uint32_t)rng_below(&r->rng, 4096));
        store_le16(d + 12,
                   (uint16_t)(rng_one_in(&r->rng, 16) ? rng_next(&r->rng) : rng_below(&r->rng, 4)));
        store_le16(d + 14, (uint16_t)(rng_one_in(&r->rng, 8) ? rng_below(&r->rng, n + 2) : i + 1));
        if (i % 4 == 0) { /* a head as disks want it */
            uint8_t head[64] = {0};

            make_header(r, head, n);
            mem_write(r->m->as, RIG_RAM + RIG_RAM_BYTES / 2 + 16 * i, head, 16, (MemAttrs){0});
            store_le64(d, RIG_RAM + RIG_RAM_BYTES / 2 + 16 * i);
            store_le32(d + 8, 16);
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

static void act_start(Rig *r)
{
    if (r->pci && r->pci->bus && g_str_has_prefix(r->host->cls->name, "virtio-")) {
        rig_find_windows(r);
        virtio_pci_up(r);
    } else if (r->host->cls->bus == BUS_VIRTIO && r->n_windows) {
        virtio_mmio_up(r, r->windows[0].gpa);
        virtio_mmio_up(r, r->windows[RIG_SLOTS - 1].gpa);
    } else {
        act_recipe(r);
    }
}

/* ---- the rest of the world ---- */

static void act_pin(Rig *r)
{
    const PinDesc *pins = r->device->cls->pins;
    unsigned n = 0;

    while (pins && pins[n].name) {
        n++;
    }
    if (n) {
        const PinDesc *p = &pins[rng_below(&r->rng, n)];

        if (!p->out) {
            PinIn in =
                device_pin_in(r->device, p->name, (unsigned)rng_below(&r->rng, MAX(p->count, 1)));
            in.set(in.opaque, in.n, rng_one_in(&r->rng, 2));
        }
    }
}

static void act_time(Rig *r)
{
    int64_t ns = (int64_t)(rng_next(&r->rng) >> (1 + 24 + rng_below(&r->rng, 39)));

    machine_unlock(r->m);
    clock_advance(r->m, ns, MAX_TIMERS);
    machine_iterate(r->m, false);
    machine_lock(r->m);
}

/* A system register of the interrupt controller's CPU interface. */
static void act_sysreg(Rig *r)
{
    CpuPort *p = &r->cpus[rng_below(&r->rng, RIG_CPUS)];
    CpuAccess a = {.cpu = p,
                   .level = (uint8_t)rng_below(&r->rng, 4),
                   .secure = rng_one_in(&r->rng, 4),
                   .route = random_value(r),
                   .route2 = random_value(r)};

    for (CpuSysRegBank *b = p->banks; b; b = b->next) {
        const CpuSysReg *reg = &b->regs[rng_below(&r->rng, b->n_regs)];
        uint64_t v = random_value(r);

        machine_unlock(r->m);
        if (rng_one_in(&r->rng, 2)) {
            if (reg->read && a.level >= reg->min_level_read) { /* as the target checks */
                reg->read(b->opaque, reg, &a, &v);
            }
        } else if (reg->write && a.level >= reg->min_level_write) {
            reg->write(b->opaque, reg, &a, v);
        }
        machine_lock(r->m);
    }
}

static void mutate(Rig *r, GByteArray *b)
{
    unsigned n = (unsigned)rng_below(&r->rng, 4);

    for (unsigned i = 0; b->len && i < n; i++) {
        guint at = (guint)rng_below(&r->rng, b->len);

        switch (rng_below(&r->rng, 4)) {
        case 0: b->data[at] ^= (uint8_t)(1u << rng_below(&r->rng, 8)); break;
        case 1: b->data[at] = (uint8_t)random_value(r); break;
        case 2: memset(b->data + at, 0xff, MIN(8, b->len - at)); break;
        default: g_byte_array_set_size(b, at); break;
        }
    }
}

static void act_state(Rig *r)
{
    GByteArray *b = g_byte_array_new();
    StateStream out = state_to_memory(b);
    StateMemory from;
    StateStream in;
    Device *d = rng_one_in(&r->rng, 2) ? r->device : r->host;
    Error err = {""};

    if (!state_save_device(d, &out)) {
        g_error("a device cannot be saved");
    }
    mutate(r, b);
    from = (StateMemory){b->data, b->len, 0};
    in = state_from_memory(&from);
    (void)state_load_device(d, &in, &err);
    g_byte_array_unref(b);
}

static void act_disk(Rig *r)
{
    r->disk->fail = rng_one_in(&r->rng, 8) ? EIO : 0;
    ram_disk_run(r->disk);
}

static void act_outside(Rig *r)
{
    switch (rng_below(&r->rng, 4)) {
    case 0: rig_send_frame(r); break;
    case 1: rig_send_bytes(r); break;
    case 2: net_set_link(&r->net, rng_one_in(&r->rng, 2)); break;
    default: act_disk(r); break;
    }
}

static void discard_line(void *opaque, const char *line)
{
    (void)opaque;
    (void)line;
}

static void act_rare(Rig *r)
{
    switch (rng_below(&r->rng, 4)) {
    case 0: machine_reset(r->m, CAUSE_GUEST_RESET); break;
    case 1: device_print(r->device, discard_line, NULL); break;
    default: act_state(r); break;
    }
    rig_find_windows(r);
}

typedef struct Act {
    unsigned weight;
    void (*fn)(Rig *r);
} Act;

static const Act acts[] = {
    {50, act_access}, {6, act_config}, {8, act_descriptors}, {4, act_scribble}, {6, act_start},
    {3, act_pin},     {6, act_time},   {8, act_outside},     {4, act_sysreg},   {3, act_rare}};

static void act(Rig *r)
{
    unsigned total = 0, pick;
    size_t i = 0;

    for (size_t k = 0; k < G_N_ELEMENTS(acts); k++) {
        total += acts[k].weight;
    }
    pick = (unsigned)rng_below(&r->rng, total);
    while (pick >= acts[i].weight) {
        pick -= acts[i++].weight;
    }
    acts[i].fn(r);
}

/* ---- episodes ---- */

static bool episode(const DeviceClass *cls, uint64_t seed)
{
    Rig *r = g_new(Rig, 1);
    unsigned n;
    bool plugged;

    current.length = (unsigned)snprintf(
        current.line, sizeof current.line,
        "fuzz-devices: --device %s --seed %" PRIu64 " --episodes 1\n", cls->name, seed);
    alarm(EPISODE_TIMEOUT_S);
    rig_open(r, seed);
    plugged = rig_plug(r, cls);
    n = (unsigned)rng_below(&r->rng, ACTS);
    for (unsigned i = 0; plugged && i < n; i++) {
        act(r);
    }
    rig_close(r);
    alarm(0);
    g_free(r);
    return plugged;
}

static void struck(int sig)
{
    static const char hang[] = "fuzz-devices: hangs\n";

    if (sig == SIGALRM && write(STDERR_FILENO, hang, sizeof hang - 1) < 0) {
        _exit(1);
    }
    if (write(STDERR_FILENO, current.line, current.length) < 0) {
        _exit(1);
    }
    signal(SIGABRT, SIG_DFL);
    abort();
}

/* Read by the sanitizers' run time. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "abort_on_error=1:handle_abort=0:handle_segv=2:allocator_may_return_null=1";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
    return "abort_on_error=1:print_stacktrace=1";
}

typedef struct Options {
    double seconds;
    uint64_t seed, episodes;
    const char *device;
    bool verbose;
} Options;

static int usage(const char *argv0)
{
    fprintf(stderr,
            "usage: %s [--seconds N] [--seed S] [--device NAME] [--episodes N] [--verbose]\n",
            argv0);
    return 2;
}

static bool parse_options(int argc, char **argv, Options *o)
{
    static const struct option table[] = {
        {"seconds", required_argument, NULL, 's'}, {"seed", required_argument, NULL, 'S'},
        {"device", required_argument, NULL, 'd'},  {"episodes", required_argument, NULL, 'n'},
        {"verbose", no_argument, NULL, 'v'},       {"tap", no_argument, NULL, 't'},
        {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
        switch (c) {
        case 's': o->seconds = atof(optarg); break;
        case 'S': o->seed = strtoull(optarg, NULL, 0); break;
        case 'd': o->device = optarg; break;
        case 'n': o->episodes = strtoull(optarg, NULL, 0); break;
        case 'v': o->verbose = true; break;
        case 't': break; /* run-tests says so to every program; TAP is all it speaks */
        default: return false;
        }
    }
    return optind == argc;
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    Options o = {.seconds = getenv("GEMEL_LONG") ? 120 : 5,
                 .seed = (uint64_t)time(NULL),
                 .episodes = UINT64_MAX};
    double end;
    uint64_t n = 0, refused = 0;
    unsigned classes = 0;

    if (!parse_options(argc, argv, &o)) {
        return usage(argv[0]);
    }
    if (o.device && !hw_device_find(o.device)) {
        fprintf(stderr, "fuzz-devices: no class '%s'\n", o.device);
        return 2;
    }
    while (hw_devices[classes]) {
        classes++;
    }
    signal(SIGABRT, struck);
    signal(SIGSEGV, struck);
    signal(SIGALRM, struck);
    printf("1..1\n# seed %" PRIu64 "\n", o.seed);
    end = now_s() + o.seconds;
    for (; n < o.episodes && (o.episodes != UINT64_MAX || now_s() < end); n++) {
        const DeviceClass *cls = o.device ? hw_device_find(o.device) : hw_devices[n % classes];

        if (o.verbose) {
            fprintf(stderr, "%s %" PRIu64 "\n", cls->name, o.seed + n);
        }
        refused += !episode(cls, o.seed + n);
    }
    printf("ok 1 - %" PRIu64 " episodes, %" PRIu64 " devices that refused to be made\n", n,
           refused);
    return 0;
}
