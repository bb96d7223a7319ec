/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Split virtqueues: descriptor table, available ring, used ring. VIRTIO 1.2, section 2.7.
 *
 * Available ring: flags 0, idx 2, ring 4 + 2i, used_event 4 + 2 * size. Used ring: flags 0, idx 2,
 * ring 4 + 8i, avail_event 4 + 8 * size. Indices run freely modulo 2^16.
 */
#include "virtio_internal.h"

static bool split_empty(VirtQueue *q)
{
    return ring_load16(q, q->driver + 2) == q->avail_idx;
}

/* The table of an indirect descriptor; its entries are chained like the ring's. */
static bool take_indirect(VirtQueue *q, Chain *c, const Descriptor *head)
{
    unsigned n = head->bytes / 16, i = 0;
    Descriptor d;

    if (head->bytes % 16 || !n || head->flags & VRING_DESC_F_NEXT ||
        !virtio_has(q->v, VIRTIO_RING_F_INDIRECT_DESC)) {
        virtio_error(q->v, "queue %u: bad indirect descriptor", q->index);
        return false;
    }
    for (unsigned steps = 0; steps < n && steps < VIRTIO_MAX_IOV; steps++) {
        if (!virtq_read_desc(q, head->addr, i, &d)) {
            return false;
        }
        if (d.flags & VRING_DESC_F_INDIRECT) {
            virtio_error(q->v, "queue %u: nested indirect descriptor", q->index);
            return false;
        }
        if (!virtq_chain_add(q, c, &d)) {
            return false;
        }
        if (!(d.flags & VRING_DESC_F_NEXT)) {
            return true;
        }
        i = d.next_or_id;
        if (i >= n) {
            break;
        }
    }
    virtio_error(q->v, "queue %u: indirect chain loops or leaves its table", q->index);
    return false;
}

static bool split_take(VirtQueue *q, Chain *c)
{
    uint16_t waiting = (uint16_t)(ring_load16(q, q->driver + 2) - q->avail_idx);
    Descriptor d;

    if (waiting > q->size) {
        virtio_error(q->v, "queue %u: available index runs ahead by %u", q->index, waiting);
        return false;
    }
    atomic_thread_fence(memory_order_acquire); /* idx before the entries: pairs with the driver's */
    unsigned i = ring_load16(q, q->driver + 4 + 2ull * (q->avail_idx & (q->size - 1)));
    c->id = (uint16_t)i;
    for (unsigned steps = 0; steps < q->size; steps++) {
        if (i >= q->size) {
            virtio_error(q->v, "queue %u: descriptor %u of %u", q->index, i, q->size);
            return false;
        }
        if (!virtq_read_desc(q, q->desc, i, &d)) {
            return false;
        }
        if (d.flags & VRING_DESC_F_INDIRECT ? !take_indirect(q, c, &d)
                                            : !virtq_chain_add(q, c, &d)) {
            return false;
        }
        if (!(d.flags & VRING_DESC_F_NEXT)) {
            q->avail_idx++;
            return true;
        }
        i = d.next_or_id;
    }
    virtio_error(q->v, "queue %u: descriptor chain loops", q->index);
    return false;
}

static void split_untake(VirtQueue *q, const VirtElement *e)
{
    (void)e;
    q->avail_idx--;
}

static void split_give(VirtQueue *q, VirtElement *const *e, const size_t *written, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint64_t entry = e[i]->id | (uint64_t)(uint32_t)written[i] << 32;
        uint64_t slot = (uint16_t)(q->used_idx + i) & (q->size - 1);
        /* The ring is 4-aligned: not one atomic store, and need not be before idx is. */
        mem_write(q->v->as, q->device + 4 + 8 * slot, &entry, 8, virtio_attrs(q->v));
    }
    q->used_idx = (uint16_t)(q->used_idx + n);
    q->unsignalled = (uint16_t)(q->unsignalled + n);
    atomic_thread_fence(memory_order_release);
    ring_store16(q, q->device + 2, q->used_idx);
}

static bool split_wants_interrupt(VirtQueue *q)
{
    if (!virtio_has(q->v, VIRTIO_RING_F_EVENT_IDX)) {
        return !(ring_load16(q, q->driver) & VRING_AVAIL_F_NO_INTERRUPT);
    }
    uint16_t event = ring_load16(q, q->driver + 4 + 2ull * q->size);
    return (uint16_t)(q->used_idx - event - 1) < q->unsignalled;
}

static void split_arm(VirtQueue *q, bool on)
{
    if (!virtio_has(q->v, VIRTIO_RING_F_EVENT_IDX)) {
        ring_store16(q, q->device, on ? 0 : VRING_USED_F_NO_NOTIFY);
    } else if (on) {
        ring_store16(q, q->device + 4 + 8ull * q->size, q->avail_idx);
    }
    /* With event indexes, not moving avail_event on is asking for no kick. */
}

const RingOps virtio_split_ops = {
    .empty = split_empty,
    .take = split_take,
    .untake = split_untake,
    .give = split_give,
    .wants_interrupt = split_wants_interrupt,
    .arm = split_arm,
};
