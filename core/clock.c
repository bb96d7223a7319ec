/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clocks and the timer thread.
 *
 * CLOCK_VM is the host's monotonic clock less an offset while the machine runs, and a constant
 * while it does not; a seqlock around the three words lets any thread read it without a lock.
 *
 * Timers wait in heaps, one for each clock and each way to call back (with the machine lock or
 * without), all under one small mutex that nothing is called with. The thread sleeps until the
 * earliest deadline. Callbacks without the lock go first, because vCPUs wait for them. A callback
 * with the lock is taken off its heap only after the machine lock was got: whoever cancels under
 * that lock therefore never sees it run afterwards.
 */
#include <assert.h>
#include <errno.h>
#include <sys/prctl.h>
#include <time.h>

#include "core/private.h"

enum { NS_PER_S = 1000000000, WALL_RECHECK_NS = NS_PER_S, MAX_BATCH = 16 };
static const int64_t no_deadline = INT64_MAX;

static int64_t host_ns(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* ---- reading ---- */

/* Pairs with the release stores of seq_write_end(). */
static uint32_t seq_read_begin(const ClockState *c)
{
    uint32_t seq;

    while ((seq = atomic_load_explicit(&c->seq, memory_order_acquire)) & 1) {
        __builtin_ia32_pause();
    }
    return seq;
}

static bool seq_read_again(const ClockState *c, uint32_t seq)
{
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&c->seq, memory_order_relaxed) != seq;
}

