/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 snippets through translation and the IR interpreter, against recorded results; pointer
 * authentication against the published QARMA vector; what must be refused.
 */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "target/arm/a64.h"
#include "target/arm/tcg/a64_helpers.h"
#include "tcg/backend.h"
#include "tcg/builder.h"

enum { START = 0x10000, DONE = 0x77770000, MAX_WORDS = 16 };
static const uint32_t ret_insn = 0xd65f03c0;

typedef struct Snippet {
    const char *text;
    uint64_t x0, x1, x2;
    uint32_t nzcv;
    uint64_t hash;
    uint32_t words[MAX_WORDS];
} Snippet;

#define SNIPPET(text, x0, x1, x2, nzcv, hash, ...)                                                 \
    {text, x0, x1, x2, nzcv, hash, {__VA_ARGS__, ret_insn_word}},
#define ret_insn_word 0xd65f03c0
static const Snippet snippets[] = {
#include "a64_exec.def"
};

static uint8_t memory[256] __attribute__((aligned(64)));

static A64Cpu *new_cpu(const char *model)
{
    static const uint64_t x[8] = {
        0x1111,
        0x123456789abcdef0,
        0xfedcba9876543219,
        0xffffffff80000003,
        0x29,
        0x8000000000000000,
        ~0ull,
        0x80000000,
    };
    A64Cpu *cpu = aligned_alloc(64, (sizeof(A64Cpu) + 63) & ~(size_t)63);
    memset(cpu, 0, sizeof(*cpu));
    g_assert_true(a64_cpu_reset(cpu, model, true));
    memcpy(cpu->x, x, sizeof(x));
    cpu->x[8] = (uint64_t)(memory + 64);
    cpu->x[30] = DONE;
    cpu->sp = 0x7000;
    cpu->pc = START;
    a64_nzcv_set(cpu, 0xa0000000);
    for (unsigned k = 0; k < sizeof(memory); k++) {
        memory[k] = (uint8_t)(k * 37 + 11 + (k >> 3) * 91);
    }
    return cpu;
}

/* Runs code at START until something but a jump inside it happens. */
static TcgExit run_code(A64Cpu *cpu, const uint32_t *words, unsigned n, uint64_t mode)
{
    static IrBuilder b;
    Arena arena;
    arena_init(&arena);
    TcgExit why = TCG_EXIT_LOOKUP;
    unsigned blocks = 0;
    while ((why == TCG_EXIT_LOOKUP || why == TCG_EXIT_ISB) && cpu->pc >= START &&
           cpu->pc < START + n * 4) {
        TcgBlockCtx ctx = {
            .b = &b,
            .pc = cpu->pc,
            .code = (const uint8_t *)words + (cpu->pc - START),
            .code_bytes = (uint32_t)(START + n * 4 - cpu->pc),
            .max_insns = 64,
            .mode = mode,
            .cpu = &cpu->tcg,
        };
        arena_reset(&arena);
        ir_builder_init(&b, &arena, &a64_guest, ctx.pc, ctx.mode, 1);
        a64_guest.translate(&ctx);
        IrRegion *r = ir_builder_finish(&b);
        char text[200];
        if (!ir_verify(r, text, sizeof(text))) {
            g_error("verifier: %s", text);
        }
        why = ir_interp(r, &cpu->tcg, NULL, 100000);
        g_assert_cmpuint(++blocks, <, 100);
    }
    arena_free(&arena);
    return why;
}

static uint64_t memory_hash(void)
{
    uint64_t h = 0xcbf29ce484222325;
    for (unsigned k = 0; k < sizeof(memory); k++) {
        h = (h ^ memory[k]) * 0x100000001b3;
    }
    return h;
}

static unsigned count_words(const Snippet *s)
{
    unsigned n = 0;
    while (s->words[n] != ret_insn) {
        n++;
    }
    return n + 1;
}

