/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ID registers of A64 as EL0 sees them under Linux: which there are, and where features stand.
 *
 * Source: Arm ARM (DDI 0487), D19.2 ID_AA64*; Linux Documentation/arch/arm64/cpu-feature-registers.
 */
#ifndef GEMEL_TARGET_ARM_A64_ID_H
#define GEMEL_TARGET_ARM_A64_ID_H

/* Index into A64Cpu.id_aa64. */
typedef enum A64IdReg {
    A64_ID_PFR0, A64_ID_PFR1, A64_ID_ZFR0, A64_ID_SMFR0, A64_ID_DFR0, A64_ID_DFR1,
    A64_ID_ISAR0, A64_ID_ISAR1, A64_ID_ISAR2, A64_ID_MMFR0, A64_ID_MMFR1, A64_ID_MMFR2,
    A64_N_ID_REGS
} A64IdReg;

#endif
