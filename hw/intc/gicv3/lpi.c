/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv3: locality-specific interrupts of a redistributor (IHI 0069, "LPIs").
 *
 * The configuration table (GICR_PROPBASER) has a byte an LPI: priority and enable. Its bytes are
 * kept as last read: when an LPI becomes pending, and on INV. Pending LPIs are kept as bits here
 * and go to the pending table (GICR_PENDBASER) when LPIs are turned off; they are read from it when
 * LPIs are turned on, unless PTZ says it is zero.
 */
#include <string.h>

#include "core/state.h"
#include "hw/intc/gicv3/gicv3.h"

enum { CONFIG_ENABLE = 1, PENDING_TABLE_BYTES = GICV3_N_INTIDS / 8 };
#define TABLE_ADDRESS_MASK 0x000ffffffffff000ull
#define PENDBASER_ADDRESS_MASK 0x000fffffffff0000ull
#define PENDBASER_PTZ (1ull << 62)

/* ---- guest RAM; never MMIO, whose callbacks may want other locks */

static bool ram_copy(GicV3 *s, uint64_t gpa, uint8_t *buf, size_t bytes, bool write)
{
    enum { MAX_IOV = 4 };
    struct iovec iov[MAX_IOV];
    int n = 0;
    size_t covered = dma_map(s->dev.machine->as, gpa, bytes, write, iov, MAX_IOV, &n), at = 0;

    for (int i = 0; i < n && covered == bytes; i++) {
        if (write) {
            memcpy(iov[i].iov_base, buf + at, iov[i].iov_len);
        } else {
            memcpy(buf + at, iov[i].iov_base, iov[i].iov_len);
        }
        at += iov[i].iov_len;
    }
    if (n) {
        dma_unmap(s->dev.machine->as, iov, n, write, write ? at : 0);
    }
    return covered == bytes;
}

bool gicv3_ram_read(GicV3 *s, uint64_t gpa, void *buf, size_t bytes)
{
    return ram_copy(s, gpa, buf, bytes, false);
}

bool gicv3_ram_write(GicV3 *s, uint64_t gpa, const void *buf, size_t bytes)
{
    return ram_copy(s, gpa, (uint8_t *)buf, bytes, true);
}

/* ---- bits */

static uint32_t n_intids(const GicV3Cpu *c)
{
    unsigned bits = (c->propbaser & 0x1f) + 1;

    return bits >= GICV3_ID_BITS ? (uint32_t)GICV3_N_INTIDS : 1u << bits;
}

static void set_bit(GicV3Lpis *l, uint32_t intid, bool on)
{
    unsigned w = intid / 64;

    if (on) {
        l->pending[w] |= 1ull << intid % 64;
        l->summary[w / 64] |= 1ull << w % 64;
    } else {
        l->pending[w] &= ~(1ull << intid % 64);
        if (!l->pending[w]) {
            l->summary[w / 64] &= ~(1ull << w % 64);
        }
    }
}

static bool is_lpi(const GicV3Cpu *c, uint32_t intid)
{
    return c->lpis.pending && c->ctlr & GICR_CTLR_ENABLE_LPIS && intid >= GICV3_FIRST_LPI &&
           intid < n_intids(c);
}

/* Calls fn for each pending LPI; fn may clear the one it is called for. */
static void each_pending(GicV3Lpis *l, void (*fn)(void *opaque, uint32_t intid), void *opaque)
{
    for (unsigned i = 0; i < GICV3_LPI_WORDS / 64; i++) {
        for (uint64_t words = l->summary[i]; words; words &= words - 1) {
            unsigned w = i * 64 + ctz64(words);
            for (uint64_t bits = l->pending[w]; bits; bits &= bits - 1) {
                fn(opaque, w * 64 + ctz64(bits));
            }
        }
    }
}

bool gicv3_lpi_is_pending(const GicV3Cpu *c, uint32_t intid)
{
    return is_lpi(c, intid) && c->lpis.pending[intid / 64] >> intid % 64 & 1;
}

/* ---- configuration */

void gicv3_lpi_reload(GicV3 *s, unsigned cpu, uint32_t intid)
{
    GicV3Cpu *c = &s->cpu[cpu];
    uint8_t config;

    if (!is_lpi(c, intid)) {
        return;
    }
    uint64_t gpa = (c->propbaser & TABLE_ADDRESS_MASK) + (intid - GICV3_FIRST_LPI);
    s->lpi_config[intid] = gicv3_ram_read(s, gpa, &config, 1) ? config : 0;
}

typedef struct Reload {
    GicV3 *gic;
    unsigned cpu;
} Reload;

static void reload_one(void *opaque, uint32_t intid)
{
    const Reload *r = opaque;

    gicv3_lpi_reload(r->gic, r->cpu, intid);
}

void gicv3_lpi_reload_all(GicV3 *s, unsigned cpu)
{
    GicV3Cpu *c = &s->cpu[cpu];

    if (c->lpis.pending) {
        each_pending(&c->lpis, reload_one, &(Reload){s, cpu});
    }
}

/* ---- pending */

void gicv3_lpi_set(GicV3 *s, unsigned cpu, uint32_t intid, bool pending)
{
    GicV3Cpu *c = &s->cpu[cpu];

    if (!is_lpi(c, intid)) {
        return;
    }
    if (pending) {
        gicv3_lpi_reload(s, cpu, intid);
    }
    set_bit(&c->lpis, intid, pending);
}

typedef struct Best {
    const uint8_t *config;
    GicV3Pending *best;
} Best;

