# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the room fpu: check_PROGRAMS += tests/fpu/test-foo, with its _SOURCES and _LDADD = $(TEST_LIBS).
