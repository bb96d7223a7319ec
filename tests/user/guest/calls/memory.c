/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls on memory. */
#include "calls.h"

#include <sys/uio.h>

enum { PAGE = 4096 };

/* Addresses change from run to run: only errors are shown. */
#define MAPPED(row, ...) DID(row, (unsigned long)S(row, __VA_ARGS__) < -4095ul)

static char *fresh(size_t pages)
{
    return mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void mapping(void)
{
    char *p = (char *)S(mmap, 0, 4 * PAGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    DID(mmap, p != MAP_FAILED && !p[0] && (p[0] = 1));
    ERR(mmap, EINVAL, 0, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ERR(mmap, EBADF, 0, PAGE, PROT_READ, MAP_PRIVATE, NOFD, 0);
    ERR(mmap, EINVAL, 0, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0);
    ERR(mmap, EEXIST, p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | 0x100000, -1, 0);
    ERR(mmap, EINVAL, 0, PAGE, PROT_READ, MAP_PRIVATE, 0, 1);
    VAL(mprotect, 0, p + PAGE, PAGE, PROT_NONE);
    ERR(mprotect, EINVAL, p + 1, PAGE, PROT_READ);
    ERR(mprotect, ENOMEM, 4096, PAGE, PROT_READ);
    ERR(mremap, EINVAL, p + 1, PAGE, PAGE, 0, 0);
    char *q = (char *)S(mremap, p, PAGE, 8 * PAGE, MREMAP_MAYMOVE, 0);
    DID(mremap, q != p && q[0] == 1);
    ERR(mremap, EFAULT, p, PAGE, PAGE * 2, 0, 0);
    VAL(munmap, 0, q, 8 * PAGE);
    ERR(munmap, EINVAL, q + 1, PAGE);
    long top = S(brk, 0);
    DID(brk, S(brk, top + PAGE) == top + PAGE);
    S(brk, top);
    DID(brk, S(brk, 1) == top);
    NOERR(brk);
    VAL(pkey_mprotect, 0, p + PAGE, PAGE, PROT_READ, -1);
    ERR(pkey_mprotect, EINVAL, p + PAGE, PAGE, PROT_READ, 99);
    munmap(p, 4 * PAGE);
}

static void advice(void)
{
    char *p = fresh(4);
    unsigned char in[4];
    int self = syscall(SYS_pidfd_open, getpid(), 0);
    struct iovec v = {p, PAGE};
    p[0] = 1;
    VAL(mincore, 0, p, PAGE, in);
    DID(mincore, in[0] & 1);
    ERR(mincore, ENOMEM, 4096, PAGE, in);
    VAL(madvise, 0, p, PAGE, MADV_DONTNEED);
    DID(madvise, p[0] == 0);
    ERR(madvise, EINVAL, p, PAGE, 999);
    ERR(madvise, ENOMEM, 4096, PAGE, MADV_NORMAL);
    VAL(process_madvise, PAGE, self, &v, 1, 20, 0); /* MADV_COLD */
    ERR(process_madvise, EINVAL, self, &v, 1, 20, 1);
    ERR(process_madvise, EBADF, NOFD, &v, 1, 20, 0);
    VAL(msync, 0, p, PAGE, MS_SYNC);
    ERR(msync, EINVAL, p, PAGE, 99);
    VAL(mlock, 0, p, PAGE);
    ERR(mlock, ENOMEM, 4096, PAGE);
    VAL(mlock2, 0, p, PAGE, 1);
    ERR(mlock2, EINVAL, p, PAGE, 2);
    VAL(munlock, 0, p, PAGE);
    ERR(munlock, ENOMEM, 4096, PAGE);
    VAL(mlockall, 0, MCL_CURRENT);
    ERR(mlockall, EINVAL, 0);
    VAL(munlockall, 0);
    NOERR(munlockall);
    char *shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared[PAGE] = 7;
    VAL(remap_file_pages, 0, shared, PAGE, 0, 1, 0);
    DID(remap_file_pages, shared[0] == 7);
    ERR(remap_file_pages, EINVAL, p, PAGE, 0, 0, 0);
    close(self);
}

static void policy(void)
{
    char *p = fresh(1);
    unsigned long mask[16] = {1};
    int mode, where = -1;
    void *page = p;
    p[0] = 1;
    VAL(set_mempolicy, 0, 0, 0, 0);
    ERR(set_mempolicy, EINVAL, 99, 0, 0);
    VAL(get_mempolicy, 0, &mode, 0, 0, 0, 0);
    DID(get_mempolicy, mode == 0);
    ERR(get_mempolicy, EINVAL, &mode, 0, 0, 0, 64);
    VAL(mbind, 0, p, PAGE, 2, mask, 64, 0);
    ERR(mbind, EINVAL, p, PAGE, 99, 0, 0, 0);
    VAL(set_mempolicy_home_node, 0, p, PAGE, 0, 0);
    ERR(set_mempolicy_home_node, EINVAL, p, PAGE, 9999, 0);
    VAL(migrate_pages, 0, 0, 2, mask, mask);
    ERR(migrate_pages, ESRCH, 99999999, 2, mask, mask);
    VAL(move_pages, 0, 0, 1, &page, 0, &where, 0);
    DID(move_pages, where == 0);
    ERR(move_pages, EINVAL, 0, 1, &page, 0, &where, 99);
}

static void others(void)
{
    char from[8] = "memory", to[8] = "";
    struct iovec l = {to, 7}, r = {from, 7};
    int fd = RES(memfd_create, "name", 1);
    ERR(memfd_create, EINVAL, "name", 0x8000);
    ERR(memfd_create, EFAULT, BAD, 0);
    close(fd);
    VAL(process_vm_readv, 7, getpid(), &l, 1, &r, 1, 0);
    DID(process_vm_readv, !strcmp(to, "memory"));
    ERR(process_vm_readv, EINVAL, getpid(), &l, 1, &r, 1, 1);
    l.iov_base = "second", r.iov_base = from;
    VAL(process_vm_writev, 7, getpid(), &l, 1, &r, 1, 0);
    DID(process_vm_writev, !strcmp(from, "second"));
    ERR(process_vm_writev, ESRCH, 99999999, &l, 1, &r, 1, 0);
    VAL(membarrier, 0, 16, 0, 0);
    DID(membarrier, S(membarrier, 0, 0, 0) > 0 && !S(membarrier, 8, 0, 0));
    ERR(membarrier, EINVAL, 1 << 30, 0, 0);
    REFUSED(process_mrelease);
    ERR(process_mrelease, EBADF, NOFD, 0);
    ERR(process_mrelease, EINVAL, NOFD, 1);
}

static void shared(void)
{
    struct { long pad[32]; } ds;
    long id = RES(shmget, 0, PAGE, 0600);
    ERR(shmget, EINVAL, 0, 0, 0600);
    ERR(shmget, ENOENT, 0x7ab1e, PAGE, 0);
    char *p = (char *)S(shmat, id, 0, 0);
    DID(shmat, (long)p > 0 && !p[5] && (p[5] = 3));
    ERR(shmat, EINVAL, -1, 0, 0);
    VAL(shmctl, 0, id, 2, &ds);
    DID(shmctl, ds.pad[6] == PAGE); /* shm_segsz */
    ERR(shmctl, EINVAL, id, 99, &ds);
    ERR(shmctl, EFAULT, id, 2, BAD);
    VAL(shmdt, 0, p);
    ERR(shmdt, EINVAL, p);
    VAL(shmctl, 0, id, 0, 0);
    ERR(shmctl, EINVAL, id, 2, &ds);
}

int main(void)
{
    mapping();
    advice();
    in_child(policy);
    others();
    shared();
    return 0;
}
