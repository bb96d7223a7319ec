/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tier 2: what runs hot is compiled again as one region of many blocks, on a background thread,
 * with guest registers in host registers across blocks and loop back-edges.
 *
 * Forming. A region starts at the block whose counter ran out and takes in, breadth first, every
 * tier-1 block that its direct branches reach and that ran often enough, compared with the head.
 * Tier-1 counters are the whole profile. Blocks never seen running stay exits. Where a block runs
 * into the start of another, it is cut there, so no instruction is translated twice.
 * Small callees of direct calls are taken in too, once for each call: the link register is then a
 * known value, the return a plain edge (or one compare, where the callee keeps it on the stack),
 * and registers stay where they are across the call.
 *
 * It works on the copies of the guest's bytes that tier 1 kept, so it never reads guest memory; if
 * one of the blocks was dropped meanwhile, the result is thrown away.
 *
 * Entering needs no more than this: the head is a tier-1 block start, and publishing the region
 * points every link of the old block to it.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "accel/tcg/engine.h"
#include "tcg/builder.h"

enum {
    MAX_BLOCKS = 128,
    MAX_INSNS = 300,
    BUDGET_SHARE = 10,
    MAX_CALLS = 24,    /* calls inlined in one region */
    MAX_DEPTH = 3,     /* calls inside each other */
    COPY_INSNS = 64,   /* a region this small (an inner loop, a leaf) is taken in once more */
    CALLEE_INSNS = 80, /* of one callee, its own inlined callees included */
    COLD_SHARE = 32,   /* a block that ran less than the head's count / COLD_SHARE stays outside */
    QUEUE = sizeof(((TcgEngine *)0)->queue) / sizeof(((TcgEngine *)0)->queue[0]),
};

/* An inlined call: its callee's blocks are in the region once for each. [0] is no call. */
typedef struct FormCall {
    uint64_t callee, ret;
    uint16_t caller; /* the call whose code makes this one */
    uint16_t depth;
    uint32_t n_insns;
} FormCall;

/* One guest block, as part of one call. */
typedef struct FormBlock {
    TcgRegion *tier1;
    uint64_t end; /* where to stop translating it */
    uint16_t call;
    IrBlk ir;
} FormBlock;

/* A region being formed; block 0 is the head. */
typedef struct Form {
    FormBlock blk[MAX_BLOCKS];
    FormCall call[MAX_CALLS];
    uint32_t n, n_calls, n_insns;
    uint64_t gen, mode;
    const uint8_t *page; /* system: the one page all of it is on */
    uint64_t least;      /* least: executions to be worth taking in */
    uint32_t now;        /* the block being translated */
    TcgBuffer *buffer;
} Form;

static uint64_t run_count(const TcgRegion *r)
{
    if (!r->c.counter) {
        return 0;
    }
    uint64_t loaded = atomic_load_explicit(&r->loaded, memory_order_relaxed);
    return loaded - (uint64_t)(int64_t)__atomic_load_n(r->c.counter, __ATOMIC_RELAXED);
}

/* Sets the counter for `more` executions until it leaves again. */
static void reload_counter(TcgRegion *r, int32_t more)
{
    int64_t by = (int64_t)more - __atomic_load_n(r->c.counter, __ATOMIC_RELAXED);
    atomic_fetch_add_explicit(&r->loaded, (uint64_t)by, memory_order_relaxed);
    __atomic_store_n(r->c.counter, more, __ATOMIC_RELAXED);
}

/*
 * Compiling may take a tenth of the processor time used, no more: in a short program, or a large
 * one that is everywhere warm and nowhere hot, it would never pay back. What is put off comes again
 * when it ran as often once more. Processor time, because on a busy machine the clock runs on while
 * the compiler waits.
 */
static bool over_budget(const TcgEngine *e)
{
    return e->stats.translate_ns[2] > engine_clock_ns(CLOCK_PROCESS_CPUTIME_ID) / BUDGET_SHARE;
}

/* The tier-1 block at pc, also where a region replaced it in the table. */
static TcgRegion *tier1_at(TcgEngine *e, uint64_t pc, uint64_t mode, const uint8_t *page)
{
    TcgRegion *r = engine_find(e, pc, mode, page);
    while (r && r->tier != 1) {
        r = r->tier1;
    }
    return r && !r->dead && r->c.code ? r : NULL;
}

