/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The translation regime of the moment, its context key, TLB maintenance, AT.
 *
 * Source: Arm ARM (DDI 0487), D8.1 (regimes), D8.13 (TLB maintenance), C5.4, C5.5.
 *
 * Context key (TcgSystem.context): all that an address's meaning depends on beside the tables.
 *    1:0  regime (A64Regime)            2  user view        3  PAN applies
 *      4  Secure                        5  stage 1 on       6  stage 2 on
 *      7  SCTLR.A (unaligned faults)    8  WXN              9  HCR_EL2.DC
 *     10  SCTLR.EPAN                   11  HCR_EL2.PTW
 *  31:16  ASID (regimes with two ranges)
 *  47:32  VMID (EL1&0 where EL2 is on)
 * What an invalidation matches: regime, Secure, VMID, for ASIDs the ASID.
 */
#include "target/arm/sys/regs.h"

enum {
    KEY_REGIME = 3,
    KEY_USER = 1 << 2,
    KEY_PAN = 1 << 3,
    KEY_SECURE = 1 << 4,
    KEY_STAGE1 = 1 << 5,
    KEY_STAGE2 = 1 << 6,
    KEY_ALIGN = 1 << 7,
    KEY_WXN = 1 << 8,
    KEY_DC = 1 << 9,
    KEY_EPAN = 1 << 10,
    KEY_PTW = 1 << 11,
};
#define KEY_ASID (0xffffull << 16)
#define KEY_VMID (0xffffull << 32)

/* ---- the regime ---- */

static A64Regime current_regime(const A64Cpu *cpu)
{
    switch (a64_cur_el(cpu)) {
    case 3: return REGIME_EL3;
    case 2: return a64_hcr(cpu) & HCR_E2H ? REGIME_EL20 : REGIME_EL2;
    case 0:
        if (a64_in_host(cpu)) {
            return REGIME_EL20;
        }
        /* fall through */
    default: return REGIME_EL10;
    }
}

/* A walk in a regime: which stages are on. */
static A64Walk walk_in(const A64Cpu *cpu, A64Regime regime, bool user, TcgAccess access)
{
    uint64_t hcr = a64_hcr(cpu);
    A64Walk w = {.regime = regime, .user = user, .access = access, .secure = a64_is_secure(cpu)};
    w.stage1 = cpu->sys.sctlr[a64_regime_level(regime)] & SCTLR_M;
    if (regime == REGIME_EL10) {
        if (hcr & (HCR_DC | HCR_TGE)) {
            w.stage1 = false;
        }
        w.stage2 = (hcr & (HCR_VM | HCR_DC)) != 0;
    }
    return w;
}

A64Walk a64_walk_of(const A64Cpu *cpu, TcgAccess access, TcgMmuIndex mmu)
{
    unsigned el = a64_cur_el(cpu);
    A64Regime regime = current_regime(cpu);
    bool user = el == 0 || mmu == TCG_MMU_USER;
    A64Walk w = walk_in(cpu, regime, user, access);
    w.pan = !user && (cpu->sys.pstate & A64_PS_PAN);
    return w;
}

uint64_t a64_pac_mask(const A64Cpu *cpu, bool code, bool upper)
{
    A64Regime r = current_regime(cpu);
    uint64_t below = BIT(55) - BIT(a64_va_bits(cpu, r, upper));
    return a64_top_ignored(cpu, r, upper, code) ? below : below | 0xffull << 56;
}

static uint64_t asid_of(const A64Cpu *cpu, A64Regime r)
{
    if (r != REGIME_EL10 && r != REGIME_EL20) {
        return 0;
    }
    unsigned el = a64_regime_level(r);
    uint64_t tcr = cpu->sys.tcr[el];
    uint64_t asid = (tcr >> 22 & 1 ? cpu->sys.ttbr1[el] : cpu->sys.ttbr0[el]) >> 48;
    return tcr >> 36 & 1 ? asid : asid & 0xff; /* TCR.AS */
}

static uint64_t vmid_of(const A64Cpu *cpu)
{
    bool wide = a64_has(cpu, A64_FEAT_VMID16) && (cpu->sys.vtcr >> 19 & 1);
    return cpu->sys.vttbr >> 48 & (wide ? 0xffff : 0xff);
}

