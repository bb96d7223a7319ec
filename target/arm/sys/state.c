/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Life of a CPU at system level: creation, reset, start, registers as text, saving and loading.
 *
 * Source: Arm ARM (DDI 0487), D1.3.1 "Reset"; Linux Documentation/arch/arm64/booting.rst (entry of
 * a directly booted kernel).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "target/arm/sys/regs.h"

/* What newer machines have is 1 GHz; every guest copes with this one. */
enum { DEFAULT_COUNTER_HZ = 62500000 };

bool a64_sys_init(struct TcgCpu *tc, struct CpuPort *port, const TcgSystemConfig *config,
                  Error *err)
{
    A64Cpu *cpu = a64_of(tc);
    A64Sys *s = &cpu->sys;
    if (!a64_cpu_init_system(cpu, config, err)) {
        return false;
    }
    if (config->counter_hz > 1000000000) {
        return error_set(err, "counter frequency %" PRIu64 " Hz: more than 1 GHz",
                         config->counter_hz);
    }
    cpu->tcg.guest = &a64_system_guest;
    cpu->sysops = &a64_sysops;
    s->port = port;
    s->mpidr = port->mpidr | 1u << 31;
    s->counter_hz = config->counter_hz ? (uint32_t)config->counter_hz : DEFAULT_COUNTER_HZ;
    s->top_el = config->el3 ? 3 : config->el2 ? 2 : 1;
    s->semihosting = config->semihosting;
    s->conduit = config->el3 ? A64_CONDUIT_NONE : config->el2 ? A64_CONDUIT_SMC : A64_CONDUIT_HVC;
    if (!a64_regs_init(cpu, err) || !a64_timers_init(cpu, err)) {
        a64_regs_fini(cpu);
        return false;
    }
    a64_sys_reset(tc);
    return true;
}

void a64_sys_fini(struct TcgCpu *tc)
{
    a64_timers_fini(a64_of(tc));
    a64_regs_fini(a64_of(tc));
}

void a64_sys_reset(struct TcgCpu *tc)
{
    A64Cpu *cpu = a64_of(tc);
    memset(cpu->x, 0, sizeof(cpu->x));
    memset(cpu->v, 0, sizeof(cpu->v));
    memset(cpu->sys.sp_el, 0, sizeof(cpu->sys.sp_el));
    cpu->sp = 0;
    cpu->nzcv = cpu->btype = cpu->ssbs = cpu->irq_held = 0;
    cpu->excl_addr = ~0ull;
    cpu->daif = A64_PS_DAIF;
    cpu->sys.pstate = (uint32_t)cpu->sys.top_el << 2 | A64_PS_SP;
    cpu->sys.event = 0;
    cpu->cntfrq = cpu->sys.counter_hz;
    cpu->pc = cpu->sys.rvbar;
    a64_regs_reset(cpu);
    cpu->sys.vpidr = cpu->midr;
    cpu->sys.vmpidr = cpu->sys.mpidr;
    a64_fpcr_set(cpu, 0);
    a64_fpsr_set(cpu, 0);
    a64_views_drop(cpu);
    a64_timers_sync(cpu);
    a64_poll_interrupts(cpu);
}

/* What firmware at EL3 would have done before it went on to a Non-secure level. */
static void leave_el3(A64Cpu *cpu)
{
    cpu->sys.scr = SCR_NS | SCR_HCE | SCR_APK | BIT(17) | BIT(4) | BIT(5) | BIT(10);
    cpu->sys.cptr_el3 = 0;
}

void a64_sys_start(struct TcgCpu *tc, uint64_t pc, uint64_t arg, bool kernel)
{
    A64Cpu *cpu = a64_of(tc);
    unsigned el = cpu->sys.top_el;
    if (kernel || el < 3) {
        unsigned want = kernel ? 2 : cpu->sys.port->start_level;
        bool lower = want >= 1 && want <= 2 && (want == 1 || a64_has(cpu, A64_FEAT_EL2));
        if (el == 3 && kernel) {
            leave_el3(cpu);
        }
        el = lower ? want : el == 3 ? 1 : el;
    }
    a64_set_el(cpu, el, 1);
    cpu->x[0] = arg;
    cpu->pc = pc;
    a64_views_drop(cpu);
}

/* ---- text ---- */

