/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listings of generated code: as text where there is capstone, else as hex. */
#include <inttypes.h>

#include "tcg/x86_64/core.h"
#include "util/disasm.h"

static void text(Disasm *d, const TcgCompiled *c, FILE *f)
{
    for (uint32_t off = 0; off < c->code_bytes;) {
        const uint8_t *p = c->code + off;
        char line[160];
        unsigned n = disasm_text(d, p, c->code_bytes - off, (uintptr_t)p, line, sizeof(line));
        if (n) {
            fprintf(f, "  %05" PRIx32 "  %s\n", off, line);
        } else {
            fprintf(f, "  %05" PRIx32 "  .byte 0x%02x\n", off, *p);
            n = 1;
        }
        off += n;
    }
}

static void hex(const TcgCompiled *c, FILE *f)
{
    for (uint32_t i = 0; i < c->code_bytes; i++) {
        fprintf(f, "%s%02x%s", i % 16 ? " " : "  ", c->code[i],
                i % 16 == 15 || i + 1 == c->code_bytes ? "\n" : "");
    }
}

void x64_disas(const TcgCompiled *c, FILE *f)
{
    Disasm *d = disasm_open(DISASM_X86_64);
    if (d) {
        text(d, c, f);
    } else {
        hex(c, f);
    }
    disasm_close(d);
}
