/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio block device. Source: VIRTIO 1.2, section 5.2. Sectors are 512 bytes.
 *
 * A request is one descriptor chain: 16 bytes of header, data, one byte of status at the very end.
 * It becomes one BlockReq on the same guest memory (a discard or write-zeroes of several segments:
 * one after another). Not modelled: zoned devices, secure erase, lifetime, multi-queue affinity.
 * Limits of the disk are shown as they are; a request that breaks them fails with IOERR.
 */
#include <linux/virtio_blk.h>
#include <stdlib.h>

#include "core/block.h"
#include "core/machine.h"
#include "hw/virtio.h"
#include "util/bits.h"

enum {
    SECTOR_BITS = 9,
    HEADER_BYTES = 16,
    SEGMENT_BYTES = 16,
    MAX_SEGMENTS = 16,
    ID_BYTES = VIRTIO_BLK_ID_BYTES,
    CONFIG_BYTES = sizeof(struct virtio_blk_config)
};

typedef struct VirtioBlk {
    VirtioDevice v; /* must be first */
    BlockDev *disk;
    BlockNotifier notifier;
    char *serial; /* properties */
    uint32_t num_queues, queue_size;
    bool discard, write_zeroes;
    bool wce; /* state: writes may stay in the disk's cache */
} VirtioBlk;

typedef struct BlkReq {
    VirtElement e; /* must be first */
    VirtioBlk *blk;
    VirtQueue *q;
    BlockReq io;
    struct iovec *data, *slices; /* slices: own memory when the data had to be cut out */
    unsigned n_data;
    size_t data_bytes;
    uint32_t type;
    unsigned segment, n_segments;
} BlkReq;

/* ---- configuration space */

static void put16(uint8_t *buf, size_t offset, uint16_t v)
{
    store_le16(buf + offset, v);
}

static void put32(uint8_t *buf, size_t offset, uint32_t v)
{
    store_le32(buf + offset, v);
}

static uint32_t max_sectors(const BlockLimits *l)
{
    uint64_t n = l->discard_max_bytes >> SECTOR_BITS;

    return n && n < INT32_MAX ? (uint32_t)n : INT32_MAX >> SECTOR_BITS;
}

static void blk_config(VirtioDevice *v, uint8_t *buf)
{
    VirtioBlk *b = (VirtioBlk *)v;
    const BlockLimits *l = block_limits(b->disk);
    uint32_t align = l->discard_align_bytes ? l->discard_align_bytes : l->logical_block_bytes;

    store_le64(buf + offsetof(struct virtio_blk_config, capacity),
               l->present ? l->size_bytes >> SECTOR_BITS : 0);
    put32(buf, offsetof(struct virtio_blk_config, seg_max), b->queue_size - 2);
    put32(buf, offsetof(struct virtio_blk_config, blk_size), l->logical_block_bytes);
    buf[offsetof(struct virtio_blk_config, physical_block_exp)] =
        (uint8_t)ctz32(l->physical_block_bytes / l->logical_block_bytes);
    buf[offsetof(struct virtio_blk_config, wce)] = b->wce;
    put16(buf, offsetof(struct virtio_blk_config, num_queues), (uint16_t)b->num_queues);
    put32(buf, offsetof(struct virtio_blk_config, max_discard_sectors), max_sectors(l));
    put32(buf, offsetof(struct virtio_blk_config, max_discard_seg), MAX_SEGMENTS);
    put32(buf, offsetof(struct virtio_blk_config, discard_sector_alignment), align >> SECTOR_BITS);
    put32(buf, offsetof(struct virtio_blk_config, max_write_zeroes_sectors), max_sectors(l));
    put32(buf, offsetof(struct virtio_blk_config, max_write_zeroes_seg), MAX_SEGMENTS);
    buf[offsetof(struct virtio_blk_config, write_zeroes_may_unmap)] = 1;
}

static void blk_config_write(VirtioDevice *v, const uint8_t *buf, unsigned offset, unsigned bytes)
{
    VirtioBlk *b = (VirtioBlk *)v;

    if (offset == offsetof(struct virtio_blk_config, wce) && bytes == 1) {
        b->wce = buf[offset] & 1;
    }
}

/* ---- requests */

