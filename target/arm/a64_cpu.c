/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 CPU models: features, the ID registers and hwcaps that follow from them; reset; the status
 * registers that user mode reads and writes whole.
 *
 * Source: Arm ARM (DDI 0487), D19.2; technical reference manuals of the cores; Linux
 * arch/arm64/include/uapi/asm/hwcap.h (numbers) and the values Linux shows to EL0.
 */
#include "target/arm/a64.h"
#include "target/arm/a64_host.h"

#include <string.h>

#include "target/arm/a64_id.h"
#include "util/str_nearest.h"
#include "util/error.h"

#define F(name) (1ull << A64_FEAT_##name)
#define S(name) (1ull << (A64_FEAT_##name - 64))
_Static_assert(A64_N_USER_FEATS <= 64 && A64_N_FEATS <= 128, "feature sets below are two words");

/* ---- models ---- */

#define V8_0 (F(BASE) | F(FP) | F(AdvSIMD) | F(CRC32) | F(AES) | F(PMULL) | F(SHA1) | F(SHA256))
#define V8_2_APP (V8_0 | F(LSE) | F(RDM) | F(DotProd) | F(FP16) | F(LRCPC) | F(DPB) | F(SSBS))
#define MAX                                                                                        \
    (V8_2_APP | F(LSE2) | F(SHA512) | F(SHA3) | F(SM3) | F(SM4) | F(FHM) | F(FCMA) | F(JSCVT) |    \
     F(LRCPC2) | F(FRINTTS) | F(FlagM) | F(FlagM2) | F(DPB2) | F(SB) | F(PAuth) | F(FPAC) |        \
     F(I8MM) | F(BF16) | F(RNG) | F(BTI))

/* What EL1 and up have. */
#define V8_0_SYS (S(PMUv3))
#define V8_2_SYS                                                                                   \
    (V8_0_SYS | S(VHE) | S(PAN) | S(PAN2) | S(UAO) | S(HPDS) | S(AF) | S(DBM) | S(VMID16) |        \
     S(TGRAN16) | S(CNP) | S(XNX) | S(RAS) | S(IESB) | S(LOR) | S(CSV2) | S(CSV3))
#define MAX_SYS                                                                                    \
    (V8_2_SYS | S(PAN3) | S(LPA) | S(LVA) | S(LPA2) | S(TTST) | S(TLBIOS) | S(TLBIRANGE) | S(XS) | \
     S(DIT) | S(E0PD) | S(TTL) | S(BBM) | S(S2FWB) | S(EVT) | S(IDST) | S(HCX) | S(nTLBPA))

typedef struct Model {
    const char *name;
    uint64_t features, system;
    uint32_t midr, ctr; /* CTR_EL0: 64-byte lines, IDC = DIC = 0, ERG = CWG = 64 bytes */
    uint8_t pa_bits;    /* physical address size */
} Model;

static const Model models[] = {
    {"cortex-a53", V8_0, V8_0_SYS, 0x410fd034, 0x84448004, 40},
    {"cortex-a57", V8_0, V8_0_SYS, 0x411fd070, 0x8444c004, 44},
    {"cortex-a72", V8_0, V8_0_SYS, 0x410fd083, 0x8444c004, 44},
    {"cortex-a76", V8_2_APP, V8_2_SYS, 0x414fd0b1, 0x8444c004, 40},
    {"neoverse-n1", V8_2_APP, V8_2_SYS, 0x414fd0c1, 0x8444c004, 48},
    {"max", MAX, MAX_SYS, 0x000f0470, 0x8444c004, 52},
};
enum { N_MODELS = sizeof(models) / sizeof(models[0]) };

static const char *const model_names[] = {
    "cortex-a53", "cortex-a57", "cortex-a72", "cortex-a76", "neoverse-n1", "max", NULL,
};
_Static_assert(sizeof(model_names) / sizeof(model_names[0]) == N_MODELS + 1, "one name a model");

/* ---- feature -> ID field, hwcap ---- */

