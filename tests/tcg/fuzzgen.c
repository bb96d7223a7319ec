/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random IR programs; see fuzzgen.h. */
#include "fuzzgen.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* ---- the guest ---- */

#define XSLOT(n)                                                                                   \
    {                                                                                              \
        "x" #n, offsetof(FuzzCpu, x[n]), IR_I64, 1                                                 \
    }
#define VSLOT(n)                                                                                   \
    {                                                                                              \
        "v" #n, offsetof(FuzzCpu, v[n]), IR_V128, 1                                                \
    }
static const TcgSlot fuzz_slots[FUZZ_SLOTS] = {
    XSLOT(0),
    XSLOT(1),
    XSLOT(2),
    XSLOT(3),
    XSLOT(4),
    XSLOT(5),
    XSLOT(6),
    XSLOT(7),
    XSLOT(8),
    XSLOT(9),
    {"w", offsetof(FuzzCpu, w), IR_I32, 0},
    {"flags", offsetof(FuzzCpu, flags), IR_FLAGS, 0},
    {"pc", offsetof(FuzzCpu, pc), IR_I64, 0},
    VSLOT(0),
    VSLOT(1),
    VSLOT(2),
    VSLOT(3),
    VSLOT(4),
    VSLOT(5),
    VSLOT(6),
    VSLOT(7),
};

static uint64_t fuzz_h_mix(TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)cpu;
    return a * 3 + (b ^ c) + d;
}

static void fuzz_h_vmix(TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    (void)cpu;
    (void)imm;
    (void)info;
    for (unsigned i = 0; i < 2; i++) {
        r->u64[i] = a[0].u64[i] + 5 * a[1].u64[i];
    }
}

static const TcgHelper fuzz_helpers[] = {
    {"mix", TCG_H_INT, TCG_FP_NONE, .i = fuzz_h_mix, NULL},
    {"vmix", TCG_H_VEC, TCG_FP_NONE, .v = fuzz_h_vmix, NULL},
};

static uint64_t fuzz_compare_flags(double x, double y)
{
    return isunordered(x, y) ? 0x101 : x < y ? 0x8000 : x == y ? 0x4100 : 0x100;
}

static bool fuzz_fcmp(unsigned sub, double x, double y)
{
    bool un = isunordered(x, y), res;

    switch (sub & ~(IR_F_S | 1u)) {
    case IR_F_EQ: res = x == y; break;
    case IR_F_LT: res = x < y; break;
    case IR_F_LE: res = x <= y; break;
    case IR_F_GT: res = x > y; break;
    case IR_F_GE: res = x >= y; break;
    default: res = un; break;
    }
    return res ^ (sub & 1);
}

/* Enough FP for these programs: doubles, finite results. */
static void fuzz_fp(TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    double x, y, v = 0;

    (void)imm;
    (void)cpu;
    memcpy(&x, &a[0], 8);
    memcpy(&y, &a[1], 8);
    memset(r, 0, sizeof *r);
    switch (info & 0xff) {
    case IR_FADD: v = x + y; break;
    case IR_FSUB: v = x - y; break;
    case IR_FMUL: v = x * y; break;
    case IR_FL_FCMP: r->u64[0] = fuzz_compare_flags(x, y); return;
    case IR_FCMP: r->u64[0] = fuzz_fcmp((unsigned)(info >> 24) & 0xff, x, y); return;
    default: break;
    }
    memcpy(r, &v, 8);
}

static bool fuzz_fp_native(uint64_t mode)
{
    (void)mode;
    return false;
}

const TcgGuest fuzz_guest = {
    .name = "fuzz",
    .cpu_bytes = sizeof(FuzzCpu),
    .slots = fuzz_slots,
    .n_slots = FUZZ_SLOTS,
    .pc_slot = FUZZ_S_PC,
    .flags_slot = FUZZ_S_FLAGS,
    .helpers = fuzz_helpers,
    .n_helpers = sizeof fuzz_helpers / sizeof *fuzz_helpers,
    .fp = fuzz_fp,
    .fp_native = fuzz_fp_native,
};

