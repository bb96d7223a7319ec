/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x86-64 encoder: one function per instruction form, no tables to interpret.
 *
 * Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, "Instruction
 * Format" and the opcode pages.
 *
 * Sizes `sz` are log2 bytes: 0 = 8, 1 = 16, 2 = 32, 3 = 64 bits.  Operand order is Intel's:
 * destination first.  Suffixes: r register, m memory, i immediate; x64_alu_rm: reg <- reg op mem.
 *
 * Buffer: code is written at p and runs at p + delta.  Every function needs 16 bytes of room; when
 * there are less it sets `overflow` and goes on at `start`, so that callers test once, at the end.
 *
 * Vector instructions are named by a descriptor (XV_...), see the bottom: x64_v3() emits the AVX
 * three-operand form, or the SSE form with the moves it needs.
 */
#ifndef GEMEL_TCG_X64_ASM_H
#define GEMEL_TCG_X64_ASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct X64Asm {
    uint8_t  *p, *start, *end;
    ptrdiff_t delta;    /* running address - written address */
    bool      overflow;
    bool      avx;      /* x64_v*() may use VEX */
} X64Asm;

enum { X64_MEM_NONE = 0xff, X64_MEM_RIP = 0xfe };

/* [base + index << scale + disp], or the fixed running address `rip` (+ disp). */
typedef struct X64Mem {
    uint8_t base;    /* 0-15, X64_MEM_NONE, X64_MEM_RIP */
    uint8_t index;   /* 0-15 but rsp, X64_MEM_NONE */
    uint8_t scale;   /* 0-3 */
    uint8_t pad;
    int32_t disp;
    const void *rip;
} X64Mem;

static inline X64Mem x64_mem(unsigned base, int32_t disp)
{
    return (X64Mem){ .base = (uint8_t)base, .index = X64_MEM_NONE, .disp = disp };
}
static inline X64Mem x64_mem_idx(unsigned base, unsigned index, unsigned scale, int32_t disp)
{
    return (X64Mem){ .base = (uint8_t)base, .index = (uint8_t)index, .scale = (uint8_t)scale,
                     .disp = disp };
}
/* The operand at running address p, which must be within 2 GiB of the code. */
static inline X64Mem x64_mem_rip(const void *p)
{
    return (X64Mem){ .base = X64_MEM_RIP, .index = X64_MEM_NONE, .rip = p };
}

/* A place in the code. Zero-initialised: not bound, no jumps to it. Offsets are from `start`. */
typedef struct X64Label {
    int32_t pos;   /* offset + 1 once bound */
    int32_t fix;   /* offset + 1 of the last rel32 field to be filled; they form a chain */
} X64Label;

static inline uint32_t x64_offset(const X64Asm *a) { return (uint32_t)(a->p - a->start); }
static inline const uint8_t *x64_rx(const X64Asm *a) { return a->p + a->delta; }

void x64_asm_init(X64Asm *a, uint8_t *rw, size_t bytes, const uint8_t *rx, bool avx);
/* Binds l here and fills the jumps to it. */
void x64_bind(X64Asm *a, X64Label *l);

/* ---- the three primitives everything else is made of; desc as below ---- */

/*
 * A descriptor: opcode byte, map (0: one byte, 1: 0F, 2: 0F38, 3: 0F3A, 5, 6: EVEX only), mandatory
 * prefix pp (0: none, 1: 66, 2: F3, 3: F2), W; for EVEX its own W and log2 of the disp8 unit.
 */
enum {
    XD_W = 1u << 13, XD_EW = 1u << 14, XD_L256 = 1u << 18,
    XD_COMM = 1u << 19,  /* the operands may be swapped bit for bit */
    XD_R8 = 1u << 20,    /* reg is a byte register */
    XD_RM8 = 1u << 21,   /* r/m is a byte register */
    XD_O16 = 1u << 22,   /* operand-size prefix on top of a mandatory one (popcnt r16 ...) */
    XD_LOCK = 1u << 23,
};
#define XD(pp, map, op) ((uint32_t)(op) | (uint32_t)(map) << 8 | (uint32_t)(pp) << 11)
#define XD_N(n) ((uint32_t)(n) << 15)

