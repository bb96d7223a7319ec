/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An engine for a machine's CPUs: where it reads guest code, what it does when the memory map
 * changes or RAM is written behind the CPUs' backs.
 *
 * Code is known by the host address of the RAM it is read from. A page with code has its bit in
 * RamBlock.code; no TLB entry then lets generated code write it, and devices' writes are told to
 * us.
 */
#include <stdlib.h>
#include <string.h>

#include "accel/tcg/sys.h"
#include "core/machine.h"

/* ---- code pages ---- */

/* Before code is read from the page: stores there must be seen from now on. Code lock held. */
static void page_has_code(SysMachine *m, const uint8_t *page)
{
    RamBlock *ram = ram_of_host(m->machine, page);
    uint64_t n = (uint64_t)(page - ram->host) >> TCG_PAGE_BITS, bit = (uint64_t)1 << n % 64;
    if (!ram->code || __atomic_fetch_or(&ram->code[n / 64], bit, __ATOMIC_SEQ_CST) & bit) {
        return;
    }
    SysOp op = {.kind = SYS_OP_PROTECT, .host = page};
    unsigned count = atomic_load(&m->n_vcpus);
    for (unsigned i = 0; i < count; i++) {
        if (m->vcpus[i]->v == m->engine->fetching) {
            sys_protect(m->vcpus[i], page);
        } else {
            sys_post(m->vcpus[i], &op);
        }
    }
}

/* TcgHostOps.fetch; `at` is a host address, as in TcgRange. Never past the end of its page. */
static size_t fetch(void *opaque, uint64_t at, uint8_t *buf, size_t bytes)
{
    SysMachine *m = opaque;
    size_t left = SYS_PAGE_BYTES - at % SYS_PAGE_BYTES, n = left < bytes ? left : bytes;
    page_has_code(m, (const uint8_t *)sys_page_of(at));
    memcpy(buf, (const void *)at, n);
    return n;
}

static const TcgHostOps host_ops = {.fetch = fetch};

/* ---- the memory map ---- */

static void range_add(MemListener *l, const MemRange *r)
{
    SysMachine *m = (SysMachine *)((char *)l - offsetof(SysMachine, listener));
    m->map_changed = true;
    if (r->ram && !r->ram->code) {
        uint64_t pages = (r->ram->bytes + SYS_PAGE_BYTES - 1) >> TCG_PAGE_BITS;
        uint64_t *bits = calloc((pages + 63) / 64, sizeof *bits);
        if (!bits) {
            abort();
        }
        __atomic_store_n(&r->ram->code, bits, __ATOMIC_RELEASE);
    }
}

static void range_del(MemListener *l, const MemRange *r)
{
    SysMachine *m = (SysMachine *)((char *)l - offsetof(SysMachine, listener));
    m->map_changed = true;
    if (r->host) { /* the RAM may be about to go */
        tcg_invalidate(m->engine, (uint64_t)r->host, (uint64_t)r->host + (r->last - r->start) + 1);
    }
}

/* Every vCPU forgets its translations: those in generated code at their next safe point, which is
 * waited for; the others before they enter it. */
static void forget_all(SysMachine *m)
{
    SysOp op = {.kind = SYS_OP_ALL};
    SysVcpu *self = NULL;
    unsigned count = atomic_load(&m->n_vcpus);
    for (unsigned i = 0; i < count; i++) {
        sys_post(m->vcpus[i], &op);
        if (pthread_equal(m->vcpus[i]->thread, pthread_self())) {
            self = m->vcpus[i];
        }
    }
    sys_wait_all(m, self);
}

static void commit(MemListener *l)
{
    SysMachine *m = (SysMachine *)((char *)l - offsetof(SysMachine, listener));
    if (m->map_changed) {
        m->map_changed = false;
        forget_all(m);
    }
}

/* Entries that let stores pass unseen go. */
static void dirty_log(MemListener *l, RamBlock *ram)
{
    (void)ram;
    forget_all((SysMachine *)((char *)l - offsetof(SysMachine, listener)));
}