static void run_snippets(const char *model, uint64_t mode)
{
    for (unsigned n = 0; n < G_N_ELEMENTS(snippets); n++) {
        const Snippet *s = &snippets[n];
        A64Cpu *cpu = new_cpu(model);
        TcgExit why = run_code(cpu, s->words, count_words(s), mode);
        bool same = why == TCG_EXIT_LOOKUP && cpu->pc == DONE && cpu->x[0] == s->x0 &&
                    cpu->x[1] == s->x1 && cpu->x[2] == s->x2 && a64_nzcv_get(cpu) == s->nzcv &&
                    memory_hash() == s->hash;
        if (!same) {
            g_test_message("%s: exit %d pc %" G_GINT64_MODIFIER "x", s->text, why, cpu->pc);
            g_test_message("got  %016" G_GINT64_MODIFIER "x %016" G_GINT64_MODIFIER
                           "x %016" G_GINT64_MODIFIER "x %08x %016" G_GINT64_MODIFIER "x",
                           cpu->x[0], cpu->x[1], cpu->x[2], a64_nzcv_get(cpu), memory_hash());
            g_test_message("want %016" G_GINT64_MODIFIER "x %016" G_GINT64_MODIFIER
                           "x %016" G_GINT64_MODIFIER "x %08x %016" G_GINT64_MODIFIER "x",
                           s->x0, s->x1, s->x2, s->nzcv, s->hash);
            g_test_fail();
        }
        free(cpu);
    }
}

static void test_snippets(void)
{
    run_snippets("max", 0);
}

/* Masking tags must change nothing for plain addresses. */
static void test_snippets_tagged(void)
{
    run_snippets("max", A64_MODE_TAGGED);
}

static void test_tagged_access(void)
{
    static const uint32_t code[] = {0xf9400100 /* ldr x0, [x8] */, ret_insn_word};
    A64Cpu *cpu = new_cpu("max");
    uint64_t want;
    memcpy(&want, memory + 64, 8);
    cpu->x[8] |= 0x5aull << 56;
    g_assert_cmpint(run_code(cpu, code, 2, A64_MODE_TAGGED), ==, TCG_EXIT_LOOKUP);
    g_assert_cmphex(cpu->x[0], ==, want);
    free(cpu);
}

static void test_refused(void)
{
    static const struct {
        const char *model;
        uint32_t word;
    } bad[] = {
        {"max", 0x00000000},        /* udf */
        {"cortex-a72", 0xb8210100}, /* ldadd: FEAT_LSE */
        {"cortex-a76", 0xdac10020}, /* pacia: FEAT_PAuth */
        {"max", 0xd5384000},        /* mrs x0, spsr_el1 */
        {"max", 0xd5034fdf},        /* msr daifset */
        {"max", 0xd53b4220},        /* mrs x0, daif */
        {"max", 0x12e00000},        /* movn w0, lsl 48 */
        {"max", 0x9ac24020},        /* crc32b with sf = 1 */
    };
    for (unsigned n = 0; n < G_N_ELEMENTS(bad); n++) {
        A64Cpu *cpu = new_cpu(bad[n].model);
        uint32_t code[2] = {bad[n].word, ret_insn};
        g_test_message("%08x", bad[n].word);
        g_assert_cmpint(run_code(cpu, code, 2, 0), ==, TCG_EXIT_UNDEF);
        g_assert_cmphex(cpu->pc, ==, START);
        free(cpu);
    }
}

static void test_exceptions(void)
{
    static const uint32_t svc[] = {0xd2800140 /* mov x0, #10 */, 0xd40000e1 /* svc #7 */};
    static const uint32_t brk[] = {0xd2800140, 0xd4207d00 /* brk #1000 */};
    static const uint32_t align[] = {0x91000508 /* add x8, x8, #1 */, 0xc85f7d00 /* ldxr */};
    A64Cpu *cpu = new_cpu("cortex-a72");
    g_assert_cmpint(run_code(cpu, svc, 2, 0), ==, TCG_EXIT_SYSCALL);
    g_assert_cmphex(cpu->pc, ==, START + 8);
    g_assert_cmphex(cpu->tcg.exit_info, ==, 7);
    g_assert_cmphex(cpu->x[0], ==, 10);
    cpu->pc = START;
    g_assert_cmpint(run_code(cpu, brk, 2, 0), ==, TCG_EXIT_BREAK);
    g_assert_cmphex(cpu->pc, ==, START + 4);
    g_assert_cmphex(cpu->tcg.exit_info, ==, 1000);
    cpu->pc = START;
    g_assert_cmpint(run_code(cpu, align, 2, 0), ==, TCG_EXIT_ALIGN);
    g_assert_cmphex(cpu->pc, ==, START + 4);
    g_assert_cmphex(cpu->tcg.exit_info, ==, (uint64_t)(memory + 65));
    free(cpu);
}

