/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NVMe: the admin command set. Source: NVM Express 1.4, chapter 5. */
#include <stdio.h>
#include <string.h>

#include "nvme.h"

enum {
    DELETE_SQ = 0x00,
    CREATE_SQ = 0x01,
    GET_LOG = 0x02,
    DELETE_CQ = 0x04,
    CREATE_CQ = 0x05,
    IDENTIFY = 0x06,
    ABORT = 0x08,
    SET_FEATURES = 0x09,
    GET_FEATURES = 0x0a,
    ASYNC_EVENT = 0x0c,
    KEEP_ALIVE = 0x18
};
enum { PAGE = 4096 };

static void put_text(uint8_t *at, const char *text, size_t bytes)
{
    size_t n = strnlen(text, bytes);

    memset(at, ' ', bytes);
    memcpy(at, text, n);
}

static const char *serial_of(const Nvme *n)
{
    return n->serial && *n->serial ? n->serial : "gemel";
}

/* ---- queues */

static uint16_t create_cq(NvmeReq *r)
{
    Nvme *n = r->n;
    uint32_t dw10 = load_le32(r->cmd + 40), dw11 = load_le32(r->cmd + 44);
    unsigned id = dw10 & 0xffff, size = (dw10 >> 16) + 1, vector = dw11 >> 16;
    uint64_t base = load_le64(r->cmd + 24);

    if (!id || id > n->max_ioqpairs || n->cq[id].enabled) {
        return NVME_BAD_QID;
    }
    if (size < 2 || size > NVME_MAX_ENTRIES) {
        return NVME_BAD_QSIZE;
    }
    if (!(dw11 & 1) || base & (nvme_page_bytes(n) - 1)) {
        return NVME_INVALID_FIELD;
    }
    if (vector > n->max_ioqpairs) {
        return NVME_BAD_VECTOR;
    }
    n->cq[id] = (NvmeCq){.enabled = true,
                         .interrupts = dw11 >> 1 & 1,
                         .phase = true,
                         .vector = (uint16_t)vector,
                         .size = (uint16_t)size,
                         .base = base};
    return NVME_OK;
}

static uint16_t create_sq(NvmeReq *r)
{
    Nvme *n = r->n;
    uint32_t dw10 = load_le32(r->cmd + 40), dw11 = load_le32(r->cmd + 44);
    unsigned id = dw10 & 0xffff, size = (dw10 >> 16) + 1, cq = dw11 >> 16;
    uint64_t base = load_le64(r->cmd + 24);

    if (!id || id > n->max_ioqpairs || n->sq[id].enabled) {
        return NVME_BAD_QID;
    }
    if (!cq || cq > n->max_ioqpairs || !n->cq[cq].enabled) {
        return NVME_BAD_CQ;
    }
    if (size < 2 || size > NVME_MAX_ENTRIES) {
        return NVME_BAD_QSIZE;
    }
    if (!(dw11 & 1) || base & (nvme_page_bytes(n) - 1)) {
        return NVME_INVALID_FIELD;
    }
    n->sq[id] = (NvmeSq){.enabled = true, .cq = (uint16_t)cq, .size = (uint16_t)size, .base = base};
    return NVME_OK;
}

static uint16_t delete_sq(NvmeReq *r)
{
    Nvme *n = r->n;
    unsigned id = load_le16(r->cmd + 40);

    if (!id || id > n->max_ioqpairs || !n->sq[id].enabled) {
        return NVME_BAD_QID;
    }
    block_drain(n->disk); /* its commands complete */
    n->sq[id] = (NvmeSq){0};
    return NVME_OK;
}

static uint16_t delete_cq(NvmeReq *r)
{
    Nvme *n = r->n;
    unsigned id = load_le16(r->cmd + 40);

    if (!id || id > n->max_ioqpairs || !n->cq[id].enabled) {
        return NVME_BAD_QID;
    }
    for (unsigned i = 1; i <= n->max_ioqpairs; i++) {
        if (n->sq[i].enabled && n->sq[i].cq == id) {
            return NVME_BAD_DELETE;
        }
    }
    n->cq[id] = (NvmeCq){0};
    nvme_pin_sync(n);
    return NVME_OK;
}

