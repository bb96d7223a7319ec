/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contexts, their translations and jump caches, and how they are forgotten.
 *
 * Entries are for single pages of 4 KiB whatever the size of the guest's mapping; its size is kept,
 * because an invalidation of any address in it has to find all of them.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "accel/tcg/sys.h"

static const TcgJumpEntry no_jump = {1, NULL}; /* no guest PC is 1 */

/* ---- one set ---- */

static void entry_drop(SysSet *set, unsigned i)
{
    uint64_t none = sys_no_tag(i);
    set->entry[i] = (TcgTlbEntry){none, none, none, 0};
    set->page[i].gen = set->gen - 1;
}

static void jumps_clear(SysJumps *j)
{
    if (j->any) {
        for (unsigned i = 0; i < SYS_JUMPS; i++) {
            j->entry[i] = no_jump;
        }
        memset(j->code_pages, 0, sizeof j->code_pages);
        j->any = false;
    }
}

static void set_jumps_clear(SysSet *set)
{
    jumps_clear(&set->jumps[0]);
    jumps_clear(&set->jumps[1]);
}

static void pages_clear(SysSet *set)
{
    if (set->any_page) {
        for (unsigned i = 0; i < SYS_PAGES; i++) {
            uint64_t none = sys_no_tag(i);
            set->entry[i] = (TcgTlbEntry){none, none, none, 0};
        }
        set->gen++;
        set->any_page = false;
        memset(set->blocks, 0, sizeof set->blocks);
        set->sizes = 0;
    }
    set_jumps_clear(set);
}

void sys_sets_init(SysVcpu *s)
{
    s->sets = aligned_alloc(64, sizeof(SysSet) * SYS_SETS);
    if (!s->sets) {
        abort();
    }
    memset(s->sets, 0, sizeof(SysSet) * SYS_SETS);
    for (unsigned i = 0; i < SYS_SETS; i++) {
        s->sets[i].gen = 1;
        s->sets[i].any_page = s->sets[i].jumps[0].any = s->sets[i].jumps[1].any = true;
        pages_clear(&s->sets[i]);
    }
    pthread_mutex_init(&s->lock, NULL);
}

static uint64_t code_page_bit(uint64_t va, unsigned *word)
{
    uint64_t h = (va >> TCG_PAGE_BITS) * 0x9e3779b97f4a7c15u >> 54;
    *word = (unsigned)(h >> 6);
    return (uint64_t)1 << (h & 63);
}

static void ring_clear(TcgCpu *cpu)
{
    for (unsigned i = 0; i < TCG_RING; i++) {
        cpu->ring[i] = no_jump;
    }
}

/* ---- contexts ---- */

/* The set of that key; the least recently used one becomes it. `keep` is in use. */
static SysSet *set_of(SysVcpu *s, uint64_t key, const SysSet *keep)
{
    SysSet *old = NULL;
    for (unsigned i = 0; i < SYS_SETS; i++) {
        SysSet *set = &s->sets[i];
        if (set->valid && set->key == key) {
            set->used = ++s->clock;
            return set;
        }
        if (set != keep && (!old || !set->valid || (old->valid && set->used < old->used))) {
            old = set;
        }
    }
    s->n_evictions += old->valid;
    pages_clear(old);
    old->valid = true;
    old->key = key;
    old->used = ++s->clock;
    return old;
}

/* The jump cache of that mode word; the other one becomes it. Kernels change to and fro between
 * two, as while they look whether their stack pointer is any good. */
static SysJumps *jumps_of(SysSet *set, uint64_t mode)
{
    if (set->jumps[set->which].mode != mode) {
        set->which ^= 1;
        if (set->jumps[set->which].mode != mode) {
            jumps_clear(&set->jumps[set->which]);
            set->jumps[set->which].mode = mode;
        }
    }
    return &set->jumps[set->which];
}

