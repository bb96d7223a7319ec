# SPDX-License-Identifier: GPL-2.0-or-later
libemu_a_SOURCES +=
