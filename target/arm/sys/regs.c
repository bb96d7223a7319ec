/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System registers of A64: one table, from which translation, access checks, reset, saving and
 * `info registers` follow. The rows are in regs.def; their functions in regs_fn.c.
 *
 * Source: Arm ARM (DDI 0487), D19 "AArch64 System Register Descriptions"; the order of checks as in
 * the accessibility pseudo-code there: UNDEFINED by level, traps to EL1, to EL2, to EL3.
 * Not modelled: FEAT_FGT, FEAT_NV; IMPLEMENTATION DEFINED registers (all UNDEFINED or trapped by
 * HCR_EL2.TIDCP).
 */
#include "target/arm/sys/regs.h"

#include <stdlib.h>

#include "target/arm/a64_id.h"

#define ROW(op0, op1, crn, crm, op2, label, read_el, write_el, ...)                                \
    {.enc = A64_ENC(op0, op1, crn, crm, op2),                                                      \
     .name = label,                                                                                \
     .rd = read_el,                                                                                \
     .wr = write_el,                                                                               \
     __VA_ARGS__},
static const A64Reg regs[] = {
#include "target/arm/sys/regs.def"
};
#undef ROW
enum { N_REGS = sizeof(regs) / sizeof(regs[0]) };

/* The rest of the ID space (CRm 1..7), AArch32's among it: reads as zero. */
static const A64Reg id_zero = {
    .name = "ID space",
    .rd = 1,
    .wr = 4,
    .trap = TRAP_TID3,
    .flags = REG_CONST,
    .read = a64_read_zero,
};

const A64Reg *a64_regs(unsigned *n)
{
    *n = N_REGS;
    return regs;
}

/* ---- look-up: open addressing over the row numbers, made once a CPU ---- */

enum { HASH_BITS = 11, HASH_SIZE = 1 << HASH_BITS };
_Static_assert(N_REGS * 2 < HASH_SIZE, "hash table is half empty at least");

static unsigned hash_of(uint32_t enc)
{
    return enc * 0x9e3779b1u >> (32 - HASH_BITS);
}

bool a64_regs_init(A64Cpu *cpu, Error *err)
{
    uint16_t *index = calloc(HASH_SIZE, sizeof(*index));
    if (!index) {
        return error_set(err, "no memory for a CPU's register index");
    }
    for (unsigned n = 0; n < N_REGS; n++) {
        unsigned h = hash_of(regs[n].enc);
        while (index[h]) {
            h = (h + 1) % HASH_SIZE;
        }
        index[h] = (uint16_t)(n + 1);
    }
    cpu->sys.reg_index = index;
    return true;
}

void a64_regs_fini(A64Cpu *cpu)
{
    free(cpu->sys.reg_index);
    cpu->sys.reg_index = NULL;
}

static const A64Reg *find(const A64Cpu *cpu, uint32_t enc)
{
    const uint16_t *index = cpu->sys.reg_index;
    for (unsigned h = hash_of(enc); index[h]; h = (h + 1) % HASH_SIZE) {
        const A64Reg *r = &regs[index[h] - 1];
        if (r->enc == enc) {
            return a64_has(cpu, (A64Feature)r->feature) ? r : NULL;
        }
    }
    bool id_space = (enc & ~0x3fu) == A64_ENC(3, 0, 0, 0, 0) && (enc >> 3 & 15) >= 1;
    return id_space ? &id_zero : NULL;
}

/* The register that an EL1 name reaches at EL2 under E2H, and an EL12 or EL02 name anywhere. */
static uint32_t vhe_redirect(const A64Cpu *cpu, uint32_t enc, unsigned el, bool e2h)
{
    unsigned op1 = enc >> 11 & 7, op0 = enc >> 14;
    uint32_t rest = enc & ~(7u << 11);
    if (op0 != 3 || !e2h || el < 2) {
        return enc;
    }
    if (op1 == 5) { /* _EL12, _EL02: the timers are EL0 registers */
        uint32_t plain = rest | (a64_enc_is_timer(rest) ? 3u << 11 : 0);
        const A64Reg *r = find(cpu, plain);
        return r && r->vhe ? plain : enc;
    }
    if (el == 2) {
        const A64Reg *r = find(cpu, enc);
        return r && r->vhe ? r->vhe : enc;
    }
    return enc;
}

/* ---- translation ---- */

/* Is an access without a helper right whatever the trap controls say but those of A64_MODE_TRAPS?
 */
static bool trap_free(const A64Reg *r, unsigned el, uint64_t mode)
{
    if (mode & A64_MODE_TRAPS) {
        return r->trap == TRAP_NONE;
    }
    return el > 0 || r->trap == TRAP_NONE || (r->flags & REG_FAST_EL0);
}

