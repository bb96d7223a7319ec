/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio over PCI: the modern interface that a NAME-pci device shows of itself.
 *
 * Source: VIRTIO 1.2, section 4.1. BAR 4 (64-bit): common configuration at 0, ISR at 0x1000, device
 * configuration at 0x2000, notification at 0x3000, 4 bytes a queue; BAR 1: MSI-X.
 * Not modelled: the legacy interface in I/O space, shared memory capabilities.
 */
#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>

#include "virtio_internal.h"

#define BAR_REGION 4
enum {
    COMMON = 0x0000,
    ISR = 0x1000,
    CONFIG = 0x2000,
    NOTIFY = 0x3000,
    PART_BYTES = 0x1000,
    BAR_BYTES = 0x4000,
    NOTIFY_MULTIPLIER = 4,
    COMMON_BYTES = 0x38,
    MSIX_BAR = 1
};

static const VirtioPciClass *pci_vclass(const PciDevice *p)
{
    return (const VirtioPciClass *)pci_class(p);
}

/* ---- interrupts */

static void irq(VirtioDevice *v, uint16_t vector, uint8_t isr)
{
    if (pci_msix_enabled(&v->pci)) {
        pci_msix_notify(&v->pci, vector);
    } else {
        v->isr |= isr;
        pci_intx_set(&v->pci, true);
    }
}

static void irq_queue(VirtioDevice *v, VirtQueue *q)
{
    irq(v, q->vector, 1);
}

static void irq_config(VirtioDevice *v)
{
    irq(v, v->config_vector, 2);
}

/* ---- common configuration */

static VirtQueue *selected(VirtioDevice *v)
{
    return v->queue_sel < v->n_queues ? &v->queues[v->queue_sel] : NULL;
}

static void common_image(VirtioDevice *v, uint8_t *c)
{
    const VirtQueue *q = selected(v);

    store_le32(c + VIRTIO_PCI_COMMON_DFSELECT, v->device_feature_sel);
    store_le32(c + VIRTIO_PCI_COMMON_DF, virtio_read_features(v));
    store_le32(c + VIRTIO_PCI_COMMON_GFSELECT, v->driver_feature_sel);
    store_le32(c + VIRTIO_PCI_COMMON_GF, v->driver_feature_sel < 2
                                             ? (uint32_t)(v->features >> 32 * v->driver_feature_sel)
                                             : 0);
    store_le16(c + VIRTIO_PCI_COMMON_MSIX, v->config_vector);
    store_le16(c + VIRTIO_PCI_COMMON_NUMQ, (uint16_t)v->n_queues);
    c[VIRTIO_PCI_COMMON_STATUS] = v->status;
    c[VIRTIO_PCI_COMMON_CFGGENERATION] = v->generation;
    store_le16(c + VIRTIO_PCI_COMMON_Q_SELECT, v->queue_sel);
    if (q) {
        store_le16(c + VIRTIO_PCI_COMMON_Q_SIZE, q->size);
        store_le16(c + VIRTIO_PCI_COMMON_Q_MSIX, q->vector);
        store_le16(c + VIRTIO_PCI_COMMON_Q_ENABLE, q->enabled);
        store_le16(c + VIRTIO_PCI_COMMON_Q_NOFF, q->index);
        store_le64(c + VIRTIO_PCI_COMMON_Q_DESCLO, q->desc);
        store_le64(c + VIRTIO_PCI_COMMON_Q_AVAILLO, q->driver);
        store_le64(c + VIRTIO_PCI_COMMON_Q_USEDLO, q->device);
    }
}

/* A vector that does not exist reads back as none: that is how the driver learns. */
static uint16_t checked_vector(const VirtioDevice *v, uint32_t value)
{
    return value < v->pci.msix.n_vectors ? (uint16_t)value : VIRTIO_NO_VECTOR;
}

static void address_write(uint64_t *address, unsigned part, unsigned bytes, uint64_t value)
{
    *address = bytes == 8 ? value : deposit64(*address, part, 32, value);
}

