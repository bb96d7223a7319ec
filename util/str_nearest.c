/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Edit distance with swaps (restricted Damerau-Levenshtein), three rows of the matrix at a time. */
#include "util/str_nearest.h"

#include <ctype.h>
#include <string.h>

enum { STR_MAX = 63 };

static int str_fold(char c)
{
    return c == '_' ? '-' : tolower((unsigned char)c);
}

static unsigned str_min(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned str_distance(const char *a, const char *b)
{
    unsigned rows[3][STR_MAX + 1];
    unsigned *before = rows[0], *prev = rows[1], *row = rows[2], *spare;
    size_t n = strnlen(a, STR_MAX), m = strnlen(b, STR_MAX);

    for (unsigned j = 0; j <= m; j++) {
        prev[j] = j;
        before[j] = 0;
    }
    for (unsigned i = 1; i <= n; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= m; j++) {
            int x = str_fold(a[i - 1]), y = str_fold(b[j - 1]);
            unsigned best = prev[j - 1] + (x != y);
            best = str_min(best, str_min(prev[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && x == str_fold(b[j - 2]) && y == str_fold(a[i - 2])) {
                best = str_min(best, before[j - 2] + 1);
            }
            row[j] = best;
        }
        spare = before;
        before = prev;
        prev = row;
        row = spare;
    }
    return prev[m];
}

const char *str_nearest(const char *word, const char *(*get)(size_t i, const void *opaque),
                        const void *opaque)
{
    unsigned len = (unsigned)strnlen(word, STR_MAX);
    unsigned best = (len / 3 > 1 ? len / 3 : 1) + 1;
    const char *nearest = NULL;
    const char *name;

    if (len < 2) {
        return NULL;
    }
    for (size_t i = 0; (name = get(i, opaque)) != NULL; i++) {
        unsigned d = str_distance(word, name);
        if (d < best) {
            best = d;
            nearest = name;
        }
    }
    return nearest;
}

static const char *str_get(size_t i, const void *opaque)
{
    const char *const *names = opaque;
    return names[i];
}

const char *str_nearest_in(const char *word, const char *const *names)
{
    return str_nearest(word, str_get, names);
}
