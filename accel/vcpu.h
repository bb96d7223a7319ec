/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vCPU as accelerators and accel/vcpu.c share it: port, thread, what the thread was asked to do.
 */
#ifndef GEMEL_ACCEL_VCPU_H
#define GEMEL_ACCEL_VCPU_H

#include <pthread.h>

#include "accel/accel.h"
#include "core/machine.h"

typedef struct VcpuWork VcpuWork;

struct Vcpu {
    Accel          *accel;
    CpuPort         port;
    void           *state;       /* the ops' */
    Error           error;       /* why run() returned ACCEL_ERROR */
    pthread_t       thread;
    bool            has_thread;
    /* where it starts after a machine reset */
    bool            off_at_reset, has_entry, kernel;
    uint64_t        entry_pc, entry_arg;
    /* guarded by lock */
    pthread_mutex_t lock;
    pthread_cond_t  wake;        /* the thread waits for something to do */
    pthread_cond_t  changed;     /* others wait for it: parked, work done */
    bool            run;         /* the machine runs */
    bool            quit, parked, waiting;
    VcpuWork       *work, **work_last;
    StateSection    section;
};

/* ---- vcpu.c ---- */
bool vcpu_init(Vcpu *v, Error *err);
void vcpu_free(Vcpu *v);         /* ends the thread */
void vcpu_run(Vcpu *v);          /* the thread may run the guest */
void vcpu_stop_begin(Vcpu *v);   /* ... and no longer */
void vcpu_stop_wait(Vcpu *v);
void vcpu_reset(Vcpu *v);        /* stopped */
struct AccelTurn *vcpu_turn_new(void);
void vcpu_turn_free(struct AccelTurn *t); /* may be NULL */

/* ---- accelerators ---- */
extern const AccelOps accel_tcg_aarch64;

#endif
