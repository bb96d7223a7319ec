/* SPDX-License-Identifier: GPL-2.0-or-later */
/* String scanning: words, numbers and a substring in a text, byte by byte. */
#include "kernel.h"

enum { N = 1 << 20 };
static char text[N + 1];

static __attribute__((noinline)) unsigned count_words(const char *s)
{
    unsigned n = 0, in = 0;
    for (; *s; s++) {
        unsigned letter = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');
        n += letter && !in;
        in = letter;
    }
    return n;
}

static __attribute__((noinline)) uint64_t sum_numbers(const char *s)
{
    uint64_t sum = 0;
    while (*s) {
        uint64_t v = 0;
        while (*s >= '0' && *s <= '9') {
            v = v * 10 + (uint64_t)(*s++ - '0');
        }
        sum += v;
        while (*s && (*s < '0' || *s > '9')) {
            s++;
        }
    }
    return sum;
}

static __attribute__((noinline)) unsigned find_all(const char *s, const char *what)
{
    unsigned n = 0;
    for (; *s; s++) {
        const char *a = s, *b = what;
        while (*b && *a == *b) {
            a++;
            b++;
        }
        n += !*b;
    }
    return n;
}

int main(int argc, char **argv)
{
    static const char alphabet[] = "aab cdee fghi .,\nABCDEFG 0123456789 the";
    unsigned n = kernel_scale(argc, argv, 60);
    uint32_t seed = 9;
    for (unsigned i = 0; i < N; i++) {
        text[i] = alphabet[kernel_random(&seed) % (sizeof alphabet - 1)];
    }
    uint64_t sum = 0;
    for (unsigned r = 0; r < n; r++) {
        text[r] = (char)('a' + r % 26);
        sum = sum * 17 + count_words(text) + sum_numbers(text) + find_all(text, "the");
    }
    return kernel_done(sum);
}
