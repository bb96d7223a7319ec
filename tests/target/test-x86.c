/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86-64 against the host, which is one: random instructions of every row of x86_insns.def, alone
 * and in sequences, run natively in a sandbox page with given registers, and through translation by
 * the interpreter and by the JIT; registers, flags, vectors and memory must agree.
 *
 * GEMEL_FUZZ_SEED=n and GEMEL_FUZZ_COUNT=n as in the other fuzzers; a failure prints its bytes.
 * Lives only on hosts that are x86-64, as the back end does.
 */
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "target/x86/decode/x86_decode.h"
#include "target/x86/x86.h"
#include "tcg/backend.h"
#include "tcg/builder.h"

enum { PAGE = 4096, MEM_BYTES = 1024, MEM_AT = 512, MAX_CODE = 160, BASE_REG = X86_RBX };

/* ---- the sandbox: one page of code, one of data, one of memory ---- */

typedef struct SandboxData {
    uint64_t r[16], flags, host_sp;
    uint8_t xmm[16][16];
    uint32_t mxcsr, host_mxcsr;
} SandboxData;

typedef struct Sandbox {
    uint8_t *code; /* trampoline and instructions */
    uint8_t *at;   /* where the instructions stand */
    SandboxData *data;
    uint8_t *mem;
    unsigned tail; /* where the trampoline goes on, offset from code */
    unsigned used;
} Sandbox;

static Sandbox box;
static volatile sig_atomic_t trapped;

static void put(const void *bytes, unsigned n)
{
    memcpy(box.code + box.used, bytes, n);
    box.used += n;
}

/* An instruction whose only operand in memory is at `field`. */
static void put_rip(const uint8_t *bytes, unsigned n, const void *field)
{
    put(bytes, n);
    int32_t disp = (int32_t)((const uint8_t *)field - (box.code + box.used + 4));
    put(&disp, 4);
}

static void put_mov(unsigned reg, bool load)
{
    uint8_t b[3] = {(uint8_t)(0x48 | (reg & 8 ? 4 : 0)), load ? 0x8b : 0x89,
                    (uint8_t)(5 | (reg & 7) << 3)};
    put_rip(b, 3, &box.data->r[reg]);
}

static void put_xmm(unsigned reg, bool load)
{
    uint8_t b[4] = {(uint8_t)(0x40 | (reg & 8 ? 4 : 0)), 0x0f, load ? 0x10 : 0x11,
                    (uint8_t)(5 | (reg & 7) << 3)};
    put_rip(b, 4, box.data->xmm[reg]);
}

static const uint8_t op_save[] = {0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57};
static const uint8_t op_restore[] = {0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d,
                                     0x41, 0x5c, 0x5d, 0x5b, 0xc3};

static void sandbox_head(void)
{
    box.used = 0;
    put(op_save, sizeof(op_save));
    put_rip((const uint8_t[]){0x48, 0x89, 0x25}, 3, &box.data->host_sp);
    for (unsigned i = 0; i < 16; i++) {
        put_xmm(i, true);
    }
    put_rip((const uint8_t[]){0x0f, 0xae, 0x15}, 3, &box.data->mxcsr);
    put_rip((const uint8_t[]){0xff, 0x35}, 2, &box.data->flags);
    put((const uint8_t[]){0x9d}, 1);
    for (unsigned i = 0; i < 16; i++) {
        put_mov(i, true);
    }
    box.at = box.code + box.used;
}

static void sandbox_tail(void)
{
    box.tail = box.used;
    for (unsigned i = 0; i < 16; i++) {
        put_mov(i, false);
    }
    put_rip((const uint8_t[]){0x48, 0x8b, 0x25}, 3, &box.data->host_sp);
    put((const uint8_t[]){0x9c}, 1);
    put_rip((const uint8_t[]){0x8f, 0x05}, 2, &box.data->flags);
    put((const uint8_t[]){0xfc}, 1);
    put_rip((const uint8_t[]){0x0f, 0xae, 0x1d}, 3, &box.data->mxcsr);
    put_rip((const uint8_t[]){0x0f, 0xae, 0x15}, 3, &box.data->host_mxcsr);
    for (unsigned i = 0; i < 16; i++) {
        put_xmm(i, false);
    }
    put(op_restore, sizeof(op_restore));
}

