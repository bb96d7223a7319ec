/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv3: the distributor (IHI 0069, "Distributor register descriptions"). One security state
 * (GICD_CTLR.DS is 1), affinity routing always on.
 */
#include "hw/intc/gicv3/gicv3.h"

enum {
    GICD_CTLR = 0x0000,
    GICD_TYPER = 0x0004,
    GICD_IIDR = 0x0008,
    GICD_TYPER2 = 0x000c,
    GICD_SETSPI_NSR = 0x0040,
    GICD_CLRSPI_NSR = 0x0048,
    GICD_SETSPI_SR = 0x0050,
    GICD_CLRSPI_SR = 0x0058,
    GICD_IROUTER = 0x6100,
    GICD_IROUTER_END = 0x7fe0,
    GIC_IDS = 0xffd0,
    IIDR_ARM = 0x43b,
    CTLR_WMASK = 0x83, /* EnableGrp0, EnableGrp1, E1NWF */
};
#define IROUTER_WMASK 0xff00ffffffull /* Aff3 .. Aff0; one-of-N routing is not there (No1N) */

uint32_t gicv3_id(uint64_t offset)
{
    /* PIDR4 .. 7, PIDR0 .. 3 (architecture revision 3), CIDR0 .. 3 */
    static const uint8_t id[12] = {0x44, 0, 0, 0, 0x92, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1};

    return id[(offset - GIC_IDS) / 4 % sizeof id];
}

void gicv3_route(GicV3 *s, unsigned intid)
{
    uint64_t r = s->router[intid];

    s->target[intid] =
        (uint16_t)gicv3_cpu_of(s, (uint32_t)(r & 0xffffff) | (uint32_t)(r >> 32 & 0xff) << 24);
}

/* Words from 1 on: word 0 belongs to the redistributors. */
static GicV3Banks banks(GicV3 *s)
{
    return (GicV3Banks){.words = s->spi, .prio = s->prio, .n_words = s->n_words};
}

/* Offset of a register of private interrupts, which reads as zero here. */
static bool is_private(uint64_t offset)
{
    return (offset >= 0x080 && offset < 0x400 && (offset & 0x7f) < 4) ||
           (offset >= 0x400 && offset < 0x420) || (offset >= 0xc00 && offset < 0xc08) ||
           (offset >= 0xd00 && offset < 0xd04);
}

static uint32_t typer(const GicV3 *s)
{
    /* one security state; message-based SPIs; Aff3 valid; No1N */
    return (s->n_words - 1) | 1u << 16 | (uint32_t)s->has_lpis << 17 |
           (uint32_t)(s->has_lpis ? GICV3_ID_BITS - 1 : 9) << 19 | 1u << 24 | 1u << 25;
}

static bool read_register(GicV3 *s, uint64_t offset, uint32_t *v)
{
    switch (offset) {
    case GICD_CTLR: *v = s->ctlr | GICD_CTLR_ARE | GICD_CTLR_DS; return true;
    case GICD_TYPER: *v = typer(s); return true;
    case GICD_IIDR: *v = IIDR_ARM; return true;
    case GICD_TYPER2: *v = 0; return true;
    default:
        if (offset >= GIC_IDS) {
            *v = gicv3_id(offset);
            return true;
        }
        *v = 0;
        if (is_private(offset)) {
            return true;
        }
        GicV3Banks b = banks(s);
        return gicv3_banks_read(&b, offset, v);
    }
}

/* The SPI of a GICD_IROUTER<n>, or 0. */
static unsigned router_intid(const GicV3 *s, uint64_t offset)
{
    if (offset < GICD_IROUTER || offset >= GICD_IROUTER_END) {
        return 0;
    }
    unsigned intid = GIC_PRIVATE + (unsigned)(offset - GICD_IROUTER) / 8;
    return intid < s->n_words * 32 && intid < GIC_MAX_INTID ? intid : 0;
}

MemResult gicv3_dist_read(Device *d, uint64_t offset, unsigned bytes, uint64_t *value,
                          MemAttrs attrs)
{
    GicV3 *s = (GicV3 *)d;
    unsigned intid = router_intid(s, offset);
    uint32_t v = 0;
    bool known = true;

    (void)attrs;
    g_mutex_lock(&s->lock);
    if (intid) {
        *value = gicv3_part(s->router[intid], offset, bytes);
    } else {
        known = read_register(s, align_down(offset, 4), &v);
        *value = v >> 8 * (offset & 3) & mask64(8 * bytes);
    }
    g_mutex_unlock(&s->lock);
    if (!known) {
        device_guest_error(d, "distributor: read of %u bytes at 0x%x", bytes, (unsigned)offset);
    }
    return MEM_OK;
}

/* GICD_SETSPI, CLRSPI: a message; only for interrupts that are there. */
static void message(GicV3 *s, unsigned intid, bool set)
{
    if (intid >= GIC_PRIVATE && intid < s->n_words * 32) {
        uint32_t bit = 1u << intid % 32, *latch = &s->spi[intid / 32].latch;
        *latch = set ? *latch | bit : *latch & ~bit;
        gicv3_update(s);
    }
}

static bool write_register(GicV3 *s, uint64_t offset, uint32_t v, uint32_t mask)
{
    switch (offset) {
    case GICD_CTLR:
        s->ctlr = v & CTLR_WMASK;
        gicv3_update(s);
        return true;
    case GICD_SETSPI_NSR:
    case GICD_SETSPI_SR: message(s, v & 0x3ff, true); return true;
    case GICD_CLRSPI_NSR:
    case GICD_CLRSPI_SR: message(s, v & 0x3ff, false); return true;
    default: break;
    }
    if (is_private(offset)) {
        return true;
    }
    GicV3Banks b = banks(s);
    if (!gicv3_banks_write(&b, offset, v, mask)) {
        return false;
    }
    gicv3_update(s);
    return true;
}

MemResult gicv3_dist_write(Device *d, uint64_t offset, unsigned bytes, uint64_t value,
                           MemAttrs attrs)
{
    GicV3 *s = (GicV3 *)d;
    unsigned intid = router_intid(s, offset), shift = 8 * (offset & 3);
    bool known = true;

    (void)attrs;
    g_mutex_lock(&s->lock);
    if (intid) {
        s->router[intid] = gicv3_merge(s->router[intid], offset, bytes, value) & IROUTER_WMASK;
        gicv3_route(s, intid);
        gicv3_update(s);
    } else {
        known = bytes <= 4 && write_register(s, align_down(offset, 4), (uint32_t)value << shift,
                                             (uint32_t)mask64(8 * bytes) << shift);
    }
    g_mutex_unlock(&s->lock);
    if (!known) {
        device_guest_error(d, "distributor: write of %u bytes at 0x%x", bytes, (unsigned)offset);
    }
    return MEM_OK;
}
