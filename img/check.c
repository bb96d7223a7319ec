/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gemel-img check: is the image consistent; repairing it. Exit status as qemu-img's. */
#include <string.h>

#include "img.h"

enum { STATUS_ERROR = 1, STATUS_CORRUPT = 2, STATUS_LEAKS = 3, STATUS_UNSUPPORTED = 63 };

static void print_line(void *opaque, const char *line)
{
    (void)opaque;
    fprintf(stderr, "%s\n", line);
}

static void print_human(const ImgArgs *a, const BlockCheck *c)
{
    if (!c->corruptions && !c->leaks && !c->check_errors) {
        img_note(a, "No errors were found on the image.\n");
    }
    if (c->corruptions) {
        img_note(a,
                 "\n%" G_GUINT64_FORMAT " errors were found on the image.\n"
                 "Data may be corrupted, or further writes to the image may corrupt it.\n",
                 c->corruptions);
    }
    if (c->leaks) {
        img_note(a,
                 "\n%" G_GUINT64_FORMAT " leaked clusters were found on the image.\n"
                 "This means waste of disk space, but no harm to data.\n",
                 c->leaks);
    }
    if (c->check_errors) {
        img_note(a, "\n%" G_GUINT64_FORMAT " internal errors have occurred during the check.\n",
                 c->check_errors);
    }
    if (c->clusters_total && c->clusters_allocated) {
        double all = (double)c->clusters_allocated;
        img_note(a,
                 "%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT " = %0.2f%% allocated, %0.2f%% "
                 "fragmented, %0.2f%% compressed clusters\n",
                 c->clusters_allocated, c->clusters_total, all * 100 / (double)c->clusters_total,
                 (double)c->clusters_fragmented * 100 / all,
                 (double)c->clusters_compressed * 100 / all);
    }
    if (c->image_end_bytes) {
        img_note(a, "Image end offset: %" G_GUINT64_FORMAT "\n", c->image_end_bytes);
    }
}

static void json_some(Json *j, const char *key, uint64_t value)
{
    if (value) {
        json_number(j, key, value);
    }
}

static void print_json(const char *file, const char *format, const BlockCheck *c)
{
    Json j = {.f = stdout, .first = true};

    json_open(&j, NULL, '{');
    json_some(&j, "image-end-offset", c->image_end_bytes);
    json_some(&j, "total-clusters", c->clusters_total);
    json_number(&j, "check-errors", c->check_errors);
    json_some(&j, "corruptions", c->corruptions);
    json_some(&j, "corruptions-fixed", c->corruptions_fixed);
    json_some(&j, "leaks", c->leaks);
    json_some(&j, "leaks-fixed", c->leaks_fixed);
    json_some(&j, "allocated-clusters", c->clusters_allocated);
    json_some(&j, "fragmented-clusters", c->clusters_fragmented);
    json_some(&j, "compressed-clusters", c->clusters_compressed);
    json_string(&j, "filename", file);
    json_string(&j, "format", format);
    json_close(&j, '}');
}

static bool parse_repair(const char *text, unsigned *repair, Error *err)
{
    *repair = 0;
    if (text && !strcmp(text, "leaks")) {
        *repair = BLOCK_REPAIR_LEAKS;
    } else if (text && !strcmp(text, "all")) {
        *repair = BLOCK_REPAIR_LEAKS | BLOCK_REPAIR_ERRORS;
    } else if (text) {
        return error_set(err, "check: -r %s: must be leaks or all", text);
    }
    return true;
}

/* Checks again what was repaired: the numbers after it decide. */
static bool check(BlockNode *n, unsigned repair, bool quiet, BlockCheck *c, Error *err)
{
    BlockCheck first = {.report = quiet ? NULL : print_line};
    bool ok = qcow2_check(n, repair, &first, err);

    *c = first;
    if (ok && (first.leaks_fixed || first.corruptions_fixed)) {
        *c = (BlockCheck){0};
        ok = qcow2_check(n, 0, c, err);
        c->leaks_fixed = first.leaks_fixed;
        c->corruptions_fixed = first.corruptions_fixed;
    }
    return ok;
}

static int run(const ImgArgs *a)
{
    unsigned repair;
    ImgOpen o = {.file = img_operand(a, 0),
                 .format = img_opt(a, 'f'),
                 .cache = img_opt(a, 'T'),
                 .no_backing = true,
                 .for_check = true};
    Error err = {""};
    BlockCheck c = {0};
    BlockNode *n;
    bool json, ok;

    if (!parse_repair(img_opt(a, 'r'), &repair, &err) || !img_output_json(a, &json, &err)) {
        return img_fail(&err);
    }
    o.write = repair != 0;
    n = img_open(a, &o, &err);
    if (!n) {
        return img_fail(&err);
    }
    if (!qcow2_is(n)) {
        img_close(n, NULL);
        img_fail_text("This image format does not support checks");
        return STATUS_UNSUPPORTED;
    }
    ok = check(n, repair, json || img_has(a, 'q'), &c, &err);
    if (!ok) {
        img_fail(&err);
    } else if (json) {
        print_json(o.file, n->driver->name, &c);
    } else {
        if (c.leaks_fixed || c.corruptions_fixed) {
            img_note(a,
                     "The following inconsistencies were found and repaired:\n\n    "
                     "%" G_GUINT64_FORMAT " leaked clusters\n    %" G_GUINT64_FORMAT
                     " corruptions\n\nDouble checking the fixed image now...\n",
                     c.leaks_fixed, c.corruptions_fixed);
        }
        print_human(a, &c);
    }
    if (!img_close(n, &err)) {
        return img_fail(&err);
    }
    return !ok || c.check_errors ? STATUS_ERROR
           : c.corruptions       ? STATUS_CORRUPT
           : c.leaks             ? STATUS_LEAKS
                                 : 0;
}

static const ImgOption options[] = {
    {'f', NULL, "FORMAT", "the image's format [look]"},
    {'r', "repair", "leaks|all", "give back space that nothing refers to; or repair all"},
    {'T', NULL, "CACHE", "cache mode for reading [writeback]"},
    {IMG_OUTPUT, "output", "human|json", "for people, or for programs [human]"},
    {0, NULL, NULL, NULL},
};

const ImgVerb img_check = {
    .name = "check",
    .operands = "FILE",
    .help = "looks for damage, and repairs it\n"
            "Exit status: 0 no errors, 1 the check failed, 2 errors, 3 only leaked space,\n"
            "63 the format has nothing to check.",
    .options = options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
