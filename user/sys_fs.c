/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls on files and folders. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/abi.h"
#include "user/user.h"

/* ---- open flags ---- */

static const struct {
    uint32_t guest, host;
} flag_pairs[] = {
    {040000, 0200000},  /* O_DIRECTORY */
    {0100000, 0400000}, /* O_NOFOLLOW */
    {0200000, 040000},  /* O_DIRECT */
    {0400000, 0100000}, /* O_LARGEFILE */
};
enum { FLAG_PAIRS_MASK = 0740000 };

uint64_t user_open_flags_to_host(uint64_t guest)
{
    uint64_t h = guest & ~(uint64_t)FLAG_PAIRS_MASK;
    for (unsigned i = 0; i < 4; i++) {
        h |= guest & flag_pairs[i].guest ? flag_pairs[i].host : 0;
    }
    return h;
}

uint64_t user_open_flags_to_guest(uint64_t host)
{
    uint64_t g = host & ~(uint64_t)FLAG_PAIRS_MASK;
    for (unsigned i = 0; i < 4; i++) {
        g |= host & flag_pairs[i].host ? flag_pairs[i].guest : 0;
    }
    return g;
}

/* ---- paths ---- */

typedef struct Path {
    char name[4096], below_root[4096];
} Path;

/* The path at `at`, moved below -L ROOT where that has it; *out is what the host should see. */
static int64_t get_path(UserThread *t, uint64_t at, Path *p, const char **out)
{
    int64_t n = user_get_string(p->name, at, sizeof p->name);
    if (n >= 0) {
        *out = user_path(t->proc->opt, p->name, p->below_root);
    }
    return n;
}

/* A call with one path at argument i that -L ROOT applies to. */
static int64_t path_call(UserThread *t, long host, const uint64_t a[6], unsigned i)
{
    Path p;
    const char *path;
    uint64_t b[6];
    memcpy(b, a, sizeof b);
    if (t->proc->opt->root && a[i]) {
        int64_t e = get_path(t, a[i], &p, &path);
        if (e < 0) {
            return e;
        }
        b[i] = (uint64_t)path;
    }
    return user_host_call(t, host, b);
}

static int64_t open_path(UserThread *t, int dirfd, uint64_t at, uint64_t flags, uint64_t mode)
{
    Path p;
    const char *path;
    int64_t e = get_path(t, at, &p, &path);
    if (e < 0) {
        return e;
    }
    int fd = user_proc_open(t, p.name, (int)flags);
    if (fd != -1) {
        return fd;
    }
    const char *link = user_proc_link(t, p.name);
    if (link && !(flags & O_NOFOLLOW)) {
        path = link;
    }
    return USER_CALL(t, SYS_openat, (uint64_t)dirfd, (uint64_t)path, flags, mode, 0, 0);
}

SYS_DEF(openat)
{
    return open_path(t, (int)a[0], a[1], user_open_flags_to_host(a[2]), a[3]);
}

SYS_DEF(openat2)
{
    struct open_how how = {0};
    uint8_t extra[64] = {0}, zero[64] = {0};
    if (a[3] < sizeof how) {
        return -EINVAL;
    }
    if (a[3] > sizeof how + sizeof extra) {
        return -E2BIG;
    }
    if (user_get(&how, a[2], sizeof how) || user_get(extra, a[2] + sizeof how, a[3] - sizeof how)) {
        return -EFAULT;
    }
    if (memcmp(extra, zero, sizeof zero)) {
        return -E2BIG;
    }
    how.flags = user_open_flags_to_host(how.flags);
    if (!how.resolve) {
        Path p;
        int64_t n = user_get_string(p.name, a[1], sizeof p.name);
        int fd = n < 0 ? (int)n : user_proc_open(t, p.name, (int)how.flags);
        if (fd != -1) {
            return fd;
        }
    }
    return path_call(t, SYS_openat2, (const uint64_t[6]){a[0], a[1], (uint64_t)&how, sizeof how},
                     1);
}

SYS_DEF(open_by_handle_at)
{
    return USER_CALL(t, SYS_open_by_handle_at, a[0], a[1], user_open_flags_to_host(a[2]));
}

SYS_DEF(readlinkat)
{
    Path p;
    const char *path;
    int64_t n = get_path(t, a[1], &p, &path);
    if (n < 0) {
        return n;
    }
    const char *link = user_proc_link(t, p.name);
    if (!link) {
        return USER_CALL(t, SYS_readlinkat, a[0], (uint64_t)path, a[2], a[3]);
    }
    if ((int)a[3] <= 0) {
        return -EINVAL;
    }
    size_t len = strlen(link);
    len = len < a[3] ? len : a[3];
    return user_put(a[2], link, len) ? -EFAULT : (int64_t)len;
}

SYS_DEF(faccessat)
{
    return path_call(t, SYS_faccessat, a, 1);
}

SYS_DEF(faccessat2)
{
    return path_call(t, SYS_faccessat2, a, 1);
}

SYS_DEF(statx)
{
    return path_call(t, SYS_statx, a, 1);
}