typedef struct Printer {
    void (*print)(void *opaque, const char *line);
    void *opaque;
    char line[128];
    unsigned in_line;
} Printer;

static void print_one(void *opaque, const char *name, uint64_t *value)
{
    Printer *p = opaque;
    size_t at = strlen(p->line);
    if (!*value) {
        return; /* most are 0 */
    }
    snprintf(p->line + at, sizeof(p->line) - at, "%-16s %016" PRIx64 "  ", name, *value);
    if (++p->in_line == 3) {
        p->print(p->opaque, p->line);
        p->line[0] = '\0';
        p->in_line = 0;
    }
}

static void flush_line(Printer *p)
{
    if (p->in_line) {
        p->print(p->opaque, p->line);
    }
    p->line[0] = '\0';
    p->in_line = 0;
}

void a64_sys_print(const struct TcgCpu *tc, void (*print)(void *opaque, const char *line),
                   void *opaque)
{
    A64Cpu *cpu = (A64Cpu *)(uintptr_t)a64_of_const(tc); /* rows want it writable */
    Printer p = {.print = print, .opaque = opaque};
    char line[160];
    uint32_t ps = a64_spsr_get(cpu);
    snprintf(line, sizeof(line),
             "PC %016" PRIx64 "  SP %016" PRIx64 "  PSTATE %08x EL%u%c %c%c%c%c", cpu->pc, cpu->sp,
             ps, a64_cur_el(cpu), ps & 1 ? 'h' : 't', ps >> 31 & 1 ? 'N' : '-',
             ps >> 30 & 1 ? 'Z' : '-', ps >> 29 & 1 ? 'C' : '-', ps >> 28 & 1 ? 'V' : '-');
    print(opaque, line);
    for (unsigned n = 0; n < 31; n += 3) {
        int len = 0;
        for (unsigned k = n; k < n + 3 && k < 31; k++) {
            len += snprintf(line + len, sizeof(line) - (size_t)len, "X%02u %016" PRIx64 "  ", k,
                            cpu->x[k]);
        }
        print(opaque, line);
    }
    a64_regs_each(cpu, print_one, &p);
    flush_line(&p);
}

/* ---- save and load: names and values ---- */

typedef struct Field {
    const char *name;
    uint32_t offset, bytes;
} Field;

#define FIELD_OF(label, member)                                                                    \
    {                                                                                              \
        label, offsetof(A64Cpu, member), sizeof(((A64Cpu *)0)->member)                             \
    }
static const Field fields[] = {
    FIELD_OF("x", x),
    FIELD_OF("sp", sp),
    FIELD_OF("sp_el", sys.sp_el),
    FIELD_OF("pc", pc),
    FIELD_OF("nzcv", nzcv),
    FIELD_OF("daif", daif),
    FIELD_OF("ssbs", ssbs),
    FIELD_OF("btype", btype),
    FIELD_OF("pstate", sys.pstate),
    FIELD_OF("event", sys.event),
    FIELD_OF("fpcr", fpcr),
    FIELD_OF("qc", qc),
    FIELD_OF("v", v),
    FIELD_OF("cntfrq", cntfrq),
    FIELD_OF("fp_flags", tcg.fp_flags),
};
enum { N_FIELDS = sizeof(fields) / sizeof(fields[0]), NAME_BYTES = 24 };

typedef struct Saver {
    StateStream *s;
    bool ok;
    uint32_t count;
} Saver;

static bool put_name(StateStream *s, const char *name)
{
    char buf[NAME_BYTES] = {0};
    memcpy(buf, name, strnlen(name, NAME_BYTES - 1));
    return state_put_bytes(s, buf, sizeof(buf));
}

static void count_one(void *opaque, const char *name, uint64_t *value)
{
    (void)name;
    (void)value;
    ((Saver *)opaque)->count++;
}

static void save_one(void *opaque, const char *name, uint64_t *value)
{
    Saver *v = opaque;
    v->ok = v->ok && put_name(v->s, name) && state_put_u64(v->s, *value);
}

