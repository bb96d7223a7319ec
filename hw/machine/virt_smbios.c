/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMBIOS structures, for firmware to install. Source: DMTF DSP0134, System Management BIOS
 * Reference Specification 3.0.
 */
#include <string.h>

#include "hw/fw_cfg.h"
#include "hw/machine/virt.h"
#include "util/bits.h"

#define MIB (1ull << 20)

typedef struct Smbios {
    GByteArray *out;
    uint16_t handle;
} Smbios;

/* One structure: formatted part `data` (its first four bytes, type, length and handle, are made
 * here), then the strings, a list of NUL-ended ones ended by an empty one; NULL: none. Returns its
 * handle. */
static uint16_t put(Smbios *s, uint8_t type, const uint8_t *data, uint8_t bytes,
                    const char *strings)
{
    uint8_t head[4] = {type, (uint8_t)(bytes + 4)};
    uint16_t handle = s->handle++;
    size_t n = 0;

    store_le16(head + 2, handle);
    g_byte_array_append(s->out, head, sizeof head);
    g_byte_array_append(s->out, data, bytes);
    while (strings && strings[n]) {
        n += strlen(strings + n) + 1;
    }
    if (n) {
        g_byte_array_append(s->out, (const uint8_t *)strings, (guint)n);
    } else {
        g_byte_array_append(s->out, (const uint8_t *)"", 1);
    }
    g_byte_array_append(s->out, (const uint8_t *)"", 1);
    return handle;
}

static void put_system(Board *b, Smbios *s)
{
    /* 0: BIOS. vendor, version, segment, date, ROM size; characteristics "not supported"; UEFI and
     * virtual machine */
    const uint8_t bios[20] = {1, 2, 0, 0, 3, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0x1c, 0, 0, 0xff, 0xff, 0};
    /* 1: system. maker, product, version, serial, UUID, wake-up: power switch, SKU, family */
    uint8_t system[23] = {1, 2, 3, 0};
    /* 3: chassis. maker, type "other", version..., states "safe" */
    const uint8_t chassis[18] = {1, 1, 2, 0, 0, 3, 3, 3, 2};
    const uint8_t *u = b->config->uuid;

    /* the first three groups of a UUID are little-endian here */
    for (unsigned i = 0; i < 16; i++) {
        static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
        system[4 + i] = u[order[i]];
    }
    system[20] = 6;
    put(s, 0, bios, sizeof bios, "Gemel\0000.1\00001/01/2026\0");
    put(s, 1, system, sizeof system, "Gemel\0virt\0001\0");
    put(s, 3, chassis, sizeof chassis, "Gemel\0virt\0");
}

static void put_processor(Board *b, Smbios *s)
{
    const char *model = b->config->cpu_model ? b->config->cpu_model : b->config->desc->default_cpu;
    uint8_t cpu[44] = {[0] = 1, [1] = 3, [2] = 0xfe, [3] = 2, [12] = 3};
    char strings[128];
    unsigned n = b->machine->n_cpus;
    size_t at = 0;

    cpu[20] = 0x41;               /* populated, enabled */
    cpu[21] = 1;                  /* upgrade: other */
    store_le16(cpu + 22, 0xffff); /* caches: not told */
    store_le16(cpu + 24, 0xffff);
    store_le16(cpu + 26, 0xffff);
    cpu[31] = cpu[32] = cpu[33] = (uint8_t)(n < 255 ? n : 255);
    store_le16(cpu + 34, 4);     /* 64-bit capable */
    store_le16(cpu + 36, 0x101); /* family 2: ARMv8 */
    store_le16(cpu + 38, (uint16_t)n);
    store_le16(cpu + 40, (uint16_t)n);
    store_le16(cpu + 42, (uint16_t)n);
    memset(strings, 0, sizeof strings);
    at += g_strlcpy(strings, "CPU 0", sizeof strings) + 1;
    at += g_strlcpy(strings + at, "Gemel", sizeof strings - at) + 1;
    g_strlcpy(strings + at, model, sizeof strings - at - 1);
    put(s, 4, cpu, sizeof cpu, strings);
}

static void put_memory(Board *b, Smbios *s)
{
    uint64_t ram = b->config->ram_bytes, first = b->place[VIRT_RAM].base;
    uint8_t array[19] = {1, 3, 6}; /* other location, system memory, multi-bit ECC */
    uint8_t module[36] = {0};
    uint8_t mapped[27] = {0};

    store_le32(array + 3, 0x80000000); /* capacity: the 64-bit field */
    store_le16(array + 7, 0xfffe);
    store_le16(array + 9, 1);
    store_le64(array + 11, ram);
    uint16_t array_handle = put(s, 16, array, sizeof array, NULL);

    store_le16(module, array_handle);
    store_le16(module + 2, 0xfffe);
    store_le16(module + 4, 64);
    store_le16(module + 6, 64);
    store_le16(module + 8, ram / MIB < 0x7fff ? (uint16_t)(ram / MIB) : 0x7fff);
    module[10] = 9; /* DIMM */
    module[12] = 1; /* locator */
    module[14] = 7; /* RAM */
    store_le16(module + 15, 2);
    module[19] = 2; /* maker */
    store_le32(module + 24, ram / MIB < 0x7fff ? 0 : (uint32_t)(ram / MIB));
    put(s, 17, module, sizeof module, "DIMM 0\0Gemel\0");

    store_le32(mapped, 0xffffffff);
    store_le32(mapped + 4, 0xffffffff);
    store_le16(mapped + 8, array_handle);
    mapped[10] = 1;
    store_le64(mapped + 11, first);
    store_le64(mapped + 19, first + ram - 1);
    put(s, 19, mapped, sizeof mapped, NULL);
}

bool virt_write_smbios(Board *b, Error *err)
{
    Smbios s = {.out = g_byte_array_new()};
    const uint8_t boot[16] = {0};
    uint8_t anchor[24] = "_SM3_", sum = 0;

    put_system(b, &s);
    put_processor(b, &s);
    put_memory(b, &s);
    put(&s, 32, boot, 7, NULL);
    put(&s, 127, boot, 0, NULL);
    anchor[6] = sizeof anchor;
    anchor[7] = 3;  /* version 3.0 */
    anchor[10] = 1; /* of this entry point */
    store_le32(anchor + 12, s.out->len);
    for (unsigned i = 0; i < sizeof anchor; i++) {
        sum += anchor[i];
    }
    anchor[5] = (uint8_t)-sum;
    bool ok = fw_cfg_add_file(b->fw_cfg, "etc/smbios/smbios-anchor", anchor, sizeof anchor, err) &&
              fw_cfg_add_file(b->fw_cfg, "etc/smbios/smbios-tables", s.out->data, s.out->len, err);
    g_byte_array_unref(s.out);
    return ok;
}
