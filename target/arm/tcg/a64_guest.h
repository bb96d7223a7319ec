/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the two A64 guests, user programs (a64_guest.c) and machines (a64_sysguest.c), share.
 */
#ifndef GEMEL_TARGET_ARM_A64_GUEST_H
#define GEMEL_TARGET_ARM_A64_GUEST_H

#include "target/arm/a64.h"
#include "target/arm/tcg/a64_helpers.h"

extern const TcgSlot a64_slots[A64_N_SLOTS];
extern const TcgHelper a64_helper_table[A64_N_HELPERS];
void a64_translate(TcgBlockCtx *blk);
bool a64_fp_flush(uint64_t mode);
/* The bits of the mode word that follow from FPCR and the sticky flags. */
uint64_t a64_fp_mode(const A64Cpu *cpu);

#endif
