# SPDX-License-Identifier: GPL-2.0-or-later
if SYSTEM
check_PROGRAMS += tests/core/test-mem
tests_core_test_mem_SOURCES = tests/core/test-mem.c
tests_core_test_mem_LDADD = $(SYSTEM_LIBS)
endif
