# SPDX-License-Identifier: GPL-2.0-or-later
libmigration_a_SOURCES += migration/migration.c migration/ram.c migration/ram.h migration/pack.c \
	migration/pack.h
SYSTEM_EXTRA_LIBS += $(ZSTD_LIBS)
