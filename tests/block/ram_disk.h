/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk in memory for tests of devices: requests wait until ram_disk_run() (or block_drain())
 * completes them in order, so a test chooses when. ram_disk.fail makes the next requests fail.
 *
 *   RamDisk *d = ram_disk_new(1 << 20);
 *   ... give &d->dev to the device; d->data is the medium ...
 *   ram_disk_free(d);
 */
#ifndef GEMEL_TESTS_BLOCK_RAM_DISK_H
#define GEMEL_TESTS_BLOCK_RAM_DISK_H

#include <stdlib.h>
#include <string.h>

#include "core/block.h"

typedef struct RamDisk {
    BlockDev  dev; /* must be first */
    uint8_t  *data;
    BlockReq *first, **last; /* waiting */
    unsigned  count[BLOCK_OP_COUNT];
    int       fail; /* errno that reads and writes get */
} RamDisk;

static inline void ram_disk_start(BlockDev *dev, BlockReq *req)
{
    RamDisk *d = (RamDisk *)dev;

    req->next = NULL;
    *d->last = req;
    d->last = &req->next;
}

static inline int ram_disk_do(RamDisk *d, BlockReq *req)
{
    bool vector = req->op <= BLOCK_OP_WRITE;
    uint64_t bytes = vector ? block_iov_bytes(req->iov, req->iov_count) : req->bytes;
    int err = block_check_request(&d->dev, req, bytes);
    uint8_t *at = d->data + req->offset_bytes;

    d->count[req->op]++;
    if (err || d->fail) {
        return err ? err : d->fail;
    }
    if (req->op == BLOCK_OP_WRITE_ZEROES) {
        memset(at, 0, bytes);
    }
    for (unsigned i = 0; vector && i < req->iov_count; i++) {
        size_t n = req->iov[i].iov_len;
        if (req->op == BLOCK_OP_READ) {
            memcpy(req->iov[i].iov_base, at, n);
        } else {
            memcpy(at, req->iov[i].iov_base, n);
        }
        at += n;
    }
    return 0;
}

/* Completes what waits, and what the callbacks add; how many that were. */
static inline unsigned ram_disk_run(RamDisk *d)
{
    unsigned n = 0;

    while (d->first) {
        BlockReq *req = d->first;
        d->first = req->next;
        if (!d->first) {
            d->last = &d->first;
        }
        req->error = ram_disk_do(d, req);
        n++;
        req->done(req, req->error);
    }
    return n;
}

static inline void ram_disk_drain(BlockDev *dev)
{
    ram_disk_run((RamDisk *)dev);
}

static inline int ram_disk_pread(BlockDev *dev, uint64_t offset, void *buf, size_t bytes)
{
    if (offset > dev->limits.size_bytes || bytes > dev->limits.size_bytes - offset) {
        return EIO;
    }
    memcpy(buf, ((RamDisk *)dev)->data + offset, bytes);
    return 0;
}

static inline int ram_disk_pwrite(BlockDev *dev, uint64_t offset, const void *buf, size_t bytes)
{
    if (offset > dev->limits.size_bytes || bytes > dev->limits.size_bytes - offset) {
        return EIO;
    }
    memcpy(((RamDisk *)dev)->data + offset, buf, bytes);
    return 0;
}

static inline int ram_disk_flush(BlockDev *dev)
{
    (void)dev;
    return 0;
}

static inline RamDisk *ram_disk_new(uint64_t bytes)
{
    static const BlockOps ops = {
        .start = ram_disk_start,
        .drain = ram_disk_drain,
        .pread = ram_disk_pread,
        .pwrite = ram_disk_pwrite,
        .flush = ram_disk_flush,
    };
    RamDisk *d = calloc(1, sizeof *d);

    d->data = calloc(1, bytes);
    d->last = &d->first;
    d->dev = (BlockDev){
        .ops = &ops,
        .name = "ram",
        .limits = {.size_bytes = bytes,
                   .logical_block_bytes = 512,
                   .physical_block_bytes = 512,
                   .request_align_bytes = 1,
                   .discard_align_bytes = 512,
                   .discard_max_bytes = 1u << 30,
                   .write_cache = true,
                   .present = true},
    };
    return d;
}

static inline void ram_disk_free(RamDisk *d)
{
    free(d->data);
    free(d);
}

#endif
