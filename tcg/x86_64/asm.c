/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x86-64 encoder: prefixes, ModRM, VEX, EVEX, labels.
 *
 * Source: Intel SDM volume 2, chapter 2 "Instruction Format" (2.1 legacy and REX, 2.3 VEX,
 * 2.7 EVEX).
 */
#include "tcg/x86_64/asm.h"

enum { ROOM = 16, VTMP = 15 };

static const uint8_t pp_byte[4] = {0, 0x66, 0xf3, 0xf2};

static inline unsigned desc_map(uint32_t d)
{
    return d >> 8 & 7;
}
static inline unsigned desc_pp(uint32_t d)
{
    return d >> 11 & 3;
}

void x64_asm_init(X64Asm *a, uint8_t *rw, size_t bytes, const uint8_t *rx, bool avx)
{
    *a = (X64Asm){.p = rw, .start = rw, .end = rw + bytes, .delta = rx - rw, .avx = avx};
    a->overflow = bytes < ROOM;
}

/* Where the next instruction goes; there is room for one. */
static inline uint8_t *room(X64Asm *a)
{
    if (__builtin_expect(a->end - a->p < ROOM, 0)) {
        a->overflow = true;
        a->p = a->start;
    }
    return a->p;
}

static inline uint8_t *put32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, 4);
    return p + 4;
}

static inline uint8_t *put_imm(uint8_t *p, unsigned bytes, uint32_t imm)
{
    memcpy(p, &imm, 4);
    return p + bytes;
}

/* ModRM, SIB and displacement; n: log2 unit of an 8-bit displacement; tail: immediate bytes. */
static uint8_t *put_mem(const X64Asm *a, uint8_t *p, unsigned reg, const X64Mem *m, unsigned n_tail)
{
    unsigned n = n_tail >> 8, tail = n_tail & 0xff, mod, r = (reg & 7) << 3;
    int32_t disp = m->disp, d8 = disp >> n;

    if (m->base == X64_MEM_RIP) {
        int64_t rel = (const uint8_t *)m->rip + disp - (p + 5 + tail + a->delta);

        *p++ = (uint8_t)(r | 5);
        return put32(p, (uint32_t)rel);
    }
    if (m->base == X64_MEM_NONE) {
        *p++ = (uint8_t)(r | 4);
        *p++ = (uint8_t)(m->index == X64_MEM_NONE ? 0x25 : m->scale << 6 | (m->index & 7) << 3 | 5);
        return put32(p, (uint32_t)disp);
    }
    if (disp == 0 && (m->base & 7) != 5) {
        mod = 0;
    } else {
        mod = d8 >= -128 && d8 <= 127 && (int32_t)((uint32_t)d8 << n) == disp ? 1 : 2;
    }
    if (m->index != X64_MEM_NONE || (m->base & 7) == 4) {
        unsigned index = m->index == X64_MEM_NONE ? 4 : m->index & 7u;

        *p++ = (uint8_t)(mod << 6 | r | 4);
        *p++ = (uint8_t)(m->scale << 6 | index << 3 | (m->base & 7));
    } else {
        *p++ = (uint8_t)(mod << 6 | r | (m->base & 7));
    }
    if (mod == 1) {
        *p++ = (uint8_t)d8;
    } else if (mod == 2) {
        p = put32(p, (uint32_t)disp);
    }
    return p;
}

/* REX.X and .B of a memory operand (bits 1 and 0). */
static inline unsigned mem_xb(const X64Mem *m)
{
    unsigned x = m->index < 16 ? m->index >> 3 : 0;
    unsigned b = m->base < 16 ? m->base >> 3 : 0;

    return x << 1 | b;
}

/* Legacy prefixes, REX (rxb: bits R X B), opcode. */
static uint8_t *put_legacy(uint8_t *p, uint32_t d, unsigned rxb, bool need_rex)
{
    unsigned map = desc_map(d), rex = 0x40 | (d & XD_W ? 8 : 0) | rxb;

    if (d & XD_LOCK) {
        *p++ = 0xf0;
    }
    if (d & XD_O16) {
        *p++ = 0x66;
    }
    if (desc_pp(d)) {
        *p++ = pp_byte[desc_pp(d)];
    }
    if (rex != 0x40 || need_rex) {
        *p++ = (uint8_t)rex;
    }
    if (map) {
        *p++ = 0x0f;
        if (map > 1) {
            *p++ = map == 2 ? 0x38 : 0x3a;
        }
    }
    *p++ = (uint8_t)d;
    return p;
}

