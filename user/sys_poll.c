/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for descriptors: calls with a mask of their own, and epoll (packed only on x86). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>

#include "user/abi.h"
#include "user/user.h"

#define OPEN_ON_HOST (((uint64_t)1 << (SIGSEGV - 1)) | ((uint64_t)1 << (SIGBUS - 1)))

/* A call whose argument i is a mask of argument i + 1 bytes (0 pointer: none). */
static int64_t with_mask(UserThread *t, long nr, const uint64_t a[6], unsigned i)
{
    uint64_t mask, b[6];
    memcpy(b, a, sizeof b);
    if (!a[i]) {
        return user_host_call(t, nr, b);
    }
    if (a[i + 1] != 8) {
        return -EINVAL;
    }
    if (user_get(&mask, a[i], 8)) {
        return -EFAULT;
    }
    uint64_t host = mask & ~OPEN_ON_HOST;
    b[i] = (uint64_t)&host;
    return user_masked_call(t, nr, b, mask);
}

SYS_DEF(ppoll)
{
    return with_mask(t, SYS_ppoll, a, 3);
}

SYS_DEF(pselect6)
{
    uint64_t pack[2], mask, b[6];
    memcpy(b, a, sizeof b);
    if (!a[5]) {
        return user_host_call(t, SYS_pselect6, b);
    }
    if (user_get(pack, a[5], sizeof pack)) {
        return -EFAULT;
    }
    if (!pack[0]) {
        return user_host_call(t, SYS_pselect6, b);
    }
    if (pack[1] != 8) {
        return -EINVAL;
    }
    if (user_get(&mask, pack[0], 8)) {
        return -EFAULT;
    }
    uint64_t host = mask & ~OPEN_ON_HOST;
    pack[0] = (uint64_t)&host;
    b[5] = (uint64_t)pack;
    return user_masked_call(t, SYS_pselect6, b, mask);
}

SYS_DEF(io_pgetevents)
{
    uint64_t pack[2], mask, b[6];
    memcpy(b, a, sizeof b);
    if (a[5] && user_get(pack, a[5], sizeof pack)) {
        return -EFAULT;
    }
    if (!a[5] || !pack[0]) {
        return user_host_call(t, SYS_io_pgetevents, b);
    }
    if (pack[1] != 8) {
        return -EINVAL;
    }
    if (user_get(&mask, pack[0], 8)) {
        return -EFAULT;
    }
    uint64_t host = mask & ~OPEN_ON_HOST;
    pack[0] = (uint64_t)&host;
    b[5] = (uint64_t)pack;
    return user_masked_call(t, SYS_io_pgetevents, b, mask);
}

/* ---- epoll ---- */

typedef struct A64EpollEvent {
    uint32_t events, pad;
    uint64_t data;
} A64EpollEvent;

SYS_DEF(epoll_ctl)
{
    A64EpollEvent g;
    struct epoll_event h;
    if ((int)a[1] == EPOLL_CTL_DEL) {
        return USER_CALL(t, SYS_epoll_ctl, a[0], a[1], a[2], 0);
    }
    if (user_get(&g, a[3], sizeof g)) {
        return -EFAULT;
    }
    h.events = g.events;
    h.data.u64 = g.data;
    return USER_CALL(t, SYS_epoll_ctl, a[0], a[1], a[2], (uint64_t)&h);
}

static int64_t epoll_wait_common(UserThread *t, long nr, const uint64_t a[6])
{
    enum { FEW = 64, MOST = 1 << 20 };
    struct epoll_event few[FEW], *ev = few;
    int max = (int)a[2];
    if (max <= 0 || max > (int)(INT32_MAX / sizeof(A64EpollEvent))) {
        return -EINVAL;
    }
    max = max < MOST ? max : MOST;
    if (max > FEW && !(ev = malloc((size_t)max * sizeof *ev))) {
        return -ENOMEM;
    }
    int64_t r = with_mask(
        t, nr, (const uint64_t[6]){a[0], (uint64_t)ev, (uint64_t)max, a[3], a[4], a[5]}, 4);
    for (int64_t i = 0; i < r; i++) {
        A64EpollEvent g = {.events = ev[i].events, .data = ev[i].data.u64};
        if (user_put(a[1] + (uint64_t)i * sizeof g, &g, sizeof g)) {
            r = i ? i : -EFAULT;
        }
    }
    if (ev != few) {
        free(ev);
    }
    return r;
}

SYS_DEF(epoll_pwait)
{
    return epoll_wait_common(t, SYS_epoll_pwait, a);
}

SYS_DEF(epoll_pwait2)
{
    return epoll_wait_common(t, SYS_epoll_pwait2, a);
}