/* imm_bytes 0, 1, 2, 4 of imm follow the operands. */
void x64_op_rr(X64Asm *a, uint32_t desc, unsigned reg, unsigned rm);
void x64_op_rm(X64Asm *a, uint32_t desc, unsigned reg, X64Mem m);
void x64_op_rri(X64Asm *a, uint32_t desc, unsigned reg, unsigned rm, unsigned imm_bytes,
                uint32_t imm);
void x64_op_rmi(X64Asm *a, uint32_t desc, unsigned reg, X64Mem m, unsigned imm_bytes,
                uint32_t imm);
/* VEX; v is the extra source (0 when unused). imm < 0: none. */
void x64_vex_rr(X64Asm *a, uint32_t desc, unsigned reg, unsigned v, unsigned rm, int imm);
void x64_vex_rm(X64Asm *a, uint32_t desc, unsigned reg, unsigned v, X64Mem m, int imm);
/* EVEX. opt: k | z << 3 | b << 4 | LL << 5; registers 0-31. */
enum { XE_Z = 1 << 3, XE_B = 1 << 4, XE_256 = 1 << 5, XE_512 = 2 << 5,
       XE_RN = 1 << 4, XE_RD = XE_RN | 1 << 5, XE_RU = XE_RN | 2 << 5, XE_RZ = XE_RN | 3 << 5 };
void x64_evex_rr(X64Asm *a, uint32_t desc, unsigned opt, unsigned reg, unsigned v, unsigned rm,
                 int imm);
void x64_evex_rm(X64Asm *a, uint32_t desc, unsigned opt, unsigned reg, unsigned v, X64Mem m,
                 int imm);
void x64_bytes(X64Asm *a, const void *bytes, unsigned n); /* n <= 16 */
static inline void x64_byte(X64Asm *a, uint8_t b) { x64_bytes(a, &b, 1); }

/* The size part of a descriptor whose opcode is odd for 16..64 bits and even for 8. */
static inline uint32_t x64_sz(uint32_t desc, unsigned sz)
{
    static const uint32_t t[4] = { XD_R8 | XD_RM8, 1 | XD_O16, 1, 1 | XD_W };
    return desc | t[sz];
}
/* The same for opcodes without a byte form. */
static inline uint32_t x64_sz2(uint32_t desc, unsigned sz)
{
    static const uint32_t t[4] = { 0, XD_O16, 0, XD_W };
    return desc | t[sz];
}

/* ---- integer: two-operand arithmetic ---- */
enum { X64_ALU_ADD, X64_ALU_OR, X64_ALU_ADC, X64_ALU_SBB, X64_ALU_AND, X64_ALU_SUB, X64_ALU_XOR,
       X64_ALU_CMP };

static inline void x64_alu_rr(X64Asm *a, unsigned sz, unsigned op, unsigned d, unsigned s)
{
    x64_op_rr(a, x64_sz(XD(0, 0, op << 3), sz), s, d);
}
static inline void x64_alu_rm(X64Asm *a, unsigned sz, unsigned op, unsigned d, X64Mem m)
{
    x64_op_rm(a, x64_sz(XD(0, 0, op << 3 | 2), sz), d, m);
}
static inline void x64_alu_mr(X64Asm *a, unsigned sz, unsigned op, X64Mem m, unsigned s)
{
    x64_op_rm(a, x64_sz(XD(0, 0, op << 3), sz), s, m);
}
void x64_alu_ri(X64Asm *a, unsigned sz, unsigned op, unsigned d, int32_t imm);
void x64_alu_mi(X64Asm *a, unsigned sz, unsigned op, X64Mem m, int32_t imm);

