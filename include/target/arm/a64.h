/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AArch64 CPU state. Canonical between exits of generated code: whoever holds a stopped vCPU
 * finds all of it here.
 *
 * Source: Arm Architecture Reference Manual for A-profile (DDI 0487), A64 part.
 */
#ifndef GEMEL_TARGET_ARM_A64_H
#define GEMEL_TARGET_ARM_A64_H

#include "target/arm/a64_sys.h"
#include "tcg/runtime.h"

/* CPU features, one bit each; A64Cpu.features. Names as in the manual (FEAT_x). */
typedef enum A64Feature {
    A64_FEAT_BASE, A64_FEAT_FP, A64_FEAT_AdvSIMD, A64_FEAT_CRC32, A64_FEAT_AES, A64_FEAT_PMULL,
    A64_FEAT_SHA1, A64_FEAT_SHA256, A64_FEAT_SHA512, A64_FEAT_SHA3, A64_FEAT_SM3, A64_FEAT_SM4,
    A64_FEAT_LSE, A64_FEAT_LSE2, A64_FEAT_RDM, A64_FEAT_DotProd, A64_FEAT_FP16, A64_FEAT_FHM,
    A64_FEAT_FCMA, A64_FEAT_JSCVT, A64_FEAT_LRCPC, A64_FEAT_LRCPC2, A64_FEAT_FRINTTS,
    A64_FEAT_FlagM, A64_FEAT_FlagM2, A64_FEAT_DPB, A64_FEAT_DPB2, A64_FEAT_SB, A64_FEAT_PAuth,
    A64_FEAT_FPAC, A64_FEAT_BTI, A64_FEAT_I8MM, A64_FEAT_BF16, A64_FEAT_SVE, A64_FEAT_RNG,
    A64_FEAT_SSBS, A64_N_USER_FEATS,
    /* what only EL1 and up can see; the system emulator's */
    A64_FEAT_EL2 = 64, A64_FEAT_EL3, A64_FEAT_VHE, A64_FEAT_PAN, A64_FEAT_PAN2, A64_FEAT_PAN3,
    A64_FEAT_UAO, A64_FEAT_HPDS, A64_FEAT_AF, A64_FEAT_DBM, A64_FEAT_VMID16, A64_FEAT_LPA,
    A64_FEAT_LVA, A64_FEAT_LPA2, A64_FEAT_TGRAN16, A64_FEAT_TTST, A64_FEAT_CNP, A64_FEAT_XNX,
    A64_FEAT_TLBIOS, A64_FEAT_TLBIRANGE, A64_FEAT_XS, A64_FEAT_DIT, A64_FEAT_RAS, A64_FEAT_IESB,
    A64_FEAT_PMUv3, A64_FEAT_E0PD, A64_FEAT_TTL, A64_FEAT_BBM, A64_FEAT_CSV2, A64_FEAT_CSV3,
    A64_FEAT_LOR, A64_FEAT_S2FWB, A64_FEAT_EVT, A64_FEAT_IDST, A64_FEAT_HCX, A64_FEAT_nTLBPA,
    A64_N_FEATS
} A64Feature;

/* Index into A64Cpu.pac_key. */
typedef enum A64PacKey { A64_KEY_IA, A64_KEY_IB, A64_KEY_DA, A64_KEY_DB, A64_KEY_GA } A64PacKey;

/* One authentication code computed before: signing and checking a return address give the same. */
typedef struct A64PacEntry {
    uint64_t data, modifier, key0, key1, pac;
    bool     valid;
} A64PacEntry;
enum { A64_PAC_CACHE = 64 };

