# SPDX-License-Identifier: GPL-2.0-or-later
# Sources of util/, with paths from the top of the tree.
libutil_a_SOURCES += util/arena.c util/error.c util/log.c util/str_nearest.c util/keyval.c util/disasm.c util/capstone_dl.c
