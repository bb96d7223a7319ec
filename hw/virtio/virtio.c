/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtio device behind its transport: status, feature negotiation, configuration space, kicks,
 * saved state. VIRTIO 1.2, chapter 2 and section 3.1.
 *
 * Not modelled: the legacy interface, NOTIFICATION_DATA, IN_ORDER, RING_RESET, SR-IOV, shared
 * memory.
 */
#include "virtio_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Deferred kicks may be on their way to the main loop when the device goes. */
typedef struct VirtioLater {
    VirtioDevice *v; /* NULL: gone */
    bool queued;
} VirtioLater;

MemAttrs virtio_attrs(const VirtioDevice *v)
{
    return v->slot ? MEM_ATTRS_NONE : pci_attrs(&v->pci);
}

/* ---- errors, configuration changes */

void virtio_error(VirtioDevice *v, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    if (v->status & VIRTIO_STATUS_NEEDS_RESET) {
        return;
    }
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    device_guest_error(&v->pci.dev, "%s; the device wants a reset", text);
    v->status |= VIRTIO_STATUS_NEEDS_RESET;
    if (v->status & VIRTIO_STATUS_DRIVER_OK) {
        v->irq_config(v);
    }
}

void virtio_config_changed(VirtioDevice *v)
{
    v->generation++;
    if (v->status & VIRTIO_STATUS_DRIVER_OK) {
        v->irq_config(v);
    }
}

/* ---- life */

void virtio_set_queues(VirtioDevice *v, unsigned n, unsigned max_size)
{
    assert(n && n <= VIRTIO_MAX_QUEUES && max_size && max_size <= VIRTIO_MAX_QUEUE_SIZE);
    free(v->queues);
    v->queues = calloc(n, sizeof *v->queues);
    v->n_queues = v->queues ? n : 0;
    for (unsigned i = 0; i < v->n_queues; i++) {
        v->queues[i].v = v;
        v->queues[i].index = (uint16_t)i;
        v->queues[i].max_size = (uint16_t)max_size;
    }
}

static void queue_reset(VirtQueue *q)
{
    assert(!q->in_flight);
    q->size = q->max_size;
    q->vector = VIRTIO_NO_VECTOR;
    q->enabled = q->quiet = q->kick_pending = false;
    q->desc = q->driver = q->device = 0;
    q->avail_idx = q->used_idx = q->unsignalled = 0;
    q->avail_wrap = q->used_wrap = true;
}

bool virtio_device_init(VirtioDevice *v, const VirtioClass *c, AddressSpace *as, Error *err)
{
    v->vclass = c;
    v->as = as;
    v->host_features = c->features | VIRTIO_BIT(VIRTIO_F_VERSION_1) |
                       (v->packed ? VIRTIO_BIT(VIRTIO_F_RING_PACKED) : 0) |
                       (v->event_idx ? VIRTIO_BIT(VIRTIO_RING_F_EVENT_IDX) : 0) |
                       (v->indirect_desc ? VIRTIO_BIT(VIRTIO_RING_F_INDIRECT_DESC) : 0);
    virtio_set_queues(v, c->n_queues, c->queue_size);
    v->scratch = calloc(VIRTIO_MAX_IOV, sizeof *v->scratch);
    v->later = calloc(1, sizeof *v->later);
    if (!v->queues || !v->scratch || !v->later) {
        virtio_device_free(v);
        return error_set(err, "%s: no memory", v->pci.dev.id);
    }
    v->later->v = v;
    if (c->realize && !c->realize(v, err)) {
        v->vclass = NULL;
        virtio_device_free(v);
        return false;
    }
    for (unsigned i = 0; i < v->n_queues; i++) {
        queue_reset(&v->queues[i]);
    }
    return true;
}

void virtio_device_free(VirtioDevice *v)
{
    if (v->vclass && v->vclass->reset && v->queues) {
        v->vclass->reset(v);
    }
    if (v->vclass && v->vclass->unrealize) {
        v->vclass->unrealize(v);
    }
    for (unsigned i = 0; i < v->n_queues; i++) {
        for (VirtElement *e = v->queues[i].spare, *next; e; e = next) {
            next = e->next;
            free(e);
        }
    }
    free(v->queues);
    free(v->scratch);
    if (v->later && v->later->queued) {
        v->later->v = NULL; /* the callback frees it */
    } else {
        free(v->later);
    }
    v->queues = NULL;
    v->scratch = NULL;
    v->later = NULL;
    v->n_queues = 0;
}

