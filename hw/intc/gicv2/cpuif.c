/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv2: the CPU interface (IHI 0048B, "CPU interface register descriptions").
 */
#include "hw/intc/gicv2/gicv2.h"

enum {
    GICC_CTLR = 0x00,
    GICC_PMR = 0x04,
    GICC_BPR = 0x08,
    GICC_IAR = 0x0c,
    GICC_EOIR = 0x10,
    GICC_RPR = 0x14,
    GICC_HPPIR = 0x18,
    GICC_ABPR = 0x1c,
    GICC_AIAR = 0x20,
    GICC_AEOIR = 0x24,
    GICC_AHPPIR = 0x28,
    GICC_APR0 = 0xd0,
    GICC_NSAPR0 = 0xe0,
    GICC_IIDR = 0xfc,
    GICC_DIR = 0x1000,
    IIDR_GIC400 = 0x0202143b
};
/* Writable bits of GICC_CTLR: enables, AckCtl, FIQEn, CBPR, bypass disables, EOImodeS; as the
 * Non-secure copy has it. */
enum { CTLR_MASK = 0x3ff, CTLR_NS_MASK = 0x261 };

/* A priority as Non-secure software sees it: the upper half, shifted up. */
static uint32_t ns_view(uint32_t prio)
{
    return prio == GIC_IDLE_PRIO ? prio : prio & 0x80 ? prio << 1 & 0xff : 0;
}

static unsigned group_of(GicV2 *s, unsigned cpu, unsigned intid)
{
    return gicv2_word(s, cpu, intid / 32)->group >> intid % 32 & 1;
}

/* The highest pending interrupt as GICC_IAR, HPPIR (alias: AIAR, AHPPIR) name it. */
static unsigned visible_intid(GicV2 *s, GicV2Access a, unsigned intid, bool alias)
{
    if (intid >= GIC_MAX_INTID) {
        return GIC_SPURIOUS;
    }
    unsigned group = group_of(s, a.cpu, intid);
    if (alias || a.ns) {
        return group == 1 ? intid : GIC_SPURIOUS;
    }
    /* Secure: Group 1 needs AckCtl. Without Security Extensions the same rule holds. */
    return group == 0 || s->cpu[a.cpu].ctlr & GICC_ACKCTL ? intid : GIC_OTHER_GROUP;
}

static uint32_t acknowledge(GicV2 *s, GicV2Access a, bool alias)
{
    GicV2Cpu *c = &s->cpu[a.cpu];
    unsigned intid = gicv2_highest(s, a.cpu);

    if (intid == GIC_SPURIOUS || !gicv2_can_signal(s, a.cpu, intid)) {
        return GIC_SPURIOUS;
    }
    unsigned seen = visible_intid(s, a, intid, alias);
    if (seen >= GIC_MAX_INTID) {
        return seen;
    }
    GicWord *w = gicv2_word(s, a.cpu, intid / 32);
    unsigned group = group_of(s, a.cpu, intid);
    uint32_t source = 0, prio = *gicv2_prio(s, a.cpu, intid);
    bool more = false;
    if (intid < GIC_SGIS) {
        source = ctz32(c->sgi_source[intid]) & 7;
        c->sgi_source[intid] &= (uint8_t)(c->sgi_source[intid] - 1);
        more = c->sgi_source[intid] != 0;
    }
    if (!more) {
        w->latch &= ~(1u << intid % 32);
    }
    w->active |= 1u << intid % 32;
    c->apr[group] |= gic_apr_bit(prio & gicv2_group_mask(c, group));
    gicv2_update_cpu(s, a.cpu);
    return intid | source << 10;
}

/* EOImode of the access; with one security state there is one. */
static bool splits_eoi(const GicV2 *s, GicV2Access a)
{
    return s->cpu[a.cpu].ctlr & (a.ns ? GICC_EOIMODE_NS : GICC_EOIMODE_S);
}

static void end_of_interrupt(GicV2 *s, GicV2Access a, uint32_t v, bool alias)
{
    GicV2Cpu *c = &s->cpu[a.cpu];
    unsigned intid = v & 0x3ff;

    if (intid >= GIC_MAX_INTID || intid >= s->n_words * 32) {
        return;
    }
    if ((alias || a.ns) && group_of(s, a.cpu, intid) == 0) {
        return;
    }
    unsigned group = gic_running(c->apr[1]) < gic_running(c->apr[0]);
    if ((alias || a.ns) && group == 0) {
        return;
    }
    c->apr[group] = gic_drop(c->apr[group]);
    if (!splits_eoi(s, a)) {
        gicv2_deactivate(s, a.cpu, intid);
        gicv2_update(s);
    } else {
        gicv2_update_cpu(s, a.cpu);
    }
}

static void deactivate(GicV2 *s, GicV2Access a, uint32_t v)
{
    unsigned intid = v & 0x3ff;

    if (!splits_eoi(s, a) || intid >= s->n_words * 32 || (a.ns && group_of(s, a.cpu, intid) == 0)) {
        return;
    }
    gicv2_deactivate(s, a.cpu, intid);
    gicv2_update(s);
}

/* ---- registers with two faces */

static uint32_t ctlr_read(const GicV2Cpu *c, GicV2Access a)
{
    if (!a.ns) {
        return c->ctlr;
    }
    return (c->ctlr & 0x61) | (c->ctlr >> 1 & 1) | (c->ctlr & GICC_EOIMODE_NS ? 1u << 9 : 0);
}

