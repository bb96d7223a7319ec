/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device class: what a device is, as one constant table; and the device object.
 *
 * A device is one file: header comment (manual, units, what is not modelled), a struct grouped into
 * wiring and state, its register table, sync() that derives every output (pins, timers) from state,
 * and a constant DeviceClass. It names no accelerator, machine or other device. Save, reset,
 * inspection, tracing and fuzzing come from the tables:
 *   reset    = state to its reset values (RegDesc.reset, StateDesc.initial), class->reset, sync
 *   restore  = state from the stream, class->validate, sync
 *
 * One register access, walked through (guest writes 1 to PL031's RTCIMSC at 0x10): the bus decodes the
 * region; core checks size and alignment, finds the row in the class's table (O(1): an index by offset
 * made at realize), masks the value by .wmask, stores it in the field, calls .wrote (if any), then
 * class->sync(): the interrupt pin follows. An offset without a row reads 0, ignores writes, and is
 * logged, rate-limited (-d guest_errors).
 *
 * Life: device_new() -> properties -> device_realize() (wiring: regions, pins, back ends; may fail) ->
 * reset by the machine -> running -> device_unrealize() -> freed.
 * Threads: every callback with the machine lock held, but for classes with .own_lock.
 */
#ifndef GEMEL_CORE_DEVICE_H
#define GEMEL_CORE_DEVICE_H

#include <stddef.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/pin.h"

typedef struct Device Device;
typedef struct DeviceClass DeviceClass;
typedef struct Fdt Fdt;
typedef struct Aml Aml;

/* ---- registers ---- */

typedef enum RegAccess {
    REG_RW,
    REG_RO,   /* writes ignored */
    REG_WO,   /* reads 0 */
    REG_W1C,  /* writing 1 clears the bit (within wmask) */
    REG_W1S   /* writing 1 sets it */
} RegAccess;

/*
 * A register, or `count` of them `stride` bytes apart. Its value is either in a field of the device
 * struct (FIELD) or made by functions. Accesses narrower than `bytes` read and write part of it.
 */
typedef struct RegDesc {
    uint32_t    offset;      /* in its MMIO bank, bytes */
    const char *name;        /* as the manual spells it; NULL ends the table */
    uint8_t     access;      /* RegAccess */
    uint8_t     bytes;       /* width: 1, 2, 4, 8; 0: MmioDesc.reg_bytes */
    uint16_t    count;       /* 0 is 1 */
    uint16_t    stride;      /* bytes between two of an array; 0 is bytes */
    uint32_t    field;       /* FIELD: offset in the device struct + 1; arrays: of element 0 */
    uint8_t     field_bytes; /* size of the field (element) */
    uint64_t    reset;       /* value after reset (FIELD) */
    uint64_t    wmask;       /* bits a write reaches; 0 stands for all */
    /* index: which of an array. read replaces the field; wrote is told after the field changed; write
     * replaces the store (value merged with the old one for narrow writes). */
    uint64_t  (*read)(Device *d, unsigned index);
    void      (*write)(Device *d, unsigned index, uint64_t value);
    void      (*wrote)(Device *d, unsigned index, uint64_t old);
} RegDesc;
#define FIELD(Type, member) \
    .field = offsetof(Type, member) + 1, .field_bytes = sizeof(((Type *)0)->member)
#define FIELD_ARRAY(Type, member) \
    .field = offsetof(Type, member) + 1, .field_bytes = sizeof(((Type *)0)->member[0]), \
    .count = sizeof(((Type *)0)->member) / sizeof(((Type *)0)->member[0])

/* One MMIO (or port) bank of a class: by a table of registers or, for windows whose layout is computed
 * (a frame buffer's ports, ECAM), by functions. */
typedef struct MmioDesc {
    const char    *name;      /* NULL ends the list */
    uint64_t       bytes;     /* size of the window */
    const RegDesc *regs;
    uint8_t        reg_bytes; /* default width of a register */
    uint8_t        min_bytes, max_bytes; /* widths of accesses taken; 0: 1 and reg_bytes */
    bool           unaligned;
    MemResult    (*read)(Device *d, uint64_t offset, unsigned bytes, uint64_t *value, MemAttrs attrs);
    MemResult    (*write)(Device *d, uint64_t offset, unsigned bytes, uint64_t value, MemAttrs attrs);
} MmioDesc;

