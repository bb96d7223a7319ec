/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by virtio.c, split.c, packed.c: the two ring formats behind one queue. */
#ifndef GEMEL_HW_VIRTIO_INTERNAL_H
#define GEMEL_HW_VIRTIO_INTERNAL_H

#include <stdatomic.h>

#include "core/machine.h"
#include "core/state.h"
#include "hw/virtio.h"
#include "util/bits.h"

/* One ring entry's worth of work: a chain being collected by virtq_pop(). */
typedef struct Chain {
    unsigned n_out, n_in;        /* pieces in v->scratch: out first */
    size_t   out_bytes, in_bytes;
    uint16_t id, n_desc;
} Chain;

typedef struct Descriptor {
    uint64_t addr;
    uint32_t bytes;
    uint16_t flags, next_or_id;  /* split: next; packed: id */
} Descriptor;

typedef struct RingOps {
    bool (*empty)(VirtQueue *q);
    /* Collects the next chain; false: error (virtio_error() was called). */
    bool (*take)(VirtQueue *q, Chain *c);
    void (*untake)(VirtQueue *q, const VirtElement *e);
    void (*give)(VirtQueue *q, VirtElement *const *e, const size_t *written, unsigned n);
    bool (*wants_interrupt)(VirtQueue *q);
    /* Asks for a kick at the next entry, or for none. */
    void (*arm)(VirtQueue *q, bool on);
} RingOps;

extern const RingOps virtio_split_ops, virtio_packed_ops;

/* Maps one descriptor's buffer behind what the chain has; false: error. */
bool virtq_chain_add(VirtQueue *q, Chain *c, const Descriptor *d);
bool virtq_read_desc(VirtQueue *q, uint64_t table, unsigned i, Descriptor *d);

/* Runs the kick handler of q on the main loop. */
void virtio_kick_later(VirtQueue *q);

static inline bool virtq_is_packed(const VirtQueue *q)
{
    return virtio_has(q->v, VIRTIO_F_RING_PACKED);
}

static inline uint16_t ring_load16(VirtQueue *q, uint64_t gpa)
{
    uint16_t v = 0;

    mem_load_le16(q->v->as, gpa, &v, virtio_attrs(q->v));
    return v;
}

static inline void ring_store16(VirtQueue *q, uint64_t gpa, uint16_t v)
{
    mem_store_le16(q->v->as, gpa, v, virtio_attrs(q->v));
}

#endif
