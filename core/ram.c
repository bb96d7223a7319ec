/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAM blocks: host memory of the guest, bitmaps of written pages, and the hand-out of bytes to host
 * I/O.
 *
 * A block is private anonymous memory, which the host backs by huge pages where it can, or a memfd
 * when the machine shares its RAM with other processes. A block whose region is gone lives on until
 * the last dma_unmap() and until no reader of an old view can touch it.
 *
 * The list is read without a lock (ram_of_host(), from signal handlers and I/O threads); writers
 * hold the machine lock. Unlinked blocks are freed by the epochs of mem_view.c.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/mem_private.h"
#include "util/bits.h"

static const size_t huge_page_bytes = 2u << 20;

static RamPrivate *ram_private(RamBlock *ram)
{
    return (RamPrivate *)ram;
}

/* ---- blocks ---- */

/* `bytes` of address space aligned to a huge page, so that the host can use some. */
static uint8_t *reserve(size_t bytes)
{
    size_t slack = bytes >= huge_page_bytes ? huge_page_bytes : 0;
    uint8_t *p =
        mmap(NULL, bytes + slack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uint8_t *start;

    if (p == MAP_FAILED || !slack) {
        return p;
    }
    start = (uint8_t *)align_up((uintptr_t)p, huge_page_bytes);
    if (start > p) {
        munmap(p, (size_t)(start - p));
    }
    if (p + slack > start) {
        munmap(start + bytes, (size_t)(p + slack - start));
    }
    return start;
}

static int open_memfd(const char *name, size_t bytes)
{
    int fd = memfd_create(name, MFD_CLOEXEC);

    if (fd >= 0 && ftruncate(fd, (off_t)bytes)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool block_map(RamPrivate *r, bool shared, Error *err)
{
    RamBlock *ram = &r->pub;
    int flags = MAP_FIXED | MAP_NORESERVE;

    ram->fd = -1;
    ram->host = reserve(r->map_bytes);
    if (ram->host == MAP_FAILED) {
        return error_set_errno(err, "RAM '%s': no address space for %" PRIu64 " MiB; use less -m",
                               ram->name, ram->bytes >> 20);
    }
    if (shared && (ram->fd = open_memfd(ram->name, r->map_bytes)) < 0) {
        munmap(ram->host, r->map_bytes);
        return error_set_errno(err, "RAM '%s': no shared memory of %" PRIu64 " MiB", ram->name,
                               ram->bytes >> 20);
    }
    flags |= shared ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
    if (mmap(ram->host, r->map_bytes, PROT_READ | PROT_WRITE, flags, ram->fd, 0) == MAP_FAILED) {
        error_set_errno(err, "RAM '%s': cannot map %" PRIu64 " MiB; use less -m", ram->name,
                        ram->bytes >> 20);
        munmap(ram->host, r->map_bytes);
        if (ram->fd >= 0) {
            close(ram->fd);
        }
        return false;
    }
    madvise(ram->host, r->map_bytes, MADV_HUGEPAGE); /* a wish */
    madvise(ram->host, r->map_bytes, MADV_DONTDUMP); /* guests do not belong into core files */
    return true;
}

static size_t bitmap_words(const RamBlock *ram)
{
    return (size_t)((align_up(ram->bytes, MEM_PAGE_BYTES) >> MEM_PAGE_BITS) + 63) / 64;
}

RamBlock *ram_block_new(Machine *m, const char *name, uint64_t bytes, Error *err)
{
    RamPrivate *r;
    RamBlock *first = atomic_load(&m->p->ram);

    if (bytes == 0 || bytes > (uint64_t)1 << 46) {
        error_set(err, "RAM '%s': %" PRIu64 " bytes is no possible size", name, bytes);
        return NULL;
    }
    r = g_new0(RamPrivate, 1);
    r->pub.name = g_strdup(name);
    r->pub.bytes = bytes;
    r->map_bytes = align_up(bytes, MEM_PAGE_BYTES);
    if (!block_map(r, m->ram_shared, err)) {
        g_free((char *)r->pub.name);
        g_free(r);
        return NULL;
    }
    r->pub.code = g_new0(uint64_t, bitmap_words(&r->pub));
    r->pub.index = m->p->n_ram++;
    r->pub.next = first;
    atomic_store_explicit(&m->p->ram, &r->pub, memory_order_release);
    return &r->pub;
}

static void block_free(RamPrivate *r)
{
    munmap(r->pub.host, r->map_bytes);
    if (r->pub.fd >= 0) {
        close(r->pub.fd);
    }
    for (unsigned i = 0; i < N_DIRTY_CLIENTS; i++) {
        g_free(r->pub.dirty[i]);
    }
    g_free(r->pub.code);
    g_free((char *)r->pub.name);
    g_free(r);
}

void ram_block_release(Machine *m, RamBlock *ram)
{
    RamPrivate *r = ram_private(ram);

    r->dead = true;
    r->retire_epoch = atomic_fetch_add(&m->p->epoch, 1) + 1;
    m->p->ram_dead = true;
    if (m->p->mem_depth == 0) {
        mem_reclaim(m);
    }
}

static void block_unlink(Machine *m, RamBlock *ram)
{
    RamBlock *at = atomic_load(&m->p->ram);

    if (at == ram) {
        atomic_store_explicit(&m->p->ram, ram->next, memory_order_release);
        return;
    }
    while (at->next != ram) {
        at = at->next;
    }
    __atomic_store_n(&at->next, ram->next, __ATOMIC_RELEASE);
}

void ram_reclaim(Machine *m)
{
    RamBlock *next;

    if (!m->p->ram_dead || m->p->mem_depth) {
        return; /* within a transaction the published views still show them */
    }
    m->p->ram_dead = false;
    for (RamBlock *ram = atomic_load(&m->p->ram); ram; ram = next) {
        RamPrivate *r = ram_private(ram);

        next = ram->next;
        if (!r->dead) {
            continue;
        }
        if (atomic_load(&r->maps) || !mem_epoch_over(m, r->retire_epoch)) {
            m->p->ram_dead = true;
            continue;
        }
        block_unlink(m, ram);
        block_free(r);
    }
}

void ram_state_free(Machine *m)
{
    RamBlock *ram;

    while ((ram = atomic_load(&m->p->ram)) != NULL) {
        atomic_store(&m->p->ram, ram->next);
        block_free(ram_private(ram));
    }
}

RamBlock *ram_of_host(Machine *m, const void *p)
{
    const uint8_t *at = p;

    for (RamBlock *ram = atomic_load_explicit(&m->p->ram, memory_order_acquire); ram;
         ram = __atomic_load_n(&ram->next, __ATOMIC_ACQUIRE)) {
        if (at >= ram->host && at < ram->host + ram->bytes) {
            return ram;
        }
    }
    return NULL;
}

RamBlock *ram_each(Machine *m, RamBlock *after)
{
    RamBlock *ram = after ? after->next : atomic_load_explicit(&m->p->ram, memory_order_acquire);

    while (ram && ram_private(ram)->dead) {
        ram = ram->next;
    }
    return ram;
}

/* ---- written pages ---- */

static uint64_t first_page(uint64_t offset)
{
    return offset >> MEM_PAGE_BITS;
}

static void bitmap_set(uint64_t *map, uint64_t first, uint64_t last)
{
    for (uint64_t page = first; page <= last;) {
        unsigned bit = page & 63;
        uint64_t n = MIN(last - page + 1, 64 - bit);
        uint64_t mask = mask64((unsigned)n) << bit;

        if ((__atomic_load_n(&map[page >> 6], __ATOMIC_RELAXED) & mask) != mask) {
            __atomic_fetch_or(&map[page >> 6], mask, __ATOMIC_RELEASE);
        }
        page += n;
    }
}

static bool bitmap_any(const uint64_t *map, uint64_t first, uint64_t last)
{
    for (uint64_t page = first; page <= last;) {
        unsigned bit = page & 63;
        uint64_t n = MIN(last - page + 1, 64 - bit);

        if (__atomic_load_n(&map[page >> 6], __ATOMIC_ACQUIRE) & mask64((unsigned)n) << bit) {
            return true;
        }
        page += n;
    }
    return false;
}

void ram_written(Machine *m, RamBlock *ram, uint64_t offset, uint64_t bytes)
{
    uint64_t first = first_page(offset), last;

    if (!bytes) {
        return;
    }
    last = first_page(offset + bytes - 1);
    for (unsigned c = 0; c < N_DIRTY_CLIENTS; c++) {
        uint64_t *map = __atomic_load_n(&ram->dirty[c], __ATOMIC_ACQUIRE);

        if (map) {
            bitmap_set(map, first, last);
        }
    }
    if (!bitmap_any(ram->code, first, last)) {
        return;
    }
    for (MemListener *l = atomic_load_explicit(&m->p->listeners, memory_order_acquire); l;
         l = l->next) {
        if (l->ram_written) {
            l->ram_written(l, ram, offset, bytes);
        }
    }
}

static void tell_dirty_log(Machine *m, RamBlock *ram)
{
    for (MemListener *l = atomic_load(&m->p->listeners); l; l = l->next) {
        if (l->dirty_log) {
            l->dirty_log(l, ram);
        }
    }
}

/* Writers on other threads may hold the bitmap, so it stays with the block once made. */
void ram_dirty_start(Machine *m, RamBlock *ram, DirtyClient c)
{
    if (!ram->dirty[c]) {
        uint64_t *map = g_new(uint64_t, bitmap_words(ram));

        memset(map, 0xff, bitmap_words(ram) * sizeof *map);
        __atomic_store_n(&ram->dirty[c], map, __ATOMIC_RELEASE);
        tell_dirty_log(m, ram);
    } else {
        bitmap_set(ram->dirty[c], 0, first_page(ram->bytes - 1));
    }
}

void ram_dirty_stop(Machine *m, RamBlock *ram, DirtyClient c)
{
    /* The map goes on being written, which costs little; unmapping it under a writer would not. */
    (void)m;
    (void)ram;
    (void)c;
}

bool ram_dirty_test_clear(RamBlock *ram, DirtyClient c, uint64_t offset, uint64_t bytes)
{
    uint64_t *map = __atomic_load_n(&ram->dirty[c], __ATOMIC_ACQUIRE);
    bool any = false;
    uint64_t last;

    if (!map || !bytes || offset >= ram->bytes) {
        return false;
    }
    last = first_page(MIN(offset + bytes, ram->bytes) - 1);
    for (uint64_t page = first_page(offset); page <= last;) {
        unsigned bit = page & 63;
        uint64_t n = MIN(last - page + 1, 64 - bit);
        uint64_t mask = mask64((unsigned)n) << bit;

        if (__atomic_load_n(&map[page >> 6], __ATOMIC_RELAXED) & mask) {
            any |= (__atomic_fetch_and(&map[page >> 6], ~mask, __ATOMIC_ACQ_REL) & mask) != 0;
        }
        page += n;
    }
    return any;
}

/* ---- memory lent to host I/O ---- */

size_t dma_map(AddressSpace *as, uint64_t gpa, size_t bytes, bool write, struct iovec *iov,
               int max_iov, int *n_iov)
{
    MemReader *reader = mem_enter(as->machine);
    size_t done = 0;
    int n = 0;

    while (done < bytes && n < max_iov) {
        const MemRange *r = mem_range_at(reader, as, gpa + done);
        uint64_t part;

        if (!r || !r->host || (write && !r->writable) || gpa + done < gpa) {
            break;
        }
        part = r->last - (gpa + done); /* one less than what is there: no overflow at 2^64 */
        part = MIN(part, bytes - done - 1) + 1;
        iov[n].iov_base = r->host + (gpa + done - r->start);
        iov[n].iov_len = part;
        atomic_fetch_add(&ram_private(r->ram)->maps, 1);
        n++;
        done += part;
    }
    mem_leave(reader);
    *n_iov = n;
    return done;
}

void dma_unmap(AddressSpace *as, const struct iovec *iov, int n_iov, bool write,
               size_t written_bytes)
{
    for (int i = 0; i < n_iov; i++) {
        RamBlock *ram = ram_of_host(as->machine, iov[i].iov_base);
        size_t part = MIN(written_bytes, iov[i].iov_len);

        assert(ram); /* a lent block is not unlinked */
        if (write && part) {
            ram_written(as->machine, ram, (uint64_t)((uint8_t *)iov[i].iov_base - ram->host), part);
            written_bytes -= part;
        }
        atomic_fetch_sub(&ram_private(ram)->maps, 1);
    }
}
