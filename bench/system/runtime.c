/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A little C library for bare-metal test programs: PL011 (DDI 0183), PSCI SYSTEM_OFF, identity page
 * tables, and the few functions of libc that the kernels of bench/ use.
 */
#include "bare.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *bare_argv[2] = {"bare", NULL};

void bare_putc(char c)
{
    volatile uint32_t *uart = (volatile uint32_t *)0x09000000;
    while (uart[6] & 1 << 5) {
    }
    uart[0] = (uint8_t)c;
}

void bare_puts(const char *s)
{
    while (*s) {
        bare_putc(*s++);
    }
}

void bare_hex(uint64_t v)
{
    for (int i = 60; i >= 0; i -= 4) {
        bare_putc("0123456789abcdef"[v >> i & 15]);
    }
}

void bare_exit(void)
{
    register uint64_t x0 __asm__("x0") = 0x84000008; /* PSCI SYSTEM_OFF */
    __asm__ volatile("hvc #0" : "+r"(x0) : : "memory");
    for (;;) {
    }
}

__attribute__((weak)) void bare_exception(BareFrame *f, unsigned vector)
{
    bare_puts("exception, vector ");
    bare_hex(vector);
    bare_puts(" esr ");
    bare_hex(READ_REG(esr_el1));
    bare_puts(" far ");
    bare_hex(READ_REG(far_el1));
    bare_puts(" elr ");
    bare_hex(f->elr);
    bare_puts("\n");
    bare_exit();
}

/* ---- page tables: 39-bit addresses, level 1 first; RAM by 4 KiB pages, then by 2 MiB blocks ----
 */

enum { PAGES = BARE_PAGED >> 12 };
static uint64_t level1[512] __attribute__((aligned(4096)));
static uint64_t level2[512] __attribute__((aligned(4096)));
static uint64_t level3[PAGES] __attribute__((aligned(4096)));

/* MAIR index 1 is 0xff: write-back; 2 is 0: device. Inner shareable, accessed. */
enum { NORMAL = 1 << 2 | 3 << 8 | 1 << 10, DEVICE = 2 << 2 | 1 << 10 };

uint64_t bare_tables(void)
{
    level1[0] = DEVICE | 1ull << 54 | 1;
    level1[1] = (uint64_t)level2 | 3;
    for (uint64_t i = 0; i < 512; i++) {
        level2[i] =
            i < PAGES / 512 ? (uint64_t)&level3[i * 512] | 3 : (BARE_RAM + (i << 21)) | NORMAL | 1;
    }
    for (uint64_t i = 0; i < PAGES; i++) {
        level3[i] = (BARE_RAM + (i << 12)) | NORMAL | 3;
    }
    __asm__ volatile("dsb ish" : : : "memory");
    return (uint64_t)level1;
}

uint64_t *bare_pte(uint64_t va)
{
    return &level3[(va - BARE_RAM) >> 12];
}

void bare_flush(uint64_t va)
{
    __asm__ volatile("dsb ishst; tlbi vae1is, %0; dsb ish; isb" : : "r"(va >> 12) : "memory");
}

/* ---- libc ---- */

void *memset(void *d, int c, size_t n)
{
    uint8_t *p = d;
    for (; n && (uintptr_t)p & 7; n--) {
        *p++ = (uint8_t)c;
    }
    uint64_t v = (uint8_t)c * 0x0101010101010101u;
    for (; n >= 8; n -= 8, p += 8) {
        *(uint64_t *)(void *)p = v;
    }
    while (n--) {
        *p++ = (uint8_t)c;
    }
    return d;
}

void *memcpy(void *restrict d, const void *restrict s, size_t n)
{
    uint8_t *p = d;
    const uint8_t *q = s;
    for (; n >= 8; n -= 8, p += 8, q += 8) {
        *(uint64_t *)(void *)p = *(const uint64_t *)(const void *)q;
    }
    while (n--) {
        *p++ = *q++;
    }
    return d;
}

void *memmove(void *d, const void *s, size_t n)
{
    uint8_t *p = d;
    const uint8_t *q = s;
    if (p < q) {
        return memcpy(d, s, n);
    }
    while (n--) {
        p[n] = q[n];
    }
    return d;
}

unsigned long strtoul(const char *s, char **end, int base)
{
    (void)s;
    (void)end;
    (void)base;
    return 0;
}

/* The one format there is: %016llx. */
int printf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    for (; *fmt; fmt++) {
        if (*fmt == '%') {
            bare_hex(va_arg(ap, uint64_t));
            fmt += strlen("016llx");
        } else {
            bare_putc(*fmt);
        }
    }
    va_end(ap);
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;
    while (s[n]) {
        n++;
    }
    return n;
}

int puts(const char *s)
{
    bare_puts(s);
    bare_putc('\n');
    return 0;
}

int putchar(int c)
{
    bare_putc((char)c);
    return c;
}

double sqrt(double x)
{
    double r;
    __asm__("fsqrt %d0, %d1" : "=w"(r) : "w"(x));
    return r;
}
