/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gemel-img info: what an image says of itself, for people and as JSON with qemu-img's fields. */
#include <string.h>
#include <time.h>

#include "img.h"

enum { OPT_CHAIN = IMG_FIRST_OWN };

/* ---- for people */

void img_print_snapshots(BlockNode *n);

static void print_clock(uint64_t ns, char *text, size_t bytes)
{
    uint64_t s = ns / 1000000000u;

    g_snprintf(text, bytes,
               "%02" G_GUINT64_FORMAT ":%02" G_GUINT64_FORMAT ":%02" G_GUINT64_FORMAT
               ".%03" G_GUINT64_FORMAT,
               s / 3600, s / 60 % 60, s % 60, ns / 1000000 % 1000);
}

void img_print_snapshots(BlockNode *n)
{
    unsigned count;
    BlockSnapshot *list = block_snapshot_list(n, &count);

    if (count) {
        printf("Snapshot list:\n%-10s%-17s%8s%20s%13s%11s\n", "ID", "TAG", "VM SIZE", "DATE",
               "VM CLOCK", "ICOUNT");
    }
    for (unsigned i = 0; i < count; i++) {
        time_t when = list[i].date_s;
        char *size = img_size_text(list[i].state_bytes), date[32], clock[64], icount[32] = "";
        struct tm tm;
        strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", localtime_r(&when, &tm));
        print_clock(list[i].vm_clock_ns, clock, sizeof clock);
        if (list[i].icount != UINT64_MAX) {
            g_snprintf(icount, sizeof icount, "%" G_GUINT64_FORMAT, list[i].icount);
        }
        printf("%-9s %-16s %8s%20s%13s%11s\n", list[i].id, list[i].name, size, date, clock, icount);
        g_free(size);
    }
    g_free(list);
}

static void print_bitmaps(BlockNode *n)
{
    unsigned count;
    Qcow2Bitmap *b = qcow2_bitmaps(n, &count, NULL);

    for (unsigned i = 0; i < count; i++) {
        unsigned flag = 0;
        printf("%s        [%u]:\n            flags:\n", i ? "" : "    bitmaps:\n", i);
        if (b[i].in_use) {
            printf("                [%u]: in-use\n", flag++);
        }
        if (b[i].automatic) {
            printf("                [%u]: auto\n", flag++);
        }
        printf("            name: %s\n            granularity: %u\n", b[i].name,
               b[i].granularity_bytes);
    }
    qcow2_bitmaps_free(b, count);
}

static void print_qcow2(BlockNode *n)
{
    Qcow2Info q;

    qcow2_info(n, &q);
    printf("Format specific information:\n    compat: %s\n    compression type: %s\n",
           q.version == 2 ? "0.10" : "1.1", q.compression);
    if (q.version >= 3) {
        printf("    lazy refcounts: %s\n", q.lazy_refcounts ? "true" : "false");
        print_bitmaps(n);
    }
    printf("    refcount bits: %u\n", q.refcount_bits);
    if (q.version >= 3) {
        printf("    corrupt: %s\n    extended l2: %s\n", q.corrupt ? "true" : "false",
               q.extended_l2 ? "true" : "false");
    }
}

static void print_info(BlockNode *n)
{
    char *size = img_size_text(n->size_bytes), *used = img_size_text(block_node_host_bytes(n));

    printf("image: %s\nfile format: %s\nvirtual size: %s (%" G_GUINT64_FORMAT
           " bytes)\ndisk size: %s\n",
           n->name, n->driver->name, size, n->size_bytes, used);
    g_free(size);
    g_free(used);
    if (n->cluster_bytes) {
        printf("cluster_size: %u\n", n->cluster_bytes);
    }
    if (qcow2_is(n)) {
        Qcow2Info q;
        qcow2_info(n, &q);
        if (q.dirty) {
            puts("cleanly shut down: no");
        }
    }
    if (n->backing_name) {
        printf("backing file: %s", n->backing_name);
        if (strcmp(n->backing_name, n->backing_path)) {
            printf(" (actual path: %s)", n->backing_path);
        }
        putchar('\n');
        if (n->backing_format) {
            printf("backing file format: %s\n", n->backing_format);
        }
    }
    img_print_snapshots(n);
    if (qcow2_is(n)) {
        print_qcow2(n);
    }
}

/* ---- as JSON */

