/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "migration/pack.h"

#include <glib.h>

#include "config.h"

#ifdef HAVE_ZSTD
#include <zstd.h>

enum { LEVEL = -1 }; /* about as fast as a disk writes */

struct Packer {
    ZSTD_CCtx *pack;
    ZSTD_DCtx *unpack;
};

Packer *packer_new(void)
{
    Packer *p = g_new0(Packer, 1);

    p->pack = ZSTD_createCCtx();
    p->unpack = ZSTD_createDCtx();
    return p;
}

void packer_free(Packer *p)
{
    ZSTD_freeCCtx(p->pack);
    ZSTD_freeDCtx(p->unpack);
    g_free(p);
}

size_t pack_bytes(Packer *p, uint8_t *to, const uint8_t *from, size_t bytes)
{
    size_t n = ZSTD_compressCCtx(p->pack, to, bytes - 1, from, bytes, LEVEL);

    return ZSTD_isError(n) ? 0 : n;
}

bool unpack_bytes(Packer *p, uint8_t *to, size_t bytes, const uint8_t *from, size_t from_bytes)
{
    return ZSTD_decompressDCtx(p->unpack, to, bytes, from, from_bytes) == bytes;
}

#else

struct Packer {
    char nothing;
};

Packer *packer_new(void)
{
    return g_new0(Packer, 1);
}

void packer_free(Packer *p)
{
    g_free(p);
}

size_t pack_bytes(Packer *p, uint8_t *to, const uint8_t *from, size_t bytes)
{
    (void)p, (void)to, (void)from, (void)bytes;
    return 0;
}

bool unpack_bytes(Packer *p, uint8_t *to, size_t bytes, const uint8_t *from, size_t from_bytes)
{
    (void)p, (void)to, (void)bytes, (void)from, (void)from_bytes;
    return false;
}

#endif