void virtio_device_reset(VirtioDevice *v)
{
    if (v->vclass->reset) {
        v->vclass->reset(v);
    }
    v->status = 0;
    v->isr = 0;
    v->features = 0;
    v->config_vector = VIRTIO_NO_VECTOR;
    v->queue_sel = 0;
    v->device_feature_sel = v->driver_feature_sel = 0;
    for (unsigned i = 0; i < v->n_queues; i++) {
        queue_reset(&v->queues[i]);
    }
}

void virtio_device_quiesce(Device *d)
{
    VirtioDevice *v = (VirtioDevice *)d;

    if (v->vclass->quiesce) {
        v->vclass->quiesce(v);
    }
}

/* ---- status, features */

static bool features_acceptable(VirtioDevice *v)
{
    return !(v->features & ~v->host_features) && virtio_has(v, VIRTIO_F_VERSION_1) &&
           (!v->vclass->features_ok || v->vclass->features_ok(v));
}

void virtio_write_status(VirtioDevice *v, uint8_t status)
{
    uint8_t old = v->status;

    if (!status) {
        virtio_device_reset(v);
        return;
    }
    status |= old & VIRTIO_STATUS_NEEDS_RESET;
    if (status & ~old & VIRTIO_STATUS_FEATURES_OK && !features_acceptable(v)) {
        status &= (uint8_t)~VIRTIO_STATUS_FEATURES_OK;
    }
    v->status = status;
    if ((status ^ old) & VIRTIO_STATUS_DRIVER_OK && v->vclass->started) {
        v->vclass->started(v);
    }
}

uint32_t virtio_read_features(VirtioDevice *v)
{
    return v->device_feature_sel < 2 ? (uint32_t)(v->host_features >> 32 * v->device_feature_sel)
                                     : 0;
}

void virtio_write_features(VirtioDevice *v, uint32_t value)
{
    if (v->status & VIRTIO_STATUS_FEATURES_OK) {
        device_guest_error(&v->pci.dev, "features written after FEATURES_OK");
        return;
    }
    if (v->driver_feature_sel < 2) {
        v->features = deposit64(v->features, 32 * v->driver_feature_sel, 32, value);
    }
}

/* ---- configuration space */

uint32_t virtio_config_read(VirtioDevice *v, unsigned offset, unsigned bytes)
{
    uint8_t space[VIRTIO_MAX_CONFIG_BYTES + 8] = {0};
    uint32_t value = 0;

    if (v->vclass->config_read && offset < v->vclass->config_bytes) {
        v->vclass->config_read(v, space);
        memcpy(&value, space + offset, bytes);
    }
    return value;
}

void virtio_config_write(VirtioDevice *v, unsigned offset, unsigned bytes, uint32_t value)
{
    uint8_t space[VIRTIO_MAX_CONFIG_BYTES + 8] = {0};

    if (v->vclass->config_write && offset + bytes <= v->vclass->config_bytes) {
        if (v->vclass->config_read) {
            v->vclass->config_read(v, space);
        }
        memcpy(space + offset, &value, bytes);
        v->vclass->config_write(v, space, offset, bytes);
    }
}

/* ---- queues */

void virtio_queue_enable(VirtioDevice *v, VirtQueue *q)
{
    bool packed = virtio_has(v, VIRTIO_F_RING_PACKED);
    uint64_t align = packed ? 3 : 1;

    if (!q->size || q->size > q->max_size || (!packed && !is_pow2(q->size)) || q->desc & 15 ||
        q->driver & align || q->device & 3) {
        virtio_error(v, "queue %u: bad size %u or alignment", q->index, q->size);
        return;
    }
    q->enabled = true;
}

static void run_kick(VirtQueue *q)
{
    VirtioDevice *v = q->v;

    q->kick_pending = false;
    if (!q->enabled || !virtio_is_running(v) || !v->vclass->kick) {
        return;
    }
    q->in_kick = true;
    q->kick_budget = 2u * q->size;
    v->vclass->kick(v, q);
    q->in_kick = false;
}

static void later_run(void *opaque)
{
    VirtioLater *later = opaque;

    later->queued = false;
    if (!later->v) {
        free(later);
        return;
    }
    for (unsigned i = 0; i < later->v->n_queues; i++) {
        if (later->v->queues[i].kick_pending) {
            run_kick(&later->v->queues[i]);
        }
    }
}

void virtio_kick_later(VirtQueue *q)
{
    VirtioLater *later = q->v->later;

    q->kick_pending = true;
    if (!later->queued) {
        later->queued = true;
        machine_defer(q->v->pci.dev.machine, later_run, later);
    }
}