static void json_snapshots(Json *j, BlockNode *n)
{
    unsigned count;
    BlockSnapshot *list = block_snapshot_list(n, &count);

    if (count) {
        json_open(j, "snapshots", '[');
        for (unsigned i = 0; i < count; i++) {
            json_open(j, NULL, '{');
            if (list[i].icount != UINT64_MAX) {
                json_number(j, "icount", list[i].icount);
            }
            json_number(j, "vm-clock-nsec", list[i].vm_clock_ns % 1000000000u);
            json_string(j, "name", list[i].name);
            json_number(j, "date-sec", list[i].date_s);
            json_number(j, "date-nsec", list[i].date_ns);
            json_number(j, "vm-clock-sec", list[i].vm_clock_ns / 1000000000u);
            json_string(j, "id", list[i].id);
            json_number(j, "vm-state-size", list[i].state_bytes);
            json_close(j, '}');
        }
        json_close(j, ']');
    }
    g_free(list);
}

static void json_bitmaps(Json *j, BlockNode *n)
{
    unsigned count;
    Qcow2Bitmap *b = qcow2_bitmaps(n, &count, NULL);

    if (count) {
        json_open(j, "bitmaps", '[');
        for (unsigned i = 0; i < count; i++) {
            json_open(j, NULL, '{');
            json_open(j, "flags", '[');
            if (b[i].in_use) {
                json_string(j, NULL, "in-use");
            }
            if (b[i].automatic) {
                json_string(j, NULL, "auto");
            }
            json_close(j, ']');
            json_string(j, "name", b[i].name);
            json_number(j, "granularity", b[i].granularity_bytes);
            json_close(j, '}');
        }
        json_close(j, ']');
    }
    qcow2_bitmaps_free(b, count);
}

static void json_qcow2(Json *j, BlockNode *n, const Qcow2Info *q)
{
    json_open(j, "format-specific", '{');
    json_string(j, "type", "qcow2");
    json_open(j, "data", '{');
    json_string(j, "compat", q->version == 2 ? "0.10" : "1.1");
    json_string(j, "compression-type", q->compression);
    if (q->version >= 3) {
        json_bool(j, "lazy-refcounts", q->lazy_refcounts);
        json_bitmaps(j, n);
    }
    json_number(j, "refcount-bits", q->refcount_bits);
    if (q->version >= 3) {
        json_bool(j, "corrupt", q->corrupt);
        json_bool(j, "extended-l2", q->extended_l2);
    }
    json_close(j, '}');
    json_close(j, '}');
}

static void json_info(Json *j, BlockNode *n)
{
    Qcow2Info q = {0};

    json_open(j, NULL, '{');
    if (n->backing_format) {
        json_string(j, "backing-filename-format", n->backing_format);
    }
    json_snapshots(j, n);
    json_number(j, "virtual-size", n->size_bytes);
    json_string(j, "filename", n->name);
    if (n->cluster_bytes) {
        json_number(j, "cluster-size", n->cluster_bytes);
    }
    json_string(j, "format", n->driver->name);
    json_number(j, "actual-size", block_node_host_bytes(n));
    if (qcow2_is(n)) {
        qcow2_info(n, &q);
        json_qcow2(j, n, &q);
    }
    if (n->backing_name) {
        json_string(j, "full-backing-filename", n->backing_path);
        json_string(j, "backing-filename", n->backing_name);
    }
    json_bool(j, "dirty-flag", q.dirty);
    json_close(j, '}');
}

static int run(const ImgArgs *a)
{
    ImgOpen o = {.file = img_operand(a, 0),
                 .format = img_opt(a, 'f'),
                 .no_backing = !img_has(a, OPT_CHAIN),
                 .for_check = true};
    Error err = {""};
    Json j = {.f = stdout, .first = true};
    BlockNode *top;
    bool json;

    if (!img_output_json(a, &json, &err) || !(top = img_open(a, &o, &err))) {
        return img_fail(&err);
    }
    if (json && img_has(a, OPT_CHAIN)) {
        json_open(&j, NULL, '[');
    }
    for (BlockNode *n = top; n; n = n->backing) {
        if (json) {
            json_info(&j, n);
        } else {
            fputs(n == top ? "" : "\n", stdout);
            print_info(n);
        }
    }
    if (json && img_has(a, OPT_CHAIN)) {
        json_close(&j, ']');
    }
    img_close(top, NULL);
    return 0;
}

static const ImgOption options[] = {
    {'f', NULL, "FORMAT", "the image's format [look]"},
    {IMG_OUTPUT, "output", "human|json", "for people, or for programs [human]"},
    {OPT_CHAIN, "backing-chain", NULL, "all images below, too"},
    {0, NULL, NULL, NULL},
};

const ImgVerb img_info = {
    .name = "info",
    .operands = "FILE",
    .help = "tells what an image is: format, size, snapshots",
    .options = options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
