/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gemel-img bench: requests through the same path that a machine's disk takes, many in flight.
 * Offsets go up by a step and around, as in qemu-img bench; with --random they jump.
 */
#include <stdlib.h>
#include <string.h>

#include "img.h"

enum { OPT_PATTERN = IMG_FIRST_OWN, OPT_FLUSH, OPT_RANDOM, DEPTH_MAX = 1024 };

typedef struct Bench {
    BlockDev *dev;
    GMainLoop *loop;
    GRand *rand; /* NULL: in order */
    uint64_t count, started, done, offset, step, bytes, size, flush_interval;
    bool write;
    int err;
} Bench;

typedef struct Slot {
    BlockReq req;
    struct iovec iov;
    Bench *bench;
} Slot;

static void next_request(Slot *s);

static void request_done(BlockReq *req, int err)
{
    Slot *s = req->opaque;
    Bench *b = s->bench;

    b->err = b->err ? b->err : err;
    if (++b->done == b->count || b->err) {
        g_main_loop_quit(b->loop);
    } else if (b->started < b->count) {
        next_request(s);
    }
}

static void next_request(Slot *s)
{
    Bench *b = s->bench;

    b->started++;
    s->req.iov = &s->iov;
    s->req.iov_count = 1;
    s->req.done = request_done;
    s->req.opaque = s;
    if (b->flush_interval && b->started % b->flush_interval == 0) {
        block_flush(b->dev, &s->req);
        return;
    }
    if (b->rand) {
        b->offset = g_rand_int(b->rand) % (b->size / b->bytes) * b->bytes;
    } else if (b->offset + b->bytes > b->size) {
        b->offset = 0;
    }
    s->req.offset_bytes = b->offset;
    b->offset += b->step;
    if (b->write) {
        block_write(b->dev, &s->req);
    } else {
        block_read(b->dev, &s->req);
    }
}

static int run_bench(Bench *b, unsigned depth, uint8_t pattern, double *seconds)
{
    Slot *slots = g_new0(Slot, depth);
    int64_t start = g_get_monotonic_time();
    unsigned used = (unsigned)MIN(depth, b->count);

    for (unsigned i = 0; i < used; i++) {
        slots[i].bench = b;
        slots[i].iov = (struct iovec){aligned_alloc(4096, (b->bytes + 4095) & ~4095ull), b->bytes};
        memset(slots[i].iov.iov_base, pattern, b->bytes);
        next_request(&slots[i]);
    }
    g_main_loop_run(b->loop);
    *seconds = (double)(g_get_monotonic_time() - start) / 1e6;
    block_drain(b->dev);
    for (unsigned i = 0; i < used; i++) {
        free(slots[i].iov.iov_base);
    }
    g_free(slots);
    return b->err;
}

/* One number of the command line, in a range */
static bool number(const ImgArgs *a, int letter, const char *what, uint64_t least, uint64_t most,
                   uint64_t *value, Error *err)
{
    const char *text = img_opt(a, letter);

    if (text && !img_parse_size(text, what, value, err)) {
        return false;
    }
    return *value >= least && *value <= most
               ? true
               : error_set(err, "%s: must be %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, what,
                           least, most);
}

static bool parse(const ImgArgs *a, Bench *b, uint64_t *depth, uint64_t *pattern, Error *err)
{
    const char *aio = img_opt(a, 'i');

    b->write = img_has(a, 'w');
    b->count = 75000;
    b->bytes = 4096;
    *depth = 64;
    if (aio && strcmp(aio, "io_uring") && strcmp(aio, "threads")) {
        return error_set(err, "bench: -i %s: must be io_uring or threads", aio);
    }
    if (!number(a, 'c', "bench: -c", 1, UINT32_MAX, &b->count, err) ||
        !number(a, 'd', "bench: -d", 1, DEPTH_MAX, depth, err) ||
        !number(a, 's', "bench: -s", 512, 1 << 30, &b->bytes, err) ||
        !number(a, 'o', "bench: -o", 0, INT64_MAX, &b->offset, err) ||
        !number(a, OPT_PATTERN, "bench: --pattern", 0, 255, pattern, err) ||
        !number(a, OPT_FLUSH, "bench: --flush-interval", 0, UINT32_MAX, &b->flush_interval, err)) {
        return false;
    }
    b->step = b->bytes;
    return number(a, 'S', "bench: -S", 512, INT64_MAX, &b->step, err);
}

static int run(const ImgArgs *a)
{
    const char *aio = img_opt(a, 'i');
    BlockOpenOptions o = {.file = img_operand(a, 0),
                          .format = img_opt(a, 'f'),
                          .read_only = !img_has(a, 'w'),
                          .force_share = img_has(a, 'U'),
                          .no_uring = aio && !strcmp(aio, "threads")};
    GMainContext *context = g_main_context_new();
    Bench b = {0};
    uint64_t depth, pattern = 0;
    double seconds = 0;
    Error err = {""};
    int e = 0;

    o.context = context;
    if (!parse(a, &b, &depth, &pattern, &err) ||
        (img_has(a, 't') && !block_parse_cache(img_opt(a, 't'), &o.cache, &err)) ||
        !(b.dev = block_open(&o, &err))) {
        g_main_context_unref(context);
        return img_fail(&err);
    }
    b.size = block_size_bytes(b.dev);
    b.loop = g_main_loop_new(context, FALSE);
    b.rand = img_has(a, OPT_RANDOM) ? g_rand_new_with_seed(1) : NULL;
    if (b.size < b.bytes) {
        error_set(&err, "%s: smaller than one request", o.file);
    } else {
        img_note(a,
                 "Sending %" G_GUINT64_FORMAT " %s requests, %" G_GUINT64_FORMAT
                 " bytes each, %" G_GUINT64_FORMAT " in parallel (%s)\n",
                 b.count, b.write ? "write" : "read", b.bytes, depth, block_dev_aio(b.dev));
        e = run_bench(&b, (unsigned)depth, (uint8_t)pattern, &seconds);
        if (e) {
            error_set(&err, "%s: a request failed: %s", o.file, g_strerror(e));
        }
    }
    block_close(b.dev);
    g_main_loop_unref(b.loop);
    g_main_context_unref(context);
    if (b.rand) {
        g_rand_free(b.rand);
    }
    if (error_is_set(&err)) {
        return img_fail(&err);
    }
    printf("Run completed in %.3f seconds.\n", seconds);
    return 0;
}

static const ImgOption options[] = {
    {'f', NULL, "FORMAT", "the image's format [look]"},
    {'c', NULL, "COUNT", "requests [75000]"},
    {'d', NULL, "DEPTH", "in flight at once [64]"},
    {'s', NULL, "BYTES", "of each [4096]"},
    {'S', NULL, "BYTES", "from one to the next [as -s]"},
    {'o', NULL, "OFFSET", "of the first [0]"},
    {OPT_RANDOM, "random", NULL, "anywhere instead"},
    {'w', NULL, NULL, "write (destroys what is there)"},
    {OPT_PATTERN, "pattern", "BYTE", "what is written [0]"},
    {OPT_FLUSH, "flush-interval", "N", "each N-th request is a flush"},
    {'i', NULL, "AIO", "io_uring or threads [io_uring]"},
    {'t', NULL, "CACHE", "cache mode [writeback]"},
    {0, NULL, NULL, NULL},
};

const ImgVerb img_bench = {
    .name = "bench",
    .operands = "FILE",
    .help = "measures requests as a machine makes them",
    .options = options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
