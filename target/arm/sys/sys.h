/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the system level of A64 share (target/arm/sys/). They are reached only from
 * a64_system_guest (tcg/a64_sysguest.c), so that user mode links without core/.
 *
 * All functions run on the vCPU's thread with canonical state unless said otherwise.
 */
#ifndef GEMEL_TARGET_ARM_SYS_H
#define GEMEL_TARGET_ARM_SYS_H

#include "core/cpu.h"
#include "core/state.h"
#include "target/arm/a64.h"
#include "util/bits.h"

static inline A64Cpu *a64_of(struct TcgCpu *cpu)
{
    return (A64Cpu *)(void *)cpu;
}

static inline const A64Cpu *a64_of_const(const struct TcgCpu *cpu)
{
    return (const A64Cpu *)(const void *)cpu;
}

static inline unsigned a64_cur_el(const A64Cpu *cpu)
{
    return cpu->sys.pstate >> 2 & 3;
}

/* ---- control bits ---- */

#define BIT(n) (1ull << (n))

enum {
    SCTLR_M = 1 << 0,
    SCTLR_A = 1 << 1,
    SCTLR_C = 1 << 2,
    SCTLR_SA = 1 << 3,
    SCTLR_SA0 = 1 << 4,
    SCTLR_UMA = 1 << 9,
    SCTLR_DZE = 1 << 14,
    SCTLR_UCT = 1 << 15,
    SCTLR_NTWI = 1 << 16,
    SCTLR_NTWE = 1 << 18,
    SCTLR_WXN = 1 << 19,
    SCTLR_IESB = 1 << 21,
    SCTLR_SPAN = 1 << 23,
    SCTLR_UCI = 1 << 26,
};
#define SCTLR_DSSBS BIT(44)
#define SCTLR_EPAN BIT(57)

#define HCR_VM BIT(0)
#define HCR_SWIO BIT(1)
#define HCR_PTW BIT(2)
#define HCR_FMO BIT(3)
#define HCR_IMO BIT(4)
#define HCR_AMO BIT(5)
#define HCR_VF BIT(6)
#define HCR_VI BIT(7)
#define HCR_VSE BIT(8)
#define HCR_DC BIT(12)
#define HCR_TWI BIT(13)
#define HCR_TWE BIT(14)
#define HCR_TID1 BIT(16)
#define HCR_TID2 BIT(17)
#define HCR_TID3 BIT(18)
#define HCR_TSC BIT(19)
#define HCR_TIDCP BIT(20)
#define HCR_TACR BIT(21)
#define HCR_TSW BIT(22)
#define HCR_TPC BIT(23)
#define HCR_TPU BIT(24)
#define HCR_TTLB BIT(25)
#define HCR_TVM BIT(26)
#define HCR_TGE BIT(27)
#define HCR_TDZ BIT(28)
#define HCR_HCD BIT(29)
#define HCR_TRVM BIT(30)
#define HCR_RW BIT(31)
#define HCR_CD BIT(32)
#define HCR_ID BIT(33)
#define HCR_E2H BIT(34)
#define HCR_TLOR BIT(35)
#define HCR_TERR BIT(36)
#define HCR_TEA BIT(37)
#define HCR_APK BIT(40)
#define HCR_API BIT(41)
#define HCR_FWB BIT(46)
#define HCR_TID4 BIT(49)
#define HCR_TOCU BIT(52)
#define HCR_TTLBIS BIT(54)
#define HCR_TTLBOS BIT(55)
#define HCR_TID5 BIT(58)

#define SCR_NS BIT(0)
#define SCR_IRQ BIT(1)
#define SCR_FIQ BIT(2)
#define SCR_EA BIT(3)
#define SCR_SMD BIT(7)
#define SCR_HCE BIT(8)
#define SCR_ST BIT(11)
#define SCR_TWI BIT(12)
#define SCR_TWE BIT(13)
#define SCR_TLOR BIT(14)
#define SCR_TERR BIT(15)
#define SCR_APK BIT(16)
#define SCR_API BIT(17)

#define MDCR_TPMCR BIT(5)
#define MDCR_TPM BIT(6)
#define MDCR_TDE BIT(8)
#define MDCR_TDA BIT(9)
#define MDCR_TDOSA BIT(10)
#define MDCR_TDRA BIT(11)

/* ---- exceptions (exception.c) ---- */

/* Exception classes, ESR_ELx.EC. */
enum {
    EC_UNKNOWN = 0x00,
    EC_WFX = 0x01,
    EC_FP = 0x07,
    EC_PAUTH = 0x09,
    EC_BTI = 0x0d,
    EC_ILLEGAL = 0x0e,
    EC_SVC = 0x15,
    EC_HVC = 0x16,
    EC_SMC = 0x17,
    EC_SYSREG = 0x18,
    EC_PAC_FAIL = 0x1c,
    EC_IABT = 0x20, /* + 1 from the same level; so are the next ones that say + 1 */
    EC_PC_ALIGN = 0x22,
    EC_DABT = 0x24, /* + 1 */
    EC_SP_ALIGN = 0x26,
    EC_SERROR = 0x2f,
    EC_BREAKPOINT = 0x30, /* + 1 */
    EC_STEP = 0x32,       /* + 1 */
    EC_WATCHPOINT = 0x34, /* + 1 */
    EC_BRK = 0x3c,
};

