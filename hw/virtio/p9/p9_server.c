/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 9p: messages. One row a message type in `handlers`; a handler reads its arguments, does it,
 * writes its results and returns 0 or a positive errno, which becomes Rlerror. Not modelled:
 * extended attributes (EOPNOTSUPP), locks between guests (always granted), authentication.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "p9.h"
#include "util/bits.h"

enum { QID_BYTES = 13, QT_DIR = 0x80, QT_LINK = 0x02, MAX_WALK = 16, NAME_BYTES = 256 };
enum { RLERROR = 7 };
enum { /* Tsetattr */
       SET_MODE = 1,
       SET_UID = 2,
       SET_GID = 4,
       SET_SIZE = 8,
       SET_ATIME = 16,
       SET_MTIME = 32,
       SET_ATIME_TO = 128,
       SET_MTIME_TO = 256
};

typedef struct Message {
    const uint8_t *at, *end; /* request */
    uint8_t *out, *out_end;  /* reply */
    bool bad;                /* the request is too short, or a name is not one */
} Message;

/* ---- reading and writing */

static uint64_t get(Message *m, unsigned bytes)
{
    uint64_t v = 0;

    if ((size_t)(m->end - m->at) < bytes) {
        m->bad = true;
        return 0;
    }
    memcpy(&v, m->at, bytes);
    m->at += bytes;
    return v;
}

static uint32_t get32(Message *m)
{
    return (uint32_t)get(m, 4);
}

/* A string of less than `size` bytes. */
static void get_text(Message *m, char *buf, size_t size)
{
    size_t n = get(m, 2);

    buf[0] = 0;
    if (m->bad || n >= size || (size_t)(m->end - m->at) < n || memchr(m->at, 0, n)) {
        m->bad = true;
        return;
    }
    memcpy(buf, m->at, n);
    buf[n] = 0;
    m->at += n;
}

/* The name of something in a folder. */
static void get_name(Message *m, char buf[NAME_BYTES])
{
    get_text(m, buf, NAME_BYTES);
    if (!*buf || strchr(buf, '/') || !strcmp(buf, ".") || !strcmp(buf, "..")) {
        m->bad = true;
    }
}

static void put(Message *m, unsigned bytes, uint64_t v)
{
    if ((size_t)(m->out_end - m->out) >= bytes) {
        memcpy(m->out, &v, bytes);
        m->out += bytes;
    } else {
        m->bad = true;
    }
}

static void put_text(Message *m, const char *text)
{
    size_t n = strlen(text);

    if ((size_t)(m->out_end - m->out) < n + 2) {
        m->bad = true;
        return;
    }
    put(m, 2, n);
    memcpy(m->out, text, n);
    m->out += n;
}

static void put_qid(Message *m, mode_t mode, ino_t ino, uint32_t version)
{
    put(m, 1, S_ISDIR(mode) ? QT_DIR : S_ISLNK(mode) ? QT_LINK : 0);
    put(m, 4, version);
    put(m, 8, ino);
}

static void put_stat_qid(Message *m, const struct stat *st)
{
    put_qid(m, st->st_mode, st->st_ino, (uint32_t)(st->st_mtime ^ (st->st_size << 8)));
}

/* ---- fids */

static P9Fid *fid_find(P9Server *s, uint32_t id)
{
    for (P9Fid **at = &s->fids; *at; at = &(*at)->next) {
        if ((*at)->id == id) {
            P9Fid *f = *at; /* to the front: the next request is likely about it */
            *at = f->next;
            f->next = s->fids;
            s->fids = f;
            return f;
        }
    }
    return NULL;
}

static void fid_shut(P9Fid *f)
{
    if (f->dir) {
        closedir(f->dir);
    } else if (f->fd >= 0) {
        close(f->fd);
    }
    f->dir = NULL;
    f->fd = -1;
}

static void fid_free(P9Server *s, P9Fid *f)
{
    for (P9Fid **at = &s->fids; *at; at = &(*at)->next) {
        if (*at == f) {
            *at = f->next;
            break;
        }
    }
    s->n_fids--;
    fid_shut(f);
    free(f->path);
    free(f);
}

