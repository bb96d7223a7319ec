/* SPDX-License-Identifier: GPL-2.0-or-later */
/* block/block.h: a disk as a device sees it, on real files: many requests in flight, by io_uring
 * and by threads; limits, errors, locks, overlays, media. */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "block/block.h"
#include "block/qcow2.h"
#include "block/snapshot.h"
#include "tests/block/ram_disk.h"

static char *folder;

static char *path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static void make_qcow2(const char *path, uint64_t bytes, const char *backing)
{
    BlockNodeOptions o = {.file = path, .write = true};
    BlockNode *file = block_file_open(&o, true, NULL);
    Qcow2Create c = {.size_bytes = bytes,
                     .cluster_bytes = 65536,
                     .backing = backing,
                     .backing_format = backing ? "raw" : NULL};

    g_assert_nonnull(file);
    g_assert_true(qcow2_create(file, &c, NULL));
    g_assert_true(block_node_close(file, NULL));
}

static void make_raw(const char *path, uint64_t bytes)
{
    BlockNodeOptions o = {.file = path, .write = true};
    BlockNode *file = block_file_open(&o, true, NULL);

    g_assert_nonnull(file);
    g_assert_true(block_node_truncate(file, bytes, BLOCK_PREALLOC_OFF, NULL));
    g_assert_true(block_node_close(file, NULL));
}

/* ---- many requests at once: each slot owns a part of the disk and checks what it reads */

enum { SLOTS = 24, SLOT_BYTES = 256 << 10, ROUNDS = 40 };

typedef struct Slot {
    BlockReq req;
    struct Load *load;
    uint8_t *model, *buf;
    uint64_t start;
    struct iovec iov[3];
    unsigned rounds, at, bytes;
} Slot;

typedef struct Load {
    BlockDev *dev;
    GMainLoop *loop;
    GRand *rand;
    unsigned running;
    Slot slot[SLOTS];
} Load;

static void slot_next(Slot *s);

static void slot_done(BlockReq *req, int err)
{
    Slot *s = req->opaque;

    g_assert_cmpint(err, ==, 0);
    if (req->op == BLOCK_OP_READ) {
        for (unsigned i = 0; i < s->bytes; i++) {
            if (s->buf[i] != s->model[s->at + i]) {
                g_error("slot at 0x%x, round %u: byte 0x%x of 0x%x at 0x%x is %02x, must be %02x",
                        (unsigned)s->start, s->rounds, i, s->bytes, s->at, s->buf[i],
                        s->model[s->at + i]);
            }
        }
    }
    slot_next(s);
}

static void slot_vector(Slot *s)
{
    unsigned a = s->bytes / 3 / 512 * 512, b = s->bytes / 2 / 512 * 512;

    s->iov[0] = (struct iovec){s->buf, a};
    s->iov[1] = (struct iovec){s->buf + a, b - a};
    s->iov[2] = (struct iovec){s->buf + b, s->bytes - b};
    s->req.iov = s->iov;
    s->req.iov_count = 3;
}

static void slot_next(Slot *s)
{
    GRand *rand = s->load->rand;

    if (++s->rounds > ROUNDS) {
        if (--s->load->running == 0 && s->load->loop) {
            g_main_loop_quit(s->load->loop);
        }
        return;
    }
    s->at = (unsigned)g_rand_int_range(rand, 0, SLOT_BYTES / 512) * 512;
    s->bytes = (unsigned)g_rand_int_range(rand, 1, 200) * 512;
    s->bytes = MIN(s->bytes, SLOT_BYTES - s->at);
    slot_vector(s);
    s->req.offset_bytes = s->start + s->at;
    s->req.bytes = s->bytes;
    s->req.done = slot_done;
    s->req.opaque = s;
    s->req.flags = g_rand_boolean(rand) ? BLOCK_REQ_UNMAP : 0;
    switch (g_rand_int_range(rand, 0, 10)) {
    case 0: block_flush(s->load->dev, &s->req); break;
    case 1:
        memset(s->model + s->at, 0, s->bytes);
        block_write_zeroes(s->load->dev, &s->req);
        break;
    case 2:
    case 3:
    case 4:
    case 5:
        for (unsigned i = 0; i < s->bytes; i++) {
            s->model[s->at + i] = s->buf[i] = (uint8_t)(s->rounds * 3 + i + i / 512);
        }
        block_write(s->load->dev, &s->req);
        break;
    default: block_read(s->load->dev, &s->req);
    }
}

