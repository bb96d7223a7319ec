# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the room accel: check_PROGRAMS += tests/accel/test-foo, with its _SOURCES and _LDADD = $(TEST_LIBS).
