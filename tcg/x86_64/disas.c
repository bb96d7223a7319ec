/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listings of generated code: by capstone when it was built in, else as hex. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <inttypes.h>

#include "tcg/x86_64/core.h"

#ifdef HAVE_CAPSTONE
#include <capstone/capstone.h>

void x64_disas(const TcgCompiled *c, FILE *f)
{
    csh h;
    if (cs_open(CS_ARCH_X86, CS_MODE_64, &h) != CS_ERR_OK) {
        return;
    }
    const uint8_t *p = c->code;
    size_t left = c->code_bytes;
    uint64_t addr = (uintptr_t)c->code;
    cs_insn *insn = cs_malloc(h);
    while (left) {
        if (cs_disasm_iter(h, &p, &left, &addr, insn)) {
            fprintf(f, "  %05" PRIx64 "  %s %s\n", insn->address - (uintptr_t)c->code,
                    insn->mnemonic, insn->op_str);
        } else {
            fprintf(f, "  %05" PRIx64 "  .byte 0x%02x\n", addr - (uintptr_t)c->code, *p);
            p++;
            left--;
            addr++;
        }
    }
    cs_free(insn, 1);
    cs_close(&h);
}

#else

void x64_disas(const TcgCompiled *c, FILE *f)
{
    for (uint32_t i = 0; i < c->code_bytes; i++) {
        fprintf(f, "%s%02x%s", i % 16 ? " " : "  ", c->code[i],
                i % 16 == 15 || i + 1 == c->code_bytes ? "\n" : "");
    }
}

#endif
