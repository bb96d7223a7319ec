# SPDX-License-Identifier: GPL-2.0-or-later
if SYSTEM
if HAVE_PNG
check_PROGRAMS += tests/ui/test-screendump
tests_ui_test_screendump_SOURCES = tests/ui/test-screendump.c
tests_ui_test_screendump_LDADD = $(SYSTEM_LIBS)
endif
endif
