/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BTI: what guarded pages refuse, what the signal shows, and that protection changes are seen, by
 * other threads and in hot code too.
 *
 * cflags: -mbranch-protection=standard
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>

#ifndef PROT_BTI
#define PROT_BTI 0x10
#endif
enum {
    NOP = 0xd503201f,
    BTI = 0xd503241f,
    BTI_C = 0xd503245f,
    BTI_J = 0xd503249f,
    BTI_JC = 0xd50324df,
    PACIASP = 0xd503233f,
    PACIBSP = 0xd503237f,
    AUTIASP = 0xd50323bf,
    AUTIBSP = 0xd50323ff,
    RET = 0xd65f03c0,
    BR_X9 = 0xd61f0120,
    BR_X16 = 0xd61f0200,
    GUARD = PROT_READ | PROT_EXEC | PROT_BTI,
    BTYPE_SHIFT = 10,
    LAND = 16, /* word of the page that the tests jump to; the stubs are before it */
};

static int failures;
#define CHECK(cond, ...)                                                                           \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            failures++;                                                                            \
            printf("line %d: ", __LINE__);                                                         \
            printf(__VA_ARGS__);                                                                   \
            putchar('\n');                                                                         \
        }                                                                                          \
    } while (0)

static volatile sig_atomic_t ills;
static volatile uint64_t ill_pc, ill_btype, ill_addr;
static volatile int ill_code;

/* Goes on at the refused instruction, as if it had been allowed. */
static void on_ill(int sig, siginfo_t *si, void *ctx)
{
    ucontext_t *uc = ctx;
    (void)sig;
    ills++;
    ill_code = si->si_code;
    ill_addr = (uint64_t)si->si_addr;
    ill_pc = uc->uc_mcontext.pc;
    ill_btype = uc->uc_mcontext.pstate >> BTYPE_SHIFT & 3;
    uc->uc_mcontext.pstate &= ~(uint64_t)(3 << BTYPE_SHIFT);
}

/* Words at the landing place, which returns. */
static void put_code(uint32_t *page, uint32_t landing)
{
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
    page[0] = BTI_C;
    page[1] = BR_X9;
    page[2] = BTI_C;
    page[3] = BR_X16;
    page[LAND] = landing;
    page[LAND + 1] = landing == PACIASP ? AUTIASP : landing == PACIBSP ? AUTIBSP : NOP;
    page[LAND + 2] = RET;
    __builtin___clear_cache((char *)page, (char *)(page + LAND + 3));
}

#define CLOBBERS "x9", "x16", "x30", "memory"
static void by_blr(void *stub, void *to)
{
    (void)stub;
    __asm__ volatile("blr %0" ::"r"(to) : CLOBBERS);
}
static void by_br_x9(void *stub, void *to)
{
    (void)stub;
    __asm__ volatile("mov x9, %0\n\tadr x30, 1f\n\tbr x9\n1:\thint #36" ::"r"(to) : CLOBBERS);
}
static void by_br_x16(void *stub, void *to)
{
    (void)stub;
    __asm__ volatile("mov x16, %0\n\tadr x30, 1f\n\tbr x16\n1:" ::"r"(to) : CLOBBERS);
}
static void by_ret(void *stub, void *to)
{
    (void)stub;
    __asm__ volatile("mov x9, %0\n\tadr x30, 1f\n\tret x9\n1:" ::"r"(to) : CLOBBERS);
}
/* The branch itself is in the guarded page. */
static void by_stub(void *stub, void *to)
{
    __asm__ volatile("mov x9, %1\n\tmov x16, %1\n\tblr %0" ::"r"(stub), "r"(to) : CLOBBERS);
}

static const struct {
    const char *name;
    void (*go)(void *stub, void *to);
    unsigned stub, btype;
} ways[] = {
    {"BLR", by_blr, 0, 2},
    {"BR X9, unguarded", by_br_x9, 0, 1},
    {"BR X16, unguarded", by_br_x16, 0, 1},
    {"RET", by_ret, 0, 0},
    {"BR X9, guarded", by_stub, 0, 3},
    {"BR X16, guarded", by_stub, 2, 1},
};

