/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware configuration device ("fw_cfg"), memory-mapped as on Arm boards.
 *
 * Source: "QEMU Firmware Configuration (fw_cfg) Device", the interface description
 * (docs/specs/fw_cfg), and Linux include/uapi/linux/qemu_fw_cfg.h. Registers: data (0, 8 bytes
 * wide, items come as bytes in memory order), selector (8, big-endian), DMA address (16,
 * big-endian, a write of its lower half starts the transfer).
 *
 * Items are fixed while the machine runs; guests write only into items made by
 * fw_cfg_add_writable(), and only by DMA.
 */
#include "hw/fw_cfg.h"

#include <stdlib.h>
#include <string.h>

#include "core/fdt.h"
#include "core/machine.h"
#include "hw/aml.h"
#include "hw/machine/arm_fdt.h"
#include "util/bits.h"

enum {
    OFFSET_DATA = 0x00,
    OFFSET_SELECTOR = 0x08,
    OFFSET_DMA = 0x10,
    WINDOW_BYTES = 0x18,
    MAX_ITEMS = FW_CFG_FILE_FIRST + FW_CFG_MAX_FILES,
    INVALID = 0xffff,
    DIR_ENTRY_BYTES = 64,
    SELECT_MASK = 0x3fff, /* bits 14, 15: write mode, architecture's own items */
    ID_TRADITIONAL = 1,
    ID_DMA = 2
};
/* FWCfgDmaAccess.control */
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16, DMA_BYTES = 16 };

#define DMA_SIGNATURE 0x51454d5520434647ull /* "QEMU CFG" */

typedef struct Item {
    uint8_t *data;
    uint32_t bytes;
    FwCfgWritten *written;
    void *opaque;
} Item;

typedef struct FwCfg {
    Device dev;
    Item items[MAX_ITEMS];
    char names[FW_CFG_MAX_FILES][FW_CFG_FILE_NAME_BYTES];
    uint16_t n_files;
    /* state */
    uint16_t selected; /* INVALID: none */
    uint32_t offset;   /* in the selected item */
    uint32_t dma_high; /* upper half of the DMA address, as a number */
} FwCfg;

/* ---- items */

static bool set_item(FwCfg *s, uint16_t key, const void *data, size_t bytes)
{
    uint8_t *copy = malloc(bytes ? bytes : 1);

    if (key >= MAX_ITEMS || !copy || bytes > UINT32_MAX) {
        free(copy);
        return false;
    }
    memcpy(copy, data, bytes);
    free(s->items[key].data);
    s->items[key] = (Item){.data = copy, .bytes = (uint32_t)bytes};
    return true;
}

void fw_cfg_add(Device *d, uint16_t key, const void *data, size_t bytes)
{
    bool ok = set_item((FwCfg *)d, key, data, bytes);

    g_assert(ok);
}

void fw_cfg_add_u16(Device *d, uint16_t key, uint16_t v)
{
    uint8_t b[2];

    store_le16(b, v);
    fw_cfg_add(d, key, b, sizeof b);
}

void fw_cfg_add_u32(Device *d, uint16_t key, uint32_t v)
{
    uint8_t b[4];

    store_le32(b, v);
    fw_cfg_add(d, key, b, sizeof b);
}

/* The directory: a big-endian count, then size, selector and name of each file. */
static void write_directory(FwCfg *s)
{
    size_t bytes = 4 + (size_t)s->n_files * DIR_ENTRY_BYTES;
    uint8_t *dir = g_malloc0(bytes);

    store_be32(dir, s->n_files);
    for (unsigned i = 0; i < s->n_files; i++) {
        uint8_t *e = dir + 4 + (size_t)i * DIR_ENTRY_BYTES;
        store_be32(e, s->items[FW_CFG_FILE_FIRST + i].bytes);
        store_be16(e + 4, (uint16_t)(FW_CFG_FILE_FIRST + i));
        memcpy(e + 8, s->names[i], FW_CFG_FILE_NAME_BYTES);
    }
    set_item(s, FW_CFG_FILE_DIR, dir, bytes);
    g_free(dir);
}

static int find_file(const FwCfg *s, const char *name)
{
    for (int i = 0; i < s->n_files; i++) {
        if (!strcmp(s->names[i], name)) {
            return i;
        }
    }
    return -1;
}

