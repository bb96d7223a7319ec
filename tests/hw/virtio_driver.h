/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tiny virtio driver for device tests: both transports, both ring formats, indirect descriptors.
 *
 *   VDrv *d = vdrv_new(rig, "virtio-rng-pci", NULL, flags);       // realize, reset
 *   vdrv_start(d, features);                                      // negotiates, queues, DRIVER_OK
 *   vdrv_add(d, 0, (VBuf[]){{gpa, bytes, write}}, 1); vdrv_kick(d, 0);
 *   vdrv_used(d, 0, &len) ...
 */
#ifndef GEMEL_TESTS_HW_VIRTIO_DRIVER_H
#define GEMEL_TESTS_HW_VIRTIO_DRIVER_H

#include <linux/virtio_mmio.h>
#include <linux/virtio_pci.h>

#include "hw_rig.h"

enum { VDRV_MMIO = 0, VDRV_PCI = 1, VDRV_PACKED = 2, VDRV_INDIRECT = 4, VDRV_EVENT_IDX = 8 };
enum { VDRV_QUEUES = 8, VDRV_SIZE = 16 };

typedef struct VBuf {
    uint64_t gpa;
    uint32_t bytes;
    bool     write; /* by the device */
} VBuf;

typedef struct VDrvQueue {
    uint64_t desc, driver, device;
    uint16_t avail, used;      /* free running (split) or position (packed) */
    bool     avail_wrap, used_wrap;
    uint16_t next_desc;
    uint16_t chain[VDRV_SIZE]; /* packed: ring entries of id */
} VDrvQueue;

typedef struct VDrv {
    HwRig    *r;
    Device   *dev;
    unsigned  flags, n_queues;
    uint64_t  bar, slot;       /* of the transport */
    VDrvQueue q[VDRV_QUEUES];
} VDrv;

/* props: as rig_add(); name without "-pci" or "-device" */
static inline VDrv *vdrv_new(HwRig *r, const char *name, const char *props, unsigned flags)
{
    VDrv *d = g_new0(VDrv, 1);
    g_autofree char *cls = g_strdup_printf("%s-%s", name, flags & VDRV_PCI ? "pci" : "device");
    g_autofree char *all = g_strdup_printf("packed=%s%s%s", flags & VDRV_PACKED ? "on" : "off",
                                           props ? "," : "", props ? props : "");

    d->r = r;
    d->flags = flags;
    d->dev = rig_add(r, cls, all);
    rig_reset(r);
    if (flags & VDRV_PCI) {
        unsigned fn = ((PciDevice *)d->dev)->devfn;
        d->bar = rig_map_bar(r, 0, fn, 4);
        rig_enable_msix(r, 0, fn);
    } else {
        for (unsigned i = 0; i < RIG_N_SLOTS; i++) {
            if (((VirtioDevice *)d->dev)->slot == r->slots[i]) {
                d->slot = RIG_SLOT(i);
            }
        }
    }
    return d;
}

static inline uint8_t vdrv_status(VDrv *d)
{
    return d->bar ? (uint8_t)rig_read(d->r, d->bar + VIRTIO_PCI_COMMON_STATUS, 1)
                  : (uint8_t)rig_read(d->r, d->slot + VIRTIO_MMIO_STATUS, 4);
}

static inline void vdrv_set_status(VDrv *d, uint8_t s)
{
    if (d->bar) {
        rig_write(d->r, d->bar + VIRTIO_PCI_COMMON_STATUS, 1, s);
    } else {
        rig_write(d->r, d->slot + VIRTIO_MMIO_STATUS, 4, s);
    }
}

static inline uint64_t vdrv_features(VDrv *d)
{
    uint64_t f = 0;

    for (unsigned i = 0; i < 2; i++) {
        uint64_t part;
        if (d->bar) {
            rig_write(d->r, d->bar + VIRTIO_PCI_COMMON_DFSELECT, 4, i);
            part = rig_read(d->r, d->bar + VIRTIO_PCI_COMMON_DF, 4);
        } else {
            rig_write(d->r, d->slot + VIRTIO_MMIO_DEVICE_FEATURES_SEL, 4, i);
            part = rig_read(d->r, d->slot + VIRTIO_MMIO_DEVICE_FEATURES, 4);
        }
        f |= part << 32 * i;
    }
    return f;
}

static inline void vdrv_set_features(VDrv *d, uint64_t f)
{
    for (unsigned i = 0; i < 2; i++) {
        uint32_t part = (uint32_t)(f >> 32 * i);
        if (d->bar) {
            rig_write(d->r, d->bar + VIRTIO_PCI_COMMON_GFSELECT, 4, i);
            rig_write(d->r, d->bar + VIRTIO_PCI_COMMON_GF, 4, part);
        } else {
            rig_write(d->r, d->slot + VIRTIO_MMIO_DRIVER_FEATURES_SEL, 4, i);
            rig_write(d->r, d->slot + VIRTIO_MMIO_DRIVER_FEATURES, 4, part);
        }
    }
}

