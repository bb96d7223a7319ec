/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVMe controller with one namespace: registers, queues, interrupts.
 *
 * Source: NVM Express Base Specification 1.4, chapters 3 (registers), 4 (queues), 7 (reset,
 * shutdown). A command is taken from its queue only when its completion queue will have room for
 * it, so that completions never wait. Not modelled: controller memory buffer, boot partitions,
 * namespace management, metadata, fused commands, reservations, keep-alive timers, doorbell
 * buffers.
 */
#include "nvme.h"

#include <stdlib.h>
#include <string.h>

enum {
    REG_CAP = 0x00,
    REG_VS = 0x08,
    REG_INTMS = 0x0c,
    REG_INTMC = 0x10,
    REG_CC = 0x14,
    REG_CSTS = 0x1c,
    REG_AQA = 0x24,
    REG_ASQ = 0x28,
    REG_ACQ = 0x30,
    DOORBELLS = 0x1000,
    BAR_BYTES = 0x4000,
    MSIX_BAR = 4
};
enum { CC_EN = 1, CSTS_RDY = 1, CSTS_CFS = 2, CSTS_SHUTDOWN = 2 << 2, MPS_MAX = 4 };
#define CAP_VALUE                                                                                  \
    ((NVME_MAX_ENTRIES - 1) | 1ull << 16 | 15ull << 24 | 1ull << 37 | (uint64_t)MPS_MAX << 52)

/* ---- interrupts */

static bool cq_empty(const NvmeCq *q)
{
    return q->head == q->tail;
}

/* INTA# while a completion waits in a queue that wants interrupts. */
void nvme_pin_sync(Nvme *n)
{
    bool level = false;

    for (unsigned i = 0; i <= n->max_ioqpairs; i++) {
        const NvmeCq *q = &n->cq[i];
        level |= q->enabled && q->interrupts && !cq_empty(q) && !(n->intm & 1);
    }
    pci_intx_set(&n->pci, level && !pci_msix_enabled(&n->pci));
}

/* ---- completions */

static bool cq_has_room(const NvmeCq *q)
{
    unsigned used = (q->tail + q->size - q->head) % q->size;

    return q->enabled && used + q->reserved < q->size - 1u;
}

void nvme_post(Nvme *n, unsigned sq, uint16_t cid, uint16_t status, uint32_t result)
{
    NvmeCq *q = &n->cq[n->sq[sq].cq];
    uint64_t at = q->base + (uint64_t)q->tail * NVME_CQE_BYTES;
    uint8_t raw[12];

    store_le32(raw, result);
    store_le32(raw + 4, 0);
    store_le32(raw + 8, n->sq[sq].head | (uint32_t)sq << 16);
    mem_write(n->pci.as, at, raw, sizeof raw, pci_attrs(&n->pci));
    mem_store_le32(n->pci.as, at + 12, cid | (uint32_t)q->phase << 16 | (uint32_t)status << 17,
                   pci_attrs(&n->pci)); /* the phase bit last */
    if (++q->tail == q->size) {
        q->tail = 0;
        q->phase = !q->phase;
    }
    if (q->interrupts) {
        pci_msix_notify(&n->pci, q->vector);
        nvme_pin_sync(n);
    }
}

static void req_free(NvmeReq *r)
{
    free(r->ranges);
    r->ranges = NULL;
    r->next = r->n->spare;
    r->n->spare = r;
}

void nvme_complete(NvmeReq *r, uint16_t status)
{
    Nvme *n = r->n;
    NvmeSq *sq = &n->sq[r->sq];

    if (sq->enabled) {
        NvmeCq *cq = &n->cq[sq->cq];
        cq->reserved--;
        sq->in_flight--;
        nvme_post(n, r->sq, r->cid, status, r->result);
    }
    req_free(r);
}

/* ---- submission */