/* ---- state: what is saved beside registers in fields is listed here, too ---- */

typedef enum StateKind {
    STATE_U8, STATE_U16, STATE_U32, STATE_U64, STATE_BOOL,
    STATE_BYTES,  /* count bytes */
    STATE_TIMER,  /* a Timer: its deadline */
    STATE_STRUCT, /* `sub` table for each of count elements, size bytes apart */
    STATE_CUSTOM  /* save/load functions: for what has a length of its own */
} StateKind;
typedef struct StateStream StateStream; /* core/state.h */
typedef struct StateDesc {
    const char *name;    /* NULL ends the table; goes into the stream */
    uint8_t     kind;    /* StateKind */
    uint16_t    since;   /* version of the class that introduced it; 0: always there */
    uint32_t    offset, size, count; /* count 0 is 1 */
    uint64_t    initial; /* at reset, and when the stream does not have it */
    bool        keep;    /* reset leaves it alone */
    const struct StateDesc *sub;
    bool      (*save)(Device *d, StateStream *s);
    bool      (*load)(Device *d, StateStream *s, Error *err);
} StateDesc;
#define STATE_FIELD(k, Type, member) \
    .name = #member, .kind = k, .offset = offsetof(Type, member), .size = sizeof(((Type *)0)->member)
#define STATE_ARRAY(k, Type, member) \
    .name = #member, .kind = k, .offset = offsetof(Type, member), \
    .size = sizeof(((Type *)0)->member[0]), \
    .count = sizeof(((Type *)0)->member) / sizeof(((Type *)0)->member[0])

/* ---- properties: -device NAME,key=value and board tables ---- */

typedef enum PropKind {
    PROP_BOOL,    /* bool: on|off|true|false|yes|no */
    PROP_U32, PROP_U64, /* decimal, 0x hex */
    PROP_SIZE,    /* uint64_t: with suffix k, M, G, T */
    PROP_STRING,  /* char *, owned by the device */
    PROP_ENUM,    /* int: index into `names` */
    PROP_BLOCK,   /* struct BlockDev *: id of a -drive/-blockdev */
    PROP_CHARDEV, /* struct Chardev *: id of a -chardev */
    PROP_NETDEV,  /* struct NetPort *: id of a -netdev */
    PROP_AUDIODEV,/* struct AudioPort * */
    PROP_MAC,     /* uint8_t[6]: aa:bb:cc:dd:ee:ff; a free one when not given */
    PROP_LINK     /* Device *: id of another device */
} PropKind;
typedef struct PropDesc {
    const char *name;    /* NULL ends the table */
    uint8_t     kind;    /* PropKind */
    uint32_t    offset;
    const char *initial; /* text, as one would type it; NULL: zero */
    const char *help;    /* one line; shown by -device NAME,help */
    const char *const *names; /* PROP_ENUM */
    bool        required;
} PropDesc;
#define PROP(Type, member) .offset = offsetof(Type, member)

/* ---- pins ---- */

typedef struct PinDesc {
    const char *name;  /* NULL ends the table */
    bool        out;
    uint32_t    offset; /* out: of PinOut (or an array) in the struct */
    unsigned    count;  /* 0 is 1 */
    void      (*set)(Device *d, unsigned n, bool level); /* in */
} PinDesc;

/* ---- the class ---- */

/* What a device is plugged into. Each bus's header extends this table (DeviceClass.bus_class). */
typedef enum BusKind {
    BUS_NONE,   /* abstract or internal */
    BUS_SYSTEM, /* placed by the board at an address, pins to the interrupt controller */
    BUS_PCI,    /* const PciClass *bus_class: hw/pci.h */
    BUS_VIRTIO, /* const VirtioClass *: hw/virtio.h; behind a PCI or MMIO transport */
    BUS_USB,    /* const UsbClass *: hw/usb.h */
    BUS_ISA, BUS_SCSI, BUS_IDE, BUS_I2C
} BusKind;

typedef enum ResetPhase {
    RESET_ENTER, /* own state to reset values; no effect outside */
    RESET_EXIT   /* all devices are reset: sync() outputs; load ROMs */
} ResetPhase;

