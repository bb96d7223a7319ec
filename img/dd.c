/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gemel-img dd: a part of an image into a new one.
 *
 * DEVIATION: count= is how many blocks are copied, as its manual says; qemu-img 7.2 counts those
 * that skip= leaves out, too.
 */
#include <string.h>

#include "img.h"
#include "util/bits.h"
#include "util/str_nearest.h"

typedef struct Dd {
    const char *in, *out;
    uint64_t bs, count, skip;
    bool has_count;
} Dd;

static bool parse_operand(Dd *d, const char *text, Error *err)
{
    static const char *const names[] = {"if", "of", "bs", "count", "skip", NULL};
    const char *equals = strchr(text, '='), *near;
    char *name = g_strndup(text, equals ? (size_t)(equals - text) : strlen(text));
    bool ok = equals != NULL;

    if (ok && !strcmp(name, "if")) {
        d->in = equals + 1;
    } else if (ok && !strcmp(name, "of")) {
        d->out = equals + 1;
    } else if (ok && !strcmp(name, "bs")) {
        ok = img_parse_size(equals + 1, "dd: bs", &d->bs, err);
        if (ok && (!d->bs || d->bs > 1 << 30)) {
            ok = error_set(err, "dd: %s: must be 1 to 1G", text);
        }
    } else if (ok && !strcmp(name, "count")) {
        d->has_count = true;
        ok = img_parse_size(equals + 1, "dd: count", &d->count, err);
    } else if (ok && !strcmp(name, "skip")) {
        ok = img_parse_size(equals + 1, "dd: skip", &d->skip, err);
    } else {
        near = str_nearest_in(name, names);
        ok = error_set(err, "dd: unknown operand '%s'%s%s%s (there are: if= of= bs= count= skip=)",
                       text, near ? "; did you mean '" : "", near ? near : "", near ? "='?" : "");
    }
    g_free(name);
    return ok;
}

static bool copy(BlockNode *in, BlockNode *out, uint64_t from, uint64_t bytes, uint64_t bs,
                 Error *err)
{
    uint64_t piece = bs < 65536 ? 65536 / bs * bs : bs, to = 0;
    uint8_t *buf = g_malloc(piece);
    int e = 0;

    while (to < bytes && !e) {
        uint64_t n = MIN(piece, bytes - to);
        e = block_node_pread(in, from + to, buf, n);
        if (!e && !block_buf_is_zero(buf, n)) {
            e = block_node_pwrite(out, to, buf, n);
        }
        to += n;
    }
    g_free(buf);
    return e ? error_set(err, "dd: failed near byte %" G_GUINT64_FORMAT ": %s", to, g_strerror(e))
             : true;
}

static bool dd(const ImgArgs *a, const Dd *d, Error *err)
{
    ImgOpen in_options = {.file = d->in, .format = img_opt(a, 'f')};
    ImgOpen out_options = {.file = d->out, .write = true, .cache = "unsafe"};
    ImgCreate create = {.file = d->out, .has_size = true, .quiet = true};
    uint64_t from = 0, bytes;
    BlockNode *in = img_open(a, &in_options, err), *out = NULL;
    bool ok;

    if (!in) {
        return false;
    }
    if (d->skip && d->bs > in->size_bytes / d->skip) {
        fprintf(stderr, "gemel-img: %s: cannot skip to the given place: it is shorter\n", d->in);
        from = in->size_bytes;
    } else {
        from = d->skip * d->bs;
    }
    bytes = in->size_bytes - from;
    if (d->has_count && (!d->count || d->bs <= bytes / d->count)) {
        bytes = d->count * d->bs;
    }
    create.format = out_options.format = img_has(a, 'O') ? img_opt(a, 'O') : "raw";
    create.size_bytes = bytes;
    ok = img_create_options(&create, err) && img_create(&create, err) &&
         (out = img_open(a, &out_options, err)) && copy(in, out, from, bytes, d->bs, err);
    ok = img_close(out, ok ? err : NULL) && ok;
    img_close(in, NULL);
    return ok;
}

static int run(const ImgArgs *a)
{
    Dd d = {.bs = 512};
    Error err = {""};

    for (unsigned i = 0; i < a->operands->len; i++) {
        if (!parse_operand(&d, img_operand(a, i), &err)) {
            return img_fail(&err);
        }
    }
    if (!d.in || !d.out) {
        return img_fail_text("dd: needs both if=FILE and of=FILE");
    }
    return dd(a, &d, &err) ? 0 : img_fail(&err);
}

static const ImgOption options[] = {
    {'f', NULL, "FORMAT", "format of the input [look]"},
    {'O', NULL, "FORMAT", "format of the output [raw]"},
    {0, NULL, NULL, NULL},
};

const ImgVerb img_dd = {
    .name = "dd",
    .operands = "[bs=BYTES] [count=N] [skip=N] if=FILE of=FILE",
    .help = "copies a part of an image into a new one",
    .options = options,
    .min_operands = 2,
    .max_operands = 5,
    .run = run,
};
