/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A switch interpreter: a byte-code program that counts primes by trial division. */
#include "kernel.h"

enum { SET, ADD, SUB, MUL, MOD, LESS, JZ, JMP, INC, MOV, HALT };
typedef struct Insn {
    uint8_t op, a, b, c;
    int32_t imm;
} Insn;

/* r0 candidate, r1 limit, r2 divisor, r3 scratch, r4 count */
static const Insn program[] = {
    {SET, 0, 0, 0, 2},  {SET, 4, 0, 0, 0},  {LESS, 3, 0, 1, 0}, {JZ, 3, 0, 0, 16},
    {SET, 2, 0, 0, 2},  {MUL, 3, 2, 2, 0},  {LESS, 5, 0, 3, 0}, {JZ, 5, 0, 0, 9},
    {JMP, 0, 0, 0, 13}, {MOD, 3, 0, 2, 0},  {JZ, 3, 0, 0, 14},  {INC, 2, 0, 0, 0},
    {JMP, 0, 0, 0, 5},  {INC, 4, 0, 0, 0},  {INC, 0, 0, 0, 0},  {JMP, 0, 0, 0, 2},
    {HALT, 0, 0, 0, 0},
};

static __attribute__((noinline)) int64_t run(const Insn *code, int64_t limit)
{
    int64_t r[8] = {0, limit};
    for (const Insn *i = code;; i++) {
        switch (i->op) {
        case SET: r[i->a] = i->imm; break;
        case ADD: r[i->a] = r[i->b] + r[i->c]; break;
        case SUB: r[i->a] = r[i->b] - r[i->c]; break;
        case MUL: r[i->a] = r[i->b] * r[i->c]; break;
        case MOD: r[i->a] = (int32_t)r[i->b] % (int32_t)r[i->c]; break;
        case LESS: r[i->a] = r[i->b] < r[i->c]; break;
        case JZ:
            if (!r[i->a]) {
                i = &code[i->imm - 1];
            }
            break;
        case JMP: i = &code[i->imm - 1]; break;
        case INC: r[i->a]++; break;
        case MOV: r[i->a] = r[i->b]; break;
        case HALT: return r[4];
        }
    }
}

int main(int argc, char **argv)
{
    return kernel_done((uint64_t)run(program, kernel_scale(argc, argv, 400000)));
}
