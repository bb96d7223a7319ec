/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls on descriptors. */
#include "calls.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <termios.h>

static void transfer(void)
{
    char a[16] = "", b[16] = "";
    struct iovec in[2] = {{a, 3}, {b, 3}}, out[2] = {{"abc", 3}, {"def", 3}};
    int fd = open("data", O_CREAT | O_RDWR | O_TRUNC, 0600), null = open("/dev/null", O_RDONLY);
    VAL(write, 4, fd, "0123", 4);
    ERR(write, EBADF, null, "0123", 4);
    ERR(write, EFAULT, fd, BAD, 4);
    VAL(lseek, 1, fd, 1, SEEK_SET);
    ERR(lseek, EINVAL, fd, 1, 99);
    VAL(read, 3, fd, a, 16);
    DID(read, !memcmp(a, "123", 3));
    ERR(read, EBADF, NOFD, a, 1);
    ERR(read, EFAULT, (lseek(fd, 0, SEEK_SET), fd), BAD, 1);
    VAL(writev, 6, fd, out, 2);
    ERR(writev, EINVAL, fd, out, -1);
    lseek(fd, 0, SEEK_SET);
    VAL(readv, 6, fd, in, 2);
    DID(readv, !memcmp(a, "abc", 3) && !memcmp(b, "def", 3));
    ERR(readv, EFAULT, fd, BAD, 2);
    VAL(pwrite64, 3, fd, "xyz", 3, 3);
    ERR(pwrite64, EINVAL, fd, "xyz", 3, -1);
    VAL(pread64, 6, fd, a, 16, 0);
    DID(pread64, !memcmp(a, "abcxyz", 6));
    ERR(pread64, EINVAL, fd, a, 16, -1);
    VAL(pwritev, 6, fd, out, 2, 6, 0);
    ERR(pwritev, EINVAL, fd, out, 2, -1, -1);
    VAL(preadv, 6, fd, in, 2, 6, 0);
    DID(preadv, !memcmp(b, "def", 3));
    ERR(preadv, EBADF, NOFD, in, 2, 0, 0);
    VAL(pwritev2, 6, fd, out, 2, 0, 0, 2);
    ERR(pwritev2, EOPNOTSUPP, fd, out, 2, 0, 0, 0x40000000);
    VAL(preadv2, 6, fd, in, 2, 0, 0, 0);
    ERR(preadv2, EOPNOTSUPP, fd, in, 2, 0, 0, 0x40000000);
    VAL(readahead, 0, fd, 0, 4096);
    ERR(readahead, EBADF, NOFD, 0, 4096);
    VAL(fadvise64, 0, fd, 0, 0, 0);
    ERR(fadvise64, EINVAL, fd, 0, 0, 99);
    VAL(fsync, 0, fd);
    ERR(fsync, EBADF, NOFD);
    VAL(fdatasync, 0, fd);
    ERR(fdatasync, EBADF, NOFD);
    VAL(sync_file_range, 0, fd, 0, 0, 2);
    ERR(sync_file_range, EINVAL, fd, 0, 0, 99);
    VAL(syncfs, 0, fd);
    ERR(syncfs, EBADF, NOFD);
    close(fd);
    close(null);
}

static void copying(void)
{
    int64_t off = 0, off2 = 0;
    uint64_t range[2] = {0, 4096}, stat[5] = {0};
    struct iovec v = {"vector", 6};
    int fd = open("data", O_RDWR), to = open("copy", O_CREAT | O_RDWR, 0600), p[2], q[2];
    VAL(pipe2, 0, p, O_DIRECT | O_NONBLOCK);
    DID(pipe2, (fcntl(p[1], F_GETFL) & (O_DIRECT | O_DIRECTORY)) == O_DIRECT);
    ERR(pipe2, EINVAL, p, 1);
    ERR(pipe2, EFAULT, BAD, 0);
    close(p[0]);
    close(p[1]);
    pipe(p);
    pipe(q);
    VAL(sendfile, 6, to, fd, &off, 6);
    DID(sendfile, off == 6);
    ERR(sendfile, EBADF, to, NOFD, &off, 6);
    off = 0;
    VAL(copy_file_range, 6, fd, &off, to, &off2, 6, 0);
    ERR(copy_file_range, EINVAL, fd, &off, to, &off2, 6, 1 << 20);
    off = 0;
    VAL(splice, 6, fd, &off, p[1], 0, 6, 0);
    ERR(splice, EINVAL, fd, 0, to, 0, 6, 0);
    VAL(tee, 6, p[0], q[1], 6, 0);
    ERR(tee, EINVAL, fd, q[1], 6, 0);
    VAL(vmsplice, 6, p[1], &v, 1, 0);
    ERR(vmsplice, EBADF, NOFD, &v, 1, 0);
    VAL(fallocate, 0, fd, 0, 0, 8192);
    DID(fallocate, lseek(fd, 0, SEEK_END) == 8192);
    ERR(fallocate, EINVAL, fd, 0, 0, 0);
    ERR(fallocate, EOPNOTSUPP, fd, 0x40000000, 0, 1);
    VAL(cachestat, 0, fd, range, stat, 0);
    ERR(cachestat, EINVAL, fd, range, stat, 1);
    ERR(cachestat, EBADF, NOFD, range, stat, 0);
    VAL(sync, 0);
    NOERR(sync);
}

