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

static bool measure(const ImgArgs *a, ImgCreate *c, uint64_t *required, uint64_t *fully, Error *err)
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
        e = count_data(view, strcmp(c->format, "raw") ? cluster : 512, &data);
        if (view != n) {
            img_close(view, NULL);
        }
        img_close(n, NULL);
    }
    c->size_bytes = align_up(c->size_bytes, 512);
    c->qcow2.size_bytes = c->size_bytes;
    if (!strcmp(c->format, "raw")) {
        *required = *fully = c->size_bytes;
    } else {
        *required = qcow2_measure(&c->qcow2, data, fully);
    }
    return e ? error_set(err, "%s: cannot be read: %s", o.file, g_strerror(e)) : true;
}

static int run(const ImgArgs *a)
{
    ImgCreate c = {.file = "measure",
                   .format = img_has(a, 'O') ? img_opt(a, 'O') : "raw",
                   .options = img_opt_joined(a, 'o')};
    uint64_t required, fully;
    Error err = {""};
    Json j = {.f = stdout, .first = true};
    bool json, ok = img_output_json(a, &json, &err);

    if (ok && (img_operand(a, 0) != NULL) == img_has(a, OPT_SIZE)) {
        ok = error_set(&err, "measure: either --size=SIZE or an image");
    }
    if (ok && img_has(a, OPT_SIZE)) {
        ok = img_parse_size(img_opt(a, OPT_SIZE), "--size", &c.size_bytes, &err);
    }
    ok = ok && measure(a, &c, &required, &fully, &err);
    g_free(c.options);
    if (!ok) {
        return img_fail(&err);
    }
    if (json) {
        json_open(&j, NULL, '{');
        json_number(&j, "required", required);
        json_number(&j, "fully-allocated", fully);
        json_close(&j, '}');
    } else {
        printf("required size: %" G_GUINT64_FORMAT "\nfully allocated size: %" G_GUINT64_FORMAT
               "\n",
               required, fully);
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
