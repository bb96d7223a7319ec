/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls that take a path. */
#include "calls.h"

#include <linux/openat2.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#define AT AT_FDCWD

static void opening(void)
{
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY};
    long fd = RES(openat, AT, "file", O_CREAT | O_EXCL | O_RDWR, 0640);
    DID(openat, (fcntl(fd, F_GETFL) & (O_ACCMODE | O_DIRECTORY | O_NOFOLLOW | O_DIRECT)) == O_RDWR);
    ERR(openat, EEXIST, AT, "file", O_CREAT | O_EXCL | O_RDWR, 0640);
    ERR(openat, ENOTDIR, AT, "file", O_DIRECTORY, 0);
    ERR(openat, ENOENT, AT, "none", O_RDONLY, 0);
    ERR(openat, EFAULT, AT, BAD, O_RDONLY, 0);
    ERR(openat, EBADF, NOFD, "file", O_RDONLY, 0);
    write(fd, "hello\n", 6);
    close(fd);
    RES(openat2, AT, ".", &how, sizeof how);
    ERR(openat2, ENOTDIR, AT, "file", &how, sizeof how);
    ERR(openat2, EINVAL, AT, ".", &how, 8);
    how.flags = 1ull << 40;
    ERR(openat2, EINVAL, AT, ".", &how, sizeof how);
    how = (struct open_how){.flags = O_RDONLY, .resolve = RESOLVE_BENEATH};
    ERR(openat2, EXDEV, AT, "../x", &how, sizeof how);
}

static void links(void)
{
    char text[32] = "";
    RES(mkdirat, AT, "dir", 0750);
    ERR(mkdirat, EEXIST, AT, "dir", 0750);
    RES(symlinkat, "file", AT, "sym");
    ERR(symlinkat, EEXIST, "file", AT, "sym");
    ERR(openat, ELOOP, AT, "sym", O_RDONLY | O_NOFOLLOW, 0);
    VAL(readlinkat, 4, AT, "sym", text, sizeof text);
    DID(readlinkat, !strcmp(text, "file"));
    ERR(readlinkat, EINVAL, AT, "file", text, sizeof text);
    ERR(readlinkat, EINVAL, AT, "sym", text, 0);
    RES(linkat, AT, "file", AT, "hard", 0);
    ERR(linkat, ENOENT, AT, "none", AT, "hard2", 0);
    ERR(linkat, EINVAL, AT, "file", AT, "hard2", 1);
    RES(mknodat, AT, "fifo", S_IFIFO | 0600, 0);
    ERR(mknodat, EEXIST, AT, "fifo", S_IFIFO | 0600, 0);
    RES(renameat, AT, "hard", AT, "hard1");
    ERR(renameat, ENOENT, AT, "hard", AT, "hard1");
    RES(renameat2, AT, "hard1", AT, "hard", 1);
    ERR(renameat2, EEXIST, AT, "hard", AT, "file", 1);
    ERR(renameat2, EINVAL, AT, "hard", AT, "file", 64);
    RES(unlinkat, AT, "hard", 0);
    ERR(unlinkat, ENOENT, AT, "hard", 0);
    ERR(unlinkat, EISDIR, AT, "dir", 0);
    RES(unlinkat, AT, "dir", AT_REMOVEDIR);
    RES(chdir, "/tmp");
    ERR(chdir, ENOENT, "/none");
    ERR(chdir, EFAULT, BAD);
}

