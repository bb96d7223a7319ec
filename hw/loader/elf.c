/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bare AArch64 ELF files (System V ABI, Program Loading): each PT_LOAD segment to its physical
 * address. Relocations and symbols are not looked at.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "hw/loader.h"

bool loader_is_elf(const uint8_t *data, size_t bytes)
{
    return bytes >= sizeof(Elf64_Ehdr) && !memcmp(data, ELFMAG, SELFMAG);
}

/* A segment's memory beyond its file bytes is zeroed. */
static bool add_segment(Loader *l, const LoaderFile *f, const Elf64_Phdr *p, Error *err)
{
    const uint8_t *data = f->data + p->p_offset;

    if (p->p_memsz == p->p_filesz) {
        return loader_add(l, f->option, p->p_paddr, data, p->p_filesz, err);
    }
    uint8_t *copy = calloc(1, p->p_memsz);
    if (!copy) {
        return error_set_errno(err, "%s: segment of %llu bytes", f->option,
                               (unsigned long long)p->p_memsz);
    }
    memcpy(copy, data, p->p_filesz);
    bool ok = loader_add(l, f->option, p->p_paddr, copy, p->p_memsz, err);
    free(copy);
    return ok;
}

static bool segment_fits(const LoaderFile *f, const Elf64_Phdr *p)
{
    return p->p_offset <= f->bytes && p->p_filesz <= f->bytes - p->p_offset &&
           p->p_filesz <= p->p_memsz && p->p_memsz <= f->max_bytes &&
           p->p_paddr + p->p_memsz >= p->p_paddr;
}

bool loader_add_elf(Loader *l, const LoaderFile *f, LoadedKernel *out, Error *err)
{
    Elf64_Ehdr eh;
    bool any = false;

    memcpy(&eh, f->data, sizeof eh);
    if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_ident[EI_DATA] != ELFDATA2LSB ||
        eh.e_machine != EM_AARCH64 || eh.e_phentsize != sizeof(Elf64_Phdr) ||
        eh.e_phoff > f->bytes ||
        (uint64_t)eh.e_phnum * sizeof(Elf64_Phdr) > f->bytes - eh.e_phoff) {
        return error_set(err, "%s %s: not a little-endian AArch64 ELF program", f->option, f->path);
    }
    out->entry = eh.e_entry;
    out->start = UINT64_MAX;
    for (unsigned i = 0; i < eh.e_phnum; i++) {
        Elf64_Phdr p;
        memcpy(&p, f->data + eh.e_phoff + i * sizeof p, sizeof p);
        if (p.p_type != PT_LOAD || p.p_memsz == 0) {
            continue;
        }
        if (!segment_fits(f, &p)) {
            return error_set(err, "%s %s: segment %u is broken, or larger than the RAM", f->option,
                             f->path, i);
        }
        if (!add_segment(l, f, &p, err)) {
            return false;
        }
        if (eh.e_entry - p.p_vaddr < p.p_memsz) {
            out->entry = p.p_paddr + (eh.e_entry - p.p_vaddr);
        }
        out->start = p.p_paddr < out->start ? p.p_paddr : out->start;
        out->end = p.p_paddr + p.p_memsz > out->end ? p.p_paddr + p.p_memsz : out->end;
        any = true;
    }
    return any || error_set(err, "%s %s: ELF file with nothing to load", f->option, f->path);
}
