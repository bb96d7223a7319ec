/* SPDX-License-Identifier: GPL-2.0-or-later */
/* block/: random operations on qcow2 images of many shapes against a flat model; snapshots. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "block/snapshot.h"
#include "tests/block/images.h"

typedef struct Shape {
    const char *name;
    Qcow2Create create;
    unsigned steps;
} Shape;

static const Shape shapes[] = {
    {"64k", {.size_bytes = 4 << 20}, 1500},
    {"512", {.size_bytes = (1 << 20) + 512, .cluster_bytes = 512}, 3000},
    {"v2", {.size_bytes = 1 << 20, .cluster_bytes = 4096, .version = 2}, 2000},
    {"1-bit", {.size_bytes = 1 << 20, .cluster_bytes = 4096, .refcount_bits = 1}, 2000},
    {"2-bit", {.size_bytes = 1 << 20, .cluster_bytes = 512, .refcount_bits = 2}, 2000},
    {"64-bit", {.size_bytes = 2 << 20, .cluster_bytes = 512, .refcount_bits = 64}, 3000},
    {"2M", {.size_bytes = 16 << 20, .cluster_bytes = 2 << 20}, 200},
    {"extended", {.size_bytes = 2 << 20, .cluster_bytes = 16384, .extended_l2 = true}, 3000},
    {"odd", {.size_bytes = (1 << 20) - 1536, .cluster_bytes = 65536, .lazy_refcounts = true}, 800},
    {"prealloc", {.size_bytes = 1 << 20, .cluster_bytes = 4096, .preallocation = 1}, 1500},
    {"prealloc-x",
     {.size_bytes = 1 << 20, .cluster_bytes = 16384, .extended_l2 = true, .preallocation = 1},
     1500},
};

static uint32_t test_seed(void)
{
    static const char *const name = "GEMEL_SEED";
    const char *text = g_getenv(name);
    uint32_t seed = text ? (uint32_t)g_ascii_strtoull(text, NULL, 0) : 20261121;

    g_test_message("%s=%u", name, seed);
    return seed;
}

/* Opens the image's bytes anew and compares: what was written must have got there. */
static BlockNode *reopen(BlockNode *n)
{
    GBytes *bytes = image_bytes(n);
    Error err = {""};
    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);
    BlockNode *again;

    g_assert_true(block_node_close(n, &err));
    again = image_open(data, size, true, false, &err);
    g_assert_cmpstr(err.text, ==, "");
    g_bytes_unref(bytes);
    return again;
}

static void test_random(gconstpointer opaque)
{
    const Shape *s = opaque;
    Qcow2Create c = s->create;
    Model *m = model_new(c.size_bytes, c.cluster_bytes ? c.cluster_bytes : 65536, test_seed());
    BlockNode *n = image_new(&c, NULL);

    for (unsigned i = 0; i < s->steps; i++) {
        model_step(m, n);
        if (i % 500 == 499) {
            n = reopen(n);
            model_compare(m, n);
            image_check(n, true);
        }
    }
    /* Space given back last waits for one more commit. */
    g_assert_cmpint(block_node_flush(n), ==, 0);
    g_assert_cmpint(block_node_flush(n), ==, 0);
    model_compare(m, n);
    image_check(n, false);
    block_node_close(n, NULL);
    model_free(m);
}

