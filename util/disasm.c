/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machine code as text: one instruction at a time through capstone. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "util/disasm.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef HAVE_CAPSTONE
#include "util/capstone.h"

struct Disasm {
    Capstone lib;
    csh handle;
};

Disasm *disasm_open(DisasmIsa isa)
{
    Disasm *d = calloc(1, sizeof *d);
    if (!d || !capstone_load(&d->lib)) {
        free(d);
        return NULL;
    }
    cs_arch arch = isa == DISASM_A64 ? CS_ARCH_ARM64 : CS_ARCH_X86;
    cs_mode mode = isa == DISASM_A64 ? CS_MODE_LITTLE_ENDIAN : CS_MODE_64;
    if (d->lib.open(arch, mode, &d->handle) != CS_ERR_OK) {
        capstone_unload(&d->lib);
        free(d);
        return NULL;
    }
    return d;
}

void disasm_close(Disasm *d)
{
    if (d) {
        d->lib.close(&d->handle);
        capstone_unload(&d->lib);
        free(d);
    }
}

unsigned disasm_text(Disasm *d, const uint8_t *code, size_t bytes, uint64_t pc, char *out,
                     size_t out_bytes)
{
    cs_insn *insn;
    size_t n = d->lib.disasm(d->handle, code, bytes, pc, 1, &insn);
    if (!n) {
        return 0;
    }
    unsigned length = insn->size;
    snprintf(out, out_bytes, "%s %s", insn->mnemonic, insn->op_str);
    d->lib.free(insn, n);
    return length;
}

#else

Disasm *disasm_open(DisasmIsa isa)
{
    (void)isa;
    return NULL;
}

void disasm_close(Disasm *d)
{
    (void)d;
}

unsigned disasm_text(Disasm *d, const uint8_t *code, size_t bytes, uint64_t pc, char *out,
                     size_t out_bytes)
{
    (void)d, (void)code, (void)bytes, (void)pc, (void)out, (void)out_bytes;
    return 0;
}

#endif
