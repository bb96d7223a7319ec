/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where disasm.c gets capstone from: capstone_dl.c, or capstone_link.c in static programs. */
#ifndef GEMEL_UTIL_CAPSTONE_H
#define GEMEL_UTIL_CAPSTONE_H

#include <capstone/capstone.h>
#include <stdbool.h>

typedef struct Capstone {
    void *handle; /* dlclose() it when not NULL */
    cs_err (*open)(cs_arch arch, cs_mode mode, csh *handle);
    cs_err (*close)(csh *handle);
    size_t (*disasm)(csh handle, const uint8_t *code, size_t bytes, uint64_t pc, size_t count,
                     cs_insn **insn);
    void (*free)(cs_insn *insn, size_t count);
} Capstone;

/* false: there is none. */
bool capstone_load(Capstone *c);
void capstone_unload(Capstone *c);

#endif