static int fid_new(P9Server *s, uint32_t id, const char *path)
{
    if (fid_find(s, id)) {
        return EBADF;
    }
    P9Fid *f = s->n_fids < P9_MAX_FIDS ? calloc(1, sizeof *f) : NULL;
    char *copy = f ? strdup(path) : NULL;
    if (!copy) {
        free(f);
        return ENFILE;
    }
    *f = (P9Fid){.next = s->fids, .id = id, .uid = s->uid, .path = copy, .fd = -1};
    s->fids = f;
    s->n_fids++;
    return 0;
}

void p9_reset(P9Server *s)
{
    while (s->fids) {
        fid_free(s, s->fids);
    }
}

static P9Fid *get_fid(P9Server *s, Message *m, int *e)
{
    P9Fid *f = fid_find(s, get32(m));

    *e = m->bad ? EINVAL : f ? 0 : EBADF;
    if (*e) {
        return NULL;
    }
    s->uid = f->uid;
    return f;
}

/* folder/name into out; EINVAL when it does not fit. */
static int join(char out[P9_PATH_BYTES], const char *folder, const char *name)
{
    size_t n = strlen(folder), k = strlen(name);

    if (n + k + 2 > P9_PATH_BYTES) {
        return ENAMETOOLONG;
    }
    memcpy(out, folder, n);
    if (n) {
        out[n++] = '/';
    }
    memcpy(out + n, name, k + 1);
    return 0;
}

static void parent_of(char *path)
{
    char *slash = strrchr(path, '/');

    *(slash ? slash : path) = 0;
}

/* A folder was renamed: what lies below it is found under the new name. */
static void fids_moved(P9Server *s, const char *from, const char *to)
{
    size_t n = strlen(from);

    for (P9Fid *f = s->fids; f; f = f->next) {
        if (!strncmp(f->path, from, n) && (!f->path[n] || f->path[n] == '/')) {
            size_t bytes = strlen(to) + strlen(f->path + n) + 1;
            char *path = malloc(bytes);
            if (path) {
                strcpy(path, to);
                strcat(path, f->path + n);
                free(f->path);
                f->path = path;
            }
        }
    }
}

/* Reads "fid name" and joins them. */
static int get_place(P9Server *s, Message *m, char path[P9_PATH_BYTES])
{
    char name[NAME_BYTES];
    int e;
    P9Fid *f = get_fid(s, m, &e);

    get_name(m, name);
    return e ? e : m->bad ? EINVAL : join(path, f->path, name);
}

static int writable(const P9Server *s)
{
    return s->read_only ? EROFS : 0;
}

/* ---- session */

static int t_version(P9Server *s, Message *m)
{
    char version[32];
    uint32_t msize = get32(m);

    get_text(m, version, sizeof version);
    if (m->bad || msize < P9_MIN_MSIZE) {
        return EINVAL;
    }
    p9_reset(s);
    s->msize = msize < P9_MAX_MSIZE ? msize : P9_MAX_MSIZE;
    put(m, 4, s->msize);
    put_text(m, strcmp(version, "9P2000.L") ? "unknown" : "9P2000.L");
    return 0;
}

static int t_attach(P9Server *s, Message *m)
{
    char name[NAME_BYTES];
    struct stat st;
    uint32_t id = get32(m);

    get32(m); /* afid */
    get_text(m, name, sizeof name);
    get_text(m, name, sizeof name);
    s->uid = get32(m);
    int e = m->bad ? EINVAL : p9_host_stat(s, "", &st);

    e = e ? e : fid_new(s, id, "");
    if (!e) {
        put_stat_qid(m, &st);
    }
    return e;
}

static int t_flush(P9Server *s, Message *m)
{
    (void)s, (void)m;
    return 0; /* every request is over before the next is read */
}

static int walk_step(P9Server *s, char path[P9_PATH_BYTES], Message *m, struct stat *st)
{
    char name[NAME_BYTES], next[P9_PATH_BYTES];
    int e = 0;

    get_text(m, name, sizeof name);
    if (m->bad || !*name || strchr(name, '/')) {
        return EINVAL;
    }
    if (!strcmp(name, "..")) {
        strcpy(next, path);
        parent_of(next);
    } else if (!strcmp(name, ".")) {
        strcpy(next, path);
    } else {
        e = join(next, path, name);
    }
    e = e ? e : p9_host_stat(s, next, st);
    if (!e) {
        strcpy(path, next);
    }
    return e;
}

