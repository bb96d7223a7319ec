/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Views: how a look-up reads the map without a lock, and when an old map is freed.
 *
 * A commit builds a new immutable view of each address space and publishes it with one store. A
 * reader may still be inside the old one, so that one is retired with the number of the new epoch
 * and freed when every reader is outside or entered in that epoch or later.
 *
 * Each thread that reads has a MemReader, made on its first look-up. Entering is two plain stores
 * and a compiler barrier: the fence that orders "I am inside" before "which view" is paid by the
 * writer, with membarrier(), which interrupts the other threads of the process. Where the kernel
 * has none, readers pay with a fence of their own.
 *
 *     reader                            writer (machine lock held)
 *     r->epoch = epoch   (A)            as->view = new
 *     [compiler barrier]                epoch = ++e; old->retire_epoch = e
 *     v = as->view       (B)            membarrier()
 *     ... v ...                         free old if no r->epoch in 1 .. e - 1
 *     r->epoch = 0  (release)
 *
 * Before the membarrier either A is visible, then the writer waits for it, or B comes after, then
 * it sees the new view. Callbacks of devices never run inside.
 */
#include <assert.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/mem_private.h"

static int membarrier(int command)
{
    return (int)syscall(SYS_membarrier, command, 0, 0);
}

static void reader_gone(void *opaque)
{
    MemReader *r = opaque;

    atomic_store_explicit(&r->gone, true, memory_order_release);
}

bool mem_state_init(Machine *m, Error *err)
{
    struct MachinePrivate *p = m->p;

    if (pthread_key_create(&p->reader_key, reader_gone)) {
        return error_set(err, "cannot create a machine: too many machines in this process");
    }
    pthread_mutex_init(&p->reader_lock, NULL);
    atomic_init(&p->epoch, 1);
    p->no_membarrier = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0;
    return true;
}

void mem_state_free(Machine *m)
{
    struct MachinePrivate *p = m->p;

    pthread_key_delete(p->reader_key);
    while (p->retired) {
        MemView *v = p->retired;

        p->retired = v->next_retired;
        mem_view_free(v);
    }
    ram_state_free(m);
    while (p->readers) {
        MemReader *r = p->readers;

        p->readers = r->next;
        g_free(r);
    }
    pthread_mutex_destroy(&p->reader_lock);
}

void mem_view_free(MemView *v)
{
    g_free(v->ranges);
    g_free(v);
}

/* ---- readers ---- */

/* The record of a thread that has ended serves the next new one. */
MemReader *mem_reader_new(Machine *m)
{
    struct MachinePrivate *p = m->p;
    MemReader *r;

    pthread_mutex_lock(&p->reader_lock);
    for (r = p->readers; r; r = r->next) {
        if (atomic_load_explicit(&r->gone, memory_order_acquire)) {
            break;
        }
    }
    if (r) {
        atomic_store_explicit(&r->gone, false, memory_order_relaxed);
    } else {
        r = g_new0(MemReader, 1);
        r->next = p->readers;
        p->readers = r;
    }
    pthread_mutex_unlock(&p->reader_lock);
    pthread_setspecific(p->reader_key, r);
    return r;
}