typedef struct FeatureRow {
    uint8_t feature, reg, shift, value; /* the largest value of a field wins */
    int8_t hwcap;                       /* bit of AT_HWCAP, 32 and up: of AT_HWCAP2; -1: none */
} FeatureRow;

static const FeatureRow feature_rows[] = {
    {A64_FEAT_FP, A64_ID_PFR0, 16, 0, 0},
    {A64_FEAT_AdvSIMD, A64_ID_PFR0, 20, 0, 1},
    {A64_FEAT_FP16, A64_ID_PFR0, 16, 1, 9},
    {A64_FEAT_FP16, A64_ID_PFR0, 20, 1, 10},
    {A64_FEAT_SVE, A64_ID_PFR0, 32, 1, 22},
    {A64_FEAT_BTI, A64_ID_PFR1, 0, 1, 32 + 17},
    {A64_FEAT_SSBS, A64_ID_PFR1, 4, 2, 28},
    {A64_FEAT_AES, A64_ID_ISAR0, 4, 1, 3},
    {A64_FEAT_PMULL, A64_ID_ISAR0, 4, 2, 4},
    {A64_FEAT_SHA1, A64_ID_ISAR0, 8, 1, 5},
    {A64_FEAT_SHA256, A64_ID_ISAR0, 12, 1, 6},
    {A64_FEAT_SHA512, A64_ID_ISAR0, 12, 2, 21},
    {A64_FEAT_CRC32, A64_ID_ISAR0, 16, 1, 7},
    {A64_FEAT_LSE, A64_ID_ISAR0, 20, 2, 8},
    {A64_FEAT_RDM, A64_ID_ISAR0, 28, 1, 12},
    {A64_FEAT_SHA3, A64_ID_ISAR0, 32, 1, 17},
    {A64_FEAT_SM3, A64_ID_ISAR0, 36, 1, 18},
    {A64_FEAT_SM4, A64_ID_ISAR0, 40, 1, 19},
    {A64_FEAT_DotProd, A64_ID_ISAR0, 44, 1, 20},
    {A64_FEAT_FHM, A64_ID_ISAR0, 48, 1, 23},
    {A64_FEAT_FlagM, A64_ID_ISAR0, 52, 1, 27},
    {A64_FEAT_FlagM2, A64_ID_ISAR0, 52, 2, 32 + 7},
    {A64_FEAT_RNG, A64_ID_ISAR0, 60, 1, 32 + 16},
    {A64_FEAT_DPB, A64_ID_ISAR1, 0, 1, 16},
    {A64_FEAT_DPB2, A64_ID_ISAR1, 0, 2, 32 + 0},
    {A64_FEAT_PAuth, A64_ID_ISAR1, 4, 1, 30},
    {A64_FEAT_FPAC, A64_ID_ISAR1, 4, 4, -1},
    {A64_FEAT_PAuth, A64_ID_ISAR1, 24, 1, 31},
    {A64_FEAT_JSCVT, A64_ID_ISAR1, 12, 1, 13},
    {A64_FEAT_FCMA, A64_ID_ISAR1, 16, 1, 14},
    {A64_FEAT_LRCPC, A64_ID_ISAR1, 20, 1, 15},
    {A64_FEAT_LRCPC2, A64_ID_ISAR1, 20, 2, 26},
    {A64_FEAT_FRINTTS, A64_ID_ISAR1, 32, 1, 32 + 8},
    {A64_FEAT_SB, A64_ID_ISAR1, 36, 1, 29},
    {A64_FEAT_BF16, A64_ID_ISAR1, 44, 1, 32 + 14},
    {A64_FEAT_I8MM, A64_ID_ISAR1, 52, 1, 32 + 13},
    {A64_FEAT_LSE2, A64_ID_MMFR2, 32, 1, 25},
    {A64_FEAT_BASE, A64_ID_PFR0, 0, 1, 11}, /* EL0 is AArch64 only; HWCAP_CPUID */
    {A64_FEAT_BASE, A64_ID_PFR0, 4, 1, -1},
    {A64_FEAT_BASE, A64_ID_DFR0, 0, 6, -1},
    {A64_FEAT_BASE, A64_ID_MMFR0, 24, 15, -1},
    {A64_FEAT_BASE, A64_ID_MMFR0, 28, 15, -1},
};