bool fw_cfg_add_writable(Device *d, const char *name, const void *data, size_t bytes,
                         FwCfgWritten *written, void *opaque, Error *err)
{
    FwCfg *s = (FwCfg *)d;
    int i = find_file(s, name);

    if (strlen(name) >= FW_CFG_FILE_NAME_BYTES) {
        return error_set(err, "-fw_cfg name=%s: longer than %d bytes", name,
                         FW_CFG_FILE_NAME_BYTES - 1);
    }
    if (i < 0 && s->n_files == FW_CFG_MAX_FILES) {
        return error_set(err, "-fw_cfg name=%s: there are %d files already", name,
                         FW_CFG_MAX_FILES);
    }
    i = i < 0 ? s->n_files : i;
    uint16_t key = (uint16_t)(FW_CFG_FILE_FIRST + i);
    if (!set_item(s, key, data, bytes)) {
        return error_set(err, "-fw_cfg name=%s: %zu bytes do not fit", name, bytes);
    }
    s->n_files += i == s->n_files;
    g_strlcpy(s->names[i], name, FW_CFG_FILE_NAME_BYTES);
    s->items[key].written = written;
    s->items[key].opaque = opaque;
    write_directory(s);
    return true;
}

bool fw_cfg_add_file(Device *d, const char *name, const void *data, size_t bytes, Error *err)
{
    return fw_cfg_add_writable(d, name, data, bytes, NULL, NULL, err);
}

Device *fw_cfg_of(Machine *m)
{
    for (Device *d = m->devices; d; d = d->next) {
        if (d->cls == &fw_cfg_class) {
            return d;
        }
    }
    return NULL;
}

/* ---- reading */

static void select_item(FwCfg *s, uint16_t key)
{
    key &= SELECT_MASK;
    s->selected = key < MAX_ITEMS && s->items[key].data ? key : INVALID;
    s->offset = 0;
}

/* Bytes of the selected item that are left. */
static const uint8_t *rest(const FwCfg *s, uint32_t *bytes)
{
    const Item *i = s->selected != INVALID ? &s->items[s->selected] : NULL;

    *bytes = i && s->offset < i->bytes ? i->bytes - s->offset : 0;
    return *bytes ? i->data + s->offset : NULL;
}

static void skip(FwCfg *s, uint32_t bytes)
{
    s->offset = bytes < UINT32_MAX - s->offset ? s->offset + bytes : UINT32_MAX;
}

static uint64_t read_data(FwCfg *s, unsigned bytes)
{
    uint8_t buf[8] = {0};
    uint32_t left;
    const uint8_t *from = rest(s, &left);

    if (left) {
        memcpy(buf, from, left < bytes ? left : bytes);
    }
    skip(s, bytes);
    return load_le64(buf);
}

/* ---- DMA */

static MemResult dma_read(FwCfg *s, uint64_t gpa, uint32_t bytes)
{
    uint32_t left;
    const uint8_t *from = rest(s, &left);
    uint32_t n = left < bytes ? left : bytes;
    MemResult r = n ? mem_write(s->dev.machine->as, gpa, from, n, MEM_ATTRS_NONE) : MEM_OK;

    if (r == MEM_OK && bytes > n) {
        r = mem_fill(s->dev.machine->as, gpa + n, 0, bytes - n, MEM_ATTRS_NONE);
    }
    skip(s, bytes);
    return r;
}

static MemResult dma_write(FwCfg *s, uint64_t gpa, uint32_t bytes)
{
    Item *i = s->selected != INVALID ? &s->items[s->selected] : NULL;

    if (!i || !i->written || s->offset > i->bytes || bytes > i->bytes - s->offset) {
        return MEM_ERROR;
    }
    MemResult r = mem_read(s->dev.machine->as, gpa, i->data + s->offset, bytes, MEM_ATTRS_NONE);
    skip(s, bytes);
    if (r == MEM_OK) {
        i->written(i->opaque, i->data, i->bytes);
    }
    return r;
}

/* Carries out the FWCfgDmaAccess at gpa: control, length, address, all big-endian. */
static void dma(FwCfg *s, uint64_t gpa)
{
    AddressSpace *as = s->dev.machine->as;
    uint8_t access[DMA_BYTES], result[4];
    MemResult r = MEM_OK;

    if (mem_read(as, gpa, access, sizeof access, MEM_ATTRS_NONE) != MEM_OK) {
        device_guest_error(&s->dev, "DMA access structure at 0x%llx is not in memory",
                           (unsigned long long)gpa);
        return;
    }
    uint32_t control = load_be32(access), bytes = load_be32(access + 4);
    uint64_t address = load_be64(access + 8);
    if (control & DMA_SELECT) {
        select_item(s, (uint16_t)(control >> 16));
    }
    if (control & DMA_READ) {
        r = dma_read(s, address, bytes);
    } else if (control & DMA_WRITE) {
        r = dma_write(s, address, bytes);
    } else if (control & DMA_SKIP) {
        skip(s, bytes);
    }
    store_be32(result, r == MEM_OK ? 0 : DMA_ERROR);
    mem_write(as, gpa, result, sizeof result, MEM_ATTRS_NONE);
}

