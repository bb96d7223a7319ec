/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gemel-img create, and making images for the other verbs: the options of -o as a table. */
#include <errno.h>
#include <string.h>

#include "img.h"
#include "util/bits.h"
#include "util/str_nearest.h"

/* ---- options of formats */

typedef struct FormatOption {
    const char *name, *value, *help;
    bool raw; /* raw has it, too */
    bool (*set)(ImgCreate *c, const char *text, Error *err);
} FormatOption;

static bool parse_switch(const char *text, const char *what, bool *on, Error *err)
{
    *on = !strcmp(text, "on") || !strcmp(text, "yes") || !strcmp(text, "true") || !*text;
    if (!*on && strcmp(text, "off") && strcmp(text, "no") && strcmp(text, "false")) {
        return error_set(err, "%s=%s: must be on or off", what, text);
    }
    return true;
}

static bool set_size(ImgCreate *c, const char *text, Error *err)
{
    c->has_size = true;
    return img_parse_size(text, "size", &c->size_bytes, err);
}

static bool set_backing(ImgCreate *c, const char *text, Error *err)
{
    (void)err;
    c->backing = text;
    return true;
}

static bool set_backing_format(ImgCreate *c, const char *text, Error *err)
{
    (void)err;
    c->backing_format = text;
    return true;
}

static bool set_cluster_size(ImgCreate *c, const char *text, Error *err)
{
    uint64_t bytes;

    if (!img_parse_size(text, "cluster_size", &bytes, err)) {
        return false;
    }
    if (bytes < 512 || bytes > 2 << 20 || !is_pow2(bytes)) {
        return error_set(err, "cluster_size=%s: must be a power of two between 512 and 2M", text);
    }
    c->qcow2.cluster_bytes = (uint32_t)bytes;
    return true;
}

static bool set_refcount_bits(ImgCreate *c, const char *text, Error *err)
{
    uint64_t bits;

    if (!img_parse_size(text, "refcount_bits", &bits, err)) {
        return false;
    }
    if (!is_pow2(bits) || bits > 64) {
        return error_set(err, "refcount_bits=%s: must be a power of two between 1 and 64", text);
    }
    c->qcow2.refcount_bits = (uint32_t)bits;
    return true;
}

static bool set_compat(ImgCreate *c, const char *text, Error *err)
{
    bool old = !strcmp(text, "0.10") || !strcmp(text, "v2");

    if (!old && strcmp(text, "1.1") && strcmp(text, "v3")) {
        return error_set(err, "compat=%s: must be 0.10 (v2) or 1.1 (v3)", text);
    }
    c->qcow2.version = old ? 2 : 3;
    return true;
}

static bool set_lazy(ImgCreate *c, const char *text, Error *err)
{
    return parse_switch(text, "lazy_refcounts", &c->qcow2.lazy_refcounts, err);
}

static bool set_extended(ImgCreate *c, const char *text, Error *err)
{
    return parse_switch(text, "extended_l2", &c->qcow2.extended_l2, err);
}

static bool set_compression(ImgCreate *c, const char *text, Error *err)
{
    c->qcow2.zstd = !strcmp(text, "zstd");
    return c->qcow2.zstd || !strcmp(text, "zlib")
               ? true
               : error_set(err, "compression_type=%s: must be zlib or zstd", text);
}

