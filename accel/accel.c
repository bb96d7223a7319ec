/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The accelerators there are, and a machine's: its CPUs, started, stopped and reset together. */
#include <stdlib.h>
#include <string.h>

#include "accel/vcpu.h"

static const AccelOps *const accels[] = {&accel_tcg_aarch64};
enum { N_ACCELS = sizeof accels / sizeof accels[0] };

/* ---- MachineCpuOps ---- */

static void start_all(Machine *m)
{
    for (unsigned i = 0; i < m->n_cpus; i++) {
        vcpu_run(m->cpus[i]->vcpu);
    }
}

static void stop_all(Machine *m)
{
    for (unsigned i = 0; i < m->n_cpus; i++) {
        vcpu_stop_begin(m->cpus[i]->vcpu);
    }
    for (unsigned i = 0; i < m->n_cpus; i++) {
        vcpu_stop_wait(m->cpus[i]->vcpu);
    }
}

static void reset_all(Machine *m)
{
    for (unsigned i = 0; i < m->n_cpus; i++) {
        vcpu_reset(m->cpus[i]->vcpu);
    }
}

static const MachineCpuOps cpu_ops = {.start = start_all, .stop = stop_all, .reset = reset_all};

/* ---- */

static const AccelOps *find_ops(const char *name, const char *isa, Error *err)
{
    char have[100] = "";
    for (unsigned i = 0; i < N_ACCELS; i++) {
        if (strcmp(accels[i]->isa, isa)) {
            continue;
        }
        if (!strcmp(accels[i]->name, name)) {
            return accels[i];
        }
        size_t n = strlen(have);
        snprintf(have + n, sizeof have - n, "%s%s", n ? ", " : "", accels[i]->name);
    }
    error_set(err, "-accel %s: no such accelerator for %s; there is: %s", name, isa,
              have[0] ? have : "none");
    return NULL;
}

Accel *accel_new(Machine *m, const char *name, const char *isa, const AccelConfig *config,
                 Error *err)
{
    const AccelOps *ops = find_ops(name, isa, err);
    if (!ops || (ops->available && !ops->available(err))) {
        return NULL;
    }
    Accel *a = calloc(1, sizeof *a);
    if (!a) {
        error_set(err, "-accel %s: no memory", name);
        return NULL;
    }
    a->ops = ops;
    a->machine = m;
    if (!ops->init(a, config, err)) {
        free(a);
        return NULL;
    }
    if (a->in_turn) {
        a->turn = vcpu_turn_new();
    }
    machine_set_cpu_ops(m, &cpu_ops);
    return a;
}

static void print_line(void *opaque, const char *line)
{
    fprintf(opaque, "%s\n", line);
}

void accel_free(Accel *a)
{
    Machine *m = a->machine;
    if (getenv("GEMEL_STATS") && a->ops->report) {
        a->ops->report(a, print_line, stderr);
    }
    for (unsigned i = 0; i < m->n_cpus; i++) {
        Vcpu *v = m->cpus[i]->vcpu;
        state_section_remove(m, &v->section);
        vcpu_free(v);
        m->cpus[i] = NULL;
    }
    m->n_cpus = 0;
    machine_set_cpu_ops(m, NULL);
    a->ops->fini(a);
    vcpu_turn_free(a->turn);
    free(a);
}

/* ---- saved state ---- */

static bool save_cpu(void *opaque, StateStream *s)
{
    Vcpu *v = opaque;
    return state_put_u32(s, atomic_load(&v->port.power)) &&
           state_put_u32(s, atomic_load(&v->port.lines)) && state_put_u32(s, v->waiting) &&
           v->accel->ops->save(v, s);
}

static bool load_cpu(void *opaque, StateStream *s, uint32_t version, Error *err)
{
    Vcpu *v = opaque;
    uint32_t power, lines, waiting;
    (void)version;
    if (!state_get_u32(s, &power) || !state_get_u32(s, &lines) || !state_get_u32(s, &waiting) ||
        power > CPU_ON || lines >> CPU_N_LINES || waiting > 1) {
        return error_set(err, "the saved state of CPU %u is damaged", v->port.index);
    }
    atomic_store(&v->port.power, power);
    atomic_store(&v->port.lines, lines);
    v->waiting = waiting;
    return v->accel->ops->load(v, s, err);
}

static void add_section(Vcpu *v)
{
    v->section = (StateSection){.name = "cpu",
                                .instance = v->port.index,
                                .version = 1,
                                .save = save_cpu,
                                .load = load_cpu,
                                .opaque = v};
    state_section_add(v->accel->machine, &v->section);
}

bool accel_add_cpu(Accel *a, uint64_t mpidr, bool off, Error *err)
{
    Machine *m = a->machine;
    if (m->n_cpus == MACHINE_MAX_CPUS) {
        return error_set(err, "a machine has at most %d CPUs", MACHINE_MAX_CPUS);
    }
    Vcpu *v = calloc(1, sizeof *v);
    if (!v) {
        return error_set(err, "no memory for CPU %u", m->n_cpus);
    }
    v->accel = a;
    v->off_at_reset = off;
    v->port.machine = m;
    v->port.index = m->n_cpus;
    v->port.mpidr = mpidr;
    v->port.as = v->port.as_secure = m->as;
    v->port.as_io = m->as_io;
    atomic_init(&v->port.power, off ? CPU_OFF : CPU_ON);
    if (!vcpu_init(v, err)) {
        free(v);
        return false;
    }
    add_section(v);
    m->cpus[m->n_cpus++] = &v->port;
    return true;
}

Vcpu *accel_vcpu(Accel *a, unsigned index)
{
    return index < a->machine->n_cpus ? a->machine->cpus[index]->vcpu : NULL;
}

void accel_set_entry(Accel *a, unsigned cpu, uint64_t pc, uint64_t arg, bool kernel)
{
    Vcpu *v = accel_vcpu(a, cpu);
    v->has_entry = true;
    v->entry_pc = pc;
    v->entry_arg = arg;
    v->kernel = kernel;
}

void accel_report(Accel *a, void (*print)(void *opaque, const char *line), void *opaque)
{
    if (a->ops->report) {
        a->ops->report(a, print, opaque);
    }
}

const char *const *accel_cpu_models(const char *isa)
{
    for (unsigned i = 0; i < N_ACCELS; i++) {
        if (!strcmp(accels[i]->isa, isa)) {
            return accels[i]->cpu_models();
        }
    }
    return NULL;
}
