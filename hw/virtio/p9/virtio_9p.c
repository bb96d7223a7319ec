/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio 9p: a folder of the host for the guest (mount -t 9p -o trans=virtio TAG /mnt).
 * Source: the Linux client (net/9p/trans_virtio.c's protocol): one queue, a message out, a message
 * in; configuration space: length of the mount tag, the tag. Not modelled: saving while mounted
 * (files that are open are unknown after a restore).
 */
#include <linux/virtio_9p.h>
#include <stdlib.h>
#include <string.h>

#include "core/machine.h"
#include "hw/classes.h"
#include "hw/virtio.h"
#include "p9.h"
#include "util/bits.h"

enum { QUEUE_SIZE = 128, TAG_MAX_BYTES = 31 };

typedef struct Virtio9p {
    VirtioDevice v; /* must be first */
    P9Server server;
    uint8_t *request, *reply; /* P9_MAX_MSIZE each */
    char *path, *tag;         /* properties */
    int model;
    bool read_only, local;
} Virtio9p;

static void p9_kick(VirtioDevice *v, VirtQueue *q)
{
    Virtio9p *p = (Virtio9p *)v;
    VirtElement *e;

    while ((e = virtq_pop(q, sizeof *e))) {
        size_t max = e->in_bytes < P9_MAX_MSIZE ? e->in_bytes : P9_MAX_MSIZE;
        size_t n = iov_to_buf(e->out, e->n_out, 0, p->request, P9_MAX_MSIZE);
        if (n >= P9_HEADER_BYTES && load_le32(p->request) < n) {
            n = load_le32(p->request);
        }
        if (max < P9_HEADER_BYTES + 4) {
            virtio_error(v, "request without room for a reply");
            virtq_drop(q, e);
            return;
        }
        /* Small replies come in small buffers: it is written whole and cut to what is there. */
        size_t bytes =
            p9_handle(&p->server, p->request, n, p->reply, max < P9_MIN_MSIZE ? P9_MIN_MSIZE : max);
        virtq_push(q, e, iov_from_buf(e->in, e->n_in, 0, p->reply, bytes < max ? bytes : max));
    }
    virtq_notify(q);
}

static void p9_config(VirtioDevice *v, uint8_t *buf)
{
    const Virtio9p *p = (const Virtio9p *)v;

    store_le16(buf, (uint16_t)strlen(p->tag));
    memcpy(buf + 2, p->tag, strlen(p->tag));
}

static bool p9_realize(VirtioDevice *v, Error *err)
{
    Virtio9p *p = (Virtio9p *)v;

    if (!p->path || !*p->path || !p->tag || !*p->tag || strlen(p->tag) > TAG_MAX_BYTES) {
        return error_set(err, "wants path=FOLDER and mount_tag=TAG of 1 to %u characters",
                         TAG_MAX_BYTES);
    }
    p->request = malloc(P9_MAX_MSIZE);
    p->reply = malloc(P9_MAX_MSIZE);
    if (p->request && p->reply &&
        p9_open(&p->server, p->path, p->model < P9_MAPPED ? (P9Model)p->model : P9_MAPPED,
                p->read_only, err)) {
        return true;
    }
    if (!p->request || !p->reply) {
        error_set(err, "no memory");
    }
    free(p->request);
    free(p->reply);
    return false;
}

static void p9_unrealize(VirtioDevice *v)
{
    Virtio9p *p = (Virtio9p *)v;

    p9_close(&p->server);
    free(p->request);
    free(p->reply);
}

static void p9_device_reset(VirtioDevice *v)
{
    p9_reset(&((Virtio9p *)v)->server);
}

static const VirtioClass p9_virtio = {
    .id = VIRTIO_ID_9P,
    .config_bytes = 2 + TAG_MAX_BYTES,
    .n_queues = 1,
    .queue_size = QUEUE_SIZE,
    .features = VIRTIO_BIT(VIRTIO_9P_MOUNT_TAG),
    .defer_kicks = true,
    .realize = p9_realize,
    .unrealize = p9_unrealize,
    .reset = p9_device_reset,
    .kick = p9_kick,
    .config_read = p9_config,
};

static const char *const models[] = {"passthrough", "none", "mapped-xattr", "mapped", NULL};

#define P9_PROPS                                                                                   \
    {.name = "path", .kind = PROP_STRING, PROP(Virtio9p, path), .help = "folder of the host"},     \
        {.name = "mount_tag",                                                                      \
         .kind = PROP_STRING,                                                                      \
         PROP(Virtio9p, tag),                                                                      \
         .help = "name the guest mounts it by"},                                                   \
        {.name = "security_model",                                                                 \
         .kind = PROP_ENUM,                                                                        \
         PROP(Virtio9p, model),                                                                    \
         .initial = "none",                                                                        \
         .names = models,                                                                          \
         .help = "who owns what the guest makes"},                                                 \
        {.name = "readonly",                                                                       \
         .kind = PROP_BOOL,                                                                        \
         PROP(Virtio9p, read_only),                                                                \
         .help = "the guest may not write"},                                                       \
    {                                                                                              \
        .name = "local", .kind = PROP_BOOL, PROP(Virtio9p, local), .initial = "on",                \
        .help = "the only back end"                                                                \
    }

static const PropDesc p9_pci_props[] = {VIRTIO_PCI_PROPS, P9_PROPS, {0}};
static const PropDesc p9_mmio_props[] = {VIRTIO_MMIO_PROPS, P9_PROPS, {0}};
static const StateDesc p9_pci_state[] = {PCI_STATE, VIRTIO_STATE, {0}};
static const StateDesc p9_mmio_state[] = {VIRTIO_STATE, {0}};
static const VirtioPciClass p9_pci = VIRTIO_PCI_CLASS(&p9_virtio, VIRTIO_ID_9P, 0x000200);

const DeviceClass virtio_9p_pci_class = {
    .name = "virtio-9p-pci",
    .alias = "virtio-9p",
    .title = "folder of the host, by 9p",
    .category = "storage",
    .bytes = sizeof(Virtio9p),
    VIRTIO_PCI_HOOKS,
    .bus_class = &p9_pci,
    .props = p9_pci_props,
    .state = p9_pci_state,
};

const DeviceClass virtio_9p_device_class = {
    .name = "virtio-9p-device",
    .title = "folder of the host, by 9p, on a virtio-mmio slot",
    .category = "storage",
    .bytes = sizeof(Virtio9p),
    VIRTIO_MMIO_HOOKS,
    .bus_class = &p9_virtio,
    .props = p9_mmio_props,
    .state = p9_mmio_state,
};