static void compare_slots(Load *l)
{
    uint8_t *buf = g_malloc(SLOT_BYTES);

    for (unsigned i = 0; i < SLOTS; i++) {
        Slot *s = &l->slot[i];
        g_assert_cmpint(block_pread(l->dev, s->start, buf, SLOT_BYTES), ==, 0);
        g_assert_true(memcmp(buf, s->model, SLOT_BYTES) == 0);
    }
    g_free(buf);
}

static void run_load(const BlockOpenOptions *options)
{
    Load l = {.rand = g_rand_new_with_seed(3)};
    BlockOpenOptions o = *options;
    GMainContext *context = g_main_context_new();
    Error err = {""};
    uint8_t *first;

    o.context = context;
    l.dev = block_open(&o, &err);
    g_assert_cmpstr(err.text, ==, "");
    g_test_message("%s by %s", o.file, block_dev_aio(l.dev));
    first = g_malloc(SLOTS * SLOT_BYTES);
    g_assert_cmpint(block_pread(l.dev, 0, first, SLOTS * SLOT_BYTES), ==, 0);
    l.loop = g_main_loop_new(context, FALSE);
    l.running = SLOTS;
    for (unsigned i = 0; i < SLOTS; i++) {
        Slot *s = &l.slot[i];
        s->load = &l;
        s->start = (uint64_t)i * SLOT_BYTES;
        s->model = g_memdup2(first + s->start, SLOT_BYTES);
        s->buf = aligned_alloc(4096, SLOT_BYTES);
        slot_next(s);
    }
    g_main_loop_run(l.loop);
    compare_slots(&l);
    /* Again, by draining only */
    g_main_loop_unref(l.loop);
    l.loop = NULL;
    for (unsigned i = 0; i < SLOTS; i++) {
        l.slot[i].rounds = ROUNDS / 2;
        slot_next(&l.slot[i]);
    }
    block_drain(l.dev);
    compare_slots(&l);
    block_close(l.dev);
    for (unsigned i = 0; i < SLOTS; i++) {
        g_free(l.slot[i].model);
        free(l.slot[i].buf);
    }
    g_free(first);
    g_rand_free(l.rand);
    g_main_context_unref(context);
}

typedef struct Way {
    const char *name, *format;
    BlockCache cache;
    bool no_uring, backing;
} Way;

static const Way ways[] = {
    {"raw-uring", "raw", BLOCK_CACHE_WRITEBACK, false, false},
    {"raw-threads", "raw", BLOCK_CACHE_WRITEBACK, true, false},
    {"raw-none", "raw", BLOCK_CACHE_NONE, false, false},
    {"qcow2-uring", "qcow2", BLOCK_CACHE_WRITEBACK, false, false},
    {"qcow2-threads", "qcow2", BLOCK_CACHE_WRITEBACK, true, false},
    {"qcow2-none", "qcow2", BLOCK_CACHE_NONE, false, false},
    {"qcow2-writethrough", "qcow2", BLOCK_CACHE_WRITETHROUGH, false, false},
    {"qcow2-unsafe-backing", "qcow2", BLOCK_CACHE_UNSAFE, false, true},
};

static void test_load(gconstpointer opaque)
{
    const Way *w = opaque;
    char *path = path_of(w->name), *base = path_of("base.raw");
    BlockOpenOptions o = {
        .file = path, .format = w->format, .cache = w->cache, .no_uring = w->no_uring};
    BlockNodeOptions again = {.file = path, .format = w->format, .write = true};
    BlockCheck check = {0};
    BlockNode *n;

    if (w->backing) {
        make_raw(base, SLOTS * SLOT_BYTES / 2 + 12800);
    }
    if (!strcmp(w->format, "raw")) {
        make_raw(path, SLOTS * SLOT_BYTES);
    } else {
        make_qcow2(path, SLOTS * SLOT_BYTES, w->backing ? base : NULL);
    }
    run_load(&o);
    if (!strcmp(w->format, "qcow2")) {
        n = block_node_open(&again, NULL);
        g_assert_true(qcow2_check(n, 0, &check, NULL));
        g_assert_cmpuint(check.corruptions + check.leaks, ==, 0);
        block_node_close(n, NULL);
    }
    g_free(path);
    g_free(base);
}

