/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside the interpreter: evaluation by kind of op.
 *
 * Everything here is a pure function of its arguments (FP: and of cpu), async-signal-safe.
 */
#ifndef GEMEL_TCG_INTERP_H
#define GEMEL_TCG_INTERP_H

#include "tcg/backend.h"

/* Bits of packed flags (tcg/ir.h). */
enum {
    IR_PF_V = 1 << 0, IR_PF_C = 1 << 8, IR_PF_P = 1 << 10, IR_PF_A = 1 << 12, IR_PF_Z = 1 << 14,
    IR_PF_N = 1 << 15,
    IR_PF_ALL = IR_PF_V | IR_PF_C | IR_PF_P | IR_PF_A | IR_PF_Z | IR_PF_N
};

/* Bits of an integer type as a mask. */
static inline uint64_t ir_type_mask(unsigned type)
{
    return type == IR_I64 ? ~UINT64_C(0) : type == IR_I1 ? 1 : UINT64_C(0xffffffff);
}

/* Does ir_eval_int() know this op? */
bool ir_is_int_op(unsigned op);
/* One integer or flags op (FL_FCMP apart). Only op, type, esz, sub, flags, imm of *o are read. */
uint64_t ir_eval_int(const IrOp *o, const uint64_t a[3]);
bool ir_eval_cmp(unsigned cc, unsigned esz, uint64_t a, uint64_t b);
/* Does IrCond hold on packed flags? */
bool ir_eval_cond(unsigned cond, uint32_t packed);

/* Vector ops that are neither crypto nor FP; false when op is none of them. */
bool ir_eval_vec(const IrOp *o, IrVec *r, const IrVec a[4]);
bool ir_eval_crypto(const IrOp *o, IrVec *r, const IrVec a[4]);

#endif