/* What only the system level shows; a machine has these and feature_rows but for the last three. */
static const FeatureRow system_rows[] = {
    {A64_FEAT_EL2, A64_ID_PFR0, 8, 1, -1},
    {A64_FEAT_EL3, A64_ID_PFR0, 12, 1, -1},
    {A64_FEAT_RAS, A64_ID_PFR0, 28, 1, -1},
    {A64_FEAT_DIT, A64_ID_PFR0, 48, 1, -1},
    {A64_FEAT_CSV2, A64_ID_PFR0, 56, 1, -1},
    {A64_FEAT_CSV3, A64_ID_PFR0, 60, 1, -1},
    {A64_FEAT_PMUv3, A64_ID_DFR0, 8, 1, -1},
    {A64_FEAT_BASE, A64_ID_DFR0, 12, A64_N_BREAKPOINTS - 1, -1},
    {A64_FEAT_BASE, A64_ID_DFR0, 20, A64_N_WATCHPOINTS - 1, -1},
    {A64_FEAT_BASE, A64_ID_DFR0, 28, 1, -1}, /* context-aware breakpoints: 2 */
    {A64_FEAT_TLBIOS, A64_ID_ISAR0, 56, 1, -1},
    {A64_FEAT_TLBIRANGE, A64_ID_ISAR0, 56, 2, -1},
    {A64_FEAT_XS, A64_ID_ISAR1, 56, 1, -1},
    {A64_FEAT_VMID16, A64_ID_MMFR1, 4, 2, -1},
    {A64_FEAT_AF, A64_ID_MMFR1, 0, 1, -1},
    {A64_FEAT_DBM, A64_ID_MMFR1, 0, 2, -1},
    {A64_FEAT_VHE, A64_ID_MMFR1, 8, 1, -1},
    {A64_FEAT_HPDS, A64_ID_MMFR1, 12, 1, -1},
    {A64_FEAT_LOR, A64_ID_MMFR1, 16, 1, -1},
    {A64_FEAT_PAN, A64_ID_MMFR1, 20, 1, -1},
    {A64_FEAT_PAN2, A64_ID_MMFR1, 20, 2, -1},
    {A64_FEAT_PAN3, A64_ID_MMFR1, 20, 3, -1},
    {A64_FEAT_XNX, A64_ID_MMFR1, 28, 1, -1},
    {A64_FEAT_HCX, A64_ID_MMFR1, 40, 1, -1},
    {A64_FEAT_nTLBPA, A64_ID_MMFR1, 48, 1, -1},
    {A64_FEAT_CNP, A64_ID_MMFR2, 0, 1, -1},
    {A64_FEAT_UAO, A64_ID_MMFR2, 4, 1, -1},
    {A64_FEAT_IESB, A64_ID_MMFR2, 12, 1, -1},
    {A64_FEAT_LVA, A64_ID_MMFR2, 16, 1, -1},
    {A64_FEAT_TTST, A64_ID_MMFR2, 28, 1, -1},
    {A64_FEAT_IDST, A64_ID_MMFR2, 36, 1, -1},
    {A64_FEAT_S2FWB, A64_ID_MMFR2, 40, 1, -1},
    {A64_FEAT_TTL, A64_ID_MMFR2, 48, 1, -1},
    {A64_FEAT_BBM, A64_ID_MMFR2, 52, 2, -1},
    {A64_FEAT_EVT, A64_ID_MMFR2, 56, 2, -1},
    {A64_FEAT_E0PD, A64_ID_MMFR2, 60, 1, -1},
    {A64_FEAT_BASE, A64_ID_MMFR0, 4, 2, -1}, /* ASIDs of 16 bits */
    {A64_FEAT_TGRAN16, A64_ID_MMFR0, 20, 1, -1},
    {A64_FEAT_LPA2, A64_ID_MMFR0, 20, 2, -1},
    {A64_FEAT_LPA2, A64_ID_MMFR0, 28, 1, -1},
};
enum { N_FEATURE_ROWS = sizeof(feature_rows) / sizeof(feature_rows[0]) };