/* ---- random ---- */

typedef struct Fuzz {
    IrBuilder b;
    const FuzzProgram *p;
    uint64_t rnd;
    IrBlk blocks[FUZZ_MAX_BLOCKS];
    IrRef ints[24], vecs[16]; /* values to choose from in this block */
    unsigned n_ints, n_vecs;
} Fuzz;

static uint32_t rnd(Fuzz *f, uint32_t n)
{
    f->rnd ^= f->rnd << 13;
    f->rnd ^= f->rnd >> 7;
    f->rnd ^= f->rnd << 17;
    return (uint32_t)((f->rnd >> 11) % n);
}

static uint64_t rnd_value(Fuzz *f)
{
    static const uint64_t odd[] = {0,
                                   1,
                                   2,
                                   0x7f,
                                   0x80,
                                   0xff,
                                   0x7fff,
                                   0x8000,
                                   0xffff,
                                   0x7fffffff,
                                   0x80000000,
                                   0xffffffff,
                                   0x7fffffffffffffff,
                                   0x8000000000000000,
                                   0xffffffffffffffff,
                                   63,
                                   64,
                                   31,
                                   32};

    if (rnd(f, 2)) {
        return odd[rnd(f, sizeof odd / sizeof *odd)];
    }
    return (uint64_t)rnd(f, UINT32_MAX) << 32 | rnd(f, UINT32_MAX);
}

static IrRef pick_int(Fuzz *f)
{
    unsigned k = rnd(f, 10);

    if (k < 5 && f->n_ints) {
        return f->ints[rnd(f, f->n_ints)];
    }
    if (k < 7) {
        return ir_const(&f->b, rnd(f, 2) ? IR_I64 : IR_I32, rnd_value(f));
    }
    return ir_get(&f->b, rnd(f, 8));
}

static IrRef pick_vec(Fuzz *f)
{
    return rnd(f, 2) && f->n_vecs ? f->vecs[rnd(f, f->n_vecs)]
                                  : ir_get(&f->b, FUZZ_S_V0 + rnd(f, FUZZ_VECS));
}

static void keep_int(Fuzz *f, IrRef v)
{
    unsigned cap = sizeof f->ints / sizeof *f->ints;

    f->ints[f->n_ints < cap ? f->n_ints++ : rnd(f, cap)] = v;
}

static void keep_vec(Fuzz *f, IrRef v)
{
    unsigned cap = sizeof f->vecs / sizeof *f->vecs;

    f->vecs[f->n_vecs < cap ? f->n_vecs++ : rnd(f, cap)] = v;
}

