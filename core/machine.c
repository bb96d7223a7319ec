/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine: its lock, its run state, and the requests that change it.
 *
 * Any thread asks (machine_request_*()); only the main loop thread does: it stops the vCPUs with no
 * lock held, changes what is asked for under the lock, and starts them again. So a device in the
 * middle of a callback never waits for a vCPU, and a request is never lost: the bits are collected
 * until the loop comes by.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/private.h"

enum { MAX_LAST_TURNS = 1000 };

static pthread_mutex_t *machine_mutex(Machine *m)
{
    return &m->p->lock;
}

Machine *machine_new(const char *name, Error *err)
{
    Machine *m = g_new0(Machine, 1);

    m->name = g_strdup(name ? name : "gemel");
    m->p = g_new0(struct MachinePrivate, 1);
    pthread_mutex_init(&m->p->lock, NULL);
    pthread_mutex_init(&m->p->request_lock, NULL);
    m->p->log = &m->p->quiet;
    m->p->made_ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    m->p->ports = g_ptr_array_new();
    m->p->consoles = g_ptr_array_new();
    m->inputs = g_new0(InputHub, 1);
    m->loop = g_main_context_new();
    clock_state_init(m);
    if (!mem_state_init(m, err)) {
        clock_state_stop(m);
        clock_state_free(m);
        g_main_context_unref(m->loop);
        g_free(m->p);
        g_free(m);
        return NULL;
    }
    mem_region_init_container(&m->system, "system", 0);
    mem_region_init_container(&m->io, "io", 0x10000);
    machine_lock(m);
    m->as = address_space_new(m, "memory", &m->system);
    m->as_io = address_space_new(m, "I/O", &m->io);
    machine_unlock(m);
    return m;
}

/* What was deferred still runs, because it may own memory. Bounded: it may defer again. */
static void run_deferred_calls(Machine *m)
{
    for (unsigned i = 0; i < MAX_LAST_TURNS && g_main_context_iteration(m->loop, FALSE); i++) {
    }
}

static void free_disks(Machine *m)
{
    while (m->p->disks) {
        machine_block_remove(m, m->p->disks->id);
    }
}

/* Everything a device or back end made must be gone or owned by a device before. */
void machine_unrealize_devices(Machine *m)
{
    while (m->devices) {
        Device *last = m->devices;

        while (last->next) {
            last = last->next;
        }
        device_unrealize(last);
    }
}

void machine_free(Machine *m)
{
    struct MachinePrivate *p = m->p;

    clock_state_stop(m);
    machine_lock(m);
    machine_unrealize_devices(m);
    while (p->sources) {
        machine_fd_remove(m, *(unsigned *)p->sources->data);
    }
    run_deferred_calls(m);
    while (p->unplugged) {
        Device *d = p->unplugged;

        p->unplugged = d->next;
        device_free(d);
    }
    free_disks(m);
    address_space_free(m->as);
    address_space_free(m->as_io);
    machine_unlock(m);
    mem_state_free(m);
    clock_state_free(m);
    g_main_context_unref(m->loop);
    g_hash_table_destroy(p->made_ids);
    g_ptr_array_free(p->ports, TRUE);
    g_ptr_array_free(p->consoles, TRUE);
    pthread_mutex_destroy(&p->lock);
    pthread_mutex_destroy(&p->request_lock);
    for (unsigned i = 0; i < m->n_cpus; i++) {
        m->cpus[i] = NULL; /* the accelerator's */
    }
    g_free(m->inputs);
    g_free(p);
    g_free((char *)m->name);
    g_free(m);
}

/* ---- the lock ---- */

void machine_lock(Machine *m)
{
    assert(!machine_locked_by_me(m));
    pthread_mutex_lock(machine_mutex(m));
    atomic_store_explicit(&m->p->owner, (uintptr_t)pthread_self(), memory_order_relaxed);
}

void machine_unlock(Machine *m)
{
    assert(machine_locked_by_me(m));
    atomic_store_explicit(&m->p->owner, 0, memory_order_relaxed);
    pthread_mutex_unlock(machine_mutex(m));
}