bool a64_sys_save(struct TcgCpu *tc, StateStream *s)
{
    A64Cpu *cpu = a64_of(tc);
    Saver v = {.s = s, .ok = put_name(s, cpu->model)};
    tc->fp_flags = a64_fpsr_get(cpu) & 0x9f;
    for (unsigned n = 0; n < N_FIELDS && v.ok; n++) {
        v.ok = put_name(s, fields[n].name) && state_put_u32(s, fields[n].bytes) &&
               state_put_bytes(s, (char *)cpu + fields[n].offset, fields[n].bytes);
    }
    a64_regs_each(cpu, count_one, &v);
    v.ok = v.ok && state_put_u32(s, v.count);
    a64_regs_each(cpu, save_one, &v);
    return v.ok;
}

static bool get_name(StateStream *s, char name[NAME_BYTES])
{
    bool ok = state_get_bytes(s, name, NAME_BYTES);
    name[NAME_BYTES - 1] = '\0';
    return ok;
}

static bool load_fields(A64Cpu *cpu, StateStream *s, Error *err)
{
    char name[NAME_BYTES];
    uint32_t bytes;
    for (unsigned n = 0; n < N_FIELDS; n++) {
        if (!get_name(s, name) || !state_get_u32(s, &bytes)) {
            return error_set(err, "CPU state ends early");
        }
        if (strcmp(name, fields[n].name) != 0 || bytes != fields[n].bytes) {
            return error_set(err, "CPU state: '%s' is not the field %s expected here", name,
                             fields[n].name);
        }
        if (!state_get_bytes(s, (char *)cpu + fields[n].offset, bytes)) {
            return error_set(err, "CPU state ends in '%s'", name);
        }
    }
    return true;
}

typedef struct Wanted {
    const char *name;
    uint64_t value;
    bool found;
} Wanted;

static void load_one(void *opaque, const char *name, uint64_t *value)
{
    Wanted *w = opaque;
    char cut[NAME_BYTES] = {0};
    memcpy(cut, name, strnlen(name, NAME_BYTES - 1));
    if (!w->found && strcmp(cut, w->name) == 0) {
        *value = w->value;
        w->found = true;
    }
}

/* What no guest could have made: refused, so that nothing below meets it. */
static bool validate(A64Cpu *cpu, Error *err)
{
    unsigned el = a64_cur_el(cpu);
    bool there = el <= 1 || (el == 2 && a64_has(cpu, A64_FEAT_EL2)) ||
                 (el == 3 && a64_has(cpu, A64_FEAT_EL3));
    const uint32_t known = A64_PS_SP | A64_PS_EL | A64_PS_IL | A64_PS_SS | A64_PS_PAN | A64_PS_UAO |
                           A64_PS_DIT | A64_PS_TCO;
    if (!there || (cpu->sys.pstate & ~known) || (el == 0 && (cpu->sys.pstate & A64_PS_SP))) {
        return error_set(err, "CPU state: PSTATE %08x is not possible here", cpu->sys.pstate);
    }
    cpu->daif &= A64_PS_DAIF;
    cpu->ssbs &= A64_PS_SSBS;
    cpu->btype &= 3;
    return true;
}

bool a64_sys_load(struct TcgCpu *tc, StateStream *s, Error *err)
{
    A64Cpu *cpu = a64_of(tc);
    char name[NAME_BYTES];
    uint32_t count;
    if (!get_name(s, name) || strcmp(name, cpu->model) != 0) {
        return error_set(err, "CPU state is of another model than -cpu %s", cpu->model);
    }
    a64_sys_reset(tc);
    if (!load_fields(cpu, s, err)) {
        return false;
    }
    if (!state_get_u32(s, &count) || count > 1000) {
        return error_set(err, "CPU state: register count is wrong");
    }
    for (uint32_t n = 0; n < count; n++) {
        Wanted w = {.name = name};
        if (!get_name(s, name) || !state_get_u64(s, &w.value)) {
            return error_set(err, "CPU state ends among the registers");
        }
        a64_regs_each(cpu, load_one, &w);
        if (!w.found) {
            return error_set(err, "CPU state: no register '%s' in %s", name, cpu->model);
        }
    }
    if (!validate(cpu, err)) {
        return false;
    }
    uint32_t flags = tc->fp_flags, fpcr = cpu->fpcr;
    IrVec qc = cpu->qc;
    a64_fpcr_set(cpu, fpcr);
    a64_fpsr_set(cpu, flags & 0x9f);
    cpu->qc = qc;
    cpu->excl_addr = ~0ull;
    a64_views_drop(cpu);
    a64_timers_sync(cpu);
    a64_poll_interrupts(cpu);
    return true;
}
