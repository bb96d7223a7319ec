/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gemel-img measure: how large would the file of a converted image become? */
#include <string.h>

#include "img.h"
#include "util/bits.h"

enum { OPT_SIZE = IMG_FIRST_OWN };

/* Bytes in clusters of the target that would hold data. */
static int count_data(BlockNode *n, uint64_t cluster, uint64_t *bytes)
{
    uint64_t at = 0, counted = 0; /* all before `counted` is in *bytes */
    int err = 0;

    *bytes = 0;
    while (at < n->size_bytes && !err) {
        BlockMap m;
        err = block_chain_map(n, NULL, at, n->size_bytes - at, &m, NULL);
        if (!err && !(m.flags & BLOCK_MAP_ZERO)) {
            uint64_t from = MAX(align_down(at, cluster), counted);
            uint64_t to = align_up(at + m.bytes, cluster);
            *bytes += to > from ? to - from : 0;
            counted = MAX(counted, to);
        }
        at += err ? 0 : m.bytes;
    }
    return err;
}

/* Space that the persistent bitmaps of an image would take in the target */
static uint64_t count_bitmaps(BlockNode *n, uint64_t cluster)
{
    uint64_t clusters = 0, directory = 0;
    unsigned count;
    Qcow2Bitmap *b = qcow2_bitmaps(n, &count, NULL);

    for (unsigned i = 0; i < count; i++) {
        uint64_t bits = n->size_bytes / b[i].granularity_bytes + 1;
        uint64_t data = (bits / 8 + cluster) / cluster;
        clusters += data + (data * 8 + cluster - 1) / cluster;
        directory += align_up(24 + strlen(b[i].name), 8);
    }
    qcow2_bitmaps_free(b, count);
    return (clusters + (directory + cluster - 1) / cluster) * cluster;
}

/* Is there a way to keep bitmaps in both? */
static bool keeps_bitmaps(BlockNode *n, const ImgCreate *c)
{
    Qcow2Info info = {0};

    if (qcow2_is(n)) {
        qcow2_info(n, &info);
    }
    return info.version >= 3 && !strcmp(c->format, "qcow2") && c->qcow2.version != 2;
}

typedef struct Sizes {
    uint64_t required, fully, bitmaps;
    bool has_bitmaps;
} Sizes;

static bool measure(const ImgArgs *a, ImgCreate *c, Sizes *out, Error *err)
{
    uint64_t data = 0, cluster;
    ImgOpen o = {.file = img_operand(a, 0), .format = img_opt(a, 'f'), .for_check = true};
    BlockNode *n = NULL, *view = NULL;
    int e = 0;

    if (!img_create_options(c, err)) {
        return false;
    }
    cluster = c->qcow2.cluster_bytes ? c->qcow2.cluster_bytes : 65536;
    if (o.file) {
        n = img_open(a, &o, err);
        view = n && img_has(a, 'l') ? qcow2_open_snapshot(n, img_opt(a, 'l'), err) : n;
        if (!view) {
            img_close(n, NULL);
            return false;
        }
        c->size_bytes = view->size_bytes;
        out->has_bitmaps = keeps_bitmaps(n, c) && !img_has(a, 'l');
        out->bitmaps = out->has_bitmaps ? count_bitmaps(n, cluster) : 0;
        e = count_data(view, strcmp(c->format, "raw") ? cluster : 512, &data);
        if (view != n) {
            img_close(view, NULL);
        }
        img_close(n, NULL);
    }
    c->size_bytes = align_up(c->size_bytes, 512);
    c->qcow2.size_bytes = c->size_bytes;
    if (!strcmp(c->format, "raw")) {
        out->required = out->fully = c->size_bytes;
    } else {
        out->required = qcow2_measure(&c->qcow2, data, &out->fully);
    }
    return e ? error_set(err, "%s: cannot be read: %s", o.file, g_strerror(e)) : true;
}

static int run(const ImgArgs *a)
{
    ImgCreate c = {.file = "measure",
                   .format = img_has(a, 'O') ? img_opt(a, 'O') : "raw",
                   .options = img_opt_joined(a, 'o')};
    Sizes sizes = {0};
    Error err = {""};
    Json j = {.f = stdout, .first = true};
    bool json, ok = img_output_json(a, &json, &err);

    if (ok && (img_operand(a, 0) != NULL) == img_has(a, OPT_SIZE)) {
        ok = error_set(&err, "measure: either --size=SIZE or an image");
    }
    if (ok && img_has(a, OPT_SIZE)) {
        ok = img_parse_size(img_opt(a, OPT_SIZE), "--size", &c.size_bytes, &err);
    }
    ok = ok && measure(a, &c, &sizes, &err);
    g_free(c.options);
    if (!ok) {
        return img_fail(&err);
    }
    if (json) {
        json_open(&j, NULL, '{');
        if (sizes.has_bitmaps) {
            json_number(&j, "bitmaps", sizes.bitmaps);
        }
        json_number(&j, "required", sizes.required);
        json_number(&j, "fully-allocated", sizes.fully);
        json_close(&j, '}');
    } else {
        printf("required size: %" G_GUINT64_FORMAT "\nfully allocated size: %" G_GUINT64_FORMAT
               "\n",
               sizes.required, sizes.fully);
        if (sizes.has_bitmaps) {
            printf("bitmaps size: %" G_GUINT64_FORMAT "\n", sizes.bitmaps);
        }
    }
    return 0;
}

static const ImgOption options[] = {
    {'f', NULL, "FORMAT", "format of the image [look]"},
    {'O', NULL, "FORMAT", "format of the file to be: raw, qcow2 [raw]"},
    {'o', NULL, "NAME=VALUE,...", "options of that format"},
    {'l', NULL, "SNAPSHOT", "a snapshot inside the image"},
    {OPT_SIZE, "size", "BYTES", "of a new disk, instead of an image"},
    {IMG_OUTPUT, "output", "human|json", "for people, or for programs [human]"},
    {0, NULL, NULL, NULL},
};

const ImgVerb img_measure = {
    .name = "measure",
    .operands = "[FILE]",
    .help = "tells how large the file of a converted image would be",
    .options = options,
    .max_operands = 1,
    .run = run,
};
