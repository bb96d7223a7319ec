/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What isa-gen writes, isa-guest runs and isa-compare reads.
 *
 * A case is a short sequence of A64 instructions and the state before it; the result is the state
 * after it, or at the signal it raised, and a hash of the two pages that memory operands point into;
 * their contents are the same before every case.
 */
#ifndef GEMEL_TESTS_ISA_FORMAT_H
#define GEMEL_TESTS_ISA_FORMAT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    ISA_MAGIC = 0x61736967,
    ISA_MAX_INSNS = 16,
    ISA_MEM_ADDR = 0x3000000,  /* the memory page pair the cases load from and store to */
    ISA_MEM_BYTES = 8192,
    ISA_CODE_ADDR = 0x2000000, /* the page the sequences run at; within reach of B */
};

typedef struct IsaHeader {
    uint32_t magic, n_cases;
    uint64_t seed;
} IsaHeader;

/* Offsets are known to the assembly in isa-guest.c. */
typedef struct IsaState {
    uint64_t x[31];
    uint64_t nzcv;       /* bits 31:28 */
    uint64_t fpcr, fpsr;
    uint64_t pad[6];
    uint64_t v[32][2];   /* at 320 */
} IsaState;

typedef struct IsaCase {
    uint32_t insn[ISA_MAX_INSNS];
    uint16_t row[ISA_MAX_INSNS];  /* decode row of each, for reports and coverage */
    uint32_t n, pad;
    IsaState in;
} IsaCase;

typedef struct IsaResult {
    IsaState out;
    uint64_t sig;        /* 0, or the signal */
    uint64_t code;       /* its si_code */
    uint64_t pc;         /* at the signal: byte offset into the sequence */
    uint64_t mem_hash;
} IsaResult;

/*
 * Rows that are UNDEFINED at EL0 whatever their operands, or (MSR_imm) those that isa-gen picks:
 * for them a refusal by both, SIGILL, is the check. What they do at EL1 is for tests/bare and
 * tests/target (vector-rows.txt).
 */
static inline bool isa_row_privileged(const char *name)
{
    static const char *const rows[] = {"HVC", "SMC", "HLT", "ERET", "ERETA", "MSR_imm"};
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!strcmp(rows[i], name)) {
            return true;
        }
    }
    return false;
}

#endif
