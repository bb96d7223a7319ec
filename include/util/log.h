/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A log: where it goes and which kinds are on (-d KIND,KIND -D FILE).
 *
 * The kinds belong to whoever owns the log and are bits 0..31 named by a table. A Log may be used
 * by several threads; log_begin() and log_end() keep the lines of one record together.
 */
#ifndef GEMEL_UTIL_LOG_H
#define GEMEL_UTIL_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "util/error.h"

typedef struct LogKind {
    const char *name; /* NULL ends the table */
    uint32_t    bit;
    const char *help;
} LogKind;

typedef struct Log {
    FILE    *file;
    uint32_t on; /* kinds that are written */
    bool     owned;
} Log;

/* "a,b" or "all" to bits; false with an Error that names the nearest kind. */
bool log_parse_kinds(const char *list, const LogKind *kinds, uint32_t *on, Error *err);

/* One line a kind, for `-d help`. */
void log_print_kinds(const LogKind *kinds, FILE *f);

/* path NULL: standard error. "%d" in path becomes the process id, once. Line-buffered. */
bool log_open(Log *log, const char *path, uint32_t on, Error *err);
void log_close(Log *log);

static inline bool log_is_on(const Log *log, uint32_t bit)
{
    return (log->on & bit) != 0;
}

/* The locked stream when that kind is on, else NULL; every non-NULL needs a log_end(). */
FILE *log_begin(Log *log, uint32_t bit);
void  log_end(Log *log);

/* One record of one printf. */
void log_printf(Log *log, uint32_t bit, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
