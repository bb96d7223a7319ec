/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a kernel does often, in nanoseconds of the guest's clock: exceptions, interrupt masks, TLB
 * misses, MMIO, synchronisation, reading the counter.
 */
#include "bare.h"

static volatile uint64_t n_exceptions;

void bare_exception(BareFrame *f, unsigned vector)
{
    (void)f;
    (void)vector;
    n_exceptions++;
}

static void put_decimal(uint64_t v)
{
    if (v > 9) {
        put_decimal(v / 10);
    }
    bare_putc((char)('0' + v % 10));
}

static void svc(void)
{
    __asm__ volatile("svc #0" ::: "memory");
}
static void masks(void)
{
    __asm__ volatile("msr daifset, #2; msr daifclr, #2" ::: "memory");
}
static void isb(void)
{
    __asm__ volatile("isb");
}
static void counter(void)
{
    (void)READ_REG(cntvct_el0);
}
static void mmio(void)
{
    (void)*(volatile uint32_t *)0x09000018;
}
static void tlb_miss(void)
{
    bare_flush(BARE_RAM + 0x1000000);
    (void)*(volatile uint32_t *)(BARE_RAM + 0x1000000);
}

int main(void)
{
    static const struct {
        const char *name;
        void (*fn)(void);
    } events[] = {{"exception and return", svc},
                  {"mask and unmask", masks},
                  {"TLBI, DSB and a miss", tlb_miss},
                  {"MMIO read", mmio},
                  {"ISB", isb},
                  {"counter", counter}};
    enum { N = 300000 };
    uint64_t hz = READ_REG(cntfrq_el0);
    for (unsigned e = 0; e < sizeof events / sizeof events[0]; e++) {
        uint64_t t0 = READ_REG(cntvct_el0);
        for (int i = 0; i < N; i++) {
            events[e].fn();
        }
        uint64_t ns = (READ_REG(cntvct_el0) - t0) * 1000000000 / hz / N;
        bare_puts(events[e].name);
        bare_puts(" ");
        put_decimal(ns);
        bare_puts(" ns\n");
    }
    return 0;
}