static void code_written(MemListener *l, RamBlock *ram, uint64_t offset, uint64_t bytes)
{
    SysMachine *m = (SysMachine *)((char *)l - offsetof(SysMachine, listener));
    uint64_t host = (uint64_t)ram->host + offset;
    tcg_invalidate(m->engine, host, host + bytes);
}

/* ---- TcgSysOps ---- */

static void attach(TcgCpu *cpu)
{
    SysVcpu *s = calloc(1, sizeof *s);
    if (!s) {
        abort();
    }
    s->v = cpu->vcpu;
    s->v->sys = s;
    sys_sets_init(s);
    cpu->mem_slow = sys_mem_slow;
}

static void detach(TcgCpu *cpu)
{
    SysVcpu *s = cpu->vcpu->sys;
    SysMachine *m = s->machine;
    unsigned n = m ? atomic_load(&m->n_vcpus) : 0;
    for (unsigned i = 0; i < n; i++) {
        if (m->vcpus[i] == s) {
            m->vcpus[i] = m->vcpus[n - 1];
            atomic_store(&m->n_vcpus, n - 1);
            break;
        }
    }
    free(s->sets);
    free(s);
}

static void context_changed(TcgCpu *cpu)
{
    SysVcpu *s = cpu->vcpu->sys;
    if (s->current) { /* else it has not run yet */
        sys_context(s);
    }
}

static CpuPort *port_of(const TcgCpu *cpu)
{
    return cpu->vcpu->sys->port;
}

const TcgSysOps sys_ops = {
    .run = sys_run,
    .attach = attach,
    .detach = detach,
    .tlb_invalidate = sys_tlb_invalidate,
    .tlb_sync = sys_tlb_sync,
    .context_changed = context_changed,
    .load = sys_load,
    .store = sys_store,
    .port = port_of,
};

/* ---- life ---- */

TcgEngine *sys_engine_new(Machine *m, const TcgGuest *guest, const TcgConfig *config, Error *err)
{
    char why[200];
    SysMachine *s = calloc(1, sizeof *s);
    if (!s) {
        error_set(err, "no memory for the translator");
        return NULL;
    }
    s->machine = m;
    s->engine = tcg_engine_new(guest, &host_ops, s, config, why, sizeof why);
    if (!s->engine) {
        error_set(err, "%s", why);
        free(s);
        return NULL;
    }
    s->engine->sys = &sys_ops;
    s->listener = (MemListener){.range_add = range_add,
                                .range_del = range_del,
                                .commit = commit,
                                .ram_written = code_written,
                                .dirty_log = dirty_log};
    mem_listener_add(m, &s->listener);
    return s->engine;
}

void sys_engine_free(TcgEngine *e)
{
    SysMachine *s = e->opaque;
    machine_lock(s->machine);
    mem_listener_remove(s->machine, &s->listener);
    machine_unlock(s->machine);
    tcg_engine_free(e);
    free(s);
}

void sys_cpu_attach(TcgEngine *e, TcgCpu *cpu, CpuPort *port)
{
    SysMachine *m = e->opaque;
    tcg_cpu_attach(e, cpu);
    SysVcpu *s = cpu->vcpu->sys;
    s->port = port;
    s->machine = m;
    unsigned n = atomic_load(&m->n_vcpus);
    m->vcpus[n] = s;
    atomic_store(&m->n_vcpus, n + 1);
}

void sys_engine_report(TcgEngine *e, FILE *f)
{
    const SysMachine *m = e->opaque;
    tcg_engine_report(e, f);
    unsigned n = atomic_load(&m->n_vcpus);
    for (unsigned i = 0; i < n; i++) {
        const SysVcpu *s = m->vcpus[i];
        fprintf(f,
                "cpu %u: walks %llu, slow accesses %llu (MMIO %llu), context switches %llu "
                "(evictions %llu), TLB operations %llu\n",
                i, (unsigned long long)s->n_walks, (unsigned long long)s->n_slow,
                (unsigned long long)s->n_mmio, (unsigned long long)s->n_switches,
                (unsigned long long)s->n_evictions, (unsigned long long)s->n_tlb_ops);
    }
}