static void queue_write(VirtioDevice *v, VirtQueue *q, unsigned offset, unsigned bytes,
                        uint64_t value)
{
    unsigned part = offset & 4 ? 32 : 0;

    if (offset == VIRTIO_PCI_COMMON_Q_MSIX) {
        q->vector = checked_vector(v, (uint32_t)value);
        return;
    }
    if (q->enabled) {
        device_guest_error(&v->pci.dev, "queue %u changed while it is enabled", q->index);
        return;
    }
    switch (offset) {
    case VIRTIO_PCI_COMMON_Q_SIZE: q->size = value <= q->max_size ? (uint16_t)value : 0; break;
    case VIRTIO_PCI_COMMON_Q_ENABLE:
        if (value == 1) {
            virtio_queue_enable(v, q);
        }
        break;
    case VIRTIO_PCI_COMMON_Q_DESCLO:
    case VIRTIO_PCI_COMMON_Q_DESCHI: address_write(&q->desc, part, bytes, value); break;
    case VIRTIO_PCI_COMMON_Q_AVAILLO:
    case VIRTIO_PCI_COMMON_Q_AVAILHI: address_write(&q->driver, part, bytes, value); break;
    case VIRTIO_PCI_COMMON_Q_USEDLO:
    case VIRTIO_PCI_COMMON_Q_USEDHI: address_write(&q->device, part, bytes, value); break;
    default: break;
    }
}

static void status_write(VirtioDevice *v, uint8_t status)
{
    virtio_write_status(v, status);
    if (!status) {
        pci_intx_set(&v->pci, false);
    }
}

static void common_write(VirtioDevice *v, unsigned offset, unsigned bytes, uint64_t value)
{
    switch (offset) {
    case VIRTIO_PCI_COMMON_DFSELECT: v->device_feature_sel = (uint32_t)value; break;
    case VIRTIO_PCI_COMMON_GFSELECT: v->driver_feature_sel = (uint32_t)value; break;
    case VIRTIO_PCI_COMMON_GF: virtio_write_features(v, (uint32_t)value); break;
    case VIRTIO_PCI_COMMON_MSIX: v->config_vector = checked_vector(v, (uint32_t)value); break;
    case VIRTIO_PCI_COMMON_STATUS: status_write(v, (uint8_t)value); break;
    case VIRTIO_PCI_COMMON_Q_SELECT: v->queue_sel = (uint16_t)value; break;
    default:
        if (selected(v)) {
            queue_write(v, selected(v), offset, bytes, value);
        }
        break;
    }
}

/* ---- BAR 4 */

static MemResult bar_read(void *opaque, uint64_t offset, unsigned bytes, uint64_t *value,
                          MemAttrs attrs)
{
    VirtioDevice *v = opaque;
    uint8_t common[COMMON_BYTES + 8] = {0};

    (void)attrs;
    *value = 0;
    switch (align_down(offset, PART_BYTES)) {
    case COMMON:
        if (offset < COMMON_BYTES) {
            common_image(v, common);
            memcpy(value, common + offset, bytes);
        }
        break;
    case ISR:
        *value = v->isr;
        v->isr = 0;
        pci_intx_set(&v->pci, false);
        break;
    case CONFIG:
        *value = virtio_config_read(v, (unsigned)offset - CONFIG, bytes < 4 ? bytes : 4);
        if (bytes == 8) {
            *value |= (uint64_t)virtio_config_read(v, (unsigned)offset - CONFIG + 4, 4) << 32;
        }
        break;
    default: break;
    }
    return MEM_OK;
}

static MemResult bar_write(void *opaque, uint64_t offset, unsigned bytes, uint64_t value,
                           MemAttrs attrs)
{
    VirtioDevice *v = opaque;

    (void)attrs;
    switch (align_down(offset, PART_BYTES)) {
    case COMMON: common_write(v, (unsigned)offset, bytes, value); break;
    case CONFIG:
        virtio_config_write(v, (unsigned)offset - CONFIG, bytes < 4 ? bytes : 4, (uint32_t)value);
        break;
    case NOTIFY: virtio_kick(v, (unsigned)(offset - NOTIFY) / NOTIFY_MULTIPLIER); break;
    default: break;
    }
    return MEM_OK;
}

static const MemIo bar_ops = {.read = bar_read, .write = bar_write, .min_bytes = 1, .max_bytes = 8};

/* ---- capabilities, and the window into the BAR through configuration space (4.1.4.9) */

static unsigned add_cap(PciDevice *p, unsigned type, uint32_t offset, uint32_t length,
                        unsigned bytes)
{
    unsigned cap = pci_add_cap(p, PCI_CAP_ID_VNDR, bytes);
    uint8_t *c = p->config + cap;

    c[VIRTIO_PCI_CAP_LEN] = (uint8_t)bytes;
    c[VIRTIO_PCI_CAP_CFG_TYPE] = (uint8_t)type;
    c[VIRTIO_PCI_CAP_BAR] = BAR_REGION;
    store_le32(c + VIRTIO_PCI_CAP_OFFSET, offset);
    store_le32(c + VIRTIO_PCI_CAP_LENGTH, length);
    return cap;
}

