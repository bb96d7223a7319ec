/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pins: wires that carry a level from an output of one device to an input of another.
 *
 * An output knows its level and its one sink; setting the level it has does nothing. Fan-in (wired
 * or) and fan-out are small devices of their own (hw/core). All under the machine lock unless the
 * sink's class locks for itself.
 */
#ifndef GEMEL_CORE_PIN_H
#define GEMEL_CORE_PIN_H

#include <stdbool.h>
#include <stdint.h>

/* An input: where a level goes. */
typedef struct PinIn {
    void   (*set)(void *opaque, unsigned n, bool level);
    void    *opaque;
    unsigned n;
} PinIn;

/* An output. Zeroed: connected to nothing, low. */
typedef struct PinOut {
    PinIn to;
    bool  level;
} PinOut;

static inline void pin_connect(PinOut *out, PinIn in)
{
    out->to = in;
    if (out->level && in.set) {
        in.set(in.opaque, in.n, true);
    }
}

static inline void pin_set(PinOut *out, bool level)
{
    if (out->level != level) {
        out->level = level;
        if (out->to.set) {
            out->to.set(out->to.opaque, out->to.n, level);
        }
    }
}

/* An edge: high, then low. */
static inline void pin_pulse(PinOut *out)
{
    pin_set(out, true);
    pin_set(out, false);
}

#endif
