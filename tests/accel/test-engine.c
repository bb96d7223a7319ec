/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine in process: A64 code in a buffer of the test, run at identity addresses. What is
 * checked is what other tests reach only by luck: invalidation and flushes under running threads,
 * tier 2, faults in both tiers, requests, fork.
 */
#include <glib.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "accel/tcg.h"
#include "target/arm/a64.h"

enum { AREA_BYTES = 1 << 20, N_THREADS = 3 };

typedef struct Area {
    uint8_t *code; /* AREA_BYTES, mapped */
} Area;

static _Thread_local A64Cpu *running; /* for the fault handler */

static size_t area_fetch(void *opaque, uint64_t pc, uint8_t *buf, size_t bytes)
{
    const Area *a = opaque;
    uint64_t start = (uint64_t)a->code, end = start + AREA_BYTES;
    if (pc < start || pc >= end) {
        return 0;
    }
    size_t n = end - pc < bytes ? end - pc : bytes;
    for (size_t i = 0; i < n; i += 4) { /* by words, as test_patching() writes them */
        uint32_t w = __atomic_load_n((const uint32_t *)(pc + i), __ATOMIC_RELAXED);
        memcpy(buf + i, &w, sizeof w);
    }
    return n;
}

static const TcgHostOps ops = {.fetch = area_fetch};

