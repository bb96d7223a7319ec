/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 translation: random words of every row become IR that the verifier accepts, alone and in
 * sequences, for every CPU model and mode.
 */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "target/arm/a64.h"
#include "target/arm/decode/a64_decode.h"
#include "tcg/builder.h"

static A64Cpu *new_cpu(const char *model)
{
    A64Cpu *cpu = aligned_alloc(64, (sizeof(A64Cpu) + 63) & ~(size_t)63);
    memset(cpu, 0, sizeof(*cpu));
    g_assert_true(a64_cpu_reset(cpu, model, true));
    return cpu;
}

/* Translates n words at 0x1000 and verifies; what is wrong is printed with the region. */
static void check_words(Arena *arena, const A64Cpu *cpu, const uint32_t *words, unsigned n,
                        uint64_t mode)
{
    static IrBuilder b; /* large; a test has one thread */
    char why[256];
    TcgBlockCtx ctx = {
        .b = &b,
        .pc = 0x1000,
        .code = (const uint8_t *)words,
        .code_bytes = n * 4,
        .max_insns = 64,
        .mode = mode,
        .cpu = &cpu->tcg,
    };
    arena_reset(arena);
    ir_builder_init(&b, arena, &a64_guest, ctx.pc, mode, 1);
    a64_guest.translate(&ctx);
    IrRegion *r = ir_builder_finish(&b);
    g_assert_cmpuint(ctx.n_insns, >=, 1);
    g_assert_cmpuint(ctx.n_bytes, ==, ctx.n_insns * 4);
    if (!ir_verify(r, why, sizeof(why))) {
        A64Insn i;
        for (unsigned k = 0; k < ctx.n_insns; k++) {
            g_test_message("%08x %s", words[k],
                           a64_decode(words[k], &i) ? a64_rows[i.row].name : "-");
        }
        ir_print(r, stderr);
        g_error("verifier: %s", why);
    }
}

static uint32_t random_word(GRand *r, unsigned row)
{
    return (g_rand_int(r) & ~a64_rows[row].mask) | a64_rows[row].value;
}

static void test_each_row(void)
{
    unsigned seed = (unsigned)g_test_rand_int() & 0x7fffffff;
    g_test_message("seed %u", seed);
    GRand *r = g_rand_new_with_seed(seed);
    A64Cpu *cpu = new_cpu("max");
    Arena arena;
    arena_init(&arena);
    for (unsigned row = 0; row < A64_N_ROWS; row++) {
        for (unsigned n = 0; n < 40; n++) {
            uint32_t w = random_word(r, row);
            check_words(&arena, cpu, &w, 1, n & 15);
        }
    }
    arena_free(&arena);
    free(cpu);
    g_rand_free(r);
}

static void test_sequences(void)
{
    unsigned seed = (unsigned)g_test_rand_int() & 0x7fffffff;
    g_test_message("seed %u", seed);
    GRand *r = g_rand_new_with_seed(seed);
    Arena arena;
    arena_init(&arena);
    for (const char *const *m = a64_cpu_models(); *m; m++) {
        A64Cpu *cpu = new_cpu(*m);
        for (unsigned n = 0; n < 2000; n++) {
            uint32_t w[32];
            for (unsigned k = 0; k < G_N_ELEMENTS(w); k++) {
                w[k] = random_word(r, (unsigned)g_rand_int_range(r, 0, A64_N_ROWS));
            }
            check_words(&arena, cpu, w, G_N_ELEMENTS(w), 0);
        }
        free(cpu);
    }
    arena_free(&arena);
    g_rand_free(r);
}

/* The ID registers and hwcaps of a model go together. */
static void test_models(void)
{
    A64Cpu *cpu = new_cpu("cortex-a72");
    g_assert_cmphex(a64_hwcap(cpu), ==, 0x8fb);
    g_assert_cmphex(a64_hwcap2(cpu), ==, 0);
    g_assert_cmphex(cpu->id_aa64[6], ==, 0x11120);
    g_assert_cmphex(cpu->midr, ==, 0x410fd083);
    free(cpu);
    cpu = new_cpu("neoverse-n1");
    g_assert_cmphex(a64_hwcap(cpu), ==, 0x10119ffb);
    g_assert_cmphex(cpu->id_aa64[0], ==, 0x110011);
    free(cpu);
    A64Cpu *bad = new_cpu("max");
    g_assert_false(a64_cpu_reset(bad, "cortex-x99", true));
    g_assert_cmpstr(bad->model, ==, "max");
    g_assert_true(a64_has(bad, A64_FEAT_LSE2));
    g_assert_true(a64_cpu_reset(bad, "max", false));
    g_assert_false(a64_has(bad, A64_FEAT_LSE2));
    free(bad);
}

static void test_status_registers(void)
{
    A64Cpu *cpu = new_cpu("max");
    for (uint32_t v = 0; v < 16; v++) {
        a64_nzcv_set(cpu, v << 28);
        g_assert_cmphex(a64_nzcv_get(cpu), ==, v << 28);
    }
    a64_fpsr_set(cpu, 0x0800009f);
    g_assert_cmphex(a64_fpsr_get(cpu), ==, 0x0800009f);
    a64_fpsr_set(cpu, 0x10);
    g_assert_cmphex(a64_fpsr_get(cpu), ==, 0x10);
    a64_fpcr_set(cpu, 0xffffffff);
    g_assert_cmphex(cpu->fpcr, ==, 0x07c80000);
    g_assert_cmphex(a64_guest.mxcsr(&cpu->tcg), ==, 0xffc0);
    g_assert_cmphex(a64_guest.mode(&cpu->tcg), ==, A64_MODE_FPSLOW);
    a64_fpcr_set(cpu, 1u << 22); /* towards plus infinity */
    g_assert_cmphex(a64_guest.mxcsr(&cpu->tcg), ==, 0x5f80);
    g_assert_cmphex(a64_guest.mode(&cpu->tcg), ==, 0);
    free(cpu);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/a64/models", test_models);
    g_test_add_func("/a64/status-registers", test_status_registers);
    g_test_add_func("/a64/translate/each-row", test_each_row);
    g_test_add_func("/a64/translate/sequences", test_sequences);
    return g_test_run();
}