static IrRef pick_flags(Fuzz *f)
{
    IrBuilder *b = &f->b;
    unsigned esz = 2 + rnd(f, 2);
    IrRef x = pick_int(f), y = pick_int(f), c, g, d;

    switch (rnd(f, 9)) {
    case 0: return ir_get(b, FUZZ_S_FLAGS);
    case 1: return ir_emit(b, IR_FL_ADD, IR_FLAGS, esz, 0, 0, x, y, 0, 0, 0);
    case 2:
    case 3:
        if (rnd(f, 2)) {
            keep_int(f, ir_bin(b, IR_SUB, esz == 3 ? IR_I64 : IR_I32, x, y));
        }
        return ir_emit(b, IR_FL_SUB, IR_FLAGS, esz, 0, 0, x, y, 0, 0, 0);
    case 4: return ir_emit(b, IR_FL_SUBB, IR_FLAGS, esz, 0, 0, x, y, 0, 0, 0);
    case 5: return ir_emit(b, IR_FL_LOGIC, IR_FLAGS, esz, 0, 0, x, 0, 0, 0, 0);
    case 6:
        c = ir_cmp(b, rnd(f, 10), esz, x, y);
        return ir_emit(b, rnd(f, 2) ? IR_FL_ADC : IR_FL_SBC, IR_FLAGS, esz, 0, 0, pick_int(f),
                       pick_int(f), c, 0, 0);
    case 7:
        c = ir_cmp(b, rnd(f, 10), esz, x, y);
        g = ir_emit(b, IR_FL_SUB, IR_FLAGS, esz, 0, 0, pick_int(f), pick_int(f), 0, 0, 0);
        d = ir_emit(b, IR_FL_UNPACK, IR_FLAGS, 0, 0, 0,
                    rnd(f, 2) ? ir_const(b, IR_I32, rnd_value(f)) : pick_int(f), 0, 0, 0, 0);
        return ir_emit(b, IR_FL_SEL, IR_FLAGS, 0, 0, 0, c, g, d, 0, 0);
    default:
        return f->p->fp
                   ? ir_emit(b, IR_FL_FCMP, IR_FLAGS, 3, 0, 0,
                             ir_emit(b, IR_VLO, IR_F64, 3, 0, 0, pick_vec(f), 0, 0, 0, 0),
                             ir_emit(b, IR_VLO, IR_F64, 3, 0, 0, pick_vec(f), 0, 0, 0, 0), 0, 0, 0)
                   : ir_get(b, FUZZ_S_FLAGS);
    }
}

static IrRef pick_cond(Fuzz *f)
{
    return rnd(f, 2)
               ? ir_cmp(&f->b, rnd(f, 10), 2 + rnd(f, 2), pick_int(f), pick_int(f))
               : ir_emit(&f->b, IR_FL_COND, IR_I1, 0, rnd(f, 16), 0, pick_flags(f), 0, 0, 0, 0);
}

/* ---- ops ---- */

static void gen_int(Fuzz *f)
{
    IrBuilder *b = &f->b;
    IrOpcode op = IR_ADD + rnd(f, IR_SELECT - IR_ADD + 1);
    IrType t = rnd(f, 2) ? IR_I64 : IR_I32;
    unsigned bits = t == IR_I64 ? 64 : 32, esz = 0, lsb = rnd(f, bits);
    uint64_t imm = 0;
    IrRef x = pick_int(f), y = pick_int(f), z = IR_NONE;

    switch (op) {
    case IR_MULHU:
    case IR_MULHS: t = IR_I64; break;
    case IR_ADDC:
    case IR_SUBC: z = pick_cond(f); break;
    case IR_EXTR: imm = lsb; break;
    case IR_UBFX:
    case IR_SBFX:
    case IR_BFI: imm = lsb | (uint64_t)(1 + rnd(f, bits - lsb)) << 8; break;
    case IR_SEXT:
    case IR_ZEXT: esz = rnd(f, t == IR_I64 ? 4 : 3); break;
    case IR_BSWAP: esz = 1 + rnd(f, t == IR_I64 ? 3 : 2); break;
    case IR_CRC32:
        keep_int(f, ir_emit(b, op, IR_I32, rnd(f, 4), rnd(f, 2), 0, x, y, 0, 0, 0));
        return;
    case IR_CMP: keep_int(f, pick_cond(f)); return;
    case IR_SELECT: keep_int(f, ir_select(b, t, pick_cond(f), x, y)); return;
    default: break;
    }
    if (ir_op_info[op].nargs < 2) {
        y = IR_NONE;
    }
    keep_int(f, ir_emit(b, op, t, esz, 0, 0, x, y, z, 0, imm));
}

