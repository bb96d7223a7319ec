/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hostile images: headers and tables with random damage. Opening, reading, writing, checking and
 * repairing them may fail, but never crash, and reading never changes the image.
 */
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "block/snapshot.h"
#include "tests/block/images.h"
#include "util/bits.h"

/* An image with data, compressed clusters and snapshots, in few bytes */
static GBytes *make_image(const Qcow2Create *c)
{
    BlockNode *n = image_new(c, NULL);
    Model *m = model_new(c->size_bytes, c->cluster_bytes, 1);
    GBytes *bytes;

    for (unsigned i = 0; i < 60; i++) {
        BlockSnapshot info = {.date_s = 1};
        model_step(m, n);
        if (i % 25 == 20) {
            g_snprintf(info.name, sizeof info.name, "s%u", i);
            g_assert_true(block_snapshot_create(n, &info, NULL));
        }
    }
    bytes = image_bytes(n);
    block_node_close(n, NULL);
    model_free(m);
    return bytes;
}

/* Interesting values at places where something of meaning stands */
static void damage(GRand *rand, uint8_t *data, uint64_t bytes, uint32_t cluster)
{
    static const uint64_t values[] = {0,
                                      1,
                                      0xff,
                                      0x7fffffff,
                                      UINT64_MAX,
                                      1ull << 63,
                                      1ull << 62,
                                      0x200,
                                      0xfffffffffffffe00,
                                      1ull << 40,
                                      0x8000000000010000};
    unsigned count = (unsigned)g_rand_int_range(rand, 1, 6);

    while (count--) {
        uint64_t value = values[g_rand_int_range(rand, 0, G_N_ELEMENTS(values))], at;
        switch (g_rand_int_range(rand, 0, 4)) {
        case 0: at = (uint64_t)g_rand_int_range(rand, 8, 112); break;
        case 1: at = (uint64_t)g_rand_int_range(rand, 112, (int)MIN(cluster, bytes)); break;
        default: at = (uint64_t)g_rand_int_range(rand, 0, (int)(bytes / 8)) * 8; break;
        }
        if (g_rand_boolean(rand)) {
            value = (uint64_t)g_rand_int_range(rand, 0, (int)(bytes / 512)) * 512;
        }
        switch (g_rand_int_range(rand, 0, 3)) {
        case 0: data[at] ^= (uint8_t)(1u << g_rand_int_range(rand, 0, 8)); break;
        case 1:
            if (at + 4 <= bytes) {
                store_be32(data + at, (uint32_t)value);
            }
            break;
        default:
            if (at + 8 <= bytes) {
                store_be64(data + at, value);
            }
        }
    }
}

static void read_all(BlockNode *n)
{
    uint8_t buf[4096];
    Qcow2Bitmap *bitmaps;
    BlockMap m;
    unsigned count;

    for (uint64_t at = 0; at < MIN(n->size_bytes, 1 << 20); at += sizeof buf) {
        block_node_pread(n, at, buf, sizeof buf);
    }
    block_node_pread(n, n->size_bytes / 2, buf, sizeof buf);
    block_chain_map(n, NULL, 0, n->size_bytes ? n->size_bytes : 1, &m, NULL);
    g_free(block_snapshot_list(n, &count));
    if (qcow2_is(n)) {
        bitmaps = qcow2_bitmaps(n, &count, NULL);
        qcow2_bitmaps_free(bitmaps, count);
    }
}

static void try_reading(const uint8_t *data, uint64_t bytes)
{
    Error err = {""};
    BlockNode *n = image_open(data, bytes, false, false, &err);
    BlockCheck check = {0};
    BlockNode *view;

    if (!n) {
        g_assert_cmpstr(err.text, !=, "");
        g_assert_null(strchr(err.text, '\n'));
        return;
    }
    read_all(n);
    view = qcow2_open_snapshot(n, "s20", &err);
    if (view) {
        read_all(view);
        block_node_close(view, NULL);
    }
    qcow2_check(n, 0, &check, &err);
    g_assert_cmpmem(block_memory_data(n->file), bytes, data, bytes);
    block_node_close(n, NULL);
}

