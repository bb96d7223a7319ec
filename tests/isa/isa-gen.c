/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes random cases for isa-guest from the decode table: every row gets its share, its free bits
 * are random, and a few fields are steered so that a case stays inside its two pages:
 *   x27 is the base of every memory access, x26 its index, x24 the target of indirect branches;
 *   none of x24..x27 is otherwise written, and SP (31 where it means SP) is not used.
 *
 * usage: isa-gen [--seed N] [--cases N] [--insns N] [--row NAME] [--fpcr] OUT
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/arm/a64.h"
#include "target/arm/decode/a64_decode.h"
#include "tests/isa/isa-format.h"

enum { R_TARGET = 24, R_INDEX = 26, R_BASE = 27 };

static uint64_t rnd(uint64_t *s)
{
    *s += 0x9e3779b97f4a7c15u;
    uint64_t z = *s;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* ---- fields of a row ---- */

static unsigned field_width(unsigned row, const char *name)
{
    const A64RowInfo *r = &a64_rows[row];
    unsigned w = 0;
    for (unsigned i = 0; i < r->n_parts; i++) {
        const A64FieldPart *p = &a64_field_parts[r->first_part + i];
        w += strcmp(a64_field_names[p->field], name) ? 0 : p->width;
    }
    return w;
}

/* Fields in one piece only (register numbers and immediates are). */
static void set_field(unsigned row, const char *name, uint32_t *word, uint32_t v)
{
    const A64RowInfo *r = &a64_rows[row];
    for (unsigned i = 0; i < r->n_parts; i++) {
        const A64FieldPart *p = &a64_field_parts[r->first_part + i];
        if (!strcmp(a64_field_names[p->field], name)) {
            uint32_t m = ((1u << p->width) - 1) << p->pos;
            *word = (*word & ~m) | ((v << p->pos) & m);
            return;
        }
    }
}

static uint32_t get_bits(uint32_t w, unsigned pos, unsigned n)
{
    return (w >> pos) & ((1u << n) - 1);
}

/* ---- which rows and words fit a sequence ---- */

static bool is_load_store(uint32_t w)
{
    return get_bits(w, 25, 3) == 4 || get_bits(w, 25, 3) == 6;
}
static bool is_branch_group(uint32_t w)
{
    return get_bits(w, 26, 3) == 5;
}

/* Where qemu 7.2 is wrong by the manual: the word and why. */
static const struct {
    uint32_t mask, value;
    const char *why;
} oracle_errata[] = {
    {0xfff0fc00, 0x5f10fc00, "FCVTZS (scalar, fixed, half): sign-extends the result beyond H"},
    {0xbff80c00, 0x2f000c00, "modified immediate with op = 1, o2 = 1 is unallocated; it runs FMOV"},
};

/* FJCVTZS of a denormal flushed to zero: the manual clears Z, the oracle sets it. */
static bool is_fjcvtzs(uint32_t w)
{
    return (w & 0xfffffc00u) == 0x1e7e0000u;
}

static bool word_allowed(uint32_t w)
{
    for (unsigned i = 0; i < sizeof oracle_errata / sizeof oracle_errata[0]; i++) {
        if ((w & oracle_errata[i].mask) == oracle_errata[i].value) {
            return false;
        }
    }
    if (!is_branch_group(w)) {
        bool stgp = (w & 0xfc400000u) == 0x68000000u; /* FEAT_MTE, which the oracle has */
        return get_bits(w, 25, 4) != 0 && !stgp;
    }
    if (get_bits(w, 24, 8) == 0xd4) { /* not SVC; HLT #0xf000 is semihosting, there too */
        return (w & 0xffe0001fu) != 0xd4000001u && w != 0xd45e0000u;
    }
    if (get_bits(w, 22, 10) == 0x354) { /* system */
        uint32_t reg = get_bits(w, 5, 16);
        bool move = get_bits(w, 20, 1) && get_bits(w, 19, 2) >= 2;
        bool hint = (w & 0xfffff01fu) == 0xd503201fu && get_bits(w, 5, 7) < 2;
        bool barrier =
            (w & 0xfffff01fu) == 0xd503301fu && (get_bits(w, 5, 3) != 7 || w == 0xd50330ffu);
        bool flagm = (w & 0xfffff01fu) == 0xd500401fu && get_bits(w, 5, 3) < 3;
        if ((w & 0xfff8f01fu) == 0xd500401fu && !flagm) { /* MSR (immediate) but SSBS, DIT, TCO */
            return get_bits(w, 16, 3) != 3 || get_bits(w, 5, 3) >= 6;
        }
        return hint || barrier || flagm || (move && (reg & 0xffff) == 0xda10);
    }
    return true;
}

static bool row_allowed(unsigned row)
{
    const A64RowInfo *r = &a64_rows[row];
    if (isa_row_privileged(r->name)) {
        return true;
    }
    return r->feature != A64_FEAT_PAuth && r->feature != A64_FEAT_RNG &&
           r->feature != A64_FEAT_SSBS;
}

static const char *const reg_fields[] = {"rd", "rt", "rt2", "rn", "rm", "ra", "rs", NULL};

/* Keeps the reserved registers out of a register field, and SP too where 31 means it. */
static void steer_registers(unsigned row, uint32_t *w, uint64_t *s)
{
    uint32_t v = *w;
    bool sp = (v & 0x1f000000u) == 0x11000000u || (v & 0x1f800000u) == 0x12000000u ||
              (v & 0x1fe00000u) == 0x0b200000u;
    for (unsigned i = 0; reg_fields[i]; i++) {
        if (field_width(row, reg_fields[i]) != 5) {
            continue;
        }
        uint32_t n = (uint32_t)(rnd(s) % 29);
        n = n >= 24 ? n + 4 : n; /* 0..23, 28..32 */
        if (n >= 31) {
            n = sp || n > 31 ? 0 : 31;
        }
        set_field(row, reg_fields[i], w, n);
    }
}

/*
 * Exclusives, ordered accesses, LSE: FEAT_LSE2 lets them be misaligned within 16 bytes, which the
 * oracle (qemu 7.2) refuses. So cases that may hold one keep every base 16-byte aligned.
 */
static bool wants_alignment(uint32_t w)
{
    return (w & 0x3f000000u) == 0x08000000u || (w & 0x3b200c00u) == 0x38200000u ||
           (w & 0x3f200c00u) == 0x19000000u;
}

static bool is_exclusive(uint32_t w)
{
    return (w & 0x3fa00000u) == 0x08000000u || (w & 0x3fa00000u) == 0x08200000u;
}

static void align_writeback(uint32_t *w)
{
    if ((*w & 0x3b200400u) == 0x38000400u) {
        *w &= ~0x0000f000u; /* imm9: pre, post */
    } else if ((*w & 0x3a000000u) == 0x28000000u) {
        *w &= ~0x00018000u; /* imm7 of pairs, scaled by 4 or more */
    } else if ((*w & 0x3f200c00u) == 0x19000000u) {
        *w &= ~0x0000f000u; /* LDAPUR, STLUR */
    }
}

static void steer_memory(unsigned row, uint32_t *w, uint64_t *s)
{
    set_field(row, "rn", w, R_BASE);
    uint32_t rt = (uint32_t)(rnd(s) % 20);
    set_field(row, "rt", w, rt & ~1u); /* even: CASP */
    set_field(row, "rt2", w, (rt & ~1u) + 1);
    if (field_width(row, "rs") == 5) {
        set_field(row, "rs", w, ((rt & ~1u) + 2) % 22);
    }
    bool lse = (*w & 0x3b200c00u) == 0x38200000u;
    if (field_width(row, "rm") == 5 && !lse) {
        set_field(row, "rm", w, R_INDEX);
    }
    if (field_width(row, "imm") == 12) {
        set_field(row, "imm", w, (uint32_t)(rnd(s) & 63));
    }
    if ((*w & 0x3b000000u) == 0x18000000u) { /* literal: from the code page behind the sequence */
        *w = (*w & ~0x00ffffe0u) | (uint32_t)(rnd(s) % 200 + 20) << 5;
    }
}

/* Forward by one or two instructions. */
static void steer_branch(unsigned row, uint32_t *w, uint64_t *s, unsigned left)
{
    uint32_t by = left > 2 ? 1 + (uint32_t)(rnd(s) & 1) : 1;
    if (get_bits(*w, 26, 5) == 5) { /* B, BL */
        *w = (*w & 0xfc000000u) | by;
    } else if (get_bits(*w, 25, 6) == 0x1a || get_bits(*w, 25, 7) == 0x2a) { /* CBZ, B.cond */
        *w = (*w & ~0x00ffffe0u) | by << 5;
    } else if (get_bits(*w, 25, 6) == 0x1b) { /* TBZ */
        *w = (*w & ~0x0007ffe0u) | by << 5;
    } else if (get_bits(*w, 25, 7) == 0x6b) { /* BR, BLR, RET */
        set_field(row, "rn", w, R_TARGET);
    }
}

static bool make_insn(unsigned row, uint64_t *s, unsigned left, bool aligned, uint32_t *out)
{
    const A64RowInfo *r = &a64_rows[row];
    for (int tries = 0; tries < 40; tries++) {
        uint32_t w = r->value | ((uint32_t)rnd(s) & ~r->mask);
        if (r->value >> 22 == 0x354 && (w & 0x00180000u) == 0x00180000u) {
            w = (w & ~0x001fffe0u) | 0x001b4200u; /* MRS, MSR: NZCV */
        } else if ((r->value & 0xfffff01fu) == 0xd503201fu) {
            w &= 0xfffff03fu; /* hints: NOP and YIELD */
        } else if ((r->value & 0xfffff0ffu) == 0xd50330ffu) {
            w = 0xd50330ffu; /* SB, with CRm 0 */
        }
        if (!word_allowed(w) || (!aligned && is_load_store(w) && wants_alignment(w))) {
            continue;
        }
        steer_registers(row, &w, s);
        if (is_load_store(w)) {
            steer_memory(row, &w, s);
            if (aligned) {
                align_writeback(&w);
            }
        } else if (is_branch_group(w)) {
            steer_branch(row, &w, s, left);
        }
        A64Insn i;
        if (a64_decode(w, &i) && i.row == row && word_allowed(w)) {
            *out = w;
            return true;
        }
    }
    return false;
}

/* ---- values ---- */

static const uint64_t specials[] = {
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x7fffffff,
    0x80000000,
    0xffffffff,
    0x7fffffffffffffff,
    0x8000000000000000,
    0xffffffffffffffff,
    0xfffffffffffffffe,
    0x3ff0000000000000,
    0xbff0000000000000,
    0x7ff0000000000000,
    0xfff0000000000000,
    0x7ff8000000000000,
    0x7ff0000000000001,
    0xfff8000000000123,
    0x0010000000000000,
    0x000fffffffffffff,
    0x0000000000000001,
    0x8000000000000001,
    0x7fefffffffffffff,
    0x43e0000000000000,
    0xc3e0000000000000,
    0x41dfffffffc00000,
    0x3fe0000000000000,
    0x3ff8000000000000,
    0x4004000000000000,
    0x3ca0000000000000,
    0x0020000000000000,
};
static const uint32_t specials32[] = {
    0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffc00123, 0x00800000,
    0x007fffff, 0x00000001, 0x80000001, 0x7f7fffff, 0x4f000000, 0x5f000000, 0x3f000000, 0x3fc00000,
    0x00000000, 0x80000000, 0x7fff8000, 0x3c003c00, 0x7c007e00, 0x7c01fc00, 0x04000001, 0x7bff0400,
};

static uint64_t value(uint64_t *s)
{
    uint64_t r = rnd(s);
    switch (r >> 60) {
    case 0:
    case 1:
    case 2: return specials[rnd(s) % (sizeof specials / sizeof specials[0])];
    case 3:
    case 4: {
        uint64_t lo = specials32[rnd(s) % (sizeof specials32 / sizeof specials32[0])];
        return lo | (uint64_t)specials32[rnd(s) % (sizeof specials32 / sizeof specials32[0])] << 32;
    }
    case 5: return rnd(s) & 0xff;
    case 6: return (uint64_t) - (int64_t)(rnd(s) & 0xffff);
    case 7: return 0x3ff0000000000000u + (rnd(s) >> 12) + ((rnd(s) & 63) << 52); /* doubles, > 1 */
    case 8: {                                                                    /* floats near 1 */
        uint64_t a = 0x3e000000 + (rnd(s) & 0x3ffffff), b = 0x3e000000 + (rnd(s) & 0x3ffffff);
        return a | b << 32;
    }
    default: return rnd(s);
    }
}

static void make_state(IsaState *st, uint64_t *s, bool fpcr, bool aligned)
{
    memset(st, 0, sizeof *st);
    for (int i = 0; i < 31; i++) {
        st->x[i] = value(s);
    }
    st->x[R_BASE] = ISA_MEM_ADDR + ISA_MEM_BYTES / 2 + (aligned ? 16 * (rnd(s) & 7) : rnd(s) & 63);
    st->x[R_INDEX] = aligned ? rnd(s) & 0x30 : rnd(s) & 15;
    st->nzcv = (rnd(s) & 15) << 28;
    st->fpcr = (rnd(s) & 3) ? 0 : (rnd(s) & 3) << 22;
    if (fpcr) { /* DN, FZ, AHP, FZ16 */
        st->fpcr |=
            (rnd(s) & 1) << 25 | (rnd(s) & 1) << 24 | (rnd(s) & 1) << 26 | (rnd(s) & 1) << 19;
    }
    for (int i = 0; i < 32; i++) {
        st->v[i][0] = value(s);
        st->v[i][1] = value(s);
    }
}

typedef struct Options {
    uint64_t seed;
    uint32_t cases, insns;
    const char *row, *out;
    bool fpcr;
} Options;

static bool parse(int argc, char **argv, Options *o)
{
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        bool more = i + 1 < argc;
        if (!strcmp(a, "--fpcr")) {
            o->fpcr = true;
        } else if (more && !strcmp(a, "--seed")) {
            o->seed = strtoull(argv[++i], NULL, 0);
        } else if (more && !strcmp(a, "--cases")) {
            o->cases = (uint32_t)strtoul(argv[++i], NULL, 0);
        } else if (more && !strcmp(a, "--insns")) {
            o->insns = (uint32_t)strtoul(argv[++i], NULL, 0);
        } else if (more && !strcmp(a, "--row")) {
            o->row = argv[++i];
        } else if (*a != '-' && !o->out) {
            o->out = a;
        } else {
            return false;
        }
    }
    return o->out && o->insns >= 1 && o->insns < ISA_MAX_INSNS;
}

