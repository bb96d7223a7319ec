/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FP rows: conversions. */
#include "tcg/x86_64/vec.h"

const X64Row *x64_fp_conv_row(const X64Ctx *c, const IrOp *op)
{
    (void)c;
    (void)op;
    return NULL;
}