static NvmeReq *req_new(Nvme *n)
{
    NvmeReq *r = n->spare;

    if (r) {
        n->spare = r->next;
    } else {
        r = malloc(sizeof *r);
        if (!r) {
            return NULL;
        }
    }
    memset(r, 0, offsetof(NvmeReq, iov));
    r->n = n;
    return r;
}

static void fatal(Nvme *n, const char *what)
{
    device_guest_error(&n->pci.dev, "%s; the controller stops", what);
    n->csts |= CSTS_CFS;
}

static bool run_one(Nvme *n, unsigned id)
{
    NvmeSq *sq = &n->sq[id];
    NvmeReq *r = req_new(n);
    uint64_t at = sq->base + (uint64_t)sq->head * NVME_SQE_BYTES;

    if (!r) {
        return false;
    }
    if (mem_read(n->pci.as, at, r->cmd, NVME_SQE_BYTES, pci_attrs(&n->pci)) != MEM_OK) {
        req_free(r);
        fatal(n, "submission queue outside memory");
        return false;
    }
    sq->head = (uint16_t)((sq->head + 1) % sq->size);
    r->sq = (uint16_t)id;
    r->cid = load_le16(r->cmd + 2);
    n->cq[sq->cq].reserved++;
    sq->in_flight++;
    uint16_t status = r->cmd[1] & 3 ? NVME_INVALID_FIELD /* fused */
                      : id          ? nvme_io(r)
                                    : nvme_admin(r);
    if (status != NVME_NONE) {
        nvme_complete(r, status);
    } else if (!id) { /* an asynchronous event request: waits outside */
        n->cq[0].reserved--;
        sq->in_flight--;
        req_free(r);
        nvme_notify_event(n);
    }
    return true;
}

void nvme_run_sq(Nvme *n, unsigned id)
{
    NvmeSq *sq = &n->sq[id];

    /* One ring full a kick is all a driver may have put there. */
    for (unsigned i = 0; i < sq->size && sq->enabled && sq->head != sq->tail; i++) {
        if (!cq_has_room(&n->cq[sq->cq]) || n->csts & CSTS_CFS || !run_one(n, id)) {
            break;
        }
    }
}

/* ---- events */

void nvme_notify_event(Nvme *n)
{
    enum { NOTICE_NAMESPACE = 2 | 0 << 8 | 4 << 16 };

    if (n->ns_changed && !n->ns_event && n->n_aer && n->features[0x0b] >> 8 & 1 &&
        cq_has_room(&n->cq[0])) {
        n->ns_event = true;
        nvme_post(n, 0, n->aer[--n->n_aer], NVME_OK, NOTICE_NAMESPACE);
    }
}

static void disk_changed(BlockNotifier *b, BlockDev *dev)
{
    Nvme *n = b->opaque;

    (void)dev;
    n->ns_changed = true;
    if (n->csts & CSTS_RDY) {
        nvme_notify_event(n);
    }
}

/* ---- doorbells */

static void doorbell(Nvme *n, unsigned offset, uint32_t value)
{
    unsigned id = offset / 8;
    bool completion = offset & 4;

    if (!(n->csts & CSTS_RDY) || id > n->max_ioqpairs) {
        return;
    }
    if (!completion) {
        NvmeSq *q = &n->sq[id];
        if (!q->enabled || value >= q->size) {
            device_guest_error(&n->pci.dev, "doorbell of submission queue %u: %u", id, value);
            return;
        }
        q->tail = (uint16_t)value;
        nvme_run_sq(n, id);
        return;
    }
    NvmeCq *q = &n->cq[id];
    if (!q->enabled || value >= q->size) {
        device_guest_error(&n->pci.dev, "doorbell of completion queue %u: %u", id, value);
        return;
    }
    q->head = (uint16_t)value;
    nvme_pin_sync(n);
    for (unsigned i = 0; i <= n->max_ioqpairs; i++) {
        if (n->sq[i].enabled && n->sq[i].cq == id && n->sq[i].head != n->sq[i].tail) {
            nvme_run_sq(n, i);
        }
    }
}

/* ---- enable, disable */

