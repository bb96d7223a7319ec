# SPDX-License-Identifier: GPL-2.0-or-later
libcore_a_SOURCES += core/private.h core/mem_private.h core/device_private.h
libcore_a_SOURCES += core/machine.c core/loop.c core/clock.c core/cpu.c core/disks.c
libcore_a_SOURCES += core/mem_tree.c core/mem_view.c core/mem_access.c core/ram.c
libcore_a_SOURCES += core/device.c core/reg.c core/prop.c
libcore_a_SOURCES += core/chardev.c core/net.c core/input.c core/display.c core/fdt.c core/state.c core/state_machine.c
