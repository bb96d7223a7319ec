/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The line editor. Keys: arrows, Home, End, Delete; Ctrl-A E B F K U W D P N L; Tab completes. The
 * terminal is told what to show with the few sequences that all of them know (ECMA-48 CUB, EL).
 */
#include <string.h>

#include "monitor/edit.h"

enum { MAX_LINE = 4000, ESC_NONE = 0, ESC_SEEN, ESC_CSI };

static void say(Editor *e, const char *text)
{
    e->out(e->opaque, text, strlen(text));
}

void edit_init(Editor *e, const char *prompt)
{
    memset(e, 0, sizeof *e);
    e->prompt = prompt;
    e->line = g_string_new(NULL);
}

void edit_free(Editor *e)
{
    for (unsigned i = 0; i < EDIT_HISTORY; i++) {
        g_free(e->history[i]);
    }
    g_string_free(e->line, TRUE);
}

static void move_left(Editor *e, size_t n)
{
    char text[32];
    if (n) {
        g_snprintf(text, sizeof text, "\033[%zuD", n);
        say(e, text);
    }
}

/* The line from `from` on, the cursor back to its place. */
static void redraw_from(Editor *e, size_t from)
{
    e->out(e->opaque, e->line->str + from, e->line->len - from);
    say(e, "\033[K");
    move_left(e, e->line->len - e->cursor);
}

void edit_show_prompt(Editor *e)
{
    say(e, e->prompt);
    redraw_from(e, 0);
}

void edit_insert(Editor *e, const char *text)
{
    size_t n = strlen(text), at = e->cursor;
    if (e->line->len + n > MAX_LINE) {
        return;
    }
    g_string_insert(e->line, (gssize)at, text);
    e->cursor += n;
    if (e->cursor == e->line->len) {
        say(e, text); /* the common case needs no redrawing */
    } else {
        redraw_from(e, at);
    }
}

static void set_line(Editor *e, const char *text)
{
    move_left(e, e->cursor);
    g_string_assign(e->line, text);
    e->cursor = e->line->len;
    redraw_from(e, 0);
}

static void erase(Editor *e, size_t from, size_t n)
{
    if (!n) {
        return;
    }
    move_left(e, e->cursor > from ? e->cursor - from : 0);
    g_string_erase(e->line, (gssize)from, (gssize)n);
    e->cursor = from;
    redraw_from(e, from);
}

static void go_to(Editor *e, size_t at)
{
    if (at < e->cursor) {
        move_left(e, e->cursor - at);
    } else {
        e->out(e->opaque, e->line->str + e->cursor, at - e->cursor);
    }
    e->cursor = at;
}

static void show_history(Editor *e, int step)
{
    unsigned oldest = e->n_history > EDIT_HISTORY ? e->n_history - EDIT_HISTORY : 0;
    if ((step < 0 && e->at == oldest) || (step > 0 && e->at == e->n_history)) {
        return;
    }
    e->at = (unsigned)((int)e->at + step);
    set_line(e, e->at == e->n_history ? "" : e->history[e->at % EDIT_HISTORY]);
}

static void remember(Editor *e)
{
    const char *last = e->n_history ? e->history[(e->n_history - 1) % EDIT_HISTORY] : NULL;
    if (e->line->len && (!last || strcmp(last, e->line->str))) {
        char **slot = &e->history[e->n_history++ % EDIT_HISTORY];
        g_free(*slot);
        *slot = g_strdup(e->line->str);
    }
    e->at = e->n_history;
}

static void enter(Editor *e)
{
    say(e, "\r\n");
    remember(e);
    char *line = g_strdup(e->line->str);
    g_string_truncate(e->line, 0);
    e->cursor = 0;
    e->enter(e->opaque, line);
    g_free(line);
    edit_show_prompt(e);
}

static void erase_word(Editor *e)
{
    size_t from = e->cursor;
    while (from && e->line->str[from - 1] == ' ') {
        from--;
    }
    while (from && e->line->str[from - 1] != ' ') {
        from--;
    }
    erase(e, from, e->cursor - from);
}

static void complete(Editor *e)
{
    char *head = g_strndup(e->line->str, e->cursor);
    e->complete(e->opaque, head);
    g_free(head);
}

static void control(Editor *e, uint8_t c)
{
    switch (c) {
    case 'A' - 64: go_to(e, 0); break;
    case 'E' - 64: go_to(e, e->line->len); break;
    case 'B' - 64: go_to(e, e->cursor ? e->cursor - 1 : 0); break;
    case 'F' - 64: go_to(e, e->cursor < e->line->len ? e->cursor + 1 : e->cursor); break;
    case 'K' - 64: erase(e, e->cursor, e->line->len - e->cursor); break;
    case 'U' - 64: erase(e, 0, e->cursor); break;
    case 'W' - 64: erase_word(e); break;
    case 'D' - 64: erase(e, e->cursor, e->cursor < e->line->len); break;
    case 'P' - 64: show_history(e, -1); break;
    case 'N' - 64: show_history(e, 1); break;
    case 'L' - 64:
        say(e, "\033[2J\033[1;1H");
        edit_show_prompt(e);
        break;
    case '\t': complete(e); break;
    case 127:
    case '\b': erase(e, e->cursor ? e->cursor - 1 : 0, e->cursor > 0); break;
    case '\r': enter(e); break;
    case '\n':
        if (!e->was_return) {
            enter(e);
        }
        break;
    case 27: e->escape = ESC_SEEN; break;
    default: break;
    }
}

/* ECMA-48, 5.4: parameters and intermediates 0x20 to 0x3f, then one final byte. */
static void escape(Editor *e, uint8_t c)
{
    if (e->escape == ESC_SEEN) {
        e->escape = c == '[' || c == 'O' ? ESC_CSI : ESC_NONE;
        e->parameter = 0;
        e->more_parameters = false;
        return;
    }
    if (c >= 0x20 && c <= 0x3f) {
        e->more_parameters |= c < '0' || c > '9';
        if (!e->more_parameters && e->parameter < 1000) {
            e->parameter = e->parameter * 10 + (c - '0');
        }
        return;
    }
    e->escape = ESC_NONE;
    if (c == '~') { /* the keypad above the arrows, as VT220 numbers it */
        c = e->parameter == 1 ? 'H' : e->parameter == 4 ? 'F' : e->parameter == 3 ? '~' : 0;
    }
    switch (c) {
    case 'A': show_history(e, -1); break;
    case 'B': show_history(e, 1); break;
    case 'C': control(e, 'F' - 64); break;
    case 'D': control(e, 'B' - 64); break;
    case 'H': control(e, 'A' - 64); break;
    case 'F': control(e, 'E' - 64); break;
    case '~': control(e, 'D' - 64); break;
    default: break;
    }
}

void edit_byte(Editor *e, uint8_t c)
{
    if (e->escape) {
        escape(e, c);
    } else if (c < 32 || c == 127) {
        control(e, c);
    } else {
        edit_insert(e, (char[]){(char)c, '\0'});
    }
    e->was_return = c == '\r';
}
