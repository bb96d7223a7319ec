/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv3: the redistributors, two frames for each CPU: control and LPIs (RD_base), SGIs and PPIs
 * (SGI_base). IHI 0069, "Redistributor register descriptions". They lie in one or two regions; the
 * last of each region says so in GICR_TYPER.
 */
#include "hw/intc/gicv3/gicv3.h"

enum {
    GICR_CTLR = 0x0000,
    GICR_IIDR = 0x0004,
    GICR_TYPER = 0x0008,
    GICR_WAKER = 0x0014,
    GICR_PROPBASER = 0x0070,
    GICR_PENDBASER = 0x0078,
    GICR_INVLPIR = 0x00a0,
    GICR_INVALLR = 0x00b0,
    GICR_SYNCR = 0x00c0,
    GIC_IDS = 0xffd0,
    IIDR_ARM = 0x43b
};
/* Shareability, cacheability, physical address, number of ID bits; PTZ reads as zero. */
#define PROPBASER_WMASK 0x070fffffffffff9full
#define PENDBASER_WMASK 0x070fffffffff0f80ull
#define PENDBASER_PTZ (1ull << 62)

static uint64_t typer(const GicV3 *s, const GicV3Cpu *c)
{
    bool last = c->index + 1 == s->n_cpus || c->index + 1 == s->first_region_cpus;

    return (uint64_t)s->has_lpis | (uint64_t)last << 4 | (uint64_t)c->index << 8 |
           (uint64_t)c->affinity << 32;
}

/* ---- RD_base */

static uint64_t control_read(GicV3 *s, GicV3Cpu *c, uint64_t offset, unsigned bytes)
{
    switch (align_down(offset, 4)) {
    case GICR_CTLR:
        return gicv3_part(c->ctlr | (s->has_lpis ? GICR_CTLR_CES : 0) | (uint64_t)IIDR_ARM << 32,
                          offset, bytes);
    case GICR_IIDR: return IIDR_ARM;
    case GICR_TYPER:
    case GICR_TYPER + 4: return gicv3_part(typer(s, c), offset, bytes);
    case GICR_WAKER: return c->waker;
    case GICR_PROPBASER:
    case GICR_PROPBASER + 4: return gicv3_part(c->propbaser, offset, bytes);
    case GICR_PENDBASER:
    case GICR_PENDBASER + 4: return gicv3_part(c->pendbaser & ~PENDBASER_PTZ, offset, bytes);
    default: return offset >= GIC_IDS ? gicv3_id(offset) : 0;
    }
}

static void control_lpis(GicV3 *s, GicV3Cpu *c, uint32_t v)
{
    bool enable = v & GICR_CTLR_ENABLE_LPIS, enabled = c->ctlr & GICR_CTLR_ENABLE_LPIS;

    if (!s->has_lpis || enable == enabled) {
        return;
    }
    if (enable) {
        c->ctlr |= GICR_CTLR_ENABLE_LPIS;
        gicv3_lpi_enable(s, c->index);
    } else {
        gicv3_lpi_disable(s, c->index);
        c->ctlr &= ~(uint32_t)GICR_CTLR_ENABLE_LPIS;
    }
}

static void control_write(GicV3 *s, GicV3Cpu *c, uint64_t offset, unsigned bytes, uint64_t value)
{
    bool tables_fixed = c->ctlr & GICR_CTLR_ENABLE_LPIS;

    switch (align_down(offset, 4)) {
    case GICR_CTLR: control_lpis(s, c, (uint32_t)value); break;
    case GICR_WAKER: /* the CPU interface follows at once */
        c->waker = value & GICR_WAKER_SLEEP ? GICR_WAKER_SLEEP | GICR_WAKER_CHILDREN_ASLEEP : 0;
        break;
    case GICR_PROPBASER:
    case GICR_PROPBASER + 4:
        if (s->has_lpis && !tables_fixed) {
            c->propbaser = gicv3_merge(c->propbaser, offset, bytes, value) & PROPBASER_WMASK;
        }
        break;
    case GICR_PENDBASER:
    case GICR_PENDBASER + 4:
        if (s->has_lpis && !tables_fixed) {
            c->pendbaser =
                gicv3_merge(c->pendbaser, offset, bytes, value) & (PENDBASER_WMASK | PENDBASER_PTZ);
        }
        break;
    case GICR_INVLPIR: gicv3_lpi_reload(s, c->index, (uint32_t)value); break;
    case GICR_INVALLR: gicv3_lpi_reload_all(s, c->index); break;
    default:
        device_guest_error(&s->dev, "redistributor %u: write of %u bytes at 0x%x", c->index, bytes,
                           (unsigned)offset);
        break;
    }
}

