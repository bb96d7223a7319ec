# SPDX-License-Identifier: GPL-2.0-or-later
# Sources of gemel-img, with paths from the top of the tree.
gemel_img_SOURCES += img/main.c img/args.c img/common.c img/json.c img/amend.c img/bench.c img/check.c \
	img/commit.c img/compare.c img/convert.c img/create.c img/dd.c img/info.c img/map.c \
	img/measure.c img/rebase.c img/resize.c img/snapshot.c
gemel_img_LDADD = $(BLOCK_LIBS) -lpthread
gemel_img_LDFLAGS = $(AM_LDFLAGS) -pie