/* Vector ops that need no care: two operands of any element size up to the limit. */
static const struct {
    uint8_t op, max_esz;
} plain_vec[] = {
    {IR_VAND, 3},   {IR_VOR, 3},    {IR_VXOR, 3},   {IR_VANDN, 3},  {IR_VORN, 3},   {IR_VNOT, 3},
    {IR_VZIP1, 3},  {IR_VZIP2, 3},  {IR_VUZP1, 3},  {IR_VUZP2, 3},  {IR_VTRN1, 3},  {IR_VTRN2, 3},
    {IR_VTBL, 0},   {IR_VADD, 3},   {IR_VSUB, 3},   {IR_VNEG, 3},   {IR_VABS, 3},   {IR_VMUL, 3},
    {IR_VSMIN, 3},  {IR_VSMAX, 3},  {IR_VUMIN, 3},  {IR_VUMAX, 3},  {IR_VTST, 3},   {IR_VSHLV, 3},
    {IR_VSSHLV, 3}, {IR_VSQADD, 3}, {IR_VUQADD, 3}, {IR_VSQSUB, 3}, {IR_VUQSUB, 3}, {IR_VURHADD, 2},
    {IR_VUABD, 2},  {IR_VSABD, 2},  {IR_VADDP, 3},  {IR_VCNT, 0},
};

/* Those with an operand of their own kind. */
static IrRef gen_vec_special(Fuzz *f, IrRef x, IrRef y, bool half)
{
    IrBuilder *b = &f->b;
    unsigned esz = rnd(f, 4), n = (half ? 8u : 16u) >> esz, fl = half ? IRF_HALF : 0;
    unsigned hi = rnd(f, 2) ? IRF_HI : 0;

    switch (rnd(f, 19)) {
    case 0: return ir_emit(b, IR_VBSL, IR_V128, 0, 0, fl, x, y, pick_vec(f), 0, 0);
    case 1: return ir_vun(b, IR_VLOW64, 0, false, x, 0);
    case 2: return ir_vun(b, IR_VDUP, esz, half, pick_int(f), 0);
    case 3: return ir_vun(b, IR_VDUPL, esz, half, x, rnd(f, 16 >> esz));
    case 4: return ir_emit(b, IR_VINS, IR_V128, esz, 0, 0, x, pick_int(f), 0, 0, rnd(f, 16 >> esz));
    case 5:
        return ir_emit(b, IR_VINSL, IR_V128, esz, 0, 0, x, y, 0, 0,
                       rnd(f, 16 >> esz) | rnd(f, 16 >> esz) << 8);
    case 6: return ir_emit(b, IR_VEXT, IR_V128, 0, 0, fl, x, y, 0, 0, rnd(f, half ? 8 : 16));
    case 7:
        esz = rnd(f, 3);
        return ir_emit(b, IR_VREV, IR_V128, esz, esz + 1 + rnd(f, 3 - esz), fl, x, 0, 0, 0, 0);
    case 8: return ir_emit(b, IR_VCAT, IR_V128, 0, 0, 0, x, y, 0, 0, 0);
    case 9: return ir_emit(b, IR_VCMP, IR_V128, esz, rnd(f, 10), fl, x, y, 0, 0, 0);
    case 10: return ir_vun(b, IR_VSHLI, esz, half, x, rnd(f, 8u << esz));
    case 11: return ir_vun(b, IR_VSHRI, esz, half, x, rnd(f, (8u << esz) + 1));
    case 12: return ir_vun(b, IR_VSARI, esz, half, x, rnd(f, (8u << esz) + 1));
    case 13:
        return ir_emit(b, rnd(f, 2) ? IR_VSXTL : IR_VUXTL, IR_V128, rnd(f, 3), 0, hi, x, 0, 0, 0,
                       0);
    case 14: return ir_emit(b, IR_VXTN, IR_V128, rnd(f, 3), 0, IRF_HALF, x, 0, 0, 0, 0);
    case 15:
        return ir_emit(b, rnd(f, 2) ? IR_VSMULL : IR_VUMULL, IR_V128, rnd(f, 3), 0, hi, x, y, 0, 0,
                       0);
    case 16: return n < 2 ? x : ir_vun(b, IR_VADDV + rnd(f, 5), rnd(f, 3), half, x, 0);
    case 17: return ir_emit(b, IR_PMULL64, IR_V128, 3, 0, hi, x, y, 0, 0, 0);
    default:
        return rnd(f, 2)
                   ? ir_emit(b, rnd(f, 2) ? IR_AESE : IR_AESD, IR_V128, 0, 0, 0, x, y, 0, 0, 0)
                   : ir_emit(b, rnd(f, 2) ? IR_AESMC : IR_AESIMC, IR_V128, 0, 0, 0, x, 0, 0, 0, 0);
    }
}

