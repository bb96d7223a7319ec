/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: the header, its extensions, feature bits; reading them from an image nobody vouches for.
 */
#include "qcow2_impl.h"

#include <errno.h>
#include <string.h>

#include "util/bits.h"

/* Offsets in the header */
enum {
    H_MAGIC = 0,
    H_VERSION = 4,
    H_BACKING_OFFSET = 8,
    H_BACKING_BYTES = 16,
    H_CLUSTER_BITS = 20,
    H_SIZE = 24,
    H_CRYPT = 32,
    H_L1_COUNT = 36,
    H_L1_OFFSET = 40,
    H_REFTABLE_OFFSET = 48,
    H_REFTABLE_CLUSTERS = 56,
    H_SNAPSHOTS = 60,
    H_SNAPSHOTS_OFFSET = 64,
    H_INCOMPATIBLE = 72,
    H_COMPATIBLE = 80,
    H_AUTOCLEAR = 88,
    H_REFCOUNT_ORDER = 96,
    H_HEADER_BYTES = 100,
    H_COMPRESSION = 104,
};

typedef struct Feature {
    uint8_t type, bit; /* type 0 incompatible, 1 compatible, 2 autoclear */
    const char *name;
} Feature;

static const Feature features[] = {
    {0, 0, "dirty bit"},        {0, 1, "corrupt bit"},         {0, 2, "external data file"},
    {0, 3, "compression type"}, {0, 4, "extended L2 entries"}, {1, 0, "lazy refcounts"},
    {2, 0, "bitmaps"},          {2, 1, "raw external data"},
};

enum { FEATURE_BYTES = 48 };

/* ---- extensions */

Qcow2Ext *qcow2_find_ext(Qcow2 *q, uint32_t type)
{
    for (unsigned i = 0; i < q->exts->len; i++) {
        Qcow2Ext *e = &g_array_index(q->exts, Qcow2Ext, i);
        if (e->type == type) {
            return e;
        }
    }
    return NULL;
}

void qcow2_set_ext(Qcow2 *q, uint32_t type, const void *data, uint32_t bytes)
{
    Qcow2Ext *old = qcow2_find_ext(q, type);
    Qcow2Ext e = {type, bytes, g_memdup2(data, bytes)};

    if (old) {
        g_free(old->data);
        if (bytes) {
            *old = e;
        } else {
            g_array_remove_index(q->exts, (unsigned)(old - (Qcow2Ext *)(void *)q->exts->data));
        }
    } else if (bytes) {
        g_array_append_val(q->exts, e);
    }
}

static bool read_exts(Qcow2 *q, const uint8_t *cluster, uint64_t end, Error *err)
{
    uint64_t at = q->header_bytes;

    while (at + 8 <= end) {
        Qcow2Ext e = {load_be32(cluster + at), load_be32(cluster + at + 4), NULL};
        if (e.type == QCOW2_EXT_END) {
            return true;
        }
        if (e.bytes > end - at - 8) {
            return error_set(err, "%s: header extension 0x%08x is longer than the header",
                             q->node->name, e.type);
        }
        e.data = g_memdup2(cluster + at + 8, e.bytes);
        g_array_append_val(q->exts, e);
        at += 8 + align_up(e.bytes, 8);
    }
    return true;
}

/* ---- feature bits */

/* The image's own name for a bit that we do not know */
static char *feature_name(Qcow2 *q, unsigned type, unsigned bit)
{
    const Qcow2Ext *names = qcow2_find_ext(q, QCOW2_EXT_FEATURES);

    for (uint32_t at = 0; names && at + FEATURE_BYTES <= names->bytes; at += FEATURE_BYTES) {
        if (names->data[at] == type && names->data[at + 1] == bit) {
            return g_strndup((const char *)names->data + at + 2, FEATURE_BYTES - 2);
        }
    }
    return g_strdup_printf("bit %u", bit);
}

