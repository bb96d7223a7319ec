/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a bare-metal program of bench/system has: a console, an end, exceptions, its page tables. */
#ifndef GEMEL_BENCH_BARE_H
#define GEMEL_BENCH_BARE_H

#include <stddef.h>
#include <stdint.h>

/* As crt.S stores it. */
typedef struct BareFrame {
    uint64_t x[31], elr, spsr;
} BareFrame;

/* Called for every exception; a program may define its own. vector: 0..15 in the order of VBAR. */
void bare_exception(BareFrame *f, unsigned vector);
void bare_exit(void) __attribute__((noreturn));
void bare_putc(char c);
void bare_puts(const char *s);
void bare_hex(uint64_t v);

/* Level 3 entry of a page of RAM (the first 64 MiB are mapped by pages); flush after a change. */
uint64_t *bare_pte(uint64_t va);
void bare_flush(uint64_t va);
enum { BARE_RAM = 0x40000000, BARE_PAGED = 64 << 20 };

#define READ_REG(name) \
    ({ uint64_t v_; __asm__ volatile("mrs %0, " #name : "=r"(v_)); v_; })
#define WRITE_REG(name, v) __asm__ volatile("msr " #name ", %0" : : "r"((uint64_t)(v)) : "memory")

#endif
