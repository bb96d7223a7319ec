# SPDX-License-Identifier: GPL-2.0-or-later
# Arm platform devices and boards.
check_PROGRAMS += tests/hw/test-virt tests/hw/test-gic tests/hw/test-arm-devices
check_PROGRAMS += tests/hw/test-loader
tests_hw_test_loader_SOURCES = tests/hw/test-loader.c tests/hw/board.h
tests_hw_test_loader_LDADD = $(SYSTEM_LIBS)
tests_hw_test_virt_SOURCES = tests/hw/test-virt.c tests/hw/board.h
tests_hw_test_virt_LDADD = $(SYSTEM_LIBS)
tests_hw_test_gic_SOURCES = tests/hw/test-gic.c tests/hw/board.h
tests_hw_test_gic_LDADD = tests/core/libharness.a $(SYSTEM_LIBS)
tests_hw_test_arm_devices_SOURCES = tests/hw/test-arm-devices.c
tests_hw_test_arm_devices_LDADD = tests/core/libharness.a $(SYSTEM_LIBS)
check_PROGRAMS += tests/hw/test-acpi
tests_hw_test_acpi_SOURCES = tests/hw/test-acpi.c tests/hw/board.h
tests_hw_test_acpi_LDADD = $(SYSTEM_LIBS)
check_PROGRAMS += tests/hw/test-misc
tests_hw_test_misc_SOURCES = tests/hw/test-misc.c tests/hw/board.h
tests_hw_test_misc_LDADD = $(SYSTEM_LIBS)
