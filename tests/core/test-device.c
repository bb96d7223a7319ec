/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device class: registers, properties, pins, life, state, and the whole machine's state. */
#include <string.h>

#include "core/state.h"
#include "tests/core/demo.h"
#include "tests/core/harness.h"

static Device *make_demo(Machine *m)
{
    return harness_realize(m, &demo_class, "label", "x", NULL);
}

static void test_registers(void)
{
    Machine *m = harness_machine();
    Device *d = make_demo(m);
    uint64_t v = 0;

    g_assert_cmphex(harness_read32(d, DEMO_ID), ==, 0xde300001);
    harness_write32(d, DEMO_ID, 0);
    harness_write32(d, DEMO_CTRL, 0xfffffffe);
    g_assert_cmphex(harness_read32(d, DEMO_CTRL), ==, 0xfe); /* wmask */
    harness_write32(d, DEMO_SET, 0x11);
    g_assert_cmphex(harness_read32(d, DEMO_SET), ==, 0x13);
    harness_write32(d, DEMO_CLR, 0x2);
    g_assert_cmphex(harness_read32(d, DEMO_SET), ==, 0x11);
    harness_write32(d, DEMO_SECRET, 0x77);
    g_assert_cmphex(harness_read32(d, DEMO_SECRET), ==, 0);
    g_assert_cmphex(((Demo *)d)->secret, ==, 0x77);
    /* Narrow and wide accesses. */
    device_mmio_write(d, 0, DEMO_WIDE + 2, 2, 0xabcd);
    device_mmio_read(d, 0, DEMO_WIDE, 8, &v);
    g_assert_cmphex(v, ==, 0x11223344abcd7788);
    device_mmio_read(d, 0, DEMO_WIDE + 4, 4, &v);
    g_assert_cmphex(v, ==, 0x11223344);
    device_mmio_write(d, 0, DEMO_BYTES, 4, 0x04030201); /* four registers at once */
    g_assert_cmpmem(((Demo *)d)->bytes, 4, "\1\2\3\4", 4);
    device_mmio_read(d, 0, DEMO_BYTES + 1, 1, &v);
    g_assert_cmphex(v, ==, 2);
    harness_write32(d, DEMO_CHAN + 8, 9); /* stride 8: the second */
    g_assert_cmphex(((Demo *)d)->chan[1], ==, 9);
    harness_write32(d, DEMO_CHAN + 12, 9); /* the gap */
    g_assert_cmphex(d->guest_errors, ==, 1);
    g_assert_cmpint(device_mmio_read(d, 0, 2, 4, &v), ==, MEM_ERROR); /* unaligned */
    harness_write32(d, DEMO_FIFO, 'a');
    harness_write32(d, DEMO_FIFO, 'b');
    g_assert_cmphex(harness_read32(d, DEMO_FIFO), ==, 'a');
    g_assert_cmphex(harness_read32(d, DEMO_FIFO), ==, 'b');
    harness_machine_free(m);
}

static void sink(void *opaque, unsigned n, bool level)
{
    int *log = opaque;

    *log = (int)(n * 10 + level);
}

static void test_pins_and_timer(void)
{
    Machine *m = harness_machine();
    Device *d = make_demo(m);
    int log = 0;

    device_connect(d, "irq", 0, (PinIn){sink, &log, 3});
    harness_write32(d, DEMO_SET, 1);
    harness_write32(d, DEMO_CTRL, 1); /* a tick in 100 us */
    harness_advance(m, 99999);
    g_assert_cmpint(log, ==, 0);
    harness_advance(m, 1);
    g_assert_cmpint(log, ==, 31);
    harness_write32(d, DEMO_STATUS, 1);
    g_assert_cmpint(log, ==, 30);
    PinIn in = device_pin_in(d, "in", 1);
    in.set(in.opaque, in.n, true);
    g_assert_cmpint(log, ==, 31);
    device_reset(d, RESET_ENTER);
    device_reset(d, RESET_EXIT);
    g_assert_cmpint(log, ==, 31); /* `in` is kept: the wire is still high */
    harness_machine_free(m);
}

