# SPDX-License-Identifier: GPL-2.0-or-later
libchardev_a_SOURCES += chardev/base.c chardev/chardev.c chardev/file.c chardev/mux.c chardev/pty.c \
	chardev/ringbuf.c chardev/socket.c chardev/stdio.c chardev/tty.c