static void seq_write_begin(ClockState *c)
{
    atomic_fetch_add_explicit(&c->seq, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

static void seq_write_end(ClockState *c)
{
    atomic_fetch_add_explicit(&c->seq, 1, memory_order_release);
}

static int64_t vm_ns(const ClockState *c)
{
    int64_t ns;
    uint32_t seq;

    do {
        seq = seq_read_begin(c);
        if (atomic_load_explicit(&c->running, memory_order_relaxed) &&
            !atomic_load_explicit(&c->manual, memory_order_relaxed)) {
            ns = host_ns(CLOCK_MONOTONIC) -
                 atomic_load_explicit(&c->vm_offset_ns, memory_order_relaxed);
        } else {
            ns = atomic_load_explicit(&c->vm_stopped_ns, memory_order_relaxed);
        }
    } while (seq_read_again(c, seq));
    return ns;
}

int64_t clock_ns(Machine *m, ClockId clock)
{
    const ClockState *c = &m->p->clock;
    bool manual = atomic_load_explicit(&c->manual, memory_order_relaxed);

    switch (clock) {
    case CLOCK_VM: return vm_ns(c);
    case CLOCK_HOST: return manual ? vm_ns(c) : host_ns(CLOCK_MONOTONIC);
    case CLOCK_WALL:
        return (manual ? vm_ns(c) : host_ns(CLOCK_REALTIME)) +
               atomic_load_explicit(&c->wall_offset_ns, memory_order_relaxed);
    }
    return 0;
}

uint64_t clock_ticks(Machine *m, uint64_t hz)
{
    uint64_t ns = (uint64_t)vm_ns(&m->p->clock);
    uint64_t s = ns / NS_PER_S, rest = ns % NS_PER_S;

    /* rest * hz fits up to 18 GHz; no 128-bit division on this path, which guests poll. */
    return s * hz + rest * hz / NS_PER_S;
}

/* ---- heaps; under ClockState.lock ---- */

static void heap_put(TimerHeap *h, uint32_t i, Timer *t)
{
    h->t[i] = t;
    t->heap_index = i;
}

static void heap_up(TimerHeap *h, uint32_t i, Timer *t)
{
    while (i && h->t[(i - 1) / 2]->deadline_ns > t->deadline_ns) {
        heap_put(h, i, h->t[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    heap_put(h, i, t);
}

static void heap_down(TimerHeap *h, uint32_t i, Timer *t)
{
    for (;;) {
        uint32_t child = 2 * i + 1;

        if (child >= h->n) {
            break;
        }
        if (child + 1 < h->n && h->t[child + 1]->deadline_ns < h->t[child]->deadline_ns) {
            child++;
        }
        if (h->t[child]->deadline_ns >= t->deadline_ns) {
            break;
        }
        heap_put(h, i, h->t[child]);
        i = child;
    }
    heap_put(h, i, t);
}

static void heap_insert(TimerHeap *h, Timer *t)
{
    if (h->n == h->cap) {
        h->cap = h->cap ? 2 * h->cap : 16;
        h->t = g_renew(Timer *, h->t, h->cap);
    }
    heap_up(h, h->n++, t);
}

static void heap_remove(TimerHeap *h, Timer *t)
{
    uint32_t i = t->heap_index;
    Timer *last = h->t[--h->n];

    assert(i <= h->n);
    if (last == t) {
        return;
    }
    if (i && h->t[(i - 1) / 2]->deadline_ns > last->deadline_ns) {
        heap_up(h, i, last);
    } else {
        heap_down(h, i, last);
    }
}

static TimerHeap *heap_of(Timer *t)
{
    return &t->machine->p->clock.heap[t->clock][t->flags & TIMER_UNLOCKED];
}

/* ---- the thread ---- */

static bool clock_stands(const ClockState *c, unsigned clock)
{
    return clock == CLOCK_VM && !atomic_load_explicit(&c->running, memory_order_relaxed);
}

/* The earliest timer of that kind that is due; NULL: none. */
static Timer *timer_due(Machine *m, bool unlocked)
{
    ClockState *c = &m->p->clock;
    Timer *best = NULL;

    for (unsigned clock = 0; clock < N_CLOCKS; clock++) {
        TimerHeap *h = &c->heap[clock][unlocked];

        if (h->n && !clock_stands(c, clock) &&
            h->t[0]->deadline_ns <= clock_ns(m, (ClockId)clock) &&
            (!best || h->t[0]->deadline_ns < best->deadline_ns)) {
            best = h->t[0];
        }
    }
    return best;
}

/* When the thread must look again, on the host's monotonic clock. */
static int64_t next_look_ns(Machine *m)
{
    ClockState *c = &m->p->clock;
    int64_t now = host_ns(CLOCK_MONOTONIC), first = no_deadline;

    for (unsigned i = 0; i < 2 * N_CLOCKS; i++) {
        TimerHeap *h = &c->heap[i / 2][i & 1];
        int64_t left;

        if (!h->n || clock_stands(c, i / 2)) {
            continue;
        }
        left = MAX(h->t[0]->deadline_ns - clock_ns(m, (ClockId)(i / 2)), 0);
        if (i / 2 == CLOCK_WALL) {
            left = MIN(left, WALL_RECHECK_NS); /* the host's calendar may be set */
        }
        first = MIN(first, left > no_deadline - now ? no_deadline : now + left);
    }
    return first;
}

/* Takes it off and calls back; c->lock held, given up meanwhile. */
static void timer_fire(ClockState *c, Timer *t)
{
    heap_remove(heap_of(t), t);
    t->pending = false;
    c->firing = t;
    pthread_mutex_unlock(&c->lock);
    t->fn(t->opaque);
    pthread_mutex_lock(&c->lock);
    c->firing = NULL;
    pthread_cond_broadcast(&c->idle);
}

/* Callbacks under the machine lock, a few at a time; c->lock held, given up meanwhile. */
static void fire_locked(Machine *m)
{
    ClockState *c = &m->p->clock;
    Timer *t;

    pthread_mutex_unlock(&c->lock);
    machine_lock(m);
    pthread_mutex_lock(&c->lock);
    for (unsigned i = 0; i < MAX_BATCH && (t = timer_due(m, false)) != NULL; i++) {
        timer_fire(c, t);
    }
    pthread_mutex_unlock(&c->lock);
    machine_unlock(m);
    pthread_mutex_lock(&c->lock);
}

static void sleep_until(ClockState *c, int64_t deadline_ns)
{
    struct timespec ts = {deadline_ns / NS_PER_S, deadline_ns % NS_PER_S};

    c->sleep_until_ns = deadline_ns;
    if (deadline_ns == no_deadline) {
        pthread_cond_wait(&c->wake, &c->lock);
    } else {
        pthread_cond_timedwait(&c->wake, &c->lock, &ts);
    }
    c->sleep_until_ns = 0;
}

static void *timer_thread(void *opaque)
{
    Machine *m = opaque;
    ClockState *c = &m->p->clock;
    Timer *t;

    prctl(PR_SET_NAME, "timers");
    prctl(PR_SET_TIMERSLACK, 1);
    pthread_mutex_lock(&c->lock);
    while (!c->quit) {
        if (atomic_load_explicit(&c->manual, memory_order_relaxed)) {
            sleep_until(c, no_deadline);
        } else if ((t = timer_due(m, true)) != NULL) {
            timer_fire(c, t);
        } else if (timer_due(m, false)) {
            fire_locked(m);
        } else {
            sleep_until(c, next_look_ns(m));
        }
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* The thread sleeps too long for t, or is not there yet; c->lock held. */
static void wake_for(Machine *m, const Timer *t)
{
    ClockState *c = &m->p->clock;

    if (c->quit || atomic_load_explicit(&c->manual, memory_order_relaxed)) {
        return;
    }
    if (!c->started) {
        c->started = true;
        if (pthread_create(&c->thread, NULL, timer_thread, m)) {
            assert(!"no timer thread"); /* the host has no memory or threads left */
        }
    } else if (c->sleep_until_ns && !clock_stands(c, t->clock) &&
               (c->sleep_until_ns == no_deadline ||
                t->deadline_ns - clock_ns(m, t->clock) <
                    c->sleep_until_ns - host_ns(CLOCK_MONOTONIC))) {
        pthread_cond_signal(&c->wake);
    }
}

/* ---- timers ---- */

void timer_init(Timer *t, Machine *m, ClockId clock, TimerFn *fn, void *opaque)
{
    *t = (Timer){.machine = m, .fn = fn, .opaque = opaque, .clock = clock};
}

void timer_init_unlocked(Timer *t, Machine *m, ClockId clock, TimerFn *fn, void *opaque)
{
    timer_init(t, m, clock, fn, opaque);
    t->flags = TIMER_UNLOCKED;
}

void timer_set(Timer *t, int64_t deadline_ns)
{
    ClockState *c = &t->machine->p->clock;
    TimerHeap *h = heap_of(t);

    pthread_mutex_lock(&c->lock);
    if (t->pending) {
        heap_remove(h, t);
    }
    t->deadline_ns = MAX(deadline_ns, 0);
    t->pending = true;
    heap_insert(h, t);
    if (t->heap_index == 0) {
        wake_for(t->machine, t);
    }
    pthread_mutex_unlock(&c->lock);
}

void timer_cancel(Timer *t)
{
    ClockState *c;

    if (!t->machine) {
        return; /* never initialised */
    }
    c = &t->machine->p->clock;
    pthread_mutex_lock(&c->lock);
    if (t->pending) {
        heap_remove(heap_of(t), t);
        t->pending = false;
    }
    pthread_mutex_unlock(&c->lock);
}

void timer_drain(Timer *t)
{
    ClockState *c;

    if (!t->machine) {
        return;
    }
    c = &t->machine->p->clock;
    timer_cancel(t);
    pthread_mutex_lock(&c->lock);
    while (c->firing == t && !(c->started && pthread_equal(c->thread, pthread_self()))) {
        pthread_cond_wait(&c->idle, &c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    timer_cancel(t); /* the callback may have set it again */
}

/* ---- the clock itself ---- */

void clock_run(Machine *m, bool run)
{
    ClockState *c = &m->p->clock;
    int64_t now = vm_ns(c);

    pthread_mutex_lock(&c->lock);
    seq_write_begin(c);
    atomic_store_explicit(&c->vm_stopped_ns, now, memory_order_relaxed);
    atomic_store_explicit(&c->vm_offset_ns, host_ns(CLOCK_MONOTONIC) - now, memory_order_relaxed);
    atomic_store_explicit(&c->running, run, memory_order_relaxed);
    seq_write_end(c);
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

void clock_set_vm(Machine *m, int64_t ns)
{
    ClockState *c = &m->p->clock;

    pthread_mutex_lock(&c->lock);
    seq_write_begin(c);
    atomic_store_explicit(&c->vm_stopped_ns, ns, memory_order_relaxed);
    atomic_store_explicit(&c->vm_offset_ns, host_ns(CLOCK_MONOTONIC) - ns, memory_order_relaxed);
    seq_write_end(c);
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

void clock_set_wall_offset(Machine *m, int64_t ns)
{
    ClockState *c = &m->p->clock;

    atomic_store_explicit(&c->wall_offset_ns, ns, memory_order_relaxed);
    pthread_mutex_lock(&c->lock);
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

void clock_set_manual(Machine *m)
{
    ClockState *c = &m->p->clock;

    pthread_mutex_lock(&c->lock);
    seq_write_begin(c);
    atomic_store_explicit(&c->manual, true, memory_order_relaxed);
    atomic_store_explicit(&c->running, true, memory_order_relaxed);
    seq_write_end(c);
    pthread_mutex_unlock(&c->lock);
}

/* The next timer at or before `until`, of all clocks; c->lock held. In manual mode all clocks are
 * one but for the calendar's offset. */
static Timer *manual_due(Machine *m, int64_t until_ns, int64_t *at_ns)
{
    ClockState *c = &m->p->clock;
    Timer *best = NULL;

    *at_ns = until_ns;
    for (unsigned i = 0; i < 2 * N_CLOCKS; i++) {
        TimerHeap *h = &c->heap[i / 2][i & 1];
        int64_t at, offset = i / 2 == CLOCK_WALL ? atomic_load(&c->wall_offset_ns) : 0;

        if (h->n && (at = h->t[0]->deadline_ns - offset) <= *at_ns) {
            *at_ns = at;
            best = h->t[0];
        }
    }
    return best;
}

static void manual_set(ClockState *c, int64_t ns)
{
    if (ns > atomic_load(&c->vm_stopped_ns)) {
        atomic_store(&c->vm_stopped_ns, ns);
    }
}

unsigned clock_advance(Machine *m, int64_t ns, unsigned max_fired)
{
    ClockState *c = &m->p->clock;
    int64_t until = atomic_load(&c->vm_stopped_ns) + ns, at;
    unsigned fired = 0;
    Timer *t;

    assert(atomic_load(&c->manual) && ns >= 0);
    while (fired < max_fired) {
        bool unlocked;

        machine_lock(m);
        pthread_mutex_lock(&c->lock);
        t = manual_due(m, until, &at);
        if (!t) {
            pthread_mutex_unlock(&c->lock);
            machine_unlock(m);
            break;
        }
        manual_set(c, at);
        unlocked = t->flags & TIMER_UNLOCKED;
        if (unlocked) {
            machine_unlock(m);
        }
        timer_fire(c, t);
        pthread_mutex_unlock(&c->lock);
        if (!unlocked) {
            machine_unlock(m);
        }
        fired++;
    }
    manual_set(c, until);
    return fired;
}

void clock_state_init(Machine *m)
{
    ClockState *c = &m->p->clock;
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&c->wake, &attr);
    pthread_cond_init(&c->idle, NULL);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&c->lock, NULL);
}

void clock_state_stop(Machine *m)
{
    ClockState *c = &m->p->clock;

    pthread_mutex_lock(&c->lock);
    c->quit = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
    if (c->started) {
        pthread_join(c->thread, NULL);
    }
}

void clock_state_free(Machine *m)
{
    ClockState *c = &m->p->clock;

    for (unsigned i = 0; i < 2 * N_CLOCKS; i++) {
        g_free(c->heap[i / 2][i & 1].t);
    }
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->wake);
    pthread_cond_destroy(&c->idle);
}