uint64_t a64_sys_context(const struct TcgCpu *tc, TcgMmuIndex mmu)
{
    const A64Cpu *cpu = a64_of_const(tc);
    A64Walk w = a64_walk_of(cpu, TCG_READ, mmu);
    uint64_t sctlr = cpu->sys.sctlr[a64_regime_level(w.regime)], hcr = a64_hcr(cpu), key = w.regime;
    key |= w.user ? KEY_USER : 0;
    key |= w.pan ? KEY_PAN : 0;
    key |= w.secure ? KEY_SECURE : 0;
    key |= w.stage1 ? KEY_STAGE1 : 0;
    key |= w.stage2 ? KEY_STAGE2 : 0;
    key |= sctlr & SCTLR_A ? KEY_ALIGN : 0;
    key |= sctlr & SCTLR_WXN ? KEY_WXN : 0;
    key |= sctlr & SCTLR_EPAN ? KEY_EPAN : 0;
    key |= asid_of(cpu, w.regime) << 16;
    if (w.regime == REGIME_EL10 && a64_el2_on(cpu)) {
        key |= hcr & HCR_DC ? KEY_DC : 0;
        key |= hcr & HCR_PTW ? KEY_PTW : 0;
        key |= vmid_of(cpu) << 32;
    }
    return key;
}

bool a64_sys_walk(struct TcgCpu *tc, uint64_t va, TcgAccess access, TcgMmuIndex mmu,
                  TcgTlbFill *out)
{
    A64Cpu *cpu = a64_of(tc);
    A64Walk w = a64_walk_of(cpu, access, mmu);
    A64Found found;
    if (!a64_mmu_walk(cpu, &w, va, &found, &cpu->sys.fault)) {
        return false;
    }
    *out = found.fill;
    /* SCTLR.A: every unaligned access faults, as on Device memory */
    out->watch = access != TCG_FETCH && a64_page_watched(cpu, va);
    out->device |= (cpu->sys.sctlr[a64_regime_level(w.regime)] & SCTLR_A) != 0;
    return true;
}

bool a64_sys_debug_translate(struct TcgCpu *tc, uint64_t va, uint64_t *gpa)
{
    A64Cpu *cpu = a64_of(tc);
    A64Walk w = a64_walk_of(cpu, TCG_FETCH, TCG_MMU_CURRENT);
    A64Found found;
    A64Fault fault;
    w.debug = true;
    w.pan = false;
    for (int access = TCG_READ; access <= TCG_FETCH; access += TCG_FETCH - TCG_READ) {
        w.access = (TcgAccess)access;
        if (a64_mmu_walk(cpu, &w, va, &found, &fault)) {
            *gpa = found.pa;
            return true;
        }
    }
    return false;
}

/* ---- TLBI ---- */

typedef enum TlbScope { T_ALL, T_ASID, T_VA, T_IPA, T_ALL12 } TlbScope;

/* Decoded from op1, CRm, op2: the encodings are regular. */
typedef struct TlbiOp {
    TlbScope scope;
    A64Regime regime;
    bool broadcast, range;
} TlbiOp;

static uint32_t without_nxs(uint32_t enc)
{
    return enc & ~(1u << 7); /* CRn 9 is 8 with nXS */
}

/* op1 0: EL1&0. */
static bool decode_el1(unsigned op2, bool range, TlbiOp *o)
{
    /* VMALLE1, VAE1, ASIDE1, VAAE1, -, VALE1, -, VAALE1; range forms: RVA at 1, 3, 5, 7 */
    static const int8_t scope[8] = {T_ALL, T_VA, T_ASID, T_VA, -1, T_VA, -1, T_VA};
    if (scope[op2] < 0 || (range && scope[op2] != T_VA)) {
        return false;
    }
    o->scope = (TlbScope)scope[op2];
    o->regime = REGIME_EL10;
    return true;
}

/* op1 4: EL2, EL2&0, and by IPA. */
static bool decode_el2(unsigned crm, unsigned op2, bool range, TlbiOp *o)
{
    o->regime = REGIME_EL2;
    if (crm == 0 || crm == 4) { /* IPAS2E1, RIPAS2E1 and their last-level and OS forms */
        o->scope = T_IPA;
        o->regime = REGIME_EL10;
        o->broadcast = crm == 0 || op2 == 0 || op2 == 3 || op2 == 4 || op2 == 7;
        o->range = crm == 0 ? op2 == 2 || op2 == 6 : op2 == 2 || op2 == 6 || op2 == 3 || op2 == 7;
        return crm == 0 ? op2 == 1 || op2 == 2 || op2 == 5 || op2 == 6
                        : op2 == 0 || op2 == 1 || op2 == 2 || op2 == 3 || op2 == 4 || op2 == 5 ||
                              op2 == 6 || op2 == 7;
    }
    if (range) {
        o->scope = T_VA;
        return op2 == 1 || op2 == 5;
    }
    switch (op2) {
    case 0: o->scope = T_ALL; return true; /* ALLE2 */
    case 1:
    case 5: o->scope = T_VA; return true;    /* VAE2, VALE2 */
    case 4: o->scope = T_ALL12; return true; /* ALLE1 */
    case 6:                                  /* VMALLS12E1 */
        o->scope = T_ALL;
        o->regime = REGIME_EL10;
        return true;
    default: return false;
    }
}