static A64SysUse use_row(const A64Cpu *cpu, const A64Reg *r, bool write, unsigned el, uint64_t mode)
{
    A64SysUse u = {.how = A64_SYS_UNDEF};
    uint8_t least = write ? r->wr : r->rd;
    if (el < least) {
        /* FEAT_IDST: EL0 reads of ID registers trap */
        bool id_trap = !write && el == 0 && r->trap == TRAP_TID3 && a64_has(cpu, A64_FEAT_IDST);
        u.how = id_trap ? A64_SYS_CALL : A64_SYS_UNDEF;
        return u;
    }
    bool free_way = trap_free(r, el, mode);
    u.how = write && (r->flags & REG_SYNC) ? A64_SYS_SYNC : A64_SYS_CALL;
    if (!free_way) {
        return u;
    }
    if (r->flags & REG_NOP) {
        u.how = A64_SYS_NOP;
    } else if (r->flags & REG_DC_ZVA) {
        u.how = A64_SYS_DC_ZVA;
    } else if (r->flags & REG_DC_CLEAN) {
        u.how = A64_SYS_DC_CLEAN;
    } else if (r->slot && (!write || (r->flags & REG_SLOT_WRITE))) {
        u.how = A64_SYS_SLOT;
        u.slot = r->slot;
    } else if (!write && (r->flags & REG_CONST)) {
        u.how = A64_SYS_CONST;
        u.value = r->read ? r->read((A64Cpu *)(uintptr_t)cpu, r) : r->reset;
    } else if (!write && (r->flags & REG_PEEK)) {
        u.how = A64_SYS_READ;
    }
    return u;
}

static bool is_impdef(uint32_t enc)
{
    unsigned crn = enc >> 7 & 15;
    return enc >> 14 != 2 && (crn == 11 || crn == 15);
}

static A64SysUse use_bank(const A64Cpu *cpu, uint32_t enc, bool write, unsigned el)
{
    void *opaque;
    const CpuSysReg *b = cpu->sys.port ? cpu_sysreg_find(cpu->sys.port, enc, &opaque) : NULL;
    A64SysUse u = {.how = A64_SYS_UNDEF};
    if (b && el >= (write ? b->min_level_write : b->min_level_read)) {
        /* a write may change what is pending */
        u.how = write ? A64_SYS_SYNC : A64_SYS_CALL;
    }
    return u;
}

A64SysUse a64_reg_use(const A64Cpu *cpu, uint32_t enc, bool write, uint64_t mode)
{
    unsigned el = mode >> A64_MODE_EL_SHIFT & 3;
    enc = vhe_redirect(cpu, enc, el, (mode & A64_MODE_E2H) != 0);
    const A64Reg *r = find(cpu, enc);
    if (r) {
        return use_row(cpu, r, write, el, mode);
    }
    if (is_impdef(enc)) {
        return (A64SysUse){.how = A64_SYS_CALL}; /* HCR_EL2.TIDCP; else UNDEFINED */
    }
    if (a64_tlbi_exists(cpu, enc, el)) {
        return (A64SysUse){.how = A64_SYS_CALL};
    }
    return use_bank(cpu, enc, write, el);
}

/* ---- access at run time ---- */

/* ISS of EC 0x18. */
static uint32_t access_iss(uint32_t enc, unsigned rt, bool write)
{
    return (enc >> 14 & 3) << 20 | (enc & 7) << 17 | (enc >> 11 & 7) << 14 | (enc >> 7 & 15) << 10 |
           rt << 5 | (enc >> 3 & 15) << 1 | !write;
}

/* The row for an access at the current level; raises when there is none or it traps. */
static const A64Reg *checked(A64Cpu *cpu, uint32_t word, bool write)
{
    uint32_t asked = word & 0xffff;
    unsigned el = a64_cur_el(cpu), rt = word >> 16, target;
    uint32_t enc = vhe_redirect(cpu, asked, el, (a64_hcr(cpu) & HCR_E2H) != 0);
    const A64Reg *r = find(cpu, enc);
    if (r && r->vhe && el == 0 && a64_in_host(cpu)) {
        target = a64_reg_trap(cpu, r, write, el); /* EL0 of the host: its timers are those of EL2 */
        r = target ? r : find(cpu, r->vhe);
        if (!target) {
            return r;
        }
    }
    if (!r) {
        if (is_impdef(enc) && el < 2 && (a64_hcr(cpu) & HCR_TIDCP)) {
            a64_raise(cpu, 2, a64_esr(EC_SYSREG, access_iss(asked, rt, write)));
        }
        return NULL;
    }
    if (el < (write ? r->wr : r->rd)) {
        if (!(r->trap == TRAP_TID3 && el == 0 && !write && a64_has(cpu, A64_FEAT_IDST))) {
            a64_raise_undef(cpu);
        }
        target = a64_hcr(cpu) & HCR_TGE ? 2 : 1;
    } else {
        target = a64_reg_trap(cpu, r, write, el);
    }
    if (target == A64_TRAP_UNDEF) {
        a64_raise_undef(cpu);
    }
    if (target) {
        if (target == 1 && (a64_hcr(cpu) & HCR_TGE)) {
            target = 2;
        }
        a64_raise(cpu, target, a64_esr(EC_SYSREG, access_iss(asked, rt, write)));
    }
    return r;
}

