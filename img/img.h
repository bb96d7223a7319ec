/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gemel-img: what its verbs share. A verb is one file with one ImgVerb: its options as a table, a
 * help text, and run(). The command line is that of qemu-img.
 */
#ifndef GEMEL_IMG_IMG_H
#define GEMEL_IMG_IMG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "block/node.h"
#include "block/qcow2.h"
#include "block/snapshot.h"
#include "util/error.h"

/* ---- the command line */

typedef struct ImgOption {
    int         letter; /* of -x; from 256 on: has a long name only */
    const char *name;   /* of --name, or NULL */
    const char *value;  /* what it takes, for the help; NULL: nothing */
    const char *help;
} ImgOption;

typedef struct ImgArgs ImgArgs;

typedef struct ImgVerb {
    const char      *name;
    const char      *operands; /* for the help */
    const char      *help;     /* a line, and what else is worth knowing below it */
    const ImgOption *options;  /* ends with letter 0; -q, -h and -U are everybody's */
    unsigned         min_operands, max_operands;
    int            (*run)(const ImgArgs *a);
} ImgVerb;

enum { IMG_OUTPUT = 256, IMG_FIRST_OWN };

struct ImgArgs {
    const ImgVerb *verb;
    GPtrArray     *operands; /* char * */
    GArray        *found;    /* of what main() parsed */
};

/* Value of the last such option, "" for one without value, NULL when it was not given. */
const char *img_opt(const ImgArgs *a, int letter);
bool        img_has(const ImgArgs *a, int letter);
/* All values of an option joined by commas (-o a -o b); g_free() it. */
char       *img_opt_joined(const ImgArgs *a, int letter);
const char *img_operand(const ImgArgs *a, unsigned i);
/* Fills a; false with an Error. *help: only help was asked for. */
bool        img_parse(ImgArgs *a, int argc, char **argv, bool *help, Error *err);
void        img_verb_help(const ImgVerb *v);
void        img_args_free(ImgArgs *a);

/* ---- small things */

/* Prints the error the way the program reports; returns 1. */
int   img_fail(const Error *err);
int   img_fail_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void  img_note(const ImgArgs *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "10G", "512", "1.5M"; false with an Error naming `what`. */
bool  img_parse_size(const char *text, const char *what, uint64_t *bytes, Error *err);
/* "1 GiB" */
char *img_size_text(uint64_t bytes);
/* --output=human|json */
bool  img_output_json(const ImgArgs *a, bool *json, Error *err);

/* Progress of `total` units; silent unless -p. */
typedef struct ImgProgress {
    bool     on, bar;
    uint64_t total;
    int      last; /* per ten thousand */
} ImgProgress;

void img_progress_start(ImgProgress *p, const ImgArgs *a, uint64_t total);
void img_progress(ImgProgress *p, uint64_t done);
void img_progress_end(ImgProgress *p);

/* Opens `file` with -U of the command line; cache: text of -t or -T, or NULL for writeback. */
typedef struct ImgOpen {
    const char *file, *format, *cache;
    bool        write, no_backing, for_check, quiet; /* quiet: raw needs no warning */
} ImgOpen;
BlockNode *img_open(const ImgArgs *a, const ImgOpen *o, Error *err);
/* Closes; false with err when the last writes failed. */
bool       img_close(BlockNode *n, Error *err);

/* ---- making images (create, convert, dd, measure) */

typedef struct ImgCreate {
    const char *file, *format;
    uint64_t    size_bytes;
    bool        has_size, unsafe, quiet;
    const char *backing, *backing_format;
    char       *options; /* text of -o or NULL */
    BlockPreallocation preallocation;
    Qcow2Create qcow2;
} ImgCreate;

/* Understands -o; what it sets wins. */
bool img_create_options(ImgCreate *c, Error *err);
bool img_create(ImgCreate *c, Error *err);
/* "-o help" */
bool img_wants_option_help(const char *options);
void img_print_option_help(const char *format);
bool img_parse_preallocation(const char *text, BlockPreallocation *how, Error *err);

/* ---- JSON, indented as qemu-img prints it */

typedef struct Json {
    FILE    *f;
    unsigned depth;
    bool     first;
} Json;

void json_open(Json *j, const char *key, char bracket); /* '{' or '['; key NULL in arrays */
void json_close(Json *j, char bracket);
void json_string(Json *j, const char *key, const char *value);
void json_number(Json *j, const char *key, uint64_t value);
void json_bool(Json *j, const char *key, bool value);

extern const ImgVerb img_amend, img_bench, img_check, img_commit, img_compare, img_convert, img_create_verb,
    img_dd, img_info, img_map, img_measure, img_rebase, img_resize, img_snapshot;

#endif
