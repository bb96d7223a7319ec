/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 loads and stores of SIMD&FP registers: single, pair, literal, and the structure forms
 * LD1-LD4, ST1-ST4.
 *
 * Source: Arm ARM (DDI 0487), C4.1 "Loads and Stores", C7.2 LD1..ST4.
 *
 * LD2 and LD4 read the memory in order and unzip it, ST2 and ST4 zip; LD3 and ST3 select bytes by
 * table. All loads of an instruction stand before its first put.
 */
#include "target/arm/tcg/a64_simd.h"

/* Everything an access repeats: the address once stripped of its tag. */
static IrRef mem_ld(A64Ctx *c, unsigned esz, A64Addr a)
{
    return ir_ld(c->b, IR_V128, esz, 0, a.base, a.index, a.scale, a.disp);
}

static void mem_st(A64Ctx *c, unsigned esz, A64Addr a, IrRef v)
{
    ir_st(c->b, esz, 0, a.base, a.index, a.scale, a.disp, v);
}

static void mem_access(A64Ctx *c, const A64Insn *i, unsigned esz, A64Addr a, IrRef *loaded)
{
    a = a64_addr_strip(c, a);
    if (i->l) {
        *loaded = mem_ld(c, esz, a);
    } else {
        mem_st(c, esz, a, a64_v(c, i->rt));
    }
}

static bool mem_size(const A64Insn *i, unsigned *esz)
{
    *esz = i->q ? 4 : i->sz;
    return !i->q || i->sz == 0;
}

bool gen_vldst_i(A64Ctx *c, const A64Insn *i)
{
    unsigned esz;
    if (!mem_size(i, &esz)) {
        return false;
    }
    IrRef v = IR_NONE;
    mem_access(c, i, esz, a64_addr(c, i->rn, (int64_t)i->imm << esz), &v);
    if (i->l) {
        a64_put_v(c, i->rt, v);
    }
    return true;
}

/* 9-bit offset: unscaled, post-indexed, pre-indexed. */
bool gen_vldst_9(A64Ctx *c, const A64Insn *i)
{
    unsigned esz;
    if (!mem_size(i, &esz)) {
        return false;
    }
    int64_t off = a64_sext(i->imm, 9);
    IrRef base = a64_xsp(c, i->rn), v = IR_NONE;
    bool post = i->row == A64_R_VLDST_post;
    mem_access(c, i, esz, a64_addr(c, i->rn, post ? 0 : off), &v);
    if (i->row != A64_R_VLDST_u) {
        a64_put_xsp(c, i->rn, ir_bini(c->b, IR_ADD, IR_I64, base, (uint64_t)off));
    }
    if (i->l) {
        a64_put_v(c, i->rt, v);
    }
    return true;
}

bool gen_vldst_r(A64Ctx *c, const A64Insn *i)
{
    unsigned esz;
    if (!mem_size(i, &esz) || !(i->opt & 2)) {
        return false;
    }
    IrRef v = IR_NONE;
    mem_access(c, i, esz, a64_addr_reg(c, i->rn, i->rm, i->opt, i->s ? esz : 0), &v);
    if (i->l) {
        a64_put_v(c, i->rt, v);
    }
    return true;
}

bool gen_vldr_lit(A64Ctx *c, const A64Insn *i)
{
    if (i->opc == 3) {
        return false;
    }
    uint64_t addr = c->pc + (uint64_t)(a64_sext(i->imm, 19) * 4);
    a64_put_v(c, i->rt, a64_ld(c, IR_V128, 2 + i->opc, 0, a64_addr_of(ir_const_pc(c->b, addr))));
    return true;
}

bool gen_vldstp(A64Ctx *c, const A64Insn *i)
{
    if (i->opc == 3) {
        return false;
    }
    unsigned esz = 2 + i->opc;
    int64_t off = a64_sext(i->imm, 7) * (1 << esz);
    IrRef base = a64_xsp(c, i->rn);
    A64Addr a = a64_addr_strip(c, a64_addr(c, i->rn, i->mode == 1 ? 0 : off));
    A64Addr a2 = a64_addr_add(a, 1 << esz);
    IrRef v1 = IR_NONE, v2 = IR_NONE;
    if (i->l) {
        v1 = mem_ld(c, esz, a);
        v2 = mem_ld(c, esz, a2);
    } else {
        mem_st(c, esz, a, a64_v(c, i->rt));
        mem_st(c, esz, a2, a64_v(c, i->rt2));
    }
    if (i->mode & 1) {
        a64_put_xsp(c, i->rn, ir_bini(c->b, IR_ADD, IR_I64, base, (uint64_t)off));
    }
    if (i->l) {
        a64_put_v(c, i->rt, v1);
        a64_put_v(c, i->rt2, v2);
    }
    return true;
}

