/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio over MMIO: the slot that a board maps, and how a NAME-device class sits on it.
 *
 * Source: VIRTIO 1.2, section 4.2. Version 2 (modern) only; an empty slot reads device id 0.
 * Registers are 32 bits wide and taken as such only; the device's configuration space from 0x100 on
 * takes any width.
 * Not modelled: shared memory regions (length reads as all ones: none).
 */
#include <linux/virtio_mmio.h>

#include "core/fdt.h"
#include "virtio_internal.h"

enum { SLOT_BYTES = 0x200, CONFIG = VIRTIO_MMIO_CONFIG, MAGIC = 0x74726976 /* "virt" */ };

typedef struct VirtioSlot {
    Device dev;      /* must be first */
    VirtioDevice *v; /* wiring: who sits here; NULL: empty */
    PinOut irq;      /* wiring */
} VirtioSlot;

static void slot_sync(Device *d)
{
    VirtioSlot *s = (VirtioSlot *)d;

    pin_set(&s->irq, s->v && s->v->isr);
}

static void slot_irq_queue(VirtioDevice *v, VirtQueue *q)
{
    (void)q;
    v->isr |= VIRTIO_MMIO_INT_VRING;
    slot_sync(v->slot);
}

static void slot_irq_config(VirtioDevice *v)
{
    v->isr |= VIRTIO_MMIO_INT_CONFIG;
    slot_sync(v->slot);
}

/* ---- registers */

static VirtQueue *selected(VirtioDevice *v)
{
    return v->queue_sel < v->n_queues ? &v->queues[v->queue_sel] : NULL;
}

static uint32_t reg_read(VirtioSlot *s, uint64_t offset)
{
    VirtioDevice *v = s->v;
    VirtQueue *q = v ? selected(v) : NULL;

    switch (offset) {
    case VIRTIO_MMIO_MAGIC_VALUE: return MAGIC;
    case VIRTIO_MMIO_VERSION: return 2;
    case VIRTIO_MMIO_DEVICE_ID: return v ? v->vclass->id : 0;
    case VIRTIO_MMIO_VENDOR_ID: return v ? 0x1af4 : 0;
    case VIRTIO_MMIO_DEVICE_FEATURES: return v ? virtio_read_features(v) : 0;
    case VIRTIO_MMIO_QUEUE_NUM_MAX: return q ? q->max_size : 0;
    case VIRTIO_MMIO_QUEUE_READY: return q ? q->enabled : 0;
    case VIRTIO_MMIO_INTERRUPT_STATUS: return v ? v->isr : 0;
    case VIRTIO_MMIO_STATUS: return v ? v->status : 0;
    case VIRTIO_MMIO_CONFIG_GENERATION: return v ? v->generation : 0;
    case VIRTIO_MMIO_SHM_LEN_LOW:
    case VIRTIO_MMIO_SHM_LEN_HIGH:
    case VIRTIO_MMIO_SHM_BASE_LOW:
    case VIRTIO_MMIO_SHM_BASE_HIGH: return UINT32_MAX;
    default: return 0;
    }
}

static void queue_address(uint64_t *address, bool high, uint32_t value)
{
    *address = deposit64(*address, high ? 32 : 0, 32, value);
}

static void queue_write(VirtioDevice *v, VirtQueue *q, uint64_t offset, uint32_t value)
{
    if (offset == VIRTIO_MMIO_QUEUE_READY) {
        if (value & 1) {
            virtio_queue_enable(v, q);
        } else {
            q->enabled = false;
        }
        return;
    }
    if (q->enabled) {
        device_guest_error(&v->pci.dev, "queue %u changed while it is ready", q->index);
        return;
    }
    switch (offset) {
    case VIRTIO_MMIO_QUEUE_NUM: q->size = value <= q->max_size ? (uint16_t)value : 0; break;
    case VIRTIO_MMIO_QUEUE_DESC_LOW:
    case VIRTIO_MMIO_QUEUE_DESC_HIGH:
        queue_address(&q->desc, offset == VIRTIO_MMIO_QUEUE_DESC_HIGH, value);
        break;
    case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
    case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
        queue_address(&q->driver, offset == VIRTIO_MMIO_QUEUE_AVAIL_HIGH, value);
        break;
    default: queue_address(&q->device, offset == VIRTIO_MMIO_QUEUE_USED_HIGH, value); break;
    }
}

static void reg_write(VirtioSlot *s, uint64_t offset, uint32_t value)
{
    VirtioDevice *v = s->v;
    VirtQueue *q = selected(v);

    switch (offset) {
    case VIRTIO_MMIO_DEVICE_FEATURES_SEL: v->device_feature_sel = value; break;
    case VIRTIO_MMIO_DRIVER_FEATURES: virtio_write_features(v, value); break;
    case VIRTIO_MMIO_DRIVER_FEATURES_SEL: v->driver_feature_sel = value; break;
    case VIRTIO_MMIO_QUEUE_SEL:
        v->queue_sel = value < VIRTIO_MAX_QUEUES ? (uint16_t)value : VIRTIO_MAX_QUEUES;
        break;
    case VIRTIO_MMIO_QUEUE_NUM:
    case VIRTIO_MMIO_QUEUE_READY:
    case VIRTIO_MMIO_QUEUE_DESC_LOW:
    case VIRTIO_MMIO_QUEUE_DESC_HIGH:
    case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
    case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
    case VIRTIO_MMIO_QUEUE_USED_LOW:
    case VIRTIO_MMIO_QUEUE_USED_HIGH:
        if (q) {
            queue_write(v, q, offset, value);
        }
        break;
    case VIRTIO_MMIO_QUEUE_NOTIFY: virtio_kick(v, value & 0xffff); break;
    case VIRTIO_MMIO_INTERRUPT_ACK: v->isr &= (uint8_t)~value; break;
    case VIRTIO_MMIO_STATUS: virtio_write_status(v, (uint8_t)value); break;
    default: device_guest_error(&s->dev, "write of 0x%x to 0x%03x", value, (unsigned)offset); break;
    }
    slot_sync(&s->dev);
}

