/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/core/harness.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "core/state.h"
#include "util/bits.h"

enum { RAM_BYTES = 1 << 20, RANDOM_WRITES = 400, MUTATIONS = 64 };

typedef struct Plan {
    HarnessMake *make;
    HarnessSkip skip;
} Plan;

/* The machine's RAM rides in an object of its own, found again by being the last child of system.
 */
typedef struct HarnessRam {
    MemRegion region;
} HarnessRam;

Machine *harness_machine(void)
{
    Error err = {""};
    Machine *m = machine_new("harness", &err);
    HarnessRam *ram = g_new0(HarnessRam, 1);

    g_assert_nonnull(m);
    clock_set_manual(m);
    machine_lock(m);
    g_assert_true(mem_region_init_ram(&ram->region, m, "harness-ram", RAM_BYTES, &err));
    mem_begin(m);
    mem_add(&m->system, 0, &ram->region, -100);
    mem_commit(m);
    machine_set_state(m, RUN_RUNNING);
    return m;
}

void harness_machine_free(Machine *m)
{
    MemRegion *r = m->system.first_child;

    while (r && strcmp(r->name, "harness-ram")) {
        r = r->next_sibling;
    }
    g_assert_nonnull(r);
    while (m->devices) {
        Device *last = m->devices;

        while (last->next) {
            last = last->next;
        }
        device_unrealize(last);
    }
    mem_region_destroy(m, r);
    machine_unlock(m);
    machine_free(m);
    g_free((HarnessRam *)(void *)r);
}

void harness_advance(Machine *m, int64_t ns)
{
    machine_unlock(m);
    clock_advance(m, ns, 100000);
    machine_lock(m);
}

Device *harness_realize(Machine *m, const DeviceClass *cls, ...)
{
    Device *d = device_new(m, cls, NULL);
    Error err = {""};
    const char *key;
    va_list ap;

    va_start(ap, cls);
    while ((key = va_arg(ap, const char *)) != NULL) {
        if (!device_set(d, key, va_arg(ap, const char *), &err)) {
            g_error("%s", err.text);
        }
    }
    va_end(ap);
    if (!device_realize(d, &err)) {
        g_error("%s", err.text);
    }
    device_reset(d, RESET_ENTER);
    device_reset(d, RESET_EXIT);
    return d;
}

GByteArray *harness_save(Device *d)
{
    GByteArray *bytes = g_byte_array_new();
    StateStream s = state_to_memory(bytes);

    g_assert_true(state_save_device(d, &s));
    return bytes;
}

bool harness_load(Device *d, const GByteArray *bytes, Error *err)
{
    StateMemory from = {bytes->data, bytes->len, 0};
    StateStream s = state_from_memory(&from);

    return state_load_device(d, &s, err);
}

/* ---- the tables ---- */

static unsigned bytes_of(const MmioDesc *bank, const RegDesc *r)
{
    return r->bytes ? r->bytes : bank->reg_bytes ? bank->reg_bytes : 4;
}

static uint64_t offset_of(const MmioDesc *bank, const RegDesc *r, unsigned i)
{
    return r->offset + (uint64_t)i * (r->stride ? r->stride : bytes_of(bank, r));
}

static unsigned max_access(const MmioDesc *bank)
{
    return bank->max_bytes ? bank->max_bytes : bank->reg_bytes ? bank->reg_bytes : 8;
}

static bool is_skipped(const Plan *p, const RegDesc *r)
{
    for (HarnessSkip s = p->skip; s && *s; s++) {
        if (!strcmp(*s, r->name)) {
            return true;
        }
    }
    return false;
}

/* Is the register nothing but a field, so that what it holds can be foretold? */
static bool is_plain(const Plan *p, const MmioDesc *bank, const RegDesc *r)
{
    return r->field && !r->read && !r->write && !r->wrote &&
           bytes_of(bank, r) <= max_access(bank) &&
           bytes_of(bank, r) >= (bank->min_bytes ? bank->min_bytes : 1) && !is_skipped(p, r);
}

typedef void EachReg(Device *d, unsigned bank, const RegDesc *r, unsigned i, const Plan *p);

static void each_reg(Device *d, const Plan *p, EachReg *fn)
{
    for (unsigned b = 0; d->cls->mmio && d->cls->mmio[b].name; b++) {
        for (const RegDesc *r = d->cls->mmio[b].regs; r && r->name; r++) {
            for (unsigned i = 0; i < MAX(r->count, 1); i++) {
                fn(d, b, r, i, p);
            }
        }
    }
}