void x64_op_rri(X64Asm *a, uint32_t d, unsigned reg, unsigned rm, unsigned imm_bytes, uint32_t imm)
{
    uint8_t *p = room(a);
    bool rex = (d & XD_R8 && reg >= 4) || (d & XD_RM8 && rm >= 4);

    p = put_legacy(p, d, (reg >> 3 & 1) << 2 | (rm >> 3 & 1), rex);
    *p++ = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
    a->p = put_imm(p, imm_bytes, imm);
}

void x64_op_rr(X64Asm *a, uint32_t d, unsigned reg, unsigned rm)
{
    x64_op_rri(a, d, reg, rm, 0, 0);
}

void x64_op_rmi(X64Asm *a, uint32_t d, unsigned reg, X64Mem m, unsigned imm_bytes, uint32_t imm)
{
    uint8_t *p = room(a);

    p = put_legacy(p, d, (reg >> 3 & 1) << 2 | mem_xb(&m), d & XD_R8 && reg >= 4);
    p = put_mem(a, p, reg, &m, imm_bytes);
    a->p = put_imm(p, imm_bytes, imm);
}

void x64_op_rm(X64Asm *a, uint32_t d, unsigned reg, X64Mem m)
{
    x64_op_rmi(a, d, reg, m, 0, 0);
}

/* VEX prefix and opcode; rxb as in REX. */
static uint8_t *put_vex(uint8_t *p, uint32_t d, unsigned rxb, unsigned v)
{
    unsigned tail = (~v & 15) << 3 | (d & XD_L256 ? 4 : 0) | desc_pp(d);

    if (desc_map(d) == 1 && !(d & XD_W) && !(rxb & 3)) {
        *p++ = 0xc5;
        *p++ = (uint8_t)((~rxb & 4) << 5 | tail);
    } else {
        *p++ = 0xc4;
        *p++ = (uint8_t)((~rxb & 7) << 5 | desc_map(d));
        *p++ = (uint8_t)((d & XD_W ? 0x80 : 0) | tail);
    }
    *p++ = (uint8_t)d;
    return p;
}

void x64_vex_rr(X64Asm *a, uint32_t d, unsigned reg, unsigned v, unsigned rm, int imm)
{
    uint8_t *p = put_vex(room(a), d, (reg >> 3 & 1) << 2 | (rm >> 3 & 1), v);

    *p++ = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
    if (imm >= 0) {
        *p++ = (uint8_t)imm;
    }
    a->p = p;
}

void x64_vex_rm(X64Asm *a, uint32_t d, unsigned reg, unsigned v, X64Mem m, int imm)
{
    uint8_t *p = put_vex(room(a), d, (reg >> 3 & 1) << 2 | mem_xb(&m), v);

    p = put_mem(a, p, reg, &m, imm >= 0);
    if (imm >= 0) {
        *p++ = (uint8_t)imm;
    }
    a->p = p;
}

/* EVEX prefix and opcode. xb: bits X B as they go (not yet inverted). */
static uint8_t *put_evex(uint8_t *p, uint32_t d, unsigned opt, unsigned reg_xb, unsigned v)
{
    unsigned reg = reg_xb >> 2, xb = reg_xb & 3;
    unsigned r = reg >> 3 & 1, r2 = reg >> 4 & 1;

    *p++ = 0x62;
    *p++ = (uint8_t)((~(r << 2 | xb) & 7) << 5 | (~r2 & 1) << 4 | desc_map(d));
    *p++ = (uint8_t)((d & XD_EW ? 0x80 : 0) | (~v & 15) << 3 | 4 | desc_pp(d));
    *p++ = (uint8_t)((opt >> 3 & 1) << 7 | (opt >> 5 & 3) << 5 | (opt >> 4 & 1) << 4 |
                     (~(v >> 4) & 1) << 3 | (opt & 7));
    *p++ = (uint8_t)d;
    return p;
}

void x64_evex_rr(X64Asm *a, uint32_t d, unsigned opt, unsigned reg, unsigned v, unsigned rm,
                 int imm)
{
    uint8_t *p = put_evex(room(a), d, opt, reg << 2 | (rm >> 4 & 1) << 1 | (rm >> 3 & 1), v);

    *p++ = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
    if (imm >= 0) {
        *p++ = (uint8_t)imm;
    }
    a->p = p;
}

