/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine's life, vCPUs coming and going, fork, FP flags. */
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accel/tcg/engine.h"

enum { CODE_BYTES_DEFAULT = 192 << 20, TABLE_BITS = 14 };

static void open_logs(TcgEngine *e)
{
    e->log = stderr;
    if (e->config.log_file) {
        FILE *f = fopen(e->config.log_file, "w");
        e->log = f ? f : stderr;
    }
    perf_open(e);
}

TcgEngine *tcg_engine_new(const TcgGuest *guest, const TcgHostOps *ops, void *opaque,
                          const TcgConfig *config, char *err, size_t err_bytes)
{
    TcgEngine *e = calloc(1, sizeof *e);
    if (!e) {
        snprintf(err, err_bytes, "no memory for the translator");
        return NULL;
    }
    e->guest = guest;
    e->backend = &tcg_backend_x86_64;
    e->ops = ops;
    e->opaque = opaque;
    e->config = *config;
    if (!e->config.code_bytes) {
        e->config.code_bytes = CODE_BYTES_DEFAULT;
    }
    e->host = e->backend->host_features();
    e->buffers[0] = buffer_new(e, err, err_bytes);
    if (!e->buffers[0]) {
        free(e);
        return NULL;
    }
    pthread_mutex_init(&e->compile_lock, NULL);
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->work, NULL);
    atomic_init(&e->translating, ~(uint64_t)0);
    arena_init(&e->arena);
    arena_init(&e->arena2);
    arena_init(&e->mem);
    atomic_store(&e->table, table_new(TABLE_BITS));
    open_logs(e);
    return e;
}

void tcg_engine_free(TcgEngine *e)
{
    tcg_worker_stop(e);
    pthread_mutex_lock(&e->lock);
    engine_flush(e);
    engine_reclaim(e);
    pthread_mutex_unlock(&e->lock);
    for (int i = 0; i < 2; i++) {
        TcgBuffer *next;
        for (TcgBuffer *b = e->buffers[i]; b; b = next) {
            next = b->next;
            buffer_free(b);
        }
    }
    free(atomic_load(&e->table));
    arena_free(&e->mem);
    arena_free(&e->arena);
    arena_free(&e->arena2);
    free(e->model);
    free(e);
}

void tcg_engine_stats(TcgEngine *e, TcgStats *out)
{
    pthread_mutex_lock(&e->lock);
    *out = e->stats;
    for (const TcgVcpu *v = e->vcpus; v; v = v->next) {
        for (int i = 0; i < TCG_N_EXITS; i++) {
            out->exits[i] += v->exits[i];
        }
    }
    pthread_mutex_unlock(&e->lock);
}

void tcg_engine_report(TcgEngine *e, FILE *f)
{
    static const char *const names[TCG_N_EXITS] = {
        [TCG_EXIT_LINK] = "link",       [TCG_EXIT_LOOKUP] = "lookup",
        [TCG_EXIT_HOT] = "hot",         [TCG_EXIT_POLL] = "poll",
        [TCG_EXIT_REQUEST] = "request", [TCG_EXIT_ISB] = "isb",
        [TCG_EXIT_SYSCALL] = "syscall", [TCG_EXIT_FAULT] = "fault",
        [TCG_EXIT_INTERP] = "interp",   [TCG_EXIT_SYSTEM] = "system",
        [TCG_EXIT_WFI] = "wfi",         [TCG_EXIT_UNDEF] = "undef",
    };
    TcgStats s;
    tcg_engine_stats(e, &s);
    for (int t = 1; t <= 2; t++) {
        fprintf(f, "tier %d: %llu regions, %llu guest instructions, %llu bytes, %.1f ms\n", t,
                (unsigned long long)s.regions[t], (unsigned long long)s.guest_insns[t],
                (unsigned long long)s.code_bytes[t], (double)s.translate_ns[t] / 1e6);
    }
    fprintf(f, "flushes %llu, dropped regions %llu, tier-2 results thrown away %llu\nexits:",
            (unsigned long long)s.flushes, (unsigned long long)s.invalidated,
            (unsigned long long)s.rejected);
    for (int i = 0; i < TCG_N_EXITS; i++) {
        if (s.exits[i]) {
            fprintf(f, " %s %llu", names[i] ? names[i] : "other", (unsigned long long)s.exits[i]);
        }
    }
    fputc('\n', f);
}

static const void **helper_table(const TcgGuest *g)
{
    const void **t = calloc(g->n_helpers + 1, sizeof *t);
    for (uint32_t i = 0; t && i < g->n_helpers; i++) {
        const TcgHelper *h = &g->helpers[i];
        t[i] = h->kind == TCG_H_INT ? (const void *)h->i : (const void *)h->v;
    }
    return t;
}

