/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device trees (Devicetree Specification v0.4), by libfdt. The blob grows as needed; the first
 * thing that goes wrong is remembered and told by fdt_flatten(), so that devices need not check
 * each line.
 */
#include <assert.h>
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <libfdt.h> /* before ours, see core/fdt.h */
#include <stdio.h>
#include <string.h>

#include "core/fdt.h"
#include "util/bits.h"

enum { START_BYTES = 16 << 10, MAX_BYTES = 64 << 20, MAX_NAMES = 1024, MAX_PATH = 512 };

struct Fdt {
    uint8_t *blob;
    size_t cap;
    char path[MAX_PATH];     /* of the current node */
    int error;               /* first -FDT_ERR_* */
    char what[2 * MAX_PATH]; /* ... and where */
    char *names[MAX_NAMES];  /* labels; phandle = first_phandle + index */
    unsigned n_names;
    uint32_t first_phandle;
};

static void fail(Fdt *f, int error, const char *what)
{
    if (!f->error) {
        f->error = error;
        snprintf(f->what, sizeof f->what, "%s in %s", what, f->path);
    }
}

/* After -FDT_ERR_NOSPACE: room for `more` bytes and as much again. */
static bool grow(Fdt *f, size_t more)
{
    size_t cap = 2 * f->cap + more;
    uint8_t *blob;

    if (cap > MAX_BYTES) {
        fail(f, -FDT_ERR_NOSPACE, "tree too large");
        return false;
    }
    blob = g_malloc(cap);
    if (fdt_open_into(f->blob, blob, (int)cap)) {
        g_free(blob);
        fail(f, -FDT_ERR_BADSTRUCTURE, "tree");
        return false;
    }
    g_free(f->blob);
    f->blob = blob;
    f->cap = cap;
    return true;
}

static Fdt *new_with(size_t cap)
{
    Fdt *f = g_new0(Fdt, 1);

    f->cap = cap;
    f->blob = g_malloc(cap);
    f->first_phandle = 1;
    strcpy(f->path, "/");
    return f;
}

Fdt *fdt_new(void)
{
    Fdt *f = new_with(START_BYTES);

    if (fdt_create_empty_tree(f->blob, (int)f->cap)) {
        assert(!"an empty tree fits");
    }
    return f;
}

Fdt *fdt_load(const void *blob, size_t bytes, Error *err)
{
    Fdt *f;
    uint32_t highest = 0;

    if (bytes < sizeof(struct fdt_header) || fdt_check_full(blob, bytes)) {
        error_set(err, "not a device tree blob, or a damaged one (dtc -I dtb checks it)");
        return NULL;
    }
    f = new_with(bytes + START_BYTES);
    if (fdt_open_into(blob, f->blob, (int)f->cap)) {
        fdt_free(f);
        error_set(err, "device tree blob of an unknown version");
        return NULL;
    }
    if (fdt_find_max_phandle(f->blob, &highest) == 0) {
        f->first_phandle = highest + 1;
    }
    return f;
}

void fdt_free(Fdt *f)
{
    if (!f) {
        return;
    }
    for (unsigned i = 0; i < f->n_names; i++) {
        g_free(f->names[i]);
    }
    g_free(f->blob);
    g_free(f);
}

/* ---- nodes ---- */

/* The child `name` of `parent`, made if it is missing; negative: failed. */
static int child(Fdt *f, int parent, const char *name, int len)
{
    int node;

    for (;;) {
        node = fdt_subnode_offset_namelen(f->blob, parent, name, len);
        if (node == -FDT_ERR_NOTFOUND) {
            node = fdt_add_subnode_namelen(f->blob, parent, name, len);
        }
        if (node != -FDT_ERR_NOSPACE) {
            return node;
        }
        if (!grow(f, 64 + (size_t)len)) {
            return -FDT_ERR_NOSPACE;
        }
    }
}

void fdt_node(Fdt *f, const char *path)
{
    const char *at = path;
    int node = 0;

    assert(path[0] == '/' && strlen(path) < sizeof f->path);
    strcpy(f->path, path);
    while (node >= 0 && *at) {
        const char *end;

        at += *at == '/';
        end = strchrnul(at, '/');
        if (end > at) {
            node = child(f, node, at, (int)(end - at));
        }
        at = end;
    }
    if (node < 0) {
        fail(f, node, "node");
    }
}

void fdt_node_unit(Fdt *f, const char *parent, const char *name, uint64_t unit)
{
    char path[MAX_PATH];

    snprintf(path, sizeof path, "%s/%s@%" PRIx64, strcmp(parent, "/") ? parent : "", name, unit);
    fdt_node(f, path);
}

/* ---- properties ---- */

void fdt_bytes(Fdt *f, const char *prop, const void *data, size_t bytes)
{
    int error;

    if (f->error) {
        return;
    }
    do {
        /* Looked up each time: writing moves what lies behind. */
        int node = fdt_path_offset(f->blob, f->path);

        error = node < 0 ? node : fdt_setprop(f->blob, node, prop, data, (int)bytes);
    } while (error == -FDT_ERR_NOSPACE && grow(f, 64 + bytes));
    if (error) {
        fail(f, error, prop);
    }
}

void fdt_u32(Fdt *f, const char *prop, uint32_t v)
{
    fdt_cells(f, prop, &v, 1);
}

void fdt_u64(Fdt *f, const char *prop, uint64_t v)
{
    fdt_cells64(f, prop, &v, 1);
}

void fdt_cells(Fdt *f, const char *prop, const uint32_t *cells, size_t n)
{
    uint8_t *buf = g_malloc(4 * n + 1);

    for (size_t i = 0; i < n; i++) {
        store_be32(buf + 4 * i, cells[i]);
    }
    fdt_bytes(f, prop, buf, 4 * n);
    g_free(buf);
}

void fdt_cells64(Fdt *f, const char *prop, const uint64_t *cells, size_t n)
{
    uint8_t *buf = g_malloc(8 * n + 1);

    for (size_t i = 0; i < n; i++) {
        store_be64(buf + 8 * i, cells[i]);
    }
    fdt_bytes(f, prop, buf, 8 * n);
    g_free(buf);
}

void fdt_put_string(Fdt *f, const char *prop, const char *s)
{
    fdt_bytes(f, prop, s, strlen(s) + 1);
}

void fdt_strings(Fdt *f, const char *prop, const char *list)
{
    const char *end = list;

    while (*end) {
        end += strlen(end) + 1;
    }
    fdt_bytes(f, prop, list, (size_t)(end - list));
}

void fdt_flag(Fdt *f, const char *prop)
{
    fdt_bytes(f, prop, "", 0);
}

uint32_t fdt_phandle(Fdt *f, const char *name)
{
    unsigned i = 0;

    while (i < f->n_names && strcmp(f->names[i], name)) {
        i++;
    }
    if (i == f->n_names) {
        assert(f->n_names < MAX_NAMES);
        f->names[f->n_names++] = g_strdup(name);
    }
    return f->first_phandle + i;
}

void fdt_label(Fdt *f, const char *name)
{
    fdt_u32(f, "phandle", fdt_phandle(f, name));
}

bool fdt_flatten(Fdt *f, const void **blob, size_t *bytes, Error *err)
{
    if (!f->error) {
        f->error = fdt_pack(f->blob);
        if (!f->error) {
            f->error = fdt_check_full(f->blob, f->cap);
        }
    }
    if (f->error) {
        return error_set(err, "device tree: %s: %s", f->what[0] ? f->what : "check",
                         fdt_strerror(f->error));
    }
    *blob = f->blob;
    *bytes = fdt_totalsize(f->blob);
    return true;
}