static void status(void)
{
    struct stat s;
    struct statx x;
    struct statfs fs;
    int fd = open("file", O_RDWR);
    RES(newfstatat, AT, "file", &s, 0);
    DID(newfstatat, s.st_size == 6 && s.st_mode == (S_IFREG | 0640) && s.st_nlink == 1);
    DID(newfstatat, s.st_uid == getuid() && s.st_blksize > 0 && s.st_mtime > 1600000000);
    RES(newfstatat, AT, "sym", &s, AT_SYMLINK_NOFOLLOW);
    DID(newfstatat, S_ISLNK(s.st_mode) && s.st_size == 4);
    ERR(newfstatat, ENOENT, AT, "none", &s, 0);
    ERR(newfstatat, EFAULT, AT, "file", BAD, 0);
    ERR(newfstatat, EINVAL, AT, "file", &s, 1);
    RES(newfstatat, AT, "/dev/null", &s, 0);
    DID(newfstatat, s.st_rdev == makedev(1, 3) && S_ISCHR(s.st_mode));
    RES(fstat, fd, &s);
    DID(fstat, s.st_size == 6 && s.st_blocks >= 0 && s.st_ctime > 1600000000);
    ERR(fstat, EBADF, NOFD, &s);
    ERR(fstat, EFAULT, fd, BAD);
    RES(statx, AT, "file", 0, STATX_ALL, &x);
    DID(statx, x.stx_size == 6 && x.stx_mode == (S_IFREG | 0640));
    ERR(statx, ENOENT, AT, "none", 0, STATX_ALL, &x);
    ERR(statx, EINVAL, AT, "file", 0, 0x80000000, &x);
    RES(statfs, "/proc", &fs);
    DID(statfs, fs.f_type == 0x9fa0 && fs.f_namelen == 255);
    ERR(statfs, ENOENT, "/none", &fs);
    RES(fstatfs, fd, &fs);
    DID(fstatfs, fs.f_bsize >= 512);
    ERR(fstatfs, EBADF, NOFD, &fs);
    VAL(faccessat, 0, AT, "file", R_OK);
    ERR(faccessat, ENOENT, AT, "none", R_OK);
    ERR(faccessat, EINVAL, AT, "file", 64);
    VAL(faccessat2, 0, AT, "file", R_OK, AT_EACCESS);
    ERR(faccessat2, EINVAL, AT, "file", R_OK, 1);
    close(fd);
}

static void attributes(void)
{
    struct timespec when[2] = {{1000, 5}, {2000, 6}};
    struct stat s;
    int fd = open("file", O_RDWR);
    RES(fchmod, fd, 0600);
    DID(fchmod, !fstat(fd, &s) && (s.st_mode & 07777) == 0600);
    ERR(fchmod, EBADF, NOFD, 0600);
    RES(fchmodat, AT, "file", 0644);
    ERR(fchmodat, ENOENT, AT, "none", 0644);
    RES(fchmodat2, AT, "file", 0640, 0);
    ERR(fchmodat2, EINVAL, AT, "file", 0640, 1);
    RES(fchown, fd, -1, -1);
    ERR(fchown, EBADF, NOFD, -1, -1);
    RES(fchownat, AT, "file", getuid(), getgid(), AT_SYMLINK_NOFOLLOW);
    ERR(fchownat, ENOENT, AT, "none", 0, 0, 0);
    RES(utimensat, AT, "file", when, 0);
    DID(utimensat, !fstat(fd, &s) && s.st_atim.tv_sec == 1000 && s.st_mtim.tv_sec == 2000);
    when[0].tv_nsec = 2000000000;
    ERR(utimensat, EINVAL, AT, "file", when, 0);
    RES(truncate, "file", 3);
    DID(truncate, !fstat(fd, &s) && s.st_size == 3);
    ERR(truncate, EINVAL, "file", -1);
    RES(ftruncate, fd, 6);
    ERR(ftruncate, EINVAL, fd, -1);
    ERR(ftruncate, EBADF, NOFD, 6);
    close(fd);
}

