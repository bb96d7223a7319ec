/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs the cases of a file (isa-format.h) and writes their results: an AArch64 program, run under
 * the emulators to be compared. Usage: isa-guest CASES RESULTS
 *
 * While a sequence runs, SP points to its IsaState and every other register is the case's own, so
 * sequences must not use SP. The linker sets isa_code (--defsym=isa_code=0x2000000). A signal
 * ends a case; its ucontext is the result.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "isa-format.h"

extern void isa_run(IsaState *s);
extern char isa_back[];

__asm__(".text\n.global isa_run\n.global isa_back\n"
        "isa_run:\n"
        "  stp x29, x30, [sp, #-176]!\n  stp x19, x20, [sp, #16]\n  stp x21, x22, [sp, #32]\n"
        "  stp x23, x24, [sp, #48]\n  stp x25, x26, [sp, #64]\n  stp x27, x28, [sp, #80]\n"
        "  stp d8, d9, [sp, #96]\n  stp d10, d11, [sp, #112]\n  stp d12, d13, [sp, #128]\n"
        "  stp d14, d15, [sp, #144]\n"
        "  adrp x1, isa_sp\n  mov x2, sp\n  str x2, [x1, #:lo12:isa_sp]\n"
        "  mov sp, x0\n"
        "  ldr x1, [sp, #256]\n  msr fpcr, x1\n  ldr x1, [sp, #264]\n  msr fpsr, x1\n"
        "  ldr x1, [sp, #248]\n  msr nzcv, x1\n"
        "  ldp q0, q1, [sp, #320]\n  ldp q2, q3, [sp, #352]\n  ldp q4, q5, [sp, #384]\n"
        "  ldp q6, q7, [sp, #416]\n  ldp q8, q9, [sp, #448]\n  ldp q10, q11, [sp, #480]\n"
        "  ldp q12, q13, [sp, #512]\n  ldp q14, q15, [sp, #544]\n  ldp q16, q17, [sp, #576]\n"
        "  ldp q18, q19, [sp, #608]\n  ldp q20, q21, [sp, #640]\n  ldp q22, q23, [sp, #672]\n"
        "  ldp q24, q25, [sp, #704]\n  ldp q26, q27, [sp, #736]\n  ldp q28, q29, [sp, #768]\n"
        "  ldp q30, q31, [sp, #800]\n"
        "  ldp x0, x1, [sp]\n  ldp x2, x3, [sp, #16]\n  ldp x4, x5, [sp, #32]\n"
        "  ldp x6, x7, [sp, #48]\n  ldp x8, x9, [sp, #64]\n  ldp x10, x11, [sp, #80]\n"
        "  ldp x12, x13, [sp, #96]\n  ldp x14, x15, [sp, #112]\n  ldp x16, x17, [sp, #128]\n"
        "  ldp x18, x19, [sp, #144]\n  ldp x20, x21, [sp, #160]\n  ldp x22, x23, [sp, #176]\n"
        "  ldp x24, x25, [sp, #192]\n  ldp x26, x27, [sp, #208]\n  ldp x28, x29, [sp, #224]\n"
        "  ldr x30, [sp, #240]\n"
        "  clrex\n  b isa_code\n"
        "isa_back:\n"
        "  stp x0, x1, [sp]\n  stp x2, x3, [sp, #16]\n  stp x4, x5, [sp, #32]\n"
        "  stp x6, x7, [sp, #48]\n  stp x8, x9, [sp, #64]\n  stp x10, x11, [sp, #80]\n"
        "  stp x12, x13, [sp, #96]\n  stp x14, x15, [sp, #112]\n  stp x16, x17, [sp, #128]\n"
        "  stp x18, x19, [sp, #144]\n  stp x20, x21, [sp, #160]\n  stp x22, x23, [sp, #176]\n"
        "  stp x24, x25, [sp, #192]\n  stp x26, x27, [sp, #208]\n  stp x28, x29, [sp, #224]\n"
        "  str x30, [sp, #240]\n"
        "  stp q0, q1, [sp, #320]\n  stp q2, q3, [sp, #352]\n  stp q4, q5, [sp, #384]\n"
        "  stp q6, q7, [sp, #416]\n  stp q8, q9, [sp, #448]\n  stp q10, q11, [sp, #480]\n"
        "  stp q12, q13, [sp, #512]\n  stp q14, q15, [sp, #544]\n  stp q16, q17, [sp, #576]\n"
        "  stp q18, q19, [sp, #608]\n  stp q20, q21, [sp, #640]\n  stp q22, q23, [sp, #672]\n"
        "  stp q24, q25, [sp, #704]\n  stp q26, q27, [sp, #736]\n  stp q28, q29, [sp, #768]\n"
        "  stp q30, q31, [sp, #800]\n"
        "  mrs x1, nzcv\n  str x1, [sp, #248]\n  mrs x1, fpcr\n  str x1, [sp, #256]\n"
        "  mrs x1, fpsr\n  str x1, [sp, #264]\n"
        "  msr fpcr, xzr\n  msr fpsr, xzr\n"
        "  adrp x1, isa_sp\n  ldr x2, [x1, #:lo12:isa_sp]\n  mov sp, x2\n"
        "  ldp d14, d15, [sp, #144]\n  ldp d12, d13, [sp, #128]\n  ldp d10, d11, [sp, #112]\n"
        "  ldp d8, d9, [sp, #96]\n  ldp x27, x28, [sp, #80]\n  ldp x25, x26, [sp, #64]\n"
        "  ldp x23, x24, [sp, #48]\n  ldp x21, x22, [sp, #32]\n  ldp x19, x20, [sp, #16]\n"
        "  ldp x29, x30, [sp], #176\n  ret\n"
        ".local isa_sp\n.comm isa_sp, 8, 8\n");