static bool check_features(Qcow2 *q, const BlockNodeOptions *o, Error *err)
{
    uint64_t known = QCOW2_INCOMPATIBLE_DIRTY | QCOW2_INCOMPATIBLE_CORRUPT |
                     QCOW2_INCOMPATIBLE_COMPRESSION | QCOW2_INCOMPATIBLE_EXTENDED_L2 |
                     QCOW2_INCOMPATIBLE_DATA_FILE;
    uint64_t unknown = q->incompatible & ~known;

    if (unknown) {
        char *name = feature_name(q, 0, ctz64(unknown));
        error_set(err, "%s: uses a feature that is not supported: '%s'", q->node->name, name);
        g_free(name);
        return false;
    }
    if (q->incompatible & QCOW2_INCOMPATIBLE_DATA_FILE) {
        return error_set(err,
                         "%s: keeps its data in an external file, which is not supported "
                         "(qemu-img convert makes one image of it)",
                         q->node->name);
    }
    if (q->crypt || qcow2_find_ext(q, QCOW2_EXT_CRYPTO)) {
        return error_set(err, "%s: is encrypted (%s), which is not supported", q->node->name,
                         q->crypt == 1 ? "AES" : "LUKS");
    }
    if (!qcow2_compression_known(q->compression)) {
        return error_set(err, "%s: compression type %u (%s) is not supported%s", q->node->name,
                         q->compression, q->compression == 1 ? "zstd" : "unknown",
                         q->compression == 1 ? " by this build (libzstd-dev)" : "");
    }
    if (!q->compression != !(q->incompatible & QCOW2_INCOMPATIBLE_COMPRESSION)) {
        return error_set(err, "%s: compression type and its feature bit do not agree",
                         q->node->name);
    }
    if ((q->incompatible & QCOW2_INCOMPATIBLE_CORRUPT) && o->write && !o->for_check) {
        return error_set(err,
                         "%s: is marked as damaged; open it read-only, or repair it with "
                         "gemel-img check -r all",
                         q->node->name);
    }
    return true;
}

/* ---- reading */

static void parse_fixed(Qcow2 *q, const uint8_t *h)
{
    q->cluster_bits = load_be32(h + H_CLUSTER_BITS);
    q->node->size_bytes = load_be64(h + H_SIZE);
    q->crypt = load_be32(h + H_CRYPT);
    q->backing_offset = load_be64(h + H_BACKING_OFFSET);
    q->backing_bytes = load_be32(h + H_BACKING_BYTES);
    q->l1.count = load_be32(h + H_L1_COUNT);
    q->l1.offset = load_be64(h + H_L1_OFFSET);
    q->reftable_offset = load_be64(h + H_REFTABLE_OFFSET);
    q->reftable_clusters = load_be32(h + H_REFTABLE_CLUSTERS);
    q->refcount_order = 4;
    q->header_bytes = QCOW2_V2_HEADER;
    if (q->version >= 3) {
        q->incompatible = load_be64(h + H_INCOMPATIBLE);
        q->compatible = load_be64(h + H_COMPATIBLE);
        q->autoclear = load_be64(h + H_AUTOCLEAR);
        q->refcount_order = load_be32(h + H_REFCOUNT_ORDER);
        q->header_bytes = load_be32(h + H_HEADER_BYTES);
        q->compression = q->header_bytes > H_COMPRESSION ? h[H_COMPRESSION] : 0;
    }
}

/* Ranges that everything later relies on */
static bool check_fixed(Qcow2 *q, Error *err)
{
    const char *name = q->node->name;
    uint64_t tables = q->l1.offset | q->reftable_offset;

    if (q->cluster_bits < QCOW2_MIN_CLUSTER_BITS || q->cluster_bits > QCOW2_MAX_CLUSTER_BITS) {
        return error_set(err, "%s: cluster size 2^%u is not between 2^9 and 2^21", name,
                         q->cluster_bits);
    }
    q->cluster_bytes = 1u << q->cluster_bits;
    if (q->header_bytes < (q->version >= 3 ? QCOW2_V3_HEADER : QCOW2_V2_HEADER) ||
        q->header_bytes > q->cluster_bytes || q->header_bytes % 8) {
        return error_set(err, "%s: header of %u bytes", name, q->header_bytes);
    }
    if (q->refcount_order > 6) {
        return error_set(err, "%s: reference counts of 2^%u bits; at most 64", name,
                         q->refcount_order);
    }
    if (tables & (q->cluster_bytes - 1)) {
        return error_set(err, "%s: the L1 or refcount table is not at the start of a cluster",
                         name);
    }
    if (q->reftable_offset > INT64_MAX || q->l1.offset > INT64_MAX) {
        return error_set(err, "%s: a table beyond all files", name);
    }
    if (!q->reftable_clusters ||
        (uint64_t)q->reftable_clusters << q->cluster_bits > QCOW2_MAX_REFTABLE_BYTES) {
        return error_set(err, "%s: a refcount table of %u clusters", name, q->reftable_clusters);
    }
    if ((uint64_t)q->l1.count * 8 > QCOW2_MAX_L1_BYTES) {
        return error_set(err, "%s: an L1 table of %u entries is too large", name, q->l1.count);
    }
    if (q->node->size_bytes > INT64_MAX) {
        return error_set(err, "%s: a disk of 2^63 bytes or more", name);
    }
    return true;
}