/* ---- both frames */

static GicV3Banks banks(GicV3Cpu *c)
{
    return (GicV3Banks){.words = &c->word, .prio = c->prio, .n_words = 1, .sgis = true};
}

static MemResult redist_read(GicV3 *s, unsigned cpu, uint64_t offset, unsigned bytes,
                             uint64_t *value)
{
    *value = 0;
    if (cpu >= s->n_cpus) {
        return MEM_NOTHING;
    }
    GicV3Cpu *c = &s->cpu[cpu];
    g_mutex_lock(&s->lock);
    if (offset < GICV3_FRAME_BYTES) {
        *value = control_read(s, c, offset, bytes);
    } else {
        uint32_t v;
        GicV3Banks b = banks(c);
        gicv3_banks_read(&b, align_down(offset - GICV3_FRAME_BYTES, 4), &v);
        *value = v >> 8 * (offset & 3) & mask64(8 * bytes);
    }
    g_mutex_unlock(&s->lock);
    return MEM_OK;
}

static MemResult redist_write(GicV3 *s, unsigned cpu, uint64_t offset, unsigned bytes,
                              uint64_t value)
{
    unsigned shift = 8 * (offset & 3);

    if (cpu >= s->n_cpus) {
        return MEM_NOTHING;
    }
    GicV3Cpu *c = &s->cpu[cpu];
    g_mutex_lock(&s->lock);
    if (offset < GICV3_FRAME_BYTES) {
        if (bytes >= 4) {
            control_write(s, c, offset, bytes, value);
        }
    } else if (bytes <= 4) {
        GicV3Banks b = banks(c);
        gicv3_banks_write(&b, align_down(offset - GICV3_FRAME_BYTES, 4), (uint32_t)value << shift,
                          (uint32_t)mask64(8 * bytes) << shift);
    }
    gicv3_update_cpu(s, cpu);
    g_mutex_unlock(&s->lock);
    return MEM_OK;
}

MemResult gicv3_redist_low_read(Device *d, uint64_t offset, unsigned bytes, uint64_t *value,
                                MemAttrs attrs)
{
    GicV3 *s = (GicV3 *)d;
    unsigned cpu = (unsigned)(offset / GICV3_REDIST_BYTES);

    (void)attrs;
    return redist_read(s, cpu < s->first_region_cpus ? cpu : UINT_MAX, offset % GICV3_REDIST_BYTES,
                       bytes, value);
}

MemResult gicv3_redist_low_write(Device *d, uint64_t offset, unsigned bytes, uint64_t value,
                                 MemAttrs attrs)
{
    GicV3 *s = (GicV3 *)d;
    unsigned cpu = (unsigned)(offset / GICV3_REDIST_BYTES);

    (void)attrs;
    return redist_write(s, cpu < s->first_region_cpus ? cpu : UINT_MAX, offset % GICV3_REDIST_BYTES,
                        bytes, value);
}

MemResult gicv3_redist_high_read(Device *d, uint64_t offset, unsigned bytes, uint64_t *value,
                                 MemAttrs attrs)
{
    GicV3 *s = (GicV3 *)d;

    (void)attrs;
    return redist_read(s, s->first_region_cpus + (unsigned)(offset / GICV3_REDIST_BYTES),
                       offset % GICV3_REDIST_BYTES, bytes, value);
}

MemResult gicv3_redist_high_write(Device *d, uint64_t offset, unsigned bytes, uint64_t value,
                                  MemAttrs attrs)
{
    GicV3 *s = (GicV3 *)d;

    (void)attrs;
    return redist_write(s, s->first_region_cpus + (unsigned)(offset / GICV3_REDIST_BYTES),
                        offset % GICV3_REDIST_BYTES, bytes, value);
}
