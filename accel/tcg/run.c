/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run loop: find code for the PC, enter it, deal with why it left.
 *
 * Most exits never come here: links, returns and indirect branches are resolved in generated code.
 * What comes is a first time (a link to set, a jump-cache entry to fill), heat, a request, or
 * something for the caller.
 */
#include <string.h>

#include "accel/tcg/engine.h"

static const TcgJumpEntry no_entry = {1, NULL}; /* no guest PC is 1 */

void engine_no_predictions(TcgCpu *cpu)
{
    cpu->jump_cache[0] = no_entry;
    for (unsigned i = 0; i < TCG_RING; i++) {
        cpu->ring[i] = no_entry;
    }
    cpu->ring_top = 0;
}

/* A jump-cache entry of zeros is none either, but for the first: 0 is an address that belongs
 * there. */
static void drop_predictions(TcgCpu *cpu)
{
    memset(cpu->jump_cache, 0, sizeof cpu->jump_cache);
    engine_no_predictions(cpu);
}

/* The jump cache and the ring again, for one address. */
static void update_prediction(TcgVcpu *v, TcgCpu *cpu, uint64_t pc)
{
    TcgRegion *r = engine_find(v->engine, pc, v->mode, NULL);
    TcgJumpEntry now = r && r->c.code ? (TcgJumpEntry){pc, r->c.code} : no_entry;
    TcgJumpEntry *e = engine_jump_entry(cpu, pc);
    if (e->pc == pc) {
        *e = now;
    }
    for (unsigned i = 0; i < TCG_RING; i++) {
        if (cpu->ring[i].pc == pc) {
            cpu->ring[i] = now;
        }
    }
}

static void follow_changes(TcgVcpu *v, TcgCpu *cpu)
{
    TcgEngine *e = v->engine;
    pthread_mutex_lock(&e->lock);
    if (e->n_changes - v->n_changes > TCG_CHANGES) {
        drop_predictions(cpu);
        v->n_changes = e->n_changes;
    }
    for (; v->n_changes < e->n_changes; v->n_changes++) {
        update_prediction(v, cpu, e->changes[v->n_changes % TCG_CHANGES]);
    }
    pthread_mutex_unlock(&e->lock);
}

static void enter_mode(TcgVcpu *v, TcgCpu *cpu);

/* A safe point: returns true when the caller has to be told. */
static bool serve_requests(TcgVcpu *v, TcgCpu *cpu)
{
    uint32_t req = __atomic_load_n(&cpu->request, __ATOMIC_ACQUIRE);
    if (req & TCG_REQ_FLUSH) {
        __atomic_fetch_and(&cpu->request, ~(uint32_t)TCG_REQ_FLUSH, __ATOMIC_ACQ_REL);
        drop_predictions(cpu);
        enter_mode(v, cpu);
        atomic_store(&v->gen, atomic_load(&v->engine->gen));
    }
    if (req & TCG_REQ_UPDATE) {
        __atomic_fetch_and(&cpu->request, ~(uint32_t)TCG_REQ_UPDATE, __ATOMIC_ACQ_REL);
        follow_changes(v, cpu);
    }
    return (req & (TCG_REQ_EXIT | TCG_REQ_SIGNAL)) != 0;
}

TcgExit engine_interp(TcgVcpu *v, TcgRegion *r, const TcgInterpMem *mem)
{
    const TcgInterpMem user = {.opaque = v, .access = engine_interp_access};
    if (_setjmp(v->interp_exit)) {
        return v->cpu->exit_reason;
    }
    return ir_interp(r->ir, v->cpu, mem ? mem : &user, UINT64_MAX);
}

void tcg_raise(TcgCpu *cpu, TcgExit reason, uint64_t info)
{
    cpu->exit_reason = reason;
    cpu->exit_info = info;
    if (!cpu->host_sp) {
        _longjmp(cpu->vcpu->interp_exit, 1);
    }
    /* The exit stub takes the stack pointer from the CPU that rbp names. */
    __asm__ volatile("mov %0, %%rbp\n\tjmp *%1" ::"r"((char *)cpu + TCG_CPU_BIAS),
                     "r"(cpu->exit_stub)
                     : "memory");
    __builtin_unreachable();
}

static void enter_mode(TcgVcpu *v, TcgCpu *cpu)
{
    const TcgGuest *g = v->engine->guest;
    uint64_t mode = g->mode(cpu);
    if (mode != v->mode) {
        if (v->mode != TCG_NO_MODE) {
            drop_predictions(cpu);
        }
        v->mode = mode;
    }
    cpu->mxcsr = g->mxcsr(cpu);
}