void tcg_cpu_attach(TcgEngine *e, TcgCpu *cpu)
{
    TcgVcpu *v = calloc(1, sizeof *v);
    const void **helpers = helper_table(e->guest);
    if (!v || !helpers) {
        abort();
    }
    v->engine = e;
    v->cpu = cpu;
    v->mode = TCG_NO_MODE;
    engine_no_predictions(cpu);
    cpu->guest = e->guest;
    cpu->helpers = helpers;
    cpu->vcpu = v;
    cpu->host_sp = NULL;
    cpu->mxcsr_host = _mm_getcsr();
    cpu->request = 0;
    pthread_mutex_lock(&e->lock);
    if (!e->model) {
        /* Only what follows the header: features; the header is large and says nothing of them. */
        size_t bytes = (e->guest->cpu_bytes + 63) & ~(size_t)63;
        e->model = aligned_alloc(64, bytes);
        if (!e->model) {
            abort();
        }
        memcpy((char *)e->model + sizeof *cpu, (const char *)cpu + sizeof *cpu,
               e->guest->cpu_bytes - sizeof *cpu);
    }
    cpu->exit_stub = e->backend->exit_address(&e->buffers[0]->buf);
    v->n_changes = e->n_changes;
    atomic_store(&v->gen, atomic_load(&e->gen)); /* it knows nothing older */
    if (e->sys) {
        e->sys->attach(cpu);
    }
    v->next = e->vcpus;
    e->vcpus = v;
    pthread_mutex_unlock(&e->lock);
}

void tcg_cpu_detach(TcgCpu *cpu)
{
    TcgVcpu *v = cpu->vcpu;
    TcgEngine *e = v->engine;
    pthread_mutex_lock(&e->lock);
    for (TcgVcpu **p = &e->vcpus; *p; p = &(*p)->next) {
        if (*p == v) {
            *p = v->next;
            for (int i = 0; i < TCG_N_EXITS; i++) {
                e->stats.exits[i] += v->exits[i];
            }
            break;
        }
    }
    pthread_mutex_unlock(&e->lock);
    if (e->sys) {
        e->sys->detach(cpu);
    }
    free((void *)cpu->helpers);
    free(v);
    cpu->vcpu = NULL;
    cpu->helpers = NULL;
}

void tcg_request(TcgCpu *cpu, uint32_t bits)
{
    __atomic_fetch_or(&cpu->request, bits, __ATOMIC_SEQ_CST);
}

/* ---- fork: compile_lock, then lock; the child has no worker and must not write shared code ----
 */

void tcg_fork_prepare(TcgEngine *e)
{
    pthread_mutex_lock(&e->compile_lock);
    pthread_mutex_lock(&e->lock);
}

void tcg_fork_parent(TcgEngine *e)
{
    pthread_mutex_unlock(&e->lock);
    pthread_mutex_unlock(&e->compile_lock);
}

void tcg_fork_child(TcgEngine *e, TcgCpu *self)
{
    e->inherited[0] = e->inherited[1] = true;
    e->worker_running = false;
    e->q_head = e->q_tail = 0;
    perf_fork_child(e);
    TcgVcpu *v = self->vcpu; /* the other vCPUs' threads do not exist here; their memory may be
                                on their stacks or heaps: only forget it */
    v->next = NULL;
    e->vcpus = v;
    pthread_cond_init(&e->work, NULL);
    pthread_mutex_unlock(&e->lock);
    pthread_mutex_unlock(&e->compile_lock);
}

/* ---- sticky FP flags: part in cpu->fp_flags, part in MXCSR while generated code runs ---- */

enum { MXCSR_STICKY = 0x3f };

static uint32_t flags_from_mxcsr(uint32_t m)
{
    /* IE DE ZE OE UE PE -> IOC DZC OFC UFC IXC (DE has no twin: Arm's IDC is set by soft-float) */
    return (m & 1) | ((m & 0x3c) >> 1);
}

uint32_t tcg_fp_flags(TcgCpu *cpu)
{
    return cpu->fp_flags | (cpu->host_sp ? flags_from_mxcsr(_mm_getcsr()) : 0);
}

void tcg_set_fp_flags(TcgCpu *cpu, uint32_t flags)
{
    cpu->fp_flags = flags;
    if (cpu->host_sp) {
        _mm_setcsr(_mm_getcsr() & ~(uint32_t)MXCSR_STICKY);
    }
}
