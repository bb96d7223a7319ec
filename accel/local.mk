# SPDX-License-Identifier: GPL-2.0-or-later
# Sources of accel/, with paths from the top of the tree.
libaccel_a_SOURCES += accel/tcg/engine.h accel/tcg/engine.c accel/tcg/codebuf.c accel/tcg/table.c \
	accel/tcg/sys_api.c accel/tcg/translate.c accel/tcg/tier2.c accel/tcg/run.c accel/tcg/fault.c accel/tcg/perf.c
if SYSTEM
libaccel_a_SOURCES += accel/tcg/sys.h accel/tcg/sys_engine.c accel/tcg/sys_mem.c \
	accel/tcg/sys_run.c accel/tcg/sys_tlb.c accel/tcg/accel_tcg.c accel/vcpu.h accel/vcpu.c \
	accel/accel.c
endif