/* ---- errors and limits */

static void keep_error(BlockReq *req, int err)
{
    *(int *)req->opaque = err;
}

static int one_request(BlockDev *dev, BlockOp op, uint64_t offset, void *buf, size_t bytes)
{
    struct iovec iov = {buf, bytes};
    int err = -1;
    BlockReq req = {.offset_bytes = offset,
                    .bytes = bytes,
                    .iov = &iov,
                    .iov_count = 1,
                    .done = keep_error,
                    .opaque = &err};

    block_start(dev, &req, op);
    block_drain(dev);
    g_assert_cmpint(err, >=, 0);
    return err;
}

static void test_limits(void)
{
    char *path = path_of("limits.raw");
    BlockOpenOptions o = {.file = path, .format = "raw", .id = "d0"};
    uint8_t buf[1024] = {1};
    Error err = {""};
    BlockDev *dev;

    make_raw(path, 1 << 20);
    dev = block_open(&o, &err);
    g_assert_nonnull(dev);
    g_assert_cmpstr(dev->name, ==, "d0");
    g_assert_cmpuint(block_size_bytes(dev), ==, 1 << 20);
    g_assert_cmpint(one_request(dev, BLOCK_OP_WRITE, (1 << 20) - 512, buf, 1024), ==, EIO);
    g_assert_cmpint(one_request(dev, BLOCK_OP_READ, UINT64_MAX - 511, buf, 512), ==, EIO);
    g_assert_cmpint(one_request(dev, BLOCK_OP_WRITE, 0, buf, 512), ==, 0);
    /* Somebody else has it. */
    g_assert_null(block_open(&o, &err));
    g_assert_nonnull(strstr(err.text, "lock"));
    o.read_only = true;
    g_assert_null(block_open(&o, &err));
    o.force_share = true;
    BlockDev *shared = block_open(&o, &err);
    g_assert_nonnull(shared);
    g_assert_cmpint(one_request(shared, BLOCK_OP_WRITE, 0, buf, 512), ==, EROFS);
    g_assert_cmpint(one_request(shared, BLOCK_OP_READ, 0, buf, 512), ==, 0);
    g_assert_cmpint(buf[0], ==, 1);
    block_close(shared);
    block_close(dev);
    o = (BlockOpenOptions){.file = "/nowhere/x.qcow2"};
    g_assert_null(block_open(&o, &err));
    g_assert_nonnull(strstr(err.text, "/nowhere/x.qcow2"));
    o = (BlockOpenOptions){.file = path, .format = "qcwo2"};
    g_assert_null(block_open(&o, &err));
    g_assert_nonnull(strstr(err.text, "'qcow2'"));
    o = (BlockOpenOptions){.file = "nbd://host/x"};
    g_assert_null(block_open(&o, &err));
    g_assert_nonnull(strstr(err.text, "nbd"));
    g_free(path);
}

/* A guest must not turn a disk that was taken for raw into another format. */
static void test_probed(void)
{
    char *path = path_of("probed.raw");
    BlockOpenOptions o = {.file = path};
    uint8_t buf[512] = "QFI\xfb";
    BlockDev *dev;

    make_raw(path, 1 << 20);
    dev = block_open(&o, NULL);
    g_assert_cmpint(one_request(dev, BLOCK_OP_WRITE, 0, buf, 512), ==, EPERM);
    g_assert_cmpint(one_request(dev, BLOCK_OP_WRITE, 512, buf, 512), ==, 0);
    buf[0] = 'x';
    g_assert_cmpint(one_request(dev, BLOCK_OP_WRITE, 0, buf, 512), ==, 0);
    block_close(dev);
    g_free(path);
}

