/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 9p: files of the host below one folder.
 *
 * A path is walked from the root's descriptor with openat(O_PATH | O_NOFOLLOW), one component at a
 * time; components are never "." or "..", and a symbolic link on the way is ENOTDIR. So whatever
 * the guest sends, and whatever others do to the tree meanwhile, the walk only goes down. Mapped
 * mode keeps what the guest thinks of owner, mode, device number in user.virtfs.* attributes (32 or
 * 64 bits, little-endian); links and device files are plain files there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "p9.h"
#include "util/bits.h"

enum { PROC_BYTES = 32 };

static int result(int r)
{
    return r < 0 ? errno : 0;
}

bool p9_open(P9Server *s, const char *path, P9Model model, bool read_only, Error *err)
{
    *s = (P9Server){.model = model, .read_only = read_only, .msize = P9_MIN_MSIZE};
    s->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return s->root >= 0 || error_set_errno(err, "path=%s", path);
}

void p9_close(P9Server *s)
{
    p9_reset(s);
    if (s->root >= 0) {
        close(s->root);
    }
    s->root = -1;
}

/* ---- walking */

/* Descriptor of path itself, O_PATH, not following a link at its end. */
static int walk(P9Server *s, const char *path, int *fd)
{
    char name[256];
    int at = fcntl(s->root, F_DUPFD_CLOEXEC, 0);

    while (at >= 0 && *path) {
        size_t n = strcspn(path, "/");
        bool last = !path[n];
        if (n >= sizeof name) {
            close(at);
            return ENAMETOOLONG;
        }
        memcpy(name, path, n);
        name[n] = 0;
        int next = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC | (last ? 0 : O_DIRECTORY));
        int e = errno;
        close(at);
        errno = e;
        at = next;
        path += last ? n : n + 1;
    }
    *fd = at;
    return result(at);
}

int p9_host_parent(P9Server *s, const char *path, int *fd, const char **name)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    char *folder = strndup(path, n);

    *name = slash ? slash + 1 : path;
    if (!folder) {
        return ENOMEM;
    }
    int e = **name ? walk(s, folder, fd) : EINVAL; /* the root has no name */
    free(folder);
    return e;
}

/* A path that leads to the object behind an O_PATH descriptor, for calls that have no *at form. */
static const char *proc_path(int fd, char buf[PROC_BYTES])
{
    snprintf(buf, PROC_BYTES, "/proc/self/fd/%d", fd);
    return buf;
}

/* ---- mapped attributes */

static bool attr_get(int fd, const char *name, uint8_t *buf, size_t bytes)
{
    char p[PROC_BYTES];

    return getxattr(proc_path(fd, p), name, buf, bytes) == (ssize_t)bytes;
}

static int attr_set(int fd, const char *name, uint64_t value, size_t bytes)
{
    char p[PROC_BYTES];
    uint8_t buf[8];

    store_le64(buf, value);
    return result(setxattr(proc_path(fd, p), name, buf, bytes, 0));
}

static void stat_map(int fd, struct stat *st)
{
    uint8_t v[8];

    if (attr_get(fd, "user.virtfs.uid", v, 4)) {
        st->st_uid = load_le32(v);
    }
    if (attr_get(fd, "user.virtfs.gid", v, 4)) {
        st->st_gid = load_le32(v);
    }
    if (attr_get(fd, "user.virtfs.mode", v, 4)) {
        st->st_mode = load_le32(v);
    }
    if (attr_get(fd, "user.virtfs.rdev", v, 8)) {
        st->st_rdev = load_le64(v);
    }
}

/* After creation: who it belongs to, and what it is. */
static int credit(P9Server *s, int fd, const P9Create *c)
{
    char p[PROC_BYTES];
    int e;

    if (s->model == P9_MAPPED) {
        e = attr_set(fd, "user.virtfs.uid", c->uid, 4);
        e = e ? e : attr_set(fd, "user.virtfs.gid", c->gid, 4);
        e = e ? e : attr_set(fd, "user.virtfs.mode", c->mode, 4);
        return e ? e : c->rdev ? attr_set(fd, "user.virtfs.rdev", c->rdev, 8) : 0;
    }
    e = result(fchownat(fd, "", c->uid, c->gid, AT_EMPTY_PATH));
    if (e && s->model == P9_PASSTHROUGH) {
        return e;
    }
    /* The umask was applied, and chown drops set-id bits. */
    return S_ISLNK(c->mode) ? 0 : result(chmod(proc_path(fd, p), c->mode & 07777));
}

