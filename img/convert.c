/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gemel-img convert: one image from others, in any format.
 *
 * The map of the source decides: what is zero is not read, what the backing file shows (with -B) is
 * left alone. Data are read in pieces and searched for zeroes. With -c or -W several threads work
 * on the pieces (-m), so their order in the target varies; else one after the other.
 */
#include <errno.h>
#include <string.h>

#include "img.h"
#include "util/bits.h"

enum { PIECE_BYTES = 2 << 20, OPT_TARGET_ZERO = IMG_FIRST_OWN, THREADS_MAX = 16, QUEUED_MAX = 64 };

typedef struct Convert {
    const ImgArgs *args;
    BlockNode *sources[64];
    BlockNode *views[64]; /* snapshots of sources; NULL: the source itself */
    unsigned count;
    BlockNode *target;
    BlockNode *base; /* below it nothing is copied; of source 0; NULL: all is */
    uint64_t total;
    uint64_t sparse; /* runs of zeroes from this many bytes on are not stored; 0: all is */
    bool compress, target_is_zero;
    ImgProgress progress;
    /* ---- threads */
    GThreadPool *pool;
    GMutex lock; /* the four below */
    GCond cond;
    GPtrArray *buffers; /* of PIECE_BYTES, at rest: fresh memory costs more than the copy */
    unsigned queued;
    int err;
    uint64_t err_at;
} Convert;

/* A piece of one source */
typedef struct Piece {
    BlockNode *from;
    uint64_t offset, to, bytes;
} Piece;

/* ---- writing */

static int write_zero_run(Convert *c, uint64_t to, uint64_t bytes)
{
    if (c->target_is_zero && c->sparse) {
        return 0;
    }
    if (!c->sparse) {
        uint8_t *zero = g_malloc0(MIN(bytes, PIECE_BYTES));
        int err = 0;
        for (uint64_t n; bytes && !err; bytes -= n, to += n) {
            n = MIN(bytes, PIECE_BYTES);
            err = block_node_pwrite(c->target, to, zero, n);
        }
        g_free(zero);
        return err;
    }
    return block_node_write_zeroes(c->target, to, bytes, true);
}

static int write_compressed(Convert *c, uint64_t to, const uint8_t *buf, uint64_t bytes)
{
    uint32_t cluster = c->target->cluster_bytes;
    int err = 0;

    for (uint64_t at = 0; at < bytes && !err; at += cluster) {
        uint64_t n = MIN(cluster, bytes - at);
        if (block_buf_is_zero(buf + at, n)) {
            err = c->target_is_zero ? 0 : block_node_write_zeroes(c->target, to + at, n, true);
        } else {
            err = block_node_write_compressed(c->target, to + at, buf + at, n);
        }
    }
    return err;
}

/* Alternates between runs of zeroes, in units of `sparse`, and the rest. */
static int write_sparse(Convert *c, uint64_t to, const uint8_t *buf, uint64_t bytes)
{
    uint64_t unit = c->sparse ? c->sparse : bytes;
    int err = 0;

    for (uint64_t at = 0, end; at < bytes && !err; at = end) {
        uint64_t first = MIN(unit - (to + at) % unit, bytes - at);
        bool zero = c->sparse && block_buf_is_zero(buf + at, first);
        for (end = at + first; end < bytes && c->sparse; end += MIN(unit, bytes - end)) {
            if (block_buf_is_zero(buf + end, MIN(unit, bytes - end)) != zero) {
                break;
            }
        }
        end = c->sparse ? end : bytes;
        err = zero ? write_zero_run(c, to + at, end - at)
                   : block_node_pwrite(c->target, to + at, buf + at, end - at);
    }
    return err;
}

static uint8_t *take_buffer(Convert *c)
{
    uint8_t *buf = NULL;

    g_mutex_lock(&c->lock);
    if (c->buffers->len) {
        buf = g_ptr_array_remove_index_fast(c->buffers, c->buffers->len - 1);
    }
    g_mutex_unlock(&c->lock);
    return buf ? buf : g_malloc(PIECE_BYTES);
}

static void give_buffer(Convert *c, uint8_t *buf)
{
    g_mutex_lock(&c->lock);
    g_ptr_array_add(c->buffers, buf);
    g_mutex_unlock(&c->lock);
}

