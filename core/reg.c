/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers from tables: one access is cut into the rows it touches; each row's old value and the
 * written bytes are merged by the row's kind of access.
 */
#include <assert.h>
#include <string.h>

#include "core/device_private.h"
#include "util/bits.h"

uint64_t field_get(const void *p, unsigned bytes)
{
    switch (bytes) {
    case 1: return *(const uint8_t *)p;
    case 2: return load_le16(p);
    case 4: return load_le32(p);
    case 8: return load_le64(p);
    default: assert(!"a field of 1, 2, 4 or 8 bytes"); return 0;
    }
}

void field_set(void *p, unsigned bytes, uint64_t v)
{
    switch (bytes) {
    case 1: *(uint8_t *)p = (uint8_t)v; break;
    case 2: store_le16(p, (uint16_t)v); break;
    case 4: store_le32(p, (uint32_t)v); break;
    case 8: store_le64(p, v); break;
    default: assert(!"a field of 1, 2, 4 or 8 bytes");
    }
}

bool reg_is_canonical(const MmioDesc *bank, const RegDesc *r)
{
    for (const RegDesc *other = bank->regs; other != r; other++) {
        if (other->field == r->field) {
            return false;
        }
    }
    return true;
}

/* ---- one register ---- */

bool reg_peek(Device *d, const RegDesc *r, unsigned index, uint64_t *value)
{
    if (!r->field || r->read) {
        return false;
    }
    *value = field_get(reg_field(d, r, index), r->field_bytes);
    return true;
}

static uint64_t reg_read(Device *d, const RegDesc *r, unsigned index)
{
    if (r->access == REG_WO) {
        return 0;
    }
    if (r->read) {
        return r->read(d, index);
    }
    return r->field ? field_get(reg_field(d, r, index), r->field_bytes) : 0;
}

/* What a write of `value` to the bytes in `lanes` makes of `old`. */
static uint64_t reg_merge(const RegDesc *r, uint64_t old, uint64_t value, uint64_t lanes)
{
    uint64_t mask = (r->wmask ? r->wmask : UINT64_MAX) & lanes;

    switch ((RegAccess)r->access) {
    case REG_RW:
    case REG_WO: return (old & ~mask) | (value & mask);
    case REG_W1C: return old & ~(value & mask);
    case REG_W1S: return old | (value & mask);
    case REG_RO: break;
    }
    return old;
}

static void reg_write(Device *d, const RegDesc *r, unsigned index, uint64_t value, uint64_t lanes)
{
    uint64_t old = r->field ? field_get(reg_field(d, r, index), r->field_bytes) : 0;

    if (r->access == REG_RO) {
        return;
    }
    if (r->write) {
        /* Ones that set or clear reach the function as they are written. */
        bool merge = r->field && (r->access == REG_RW || r->access == REG_WO);
        uint64_t mask = (r->wmask ? r->wmask : UINT64_MAX) & lanes;

        r->write(d, index, merge ? reg_merge(r, old, value, lanes) : value & mask);
        return;
    }
    if (r->field) {
        field_set(reg_field(d, r, index), r->field_bytes, reg_merge(r, old, value, lanes));
    }
    if (r->wrote) {
        r->wrote(d, index, old);
    }
}

/* ---- a bank ---- */

static const RegDesc *reg_at(const RegIndex *x, uint64_t offset, unsigned *index, unsigned *byte)
{
    uint64_t slot = offset >> x->unit_bits;
    const RegDesc *r;
    unsigned stride;

    if (slot >= x->n_slots || !x->slots[slot]) {
        return NULL;
    }
    r = &x->bank->regs[x->slots[slot] - 1];
    stride = reg_stride(x->bank, r);
    *index = (unsigned)(offset - r->offset) / stride;
    *byte = (unsigned)(offset - r->offset) % stride;
    return r;
}

static void no_register(Device *d, const RegIndex *x, uint64_t offset, bool write)
{
    device_guest_error(d, "%s of %s+0x%" PRIx64 ": no such register", write ? "write" : "read",
                       x->bank->name, offset);
}

/* One access, cut into registers. Returns whether anything may have changed. */
static bool bank_access(const RegIndex *x, uint64_t offset, unsigned bytes, uint64_t *value,
                        MemAttrs attrs, bool write)
{
    Device *d = x->device;
    uint64_t whole = 0;
    bool effect = false, told = attrs.debug;

    for (unsigned at = 0, n; at < bytes; at += n) {
        unsigned index, byte;
        const RegDesc *r = reg_at(x, offset + at, &index, &byte);
        uint64_t v;

        if (!r) {
            n = MIN(bytes - at, 1u << x->unit_bits);
            if (!told) {
                no_register(d, x, offset + at, write);
                told = true;
            }
            continue;
        }
        n = MIN(bytes - at, reg_bytes(x->bank, r) - byte);
        if (write) {
            reg_write(d, r, index, *value >> 8 * at << 8 * byte, mask64(8 * n) << 8 * byte);
            effect = true;
        } else if (attrs.debug) {
            whole |= reg_peek(d, r, index, &v) ? (v >> 8 * byte & mask64(8 * n)) << 8 * at : 0;
        } else {
            whole |= (reg_read(d, r, index) >> 8 * byte & mask64(8 * n)) << 8 * at;
            effect |= r->read != NULL;
        }
    }
    if (!write) {
        *value = whole;
    }
    return effect;
}

