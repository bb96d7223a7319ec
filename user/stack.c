/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The initial stack, laid out as Linux does on arm64 (fs/binfmt_elf.c as observed; the gABI and
 * getauxval(3) say what must be there). From the top: a null word, the file name, the environment
 * strings, the argument strings, the platform string, 16 random bytes, then aligned to 16: the
 * auxiliary vector, envp, argv, argc.
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "user/guest_abi.h"

enum {
    STACK_DEFAULT = 8 << 20,
    STACK_MIN = 256 << 10,
};
#define STACK_MAX ((uint64_t)1 << 30)

static uint64_t stack_bytes(void)
{
    struct rlimit l;
    if (getrlimit(RLIMIT_STACK, &l) || l.rlim_cur == RLIM_INFINITY) {
        return STACK_DEFAULT;
    }
    uint64_t n = l.rlim_cur & ~(uint64_t)(USER_PAGE - 1);
    return n < STACK_MIN ? STACK_MIN : n > STACK_MAX ? STACK_MAX : n;
}

/* Copies a string below sp; returns its address. */
static uint64_t push_string(uint64_t *sp, const char *s)
{
    size_t n = strlen(s) + 1;
    *sp -= n;
    memcpy((void *)*sp, s, n);
    return *sp;
}

static size_t count(char **v)
{
    size_t n = 0;
    while (v[n]) {
        n++;
    }
    return n;
}

static size_t total(char **v)
{
    size_t n = 0;
    for (; *v; v++) {
        n += strlen(*v) + 1 + 8;
    }
    return n;
}

static void aux(UserProcess *p, uint64_t type, uint64_t value)
{
    p->auxv[p->n_auxv++] = type;
    p->auxv[p->n_auxv++] = value;
}

static void fill_auxv(UserProcess *p, const UserImage *im, const UserImage *in, uint64_t execfn,
                      uint64_t random, uint64_t platform)
{
    p->n_auxv = 0;
    if (p->vdso) {
        aux(p, AT_SYSINFO_EHDR, p->vdso);
    }
    aux(p, AT_MINSIGSTKSZ, p->abi->min_sigstack);
    aux(p, AT_HWCAP, p->abi->hwcap(p->threads, 0));
    aux(p, AT_PAGESZ, USER_PAGE);
    aux(p, AT_CLKTCK, (uint64_t)sysconf(_SC_CLK_TCK));
    aux(p, AT_PHDR, im->phdr);
    aux(p, AT_PHENT, sizeof(Elf64_Phdr));
    aux(p, AT_PHNUM, im->phnum);
    aux(p, AT_BASE, in ? in->load_bias + in->start : 0);
    aux(p, AT_FLAGS, 0);
    aux(p, AT_ENTRY, im->entry);
    aux(p, AT_UID, getuid());
    aux(p, AT_EUID, geteuid());
    aux(p, AT_GID, getgid());
    aux(p, AT_EGID, getegid());
    aux(p, AT_SECURE, getauxval(AT_SECURE));
    aux(p, AT_RANDOM, random);
    aux(p, AT_HWCAP2, p->abi->hwcap(p->threads, 1));
    aux(p, AT_EXECFN, execfn);
    aux(p, AT_PLATFORM, platform);
    aux(p, AT_NULL, 0);
}

static int map_stack(UserProcess *p, size_t strings, bool executable)
{
    uint64_t bytes = stack_bytes();
    if (strings + (128 << 10) > bytes) {
        bytes = (strings + (256 << 10) + USER_PAGE - 1) & ~(uint64_t)(USER_PAGE - 1);
    }
    uint8_t *a = user_map_reserve(&p->map, bytes + USER_PAGE, PROT_NONE);
    if (!a) {
        return -ENOMEM;
    }
    a += USER_PAGE; /* the page below stays inaccessible and is not the guest's */
    if (mprotect(a, bytes, PROT_READ | PROT_WRITE)) {
        return -errno;
    }
    p->stack_start = (uint64_t)a;
    p->stack_end = (uint64_t)a + bytes;
    UserRegion r = {.start = p->stack_start,
                    .end = p->stack_end,
                    .prot = PROT_READ | PROT_WRITE | (executable ? PROT_EXEC : 0),
                    .kind = USER_R_STACK};
    user_map_note(&p->map, &r);
    return 0;
}

int user_stack_build(UserProcess *p, const UserImage *im, const UserImage *interp, char **argv,
                     char **env, const char *execfn)
{
    size_t argc = count(argv), envc = count(env);
    int e = map_stack(p, total(argv) + total(env) + strlen(execfn), im->exec_stack);
    uint64_t *ptr = malloc((argc + envc + 2) * sizeof *ptr);
    if (e || !ptr) {
        free(ptr);
        return e ? e : -ENOMEM;
    }
    uint64_t sp = p->stack_end - 8;
    uint64_t name = push_string(&sp, execfn);
    p->env_end = sp;
    for (size_t i = envc; i-- > 0;) {
        ptr[argc + 1 + i] = push_string(&sp, env[i]);
    }
    p->env_start = p->arg_end = sp;
    for (size_t i = argc; i-- > 0;) {
        ptr[i] = push_string(&sp, argv[i]);
    }
    p->arg_start = sp;
    ptr[argc] = ptr[argc + 1 + envc] = 0;
    sp &= ~(uint64_t)15;
    uint64_t platform = push_string(&sp, p->abi->name);
    sp = (sp - 16) & ~(uint64_t)15;
    uint64_t random = sp;
    if (getrandom((void *)random, 16, 0) != 16) {
        memcpy((void *)random, (const void *)getauxval(AT_RANDOM), 16);
    }
    fill_auxv(p, im, interp, name, random, platform);
    size_t words = 1 + argc + 1 + envc + 1 + p->n_auxv;
    sp = (sp - words * 8) & ~(uint64_t)15;
    uint64_t *w = (uint64_t *)sp;
    w[0] = argc;
    memcpy(w + 1, ptr, (argc + 1 + envc + 1) * 8);
    memcpy(w + 1 + argc + 1 + envc + 1, p->auxv, p->n_auxv * 8);
    p->stack_sp = sp;
    free(ptr);
    return 0;
}
