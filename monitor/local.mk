# SPDX-License-Identifier: GPL-2.0-or-later
libmonitor_a_SOURCES += monitor/monitor.c monitor/line.c monitor/commands.c monitor/info.c monitor/memory.c \
	monitor/edit.c monitor/edit.h monitor/private.h
libmonitor_a_SOURCES += monitor/qmp_private.h
if HAVE_JSONC
libmonitor_a_SOURCES += monitor/qmp.c monitor/qmp_commands.c
else
libmonitor_a_SOURCES += monitor/qmp_none.c
endif