static bool decode_el3(unsigned op2, bool range, TlbiOp *o)
{
    o->regime = REGIME_EL3;
    o->scope = op2 == 0 ? T_ALL : T_VA;
    return op2 == 1 || op2 == 5 || (op2 == 0 && !range);
}

static bool tlbi_decode(const A64Cpu *cpu, uint32_t enc, TlbiOp *o)
{
    unsigned crn = enc >> 7 & 15, op1 = enc >> 11 & 7, crm = enc >> 3 & 15, op2 = enc & 7;
    *o = (TlbiOp){0};
    if (enc >> 14 != 1 || crn < 8 || crn > 9 || (crn == 9 && !a64_has(cpu, A64_FEAT_XS))) {
        return false;
    }
    /* CRm: 0, 4 by IPA; 1 OS; 2 range IS; 3 IS; 5 range OS; 6 range; 7 plain */
    bool os = crm == 1 || crm == 5;
    o->range = crm == 2 || crm == 5 || crm == 6;
    o->broadcast = crm != 6 && crm != 7;
    if (crm > 7 || (os && !a64_has(cpu, A64_FEAT_TLBIOS)) ||
        (o->range && !a64_has(cpu, A64_FEAT_TLBIRANGE))) {
        return false;
    }
    switch (op1) {
    case 0: return crm != 0 && crm != 4 && decode_el1(op2, o->range, o);
    case 4: return a64_has(cpu, A64_FEAT_EL2) && decode_el2(crm, op2, o->range, o);
    case 6:
        return a64_has(cpu, A64_FEAT_EL3) && crm != 0 && crm != 4 && decode_el3(op2, o->range, o);
    default: return false;
    }
}

bool a64_tlbi_exists(const A64Cpu *cpu, uint32_t enc, unsigned el)
{
    static const uint8_t least[8] = {1, 4, 4, 4, 2, 4, 3, 4};
    TlbiOp o;
    return enc >> 14 == 1 && el >= least[enc >> 11 & 7] && tlbi_decode(cpu, enc, &o);
}

/* Argument of a range form: BaseADDR 36:0, NUM 43:39, SCALE 45:44, TG 47:46. */
static void range_of(const A64Cpu *cpu, A64Regime regime, uint64_t arg, TcgTlbOp *op)
{
    static const uint8_t gran[4] = {0, 12, 14, 16};
    unsigned bits = gran[arg >> 46 & 3], scale = arg >> 44 & 3, num = arg >> 39 & 31;
    unsigned el = a64_regime_level(regime);
    bool ds = regime == REGIME_EL10 || regime == REGIME_EL20 ? cpu->sys.tcr[el] >> 59 & 1
                                                             : cpu->sys.tcr[el] >> 32 & 1;
    if (!bits) {
        op->va = 0;
        op->bytes = 0; /* reserved granule: everything is a right answer */
        return;
    }
    unsigned shift = ds && a64_has(cpu, A64_FEAT_LPA2) ? 16 : bits;
    op->va = (uint64_t)sign_extend64(arg & mask64(37), 37) << shift;
    op->bytes = (uint64_t)(num + 1) << (5 * scale + 1) << bits;
}