static int credit_new(P9Server *s, int parent, const char *name, const P9Create *c)
{
    int fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0) {
        return errno;
    }
    int e = credit(s, fd, c);
    close(fd);
    if (e) {
        unlinkat(parent, name, S_ISDIR(c->mode) ? AT_REMOVEDIR : 0);
    }
    return e;
}

/* ---- operations */

int p9_host_stat(P9Server *s, const char *path, struct stat *st)
{
    int fd, e = walk(s, path, &fd);

    if (e) {
        return e;
    }
    e = result(fstatat(fd, "", st, AT_EMPTY_PATH));
    if (!e && s->model == P9_MAPPED) {
        stat_map(fd, st);
    }
    close(fd);
    return e;
}

/* Opens a plain file or folder: what else there is on the host does not open for a guest. */
int p9_host_open(P9Server *s, const char *path, int flags, int *fd)
{
    char p[PROC_BYTES];
    struct stat st;
    int at, e = walk(s, path, &at);

    if (e) {
        return e;
    }
    e = result(fstatat(at, "", &st, AT_EMPTY_PATH));
    if (!e && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
        e = S_ISLNK(st.st_mode) ? ELOOP : ENXIO;
    }
    if (!e) {
        *fd = open(proc_path(at, p), flags | O_CLOEXEC | O_NONBLOCK);
        e = result(*fd);
    }
    close(at);
    return e;
}

int p9_host_create(P9Server *s, const char *path, int flags, const P9Create *c, int *fd)
{
    const char *name;
    int parent, e = p9_host_parent(s, path, &parent, &name);

    if (e) {
        return e;
    }
    *fd = openat(parent, name, flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
                 s->model == P9_MAPPED ? 0600 : c->mode & 07777);
    e = result(*fd);
    if (!e) {
        e = credit_new(s, parent, name, c);
        if (e) {
            close(*fd);
            *fd = -1;
        }
    }
    close(parent);
    return e;
}

int p9_host_mkdir(P9Server *s, const char *path, const P9Create *c)
{
    const char *name;
    int parent, e = p9_host_parent(s, path, &parent, &name);

    if (e) {
        return e;
    }
    e = result(mkdirat(parent, name, s->model == P9_MAPPED ? 0700 : c->mode & 07777));
    e = e ? e : credit_new(s, parent, name, c);
    close(parent);
    return e;
}

/* A plain file with this content stands for what mapped mode cannot or may not make. */
static int make_stand_in(P9Server *s, const char *path, const P9Create *c, const char *text)
{
    int fd, e = p9_host_create(s, path, O_WRONLY, c, &fd);

    if (!e) {
        size_t n = strlen(text);
        e = write(fd, text, n) == (ssize_t)n ? 0 : EIO;
        close(fd);
    }
    return e;
}

int p9_host_mknod(P9Server *s, const char *path, const P9Create *c)
{
    const char *name;
    int parent;

    if (s->model == P9_MAPPED) {
        return make_stand_in(s, path, c, "");
    }
    int e = p9_host_parent(s, path, &parent, &name);
    if (e) {
        return e;
    }
    e = result(mknodat(parent, name, c->mode, c->rdev));
    e = e ? e : credit_new(s, parent, name, c);
    close(parent);
    return e;
}

int p9_host_symlink(P9Server *s, const char *path, const P9Create *c)
{
    const char *name;
    int parent;

    if (s->model == P9_MAPPED) {
        return make_stand_in(s, path, c, c->target);
    }
    int e = p9_host_parent(s, path, &parent, &name);
    if (e) {
        return e;
    }
    e = result(symlinkat(c->target, parent, name));
    e = e ? e : credit_new(s, parent, name, c);
    close(parent);
    return e;
}

