/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gemel-img snapshot: list, create, apply, delete the snapshots inside a qcow2 image. */
#include <string.h>

#include "img.h"

void img_print_snapshots(BlockNode *n);

static bool change(const ImgArgs *a, BlockNode *n, Error *err)
{
    BlockSnapshot info = {.icount = 0};

    if (img_has(a, 'c')) {
        g_strlcpy(info.name, img_opt(a, 'c'), sizeof info.name);
        return block_snapshot_create(n, &info, err);
    }
    return img_has(a, 'a') ? block_snapshot_apply(n, img_opt(a, 'a'), err)
                           : block_snapshot_delete(n, img_opt(a, 'd'), err);
}

static int run(const ImgArgs *a)
{
    int actions = img_has(a, 'c') + img_has(a, 'a') + img_has(a, 'd') + img_has(a, 'l');
    bool list = actions == 0 || img_has(a, 'l'), ok = true;
    ImgOpen o = {.file = img_operand(a, 0),
                 .write = !list,
                 .no_backing = list,
                 .for_check = list,
                 .quiet = true};
    Error err = {""};
    BlockNode *n;

    if (actions > 1) {
        return img_fail_text("snapshot: only one of -l, -a, -c, -d at a time");
    }
    n = img_open(a, &o, &err);
    if (!n) {
        return img_fail(&err);
    }
    if (list) {
        img_print_snapshots(n);
    } else {
        ok = change(a, n, &err);
    }
    ok = img_close(n, ok ? &err : NULL) && ok;
    return ok ? 0 : img_fail(&err);
}

static const ImgOption options[] = {
    {'l', NULL, NULL, "list them (the default)"},
    {'c', NULL, "NAME", "create one: the disk as it is now"},
    {'a', NULL, "NAME", "apply one: the disk as it was then; what was written since is lost"},
    {'d', NULL, "NAME", "delete one"},
    {0, NULL, NULL, NULL},
};

const ImgVerb img_snapshot = {
    .name = "snapshot",
    .operands = "FILE",
    .help = "lists, makes, applies, deletes snapshots inside an image\n"
            "NAME may also be the number in the list's first column.",
    .options = options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
