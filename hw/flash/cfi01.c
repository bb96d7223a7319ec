/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NOR flash with the Intel command set: a bank of two 16-bit chips side by side, as firmware of Arm
 * boards expects it.
 *
 * Sources: JEDEC JESD68.01 "Common Flash Interface", JEP137 (command set 0001h), and the data sheet
 * of Intel's StrataFlash J3 family for commands and status bits. The guest gives each command to
 * both chips at once (0x00700070); the two always agree, so there is one state.
 *
 * In read-array mode guests read, and execute, the array as memory; any write, and reads in the
 * other modes, come here. Programming clears bits, erasing sets them; both are done at once and
 * written through to the drive before status says ready. Not modelled: times, suspend (accepted,
 * nothing is ever in progress), one-time-programmable registers, and block locking beyond the lock
 * bits that the guest sets.
 */
#include <stdlib.h>
#include <string.h>

#include "core/block.h"
#include "core/machine.h"
#include "hw/arm.h"
#include "hw/loader.h"
#include "util/bits.h"

enum {
    BANK_BYTES = 4, /* width of the bank */
    CHIPS = 2,
    BLOCK_BYTES = 256 * 1024,
    BUFFER_BYTES = 1024, /* write buffer of the bank */
    MAX_BLOCKS = 1024,
    WRITE_ALIGN = 4096, /* to the drive */
    MAKER = 0x89,
    DEVICE_ID = 0x18,
    CFI_FIRST = 0x10
};

typedef enum Mode { MODE_ARRAY, MODE_STATUS, MODE_ID, MODE_QUERY } Mode;

/* What the next write is. */
typedef enum Expect {
    EXPECT_COMMAND,
    EXPECT_PROGRAM,
    EXPECT_ERASE_CONFIRM,
    EXPECT_LOCK,
    EXPECT_COUNT,
    EXPECT_DATA,
    EXPECT_BUFFER_CONFIRM
} Expect;

enum {
    CMD_PROGRAM_ALT = 0x10,
    CMD_ERASE = 0x20,
    CMD_PROGRAM = 0x40,
    CMD_CLEAR = 0x50,
    CMD_LOCK = 0x60,
    CMD_STATUS = 0x70,
    CMD_ID = 0x90,
    CMD_QUERY = 0x98,
    CMD_SUSPEND = 0xb0,
    CMD_CONFIRM = 0xd0,
    CMD_BUFFER = 0xe8,
    CMD_ARRAY = 0xff,
    LOCK_SET = 0x01,
    LOCK_DOWN = 0x2f
};
enum {
    SR_READY = 0x80,
    SR_ERASE_ERROR = 0x20,
    SR_PROGRAM_ERROR = 0x10,
    SR_LOCKED = 0x02,
    SR_SEQUENCE_ERROR = SR_ERASE_ERROR | SR_PROGRAM_ERROR
};

typedef struct Cfi01 {
    Device dev;
    /* wiring */
    MemRegion array; /* the contents */
    BlockDev *drive;
    char *file;
    uint64_t size_bytes;
    bool read_only;
    /* state */
    uint8_t mode, expect, status;
    uint32_t left; /* EXPECT_DATA: writes to come */
    uint64_t buffer_start;
    bool buffer_used;
    uint8_t buffer[BUFFER_BYTES];
    uint8_t locked[MAX_BLOCKS / 8];
} Cfi01;

/* The query table from 0x10 on; sizes are those of one chip. */
static uint8_t query(const Cfi01 *s, unsigned index)
{
    uint64_t blocks = s->size_bytes / BLOCK_BYTES - 1;
    uint32_t unit = BLOCK_BYTES / CHIPS / 256;
    const uint8_t table[] = {
        'Q',
        'R',
        'Y',
        0x01,
        0x00,
        0x31,
        0x00, /* command set 1, its table at 0x31 */
        0x00,
        0x00,
        0x00,
        0x00, /* no alternate */
        0x45,
        0x55,
        0x00,
        0x00, /* Vcc 4.5 to 5.5 V, no Vpp */
        0x07,
        0x07,
        0x0a,
        0x00, /* times: program, buffer 2^7 us, erase 2^10 ms */
        0x04,
        0x04,
        0x04,
        0x00, /* at most 2^4 times as long */
        (uint8_t)ctz64(s->size_bytes / CHIPS),
        0x02,
        0x00, /* size; x8/x16 interface */
        (uint8_t)ctz32(BUFFER_BYTES / CHIPS),
        0x00,
        0x01, /* one region of blocks */
        (uint8_t)blocks,
        (uint8_t)(blocks >> 8),
        (uint8_t)unit,
        (uint8_t)(unit >> 8),
        /* 0x31 */
        'P',
        'R',
        'I',
        '1',
        '1',
        0x00,
        0x00,
        0x00,
        0x00,
        0x00,
        0x00,
        0x00,
        0x50,
        0x00,
        0x00,
        0x00,
    };

    return index >= CFI_FIRST && index - CFI_FIRST < sizeof table ? table[index - CFI_FIRST] : 0;
}