/* ---- structures ---- */

typedef struct StructShape {
    unsigned esz, n_regs; /* registers, one after the other */
    bool half;
} StructShape;

/* The byte selections of LD3 (load) and ST3: which byte of source `src` byte `b` of result k is. */
static IrRef struct_mask3(A64Ctx *c, const StructShape *s, unsigned k, unsigned src, bool load)
{
    unsigned bytes = s->half ? 8 : 16;
    uint64_t half[2] = {~0ull, ~0ull};
    for (unsigned b = 0; b < bytes; b++) {
        unsigned el = b >> s->esz, in = b & ((1u << s->esz) - 1), from, at;
        if (load) { /* element el of register k is memory element 3 * el + k */
            at = ((3 * el + k) << s->esz) + in;
            from = at / bytes;
            at %= bytes;
        } else { /* byte b of memory part k is memory element m: register m mod 3 */
            unsigned m = (k * bytes + b) >> s->esz;
            from = m % 3;
            at = (m / 3 << s->esz) + in;
        }
        uint64_t sel = from == src ? at : 0xff;
        half[b / 8] = (half[b / 8] & ~(0xffull << b % 8 * 8)) | sel << b % 8 * 8;
    }
    return ir_vbin(c->b, IR_VCAT, 3, false, ir_vconst(c->b, half[0], true),
                   ir_vconst(c->b, half[1], true));
}

static void struct_permute3(A64Ctx *c, const StructShape *s, IrRef v[4], bool load)
{
    IrRef out[3];
    for (unsigned k = 0; k < 3; k++) {
        IrRef r = IR_NONE;
        for (unsigned src = 0; src < 3; src++) {
            IrRef t = ir_vbin(c->b, IR_VTBL, 0, false, v[src], struct_mask3(c, s, k, src, load));
            r = r == IR_NONE ? t : ir_vbin(c->b, IR_VOR, 3, false, r, t);
        }
        out[k] = r;
    }
    for (unsigned k = 0; k < 3; k++) {
        v[k] = out[k];
    }
}

/* Memory order to registers. */
static void struct_unzip(A64Ctx *c, const StructShape *s, IrRef v[4])
{
    IrBuilder *b = c->b;
    if (s->n_regs == 2) {
        IrRef even = ir_vbin(b, IR_VUZP1, s->esz, s->half, v[0], v[1]);
        v[1] = ir_vbin(b, IR_VUZP2, s->esz, s->half, v[0], v[1]);
        v[0] = even;
    } else if (s->n_regs == 3) {
        struct_permute3(c, s, v, true);
    } else if (s->n_regs == 4) {
        IrRef e0 = ir_vbin(b, IR_VUZP1, s->esz, s->half, v[0], v[1]);
        IrRef e1 = ir_vbin(b, IR_VUZP1, s->esz, s->half, v[2], v[3]);
        IrRef o0 = ir_vbin(b, IR_VUZP2, s->esz, s->half, v[0], v[1]);
        IrRef o1 = ir_vbin(b, IR_VUZP2, s->esz, s->half, v[2], v[3]);
        v[0] = ir_vbin(b, IR_VUZP1, s->esz, s->half, e0, e1);
        v[1] = ir_vbin(b, IR_VUZP1, s->esz, s->half, o0, o1);
        v[2] = ir_vbin(b, IR_VUZP2, s->esz, s->half, e0, e1);
        v[3] = ir_vbin(b, IR_VUZP2, s->esz, s->half, o0, o1);
    }
}

/* Registers to memory order. */
static void struct_zip(A64Ctx *c, const StructShape *s, IrRef v[4])
{
    IrBuilder *b = c->b;
    if (s->n_regs == 2) {
        IrRef lo = ir_vbin(b, IR_VZIP1, s->esz, s->half, v[0], v[1]);
        v[1] = ir_vbin(b, IR_VZIP2, s->esz, s->half, v[0], v[1]);
        v[0] = lo;
    } else if (s->n_regs == 3) {
        struct_permute3(c, s, v, false);
    } else if (s->n_regs == 4) {
        IrRef e0 = ir_vbin(b, IR_VZIP1, s->esz, s->half, v[0], v[2]);
        IrRef e1 = ir_vbin(b, IR_VZIP2, s->esz, s->half, v[0], v[2]);
        IrRef o0 = ir_vbin(b, IR_VZIP1, s->esz, s->half, v[1], v[3]);
        IrRef o1 = ir_vbin(b, IR_VZIP2, s->esz, s->half, v[1], v[3]);
        v[0] = ir_vbin(b, IR_VZIP1, s->esz, s->half, e0, o0);
        v[1] = ir_vbin(b, IR_VZIP2, s->esz, s->half, e0, o0);
        v[2] = ir_vbin(b, IR_VZIP1, s->esz, s->half, e1, o1);
        v[3] = ir_vbin(b, IR_VZIP2, s->esz, s->half, e1, o1);
    }
}