static int t_walk(P9Server *s, Message *m)
{
    char path[P9_PATH_BYTES];
    struct stat st;
    int e;
    P9Fid *f = get_fid(s, m, &e);
    uint32_t id = get32(m);
    unsigned n = (unsigned)get(m, 2), done = 0;

    if (e || m->bad || n > MAX_WALK) {
        return e ? e : EINVAL;
    }
    strcpy(path, f->path);
    uint8_t *count = m->out;
    put(m, 2, 0);
    for (; done < n && !e; done += !e) {
        e = walk_step(s, path, m, &st);
        if (!e) {
            put_stat_qid(m, &st);
        }
    }
    if (n && !done) {
        return e;
    }
    store_le16(count, (uint16_t)done);
    if (done < n) {
        return 0; /* part of the way: no new fid */
    }
    if (id == f->id) {
        char *copy = strdup(path);
        if (!copy || f->fd >= 0) {
            free(copy);
            return f->fd >= 0 ? EBUSY : ENOMEM;
        }
        free(f->path);
        f->path = copy;
        return 0;
    }
    return fid_new(s, id, path);
}

static int t_clunk(P9Server *s, Message *m)
{
    int e;
    P9Fid *f = get_fid(s, m, &e);

    if (!e) {
        fid_free(s, f);
    }
    return e;
}

static int t_remove(P9Server *s, Message *m)
{
    struct stat st;
    int e;
    P9Fid *f = get_fid(s, m, &e);

    if (e) {
        return e;
    }
    e = writable(s);
    e = e ? e : p9_host_stat(s, f->path, &st);
    e = e ? e : p9_host_unlink(s, f->path, S_ISDIR(st.st_mode));
    fid_free(s, f);
    return e;
}

/* ---- files */

static int t_lopen(P9Server *s, Message *m)
{
    struct stat st;
    int e;
    P9Fid *f = get_fid(s, m, &e);
    uint32_t asked = get32(m);
    int flags = (int)asked & (O_ACCMODE | O_APPEND | O_TRUNC | O_DSYNC | O_SYNC);

    if (e || m->bad || f->fd >= 0) {
        return e ? e : m->bad ? EINVAL : EBUSY;
    }
    if (flags & (O_ACCMODE | O_TRUNC) && writable(s)) {
        return EROFS;
    }
    e = p9_host_stat(s, f->path, &st);
    e = e ? e
          : p9_host_open(s, f->path, S_ISDIR(st.st_mode) ? O_RDONLY | O_DIRECTORY : flags, &f->fd);
    if (e) {
        f->fd = -1;
        return e;
    }
    if (S_ISDIR(st.st_mode) && !(f->dir = fdopendir(f->fd))) {
        e = errno;
        fid_shut(f);
        return e;
    }
    put_stat_qid(m, &st);
    put(m, 4, 0); /* iounit: as much as a message holds */
    return 0;
}

static int t_lcreate(P9Server *s, Message *m)
{
    char name[NAME_BYTES], path[P9_PATH_BYTES];
    struct stat st;
    int e, fd;
    P9Fid *f = get_fid(s, m, &e);

    get_name(m, name);
    uint32_t asked = get32(m), mode = get32(m), gid = get32(m);
    if (e || m->bad || f->fd >= 0) {
        return e ? e : m->bad ? EINVAL : EBUSY;
    }
    int flags = (int)asked & (O_ACCMODE | O_APPEND | O_DSYNC | O_SYNC);
    P9Create c = {.mode = S_IFREG | (mode & 07777), .uid = s->uid, .gid = gid};
    e = writable(s);
    e = e ? e : join(path, f->path, name);
    e = e ? e : p9_host_create(s, path, flags, &c, &fd);
    if (e == EEXIST && !(asked & O_EXCL)) {
        e = p9_host_open(s, path, flags | ((int)asked & O_TRUNC), &fd);
    }
    if (e) {
        return e;
    }
    char *copy = strdup(path);
    e = copy ? p9_host_stat(s, path, &st) : ENOMEM;
    if (e) {
        free(copy);
        close(fd);
        return e;
    }
    free(f->path);
    f->path = copy;
    f->fd = fd;
    put_stat_qid(m, &st);
    put(m, 4, 0);
    return 0;
}

