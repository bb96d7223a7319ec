/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watchdog of Intel's 6300ESB I/O controller hub.
 *
 * Source: Intel 6300ESB I/O Controller Hub Datasheet (300641), "Watchdog Timer (WDT)". Two stages:
 * when the first runs out, an interrupt may be raised; when the second runs out, the machine is
 * reset. In free-running mode the first stage starts again. Writes to timers and reload register
 * need the unlock sequence 0x80, 0x86 at the reload register before each. Not modelled: the
 * interrupts of the first stage (their type register keeps its value), the WDT_TOUT# pin toggling
 * without a reset other than by the output-enable bit.
 */
#include "core/machine.h"
#include "hw/classes.h"
#include "hw/pci.h"
#include "util/bits.h"

enum {
    CONFIG_WDT = 0x60,
    CONFIG_LOCK = 0x68, /* in configuration space */
    WDT_OUTPUT_OFF = 1 << 5,
    WDT_PRESCALE_1MHZ = 1 << 2,
    WDT_WMASK = 0x27,
    LOCK_LOCKED = 1 << 0,
    LOCK_ENABLE = 1 << 1,
    LOCK_FREE_RUN = 1 << 2,
    RELOAD_RELOAD = 1 << 8,
    RELOAD_TIMEOUT = 1 << 9,
    UNLOCK_FIRST = 0x80,
    UNLOCK_SECOND = 0x86,
    TIMER_WMASK = 0xfffff,
    PCI_CLOCK_HZ = 33000000
};

typedef struct I6300esb {
    PciDevice pci;
    /* state */
    Timer timer;
    uint32_t preload[2]; /* in ticks of the prescaled clock */
    uint8_t stage;       /* 1, 2; 0: stopped */
    uint8_t unlock;      /* how much of the sequence was seen: 0, 1, 2 */
    bool timed_out;      /* survives the reset it causes */
    bool locked;
} I6300esb;

static uint16_t config_wdt(const I6300esb *s)
{
    return load_le16(s->pci.config + CONFIG_WDT);
}

static uint8_t config_lock(const I6300esb *s)
{
    return s->pci.config[CONFIG_LOCK];
}

static void start_stage(I6300esb *s, uint8_t stage)
{
    uint64_t prescale = config_wdt(s) & WDT_PRESCALE_1MHZ ? 1u << 5 : 1u << 15;
    uint64_t ticks = s->preload[stage - 1] ? s->preload[stage - 1] : 1;

    s->stage = stage;
    timer_set(&s->timer, clock_ns(s->pci.dev.machine, CLOCK_VM) +
                             (int64_t)(ticks * prescale * 1000000000 / PCI_CLOCK_HZ));
}

static void stop(I6300esb *s)
{
    s->stage = 0;
    timer_cancel(&s->timer);
}

static void expired(void *opaque)
{
    I6300esb *s = opaque;

    if (s->stage == 1) {
        start_stage(s, config_lock(s) & LOCK_FREE_RUN ? 1 : 2);
        return;
    }
    stop(s);
    if (!(config_wdt(s) & WDT_OUTPUT_OFF)) {
        s->timed_out = true;
        device_guest_error(&s->pci.dev, "the watchdog expired; the machine is reset");
        machine_request_reset(s->pci.dev.machine, CAUSE_GUEST_RESET);
    }
}

/* Was the register unlocked? The sequence counts for one access. */
static bool take_unlock(I6300esb *s)
{
    bool open = s->unlock == 2;

    s->unlock = 0;
    return open;
}

static uint64_t timer_read(Device *d, unsigned index)
{
    return ((I6300esb *)d)->preload[index];
}

static void timer_write(Device *d, unsigned index, uint64_t value)
{
    I6300esb *s = (I6300esb *)d;

    if (take_unlock(s)) {
        s->preload[index] = value & TIMER_WMASK;
    }
}

static uint64_t reload_read(Device *d, unsigned index)
{
    (void)index;
    return ((I6300esb *)d)->timed_out ? RELOAD_TIMEOUT : 0;
}

static void reload_write(Device *d, unsigned index, uint64_t value)
{
    I6300esb *s = (I6300esb *)d;

    (void)index;
    if (value == UNLOCK_FIRST) {
        s->unlock = 1;
    } else if (value == UNLOCK_SECOND && s->unlock == 1) {
        s->unlock = 2;
    } else if (take_unlock(s)) {
        if (value & RELOAD_TIMEOUT) {
            s->timed_out = false;
        }
        if (value & RELOAD_RELOAD && s->stage) {
            start_stage(s, 1);
        }
    }
}