static uint64_t get(Device *d, unsigned b, const RegDesc *r, unsigned i)
{
    const MmioDesc *bank = &d->cls->mmio[b];
    uint64_t v = 0;

    g_assert_cmpint(device_mmio_read(d, b, offset_of(bank, r, i), bytes_of(bank, r), &v), ==,
                    MEM_OK);
    return v;
}

static void put(Device *d, unsigned b, const RegDesc *r, unsigned i, uint64_t v)
{
    const MmioDesc *bank = &d->cls->mmio[b];

    g_assert_cmpint(device_mmio_write(d, b, offset_of(bank, r, i), bytes_of(bank, r), v), ==,
                    MEM_OK);
}

static uint64_t field_mask(const MmioDesc *bank, const RegDesc *r)
{
    return mask64(8 * MIN(r->field_bytes, bytes_of(bank, r)));
}

/* ---- the tests ---- */

static bool is_first_view(const MmioDesc *bank, const RegDesc *r)
{
    for (const RegDesc *o = bank->regs; o != r; o++) {
        if (o->field == r->field) {
            return false;
        }
    }
    return true;
}

static void check_reset(Device *d, unsigned b, const RegDesc *r, unsigned i, const Plan *p)
{
    const MmioDesc *bank = &d->cls->mmio[b];

    if (is_plain(p, bank, r) && r->access != REG_WO && is_first_view(bank, r)) {
        uint64_t want = r->reset & field_mask(bank, r), got = get(d, b, r, i);

        if (got != want) {
            g_error("%s[%u]: 0x%" PRIx64 " after reset, not 0x%" PRIx64, r->name, i, got, want);
        }
    }
}

static void check_access(Device *d, unsigned b, const RegDesc *r, unsigned i, const Plan *p)
{
    const MmioDesc *bank = &d->cls->mmio[b];
    uint64_t mask = (r->wmask ? r->wmask : UINT64_MAX) & field_mask(bank, r);
    uint64_t old, now, want, v = (uint64_t)g_test_rand_int() << 32 | (uint32_t)g_test_rand_int();

    if (!is_plain(p, bank, r) || r->access == REG_WO) {
        return;
    }
    old = get(d, b, r, i);
    put(d, b, r, i, v);
    now = get(d, b, r, i);
    switch ((RegAccess)r->access) {
    case REG_RW: want = (old & ~mask) | (v & mask); break;
    case REG_W1C: want = old & ~(v & mask); break;
    case REG_W1S: want = old | (v & mask); break;
    default: want = old; break;
    }
    if (now != want) {
        g_error("%s[%u]: 0x%" PRIx64 " written over 0x%" PRIx64 " gives 0x%" PRIx64
                ", not 0x%" PRIx64,
                r->name, i, v, old, now, want);
    }
}

static Device *begin(const Plan *p)
{
    Machine *m = harness_machine();
    Device *d = p->make(m);

    g_assert_true(d && d->realized && d->machine == m);
    return d;
}

static void test_reset(gconstpointer data)
{
    Device *d = begin(data);

    device_reset(d, RESET_ENTER);
    device_reset(d, RESET_EXIT);
    each_reg(d, data, check_reset);
    harness_machine_free(d->machine);
}

static void test_access(gconstpointer data)
{
    Device *d = begin(data);

    for (unsigned round = 0; round < 4; round++) {
        each_reg(d, data, check_access);
    }
    device_reset(d, RESET_ENTER);
    device_reset(d, RESET_EXIT);
    each_reg(d, data, check_reset);
    harness_machine_free(d->machine);
}

/* Whatever the guest does is answered. */
static void random_access(Device *d, bool write)
{
    unsigned n = 0, b;
    uint64_t offset, v = (uint64_t)g_test_rand_int() << 32 | (uint32_t)g_test_rand_int();
    unsigned bytes = 1u << g_test_rand_int_range(0, 4);

    while (d->cls->mmio[n].name) {
        n++;
    }
    b = (unsigned)g_test_rand_int_range(0, (gint32)n);
    if (!d->mmio[b].bytes) {
        return; /* this one is not there with these properties */
    }
    offset = (uint32_t)g_test_rand_int() % MIN(d->mmio[b].bytes, 1u << 16);
    if (write) {
        device_mmio_write(d, b, offset, bytes, v);
    } else {
        device_mmio_read(d, b, offset, bytes, &v);
    }
}

static void test_widths(gconstpointer data)
{
    Device *d = begin(data);

    for (unsigned i = 0; d->cls->mmio && i < 8 * RANDOM_WRITES; i++) {
        random_access(d, i & 1);
    }
    harness_machine_free(d->machine);
}

