/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's memory map and the calls that change it.
 *
 * Guest and host addresses are the same, so the host kernel places what the guest does not. The
 * emulator's own mappings live in the same space: a call that names addresses (MAP_FIXED, munmap,
 * mprotect, ...) only ever reaches pages that the map says are the guest's, or free ones that it
 * claims with MAP_FIXED_NOREPLACE. PROT_EXEC is not given to the host: guest code is data here,
 * and must be readable for the translator.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/mm.h"
#include "user/user.h"

uint64_t user_page_up(uint64_t v)
{
    return (v + USER_PAGE - 1) & ~(uint64_t)(USER_PAGE - 1);
}

void user_map_init(UserMap *m, uint64_t limit)
{
    pthread_mutex_init(&m->lock, NULL);
    m->limit = limit;
}

int user_host_prot(int guest_prot)
{
    int p = guest_prot & (PROT_READ | PROT_WRITE);
    return guest_prot & PROT_EXEC ? p | PROT_READ : p;
}

/* ---- the sorted array; lock held ---- */

size_t user_map_index(const UserMap *m, uint64_t addr)
{
    size_t lo = 0, hi = m->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (m->r[mid].end <= addr) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static void insert_at(UserMap *m, size_t i, UserRegion r)
{
    if (m->n == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 64;
        m->r = realloc(m->r, m->cap * sizeof *m->r);
        if (!m->r) {
            abort();
        }
    }
    memmove(m->r + i + 1, m->r + i, (m->n - i) * sizeof *m->r);
    m->r[i] = r;
    m->n++;
}

bool user_map_remove(UserMap *m, uint64_t start, uint64_t end)
{
    bool exec = false;
    size_t i = user_map_index(m, start);
    if (i < m->n && m->r[i].start < start) {
        UserRegion tail = m->r[i];
        exec |= (tail.prot & PROT_EXEC) != 0;
        m->r[i].end = start;
        tail.start = start;
        insert_at(m, ++i, tail);
    }
    size_t j = i;
    while (j < m->n && m->r[j].end <= end) {
        exec |= (m->r[j++].prot & PROT_EXEC) != 0;
    }
    if (j < m->n && m->r[j].start < end) {
        exec |= (m->r[j].prot & PROT_EXEC) != 0;
        m->r[j].start = end;
    }
    memmove(m->r + i, m->r + j, (m->n - j) * sizeof *m->r);
    m->n -= j - i;
    return exec;
}

static bool mergeable(const UserRegion *a, const UserRegion *b)
{
    return a->end == b->start && a->prot == b->prot && a->kind == b->kind &&
           a->shared == b->shared && a->sealed == b->sealed && a->kind != USER_R_SHM;
}

bool user_map_set(UserMap *m, UserRegion r)
{
    bool exec = user_map_remove(m, r.start, r.end);
    size_t i = user_map_index(m, r.start);
    if (r.prot & USER_PROT_BTI) {
        atomic_store_explicit(&m->guarded, true, memory_order_relaxed);
    }
    if (i && mergeable(&m->r[i - 1], &r)) {
        m->r[--i].end = r.end;
    } else {
        insert_at(m, i, r);
    }
    if (i + 1 < m->n && mergeable(&m->r[i], &m->r[i + 1])) {
        m->r[i].end = m->r[i + 1].end;
        memmove(m->r + i + 1, m->r + i + 2, (m->n - i - 2) * sizeof *m->r);
        m->n--;
    }
    return exec;
}

bool user_map_sealed(const UserMap *m, uint64_t start, uint64_t end)
{
    for (size_t i = user_map_index(m, start); i < m->n && m->r[i].start < end; i++) {
        if (m->r[i].sealed) {
            return true;
        }
    }
    return false;
}

void user_map_note(UserMap *m, const UserRegion *region)
{
    pthread_mutex_lock(&m->lock);
    user_map_set(m, *region);
    pthread_mutex_unlock(&m->lock);
}

bool user_map_find(UserMap *m, uint64_t addr, UserRegion *out)
{
    pthread_mutex_lock(&m->lock);
    size_t i = user_map_index(m, addr);
    bool found = i < m->n && m->r[i].start <= addr;
    if (found) {
        *out = m->r[i];
    }
    pthread_mutex_unlock(&m->lock);
    return found;
}

size_t user_map_fetch(void *process, uint64_t pc, uint8_t *buf, size_t bytes)
{
    UserMap *m = &((UserProcess *)process)->map;
    size_t done = 0;
    pthread_mutex_lock(&m->lock);
    size_t first = user_map_index(m, pc);
    for (size_t i = first; i < m->n && done < bytes; i++) {
        const UserRegion *r = &m->r[i];
        int guarded = (r->prot ^ m->r[first].prot) & USER_PROT_BTI;
        if (r->start > pc + done || !(r->prot & PROT_EXEC) || guarded) {
            break; /* one answer of user_map_page_mode() for all that is returned */
        }
        size_t n = r->end - (pc + done);
        n = n < bytes - done ? n : bytes - done;
        size_t left = user_copy(buf + done, (const void *)(pc + done), n);
        done += n - left;
        if (left) {
            break;
        }
    }
    pthread_mutex_unlock(&m->lock);
    return done;
}

uint64_t user_map_page_mode(void *process, uint64_t pc)
{
    UserMap *m = &((UserProcess *)process)->map;
    UserRegion r;
    bool any = atomic_load_explicit(&m->guarded, memory_order_relaxed);
    return any && user_map_find(m, pc, &r) && (r.prot & USER_PROT_BTI) ? A64_MODE_GUARDED : 0;
}

/* ---- changing it ---- */

static void dropped(UserProcess *p, bool exec, uint64_t start, uint64_t end)
{
    if (exec && p->engine) {
        tcg_invalidate(p->engine, start, end);
    }
}

/* Gives back what claim() took; nothing else in the gaps may be mapped. */
static void unclaim(UserMap *m, uint64_t start, uint64_t end)
{
    uint64_t at = start;
    for (size_t i = user_map_index(m, start); at < end; i++) {
        uint64_t stop = i < m->n && m->r[i].start < end ? m->r[i].start : end;
        if (at < stop) {
            munmap((void *)at, stop - at);
        }
        at = i < m->n && m->r[i].start < end ? m->r[i].end : end;
    }
}

/* Makes every free page of [start, end) ours; -ENOMEM if the emulator lives in there. */
static int64_t claim(UserMap *m, uint64_t start, uint64_t end)
{
    uint64_t at = start;
    for (size_t i = user_map_index(m, start); at < end; i++) {
        uint64_t stop = i < m->n && m->r[i].start < end ? m->r[i].start : end;
        if (at < stop) {
            void *a =
                mmap((void *)at, stop - at, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
            if (a != (void *)at) {
                int64_t e = a == MAP_FAILED && errno == EPERM ? -EPERM : -ENOMEM;
                unclaim(m, start, at);
                return e;
            }
        }
        at = i < m->n && m->r[i].start < end ? m->r[i].end : end;
    }
    return 0;
}

static int64_t raw_mmap(uint64_t addr, uint64_t len, int prot, int flags, int fd, uint64_t off)
{
    void *a = mmap((void *)addr, len, prot, flags, fd, (off_t)off);
    return a == MAP_FAILED ? -errno : (int64_t)a;
}

/* A place below the limit of -R, tried from the top down; lock held. */
static int64_t mmap_below_limit(UserMap *m, uint64_t len, int prot, int flags, int fd, uint64_t off)
{
    uint64_t top = m->limit;
    for (size_t i = m->n + 1; i-- > 0;) {
        uint64_t floor = i ? m->r[i - 1].end : USER_PAGE * 16;
        if (top > floor && top - floor >= len) {
            int64_t a = raw_mmap(top - len, len, prot, flags | MAP_FIXED_NOREPLACE, fd, off);
            if (a == (int64_t)(top - len) || (a < 0 && a != -EEXIST)) {
                return a;
            }
        }
        if (i) {
            top = m->r[i - 1].start < m->limit ? m->r[i - 1].start : m->limit;
        }
    }
    return -ENOMEM;
}

static int64_t mmap_fixed(UserMap *m, uint64_t addr, uint64_t len, int prot, int flags, int fd,
                          uint64_t off)
{
    if (addr % USER_PAGE) {
        return -EINVAL;
    }
    if (addr > m->limit || len > m->limit - addr) {
        return -ENOMEM;
    }
    if (flags & MAP_FIXED_NOREPLACE) {
        return raw_mmap(addr, len, prot, flags, fd, off);
    }
    if (user_map_sealed(m, addr, addr + len)) {
        return -EPERM;
    }
    int64_t r = claim(m, addr, addr + len);
    if (!r) {
        r = raw_mmap(addr, len, prot, flags, fd, off);
        if (r < 0) {
            unclaim(m, addr, addr + len);
        }
    }
    return r;
}

void *user_map_reserve(UserMap *m, uint64_t bytes, int host_prot)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    pthread_mutex_lock(&m->lock);
    int64_t r = m->limit < USER_TASK_SIZE ? mmap_below_limit(m, bytes, host_prot, flags, -1, 0)
                                          : raw_mmap(0, bytes, host_prot, flags, -1, 0);
    pthread_mutex_unlock(&m->lock);
    return r < 0 ? NULL : (void *)r;
}

enum {
    MAP_32BIT_X86 = 0x40,
    PROT_GUEST = PROT_READ | PROT_WRITE | PROT_EXEC,
    PROT_SEM_LINUX = 0x8, /* accepted, no effect */
};

/*
 * The process has its first guarded page: from now on every thread tracks PSTATE.BTYPE. This one
 * does when its system call ends (user_cpu_loop()), the others are made to look.
 */
static void guarded_now(UserProcess *p, bool before)
{
    if (before || !atomic_load_explicit(&p->map.guarded, memory_order_relaxed)) {
        return;
    }
    pthread_mutex_lock(&p->lock);
    for (UserThread *t = p->threads; t; t = t->next) {
        tcg_request(&t->cpu.tcg, TCG_REQ_EXIT);
    }
    pthread_mutex_unlock(&p->lock);
}

int64_t user_mmap(UserProcess *p, const uint64_t a[6])
{
    UserMap *m = &p->map;
    uint64_t addr = a[0], len = user_page_up(a[1]), off = a[5];
    int prot = (int)a[2] & (PROT_GUEST | m->prot_arch), fd = (int)a[4];
    int flags = (int)a[3] & ~(MAP_32BIT_X86 | MAP_GROWSDOWN);
    if (!a[1] || off % USER_PAGE) {
        return -EINVAL;
    }
    if (!len || len > m->limit) {
        return -ENOMEM;
    }
    flags |= m->lock_future ? MAP_LOCKED : 0;
    bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
    int64_t r;
    bool exec = false;
    pthread_mutex_lock(&m->lock);
    bool guarded = atomic_load_explicit(&m->guarded, memory_order_relaxed);
    if (fixed) {
        r = mmap_fixed(m, addr, len, user_host_prot(prot), flags, fd, off);
    } else if (m->limit < USER_TASK_SIZE) {
        r = mmap_below_limit(m, len, user_host_prot(prot), flags, fd, off);
    } else {
        r = raw_mmap(addr, len, user_host_prot(prot), flags, fd, off);
    }
    if (r >= 0) {
        exec = user_map_set(m, (UserRegion){.start = (uint64_t)r,
                                            .end = (uint64_t)r + len,
                                            .prot = prot,
                                            .shared = flags & MAP_SHARED});
    }
    pthread_mutex_unlock(&m->lock);
    dropped(p, exec, (uint64_t)r, (uint64_t)r + len);
    guarded_now(p, guarded);
    return r;
}

int64_t user_munmap(UserProcess *p, uint64_t addr, uint64_t len)
{
    UserMap *m = &p->map;
    len = user_page_up(len);
    if (addr % USER_PAGE || !len || addr > USER_TASK_SIZE || len > USER_TASK_SIZE - addr) {
        return -EINVAL;
    }
    uint64_t end = addr + len;
    pthread_mutex_lock(&m->lock);
    if (user_map_sealed(m, addr, end)) {
        pthread_mutex_unlock(&m->lock);
        return -EPERM;
    }
    for (size_t i = user_map_index(m, addr); i < m->n && m->r[i].start < end; i++) {
        uint64_t s = m->r[i].start > addr ? m->r[i].start : addr;
        uint64_t e = m->r[i].end < end ? m->r[i].end : end;
        munmap((void *)s, e - s);
    }
    bool exec = user_map_remove(m, addr, end);
    pthread_mutex_unlock(&m->lock);
    dropped(p, exec, addr, end);
    return 0;
}

int64_t user_mprotect(UserProcess *p, uint64_t addr, uint64_t len, int prot)
{
    UserMap *m = &p->map;
    len = user_page_up(len);
    if (addr % USER_PAGE || (prot & ~(PROT_GUEST | PROT_SEM_LINUX | m->prot_arch))) {
        return -EINVAL;
    }
    if (addr > USER_TASK_SIZE || len > USER_TASK_SIZE - addr) {
        return -ENOMEM;
    }
    prot &= PROT_GUEST | m->prot_arch;
    int64_t r = 0;
    bool exec = (prot & PROT_EXEC) != 0;
    uint64_t at = addr, end = addr + len;
    pthread_mutex_lock(&m->lock);
    bool guarded = atomic_load_explicit(&m->guarded, memory_order_relaxed);
    while (at < end && !r) {
        size_t i = user_map_index(m, at);
        if (i == m->n || m->r[i].start > at) {
            r = -ENOMEM;
            break;
        }
        UserRegion part = m->r[i];
        part.start = at;
        part.end = part.end < end ? part.end : end;
        if (part.sealed) {
            r = -EPERM;
            break;
        }
        if (part.prot != prot && mprotect((void *)at, part.end - at, user_host_prot(prot))) {
            r = -errno;
            break;
        }
        at = part.end;
        part.prot = prot;
        exec |= user_map_set(m, part);
    }
    pthread_mutex_unlock(&m->lock);
    dropped(p, exec, addr, at);
    guarded_now(p, guarded);
    return r;
}

/* The region the whole old range lies in, as the kernel demands; lock held. */
static int64_t mremap_check(UserMap *m, uint64_t old, uint64_t old_len, UserRegion *out)
{
    size_t i = user_map_index(m, old);
    if (i == m->n || m->r[i].start > old) {
        return -EFAULT;
    }
    *out = m->r[i];
    while (m->r[i].end < old + old_len) { /* several regions: only if one to the host kernel */
        if (i + 1 == m->n || m->r[i + 1].start != m->r[i].end) {
            return -EFAULT;
        }
        i++;
    }
    return 0;
}

static int64_t mremap_locked(UserMap *m, const uint64_t a[5], UserRegion *r)
{
    uint64_t old_len = user_page_up(a[1]), new_len = user_page_up(a[2]);
    int64_t e = mremap_check(m, a[0], old_len, r);
    if (e) {
        return e;
    }
    if (user_map_sealed(m, a[0], a[0] + old_len) ||
        ((a[3] & MREMAP_FIXED) && user_map_sealed(m, a[4], a[4] + new_len))) {
        return -EPERM;
    }
    if (a[3] & MREMAP_FIXED) {
        if (a[4] % USER_PAGE || a[4] > m->limit || new_len > m->limit - a[4]) {
            return -EINVAL;
        }
        e = claim(m, a[4], a[4] + new_len);
        if (e) {
            return e;
        }
    }
    void *n = mremap((void *)a[0], old_len, new_len, (int)a[3], (void *)a[4]);
    if (n == MAP_FAILED) {
        e = -errno;
        if (a[3] & MREMAP_FIXED) {
            unclaim(m, a[4], a[4] + new_len);
        }
        return e;
    }
    return (int64_t)n;
}

int64_t user_mremap(UserProcess *p, const uint64_t a[6])
{
    UserMap *m = &p->map;
    uint64_t old_len = user_page_up(a[1]), new_len = user_page_up(a[2]);
    UserRegion r;
    bool exec = false;
    if (a[0] % USER_PAGE || !new_len || a[0] > USER_TASK_SIZE || new_len > USER_TASK_SIZE ||
        old_len > USER_TASK_SIZE - a[0]) {
        return -EINVAL;
    }
    pthread_mutex_lock(&m->lock);
    int64_t n = mremap_locked(m, a, &r);
    if (n >= 0) {
        if (!(a[3] & MREMAP_DONTUNMAP)) {
            exec |= user_map_remove(m, a[0], a[0] + old_len);
        }
        r.start = (uint64_t)n;
        r.end = (uint64_t)n + new_len;
        exec |= user_map_set(m, r);
    }
    pthread_mutex_unlock(&m->lock);
    if (n >= 0) {
        dropped(p, exec, a[0], a[0] + old_len);
        dropped(p, exec, (uint64_t)n, (uint64_t)n + new_len);
    }
    return n;
}

int64_t user_mseal(UserProcess *p, uint64_t addr, uint64_t bytes)
{
    UserMap *m = &p->map;
    uint64_t len = user_page_up(bytes), end = addr + len, at = addr;
    if (addr % USER_PAGE || (bytes && !len) || end < addr) {
        return -EINVAL;
    }
    pthread_mutex_lock(&m->lock);
    for (size_t i = user_map_index(m, addr); i < m->n && m->r[i].start <= at && at < end; i++) {
        at = m->r[i].end;
    }
    int64_t r = at < end ? -ENOMEM : 0;
    for (at = addr; at < end && !r;) {
        UserRegion part = m->r[user_map_index(m, at)];
        part.start = at;
        part.end = part.end < end ? part.end : end;
        part.sealed = true;
        at = part.end;
        user_map_set(m, part);
    }
    pthread_mutex_unlock(&m->lock);
    return r;
}

int64_t user_brk(UserProcess *p, uint64_t want)
{
    UserMap *m = &p->map;
    pthread_mutex_lock(&m->lock);
    uint64_t have = m->brk, old_end = user_page_up(have), new_end = user_page_up(want);
    bool ok = want >= m->brk_start && new_end <= m->limit &&
              (new_end >= old_end || !user_map_sealed(m, new_end, old_end));
    if (ok && new_end > old_end) {
        int64_t r = raw_mmap(old_end, new_end - old_end, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        ok = r == (int64_t)old_end;
        if (ok) {
            user_map_set(m, (UserRegion){.start = old_end,
                                         .end = new_end,
                                         .kind = USER_R_HEAP,
                                         .prot = PROT_READ | PROT_WRITE});
        }
    }
    if (ok) {
        m->brk = want;
    }
    pthread_mutex_unlock(&m->lock);
    if (ok && new_end < old_end) {
        user_munmap(p, new_end, old_end - new_end);
    }
    return (int64_t)(ok ? want : have);
}

/* ---- strings ---- */

int64_t user_get_string(char *dst, uint64_t guest, size_t bytes)
{
    size_t done = 0;
    while (done < bytes) {
        size_t n = USER_PAGE - ((guest + done) % USER_PAGE);
        n = n < bytes - done ? n : bytes - done;
        n = n < 256 ? n : 256;
        size_t got = n - user_copy(dst + done, (const void *)(guest + done), n);
        char *end = memchr(dst + done, 0, got);
        if (end) {
            return end - dst;
        }
        if (got < n) {
            return -EFAULT;
        }
        done += n;
    }
    return -ENAMETOOLONG;
}
