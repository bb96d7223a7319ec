/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of guest functions for perf: from the symbol tables (.symtab, else .dynsym) of the ELF
 * files that the host's /proc/self/maps shows at an address. Only used when a perf map is written.
 *
 * Source: System V ABI (ELF-64 object file format).
 */
#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/user.h"

typedef struct Symbol {
    uint64_t start, size;
    const char *name; /* in the mapped file */
} Symbol;

/* One mapped file; kept for good: its names are referred to. */
typedef struct SymbolFile {
    char path[512];
    const uint8_t *data;
    size_t bytes;
    uint64_t bias;   /* address minus value, of the mapping it was looked up for */
    Symbol *symbols; /* sorted */
    size_t n;
    struct SymbolFile *next;
} SymbolFile;

static int by_start(const void *a, const void *b)
{
    uint64_t x = ((const Symbol *)a)->start, y = ((const Symbol *)b)->start;
    return x < y ? -1 : x > y;
}

static bool inside(const SymbolFile *f, uint64_t at, uint64_t bytes)
{
    return at <= f->bytes && bytes <= f->bytes - at;
}

static void read_table(SymbolFile *f, const Elf64_Shdr *table, const Elf64_Shdr *strings)
{
    if (!inside(f, table->sh_offset, table->sh_size) || !strings->sh_size ||
        !inside(f, strings->sh_offset, strings->sh_size) ||
        f->data[strings->sh_offset + strings->sh_size - 1]) {
        return;
    }
    size_t n = table->sh_size / sizeof(Elf64_Sym);
    f->symbols = calloc(n ? n : 1, sizeof *f->symbols);
    for (size_t i = 0; f->symbols && i < n; i++) {
        Elf64_Sym s;
        memcpy(&s, f->data + table->sh_offset + i * sizeof s, sizeof s);
        if (ELF64_ST_TYPE(s.st_info) == STT_FUNC && s.st_value && s.st_name < strings->sh_size) {
            f->symbols[f->n++] = (Symbol){s.st_value, s.st_size,
                                          (const char *)f->data + strings->sh_offset + s.st_name};
        }
    }
    if (f->symbols) {
        qsort(f->symbols, f->n, sizeof *f->symbols, by_start);
    }
}

static void read_symbols(SymbolFile *f)
{
    Elf64_Ehdr h;
    if (!inside(f, 0, sizeof h)) {
        return;
    }
    memcpy(&h, f->data, sizeof h);
    if (memcmp(h.e_ident, ELFMAG, SELFMAG) || h.e_shentsize != sizeof(Elf64_Shdr) ||
        !inside(f, h.e_shoff, (uint64_t)h.e_shnum * sizeof(Elf64_Shdr))) {
        return;
    }
    const uint32_t wanted[] = {SHT_SYMTAB, SHT_DYNSYM};
    for (unsigned k = 0; k < 2 && !f->n; k++) {
        for (unsigned i = 0; i < h.e_shnum; i++) {
            Elf64_Shdr table, strings;
            memcpy(&table, f->data + h.e_shoff + i * sizeof table, sizeof table);
            if (table.sh_type == wanted[k] && table.sh_link < h.e_shnum) {
                memcpy(&strings, f->data + h.e_shoff + table.sh_link * sizeof strings,
                       sizeof strings);
                read_table(f, &table, &strings);
                break;
            }
        }
    }
}

/* Address minus symbol value, from the program header that covers file offset `offset`. */
static uint64_t find_bias(const SymbolFile *f, uint64_t start, uint64_t offset)
{
    Elf64_Ehdr h;
    if (!inside(f, 0, sizeof h)) {
        return start;
    }
    memcpy(&h, f->data, sizeof h);
    for (unsigned i = 0; i < h.e_phnum; i++) {
        Elf64_Phdr p;
        if (!inside(f, h.e_phoff + i * sizeof p, sizeof p)) {
            break;
        }
        memcpy(&p, f->data + h.e_phoff + i * sizeof p, sizeof p);
        uint64_t first = p.p_offset & ~(uint64_t)4095;
        if (p.p_type == PT_LOAD && offset >= first && offset < p.p_offset + p.p_filesz) {
            return start - offset + p.p_offset - p.p_vaddr;
        }
    }
    return start;
}

static SymbolFile *file_of(UserProcess *p, const char *path, uint64_t start, uint64_t offset)
{
    for (SymbolFile *f = p->symbol_files; f; f = f->next) {
        if (!strcmp(f->path, path)) {
            return f;
        }
    }
    SymbolFile *f = calloc(1, sizeof *f);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (!f || fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        free(f);
        if (fd >= 0) {
            close(fd);
        }
        return NULL;
    }
    snprintf(f->path, sizeof f->path, "%s", path);
    void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (data != MAP_FAILED) {
        f->data = data;
        f->bytes = (size_t)st.st_size;
        f->bias = find_bias(f, start, offset);
        read_symbols(f);
    }
    f->next = p->symbol_files;
    p->symbol_files = f;
    return f;
}

static SymbolFile *file_at(UserProcess *p, uint64_t pc)
{
    char line[1024], path[512];
    SymbolFile *f = NULL;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps && !f && fgets(line, sizeof line, maps)) {
        uint64_t start, end, offset;
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %*s %511[^\n]", &start, &end,
                   &offset, path) == 4 &&
            pc >= start && pc < end && path[0] == '/') {
            f = file_of(p, path, start, offset);
        }
    }
    if (maps) {
        fclose(maps);
    }
    return f;
}

bool user_symbol(void *opaque, uint64_t pc, char *out, size_t bytes)
{
    const SymbolFile *f = file_at(opaque, pc);
    size_t lo = 0, hi = f ? f->n : 0;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (f->symbols[mid].start + f->bias <= pc) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    if (!lo) {
        return false;
    }
    const Symbol *s = &f->symbols[lo - 1];
    uint64_t off = pc - f->bias - s->start;
    if (s->size && off >= s->size) {
        return false;
    }
    snprintf(out, bytes, "%s+%#" PRIx64, s->name, off);
    return true;
}