enum { N_SYSTEM_ROWS = sizeof(system_rows) / sizeof(system_rows[0]) };

static void derive_id_registers(A64Cpu *cpu, const FeatureRow *rows, unsigned n_rows)
{
    for (unsigned n = 0; n < n_rows; n++) {
        const FeatureRow *r = &rows[n];
        uint64_t *reg = &cpu->id_aa64[r->reg];
        if (a64_has(cpu, r->feature) && (*reg >> r->shift & 15) < r->value) {
            *reg = (*reg & ~(15ull << r->shift)) | (uint64_t)r->value << r->shift;
        }
    }
}

static uint64_t hwcaps(const A64Cpu *cpu, int base)
{
    uint64_t caps = 0;
    for (unsigned n = 0; n < N_FEATURE_ROWS; n++) {
        int bit = feature_rows[n].hwcap - base;
        if (a64_has(cpu, feature_rows[n].feature) && bit >= 0 && bit < 32) {
            caps |= 1ull << bit;
        }
    }
    return caps;
}

uint64_t a64_hwcap(const A64Cpu *cpu)
{
    return hwcaps(cpu, 0);
}

uint64_t a64_hwcap2(const A64Cpu *cpu)
{
    return hwcaps(cpu, 32);
}

const char *const *a64_cpu_models(void)
{
    return model_names;
}

static const Model *find_model(const char *name)
{
    for (const Model *m = models; m < models + N_MODELS; m++) {
        if (strcmp(m->name, name) == 0) {
            return m;
        }
    }
    return NULL;
}

/* Everything but the ID registers. */
static void take_model(A64Cpu *cpu, const Model *m, bool host_avx)
{
    memset((char *)cpu + sizeof(TcgCpu), 0, sizeof(*cpu) - sizeof(TcgCpu));
    cpu->tcg.fp_flags = 0;
    cpu->model = m->name;
    cpu->features[0] = host_avx ? m->features : m->features & ~F(LSE2);
    cpu->midr = m->midr;
    cpu->ctr_el0 = m->ctr;
    cpu->dczid_el0 = 4;
    cpu->cntfrq = 1000000000;
    cpu->host_sha = a64_host_has_sha();
    cpu->host_fma = a64_host_has_fma();
    cpu->excl_addr = ~0ull;
}

bool a64_cpu_reset(A64Cpu *cpu, const char *model, bool host_avx)
{
    const Model *m = find_model(model);
    if (!m) {
        return false;
    }
    take_model(cpu, m, host_avx);
    cpu->tcg.guest = &a64_guest;
    derive_id_registers(cpu, feature_rows, N_FEATURE_ROWS);
    a64_fpcr_set(cpu, 0);
    return true;
}

/* ---- machines ---- */

/* What -cpu may switch, by ,+name ,-name or ,name=on|off: features that nothing else here rests on.
 */
static const struct FeatureName {
    const char *name;
    uint64_t features, system;
} feature_names[] = {
    {"aes", F(AES), 0},
    {"pmull", F(PMULL), 0},
    {"sha1", F(SHA1), 0},
    {"sha256", F(SHA256), 0},
    {"sha512", F(SHA512), 0},
    {"sha3", F(SHA3), 0},
    {"sm3", F(SM3), 0},
    {"sm4", F(SM4), 0},
    {"crc32", F(CRC32), 0},
    {"lse", F(LSE), 0},
    {"rng", F(RNG), 0},
    {"pauth", F(PAuth) | F(FPAC), 0},
    {"pmu", 0, S(PMUv3)},
    {"lpa2", 0, S(LPA2)},
    {"pan", 0, S(PAN) | S(PAN2) | S(PAN3)},
    {"dbm", 0, S(DBM)},
    {"tlbirange", 0, S(TLBIRANGE)},
    {"ras", 0, S(RAS)},
    /* not there: may only be off */
    {"sve", 0, 0},
    {"sme", 0, 0},
    {"mte", 0, 0},
};
enum { N_FEATURE_NAMES = sizeof(feature_names) / sizeof(feature_names[0]) };