void x64_evex_rm(X64Asm *a, uint32_t d, unsigned opt, unsigned reg, unsigned v, X64Mem m, int imm)
{
    uint8_t *p = put_evex(room(a), d, opt, reg << 2 | mem_xb(&m), v);
    unsigned n = d >> 15 & 7;

    if (opt & XE_B) {
        n = d & XD_EW ? 3 : 2;
    } else if (n == 4) {
        n += opt >> 5 & 3;
    }
    p = put_mem(a, p, reg, &m, n << 8 | (imm >= 0));
    if (imm >= 0) {
        *p++ = (uint8_t)imm;
    }
    a->p = p;
}

void x64_bytes(X64Asm *a, const void *bytes, unsigned n)
{
    uint8_t *p = room(a);

    memcpy(p, bytes, n);
    a->p = p + n;
}

/* ---- integer forms with an immediate ---- */

static inline bool is_s8(int32_t v)
{
    return v >= -128 && v <= 127;
}

void x64_alu_ri(X64Asm *a, unsigned sz, unsigned op, unsigned d, int32_t imm)
{
    if (sz == 0) {
        x64_op_rri(a, XD(0, 0, 0x80) | XD_RM8, op, d, 1, (uint32_t)imm);
    } else if (is_s8(imm)) {
        x64_op_rri(a, x64_sz2(XD(0, 0, 0x83), sz), op, d, 1, (uint32_t)imm);
    } else {
        x64_op_rri(a, x64_sz2(XD(0, 0, 0x81), sz), op, d, sz == 1 ? 2 : 4, (uint32_t)imm);
    }
}

static void alu_mi(X64Asm *a, uint32_t lock_sz, unsigned op, X64Mem m, int32_t imm)
{
    uint32_t lock = lock_sz & XD_LOCK;
    unsigned sz = lock_sz & 3;

    if (sz == 0) {
        x64_op_rmi(a, XD(0, 0, 0x80) | lock, op, m, 1, (uint32_t)imm);
    } else if (is_s8(imm)) {
        x64_op_rmi(a, x64_sz2(XD(0, 0, 0x83), sz) | lock, op, m, 1, (uint32_t)imm);
    } else {
        x64_op_rmi(a, x64_sz2(XD(0, 0, 0x81), sz) | lock, op, m, sz == 1 ? 2 : 4, (uint32_t)imm);
    }
}

void x64_alu_mi(X64Asm *a, unsigned sz, unsigned op, X64Mem m, int32_t imm)
{
    alu_mi(a, sz, op, m, imm);
}

void x64_lock_alu_mi(X64Asm *a, unsigned sz, unsigned op, X64Mem m, int32_t imm)
{
    alu_mi(a, sz | XD_LOCK, op, m, imm);
}

void x64_imul_rri(X64Asm *a, unsigned sz, unsigned d, unsigned s, int32_t imm)
{
    if (is_s8(imm)) {
        x64_op_rri(a, x64_sz2(XD(0, 0, 0x6b), sz), d, s, 1, (uint32_t)imm);
    } else {
        x64_op_rri(a, x64_sz2(XD(0, 0, 0x69), sz), d, s, sz == 1 ? 2 : 4, (uint32_t)imm);
    }
}

void x64_imul_rmi(X64Asm *a, unsigned sz, unsigned d, X64Mem m, int32_t imm)
{
    if (is_s8(imm)) {
        x64_op_rmi(a, x64_sz2(XD(0, 0, 0x6b), sz), d, m, 1, (uint32_t)imm);
    } else {
        x64_op_rmi(a, x64_sz2(XD(0, 0, 0x69), sz), d, m, sz == 1 ? 2 : 4, (uint32_t)imm);
    }
}

void x64_mov_ri(X64Asm *a, unsigned d, uint64_t imm)
{
    uint8_t *p;

    if (imm >> 32 == 0) {
        p = room(a);
        if (d >= 8) {
            *p++ = 0x41;
        }
        *p++ = (uint8_t)(0xb8 | (d & 7));
        a->p = put32(p, (uint32_t)imm);
    } else if ((uint64_t)(int64_t)(int32_t)imm == imm) {
        x64_op_rri(a, XD(0, 0, 0xc7) | XD_W, 0, d, 4, (uint32_t)imm);
    } else {
        p = room(a);
        *p++ = (uint8_t)(0x48 | d >> 3);
        *p++ = (uint8_t)(0xb8 | (d & 7));
        memcpy(p, &imm, 8);
        a->p = p + 8;
    }
}

/* ---- labels and jumps ---- */

