/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv2: the distributor's registers (IHI 0048B, "Distributor register descriptions").
 *
 * A register is handled as a 32-bit word; narrower accesses, which the byte-per-interrupt registers
 * allow, come with a mask of the bytes they reach. Non-secure accesses (with Security Extensions)
 * see Group 1 only, and the upper half of priorities.
 */
#include "hw/intc/gicv2/gicv2.h"

typedef struct Row {
    uint16_t first, last; /* offsets, inclusive */
    bool bytes;           /* takes narrow accesses */
    /* i: number of the word in the row */
    uint32_t (*read)(GicV2 *s, GicV2Access a, unsigned i);
    void (*write)(GicV2 *s, GicV2Access a, unsigned i, uint32_t v, uint32_t mask);
} Row;

/* Interrupts of word i that the access may see. */
static uint32_t visible(GicV2 *s, GicV2Access a, unsigned i)
{
    return a.ns ? gicv2_word(s, a.cpu, i)->group : UINT32_MAX;
}

/* ---- control and identification */

static uint32_t ctlr_read(GicV2 *s, GicV2Access a, unsigned i)
{
    if (i == 1) { /* GICD_TYPER */
        return (s->n_words - 1) | (s->n_cpus - 1) << 5 | (uint32_t)s->security << 10;
    }
    if (i == 2) { /* GICD_IIDR: GIC-400 */
        return 0x0200143b;
    }
    return a.ns ? s->ctlr >> 1 & 1 : s->ctlr;
}

static void ctlr_write(GicV2 *s, GicV2Access a, unsigned i, uint32_t v, uint32_t mask)
{
    (void)mask;
    if (i == 0) {
        s->ctlr = a.ns ? (s->ctlr & 1) | (v & 1) << 1 : v & 3;
        gicv2_update(s);
    }
}

static uint32_t id_read(GicV2 *s, GicV2Access a, unsigned i)
{
    static const uint8_t id[12] = {0x04, 0, 0, 0, 0x90, 0xb4, 0x2b, 0, 0x0d, 0xf0, 0x05, 0xb1};

    (void)s;
    (void)a;
    return i < sizeof id ? id[i] : 0;
}

/* ---- a bit an interrupt */

static uint32_t group_read(GicV2 *s, GicV2Access a, unsigned i)
{
    return a.ns ? 0 : gicv2_word(s, a.cpu, i)->group;
}

static void group_write(GicV2 *s, GicV2Access a, unsigned i, uint32_t v, uint32_t mask)
{
    (void)mask;
    if (!a.ns) {
        gicv2_word(s, a.cpu, i)->group = v;
        gicv2_update(s);
    }
}

static uint32_t enable_read(GicV2 *s, GicV2Access a, unsigned i)
{
    return gicv2_word(s, a.cpu, i)->enabled & visible(s, a, i);
}

static void enable_set(GicV2 *s, GicV2Access a, unsigned i, uint32_t v, uint32_t mask)
{
    (void)mask;
    gicv2_word(s, a.cpu, i)->enabled |= v & visible(s, a, i);
    gicv2_update(s);
}

/* SGIs are always enabled. */
static void enable_clear(GicV2 *s, GicV2Access a, unsigned i, uint32_t v, uint32_t mask)
{
    (void)mask;
    gicv2_word(s, a.cpu, i)->enabled &= ~(v & visible(s, a, i) & (i == 0 ? ~0xffffu : ~0u));
    gicv2_update(s);
}

static uint32_t pend_read(GicV2 *s, GicV2Access a, unsigned i)
{
    return gic_word_pending(gicv2_word(s, a.cpu, i)) & visible(s, a, i);
}

/* SGIs are set and cleared by GICD_SPENDSGIR and GICD_CPENDSGIR only. */
static void pend_set(GicV2 *s, GicV2Access a, unsigned i, uint32_t v, uint32_t mask)
{
    (void)mask;
    gicv2_word(s, a.cpu, i)->latch |= v & visible(s, a, i) & (i == 0 ? ~0xffffu : ~0u);
    gicv2_update(s);
}