static int t_read(P9Server *s, Message *m)
{
    int e;
    P9Fid *f = get_fid(s, m, &e);
    uint64_t offset = get(m, 8);
    size_t want = get32(m), room = (size_t)(m->out_end - m->out) - 4;

    if (e || m->bad || f->fd < 0 || f->dir || offset > INT64_MAX) {
        return e ? e : EBADF;
    }
    ssize_t n = pread(f->fd, m->out + 4, want < room ? want : room, (off_t)offset);
    if (n < 0) {
        return errno;
    }
    put(m, 4, (uint64_t)n);
    m->out += n;
    return 0;
}

static int t_write(P9Server *s, Message *m)
{
    int e;
    P9Fid *f = get_fid(s, m, &e);
    uint64_t offset = get(m, 8);
    size_t bytes = get32(m);

    if (e || m->bad || f->fd < 0 || f->dir || offset > INT64_MAX ||
        (size_t)(m->end - m->at) < bytes) {
        return e ? e : EBADF;
    }
    ssize_t n = pwrite(f->fd, m->at, bytes, (off_t)offset);
    if (n < 0) {
        return errno;
    }
    put(m, 4, (uint64_t)n);
    return 0;
}

static int t_fsync(P9Server *s, Message *m)
{
    int e;
    P9Fid *f = get_fid(s, m, &e);
    bool data = get32(m);

    if (e || f->fd < 0) {
        return e ? e : EBADF;
    }
    return (data ? fdatasync(f->fd) : fsync(f->fd)) < 0 ? errno : 0;
}

static int t_readdir(P9Server *s, Message *m)
{
    int e;
    P9Fid *f = get_fid(s, m, &e);
    uint64_t offset = get(m, 8);
    uint32_t count = get32(m);

    if (e || m->bad || !f->dir) {
        return e ? e : EBADF;
    }
    uint8_t *start = m->out;
    put(m, 4, 0);
    if ((size_t)(m->out_end - m->out) > count) {
        m->out_end = m->out + count;
    }
    if (offset) {
        seekdir(f->dir, (long)offset);
    } else {
        rewinddir(f->dir);
    }
    for (struct dirent *d; (d = readdir(f->dir));) {
        size_t n = strlen(d->d_name);
        if ((size_t)(m->out_end - m->out) < QID_BYTES + 8 + 1 + 2 + n) {
            break; /* asked for again with the offset of the last one */
        }
        put_qid(m, DTTOIF(d->d_type), d->d_ino, 0);
        put(m, 8, (uint64_t)d->d_off);
        put(m, 1, d->d_type);
        put_text(m, d->d_name);
    }
    store_le32(start, (uint32_t)(m->out - start - 4));
    return 0;
}

/* ---- attributes */

static int t_getattr(P9Server *s, Message *m)
{
    enum { BASIC = 0x7ff };
    struct stat st;
    int e;
    P9Fid *f = get_fid(s, m, &e);

    e = e ? e : p9_host_stat(s, f->path, &st);
    if (e) {
        return e;
    }
    put(m, 8, BASIC);
    put_stat_qid(m, &st);
    put(m, 4, st.st_mode);
    put(m, 4, st.st_uid);
    put(m, 4, st.st_gid);
    put(m, 8, st.st_nlink);
    put(m, 8, st.st_rdev);
    put(m, 8, (uint64_t)st.st_size);
    put(m, 8, (uint64_t)st.st_blksize);
    put(m, 8, (uint64_t)st.st_blocks);
    const struct timespec times[4] = {st.st_atim, st.st_mtim, st.st_ctim, {0}};
    for (unsigned i = 0; i < 4; i++) {
        put(m, 8, (uint64_t)times[i].tv_sec);
        put(m, 8, (uint64_t)times[i].tv_nsec);
    }
    put(m, 8, 0);
    put(m, 8, 0);
    return 0;
}

