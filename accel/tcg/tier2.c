/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tier 2: what runs hot is compiled again as one region of many blocks, on a background thread,
 * with guest registers in host registers across blocks and loop back-edges.
 *
 * Forming. A region starts at the block whose counter ran out and takes in, breadth first, every
 * tier-1 block that its direct branches reach and that ran often enough, compared with the head.
 * Tier-1 counters are the whole profile. Blocks never seen running stay exits. Where a block runs
 * into the start of another, it is cut there, so no instruction is translated twice.
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

#include "accel/tcg/engine.h"
#include "tcg/builder.h"

enum {
    MAX_BLOCKS = 96,
    MAX_INSNS = 1200,
    COLD_SHARE = 64, /* a block that ran less than the head's count / COLD_SHARE stays outside */
    QUEUE = sizeof(((TcgEngine *)0)->queue) / sizeof(((TcgEngine *)0)->queue[0]),
};

/* The blocks of a region being formed; [0] is the head. */
typedef struct Form {
    TcgRegion *blk[MAX_BLOCKS];
    uint64_t   end[MAX_BLOCKS];   /* where to stop translating it */
    IrBlk      ir[MAX_BLOCKS];
    uint32_t   n, n_insns;
    uint64_t   gen;
    TcgBuffer *buffer;
} Form;

static uint64_t run_count(const TcgEngine *e, const TcgRegion *r)
{
    if (!r->c.counter) {
        return 0;
    }
    int64_t left = __atomic_load_n(r->c.counter, __ATOMIC_RELAXED);
    return r->hot_queued ? e->config.tier2_heat + (uint64_t)(INT32_MAX - left)
                         : (uint64_t)((int64_t)e->config.tier2_heat - left);
}

/* The tier-1 block at pc, also where a region replaced it in the table. */
static TcgRegion *tier1_at(TcgEngine *e, uint64_t pc, uint64_t mode)
{
    TcgRegion *r = engine_find(e, pc, mode);
    while (r && r->tier != 1) {
        r = r->tier1;
    }
    return r && !r->dead && r->c.code ? r : NULL;
}

static int form_index(const Form *f, uint64_t pc)
{
    for (uint32_t i = 0; i < f->n; i++) {
        if (f->blk[i]->pc == pc) {
            return (int)i;
        }
    }
    return -1;
}

static void form_collect(TcgEngine *e, Form *f, uint64_t mode)
{
    uint64_t least = run_count(e, f->blk[0]) / COLD_SHARE;
    f->n_insns = f->blk[0]->n_insns;
    for (uint32_t i = 0; i < f->n; i++) {
        const TcgRegion *r = f->blk[i];
        uint32_t n = r->ends_in_call ? 0 : r->n_targets;
        for (uint32_t k = 0; k < n && f->n < MAX_BLOCKS; k++) {
            TcgRegion *t = form_index(f, r->target[k]) < 0 ? tier1_at(e, r->target[k], mode) : NULL;
            if (t && run_count(e, t) >= least && f->n_insns + t->n_insns <= MAX_INSNS) {
                f->blk[f->n++] = t;
                f->n_insns += t->n_insns;
            }
        }
    }
    for (uint32_t i = 0; i < f->n; i++) {
        f->end[i] = f->blk[i]->ranges[0].end;
        for (uint32_t k = 0; k < f->n; k++) {
            if (f->blk[k]->pc > f->blk[i]->pc && f->blk[k]->pc < f->end[i]) {
                f->end[i] = f->blk[k]->pc;
            }
        }
    }
}

static IrBlk form_resolve(void *opaque, uint64_t pc)
{
    const Form *f = opaque;
    int i = form_index(f, pc);
    return i < 0 ? IR_NO_BLK : f->ir[i];
}

static IrRegion *form_build(TcgEngine *e, Form *f, uint64_t mode, const TcgCpu *model)
{
    arena_reset(&e->arena2);
    IrBuilder b;
    ir_builder_init(&b, &e->arena2, e->guest, f->blk[0]->pc, mode, 2);
    b.resolve = form_resolve;
    b.opaque = f;
    for (uint32_t i = 0; i < f->n; i++) {
        f->ir[i] = i ? ir_new_block(&b, f->blk[i]->pc, false) : 1;
        uint64_t count = run_count(e, f->blk[i]);
        b.r->blocks[f->ir[i]].weight = count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
    }
    for (uint32_t i = 0; i < f->n; i++) {
        const TcgRegion *r = f->blk[i];
        if (i) { /* block 1 is current from the start */
            ir_set_block(&b, f->ir[i]);
        }
        TcgBlockCtx ctx = {.b = &b, .pc = r->pc, .code = r->code_copy,
                           .code_bytes = (uint32_t)(f->end[i] - r->pc),
                           .max_insns = r->n_insns, .mode = mode, .cpu = model};
        e->guest->translate(&ctx);
        b.r->n_insns += ctx.n_insns;
    }
    return ir_builder_finish(&b);
}

