/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tier 1: one guest block to host code, quickly. Also logs and the life of a TcgRegion. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "accel/tcg/engine.h"
#include "tcg/builder.h"

uint64_t engine_clock_ns(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void region_free(TcgRegion *r)
{
    if (r->ir) {
        arena_free(&r->arena);
    }
    tcg_compiled_free(&r->c);
    if (r->tier == 2) {
        free(r->ranges);
        free(r);
    }
}

static void log_guest(TcgEngine *e, const TcgRegion *r)
{
    uint32_t bytes = (uint32_t)region_bytes(r);
    fprintf(e->log, "IN: %#llx, %u instructions\n", (unsigned long long)r->pc, r->n_insns);
    for (uint32_t off = 0; off < bytes;) {
        char text[128];
        unsigned n =
            e->guest->disas(r->code_copy + off, bytes - off, r->pc + off, text, sizeof text);
        fprintf(e->log, "  %#llx: %s\n", (unsigned long long)(r->pc + off), text);
        off += n;
    }
}

void engine_log_region(TcgEngine *e, const TcgRegion *r, const char *what)
{
    if (e->config.log & TCG_LOG_OUT) {
        fprintf(e->log, "OUT: %s %#llx, %u bytes at %p\n", what, (unsigned long long)r->pc,
                r->c.code_bytes, (const void *)r->c.code);
        e->backend->disas(&r->c, e->log);
    }
    if (e->config.log) {
        fflush(e->log);
    }
}

/* What is translated: guest code as it was read. */
typedef struct Source {
    uint64_t pc, mode;
    const uint8_t *page;
    TcgCpu *cpu;
    size_t n;
    bool flushed; /* the code cache was, to make room for this */
    uint8_t bytes[TCG_BLOCK_BYTES];
} Source;

/* The IR of the guest block at r->pc, in `arena`; fills r's range, targets and code copy. */
static IrRegion *build_block(TcgEngine *e, TcgRegion *r, Arena *arena, const Source *src)
{
    IrBuilder b;
    ir_builder_init(&b, arena, e->guest, r->pc, r->mode, 1);
    b.r->soft_tlb = e->sys != NULL;
    TcgBlockCtx ctx = {.b = &b,
                       .pc = r->pc,
                       .code = src->bytes,
                       .code_bytes = (uint32_t)src->n,
                       .max_insns = e->config.one_insn ? 1 : TCG_BLOCK_INSNS,
                       .mode = r->mode | r->page_mode,
                       .cpu = src->cpu};
    e->guest->translate(&ctx);
    IrRegion *ir = ir_builder_finish(&b);
    ir->n_insns = ctx.n_insns;
    r->n_insns = ctx.n_insns;
    /* A block that could not decode its first instruction still stands for that address. */
    uint64_t at = region_at(r->page, r->pc);
    r->own_range = (TcgRange){at, at + (ctx.n_bytes ? ctx.n_bytes : 1)};
    r->ranges = &r->own_range;
    r->n_ranges = 1;
    r->code_copy = arena_alloc(&e->mem, ctx.n_bytes);
    memcpy(r->code_copy, src->bytes, ctx.n_bytes);
    memcpy(r->target, ctx.target, sizeof r->target);
    r->n_targets = (uint8_t)ctx.n_targets;
    r->ends_in_call = ctx.ends_in_call;
    return ir;
}

static void log_ir(TcgEngine *e, const IrRegion *ir, uint32_t level, const char *what)
{
    if (e->config.log & level) {
        fprintf(e->log, "%s:\n", what);
        ir_print(ir, e->log);
    }
}

/* A region that the interpreter runs: the back end gave it up, or -accel interp. Its IR stays. */
static TcgRegion *keep_ir(TcgEngine *e, TcgRegion *r, const Source *src)
{
    FILE *dump = e->config.interp && e->config.log & TCG_LOG_OPT ? e->log : NULL;
    arena_init(&r->arena);
    r->ir = build_block(e, r, &r->arena, src);
    ir_optimize(r->ir, 1, dump);
    return r;
}

/* NULL: everything was flushed to make room, the memory of the new region too; try again. */
static TcgRegion *make_region(TcgEngine *e, Source *src)
{
    TcgRegion *r = arena_alloc(&e->mem, sizeof *r);
    uint32_t heat = e->config.tier2_heat;
    r->pc = src->pc;
    r->mode = src->mode;
    r->page = src->page;
    r->page_mode = e->ops->page_mode ? e->ops->page_mode(e->opaque, src->pc) : 0;
    r->tier = 1;
    if (e->config.interp) {
        return keep_ir(e, r, src);
    }
    arena_reset(&e->arena);
    IrRegion *ir = build_block(e, r, &e->arena, src);
    if (e->config.log & TCG_LOG_IN) {
        log_guest(e, r);
    }
    log_ir(e, ir, TCG_LOG_IR, "IR");
    ir_optimize(ir, 1, e->config.log & TCG_LOG_OPT ? e->log : NULL);
    if (e->backend->compile(ir, &engine_buffer(e, 1)->buf, heat, &e->mem, &r->c)) {
        r->loaded = heat;
        buffer_add(e->buffers[0], r);
        engine_log_region(e, r, "tier 1");
        perf_region(e, r);
        return r;
    }
    bool full = r->c.code_bytes != UINT32_MAX;
    memset(&r->c, 0, sizeof r->c);
    if (full && !src->flushed) {
        engine_flush(e);
        src->flushed = true;
        return NULL;
    }
    return keep_ir(e, r, src);
}

static TcgRegion *translate_new(TcgEngine *e, TcgCpu *cpu, uint64_t pc, uint64_t mode,
                                const uint8_t *page)
{
    uint64_t t0 = engine_clock_ns(CLOCK_MONOTONIC);
    TcgRegion *r;
    Source src;
    engine_reclaim(e);
    src.pc = pc;
    src.mode = mode;
    src.page = page;
    src.cpu = cpu;
    src.flushed = false;
    e->fetching = cpu->vcpu;
    src.n = e->ops->fetch(e->opaque, region_at(page, pc), src.bytes, sizeof src.bytes);
    if (!src.n) {
        return NULL;
    }
    while (!(r = make_region(e, &src))) {
    }
    engine_publish(e, r);
    e->stats.regions[1]++;
    e->stats.guest_insns[1] += r->n_insns;
    e->stats.code_bytes[1] += r->c.code_bytes;
    e->stats.translate_ns[1] += engine_clock_ns(CLOCK_MONOTONIC) - t0;
    return r;
}

static TcgRegion *translate_locked(TcgEngine *e, TcgCpu *cpu, uint64_t pc, uint64_t mode,
                                   const uint8_t *page)
{
    TcgRegion *r = engine_find(e, pc, mode, page);
    if (!r) {
        /* Sequentially consistent: before the first read of the guest's bytes. */
        atomic_store(&e->translating, region_at(page, pc));
        r = translate_new(e, cpu, pc, mode, page);
        atomic_store(&e->translating, ~(uint64_t)0);
    }
    return r;
}

TcgRegion *engine_translate(TcgEngine *e, TcgCpu *cpu, uint64_t pc, uint64_t mode,
                            const uint8_t *page)
{
    TcgRegion *r = engine_find(e, pc, mode, page);
    if (!r) {
        pthread_mutex_lock(&e->lock);
        r = translate_locked(e, cpu, pc, mode, page);
        pthread_mutex_unlock(&e->lock);
    }
    return r;
}

TcgRegion *engine_follow(TcgEngine *e, TcgVcpu *v, TcgLink *link, uint64_t mode,
                         const uint8_t *page)
{
    pthread_mutex_lock(&e->lock);
    TcgRegion *r = translate_locked(e, v->cpu, link->pc, mode, page);
    /* A flush may have come between: then the link is in retired memory, harmless to leave. */
    if (r && r->c.code && link->dest == link->stub &&
        atomic_load(&e->gen) == atomic_load(&v->gen)) {
        engine_link(e, link, r);
    }
    pthread_mutex_unlock(&e->lock);
    return r;
}
