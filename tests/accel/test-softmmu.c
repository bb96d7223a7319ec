/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The translator's system mode in process: A64 code under page tables that the test makes (a toy
 * TcgSystem whose walk looks into an array). Random accesses run translated and interpreted and
 * have to leave the same registers, memory, faults and MMIO; then what one program would not meet:
 * code that changes itself, aliases, contexts, invalidation under another CPU's feet.
 */
#include <glib.h>
#include <pthread.h>
#include <string.h>

#include "accel/tcg/sys.h"
#include "core/machine.h"
#include "target/arm/a64.h"

enum { RAM_BASE = 0x40000000, RAM_BYTES = 4 << 20, IO_BASE = 0x09000000, MAX_MAPS = 32 };

/* ---- the toy: one level of mappings per ASID ---- */

typedef struct Map {
    uint64_t va, gpa, bytes;
    bool read, write, exec, device;
    uint32_t asid; /* 0: all, global */
} Map;

typedef struct World {
    Machine *m;
    TcgEngine *e;
    MemRegion ram, io;
    uint64_t io_log; /* hash of all MMIO seen */
    Map map[MAX_MAPS];
    unsigned n_maps;
} World;

typedef struct Toy {
    A64Cpu a;
    World *w;
    CpuPort port;
    uint32_t asid;
    uint64_t log; /* hash of faults and their places */
    unsigned n_faults, n_calls;
    uint64_t budget; /* calls until it stops */
} Toy;

static uint64_t mix(uint64_t h, uint64_t v)
{
    return (h ^ v) * 0x9e3779b97f4a7c15u + (h >> 29);
}

static uint64_t toy_context(const TcgCpu *cpu, TcgMmuIndex mmu)
{
    return ((const Toy *)cpu)->asid | (uint64_t)(mmu == TCG_MMU_USER) << 32;
}

static bool toy_walk(TcgCpu *cpu, uint64_t va, TcgAccess access, TcgMmuIndex mmu, TcgTlbFill *out)
{
    const Toy *t = (const Toy *)cpu;
    (void)mmu;
    for (unsigned i = 0; i < t->w->n_maps; i++) {
        const Map *m = &t->w->map[i];
        if (va - m->va >= m->bytes || (m->asid && m->asid != t->asid)) {
            continue;
        }
        *out = (TcgTlbFill){.gpa_page = (m->gpa + (va - m->va)) & ~(uint64_t)4095,
                            .page_bits = (uint8_t)(63 - __builtin_clzll(m->bytes)),
                            .read = m->read,
                            .write = m->write,
                            .exec = m->exec,
                            .device = m->device,
                            .global = !m->asid};
        return access == TCG_READ ? m->read : access == TCG_WRITE ? m->write : m->exec;
    }
    return false;
}

/* A fault is noted with all it should be exact about; the instruction is skipped. */
static void note(Toy *t, uint64_t what, uint64_t va)
{
    t->log = mix(mix(mix(t->log, what), va), t->a.pc);
    for (unsigned i = 0; i < 16; i++) {
        t->log = mix(t->log, t->a.x[i]);
    }
    t->n_faults++;
    t->a.pc += 4;
}

static void toy_fault(TcgCpu *cpu, uint64_t va, TcgAccess access, TcgMmuIndex mmu)
{
    Toy *t = (Toy *)cpu;
    if (access == TCG_FETCH) {
        t->log = mix(t->log, va);
        t->n_faults++;
        t->a.pc = t->a.x[30];
        return;
    }
    note(t, 100u + access * 2u + mmu, va);
}

static bool toy_bus_error(TcgCpu *cpu, uint64_t va, TcgAccess access, TcgMmuIndex mmu)
{
    (void)mmu;
    note((Toy *)cpu, 200u + access, va);
    return true;
}

static void toy_exception(TcgCpu *cpu, TcgExit reason, uint64_t info)
{
    Toy *t = (Toy *)cpu;
    if (reason == TCG_EXIT_ALIGN) {
        note(t, 300, info);
        return;
    }
    g_assert_cmpint(reason, ==, TCG_EXIT_SYSCALL);
    t->n_calls++;
    if (info == 1) { /* another address space */
        t->asid = t->asid == 1 ? 2 : 1;
    } else if (info == 2) { /* what x9 names changed */
        tcg_tlb_invalidate(cpu, &(TcgTlbOp){.va = t->a.x[9], .bytes = 4096, .broadcast = true});
        tcg_tlb_sync(cpu);
    }
    if (info == 0 || t->n_calls >= t->budget) {
        tcg_request(cpu, TCG_REQ_EXIT);
    }
}