/* The same with a backing image below, longer or shorter than the disk. */
static void test_backing(gconstpointer opaque)
{
    const Shape *s = opaque;
    Qcow2Create c = s->create;
    uint32_t unit = c.cluster_bytes ? c.cluster_bytes : 65536;
    Model *m = model_new(c.size_bytes, unit, test_seed());
    uint64_t base_bytes = g_rand_boolean(m->rand) ? c.size_bytes / 2 : c.size_bytes + unit;
    uint8_t *data = g_malloc(base_bytes);
    BlockNodeOptions o = {.format = "raw"};
    BlockNode *n = image_new(&c, NULL);

    for (uint64_t i = 0; i < base_bytes; i++) {
        data[i] = (uint8_t)(i * 7 + (i >> 8));
    }
    memcpy(m->data, data, MIN(base_bytes, c.size_bytes));
    o.protocol = block_memory_new(data, base_bytes);
    n->backing = block_node_open(&o, NULL);
    model_compare(m, n);
    for (unsigned i = 0; i < s->steps / 2; i++) {
        model_step(m, n);
    }
    model_compare(m, n);
    image_check(n, true);
    g_free(data);
    block_node_close(n, NULL);
    model_free(m);
}

/* ---- snapshots: each remembers its model */

enum { KEPT = 4 };

typedef struct Kept {
    char name[32];
    uint8_t *data;
} Kept;

static void snapshot_step(Model *m, BlockNode *n, Kept *kept, unsigned i)
{
    Kept *k = &kept[g_rand_int_range(m->rand, 0, KEPT)];
    Error err = {""};

    if (!k->data) {
        BlockSnapshot info = {.date_s = i + 1};
        g_snprintf(k->name, sizeof k->name, "snap%u", i);
        g_strlcpy(info.name, k->name, sizeof info.name);
        g_assert_true(block_snapshot_create(n, &info, &err));
        k->data = g_memdup2(m->data, m->bytes);
    } else if (g_rand_boolean(m->rand)) {
        g_assert_true(block_snapshot_apply(n, k->name, &err));
        memcpy(m->data, k->data, m->bytes);
        model_compare(m, n);
    } else {
        BlockNode *view = qcow2_open_snapshot(n, k->name, &err);
        uint8_t *buf = g_malloc(m->bytes);
        g_assert_nonnull(view);
        g_assert_cmpint(block_node_pread(view, 0, buf, m->bytes), ==, 0);
        g_assert_true(memcmp(buf, k->data, m->bytes) == 0);
        g_free(buf);
        block_node_close(view, NULL);
        g_assert_true(block_snapshot_delete(n, k->name, &err));
        g_clear_pointer(&k->data, g_free);
    }
    g_assert_cmpstr(err.text, ==, "");
}

static void test_snapshots(gconstpointer opaque)
{
    const Shape *s = opaque;
    Qcow2Create c = s->create;
    Model *m = model_new(c.size_bytes, c.cluster_bytes ? c.cluster_bytes : 65536, test_seed());
    BlockNode *n = image_new(&c, NULL);
    Kept kept[KEPT] = {{"", NULL}};

    for (unsigned i = 0; i < s->steps / 3; i++) {
        model_step(m, n);
        if (i % 20 == 10) {
            snapshot_step(m, n, kept, i);
            image_check(n, true);
        }
        if (i % 200 == 199) {
            n = reopen(n);
            model_compare(m, n);
        }
    }
    for (unsigned i = 0; i < KEPT; i++) {
        if (kept[i].data) {
            g_assert_true(block_snapshot_delete(n, kept[i].name, NULL));
            g_free(kept[i].data);
        }
    }
    g_assert_cmpint(block_node_flush(n), ==, 0);
    g_assert_cmpint(block_node_flush(n), ==, 0);
    model_compare(m, n);
    image_check(n, false);
    block_node_close(n, NULL);
    model_free(m);
}

