/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Option values of the form first,key=value,flag. See util/keyval.h. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/keyval.h"
#include "util/str_nearest.h"

bool parse_bool(const char *text, bool *v)
{
    static const char *const yes[] = {"on", "yes", "true", "y", "1"};
    static const char *const no[] = {"off", "no", "false", "n", "0"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (!strcmp(text, yes[i]) || !strcmp(text, no[i])) {
            *v = !strcmp(text, yes[i]);
            return true;
        }
    }
    return false;
}

bool parse_u64(const char *text, uint64_t *v)
{
    char *end;
    if (!isdigit((unsigned char)*text)) {
        return false;
    }
    errno = 0;
    unsigned long long n = strtoull(text, &end, 0);
    if (errno || *end) {
        return false;
    }
    *v = n;
    return true;
}

bool parse_size(const char *text, uint64_t unit, uint64_t *bytes)
{
    static const char suffixes[] = "bkmgtpe";
    char *end;
    if (!isdigit((unsigned char)*text)) {
        return false;
    }
    errno = 0;
    long double n = strtold(text, &end);
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        n = (long double)strtoull(text, &end, 16);
    }
    long double scale = (long double)unit;
    if (*end) {
        const char *s = strchr(suffixes, tolower((unsigned char)*end));
        if (!s || !*s) {
            return false;
        }
        scale = (long double)((uint64_t)1 << (10 * (s - suffixes)));
        end++;
        end += (*end == 'i' && end[1] == 'B') ? 2 : *end == 'B' ? 1 : 0;
    }
    n *= scale;
    if (errno || *end || n >= 18446744073709551616.0L) {
        return false;
    }
    *bytes = (uint64_t)n;
    return true;
}

/* One item from *p on, up to a single comma; copied to *out with doubled commas made one. */
static void take_item(const char **p, char **out)
{
    while (**p && !(**p == ',' && (*p)[1] != ',')) {
        *p += **p == ',';
        *(*out)++ = *(*p)++;
    }
    *(*out)++ = '\0';
    *p += **p == ',';
}

bool keyvals_parse(KeyVals *kv, const char *text, const char *implied, Error *err)
{
    memset(kv, 0, sizeof *kv);
    kv->text = strdup(text);
    kv->store = malloc(strlen(text) + 2);
    if (!kv->text || !kv->store) {
        abort();
    }
    char *out = kv->store;
    for (const char *p = text; *p;) {
        if (kv->n == KEYVALS_MAX) {
            return error_set(err, "%.60s...: more than %d keys", text, KEYVALS_MAX);
        }
        KeyVal *k = &kv->items[kv->n];
        k->column = (unsigned)(p - text);
        char *word = out;
        take_item(&p, &out);
        char *eq = strchr(word, '=');
        if (!eq && implied && kv->n == 0) {
            k->key = implied;
            k->value = word;
        } else {
            if (eq) {
                *eq = '\0';
            }
            k->key = word;
            k->value = eq ? eq + 1 : NULL;
        }
        if (!*k->key) {
            return error_set(err, "%s: a key is empty at column %u", text, k->column + 1);
        }
        kv->n++;
    }
    return true;
}

void keyvals_free(KeyVals *kv)
{
    free(kv->text);
    free(kv->store);
    kv->text = kv->store = NULL;
    kv->n = 0;
}

static void note_asked(KeyVals *kv, const char *key)
{
    for (unsigned i = 0; i < kv->n_asked; i++) {
        if (!strcmp(kv->asked[i], key)) {
            return;
        }
    }
    if (kv->n_asked < KEYVALS_MAX) {
        kv->asked[kv->n_asked++] = key;
    }
}

const char *keyvals_get(KeyVals *kv, const char *key)
{
    const char *v = NULL;
    note_asked(kv, key);
    for (unsigned i = 0; i < kv->n; i++) {
        KeyVal *k = &kv->items[i];
        if (!strcmp(k->key, key)) {
            v = k->value ? k->value : "on";
            k->used = true;
        } else if (!k->value && !strncmp(k->key, "no", 2) && !strcmp(k->key + 2, key)) {
            v = "off";
            k->used = true;
        }
    }
    return v;
}

bool keyvals_bool(KeyVals *kv, const char *key, bool *v, Error *err)
{
    const char *s = keyvals_get(kv, key);
    return !s || parse_bool(s, v) || error_set(err, "%s=%s: use on or off", key, s);
}

bool keyvals_u64(KeyVals *kv, const char *key, uint64_t *v, Error *err)
{
    const char *s = keyvals_get(kv, key);
    return !s || parse_u64(s, v) || error_set(err, "%s=%s: not a number", key, s);
}

bool keyvals_size(KeyVals *kv, const char *key, uint64_t unit, uint64_t *v, Error *err)
{
    const char *s = keyvals_get(kv, key);
    return !s || parse_size(s, unit, v) ||
           error_set(err, "%s=%s: not a size (512M, 2G, 1048576)", key, s);
}

bool keyvals_enum(KeyVals *kv, const char *key, const char *const *names, int *v, Error *err)
{
    const char *s = keyvals_get(kv, key);
    if (!s) {
        return true;
    }
    char all[256];
    size_t used = 0;
    all[0] = '\0';
    for (int i = 0; names[i]; i++) {
        if (!strcmp(names[i], s)) {
            *v = i;
            return true;
        }
        if (used < sizeof all) {
            used +=
                (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", names[i]);
        }
    }
    const char *near = str_nearest_in(s, names);
    if (near) {
        return error_set(err, "%s=%s: did you mean '%s'? (one of %s)", key, s, near, all);
    }
    return error_set(err, "%s=%s: use one of %s", key, s, all);
}

const KeyVal *keyvals_next(KeyVals *kv)
{
    for (unsigned i = 0; i < kv->n; i++) {
        KeyVal *k = &kv->items[i];
        if (!k->used) {
            k->used = true;
            k->value = k->value ? k->value : "on";
            return k;
        }
    }
    return NULL;
}

static const char *asked_name(size_t i, const void *opaque)
{
    const KeyVals *kv = opaque;
    return i < kv->n_asked ? kv->asked[i] : NULL;
}

bool keyvals_finish(KeyVals *kv, Error *err)
{
    for (unsigned i = 0; i < kv->n; i++) {
        const KeyVal *k = &kv->items[i];
        if (!k->used) {
            const char *near = str_nearest(k->key, asked_name, kv);
            return error_set(err, "%s: unknown key '%s' at column %u%s%s%s", kv->text, k->key,
                             k->column + 1, near ? "; did you mean '" : "", near ? near : "",
                             near ? "'?" : "");
        }
    }
    return true;
}