static bool toy_no(TcgCpu *cpu)
{
    (void)cpu;
    return false;
}

static bool toy_wake(const TcgCpu *cpu)
{
    (void)cpu;
    return true;
}

static const TcgSystem toy_system = {
    .context = toy_context,
    .walk = toy_walk,
    .fault = toy_fault,
    .bus_error = toy_bus_error,
    .exception = toy_exception,
    .interrupt = toy_no,
    .wake = toy_wake,
};

static MemResult io_read(void *opaque, uint64_t offset, unsigned bytes, uint64_t *value,
                         MemAttrs at)
{
    World *w = opaque;
    (void)at;
    *value = offset * 0x0101010101010101u >> (64 - 8 * bytes);
    w->io_log = mix(w->io_log, offset << 8 | bytes);
    return offset < 0xf00 ? MEM_OK : MEM_ERROR;
}

static MemResult io_write(void *opaque, uint64_t offset, unsigned bytes, uint64_t value,
                          MemAttrs at)
{
    World *w = opaque;
    (void)at;
    w->io_log = mix(mix(w->io_log, value), offset << 8 | bytes | 0x80);
    return offset < 0xf00 ? MEM_OK : MEM_ERROR;
}

static const MemIo io_ops = {.read = io_read, .write = io_write, .unaligned = true};

/* ---- a machine for a test ---- */

static void world_init(World *w, bool interp, uint32_t heat)
{
    static TcgGuest guest;
    Error err = {""};
    guest = a64_guest;
    guest.cpu_bytes = sizeof(Toy);
    guest.system = &toy_system;
    memset(w, 0, sizeof *w);
    w->m = machine_new("test", &err);
    g_assert_nonnull(w->m);
    machine_lock(w->m);
    g_assert_true(mem_region_init_ram(&w->ram, w->m, "ram", RAM_BYTES, &err));
    mem_region_init_io(&w->io, "io", 0x1000, &io_ops, w);
    mem_begin(w->m);
    mem_add(&w->m->system, RAM_BASE, &w->ram, 0);
    mem_add(&w->m->system, IO_BASE, &w->io, 0);
    mem_commit(w->m);
    TcgConfig config = {.interp = interp, .tier2_heat = heat};
    w->e = sys_engine_new(w->m, &guest, &config, &err);
    g_assert_nonnull(w->e);
    machine_unlock(w->m);
}

static Toy *new_cpu(World *w)
{
    Toy *t = aligned_alloc(64, (sizeof *t + 63) & ~(size_t)63);
    memset(t, 0, sizeof *t);
    g_assert_true(a64_cpu_reset(&t->a, "max", true));
    t->w = w;
    t->budget = UINT64_MAX;
    t->asid = 1;
    t->port = (CpuPort){.machine = w->m, .as = w->m->as, .as_secure = w->m->as};
    sys_cpu_attach(w->e, &t->a.tcg, &t->port);
    return t;
}

static void free_cpu(Toy *t)
{
    tcg_cpu_detach(&t->a.tcg);
    free(t);
}

static void world_end(World *w)
{
    sys_engine_free(w->e);
    machine_lock(w->m);
    mem_region_destroy(w->m, &w->io);
    mem_region_destroy(w->m, &w->ram);
    machine_unlock(w->m);
    machine_free(w->m);
}

static void map(World *w, uint64_t va, uint64_t gpa, uint64_t bytes, const char *how)
{
    w->map[w->n_maps++] = (Map){.va = va,
                                .gpa = gpa,
                                .bytes = bytes,
                                .read = strchr(how, 'r'),
                                .write = strchr(how, 'w'),
                                .exec = strchr(how, 'x'),
                                .device = strchr(how, 'd')};
}

static uint8_t *ram_at(World *w, uint64_t gpa)
{
    return w->ram.ram->host + (gpa - RAM_BASE);
}

static void run(Toy *t, uint64_t pc)
{
    t->a.pc = pc;
    t->a.tcg.request &= ~(uint32_t)TCG_REQ_EXIT;
    g_assert_cmpint(tcg_run(&t->a.tcg), ==, TCG_EXIT_REQUEST);
}

/* ---- A64 instructions (Arm ARM C4.1) ---- */

