# SPDX-License-Identifier: GPL-2.0-or-later
if HAVE_BLOCK
check_PROGRAMS += tests/block/test-qcow2

tests_block_test_qcow2_SOURCES = tests/block/test-qcow2.c tests/block/images.c
tests_block_test_qcow2_LDADD = $(BLOCK_LIBS) -lpthread
endif
