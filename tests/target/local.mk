# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the room target: check_PROGRAMS += tests/target/test-foo, with its _SOURCES and _LDADD = $(TEST_LIBS).