void sys_context(SysVcpu *s)
{
    TcgCpu *cpu = s->v->cpu;
    const TcgSystem *t = sys_target(s);
    uint64_t key = t->context(cpu, TCG_MMU_CURRENT), user = t->context(cpu, TCG_MMU_USER);
    SysSet *now = s->current;
    if (!now || now->key != key || !now->valid) {
        now = set_of(s, key, NULL);
        s->n_switches++;
    }
    if (!s->user || s->user->key != user || !s->user->valid) {
        s->user = key == user ? now : set_of(s, user, now);
        cpu->tlb[TCG_MMU_USER] = s->user->entry;
    }
    SysJumps *j = jumps_of(now, s->v->mode);
    if (now != s->current || cpu->sys_jump_cache != j->entry) {
        ring_clear(cpu);
        s->current = now;
        cpu->tlb[TCG_MMU_CURRENT] = now->entry;
        cpu->sys_jump_cache = j->entry;
    }
}

/* ---- jump caches ---- */

static TcgJumpEntry *jump_entry(SysJumps *j, uint64_t pc)
{
    return &j->entry[pc >> 2 & (SYS_JUMPS - 1)];
}

void sys_jump_set(SysVcpu *s, uint64_t pc, const void *code)
{
    SysJumps *j = &s->current->jumps[s->current->which];
    unsigned word;
    uint64_t bit = code_page_bit(pc, &word);
    *jump_entry(j, pc) = (TcgJumpEntry){pc, code};
    j->code_pages[word] |= bit;
    j->any = true;
}

void sys_jump_drop(SysVcpu *s, uint64_t pc)
{
    for (unsigned i = 0; i < 2 * SYS_SETS; i++) {
        TcgJumpEntry *e = jump_entry(&s->sets[i / 2].jumps[i % 2], pc);
        if (e->pc == pc) {
            *e = no_jump;
        }
    }
    for (unsigned i = 0; i < TCG_RING; i++) {
        if (s->v->cpu->ring[i].pc == pc) {
            s->v->cpu->ring[i] = no_jump;
        }
    }
}

void sys_jumps_clear(SysVcpu *s)
{
    for (unsigned i = 0; i < SYS_SETS; i++) {
        set_jumps_clear(&s->sets[i]);
    }
    ring_clear(s->v->cpu);
}

/* Of one page: its instructions have 1024 neighbouring places. */
static void jumps_drop_page(SysSet *set, uint64_t va)
{
    unsigned word;
    uint64_t bit = code_page_bit(va, &word);
    for (unsigned n = 0; n < 2; n++) {
        SysJumps *j = &set->jumps[n];
        TcgJumpEntry *e = jump_entry(j, sys_page_of(va));
        for (unsigned i = 0; j->code_pages[word] & bit && i < SYS_PAGE_BYTES / 4; i++) {
            if (sys_page_of(e[i].pc) == sys_page_of(va)) {
                e[i] = no_jump;
            }
        }
    }
}

/* ---- filling ---- */

static bool page_bit(const uint64_t *bits, uint64_t page)
{
    return bits && (__atomic_load_n(&bits[page / 64], __ATOMIC_ACQUIRE) >> (page % 64) & 1);
}

/* Must C see stores to this page? */
static bool watched(const SysPage *p)
{
    uint64_t page = (uint64_t)(p->host - p->ram->host) >> TCG_PAGE_BITS;
    if (p->device || p->watch || p->rom || !p->read || page_bit(p->ram->code, page)) {
        return true;
    }
    for (unsigned c = 0; c < N_DIRTY_CLIENTS; c++) {
        if (__atomic_load_n(&p->ram->dirty[c], __ATOMIC_ACQUIRE)) {
            return true;
        }
    }
    return false;
}

/* The bit that stands for the mapping of 2^bits bytes around va. */
static uint64_t block_bit(uint64_t va, unsigned bits, unsigned *word)
{
    uint64_t h = ((va & ~(uint64_t)0 >> 8) >> bits ^ (uint64_t)bits << 50) * 0x9e3779b97f4a7c15u;
    *word = (unsigned)(h >> 61);
    return (uint64_t)1 << (h >> 55 & 63);
}