static void xattrs(void)
{
    struct { const char *value; uint32_t size, flags; } arg = {"abc", 3, 0};
    char text[64];
    int fd = open("file", O_RDWR);
    RES(setxattr, "file", "user.a", "one", 3, 0);
    ERR(setxattr, EEXIST, "file", "user.a", "one", 3, 1);
    ERR(setxattr, EOPNOTSUPP, "file", "nobody.a", "one", 3, 0);
    RES(fsetxattr, fd, "user.b", "two", 3, 0);
    ERR(fsetxattr, EBADF, NOFD, "user.b", "two", 3, 0);
    RES(lsetxattr, "file", "user.c", "six", 3, 0);
    ERR(lsetxattr, ENODATA, "file", "user.d", "x", 1, 2);
    VAL(getxattr, 3, "file", "user.a", text, sizeof text);
    DID(getxattr, !memcmp(text, "one", 3));
    ERR(getxattr, ENODATA, "file", "user.z", text, sizeof text);
    ERR(getxattr, ERANGE, "file", "user.a", text, 1);
    VAL(lgetxattr, 3, "file", "user.b", text, sizeof text);
    ERR(lgetxattr, ENODATA, "file", "user.z", text, sizeof text);
    VAL(fgetxattr, 3, fd, "user.c", text, sizeof text);
    ERR(fgetxattr, EBADF, NOFD, "user.c", text, sizeof text);
    VAL(listxattr, 21, "file", text, sizeof text);
    ERR(listxattr, ERANGE, "file", text, 2);
    VAL(llistxattr, 21, "file", text, 0);
    ERR(llistxattr, ENOENT, "none", text, 0);
    VAL(flistxattr, 21, fd, text, sizeof text);
    ERR(flistxattr, EBADF, NOFD, text, sizeof text);
    RES(removexattr, "file", "user.a");
    ERR(removexattr, ENODATA, "file", "user.a");
    RES(lremovexattr, "file", "user.b");
    ERR(lremovexattr, ENODATA, "file", "user.b");
    RES(fremovexattr, fd, "user.c");
    ERR(fremovexattr, ENODATA, fd, "user.c");
    RES(setxattrat, AT, "file", 0, "user.e", &arg, sizeof arg);
    ERR(setxattrat, EINVAL, AT, "file", 1, "user.e", &arg, sizeof arg);
    arg.value = text;
    VAL(getxattrat, 3, AT, "file", 0, "user.e", &arg, sizeof arg);
    ERR(getxattrat, EINVAL, AT, "file", 0, "user.e", &arg, 3);
    VAL(listxattrat, 7, AT, "file", 0, text, sizeof text);
    ERR(listxattrat, ENOENT, AT, "none", 0, text, sizeof text);
    RES(removexattrat, AT, "file", 0, "user.e");
    ERR(removexattrat, ENODATA, AT, "file", 0, "user.e");
    close(fd);
}

static void handles(void)
{
    struct { unsigned bytes; int type; unsigned char data[128]; } h = {.bytes = 128};
    struct { uint64_t flags, more; uint32_t extents, project, hint, unused; } attr = {0};
    int mount_id, dir = open(".", O_RDONLY | O_DIRECTORY);
    RES(name_to_handle_at, AT, "file", &h, &mount_id, 0);
    ERR(name_to_handle_at, ENOENT, AT, "none", &h, &mount_id, 0);
    long fd = RES(open_by_handle_at, dir, &h, O_RDONLY);
    close(fd);
    h.bytes = 0;
    ERR(open_by_handle_at, EINVAL, dir, &h, O_RDONLY);
    RES(file_getattr, AT, "file", &attr, 24, 0);
    ERR(file_getattr, EINVAL, AT, "file", &attr, 24, 1);
    REFUSED(file_setattr);
    ERR(file_setattr, EINVAL, AT, "file", &attr, 3, 0);
    ERR(file_setattr, ENOENT, AT, "none", &attr, 24, 0);
    close(dir);
}

static void folder(void)
{
    char text[4096];
    int dir = open("/", O_RDONLY | O_DIRECTORY);
    RES(fchdir, dir);
    VAL(getcwd, 2, text, sizeof text);
    DID(getcwd, !strcmp(text, "/"));
    ERR(getcwd, ERANGE, text, 1);
    ERR(fchdir, EBADF, NOFD);
    DID(getdents64, S(getdents64, dir, text, sizeof text) > 48);
    ERR(getdents64, EINVAL, (lseek(dir, 0, SEEK_SET), dir), text, 1);
    ERR(getdents64, EBADF, NOFD, text, sizeof text);
    RES(chroot, "/proc");
    DID(chroot, !access("/self/stat", R_OK));
    ERR(chroot, ENOENT, "/none");
    drop_all();
    ERR(chroot, EPERM, "/");
}

int main(void)
{
    umask(0);
    opening();
    attributes();
    truncate("file", 0);
    int fd = open("file", O_WRONLY);
    write(fd, "hello\n", 6);
    close(fd);
    symlink("file", "sym");
    status();
    xattrs();
    handles();
    in_child(folder);
    unlink("sym");
    links();
    return 0;
}