static uint32_t a_ldr(unsigned sz, unsigned rt, unsigned rn, unsigned off)
{
    return sz << 30 | 0x39400000 | off >> sz << 10 | rn << 5 | rt;
}
static uint32_t a_ldur(unsigned sz, unsigned rt, unsigned rn, int off)
{
    return sz << 30 | 0x38400000 | ((unsigned)off & 0x1ff) << 12 | rn << 5 | rt;
}
static uint32_t a_stur(unsigned sz, unsigned rt, unsigned rn, int off)
{
    return sz << 30 | 0x38000000 | ((unsigned)off & 0x1ff) << 12 | rn << 5 | rt;
}
static uint32_t a_ldurq(unsigned rt, unsigned rn, int off)
{
    return 0x3cc00000 | ((unsigned)off & 0x1ff) << 12 | rn << 5 | rt;
}
static uint32_t a_sturq(unsigned rt, unsigned rn, int off)
{
    return 0x3c800000 | ((unsigned)off & 0x1ff) << 12 | rn << 5 | rt;
}
static uint32_t a_svc(unsigned imm)
{
    return 0xd4000001 | imm << 5;
}
static uint32_t a_b(int words)
{
    return 0x14000000 | ((unsigned)words & 0x3ffffff);
}
static uint32_t a_add(unsigned rd, unsigned rn, unsigned imm)
{
    return 0x91000000 | imm << 10 | rn << 5 | rd;
}
static uint32_t a_cbnz(unsigned rt, int words)
{
    return 0xb5000000 | ((unsigned)words & 0x7ffff) << 5 | rt;
}
enum { A_RET = 0xd65f03c0, A_ISB = 0xd5033fdf, A_NOP = 0xd503201f };

static uint32_t a_random(GRand *r)
{
    unsigned sz = (unsigned)g_rand_int_range(r, 0, 4), rn = (unsigned)g_rand_int_range(r, 0, 8);
    unsigned rt = 8 + (unsigned)g_rand_int_range(r, 0, 8);
    unsigned rs = 8 + (unsigned)g_rand_int_range(r, 0, 8);
    int off = g_rand_int_range(r, -40, 40);
    switch (g_rand_int_range(r, 0, 16)) {
    case 0:
    case 1:
    case 2: return a_ldur(sz, rt, rn, off);
    case 3: return sz << 30 | 0x38800000 | ((unsigned)off & 0x1ff) << 12 | rn << 5 | rt; /* ldurs */
    case 4:
    case 5:
    case 6: return a_stur(sz, rt, rn, off);
    case 7: return a_ldurq(rt, rn, off);
    case 8: return a_sturq(rt, rn, off);
    case 9: return 0xa9400000 | (unsigned)(off & 0x7f) << 15 | rs << 10 | rn << 5 | rt;  /* ldp */
    case 10: return 0xa9000000 | (unsigned)(off & 0x7f) << 15 | rs << 10 | rn << 5 | rt; /* stp */
    case 11:
        return sz << 30 | 0x38200000 | (unsigned)g_rand_int_range(r, 0, 8) << 12 | rs << 16 |
               rn << 5 | rt;                                         /* ldadd .. ldumin */
    case 12: return sz << 30 | 0x38208000 | rs << 16 | rn << 5 | rt; /* swp */
    case 13: return sz << 30 | 0x08a07c00 | rs << 16 | rn << 5 | rt; /* cas */
    case 14: return 0x8b000000 | rs << 16 | rt << 5 | rt;            /* add */
    default: return a_add(rn, rn, (unsigned)g_rand_int_range(r, 0, 9));
    }
}

/* ---- random accesses, both ways ---- */

enum { CODE = 0x10000, DATA = 0x20000, N_RANDOM = 150 };

typedef struct Outcome {
    uint64_t x[32], log, io_log;
    IrVec v[8];
    unsigned n_faults;
    uint8_t ram[0x8000];
} Outcome;

static void random_program(World *w, GRand *r)
{
    uint32_t *code = (uint32_t *)(void *)ram_at(w, RAM_BASE);
    unsigned n = 0;
    while (n < N_RANDOM) {
        code[n] = a_random(r);
        n++;
    }
    code[n++] = 0xd1000400 | 28 << 5 | 28; /* sub x28, x28, #1 */
    code[n] = a_cbnz(28, -(int)n);
    code[n + 1] = a_svc(0);
}

