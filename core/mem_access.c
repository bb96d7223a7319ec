/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses: bytes and values through an address space, and the dispatch of MMIO.
 *
 * RAM is touched inside a reader's epoch (mem_view.c). What is not RAM leaves the epoch, takes the
 * machine lock and looks up again, because only then the map cannot change under the callback.
 */
#include <assert.h>
#include <string.h>

#include "core/mem_private.h"
#include "util/bits.h"

/* ---- MMIO ---- */

static unsigned io_min(const MemIo *io)
{
    return io->min_bytes ? io->min_bytes : 1;
}

static unsigned io_max(const MemIo *io)
{
    return io->max_bytes ? io->max_bytes : 8;
}

static bool io_fits(const MemIo *io, uint64_t offset, unsigned bytes)
{
    return bytes >= io_min(io) && bytes <= io_max(io) &&
           (io->unaligned || (offset & (bytes - 1)) == 0);
}

/* One callback. */
static MemResult io_call(const MemRegion *r, uint64_t offset, unsigned bytes, uint64_t *value,
                         MemAttrs attrs, bool write)
{
    MemResult result;

    if (write) {
        return r->io->write
                   ? r->io->write(r->opaque, offset, bytes, *value & mask64(8 * bytes), attrs)
                   : MEM_ERROR;
    }
    *value = 0;
    result = r->io->read ? r->io->read(r->opaque, offset, bytes, value, attrs) : MEM_ERROR;
    *value &= mask64(8 * bytes);
    return result;
}

/* The widest access at `offset` that the region takes and that covers no more than `bytes`; 0: only
 * one that covers more. */
static unsigned io_piece(const MemIo *io, uint64_t offset, unsigned bytes)
{
    unsigned piece = io_max(io);

    while (piece >= io_min(io) && (piece > bytes || !io_fits(io, offset, piece))) {
        piece /= 2;
    }
    return piece >= io_min(io) ? piece : 0;
}

/* Narrower or unaligned than the region takes: the access around it. Bytes of a write that the
 * guest did not give are 0. */
static MemResult io_widened(const MemRegion *r, uint64_t offset, unsigned bytes, uint64_t *value,
                            MemAttrs attrs, bool write, unsigned *done)
{
    unsigned wide = io_min(r->io), skip = offset & (wide - 1);
    uint64_t v = write ? *value << 8 * skip : 0;
    MemResult result;

    *done = MIN(wide - skip, bytes);
    v &= mask64(8 * (skip + *done));
    result = io_call(r, offset - skip, wide, &v, attrs, write);
    if (!write) {
        *value = v >> 8 * skip & mask64(8 * *done);
    }
    return result;
}

static MemResult io_split(const MemRegion *r, uint64_t offset, unsigned bytes, uint64_t *value,
                          MemAttrs attrs, bool write)
{
    uint64_t whole = write ? *value : 0;
    MemResult result = MEM_OK;

    for (unsigned at = 0; at < bytes && result == MEM_OK;) {
        unsigned n = io_piece(r->io, offset + at, bytes - at);
        uint64_t part = whole >> 8 * at;

        if (n) {
            result = io_call(r, offset + at, n, &part, attrs, write);
        } else {
            result = io_widened(r, offset + at, bytes - at, &part, attrs, write, &n);
        }
        if (!write) {
            whole |= part << 8 * at;
        }
        at += n;
    }
    if (!write) {
        *value = whole;
    }
    return result;
}

/* Under the machine lock or the device's own. */
static MemResult io_dispatch(const MemRegion *r, uint64_t offset, unsigned bytes, uint64_t *value,
                             MemAttrs attrs, bool write)
{
    if (attrs.debug && !r->io->debug) {
        return MEM_ERROR; /* the callbacks cannot do without side effects */
    }
    if (io_fits(r->io, offset, bytes)) {
        return io_call(r, offset, bytes, value, attrs, write);
    }
    if (r->io->split) {
        return io_split(r, offset, bytes, value, attrs, write);
    }
    return MEM_ERROR;
}

static MemResult mem_io(Machine *m, MemRegion *r, uint64_t offset, unsigned bytes, uint64_t *value,
                        MemAttrs attrs, bool write)
{
    uint32_t *busy = r->busy ? r->busy : &r->in_io;
    MemResult result;
    bool unlock;

    assert(bytes <= 8 && is_pow2(bytes));
    if (r->kind == MEM_ROM) {
        return MEM_OK; /* a write, ignored: reads go to its memory */
    }
    if (!r->io) {
        return MEM_ERROR;
    }
    if (r->io->own_lock) {
        return io_dispatch(r, offset, bytes, value, attrs, write);
    }
    unlock = machine_lock_nested(m);
    if (*busy) {
        result = MEM_BUSY;
    } else {
        (*busy)++;
        result = io_dispatch(r, offset, bytes, value, attrs, write);
        (*busy)--;
    }
    if (unlock) {
        machine_unlock(m);
    }
    return result;
}