static bool is_locked(const Cfi01 *s, uint64_t offset)
{
    uint64_t block = offset / BLOCK_BYTES;

    return s->read_only || s->locked[block / 8] >> block % 8 & 1;
}

/* ---- changing the array */

/* Brings [offset, offset + bytes) to the drive. */
static bool write_through(Cfi01 *s, uint64_t offset, uint64_t bytes)
{
    ram_written(s->dev.machine, s->array.ram, offset, bytes);
    if (!s->drive) {
        return true;
    }
    uint64_t first = align_down(offset, WRITE_ALIGN), size = block_size_bytes(s->drive);
    uint64_t end = align_up(offset + bytes, WRITE_ALIGN);
    end = end > size ? size : end;
    int error =
        end <= first ? EIO : block_pwrite(s->drive, first, s->array.ram->host + first, end - first);
    if (error) {
        device_guest_error(&s->dev, "write at 0x%llx to the drive: %s", (unsigned long long)offset,
                           strerror(error));
    }
    return error == 0 && offset + bytes <= size;
}

static void program(Cfi01 *s, uint64_t offset, const uint8_t *data, unsigned bytes)
{
    uint8_t *to = s->array.ram->host + offset;

    if (is_locked(s, offset)) {
        s->status |= SR_PROGRAM_ERROR | SR_LOCKED;
        return;
    }
    for (unsigned i = 0; i < bytes; i++) {
        to[i] &= data[i];
    }
    if (!write_through(s, offset, bytes)) {
        s->status |= SR_PROGRAM_ERROR;
    }
}

static void erase(Cfi01 *s, uint64_t offset)
{
    uint64_t first = align_down(offset, BLOCK_BYTES);

    if (is_locked(s, offset)) {
        s->status |= SR_ERASE_ERROR | SR_LOCKED;
        return;
    }
    memset(s->array.ram->host + first, 0xff, BLOCK_BYTES);
    if (!write_through(s, first, BLOCK_BYTES)) {
        s->status |= SR_ERASE_ERROR;
    }
}

/* ---- the write buffer */

static void buffer_begin(Cfi01 *s, uint64_t value)
{
    s->left = (uint32_t)(value & 0xffff) + 1;
    s->buffer_used = false;
    memset(s->buffer, 0xff, sizeof s->buffer);
    if (s->left > BUFFER_BYTES / 2) {
        s->status |= SR_SEQUENCE_ERROR;
        s->expect = EXPECT_COMMAND;
    } else {
        s->expect = EXPECT_DATA;
    }
}

static void buffer_data(Cfi01 *s, uint64_t offset, unsigned bytes, uint64_t value)
{
    uint64_t start = align_down(offset, BUFFER_BYTES);

    if (!s->buffer_used) {
        s->buffer_start = start;
        s->buffer_used = true;
    }
    if (start != s->buffer_start) {
        s->status |= SR_SEQUENCE_ERROR;
        s->expect = EXPECT_COMMAND;
        return;
    }
    uint8_t b[8];
    store_le64(b, value);
    memcpy(s->buffer + (offset - start), b, bytes);
    if (--s->left == 0) {
        s->expect = EXPECT_BUFFER_CONFIRM;
    }
}

/* ---- commands */

static void set_mode(Cfi01 *s, Mode mode)
{
    s->mode = (uint8_t)mode;
    if (s->array.romd != (mode == MODE_ARRAY)) {
        mem_set_romd(s->dev.machine, &s->array, mode == MODE_ARRAY);
    }
}

static void command(Cfi01 *s, uint8_t cmd)
{
    static const struct {
        uint8_t cmd, mode, expect;
    } commands[] = {
        {CMD_PROGRAM, MODE_STATUS, EXPECT_PROGRAM},
        {CMD_PROGRAM_ALT, MODE_STATUS, EXPECT_PROGRAM},
        {CMD_ERASE, MODE_STATUS, EXPECT_ERASE_CONFIRM},
        {CMD_LOCK, MODE_STATUS, EXPECT_LOCK},
        {CMD_BUFFER, MODE_STATUS, EXPECT_COUNT},
        {CMD_STATUS, MODE_STATUS, EXPECT_COMMAND},
        {CMD_SUSPEND, MODE_STATUS, EXPECT_COMMAND},
        {CMD_CONFIRM, MODE_STATUS, EXPECT_COMMAND},
        {CMD_ID, MODE_ID, EXPECT_COMMAND},
        {CMD_QUERY, MODE_QUERY, EXPECT_COMMAND},
        {CMD_ARRAY, MODE_ARRAY, EXPECT_COMMAND},
        {0xf0, MODE_ARRAY, EXPECT_COMMAND}, /* reset of the other command set, used in probing */
    };

    if (cmd == CMD_CLEAR) {
        s->status = SR_READY;
        return;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].cmd == cmd) {
            set_mode(s, commands[i].mode);
            s->expect = commands[i].expect;
            return;
        }
    }
    device_guest_error(&s->dev, "unknown command 0x%02x", cmd);
}

