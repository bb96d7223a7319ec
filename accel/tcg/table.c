/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding, linking, dropping and reclaiming regions. All but engine_find() and engine_has_code()
 * run under the code lock.
 */
#include <stdlib.h>
#include <string.h>

#include "accel/tcg/engine.h"

enum { PAGE_LISTS = sizeof(((TcgEngine *)0)->pages) / sizeof(TcgPageNode *) };

static uint64_t hash_pc(uint64_t pc, const uint8_t *page)
{
    return ((pc >> 2) + ((uint64_t)page << 18)) * 0x9e3779b97f4a7c15u >> 20;
}

/* A slot's tag for pc: of the hash, the bits no table index uses. */
static uint64_t tag_pc(uint64_t pc, const uint8_t *page)
{
    return hash_pc(pc, page) >> 28 << TCG_TAG_SHIFT;
}

static TcgRegion *slot_region(uint64_t slot)
{
    return (TcgRegion *)(uintptr_t)(slot & (((uint64_t)1 << TCG_TAG_SHIFT) - 1));
}

TcgTable *table_new(uint32_t bits)
{
    TcgTable *t = calloc(1, sizeof *t + sizeof t->slot[0] * ((size_t)1 << bits));
    if (!t) {
        abort();
    }
    t->bits = bits;
    return t;
}

TcgRegion *engine_find(TcgEngine *e, uint64_t pc, uint64_t mode, const uint8_t *page)
{
    const TcgTable *t = atomic_load_explicit(&e->table, memory_order_acquire);
    uint64_t mask = ((uint64_t)1 << t->bits) - 1, tag = tag_pc(pc, page);
    for (uint64_t i = hash_pc(pc, page);; i++) {
        uint64_t s = atomic_load_explicit(&((TcgTable *)t)->slot[i & mask], memory_order_acquire);
        if (!s) {
            return NULL;
        }
        TcgRegion *r = slot_region(s);
        if (s >> TCG_TAG_SHIFT == tag >> TCG_TAG_SHIFT && s != TCG_TOMB && r->pc == pc &&
            r->mode == mode && r->page == page) {
            return r;
        }
    }
}

static bool same_code(const TcgRegion *a, const TcgRegion *b)
{
    return a->pc == b->pc && a->mode == b->mode && a->page == b->page;
}

/* The slot of r itself, of one with r's address and mode (same_key), or the free one in its stead.
 */
static _Atomic(uint64_t) *table_slot(TcgTable *t, const TcgRegion *r, bool same_key)
{
    uint64_t mask = ((uint64_t)1 << t->bits) - 1, tag = tag_pc(r->pc, r->page);
    for (uint64_t i = hash_pc(r->pc, r->page);; i++) {
        uint64_t s = atomic_load_explicit(&t->slot[i & mask], memory_order_relaxed);
        const TcgRegion *o = slot_region(s);
        if (!s || (s >> TCG_TAG_SHIFT == tag >> TCG_TAG_SHIFT && s != TCG_TOMB &&
                   (same_key ? same_code(o, r) : o == r))) {
            return &t->slot[i & mask];
        }
    }
}

static void slot_set(_Atomic(uint64_t) *slot, TcgRegion *r)
{
    atomic_store_explicit(slot, (uintptr_t)r | tag_pc(r->pc, r->page), memory_order_release);
}

/*
 * Puts ret on the list of what the next generation, which the caller starts, has no use for. Fault
 * handlers walk the list from here on.
 */
static void retire(TcgEngine *e, TcgRetired *ret)
{
    ret->gen = atomic_load(&e->gen) + 1;
    ret->next = e->retired;
    __atomic_store_n(&e->retired, ret, __ATOMIC_RELEASE);
    atomic_store(&e->retired_gen, ret->gen);
}

/* A reader may be inside the old table: it is retired, not freed. */
static void table_grow(TcgEngine *e)
{
    TcgTable *old = atomic_load_explicit(&e->table, memory_order_relaxed);
    TcgTable *t = table_new(old->bits + 1);
    for (uint64_t i = 0; i >> old->bits == 0; i++) {
        uint64_t s = atomic_load_explicit(&old->slot[i], memory_order_relaxed);
        if (s && s != TCG_TOMB) {
            slot_set(table_slot(t, slot_region(s), false), slot_region(s));
            t->used++;
        }
    }
    atomic_store_explicit(&e->table, t, memory_order_release);
    TcgRetired *ret = calloc(1, sizeof *ret);
    if (!ret) {
        abort();
    }
    ret->table = old;
    retire(e, ret);
    atomic_fetch_add(&e->gen, 1);
}

static uint32_t page_list(uint64_t page)
{
    return (uint32_t)page % PAGE_LISTS; /* neighbours share memory */
}

static void page_count_add(TcgEngine *e, uint64_t page, int by)
{
    _Atomic(uint16_t) *c = &e->page_count[page % TCG_PAGE_HASH];
    uint16_t v = atomic_load_explicit(c, memory_order_relaxed);
    if (v != UINT16_MAX) { /* saturates: then it just always says "maybe" */
        atomic_store_explicit(c, (uint16_t)(v + by), memory_order_release);
    }
}