static void finish(BlkReq *r, uint8_t status)
{
    VirtQueue *q = r->q;
    size_t in_data = r->e.in_bytes - 1;

    iov_from_buf(r->e.in, r->e.n_in, in_data, &status, 1);
    free(r->slices);
    virtq_push(q, &r->e, r->e.in_bytes);
    virtq_notify(q);
}

static uint8_t status_of(int err)
{
    return err == 0 ? VIRTIO_BLK_S_OK : err == ENOTSUP ? VIRTIO_BLK_S_UNSUPP : VIRTIO_BLK_S_IOERR;
}

static bool next_segment(BlkReq *r, uint8_t *status);

static void io_done(BlockReq *io, int err)
{
    BlkReq *r = io->opaque;
    uint8_t status = status_of(err);

    if (status == VIRTIO_BLK_S_OK && r->segment < r->n_segments && next_segment(r, &status)) {
        return;
    }
    finish(r, status);
}

static bool write_through(const VirtioBlk *b)
{
    return !b->wce || !virtio_has(&b->v, VIRTIO_BLK_F_FLUSH);
}

static void start_io(BlkReq *r, uint64_t sector)
{
    bool write = r->type == VIRTIO_BLK_T_OUT;

    if (sector > UINT64_MAX >> SECTOR_BITS || r->data_bytes % (1 << SECTOR_BITS)) {
        finish(r, VIRTIO_BLK_S_IOERR);
        return;
    }
    if (!r->data_bytes) {
        finish(r, VIRTIO_BLK_S_OK);
        return;
    }
    r->io.offset_bytes = sector << SECTOR_BITS;
    r->io.iov = r->data;
    r->io.iov_count = r->n_data;
    r->io.flags = write && write_through(r->blk) ? BLOCK_REQ_FUA : 0;
    block_start(r->blk->disk, &r->io, write ? BLOCK_OP_WRITE : BLOCK_OP_READ);
}

/* Starts segment r->segment of a discard or write-zeroes; false: over, with *status. */
static bool next_segment(BlkReq *r, uint8_t *status)
{
    uint8_t raw[SEGMENT_BYTES];
    bool zero = r->type == VIRTIO_BLK_T_WRITE_ZEROES;

    iov_to_buf(r->data, r->n_data, (size_t)r->segment * SEGMENT_BYTES, raw, sizeof raw);
    r->segment++;
    uint64_t sector = load_le64(raw);
    uint32_t n = load_le32(raw + 8), flags = load_le32(raw + 12);

    *status = VIRTIO_BLK_S_UNSUPP;
    if (flags & ~(zero ? (uint32_t)VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0u)) {
        return false;
    }
    *status = VIRTIO_BLK_S_IOERR;
    if (sector > UINT64_MAX >> SECTOR_BITS || n > max_sectors(block_limits(r->blk->disk))) {
        return false;
    }
    r->io.offset_bytes = sector << SECTOR_BITS;
    r->io.bytes = (uint64_t)n << SECTOR_BITS;
    r->io.flags = zero && flags ? BLOCK_REQ_UNMAP : 0;
    if (zero && write_through(r->blk)) {
        r->io.flags |= BLOCK_REQ_FUA;
    }
    block_start(r->blk->disk, &r->io, zero ? BLOCK_OP_WRITE_ZEROES : BLOCK_OP_DISCARD);
    return true;
}

static void start_segments(BlkReq *r)
{
    unsigned feature =
        r->type == VIRTIO_BLK_T_DISCARD ? VIRTIO_BLK_F_DISCARD : VIRTIO_BLK_F_WRITE_ZEROES;
    uint8_t status = VIRTIO_BLK_S_UNSUPP;

    r->n_segments = (unsigned)(r->data_bytes / SEGMENT_BYTES);
    if (virtio_has(&r->blk->v, feature) && r->data_bytes % SEGMENT_BYTES == 0 && r->n_segments &&
        r->n_segments <= MAX_SEGMENTS && next_segment(r, &status)) {
        return;
    }
    finish(r, status);
}

static void get_id(BlkReq *r)
{
    char id[ID_BYTES] = {0};
    const char *text = r->blk->serial ? r->blk->serial : "";

    for (unsigned i = 0; i < ID_BYTES && text[i]; i++) {
        id[i] = text[i];
    }
    iov_from_buf(r->data, r->n_data, 0, id, r->data_bytes < ID_BYTES ? r->data_bytes : ID_BYTES);
    finish(r, VIRTIO_BLK_S_OK);
}

