/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The port of a CPU: all that devices and boards see of one, and all that a target sees of its
 * machine. It cuts the circle between hw/ (interrupt controllers, timers) and target/.
 *
 * The target embeds nothing of the machine; the accelerator creates port and vCPU together.
 * Interrupt inputs are levels: a pin sets or clears its bit in `lines` (atomic) and asks the vCPU to
 * look (`kick`). The vCPU takes an interrupt when its own masks allow, at its next safe point.
 */
#ifndef GEMEL_CORE_CPU_H
#define GEMEL_CORE_CPU_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/mem.h"
#include "core/pin.h"

typedef struct CpuPort CpuPort;

/* Input pins, as bit numbers of CpuPort.lines. */
typedef enum CpuLine {
    CPU_LINE_IRQ, CPU_LINE_FIQ, CPU_LINE_VIRQ, CPU_LINE_VFIQ, CPU_LINE_NMI, CPU_LINE_SMI,
    CPU_LINE_SERROR, CPU_N_LINES
} CpuLine;

/* What a banked system register sees of the CPU that accesses it. */
typedef struct CpuAccess {
    CpuPort *cpu;
    uint8_t  level;   /* Arm: EL 0..3; x86: CPL */
    bool     secure;
    uint64_t route;   /* Arm: HCR_EL2 of the current security state (0 when EL2 is off) */
    uint64_t route2;  /* Arm: SCR_EL3 */
    uint8_t *trap;    /* out; preset 0. Arm: with a result of false, the EL that the access traps to
                       * (EC 0x18) instead of being undefined. NULL: always undefined */
} CpuAccess;

/*
 * A row that a device adds to a CPU's system-register table (GIC CPU interface, local APIC MSRs).
 * encoding: Arm: op0 << 14 | op1 << 11 | CRn << 7 | CRm << 3 | op2; x86: MSR number.
 * The functions run on the vCPU's thread without the machine lock.
 * Return false: the access is undefined, or traps to the level put into CpuAccess.trap.
 */
typedef struct CpuSysReg {
    uint32_t    encoding;
    const char *name;
    uint8_t     min_level_read, min_level_write; /* 0xff: never */
    bool      (*read)(void *opaque, const struct CpuSysReg *reg, const CpuAccess *a, uint64_t *value);
    bool      (*write)(void *opaque, const struct CpuSysReg *reg, const CpuAccess *a, uint64_t value);
    uint32_t    arg;  /* the device's own, e.g. the n of ICC_AP0R<n>_EL1 */
} CpuSysReg;
typedef struct CpuSysRegBank {
    const CpuSysReg *regs;
    uint32_t         n_regs;
    void            *opaque;
    struct CpuSysRegBank *next;
} CpuSysRegBank;

/*
 * Who starts a CPU (PSCI CPU_ON on another vCPU's thread) takes it from CPU_OFF to CPU_STARTING by
 * compare-and-swap, fills in start_*, stores CPU_ON_PENDING (release) and kicks. The vCPU's thread
 * resets itself on CPU_ON_PENDING, starts there and stores CPU_ON. A CPU turns only itself off.
 */
enum { CPU_SYSREG_SLOTS = 256 };
typedef struct CpuSysRegSlot {
    const CpuSysReg *reg; /* NULL: free */
    void            *opaque;
} CpuSysRegSlot;

typedef enum CpuPower { CPU_OFF, CPU_STARTING, CPU_ON_PENDING, CPU_ON } CpuPower;

struct CpuPort {
    Machine      *machine;
    unsigned      index;
    uint64_t      mpidr;        /* Arm: affinity, as MPIDR_EL1; x86: APIC id */
    AddressSpace *as;           /* memory it sees (Non-secure on Arm) */
    AddressSpace *as_secure;    /* Arm with EL3: Secure view; else as */
    AddressSpace *as_io;        /* x86 ports; else NULL */
    _Atomic(uint32_t) lines;    /* bit n: CpuLine n is high */
    CpuSysRegBank *banks;       /* before the machine starts only */
    CpuSysRegSlot  sysregs[CPU_SYSREG_SLOTS]; /* the rows of all banks by hash of their encoding */
    _Atomic(uint32_t) power;    /* CpuPower */
    uint64_t      start_pc, start_arg; /* where CPU_ON starts it, and its first register there */
    uint8_t       start_level;  /* Arm: exception level to start at */
    PinOut        out[8];       /* Arm generic timers CPU_OUT_*; to the interrupt controller's PPIs */
    void         *vcpu;         /* the accelerator's */
    /* Given by the accelerator. kick: look at lines, power, requests soon; wakes a sleeping vCPU; any
     * thread. run_on: run fn on the vCPU's thread at a safe point and wait (any other thread,
     * machine lock not held) . */
    void        (*kick)(CpuPort *p);
    void        (*run_on)(CpuPort *p, void (*fn)(CpuPort *p, void *arg), void *arg);
};

/* CpuPort.out on Arm: outputs of the generic timers and the PMU. */
enum { CPU_OUT_CNTP, CPU_OUT_CNTV, CPU_OUT_CNTHP, CPU_OUT_CNTPS, CPU_OUT_CNTHV, CPU_OUT_PMU };

/* Input `line` of p, to be connected. Its set() is atomic and needs no lock. */
PinIn cpu_pin(CpuPort *p, CpuLine line);
static inline bool cpu_line(const CpuPort *p, CpuLine line)
{
    return atomic_load_explicit(&p->lines, memory_order_acquire) >> line & 1;
}

/* Adds rows, which hide those of the same encoding that are there. Before the machine starts; the bank
 * must outlive the port. */
void cpu_sysreg_bank_attach(CpuPort *p, CpuSysRegBank *bank);
/* The row of that encoding, with its opaque; NULL: none. Any thread once the machine runs. */
const CpuSysReg *cpu_sysreg_find(const CpuPort *p, uint32_t encoding, void **opaque);

#endif
