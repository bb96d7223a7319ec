/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clocks and timers of a machine: the only time a device may read.
 *
 * CLOCK_VM counts nanoseconds while the machine runs and stands still while it is stopped; it is
 * what guest counters are made of. CLOCK_HOST never stops. CLOCK_WALL is the guest's calendar:
 * nanoseconds since 1970 UTC, from the host's, offset by -rtc. Every read that reaches the guest goes
 * through clock_ns(), where a log could record it.
 */
#ifndef GEMEL_CORE_CLOCK_H
#define GEMEL_CORE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Machine Machine;
typedef enum ClockId { CLOCK_VM, CLOCK_HOST, CLOCK_WALL } ClockId;

/* Now, in ns. Any thread, no lock (a seqlock of offset and scale around the host's clock). */
int64_t clock_ns(Machine *m, ClockId clock);
/* CLOCK_VM in ticks of a counter of `hz`, without overflow: what CNTVCT, HPET, PMTMR show. */
uint64_t clock_ticks(Machine *m, uint64_t hz);

/*
 * A timer. Embedded in its device. Fires once at or soon after its deadline, on the machine's timer
 * thread, with the machine lock held; with TIMER_UNLOCKED without it (vCPU timers: the callback sets
 * pins that lock for themselves). Never fires while the clock stands. timer_set() and timer_cancel()
 * may be called from any thread and from the callback; after timer_cancel() under the machine lock a
 * callback that takes it will not run. An unlocked callback may already be on its way when it is
 * cancelled: it must look at the state it guards, and timer_drain() waits for it.
 */
typedef void TimerFn(void *opaque);
enum { TIMER_UNLOCKED = 1 };
typedef struct Timer {
    Machine *machine;
    TimerFn *fn;
    void    *opaque;
    ClockId  clock;
    uint8_t  flags;
    bool     pending;
    int64_t  deadline_ns;
    uint32_t heap_index; /* core's */
} Timer;

void timer_init(Timer *t, Machine *m, ClockId clock, TimerFn *fn, void *opaque);
void timer_init_unlocked(Timer *t, Machine *m, ClockId clock, TimerFn *fn, void *opaque);
void timer_set(Timer *t, int64_t deadline_ns); /* replaces an earlier deadline */
void timer_cancel(Timer *t);
/* Cancels, and returns when the callback does not run any more. Before the timer's memory is freed;
 * the caller must not hold a lock that the callback takes (a callback with the machine lock: the
 * caller holds it or runs on the timer thread, so it is never on its way; then timer_cancel() is
 * enough). */
void timer_drain(Timer *t);
/* Device timers are saved as their deadline; pending false stands for -1. */
static inline int64_t timer_deadline_ns(const Timer *t)
{
    return t->pending ? t->deadline_ns : -1;
}

/* ---- for the composer, migration and tests ---- */

/* CLOCK_VM becomes ns. Machine lock held, stopped. */
void clock_set_vm(Machine *m, int64_t ns);
/* CLOCK_WALL = the host's calendar + ns (-rtc). */
void clock_set_wall_offset(Machine *m, int64_t ns);
/* Time by hand, before the first timer is set: no clock moves but by clock_advance(), all clocks start
 * at 0 and run together, timers fire on the thread that calls clock_advance(). For tests and fuzzers. */
void clock_set_manual(Machine *m);
/* Moves time by ns and calls back what falls due on the way, in order, at most max_fired callbacks.
 * Machine lock not held. Returns how many ran. */
unsigned clock_advance(Machine *m, int64_t ns, unsigned max_fired);

#endif
