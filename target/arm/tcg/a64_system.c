/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 system instructions of user mode (with EL1 and up: a64_sysinsn.c): hints, barriers, system
 * registers, cache maintenance.
 *
 * Source: Arm ARM (DDI 0487), C5 "The A64 System Instruction Class", D19; what Linux lets EL0 do
 * (arch/arm64: SCTLR_EL1.UCT, UCI, DZE set; ID registers emulated; CNTPCT and PMU not accessible).
 */
#include "target/arm/a64_id.h"
#include "target/arm/tcg/a64_pauth.h"

/* ---- hints, barriers ---- */

bool gen_HINT(A64Ctx *c, const A64Insn *i)
{
    /* NOP, YIELD, WFE, WFI, SEV(L), DGH, ESB, CSDB, BTI: nothing to do for one EL0 thread */
    if (a64_is_system(c) && a64_sys_hint(c, i->crm << 3 | i->op2)) {
        return true;
    }
    if (a64_feat(c, A64_FEAT_PAuth)) {
        a64_pac_hint(c, i->crm << 3 | i->op2);
    }
    return true;
}

/* Also DSB, SSBB, PSSBB. CRm 1:0: 1 loads, 2 stores, 3 all; 0 (SSBB) is taken as all. */
bool gen_DMB(A64Ctx *c, const A64Insn *i)
{
    static const IrFence kind[4] = {IR_FENCE_FULL, IR_FENCE_LOAD, IR_FENCE_STORE, IR_FENCE_FULL};
    ir_emit(c->b, IR_FENCE, IR_VOID, 0, kind[i->crm & 3], 0, 0, 0, 0, 0, 0);
    return true;
}

/* A full DSB at EL1 and up also waits for TLB maintenance that was broadcast. */
bool gen_DSB(A64Ctx *c, const A64Insn *i)
{
    if (a64_is_system(c) && a64_el(c) > 0 && (i->crm & 3) == 3) {
        return a64_sys_call(c, A64_CALL_DSB, 0);
    }
    return gen_DMB(c, i);
}

bool gen_SB(A64Ctx *c, const A64Insn *i)
{
    (void)c;
    (void)i;
    return true;
}

void a64_end_with_sync(A64Ctx *c)
{
    if ((c->mode & A64_MODE_STEP) && !c->b->must_exit) {
        a64_step_to(c, ir_const_pc(c->b, c->pc + 4)); /* else the helper has done it */
    } else {
        ir_raise(c->b, TCG_EXIT_ISB, 0, c->pc + 4);
    }
    c->blk->target[0] = c->pc + 4;
    c->blk->n_targets = 0;
    c->done = true;
}

bool gen_ISB(A64Ctx *c, const A64Insn *i)
{
    (void)i;
    a64_end_with_sync(c);
    return true;
}

/* ---- system registers ---- */

typedef struct SysReg {
    uint16_t enc;                      /* op0:op1:crn:crm:op2 */
    uint8_t feature;                   /* A64Feature */
    IrRef (*read)(A64Ctx *c);          /* NULL: write-only */
    void (*write)(A64Ctx *c, IrRef v); /* NULL: read-only; may end the block */
} SysReg;

#define ENC(op0, op1, crn, crm, op2) ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

static IrRef call0(A64Ctx *c, A64HelperId h)
{
    return ir_emit(c->b, IR_CALL, IR_I64, 0, 0, 0, 0, 0, 0, 0, h);
}

static IrRef read_nzcv(A64Ctx *c)
{
    IrRef p = ir_un(c->b, IR_FL_PACK, IR_I32, a64_flags(c));
    IrRef nz = ir_bini(c->b, IR_SHL, IR_I64, a64_bits(c, IR_I64, false, p, 14, 2), 30);
    IrRef cy = ir_bini(c->b, IR_SHL, IR_I64, a64_bits(c, IR_I64, false, p, 8, 1), 29);
    IrRef v = ir_bini(c->b, IR_SHL, IR_I64, a64_bits(c, IR_I64, false, p, 0, 1), 28);
    return ir_bin(c->b, IR_OR, IR_I64, nz, ir_bin(c->b, IR_OR, IR_I64, cy, v));
}