static int form_index(const Form *f, uint64_t pc, unsigned call)
{
    for (uint32_t i = 0; i < f->n; i++) {
        if (f->blk[i].tier1->pc == pc && f->blk[i].call == call) {
            return (int)i;
        }
    }
    return -1;
}

static int form_call_index(const Form *f, uint64_t callee, uint64_t ret, unsigned caller)
{
    for (uint32_t i = 1; i < f->n_calls; i++) {
        const FormCall *c = &f->call[i];
        if (c->callee == callee && c->ret == ret && c->caller == caller) {
            return (int)i;
        }
    }
    return -1;
}

/* Takes the block at pc in, when it is known, hot enough and fits. */
static bool form_add(TcgEngine *e, Form *f, uint64_t pc, unsigned call)
{
    if (form_index(f, pc, call) >= 0) {
        return true;
    }
    if (f->page && (pc ^ f->blk[0].tier1->pc) >> TCG_PAGE_BITS) {
        return false;
    }
    const TcgRegion *have = engine_find(e, pc, f->mode, f->page);
    if (have && have->tier == 2 && have->n_insns > COPY_INSNS) {
        return false; /* good code stands there: a link to it is cheaper than a copy */
    }
    TcgRegion *t = f->n < MAX_BLOCKS ? tier1_at(e, pc, f->mode, f->page) : NULL;
    FormCall *c = &f->call[call];
    if (!t || run_count(t) < f->least || f->n_insns + t->n_insns > MAX_INSNS ||
        (call && c->n_insns + t->n_insns > CALLEE_INSNS)) {
        return false;
    }
    f->blk[f->n++] = (FormBlock){.tier1 = t, .call = (uint16_t)call};
    f->n_insns += t->n_insns;
    for (unsigned k = call; k; k = f->call[k].caller) {
        f->call[k].n_insns += t->n_insns;
    }
    return true;
}

static void form_add_call(TcgEngine *e, Form *f, const FormBlock *b)
{
    uint64_t callee = b->tier1->target[0], ret = b->tier1->target[1];
    unsigned depth = f->call[b->call].depth + 1u;
    if (f->n_calls == MAX_CALLS || depth > MAX_DEPTH ||
        form_call_index(f, callee, ret, b->call) >= 0) {
        return;
    }
    f->call[f->n_calls] = (FormCall){callee, ret, b->call, (uint16_t)depth, 0};
    unsigned caller = b->call;
    if (form_add(e, f, callee, f->n_calls)) {
        f->n_calls++;
        form_add(e, f, ret, caller);
    }
}

static void form_collect(TcgEngine *e, Form *f)
{
    f->least = run_count(f->blk[0].tier1) / COLD_SHARE;
    f->n_insns = f->blk[0].tier1->n_insns;
    f->n_calls = 1;
    for (uint32_t i = 0; i < f->n; i++) {
        const TcgRegion *r = f->blk[i].tier1;
        if (r->ends_in_call) {
            form_add_call(e, f, &f->blk[i]);
            continue;
        }
        for (uint32_t k = 0; k < r->n_targets; k++) {
            form_add(e, f, r->target[k], f->blk[i].call);
        }
    }
    for (uint32_t i = 0; i < f->n; i++) {
        FormBlock *b = &f->blk[i];
        b->end = b->tier1->pc + region_bytes(b->tier1);
        for (uint32_t k = 0; k < f->n; k++) {
            uint64_t pc = f->blk[k].tier1->pc;
            if (f->blk[k].call == b->call && pc > b->tier1->pc && pc < b->end) {
                b->end = pc;
            }
        }
    }
}

static IrBlk form_resolve(void *opaque, uint64_t pc)
{
    const Form *f = opaque;
    int i = form_index(f, pc, f->blk[f->now].call);
    return i < 0 ? IR_NO_BLK : f->blk[i].ir;
}

static IrBlk form_resolve_call(void *opaque, uint64_t callee, uint64_t ret)
{
    const Form *f = opaque;
    int call = form_call_index(f, callee, ret, f->blk[f->now].call);
    int i = call < 0 ? -1 : form_index(f, callee, (unsigned)call);
    return i < 0 ? IR_NO_BLK : f->blk[i].ir;
}

