# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the room tcg: check_PROGRAMS += tests/tcg/test-foo, with its _SOURCES and _LDADD = $(TEST_LIBS).
check_PROGRAMS += tests/tcg/test-asm
tests_tcg_test_asm_SOURCES = tests/tcg/test-asm.c
tests_tcg_test_asm_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/tcg/test-ir-fuzz
tests_tcg_test_ir_fuzz_SOURCES = tests/tcg/test-ir-fuzz.c tests/tcg/fuzzgen.c tests/tcg/fuzzgen.h
tests_tcg_test_ir_fuzz_LDADD = $(TEST_LIBS)
check_PROGRAMS += tests/tcg/test-x64
tests_tcg_test_x64_SOURCES = tests/tcg/test-x64.c tests/tcg/fuzzgen.c tests/tcg/fuzzgen.h
tests_tcg_test_x64_LDADD = $(TEST_LIBS)
check_PROGRAMS += tests/tcg/test-ir
tests_tcg_test_ir_SOURCES = tests/tcg/test-ir.c tests/tcg/fuzzgen.c tests/tcg/fuzzgen.h
tests_tcg_test_ir_LDADD = $(TEST_LIBS)
check_PROGRAMS += tests/tcg/test-x64-rows
tests_tcg_test_x64_rows_SOURCES = tests/tcg/test-x64-rows.c
tests_tcg_test_x64_rows_LDADD = $(TEST_LIBS)