static bool has_reg(const MmioDesc *bank, uint64_t offset)
{
    for (const RegDesc *r = bank->regs; r->name; r++) {
        for (unsigned i = 0; i < MAX(r->count, 1); i++) {
            uint64_t at = offset_of(bank, r, i);

            if (offset >= at && offset < at + bytes_of(bank, r)) {
                return true;
            }
        }
    }
    return false;
}

static void test_unknown(gconstpointer data)
{
    Device *d = begin(data);

    for (unsigned b = 0; d->cls->mmio && d->cls->mmio[b].name; b++) {
        const MmioDesc *bank = &d->cls->mmio[b];
        unsigned bytes = bank->min_bytes ? bank->min_bytes : 1;

        for (uint64_t o = 0; bank->regs && o < MIN(bank->bytes, 0x2000u); o += bytes) {
            uint64_t v = 1;
            bool known = false;

            for (unsigned k = 0; k < bytes; k++) {
                known |= has_reg(bank, o + k);
            }
            if (!known) {
                g_assert_cmpint(device_mmio_read(d, b, o, bytes, &v), ==, MEM_OK);
                g_assert_cmphex(v, ==, 0);
                g_assert_cmpint(device_mmio_write(d, b, o, bytes, UINT64_MAX), ==, MEM_OK);
            }
        }
    }
    harness_machine_free(d->machine);
}

static void scribble(Device *d)
{
    for (unsigned i = 0; d->cls->mmio && i < RANDOM_WRITES; i++) {
        random_access(d, true);
        if (i % 64 == 0) {
            harness_advance(d->machine, 100000);
        }
    }
}

static void compare_pins(Device *a, Device *b)
{
    for (const PinDesc *p = a->cls->pins; p && p->name; p++) {
        for (unsigned i = 0; p->out && i < MAX(p->count, 1); i++) {
            if (device_pin_out(a, p->name, i)->level != device_pin_out(b, p->name, i)->level) {
                g_error("pin %s[%u] is not the same after load", p->name, i);
            }
        }
    }
}

/* Two machines, as in life: one saves, the other loads, their clocks the same. */
static void test_state(gconstpointer data)
{
    const Plan *p = data;
    Device *a = begin(p), *b = begin(p);
    GByteArray *saved, *again;
    Error err = {""};

    scribble(a);
    saved = harness_save(a);
    machine_unlock(b->machine);
    clock_advance(b->machine, clock_ns(a->machine, CLOCK_VM) - clock_ns(b->machine, CLOCK_VM),
                  100000);
    machine_lock(b->machine);
    if (!harness_load(b, saved, &err)) {
        g_error("load: %s", err.text);
    }
    again = harness_save(b);
    if (saved->len != again->len || memcmp(saved->data, again->data, saved->len)) {
        g_error("saved again after load, the state differs");
    }
    compare_pins(a, b);
    g_byte_array_unref(again);
    for (unsigned i = 0; i < MUTATIONS; i++) {
        GByteArray *bad = g_byte_array_new();

        g_byte_array_append(bad, saved->data,
                            i & 1 ? saved->len
                                  : (guint)g_test_rand_int_range(0, (gint32)saved->len));
        if (i & 1) {
            bad->data[g_test_rand_int_range(0, (gint32)bad->len)] ^=
                (uint8_t)(1u << g_test_rand_int_range(0, 8));
        } else {
            g_assert_false(harness_load(b, bad, &err));
        }
        (void)harness_load(b, bad, &err);
        scribble(b);
        g_byte_array_unref(bad);
    }
    g_byte_array_unref(saved);
    harness_machine_free(a->machine);
    harness_machine_free(b->machine);
}

static void test_pins(gconstpointer data)
{
    Device *d = begin(data);

    for (const PinDesc *p = d->cls->pins; p && p->name; p++) {
        for (unsigned i = 0; !p->out && i < MIN(MAX(p->count, 1), 64u); i++) {
            PinIn in = device_pin_in(d, p->name, i);

            in.set(in.opaque, in.n, true);
            in.set(in.opaque, in.n, true);
            in.set(in.opaque, in.n, false);
        }
    }
    harness_machine_free(d->machine);
}

static void add(const char *name, const char *what, const Plan *p, GTestDataFunc fn)
{
    char *path = g_strdup_printf("/%s/harness/%s", name, what);

    g_test_add_data_func(path, p, fn);
    g_free(path);
}

void harness_add(const char *name, HarnessMake *make, HarnessSkip skip)
{
    Plan *p = g_new(Plan, 1); /* lives as long as the test program */

    *p = (Plan){make, skip};
    add(name, "reset", p, test_reset);
    add(name, "access", p, test_access);
    add(name, "widths", p, test_widths);
    add(name, "unknown", p, test_unknown);
    add(name, "state", p, test_state);
    add(name, "pins", p, test_pins);
}
