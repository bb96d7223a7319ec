/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a file that somebody wants to run is: a kernel, a disk, a CD; of which ISA; how it boots. */
#ifndef GEMEL_EMU_GUESS_H
#define GEMEL_EMU_GUESS_H

#include "core/block.h"

typedef enum GuessKind { GUESS_DISK, GUESS_CD, GUESS_KERNEL } GuessKind;

typedef struct Guess {
    GuessKind   kind;
    const char *isa;      /* "aarch64", "x86_64"; NULL: nothing said so */
    bool        efi;      /* has an EFI system partition or boot image */
    char        why[160]; /* what was found, for people */
} Guess;

/* Looks at a file's first bytes: a kernel? Arm64 Image (Documentation/arch/arm64/booting), gzipped
 * Image, ELF, x86 bzImage. false: none of these. */
bool guess_kernel(const char *path, Guess *g);
/* Looks at an opened disk: GPT or MBR, the EFI system partition and its loaders' names (UEFI 3.5.1.1),
 * El Torito on a CD. Never fails: what is not found stays unknown. */
void guess_disk(BlockDev *dev, Guess *g);

#endif