static inline void x64_test_rr(X64Asm *a, unsigned sz, unsigned d, unsigned s)
{
    x64_op_rr(a, x64_sz(XD(0, 0, 0x84), sz), s, d);
}
static inline void x64_test_mr(X64Asm *a, unsigned sz, X64Mem m, unsigned s)
{
    x64_op_rm(a, x64_sz(XD(0, 0, 0x84), sz), s, m);
}
static inline unsigned x64_imm_bytes(unsigned sz) { return sz == 3 ? 4 : 1u << sz; }
static inline void x64_test_ri(X64Asm *a, unsigned sz, unsigned d, int32_t imm)
{
    x64_op_rri(a, x64_sz(XD(0, 0, 0xf6), sz), 0, d, x64_imm_bytes(sz), (uint32_t)imm);
}
static inline void x64_test_mi(X64Asm *a, unsigned sz, X64Mem m, int32_t imm)
{
    x64_op_rmi(a, x64_sz(XD(0, 0, 0xf6), sz), 0, m, x64_imm_bytes(sz), (uint32_t)imm);
}

/* ---- moves ---- */
/* sz 2 zero-extends to 64 bits (also when d == s). */
static inline void x64_mov_rr(X64Asm *a, unsigned sz, unsigned d, unsigned s)
{
    x64_op_rr(a, x64_sz(XD(0, 0, 0x88), sz), s, d);
}
static inline void x64_mov_rm(X64Asm *a, unsigned sz, unsigned d, X64Mem m)
{
    x64_op_rm(a, x64_sz(XD(0, 0, 0x8a), sz), d, m);
}
static inline void x64_mov_mr(X64Asm *a, unsigned sz, X64Mem m, unsigned s)
{
    x64_op_rm(a, x64_sz(XD(0, 0, 0x88), sz), s, m);
}
static inline void x64_mov_mi(X64Asm *a, unsigned sz, X64Mem m, int32_t imm)
{
    x64_op_rmi(a, x64_sz(XD(0, 0, 0xc6), sz), 0, m, x64_imm_bytes(sz), (uint32_t)imm);
}
/* The shortest form without touching EFLAGS (no xor). */
void x64_mov_ri(X64Asm *a, unsigned d, uint64_t imm);
/* From 8, 16 (or 32) bits to 64. */
static inline void x64_movzx_rr(X64Asm *a, unsigned sz, unsigned d, unsigned s)
{
    if (sz >= 2) {
        x64_mov_rr(a, sz, d, s);
    } else {
        x64_op_rr(a, XD(0, 1, 0xb6 | sz) | (sz == 0 ? XD_RM8 : 0), d, s);
    }
}
static inline void x64_movzx_rm(X64Asm *a, unsigned sz, unsigned d, X64Mem m)
{
    if (sz >= 2) {
        x64_mov_rm(a, sz, d, m);
    } else {
        x64_op_rm(a, XD(0, 1, 0xb6 | sz), d, m);
    }
}
/* From sz to dsz (2, 3); sz == dsz is a plain move. */
static inline uint32_t x64_movsx_desc(unsigned dsz, unsigned sz)
{
    uint32_t w = dsz == 3 ? XD_W : 0;

    return sz == 2 ? XD(0, 0, 0x63) | w : (XD(0, 1, 0xbe | sz) | w) | (sz == 0 ? XD_RM8 : 0);
}
static inline void x64_movsx_rr(X64Asm *a, unsigned dsz, unsigned sz, unsigned d, unsigned s)
{
    if (sz >= dsz) {
        x64_mov_rr(a, dsz, d, s);
    } else {
        x64_op_rr(a, x64_movsx_desc(dsz, sz), d, s);
    }
}
static inline void x64_movsx_rm(X64Asm *a, unsigned dsz, unsigned sz, unsigned d, X64Mem m)
{
    if (sz >= dsz) {
        x64_mov_rm(a, dsz, d, m);
    } else {
        x64_op_rm(a, x64_movsx_desc(dsz, sz), d, m);
    }
}
static inline void x64_lea(X64Asm *a, unsigned sz, unsigned d, X64Mem m)
{
    x64_op_rm(a, x64_sz2(XD(0, 0, 0x8d), sz), d, m);
}
static inline void x64_xchg_rr(X64Asm *a, unsigned sz, unsigned d, unsigned s)
{
    x64_op_rr(a, x64_sz(XD(0, 0, 0x86), sz), s, d);
}
static inline void x64_push(X64Asm *a, unsigned r)
{
    uint8_t b[2] = { 0x41, (uint8_t)(0x50 | (r & 7)) };
    x64_bytes(a, b + (r < 8), r < 8 ? 1 : 2);
}
static inline void x64_pop(X64Asm *a, unsigned r)
{
    uint8_t b[2] = { 0x41, (uint8_t)(0x58 | (r & 7)) };
    x64_bytes(a, b + (r < 8), r < 8 ? 1 : 2);
}
static inline void x64_push_m(X64Asm *a, X64Mem m) { x64_op_rm(a, XD(0, 0, 0xff), 6, m); }
static inline void x64_pop_m(X64Asm *a, X64Mem m) { x64_op_rm(a, XD(0, 0, 0x8f), 0, m); }
static inline void x64_cmov_rr(X64Asm *a, unsigned sz, unsigned cc, unsigned d, unsigned s)
{
    x64_op_rr(a, x64_sz2(XD(0, 1, 0x40 | cc), sz), d, s);
}
static inline void x64_cmov_rm(X64Asm *a, unsigned sz, unsigned cc, unsigned d, X64Mem m)
{
    x64_op_rm(a, x64_sz2(XD(0, 1, 0x40 | cc), sz), d, m);
}
static inline void x64_setcc(X64Asm *a, unsigned cc, unsigned d)
{
    x64_op_rr(a, XD(0, 1, 0x90 | cc) | XD_RM8, 0, d);
}
static inline void x64_setcc_m(X64Asm *a, unsigned cc, X64Mem m)
{
    x64_op_rm(a, XD(0, 1, 0x90 | cc), 0, m);
}