static inline uint32_t a64_esr(unsigned ec, uint32_t iss)
{
    return (uint32_t)ec << 26 | 1u << 25 | iss;
}

/* HCR_EL2 as it is in force: 0 without EL2 in the current security state. */
uint64_t a64_hcr(const A64Cpu *cpu);
/* EL2 exists and is enabled in the current security state. */
bool a64_el2_on(const A64Cpu *cpu);
bool a64_is_secure(const A64Cpu *cpu);
/* Level whose SCTLR, TCR ... govern the current level: EL0 has EL1's or, under VHE, EL2's. */
unsigned a64_regime_el(const A64Cpu *cpu);
/* HCR_EL2.{E2H,TGE} = {1,1}: EL0 belongs to EL2. */
bool a64_in_host(const A64Cpu *cpu);

uint32_t a64_spsr_get(const A64Cpu *cpu);
/* PSTATE.EL and .SP: switches the stack pointer. */
void a64_set_el(A64Cpu *cpu, unsigned el, unsigned spsel);
/* Synchronous, to `target` (0: by the current level), FAR unless far is NULL. PC is the preferred
 * return address; it becomes the vector. */
void a64_take_sync(A64Cpu *cpu, unsigned target, uint32_t esr, const uint64_t *far);
/* From a helper: leaves generated code and takes it. */
void a64_raise(A64Cpu *cpu, unsigned target, uint32_t esr) __attribute__((noreturn));
void a64_raise_undef(A64Cpu *cpu) __attribute__((noreturn));
/* Asks for TcgSystem.interrupt() at the next poll. */
void a64_poll_interrupts(A64Cpu *cpu);

/* Level that FP and SIMD instructions trap to now, 0: they do not. CheckFPAdvSIMDEnabled64(). */
unsigned a64_fp_trap_level(const A64Cpu *cpu);
/* The same for pointer authentication by an enabled key. */
unsigned a64_pauth_trap_level(const A64Cpu *cpu);
/* Debug exceptions may be taken from level el, with PSTATE.D as `masked`. */
bool a64_debug_enabled(const A64Cpu *cpu, unsigned el, bool masked);

/* Software step is on at this level; SSAdvance(): the instruction that it lets pass is over. */
bool a64_stepping(const A64Cpu *cpu);
void a64_step_advance(A64Cpu *cpu);

void a64_sys_exception(struct TcgCpu *cpu, TcgExit reason, uint64_t info);
bool a64_sys_interrupt(struct TcgCpu *cpu);
bool a64_sys_wake(const struct TcgCpu *cpu);
void a64_sys_fault(struct TcgCpu *cpu, uint64_t va, TcgAccess access, TcgMmuIndex mmu);
bool a64_sys_bus_error(struct TcgCpu *cpu, uint64_t va, TcgAccess access, TcgMmuIndex mmu);
void a64_op_eret(A64Cpu *cpu, uint64_t target, bool authenticated);
void a64_op_call(A64Cpu *cpu, unsigned op, uint64_t imm);

/* ---- system registers (regs.c) ---- */

A64SysUse a64_reg_use(const A64Cpu *cpu, uint32_t encoding, bool write, uint64_t mode);
uint64_t a64_reg_read(A64Cpu *cpu, uint32_t encoding);
void a64_reg_write(A64Cpu *cpu, uint32_t encoding, uint64_t value);
void a64_regs_reset(A64Cpu *cpu);
/* A register that mode word or context key follow from has changed. */
void a64_views_drop(A64Cpu *cpu);
/* Calls fn for each register with storage, in table order, under its name. */
void a64_regs_each(A64Cpu *cpu, void (*fn)(void *opaque, const char *name, uint64_t *value),
                   void *opaque);
/* The mode word's A64_MODE_TRAPS: a control is on that use() does not look at. */
bool a64_regs_trapped(const A64Cpu *cpu);

/* ---- translation (mmu.c, tlb.c) ---- */

typedef enum A64Regime { REGIME_EL10, REGIME_EL2, REGIME_EL20, REGIME_EL3 } A64Regime;

/* Whose SCTLR, TCR, TTBR, MAIR a regime uses. */
static inline unsigned a64_regime_level(A64Regime r)
{
    return r == REGIME_EL10 ? 1 : r == REGIME_EL3 ? 3 : 2;
}