struct DeviceClass {
    const char      *name;      /* -device NAME */
    const char      *alias;     /* older or shorter name, or NULL */
    const char      *title;     /* one line for -device help */
    const char      *category;  /* "network", "storage", "display", "input", "usb", "bridge", "misc" */
    uint32_t         bytes;     /* sizeof the struct, which begins with Device */
    uint16_t         version;   /* of the state */
    uint8_t          bus;       /* BusKind */
    bool             own_lock;  /* callbacks lock for themselves */
    bool             internal;  /* boards only: not for -device */
    const MmioDesc  *mmio;
    const StateDesc *state;
    const PropDesc  *props;
    const PinDesc   *pins;
    const void      *bus_class;
    bool           (*realize)(Device *d, Error *err);
    void           (*unrealize)(Device *d);
    void           (*reset)(Device *d, ResetPhase phase); /* beside what the tables reset */
    void           (*sync)(Device *d);
    bool           (*validate)(Device *d, Error *err);    /* state from a stream; hostile */
    void           (*quiesce)(Device *d);                 /* before a save: no request in flight */
    /* Board devices describe themselves: nodes below / or /soc, with properties. NULL: no node. */
    void           (*fdt)(Device *d, Fdt *fdt);
    void           (*acpi)(Device *d, Aml *aml);
};

typedef struct RegIndex RegIndex; /* core's: offset to row */

enum { DEVICE_MAX_MMIO = 8 };
struct Device {
    const DeviceClass *cls;
    const char  *id;          /* as typed, or made: "pl011.0"; owned */
    Machine     *machine;
    Device      *bus_owner;   /* PCI bridge, USB hub, virtio transport it sits on; NULL: system */
    MemRegion    mmio[DEVICE_MAX_MMIO];
    RegIndex    *reg_index[DEVICE_MAX_MMIO];
    uint64_t     base[DEVICE_MAX_MMIO]; /* system bus: where the board put it; all ones: nowhere */
    uint32_t     spi[DEVICE_MAX_MMIO];  /* system bus: interrupt numbers of its outputs, for the tree */
    void        *bus_data;    /* the bus's own */
    struct PinBind *pin_binds; /* core's */
    bool         realized;
    uint32_t     in_io;       /* MMIO callbacks of this device running */
    uint64_t     guest_errors; /* accesses to nothing */
    Device      *next;        /* in the machine's list */
};

/* ---- life ---- */

/* Zeroed, with default properties. id NULL: one is made. Machine lock held; before realize nothing
 * is visible to the guest. */
Device *device_new(Machine *m, const DeviceClass *cls, const char *id);
/* key=value as text; false with a reason that names the nearest key or the allowed values. */
bool    device_set(Device *d, const char *key, const char *value, Error *err);
/* false: nothing happened, d is still to be given to device_unrealize(). A machine that was reset
 * once (hotplug) resets the device as well. */
bool    device_realize(Device *d, Error *err);
void    device_unrealize(Device *d); /* also frees; cancels the timers of its state table */
void    device_reset(Device *d, ResetPhase phase);

/* ---- wiring, for boards and buses ---- */

/* Input pin n of `name` as a sink; NULL set when there is none (a bug of the board: asserts). */
PinIn   device_pin_in(Device *d, const char *name, unsigned n);
PinOut *device_pin_out(Device *d, const char *name, unsigned n);
/* Output `name`[n] of d to `sink`. */
void    device_connect(Device *d, const char *name, unsigned n, PinIn sink);
/* Bank `i` at gpa of the machine's system memory. */
void    device_map(Device *d, unsigned i, uint64_t gpa);

/*
 * A device that works on guest memory outside its MMIO callbacks (timers, completions) puts this
 * around it: descriptors that point at the device's own registers then fail with MEM_BUSY instead of
 * entering it again.
 */
static inline void device_busy_begin(Device *d)
{
    d->in_io++;
}

static inline void device_busy_end(Device *d)
{
    d->in_io--;
}

/* ---- for tools: harness, fuzzer, monitor ---- */

/* One access to bank i as the bus would make it. Machine lock held. */
MemResult device_mmio_read(Device *d, unsigned i, uint64_t offset, unsigned bytes, uint64_t *value);
MemResult device_mmio_write(Device *d, unsigned i, uint64_t offset, unsigned bytes, uint64_t value);
/* "key=value ..." of all properties, and registers with values without side effects. */
void device_print(Device *d, void (*print)(void *opaque, const char *line), void *opaque);
/* A guest did something odd: counted and logged, rate-limited, under -d guest_errors. */
void device_guest_error(Device *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