static void pend_clear(GicV2 *s, GicV2Access a, unsigned i, uint32_t v, uint32_t mask)
{
    (void)mask;
    gicv2_word(s, a.cpu, i)->latch &= ~(v & visible(s, a, i) & (i == 0 ? ~0xffffu : ~0u));
    gicv2_update(s);
}

static uint32_t active_read(GicV2 *s, GicV2Access a, unsigned i)
{
    return gicv2_word(s, a.cpu, i)->active & visible(s, a, i);
}

static void active_set(GicV2 *s, GicV2Access a, unsigned i, uint32_t v, uint32_t mask)
{
    (void)mask;
    gicv2_word(s, a.cpu, i)->active |= v & visible(s, a, i);
    gicv2_update(s);
}

static void active_clear(GicV2 *s, GicV2Access a, unsigned i, uint32_t v, uint32_t mask)
{
    (void)mask;
    gicv2_word(s, a.cpu, i)->active &= ~(v & visible(s, a, i));
    gicv2_update(s);
}

/* ---- a byte an interrupt */

static uint32_t prio_read(GicV2 *s, GicV2Access a, unsigned i)
{
    uint32_t seen = visible(s, a, i / 8) >> i % 8 * 4, v = 0;

    for (unsigned b = 0; b < 4; b++) {
        uint32_t p = *gicv2_prio(s, a.cpu, i * 4 + b);
        v |= (seen >> b & 1 ? (a.ns ? p << 1 & 0xff : p) : 0) << 8 * b;
    }
    return v;
}

static void prio_write(GicV2 *s, GicV2Access a, unsigned i, uint32_t v, uint32_t mask)
{
    uint32_t seen = visible(s, a, i / 8) >> i % 8 * 4;

    for (unsigned b = 0; b < 4; b++) {
        uint32_t p = v >> 8 * b & 0xff;
        if (mask >> 8 * b & 0xff && seen >> b & 1) {
            *gicv2_prio(s, a.cpu, i * 4 + b) = (a.ns ? 0x80 | p >> 1 : p) & GIC_PRIO_MASK;
        }
    }
    gicv2_update(s);
}

/* With one CPU there is nothing to choose: reads 0. Private interrupts go to the CPU itself. */
static uint32_t target_read(GicV2 *s, GicV2Access a, unsigned i)
{
    uint32_t seen = visible(s, a, i / 8) >> i % 8 * 4, v = 0;

    if (s->n_cpus == 1) {
        return 0;
    }
    for (unsigned b = 0; b < 4; b++) {
        unsigned intid = i * 4 + b;
        uint32_t t = intid < GIC_PRIVATE ? 1u << a.cpu : 0;
        for (unsigned c = 0; c < s->n_cpus && intid >= GIC_PRIVATE; c++) {
            t |= (s->target[c][intid / 32] >> intid % 32 & 1) << c;
        }
        v |= (seen >> b & 1 ? t : 0) << 8 * b;
    }
    return v;
}

static void target_write(GicV2 *s, GicV2Access a, unsigned i, uint32_t v, uint32_t mask)
{
    uint32_t seen = visible(s, a, i / 8) >> i % 8 * 4;

    if (s->n_cpus == 1 || i < GIC_PRIVATE / 4) {
        return;
    }
    for (unsigned b = 0; b < 4; b++) {
        unsigned intid = i * 4 + b;
        if (!(mask >> 8 * b & 0xff) || !(seen >> b & 1)) {
            continue;
        }
        for (unsigned c = 0; c < s->n_cpus; c++) {
            uint32_t *t = &s->target[c][intid / 32];
            *t = deposit32(*t, intid % 32, 1, v >> (8 * b + c) & 1);
        }
    }
    gicv2_update(s);
}

/* ---- two bits an interrupt */

static uint32_t cfg_read(GicV2 *s, GicV2Access a, unsigned i)
{
    uint32_t edge = gicv2_word(s, a.cpu, i / 2)->edge & visible(s, a, i / 2);

    return gic_spread16(edge >> i % 2 * 16 & 0xffff);
}