/*
 * After an exit: the region to go on in, or NULL with *reason for the caller. The mode word can
 * only have changed by an op that ends in TCG_EXIT_ISB.
 */
static TcgRegion *next_region(TcgVcpu *v, TcgCpu *cpu, TcgExit *reason)
{
    TcgEngine *e = v->engine;
    TcgRegion *r = NULL;
    switch (*reason) {
    case TCG_EXIT_LINK: {
        TcgLink *link = (TcgLink *)cpu->exit_info;
        engine_set_pc(e, cpu, link->pc); /* the link may go when its target is translated */
        r = engine_follow(e, v, link, v->mode, NULL);
        break;
    }
    case TCG_EXIT_HOT:
        engine_hot(e, engine_pc(e, cpu), v->mode, NULL);
        /* fall through */
    case TCG_EXIT_NONE:
    case TCG_EXIT_LOOKUP:
    case TCG_EXIT_POLL: {
        uint64_t pc = engine_pc(e, cpu);
        r = engine_translate(e, cpu, pc, v->mode, NULL);
        if (r && r->c.code) {
            *engine_jump_entry(cpu, pc) = (TcgJumpEntry){pc, r->c.code};
        }
        break;
    }
    case TCG_EXIT_ISB:
        enter_mode(v, cpu);
        r = engine_translate(e, cpu, engine_pc(e, cpu), v->mode, NULL);
        break;
    default: return NULL;
    }
    if (!r) {
        cpu->exit_info = engine_pc(e, cpu);
        *reason = TCG_EXIT_FETCH;
    }
    return r;
}

/* A pending link belongs to code that may be freed or replaced now: only its target is kept. */
static void keep_link_target(TcgEngine *e, TcgCpu *cpu, TcgExit *reason)
{
    if (*reason == TCG_EXIT_LINK) {
        engine_set_pc(e, cpu, ((TcgLink *)cpu->exit_info)->pc);
        *reason = TCG_EXIT_NONE;
    }
}

/*
 * Takes the engine's generation over. What names code of an older one goes first, before v->gen
 * says that it may be freed: the predictions, and a pending link, of which the target is kept.
 */
static void see_generation(TcgVcpu *v, TcgCpu *cpu, TcgExit *reason)
{
    TcgEngine *e = v->engine;
    uint64_t gen = atomic_load(&e->gen);
    if (gen == atomic_load_explicit(&v->gen, memory_order_relaxed)) {
        return;
    }
    keep_link_target(e, cpu, reason);
    drop_predictions(cpu);
    atomic_store(&v->gen, gen);
}

/* Exits at a region's entry name the entry instead of storing the PC. */
static TcgExit left_code(TcgEngine *e, TcgCpu *cpu)
{
    TcgExit reason = cpu->exit_reason;
    if ((reason == TCG_EXIT_HOT || reason == TCG_EXIT_POLL) && cpu->exit_info) {
        engine_set_pc(e, cpu, ((const TcgEntry *)cpu->exit_info)->pc);
    }
    return reason;
}

TcgExit tcg_run(TcgCpu *cpu)
{
    TcgVcpu *v = cpu->vcpu;
    TcgEngine *e = v->engine;
    if (e->sys) {
        return e->sys->run(cpu);
    }
    atomic_store(&v->in_run, true);
    enter_mode(v, cpu);
    TcgExit reason = TCG_EXIT_NONE;
    for (;;) {
        /* gen is taken before any region is looked up: pairs with engine_flush()'s increment. */
        see_generation(v, cpu, &reason);
        if (__atomic_load_n(&cpu->request, __ATOMIC_ACQUIRE)) {
            keep_link_target(e, cpu, &reason);
            if (serve_requests(v, cpu)) {
                reason = TCG_EXIT_REQUEST;
                break;
            }
        }
        TcgRegion *r = next_region(v, cpu, &reason);
        if (!r) {
            break;
        }
        if (r->c.code) {
            const TcgBuffer *now = atomic_load_explicit(&e->buffers[0], memory_order_acquire);
            const TcgCodeBuf *buf = &now->buf;
            cpu->exit_stub = e->backend->exit_address(buf); /* the one before may be freed */
            e->backend->enter(buf, cpu, r->c.code);
            engine_seen(e);
            reason = left_code(e, cpu);
        } else {
            reason = engine_interp(v, r, NULL);
        }
        v->exits[reason]++;
        if (reason > TCG_EXIT_INTERP && reason != TCG_EXIT_ISB) {
            break;
        }
    }
    atomic_store(&v->in_run, false);
    return reason;
}

void tcg_guest_icache_invalidate(TcgCpu *cpu, uint64_t addr, uint64_t len)
{
    tcg_invalidate(cpu->vcpu->engine, addr, addr + len);
}
