/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest: code that changes under the program, by every way a JIT compiler or a loader uses: rewritten in
 * place, through a second mapping, between mprotect()s, unmapped and mapped anew, moved by mremap(),
 * read() from a file, patched while four threads run it, changed in a child only.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { PAGE = 4096, RET = 0xd65f03c0, NOP = 0xd503201f };

typedef unsigned (*Fn)(void);

static uint32_t mov_w0(unsigned n)
{
    return 0x52800000 | (n & 0xffff) << 5;
}

static void flush(void *p, size_t bytes)
{
    __builtin___clear_cache(p, (char *)p + bytes);
}

static void emit(uint32_t *p, unsigned n)
{
    p[0] = mov_w0(n);
    p[1] = RET;
    flush(p, 8);
}

static void *pages(size_t n, int prot)
{
    void *p = mmap(NULL, n * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(p != MAP_FAILED);
    return p;
}

static void in_place(void)
{
    uint32_t *p = pages(1, PROT_READ | PROT_WRITE | PROT_EXEC);
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t *at = p + (i % 64) * 2;
        emit(at, i);
        check(((Fn)at)() == (i & 0xffff));
        if (i >= 64) { /* the neighbours stay as they were */
            check(((Fn)(p + ((i + 1) % 64) * 2))() == ((i - 63) & 0xffff));
        }
    }
    munmap(p, PAGE);
}

/* Hot enough for the second tier, then changed. */
static void hot_then_changed(void)
{
    uint32_t *p = pages(1, PROT_READ | PROT_WRITE | PROT_EXEC);
    for (unsigned round = 1; round <= 20; round++) {
        unsigned sum = 0;
        emit(p, round);
        for (unsigned i = 0; i < 20000; i++) {
            sum += ((Fn)p)();
        }
        check(sum == round * 20000);
    }
    munmap(p, PAGE);
}

static void two_mappings(void)
{
    int fd = memfd_create("code", 0);
    check(fd >= 0 && ftruncate(fd, PAGE) == 0);
    uint32_t *w = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    uint32_t *x = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    check(w != MAP_FAILED && x != MAP_FAILED);
    for (unsigned i = 0; i < 2000; i++) {
        w[0] = mov_w0(i);
        w[1] = RET;
        flush(x, 8);
        check(((Fn)x)() == i);
    }
    munmap(w, PAGE);
    munmap(x, PAGE);
    close(fd);
}

static void write_xor_execute(void)
{
    uint32_t *p = pages(1, PROT_READ | PROT_WRITE);
    for (unsigned i = 0; i < 500; i++) {
        check(mprotect(p, PAGE, PROT_READ | PROT_WRITE) == 0);
        emit(p, i);
        check(mprotect(p, PAGE, PROT_READ | PROT_EXEC) == 0);
        check(((Fn)p)() == i);
    }
    munmap(p, PAGE);
}

