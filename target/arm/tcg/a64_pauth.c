/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pointer authentication (FEAT_PAuth, with FEAT_FPAC also FEAT_PAuth2) with the QARMA5 cipher.
 *
 * Source: Arm ARM (DDI 0487), shared pseudo-code AddPAC, Auth, Strip, ComputePAC and its parts.
 * The layout that is checked inline is Linux's: 48-bit addresses, TBI0 = 1 (the lower half carries
 * tags, so its code is bits 54:48), TBI1 = 0. Others (system level only) go through helpers.
 */
#include "target/arm/tcg/a64_pauth.h"

/* ---- QARMA5 ---- */

/*
 * A state is 16 cells of 4 bits, here one a byte, so that a permutation and an S-box are one byte
 * shuffle each (PSHUFB on the host). Cell 0 is bits 3:0.
 */
typedef uint8_t Cells __attribute__((vector_size(16)));
typedef uint64_t Halves __attribute__((vector_size(16)));

/* Cell n of the output comes from cell shuffle[n] of the input. */
static const Cells shuffle = {13, 6, 11, 0, 7, 12, 1, 10, 8, 3, 14, 5, 2, 9, 4, 15};
static const Cells inv_shuffle = {3, 6, 12, 9, 14, 11, 1, 4, 8, 13, 7, 2, 5, 0, 10, 15};
static const Cells tweak_from = {4, 5, 6, 7, 11, 2, 3, 8, 12, 13, 14, 15, 0, 1, 10, 9};
static const Cells tweak_back = {12, 13, 5, 6, 0, 1, 2, 3, 7, 15, 14, 4, 8, 9, 10, 11};
/* Which cells of a tweak go through the feedback register, after the permutation forwards. */
static const Cells tweak_rotated = {0, 0, 255, 0, 255, 0, 0, 255, 0, 0, 0, 255, 255, 0, 255, 255};
static const Cells feedback = {0, 8, 9, 1, 2, 10, 11, 3, 4, 12, 13, 5, 6, 14, 15, 7};
static const Cells inv_feedback = {0, 3, 4, 7, 8, 11, 12, 15, 1, 2, 5, 6, 9, 10, 13, 14};
static const Cells sub_cell = {11, 6, 8, 15, 12, 0, 9, 14, 3, 7, 4, 5, 13, 2, 1, 10};
static const Cells inv_sub_cell = {5, 14, 13, 8, 10, 11, 1, 9, 2, 6, 15, 0, 4, 12, 7, 3};
static const Cells rot1 = {0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15};
static const Cells rot2 = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
static const Cells by4 = {4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3};
static const Cells by8 = {8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7};
static const Cells by12 = {12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
static const uint64_t round_const[5] = {
    0x0000000000000000, 0x13198a2e03707344, 0xa4093822299f31d0,
    0x082efa98ec4e6c89, 0x452821e638d01377,
};
static const uint64_t alpha = 0xc0ac29b7c97c50dd;

#if defined(__x86_64__)
#define CIPHER static inline __attribute__((target("ssse3"), always_inline))
#define CIPHER_ENTRY __attribute__((target("ssse3")))
#else
#define CIPHER static inline __attribute__((always_inline))
#define CIPHER_ENTRY
#endif

CIPHER Cells cells_of(uint64_t v)
{
    static const Cells zip = {0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15};
    Halves h = {v & 0x0f0f0f0f0f0f0f0f, v >> 4 & 0x0f0f0f0f0f0f0f0f};
    return __builtin_shuffle((Cells)h, zip);
}

CIPHER uint64_t word_of(Cells c)
{
    static const Cells unzip = {0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15};
    Halves h = (Halves)__builtin_shuffle(c, unzip);
    return h[0] | h[1] << 4;
}

/* Each cell x becomes box[x]. */
CIPHER Cells substitute(Cells box, Cells c)
{
    return __builtin_shuffle(box, c);
}

/* PACMult(): columns times circ(0, rot1, rot2, rot1). */
CIPHER Cells mult(Cells c)
{
    Cells odd = __builtin_shuffle(c, by4) ^ __builtin_shuffle(c, by12);
    return substitute(rot1, odd) ^ substitute(rot2, __builtin_shuffle(c, by8));
}

CIPHER Cells tweak_shuffle(Cells t)
{
    t = __builtin_shuffle(t, tweak_from);
    return (t & ~tweak_rotated) | (substitute(feedback, t) & tweak_rotated);
}

CIPHER Cells tweak_inv_shuffle(Cells t)
{
    t = (t & ~tweak_rotated) | (substitute(inv_feedback, t) & tweak_rotated);
    return __builtin_shuffle(t, tweak_back);
}

CIPHER_ENTRY static uint64_t compute_pac(uint64_t data, uint64_t modifier, uint64_t key0,
                                         uint64_t key1)
{
    uint64_t modk0 = (key0 & 1) << 63 | (key0 >> 2) << 1 | ((key0 >> 63 ^ key0 >> 1) & 1);
    Cells tweak = cells_of(modifier), k0 = cells_of(key0), k1 = cells_of(key1);
    Cells mk0 = cells_of(modk0), k1a = k1 ^ cells_of(alpha), v = cells_of(data) ^ k0;
    for (unsigned n = 0; n < 5; n++) {
        v ^= k1 ^ tweak ^ cells_of(round_const[n]);
        if (n) {
            v = mult(__builtin_shuffle(v, shuffle));
        }
        v = substitute(sub_cell, v);
        tweak = tweak_shuffle(tweak);
    }
    v ^= mk0 ^ tweak;
    v = substitute(sub_cell, mult(__builtin_shuffle(v, shuffle)));
    v = mult(__builtin_shuffle(v, shuffle)) ^ k1;
    v = substitute(inv_sub_cell, __builtin_shuffle(v, inv_shuffle));
    v = __builtin_shuffle(mult(v), inv_shuffle) ^ k0 ^ tweak;
    for (unsigned n = 0; n < 5; n++) {
        v = substitute(inv_sub_cell, v);
        if (n < 4) {
            v = __builtin_shuffle(mult(v), inv_shuffle);
        }
        tweak = tweak_inv_shuffle(tweak);
        v ^= cells_of(round_const[4 - n]) ^ k1a ^ tweak;
    }
    return word_of(v ^ mk0);
}

/* ---- pointers ---- */

static bool upper_half(uint64_t ptr)
{
    return ptr >> 55 & 1;
}

/*
 * Where the code stands: below bit 55 down to the address size, and in the top byte unless that is
 * ignored. User mode: 48-bit addresses, tags in the lower half only, as under Linux.
 */
static uint64_t code_bits(const A64Cpu *cpu, uint64_t ptr, uint64_t key)
{
    static const uint64_t linux_mask[2] = {0x7full << 48, 0xff7full << 48};
    bool half = upper_half(ptr);
    if (!cpu->sysops) {
        return linux_mask[half];
    }
    return cpu->sys.view[cpu->sys.pstate >> 2 & 3].pac_mask[key > A64_KEY_IB][half];
}

/* The pointer with copies of bit 55 where the code stands. */
static uint64_t canonical(uint64_t ptr, uint64_t mask)
{
    return upper_half(ptr) ? ptr | mask : ptr & ~mask;
}

/*
 * Functions sign their return address and check it again with the same modifier, so nearly every
 * check finds the code in the cache; the cipher takes a third of a microsecond.
 */
static uint64_t pac_of(A64Cpu *cpu, uint64_t data, uint64_t modifier, uint64_t key)
{
    const uint64_t *k = cpu->pac_key[key];
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
    uint64_t mask = code_bits(cpu, ptr, key);
    uint64_t pac = pac_of(cpu, canonical(ptr, mask), modifier, key);
    if (a64_has(cpu, A64_FEAT_FPAC)) { /* FEAT_PAuth2 */
        return ptr ^ (pac & mask);
    }
    uint64_t ext = mask | 1ull << 55; /* top bit down to the lowest */
    if ((ptr & ext) != 0 && (ptr & ext) != ext) {
        pac ^= upper_half(ptr) && (mask >> 63) ? 1ull << 62 : 1ull << 54;
    }
    return (ptr & ~mask) | (pac & mask);
}

uint64_t a64_h_pac_auth(struct TcgCpu *tc, uint64_t ptr, uint64_t modifier, uint64_t key,
                        uint64_t d)
{
    (void)d;
    A64Cpu *cpu = (A64Cpu *)(void *)tc;
    uint64_t mask = code_bits(cpu, ptr, key), plain = canonical(ptr, mask);
    uint64_t pac = pac_of(cpu, plain, modifier, key);
    if (a64_has(cpu, A64_FEAT_FPAC)) {
        return ptr ^ (pac & mask);
    }
    if (((pac ^ ptr) & mask) == 0) {
        return plain;
    }
    uint64_t error = key == A64_KEY_IB || key == A64_KEY_DB ? 2 : 1;
    unsigned at = mask >> 63 ? 61 : 53;
    return (plain & ~(3ull << at)) | error << at;
}

/* Is what pac_auth left an address (FEAT_FPAC)? */
uint64_t a64_h_pac_good(struct TcgCpu *tc, uint64_t ptr, uint64_t key, uint64_t c, uint64_t d)
{
    (void)c;
    (void)d;
    const A64Cpu *cpu = (const A64Cpu *)(const void *)tc;
    return canonical(ptr, code_bits(cpu, ptr, key)) == ptr;
}

uint64_t a64_h_pac_strip(struct TcgCpu *tc, uint64_t ptr, uint64_t key, uint64_t c, uint64_t d)
{
    (void)c;
    (void)d;
    const A64Cpu *cpu = (const A64Cpu *)(const void *)tc;
    return canonical(ptr, code_bits(cpu, ptr, key));
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

/* SCTLR_ELx.EnIA and so on: without it nothing is signed or checked. */
static bool key_off(const A64Ctx *c, A64PacKey key)
{
    return key <= A64_KEY_DB && (c->mode & (uint64_t)A64_MODE_NO_IA << key);
}

IrRef a64_pac_add(A64Ctx *c, A64PacKey key, IrRef ptr, IrRef modifier)
{
    if (key_off(c, key)) {
        return ptr;
    }
    return pac_call(c, A64_H_pac_add, key, ptr, modifier);
}

enum { BOTTOM = 48 }; /* of the layout that is checked inline */

static bool is_odd(const A64Ctx *c, A64PacKey key)
{
    return c->mode & (key <= A64_KEY_IB ? A64_MODE_PACODD : A64_MODE_PACODD_DATA);
}

/* I1: r, from the auth helper, is an address. */
static IrRef is_address(A64Ctx *c, A64PacKey key, IrRef r)
{
    IrBuilder *b = c->b;
    IrRef zero = ir_const(b, IR_I64, 0);
    if (is_odd(c, key)) {
        IrRef good = ir_emit(b, IR_CALLP, IR_I64, 0, 0, 0, r, ir_const(b, IR_I64, key), 0, 0,
                             A64_H_pac_good);
        return ir_cmp(b, IR_NE, 3, good, zero);
    }
    /* bits 55:48 are 0, or bits 63:48 all 1 */
    IrRef upper =
        ir_cmp(b, IR_EQ, 3, ir_bini(b, IR_SAR, IR_I64, r, BOTTOM), ir_const(b, IR_I64, ~0ull));
    IrRef rest = ir_select(b, IR_I64, upper, zero, a64_bits(c, IR_I64, false, r, BOTTOM, 8));
    return ir_cmp(b, IR_EQ, 3, rest, zero);
}

IrRef a64_pac_auth(A64Ctx *c, A64PacKey key, IrRef ptr, IrRef modifier)
{
    IrBuilder *b = c->b;
    if (key_off(c, key)) {
        return ptr;
    }
    IrRef r = pac_call(c, A64_H_pac_auth, key, ptr, modifier);
    if (!a64_feat(c, A64_FEAT_FPAC)) {
        return r;
    }
    IrRef ok = is_address(c, key, r);
    IrBlk good = ir_new_block(b, c->pc, true), bad = ir_new_block(b, c->pc, true);
    ir_brc(b, ok, good, bad);
    ir_set_block(b, bad);
    ir_raise(b, TCG_EXIT_PAC, key, c->pc);
    ir_set_block(b, good);
    return r;
}

IrRef a64_pac_strip(A64Ctx *c, A64PacKey key, IrRef ptr)
{
    IrBuilder *b = c->b;
    if (is_odd(c, key)) {
        return ir_emit(b, IR_CALLP, IR_I64, 0, 0, 0, ptr, ir_const(b, IR_I64, key), 0, 0,
                       A64_H_pac_strip);
    }
    IrRef bit = ir_bini(b, IR_AND, IR_I64, ptr, 1ull << 55);
    IrRef upper = ir_cmp(b, IR_NE, 3, bit, ir_const(b, IR_I64, 0));
    return ir_select(b, IR_I64, upper, ir_bini(b, IR_OR, IR_I64, ptr, 0xff7full << BOTTOM),
                     ir_bini(b, IR_AND, IR_I64, ptr, ~(0x7full << BOTTOM)));
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
    a64_put_x(c, i->rd, a64_pac_strip(c, i->d ? A64_KEY_DA : A64_KEY_IA, a64_x(c, i->rd)));
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
        a64_put_x(c, 30, a64_pac_strip(c, A64_KEY_IA, a64_x(c, 30)));
        return true;
    }
    if (!with_x16 && (hint < 24 || hint > 31)) {
        return false;
    }
    if ((c->mode & A64_MODE_PACTRAP) && a64_insn_trapped(c, A64_FEAT_PAuth, 0)) {
        return true;
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