static inline uint64_t vdrv_config(VDrv *d, unsigned offset, unsigned bytes)
{
    return rig_read(d->r, d->bar ? d->bar + 0x2000 + offset : d->slot + VIRTIO_MMIO_CONFIG + offset,
                    bytes);
}

static inline void vdrv_queue_pci(VDrv *d, unsigned n)
{
    VDrvQueue *q = &d->q[n];

    rig_write(d->r, d->bar + VIRTIO_PCI_COMMON_Q_SELECT, 2, n);
    rig_write(d->r, d->bar + VIRTIO_PCI_COMMON_Q_SIZE, 2, VDRV_SIZE);
    rig_write(d->r, d->bar + VIRTIO_PCI_COMMON_Q_MSIX, 2, n + 1);
    rig_write(d->r, d->bar + VIRTIO_PCI_COMMON_Q_DESCLO, 4, (uint32_t)q->desc);
    rig_write(d->r, d->bar + VIRTIO_PCI_COMMON_Q_DESCHI, 4, q->desc >> 32);
    rig_write(d->r, d->bar + VIRTIO_PCI_COMMON_Q_AVAILLO, 4, (uint32_t)q->driver);
    rig_write(d->r, d->bar + VIRTIO_PCI_COMMON_Q_AVAILHI, 4, q->driver >> 32);
    rig_write(d->r, d->bar + VIRTIO_PCI_COMMON_Q_USEDLO, 4, (uint32_t)q->device);
    rig_write(d->r, d->bar + VIRTIO_PCI_COMMON_Q_USEDHI, 4, q->device >> 32);
    rig_write(d->r, d->bar + VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
}

static inline void vdrv_queue_mmio(VDrv *d, unsigned n)
{
    VDrvQueue *q = &d->q[n];

    rig_write(d->r, d->slot + VIRTIO_MMIO_QUEUE_SEL, 4, n);
    rig_write(d->r, d->slot + VIRTIO_MMIO_QUEUE_NUM, 4, VDRV_SIZE);
    rig_write(d->r, d->slot + VIRTIO_MMIO_QUEUE_DESC_LOW, 4, (uint32_t)q->desc);
    rig_write(d->r, d->slot + VIRTIO_MMIO_QUEUE_AVAIL_LOW, 4, (uint32_t)q->driver);
    rig_write(d->r, d->slot + VIRTIO_MMIO_QUEUE_USED_LOW, 4, (uint32_t)q->device);
    rig_write(d->r, d->slot + VIRTIO_MMIO_QUEUE_READY, 4, 1);
}

static inline void vdrv_queue(VDrv *d, unsigned n)
{
    VDrvQueue *q = &d->q[n];

    *q = (VDrvQueue){.avail_wrap = true, .used_wrap = true};
    q->desc = rig_alloc(d->r, 16 * VDRV_SIZE, 4096);
    q->driver = rig_alloc(d->r, 6 + 2 * VDRV_SIZE, 16);
    q->device = rig_alloc(d->r, 6 + 8 * VDRV_SIZE, 16);
    memset(rig_host(d->r, q->desc), 0, 4096);
    if (d->bar) {
        vdrv_queue_pci(d, n);
    } else {
        vdrv_queue_mmio(d, n);
    }
}

/* Negotiates `features` and what the flags say, sets n queues up, goes. */
static inline void vdrv_start(VDrv *d, uint64_t features, unsigned n)
{
    features |= VIRTIO_BIT(VIRTIO_F_VERSION_1);
    features |= d->flags & VDRV_PACKED ? VIRTIO_BIT(VIRTIO_F_RING_PACKED) : 0;
    features |= d->flags & VDRV_INDIRECT ? VIRTIO_BIT(VIRTIO_RING_F_INDIRECT_DESC) : 0;
    features |= d->flags & VDRV_EVENT_IDX ? VIRTIO_BIT(VIRTIO_RING_F_EVENT_IDX) : 0;
    vdrv_set_status(d, 0);
    vdrv_set_status(d, 3);
    g_assert_cmphex(features & ~vdrv_features(d), ==, 0);
    vdrv_set_features(d, features);
    vdrv_set_status(d, 3 | VIRTIO_STATUS_FEATURES_OK);
    g_assert_true(vdrv_status(d) & VIRTIO_STATUS_FEATURES_OK);
    d->n_queues = n;
    for (unsigned i = 0; i < n; i++) {
        vdrv_queue(d, i);
    }
    vdrv_set_status(d, 3 | VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK);
}

static inline void vdrv_put_desc(VDrv *d, uint64_t at, const VBuf *b, uint16_t flags, uint16_t next)
{
    rig_write(d->r, at, 8, b->gpa);
    rig_write(d->r, at + 8, 4, b->bytes);
    if (d->flags & VDRV_PACKED) {
        rig_write(d->r, at + 12, 2, next); /* id */
        rig_write(d->r, at + 14, 2, flags);
    } else {
        rig_write(d->r, at + 12, 2, flags);
        rig_write(d->r, at + 14, 2, next);
    }
}

static inline void vdrv_add_packed(VDrv *d, VDrvQueue *q, const VBuf *b, unsigned n, uint16_t extra)
{
    uint64_t first = 0;
    uint16_t first_flags = 0, id = q->avail;

    q->chain[id] = (uint16_t)n;
    for (unsigned i = 0; i < n; i++) {
        uint64_t at = q->desc + 16ull * q->avail;
        uint16_t flags = (uint16_t)((q->avail_wrap ? 1 << 7 : 1 << 15) | extra |
                                    (i + 1 < n ? VRING_DESC_F_NEXT : 0) |
                                    (b[i].write ? VRING_DESC_F_WRITE : 0));
        vdrv_put_desc(d, at, &b[i], i ? flags : (uint16_t)rig_read(d->r, at + 14, 2), id);
        if (i == 0) {
            first = at + 14;
            first_flags = flags;
        }
        if (++q->avail == VDRV_SIZE) {
            q->avail = 0;
            q->avail_wrap = !q->avail_wrap;
        }
    }
    rig_write(d->r, first, 2, first_flags);
}

static inline void vdrv_add_split(VDrv *d, VDrvQueue *q, const VBuf *b, unsigned n, uint16_t extra)
{
    uint16_t head = q->next_desc;

    for (unsigned i = 0; i < n; i++) {
        uint16_t next = (uint16_t)((q->next_desc + 1) % VDRV_SIZE);
        uint16_t flags = (uint16_t)((b[i].write ? VRING_DESC_F_WRITE : 0) | extra |
                                    (i + 1 < n ? VRING_DESC_F_NEXT : 0));
        vdrv_put_desc(d, q->desc + 16ull * q->next_desc, &b[i], flags, next);
        q->next_desc = next;
    }
    rig_write(d->r, q->driver + 4 + 2 * (q->avail % VDRV_SIZE), 2, head);
    rig_write(d->r, q->driver + 2, 2, ++q->avail);
}

static inline void vdrv_add(VDrv *d, unsigned queue, const VBuf *b, unsigned n)
{
    VDrvQueue *q = &d->q[queue];
    VBuf table = {0};

    if (d->flags & VDRV_INDIRECT) {
        table = (VBuf){rig_alloc(d->r, 16 * n, 16), 16 * n, false};
        for (unsigned i = 0; i < n; i++) {
            vdrv_put_desc(d, table.gpa + 16 * i, &b[i],
                          (uint16_t)((b[i].write ? VRING_DESC_F_WRITE : 0) |
                                     (i + 1 < n ? VRING_DESC_F_NEXT : 0)),
                          (uint16_t)(i + 1));
        }
        b = &table;
        n = 1;
    }
    uint16_t extra = d->flags & VDRV_INDIRECT ? VRING_DESC_F_INDIRECT : 0;
    if (d->flags & VDRV_PACKED) {
        vdrv_add_packed(d, q, b, n, extra);
    } else {
        vdrv_add_split(d, q, b, n, extra);
    }
}

static inline void vdrv_kick(VDrv *d, unsigned queue)
{
    if (d->bar) {
        rig_write(d->r, d->bar + 0x3000 + 4 * queue, 2, queue);
    } else {
        rig_write(d->r, d->slot + VIRTIO_MMIO_QUEUE_NOTIFY, 4, queue);
    }
}

/* The next used entry; false: none. */
static inline bool vdrv_used(VDrv *d, unsigned queue, uint32_t *len)
{
    VDrvQueue *q = &d->q[queue];

    if (!(d->flags & VDRV_PACKED)) {
        if ((uint16_t)rig_read(d->r, q->device + 2, 2) == q->used) {
            return false;
        }
        *len = (uint32_t)rig_read(d->r, q->device + 8 + 8 * (q->used++ % VDRV_SIZE), 4);
        return true;
    }
    uint64_t at = q->desc + 16ull * q->used;
    unsigned flags = (unsigned)rig_read(d->r, at + 14, 2);
    if ((flags >> 7 & 1) != q->used_wrap || (flags >> 15 & 1) != q->used_wrap) {
        return false;
    }
    *len = (uint32_t)rig_read(d->r, at + 8, 4);
    q->used = (uint16_t)(q->used + q->chain[rig_read(d->r, at + 12, 2) % VDRV_SIZE]);
    if (q->used >= VDRV_SIZE) {
        q->used = (uint16_t)(q->used - VDRV_SIZE);
        q->used_wrap = !q->used_wrap;
    }
    return true;
}

/* Interrupts of queue n since the last call (MSI-X), or the level (MMIO, which is acknowledged). */
static inline unsigned vdrv_interrupts(VDrv *d, unsigned queue)
{
    unsigned n = 0;

    if (d->bar) {
        for (unsigned i = 0; i < d->r->n_msis; i++) {
            n += d->r->msis[i].data == 0x101 + queue;
        }
        d->r->n_msis = 0;
        return n;
    }
    n = (unsigned)rig_read(d->r, d->slot + VIRTIO_MMIO_INTERRUPT_STATUS, 4);
    rig_write(d->r, d->slot + VIRTIO_MMIO_INTERRUPT_ACK, 4, n);
    return n & 1;
}

#endif
