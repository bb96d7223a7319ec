/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 instructions as text, for logs: by capstone if there is one, else from the decode table.
 */
#include "target/arm/tcg/a64_disas.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#ifdef HAVE_CAPSTONE
#include <capstone/capstone.h>
#endif

#include "target/arm/decode/a64_decode.h"

#ifdef HAVE_CAPSTONE
static bool library_text(const uint8_t *code, uint64_t pc, char *out, size_t out_bytes)
{
    csh handle;
    cs_insn *insn;
    if (cs_open(CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN, &handle) != CS_ERR_OK) {
        return false;
    }
    size_t n = cs_disasm(handle, code, 4, pc, 1, &insn);
    if (n) {
        snprintf(out, out_bytes, "%s %s", insn->mnemonic, insn->op_str);
        cs_free(insn, n);
    }
    cs_close(&handle);
    return n != 0;
}
#else
static bool library_text(const uint8_t *code, uint64_t pc, char *out, size_t out_bytes)
{
    (void)code;
    (void)pc;
    (void)out;
    (void)out_bytes;
    return false;
}
#endif

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