static void mapped_anew(void)
{
    char *at = pages(4, PROT_NONE);
    for (unsigned i = 0; i < 500; i++) {
        uint32_t *p = mmap(at + PAGE * (i % 3), PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        check((char *)p == at + PAGE * (i % 3));
        emit(p, i);
        check(((Fn)p)() == i);
        check(munmap(p, PAGE) == 0);
    }
    munmap(at, 4 * PAGE);
}

static void from_file(void)
{
    char name[] = "/tmp/rewrite.XXXXXX";
    int fd = mkstemp(name);
    uint32_t code[2] = {0, RET};
    uint32_t *p = pages(1, PROT_READ | PROT_WRITE | PROT_EXEC);
    check(fd >= 0);
    for (unsigned i = 0; i < 500; i++) {
        code[0] = mov_w0(i);
        check(pwrite(fd, code, sizeof code, 0) == sizeof code);
        check(pread(fd, p, sizeof code, 0) == sizeof code); /* the kernel writes the code */
        flush(p, sizeof code);
        check(((Fn)p)() == i);
    }
    for (unsigned i = 0; i < 100; i++) { /* another file's pages over the same address */
        code[0] = mov_w0(i + 7);
        check(pwrite(fd, code, sizeof code, (off_t)(i % 4) * PAGE) == sizeof code);
        uint32_t *x = mmap(p, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd,
                           (off_t)(i % 4) * PAGE);
        check(x == p && ((Fn)x)() == i + 7);
    }
    munmap(p, PAGE);
    close(fd);
    unlink(name);
}

static void moved(void)
{
    uint32_t *p = pages(1, PROT_READ | PROT_WRITE | PROT_EXEC);
    char *hole = pages(2, PROT_NONE);
    for (unsigned i = 0; i < 300; i++) {
        emit(p, i);
        check(((Fn)p)() == i);
        uint32_t *to = (uint32_t *)(hole + PAGE * (i & 1));
        uint32_t *q = mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
        check(q == to && ((Fn)q)() == i);
        p = mmap(p, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        check(p != MAP_FAILED);
        emit(p, i + 1);
        check(((Fn)p)() == i + 1);
    }
    munmap(p, PAGE);
    munmap(hole, 2 * PAGE);
}

/* A loop that patches its own next instruction. */
static void patches_itself(void)
{
    /* x0: patch address, w1: instruction; 0: str w1,[x0]; dc cvau; dsb; ic ivau; dsb; isb; patched; ret */
    static const uint32_t code[] = {0xb9000001, 0xd50b7b20, 0xd5033b9f, 0xd50b7520,
                                    0xd5033b9f, 0xd5033fdf, NOP,        RET};
    uint32_t *p = pages(1, PROT_READ | PROT_WRITE | PROT_EXEC);
    memcpy(p, code, sizeof code);
    flush(p, sizeof code);
    unsigned (*fn)(uint32_t *, uint32_t) = (unsigned (*)(uint32_t *, uint32_t))p;
    for (unsigned i = 0; i < 5000; i++) {
        check(fn(p + 6, mov_w0(i)) == i);
    }
    munmap(p, PAGE);
}

/* ---- four threads run what one patches: old or new, and new once the patch was announced ---- */

static uint32_t *shared;
static _Atomic unsigned announced;
static _Atomic int stop;
static _Atomic unsigned wrong;

static void *runner(void *arg)
{
    (void)arg;
    while (!atomic_load(&stop)) {
        unsigned before = atomic_load(&announced);
        __asm__ volatile("isb" ::: "memory");
        unsigned got = ((Fn)shared)();
        unsigned after = atomic_load(&announced);
        if (got < before || got > after + 1) {
            atomic_fetch_add(&wrong, 1);
        }
    }
    return NULL;
}

static void patched_while_running(void)
{
    pthread_t t[4];
    shared = pages(1, PROT_READ | PROT_WRITE | PROT_EXEC);
    emit(shared, 0);
    for (int i = 0; i < 4; i++) {
        check(pthread_create(&t[i], NULL, runner, NULL) == 0);
    }
    for (unsigned n = 1; n <= 3000; n++) {
        __atomic_store_n(shared, mov_w0(n), __ATOMIC_RELEASE);
        flush(shared, 4);
        atomic_store(&announced, n);
        if (n % 64 == 0) {
            usleep(200); /* let it get hot */
        }
    }
    atomic_store(&stop, 1);
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], NULL);
    }
    check(atomic_load(&wrong) == 0);
    munmap(shared, PAGE);
}

static void child_only(void)
{
    uint32_t *p = pages(1, PROT_READ | PROT_WRITE | PROT_EXEC);
    for (unsigned i = 0; i < 20; i++) {
        emit(p, i);
        check(((Fn)p)() == i);
        pid_t pid = fork();
        if (pid == 0) {
            emit(p, i + 100);
            _exit(((Fn)p)() == i + 100 ? 0 : 1);
        }
        int status = -1;
        check(waitpid(pid, &status, 0) == pid && status == 0);
        check(((Fn)p)() == i);
    }
    munmap(p, PAGE);
}

int main(void)
{
    in_place();
    hot_then_changed();
    two_mappings();
    write_xor_execute();
    mapped_anew();
    from_file();
    moved();
    patches_itself();
    patched_while_running();
    child_only();
    return done("rewrite");
}
