/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks on image files, in the layout QEMU's tools use (observed with strace of qemu-img 7.2).
 *
 * Permissions: 0 read consistent data, 1 write, 2 write without changing, 3 resize. A reader uses 0
 * and does not share 1 and 3; a writer uses 0, 1, 3 and does not share 1 and 3.
 * Not modelled: file systems without OFD locks (the image is then used unlocked, as QEMU does).
 */
#include "private.h"

#include <errno.h>
#include <fcntl.h>

typedef struct LockByte {
    short at;
    const char *use; /* what we could not get */
    bool reader;     /* taken by readers, too */
    short conflict;  /* byte that nobody else may hold */
} LockByte;

static const LockByte lock_bytes[] = {
    {100, "consistent read", true, 200},   {101, "write", false, 201},
    {103, "resize", false, 203},           {201, "shared \"write\"", true, 101},
    {203, "shared \"resize\"", true, 103},
};

static bool lock_unsupported(int error)
{
    return error == EINVAL || error == ENOLCK || error == ENOTSUP || error == EBADF;
}

bool block_lock_file(int fd, const char *name, bool write, Error *err)
{
    for (size_t i = 0; i < G_N_ELEMENTS(lock_bytes); i++) {
        struct flock l = {.l_type = F_RDLCK, .l_start = lock_bytes[i].at, .l_len = 1};
        if ((write || lock_bytes[i].reader) && fcntl(fd, F_OFD_SETLK, &l) < 0) {
            if (lock_unsupported(errno)) {
                return true;
            }
            return error_set_errno(err, "%s: cannot lock byte %d", name, lock_bytes[i].at);
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(lock_bytes); i++) {
        struct flock l = {.l_type = F_WRLCK, .l_start = lock_bytes[i].conflict, .l_len = 1};
        if ((write || lock_bytes[i].reader) && fcntl(fd, F_OFD_GETLK, &l) == 0 &&
            l.l_type != F_UNLCK) {
            return error_set(err,
                             "%s: failed to get %s lock: another process uses the image (-U or "
                             "force-share=on reads it all the same)",
                             name, lock_bytes[i].use);
        }
    }
    return true;
}
