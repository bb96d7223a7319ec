# SPDX-License-Identifier: GPL-2.0-or-later
# Sources of target/arm/, with paths from the top of the tree.

noinst_PROGRAMS += tools/decodegen
tools_decodegen_SOURCES = tools/decodegen.c

A64_TABLES = target/arm/decode/a64.decode target/arm/decode/a64_simd.decode
A64_DECODE_MADE = target/arm/decode/a64_decode.h target/arm/decode/a64_decode.c \
	target/arm/decode/a64_gentab.c
EXTRA_DIST += $(A64_TABLES)
BUILT_SOURCES += $(A64_DECODE_MADE)
CLEANFILES += $(A64_DECODE_MADE) target/arm/decode/a64_decode.stamp

target/arm/decode/a64_decode.stamp: $(A64_TABLES) tools/decodegen$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) target/arm/decode && : >$@.tmp && ASAN_OPTIONS=detect_leaks=0 tools/decodegen$(EXEEXT) a64 A64 \
	  $(A64_DECODE_MADE) $(A64_TABLES:%=$(srcdir)/%) && mv $@.tmp $@
$(A64_DECODE_MADE): target/arm/decode/a64_decode.stamp
	@:
# The first build knows no dependencies yet.
$(libarm_a_OBJECTS): | target/arm/decode/a64_decode.h

nodist_libarm_a_SOURCES = target/arm/decode/a64_decode.c target/arm/decode/a64_gentab.c
libarm_a_SOURCES += target/arm/a64_cpu.c target/arm/tcg/a64_guest.c target/arm/tcg/a64_disas.c \
	target/arm/tcg/a64_int.c target/arm/tcg/a64_branch.c target/arm/tcg/a64_mem.c \
	target/arm/tcg/a64_atomic.c target/arm/tcg/a64_system.c target/arm/tcg/a64_pauth.c \
	target/arm/tcg/a64_helpers.c target/arm/tcg/a64_sysinsn.c
libarm_a_SOURCES += target/arm/a64_host.c target/arm/tcg/a64_fp.c target/arm/tcg/a64_fp_ops.c target/arm/tcg/a64_simd_ops.c \
	target/arm/tcg/a64_simd_mem.c target/arm/tcg/a64_simd_int.c target/arm/tcg/a64_simd_perm.c \
	target/arm/tcg/a64_simd_shift.c target/arm/tcg/a64_simd_fp.c target/arm/tcg/a64_crypto.c \
	target/arm/tcg/helpers_simd.c target/arm/tcg/helpers_simd_fp.c target/arm/tcg/helpers_crypto.c
# EL1 and up: linked only where a64_system_guest is named, with core/.
if SYSTEM
EXTRA_DIST += target/arm/sys/regs.def
libarm_a_SOURCES += target/arm/tcg/a64_sysguest.c target/arm/sys/exception.c target/arm/sys/regs.c \
	target/arm/sys/regs_fn.c target/arm/sys/regs_trap.c target/arm/sys/mmu.c target/arm/sys/tlb.c \
	target/arm/sys/timer.c target/arm/sys/psci.c target/arm/sys/semihost.c target/arm/sys/state.c \
	target/arm/sys/debug.c
endif
