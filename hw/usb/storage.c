/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USB mass storage: a disk behind the bulk-only transport.
 *
 * Sources: Universal Serial Bus Mass Storage Class, Bulk-Only Transport 1.0 (phases, chapter 6
 * error cases); SPC-4 and SBC-3 for the SCSI commands. A command block arrives on endpoint 2 OUT,
 * data move on 1 IN or 2 OUT, a status block leaves on 1 IN. Reads and writes go between the disk
 * and guest memory without a copy. Not modelled: UASP, several logical units, write protection
 * pages, vital product data beyond serial number.
 */
#include <linux/usb/ch9.h>
#include <string.h>

#include "core/block.h"
#include "core/machine.h"
#include "hw/iov.h"
#include "hw/usb.h"
#include "util/bits.h"

enum { EP_IN = 0x81, EP_OUT = 0x02 };
enum { CBW_BYTES = 31, CSW_BYTES = 13, CBW_SIGNATURE = 0x43425355, CSW_SIGNATURE = 0x53425355 };
enum { CSW_GOOD, CSW_FAILED, CSW_PHASE_ERROR };
enum { RESPONSE_BYTES = 256 };

typedef enum Phase { PHASE_COMMAND, PHASE_DATA_IN, PHASE_DATA_OUT, PHASE_STATUS } Phase;

enum { /* SCSI */
       TEST_UNIT_READY = 0x00,
       REQUEST_SENSE = 0x03,
       INQUIRY = 0x12,
       MODE_SENSE_6 = 0x1a,
       START_STOP = 0x1b,
       PREVENT_ALLOW = 0x1e,
       READ_CAPACITY_10 = 0x25,
       READ_10 = 0x28,
       WRITE_10 = 0x2a,
       VERIFY_10 = 0x2f,
       SYNCHRONIZE_CACHE_10 = 0x35,
       MODE_SENSE_10 = 0x5a,
       READ_16 = 0x88,
       WRITE_16 = 0x8a,
       SYNCHRONIZE_CACHE_16 = 0x91,
       SERVICE_ACTION_IN_16 = 0x9e,
       REPORT_LUNS = 0xa0,
};
#define SENSE(key, asc, ascq) ((key) << 16 | (asc) << 8 | (ascq))
enum {
    SENSE_NONE = 0,
    SENSE_NOT_READY = SENSE(2, 0x3a, 0),
    SENSE_MEDIUM = SENSE(3, 0x11, 0),
    SENSE_BAD_COMMAND = SENSE(5, 0x20, 0),
    SENSE_BAD_LBA = SENSE(5, 0x21, 0),
    SENSE_BAD_FIELD = SENSE(5, 0x24, 0),
    SENSE_WRITE_PROTECTED = SENSE(7, 0x27, 0)
};

typedef struct UsbStorage {
    UsbDevice u;    /* must be first */
    BlockDev *disk; /* properties */
    char *serial;
    bool removable;
    BlockReq req;
    UsbTransfer *t; /* the transfer req belongs to; NULL: none in flight */
    size_t moving;
    /* state */
    uint8_t phase, status, command;
    bool stall_in;
    uint32_t tag, expected, residue, sense;
    uint64_t offset, left; /* of a read or write, bytes */
    uint8_t response[RESPONSE_BYTES];
    uint32_t response_at, response_bytes;
} UsbStorage;

/* ---- commands */

static void fail(UsbStorage *s, uint32_t sense)
{
    s->sense = sense;
    s->status = CSW_FAILED;
    s->left = s->response_bytes = 0;
}

static void respond(UsbStorage *s, uint32_t bytes, uint32_t allocated)
{
    s->response_bytes = bytes < allocated ? bytes : allocated;
}

