# SPDX-License-Identifier: GPL-2.0-or-later
libhw_a_SOURCES += hw/core/gates.c hw/devices.c hw/iov.c
libhw_a_SOURCES += hw/machine/machines.c hw/machine/none.c
libhw_a_SOURCES += hw/pci/pci.c hw/pci/bus.c hw/pci/msi.c hw/pci/bridge.c hw/pci/express.c hw/pci/gpex.c
libhw_a_SOURCES += hw/virtio/virtio.c hw/virtio/queue.c hw/virtio/split.c hw/virtio/packed.c \
	hw/virtio/virtio_pci.c hw/virtio/virtio_mmio.c hw/virtio/rng.c hw/virtio/serial.c \
	hw/virtio/input.c hw/virtio/balloon.c hw/block/virtio_blk.c hw/net/virtio_net.c hw/net/offload.c
libhw_a_SOURCES += hw/usb/usb.c hw/usb/hid.c hw/usb/storage.c hw/usb/hub.c \
	hw/usb/xhci/xhci.c hw/usb/xhci/xhci_command.c hw/usb/xhci/xhci_transfer.c
libhw_a_SOURCES += hw/display/ramfb.c hw/display/virtio_gpu.c hw/display/gpu_resource.c hw/display/edid.c
libhw_a_SOURCES += hw/net/e1000e.c hw/nvme/nvme.c hw/nvme/nvme_admin.c hw/nvme/nvme_io.c hw/nvme/nvme_data.c
libhw_a_SOURCES += hw/virtio/p9/virtio_9p.c hw/virtio/p9/p9_server.c hw/virtio/p9/p9_host.c
include hw/arm.mk
