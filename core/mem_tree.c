/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Regions: the tree that boards and devices build, and its flattening into the sorted ranges of a
 * view. Of overlapping siblings the one of higher priority wins, at equal priority the one added
 * later; a region's children lie above what it is itself.
 *
 * Addresses are computed in 128 bits: an alias may start before its target's first byte, and the
 * root is 2^64 bytes long.
 */
#include <assert.h>
#include <string.h>

#include "core/private.h"

typedef __int128 Address;

enum { MAX_DEPTH = 64 };

/* ---- making ---- */

static void region_init(MemRegion *r, const char *name, MemKind kind, uint64_t bytes)
{
    memset(r, 0, sizeof *r);
    r->name = name;
    r->kind = kind;
    r->bytes = bytes;
    r->enabled = true;
}

void mem_region_init_container(MemRegion *r, const char *name, uint64_t bytes)
{
    region_init(r, name, MEM_CONTAINER, bytes);
}

void mem_region_init_io(MemRegion *r, const char *name, uint64_t bytes, const MemIo *io,
                        void *opaque)
{
    region_init(r, name, MEM_IO, bytes);
    r->io = io;
    r->opaque = opaque;
}

bool mem_region_init_ram(MemRegion *r, Machine *m, const char *name, uint64_t bytes, Error *err)
{
    region_init(r, name, MEM_RAM, bytes);
    r->ram = ram_block_new(m, name, bytes, err);
    return r->ram != NULL;
}

bool mem_region_init_rom(MemRegion *r, Machine *m, const char *name, uint64_t bytes, Error *err)
{
    region_init(r, name, MEM_ROM, bytes);
    r->ram = ram_block_new(m, name, bytes, err);
    return r->ram != NULL;
}

bool mem_region_init_romd(MemRegion *r, Machine *m, const char *name, uint64_t bytes,
                          const MemIo *io, void *opaque, Error *err)
{
    region_init(r, name, MEM_ROMD, bytes);
    r->io = io;
    r->opaque = opaque;
    r->romd = true;
    r->ram = ram_block_new(m, name, bytes, err);
    return r->ram != NULL;
}

void mem_region_init_alias(MemRegion *r, const char *name, MemRegion *target,
                           uint64_t target_offset, uint64_t bytes)
{
    region_init(r, name, MEM_ALIAS, bytes);
    r->target = target;
    r->target_offset = target_offset;
}

void mem_region_destroy(Machine *m, MemRegion *r)
{
    if (r->parent) {
        mem_begin(m);
        mem_remove(r);
        mem_commit(m);
    }
    while (r->first_child) {
        mem_remove(r->first_child);
    }
    if (r->ram) {
        ram_block_release(m, r->ram);
        r->ram = NULL;
    }
}

/* ---- the tree ---- */

void mem_add(MemRegion *parent, uint64_t offset, MemRegion *child, int priority)
{
    MemRegion **at = &parent->first_child;

    assert(!child->parent);
    while (*at && (*at)->priority > priority) {
        at = &(*at)->next_sibling;
    }
    child->offset = offset;
    child->priority = priority;
    child->parent = parent;
    child->next_sibling = *at;
    *at = child;
}

void mem_remove(MemRegion *child)
{
    MemRegion **at;

    if (!child->parent) {
        return;
    }
    for (at = &child->parent->first_child; *at != child; at = &(*at)->next_sibling) {
    }
    *at = child->next_sibling;
    child->parent = NULL;
    child->next_sibling = NULL;
}

void mem_begin(Machine *m)
{
    assert(machine_locked_by_me(m));
    m->p->mem_depth++;
}

void mem_commit(Machine *m)
{
    assert(machine_locked_by_me(m) && m->p->mem_depth);
    if (--m->p->mem_depth == 0) {
        mem_views_update(m);
    }
}

void mem_set_enabled(Machine *m, MemRegion *r, bool enabled)
{
    if (r->enabled != enabled) {
        mem_begin(m);
        r->enabled = enabled;
        mem_commit(m);
    }
}

void mem_set_offset(Machine *m, MemRegion *r, uint64_t offset)
{
    if (r->offset != offset) {
        mem_begin(m);
        r->offset = offset;
        mem_commit(m);
    }
}

void mem_set_romd(Machine *m, MemRegion *r, bool romd)
{
    if (r->romd != romd) {
        mem_begin(m);
        r->romd = romd;
        mem_commit(m);
    }
}

/* ---- flattening ---- */