static void lock_command(Cfi01 *s, uint64_t offset, uint8_t cmd)
{
    uint64_t block = offset / BLOCK_BYTES;
    uint8_t bit = (uint8_t)(1u << block % 8);

    if (cmd == LOCK_SET || cmd == LOCK_DOWN) {
        s->locked[block / 8] |= bit;
    } else if (cmd == CMD_CONFIRM) {
        s->locked[block / 8] &= (uint8_t)~bit;
    } else {
        s->status |= SR_SEQUENCE_ERROR;
    }
}

static void flash_write(Cfi01 *s, uint64_t offset, unsigned bytes, uint64_t value)
{
    uint8_t cmd = (uint8_t)value, data[8];
    Expect now = s->expect;

    s->expect = EXPECT_COMMAND;
    switch (now) {
    case EXPECT_COMMAND: command(s, cmd); break;
    case EXPECT_PROGRAM:
        store_le64(data, value);
        program(s, offset, data, bytes);
        break;
    case EXPECT_ERASE_CONFIRM:
        if (cmd == CMD_CONFIRM) {
            erase(s, offset);
        } else {
            s->status |= SR_SEQUENCE_ERROR;
        }
        break;
    case EXPECT_LOCK: lock_command(s, offset, cmd); break;
    case EXPECT_COUNT: buffer_begin(s, value); break;
    case EXPECT_DATA:
        s->expect = EXPECT_DATA;
        buffer_data(s, offset, bytes, value);
        break;
    case EXPECT_BUFFER_CONFIRM:
        if (cmd == CMD_CONFIRM) {
            program(s, s->buffer_start, s->buffer, BUFFER_BYTES);
        } else {
            s->status |= SR_SEQUENCE_ERROR;
        }
        break;
    }
}

/* ---- reading outside read-array mode */

static uint16_t chip_read(const Cfi01 *s, uint64_t offset)
{
    unsigned index = (unsigned)(offset / BANK_BYTES);

    switch (s->mode) {
    case MODE_STATUS: return s->status;
    case MODE_ID:
        index &= 0xff;
        return index == 0 ? MAKER : index == 1 ? DEVICE_ID : index == 2 ? is_locked(s, offset) : 0;
    default: return query(s, index & 0xff);
    }
}

/* Each chip gives 16 bits of the bank's 32. */
static uint64_t flash_read(const Cfi01 *s, uint64_t offset, unsigned bytes)
{
    uint8_t b[16] = {0};

    if (s->mode == MODE_ARRAY) {
        memcpy(b, s->array.ram->host + offset, bytes);
        return load_le64(b);
    }
    uint64_t word = align_down(offset, BANK_BYTES);
    for (unsigned i = 0; i < sizeof b; i += 2) {
        store_le16(b + i, chip_read(s, word + align_down(i, BANK_BYTES)));
    }
    return load_le64(b + (offset - word)) & mask64(8 * bytes);
}

/* ---- the bus: as the class's bank (tools, fuzzer) and as the array's own callbacks */

static MemResult cfi01_read(Device *d, uint64_t offset, unsigned bytes, uint64_t *value,
                            MemAttrs attrs)
{
    (void)attrs;
    *value = flash_read((Cfi01 *)d, offset, bytes);
    return MEM_OK;
}

static MemResult cfi01_write(Device *d, uint64_t offset, unsigned bytes, uint64_t value,
                             MemAttrs attrs)
{
    (void)attrs;
    flash_write((Cfi01 *)d, offset, bytes, value);
    return MEM_OK;
}

static MemResult array_read(void *opaque, uint64_t offset, unsigned bytes, uint64_t *value,
                            MemAttrs attrs)
{
    return cfi01_read(opaque, offset, bytes, value, attrs);
}

static MemResult array_write(void *opaque, uint64_t offset, unsigned bytes, uint64_t value,
                             MemAttrs attrs)
{
    return cfi01_write(opaque, offset, bytes, value, attrs);
}

static const MemIo array_io = {
    .read = array_read, .write = array_write, .min_bytes = 1, .max_bytes = 8};

