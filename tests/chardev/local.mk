# SPDX-License-Identifier: GPL-2.0-or-later
if SYSTEM
check_PROGRAMS += tests/chardev/test-chardev tests/chardev/test-socket
tests_chardev_test_chardev_SOURCES = tests/chardev/test-chardev.c tests/chardev/front.h
tests_chardev_test_chardev_LDADD = $(SYSTEM_LIBS)
tests_chardev_test_socket_SOURCES = tests/chardev/test-socket.c tests/chardev/front.h
tests_chardev_test_socket_LDADD = $(SYSTEM_LIBS)
endif
