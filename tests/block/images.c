/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images, drivers and a model for tests; see the header. */
#include "images.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- the log */

WriteLog *write_log_new(void)
{
    WriteLog *log = g_new0(WriteLog, 1);

    log->entries = g_array_new(FALSE, FALSE, sizeof(LogEntry));
    log->fail_after = -1;
    return log;
}

void write_log_free(WriteLog *log)
{
    for (unsigned i = 0; i < log->entries->len; i++) {
        g_free(g_array_index(log->entries, LogEntry, i).data);
    }
    g_array_free(log->entries, TRUE);
    g_free(log);
}

static int log_add(WriteLog *log, int what, uint64_t offset, uint64_t bytes, uint8_t *data)
{
    LogEntry e = {what, offset, bytes, data};

    if (log->fail_after == 0) {
        g_free(data);
        return EIO;
    }
    log->fail_after -= log->fail_after > 0;
    g_array_append_val(log->entries, e);
    return 0;
}

void write_log_mark(WriteLog *log, uint64_t number)
{
    LogEntry e = {LOG_MARK, number, 0, NULL};

    g_array_append_val(log->entries, e);
}

typedef struct LogImpl {
    WriteLog *log;
} LogImpl;

static void log_close(BlockNode *n)
{
    g_free(n->impl);
}

static WriteLog *log_of(BlockNode *n)
{
    return ((LogImpl *)n->impl)->log;
}

static int log_map(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned how, BlockMap *out)
{
    (void)how;
    *out = (BlockMap){BLOCK_MAP_DATA | BLOCK_MAP_ALLOCATED | BLOCK_MAP_OFFSET, bytes, n, offset};
    return 0;
}

static int log_read(BlockNode *n, uint64_t offset, BlockVec v)
{
    return block_node_read(n->file, offset, v);
}

static int log_write(BlockNode *n, uint64_t offset, BlockVec v)
{
    uint8_t *data = g_malloc(v.bytes);
    int err;

    block_vec_to_buf(v, data);
    err = log_add(log_of(n), LOG_WRITE, offset, v.bytes, data);
    err = err ? err : block_node_write(n->file, offset, v);
    n->size_bytes = n->file->size_bytes;
    return err;
}

static int log_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, bool may_unmap)
{
    uint8_t *data = g_malloc0(bytes);
    struct iovec iov = {data, bytes};
    int err = log_write(n, offset, block_vec(&iov));

    (void)may_unmap;
    g_free(data);
    return err;
}

/* What is discarded may turn into anything; the log says so by writing a pattern. */
static int log_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    uint64_t end = MIN(offset + bytes, n->size_bytes);
    uint8_t *data;
    struct iovec iov;
    int err;

    if (offset >= end) {
        return 0;
    }
    data = g_malloc(end - offset);
    memset(data, 0xdd, end - offset);
    iov = (struct iovec){data, end - offset};
    err = log_write(n, offset, block_vec(&iov));
    g_free(data);
    return err;
}

static int log_flush(BlockNode *n)
{
    return log_add(log_of(n), LOG_FLUSH, 0, 0, NULL);
}

static bool log_truncate(BlockNode *n, uint64_t bytes, BlockPreallocation how, Error *err)
{
    bool ok = !log_add(log_of(n), LOG_TRUNCATE, bytes, 0, NULL) &&
              block_node_truncate(n->file, bytes, how, err);

    n->size_bytes = n->file->size_bytes;
    return ok;
}

static const BlockDriver log_driver = {
    .name = "log",
    .protocol = true,
    .close = log_close,
    .map = log_map,
    .read = log_read,
    .write = log_write,
    .write_zeroes = log_write_zeroes,
    .discard = log_discard,
    .flush = log_flush,
    .truncate = log_truncate,
};

BlockNode *log_node_new(BlockNode *below, WriteLog *log)
{
    BlockNode *n = block_node_new(&log_driver, "log", below->size_bytes);
    LogImpl *impl = g_new0(LogImpl, 1);

    impl->log = log;
    n->impl = impl;
    n->file = below;
    return n;
}

/* ---- images */

BlockNode *image_new(const Qcow2Create *how, WriteLog *log)
{
    BlockNode *file = block_memory_new(NULL, 0), *n;
    BlockNodeOptions o = {.format = "qcow2", .write = true, .cache_bytes = 1 << 20};
    Error err = {""};

    if (!qcow2_create(file, how, &err)) {
        g_error("%s", err.text);
    }
    o.protocol = log ? log_node_new(file, log) : file;
    n = block_node_open(&o, &err);
    if (!n) {
        g_error("%s", err.text);
    }
    return n;
}

