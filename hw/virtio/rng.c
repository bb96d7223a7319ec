/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio entropy device. Source: VIRTIO 1.2, section 5.4. One queue of buffers to fill.
 * Not modelled: a rate limit.
 */
#include "core/machine.h"
#include "hw/virtio.h"

enum { MAX_BYTES = 64 << 10 }; /* of one request: the rest stays unused */

static void rng_kick(VirtioDevice *v, VirtQueue *q)
{
    VirtElement *e;

    while ((e = virtq_pop(q, sizeof *e))) {
        size_t written = 0;
        for (unsigned i = 0; i < e->n_in && written < MAX_BYTES; i++) {
            size_t left = MAX_BYTES - written, bytes = e->in[i].iov_len;
            bytes = bytes < left ? bytes : left;
            machine_random(v->pci.dev.machine, e->in[i].iov_base, bytes);
            written += bytes;
        }
        virtq_push(q, e, written);
    }
    virtq_notify(q);
}

static const VirtioClass rng_virtio = {
    .id = VIRTIO_ID_RNG, .n_queues = 1, .queue_size = 64, .kick = rng_kick};
static const PropDesc rng_pci_props[] = {VIRTIO_PCI_PROPS, {0}};
static const PropDesc rng_mmio_props[] = {VIRTIO_MMIO_PROPS, {0}};
static const StateDesc rng_pci_state[] = {PCI_STATE, VIRTIO_STATE, {0}};
static const StateDesc rng_mmio_state[] = {VIRTIO_STATE, {0}};
static const VirtioPciClass rng_pci = VIRTIO_PCI_CLASS(&rng_virtio, VIRTIO_ID_RNG, 0x00ff00);

const DeviceClass virtio_rng_pci_class = {
    .name = "virtio-rng-pci",
    .alias = "virtio-rng",
    .title = "virtio source of random numbers",
    .category = "misc",
    .bytes = sizeof(VirtioDevice),
    VIRTIO_PCI_HOOKS,
    .bus_class = &rng_pci,
    .props = rng_pci_props,
    .state = rng_pci_state,
};

const DeviceClass virtio_rng_device_class = {
    .name = "virtio-rng-device",
    .title = "virtio source of random numbers on a virtio-mmio slot",
    .category = "misc",
    .bytes = sizeof(VirtioDevice),
    VIRTIO_MMIO_HOOKS,
    .bus_class = &rng_virtio,
    .props = rng_mmio_props,
    .state = rng_mmio_state,
};
