/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio memory balloon. Source: VIRTIO 1.2, section 5.5. Pages are 4096 bytes.
 *
 * The guest gives pages to the device (inflate) and takes them back (deflate); given pages go back
 * to the host (a hole in the memory's file, or anonymous memory dropped). Free page reporting does
 * the same for memory the guest just does not use. Statistics: the guest posts one buffer, which
 * the device keeps until somebody asks. Not modelled: free page hinting, page poison, 32-bit page
 * numbers beyond 16 TiB.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/virtio_balloon.h>
#include <string.h>
#include <sys/mman.h>

#include "core/machine.h"
#include "hw/balloon.h"
#include "hw/classes.h"
#include "hw/virtio.h"
#include "util/bits.h"

enum { QUEUE_INFLATE, QUEUE_DEFLATE, QUEUE_STATS, N_QUEUES = 4, QUEUE_SIZE = 128, PAGE_SHIFT = 12 };
enum { STAT_BYTES = 10, MAX_STATS = 32 };

typedef struct VirtioBalloon {
    VirtioDevice v;                 /* must be first */
    bool deflate_on_oom, reporting; /* properties */
    VirtElement *stats_buffer;      /* the guest's, kept */
    /* state */
    uint32_t target_pages, actual_pages; /* in the balloon */
    uint64_t stats[VIRTIO_BALLOON_S_NR];
} VirtioBalloon;

/* Host memory [p, p + bytes) goes back to the host and reads as zero from then on. */
static void release(VirtioBalloon *b, void *p, size_t bytes)
{
    RamBlock *ram = ram_of_host(b->v.pci.dev.machine, p);
    uint64_t offset = ram ? (uint64_t)((uint8_t *)p - ram->host) : 0;

    if (!ram || offset & (MEM_PAGE_BYTES - 1) || bytes & (MEM_PAGE_BYTES - 1)) {
        return;
    }
    /* Where the host cannot, the memory stays and nothing is lost. */
    if (ram->fd >= 0) {
        (void)!fallocate(ram->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
                         (off_t)bytes);
    } else {
        madvise(p, bytes, MADV_DONTNEED);
    }
}

static void inflate(VirtioBalloon *b, VirtQueue *q)
{
    VirtElement *e;
    uint8_t raw[4];

    while ((e = virtq_pop(q, sizeof *e))) {
        for (size_t at = 0; iov_to_buf(e->out, e->n_out, at, raw, 4) == 4; at += 4) {
            struct iovec iov[1];
            int n = 0;
            uint64_t gpa = (uint64_t)load_le32(raw) << PAGE_SHIFT;
            if (dma_map(b->v.as, gpa, MEM_PAGE_BYTES, true, iov, 1, &n) == MEM_PAGE_BYTES) {
                release(b, iov[0].iov_base, iov[0].iov_len);
            }
            dma_unmap(b->v.as, iov, n, true, n ? iov[0].iov_len : 0);
        }
        virtq_push(q, e, 0);
    }
    virtq_notify(q);
}

static void deflate(VirtQueue *q)
{
    VirtElement *e;

    while ((e = virtq_pop(q, sizeof *e))) {
        virtq_push(q, e, 0); /* the pages come back by being touched */
    }
    virtq_notify(q);
}

static void report_free(VirtioBalloon *b, VirtQueue *q)
{
    VirtElement *e;

    while ((e = virtq_pop(q, sizeof *e))) {
        for (unsigned i = 0; i < e->n_in; i++) {
            release(b, e->in[i].iov_base, e->in[i].iov_len);
        }
        virtq_push(q, e, e->in_bytes);
    }
    virtq_notify(q);
}

static void take_stats(VirtioBalloon *b, VirtQueue *q)
{
    uint8_t raw[STAT_BYTES];
    VirtElement *e = virtq_pop(q, sizeof *e);

    if (!e) {
        return;
    }
    if (b->stats_buffer) {
        virtq_drop(q, b->stats_buffer);
    }
    b->stats_buffer = e;
    for (unsigned i = 0; i < MAX_STATS; i++) {
        if (iov_to_buf(e->out, e->n_out, (size_t)i * STAT_BYTES, raw, sizeof raw) != sizeof raw) {
            break;
        }
        if (load_le16(raw) < VIRTIO_BALLOON_S_NR) {
            b->stats[load_le16(raw)] = load_le64(raw + 2);
        }
    }
}

static void balloon_kick(VirtioDevice *v, VirtQueue *q)
{
    VirtioBalloon *b = (VirtioBalloon *)v;
    unsigned reporting = virtio_has(v, VIRTIO_BALLOON_F_STATS_VQ) ? 3 : 2;

    if (q->index == QUEUE_INFLATE) {
        inflate(b, q);
    } else if (q->index == QUEUE_DEFLATE) {
        deflate(q);
    } else if (q->index == reporting && virtio_has(v, VIRTIO_BALLOON_F_REPORTING)) {
        report_free(b, q);
    } else if (q->index == QUEUE_STATS && reporting == 3) {
        take_stats(b, q);
    }
}

static void balloon_config(VirtioDevice *v, uint8_t *buf)
{
    VirtioBalloon *b = (VirtioBalloon *)v;

    store_le32(buf + offsetof(struct virtio_balloon_config, num_pages), b->target_pages);
    store_le32(buf + offsetof(struct virtio_balloon_config, actual), b->actual_pages);
}

static void balloon_config_write(VirtioDevice *v, const uint8_t *buf, unsigned offset,
                                 unsigned bytes)
{
    (void)offset, (void)bytes;
    ((VirtioBalloon *)v)->actual_pages =
        load_le32(buf + offsetof(struct virtio_balloon_config, actual));
}

static void drop_stats(VirtioDevice *v)
{
    VirtioBalloon *b = (VirtioBalloon *)v;

    if (b->stats_buffer) {
        virtq_drop(&v->queues[QUEUE_STATS], b->stats_buffer);
        b->stats_buffer = NULL;
    }
}

static void balloon_reset(VirtioDevice *v)
{
    VirtioBalloon *b = (VirtioBalloon *)v;

    drop_stats(v);
    b->actual_pages = 0;
    memset(b->stats, 0xff, sizeof b->stats);
}

static void balloon_quiesce(VirtioDevice *v)
{
    VirtioBalloon *b = (VirtioBalloon *)v;

    if (b->stats_buffer) {
        virtq_unpop(&v->queues[QUEUE_STATS], b->stats_buffer);
        b->stats_buffer = NULL;
    }
}

static bool balloon_realize(VirtioDevice *v, Error *err)
{
    VirtioBalloon *b = (VirtioBalloon *)v;

    (void)err;
    v->host_features |= (b->deflate_on_oom ? VIRTIO_BIT(VIRTIO_BALLOON_F_DEFLATE_ON_OOM) : 0) |
                        (b->reporting ? VIRTIO_BIT(VIRTIO_BALLOON_F_REPORTING) : 0);
    return true;
}

static const VirtioClass balloon_virtio = {
    .id = VIRTIO_ID_BALLOON,
    .config_bytes = 8,
    .n_queues = N_QUEUES,
    .queue_size = QUEUE_SIZE,
    .features = VIRTIO_BIT(VIRTIO_BALLOON_F_STATS_VQ),
    .realize = balloon_realize,
    .reset = balloon_reset,
    .kick = balloon_kick,
    .config_read = balloon_config,
    .config_write = balloon_config_write,
    .quiesce = balloon_quiesce,
};

#define BALLOON_PROPS                                                                              \
    {.name = "deflate-on-oom",                                                                     \
     .kind = PROP_BOOL,                                                                            \
     PROP(VirtioBalloon, deflate_on_oom),                                                          \
     .help = "the guest may take pages back when it runs out"},                                    \
    {                                                                                              \
        .name = "free-page-reporting", .kind = PROP_BOOL, PROP(VirtioBalloon, reporting),          \
        .initial = "off", .help = "unused guest memory goes back to the host"                      \
    }
#define BALLOON_STATE                                                                              \
    VIRTIO_STATE, {STATE_FIELD(STATE_U32, VirtioBalloon, target_pages), .keep = true},             \
    {                                                                                              \
        STATE_FIELD(STATE_U32, VirtioBalloon, actual_pages)                                        \
    }

static const PropDesc balloon_pci_props[] = {VIRTIO_PCI_PROPS, BALLOON_PROPS, {0}};
static const PropDesc balloon_mmio_props[] = {VIRTIO_MMIO_PROPS, BALLOON_PROPS, {0}};
static const StateDesc balloon_pci_state[] = {PCI_STATE, BALLOON_STATE, {0}};
static const StateDesc balloon_mmio_state[] = {BALLOON_STATE, {0}};
static const VirtioPciClass balloon_pci =
    VIRTIO_PCI_CLASS(&balloon_virtio, VIRTIO_ID_BALLOON, 0x00ff00);

const DeviceClass virtio_balloon_pci_class = {
    .name = "virtio-balloon-pci",
    .alias = "virtio-balloon",
    .title = "virtio memory balloon",
    .category = "misc",
    .bytes = sizeof(VirtioBalloon),
    VIRTIO_PCI_HOOKS,
    .bus_class = &balloon_pci,
    .props = balloon_pci_props,
    .state = balloon_pci_state,
};

const DeviceClass virtio_balloon_device_class = {
    .name = "virtio-balloon-device",
    .title = "virtio memory balloon on a virtio-mmio slot",
    .category = "misc",
    .bytes = sizeof(VirtioBalloon),
    VIRTIO_MMIO_HOOKS,
    .bus_class = &balloon_virtio,
    .props = balloon_mmio_props,
    .state = balloon_mmio_state,
};

/* ---- for the monitor */

static VirtioBalloon *find(Machine *m, Error *err)
{
    for (Device *d = m->devices; d; d = d->next) {
        if (d->cls == &virtio_balloon_pci_class || d->cls == &virtio_balloon_device_class) {
            return (VirtioBalloon *)d;
        }
    }
    error_set(err, "balloon: the machine has none; start it with -device virtio-balloon-pci");
    return NULL;
}

typedef struct RamCount {
    MemListener listener; /* must be first */
    uint64_t bytes;
} RamCount;

static void count_range(MemListener *l, const MemRange *r)
{
    if (r->ram && r->writable) {
        ((RamCount *)l)->bytes += r->last - r->start + 1;
    }
}

/* RAM that the guest can balloon: what system memory shows as writable memory. */
static uint64_t ram_bytes(Machine *m)
{
    RamCount count = {.listener = {.as = m->as, .range_add = count_range}};

    mem_listener_add(m, &count.listener); /* replays what is there */
    mem_listener_remove(m, &count.listener);
    return count.bytes;
}

bool balloon_set_target(Machine *m, uint64_t bytes, Error *err)
{
    VirtioBalloon *b = find(m, err);
    uint64_t all = ram_bytes(m);

    if (!b) {
        return false;
    }
    if (!bytes || bytes > all) {
        return error_set(err, "balloon %" PRIu64 ": 1 to %" PRIu64 " bytes", bytes, all);
    }
    b->target_pages = (uint32_t)((all - bytes) >> PAGE_SHIFT);
    virtio_config_changed(&b->v);
    return true;
}

bool balloon_info(Machine *m, BalloonInfo *info, Error *err)
{
    VirtioBalloon *b = find(m, err);

    if (!b) {
        return false;
    }
    *info = (BalloonInfo){
        .ram_bytes = ram_bytes(m),
        .free_bytes = b->stats[VIRTIO_BALLOON_S_MEMFREE],
        .total_bytes = b->stats[VIRTIO_BALLOON_S_MEMTOT],
        .available_bytes = b->stats[VIRTIO_BALLOON_S_AVAIL],
        .disk_cache_bytes = b->stats[VIRTIO_BALLOON_S_CACHES],
    };
    info->actual_bytes = info->ram_bytes - ((uint64_t)b->actual_pages << PAGE_SHIFT);
    info->target_bytes = info->ram_bytes - ((uint64_t)b->target_pages << PAGE_SHIFT);
    if (b->stats_buffer) {
        VirtElement *e = b->stats_buffer;
        b->stats_buffer = NULL;
        virtq_push(&b->v.queues[QUEUE_STATS], e, 0);
        virtq_notify(&b->v.queues[QUEUE_STATS]);
    }
    return true;
}
