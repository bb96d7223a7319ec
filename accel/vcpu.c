/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPU threads. Each sleeps on its condition variable while the machine is stopped, its CPU is off,
 * or the guest waits for an interrupt; else it is in ops->run().
 *
 * thread=single. A vCPU runs while it holds the turn; one that wants it asks the holder to leave
 * after TURN_NS.
 */
#include "accel/vcpu.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

struct VcpuWork {
    void (*fn)(CpuPort *p, void *arg);
    void *arg;
    bool done;
    VcpuWork *next;
};

/* ---- turns ---- */

enum { TURN_NS = 2000000 };

struct AccelTurn {
    pthread_mutex_t lock;
    pthread_cond_t freed;
    Vcpu *holder;
    uint64_t next, serving; /* tickets: first come, first served */
};

struct AccelTurn *vcpu_turn_new(void)
{
    struct AccelTurn *t = calloc(1, sizeof *t);
    if (!t) {
        abort();
    }
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->freed, NULL);
    return t;
}

void vcpu_turn_free(struct AccelTurn *t)
{
    free(t);
}

static void turn_take(Vcpu *v)
{
    struct AccelTurn *t = v->accel->turn;
    pthread_mutex_lock(&t->lock);
    uint64_t ticket = t->next++;
    while (t->holder || t->serving != ticket) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += TURN_NS;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        if (pthread_cond_timedwait(&t->freed, &t->lock, &until) == ETIMEDOUT && t->holder) {
            v->accel->ops->kick(t->holder, true);
        }
    }
    t->holder = v;
    pthread_mutex_unlock(&t->lock);
}

static void turn_give(Vcpu *v)
{
    struct AccelTurn *t = v->accel->turn;
    pthread_mutex_lock(&t->lock);
    t->holder = NULL;
    t->serving++;
    pthread_cond_broadcast(&t->freed);
    pthread_mutex_unlock(&t->lock);
}

static AccelExit run_guest(Vcpu *v)
{
    if (!v->accel->in_turn) {
        return v->accel->ops->run(v);
    }
    turn_take(v);
    AccelExit why = v->accel->ops->run(v);
    turn_give(v);
    return why;
}

/* ---- the thread ---- */

/* Lock held, and released while the work runs. */
static void do_work(Vcpu *v)
{
    while (v->work) {
        VcpuWork *w = v->work;
        v->work = w->next;
        if (!v->work) {
            v->work_last = &v->work;
        }
        pthread_mutex_unlock(&v->lock);
        w->fn(&v->port, w->arg);
        pthread_mutex_lock(&v->lock);
        w->done = true;
        pthread_cond_broadcast(&v->changed);
    }
}

/* CPU_ON by another CPU: as after reset, at the place it says. */
static void power_on(Vcpu *v)
{
    const AccelOps *ops = v->accel->ops;
    ops->vcpu_reset(v);
    ops->vcpu_start(v, v->port.start_pc, v->port.start_arg, false);
    v->waiting = false;
    atomic_store(&v->port.power, CPU_ON);
}

/* Lock held. true: there is guest code to run. */
static bool ready(Vcpu *v)
{
    if (!v->run) {
        if (!v->parked) {
            v->parked = true;
            pthread_cond_broadcast(&v->changed);
        }
        return false;
    }
    v->parked = false;
    if (atomic_load(&v->port.power) == CPU_ON_PENDING) {
        power_on(v);
    }
    if (atomic_load(&v->port.power) != CPU_ON) {
        return false;
    }
    v->waiting = v->waiting && !v->accel->ops->can_wake(v);
    return !v->waiting;
}

static void left_guest(Vcpu *v, AccelExit why)
{
    Machine *m = v->accel->machine;
    switch (why) {
    case ACCEL_WAIT: v->waiting = true; break;
    case ACCEL_SHUTDOWN: machine_request_reset(m, CAUSE_GUEST_RESET); break;
    case ACCEL_BREAK: machine_request_stop(m, RUN_PAUSED); break;
    case ACCEL_ERROR:
        error_report(&v->error, "gemel", stderr);
        machine_request_stop(m, RUN_ERROR);
        v->waiting = true;
        break;
    default: break;
    }
}