static Area area_new(void)
{
    void *p = mmap(NULL, AREA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(p != MAP_FAILED);
    return (Area){p};
}

static uint64_t put_code(const Area *a, unsigned offset, const uint32_t *words, size_t bytes)
{
    memcpy(a->code + offset, words, bytes);
    return (uint64_t)a->code + offset;
}
#define PUT(a, offset, words) put_code(a, offset, words, sizeof(words))

static TcgEngine *new_engine(Area *a, uint32_t heat, bool background, size_t code_bytes)
{
    TcgConfig config = {.tier2_heat = heat, .background = background, .code_bytes = code_bytes};
    char err[200];
    TcgEngine *e = tcg_engine_new(&a64_guest, &ops, a, &config, err, sizeof err);
    if (!e) {
        g_error("%s", err);
    }
    return e;
}

static A64Cpu *new_cpu(TcgEngine *e)
{
    A64Cpu *cpu = aligned_alloc(64, (sizeof *cpu + 63) & ~(size_t)63);
    memset(cpu, 0, sizeof *cpu);
    g_assert_true(a64_cpu_reset(cpu, "max", true));
    tcg_cpu_attach(e, &cpu->tcg);
    return cpu;
}

static void free_cpu(A64Cpu *cpu)
{
    tcg_cpu_detach(&cpu->tcg);
    free(cpu);
}

static TcgExit run_at(A64Cpu *cpu, uint64_t pc)
{
    cpu->pc = pc;
    running = cpu;
    return tcg_run(&cpu->tcg);
}

/* x0 = sum of 1..x1 */
static const uint32_t sum_code[] = {
    0xd2800000, /* mov x0, #0 */
    0x8b010000, /* 1: add x0, x0, x1 */
    0xf1000421, /* subs x1, x1, #1 */
    0x54ffffc1, /* b.ne 1b */
    0xd4000001, /* svc #0 */
};

static void check_sum(A64Cpu *cpu, uint64_t pc, uint64_t n)
{
    cpu->x[1] = n;
    g_assert_cmpint(run_at(cpu, pc), ==, TCG_EXIT_SYSCALL);
    g_assert_cmpuint(cpu->x[0], ==, n * (n + 1) / 2);
    g_assert_cmphex(cpu->pc, ==, pc + sizeof sum_code);
}

static void test_loop(gconstpointer background)
{
    Area a = area_new();
    TcgEngine *e = new_engine(&a, 100, background != NULL, 0);
    A64Cpu *cpu = new_cpu(e);
    uint64_t pc = PUT(&a, 0, sum_code);
    TcgStats s = {0};
    /* Compiling is held to a share of the time used: go on until it had its turn. */
    for (int i = 0; i < 2000 && !s.regions[2]; i++) {
        check_sum(cpu, pc, 100000 + (uint64_t)i);
        tcg_engine_stats(e, &s);
    }
    g_assert_cmpuint(s.regions[2], >, 0);
    check_sum(cpu, pc, 1000000);
    free_cpu(cpu);
}

/* fib(20) by recursion, on a stack of the guest. */
static void test_calls(void)
{
    static const uint32_t code[] = {
        0x94000002, /*  0: bl fib */
        0xd4000001, /*  4: svc #0 */
        0xf100081f, /*  8: fib: cmp x0, #2 */
        0x540001a3, /*  c: b.lo 40 */
        0xa9bf7bf3, /* 10: stp x19, x30, [sp, #-16]! */
        0xaa0003f3, /* 14: mov x19, x0 */
        0xd1000400, /* 18: sub x0, x0, #1 */
        0x97fffffb, /* 1c: bl fib */
        0xa9bf7fe0, /* 20: stp x0, xzr, [sp, #-16]! */
        0xd1000a60, /* 24: sub x0, x19, #2 */
        0x97fffff8, /* 28: bl fib */
        0xa8c17fe1, /* 2c: ldp x1, xzr, [sp], #16 */
        0x8b010000, /* 30: add x0, x0, x1 */
        0xa8c17bf3, /* 34: ldp x19, x30, [sp], #16 */
        0xd65f03c0, /* 38: ret */
        0xd503201f, /* 3c: nop */
        0xd65f03c0, /* 40: ret */
    };
    Area a = area_new();
    TcgEngine *e = new_engine(&a, 200, true, 0);
    A64Cpu *cpu = new_cpu(e);
    uint64_t pc = PUT(&a, 0, code);
    uint8_t *stack = g_malloc(1 << 16);
    for (int i = 0; i < 20; i++) {
        cpu->sp = ((uint64_t)stack + (1 << 16)) & ~(uint64_t)15;
        uint64_t sp = cpu->sp;
        cpu->x[0] = 20;
        g_assert_cmpint(run_at(cpu, pc), ==, TCG_EXIT_SYSCALL);
        g_assert_cmpuint(cpu->x[0], ==, 6765);
        g_assert_cmphex(cpu->sp, ==, sp);
    }
    free_cpu(cpu);
    g_free(stack);
}

/* Straight down `depth` calls and back: the ring runs over and under. */
static void test_ring(void)
{
    static const uint32_t code[] = {
        0x94000002, /*  0: bl 8 */
        0xd4000001, /*  4: svc #0 */
        0xb4000100, /*  8: cbz x0, 28 */
        0xf81f0ffe, /*  c: str x30, [sp, #-16]! */
        0xd1000400, /* 10: sub x0, x0, #1 */
        0x97fffffd, /* 14: bl 8 */
        0x91000421, /* 18: add x1, x1, #1 */
        0xf84107fe, /* 1c: ldr x30, [sp], #16 */
        0xd65f03c0, /* 20: ret */
        0xd503201f, /* 24: nop */
        0xd65f03c0, /* 28: ret */
    };
    Area a = area_new();
    TcgEngine *e = new_engine(&a, 50, true, 0);
    A64Cpu *cpu = new_cpu(e);
    uint64_t pc = PUT(&a, 0, code);
    uint8_t *stack = g_malloc(1 << 16);
    for (uint64_t depth = 0; depth < 400; depth++) {
        cpu->sp = ((uint64_t)stack + (1 << 16)) & ~(uint64_t)15;
        cpu->x[0] = depth;
        cpu->x[1] = 0;
        g_assert_cmpint(run_at(cpu, pc), ==, TCG_EXIT_SYSCALL);
        g_assert_cmpuint(cpu->x[1], ==, depth);
    }
    free_cpu(cpu);
    g_free(stack);
}

/* ---- threads ---- */

typedef struct Shared {
    Area area;
    TcgEngine *e;
    uint64_t pc;
    uint32_t generation; /* atomic: what the code returns now, at least */
    bool stop;           /* atomic */
    uint64_t runs;       /* atomic */
} Shared;

/* movz w0, #generation; svc: whoever starts after the invalidation must see it. */
static void *see_patches(void *opaque)
{
    Shared *s = opaque;
    A64Cpu *cpu = new_cpu(s->e);
    while (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
        uint32_t least = __atomic_load_n(&s->generation, __ATOMIC_ACQUIRE);
        g_assert_cmpint(run_at(cpu, s->pc), ==, TCG_EXIT_SYSCALL);
        g_assert_cmpuint(cpu->x[0], >=, least);
        __atomic_fetch_add(&s->runs, 1, __ATOMIC_RELAXED);
    }
    free_cpu(cpu);
    return NULL;
}

static void test_patching(void)
{
    Shared s = {.area = area_new()};
    s.e = new_engine(&s.area, 20, true, 0);
    static const uint32_t code[] = {0x52800000, 0xd4000001};
    s.pc = PUT(&s.area, 0x100, code);
    pthread_t t[N_THREADS];
    for (int i = 0; i < N_THREADS; i++) {
        g_assert_cmpint(pthread_create(&t[i], NULL, see_patches, &s), ==, 0);
    }
    for (uint32_t g = 1; g < 20000; g++) {
        __atomic_store_n((uint32_t *)s.pc, 0x52800000 | g << 5, __ATOMIC_RELAXED);
        tcg_invalidate(s.e, s.pc, s.pc + 4);
        __atomic_store_n(&s.generation, g, __ATOMIC_RELEASE);
        while (__atomic_load_n(&s.runs, __ATOMIC_RELAXED) < g) { /* keeps the threads in step */
            sched_yield();
        }
    }
    __atomic_store_n(&s.stop, true, __ATOMIC_RELEASE);
    for (int i = 0; i < N_THREADS; i++) {
        pthread_join(t[i], NULL);
    }
}

/* Many different blocks, each run often enough for tier 2, in a cache that holds few. */
static void *fill_cache(void *opaque)
{
    Shared *s = opaque;
    A64Cpu *cpu = new_cpu(s->e);
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 1000; i++) {
            check_sum(cpu, (uint64_t)s->area.code + i * 64, 40 + i % 7);
        }
    }
    free_cpu(cpu);
    return NULL;
}

