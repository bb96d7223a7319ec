/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes a flattened device tree (Devicetree Specification v0.4) by libfdt. The board opens nodes and
 * asks each device to describe itself; phandles are handed out by name.
 */
#ifndef GEMEL_CORE_FDT_H
#define GEMEL_CORE_FDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

typedef struct Fdt Fdt;

Fdt *fdt_new(void);
/* Starts from a tree given by -dtb: later writes replace properties of the same name. */
Fdt *fdt_load(const void *blob, size_t bytes, Error *err);
void fdt_free(Fdt *f);

/* Creates `path` ("/soc/pl011@9000000") and its parents where missing; properties then go there. */
void fdt_node(Fdt *f, const char *path);
void fdt_node_unit(Fdt *f, const char *parent, const char *name, uint64_t unit); /* parent/name@unit */
void fdt_u32(Fdt *f, const char *prop, uint32_t v);
void fdt_u64(Fdt *f, const char *prop, uint64_t v);
void fdt_cells(Fdt *f, const char *prop, const uint32_t *cells, size_t n);
void fdt_cells64(Fdt *f, const char *prop, const uint64_t *cells, size_t n); /* two cells each */
void fdt_put_string(Fdt *f, const char *prop, const char *s);
/* Several strings, each ended by NUL, the list by an empty one: "arm,pl031\0arm,primecell\0". */
void fdt_strings(Fdt *f, const char *prop, const char *list);
void fdt_bytes(Fdt *f, const char *prop, const void *data, size_t bytes);
void fdt_flag(Fdt *f, const char *prop);
/* The phandle known by `name` ("gic", "apb_clk"), made on first use; fdt_label gives it to the
 * current node. */
uint32_t fdt_phandle(Fdt *f, const char *name);
void     fdt_label(Fdt *f, const char *name);

/* The finished blob, owned by f. false: too large or broken (a bug) with a reason. */
bool fdt_flatten(Fdt *f, const void **blob, size_t *bytes, Error *err);

/* libfdt has functions of these names, so ours must not be symbols; who includes libfdt.h first uses
 * the long names. */
#ifndef LIBFDT_H
static inline void fdt_string(Fdt *f, const char *prop, const char *s)
{
    fdt_put_string(f, prop, s);
}

static inline bool fdt_finish(Fdt *f, const void **blob, size_t *bytes, Error *err)
{
    return fdt_flatten(f, blob, bytes, err);
}
#endif

#endif
