/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of gemel-system-*, parsed by the table in emu/options.def. */
#ifndef GEMEL_EMU_OPTIONS_H
#define GEMEL_EMU_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "util/error.h"

typedef enum OptId {
#define OPT(id, name, other, arg, kind, section, help) OPT_##id,
#include "emu/options.def"
#undef OPT
    OPT_N
} OptId;

enum { OPT_MAX = 64 }; /* how often one option may be given */

typedef struct OptValues {
    const char *v[OPT_MAX]; /* FLAG: "" */
    unsigned    n;
} OptValues;

typedef struct Options {
    OptValues   of[OPT_N];
    const char *disk;        /* a word that is no option: an image to boot */
    char       *made[OPT_MAX]; /* values made by translating old spellings */
    unsigned    n_made;
} Options;

/* argv[0] is skipped. One or two dashes. Strings are argv's. Old spellings are translated and named on
 * `notes` (NULL: silently). false: err names the option, and the nearest one if unknown. */
bool options_parse(Options *o, int argc, char **argv, FILE *notes, Error *err);
void options_free(Options *o);

/* The last value, or NULL. */
const char *options_last(const Options *o, OptId id);
static inline bool options_flag(const Options *o, OptId id)
{
    return o->of[id].n > 0;
}
/* Adds a value as if it had been typed. */
bool options_add(Options *o, OptId id, const char *value, Error *err);
/* "-name", for messages. */
const char *options_name(OptId id);

void options_print_help(const char *program, FILE *f);
/* The options as roff, for the man page; as words, for completion. */
void options_print_man(FILE *f);
void options_print_words(FILE *f);

#endif