/* ---- shifts ---- */
enum { X64_SH_ROL, X64_SH_ROR, X64_SH_RCL, X64_SH_RCR, X64_SH_SHL, X64_SH_SHR, X64_SH_SAR = 7 };

static inline void x64_shift_ri(X64Asm *a, unsigned sz, unsigned op, unsigned d, unsigned n)
{
    if (n == 1) {
        x64_op_rr(a, x64_sz(XD(0, 0, 0xd0), sz), op, d);
    } else {
        x64_op_rri(a, x64_sz(XD(0, 0, 0xc0), sz), op, d, 1, n);
    }
}
static inline void x64_shift_mi(X64Asm *a, unsigned sz, unsigned op, X64Mem m, unsigned n)
{
    x64_op_rmi(a, x64_sz(XD(0, 0, 0xc0), sz), op, m, 1, n);
}
static inline void x64_shift_rcl(X64Asm *a, unsigned sz, unsigned op, unsigned d) /* by cl */
{
    x64_op_rr(a, x64_sz(XD(0, 0, 0xd2), sz), op, d);
}
/* d = high or low half of the pair shifted; sz 1-3 */
static inline void x64_shld_ri(X64Asm *a, unsigned sz, unsigned d, unsigned s, unsigned n)
{
    x64_op_rri(a, x64_sz2(XD(0, 1, 0xa4), sz), s, d, 1, n);
}
static inline void x64_shrd_ri(X64Asm *a, unsigned sz, unsigned d, unsigned s, unsigned n)
{
    x64_op_rri(a, x64_sz2(XD(0, 1, 0xac), sz), s, d, 1, n);
}
static inline void x64_shld_rcl(X64Asm *a, unsigned sz, unsigned d, unsigned s)
{
    x64_op_rr(a, x64_sz2(XD(0, 1, 0xa5), sz), s, d);
}
static inline void x64_shrd_rcl(X64Asm *a, unsigned sz, unsigned d, unsigned s)
{
    x64_op_rr(a, x64_sz2(XD(0, 1, 0xad), sz), s, d);
}