static void gen_vec(Fuzz *f)
{
    IrBuilder *b = &f->b;
    IrRef x = pick_vec(f), y = pick_vec(f);
    bool half = rnd(f, 3) == 0;
    unsigned k, esz = rnd(f, 4);

    switch (rnd(f, 8)) {
    case 0:
        keep_int(f, ir_emit(b, IR_VEXTR, rnd(f, 2) ? IR_I64 : IR_I32, esz > 2 ? 2 : esz, 0,
                            rnd(f, 2) ? IRF_SEXT : 0, x, 0, 0, 0, rnd(f, 4)));
        return;
    case 1: /* scalar FP bits, and back */
        x = ir_emit(b, IR_VLO, esz & 1 ? IR_F64 : IR_F32, 2 + (esz & 1), 0, 0, x, 0, 0, 0, 0);
        x = ir_emit(b, rnd(f, 2) ? IR_FABS : IR_FNEG, esz & 1 ? IR_F64 : IR_F32, 2 + (esz & 1), 0,
                    0, x, 0, 0, 0, 0);
        keep_int(f, ir_emit(b, IR_FBITS, IR_I64, 2 + (esz & 1), 0, 0, x, 0, 0, 0, 0));
        keep_vec(f, ir_vun(b, IR_VZEXT, 2 + (esz & 1), false, x, 0));
        return;
    case 2:
    case 3:
    case 4: keep_vec(f, gen_vec_special(f, x, y, half)); return;
    default:
        k = rnd(f, sizeof plain_vec / sizeof *plain_vec);
        if (ir_op_info[plain_vec[k].op].nargs < 2) {
            y = IR_NONE;
        }
        esz = rnd(f, plain_vec[k].max_esz + 1u);
        half &= esz < 3; /* a 64-bit vector of one element: guests use the scalar forms */
        keep_vec(f,
                 ir_emit(b, plain_vec[k].op, IR_V128, esz, 0, half ? IRF_HALF : 0, x, y, 0, 0, 0));
        return;
    }
}

/* An address in the scratch memory: base slot + masked index. */
static void gen_mem(Fuzz *f)
{
    IrBuilder *b = &f->b;
    IrRef base = ir_get(b, FUZZ_S_MEM), index = IR_NONE;
    unsigned esz = rnd(f, 5), scale = rnd(f, 4);
    int64_t disp = rnd(f, 128);
    bool vec = esz == 4 || rnd(f, 3) == 0;

    if (rnd(f, 2)) {
        index = ir_bini(b, IR_AND, IR_I64, pick_int(f), 15);
    }
    if (rnd(f, 3) == 0) {
        base = ir_bini(b, IR_ADD, IR_I64, base, rnd(f, 64));
    }
    if (vec) {
        if (rnd(f, 2)) {
            keep_vec(f, ir_ld(b, IR_V128, esz, 0, base, index, scale, disp));
        } else {
            ir_st(b, esz, 0, base, index, scale, disp, pick_vec(f));
        }
        return;
    }
    switch (rnd(f, 6)) {
    case 0:
    case 1:
        keep_int(f, ir_ld(b, rnd(f, 2) || esz == 3 ? IR_I64 : IR_I32, esz, rnd(f, 2) ? IRF_SEXT : 0,
                          base, index, scale, disp));
        break;
    case 2:
    case 3: ir_st(b, esz, rnd(f, 4) ? 0 : IRF_REL, base, index, scale, disp, pick_int(f)); break;
    case 4:
        keep_int(f, ir_emit(b, IR_AT_RMW, esz == 3 ? IR_I64 : IR_I32, esz, rnd(f, 10), 0, base,
                            pick_int(f), 0, 0, (uint64_t)(disp & ~15)));
        break;
    default:
        keep_int(f, ir_emit(b, IR_AT_CAS, esz == 3 ? IR_I64 : IR_I32, esz, 0, 0, base, pick_int(f),
                            pick_int(f), 0, (uint64_t)(disp & ~15)));
        break;
    }
}