static void test_properties(void)
{
    Machine *m = harness_machine();
    Device *d = device_new(m, &demo_class, "one"), *other;
    Demo *x = (Demo *)d;
    Error err = {""};

    g_assert_cmpuint(x->period_us, ==, 100);
    g_assert_cmpuint(x->room, ==, 65536);
    g_assert_true(device_set(d, "period_us", "0x20", &err));
    g_assert_true(device_set(d, "fast", "on", &err));
    g_assert_true(device_set(d, "mode", "turbo", &err));
    g_assert_true(device_set(d, "room", "2M", &err));
    g_assert_true(device_set(d, "mac", "52:54:00:aa:bb:cc", &err));
    g_assert_true(x->period_us == 32 && x->fast && x->mode == 2 && x->room == 2 << 20);
    g_assert_cmpmem(x->mac, 6, "\x52\x54\0\xaa\xbb\xcc", 6);
#define REFUSED(key, value, part)                                                                  \
    g_assert_false(device_set(d, key, value, &err));                                               \
    g_assert_nonnull(strstr(err.text, part))
    REFUSED("perod_us", "1", "did you mean 'period_us'");
    REFUSED("zzz", "1", "-device demo,help");
    REFUSED("period_us", "4294967296", "below 2^32");
    REFUSED("period_us", "12x", "number");
    REFUSED("fast", "maybe", "on or off");
    REFUSED("mode", "turbp", "did you mean 'turbo'");
    REFUSED("room", "many", "size");
    REFUSED("mac", "52:54:00", "MAC");
    REFUSED("mac", "53:54:00:aa:bb:cc", "unicast");
    REFUSED("chardev", "none", "no -chardev has id 'none'");
    REFUSED("buddy", "two", "no device has id 'two'");
#undef REFUSED
    g_assert_true(device_realize(d, &err));
    other = device_new(m, &demo_class, "one");
    g_assert_false(device_realize(other, &err));
    g_assert_nonnull(strstr(err.text, "taken"));
    device_unrealize(other);
    other = device_new(m, &demo_class, NULL);
    g_assert_cmpstr(other->id, ==, "demo.0");
    g_assert_true(device_set(other, "buddy", "one", &err));
    g_assert_true(device_set(other, "period_us", "2000000", &err));
    g_assert_false(device_realize(other, &err)); /* the class itself refuses */
    g_assert_nonnull(strstr(err.text, "-device demo: property period_us"));
    device_unrealize(other);
    other = device_new(m, &demo_class, NULL);
    g_assert_true(device_realize(other, &err));
    g_assert_cmpmem(((Demo *)other)->mac, 6, "\x52\x54\0\x12\x34\x57", 6);
    harness_machine_free(m);
}

static void test_hotplug(void)
{
    Machine *m = harness_machine();
    Device *d;
    uint32_t w;

    machine_reset(m, CAUSE_NONE);
    d = device_new(m, &demo_class, NULL);
    g_assert_true(device_realize(d, NULL));
    g_assert_cmpuint(((Demo *)d)->resets, ==, 1);
    device_map(d, 0, 0x10000000);
    g_assert_cmpint(mem_load_le32(m->as, 0x10000000, &w, (MemAttrs){0}), ==, MEM_OK);
    g_assert_cmphex(w, ==, 0xde300001);
    g_assert_cmpint(mem_load_le32(m->as, 0x10000000, &w, MEM_ATTRS_DEBUG), ==, MEM_OK);
    g_assert_cmphex(w, ==, 0); /* its function is not called */
    harness_write32(d, DEMO_CTRL, 1);
    device_unrealize(d); /* with its timer running */
    harness_advance(m, 1000000);
    g_assert_cmpint(mem_load_le32(m->as, 0x10000000, &w, (MemAttrs){0}), ==, MEM_NOTHING);
    harness_machine_free(m);
}

