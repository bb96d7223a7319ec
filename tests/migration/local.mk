# SPDX-License-Identifier: GPL-2.0-or-later
if SYSTEM
check_PROGRAMS += tests/migration/test-migration
tests_migration_test_migration_SOURCES = tests/migration/test-migration.c tests/core/demo.c \
	tests/core/demo.h
tests_migration_test_migration_LDADD = tests/core/libharness.a $(SYSTEM_LIBS)
endif
