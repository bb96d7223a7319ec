/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys of pointer authentication (Documentation/arch/arm64/pointer-authentication.rst), and
 * addresses with a tag in bits 63:56, which AArch64 ignores. */
#include <linux/prctl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "check.h"

static uint64_t sign(uint64_t p)
{
    __asm__ volatile(".arch armv8.3-a\n\tpacia %0, %1" : "+r"(p) : "r"((uint64_t)7));
    return p;
}

static uint64_t authenticate(uint64_t p)
{
    __asm__ volatile(".arch armv8.3-a\n\tautia %0, %1" : "+r"(p) : "r"((uint64_t)7));
    return p;
}

/* The seven bits of a code agree by chance once in 128: so many pointers that all never do. */
static int same(const uint64_t *codes)
{
    for (uint64_t i = 0; i < 32; i++) {
        if (codes[i] != sign(0x5000000000 + i * 4096)) {
            return 0;
        }
    }
    return 1;
}

static void keys(void)
{
    uint64_t codes[32], p = 0x5000000000;
    for (uint64_t i = 0; i < 32; i++) {
        codes[i] = sign(p + i * 4096);
    }
    check(same(codes));
    check(authenticate(sign(p)) == p);
    check(prctl(PR_PAC_RESET_KEYS, PR_PAC_APIBKEY, 0, 0, 0) == 0);
    check(same(codes));
    check(prctl(PR_PAC_RESET_KEYS, PR_PAC_APIAKEY, 0, 0, 0) == 0);
    check(!same(codes));
    check(authenticate(sign(p)) == p);
    check_errno(prctl(PR_PAC_RESET_KEYS, 0x20, 0, 0, 0), EINVAL);
    check_errno(prctl(PR_PAC_RESET_KEYS, 0, 1, 0, 0), EINVAL);
    check(prctl(PR_PAC_GET_ENABLED_KEYS, 0, 0, 0, 0) == 15);
}

static void tags(void)
{
    uint32_t *words = calloc(100, sizeof *words);
    volatile uint32_t *tagged = (uint32_t *)((uintptr_t)words | (uint64_t)0x5a << 56);
    for (int i = 0; i < 100; i++) {
        tagged[i] = (uint32_t)i;
    }
    uint32_t sum = 0;
    for (int i = 0; i < 100; i++) {
        sum += words[i];
    }
    check(sum == 4950);
    free(words);
}

int main(void)
{
    if (getauxval(AT_HWCAP) & HWCAP_PACA) {
        keys();
    }
    tags();
    return done("pauth");
}
