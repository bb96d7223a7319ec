/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gemel-img commit: what an overlay holds goes into an image below it. */
#include <string.h>

#include "img.h"

enum { PIECE_BYTES = 2 << 20 };

/* The chain down to the base, only that for writing. */
static bool open_chain(const ImgArgs *a, BlockNode *top, const char *base, Error *err)
{
    BlockNode *n = top;

    for (;;) {
        bool last;
        ImgOpen o = {.file = n->backing_path,
                     .format = n->backing_format,
                     .cache = img_opt(a, 't'),
                     .no_backing = true};
        if (!n->backing_path) {
            return n == top ? error_set(err, "%s: has no backing file", top->name)
                            : error_set(err, "%s: is not below '%s'", base, top->name);
        }
        last = !base || !strcmp(base, n->backing_path) || !strcmp(base, n->backing_name);
        o.write = last;
        n->backing = img_open(a, &o, err);
        if (!n->backing) {
            return false;
        }
        n = n->backing;
        if (last) {
            return block_node_open_backing(n, &(BlockNodeOptions){0}, err);
        }
    }
}

static int copy_range(BlockNode *top, BlockNode *base, uint64_t at, const BlockMap *m, uint8_t *buf)
{
    uint64_t end = at + m->bytes;
    int err = 0;

    if (m->flags & BLOCK_MAP_ZERO) {
        return block_node_write_zeroes(base, at, m->bytes, true);
    }
    for (uint64_t n; at < end && !err; at += n) {
        n = MIN(end - at, PIECE_BYTES);
        err = block_node_pread(top, at, buf, n);
        err = err ? err : block_node_pwrite(base, at, buf, n);
    }
    return err;
}

static bool commit(const ImgArgs *a, BlockNode *top, BlockNode *base, Error *err)
{
    uint8_t *buf = g_malloc(PIECE_BYTES);
    uint64_t at = 0;
    ImgProgress progress;
    int e = 0;

    if (top->size_bytes > base->size_bytes &&
        !block_node_truncate(base, top->size_bytes, BLOCK_PREALLOC_OFF, err)) {
        g_free(buf);
        return false;
    }
    img_progress_start(&progress, a, top->size_bytes);
    while (at < top->size_bytes && !e) {
        BlockMap m;
        e = block_chain_map(top, base, at, top->size_bytes - at, &m, NULL);
        if (!e && (m.flags & (BLOCK_MAP_ALLOCATED | BLOCK_MAP_EOF))) {
            m.bytes = MIN(m.bytes, 64 << 20);
            e = copy_range(top, base, at, &m, buf);
        }
        at += e ? 0 : m.bytes;
        img_progress(&progress, at);
    }
    e = e ? e : block_node_flush(base);
    g_free(buf);
    if (e) {
        return error_set(err, "commit: failed at byte %" G_GUINT64_FORMAT ": %s", at,
                         g_strerror(e));
    }
    img_progress_end(&progress);
    return true;
}

static int run(const ImgArgs *a)
{
    ImgOpen o = {.file = img_operand(a, 0),
                 .format = img_opt(a, 'f'),
                 .cache = img_opt(a, 't'),
                 .write = true,
                 .no_backing = true};
    Error err = {""};
    BlockNode *top = img_open(a, &o, &err), *base;
    bool ok = top && open_chain(a, top, img_opt(a, 'b'), &err);

    if (ok) {
        /* Of the chain below only the base is open for writing. */
        for (base = top->backing; base->read_only; base = base->backing) {
        }
        ok = commit(a, top, base, &err);
        /* With images between, they would show again where the overlay became empty. */
        if (ok && !img_has(a, 'd') && base == top->backing && qcow2_is(top)) {
            int e = qcow2_make_empty(top);
            ok = !e || error_set(&err, "%s: cannot be emptied: %s", o.file, g_strerror(e));
        }
    }
    ok = img_close(top, ok ? &err : NULL) && ok;
    if (!ok) {
        return img_fail(&err);
    }
    img_note(a, "Image committed.\n");
    return 0;
}

static const ImgOption options[] = {
    {'f', NULL, "FORMAT", "the image's format [look]"},
    {'b', NULL, "FILE", "the image of the chain to write to [the one below]"},
    {'d', NULL, NULL, "leave the overlay as it is (else it becomes empty)"},
    {'t', NULL, "CACHE", "cache mode [writeback]"},
    {'p', NULL, NULL, "show progress"},
    {0, NULL, NULL, NULL},
};

const ImgVerb img_commit = {
    .name = "commit",
    .operands = "FILE",
    .help = "writes an overlay's changes into its backing file",
    .options = options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
