# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the x86 guest.

check_PROGRAMS += tests/target/test-x86
tests_target_test_x86_SOURCES = tests/target/test-x86.c
tests_target_test_x86_LDADD = $(TEST_LIBS)
