/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packed virtqueues: one descriptor ring that both sides write, two event suppression structures.
 * VIRTIO 1.2, section 2.8.
 *
 * A descriptor is available when its AVAIL bit equals and its USED bit differs from the wrap
 * counter. Event suppression: off_wrap at 0 (bits 0..14 offset, bit 15 wrap counter), flags at 2 (0
 * enable, 1 disable, 2 at that descriptor).
 */
#include "virtio_internal.h"

enum { F_AVAIL = 1 << 7, F_USED = 1 << 15 };
enum { EVENT_ENABLE, EVENT_DISABLE, EVENT_DESC };

static bool packed_empty(VirtQueue *q)
{
    uint16_t flags = ring_load16(q, q->desc + 16ull * q->avail_idx + 14);
    bool avail = flags & F_AVAIL, used = flags & F_USED;

    return avail != q->avail_wrap || used == q->avail_wrap;
}

static void advance(const VirtQueue *q, uint16_t *idx, bool *wrap, unsigned n)
{
    unsigned to = *idx + n;

    if (to >= q->size) {
        to -= q->size;
        *wrap = !*wrap;
    }
    *idx = (uint16_t)to;
}

/* The table is used from its first to its last entry; only WRITE means something in it. */
static bool take_indirect(VirtQueue *q, Chain *c, const Descriptor *head)
{
    unsigned n = head->bytes / 16;
    Descriptor d;

    if (head->bytes % 16 || !n || n > VIRTIO_MAX_IOV || head->flags & VRING_DESC_F_NEXT ||
        !virtio_has(q->v, VIRTIO_RING_F_INDIRECT_DESC)) {
        virtio_error(q->v, "queue %u: bad indirect descriptor", q->index);
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        if (!virtq_read_desc(q, head->addr, i, &d) || !virtq_chain_add(q, c, &d)) {
            return false;
        }
    }
    return true;
}

static bool packed_take(VirtQueue *q, Chain *c)
{
    uint16_t idx = q->avail_idx;
    bool wrap = q->avail_wrap;
    Descriptor d;

    atomic_thread_fence(memory_order_acquire); /* flags (packed_empty) before the rest */
    for (unsigned n = 1; n <= q->size; n++) {
        if (!virtq_read_desc(q, q->desc, idx, &d)) {
            return false;
        }
        if (d.flags & VRING_DESC_F_INDIRECT ? n != 1 || !take_indirect(q, c, &d)
                                            : !virtq_chain_add(q, c, &d)) {
            virtio_error(q->v, "queue %u: bad chain", q->index);
            return false;
        }
        advance(q, &idx, &wrap, 1);
        if (!(d.flags & VRING_DESC_F_NEXT)) {
            c->id = d.next_or_id;
            c->n_desc = (uint16_t)n;
            q->avail_idx = idx;
            q->avail_wrap = wrap;
            return true;
        }
    }
    virtio_error(q->v, "queue %u: descriptor chain loops", q->index);
    return false;
}

static void packed_untake(VirtQueue *q, const VirtElement *e)
{
    if (q->avail_idx < e->n_desc) {
        q->avail_idx = (uint16_t)(q->avail_idx + q->size);
        q->avail_wrap = !q->avail_wrap;
    }
    q->avail_idx = (uint16_t)(q->avail_idx - e->n_desc);
}

static void packed_give(VirtQueue *q, VirtElement *const *e, const size_t *written, unsigned n)
{
    uint64_t first_flags_gpa = 0;
    uint16_t first_flags = 0;

    for (unsigned i = 0; i < n; i++) {
        uint64_t slot = q->desc + 16ull * q->used_idx;
        uint16_t flags = (uint16_t)((q->used_wrap ? F_AVAIL | F_USED : 0) |
                                    (written[i] ? VRING_DESC_F_WRITE : 0));
        mem_store_le32(q->v->as, slot + 8, (uint32_t)written[i], virtio_attrs(q->v));
        ring_store16(q, slot + 12, e[i]->id);
        if (i == 0) {
            first_flags_gpa = slot + 14;
            first_flags = flags;
        } else {
            ring_store16(q, slot + 14, flags);
        }
        advance(q, &q->used_idx, &q->used_wrap, e[i]->n_desc);
        q->unsignalled = (uint16_t)(q->unsignalled + e[i]->n_desc);
    }
    if (n) {
        atomic_thread_fence(memory_order_release); /* all of it before the first becomes used */
        ring_store16(q, first_flags_gpa, first_flags);
    }
}

static bool packed_wants_interrupt(VirtQueue *q)
{
    uint16_t flags = ring_load16(q, q->driver + 2) & 3;

    if (flags != EVENT_DESC || !virtio_has(q->v, VIRTIO_RING_F_EVENT_IDX)) {
        return flags != EVENT_DISABLE;
    }
    uint16_t off_wrap = ring_load16(q, q->driver);
    uint16_t event = off_wrap & 0x7fff;
    bool wrap = off_wrap >> 15;

    if (wrap != q->used_wrap) {
        event = (uint16_t)(event - q->size);
    }
    return (uint16_t)(q->used_idx - event - 1) < q->unsignalled;
}

static void packed_arm(VirtQueue *q, bool on)
{
    if (!on) {
        ring_store16(q, q->device + 2, EVENT_DISABLE);
    } else if (!virtio_has(q->v, VIRTIO_RING_F_EVENT_IDX)) {
        ring_store16(q, q->device + 2, EVENT_ENABLE);
    } else {
        ring_store16(q, q->device, (uint16_t)(q->avail_idx | (q->avail_wrap ? 0x8000 : 0)));
        atomic_thread_fence(memory_order_release);
        ring_store16(q, q->device + 2, EVENT_DESC);
    }
}

const RingOps virtio_packed_ops = {
    .empty = packed_empty,
    .take = packed_take,
    .untake = packed_untake,
    .give = packed_give,
    .wants_interrupt = packed_wants_interrupt,
    .arm = packed_arm,
};
