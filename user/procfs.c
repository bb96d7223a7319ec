/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of /proc that would show the emulator: each is made in a memfd when it is opened.
 * Source of the formats: proc(5).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/mm.h"
#include "user/guest_abi.h"

/* The name below /proc/self/, /proc/<our pid>/ or a thread's folder; NULL: another path. */
static const char *own_name(const char *path)
{
    if (strncmp(path, "/proc/", 6)) {
        return NULL;
    }
    const char *s = path + 6;
    size_t n = strcspn(s, "/");
    char *end;
    if (!s[n]) {
        return NULL;
    }
    bool self = (n == 4 && !strncmp(s, "self", 4)) || (n == 11 && !strncmp(s, "thread-self", 11)) ||
                (strtol(s, &end, 10) == getpid() && end == s + n);
    return self ? s + n + 1 : NULL;
}

const char *user_proc_link(UserThread *t, const char *path)
{
    const char *name = own_name(path);
    return name && !strcmp(name, "exe") ? t->proc->exe : NULL;
}

/* ---- maps ---- */

typedef struct HostLine {
    uint64_t start, end, offset, inode;
    char dev[16], name[4096];
    char shared;
} HostLine;

static bool parse_line(const char *s, HostLine *h)
{
    char perms[5];
    int at = 0;
    h->name[0] = 0;
    if (sscanf(s, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %15s %" SCNu64 " %n", &h->start, &h->end,
               perms, &h->offset, h->dev, &h->inode, &at) < 6) {
        return false;
    }
    h->shared = perms[3];
    snprintf(h->name, sizeof h->name, "%.*s", (int)strcspn(s + at, "\n"), s + at);
    return true;
}

static void print_part(FILE *out, const HostLine *h, const UserRegion *r)
{
    static const char *const names[] = {
        [USER_R_STACK] = "[stack]",
        [USER_R_HEAP] = "[heap]",
        [USER_R_VDSO] = "[vdso]",
    };
    uint64_t s = h->start > r->start ? h->start : r->start;
    uint64_t e = h->end < r->end ? h->end : r->end;
    const char *name = r->kind < USER_R_SHM && names[r->kind] ? names[r->kind]
                       : h->name[0] == '['                    ? ""
                                                              : h->name;
    int n = fprintf(out, "%08" PRIx64 "-%08" PRIx64 " %c%c%c%c %08" PRIx64 " %s %" PRIu64 " ", s, e,
                    r->prot & PROT_READ ? 'r' : '-', r->prot & PROT_WRITE ? 'w' : '-',
                    r->prot & PROT_EXEC ? 'x' : '-', h->shared,
                    h->inode ? h->offset + (s - h->start) : 0, h->dev, h->inode);
    fprintf(out, "%*s%s\n", *name && n < 73 ? 73 - n : 0, "", name);
}

static void print_maps(UserProcess *p, FILE *out)
{
    UserMap *m = &p->map;
    char *line = NULL;
    size_t cap = 0;
    HostLine *h = malloc(sizeof *h);
    FILE *in = fopen("/proc/self/maps", "re");
    if (in && h) {
        pthread_mutex_lock(&m->lock);
        while (getline(&line, &cap, in) > 0) {
            if (!parse_line(line, h)) {
                continue;
            }
            for (size_t i = user_map_index(m, h->start); i < m->n && m->r[i].start < h->end; i++) {
                print_part(out, h, &m->r[i]);
            }
        }
        pthread_mutex_unlock(&m->lock);
    }
    if (in) {
        fclose(in);
    }
    free(line);
    free(h);
}

/* ---- the others ---- */

static void put_memory(FILE *out, uint64_t start, uint64_t end)
{
    char buf[4096];
    while (start < end) {
        size_t n = end - start < sizeof buf ? end - start : sizeof buf;
        if (user_get(buf, start, n)) {
            return;
        }
        fwrite(buf, 1, n, out);
        start += n;
    }
}

static void print_cmdline(UserProcess *p, FILE *out)
{
    put_memory(out, p->arg_start, p->arg_end);
}

static void print_environ(UserProcess *p, FILE *out)
{
    put_memory(out, p->env_start, p->env_end);
}

static void print_auxv(UserProcess *p, FILE *out)
{
    fwrite(p->auxv, 8, p->n_auxv, out);
}

