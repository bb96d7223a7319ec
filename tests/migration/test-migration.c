/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Saved machines: what is saved comes back; what is damaged or foreign is refused with a reason and
 * leaves the machine as it was. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "core/state.h"
#include "migration/migration.h"
#include "tests/core/demo.h"
#include "tests/core/harness.h"

enum { BIG_BYTES = 3 << 20 };

typedef struct Rig {
    Machine *m;
    Device *d;
    Migration *g;
    MemRegion big;
    unsigned starts, stops;
} Rig;

static Rig *rig_new(uint64_t big_bytes)
{
    Rig *r = g_new0(Rig, 1);
    Error err = {""};

    r->m = harness_machine();
    r->m->type = "test/none";
    r->d = harness_realize(r->m, &demo_class, NULL);
    g_assert_true(mem_region_init_ram(&r->big, r->m, "big", big_bytes, &err));
    mem_begin(r->m);
    mem_add(&r->m->system, 0x40000000, &r->big, 0);
    mem_commit(r->m);
    r->g = migration_init(r->m);
    machine_unlock(r->m);
    return r;
}

static void rig_free(Rig *r)
{
    machine_lock(r->m);
    migration_free(r->g);
    mem_region_destroy(r->m, &r->big);
    harness_machine_free(r->m);
    g_free(r);
}

static void fill(Rig *r, uint8_t seed)
{
    GRand *rand = g_rand_new_with_seed(seed);

    for (unsigned i = 0; i < 300 << 10; i += 4) { /* cannot be packed */
        guint32 v = g_rand_int(rand);

        memcpy(r->big.ram->host + i, &v, 4);
    }
    memset(r->big.ram->host + (1 << 20), seed, 1 << 20); /* can */
    memset(r->big.ram->host + (2 << 20), 0, 1 << 20);    /* nothing */
    g_rand_free(rand);
}

static char *temp_path(void)
{
    return g_strdup_printf("%s/gemel-state-%d", g_get_tmp_dir(), (int)getpid());
}

static void test_file(void)
{
    Rig *a = rig_new(BIG_BYTES), *b = rig_new(BIG_BYTES);
    char *path = temp_path();
    uint8_t *want = g_malloc(BIG_BYTES);
    Error err = {""};

    fill(a, 1);
    fill(b, 2);
    memcpy(want, a->big.ram->host, BIG_BYTES);
    machine_lock(a->m);
    harness_write32(a->d, DEMO_WIDE, 0xfeedbeef);
    machine_unlock(a->m);
    if (!migration_save_file(a->g, path, &err)) {
        g_error("%s", err.text);
    }
    g_assert_cmpint(a->m->state, ==, RUN_RUNNING);
    b->big.ram->code[0] = 1; /* code made of it must go: ram_written() is called */
    if (!migration_load_file(b->g, path, &err)) {
        g_error("%s", err.text);
    }
    g_assert_cmpint(b->m->state, ==, RUN_RUNNING);
    g_assert_cmpint(memcmp(b->big.ram->host, want, BIG_BYTES), ==, 0);
    machine_lock(b->m);
    g_assert_cmphex(harness_read32(b->d, DEMO_WIDE), ==, 0xfeedbeef);
    machine_unlock(b->m);
    g_assert_false(migration_load_file(b->g, "/nonexistent/state", &err));
    g_assert_nonnull(strstr(err.text, "/nonexistent/state"));
    g_assert_false(migration_save_file(b->g, "/nonexistent/state", &err));
    g_unlink(path);
    g_free(path);
    g_free(want);
    rig_free(a);
    rig_free(b);
}

/* ---- damage ---- */

static bool bytes_write(void *opaque, const void *buf, size_t bytes, Error *err)
{
    (void)err;
    g_byte_array_append(opaque, buf, (guint)bytes);
    return true;
}

static bool bytes_read(void *opaque, uint64_t offset, void *buf, size_t bytes, Error *err)
{
    GByteArray *b = opaque;

    if (offset + bytes > b->len) {
        return error_set(err, "beyond the end");
    }
    memcpy(buf, b->data + offset, bytes);
    return true;
}

static bool disk_full(void *opaque, const void *buf, size_t bytes, Error *err)
{
    (void)opaque, (void)buf, (void)bytes;
    return error_set(err, "disk full");
}

static bool count_call(void *opaque, Error *err)
{
    (void)err;
    ++*(unsigned *)opaque;
    return true;
}

static bool refuse(void *opaque, Error *err)
{
    (void)opaque;
    return error_set(err, "no snapshot of the disk");
}

static void test_damage(void)
{
    Rig *a = rig_new(BIG_BYTES), *small = rig_new(BIG_BYTES - 4096);
    GByteArray *b = g_byte_array_new();
    StateSink to = {bytes_write, b}, full = {disk_full, NULL};
    StateSource from = {bytes_read, b, 0};
    unsigned calls = 0;
    Error err = {""};

    fill(a, 3);
    g_assert_true(migration_save(a->g, &to, count_call, &calls, &err));
    g_assert_cmpuint(calls, ==, 1);
    g_assert_cmpuint(b->len, <, 1 << 20); /* zero and packed pieces cost nearly nothing */
    from.bytes = b->len;
    fill(a, 4);
    calls = 0;
    for (unsigned i = 0; i < 60; i++) {
        guint at = (guint)g_test_rand_int_range(0, (gint32)b->len);

        b->data[at] ^= 0x40;
        g_assert_false(migration_load(a->g, &from, count_call, &calls, &err));
        b->data[at] ^= 0x40;
        from.bytes = at;
        g_assert_false(migration_load(a->g, &from, count_call, &calls, &err));
        from.bytes = b->len;
        g_assert_cmpint(a->m->state, ==, RUN_RUNNING);
        g_assert_cmphex(a->big.ram->host[1 << 20], ==, 4); /* untouched */
    }
    g_assert_cmpuint(calls, ==, 0);
    g_assert_false(migration_load(small->g, &from, NULL, NULL, &err));
    g_assert_nonnull(strstr(err.text, "same -m"));
    small->m->type = "virt/aarch64";
    g_assert_false(migration_load(small->g, &from, NULL, NULL, &err));
    g_assert_nonnull(strstr(err.text, "virt/aarch64"));
    g_assert_false(migration_load(a->g, &from, refuse, NULL, &err));
    g_assert_cmpstr(err.text, ==, "no snapshot of the disk");
    g_assert_cmphex(a->big.ram->host[1 << 20], ==, 4);
    g_assert_true(migration_load(a->g, &from, count_call, &calls, &err));
    g_assert_cmphex(a->big.ram->host[1 << 20], ==, 3);
    g_assert_false(migration_save(a->g, &full, count_call, &calls, &err));
    g_assert_cmpstr(err.text, ==, "disk full");
    g_assert_cmpint(a->m->state, ==, RUN_RUNNING);
    g_byte_array_unref(b);
    rig_free(a);
    rig_free(small);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/migration/file", test_file);
    g_test_add_func("/migration/damage", test_damage);
    return g_test_run();
}
