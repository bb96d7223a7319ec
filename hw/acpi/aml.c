/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The AML writer: see hw/aml.h. Encodings from ACPI 6.4, 20.2 "AML Grammar Definition" and 6.4
 * "Resource Data Types for ACPI".
 */
#include "hw/aml.h"

#include <assert.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/machine.h"
#include "util/bits.h"

enum { MAX_DEPTH = 16 };

typedef enum ListKind { LIST_PLAIN, LIST_TEMPLATE } ListKind;

struct Aml {
    GByteArray *out;
    unsigned depth;
    struct {
        unsigned body; /* where the package length will be put in */
        uint8_t kind;  /* ListKind */
    } open[MAX_DEPTH];
};

enum {
    OP_ZERO = 0x00,
    OP_ONE = 0x01,
    OP_NAME = 0x08,
    OP_BYTE = 0x0a,
    OP_WORD = 0x0b,
    OP_DWORD = 0x0c,
    OP_STRING = 0x0d,
    OP_QWORD = 0x0e,
    OP_SCOPE = 0x10,
    OP_BUFFER = 0x11,
    OP_PACKAGE = 0x12,
    OP_METHOD = 0x14,
    OP_DUAL_NAME = 0x2e,
    OP_MULTI_NAME = 0x2f,
    OP_EXT = 0x5b,
    OP_LOCAL0 = 0x60,
    OP_ARG0 = 0x68,
    OP_STORE = 0x70,
    OP_AND = 0x7b,
    OP_OR = 0x7d,
    OP_NOTIFY = 0x86,
    OP_CREATE_DWORD = 0x8a,
    OP_LNOT = 0x92,
    OP_LEQUAL = 0x93,
    OP_IF = 0xa0,
    OP_ELSE = 0xa1,
    OP_RETURN = 0xa4,
    OP_ONES = 0xff,
    EXT_REGION = 0x80,
    EXT_FIELD = 0x81,
    EXT_DEVICE = 0x82
};

Aml *aml_new(void)
{
    Aml *a = g_new0(Aml, 1);

    a->out = g_byte_array_new();
    return a;
}

void aml_free(Aml *a)
{
    if (a) {
        g_byte_array_unref(a->out);
        g_free(a);
    }
}

const uint8_t *aml_data(const Aml *a, size_t *bytes)
{
    assert(a->depth == 0);
    *bytes = a->out->len;
    return a->out->data;
}

/* ---- bytes */

static void put(Aml *a, const void *data, size_t bytes)
{
    g_byte_array_append(a->out, data, (guint)bytes);
}

static void put8(Aml *a, unsigned v)
{
    put(a, &(uint8_t){(uint8_t)v}, 1);
}

static void put16(Aml *a, unsigned v)
{
    uint8_t b[2];

    store_le16(b, (uint16_t)v);
    put(a, b, sizeof b);
}

static void put32(Aml *a, uint32_t v)
{
    uint8_t b[4];

    store_le32(b, v);
    put(a, b, sizeof b);
}

static void put64(Aml *a, uint64_t v)
{
    uint8_t b[8];

    store_le64(b, v);
    put(a, b, sizeof b);
}

static void insert(Aml *a, unsigned at, const uint8_t *data, unsigned bytes)
{
    unsigned tail = a->out->len - at;

    g_byte_array_set_size(a->out, a->out->len + bytes);
    memmove(a->out->data + at + bytes, a->out->data + at, tail);
    memcpy(a->out->data + at, data, bytes);
}

/* PkgLength counts itself: one byte up to 63, else a count of more bytes in its top two bits. */
static unsigned encode_length(uint8_t out[4], unsigned body)
{
    if (body + 1 < 64) {
        out[0] = (uint8_t)(body + 1);
        return 1;
    }
    unsigned more = body + 2 < 1u << 12 ? 1 : body + 3 < 1u << 20 ? 2 : 3;
    unsigned length = body + 1 + more;
    out[0] = (uint8_t)(more << 6 | (length & 0xf));
    for (unsigned i = 0; i < more; i++) {
        out[1 + i] = (uint8_t)(length >> (4 + 8 * i));
    }
    return 1 + more;
}

