/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The translator as an accelerator: -accel tcg. One AccelOps per ISA it translates. */
#include <stdlib.h>
#include <string.h>

#include "accel/tcg/sys.h"
#include "accel/vcpu.h"
#include "target/arm/a64.h"
#include "util/keyval.h"

enum { HEAT_DEFAULT = 1500 };

typedef struct TcgAccel {
    TcgEngine *engine;
    const TcgGuest *guest;
    TcgSystemConfig cpu;
    char *cpu_model;
} TcgAccel;

static bool parse_options(Accel *a, const AccelConfig *config, TcgConfig *c, Error *err)
{
    static const char *const threads[] = {"multi", "single", NULL};
    KeyVals kv;
    int thread = 0;
    uint64_t heat = c->tier2_heat, code = 0;
    bool ok = keyvals_parse(&kv, config->options ? config->options : "", NULL, err) &&
              keyvals_enum(&kv, "thread", threads, &thread, err) &&
              keyvals_bool(&kv, "interp", &c->interp, err) &&
              keyvals_bool(&kv, "one-insn-per-tb", &c->one_insn, err) &&
              keyvals_u64(&kv, "heat", &heat, err) &&
              keyvals_size(&kv, "tb-size", 1 << 20, &code, err) && keyvals_finish(&kv, err);
    keyvals_free(&kv);
    c->tier2_heat = heat > INT32_MAX ? INT32_MAX : (uint32_t)heat;
    c->code_bytes = code;
    a->in_turn = thread == 1;
    return ok || error_prepend(err, "-accel tcg: ");
}

static bool init(Accel *a, const AccelConfig *config, const TcgGuest *guest, Error *err)
{
    TcgConfig c = {.tier2_heat = config->one_insn ? 0 : HEAT_DEFAULT,
                   .background = true,
                   .one_insn = config->one_insn,
                   .log = config->log,
                   .log_file = config->log_file,
                   .perf_map = getenv("GEMEL_PERF_MAP") != NULL,
                   .jitdump = getenv("GEMEL_JITDUMP") != NULL};
    TcgAccel *t = calloc(1, sizeof *t);
    if (!t || !parse_options(a, config, &c, err)) {
        free(t);
        return false;
    }
    t->guest = guest;
    t->cpu_model = strdup(config->cpu_model);
    t->cpu = (TcgSystemConfig){.cpu_model = t->cpu_model,
                               .el2 = config->el2,
                               .el3 = config->el3,
                               .semihosting = config->semihosting,
                               .host_avx = tcg_backend_x86_64.host_features() & TCG_HOST_AVX,
                               .counter_hz = config->counter_hz};
    t->engine = sys_engine_new(a->machine, guest, &c, err);
    if (!t->engine) {
        free(t->cpu_model);
        free(t);
        return false;
    }
    a->state = t;
    return true;
}

static void fini(Accel *a)
{
    TcgAccel *t = a->state;
    sys_engine_free(t->engine);
    free(t->cpu_model);
    free(t);
}

/* ---- vCPUs ---- */

static const TcgSystem *target(const Vcpu *v)
{
    return ((TcgAccel *)v->accel->state)->guest->system;
}

static bool vcpu_make(Vcpu *v, Error *err)
{
    TcgAccel *t = v->accel->state;
    size_t bytes = (t->guest->cpu_bytes + 63u) & ~(size_t)63;
    TcgCpu *cpu = aligned_alloc(64, bytes);
    if (!cpu) {
        return error_set(err, "no memory for CPU %u", v->port.index);
    }
    memset(cpu, 0, bytes);
    cpu->owner = v;
    if (!t->guest->system->init(cpu, &v->port, &t->cpu, err)) {
        free(cpu);
        return false;
    }
    sys_cpu_attach(t->engine, cpu, &v->port);
    v->state = cpu;
    return true;
}

static void vcpu_unmake(Vcpu *v)
{
    TcgCpu *cpu = v->state;
    if (target(v)->fini) {
        target(v)->fini(cpu);
    }
    tcg_cpu_detach(cpu);
    free(cpu);
}

static void thread_start(Vcpu *v)
{
    TcgCpu *cpu = v->state;
    cpu->vcpu->sys->thread = pthread_self();
}

static void reset(Vcpu *v)
{
    TcgCpu *cpu = v->state;
    target(v)->reset(cpu);
    sys_post(cpu->vcpu->sys, &(SysOp){.kind = SYS_OP_ALL});
}

static void start(Vcpu *v, uint64_t pc, uint64_t arg, bool kernel)
{
    target(v)->start(v->state, pc, arg, kernel);
}

static AccelExit run(Vcpu *v)
{
    TcgCpu *cpu = v->state;
    TcgExit why = tcg_run(cpu);
    switch (why) {
    case TCG_EXIT_REQUEST:
        __atomic_fetch_and(&cpu->request, ~(uint32_t)(TCG_REQ_EXIT | TCG_REQ_WORK),
                           __ATOMIC_ACQ_REL);
        return ACCEL_AGAIN;
    case TCG_EXIT_WFI: return ACCEL_WAIT;
    case TCG_EXIT_HALT: return ACCEL_OFF;
    default:
        error_set(&v->error, "CPU %u: generated code left for a reason (%d) nobody handles",
                  v->port.index, (int)why);
        return ACCEL_ERROR;
    }
}

static void kick(Vcpu *v, bool leave)
{
    tcg_request(v->state, TCG_REQ_IRQ | (leave ? TCG_REQ_EXIT : 0));
}

static bool can_wake(Vcpu *v)
{
    return target(v)->wake(v->state);
}

static void print_regs(Vcpu *v, void (*print)(void *opaque, const char *line), void *opaque)
{
    target(v)->print_regs(v->state, print, opaque);
}

static bool translate(Vcpu *v, uint64_t va, uint64_t *gpa)
{
    return target(v)->debug_translate(v->state, va, gpa);
}

static uint64_t pc_of(Vcpu *v)
{
    return engine_pc(((TcgAccel *)v->accel->state)->engine, v->state);
}

static bool save(Vcpu *v, StateStream *s)
{
    return target(v)->save(v->state, s);
}

static bool load(Vcpu *v, StateStream *s, Error *err)
{
    TcgCpu *cpu = v->state;
    sys_post(cpu->vcpu->sys, &(SysOp){.kind = SYS_OP_ALL});
    return target(v)->load(cpu, s, err);
}

static void report(Accel *a, void (*print)(void *opaque, const char *line), void *opaque)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);
    if (!f) {
        return;
    }
    sys_engine_report(((TcgAccel *)a->state)->engine, f);
    fclose(f);
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n")) && (*line || rest);) {
        print(opaque, line);
    }
    free(text);
}

static bool init_aarch64(Accel *a, const AccelConfig *config, Error *err)
{
    return init(a, config, &a64_system_guest, err);
}

const AccelOps accel_tcg_aarch64 = {
    .name = "tcg",
    .isa = "aarch64",
    .init = init_aarch64,
    .fini = fini,
    .vcpu_init = vcpu_make,
    .vcpu_thread_start = thread_start,
    .vcpu_free = vcpu_unmake,
    .vcpu_reset = reset,
    .vcpu_start = start,
    .run = run,
    .kick = kick,
    .can_wake = can_wake,
    .print_regs = print_regs,
    .translate = translate,
    .pc = pc_of,
    .save = save,
    .load = load,
    .cpu_models = a64_cpu_models,
    .report = report,
};
