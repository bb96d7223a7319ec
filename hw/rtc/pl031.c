/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arm PrimeCell real-time clock (PL031).
 *
 * Source: PrimeCell Real Time Clock (PL031) Technical Reference Manual, r1p3, DDI 0224. The counter
 * is the machine's calendar (CLOCK_WALL) in seconds plus the offset that the guest set by RTCLR.
 * Not modelled: the counter before RTCCR enables it (it always runs, as after the first enable).
 */
#include "core/fdt.h"
#include "hw/arm.h"

enum { NS_PER_S = 1000000000 };

typedef struct Pl031 {
    Device dev;
    /* wiring */
    PinOut irq;  /* RTCINTR, level */
    Timer alarm; /* derived: fires when RTCDR reaches RTCMR */
    /* state */
    uint32_t offset_s; /* RTCDR minus the calendar, modulo 2^32; stays over reset */
    uint32_t mr, lr, imsc, ris;
} Pl031;

static uint32_t now_s(Pl031 *s)
{
    return (uint32_t)(clock_ns(s->dev.machine, CLOCK_WALL) / NS_PER_S);
}

static void pl031_sync(Device *d)
{
    Pl031 *s = (Pl031 *)d;
    int64_t wall_ns = clock_ns(d->machine, CLOCK_WALL);
    uint32_t wait_s = s->mr - (now_s(s) + s->offset_s);

    pin_set(&s->irq, (s->ris & s->imsc) != 0);
    if (wait_s == 0) {
        timer_cancel(&s->alarm); /* the match of this second is told when RTCMR or RTCLR change */
    } else {
        timer_set(&s->alarm, (wall_ns / NS_PER_S + wait_s) * NS_PER_S);
    }
}

static void pl031_alarm(void *opaque)
{
    Pl031 *s = opaque;

    if (now_s(s) + s->offset_s == s->mr) {
        s->ris = 1;
    }
    pl031_sync(&s->dev);
}

static uint64_t dr_read(Device *d, unsigned index)
{
    Pl031 *s = (Pl031 *)d;

    (void)index;
    return (uint32_t)(now_s(s) + s->offset_s);
}

static void mr_wrote(Device *d, unsigned index, uint64_t old)
{
    Pl031 *s = (Pl031 *)d;

    (void)index;
    (void)old;
    if (s->mr == (uint32_t)(now_s(s) + s->offset_s)) {
        s->ris = 1;
    }
}

static void lr_wrote(Device *d, unsigned index, uint64_t old)
{
    Pl031 *s = (Pl031 *)d;

    s->offset_s = s->lr - now_s(s);
    mr_wrote(d, index, old);
}

static uint64_t cr_read(Device *d, unsigned index)
{
    (void)d;
    (void)index;
    return 1;
}

static uint64_t mis_read(Device *d, unsigned index)
{
    const Pl031 *s = (Pl031 *)d;

    (void)index;
    return s->ris & s->imsc;
}

static void icr_write(Device *d, unsigned index, uint64_t value)
{
    (void)index;
    ((Pl031 *)d)->ris &= ~(uint32_t)value;
}

static uint64_t id_read(Device *d, unsigned index)
{
    (void)d;
    return primecell_id(0x031, 0, index);
}

static const RegDesc pl031_regs[] = {{0x000, "RTCDR", REG_RO, .read = dr_read},
                                     {0x004, "RTCMR", REG_RW, FIELD(Pl031, mr), .wrote = mr_wrote},
                                     {0x008, "RTCLR", REG_RW, FIELD(Pl031, lr), .wrote = lr_wrote},
                                     {0x00c, "RTCCR", REG_RO, .read = cr_read},
                                     {0x010, "RTCIMSC", REG_RW, FIELD(Pl031, imsc), .wmask = 1},
                                     {0x014, "RTCRIS", REG_RO, FIELD(Pl031, ris)},
                                     {0x018, "RTCMIS", REG_RO, .read = mis_read},
                                     {0x01c, "RTCICR", REG_WO, .write = icr_write},
                                     {0xfe0, "RTCPeriphID", REG_RO, .count = 8, .read = id_read},
                                     {0}};

static const MmioDesc pl031_mmio[] = {
    {.name = "pl031", .bytes = 0x1000, .regs = pl031_regs, .reg_bytes = 4}, {0}};

static const StateDesc pl031_state[] = {{STATE_FIELD(STATE_U32, Pl031, offset_s), .keep = true},
                                        {0}};

static const PinDesc pl031_pins[] = {{"irq", .out = true, .offset = offsetof(Pl031, irq)}, {0}};

static bool pl031_realize(Device *d, Error *err)
{
    Pl031 *s = (Pl031 *)d;

    (void)err;
    timer_init(&s->alarm, d->machine, CLOCK_WALL, pl031_alarm, s);
    return true;
}

static void pl031_unrealize(Device *d)
{
    timer_cancel(&((Pl031 *)d)->alarm);
}

static void pl031_fdt(Device *d, Fdt *fdt)
{
    primecell_fdt(d, fdt, &(PrimecellFdt){"pl031", "arm,pl031\0arm,primecell\0", "apb_pclk\0"});
}

const DeviceClass pl031_class = {
    .name = "pl031",
    .title = "Arm PL031 real-time clock",
    .category = "misc",
    .bytes = sizeof(Pl031),
    .bus = BUS_SYSTEM,
    .internal = true,
    .mmio = pl031_mmio,
    .state = pl031_state,
    .pins = pl031_pins,
    .realize = pl031_realize,
    .unrealize = pl031_unrealize,
    .sync = pl031_sync,
    .fdt = pl031_fdt,
};
