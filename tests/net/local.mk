# SPDX-License-Identifier: GPL-2.0-or-later
if SYSTEM
check_PROGRAMS += tests/net/test-net
tests_net_test_net_SOURCES = tests/net/test-net.c
tests_net_test_net_LDADD = $(SYSTEM_LIBS)
endif