static bool read_backing_name(Qcow2 *q, const uint8_t *cluster, Error *err)
{
    const Qcow2Ext *format;

    if (!q->backing_offset) {
        return true;
    }
    if (q->backing_bytes > 1023 || q->backing_offset > q->cluster_bytes ||
        q->backing_bytes > q->cluster_bytes - q->backing_offset) {
        return error_set(err, "%s: the name of the backing file is not in the first cluster",
                         q->node->name);
    }
    if (!q->backing_bytes) {
        return true;
    }
    q->node->backing_name = g_strndup((const char *)cluster + q->backing_offset, q->backing_bytes);
    q->node->backing_path = block_backing_path(q->node->name, q->node->backing_name);
    format = qcow2_find_ext(q, QCOW2_EXT_BACKING_FORMAT);
    if (format) {
        q->node->backing_format = g_strndup((const char *)format->data, MIN(format->bytes, 15));
    }
    return true;
}

/* Exts and backing name, from the first cluster. */
static bool read_rest(Qcow2 *q, Error *err)
{
    uint8_t *cluster = g_malloc0(q->cluster_bytes);
    uint64_t end = q->backing_offset && q->backing_offset <= q->cluster_bytes ? q->backing_offset
                                                                              : q->cluster_bytes;
    int e = block_node_pread(q->file, 0, cluster, q->cluster_bytes);
    bool ok;

    errno = e;
    ok = e ? error_set_errno(err, "%s: cannot read the header", q->node->name)
           : read_exts(q, cluster, end, err) && read_backing_name(q, cluster, err);
    g_free(cluster);
    return ok;
}

bool qcow2_read_header(Qcow2 *q, const BlockNodeOptions *o, Error *err)
{
    uint8_t h[QCOW2_FULL_HEADER];
    int e = block_node_pread(q->file, 0, h, sizeof h);

    if (e) {
        errno = e;
        return error_set_errno(err, "%s: cannot read the header", q->node->name);
    }
    if (load_be32(h) != QCOW2_MAGIC) {
        return error_set(err, "%s: is not a qcow2 image", q->node->name);
    }
    q->version = load_be32(h + H_VERSION);
    if (q->version != 2 && q->version != 3) {
        return error_set(err, "%s: qcow2 version %u is not supported (2 and 3 are)", q->node->name,
                         q->version);
    }
    parse_fixed(q, h);
    if (!check_fixed(q, err) || !read_rest(q, err) || !check_features(q, o, err)) {
        return false;
    }
    q->extended = (q->incompatible & QCOW2_INCOMPATIBLE_EXTENDED_L2) != 0;
    if (q->extended && q->cluster_bits < 14) {
        return error_set(err, "%s: extended L2 entries need clusters of 16 KiB or more",
                         q->node->name);
    }
    return qcow2_read_snapshots(q, load_be32(h + H_SNAPSHOTS), err);
}

/* ---- writing */

