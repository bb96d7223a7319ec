/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Look-ups in the current view, for the files that access memory; the rules are in mem_view.c. */
#ifndef GEMEL_CORE_MEM_PRIVATE_H
#define GEMEL_CORE_MEM_PRIVATE_H

#include "core/private.h"

MemReader *mem_reader_new(Machine *m);
const MemRange *mem_view_search(const MemView *v, uint64_t gpa);

/* Between these the thread may look at views; they nest. */
static inline MemReader *mem_enter(Machine *m)
{
    struct MachinePrivate *p = m->p;
    MemReader *r = pthread_getspecific(p->reader_key);

    if (G_UNLIKELY(!r)) {
        r = mem_reader_new(m);
    }
    if (r->depth++ == 0) {
        atomic_store_explicit(&r->epoch, atomic_load_explicit(&p->epoch, memory_order_acquire),
                              memory_order_relaxed);
        atomic_signal_fence(memory_order_seq_cst);
        if (G_UNLIKELY(p->no_membarrier)) {
            atomic_thread_fence(memory_order_seq_cst);
        }
    }
    return r;
}

static inline void mem_leave(MemReader *r)
{
    if (--r->depth == 0) {
        atomic_store_explicit(&r->epoch, 0, memory_order_release);
    }
}

/* The range at gpa, for as long as the reader is inside; NULL: nothing there. */
static inline const MemRange *mem_range_at(MemReader *r, AddressSpace *as, uint64_t gpa)
{
    const MemView *v = atomic_load_explicit(&as->view, memory_order_acquire);
    unsigned slot = as->index % MEM_CACHE_SLOTS;
    const MemRange *range;

    if (G_LIKELY(r->cache[slot].view_id == v->id)) {
        range = r->cache[slot].range;
        if (G_LIKELY(gpa >= range->start && gpa <= range->last)) {
            return range;
        }
    }
    range = mem_view_search(v, gpa);
    if (range) {
        r->cache[slot].view_id = v->id;
        r->cache[slot].range = range;
    }
    return range;
}

#endif
