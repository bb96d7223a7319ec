/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The x86-64 decoder (x86_decode.h): prefixes, REX, opcode, ModRM, SIB, displacement, immediate. */
#include "target/x86/decode/x86_decode.h"

#include <string.h>

const X86Row x86_rows[X86_N_ROWS] = {
#define X86_INSN(opc, pfx, m, text, o1, o2, o3, gen, arg, at, un)                                  \
    {.opcode = opc,                                                                                \
     .prefix = X86_P_##pfx,                                                                        \
     .modrm = X86_M_##m,                                                                           \
     .name = text,                                                                                 \
     .operand = {X86_O_##o1, X86_O_##o2, X86_O_##o3},                                              \
     .attrs = at,                                                                                  \
     .undef = X86_U_##un},
#include "target/x86/decode/x86_insns.def"
#undef X86_INSN
};

/* The bytes not yet read. */
typedef struct Cursor {
    const uint8_t *code;
    uint32_t at, bytes;
    bool past; /* wanted more than there are */
} Cursor;

static uint64_t take(Cursor *c, unsigned n)
{
    uint64_t v = 0;
    if (c->at + n > c->bytes) {
        c->past = true;
        c->at = c->bytes;
        return 0;
    }
    memcpy(&v, c->code + c->at, n); /* host is little-endian, like the guest */
    c->at += n;
    return v;
}

static uint8_t peek(Cursor *c)
{
    if (c->at >= c->bytes) {
        c->past = true;
        return 0;
    }
    return c->code[c->at];
}

static int64_t sext(uint64_t v, unsigned bytes)
{
    return bytes == 8 ? (int64_t)v : (int64_t)(v << (64 - 8 * bytes)) >> (64 - 8 * bytes);
}

/* Legacy prefixes, then REX if it stands right before the opcode. */
static void prefixes(Cursor *c, X86Insn *i)
{
    for (;;) {
        uint8_t b = peek(c);
        switch (b) {
        case 0xf0: i->lock = true; break;
        case 0xf2:
        case 0xf3: i->rep = b; break;
        case 0x66: i->opsize = true; break;
        case 0x67: i->aesz = 2; break;
        case 0x64: i->seg = 4; break;
        case 0x65: i->seg = 5; break;
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e: break; /* ES CS SS DS: no effect */
        default:
            if ((b & 0xf0) == 0x40 && !c->past) {
                i->rex = b;
                c->at++;
                b = peek(c);
                if (b == 0xf0 || b == 0xf2 || b == 0xf3 || b == 0x66 || b == 0x67 || b == 0x64 ||
                    b == 0x65 || b == 0x26 || b == 0x2e || b == 0x36 || b == 0x3e ||
                    (b & 0xf0) == 0x40) {
                    i->rex = 0; /* not the last one: without effect */
                    continue;
                }
            }
            return;
        }
        if (c->past || c->at >= X86_MAX_INSN) {
            return;
        }
        c->at++;
    }
}

static void opcode(Cursor *c, X86Insn *i)
{
    unsigned map = 0;
    uint8_t b = (uint8_t)take(c, 1);
    if (b == 0x0f) {
        map = 1;
        b = (uint8_t)take(c, 1);
        if (b == 0x38 || b == 0x3a) {
            map = b == 0x38 ? 2 : 3;
            b = (uint8_t)take(c, 1);
        }
    }
    i->opcode = (uint16_t)(map << 8 | b);
}

static unsigned span(const X86Row *r)
{
    return r->attrs & X86_A_R8 ? 8 : r->attrs & X86_A_CC ? 16 : 1;
}

/* First row of the opcode, X86_N_ROWS if none. The table is sorted by opcode. */
static unsigned first_row(unsigned opc)
{
    unsigned lo = 0, hi = X86_N_ROWS;
    while (lo < hi) { /* first row that ends behind opc */
        unsigned mid = (lo + hi) / 2;
        if (x86_rows[mid].opcode + span(&x86_rows[mid]) > opc) {
            hi = mid;
        } else {
            lo = mid + 1;
        }
    }
    return lo < X86_N_ROWS && x86_rows[lo].opcode <= opc ? lo : X86_N_ROWS;
}

static bool row_fits(const X86Row *r, const X86Insn *i)
{
    X86Prefix p = i->rep == 0xf3   ? X86_P_F3
                  : i->rep == 0xf2 ? X86_P_F2
                  : i->opsize      ? X86_P_66
                                   : X86_P_NP;
    bool reg = i->modrm >> 6 == 3;
    if (r->prefix != X86_P_ANY && r->prefix != p) {
        return false;
    }
    if (r->modrm >= X86_M_0 && ((i->modrm >> 3) & 7) != r->modrm - X86_M_0) {
        return false;
    }
    return !(r->attrs & (reg ? X86_A_MEM : X86_A_REG));
}

static void sib(Cursor *c, X86Insn *i, unsigned mod)
{
    uint8_t s = (uint8_t)take(c, 1);
    unsigned index = (s >> 3 & 7) | (i->rex & 2 ? 8 : 0);
    i->scale = s >> 6;
    i->index = index == 4 ? X86_NO_REG : (uint8_t)index;
    i->base = (uint8_t)((s & 7) | (i->rex & 1 ? 8 : 0));
    if ((s & 7) == 5 && mod == 0) {
        i->base = X86_NO_REG;
        i->disp = sext(take(c, 4), 4);
    }
}

static void memory(Cursor *c, X86Insn *i)
{
    unsigned mod = i->modrm >> 6, rm = i->modrm & 7;
    if (mod == 3) {
        return;
    }
    if (rm == 4) {
        sib(c, i, mod);
    } else if (mod == 0 && rm == 5) {
        i->base = X86_BASE_RIP;
        i->disp = sext(take(c, 4), 4);
    } else {
        i->base = (uint8_t)(rm | (i->rex & 1 ? 8 : 0));
    }
    if (mod == 1) {
        i->disp = sext(take(c, 1), 1);
    } else if (mod == 2) {
        i->disp = sext(take(c, 4), 4);
    }
}

static uint8_t operand_esz(const X86Insn *i, unsigned sz)
{
    switch (sz) {
    case X86_SZ_V:
    case X86_SZ_Z:
    case X86_SZ_S: return i->esz;
    case X86_SZ_Y: return i->rex & 8 ? 3 : 2;
    case X86_SZ_P: return i->opsize && !(i->rex & 8) ? 1 : 3;
    default: return (uint8_t)sz;
    }
}

static void immediate(Cursor *c, X86Insn *i, unsigned am, unsigned sz)
{
    unsigned bytes = sz == X86_SZ_Z   ? (i->esz == 1 && am == X86_AM_I ? 2 : 4)
                     : sz == X86_SZ_S ? 1
                                      : 1u << operand_esz(i, sz);
    uint64_t v = take(c, bytes);
    bool sign = sz == X86_SZ_Z || sz == X86_SZ_S || am == X86_AM_J;
    i->imm = sign ? (uint64_t)sext(v, bytes) : v;
}

/* An integer register of esz 0: without REX 4..7 are AH CH DH BH. */
static void byte_register(const X86Insn *i, X86Opnd *o)
{
    if (o->esz == 0 && !i->rex && o->reg >= 4 && o->reg < 8) {
        o->kind = X86_K_HIGH;
        o->reg -= 4;
    }
}

static void operand(Cursor *c, X86Insn *i, unsigned spec, X86Opnd *o)
{
    unsigned am = spec >> 4, sz = spec & 15;
    uint8_t rm = (uint8_t)((i->modrm & 7) | (i->rex & 1 ? 8 : 0));
    uint8_t reg = (uint8_t)((i->modrm >> 3 & 7) | (i->rex & 4 ? 8 : 0));
    bool mem = i->modrm >> 6 != 3;
    o->esz = operand_esz(i, sz);
    switch (am) {
    case X86_AM_E:
    case X86_AM_M: *o = (X86Opnd){mem ? X86_K_MEM : X86_K_REG, mem ? 0 : rm, o->esz}; break;
    case X86_AM_G: *o = (X86Opnd){X86_K_REG, reg, o->esz}; break;
    case X86_AM_Z:
        *o = (X86Opnd){X86_K_REG, (uint8_t)((i->opcode & 7) | (i->rex & 1 ? 8 : 0)), o->esz};
        break;
    case X86_AM_A:
    case X86_AM_CL: *o = (X86Opnd){X86_K_REG, am == X86_AM_A ? 0 : 1, o->esz}; return;
    case X86_AM_ONE:
        i->imm = 1;
        o->kind = X86_K_IMM;
        return;
    case X86_AM_I:
    case X86_AM_J:
        immediate(c, i, am, sz);
        o->kind = X86_K_IMM;
        return;
    case X86_AM_O:
        i->base = X86_NO_REG;
        i->disp = (int64_t)take(c, i->aesz == 3 ? 8 : 4);
        o->kind = X86_K_MEM;
        return;
    case X86_AM_V: *o = (X86Opnd){X86_K_XMM, reg, o->esz}; return;
    case X86_AM_W:
    case X86_AM_U: *o = (X86Opnd){mem ? X86_K_MEM : X86_K_XMM, mem ? 0 : rm, o->esz}; return;
    default: *o = (X86Opnd){0}; return;
    }
    byte_register(i, o);
}

/* Selects the row; reads ModRM when the opcode's rows have one. */
static bool select_row(Cursor *c, X86Insn *i)
{
    unsigned row = first_row(i->opcode);
    if (row == X86_N_ROWS) {
        return false;
    }
    if (x86_rows[row].modrm != X86_M_NONE) {
        i->modrm = (uint8_t)take(c, 1);
    }
    for (unsigned opc = x86_rows[row].opcode; row < X86_N_ROWS && x86_rows[row].opcode == opc;
         row++) {
        if (row_fits(&x86_rows[row], i)) {
            i->row = (uint16_t)row;
            return true;
        }
    }
    return false;
}

X86DecodeResult x86_decode(const uint8_t *code, uint32_t bytes, X86Insn *i)
{
    Cursor c = {.code = code, .bytes = bytes < X86_MAX_INSN ? bytes : X86_MAX_INSN};
    *i = (X86Insn){.aesz = 3, .base = X86_NO_REG, .index = X86_NO_REG};
    prefixes(&c, i);
    i->esz = i->rex & 8 ? 3 : i->opsize ? 1 : 2;
    opcode(&c, i);
    bool found = !c.past && select_row(&c, i);
    if (found && !c.past) {
        const X86Row *r = &x86_rows[i->row];
        if (r->modrm != X86_M_NONE) {
            memory(&c, i);
        }
        for (unsigned n = 0; n < 3; n++) {
            if (r->operand[n]) {
                operand(&c, i, r->operand[n], &i->op[n]);
            }
        }
        if (i->lock && !((r->attrs & X86_A_LOCK) && i->op[0].kind == X86_K_MEM)) {
            found = false;
        }
    }
    i->len = (uint8_t)c.at;
    if (c.past) {
        return bytes < X86_MAX_INSN ? X86_DEC_SHORT : X86_DEC_UNDEF;
    }
    return found ? X86_DEC_OK : X86_DEC_UNDEF;
}