static IrBlk form_resolve_ret(void *opaque, uint64_t *ret)
{
    const Form *f = opaque;
    const FormCall *c = &f->call[f->blk[f->now].call];
    *ret = c->ret;
    int i = f->blk[f->now].call ? form_index(f, c->ret, c->caller) : -1;
    return i < 0 ? IR_NO_BLK : f->blk[i].ir;
}

static IrRegion *form_build(TcgEngine *e, Form *f, const TcgCpu *model)
{
    arena_reset(&e->arena2);
    IrBuilder b;
    ir_builder_init(&b, &e->arena2, e->guest, f->blk[0].tier1->pc, f->mode, 2);
    b.r->soft_tlb = e->sys != NULL;
    b.resolve = form_resolve;
    b.resolve_call = form_resolve_call;
    b.resolve_ret = form_resolve_ret;
    b.opaque = f;
    for (uint32_t i = 0; i < f->n; i++) {
        FormBlock *k = &f->blk[i];
        k->ir = i ? ir_new_block(&b, k->tier1->pc, false) : 1;
        uint64_t count = run_count(k->tier1);
        b.r->blocks[k->ir].weight = count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
    }
    for (f->now = 0; f->now < f->n; f->now++) {
        const FormBlock *k = &f->blk[f->now];
        if (f->now) { /* block 1 is current from the start */
            ir_set_block(&b, k->ir);
        }
        TcgBlockCtx ctx = {.b = &b,
                           .pc = k->tier1->pc,
                           .code = k->tier1->code_copy,
                           .code_bytes = (uint32_t)(k->end - k->tier1->pc),
                           .max_insns = k->tier1->n_insns,
                           .mode = f->mode | k->tier1->page_mode,
                           .cpu = model};
        e->guest->translate(&ctx);
    }
    return ir_builder_finish(&b);
}

static TcgRegion *form_region(const Form *f, const IrRegion *ir)
{
    TcgRegion *r = malloc(sizeof *r);
    TcgRange *ranges = malloc(f->n * sizeof *ranges);
    if (!r || !ranges) {
        abort();
    }
    *r = (TcgRegion){.pc = f->blk[0].tier1->pc,
                     .mode = f->mode,
                     .page = f->page,
                     .tier = 2,
                     .n_insns = ir->n_insns,
                     .n_ranges = f->n,
                     .ranges = ranges};
    for (uint32_t i = 0; i < f->n; i++) {
        uint64_t pc = f->blk[i].tier1->pc, at = region_at(f->page, pc);
        r->ranges[i] = (TcgRange){at, at + (f->blk[i].end - pc)};
    }
    return r;
}

/* Nothing of what the region was made from may have changed since. Code lock held. */
static bool form_valid(TcgEngine *e, const Form *f)
{
    if (atomic_load(&e->gen) != f->gen) {
        return false;
    }
    for (uint32_t i = 0; i < f->n; i++) {
        if (f->blk[i].tier1->dead) {
            return false;
        }
    }
    return true;
}

static void publish(TcgEngine *e, Form *f, TcgRegion *r)
{
    pthread_mutex_lock(&e->lock);
    if (!form_valid(e, f)) {
        e->stats.rejected++;
        pthread_mutex_unlock(&e->lock);
        region_free(r);
        return;
    }
    buffer_add(f->buffer, r);
    engine_publish(e, r);
    engine_tell_vcpus(e, TCG_REQ_UPDATE); /* jump caches and rings still name the old block */
    engine_log_region(e, r, "tier 2");
    perf_region(e, r);
    e->stats.regions[2]++;
    e->stats.guest_insns[2] += r->n_insns;
    e->stats.code_bytes[2] += r->c.code_bytes;
    pthread_mutex_unlock(&e->lock);
}