void x64_bind(X64Asm *a, X64Label *l)
{
    int32_t here = (int32_t)x64_offset(a), fix = l->fix;

    l->pos = here + 1;
    l->fix = 0;
    while (fix && !a->overflow) {
        uint8_t *p = a->start + fix - 1;
        int32_t prev;

        memcpy(&prev, p, 4);
        put32(p, (uint32_t)(here - (fix - 1 + 4)));
        fix = prev;
    }
}

/* Emits op (1 or 2 bytes, low first) with a rel32 to l; op8 is its short form, 0 = none. */
static void jump(X64Asm *a, unsigned op, unsigned op8, X64Label *l)
{
    uint8_t *p = room(a);
    int32_t here = (int32_t)(p - a->start);

    if (l->pos && op8 && l->pos - 1 - (here + 2) >= -128 && !a->overflow) {
        *p++ = (uint8_t)op8;
        *p++ = (uint8_t)(l->pos - 1 - (here + 2));
        a->p = p;
        return;
    }
    *p++ = (uint8_t)op;
    if (op > 0xff) {
        *p++ = (uint8_t)(op >> 8);
    }
    here = (int32_t)(p - a->start);
    if (l->pos) {
        a->p = put32(p, (uint32_t)(l->pos - 1 - (here + 4)));
    } else {
        a->p = put32(p, (uint32_t)l->fix);
        l->fix = here + 1;
    }
}

void x64_jmp(X64Asm *a, X64Label *l)
{
    jump(a, 0xe9, 0xeb, l);
}
void x64_jcc(X64Asm *a, unsigned cc, X64Label *l)
{
    jump(a, 0x0f | (0x80 | cc) << 8, 0x70 | cc, l);
}
void x64_call_label(X64Asm *a, X64Label *l)
{
    jump(a, 0xe8, 0, l);
}

uint8_t *x64_jcc8(X64Asm *a, unsigned cc)
{
    uint8_t *p = room(a);

    p[0] = (uint8_t)(0x70 | cc);
    p[1] = 0;
    a->p = p + 2;
    return p + 1;
}

uint8_t *x64_jmp8(X64Asm *a)
{
    uint8_t *p = room(a);

    p[0] = 0xeb;
    p[1] = 0;
    a->p = p + 2;
    return p + 1;
}

void x64_here8(X64Asm *a, uint8_t *rel)
{
    if (!a->overflow) {
        *rel = (uint8_t)(a->p - (rel + 1));
    }
}

static void jump_abs(X64Asm *a, unsigned op, const void *rx)
{
    uint8_t *p = room(a);

    *p++ = (uint8_t)op;
    if (op > 0xff) {
        *p++ = (uint8_t)(op >> 8);
    }
    a->p = put32(p, (uint32_t)((const uint8_t *)rx - (p + 4 + a->delta)));
}

void x64_jmp_abs(X64Asm *a, const void *rx)
{
    jump_abs(a, 0xe9, rx);
}
void x64_call_abs(X64Asm *a, const void *rx)
{
    jump_abs(a, 0xe8, rx);
}
void x64_jcc_abs(X64Asm *a, unsigned cc, const void *rx)
{
    jump_abs(a, 0x0f | (0x80 | cc) << 8, rx);
}

void x64_nop(X64Asm *a, unsigned bytes)
{
    static const uint8_t nops[9][9] = {
        {0x90},
        {0x66, 0x90},
        {0x0f, 0x1f, 0x00},
        {0x0f, 0x1f, 0x40, 0},
        {0x0f, 0x1f, 0x44, 0, 0},
        {0x66, 0x0f, 0x1f, 0x44, 0, 0},
        {0x0f, 0x1f, 0x80, 0, 0, 0, 0},
        {0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0},
        {0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0},
    };

    while (bytes) {
        unsigned n = bytes < 9 ? bytes : 9;

        x64_bytes(a, nops[n - 1], n);
        bytes -= n;
    }
}

/* ---- vectors ---- */

/* One AVX instruction: VEX, or EVEX when a register above 15 takes part. */
static void avx_rr(X64Asm *a, uint32_t d, unsigned reg, unsigned v, unsigned rm_imm)
{
    unsigned rm = rm_imm & 31;
    int imm = (int)(rm_imm >> 8) - 1;

    if ((reg | v | rm) & 16 || desc_map(d) > 3) {
        x64_evex_rr(a, d, 0, reg, v, rm, imm);
    } else {
        x64_vex_rr(a, d, reg, v, rm, imm);
    }
}

static void sse_rr(X64Asm *a, uint32_t d, unsigned reg, unsigned rm, int imm)
{
    x64_op_rri(a, d & ~(XD_R8 | XD_RM8 | XD_O16 | XD_LOCK), reg, rm, imm >= 0, (uint32_t)imm);
}