MemResult mem_io_read(Machine *m, MemRegion *r, uint64_t offset, unsigned bytes, uint64_t *value,
                      MemAttrs attrs)
{
    return mem_io(m, r, offset, bytes, value, attrs, false);
}

MemResult mem_io_write(Machine *m, MemRegion *r, uint64_t offset, unsigned bytes, uint64_t value,
                       MemAttrs attrs)
{
    return mem_io(m, r, offset, bytes, &value, attrs, true);
}

/* ---- bytes ---- */

/* How many bytes the next MMIO access of a run of `bytes` at gpa takes: naturally aligned. */
static unsigned io_chunk(uint64_t gpa, size_t bytes)
{
    unsigned n = 8;

    while (n > bytes || (gpa & (n - 1))) {
        n /= 2;
    }
    return n;
}

/* A run that met no RAM at gpa: one access under the lock. *n: bytes it took. */
static MemResult slow_step(AddressSpace *as, uint64_t gpa, uint8_t *buf, size_t bytes,
                           MemAttrs attrs, bool write, size_t *n)
{
    Machine *m = as->machine;
    unsigned chunk = io_chunk(gpa, bytes);
    uint64_t value = 0;
    MemRange r;
    MemResult result;
    bool unlock, found = mem_find(as, gpa, &r);

    *n = chunk;
    if (!found) {
        return MEM_NOTHING;
    }
    /* An own_lock device must not be entered with the machine lock taken here: its lock ranks
     * below, but the callers' threads need not meet. Its regions do not go away while it runs. */
    unlock = !(r.region->io && r.region->io->own_lock) && machine_lock_nested(m);
    found = mem_find(as, gpa, &r);
    if (!found) {
        result = MEM_NOTHING;
    } else if (r.host && (!write || r.writable)) {
        *n = 0; /* it became RAM meanwhile */
        result = MEM_OK;
    } else {
        if (write) {
            memcpy(&value, buf, chunk);
        }
        result =
            mem_io(m, r.region, r.region_offset + (gpa - r.start), chunk, &value, attrs, write);
        if (!write) {
            memcpy(buf, &value, chunk);
        }
    }
    if (unlock) {
        machine_unlock(m);
    }
    return result;
}

/* Bytes of [gpa, gpa + bytes) in r, which holds gpa. */
static size_t bytes_in(const MemRange *r, uint64_t gpa, size_t bytes)
{
    return (size_t)MIN(r->last - gpa, (uint64_t)bytes - 1) + 1;
}

static bool direct(const MemRange *r, MemAttrs attrs, bool write)
{
    return r && r->host && (!write || r->writable || (attrs.debug && r->ram));
}

/* Copies that a vCPU may watch go in words where both sides are aligned; a byte of RAM is never
 * seen half-written. */
static void copy_ram(uint8_t *to, const uint8_t *from, size_t n)
{
    switch (n) {
    case 8: store_le64(to, load_le64(from)); break;
    case 4: store_le32(to, load_le32(from)); break;
    case 2: store_le16(to, load_le16(from)); break;
    case 1: *to = *from; break;
    default: memcpy(to, from, n); break;
    }
}

static MemResult mem_copy(AddressSpace *as, uint64_t gpa, uint8_t *buf, size_t bytes,
                          MemAttrs attrs, bool write)
{
    MemReader *reader = mem_enter(as->machine);
    MemResult result = MEM_OK;

    while (bytes && result == MEM_OK) {
        const MemRange *r = mem_range_at(reader, as, gpa);
        size_t n;

        if (direct(r, attrs, write)) {
            uint8_t *host = r->host + (gpa - r->start);

            n = bytes_in(r, gpa, bytes);
            copy_ram(write ? host : buf, write ? buf : host, n);
            if (write) {
                ram_written(as->machine, r->ram, (uint64_t)(host - r->ram->host), n);
            }
        } else {
            mem_leave(reader);
            result = slow_step(as, gpa, buf, bytes, attrs, write, &n);
            reader = mem_enter(as->machine);
        }
        buf += n;
        gpa += n;
        bytes -= n;
    }
    mem_leave(reader);
    return result;
}

MemResult mem_read(AddressSpace *as, uint64_t gpa, void *buf, size_t bytes, MemAttrs attrs)
{
    return mem_copy(as, gpa, buf, bytes, attrs, false);
}

MemResult mem_write(AddressSpace *as, uint64_t gpa, const void *buf, size_t bytes, MemAttrs attrs)
{
    return mem_copy(as, gpa, (uint8_t *)buf, bytes, attrs, true);
}

MemResult mem_fill(AddressSpace *as, uint64_t gpa, uint8_t byte, uint64_t bytes, MemAttrs attrs)
{
    uint8_t buf[4096];
    MemResult result = MEM_OK;

    memset(buf, byte, sizeof buf);
    while (bytes && result == MEM_OK) {
        size_t n = (size_t)MIN(bytes, sizeof buf);

        result = mem_write(as, gpa, buf, n, attrs);
        gpa += n;
        bytes -= n;
    }
    return result;
}