static void random_outcome(uint32_t seed, bool interp, uint32_t heat, Outcome *out)
{
    World w;
    GRand *r = g_rand_new_with_seed(seed);
    world_init(&w, interp, heat);
    Toy *t = new_cpu(&w);
    map(&w, CODE, RAM_BASE, 0x1000, "rx");
    map(&w, DATA, RAM_BASE + 0x1000, 0x2000, "rw");          /* two pages beside each other */
    map(&w, DATA + 0x2000, RAM_BASE + 0x4000, 0x1000, "r");  /* then one that may only be read */
    map(&w, DATA + 0x4000, RAM_BASE + 0x1000, 0x1000, "rw"); /* the first again */
    map(&w, DATA + 0x5000, IO_BASE, 0x1000, "rwd");
    map(&w, DATA + 0x6000, RAM_BASE + 0x5000, 0x1000, "rwd");
    map(&w, DATA + 0x7000, IO_BASE + 0x100000, 0x1000, "rw"); /* nothing is there */
    random_program(&w, r);
    for (unsigned i = 0x1000; i < 0x8000; i++) {
        *ram_at(&w, RAM_BASE + i) = (uint8_t)g_rand_int(r);
    }
    for (unsigned i = 0; i < 16; i++) {
        uint64_t page = DATA + 0x1000 * (uint64_t)g_rand_int_range(r, 0, 9);
        t->a.x[i] =
            i < 8 ? page + (uint64_t)(g_rand_int_range(r, 0, 3) ? g_rand_int_range(r, 0, 200)
                                                                : g_rand_int_range(r, -24, 24))
                  : g_rand_int(r) * (uint64_t)0x100000001;
        t->a.v[i].u64[0] = g_rand_int(r) * (uint64_t)0x300000005;
        t->a.v[i].u64[1] = g_rand_int(r);
    }
    t->a.x[28] = 12;
    run(t, CODE);
    memcpy(out->x, t->a.x, sizeof t->a.x);
    out->x[31] = t->a.pc;
    for (unsigned i = 0; i < 8; i++) {
        memcpy(&out->v[i], &t->a.v[8 + i], 16);
    }
    out->log = t->log;
    out->io_log = w.io_log;
    out->n_faults = t->n_faults;
    memcpy(out->ram, ram_at(&w, RAM_BASE), sizeof out->ram);
    free_cpu(t);
    world_end(&w);
    g_rand_free(r);
}

static void test_random(gconstpointer heat)
{
    unsigned faults = 0;
    const char *s = g_getenv("GEMEL_FUZZ_SEED"), *c = g_getenv("GEMEL_FUZZ_COUNT");
    uint32_t first = s ? (uint32_t)atoi(s) : 1, count = c ? (uint32_t)atoi(c) : 60;
    for (uint32_t seed = first; seed < first + count; seed++) {
        static Outcome jit, interp;
        memset(&jit, 0, sizeof jit);
        memset(&interp, 0, sizeof interp);
        random_outcome(seed, false, GPOINTER_TO_UINT(heat), &jit);
        random_outcome(seed, true, 0, &interp);
        if (memcmp(&jit, &interp, sizeof jit)) {
            g_test_message("GEMEL_FUZZ_SEED=%u", seed);
        }
        for (unsigned i = 0; i < 32; i++) {
            g_assert_cmphex(jit.x[i], ==, interp.x[i]);
        }
        g_assert_cmphex(jit.log, ==, interp.log);
        g_assert_cmphex(jit.io_log, ==, interp.io_log);
        g_assert_cmpmem(jit.v, sizeof jit.v, interp.v, sizeof jit.v);
        g_assert_cmpmem(jit.ram, sizeof jit.ram, interp.ram, sizeof jit.ram);
        g_assert_cmpuint(jit.n_faults, ==, interp.n_faults);
        faults += jit.n_faults;
    }
    g_assert_cmpuint(faults, >, 100);
}

/* ---- code that changes ---- */

