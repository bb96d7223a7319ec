/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pointer authentication (FEAT_PAuth, with FEAT_FPAC also FEAT_PAuth2) with the QARMA5 cipher.
 *
 * Source: Arm ARM (DDI 0487), shared pseudo-code AddPAC, Auth, Strip, ComputePAC and its parts.
 * Address layout of Linux at EL0: 48-bit addresses, TBI0 = 1 (the lower half carries tags, so its
 * code is bits 54:48), TBI1 = 0.
 */
#include "target/arm/tcg/a64_pauth.h"

/* ---- QARMA5 ---- */

/* Cell n of the output comes from cell shuffle[n] of the input; cell 0 is bits 3:0. */
static const uint8_t shuffle[16] = {13, 6, 11, 0, 7, 12, 1, 10, 8, 3, 14, 5, 2, 9, 4, 15};
static const uint8_t tweak_from[16] = {4, 5, 6, 7, 11, 2, 3, 8, 12, 13, 14, 15, 0, 1, 10, 9};
static const uint16_t tweak_rotated =
    1 << 2 | 1 << 4 | 1 << 7 | 1 << 11 | 1 << 12 | 1 << 14 | 1 << 15;
static const uint8_t sub_cell[16] = {11, 6, 8, 15, 12, 0, 9, 14, 3, 7, 4, 5, 13, 2, 1, 10};
static const uint8_t inv_sub_cell[16] = {5, 14, 13, 8, 10, 11, 1, 9, 2, 6, 15, 0, 4, 12, 7, 3};
static const uint64_t round_const[5] = {
    0x0000000000000000, 0x13198a2e03707344, 0xa4093822299f31d0,
    0x082efa98ec4e6c89, 0x452821e638d01377,
};
static const uint64_t alpha = 0xc0ac29b7c97c50dd;

static unsigned cell(uint64_t v, unsigned n)
{
    return v >> (4 * n) & 15;
}

static uint64_t cell_shuffle(uint64_t v)
{
    uint64_t r = 0;
    for (unsigned n = 0; n < 16; n++) {
        r |= (uint64_t)cell(v, shuffle[n]) << (4 * n);
    }
    return r;
}

static uint64_t cell_inv_shuffle(uint64_t v)
{
    uint64_t r = 0;
    for (unsigned n = 0; n < 16; n++) {
        r |= (uint64_t)cell(v, n) << (4 * shuffle[n]);
    }
    return r;
}

static uint64_t substitute(uint64_t v, const uint8_t box[16])
{
    uint64_t r = 0;
    for (unsigned n = 0; n < 16; n++) {
        r |= (uint64_t)box[cell(v, n)] << (4 * n);
    }
    return r;
}

static unsigned rot_cell(unsigned x, unsigned by)
{
    return (x << by | x >> (4 - by)) & 15;
}

/* PACMult(): each column times circ(0, rot1, rot2, rot1). */
static uint64_t mult(uint64_t v)
{
    uint64_t r = 0;
    for (unsigned n = 0; n < 4; n++) {
        unsigned c0 = cell(v, n), c4 = cell(v, n + 4), c8 = cell(v, n + 8), c12 = cell(v, n + 12);
        unsigned t0 = rot_cell(c8, 1) ^ rot_cell(c4, 2) ^ rot_cell(c0, 1);
        unsigned t1 = rot_cell(c12, 1) ^ rot_cell(c4, 1) ^ rot_cell(c0, 2);
        unsigned t2 = rot_cell(c12, 2) ^ rot_cell(c8, 1) ^ rot_cell(c0, 1);
        unsigned t3 = rot_cell(c12, 1) ^ rot_cell(c8, 2) ^ rot_cell(c4, 1);
        r |= (uint64_t)t3 << (4 * n) | (uint64_t)t2 << (4 * n + 16) | (uint64_t)t1 << (4 * n + 32) |
             (uint64_t)t0 << (4 * n + 48);
    }
    return r;
}

static uint64_t tweak_shuffle(uint64_t v)
{
    uint64_t r = 0;
    for (unsigned n = 0; n < 16; n++) {
        unsigned x = cell(v, tweak_from[n]);
        if (tweak_rotated >> n & 1) {
            x = x >> 1 | ((x ^ x >> 1) & 1) << 3;
        }
        r |= (uint64_t)x << (4 * n);
    }
    return r;
}

static uint64_t tweak_inv_shuffle(uint64_t v)
{
    uint64_t r = 0;
    for (unsigned n = 0; n < 16; n++) {
        unsigned x = cell(v, n);
        if (tweak_rotated >> n & 1) {
            x = (x << 1 & 14) | ((x ^ x >> 3) & 1);
        }
        r |= (uint64_t)x << (4 * tweak_from[n]);
    }
    return r;
}