/* ---- identify */

static void identify_controller(const Nvme *n, uint8_t *d)
{
    char nqn[256];

    store_le16(d, 0x1b36);
    store_le16(d + 2, 0x1af4);
    put_text(d + 4, serial_of(n), 20);
    put_text(d + 24, "Gemel NVMe Controller", 40);
    put_text(d + 64, "1.0", 8);
    d[72] = 6;
    d[77] = NVME_MDTS;
    store_le32(d + 80, 0x00010400);
    store_le32(d + 92, 1 << 8); /* OAES: namespace attribute notices */
    d[258] = 3;                 /* ACL */
    d[259] = NVME_MAX_AER - 1;
    d[260] = 3;               /* FRMW: one read-only slot */
    d[261] = 1 << 2;          /* LPA: log offsets */
    store_le16(d + 266, 343); /* warning, critical: kelvin */
    store_le16(d + 268, 373);
    d[512] = 0x66;
    d[513] = 0x44;
    store_le32(d + 516, 1);               /* NN */
    store_le16(d + 520, 1 << 2 | 1 << 3); /* ONCS: dataset management, write zeroes */
    d[525] = 1;                           /* VWC */
    store_le32(d + 536, 1);               /* SGLS */
    snprintf(nqn, sizeof nqn, "nqn.2014-08.org.nvmexpress:gemel:%s", serial_of(n));
    memcpy(d + 768, nqn, strlen(nqn));
    store_le16(d + 2048, 2500); /* power state 0: 25 W */
}

static void identify_namespace(const Nvme *n, uint8_t *d)
{
    uint64_t blocks = block_size_bytes(n->disk) >> nvme_lba_shift(n);

    store_le64(d, blocks);
    store_le64(d + 8, blocks);
    store_le64(d + 16, blocks);
    d[99] = block_limits(n->disk)->read_only; /* NSATTR: write protected */
    d[128 + 2] = (uint8_t)nvme_lba_shift(n);
}

/* A name for the namespace that stays the same: FNV-1a of the serial number, as an UUID. */
static void namespace_uuid(const Nvme *n, uint8_t *uuid)
{
    uint64_t h = 0xcbf29ce484222325;

    for (unsigned half = 0; half < 2; half++) {
        for (const char *c = serial_of(n); *c; c++) {
            h = (h ^ (uint8_t)*c) * 0x100000001b3;
        }
        store_be64(uuid + 8 * half, h);
    }
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x80);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

static uint16_t identify(NvmeReq *r)
{
    uint8_t d[PAGE] = {0};
    uint32_t ns = load_le32(r->cmd + 4);

    switch (r->cmd[40]) {
    case 0x00:
        if (ns != 1 && ns != UINT32_MAX) {
            return NVME_INVALID_NS;
        }
        identify_namespace(r->n, d);
        break;
    case 0x01: identify_controller(r->n, d); break;
    case 0x02: store_le32(d, ns < 1); break;
    case 0x03:
        if (ns != 1) {
            return NVME_INVALID_NS;
        }
        d[0] = 3; /* UUID */
        d[1] = 16;
        namespace_uuid(r->n, d + 4);
        break;
    default: return NVME_INVALID_FIELD;
    }
    return nvme_give(r, d, PAGE);
}

/* ---- logs */