static void ctlr_write(GicV2 *s, GicV2Cpu *c, GicV2Access a, uint32_t v)
{
    if (!a.ns) {
        uint32_t mask = CTLR_MASK | (s->security ? (uint32_t)GICC_EOIMODE_NS : 0);
        c->ctlr = v & mask;
        return;
    }
    v &= CTLR_NS_MASK;
    c->ctlr =
        (c->ctlr & ~(uint32_t)(GICC_ENG1 | GICC_EOIMODE_NS)) | (v & 1) << 1 | (v >> 9 & 1) << 10;
}

static void pmr_write(GicV2Cpu *c, GicV2Access a, uint32_t v)
{
    if (!a.ns) {
        c->pmr = v & GIC_PRIO_MASK;
    } else if (c->pmr & 0x80) {
        c->pmr = (0x80 | (v & 0xff) >> 1) & GIC_PRIO_MASK;
    }
}

static uint32_t bpr_read(const GicV2Cpu *c, GicV2Access a)
{
    if (!a.ns) {
        return c->bpr[0];
    }
    return !(c->ctlr & GICC_CBPR) ? c->bpr[1] : c->bpr[0] < 7 ? c->bpr[0] + 1 : 7;
}

static void bpr_write(GicV2Cpu *c, unsigned which, uint32_t v)
{
    uint32_t min = GIC_MIN_BPR + which;

    c->bpr[which] = (v & 7) < min ? min : v & 7;
}

/* GICC_APR0, GICC_NSAPR0: Non-secure software sees its half of the priorities through the first. */
static uint32_t apr_read(const GicV2Cpu *c, GicV2Access a, unsigned which)
{
    return !a.ns ? c->apr[which] : which == 0 ? c->apr[1] >> 16 : 0;
}

static void apr_write(GicV2Cpu *c, GicV2Access a, unsigned which, uint32_t v)
{
    if (!a.ns) {
        c->apr[which] = v;
    } else if (which == 0) {
        c->apr[1] = (c->apr[1] & 0xffff) | v << 16;
    }
}

/* ---- the map */

static uint32_t read_register(GicV2 *s, GicV2Access a, uint64_t offset)
{
    GicV2Cpu *c = &s->cpu[a.cpu];
    uint32_t running = gic_running(c->apr[0] | c->apr[1]);

    switch (offset) {
    case GICC_CTLR: return ctlr_read(c, a);
    case GICC_PMR: return a.ns ? ns_view(c->pmr) : c->pmr;
    case GICC_BPR: return bpr_read(c, a);
    case GICC_ABPR: return a.ns ? 0 : c->bpr[1];
    case GICC_IAR:
    case GICC_AIAR: return acknowledge(s, a, offset == GICC_AIAR);
    case GICC_RPR: return a.ns ? ns_view(running) : running;
    case GICC_HPPIR:
    case GICC_AHPPIR: {
        unsigned intid = visible_intid(s, a, gicv2_highest(s, a.cpu), offset == GICC_AHPPIR);
        return intid < GIC_SGIS ? intid | (ctz32(c->sgi_source[intid]) & 7) << 10 : intid;
    }
    case GICC_APR0: return apr_read(c, a, 0);
    case GICC_NSAPR0: return apr_read(c, a, 1);
    case GICC_IIDR: return IIDR_GIC400;
    default: return 0;
    }
}

MemResult gicv2_cpu_read(Device *d, uint64_t offset, unsigned bytes, uint64_t *value,
                         MemAttrs attrs)
{
    GicV2 *s = (GicV2 *)d;

    g_mutex_lock(&s->lock);
    uint32_t v = read_register(s, gicv2_access(s, attrs), offset & ~3ull);
    g_mutex_unlock(&s->lock);
    *value = v >> 8 * (offset & 3) & mask64(8 * bytes);
    return MEM_OK;
}

MemResult gicv2_cpu_write(Device *d, uint64_t offset, unsigned bytes, uint64_t value,
                          MemAttrs attrs)
{
    GicV2 *s = (GicV2 *)d;
    GicV2Access a = gicv2_access(s, attrs);
    GicV2Cpu *c = &s->cpu[a.cpu];
    uint32_t v = (uint32_t)value;

    (void)bytes;
    g_mutex_lock(&s->lock);
    switch (offset) {
    case GICC_EOIR:
    case GICC_AEOIR: end_of_interrupt(s, a, v, offset == GICC_AEOIR); goto out;
    case GICC_DIR: deactivate(s, a, v); goto out;
    case GICC_CTLR: ctlr_write(s, c, a, v); break;
    case GICC_PMR: pmr_write(c, a, v); break;
    case GICC_BPR:
        if (!a.ns || !(c->ctlr & GICC_CBPR)) {
            bpr_write(c, a.ns, v);
        }
        break;
    case GICC_ABPR:
        if (!a.ns) {
            bpr_write(c, 1, v);
        }
        break;
    case GICC_APR0: apr_write(c, a, 0, v); break;
    case GICC_NSAPR0: apr_write(c, a, 1, v); break;
    default: device_guest_error(d, "CPU interface: write at 0x%x", (unsigned)offset); break;
    }
    gicv2_update_cpu(s, a.cpu);
out:
    g_mutex_unlock(&s->lock);
    return MEM_OK;
}
