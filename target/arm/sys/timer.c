/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The generic timers of a CPU: counters, comparators, their outputs; and the cycle counter of the
 * performance monitors, which counts nanoseconds.
 *
 * Source: Arm ARM (DDI 0487), D11 and D12 "The Generic Timer", D19.12.
 * The counter is CLOCK_VM in ticks of CNTFRQ's reset value. Not modelled: event streams (CNTKCTL
 * EVNT fields: WFE does not sleep), FEAT_ECV, the memory-mapped view, counters that are scaled.
 *
 * Threads: registers belong to the vCPU's thread; a deadline fires on the timer thread, which reads
 * them and sets the output. `lock` is held for either; it is taken before the interrupt
 * controller's, never the other way.
 */
#include <pthread.h>
#include <stdlib.h>

#include "core/clock.h"
#include "target/arm/sys/sys.h"

enum { CTL_ENABLE = 1, CTL_IMASK = 2, CTL_ISTATUS = 4 };

typedef struct OneTimer {
    Timer timer;
    A64Cpu *cpu;
    A64TimerId id;
} OneTimer;

struct A64Timers {
    pthread_mutex_t lock;
    OneTimer one[A64_N_TIMERS];
    Timer pmu;        /* overflow of the cycle counter */
    int64_t pmu_wrap; /* when, in ns; -1: not in sight */
};

uint64_t a64_counter(const A64Cpu *cpu)
{
    return clock_ticks(cpu->sys.port->machine, cpu->sys.counter_hz);
}

/* What a timer subtracts from the counter. */
static uint64_t offset_of(const A64Cpu *cpu, A64TimerId t)
{
    return t == A64_CNTV && a64_has(cpu, A64_FEAT_EL2) ? cpu->sys.cntvoff : 0;
}

uint64_t a64_counter_virtual(const A64Cpu *cpu)
{
    unsigned el = a64_cur_el(cpu);
    bool host = (el == 2 && (a64_hcr(cpu) & HCR_E2H)) || (el == 0 && a64_in_host(cpu));
    return a64_counter(cpu) - (host ? 0 : offset_of(cpu, A64_CNTV));
}

static uint64_t ticks_now(const A64Cpu *cpu, A64TimerId t)
{
    return a64_counter(cpu) - offset_of(cpu, t);
}

static bool condition(const A64Cpu *cpu, A64TimerId t)
{
    return (int64_t)(ticks_now(cpu, t) - cpu->sys.cnt_cval[t]) >= 0;
}

/* First nanosecond of CLOCK_VM at which the counter shows `ticks`; -1: beyond its range. */
static int64_t ns_of_ticks(const A64Cpu *cpu, uint64_t ticks)
{
    uint32_t hz = cpu->sys.counter_hz;
    unsigned __int128 ns = ((unsigned __int128)ticks * 1000000000 + hz - 1) / hz;
    return ns > INT64_MAX ? -1 : (int64_t)ns;
}

/* Output and deadline from the registers; lock held. */
static void sync_one(A64Cpu *cpu, A64TimerId t)
{
    OneTimer *one = &cpu->sys.timers->one[t];
    uint64_t ctl = cpu->sys.cnt_ctl[t];
    bool met = (ctl & CTL_ENABLE) && condition(cpu, t);
    if ((ctl & CTL_ENABLE) && !met) {
        int64_t ns = ns_of_ticks(cpu, cpu->sys.cnt_cval[t] + offset_of(cpu, t));
        if (ns >= 0) {
            timer_set(&one->timer, ns);
        } else {
            timer_cancel(&one->timer);
        }
    } else {
        timer_cancel(&one->timer);
    }
    pin_set(&cpu->sys.port->out[t], met && !(ctl & CTL_IMASK));
}

static void fired(void *opaque)
{
    OneTimer *one = opaque;
    pthread_mutex_lock(&one->cpu->sys.timers->lock);
    sync_one(one->cpu, one->id);
    pthread_mutex_unlock(&one->cpu->sys.timers->lock);
}

/* ---- the cycle counter ---- */

enum { PMCR_E = 1, PMCR_LC = 1 << 6 };
static const uint64_t pmu_cycle_bit = 1ull << 31;

static int64_t now_ns(const A64Cpu *cpu)
{
    return clock_ns(cpu->sys.port->machine, CLOCK_VM);
}

static bool pmu_counts(const A64Cpu *cpu)
{
    return (cpu->sys.pmcr & PMCR_E) && (cpu->sys.pmcnten & pmu_cycle_bit);
}

/* sys.pmccnt is the value less the time while it counts. */
uint64_t a64_pmu_cycles(const A64Cpu *cpu)
{
    return cpu->sys.pmccnt + (pmu_counts(cpu) ? (uint64_t)now_ns(cpu) : 0);
}

