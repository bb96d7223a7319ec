/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vector and FP rows of the x86-64 back end against the interpreter: chains of random ops on
 * random and special values under the A64 guest's rules, results and sticky flags compared, for
 * each level of host features.
 *
 * GEMEL_ROWS_SEED=n starts there, GEMEL_ROWS_COUNT=n runs so many regions; a failure prints its
 * seed; GEMEL_ROWS_SHOW=1 prints every region and its code.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "target/arm/a64.h"
#include "tcg/backend.h"
#include "tcg/builder.h"

enum { CODE_BYTES = 1 << 20, DATA_BYTES = 1 << 18, N_V = 28, N_X = 3, N_OPS = 40, N_RUNS = 10 };

/* Immediates. */
enum { NO_IMM, ELEM, INS, INSL, SHL, SHR, EXT, FRAC };
/* Choices of IrOp.sub. */
enum { NO_SUB, CMP, REV, VFCMP, CVT, ROUND, FCMP };

/*
 * args, result: v V128, s scalar of esz, i integer, I integer I32 or I64, c scalar of another size.
 * b I1, which selects between two integers; f FLAGS; m I32.
 * esz: bit mask; half: has a 64-bit form.
 */
typedef struct RowTest {
    uint8_t op;
    const char *args;
    char result;
    uint8_t esz;
    bool half;
    uint8_t sub, imm;
    uint16_t flags; /* each bit may be set or not */
    uint16_t fixed; /* always set */
} RowTest;

#define V2(name, e, h)                                                                             \
    {                                                                                              \
        IR_##name, "vv", 'v', e, h, 0, 0, 0, 0                                                     \
    }
#define V1(name, e, h)                                                                             \
    {                                                                                              \
        IR_##name, "v", 'v', e, h, 0, 0, 0, 0                                                      \
    }
