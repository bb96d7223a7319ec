/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv3 Interrupt Translation Service: registers and the class.
 *
 * Source: IHI 0069, "ITS registers", "The ITS". Physical LPIs; device and collection tables in
 * guest memory, flat or of two levels; 16 bits of DeviceID, EventID and collection; target
 * addresses are processor numbers (GITS_TYPER.PTA is 0). Commands run at once when GITS_CWRITER is
 * written. Not modelled: virtual LPIs, table caching (tables are read at each use), error
 * interrupts.
 */
#include "hw/intc/gicv3/its.h"

#include "core/fdt.h"
#include "hw/arm.h"

enum {
    GITS_CTLR = 0x0000,
    GITS_IIDR = 0x0004,
    GITS_TYPER = 0x0008,
    GITS_CBASER = 0x0080,
    GITS_CWRITER = 0x0088,
    GITS_CREADR = 0x0090,
    GITS_BASER = 0x0100,
    GIC_IDS = 0xffd0,
    GITS_TRANSLATER = 0x10040,
    IIDR_ARM = 0x43b,
    CTLR_ENABLED = 1,
    TYPE_DEVICES = 1,
    TYPE_COLLECTIONS = 4
};
#define CTLR_QUIESCENT (1u << 31)
/* Valid, Indirect, cacheability, address, shareability, page size, size. */
#define BASER_WMASK 0xf8e0ffffffffffffull
#define BASER_INDIRECT (1ull << 62)
#define CBASER_WMASK 0xb8effffffffffcffull
#define QUEUE_OFFSET_MASK 0xfffe0ull

static uint64_t typer(void)
{
    return 1u | (ITS_ITE_BYTES - 1) << 4 | (ITS_EVENT_BITS - 1) << 8 | (ITS_DEVICE_BITS - 1) << 13;
}

/* Fields that are fixed: entry size less one, type. Collections have one level. */
static uint64_t baser_fixed(uint64_t v, unsigned n)
{
    uint64_t type = n == ITS_DEVICES ? TYPE_DEVICES : TYPE_COLLECTIONS;
    uint64_t entry = n == ITS_DEVICES ? ITS_DTE_BYTES : ITS_CTE_BYTES;

    v &= BASER_WMASK & ~(7ull << 56) & ~(0x1full << 48);
    if (n == ITS_COLLECTIONS) {
        v &= ~BASER_INDIRECT;
    }
    return v | type << 56 | (entry - 1) << 48;
}

static uint64_t read_register(Its *s, uint64_t offset, unsigned bytes)
{
    uint64_t at = align_down(offset, 8);

    switch (at) {
    case GITS_CTLR:
        return gicv3_part(s->ctlr | CTLR_QUIESCENT | (uint64_t)IIDR_ARM << 32, offset, bytes);
    case GITS_TYPER: return gicv3_part(typer(), offset, bytes);
    case GITS_CBASER: return gicv3_part(s->cbaser, offset, bytes);
    case GITS_CWRITER: return gicv3_part(s->cwriter, offset, bytes);
    case GITS_CREADR: return gicv3_part(s->creadr, offset, bytes);
    default:
        if (at >= GITS_BASER && at < GITS_BASER + 8 * ITS_N_TABLES) {
            return gicv3_part(s->baser[(at - GITS_BASER) / 8], offset, bytes);
        }
        return offset >= GIC_IDS && offset < 0x10000 ? gicv3_id(offset) : 0;
    }
}

static void write_register(Its *s, uint64_t offset, unsigned bytes, uint64_t value)
{
    uint64_t at = align_down(offset, 8);
    bool enabled = s->ctlr & CTLR_ENABLED;

    if (at == GITS_CTLR) {
        if (offset == GITS_CTLR) {
            s->ctlr = value & CTLR_ENABLED;
            its_run(s);
        }
    } else if (at == GITS_CBASER && !enabled) {
        s->cbaser = gicv3_merge(s->cbaser, offset, bytes, value) & CBASER_WMASK;
        s->creadr = s->cwriter = 0;
    } else if (at == GITS_CWRITER) {
        s->cwriter = gicv3_merge(s->cwriter, offset, bytes, value) & QUEUE_OFFSET_MASK;
        its_run(s);
    } else if (at >= GITS_BASER && at < GITS_BASER + 8 * ITS_N_TABLES && !enabled) {
        unsigned n = (unsigned)(at - GITS_BASER) / 8;
        s->baser[n] = baser_fixed(gicv3_merge(s->baser[n], offset, bytes, value), n);
    } else {
        device_guest_error(&s->dev, "write of %u bytes at 0x%x", bytes, (unsigned)offset);
    }
}

