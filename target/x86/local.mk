# SPDX-License-Identifier: GPL-2.0-or-later
# Sources of target/x86/, with paths from the top of the tree.

noinst_LIBRARIES += libx86.a
libx86_a_SOURCES = target/x86/x86_cpu.c target/x86/decode/x86_decode.c \
	target/x86/tcg/x86_guest.c target/x86/tcg/x86_int.c target/x86/tcg/x86_shift.c \
	target/x86/tcg/x86_flow.c target/x86/tcg/x86_sse.c target/x86/tcg/x86_helpers.c \
	target/x86/tcg/x86_fp.c target/x86/tcg/x86_fp_helpers.c