static uint64_t compute_pac(uint64_t data, uint64_t modifier, uint64_t key0, uint64_t key1)
{
    uint64_t modk0 = (key0 & 1) << 63 | (key0 >> 2) << 1 | ((key0 >> 63 ^ key0 >> 1) & 1);
    uint64_t tweak = modifier, v = data ^ key0;
    for (unsigned n = 0; n < 5; n++) {
        v ^= key1 ^ tweak ^ round_const[n];
        if (n) {
            v = mult(cell_shuffle(v));
        }
        v = substitute(v, sub_cell);
        tweak = tweak_shuffle(tweak);
    }
    v ^= modk0 ^ tweak;
    v = substitute(mult(cell_shuffle(v)), sub_cell);
    v = mult(cell_shuffle(v)) ^ key1;
    v = substitute(cell_inv_shuffle(v), inv_sub_cell);
    v = cell_inv_shuffle(mult(v)) ^ key0 ^ tweak;
    for (unsigned n = 0; n < 5; n++) {
        v = substitute(v, inv_sub_cell);
        if (n < 4) {
            v = cell_inv_shuffle(mult(v));
        }
        tweak = tweak_inv_shuffle(tweak);
        v ^= round_const[4 - n] ^ key1 ^ tweak ^ alpha;
    }
    return v ^ modk0;
}

/* ---- pointers ---- */

enum { BOTTOM = 48 };
static const uint64_t code_bits_tagged = 0x7full << BOTTOM;  /* 54:48 */
static const uint64_t code_bits_plain = 0xff7full << BOTTOM; /* 63:56, 54:48 */

static bool upper_half(uint64_t ptr)
{
    return ptr >> 55 & 1;
}

static uint64_t code_bits(uint64_t ptr)
{
    return upper_half(ptr) ? code_bits_plain : code_bits_tagged;
}

/* The pointer with copies of bit 55 where the code stands. */
static uint64_t canonical(uint64_t ptr)
{
    return upper_half(ptr) ? ptr | code_bits(ptr) : ptr & ~code_bits(ptr);
}

/*
 * Functions sign their return address and check it again with the same modifier, so nearly every
 * check finds the code in the cache; the cipher takes a third of a microsecond.
 */
static uint64_t pac_of(A64Cpu *cpu, uint64_t ptr, uint64_t modifier, uint64_t key)
{
    const uint64_t *k = cpu->pac_key[key];
    uint64_t data = canonical(ptr);
    A64PacEntry *e = &cpu->pac_cache[(data >> 2 ^ modifier >> 4) % A64_PAC_CACHE];
    if (!e->valid || e->data != data || e->modifier != modifier || e->key0 != k[1] ||
        e->key1 != k[0]) {
        *e = (A64PacEntry){data, modifier, k[1], k[0], compute_pac(data, modifier, k[1], k[0]),
                           true};
    }
    return e->pac;
}

uint64_t a64_h_pac_add(struct TcgCpu *tc, uint64_t ptr, uint64_t modifier, uint64_t key, uint64_t d)
{
    (void)d;
    A64Cpu *cpu = (A64Cpu *)(void *)tc;
    uint64_t pac = pac_of(cpu, ptr, modifier, key), mask = code_bits(ptr);
    if (a64_has(cpu, A64_FEAT_FPAC)) { /* FEAT_PAuth2 */
        return ptr ^ (pac & mask);
    }
    uint64_t ext = mask | 1ull << 55; /* top bit down to bit 48 */
    if ((ptr & ext) != 0 && (ptr & ext) != ext) {
        pac ^= upper_half(ptr) ? 1ull << 62 : 1ull << 54;
    }
    return (ptr & ~mask) | (pac & mask);
}

uint64_t a64_h_pac_auth(struct TcgCpu *tc, uint64_t ptr, uint64_t modifier, uint64_t key,
                        uint64_t d)
{
    (void)d;
    A64Cpu *cpu = (A64Cpu *)(void *)tc;
    uint64_t pac = pac_of(cpu, ptr, modifier, key), mask = code_bits(ptr);
    if (a64_has(cpu, A64_FEAT_FPAC)) {
        return ptr ^ (pac & mask);
    }
    uint64_t plain = canonical(ptr);
    if (((pac ^ ptr) & mask) == 0) {
        return plain;
    }
    uint64_t error = key == A64_KEY_IB || key == A64_KEY_DB ? 2 : 1;
    unsigned at = upper_half(ptr) ? 61 : 53;
    return (plain & ~(3ull << at)) | error << at;
}

uint64_t a64_h_pac_ga(struct TcgCpu *tc, uint64_t v, uint64_t modifier, uint64_t c, uint64_t d)
{
    (void)c;
    (void)d;
    const uint64_t *k = ((const A64Cpu *)(const void *)tc)->pac_key[A64_KEY_GA];
    return compute_pac(v, modifier, k[1], k[0]) & 0xffffffff00000000;
}

/* ---- translation ---- */

static IrRef pac_call(A64Ctx *c, A64HelperId h, A64PacKey key, IrRef ptr, IrRef modifier)
{
    return ir_emit(c->b, IR_CALLP, IR_I64, 0, 0, 0, ptr, modifier, ir_const(c->b, IR_I64, key), 0,
                   h);
}

