# SPDX-License-Identifier: GPL-2.0-or-later
libui_a_SOURCES +=
