/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 instructions as text, for logs.
 */
#ifndef GEMEL_TARGET_ARM_A64_DISAS_H
#define GEMEL_TARGET_ARM_A64_DISAS_H

#include <stddef.h>
#include <stdint.h>

/* TcgGuest.disas: capstone's text where it is built in, else the row's name and fields. */
unsigned a64_disas(const uint8_t *code, uint32_t bytes, uint64_t pc, char *out, size_t out_bytes);

#endif
