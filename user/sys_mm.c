/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls on memory: arguments only, mm.c does the work. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "user/abi.h"
#include "user/mm.h"
#include "user/guest_abi.h"

SYS_DEF(brk)
{
    return user_brk(t->proc, a[0]);
}

SYS_DEF(mmap)
{
    return user_mmap(t->proc, a);
}

SYS_DEF(munmap)
{
    return user_munmap(t->proc, a[0], a[1]);
}

SYS_DEF(mremap)
{
    return user_mremap(t->proc, a);
}

SYS_DEF(mprotect)
{
    return user_mprotect(t->proc, a[0], a[1], (int)a[2]);
}

SYS_DEF(madvise)
{
    return user_madvise(t->proc, a[0], a[1], (int)a[2]);
}

SYS_DEF(process_madvise)
{
    return USER_CALL(t, SYS_process_madvise, a[0], a[1], a[2], a[3], a[4]);
}

SYS_DEF(shmat)
{
    return user_shmat(t->proc, (int)a[0], a[1], (int)a[2]);
}

SYS_DEF(shmdt)
{
    return user_shmdt(t->proc, a[0]);
}

SYS_DEF(mseal)
{
    return a[2] ? -EINVAL : user_mseal(t->proc, a[0], a[1]);
}

/* Memory protection keys: an arm64 kernel of today's distributions has none. */
SYS_DEF(pkey_mprotect)
{
    return (int)a[3] == -1 ? user_mprotect(t->proc, a[0], a[1], (int)a[2]) : -EINVAL;
}

SYS_DEF(pkey_alloc)
{
    (void)t;
    return a[0] || a[1] > 3 ? -EINVAL : -ENOSPC;
}

SYS_DEF(pkey_free)
{
    (void)t;
    (void)a;
    return -EINVAL;
}

SYS_DEF(remap_file_pages)
{
    UserRegion r;
    if (!user_map_find(&t->proc->map, a[0], &r) || r.end - a[0] < a[1]) {
        return -EINVAL;
    }
    return USER_CALL(t, SYS_remap_file_pages, a[0], a[1], a[2], a[3], a[4]);
}

/* Where locking of a region begins: of the main stack, a kernel has mapped only what was used. */
static uint64_t lock_start(UserThread *t, const UserRegion *r)
{
    uint64_t sp = t->proc->abi->sp(t);
    if (r->end != t->proc->stack_end) {
        return r->start;
    }
    sp = sp >= r->start && sp < r->end ? sp : t->proc->stack_sp;
    return sp & ~(uint64_t)4095;
}

/* The guest's pages only: the emulator's reservations must stay unpopulated. */
SYS_DEF(mlockall)
{
    UserMap *m = &t->proc->map;
    uint64_t f = a[0];
    int64_t r = 0;
    if (!f || (f & ~(uint64_t)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) || f == MCL_ONFAULT) {
        return -EINVAL;
    }
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < m->n && (f & MCL_CURRENT); i++) {
        uint64_t start = lock_start(t, &m->r[i]);
        int64_t e = mlock2((void *)start, m->r[i].end - start, f & MCL_ONFAULT ? MLOCK_ONFAULT : 0)
                        ? -errno
                        : 0;
        r = e == -EPERM || (e && !r && m->r[i].prot) ? e : r;
    }
    m->lock_future = f & MCL_FUTURE;
    pthread_mutex_unlock(&m->lock);
    return r;
}

SYS_DEF(munlockall)
{
    (void)a;
    t->proc->map.lock_future = false;
    return USER_CALL(t, SYS_munlockall, 0);
}