static void open_list(Aml *a, ListKind kind)
{
    assert(a->depth < MAX_DEPTH);
    a->open[a->depth].body = a->out->len;
    a->open[a->depth].kind = (uint8_t)kind;
    a->depth++;
}

static void close_list(Aml *a)
{
    uint8_t length[4];

    assert(a->depth > 0);
    unsigned at = a->open[--a->depth].body;
    unsigned n = encode_length(length, a->out->len - at);
    insert(a, at, length, n);
}

void aml_end(Aml *a)
{
    assert(a->depth > 0);
    if (a->open[a->depth - 1].kind == LIST_TEMPLATE) {
        put8(a, 0x79); /* end tag; checksum 0: none */
        put8(a, 0);
        unsigned at = a->open[a->depth - 1].body, bytes = a->out->len - at;
        uint8_t size[3] = {OP_WORD, (uint8_t)bytes, (uint8_t)(bytes >> 8)};
        insert(a, at, size, sizeof size);
    }
    close_list(a);
}

/* ---- names */

static void put_segment(Aml *a, const char *s, size_t letters)
{
    char seg[4] = {'_', '_', '_', '_'};

    assert(letters >= 1 && letters <= 4);
    memcpy(seg, s, letters);
    put(a, seg, sizeof seg);
}

void aml_path(Aml *a, const char *path)
{
    unsigned n = 1;

    while (*path == '\\' || *path == '^') {
        put8(a, (uint8_t)*path++);
    }
    for (const char *p = path; *p; p++) {
        n += *p == '.';
    }
    if (!*path) {
        put8(a, 0);
        return;
    }
    if (n == 2) {
        put8(a, OP_DUAL_NAME);
    } else if (n > 2) {
        put8(a, OP_MULTI_NAME);
        put8(a, n);
    }
    while (*path) {
        const char *end = strchrnul(path, '.');
        put_segment(a, path, (size_t)(end - path));
        path = *end ? end + 1 : end;
    }
}

/* ---- lists */

void aml_scope(Aml *a, const char *path)
{
    put8(a, OP_SCOPE);
    open_list(a, LIST_PLAIN);
    aml_path(a, path);
}

void aml_device(Aml *a, const char *name)
{
    put8(a, OP_EXT);
    put8(a, EXT_DEVICE);
    open_list(a, LIST_PLAIN);
    aml_path(a, name);
}

void aml_method(Aml *a, const char *name, unsigned n_args, bool serialized)
{
    put8(a, OP_METHOD);
    open_list(a, LIST_PLAIN);
    aml_path(a, name);
    put8(a, n_args | (serialized ? 8 : 0));
}

void aml_package(Aml *a, uint8_t n_elements)
{
    put8(a, OP_PACKAGE);
    open_list(a, LIST_PLAIN);
    put8(a, n_elements);
}

void aml_if(Aml *a)
{
    put8(a, OP_IF);
    open_list(a, LIST_PLAIN);
}

void aml_else(Aml *a)
{
    put8(a, OP_ELSE);
    open_list(a, LIST_PLAIN);
}

void aml_template(Aml *a)
{
    put8(a, OP_BUFFER);
    open_list(a, LIST_TEMPLATE);
}

/* ---- objects */

void aml_name(Aml *a, const char *name)
{
    put8(a, OP_NAME);
    aml_path(a, name);
}

void aml_int(Aml *a, uint64_t v)
{
    if (v <= 1) {
        put8(a, (unsigned)v);
    } else if (v == UINT64_MAX) {
        put8(a, OP_ONES);
    } else if (v <= UINT8_MAX) {
        put8(a, OP_BYTE);
        put8(a, (unsigned)v);
    } else if (v <= UINT16_MAX) {
        put8(a, OP_WORD);
        put16(a, (unsigned)v);
    } else if (v <= UINT32_MAX) {
        put8(a, OP_DWORD);
        put32(a, (uint32_t)v);
    } else {
        put8(a, OP_QWORD);
        put64(a, v);
    }
}

void aml_string(Aml *a, const char *s)
{
    put8(a, OP_STRING);
    put(a, s, strlen(s) + 1);
}