/* Only this thread can have stored its own name, so a relaxed read decides. */
bool machine_locked_by_me(const Machine *m)
{
    return atomic_load_explicit(&m->p->owner, memory_order_relaxed) == (uintptr_t)pthread_self();
}

/* ---- notifiers and policy ---- */

void machine_notify_add(Machine *m, MachineNotify *n)
{
    MachineNotify **tail = &m->p->notifiers;

    while (*tail) {
        tail = &(*tail)->next;
    }
    n->next = NULL;
    *tail = n;
}

void machine_notify_remove(Machine *m, MachineNotify *n)
{
    for (MachineNotify **p = &m->p->notifiers; *p; p = &(*p)->next) {
        if (*p == n) {
            *p = n->next;
            return;
        }
    }
}

void machine_set_cpu_ops(Machine *m, const MachineCpuOps *ops)
{
    m->p->cpu_ops = ops;
}

void machine_set_policy(Machine *m, MachinePolicy policy)
{
    m->p->policy = policy;
}

void machine_set_exit_status(Machine *m, int status)
{
    m->p->exit_status = status;
}

void machine_set_log(Machine *m, struct Log *log)
{
    m->p->log = log ? log : &m->p->quiet;
}

struct Log *machine_log(Machine *m)
{
    return m->p->log;
}

void machine_random(Machine *m, void *buf, size_t bytes)
{
    uint8_t *p = buf;

    (void)m;
    while (bytes) {
        ssize_t n = getrandom(p, bytes, 0);

        if (n < 0) {
            assert(errno == EINTR);
            continue;
        }
        p += n;
        bytes -= (size_t)n;
    }
}

/* ---- reset and run state ---- */

void machine_reset(Machine *m, ShutdownCause cause)
{
    Device *next;

    for (Device *d = m->devices; d; d = next) {
        next = d->next;
        device_reset(d, RESET_ENTER);
    }
    if (m->p->cpu_ops && m->p->cpu_ops->reset) {
        m->p->cpu_ops->reset(m);
    }
    for (Device *d = m->devices; d; d = next) {
        next = d->next;
        device_reset(d, RESET_EXIT);
    }
    m->p->was_reset = true;
    for (MachineNotify *n = m->p->notifiers, *after; n; n = after) {
        after = n->next;
        if (n->reset) {
            n->reset(n, cause);
        }
    }
}

void machine_set_state(Machine *m, RunState now)
{
    RunState old = m->state;

    if (old == now) {
        return;
    }
    m->state = now;
    clock_run(m, now == RUN_RUNNING);
    for (MachineNotify *n = m->p->notifiers, *after; n; n = after) {
        after = n->next;
        if (n->run_state) {
            n->run_state(n, old, now);
        }
    }
}

void machine_stop_cpus(Machine *m)
{
    if (m->p->cpus_running) {
        m->p->cpus_running = false;
        m->p->cpu_ops->stop(m);
    }
}

/* The vCPUs start when the machine is in RUN_RUNNING. */
void machine_start_cpus(Machine *m)
{
    if (!m->p->cpus_running && m->p->cpu_ops && m->state == RUN_RUNNING) {
        m->p->cpus_running = true;
        m->p->cpu_ops->start(m);
    }
}

/* ---- requests ---- */

typedef struct Requests {
    unsigned bits;
    ShutdownCause reset_cause, shutdown_cause;
    RunState stop_why;
} Requests;

static void request(Machine *m, unsigned bit, ShutdownCause cause, RunState why)
{
    struct MachinePrivate *p = m->p;

    pthread_mutex_lock(&p->request_lock);
    p->requests |= bit;
    switch (bit) {
    case REQ_RESET: p->reset_cause = cause; break;
    case REQ_SHUTDOWN: p->shutdown_cause = cause; break;
    case REQ_STOP:
        p->stop_why = why;
        p->requests &= ~(unsigned)REQ_CONT;
        break;
    case REQ_CONT: p->requests &= ~(unsigned)REQ_STOP; break;
    default: break;
    }
    pthread_mutex_unlock(&p->request_lock);
    g_main_context_wakeup(m->loop);
}

