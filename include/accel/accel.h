/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An accelerator: what runs the CPUs of a machine. The translator (accel/tcg), VT-x (accel/vtx) and
 * KVM (accel/kvm) are each one constant AccelOps.
 *
 * accel/vcpu.c owns the vCPU threads: one host thread each, which sleeps while its CPU is off, waits
 * for an interrupt or the machine is stopped, and otherwise calls ops->run() again and again.
 *
 * One interrupt's way: a device sets its pin -> the interrupt controller (device) sets a CPU line:
 * cpu_pin()'s sink sets the bit in CpuPort.lines and calls CpuPort.kick -> accel_kick(): the ops'
 * request word is set (generated code polls it; a hardware accelerator gets a signal) and the thread
 * is woken if it sleeps -> at the safe point run() lets the target take the interrupt.
 */
#ifndef GEMEL_ACCEL_ACCEL_H
#define GEMEL_ACCEL_ACCEL_H

#include "core/cpu.h"
#include "core/state.h"
#include "util/error.h"

typedef struct Accel Accel;
typedef struct Vcpu Vcpu;

/* Why run() returned. */
typedef enum AccelExit {
    ACCEL_AGAIN,     /* look at requests and run again */
    ACCEL_WAIT,      /* the guest waits for an interrupt */
    ACCEL_OFF,       /* the CPU powered off */
    ACCEL_SHUTDOWN,  /* triple fault and the like: the machine is to be reset or stopped */
    ACCEL_BREAK,     /* breakpoint or single step for the debugger */
    ACCEL_ERROR      /* cannot go on; Vcpu.error says why */
} AccelExit;

typedef struct AccelConfig {
    const char *cpu_model;   /* -cpu, with ,+feature,-feature as typed */
    const char *options;     /* rest of -accel: "thread=multi,tb-size=..." */
    bool        el2, el3;    /* Arm: virtualization=on, secure=on */
    bool        one_insn;    /* -one-insn-per-tb */
    bool        semihosting; /* Arm: HLT #0xf000 calls the host */
    uint32_t    log;         /* bits for the translator's -d kinds */
    const char *log_file;
    uint64_t    counter_hz;  /* Arm: CNTFRQ_EL0; 0: the model's */
} AccelConfig;

typedef struct AccelOps {
    const char *name;        /* "tcg" */
    const char *isa;         /* "aarch64", "x86_64" it was made for; a table has one per pair */
    bool      (*available)(Error *why_not);
    bool      (*init)(Accel *a, const AccelConfig *config, Error *err);
    void      (*fini)(Accel *a);
    bool      (*vcpu_init)(Vcpu *v, Error *err);
    void      (*vcpu_thread_start)(Vcpu *v);  /* on its thread, before the first run */
    void      (*vcpu_thread_end)(Vcpu *v);
    void      (*vcpu_free)(Vcpu *v);
    void      (*vcpu_reset)(Vcpu *v);         /* stopped, or on its thread */
    /* After vcpu_reset(): start at pc. kernel: as accel_set_entry(); else as the port's start_ says. */
    void      (*vcpu_start)(Vcpu *v, uint64_t pc, uint64_t arg, bool kernel);
    AccelExit (*run)(Vcpu *v);
    /* Any thread: run() is to look at the port's lines soon; `leave`: to return ACCEL_AGAIN. */
    void      (*kick)(Vcpu *v, bool leave);
    bool      (*can_wake)(Vcpu *v);           /* would an ACCEL_WAIT end now? */
    /* Registers, for monitor and gdb: names and values by the target; v stopped. */
    void      (*print_regs)(Vcpu *v, void (*print)(void *opaque, const char *line), void *opaque);
    bool      (*translate)(Vcpu *v, uint64_t va, uint64_t *gpa); /* debugger's view */
    uint64_t  (*pc)(Vcpu *v);
    bool      (*save)(Vcpu *v, StateStream *s);
    bool      (*load)(Vcpu *v, StateStream *s, Error *err);
    const char *const *(*cpu_models)(void);   /* ended by NULL */
    void      (*report)(Accel *a, void (*print)(void *opaque, const char *line), void *opaque);
} AccelOps;

struct Accel {
    const AccelOps *ops;
    Machine *machine;
    void    *state;   /* the ops' */
    bool     in_turn; /* thread=single: one vCPU runs at a time */
    struct AccelTurn *turn; /* vcpu.c's */
};

/* Creates the accelerator of that name ("tcg") for the ISA; registers its MachineCpuOps and state
 * sections. Machine lock held. false: err says what is missing and what could be used instead. */
Accel *accel_new(Machine *m, const char *name, const char *isa, const AccelConfig *config, Error *err);
/* Ends the vCPU threads. Machine lock not held, machine stopped. */
void   accel_free(Accel *a);
/* Adds CPU number m->n_cpus: port, vCPU, thread (which sleeps until the machine runs). `off`: starts
 * powered off (secondary CPUs under PSCI). mpidr: CpuPort.mpidr. */
bool   accel_add_cpu(Accel *a, uint64_t mpidr, bool off, Error *err);
/* Where CPU i starts after reset: entry and argument in the first register (Arm X0, DTB), at the
 * highest level that Linux expects for direct kernel boot (`kernel`), else at the reset vector. */
void   accel_set_entry(Accel *a, unsigned cpu, uint64_t pc, uint64_t arg, bool kernel);
Vcpu  *accel_vcpu(Accel *a, unsigned index);
/* What the accelerator has done so far, for `info jit` and the like. */
void   accel_report(Accel *a, void (*print)(void *opaque, const char *line), void *opaque);
/* Names for -cpu help, ended by NULL. */
const char *const *accel_cpu_models(const char *isa);

#endif
