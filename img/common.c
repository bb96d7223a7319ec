/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gemel-img: reporting, sizes, progress, opening. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "img.h"

int img_fail(const Error *err)
{
    error_report(err, "gemel-img", stderr);
    return 1;
}

int img_fail_text(const char *fmt, ...)
{
    va_list ap;

    fputs("gemel-img: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return 1;
}

void img_note(const ImgArgs *a, const char *fmt, ...)
{
    va_list ap;

    if (!img_has(a, 'q')) {
        va_start(ap, fmt);
        vprintf(fmt, ap);
        va_end(ap);
    }
}

bool img_parse_size(const char *text, const char *what, uint64_t *bytes, Error *err)
{
    static const char units[] = "bkmgtpe";
    char *end;
    double value = g_ascii_strtod(text, &end);
    const char *unit = *end ? strchr(units, g_ascii_tolower(*end)) : units;
    unsigned shift = unit ? (unsigned)(unit - units) * 10 : 0;

    if (end == text || *text == '-' || *text == '+' || !unit || (*end && end[1]) ||
        !isfinite(value)) {
        return error_set(err, "%s: '%s' is no size (a number, then k, M, G, T, P or E)", what,
                         text);
    }
    if (value * (double)(1ull << shift) >= 9223372036854775808.0) {
        return error_set(err, "%s: '%s' is too large", what, text);
    }
    *bytes = (uint64_t)(value * (double)(1ull << shift));
    /* Whole numbers beyond what a double holds exactly */
    if (!strpbrk(text, ".eExX") || *end) {
        uint64_t whole = g_ascii_strtoull(text, &end, 0);
        if (strchr(units, g_ascii_tolower(*end)) && whole <= UINT64_MAX >> shift) {
            *bytes = whole << shift;
        }
    }
    return true;
}

char *img_size_text(uint64_t bytes)
{
    static const char *const units[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    int exponent;

    /* 1000 of one unit are shown as 0.98 of the next, so three digits always do. */
    frexp((double)bytes / (1000.0 / 1024.0), &exponent);
    exponent = exponent > 0 ? (exponent - 1) / 10 : 0;
    return g_strdup_printf("%0.3g %sB", (double)bytes / (double)(1ull << (exponent * 10)),
                           units[exponent]);
}

bool img_output_json(const ImgArgs *a, bool *json, Error *err)
{
    const char *text = img_opt(a, IMG_OUTPUT);

    *json = text && !strcmp(text, "json");
    if (text && !*json && strcmp(text, "human")) {
        return error_set(err, "%s: --output=%s: must be human or json", a->verb->name, text);
    }
    return true;
}

void img_progress_start(ImgProgress *p, const ImgArgs *a, uint64_t total)
{
    *p = (ImgProgress){.on = img_has(a, 'p') && !img_has(a, 'q'), .total = total, .last = -1};
    p->bar = p->on && isatty(STDOUT_FILENO);
    img_progress(p, 0);
}

void img_progress(ImgProgress *p, uint64_t done)
{
    double share = p->total ? (double)done / (double)p->total : 1;
    int now = (int)(share * 10000);

    if (!p->on || now == p->last) {
        return;
    }
    p->last = now;
    if (p->bar) {
        int filled = (int)(share * 40);
        printf("\r  [%.*s%.*s] %6.2f%% ", filled, "########################################",
               40 - filled, "........................................", share * 100);
    } else {
        printf("    (%3.2f/100%%)\r", share * 100);
    }
    fflush(stdout);
}

void img_progress_end(ImgProgress *p)
{
    img_progress(p, p->total);
    if (p->on) {
        putchar('\n');
    }
}

BlockNode *img_open(const ImgArgs *a, const ImgOpen *o, Error *err)
{
    BlockNodeOptions n = {
        .file = o->file,
        .format = o->format,
        .write = o->write,
        .no_backing = o->no_backing,
        .for_check = o->for_check,
        .force_share = img_has(a, 'U') && !o->write,
    };
    BlockNode *node;

    if (o->cache && !block_parse_cache(o->cache, &n.cache, err)) {
        return NULL;
    }
    node = block_node_open(&n, err);
    if (!node) {
        error_prepend(err, "could not open '%s'", o->file);
    } else if (node->probed && o->write && !o->quiet && !strcmp(node->driver->name, "raw")) {
        fprintf(stderr,
                "gemel-img: warning: %s: no format was named (-f) and it looks like none, so it "
                "is taken as raw\n",
                o->file);
    }
    return node;
}

bool img_close(BlockNode *n, Error *err)
{
    return block_node_close(n, err);
}
