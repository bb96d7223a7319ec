# SPDX-License-Identifier: GPL-2.0-or-later
# Sources of tcg/, with paths from the top of the tree.
libtcg_a_SOURCES += tcg/x86_64/asm.c tcg/x86_64/cpu.c
libtcg_a_SOURCES += tcg/optable.c tcg/region.c tcg/ir.c tcg/builder.c tcg/simplify.c tcg/simplify_cond.c tcg/simplify_mem.c tcg/interp/int.c
libtcg_a_SOURCES += tcg/print.c tcg/verify.c tcg/interp/vec.c tcg/interp/crypto.c tcg/interp/eval.c
libtcg_a_SOURCES += tcg/interp/interp.c tcg/interp/mem.c
libtcg_a_SOURCES += tcg/x86_64/vec.c tcg/x86_64/vec_int.c tcg/x86_64/vec_perm.c tcg/x86_64/vec_shift.c
libtcg_a_SOURCES += tcg/opt/pipeline.c tcg/opt/promote.c tcg/opt/fold.c tcg/opt/flags.c tcg/opt/dce.c tcg/opt/licm.c
libtcg_a_SOURCES += tcg/x86_64/analyze.c tcg/x86_64/regalloc.c tcg/x86_64/edges.c tcg/x86_64/emit.c tcg/x86_64/flags.c tcg/x86_64/mem.c
libtcg_a_SOURCES += tcg/x86_64/exits.c tcg/x86_64/int.c tcg/x86_64/prologue.c tcg/x86_64/restore.c tcg/x86_64/disas.c tcg/x86_64/compile.c
libtcg_a_SOURCES += tcg/x86_64/fp.c tcg/x86_64/fp_minmax.c tcg/x86_64/fp_conv.c
libtcg_a_SOURCES += tcg/opt/phis.c
libtcg_a_SOURCES += tcg/parse.c
libtcg_a_SOURCES += tcg/x86_64/fp_flush.c tcg/x86_64/softmmu.c tcg/x86_64/straight.c