/* Data without header and status: whole pieces in the usual case. */
static bool cut_data(BlkReq *r, bool write)
{
    VirtElement *e = &r->e;
    struct iovec *iov = write ? e->out : e->in;
    unsigned n = write ? e->n_out : e->n_in;
    size_t skip = write ? HEADER_BYTES : 0;

    r->data_bytes = write ? e->out_bytes - HEADER_BYTES : e->in_bytes - 1;
    if (write && iov[0].iov_len == HEADER_BYTES) {
        r->data = iov + 1;
        r->n_data = n - 1;
    } else if (!write && iov[n - 1].iov_len == 1) {
        r->data = iov;
        r->n_data = n - 1;
    } else {
        r->data = r->slices = calloc(n, sizeof *iov);
        if (!r->slices) {
            return false;
        }
        r->n_data = iov_slice(r->slices, n, iov, n, skip, r->data_bytes);
    }
    return true;
}

static void start_request(VirtioBlk *b, VirtQueue *q, BlkReq *r)
{
    uint8_t header[HEADER_BYTES];

    if (r->e.out_bytes < HEADER_BYTES || !r->e.in_bytes) {
        virtio_error(&b->v, "request without header or status");
        virtq_drop(q, &r->e);
        return;
    }
    iov_to_buf(r->e.out, r->e.n_out, 0, header, sizeof header);
    r->blk = b;
    r->q = q;
    r->type = load_le32(header);
    r->io.done = io_done;
    r->io.opaque = r;
    bool to_disk = r->type == VIRTIO_BLK_T_OUT || r->type == VIRTIO_BLK_T_DISCARD ||
                   r->type == VIRTIO_BLK_T_WRITE_ZEROES;
    if (!cut_data(r, to_disk)) {
        finish(r, VIRTIO_BLK_S_IOERR);
        return;
    }
    switch (r->type) {
    case VIRTIO_BLK_T_IN:
    case VIRTIO_BLK_T_OUT: start_io(r, load_le64(header + 8)); break;
    case VIRTIO_BLK_T_FLUSH: block_flush(b->disk, &r->io); break;
    case VIRTIO_BLK_T_GET_ID: get_id(r); break;
    case VIRTIO_BLK_T_DISCARD:
    case VIRTIO_BLK_T_WRITE_ZEROES: start_segments(r); break;
    default: finish(r, VIRTIO_BLK_S_UNSUPP); break;
    }
}

static void blk_kick(VirtioDevice *v, VirtQueue *q)
{
    BlkReq *r;

    while ((r = virtq_pop(q, sizeof *r))) {
        start_request((VirtioBlk *)v, q, r);
    }
}

/* ---- life */

static void blk_changed(BlockNotifier *n, BlockDev *dev)
{
    (void)dev;
    virtio_config_changed(n->opaque);
}

static bool blk_realize(VirtioDevice *v, Error *err)
{
    VirtioBlk *b = (VirtioBlk *)v;

    if (!b->disk) {
        return error_set(err, "wants drive=ID of a -drive or -blockdev");
    }
    if (!b->num_queues || b->num_queues > VIRTIO_MAX_QUEUES) {
        return error_set(err, "num-queues=%u: 1 to %u", b->num_queues, VIRTIO_MAX_QUEUES);
    }
    if (!is_pow2(b->queue_size) || b->queue_size < 4 || b->queue_size > VIRTIO_MAX_QUEUE_SIZE) {
        return error_set(err, "queue-size=%u: a power of two, 4 to %u", b->queue_size,
                         VIRTIO_MAX_QUEUE_SIZE);
    }
    virtio_set_queues(v, b->num_queues, b->queue_size);
    if (!v->n_queues) {
        return error_set(err, "no memory");
    }
    v->host_features |= (b->num_queues > 1 ? VIRTIO_BIT(VIRTIO_BLK_F_MQ) : 0) |
                        (b->discard ? VIRTIO_BIT(VIRTIO_BLK_F_DISCARD) : 0) |
                        (b->write_zeroes ? VIRTIO_BIT(VIRTIO_BLK_F_WRITE_ZEROES) : 0) |
                        (block_limits(b->disk)->read_only ? VIRTIO_BIT(VIRTIO_BLK_F_RO) : 0);
    b->notifier.changed = blk_changed;
    b->notifier.opaque = v;
    block_add_notifier(b->disk, &b->notifier);
    return true;
}

