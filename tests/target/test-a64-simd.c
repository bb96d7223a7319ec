/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 FP and Advanced SIMD through translation and the IR interpreter: every row with random
 * operands against recorded results, structure loads and stores against a model.
 *
 * The recorded hashes (a64_simd_golden.def) were written when tests/suites/isa.sh agreed with its
 * oracle on these rows; a new row is added by `GEMEL_GOLDEN=FILE test-a64-simd`, which writes them
 * anew. Known to differ from QEMU 7.2, and meant to: FCVTZS/FCVTZU (scalar, half, fixed point)
 * clear bits 31:16, FMOV (vector) with o2 = 1 and op = 1 is UNDEFINED, FJCVTZS of a flushed
 * denormal gives Z = 0 (pseudo-code FPToFixedJS).
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/arm/a64.h"
#include "target/arm/decode/a64_decode.h"
#include "tcg/backend.h"
#include "tcg/builder.h"

enum { START = 0x10000, CASES = 64 };

static const struct {
    unsigned row;
    uint64_t hash;
} golden[] = {
#define GOLDEN(name, hash) {A64_R_##name, hash},
#include "a64_simd_golden.def"
#undef GOLDEN
};

typedef struct Bench {
    A64Cpu *cpu;
    Arena arena;
    IrBuilder b;
    unsigned tier;
} Bench;

static Bench *bench_new(unsigned tier)
{
    Bench *t = calloc(1, sizeof(*t));
    t->cpu = aligned_alloc(64, (sizeof(A64Cpu) + 63) & ~(size_t)63);
    memset(t->cpu, 0, sizeof(*t->cpu));
    g_assert_true(a64_cpu_reset(t->cpu, "max", true));
    t->cpu->tcg.guest = &a64_guest;
    arena_init(&t->arena);
    t->tier = tier;
    return t;
}

static void bench_free(Bench *t)
{
    arena_free(&t->arena);
    free(t->cpu);
    free(t);
}

static TcgExit run_word(Bench *t, uint32_t word)
{
    uint64_t mode = a64_guest.mode(&t->cpu->tcg);
    TcgBlockCtx ctx = {
        .b = &t->b,
        .pc = START,
        .code = (const uint8_t *)&word,
        .code_bytes = 4,
        .max_insns = 1,
        .mode = mode,
        .cpu = &t->cpu->tcg,
    };
    char why[200];
    arena_reset(&t->arena);
    ir_builder_init(&t->b, &t->arena, &a64_guest, START, mode, t->tier);
    a64_guest.translate(&ctx);
    IrRegion *r = ir_builder_finish(&t->b);
    if (t->tier == 2) {
        ir_optimize(r, 2, NULL);
    }
    if (!ir_verify(r, why, sizeof(why))) {
        g_error("%08x: verifier: %s", word, why);
    }
    t->cpu->pc = START;
    return ir_interp(r, &t->cpu->tcg, NULL, 10000);
}

