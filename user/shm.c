/* SPDX-License-Identifier: GPL-2.0-or-later */
/* madvise, and System V shared memory in the guest's map. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/mm.h"

/* Advice that loses contents: refused for sealed regions that cannot be written. */
static bool discards(int advice)
{
    return advice == MADV_DONTNEED || advice == MADV_FREE || advice == MADV_REMOVE ||
           advice == MADV_DONTFORK || advice == MADV_WIPEONFORK ||
           advice == 24 /* MADV_DONTNEED_LOCKED */;
}

/* Only the guest's pages are touched; a hole makes it -ENOMEM in the end, as in the kernel. */
int64_t user_madvise(UserProcess *p, uint64_t addr, uint64_t len, int advice)
{
    UserMap *m = &p->map;
    len = user_page_up(len);
    if (addr % USER_PAGE || addr > USER_TASK_SIZE || len > USER_TASK_SIZE - addr) {
        return -EINVAL;
    }
    uint64_t end = addr + len, at = addr;
    int64_t r = 0, hole = 0;
    bool exec = false;
    if (!len) {
        return madvise((void *)addr, 0, advice) ? -errno : 0;
    }
    pthread_mutex_lock(&m->lock);
    for (size_t i = user_map_index(m, addr); i < m->n && m->r[i].start < end && !r; i++) {
        uint64_t s = m->r[i].start > addr ? m->r[i].start : addr;
        uint64_t e = m->r[i].end < end ? m->r[i].end : end;
        hole = s > at ? -ENOMEM : hole;
        exec |= (m->r[i].prot & PROT_EXEC) != 0;
        if (m->r[i].sealed && !(m->r[i].prot & PROT_WRITE) && !m->r[i].shared && discards(advice)) {
            r = -EPERM;
            break;
        }
        r = madvise((void *)s, e - s, advice) ? -errno : 0;
        at = e;
    }
    pthread_mutex_unlock(&m->lock);
    if (exec && (advice == MADV_DONTNEED || advice == MADV_REMOVE)) {
        tcg_invalidate(p->engine, addr, end);
    }
    return r ? r : at < end ? -ENOMEM : hole;
}

int64_t user_shmat(UserProcess *p, int id, uint64_t addr, int flags)
{
    UserMap *m = &p->map;
    struct shmid_ds ds;
    if (syscall(SYS_shmctl, id, IPC_STAT, &ds)) {
        return -errno;
    }
    uint64_t len = user_page_up(ds.shm_segsz);
    if (addr && (flags & SHM_RND)) {
        addr &= ~(uint64_t)(USER_PAGE - 1);
    }
    if (addr > m->limit || len > m->limit - addr) {
        return -EINVAL;
    }
    int host_flags = flags & ~(SHM_RND | SHM_EXEC | SHM_REMAP);
    int64_t r;
    bool exec = false;
    pthread_mutex_lock(&m->lock);
    if (addr && (flags & SHM_REMAP)) {
        /* only over what is wholly the guest's */
        size_t i = user_map_index(m, addr);
        uint64_t at = addr;
        for (; i < m->n && m->r[i].start <= at && at < addr + len; i++) {
            at = m->r[i].end;
        }
        host_flags |= at >= addr + len && !user_map_sealed(m, addr, addr + len) ? SHM_REMAP : 0;
    }
    r = (int64_t)syscall(SYS_shmat, id, addr, host_flags);
    r = r == -1 ? -errno : r;
    if (r >= 0) {
        int prot =
            PROT_READ | (flags & SHM_RDONLY ? 0 : PROT_WRITE) | (flags & SHM_EXEC ? PROT_EXEC : 0);
        exec = user_map_set(m, (UserRegion){.start = (uint64_t)r,
                                            .end = (uint64_t)r + len,
                                            .prot = prot,
                                            .kind = USER_R_SHM,
                                            .shared = true});
    }
    pthread_mutex_unlock(&m->lock);
    if (exec) {
        tcg_invalidate(p->engine, (uint64_t)r, (uint64_t)r + len);
    }
    return r;
}

int64_t user_shmdt(UserProcess *p, uint64_t addr)
{
    UserMap *m = &p->map;
    int64_t r = -EINVAL;
    uint64_t end = addr;
    bool exec = false;
    pthread_mutex_lock(&m->lock);
    size_t i = user_map_index(m, addr);
    if (i < m->n && m->r[i].start == addr && m->r[i].kind == USER_R_SHM) {
        end = m->r[i].end;
        r = m->r[i].sealed ? -EPERM : syscall(SYS_shmdt, addr) ? -errno : 0;
    }
    if (!r) {
        exec = user_map_remove(m, addr, end);
    }
    pthread_mutex_unlock(&m->lock);
    if (exec) {
        tcg_invalidate(p->engine, addr, end);
    }
    return r;
}