static void page_add(TcgEngine *e, uint64_t page, TcgRegion *r)
{
    TcgPageNode **list = &e->pages[page_list(page)];
    if (*list && (*list)->page == page && (*list)->region == r) {
        return;
    }
    TcgPageNode *n = e->free_nodes;
    if (n) {
        e->free_nodes = n->next;
    } else {
        n = arena_alloc(&e->mem, sizeof *n);
    }
    *n = (TcgPageNode){page, r, *list};
    *list = n;
    page_count_add(e, page, 1);
}

static void pages_add(TcgEngine *e, TcgRegion *r)
{
    for (uint32_t i = 0; i < r->n_ranges; i++) {
        const TcgRange *g = &r->ranges[i];
        for (uint64_t p = g->start >> TCG_PAGE_BITS; p <= (g->end - 1) >> TCG_PAGE_BITS; p++) {
            page_add(e, p, r);
        }
        if (e->ops->code_on) {
            e->ops->code_on(e->opaque, g->start, g->end);
        }
    }
}

static void note_change(TcgEngine *e, uint64_t pc)
{
    e->changes[e->n_changes++ % TCG_CHANGES] = pc;
}

void engine_publish(TcgEngine *e, TcgRegion *r)
{
    TcgTable *t = atomic_load_explicit(&e->table, memory_order_relaxed);
    if ((t->used + 1) * 2 > 1u << t->bits) {
        table_grow(e);
        t = atomic_load_explicit(&e->table, memory_order_relaxed);
    }
    _Atomic(uint64_t) *slot = table_slot(t, r, true);
    TcgRegion *old = slot_region(atomic_load_explicit(slot, memory_order_relaxed));
    if (!old) {
        t->used++;
    }
    r->next_all = e->regions;
    e->regions = r;
    pages_add(e, r);
    atomic_fetch_add_explicit(&e->published, 1, memory_order_release);
    slot_set(slot, r);
    if (old) {
        /* Everyone who links to the old code goes to the new one; it stays valid meanwhile. */
        note_change(e, r->pc);
        r->tier1 = old;
        TcgLink *next;
        for (TcgLink *l = old->in_links; l; l = next) {
            next = l->next_in;
            engine_link(e, l, r);
        }
        old->in_links = NULL;
    }
}

void engine_link(TcgEngine *e, TcgLink *link, TcgRegion *to)
{
    (void)e;
    link->next_in = to->in_links;
    to->in_links = link;
    __atomic_store_n(&link->dest, to->c.code, __ATOMIC_RELEASE);
}

static void unlink_all(TcgRegion *r)
{
    TcgLink *next;
    for (TcgLink *l = r->in_links; l; l = next) {
        next = l->next_in;
        __atomic_store_n(&l->dest, l->stub, __ATOMIC_RELEASE);
        l->next_in = NULL;
    }
    r->in_links = NULL;
}

/* Takes a region out of the table and the links; its memory stays until the next flush. */
void engine_drop(TcgEngine *e, TcgRegion *r)
{
    TcgTable *t = atomic_load_explicit(&e->table, memory_order_relaxed);
    _Atomic(uint64_t) *slot = table_slot(t, r, false);
    if (atomic_load_explicit(slot, memory_order_relaxed)) {
        atomic_store_explicit(slot, TCG_TOMB, memory_order_release);
    }
    note_change(e, r->pc);
    r->dead = true;
    unlink_all(r);
    e->stats.invalidated++;
}

bool engine_has_code(TcgEngine *e, uint64_t start, uint64_t end)
{
    /* The guest's stores, then this look: pairs with translate_locked(), which first says what it
     * translates, then reads the guest's bytes. One of the two sees the other. */
    atomic_thread_fence(memory_order_seq_cst);
    uint64_t now = atomic_load(&e->translating);
    if (now < end && (start < TCG_BLOCK_BYTES || now > start - TCG_BLOCK_BYTES)) {
        return true;
    }
    uint64_t first = start >> TCG_PAGE_BITS, last = (end - 1) >> TCG_PAGE_BITS;
    if (last - first >= TCG_PAGE_HASH) {
        return true;
    }
    for (uint64_t p = first; p <= last; p++) {
        if (atomic_load_explicit(&e->page_count[p % TCG_PAGE_HASH], memory_order_acquire)) {
            return true;
        }
    }
    return false;
}

static bool overlaps(const TcgRegion *r, uint64_t start, uint64_t end)
{
    for (uint32_t i = 0; i < r->n_ranges; i++) {
        if (r->ranges[i].start < end && start < r->ranges[i].end) {
            return true;
        }
    }
    return false;
}