void virtio_kick(VirtioDevice *v, unsigned queue)
{
    if (queue >= v->n_queues || !v->queues[queue].enabled || !virtio_is_running(v)) {
        return;
    }
    if (v->vclass->defer_kicks) {
        virtio_kick_later(&v->queues[queue]);
    } else {
        run_kick(&v->queues[queue]);
    }
}

/* ---- state */

static bool queue_save(const VirtQueue *q, StateStream *s)
{
    uint32_t flags = q->enabled | q->quiet << 1 | q->avail_wrap << 2 | q->used_wrap << 3;

    return state_put_u32(s, q->size) && state_put_u32(s, q->vector) && state_put_u32(s, flags) &&
           state_put_u64(s, q->desc) && state_put_u64(s, q->driver) &&
           state_put_u64(s, q->device) &&
           state_put_u32(s, q->avail_idx | (uint32_t)q->used_idx << 16) &&
           state_put_u32(s, q->unsignalled);
}

bool virtio_state_save(Device *d, StateStream *s)
{
    VirtioDevice *v = (VirtioDevice *)d;
    bool ok = state_put_u64(s, v->features) && state_put_u32(s, v->status) &&
              state_put_u32(s, v->isr) && state_put_u32(s, v->generation) &&
              state_put_u32(s, v->config_vector) && state_put_u32(s, v->queue_sel) &&
              state_put_u32(s, v->device_feature_sel) && state_put_u32(s, v->driver_feature_sel) &&
              state_put_u32(s, v->n_queues);

    for (unsigned i = 0; ok && i < v->n_queues; i++) {
        ok = queue_save(&v->queues[i], s);
    }
    return ok;
}

static bool queue_load(VirtQueue *q, StateStream *s)
{
    uint32_t size, vector, flags, idx, unsignalled;

    if (!state_get_u32(s, &size) || !state_get_u32(s, &vector) || !state_get_u32(s, &flags) ||
        !state_get_u64(s, &q->desc) || !state_get_u64(s, &q->driver) ||
        !state_get_u64(s, &q->device) || !state_get_u32(s, &idx) ||
        !state_get_u32(s, &unsignalled)) {
        return false;
    }
    q->size = (uint16_t)size;
    q->vector = (uint16_t)vector;
    q->enabled = flags & 1;
    q->quiet = flags >> 1 & 1;
    q->avail_wrap = flags >> 2 & 1;
    q->used_wrap = flags >> 3 & 1;
    q->avail_idx = (uint16_t)idx;
    q->used_idx = (uint16_t)(idx >> 16);
    q->unsignalled = (uint16_t)unsignalled;
    return true;
}

/* What a hostile stream must not bring in: sizes and positions outside the ring. */
static bool queue_valid(const VirtQueue *q)
{
    bool packed = virtq_is_packed(q);

    if (!q->enabled) {
        return true;
    }
    return q->size && q->size <= q->max_size && (packed || is_pow2(q->size)) &&
           (!packed || (q->avail_idx < q->size && q->used_idx < q->size));
}

bool virtio_state_load(Device *d, StateStream *s, Error *err)
{
    VirtioDevice *v = (VirtioDevice *)d;
    uint32_t w[8];

    if (!state_get_u64(s, &v->features)) {
        return error_set(err, "%s: saved virtio state is cut short", d->id);
    }
    for (unsigned i = 0; i < 8; i++) {
        if (!state_get_u32(s, &w[i])) {
            return error_set(err, "%s: saved virtio state is cut short", d->id);
        }
    }
    v->status = (uint8_t)w[0];
    v->isr = (uint8_t)w[1];
    v->generation = (uint8_t)w[2];
    v->config_vector = (uint16_t)w[3];
    v->queue_sel = (uint16_t)w[4];
    v->device_feature_sel = w[5];
    v->driver_feature_sel = w[6];
    /* What the driver wrote before FEATURES_OK was not looked at yet; it may be anything. */
    bool settled = v->status & (VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK);
    if (w[7] != v->n_queues || (settled && v->features & ~v->host_features)) {
        return error_set(err,
                         "%s: saved state has %u queues and features 0x%llx; here are %u, 0x%llx",
                         d->id, w[7], (unsigned long long)v->features, v->n_queues,
                         (unsigned long long)v->host_features);
    }
    for (unsigned i = 0; i < v->n_queues; i++) {
        if (!queue_load(&v->queues[i], s) || !queue_valid(&v->queues[i])) {
            v->queues[i].enabled = false;
            return error_set(err, "%s: saved queue %u is not valid", d->id, i);
        }
    }
    return true;
}
