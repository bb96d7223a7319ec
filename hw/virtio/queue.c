/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio queues: what both ring formats share. VIRTIO 1.2, sections 2.6 to 2.8.
 *
 * Invariants, whatever the driver writes: a chain has at most VIRTIO_MAX_IOV pieces, a queue at
 * most `size` requests in flight, a kick handles at most two rings full before others get the lock.
 */
#include "virtio_internal.h"

#include <inttypes.h>
#include <stdlib.h>

static const RingOps *ops_of(const VirtQueue *q)
{
    return virtq_is_packed(q) ? &virtio_packed_ops : &virtio_split_ops;
}

static bool usable(const VirtQueue *q)
{
    return q->enabled && virtio_is_running(q->v);
}

/* ---- chains */

bool virtq_read_desc(VirtQueue *q, uint64_t table, unsigned i, Descriptor *d)
{
    uint8_t raw[16];

    if (mem_read(q->v->as, table + 16 * (uint64_t)i, raw, sizeof raw, virtio_attrs(q->v)) !=
        MEM_OK) {
        virtio_error(q->v, "queue %u: no memory at descriptor 0x%" PRIx64, q->index,
                     table + 16 * (uint64_t)i);
        return false;
    }
    d->addr = load_le64(raw);
    d->bytes = load_le32(raw + 8);
    if (virtq_is_packed(q)) {
        d->next_or_id = load_le16(raw + 12);
        d->flags = load_le16(raw + 14);
    } else {
        d->flags = load_le16(raw + 12);
        d->next_or_id = load_le16(raw + 14);
    }
    return true;
}

bool virtq_chain_add(VirtQueue *q, Chain *c, const Descriptor *d)
{
    VirtioDevice *v = q->v;
    bool in = d->flags & VRING_DESC_F_WRITE;
    unsigned used = c->n_out + c->n_in;
    int n = 0;

    if (!in && c->n_in) {
        virtio_error(v, "queue %u: a readable buffer follows a writable one", q->index);
        return false;
    }
    if (!d->bytes) {
        return true;
    }
    size_t got = used < VIRTIO_MAX_IOV ? dma_map(v->as, d->addr, d->bytes, in, v->scratch + used,
                                                 (int)(VIRTIO_MAX_IOV - used), &n)
                                       : 0;
    *(in ? &c->n_in : &c->n_out) += (unsigned)n;
    *(in ? &c->in_bytes : &c->out_bytes) += got;
    if (got != d->bytes) {
        virtio_error(v, "queue %u: buffer 0x%" PRIx64 "+0x%x is not RAM, or too many pieces",
                     q->index, d->addr, d->bytes);
        return false;
    }
    return true;
}

static void unmap(VirtQueue *q, const struct iovec *iov, unsigned n_out, unsigned n_in,
                  size_t written)
{
    dma_unmap(q->v->as, iov, (int)n_out, false, 0);
    dma_unmap(q->v->as, iov + n_out, (int)n_in, true, written);
}

/* ---- elements */

static VirtElement *element_new(VirtQueue *q, size_t bytes, const Chain *c)
{
    size_t head = align_up(bytes, 16), n = c->n_out + c->n_in;
    size_t total = head + n * sizeof(struct iovec);
    VirtElement *e = q->spare;

    if (e && e->allocated_bytes >= total) {
        q->spare = e->next;
        total = e->allocated_bytes;
    } else {
        e = malloc(total);
        if (!e) {
            return NULL;
        }
    }
    memset(e, 0, head);
    e->allocated_bytes = total;
    e->out = (struct iovec *)((uint8_t *)e + head);
    e->in = e->out + c->n_out;
    e->n_out = c->n_out;
    e->n_in = c->n_in;
    e->out_bytes = c->out_bytes;
    e->in_bytes = c->in_bytes;
    e->id = c->id;
    e->n_desc = c->n_desc;
    memcpy(e->out, q->v->scratch, n * sizeof(struct iovec));
    return e;
}

static void element_free(VirtQueue *q, VirtElement *e)
{
    assert(q->in_flight);
    q->in_flight--;
    e->next = q->spare;
    q->spare = e;
}

void *virtq_pop(VirtQueue *q, size_t bytes)
{
    Chain c = {0};

    assert(bytes >= sizeof(VirtElement));
    if (!usable(q) || virtq_empty(q)) {
        return NULL;
    }
    if (q->in_kick && !q->kick_budget--) {
        q->kick_budget = 0;
        virtio_kick_later(q);
        return NULL;
    }
    if (q->in_flight >= q->size) {
        virtio_error(q->v, "queue %u: more requests than the ring has entries", q->index);
        return NULL;
    }
    VirtElement *e = NULL;
    if (ops_of(q)->take(q, &c)) {
        e = element_new(q, bytes, &c);
        if (!e) {
            virtio_error(q->v, "queue %u: no host memory", q->index);
        }
    }
    if (!e) {
        unmap(q, q->v->scratch, c.n_out, c.n_in, 0);
        return NULL;
    }
    q->in_flight++;
    return e;
}

void virtq_push_many(VirtQueue *q, VirtElement *const *e, const size_t *written, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        size_t bytes = written[i] < e[i]->in_bytes ? written[i] : e[i]->in_bytes;
        unmap(q, e[i]->out, e[i]->n_out, e[i]->n_in, bytes);
    }
    if (usable(q)) {
        ops_of(q)->give(q, e, written, n);
    }
    for (unsigned i = 0; i < n; i++) {
        element_free(q, e[i]);
    }
}

void virtq_push(VirtQueue *q, VirtElement *e, size_t written)
{
    virtq_push_many(q, &e, &written, 1);
}

void virtq_drop(VirtQueue *q, VirtElement *e)
{
    unmap(q, e->out, e->n_out, e->n_in, 0);
    element_free(q, e);
}

void virtq_unpop(VirtQueue *q, VirtElement *e)
{
    ops_of(q)->untake(q, e);
    virtq_drop(q, e);
}

void virtq_notify(VirtQueue *q)
{
    if (!q->unsignalled || !usable(q)) {
        return;
    }
    /* The used entries before the driver's wish: pairs with its store of the wish, load of used. */
    atomic_thread_fence(memory_order_seq_cst);
    bool wanted = ops_of(q)->wants_interrupt(q);
    q->unsignalled = 0;
    if (wanted) {
        q->v->irq_queue(q->v, q);
    }
}

bool virtq_empty(VirtQueue *q)
{
    if (!usable(q)) {
        return true;
    }
    if (!ops_of(q)->empty(q)) {
        return false;
    }
    if (q->quiet || !virtio_has(q->v, VIRTIO_RING_F_EVENT_IDX)) {
        return true;
    }
    /* Going idle: ask for a kick at the next entry, then look once more. */
    ops_of(q)->arm(q, true);
    atomic_thread_fence(memory_order_seq_cst);
    return ops_of(q)->empty(q);
}

void virtq_set_notification(VirtQueue *q, bool on)
{
    if (q->quiet == !on) {
        return;
    }
    q->quiet = !on;
    if (usable(q)) {
        ops_of(q)->arm(q, on);
        atomic_thread_fence(memory_order_seq_cst);
    }
}
