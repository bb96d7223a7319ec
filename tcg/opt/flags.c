/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flags: after promotion a condition may see a recipe in another block (the rules of
 * tcg/simplify_cond.c apply as everywhere), or flags that only exist packed: read from the guest
 * state, or joined by a phi. The latter become bit tests here, and not before, because promotion
 * and folding may still find out what such flags were made from.
 */
#include "tcg/opt/opt.h"

void ir_opt_flags(IrRegion *r)
{
    ir_rewrite(r, true);
}
