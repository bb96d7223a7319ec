/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioctl, fcntl, socket options and netlink families: calls that are many calls, by a number. Only
 * numbers whose arguments are known to be the same on arm64 and x86-64 reach the kernel; for the
 * others the answer is what a kernel without that feature gives.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "user/abi.h"
#include "user/user.h"

/* A refusal, or what is wrong with the descriptor itself: that comes first. */
static int64_t refuse(UserThread *t, uint64_t fd, int64_t error)
{
    int64_t r = USER_CALL(t, SYS_fcntl, fd, F_GETFD);
    return r < 0 ? r : error;
}

/* ---- fcntl: include/uapi/linux/fcntl.h, asm-generic/fcntl.h ---- */

static const struct {
    uint16_t first, last;
} fcntls[] = {
    {0, 11},      /* F_DUPFD to F_GETSIG */
    {15, 17},     /* F_SETOWN_EX, F_GETOWN_EX, F_GETOWNER_UIDS */
    {36, 38},     /* F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW */
    {1024, 1028}, /* F_SETLEASE, F_GETLEASE, F_NOTIFY, F_DUPFD_QUERY, F_CREATED_QUERY */
    {1030, 1040}, /* F_DUPFD_CLOEXEC, pipe sizes, seals, write hints, delegations */
};

SYS_DEF(fcntl)
{
    unsigned cmd = (unsigned)a[1];
    switch (cmd) {
    case F_SETFL: return USER_CALL(t, SYS_fcntl, a[0], a[1], user_open_flags_to_host(a[2]));
    case F_GETFL: {
        int64_t r = USER_CALL(t, SYS_fcntl, a[0], a[1], 0);
        return r < 0 ? r : (int64_t)user_open_flags_to_guest((uint64_t)r);
    }
    default: break;
    }
    for (unsigned i = 0; i < sizeof fcntls / sizeof *fcntls; i++) {
        if (cmd >= fcntls[i].first && cmd <= fcntls[i].last) {
            return USER_CALL(t, SYS_fcntl, a[0], a[1], a[2]);
        }
    }
    return refuse(t, a[0], -EINVAL);
}

/* ---- ioctl ---- */

static const uint32_t ioctls[] = {
#define IOCTL(number, name) number,
#define IOCTL_SIZES(type, first, last, name)
#include "user/ioctls.def"
#undef IOCTL
#undef IOCTL_SIZES
};

static const struct {
    uint8_t type, first, last;
} ioctl_sizes[] = {
#define IOCTL(number, name)
#define IOCTL_SIZES(type, first, last, name) {type, first, last},
#include "user/ioctls.def"
#undef IOCTL
#undef IOCTL_SIZES
};

static bool ioctl_is_known(uint32_t number)
{
    unsigned type = number >> 8 & 0xff, low = number & 0xff;
    for (unsigned i = 0; i < sizeof ioctls / sizeof *ioctls; i++) {
        if (ioctls[i] == number) {
            return true;
        }
    }
    for (unsigned i = 0; i < sizeof ioctl_sizes / sizeof *ioctl_sizes; i++) {
        if (type == ioctl_sizes[i].type && low >= ioctl_sizes[i].first &&
            low <= ioctl_sizes[i].last) {
            return true;
        }
    }
    return false;
}

SYS_DEF(ioctl)
{
    if (!ioctl_is_known((uint32_t)a[1])) {
        return refuse(t, a[0], -ENOTTY);
    }
    return USER_CALL(t, SYS_ioctl, a[0], a[1], a[2]);
}

/* ---- sockets ---- */