static void inquiry(UsbStorage *s, const uint8_t *cb)
{
    uint8_t *r = s->response;
    const char *serial = s->serial ? s->serial : "1";

    if (cb[1] & 1) {
        r[1] = cb[2];
        if (cb[2] == 0x00) {
            r[3] = 2;
            r[5] = 0x80;
            respond(s, 6, load_be16(cb + 3));
        } else if (cb[2] == 0x80) {
            r[3] = (uint8_t)strnlen(serial, 64);
            memcpy(r + 4, serial, r[3]);
            respond(s, 4u + r[3], load_be16(cb + 3));
        } else {
            fail(s, SENSE_BAD_FIELD);
        }
        return;
    }
    r[1] = s->removable ? 0x80 : 0;
    r[2] = 5; /* SPC-3 */
    r[3] = 2;
    r[4] = 31;
    memcpy(r + 8, "GEMEL   USB HARDDISK    1.0 ", 28);
    respond(s, 36, load_be16(cb + 3));
}

static void request_sense(UsbStorage *s, const uint8_t *cb)
{
    s->response[0] = 0x70;
    s->response[2] = (uint8_t)(s->sense >> 16);
    s->response[7] = 10;
    s->response[12] = (uint8_t)(s->sense >> 8);
    s->response[13] = (uint8_t)s->sense;
    s->sense = SENSE_NONE;
    respond(s, 18, cb[4]);
}

static void mode_sense(UsbStorage *s, const uint8_t *cb)
{
    bool ten = cb[0] == MODE_SENSE_10;
    unsigned head = ten ? 8 : 4, n = head;
    uint8_t *r = s->response, page = cb[2] & 0x3f;
    const BlockLimits *l = block_limits(s->disk);

    if (page == 0x08 || page == 0x3f) { /* caching */
        r[n] = 0x08;
        r[n + 1] = 18;
        r[n + 2] = l->write_cache ? 4 : 0;
        n += 20;
    }
    r[ten ? 3 : 2] = l->read_only ? 0x80 : 0;
    if (ten) {
        store_be16(r, (uint16_t)(n - 2));
    } else {
        r[0] = (uint8_t)(n - 1);
    }
    respond(s, n, ten ? load_be16(cb + 7) : cb[4]);
}

static void read_capacity(UsbStorage *s, bool sixteen, uint32_t allocated)
{
    const BlockLimits *l = block_limits(s->disk);
    uint64_t last = l->size_bytes / l->logical_block_bytes - 1;

    if (!l->present || !l->size_bytes) {
        fail(s, SENSE_NOT_READY);
    } else if (sixteen) {
        store_be64(s->response, last);
        store_be32(s->response + 8, l->logical_block_bytes);
        s->response[13] = (uint8_t)ctz32(l->physical_block_bytes / l->logical_block_bytes);
        respond(s, 32, allocated);
    } else {
        store_be32(s->response, last > UINT32_MAX ? UINT32_MAX : (uint32_t)last);
        store_be32(s->response + 4, l->logical_block_bytes);
        respond(s, 8, 8);
    }
}

static void read_write(UsbStorage *s, const uint8_t *cb)
{
    const BlockLimits *l = block_limits(s->disk);
    bool sixteen = cb[0] >= READ_16, write = cb[0] == WRITE_10 || cb[0] == WRITE_16;
    uint64_t lba = sixteen ? load_be64(cb + 2) : load_be32(cb + 2);
    uint64_t n = sixteen ? load_be32(cb + 10) : load_be16(cb + 7);
    uint64_t blocks = l->size_bytes / l->logical_block_bytes;

    if (!l->present) {
        fail(s, SENSE_NOT_READY);
    } else if (lba > blocks || n > blocks - lba) {
        fail(s, SENSE_BAD_LBA);
    } else if (write && l->read_only) {
        fail(s, SENSE_WRITE_PROTECTED);
    } else {
        s->offset = lba * l->logical_block_bytes;
        s->left = n * l->logical_block_bytes;
    }
}