static void gen_call(Fuzz *f)
{
    IrBuilder *b = &f->b;

    if (f->p->vectors && rnd(f, 2)) {
        keep_vec(f, ir_emit(b, rnd(f, 2) ? IR_VCALL : IR_VCALLP, IR_V128, 0, 0, 0, pick_vec(f),
                            pick_vec(f), 0, 0, 1));
    } else {
        keep_int(f, ir_emit(b, rnd(f, 2) ? IR_CALL : IR_CALLP, IR_I64, 0, 0, 0, pick_int(f),
                            pick_int(f), pick_int(f), pick_int(f), 0));
    }
}

static void gen_put(Fuzz *f)
{
    switch (rnd(f, f->p->vectors ? 8 : 5)) {
    case 0: ir_put(&f->b, FUZZ_S_FLAGS, pick_flags(f)); break;
    case 1: ir_put(&f->b, FUZZ_S_W, pick_int(f)); break;
    case 2:
    case 3:
    case 4: ir_put(&f->b, rnd(f, 8), pick_int(f)); break;
    default: ir_put(&f->b, FUZZ_S_V0 + rnd(f, FUZZ_VECS), pick_vec(f)); break;
    }
}

/* An if-else inside one instruction, each arm with puts, joined behind. */
static void gen_diamond(Fuzz *f, uint64_t pc)
{
    IrBuilder *b = &f->b;
    IrRef cond = pick_cond(f);
    IrBlk arm[2], join;

    if (ir_is_const(b, cond, NULL)) {
        return;
    }
    arm[0] = ir_new_block(b, pc, true);
    arm[1] = ir_new_block(b, pc, true);
    join = ir_new_block(b, pc, false);
    ir_brc(b, cond, arm[0], arm[1]);
    for (unsigned i = 0; i < 2; i++) {
        unsigned ni = f->n_ints, nv = f->n_vecs;

        ir_set_block(b, arm[i]);
        if (f->p->memory && rnd(f, 2)) {
            gen_mem(f);
        }
        gen_int(f);
        if (rnd(f, 2)) {
            gen_put(f);
        }
        ir_br(b, join);
        f->n_ints = ni < f->n_ints ? ni : f->n_ints; /* an arm's values are its own */
        f->n_vecs = nv < f->n_vecs ? nv : f->n_vecs;
        if (ni == sizeof f->ints / sizeof *f->ints) {
            f->n_ints = 0;
        }
        if (nv == sizeof f->vecs / sizeof *f->vecs) {
            f->n_vecs = 0;
        }
    }
    f->n_ints = f->n_vecs = 0;
    ir_set_block(b, join);
}

static void gen_insn(Fuzz *f, uint64_t pc)
{
    unsigned n = 1 + rnd(f, 4);

    ir_insn(&f->b, pc);
    for (unsigned i = 0; i < n; i++) {
        switch (rnd(f, 8)) {
        case 0:
        case 1:
        case 2: gen_int(f); break;
        case 3:
        case 4:
            if (f->p->vectors) {
                gen_vec(f);
            } else {
                gen_int(f);
            }
            break;
        case 5:
            if (f->p->memory) {
                gen_mem(f);
            }
            break;
        case 6:
            if (rnd(f, 4) == 0) {
                gen_call(f);
            }
            break;
        default:
            if (f->p->fp) {
                IrBuilder *b = &f->b;
                IrRef x = ir_emit(b, IR_VLO, IR_F64, 3, 0, 0, pick_vec(f), 0, 0, 0, 0);
                IrRef y = ir_emit(b, IR_VLO, IR_F64, 3, 0, 0, pick_vec(f), 0, 0, 0, 0);

                x = ir_emit(b, IR_FADD + rnd(f, 3), IR_F64, 3, 0, 0, x, y, 0, 0, 0);
                keep_vec(f, ir_vun(b, IR_VZEXT, 3, false, x, 0));
            }
            break;
        }
    }
    if (rnd(f, 6) == 0) {
        gen_diamond(f, pc);
    }
    for (unsigned i = rnd(f, 3); i; i--) {
        gen_put(f);
    }
}

