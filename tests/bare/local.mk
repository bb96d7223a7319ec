# SPDX-License-Identifier: GPL-2.0-or-later
# Programs without an operating system.
noinst_PROGRAMS += tests/bare/bare-run
tests_bare_bare_run_SOURCES = tests/bare/bare-run.c
tests_bare_bare_run_LDADD = $(SYSTEM_LIBS)
tap_scripts += tests/bare/mmu.pl
EXTRA_DIST += tests/bare/mmu.pl tests/bare/bare.h tests/bare/bare.ld tests/bare/start.S tests/bare/mmu.c \
	tests/bare/regs.c
