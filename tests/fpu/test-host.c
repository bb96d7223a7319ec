/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fpu/ under FPU_X86 against the host's instructions: results and MXCSR flags, in all rounding
 * modes, with and without DAZ and FTZ.
 */
#include <cpuid.h>
#include <glib.h>

#include "fpu/fpu.h"
#include "tests/fpu/fpu-random.h"

enum { MXCSR_DAZ = 0x40, MXCSR_MASKS = 0x1f80, MXCSR_FTZ = 0x8000 };
enum { ROUNDS = 2000 };

typedef enum Need { NEED_AVX2, NEED_AVX512F, NEED_FP16, N_NEEDS } Need;

/* Both sides of one operation; v: operands, result as raw bits. */
typedef uint64_t (*HostFn)(uint32_t *mxcsr, const uint64_t v[3]);
typedef uint64_t (*SoftFn)(FpuState *s, FpuFormat f, const uint64_t v[3]);

/* xmm0..xmm2 and rax hold the operands (rax the first), the result is in xmm0 or rax. */
#define HOST_OP(name, insn, result)                                                                \
    static uint64_t name(uint32_t *mxcsr, const uint64_t v[3])                                     \
    {                                                                                              \
        const uint32_t plain = MXCSR_MASKS;                                                        \
        uint64_t r = v[0];                                                                         \
        __asm__ volatile("vmovq %[a], %%xmm0\n\tvmovq %[b], %%xmm1\n\tvmovq %[c], %%xmm2"          \
                         "\n\tvldmxcsr %[mx]\n\t" insn "\n\tvstmxcsr %[mx]"                        \
                         "\n\tvldmxcsr %[plain]\n\t" result                                        \
                         : [r] "+a"(r), [mx] "+m"(*mxcsr)                                          \
                         : [a] "r"(v[0]), [b] "r"(v[1]), [c] "r"(v[2]), [plain] "m"(plain)         \
                         : "xmm0", "xmm1", "xmm2", "cc");                                          \
        return r;                                                                                  \
    }
#define FLOAT "vmovq %%xmm0, %[r]"
/* The SDM's 213 form looks at its second operand first for NaNs: that is our a. */
#define FLOAT1 "vmovq %%xmm1, %[r]"
#define INTEGER ""

