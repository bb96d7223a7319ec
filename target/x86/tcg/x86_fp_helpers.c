/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SSE floating point on soft-float (x86_fp.c). MXCSR is read and its sticky flags are written. */
#include <string.h>

#include "fpu/fpu.h"
#include "target/x86/tcg/x86_ctx.h"

enum { CSR_DAZ = 1 << 6, CSR_FTZ = 1 << 15, CSR_RC = 13, CSR_BITS = 0xffff };

static X86Cpu *x86(struct TcgCpu *cpu)
{
    return (X86Cpu *)(void *)cpu;
}

uint64_t x86_h_get_mxcsr(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    return x86(cpu)->mxcsr;
}

uint64_t x86_h_set_mxcsr(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)b, (void)c, (void)d;
    x86(cpu)->mxcsr = (uint32_t)a & CSR_BITS;
    return 0;
}

static FpuState fp_state(const X86Cpu *cpu)
{
    static const uint8_t round[4] = {FPU_NEAREST, FPU_DOWN, FPU_UP, FPU_ZERO};
    return (FpuState){.rules = FPU_X86,
                      .round = round[cpu->mxcsr >> CSR_RC & 3],
                      .flush_in = cpu->mxcsr & CSR_DAZ,
                      .flush_out = cpu->mxcsr & CSR_FTZ};
}

/* IE DE ZE OE UE PE */
static void take_flags(X86Cpu *cpu, uint32_t f)
{
    cpu->mxcsr |= (f & FPU_INVALID ? 1u << 0 : 0) | (f & FPU_INPUT_DENORMAL ? 1u << 1 : 0) |
                  (f & FPU_DIVBYZERO ? 1u << 2 : 0) | (f & FPU_OVERFLOW ? 1u << 3 : 0) |
                  (f & FPU_UNDERFLOW ? 1u << 4 : 0) | (f & FPU_INEXACT ? 1u << 5 : 0);
}

static uint64_t get(const IrVec *v, FpuFormat f, unsigned k)
{
    return f == FPU_F64 ? v->u64[k] : v->u32[k];
}

static void set(IrVec *v, FpuFormat f, unsigned k, uint64_t x)
{
    if (f == FPU_F64) {
        v->u64[k] = x;
    } else {
        v->u32[k] = (uint32_t)x;
    }
}

/* CMPPS and its like: predicates 0 .. 7; those that ask for order signal on quiet NaNs. */
static uint64_t compare(FpuState *s, FpuFormat f, uint64_t a, uint64_t b, unsigned predicate)
{
    unsigned kind = predicate & 3;
    FpuOrder o = fpu_compare(s, f, a, b, kind == 1 || kind == 2);
    bool r = kind == 0   ? o == FPU_EQUAL
             : kind == 1 ? o == FPU_LESS
             : kind == 2 ? o == FPU_LESS || o == FPU_EQUAL
                         : o == FPU_UNORDERED;
    return (r ^ (predicate >> 2 & 1)) ? ~0ull : 0;
}

static uint64_t element(FpuState *s, FpuFormat f, unsigned op, const uint64_t v[2], unsigned n)
{
    switch (op) {
    case X86_FP_ADD: return fpu_add(s, f, v[0], v[1]);
    case X86_FP_SUB: return fpu_sub(s, f, v[0], v[1]);
    case X86_FP_MUL: return fpu_mul(s, f, v[0], v[1]);
    case X86_FP_DIV: return fpu_div(s, f, v[0], v[1]);
    case X86_FP_MIN: return fpu_min(s, f, v[0], v[1]);
    case X86_FP_MAX: return fpu_max(s, f, v[0], v[1]);
    case X86_FP_SQRT: return fpu_sqrt(s, f, v[1]);
    default: return compare(s, f, v[0], v[1], n);
    }
}

