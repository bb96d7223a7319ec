/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of block/ share and nobody else sees. */
#ifndef GEMEL_BLOCK_PRIVATE_H
#define GEMEL_BLOCK_PRIVATE_H

#include "block/node.h"

/* A host file is locked as QEMU does it, so that each refuses what the other has open: byte
 * 100 + n of the file is read-locked by who uses permission n, byte 200 + n by who will not share
 * it. Locks are of the open file (F_OFD_*), so two disks of one process exclude each other too. */
bool block_lock_file(int fd, const char *name, bool write, Error *err);

/* The part of a file that is a raw image; takes node->file as given. */
bool raw_open(BlockNode *n, const BlockNodeOptions *options, Error *err);

/* qcow2 over n->file. */
bool qcow2_open(BlockNode *n, const BlockNodeOptions *options, Error *err);

/* Allocated like malloc, aligned for direct I/O; free() it. Aborts when the host has no memory. */
void *block_buffer_alloc(size_t bytes);

/* A backing chain longer than this is refused. */
enum { BLOCK_CHAIN_MAX = 200 };

#endif