static void note_large(SysSet *set, uint64_t va, unsigned bits)
{
    unsigned word;
    uint64_t bit = block_bit(va, bits, &word);
    set->blocks[word] |= bit;
    set->sizes |= (uint64_t)1 << bits;
}

static void find_host(SysVcpu *s, SysPage *p, const TcgTlbFill *f)
{
    MemRange r;
    AddressSpace *as = f->secure && s->port->as_secure ? s->port->as_secure : s->port->as;
    p->host = NULL;
    p->ram = NULL;
    if (mem_find(as, f->gpa_page, &r) && r.host && r.ram && r.start <= f->gpa_page &&
        r.last - f->gpa_page >= SYS_PAGE_BYTES - 1) {
        p->host = r.host + (f->gpa_page - r.start);
        p->ram = r.ram;
        p->rom = !r.writable;
    }
}

static SysPage *enter_page(SysVcpu *s, SysSet *set, uint64_t va, const TcgTlbFill *f)
{
    unsigned i = sys_index(va);
    TcgTlbEntry *e = &set->entry[i];
    SysPage *p = &set->page[i];
    uint64_t none = sys_no_tag(i), tag = sys_page_of(va);
    *p = (SysPage){.va = tag,
                   .gpa = f->gpa_page,
                   .gen = set->gen,
                   .page_bits = f->page_bits,
                   .read = f->read,
                   .write = f->write,
                   .exec = f->exec,
                   .global = f->global,
                   .device = f->device,
                   .guarded = f->guarded,
                   .secure = f->secure,
                   .watch = f->watch};
    find_host(s, p, f);
    *e = (TcgTlbEntry){none, none, none, (uint64_t)p->host - tag};
    if (p->host) {
        e->read = p->read && !p->device && !p->watch ? tag : none;
        e->write = p->write && !watched(p) ? tag : none;
        e->exec = p->exec ? tag : none;
    }
    if (f->page_bits > TCG_PAGE_BITS) {
        note_large(set, va, f->page_bits);
    }
    set->any_page = true;
    return p;
}

static bool allows(const SysPage *p, TcgAccess access)
{
    return access == TCG_READ ? p->read : access == TCG_WRITE ? p->write : p->exec;
}

SysPage *sys_find_page(SysVcpu *s, uint64_t va, TcgAccess access, TcgMmuIndex mmu)
{
    SysSet *set = mmu == TCG_MMU_USER ? s->user : s->current;
    SysPage *p = &set->page[sys_index(va)];
    if (p->gen == set->gen && p->va == sys_page_of(va) && allows(p, access)) {
        return p;
    }
    TcgTlbFill f = {0};
    s->n_walks++;
    if (!sys_target(s)->walk(s->v->cpu, va, access, mmu, &f)) {
        s->why = SYS_FAULT;
        s->fault_va = va;
        s->fault_access = access;
        s->fault_mmu = mmu;
        return NULL;
    }
    return enter_page(s, set, va, &f);
}

bool sys_protect(SysVcpu *s, const uint8_t *host)
{
    bool any = false;
    for (unsigned n = 0; n < SYS_SETS; n++) {
        SysSet *set = &s->sets[n];
        for (unsigned i = 0; set->any_page && i < SYS_PAGES; i++) {
            TcgTlbEntry *e = &set->entry[i];
            if (e->write != sys_no_tag(i) && e->addend + e->write == (uint64_t)host) {
                e->write = sys_no_tag(i);
                any = true;
            }
        }
    }
    return any;
}

void sys_unprotect(SysVcpu *s, SysPage *p)
{
    for (unsigned n = 0; n < SYS_SETS; n++) {
        SysSet *set = &s->sets[n];
        unsigned i = sys_index(p->va);
        if (p == &set->page[i] && p->gen == set->gen && p->write && !watched(p)) {
            set->entry[i].write = p->va;
        }
    }
}

/* ---- invalidation ---- */

static uint64_t low56(uint64_t va)
{
    return va & ~(uint64_t)0 >> 8;
}