static const RegDesc i6300esb_regs[] = {
    {.offset = 0x00,
     .name = "PRELOAD",
     .access = REG_RW,
     .count = 2,
     .read = timer_read,
     .write = timer_write},
    {.offset = 0x0c,
     .name = "RELOAD",
     .access = REG_RW,
     .bytes = 2,
     .read = reload_read,
     .write = reload_write},
    {0},
};

static const MmioDesc i6300esb_mmio[] = {
    {.name = "wdt", .bytes = 16, .regs = i6300esb_regs, .reg_bytes = 4},
    {0},
};

static const StateDesc i6300esb_state[] = {
    PCI_STATE,
    {STATE_FIELD(STATE_TIMER, I6300esb, timer)},
    {STATE_ARRAY(STATE_U32, I6300esb, preload), .initial = TIMER_WMASK},
    {STATE_FIELD(STATE_U8, I6300esb, stage)},
    {STATE_FIELD(STATE_U8, I6300esb, unlock)},
    {STATE_FIELD(STATE_BOOL, I6300esb, timed_out), .keep = true},
    {STATE_FIELD(STATE_BOOL, I6300esb, locked)},
    {0},
};

static const PropDesc i6300esb_props[] = {PCI_PROPS, {0}};

/* The lock register: enabling starts the first stage; once locked it keeps its value. */
static void config_written(PciDevice *p, unsigned offset, unsigned bytes)
{
    I6300esb *s = (I6300esb *)p;
    bool enable = config_lock(s) & LOCK_ENABLE;

    if (offset > CONFIG_LOCK || offset + bytes <= CONFIG_LOCK) {
        return;
    }
    if (config_lock(s) & LOCK_LOCKED) {
        s->locked = true;
        p->wmask[CONFIG_LOCK] = 0;
    }
    if (enable && s->stage == 0) {
        start_stage(s, 1);
    } else if (!enable) {
        stop(s);
    }
}

static bool i6300esb_realize(PciDevice *p, Error *err)
{
    I6300esb *s = (I6300esb *)p;

    (void)err;
    store_le16(p->wmask + CONFIG_WDT, WDT_WMASK);
    p->wmask[CONFIG_LOCK] = LOCK_LOCKED | LOCK_ENABLE | LOCK_FREE_RUN;
    timer_init(&s->timer, p->dev.machine, CLOCK_VM, expired, s);
    return true;
}

static void i6300esb_unrealize(PciDevice *p)
{
    timer_cancel(&((I6300esb *)p)->timer);
}

static void i6300esb_reset(PciDevice *p, ResetPhase phase)
{
    if (phase == RESET_ENTER) {
        store_le16(p->config + CONFIG_WDT, 0);
        p->config[CONFIG_LOCK] = 0;
        p->wmask[CONFIG_LOCK] = LOCK_LOCKED | LOCK_ENABLE | LOCK_FREE_RUN;
    }
}

static bool i6300esb_validate(PciDevice *p, Error *err)
{
    I6300esb *s = (I6300esb *)p;

    if (s->stage > 2 || s->unlock > 2) {
        return error_set(err, "%s: saved state is out of range", p->dev.id);
    }
    s->preload[0] &= TIMER_WMASK;
    s->preload[1] &= TIMER_WMASK;
    p->wmask[CONFIG_LOCK] = s->locked ? 0 : LOCK_LOCKED | LOCK_ENABLE | LOCK_FREE_RUN;
    return true;
}

static const PciClass i6300esb_pci = {
    .vendor_id = 0x8086,
    .device_id = 0x25ab,
    .class_code = 0x088000,
    .conventional = true,
    .bars = (const PciBarDesc[]){{.bar = 0, .kind = PCI_BAR_MEM32, .mmio = 0}, {0}},
    .realize = i6300esb_realize,
    .unrealize = i6300esb_unrealize,
    .reset = i6300esb_reset,
    .validate = i6300esb_validate,
    .config_written = config_written,
};

const DeviceClass i6300esb_class = {
    .name = "i6300esb",
    .title = "Intel 6300ESB watchdog",
    .category = "misc",
    .bytes = sizeof(I6300esb),
    PCI_DEVICE_HOOKS,
    .mmio = i6300esb_mmio,
    .state = i6300esb_state,
    .props = i6300esb_props,
    .bus_class = &i6300esb_pci,
};
