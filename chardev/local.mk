# SPDX-License-Identifier: GPL-2.0-or-later
libchardev_a_SOURCES +=
