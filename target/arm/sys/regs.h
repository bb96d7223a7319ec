/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A row of the system-register table (regs.def) and what its functions get.
 */
#ifndef GEMEL_TARGET_ARM_SYS_REGS_H
#define GEMEL_TARGET_ARM_SYS_REGS_H

#include "target/arm/sys/sys.h"

#define A64_ENC(op0, op1, crn, crm, op2)                                                           \
    ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

/* Which controls trap an access: cases of a64_reg_trap() (regs_trap.c). */
typedef enum A64Trap {
    TRAP_NONE, /* not even HSTR-like controls: always inline */
    TRAP_TVM,  /* HCR_EL2.TVM, TRVM */
    TRAP_TID1, TRAP_TID2, TRAP_TID3, TRAP_TID4, TRAP_CTR,
    TRAP_TACR, TRAP_CPACR, TRAP_CPTR2,
    TRAP_DAIF,
    TRAP_CNTFRQ, TRAP_CNTVCT, TRAP_CNTPCT, TRAP_CNTV, TRAP_CNTP, TRAP_CNTPS,
    TRAP_PMU, TRAP_PMCR, TRAP_PMUSER, TRAP_PMCC,
    TRAP_DEBUG, TRAP_DEBUG_OS, TRAP_DEBUG_ROM,
    TRAP_DC_VA, TRAP_DC_SW, TRAP_DC_ZVA, TRAP_IC, TRAP_DCZID,
    TRAP_PAUTH, TRAP_ERR, TRAP_LOR,
} A64Trap;

enum {
    REG_SYNC = 1 << 0,       /* a write may change mode word or context */
    REG_CONST = 1 << 1,      /* the value never changes: read at translation */
    REG_PEEK = 1 << 2,       /* reading has no effect: a plain call */
    REG_SLOT_WRITE = 1 << 3, /* .slot is also written inline */
    REG_FAST_EL0 = 1 << 4,   /* EL0's trap controls are in A64_MODE_TRAPS */
    REG_ALIAS = 1 << 5,      /* another row owns the storage */
    REG_NOP = 1 << 6, REG_DC_ZVA = 1 << 7, REG_DC_CLEAN = 1 << 8,
};

typedef struct A64Reg A64Reg;
struct A64Reg {
    uint32_t enc;
    const char *name;
    uint8_t rd, wr;      /* lowest level that may read, write; 4: none */
    uint8_t trap;        /* A64Trap */
    uint8_t feature;     /* A64Feature, 0: always there */
    uint16_t flags;
    uint16_t slot;       /* A64Slot that is its storage */
    uint32_t offset;     /* of its storage in A64Cpu; 0: none */
    uint32_t vhe;        /* EL1 name: what it reaches at EL2 with HCR_EL2.E2H */
    uint32_t arg;        /* the functions' own */
    uint64_t reset;
    uint64_t res0, res1; /* bits a write leaves 0, 1 */
    uint64_t (*read)(A64Cpu *cpu, const A64Reg *r);
    void (*write)(A64Cpu *cpu, const A64Reg *r, uint64_t v);
};

enum { A64_TRAP_UNDEF = 4 };
/* 0: allowed; 1..3: level it traps to; A64_TRAP_UNDEF. */
unsigned a64_reg_trap(const A64Cpu *cpu, const A64Reg *r, bool write, unsigned el);

static inline uint64_t *a64_reg_field(A64Cpu *cpu, const A64Reg *r)
{
    return (uint64_t *)(void *)((char *)cpu + r->offset);
}

static inline uint64_t a64_reg_masked(const A64Reg *r, uint64_t v)
{
    return (v & ~r->res0) | r->res1;
}

/* CNTP_*, CNTV_*: encodings without op1. */
static inline bool a64_enc_is_timer(uint32_t enc)
{
    unsigned crn = enc >> 7 & 15, crm = enc >> 3 & 15;
    return crn == 14 && (crm == 2 || crm == 3);
}

const A64Reg *a64_regs(unsigned *n);
bool a64_regs_init(A64Cpu *cpu, Error *err);
void a64_regs_fini(A64Cpu *cpu);

/* ---- functions of rows (regs_fn.c) ---- */

#define A64_REG_READ(name) uint64_t a64_read_##name(A64Cpu *cpu, const A64Reg *r)
#define A64_REG_WRITE(name) void a64_write_##name(A64Cpu *cpu, const A64Reg *r, uint64_t v)
A64_REG_READ(zero);
A64_REG_READ(id);      /* arg: A64IdReg */
A64_REG_READ(pfr0);
A64_REG_READ(midr);
A64_REG_READ(mpidr);
A64_REG_READ(ctr);
A64_REG_READ(dczid);
A64_REG_READ(ccsidr);
A64_REG_READ(clidr);
A64_REG_READ(rvbar);
A64_REG_READ(daif);
A64_REG_READ(pstate);  /* arg: its bit */
A64_REG_READ(isr);
A64_REG_READ(cntfrq);
A64_REG_READ(cntpct);
A64_REG_READ(cntvct);
A64_REG_READ(timer);   /* arg: A64TimerId << 4 | which */
A64_REG_READ(pmccntr);
A64_REG_READ(pmcr);
A64_REG_READ(sp_el0);
A64_REG_READ(claim);
A64_REG_WRITE(ignore);
A64_REG_WRITE(hcr);
A64_REG_WRITE(scr);
A64_REG_WRITE(daif);
A64_REG_WRITE(pstate);
A64_REG_WRITE(sp_el0);
A64_REG_WRITE(cntfrq);
A64_REG_WRITE(timer);
A64_REG_WRITE(cntvoff);
A64_REG_WRITE(cntctl);
A64_REG_WRITE(pmcr);
A64_REG_WRITE(pmccntr);
A64_REG_WRITE(set);    /* arg 1: sets bits of the field, 0: clears them */
A64_REG_WRITE(pmcnten);
A64_REG_WRITE(pmu_set); /* arg 1: sets, 0: clears */
A64_REG_WRITE(oslar);
A64_REG_WRITE(at);
A64_REG_WRITE(dc);
A64_REG_WRITE(dc_zva);
A64_REG_WRITE(watch);  /* debug.c */

#endif
