/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAM in a saved state: the list of blocks (u32 count; u32 length of the name, name, u64 bytes),
 * then each block in pieces of 256 KiB: u32 0 (all zero), 1 (as it is) or 2 (u32 length, packed). A
 * block is found again by its name; one that is missing on either side or has another size is
 * refused before anything is loaded.
 */
#include "migration/ram.h"

#include <inttypes.h>
#include <string.h>

#include "migration/pack.h"
#include "util/bits.h"

enum { PIECE_BYTES = 256 << 10, MAX_BLOCKS = 1024, MAX_NAME = 255, RAM_VERSION = 1 };
typedef enum PieceKind { PIECE_ZERO, PIECE_RAW, PIECE_PACKED } PieceKind;

struct RamSection {
    StateSection section; /* must be first */
    Machine *m;
    Packer *packer;
    uint8_t buf[PIECE_BYTES];
};

static bool is_zero(const uint8_t *p, size_t bytes)
{
    /* The first word, then each byte against the one a word before. */
    return bytes < 8 ? !bytes || (!p[0] && !memcmp(p, p + 1, bytes - 1))
                     : !load_le64(p) && !memcmp(p, p + 8, bytes - 8);
}

/* ---- saving ---- */

static bool save_list(RamSection *r, StateStream *s)
{
    uint32_t n = 0;

    for (RamBlock *b = NULL; (b = ram_each(r->m, b)) != NULL;) {
        n++;
    }
    if (!state_put_u32(s, n)) {
        return false;
    }
    for (RamBlock *b = NULL; (b = ram_each(r->m, b)) != NULL;) {
        uint32_t len = (uint32_t)strnlen(b->name, MAX_NAME);

        if (!state_put_u32(s, len) || !state_put_bytes(s, b->name, len) ||
            !state_put_u64(s, b->bytes)) {
            return false;
        }
    }
    return true;
}

static bool save_piece(RamSection *r, StateStream *s, const uint8_t *from, size_t bytes)
{
    size_t packed;

    if (is_zero(from, bytes)) {
        return state_put_u32(s, PIECE_ZERO);
    }
    packed = pack_bytes(r->packer, r->buf, from, bytes);
    if (!packed) {
        return state_put_u32(s, PIECE_RAW) && state_put_bytes(s, from, bytes);
    }
    return state_put_u32(s, PIECE_PACKED) && state_put_u32(s, (uint32_t)packed) &&
           state_put_bytes(s, r->buf, packed);
}

static bool ram_save(void *opaque, StateStream *s)
{
    RamSection *r = opaque;

    if (!save_list(r, s)) {
        return false;
    }
    for (RamBlock *b = NULL; (b = ram_each(r->m, b)) != NULL;) {
        for (uint64_t at = 0; at < b->bytes; at += PIECE_BYTES) {
            if (!save_piece(r, s, b->host + at, MIN(PIECE_BYTES, b->bytes - at))) {
                return false;
            }
        }
    }
    return true;
}

/* ---- loading ---- */

static bool too_short(Error *err)
{
    return error_set(err, "ends too early");
}

static RamBlock *block_by_name(Machine *m, const char *name, const GPtrArray *taken)
{
    for (RamBlock *b = NULL; (b = ram_each(m, b)) != NULL;) {
        if (!strcmp(b->name, name) && !g_ptr_array_find((GPtrArray *)taken, b, NULL)) {
            return b;
        }
    }
    return NULL;
}

static bool load_block_head(RamSection *r, StateStream *s, GPtrArray *blocks, Error *err)
{
    char name[MAX_NAME + 1];
    uint32_t len;
    uint64_t bytes;
    RamBlock *b;

    if (!state_get_u32(s, &len) || len > MAX_NAME || !state_get_bytes(s, name, len) ||
        !state_get_u64(s, &bytes)) {
        return too_short(err);
    }
    name[len] = '\0';
    b = block_by_name(r->m, name, blocks);
    if (!b) {
        return error_set(err, "RAM '%s' of the saved state is not in this machine", name);
    }
    if (b->bytes != bytes) {
        return error_set(err,
                         "RAM '%s' has %" PRIu64 " KiB, in the saved state %" PRIu64
                         " KiB (use the same -m)",
                         name, b->bytes >> 10, bytes >> 10);
    }
    g_ptr_array_add(blocks, b);
    return true;
}

/* The blocks in the order of the stream. */
static bool load_list(RamSection *r, StateStream *s, GPtrArray *blocks, Error *err)
{
    uint32_t n;

    if (!state_get_u32(s, &n) || n > MAX_BLOCKS) {
        return too_short(err);
    }
    while (n--) {
        if (!load_block_head(r, s, blocks, err)) {
            return false;
        }
    }
    for (RamBlock *b = NULL; (b = ram_each(r->m, b)) != NULL;) {
        if (!g_ptr_array_find(blocks, b, NULL)) {
            return error_set(err, "RAM '%s' of this machine is not in the saved state", b->name);
        }
    }
    return true;
}

static bool load_piece(RamSection *r, StateStream *s, uint8_t *to, size_t bytes, Error *err)
{
    uint32_t kind, packed;

    if (!state_get_u32(s, &kind)) {
        return too_short(err);
    }
    switch (kind) {
    case PIECE_ZERO:
        if (!is_zero(to, bytes)) { /* else the host need not give memory */
            memset(to, 0, bytes);
        }
        return true;
    case PIECE_RAW: return state_get_bytes(s, to, bytes) || too_short(err);
    case PIECE_PACKED:
        if (!state_get_u32(s, &packed) || packed > PIECE_BYTES ||
            !state_get_bytes(s, r->buf, packed)) {
            return too_short(err);
        }
        return unpack_bytes(r->packer, to, bytes, r->buf, packed) ||
               error_set(err, "a packed piece is damaged, or this Gemel was built without zstd");
    default: return error_set(err, "piece of unknown kind %u", kind);
    }
}

static bool load_block(RamSection *r, StateStream *s, RamBlock *b, Error *err)
{
    bool ok = true;

    for (uint64_t at = 0; ok && at < b->bytes; at += PIECE_BYTES) {
        ok = load_piece(r, s, b->host + at, MIN(PIECE_BYTES, b->bytes - at), err);
    }
    ram_written(r->m, b, 0, b->bytes);
    return ok;
}

static bool ram_load(void *opaque, StateStream *s, uint32_t version, Error *err)
{
    RamSection *r = opaque;
    GPtrArray *blocks = g_ptr_array_new();
    bool ok = load_list(r, s, blocks, err);

    (void)version; /* there is one */
    for (guint i = 0; ok && i < blocks->len; i++) {
        ok = load_block(r, s, g_ptr_array_index(blocks, i), err);
    }
    g_ptr_array_free(blocks, TRUE);
    return ok;
}

static bool ram_check(void *opaque, StateStream *s, uint32_t version, Error *err)
{
    GPtrArray *blocks = g_ptr_array_new();
    bool ok = load_list(opaque, s, blocks, err);

    (void)version;
    g_ptr_array_free(blocks, TRUE);
    return ok;
}

RamSection *ram_section_new(Machine *m)
{
    RamSection *r = g_new0(RamSection, 1);

    r->section = (StateSection){.name = "ram",
                                .version = RAM_VERSION,
                                .save = ram_save,
                                .load = ram_load,
                                .check = ram_check,
                                .opaque = r};
    r->m = m;
    r->packer = packer_new();
    state_section_add(m, &r->section);
    return r;
}

void ram_section_free(RamSection *r)
{
    state_section_remove(r->m, &r->section);
    packer_free(r->packer);
    g_free(r);
}