/* ---- multiply, divide, one operand ---- */
static inline void x64_imul_rr(X64Asm *a, unsigned sz, unsigned d, unsigned s)
{
    x64_op_rr(a, x64_sz2(XD(0, 1, 0xaf), sz), d, s);
}
static inline void x64_imul_rm(X64Asm *a, unsigned sz, unsigned d, X64Mem m)
{
    x64_op_rm(a, x64_sz2(XD(0, 1, 0xaf), sz), d, m);
}
void x64_imul_rri(X64Asm *a, unsigned sz, unsigned d, unsigned s, int32_t imm);
void x64_imul_rmi(X64Asm *a, unsigned sz, unsigned d, X64Mem m, int32_t imm);
enum { X64_UN_NOT = 2, X64_UN_NEG, X64_UN_MUL, X64_UN_IMUL, X64_UN_DIV, X64_UN_IDIV };
static inline void x64_un_r(X64Asm *a, unsigned sz, unsigned op, unsigned r)
{
    x64_op_rr(a, x64_sz(XD(0, 0, 0xf6), sz), op, r);
}
static inline void x64_un_m(X64Asm *a, unsigned sz, unsigned op, X64Mem m)
{
    x64_op_rm(a, x64_sz(XD(0, 0, 0xf6), sz), op, m);
}
static inline void x64_inc_r(X64Asm *a, unsigned sz, unsigned r)
{
    x64_op_rr(a, x64_sz(XD(0, 0, 0xfe), sz), 0, r);
}
static inline void x64_inc_m(X64Asm *a, unsigned sz, X64Mem m)
{
    x64_op_rm(a, x64_sz(XD(0, 0, 0xfe), sz), 0, m);
}
static inline void x64_dec_r(X64Asm *a, unsigned sz, unsigned r)
{
    x64_op_rr(a, x64_sz(XD(0, 0, 0xfe), sz), 1, r);
}
static inline void x64_dec_m(X64Asm *a, unsigned sz, X64Mem m)
{
    x64_op_rm(a, x64_sz(XD(0, 0, 0xfe), sz), 1, m);
}
static inline void x64_cdq(X64Asm *a, unsigned sz) /* 2: cdq, 3: cqo */
{
    static const uint8_t b[2] = { 0x48, 0x99 };
    x64_bytes(a, b + (sz != 3), sz == 3 ? 2 : 1);
}

