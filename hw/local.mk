# SPDX-License-Identifier: GPL-2.0-or-later
libhw_a_SOURCES += hw/devices.c
libhw_a_SOURCES += hw/machine/machines.c hw/machine/none.c