static void free_buffer(gpointer buf, gpointer opaque)
{
    (void)opaque;
    g_free(buf);
}

static int copy_piece(Convert *c, const Piece *p)
{
    uint8_t *buf = take_buffer(c);
    int err = block_node_pread(p->from, p->offset, buf, p->bytes);

    if (!err) {
        err = c->compress ? write_compressed(c, p->to, buf, p->bytes)
                          : write_sparse(c, p->to, buf, p->bytes);
    }
    give_buffer(c, buf);
    return err;
}

static void pool_run(gpointer data, gpointer opaque)
{
    Convert *c = opaque;
    Piece *p = data;
    int err = copy_piece(c, p);

    g_mutex_lock(&c->lock);
    c->queued--;
    if (err && !c->err) {
        c->err = err;
        c->err_at = p->offset;
    }
    g_cond_signal(&c->cond);
    g_mutex_unlock(&c->lock);
    g_free(p);
}

static int queue_piece(Convert *c, const Piece *p)
{
    int err;

    if (!c->pool) {
        c->err = copy_piece(c, p);
        c->err_at = p->offset;
        return c->err;
    }
    g_mutex_lock(&c->lock);
    while (c->queued >= QUEUED_MAX) {
        g_cond_wait(&c->cond, &c->lock);
    }
    c->queued++;
    err = c->err;
    g_mutex_unlock(&c->lock);
    g_thread_pool_push(c->pool, g_memdup2(p, sizeof *p), NULL);
    return err;
}

/* ---- reading */

/* Compressed clusters are whole: a piece must not end inside one, unless the source does. */
static uint64_t piece_end(const Convert *c, uint64_t to, uint64_t bytes)
{
    uint64_t unit = c->target->cluster_bytes ? c->target->cluster_bytes : 4096;
    uint64_t end = align_down(to + PIECE_BYTES, MAX(unit, 4096));

    return MIN(end - to, bytes);
}

static int copy_range(Convert *c, BlockNode *from, uint64_t at, uint64_t to, uint64_t bytes)
{
    uint32_t cluster = c->compress ? c->target->cluster_bytes : 1;
    int err = 0;

    while (bytes && !err) {
        BlockMap m;
        uint64_t n;
        err = block_chain_map(from, c->base, at, bytes, &m, NULL);
        if (err) {
            c->err_at = at;
            break;
        }
        n = m.bytes;
        /* With clusters that go as a whole, kinds change at their borders only. */
        if (n < bytes && cluster > 1) {
            n = n < cluster - to % cluster ? MIN(cluster - to % cluster, bytes)
                                           : align_down(to + n, cluster) - to;
        }
        if ((m.flags & BLOCK_MAP_ZERO) && n <= m.bytes) {
            err = write_zero_run(c, to, n);
        } else if (!(m.flags & (BLOCK_MAP_ALLOCATED | BLOCK_MAP_EOF)) && c->base && n <= m.bytes) {
            err = 0; /* the new backing file shows it */
        } else {
            n = piece_end(c, to, n);
            err = queue_piece(c, &(Piece){from, at, to, n});
        }
        at += n;
        to += n;
        bytes -= n;
        img_progress(&c->progress, to);
    }
    c->err = c->err ? c->err : err;
    return err;
}

static void finish_pool(Convert *c)
{
    if (c->pool) {
        g_thread_pool_free(c->pool, FALSE, TRUE);
        c->pool = NULL;
    }
}

static bool copy_all(Convert *c, Error *err)
{
    uint64_t to = 0;

    img_progress_start(&c->progress, c->args, c->total);
    for (unsigned i = 0; i < c->count && !c->err; i++) {
        BlockNode *from = c->views[i] ? c->views[i] : c->sources[i];
        copy_range(c, from, 0, to, from->size_bytes);
        to += from->size_bytes;
    }
    finish_pool(c);
    if (c->err) {
        return error_set(err, "convert: failed near byte %" G_GUINT64_FORMAT ": %s", c->err_at,
                         g_strerror(c->err));
    }
    img_progress_end(&c->progress);
    return true;
}

/* ---- the two ends */

/* "snapshot.id=3", "snapshot.name=x", or just the name or id */
static const char *snapshot_name(const char *text)
{
    const char *equals = g_str_has_prefix(text, "snapshot.") ? strchr(text, '=') : NULL;

    return equals ? equals + 1 : text;
}