static void fill_fixed(Qcow2 *q, uint8_t *h)
{
    store_be32(h + H_MAGIC, QCOW2_MAGIC);
    store_be32(h + H_VERSION, q->version);
    store_be64(h + H_BACKING_OFFSET, q->backing_offset);
    store_be32(h + H_BACKING_BYTES, q->backing_bytes);
    store_be32(h + H_CLUSTER_BITS, q->cluster_bits);
    store_be64(h + H_SIZE, q->node->size_bytes);
    store_be32(h + H_CRYPT, q->crypt);
    store_be32(h + H_L1_COUNT, q->l1.count);
    store_be64(h + H_L1_OFFSET, q->l1.offset);
    store_be64(h + H_REFTABLE_OFFSET, q->reftable_offset);
    store_be32(h + H_REFTABLE_CLUSTERS, q->reftable_clusters);
    store_be32(h + H_SNAPSHOTS, q->snapshots->len);
    store_be64(h + H_SNAPSHOTS_OFFSET, q->snapshots_offset);
    if (q->version < 3) {
        return;
    }
    store_be64(h + H_INCOMPATIBLE, q->incompatible);
    store_be64(h + H_COMPATIBLE, q->compatible);
    store_be64(h + H_AUTOCLEAR, q->autoclear);
    store_be32(h + H_REFCOUNT_ORDER, q->refcount_order);
    store_be32(h + H_HEADER_BYTES, q->header_bytes);
    if (q->header_bytes > H_COMPRESSION) {
        h[H_COMPRESSION] = (uint8_t)q->compression;
    }
}

int qcow2_write_fixed_header(Qcow2 *q)
{
    uint8_t h[QCOW2_FULL_HEADER] = {0};
    unsigned bytes = q->version < 3 ? QCOW2_V2_HEADER : MIN(q->header_bytes, QCOW2_FULL_HEADER);

    fill_fixed(q, h);
    return block_node_pwrite(q->file, 0, h, bytes);
}

static void fill_features(Qcow2 *q)
{
    uint8_t names[sizeof features / sizeof *features * FEATURE_BYTES] = {0};

    for (size_t i = 0; i < G_N_ELEMENTS(features); i++) {
        uint8_t *p = names + i * FEATURE_BYTES;
        p[0] = features[i].type;
        p[1] = features[i].bit;
        memcpy(p + 2, features[i].name, strlen(features[i].name));
    }
    qcow2_set_ext(q, QCOW2_EXT_FEATURES, names, sizeof names);
}

/* Extensions from `at` on; 0 when they do not fit. */
static uint64_t fill_exts(Qcow2 *q, uint8_t *cluster, uint64_t at)
{
    for (unsigned i = 0; i < q->exts->len; i++) {
        const Qcow2Ext *e = &g_array_index(q->exts, Qcow2Ext, i);
        uint64_t end = at + 8 + align_up(e->bytes, 8);
        if (end + 8 > q->cluster_bytes) {
            return 0;
        }
        store_be32(cluster + at, e->type);
        store_be32(cluster + at + 4, e->bytes);
        memcpy(cluster + at + 8, e->data, e->bytes);
        at = end;
    }
    return at + 8;
}

int qcow2_write_header(Qcow2 *q)
{
    uint8_t *cluster = g_malloc0(q->cluster_bytes);
    const char *backing = q->node->backing_name;
    uint64_t at;
    int err = ENOSPC;

    if (q->version >= 3) {
        q->header_bytes = MAX(q->header_bytes, QCOW2_FULL_HEADER);
        fill_features(q);
    }
    at = fill_exts(q, cluster, q->header_bytes);
    if (!at && q->version >= 3) {
        /* Small clusters: the names of features are the least of all. */
        qcow2_set_ext(q, QCOW2_EXT_FEATURES, NULL, 0);
        memset(cluster, 0, q->cluster_bytes);
        at = fill_exts(q, cluster, q->header_bytes);
    }
    q->backing_offset = 0;
    q->backing_bytes = 0;
    if (at && backing) {
        q->backing_offset = at;
        q->backing_bytes = (uint32_t)strlen(backing);
        at = q->backing_bytes <= q->cluster_bytes - at ? at : 0;
    }
    if (at) {
        if (backing) {
            memcpy(cluster + q->backing_offset, backing, q->backing_bytes);
        }
        fill_fixed(q, cluster);
        err = block_node_pwrite(q->file, 0, cluster, q->cluster_bytes);
    }
    g_free(cluster);
    return err;
}

int qcow2_set_incompatible(Qcow2 *q, uint64_t set, uint64_t clear)
{
    int err;

    if (q->version < 3) {
        return 0;
    }
    q->incompatible = (q->incompatible & ~clear) | set;
    err = block_node_flush(q->file);
    err = err ? err : qcow2_write_fixed_header(q);
    return err ? err : block_node_flush(q->file);
}