/* The row of a device, and who accesses it. *trap: where to, when it refuses. */
static const CpuSysReg *banked(A64Cpu *cpu, uint32_t enc, CpuAccess *a, void **opaque,
                               uint8_t *trap)
{
    const CpuSysReg *b = cpu_sysreg_find(cpu->sys.port, enc, opaque);
    *a = (CpuAccess){
        .cpu = cpu->sys.port,
        .level = (uint8_t)a64_cur_el(cpu),
        .secure = a64_is_secure(cpu),
        .route = a64_hcr(cpu),
        .route2 = cpu->sys.scr,
        .trap = trap,
    };
    return b;
}

static void bank_refused(A64Cpu *cpu, uint32_t word, bool write, unsigned trap)
{
    if (trap) {
        a64_raise(cpu, trap, a64_esr(EC_SYSREG, access_iss(word & 0xffff, word >> 16, write)));
    }
    a64_raise_undef(cpu);
}

uint64_t a64_reg_read(A64Cpu *cpu, uint32_t word)
{
    const A64Reg *r = checked(cpu, word, false);
    a64_step_advance(cpu);
    if (r) {
        return r->read ? r->read(cpu, r) : *a64_reg_field(cpu, r);
    }
    CpuAccess a;
    void *opaque;
    uint64_t v = 0;
    uint8_t trap = 0;
    const CpuSysReg *b = banked(cpu, word & 0xffff, &a, &opaque, &trap);
    if (!b || !b->read || a.level < b->min_level_read || !b->read(opaque, b, &a, &v)) {
        bank_refused(cpu, word, false, trap);
    }
    return v;
}

static void tlbi_checked(A64Cpu *cpu, uint32_t word, uint64_t value)
{
    uint32_t enc = word & 0xffff;
    uint64_t hcr = a64_hcr(cpu);
    if (a64_cur_el(cpu) == 1) {
        unsigned crm = enc >> 3 & 15;
        bool is = crm == 3 || crm == 2, os = crm == 1 || crm == 5;
        if ((hcr & HCR_TTLB) || (is && (hcr & HCR_TTLBIS)) || (os && (hcr & HCR_TTLBOS))) {
            a64_raise(cpu, 2, a64_esr(EC_SYSREG, access_iss(enc, word >> 16, true)));
        }
    }
    a64_tlbi(cpu, enc, value);
}

static void write_register(A64Cpu *cpu, uint32_t word, uint64_t value)
{
    if (a64_tlbi_exists(cpu, word & 0xffff, a64_cur_el(cpu))) {
        tlbi_checked(cpu, word, value);
        return;
    }
    const A64Reg *r = checked(cpu, word, true);
    if (r) {
        if (r->write) {
            r->write(cpu, r, value);
        } else {
            *a64_reg_field(cpu, r) = a64_reg_masked(r, value);
        }
        if (r->flags & REG_SYNC) {
            a64_views_drop(cpu);
        }
        return;
    }
    CpuAccess a;
    void *opaque;
    uint8_t trap = 0;
    const CpuSysReg *b = banked(cpu, word & 0xffff, &a, &opaque, &trap);
    if (!b || !b->write || a.level < b->min_level_write || !b->write(opaque, b, &a, value)) {
        bank_refused(cpu, word, true, trap);
    }
    if (cpu->irq_held) {
        a64_poll_interrupts(cpu);
    }
}

void a64_reg_write(A64Cpu *cpu, uint32_t word, uint64_t value)
{
    bool step = (cpu->sys.pstate & A64_PS_SS) && a64_stepping(cpu);
    write_register(cpu, word, value);
    if (step) {
        cpu->sys.pstate &= ~(uint32_t)A64_PS_SS;
    }
}

void a64_views_drop(A64Cpu *cpu)
{
    for (unsigned el = 0; el < 4; el++) {
        cpu->sys.view[el].valid = false;
    }
}

/* ---- reset, inspection ---- */

void a64_regs_reset(A64Cpu *cpu)
{
    for (unsigned n = 0; n < N_REGS; n++) {
        if (regs[n].offset && !(regs[n].flags & REG_ALIAS)) {
            *a64_reg_field(cpu, &regs[n]) = regs[n].reset;
        }
    }
}

void a64_regs_each(A64Cpu *cpu, void (*fn)(void *opaque, const char *name, uint64_t *value),
                   void *opaque)
{
    for (unsigned n = 0; n < N_REGS; n++) {
        if (regs[n].offset && !(regs[n].flags & REG_ALIAS) &&
            a64_has(cpu, (A64Feature)regs[n].feature)) {
            fn(opaque, regs[n].name, a64_reg_field(cpu, &regs[n]));
        }
    }
}
