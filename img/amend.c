/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gemel-img amend: options of an existing image. What can change in place: lazy_refcounts, and
 * compat from 0.10 to 1.1; the rest needs a convert. */
#include <string.h>

#include "img.h"

static bool amend(BlockNode *n, char *options, Error *err)
{
    ImgCreate c = {.file = n->name, .format = n->driver->name, .options = options};
    bool lazy = strstr(options, "lazy_refcounts") != NULL;
    Qcow2Info info;

    if (!qcow2_is(n)) {
        return error_set(err, "%s: format %s has nothing to amend", n->name, n->driver->name);
    }
    if (!img_create_options(&c, err)) {
        return false;
    }
    qcow2_info(n, &info);
    if ((c.qcow2.cluster_bytes && c.qcow2.cluster_bytes != info.cluster_bytes) || c.backing ||
        c.has_size || c.preallocation || (c.qcow2.extended_l2 && !info.extended_l2) ||
        (c.qcow2.refcount_bits && c.qcow2.refcount_bits != info.refcount_bits) ||
        (c.qcow2.zstd && strcmp(info.compression, "zstd"))) {
        return error_set(err,
                         "%s: only lazy_refcounts and compat can change in place (convert, "
                         "resize, rebase do the rest)",
                         n->name);
    }
    return qcow2_amend(n, lazy ? c.qcow2.lazy_refcounts : -1, c.qcow2.version, err);
}

static int run(const ImgArgs *a)
{
    ImgOpen o = {.file = img_operand(a, 0),
                 .format = img_opt(a, 'f'),
                 .cache = img_opt(a, 't'),
                 .write = true};
    char *options = img_opt_joined(a, 'o');
    Error err = {""};
    BlockNode *n;
    bool ok;

    if (!options) {
        return img_fail_text("amend: -o NAME=VALUE says what to change");
    }
    n = img_open(a, &o, &err);
    ok = n && amend(n, options, &err);
    ok = img_close(n, ok ? &err : NULL) && ok;
    g_free(options);
    return ok ? 0 : img_fail(&err);
}

static const ImgOption options[] = {
    {'f', NULL, "FORMAT", "the image's format [look]"},
    {'o', NULL, "NAME=VALUE,...", "lazy_refcounts=on|off, compat=1.1"},
    {'t', NULL, "CACHE", "cache mode [writeback]"},
    {'p', NULL, NULL, "show progress (there is none to wait for)"},
    {0, NULL, NULL, NULL},
};

const ImgVerb img_amend = {
    .name = "amend",
    .operands = "FILE",
    .help = "changes options of an image in place",
    .options = options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