/* ---- bits ---- */
static inline void x64_lzcnt_rr(X64Asm *a, unsigned sz, unsigned d, unsigned s)
{
    x64_op_rr(a, x64_sz2(XD(2, 1, 0xbd), sz), d, s);
}
static inline void x64_tzcnt_rr(X64Asm *a, unsigned sz, unsigned d, unsigned s)
{
    x64_op_rr(a, x64_sz2(XD(2, 1, 0xbc), sz), d, s);
}
static inline void x64_popcnt_rr(X64Asm *a, unsigned sz, unsigned d, unsigned s)
{
    x64_op_rr(a, x64_sz2(XD(2, 1, 0xb8), sz), d, s);
}
static inline void x64_bsr_rr(X64Asm *a, unsigned sz, unsigned d, unsigned s)
{
    x64_op_rr(a, x64_sz2(XD(0, 1, 0xbd), sz), d, s);
}
static inline void x64_bsf_rr(X64Asm *a, unsigned sz, unsigned d, unsigned s)
{
    x64_op_rr(a, x64_sz2(XD(0, 1, 0xbc), sz), d, s);
}
enum { X64_BT = 4, X64_BTS, X64_BTR, X64_BTC };
static inline void x64_bt_ri(X64Asm *a, unsigned sz, unsigned op, unsigned r, unsigned n)
{
    x64_op_rri(a, x64_sz2(XD(0, 1, 0xba), sz), op, r, 1, n);
}
static inline void x64_bt_mi(X64Asm *a, unsigned sz, unsigned op, X64Mem m, unsigned n)
{
    x64_op_rmi(a, x64_sz2(XD(0, 1, 0xba), sz), op, m, 1, n);
}
static inline void x64_bt_rr(X64Asm *a, unsigned sz, unsigned op, unsigned r, unsigned bit)
{
    x64_op_rr(a, x64_sz2(XD(0, 1, 0x83 | op << 3), sz), bit, r);
}
static inline void x64_bswap(X64Asm *a, unsigned sz, unsigned r) /* sz 2, 3 */
{
    uint8_t rex = (uint8_t)(0x40 | (sz == 3) << 3 | r >> 3);
    uint8_t b[3] = { rex, 0x0f, (uint8_t)(0xc8 | (r & 7)) };
    x64_bytes(a, b + (rex == 0x40), rex == 0x40 ? 2 : 3);
}
static inline void x64_movbe_rm(X64Asm *a, unsigned sz, unsigned d, X64Mem m)
{
    x64_op_rm(a, x64_sz2(XD(0, 2, 0xf0), sz), d, m);
}
static inline void x64_movbe_mr(X64Asm *a, unsigned sz, X64Mem m, unsigned s)
{
    x64_op_rm(a, x64_sz2(XD(0, 2, 0xf1), sz), s, m);
}
/* CRC-32C of the low 1 << sz bytes of s. */
static inline void x64_crc32_rr(X64Asm *a, unsigned sz, unsigned d, unsigned s)
{
    x64_op_rr(a, x64_sz(XD(3, 2, 0xf0), sz) & ~XD_R8, d, s);
}
/* BMI1, BMI2: sz 2, 3 */
static inline uint32_t x64_bmi(uint32_t desc, unsigned sz) { return desc | (sz == 3 ? XD_W : 0); }
static inline void x64_shlx(X64Asm *a, unsigned sz, unsigned d, unsigned s, unsigned n)
{
    x64_vex_rr(a, x64_bmi(XD(1, 2, 0xf7), sz), d, n, s, -1);
}
static inline void x64_sarx(X64Asm *a, unsigned sz, unsigned d, unsigned s, unsigned n)
{
    x64_vex_rr(a, x64_bmi(XD(2, 2, 0xf7), sz), d, n, s, -1);
}
static inline void x64_shrx(X64Asm *a, unsigned sz, unsigned d, unsigned s, unsigned n)
{
    x64_vex_rr(a, x64_bmi(XD(3, 2, 0xf7), sz), d, n, s, -1);
}
static inline void x64_bextr(X64Asm *a, unsigned sz, unsigned d, unsigned s, unsigned ctl)
{
    x64_vex_rr(a, x64_bmi(XD(0, 2, 0xf7), sz), d, ctl, s, -1);
}
static inline void x64_bzhi(X64Asm *a, unsigned sz, unsigned d, unsigned s, unsigned n)
{
    x64_vex_rr(a, x64_bmi(XD(0, 2, 0xf5), sz), d, n, s, -1);
}
static inline void x64_rorx(X64Asm *a, unsigned sz, unsigned d, unsigned s, unsigned n)
{
    x64_vex_rr(a, x64_bmi(XD(3, 3, 0xf0), sz), d, 0, s, (int)n);
}
static inline void x64_andn(X64Asm *a, unsigned sz, unsigned d, unsigned inv, unsigned s)
{
    x64_vex_rr(a, x64_bmi(XD(0, 2, 0xf2), sz), d, inv, s, -1); /* d = ~inv & s */
}
static inline void x64_andn_m(X64Asm *a, unsigned sz, unsigned d, unsigned inv, X64Mem m)
{
    x64_vex_rm(a, x64_bmi(XD(0, 2, 0xf2), sz), d, inv, m, -1);
}
/* hi:lo = rdx * s; hi is written last when both are the same register. */
static inline void x64_mulx(X64Asm *a, unsigned sz, unsigned hi, unsigned lo, unsigned s)
{
    x64_vex_rr(a, x64_bmi(XD(3, 2, 0xf6), sz), hi, lo, s, -1);
}

