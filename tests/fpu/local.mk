# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the room fpu: check_PROGRAMS += tests/fpu/test-foo, with its _SOURCES and _LDADD = $(TEST_LIBS).
check_PROGRAMS += tests/fpu/test-arm tests/fpu/test-host

tests_fpu_test_arm_SOURCES = tests/fpu/test-arm.c
tests_fpu_test_arm_LDADD = $(TEST_LIBS)
tests_fpu_test_host_SOURCES = tests/fpu/test-host.c
tests_fpu_test_host_LDADD = $(TEST_LIBS)

# Where libmpfr-dev is installed; a developer's machine has it.
if HAVE_MPFR
check_PROGRAMS += tests/fpu/test-mpfr
tests_fpu_test_mpfr_SOURCES = tests/fpu/test-mpfr.c
tests_fpu_test_mpfr_LDADD = $(TEST_LIBS) $(MPFR_LIBS)
endif