static void controller_reset(Nvme *n)
{
    block_drain(n->disk);
    memset(n->sq, 0, sizeof n->sq);
    memset(n->cq, 0, sizeof n->cq);
    memset(n->features, 0, sizeof n->features);
    n->features[0x04] = 343;
    n->features[0x06] = block_limits(n->disk)->write_cache;
    n->n_aer = 0;
    n->ns_event = false;
    n->intm = 0;
    n->csts = 0;
    nvme_pin_sync(n);
}

static void enable(Nvme *n)
{
    unsigned mps = n->cc >> 7 & 15, asqs = (n->aqa & 0xfff) + 1, acqs = (n->aqa >> 16 & 0xfff) + 1;

    if (mps > MPS_MAX || n->cc >> 4 & 7 || asqs < 2 || acqs < 2 || asqs > NVME_MAX_ENTRIES ||
        acqs > NVME_MAX_ENTRIES || (n->asq | n->acq) & 0xfff) {
        fatal(n, "enabled with bad settings");
        return;
    }
    n->sq[0] = (NvmeSq){.enabled = true, .size = (uint16_t)asqs, .base = n->asq};
    n->cq[0] = (NvmeCq){
        .enabled = true, .interrupts = true, .phase = true, .size = (uint16_t)acqs, .base = n->acq};
    n->csts |= CSTS_RDY;
}

static void write_cc(Nvme *n, uint32_t v)
{
    uint32_t old = n->cc;

    n->cc = v;
    if (!(old & CC_EN) && v & CC_EN) {
        enable(n);
    } else if (old & CC_EN && !(v & CC_EN)) {
        controller_reset(n);
    }
    if (v >> 14 & 3) {
        block_drain(n->disk);
        block_flush_sync(n->disk);
        n->csts |= CSTS_SHUTDOWN;
    } else {
        n->csts &= ~(3u << 2);
    }
}

/* ---- registers */

static uint32_t reg_read(const Nvme *n, unsigned offset)
{
    switch (offset) {
    case REG_CAP: return (uint32_t)CAP_VALUE;
    case REG_CAP + 4: return (uint32_t)(CAP_VALUE >> 32);
    case REG_VS: return 0x00010400;
    case REG_INTMS:
    case REG_INTMC: return n->intm;
    case REG_CC: return n->cc;
    case REG_CSTS: return n->csts;
    case REG_AQA: return n->aqa;
    case REG_ASQ: return (uint32_t)n->asq;
    case REG_ASQ + 4: return (uint32_t)(n->asq >> 32);
    case REG_ACQ: return (uint32_t)n->acq;
    case REG_ACQ + 4: return (uint32_t)(n->acq >> 32);
    default: return 0;
    }
}

static void reg_write(Nvme *n, unsigned offset, uint32_t v)
{
    switch (offset) {
    case REG_INTMS:
        n->intm |= v;
        nvme_pin_sync(n);
        break;
    case REG_INTMC:
        n->intm &= ~v;
        nvme_pin_sync(n);
        break;
    case REG_CC: write_cc(n, v); break;
    case REG_AQA: n->aqa = v & 0x0fff0fff; break;
    case REG_ASQ:
    case REG_ASQ + 4: n->asq = deposit64(n->asq, offset & 4 ? 32 : 0, 32, v); break;
    case REG_ACQ:
    case REG_ACQ + 4: n->acq = deposit64(n->acq, offset & 4 ? 32 : 0, 32, v); break;
    default:
        if (offset >= DOORBELLS) {
            doorbell(n, offset - DOORBELLS, v);
        }
        break;
    }
}

static MemResult bar_read(Device *d, uint64_t offset, unsigned bytes, uint64_t *value,
                          MemAttrs attrs)
{
    const Nvme *n = (const Nvme *)d;

    (void)attrs;
    *value = reg_read(n, (unsigned)offset);
    if (bytes == 8) {
        *value |= (uint64_t)reg_read(n, (unsigned)offset + 4) << 32;
    }
    return MEM_OK;
}