static MemResult slot_read(Device *d, uint64_t offset, unsigned bytes, uint64_t *value,
                           MemAttrs attrs)
{
    VirtioSlot *s = (VirtioSlot *)d;

    (void)attrs;
    *value = 0;
    if (offset >= CONFIG) {
        *value = s->v ? virtio_config_read(s->v, (unsigned)offset - CONFIG, bytes) : 0;
    } else if (bytes == 4) {
        *value = reg_read(s, offset);
    } else {
        device_guest_error(d, "read of %u bytes at 0x%03x", bytes, (unsigned)offset);
    }
    return MEM_OK;
}

static MemResult slot_write(Device *d, uint64_t offset, unsigned bytes, uint64_t value,
                            MemAttrs attrs)
{
    VirtioSlot *s = (VirtioSlot *)d;

    (void)attrs;
    if (!s->v) {
        return MEM_OK;
    }
    if (offset >= CONFIG) {
        virtio_config_write(s->v, (unsigned)offset - CONFIG, bytes, (uint32_t)value);
    } else if (bytes == 4) {
        reg_write(s, offset, (uint32_t)value);
    } else {
        device_guest_error(d, "write of %u bytes at 0x%03x", bytes, (unsigned)offset);
    }
    return MEM_OK;
}

/* ---- the slot */

static void slot_fdt(Device *d, Fdt *fdt)
{
    enum { GIC_SPI = 0, LEVEL_HIGH = 4 };

    fdt_node_unit(fdt, "", "virtio_mmio", d->base[0]);
    fdt_string(fdt, "compatible", "virtio,mmio");
    fdt_cells64(fdt, "reg", (const uint64_t[]){d->base[0], SLOT_BYTES}, 2);
    fdt_cells(fdt, "interrupts", (const uint32_t[]){GIC_SPI, d->spi[0], LEVEL_HIGH}, 3);
    fdt_flag(fdt, "dma-coherent");
}

static const MmioDesc slot_mmio[] = {
    {.name = "virtio-mmio",
     .bytes = SLOT_BYTES,
     .min_bytes = 1,
     .max_bytes = 4,
     .read = slot_read,
     .write = slot_write},
    {0},
};

static const PinDesc slot_pins[] = {
    {.name = "irq", .out = true, .offset = offsetof(VirtioSlot, irq)},
    {0},
};

const DeviceClass virtio_mmio_class = {
    .name = "virtio-mmio",
    .title = "Slot for a virtio device in memory space",
    .category = "bridge",
    .bytes = sizeof(VirtioSlot),
    .bus = BUS_SYSTEM,
    .internal = true,
    .mmio = slot_mmio,
    .pins = slot_pins,
    .sync = slot_sync,
    .fdt = slot_fdt,
};

/* ---- NAME-device */

static VirtioSlot *find_slot(Machine *m, const char *bus)
{
    unsigned n = 0;
    char name[40];

    for (Device *d = m->devices; d; d = d->next) {
        if (d->cls != &virtio_mmio_class) {
            continue;
        }
        VirtioSlot *s = (VirtioSlot *)d;
        snprintf(name, sizeof name, "virtio-mmio-bus.%u", n++);
        if (bus && *bus ? !strcmp(bus, name) : !s->v) {
            return s;
        }
    }
    return NULL;
}

bool virtio_mmio_device_realize(Device *d, Error *err)
{
    VirtioDevice *v = (VirtioDevice *)d;
    VirtioSlot *s = find_slot(d->machine, v->mmio_bus);

    if (!s || s->v) {
        return error_set(err, "%s",
                         s ? "the bus it names is taken"
                           : "no free virtio-mmio slot of that name on this machine (bus=...)");
    }
    v->slot = &s->dev;
    v->irq_queue = slot_irq_queue;
    v->irq_config = slot_irq_config;
    if (!virtio_device_init(v, d->cls->bus_class, d->machine->as, err)) {
        v->slot = NULL;
        return false;
    }
    s->v = v;
    d->bus_owner = &s->dev;
    return true;
}

void virtio_mmio_device_unrealize(Device *d)
{
    VirtioDevice *v = (VirtioDevice *)d;
    VirtioSlot *s = (VirtioSlot *)v->slot;

    virtio_device_free(v);
    s->v = NULL;
    slot_sync(&s->dev);
}

void virtio_mmio_device_reset(Device *d, ResetPhase phase)
{
    VirtioDevice *v = (VirtioDevice *)d;

    if (phase == RESET_ENTER) {
        virtio_device_reset(v);
    } else {
        slot_sync(v->slot);
    }
}

void virtio_mmio_device_sync(Device *d)
{
    VirtioDevice *v = (VirtioDevice *)d;

    slot_sync(v->slot);
    if (v->vclass->sync) {
        v->vclass->sync(v);
    }
}