static void view_insert_at(MemView *v, unsigned i, const MemRange *r)
{
    if (v->n == v->cap) {
        v->cap = v->cap ? 2 * v->cap : 16;
        v->ranges = g_renew(MemRange, v->ranges, v->cap);
    }
    memmove(v->ranges + i + 1, v->ranges + i, (v->n - i) * sizeof *r);
    v->ranges[i] = *r;
    v->n++;
}

static MemRange make_range(MemRegion *r, uint64_t start, uint64_t last, uint64_t region_offset)
{
    MemRange out = {.start = start, .last = last, .region = r, .region_offset = region_offset};

    out.ram = r->ram;
    if (r->kind == MEM_RAM || r->kind == MEM_ROM || (r->kind == MEM_ROMD && r->romd)) {
        out.host = r->ram->host + region_offset;
    }
    out.writable = r->kind == MEM_RAM;
    return out;
}

/* Puts r, which begins at `base`, into whatever of [first, last] is still free. */
static void render_leaf(MemView *v, MemRegion *r, Address base, Address first, Address last)
{
    unsigned i = 0;

    while (first <= last) {
        Address end = last;

        while (i < v->n && (Address)v->ranges[i].last < first) {
            i++;
        }
        if (i < v->n) {
            if ((Address)v->ranges[i].start <= first) {
                first = (Address)v->ranges[i].last + 1;
                continue;
            }
            end = MIN(end, (Address)v->ranges[i].start - 1);
        }
        MemRange range = make_range(r, (uint64_t)first, (uint64_t)end, (uint64_t)(first - base));
        view_insert_at(v, i, &range);
        first = end + 1;
    }
}

/* r begins at `base`; only [first, last] shows. Recursion is bounded: the tree is the board's. */
static void render(MemView *v, MemRegion *r, Address base, Address first, Address last,
                   unsigned depth)
{
    Address size = r->bytes ? (Address)r->bytes : (Address)1 << 64;

    assert(depth < MAX_DEPTH);
    first = MAX(first, base);
    last = MIN(last, base + size - 1);
    if (!r->enabled || first > last) {
        return;
    }
    for (MemRegion *c = r->first_child; c; c = c->next_sibling) {
        render(v, c, base + (Address)c->offset, first, last, depth + 1);
    }
    if (r->kind == MEM_ALIAS) {
        render(v, r->target, base - (Address)r->target_offset, first, last, depth + 1);
    } else if (r->kind != MEM_CONTAINER) {
        render_leaf(v, r, base, first, last);
    }
}

MemView *mem_view_build(Machine *m, MemRegion *root)
{
    MemView *v = g_new0(MemView, 1);

    v->id = ++m->p->next_view_id;
    render(v, root, 0, 0, ((Address)1 << 64) - 1, 0);
    return v;
}

/* ---- for info mtree ---- */

static const char *kind_name(const MemRegion *r)
{
    static const char *const names[] = {"container", "ram", "rom", "romd", "i/o", "alias"};

    return names[r->kind];
}

static void print_tree(const Printer *p, const MemRegion *r, uint64_t base, unsigned depth)
{
    char target[80] = "";

    if (r->kind == MEM_ALIAS) {
        snprintf(target, sizeof target, " of %s @%" PRIx64, r->target->name, r->target_offset);
    }
    printer_line(p, "%*s%016" PRIx64 "-%016" PRIx64 " (prio %d, %s): %s%s%s", (int)(2 * depth), "",
               base, base + r->bytes - 1, r->priority, kind_name(r), r->name, target,
               r->enabled ? "" : " [disabled]");
    for (const MemRegion *c = r->first_child; c && depth < MAX_DEPTH; c = c->next_sibling) {
        print_tree(p, c, base + c->offset, depth + 1);
    }
}

static void print_view(const Printer *p, const MemView *v)
{
    for (unsigned i = 0; i < v->n; i++) {
        const MemRange *r = &v->ranges[i];

        printer_line(p, "  %016" PRIx64 "-%016" PRIx64 " (%s): %s @%" PRIx64, r->start, r->last,
                   kind_name(r->region), r->region->name, r->region_offset);
    }
}

void mem_print(Machine *m, bool flat, void (*print)(void *opaque, const char *line), void *opaque)
{
    Printer p = {print, opaque};

    for (AddressSpace *as = m->p->spaces; as; as = as->next) {
        printer_line(&p, "address-space: %s", as->name);
        if (flat) {
            print_view(&p, atomic_load(&as->view));
        } else {
            print_tree(&p, as->root, 0, 1);
        }
    }
}