/* What a walk is for; tlb.c takes it apart from the CPU or an AT instruction. */
typedef struct A64Walk {
    A64Regime regime;
    bool      user;      /* the access is unprivileged */
    bool      pan;       /* PSTATE.PAN applies */
    bool      secure;
    bool      stage1;    /* do stage 1 (SCTLR.M, no HCR.DC) */
    bool      stage2;    /* do stage 2 after it */
    bool      stage1_only; /* of stage 2 only what the tables need (AT S1E1R) */
    bool      debug;     /* no access flag or dirty updates, no external side effects */
    TcgAccess access;
} A64Walk;

/* What it found: fill and the attributes for PAR_EL1. */
typedef struct A64Found {
    TcgTlbFill fill;
    uint64_t   pa;       /* of the byte */
    uint8_t    attr, sh; /* as in MAIR, SH of the descriptor */
} A64Found;

/* TBI (code: and not TBID) for a half of the regime's addresses; and how many bits they have. */
bool a64_top_ignored(const A64Cpu *cpu, A64Regime regime, bool upper, bool code);
unsigned a64_va_bits(const A64Cpu *cpu, A64Regime regime, bool upper);
/* false: `fault` says why. */
bool a64_mmu_walk(A64Cpu *cpu, const A64Walk *w, uint64_t va, A64Found *out, A64Fault *fault);

/* Bits of the current level's pointers that carry authentication codes, for a half and keys. */
uint64_t a64_pac_mask(const A64Cpu *cpu, bool code, bool upper);
A64Walk a64_walk_of(const A64Cpu *cpu, TcgAccess access, TcgMmuIndex mmu);
uint64_t a64_sys_context(const struct TcgCpu *cpu, TcgMmuIndex mmu);
bool a64_sys_walk(struct TcgCpu *cpu, uint64_t va, TcgAccess access, TcgMmuIndex mmu,
                  TcgTlbFill *out);
bool a64_sys_debug_translate(struct TcgCpu *cpu, uint64_t va, uint64_t *gpa);
/* TLBI, AT by their encodings. false: no such operation at this level. */
bool a64_tlbi(A64Cpu *cpu, uint32_t encoding, uint64_t arg);
bool a64_tlbi_exists(const A64Cpu *cpu, uint32_t encoding, unsigned el);
void a64_at(A64Cpu *cpu, uint32_t encoding, uint64_t va);

/* ---- breakpoints, watchpoints (debug.c) ---- */

bool a64_breakpoints_on(const A64Cpu *cpu); /* A64_MODE_BREAK */
bool a64_breakpoint_hit(const A64Cpu *cpu, uint64_t pc);
bool a64_page_watched(const A64Cpu *cpu, uint64_t va);
bool a64_sys_watch(struct TcgCpu *cpu, uint64_t va, unsigned bytes, TcgAccess access,
                   TcgMmuIndex mmu);

/* ---- timers, PMU (timer.c) ---- */

bool a64_timers_init(A64Cpu *cpu, Error *err);
void a64_timers_fini(A64Cpu *cpu);
/* Deadlines and outputs from the registers: after a write, reset, load. */
void a64_timers_sync(A64Cpu *cpu);
uint64_t a64_counter(const A64Cpu *cpu);         /* CNTPCT_EL0 */
uint64_t a64_counter_virtual(const A64Cpu *cpu); /* CNTVCT_EL0 as the current level reads it */
uint64_t a64_timer_read(A64Cpu *cpu, A64TimerId t, unsigned which);
void a64_timer_write(A64Cpu *cpu, A64TimerId t, unsigned which, uint64_t value);
/* PMCCNTR_EL0 now; new controls and value; PMOVS or PMINTEN (a field of sys) with bits set or cleared. */
uint64_t a64_pmu_cycles(const A64Cpu *cpu);
void a64_pmu_write(A64Cpu *cpu, uint64_t pmcr, uint64_t pmcnten, uint64_t cycles);
void a64_pmu_set(A64Cpu *cpu, uint64_t *field, uint64_t bits, bool set);
enum { A64_TIMER_TVAL, A64_TIMER_CTL, A64_TIMER_CVAL };

/* ---- firmware calls (psci.c, semihost.c) ---- */

/* false: not a PSCI or SMCCC call that is answered here: the instruction traps or is undefined. */
bool a64_psci_call(A64Cpu *cpu);
void a64_semihost_call(A64Cpu *cpu);

/* ---- life (state.c) ---- */

extern const A64SysOps a64_sysops; /* tcg/a64_sysguest.c */

bool a64_sys_init(struct TcgCpu *cpu, struct CpuPort *port, const TcgSystemConfig *config,
                  Error *err);
void a64_sys_fini(struct TcgCpu *cpu);
void a64_sys_reset(struct TcgCpu *cpu);
void a64_sys_start(struct TcgCpu *cpu, uint64_t pc, uint64_t arg, bool kernel);
void a64_sys_print(const struct TcgCpu *cpu, void (*print)(void *opaque, const char *line),
                   void *opaque);
bool a64_sys_save(struct TcgCpu *cpu, StateStream *s);
bool a64_sys_load(struct TcgCpu *cpu, StateStream *s, Error *err);

#endif
