/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An error of the host or of the configuration, on its way to the one place that reports it.
 *
 * A function that can fail so returns false and fills in the Error of its caller, who may add
 * where it happened and passes it on. A message is one line that says what is wrong, with what
 * (option, file, value), and how to put it right:
 *   -cpu cortex-a67: unknown CPU; did you mean 'cortex-a76'? (-cpu help lists them)
 * What a guest does wrong is never an Error, and a bug of ours is an assert().
 */
#ifndef GEMEL_UTIL_ERROR_H
#define GEMEL_UTIL_ERROR_H

#include <stdbool.h>
#include <stdio.h>

typedef struct Error {
    char text[512]; /* empty: no error; too long a message is cut and ends in "..." */
} Error;

/* Replaces the message. e may be NULL where the caller does not want to know. Always false, so
 * that `return error_set(...)` reads well. Keeps errno. */
bool error_set(Error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* As error_set(), then ": " and the text of errno. */
bool error_set_errno(Error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts `where: ` in front of a message already there. Always false. */
bool error_prepend(Error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static inline bool error_is_set(const Error *e)
{
    return e->text[0] != '\0';
}

static inline void error_clear(Error *e)
{
    e->text[0] = '\0';
}

/* Prints `program: message` and a newline. */
void error_report(const Error *e, const char *program, FILE *f);

#endif