#define F2(name)                                                                                   \
    {IR_##name, "ss", 's', 14, false, 0, 0, 0, 0},                                                 \
    {                                                                                              \
        IR_##name, "vv", 'v', 14, true, 0, 0, 0, 0                                                 \
    }
#define F1(name)                                                                                   \
    {IR_##name, "s", 's', 14, false, 0, 0, 0, 0},                                                  \
    {                                                                                              \
        IR_##name, "v", 'v', 14, true, 0, 0, 0, 0                                                  \
    }

static const RowTest rows[] = {
    V2(VAND, 8, true),
    V2(VOR, 8, true),
    V2(VXOR, 8, true),
    V2(VANDN, 8, true),
    V2(VORN, 8, true),
    V1(VNOT, 8, true),
    {IR_VBSL, "vvv", 'v', 8, true, 0, 0, 0, 0},
    V1(VLOW64, 8, false),
    {IR_FBITS, "s", 'i', 14, false, 0, 0, 0, 0},
    {IR_BITSF, "i", 's', 14, false, 0, 0, 0, 0},
    {IR_VDUP, "i", 'v', 15, true, 0, 0, 0, 0},
    {IR_VDUPL, "v", 'v', 15, true, 0, ELEM, 0, 0},
    {IR_VINS, "vi", 'v', 15, false, 0, INS, 0, 0},
    {IR_VINSL, "vv", 'v', 15, false, 0, INSL, 0, 0},
    {IR_VEXTR, "v", 'i', 15, false, 0, ELEM, IRF_SEXT, 0},
    {IR_VEXT, "vv", 'v', 1, true, 0, EXT, 0, 0},
    {IR_VREV, "v", 'v', 7, true, REV, 0, 0, 0},
    V2(VZIP1, 15, true),
    V2(VZIP2, 15, true),
    V2(VUZP1, 15, true),
    V2(VUZP2, 15, true),
    V2(VTRN1, 15, true),
    V2(VTRN2, 15, true),
    V2(VTBL, 1, true),
    V2(VCAT, 8, false),
    V2(VADD, 15, true),
    V2(VSUB, 15, true),
    V1(VNEG, 15, true),
    V1(VABS, 15, true),
    V2(VMUL, 15, true),
    V2(VSMIN, 15, true),
    V2(VSMAX, 15, true),
    V2(VUMIN, 15, true),
    V2(VUMAX, 15, true),
    {IR_VCMP, "vv", 'v', 15, true, CMP, 0, 0, 0},
    V2(VTST, 15, true),
    {IR_VSHLI, "v", 'v', 15, true, 0, SHL, 0, 0},
    {IR_VSHRI, "v", 'v', 15, true, 0, SHR, 0, 0},
    {IR_VSARI, "v", 'v', 15, true, 0, SHR, 0, 0},
    V2(VSHLV, 15, true),
    V2(VSSHLV, 15, true),
    V2(VSQADD, 15, true),
    V2(VUQADD, 15, true),
    V2(VSQSUB, 15, true),
    V2(VUQSUB, 15, true),
    V2(VURHADD, 7, true),
    V2(VUABD, 7, true),
    V2(VSABD, 7, true),
    V2(VADDP, 15, true),
    {IR_VSXTL, "v", 'v', 7, false, 0, 0, IRF_HI, 0},
    {IR_VUXTL, "v", 'v', 7, false, 0, 0, IRF_HI, 0},
    {IR_VXTN, "v", 'v', 7, false, 0, 0, 0, IRF_HALF},
    {IR_VSMULL, "vv", 'v', 7, false, 0, 0, IRF_HI, 0},
    {IR_VUMULL, "vv", 'v', 7, false, 0, 0, IRF_HI, 0},
    V1(VCNT, 1, true),
    V1(VADDV, 15, true),
    V1(VUMAXV, 7, true),
    V1(VUMINV, 7, true),
    V1(VSMAXV, 7, true),
    V1(VSMINV, 7, true),
    V2(AESE, 1, false),
    V2(AESD, 1, false),
    V1(AESMC, 1, false),
    V1(AESIMC, 1, false),
    {IR_PMULL64, "vv", 'v', 8, false, 0, 0, IRF_HI, 0},
    {IR_VMSB, "v", 'm', 15, false, 0, 0, 0, 0},

    F2(FADD),
    F2(FSUB),
    F2(FMUL),
    F2(FDIV),
    F1(FSQRT),
    F2(FMIN),
    F2(FMAX),
    F2(FMINNM),
    F2(FMAXNM),
    F1(FABS),
    F1(FNEG),
    F2(FADD),
    F2(FMUL),
    {IR_FMA, "sss", 's', 14, false, 0, 0, IRF_NEGA | IRF_NEGC, 0},
    {IR_FMA, "vvv", 'v', 14, true, 0, 0, IRF_NEGA | IRF_NEGC, 0},
    {IR_VFCMP, "vv", 'v', 14, true, VFCMP, 0, 0, 0},
    {IR_FCMP, "ss", 'b', 14, false, FCMP, 0, 0, 0},
    {IR_FL_FCMP, "ss", 'f', 14, false, FCMP, 0, 0, 0},
    {IR_FCVT, "s", 'c', 14, false, CVT, 0, 0, 0},
    {IR_FTOI, "s", 'I', 14, false, ROUND, FRAC, IRF_UNSIGNED, 0},
    {IR_ITOF, "i", 'c', 12, false, 0, FRAC, IRF_UNSIGNED, 0},
    {IR_FRINT, "s", 's', 14, false, ROUND, 0, IRF_EXACT, 0},
    {IR_FRINT, "v", 'v', 14, true, ROUND, 0, IRF_EXACT, 0},
    {IR_VFTOI, "v", 'v', 14, true, ROUND, FRAC, IRF_UNSIGNED, 0},
    {IR_VITOF, "v", 'v', 14, true, 0, FRAC, IRF_UNSIGNED, 0},
    {IR_VFCVTL, "v", 'v', 6, false, 0, 0, IRF_HI, 0},
    {IR_VFCVTN, "v", 'v', 6, false, CVT, 0, 0, IRF_HALF},
};

/* ---- random numbers ---- */

static uint64_t state;
static uint64_t rnd64(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545f4914f6cdd1dull;
}
static unsigned rnd(unsigned n)
{
    return (unsigned)(rnd64() >> 33) % n;
}

static uint64_t random_fp(unsigned esz)
{
    static const uint64_t f64[] = {
        0,
        0x8000000000000000,
        0x3ff0000000000000,
        0xbff0000000000000,
        0x7ff0000000000000,
        0xfff0000000000000,
        0x7ff8000000000000,
        0xfff8000000001234,
        0x7ff0000000000001,
        0xfff4000000000099,
        0x0010000000000000,
        0x8010000000000000,
        0x000fffffffffffff,
        1,
        0x7fefffffffffffff,
        0x3fe0000000000000,
        0x41e0000000000000,
        0xc1e0000000000000,
        0x43e0000000000000,
        0xc3e0000000000000,
        0x43f0000000000000,
        0x41f0000000000000,
        0x41dfffffffc00000,
        0x3ff8000000000000,
        0x3810000000000000,
        0x380fffffffffffff,
        0x47efffffe0000000,
        0x47f0000000000000,
    };
    static const uint32_t f32[] = {
        0,          0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000,
        0xffc01234, 0x7f800001, 0xffa00099, 0x00800000, 0x80800000, 0x007fffff, 1,
        0x7f7fffff, 0x3f000000, 0x4f000000, 0xcf000000, 0x5f000000, 0xdf000000, 0x5f800000,
        0x4f800000, 0x3fc00000, 0x40200000, 0x38800000, 0x387fffff, 0x477fe000, 0x477ff000,
    };
    static const uint16_t f16[] = {0,      0x8000, 0x3c00, 0xbc00, 0x7c00, 0xfc00, 0x7e00, 0xfe12,
                                   0x7c01, 0xfd09, 0x0400, 0x8400, 0x03ff, 1,      0x7bff, 0x3800};
    unsigned kind = rnd(16);
    double x = kind < 12 ? (double)(int64_t)rnd64() / (double)(1ull << rnd(63))
                         : ((int)rnd(64) - 32) / 4.0;
    float y = (float)x;
    uint64_t v = 0;

    if (kind < 4) {
        return esz == 3   ? f64[rnd(G_N_ELEMENTS(f64))]
               : esz == 2 ? f32[rnd(G_N_ELEMENTS(f32))]
                          : f16[rnd(G_N_ELEMENTS(f16))];
    }
    if (kind < 6) { /* around the smallest normal number */
        return rnd64() & (esz == 3 ? 0x801fffffffffffff : esz == 2 ? 0x80ffffff : 0x87ff);
    }
    if (kind == 6) {
        return rnd64();
    }
    if (esz == 3) {
        memcpy(&v, &x, 8);
    } else if (esz == 2) {
        memcpy(&v, &y, 4);
    } else {
        v = 0x3400 + (rnd64() & 0x8fff) % 0x1800;
    }
    return v;
}

static void random_vector(IrVec *v)
{
    static const uint8_t bytes[] = {0, 1, 0x7f, 0x80, 0xff, 2, 0xfe, 0x40};
    unsigned kind = rnd(8);

    memset(v, 0, sizeof(*v));
    for (unsigned i = 0; i < 16; i++) {
        v->u8[i] = rnd(2) ? (uint8_t)rnd64() : bytes[rnd(sizeof(bytes))];
    }
    if (kind < 6) {
        unsigned esz = kind < 2 ? 3 : kind < 4 ? 2 : 1;
        bool same = rnd(2);
        uint64_t x = random_fp(esz);

        for (unsigned i = 0; i < 16; i += 1u << esz) {
            memcpy(&v->u8[i], &x, 1u << esz);
            x = same ? x : random_fp(esz);
        }
    }
}

/* ---- building ---- */

static IrType scalar_type(unsigned esz)
{
    return esz == 3 ? IR_F64 : esz == 2 ? IR_F32 : IR_F16;
}

static uint64_t random_imm(const RowTest *t, unsigned esz, bool half)
{
    unsigned n = 16u >> esz, bits = 8u << esz;

    switch (t->imm) {
    case ELEM:
    case INS: return rnd(n);
    case INSL: return rnd(n) | rnd(n) << 8;
    case SHL: return rnd(bits);
    case SHR: return 1 + rnd(bits);
    case EXT: return rnd(half ? 8 : 16);
    case FRAC: return rnd(3) ? 0 : 1 + rnd(esz == 3 ? 63 : bits - 1);
    default: return 0;
    }
}

static unsigned random_sub(const RowTest *t, unsigned esz, IrType type)
{
    static const uint8_t rounds[] = {IR_R_NEAREST, IR_R_UP,   IR_R_DOWN,
                                     IR_R_ZERO,    IR_R_AWAY, IR_R_DYNAMIC};
    static const uint8_t fcmps[] = {IR_F_EQ, IR_F_GE | IR_F_S, IR_F_GT | IR_F_S};

    switch (t->sub) {
    case CMP: return rnd(10);
    case REV: return esz + 1 + rnd(3 - esz);
    case VFCMP: return fcmps[rnd(3)];
    case CVT:
        return rnd(4) == 0 && esz == (t->op == IR_FCVT ? 3 : 2) &&
                       (type == IR_F32 || type == IR_V128)
                   ? IR_R_ODD
                   : IR_R_DYNAMIC;
    case ROUND: return rounds[rnd(6)];
    case FCMP: return (t->op == IR_FCMP ? rnd(12) : 0) | (rnd(2) ? IR_F_S : 0);
    default: return 0;
    }
}

static IrRef random_arg(IrBuilder *b, char kind, unsigned esz)
{
    if (kind == 'i') {
        return ir_get(b, A64_S_X0 + rnd(N_X));
    }
    IrRef v = ir_get(b, A64_S_V0 + rnd(N_V));
    return kind == 'v' ? v : ir_emit(b, IR_VLO, scalar_type(esz), esz, 0, 0, v, 0, 0, 0, 0);
}

static IrType result_type(const RowTest *t, unsigned esz)
{
    IrType type;

    switch (t->result) {
    case 'v': return IR_V128;
    case 's': return scalar_type(esz);
    case 'b': return IR_I1;
    case 'f': return IR_FLAGS;
    case 'm': return IR_I32;
    case 'i': return esz == 3 || rnd(2) ? IR_I64 : IR_I32;
    case 'I': return rnd(2) ? IR_I64 : IR_I32;
    default: do { type = scalar_type(1 + rnd(3));
        } while (t->op == IR_FCVT && type == scalar_type(esz));
        return type;
    }
}

static void build_op(IrBuilder *b, const RowTest *t)
{
    unsigned esz, flags = t->fixed | (t->flags & (unsigned)rnd64());
    IrRef a[3] = {0};

    do {
        esz = rnd(4);
    } while (!(t->esz >> esz & 1));
    bool half = t->half && rnd(3) == 0 && (esz < 3 || t->op <= IR_VNOT || t->op == IR_VBSL);
    IrType type = result_type(t, esz);
    for (unsigned i = 0; t->args[i]; i++) {
        a[i] = i && rnd(6) == 0 && t->args[i] == t->args[i - 1] ? a[i - 1]
                                                                : random_arg(b, t->args[i], esz);
    }
    IrRef v = ir_emit(b, t->op, type, esz, random_sub(t, esz, type), flags | (half ? IRF_HALF : 0),
                      a[0], a[1], a[2], 0, random_imm(t, esz, half));
    if (type == IR_FLAGS) {
        ir_put(b, A64_S_NZCV, v);
    } else if (type == IR_I1) {
        ir_put(b, A64_S_X0 + rnd(N_X),
               ir_select(b, IR_I64, v, random_arg(b, 'i', 3), random_arg(b, 'i', 3)));
    } else if (ir_type_is_int(type)) {
        ir_put(b, A64_S_X0 + rnd(N_X), v);
    } else if (type == IR_V128) {
        ir_put(b, A64_S_V0 + rnd(N_V), v);
    } else {
        unsigned w = type == IR_F64 ? 3 : type == IR_F32 ? 2 : 1;
        ir_put(b, A64_S_V0 + rnd(N_V), ir_emit(b, IR_VZEXT, IR_V128, w, 0, 0, v, 0, 0, 0, 0));
    }
}

/* What is tested: a level of host features, with FPCR.FZ or without. */
typedef struct Setting {
    const char *name, *host;
    bool flush;
} Setting;

/* only: one row's index, or -1 */
static IrRegion *build(Arena *arena, int only, bool flush)
{
    IrBuilder b;

    ir_builder_init(&b, arena, &a64_guest, 0x1000, flush ? A64_MODE_FPFLUSH : 0, 1);
    ir_insn(&b, 0x1000);
    for (unsigned i = 0, n = rnd(4) ? 6 : N_OPS; i < n; i++) {
        build_op(&b, &rows[only >= 0 && rnd(2) ? (unsigned)only : rnd(G_N_ELEMENTS(rows))]);
    }
    ir_goto(&b, 0x2000);
    IrRegion *r = ir_builder_finish(&b);
    ir_optimize(r, 1, NULL);
    return r;
}

/* ---- running ---- */

static A64Cpu *new_cpu(void)
{
    A64Cpu *cpu = aligned_alloc(64, (sizeof(A64Cpu) + 63) & ~(size_t)63);

    memset(cpu, 0, sizeof(*cpu));
    cpu->tcg.guest = &a64_guest;
    g_assert_true(a64_cpu_reset(cpu, "max", true));
    return cpu;
}

static void random_state(A64Cpu *want, A64Cpu *got, bool flush)
{
    unsigned mode = rnd(2) ? 0 : rnd(4);

    for (unsigned i = 0; i < N_V; i++) {
        random_vector(&want->v[i]);
        got->v[i] = want->v[i];
    }
    for (unsigned i = 0; i < N_X; i++) {
        want->x[i] = rnd(2) ? rnd64() : (uint64_t)((int64_t)rnd64() >> rnd(64));
        got->x[i] = want->x[i];
    }
    got->nzcv = want->nzcv;
    a64_fpcr_set(want, mode << 22 | (uint32_t)flush << 24);
    a64_fpcr_set(got, mode << 22 | (uint32_t)flush << 24);
    got->tcg.mxcsr = a64_mxcsr(&got->tcg);
    want->tcg.fp_flags = got->tcg.fp_flags = flush ? 0x10 : 0; /* FZ: Inexact is known */
}

static const char *compare(const A64Cpu *want, const A64Cpu *got)
{
    static char text[200];

    for (unsigned i = 0; i < N_V; i++) {
        if (memcmp(&want->v[i], &got->v[i], 16) != 0) {
            snprintf(text, sizeof(text), "v%u: want %016llx%016llx, got %016llx%016llx", i,
                     (unsigned long long)want->v[i].u64[1], (unsigned long long)want->v[i].u64[0],
                     (unsigned long long)got->v[i].u64[1], (unsigned long long)got->v[i].u64[0]);
            return text;
        }
    }
    for (unsigned i = 0; i < N_X; i++) {
        if (want->x[i] != got->x[i]) {
            snprintf(text, sizeof(text), "x%u: want %016llx, got %016llx", i,
                     (unsigned long long)want->x[i], (unsigned long long)got->x[i]);
            return text;
        }
    }
    if (a64_nzcv_get(want) != a64_nzcv_get(got)) {
        snprintf(text, sizeof(text), "nzcv: want %x, got %x", a64_nzcv_get(want),
                 a64_nzcv_get(got));
        return text;
    }
    if (want->tcg.fp_flags != got->tcg.fp_flags) {
        snprintf(text, sizeof(text), "flags: want %x, got %x", want->tcg.fp_flags,
                 got->tcg.fp_flags);
        return text;
    }
    return NULL;
}

static void check_region(TcgCodeBuf buf, uint64_t seed, Arena *arena, const Setting *set)
{
    static A64Cpu *want, *got;
    TcgCompiled c;

    if (!want) {
        want = new_cpu();
        got = new_cpu();
    }
    state = seed * 0x9e3779b97f4a7c15ull + 1;
    IrRegion *r = build(arena, (int)(seed % G_N_ELEMENTS(rows)), set->flush);
    g_assert_true(tcg_backend_x86_64.compile(r, &buf, 0, NULL, &c));
    if (getenv("GEMEL_ROWS_SHOW")) {
        ir_print(r, stderr);
        tcg_backend_x86_64.disas(&c, stderr);
    }
    for (unsigned i = 0; i < N_RUNS; i++) {
        random_state(want, got, set->flush);
        IrVec before[N_V];
        memcpy(before, want->v, sizeof(before));
        ir_interp(r, &want->tcg, NULL, 0);
        tcg_backend_x86_64.enter(&buf, &got->tcg, c.code);
        const char *bad = compare(want, got);
        if (bad) {
            for (unsigned v = 0; v < N_V; v++) {
                fprintf(stderr, "# v%u %016llx%016llx\n", v, (unsigned long long)before[v].u64[1],
                        (unsigned long long)before[v].u64[0]);
            }
            ir_print(r, stderr);
            tcg_backend_x86_64.disas(&c, stderr);
            g_error("GEMEL_ROWS_SEED=%llu: %s", (unsigned long long)seed, bad);
        }
    }
    tcg_compiled_free(&c);
}

static void test_setting(gconstpointer setting)
{
    const Setting *set = setting;
    const char *s = getenv("GEMEL_ROWS_SEED"), *n = getenv("GEMEL_ROWS_COUNT");
    uint64_t seed = s ? strtoull(s, NULL, 0) : 1, count = n ? strtoull(n, NULL, 0) : 4000;
    uint8_t *p = mmap(NULL, CODE_BYTES + DATA_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    TcgCodeBuf buf = {.rw = p + DATA_BYTES,
                      .rx = p + DATA_BYTES,
                      .code_bytes = CODE_BYTES,
                      .data = p,
                      .data_bytes = DATA_BYTES};
    Arena arena;

    g_assert_true(p != MAP_FAILED);
    g_setenv("GEMEL_HOST_CPU", set->host, true);
    tcg_backend_x86_64.emit_prologue(&buf, tcg_backend_x86_64.host_features());
    arena_init(&arena);
    for (uint64_t end = seed + count; seed < end; seed++) {
        check_region(buf, seed, &arena, set);
        arena_reset(&arena);
    }
    arena_free(&arena);
    munmap(p, CODE_BYTES + DATA_BYTES);
}

int main(int argc, char **argv)
{
    static const Setting settings[] = {
        {"/tcg/x64-rows/sse4.2", "sse4.2", false}, {"/tcg/x64-rows/avx2", "avx2", false},
        {"/tcg/x64-rows/avx512", "avx512", false}, {"/tcg/x64-rows/sse4.2-fz", "sse4.2", true},
        {"/tcg/x64-rows/avx2-fz", "avx2", true},   {"/tcg/x64-rows/avx512-fz", "avx512", true},
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        g_test_add_data_func(settings[i].name, &settings[i], test_setting);
    }
    return g_test_run();
}
