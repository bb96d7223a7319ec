# SPDX-License-Identifier: GPL-2.0-or-later
libemu_a_SOURCES += emu/options.c emu/session.c emu/drives.c emu/devices.c emu/networks.c \
	emu/consoles.c emu/monitors.c emu/misc.c emu/screens.c emu/firmware.c emu/help.c emu/front.c emu/guess.c emu/run.c
libemu_a_CPPFLAGS = $(AM_CPPFLAGS) -DGEMEL_DATADIR='"$(pkgdatadir)"'
