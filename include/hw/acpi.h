/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables as a blob, and the script by which UEFI firmware places and links them.
 */
#ifndef GEMEL_HW_ACPI_H
#define GEMEL_HW_ACPI_H

#include "core/device.h"

typedef struct AcpiTables AcpiTables;

AcpiTables *acpi_new(void);
void        acpi_free(AcpiTables *a);

/* Starts a table; bytes follow by acpi_put*(), then acpi_end(). Returns its offset in the blob. */
uint32_t acpi_begin(AcpiTables *a, const char *signature, uint8_t revision);
void     acpi_end(AcpiTables *a);
void     acpi_put(AcpiTables *a, const void *data, size_t bytes);
void     acpi_put8(AcpiTables *a, uint8_t v);
void     acpi_put16(AcpiTables *a, uint16_t v);
void     acpi_put32(AcpiTables *a, uint32_t v);
void     acpi_put64(AcpiTables *a, uint64_t v);
void     acpi_zero(AcpiTables *a, size_t bytes);
/* Generic Address Structure of a memory-mapped register of `bits`. */
void     acpi_put_gas(AcpiTables *a, uint8_t bits, uint64_t gpa);
/* Bytes of the open table so far. */
uint32_t acpi_length(const AcpiTables *a);
/* 8 bytes that will hold the address of the table at `offset` of the blob. */
void     acpi_put_pointer(AcpiTables *a, uint32_t offset);
/* Leaves the table out of the XSDT (a DSDT, which the FADT points to). */
void     acpi_hide(AcpiTables *a);

/* Adds XSDT and RSDP and gives everything to fw_cfg as etc/acpi/rsdp, etc/acpi/tables and
 * etc/table-loader. */
bool acpi_finish(AcpiTables *a, Device *fw_cfg, Error *err);
/* The blob, with offsets where addresses will be: for tests. */
const uint8_t *acpi_blob(const AcpiTables *a, size_t *bytes);

#endif