static void *thread_main(void *opaque)
{
    Vcpu *v = opaque;
    const AccelOps *ops = v->accel->ops;
    if (ops->vcpu_thread_start) {
        ops->vcpu_thread_start(v);
    }
    pthread_mutex_lock(&v->lock);
    while (!v->quit) {
        do_work(v);
        if (!ready(v)) {
            if (!v->work && !v->quit) {
                pthread_cond_wait(&v->wake, &v->lock);
            }
            continue;
        }
        pthread_mutex_unlock(&v->lock);
        AccelExit why = run_guest(v);
        pthread_mutex_lock(&v->lock);
        left_guest(v, why);
    }
    pthread_mutex_unlock(&v->lock);
    if (ops->vcpu_thread_end) {
        ops->vcpu_thread_end(v);
    }
    return NULL;
}

/* ---- asked from outside ---- */

static void wake(Vcpu *v)
{
    pthread_mutex_lock(&v->lock);
    pthread_cond_signal(&v->wake);
    pthread_mutex_unlock(&v->lock);
}

/* CpuPort.kick */
static void kick(CpuPort *p)
{
    Vcpu *v = p->vcpu;
    v->accel->ops->kick(v, false);
    wake(v);
}

/* CpuPort.run_on */
static void run_on(CpuPort *p, void (*fn)(CpuPort *p, void *arg), void *arg)
{
    Vcpu *v = p->vcpu;
    VcpuWork w = {.fn = fn, .arg = arg};
    if (!v->has_thread || pthread_equal(v->thread, pthread_self())) {
        fn(p, arg);
        return;
    }
    pthread_mutex_lock(&v->lock);
    *v->work_last = &w;
    v->work_last = &w.next;
    v->accel->ops->kick(v, true);
    pthread_cond_signal(&v->wake);
    while (!w.done) {
        pthread_cond_wait(&v->changed, &v->lock);
    }
    pthread_mutex_unlock(&v->lock);
}

void vcpu_run(Vcpu *v)
{
    pthread_mutex_lock(&v->lock);
    v->run = true;
    v->parked = false;
    pthread_cond_signal(&v->wake);
    pthread_mutex_unlock(&v->lock);
}

void vcpu_stop_begin(Vcpu *v)
{
    pthread_mutex_lock(&v->lock);
    v->run = false;
    v->accel->ops->kick(v, true);
    pthread_cond_signal(&v->wake);
    pthread_mutex_unlock(&v->lock);
}

void vcpu_stop_wait(Vcpu *v)
{
    pthread_mutex_lock(&v->lock);
    while (!v->parked) {
        pthread_cond_wait(&v->changed, &v->lock);
    }
    pthread_mutex_unlock(&v->lock);
}

void vcpu_reset(Vcpu *v)
{
    const AccelOps *ops = v->accel->ops;
    ops->vcpu_reset(v);
    if (v->has_entry) {
        ops->vcpu_start(v, v->entry_pc, v->entry_arg, v->kernel);
    }
    v->waiting = false;
    atomic_store(&v->port.power, v->off_at_reset ? CPU_OFF : CPU_ON);
}

/* ---- life ---- */

bool vcpu_init(Vcpu *v, Error *err)
{
    v->port.vcpu = v;
    v->port.kick = kick;
    v->port.run_on = run_on;
    v->work_last = &v->work;
    pthread_mutex_init(&v->lock, NULL);
    pthread_cond_init(&v->wake, NULL);
    pthread_cond_init(&v->changed, NULL);
    if (!v->accel->ops->vcpu_init(v, err)) {
        return false;
    }
    sigset_t all, old; /* signals are for the main loop's thread */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    errno = pthread_create(&v->thread, NULL, thread_main, v);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (errno) {
        v->accel->ops->vcpu_free(v);
        return error_set_errno(err, "no thread for CPU %u", v->port.index);
    }
    v->has_thread = true;
    return true;
}

void vcpu_free(Vcpu *v)
{
    pthread_mutex_lock(&v->lock);
    v->quit = true;
    v->accel->ops->kick(v, true);
    pthread_cond_signal(&v->wake);
    pthread_mutex_unlock(&v->lock);
    pthread_join(v->thread, NULL);
    v->accel->ops->vcpu_free(v);
    pthread_cond_destroy(&v->changed);
    pthread_cond_destroy(&v->wake);
    pthread_mutex_destroy(&v->lock);
    free(v);
}
