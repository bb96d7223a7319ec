/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 9P2000.L file server for one folder of the host, apart from any transport: a request message goes
 * in, a reply comes out. Source: 9P2000 (Plan 9 manual, section 5), its .L extension as the Linux client
 * speaks it (include/net/9p/9p.h has the numbers).
 */
#ifndef GEMEL_HW_P9_H
#define GEMEL_HW_P9_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "util/error.h"

enum {
    P9_MAX_FIDS = 16384,
    P9_MIN_MSIZE = 4096,
    P9_MAX_MSIZE = 512 << 10,
    P9_HEADER_BYTES = 7,
    P9_PATH_BYTES = 4096
};

typedef enum P9Model {
    P9_PASSTHROUGH, /* owners and modes are the host's; needs root to be of use */
    P9_NONE,        /* as passthrough, but a refused chown is no error */
    P9_MAPPED       /* owners, modes, device files and links live in extended attributes */
} P9Model;

typedef struct P9Fid {
    struct P9Fid *next;
    uint32_t id;
    uint32_t uid;   /* who attached */
    char    *path;  /* below the root, "" for it; never with "." or ".." */
    int      fd;    /* open file; -1 */
    DIR     *dir;   /* open folder; NULL */
} P9Fid;

typedef struct P9Server {
    int      root;  /* O_PATH of the folder; -1 closed */
    P9Model  model;
    bool     read_only;
    uint32_t msize; /* negotiated */
    uint32_t uid;   /* of the fid of this request: owner of what it makes */
    P9Fid   *fids;
    unsigned n_fids;
} P9Server;

/* false: no such folder, or not ours to read. */
bool   p9_open(P9Server *s, const char *path, P9Model model, bool read_only, Error *err);
void   p9_close(P9Server *s);
/* Forgets all fids: the client mounts anew. */
void   p9_reset(P9Server *s);
/* Answers request[0 .. bytes) into reply, at most max (P9_MIN_MSIZE or more) bytes; the reply's length. */
size_t p9_handle(P9Server *s, const uint8_t *request, size_t bytes, uint8_t *reply, size_t max);

/* ---- p9_host.c: files of the host. All return 0 or a positive errno. A path is looked up component
 * by component, downwards only and never through a symbolic link, so nothing leaves the root. */

typedef struct P9Create {
    uint32_t mode, uid, gid;
    uint64_t rdev;
    const char *target; /* symbolic link */
} P9Create;

int p9_host_stat(P9Server *s, const char *path, struct stat *st);
int p9_host_open(P9Server *s, const char *path, int flags, int *fd);
/* The folder that holds path as O_PATH fd, and the last component. */
int p9_host_parent(P9Server *s, const char *path, int *fd, const char **name);
int p9_host_create(P9Server *s, const char *path, int flags, const P9Create *c, int *fd);
int p9_host_mkdir(P9Server *s, const char *path, const P9Create *c);
int p9_host_mknod(P9Server *s, const char *path, const P9Create *c);
int p9_host_symlink(P9Server *s, const char *path, const P9Create *c);
int p9_host_readlink(P9Server *s, const char *path, char *buf, size_t bytes);
int p9_host_link(P9Server *s, const char *from, const char *to);
int p9_host_rename(P9Server *s, const char *from, const char *to);
int p9_host_unlink(P9Server *s, const char *path, bool folder);
int p9_host_chmod(P9Server *s, const char *path, uint32_t mode);
/* UINT32_MAX: leave it. */
int p9_host_chown(P9Server *s, const char *path, uint32_t uid, uint32_t gid);
int p9_host_truncate(P9Server *s, const char *path, uint64_t bytes);
int p9_host_utimes(P9Server *s, const char *path, const struct timespec times[2]);

#endif
