# SPDX-License-Identifier: GPL-2.0-or-later
libmigration_a_SOURCES +=