static size_t make_log(NvmeReq *r, unsigned page, uint8_t *d)
{
    Nvme *n = r->n;

    switch (page) {
    case 0x01: /* errors: none */ return 64;
    case 0x02: /* SMART */
        store_le16(d + 1, 313);
        d[3] = 100;
        d[4] = 10;
        store_le64(d + 32, (n->sectors_read + 999) / 1000);
        store_le64(d + 48, (n->sectors_written + 999) / 1000);
        store_le64(d + 64, n->reads);
        store_le64(d + 80, n->writes);
        return 512;
    case 0x03: /* firmware slots */
        d[0] = 1;
        put_text(d + 8, "1.0", 8);
        return 512;
    case 0x04: /* changed namespaces */
        store_le32(d, n->ns_changed);
        n->ns_changed = n->ns_event = false;
        return 4096;
    case 0x05: { /* commands and effects */
        static const uint8_t admin[] = {0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 24};
        static const uint8_t io[] = {0, 1, 2, 8, 9};
        for (unsigned i = 0; i < sizeof admin; i++) {
            d[4 * admin[i]] = 1;
        }
        for (unsigned i = 0; i < sizeof io; i++) {
            d[1024 + 4 * io[i]] = io[i] == 0 || io[i] == 2 ? 1 : 3;
        }
        return 4096;
    }
    default: return 0;
    }
}

static uint16_t get_log(NvmeReq *r)
{
    uint8_t d[PAGE] = {0};
    uint32_t dw10 = load_le32(r->cmd + 40), dw11 = load_le32(r->cmd + 44);
    uint64_t bytes = ((dw10 >> 16 | (uint64_t)(dw11 & 0xffff) << 16) + 1) * 4;
    uint64_t offset = load_le64(r->cmd + 48);
    size_t has = make_log(r, dw10 & 0xff, d);

    if (!has) {
        return NVME_BAD_LOG;
    }
    if (offset & 3 || offset > has || bytes > PAGE) {
        return NVME_INVALID_FIELD;
    }
    uint8_t out[PAGE] = {0};
    memcpy(out, d + offset, has - (size_t)offset);
    return nvme_give(r, out, (size_t)bytes);
}

/* ---- features */

static uint16_t set_features(NvmeReq *r)
{
    Nvme *n = r->n;
    uint32_t dw10 = load_le32(r->cmd + 40), value = load_le32(r->cmd + 44);
    unsigned id = dw10 & 0xff;

    if (dw10 >> 31) {
        return NVME_INVALID_FIELD; /* nothing can be saved */
    }
    switch (id) {
    case 0x01:
    case 0x02:
    case 0x04:
    case 0x05:
    case 0x06:
    case 0x08:
    case 0x09:
    case 0x0a:
    case 0x0b: n->features[id] = value; return NVME_OK;
    case 0x07: r->result = (n->max_ioqpairs - 1) * 0x10001; return NVME_OK;
    default: return NVME_INVALID_FIELD;
    }
}

static uint16_t get_features(NvmeReq *r)
{
    unsigned id = r->cmd[40], select = r->cmd[41] & 7;

    if (id == 0x07) {
        r->result = (r->n->max_ioqpairs - 1) * 0x10001;
        return NVME_OK;
    }
    if (!id || id > 0x0b || id == 0x03) {
        return NVME_INVALID_FIELD;
    }
    r->result = select == 3 ? 4 /* changeable */ : select ? 0 : r->n->features[id];
    return NVME_OK;
}

static uint16_t async_event(NvmeReq *r)
{
    Nvme *n = r->n;

    if (n->n_aer == NVME_MAX_AER) {
        return NVME_AER_LIMIT;
    }
    n->aer[n->n_aer++] = r->cid;
    return NVME_NONE;
}

uint16_t nvme_admin(NvmeReq *r)
{
    switch (r->cmd[0]) {
    case DELETE_SQ: return delete_sq(r);
    case CREATE_SQ: return create_sq(r);
    case GET_LOG: return get_log(r);
    case DELETE_CQ: return delete_cq(r);
    case CREATE_CQ: return create_cq(r);
    case IDENTIFY: return identify(r);
    case ABORT:
        r->result = 1; /* not aborted: it completes by itself */
        return NVME_OK;
    case SET_FEATURES: return set_features(r);
    case GET_FEATURES: return get_features(r);
    case ASYNC_EVENT: return async_event(r);
    case KEEP_ALIVE: return NVME_OK;
    default: return NVME_INVALID_OPCODE;
    }
}