/* Three letters of five bits and four hex digits, as a big-endian number (6.1.5 "_HID"). */
void aml_eisa_id(Aml *a, const char *id)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < 3; i++) {
        v = v << 5 | (uint32_t)(id[i] - 0x40);
    }
    v = v << 16 | (uint32_t)strtoul(id + 3, NULL, 16);
    put8(a, OP_DWORD);
    put32(a, __builtin_bswap32(v));
}

void aml_bytes(Aml *a, const void *data, size_t bytes)
{
    put8(a, OP_BUFFER);
    open_list(a, LIST_PLAIN);
    aml_int(a, bytes);
    put(a, data, bytes);
    close_list(a);
}

/* The first three groups are little-endian (ToUUID). */
void aml_uuid(Aml *a, const char *uuid)
{
    static const uint8_t order[16] = {6, 4, 2, 0, 11, 9, 16, 14, 19, 21, 24, 26, 28, 30, 32, 34};
    uint8_t bytes[16];

    for (unsigned i = 0; i < sizeof bytes; i++) {
        const char digits[3] = {uuid[order[i]], uuid[order[i] + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    aml_bytes(a, bytes, sizeof bytes);
}

void aml_arg(Aml *a, unsigned n)
{
    put8(a, OP_ARG0 + n);
}

void aml_local(Aml *a, unsigned n)
{
    put8(a, OP_LOCAL0 + n);
}

void aml_name_int(Aml *a, const char *name, uint64_t v)
{
    aml_name(a, name);
    aml_int(a, v);
}

void aml_name_string(Aml *a, const char *name, const char *s)
{
    aml_name(a, name);
    aml_string(a, s);
}

/* ---- operators */

void aml_return(Aml *a)
{
    put8(a, OP_RETURN);
}

void aml_store(Aml *a)
{
    put8(a, OP_STORE);
}

void aml_notify(Aml *a, const char *path)
{
    put8(a, OP_NOTIFY);
    aml_path(a, path);
}

void aml_lequal(Aml *a)
{
    put8(a, OP_LEQUAL);
}

void aml_and(Aml *a)
{
    put8(a, OP_AND);
}

void aml_or(Aml *a)
{
    put8(a, OP_OR);
}

void aml_no_target(Aml *a)
{
    put8(a, 0);
}

void aml_lnot(Aml *a)
{
    put8(a, OP_LNOT);
}

void aml_operation_region(Aml *a, const char *name, uint64_t gpa, uint64_t bytes)
{
    put8(a, OP_EXT);
    put8(a, EXT_REGION);
    aml_path(a, name);
    put8(a, 0); /* system memory */
    aml_int(a, gpa);
    aml_int(a, bytes);
}

void aml_field32(Aml *a, const char *region, const char *name)
{
    put8(a, OP_EXT);
    put8(a, EXT_FIELD);
    open_list(a, LIST_PLAIN);
    aml_path(a, region);
    put8(a, 3); /* DWordAcc, NoLock, Preserve */
    put_segment(a, name, strlen(name));
    put8(a, 32); /* bits, as a package length of one byte */
    close_list(a);
}

void aml_create_dword_field(Aml *a)
{
    put8(a, OP_CREATE_DWORD);
}

/* ---- resources */

void aml_memory32(Aml *a, uint32_t base, uint32_t bytes)
{
    put8(a, 0x86); /* 32-bit fixed memory range */
    put16(a, 9);
    put8(a, 1); /* writable */
    put32(a, base);
    put32(a, bytes);
}

/* General flags of address space descriptors (table 6.49). */
enum { RANGE_CONSUMER = 1, RANGE_FIXED = 0x0c };

static void put_qword_range(Aml *a, unsigned type, unsigned general, unsigned specific,
                            const uint64_t v[4])
{
    put8(a, 0x8a); /* QWord address space */
    put16(a, 43);
    put8(a, type);
    put8(a, general);
    put8(a, specific);
    put64(a, 0); /* granularity */
    put64(a, v[0]);
    put64(a, v[1]);
    put64(a, v[2]);
    put64(a, v[3]);
}

void aml_memory64(Aml *a, uint64_t base, uint64_t bytes)
{
    put_qword_range(a, AML_RANGE_MEMORY, RANGE_FIXED | RANGE_CONSUMER, 1,
                    (uint64_t[4]){base, base + bytes - 1, 0, bytes});
}

void aml_window(Aml *a, AmlRange kind, uint64_t base, uint64_t bytes, uint64_t cpu_minus_bus,
                bool prefetch)
{
    /* memory: read-write, 3 << 1 prefetchable; I/O: the entire range, translated to memory when the
     * CPU has no I/O space of its own */
    unsigned specific =
        kind == AML_RANGE_MEMORY ? 1 | (prefetch ? 3 << 1 : 0) : 3 | (cpu_minus_bus ? 1 << 4 : 0);

    put_qword_range(a, kind, RANGE_FIXED, specific,
                    (uint64_t[4]){base, base + bytes - 1, cpu_minus_bus, bytes});
}

void aml_bus_numbers(Aml *a, uint16_t first, uint16_t count)
{
    put8(a, 0x88); /* Word address space */
    put16(a, 13);
    put8(a, AML_RANGE_BUS);
    put8(a, RANGE_FIXED);
    put8(a, 0);
    put16(a, 0);
    put16(a, first);
    put16(a, first + count - 1);
    put16(a, 0);
    put16(a, count);
}

void aml_interrupt(Aml *a, uint32_t gsi, bool edge)
{
    put8(a, 0x89); /* extended interrupt */
    put16(a, 6);
    put8(a, 1 | (edge ? 2 : 0)); /* consumer, active high, exclusive */
    put8(a, 1);
    put32(a, gsi);
}

void aml_gpio_event(Aml *a, const char *path, uint16_t pin)
{
    enum { HEAD = 23 }; /* bytes of the descriptor before the pin table */
    size_t name_bytes = strlen(path) + 1;

    put8(a, 0x8c); /* GPIO connection */
    put16(a, (unsigned)(HEAD - 3 + 2 + name_bytes));
    put8(a, 1);  /* revision */
    put8(a, 0);  /* interrupt connection */
    put16(a, 1); /* consumer */
    put16(a, 1); /* edge, active high, exclusive, no wake */
    put8(a, 2);  /* pull down */
    put16(a, 0); /* drive strength */
    put16(a, 0); /* debounce */
    put16(a, HEAD);
    put8(a, 0); /* source index */
    put16(a, HEAD + 2);
    put16(a, (unsigned)(HEAD + 2 + name_bytes)); /* vendor data: none */
    put16(a, 0);
    put16(a, pin);
    put(a, path, name_bytes);
}

/* ---- shapes */

/* How many devices of its class come before d. */
static unsigned number_of(Device *d)
{
    unsigned n = 0;

    for (Device *o = d->machine->devices; o && o != d; o = o->next) {
        n += o->cls == d->cls;
    }
    return n;
}

void aml_device_mmio_irq(Aml *a, Device *d, const AmlMmioDevice *m)
{
    char name[5];
    unsigned n = number_of(d);

    const char *percent = strchr(m->name, '%');
    if (percent && percent[1] == 'u') {
        g_snprintf(name, sizeof name, "%.*s%u", (int)(percent - m->name), m->name, n);
    } else if (percent) {
        g_snprintf(name, sizeof name, "%.*s%02X", (int)(percent - m->name), m->name, n);
    } else {
        g_strlcpy(name, m->name, sizeof name);
    }
    aml_device(a, name);
    aml_name_string(a, "_HID", m->hid);
    aml_name_int(a, "_UID", n);
    if (m->coherent) {
        aml_name_int(a, "_CCA", 1);
    }
    aml_name(a, "_CRS");
    aml_template(a);
    aml_memory32(a, (uint32_t)d->base[0], (uint32_t)d->mmio[0].bytes);
    if (d->spi[0]) {
        aml_interrupt(a, AML_GSI_SPI_FIRST + d->spi[0], m->edge);
    }
    aml_end(a);
    if (!m->open) {
        aml_end(a);
    }
}