static void on_trap(int sig, siginfo_t *si, void *ctx)
{
    ucontext_t *uc = ctx;
    uint64_t pc = (uint64_t)uc->uc_mcontext.gregs[REG_RIP];
    if (pc - (uint64_t)box.code >= PAGE) {
        signal(sig, SIG_DFL);
        return;
    }
    (void)si;
    trapped = sig;
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(box.code + box.tail);
}

static void sandbox_open(void)
{
    static uint8_t alt[65536];
    uint8_t *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    g_assert_true(p != MAP_FAILED);
    box.code = p;
    box.data = (SandboxData *)(void *)(p + PAGE);
    box.mem = p + 2 * PAGE;
    sandbox_head();
    stack_t ss = {.ss_sp = alt, .ss_size = sizeof(alt)};
    struct sigaction sa = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaltstack(&ss, NULL);
    sigaction(SIGFPE, &sa, NULL);
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGILL, &sa, NULL);
}

/* ---- states ---- */

typedef struct State {
    uint64_t r[16], flags;
    uint8_t xmm[16][16];
    uint8_t mem[MEM_BYTES];
    uint32_t mxcsr;
    unsigned trap; /* 0, or the signal hardware raises */
} State;

static GRand *rnd;

static uint32_t random32(void)
{
    return g_rand_int(rnd);
}

static uint64_t random_value(void)
{
    static const uint64_t corner[] = {
        0,
        1,
        2,
        0x7f,
        0x80,
        0xff,
        0x100,
        0x7fff,
        0x8000,
        0xffff,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        0x100000000,
        0x7fffffffffffffff,
        0x8000000000000000,
        0xffffffffffffffff,
        0xffffffff80000000,
        0xffffffffffffff80,
    };
    uint64_t v = (uint64_t)random32() << 32 | random32();
    switch (random32() % 4) {
    case 0: return corner[random32() % G_N_ELEMENTS(corner)];
    case 1: return v >> (random32() % 64);
    case 2: return (uint64_t)((int64_t)v >> (random32() % 64));
    default: return v;
    }
}

/* A number that makes FP interesting: zeros, denormals, infinities, NaNs, halves, limits. */
static void random_fp(uint8_t *out, unsigned bytes)
{
    static const uint64_t f64[] = {
        0,
        1,
        0x3ff0000000000000,
        0x3ff8000000000000,
        0x7ff0000000000000,
        0x7ff8000000000001,
        0x7ff0000000000001,
        0x000fffffffffffff,
        0x0010000000000000,
        0x7fefffffffffffff,
        0x41dfffffffc00000,
        0x41e0000000000000,
        0x43e0000000000000,
        0x4340000000000001,
        0x3fe0000000000000,
        0x36a0000000000000,
        0x380fffffe0000000,
        0x47efffffe0000000,
    };
    static const uint32_t f32[] = {
        0,          1,          0x3f800000, 0x3fc00000, 0x7f800000,
        0x7fc00001, 0x7f800001, 0x007fffff, 0x00800000, 0x7f7fffff,
        0x4effffff, 0x4f000000, 0x5f000000, 0x4b000001, 0x3f000000,
    };
    for (unsigned k = 0; k < bytes; k += 8) {
        uint32_t h[2] = {f32[random32() % G_N_ELEMENTS(f32)] | (random32() & 1u << 31),
                         f32[random32() % G_N_ELEMENTS(f32)] | (random32() & 1u << 31)};
        uint64_t d = f64[random32() % G_N_ELEMENTS(f64)] | ((uint64_t)(random32() & 1) << 63);
        uint64_t any = 0x3f00000000000000 + (((uint64_t)random32() << 32 | random32()) >> 7);
        switch (random32() % 4) {
        case 0: memcpy(out + k, h, 8); break;
        case 1: memcpy(out + k, &d, 8); break;
        case 2: memcpy(out + k, &any, 8); break;
        default: break;
        }
    }
}

