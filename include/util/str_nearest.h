/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The valid name a user most likely meant, for error messages. */
#ifndef GEMEL_UTIL_STR_NEAREST_H
#define GEMEL_UTIL_STR_NEAREST_H

#include <stddef.h>

/*
 * Edits that turn a into b: insert, delete, replace, swap two neighbours; upper and lower case are
 * alike, and so are '-' and '_'. Only the first 63 characters count.
 */
unsigned str_distance(const char *a, const char *b);

/*
 * The name nearest to `word`, or NULL when none is near (more than a third of the word's letters,
 * and more than one, would have to change). At equal distance the first wins.
 * get(i, opaque) returns name i of the table, NULL after the last.
 */
const char *str_nearest(const char *word, const char *(*get)(size_t i, const void *opaque),
                        const void *opaque);

/* The same over an array of strings that ends with NULL. */
const char *str_nearest_in(const char *word, const char *const *names);

#endif
