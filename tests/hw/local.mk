# SPDX-License-Identifier: GPL-2.0-or-later
if SYSTEM
check_PROGRAMS += tests/hw/test-pci tests/hw/test-virtio
tests_hw_test_pci_SOURCES = tests/hw/test-pci.c tests/hw/hw_rig.h
tests_hw_test_pci_LDADD = $(SYSTEM_LIBS)
tests_hw_test_virtio_SOURCES = tests/hw/test-virtio.c tests/hw/hw_rig.h tests/hw/virtio_driver.h
tests_hw_test_virtio_LDADD = $(SYSTEM_LIBS)
check_PROGRAMS += tests/hw/test-ramfb tests/hw/test-virtio-gpu
tests_hw_test_virtio_gpu_SOURCES = tests/hw/test-virtio-gpu.c tests/hw/hw_rig.h tests/hw/virtio_driver.h
tests_hw_test_virtio_gpu_LDADD = $(SYSTEM_LIBS)
tests_hw_test_ramfb_SOURCES = tests/hw/test-ramfb.c
tests_hw_test_ramfb_LDADD = tests/core/libharness.a $(SYSTEM_LIBS)
check_PROGRAMS += tests/hw/test-p9
tests_hw_test_p9_SOURCES = tests/hw/test-p9.c
tests_hw_test_p9_LDADD = $(SYSTEM_LIBS)
check_PROGRAMS += tests/hw/test-xhci tests/hw/test-nvme tests/hw/test-e1000e
tests_hw_test_e1000e_SOURCES = tests/hw/test-e1000e.c tests/hw/hw_rig.h
tests_hw_test_e1000e_LDADD = $(SYSTEM_LIBS)
tests_hw_test_nvme_SOURCES = tests/hw/test-nvme.c tests/hw/hw_rig.h
tests_hw_test_nvme_LDADD = $(SYSTEM_LIBS)
tests_hw_test_xhci_SOURCES = tests/hw/test-xhci.c tests/hw/hw_rig.h
tests_hw_test_xhci_LDADD = $(SYSTEM_LIBS)
endif