static void write_nzcv(A64Ctx *c, IrRef x)
{
    IrRef nz = ir_bini(c->b, IR_SHL, IR_I32, a64_bits(c, IR_I32, false, x, 30, 2), 14);
    IrRef cy = ir_bini(c->b, IR_SHL, IR_I32, a64_bits(c, IR_I32, false, x, 29, 1), 8);
    IrRef v = a64_bits(c, IR_I32, false, x, 28, 1);
    IrRef p = ir_bin(c->b, IR_OR, IR_I32, nz, ir_bin(c->b, IR_OR, IR_I32, cy, v));
    a64_put_flags(c, ir_un(c->b, IR_FL_UNPACK, IR_FLAGS, p));
}

static IrRef read_fpcr(A64Ctx *c)
{
    return ir_get(c->b, A64_S_FPCR);
}

static void write_fpcr(A64Ctx *c, IrRef v)
{
    ir_emit(c->b, IR_CALLS, IR_VOID, 0, 0, 0, v, 0, 0, 0, A64_H_set_fpcr);
    a64_end_with_sync(c); /* mode word and MXCSR changed */
}

static IrRef read_fpsr(A64Ctx *c)
{
    IrRef qc = ir_get(c->b, A64_S_QC), zero = ir_const(c->b, IR_I64, 0);
    IrRef lo = ir_emit(c->b, IR_VEXTR, IR_I64, 3, 0, 0, qc, 0, 0, 0, 0);
    IrRef hi = ir_emit(c->b, IR_VEXTR, IR_I64, 3, 0, 0, qc, 0, 0, 0, 1);
    IrRef set = ir_cmp(c->b, IR_NE, 3, ir_bin(c->b, IR_OR, IR_I64, lo, hi), zero);
    IrRef bit = ir_select(c->b, IR_I64, set, ir_const(c->b, IR_I64, 1u << 27), zero);
    return ir_bin(c->b, IR_OR, IR_I64, call0(c, A64_H_get_fp_flags), bit);
}

static void write_fpsr(A64Ctx *c, IrRef v)
{
    IrRef bit = ir_bini(c->b, IR_AND, IR_I64, v, 1u << 27);
    ir_emit(c->b, IR_CALL, IR_VOID, 0, 0, 0, v, 0, 0, 0, A64_H_set_fp_flags);
    ir_put(c->b, A64_S_QC, ir_emit(c->b, IR_VDUP, IR_V128, 3, 0, 0, bit, 0, 0, 0, 0));
    if (c->blk->mode & A64_MODE_FPFLUSH) {
        a64_end_with_sync(c); /* IXC may be clear now: it is part of the mode word */
    }
}

static IrRef read_tpidr(A64Ctx *c)
{
    return ir_get(c->b, A64_S_TPIDR_EL0);
}

static void write_tpidr(A64Ctx *c, IrRef v)
{
    ir_put(c->b, A64_S_TPIDR_EL0, v);
}

static IrRef read_tpidrro(A64Ctx *c)
{
    return call0(c, A64_H_get_tpidrro);
}

static IrRef read_ssbs(A64Ctx *c)
{
    return call0(c, A64_H_get_ssbs);
}

static void write_ssbs(A64Ctx *c, IrRef v)
{
    ir_emit(c->b, IR_CALL, IR_VOID, 0, 0, 0, v, 0, 0, 0, A64_H_set_ssbs);
}

static IrRef read_cntvct(A64Ctx *c)
{
    return call0(c, A64_H_cntvct);
}

/* RNDR, RNDRRS: NZCV = 0000 with a number; the host never runs out of them. */
static IrRef read_rndr(A64Ctx *c)
{
    IrRef v = call0(c, A64_H_random);
    a64_put_flags(c, a64_flags_const(c, 0));
    return v;
}

static IrRef read_ctr(A64Ctx *c)
{
    return ir_const(c->b, IR_I64, c->cpu->ctr_el0);
}

static IrRef read_dczid(A64Ctx *c)
{
    return ir_const(c->b, IR_I64, c->cpu->dczid_el0);
}

static IrRef read_cntfrq(A64Ctx *c)
{
    return ir_const(c->b, IR_I64, c->cpu->cntfrq);
}

static IrRef read_midr(A64Ctx *c)
{
    return ir_const(c->b, IR_I64, c->cpu->midr);
}