static void gen_block(Fuzz *f, unsigned block)
{
    IrBuilder *b = &f->b;
    uint64_t pc = FUZZ_PC + (uint64_t)block * FUZZ_PC_STEP;
    IrBlk body, done;
    IrRef fuel;
    unsigned n;

    f->rnd = (f->p->seed * 77 + block + 1) * UINT64_C(0x9e3779b97f4a7c15);
    rnd(f, 2);
    f->n_ints = f->n_vecs = 0;
    ir_insn(b, pc);
    fuel = ir_bini(b, IR_ADD, IR_I64, ir_get(b, FUZZ_S_FUEL), UINT64_MAX);
    ir_put(b, FUZZ_S_FUEL, fuel);
    body = ir_new_block(b, pc + 4, true);
    done = ir_new_block(b, pc + 4, true);
    ir_brc(b, ir_cmp(b, IR_EQ, 3, fuel, ir_const(b, IR_I64, 0)), done, body);
    ir_set_block(b, done);
    b->must_exit = true;
    ir_goto(b, FUZZ_EXIT_PC);
    ir_set_block(b, body);
    n = rnd(f, 6);
    for (unsigned i = 0; i < n; i++) {
        gen_insn(f, pc + 8 + 4 * i);
    }
    ir_insn(b, pc + 8 + 4 * n);
    if (rnd(f, 4)) {
        ir_branch(b, pick_cond(f), FUZZ_PC + (uint64_t)rnd(f, f->p->n_blocks) * FUZZ_PC_STEP,
                  FUZZ_PC + (uint64_t)rnd(f, f->p->n_blocks) * FUZZ_PC_STEP);
    } else if (rnd(f, 8) == 0) {
        ir_jump(b, ir_const(b, IR_I64, FUZZ_EXIT_PC), IR_J_JUMP);
    } else {
        ir_goto(b, FUZZ_PC + (uint64_t)rnd(f, f->p->n_blocks) * FUZZ_PC_STEP);
    }
}

static IrBlk resolve_inside(void *opaque, uint64_t pc)
{
    Fuzz *f = opaque;

    return pc < FUZZ_EXIT_PC ? f->blocks[(pc - FUZZ_PC) / FUZZ_PC_STEP] : IR_NO_BLK;
}

static IrBlk resolve_none(void *opaque, uint64_t pc)
{
    (void)opaque;
    (void)pc;
    return IR_NO_BLK;
}

FuzzProgram fuzz_program(uint64_t seed)
{
    Fuzz f = {.rnd = (seed + 1) * UINT64_C(0xd1342543de82ef95)};

    rnd(&f, 2);
    return (FuzzProgram){.seed = seed,
                         .n_blocks = 1 + rnd(&f, FUZZ_MAX_BLOCKS),
                         .memory = rnd(&f, 4),
                         .vectors = rnd(&f, 4),
                         .fp = rnd(&f, 2)};
}

IrRegion *fuzz_build(const FuzzProgram *p, Arena *arena, unsigned tier)
{
    Fuzz f = {.p = p};

    ir_builder_init(&f.b, arena, &fuzz_guest, FUZZ_PC, 0, tier);
    f.b.resolve = resolve_inside;
    f.b.opaque = &f;
    f.blocks[0] = 1;
    for (unsigned i = 1; i < p->n_blocks; i++) {
        f.blocks[i] = ir_new_block(&f.b, FUZZ_PC + (uint64_t)i * FUZZ_PC_STEP, false);
    }
    for (unsigned i = 0; i < p->n_blocks; i++) {
        if (i) {
            ir_set_block(&f.b, f.blocks[i]);
        }
        gen_block(&f, i);
    }
    return ir_builder_finish(&f.b);
}

