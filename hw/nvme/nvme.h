/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The NVMe controller's private header. Names and numbers: NVM Express Base Specification 1.4. */
#ifndef GEMEL_HW_NVME_H
#define GEMEL_HW_NVME_H

#include "core/block.h"
#include "core/machine.h"
#include "hw/pci.h"
#include "util/bits.h"

enum {
    NVME_MAX_QUEUES = 65,       /* pairs, with the admin pair */
    NVME_MAX_ENTRIES = 2048,
    NVME_MDTS = 7,              /* 2^7 pages of 4 KiB a command */
    NVME_MAX_BYTES = 4096 << NVME_MDTS,
    NVME_MAX_IOV = 256,
    NVME_MAX_AER = 4,
    NVME_MAX_RANGES = 256,
    NVME_SQE_BYTES = 64,
    NVME_CQE_BYTES = 16
};

/* Status field: code type << 8 | code; with DNR at bit 14. */
enum {
    NVME_OK = 0x0000, NVME_INVALID_OPCODE = 0x4001, NVME_INVALID_FIELD = 0x4002,
    NVME_DATA_TRANSFER = 0x0004, NVME_INTERNAL = 0x0006, NVME_ABORTED = 0x0007,
    NVME_INVALID_NS = 0x400b, NVME_SEQUENCE = 0x000c, NVME_INVALID_SGL = 0x400d, NVME_SGL_LENGTH = 0x400f,
    NVME_LBA_RANGE = 0x4080,
    NVME_BAD_CQ = 0x4100, NVME_BAD_QID = 0x4101, NVME_BAD_QSIZE = 0x4102, NVME_AER_LIMIT = 0x4105,
    NVME_BAD_VECTOR = 0x4108, NVME_BAD_LOG = 0x4109, NVME_BAD_DELETE = 0x410c,
    NVME_FEATURE_NOT_CHANGEABLE = 0x410e,
    NVME_READ_ONLY = 0x4182, NVME_WRITE_FAULT = 0x0280, NVME_READ_ERROR = 0x0281,
    NVME_NONE = 0xffff          /* not over yet */
};

typedef struct Nvme Nvme;

typedef struct NvmeSq {
    bool     enabled;
    uint16_t cq, size, head, tail;
    uint64_t base;
    uint32_t in_flight;
} NvmeSq;

typedef struct NvmeCq {
    bool     enabled, interrupts, phase;
    uint16_t vector, size, head, tail;
    uint64_t base;
    uint32_t reserved; /* commands in flight that will complete here */
} NvmeCq;

/* A command on its way. */
typedef struct NvmeReq {
    BlockReq     io;
    Nvme        *n;
    uint16_t     sq, cid;
    uint8_t      cmd[NVME_SQE_BYTES];
    bool         to_host;   /* data go to guest memory */
    unsigned     n_iov;
    uint64_t     bytes;
    uint32_t     result;
    uint8_t     *ranges;    /* dataset management */
    unsigned     range, n_ranges;
    struct NvmeReq *next;   /* spare */
    struct iovec iov[NVME_MAX_IOV];
} NvmeReq;

struct Nvme {
    PciDevice     pci; /* must be first */
    BlockDev     *disk;
    BlockNotifier notifier;
    char         *serial; /* properties */
    uint32_t      max_ioqpairs;
    NvmeReq      *spare;
    /* state */
    uint32_t cc, csts, aqa, intm;
    uint64_t asq, acq;
    NvmeSq   sq[NVME_MAX_QUEUES];
    NvmeCq   cq[NVME_MAX_QUEUES];
    uint16_t aer[NVME_MAX_AER];
    uint32_t n_aer;
    uint32_t features[16];  /* by feature identifier */
    bool     ns_changed, ns_event;
    uint64_t reads, writes, sectors_read, sectors_written;
};

/* nvme.c */
static inline unsigned nvme_page_bytes(const Nvme *n)
{
    return 4096u << (n->cc >> 7 & 15);
}
static inline unsigned nvme_lba_shift(const Nvme *n)
{
    return ctz32(block_limits(n->disk)->logical_block_bytes);
}
/* Completes r and frees it. */
void nvme_complete(NvmeReq *r, uint16_t status);
void nvme_run_sq(Nvme *n, unsigned sq);
void nvme_pin_sync(Nvme *n);
void nvme_notify_event(Nvme *n);
void nvme_post(Nvme *n, unsigned sq, uint16_t cid, uint16_t status, uint32_t result);

/* nvme_admin.c, nvme_io.c: run a command; its status, or NVME_NONE when it completes later. */
uint16_t nvme_admin(NvmeReq *r);
uint16_t nvme_io(NvmeReq *r);

/* nvme_data.c: maps the command's data, `bytes` long, into r->iov; NVME_OK or a status. */
uint16_t nvme_map(NvmeReq *r, uint64_t bytes, bool to_host);
void     nvme_unmap(NvmeReq *r, size_t written);
/* For short data: gives buf to the host, or takes it. */
uint16_t nvme_give(NvmeReq *r, const void *buf, size_t bytes);
uint16_t nvme_take(NvmeReq *r, void *buf, size_t bytes);

#endif
