/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine a fuzzed device lives in: RAM, buses, back ends, and where its registers are. */
#ifndef GEMEL_FUZZ_RIG_H
#define GEMEL_FUZZ_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/chardev.h"
#include "core/display.h"
#include "core/input.h"
#include "core/machine.h"
#include "core/net.h"
#include "hw/pci.h"
#include "tests/block/ram_disk.h"

enum { RIG_CPUS = 4, RIG_SLOTS = 4, RIG_MAX_WINDOWS = 64, RIG_RAM_BYTES = 8 << 20,
       RIG_DISK_BYTES = 1 << 20 };
#define RIG_RAM 0x40000000ull

/* A range of guest-physical memory with registers. */
typedef struct RigWindow {
    uint64_t        gpa, bytes;
    const MmioDesc *bank; /* NULL: no table */
} RigWindow;

typedef struct Rng {
    uint64_t state;
} Rng;

typedef struct Rig {
    Machine   *m;
    Rng        rng;
    MemRegion  ram, sink;
    CpuPort    cpus[RIG_CPUS];
    Device    *pcie, *slots[RIG_SLOTS];
    Device    *device;    /* the one that is fuzzed */
    Device    *host;      /* whose registers reach it: itself, or a controller */
    PciDevice *pci;       /* the host, when it is on PCI */
    RamDisk   *disk;
    Chardev    chardev;
    NetPort    net;
    DisplayListener window;
    bool       watching;
    RigWindow  windows[RIG_MAX_WINDOWS];
    unsigned   n_windows;
} Rig;

static inline uint64_t rng_next(Rng *r)
{
    uint64_t x = r->state += 0x9e3779b97f4a7c15;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static inline uint64_t rng_below(Rng *r, uint64_t n)
{
    return n ? rng_next(r) % n : 0;
}

/* One in n. */
static inline bool rng_one_in(Rng *r, unsigned n)
{
    return rng_next(r) % n == 0;
}

/* Machine lock held from new to free. */
void rig_open(Rig *r, uint64_t seed);
/* Creates and realizes a device of the class, with random properties; false: it refused. */
bool rig_plug(Rig *r, const DeviceClass *cls);
/* Finds the device's windows again (BARs move). */
void rig_find_windows(Rig *r);
void rig_close(Rig *r);

/* Frames and bytes from outside. */
void rig_send_frame(Rig *r);
void rig_send_bytes(Rig *r);
/* Keys and pointers; looks at the screen, too. */
void rig_send_input(Rig *r);

#endif
