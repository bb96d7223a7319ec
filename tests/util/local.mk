# SPDX-License-Identifier: GPL-2.0-or-later
check_PROGRAMS += tests/util/test-arena tests/util/test-bits tests/util/test-error tests/util/test-keyval

tests_util_test_arena_SOURCES = tests/util/test-arena.c
tests_util_test_arena_LDADD = $(TEST_LIBS)
tests_util_test_bits_SOURCES = tests/util/test-bits.c
tests_util_test_bits_LDADD = $(TEST_LIBS)
tests_util_test_error_SOURCES = tests/util/test-error.c
tests_util_test_error_LDADD = $(TEST_LIBS)

tests_util_test_keyval_SOURCES = tests/util/test-keyval.c
tests_util_test_keyval_LDADD = $(TEST_LIBS)

tap_scripts += tests/util/test-lint.sh tests/util/test-run-tests.sh tests/util/test-docs.sh