static void add_caps(VirtioDevice *v)
{
    PciDevice *p = &v->pci;

    add_cap(p, VIRTIO_PCI_CAP_COMMON_CFG, COMMON, PART_BYTES, 16);
    add_cap(p, VIRTIO_PCI_CAP_ISR_CFG, ISR, PART_BYTES, 16);
    if (v->vclass->config_bytes) {
        add_cap(p, VIRTIO_PCI_CAP_DEVICE_CFG, CONFIG, PART_BYTES, 16);
    }
    unsigned notify = add_cap(p, VIRTIO_PCI_CAP_NOTIFY_CFG, NOTIFY, PART_BYTES, 20);
    store_le32(p->config + notify + VIRTIO_PCI_NOTIFY_CAP_MULT, NOTIFY_MULTIPLIER);

    unsigned window = add_cap(p, VIRTIO_PCI_CAP_PCI_CFG, 0, 0, 20);
    v->pci_cfg_cap = (uint16_t)window;
    p->config[window + VIRTIO_PCI_CAP_BAR] = 0;
    p->wmask[window + VIRTIO_PCI_CAP_BAR] = 0xff;
    store_le64(p->wmask + window + VIRTIO_PCI_CAP_OFFSET, UINT64_MAX); /* offset and length */
    store_le32(p->wmask + window + sizeof(struct virtio_pci_cap), UINT32_MAX); /* pci_cfg_data */
}

/* The window's target when it is one that may be accessed. */
static bool window_target(const VirtioDevice *v, unsigned offset, uint32_t *at, uint32_t *bytes)
{
    const uint8_t *c = v->pci.config + v->pci_cfg_cap;

    *at = load_le32(c + VIRTIO_PCI_CAP_OFFSET);
    *bytes = load_le32(c + VIRTIO_PCI_CAP_LENGTH);
    return offset == v->pci_cfg_cap + sizeof(struct virtio_pci_cap) &&
           c[VIRTIO_PCI_CAP_BAR] == BAR_REGION && (*bytes == 1 || *bytes == 2 || *bytes == 4) &&
           *at % *bytes == 0 && *at <= BAR_BYTES - *bytes;
}

bool virtio_pci_config_read(PciDevice *p, unsigned offset, unsigned bytes, uint32_t *value)
{
    VirtioDevice *v = (VirtioDevice *)p;
    uint32_t at, width;
    uint64_t data;

    (void)bytes;
    if (!window_target(v, offset, &at, &width)) {
        return false;
    }
    bar_read(v, at, width, &data, MEM_ATTRS_NONE);
    *value = (uint32_t)data;
    return true;
}

void virtio_pci_config_written(PciDevice *p, unsigned offset, unsigned bytes)
{
    VirtioDevice *v = (VirtioDevice *)p;
    uint32_t at, width;

    (void)bytes;
    if (window_target(v, offset, &at, &width)) {
        uint32_t value = load_le32(p->config + offset) & (uint32_t)mask64(8 * width);
        bar_write(v, at, width, value, MEM_ATTRS_NONE);
    }
}

/* ---- PciClass hooks */

bool virtio_pci_realize(PciDevice *p, Error *err)
{
    VirtioDevice *v = (VirtioDevice *)p;

    v->irq_queue = irq_queue;
    v->irq_config = irq_config;
    if (!virtio_device_init(v, pci_vclass(p)->virtio, p->as, err)) {
        return false;
    }
    unsigned vectors = v->pci_vectors == UINT32_MAX ? v->n_queues + 1 : v->pci_vectors;
    if (vectors && !pci_msix_init(p, MSIX_BAR, vectors, err)) {
        virtio_device_free(v);
        return false;
    }
    mem_region_init_io(&v->pci_bar, "virtio-pci", BAR_BYTES, &bar_ops, v);
    pci_bar_add(p, BAR_REGION, PCI_BAR_MEM64_PREFETCH, &v->pci_bar);
    add_caps(v);
    return true;
}

void virtio_pci_unrealize(PciDevice *p)
{
    virtio_device_free((VirtioDevice *)p);
}

void virtio_pci_reset(PciDevice *p, ResetPhase phase)
{
    if (phase == RESET_ENTER) {
        virtio_device_reset((VirtioDevice *)p);
    }
}

void virtio_pci_sync(PciDevice *p)
{
    VirtioDevice *v = (VirtioDevice *)p;

    p->intx_level = v->isr != 0;
    if (v->vclass->sync) {
        v->vclass->sync(v);
    }
}