static MemResult bar_write(Device *d, uint64_t offset, unsigned bytes, uint64_t value,
                           MemAttrs attrs)
{
    Nvme *n = (Nvme *)d;

    (void)attrs;
    reg_write(n, (unsigned)offset, (uint32_t)value);
    if (bytes == 8) {
        reg_write(n, (unsigned)offset + 4, (uint32_t)(value >> 32));
    }
    return MEM_OK;
}

/* ---- life */

static bool nvme_realize(PciDevice *p, Error *err)
{
    Nvme *n = (Nvme *)p;

    if (!n->disk) {
        return error_set(err, "wants drive=ID of a -drive or -blockdev");
    }
    if (!n->max_ioqpairs || n->max_ioqpairs >= NVME_MAX_QUEUES) {
        return error_set(err, "max_ioqpairs=%u: 1 to %u", n->max_ioqpairs, NVME_MAX_QUEUES - 1);
    }
    if (!pci_msix_init(p, MSIX_BAR, n->max_ioqpairs + 1, err)) {
        return false;
    }
    n->notifier.changed = disk_changed;
    n->notifier.opaque = n;
    block_add_notifier(n->disk, &n->notifier);
    return true;
}

static void nvme_unrealize(PciDevice *p)
{
    Nvme *n = (Nvme *)p;

    controller_reset(n);
    block_remove_notifier(n->disk, &n->notifier);
    for (NvmeReq *r = n->spare, *next; r; r = next) {
        next = r->next;
        free(r);
    }
    n->spare = NULL;
}

static void nvme_reset(PciDevice *p, ResetPhase phase)
{
    Nvme *n = (Nvme *)p;

    if (phase == RESET_ENTER) {
        controller_reset(n);
        n->cc = n->aqa = 0;
        n->asq = n->acq = 0;
        n->ns_changed = false;
    }
}

static void nvme_sync(PciDevice *p)
{
    nvme_pin_sync((Nvme *)p);
}

static void nvme_quiesce(Device *d)
{
    block_drain(((Nvme *)d)->disk);
}

static bool queue_ok(bool enabled, uint32_t size, uint32_t head, uint32_t tail)
{
    return !enabled || (size >= 2 && size <= NVME_MAX_ENTRIES && head < size && tail < size);
}

static bool nvme_validate(PciDevice *p, Error *err)
{
    Nvme *n = (Nvme *)p;
    bool ok = n->n_aer <= NVME_MAX_AER && (n->cc >> 7 & 15) <= MPS_MAX;

    for (unsigned i = 0; i < NVME_MAX_QUEUES; i++) {
        const NvmeSq *s = &n->sq[i];
        const NvmeCq *c = &n->cq[i];
        bool used = s->enabled || c->enabled;
        ok = ok && queue_ok(s->enabled, s->size, s->head, s->tail) &&
             queue_ok(c->enabled, c->size, c->head, c->tail) && (!used || i <= n->max_ioqpairs) &&
             (!s->enabled || (s->cq < NVME_MAX_QUEUES && n->cq[s->cq].enabled)) &&
             c->vector <= n->max_ioqpairs;
    }
    if (!ok) {
        controller_reset(n);
        return error_set(err, "%s: saved queues are not valid", p->dev.id);
    }
    return true;
}