/* QARMA5-64, the vector published with the cipher for sigma 2: PACGA shows the upper half. */
static void test_pac_cipher(void)
{
    A64Cpu *cpu = new_cpu("max");
    cpu->pac_key[4][0] = 0xec2802d4e0a488e9;
    cpu->pac_key[4][1] = 0x84be85ce9804e94b;
    uint64_t r = a64_h_pac_ga(&cpu->tcg, 0xfb623599da6e8127, 0x477d469dec0b8762, 0, 0);
    g_assert_cmphex(r, ==, 0xc003b93900000000);
    free(cpu);
}

static void test_pac_round_trip(void)
{
    /* pacia x1, x2; mov x0, x1; autia x1, x2; autib x0, x2 */
    static const uint32_t code[] = {0xdac10041, 0xaa0103e0, 0xdac11041, 0xdac11440, ret_insn_word};
    A64Cpu *cpu = new_cpu("max");
    for (unsigned k = 0; k < 10; k++) {
        cpu->pac_key[k / 2][k % 2] = 0x123456789abcdef * (k + 3);
    }
    cpu->x[1] = 0x0000fffff7e01230;
    g_assert_cmpint(run_code(cpu, code, 5, 0), ==, TCG_EXIT_PAC);
    g_assert_cmphex(cpu->pc, ==, START + 12);
    g_assert_cmphex(cpu->x[1], ==, 0x0000fffff7e01230);
    g_assert_cmphex(cpu->x[0], !=, cpu->x[1]);
    free(cpu);
}

/* BR, BLR and what they may land on in a guarded page. */
static void test_bti(void)
{
    static const uint32_t pads[5] = {0xd503201f, 0xd503245f, 0xd503249f, 0xd50324df, 0xd503233f};
    static const struct {
        uint32_t branch;
        unsigned accepted; /* bit n: pads[n] may be entered */
    } cases[] = {
        {0xd61f0120 /* br x9 */, 1 << 2 | 1 << 3},
        {0xd61f0200 /* br x16 */, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4},
        {0xd63f0120 /* blr x9 */, 1 << 1 | 1 << 3 | 1 << 4},
        {0xd65f0120 /* ret x9 */, 0x1f},
    };
    for (unsigned k = 0; k < G_N_ELEMENTS(cases); k++) {
        for (unsigned n = 0; n < G_N_ELEMENTS(pads); n++) {
            uint32_t code[4] = {0xd503201f, cases[k].branch, pads[n], 0xd4000001 /* svc */};
            A64Cpu *cpu = new_cpu("cortex-a76");
            cpu->x[9] = cpu->x[16] = START + 8;
            TcgExit why = run_code(cpu, code, 4, A64_MODE_BTI | A64_MODE_GUARDED);
            bool accepted = cases[k].accepted >> n & 1;
            g_assert_cmpint(why, ==, accepted ? TCG_EXIT_SYSCALL : TCG_EXIT_BTI);
            g_assert_cmphex(cpu->pc, ==, accepted ? START + 16 : START + 8);
            g_assert_cmpuint(accepted ? cpu->btype : 0, ==, 0);
            free(cpu);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/a64/exec/snippets", test_snippets);
    g_test_add_func("/a64/exec/snippets-tagged", test_snippets_tagged);
    g_test_add_func("/a64/exec/tagged-access", test_tagged_access);
    g_test_add_func("/a64/exec/refused", test_refused);
    g_test_add_func("/a64/exec/exceptions", test_exceptions);
    g_test_add_func("/a64/exec/bti", test_bti);
    g_test_add_func("/a64/pac/cipher", test_pac_cipher);
    g_test_add_func("/a64/pac/round-trip", test_pac_round_trip);
    return g_test_run();
}
