/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x86-64 back end against the interpreter: random programs (fuzzgen.h) compiled whole, at both
 * tiers, run on the host, and the state compared; and faults, whose restored state must be that
 * of the interpreter stopped at the same access.
 *
 * GEMEL_FUZZ_SEED=n starts there, GEMEL_FUZZ_COUNT=n runs so many; a failure prints its seed.
 */
#include <cpuid.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "fuzzgen.h"

enum { CODE_BYTES = 4 << 20, DATA_BYTES = 1 << 20 };

static TcgCodeBuf make_buf(void)
{
    uint8_t *p = mmap(NULL, CODE_BYTES + DATA_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    TcgCodeBuf buf = {.rw = p + DATA_BYTES,
                      .rx = p + DATA_BYTES,
                      .code_bytes = CODE_BYTES,
                      .data = p,
                      .data_bytes = DATA_BYTES};

    g_assert_true(p != MAP_FAILED);
    tcg_backend_x86_64.emit_prologue(&buf, tcg_backend_x86_64.host_features());
    return buf;
}

static uint64_t from_env(const char *name, uint64_t otherwise)
{
    const char *s = getenv(name);

    return s ? strtoull(s, NULL, 0) : otherwise;
}

static const void *helpers[8];

static void prepare(FuzzCpu *cpu)
{
    for (unsigned i = 0; i < fuzz_guest.n_helpers; i++) {
        const TcgHelper *h = &fuzz_guest.helpers[i];
        helpers[i] = h->kind == TCG_H_INT ? (const void *)h->i : (const void *)h->v;
    }
    cpu->tcg.helpers = helpers;
    cpu->tcg.guest = &fuzz_guest;
    cpu->tcg.mxcsr = 0x1f80;
    for (unsigned i = 0; i < (1u << TCG_JC_BITS); i++) {
        cpu->tcg.jump_cache[i].pc = 1;
    }
    for (unsigned i = 0; i < TCG_RING; i++) {
        cpu->tcg.ring[i].pc = 1;
    }
}

static TcgExit run(const TcgCodeBuf *buf, const TcgCompiled *c, FuzzCpu *cpu)
{
    tcg_backend_x86_64.enter(buf, &cpu->tcg, c->code);
    if (cpu->tcg.exit_reason == TCG_EXIT_LINK) {
        cpu->pc = ((TcgLink *)(uintptr_t)cpu->tcg.exit_info)->pc;
        return TCG_EXIT_LOOKUP;
    }
    return cpu->tcg.exit_reason;
}

typedef struct Fixture {
    FuzzCpu want, got;
    uint8_t mem_want[FUZZ_MEM_BYTES + 64], mem_got[FUZZ_MEM_BYTES + 64];
} Fixture;

static void fail(const FuzzProgram *p, const IrRegion *r, const TcgCompiled *c, const char *what)
{
    ir_print(r, stderr);
    tcg_backend_x86_64.disas(c, stderr);
    g_error("GEMEL_FUZZ_SEED=%llu tier %u: %s", (unsigned long long)p->seed, r->tier, what);
}

/* By seed: the whole program at tier 1 or 2, or a straight block. */
static IrRegion *build(const FuzzProgram *p, Arena *arena)
{
    return p->seed % 3 == 1 ? fuzz_build_straight(p, arena)
                            : fuzz_build(p, arena, p->seed % 3 ? 1 : 2);
}

static void check_program(Fixture *fx, TcgCodeBuf *buf, uint64_t seed, Arena *arena)
{
    FuzzProgram p = fuzz_program(seed);
    unsigned tier = seed % 3 ? 1 : 2;
    IrRegion *r = build(&p, arena);
    TcgCodeBuf b = *buf;
    TcgCompiled c;

    ir_optimize(r, tier, NULL);
    fuzz_state(&p, &fx->want, fx->mem_want);
    prepare(&fx->want);
    TcgExit want = ir_interp(r, &fx->want.tcg, NULL, 0);
    if (!tcg_backend_x86_64.compile(r, &b, 0, NULL, &c)) {
        g_test_message("seed %llu does not compile", (unsigned long long)seed);
        return;
    }
    fuzz_state(&p, &fx->got, fx->mem_got);
    prepare(&fx->got);
    if (getenv("GEMEL_FUZZ_SHOW")) {
        ir_print(r, stderr);
        tcg_backend_x86_64.disas(&c, stderr);
    }
    TcgExit got = run(&b, &c, &fx->got);
    fx->got.x[FUZZ_S_MEM] = fx->want.x[FUZZ_S_MEM];
    const char *bad = fuzz_compare(&fx->want, &fx->got, true);
    if (got != want || bad) {
        fail(&p, r, &c, bad ? bad : "left for another reason");
    }
    if (fx->want.pc != fx->got.pc) {
        fail(&p, r, &c, "PC differs");
    }
    if (memcmp(fx->mem_want, fx->mem_got, FUZZ_MEM_BYTES) != 0) {
        fail(&p, r, &c, "memory differs");
    }
    tcg_compiled_free(&c);
}

static void test_programs(void)
{
    uint64_t seed = from_env("GEMEL_FUZZ_SEED", 1), n = from_env("GEMEL_FUZZ_COUNT", 1500);
    Fixture *fx = aligned_alloc(64, (sizeof *fx + 63) & ~63u);
    TcgCodeBuf buf = make_buf();
    Arena arena;

    arena_init(&arena);
    for (uint64_t end = seed + n; seed < end; seed++) {
        check_program(fx, &buf, seed, &arena);
        arena_reset(&arena);
    }
    arena_free(&arena);
    free(fx);
}

/* ---- faults ---- */

static struct {
    const TcgCompiled *c;
    const TcgCodeBuf *buf;
    FuzzCpu *cpu;
    bool hit;
} fault;

/* xmm16-31 in the XSAVE area: Intel SDM vol. 1, 13.4, state component 6. */
static void read_high(TcgHostRegs *regs, const uint8_t *fx)
{
    uint32_t a, b, c, d;

    if (!(tcg_backend_x86_64.host_features() & TCG_HOST_AVX512VL)) {
        return;
    }
    __cpuid_count(0xd, 6, a, b, c, d);
    for (unsigned i = 0; i < 16; i++) {
        memcpy(&regs->vec[16 + i], fx + b + 64 * i, 16);
    }
    (void)a;
    (void)c;
    (void)d;
}

static void on_segv(int sig, siginfo_t *si, void *uc_)
{
    static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                  REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                  REG_R12, REG_R13, REG_R14, REG_R15};
    ucontext_t *uc = uc_;
    TcgHostRegs regs;
    const TcgFaultPoint *fp;

    (void)sig;
    (void)si;
    memset(&regs, 0, sizeof regs);
    for (unsigned i = 0; i < 16; i++) {
        regs.gpr[i] = (uint64_t)uc->uc_mcontext.gregs[order[i]];
        memcpy(&regs.vec[i], &uc->uc_mcontext.fpregs->_xmm[i], 16);
    }
    read_high(&regs, (const uint8_t *)uc->uc_mcontext.fpregs);
    fp = tcg_compiled_fault(fault.c, (const void *)uc->uc_mcontext.gregs[REG_RIP]);
    if (!fp) {
        abort();
    }
    tcg_backend_x86_64.restore(fault.c, fp, &regs, &fault.cpu->tcg);
    fault.cpu->tcg.exit_reason = TCG_EXIT_FAULT;
    fault.hit = true;
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)tcg_backend_x86_64.exit_address(fault.buf);
}

