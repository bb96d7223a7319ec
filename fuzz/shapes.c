/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz/shapes.h"

#include <glib.h>
#include <string.h>

#include "util/bits.h"

uint64_t shape_page(Rig *r)
{
    uint64_t pages = rng_one_in(&r->rng, 8) ? RIG_RAM_BYTES >> 12 : 24;

    return RIG_RAM + (rng_below(&r->rng, pages) << 12);
}

uint64_t shape_address(Rig *r)
{
    uint64_t at = rng_below(&r->rng, RIG_RAM_BYTES);

    switch (rng_below(&r->rng, 6)) {
    case 0: return RIG_RAM + at;
    case 1: return RIG_RAM + RIG_RAM_BYTES - rng_below(&r->rng, 64);                /* its end */
    case 2: return r->n_windows ? r->windows[0].gpa + rng_below(&r->rng, 256) : at; /* itself */
    default: return shape_page(r);
    }
}

uint64_t shape_value(Rig *r)
{
    static const uint64_t corners[] = {
        0, 1, 2, 3, 7, 0x80, 0xff, 0x7fff, 0xffff, 0x80000000, 0x7fffffff, 0xffffffff, UINT64_MAX};

    switch (rng_below(&r->rng, 6)) {
    case 0: return corners[rng_below(&r->rng, G_N_ELEMENTS(corners))];
    case 1: return (uint64_t)1 << rng_below(&r->rng, 64);
    case 2: return shape_address(r);
    case 3: return shape_address(r) >> 32 | shape_address(r) << 32;
    case 4: return rng_below(&r->rng, 64);
    default: return rng_next(&r->rng);
    }
}

/* Address, length, flags, next: virtio and many more. */
static void make_descriptor(Rig *r, uint8_t d[64], unsigned n)
{
    store_le64(d, rng_one_in(&r->rng, 8) ? shape_value(r) : shape_address(r));
    store_le32(d + 8, rng_one_in(&r->rng, 8) ? (uint32_t)shape_value(r)
                                             : (uint32_t)rng_below(&r->rng, 8192));
    store_le16(d + 12, (uint16_t)rng_below(&r->rng, rng_one_in(&r->rng, 8) ? 65536 : 8));
    store_le16(d + 14, (uint16_t)rng_below(&r->rng, n + 1));
}