#define HOST_OPS(x, sfx)                                                                           \
    HOST_OP(host_add_##x, "vadd" sfx " %%xmm1, %%xmm0, %%xmm0", FLOAT)                             \
    HOST_OP(host_sub_##x, "vsub" sfx " %%xmm1, %%xmm0, %%xmm0", FLOAT)                             \
    HOST_OP(host_mul_##x, "vmul" sfx " %%xmm1, %%xmm0, %%xmm0", FLOAT)                             \
    HOST_OP(host_div_##x, "vdiv" sfx " %%xmm1, %%xmm0, %%xmm0", FLOAT)                             \
    HOST_OP(host_sqrt_##x, "vsqrt" sfx " %%xmm0, %%xmm0, %%xmm0", FLOAT)                           \
    HOST_OP(host_min_##x, "vmin" sfx " %%xmm1, %%xmm0, %%xmm0", FLOAT)                             \
    HOST_OP(host_max_##x, "vmax" sfx " %%xmm1, %%xmm0, %%xmm0", FLOAT)                             \
    HOST_OP(host_fmadd_##x, "vfmadd213" sfx " %%xmm2, %%xmm0, %%xmm1", FLOAT1)                     \
    HOST_OP(host_fnmsub_##x, "vfnmsub213" sfx " %%xmm2, %%xmm0, %%xmm1", FLOAT1)                   \
    HOST_OP(host_ucomi_##x, "vucomi" sfx " %%xmm1, %%xmm0\n\tlahf", "movzbl %%ah, %%eax")          \
    HOST_OP(host_comi_##x, "vcomi" sfx " %%xmm1, %%xmm0\n\tlahf", "movzbl %%ah, %%eax")            \
    HOST_OP(host_to32_##x, "vcvt" sfx "2si %%xmm0, %%eax", INTEGER)                                \
    HOST_OP(host_to64_##x, "vcvt" sfx "2si %%xmm0, %%rax", INTEGER)                                \
    HOST_OP(host_tou32_##x, "vcvt" sfx "2usi %%xmm0, %%eax", INTEGER)                              \
    HOST_OP(host_tou64_##x, "vcvt" sfx "2usi %%xmm0, %%rax", INTEGER)                              \
    HOST_OP(host_from64_##x, "vcvtsi2" sfx "q %[a], %%xmm0, %%xmm0", FLOAT)                        \
    HOST_OP(host_fromu64_##x, "vcvtusi2" sfx "q %[a], %%xmm0, %%xmm0", FLOAT)

HOST_OPS(f64, "sd")
HOST_OPS(f32, "ss")
HOST_OPS(f16, "sh")
HOST_OP(host_rint_f64, "vroundsd $4, %%xmm0, %%xmm0, %%xmm0", FLOAT)
HOST_OP(host_rint_f32, "vroundss $4, %%xmm0, %%xmm0, %%xmm0", FLOAT)
HOST_OP(host_trunc_f64, "vroundsd $11, %%xmm0, %%xmm0, %%xmm0", FLOAT)
HOST_OP(host_f64_to_f32, "vcvtsd2ss %%xmm0, %%xmm0, %%xmm0", FLOAT)
HOST_OP(host_f32_to_f64, "vcvtss2sd %%xmm0, %%xmm0, %%xmm0", FLOAT)
HOST_OP(host_f32_to_f16, "vcvtps2ph $4, %%xmm0, %%xmm0", FLOAT)
HOST_OP(host_f16_to_f32, "vcvtph2ps %%xmm0, %%xmm0", FLOAT)

static uint64_t soft_add(FpuState *s, FpuFormat f, const uint64_t v[3])
{
    return fpu_add(s, f, v[0], v[1]);
}

static uint64_t soft_sub(FpuState *s, FpuFormat f, const uint64_t v[3])
{
    return fpu_sub(s, f, v[0], v[1]);
}

static uint64_t soft_mul(FpuState *s, FpuFormat f, const uint64_t v[3])
{
    return fpu_mul(s, f, v[0], v[1]);
}

static uint64_t soft_div(FpuState *s, FpuFormat f, const uint64_t v[3])
{
    return fpu_div(s, f, v[0], v[1]);
}

static uint64_t soft_sqrt(FpuState *s, FpuFormat f, const uint64_t v[3])
{
    return fpu_sqrt(s, f, v[0]);
}

static uint64_t soft_min(FpuState *s, FpuFormat f, const uint64_t v[3])
{
    return fpu_min(s, f, v[0], v[1]);
}

static uint64_t soft_max(FpuState *s, FpuFormat f, const uint64_t v[3])
{
    return fpu_max(s, f, v[0], v[1]);
}

static uint64_t soft_fmadd(FpuState *s, FpuFormat f, const uint64_t v[3])
{
    return fpu_muladd(s, f, v[0], v[1], v[2], 0);
}

static uint64_t soft_fnmsub(FpuState *s, FpuFormat f, const uint64_t v[3])
{
    return fpu_muladd(s, f, v[0], v[1], v[2], FPU_NEG_PRODUCT | FPU_NEG_ADDEND);
}

/* As LAHF shows UCOMISD: CF 0, PF 2, ZF 6, bit 1 always set. */
static uint64_t order_flags(FpuOrder order)
{
    switch (order) {
    case FPU_LESS: return 0x03;
    case FPU_EQUAL: return 0x42;
    case FPU_GREATER: return 0x02;
    case FPU_UNORDERED: break;
    }
    return 0x47;
}

static uint64_t soft_ucomi(FpuState *s, FpuFormat f, const uint64_t v[3])
{
    return order_flags(fpu_compare(s, f, v[0], v[1], false));
}

static uint64_t soft_comi(FpuState *s, FpuFormat f, const uint64_t v[3])
{
    return order_flags(fpu_compare(s, f, v[0], v[1], true));
}

static uint64_t soft_to32(FpuState *s, FpuFormat f, const uint64_t v[3])
{
    return (uint32_t)fpu_to_int(s, f, v[0], s->round, 32, 0);
}

static uint64_t soft_to64(FpuState *s, FpuFormat f, const uint64_t v[3])
{
    return (uint64_t)fpu_to_int(s, f, v[0], s->round, 64, 0);
}

static uint64_t soft_tou32(FpuState *s, FpuFormat f, const uint64_t v[3])
{
    return fpu_to_uint(s, f, v[0], s->round, 32, 0);
}

static uint64_t soft_tou64(FpuState *s, FpuFormat f, const uint64_t v[3])
{
    return fpu_to_uint(s, f, v[0], s->round, 64, 0);
}

static uint64_t soft_from64(FpuState *s, FpuFormat f, const uint64_t v[3])
{
    return fpu_from_int(s, f, (int64_t)v[0], s->round, 0);
}

static uint64_t soft_fromu64(FpuState *s, FpuFormat f, const uint64_t v[3])
{
    return fpu_from_uint(s, f, v[0], s->round, 0);
}

static uint64_t soft_rint(FpuState *s, FpuFormat f, const uint64_t v[3])
{
    return fpu_round_int(s, f, v[0], s->round, true);
}

static uint64_t soft_trunc(FpuState *s, FpuFormat f, const uint64_t v[3])
{
    return fpu_round_int(s, f, v[0], FPU_ZERO, false);
}

static uint64_t soft_to_f16(FpuState *s, FpuFormat f, const uint64_t v[3])
{
    return fpu_convert(s, FPU_F16, f, v[0], s->round);
}

static uint64_t soft_to_f32(FpuState *s, FpuFormat f, const uint64_t v[3])
{
    return fpu_convert(s, FPU_F32, f, v[0], s->round);
}

static uint64_t soft_to_f64(FpuState *s, FpuFormat f, const uint64_t v[3])
{
    return fpu_convert(s, FPU_F64, f, v[0], s->round);
}

typedef struct Row {
    const char *name;
    FpuFormat format; /* of the operands */
    Need need;
    unsigned result_bits;
    HostFn host;
    SoftFn soft;
} Row;

#define ROWS(x, f, bits, need, need_unsigned)                                                      \
    {"add_" #x, f, need, bits, host_add_##x, soft_add},                                            \
        {"sub_" #x, f, need, bits, host_sub_##x, soft_sub},                                        \
        {"mul_" #x, f, need, bits, host_mul_##x, soft_mul},                                        \
        {"div_" #x, f, need, bits, host_div_##x, soft_div},                                        \
        {"sqrt_" #x, f, need, bits, host_sqrt_##x, soft_sqrt},                                     \
        {"min_" #x, f, need, bits, host_min_##x, soft_min},                                        \
        {"max_" #x, f, need, bits, host_max_##x, soft_max},                                        \
        {"fmadd_" #x, f, need, bits, host_fmadd_##x, soft_fmadd},                                  \
        {"fnmsub_" #x, f, need, bits, host_fnmsub_##x, soft_fnmsub},                               \
        {"ucomi_" #x, f, need, 8, host_ucomi_##x, soft_ucomi},                                     \
        {"comi_" #x, f, need, 8, host_comi_##x, soft_comi},                                        \
        {"to32_" #x, f, need, 32, host_to32_##x, soft_to32},                                       \
        {"to64_" #x, f, need, 64, host_to64_##x, soft_to64},                                       \
        {"tou32_" #x, f, need_unsigned, 32, host_tou32_##x, soft_tou32},                           \
        {"tou64_" #x, f, need_unsigned, 64, host_tou64_##x, soft_tou64},                           \
        {"from64_" #x, f, need, bits, host_from64_##x, soft_from64},                               \
    {                                                                                              \
        "fromu64_" #x, f, need_unsigned, bits, host_fromu64_##x, soft_fromu64                      \
    }

static const Row rows[] = {
    ROWS(f64, FPU_F64, 64, NEED_AVX2, NEED_AVX512F),
    ROWS(f32, FPU_F32, 32, NEED_AVX2, NEED_AVX512F),
    ROWS(f16, FPU_F16, 16, NEED_FP16, NEED_FP16),
    {"rint_f64", FPU_F64, NEED_AVX2, 64, host_rint_f64, soft_rint},
    {"rint_f32", FPU_F32, NEED_AVX2, 32, host_rint_f32, soft_rint},
    {"trunc_f64", FPU_F64, NEED_AVX2, 64, host_trunc_f64, soft_trunc},
    {"f64_to_f32", FPU_F64, NEED_AVX2, 32, host_f64_to_f32, soft_to_f32},
    {"f32_to_f64", FPU_F32, NEED_AVX2, 64, host_f32_to_f64, soft_to_f64},
    {"f32_to_f16", FPU_F32, NEED_AVX2, 16, host_f32_to_f16, soft_to_f16},
    {"f16_to_f32", FPU_F16, NEED_AVX2, 32, host_f16_to_f32, soft_to_f32},
};

static bool host_has(Need need)
{
    unsigned a, b, c, d;

    __builtin_cpu_init();
    if (need == NEED_AVX2) {
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    }
    if (!__builtin_cpu_supports("avx512f")) {
        return false;
    }
    return need == NEED_AVX512F || (__get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 23 & 1));
}

static uint32_t mxcsr_of(const FpuState *s)
{
    static const uint32_t rc[] = {[FPU_NEAREST] = 0, [FPU_DOWN] = 1, [FPU_UP] = 2, [FPU_ZERO] = 3};

    return MXCSR_MASKS | rc[s->round] << 13 | (s->flush_in ? MXCSR_DAZ : 0u) |
           (s->flush_out ? MXCSR_FTZ : 0u);
}

static uint32_t flags_of(uint32_t mxcsr)
{
    static const uint32_t flag[6] = {FPU_INVALID,  FPU_INPUT_DENORMAL, FPU_DIVBYZERO,
                                     FPU_OVERFLOW, FPU_UNDERFLOW,      FPU_INEXACT};
    uint32_t r = 0;

    for (unsigned i = 0; i < 6; i++) {
        r |= mxcsr >> i & 1 ? flag[i] : 0;
    }
    return r;
}

static bool is_from_integer(const Row *row)
{
    return row->soft == soft_from64 || row->soft == soft_fromu64;
}

/* Returns false, after a message, when the two sides differ. */
static bool check(const Row *row, FpuState *s, uint64_t *seed)
{
    uint64_t v[3], want, got, mask = UINT64_MAX >> (64 - row->result_bits);
    uint32_t mxcsr = mxcsr_of(s), flags;

    random_operands(seed, row->format, v, 3);
    if (is_from_integer(row)) {
        v[0] = random_u64(seed) >> random_u64(seed) % 64;
    }
    want = row->host(&mxcsr, v) & mask;
    flags = flags_of(mxcsr);
    s->flags = 0;
    got = row->soft(s, row->format, v) & mask;
    if (got == want && s->flags == flags) {
        return true;
    }
    g_test_message("%s round %d daz %d ftz %d: %" G_GINT64_MODIFIER "x %" G_GINT64_MODIFIER
                   "x %" G_GINT64_MODIFIER "x: got %" G_GINT64_MODIFIER
                   "x flags %x, host %" G_GINT64_MODIFIER "x flags %x",
                   row->name, s->round, s->flush_in, s->flush_out, v[0], v[1], v[2], got, s->flags,
                   want, flags);
    return false;
}

static void test_row(gconstpointer data)
{
    const Row *row = data;
    uint64_t seed = (uint64_t)g_test_rand_int(); /* glib prints the seed it comes from */
    unsigned bad = 0;

    if (!host_has(row->need)) {
        g_test_skip("the host lacks the instruction");
        return;
    }
    for (unsigned mode = 0; mode < 16; mode++) {
        FpuState s = {
            .rules = FPU_X86, .round = mode & 3, .flush_in = mode & 4, .flush_out = mode & 8};
        for (unsigned i = 0; i < ROUNDS && bad < 10; i++) {
            bad += !check(row, &s, &seed);
        }
    }
    g_assert_cmpuint(bad, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strdup_printf("/fpu/host/%s", rows[i].name);
        g_test_add_data_func(path, &rows[i], test_row);
    }
    return g_test_run();
}