static void blk_unrealize(VirtioDevice *v)
{
    VirtioBlk *b = (VirtioBlk *)v;

    block_remove_notifier(b->disk, &b->notifier);
}

static void blk_drain(VirtioDevice *v)
{
    block_drain(((VirtioBlk *)v)->disk);
}

static void blk_reset(VirtioDevice *v)
{
    VirtioBlk *b = (VirtioBlk *)v;

    block_drain(b->disk);
    b->wce = block_limits(b->disk)->write_cache;
}

static const VirtioClass blk_virtio = {
    .id = VIRTIO_ID_BLOCK,
    .config_bytes = CONFIG_BYTES,
    .n_queues = 1,
    .queue_size = 256,
    .features = VIRTIO_BIT(VIRTIO_BLK_F_SEG_MAX) | VIRTIO_BIT(VIRTIO_BLK_F_BLK_SIZE) |
                VIRTIO_BIT(VIRTIO_BLK_F_FLUSH) | VIRTIO_BIT(VIRTIO_BLK_F_TOPOLOGY) |
                VIRTIO_BIT(VIRTIO_BLK_F_CONFIG_WCE),
    .realize = blk_realize,
    .unrealize = blk_unrealize,
    .reset = blk_reset,
    .kick = blk_kick,
    .config_read = blk_config,
    .config_write = blk_config_write,
    .quiesce = blk_drain,
};

#define BLK_PROPS                                                                                  \
    {.name = "drive",                                                                              \
     .kind = PROP_BLOCK,                                                                           \
     PROP(VirtioBlk, disk),                                                                        \
     .help = "id of a -drive or -blockdev",                                                        \
     .required = true},                                                                            \
        {.name = "serial", .kind = PROP_STRING, PROP(VirtioBlk, serial), .help = "serial number"}, \
        {.name = "num-queues",                                                                     \
         .kind = PROP_U32,                                                                         \
         PROP(VirtioBlk, num_queues),                                                              \
         .initial = "1",                                                                           \
         .help = "request queues"},                                                                \
        {.name = "queue-size",                                                                     \
         .kind = PROP_U32,                                                                         \
         PROP(VirtioBlk, queue_size),                                                              \
         .initial = "256",                                                                         \
         .help = "entries of a queue"},                                                            \
        {.name = "discard",                                                                        \
         .kind = PROP_BOOL,                                                                        \
         PROP(VirtioBlk, discard),                                                                 \
         .initial = "on",                                                                          \
         .help = "offer discard"},                                                                 \
    {                                                                                              \
        .name = "write-zeroes", .kind = PROP_BOOL, PROP(VirtioBlk, write_zeroes), .initial = "on", \
        .help = "offer write-zeroes"                                                               \
    }

static const PropDesc blk_pci_props[] = {VIRTIO_PCI_PROPS, BLK_PROPS, {0}};
static const PropDesc blk_mmio_props[] = {VIRTIO_MMIO_PROPS, BLK_PROPS, {0}};
static const StateDesc blk_pci_state[] = {
    PCI_STATE, VIRTIO_STATE, {STATE_FIELD(STATE_BOOL, VirtioBlk, wce), .keep = true}, {0}};
static const StateDesc blk_mmio_state[] = {
    VIRTIO_STATE, {STATE_FIELD(STATE_BOOL, VirtioBlk, wce), .keep = true}, {0}};
static const VirtioPciClass blk_pci = VIRTIO_PCI_CLASS(&blk_virtio, VIRTIO_ID_BLOCK, 0x010000);

const DeviceClass virtio_blk_pci_class = {
    .name = "virtio-blk-pci",
    .alias = "virtio-blk",
    .title = "virtio disk",
    .category = "storage",
    .bytes = sizeof(VirtioBlk),
    VIRTIO_PCI_HOOKS,
    .bus_class = &blk_pci,
    .props = blk_pci_props,
    .state = blk_pci_state,
};

const DeviceClass virtio_blk_device_class = {
    .name = "virtio-blk-device",
    .title = "virtio disk on a virtio-mmio slot",
    .category = "storage",
    .bytes = sizeof(VirtioBlk),
    VIRTIO_MMIO_HOOKS,
    .bus_class = &blk_virtio,
    .props = blk_mmio_props,
    .state = blk_mmio_state,
};