/* The rows to draw from; the result is how many. */
static unsigned usable_rows(const Options *o, uint16_t *rows)
{
    unsigned n = 0;
    uint64_t s = 1;
    uint32_t w;
    for (unsigned r = 0; r < A64_N_ROWS; r++) {
        if ((!o->row || !strcmp(o->row, a64_rows[r].name)) && row_allowed(r) &&
            make_insn(r, &s, 1, true, &w)) {
            rows[n++] = (uint16_t)r;
        }
    }
    return n;
}

static void make_case(IsaCase *c, const Options *o, const uint16_t *rows, unsigned n_rows,
                      uint32_t number, uint64_t *s)
{
    memset(c, 0, sizeof *c);
    bool aligned = rnd(s) % 8 != 0;
    make_state(&c->in, s, o->fpcr, aligned);
    c->n = o->insns;
    bool exclusive = false, refused = false;
    for (uint32_t i = 0; i < c->n; i++) {
        /* The first of a case goes round the rows, so that all get their share. */
        unsigned row = rows[i || refused ? rnd(s) % n_rows : number % n_rows];
        while (!make_insn(row, s, c->n - i, aligned, &c->insn[i])) {
            row = rows[rnd(s) % n_rows];
        }
        if (o->fpcr && is_fjcvtzs(c->insn[i]) && !o->row) {
            refused = true;
            i--;
            continue;
        }
        if (is_exclusive(c->insn[i])) {
            if (exclusive &&
                !o->row) { /* a store after a load of another size may do what it likes */
                i--;
                continue;
            }
            exclusive = true;
        }
        c->row[i] = (uint16_t)row;
        if (is_branch_group(c->insn[i]) && get_bits(c->insn[i], 25, 7) == 0x6b) {
            c->in.x[R_TARGET] = ISA_CODE_ADDR + 4 * (i + 1);
        }
    }
    if (rnd(s) % 4 == 0 && !c->in.x[R_TARGET]) {
        c->in.x[R_TARGET] = ISA_CODE_ADDR;
    }
}

