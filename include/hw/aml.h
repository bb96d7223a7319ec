/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes ACPI Machine Language (ACPI 6.4, chapters 6 "Device Configuration" and 20 "AML"). A device
 * describes itself by class->acpi, called inside \_SB.
 *
 * What takes a list (scope, device, method, package, if, template) is opened and closed by aml_end().
 * An operator is followed by its operands: aml_return(a); aml_int(a, 1);. Names are given as in
 * ASL ("\\_SB", "PCI0", "^^FOO", "A.B"); segments shorter than four letters are padded.
 */
#ifndef GEMEL_HW_AML_H
#define GEMEL_HW_AML_H

#include <stdarg.h>

#include "core/device.h"

typedef struct Aml Aml;

Aml *aml_new(void);
void aml_free(Aml *a);
const uint8_t *aml_data(const Aml *a, size_t *bytes);

/* ---- lists */
void aml_scope(Aml *a, const char *path);
void aml_device(Aml *a, const char *name);
void aml_method(Aml *a, const char *name, unsigned n_args, bool serialized);
void aml_package(Aml *a, uint8_t n_elements);
void aml_if(Aml *a); /* then the predicate, then the statements */
void aml_else(Aml *a);
void aml_template(Aml *a); /* resources; ResourceTemplate() */
void aml_end(Aml *a);

/* ---- objects */
void aml_name(Aml *a, const char *name); /* Name(name, the object that follows) */
void aml_int(Aml *a, uint64_t v);
void aml_string(Aml *a, const char *s);
void aml_eisa_id(Aml *a, const char *id); /* "PNP0A08" */
void aml_uuid(Aml *a, const char *uuid);  /* "33db4d5b-1ff7-401c-9657-7441c03dd766", ToUUID */
void aml_bytes(Aml *a, const void *data, size_t bytes); /* Buffer */
void aml_path(Aml *a, const char *path);
void aml_arg(Aml *a, unsigned n);
void aml_local(Aml *a, unsigned n);

/* Names with an integer or string, for short. */
void aml_name_int(Aml *a, const char *name, uint64_t v);
void aml_name_string(Aml *a, const char *name, const char *s);

/* ---- operators */
void aml_return(Aml *a);
void aml_store(Aml *a);                    /* source, target */
void aml_notify(Aml *a, const char *path); /* then the value */
void aml_lequal(Aml *a);                   /* two operands */
void aml_and(Aml *a);                      /* two operands, target */
void aml_or(Aml *a);                       /* two operands, target */
void aml_no_target(Aml *a);
void aml_lnot(Aml *a);                     /* one operand */
/* OperationRegion (name, SystemMemory, gpa, bytes) and Field of one 32-bit register in it. */
void aml_operation_region(Aml *a, const char *name, uint64_t gpa, uint64_t bytes);
void aml_field32(Aml *a, const char *region, const char *name);
void aml_create_dword_field(Aml *a);       /* buffer, byte index, then the name by aml_path() */

/* ---- resources, inside aml_template() */
typedef enum AmlRange { AML_RANGE_MEMORY, AML_RANGE_IO, AML_RANGE_BUS } AmlRange;
void aml_memory32(Aml *a, uint32_t base, uint32_t bytes);
/* A consumed window of 64 bits, [base, base + bytes); for devices above 4 GiB. */
void aml_memory64(Aml *a, uint64_t base, uint64_t bytes);
/* A produced window that a bridge hands down. */
void aml_window(Aml *a, AmlRange kind, uint64_t base, uint64_t bytes, uint64_t cpu_minus_bus,
                bool prefetch);
void aml_bus_numbers(Aml *a, uint16_t first, uint16_t count);
/* Extended interrupt: global interrupt number. */
void aml_interrupt(Aml *a, uint32_t gsi, bool edge);
/* GPIO interrupt connection, active high edge, on line `pin` of controller `path`. */
void aml_gpio_event(Aml *a, const char *path, uint16_t pin);

/* ---- shapes */
/* A device with bank 0 and interrupt 0 of d, as board and class know them: _HID, _UID (the n-th of
 * its class), _CRS. `name`'s %u is the number. Left open when `open`, for more; aml_end() closes. */
typedef struct AmlMmioDevice {
    const char *name;
    const char *hid;
    bool        edge;     /* interrupt is edge-triggered */
    bool        coherent; /* _CCA 1 */
    bool        open;
} AmlMmioDevice;
void aml_device_mmio_irq(Aml *a, Device *d, const AmlMmioDevice *m);

/* Global interrupt number of SPI n on Arm. */
enum { AML_GSI_SPI_FIRST = 32 };

#endif
