# SPDX-License-Identifier: GPL-2.0-or-later
if HAVE_BLOCK
check_PROGRAMS += tests/block/test-disk tests/block/test-hostile tests/block/test-powercut \
	tests/block/test-qcow2

tests_block_test_disk_SOURCES = tests/block/test-disk.c
tests_block_test_disk_LDADD = $(BLOCK_LIBS) -lpthread
tests_block_test_hostile_SOURCES = tests/block/test-hostile.c tests/block/images.c
tests_block_test_hostile_LDADD = $(BLOCK_LIBS) -lpthread
tests_block_test_powercut_SOURCES = tests/block/test-powercut.c tests/block/images.c
tests_block_test_powercut_LDADD = $(BLOCK_LIBS) -lpthread
tests_block_test_qcow2_SOURCES = tests/block/test-qcow2.c tests/block/images.c
tests_block_test_qcow2_LDADD = $(BLOCK_LIBS) -lpthread
endif
