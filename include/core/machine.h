/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine: what devices, CPUs, accelerator, monitor and displays share. Several in one process do
 * not know of each other; nothing here is global.
 *
 * The event loop is a GLib main context of the machine's own. Its thread (main loop thread) runs
 * timers' and host I/O's callbacks with the machine lock held. vCPU threads run beside it.
 *
 * Lock ranks: machine < device < block graph < queue < code cache < page (debug builds check). The
 * machine lock is never held while waiting for a vCPU, a block completion or a thread.
 */
#ifndef GEMEL_CORE_MACHINE_H
#define GEMEL_CORE_MACHINE_H

#include <glib.h>

#include "core/cpu.h"
#include "core/device.h"

typedef enum RunState {
    RUN_PRELAUNCH, /* -S, or being built */
    RUN_RUNNING,
    RUN_PAUSED,    /* stop */
    RUN_SAVING, RUN_RESTORING,
    RUN_SHUTDOWN,  /* with -no-shutdown: the guest is off */
    RUN_ERROR      /* e.g. disk full with werror=stop, internal error */
} RunState;

typedef enum ShutdownCause {
    CAUSE_NONE, CAUSE_GUEST_SHUTDOWN, CAUSE_GUEST_RESET, CAUSE_GUEST_PANIC,
    CAUSE_HOST_QUIT,   /* monitor quit, window closed */
    CAUSE_HOST_SIGNAL, CAUSE_HOST_RESET
} ShutdownCause;

typedef struct MachineNotify {
    void (*run_state)(struct MachineNotify *n, RunState old, RunState now);
    void (*reset)(struct MachineNotify *n, ShutdownCause cause);      /* after the devices' */
    void (*powerdown)(struct MachineNotify *n);                        /* power button pressed */
    void (*shutdown)(struct MachineNotify *n, ShutdownCause cause);
    void  *opaque;
    struct MachineNotify *next;
} MachineNotify;

typedef struct DisplayHub DisplayHub;
typedef struct InputHub InputHub;

enum { MACHINE_MAX_CPUS = 512 };

struct Machine {
    const char   *name;        /* -name, or "gemel" */
    MemRegion     system;      /* root of system memory, 2^64 */
    MemRegion     io;          /* x86 ports, 64 KiB */
    AddressSpace *as;          /* of system */
    AddressSpace *as_io;
    GMainContext *loop;
    CpuPort      *cpus[MACHINE_MAX_CPUS];
    unsigned      n_cpus;
    Device       *devices;     /* all, in order of realize */
    DisplayHub   *displays;    /* core/display.h */
    InputHub     *inputs;      /* core/input.h */
    void         *net_backends; /* net/: its list */
    struct Ui    *ui;          /* windows and servers; ui/'s */
    RunState      state;
    const char   *type;        /* board and ISA, "virt/aarch64": what a saved state must match */
    bool          ram_shared;  /* RAM is memfd-backed; set before the first region */
    struct MachinePrivate *p;  /* core's */
};

/* Empty machine: no RAM, no CPU. */
Machine *machine_new(const char *name, Error *err);
void     machine_free(Machine *m);
/* Unrealizes and frees all devices, the newest first: before what they use (disks, networks, streams) is
 * closed. Machine lock held, vCPUs stopped. */
void     machine_unrealize_devices(Machine *m);

void machine_lock(Machine *m);
void machine_unlock(Machine *m);
bool machine_locked_by_me(const Machine *m);

/* Resets all devices (ENTER for all, then the CPUs, then EXIT for all), then notifies. Machine lock
 * held, vCPUs stopped. The composer calls it once when the machine is built; a device realized later
 * (hotplug) is reset by device_realize(). */
void machine_reset(Machine *m, ShutdownCause cause);

/* Asked for by devices, monitor, windows, signals: carried out by the main loop, after stopping the
 * vCPUs. Any thread. */
