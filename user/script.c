/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "#!" lines, as Linux reads them (fs/binfmt_script.c: documented in execve(2)); -L paths. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/user.h"

int user_script_parse(int fd, char interp[256], char arg[256])
{
    char line[257];
    ssize_t n = pread(fd, line, 256, 0);
    if (n < 2 || line[0] != '#' || line[1] != '!') {
        return 0;
    }
    line[n] = 0;
    char *end = memchr(line, '\n', (size_t)n);
    if (end) {
        *end = 0;
    }
    char *s = line + 2 + strspn(line + 2, " \t");
    size_t len = strcspn(s, " \t");
    if (!len || (!end && n == 256 && !s[len])) {
        return -ENOEXEC; /* no name, or one that does not end within the line */
    }
    memcpy(interp, s, len);
    interp[len] = 0;
    s += len;
    s += strspn(s, " \t");
    len = strlen(s);
    while (len && (s[len - 1] == ' ' || s[len - 1] == '\t')) {
        len--;
    }
    memcpy(arg, s, len);
    arg[len] = 0;
    return 1;
}

/* Folders that are the host's whatever ROOT holds. */
static const char *const host_only[] = {"/proc", "/dev", "/sys", "/tmp", "/run"};

const char *user_path(const UserOptions *o, const char *path, char buf[4096])
{
    if (!o->root || path[0] != '/' || !path[1]) {
        return path;
    }
    for (unsigned i = 0; i < sizeof host_only / sizeof *host_only; i++) {
        size_t n = strlen(host_only[i]);
        if (!strncmp(path, host_only[i], n) && (!path[n] || path[n] == '/')) {
            return path;
        }
    }
    int n = snprintf(buf, 4096, "%s%s", o->root, path);
    int saved = errno;
    const char *r =
        n > 0 && n < 4096 && !faccessat(AT_FDCWD, buf, F_OK, AT_SYMLINK_NOFOLLOW) ? buf : path;
    errno = saved;
    return r;
}