/* A program writes an instruction on its own page and calls it, again and again. */
static void test_self_modifying(void)
{
    World w;
    world_init(&w, false, 0);
    Toy *t = new_cpu(&w);
    map(&w, CODE, RAM_BASE, 0x1000, "rwx");
    uint32_t *code = (uint32_t *)(void *)ram_at(&w, RAM_BASE);
    const uint32_t program[] = {
        a_stur(2, 1, 2, 0), /* str w1, [x2]: `add x0, x0, #n` */
        A_ISB,
        0xd63f0040,                 /* blr x2 */
        a_add(1, 1, 1 << 10 >> 10), /* placeholder, below */
        0xd1000400 | 28 << 5 | 28,  /* sub x28, x28, #1 */
        a_cbnz(28, -5),
        a_svc(0),
    };
    memcpy(code, program, sizeof program);
    code[3] = a_add(1, 1, 1024); /* imm12 is bits 21:10: the next n */
    code[0x200] = A_NOP;
    code[0x201] = A_RET;
    t->a.x[1] = a_add(0, 0, 1);
    t->a.x[2] = CODE + 0x800;
    t->a.x[28] = 100;
    run(t, CODE);
    g_assert_cmpuint(t->a.x[0], ==, 100 * 101 / 2);
    free_cpu(t);
    world_end(&w);
}

/* The code's page is written through another mapping of it; code runs under two addresses. */
static void test_aliases(void)
{
    World w;
    world_init(&w, false, 0);
    Toy *t = new_cpu(&w);
    map(&w, CODE, RAM_BASE, 0x1000, "rx");
    map(&w, CODE + 0x40000, RAM_BASE, 0x1000, "rx");
    map(&w, DATA, RAM_BASE, 0x1000, "rw");
    uint32_t *code = (uint32_t *)(void *)ram_at(&w, RAM_BASE);
    code[0] = a_add(0, 0, 1);
    code[1] = a_svc(0);
    code[16] = a_stur(2, 1, 2, 0);
    code[17] = A_ISB;
    code[18] = a_svc(0);
    run(t, CODE);
    run(t, CODE + 0x40000);
    g_assert_cmpuint(t->a.x[0], ==, 2);
    t->a.x[1] = a_add(0, 0, 5);
    t->a.x[2] = DATA;
    run(t, CODE + 64);
    run(t, CODE);
    run(t, CODE + 0x40000);
    g_assert_cmpuint(t->a.x[0], ==, 12);
    uint32_t by_device = a_add(0, 0, 7);
    g_assert_cmpint(mem_write(w.m->as, RAM_BASE, &by_device, 4, MEM_ATTRS_NONE), ==, MEM_OK);
    run(t, CODE);
    g_assert_cmpuint(t->a.x[0], ==, 19);
    free_cpu(t);
    world_end(&w);
}

/* One address, two address spaces with other code and data there; changed by a system call. */
static void test_contexts(void)
{
    World w;
    world_init(&w, false, 0);
    Toy *t = new_cpu(&w);
    map(&w, CODE, RAM_BASE, 0x1000, "rx"); /* global */
    for (uint32_t i = 0; i < 2; i++) {
        map(&w, DATA, RAM_BASE + 0x1000 + 0x1000 * i, 0x1000, "rwx");
        w.map[w.n_maps - 1].asid = i + 1;
        uint32_t *p = (uint32_t *)(void *)ram_at(&w, RAM_BASE + 0x1000 + 0x1000 * i);
        p[0] = a_add(0, 0, i ? 100 : 1);
        p[1] = A_RET;
        p[2] = i ? 7000 : 70;
    }
    uint32_t *code = (uint32_t *)(void *)ram_at(&w, RAM_BASE);
    const uint32_t program[] = {
        0xd63f0040,        /* blr x2 */
        a_ldr(2, 3, 2, 8), /* ldr w3, [x2, #8] */
        0x8b030084,        /* add x4, x4, x3 */
        a_svc(1),          /* the other address space */
        0xd1000400 | 28 << 5 | 28,
        a_cbnz(28, -5),
        a_svc(0),
    };
    memcpy(code, program, sizeof program);
    t->a.x[2] = DATA;
    t->a.x[28] = 1000;
    run(t, CODE);
    g_assert_cmpuint(t->a.x[0], ==, 500 * 101);
    g_assert_cmpuint(t->a.x[4], ==, 500 * 7070);
    free_cpu(t);
    world_end(&w);
}

