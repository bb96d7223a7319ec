/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the bare-metal test programs share: output, random numbers, what an exception saw. */
#ifndef GEMEL_TESTS_BARE_TORTURE_H
#define GEMEL_TESTS_BARE_TORTURE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Seen {
    uint64_t esr, far, elr, spsr, vector, hpfar, resume, pad;
} Seen;
extern volatile Seen seen;
extern char vectors[];

#define MRS(name)                                                                                  \
    ({                                                                                             \
        uint64_t v_;                                                                               \
        __asm__ volatile("mrs %0, " name : "=r"(v_));                                              \
        v_;                                                                                        \
    })
#define MSR(name, v) __asm__ volatile("msr " name ", %0" ::"r"((uint64_t)(v)) : "memory")
#define ISB() __asm__ volatile("isb" ::: "memory")

static uint64_t uart = 0x09000000;

static inline void put_char(char c)
{
    *(volatile uint32_t *)uart = (uint32_t)c;
}

static inline void put_text(const char *s)
{
    while (*s) {
        put_char(*s++);
    }
}

static inline void put_hex(uint64_t v)
{
    int shift = 60;
    while (shift > 0 && !(v >> shift & 15)) {
        shift -= 4;
    }
    for (; shift >= 0; shift -= 4) {
        put_char("0123456789abcdef"[v >> shift & 15]);
    }
    put_char(' ');
}

static uint64_t random_state = 88172645463325252ull;

static inline uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1dull;
}

static inline unsigned below(unsigned n)
{
    return (unsigned)(random_bits() >> 33) % n;
}

#endif
