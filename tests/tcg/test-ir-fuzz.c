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
#include <sys/mman.h>

#include "fuzzgen.h"

enum { N_STAGES = 9 };

static const struct {
    const char *name;
    void (*run)(IrRegion *r);
} stages[N_STAGES] = {
    {"promote", ir_opt_promote}, {"fold", ir_opt_fold},   {"phis", ir_opt_phis},
    {"dce", ir_opt_dce},         {"flags", ir_opt_flags}, {"licm", ir_opt_licm},
    {"dce", ir_opt_dce},         {"phis", ir_opt_phis},   {"fold", ir_opt_fold},
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

/*
 * Left at a poll somewhere in the middle, then taken up there block by block: what a poll leaves
 * behind must be all that the rest of the program reads.
 */
static void test_polls(void)
{
    uint64_t seed = from_env("GEMEL_FUZZ_SEED", 1), n = from_env("GEMEL_FUZZ_COUNT", 1500);
    Fixture *fx = aligned_alloc(64, (sizeof *fx + 63) & ~63u);
    unsigned polls = 0;
    Arena arena;

    arena_init(&arena);
    for (uint64_t end = seed + n; seed < end; seed++) {
        FuzzProgram p = fuzz_program(seed);
        IrRegion *r = fuzz_build(&p, &arena, 2);
        const char *bad;

        ir_optimize(r, 2, NULL);
        fuzz_state(&p, &fx->want, fx->mem_want);
        run_reference(&p, &fx->want);
        fuzz_state(&p, &fx->got, fx->mem_got);
        polls += ir_interp(r, &fx->got.tcg, NULL, 1 + seed % 300) == TCG_EXIT_REQUEST;
        run_reference(&p, &fx->got);
        fx->got.x[FUZZ_S_MEM] = fx->want.x[FUZZ_S_MEM];
        bad = fuzz_compare(&fx->want, &fx->got, true);
        if (bad || memcmp(fx->mem_want, fx->mem_got, FUZZ_MEM_BYTES) != 0) {
            fail(&p, r, "a poll", bad ? bad : "memory differs");
        }
        arena_reset(&arena);
    }
    g_assert_cmpuint(polls, >, 0);
    arena_free(&arena);
    free(fx);
}

/* ---- faults: the n-th access is refused; the state must be that before its instruction ---- */

typedef struct FaultMem {
    TcgInterpMem mem;
    unsigned left;
} FaultMem;

static bool fault_load(void *opaque, uint64_t addr, void *dst, unsigned bytes)
{
    FaultMem *m = opaque;

    if (m->left == 0) {
        return false;
    }
    m->left--;
    memcpy(dst, (const void *)(uintptr_t)addr, bytes);
    return true;
}

static bool fault_store(void *opaque, uint64_t addr, const void *src, unsigned bytes)
{
    FaultMem *m = opaque;

    if (m->left == 0) {
        return false;
    }
    m->left--;
    memcpy((void *)(uintptr_t)addr, src, bytes);
    return true;
}

static TcgExit run_until_fault(const FuzzProgram *p, FuzzCpu *cpu, FaultMem *m)
{
    TcgExit left = TCG_EXIT_LOOKUP;
    Arena arena;

    arena_init(&arena);
    while (left == TCG_EXIT_LOOKUP && cpu->pc < FUZZ_EXIT_PC) {
        IrRegion *r = fuzz_build_block(p, &arena, (unsigned)((cpu->pc - FUZZ_PC) / FUZZ_PC_STEP));

        ir_opt_promote(r);
        left = ir_interp(r, &cpu->tcg, &m->mem, 0);
        arena_reset(&arena);
    }
    arena_free(&arena);
    return left;
}

static void test_faults(void)
{
    uint64_t seed = from_env("GEMEL_FUZZ_SEED", 1), n = from_env("GEMEL_FUZZ_COUNT", 1000);
    Fixture *fx = aligned_alloc(64, (sizeof *fx + 63) & ~63u);
    unsigned faults = 0;
    Arena arena;

    arena_init(&arena);
    for (uint64_t end = seed + n; seed < end; seed++) {
        FaultMem m = {.mem = {.opaque = &m, .load = fault_load, .store = fault_store}};
        FuzzProgram p = fuzz_program(seed);
        IrRegion *r = fuzz_build(&p, &arena, 2);
        TcgExit want, got;
        const char *bad;

        ir_optimize(r, 2, NULL);
        fuzz_state(&p, &fx->want, fx->mem_want);
        m.left = seed % 13;
        want = run_until_fault(&p, &fx->want, &m);
        fuzz_state(&p, &fx->got, fx->mem_got);
        m.left = seed % 13;
        got = ir_interp(r, &fx->got.tcg, &m.mem, 0);
        fx->got.x[FUZZ_S_MEM] = fx->want.x[FUZZ_S_MEM];
        /* flags nobody reads before they are written are not kept (tcg/opt/promote.c) */
        bad = fuzz_compare(&fx->want, &fx->got, false);
        if (want != got || bad || memcmp(fx->mem_want, fx->mem_got, FUZZ_MEM_BYTES) != 0) {
            fail(&p, r, "a fault", bad ? bad : "memory or reason differs");
        }
        faults += want == TCG_EXIT_FAULT;
        arena_reset(&arena);
    }
    g_assert_cmpuint(faults, >, 0);
    arena_free(&arena);
    free(fx);
}

/* ---- on the host ---- */

enum { CODE_BYTES = 4 << 20, DATA_BYTES = 1 << 20 };

static TcgCodeBuf *new_code_buf(void)
{
    TcgCodeBuf *buf = g_new0(TcgCodeBuf, 1);
    uint8_t *p = mmap(NULL, CODE_BYTES + DATA_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    g_assert_true(p != MAP_FAILED);
    *buf = (TcgCodeBuf){.rw = p,
                        .rx = p,
                        .code_bytes = CODE_BYTES,
                        .data = p + CODE_BYTES,
                        .data_bytes = DATA_BYTES};
    tcg_backend_x86_64.emit_prologue(buf, tcg_backend_x86_64.host_features());
    return buf;
}

static const void **helper_table(void)
{
    const void **t = g_new0(const void *, fuzz_guest.n_helpers + 1);

    for (unsigned i = 0; i < fuzz_guest.n_helpers; i++) {
        memcpy(&t[i],
               fuzz_guest.helpers[i].kind == TCG_H_VEC ? (const void *)&fuzz_guest.helpers[i].v
                                                       : (const void *)&fuzz_guest.helpers[i].i,
               sizeof *t);
    }
    return t;
}

/* Compiles and runs; true if there was room and spill slots enough. */
static bool run_host(const FuzzProgram *p, const IrRegion *r, TcgCodeBuf *buf, FuzzCpu *cpu)
{
    TcgCompiled c = {0};

    if (!tcg_backend_x86_64.compile(r, buf, 0, NULL, &c)) {
        return false;
    }
    if (getenv("GEMEL_FUZZ_DUMP")) {
        ir_print(r, stderr);
        tcg_backend_x86_64.disas(&c, stderr);
    }
    tcg_backend_x86_64.enter(buf, &cpu->tcg, c.code);
    if (cpu->tcg.exit_reason == TCG_EXIT_LINK) {
        cpu->pc = ((const TcgLink *)(uintptr_t)cpu->tcg.exit_info)->pc;
    } else if (cpu->tcg.exit_reason != TCG_EXIT_LOOKUP) {
        fail(p, r, "running", "host code left for another reason");
    }
    tcg_compiled_free(&c);
    return true;
}

static void test_host(void)
{
    uint64_t seed = from_env("GEMEL_FUZZ_SEED", 1), n = from_env("GEMEL_FUZZ_COUNT", 1500);
    Fixture *fx = aligned_alloc(64, (sizeof *fx + 63) & ~63u);
    const void **helpers = helper_table();
    TcgCodeBuf *buf = new_code_buf();
    size_t code = buf->code_used, data = buf->data_used;
    unsigned skipped = 0;
    Arena arena;

    arena_init(&arena);
    for (uint64_t end = seed + n; seed < end; seed++) {
        FuzzProgram p = fuzz_program(seed);
        IrRegion *r = fuzz_build(&p, &arena, 1 + seed % 2);
        const char *bad;

        ir_optimize(r, r->tier, NULL);
        fuzz_state(&p, &fx->want, fx->mem_want);
        g_assert_cmpint(ir_interp(r, &fx->want.tcg, NULL, 0), ==, TCG_EXIT_LOOKUP);
        fuzz_state(&p, &fx->got, fx->mem_got);
        fx->got.tcg.helpers = helpers;
        fx->got.tcg.mxcsr = fx->got.tcg.mxcsr_host = 0x1f80;
        for (unsigned i = 0; i < 1 << TCG_JC_BITS; i++) {
            fx->got.tcg.jump_cache[i].pc = 1;
        }
        if (run_host(&p, r, buf, &fx->got)) {
            fx->got.x[FUZZ_S_MEM] = fx->want.x[FUZZ_S_MEM];
            bad = fuzz_compare(&fx->want, &fx->got, true);
            if (bad || memcmp(fx->mem_want, fx->mem_got, FUZZ_MEM_BYTES) != 0) {
                fail(&p, r, "running on the host", bad ? bad : "memory differs");
            }
        } else {
            skipped++;
        }
        buf->code_used = code;
        buf->data_used = data;
        arena_reset(&arena);
    }
    g_assert_cmpuint(skipped, <=, n / 10);
    arena_free(&arena);
    munmap(buf->rw, CODE_BYTES + DATA_BYTES);
    g_free(buf);
    g_free(helpers);
    free(fx);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tcg/ir-fuzz/passes", test_passes);
    g_test_add_func("/tcg/ir-fuzz/polls", test_polls);
    g_test_add_func("/tcg/ir-fuzz/faults", test_faults);
    g_test_add_func("/tcg/ir-fuzz/host", test_host);
    return g_test_run();
}