/* Options by level: include/uapi/linux of Linux 6.17. */
static const struct {
    uint16_t level, first, last;
} options[] = {
    {1, 1, 84},                    /* SOL_SOCKET, asm-generic/socket.h */
    {0, 1, 36},                    /* IPPROTO_IP, in.h */
    {0, 41, 52},                   /* its multicast filters to IP_PROTOCOL */
    {0, 64, 67},                   /* netfilter_ipv4/ip_tables.h */
    {0, 80, 80},                   /* SO_ORIGINAL_DST */
    {0, 128, 131},                 /* netfilter_bridge/ebtables.h */
    {0, 200, 212},                 /* mroute.h */
    {6, 1, 45},                    /* IPPROTO_TCP, tcp.h */
    {17, 1, 1},                    /* IPPROTO_UDP, udp.h */
    {17, 100, 105},  {41, 1, 82},  /* IPPROTO_IPV6, in6.h, netfilter_ipv6/ip6_tables.h */
    {41, 200, 212},                /* mroute6.h */
    {58, 1, 1},                    /* IPPROTO_ICMPV6 */
    {132, 0, 36},                  /* IPPROTO_SCTP, sctp.h */
    {132, 100, 132}, {136, 1, 11}, /* IPPROTO_UDPLITE */
    {255, 1, 1},                   /* IPPROTO_RAW, ICMP_FILTER */
    {263, 1, 24},                  /* SOL_PACKET, if_packet.h */
    {264, 0, 3},                   /* SOL_ATM, atm.h */
    {270, 1, 12},                  /* SOL_NETLINK, netlink.h */
    {271, 127, 135},               /* SOL_TIPC, tipc.h */
    {40, 0, 8},                    /* AF_VSOCK, vm_sockets.h */
    {100, 1, 1},                   /* SOL_CAN_BASE, can.h */
    {101, 1, 8},                   /* SOL_CAN_RAW, can/raw.h */
    {0x112, 1, 22},                /* SOL_BLUETOOTH */
    {279, 1, 8},                   /* SOL_ALG, if_alg.h */
    {282, 1, 5},                   /* SOL_TLS, tls.h */
    {283, 1, 10},                  /* SOL_XDP, if_xdp.h */
    {284, 1, 4},                   /* SOL_MPTCP, mptcp.h */
};

static bool option_is_known(uint64_t level, uint64_t name)
{
    for (unsigned i = 0; i < sizeof options / sizeof *options; i++) {
        if ((uint32_t)level == options[i].level && (uint32_t)name >= options[i].first &&
            (uint32_t)name <= options[i].last) {
            return true;
        }
    }
    return false;
}

SYS_DEF(setsockopt)
{
    if (!option_is_known(a[1], a[2])) {
        return refuse(t, a[0], -ENOPROTOOPT);
    }
    return USER_CALL(t, SYS_setsockopt, a[0], a[1], a[2], a[3], a[4]);
}

SYS_DEF(getsockopt)
{
    if (!option_is_known(a[1], a[2])) {
        return refuse(t, a[0], -ENOPROTOOPT);
    }
    return USER_CALL(t, SYS_getsockopt, a[0], a[1], a[2], a[3], a[4]);
}

/* Families of netlink.h whose messages are the same on 64-bit machines of the same byte order. */
enum {
    NETLINK_KNOWN = 1 << 0 /* ROUTE */ | 1 << 2 /* USERSOCK */ | 1 << 4 /* SOCK_DIAG */ |
                    1 << 6 /* XFRM */ | 1 << 9 /* AUDIT */ | 1 << 10 /* FIB_LOOKUP */ |
                    1 << 11 /* CONNECTOR */ | 1 << 12 /* NETFILTER */ |
                    1 << 15 /* KOBJECT_UEVENT */ | 1 << 16 /* GENERIC */ | 1 << 21 /* CRYPTO */,
};

SYS_DEF(socket)
{
    uint32_t protocol = (uint32_t)a[2];
    if ((int)a[0] == AF_NETLINK && (protocol > 31 || !((uint32_t)NETLINK_KNOWN >> protocol & 1))) {
        return -EPROTONOSUPPORT;
    }
    return USER_CALL(t, SYS_socket, a[0], a[1], a[2]);
}
