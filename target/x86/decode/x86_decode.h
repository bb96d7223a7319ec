/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x86-64 decoder: bytes of 64-bit mode to an instruction with its operands. Pure: it reads the
 * bytes it is given and the table x86_insns.def, nothing else, and knows nothing of execution.
 *
 * Source: SDM volume 2, chapter 2 (formats), appendix A (opcode map, operand letters).
 */
#ifndef GEMEL_TARGET_X86_DECODE_H
#define GEMEL_TARGET_X86_DECODE_H

#include <stdbool.h>
#include <stdint.h>

/* Where an operand comes from (letters of appendix A.2.1; Z: register in the opcode's low bits). */
typedef enum X86Addressing {
    X86_AM_NONE, X86_AM_E, X86_AM_G, X86_AM_Z, X86_AM_I, X86_AM_J, X86_AM_M, X86_AM_O,
    X86_AM_A /* AL, AX, EAX, RAX */, X86_AM_CL, X86_AM_ONE, X86_AM_V, X86_AM_W, X86_AM_U
} X86Addressing;

/* Size of an operand. The first five are log2 of its bytes. */
typedef enum X86Size {
    X86_SZ_B, X86_SZ_W, X86_SZ_D, X86_SZ_Q, X86_SZ_X,
    X86_SZ_V,    /* 16, 32 or 64 bits by operand size */
    X86_SZ_Z,    /* immediate: 16 bits, or 32 sign-extended */
    X86_SZ_Y,    /* 32, or 64 with REX.W */
    X86_SZ_P,    /* 64, or 16 with prefix 66: PUSH and the like */
    X86_SZ_S     /* immediate: 8 bits sign-extended */
} X86Size;

#define X86_OPERAND(am, sz) (X86_AM_##am << 4 | X86_SZ_##sz)
/* The operands of x86_insns.def. */
typedef enum X86OperandSpec {
    X86_O__ = 0,
    X86_O_Eb = X86_OPERAND(E, B), X86_O_Ew = X86_OPERAND(E, W), X86_O_Ed = X86_OPERAND(E, D),
    X86_O_Eq = X86_OPERAND(E, Q), X86_O_Ev = X86_OPERAND(E, V), X86_O_Ey = X86_OPERAND(E, Y),
    X86_O_Ep = X86_OPERAND(E, P),
    X86_O_Gb = X86_OPERAND(G, B), X86_O_Gw = X86_OPERAND(G, W), X86_O_Gd = X86_OPERAND(G, D),
    X86_O_Gv = X86_OPERAND(G, V), X86_O_Gy = X86_OPERAND(G, Y),
    X86_O_Zb = X86_OPERAND(Z, B), X86_O_Zv = X86_OPERAND(Z, V), X86_O_Zp = X86_OPERAND(Z, P),
    X86_O_Zy = X86_OPERAND(Z, Y),
    X86_O_Ib = X86_OPERAND(I, B), X86_O_Iw = X86_OPERAND(I, W), X86_O_Iv = X86_OPERAND(I, V),
    X86_O_Iz = X86_OPERAND(I, Z), X86_O_Is = X86_OPERAND(I, S),
    X86_O_Jb = X86_OPERAND(J, B), X86_O_Jz = X86_OPERAND(J, Z),
    X86_O_Mb = X86_OPERAND(M, B), X86_O_Mw = X86_OPERAND(M, W), X86_O_Md = X86_OPERAND(M, D), X86_O_Mq = X86_OPERAND(M, Q),
    X86_O_Mv = X86_OPERAND(M, V), X86_O_My = X86_OPERAND(M, Y), X86_O_Mx = X86_OPERAND(M, X),
    X86_O_Ob = X86_OPERAND(O, B), X86_O_Ov = X86_OPERAND(O, V),
    X86_O_Ab = X86_OPERAND(A, B), X86_O_Av = X86_OPERAND(A, V),
    X86_O_CL = X86_OPERAND(CL, B), X86_O_N1 = X86_OPERAND(ONE, B),
    X86_O_Vx = X86_OPERAND(V, X), X86_O_Vd = X86_OPERAND(V, D), X86_O_Vq = X86_OPERAND(V, Q),
    X86_O_Wx = X86_OPERAND(W, X), X86_O_Wd = X86_OPERAND(W, D), X86_O_Wq = X86_OPERAND(W, Q),
    X86_O_Ux = X86_OPERAND(U, X)
} X86OperandSpec;