/* Next overflow and the interrupt; lock held. */
static void pmu_sync(A64Cpu *cpu)
{
    struct A64Timers *all = cpu->sys.timers;
    uint64_t left = -a64_pmu_cycles(cpu), limit = 1ull << 62;
    if (!(cpu->sys.pmcr & PMCR_LC)) {
        left = (left & 0xffffffff) ? left & 0xffffffff : 1ull << 32;
    }
    all->pmu_wrap = -1;
    if (pmu_counts(cpu) && left && left < limit) {
        all->pmu_wrap = now_ns(cpu) + (int64_t)left;
        timer_set(&all->pmu, all->pmu_wrap);
    } else {
        timer_cancel(&all->pmu);
    }
    bool high = (cpu->sys.pmcr & PMCR_E) && (cpu->sys.pmovs & cpu->sys.pminten);
    pin_set(&cpu->sys.port->out[CPU_OUT_PMU], high);
}

static void pmu_fired(void *opaque)
{
    A64Cpu *cpu = opaque;
    struct A64Timers *all = cpu->sys.timers;
    pthread_mutex_lock(&all->lock);
    if (all->pmu_wrap >= 0 && now_ns(cpu) >= all->pmu_wrap) {
        cpu->sys.pmovs |= pmu_cycle_bit;
        pmu_sync(cpu);
    }
    pthread_mutex_unlock(&all->lock);
}

void a64_pmu_write(A64Cpu *cpu, uint64_t pmcr, uint64_t pmcnten, uint64_t cycles)
{
    pthread_mutex_lock(&cpu->sys.timers->lock);
    cpu->sys.pmcr = pmcr;
    cpu->sys.pmcnten = pmcnten;
    cpu->sys.pmccnt = pmu_counts(cpu) ? cycles - (uint64_t)now_ns(cpu) : cycles;
    pmu_sync(cpu);
    pthread_mutex_unlock(&cpu->sys.timers->lock);
}

void a64_pmu_set(A64Cpu *cpu, uint64_t *field, uint64_t bits, bool set)
{
    pthread_mutex_lock(&cpu->sys.timers->lock);
    *field = set ? *field | bits : *field & ~bits;
    pmu_sync(cpu);
    pthread_mutex_unlock(&cpu->sys.timers->lock);
}

/* ---- registers ---- */

uint64_t a64_timer_read(A64Cpu *cpu, A64TimerId t, unsigned which)
{
    uint64_t ctl = cpu->sys.cnt_ctl[t];
    switch (which) {
    case A64_TIMER_TVAL: return (uint32_t)(cpu->sys.cnt_cval[t] - ticks_now(cpu, t));
    case A64_TIMER_CTL: return ctl | ((ctl & CTL_ENABLE) && condition(cpu, t) ? CTL_ISTATUS : 0);
    default: return cpu->sys.cnt_cval[t];
    }
}

void a64_timer_write(A64Cpu *cpu, A64TimerId t, unsigned which, uint64_t v)
{
    pthread_mutex_lock(&cpu->sys.timers->lock);
    switch (which) {
    case A64_TIMER_TVAL: cpu->sys.cnt_cval[t] = ticks_now(cpu, t) + (uint64_t)(int32_t)v; break;
    case A64_TIMER_CTL: cpu->sys.cnt_ctl[t] = v & (CTL_ENABLE | CTL_IMASK); break;
    default: cpu->sys.cnt_cval[t] = v; break;
    }
    sync_one(cpu, t);
    pthread_mutex_unlock(&cpu->sys.timers->lock);
}

void a64_timers_sync(A64Cpu *cpu)
{
    if (!cpu->sys.timers) {
        return;
    }
    pthread_mutex_lock(&cpu->sys.timers->lock);
    for (unsigned t = 0; t < A64_N_TIMERS; t++) {
        sync_one(cpu, (A64TimerId)t);
    }
    pmu_sync(cpu);
    pthread_mutex_unlock(&cpu->sys.timers->lock);
}

bool a64_timers_init(A64Cpu *cpu, Error *err)
{
    struct A64Timers *all = calloc(1, sizeof(*all));
    if (!all) {
        return error_set(err, "no memory for a CPU's timers");
    }
    pthread_mutex_init(&all->lock, NULL);
    for (unsigned t = 0; t < A64_N_TIMERS; t++) {
        OneTimer *one = &all->one[t];
        one->cpu = cpu;
        one->id = (A64TimerId)t;
        timer_init_unlocked(&one->timer, cpu->sys.port->machine, CLOCK_VM, fired, one);
    }
    timer_init_unlocked(&all->pmu, cpu->sys.port->machine, CLOCK_VM, pmu_fired, cpu);
    cpu->sys.timers = all;
    return true;
}

void a64_timers_fini(A64Cpu *cpu)
{
    struct A64Timers *all = cpu->sys.timers;
    if (!all) {
        return;
    }
    for (unsigned t = 0; t < A64_N_TIMERS; t++) {
        timer_drain(&all->one[t].timer);
    }
    timer_drain(&all->pmu);
    pthread_mutex_destroy(&all->lock);
    free(all);
    cpu->sys.timers = NULL;
}