static MemResult its_read(Device *d, uint64_t offset, unsigned bytes, uint64_t *value,
                          MemAttrs attrs)
{
    Its *s = (Its *)d;

    (void)attrs;
    g_mutex_lock(&s->gic->lock);
    *value = read_register(s, offset, bytes);
    g_mutex_unlock(&s->gic->lock);
    return MEM_OK;
}

static MemResult its_write(Device *d, uint64_t offset, unsigned bytes, uint64_t value,
                           MemAttrs attrs)
{
    Its *s = (Its *)d;

    g_mutex_lock(&s->gic->lock);
    if (offset >= GITS_TRANSLATER) {
        if (offset == GITS_TRANSLATER && bytes <= 4 && s->ctlr & CTLR_ENABLED) {
            its_translate(s, attrs.requester, (uint32_t)value);
        }
    } else if (bytes >= 4) {
        write_register(s, offset, bytes, value);
    }
    g_mutex_unlock(&s->gic->lock);
    return MEM_OK;
}

static const MmioDesc its_mmio[] = {{.name = "its",
                                     .bytes = 0x20000,
                                     .min_bytes = 2,
                                     .max_bytes = 8,
                                     .read = its_read,
                                     .write = its_write},
                                    {0}};

static const StateDesc its_state[] = {
    {STATE_FIELD(STATE_U32, Its, ctlr)},    {STATE_FIELD(STATE_U64, Its, cbaser)},
    {STATE_FIELD(STATE_U64, Its, cwriter)}, {STATE_FIELD(STATE_U64, Its, creadr)},
    {STATE_ARRAY(STATE_U64, Its, baser)},   {0}};

static const PropDesc its_props[] = {
    {"gic", PROP_LINK, PROP(Its, gic_device), .help = "the GICv3 it belongs to", .required = true},
    {0}};

static bool its_realize(Device *d, Error *err)
{
    Its *s = (Its *)d;

    if (!s->gic_device || s->gic_device->cls != &gicv3_class) {
        return error_set(err, "%s: gic=%s is no %s", d->id,
                         s->gic_device ? s->gic_device->id : "(none)", gicv3_class.name);
    }
    s->gic = (GicV3 *)s->gic_device;
    return true;
}

static void its_reset(Device *d, ResetPhase phase)
{
    Its *s = (Its *)d;

    for (unsigned n = 0; phase == RESET_ENTER && n < ITS_N_TABLES; n++) {
        s->baser[n] = baser_fixed(0, n);
    }
}

static bool its_validate(Device *d, Error *err)
{
    Its *s = (Its *)d;

    (void)err;
    s->ctlr &= CTLR_ENABLED;
    s->cbaser &= CBASER_WMASK;
    s->cwriter &= QUEUE_OFFSET_MASK;
    s->creadr &= QUEUE_OFFSET_MASK;
    for (unsigned n = 0; n < ITS_N_TABLES; n++) {
        s->baser[n] = baser_fixed(s->baser[n], n);
    }
    return true;
}

static void its_fdt(Device *d, Fdt *fdt)
{
    char parent[32];

    g_snprintf(parent, sizeof parent, "/intc@%llx",
               (unsigned long long)((Its *)d)->gic_device->base[0]);
    fdt_node_unit(fdt, parent, "its", d->base[0]);
    fdt_string(fdt, "compatible", "arm,gic-v3-its");
    fdt_flag(fdt, "msi-controller");
    fdt_u32(fdt, "#msi-cells", 1);
    fdt_cells64(fdt, "reg", (uint64_t[]){d->base[0], d->mmio[0].bytes}, 2);
    fdt_label(fdt, d->id);
}

const DeviceClass gicv3_its_class = {
    .name = "arm-gicv3-its",
    .title = "Arm GICv3 interrupt translation service",
    .category = "misc",
    .bytes = sizeof(Its),
    .bus = BUS_SYSTEM,
    .own_lock = true,
    .internal = true,
    .mmio = its_mmio,
    .state = its_state,
    .props = its_props,
    .realize = its_realize,
    .reset = its_reset,
    .validate = its_validate,
    .fdt = its_fdt,
};