/* The window is as large as the largest bank; the array covers the part that is there. */
static const MmioDesc cfi01_mmio[] = {{.name = "flash",
                                       .bytes = 0x04000000,
                                       .min_bytes = 1,
                                       .max_bytes = 8,
                                       .read = cfi01_read,
                                       .write = cfi01_write},
                                      {0}};

static const StateDesc cfi01_state[] = {{STATE_FIELD(STATE_U8, Cfi01, mode)},
                                        {STATE_FIELD(STATE_U8, Cfi01, expect)},
                                        {STATE_FIELD(STATE_U8, Cfi01, status), .initial = SR_READY},
                                        {STATE_FIELD(STATE_U32, Cfi01, left)},
                                        {STATE_FIELD(STATE_U64, Cfi01, buffer_start)},
                                        {STATE_FIELD(STATE_BOOL, Cfi01, buffer_used)},
                                        {STATE_ARRAY(STATE_U8, Cfi01, buffer)},
                                        {STATE_ARRAY(STATE_U8, Cfi01, locked)},
                                        {0}};

static const PropDesc cfi01_props[] = {
    {"drive", PROP_BLOCK, PROP(Cfi01, drive), .help = "contents; guest writes go there"},
    {"file", PROP_STRING, PROP(Cfi01, file), .help = "read-only contents from a file (-bios)"},
    {"size", PROP_SIZE, PROP(Cfi01, size_bytes), .initial = "64M", .help = "64M"},
    {0}};

static bool load_drive(Cfi01 *s, Error *err)
{
    uint64_t bytes = block_size_bytes(s->drive);

    if (bytes > s->size_bytes) {
        return error_set(err, "drive %s: %llu bytes do not fit into %llu MiB of flash",
                         s->drive->name, (unsigned long long)bytes,
                         (unsigned long long)(s->size_bytes >> 20));
    }
    s->read_only = block_limits(s->drive)->read_only;
    int error = bytes ? block_pread(s->drive, 0, s->array.ram->host, bytes) : 0;
    return error == 0 || error_set(err, "drive %s: cannot read flash contents: %s", s->drive->name,
                                   strerror(error));
}

static bool load_file(Cfi01 *s, Error *err)
{
    uint8_t *data;
    size_t bytes;

    if (!loader_read_file("-bios", s->file, s->size_bytes, &data, &bytes, err)) {
        return false;
    }
    memcpy(s->array.ram->host, data, bytes);
    free(data);
    s->read_only = true;
    return true;
}

static bool cfi01_realize(Device *d, Error *err)
{
    Cfi01 *s = (Cfi01 *)d;

    if (s->size_bytes != cfi01_mmio[0].bytes) {
        return error_set(err, "%s: size=%llu: banks have 64M", d->id,
                         (unsigned long long)s->size_bytes);
    }
    if (!mem_region_init_romd(&s->array, d->machine, d->id, s->size_bytes, &array_io, s, err)) {
        return false;
    }
    bool blank = !s->drive && !s->file;
    if (!blank) {
        memset(s->array.ram->host, 0xff, s->size_bytes);
    }
    if ((s->drive && !load_drive(s, err)) || (s->file && !load_file(s, err))) {
        mem_region_destroy(d->machine, &s->array);
        return false;
    }
    mem_begin(d->machine);
    mem_add(&d->mmio[0], 0, &s->array, 0);
    mem_commit(d->machine);
    s->status = SR_READY;
    return true;
}

static void cfi01_unrealize(Device *d)
{
    mem_region_destroy(d->machine, &((Cfi01 *)d)->array);
}

/* After reset and restore the memory map follows the mode. */
static void cfi01_sync(Device *d)
{
    Cfi01 *s = (Cfi01 *)d;

    set_mode(s, s->mode);
}

static bool cfi01_validate(Device *d, Error *err)
{
    Cfi01 *s = (Cfi01 *)d;

    if (s->mode > MODE_QUERY || s->expect > EXPECT_BUFFER_CONFIRM ||
        s->buffer_start % BUFFER_BYTES || s->buffer_start >= s->size_bytes ||
        (s->expect == EXPECT_DATA && s->left == 0)) {
        return error_set(err, "%s: saved state is out of range", d->id);
    }
    return true;
}

const DeviceClass cfi01_class = {
    .name = "cfi.pflash01",
    .title = "NOR flash, Intel command set",
    .category = "storage",
    .bytes = sizeof(Cfi01),
    .bus = BUS_SYSTEM,
    .internal = true,
    .mmio = cfi01_mmio,
    .state = cfi01_state,
    .props = cfi01_props,
    .realize = cfi01_realize,
    .unrealize = cfi01_unrealize,
    .sync = cfi01_sync,
    .validate = cfi01_validate,
};
