# SPDX-License-Identifier: GPL-2.0-or-later
if SYSTEM
check_PROGRAMS += tests/ui/test-vnc
tests_ui_test_vnc_SOURCES = tests/ui/test-vnc.c tests/ui/vnc_client.h tests/ui/screen.h
tests_ui_test_vnc_LDADD = $(SYSTEM_LIBS)
if HAVE_PNG
check_PROGRAMS += tests/ui/test-screendump
tests_ui_test_screendump_SOURCES = tests/ui/test-screendump.c
tests_ui_test_screendump_LDADD = $(SYSTEM_LIBS)
if HAVE_SDL2
check_PROGRAMS += tests/ui/test-sdl
tests_ui_test_sdl_SOURCES = tests/ui/test-sdl.c tests/ui/screen.h
tests_ui_test_sdl_LDADD = $(SYSTEM_LIBS)
endif
endif
endif
