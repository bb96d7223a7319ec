/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2: compressed clusters. Raw deflate with a window of 2^12 bytes, or one zstd frame; an L2
 * entry tells the first byte and how many 512-byte sectors from there it touches at most.
 */
#include "qcow2_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "config.h"

enum { WINDOW_BITS = 12 };

typedef struct Compression {
    /* Exactly out_bytes must come out. */
    bool (*unpack)(const uint8_t *in, size_t in_bytes, uint8_t *out, size_t out_bytes);
    /* Bytes written, 0 when it does not fit. */
    size_t (*pack)(const uint8_t *in, size_t in_bytes, uint8_t *out, size_t out_bytes);
} Compression;

static bool unpack_zlib(const uint8_t *in, size_t in_bytes, uint8_t *out, size_t out_bytes)
{
    z_stream z = {.next_in = (uint8_t *)in,
                  .avail_in = (unsigned)in_bytes,
                  .next_out = out,
                  .avail_out = (unsigned)out_bytes};
    int r;

    if (inflateInit2(&z, -WINDOW_BITS) != Z_OK) {
        return false;
    }
    r = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    return (r == Z_STREAM_END || r == Z_BUF_ERROR) && z.avail_out == 0;
}

static size_t pack_zlib(const uint8_t *in, size_t in_bytes, uint8_t *out, size_t out_bytes)
{
    z_stream z = {.next_in = (uint8_t *)in,
                  .avail_in = (unsigned)in_bytes,
                  .next_out = out,
                  .avail_out = (unsigned)out_bytes};
    int r;

    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -WINDOW_BITS, 9, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        return 0;
    }
    r = deflate(&z, Z_FINISH);
    deflateEnd(&z);
    return r == Z_STREAM_END ? out_bytes - z.avail_out : 0;
}

#ifdef HAVE_ZSTD
#include <zstd.h>

/* What follows the frame in its last sector is not part of it, so the stream interface. */
static bool unpack_zstd(const uint8_t *in, size_t in_bytes, uint8_t *out, size_t out_bytes)
{
    ZSTD_DCtx *d = ZSTD_createDCtx();
    ZSTD_inBuffer from = {in, in_bytes, 0};
    ZSTD_outBuffer to = {out, out_bytes, 0};
    bool ok = d != NULL;

    while (ok && to.pos < to.size) {
        size_t in_pos = from.pos, out_pos = to.pos;
        size_t r = ZSTD_decompressStream(d, &to, &from);
        ok = !ZSTD_isError(r) && (from.pos > in_pos || to.pos > out_pos);
    }
    ZSTD_freeDCtx(d);
    return ok;
}

static size_t pack_zstd(const uint8_t *in, size_t in_bytes, uint8_t *out, size_t out_bytes)
{
    size_t n = ZSTD_compress(out, out_bytes, in, in_bytes, ZSTD_CLEVEL_DEFAULT);

    return ZSTD_isError(n) ? 0 : n;
}
#else
#define unpack_zstd NULL
#define pack_zstd NULL
#endif

static const Compression compressions[] = {{unpack_zlib, pack_zlib}, {unpack_zstd, pack_zstd}};

bool qcow2_compression_known(uint32_t type)
{
    return type < G_N_ELEMENTS(compressions) && compressions[type].unpack;
}

int qcow2_unpack(Qcow2 *q, uint64_t desc, const uint8_t **plain)
{
    uint64_t offset, bytes;
    uint8_t *in;
    int err;

    if (q->plain && q->plain_entry == desc) {
        *plain = q->plain;
        return 0;
    }
    qcow2_packed_place(q, desc, &offset, &bytes);
    if (!q->plain) {
        q->plain = g_malloc(q->cluster_bytes);
    }
    q->plain_entry = 0;
    in = g_malloc(bytes);
    err = block_node_pread(q->file, offset, in, bytes);
    if (!err && !compressions[q->compression].unpack(in, bytes, q->plain, q->cluster_bytes)) {
        err = EIO;
    }
    g_free(in);
    if (!err) {
        q->plain_entry = desc;
        *plain = q->plain;
    }
    return err;
}

static int link_packed(Qcow2 *q, uint64_t offset, uint64_t host, size_t bytes)
{
    unsigned size_bits = q->cluster_bits - 8, offset_bits = 62 - size_bits;
    uint64_t sectors = ((host + bytes - 1) >> 9) - (host >> 9);
    Qcow2Entry e = {QCOW2_COMPRESSED | sectors << offset_bits | host, 0}, old;
    MetaBlock *slice;
    unsigned i;
    int err = qcow2_l2_for_write(q, offset, &slice, &i);

    if (err) {
        return err;
    }
    old = qcow2_entry_load(q, slice->data, i);
    if (old.desc & QCOW2_COMPRESSED) {
        uint64_t at, old_bytes;
        qcow2_packed_place(q, old.desc, &at, &old_bytes);
        qcow2_free_later(q, at, old_bytes);
    } else if (old.desc & QCOW2_OFFSET_MASK) {
        qcow2_free_later(q, old.desc & QCOW2_OFFSET_MASK, q->cluster_bytes);
    }
    qcow2_entry_store(q, slice->data, i, e);
    meta_cache_dirty(q->l2, slice);
    return 0;
}

int qcow2_pack(const Qcow2 *q, uint64_t offset, const void *buf, size_t bytes, uint8_t *out,
               size_t *out_bytes)
{
    const uint8_t *in = buf;
    uint8_t *padded = NULL;

    if ((offset & (q->cluster_bytes - 1)) || bytes > q->cluster_bytes) {
        return EINVAL;
    }
    if (bytes < q->cluster_bytes) {
        if (offset + bytes != q->node->size_bytes) {
            return EINVAL;
        }
        padded = g_malloc0(q->cluster_bytes);
        memcpy(padded, buf, bytes);
        in = padded;
    }
    *out_bytes = compressions[q->compression].pack(in, q->cluster_bytes, out, q->cluster_bytes - 1);
    g_free(padded);
    return 0;
}

int qcow2_write_packed(Qcow2 *q, uint64_t offset, const uint8_t *packed, size_t bytes)
{
    uint64_t host;
    int err = qcow2_alloc_packed(q, (uint32_t)bytes, &host);

    err = err ? err : block_node_pwrite(q->file, host, packed, bytes);
    /* Another cluster may have been here before. */
    q->plain_entry = 0;
    return err ? err : link_packed(q, offset, host, bytes);
}
