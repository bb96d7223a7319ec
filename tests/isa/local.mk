# SPDX-License-Identifier: GPL-2.0-or-later
# Programs of the ISA comparison (tests/suites/isa.sh); not tests by themselves.
noinst_PROGRAMS += tests/isa/isa-gen tests/isa/isa-compare
tests_isa_isa_gen_SOURCES = tests/isa/isa-gen.c tests/isa/isa-format.h
tests_isa_isa_gen_LDADD = libarm.a
tests_isa_isa_compare_SOURCES = tests/isa/isa-compare.c tests/isa/isa-format.h
tests_isa_isa_compare_LDADD = libarm.a
EXTRA_DIST += tests/isa/isa-guest.c tests/isa/pauth-guest.c tests/isa/vector-rows.txt