static int t_setattr(P9Server *s, Message *m)
{
    int e;
    P9Fid *f = get_fid(s, m, &e);
    uint32_t valid = get32(m), mode = get32(m), uid = get32(m), gid = get32(m);
    uint64_t size = get(m, 8);
    struct timespec t[2];

    for (unsigned i = 0; i < 2; i++) {
        t[i].tv_sec = (time_t)get(m, 8);
        t[i].tv_nsec = (long)get(m, 8);
    }
    if (e || m->bad) {
        return e ? e : EINVAL;
    }
    e = writable(s);
    if (!e && valid & SET_MODE) {
        e = p9_host_chmod(s, f->path, mode);
    }
    if (!e && valid & (SET_UID | SET_GID)) {
        e = p9_host_chown(s, f->path, valid & SET_UID ? uid : UINT32_MAX,
                          valid & SET_GID ? gid : UINT32_MAX);
    }
    if (!e && valid & SET_SIZE) {
        e = size <= INT64_MAX ? p9_host_truncate(s, f->path, size) : EFBIG;
    }
    if (!e && valid & (SET_ATIME | SET_MTIME)) {
        t[0].tv_nsec = !(valid & SET_ATIME)   ? UTIME_OMIT
                       : valid & SET_ATIME_TO ? t[0].tv_nsec
                                              : UTIME_NOW;
        t[1].tv_nsec = !(valid & SET_MTIME)   ? UTIME_OMIT
                       : valid & SET_MTIME_TO ? t[1].tv_nsec
                                              : UTIME_NOW;
        e = p9_host_utimes(s, f->path, t);
    }
    return e;
}

static int t_statfs(P9Server *s, Message *m)
{
    struct statfs sf;

    if (fstatfs(s->root, &sf) < 0) {
        return errno;
    }
    put(m, 4, 0x01021997);
    put(m, 4, (uint64_t)sf.f_bsize);
    put(m, 8, sf.f_blocks);
    put(m, 8, sf.f_bfree);
    put(m, 8, sf.f_bavail);
    put(m, 8, sf.f_files);
    put(m, 8, sf.f_ffree);
    put(m, 8, 0);
    put(m, 4, (uint64_t)sf.f_namelen);
    return 0;
}

static int t_xattr(P9Server *s, Message *m)
{
    (void)s, (void)m;
    return EOPNOTSUPP;
}

/* ---- the tree */

static int made(P9Server *s, Message *m, const char *path, int e)
{
    struct stat st;

    e = e ? e : p9_host_stat(s, path, &st);
    if (!e) {
        put_stat_qid(m, &st);
    }
    return e;
}

static P9Create new_node(const P9Server *s, uint32_t mode, uint32_t gid)
{
    return (P9Create){.mode = mode, .uid = s->uid, .gid = gid};
}

static int t_mkdir(P9Server *s, Message *m)
{
    char path[P9_PATH_BYTES];
    int e = get_place(s, m, path);
    uint32_t mode = get32(m), gid = get32(m);

    e = e ? e : m->bad ? EINVAL : writable(s);
    P9Create c = new_node(s, S_IFDIR | (mode & 07777), gid);
    return made(s, m, path, e ? e : p9_host_mkdir(s, path, &c));
}

static int t_mknod(P9Server *s, Message *m)
{
    char path[P9_PATH_BYTES];
    int e = get_place(s, m, path);
    uint32_t mode = get32(m), major_nr = get32(m), minor_nr = get32(m), gid = get32(m);

    e = e ? e : m->bad ? EINVAL : writable(s);
    P9Create c = new_node(s, mode, gid);
    c.rdev = makedev(major_nr, minor_nr);
    return made(s, m, path, e ? e : p9_host_mknod(s, path, &c));
}

static int t_symlink(P9Server *s, Message *m)
{
    char path[P9_PATH_BYTES], target[P9_PATH_BYTES];
    int e = get_place(s, m, path);

    get_text(m, target, sizeof target);
    uint32_t gid = get32(m);
    e = e ? e : m->bad ? EINVAL : writable(s);
    P9Create c = new_node(s, S_IFLNK | 0777, gid);
    c.target = target;
    return made(s, m, path, e ? e : p9_host_symlink(s, path, &c));
}

static int t_readlink(P9Server *s, Message *m)
{
    char target[P9_PATH_BYTES];
    int e;
    P9Fid *f = get_fid(s, m, &e);

    e = e ? e : p9_host_readlink(s, f->path, target, sizeof target);
    if (!e) {
        put_text(m, target);
    }
    return e;
}

static int t_link(P9Server *s, Message *m)
{
    char name[NAME_BYTES], path[P9_PATH_BYTES];
    int e, e2;
    P9Fid *folder = get_fid(s, m, &e);
    P9Fid *f = get_fid(s, m, &e2);

    get_name(m, name);
    e = e ? e : e2 ? e2 : m->bad ? EINVAL : writable(s);
    e = e ? e : join(path, folder->path, name);
    return e ? e : p9_host_link(s, f->path, path);
}

