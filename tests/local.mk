# SPDX-License-Identifier: GPL-2.0-or-later
# "make check": every check_PROGRAMS and every script in tap_scripts prints TAP; tests/run-tests
# runs them side by side and closes with one line. TESTS_ONLY=pattern runs what matches.

include tests/util/local.mk
include tests/fpu/local.mk
include tests/block/local.mk
include tests/tcg/local.mk
include tests/target/local.mk
include tests/target/x86.mk
include tests/accel/local.mk
include tests/user/local.mk
include tests/isa/local.mk
include tests/core/local.mk
include tests/chardev/local.mk
include tests/monitor/local.mk
include tests/emu/local.mk
include tests/net/local.mk
include tests/migration/local.mk
include fuzz/local.mk
if SYSTEM
include tests/bare/local.mk
include tests/hw/arm.mk
endif
include tests/hw/local.mk
include tests/ui/local.mk

TESTS_ONLY =
TESTS_JOBS =
TESTS_TOTALS =
CHECK_ENV = GEMEL_SRC="$(abs_top_srcdir)" GEMEL_BUILD="$(abs_top_builddir)" CC="$(CC)" \
	NM="$(NM)" CPPFLAGS="$(AM_CPPFLAGS) $(CPPFLAGS)" PERL="$(PERL)"

if HAVE_GLIB
check-local: $(check_PROGRAMS)
	$(AM_V_at)$(CHECK_ENV) $(PERL) $(srcdir)/tests/run-tests --only '$(TESTS_ONLY)' \
	    --jobs '$(TESTS_JOBS)' --totals '$(TESTS_TOTALS)' --srcdir $(srcdir) \
	    --skips $(srcdir)/tests/skips.txt \
	    $(check_PROGRAMS) $(tap_scripts)
else
check-local:
	@echo 'make check needs glib-2.0 (Debian: libglib2.0-dev); then run configure again' >&2
	@exit 1
endif

# The rules of HACKING.md that a program can hold.
tap_scripts += tools/lint.pl

mostlyclean-local:
	rm -rf tests/logs