static const StateDesc sq_state[] = {
    {STATE_FIELD(STATE_BOOL, NvmeSq, enabled)},
    {STATE_FIELD(STATE_U16, NvmeSq, cq)},
    {STATE_FIELD(STATE_U16, NvmeSq, size)},
    {STATE_FIELD(STATE_U16, NvmeSq, head)},
    {STATE_FIELD(STATE_U16, NvmeSq, tail)},
    {STATE_FIELD(STATE_U64, NvmeSq, base)},
    {0},
};
static const StateDesc cq_state[] = {
    {STATE_FIELD(STATE_BOOL, NvmeCq, enabled)},
    {STATE_FIELD(STATE_BOOL, NvmeCq, interrupts)},
    {STATE_FIELD(STATE_BOOL, NvmeCq, phase)},
    {STATE_FIELD(STATE_U16, NvmeCq, vector)},
    {STATE_FIELD(STATE_U16, NvmeCq, size)},
    {STATE_FIELD(STATE_U16, NvmeCq, head)},
    {STATE_FIELD(STATE_U16, NvmeCq, tail)},
    {STATE_FIELD(STATE_U64, NvmeCq, base)},
    {0},
};
/* `keep`: reset goes through controller_reset(), which lets requests end first. */
static const StateDesc nvme_state[] = {
    PCI_STATE,
    {STATE_FIELD(STATE_U32, Nvme, cc), .keep = true},
    {STATE_FIELD(STATE_U32, Nvme, csts), .keep = true},
    {STATE_FIELD(STATE_U32, Nvme, aqa), .keep = true},
    {STATE_FIELD(STATE_U32, Nvme, intm), .keep = true},
    {STATE_FIELD(STATE_U64, Nvme, asq), .keep = true},
    {STATE_FIELD(STATE_U64, Nvme, acq), .keep = true},
    {STATE_ARRAY(STATE_STRUCT, Nvme, sq), .sub = sq_state, .keep = true},
    {STATE_ARRAY(STATE_STRUCT, Nvme, cq), .sub = cq_state, .keep = true},
    {STATE_ARRAY(STATE_U16, Nvme, aer), .keep = true},
    {STATE_FIELD(STATE_U32, Nvme, n_aer), .keep = true},
    {STATE_ARRAY(STATE_U32, Nvme, features), .keep = true},
    {STATE_FIELD(STATE_BOOL, Nvme, ns_changed), .keep = true},
    {STATE_FIELD(STATE_BOOL, Nvme, ns_event), .keep = true},
    {STATE_FIELD(STATE_U64, Nvme, reads), .keep = true},
    {STATE_FIELD(STATE_U64, Nvme, writes), .keep = true},
    {STATE_FIELD(STATE_U64, Nvme, sectors_read), .keep = true},
    {STATE_FIELD(STATE_U64, Nvme, sectors_written), .keep = true},
    {0},
};

static const MmioDesc nvme_mmio[] = {
    {.name = "nvme",
     .bytes = BAR_BYTES,
     .min_bytes = 4,
     .max_bytes = 8,
     .read = bar_read,
     .write = bar_write},
    {0},
};
static const PciBarDesc nvme_bars[] = {{.bar = 0, .kind = PCI_BAR_MEM64, .mmio = 0}, {0}};
static const PropDesc nvme_props[] = {
    PCI_PROPS,
    {.name = "drive",
     .kind = PROP_BLOCK,
     PROP(Nvme, disk),
     .help = "id of a -drive or -blockdev",
     .required = true},
    {.name = "serial", .kind = PROP_STRING, PROP(Nvme, serial), .help = "serial number"},
    {.name = "max_ioqpairs",
     .kind = PROP_U32,
     PROP(Nvme, max_ioqpairs),
     .initial = "64",
     .help = "I/O queue pairs"},
    {0},
};

static const PciClass nvme_pci = {
    .vendor_id = 0x1b36,
    .device_id = 0x0010,
    .class_code = 0x010802,
    .revision = 2,
    .intx = true,
    .bars = nvme_bars,
    .realize = nvme_realize,
    .unrealize = nvme_unrealize,
    .reset = nvme_reset,
    .sync = nvme_sync,
    .validate = nvme_validate,
};

const DeviceClass nvme_class = {
    .name = "nvme",
    .title = "NVMe disk",
    .category = "storage",
    .bytes = sizeof(Nvme),
    PCI_DEVICE_HOOKS,
    .quiesce = nvme_quiesce,
    .mmio = nvme_mmio,
    .bus_class = &nvme_pci,
    .props = nvme_props,
    .state = nvme_state,
};
