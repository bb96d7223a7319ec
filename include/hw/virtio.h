/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio devices and their queues. Source: OASIS Virtual I/O Device (VIRTIO) Version 1.2; only the
 * modern interface (VIRTIO_F_VERSION_1), split and packed rings.
 *
 * A virtio device is one struct that begins with VirtioDevice and one VirtioClass; behind it two device
 * classes share struct, properties and hooks: NAME-pci, which carries its own PCI transport, and
 * NAME-device, which sits on a virtio-mmio slot of the board. See hw/virtio/rng.c for the smallest:
 *
 *   static void rng_kick(VirtioDevice *v, VirtQueue *q)
 *   {
 *       for (VirtElement *e; (e = virtq_pop(q, sizeof *e));) {
 *           ... fill e->in ...
 *           virtq_push(q, e, written);      // gives it back and frees it
 *       }
 *       virtq_notify(q);                    // one interrupt, if the driver wants one
 *   }
 *
 * One request, walked through: the driver writes descriptors and available index into RAM and kicks;
 * the transport calls VirtioClass.kick under the machine lock. virtq_pop() follows the chain (bounded
 * by the queue's size, indirect tables included), maps every buffer with dma_map() into e->out and
 * e->in, and hands over the element; virtq_push() unmaps, writes the used entry and index.
 *
 * A driver that breaks the rules (a loop, a descriptor outside RAM, a head out of range) gets
 * DEVICE_NEEDS_RESET and a configuration interrupt; the queues stand still until it resets the device.
 * Threads: everything with the machine lock held.
 */
#ifndef GEMEL_HW_VIRTIO_H
#define GEMEL_HW_VIRTIO_H

#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>

#include "core/device.h"
#include "hw/iov.h"
#include "hw/pci.h"

typedef struct VirtioDevice VirtioDevice;
typedef struct VirtQueue VirtQueue;
typedef struct VirtElement VirtElement;

/* Device types (VIRTIO_ID_*), feature bits of queues and transports (VIRTIO_F_*, VIRTIO_RING_F_*) and of
 * devices are the numbers of <linux/virtio_*.h>; a set of features is made with VIRTIO_BIT(). */
#define VIRTIO_BIT(feature) (1ull << (feature))

enum { /* device status (section 2.1) */
    VIRTIO_STATUS_ACKNOWLEDGE = 1, VIRTIO_STATUS_DRIVER = 2, VIRTIO_STATUS_DRIVER_OK = 4,
    VIRTIO_STATUS_FEATURES_OK = 8, VIRTIO_STATUS_NEEDS_RESET = 64, VIRTIO_STATUS_FAILED = 128
};

enum {
    VIRTIO_MAX_QUEUES = 256,
    VIRTIO_MAX_QUEUE_SIZE = 1024,
    VIRTIO_MAX_IOV = 1024, /* pieces of RAM one request may consist of */
    VIRTIO_MAX_CONFIG_BYTES = 256,
    VIRTIO_NO_VECTOR = 0xffff
};

typedef struct VirtioClass {
    uint16_t id;           /* VIRTIO_ID_* */
    uint16_t config_bytes; /* size of the device configuration space, at most VIRTIO_MAX_CONFIG_BYTES */
    uint16_t n_queues;     /* realize may choose another number: v->n_queues */
    uint16_t queue_size;   /* default maximum of each; realize may set v->queues[i].max_size */
    uint64_t features;     /* offered, beside the common ones; realize may add: v->host_features */
    bool     defer_kicks;  /* kicks are handled on the main loop, not on the vCPU that made them */
    bool   (*realize)(VirtioDevice *v, Error *err);
    void   (*unrealize)(VirtioDevice *v);
    /* Device reset by the driver or the machine: drop requests in flight, state to initial values. The
     * queues are reset after it returned; elements that live on must have been freed by then. */
    void   (*reset)(VirtioDevice *v);
    /* The driver made buffers available on q. Only while DRIVER_OK. */
    void   (*kick)(VirtioDevice *v, VirtQueue *q);
    /* Fills buf[0 .. config_bytes) with the configuration space as the driver reads it. */
    void   (*config_read)(VirtioDevice *v, uint8_t *buf);
    /* The driver wrote; buf is the whole space with the new bytes in [offset, offset + bytes). */
    void   (*config_write)(VirtioDevice *v, const uint8_t *buf, unsigned offset, unsigned bytes);
    /* FEATURES_OK is being set with v->features: false refuses them. NULL: all that were offered. */
    bool   (*features_ok)(VirtioDevice *v);
    /* DRIVER_OK became set, or cleared by something that is not a reset. */
    void   (*started)(VirtioDevice *v);
    /* Outputs from state after a restore: e.g. re-arm timers. */
    void   (*sync)(VirtioDevice *v);
    /* Before a save: waits for requests in flight. */
    void   (*quiesce)(VirtioDevice *v);
} VirtioClass;

/* PciClass of a NAME-pci class; made by VIRTIO_PCI_CLASS. */
typedef struct VirtioPciClass {
    PciClass           pci; /* must be first */
    const VirtioClass *virtio;
} VirtioPciClass;
/* Rest: further fields of the PciClass, e.g. .validate. */
#define VIRTIO_PCI_PART(type, code, ...) \
    {.vendor_id = 0x1af4, .device_id = 0x1040 + (type), .subsystem_vendor_id = 0x1af4, \
     .subsystem_id = 0x1100, .revision = 1, .class_code = (code), .intx = true, \
     .realize = virtio_pci_realize, .unrealize = virtio_pci_unrealize, .reset = virtio_pci_reset, \
     .sync = virtio_pci_sync, .config_written = virtio_pci_config_written, \
     .config_read = virtio_pci_config_read, __VA_ARGS__}
#define VIRTIO_PCI_CLASS(virtio_class, type, code) \
    {.pci = VIRTIO_PCI_PART(type, code, ), .virtio = (virtio_class)}

struct VirtQueue {
    VirtioDevice *v;
    VirtElement  *spare;     /* elements to use again */
    uint32_t in_flight;      /* popped and not yet given back */
    uint32_t kick_budget;    /* pops left in this kick; a busy driver does not hold the lock for ever */
    bool     in_kick, kick_pending;
    /* ---- state */
    uint16_t index;
    uint16_t max_size;       /* at most VIRTIO_MAX_QUEUE_SIZE */
    uint16_t size;           /* as the driver chose; split: power of two */
    uint16_t vector;         /* MSI-X, or VIRTIO_NO_VECTOR */
    bool     enabled;
    bool     quiet;          /* virtq_set_notification(q, false) */
    uint64_t desc, driver, device; /* descriptor ring or table; driver's and device's areas; gpa */
    uint16_t avail_idx, used_idx;  /* next to take, next to give back */
    bool     avail_wrap, used_wrap; /* packed */
    uint16_t unsignalled;    /* ring entries pushed since the last look for an interrupt */
};

/* A request. A device's own request struct begins with it. */
struct VirtElement {
    VirtElement  *next;       /* the device's while it owns the element */
    struct iovec *out, *in;   /* read by the device; written by the device */
    unsigned      n_out, n_in;
    size_t        out_bytes, in_bytes;
    /* the queue's */
    uint16_t      id, n_desc;
    size_t        allocated_bytes;
};

struct VirtioDevice {
    PciDevice  pci; /* must be first; without PCI only pci.dev is used */
    /* wiring */
    const VirtioClass *vclass;
    AddressSpace *as;       /* where its buffers are */
    void       (*irq_queue)(VirtioDevice *v, VirtQueue *q); /* the transport's */
    void       (*irq_config)(VirtioDevice *v);
    Device      *slot;      /* virtio-mmio slot; NULL: PCI */
    uint16_t     pci_cfg_cap; /* VIRTIO_PCI_CAP_PCI_CFG */
    VirtQueue   *queues;
    struct iovec *scratch;  /* VIRTIO_MAX_IOV, for virtq_pop() */
    struct VirtioLater *later; /* deferred kicks; outlives the device while they are on their way */
    unsigned     n_queues;
    uint64_t     host_features;
    char        *mmio_bus;  /* property bus of NAME-device */
    bool         packed, event_idx, indirect_desc; /* properties */
    MemRegion    pci_bar;   /* PCI transport: BAR 4 */
    uint32_t     pci_vectors; /* property; all ones: queues + 1 */
    /* state */
    uint64_t     features;  /* as negotiated */
    uint8_t      status;
    uint8_t      isr;
    uint8_t      generation;
    uint16_t     config_vector;
    uint16_t     queue_sel;
    uint32_t     device_feature_sel, driver_feature_sel;
};

/* Rows of every virtio device's tables, beside PCI_PROPS and PCI_STATE for the -pci class. */
#define VIRTIO_PROPS \
    {.name = "packed", .kind = PROP_BOOL, PROP(VirtioDevice, packed), .initial = "off", \
     .help = "offer packed rings"}, \
    {.name = "event_idx", .kind = PROP_BOOL, PROP(VirtioDevice, event_idx), .initial = "on", \
     .help = "offer event indexes"}, \
    {.name = "indirect_desc", .kind = PROP_BOOL, PROP(VirtioDevice, indirect_desc), \
     .initial = "on", .help = "offer indirect descriptors"}
#define VIRTIO_PCI_PROPS \
    PCI_PROPS, \
    {.name = "vectors", .kind = PROP_U32, PROP(VirtioDevice, pci_vectors), .initial = "0xffffffff", \
     .help = "MSI-X vectors; one more than queues"}, \
    VIRTIO_PROPS
#define VIRTIO_MMIO_PROPS \
    {.name = "bus", .kind = PROP_STRING, PROP(VirtioDevice, mmio_bus), \
     .help = "virtio-mmio slot, e.g. virtio-mmio-bus.0; the first free one"}, \
    VIRTIO_PROPS
#define VIRTIO_STATE \
    {.name = "virtio", .kind = STATE_CUSTOM, .save = virtio_state_save, .load = virtio_state_load}
#define VIRTIO_MMIO_HOOKS \
    .bus = BUS_VIRTIO, .realize = virtio_mmio_device_realize, \
    .unrealize = virtio_mmio_device_unrealize, .reset = virtio_mmio_device_reset, \
    .sync = virtio_mmio_device_sync, .quiesce = virtio_device_quiesce
#define VIRTIO_PCI_HOOKS PCI_DEVICE_HOOKS, .quiesce = virtio_device_quiesce

/* Was feature bit number `feature` negotiated? */
static inline bool virtio_has(const VirtioDevice *v, unsigned feature)
{
    return v->features >> feature & 1;
}
static inline bool virtio_is_running(const VirtioDevice *v)
{
    return (v->status & (VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_NEEDS_RESET)) ==
           VIRTIO_STATUS_DRIVER_OK;
}

/* ---- for devices */

/* The next request, or NULL: none (or the queue is broken or off). It is `bytes` long and begins with
 * a VirtElement; what follows that is zeroed. */
void *virtq_pop(VirtQueue *q, size_t bytes);
/* Gives it back with `written` bytes of `in` filled, and frees it. No interrupt yet. */
void virtq_push(VirtQueue *q, VirtElement *e, size_t written);
/* As virtq_push() of n elements that become visible to the driver at once (mergeable buffers). */
void virtq_push_many(VirtQueue *q, VirtElement *const *e, const size_t *written, unsigned n);
/* Frees it without giving it back: reset or a fatal error. */
void virtq_drop(VirtQueue *q, VirtElement *e);
/* Puts the element that was popped last back; it will be popped again. */
void virtq_unpop(VirtQueue *q, VirtElement *e);
/* Interrupt for what was pushed, unless the driver suppressed it. */
void virtq_notify(VirtQueue *q);
/* Nothing to pop right now? Cheap. */
bool virtq_empty(VirtQueue *q);
/* Asks the driver (not) to kick. After switching it on, look at virtq_empty() once more. */
void virtq_set_notification(VirtQueue *q, bool on);

/* The configuration space changed: new generation, interrupt. */
void virtio_config_changed(VirtioDevice *v);
/* The driver broke the rules. */
void virtio_error(VirtioDevice *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* In realize, before anything uses the queues; n at most VIRTIO_MAX_QUEUES. The class's number is
 * there already when realize is called. */
void virtio_set_queues(VirtioDevice *v, unsigned n, unsigned max_size);

/* ---- for transports (hw/virtio/{pci,mmio}.c) */
bool     virtio_device_init(VirtioDevice *v, const VirtioClass *c, AddressSpace *as, Error *err);
void     virtio_device_free(VirtioDevice *v);
void     virtio_device_reset(VirtioDevice *v);
void     virtio_device_quiesce(Device *d);
void     virtio_write_status(VirtioDevice *v, uint8_t status);
uint32_t virtio_read_features(VirtioDevice *v);               /* by device_feature_sel */
void     virtio_write_features(VirtioDevice *v, uint32_t value); /* by driver_feature_sel */
uint32_t virtio_config_read(VirtioDevice *v, unsigned offset, unsigned bytes);
void     virtio_config_write(VirtioDevice *v, unsigned offset, unsigned bytes, uint32_t value);
void     virtio_queue_enable(VirtioDevice *v, VirtQueue *q);
void     virtio_kick(VirtioDevice *v, unsigned queue);
MemAttrs virtio_attrs(const VirtioDevice *v);
bool     virtio_state_save(Device *d, StateStream *s);
bool     virtio_state_load(Device *d, StateStream *s, Error *err);
bool virtio_pci_realize(PciDevice *p, Error *err);
void virtio_pci_unrealize(PciDevice *p);
void virtio_pci_reset(PciDevice *p, ResetPhase phase);
void virtio_pci_sync(PciDevice *p);
void virtio_pci_config_written(PciDevice *p, unsigned offset, unsigned bytes);
bool virtio_pci_config_read(PciDevice *p, unsigned offset, unsigned bytes, uint32_t *value);
bool virtio_mmio_device_realize(Device *d, Error *err);
void virtio_mmio_device_unrealize(Device *d);
void virtio_mmio_device_reset(Device *d, ResetPhase phase);
void virtio_mmio_device_sync(Device *d);

/* The slot, class "virtio-mmio", internal: boards make and map some, connect pin "irq". class->fdt
 * writes the virtio,mmio node from base[0] and spi[0] (level, high). */
extern const DeviceClass virtio_mmio_class;

#endif
