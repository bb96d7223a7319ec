/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a handler sees of the registers at a fault, and what it changes there: signal frames. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

static char *edge; /* one readable page, then none */
static int faults;

static void on_segv(int sig, siginfo_t *si, void *ctx)
{
    ucontext_t *uc = ctx;
    greg_t *g = uc->uc_mcontext.gregs;
    faults++;
    printf("%d: signal %d code %d at edge%+ld err %llx trap %llx\n", faults, sig, si->si_code,
           (long)((char *)si->si_addr - edge), (unsigned long long)g[REG_ERR],
           (unsigned long long)g[REG_TRAPNO]);
    printf("   ax %llx bx %llx cx %llx dx %llx si %+lld di %+lld r8 %llx r15 %llx fl %llx\n",
           g[REG_RAX], g[REG_RBX], g[REG_RCX], g[REG_RDX], g[REG_RSI] - (greg_t)edge,
           g[REG_RDI] - (greg_t)edge, g[REG_R8], g[REG_R15], g[REG_EFL] & 0xcd5);
    printf("   xmm3 %08x %08x\n", uc->uc_mcontext.fpregs->_xmm[3].element[0],
           uc->uc_mcontext.fpregs->_xmm[3].element[3]);
    g[REG_RIP] = g[REG_R14]; /* where the faulting code wants to go on */
    g[REG_R8] = 0x5678;
    uc->uc_mcontext.fpregs->_xmm[3].element[0] = 0xabcd;
}

static void inside_a_block(void)
{
    unsigned long r8;
    unsigned x;
    __asm__ volatile("lea 1f(%%rip), %%r14\n\t"
                     "mov $0x1234, %%eax\n\tmov $-1, %%rcx\n\tmov $7, %%edx\n\tmov %2, %%rsi\n\t"
                     "mov %2, %%rdi\n\tmov $3, %%r8d\n\tmov $0x77, %%r15d\n\tmov $0xff, %%ebx\n\t"
                     "movd %%ebx, %%xmm3\n\tpshufd $0, %%xmm3, %%xmm3\n\t"
                     "stc\n\tadc %%rdx, %%rcx\n\tmov $0x99, %%ah\n\tinc %%bl\n\tadd $5, %%rsi\n\t"
                     "mov (%%rdi), %%r15\n\t"
                     "mov $0, %%r8d\n1:\tmov %%r8, %0\n\tmovd %%xmm3, %1"
                     : "=r"(r8), "=r"(x)
                     : "r"(edge)
                     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r14", "r15", "xmm3", "cc");
    printf("   back: r8 %lx xmm3 %x\n", r8, x);
}

static void inside_rep(void)
{
    __asm__ volatile("lea 1f(%%rip), %%r14\n\t"
                     "xor %%eax, %%eax\n\tmov $20, %%ecx\n\tlea -13(%0), %%rdi\n\t"
                     "lea -100(%0), %%rsi\n\tmov $1, %%ebx\n\tmov $2, %%edx\n\txor %%r8d, %%r8d\n\t"
                     "mov $4, %%r15d\n\tpxor %%xmm3, %%xmm3\n\tcmp $1, %%eax\n\t"
                     "rep movsb\n1:" ::"r"(edge)
                     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r14", "r15", "xmm3", "cc",
                       "memory");
}

int main(void)
{
    static char alt[65536];
    stack_t ss = {.ss_sp = alt, .ss_size = sizeof alt};
    struct sigaction sa = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(p + 4096, 4096, PROT_NONE);
    edge = p + 4096;
    sigaltstack(&ss, NULL);
    sigaction(SIGSEGV, &sa, NULL);
    for (int i = 0; i < 3; i++) {
        inside_a_block();
        inside_rep();
    }
    printf("faults: %d\n", faults);
    return 0;
}
