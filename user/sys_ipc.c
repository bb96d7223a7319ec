/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System V semaphores (struct semid64_ds differs) and POSIX message queues (open flags). */
#include <errno.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/syscall.h>

#include "user/abi.h"
#include "user/user.h"

/* asm-generic/sembuf.h for 64 bits; x86 has a reserved word after each time. */
typedef struct A64Semid {
    struct ipc_perm perm;
    int64_t otime, ctime;
    uint64_t nsems, unused[2];
} A64Semid;
typedef struct HostSemid {
    struct ipc_perm perm;
    int64_t otime;
    uint64_t unused1;
    int64_t ctime;
    uint64_t unused2, nsems, unused[2];
} HostSemid;

SYS_DEF(semctl)
{
    int cmd = (int)a[2] & ~0x100; /* IPC_64 */
    A64Semid g = {0};
    HostSemid h = {0};
    int64_t r;
    switch (cmd) {
    case IPC_SET:
        if (user_get(&g, a[3], sizeof g)) {
            return -EFAULT;
        }
        h.perm = g.perm;
        return USER_CALL(t, SYS_semctl, a[0], a[1], IPC_SET, (uint64_t)&h);
    case IPC_STAT:
    case SEM_STAT:
    case SEM_STAT_ANY:
        r = USER_CALL(t, SYS_semctl, a[0], a[1], (uint64_t)cmd, (uint64_t)&h);
        if (r < 0) {
            return r;
        }
        g.perm = h.perm;
        g.otime = h.otime;
        g.ctime = h.ctime;
        g.nsems = h.nsems;
        return user_put(a[3], &g, sizeof g) ? -EFAULT : r;
    default: return USER_CALL(t, SYS_semctl, a[0], a[1], (uint64_t)cmd, a[3]);
    }
}

SYS_DEF(mq_open)
{
    return USER_CALL(t, SYS_mq_open, a[0], user_open_flags_to_host(a[1]), a[2], a[3]);
}
