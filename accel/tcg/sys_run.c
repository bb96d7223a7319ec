/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run loop of a machine's vCPU. What differs from a program's (run.c): the PC is translated
 * before code is looked up, exceptions and interrupts are taken here, mode and context may change
 * at any of them.
 *
 * One system call of the guest: generated code leaves with TCG_EXIT_SYSCALL; exception() sets EL,
 * PC and the rest; enter_mode() finds the kernel's context among the vCPU's sets and points the TLB
 * and jump cache registers of TcgCpu at it; the vector's code is found in that jump cache and
 * entered.
 */
#include "accel/tcg/sys.h"

static void set_pc_of_link(TcgEngine *e, TcgCpu *cpu, TcgExit *reason)
{
    if (*reason == TCG_EXIT_LINK) {
        engine_set_pc(e, cpu, ((const TcgLink *)cpu->exit_info)->pc);
        *reason = TCG_EXIT_NONE;
    }
}

static void enter_mode(SysVcpu *s)
{
    TcgCpu *cpu = s->v->cpu;
    const TcgGuest *g = s->v->engine->guest;
    s->v->mode = g->mode(cpu);
    cpu->mxcsr = g->mxcsr(cpu);
    sys_context(s);
}

static void follow_changes(SysVcpu *s)
{
    TcgVcpu *v = s->v;
    TcgEngine *e = v->engine;
    pthread_mutex_lock(&e->lock);
    if (e->n_changes - v->n_changes > TCG_CHANGES) {
        sys_jumps_clear(s);
        v->n_changes = e->n_changes;
    }
    for (; v->n_changes < e->n_changes; v->n_changes++) {
        sys_jump_drop(s, e->changes[v->n_changes % TCG_CHANGES]);
    }
    pthread_mutex_unlock(&e->lock);
}

static void take_interrupt(SysVcpu *s)
{
    if (sys_target(s)->interrupt(s->v->cpu)) {
        enter_mode(s);
    }
}

/* A safe point. true: the caller has to be told. */
static bool serve(SysVcpu *s)
{
    TcgCpu *cpu = s->v->cpu;
    uint32_t mine = TCG_REQ_FLUSH | TCG_REQ_UPDATE | TCG_REQ_IRQ;
    uint32_t req = __atomic_fetch_and(&cpu->request, ~mine, __ATOMIC_ACQ_REL);
    if (req & TCG_REQ_FLUSH) {
        sys_jumps_clear(s);
        atomic_store(&s->v->gen, atomic_load(&s->v->engine->gen));
    }
    if (req & TCG_REQ_UPDATE) {
        follow_changes(s);
    }
    if (req & TCG_REQ_TLB) {
        sys_serve_queue(s);
    }
    if (req & TCG_REQ_IRQ) {
        take_interrupt(s);
    }
    return req & (TCG_REQ_EXIT | TCG_REQ_SIGNAL | TCG_REQ_WORK);
}

/* As run.c's: what names code of an older generation goes before v->gen says so. */
static void see_generation(SysVcpu *s, TcgExit *reason)
{
    TcgEngine *e = s->v->engine;
    uint64_t gen = atomic_load(&e->gen);
    if (gen != atomic_load_explicit(&s->v->gen, memory_order_relaxed)) {
        set_pc_of_link(e, s->v->cpu, reason);
        sys_jumps_clear(s);
        atomic_store(&s->v->gen, gen);
    }
}

/* Code for the PC. NULL: an exception was taken, there is a new PC. */
static TcgRegion *find_code(SysVcpu *s, TcgExit reason)
{
    TcgVcpu *v = s->v;
    TcgEngine *e = v->engine;
    TcgCpu *cpu = v->cpu;
    const TcgLink *link = (const TcgLink *)cpu->exit_info;
    uint64_t pc = reason == TCG_EXIT_LINK ? link->pc : engine_pc(e, cpu);
    engine_set_pc(e, cpu, pc);
    SysPage *p = sys_find_page(s, pc, TCG_FETCH, TCG_MMU_CURRENT);
    if (!p || !p->host) {
        s->why = p ? SYS_BUS : SYS_FAULT;
        s->fault_va = pc;
        s->fault_access = TCG_FETCH;
        s->fault_mmu = TCG_MMU_CURRENT;
        if (!sys_deliver(s)) {
            sys_target(s)->exception(cpu, TCG_EXIT_UNDEF, 0);
        }
        return NULL;
    }
    uint64_t mode = v->mode | (p->guarded ? sys_target(s)->guarded_mode : 0);
    TcgRegion *from = reason == TCG_EXIT_LINK ? engine_region_at(v, link->stub) : NULL;
    if (from && from->page == p->host && from->mode == mode) {
        return engine_follow(e, v, (TcgLink *)cpu->exit_info, mode, p->host);
    }
    if (reason == TCG_EXIT_HOT) {
        engine_hot(e, pc, mode, p->host);
    }
    TcgRegion *r = engine_translate(e, cpu, pc, mode, p->host);
    if (r->c.code) {
        sys_jump_set(s, pc, r->c.code);
    }
    return r;
}

