/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Assertions on hot paths, and a flag for checks too slow to keep on.
 *
 * assert() is always on, also in release builds: use it where it costs nothing that counts.
 * hot_assert() is on in --enable-debug builds only. Guest input must reach neither.
 */
#ifndef GEMEL_UTIL_DEBUG_H
#define GEMEL_UTIL_DEBUG_H

#include <assert.h>

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#ifdef GEMEL_DEBUG
enum { DEBUG_CHECKS = 1 };
#define hot_assert(cond) assert(cond)
#else
enum { DEBUG_CHECKS = 0 };
#define hot_assert(cond) ((void)sizeof((cond) ? 1 : 0))
#endif

#endif