static void test_state_errors(void)
{
    Machine *m = harness_machine();
    Device *d = make_demo(m);
    GByteArray *good, *bad = g_byte_array_new();
    Error err = {""};
    guint8 *at;

    harness_write32(d, DEMO_WIDE, 0x5a5a5a5a);
    good = harness_save(d);
    g_byte_array_append(bad, good->data, good->len);
    at = memmem(bad->data, bad->len, "fifo_len", 8);
    at[8 + 1 + 4] = 200; /* elem u8, count u32, value */
    g_assert_false(harness_load(d, bad, &err));
    g_assert_nonnull(strstr(err.text, "fifo_len 200 is too large")); /* validate */
    g_assert_cmphex(harness_read32(d, DEMO_WIDE), ==, 0x55667788);   /* reset, not half */
    at[0] = 'g';
    g_assert_false(harness_load(d, bad, &err));
    g_assert_nonnull(strstr(err.text, "'gifo_len' is unknown"));
    bad->data[0] =
        1; /* from version 1: unknown fields were dropped since, known ones must be there */
    g_assert_false(harness_load(d, bad, &err));
    g_assert_nonnull(strstr(err.text, "'fifo_len' is missing"));
    bad->data[0] = 3;
    g_assert_false(harness_load(d, bad, &err));
    g_assert_nonnull(strstr(err.text, "version 3"));
    g_assert_true(harness_load(d, good, &err));
    g_assert_cmphex(harness_read32(d, DEMO_WIDE), ==, 0x5a5a5a5a);
    g_byte_array_unref(good);
    g_byte_array_unref(bad);
    harness_machine_free(m);
}

/* ---- the whole machine ---- */

static bool note_save(void *opaque, StateStream *s)
{
    return state_put_u32(s, *(uint32_t *)opaque);
}

static bool note_load(void *opaque, StateStream *s, uint32_t version, Error *err)
{
    return (version == 1 && state_get_u32(s, opaque)) || error_set(err, "no note");
}

static bool load_all(Machine *m, GByteArray *b, guint len, bool verify, Error *err)
{
    StateMemory from = {b->data, len, 0};
    StateStream s = state_from_memory(&from);

    return verify ? state_verify_machine(m, &s, err) : state_load_machine(m, &s, err);
}

static void test_machine_state(void)
{
    Machine *m = harness_machine();
    Device *d = make_demo(m);
    uint32_t note = 42;
    StateSection section = {
        .name = "note", .version = 1, .save = note_save, .load = note_load, .opaque = &note};
    GByteArray *b = g_byte_array_new();
    StateStream s = state_to_memory(b);
    Error err = {""};

    m->type = "test/none";
    state_section_add(m, &section);
    harness_advance(m, 5000);
    harness_write32(d, DEMO_CTRL, 0x11);
    g_assert_true(state_save_machine(m, &s, &err));
    note = 0;
    harness_write32(d, DEMO_CTRL, 0);
    machine_set_state(m, RUN_PAUSED);
    g_assert_true(load_all(m, b, b->len, true, &err));
    g_assert_cmpuint(note, ==, 0);
    g_assert_true(load_all(m, b, b->len, false, &err));
    g_assert_cmpuint(note, ==, 42);
    g_assert_cmphex(harness_read32(d, DEMO_CTRL), ==, 0x11);
    for (guint i = 0; i < b->len; i++) { /* no flipped bit gets past the checksums */
        b->data[i] ^= 0x10;
        g_assert_false(load_all(m, b, b->len, true, &err));
        b->data[i] ^= 0x10;
        g_assert_false(load_all(m, b, i, true, &err)); /* nor does half a stream */
    }
    m->type = "test/other";
    g_assert_false(load_all(m, b, b->len, true, &err));
    g_assert_nonnull(strstr(err.text, "'test/none'"));
    m->type = "test/none";
    state_section_remove(m, &section);
    g_assert_false(load_all(m, b, b->len, false, &err));
    g_assert_nonnull(strstr(err.text, "'note'"));
    g_assert_nonnull(strstr(err.text, "reset"));
    g_assert_cmpint(m->state, ==, RUN_ERROR);
    device_unrealize(d);
    g_assert_false(load_all(m, b, b->len, true, &err));
    g_byte_array_unref(b);
    harness_machine_free(m);
}

static void count_line(void *opaque, const char *line)
{
    (void)line;
    ++*(unsigned *)opaque;
}

static void test_print(void)
{
    Machine *m = harness_machine();
    unsigned lines = 0;

    device_print(make_demo(m), count_line, &lines);
    g_assert_cmpuint(lines, >=, 15);
    harness_machine_free(m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    harness_add("demo", make_demo, NULL);
    g_test_add_func("/demo/registers", test_registers);
    g_test_add_func("/demo/pins-and-timer", test_pins_and_timer);
    g_test_add_func("/demo/properties", test_properties);
    g_test_add_func("/demo/hotplug", test_hotplug);
    g_test_add_func("/demo/state-errors", test_state_errors);
    g_test_add_func("/demo/machine-state", test_machine_state);
    g_test_add_func("/demo/print", test_print);
    return g_test_run();
}
