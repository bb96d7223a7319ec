/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gemel-img map: which image of the chain holds what, and where in its file. */
#include <string.h>

#include "img.h"

enum { OPT_START = IMG_FIRST_OWN, OPT_MAX };

typedef struct Row {
    uint64_t start, bytes, offset;
    unsigned depth;
    bool present, zero, data, has_offset;
    BlockNode *node;
} Row;

static int next_row(BlockNode *top, uint64_t at, uint64_t end, Row *row)
{
    BlockMap m;
    unsigned depth;
    int err = block_chain_map(top, NULL, at, end - at, &m, &depth);

    *row = (Row){.start = at, .bytes = m.bytes, .depth = depth, .node = top};
    for (unsigned i = 0; i < depth && row->node->backing; i++) {
        row->node = row->node->backing;
    }
    row->present = (m.flags & BLOCK_MAP_ALLOCATED) != 0;
    row->zero = (m.flags & BLOCK_MAP_ZERO) != 0;
    row->data = (m.flags & BLOCK_MAP_DATA) != 0;
    row->has_offset = (m.flags & BLOCK_MAP_OFFSET) != 0;
    row->offset = m.file_offset;
    return err;
}

static bool joins(const Row *a, const Row *b)
{
    return a->present == b->present && a->zero == b->zero && a->data == b->data &&
           a->has_offset == b->has_offset && a->depth == b->depth &&
           (!a->has_offset || a->offset + a->bytes == b->offset);
}

static bool print_row(const Row *r, bool json, bool first, Error *err)
{
    if (json) {
        printf("%s{ \"start\": %" G_GUINT64_FORMAT ", \"length\": %" G_GUINT64_FORMAT
               ", \"depth\": %u, \"present\": %s, \"zero\": %s, \"data\": %s",
               first ? "[" : ",\n", r->start, r->bytes, r->depth, r->present ? "true" : "false",
               r->zero ? "true" : "false", r->data ? "true" : "false");
        if (r->has_offset) {
            printf(", \"offset\": %" G_GUINT64_FORMAT, r->offset);
        }
        putchar('}');
        return true;
    }
    if (!r->data || r->zero) {
        return true;
    }
    if (!r->has_offset) {
        return error_set(err,
                         "%s: has compressed clusters, which have no place to print "
                         "(--output=json tells of them)",
                         r->node->name);
    }
    printf("%#-16" G_GINT64_MODIFIER "x%#-16" G_GINT64_MODIFIER "x%#-16" G_GINT64_MODIFIER "x%s\n",
           r->start, r->bytes, r->offset, r->node->name);
    return true;
}

static bool map(BlockNode *n, uint64_t at, uint64_t end, bool json, Error *err)
{
    Row row, next;
    bool some = false, first = true;

    if (!json) {
        printf("%-16s%-16s%-16s%s\n", "Offset", "Length", "Mapped to", "File");
    }
    while (at < end) {
        int e = next_row(n, at, end, &next);
        if (e) {
            return error_set(err, "%s: cannot read its tables: %s", n->name, g_strerror(e));
        }
        at += next.bytes;
        if (some && joins(&row, &next)) {
            row.bytes += next.bytes;
            continue;
        }
        if (some && !print_row(&row, json, first, err)) {
            return false;
        }
        first = first && !some;
        row = next;
        some = true;
    }
    if (some && !print_row(&row, json, first, err)) {
        return false;
    }
    if (json) {
        fputs(some ? "]\n" : "[]\n", stdout);
    }
    return true;
}

static int run(const ImgArgs *a)
{
    ImgOpen o = {.file = img_operand(a, 0), .format = img_opt(a, 'f')};
    uint64_t start = 0, most = UINT64_MAX;
    Error err = {""};
    BlockNode *n;
    bool json, ok;

    if (!img_output_json(a, &json, &err) ||
        (img_has(a, OPT_START) &&
         !img_parse_size(img_opt(a, OPT_START), "--start-offset", &start, &err)) ||
        (img_has(a, OPT_MAX) &&
         !img_parse_size(img_opt(a, OPT_MAX), "--max-length", &most, &err)) ||
        !(n = img_open(a, &o, &err))) {
        return img_fail(&err);
    }
    start = MIN(start, n->size_bytes);
    ok = map(n, start, start + MIN(most, n->size_bytes - start), json, &err);
    img_close(n, NULL);
    return ok ? 0 : img_fail(&err);
}

static const ImgOption options[] = {
    {'f', NULL, "FORMAT", "the image's format [look]"},
    {IMG_OUTPUT, "output", "human|json", "for people, or for programs [human]"},
    {OPT_START, "start-offset", "BYTES", "from here"},
    {OPT_MAX, "max-length", "BYTES", "this far"},
    {0, NULL, NULL, NULL},
};

const ImgVerb img_map = {
    .name = "map",
    .operands = "FILE",
    .help = "tells what is stored where, through all backing files",
    .options = options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
