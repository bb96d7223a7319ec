/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest memory as the interpreter reaches it. */
#ifndef GEMEL_TCG_INTERP_MEM_H
#define GEMEL_TCG_INTERP_MEM_H

#include "tcg/interp/interp.h"

typedef struct IrMem {
    const TcgInterpMem *user; /* NULL: host memory */
} IrMem;

/*
 * Does LD, ST, AT_RMW or AT_CAS *o at the address; `val` are the region's values, *res the
 * result. Returns TCG_EXIT_NONE, TCG_EXIT_ALIGN, or TCG_EXIT_FAULT (mem->user refused).
 */
TcgExit ir_mem_access(const IrMem *mem, const IrOp *o, uint64_t addr, const IrVec *val, IrVec *res);

#endif
