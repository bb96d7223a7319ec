/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packs pieces of RAM for a saved state: zstd at its fastest when there is one. */
#ifndef GEMEL_MIGRATION_PACK_H
#define GEMEL_MIGRATION_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Packer Packer;

Packer *packer_new(void);
void    packer_free(Packer *p);
/* Packs `bytes` at from into to, which holds `bytes`; 0: it does not get smaller. */
size_t  pack_bytes(Packer *p, uint8_t *to, const uint8_t *from, size_t bytes);
/* Exactly `bytes` must come out; false: damaged, or this Gemel was built without zstd. */
bool    unpack_bytes(Packer *p, uint8_t *to, size_t bytes, const uint8_t *from, size_t from_bytes);

#endif
