/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Regions as text, one op a line; ir_parse() reads it back.
 *
 *   region aarch64 pc 0x400000 mode 0x0 tier 1
 *   b1: pc 0x400000                          (cold, head, depth N as comments)
 *     v5 = add.i64 v3 v4
 *     v6 = ld.i64/3 [v5 + v4 << 3 + 0x8] acq snap 0x400000 {x1=v5 x2=v4}
 *     brc v7 b2 b3
 * After the op's name: .type /esz %sub. Then arguments, #imm, flags, slot (get, phi: @slot; else a
 * hint ~slot).
 */
#include <inttypes.h>

#include "tcg/region.h"
#include "tcg/guest.h"

static const char *ir_slot_name(const IrRegion *r, unsigned slot)
{
    return slot < r->guest->n_slots ? r->guest->slots[slot].name : "?";
}

static void ir_print_snap(const IrRegion *r, uint32_t snap, FILE *f)
{
    const IrSnap *s = &r->snaps[snap];

    fprintf(f, " snap 0x%" PRIx64 "%s b%u {", s->pc, s->full ? " full" : "", s->blk);
    for (uint32_t i = 0; i < s->n; i++) {
        const IrSnapEntry *e = &r->snap_entries[s->first + i];

        fprintf(f, "%s%s=v%u", i ? " " : "", ir_slot_name(r, e->slot), e->val);
    }
    fputc('}', f);
}

static void ir_print_op(const IrRegion *r, IrRef v, FILE *f)
{
    const IrOp *o = &r->ops[v];
    const IrOpInfo *info = &ir_op_info[o->op];
    unsigned n = o->op == IR_PHI ? o->nargs : info->nargs;

    fputs("  ", f);
    if (o->type != IR_VOID) {
        fprintf(f, "v%u = ", v);
    }
    fprintf(f, "%s.%s", info->name, ir_type_names[o->type]);
    if (o->esz) {
        fprintf(f, "/%u", o->esz);
    }
    if (o->sub) {
        fprintf(f, "%%%u", o->sub);
    }
    for (unsigned i = 0; i < n; i++) {
        IrRef a = o->op == IR_PHI ? r->phi_args[o->imm + i] : o->arg[i];

        fprintf(f, a == IR_NONE ? " -" : " v%u", a);
    }
    if (o->imm && o->op != IR_PHI) {
        fprintf(f, " #0x%" PRIx64, o->imm);
    }
    for (unsigned i = 0; i < IR_N_FLAG_NAMES; i++) {
        if (o->flags >> i & 1) {
            fprintf(f, " %s", ir_flag_names[i]);
        }
    }
    if (o->op == IR_GET || o->op == IR_PHI) {
        fprintf(f, " @%s", ir_slot_name(r, o->slot));
    } else if (o->slot) {
        fprintf(f, " ~%s", ir_slot_name(r, o->slot - 1u));
    }
    for (unsigned i = 0; i < 2 && (info->attrs & IRA_TERM); i++) {
        if (r->blocks[o->blk].succ[i] != IR_NO_BLK) {
            fprintf(f, " b%u", r->blocks[o->blk].succ[i]);
        }
    }
    if (o->snap) {
        ir_print_snap(r, o->snap, f);
    }
    fputc('\n', f);
}

void ir_print(const IrRegion *r, FILE *f)
{
    fprintf(f, "region %s pc 0x%" PRIx64 " mode 0x%" PRIx64 " tier %u\n", r->guest->name, r->pc,
            r->mode, r->tier);
    for (uint32_t i = 0; i < r->n_rpo; i++) {
        const IrBlock *b = &r->blocks[r->rpo[i]];

        fprintf(f, "b%u: pc 0x%" PRIx64 " ;", r->rpo[i], b->pc);
        for (unsigned p = 0; p < b->n_preds; p++) {
            fprintf(f, " <b%u", r->preds[b->preds + p]);
        }
        fprintf(f, " depth %u weight %u%s%s\n", b->loop_depth, b->weight, b->cold ? " cold" : "",
                b->loop_head ? " head" : "");
        for (IrRef v = b->first; v != IR_NONE; v = r->ops[v].next) {
            ir_print_op(r, v, f);
        }
    }
}
