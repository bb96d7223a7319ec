# SPDX-License-Identifier: GPL-2.0-or-later
# Arm platform devices and boards.
check_PROGRAMS += tests/hw/test-virt
tests_hw_test_virt_SOURCES = tests/hw/test-virt.c tests/hw/board.h
tests_hw_test_virt_LDADD = $(SYSTEM_LIBS)
