/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * C helpers of the A64 front end: their numbers and prototypes, made from helpers.def.
 */
#ifndef GEMEL_TARGET_ARM_A64_HELPERS_H
#define GEMEL_TARGET_ARM_A64_HELPERS_H

#include "tcg/guest.h"

typedef enum A64HelperId {
#define HELPER_INT(name, fp) A64_H_##name,
#define HELPER_S(name, fp, clobbers) A64_H_##name,
#define HELPER_VEC(name, fp) A64_H_##name,
#include "target/arm/tcg/helpers.def"
#undef HELPER_INT
#undef HELPER_S
#undef HELPER_VEC
    A64_N_HELPERS
} A64HelperId;

#define HELPER_INT(name, fp) \
    uint64_t a64_h_##name(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
#define HELPER_S(name, fp, clobbers) HELPER_INT(name, fp)
#define HELPER_VEC(name, fp) \
    void a64_h_##name(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info);
#include "target/arm/tcg/helpers.def"
#undef HELPER_INT
#undef HELPER_S
#undef HELPER_VEC

/* TcgGuest.fp and .fp_native (a64_fp_ops.c). */
void a64_fp_eval(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info);
bool a64_fp_native(uint64_t mode);

#endif
