/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gemel-img compare: do two images show the same disk? Exit status as qemu-img's. */
#include <string.h>

#include "img.h"

enum { STATUS_SAME, STATUS_DIFFER, STATUS_OPEN, STATUS_MAP, STATUS_READ, PIECE_BYTES = 2 << 20 };

typedef struct Compare {
    const ImgArgs *args;
    BlockNode *n[2];
    uint8_t *buf[2];
    bool strict;
    ImgProgress progress;
} Compare;

static int say_differs(Compare *c, uint64_t at)
{
    img_note(c->args, "Content mismatch at offset %" G_GUINT64_FORMAT "!\n", at);
    return STATUS_DIFFER;
}

/* The extents of both images at `at`; the shorter length is in both. */
static int compare_range(Compare *c, uint64_t *at, uint64_t end)
{
    BlockMap m[2];
    bool zero[2];
    uint64_t n = end - *at;

    for (unsigned i = 0; i < 2; i++) {
        if (block_chain_map(c->n[i], NULL, *at, n, &m[i], NULL)) {
            img_fail_text("%s: cannot read its tables", c->n[i]->name);
            return STATUS_MAP;
        }
        n = m[i].bytes;
        zero[i] = (m[i].flags & BLOCK_MAP_ZERO) != 0;
    }
    if (c->strict && ((m[0].flags ^ m[1].flags) & BLOCK_MAP_ALLOCATED)) {
        img_note(c->args, "Strict mode: Offset %" G_GUINT64_FORMAT " block status mismatch!\n",
                 *at);
        return STATUS_DIFFER;
    }
    if (zero[0] && zero[1]) {
        *at += n;
        return STATUS_SAME;
    }
    n = MIN(n, PIECE_BYTES);
    for (unsigned i = 0; i < 2; i++) {
        int err = block_node_pread(c->n[i], *at, c->buf[i], n);
        if (err) {
            img_fail_text("%s: cannot read at byte %" G_GUINT64_FORMAT ": %s", c->n[i]->name, *at,
                          g_strerror(err));
            return STATUS_READ;
        }
    }
    for (uint64_t i = 0; i < n; i += 512) {
        if (memcmp(c->buf[0] + i, c->buf[1] + i, MIN(512, n - i))) {
            return say_differs(c, *at + i);
        }
    }
    *at += n;
    return STATUS_SAME;
}

static int compare(Compare *c)
{
    uint64_t size[2] = {c->n[0]->size_bytes, c->n[1]->size_bytes}, at = 0;
    uint64_t end = MAX(size[0], size[1]);
    int status = STATUS_SAME;

    if (c->strict && size[0] != size[1]) {
        img_note(c->args, "Strict mode: Image size mismatch!\n");
        return STATUS_DIFFER;
    }
    img_progress_start(&c->progress, c->args, end);
    while (at < end && status == STATUS_SAME) {
        /* What is behind the shorter one must be zero: that is how it reads there. */
        status = compare_range(c, &at, at < MIN(size[0], size[1]) ? MIN(size[0], size[1]) : end);
        img_progress(&c->progress, at);
    }
    if (status == STATUS_SAME) {
        img_progress_end(&c->progress);
        if (size[0] != size[1]) {
            img_note(c->args, "Warning: Image size mismatch!\n");
        }
        img_note(c->args, "Images are identical.\n");
    }
    return status;
}

static int run(const ImgArgs *a)
{
    Compare c = {.args = a, .strict = img_has(a, 's')};
    int status = STATUS_OPEN;
    Error err = {""};

    for (unsigned i = 0; i < 2; i++) {
        ImgOpen o = {.file = img_operand(a, i),
                     .format = img_opt(a, i ? 'F' : 'f'),
                     .cache = img_opt(a, 'T')};
        c.n[i] = img_open(a, &o, &err);
        if (!c.n[i]) {
            break;
        }
        c.buf[i] = g_malloc(PIECE_BYTES);
    }
    if (c.n[0] && c.n[1]) {
        status = compare(&c);
    } else {
        img_fail(&err);
    }
    for (unsigned i = 0; i < 2; i++) {
        img_close(c.n[i], NULL);
        g_free(c.buf[i]);
    }
    return status;
}

static const ImgOption options[] = {
    {'f', NULL, "FORMAT", "format of the first image [look]"},
    {'F', NULL, "FORMAT", "format of the second image [look]"},
    {'s', NULL, NULL, "strict: sizes and allocation must be the same, too"},
    {'T', NULL, "CACHE", "cache mode [writeback]"},
    {'p', NULL, NULL, "show progress"},
    {0, NULL, NULL, NULL},
};

const ImgVerb img_compare = {
    .name = "compare",
    .operands = "FILE FILE",
    .help = "tells whether two images show the same disk\n"
            "Exit status: 0 the same, 1 different, 2 an image cannot be opened, 3 and 4 read "
            "errors.",
    .options = options,
    .min_operands = 2,
    .max_operands = 2,
    .run = run,
};
