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

TcgRegion *region_new(uint64_t pc, uint64_t mode, unsigned tier)
{
    TcgRegion *r = calloc(1, sizeof *r);
    if (!r) {
        abort();
    }
    r->pc = pc;
    r->mode = mode;
    r->tier = tier;
    return r;
}

void region_free(TcgRegion *r)
{
    if (r->ir) {
        arena_free(&r->arena);
    }
    tcg_compiled_free(&r->c);
    free(r->ranges);
    free(r->code_copy);
    free(r);
}

static void log_guest(TcgEngine *e, const TcgRegion *r)
{
    uint32_t bytes = (uint32_t)(r->ranges[0].end - r->pc);
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
    fflush(e->log);
}

/* The IR of the guest block at pc, in `arena`; fills r's ranges, targets and code copy. */
static IrRegion *build_block(TcgEngine *e, TcgCpu *cpu, TcgRegion *r, Arena *arena)
{
    uint8_t code[TCG_BLOCK_BYTES];
    size_t got = e->ops->fetch(e->opaque, r->pc, code, sizeof code);
    if (!got) {
        return NULL;
    }
    IrBuilder b;
    ir_builder_init(&b, arena, e->guest, r->pc, r->mode, 1);
    TcgBlockCtx ctx = {.b = &b,
                       .pc = r->pc,
                       .code = code,
                       .code_bytes = (uint32_t)got,
                       .max_insns = e->config.one_insn ? 1 : TCG_BLOCK_INSNS,
                       .mode = r->mode,
                       .cpu = cpu};
    e->guest->translate(&ctx);
    IrRegion *ir = ir_builder_finish(&b);
    ir->n_insns = ctx.n_insns;
    r->n_insns = ctx.n_insns;
    r->n_ranges = 1;
    r->ranges = malloc(sizeof *r->ranges);
    r->code_copy = malloc(ctx.n_bytes ? ctx.n_bytes : 1);
    if (!r->ranges || !r->code_copy) {
        abort();
    }
    /* A block that could not decode its first instruction still stands for that address. */
    r->ranges[0] = (TcgRange){r->pc, r->pc + (ctx.n_bytes ? ctx.n_bytes : 1)};
    memcpy(r->code_copy, code, ctx.n_bytes);
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

static void compile(TcgEngine *e, TcgRegion *r, const IrRegion *ir)
{
    uint32_t heat = e->config.tier2_heat;
    if (!e->backend->compile(ir, &engine_buffer(e, 1)->buf, heat, &r->c)) {
        if (r->c.code_bytes != UINT32_MAX) { /* buffer full */
            engine_flush(e);
            memset(&r->c, 0, sizeof r->c);
            if (e->backend->compile(ir, &e->buffers[0]->buf, heat, &r->c)) {
                return;
            }
        }
        memset(&r->c, 0, sizeof r->c); /* too large for the back end: the interpreter runs it */
    }
}

static TcgRegion *translate_locked(TcgEngine *e, TcgCpu *cpu, uint64_t pc, uint64_t mode)
{
    TcgRegion *r = engine_find(e, pc, mode);
    if (r) {
        return r;
    }
    uint64_t t0 = engine_clock_ns(CLOCK_MONOTONIC);
    engine_reclaim(e);
    r = region_new(pc, mode, 1);
    if (e->config.interp) {
        arena_init(&r->arena);
    } else {
        arena_reset(&e->arena);
    }
    IrRegion *ir = build_block(e, cpu, r, e->config.interp ? &r->arena : &e->arena);
    if (!ir) {
        free(r);
        return NULL;
    }
    if (e->config.log & TCG_LOG_IN) {
        log_guest(e, r);
    }
    log_ir(e, ir, TCG_LOG_IR, "IR");
    ir_optimize(ir, 1, e->config.log & TCG_LOG_OPT ? e->log : NULL);
    if (!e->config.interp) {
        compile(e, r, ir);
    }
    if (!r->c.code) {
        if (!e->config.interp) {
            /* IR is needed for good: build it again in memory of its own. */
            free(r->ranges);
            free(r->code_copy);
            arena_init(&r->arena);
            r->ranges = NULL;
            r->code_copy = NULL;
            ir = build_block(e, cpu, r, &r->arena);
            if (!ir) { /* unmapped meanwhile */
                arena_free(&r->arena);
                region_free(r);
                return NULL;
            }
            ir_optimize(ir, 1, NULL);
        }
        r->ir = ir;
    } else {
        for (uint32_t i = 0; i < r->c.n_links; i++) {
            r->c.links[i].owner = r;
        }
        r->loaded = e->config.tier2_heat;
        buffer_add(e->buffers[0], r);
        engine_log_region(e, r, "tier 1");
        perf_region(e, r);
    }
    engine_publish(e, r);
    e->stats.regions[1]++;
    e->stats.guest_insns[1] += r->n_insns;
    e->stats.code_bytes[1] += r->c.code_bytes;
    e->stats.translate_ns[1] += engine_clock_ns(CLOCK_MONOTONIC) - t0;
    return r;
}

TcgRegion *engine_translate(TcgEngine *e, TcgCpu *cpu, uint64_t pc, uint64_t mode)
{
    TcgRegion *r = engine_find(e, pc, mode);
    if (!r) {
        pthread_mutex_lock(&e->lock);
        /* Sequentially consistent: before the first read of the guest's bytes. */
        atomic_store(&e->translating, pc);
        r = translate_locked(e, cpu, pc, mode);
        atomic_store(&e->translating, ~(uint64_t)0);
        pthread_mutex_unlock(&e->lock);
    }
    return r;
}
