/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small device of no manual that uses everything a class can have; for the tests of core/. */
#ifndef GEMEL_TESTS_CORE_DEMO_H
#define GEMEL_TESTS_CORE_DEMO_H

#include <glib.h>

#include "core/chardev.h"
#include "core/device.h"

enum { DEMO_CHANNELS = 4, DEMO_LOG_BYTES = 16 };
enum { DEMO_ID = 0x00, DEMO_CTRL = 0x04, DEMO_STATUS = 0x08, DEMO_SET = 0x0c, DEMO_CLR = 0x10,
       DEMO_COUNT = 0x14, DEMO_WIDE = 0x18, DEMO_FIFO = 0x20, DEMO_SECRET = 0x24,
       DEMO_CHAN = 0x40, DEMO_BYTES = 0x80 };

typedef struct DemoChannel {
    uint32_t length;
    bool     busy;
    Timer    done;
} DemoChannel;

typedef struct Demo {
    Device      dev;
    /* wiring */
    PinOut      irq;
    uint32_t    period_us;
    char       *label;
    bool        fast;
    int         mode;
    uint64_t    room;
    uint8_t     mac[6];
    Chardev    *chardev;
    Device     *buddy;
    /* state */
    uint32_t    ctrl, status, mask, secret, chan[DEMO_CHANNELS];
    uint64_t    wide;
    uint8_t     bytes[4];
    uint8_t     fifo[DEMO_LOG_BYTES];
    uint32_t    fifo_len;
    bool        in;
    DemoChannel channels[2];
    Timer       tick;
    GByteArray *blob;      /* of any length: STATE_CUSTOM */
    unsigned    syncs, resets;
} Demo;

extern const DeviceClass demo_class;

#endif
