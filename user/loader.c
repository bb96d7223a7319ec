/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF programs: checking and mapping. Sources: System V gABI chapters 4 and 5, ELF for the Arm
 * 64-bit Architecture, and what execve(2) documents of errors. The file is hostile: every number
 * from it is checked before use.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/guest_abi.h"

enum { MAX_PHDR_BYTES = 65536, MAX_NOTE_BYTES = 1024 };

static uint64_t page_down(uint64_t v)
{
    return v & ~(uint64_t)(USER_PAGE - 1);
}
static uint64_t page_up(uint64_t v)
{
    return page_down(v + USER_PAGE - 1);
}

static int reject(const char **why, const char *text)
{
    *why = text;
    return -ENOEXEC;
}

static int check_header(const Elf64_Ehdr *h, ssize_t got, const char **why)
{
    if (got < 4 || memcmp(h->e_ident, ELFMAG, SELFMAG)) {
        return reject(why, "not an ELF file");
    }
    if (got < (ssize_t)sizeof *h) {
        return reject(why, "truncated ELF header");
    }
    if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB ||
        !user_abi_find(h->e_machine)) {
        return reject(why, "an ELF file, but not for 64-bit little-endian AArch64 or x86-64");
    }
    if (h->e_type != ET_EXEC && h->e_type != ET_DYN) {
        return reject(why, "an ELF file, but not a program (not linked?)");
    }
    if (h->e_phentsize != sizeof(Elf64_Phdr) || !h->e_phnum ||
        h->e_phnum * sizeof(Elf64_Phdr) > MAX_PHDR_BYTES) {
        return reject(why, "malformed ELF program headers");
    }
    return 0;
}

/* The program headers, malloced; *n of them. */
static Elf64_Phdr *read_phdrs(int fd, const Elf64_Ehdr *h)
{
    size_t bytes = h->e_phnum * sizeof(Elf64_Phdr);
    Elf64_Phdr *ph = malloc(bytes);
    if (ph && pread(fd, ph, bytes, (off_t)h->e_phoff) != (ssize_t)bytes) {
        free(ph);
        ph = NULL;
    }
    return ph;
}

static int check_interp(UserImage *im, const Elf64_Phdr *p, const char **why)
{
    if (p->p_filesz < 2 || p->p_filesz > sizeof im->interp) {
        return reject(why, "malformed ELF interpreter name");
    }
    if (pread(im->fd, im->interp, p->p_filesz, (off_t)p->p_offset) != (ssize_t)p->p_filesz ||
        im->interp[p->p_filesz - 1]) {
        im->interp[0] = 0;
        return reject(why, "malformed ELF interpreter name");
    }
    return 0;
}

/*
 * The property note (System V gABI, "Program Property Note"; AArch64 ELF, "Program Property"): one
 * note of type NT_GNU_PROPERTY_TYPE_0; properties in ascending order, padded to 8 bytes.
 */
static int check_property(UserImage *im, const Elf64_Phdr *p, const char **why)
{
    static const char malformed[] = "malformed ELF property note";
    enum { NAME_BYTES = 4, HEAD = sizeof(Elf64_Nhdr) + NAME_BYTES, PROPERTY_HEAD = 8 };
    uint8_t note[MAX_NOTE_BYTES];
    Elf64_Nhdr h;
    if (p->p_filesz > sizeof note || p->p_filesz < HEAD ||
        pread(im->fd, note, p->p_filesz, (off_t)p->p_offset) != (ssize_t)p->p_filesz) {
        return reject(why, malformed);
    }
    memcpy(&h, note, sizeof h);
    if (h.n_type != NT_GNU_PROPERTY_TYPE_0 || h.n_namesz != NAME_BYTES ||
        memcmp(note + sizeof h, "GNU", NAME_BYTES) || h.n_descsz > p->p_filesz - HEAD) {
        return reject(why, malformed);
    }
    for (uint64_t at = 0; at < h.n_descsz;) {
        uint32_t property[2], value; /* type, bytes */
        if (h.n_descsz - at < PROPERTY_HEAD) {
            return reject(why, malformed);
        }
        memcpy(property, note + HEAD + at, sizeof property);
        at += PROPERTY_HEAD;
        if (property[1] > h.n_descsz - at) {
            return reject(why, malformed);
        }
        if (property[0] == GNU_PROPERTY_AARCH64_FEATURE_1_AND) {
            if (property[1] != sizeof value) {
                return reject(why, malformed);
            }
            memcpy(&value, note + HEAD + at, sizeof value);
            im->bti = (value & GNU_PROPERTY_AARCH64_FEATURE_1_BTI) != 0;
        }
        at += (property[1] + 7) & ~(uint64_t)7;
    }
    return 0;
}

