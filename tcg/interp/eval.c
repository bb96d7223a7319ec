/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One op on given values: ir_eval(). */
#include <string.h>

#include "tcg/interp/interp.h"

void ir_eval(TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info)
{
    IrOp o = {.op = (uint8_t)info,
              .type = (uint8_t)(info >> 8),
              .esz = (uint8_t)(info >> 16),
              .sub = (uint8_t)(info >> 24),
              .flags = (uint16_t)(info >> 32),
              .imm = imm};

    memset(r, 0, sizeof *r);
    if (ir_op_info[o.op].attrs & IRA_FP) {
        cpu->guest->fp(cpu, r, a, imm, info);
    } else if (o.op == IR_SELECT) {
        memcpy(r, &a[a[0].u64[0] & 1 ? 1 : 2], sizeof *r);
        if (ir_type_is_int(o.type)) {
            r->u64[0] &= ir_type_mask(o.type);
        }
    } else if (o.op == IR_COPY && !ir_type_is_int(o.type)) {
        memcpy(r, &a[0], sizeof *r);
    } else if (ir_is_int_op(o.op)) {
        uint64_t k[3] = {a[0].u64[0], a[1].u64[0], a[2].u64[0]};

        r->u64[0] = ir_eval_int(&o, k);
    } else if (!ir_eval_vec(&o, r, a)) {
        ir_eval_crypto(&o, r, a);
    }
}