static void test_flushes(void)
{
    Shared s = {.area = area_new()};
    s.e = new_engine(&s.area, 30, true, 256 << 10);
    for (unsigned i = 0; i < 1000; i++) {
        PUT(&s.area, i * 64, sum_code);
    }
    pthread_t t[N_THREADS];
    for (int i = 0; i < N_THREADS; i++) {
        g_assert_cmpint(pthread_create(&t[i], NULL, fill_cache, &s), ==, 0);
    }
    for (int i = 0; i < N_THREADS; i++) {
        pthread_join(t[i], NULL);
    }
    TcgStats st;
    tcg_engine_stats(s.e, &st);
    g_test_message("%u flushes", (unsigned)st.flushes);
    g_assert_cmpuint(st.flushes, >, 1);
}

/* ---- requests ---- */

static void *spin(void *opaque)
{
    A64Cpu *cpu = opaque;
    TcgExit why = tcg_run(&cpu->tcg);
    return (void *)(uintptr_t)why;
}

static void test_request(void)
{
    static const uint32_t code[] = {0x91000400 /* add x0, x0, #1 */, 0x17ffffff /* b . - 4 */};
    Area a = area_new();
    TcgEngine *e = new_engine(&a, 100, true, 0);
    A64Cpu *cpu = new_cpu(e);
    cpu->pc = PUT(&a, 0, code);
    for (int i = 0; i < 20; i++) {
        pthread_t t;
        void *why;
        g_assert_cmpint(pthread_create(&t, NULL, spin, cpu), ==, 0);
        g_usleep(5000);
        gint64 before = g_get_monotonic_time();
        tcg_request(&cpu->tcg, TCG_REQ_EXIT);
        pthread_join(t, &why);
        g_assert_cmpint((int)(uintptr_t)why, ==, TCG_EXIT_REQUEST);
        g_assert_cmpint(g_get_monotonic_time() - before, <, 2000000);
        __atomic_fetch_and(&cpu->tcg.request, ~(uint32_t)TCG_REQ_EXIT, __ATOMIC_SEQ_CST);
    }
    free_cpu(cpu);
}

/* ---- faults ---- */

static void on_fault(int sig, siginfo_t *si, void *uc)
{
    if (!running || !tcg_host_fault(&running->tcg, sig, si, uc)) {
        signal(sig, SIG_DFL);
    }
}

static const uint32_t fault_code[] = {
    0x8b010042, /*  0: add x2, x2, x1 */
    0x8b020063, /*  4: add x3, x3, x2 */
    0xca030084, /*  8: eor x4, x4, x3 */
    0xf1000421, /*  c: subs x1, x1, #1 */
    0x9a9f17e5, /* 10: cset x5, eq */
    0x4ee28463, /* 14: add v3.2d, v3.2d, v2.2d */
    0x38401406, /* 18: ldrb w6, [x0], #1 */
    0x8b0600e7, /* 1c: add x7, x7, x6 */
    0x17fffff8, /* 20: b 0 */
};

static void fault_state(A64Cpu *cpu, uint8_t *page, unsigned bytes)
{
    for (int i = 0; i < 8; i++) {
        cpu->x[i] = 0x0123456789abcdefull * (unsigned)(i + 1);
    }
    cpu->x[0] = (uint64_t)page + 4096 - bytes;
    memset(&cpu->v[2], 0x11, 16);
    memset(&cpu->v[3], 0x22, 16);
}

/* Reads up to a page that is not there; registers must be what plain C gets. */
static void check_fault(A64Cpu *cpu, uint64_t pc, uint8_t *page, unsigned bytes)
{
    uint64_t x[8], v3, v2 = 0x1111111111111111;
    fault_state(cpu, page, bytes);
    memcpy(x, cpu->x, sizeof x);
    memcpy(&v3, &cpu->v[3], 8);
    for (unsigned i = 0; i <= bytes; i++) {
        x[2] += x[1];
        x[3] += x[2];
        x[4] ^= x[3];
        x[1]--;
        x[5] = x[1] == 0;
        v3 += v2;
        if (i < bytes) {
            x[6] = *(uint8_t *)x[0];
            x[7] += x[6];
            x[0]++;
        }
    }
    g_assert_cmpint(run_at(cpu, pc), ==, TCG_EXIT_FAULT);
    g_assert_cmphex(cpu->pc, ==, pc + 0x18);
    g_assert_cmphex(cpu->tcg.fault_addr, ==, (uint64_t)page + 4096);
    g_assert_cmpuint(cpu->tcg.fault_write, ==, 0);
    for (int i = 0; i < 8; i++) {
        g_assert_cmphex(cpu->x[i], ==, x[i]);
    }
    g_assert_cmpmem(&cpu->v[3], 8, &v3, 8);
}

