/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files about devices: tables walked the same way everywhere. */
#ifndef GEMEL_CORE_DEVICE_PRIVATE_H
#define GEMEL_CORE_DEVICE_PRIVATE_H

#include "core/private.h"

/* One bank's registers by offset, and what the memory system calls. */
struct RegIndex {
    Device         *device;
    const MmioDesc *bank;
    MemIo           io;
    unsigned        unit_bits;   /* slots are 1 << unit_bits bytes */
    uint32_t        n_slots;
    uint16_t       *slots;       /* row + 1; 0: no register */
};

static inline unsigned reg_bytes(const MmioDesc *bank, const RegDesc *r)
{
    return r->bytes ? r->bytes : bank->reg_bytes ? bank->reg_bytes : 4;
}

static inline unsigned reg_count(const RegDesc *r)
{
    return r->count ? r->count : 1;
}

static inline unsigned reg_stride(const MmioDesc *bank, const RegDesc *r)
{
    return r->stride ? r->stride : reg_bytes(bank, r);
}

static inline void *reg_field(Device *d, const RegDesc *r, unsigned index)
{
    return (uint8_t *)d + r->field - 1 + (size_t)index * r->field_bytes;
}

/* Is it the first row of its bank with that field? Only this one resets and is saved; others are
 * views (set and clear registers of one word). */
bool reg_is_canonical(const MmioDesc *bank, const RegDesc *r);

/* A little-endian integer of 1, 2, 4 or 8 bytes in a struct. */
uint64_t field_get(const void *p, unsigned bytes);
void     field_set(void *p, unsigned bytes, uint64_t v);

RegIndex *reg_index_new(Device *d, const MmioDesc *bank);
void      reg_index_free(RegIndex *x);
/* The value without side effects; false: only its function knows. */
bool      reg_peek(Device *d, const RegDesc *r, unsigned index, uint64_t *value);

void device_props_init(Device *d);
void device_props_free(Device *d);
bool device_props_check(Device *d, Error *err);
/* The value as text, as one would type it. */
char *device_prop_text(Device *d, const PropDesc *p);

#endif
