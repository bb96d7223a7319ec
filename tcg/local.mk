# SPDX-License-Identifier: GPL-2.0-or-later
# Sources of tcg/, with paths from the top of the tree.
libtcg_a_SOURCES += tcg/x86_64/asm.c tcg/x86_64/cpu.c
