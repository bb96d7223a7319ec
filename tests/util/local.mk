# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the room util: check_PROGRAMS += tests/util/test-foo, with its _SOURCES and _LDADD = $(TEST_LIBS).
