/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Option values of the form `first,key=value,flag,noflag`: what follows -device, -drive, -netdev,
 * -chardev, -M and the rest.
 *
 * A comma in a value is written twice. A word without '=' is the implied key's value if it stands
 * first and there is one, else a flag: `readonly` is readonly=on, `nowait` is wait=off when `wait`
 * is a key that is looked for. A key given twice: the last counts, keyval_each() sees all.
 * Who reads a list marks what it knows by asking for it; keyvals_finish() then refuses what nobody
 * asked for, with the nearest key and a caret under the place.
 */
#ifndef GEMEL_UTIL_KEYVAL_H
#define GEMEL_UTIL_KEYVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

enum { KEYVALS_MAX = 64 };

typedef struct KeyVal {
    const char *key, *value;  /* value NULL: a flag that was not resolved yet */
    unsigned    column;       /* of the key in the text, from 0 */
    bool        used;
} KeyVal;

typedef struct KeyVals {
    char    *text;            /* as typed */
    char    *store;           /* keys and values point here */
    KeyVal   items[KEYVALS_MAX];
    unsigned n;
    const char *asked[KEYVALS_MAX]; /* keys that were asked for, for messages; static strings */
    unsigned n_asked;
} KeyVals;

/* implied: key of a first word without '='; NULL: none. false: too many, or an empty key. Free it in
 * either case. */
bool keyvals_parse(KeyVals *kv, const char *text, const char *implied, Error *err);
void keyvals_free(KeyVals *kv);

/* The value, "on" for a flag, "off" for no<key>; NULL: not given. `key` must be static. */
const char *keyvals_get(KeyVals *kv, const char *key);
/* Values with a default; false: malformed, err names key and value. */
bool keyvals_bool(KeyVals *kv, const char *key, bool *v, Error *err);
bool keyvals_u64(KeyVals *kv, const char *key, uint64_t *v, Error *err);
/* Bytes with suffix b, k, M, G, T; a bare number counts `unit` bytes each. */
bool keyvals_size(KeyVals *kv, const char *key, uint64_t unit, uint64_t *v, Error *err);
/* Index into names (ended by NULL); the error names the nearest. */
bool keyvals_enum(KeyVals *kv, const char *key, const char *const *names, int *v, Error *err);
/* The next item nobody asked for, marked as used; NULL: no more. For lists whose keys belong to
 * somebody else (-device: properties of the class). */
const KeyVal *keyvals_next(KeyVals *kv);
/* Were all keys asked for? */
bool keyvals_finish(KeyVals *kv, Error *err);

/* Text to values, for whoever has a string from elsewhere. */
bool parse_bool(const char *text, bool *v);
bool parse_u64(const char *text, uint64_t *v);   /* decimal or 0x */
bool parse_size(const char *text, uint64_t unit, uint64_t *bytes);

#endif
