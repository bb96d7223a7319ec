/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system-mode functions of tcg/runtime.h, which a target's helpers call: the engine of a
 * machine says what they do, so that programs that run no machine link none of it.
 */
#include "accel/tcg/engine.h"

static const TcgSysOps *ops(const TcgCpu *cpu)
{
    return cpu->vcpu->engine->sys;
}

void tcg_tlb_invalidate(TcgCpu *cpu, const TcgTlbOp *op)
{
    ops(cpu)->tlb_invalidate(cpu, op);
}

void tcg_tlb_sync(TcgCpu *cpu)
{
    ops(cpu)->tlb_sync(cpu);
}

void tcg_context_changed(TcgCpu *cpu)
{
    ops(cpu)->context_changed(cpu);
}

void tcg_mem_load(TcgCpu *cpu, uint64_t va, void *dst, unsigned bytes, TcgMmuIndex mmu)
{
    ops(cpu)->load(cpu, va, dst, bytes, mmu);
}

void tcg_mem_store(TcgCpu *cpu, uint64_t va, const void *src, unsigned bytes, TcgMmuIndex mmu)
{
    ops(cpu)->store(cpu, va, src, bytes, mmu);
}

struct CpuPort *tcg_port(const TcgCpu *cpu)
{
    const TcgSysOps *o = cpu->vcpu ? ops(cpu) : NULL;
    return o ? o->port(cpu) : NULL;
}
