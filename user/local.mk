# SPDX-License-Identifier: GPL-2.0-or-later
# Sources of user/, with paths from the top of the tree.
libuser_a_SOURCES += \
	user/a64_far.c user/abi_aarch64.c user/abi_x86_64.c user/exec.c user/host_x86_64.S user/loader.c user/loop.c user/mm.c user/options.c \
	user/procfs.c user/script.c user/shm.c user/sigframe.c user/signals.c user/stack.c \
	user/strace.c user/symbols.c user/sys_control.c user/sys_fs.c user/sys_ipc.c user/sys_mm.c user/sys_poll.c \
	user/sys_process.c user/sys_signal.c user/syscalls.c user/thread.c \
	user/vdso/map.c user/vdso/vdso-image.c
