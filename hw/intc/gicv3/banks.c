/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv3: the registers that hold a bit, a byte or two bits for each interrupt. The distributor has
 * them for SPIs, each redistributor for its SGIs and PPIs, at the same offsets.
 * Source: IHI 0069, "The GIC Distributor register map", "The GIC Redistributor register map".
 */
#include "hw/intc/gicv3/gicv3.h"

typedef enum Kind {
    GROUP,
    SET_ENABLE,
    CLEAR_ENABLE,
    SET_PENDING,
    CLEAR_PENDING,
    SET_ACTIVE,
    CLEAR_ACTIVE,
    PRIORITY,
    CONFIG,
    MODIFIER
} Kind;

static const struct Row {
    uint16_t first, last;
    uint8_t kind;
    uint8_t word_bytes; /* of the registers of 32 interrupts */
} rows[] = {
    {0x080, 0x0ff, GROUP, 4},         /* IGROUPR<n> */
    {0x100, 0x17f, SET_ENABLE, 4},    /* ISENABLER<n> */
    {0x180, 0x1ff, CLEAR_ENABLE, 4},  /* ICENABLER<n> */
    {0x200, 0x27f, SET_PENDING, 4},   /* ISPENDR<n> */
    {0x280, 0x2ff, CLEAR_PENDING, 4}, /* ICPENDR<n> */
    {0x300, 0x37f, SET_ACTIVE, 4},    /* ISACTIVER<n> */
    {0x380, 0x3ff, CLEAR_ACTIVE, 4},  /* ICACTIVER<n> */
    {0x400, 0x7fb, PRIORITY, 32},     /* IPRIORITYR<n> */
    {0xc00, 0xcff, CONFIG, 8},        /* ICFGR<n> */
    {0xd00, 0xd7f, MODIFIER, 4},      /* IGRPMODR<n> */
};

static const struct Row *find(uint64_t offset)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (offset >= rows[i].first && offset <= rows[i].last) {
            return &rows[i];
        }
    }
    return NULL;
}

static uint32_t read_word(const GicWord *w, Kind kind)
{
    switch (kind) {
    case GROUP: return w->group;
    case SET_ENABLE:
    case CLEAR_ENABLE: return w->enabled;
    case SET_PENDING:
    case CLEAR_PENDING: return gic_word_pending(w);
    case SET_ACTIVE:
    case CLEAR_ACTIVE: return w->active;
    default: return w->mod;
    }
}

bool gicv3_banks_read(const GicV3Banks *b, uint64_t offset, uint32_t *value)
{
    const struct Row *r = find(offset);

    *value = 0;
    if (!r) {
        return false;
    }
    unsigned at = (unsigned)(offset - r->first), n = at / r->word_bytes;
    if (n >= b->n_words) {
        return true; /* no such interrupts: zero */
    }
    if (r->kind == PRIORITY) {
        *value = load_le32(b->prio + align_down(at, 4));
    } else if (r->kind == CONFIG) {
        *value = gic_spread16(b->words[n].edge >> (at & 4) * 4 & 0xffff);
    } else {
        *value = read_word(&b->words[n], r->kind);
    }
    return true;
}

static void write_word(GicWord *w, Kind kind, uint32_t v)
{
    switch (kind) {
    case GROUP: w->group = v; break;
    case SET_ENABLE: w->enabled |= v; break;
    case CLEAR_ENABLE: w->enabled &= ~v; break;
    case SET_PENDING: w->latch |= v; break;
    case CLEAR_PENDING: w->latch &= ~v; break;
    case SET_ACTIVE: w->active |= v; break;
    case CLEAR_ACTIVE: w->active &= ~v; break;
    default: break; /* with one security state IGRPMODR is ignored */
    }
}

bool gicv3_banks_write(const GicV3Banks *b, uint64_t offset, uint32_t value, uint32_t mask)
{
    const struct Row *r = find(offset);

    if (!r) {
        return false;
    }
    unsigned at = (unsigned)(offset - r->first), n = at / r->word_bytes;
    if (n >= b->n_words) {
        return true;
    }
    if (r->kind == PRIORITY) {
        uint8_t *p = b->prio + align_down(at, 4);
        store_le32(p, (load_le32(p) & ~mask) | (value & mask & GIC_PRIO_MASK * 0x01010101u));
    } else if (r->kind == CONFIG) {
        if (!b->sgis || at >= 4) { /* SGIs are edge-triggered */
            uint32_t *edge = &b->words[n].edge;
            *edge = deposit32(*edge, (at & 4) * 4, 16, gic_gather16(value));
        }
    } else if (mask == UINT32_MAX) {
        write_word(&b->words[n], r->kind, value);
    }
    return true;
}