static bool open_sources(Convert *c, Error *err)
{
    const ImgArgs *a = c->args;

    c->count = a->operands->len - 1;
    if (c->count > G_N_ELEMENTS(c->sources)) {
        return error_set(err, "convert: more than %zu source images", G_N_ELEMENTS(c->sources));
    }
    if (img_has(a, 'l') && c->count > 1) {
        return error_set(err, "convert: -l takes one source image");
    }
    if (img_has(a, 'B') && c->count > 1) {
        return error_set(err, "convert: -B takes one source image");
    }
    for (unsigned i = 0; i < c->count; i++) {
        ImgOpen o = {
            .file = img_operand(a, i), .format = img_opt(a, 'f'), .cache = img_opt(a, 'T')};
        c->sources[i] = img_open(a, &o, err);
        if (!c->sources[i]) {
            return false;
        }
        if (img_has(a, 'l')) {
            c->views[i] = qcow2_open_snapshot(c->sources[i], snapshot_name(img_opt(a, 'l')), err);
            if (!c->views[i]) {
                return false;
            }
        }
        c->total += (c->views[i] ? c->views[i] : c->sources[i])->size_bytes;
    }
    return true;
}

/* -B: the image of the source's chain that the target will stand on */
static bool find_base(Convert *c, const char *backing, const char *target, Error *err)
{
    char *path;

    if (!backing) {
        return true;
    }
    path = block_backing_path(target, backing);
    for (BlockNode *n = c->sources[0]->backing; n && !c->base; n = n->backing) {
        if (!strcmp(n->name, path) || !strcmp(n->name, backing)) {
            c->base = n;
        }
    }
    g_free(path);
    if (!c->base) {
        /* Not of the chain: all of the source is copied, on top of what the backing file shows. */
        fprintf(stderr,
                "gemel-img: note: '%s' is not below the source image: all of it is copied\n",
                backing);
        c->target_is_zero = false;
        return true;
    }
    (void)err;
    return true;
}

static bool make_target(Convert *c, const char *format, char *options, Error *err)
{
    const ImgArgs *a = c->args;
    ImgCreate create = {.file = img_operand(a, c->count),
                        .format = format,
                        .size_bytes = c->total,
                        .has_size = true,
                        .quiet = true,
                        .options = options};

    create.backing = img_opt(a, 'B');
    create.backing_format = img_opt(a, 'F');
    if (!img_create_options(&create, err)) {
        return false;
    }
    if (create.size_bytes < c->total) {
        return error_set(err,
                         "convert: -o size: smaller than the source's %" G_GUINT64_FORMAT " bytes",
                         c->total);
    }
    if (img_has(a, 'c') && strcmp(format, "qcow2")) {
        return error_set(err, "convert: -c: format %s has no compression; -O qcow2 does", format);
    }
    if (img_has(a, 'c') && create.preallocation) {
        return error_set(err, "convert: -c and preallocation exclude each other");
    }
    c->target_is_zero = !create.backing;
    return img_create(&create, err) && find_base(c, create.backing, create.file, err);
}

static bool open_target(Convert *c, const char *format, Error *err)
{
    const ImgArgs *a = c->args;
    ImgOpen o = {.file = img_operand(a, c->count),
                 .format = format,
                 .cache = img_has(a, 't') ? img_opt(a, 't') : "unsafe",
                 .write = true};

    c->target = img_open(a, &o, err);
    if (!c->target) {
        return false;
    }
    if (c->target->size_bytes < c->total) {
        return error_set(err,
                         "%s: has %" G_GUINT64_FORMAT " bytes, fewer than the source's "
                         "%" G_GUINT64_FORMAT,
                         o.file, c->target->size_bytes, c->total);
    }
    if (c->compress && !c->target->cluster_bytes) {
        return error_set(err, "convert: -c: format %s has no compression; -O qcow2 does",
                         c->target->driver->name);
    }
    return true;
}