static bool unknown_feature(const A64Cpu *cpu, const char *name, size_t len, Error *err)
{
    char known[256] = "";
    for (unsigned n = 0; n < N_FEATURE_NAMES; n++) {
        strcat(strcat(known, n ? ", " : ""), feature_names[n].name); /* some 130 bytes */
    }
    return error_set(err, "-cpu %s: no feature '%.*s' to switch; known: %s", cpu->model, (int)len,
                     name, known);
}

static bool change_feature(A64Cpu *cpu, const char *name, size_t len, bool on, Error *err)
{
    for (unsigned n = 0; n < N_FEATURE_NAMES; n++) {
        const struct FeatureName *f = &feature_names[n];
        if (strlen(f->name) != len || strncmp(f->name, name, len) != 0) {
            continue;
        }
        if (on && !f->features && !f->system) {
            return error_set(err, "-cpu %s: '%s' is not there; leave it out or say %s=off",
                             cpu->model, f->name, f->name);
        }
        cpu->features[0] = on ? cpu->features[0] | f->features : cpu->features[0] & ~f->features;
        cpu->features[1] = on ? cpu->features[1] | f->system : cpu->features[1] & ~f->system;
        return true;
    }
    return unknown_feature(cpu, name, len, err);
}

static bool is_word(const char *text, size_t len, const char *a, const char *b)
{
    return (strlen(a) == len && strncmp(text, a, len) == 0) ||
           (strlen(b) == len && strncmp(text, b, len) == 0);
}

/* One +name, -name or name=on|off. */
static bool change_by_word(A64Cpu *cpu, const char *word, size_t len, Error *err)
{
    if (len > 1 && (*word == '+' || *word == '-')) {
        return change_feature(cpu, word + 1, len - 1, *word == '+', err);
    }
    const char *eq = memchr(word, '=', len);
    size_t name = eq ? (size_t)(eq - word) : 0, value = eq ? len - name - 1 : 0;
    bool on = eq && is_word(eq + 1, value, "on", "true");
    if (!eq || (!on && !is_word(eq + 1, value, "off", "false"))) {
        return error_set(err, "-cpu %s: '%.*s' is not understood; write feature=on or feature=off",
                         cpu->model, (int)len, word);
    }
    return change_feature(cpu, word, name, on, err);
}

static bool change_features(A64Cpu *cpu, const char *list, Error *err)
{
    while (*list == ',') {
        size_t len = strcspn(++list, ",");
        if (!change_by_word(cpu, list, len, err)) {
            return false;
        }
        list += len;
    }
    return true;
}

static uint8_t pa_range(unsigned bits)
{
    static const uint8_t size[] = {32, 36, 40, 42, 44, 48, 52};
    uint8_t n = 0;
    while (size[n] != bits) {
        n++;
    }
    return n;
}

/* ID registers that are not a row a feature. */
static void finish_id_registers(A64Cpu *cpu)
{
    uint64_t *mmfr0 = &cpu->id_aa64[A64_ID_MMFR0];
    *mmfr0 |= pa_range(cpu->sys.pa_bits);
    if (a64_has(cpu, A64_FEAT_LPA2)) {
        *mmfr0 = (*mmfr0 & ~(15ull << 28)) | 1ull << 28; /* 15 would win by size: "no 4K granule" */
    } else {
        *mmfr0 &= ~(15ull << 28);
    }
    *mmfr0 &= ~(15ull << 24); /* 64K granule */
}

