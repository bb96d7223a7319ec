# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the room target.

check_PROGRAMS += tests/target/test-a64-decode tests/target/test-a64-translate \
	tests/target/test-a64-exec
EXTRA_DIST += tests/target/a64_exec.def
tests_target_test_a64_decode_SOURCES = tests/target/test-a64-decode.c
tests_target_test_a64_decode_LDADD = $(TEST_LIBS)
tests_target_test_a64_translate_SOURCES = tests/target/test-a64-translate.c
tests_target_test_a64_translate_LDADD = $(TEST_LIBS)
tests_target_test_a64_exec_SOURCES = tests/target/test-a64-exec.c
tests_target_test_a64_exec_LDADD = $(TEST_LIBS)
check_PROGRAMS += tests/target/test-a64-simd
EXTRA_DIST += tests/target/a64_simd_golden.def
tests_target_test_a64_simd_SOURCES = tests/target/test-a64-simd.c
tests_target_test_a64_simd_LDADD = $(TEST_LIBS)
if SYSTEM
check_PROGRAMS += tests/target/test-a64-sys
tests_target_test_a64_sys_SOURCES = tests/target/test-a64-sys.c
tests_target_test_a64_sys_LDADD = $(SYSTEM_LIBS)
endif
