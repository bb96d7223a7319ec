/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the passes share. */
#ifndef GEMEL_TCG_OPT_H
#define GEMEL_TCG_OPT_H

#include "tcg/region.h"

/*
 * The rewriting walk: every op through the rules of tcg/simplify.h and through value numbering.
 * packed: conditions on flags that sit packed in a register become bit tests.
 */
void ir_rewrite(IrRegion *r, bool packed);

/* ir_region_analyze() for a region with phis: keeps their arguments with their edges. */
void ir_region_reanalyze(IrRegion *r);

#endif