/* xHCI: pointer, length, type and flags with the cycle bit mostly set. */
static void make_trb(Rig *r, uint8_t d[64], unsigned n)
{
    (void)n;
    store_le64(d, rng_one_in(&r->rng, 4) ? shape_value(r) : shape_address(r));
    store_le32(d + 8, rng_one_in(&r->rng, 4) ? (uint32_t)shape_value(r)
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
    store_le32(d + 4, rng_one_in(&r->rng, 8) ? (uint32_t)shape_value(r) : 1);
    store_le64(d + 24, shape_address(r));
    store_le64(d + 32, rng_one_in(&r->rng, 2) ? shape_page(r) : shape_address(r));
    for (unsigned at = 40; at < 64; at += 4) {
        store_le32(d + at, rng_one_in(&r->rng, 4) ? (uint32_t)shape_value(r)
                                                  : (uint32_t)rng_below(&r->rng, 16));
    }
}

/* The head of a virtio-blk request, or any few small words. */
static void make_disk_head(Rig *r, uint8_t d[64], unsigned n)
{
    (void)n;
    store_le32(d, (uint32_t)rng_below(&r->rng, 16));
    store_le32(d + 4, 0);
    store_le64(d + 8, rng_below(&r->rng, 2 * RIG_DISK_BYTES / 512));
}

/* virtio-gpu: command, flags, then ids, sizes and rectangles; now and then absurd ones. */
static void make_gpu_head(Rig *r, uint8_t d[64], unsigned n)
{
    (void)n;
    store_le32(d, (uint32_t)((rng_one_in(&r->rng, 8) ? 0x300 : 0x100) + rng_below(&r->rng, 14)));
    store_le32(d + 4, (uint32_t)rng_below(&r->rng, 2));
    for (unsigned at = 24; at < 64; at += 4) {
        store_le32(d + at, rng_one_in(&r->rng, 16)  ? (uint32_t)shape_value(r)
                           : rng_one_in(&r->rng, 3) ? (uint32_t)rng_below(&r->rng, 128)
                                                    : (uint32_t)rng_below(&r->rng, 3));
    }
}

/* virtio-net: header with offloads, then an IPv4 or IPv6 packet with TCP or UDP in it. */
static void make_net_head(Rig *r, uint8_t d[64], unsigned n)
{
    static const uint8_t gso[] = {0, 1, 3, 4, 5, 0x81};

    (void)n;
    d[0] = (uint8_t)rng_below(&r->rng, 4);
    d[1] = gso[rng_below(&r->rng, G_N_ELEMENTS(gso))];
    store_le16(d + 2, (uint16_t)(rng_one_in(&r->rng, 4) ? shape_value(r) : 54));
    store_le16(d + 4, (uint16_t)(rng_one_in(&r->rng, 4) ? shape_value(r) : 100));
    store_le16(d + 6, (uint16_t)(rng_one_in(&r->rng, 4) ? shape_value(r) : 34));
    store_le16(d + 8, (uint16_t)(rng_one_in(&r->rng, 4) ? shape_value(r) : 16));
    store_be16(d + 24, rng_one_in(&r->rng, 3) ? 0x86dd : 0x0800);
    d[26] = d[25] ? 0x60 : 0x45;
    store_be16(d + 28, (uint16_t)rng_below(&r->rng, 4096));
    d[35] = rng_one_in(&r->rng, 2) ? 6 : 17;
    d[58] = (uint8_t)(rng_below(&r->rng, 16) << 4);
}

/* GICv3 ITS: command, device, event and interrupt, table with its valid bit. */
static void make_its_command(Rig *r, uint8_t d[64], unsigned n)
{
    (void)n;
    store_le32(d, (uint32_t)rng_below(&r->rng, 16));
    store_le32(d + 4, (uint32_t)rng_below(&r->rng, rng_one_in(&r->rng, 8) ? UINT32_MAX : 4));
    store_le32(d + 8, (uint32_t)rng_below(&r->rng, rng_one_in(&r->rng, 8) ? UINT32_MAX : 8));
    store_le32(d + 12, (uint32_t)(8192 + rng_below(&r->rng, 16)));
    store_le64(d + 16,
               rng_one_in(&r->rng, 2) ? rng_below(&r->rng, 4) : shape_page(r) | (uint64_t)1 << 63);
    if (rng_one_in(&r->rng, 2)) {
        d[23] |= 0x80;
    }
}

/* xHCI: slot and endpoint contexts look alike enough: small fields and a ring. */
static void make_context(Rig *r, uint8_t d[64], unsigned n)
{
    (void)n;
    store_le32(d, (uint32_t)(rng_below(&r->rng, 32) << 27 | rng_below(&r->rng, 16) << 20 |
                             rng_below(&r->rng, 8)));
    store_le32(d + 4, (uint32_t)(rng_below(&r->rng, 1024) << 16 | rng_below(&r->rng, 8) << 3 |
                                 rng_below(&r->rng, 4) << 1));
    store_le64(d + 8, shape_page(r) | !rng_one_in(&r->rng, 4));
    store_le32(d + 16, (uint32_t)rng_below(&r->rng, 4096));
}

void shape_head(Rig *r, const char *cls, uint8_t d[64])
{
    if (strstr(cls, "gpu")) {
        make_gpu_head(r, d, 0);
    } else if (strstr(cls, "net")) {
        make_net_head(r, d, 0);
    } else {
        make_disk_head(r, d, 0);
    }
}

typedef struct Element {
    unsigned bytes;
    void (*make)(Rig *r, uint8_t d[64], unsigned n);
} Element;

/* A page, or more, of what one kind of device looks for there. */
void shape_memory(Rig *r)
{
    static const Element kinds[] = {
        {16, make_descriptor}, {16, make_trb},      {64, make_command},     {16, make_disk_head},
        {64, make_gpu_head},   {64, make_net_head}, {32, make_its_command}, {32, make_context}};
    const Element *e = &kinds[rng_below(&r->rng, G_N_ELEMENTS(kinds))];
    uint64_t at = shape_page(r);
    unsigned n = (unsigned)rng_below(&r->rng, 4096 / e->bytes) + 1;

    for (unsigned i = 0; i < n; i++) {
        uint8_t d[64] = {0};

        e->make(r, d, n);
        mem_write(r->m->as, at + (uint64_t)e->bytes * i, d, e->bytes, (MemAttrs){0});
    }
}

void shape_scribble(Rig *r)
{
    uint64_t at = shape_page(r);
    unsigned n = (unsigned)rng_below(&r->rng, 128);

    for (unsigned i = 0; i < n; i++) {
        mem_store_le32(r->m->as, at + 4 * i, (uint32_t)shape_value(r), (MemAttrs){0});
    }
}