static void test_state(void)
{
    Qcow2Create c = {.size_bytes = 3 << 20, .cluster_bytes = 4096};
    BlockNode *n = image_new(&c, NULL);
    BlockSnapshot info = {.name = "vm", .vm_clock_ns = 123456789}, found;
    size_t bytes = 3333333;
    uint8_t *state = g_malloc(bytes), *back = g_malloc(bytes), *disk = g_malloc0(c.size_bytes);
    Error err = {""};
    BlockState *s = block_state_create(n, &err);
    unsigned count;
    BlockSnapshot *list;

    for (size_t i = 0; i < bytes; i++) {
        state[i] = (uint8_t)(i * 31 + (i >> 12));
    }
    for (size_t at = 0; at < bytes; at += 12345) {
        g_assert_true(block_state_write(s, state + at, MIN(12345, bytes - at), &err));
    }
    g_assert_true(block_state_commit(s, &info, &err));
    image_check(n, false);
    n = reopen(n);
    g_assert_true(block_snapshot_find(n, "vm", &found));
    g_assert_cmpuint(found.state_bytes, ==, bytes);
    g_assert_cmpuint(found.vm_clock_ns, ==, 123456789);
    list = block_snapshot_list(n, &count);
    g_assert_cmpuint(count, ==, 1);
    g_assert_cmpstr(list[0].id, ==, "1");
    g_free(list);
    s = block_state_open(n, "1", &err);
    g_assert_nonnull(s);
    g_assert_true(block_state_read(s, 0, back, bytes, &err));
    g_assert_true(memcmp(state, back, bytes) == 0);
    g_assert_false(block_state_read(s, bytes, back, 1, &err));
    block_state_close(s);
    g_assert_true(block_snapshot_apply(n, "vm", NULL));
    g_assert_cmpint(block_node_pread(n, 0, back, c.size_bytes), ==, 0);
    g_assert_true(memcmp(disk, back, c.size_bytes) == 0);
    g_assert_null(block_state_open(n, "nosuch", &err));
    g_assert_true(block_snapshot_delete(n, "vm", NULL));
    image_check(n, false);
    block_node_close(n, NULL);
    g_free(state);
    g_free(back);
    g_free(disk);
}

static void test_resize(void)
{
    Qcow2Create c = {.size_bytes = (1 << 20) - 512, .cluster_bytes = 4096};
    BlockNode *n = image_new(&c, NULL);
    uint8_t buf[8192], zero[8192] = {0};
    Error err = {""};

    memset(buf, 0x5a, sizeof buf);
    g_assert_cmpint(block_node_pwrite(n, c.size_bytes - 1024, buf, 1024), ==, 0);
    g_assert_true(block_node_truncate(n, c.size_bytes - 512, BLOCK_PREALLOC_OFF, &err));
    g_assert_true(block_node_truncate(n, 64 << 20, BLOCK_PREALLOC_OFF, &err));
    g_assert_cmpint(block_node_pread(n, c.size_bytes - 512, buf, 4096), ==, 0);
    g_assert_cmpmem(buf, 4096, zero, 4096);
    g_assert_cmpint(block_node_pwrite(n, (64 << 20) - 512, buf, 512), ==, 0);
    g_assert_cmpint(block_node_pwrite(n, (64 << 20) - 511, buf, 512), ==, EIO);
    g_assert_true(block_node_truncate(n, 1ull << 33, BLOCK_PREALLOC_OFF, &err));
    g_assert_true(block_node_truncate(n, 4096, BLOCK_PREALLOC_OFF, &err));
    g_assert_cmpint(block_node_flush(n), ==, 0);
    image_check(n, false);
    block_node_close(n, NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        char *random = g_strdup_printf("/block/random/%s", shapes[i].name);
        char *backing = g_strdup_printf("/block/backing/%s", shapes[i].name);
        char *snapshots = g_strdup_printf("/block/snapshots/%s", shapes[i].name);
        g_test_add_data_func(random, &shapes[i], test_random);
        if (shapes[i].create.preallocation == BLOCK_PREALLOC_OFF) {
            g_test_add_data_func(backing, &shapes[i], test_backing);
        }
        if (shapes[i].create.refcount_bits == 0 || shapes[i].create.refcount_bits > 2) {
            g_test_add_data_func(snapshots, &shapes[i], test_snapshots);
        }
        g_free(random);
        g_free(backing);
        g_free(snapshots);
    }
    g_test_add_func("/block/state", test_state);
    g_test_add_func("/block/resize", test_resize);
    return g_test_run();
}