/* Mandatory prefix of a row. */
typedef enum X86Prefix { X86_P_ANY, X86_P_NP, X86_P_66, X86_P_F3, X86_P_F2 } X86Prefix;

/* ModRM of a row: none; any; /0 .. /7 in its reg field. */
typedef enum X86ModRm { X86_M_NONE, X86_M_ANY, X86_M_0, X86_M_1, X86_M_2, X86_M_3, X86_M_4, X86_M_5,
                        X86_M_6, X86_M_7 } X86ModRm;

/* Attributes of a row. */
enum {
    X86_A_0 = 0,
    X86_A_LOCK = 1 << 0,   /* LOCK allowed with a memory destination */
    X86_A_R8 = 1 << 1,     /* eight opcodes: the low three bits are a register */
    X86_A_CC = 1 << 2,     /* sixteen opcodes: the low four bits are a condition */
    X86_A_MEM = 1 << 3,    /* memory form only */
    X86_A_REG = 1 << 4,    /* register form only */
    X86_A_FLOW = 1 << 5,   /* leaves the straight line or the program: not for the fuzzer */
    X86_A_STR = 1 << 6,    /* string instruction: RSI, RDI, RCX are addresses and count */
    X86_A_DIV = 1 << 7,    /* may raise #DE */
    X86_A_ALIGN = 1 << 8,  /* memory operand must be aligned to its size */
    X86_A_STACK = 1 << 9,  /* uses RSP */
};

/* Flags an instruction leaves undefined, as columns of the table: bits of the packed form. */
enum {
    X86_U_ = 0, X86_U_A = 1 << 12, X86_U_OA = 1 << 12 | 1, X86_U_O = 1,
    X86_U_SZAP = 0xd400, X86_U_OSAPC = 0x9501, X86_U_OSAP = 0x9401, X86_U_OSZAPC = 0xd501
};

typedef enum X86OpndKind {
    X86_K_NONE, X86_K_REG, X86_K_HIGH /* AH CH DH BH: reg 0..3 */, X86_K_MEM, X86_K_IMM, X86_K_XMM
} X86OpndKind;

typedef struct X86Opnd {
    uint8_t kind;   /* X86OpndKind */
    uint8_t reg;
    uint8_t esz;    /* log2 bytes */
} X86Opnd;

enum { X86_NO_REG = 0xff, X86_BASE_RIP = 0xfe, X86_MAX_INSN = 15 };

/* A decoded instruction. */
typedef struct X86Insn {
    uint16_t row;       /* index into x86_rows */
    uint16_t opcode;    /* map << 8 | byte; map 0: one byte, 1: 0F, 2: 0F38, 3: 0F3A */
    uint8_t  len;
    uint8_t  esz;       /* operand size: 1, 2, 3 */
    uint8_t  aesz;      /* address size: 2, 3 */
    uint8_t  rex;       /* 0 or the prefix */
    uint8_t  rep;       /* 0, 0xf2, 0xf3: the last one */
    uint8_t  seg;       /* 0, 4 = FS, 5 = GS */
    bool     lock, opsize;
    uint8_t  modrm;
    uint8_t  base, index, scale; /* of the memory operand: register, X86_NO_REG, X86_BASE_RIP */
    int64_t  disp;
    uint64_t imm;       /* sign- or zero-extended as its operand says */
    X86Opnd  op[3];
} X86Insn;

typedef struct X86Row {
    uint16_t opcode;
    uint8_t  prefix, modrm;
    const char *name;
    uint8_t  operand[3]; /* X86OperandSpec */
    uint16_t attrs;
    uint16_t undef;
} X86Row;

enum {
    X86_N_ROWS = 0
#define X86_INSN(opc, pfx, modrm, name, o1, o2, o3, gen, arg, attrs, undef) + 1
#include "target/x86/decode/x86_insns.def"
#undef X86_INSN
};
extern const X86Row x86_rows[X86_N_ROWS];

typedef enum X86DecodeResult { X86_DEC_OK, X86_DEC_UNDEF, X86_DEC_SHORT } X86DecodeResult;

/*
 * Decodes the instruction at code[0..bytes). UNDEF: no such instruction (i->len bytes were looked
 * at); SHORT: it goes on beyond `bytes`.
 */
X86DecodeResult x86_decode(const uint8_t *code, uint32_t bytes, X86Insn *i);

#endif