int p9_host_readlink(P9Server *s, const char *path, char *buf, size_t bytes)
{
    struct stat st;
    ssize_t n;
    int fd, e = p9_host_stat(s, path, &st);

    if (e || !S_ISLNK(st.st_mode)) {
        return e ? e : EINVAL;
    }
    e = walk(s, path, &fd);
    if (e) {
        return e;
    }
    n = readlinkat(fd, "", buf, bytes - 1);
    e = result((int)n);
    close(fd);
    if (e && s->model == P9_MAPPED && !p9_host_open(s, path, O_RDONLY, &fd)) {
        n = read(fd, buf, bytes - 1);
        e = result((int)n);
        close(fd);
    }
    buf[e ? 0 : n] = 0;
    return e;
}

int p9_host_link(P9Server *s, const char *from, const char *to)
{
    char p[PROC_BYTES];
    const char *name;
    int parent, fd, e = p9_host_parent(s, to, &parent, &name);

    if (e) {
        return e;
    }
    e = walk(s, from, &fd);
    if (!e) {
        e = result(linkat(AT_FDCWD, proc_path(fd, p), parent, name, AT_SYMLINK_FOLLOW));
        close(fd);
    }
    close(parent);
    return e;
}

int p9_host_rename(P9Server *s, const char *from, const char *to)
{
    const char *from_name, *to_name;
    int from_fd, to_fd, e = p9_host_parent(s, from, &from_fd, &from_name);

    if (e) {
        return e;
    }
    e = p9_host_parent(s, to, &to_fd, &to_name);
    if (!e) {
        e = result(renameat(from_fd, from_name, to_fd, to_name));
        close(to_fd);
    }
    close(from_fd);
    return e;
}

int p9_host_unlink(P9Server *s, const char *path, bool folder)
{
    const char *name;
    int parent, e = p9_host_parent(s, path, &parent, &name);

    if (e) {
        return e;
    }
    e = result(unlinkat(parent, name, folder ? AT_REMOVEDIR : 0));
    close(parent);
    return e;
}

int p9_host_chmod(P9Server *s, const char *path, uint32_t mode)
{
    char p[PROC_BYTES];
    struct stat st;
    int fd, e = p9_host_stat(s, path, &st);

    e = e ? e : walk(s, path, &fd);
    if (e) {
        return e;
    }
    if (s->model == P9_MAPPED) {
        e = attr_set(fd, "user.virtfs.mode", (st.st_mode & S_IFMT) | (mode & 07777), 4);
    } else {
        e = S_ISLNK(st.st_mode) ? EOPNOTSUPP : result(chmod(proc_path(fd, p), mode & 07777));
    }
    close(fd);
    return e;
}

int p9_host_chown(P9Server *s, const char *path, uint32_t uid, uint32_t gid)
{
    int fd, e = walk(s, path, &fd);

    if (e) {
        return e;
    }
    if (s->model == P9_MAPPED) {
        e = uid != UINT32_MAX ? attr_set(fd, "user.virtfs.uid", uid, 4) : 0;
        e = !e && gid != UINT32_MAX ? attr_set(fd, "user.virtfs.gid", gid, 4) : e;
    } else {
        e = result(fchownat(fd, "", uid, gid, AT_EMPTY_PATH));
        e = s->model == P9_NONE ? 0 : e;
    }
    close(fd);
    return e;
}

int p9_host_truncate(P9Server *s, const char *path, uint64_t bytes)
{
    int fd, e = p9_host_open(s, path, O_WRONLY, &fd);

    if (!e) {
        e = result(ftruncate(fd, (off_t)bytes));
        close(fd);
    }
    return e;
}

int p9_host_utimes(P9Server *s, const char *path, const struct timespec times[2])
{
    const char *name;
    int fd, e;

    if (!*path) {
        return result(futimens(s->root, times)) ? result(utimensat(s->root, ".", times, 0)) : 0;
    }
    e = p9_host_parent(s, path, &fd, &name);
    if (!e) {
        e = result(utimensat(fd, name, times, AT_SYMLINK_NOFOLLOW));
        close(fd);
    }
    return e;
}