IrRegion *fuzz_build_block(const FuzzProgram *p, Arena *arena, unsigned block)
{
    Fuzz f = {.p = p};

    ir_builder_init(&f.b, arena, &fuzz_guest, FUZZ_PC + (uint64_t)block * FUZZ_PC_STEP, 0, 1);
    f.b.resolve = resolve_none;
    gen_block(&f, block);
    return ir_builder_finish(&f.b);
}

IrRegion *fuzz_build_straight(const FuzzProgram *p, Arena *arena)
{
    Fuzz f = {.p = p, .rnd = (p->seed * 131 + 7) * UINT64_C(0x9e3779b97f4a7c15)};
    IrBuilder *b = &f.b;
    unsigned n = rnd(&f, 10);
    IrRef target;

    ir_builder_init(b, arena, &fuzz_guest, FUZZ_PC, 0, 1);
    b->resolve = resolve_none;
    for (unsigned i = 0; i < n; i++) {
        gen_insn(&f, FUZZ_PC + 4 * i);
    }
    ir_insn(b, FUZZ_PC + 4 * n);
    target = ir_bini(b, IR_AND, IR_I64, pick_int(&f), ~UINT64_C(3)); /* 1 is "no entry" */
    switch (rnd(&f, 6)) {
    case 0: ir_goto(b, FUZZ_EXIT_PC); break;
    case 1: ir_jump(b, target, IR_J_JUMP); break;
    case 2:
        ir_call_push(b, FUZZ_PC + 4 * n + 4);
        ir_jump(b, target, IR_J_CALL);
        break;
    default: ir_branch(b, pick_cond(&f), FUZZ_EXIT_PC, FUZZ_EXIT_PC + 4);
    }
    return ir_builder_finish(b);
}

void fuzz_state(const FuzzProgram *p, FuzzCpu *cpu, uint8_t *mem)
{
    Fuzz f = {.rnd = (p->seed + 3) * UINT64_C(0x2545f4914f6cdd1d)};

    memset(cpu, 0, sizeof *cpu);
    for (unsigned i = 0; i < FUZZ_MEM_BYTES; i++) {
        mem[i] = (uint8_t)rnd(&f, 256);
    }
    for (unsigned i = 0; i < FUZZ_INTS; i++) {
        cpu->x[i] = rnd_value(&f);
    }
    for (unsigned i = 0; i < FUZZ_VECS; i++) {
        cpu->v[i].u64[0] = rnd_value(&f);
        cpu->v[i].u64[1] = rnd_value(&f);
    }
    cpu->w = (uint32_t)rnd_value(&f);
    cpu->flags = rnd(&f, 0x10000);
    cpu->x[FUZZ_S_FUEL] = 1 + rnd(&f, 30);
    cpu->x[FUZZ_S_MEM] = (uint64_t)(uintptr_t)mem;
    cpu->pc = FUZZ_PC;
    cpu->tcg.guest = &fuzz_guest;
}

const char *fuzz_compare(const FuzzCpu *a, const FuzzCpu *b, bool flags)
{
    for (unsigned i = 0; i < FUZZ_SLOTS; i++) {
        const TcgSlot *s = &fuzz_slots[i];
        unsigned bytes = s->type == IR_V128 ? 16 : s->type == IR_I64 ? 8 : 4;

        if (i == FUZZ_S_FLAGS) {
            if (flags && ((a->flags ^ b->flags) & 0xc101)) {
                return s->name;
            }
        } else if (memcmp((const char *)a + s->offset, (const char *)b + s->offset, bytes) != 0) {
            return s->name;
        }
    }
    return NULL;
}
