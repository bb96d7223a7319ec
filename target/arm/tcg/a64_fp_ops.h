/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The A64 guest's floating point in software: TcgGuest.fp and what the FP helpers share.
 */
#ifndef GEMEL_TARGET_ARM_A64_FP_OPS_H
#define GEMEL_TARGET_ARM_A64_FP_OPS_H

#include "fpu/fpu.h"
#include "target/arm/a64.h"
#include "target/arm/tcg/a64_helpers.h"

/* The FPCR as rules for fpu/; flags clear. */
FpuState a64_fp_state(const struct TcgCpu *cpu);

static inline void a64_fp_done(struct TcgCpu *cpu, const FpuState *s)
{
    /* The first Inexact under FZ lets the host compute from now on: fetch a fresh mode word. */
    if (s->flush_in && s->flags & ~cpu->fp_flags & FPU_INEXACT) {
        __atomic_fetch_or(&cpu->request, (uint32_t)TCG_REQ_FLUSH, __ATOMIC_RELEASE);
    }
    cpu->fp_flags |= s->flags;
}

/* The parts of `info` (TcgVecFn). */
static inline unsigned info_op(uint64_t info)
{
    return info & 0xff;
}
static inline unsigned info_type(uint64_t info)
{
    return info >> 8 & 0xff;
}
static inline unsigned info_esz(uint64_t info)
{
    return info >> 16 & 0xff;
}
static inline unsigned info_sub(uint64_t info)
{
    return info >> 24 & 0xff;
}
static inline unsigned info_flags(uint64_t info)
{
    return (unsigned)(info >> 32);
}

/* Element `n` of 1 << esz bytes, zero-extended. */
static inline uint64_t vec_get(const IrVec *v, unsigned esz, unsigned n)
{
    switch (esz) {
    case 0: return v->u8[n];
    case 1: return v->u16[n];
    case 2: return v->u32[n];
    default: return v->u64[n];
    }
}

static inline int64_t vec_gets(const IrVec *v, unsigned esz, unsigned n)
{
    switch (esz) {
    case 0: return v->s8[n];
    case 1: return v->s16[n];
    case 2: return v->s32[n];
    default: return v->s64[n];
    }
}

static inline void vec_set(IrVec *v, unsigned esz, unsigned n, uint64_t x)
{
    switch (esz) {
    case 0: v->u8[n] = (uint8_t)x; break;
    case 1: v->u16[n] = (uint16_t)x; break;
    case 2: v->u32[n] = (uint32_t)x; break;
    default: v->u64[n] = x; break;
    }
}

/* The 128 bits of a result to 0. */
static inline void vec_clear(IrVec *v)
{
    v->u64[0] = v->u64[1] = 0;
}

#endif