/* tame: registers are small, so that bit strings stay in memory. */
static void random_state(State *s, bool tame)
{
    for (unsigned i = 0; i < 16; i++) {
        s->r[i] = tame ? (uint64_t)(int64_t)((int)(random32() % 1024) - 512) : random_value();
        for (unsigned k = 0; k < 16; k++) {
            s->xmm[i][k] = (uint8_t)(random32() % 3 ? random32() : (random32() & 1 ? 0xff : 0));
        }
    }
    for (unsigned k = 0; k < MEM_BYTES; k++) {
        s->mem[k] = (uint8_t)random32();
    }
    random_fp(s->xmm[0], sizeof(s->xmm));
    random_fp(s->mem, MEM_BYTES);
    s->mxcsr = 0x1f80 | (random32() % 4) << 13 | (random32() % 8 ? 0 : random32() & 0x8040);
    s->r[BASE_REG] = (uint64_t)box.mem + MEM_AT;
    s->r[X86_RSP] = (uint64_t)box.mem + MEM_AT + 128;
    s->flags = 2 | X86_FL_IF | (random32() & X86_FL_ARITH);
    s->trap = 0;
}

static void run_native(const State *in, State *out)
{
    SandboxData *d = box.data;
    memcpy(d->r, in->r, sizeof(d->r));
    memcpy(d->xmm, in->xmm, sizeof(d->xmm));
    memcpy(box.mem, in->mem, MEM_BYTES);
    d->flags = in->flags;
    d->mxcsr = in->mxcsr;
    d->host_mxcsr = 0x1f80;
    trapped = 0;
    ((void (*)(void))(uintptr_t)box.code)();
    memcpy(out->r, d->r, sizeof(d->r));
    memcpy(out->xmm, d->xmm, sizeof(d->xmm));
    memcpy(out->mem, box.mem, MEM_BYTES);
    out->flags = d->flags;
    out->mxcsr = d->mxcsr;
    out->trap = (unsigned)trapped;
}

/* ---- our side ---- */

static X86Cpu *cpu;
static const void *helper_table[64];
static TcgCodeBuf jit;

