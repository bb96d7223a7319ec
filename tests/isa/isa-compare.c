/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compares two result files of isa-guest. Prints each difference with its instructions, and how
 * many rows of the decode table were checked: a row counts when a case that holds it agreed and the
 * oracle did not refuse the instruction (SIGILL) there, or had to (isa_row_privileged()). FILE
 * names rows that other tests check; with it, a row that nothing checks is a failure.
 *
 * usage: isa-compare [--max N] [--vectors FILE] CASES ORACLE OURS    exit 1 when they differ
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/arm/a64.h"
#include "target/arm/decode/a64_decode.h"
#include "tests/isa/isa-format.h"

enum { SIG_ILL = 4 };

static uint8_t row_ok[A64_N_ROWS], row_refused[A64_N_ROWS], row_vectors[A64_N_ROWS];

static unsigned report(const IsaCase *c, const IsaResult *a, const IsaResult *b, unsigned number,
                       bool print)
{
    unsigned n = 0;
#define DIFF(what, index, x, y)                                                                    \
    do {                                                                                           \
        if ((x) != (y)) {                                                                          \
            n++;                                                                                   \
            if (print) {                                                                           \
                printf("#    %s%u: oracle %#llx, ours %#llx\n", what, index,                       \
                       (unsigned long long)(x), (unsigned long long)(y));                          \
            }                                                                                      \
        }                                                                                          \
    } while (0)
    if (print) {
        printf("# case %u:", number);
        for (unsigned i = 0; i < c->n; i++) {
            printf(" %08x %s", c->insn[i], a64_rows[c->row[i]].name);
        }
        printf("\n");
    }
    for (unsigned i = 0; i < 31; i++) {
        DIFF("x", i, a->out.x[i], b->out.x[i]);
    }
    for (unsigned i = 0; i < 32; i++) {
        DIFF("v.lo", i, a->out.v[i][0], b->out.v[i][0]);
        DIFF("v.hi", i, a->out.v[i][1], b->out.v[i][1]);
    }
    DIFF("nzcv ", 0, a->out.nzcv, b->out.nzcv);
    DIFF("fpsr ", 0, a->out.fpsr, b->out.fpsr);
    DIFF("fpcr ", 0, a->out.fpcr, b->out.fpcr);
    DIFF("signal ", 0, a->sig, b->sig);
    if (a->sig != SIG_ILL) { /* Linux says ILL_ILLOPC (do_el0_undef), qemu-user ILL_ILLOPN */
        DIFF("si_code ", 0, a->code, b->code);
    }
    DIFF("pc ", 0, a->pc, b->pc);
    DIFF("memory hash ", 0, a->mem_hash, b->mem_hash);
#undef DIFF
    return n;
}

static void count_rows(const IsaCase *c, const IsaResult *oracle)
{
    for (unsigned i = 0; i < c->n; i++) {
        bool reached = !oracle->sig || i <= oracle->pc / 4;
        bool refused = oracle->sig == SIG_ILL && i == oracle->pc / 4;
        bool privileged = isa_row_privileged(a64_rows[c->row[i]].name);
        if (reached) {
            (refused != privileged ? row_refused : row_ok)[c->row[i]] = 1;
        }
    }
}

/* Rows that other tests check, as the file names them: first word of a line. */
static void read_vector_rows(const char *path)
{
    char line[256], name[64];
    FILE *f = path ? fopen(path, "r") : NULL;
    while (f && fgets(line, sizeof line, f)) {
        for (unsigned r = 0; sscanf(line, "%63s", name) == 1 && r < A64_N_ROWS; r++) {
            row_vectors[r] |= !strcmp(name, a64_rows[r].name);
        }
    }
    if (f) {
        fclose(f);
    }
}

/* Returns how many rows nothing checks. */
static unsigned summary(unsigned cases, unsigned bad, bool list)
{
    unsigned ok = 0, vectors = 0, neither = 0;
    for (unsigned r = 0; r < A64_N_ROWS; r++) {
        ok += row_ok[r];
        vectors += row_vectors[r] && !row_ok[r];
        neither += !row_ok[r] && !row_vectors[r];
        if (list && !row_ok[r] && !row_vectors[r]) {
            printf("# row %s: %s\n", a64_rows[r].name,
                   row_refused[r] ? "the oracle refuses it" : "not run");
        }
    }
    printf("# %u cases, %u differ; rows: %u checked by the oracle, %u by vectors, %u by neither\n",
           cases, bad, ok, vectors, neither);
    return neither;
}

int main(int argc, char **argv)
{
    unsigned max = 20;
    const char *vectors = NULL;
    int arg = 1;
    for (; arg < argc && argv[arg][0] == '-'; arg++) {
        if (!strcmp(argv[arg], "--vectors") && arg + 1 < argc) {
            vectors = argv[++arg];
        } else if (!strcmp(argv[arg], "--max") && arg + 1 < argc) {
            max = (unsigned)atoi(argv[++arg]);
        }
    }
    FILE *f[3] = {NULL, NULL, NULL};
    for (int i = 0; i < 3 && arg + 3 == argc; i++) {
        f[i] = fopen(argv[arg + i], "rb");
    }
    IsaHeader h;
    if (!f[0] || !f[1] || !f[2] || fread(&h, sizeof h, 1, f[0]) != 1 || h.magic != ISA_MAGIC) {
        fprintf(stderr, "usage: isa-compare [--max N] [--vectors FILE] CASES ORACLE OURS\n");
        return 2;
    }
    unsigned bad = 0, i;
    for (i = 0; i < h.n_cases; i++) {
        IsaCase c;
        IsaResult a, b;
        if (fread(&c, sizeof c, 1, f[0]) != 1 || fread(&a, sizeof a, 1, f[1]) != 1 ||
            fread(&b, sizeof b, 1, f[2]) != 1) {
            printf("# results end at case %u of %u\n", i, h.n_cases);
            bad++;
            break;
        }
        if (report(&c, &a, &b, i, false)) {
            if (bad++ < max) {
                report(&c, &a, &b, i, true);
            }
        } else {
            count_rows(&c, &a);
        }
    }
    read_vector_rows(vectors);
    return summary(i, bad, vectors != NULL) && vectors ? 1 : bad != 0;
}