/* ---- control flow ---- */
void x64_jmp(X64Asm *a, X64Label *l);
void x64_jcc(X64Asm *a, unsigned cc, X64Label *l);
void x64_call_label(X64Asm *a, X64Label *l);
/* Forward jumps of at most 127 bytes: x64_jcc8() ... x64_here8(a, what it returned). */
uint8_t *x64_jcc8(X64Asm *a, unsigned cc);
uint8_t *x64_jmp8(X64Asm *a);
void x64_here8(X64Asm *a, uint8_t *rel);
/* To a fixed running address within 2 GiB. */
void x64_jmp_abs(X64Asm *a, const void *rx);
void x64_jcc_abs(X64Asm *a, unsigned cc, const void *rx);
void x64_call_abs(X64Asm *a, const void *rx);
static inline void x64_jmp_r(X64Asm *a, unsigned r) { x64_op_rr(a, XD(0, 0, 0xff), 4, r); }
static inline void x64_jmp_m(X64Asm *a, X64Mem m) { x64_op_rm(a, XD(0, 0, 0xff), 4, m); }
static inline void x64_call_r(X64Asm *a, unsigned r) { x64_op_rr(a, XD(0, 0, 0xff), 2, r); }
static inline void x64_call_m(X64Asm *a, X64Mem m) { x64_op_rm(a, XD(0, 0, 0xff), 2, m); }
static inline void x64_ret(X64Asm *a) { x64_byte(a, 0xc3); }
static inline void x64_int3(X64Asm *a) { x64_byte(a, 0xcc); }
static inline void x64_ud2(X64Asm *a) { x64_bytes(a, "\x0f\x0b", 2); }
void x64_nop(X64Asm *a, unsigned bytes); /* any number, in long NOPs */

/* ---- atomics, order: the memory forms with `lock` true add the prefix ---- */
/* lock add/or/adc/sbb/and/sub/xor [m], r */
static inline void x64_lock_alu_mr(X64Asm *a, unsigned sz, unsigned op, X64Mem m, unsigned s)
{
    x64_op_rm(a, x64_sz(XD(0, 0, op << 3), sz) | XD_LOCK, s, m);
}
void x64_lock_alu_mi(X64Asm *a, unsigned sz, unsigned op, X64Mem m, int32_t imm);
static inline void x64_lock_xadd_mr(X64Asm *a, unsigned sz, X64Mem m, unsigned s)
{
    x64_op_rm(a, x64_sz(XD(0, 1, 0xc0), sz) | XD_LOCK, s, m);
}
static inline void x64_lock_cmpxchg_mr(X64Asm *a, unsigned sz, X64Mem m, unsigned s)
{
    x64_op_rm(a, x64_sz(XD(0, 1, 0xb0), sz) | XD_LOCK, s, m);
}
static inline void x64_lock_cmpxchg_pair(X64Asm *a, unsigned sz, X64Mem m) /* 2: 8b, 3: 16b */
{
    x64_op_rm(a, x64_sz2(XD(0, 1, 0xc7), sz) | XD_LOCK, 1, m);
}
static inline void x64_xchg_mr(X64Asm *a, unsigned sz, X64Mem m, unsigned s) /* locks by itself */
{
    x64_op_rm(a, x64_sz(XD(0, 0, 0x86), sz), s, m);
}
static inline void x64_mfence(X64Asm *a) { x64_bytes(a, "\x0f\xae\xf0", 3); }
static inline void x64_lfence(X64Asm *a) { x64_bytes(a, "\x0f\xae\xe8", 3); }
static inline void x64_sfence(X64Asm *a) { x64_bytes(a, "\x0f\xae\xf8", 3); }
static inline void x64_pause(X64Asm *a) { x64_bytes(a, "\xf3\x90", 2); }
static inline void x64_prefetcht0(X64Asm *a, X64Mem m) { x64_op_rm(a, XD(0, 1, 0x18), 1, m); }
static inline void x64_prefetchw(X64Asm *a, X64Mem m) { x64_op_rm(a, XD(0, 1, 0x0d), 1, m); }

/* ---- flags, control ---- */
static inline void x64_lahf(X64Asm *a) { x64_byte(a, 0x9f); }
static inline void x64_sahf(X64Asm *a) { x64_byte(a, 0x9e); }
static inline void x64_cmc(X64Asm *a) { x64_byte(a, 0xf5); }
static inline void x64_stc(X64Asm *a) { x64_byte(a, 0xf9); }
static inline void x64_clc(X64Asm *a) { x64_byte(a, 0xf8); }
static inline void x64_ldmxcsr(X64Asm *a, X64Mem m) { x64_op_rm(a, XD(0, 1, 0xae), 2, m); }
static inline void x64_stmxcsr(X64Asm *a, X64Mem m) { x64_op_rm(a, XD(0, 1, 0xae), 3, m); }
static inline void x64_vzeroupper(X64Asm *a) { x64_bytes(a, "\xc5\xf8\x77", 3); }