void machine_request_reset(Machine *m, ShutdownCause cause)
{
    request(m, REQ_RESET, cause, RUN_PAUSED);
}

void machine_request_shutdown(Machine *m, ShutdownCause cause)
{
    request(m, REQ_SHUTDOWN, cause, RUN_PAUSED);
}

void machine_request_powerdown(Machine *m)
{
    request(m, REQ_POWERDOWN, CAUSE_NONE, RUN_PAUSED);
}

void machine_request_stop(Machine *m, RunState why)
{
    request(m, REQ_STOP, CAUSE_NONE, why);
}

void machine_request_cont(Machine *m)
{
    request(m, REQ_CONT, CAUSE_NONE, RUN_PAUSED);
}

static Requests take_requests(struct MachinePrivate *p)
{
    Requests r;

    pthread_mutex_lock(&p->request_lock);
    r = (Requests){p->requests, p->reset_cause, p->shutdown_cause, p->stop_why};
    p->requests = 0;
    pthread_mutex_unlock(&p->request_lock);
    return r;
}

/* A reset that -no-reboot turns into a shutdown. */
static void apply_policy(const struct MachinePrivate *p, Requests *r)
{
    if ((r->bits & REQ_RESET) && p->policy.no_reboot && r->reset_cause == CAUSE_GUEST_RESET) {
        r->bits = (r->bits & ~(unsigned)REQ_RESET) | REQ_SHUTDOWN;
        r->shutdown_cause = CAUSE_GUEST_RESET;
    }
}

static void do_shutdown(Machine *m, ShutdownCause cause)
{
    bool host = cause == CAUSE_HOST_QUIT || cause == CAUSE_HOST_SIGNAL;

    for (MachineNotify *n = m->p->notifiers, *after; n; n = after) {
        after = n->next;
        if (n->shutdown) {
            n->shutdown(n, cause);
        }
    }
    if (m->p->policy.no_shutdown && !host) {
        machine_set_state(m, RUN_SHUTDOWN);
    } else {
        m->p->quit = true;
    }
}

/* Under the lock, vCPUs stopped. */
static void do_requests(Machine *m, const Requests *r)
{
    if (r->bits & REQ_SHUTDOWN) {
        do_shutdown(m, r->shutdown_cause);
    }
    if (r->bits & REQ_STOP) {
        machine_set_state(m, r->stop_why);
    }
    if (r->bits & REQ_RESET) {
        machine_reset(m, r->reset_cause);
        if (m->state == RUN_SHUTDOWN || m->state == RUN_ERROR) {
            machine_set_state(m, RUN_PAUSED);
        }
    }
    if (r->bits & REQ_CONT && (m->state == RUN_PRELAUNCH || m->state == RUN_PAUSED)) {
        machine_set_state(m, RUN_RUNNING);
    }
}

static void press_power_button(Machine *m)
{
    for (MachineNotify *n = m->p->notifiers, *after; n; n = after) {
        after = n->next;
        if (n->powerdown) {
            n->powerdown(n);
        }
    }
}

void machine_serve_requests(Machine *m)
{
    Requests r = take_requests(m->p);

    apply_policy(m->p, &r);
    if (r.bits & ~(unsigned)REQ_POWERDOWN) {
        machine_stop_cpus(m);
        machine_lock(m);
        do_requests(m, &r);
        machine_unlock(m);
        if (!m->p->quit) {
            machine_start_cpus(m);
        }
    }
    if (r.bits & REQ_POWERDOWN) {
        machine_lock(m);
        press_power_button(m);
        machine_unlock(m);
    }
}

int machine_run(Machine *m)
{
    m->p->quit = false;
    for (;;) {
        machine_serve_requests(m);
        if (m->p->quit) {
            break;
        }
        machine_iterate(m, true);
    }
    machine_stop_cpus(m);
    machine_lock(m);
    machine_set_state(m, RUN_PAUSED);
    machine_unlock(m);
    return m->p->exit_status;
}
