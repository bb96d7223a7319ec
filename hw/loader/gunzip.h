/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gzip, for loaders. */
#ifndef GEMEL_HW_LOADER_GUNZIP_H
#define GEMEL_HW_LOADER_GUNZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool gunzip_is(const uint8_t *data, size_t bytes);

/* The unpacked bytes, free() them; NULL: broken, or more than max_bytes. */
uint8_t *gunzip(const uint8_t *data, size_t bytes, size_t max_bytes, size_t *out_bytes);

#endif