static IsaResult result;
static sigjmp_buf out_of_case;

/* The kernel's signal frame holds the FP state in a record behind the general registers. */
static void read_fpsimd(const ucontext_t *uc)
{
    const unsigned char *p = uc->uc_mcontext.__reserved;
    const struct fpsimd_context *f = (const struct fpsimd_context *)p;
    if (f->head.magic == FPSIMD_MAGIC) {
        result.out.fpsr = f->fpsr;
        result.out.fpcr = f->fpcr;
        memcpy(result.out.v, f->vregs, sizeof result.out.v);
    }
}

static void on_signal(int sig, siginfo_t *si, void *ctx)
{
    const ucontext_t *uc = ctx;
    for (int i = 0; i < 31; i++) {
        result.out.x[i] = uc->uc_mcontext.regs[i];
    }
    result.out.nzcv = uc->uc_mcontext.pstate & 0xf0000000u;
    read_fpsimd(uc);
    result.sig = (uint64_t)sig;
    result.code = (uint64_t)(uint32_t)si->si_code;
    result.pc = uc->uc_mcontext.pc - ISA_CODE_ADDR;
    siglongjmp(out_of_case, 1);
}

static uint64_t hash_mem(void)
{
    const uint64_t *p = (const uint64_t *)(uintptr_t)ISA_MEM_ADDR;
    uint64_t h = 0x9e3779b97f4a7c15u;
    for (unsigned i = 0; i < ISA_MEM_BYTES / 8; i++) {
        h = (h ^ p[i]) * 0x100000001b3u;
        h ^= h >> 29;
    }
    return h;
}

static uint64_t fresh[ISA_MEM_BYTES / 8];

static void run(const IsaCase *c, uint32_t *code)
{
    memcpy((void *)(uintptr_t)ISA_MEM_ADDR, fresh, sizeof fresh);
    IsaState s __attribute__((aligned(16))) = c->in;
    memcpy(code, c->insn, c->n * 4);
    code[c->n] = 0x14000000u |
                 (((uint32_t)((uintptr_t)isa_back - (uintptr_t)&code[c->n]) >> 2) & 0x3ffffffu);
    __builtin___clear_cache((char *)code, (char *)&code[c->n + 1]);
    memset(&result, 0, sizeof result);
    if (!sigsetjmp(out_of_case, 1)) {
        isa_run(&s);
        result.out = s;
    }
    result.mem_hash = hash_mem();
}

static void *map_at(uintptr_t addr, size_t bytes, int prot)
{
    void *p =
        mmap((void *)addr, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (p != (void *)addr) {
        perror("isa-guest: mmap");
        exit(2);
    }
    return p;
}

int main(int argc, char **argv)
{
    IsaHeader h;
    FILE *in = argc == 3 ? fopen(argv[1], "rb") : NULL;
    FILE *out = argc == 3 ? fopen(argv[2], "wb") : NULL;
    if (!in || !out || fread(&h, sizeof h, 1, in) != 1 || h.magic != ISA_MAGIC) {
        fprintf(stderr, "usage: isa-guest CASES RESULTS\n");
        return 2;
    }
    uint32_t *code = map_at(ISA_CODE_ADDR, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
    map_at(ISA_MEM_ADDR, ISA_MEM_BYTES, PROT_READ | PROT_WRITE);
    uint64_t r = h.seed | 1;
    for (unsigned i = 0; i < ISA_MEM_BYTES / 8; i++) {
        r ^= r << 13;
        r ^= r >> 7;
        r ^= r << 17;
        fresh[i] = r;
    }
    stack_t ss = {.ss_sp = malloc(65536), .ss_size = 65536};
    sigaltstack(&ss, NULL);
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    int sigs[] = {SIGILL, SIGSEGV, SIGBUS, SIGTRAP, SIGFPE};
    for (unsigned i = 0; i < 5; i++) {
        sigaction(sigs[i], &sa, NULL);
    }
    for (uint32_t i = 0; i < h.n_cases; i++) {
        IsaCase c;
        if (fread(&c, sizeof c, 1, in) != 1 || c.n > ISA_MAX_INSNS) {
            fprintf(stderr, "isa-guest: case %u is cut short\n", i);
            return 2;
        }
        run(&c, code);
        if (fwrite(&result, sizeof result, 1, out) != 1) {
            perror("isa-guest: write");
            return 2;
        }
    }
    return fclose(out) ? 2 : 0;
}