static void try_writing(GRand *rand, const uint8_t *data, uint64_t bytes, bool for_check)
{
    Error err = {""};
    BlockNode *n = image_open(data, bytes, true, for_check, &err);
    BlockCheck check = {0};
    BlockSnapshot info = {.name = "new", .date_s = 1};
    uint8_t buf[6000];

    if (!n) {
        return;
    }
    memset(buf, 0x77, sizeof buf);
    for (unsigned i = 0; i < 20 && !for_check; i++) {
        uint64_t most = MIN(n->size_bytes, 1 << 20);
        uint64_t at = most > sizeof buf ? (uint64_t)g_rand_int_range(rand, 0, (int)most) : 0;
        block_node_pwrite(n, at, buf, MIN(sizeof buf, most - at));
        block_node_write_zeroes(n, at, MIN(9000, most - at), true);
        block_node_discard(n, 0, MIN(70000, most));
    }
    block_snapshot_create(n, &info, &err);
    block_snapshot_apply(n, "s20", &err);
    block_snapshot_delete(n, "s20", &err);
    block_node_truncate(n, MIN(n->size_bytes, 1 << 20) + (1 << 20), BLOCK_PREALLOC_OFF, &err);
    qcow2_check(n, BLOCK_REPAIR_LEAKS | BLOCK_REPAIR_ERRORS, &check, &err);
    block_node_close(n, NULL);
}

static void test_hostile(gconstpointer opaque)
{
    const Qcow2Create *c = opaque;
    const char *text = g_getenv("GEMEL_SEED");
    uint32_t seed = text ? (uint32_t)g_ascii_strtoull(text, NULL, 0) : 815;
    unsigned rounds = g_getenv("GEMEL_LONG") ? 20000 : 400;
    GBytes *image = make_image(c);
    gsize bytes;
    const uint8_t *good = g_bytes_get_data(image, &bytes);

    for (unsigned i = 0; i < rounds; i++) {
        GRand *rand = g_rand_new_with_seed(seed + i);
        uint8_t *data = g_memdup2(good, bytes);
        damage(rand, data, bytes, c->cluster_bytes);
        try_reading(data, bytes);
        try_writing(rand, data, bytes, i % 4 == 3);
        g_free(data);
        g_rand_free(rand);
    }
    g_bytes_unref(image);
}

/* Broken in one way each; the message must name it. */
static void test_messages(void)
{
    static const struct {
        unsigned at, bytes;
        uint64_t value;
        const char *say;
    } cases[] = {
        {4, 4, 9, "version 9"},
        {20, 4, 40, "cluster size"},
        {32, 4, 2, "encrypted"},
        {36, 4, ~0u, "L1 table"},
        {40, 8, 0x123, "start of"},
        {56, 4, 0, "refcount table"},
        {60, 4, 99999, "snapshots"},
        {72, 8, 2, "damaged"},
        {72, 8, 4, "external file"},
        {72, 8, 1ull << 50, "bit 50"},
        {96, 4, 7, "64"},
        {100, 4, 5, "header"},
        {104, 1, 9, "compression"},
        {24, 8, ~0ull, "2^63"},
    };
    Qcow2Create c = {.size_bytes = 1 << 20, .cluster_bytes = 4096};
    GBytes *image = make_image(&c);
    gsize bytes;
    const uint8_t *good = g_bytes_get_data(image, &bytes);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint8_t *data = g_memdup2(good, bytes);
        Error err = {""};
        for (unsigned k = 0; k < cases[i].bytes; k++) {
            data[cases[i].at + k] = (uint8_t)(cases[i].value >> 8 * (cases[i].bytes - 1 - k));
        }
        g_assert_null(image_open(data, bytes, true, false, &err));
        if (!strstr(err.text, cases[i].say)) {
            g_error("case %zu: '%s' does not say '%s'", i, err.text, cases[i].say);
        }
        g_free(data);
    }
    g_bytes_unref(image);
}

int main(int argc, char **argv)
{
    static const Qcow2Create small = {.size_bytes = 128 << 10, .cluster_bytes = 512};
    static const Qcow2Create usual = {.size_bytes = 512 << 10, .cluster_bytes = 4096};
    static const Qcow2Create extended = {
        .size_bytes = 512 << 10, .cluster_bytes = 16384, .extended_l2 = true};
    static const Qcow2Create old = {.size_bytes = 256 << 10, .cluster_bytes = 4096, .version = 2};

    g_test_init(&argc, &argv, NULL);
    /* Each damaged image says so on standard error. */
    if (!g_test_verbose() && !g_getenv("GEMEL_STDERR") && !freopen("/dev/null", "w", stderr)) {
        return 1;
    }
    g_test_add_func("/block/hostile/messages", test_messages);
    g_test_add_data_func("/block/hostile/512", &small, test_hostile);
    g_test_add_data_func("/block/hostile/4k", &usual, test_hostile);
    g_test_add_data_func("/block/hostile/extended", &extended, test_hostile);
    g_test_add_data_func("/block/hostile/v2", &old, test_hostile);
    return g_test_run();
}
