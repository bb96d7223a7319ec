# SPDX-License-Identifier: GPL-2.0-or-later
# Sources of gemel-img, with paths from the top of the tree.
gemel_img_SOURCES += img/main.c
gemel_img_LDADD = $(BLOCK_LIBS) -lpthread
gemel_img_LDFLAGS = $(AM_LDFLAGS) -pie