static bool parse_numbers(Convert *c, Error *err)
{
    const ImgArgs *a = c->args;
    uint64_t threads = 8;

    c->sparse = 4096;
    if (img_has(a, 'S') && !img_parse_size(img_opt(a, 'S'), "convert: -S", &c->sparse, err)) {
        return false;
    }
    if (c->sparse % 512) {
        return error_set(err, "convert: -S %s: must be a multiple of 512", img_opt(a, 'S'));
    }
    if (img_has(a, 'm') && (!img_parse_size(img_opt(a, 'm'), "convert: -m", &threads, err) ||
                            threads < 1 || threads > THREADS_MAX)) {
        return error_set(err, "convert: -m %s: must be 1 to %d", img_opt(a, 'm'), THREADS_MAX);
    }
    threads = MIN(threads, g_get_num_processors());
    if (threads > 1 && (c->compress || img_has(a, 'W'))) {
        c->pool = g_thread_pool_new(pool_run, c, (int)threads, FALSE, NULL);
    }
    return true;
}

static bool convert(Convert *c, char *options, Error *err)
{
    const ImgArgs *a = c->args;
    const char *format = img_has(a, 'O') ? img_opt(a, 'O') : "raw";
    bool existing = img_has(a, 'n');

    if (existing && (options || img_has(a, 'B'))) {
        return error_set(err, "convert: -n uses an image that is there, so no -o and no -B");
    }
    if (!open_sources(c, err) || (!existing && !make_target(c, format, options, err)) ||
        !open_target(c, img_has(a, 'O') || !existing ? format : NULL, err)) {
        return false;
    }
    if (existing) {
        c->target_is_zero = img_has(a, OPT_TARGET_ZERO);
    }
    if (!strcmp(c->target->driver->name, "raw") && !existing) {
        c->target->probed = false;
    }
    return parse_numbers(c, err) && copy_all(c, err);
}

static int run(const ImgArgs *a)
{
    char *options = img_opt_joined(a, 'o');
    Convert c = {.args = a, .compress = img_has(a, 'c'), .buffers = g_ptr_array_new()};
    Error err = {""};
    bool ok;

    if (img_wants_option_help(options)) {
        img_print_option_help(img_has(a, 'O') ? img_opt(a, 'O') : "raw");
        g_free(options);
        return 0;
    }
    ok = convert(&c, options, &err);
    finish_pool(&c);
    g_ptr_array_foreach(c.buffers, free_buffer, NULL);
    g_ptr_array_free(c.buffers, TRUE);
    ok = img_close(c.target, ok ? &err : NULL) && ok;
    for (unsigned i = 0; i < c.count && i < G_N_ELEMENTS(c.sources); i++) {
        img_close(c.views[i], NULL);
        img_close(c.sources[i], NULL);
    }
    g_free(options);
    return ok ? 0 : img_fail(&err);
}

static const ImgOption options[] = {
    {'f', NULL, "FORMAT", "format of the sources [look]"},
    {'O', NULL, "FORMAT", "format of the target: raw, qcow2 [raw]"},
    {'o', NULL, "NAME=VALUE,...", "options of the target; -o help lists them"},
    {'c', NULL, NULL, "compress the target (qcow2)"},
    {'p', NULL, NULL, "show progress"},
    {'n', NULL, NULL, "the target is there already"},
    {OPT_TARGET_ZERO, "target-is-zero", NULL, "with -n: it reads as zero everywhere"},
    {'B', NULL, "FILE", "the target stands on this image; what that shows is not copied"},
    {'F', NULL, "FORMAT", "format of -B"},
    {'l', NULL, "SNAPSHOT", "a snapshot inside the source"},
    {'S', NULL, "BYTES", "shortest run of zeroes that takes no space; 0: store all [4k]"},
    {'t', NULL, "CACHE", "cache mode of the target [unsafe]"},
    {'T', NULL, "CACHE", "cache mode of the sources [writeback]"},
    {'m', NULL, "N", "threads, for -c and -W [8, at most one a processor]"},
    {'W', NULL, NULL, "write in any order"},
    {0, NULL, NULL, NULL},
};

const ImgVerb img_convert = {
    .name = "convert",
    .operands = "FILE... TARGET",
    .help = "makes an image of others, in any format\n"
            "  gemel-img convert -p -O qcow2 disk.img disk.qcow2\n"
            "  gemel-img convert -c -O qcow2 big.qcow2 small.qcow2",
    .options = options,
    .min_operands = 2,
    .max_operands = 65,
    .run = run,
};
