/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Power cuts. Random operations run on an image whose file logs each write and flush. For a cut at
 * any place in the log, the medium holds all that was written before the last flush, and of the
 * rest any part, down to single sectors. Opened again, such an image must be consistent (leaked
 * space aside), and show all that the guest had flushed and not touched since.
 */
#include <glib.h>
#include <string.h>

#include "block/snapshot.h"
#include "tests/block/images.h"

enum { SECTOR = 512 };

/* The disk when a flush of the guest had returned, and what changed later */
typedef struct Mark {
    unsigned at; /* in the log */
    uint8_t *data;
} Mark;

typedef struct Change {
    unsigned from;    /* place in the log when the operation began */
    uint8_t *sectors; /* a byte a sector: touched */
} Change;

typedef struct Cut {
    const char *name;
    Qcow2Create create;
    unsigned steps, cuts;
    bool snapshots;
} Cut;

static const Cut shapes[] = {
    {"4k", {.size_bytes = 256 << 10, .cluster_bytes = 4096}, 150, 150, false},
    {"4k-snapshots", {.size_bytes = 128 << 10, .cluster_bytes = 4096}, 120, 150, true},
    {"512", {.size_bytes = 1 << 20, .cluster_bytes = 512}, 200, 150, false},
    {"512-snapshots", {.size_bytes = 256 << 10, .cluster_bytes = 512}, 120, 150, true},
    {"v2", {.size_bytes = 256 << 10, .cluster_bytes = 4096, .version = 2}, 150, 100, false},
    {"64-bit",
     {.size_bytes = 256 << 10, .cluster_bytes = 512, .refcount_bits = 64},
     200,
     100,
     false},
    {"extended",
     {.size_bytes = 512 << 10, .cluster_bytes = 16384, .extended_l2 = true},
     150,
     100,
     false},
};

typedef struct Run {
    const Cut *shape;
    WriteLog *log;
    Model *m;
    BlockNode *n;
    GArray *marks, *changes;
    uint64_t first_bytes; /* of the file before the log began */
    uint8_t *first;
} Run;

static void snapshot_step(Run *r)
{
    BlockSnapshot info = {.date_s = 1};
    unsigned count;
    BlockSnapshot *list = block_snapshot_list(r->n, &count);

    if (count < 3 && g_rand_boolean(r->m->rand)) {
        g_snprintf(info.name, sizeof info.name, "s%u", g_rand_int(r->m->rand));
        g_assert_true(block_snapshot_create(r->n, &info, NULL));
    } else if (count && g_rand_boolean(r->m->rand)) {
        g_assert_true(block_snapshot_delete(r->n, list[0].id, NULL));
    } else if (count) {
        g_assert_true(block_snapshot_apply(r->n, list[count - 1].id, NULL));
        g_assert_cmpint(block_node_pread(r->n, 0, r->m->data, r->m->bytes), ==, 0);
    }
    g_free(list);
}

static void mark(Run *r)
{
    Mark k = {r->log->entries->len, g_memdup2(r->m->data, r->m->bytes)};

    g_array_append_val(r->marks, k);
}

static void step(Run *r)
{
    uint8_t *before = g_memdup2(r->m->data, r->m->bytes);
    Change c = {r->log->entries->len, g_malloc0(r->m->bytes / SECTOR)};

    if (r->shape->snapshots && g_rand_int_range(r->m->rand, 0, 12) == 0) {
        snapshot_step(r);
    } else {
        model_step(r->m, r->n);
    }
    for (uint64_t i = 0; i < r->m->bytes / SECTOR; i++) {
        c.sectors[i] = memcmp(before + i * SECTOR, r->m->data + i * SECTOR, SECTOR) != 0;
    }
    g_array_append_val(r->changes, c);
    if (g_rand_int_range(r->m->rand, 0, 6) == 0) {
        g_assert_cmpint(block_node_flush(r->n), ==, 0);
        mark(r);
    }
    g_free(before);
}

/* ---- the medium after a cut */

typedef struct Medium {
    uint8_t *data;
    uint64_t bytes;
} Medium;

static void medium_write(Medium *d, const LogEntry *e, uint64_t at, uint64_t bytes)
{
    uint64_t end = e->offset + at + bytes;

    if (end > d->bytes) {
        d->data = g_realloc(d->data, end);
        memset(d->data + d->bytes, 0, end - d->bytes);
        d->bytes = end;
    }
    memcpy(d->data + e->offset + at, e->data + at, bytes);
}

static Medium medium_after(const Run *r, unsigned cut, unsigned kind, GRand *rand)
{
    Medium d = {g_memdup2(r->first, r->first_bytes), r->first_bytes};
    unsigned flushed = 0;

    for (unsigned i = 0; i < cut; i++) {
        if (g_array_index(r->log->entries, LogEntry, i).what == LOG_FLUSH) {
            flushed = i;
        }
    }
    for (unsigned i = 0; i < cut; i++) {
        const LogEntry *e = &g_array_index(r->log->entries, LogEntry, i);
        bool sure = i < flushed || kind == 0;
        if (e->what != LOG_WRITE) {
            continue;
        }
        if (sure || (kind == 1 && g_rand_boolean(rand))) {
            medium_write(&d, e, 0, e->bytes);
        }
        for (uint64_t at = 0, n; !sure && kind == 2 && at < e->bytes; at += n) {
            n = MIN(SECTOR - (e->offset + at) % SECTOR, e->bytes - at);
            if (g_rand_boolean(rand)) {
                medium_write(&d, e, at, n);
            }
        }
    }
    return d;
}

