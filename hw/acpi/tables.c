/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables in one blob: see hw/acpi.h. Sources: ACPI 6.4, 5.2 "ACPI System Description Tables";
 * the loader script is that of the "etc/table-loader" file: commands of 128 bytes which say what to
 * allocate, where a pointer to one file goes into another, and what to checksum.
 */
#include "hw/acpi.h"

#include <assert.h>
#include <glib.h>
#include <string.h>

#include "hw/fw_cfg.h"
#include "util/bits.h"

#define FILE_RSDP "etc/acpi/rsdp"
#define FILE_TABLES "etc/acpi/tables"
#define FILE_LOADER "etc/table-loader"

enum {
    HEADER_BYTES = 36,
    OFFSET_LENGTH = 4,
    OFFSET_CHECKSUM = 9,
    MAX_TABLES = 32,
    COMMAND_BYTES = 128,
    NAME_BYTES = 56,
    COMMAND_ALLOCATE = 1,
    COMMAND_POINTER = 2,
    COMMAND_CHECKSUM = 3,
    ZONE_HIGH = 1,
    ZONE_FSEG = 2,
    TABLES_ALIGN = 64,
    RSDP_BYTES = 36,
    RSDP_CHECKSUM = 8,
    RSDP_V1_BYTES = 20,
    RSDP_XSDT = 24,
    RSDP_EXTENDED_CHECKSUM = 32
};

struct AcpiTables {
    GByteArray *blob, *loader;
    uint32_t start; /* of the open table */
    bool hidden;
    uint32_t listed[MAX_TABLES]; /* for the XSDT */
    unsigned n_listed;
};

/* ---- the script */

static uint8_t *new_command(AcpiTables *a, uint32_t command)
{
    guint at = a->loader->len;

    g_byte_array_set_size(a->loader, at + COMMAND_BYTES);
    memset(a->loader->data + at, 0, COMMAND_BYTES);
    store_le32(a->loader->data + at, command);
    return a->loader->data + at + 4;
}

static void script_allocate(AcpiTables *a, const char *file, uint32_t align, uint8_t zone)
{
    uint8_t *c = new_command(a, COMMAND_ALLOCATE);

    memcpy(c, file, strlen(file));
    store_le32(c + NAME_BYTES, align);
    c[NAME_BYTES + 4] = zone;
}

static void script_pointer(AcpiTables *a, const char *in, uint32_t offset, uint8_t bytes)
{
    uint8_t *c = new_command(a, COMMAND_POINTER);

    memcpy(c, in, strlen(in));
    memcpy(c + NAME_BYTES, FILE_TABLES, sizeof FILE_TABLES);
    store_le32(c + 2 * NAME_BYTES, offset);
    c[2 * NAME_BYTES + 4] = bytes;
}

static void script_checksum(AcpiTables *a, const char *file, uint32_t at, uint32_t start,
                            uint32_t bytes)
{
    uint8_t *c = new_command(a, COMMAND_CHECKSUM);

    memcpy(c, file, strlen(file));
    store_le32(c + NAME_BYTES, at);
    store_le32(c + NAME_BYTES + 4, start);
    store_le32(c + NAME_BYTES + 8, bytes);
}

/* ---- the blob */

AcpiTables *acpi_new(void)
{
    AcpiTables *a = g_new0(AcpiTables, 1);

    a->blob = g_byte_array_new();
    a->loader = g_byte_array_new();
    script_allocate(a, FILE_RSDP, 16, ZONE_FSEG);
    script_allocate(a, FILE_TABLES, TABLES_ALIGN, ZONE_HIGH);
    return a;
}

void acpi_free(AcpiTables *a)
{
    if (a) {
        g_byte_array_unref(a->blob);
        g_byte_array_unref(a->loader);
        g_free(a);
    }
}

const uint8_t *acpi_blob(const AcpiTables *a, size_t *bytes)
{
    *bytes = a->blob->len;
    return a->blob->data;
}

void acpi_put(AcpiTables *a, const void *data, size_t bytes)
{
    g_byte_array_append(a->blob, data, (guint)bytes);
}