/* Bit n: may be entered with BTYPE n. */
static const struct {
    uint32_t word;
    unsigned accepts;
} landings[] = {
    {NOP, 1}, {BTI, 1}, {BTI_C, 7}, {BTI_J, 0xb}, {BTI_JC, 0xf}, {PACIASP, 7}, {PACIBSP, 7},
};
enum { N_WAYS = sizeof ways / sizeof *ways, N_LANDINGS = sizeof landings / sizeof *landings };

static void check_entry(uint32_t *page, unsigned way, unsigned landing)
{
    unsigned btype = ways[way].btype;
    int refused = !(landings[landing].accepts >> btype & 1);
    for (int guarded = 1; guarded >= 0; guarded--) {
        mprotect(page, 4096, guarded ? GUARD : PROT_READ | PROT_EXEC);
        ills = 0;
        ways[way].go(page + ways[way].stub, page + LAND);
        CHECK(ills == (refused && guarded), "%s to %08x: %d signals", ways[way].name,
              landings[landing].word, (int)ills);
        if (refused && guarded) {
            CHECK(ill_code == ILL_ILLOPC, "si_code %d", ill_code);
            CHECK(ill_pc == (uint64_t)(page + LAND) && ill_addr == ill_pc, "pc, si_addr");
            CHECK(ill_btype == btype, "BTYPE %d in the frame, not %u", (int)ill_btype, btype);
        }
    }
}

static void check_hot(uint32_t *page)
{
    put_code(page, BTI_C);
    mprotect(page, 4096, GUARD);
    ills = 0;
    for (int i = 0; i < 20000; i++) {
        by_blr(page, page + LAND);
        by_br_x16(page, page + LAND);
    }
    CHECK(ills == 0, "hot code: %d signals", (int)ills);
    for (int i = 0; i < 5000; i++) {
        by_stub(page, page + LAND); /* BR X9 from a guarded page to BTI C */
    }
    CHECK(ills == 5000, "hot code: %d refused of 5000", (int)ills);
}

static void *jumper(void *page)
{
    while (!ills) {
        by_blr(page, (uint32_t *)page + LAND);
    }
    return NULL;
}

/* A thread that runs while the page becomes a guarded one must notice. */
static void check_thread(uint32_t *page)
{
    pthread_t t;
    put_code(page, NOP);
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
    ills = 0;
    pthread_create(&t, NULL, jumper, page);
    for (volatile int i = 0; i < 1000000; i++) {
    }
    CHECK(ills == 0, "unguarded, but refused");
    mprotect(page, 4096, GUARD);
    pthread_join(t, NULL);
    CHECK(ills >= 1, "thread");
}

/* A handler is entered as if called: BTI C is enough, nothing is not. */
static void check_handler(uint32_t *page)
{
    struct sigaction sa = {.sa_handler = (void (*)(int))(page + LAND)};
    sigaction(SIGUSR1, &sa, NULL);
    put_code(page, BTI_C);
    mprotect(page, 4096, GUARD);
    ills = 0;
    raise(SIGUSR1);
    CHECK(ills == 0, "handler with BTI C");
    put_code(page, NOP);
    mprotect(page, 4096, GUARD);
    raise(SIGUSR1);
    CHECK(ills == 1 && ill_btype == 2, "handler without BTI");
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = on_ill, .sa_flags = SA_SIGINFO};
    uint64_t pfr1;
    sigaction(SIGILL, &sa, NULL);
    uint32_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check_thread(page); /* first: what makes the process track BTYPE */
    CHECK(getauxval(AT_HWCAP2) >> 17 & 1, "HWCAP2_BTI");
    __asm__("mrs %0, s3_0_c0_c4_1" : "=r"(pfr1));
    CHECK((pfr1 & 15) == 1, "ID_AA64PFR1_EL1.BT is %d", (int)(pfr1 & 15));
    for (unsigned l = 0; l < N_LANDINGS; l++) {
        put_code(page, landings[l].word);
        for (unsigned w = 0; w < N_WAYS; w++) {
            check_entry(page, w, l);
        }
    }
    check_hot(page);
    check_handler(page);
    printf("bti: %d failures\n", failures);
    return failures != 0;
}