static uint64_t comis(FpuState *s, FpuFormat f, const IrVec a[4], bool signaling)
{
    static const uint32_t flags[] = {X86_PF_C, X86_PF_Z, 0, X86_PF_Z | X86_PF_P | X86_PF_C};
    return flags[fpu_compare(s, f, get(&a[0], f, 0), get(&a[1], f, 0), signaling) + 1];
}

/* Elements 0 .. n of b converted; the number of them by the wider format. */
static void convert(FpuState *s, unsigned op, IrVec *r, const IrVec *b)
{
    FpuRound round = op == X86_FP_CVTTPS2DQ || op == X86_FP_CVTTPD2DQ ? FPU_ZERO : s->round;
    bool four = op == X86_FP_CVTDQ2PS || op == X86_FP_CVTPS2DQ || op == X86_FP_CVTTPS2DQ;
    memset(r, 0, sizeof(*r));
    for (unsigned k = 0; k < (four ? 4u : 2u); k++) {
        switch (op) {
        case X86_FP_CVTPS2PD: r->u64[k] = fpu_convert(s, FPU_F64, FPU_F32, b->u32[k], round); break;
        case X86_FP_CVTPD2PS:
            r->u32[k] = (uint32_t)fpu_convert(s, FPU_F32, FPU_F64, b->u64[k], round);
            break;
        case X86_FP_CVTDQ2PS:
            r->u32[k] = (uint32_t)fpu_from_int(s, FPU_F32, b->s32[k], round, 0);
            break;
        case X86_FP_CVTDQ2PD: r->u64[k] = fpu_from_int(s, FPU_F64, b->s32[k], round, 0); break;
        case X86_FP_CVTPS2DQ:
        case X86_FP_CVTTPS2DQ:
            r->s32[k] = (int32_t)fpu_to_int(s, FPU_F32, b->u32[k], round, 32, 0);
            break;
        default: /* CVTPD2DQ, CVTTPD2DQ */
            r->s32[k] = (int32_t)fpu_to_int(s, FPU_F64, b->u64[k], round, 32, 0);
            break;
        }
    }
}

/* info: operation in sub, element size in esz, scalar in flags; a[2]: an integer argument. */
void x86_h_fp(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    unsigned op = info >> 24 & 255, n = (unsigned)a[2].u64[0];
    FpuFormat f = (info >> 16 & 255) == 3 ? FPU_F64 : FPU_F32;
    bool scalar = info >> 32 & 1;
    FpuState s = fp_state(x86(cpu));
    (void)imm;
    memcpy(r, &a[0], sizeof(*r));
    switch (op) {
    case X86_FP_UCOMIS:
    case X86_FP_COMIS: r->u64[0] = comis(&s, f, a, op == X86_FP_COMIS); break;
    case X86_FP_TRUNC:
    case X86_FP_ROUND:
        r->s64[0] =
            fpu_to_int(&s, f, get(&a[0], f, 0), op == X86_FP_TRUNC ? FPU_ZERO : s.round, n, 0);
        break;
    case X86_FP_FROM_INT: set(r, f, 0, fpu_from_int(&s, f, a[2].s64[0], s.round, 0)); break;
    case X86_FP_CVTSS2SD:
        r->u64[0] = fpu_convert(&s, FPU_F64, FPU_F32, a[1].u32[0], s.round);
        break;
    case X86_FP_CVTSD2SS:
        r->u32[0] = (uint32_t)fpu_convert(&s, FPU_F32, FPU_F64, a[1].u64[0], s.round);
        break;
    default:
        if (op > X86_FP_CMP) {
            convert(&s, op, r, &a[1]);
            break;
        }
        for (unsigned k = 0; k < (scalar ? 1u : f == FPU_F64 ? 2u : 4u); k++) {
            set(r, f, k,
                element(&s, f, op, (const uint64_t[2]){get(&a[0], f, k), get(&a[1], f, k)}, n));
        }
        break;
    }
    take_flags(x86(cpu), s.flags);
}