static void run_command(UsbStorage *s, const uint8_t *cb)
{
    switch (cb[0]) {
    case TEST_UNIT_READY:
        if (!block_limits(s->disk)->present) {
            fail(s, SENSE_NOT_READY);
        }
        break;
    case REQUEST_SENSE: request_sense(s, cb); break;
    case INQUIRY: inquiry(s, cb); break;
    case MODE_SENSE_6:
    case MODE_SENSE_10: mode_sense(s, cb); break;
    case READ_CAPACITY_10: read_capacity(s, false, 8); break;
    case SERVICE_ACTION_IN_16:
        if ((cb[1] & 0x1f) == 0x10) {
            read_capacity(s, true, load_be32(cb + 10));
        } else {
            fail(s, SENSE_BAD_FIELD);
        }
        break;
    case READ_10:
    case READ_16:
    case WRITE_10:
    case WRITE_16: read_write(s, cb); break;
    case REPORT_LUNS:
        store_be32(s->response, 8);
        respond(s, 16, load_be32(cb + 6));
        break;
    case START_STOP:
    case PREVENT_ALLOW:
    case VERIFY_10:
    case SYNCHRONIZE_CACHE_10: /* runs in the status phase */
    case SYNCHRONIZE_CACHE_16: break;
    default: fail(s, SENSE_BAD_COMMAND); break;
    }
}

/* ---- phases */

static bool is_write(const UsbStorage *s)
{
    return s->command == WRITE_10 || s->command == WRITE_16;
}

static int command_phase(UsbStorage *s, const UsbTransfer *t)
{
    uint8_t cbw[CBW_BYTES];

    if (t->bytes != CBW_BYTES || iov_to_buf(t->iov, t->n_iov, 0, cbw, CBW_BYTES) != CBW_BYTES ||
        load_le32(cbw) != CBW_SIGNATURE || cbw[13] || cbw[14] < 1 || cbw[14] > 16) {
        return USB_STALL;
    }
    bool in = cbw[12] & 0x80;

    s->tag = load_le32(cbw + 4);
    s->expected = s->residue = load_le32(cbw + 8);
    s->status = CSW_GOOD;
    s->command = cbw[15];
    s->left = 0;
    s->response_at = s->response_bytes = 0;
    s->stall_in = false;
    memset(s->response, 0, sizeof s->response);
    run_command(s, cbw + 15);
    uint64_t has = s->left + s->response_bytes;
    if (has && s->expected && in == is_write(s)) {
        fail(s, SENSE_BAD_FIELD);
        s->status = CSW_PHASE_ERROR;
        has = 0;
    }
    if (has > s->expected) { /* the host wants less: what fits moves */
        s->left = s->left ? s->expected : 0;
        s->response_bytes = s->response_bytes ? s->expected : 0;
    }
    s->phase = !s->expected ? PHASE_STATUS : in ? PHASE_DATA_IN : PHASE_DATA_OUT;
    s->stall_in = in && s->expected && !has;
    return CBW_BYTES;
}

static int give_status(UsbStorage *s, const UsbTransfer *t)
{
    uint8_t csw[CSW_BYTES];

    store_le32(csw, CSW_SIGNATURE);
    store_le32(csw + 4, s->tag);
    store_le32(csw + 8, s->residue);
    csw[12] = s->status;
    s->phase = PHASE_COMMAND;
    return (int)iov_from_buf(t->iov, t->n_iov, 0, csw, sizeof csw);
}

/* A flush is over: t is the transfer that asked for the status. */
static void flush_done(BlockReq *req, int err)
{
    UsbStorage *s = req->opaque;
    UsbTransfer *t = s->t;

    s->t = NULL;
    if (err) {
        fail(s, SENSE_MEDIUM);
    }
    usb_complete(t, give_status(s, t));
}

static void io_done(BlockReq *req, int err)
{
    UsbStorage *s = req->opaque;
    UsbTransfer *t = s->t;
    int result = (int)s->moving;

    s->t = NULL;
    if (err) {
        fail(s, err == EROFS ? SENSE_WRITE_PROTECTED : SENSE_MEDIUM);
        s->phase = PHASE_STATUS;
        result = USB_STALL;
    } else {
        s->offset += s->moving;
        s->left -= s->moving;
        s->residue -= (uint32_t)s->moving;
        if (!s->left) {
            s->phase = PHASE_STATUS;
        }
    }
    bool over = s->phase == PHASE_STATUS && !t->cancelled;
    usb_complete(t, result);
    if (over) {
        usb_wakeup(&s->u, EP_IN);
    }
}

