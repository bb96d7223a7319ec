/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest: mmap, munmap, mprotect, mremap, brk, shm, madvise, code that changes, /proc/self. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

enum { PAGE = 4096 };
static sigjmp_buf jump;
static void on_fault(int sig)
{
    (void)sig;
    siglongjmp(jump, 1);
}

static int faults(volatile char *p, int write)
{
    if (sigsetjmp(jump, 1)) {
        return 1;
    }
    if (write) {
        *p = 1;
    } else {
        (void)*p;
    }
    return 0;
}

static char *map(void *at, size_t n, int prot, int flags)
{
    return mmap(at, n, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static void mapping(void)
{
    char *a = map(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, 0);
    check(a != MAP_FAILED);
    memset(a, 7, 4 * PAGE);
    check(munmap(a + PAGE, PAGE) == 0 && faults(a + PAGE, 0) && !faults(a, 1));
    check(map(a + PAGE, PAGE, PROT_READ, MAP_FIXED) == a + PAGE);
    check(a[PAGE] == 0 && faults(a + PAGE, 1));
    check(mprotect(a, 4 * PAGE, PROT_NONE) == 0 && faults(a, 0));
    check(mprotect(a, 4 * PAGE, PROT_READ | PROT_WRITE) == 0 && a[2 * PAGE] == 7);
    munmap(a + 3 * PAGE, PAGE);
    check_errno(mprotect(a, 4 * PAGE, PROT_READ), ENOMEM);
    check(faults(a, 1)); /* the part before the hole did change */
    check(munmap(a, 4 * PAGE) == 0 && munmap(a, 4 * PAGE) == 0);
    check(map(NULL, 0, PROT_READ, 0) == MAP_FAILED && errno == EINVAL);
    check(map((void *)5, PAGE, PROT_READ, MAP_FIXED) == MAP_FAILED && errno == EINVAL);
    check(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0) == MAP_FAILED && errno == EBADF);
    check(map((void *)-PAGE, PAGE, PROT_READ, MAP_FIXED) == MAP_FAILED && errno == ENOMEM);
    check_errno(munmap((void *)1, PAGE), EINVAL);
    check_errno(munmap(NULL, 0), EINVAL);
    a = map(NULL, PAGE, PROT_READ, 0);
    check(map(a, PAGE, PROT_READ, MAP_FIXED_NOREPLACE) == MAP_FAILED && errno == EEXIST);
    char *hint = (char *)0x600000000;
    char *b = map(hint, PAGE, PROT_READ, 0);
    check(b == hint);
    munmap(b, PAGE);
}

/* Everything above and below: the emulator must not be reachable by address. */
static void sweep(void)
{
    int mapped = 0;
    for (uint64_t at = 0x550000000000; at < 0x7ffffffff000; at += 0x2000000000) {
        char *p = map((void *)at, PAGE, PROT_READ, MAP_FIXED_NOREPLACE);
        if (p != MAP_FAILED) {
            mapped++;
            munmap(p, PAGE);
        }
    }
    check(mapped > 100);
    /* all of the address space at once: the emulator's pages survive (or it fails) */
    check(munmap((void *)0x7f0000000000, 0) == -1);
}

static void remapping(void)
{
    char *a = map(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, 0);
    a[0] = 1;
    a[PAGE] = 2;
    char *b = mremap(a, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
    check(b != MAP_FAILED && b[0] == 1 && b[PAGE] == 2 && !faults(b + 63 * PAGE, 1));
    check(mremap(b, 64 * PAGE, PAGE, 0) == b && faults(b + PAGE, 0));
    char *to = map(NULL, 4 * PAGE, PROT_NONE, 0);
    check(mremap(b, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to && to[0] == 1);
    check(b == to || faults(b, 0));
    check(mremap((void *)0x5000, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
    munmap(to, 4 * PAGE);
    char *top = sbrk(0);
    check(sbrk(10 * PAGE) == top && !faults(top + 9 * PAGE, 1));
    check(brk(top) == 0 && sbrk(0) == top);
}

static void shared(void)
{
    int id = shmget(IPC_PRIVATE, 3 * PAGE, 0600);
    check(id >= 0);
    char *a = shmat(id, NULL, 0), *b = shmat(id, NULL, SHM_RDONLY);
    a[5] = 9;
    check(b[5] == 9 && faults(b, 1));
    struct shmid_ds ds;
    check(shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_segsz == 3 * PAGE && ds.shm_nattch == 2);
    check(shmdt(a) == 0 && faults(a, 0) && shmdt(b) == 0);
    check_errno(shmdt(a), EINVAL);
    shmctl(id, IPC_RMID, NULL);
    check(shmat(id, NULL, 0) == (void *)-1 && errno == EINVAL);
    char *z = map(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, 0);
    z[0] = 1;
    check(madvise(z, PAGE, MADV_DONTNEED) == 0 && z[0] == 0);
    check_errno(madvise(z + 1, PAGE, MADV_DONTNEED), EINVAL);
    munmap(z + PAGE, PAGE);
    check_errno(madvise(z, 2 * PAGE, MADV_NORMAL), ENOMEM);
}

/* mov w0, #n; ret */
static void put_code(uint32_t *code, unsigned n)
{
    code[0] = 0x52800000 | n << 5;
    code[1] = 0xd65f03c0;
    __builtin___clear_cache((char *)code, (char *)(code + 2));
}

static void code(void)
{
    uint32_t *c = (uint32_t *)map(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, 0);
    int ok = 1;
    for (unsigned i = 0; i < 2000; i++) {
        put_code(c, i);
        ok &= ((unsigned (*)(void))c)() == i;
    }
    check(ok);
    for (unsigned i = 0; i < 50; i++) { /* W xor X */
        mprotect(c, PAGE, PROT_READ | PROT_WRITE);
        put_code(c, i + 7);
        mprotect(c, PAGE, PROT_READ | PROT_EXEC);
        ok &= ((unsigned (*)(void))c)() == i + 7;
    }
    check(ok);
    for (unsigned i = 0; i < 50; i++) { /* mapped anew at the same place */
        c = (uint32_t *)map(c, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_FIXED);
        put_code(c, i + 100);
        ok &= ((unsigned (*)(void))c)() == i + 100;
        munmap(c, PAGE);
    }
    check(ok);
    /* two views of one page */
    int fd = memfd_create("code", 0);
    check(ftruncate(fd, PAGE) == 0);
    uint32_t *w = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    uint32_t *x = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    for (unsigned i = 0; i < 50; i++) {
        put_code(w, i);
        __builtin___clear_cache((char *)x, (char *)(x + 2));
        ok &= ((unsigned (*)(void))x)() == i;
    }
    check(ok);
}

static void proc(void)
{
    char buf[256], *line = NULL;
    size_t cap = 0;
    int stack = 0, exe = 0, bad = 0, vdso = 0, exec = 0;
    FILE *f = fopen("/proc/self/maps", "r");
    char me[4096];
    ssize_t n = readlink("/proc/self/exe", me, sizeof me - 1);
    check(n > 0 && n < 4095);
    me[n] = 0;
    check(!strstr(me, "gemel-user") && strstr(me, "memory"));
    while (getline(&line, &cap, f) > 0) {
        stack += strstr(line, "[stack]") != NULL;
        vdso += strstr(line, "[vdso]") != NULL;
        exe += strstr(line, me) != NULL;
        exec += strstr(line, " r-xp ") != NULL;
        bad += strstr(line, "gemel-") != NULL && !strstr(line, "memory");
    }
    fclose(f);
    check(stack == 1 && vdso == 1 && exe >= 2 && exec >= 2 && !bad);
    f = fopen("/proc/self/cmdline", "r");
    n = (ssize_t)fread(buf, 1, sizeof buf, f);
    fclose(f);
    check(n > 0 && strstr(buf, "memory"));
    int fd = open("/proc/self/auxv", O_RDONLY);
    uint64_t aux[128];
    n = read(fd, aux, sizeof aux);
    check(n > 100);
    for (int i = 0; i < n / 8; i += 2) {
        if (aux[i] == AT_RANDOM) {
            check(aux[i + 1] == getauxval(AT_RANDOM));
        }
    }
    check(getauxval(AT_PAGESZ) == PAGE && getauxval(AT_SYSINFO_EHDR));
    check(!strcmp((char *)getauxval(AT_PLATFORM), "aarch64"));
    check(getauxval(AT_HWCAP) & HWCAP_FP);
    struct stat a, b;
    check(stat("/proc/self/exe", &a) == 0 && stat(me, &b) == 0 && a.st_ino == b.st_ino);
    fd = open("/proc/self/mem", O_RDWR);
    int v = 5, w = 0;
    check(pread(fd, &w, 4, (off_t)&v) == 4 && w == 5);
    close(fd);
}

int main(void)
{
    struct sigaction sa = {.sa_handler = on_fault};
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGBUS, &sa, NULL);
    mapping();
    sweep();
    remapping();
    shared();
    code();
    proc();
    return done("memory");
}