static void cfg_write(GicV2 *s, GicV2Access a, unsigned i, uint32_t v, uint32_t mask)
{
    GicWord *w = gicv2_word(s, a.cpu, i / 2);
    uint32_t bits = (0xffffu << i % 2 * 16) & visible(s, a, i / 2);

    (void)mask;
    if (i >= 1) { /* SGIs are edge-triggered */
        w->edge = (w->edge & ~bits) | (gic_gather16(v) << i % 2 * 16 & bits);
        gicv2_update(s);
    }
}

static uint32_t nsacr_read(GicV2 *s, GicV2Access a, unsigned i)
{
    return a.ns || !s->security ? 0 : i < 2 ? s->cpu[a.cpu].nsacr[i] : s->nsacr[i];
}

static void nsacr_write(GicV2 *s, GicV2Access a, unsigned i, uint32_t v, uint32_t mask)
{
    (void)mask;
    if (!a.ns && s->security) {
        *(i < 2 ? &s->cpu[a.cpu].nsacr[i] : &s->nsacr[i]) = v;
    }
}

/* GICD_PPISR, GICD_SPISR<n> of GIC-400: levels at the inputs. */
static uint32_t input_read(GicV2 *s, GicV2Access a, unsigned i)
{
    uint32_t level = gicv2_word(s, a.cpu, i)->level & visible(s, a, i);

    return i == 0 ? level >> 16 : level;
}

/* ---- software-generated interrupts */

static void sgi_pend(GicV2 *s, unsigned cpu, unsigned sgi, uint32_t sources)
{
    GicV2Cpu *c = &s->cpu[cpu];

    c->sgi_source[sgi] |= (uint8_t)sources;
    c->word.latch |= sources ? 1u << sgi : 0;
}

static void sgir_write(GicV2 *s, GicV2Access a, unsigned i, uint32_t v, uint32_t mask)
{
    unsigned filter = v >> 24 & 3, sgi = v & 0xf;
    uint32_t to = filter == 0   ? v >> 16 & s->all_cpus
                  : filter == 1 ? s->all_cpus & ~(1u << a.cpu)
                  : filter == 2 ? 1u << a.cpu
                                : 0;

    (void)i;
    (void)mask;
    for (; to; to &= to - 1) {
        unsigned cpu = ctz32(to);
        bool group1 = s->cpu[cpu].word.group >> sgi & 1;
        /* Non-secure software may send Group 1 (and what NSACR allows); Secure software chooses */
        bool allowed = a.ns ? group1 || s->cpu[cpu].nsacr[0] >> 2 * sgi & 3
                            : !s->security || group1 == (v >> 15 & 1);
        if (allowed) {
            sgi_pend(s, cpu, sgi, 1u << a.cpu);
            gicv2_update_cpu(s, cpu);
        }
    }
}

static uint32_t sgi_read(GicV2 *s, GicV2Access a, unsigned i)
{
    uint32_t seen = visible(s, a, 0) >> (i & 3) * 4, v = 0;

    for (unsigned b = 0; b < 4; b++) {
        v |= (seen >> b & 1 ? s->cpu[a.cpu].sgi_source[(i & 3) * 4 + b] : 0u) << 8 * b;
    }
    return v;
}

static void sgi_clear(GicV2 *s, GicV2Access a, unsigned i, uint32_t v, uint32_t mask)
{
    GicV2Cpu *c = &s->cpu[a.cpu];
    uint32_t seen = visible(s, a, 0) >> (i & 3) * 4;

    for (unsigned b = 0; b < 4; b++) {
        unsigned sgi = (i & 3) * 4 + b;
        if (seen >> b & 1) {
            c->sgi_source[sgi] &= (uint8_t) ~(v >> 8 * b & mask >> 8 * b);
            c->word.latch &= c->sgi_source[sgi] ? ~0u : ~(1u << sgi);
        }
    }
    gicv2_update_cpu(s, a.cpu);
}

static void sgi_set(GicV2 *s, GicV2Access a, unsigned i, uint32_t v, uint32_t mask)
{
    uint32_t seen = visible(s, a, 0) >> (i & 3) * 4;

    for (unsigned b = 0; b < 4; b++) {
        if (seen >> b & 1) {
            sgi_pend(s, a.cpu, (i & 3) * 4 + b, v >> 8 * b & mask >> 8 * b & s->all_cpus);
        }
    }
    gicv2_update_cpu(s, a.cpu);
}

