/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The generic register test of a device class: what its tables promise is checked by accesses.
 *
 *     static Device *make(Machine *m)     -- device_new, properties, device_realize
 *     {
 *         return harness_realize(m, &pl031_class, "key=value", NULL);
 *     }
 *     int main(int argc, char **argv)
 *     {
 *         g_test_init(&argc, &argv, NULL);
 *         harness_add("pl031", make, NULL);
 *         ... g_test_add_func() for behaviour ...
 *         return g_test_run();
 *     }
 *
 * It adds /pl031/harness/{reset,access,widths,unknown,state,pins}: reset values; read-only bits stay,
 * write-1-to-clear and -set; all widths and alignments are answered or refused, none crashes; offsets
 * without a row read 0; random writes -> save -> load into a second device -> same registers, same
 * output pins, same bytes saved again; truncated and bit-flipped states are refused or loaded, never
 * fatal. Time stands still but for clock_advance() (clock_set_manual()).
 */
#ifndef GEMEL_TESTS_CORE_HARNESS_H
#define GEMEL_TESTS_CORE_HARNESS_H

#include <glib.h>
#include <stdint.h>

#include "core/machine.h"

/* Registers whose writes have effects a generic test cannot predict (self-clearing bits, values that
 * depend on others): names ended by NULL. Their accesses are made, their values not compared. */
typedef const char *const *HarnessSkip;

typedef Device *HarnessMake(Machine *m);

/* Creates, sets key, value, ... up to NULL, realizes; fails the test on an error. */
Device *harness_realize(Machine *m, const DeviceClass *cls, ...) __attribute__((sentinel));

/* Adds the tests. `skip` may be NULL. Each runs in a machine of its own with 1 MiB of RAM at 0; make is
 * called with the machine lock held, and may add other devices (the machine owns them). */
void harness_add(const char *name, HarnessMake *make, HarnessSkip skip);

/* A machine as the tests get it: manual time, 1 MiB of RAM at 0, lock held, running. For behaviour
 * tests. harness_machine_free() takes the lock away and checks that nothing is left. */
Machine *harness_machine(void);
void     harness_machine_free(Machine *m);
/* Time goes by; the lock is held by the caller as always. */
void     harness_advance(Machine *m, int64_t ns);
/* The state as bytes; free with g_byte_array_unref(). */
GByteArray *harness_save(Device *d);
bool        harness_load(Device *d, const GByteArray *bytes, Error *err);

/* One 32-bit access to bank 0, which must be answered. */
static inline uint32_t harness_read32(Device *d, uint64_t offset)
{
    uint64_t v = 0;

    device_mmio_read(d, 0, offset, 4, &v);
    return (uint32_t)v;
}

static inline void harness_write32(Device *d, uint64_t offset, uint32_t v)
{
    device_mmio_write(d, 0, offset, 4, v);
}

#endif
