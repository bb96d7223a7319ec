/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gemel-img resize: a disk of another size. */
#include <string.h>

#include "img.h"
#include "util/bits.h"

enum { OPT_SHRINK = IMG_FIRST_OWN, OPT_PREALLOC };

static bool new_size(const char *text, uint64_t old, uint64_t *bytes, Error *err)
{
    bool add = *text == '+', subtract = *text == '-';
    uint64_t n;

    if (!img_parse_size(text + (add || subtract), "resize", &n, err)) {
        return false;
    }
    if (subtract && n > old) {
        return error_set(err, "resize: '%s' is more than the disk's %" G_GUINT64_FORMAT " bytes",
                         text, old);
    }
    *bytes = align_up(add ? old + n : subtract ? old - n : n, 512);
    return *bytes ? true : error_set(err, "resize: a disk of no bytes");
}

static bool resize(const ImgArgs *a, BlockNode *n, Error *err)
{
    BlockPreallocation how = BLOCK_PREALLOC_OFF;
    uint64_t bytes = 0;

    if (!new_size(img_operand(a, 1), n->size_bytes, &bytes, err) ||
        (img_has(a, OPT_PREALLOC) &&
         !img_parse_preallocation(img_opt(a, OPT_PREALLOC), &how, err))) {
        return false;
    }
    if (bytes < n->size_bytes && !img_has(a, OPT_SHRINK)) {
        return error_set(err,
                         "%s: would shrink from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
                         " bytes, and what is behind would be lost; --shrink does it",
                         n->name, n->size_bytes, bytes);
    }
    if (bytes < n->size_bytes && how != BLOCK_PREALLOC_OFF) {
        return error_set(err, "%s: preallocation and shrinking exclude each other", n->name);
    }
    return block_node_truncate(n, bytes, how, err);
}

static int run(const ImgArgs *a)
{
    ImgOpen o = {.file = img_operand(a, 0), .format = img_opt(a, 'f'), .write = true};
    Error err = {""};
    BlockNode *n = img_open(a, &o, &err);
    bool ok;

    if (!n) {
        return img_fail(&err);
    }
    ok = resize(a, n, &err);
    ok = img_close(n, ok ? &err : NULL) && ok;
    if (!ok) {
        return img_fail(&err);
    }
    img_note(a, "Image resized.\n");
    return 0;
}

static const ImgOption options[] = {
    {'f', NULL, "FORMAT", "the image's format [look]"},
    {OPT_SHRINK, "shrink", NULL, "allow a smaller size; what is behind it is lost"},
    {OPT_PREALLOC, "preallocation", "MODE", "space for what is added: off, metadata, falloc, full"},
    {0, NULL, NULL, NULL},
};

const ImgVerb img_resize = {
    .name = "resize",
    .operands = "FILE [+|-]SIZE",
    .help = "changes the size of a disk\n"
            "  gemel-img resize disk.qcow2 +10G\n"
            "The guest then has to grow its partition and file system.",
    .options = options,
    .min_operands = 2,
    .max_operands = 2,
    .run = run,
};