void machine_request_reset(Machine *m, ShutdownCause cause);
void machine_request_shutdown(Machine *m, ShutdownCause cause);
void machine_request_powerdown(Machine *m);
void machine_request_stop(Machine *m, RunState why); /* stop: RUN_PAUSED, RUN_ERROR */
void machine_request_cont(Machine *m);
/* Carries out at once what was asked for so far. Main loop thread, machine lock not held. */
void machine_serve_requests(Machine *m);

/* The accelerator registers how to start and stop all vCPUs (called by the main loop thread, machine
 * lock not held; stop returns when none runs guest code). */
typedef struct MachineCpuOps {
    void (*start)(Machine *m);
    void (*stop)(Machine *m);
    void (*reset)(Machine *m); /* CPUs to their reset state; machine lock held, stopped */
} MachineCpuOps;
void machine_set_cpu_ops(Machine *m, const MachineCpuOps *ops);

/* Policy of -no-reboot, -no-shutdown, -action. */
typedef struct MachinePolicy { bool no_reboot, no_shutdown; } MachinePolicy;
void machine_set_policy(Machine *m, MachinePolicy policy);

/* Runs the event loop on the calling thread until shutdown; returns the exit status (guest's, for
 * debug-exit devices and semihosting; else 0). */
int  machine_run(Machine *m);
void machine_set_exit_status(Machine *m, int status);
/* One turn of the event loop on the calling thread, lock not held: for tests and nested waits. */
void machine_iterate(Machine *m, bool may_block);
/* For what needs the guest to stand still for a moment (savevm). On the main loop thread, machine
 * lock not held; start only starts them when the state is RUN_RUNNING. */
void machine_stop_cpus(Machine *m);
void machine_start_cpus(Machine *m);
/* Changes the run state and tells the notifiers; CLOCK_VM runs in RUN_RUNNING only. Machine lock
 * held, vCPUs stopped. Others use machine_request_stop() and machine_request_cont(). */
void machine_set_state(Machine *m, RunState now);

void machine_notify_add(Machine *m, MachineNotify *n);
void machine_notify_remove(Machine *m, MachineNotify *n);

/* fn(opaque) on the main loop thread, with the lock, soon. Any thread. */
void machine_defer(Machine *m, void (*fn)(void *opaque), void *opaque);
/* fd readiness on the main loop thread with the lock held; returns a handle for machine_fd_remove().
 * condition: GIOCondition. fn returns false to be removed. */
unsigned machine_fd_add(Machine *m, int fd, GIOCondition condition,
                        bool (*fn)(int fd, GIOCondition condition, void *opaque), void *opaque);
void     machine_fd_remove(Machine *m, unsigned handle);

Device *machine_device(Machine *m, const char *id);
/* Disks by id: the composer adds what -drive and -blockdev opened, PROP_BLOCK and the monitor look
 * them up. A disk has one user: machine_block_claim() is NULL with an Error when there is no such
 * disk (naming the nearest) or another device has it. id and dev must stay while they are listed. */
struct BlockDev;
bool             machine_block_add(Machine *m, const char *id, struct BlockDev *dev, Error *err);
void             machine_block_remove(Machine *m, const char *id);
struct BlockDev *machine_block(Machine *m, const char *id);
struct BlockDev *machine_block_claim(Machine *m, const char *id, Device *user, Error *err);
void             machine_block_release(Machine *m, Device *user);
void             machine_block_each(Machine *m, void (*fn)(const char *id, struct BlockDev *dev,
                                                           Device *user, void *opaque), void *opaque);
/* Random bytes for the guest (virtio-rng, ids): the one place they come from. */
void    machine_random(Machine *m, void *buf, size_t bytes);

/* A name for this guest error kind in -d; log of the machine. */
struct Log;
struct Log *machine_log(Machine *m);
void        machine_set_log(Machine *m, struct Log *log); /* NULL: none; log is the caller's */
enum { MLOG_GUEST_ERROR = 1 << 0, MLOG_UNIMP = 1 << 1, MLOG_RESET = 1 << 2, MLOG_INT = 1 << 3,
       MLOG_MMIO = 1 << 4, MLOG_TIMER = 1 << 5 };

#endif
