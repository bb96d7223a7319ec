/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NVMe: the NVM command set. Source: NVM Express 1.4, chapter 6. One namespace, number 1. */
#include <stdlib.h>

#include "nvme.h"

enum { FLUSH = 0x00, WRITE = 0x01, READ = 0x02, WRITE_ZEROES = 0x08, DATASET_MANAGEMENT = 0x09 };
enum { RANGE_BYTES = 16 };

static uint16_t error_status(const NvmeReq *r, int err)
{
    return !err                ? NVME_OK
           : err == EROFS      ? NVME_READ_ONLY
           : r->cmd[0] == READ ? NVME_READ_ERROR
                               : NVME_WRITE_FAULT;
}

static void io_done(BlockReq *io, int err)
{
    NvmeReq *r = io->opaque;

    nvme_unmap(r, err ? 0 : (size_t)r->bytes);
    nvme_complete(r, error_status(r, err));
}

/* Byte range of the command; NVME_OK when it is on the disk. */
static uint16_t lba_range(NvmeReq *r, uint64_t *offset, uint64_t *bytes)
{
    uint64_t lba = load_le64(r->cmd + 40), n = (uint64_t)load_le16(r->cmd + 48) + 1;
    unsigned shift = nvme_lba_shift(r->n);
    uint64_t all = block_size_bytes(r->n->disk) >> shift;

    if (lba > all || n > all - lba) {
        return NVME_LBA_RANGE;
    }
    *offset = lba << shift;
    *bytes = n << shift;
    return NVME_OK;
}

static uint16_t read_write(NvmeReq *r, bool write)
{
    uint64_t offset, bytes;
    uint16_t status = lba_range(r, &offset, &bytes);

    if (status == NVME_OK) {
        status = nvme_map(r, bytes, !write);
    }
    if (status != NVME_OK) {
        return status;
    }
    Nvme *n = r->n;
    *(write ? &n->writes : &n->reads) += 1;
    *(write ? &n->sectors_written : &n->sectors_read) += bytes >> 9;
    bool fua = load_le32(r->cmd + 48) >> 30 & 1;
    r->io = (BlockReq){.offset_bytes = offset,
                       .iov = r->iov,
                       .iov_count = r->n_iov,
                       .flags = write && (fua || !(n->features[6] & 1)) ? BLOCK_REQ_FUA : 0,
                       .done = io_done,
                       .opaque = r};
    block_start(n->disk, &r->io, write ? BLOCK_OP_WRITE : BLOCK_OP_READ);
    return NVME_NONE;
}

static uint16_t write_zeroes(NvmeReq *r)
{
    uint64_t offset, bytes;
    uint16_t status = lba_range(r, &offset, &bytes);
    uint32_t dw12 = load_le32(r->cmd + 48);

    if (status != NVME_OK) {
        return status;
    }
    r->io = (BlockReq){.offset_bytes = offset,
                       .bytes = bytes,
                       .flags = (dw12 >> 25 & 1 ? BLOCK_REQ_UNMAP : 0) |
                                (dw12 >> 30 & 1 || !(r->n->features[6] & 1) ? BLOCK_REQ_FUA : 0),
                       .done = io_done,
                       .opaque = r};
    block_start(r->n->disk, &r->io, BLOCK_OP_WRITE_ZEROES);
    return NVME_NONE;
}

static void range_done(BlockReq *io, int err);

/* Starts the next range; false: none is left, or it is outside (*status). */
static bool next_range(NvmeReq *r, uint16_t *status)
{
    const Nvme *n = r->n;
    unsigned shift = nvme_lba_shift(n);
    uint64_t all = block_size_bytes(n->disk) >> shift;

    *status = NVME_OK;
    while (r->range < r->n_ranges) {
        const uint8_t *d = r->ranges + (size_t)RANGE_BYTES * r->range++;
        uint64_t lba = load_le64(d + 8), count = load_le32(d + 4);
        if (lba > all || count > all - lba) {
            *status = NVME_LBA_RANGE;
            return false;
        }
        if (count) {
            r->io = (BlockReq){.offset_bytes = lba << shift,
                               .bytes = count << shift,
                               .done = range_done,
                               .opaque = r};
            block_discard(n->disk, &r->io);
            return true;
        }
    }
    return false;
}

static void range_done(BlockReq *io, int err)
{
    NvmeReq *r = io->opaque;
    uint16_t status = err == ENOTSUP ? NVME_OK : error_status(r, err); /* a hint may fail */

    if (status == NVME_OK && next_range(r, &status)) {
        return;
    }
    nvme_complete(r, status);
}

static uint16_t dataset_management(NvmeReq *r)
{
    unsigned count = (load_le32(r->cmd + 40) & 0xff) + 1;
    uint16_t status;

    if (!(load_le32(r->cmd + 44) & 4)) {
        return NVME_OK; /* no deallocate: hints */
    }
    r->ranges = malloc((size_t)RANGE_BYTES * count);
    if (!r->ranges) {
        return NVME_INTERNAL;
    }
    status = nvme_take(r, r->ranges, (size_t)RANGE_BYTES * count);
    r->range = 0;
    r->n_ranges = status == NVME_OK ? count : 0;
    return status == NVME_OK && next_range(r, &status) ? NVME_NONE : status;
}

uint16_t nvme_io(NvmeReq *r)
{
    uint32_t ns = load_le32(r->cmd + 4);

    if (ns != 1 && !(ns == UINT32_MAX && r->cmd[0] == FLUSH)) {
        return NVME_INVALID_NS;
    }
    switch (r->cmd[0]) {
    case FLUSH:
        r->io = (BlockReq){.done = io_done, .opaque = r};
        block_flush(r->n->disk, &r->io);
        return NVME_NONE;
    case WRITE:
    case READ: return read_write(r, r->cmd[0] == WRITE);
    case WRITE_ZEROES: return write_zeroes(r);
    case DATASET_MANAGEMENT: return dataset_management(r);
    default: return NVME_INVALID_OPCODE;
    }
}
