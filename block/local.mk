# SPDX-License-Identifier: GPL-2.0-or-later
# Sources of block/, with paths from the top of the tree.
libblock_a_SOURCES += block/file.c block/lock.c block/memory.c block/meta_cache.c block/node.c \
	block/qcow2.c block/qcow2_bitmap.c block/qcow2_check.c block/qcow2_cluster.c \
	block/qcow2_compress.c block/qcow2_create.c block/qcow2_header.c block/qcow2_refcount.c \
	block/qcow2_snapshot.c block/disk.c block/raw.c block/uring.c block/vec.c