typedef struct A64Cpu {
    TcgCpu   tcg;            /* must be first */

    /* registers that generated code uses, hottest first (one-byte displacements) */
    uint64_t x[31];          /* X0..X30 */
    uint64_t sp;
    uint32_t nzcv;           /* packed flags (tcg/ir.h): N 15, Z 14, C 8, V 0; mask when reading */
    uint32_t btype;          /* PSTATE.BTYPE, when BTI is on */
    uint64_t pc;
    uint64_t excl_addr;      /* exclusive monitor: address, or all ones when clear */
    uint64_t excl_val[2];    /* what the load-exclusive read */
    uint64_t tpidr_el0;
    uint64_t tpidrro_el0;
    uint32_t fpcr;           /* FPCR; its rounding mode is mirrored in tcg.fp_mode */
    uint32_t ssbs;           /* PSTATE.SSBS in bit 12, as MRS reads it */
    uint32_t daif;           /* PSTATE.DAIF in bits 9:6 */
    uint32_t irq_held;       /* not 0: interrupt() found one that DAIF masks; look when DAIF changes */
    IrVec    qc;             /* low 128 bits not zero: FPSR.QC is set */
    IrVec    v[32];          /* V0..V31, low 128 bits (Z registers later) */

    /* what does not change while the CPU runs */
    uint64_t features[2];    /* bit n of the array: A64Feature n */
    uint64_t midr, ctr_el0, dczid_el0, cntfrq;
    uint64_t id_aa64[16];    /* ID_AA64{PFR0,PFR1,ZFR0,SMFR0,DFR0,DFR1,ISAR0,ISAR1,ISAR2,MMFR0,
                                MMFR1,MMFR2}: index as in A64IdReg of target/arm/a64_id.h */
    uint64_t pac_key[5][2];  /* APIA, APIB, APDA, APDB, APGA: low, high */
    const char *model;
    uint64_t mode_bits;      /* A64_MODE_TAGGED, _BTI: or-ed into the mode word; set by the owner */
    bool host_sha, host_fma; /* the host has these instructions and helpers may use them */
    A64PacEntry pac_cache[A64_PAC_CACHE]; /* speed only: entries name their keys */

    const A64SysOps *sysops; /* system level: set by a64_system_guest, NULL in user mode */
    A64Sys   sys;            /* EL1 and up (target/arm/a64_sys.h) */
} A64Cpu;

/* Slots of the IR (TcgSlot table in target/arm/tcg/a64_guest.c), in this order. */
typedef enum A64Slot {
    A64_S_X0 = 0,            /* .. X30 = 30 */
    A64_S_SP = 31,
    A64_S_NZCV, A64_S_PC, A64_S_BTYPE, A64_S_EXCL_ADDR, A64_S_EXCL_VAL0, A64_S_EXCL_VAL1,
    A64_S_TPIDR_EL0, A64_S_FPCR, A64_S_QC,
    A64_S_V0,                /* .. V31 */
    A64_N_USER_SLOTS = A64_S_V0 + 32,
    /* system registers that are read and written inline */
    A64_S_DAIF = A64_N_USER_SLOTS, A64_S_IRQ_HELD, A64_S_TPIDRRO_EL0, A64_S_TPIDR_EL1,
    A64_S_TPIDR_EL2, A64_S_SP_EL0, A64_S_SP_EL1, A64_S_ELR_EL1, A64_S_SPSR_EL1, A64_S_ESR_EL1,
    A64_S_FAR_EL1, A64_S_ELR_EL2, A64_S_SPSR_EL2, A64_S_ESR_EL2, A64_S_FAR_EL2, A64_S_TTBR0_EL1,
    A64_S_TTBR1_EL1, A64_S_PAR_EL1, A64_S_VBAR_EL1, A64_S_CONTEXTIDR_EL1,
    A64_N_SLOTS
} A64Slot;