/* ---- values ---- */

/*
 * Host address of `bytes` naturally aligned bytes of RAM, for as long as the reader is inside;
 * NULL: take the long way.
 */
static uint8_t *value_at(MemReader *reader, AddressSpace *as, uint64_t gpa, unsigned bytes,
                         bool write, RamBlock **ram)
{
    const MemRange *r = mem_range_at(reader, as, gpa);

    if (G_UNLIKELY(!r || !r->host || (write && !r->writable) || (gpa & (bytes - 1)) ||
                   r->last - gpa < bytes - 1)) {
        return NULL;
    }
    *ram = r->ram;
    return r->host + (gpa - r->start);
}

MemResult mem_load_le16(AddressSpace *as, uint64_t gpa, uint16_t *v, MemAttrs attrs)
{
    MemReader *reader = mem_enter(as->machine);
    RamBlock *ram;
    uint8_t *p = value_at(reader, as, gpa, sizeof *v, false, &ram);

    if (p) {
        *v = __atomic_load_n((uint16_t *)(void *)p, __ATOMIC_ACQUIRE);
    }
    mem_leave(reader);
    return p ? MEM_OK : mem_read(as, gpa, v, sizeof *v, attrs);
}

MemResult mem_load_le32(AddressSpace *as, uint64_t gpa, uint32_t *v, MemAttrs attrs)
{
    MemReader *reader = mem_enter(as->machine);
    RamBlock *ram;
    uint8_t *p = value_at(reader, as, gpa, sizeof *v, false, &ram);

    if (p) {
        *v = __atomic_load_n((uint32_t *)(void *)p, __ATOMIC_ACQUIRE);
    }
    mem_leave(reader);
    return p ? MEM_OK : mem_read(as, gpa, v, sizeof *v, attrs);
}

MemResult mem_load_le64(AddressSpace *as, uint64_t gpa, uint64_t *v, MemAttrs attrs)
{
    MemReader *reader = mem_enter(as->machine);
    RamBlock *ram;
    uint8_t *p = value_at(reader, as, gpa, sizeof *v, false, &ram);

    if (p) {
        *v = __atomic_load_n((uint64_t *)(void *)p, __ATOMIC_ACQUIRE);
    }
    mem_leave(reader);
    return p ? MEM_OK : mem_read(as, gpa, v, sizeof *v, attrs);
}

MemResult mem_store_le16(AddressSpace *as, uint64_t gpa, uint16_t v, MemAttrs attrs)
{
    MemReader *reader = mem_enter(as->machine);
    RamBlock *ram;
    uint8_t *p = value_at(reader, as, gpa, sizeof v, true, &ram);

    if (p) {
        __atomic_store_n((uint16_t *)(void *)p, v, __ATOMIC_RELEASE);
        ram_written(as->machine, ram, (uint64_t)(p - ram->host), sizeof v);
    }
    mem_leave(reader);
    return p ? MEM_OK : mem_write(as, gpa, &v, sizeof v, attrs);
}

MemResult mem_store_le32(AddressSpace *as, uint64_t gpa, uint32_t v, MemAttrs attrs)
{
    MemReader *reader = mem_enter(as->machine);
    RamBlock *ram;
    uint8_t *p = value_at(reader, as, gpa, sizeof v, true, &ram);

    if (p) {
        __atomic_store_n((uint32_t *)(void *)p, v, __ATOMIC_RELEASE);
        ram_written(as->machine, ram, (uint64_t)(p - ram->host), sizeof v);
    }
    mem_leave(reader);
    return p ? MEM_OK : mem_write(as, gpa, &v, sizeof v, attrs);
}

MemResult mem_store_le64(AddressSpace *as, uint64_t gpa, uint64_t v, MemAttrs attrs)
{
    MemReader *reader = mem_enter(as->machine);
    RamBlock *ram;
    uint8_t *p = value_at(reader, as, gpa, sizeof v, true, &ram);

    if (p) {
        __atomic_store_n((uint64_t *)(void *)p, v, __ATOMIC_RELEASE);
        ram_written(as->machine, ram, (uint64_t)(p - ram->host), sizeof v);
    }
    mem_leave(reader);
    return p ? MEM_OK : mem_write(as, gpa, &v, sizeof v, attrs);
}

MemResult mem_cas_le64(AddressSpace *as, uint64_t gpa, uint64_t *expected, uint64_t desired,
                       bool *swapped, MemAttrs attrs)
{
    MemReader *reader = mem_enter(as->machine);
    RamBlock *ram;
    uint8_t *p = value_at(reader, as, gpa, sizeof desired, true, &ram);

    (void)attrs;
    if (p) {
        *swapped = __atomic_compare_exchange_n((uint64_t *)(void *)p, expected, desired, false,
                                               __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        if (*swapped) {
            ram_written(as->machine, ram, (uint64_t)(p - ram->host), sizeof desired);
        }
    }
    mem_leave(reader);
    return p ? MEM_OK : MEM_ERROR;
}
