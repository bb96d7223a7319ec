/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and attributes of IR ops, from include/tcg/ops.def. */
#include "tcg/region.h"

const IrOpInfo ir_op_info[IR_N_OPS] = {
#define IR_OP(name, text, nargs, attrs, doc) [IR_##name] = {text, nargs, attrs},
#include "tcg/ops.def"
#undef IR_OP
};

const char *const ir_type_names[IR_N_TYPES] = {
    [IR_VOID] = "void", [IR_I1] = "i1",     [IR_I32] = "i32",   [IR_I64] = "i64",
    [IR_F16] = "f16",   [IR_F32] = "f32",   [IR_F64] = "f64",   [IR_F80] = "f80",
    [IR_V128] = "v128", [IR_V256] = "v256", [IR_V512] = "v512", [IR_FLAGS] = "flags",
};

const char *const ir_flag_names[IR_N_FLAG_NAMES] = {
    "sext",     "acq",  "rel",  "align", "atomic", "half",    "hi",
    "unsigned", "nega", "negc", "exact", "gpc",    "align16", "quiet",
};
