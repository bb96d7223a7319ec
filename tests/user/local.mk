# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the room user: check_PROGRAMS += tests/user/test-foo, with its _SOURCES and _LDADD = $(TEST_LIBS).
tap_scripts += tests/user/guests.sh tests/user/x86.sh
