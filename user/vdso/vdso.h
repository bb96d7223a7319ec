/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's vdso: an ELF image, one load segment, and where its signal return is. */
#ifndef GEMEL_USER_VDSO_H
#define GEMEL_USER_VDSO_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t  user_vdso_image[];
extern const size_t   user_vdso_image_bytes;
extern const uint32_t user_vdso_sigreturn;

#endif