static bool drop_in_list(TcgEngine *e, uint32_t list, uint64_t start, uint64_t end)
{
    bool any = false;
    for (TcgPageNode **p = &e->pages[list]; *p;) {
        TcgPageNode *n = *p;
        if (!n->region->dead && overlaps(n->region, start, end)) {
            engine_drop(e, n->region);
            any = true;
        }
        if (n->region->dead) {
            *p = n->next;
            page_count_add(e, n->page, -1);
            n->next = e->free_nodes;
            e->free_nodes = n;
        } else {
            p = &n->next;
        }
    }
    return any;
}

void engine_tell_vcpus(TcgEngine *e, uint32_t bits)
{
    for (TcgVcpu *v = e->vcpus; v; v = v->next) {
        tcg_request(v->cpu, bits);
    }
}

void tcg_invalidate(TcgEngine *e, uint64_t start, uint64_t end)
{
    if (start >= end || !engine_has_code(e, start, end)) {
        return;
    }
    pthread_mutex_lock(&e->lock);
    bool any = false;
    uint64_t first = start >> TCG_PAGE_BITS, last = (end - 1) >> TCG_PAGE_BITS;
    if (last - first >= PAGE_LISTS) {
        for (uint32_t i = 0; i < PAGE_LISTS; i++) {
            any |= drop_in_list(e, i, start, end);
        }
    } else {
        for (uint64_t p = first; p <= last; p++) {
            if (atomic_load_explicit(&e->page_count[p % TCG_PAGE_HASH], memory_order_relaxed)) {
                any |= drop_in_list(e, page_list(p), start, end);
            }
        }
    }
    if (any) {
        engine_tell_vcpus(e, TCG_REQ_UPDATE);
    }
    pthread_mutex_unlock(&e->lock);
}

/* The nodes' memory is of the generation that goes. */
static void pages_clear(TcgEngine *e)
{
    memset(e->pages, 0, sizeof e->pages);
    e->free_nodes = NULL;
    memset(e->page_count, 0, sizeof e->page_count);
}

static TcgBuffer *fresh_buffer(TcgEngine *e)
{
    char why[200];
    TcgBuffer *b = buffer_new(e, why, sizeof why);
    if (!b) {
        fprintf(stderr, "gemel: the code cache cannot be renewed: %s\n", why);
        abort();
    }
    return b;
}

/*
 * Code memory is shared with the parent after fork: what is published there stays as it is, but
 * both would write the free part. The child keeps running the old code and compiles elsewhere.
 * Many processes end before they have compiled anything in a tier, so buffers are made when needed.
 */
TcgBuffer *engine_buffer(TcgEngine *e, unsigned tier)
{
    unsigned i = tier - 1;
    if (!e->buffers[i] || e->inherited[i]) {
        TcgBuffer *b = fresh_buffer(e);
        b->next = e->buffers[i];
        atomic_store_explicit(&e->buffers[i], b, memory_order_release);
        e->inherited[i] = false;
    }
    return e->buffers[i];
}

void engine_flush(TcgEngine *e)
{
    TcgRetired *ret = calloc(1, sizeof *ret);
    if (!ret) {
        abort();
    }
    ret->table = atomic_load(&e->table);
    ret->regions = e->regions;
    ret->mem = e->mem;
    arena_init(&e->mem);
    retire(e, ret); /* before its buffers are: a fault in them must always find them somewhere */
    for (int i = 0; i < 2; i++) {
        TcgBuffer *last = e->buffers[i];
        while (last && last->next) {
            last = last->next;
        }
        if (last) {
            last->next = ret->buffers;
            __atomic_store_n(&ret->buffers, e->buffers[i], __ATOMIC_RELEASE);
        }
        atomic_store_explicit(&e->buffers[i], i ? NULL : fresh_buffer(e), memory_order_release);
        e->inherited[i] = false;
    }
    e->regions = NULL;
    pages_clear(e);
    atomic_store(&e->table, table_new(14));
    atomic_fetch_add(&e->gen, 1);
    e->stats.flushes++;
    engine_tell_vcpus(e, TCG_REQ_FLUSH);
}

static bool all_passed(const TcgEngine *e, uint64_t gen)
{
    for (const TcgVcpu *v = e->vcpus; v; v = v->next) {
        if (atomic_load(&v->in_run) && atomic_load(&v->gen) < gen) {
            return false;
        }
    }
    return true;
}

void engine_reclaim(TcgEngine *e)
{
    if (!e->retired || pthread_mutex_trylock(&e->compile_lock)) {
        return; /* tier 2 may be reading what was retired */
    }
    for (TcgRetired **p = &e->retired; *p;) {
        TcgRetired *ret = *p;
        if (!all_passed(e, ret->gen)) {
            p = &ret->next;
            continue;
        }
        *p = ret->next;
        TcgRegion *rnext;
        for (TcgRegion *r = ret->regions; r; r = rnext) {
            rnext = r->next_all;
            region_free(r);
        }
        TcgBuffer *bnext;
        for (TcgBuffer *b = ret->buffers; b; b = bnext) {
            bnext = b->next;
            buffer_free(b);
        }
        arena_free(&ret->mem);
        free(ret->table);
        free(ret);
    }
    pthread_mutex_unlock(&e->compile_lock);
}