static uint8_t *guarded_page(void)
{
    uint8_t *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(p != MAP_FAILED);
    g_assert_cmpint(mprotect(p + 4096, 4096, PROT_NONE), ==, 0);
    for (int i = 0; i < 4096; i++) {
        p[i] = (uint8_t)(i * 7 + 3);
    }
    return p;
}

static void test_faults(void)
{
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO}, old;
    sigaction(SIGSEGV, &sa, &old);
    Area a = area_new();
    uint8_t *page = guarded_page();
    uint64_t pc = PUT(&a, 0, fault_code);
    static const uint32_t heats[] = {0, 50};
    for (unsigned k = 0; k < G_N_ELEMENTS(heats); k++) {
        TcgEngine *e = new_engine(&a, heats[k], false, 0);
        A64Cpu *cpu = new_cpu(e);
        TcgStats s = {0};
        for (unsigned i = 0; i < 4000 && !(i > 200 && (s.regions[2] || !heats[k])); i++) {
            check_fault(cpu, pc, page, i % 4096);
            tcg_engine_stats(e, &s);
        }
        g_assert_true(!heats[k] || s.regions[2]);
        for (unsigned i = 0; i < 100; i++) {
            check_fault(cpu, pc, page, i * 40);
        }
        free_cpu(cpu);
    }
    sigaction(SIGSEGV, &old, NULL);
    munmap(page, 8192);
}

/* ---- fork ---- */

static void test_fork(void)
{
    Area a = area_new();
    TcgEngine *e = new_engine(&a, 50, true, 0);
    A64Cpu *cpu = new_cpu(e);
    for (unsigned i = 0; i < 200; i++) {
        PUT(&a, i * 64, sum_code);
    }
    for (unsigned i = 0; i < 60; i++) {
        check_sum(cpu, (uint64_t)a.code + i * 64, 1000);
    }
    for (int n = 0; n < 8; n++) {
        tcg_fork_prepare(e);
        pid_t pid = fork();
        if (!pid) {
            tcg_fork_child(e, &cpu->tcg);
            for (unsigned i = 0; i < 200; i++) {
                check_sum(cpu, (uint64_t)a.code + (199 - i) * 64, 2000 + i);
            }
            _exit(0);
        }
        tcg_fork_parent(e);
        for (unsigned i = 0; i < 200; i++) {
            check_sum(cpu, (uint64_t)a.code + i * 64, 1500 + i);
        }
        int status;
        g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
        g_assert_cmpint(status, ==, 0);
    }
    free_cpu(cpu);
}

/* Two engines do not know of each other, though they run the same addresses. */
static void test_two_engines(void)
{
    Area a = area_new();
    TcgEngine *e[2] = {new_engine(&a, 50, true, 0), new_engine(&a, 0, false, 0)};
    A64Cpu *cpu[2] = {new_cpu(e[0]), new_cpu(e[1])};
    uint64_t pc = PUT(&a, 0, sum_code);
    for (unsigned i = 1; i < 100; i++) {
        check_sum(cpu[i % 2], pc, i * 10);
    }
    uint32_t svc = 0xd4000021; /* svc #1, seen by the engine that was told */
    memcpy((void *)pc, &svc, 4);
    tcg_invalidate(e[1], pc, pc + 4);
    g_assert_cmpint(run_at(cpu[1], pc), ==, TCG_EXIT_SYSCALL);
    g_assert_cmphex(cpu[1]->pc, ==, pc + 4);
    check_sum(cpu[0], pc, 5);
    free_cpu(cpu[0]);
    free_cpu(cpu[1]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/engine/loop/at-once", NULL, test_loop);
    g_test_add_data_func("/engine/loop/background", "yes", test_loop);
    g_test_add_func("/engine/calls", test_calls);
    g_test_add_func("/engine/return-ring", test_ring);
    g_test_add_func("/engine/patching", test_patching);
    g_test_add_func("/engine/flushes", test_flushes);
    g_test_add_func("/engine/request", test_request);
    g_test_add_func("/engine/faults", test_faults);
    g_test_add_func("/engine/fork", test_fork);
    g_test_add_func("/engine/two-engines", test_two_engines);
    return g_test_run();
}