BlockNode *image_open(const void *data, uint64_t bytes, bool write, bool for_check, Error *err)
{
    BlockNodeOptions o = {.format = "qcow2",
                          .write = write,
                          .for_check = for_check,
                          .no_backing = true,
                          .cache_bytes = 1 << 20,
                          .protocol = block_memory_new(data, bytes)};
    BlockNode *n = block_node_open(&o, err);

    if (!n) {
        block_node_close(o.protocol, NULL);
    }
    return n;
}

GBytes *image_bytes(BlockNode *n)
{
    BlockNode *file = n->file;

    block_node_flush(n);
    block_node_flush(n);
    while (file->file) {
        file = file->file;
    }
    return g_bytes_new(block_memory_data(file), file->size_bytes);
}

static void print_finding(void *opaque, const char *line)
{
    (void)opaque;
    printf("# %s\n", line);
}

void image_check(BlockNode *n, bool leaks_allowed)
{
    BlockCheck check = {.report = print_finding};
    Error err = {""};

    if (!qcow2_check(n, 0, &check, &err)) {
        g_error("%s", err.text);
    }
    g_assert_cmpuint(check.corruptions, ==, 0);
    if (!leaks_allowed) {
        g_assert_cmpuint(check.leaks, ==, 0);
    }
}

/* ---- the model */

Model *model_new(uint64_t bytes, uint64_t unit, uint32_t seed)
{
    Model *m = g_new0(Model, 1);

    m->data = g_malloc0(bytes);
    m->bytes = bytes;
    m->unit = unit;
    m->rand = g_rand_new_with_seed(seed);
    return m;
}

void model_free(Model *m)
{
    g_rand_free(m->rand);
    g_free(m->data);
    g_free(m);
}

static void model_range(Model *m, uint64_t *offset, uint64_t *bytes)
{
    uint64_t most = m->unit * (uint64_t)g_rand_int_range(m->rand, 1, 6);

    most = MIN(most, m->bytes);
    *bytes = (uint64_t)g_rand_int_range(m->rand, 1, (int)most + 1);
    *offset = (uint64_t)g_rand_int_range(m->rand, 0, (int)(m->bytes - *bytes) + 1);
    if (g_rand_boolean(m->rand)) {
        *offset -= *offset % m->unit;
        *bytes = MIN((*bytes + m->unit - 1) / m->unit * m->unit, m->bytes - *offset);
    }
}

static void model_write(Model *m, BlockNode *n, uint64_t offset, uint64_t bytes)
{
    uint32_t value = g_rand_int(m->rand);

    for (uint64_t i = 0; i < bytes; i++) {
        m->data[offset + i] = (uint8_t)((value >> (i % 4 * 8)) + (i >> 9));
    }
    g_assert_cmpint(block_node_pwrite(n, offset, m->data + offset, bytes), ==, 0);
}

static void model_write_packed(Model *m, BlockNode *n, uint64_t offset)
{
    uint64_t cluster = n->cluster_bytes;

    if (cluster) {
        offset -= offset % cluster;
        uint64_t bytes = MIN(cluster, m->bytes - offset);
        memset(m->data + offset, g_rand_int_range(m->rand, 0, 256), bytes);
        g_assert_cmpint(block_node_write_compressed(n, offset, m->data + offset, bytes), ==, 0);
    }
}

void model_step(Model *m, BlockNode *n)
{
    uint64_t offset, bytes;
    uint8_t *buf;

    model_range(m, &offset, &bytes);
    switch (g_rand_int_range(m->rand, 0, 12)) {
    case 0:
    case 1:
    case 2:
    case 3: model_write(m, n, offset, bytes); break;
    case 4:
        memset(m->data + offset, 0, bytes);
        g_assert_cmpint(block_node_write_zeroes(n, offset, bytes, g_rand_boolean(m->rand)), ==, 0);
        break;
    case 5:
        g_assert_cmpint(block_node_discard(n, offset, bytes), ==, 0);
        g_assert_cmpint(block_node_pread(n, offset, m->data + offset, bytes), ==, 0);
        break;
    case 6: model_write_packed(m, n, offset); break;
    case 7: g_assert_cmpint(block_node_flush(n), ==, 0); break;
    default:
        buf = g_malloc(bytes);
        g_assert_cmpint(block_node_pread(n, offset, buf, bytes), ==, 0);
        g_assert_true(memcmp(buf, m->data + offset, bytes) == 0);
        g_free(buf);
    }
}

void model_compare(const Model *m, BlockNode *n)
{
    uint8_t *buf = g_malloc(m->bytes);

    g_assert_cmpint(block_node_pread(n, 0, buf, m->bytes), ==, 0);
    for (uint64_t i = 0; i < m->bytes; i++) {
        if (buf[i] != m->data[i]) {
            g_error("byte 0x%" G_GINT64_MODIFIER "x is %02x, must be %02x", i, buf[i], m->data[i]);
        }
    }
    g_free(buf);
}