static void descriptors(void)
{
    int fd = open("data", O_RDWR);
    long two = RES(dup, fd);
    ERR(dup, EBADF, NOFD);
    VAL(dup3, 100, fd, 100, O_CLOEXEC);
    DID(dup3, fcntl(100, F_GETFD) == FD_CLOEXEC);
    ERR(dup3, EINVAL, fd, fd, 0);
    ERR(dup3, EINVAL, fd, 101, O_NOFOLLOW);
    VAL(close, 0, two);
    ERR(close, EBADF, two);
    dup2(fd, 101);
    VAL(close_range, 0, 100, 120, 0);
    DID(close_range, fcntl(101, F_GETFD) == -1);
    dup2(fd, 101);
    VAL(close_range, 0, 100, 120, 4);
    DID(close_range, fcntl(101, F_GETFD) == FD_CLOEXEC);
    ERR(close_range, EINVAL, 120, 100, 0);
    ERR(close_range, EINVAL, 100, 120, 64);
    VAL(flock, 0, fd, 6);
    ERR(flock, EINVAL, fd, 0);
    ERR(flock, EWOULDBLOCK, open("data", O_RDWR), 6);
    ERR(flock, EBADF, NOFD, 6);
}

static void controls(void)
{
    struct flock lk = {.l_type = F_WRLCK, .l_start = 2, .l_len = 3}, ask = lk;
    struct { int type, pid; } owner = {1, 0};
    int fd = open("data", O_RDWR), p[2];
    pipe(p);
    DID(fcntl, S(fcntl, fd, F_DUPFD, 200) == 200);
    DID(fcntl, S(fcntl, fd, F_DUPFD_CLOEXEC, 201) == 201 && S(fcntl, 201, F_GETFD) == 1);
    VAL(fcntl, 0, fd, F_SETFD, 1);
    VAL(fcntl, 0, fd, F_SETFL, O_APPEND | O_NONBLOCK | O_DIRECTORY);
    DID(fcntl, (S(fcntl, fd, F_GETFL) & (O_APPEND | O_NONBLOCK | O_DIRECT | O_DIRECTORY)) ==
                   (O_APPEND | O_NONBLOCK));
    VAL(fcntl, 0, fd, F_SETLK, &lk);
    VAL(fcntl, 0, fd, F_GETLK, &ask);
    DID(fcntl, ask.l_type == F_UNLCK);
    lk.l_pid = 0;
    ERR(fcntl, EAGAIN, open("data", O_RDWR), 37, &lk); /* F_OFD_SETLK */
    lk.l_type = F_UNLCK;
    VAL(fcntl, 0, fd, F_SETLKW, &lk);
    VAL(fcntl, 0, p[0], F_SETOWN, getpid());
    DID(fcntl, S(fcntl, p[0], F_GETOWN) == getpid());
    VAL(fcntl, 0, p[0], 16, &owner); /* F_GETOWN_EX */
    DID(fcntl, owner.pid == getpid());
    VAL(fcntl, 0, p[0], F_SETSIG, SIGIO);
    VAL(fcntl, 65536, p[0], 1032); /* F_GETPIPE_SZ */
    ERR(fcntl, EINVAL, p[0], 1034, 0); /* F_GET_SEALS */
    ERR(fcntl, EINVAL, fd, 9999, 0);
    ERR(fcntl, EBADF, NOFD, F_GETFD, 0);
    ERR(fcntl, EFAULT, fd, F_SETLK, BAD);
}

static void devices(void)
{
    struct winsize w = {24, 80, 0, 0}, got = {0};
    struct termios t;
    int n = 0, p[2], unlock = 0, master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    int file = open("data", O_RDWR);
    struct {
        unsigned flag[4];
        unsigned char line, c_cc[19];
        unsigned c_ispeed, c_ospeed;
    } tty2 = {0};
    long flags = 0;
    char buf[36];
    pipe(p);
    write(p[1], "abc", 3);
    VAL(ioctl, 0, p[0], FIONREAD, &n);
    DID(ioctl, n == 3);
    n = 1;
    VAL(ioctl, 0, p[0], FIONBIO, &n);
    VAL(ioctl, 0, p[0], FIOCLEX, 0);
    VAL(ioctl, 0, master, TIOCSPTLCK, &unlock);
    VAL(ioctl, 0, master, TIOCGPTN, &n);
    VAL(ioctl, 0, master, TIOCSWINSZ, &w);
    VAL(ioctl, 0, master, TIOCGWINSZ, &got);
    DID(ioctl, got.ws_row == 24 && got.ws_col == 80);
    VAL(ioctl, 0, master, TCGETS, buf);
    DID(ioctl, !tcgetattr(master, &t) && (t.c_lflag & ECHO) && t.c_cc[VINTR] == 3);
    VAL(ioctl, 0, master, 0x802c542a /* TCGETS2 */, &tty2);
    DID(ioctl, tty2.c_ispeed == 38400 && tty2.c_cc[VINTR] == 3);
    VAL(ioctl, 0, file, FS_IOC_GETFLAGS, &flags);
    VAL(ioctl, 0, file, FIGETBSZ, &n);
    DID(ioctl, n >= 512);
    ERR(ioctl, EOPNOTSUPP, file, FICLONE, open("copy", O_CREAT | O_RDWR, 0600));
    ERR(ioctl, ENOTTY, file, BLKGETSIZE64, buf);
    ERR(ioctl, ENOTTY, p[0], TCGETS, buf);
    ERR(ioctl, EBADF, NOFD, TCGETS, buf);
    ERR(ioctl, EFAULT, p[0], FIONREAD, BAD);
    ERR(ioctl, ENOTTY, p[0], 0xdeadbeef, 0);
}

int main(void)
{
    transfer();
    copying();
    descriptors();
    controls();
    devices();
    return 0;
}