/* More address spaces than a CPU keeps. */
static void test_many_contexts(void)
{
    World w;
    world_init(&w, false, 0);
    Toy *t = new_cpu(&w);
    enum { N = 20 };
    map(&w, CODE, RAM_BASE, 0x1000, "rx");
    for (uint32_t i = 0; i < N; i++) {
        map(&w, DATA, RAM_BASE + 0x1000 + 0x1000 * i, 0x1000, "rw");
        w.map[w.n_maps - 1].asid = i + 1;
        *ram_at(&w, RAM_BASE + 0x1000 + 0x1000 * i) = (uint8_t)(i + 1);
    }
    uint32_t *code = (uint32_t *)(void *)ram_at(&w, RAM_BASE);
    code[0] = a_ldr(0, 0, 2, 0);
    code[1] = a_svc(0);
    t->a.x[2] = DATA;
    for (unsigned n = 0; n < 3 * N; n++) {
        t->asid = n % N + 1;
        run(t, CODE);
        g_assert_cmpuint(t->a.x[0], ==, t->asid);
    }
    free_cpu(t);
    world_end(&w);
}

/* A block mapping goes whole, whatever page of it is named. */
static void test_block_invalidate(void)
{
    World w;
    world_init(&w, false, 0);
    Toy *t = new_cpu(&w);
    map(&w, CODE, RAM_BASE, 0x1000, "rx");
    map(&w, 0x200000, RAM_BASE + 0x200000, 0x200000, "rw");
    uint32_t *code = (uint32_t *)(void *)ram_at(&w, RAM_BASE);
    code[0] = a_ldr(3, 0, 2, 0);
    code[1] = a_svc(2);
    code[2] = a_svc(0);
    *(uint64_t *)(void *)ram_at(&w, RAM_BASE + 0x205000) = 1;
    *(uint64_t *)(void *)ram_at(&w, RAM_BASE + 0x105000) = 2;
    t->a.x[2] = 0x205000;
    t->a.x[9] = 0x3ff000;
    run(t, CODE);
    g_assert_cmpuint(t->a.x[0], ==, 1);
    w.map[1].gpa = RAM_BASE + 0x100000;
    run(t, CODE); /* still the old one or the new: it was invalidated before the change */
    run(t, CODE + 4);
    run(t, CODE);
    g_assert_cmpuint(t->a.x[0], ==, 2);
    free_cpu(t);
    world_end(&w);
}

/* ---- two CPUs ---- */

typedef struct Reader {
    Toy *t;
    volatile bool *stop;
} Reader;

static void *reader_main(void *opaque)
{
    Reader *r = opaque;
    run(r->t, CODE);
    return NULL;
}

/* While one CPU reads, another moves the page and waits: the old page must not be seen after that.
 */
static void test_broadcast(gconstpointer heat)
{
    World w;
    world_init(&w, false, GPOINTER_TO_UINT(heat));
    Toy *a = new_cpu(&w), *b = new_cpu(&w);
    map(&w, CODE, RAM_BASE, 0x1000, "rx");
    map(&w, DATA, RAM_BASE + 0x1000, 0x1000, "r");
    map(&w, DATA + 0x1000, RAM_BASE + 0x3000, 0x1000, "rw");
    uint32_t *code = (uint32_t *)(void *)ram_at(&w, RAM_BASE);
    const uint32_t program[] = {
        a_ldr(3, 1, 2, 0), /* 1: ldr x1, [x2] */
        0xaa010000,        /* orr x0, x0, x1 */
        a_ldr(3, 4, 3, 0), /* ldr x4, [x3]: 0 until the end */
        a_add(5, 5, 1),    0xb4000000 | ((unsigned)-4 & 0x7ffff) << 5 | 4, /* cbz x4, 1b */
        a_svc(0),
    };
    memcpy(code, program, sizeof program);
    uint64_t *p[2] = {(uint64_t *)(void *)ram_at(&w, RAM_BASE + 0x1000),
                      (uint64_t *)(void *)ram_at(&w, RAM_BASE + 0x2000)};
    volatile uint64_t *end = (volatile uint64_t *)(void *)ram_at(&w, RAM_BASE + 0x3000);
    a->a.x[2] = DATA;
    a->a.x[3] = DATA + 0x1000;
    *p[0] = 1;
    pthread_t thread;
    Reader r = {.t = a};
    pthread_create(&thread, NULL, reader_main, &r);
    for (unsigned n = 1; n < 3000; n++) {
        __atomic_store_n(p[n & 1], 1, __ATOMIC_SEQ_CST);
        __atomic_store_n(&w.map[1].gpa, RAM_BASE + 0x1000 + 0x1000 * (n & 1), __ATOMIC_SEQ_CST);
        tcg_tlb_invalidate(&b->a.tcg, &(TcgTlbOp){.va = DATA, .bytes = 4096, .broadcast = true});
        tcg_tlb_sync(&b->a.tcg);
        __atomic_store_n(p[~n & 1], 2, __ATOMIC_SEQ_CST); /* nobody may read this */
    }
    *end = 1;
    pthread_join(thread, NULL);
    g_assert_cmpuint(a->a.x[0], ==, 1);
    g_assert_cmpuint(a->a.x[5], >, 0);
    free_cpu(a);
    free_cpu(b);
    world_end(&w);
}