static int move(P9Server *s, const char *from, const char *to)
{
    char *old = strdup(from); /* may be a fid's own, which moves */
    int e = old ? p9_host_rename(s, from, to) : ENOMEM;

    if (!e) {
        fids_moved(s, old, to);
    }
    free(old);
    return e;
}

static int t_rename(P9Server *s, Message *m)
{
    char name[NAME_BYTES], to[P9_PATH_BYTES];
    int e, e2;
    P9Fid *f = get_fid(s, m, &e);
    P9Fid *folder = get_fid(s, m, &e2);

    get_name(m, name);
    e = e ? e : e2 ? e2 : m->bad ? EINVAL : writable(s);
    e = e ? e : join(to, folder->path, name);
    return e ? e : move(s, f->path, to);
}

static int t_renameat(P9Server *s, Message *m)
{
    char from[P9_PATH_BYTES], to[P9_PATH_BYTES];
    int e = get_place(s, m, from);

    e = e ? e : get_place(s, m, to);
    e = e ? e : writable(s);
    return e ? e : move(s, from, to);
}

static int t_unlinkat(P9Server *s, Message *m)
{
    char path[P9_PATH_BYTES];
    int e = get_place(s, m, path);
    bool folder = get32(m) & AT_REMOVEDIR;

    e = e ? e : m->bad ? EINVAL : writable(s);
    return e ? e : p9_host_unlink(s, path, folder);
}

/* ---- locks: a guest's own kernel keeps them apart; one guest has the folder */

static int t_lock(P9Server *s, Message *m)
{
    (void)s;
    put(m, 1, 0);
    return 0;
}

static int t_getlock(P9Server *s, Message *m)
{
    char client[NAME_BYTES];
    int e;

    get_fid(s, m, &e);
    get(m, 1);
    uint64_t start = get(m, 8), length = get(m, 8);
    uint32_t pid = get32(m);
    get_text(m, client, sizeof client);
    if (e || m->bad) {
        return e ? e : EINVAL;
    }
    put(m, 1, F_UNLCK);
    put(m, 8, start);
    put(m, 8, length);
    put(m, 4, pid);
    put_text(m, client);
    return 0;
}

/* ---- dispatch: by request type; the reply's is one more */

typedef int Handler(P9Server *s, Message *m);

static Handler *const handlers[128] = {
    [8] = t_statfs,   [12] = t_lopen,    [14] = t_lcreate,  [16] = t_symlink,  [18] = t_mknod,
    [20] = t_rename,  [22] = t_readlink, [24] = t_getattr,  [26] = t_setattr,  [30] = t_xattr,
    [32] = t_xattr,   [40] = t_readdir,  [50] = t_fsync,    [52] = t_lock,     [54] = t_getlock,
    [70] = t_link,    [72] = t_mkdir,    [74] = t_renameat, [76] = t_unlinkat, [100] = t_version,
    [104] = t_attach, [108] = t_flush,   [110] = t_walk,    [116] = t_read,    [118] = t_write,
    [120] = t_clunk,  [122] = t_remove,
};

size_t p9_handle(P9Server *s, const uint8_t *request, size_t bytes, uint8_t *reply, size_t max)
{
    uint8_t type = bytes >= P9_HEADER_BYTES ? request[4] : 0;
    uint16_t tag = bytes >= P9_HEADER_BYTES ? load_le16(request + 5) : 0xffff;
    size_t room = max < s->msize ? max : s->msize;
    Message m = {.at = request + P9_HEADER_BYTES,
                 .end = request + bytes,
                 .out = reply + P9_HEADER_BYTES,
                 .out_end = reply + (room < P9_MIN_MSIZE ? max : room)};
    int e = bytes < P9_HEADER_BYTES        ? EINVAL
            : type < 128 && handlers[type] ? handlers[type](s, &m)
                                           : EOPNOTSUPP;

    if (!e && m.bad) {
        e = EINVAL;
    }
    if (e) {
        type = RLERROR - 1;
        store_le32(reply + P9_HEADER_BYTES, (uint32_t)e);
        m.out = reply + P9_HEADER_BYTES + 4;
    }
    size_t n = (size_t)(m.out - reply);
    store_le32(reply, (uint32_t)n);
    reply[4] = (uint8_t)(type + 1);
    store_le16(reply + 5, tag);
    return n;
}
