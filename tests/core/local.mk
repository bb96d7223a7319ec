# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of devices link tests/core/libharness.a before $(SYSTEM_LIBS).
check_LIBRARIES =
if SYSTEM
check_LIBRARIES += tests/core/libharness.a
tests_core_libharness_a_SOURCES = tests/core/harness.c tests/core/harness.h
check_PROGRAMS += tests/core/test-mem tests/core/test-device tests/core/test-machine tests/core/test-ends
tests_core_test_machine_SOURCES = tests/core/test-machine.c
tests_core_test_machine_LDADD = $(SYSTEM_LIBS)
check_PROGRAMS += tests/core/test-gates
tests_core_test_gates_SOURCES = tests/core/test-gates.c
tests_core_test_gates_LDADD = tests/core/libharness.a $(SYSTEM_LIBS)
tests_core_test_ends_SOURCES = tests/core/test-ends.c
tests_core_test_ends_LDADD = $(SYSTEM_LIBS)
tests_core_test_mem_SOURCES = tests/core/test-mem.c
tests_core_test_mem_LDADD = $(SYSTEM_LIBS)
tests_core_test_device_SOURCES = tests/core/test-device.c tests/core/demo.c tests/core/demo.h
tests_core_test_device_LDADD = tests/core/libharness.a $(SYSTEM_LIBS)
endif