static TcgRegion *form_region(const Form *f, const IrRegion *ir, uint64_t mode)
{
    TcgRegion *r = region_new(f->blk[0]->pc, mode, 2);
    r->n_insns = ir->n_insns;
    r->n_ranges = f->n;
    r->ranges = malloc(f->n * sizeof *r->ranges);
    if (!r->ranges) {
        abort();
    }
    for (uint32_t i = 0; i < f->n; i++) {
        r->ranges[i] = (TcgRange){f->blk[i]->pc, f->end[i]};
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
        if (f->blk[i]->dead) {
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
    for (uint32_t i = 0; i < r->c.n_links; i++) {
        r->c.links[i].owner = r;
    }
    buffer_add(f->buffer, r);
    engine_publish(e, r);
    /* Jump caches and return rings still name the old block: let them look up again. */
    for (TcgVcpu *v = e->vcpus; v; v = v->next) {
        tcg_request(v->cpu, TCG_REQ_FLUSH);
    }
    engine_log_region(e, r, "tier 2");
    perf_region(e, r);
    e->stats.regions[2]++;
    e->stats.guest_insns[2] += r->n_insns;
    e->stats.code_bytes[2] += r->c.code_bytes;
    pthread_mutex_unlock(&e->lock);
}

/* compile_lock held: nothing the form points to is freed while it is (engine_reclaim()). */
static void compile_hot(TcgEngine *e, uint64_t pc, uint64_t mode)
{
    Form f = {.n = 0};
    uint64_t t0 = engine_now_ns();
    pthread_mutex_lock(&e->lock);
    engine_own_buffers(e);
    TcgRegion *head = engine_find(e, pc, mode);
    if (head && head->tier == 1 && !head->dead && head->c.code) {
        f.blk[f.n++] = head;
        f.gen = atomic_load(&e->gen);
        f.buffer = e->buffers[1];
        form_collect(e, &f, mode);
    }
    TcgCpu *model = e->model;
    pthread_mutex_unlock(&e->lock);
    if (!f.n) {
        return;
    }
    IrRegion *ir = form_build(e, &f, mode, model);
    FILE *dump = e->config.log & TCG_LOG_OPT ? e->log : NULL;
    ir_optimize(ir, 2, dump);
    TcgRegion *r = form_region(&f, ir, mode);
    if (e->backend->compile(ir, &f.buffer->buf, 0, &r->c)) {
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
    e->stats.translate_ns[2] += engine_now_ns() - t0;
}

static bool queue_take(TcgEngine *e, uint64_t *pc, uint64_t *mode)
{
    if (e->q_head == e->q_tail) {
        return false;
    }
    *pc = e->queue[e->q_tail % QUEUE].pc;
    *mode = e->queue[e->q_tail % QUEUE].mode;
    e->q_tail++;
    return true;
}

static void *worker(void *opaque)
{
    TcgEngine *e = opaque;
    for (;;) {
        uint64_t pc, mode;
        pthread_mutex_lock(&e->lock);
        while (!queue_take(e, &pc, &mode)) {
            pthread_cond_wait(&e->work, &e->lock);
        }
        pthread_mutex_unlock(&e->lock);
        pthread_mutex_lock(&e->compile_lock);
        compile_hot(e, pc, mode);
        pthread_mutex_unlock(&e->compile_lock);
    }
    return NULL;
}

/* Code lock held. The worker takes no signals: they are the guest's. */
static void start_worker(TcgEngine *e)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    e->worker_running = pthread_create(&e->worker, &attr, worker, e) == 0;
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void engine_hot(TcgEngine *e, uint64_t pc, uint64_t mode)
{
    pthread_mutex_lock(&e->lock);
    TcgRegion *r = engine_find(e, pc, mode);
    while (r && r->tier != 1) {
        r = r->tier1;
    }
    bool queued = false;
    if (r && r->c.counter) {
        __atomic_store_n(r->c.counter, INT32_MAX, __ATOMIC_RELAXED);
        if (!r->hot_queued && e->q_head - e->q_tail < QUEUE) {
            r->hot_queued = true;
            e->queue[e->q_head % QUEUE].pc = pc;
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
        compile_hot(e, pc, mode);
        pthread_mutex_unlock(&e->compile_lock);
    }
}