static void v3(X64Asm *a, uint32_t desc, unsigned d, unsigned s1, unsigned s2_imm)
{
    unsigned s2 = s2_imm & 31;
    int imm = (int)(s2_imm >> 8) - 1;

    if (a->avx) {
        avx_rr(a, desc, d, s1, s2_imm);
    } else if (d == s1) {
        sse_rr(a, desc, d, s2, imm);
    } else if (d == s2 && desc & XD_COMM) {
        sse_rr(a, desc, d, s1, imm);
    } else if (d == s2 && s1 == VTMP) {
        sse_rr(a, desc, VTMP, s2, imm);
        x64_movaps(a, d, VTMP);
    } else if (d == s2) {
        x64_movaps(a, VTMP, s2);
        x64_movaps(a, d, s1);
        sse_rr(a, desc, d, VTMP, imm);
    } else {
        x64_movaps(a, d, s1);
        sse_rr(a, desc, d, s2, imm);
    }
}

void x64_v3(X64Asm *a, uint32_t desc, unsigned d, unsigned s1, unsigned s2)
{
    v3(a, desc, d, s1, s2);
}

void x64_v3i(X64Asm *a, uint32_t desc, unsigned d, unsigned s1, unsigned s2, unsigned imm)
{
    v3(a, desc, d, s1, s2 | (imm + 1) << 8);
}

static void v3m(X64Asm *a, uint32_t desc, unsigned d_s1, X64Mem m, int imm)
{
    unsigned d = d_s1 & 31, s1 = d_s1 >> 8;

    if (!a->avx) {
        x64_movaps(a, d, s1);
        x64_op_rmi(a, desc & ~(XD_R8 | XD_RM8 | XD_O16 | XD_LOCK), d, m, imm >= 0, (uint32_t)imm);
    } else if ((d | s1) & 16 || desc_map(desc) > 3) {
        x64_evex_rm(a, desc, 0, d, s1, m, imm);
    } else {
        x64_vex_rm(a, desc, d, s1, m, imm);
    }
}

void x64_v3m(X64Asm *a, uint32_t desc, unsigned d, unsigned s1, X64Mem m)
{
    v3m(a, desc, d | s1 << 8, m, -1);
}

void x64_v3mi(X64Asm *a, uint32_t desc, unsigned d, unsigned s1, X64Mem m, unsigned imm)
{
    v3m(a, desc, d | s1 << 8, m, (int)imm);
}

void x64_v2(X64Asm *a, uint32_t desc, unsigned reg, unsigned rm)
{
    if (a->avx) {
        avx_rr(a, desc, reg, 0, rm);
    } else {
        sse_rr(a, desc, reg, rm, -1);
    }
}

void x64_v2i(X64Asm *a, uint32_t desc, unsigned reg, unsigned rm, unsigned imm)
{
    if (a->avx) {
        avx_rr(a, desc, reg, 0, rm | (imm + 1) << 8);
    } else {
        sse_rr(a, desc, reg, rm, (int)imm);
    }
}

static void v2m(X64Asm *a, uint32_t desc, unsigned reg, X64Mem m, int imm)
{
    if (!a->avx) {
        x64_op_rmi(a, desc & ~(XD_R8 | XD_RM8 | XD_O16 | XD_LOCK), reg, m, imm >= 0, (uint32_t)imm);
    } else if (reg & 16 || desc_map(desc) > 3) {
        x64_evex_rm(a, desc, 0, reg, 0, m, imm);
    } else {
        x64_vex_rm(a, desc, reg, 0, m, imm);
    }
}

void x64_v2m(X64Asm *a, uint32_t desc, unsigned reg, X64Mem m)
{
    v2m(a, desc, reg, m, -1);
}
void x64_v2mi(X64Asm *a, uint32_t desc, unsigned reg, X64Mem m, unsigned imm)
{
    v2m(a, desc, reg, m, (int)imm);
}

void x64_vshift(X64Asm *a, uint32_t desc, unsigned ext, unsigned d, unsigned s, unsigned n)
{
    if (a->avx && (d | s) & 16) {
        x64_evex_rr(a, desc, 0, ext, d, s, (int)n);
    } else if (a->avx) {
        x64_vex_rr(a, desc, ext, d, s, (int)n);
    } else {
        x64_movaps(a, d, s);
        sse_rr(a, desc, ext, d, (int)n);
    }
}
