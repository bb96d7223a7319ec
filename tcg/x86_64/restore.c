/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bringing the guest's state back when generated code faulted: the stale slots' values are where
 * the region's location list says.  Async-signal-safe: reads, ir_eval(), stores, nothing else.
 */
#include <stdlib.h>
#include <string.h>

#include "tcg/x86_64/core.h"

static void loc_value(const TcgCompiled *c, const TcgLoc *l, const TcgHostRegs *regs, TcgCpu *cpu,
                      IrVec *out)
{
    memset(out, 0, sizeof(*out));
    switch (l->kind) {
    case TCG_LOC_GPR: out->u64[0] = regs->gpr[l->reg]; break;
    case TCG_LOC_VEC: memcpy(out, &regs->vec[l->reg], 16); break;
    case TCG_LOC_SPILL: memcpy(out, &cpu->spill[l->imm], l->imm + 1 < TCG_SPILLS ? 16 : 8); break;
    case TCG_LOC_CONST: out->u64[0] = c->consts[l->imm]; break;
    case TCG_LOC_SLOT: {
        const TcgSlot *s = &cpu->guest->slots[l->imm];
        memcpy(out, (const char *)cpu + s->offset,
               s->type == IR_I64         ? 8
               : ir_type_is_vec(s->type) ? 16
                                         : 4);
        break;
    }
    case TCG_LOC_RECIPE: {
        const TcgRecipe *r = &c->recipes[l->imm];
        IrVec a[4] = {0};
        if (x64_info_op(r->info) == IR_VCONST) {
            out->u64[0] = r->imm;
            out->u64[1] = x64_info_flags(r->info) & IRF_HALF ? 0 : r->imm;
            break;
        }
        for (unsigned i = 0; i < ir_op_info[x64_info_op(r->info)].nargs; i++) {
            loc_value(c, &r->arg[i], regs, cpu, &a[i]);
        }
        ir_eval(cpu, out, a, r->imm, r->info);
        break;
    }
    }
}

void x64_restore(const TcgCompiled *c, const TcgFaultPoint *fp, const TcgHostRegs *regs,
                 TcgCpu *cpu)
{
    IrVec val[IR_MAX_SLOTS];
    const TcgSlot *slots = cpu->guest->slots;
    for (uint32_t i = 0; i < fp->n_loc; i++) {
        loc_value(c, &c->locs[fp->loc + i], regs, cpu, &val[i]);
    }
    for (uint32_t i = 0; i < fp->n_loc; i++) {
        const TcgSlot *s = &slots[c->locs[fp->loc + i].slot];
        memcpy((char *)cpu + s->offset, &val[i],
               s->type == IR_I64         ? 8
               : ir_type_is_vec(s->type) ? 16
                                         : 4);
    }
    memcpy((char *)cpu + slots[cpu->guest->pc_slot].offset, &fp->pc, 8);
}

void tcg_compiled_free(TcgCompiled *c)
{
    free(c->heap);
    c->heap = NULL;
    c->faults = NULL;
    c->locs = NULL;
    c->recipes = NULL;
    c->consts = NULL;
}

const TcgFaultPoint *tcg_compiled_fault(const TcgCompiled *c, const void *host_pc)
{
    uintptr_t off = (uintptr_t)host_pc - (uintptr_t)c->code;
    uint32_t lo = 0, hi = c->n_faults;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (c->faults[mid].host_off < off) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo < c->n_faults && c->faults[lo].host_off == off ? &c->faults[lo] : NULL;
}