/* ---- the map */

static const Row rows[] = {
    {0x000, 0x00b, false, ctlr_read, ctlr_write},   /* GICD_CTLR, TYPER, IIDR */
    {0x080, 0x0ff, false, group_read, group_write}, /* GICD_IGROUPR<n> */
    {0x100, 0x17f, false, enable_read, enable_set}, /* GICD_ISENABLER<n> */
    {0x180, 0x1ff, false, enable_read, enable_clear},
    {0x200, 0x27f, false, pend_read, pend_set}, /* GICD_ISPENDR<n> */
    {0x280, 0x2ff, false, pend_read, pend_clear},
    {0x300, 0x37f, false, active_read, active_set}, /* GICD_ISACTIVER<n> */
    {0x380, 0x3ff, false, active_read, active_clear},
    {0x400, 0x7fb, true, prio_read, prio_write},     /* GICD_IPRIORITYR<n> */
    {0x800, 0xbfb, true, target_read, target_write}, /* GICD_ITARGETSR<n> */
    {0xc00, 0xcff, false, cfg_read, cfg_write},      /* GICD_ICFGR<n> */
    {0xd00, 0xd7f, false, input_read, NULL},         /* GICD_PPISR, GICD_SPISR<n> */
    {0xe00, 0xeff, false, nsacr_read, nsacr_write},  /* GICD_NSACR<n> */
    {0xf00, 0xf03, false, NULL, sgir_write},         /* GICD_SGIR */
    {0xf10, 0xf1f, true, sgi_read, sgi_clear},       /* GICD_CPENDSGIR<n> */
    {0xf20, 0xf2f, true, sgi_read, sgi_set},         /* GICD_SPENDSGIR<n> */
    {0xfd0, 0xfff, true, id_read, NULL},
};

/* The row of an offset; NULL: reserved, or an interrupt that is not there. */
static const Row *find(const GicV2 *s, uint64_t offset)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const Row *r = &rows[i];
        if (offset < r->first || offset > r->last) {
            continue;
        }
        /* interrupts a word: 32, 16 or 4, by the size of the row */
        unsigned words = (r->last - r->first + 4u) / 4, per_word = words > 64   ? 4
                                                                   : words > 32 ? 16
                                                                                : 32;
        bool array = r->first >= 0x080 && r->first < 0xf00;
        return array && (offset - r->first) / 4 * per_word >= s->n_words * 32 ? NULL : r;
    }
    return NULL;
}

MemResult gicv2_dist_read(Device *d, uint64_t offset, unsigned bytes, uint64_t *value,
                          MemAttrs attrs)
{
    GicV2 *s = (GicV2 *)d;
    const Row *r = find(s, offset);

    *value = 0;
    if (!r || !r->read || (bytes != 4 && !r->bytes)) {
        device_guest_error(d, "distributor: read of %u bytes at 0x%x", bytes, (unsigned)offset);
        return MEM_OK;
    }
    g_mutex_lock(&s->lock);
    uint32_t v = r->read(s, gicv2_access(s, attrs), (unsigned)(offset - r->first) / 4);
    g_mutex_unlock(&s->lock);
    *value = v >> 8 * (offset & 3) & mask64(8 * bytes);
    return MEM_OK;
}

MemResult gicv2_dist_write(Device *d, uint64_t offset, unsigned bytes, uint64_t value,
                           MemAttrs attrs)
{
    GicV2 *s = (GicV2 *)d;
    const Row *r = find(s, offset);

    if (!r || !r->write || (bytes != 4 && !r->bytes)) {
        device_guest_error(d, "distributor: write of %u bytes at 0x%x", bytes, (unsigned)offset);
        return MEM_OK;
    }
    unsigned shift = 8 * (offset & 3);
    g_mutex_lock(&s->lock);
    r->write(s, gicv2_access(s, attrs), (unsigned)(offset - r->first) / 4, (uint32_t)value << shift,
             (uint32_t)mask64(8 * bytes) << shift);
    g_mutex_unlock(&s->lock);
    return MEM_OK;
}