/* Post-index: by Xm, or by the bytes transferred when Rm is 31. */
static void struct_writeback(A64Ctx *c, const A64Insn *i, IrRef base, unsigned bytes)
{
    if (i->word >> 23 & 1) {
        IrRef step = i->rm == 31 ? ir_const(c->b, IR_I64, bytes) : a64_x(c, i->rm);
        a64_put_xsp(c, i->rn, ir_bin(c->b, IR_ADD, IR_I64, base, step));
    }
}

/* Multiple structures. */
bool gen_vldstm(A64Ctx *c, const A64Insn *i)
{
    static const uint8_t regs_of[16] = {
        [0] = 4, [2] = 4, [4] = 3, [6] = 3, [7] = 1, [8] = 2, [10] = 2};
    bool interleaved = !(i->opc & 2);
    StructShape s = {.esz = i->sz, .n_regs = regs_of[i->opc], .half = !i->q};
    if (s.n_regs == 0 || (interleaved && s.esz == 3 && s.half)) {
        return false;
    }
    unsigned access = s.half ? 3 : 4;
    IrRef base = a64_xsp(c, i->rn), v[4];
    A64Addr a = a64_addr_strip(c, a64_addr(c, i->rn, 0));
    if (!i->l) {
        for (unsigned k = 0; k < s.n_regs; k++) {
            v[k] = a64_v(c, (i->rt + k) & 31);
        }
        if (interleaved) {
            struct_zip(c, &s, v);
        }
    }
    for (unsigned k = 0; k < s.n_regs; k++) {
        A64Addr at = a64_addr_add(a, k << access);
        if (i->l) {
            v[k] = mem_ld(c, access, at);
        } else {
            mem_st(c, access, at, v[k]);
        }
    }
    if (i->l && interleaved) {
        struct_unzip(c, &s, v);
    }
    struct_writeback(c, i, base, s.n_regs << access);
    for (unsigned k = 0; i->l && k < s.n_regs; k++) {
        a64_put_v(c, (i->rt + k) & 31, v[k]);
    }
    return true;
}

/* Single structures: scale and lane from opcode<2:1>, q, s, sz. */
static bool struct_lane(const A64Insn *i, unsigned *esz, unsigned *lane)
{
    unsigned where = i->q << 3 | i->s << 2 | i->sz;
    switch (i->opc >> 1) {
    case 0:
        *esz = 0;
        *lane = where;
        return true;
    case 1:
        *esz = 1;
        *lane = where >> 1;
        return !(i->sz & 1);
    case 2:
        *esz = i->sz & 1 ? 3 : 2;
        *lane = i->sz & 1 ? i->q : where >> 2;
        return !(i->sz & 2) && !((i->sz & 1) && i->s);
    default: /* LD1R..LD4R */
        *esz = i->sz;
        *lane = 0;
        return i->l && !i->s;
    }
}

bool gen_vldsts(A64Ctx *c, const A64Insn *i)
{
    unsigned esz, lane, n_regs = ((i->opc & 1) << 1 | i->r) + 1;
    bool replicate = i->opc >> 1 == 3;
    if (!struct_lane(i, &esz, &lane)) {
        return false;
    }
    IrRef base = a64_xsp(c, i->rn), v[4];
    A64Addr a = a64_addr_strip(c, a64_addr(c, i->rn, 0));
    for (unsigned k = 0; k < n_regs; k++) {
        A64Addr at = a64_addr_add(a, k << esz);
        IrRef old = replicate ? IR_NONE : a64_v(c, (i->rt + k) & 31);
        if (i->l) {
            v[k] = ir_ld(c->b, IR_I64, esz, 0, at.base, at.index, at.scale, at.disp);
        } else if (lane == 0) {
            mem_st(c, esz, at, old);
        } else {
            mem_st(c, esz, at, ir_emit(c->b, IR_VEXTR, IR_I64, esz, 0, 0, old, 0, 0, 0, lane));
        }
    }
    for (unsigned k = 0; i->l && k < n_regs; k++) {
        unsigned rt = (i->rt + k) & 31;
        v[k] = replicate
                   ? ir_vun(c->b, IR_VDUP, esz, !i->q, v[k], 0)
                   : ir_emit(c->b, IR_VINS, IR_V128, esz, 0, 0, a64_v(c, rt), v[k], 0, 0, lane);
    }
    struct_writeback(c, i, base, n_regs << esz);
    for (unsigned k = 0; i->l && k < n_regs; k++) {
        a64_put_v(c, (i->rt + k) & 31, v[k]);
    }
    return true;
}