bool img_parse_preallocation(const char *text, BlockPreallocation *how, Error *err)
{
    static const char *const names[] = {"off", "metadata", "falloc", "full", NULL};
    const char *near;

    for (unsigned i = 0; names[i]; i++) {
        if (!strcmp(names[i], text)) {
            *how = (BlockPreallocation)i;
            return true;
        }
    }
    near = str_nearest_in(text, names);
    return error_set(err, "preallocation=%s: must be off, metadata, falloc or full%s%s%s", text,
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static bool set_preallocation(ImgCreate *c, const char *text, Error *err)
{
    return img_parse_preallocation(text, &c->preallocation, err);
}

static const FormatOption format_options[] = {
    {"size", "<size>", "size of the disk", true, set_size},
    {"preallocation", "<str>", "off, metadata (not raw), falloc, full", true, set_preallocation},
    {"backing_file", "<str>", "image that shows where nothing was written", false, set_backing},
    {"backing_fmt", "<str>", "format of the backing file", false, set_backing_format},
    {"cluster_size", "<size>", "unit of allocation, 512 to 2M [64k]", false, set_cluster_size},
    {"compat", "<str>", "version: 0.10 (v2) or 1.1 (v3) [1.1]", false, set_compat},
    {"compression_type", "<str>", "zlib or zstd [zlib]", false, set_compression},
    {"extended_l2", "<on/off>", "32 subclusters a cluster [off]", false, set_extended},
    {"lazy_refcounts", "<on/off>", "reference counts may wait [off]", false, set_lazy},
    {"refcount_bits", "<num>", "width of a reference count, 1 to 64 [16]", false,
     set_refcount_bits},
};

static const char *format_option_name(size_t i, const void *opaque)
{
    (void)opaque;
    return i < G_N_ELEMENTS(format_options) ? format_options[i].name : NULL;
}

bool img_wants_option_help(const char *options)
{
    return options && (!strcmp(options, "help") || !strcmp(options, "?") ||
                       g_str_has_prefix(options, "help,") || g_str_has_suffix(options, ",help"));
}

void img_print_option_help(const char *format)
{
    bool raw = !strcmp(format, "raw");

    printf("Supported %s options:\n", format);
    for (size_t i = 0; i < G_N_ELEMENTS(format_options); i++) {
        const FormatOption *o = &format_options[i];
        if (!raw || o->raw) {
            printf("  %s=%s%*s- %s\n", o->name, o->value,
                   (int)(24 - strlen(o->name) - strlen(o->value)), "", o->help);
        }
    }
}

static bool set_option(ImgCreate *c, const char *name, const char *value, Error *err)
{
    const char *near;

    for (size_t i = 0; i < G_N_ELEMENTS(format_options); i++) {
        const FormatOption *o = &format_options[i];
        if (!strcmp(o->name, name)) {
            if (!o->raw && !strcmp(c->format, "raw")) {
                return error_set(err, "-o %s: format raw has no such option", name);
            }
            return o->set(c, value, err) || error_prepend(err, "-o");
        }
    }
    near = str_nearest(name, format_option_name, NULL);
    return near ? error_set(err, "-o %s: unknown option; did you mean '%s'?", name, near)
                : error_set(err, "-o %s: unknown option of format %s (-o help lists them)", name,
                            c->format);
}

/* name=value,name=value; a comma in a value is written twice. Pieces of c->options stay in use. */
bool img_create_options(ImgCreate *c, Error *err)
{
    char *p = c->options;

    if (strcmp(c->format, "raw") && strcmp(c->format, "qcow2")) {
        return error_set(err, "unknown format '%s' (images can be made in: raw, qcow2)", c->format);
    }
    while (p && *p) {
        char *name = p, *value = strchr(p, '='), *to, *from;
        if (!value || value == name) {
            return error_set(err, "-o %s: expecting name=value", p);
        }
        *value++ = '\0';
        for (from = to = value; *from && (*from != ',' || from[1] == ','); from++) {
            from += *from == ',';
            *to++ = *from;
        }
        p = *from ? from + 1 : from;
        *to = '\0';
        if (!set_option(c, name, value, err)) {
            return false;
        }
    }
    return true;
}

/* ---- making */

/* The backing file must open, and gives the size when none was named. */
static bool look_at_backing(ImgCreate *c, Error *err)
{
    char *path = block_backing_path(c->file, c->backing);
    BlockNodeOptions o = {.file = path, .format = c->backing_format, .force_share = true};
    BlockNode *n = block_node_open(&o, err);

    if (!n) {
        error_prepend(err, "backing file");
    } else if (!c->has_size) {
        c->size_bytes = n->size_bytes;
        c->has_size = true;
    }
    block_node_close(n, NULL);
    g_free(path);
    return n != NULL;
}

static const char *prealloc_name(BlockPreallocation p)
{
    static const char *const names[] = {"off", "metadata", "falloc", "full"};

    return names[p];
}

static void print_formatting(const ImgCreate *c)
{
    const Qcow2Create *q = &c->qcow2;

    printf("Formatting '%s', fmt=%s", c->file, c->format);
    if (!strcmp(c->format, "raw")) {
        printf(" size=%" G_GUINT64_FORMAT, c->size_bytes);
    } else {
        printf(" cluster_size=%u extended_l2=%s", q->cluster_bytes ? q->cluster_bytes : 65536,
               q->extended_l2 ? "on" : "off");
        if (c->preallocation) {
            printf(" preallocation=%s", prealloc_name(c->preallocation));
        }
        printf(" compression_type=%s size=%" G_GUINT64_FORMAT, q->zstd ? "zstd" : "zlib",
               c->size_bytes);
        if (c->backing) {
            printf(" backing_file=%s", c->backing);
        }
        if (c->backing_format) {
            printf(" backing_fmt=%s", c->backing_format);
        }
        if (q->version) {
            printf(" compat=%s", q->version == 2 ? "0.10" : "1.1");
        }
        printf(" lazy_refcounts=%s refcount_bits=%u", q->lazy_refcounts ? "on" : "off",
               q->refcount_bits ? q->refcount_bits : 16);
    }
    putchar('\n');
}

static bool write_image(ImgCreate *c, Error *err)
{
    BlockNodeOptions o = {.file = c->file, .write = true};
    BlockNode *file = block_file_open(&o, true, err);
    bool ok;

    if (!file) {
        return false;
    }
    if (!strcmp(c->format, "raw")) {
        ok = block_node_truncate(file, c->size_bytes, c->preallocation, err);
    } else {
        c->qcow2.size_bytes = c->size_bytes;
        c->qcow2.backing = c->backing;
        c->qcow2.backing_format = c->backing_format;
        c->qcow2.preallocation = c->preallocation;
        ok = qcow2_create(file, &c->qcow2, err);
    }
    return block_node_close(file, ok ? err : NULL) && ok;
}

bool img_create(ImgCreate *c, Error *err)
{
    if (c->backing && !strcmp(c->format, "raw")) {
        return error_set(err, "%s: format raw has no backing file; qcow2 does", c->file);
    }
    if (c->backing && !*c->backing) {
        c->backing = NULL;
    }
    if (c->backing && !c->backing_format && !c->unsafe) {
        return error_set(err, "%s: the backing file needs its format named (-F raw or -F qcow2)",
                         c->file);
    }
    if (c->backing && !c->unsafe && !look_at_backing(c, err)) {
        return false;
    }
    if (!c->has_size) {
        return error_set(err, "%s: image creation needs a size", c->file);
    }
    c->size_bytes = align_up(c->size_bytes, 512);
    if (!write_image(c, err)) {
        return false;
    }
    if (!c->quiet) {
        print_formatting(c);
    }
    return true;
}

static int run(const ImgArgs *a)
{
    const char *size = img_operand(a, 1);
    Error err = {""};
    ImgCreate c = {.file = img_operand(a, 0),
                   .format = img_has(a, 'f') ? img_opt(a, 'f') : "raw",
                   .unsafe = img_has(a, 'u'),
                   .quiet = img_has(a, 'q'),
                   .options = img_opt_joined(a, 'o')};
    bool ok;

    if (img_wants_option_help(c.options)) {
        img_print_option_help(c.format);
        g_free(c.options);
        return 0;
    }
    c.backing = img_opt(a, 'b');
    c.backing_format = img_opt(a, 'F');
    ok = c.file ? img_create_options(&c, &err)
                : error_set(&err, "create: expecting an image file name");
    if (ok && size) {
        ok = set_size(&c, size, &err);
    }
    ok = ok && img_create(&c, &err);
    g_free(c.options);
    return ok ? 0 : img_fail(&err);
}

static const ImgOption options[] = {
    {'f', NULL, "FORMAT", "format of the new image: raw, qcow2 [raw]"},
    {'b', NULL, "FILE", "backing file: what shows where nothing was written (qcow2)"},
    {'F', NULL, "FORMAT", "its format"},
    {'u', NULL, NULL, "do not look at the backing file (give a size then)"},
    {'o', NULL, "NAME=VALUE,...", "options of the format; -o help lists them"},
    {0, NULL, NULL, NULL},
};

const ImgVerb img_create_verb = {
    .name = "create",
    .operands = "FILE [SIZE]",
    .help = "makes an empty image\n"
            "SIZE takes k, M, G, T; with a backing file its size is the default.\n"
            "  gemel-img create -f qcow2 disk.qcow2 20G\n"
            "  gemel-img create -f qcow2 -b base.qcow2 -F qcow2 overlay.qcow2",
    .options = options,
    .max_operands = 2,
    .run = run,
};
