/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls on sockets. */
#include "calls.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static void pairs(void)
{
    int s[2], other[2], fd = -1, n;
    char text[32] = "", control[64] = "";
    struct iovec v = {"message", 7}, w = {text, sizeof text};
    struct msghdr out = {.msg_iov = &v, .msg_iovlen = 1}, in = {.msg_iov = &w, .msg_iovlen = 1};
    struct mmsghdr many[2] = {{.msg_hdr = out}, {.msg_hdr = out}};
    VAL(socketpair, 0, AF_UNIX, SOCK_DGRAM, 0, s);
    ERR(socketpair, EOPNOTSUPP, AF_INET, SOCK_STREAM, 0, other);
    ERR(socketpair, EFAULT, AF_UNIX, SOCK_STREAM, 0, BAD);
    VAL(sendto, 5, s[0], "hello", 5, 0, 0, 0);
    ERR(sendto, EBADF, NOFD, "hello", 5, 0, 0, 0);
    ERR(sendto, EFAULT, s[0], BAD, 5, 0, 0, 0);
    VAL(recvfrom, 5, s[1], text, sizeof text, 0, 0, 0);
    DID(recvfrom, !memcmp(text, "hello", 5));
    ERR(recvfrom, EAGAIN, s[1], text, sizeof text, MSG_DONTWAIT, 0, 0);
    out.msg_control = control;
    out.msg_controllen = CMSG_SPACE(sizeof n);
    struct cmsghdr *c = CMSG_FIRSTHDR(&out);
    *c = (struct cmsghdr){CMSG_LEN(sizeof n), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(c), &s[0], sizeof n);
    VAL(sendmsg, 7, s[0], &out, 0);
    ERR(sendmsg, EFAULT, s[0], BAD, 0);
    memset(control, 0, sizeof control);
    in.msg_control = control;
    in.msg_controllen = sizeof control;
    VAL(recvmsg, 7, s[1], &in, 0);
    c = CMSG_FIRSTHDR(&in);
    DID(recvmsg, c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof n));
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    DID(recvmsg, fcntl(fd, F_GETFD) == 0 && !memcmp(text, "message", 7));
    ERR(recvmsg, EAGAIN, s[1], &in, MSG_DONTWAIT);
    VAL(sendmmsg, 2, s[0], many, 2, 0);
    DID(sendmmsg, many[1].msg_len == 7);
    ERR(sendmmsg, EBADF, NOFD, many, 2, 0);
    many[0].msg_hdr = many[1].msg_hdr = (struct msghdr){.msg_iov = &w, .msg_iovlen = 1};
    VAL(recvmmsg, 2, s[1], many, 2, 0, 0);
    ERR(recvmmsg, EAGAIN, s[1], many, 2, MSG_DONTWAIT, 0);
    VAL(shutdown, 0, s[0], SHUT_RDWR);
    ERR(shutdown, EINVAL, s[0], 99);
    ERR(shutdown, EBADF, NOFD, 0);
}

