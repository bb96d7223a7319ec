# SPDX-License-Identifier: GPL-2.0-or-later
# Programs without an operating system.
noinst_PROGRAMS += tests/bare/bare-run
tests_bare_bare_run_SOURCES = tests/bare/bare-run.c
tests_bare_bare_run_LDADD = $(SYSTEM_LIBS)
tap_scripts += tests/bare/arm.pl
EXTRA_DIST += tests/bare/arm.pl tests/bare/torture.h tests/bare/torture.ld tests/bare/start.S tests/bare/mmu.c \
	tests/bare/regs.c tests/bare/stage2.c tests/bare/step.S tests/bare/debug.S
