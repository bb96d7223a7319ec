/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86-64 CPU models, CPUID, RFLAGS.
 *
 * Source: SDM volume 2, CPUID; System V ABI for x86-64, section "Low Level System Information"
 * (x86-64-v1). The model has what the front end translates and nothing else.
 */
#include "target/x86/x86.h"

#include <string.h>

static const char *const models[] = {"max", "qemu64", NULL};

const char *const *x86_cpu_models(void)
{
    return models;
}

bool x86_cpu_reset(X86Cpu *cpu, const char *model)
{
    const char *const *m = models;
    while (*m && strcmp(*m, model)) {
        m++;
    }
    if (!*m) {
        return false;
    }
    memset(cpu->r, 0, sizeof(cpu->r));
    memset(cpu->xmm, 0, sizeof(cpu->xmm));
    cpu->flags = cpu->flags_other = 0;
    cpu->df = 1;
    cpu->rip = cpu->fs_base = cpu->gs_base = 0;
    cpu->mxcsr = 0x1f80;
    cpu->fcw = 0x37f;
    cpu->model = *m;
    return true;
}

uint64_t x86_rflags_get(const X86Cpu *cpu)
{
    uint64_t v = (cpu->flags >> 8 & 0xd5) | X86_FL_IF | 2;
    v |= (cpu->flags & 1) ? X86_FL_OF : 0;
    v |= cpu->df & X86_FL_DF;
    return v | cpu->flags_other;
}

void x86_rflags_set(X86Cpu *cpu, uint64_t rflags)
{
    cpu->flags = (uint32_t)((rflags & 0xd5) << 8 | (rflags >> 11 & 1));
    cpu->df = rflags & X86_FL_DF ? ~0ull : 1;
    cpu->flags_other = rflags & X86_FL_OTHER;
}

/* ---- CPUID ---- */

typedef struct CpuidRow {
    uint32_t leaf, out[4]; /* EAX EBX ECX EDX */
} CpuidRow;

/* Features of leaf 1. */
enum {
    F1_CX16 = 1 << 13,
    F1_POPCNT = 1 << 23,
    F1_HYPERVISOR = 1u << 31, /* ECX */
    F1_FPU = 1 << 0,
    F1_TSC = 1 << 4,
    F1_CX8 = 1 << 8,
    F1_CMOV = 1 << 15,
    F1_CLFLUSH = 1 << 19,
    F1_MMX = 1 << 23,
    F1_FXSR = 1 << 24,
    F1_SSE = 1 << 25,
    F1_SSE2 = 1 << 26, /* EDX */
    FX_LAHF = 1 << 0,  /* 0x80000001 ECX */
    FX_SYSCALL = 1 << 11,
    FX_NX = 1 << 20,
    FX_LM = 1 << 29, /* EDX */
};

static const CpuidRow cpuid_rows[] = {
    /* AuthenticAMD: C libraries read the features of vendors they know, and of no others */
    {0, {1, 0x68747541, 0x444d4163, 0x69746e65}},
    {1,
     {0x00000f61, 1 << 16 | 8 << 8, F1_CX16 | F1_POPCNT | (int)F1_HYPERVISOR,
      F1_FPU | F1_TSC | F1_CX8 | F1_CMOV | F1_CLFLUSH | F1_MMX | F1_FXSR | F1_SSE | F1_SSE2}},
    {0x80000000, {0x80000008, 0, 0, 0}},
    {0x80000001, {0, 0, FX_LAHF, FX_SYSCALL | FX_NX | FX_LM}},
    {0x80000002, {0x656d6547, 0x6976206c, 0x61757472, 0x3878206c}},
    {0x80000003, {0x34365f36, 0x55504320, 0, 0}},
    {0x80000005, {0, 0, 0x20080140, 0x20080140}}, /* L1: 32 KiB, 8 ways, 64-byte lines */
    {0x80000006, {0, 0, 0x02006140, 0x00408140}}, /* L2: 512 KiB, L3: 8 MiB */
    {0x80000008, {0x3028, 0, 0, 0}},
};

void x86_cpuid(const X86Cpu *cpu, uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    (void)cpu, (void)sub;
    memset(out, 0, 16);
    for (unsigned k = 0; k < sizeof(cpuid_rows) / sizeof(cpuid_rows[0]); k++) {
        if (cpuid_rows[k].leaf == leaf) {
            memcpy(out, cpuid_rows[k].out, 16);
            return;
        }
    }
}