static void streams(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}, b;
    socklen_t len = sizeof a;
    long l = RES(socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ERR(socket, EAFNOSUPPORT, 99, SOCK_STREAM, 0);
    ERR(socket, EINVAL, AF_INET, 99, 0);
    VAL(bind, 0, l, &a, sizeof a);
    ERR(bind, EINVAL, l, &a, sizeof a);
    ERR(bind, EFAULT, l, BAD, sizeof a);
    VAL(listen, 0, l, 5);
    ERR(listen, EBADF, NOFD, 5);
    VAL(getsockname, 0, l, &a, &len);
    DID(getsockname, len == sizeof a && a.sin_port);
    ERR(getsockname, EBADF, NOFD, &a, &len);
    int c = socket(AF_INET, SOCK_STREAM, 0), d = socket(AF_INET, SOCK_STREAM, 0);
    VAL(connect, 0, c, &a, sizeof a);
    ERR(connect, EISCONN, c, &a, sizeof a);
    long s = S(accept, l, &b, &len);
    DID(accept, s >= 0 && b.sin_family == AF_INET);
    ERR(accept, EBADF, NOFD, 0, 0);
    connect(d, (struct sockaddr *)&a, sizeof a);
    long s2 = S(accept4, l, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
    DID(accept4, fcntl(s2, F_GETFL) & O_NONBLOCK && fcntl(s2, F_GETFD) == FD_CLOEXEC);
    ERR(accept4, EINVAL, l, 0, 0, 1);
    len = sizeof b;
    VAL(getpeername, 0, c, &b, &len);
    DID(getpeername, b.sin_port == a.sin_port);
    ERR(getpeername, ENOTCONN, l, &b, &len);
}

static void options(void)
{
    int s = socket(AF_INET, SOCK_STREAM, 0), u = socket(AF_UNIX, SOCK_STREAM, 0), on = 1, got = 0;
    struct timeval t = {3, 0}, was = {0};
    struct linger lin = {1, 5}, lgot = {0};
    struct ucred cred = {0};
    socklen_t len = sizeof got;
    VAL(setsockopt, 0, s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    VAL(getsockopt, 0, s, SOL_SOCKET, SO_REUSEADDR, &got, &len);
    DID(getsockopt, got == 1 && len == 4);
    VAL(setsockopt, 0, s, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    len = sizeof was;
    VAL(getsockopt, 0, s, SOL_SOCKET, SO_RCVTIMEO, &was, &len);
    DID(getsockopt, was.tv_sec == 3);
    VAL(setsockopt, 0, s, SOL_SOCKET, SO_LINGER, &lin, sizeof lin);
    len = sizeof lgot;
    VAL(getsockopt, 0, s, SOL_SOCKET, SO_LINGER, &lgot, &len);
    DID(getsockopt, lgot.l_linger == 5);
    VAL(setsockopt, 0, s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    VAL(setsockopt, 0, s, IPPROTO_IP, IP_TTL, (on = 9, &on), sizeof on);
    len = sizeof cred;
    VAL(getsockopt, 0, u, SOL_SOCKET, SO_PEERCRED, &cred, &len);
    DID(getsockopt, len == sizeof cred);
    len = sizeof got;
    VAL(getsockopt, 0, u, SOL_SOCKET, SO_TYPE, &got, &len);
    DID(getsockopt, got == SOCK_STREAM);
    ERR(setsockopt, ENOPROTOOPT, s, SOL_SOCKET, 9999, &on, sizeof on);
    ERR(setsockopt, ENOPROTOOPT, s, IPPROTO_TCP, 9999, &on, sizeof on);
    ERR(setsockopt, EBADF, NOFD, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ERR(getsockopt, ENOPROTOOPT, s, SOL_SOCKET, 9999, &got, &len);
    ERR(getsockopt, ENOTSOCK, open("/dev/null", O_RDONLY), SOL_SOCKET, SO_TYPE, &got, &len);
}

static void interfaces(void)
{
    struct { struct nlmsghdr h; struct ifinfomsg i; } ask = {
        {sizeof ask, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 1, 0}, {.ifi_family = AF_UNSPEC}};
    struct ifreq r = {.ifr_name = "lo"};
    char answer[8192] = "";
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    long n = RES(socket, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    VAL(sendto, sizeof ask, n, &ask, sizeof ask, 0, 0, 0);
    DID(recvfrom, S(recvfrom, n, answer, sizeof answer, 0, 0, 0) > 0 &&
                      ((struct nlmsghdr *)answer)->nlmsg_type == RTM_NEWLINK);
    VAL(ioctl, 0, s, SIOCGIFINDEX, &r);
    DID(ioctl, r.ifr_ifindex == 1);
    ERR(socket, EPROTONOSUPPORT, AF_NETLINK, SOCK_RAW, 31);
}

int main(void)
{
    pairs();
    streams();
    options();
    interfaces();
    return 0;
}
