/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVMe: where the data of a command are. Source: NVM Express 1.4, sections 4.3 (PRP), 4.4 (SGL).
 * Bounded: NVME_MAX_BYTES, NVME_MAX_IOV pieces, a few hundred descriptors.
 */
#include <string.h>

#include "hw/iov.h"
#include "nvme.h"

enum { SGL_DATA = 0, SGL_SEGMENT = 2, SGL_LAST_SEGMENT = 3, MAX_SGL = 512 };

static bool read_guest(Nvme *n, uint64_t gpa, void *buf, size_t bytes)
{
    return mem_read(n->pci.as, gpa, buf, bytes, pci_attrs(&n->pci)) == MEM_OK;
}

/* Maps one piece; joins it to the one before when their host memory touches. */
static bool add(NvmeReq *r, uint64_t gpa, size_t bytes)
{
    int n = 0;

    if (!bytes) {
        return true;
    }
    if (r->n_iov == NVME_MAX_IOV) {
        return false;
    }
    struct iovec *at = &r->iov[r->n_iov];
    size_t got =
        dma_map(r->n->pci.as, gpa, bytes, r->to_host, at, (int)(NVME_MAX_IOV - r->n_iov), &n);
    r->n_iov += (unsigned)n;
    r->bytes += got;
    return got == bytes;
}

/* Physically contiguous PRP entries are mapped as one piece. */
typedef struct Run {
    uint64_t gpa;
    size_t bytes;
} Run;

static bool run_add(NvmeReq *r, Run *run, uint64_t gpa, size_t bytes)
{
    if (run->bytes && run->gpa + run->bytes == gpa) {
        run->bytes += bytes;
        return true;
    }
    bool ok = add(r, run->gpa, run->bytes);
    *run = (Run){gpa, bytes};
    return ok;
}

static uint16_t map_prp_list(NvmeReq *r, Run *run, uint64_t list, uint64_t left)
{
    unsigned page = nvme_page_bytes(r->n);
    uint8_t raw[8];

    while (left) {
        bool last_slot = (list & (page - 1)) == page - 8;
        if (list & 7 || !read_guest(r->n, list, raw, 8)) {
            return NVME_DATA_TRANSFER;
        }
        uint64_t entry = load_le64(raw);
        if (entry & (page - 1)) {
            return NVME_INVALID_FIELD;
        }
        if (last_slot && left > page) { /* the list goes on there */
            list = entry;
            continue;
        }
        size_t bytes = left < page ? (size_t)left : page;
        if (!run_add(r, run, entry, bytes)) {
            return NVME_DATA_TRANSFER;
        }
        left -= bytes;
        list += 8;
    }
    return NVME_OK;
}

static uint16_t map_prp(NvmeReq *r, uint64_t bytes)
{
    uint64_t prp1 = load_le64(r->cmd + 24), prp2 = load_le64(r->cmd + 32);
    unsigned page = nvme_page_bytes(r->n);
    uint64_t first = page - (prp1 & (page - 1));
    Run run = {prp1, (size_t)(first < bytes ? first : bytes)};
    uint64_t left = bytes - run.bytes;
    uint16_t status = NVME_OK;

    if (left > page) {
        status = map_prp_list(r, &run, prp2, left);
    } else if (left) {
        if (prp2 & (page - 1)) {
            return NVME_INVALID_FIELD;
        }
        status = run_add(r, &run, prp2, (size_t)left) ? NVME_OK : NVME_DATA_TRANSFER;
    }
    if (status == NVME_OK && !add(r, run.gpa, run.bytes)) {
        status = NVME_DATA_TRANSFER;
    }
    return status;
}

static uint16_t map_sgl(NvmeReq *r, uint64_t bytes)
{
    uint8_t d[16];
    uint64_t at = 0;
    unsigned in_segment = 1;
    bool last = false;

    memcpy(d, r->cmd + 24, sizeof d);
    for (unsigned i = 0; i < MAX_SGL; i++) {
        uint64_t address = load_le64(d), left = bytes - r->bytes;
        uint32_t length = load_le32(d + 8);
        unsigned type = d[15] >> 4;

        in_segment--;
        if (type == SGL_DATA) {
            if (!add(r, address, length < left ? length : (size_t)left)) {
                return NVME_DATA_TRANSFER;
            }
        } else if ((type == SGL_SEGMENT || type == SGL_LAST_SEGMENT) && !in_segment && !last &&
                   length && length % 16 == 0) {
            at = address;
            in_segment = length / 16;
            last = type == SGL_LAST_SEGMENT;
        } else {
            return NVME_INVALID_SGL;
        }
        if (r->bytes == bytes) {
            return NVME_OK;
        }
        if (!in_segment) {
            return NVME_SGL_LENGTH;
        }
        if (!read_guest(r->n, at, d, sizeof d)) {
            return NVME_DATA_TRANSFER;
        }
        at += 16;
    }
    return NVME_INVALID_SGL;
}

uint16_t nvme_map(NvmeReq *r, uint64_t bytes, bool to_host)
{
    unsigned psdt = r->cmd[1] >> 6;

    r->to_host = to_host;
    r->n_iov = 0;
    r->bytes = 0;
    if (!bytes || bytes > NVME_MAX_BYTES) {
        return NVME_INVALID_FIELD;
    }
    uint16_t status = psdt == 0  ? map_prp(r, bytes)
                      : psdt < 3 ? map_sgl(r, bytes)
                                 : NVME_INVALID_FIELD;
    if (status != NVME_OK) {
        nvme_unmap(r, 0);
    }
    return status;
}

void nvme_unmap(NvmeReq *r, size_t written)
{
    dma_unmap(r->n->pci.as, r->iov, (int)r->n_iov, r->to_host, r->to_host ? written : 0);
    r->n_iov = 0;
    r->bytes = 0;
}

uint16_t nvme_give(NvmeReq *r, const void *buf, size_t bytes)
{
    uint16_t status = nvme_map(r, bytes, true);

    if (status == NVME_OK) {
        iov_from_buf(r->iov, r->n_iov, 0, buf, bytes);
        nvme_unmap(r, bytes);
    }
    return status;
}

uint16_t nvme_take(NvmeReq *r, void *buf, size_t bytes)
{
    uint16_t status = nvme_map(r, bytes, false);

    if (status == NVME_OK) {
        iov_to_buf(r->iov, r->n_iov, 0, buf, bytes);
        nvme_unmap(r, 0);
    }
    return status;
}