static void *adder_main(void *opaque)
{
    run(opaque, CODE);
    return NULL;
}

static void test_atomics(void)
{
    World w;
    world_init(&w, false, 50);
    Toy *t[2] = {new_cpu(&w), new_cpu(&w)};
    map(&w, CODE, RAM_BASE, 0x1000, "rx");
    map(&w, DATA, RAM_BASE + 0x1000, 0x1000, "rw");
    uint32_t *code = (uint32_t *)(void *)ram_at(&w, RAM_BASE);
    const uint32_t program[] = {
        0xf8210041, /* 1: ldadd x1, x1, [x2]: x1 is overwritten */
        0xd2800021, /* mov x1, #1 */
        0xc85f7c43, /* 2: ldxr x3, [x2] */
        a_add(3, 3, 1),
        0xc8047c43,                                     /* stxr w4, x3, [x2] */
        0x35000000 | ((unsigned)-3 & 0x7ffff) << 5 | 4, /* cbnz w4, 2b */
        0xd1000400 | 28 << 5 | 28,
        a_cbnz(28, -7),
        a_svc(0),
    };
    memcpy(code, program, sizeof program);
    pthread_t thread[2];
    for (unsigned i = 0; i < 2; i++) {
        t[i]->a.x[1] = 1;
        t[i]->a.x[2] = DATA + 8;
        t[i]->a.x[28] = 50000;
        pthread_create(&thread[i], NULL, adder_main, t[i]);
    }
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(thread[i], NULL);
    }
    uint64_t sum;
    memcpy(&sum, ram_at(&w, RAM_BASE + 0x1008), 8);
    g_assert_cmpuint(sum, ==, 2 * 2 * 50000);
    free_cpu(t[0]);
    free_cpu(t[1]);
    world_end(&w);
}

/* A call to another page, a return, a jump back: what crosses pages. */
static void test_across_pages(gconstpointer heat)
{
    World w;
    world_init(&w, false, GPOINTER_TO_UINT(heat));
    Toy *t = new_cpu(&w);
    map(&w, CODE, RAM_BASE, 0x3000, "rx");
    uint32_t *code = (uint32_t *)(void *)ram_at(&w, RAM_BASE);
    code[0] = 0x94000000 | 0x400; /* bl +0x1000 */
    code[1] = a_add(1, 1, 1);
    code[2] = a_b(0x800 - 2 + 8); /* b to the third page */
    code[0x400] = a_add(0, 0, 3);
    code[0x401] = A_RET;
    code[0x808] = 0xd1000400 | 28 << 5 | 28;
    code[0x809] = a_cbnz(28, -0x809);
    code[0x80a] = a_svc(0);
    t->a.x[28] = 20000;
    run(t, CODE);
    g_assert_cmpuint(t->a.x[0], ==, 60000);
    g_assert_cmpuint(t->a.x[1], ==, 20000);
    free_cpu(t);
    world_end(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/softmmu/random/tier1", GUINT_TO_POINTER(0), test_random);
    g_test_add_data_func("/softmmu/random/tier2", GUINT_TO_POINTER(3), test_random);
    g_test_add_func("/softmmu/self-modifying", test_self_modifying);
    g_test_add_func("/softmmu/aliases", test_aliases);
    g_test_add_func("/softmmu/contexts", test_contexts);
    g_test_add_func("/softmmu/many-contexts", test_many_contexts);
    g_test_add_func("/softmmu/block-invalidate", test_block_invalidate);
    g_test_add_data_func("/softmmu/across-pages/tier1", GUINT_TO_POINTER(0), test_across_pages);
    g_test_add_data_func("/softmmu/across-pages/tier2", GUINT_TO_POINTER(20), test_across_pages);
    g_test_add_data_func("/softmmu/broadcast/tier1", GUINT_TO_POINTER(0), test_broadcast);
    g_test_add_data_func("/softmmu/broadcast/tier2", GUINT_TO_POINTER(20), test_broadcast);
    g_test_add_func("/softmmu/atomics", test_atomics);
    return g_test_run();
}
