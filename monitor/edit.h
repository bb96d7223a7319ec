/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line editor for a terminal at the far end of a byte stream: no terminal library, no globals. */
#ifndef GEMEL_MONITOR_EDIT_H
#define GEMEL_MONITOR_EDIT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum { EDIT_HISTORY = 64 };

typedef struct Editor {
    const char *prompt;
    GString    *line;
    size_t      cursor;
    char       *history[EDIT_HISTORY]; /* a ring; newest at (n_history - 1) % EDIT_HISTORY */
    unsigned    n_history, at;         /* at: shown entry, n_history: the new line */
    unsigned    escape;                /* state of an escape sequence */
    unsigned    parameter;             /* of it: its first number */
    bool        more_parameters;
    bool        was_return;            /* the last byte was \r: a \n after it is part of it */
    void      (*out)(void *opaque, const char *text, size_t bytes);
    void      (*enter)(void *opaque, const char *line);
    void      (*complete)(void *opaque, const char *line);
    void       *opaque;
} Editor;

void edit_init(Editor *e, const char *prompt);
void edit_free(Editor *e);
void edit_byte(Editor *e, uint8_t c);
void edit_show_prompt(Editor *e); /* prompt and the line so far */
/* Inserts at the cursor, as if typed. */
void edit_insert(Editor *e, const char *text);

#endif
