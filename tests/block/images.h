/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests of block/: images in memory, a driver that logs writes and flushes, one that fails,
 * and a model of a disk that random operations are compared with.
 */
#ifndef GEMEL_TESTS_BLOCK_IMAGES_H
#define GEMEL_TESTS_BLOCK_IMAGES_H

#include <glib.h>

#include "block/node.h"
#include "block/qcow2.h"

/* ---- a protocol that passes on to `below`, and remembers */

typedef struct LogEntry {
    enum { LOG_WRITE, LOG_FLUSH, LOG_TRUNCATE, LOG_MARK } what;
    uint64_t offset, bytes;
    uint8_t *data;
} LogEntry;

typedef struct WriteLog {
    GArray *entries; /* LogEntry */
    int     fail_after; /* < 0: never; else that many operations go well, then EIO */
} WriteLog;

/* below is taken over; log stays the caller's. */
BlockNode *log_node_new(BlockNode *below, WriteLog *log);
WriteLog  *write_log_new(void);
void       write_log_free(WriteLog *log);
void       write_log_mark(WriteLog *log, uint64_t number);

/* ---- images */

/* A new qcow2 in memory, open for writing, through `log` when that is not NULL. */
BlockNode *image_new(const Qcow2Create *how, WriteLog *log);
/* Opens bytes as qcow2; NULL with err. */
BlockNode *image_open(const void *data, uint64_t bytes, bool write, bool for_check, Error *err);
/* The bytes of the image's file, flushed. */
GBytes    *image_bytes(BlockNode *n);
/* Fails the test when the image is not consistent; leaks may be allowed. */
void       image_check(BlockNode *n, bool leaks_allowed);

/* ---- a model */

typedef struct Model {
    uint8_t *data;
    uint64_t bytes;
    GRand   *rand;
    uint64_t unit; /* sizes of operations are around this */
} Model;

Model *model_new(uint64_t bytes, uint64_t unit, uint32_t seed);
void   model_free(Model *m);
/* One random operation on both; discards are followed by writing what was discarded. */
void   model_step(Model *m, BlockNode *n);
void   model_compare(const Model *m, BlockNode *n);

#endif