static int check_load(UserImage *im, const Elf64_Phdr *p, uint64_t file_bytes, const char **why)
{
    if (p->p_filesz > p->p_memsz || p->p_vaddr >= USER_TASK_SIZE ||
        p->p_memsz > USER_TASK_SIZE - p->p_vaddr || (p->p_vaddr - p->p_offset) % USER_PAGE) {
        return reject(why, "malformed ELF segment");
    }
    if (p->p_offset > file_bytes || p->p_filesz > file_bytes - p->p_offset) {
        return reject(why, "truncated ELF file: a segment lies beyond its end");
    }
    uint64_t start = page_down(p->p_vaddr), end = page_up(p->p_vaddr + p->p_memsz);
    im->start = start < im->start ? start : im->start;
    im->end = end > im->end ? end : im->end;
    return 0;
}

int user_image_check(UserImage *im, const UserOptions *o, const char **why)
{
    (void)o;
    Elf64_Ehdr h;
    struct stat st;
    im->interp[0] = 0;
    im->bti = false;
    *why = NULL;
    if (fstat(im->fd, &st)) {
        return -errno;
    }
    ssize_t got = pread(im->fd, &h, sizeof h, 0);
    if (got < 0) {
        return -errno;
    }
    int e = check_header(&h, got, why);
    if (e) {
        return e;
    }
    Elf64_Phdr *ph = read_phdrs(im->fd, &h);
    if (!ph) {
        return reject(why, "truncated ELF program headers");
    }
    im->start = UINT64_MAX;
    im->end = im->phdr = 0;
    bool interp = false;
    for (unsigned i = 0; i < h.e_phnum && !e; i++) {
        if (ph[i].p_type == PT_LOAD && ph[i].p_memsz) {
            e = check_load(im, &ph[i], (uint64_t)st.st_size, why);
            if (h.e_phoff >= ph[i].p_offset && h.e_phoff - ph[i].p_offset < ph[i].p_filesz) {
                im->phdr = ph[i].p_vaddr + h.e_phoff - ph[i].p_offset;
            }
        } else if (ph[i].p_type == PT_INTERP && !interp) {
            interp = true;
            e = check_interp(im, &ph[i], why);
        } else if (ph[i].p_type == PT_GNU_PROPERTY && h.e_machine == EM_AARCH64) {
            e = check_property(im, &ph[i], why);
        } else if (ph[i].p_type == PT_GNU_STACK) {
            im->exec_stack = (ph[i].p_flags & PF_X) != 0;
        }
    }
    free(ph);
    if (!e && im->end <= im->start) {
        e = reject(why, "an ELF file without loadable segments");
    }
    im->entry = h.e_entry;
    im->abi = user_abi_find(h.e_machine);
    im->phnum = h.e_phnum;
    im->type = h.e_type;
    return e;
}

int user_image_open(UserImage *im, const char *path, const UserOptions *o, const char **why)
{
    struct stat st;
    *why = NULL;
    im->fd = -1;
    im->interp[0] = 0;
    if (snprintf(im->path, sizeof im->path, "%s", path) >= (int)sizeof im->path) {
        return -ENAMETOOLONG;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || access(path, X_OK)) {
        close(fd);
        return -EACCES;
    }
    im->fd = fd;
    return user_image_check(im, o, why);
}

static int prot_of(uint32_t flags)
{
    return (flags & PF_R ? PROT_READ : 0) | (flags & PF_W ? PROT_WRITE : 0) |
           (flags & PF_X ? PROT_EXEC : 0);
}

