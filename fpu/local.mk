# SPDX-License-Identifier: GPL-2.0-or-later
# Sources of fpu/, with paths from the top of the tree.
libfpu_a_SOURCES += fpu/arith.c fpu/convert.c fpu/estimate.c fpu/unpacked.c
