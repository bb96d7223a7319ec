/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * C helpers of the A64 system instructions.
 */
#include "target/arm/tcg/a64_helpers.h"

#include <sys/random.h>
#include <time.h>

#include "target/arm/a64.h"

#define UNUSED4 (void)cpu, (void)a, (void)b, (void)c, (void)d

static A64Cpu *a64(struct TcgCpu *cpu)
{
    return (A64Cpu *)(void *)cpu;
}

uint64_t a64_h_icache_inval(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    UNUSED4;
    tcg_guest_icache_invalidate(cpu, a & ~63ull, 64);
    return 0;
}

uint64_t a64_h_set_fpcr(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    UNUSED4;
    a64_fpcr_set(a64(cpu), (uint32_t)a);
    return 0;
}

uint64_t a64_h_get_fp_flags(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    UNUSED4;
    return tcg_fp_flags(cpu) & 0x9f;
}

uint64_t a64_h_set_fp_flags(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    UNUSED4;
    tcg_set_fp_flags(cpu, a & 0x9f);
    return 0;
}

uint64_t a64_h_get_tpidrro(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    UNUSED4;
    return a64(cpu)->tpidrro_el0;
}

uint64_t a64_h_get_ssbs(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    UNUSED4;
    return a64(cpu)->ssbs;
}

uint64_t a64_h_set_ssbs(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    UNUSED4;
    a64(cpu)->ssbs = a & 1u << 12;
    return 0;
}

/* The counter runs at 1 GHz (CNTFRQ_EL0): nanoseconds of the monotonic clock. */
uint64_t a64_h_cntvct(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    UNUSED4;
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t a64_h_random(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    UNUSED4;
    uint64_t v = 0;
    while (getrandom(&v, sizeof(v), 0) != sizeof(v)) {
    }
    return v;
}

/* ---- system level: through A64Cpu.sysops, which user mode does not have ---- */

/* a: encoding | Rt << 16 */
uint64_t a64_h_sys_read(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    UNUSED4;
    return a64(cpu)->sysops->read(a64(cpu), (uint32_t)a);
}

/* The same where nothing can trap. */
uint64_t a64_h_sys_peek(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    UNUSED4;
    return a64(cpu)->sysops->read(a64(cpu), (uint32_t)a);
}

uint64_t a64_h_sys_write(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    UNUSED4;
    a64(cpu)->sysops->write(a64(cpu), (uint32_t)a, b);
    return 0;
}

uint64_t a64_h_sys_call(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    UNUSED4;
    a64(cpu)->sysops->call(a64(cpu), (unsigned)a, b);
    return 0;
}

uint64_t a64_h_sys_eret(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    UNUSED4;
    a64(cpu)->sysops->eret(a64(cpu), a, b != 0);
    return 0;
}

/* a: PC */
uint64_t a64_h_break_hit(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    UNUSED4;
    return a64(cpu)->sysops->break_hit(a64(cpu), a);
}