/* ---- vectors: VEX when a->avx (EVEX for registers 16-31), else SSE; xmm15 is scratch ---- */

/* d = s1 op s2. */
void x64_v3(X64Asm *a, uint32_t desc, unsigned d, unsigned s1, unsigned s2);
void x64_v3i(X64Asm *a, uint32_t desc, unsigned d, unsigned s1, unsigned s2, unsigned imm);
/* d = s1 op [m]; SSE wants 16-byte operands aligned. */
void x64_v3m(X64Asm *a, uint32_t desc, unsigned d, unsigned s1, X64Mem m);
void x64_v3mi(X64Asm *a, uint32_t desc, unsigned d, unsigned s1, X64Mem m, unsigned imm);
/* reg op rm, no further source: unary operations, loads, stores (reg is the register stored). */
void x64_v2(X64Asm *a, uint32_t desc, unsigned reg, unsigned rm);
void x64_v2i(X64Asm *a, uint32_t desc, unsigned reg, unsigned rm, unsigned imm);
void x64_v2m(X64Asm *a, uint32_t desc, unsigned reg, X64Mem m);
void x64_v2mi(X64Asm *a, uint32_t desc, unsigned reg, X64Mem m, unsigned imm);
/* d = s shifted by an immediate: groups 0F 71, 72, 73 with extension ext. */
void x64_vshift(X64Asm *a, uint32_t desc, unsigned ext, unsigned d, unsigned s, unsigned n);

static inline void x64_movaps(X64Asm *a, unsigned d, unsigned s)
{
    if (d != s) {
        x64_v2(a, XD(0, 1, 0x28) | XD_N(4), d, s);
    }
}

/* Descriptors: moves */
#define XV_MOVUPS_L (XD(0, 1, 0x10) | XD_N(4))  /* load form; x64_v2m */
#define XV_MOVUPS_S (XD(0, 1, 0x11) | XD_N(4))  /* store form */
#define XV_MOVAPS_L (XD(0, 1, 0x28) | XD_N(4))
#define XV_MOVAPS_S (XD(0, 1, 0x29) | XD_N(4))
#define XV_MOVD_L   (XD(1, 1, 0x6e) | XD_N(2))  /* xmm <- r/m32; zero above */
#define XV_MOVD_S   (XD(1, 1, 0x7e) | XD_N(2))  /* r/m32 <- xmm (reg = xmm) */
#define XV_MOVQ_L   (XD(1, 1, 0x6e) | XD_W | XD_EW | XD_N(3)) /* xmm <- r/m64 */
#define XV_MOVQ_S   (XD(1, 1, 0x7e) | XD_W | XD_EW | XD_N(3))
#define XV_MOVQX    (XD(2, 1, 0x7e) | XD_EW | XD_N(3)) /* xmm <- xmm/m64, zero above */
#define XV_MOVQX_S  (XD(1, 1, 0xd6) | XD_EW | XD_N(3)) /* xmm/m64 <- xmm */
#define XV_MOVSS_L  (XD(2, 1, 0x10) | XD_N(2))  /* x64_v2m load: zero above; x64_v3: merge */
#define XV_MOVSS_S  (XD(2, 1, 0x11) | XD_N(2))
#define XV_MOVSD_L  (XD(3, 1, 0x10) | XD_EW | XD_N(3))
#define XV_MOVSD_S  (XD(3, 1, 0x11) | XD_EW | XD_N(3))
#define XV_MOVHPS_L (XD(0, 1, 0x16) | XD_N(3))  /* x64_v3m: high half from memory */
#define XV_MOVHPS_S (XD(0, 1, 0x17) | XD_N(3))
#define XV_MOVLHPS  (XD(0, 1, 0x16))
#define XV_MOVHLPS  (XD(0, 1, 0x12))

#endif
