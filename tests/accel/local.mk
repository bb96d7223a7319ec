# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the room accel: check_PROGRAMS += tests/accel/test-foo, with its _SOURCES and _LDADD = $(TEST_LIBS).
check_PROGRAMS += tests/accel/test-engine
tests_accel_test_engine_SOURCES = tests/accel/test-engine.c
tests_accel_test_engine_LDADD = $(TEST_LIBS)
if SYSTEM
check_PROGRAMS += tests/accel/test-softmmu
tests_accel_test_softmmu_SOURCES = tests/accel/test-softmmu.c
tests_accel_test_softmmu_LDADD = $(SYSTEM_LIBS)
check_PROGRAMS += tests/accel/test-vcpu
tests_accel_test_vcpu_SOURCES = tests/accel/test-vcpu.c
tests_accel_test_vcpu_LDADD = $(SYSTEM_LIBS)
endif