/* ---- the window */

/* The bytes [offset, offset + bytes) of a big-endian register of 8 bytes. */
static uint64_t part_of(uint64_t reg, unsigned offset, unsigned bytes)
{
    uint8_t b[16] = {0};

    store_be64(b, reg);
    return load_le64(b + offset) & mask64(8 * bytes);
}

static MemResult fw_cfg_read(Device *d, uint64_t offset, unsigned bytes, uint64_t *value,
                             MemAttrs attrs)
{
    FwCfg *s = (FwCfg *)d;

    *value = 0;
    if (offset < OFFSET_SELECTOR) {
        *value = attrs.debug ? 0 : read_data(s, bytes);
    } else if (offset >= OFFSET_DMA) {
        *value = part_of(DMA_SIGNATURE, (unsigned)offset - OFFSET_DMA, bytes);
    }
    return MEM_OK;
}

static MemResult fw_cfg_write(Device *d, uint64_t offset, unsigned bytes, uint64_t value,
                              MemAttrs attrs)
{
    FwCfg *s = (FwCfg *)d;

    (void)attrs;
    if (offset == OFFSET_SELECTOR && bytes >= 2) {
        select_item(s, __builtin_bswap16((uint16_t)value));
    } else if (offset == OFFSET_DMA && bytes == 8) {
        dma(s, __builtin_bswap64(value));
    } else if (offset == OFFSET_DMA && bytes == 4) {
        s->dma_high = __builtin_bswap32((uint32_t)value);
    } else if (offset == OFFSET_DMA + 4 && bytes == 4) {
        uint64_t high = s->dma_high;
        s->dma_high = 0;
        dma(s, high << 32 | __builtin_bswap32((uint32_t)value));
    } else {
        device_guest_error(d, "write of %u bytes at 0x%x", bytes, (unsigned)offset);
    }
    return MEM_OK;
}

static const MmioDesc fw_cfg_mmio[] = {{.name = "fw_cfg",
                                        .bytes = WINDOW_BYTES,
                                        .min_bytes = 1,
                                        .max_bytes = 8,
                                        .read = fw_cfg_read,
                                        .write = fw_cfg_write},
                                       {0}};

static const StateDesc fw_cfg_state[] = {
    {STATE_FIELD(STATE_U16, FwCfg, selected), .initial = INVALID},
    {STATE_FIELD(STATE_U32, FwCfg, offset)},
    {STATE_FIELD(STATE_U32, FwCfg, dma_high)},
    {0}};

static bool fw_cfg_realize(Device *d, Error *err)
{
    FwCfg *s = (FwCfg *)d;

    (void)err;
    s->selected = INVALID;
    set_item(s, FW_CFG_SIGNATURE, "QEMU", 4);
    fw_cfg_add_u32(d, FW_CFG_ID, ID_TRADITIONAL | ID_DMA);
    write_directory(s);
    return true;
}

static void fw_cfg_unrealize(Device *d)
{
    FwCfg *s = (FwCfg *)d;

    for (unsigned i = 0; i < MAX_ITEMS; i++) {
        free(s->items[i].data);
    }
}

static bool fw_cfg_validate(Device *d, Error *err)
{
    FwCfg *s = (FwCfg *)d;

    (void)err;
    if (s->selected >= MAX_ITEMS || !s->items[s->selected].data) {
        s->selected = INVALID;
    }
    return true;
}

static void fw_cfg_fdt(Device *d, Fdt *fdt)
{
    fdt_node_unit(fdt, "/", "fw-cfg", d->base[0]);
    fdt_string(fdt, "compatible", "qemu,fw-cfg-mmio");
    fdt_cells64(fdt, "reg", (uint64_t[]){d->base[0], WINDOW_BYTES}, 2);
    fdt_flag(fdt, "dma-coherent");
}

static void fw_cfg_acpi(Device *d, Aml *aml)
{
    aml_device_mmio_irq(aml, d,
                        &(AmlMmioDevice){.name = "FWCF", .hid = "QEMU0002", .coherent = true});
}

const DeviceClass fw_cfg_class = {
    .name = "fw_cfg_mem",
    .title = "Firmware configuration device",
    .category = "misc",
    .bytes = sizeof(FwCfg),
    .bus = BUS_SYSTEM,
    .internal = true,
    .mmio = fw_cfg_mmio,
    .state = fw_cfg_state,
    .realize = fw_cfg_realize,
    .unrealize = fw_cfg_unrealize,
    .validate = fw_cfg_validate,
    .fdt = fw_cfg_fdt,
    .acpi = fw_cfg_acpi,
};