/* What was flushed by the guest and not touched since must be there. */
static void check_data(const Run *r, unsigned cut, BlockNode *n)
{
    const Mark *last = NULL;
    uint8_t *buf;

    for (unsigned i = 0; i < r->marks->len; i++) {
        const Mark *k = &g_array_index(r->marks, Mark, i);
        last = k->at <= cut ? k : last;
    }
    if (!last) {
        return;
    }
    g_assert_cmpuint(n->size_bytes, ==, r->m->bytes);
    buf = g_malloc(r->m->bytes);
    g_assert_cmpint(block_node_pread(n, 0, buf, r->m->bytes), ==, 0);
    for (uint64_t s = 0; s < r->m->bytes / SECTOR; s++) {
        bool touched = false;
        for (unsigned i = r->changes->len; i-- > 0 && !touched;) {
            const Change *c = &g_array_index(r->changes, Change, i);
            if (c->from < last->at) {
                break;
            }
            touched = c->from <= cut && c->sectors[s];
        }
        if (!touched && memcmp(buf + s * SECTOR, last->data + s * SECTOR, SECTOR)) {
            g_error("cut at %u: sector %u lost what was flushed at %u", cut, (unsigned)s, last->at);
        }
    }
    g_free(buf);
}

static void check_cut(const Run *r, unsigned cut, unsigned kind, GRand *rand)
{
    Medium d = medium_after(r, cut, kind, rand);
    Error err = {""};
    BlockNode *n = image_open(d.data, d.bytes, true, false, &err);

    if (!n) {
        g_error("cut at %u: %s", cut, err.text);
    }
    image_check(n, true);
    check_data(r, cut, n);
    block_node_close(n, NULL);
    g_free(d.data);
}

static void run_free(Run *r)
{
    block_node_close(r->n, NULL);
    for (unsigned i = 0; i < r->marks->len; i++) {
        g_free(g_array_index(r->marks, Mark, i).data);
    }
    for (unsigned i = 0; i < r->changes->len; i++) {
        g_free(g_array_index(r->changes, Change, i).sectors);
    }
    g_array_free(r->marks, TRUE);
    g_array_free(r->changes, TRUE);
    write_log_free(r->log);
    model_free(r->m);
    g_free(r->first);
}

static void test_cut(gconstpointer opaque)
{
    const char *text = g_getenv("GEMEL_SEED");
    uint32_t seed = text ? (uint32_t)g_ascii_strtoull(text, NULL, 0) : 4711;
    unsigned rounds = g_getenv("GEMEL_LONG") ? 100 : 2;
    const Cut *shape = opaque;

    for (unsigned round = 0; round < rounds; round++, seed++) {
        Run r = {.shape = shape, .log = write_log_new()};
        GRand *rand = g_rand_new_with_seed(seed);
        GBytes *first;
        g_test_message("GEMEL_SEED=%u", seed);
        r.m = model_new(shape->create.size_bytes, shape->create.cluster_bytes, seed);
        r.n = image_new(&shape->create, r.log);
        first = image_bytes(r.n);
        r.first_bytes = g_bytes_get_size(first);
        r.first = g_memdup2(g_bytes_get_data(first, NULL), r.first_bytes);
        g_bytes_unref(first);
        r.marks = g_array_new(FALSE, FALSE, sizeof(Mark));
        r.changes = g_array_new(FALSE, FALSE, sizeof(Change));
        for (unsigned i = 0; i < shape->steps; i++) {
            step(&r);
        }
        for (unsigned i = 0; i < shape->cuts; i++) {
            unsigned cut = (unsigned)g_rand_int_range(rand, 0, (int)r.log->entries->len + 1);
            check_cut(&r, cut, i % 3, rand);
        }
        g_rand_free(rand);
        run_free(&r);
    }
}

/* Writes that fail (a full host disk): errors to the guest, never a damaged image. */
static void test_failing(void)
{
    for (int after = 0; after < 120; after++) {
        Qcow2Create c = {.size_bytes = 256 << 10, .cluster_bytes = 4096};
        WriteLog *log = write_log_new();
        BlockNode *n = image_new(&c, log);
        GRand *rand = g_rand_new_with_seed((uint32_t)after);
        uint8_t buf[8192];
        memset(buf, after, sizeof buf);
        log->fail_after = after;
        for (unsigned i = 0; i < 80; i++) {
            uint64_t offset = (uint64_t)g_rand_int_range(rand, 0, (256 << 10) - 8192);
            block_node_pwrite(n, offset, buf, (size_t)g_rand_int_range(rand, 1, 8192));
            if (i % 8 == 0) {
                block_node_flush(n);
            }
            if (i == 60) {
                log->fail_after = -1;
            }
        }
        GBytes *bytes = image_bytes(n);
        gsize size;
        const void *data = g_bytes_get_data(bytes, &size);
        BlockNode *again = image_open(data, size, true, false, NULL);
        g_assert_nonnull(again);
        image_check(again, true);
        block_node_close(again, NULL);
        g_bytes_unref(bytes);
        block_node_close(n, NULL);
        write_log_free(log);
        g_rand_free(rand);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        char *name = g_strdup_printf("/block/powercut/%s", shapes[i].name);
        g_test_add_data_func(name, &shapes[i], test_cut);
        g_free(name);
    }
    g_test_add_func("/block/failing-writes", test_failing);
    return g_test_run();
}