int main(int argc, char **argv)
{
    Options o = {.seed = 1, .cases = 1000, .insns = 1};
    if (!parse(argc, argv, &o)) {
        fprintf(stderr,
                "usage: isa-gen [--seed N] [--cases N] [--insns N] [--row NAME] [--fpcr] OUT\n");
        return 2;
    }
    static uint16_t rows[A64_N_ROWS];
    unsigned n = usable_rows(&o, rows);
    FILE *f = fopen(o.out, "wb");
    if (!f || !n) {
        fprintf(stderr, "isa-gen: %s\n", f ? "no such row, or none that can be steered" : o.out);
        return 2;
    }
    IsaHeader h = {ISA_MAGIC, o.cases, o.seed};
    fwrite(&h, sizeof h, 1, f);
    uint64_t s = o.seed * 0x2545f4914f6cdd1du;
    for (uint32_t i = 0; i < o.cases; i++) {
        IsaCase c;
        make_case(&c, &o, rows, n, i, &s);
        fwrite(&c, sizeof c, 1, f);
    }
    printf("# isa-gen: seed %llu, %u cases of %u instructions from %u of %u rows\n",
           (unsigned long long)o.seed, o.cases, o.insns, n, (unsigned)A64_N_ROWS);
    return fclose(f) ? 2 : 0;
}