/* splitmix64: the recorded hashes depend on it. */
static uint64_t rnd(uint64_t *s)
{
    uint64_t z = *s += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Values in which every element size meets numbers that matter. */
static uint64_t value(uint64_t *s)
{
    static const uint64_t some[] = {
        0,
        ~0ull,
        0x8000000000000000,
        0x7fffffffffffffff,
        0x3ff0000000000000,
        0x7ff0000000000000,
        0xfff8000000000001,
        0x7ff0000000000001,
        0x000fffffffffffff,
        0xc3e0000000000000,
        0x3f800000bf800000,
        0x7f800000ff800001,
        0x7fc00000007fffff,
        0x4f0000005f000000,
        0x3c00bc007c00fc01,
        0x7e0003ff04007bff,
        0x8000800080008000,
        0x7f80ff0180007f00,
        0x8080808080808080,
        0x00ff01fe807f4000,
        0x0000000080000000,
        0x4340000043e00000,
    };
    uint64_t r = rnd(s);
    return r % 4 ? rnd(s) & (r & 8 ? ~0ull : 0x00ff00ff0000ffff)
                 : some[r / 16 % G_N_ELEMENTS(some)];
}

static void random_state(A64Cpu *cpu, uint64_t *s)
{
    for (unsigned k = 0; k < 31; k++) {
        cpu->x[k] = value(s);
    }
    for (unsigned k = 0; k < 32; k++) {
        cpu->v[k].u64[0] = value(s);
        cpu->v[k].u64[1] = value(s);
    }
    a64_nzcv_set(cpu, (uint32_t)(rnd(s) << 28));
    uint64_t r = rnd(s); /* rounding; at times DN, FZ, AHP, FZ16 */
    a64_fpcr_set(
        cpu, (uint32_t)((r & 3) << 22 | (r & 12 ? 0 : (r >> 4 & 7) << 24 | (r >> 7 & 1) << 19)));
    a64_fpsr_set(cpu, 0);
}

static void mix(uint64_t *h, uint64_t v)
{
    *h = (*h ^ v) * 0x9e3779b97f4a7c15u;
    *h ^= *h >> 29;
}

static uint64_t row_hash(Bench *t, unsigned row)
{
    uint64_t h = 0, seed = 0;
    for (const char *p = a64_rows[row].name; *p; p++) { /* rows may be added before others */
        mix(&seed, (uint64_t)*p);
    }
    for (unsigned n = 0; n < CASES; n++) {
        random_state(t->cpu, &seed);
        uint32_t word = a64_rows[row].value | ((uint32_t)rnd(&seed) & ~a64_rows[row].mask);
        A64Insn insn;
        if (!a64_decode(word, &insn) || insn.row != row) {
            continue;
        }
        mix(&h, run_word(t, word));
        for (unsigned k = 0; k < 31; k++) {
            mix(&h, t->cpu->x[k]);
        }
        for (unsigned k = 0; k < 32; k++) {
            mix(&h, t->cpu->v[k].u64[0]);
            mix(&h, t->cpu->v[k].u64[1]);
        }
        mix(&h, a64_nzcv_get(t->cpu));
        mix(&h, a64_fpsr_get(t->cpu));
    }
    return h;
}

/* FP and SIMD rows that touch no memory. */
static bool is_simd_row(unsigned row)
{
    return row > A64_R_VLDSTS_post;
}

static void test_rows(gconstpointer tier)
{
    Bench *t = bench_new(GPOINTER_TO_UINT(tier));
    unsigned rows = 0;
    for (unsigned n = 0; n < G_N_ELEMENTS(golden); n++) {
        uint64_t h = row_hash(t, golden[n].row);
        if (h != golden[n].hash) {
            g_test_message("%s: %016" G_GINT64_MODIFIER "x", a64_rows[golden[n].row].name, h);
            g_test_fail();
        }
    }
    for (unsigned row = 0; row < A64_N_ROWS; row++) {
        rows += is_simd_row(row);
    }
    g_assert_cmpuint(G_N_ELEMENTS(golden), ==, rows);
    bench_free(t);
}

static int write_golden(const char *path)
{
    Bench *t = bench_new(1);
    FILE *f = fopen(path, "w");
    g_assert_nonnull(f);
    fprintf(f, "/* SPDX-License-Identifier: GPL-2.0-or-later */\n"
               "/* Results of each FP and SIMD row, hashed; written by test-a64-simd. */\n");
    for (unsigned row = 0; row < A64_N_ROWS; row++) {
        if (is_simd_row(row)) {
            fprintf(f, "GOLDEN(%s, 0x%016" G_GINT64_MODIFIER "x)\n", a64_rows[row].name,
                    row_hash(t, row));
        }
    }
    bench_free(t);
    return fclose(f);
}

/* ---- LD1..LD4, ST1..ST4 ---- */

static uint8_t memory[128] __attribute__((aligned(64)));

/* Element e of register r stands at byte `at` of memory: the manual's loop, byte by byte. */
static void model_multiple(IrVec *regfile, unsigned regs, bool interleaved, unsigned shape)
{
    unsigned esz = shape & 3;
    bool q = shape >> 2 & 1, load = shape >> 3 & 1;
    unsigned bytes = q ? 16 : 8, n = bytes >> esz;
    for (unsigned r = 0; r < regs; r++) {
        IrVec *v = &regfile[(30 + r) & 31]; /* Rt is 30: wraps */
        for (unsigned b = 0; b < bytes; b++) {
            unsigned e = b >> esz, in = b & ((1u << esz) - 1);
            unsigned at = interleaved ? ((e * regs + r) << esz) + in : ((r * n + e) << esz) + in;
            if (load) {
                v->u8[b] = memory[at];
            } else {
                memory[at] = v->u8[b];
            }
        }
        if (load && !q) {
            v->u64[1] = 0;
        }
    }
}

static void check_multiple(Bench *t, uint64_t *seed, unsigned opc, unsigned regs, unsigned shape)
{
    unsigned esz = shape & 3;
    bool q = shape >> 2 & 1, load = shape >> 3 & 1, interleaved = !(opc & 2);
    if (interleaved && esz == 3 && !q) {
        return;
    }
    uint32_t word = 0x0c000000u | (uint32_t)q << 30 | (uint32_t)load << 22 | opc << 12 | esz << 10 |
                    5u << 5 | 30;
    uint8_t before[sizeof(memory)], want[sizeof(memory)];
    IrVec model[32];
    random_state(t->cpu, seed);
    for (unsigned k = 0; k < sizeof(memory); k++) {
        memory[k] = (uint8_t)rnd(seed);
    }
    memcpy(before, memory, sizeof(memory));
    t->cpu->x[5] = (uintptr_t)memory;
    memcpy(model, t->cpu->v, sizeof(model));
    model_multiple(model, regs, interleaved, shape);
    memcpy(want, memory, sizeof(memory));
    memcpy(memory, before, sizeof(memory));
    g_assert_cmpint(run_word(t, word), ==, TCG_EXIT_LOOKUP);
    g_assert_cmpmem(memory, sizeof(memory), want, sizeof(want));
    for (unsigned k = 0; k < 32; k++) {
        g_assert_cmpmem(&t->cpu->v[k], 16, &model[k], 16);
    }
}

static void test_structures(void)
{
    static const uint8_t opcs[][2] = {{0, 4}, {2, 4}, {4, 3}, {6, 3}, {7, 1}, {8, 2}, {10, 2}};
    uint64_t seed = (uint64_t)g_test_rand_int();
    g_test_message("seed %" G_GUINT64_FORMAT, seed);
    Bench *t = bench_new(1);
    for (unsigned n = 0; n < G_N_ELEMENTS(opcs); n++) {
        for (unsigned shape = 0; shape < 16; shape++) {
            check_multiple(t, &seed, opcs[n][0], opcs[n][1], shape);
        }
    }
    bench_free(t);
}

/* What a row lets through but the manual reserves. */
static void test_refused(void)
{
    static const uint32_t bad[] = {
        0x1ea00800, /* fmul, ftype 2 */
        0x0ee08400, /* add v0.1d */
        0x4ee09c00, /* mul v0.2d */
        0x5e208400, /* add, scalar bytes */
        0x2f00fc00, /* fmov v0.2s, o2 = 1, op = 1 */
        0x2f00f400, /* fmov v0.1d */
        0x0c008c00, /* st2 {v0.1d, v1.1d} */
        0x2e004000, /* ext v0.8b, #8 */
        0x0e000400, /* dup, imm5 = 0 */
        0x1e180000, /* fixed point of 64 bits from w0 */
    };
    Bench *t = bench_new(1);
    for (unsigned n = 0; n < G_N_ELEMENTS(bad); n++) {
        g_test_message("%08x", bad[n]);
        g_assert_cmpint(run_word(t, bad[n]), ==, TCG_EXIT_UNDEF);
        g_assert_cmphex(t->cpu->pc, ==, START);
    }
    bench_free(t);
}

int main(int argc, char **argv)
{
    if (getenv("GEMEL_GOLDEN")) {
        return write_golden(getenv("GEMEL_GOLDEN"));
    }
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/a64-simd/rows", GUINT_TO_POINTER(1), test_rows);
    g_test_add_data_func("/a64-simd/rows-optimized", GUINT_TO_POINTER(2), test_rows);
    g_test_add_func("/a64-simd/structures", test_structures);
    g_test_add_func("/a64-simd/refused", test_refused);
    return g_test_run();
}