/* Does the mapping that page i was made of meet [lo, hi]? Bits 55:0 of addresses. */
static bool page_meets(const SysPage *p, uint64_t lo, uint64_t hi)
{
    uint64_t mask = ((uint64_t)1 << p->page_bits) - 1, start = low56(p->va) & ~mask;
    return start <= hi && lo <= start + mask;
}

static void drop_scan(SysSet *set, uint64_t lo, uint64_t hi, bool keep_global)
{
    for (unsigned i = 0; i < SYS_PAGES; i++) {
        const SysPage *p = &set->page[i];
        if (p->gen == set->gen && !(keep_global && p->global) && page_meets(p, lo, hi)) {
            entry_drop(set, i);
        }
    }
}

/* The jump cache may know code of pages whose TLB entries were replaced. */
static void drop_jumps_in(SysSet *set, uint64_t lo, uint64_t hi)
{
    for (unsigned n = 0; n < 2; n++) {
        SysJumps *j = &set->jumps[n];
        for (unsigned i = 0; j->any && i < SYS_JUMPS; i++) {
            uint64_t pc = low56(j->entry[i].pc);
            if (pc >= lo && pc <= hi) {
                j->entry[i] = no_jump;
            }
        }
    }
}

/* [*lo, *hi] with the mappings that lie across its ends. true: there are larger ones than pages. */
static bool widen(const SysSet *set, uint64_t *lo, uint64_t *hi)
{
    uint64_t first = *lo, last = *hi;
    bool any = false;
    for (uint64_t m = set->sizes; m; m &= m - 1) {
        unsigned bits = (unsigned)__builtin_ctzll(m), word;
        uint64_t mask = ((uint64_t)1 << bits) - 1;
        for (unsigned end = 0; end < 2; end++) {
            uint64_t at = end ? last : first, bit = block_bit(at, bits, &word);
            if (set->blocks[word] & bit) {
                *lo = (at & ~mask) < *lo ? at & ~mask : *lo;
                *hi = (at | mask) > *hi ? at | mask : *hi;
                any = true;
            }
        }
    }
    return any;
}

enum { FEW_PAGES = 16 };

static void drop_range(SysSet *set, const TcgTlbOp *op)
{
    uint64_t lo = low56(sys_page_of(op->va)), hi = lo + ((op->bytes - 1) | (SYS_PAGE_BYTES - 1));
    uint64_t first = lo, last = hi;
    bool many = (hi - lo) >> TCG_PAGE_BITS >= FEW_PAGES;
    if (widen(set, &lo, &hi) || many) {
        drop_scan(set, first, last, op->keep_global);
        drop_jumps_in(set, lo, hi);
        return;
    }
    for (uint64_t va = lo; va <= hi; va += SYS_PAGE_BYTES) {
        unsigned i = sys_index(va);
        const SysPage *p = &set->page[i];
        if (p->gen == set->gen && low56(p->va) == va && !(op->keep_global && p->global)) {
            entry_drop(set, i);
        }
        /* PCs are canonical addresses: their top byte follows from bit 55. */
        jumps_drop_page(set, op->va >> 55 & 1 ? va | (uint64_t)0xff << 56 : va);
    }
}

static void apply(SysVcpu *s, const TcgTlbOp *op)
{
    s->n_tlb_ops++;
    for (unsigned i = 0; i < SYS_SETS; i++) {
        SysSet *set = &s->sets[i];
        if (!set->valid || (set->key & op->key_mask) != op->key) {
            continue;
        }
        if (op->bytes) {
            drop_range(set, op);
        } else if (op->keep_global) {
            drop_scan(set, 0, ~(uint64_t)0 >> 8, true);
            set_jumps_clear(set);
        } else {
            pages_clear(set);
        }
    }
    ring_clear(s->v->cpu);
}

/* ---- asking others ---- */

void sys_post(SysVcpu *s, const SysOp *op)
{
    pthread_mutex_lock(&s->lock);
    if (s->n_queue == SYS_QUEUE || op->kind == SYS_OP_ALL) {
        s->flush_all = true;
    } else {
        s->queue[s->n_queue++] = *op;
    }
    atomic_fetch_add(&s->posted, 1);
    pthread_mutex_unlock(&s->lock);
    tcg_request(s->v->cpu, TCG_REQ_TLB);
}