static void test_overlay(void)
{
    char *path = path_of("under.raw"), *text = NULL;
    BlockOpenOptions o = {.file = path, .format = "raw", .snapshot = true};
    uint8_t buf[512], *big = g_malloc0(100000);
    BlockDev *dev;
    gsize bytes;

    make_raw(path, 1 << 20);
    dev = block_open(&o, NULL);
    g_assert_nonnull(dev);
    memset(buf, 7, sizeof buf);
    g_assert_cmpint(one_request(dev, BLOCK_OP_WRITE, 512, buf, 512), ==, 0);
    g_assert_cmpint(one_request(dev, BLOCK_OP_READ, 0, big, 100000 / 512 * 512), ==, 0);
    g_assert_cmpint(big[512], ==, 7);
    g_assert_cmpint(big[1024], ==, 0);
    block_close(dev);
    g_assert_true(g_file_get_contents(path, &text, &bytes, NULL));
    g_assert_cmpint(text[512], ==, 0);
    g_free(text);
    g_free(big);
    g_free(path);
}

static void count_change(BlockNotifier *n, BlockDev *dev)
{
    (void)dev;
    ++*(unsigned *)n->opaque;
}

static void test_media(void)
{
    char *a = path_of("a.qcow2"), *b = path_of("b.qcow2");
    BlockOpenOptions o = {.file = a, .format = "qcow2"};
    unsigned changes = 0;
    BlockNotifier n = {.changed = count_change, .opaque = &changes};
    BlockSnapshot info = {.name = "one"};
    uint8_t buf[512] = {9};
    Error err = {""};
    BlockDev *dev;

    make_qcow2(a, 1 << 20, NULL);
    make_qcow2(b, 2 << 20, NULL);
    dev = block_open(&o, &err);
    block_add_notifier(dev, &n);
    g_assert_true(block_resize(dev, 3 << 20, &err));
    g_assert_cmpuint(block_size_bytes(dev), ==, 3 << 20);
    g_assert_cmpint(one_request(dev, BLOCK_OP_WRITE, 0, buf, 512), ==, 0);
    g_assert_true(block_snapshot_create(block_dev_node(dev), &info, &err));
    o.file = b;
    g_assert_true(block_change_medium(dev, &o, &err));
    g_assert_cmpuint(block_size_bytes(dev), ==, 2 << 20);
    g_assert_true(block_change_medium(dev, NULL, &err));
    g_assert_cmpint(one_request(dev, BLOCK_OP_READ, 0, buf, 512), ==, ENOMEDIUM);
    g_assert_cmpint(one_request(dev, BLOCK_OP_FLUSH, 0, NULL, 0), ==, ENOMEDIUM);
    o.file = a;
    g_assert_true(block_change_medium(dev, &o, &err));
    g_assert_cmpint(one_request(dev, BLOCK_OP_READ, 0, buf, 512), ==, 0);
    g_assert_cmpint(buf[0], ==, 9);
    g_assert_cmpuint(changes, ==, 4);
    block_remove_notifier(dev, &n);
    block_close(dev);
    g_free(a);
    g_free(b);
}

static void test_ram_disk(void)
{
    RamDisk *d = ram_disk_new(4096);
    uint8_t buf[512] = {5};

    g_assert_cmpint(one_request(&d->dev, BLOCK_OP_WRITE, 1024, buf, 512), ==, 0);
    g_assert_cmpint(d->data[1024], ==, 5);
    g_assert_cmpint(one_request(&d->dev, BLOCK_OP_WRITE, 4096, buf, 512), ==, EIO);
    ram_disk_free(d);
}

int main(int argc, char **argv)
{
    int status;
    char *remove;

    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("gemel-disk-XXXXXX", NULL);
    g_assert_nonnull(folder);
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        char *name = g_strdup_printf("/block/disk/%s", ways[i].name);
        g_test_add_data_func(name, &ways[i], test_load);
        g_free(name);
    }
    g_test_add_func("/block/disk/limits", test_limits);
    g_test_add_func("/block/disk/probed", test_probed);
    g_test_add_func("/block/disk/overlay", test_overlay);
    g_test_add_func("/block/disk/media", test_media);
    g_test_add_func("/block/disk/ram", test_ram_disk);
    status = g_test_run();
    remove = g_strdup_printf("rm -rf '%s'", folder);
    if (system(remove)) {
        status = 1;
    }
    g_free(remove);
    g_free(folder);
    return status;
}