const MemRange *mem_view_search(const MemView *v, uint64_t gpa)
{
    unsigned low = 0, high = v->n;

    while (low < high) {
        unsigned mid = (low + high) / 2;

        if (v->ranges[mid].last < gpa) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low < v->n && v->ranges[low].start <= gpa ? &v->ranges[low] : NULL;
}

bool mem_find(AddressSpace *as, uint64_t gpa, MemRange *out)
{
    MemReader *r = mem_enter(as->machine);
    const MemRange *range = mem_range_at(r, as, gpa);

    if (range) {
        *out = *range;
    }
    mem_leave(r);
    return range != NULL;
}

/* ---- reclaiming ---- */

bool mem_epoch_over(Machine *m, uint64_t retire_epoch)
{
    struct MachinePrivate *p = m->p;
    bool over = true;

    pthread_mutex_lock(&p->reader_lock);
    for (MemReader *r = p->readers; r; r = r->next) {
        uint64_t epoch = atomic_load_explicit(&r->epoch, memory_order_acquire);

        if (epoch && epoch < retire_epoch) {
            over = false;
            break;
        }
    }
    pthread_mutex_unlock(&p->reader_lock);
    return over;
}

void mem_reclaim(Machine *m)
{
    struct MachinePrivate *p = m->p;

    if (!p->retired && !p->ram_dead) {
        return;
    }
    if (!p->no_membarrier) {
        membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    }
    for (MemView **at = &p->retired; *at;) {
        MemView *v = *at;

        if (mem_epoch_over(m, v->retire_epoch)) {
            *at = v->next_retired;
            mem_view_free(v);
        } else {
            at = &v->next_retired;
        }
    }
    ram_reclaim(m);
}

static void retire(Machine *m, MemView *v)
{
    v->retire_epoch = atomic_fetch_add(&m->p->epoch, 1) + 1;
    v->next_retired = m->p->retired;
    m->p->retired = v;
}

/* ---- commits ---- */

static bool range_equal(const MemRange *a, const MemRange *b)
{
    return a->start == b->start && a->last == b->last && a->region == b->region &&
           a->region_offset == b->region_offset && a->host == b->host && a->writable == b->writable;
}

static bool view_equal(const MemView *a, const MemView *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (unsigned i = 0; i < a->n; i++) {
        if (!range_equal(&a->ranges[i], &b->ranges[i])) {
            return false;
        }
    }
    return true;
}

/* Calls fn for the ranges of `a` that `b` does not have just so. */
static void each_only_in(const MemView *a, const MemView *b, MemListener *l,
                         void (*fn)(MemListener *l, const MemRange *r))
{
    unsigned k = 0;

    for (unsigned i = 0; fn && i < a->n; i++) {
        while (k < b->n && b->ranges[k].start < a->ranges[i].start) {
            k++;
        }
        if (k == b->n || !range_equal(&a->ranges[i], &b->ranges[k])) {
            fn(l, &a->ranges[i]);
        }
    }
}

static MemListener *first_listener(Machine *m)
{
    return atomic_load_explicit(&m->p->listeners, memory_order_acquire);
}

static void tell_listeners(AddressSpace *as, const MemView *old, const MemView *now)
{
    for (MemListener *l = first_listener(as->machine); l; l = l->next) {
        if (!l->as || l->as == as) {
            each_only_in(old, now, l, l->range_del);
            each_only_in(now, old, l, l->range_add);
        }
    }
}

static void mark_mapped(AddressSpace *as, bool mapped)
{
    const MemView *v = atomic_load(&as->view);

    for (unsigned i = 0; i < v->n; i++) {
        v->ranges[i].region->mapped = mapped;
    }
}

static bool space_update(AddressSpace *as)
{
    MemView *old = atomic_load(&as->view);
    MemView *now = mem_view_build(as->machine, as->root);

    if (view_equal(old, now)) {
        mem_view_free(now);
        return false;
    }
    for (unsigned i = 0; i < old->n; i++) {
        old->ranges[i].region->mapped = false;
    }
    atomic_store_explicit(&as->view, now, memory_order_release);
    retire(as->machine, old);
    tell_listeners(as, old, now);
    return true;
}

void mem_views_update(Machine *m)
{
    bool changed = false;

    for (AddressSpace *as = m->p->spaces; as; as = as->next) {
        changed |= space_update(as);
    }
    if (!changed) {
        mem_reclaim(m);
        return;
    }
    for (AddressSpace *as = m->p->spaces; as; as = as->next) {
        mark_mapped(as, true);
    }
    for (MemListener *l = first_listener(m); l; l = l->next) {
        if (l->commit) {
            l->commit(l);
        }
    }
    mem_reclaim(m);
}

/* ---- address spaces and listeners ---- */

AddressSpace *address_space_new(Machine *m, const char *name, MemRegion *root)
{
    AddressSpace *as = g_new0(AddressSpace, 1);
    AddressSpace **tail = &m->p->spaces;

    assert(machine_locked_by_me(m));
    as->machine = m;
    as->name = g_strdup(name);
    as->root = root;
    as->index = m->p->n_spaces++;
    atomic_init(&as->view, g_new0(MemView, 1));
    while (*tail) {
        tail = &(*tail)->next;
    }
    *tail = as;
    if (m->p->mem_depth == 0) {
        mem_views_update(m);
    }
    return as;
}

void address_space_free(AddressSpace *as)
{
    Machine *m = as->machine;
    AddressSpace **at = &m->p->spaces;

    assert(machine_locked_by_me(m));
    while (*at != as) {
        at = &(*at)->next;
    }
    *at = as->next;
    retire(m, atomic_load(&as->view));
    mem_reclaim(m);
    g_free(as->name);
    g_free(as);
}

void mem_listener_add(Machine *m, MemListener *l)
{
    static const MemView nothing;

    assert(machine_locked_by_me(m));
    l->next = first_listener(m);
    atomic_store_explicit(&m->p->listeners, l, memory_order_release);
    for (AddressSpace *as = m->p->spaces; as; as = as->next) {
        if (!l->as || l->as == as) {
            each_only_in(atomic_load(&as->view), &nothing, l, l->range_add);
        }
    }
    if (l->commit) {
        l->commit(l);
    }
}

/* Whoever calls ram_written() meanwhile may still be in l: the owner stops the vCPUs first. */
void mem_listener_remove(Machine *m, MemListener *l)
{
    MemListener *at = first_listener(m);

    assert(machine_locked_by_me(m));
    if (at == l) {
        atomic_store_explicit(&m->p->listeners, l->next, memory_order_release);
        return;
    }
    for (; at; at = at->next) {
        if (at->next == l) {
            at->next = l->next;
            return;
        }
    }
}