/* Field 28 (startstack) and the argument addresses are the guest's. */
static void print_stat(UserProcess *p, FILE *out)
{
    char buf[4096];
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof buf - 1);
    if (fd >= 0) {
        close(fd);
    }
    if (n <= 0) {
        return;
    }
    buf[n] = 0;
    char *s = strrchr(buf, ')');
    if (!s) {
        return;
    }
    fwrite(buf, 1, (size_t)(s + 1 - buf), out);
    int field = 3;
    char *save;
    for (char *w = strtok_r(s + 1, " \n", &save); w; w = strtok_r(NULL, " \n", &save), field++) {
        uint64_t v = field == 28   ? p->stack_sp
                     : field == 48 ? p->arg_start
                     : field == 49 ? p->arg_end
                     : field == 50 ? p->env_start
                     : field == 51 ? p->env_end
                                   : 0;
        if (v) {
            fprintf(out, " %" PRIu64, v);
        } else {
            fprintf(out, " %s", w);
        }
    }
    fputc('\n', out);
}

static void print_flags(FILE *out, uint64_t bits, const char *const *names, unsigned n)
{
    for (unsigned b = 0; b < n; b++) {
        if (bits >> b & 1) {
            fprintf(out, " %s", names[b]);
        }
    }
}

static void print_cpuinfo(UserProcess *p, FILE *out)
{
    static const char *const hwcap[32] = {
        "fp",      "asimd", "evtstrm", "aes",   "pmull",    "sha1",   "sha2", "crc32",
        "atomics", "fphp",  "asimdhp", "cpuid", "asimdrdm", "jscvt",  "fcma", "lrcpc",
        "dcpop",   "sha3",  "sm3",     "sm4",   "asimddp",  "sha512", "sve",  "asimdfhm",
        "dit",     "uscat", "ilrcpc",  "flagm", "ssbs",     "sb",     "paca", "pacg",
    };
    static const char *const hwcap2[20] = {
        "dcpodp", "sve2",  "sveaes",  "svepmull", "svebitperm", "svesha3", "svesm4",
        "flagm2", "frint", "svei8mm", "svef32mm", "svef64mm",   "svebf16", "i8mm",
        "bf16",   "dgh",   "rng",     "bti",      "mte",        "ecv",
    };
    const A64Cpu *c = &p->threads->cpu;
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (p->abi != &user_abi_aarch64) {
        for (long i = 0; i < cpus; i++) {
            fprintf(out, "processor\t: %ld\nmodel name\t: Gemel virtual %s CPU\n\n", i,
                    p->abi->name);
        }
        return;
    }
    uint64_t h = a64_hwcap(c), h2 = a64_hwcap2(c);
    for (long i = 0; i < cpus; i++) {
        fprintf(out, "processor\t: %ld\nBogoMIPS\t: 100.00\nFeatures\t:", i);
        print_flags(out, h, hwcap, 32);
        print_flags(out, h2, hwcap2, 20);
        fprintf(out,
                "\nCPU implementer\t: 0x%02x\nCPU architecture: 8\nCPU variant\t: 0x%x\n"
                "CPU part\t: 0x%03x\nCPU revision\t: %u\n\n",
                (unsigned)(c->midr >> 24 & 0xff), (unsigned)(c->midr >> 20 & 0xf),
                (unsigned)(c->midr >> 4 & 0xfff), (unsigned)(c->midr & 0xf));
    }
}

static const struct {
    const char *name;
    void (*print)(UserProcess *p, FILE *out);
} files[] = {
    {"maps", print_maps}, {"cmdline", print_cmdline}, {"environ", print_environ},
    {"auxv", print_auxv}, {"stat", print_stat},
};

int user_proc_open(UserThread *t, const char *path, int flags)
{
    void (*print)(UserProcess *, FILE *) = NULL;
    const char *name = own_name(path);
    if (!strcmp(path, "/proc/cpuinfo")) {
        print = print_cpuinfo;
    }
    for (unsigned i = 0; name && i < sizeof files / sizeof *files; i++) {
        print = strcmp(name, files[i].name) ? print : files[i].print;
    }
    if (!print) {
        return -1;
    }
    if ((flags & O_ACCMODE) != O_RDONLY) {
        return -EACCES;
    }
    int fd = memfd_create(path + 1, flags & O_CLOEXEC ? MFD_CLOEXEC : 0);
    int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    FILE *out = copy < 0 ? NULL : fdopen(copy, "w");
    if (!out) {
        int e = errno;
        if (fd >= 0) {
            close(fd);
        }
        if (copy >= 0) {
            close(copy);
        }
        return -e;
    }
    print(t->proc, out);
    fclose(out);
    lseek(fd, 0, SEEK_SET);
    return fd;
}
