/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine code as text, for logs, by capstone. The library is loaded when it is first asked for:
 * its tables would cost every start of the emulator 0.7 ms of relocations.
 */
#ifndef GEMEL_UTIL_DISASM_H
#define GEMEL_UTIL_DISASM_H

#include <stddef.h>
#include <stdint.h>

typedef enum DisasmIsa { DISASM_A64, DISASM_X86_64 } DisasmIsa;
typedef struct Disasm Disasm;

/* NULL: built without capstone, or there is none here. */
Disasm *disasm_open(DisasmIsa isa);
void disasm_close(Disasm *d);
/* The instruction at `code`, whose address is pc, as text; returns its length, 0: not one. */
unsigned disasm_text(Disasm *d, const uint8_t *code, size_t bytes, uint64_t pc, char *out,
                     size_t out_bytes);

#endif