IrRef a64_pac_add(A64Ctx *c, A64PacKey key, IrRef ptr, IrRef modifier)
{
    return pac_call(c, A64_H_pac_add, key, ptr, modifier);
}

IrRef a64_pac_auth(A64Ctx *c, A64PacKey key, IrRef ptr, IrRef modifier)
{
    IrBuilder *b = c->b;
    IrRef r = pac_call(c, A64_H_pac_auth, key, ptr, modifier);
    if (!a64_feat(c, A64_FEAT_FPAC)) {
        return r;
    }
    /* right when bits 55:48 are 0, or bits 63:48 all 1 */
    IrRef zero = ir_const(b, IR_I64, 0);
    IrRef upper =
        ir_cmp(b, IR_EQ, 3, ir_bini(b, IR_SAR, IR_I64, r, BOTTOM), ir_const(b, IR_I64, ~0ull));
    IrRef rest = ir_select(b, IR_I64, upper, zero, a64_bits(c, IR_I64, false, r, BOTTOM, 8));
    IrBlk good = ir_new_block(b, c->pc, true), bad = ir_new_block(b, c->pc, true);
    ir_brc(b, ir_cmp(b, IR_EQ, 3, rest, zero), good, bad);
    ir_set_block(b, bad);
    ir_raise(b, TCG_EXIT_PAC, key, c->pc);
    ir_set_block(b, good);
    return r;
}

IrRef a64_pac_strip(A64Ctx *c, IrRef ptr)
{
    IrBuilder *b = c->b;
    IrRef bit = ir_bini(b, IR_AND, IR_I64, ptr, 1ull << 55);
    IrRef upper = ir_cmp(b, IR_NE, 3, bit, ir_const(b, IR_I64, 0));
    return ir_select(b, IR_I64, upper, ir_bini(b, IR_OR, IR_I64, ptr, code_bits_plain),
                     ir_bini(b, IR_AND, IR_I64, ptr, ~code_bits_tagged));
}

/* PAC*, AUT*: rd with the given modifier. */
static bool pac_or_aut(A64Ctx *c, const A64Insn *i, IrRef modifier)
{
    IrRef ptr = a64_x(c, i->rd);
    IrRef r = i->aut ? a64_pac_auth(c, (A64PacKey)i->key, ptr, modifier)
                     : a64_pac_add(c, (A64PacKey)i->key, ptr, modifier);
    a64_put_x(c, i->rd, r);
    return true;
}

bool gen_PAC(A64Ctx *c, const A64Insn *i)
{
    return pac_or_aut(c, i, a64_xsp(c, i->rn));
}

bool gen_PACZ(A64Ctx *c, const A64Insn *i)
{
    return pac_or_aut(c, i, ir_const(c->b, IR_I64, 0));
}

bool gen_XPAC(A64Ctx *c, const A64Insn *i)
{
    a64_put_x(c, i->rd, a64_pac_strip(c, a64_x(c, i->rd)));
    return true;
}

bool gen_PACGA(A64Ctx *c, const A64Insn *i)
{
    a64_put_x(c, i->rd,
              ir_emit(c->b, IR_CALLP, IR_I64, 0, 0, 0, a64_x(c, i->rn), a64_xsp(c, i->rm), 0, 0,
                      A64_H_pac_ga));
    return true;
}

bool gen_LDRA(A64Ctx *c, const A64Insn *i)
{
    int64_t off = a64_sext(i->imm, 10) * 8;
    IrRef base = a64_pac_auth(c, i->m ? A64_KEY_DB : A64_KEY_DA, a64_xsp(c, i->rn),
                              ir_const(c->b, IR_I64, 0));
    IrRef addr = ir_bini(c->b, IR_ADD, IR_I64, base, (uint64_t)off);
    IrRef v = a64_ld(c, IR_I64, 3, 0, a64_addr_of(addr));
    a64_put_x(c, i->rt, v);
    if (i->w) {
        a64_put_xsp(c, i->rn, addr);
    }
    return true;
}

bool a64_pac_hint(A64Ctx *c, unsigned hint)
{
    /* 8, 10, 12, 14: x17 with x16; 24..31: x30 with zero (even) or SP; bit 2: AUT, bit 1: key B */
    bool with_x16 = hint >= 8 && hint < 16 && !(hint & 1);
    if (hint == 7) {
        a64_put_x(c, 30, a64_pac_strip(c, a64_x(c, 30)));
        return true;
    }
    if (!with_x16 && (hint < 24 || hint > 31)) {
        return false;
    }
    unsigned reg = with_x16 ? 17 : 30;
    IrRef modifier = with_x16   ? a64_x(c, 16)
                     : hint & 1 ? a64_xsp(c, 31)
                                : ir_const(c->b, IR_I64, 0);
    A64PacKey key = hint & 2 ? A64_KEY_IB : A64_KEY_IA;
    IrRef ptr = a64_x(c, reg);
    a64_put_x(c, reg,
              hint & 4 ? a64_pac_auth(c, key, ptr, modifier) : a64_pac_add(c, key, ptr, modifier));
    return true;
}