static bool access_is_taken(const MmioDesc *bank, uint64_t offset, unsigned bytes)
{
    unsigned min = bank->min_bytes ? bank->min_bytes : 1;
    unsigned max = bank->max_bytes ? bank->max_bytes : bank->reg_bytes ? bank->reg_bytes : 8;

    return bytes >= min && bytes <= max && (bank->unaligned || (offset & (bytes - 1)) == 0) &&
           offset < bank->bytes && bytes <= bank->bytes - offset;
}

static MemResult bank_do(void *opaque, uint64_t offset, unsigned bytes, uint64_t *value,
                         MemAttrs attrs, bool write)
{
    const RegIndex *x = opaque;
    const MmioDesc *bank = x->bank;
    Device *d = x->device;

    if (!access_is_taken(bank, offset, bytes)) {
        if (!attrs.debug) {
            device_guest_error(d, "%u-byte %s of %s+0x%" PRIx64 ": no such width or alignment",
                               bytes, write ? "write" : "read", bank->name, offset);
        }
        return MEM_ERROR;
    }
    if (bank->regs) {
        if (attrs.debug && write) {
            return MEM_ERROR;
        }
        if (bank_access(x, offset, bytes, value, attrs, write) && d->cls->sync) {
            d->cls->sync(d);
        }
        return MEM_OK;
    }
    if (attrs.debug) {
        return MEM_ERROR; /* functions may have side effects */
    }
    if (write) {
        return bank->write ? bank->write(d, offset, bytes, *value, attrs) : MEM_OK;
    }
    return bank->read ? bank->read(d, offset, bytes, value, attrs) : MEM_OK;
}

static MemResult bank_read(void *opaque, uint64_t offset, unsigned bytes, uint64_t *value,
                           MemAttrs attrs)
{
    *value = 0;
    return bank_do(opaque, offset, bytes, value, attrs, false);
}

static MemResult bank_write(void *opaque, uint64_t offset, unsigned bytes, uint64_t value,
                            MemAttrs attrs)
{
    return bank_do(opaque, offset, bytes, &value, attrs, true);
}

/* ---- the index ---- */

/* The largest power of two that divides everything a row starts, ends or repeats at. */
static unsigned common_unit_bits(const MmioDesc *bank)
{
    uint64_t all = 8;

    for (const RegDesc *r = bank->regs; r->name; r++) {
        all |= r->offset | reg_bytes(bank, r) | reg_stride(bank, r);
    }
    return ctz64(all);
}

static void index_row(RegIndex *x, const RegDesc *r)
{
    unsigned bytes = reg_bytes(x->bank, r);

    assert(bytes <= reg_stride(x->bank, r) && is_pow2(bytes) && bytes <= 8);
    for (unsigned i = 0; i < reg_count(r); i++) {
        uint64_t at = r->offset + (uint64_t)i * reg_stride(x->bank, r);

        for (uint64_t o = at; o < at + bytes; o += 1u << x->unit_bits) {
            uint16_t *slot = &x->slots[o >> x->unit_bits];

            assert(!*slot); /* two registers at one place: a bug of the class's table */
            *slot = (uint16_t)(r - x->bank->regs + 1);
        }
    }
}

RegIndex *reg_index_new(Device *d, const MmioDesc *bank)
{
    RegIndex *x = g_new0(RegIndex, 1);
    uint64_t end = 0;

    x->device = d;
    x->bank = bank;
    x->io = (MemIo){.read = bank_read,
                    .write = bank_write,
                    .unaligned = true,
                    .debug = true,
                    .own_lock = d->cls->own_lock};
    if (!bank->regs) {
        return x;
    }
    x->unit_bits = common_unit_bits(bank);
    for (const RegDesc *r = bank->regs; r->name; r++) {
        uint64_t last = r->offset + (uint64_t)(reg_count(r) - 1) * reg_stride(bank, r);

        end = MAX(end, last + reg_bytes(bank, r));
    }
    assert(end <= bank->bytes);
    x->n_slots = (uint32_t)(end >> x->unit_bits);
    x->slots = g_new0(uint16_t, x->n_slots);
    for (const RegDesc *r = bank->regs; r->name; r++) {
        index_row(x, r);
    }
    return x;
}

void reg_index_free(RegIndex *x)
{
    if (x) {
        g_free(x->slots);
        g_free(x);
    }
}

MemResult device_mmio_read(Device *d, unsigned i, uint64_t offset, unsigned bytes, uint64_t *value)
{
    return mem_io_read(d->machine, &d->mmio[i], offset, bytes, value, (MemAttrs){0});
}

MemResult device_mmio_write(Device *d, unsigned i, uint64_t offset, unsigned bytes, uint64_t value)
{
    return mem_io_write(d->machine, &d->mmio[i], offset, bytes, value, (MemAttrs){0});
}