/* compile_lock held: nothing the form points to is freed while it is (engine_reclaim()). */
static void compile_hot(TcgEngine *e, uint64_t pc, uint64_t mode, const uint8_t *page)
{
    Form f = {.mode = mode, .page = page};
    uint64_t t0 = engine_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    pthread_mutex_lock(&e->lock);
    TcgRegion *head = engine_find(e, pc, mode, page);
    if (head && head->tier == 1 && !head->dead && head->c.code) {
        f.blk[f.n++] = (FormBlock){.tier1 = head};
        f.gen = atomic_load(&e->gen);
        f.buffer = engine_buffer(e, 2);
        form_collect(e, &f);
    }
    TcgCpu *model = e->model;
    pthread_mutex_unlock(&e->lock);
    if (!f.n) {
        return;
    }
    IrRegion *ir = form_build(e, &f, model);
    FILE *dump = e->config.log & TCG_LOG_OPT ? e->log : NULL;
    ir_optimize(ir, 2, dump);
    TcgRegion *r = form_region(&f, ir);
    if (e->backend->compile(ir, &f.buffer->buf, 0, NULL, &r->c)) {
        publish(e, &f, r);
    } else {
        bool full = r->c.code_bytes != UINT32_MAX;
        memset(&r->c, 0, sizeof r->c);
        region_free(r);
        if (full) {
            pthread_mutex_lock(&e->lock);
            engine_flush(e);
            pthread_mutex_unlock(&e->lock);
        }
    }
    uint64_t took = engine_clock_ns(CLOCK_THREAD_CPUTIME_ID) - t0;
    pthread_mutex_lock(&e->lock);
    e->stats.translate_ns[2] += took;
    pthread_mutex_unlock(&e->lock);
}

static bool queue_take(TcgEngine *e, uint64_t *pc, uint64_t *mode, const uint8_t **page)
{
    if (e->q_head == e->q_tail) {
        return false;
    }
    *pc = e->queue[e->q_tail % QUEUE].pc;
    *mode = e->queue[e->q_tail % QUEUE].mode;
    *page = e->queue[e->q_tail % QUEUE].page;
    e->q_tail++;
    return true;
}

static void *worker(void *opaque)
{
    TcgEngine *e = opaque;
    for (;;) {
        uint64_t pc, mode;
        const uint8_t *page;
        pthread_mutex_lock(&e->lock);
        while (!e->worker_quit && !queue_take(e, &pc, &mode, &page)) {
            pthread_cond_wait(&e->work, &e->lock);
        }
        bool quit = e->worker_quit;
        pthread_mutex_unlock(&e->lock);
        if (quit) {
            break;
        }
        pthread_mutex_lock(&e->compile_lock);
        compile_hot(e, pc, mode, page);
        pthread_mutex_unlock(&e->compile_lock);
    }
    return NULL;
}

/* Code lock held. The worker takes no signals, not even those libc keeps: they are the guest's. */
static void start_worker(TcgEngine *e)
{
    uint64_t all = ~(uint64_t)0, old;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, sizeof all);
    e->worker_quit = false;
    e->worker_running = pthread_create(&e->worker, NULL, worker, e) == 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, sizeof old);
}

void tcg_worker_stop(TcgEngine *e)
{
    pthread_mutex_lock(&e->lock);
    bool running = e->worker_running;
    pthread_t thread = e->worker;
    e->worker_running = false;
    e->worker_quit = true;
    pthread_cond_signal(&e->work);
    pthread_mutex_unlock(&e->lock);
    if (running) {
        pthread_join(thread, NULL);
    }
}

void engine_hot(TcgEngine *e, uint64_t pc, uint64_t mode, const uint8_t *page)
{
    pthread_mutex_lock(&e->lock);
    TcgRegion *r = engine_find(e, pc, mode, page);
    while (r && r->tier != 1) {
        r = r->tier1;
    }
    bool queued = false;
    if (r && r->c.counter) {
        bool later = e->q_head - e->q_tail == QUEUE || over_budget(e);
        uint64_t twice = run_count(r) * 2;
        reload_counter(r, later && twice < INT32_MAX ? (int32_t)twice : INT32_MAX);
        if (!r->hot_queued && !later) {
            r->hot_queued = true;
            e->queue[e->q_head % QUEUE].pc = pc;
            e->queue[e->q_head % QUEUE].page = page;
            e->queue[e->q_head++ % QUEUE].mode = mode;
            queued = true;
        }
    }
    if (queued && e->config.background) {
        if (!e->worker_running) {
            start_worker(e);
        }
        queued = !e->worker_running;
        pthread_cond_signal(&e->work);
    }
    if (queued) {
        e->q_tail = e->q_head;
    }
    pthread_mutex_unlock(&e->lock);
    if (queued) { /* no background thread wanted or to be had: here and now */
        pthread_mutex_lock(&e->compile_lock);
        compile_hot(e, pc, mode, page);
        pthread_mutex_unlock(&e->compile_lock);
    }
}
