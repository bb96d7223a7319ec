# SPDX-License-Identifier: GPL-2.0-or-later
libhw_a_SOURCES +=