/* MPIDR_EL1 as Linux shows it: only the RES1 bit. */
static IrRef read_mpidr(A64Ctx *c)
{
    return ir_const(c->b, IR_I64, 1u << 31);
}

static const SysReg sys_regs[] = {
    {ENC(3, 3, 4, 2, 0), A64_FEAT_BASE, read_nzcv, write_nzcv},
    {ENC(3, 3, 4, 2, 6), A64_FEAT_SSBS, read_ssbs, write_ssbs},
    {ENC(3, 3, 4, 4, 0), A64_FEAT_FP, read_fpcr, write_fpcr},
    {ENC(3, 3, 4, 4, 1), A64_FEAT_FP, read_fpsr, write_fpsr},
    {ENC(3, 3, 13, 0, 2), A64_FEAT_BASE, read_tpidr, write_tpidr},
    {ENC(3, 3, 13, 0, 3), A64_FEAT_BASE, read_tpidrro, NULL},
    {ENC(3, 3, 0, 0, 1), A64_FEAT_BASE, read_ctr, NULL},
    {ENC(3, 3, 0, 0, 7), A64_FEAT_BASE, read_dczid, NULL},
    {ENC(3, 3, 14, 0, 0), A64_FEAT_BASE, read_cntfrq, NULL},
    {ENC(3, 3, 14, 0, 2), A64_FEAT_BASE, read_cntvct, NULL},
    {ENC(3, 3, 2, 4, 0), A64_FEAT_RNG, read_rndr, NULL},
    {ENC(3, 3, 2, 4, 1), A64_FEAT_RNG, read_rndr, NULL},
    {ENC(3, 0, 0, 0, 0), A64_FEAT_BASE, read_midr, NULL},
    {ENC(3, 0, 0, 0, 5), A64_FEAT_BASE, read_mpidr, NULL},
};

static const SysReg *find_sys_reg(const A64Ctx *c, unsigned enc)
{
    for (unsigned n = 0; n < sizeof(sys_regs) / sizeof(sys_regs[0]); n++) {
        if (sys_regs[n].enc == enc && a64_feat(c, sys_regs[n].feature)) {
            return &sys_regs[n];
        }
    }
    return NULL;
}

enum { N_PLAIN = 4 }; /* NZCV, SSBS, FPCR, FPSR: code of their own in either mode */

static bool is_plain(const SysReg *r)
{
    unsigned n = (unsigned)(r - sys_regs);
    return n < N_PLAIN || r->read == read_rndr;
}

bool a64_plain_mrs(A64Ctx *c, unsigned encoding, unsigned rt)
{
    const SysReg *r = find_sys_reg(c, encoding);
    if (!r || !is_plain(r) || !r->read) {
        return false;
    }
    a64_put_x(c, rt, r->read(c));
    return true;
}

bool a64_plain_msr(A64Ctx *c, unsigned encoding, unsigned rt)
{
    const SysReg *r = find_sys_reg(c, encoding);
    if (!r || !is_plain(r) || !r->write) {
        return false;
    }
    r->write(c, a64_x(c, rt));
    return true;
}

/* ID_AA64x_EL1 by CRm - 4 and op2: index into A64Cpu.id_aa64 plus 1; 0 reads as zero. */
static const uint8_t id_by_number[4][8] = {
    {A64_ID_PFR0 + 1, A64_ID_PFR1 + 1, 0, 0, A64_ID_ZFR0 + 1, A64_ID_SMFR0 + 1, 0, 0},
    {A64_ID_DFR0 + 1, A64_ID_DFR1 + 1, 0, 0, 0, 0, 0, 0},
    {A64_ID_ISAR0 + 1, A64_ID_ISAR1 + 1, A64_ID_ISAR2 + 1, 0, 0, 0, 0, 0},
    {A64_ID_MMFR0 + 1, A64_ID_MMFR1 + 1, A64_ID_MMFR2 + 1, 0, 0, 0, 0, 0},
};

/* The ID space op0 3, op1 0, CRn 0 that Linux emulates for EL0: CRm 2 to 7, REVIDR. */
static bool read_id_space(const A64Ctx *c, const A64Insn *i, uint64_t *v)
{
    if (!i->o0 || i->op1 || i->crn || (i->crm < 2 && !(i->crm == 0 && i->op2 == 6)) || i->crm > 7) {
        return false;
    }
    unsigned index = i->crm >= 4 ? id_by_number[i->crm - 4][i->op2] : 0;
    *v = index ? c->cpu->id_aa64[index - 1] : 0;
    return true;
}

