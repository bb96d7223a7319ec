/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gemel-img rebase: an overlay on another backing file. Safe: where the overlay holds nothing and
 * the old and the new backing file differ, the old contents are copied into it first. Unsafe (-u):
 * only the name changes.
 */
#include <string.h>

#include "img.h"
#include "util/bits.h"

enum { PIECE_BYTES = 1 << 20 };

static BlockNode *open_backing(const ImgArgs *a, const char *image, const char *backing,
                               const char *format, Error *err)
{
    char *path = block_backing_path(image, backing);
    ImgOpen o = {.file = path, .format = format, .cache = img_opt(a, 'T')};
    BlockNode *n = img_open(a, &o, err);

    g_free(path);
    return n;
}

/* Copies from the old backing what the new one (or NULL) shows differently. Whole clusters, so that
 * the overlay never mixes. */
static int copy_range(BlockNode *top, BlockNode *new, uint64_t at, uint64_t bytes, uint8_t *buf[2])
{
    uint32_t unit = top->cluster_bytes;
    int err = 0;

    for (uint64_t end = at + bytes, n; at < end && !err; at += n) {
        n = MIN(unit - at % unit, end - at);
        err = block_node_pread(top->backing, at, buf[0], n);
        if (!err && new) {
            err = block_node_pread(new, at, buf[1], n);
        } else if (!err) {
            memset(buf[1], 0, n);
        }
        if (!err && memcmp(buf[0], buf[1], n)) {
            err = block_buf_is_zero(buf[0], n) ? block_node_write_zeroes(top, at, n, true)
                                               : block_node_pwrite(top, at, buf[0], n);
        }
    }
    return err;
}

static bool copy_differences(const ImgArgs *a, BlockNode *top, BlockNode *new, Error *err)
{
    uint8_t *buf[2] = {g_malloc(2 << 20), g_malloc(2 << 20)};
    ImgProgress progress;
    uint64_t at = 0;
    int e = 0;

    img_progress_start(&progress, a, top->size_bytes);
    while (at < top->size_bytes && !e) {
        BlockMap m, old;
        e = block_node_map(top, at, MIN(top->size_bytes - at, 1u << 30), 0, &m);
        if (e) {
            break;
        }
        if (!(m.flags & BLOCK_MAP_ALLOCATED)) {
            e = block_chain_map(top->backing, NULL, at, m.bytes, &old, NULL);
            m.bytes = old.bytes;
            /* Zero on zero needs no look. */
            if (!e && ((old.flags & BLOCK_MAP_DATA) || new)) {
                m.bytes = MIN(m.bytes, PIECE_BYTES);
                e = copy_range(top, new, at, m.bytes, buf);
            }
        }
        at += e ? 0 : m.bytes;
        img_progress(&progress, at);
    }
    g_free(buf[0]);
    g_free(buf[1]);
    if (e) {
        return error_set(err, "rebase: failed at byte %" G_GUINT64_FORMAT ": %s", at,
                         g_strerror(e));
    }
    img_progress_end(&progress);
    return true;
}

static bool rebase(const ImgArgs *a, BlockNode *top, Error *err)
{
    const char *name = *img_opt(a, 'b') ? img_opt(a, 'b') : NULL;
    BlockNode *new = NULL;
    bool ok = true;
    int e;

    if (!qcow2_is(top)) {
        return error_set(err, "%s: format %s has no backing file", top->name, top->driver->name);
    }
    if (name && !img_has(a, 'F')) {
        return error_set(err, "rebase: the new backing file needs its format named (-F raw or "
                              "-F qcow2)");
    }
    if (!img_has(a, 'u')) {
        if (name) {
            new = open_backing(a, top->name, name, img_opt(a, 'F'), err);
            ok = new != NULL;
        }
        if (ok && top->backing) {
            ok = copy_differences(a, top, new, err);
            e = ok ? block_node_flush(top) : 0;
            if (e) {
                ok = error_set(err, "%s: flushing failed: %s", top->name, g_strerror(e));
            }
        } else if (ok && name) {
            fprintf(stderr,
                    "gemel-img: note: %s had no backing file; where it holds nothing the "
                    "new one shows\n",
                    top->name);
        }
        img_close(new, NULL);
    }
    return ok && qcow2_set_backing(top, name, img_opt(a, 'F'), err);
}

static int run(const ImgArgs *a)
{
    ImgOpen o = {.file = img_operand(a, 0),
                 .format = img_opt(a, 'f'),
                 .cache = img_opt(a, 't'),
                 .write = true,
                 .no_backing = img_has(a, 'u')};
    Error err = {""};
    BlockNode *top;
    bool ok;

    if (!img_has(a, 'b')) {
        return img_fail_text("rebase: -b FILE says on what (-b '' on nothing)");
    }
    top = img_open(a, &o, &err);
    ok = top && rebase(a, top, &err);
    ok = img_close(top, ok ? &err : NULL) && ok;
    return ok ? 0 : img_fail(&err);
}

static const ImgOption options[] = {
    {'f', NULL, "FORMAT", "the image's format [look]"},
    {'b', NULL, "FILE", "the new backing file; '' for none"},
    {'F', NULL, "FORMAT", "its format"},
    {'u', NULL, NULL, "unsafe: change the name only (after moving the same file)"},
    {'t', NULL, "CACHE", "cache mode of the image [writeback]"},
    {'T', NULL, "CACHE", "cache mode of the backing files [writeback]"},
    {'p', NULL, NULL, "show progress"},
    {0, NULL, NULL, NULL},
};

const ImgVerb img_rebase = {
    .name = "rebase",
    .operands = "FILE",
    .help = "puts an overlay on another backing file",
    .options = options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