/* The part of a segment that no file backs: the rest of its last page, then whole pages. */
static int map_bss(uint64_t from, uint64_t to, int host_prot)
{
    uint64_t full = page_up(from);
    if (full > from && (host_prot & PROT_WRITE)) {
        memset((void *)from, 0, (full < to ? full : page_up(to)) - from);
    }
    if (full < page_up(to) && mmap((void *)full, page_up(to) - full, host_prot,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
        return -errno;
    }
    return 0;
}

static int map_segment(UserProcess *p, const UserImage *im, const Elf64_Phdr *ph)
{
    uint64_t start = im->load_bias + page_down(ph->p_vaddr);
    uint64_t file_end = im->load_bias + ph->p_vaddr + ph->p_filesz;
    uint64_t end = im->load_bias + ph->p_vaddr + ph->p_memsz;
    int prot = prot_of(ph->p_flags), host = user_host_prot(prot);
    if (im->bti && !im->interp[0] && (prot & PROT_EXEC)) {
        prot |= p->map.prot_arch; /* a program with an interpreter is the interpreter's affair */
    }
    if (ph->p_filesz && mmap((void *)start, file_end - start, host, MAP_PRIVATE | MAP_FIXED, im->fd,
                             (off_t)page_down(ph->p_offset)) == MAP_FAILED) {
        return -errno;
    }
    int e = end > file_end ? map_bss(ph->p_filesz ? file_end : start, end, host) : 0;
    UserRegion r = {.start = start, .end = page_up(end), .prot = prot};
    user_map_note(&p->map, &r);
    return e;
}

/* Address space for the whole image, nothing accessible yet. */
static int reserve(UserMap *m, UserImage *im, uint64_t want, uint64_t align)
{
    uint64_t span = im->end - im->start;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    if (im->type == ET_EXEC) {
        if (im->end > m->limit) {
            return -ENOMEM;
        }
        void *a = mmap((void *)im->start, span, PROT_NONE, flags | MAP_FIXED_NOREPLACE, -1, 0);
        if (a != (void *)im->start) {
            return a == MAP_FAILED ? -errno : -EEXIST;
        }
        im->load_bias = 0;
        return 0;
    }
    if (want && want < m->limit && span <= m->limit - want) {
        void *a = mmap((void *)want, span, PROT_NONE, flags | MAP_FIXED_NOREPLACE, -1, 0);
        if (a == (void *)want) {
            im->load_bias = want - im->start;
            return 0;
        }
    }
    uint8_t *a = user_map_reserve(m, span + align, PROT_NONE);
    if (!a) {
        return -ENOMEM;
    }
    uint64_t at = ((uint64_t)a + align - 1) & ~(align - 1);
    if (at > (uint64_t)a) {
        munmap(a, at - (uint64_t)a);
    }
    if ((uint64_t)a + align > at) {
        munmap((void *)(at + span), (uint64_t)a + align - at);
    }
    im->load_bias = at - im->start;
    return 0;
}

static uint64_t max_align(const Elf64_Phdr *ph, unsigned n)
{
    uint64_t align = USER_PAGE;
    for (unsigned i = 0; i < n; i++) {
        uint64_t a = ph[i].p_align;
        if (ph[i].p_type == PT_LOAD && !(a & (a - 1)) && a > align && a <= (1u << 30)) {
            align = a;
        }
    }
    return align;
}

static int map_image(UserProcess *p, UserImage *im, uint64_t want, const char **why)
{
    Elf64_Ehdr h;
    if (pread(im->fd, &h, sizeof h, 0) != sizeof h) {
        return -EIO;
    }
    Elf64_Phdr *ph = read_phdrs(im->fd, &h);
    if (!ph) {
        return -ENOEXEC;
    }
    uint64_t align = max_align(ph, h.e_phnum);
    int e = reserve(&p->map, im, want ? (want + align - 1) & ~(align - 1) : 0, align);
    if (e) {
        *why = im->type == ET_EXEC ? "its fixed load address is taken by the emulator or not "
                                     "allowed (vm.mmap_min_addr)"
                                   : "no address space for it";
    }
    im->brk = 0;
    for (unsigned i = 0; i < h.e_phnum && !e; i++) {
        if (ph[i].p_type == PT_LOAD && ph[i].p_memsz) {
            e = map_segment(p, im, &ph[i]);
            uint64_t end = im->load_bias + ph[i].p_vaddr + ph[i].p_memsz;
            im->brk = end > im->brk ? end : im->brk;
        }
    }
    im->entry += im->load_bias;
    im->phdr += im->phdr ? im->load_bias : 0;
    free(ph);
    return e;
}

static int load_interp(UserProcess *p, UserImage *in, const char *name, const char **why)
{
    char buf[4096];
    int e = user_image_open(in, user_path(p->opt, name, buf), p->opt, why);
    if (e == -ENOENT) {
        *why =
            p->opt->root
                ? "its ELF interpreter is neither below the -L folder nor on this system"
                : "its ELF interpreter is not on this system (-L ROOT names a folder that has it)";
        return e;
    }
    if (e) {
        *why = *why ? *why : "its ELF interpreter cannot be read";
    } else {
        e = map_image(p, in, 0, why);
    }
    if (in->fd >= 0) {
        close(in->fd);
    }
    return e == -ENOEXEC ? -ELIBBAD : e;
}

int user_image_load(UserProcess *p, UserImage *im, char **argv, char **env, const char *execfn,
                    const char **why)
{
    UserImage *in = NULL;
    int e = map_image(p, im, p->opt->base, why);
    if (e) {
        return e;
    }
    if (im->interp[0]) {
        in = calloc(1, sizeof *in);
        e = in ? load_interp(p, in, im->interp, why) : -ENOMEM;
    }
    p->map.brk_start = p->map.brk = page_up(im->brk);
    p->entry = in ? in->entry : im->entry;
    if (!e) {
        e = user_stack_build(p, im, in, argv, env, execfn);
    }
    free(in);
    return e;
}
