/* SPDX-License-Identifier: GPL-2.0-or-later */
/* C helpers of the x86 front end, listed in x86_helpers.def. */
#ifndef GEMEL_TARGET_X86_HELPERS_H
#define GEMEL_TARGET_X86_HELPERS_H

#include "tcg/guest.h"
#include "tcg/runtime.h"

#define HELPER_INT(name) \
    uint64_t x86_h_##name(struct TcgCpu *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
#define HELPER_S(name, clobbers) HELPER_INT(name)
#define HELPER_VEC(name) \
    void x86_h_##name(struct TcgCpu *cpu, IrVec *r, const IrVec a[4], uint64_t imm, uint64_t info);
#include "target/x86/tcg/x86_helpers.def"
#undef HELPER_INT
#undef HELPER_S
#undef HELPER_VEC

typedef enum X86HelperId {
#define HELPER_INT(name) X86_H_##name,
#define HELPER_S(name, clobbers) X86_H_##name,
#define HELPER_VEC(name) X86_H_##name,
#include "target/x86/tcg/x86_helpers.def"
#undef HELPER_INT
#undef HELPER_S
#undef HELPER_VEC
    X86_N_HELPERS
} X86HelperId;

#endif