static void consider(void *opaque, uint32_t intid)
{
    const Best *b = opaque;
    uint8_t config = b->config[intid];

    if (config & CONFIG_ENABLE && (config & GIC_PRIO_MASK) < b->best->prio) {
        *b->best = (GicV3Pending){intid, config & GIC_PRIO_MASK, 1};
    }
}

void gicv3_lpi_highest(GicV3 *s, const GicV3Cpu *c, GicV3Pending *best)
{
    if (c->lpis.pending && c->ctlr & GICR_CTLR_ENABLE_LPIS) {
        each_pending((GicV3Lpis *)&c->lpis, consider, &(Best){s->lpi_config, best});
    }
}

typedef struct Move {
    GicV3 *gic;
    unsigned from, to;
} Move;

static void move_one(void *opaque, uint32_t intid)
{
    const Move *m = opaque;

    gicv3_lpi_set(m->gic, m->from, intid, false);
    gicv3_lpi_set(m->gic, m->to, intid, true);
}

void gicv3_lpi_move_all(GicV3 *s, unsigned from, unsigned to)
{
    if (s->cpu[from].lpis.pending && from != to) {
        each_pending(&s->cpu[from].lpis, move_one, &(Move){s, from, to});
    }
}

/* ---- turning LPIs on and off */

void gicv3_lpi_forget(GicV3Cpu *c)
{
    if (c->lpis.pending) {
        memset(c->lpis.pending, 0, GICV3_LPI_WORDS * sizeof c->lpis.pending[0]);
        memset(c->lpis.summary, 0, sizeof c->lpis.summary);
    }
}

void gicv3_lpi_enable(GicV3 *s, unsigned cpu)
{
    GicV3Cpu *c = &s->cpu[cpu];
    uint8_t table[PENDING_TABLE_BYTES];
    uint32_t bytes = n_intids(c) / 8;

    if (!c->lpis.pending) {
        c->lpis.pending = g_new0(uint64_t, GICV3_LPI_WORDS);
    }
    gicv3_lpi_forget(c);
    if (c->pendbaser & PENDBASER_PTZ ||
        !gicv3_ram_read(s, c->pendbaser & PENDBASER_ADDRESS_MASK, table, bytes)) {
        return;
    }
    for (uint32_t i = GICV3_FIRST_LPI / 8; i < bytes; i++) {
        for (unsigned bits = table[i]; bits; bits &= bits - 1) {
            gicv3_lpi_set(s, cpu, i * 8 + ctz32(bits), true);
        }
    }
}

void gicv3_lpi_disable(GicV3 *s, unsigned cpu)
{
    GicV3Cpu *c = &s->cpu[cpu];
    uint32_t bytes = n_intids(c) / 8, first = GICV3_FIRST_LPI / 8;

    if (bytes > first) {
        gicv3_ram_write(s, (c->pendbaser & PENDBASER_ADDRESS_MASK) + first,
                        (uint8_t *)c->lpis.pending + first, bytes - first);
    }
    gicv3_lpi_forget(c);
}

/* ---- saving: for each CPU a count, then INTID and configuration of each pending LPI */

typedef struct Saving {
    StateStream *stream;
    const uint8_t *config;
    uint32_t count;
    bool ok;
} Saving;

static void count_one(void *opaque, uint32_t intid)
{
    (void)intid;
    ((Saving *)opaque)->count++;
}

static void save_one(void *opaque, uint32_t intid)
{
    Saving *v = opaque;

    v->ok = v->ok && state_put_u32(v->stream, intid | (uint32_t)v->config[intid] << 24);
}

bool gicv3_lpi_save(Device *d, StateStream *st)
{
    GicV3 *s = (GicV3 *)d;
    bool ok = state_put_u32(st, s->n_cpus);

    for (unsigned i = 0; i < s->n_cpus && ok; i++) {
        Saving v = {st, s->lpi_config, 0, true};
        GicV3Lpis *l = &s->cpu[i].lpis;
        if (l->pending) {
            each_pending(l, count_one, &v);
        }
        v.ok = state_put_u32(st, v.count);
        if (v.count) {
            each_pending(l, save_one, &v);
        }
        ok = v.ok;
    }
    return ok;
}

static bool load_cpu(GicV3 *s, GicV3Cpu *c, StateStream *st)
{
    uint32_t count, v;

    if (!state_get_u32(st, &count) || count > GICV3_N_INTIDS) {
        return false;
    }
    gicv3_lpi_forget(c);
    if (count && !c->lpis.pending) {
        c->lpis.pending = g_new0(uint64_t, GICV3_LPI_WORDS);
    }
    for (; count; count--) {
        if (!state_get_u32(st, &v) || (v & 0xffffff) >= GICV3_N_INTIDS || !s->lpi_config) {
            return false;
        }
        s->lpi_config[v & 0xffffff] = (uint8_t)(v >> 24);
        set_bit(&c->lpis, v & 0xffffff, true);
    }
    return true;
}

bool gicv3_lpi_load(Device *d, StateStream *st, Error *err)
{
    GicV3 *s = (GicV3 *)d;
    uint32_t n_cpus;

    if (!state_get_u32(st, &n_cpus) || n_cpus != s->n_cpus) {
        return error_set(err, "%s: saved for another number of CPUs", d->id);
    }
    for (unsigned i = 0; i < n_cpus; i++) {
        if (!load_cpu(s, &s->cpu[i], st)) {
            return error_set(err, "%s: saved LPIs of CPU %u are broken", d->id, i);
        }
    }
    return true;
}
