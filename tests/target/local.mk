# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the room target.

check_PROGRAMS += tests/target/test-a64-decode
tests_target_test_a64_decode_SOURCES = tests/target/test-a64-decode.c
tests_target_test_a64_decode_LDADD = $(TEST_LIBS)
