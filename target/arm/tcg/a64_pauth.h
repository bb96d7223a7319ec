/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pointer authentication for the translate functions.
 */
#ifndef GEMEL_TARGET_ARM_A64_PAUTH_H
#define GEMEL_TARGET_ARM_A64_PAUTH_H

#include "target/arm/tcg/a64_ctx.h"

/* AddPAC(): the signed pointer. */
IrRef a64_pac_add(A64Ctx *c, A64PacKey key, IrRef ptr, IrRef modifier);

/*
 * Auth(): the pointer without its code. A wrong code raises TCG_EXIT_PAC with FEAT_FPAC (so nothing
 * may have been put before), else leaves a pointer that faults when used.
 */
IrRef a64_pac_auth(A64Ctx *c, A64PacKey key, IrRef ptr, IrRef modifier);

/* Strip(): the bits of the code become copies of bit 55. key: an instruction or data key. */
IrRef a64_pac_strip(A64Ctx *c, A64PacKey key, IrRef ptr);

/* The pointer authentication hints (CRm:op2 of HINT). false: it is none. */
bool a64_pac_hint(A64Ctx *c, unsigned hint);

#endif