/* Page `host` has code now: this vCPU may have written there after it was read. */
static void protect_late(SysVcpu *s, const uint8_t *host)
{
    if (sys_protect(s, host)) {
        tcg_invalidate(s->v->engine, (uint64_t)host, (uint64_t)host + SYS_PAGE_BYTES);
    }
}

/* The queue was full: any PROTECT may be among what was lost. */
static void flush_all(SysVcpu *s)
{
    TcgEngine *e = s->v->engine;
    for (unsigned n = 0; n < SYS_SETS; n++) {
        SysSet *set = &s->sets[n];
        for (unsigned i = 0; set->any_page && i < SYS_PAGES; i++) {
            uint64_t host = set->entry[i].addend + set->entry[i].write;
            if (set->entry[i].write != sys_no_tag(i)) {
                tcg_invalidate(e, host, host + SYS_PAGE_BYTES);
            }
        }
        pages_clear(set);
    }
    ring_clear(s->v->cpu);
}

void sys_serve_queue(SysVcpu *s)
{
    SysOp ops[SYS_QUEUE];
    __atomic_fetch_and(&s->v->cpu->request, ~(uint32_t)TCG_REQ_TLB, __ATOMIC_ACQ_REL);
    pthread_mutex_lock(&s->lock);
    unsigned n = s->n_queue;
    bool all = s->flush_all;
    uint64_t posted = atomic_load(&s->posted);
    memcpy(ops, s->queue, n * sizeof *ops);
    s->n_queue = 0;
    s->flush_all = false;
    pthread_mutex_unlock(&s->lock);
    for (unsigned i = 0; i < n; i++) {
        if (ops[i].kind == SYS_OP_PROTECT) {
            protect_late(s, ops[i].host);
        } else if (!all) {
            apply(s, &ops[i].op);
        }
    }
    if (all) {
        flush_all(s);
    }
    atomic_store(&s->done, posted);
}

void sys_quiet_begin(SysVcpu *s)
{
    atomic_store(&s->in_code, false);
}

void sys_quiet_end(SysVcpu *s)
{
    atomic_store(&s->in_code, true);
    if (__atomic_load_n(&s->v->cpu->request, __ATOMIC_ACQUIRE) & TCG_REQ_TLB) {
        sys_serve_queue(s);
    }
}

static void wait_for(SysVcpu *s)
{
    uint64_t want = atomic_load(&s->posted);
    for (unsigned n = 0; atomic_load(&s->in_code) && atomic_load(&s->done) < want; n++) {
        if (n < 200) {
            __builtin_ia32_pause();
        } else {
            sched_yield();
        }
    }
}

void sys_wait_all(SysMachine *m, SysVcpu *self)
{
    unsigned n = atomic_load(&m->n_vcpus);
    for (unsigned i = 0; i < n; i++) {
        if (m->vcpus[i] != self) {
            wait_for(m->vcpus[i]);
        }
    }
}

void sys_tlb_invalidate(TcgCpu *cpu, const TcgTlbOp *op)
{
    SysVcpu *s = cpu->vcpu->sys;
    SysMachine *m = s->machine;
    apply(s, op);
    if (op->broadcast) {
        SysOp o = {.kind = SYS_OP_TLB, .op = *op};
        unsigned n = atomic_load(&m->n_vcpus);
        for (unsigned i = 0; i < n; i++) {
            if (m->vcpus[i] != s) {
                sys_post(m->vcpus[i], &o);
            }
        }
    }
}

void sys_tlb_sync(TcgCpu *cpu)
{
    SysVcpu *s = cpu->vcpu->sys;
    bool inside = atomic_load(&s->in_code);
    sys_quiet_begin(s);
    sys_wait_all(s->machine, s);
    if (inside) {
        sys_quiet_end(s);
    }
}
