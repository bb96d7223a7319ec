# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzzers. Without options they print TAP and run for a few seconds: `make check` runs them so.
if SYSTEM
check_PROGRAMS += fuzz/fuzz-devices
fuzz_fuzz_devices_SOURCES = fuzz/devices.c fuzz/drivers.c fuzz/drivers.h fuzz/rig.c \
	fuzz/rig.h fuzz/shapes.c fuzz/shapes.h
fuzz_fuzz_devices_LDADD = $(SYSTEM_LIBS)
endif
