# SPDX-License-Identifier: GPL-2.0-or-later
libcore_a_SOURCES +=