/* Mode word (TcgBlockCtx.mode). */
enum {
    A64_MODE_FPSLOW = 1 << 0, /* FPCR has DN, FZ, FZ16, AH.. set: FP by soft-float */
    A64_MODE_FPFLUSH = 1 << 4, /* FPCR.FZ alone, and FPSR.IXC is set already: FP on the host */
    A64_MODE_TAGGED = 1 << 1, /* memory addresses carry tags: mask bits 63:56 (bit 55 extends) */
    A64_MODE_BTI    = 1 << 2, /* PSTATE.BTYPE is tracked: the process has guarded pages */
    A64_MODE_GUARDED = 1 << 3, /* the block's page is guarded (TcgBlockCtx.mode only) */
    /* system level */
    A64_MODE_SPCHECK = 1 << 5, /* a misaligned SP as base faults: SP is aligned unless SPBAD */
    A64_MODE_SPBAD   = 1 << 6, /* SPCHECK and SP is misaligned now */
    A64_MODE_FPTRAP  = 1 << 7, /* FP and SIMD instructions trap (CPACR, CPTR) */
    A64_MODE_EL      = 3 << 8, /* PSTATE.EL */
    A64_MODE_E2H     = 1 << 10, /* HCR_EL2.E2H: EL1 names reach EL2 registers at EL2 */
    A64_MODE_TRAPS   = 1 << 11, /* a rare trap control is on: no system register inline */
    A64_MODE_UNPRIV  = 1 << 12, /* LDTR, STTR use the view of EL0 */
    A64_MODE_IL      = 1 << 13, /* PSTATE.IL: every instruction is illegal */
    A64_MODE_TBI0    = 1 << 14, /* a PC of that half loses its top byte */
    A64_MODE_TBI1    = 1 << 15,
    A64_MODE_STEP    = 1 << 16, /* software step, active-not-pending */
    A64_MODE_STEPPED = 1 << 17, /* software step, active-pending */
    A64_MODE_SYSTEM  = 1 << 18, /* EL1 and up exist */
    A64_MODE_SPSEL   = 1 << 19, /* PSTATE.SP */
    A64_MODE_NO_IA   = 1 << 20, /* this pointer authentication key is off; then IB, DA, DB */
    A64_MODE_PACTRAP = 1 << 24, /* pointer authentication traps */
    A64_MODE_PACODD  = 1 << 25, /* codes of instruction keys stand elsewhere than Linux has them */
    A64_MODE_BREAK   = 1 << 27, /* hardware breakpoints are on: each instruction asks */
    A64_MODE_PACODD_DATA = 1 << 26, /* the same for data keys */
};
enum { A64_MODE_EL_SHIFT = 8 };

static inline bool a64_has(const A64Cpu *cpu, A64Feature f)
{
    return (cpu->features[f / 64] >> (f % 64)) & 1;
}

extern const TcgGuest a64_guest;        /* user programs */
extern const TcgGuest a64_system_guest; /* machines: EL0 to EL3, MMU, interrupts; needs core/ */

/*
 * Sets features, ID registers, CTR, DCZID, MIDR for a CPU model: cortex-a53, -a57, -a72, -a76,
 * neoverse-n1, max. Registers become those of a process start (all 0, FPCR 0).
 * host_avx: 16-byte loads are single-copy atomic (needed for LSE2).
 * Returns false, with nothing changed, when there is no such model.
 */
bool a64_cpu_reset(A64Cpu *cpu, const char *model, bool host_avx);
/*
 * The same for a machine: `model` may be followed by ,+feature ,-feature ,feature=on|off;
 * el2, el3: these levels exist. ID registers are those of the hardware. false: err names the word.
 */
bool a64_cpu_init_system(A64Cpu *cpu, const TcgSystemConfig *config, struct Error *err);
/* FPCR's rounding mode as an MXCSR value, everything masked. */
uint32_t a64_mxcsr(const struct TcgCpu *cpu);
/* Model names in order, ended by NULL. */
const char *const *a64_cpu_models(void);

/* NZCV as in the SPSR (bits 31:28) from/to the packed form. */
uint32_t a64_nzcv_get(const A64Cpu *cpu);
void     a64_nzcv_set(A64Cpu *cpu, uint32_t spsr);
/* FPSR with QC and the sticky flags (what MRS reads); on the vCPU's thread. */
uint32_t a64_fpsr_get(A64Cpu *cpu);
void     a64_fpsr_set(A64Cpu *cpu, uint32_t v);
void     a64_fpcr_set(A64Cpu *cpu, uint32_t v);
/* AT_HWCAP and AT_HWCAP2 of Linux for the features (arch/arm64 uapi hwcap numbers). */
uint64_t a64_hwcap(const A64Cpu *cpu);
uint64_t a64_hwcap2(const A64Cpu *cpu);

#endif