typedef struct Limit {
    uint64_t left;
} Limit;

static bool limited_load(void *opaque, uint64_t addr, void *dst, unsigned bytes)
{
    (void)opaque;
    if (addr < 4096) {
        return false;
    }
    memcpy(dst, (const void *)addr, bytes);
    return true;
}

static bool limited_store(void *opaque, uint64_t addr, const void *src, unsigned bytes)
{
    (void)opaque;
    if (addr < 4096) {
        return false;
    }
    memcpy((void *)addr, src, bytes);
    return true;
}

static void check_fault(Fixture *fx, TcgCodeBuf *buf, uint64_t seed, Arena *arena)
{
    FuzzProgram p = fuzz_program(seed);
    unsigned tier = seed % 3 ? 1 : 2;
    IrRegion *r = build(&p, arena);
    TcgInterpMem mem = {NULL, limited_load, limited_store, NULL};
    TcgCodeBuf b = *buf;
    TcgCompiled c;

    ir_optimize(r, tier, NULL);
    if (!tcg_backend_x86_64.compile(r, &b, 0, NULL, &c)) {
        return;
    }
    fuzz_state(&p, &fx->want, fx->mem_want);
    prepare(&fx->want);
    fx->want.x[FUZZ_S_MEM] = 8; /* the first access faults */
    TcgExit want = ir_interp(r, &fx->want.tcg, &mem, 0);
    fuzz_state(&p, &fx->got, fx->mem_got);
    prepare(&fx->got);
    fx->got.x[FUZZ_S_MEM] = 8;
    fault.c = &c;
    fault.buf = &b;
    fault.cpu = &fx->got;
    TcgExit got = run(&b, &c, &fx->got);
    const char *bad = fuzz_compare(&fx->want, &fx->got, true);
    if (got != want || bad || fx->want.pc != fx->got.pc) {
        fail(&p, r, &c, bad ? bad : "fault: PC or reason differs");
    }
    tcg_compiled_free(&c);
}

static void test_faults(void)
{
    uint64_t seed = from_env("GEMEL_FUZZ_SEED", 1), n = from_env("GEMEL_FUZZ_COUNT", 1500);
    Fixture *fx = aligned_alloc(64, (sizeof *fx + 63) & ~63u);
    struct sigaction sa = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO | SA_NODEFER};
    TcgCodeBuf buf = make_buf();
    Arena arena;

    sigaction(SIGSEGV, &sa, NULL);
    arena_init(&arena);
    for (uint64_t end = seed + n; seed < end; seed++) {
        if (fuzz_program(seed).memory) {
            check_fault(fx, &buf, seed, &arena);
        }
        arena_reset(&arena);
    }
    g_assert_true(fault.hit);
    arena_free(&arena);
    free(fx);
    signal(SIGSEGV, SIG_DFL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tcg/x64/programs", test_programs);
    g_test_add_func("/tcg/x64/faults", test_faults);
    return g_test_run();
}
