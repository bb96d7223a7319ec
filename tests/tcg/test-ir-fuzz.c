/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random programs: the whole region, after each pass and on the host, against its blocks
 * interpreted one by one.
 *
 * GEMEL_FUZZ_SEED=n starts there, GEMEL_FUZZ_COUNT=n runs so many; a failure prints its seed.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzzgen.h"

enum { N_STAGES = 7 };

static const struct { const char *name; void (*run)(IrRegion *r); } stages[N_STAGES] = {
    { "promote", ir_opt_promote }, { "fold", ir_opt_fold }, { "dce", ir_opt_dce },
    { "flags", ir_opt_flags }, { "licm", ir_opt_licm }, { "dce", ir_opt_dce },
    { "fold", ir_opt_fold },
};

static uint64_t from_env(const char *name, uint64_t otherwise)
{
    const char *s = getenv(name);

    return s ? strtoull(s, NULL, 0) : otherwise;
}

static void fail(const FuzzProgram *p, const IrRegion *r, const char *stage, const char *what)
{
    ir_print(r, stderr);
    g_error("GEMEL_FUZZ_SEED=%llu: after %s: %s", (unsigned long long)p->seed, stage, what);
}

/* Block by block, until it leaves the program. */
static void run_reference(const FuzzProgram *p, FuzzCpu *cpu)
{
    Arena arena;

    arena_init(&arena);
    while (cpu->pc < FUZZ_EXIT_PC) {
        IrRegion *r = fuzz_build_block(p, &arena, (unsigned)((cpu->pc - FUZZ_PC) / FUZZ_PC_STEP));

        ir_opt_promote(r);
        g_assert_cmpint(ir_interp(r, &cpu->tcg, NULL, 0), ==, TCG_EXIT_LOOKUP);
        arena_reset(&arena);
    }
    arena_free(&arena);
}

typedef struct Fixture {
    FuzzCpu want, got;
    uint8_t mem_want[FUZZ_MEM_BYTES + 64], mem_got[FUZZ_MEM_BYTES + 64];
} Fixture;

static void check(Fixture *fx, const FuzzProgram *p, const IrRegion *r, const char *stage)
{
    const char *bad = NULL;
    char why[160];
    TcgExit why_left;

    if (!ir_verify(r, why, sizeof why)) {
        fail(p, r, stage, why);
    }
    fuzz_state(p, &fx->got, fx->mem_got);
    why_left = ir_interp(r, &fx->got.tcg, NULL, 0);
    fx->got.x[FUZZ_S_MEM] = fx->want.x[FUZZ_S_MEM];
    bad = fuzz_compare(&fx->want, &fx->got, true);
    if (why_left != TCG_EXIT_LOOKUP || bad) {
        fail(p, r, stage, bad ? bad : "left for another reason");
    }
    if (memcmp(fx->mem_want, fx->mem_got, FUZZ_MEM_BYTES) != 0) {
        fail(p, r, stage, "memory differs");
    }
}

static void test_passes(void)
{
    uint64_t seed = from_env("GEMEL_FUZZ_SEED", 1), n = from_env("GEMEL_FUZZ_COUNT", 1500);
    Fixture *fx = aligned_alloc(64, (sizeof *fx + 63) & ~63u);
    Arena arena;

    arena_init(&arena);
    for (uint64_t end = seed + n; seed < end; seed++) {
        FuzzProgram p = fuzz_program(seed);
        IrRegion *r = fuzz_build(&p, &arena, 1 + seed % 2);
        char why[160];

        fuzz_state(&p, &fx->want, fx->mem_want);
        run_reference(&p, &fx->want);
        if (!ir_verify(r, why, sizeof why)) {
            fail(&p, r, "build", why);
        }
        for (unsigned i = 0; i < N_STAGES; i++) {
            stages[i].run(r);
            check(fx, &p, r, stages[i].name);
        }
        arena_reset(&arena);
    }
    arena_free(&arena);
    free(fx);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tcg/ir-fuzz/passes", test_passes);
    return g_test_run();
}