void acpi_put8(AcpiTables *a, uint8_t v)
{
    acpi_put(a, &v, 1);
}

void acpi_put16(AcpiTables *a, uint16_t v)
{
    uint8_t b[2];

    store_le16(b, v);
    acpi_put(a, b, sizeof b);
}

void acpi_put32(AcpiTables *a, uint32_t v)
{
    uint8_t b[4];

    store_le32(b, v);
    acpi_put(a, b, sizeof b);
}

void acpi_put64(AcpiTables *a, uint64_t v)
{
    uint8_t b[8];

    store_le64(b, v);
    acpi_put(a, b, sizeof b);
}

void acpi_zero(AcpiTables *a, size_t bytes)
{
    guint at = a->blob->len;

    if (bytes == 0) {
        return;
    }
    g_byte_array_set_size(a->blob, at + (guint)bytes);
    memset(a->blob->data + at, 0, bytes);
}

void acpi_put_gas(AcpiTables *a, uint8_t bits, uint64_t gpa)
{
    acpi_put8(a, 0); /* system memory */
    acpi_put8(a, bits);
    acpi_put8(a, 0);
    acpi_put8(a, (uint8_t)(ctz32(bits / 8) + 1)); /* access size: 1 byte is 1, doubling */
    acpi_put64(a, gpa);
}

uint32_t acpi_length(const AcpiTables *a)
{
    return a->blob->len - a->start;
}

void acpi_put_pointer(AcpiTables *a, uint32_t offset)
{
    script_pointer(a, FILE_TABLES, a->blob->len, 8);
    acpi_put64(a, offset);
}

void acpi_hide(AcpiTables *a)
{
    a->hidden = true;
}

uint32_t acpi_begin(AcpiTables *a, const char *signature, uint8_t revision)
{
    acpi_zero(a, -a->blob->len & 7);
    a->start = a->blob->len;
    a->hidden = false;
    acpi_put(a, signature, 4);
    acpi_put32(a, 0); /* length */
    acpi_put8(a, revision);
    acpi_put8(a, 0); /* checksum */
    acpi_put(a, "GEMEL ", 6);
    acpi_put(a, "GEMELVRT", 8);
    acpi_put32(a, 1);
    acpi_put(a, "GMEL", 4);
    acpi_put32(a, 1);
    return a->start;
}

void acpi_end(AcpiTables *a)
{
    uint32_t bytes = a->blob->len - a->start;

    store_le32(a->blob->data + a->start + OFFSET_LENGTH, bytes);
    script_checksum(a, FILE_TABLES, a->start + OFFSET_CHECKSUM, a->start, bytes);
    if (!a->hidden) {
        assert(a->n_listed < MAX_TABLES);
        a->listed[a->n_listed++] = a->start;
    }
}

bool acpi_finish(AcpiTables *a, Device *fw_cfg, Error *err)
{
    uint8_t rsdp[RSDP_BYTES] = {0};

    uint32_t xsdt = acpi_begin(a, "XSDT", 1);
    for (unsigned i = 0; i < a->n_listed; i++) {
        acpi_put_pointer(a, a->listed[i]);
    }
    acpi_hide(a);
    acpi_end(a);
    memcpy(rsdp, "RSD PTR ", 8);
    memcpy(rsdp + 9, "GEMEL ", 6);
    rsdp[15] = 2; /* revision: with the extended part */
    store_le32(rsdp + 20, RSDP_BYTES);
    store_le64(rsdp + RSDP_XSDT, xsdt);
    script_pointer(a, FILE_RSDP, RSDP_XSDT, 8);
    script_checksum(a, FILE_RSDP, RSDP_CHECKSUM, 0, RSDP_V1_BYTES);
    script_checksum(a, FILE_RSDP, RSDP_EXTENDED_CHECKSUM, 0, RSDP_BYTES);
    return fw_cfg_add_file(fw_cfg, FILE_RSDP, rsdp, sizeof rsdp, err) &&
           fw_cfg_add_file(fw_cfg, FILE_TABLES, a->blob->data, a->blob->len, err) &&
           fw_cfg_add_file(fw_cfg, FILE_LOADER, a->loader->data, a->loader->len, err);
}
