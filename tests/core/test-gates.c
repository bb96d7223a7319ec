/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fan-in and fan-out of pins. */
#include "hw/gates.h"
#include "tests/core/harness.h"

static Device *make_or(Machine *m)
{
    return harness_realize(m, &or_irq_class, NULL);
}

static Device *make_split(Machine *m)
{
    return harness_realize(m, &split_irq_class, NULL);
}

static void note(void *opaque, unsigned n, bool level)
{
    uint64_t *levels = opaque;
    uint64_t bit = (uint64_t)1 << n;

    g_assert_true(!(*levels & bit) == level); /* changes only */
    *levels ^= bit;
}

static void drive(Device *d, unsigned n, bool level)
{
    PinIn in = device_pin_in(d, "in", n);

    in.set(in.opaque, in.n, level);
}

static void test_or(void)
{
    Machine *m = harness_machine();
    Device *d = make_or(m);
    uint64_t out = 0;

    device_connect(d, "out", 0, (PinIn){note, &out, 0});
    drive(d, 0, true);
    drive(d, 63, true);
    g_assert_cmpuint(out, ==, 1);
    drive(d, 0, false);
    g_assert_cmpuint(out, ==, 1);
    device_reset(d, RESET_ENTER);
    device_reset(d, RESET_EXIT);
    g_assert_cmpuint(out, ==, 1); /* somebody still drives it */
    drive(d, 63, false);
    g_assert_cmpuint(out, ==, 0);
    harness_machine_free(m);
}

static void test_split(void)
{
    Machine *m = harness_machine();
    Device *d = make_split(m);
    uint64_t out = 0;

    for (unsigned i = 0; i < 64; i += 21) {
        device_connect(d, "out", i, (PinIn){note, &out, i});
    }
    drive(d, 0, true);
    g_assert_cmphex(out, ==, 0x8000040000200001);
    drive(d, 0, false);
    g_assert_cmphex(out, ==, 0);
    harness_machine_free(m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    harness_add("or-irq", make_or, NULL);
    harness_add("split-irq", make_split, NULL);
    g_test_add_func("/or-irq/levels", test_or);
    g_test_add_func("/split-irq/levels", test_split);
    return g_test_run();
}
