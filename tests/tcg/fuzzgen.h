/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small made-up guest, and random programs for it built straight as IR.
 *
 * A program has some guest blocks. Each counts the fuel slot down and leaves when it is used up;
 * then come random instructions; then a random branch to other blocks. The same (seed, block)
 * always builds the same IR, so a program can be built as one region, or block by block.
 */
#ifndef GEMEL_TESTS_FUZZGEN_H
#define GEMEL_TESTS_FUZZGEN_H

#include "tcg/backend.h"
#include "tcg/builder.h"

enum {
    FUZZ_INTS = 10, FUZZ_VECS = 8, FUZZ_MAX_BLOCKS = 8, FUZZ_MEM_BYTES = 512,
    FUZZ_S_FUEL = 8, FUZZ_S_MEM = 9, FUZZ_S_W = 10, FUZZ_S_FLAGS = 11, FUZZ_S_PC = 12,
    FUZZ_S_V0 = 13, FUZZ_SLOTS = FUZZ_S_V0 + FUZZ_VECS,
    FUZZ_PC = 0x1000, FUZZ_PC_STEP = 0x100, FUZZ_EXIT_PC = 0x9000
};

typedef struct FuzzCpu {
    TcgCpu   tcg;
    uint64_t x[FUZZ_INTS];
    uint32_t w, flags;
    uint64_t pc;
    IrVec    v[FUZZ_VECS];
} FuzzCpu;

extern const TcgGuest fuzz_guest;

typedef struct FuzzProgram {
    uint64_t seed;
    unsigned n_blocks;
    bool     memory, vectors, fp;
} FuzzProgram;

FuzzProgram fuzz_program(uint64_t seed);
/* Whole program as a region of the tier. */
IrRegion *fuzz_build(const FuzzProgram *p, Arena *arena, unsigned tier);
/* One block alone; every way out of it is an exit. */
IrRegion *fuzz_build_block(const FuzzProgram *p, Arena *arena, unsigned block);
/* Some instructions and one way or two out, as tier 1 compiles most guest blocks: usually
 * IrRegion.straight. */
IrRegion *fuzz_build_straight(const FuzzProgram *p, Arena *arena);
/* Random register values; mem: scratch memory of FUZZ_MEM_BYTES, filled too. */
void fuzz_state(const FuzzProgram *p, FuzzCpu *cpu, uint8_t *mem);
/* First difference of two states as text, or NULL. flags: compare them too. */
const char *fuzz_compare(const FuzzCpu *a, const FuzzCpu *b, bool flags);

#endif
