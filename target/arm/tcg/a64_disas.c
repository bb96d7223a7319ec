/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 instructions as text, for logs: by capstone if there is one, else from the decode table.
 */
#include "target/arm/tcg/a64_disas.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "target/arm/decode/a64_decode.h"
#include "util/disasm.h"

static bool library_text(const uint8_t *code, uint64_t pc, char *out, size_t out_bytes)
{
    Disasm *d = disasm_open(DISASM_A64);
    bool ok = d && disasm_text(d, code, 4, pc, out, out_bytes);
    disasm_close(d);
    return ok;
}

/* NAME field=value ..., the fields in the order of the row. */
static void row_text(uint32_t word, char *out, size_t out_bytes)
{
    A64Insn insn;
    if (!a64_decode(word, &insn)) {
        snprintf(out, out_bytes, ".inst 0x%08x", word);
        return;
    }
    const A64RowInfo *row = &a64_rows[insn.row];
    int n = snprintf(out, out_bytes, "%s", row->name);
    for (unsigned k = 0; k < row->n_parts && n >= 0 && (size_t)n < out_bytes; k++) {
        unsigned f = a64_field_parts[row->first_part + k].field;
        n += snprintf(out + n, out_bytes - (size_t)n, " %s=%u", a64_field_names[f], insn.field_[f]);
    }
}

unsigned a64_disas(const uint8_t *code, uint32_t bytes, uint64_t pc, char *out, size_t out_bytes)
{
    if (bytes < 4) {
        snprintf(out, out_bytes, "(%u bytes)", bytes);
        return bytes ? bytes : 1;
    }
    uint32_t word;
    memcpy(&word, code, sizeof(word));
    if (!library_text(code, pc, out, out_bytes)) {
        row_text(word, out, out_bytes);
    }
    return 4;
}