SYS_DEF(statfs)
{
    return path_call(t, SYS_statfs, a, 0);
}

SYS_DEF(chdir)
{
    int64_t r = USER_CALL(t, SYS_chdir, a[0]);
    return r == -ENOENT ? path_call(t, SYS_chdir, a, 0) : r;
}

/* ---- stat: arm64 has the generic struct ---- */

typedef struct A64Stat {
    uint64_t dev, ino;
    uint32_t mode, nlink, uid, gid;
    uint64_t rdev, pad1;
    int64_t size;
    int32_t blksize, pad2;
    int64_t blocks;
    struct {
        int64_t s;
        uint64_t ns;
    } atime, mtime, ctime;
    uint32_t unused[2];
} A64Stat;
_Static_assert(sizeof(A64Stat) == 128, "struct stat of asm-generic");

static int64_t put_stat(uint64_t at, const struct stat *s)
{
    A64Stat g = {
        .dev = s->st_dev,
        .ino = s->st_ino,
        .mode = s->st_mode,
        .nlink = (uint32_t)s->st_nlink,
        .uid = s->st_uid,
        .gid = s->st_gid,
        .rdev = s->st_rdev,
        .size = s->st_size,
        .blksize = (int32_t)s->st_blksize,
        .blocks = s->st_blocks,
        .atime = {s->st_atim.tv_sec, (uint64_t)s->st_atim.tv_nsec},
        .mtime = {s->st_mtim.tv_sec, (uint64_t)s->st_mtim.tv_nsec},
        .ctime = {s->st_ctim.tv_sec, (uint64_t)s->st_ctim.tv_nsec},
    };
    return user_put(at, &g, sizeof g);
}

SYS_DEF(fstat)
{
    struct stat s;
    int64_t r = USER_CALL(t, SYS_fstat, a[0], (uint64_t)&s);
    return r ? r : put_stat(a[1], &s);
}

SYS_DEF(newfstatat)
{
    struct stat s;
    const char *link = NULL;
    char name[32];
    if (a[1] && user_get_string(name, a[1], sizeof name) > 0) {
        link = a[3] & AT_SYMLINK_NOFOLLOW ? NULL : user_proc_link(t, name);
    }
    uint64_t b[6] = {a[0], link ? (uint64_t)link : a[1], (uint64_t)&s, a[3]};
    int64_t r = link ? user_host_call(t, SYS_newfstatat, b) : path_call(t, SYS_newfstatat, b, 1);
    return r ? r : put_stat(a[2], &s);
}

/* ---- descriptors ---- */

SYS_DEF(close)
{
    return user_is_self_fd(t->proc, (int)a[0]) ? -EBADF : USER_CALL(t, SYS_close, a[0]);
}

SYS_DEF(close_range)
{
    unsigned first = (unsigned)a[0], last = (unsigned)a[1], own = (unsigned)t->proc->self_fd;
    if (t->proc->self_fd < 0 || own < first || own > last || first > last || (a[2] & 4)) {
        return USER_CALL(t, SYS_close_range, first, last, a[2]);
    }
    int64_t r = 0;
    if (own > first) {
        r = USER_CALL(t, SYS_close_range, first, own - 1, a[2]);
    }
    if (!r && own < last) {
        r = USER_CALL(t, SYS_close_range, own + 1, last, a[2] & ~(uint64_t)2);
    }
    return r;
}

SYS_DEF(dup3)
{
    if (user_is_self_fd(t->proc, (int)a[1]) && a[0] != a[1]) {
        int other = fcntl(t->proc->self_fd, F_DUPFD_CLOEXEC, 3);
        if (other < 0) {
            return -errno;
        }
        t->proc->self_fd = other;
    }
    return USER_CALL(t, SYS_dup3, a[0], a[1], a[2]);
}

SYS_DEF(pipe2)
{
    return USER_CALL(t, SYS_pipe2, a[0], user_open_flags_to_host(a[1]));
}

SYS_DEF(fanotify_init)
{
    return USER_CALL(t, SYS_fanotify_init, a[0], user_open_flags_to_host(a[1]));
}

/* ---- what may take /proc, and with it our own executable, out of sight ---- */

SYS_DEF(chroot)
{
    user_self_fd_keep(t->proc);
    return USER_CALL(t, SYS_chroot, a[0]);
}

SYS_DEF(pivot_root)
{
    user_self_fd_keep(t->proc);
    return USER_CALL(t, SYS_pivot_root, a[0], a[1]);
}

SYS_DEF(umount2)
{
    user_self_fd_keep(t->proc);
    return USER_CALL(t, SYS_umount2, a[0], a[1]);
}

SYS_DEF(mount)
{
    user_self_fd_keep(t->proc);
    return USER_CALL(t, SYS_mount, a[0], a[1], a[2], a[3], a[4]);
}

SYS_DEF(move_mount)
{
    user_self_fd_keep(t->proc);
    return USER_CALL(t, SYS_move_mount, a[0], a[1], a[2], a[3], a[4]);
}