bool a64_cpu_init_system(A64Cpu *cpu, const TcgSystemConfig *config, Error *err)
{
    char name[64];
    size_t len = strcspn(config->cpu_model, ",");
    const Model *m = NULL;
    if (len < sizeof(name)) {
        memcpy(name, config->cpu_model, len);
        name[len] = '\0';
        m = find_model(name);
    }
    if (!m) {
        const char *near = str_nearest_in(name, a64_cpu_models());
        return error_set(err, "-cpu %s: unknown CPU%s%s%s (-cpu help lists them)",
                         config->cpu_model, near ? "; did you mean '" : "", near ? near : "",
                         near ? "'?" : "");
    }
    take_model(cpu, m, config->host_avx);
    cpu->features[0] &= ~F(BTI); /* user mode only so far: here every block would pay for BTYPE */
    cpu->features[1] = m->system;
    if (config->el2) {
        cpu->features[1] |= S(EL2);
    } else {
        cpu->features[1] &= ~S(VHE);
    }
    if (config->el3) {
        cpu->features[1] |= S(EL3);
    }
    cpu->sys.pa_bits = m->pa_bits;
    if (!change_features(cpu, config->cpu_model + len, err)) {
        return false;
    }
    /* code is dropped when it is written, caches are the host's: nothing to clean for fetches */
    cpu->ctr_el0 |= 1u << 28 | 1u << 29;
    derive_id_registers(cpu, feature_rows, N_FEATURE_ROWS);
    derive_id_registers(cpu, system_rows, N_SYSTEM_ROWS);
    finish_id_registers(cpu);
    return true;
}

/* ---- status registers ---- */

uint32_t a64_nzcv_get(const A64Cpu *cpu)
{
    uint32_t p = cpu->nzcv;
    return (p >> 15 & 1) << 31 | (p >> 14 & 1) << 30 | (p >> 8 & 1) << 29 | (p & 1) << 28;
}

void a64_nzcv_set(A64Cpu *cpu, uint32_t spsr)
{
    cpu->nzcv =
        (spsr >> 31 & 1) << 15 | (spsr >> 30 & 1) << 14 | (spsr >> 29 & 1) << 8 | (spsr >> 28 & 1);
}

enum { FPSR_QC = 1u << 27, FPSR_FLAGS = 0x9f };

uint32_t a64_fpsr_get(A64Cpu *cpu)
{
    uint32_t qc = cpu->qc.u64[0] | cpu->qc.u64[1] ? FPSR_QC : 0;
    return qc | (tcg_fp_flags(&cpu->tcg) & FPSR_FLAGS);
}

void a64_fpsr_set(A64Cpu *cpu, uint32_t v)
{
    memset(&cpu->qc, 0, sizeof(cpu->qc));
    cpu->qc.u64[0] = v & FPSR_QC;
    tcg_set_fp_flags(&cpu->tcg, v & FPSR_FLAGS);
}

void a64_fpcr_set(A64Cpu *cpu, uint32_t v)
{
    uint32_t writable = 0x07c00000; /* AHP, DN, FZ, RMode; trap enables are RAZ/WI */
    if (a64_has(cpu, A64_FEAT_FP16)) {
        writable |= 1u << 19; /* FZ16 */
    }
    cpu->fpcr = v & writable;
    cpu->tcg.fp_mode = cpu->fpcr >> 22 & 3;
    cpu->tcg.mxcsr = a64_mxcsr(&cpu->tcg);
}

uint32_t a64_mxcsr(const struct TcgCpu *cpu)
{
    static const uint8_t rc[4] = {0, 2, 1, 3}; /* nearest, up, down, zero */
    const A64Cpu *a = (const A64Cpu *)(const void *)cpu;
    uint32_t flush = a->fpcr & 1u << 24 ? 0x8040 : 0; /* FTZ, DAZ; soft-float does not look */
    return 0x1f80u | flush | (uint32_t)rc[a->fpcr >> 22 & 3] << 13;
}
