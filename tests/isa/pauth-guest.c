/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pointer authentication by round trips: what was signed authenticates, and gives the pointer back;
 * with a bit, the modifier or the key changed it does not (FEAT_FPAC: SIGILL at once). Also system
 * rows that the ISA comparison leaves out: SVC, DC ZVA, IC IVAU, SSBS. Prints TAP.
 * Build: aarch64-linux-gnu-gcc -march=armv8.5-a+ssbs -static
 */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static sigjmp_buf trap;
static int n, failed;

static void on_sigill(int sig)
{
    siglongjmp(trap, sig);
}

static void result(int good, const char *name)
{
    n++;
    failed += !good;
    printf("%s %d - %s\n", good ? "ok" : "not ok", n, name);
}

#define KEY_PAIR(name, pac, aut, pacz, autz)                                                       \
    static uint64_t sign_##name(uint64_t p, uint64_t m)                                            \
    {                                                                                              \
        __asm__(pac " %0, %1" : "+r"(p) : "r"(m));                                                 \
        return p;                                                                                  \
    }                                                                                              \
    static uint64_t check_##name(uint64_t p, uint64_t m)                                           \
    {                                                                                              \
        __asm__ volatile(aut " %0, %1" : "+r"(p) : "r"(m));                                        \
        return p;                                                                                  \
    }                                                                                              \
    static uint64_t zero_##name(uint64_t p)                                                        \
    {                                                                                              \
        __asm__ volatile(pacz " %0\n\t" autz " %0" : "+r"(p));                                     \
        return p;                                                                                  \
    }

KEY_PAIR(ia, "pacia", "autia", "paciza", "autiza")
KEY_PAIR(ib, "pacib", "autib", "pacizb", "autizb")
KEY_PAIR(da, "pacda", "autda", "pacdza", "autdza")
KEY_PAIR(db, "pacdb", "autdb", "pacdzb", "autdzb")

typedef struct Key {
    const char *name;
    uint64_t (*sign)(uint64_t p, uint64_t m);
    uint64_t (*check)(uint64_t p, uint64_t m);
    uint64_t (*zero)(uint64_t p);
} Key;

static const Key keys[] = {
    {"IA", sign_ia, check_ia, zero_ia},
    {"IB", sign_ib, check_ib, zero_ib},
    {"DA", sign_da, check_da, zero_da},
    {"DB", sign_db, check_db, zero_db},
};

/* Not the pointer, or a trap. */
static int refused(const Key *k, uint64_t p, uint64_t m, uint64_t plain)
{
    if (sigsetjmp(trap, 1)) {
        return 1;
    }
    return k->check(p, m) != plain;
}

static void round_trips(const Key *k, const Key *other)
{
    int same = 1, corrupt = 1, modifier = 1, key = 1, zero = 1, strip = 1, made = 0;
    for (uint64_t i = 1; i < 200; i++) {
        uint64_t p = 0x0000123456780000u + i * 0x10204, m = i * 0x9e3779b97f4a7c15u;
        uint64_t s = k->sign(p, m), x = s;
        made += s != p;
        same &= k->check(s, m) == p;
        corrupt &= refused(k, s ^ 1ull << (i % 48), m, p);
        modifier &= refused(k, s, m + 1, p) || k->sign(p, m + 1) == s;
        key &= refused(other, s, m, p) || other->sign(p, m) == s;
        zero &= k->zero(p) == p;
        __asm__("xpacd %0" : "+r"(x));
        strip &= x == p;
    }
    char name[64];
    const int good[] = {same && made > 150, corrupt, modifier, key, zero, strip};
    const char *const what[] = {"signed and checked", "corrupt pointer", "other modifier",
                                "other key",          "zero modifier",   "stripped"};
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "%s: %s", k->name, what[i]);
        result(good[i], name);
    }
}

static uint64_t branches(void)
{
    uint64_t r = 0, m = 77;
    __asm__ volatile(
        "adr x1, 1f\n\tpacia x1, %1\n\tbraa x1, %1\n\tb 2f\n1:\tadd %0, %0, #1\n2:\n\t"
        "adr x1, 3f\n\tpacizb x1\n\tbrabz x1\n\tb 4f\n3:\tadd %0, %0, #2\n4:\n\t"
        "adr x1, 5f\n\tpacia x1, %1\n\tblraa x1, %1\n\tb 6f\n5:\tadd %0, %0, #4\n\t"
        "ret\n6:\n\t"
        "adr x1, 7f\n\tpaciza x1\n\tblraaz x1\n\tb 8f\n7:\tadd %0, %0, #8\n\tret\n8:\n\t"
        : "+r"(r)
        : "r"(m)
        : "x1", "x30", "memory");
    return r;
}

static __attribute__((noinline)) int returns(void)
{
    int r;
    __asm__ volatile("bl 1f\n\tmov %w0, #5\n\tb 2f\n1:\tpaciasp\n\tretaa\n2:" : "=r"(r)::"x30");
    return r;
}

static int loads(void)
{
    static uint64_t table[4] = {11, 22, 33, 44};
    uint64_t p = (uint64_t)table, v, w;
    __asm__ volatile("pacdza %0\n\tldraa %1, [%0, #8]" : "+r"(p), "=r"(v)::"memory");
    p = (uint64_t)table;
    __asm__ volatile("pacdzb %0\n\tldrab %1, [%0, #16]!" : "+r"(p), "=&r"(w)::"memory");
    return v == 22 && w == 33 && p == (uint64_t)&table[2];
}

static void system_rows(void)
{
    static uint8_t line[256] __attribute__((aligned(64)));
    uint64_t size, ga, gb, x0;
    memset(line, 0xff, sizeof line);
    __asm__ volatile("mrs %0, dczid_el0" : "=r"(size));
    size = 4u << (size & 15);
    __asm__ volatile("dc zva, %0" ::"r"(line + 64 + 13) : "memory");
    result(size == 64 && line[63] == 0xff && !line[64] && !line[127] && line[128] == 0xff,
           "DC ZVA");
    __asm__ volatile("ic ivau, %0\n\tdsb ish\n\tisb" ::"r"(line) : "memory");
    result(1, "IC IVAU returns");
    __asm__("pacga %0, %1, %2" : "=r"(ga) : "r"(5ull), "r"(6ull));
    __asm__("pacga %0, %1, %2" : "=r"(gb) : "r"(5ull), "r"(7ull));
    result(ga && !(uint32_t)ga && ga != gb, "PACGA fills the upper half");
    register uint64_t x8 __asm__("x8") = 172; /* getpid */
    register uint64_t r0 __asm__("x0");
    __asm__ volatile("svc #0" : "=r"(r0) : "r"(x8) : "memory");
    x0 = r0;
    result(x0 > 1 && x0 < 1u << 22, "SVC");
    uint64_t on, off;
    __asm__ volatile("msr ssbs, #1\n\tmrs %0, ssbs\n\tmsr ssbs, #0\n\tmrs %1, ssbs"
                     : "=r"(on), "=r"(off));
    result(on == 1u << 12 && off == 0, "SSBS");
}

int main(void)
{
    signal(SIGILL, on_sigill);
    for (int i = 0; i < 4; i++) {
        round_trips(&keys[i], &keys[(i + 1) % 4]);
    }
    result(branches() == 15, "branches with authentication");
    result(returns() == 5, "return with authentication");
    result(loads(), "loads with authentication");
    system_rows();
    printf("1..%d\n", n);
    return failed != 0;
}