/* Where to go on after `reason`; code NULL: r is to be interpreted. */
typedef struct Next {
    const void *code;
    TcgRegion *r;
} Next;

/* false: an exception was taken instead, there is a new PC. */
static bool find_next(SysVcpu *s, TcgExit reason, Next *next)
{
    TcgCpu *cpu = s->v->cpu;
    if (reason == TCG_EXIT_NONE || reason == TCG_EXIT_POLL) {
        uint64_t pc = engine_pc(s->v->engine, cpu);
        const TcgJumpEntry *j = &cpu->sys_jump_cache[pc >> 2 & (SYS_JUMPS - 1)];
        if (j->pc == pc) {
            next->code = j->host;
            return true;
        }
    }
    next->r = find_code(s, reason);
    next->code = next->r ? next->r->c.code : NULL;
    return next->r != NULL;
}

static TcgExit enter_code(SysVcpu *s, const Next *next)
{
    TcgVcpu *v = s->v;
    TcgEngine *e = v->engine;
    TcgCpu *cpu = v->cpu;
    TcgExit reason = TCG_EXIT_NONE;
    atomic_store(&s->in_code, true);
    /* Pairs with sys_post() and wait_for(): one of the two sees the other. */
    if (__atomic_load_n(&cpu->request, __ATOMIC_SEQ_CST) & ~(uint32_t)TCG_REQ_STOP) {
        reason = TCG_EXIT_NONE;
    } else if (next->code) {
        const TcgBuffer *now = atomic_load_explicit(&e->buffers[0], memory_order_acquire);
        const TcgCodeBuf *buf = &now->buf;
        cpu->exit_stub = e->backend->exit_address(buf);
        e->backend->enter(buf, cpu, next->code);
        engine_seen(e);
        reason = cpu->exit_reason;
        if ((reason == TCG_EXIT_HOT || reason == TCG_EXIT_POLL) && cpu->exit_info) {
            engine_set_pc(e, cpu, ((const TcgEntry *)cpu->exit_info)->pc);
        }
    } else {
        TcgInterpMem mem = {.opaque = s, .access = sys_interp_access};
        reason = engine_interp(v, next->r, &mem);
    }
    atomic_store_explicit(&s->in_code, false, memory_order_release);
    v->exits[reason]++;
    return reason;
}

/* What the guest's state needs after an exit; true: the caller has to be told. */
static bool after_exit(SysVcpu *s, TcgExit reason)
{
    TcgCpu *cpu = s->v->cpu;
    switch (reason) {
    case TCG_EXIT_NONE:
    case TCG_EXIT_LINK:
    case TCG_EXIT_LOOKUP:
    case TCG_EXIT_HOT:
    case TCG_EXIT_POLL: return false;
    case TCG_EXIT_ISB: break;
    case TCG_EXIT_FAULT: /* of the interpreter */
        if (!sys_deliver(s)) {
            sys_target(s)->exception(cpu, TCG_EXIT_UNDEF, 0);
        }
        break;
    case TCG_EXIT_WFI:
        if (!sys_target(s)->wake(cpu)) {
            return true;
        }
        break;
    case TCG_EXIT_SYSCALL:
    case TCG_EXIT_BREAK:
    case TCG_EXIT_UNDEF:
    case TCG_EXIT_ALIGN:
    case TCG_EXIT_PC_ALIGN:
    case TCG_EXIT_BTI:
    case TCG_EXIT_PAC:
    case TCG_EXIT_DIVIDE:
    case TCG_EXIT_SYSTEM: sys_target(s)->exception(cpu, reason, cpu->exit_info); break;
    default: return true;
    }
    enter_mode(s);
    take_interrupt(s);
    return false;
}

TcgExit sys_run(TcgCpu *cpu)
{
    TcgVcpu *v = cpu->vcpu;
    SysVcpu *s = v->sys;
    TcgExit reason = TCG_EXIT_NONE;
    atomic_store(&v->in_run, true);
    enter_mode(s);
    take_interrupt(s);
    for (;;) {
        see_generation(s, &reason);
        if (__atomic_load_n(&cpu->request, __ATOMIC_ACQUIRE)) {
            set_pc_of_link(v->engine, cpu, &reason);
            if (serve(s)) {
                reason = TCG_EXIT_REQUEST;
                break;
            }
        }
        Next next = {0};
        if (!find_next(s, reason, &next)) {
            enter_mode(s);
            reason = TCG_EXIT_NONE;
            continue;
        }
        reason = enter_code(s, &next);
        if (after_exit(s, reason)) {
            break;
        }
        if (reason == TCG_EXIT_ISB || reason > TCG_EXIT_INTERP) {
            reason = TCG_EXIT_NONE;
        }
    }
    atomic_store(&v->in_run, false);
    return reason;
}