static void cpu_open(void)
{
    enum { CODE = 4 << 20, DATA = 1 << 20 };
    cpu = aligned_alloc(64, (sizeof(X86Cpu) + 63) & ~(size_t)63);
    memset(cpu, 0, sizeof(*cpu));
    g_assert_true(x86_cpu_reset(cpu, "max"));
    g_assert_false(x86_cpu_reset(cpu, "no such model"));
    for (unsigned i = 0; i < x86_guest.n_helpers && i < G_N_ELEMENTS(helper_table); i++) {
        const TcgHelper *h = &x86_guest.helpers[i];
        helper_table[i] = h->kind == TCG_H_INT ? (const void *)h->i : (const void *)h->v;
    }
    cpu->tcg.helpers = helper_table;
    cpu->tcg.guest = &x86_guest;
    cpu->tcg.mxcsr = 0x1f80;
    for (unsigned i = 0; i < 1u << TCG_JC_BITS; i++) {
        cpu->tcg.jump_cache[i].pc = 1;
    }
    for (unsigned i = 0; i < TCG_RING; i++) {
        cpu->tcg.ring[i].pc = 1;
    }
    uint8_t *p = mmap(NULL, CODE + DATA, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(p != MAP_FAILED);
    jit = (TcgCodeBuf){
        .rw = p + DATA, .rx = p + DATA, .code_bytes = CODE, .data = p, .data_bytes = DATA};
    tcg_backend_x86_64.emit_prologue(&jit, tcg_backend_x86_64.host_features());
}

static void load_state(const State *s)
{
    memcpy(cpu->r, s->r, sizeof(cpu->r));
    for (unsigned i = 0; i < 16; i++) {
        memcpy(&cpu->xmm[i], s->xmm[i], 16);
    }
    memcpy(box.mem, s->mem, MEM_BYTES);
    x86_rflags_set(cpu, s->flags);
    cpu->mxcsr = s->mxcsr;
    cpu->rip = (uint64_t)box.at;
}

static void save_state(State *s, TcgExit why)
{
    memcpy(s->r, cpu->r, sizeof(cpu->r));
    for (unsigned i = 0; i < 16; i++) {
        memcpy(s->xmm[i], &cpu->xmm[i], 16);
    }
    memcpy(s->mem, box.mem, MEM_BYTES);
    s->flags = x86_rflags_get(cpu);
    s->mxcsr = cpu->mxcsr;
    s->trap = why == TCG_EXIT_LOOKUP   ? 0
              : why == TCG_EXIT_DIVIDE ? SIGFPE
              : why == TCG_EXIT_UNDEF  ? SIGILL
                                       : SIGSEGV;
}

typedef enum How { INTERP, JIT1, JIT2, N_HOW } How;
static const char *const how_names[] = {"interpreter", "tier 1", "tier 2"};

static TcgExit run_region(IrRegion *r, How how)
{
    if (how == INTERP) {
        ir_opt_promote(r); /* REP loops inside the region */
        return ir_interp(r, &cpu->tcg, NULL, 100000);
    }
    TcgCodeBuf b = jit;
    TcgCompiled comp;
    ir_optimize(r, how == JIT1 ? 1 : 2, NULL);
    g_assert_true(tcg_backend_x86_64.compile(r, &b, 0, NULL, &comp));
    if (getenv("GEMEL_FUZZ_SHOW")) {
        ir_print(r, stderr);
        tcg_backend_x86_64.disas(&comp, stderr);
    }
    tcg_backend_x86_64.enter(&b, &cpu->tcg, comp.code);
    TcgExit why = cpu->tcg.exit_reason;
    if (why == TCG_EXIT_LINK) {
        cpu->rip = ((TcgLink *)(uintptr_t)cpu->tcg.exit_info)->pc;
        why = TCG_EXIT_LOOKUP;
    }
    tcg_compiled_free(&comp);
    return why;
}

static void run_ours(const State *in, State *out, unsigned bytes, How how)
{
    static IrBuilder b;
    Arena arena;
    TcgExit why = TCG_EXIT_LOOKUP;
    unsigned rounds = 0;
    arena_init(&arena);
    load_state(in);
    while (why == TCG_EXIT_LOOKUP && cpu->rip != (uint64_t)box.at + bytes) {
        uint32_t off = (uint32_t)(cpu->rip - (uint64_t)box.at);
        char text[200];
        g_assert_cmpuint(off, <, bytes);
        g_assert_cmpuint(++rounds, <, 200);
        TcgBlockCtx ctx = {.b = &b,
                           .pc = cpu->rip,
                           .code = box.at + off,
                           .code_bytes = bytes - off,
                           .max_insns = 64,
                           .cpu = &cpu->tcg};
        arena_reset(&arena);
        ir_builder_init(&b, &arena, &x86_guest, ctx.pc, 0, how == JIT2 ? 2 : 1);
        x86_guest.translate(&ctx);
        IrRegion *r = ir_builder_finish(&b);
        if (!ir_verify(r, text, sizeof(text))) {
            ir_print(r, stderr);
            g_error("verifier: %s", text);
        }
        why = run_region(r, how);
    }
    arena_free(&arena);
    save_state(out, why);
}

/* ---- comparing ---- */

static void print_state(const char *name, const State *s)
{
    fprintf(stderr, "%s: trap %u flags %llx mxcsr %x\n", name, s->trap,
            (unsigned long long)s->flags, s->mxcsr);
    for (unsigned i = 0; i < 16; i++) {
        uint64_t x[2];
        memcpy(x, s->xmm[i], 16);
        fprintf(stderr, "  r%-2u %016llx  xmm%-2u %016llx%016llx\n", i, (unsigned long long)s->r[i],
                i, (unsigned long long)x[1], (unsigned long long)x[0]);
    }
}

/* Packed undefined flags as RFLAGS bits. */
static uint64_t rflags_of(unsigned packed)
{
    return (packed >> 8 & 0xd5) | (packed & 1 ? X86_FL_OF : 0);
}

static bool same(const State *a, const State *b, unsigned undef)
{
    uint64_t mask = (X86_FL_ARITH | X86_FL_DF) & ~rflags_of(undef);
    if (a->trap || b->trap) {
        return a->trap == b->trap; /* hardware's and our registers are those before it */
    }
    return !memcmp(a->r, b->r, sizeof(a->r)) && !memcmp(a->xmm, b->xmm, sizeof(a->xmm)) &&
           !memcmp(a->mem, b->mem, MEM_BYTES) && a->mxcsr == b->mxcsr &&
           !((a->flags ^ b->flags) & mask);
}

static void check(const State *in, unsigned bytes, unsigned undef, const char *name)
{
    State want, got;
    sandbox_tail();
    run_native(in, &want);
    for (How how = INTERP; how < N_HOW; how++) {
        run_ours(in, &got, bytes, how);
        if (!same(&want, &got, undef)) {
            fprintf(stderr, "%s, %s:", name, how_names[how]);
            for (unsigned k = 0; k < bytes; k++) {
                fprintf(stderr, " %02x", box.at[k]);
            }
            fprintf(stderr, "\n");
            print_state("before", in);
            print_state("host", &want);
            print_state("ours", &got);
            for (unsigned k = 0; k < MEM_BYTES; k++) {
                if (want.mem[k] != got.mem[k]) {
                    fprintf(stderr, "  memory %+d: host %02x ours %02x\n", (int)k - MEM_AT,
                            want.mem[k], got.mem[k]);
                }
            }
            g_error("%s differs from the host", name);
        }
    }
}

/* ---- making instructions ---- */

static unsigned make_prefixes(const X86Row *row, uint8_t *out)
{
    static const uint8_t mandatory[] = {[X86_P_66] = 0x66, [X86_P_F3] = 0xf3, [X86_P_F2] = 0xf2};
    unsigned n = 0, rex = random32() % 3 ? 0 : 0x40 | random32() % 16;
    if (row->prefix > X86_P_NP) {
        out[n++] = mandatory[row->prefix];
    } else if (row->prefix == X86_P_ANY && random32() % 4 == 0) {
        out[n++] = 0x66;
    }
    if ((row->attrs & X86_A_STR) && random32() % 2) {
        out[n++] = random32() % 2 ? 0xf3 : 0xf2;
    }
    if ((row->attrs & X86_A_LOCK) && random32() % 4 == 0) {
        out[n++] = 0xf0;
    }
    if (rex) {
        out[n++] = (uint8_t)rex;
    }
    return n;
}

static unsigned make_opcode(const X86Row *row, uint8_t *out)
{
    unsigned n = 0, opc = row->opcode;
    if (row->attrs & X86_A_R8) {
        opc += random32() % 8;
    } else if (row->attrs & X86_A_CC) {
        opc += random32() % 16;
    }
    if (opc >> 8) {
        out[n++] = 0x0f;
    }
    if (opc >> 8 > 1) {
        out[n++] = opc >> 8 == 2 ? 0x38 : 0x3a;
    }
    out[n++] = (uint8_t)opc;
    return n;
}

/* Memory is [rbx + disp32], aligned where the row asks for it (mostly); LEA takes anything. */
static unsigned make_modrm(const X86Row *row, uint8_t *out)
{
    unsigned reg = row->modrm >= X86_M_0 ? row->modrm - (unsigned)X86_M_0 : random32() % 8;
    bool memory = row->attrs & X86_A_MEM ? true : row->attrs & X86_A_REG ? false : random32() % 2;
    bool lea = !strcmp(row->name, "lea");
    if (lea) {
        out[0] = (uint8_t)(random32() % 3 << 6 | reg << 3 | random32() % 8);
        for (unsigned k = 1; k < 6; k++) {
            out[k] = (uint8_t)random32();
        }
        return 6;
    }
    if (!memory) {
        out[0] = (uint8_t)(0xc0 | reg << 3 | random32() % 8);
        return 1;
    }
    int32_t disp = (int32_t)(random32() % 8) * 16;
    if (!(row->attrs & X86_A_ALIGN) || random32() % 16 == 0) {
        disp += (int32_t)(random32() % 16);
    }
    out[0] = (uint8_t)(0x80 | reg << 3 | BASE_REG);
    memcpy(out + 1, &disp, 4);
    return 5;
}

/* One instruction of the row at `out`; its length, 0 when this attempt is none. */
static unsigned make_insn(const X86Row *row, uint8_t *out, X86Insn *insn)
{
    uint8_t b[32];
    unsigned n = make_prefixes(row, b);
    n += make_opcode(row, b + n);
    if (row->modrm != X86_M_NONE) {
        n += make_modrm(row, b + n);
    }
    for (unsigned k = 0; k < 8; k++) {
        b[n + k] = (uint8_t)random32();
    }
    if (x86_decode(b, 15, insn) != X86_DEC_OK || &x86_rows[insn->row] != row) {
        return 0;
    }
    bool base_is_other = insn->base == (BASE_REG | 8) && strcmp(row->name, "lea") != 0;
    if (base_is_other || (insn->lock && insn->op[0].kind != X86_K_MEM)) {
        return 0;
    }
    memcpy(out, b, insn->len);
    return insn->len;
}

static bool is_shift(const X86Row *row)
{
    return row->opcode >= 0xc0 && row->opcode <= 0xd3 && row->modrm != X86_M_NONE &&
           row->opcode != 0xc6 && row->opcode != 0xc7;
}

/* What we do not implement, or the manual does not define, of a row. */
static bool skip(const X86Insn *i, const State *s, unsigned *undef)
{
    const X86Row *row = &x86_rows[i->row];
    unsigned last = i->op[2].kind ? 2 : 1, n;
    n = (unsigned)(i->op[last].kind == X86_K_REG ? s->r[X86_RCX] : i->imm) &
        (i->esz == 3 ? 63 : 31);
    *undef = row->undef;
    if (is_shift(row)) {
        unsigned kind = (i->modrm >> 3) & 7, bits = 8u << i->op[0].esz;
        n &= i->op[0].esz == 3 ? 63 : 31;
        if (n >= bits && kind >= 4) {
            *undef |= 1u << 8;
        }
        return false;
    }
    if (!strncmp(row->name, "sh", 2) && (row->opcode & 0xf00) == 0x100 && row->opcode < 0x1b0) {
        return i->op[0].esz == 1 && n > 16;
    }
    if (i->op[0].kind == X86_K_MEM && !strncmp(row->name, "bt", 2) && i->op[1].kind == X86_K_REG &&
        (i->op[1].reg == BASE_REG || i->op[1].reg == X86_RSP)) {
        return true; /* not a small bit offset */
    }
    if (!strcmp(row->name, "bswap") && i->opsize) {
        return true; /* undefined result */
    }
    if (i->lock && (!strcmp(row->name, "adc") || !strcmp(row->name, "sbb"))) {
        return true;
    }
    if ((!strcmp(row->name, "popf") || !strcmp(row->name, "leave") ||
         (!strcmp(row->name, "cmpxchg8b") && !(i->rex & 8)))) {
        return true;
    }
    return row->attrs & X86_A_FLOW;
}

static void prepare(const X86Insn *i, State *s)
{
    const X86Row *row = &x86_rows[i->row];
    if (row->attrs & X86_A_STR) {
        s->r[X86_RSI] = (uint64_t)box.mem + MEM_AT + random32() % 64;
        s->r[X86_RDI] = (uint64_t)box.mem + MEM_AT + random32() % 64;
        s->r[X86_RCX] = random32() % 8;
        s->flags |= random32() & X86_FL_DF;
        for (unsigned k = 0; random32() % 2 && k < MEM_BYTES; k++) {
            s->mem[k] = s->r[0] & 0xff; /* runs of equal elements */
        }
    }
    if ((row->attrs & X86_A_DIV) && random32() % 4) {
        unsigned esz = i->op[0].esz;
        s->r[X86_RDX] = random32() % 2 ? 0 : (uint64_t)((int64_t)s->r[X86_RAX] >> 63);
        s->r[X86_RAX] &= esz == 0 ? 0xff : ~0ull;
    }
    if (!strcmp(row->name, "cmpxchg") && random32() % 2) {
        memcpy(&s->mem[MEM_AT], &s->r[X86_RAX], 8);
    }
}

static unsigned count_from_env(unsigned otherwise)
{
    const char *s = getenv("GEMEL_FUZZ_COUNT");
    return s ? (unsigned)atoi(s) : otherwise;
}

static void test_rows(void)
{
    unsigned count = count_from_env(24), rows = 0;
    for (unsigned n = 0; n < X86_N_ROWS; n++) {
        const X86Row *row = &x86_rows[n];
        unsigned done = 0;
        for (unsigned k = 0; k < count * 4 && done < count; k++) {
            X86Insn insn;
            State in;
            unsigned undef, bytes = make_insn(row, box.at, &insn);
            random_state(&in, !strncmp(row->name, "bt", 2));
            if (!bytes || skip(&insn, &in, &undef)) {
                continue;
            }
            prepare(&insn, &in);
            box.used = (unsigned)(box.at + bytes - box.code);
            check(&in, bytes, undef, row->name);
            done++;
        }
        rows += done != 0;
    }
    g_test_message("%u of %u rows", rows, (unsigned)X86_N_ROWS);
    g_assert_cmpuint(rows, >, X86_N_ROWS * 8 / 10);
}

static bool writes_register(const X86Insn *i, unsigned reg)
{
    for (unsigned k = 0; k < 3; k++) {
        if ((i->op[k].kind == X86_K_REG || i->op[k].kind == X86_K_HIGH) && i->op[k].reg == reg) {
            return true;
        }
    }
    return false;
}

/* Rows that may stand in a sequence. */
static bool sequential(const X86Insn *i)
{
    const X86Row *row = &x86_rows[i->row];
    bool shift_by_cl = row->operand[1] == X86_O_CL || row->operand[2] == X86_O_CL;
    return !(row->attrs & (X86_A_FLOW | X86_A_STR | X86_A_DIV | X86_A_ALIGN)) && !shift_by_cl &&
           !(i->op[0].kind == X86_K_MEM && !strncmp(row->name, "bt", 2)) &&
           strcmp(row->name, "cld") != 0 && strcmp(row->name, "std") != 0 &&
           strcmp(row->name, "pushf") != 0 && i->opcode != 0x1bc && i->opcode != 0x1bd &&
           !writes_register(i, BASE_REG) && !writes_register(i, X86_RSP);
}

/* Behind an instruction with undefined flags: CMP of two registers defines them all. */
static unsigned define_flags(uint8_t *out)
{
    out[0] = 0x48;
    out[1] = 0x39;
    out[2] = (uint8_t)(0xc0 | random32() % 64);
    return 3;
}

static void test_sequences(void)
{
    unsigned count = count_from_env(24) * 60;
    for (unsigned n = 0; n < count; n++) {
        unsigned bytes = 0, len = 2 + random32() % 12;
        State in;
        random_state(&in, false);
        while (len && bytes + 40 < MAX_CODE) {
            const X86Row *row = &x86_rows[random32() % (random32() % 2 ? X86_N_ROWS : 200)];
            X86Insn insn;
            unsigned undef, got = make_insn(row, box.at + bytes, &insn);
            if (!got || skip(&insn, &in, &undef) || !sequential(&insn)) {
                continue;
            }
            bytes += got;
            if (undef) {
                bytes += define_flags(box.at + bytes);
            }
            len--;
        }
        box.used = (unsigned)(box.at + bytes - box.code);
        check(&in, bytes, 0, "sequence");
    }
}

/* ---- the decoder alone ---- */

static void test_table(void)
{
    for (unsigned n = 1; n < X86_N_ROWS; n++) {
        g_assert_cmpuint(x86_rows[n - 1].opcode, <=, x86_rows[n].opcode);
    }
}

static void test_decode(void)
{
    static const struct {
        uint8_t bytes[16];
        uint8_t n;
        X86DecodeResult res;
    } cases[] = {
        {{0x06}, 1, X86_DEC_UNDEF}, /* PUSH ES: not in 64-bit mode */
        {{0x48}, 1, X86_DEC_SHORT},
        {{0x48, 0x8b}, 2, X86_DEC_SHORT},
        {{0x48, 0x8b, 0x80, 0, 0, 0}, 6, X86_DEC_SHORT},
        {{0xf0, 0x01, 0xc0}, 3, X86_DEC_UNDEF}, /* LOCK without memory */
        {{0xf0, 0x39, 0x00}, 3, X86_DEC_UNDEF}, /* LOCK CMP */
        {{0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
          0x90},
         16,
         X86_DEC_UNDEF},                           /* 16 bytes */
        {{0x8d, 0xc0}, 2, X86_DEC_UNDEF},          /* LEA of a register */
        {{0xf3, 0x0f, 0x1e, 0xfa}, 4, X86_DEC_OK}, /* ENDBR64 */
        {{0x62, 0x90}, 2, X86_DEC_UNDEF},
    };
    for (unsigned k = 0; k < G_N_ELEMENTS(cases); k++) {
        X86Insn i;
        g_assert_cmpint(x86_decode(cases[k].bytes, cases[k].n, &i), ==, cases[k].res);
    }
}

/* REX, SIB and displacement of one instruction, in full. */
static void test_operands(void)
{
    static const uint8_t code[] = {0x4e, 0x8b, 0xac, 0xe3, 0x10, 0xff, 0xff, 0xff};
    X86Insn i;
    g_assert_cmpint(x86_decode(code, sizeof(code), &i), ==, X86_DEC_OK);
    g_assert_cmpuint(i.len, ==, 8);
    g_assert_cmpuint(i.op[0].reg, ==, X86_R13);
    g_assert_cmpuint(i.op[0].esz, ==, 3);
    g_assert_cmpuint(i.base, ==, X86_RBX);
    g_assert_cmpuint(i.index, ==, X86_R12);
    g_assert_cmpuint(i.scale, ==, 3);
    g_assert_cmpint(i.disp, ==, -240);
}

int main(int argc, char **argv)
{
    const char *seed = getenv("GEMEL_FUZZ_SEED");
    g_test_init(&argc, &argv, NULL);
    rnd = g_rand_new_with_seed(seed ? (guint32)strtoul(seed, NULL, 0) : 1);
    sandbox_open();
    cpu_open();
    g_test_add_func("/x86/table", test_table);
    g_test_add_func("/x86/decode", test_decode);
    g_test_add_func("/x86/operands", test_operands);
    g_test_add_func("/x86/rows", test_rows);
    g_test_add_func("/x86/sequences", test_sequences);
    return g_test_run();
}