static unsigned enc_of(const A64Insn *i)
{
    return ENC(2 + i->o0, i->op1, i->crn, i->crm, i->op2);
}

bool gen_MRS(A64Ctx *c, const A64Insn *i)
{
    if (a64_is_system(c)) {
        return a64_sys_mrs(c, enc_of(i), i->rt);
    }
    uint64_t id;
    if (read_id_space(c, i, &id)) {
        a64_put_x(c, i->rt, ir_const(c->b, IR_I64, id));
        return true;
    }
    const SysReg *r = find_sys_reg(c, enc_of(i));
    if (!r || !r->read) {
        return false;
    }
    a64_put_x(c, i->rt, r->read(c));
    return true;
}

bool gen_MSR(A64Ctx *c, const A64Insn *i)
{
    if (a64_is_system(c)) {
        return a64_sys_msr(c, enc_of(i), i->rt);
    }
    const SysReg *r = find_sys_reg(c, enc_of(i));
    if (!r || !r->write) {
        return false;
    }
    r->write(c, a64_x(c, i->rt));
    return true;
}

bool gen_MSR_ssbs(A64Ctx *c, const A64Insn *i)
{
    write_ssbs(c, ir_const(c->b, IR_I64, (i->crm & 1) << 12));
    return true;
}

/* ---- cache maintenance ---- */

enum {
    OP_IC_IVAU = ENC(1, 3, 7, 5, 1),
    OP_DC_ZVA = ENC(1, 3, 7, 4, 1),
    OP_DC_CVAC = ENC(1, 3, 7, 10, 1),
    OP_DC_CVAU = ENC(1, 3, 7, 11, 1),
    OP_DC_CVAP = ENC(1, 3, 7, 12, 1),
    OP_DC_CVADP = ENC(1, 3, 7, 13, 1),
    OP_DC_CIVAC = ENC(1, 3, 7, 14, 1),
};

/* Host caches are coherent; what is left is the permission check, made by a load. */
bool a64_dc_clean(A64Ctx *c, IrRef v)
{
    a64_ld(c, IR_I32, 0, 0, a64_addr_of(v));
    return true;
}

bool a64_dc_zva(A64Ctx *c, IrRef v)
{
    IrRef line = a64_addr_strip(c, a64_addr_of(ir_bini(c->b, IR_AND, IR_I64, v, ~63ull))).base;
    IrRef zero = ir_vconst(c->b, 0, false);
    for (int n = 0; n < 64; n += 16) {
        ir_st(c->b, 4, 0, line, IR_NONE, 0, n, zero);
    }
    return true;
}

static bool ic_ivau(A64Ctx *c, IrRef v)
{
    v = a64_addr_strip(c, a64_addr_of(v)).base;
    ir_emit(c->b, IR_CALLS, IR_VOID, 0, 0, 0, v, 0, 0, 0, A64_H_icache_inval);
    c->blk->target[0] = c->pc + 4;
    c->blk->n_targets = 1;
    ir_goto(c->b, c->pc + 4);
    c->done = true;
    return true;
}

bool gen_SYS(A64Ctx *c, const A64Insn *i)
{
    if (a64_is_system(c)) {
        return a64_sys_msr(c, ENC(1, i->op1, i->crn, i->crm, i->op2), i->rt);
    }
    IrRef v = a64_x(c, i->rt);
    switch (ENC(1, i->op1, i->crn, i->crm, i->op2)) {
    case OP_IC_IVAU: return ic_ivau(c, v);
    case OP_DC_ZVA: return a64_dc_zva(c, v);
    case OP_DC_CVAC:
    case OP_DC_CVAU:
    case OP_DC_CIVAC: return a64_dc_clean(c, v);
    case OP_DC_CVAP: return a64_feat(c, A64_FEAT_DPB) && a64_dc_clean(c, v);
    case OP_DC_CVADP: return a64_feat(c, A64_FEAT_DPB2) && a64_dc_clean(c, v);
    default: return false;
    }
}