static int start_io(UsbStorage *s, UsbTransfer *t, bool write)
{
    size_t bytes = t->bytes < s->left ? t->bytes : (size_t)s->left;

    if (bytes != t->bytes || bytes % block_limits(s->disk)->logical_block_bytes) {
        fail(s, SENSE_BAD_FIELD); /* not whole blocks: no driver does that */
        s->phase = PHASE_STATUS;
        return USB_STALL;
    }
    s->t = t;
    s->moving = bytes;
    s->req = (BlockReq){.offset_bytes = s->offset,
                        .iov = t->iov,
                        .iov_count = t->n_iov,
                        .done = io_done,
                        .opaque = s};
    block_start(s->disk, &s->req, write ? BLOCK_OP_WRITE : BLOCK_OP_READ);
    return USB_ASYNC;
}

static int data_out_phase(UsbStorage *s, UsbTransfer *t)
{
    if (s->left) {
        return start_io(s, t, true);
    }
    s->phase = PHASE_STATUS; /* nobody wants it */
    return USB_STALL;
}

static int data_in_phase(UsbStorage *s, UsbTransfer *t)
{
    if (s->stall_in) {
        s->stall_in = false;
        s->phase = PHASE_STATUS;
        return USB_STALL;
    }
    if (s->left) {
        return start_io(s, t, false);
    }
    size_t n = iov_from_buf(t->iov, t->n_iov, 0, s->response + s->response_at,
                            s->response_bytes - s->response_at);
    s->response_at += (uint32_t)n;
    s->residue -= (uint32_t)n;
    if (s->response_at == s->response_bytes) {
        s->phase = PHASE_STATUS;
    }
    return (int)n;
}

static bool flushes(const UsbStorage *s)
{
    return s->command == SYNCHRONIZE_CACHE_10 || s->command == SYNCHRONIZE_CACHE_16;
}

static int status_phase(UsbStorage *s, UsbTransfer *t)
{
    if (flushes(s) && s->status == CSW_GOOD) {
        s->t = t;
        s->req = (BlockReq){.done = flush_done, .opaque = s};
        block_flush(s->disk, &s->req);
        return USB_ASYNC;
    }
    return give_status(s, t);
}

static int storage_transfer(UsbDevice *u, UsbTransfer *t)
{
    UsbStorage *s = (UsbStorage *)u;

    if (s->t || (t->endpoint != EP_IN && t->endpoint != EP_OUT)) {
        return s->t ? USB_NAK : USB_STALL;
    }
    if (t->endpoint == EP_OUT) {
        return s->phase == PHASE_COMMAND    ? command_phase(s, t)
               : s->phase == PHASE_DATA_OUT ? data_out_phase(s, t)
                                            : USB_STALL;
    }
    return s->phase == PHASE_DATA_IN  ? data_in_phase(s, t)
           : s->phase == PHASE_STATUS ? status_phase(s, t)
                                      : USB_NAK;
}

static void storage_cancel(UsbDevice *u, UsbTransfer *t)
{
    (void)t;
    block_drain(((UsbStorage *)u)->disk);
}

static int storage_control(UsbDevice *u, const uint8_t *setup, uint8_t *data, unsigned bytes)
{
    UsbStorage *s = (UsbStorage *)u;

    if (setup[0] == 0xa1 && setup[1] == 0xfe && bytes) { /* Get Max LUN */
        data[0] = 0;
        return 1;
    }
    if (setup[0] == 0x21 && setup[1] == 0xff) { /* Bulk-Only Mass Storage Reset */
        s->phase = PHASE_COMMAND;
        return 0;
    }
    return USB_STALL;
}

static void storage_reset(UsbDevice *u)
{
    UsbStorage *s = (UsbStorage *)u;

    if (s->t) {
        block_drain(s->disk);
    }
    s->phase = PHASE_COMMAND;
    s->sense = SENSE_NONE;
    s->left = 0;
}

static bool storage_realize(UsbDevice *u, Error *err)
{
    UsbStorage *s = (UsbStorage *)u;

    return s->disk || error_set(err, "wants drive=ID of a -drive or -blockdev");
}

