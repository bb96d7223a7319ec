/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for events: poll, epoll, inotify, fanotify, asynchronous I/O. */
#include "calls.h"

#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/signalfd.h>

static const struct timespec none;

static void polling(void)
{
    int p[2];
    pipe(p);
    struct pollfd f = {p[0], POLLIN, 0};
    struct timespec bad = {0, -1};
    uint64_t mask = 0;
    struct { void *mask; size_t size; } pack = {&mask, 8};
    fd_set in;
    FD_ZERO(&in);
    FD_SET(p[0], &in);
    VAL(ppoll, 0, &f, 1, &none, 0, 0);
    VAL(pselect6, 0, p[0] + 1, &in, 0, 0, &none, &pack);
    write(p[1], "x", 1);
    FD_SET(p[0], &in);
    VAL(ppoll, 1, &f, 1, 0, &mask, 8);
    DID(ppoll, f.revents == POLLIN);
    ERR(ppoll, EINVAL, &f, 1, &bad, 0, 0);
    ERR(ppoll, EINVAL, &f, 1, &none, &mask, 7);
    ERR(ppoll, EFAULT, BAD, 1, &none, 0, 0);
    VAL(pselect6, 1, p[0] + 1, &in, 0, 0, 0, &pack);
    DID(pselect6, FD_ISSET(p[0], &in));
    ERR(pselect6, EINVAL, -1, &in, 0, 0, &none, 0);
    FD_SET(60, &in);
    ERR(pselect6, EBADF, 61, &in, 0, 0, &none, 0);
    close(p[0]);
    close(p[1]);
}

static void epolling(void)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = 0x1122334455667788}, got[4] = {0};
    uint64_t one = 1, mask = 0;
    struct timespec bad = {0, -1};
    long e = RES(epoll_create1, EPOLL_CLOEXEC);
    ERR(epoll_create1, EINVAL, 99);
    long fd = RES(eventfd2, 0, O_NONBLOCK);
    ERR(eventfd2, EINVAL, 0, 2);
    VAL(epoll_ctl, 0, e, EPOLL_CTL_ADD, fd, &ev);
    ERR(epoll_ctl, EEXIST, e, EPOLL_CTL_ADD, fd, &ev);
    ERR(epoll_ctl, EFAULT, e, EPOLL_CTL_ADD, fd, BAD);
    ERR(epoll_ctl, EINVAL, e, 99, fd, &ev);
    VAL(epoll_pwait, 0, e, got, 4, 0, 0, 0);
    write(fd, &one, 8);
    VAL(epoll_pwait, 1, e, got, 4, -1, &mask, 8);
    DID(epoll_pwait, got[0].events == EPOLLIN && got[0].data.u64 == 0x1122334455667788);
    ERR(epoll_pwait, EINVAL, e, got, 0, 0, 0, 0);
    ERR(epoll_pwait, EINVAL, fd, got, 4, 0, 0, 0);
    ERR(epoll_pwait, EBADF, NOFD, got, 4, 0, 0, 0);
    memset(got, 0, sizeof got);
    VAL(epoll_pwait2, 1, e, got, 4, 0, 0, 0);
    DID(epoll_pwait2, got[0].data.u64 == 0x1122334455667788);
    ERR(epoll_pwait2, EINVAL, e, got, 4, &bad, 0, 0);
    VAL(epoll_ctl, 0, e, EPOLL_CTL_DEL, fd, 0);
    ERR(epoll_ctl, ENOENT, e, EPOLL_CTL_DEL, fd, 0);
    close(e);
    close(fd);
}

static void watching(void)
{
    struct inotify_event ev[4] = {0};
    struct fanotify_event_metadata meta[4] = {0};
    struct signalfd_siginfo si = {0};
    uint64_t mask = 1 << (SIGUSR1 - 1);
    long n = RES(inotify_init1, O_NONBLOCK);
    ERR(inotify_init1, EINVAL, 1);
    VAL(inotify_add_watch, 1, n, ".", IN_CREATE);
    ERR(inotify_add_watch, ENOENT, n, "none", IN_CREATE);
    close(open("seen", O_CREAT | O_RDWR, 0600));
    DID(inotify_add_watch, read(n, ev, sizeof ev) > 0 && ev[0].mask == IN_CREATE);
    VAL(inotify_rm_watch, 0, n, 1);
    ERR(inotify_rm_watch, EINVAL, n, 1);
    close(n);
    n = RES(fanotify_init, 0x2, O_RDONLY | O_LARGEFILE); /* FAN_NONBLOCK */
    ERR(fanotify_init, EINVAL, 0x80000000, O_RDONLY);
    VAL(fanotify_mark, 0, n, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "seen");
    ERR(fanotify_mark, ENOENT, n, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "none");
    ERR(fanotify_mark, EINVAL, n, 0, FAN_OPEN, AT_FDCWD, "seen");
    close(open("seen", O_RDONLY));
    DID(fanotify_mark, read(n, meta, sizeof meta) > 0 && meta[0].mask & FAN_OPEN);
    close(n);
    S(rt_sigprocmask, SIG_BLOCK, &mask, 0, 8);
    n = RES(signalfd4, -1, &mask, 8, O_NONBLOCK);
    ERR(signalfd4, EINVAL, -1, &mask, 7, 0);
    raise(SIGUSR1);
    DID(signalfd4, read(n, &si, sizeof si) == sizeof si && si.ssi_signo == SIGUSR1);
    close(n);
}

static void asynchronous(void)
{
    char text[8] = "abcdefg";
    aio_context_t c = 0;
    int fd = open("aio", O_CREAT | O_RDWR, 0600);
    struct iocb cb = {.aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = fd, .aio_data = 77,
                      .aio_buf = (uintptr_t)text, .aio_nbytes = 7}, *list[1] = {&cb};
    struct io_event ev[2] = {0};
    uint64_t mask = 0;
    struct { void *mask; size_t size; } pack = {&mask, 8};
    VAL(io_setup, 0, 4, &c);
    ERR(io_setup, EINVAL, 4, &c);
    VAL(io_submit, 1, c, 1, list);
    ERR(io_submit, EINVAL, 0x1234, 1, list);
    VAL(io_getevents, 1, c, 1, 2, ev, 0);
    DID(io_getevents, ev[0].data == 77 && ev[0].res == 7);
    ERR(io_getevents, EINVAL, 0x1234, 1, 2, ev, 0);
    VAL(io_submit, 1, c, 1, list);
    VAL(io_pgetevents, 1, c, 1, 2, ev, 0, &pack);
    ERR(io_pgetevents, EINVAL, 0x1234, 1, 2, ev, 0, 0);
    REFUSED(io_cancel);
    ERR(io_cancel, EINVAL, c, &cb, ev);
    ERR(io_cancel, EINVAL, 0x1234, &cb, ev);
    VAL(io_destroy, 0, c);
    ERR(io_destroy, EINVAL, c);
}

int main(void)
{
    polling();
    epolling();
    watching();
    asynchronous();
    return 0;
}