bool a64_tlbi(A64Cpu *cpu, uint32_t enc, uint64_t arg)
{
    TlbiOp o;
    enc = without_nxs(enc);
    if (!tlbi_decode(cpu, enc, &o)) {
        return false;
    }
    uint64_t hcr = a64_hcr(cpu);
    A64Regime regime = o.regime;
    if (regime == REGIME_EL10 && o.scope != T_IPA && (enc >> 11 & 7) == 0 && a64_in_host(cpu)) {
        regime = REGIME_EL20; /* the host's own TLBI ...E1 */
    } else if (regime == REGIME_EL2 && (hcr & HCR_E2H)) {
        regime = REGIME_EL20;
    }
    if (o.scope == T_ALL12) {
        regime = REGIME_EL10;
    }
    TcgTlbOp op = {.key = regime, .key_mask = KEY_REGIME | KEY_SECURE};
    bool secure = a64_has(cpu, A64_FEAT_EL3) &&
                  (regime == REGIME_EL3 || !(cpu->sys.scr & SCR_NS)); /* at EL3, too */
    op.key |= secure ? KEY_SECURE : 0;
    op.broadcast = o.broadcast || (regime == REGIME_EL10 && (hcr & BIT(9))); /* HCR_EL2.FB */
    if (regime == REGIME_EL10 && a64_el2_on(cpu) && o.scope != T_ALL12) {
        op.key |= vmid_of(cpu) << 32;
        op.key_mask |= KEY_VMID;
    }
    if (o.scope == T_ASID) {
        uint64_t asid = arg >> 48, tcr = cpu->sys.tcr[a64_regime_level(regime)];
        op.key |= (tcr >> 36 & 1 ? asid : asid & 0xff) << 16;
        op.key_mask |= KEY_ASID;
        op.keep_global = true;
    } else if (o.scope == T_VA && o.range) {
        range_of(cpu, regime, arg, &op);
    } else if (o.scope == T_VA) {
        /* of any ASID: global entries of the page go wherever they are */
        op.va = (uint64_t)sign_extend64(arg & mask64(44), 44) << 12;
        op.bytes = 4096;
    }
    /* by IPA: entries hold both stages, all of the VMID go */
    tcg_tlb_invalidate(&cpu->tcg, &op);
    return true;
}

/* ---- AT ---- */

/* PAR_EL1 of a fault. */
static uint64_t par_fault(const A64Fault *f)
{
    return 1 | (uint64_t)f->fsc << 1 | (uint64_t)f->s1ptw << 8 | (uint64_t)f->stage2 << 9 | BIT(11);
}

static uint64_t par_found(const A64Cpu *cpu, const A64Found *found)
{
    uint64_t sh = found->attr == 0x44 || (found->attr & 0xf0) == 0 ? 2 : found->sh;
    (void)cpu;
    return (found->pa & 0x000ffffffffff000) | (uint64_t)found->attr << 56 | BIT(11) | sh << 7 |
           (found->fill.secure ? 0 : BIT(9));
}

/* SCR_EL3.NS decides whose EL1&0 an AT at EL3 means. */
static A64Walk at_walk(const A64Cpu *cpu, uint32_t enc)
{
    unsigned op1 = enc >> 11 & 7, op2 = enc & 7, crm = enc >> 3 & 15;
    TcgAccess access = op2 & 1 ? TCG_WRITE : TCG_READ;
    A64Regime regime = REGIME_EL10;
    bool user = op2 & 2;
    if (op1 == 6) {
        regime = REGIME_EL3;
    } else if (op1 == 4 && op2 < 4) {
        regime = cpu->sys.hcr & HCR_E2H ? REGIME_EL20 : REGIME_EL2;
        user = false;
    } else if (op1 == 0 && a64_in_host(cpu)) {
        regime = REGIME_EL20;
    }
    A64Walk w = walk_in(cpu, regime, user, access);
    w.secure = a64_has(cpu, A64_FEAT_EL3) && (regime == REGIME_EL3 || !(cpu->sys.scr & SCR_NS));
    w.pan = crm == 9 && (cpu->sys.pstate & A64_PS_PAN);
    return w;
}

void a64_at(A64Cpu *cpu, uint32_t enc, uint64_t va)
{
    A64Walk w = at_walk(cpu, enc);
    A64Found found;
    A64Fault fault;
    unsigned op1 = enc >> 11 & 7, op2 = enc & 7;
    /* S1 operations translate tables through stage 2, but not the result */
    w.stage1_only = op1 == 0 || op1 == 6 || op2 < 4;
    bool ok = a64_mmu_walk(cpu, &w, va, &found, &fault);
    if (!ok && fault.stage2 && a64_cur_el(cpu) == 1) {
        /* a stage 2 fault of the walk is taken to EL2 */
        cpu->sys.hpfar = fault.ipa >> 12 << 4;
        cpu->sys.far[2] = va;
        uint32_t iss = fault.fsc | 1u << 6 | 1u << 7 | 1u << 8; /* WnR, S1PTW, CM */
        a64_raise(cpu, 2, a64_esr(EC_DABT, iss));
    }
    cpu->sys.par = ok ? par_found(cpu, &found) : par_fault(&fault);
}
