# SPDX-License-Identifier: GPL-2.0-or-later
if SYSTEM
check_PROGRAMS += tests/monitor/test-monitor
tests_monitor_test_monitor_SOURCES = tests/monitor/test-monitor.c tests/monitor/rig.h tests/core/demo.c tests/core/demo.h
tests_monitor_test_monitor_LDADD = $(SYSTEM_LIBS)
if HAVE_JSONC
check_PROGRAMS += tests/monitor/test-qmp
tests_monitor_test_qmp_SOURCES = tests/monitor/test-qmp.c tests/monitor/rig.h tests/core/demo.c tests/core/demo.h
tests_monitor_test_qmp_LDADD = $(SYSTEM_LIBS)
endif
endif