static void storage_quiesce(Device *d)
{
    block_drain(((UsbStorage *)d)->disk);
}

static bool storage_validate(Device *d, Error *err)
{
    UsbStorage *s = (UsbStorage *)d;

    if (s->response_bytes > RESPONSE_BYTES || s->response_at > s->response_bytes ||
        s->phase > PHASE_STATUS) {
        s->response_at = s->response_bytes = 0;
        return error_set(err, "%s: saved transfer is not valid", d->id);
    }
    return true;
}

static const uint8_t storage_device[] = {
    18, USB_DT_DEVICE, 0x00, 0x02, 0, 0, 0, 64, 0xf4, 0x46, 1, 0, 0, 1, 1, 2, 3, 1};
static const uint8_t storage_config[] = {9,
                                         USB_DT_CONFIG,
                                         32,
                                         0,
                                         1,
                                         1,
                                         0,
                                         0xc0,
                                         0,
                                         9,
                                         USB_DT_INTERFACE,
                                         0,
                                         0,
                                         2,
                                         USB_CLASS_MASS_STORAGE,
                                         6 /* SCSI */,
                                         0x50 /* bulk-only */,
                                         0,
                                         7,
                                         USB_DT_ENDPOINT,
                                         EP_IN,
                                         USB_ENDPOINT_XFER_BULK,
                                         0,
                                         2,
                                         0,
                                         7,
                                         USB_DT_ENDPOINT,
                                         EP_OUT,
                                         USB_ENDPOINT_XFER_BULK,
                                         0,
                                         2,
                                         0};
static const char *const storage_strings[] = {"", "Gemel", "USB Disk", "1-0000:00", NULL};

static const UsbClass storage_usb = {
    .speed = USB_SPEED_HIGH,
    .device = storage_device,
    .config = storage_config,
    .config_bytes = sizeof storage_config,
    .strings = storage_strings,
    .realize = storage_realize,
    .reset = storage_reset,
    .control = storage_control,
    .transfer = storage_transfer,
    .cancel = storage_cancel,
};

static const PropDesc storage_props[] = {
    USB_PROPS,
    {.name = "drive",
     .kind = PROP_BLOCK,
     PROP(UsbStorage, disk),
     .help = "id of a -drive or -blockdev",
     .required = true},
    {.name = "serial", .kind = PROP_STRING, PROP(UsbStorage, serial), .help = "serial number"},
    {.name = "removable",
     .kind = PROP_BOOL,
     PROP(UsbStorage, removable),
     .help = "says that its medium can be taken out"},
    {0},
};
static const StateDesc storage_state[] = {
    USB_STATE,
    {STATE_FIELD(STATE_U8, UsbStorage, phase)},
    {STATE_FIELD(STATE_U8, UsbStorage, status)},
    {STATE_FIELD(STATE_U8, UsbStorage, command)},
    {STATE_FIELD(STATE_BOOL, UsbStorage, stall_in)},
    {STATE_FIELD(STATE_U32, UsbStorage, tag)},
    {STATE_FIELD(STATE_U32, UsbStorage, expected)},
    {STATE_FIELD(STATE_U32, UsbStorage, residue)},
    {STATE_FIELD(STATE_U32, UsbStorage, sense)},
    {STATE_FIELD(STATE_U64, UsbStorage, offset)},
    {STATE_FIELD(STATE_U64, UsbStorage, left)},
    {STATE_FIELD(STATE_BYTES, UsbStorage, response)},
    {STATE_FIELD(STATE_U32, UsbStorage, response_at)},
    {STATE_FIELD(STATE_U32, UsbStorage, response_bytes)},
    {0},
};

const DeviceClass usb_storage_class = {
    .name = "usb-storage",
    .title = "USB disk",
    .category = "storage",
    .bytes = sizeof(UsbStorage),
    USB_DEVICE_HOOKS,
    .validate = storage_validate,
    .quiesce = storage_quiesce,
    .bus_class = &storage_usb,
    .props = storage_props,
    .state = storage_state,
};
