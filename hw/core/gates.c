/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two small devices that boards put between pins: "or-irq", whose output is high while any input
 * is, and "split-irq", whose outputs all follow its input. They have no registers.
 */
#include "core/device.h"

#include "hw/gates.h"

enum { MAX_LINES = 64 };

/* ---- or-irq ---- */

typedef struct OrGate {
    Device dev; /* must be first */
    PinOut out;
    uint64_t in; /* levels of the inputs, a bit each */
} OrGate;

static void or_sync(Device *d)
{
    OrGate *g = (OrGate *)d;

    pin_set(&g->out, g->in != 0);
}

static void or_set(Device *d, unsigned n, bool level)
{
    OrGate *g = (OrGate *)d;
    uint64_t bit = (uint64_t)1 << n;

    g->in = level ? g->in | bit : g->in & ~bit;
    or_sync(d);
}

/* Reset keeps it: the levels are what others drive. */
static const StateDesc or_state[] = {{STATE_FIELD(STATE_U64, OrGate, in), .keep = true}, {0}};
static const PinDesc or_pins[] = {{"in", .count = MAX_LINES, .set = or_set},
                                  {"out", .out = true, .offset = offsetof(OrGate, out)},
                                  {0}};

const DeviceClass or_irq_class = {
    .name = "or-irq",
    .title = "wired or of interrupt lines",
    .category = "misc",
    .bytes = sizeof(OrGate),
    .internal = true,
    .state = or_state,
    .pins = or_pins,
    .sync = or_sync,
};

/* ---- split-irq ---- */

typedef struct SplitGate {
    Device dev; /* must be first */
    PinOut out[MAX_LINES];
    bool in;
} SplitGate;

static void split_sync(Device *d)
{
    SplitGate *g = (SplitGate *)d;

    for (unsigned i = 0; i < MAX_LINES; i++) {
        pin_set(&g->out[i], g->in);
    }
}

static void split_set(Device *d, unsigned n, bool level)
{
    (void)n;
    ((SplitGate *)d)->in = level;
    split_sync(d);
}

static const StateDesc split_state[] = {{STATE_FIELD(STATE_BOOL, SplitGate, in), .keep = true},
                                        {0}};
static const PinDesc split_pins[] = {
    {"in", .set = split_set},
    {"out", .out = true, .offset = offsetof(SplitGate, out), .count = MAX_LINES},
    {0}};

const DeviceClass split_irq_class = {
    .name = "split-irq",
    .title = "one interrupt line to several",
    .category = "misc",
    .bytes = sizeof(SplitGate),
    .internal = true,
    .state = split_state,
    .pins = split_pins,
    .sync = split_sync,
};
